//! What namespaces have learned and counted: neighbours, forwarding entries, counters, connections.

mod conntrack;
mod counters;
mod read;

pub use read::read;
