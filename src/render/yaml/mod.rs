//! An observed state as a topology file whose plan is empty.

mod expanded;
mod link;
pub(crate) mod node;
mod packet;
mod pairs;
mod ports;
mod ranges;
pub(crate) mod section;
mod tree;
mod unsaid;
mod wireguard;

pub use expanded::written_out;
pub use node::{file, text};
pub use unsaid::{forget_unrecorded, forget_unsaid};

#[cfg(test)]
mod tests;
