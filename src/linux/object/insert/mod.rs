//! Rules in chains of others: written and read through iptables or natively.

pub mod install;
pub(crate) mod iptables;
pub(crate) mod line;
pub(crate) mod native;

pub use install::*;
