//! SIGINT, SIGTERM and SIGHUP while something is being changed.

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

/// From now on these signals ask to stop after the running batch, instead of ending the program: the number of the first one is kept.
pub fn watch() -> Arc<AtomicI32> {
    let first = Arc::new(AtomicI32::new(0));
    let Ok(mut signals) = Signals::new([SIGINT, SIGTERM, SIGHUP]) else { return first };
    let flag = Arc::clone(&first);
    let listen = move || {
        for signal in signals.forever() {
            // A later signal does not stop the undoing: half of it would be worse than either end.
            let _ = flag.compare_exchange(0, signal, Ordering::Relaxed, Ordering::Relaxed);
        }
    };
    // Without the thread the signals are ignored until the end, which is safe.
    let _ = std::thread::Builder::new().name("signals".to_owned()).spawn(listen);
    first
}
