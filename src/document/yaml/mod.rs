//! YAML with places: the tree, typed reading, findings.

pub(crate) mod define;
pub(crate) mod finding;
pub(crate) mod foreign;
pub(crate) mod limits;
pub(crate) mod map;
pub mod names;
pub(crate) mod place;
pub mod read;
pub(crate) mod source;
mod syntax;
pub(crate) mod tree;
pub mod word;
