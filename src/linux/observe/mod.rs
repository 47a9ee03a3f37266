//! Observing a topology: which namespaces, at what depth, until they are at rest.

mod questions;
pub(crate) mod topology;

pub use topology::*;
