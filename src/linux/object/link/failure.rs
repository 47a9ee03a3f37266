//! Failures of requests about links.

use crate::kernel::Error;
use crate::linux::netlink::socket::Refused;
use crate::resource::{Link, Tenure};

/// What can go wrong: the kernel refused, or the place could not be reached.
pub enum Failure {
    /// The kernel refused.
    Refused(Refused),
    /// Anything else.
    Error(Box<Error>),
}

impl From<Refused> for Failure {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Error(Box::new(error))
    }
}

/// Whether `link` in a place like `made` carries marks of its own.
pub fn carries_mark(link: &Link, made: bool) -> bool {
    !made && link.marked && link.tenure == Tenure::Created
}
