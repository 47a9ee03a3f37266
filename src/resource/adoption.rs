//! Adoption: what is there without marks, and the file names, becomes the topology's where it stands.

use super::Node;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// That what the file makes and is there without a mark is taken for what the file means, and marked.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Adoption {
    /// The tables of nft and iptables whose place the topology's table takes, by node.
    pub tables: BTreeMap<Node, Vec<TableName>>,
}

/// A table of another program.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct TableName {
    /// `inet`, `ip` or `ip6`.
    pub family: String,
    /// Its name.
    pub name: String,
    /// Whether it is one of iptables', which is listed and put back in that program's words.
    pub iptables: bool,
}

/// A table of another program whose place the topology's takes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ForeignTable {
    /// Which.
    pub name: TableName,
    /// All of it, as its program lists it and takes it back: `nft -s -y list table`, or its part of `iptables-save`.
    /// Without what was counted.
    pub text: String,
}

/// What a link has in the place of the topology's marks.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Unmarked {
    /// Its alias; empty for none.
    pub alias: String,
    /// Its interface group.
    pub group: u32,
}
