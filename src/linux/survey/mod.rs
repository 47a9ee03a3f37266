//! Reading everything that is there, of topo and of others: the same look as for a topology, at all namespaces.

mod around;
mod hardware;
pub(crate) mod keys;
mod machine;
mod namespaces;
pub(crate) mod read;
mod rulesets;
mod settings;
mod unsaid;
