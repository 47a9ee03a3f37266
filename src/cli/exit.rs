//! Exit codes, all of them.

use crate::kernel::{Error, ErrorKind};
use std::process::ExitCode;

/// How the program ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Exit {
    /// Done, or nothing to do.
    Done,
    /// Failed; a file that cannot be read.
    Failed,
    /// `plan --detailed-exitcode`: there are changes; `explain`: the packet stops; `doctor`: errors.
    Changes,
    /// `explain`: it cannot be said.
    CannotSay,
    /// Wrong usage (`EX_USAGE` of `sysexits.h`); no terminal to ask on.
    Usage,
    /// The topology has errors (`EX_DATAERR`).
    Data,
    /// Not enough privileges (`EX_NOPERM`).
    Privileges,
    /// Stopped by this signal.
    Signal(i32),
    /// What the program of `exec` ended with.
    Program(u8),
}

impl Exit {
    /// The number.
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Changes => 2,
            Self::CannotSay => 3,
            Self::Usage => 64,
            Self::Data => 65,
            Self::Privileges => 77,
            Self::Signal(signal) => u8::try_from(128 + signal).unwrap_or(1),
            Self::Program(code) => code,
        }
    }

    /// The end after a failure at the kernel's door.
    pub fn of(error: &Error) -> Self {
        match error.kind {
            ErrorKind::Privileges => Self::Privileges,
            _ => Self::Failed,
        }
    }

    /// Of several ends the one that says most: a signal, then a failure, then the rest.
    #[must_use]
    pub fn worst(self, other: Self) -> Self {
        let rank = |exit: Self| match exit {
            Self::Done => 0,
            Self::Changes | Self::CannotSay => 1,
            Self::Program(_) => 2,
            Self::Usage => 3,
            Self::Data => 4,
            Self::Failed => 5,
            Self::Privileges => 6,
            Self::Signal(_) => 7,
        };
        if rank(other) > rank(self) { other } else { self }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
