//! SIGINT, SIGTERM and SIGHUP while something is being changed, and a limit for the size of files.

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
use signal_hook::iterator::Signals;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::{Arc, OnceLock};

/// Where a file would grow beyond the limit of this process (`ulimit -f`), writing fails (EFBIG), as it does on a full
/// disk, and is undone. Nothing handling the signal, it would end the program half-way (setrlimit(2)). A program that
/// is started has it as it was: handlers do not outlive execve(2).
pub fn survive_file_limit() {
    // Where it cannot be handled, all else goes as well as without.
    let _ = signal_hook::flag::register(SIGXFSZ, Arc::new(AtomicBool::new(false)));
}

/// From now on these signals ask to stop after the running batch, instead of ending the program: the number of the
/// first one is kept. One that was ignored when the program started (`nohup`, a shell's background job) stays ignored.
pub fn watch() -> Arc<AtomicI32> {
    static FIRST: OnceLock<Arc<AtomicI32>> = OnceLock::new();
    Arc::clone(FIRST.get_or_init(listen))
}

fn listen() -> Arc<AtomicI32> {
    let first = Arc::new(AtomicI32::new(0));
    let ignored = ignored();
    let heard = [SIGINT, SIGTERM, SIGHUP].into_iter().filter(|signal| ignored & 1 << (signal - 1) == 0);
    let Ok(mut signals) = Signals::new(heard) else { return first };
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

/// The signals that this process ignores, a bit each, the lowest for signal 1 (`SigIgn` in proc_pid_status(5)); none
/// where `/proc` does not tell.
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}
