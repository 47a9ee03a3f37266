//! What an operation does to a state, and what the kernel does besides.

use super::{Operation, Resource, State};
use std::fmt;

/// Why a kernel would refuse an operation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refusal {
    /// The reason, a fragment.
    pub reason: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

/// Carries `operation` out on `state`.
pub fn effect(_state: &mut State, _operation: &Operation) -> Result<(), Refusal> {
    Ok(())
}

/// What comes into being with `resource` although nobody asked for it.
pub fn born(_resource: &Resource) -> Vec<Resource> {
    Vec::new()
}
