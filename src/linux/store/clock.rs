//! The clock that deadlines are reported by: it does not stop while the machine sleeps, and nothing can set it.

use crate::kernel::Error;
use nix::time::{ClockId, clock_gettime};
use std::time::Duration;

/// The time since the machine was started (`CLOCK_BOOTTIME`).
///
/// # Errors
///
/// If the kernel has no such clock.
pub fn since_boot() -> Result<Duration, Error> {
    clock_gettime(ClockId::CLOCK_BOOTTIME).map(Duration::from).map_err(|e| Error::os("read the clock", e as i32))
}
