//! Many of one kind: what includes, ranges, sums and defaults stand for, written out before anything is read of it.

pub(crate) mod defaults;
pub(crate) mod expansion;
pub(crate) mod formula;
pub(crate) mod gather;
mod include;
mod paths;
pub(crate) mod range;
mod repeat;
pub(crate) mod schema;
pub(crate) mod sum;
pub(crate) mod template;
pub(crate) mod tree;
mod weigh;
pub(crate) mod words;

pub use gather::gather;
