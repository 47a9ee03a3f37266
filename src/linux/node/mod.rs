//! Programs in a node.

pub mod exec;
