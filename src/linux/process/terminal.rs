//! How large a terminal is.

#![expect(unsafe_code, reason = "a terminal is asked for its size by ioctl, which has no safe form")]

use nix::libc;
use std::os::fd::{AsRawFd, BorrowedFd};

/// How many lines the terminal behind `stream` has; `None` where that is none, or it does not say.
pub fn lines(stream: BorrowedFd<'_>) -> Option<usize> {
    let mut size = libc::winsize { ws_row: 0, ws_col: 0, ws_xpixel: 0, ws_ypixel: 0 };
    // SAFETY: the descriptor is open as long as it is borrowed, and the kernel writes no more than this structure.
    let done = unsafe { libc::ioctl(stream.as_raw_fd(), libc::TIOCGWINSZ, &raw mut size) };
    (done == 0 && size.ws_row > 0).then(|| usize::from(size.ws_row))
}
