//! What a snapshot of a namespace is asked for, and what it holds.

use crate::linux::netlink::link;
use crate::linux::netns;
use crate::linux::object::link::wireguard;
use crate::linux::object::{address, neighbor, qdisc, route, rule};
use crate::resource::{
    ChainRef, ForeignTable, IfName, Insert, Kind, Node, Sysctl, Table, TableName, TableRecord, Vlans,
};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// What is asked of a namespace beyond what is always read.
#[derive(Clone, Default)]
pub struct Question<'a> {
    /// Settings to read.
    pub settings: BTreeSet<&'a str>,
    /// The links that are about to be taken elsewhere: all settings that they lose.
    pub moving: BTreeSet<&'a IfName>,
    /// The links that are wanted there.
    pub links: BTreeMap<&'a IfName, &'a Kind>,
    /// The nodes that the other ends of its pairs may be in.
    pub near: BTreeSet<&'a Node>,
    /// The nft table that is wanted there.
    pub table: Option<&'a Table>,
    /// The tables whose place that one takes.
    pub instead_of: &'a [TableName],
    /// The rules that are wanted, or were put, into foreign chains.
    pub inserts: BTreeMap<&'a ChainRef, Option<&'a Insert>>,
    /// Whether it is a foreign namespace, the host say.
    pub search: bool,
    /// Whether such chains are looked for by the comments of their rules, too: all rules there are, of whomever, have
    /// to be read for that.
    pub by_comment: bool,
    /// Whether VLANs of bridges and ports are wanted there.
    pub vlans: bool,
    /// Whether what is behind ports of bridges is wanted there, or was.
    pub stations: bool,
    /// The nft table as it was installed.
    pub recorded: Option<&'a TableRecord>,
    /// The links of which it matters their offload features, and what of it.
    pub offload: BTreeMap<&'a IfName, BTreeSet<&'a str>>,
    /// Whether root qdiscs matter that may be the kernel's own as well as another program's: one is wanted there, or
    /// was put there.
    pub qdiscs: bool,
    /// Whether it is read whatever its mark says.
    pub named: bool,
    /// Whether what is in it is read.
    pub extent: Extent,
}

/// Whether what is in a namespace is read.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub enum Extent {
    /// All of it.
    #[default]
    All,
    /// Nothing but its links, where it can go with all that is in it.
    Spared,
    /// Nothing but its links.
    Links,
}

/// What was seen of a namespace.
pub struct Look {
    /// The node.
    pub node: Node,
    /// The alias of its `lo`.
    pub alias: Option<String>,
    /// Its cookie.
    pub cookie: u64,
    /// Its links.
    pub links: Vec<link::Seen>,
    /// The nodes by the numbers that this namespace has for them, as far as they are known.
    pub nsids: HashMap<i32, Node>,
    /// What else is in it; `None` where that was not read.
    pub inside: Option<Inside>,
    /// The namespace itself where that was not read: it may be held.
    pub netns: Option<netns::Netns>,
}

/// What was seen in a namespace besides its links.
#[derive(Default)]
pub struct Inside {
    /// The names of its links by their numbers.
    pub names: HashMap<u32, IfName>,
    /// Its addresses.
    pub addresses: Vec<address::Seen>,
    /// Its routes.
    pub routes: Vec<route::Seen>,
    /// Its policy rules.
    pub rules: Vec<rule::Seen>,
    /// Its neighbours, and then the proxy entries.
    pub neighbors: Vec<neighbor::Seen>,
    /// The VLANs of its bridges and ports, where another program wants or uses them.
    pub vlans: Option<HashMap<u32, Vlans>>,
    /// The forwarding entries of its vxlans, and of its bridges where they are wanted.
    pub fdb: Vec<neighbor::Seen>,
    /// The root qdiscs that were put outside topo there, where any matters.
    pub qdiscs: Vec<qdisc::Seen>,
    /// The WireGuard interfaces by their numbers.
    pub wireguard: HashMap<u32, wireguard::Seen>,
    /// The settings that were asked for, as far as there are such.
    pub settings: Vec<Sysctl>,
    /// The topology's nft table, and whether it is ours.
    pub table: Option<(Table, bool)>,
    /// The tables whose place it takes, as far as they are there.
    pub instead_of: Vec<ForeignTable>,
    /// The topology's rules in foreign chains.
    pub inserts: Vec<Insert>,
}

/// Whether a namespace can go with all that is in it, as far as its links say: none has its other end on the host,
/// outlives the namespace, or has to go before.
pub fn may_go_whole(look: &Look) -> bool {
    look.links.iter().all(|link| match link.other_nsid {
        None => matches!(link.kind, Kind::Loopback | Kind::Veth | Kind::Bridge | Kind::Dummy),
        // Where it is may not be known yet.
        Some(nsid) => link.kind == Kind::Veth && look.nsids.get(&nsid).is_none_or(|node| !node.is_host()),
    })
}
