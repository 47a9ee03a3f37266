//! An observed state as a topology file whose plan is empty.

mod link;
pub(crate) mod node;
mod packet;
pub(crate) mod section;
mod tree;
mod wireguard;

pub use node::text;

#[cfg(test)]
mod tests;
