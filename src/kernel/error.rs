//! What can go wrong at the door.

use crate::resource::{ResourceId, TableRule};
use std::fmt;

// Of asm-generic/errno-base.h and asm-generic/errno.h: so that the contract builds without a crate for Linux.
const EPERM: i32 = 1;
const EACCES: i32 = 13;
const ENOSYS: i32 = 38;
const EPROTONOSUPPORT: i32 = 93;
const EOPNOTSUPP: i32 = 95;
const EAFNOSUPPORT: i32 = 97;

/// A failed call, reported in `ip` words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// What kind of failure it is; it decides the exit code.
    pub kind: ErrorKind,
    /// What was tried, in the words of `ip`, `nft`, `sysctl` (`ip -n RED address add 10.0.0.1/24 dev eth0`), or what
    /// was read.
    pub tried: String,
    /// What came back: the kernel's own text where it has one, else what the errno means here.
    pub reason: String,
    /// The errno, where there is one.
    pub errno: Option<i32>,
    /// What to do about it.
    pub help: Option<String>,
    /// The resource it was about.
    pub id: Option<ResourceId>,
    /// The rule in nft's words that it was about.
    pub rule: Option<String>,
}

/// The kind of a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The kernel or a program said no.
    Refused,
    /// Not enough privileges.
    Privileges,
    /// The kernel or machine lacks a feature.
    Missing,
    /// Foreign: a name that is taken.
    Taken,
    /// Another run holds the lock.
    Locked,
    /// A file could not be read or written.
    File,
    /// The interface that it was about is not there any more.
    Gone,
    /// Not tried, because something before it in the same node failed.
    Skipped,
    /// A signal stopped it.
    Interrupted,
}

impl Error {
    /// A failure of `kind`: what was tried and what came back.
    pub fn new(kind: ErrorKind, tried: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { kind, tried: tried.into(), reason: reason.into(), errno: None, help: None, id: None, rule: None }
    }

    /// A failed system call or netlink request: its kind, reason and help follow from `errno` (positive).
    pub fn os(tried: impl Into<String>, errno: i32) -> Self {
        let kind = match errno {
            EPERM | EACCES => ErrorKind::Privileges,
            ENOSYS | EPROTONOSUPPORT | EOPNOTSUPP | EAFNOSUPPORT => ErrorKind::Missing,
            _ => ErrorKind::Refused,
        };
        let help = (kind == ErrorKind::Privileges)
            .then(|| "run it as root, or with CAP_NET_ADMIN and CAP_SYS_ADMIN".to_owned());
        // What strerror(3) says, without the number that the standard library puts behind it.
        let said = std::io::Error::from_raw_os_error(errno).to_string();
        let reason = said.split(" (os error").next().unwrap_or_default().to_lowercase();
        Self { kind, tried: tried.into(), reason, errno: Some(errno), help, id: None, rule: None }
    }

    /// A failed system call, from what the standard library says of it.
    pub fn io(tried: impl Into<String>, error: &std::io::Error) -> Self {
        match error.raw_os_error() {
            Some(errno) => Self::os(tried, errno),
            None => Self::new(ErrorKind::File, tried, error.to_string()),
        }
    }

    /// With a help text.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// With the resource that it was about.
    #[must_use]
    pub fn about(mut self, id: ResourceId) -> Self {
        self.id = Some(id);
        self
    }

    /// With the rule that it was about, where that is one in nft's words.
    #[must_use]
    pub fn about_rule(mut self, rule: Option<&TableRule>) -> Self {
        if let Some(TableRule::Raw(text)) = rule {
            self.rule = Some(text.clone());
        }
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.tried, self.reason)?;
        if let Some(errno) = self.errno {
            write!(f, " (errno {errno})")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}
