//! What the kernel cannot hold, kept in `/run/topo/NAME/` until the topology goes.

use super::{Link, LinkId, Node, Options, Resource, ResourceId, Sysctl, Table};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

/// The record of a topology.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Record {
    /// The cookie of the namespace topo was started in (`SO_NETNS_COOKIE`); 0 where the kernel has none.
    pub host_cookie: u64,
    /// The namespaces that topo made, or was about to make, by their cookies (0: not yet known).
    pub namespaces: BTreeMap<Node, u64>,
    /// What was there before, and comes back: host sysctls, `existing` interfaces with what a move cost them, sysctls of other nodes.
    pub prior: Vec<Resource>,
    /// Links of somebody else that were moved: where each is now, and where it came from.
    pub moved: Vec<(LinkId, LinkId)>,
    /// The settings outside created namespaces as topo wrote them; one that has another value since was changed by somebody else, and keeps it.
    pub wrote: Vec<Sysctl>,
    /// The attributes of `existing` interfaces that the file names, as it has them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub configured: Vec<Link>,
    /// What this topology owns although no mark says whose it is: routes, rules and addresses on the host and in `existing` namespaces, and inserts.
    pub owned: BTreeSet<ResourceId>,
    /// The `existing` namespaces of the topology and how they are found, so that `destroy NAME` finds them without the file.
    pub existing: BTreeMap<Node, super::NetnsRef>,
    /// The nft tables as they were installed, by node.
    pub tables: BTreeMap<Node, TableRecord>,
    /// The files that keys of WireGuard came from, by interface and peer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub key_files: Vec<(ResourceId, String)>,
    /// The nodes that WireGuard interfaces were born in, where their packets leave: the kernel does not say. `None` while one is made anew.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub born: Vec<(LinkId, Option<Node>)>,
    /// The endpoints of WireGuard peers as they were written: the kernel shows where a peer was last heard.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub endpoints: Vec<(ResourceId, SocketAddr)>,
    /// The interfaces that have a DHCP client, for IPv4 and for IPv6.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clients: Vec<(LinkId, [bool; 2])>,
    /// What links did for the kernel before topo told them otherwise, by where each is at home; see [`super::offload`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub offload: Vec<(LinkId, Options)>,
    /// Whether an apply or destroy is under way, or was cut off: the topology is half-made.
    pub running: bool,
}

/// An nft table as it was installed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TableRecord {
    /// The generation of the namespace's ruleset (`NFT_MSG_GETGEN`) right after; while it is the same, nobody changed a rule.
    pub generation: u32,
    /// The table.
    pub table: Table,
}

impl Record {
    /// What was there before under this identity.
    pub fn prior(&self, id: &ResourceId) -> Option<&Resource> {
        self.prior.iter().find(|resource| resource.id() == *id)
    }

    /// The file that the key of an interface or peer came from.
    pub fn key_file(&self, id: &ResourceId) -> Option<&String> {
        self.key_files.iter().find(|(of, _)| of == id).map(|(_, file)| file)
    }

    /// Whether the record says nothing at all.
    pub fn is_empty(&self) -> bool {
        *self == Self { host_cookie: self.host_cookie, ..Self::default() }
    }
}
