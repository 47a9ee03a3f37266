//! Packet rules of any program as the NAT and firewall of a node.

mod adjust;
mod around;
mod both;
mod flatten;
mod foreign;
mod merge;
mod raw;
mod whole;

pub(super) use around::Around;
pub(super) use merge::table;
pub use whole::whole_tables;
