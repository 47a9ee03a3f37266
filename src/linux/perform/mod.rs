//! Writing: batches of operations over many namespaces, and waiting until what was made is usable.

pub(crate) mod batch;
pub(crate) mod settle;
