//! A place for each kind of object (`OBJECT` of ip(8)), with both directions of its message side by side.

pub(crate) mod address;
pub mod file;
pub mod insert;
pub mod link;
pub(crate) mod neighbor;
pub(crate) mod netem_tables;
pub mod nft;
pub(crate) mod qdisc;
pub(crate) mod route;
pub(crate) mod rule;
#[cfg(test)]
mod tests;
