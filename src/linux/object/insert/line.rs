//! A rule in a chain of others, as its program lists it.

use crate::resource::{Insert, TableRule};

/// The chains that iptables hangs on hooks; a table with another one there is not iptables'.
pub(crate) const BUILT_IN: [&str; 5] = ["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"];

/// The program that reads and writes a chain.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Program {
    /// `iptables-nft` or `ip6tables-nft`.
    Iptables,
    /// `nft`.
    Nft,
}

/// A rule as it stands in a chain.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Line {
    /// As its program lists it, its comment included.
    pub(crate) text: String,
    /// The topology that its comment names.
    pub(crate) topology: Option<String>,
    /// nft's handle; 0 in iptables' chains, which are changed by what the rule says.
    pub(crate) handle: u64,
}

/// A wanted rule and the lines that it is listed as: several where iptables needs several.
pub(crate) type Known = Vec<(TableRule, Vec<String>)>;

pub(crate) fn tried(insert: &Insert) -> String {
    format!("put rules into the chain {}", insert.chain)
}
