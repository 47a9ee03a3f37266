//! Why a kernel would refuse an operation.

use std::fmt;

/// Why a kernel would refuse an operation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refusal {
    /// The reason, a fragment.
    pub reason: String,
    /// What a user can do, where it is not a fault of the plan.
    pub help: Option<String>,
}

impl Refusal {
    pub(crate) fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), help: None }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}
