//! Waiting, with an end.

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::io;
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::{Duration, Instant};

/// How long it may take until a signal is noticed.
const SLICE: Duration = Duration::from_millis(100);

/// Why a try did not work.
#[derive(Debug)]
pub enum Why {
    /// Time was over; what did not happen (`no answer from 10.0.0.3`).
    Late(String),
    /// It did not work.
    Failed(String),
    /// It could not be tried.
    Broken(String),
}

impl Why {
    /// The network says no.
    pub fn os(what: &str, errno: Errno) -> Self {
        Self::Failed(format!("{what}: {}", errno.desc().to_lowercase()))
    }

    /// The network says no, as the standard library reports it.
    pub fn io(what: &str, error: &io::Error) -> Self {
        match error.raw_os_error() {
            Some(errno) => Self::os(what, Errno::from_raw(errno)),
            None => Self::Failed(format!("{what}: {error}")),
        }
    }
}

/// The end of a try.
#[derive(Clone, Copy, Debug)]
pub struct Until<'a> {
    /// When it is over.
    pub end: Instant,
    /// The number of the signal that asks to stop; 0 while there is none.
    pub stop: &'a AtomicI32,
}

impl Until<'_> {
    /// Waits until one of `flags`, or an error, is there; `late` says what did not happen in time.
    ///
    /// # Errors
    ///
    /// If the time is over, or a signal came.
    pub fn wait(&self, fd: impl AsFd, flags: PollFlags, late: &str) -> Result<(), Why> {
        loop {
            let left = self.left(late)?;
            if poll_one(&fd, flags, left.min(SLICE))? {
                return Ok(());
            }
        }
    }

    /// The time that is left, at least a millisecond; an error where there is none, or a signal came.
    ///
    /// # Errors
    ///
    /// If no time is left, or a signal came.
    pub fn left(&self, late: &str) -> Result<Duration, Why> {
        if self.stop.load(Ordering::Relaxed) != 0 {
            return Err(Why::Broken("stopped by a signal".to_owned()));
        }
        let left = self.end.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(Why::Late(late.to_owned())) } else { Ok(left.max(Duration::from_millis(1))) }
    }

    /// Waits a little, not longer than until `deadline`; an error where it is over or a signal came.
    ///
    /// # Errors
    ///
    /// If the time is over, or a signal came.
    pub fn pause(&self, time: Duration, deadline: Instant) -> Result<(), Why> {
        let until = Until { end: deadline.min(Instant::now() + time), stop: self.stop };
        while let Ok(left) = until.left("") {
            std::thread::sleep(left.min(SLICE));
        }
        Until { end: deadline, stop: self.stop }.left("").map(|_| ())
    }
}

/// Whether one of `flags`, or an error, is there within `time`.
fn poll_one(fd: &impl AsFd, flags: PollFlags, time: Duration) -> Result<bool, Why> {
    let mut fds = [PollFd::new(fd.as_fd(), flags)];
    match poll(&mut fds, PollTimeout::try_from(time).unwrap_or(PollTimeout::MAX)) {
        Ok(count) => Ok(count > 0),
        Err(Errno::EINTR) => Ok(false),
        Err(errno) => Err(Why::os("wait", errno)),
    }
}

/// A duration in milliseconds, for a user: a cable in one machine takes some hundredths of one.
pub fn millis(time: Duration) -> String {
    let millis = time.as_secs_f64() * 1e3;
    if millis < 10.0 { format!("{millis:.3} ms") } else { format!("{millis:.1} ms") }
}
