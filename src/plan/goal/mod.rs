//! What is wanted besides what the file says: what was there before comes back, the kernel's own rules stay, a bridge
//! has the MTU of its ports.

pub(crate) mod complete;
mod prior;

pub(crate) use super::facts::{displaced, gone};
pub(crate) use complete::complete;
pub(crate) use prior::Waiting;
