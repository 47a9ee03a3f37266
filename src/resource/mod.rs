//! Nouns: what a network is made of, wanted or observed, and what an operation does to it. Pure.
//!
//! A kind of resource is a file here, with its type and three functions: `id`, `requires`, `drift`.

mod address;
mod file;
mod firewall;
mod id;
mod key;
pub mod kinds;
mod link;
mod name;
mod namespace;
mod neighbor;
pub mod offload;
mod operation;
mod origin;
mod peer;
pub mod probe;
mod qdisc;
mod quantity;
mod quote;
mod range;
mod record;
mod route;
mod rule;
mod setting;
mod state;
mod sysctl;
mod table;
mod vlans;

pub use address::Address;
pub use file::{File, FileName};
pub use firewall::{AddressMatch, AddressRange, IfMatch, PacketRule, Target, Verdict};
pub use id::{Class, Drift, Impact, Need, Needed, ResourceId};
pub use key::{Key, decode as decode_key};
pub use link::{IPV6_LEAST_MTU, Kind, Link, Queues, Tenure};
pub use name::{IfName, LinkId, Name, Node};
pub use namespace::{Namespace, NetnsRef, NodeTenure};
pub use neighbor::{Fdb, FdbTarget, Neighbor};
pub use operation::Operation;
pub use origin::{Origin, Origins, RawRules};
pub use peer::{Peer, PeerKey};
pub use qdisc::{Distribution, Netem, Qdisc, Work};
pub use quantity::{ByteRate, Nanoseconds, Share};
pub use quote::quote;
pub use record::{Record, TableRecord};
pub use route::{NextHop, Route, RouteKey, RouteKind, TableId, scope_word};
pub use rule::{Family, Rule, RuleAction, RuleKey};
pub use setting::{Mac, Options, Setting, Value};
pub use state::{Item, Owner, Resource, State};
pub use sysctl::Sysctl;
pub use table::{Chain, ChainRef, Insert, Table, TableRule};
pub use vlans::{LAST_VLAN, VlanRun, VlanSpan, VlanWords, Vlans, vlan_range};

/// The protocol number that routes, rules, addresses and neighbours of topo carry (`RTA_PROTOCOL`, `FRA_PROTOCOL`, `IFA_PROTO`, `NDA_PROTOCOL`).
pub const PROTOCOL: u8 = 0x74;

/// The alias that marks links, and the comment that marks rules, of `topology`.
pub fn mark(topology: &Name) -> String {
    format!("topo:{topology}")
}

/// The interface group of links of `topology` outside its own namespaces: 0x74000000 and 24 bits of the FNV-1a hash of its name.
pub fn group(topology: &Name) -> u32 {
    0x7400_0000 | (hash(topology.as_str().as_bytes()) & 0x00ff_ffff)
}

/// The 32-bit FNV-1a hash (draft-eastlake-fnv), stable across versions of topo.
pub fn hash(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}
