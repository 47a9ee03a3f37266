//! What the kernel cannot hold, kept in `/run/topo/NAME/` until the topology goes.

use super::{Adoption, Link, LinkId, Node, Options, Resource, ResourceId, Sysctl, Table};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::mem::take;
use std::net::SocketAddr;

/// The record of a topology.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Record {
    /// The cookie of the namespace topo was started in (`SO_NETNS_COOKIE`); 0 where the kernel has none.
    pub host_cookie: u64,
    /// The process namespace that topo ran in, by its inode number: whether all processes that may be in the host
    /// namespace can be seen; 0: not known.
    #[serde(default, skip_serializing_if = "is_unknown")]
    pub processes: u64,
    /// The namespaces that topo made, or was about to make, by their cookies (0: not yet known).
    pub namespaces: BTreeMap<Node, u64>,
    /// What was there before, and comes back: host sysctls, `existing` interfaces with what a move cost them, sysctls
    /// of other nodes.
    pub prior: Vec<Resource>,
    /// Foreign links that were moved: where each is now, and where it came from.
    pub moved: Vec<(LinkId, LinkId)>,
    /// The settings outside created namespaces as topo wrote them; one that has another value since was changed by
    /// another program, and keeps it.
    pub wrote: Vec<Sysctl>,
    /// The attributes of `existing` interfaces that the file names, as it has them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub configured: Vec<Link>,
    /// What this topology owns although no mark says whose it is: routes, rules and addresses on the host and in
    /// `existing` namespaces, and inserts.
    pub owned: BTreeSet<ResourceId>,
    /// The `existing` namespaces of the topology and how they are found, so that `destroy NAME` finds them without the
    /// file.
    pub existing: BTreeMap<Node, super::NetnsRef>,
    /// The cookies of those namespaces, by which they are known whatever has their names later.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub cookies: BTreeMap<Node, u64>,
    /// The numbers (ifindex) of foreign interfaces that are configured or were moved: one that was made anew under its
    /// name has another.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub numbers: Vec<(LinkId, u32)>,
    /// The nft tables as they were installed, by node.
    pub tables: BTreeMap<Node, TableRecord>,
    /// The files that keys of WireGuard came from, by interface and peer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub key_files: Vec<(ResourceId, String)>,
    /// The ends of veth pairs that the file gives no name, by the other end: what each was called when it was first
    /// made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unnamed: Vec<(LinkId, LinkId)>,
    /// The nodes that WireGuard interfaces were created in, where their packets leave: the kernel does not say. `None`
    /// while one is made anew.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub born: Vec<(LinkId, Option<Node>)>,
    /// The endpoints of WireGuard peers as they were written: the kernel shows where a peer was last heard.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub endpoints: Vec<(ResourceId, SocketAddr)>,
    /// The interfaces that have a DHCP client, for IPv4 and for IPv6.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clients: Vec<(LinkId, [bool; 2])>,
    /// The offload features of links before topo changed them, by where each is at home; see [`super::offload`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub offload: Vec<(LinkId, Options)>,
    /// The links whose hardware addresses the file says; those of the others the kernel chose.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub macs: BTreeSet<LinkId>,
    /// The links whose MTU the file says although their kind has that of others by default.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub mtus: BTreeSet<LinkId>,
    /// How many resources the file has in each namespace that topo made, itself included: so many go with it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub sizes: BTreeMap<Node, usize>,
    /// Whether an apply or destroy is under way, or was cut off: the topology is half-made.
    pub running: bool,
    /// That what is under way is an adoption: what of the file has no mark yet is to get it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adopts: Option<Adoption>,
}

/// An nft table as it was installed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TableRecord {
    /// The generation of the namespace's ruleset (`NFT_MSG_GETGEN`) right after; while it is the same, nothing changed
    /// a rule.
    pub generation: u32,
    /// The table.
    pub table: Table,
}

impl Record {
    /// What was there before under this identity.
    pub fn prior(&self, id: &ResourceId) -> Option<&Resource> {
        self.prior.iter().find(|resource| resource.id() == *id)
    }

    /// The number that a foreign interface had when the record was written.
    pub fn number(&self, link: &LinkId) -> Option<u32> {
        self.numbers.iter().find(|(of, _)| of == link).map(|(_, number)| *number)
    }

    /// The file that the key of an interface or peer came from.
    pub fn key_file(&self, id: &ResourceId) -> Option<&String> {
        self.key_files.iter().find(|(of, _)| of == id).map(|(_, file)| file)
    }

    /// Whether the record says nothing at all: what it only knows others' things by is nothing.
    pub fn is_empty(&self) -> bool {
        let Self { host_cookie, processes, .. } = *self;
        *self
            == Self {
                host_cookie,
                processes,
                cookies: self.cookies.clone(),
                numbers: self.numbers.clone(),
                ..Self::default()
            }
    }

    /// Puts what is said of namespaces of others under other names for them, or forgets it (`None`).
    pub fn rename(&mut self, names: &BTreeMap<Node, Option<Node>>) {
        if names.is_empty() {
            return;
        }
        let to = |node: &Node| names.get(node).map_or_else(|| Some(node.clone()), Clone::clone);
        let link = |link: &LinkId| Some(LinkId { node: to(&link.node)?, name: link.name.clone() });
        let id = |id: ResourceId| to(id.node()).map(|node| id.at(&node));
        self.prior = take(&mut self.prior)
            .into_iter()
            .filter_map(|prior| to(prior.id().node()).map(|node| prior.at(&node)))
            .collect();
        self.moved = self.moved.iter().filter_map(|(now, home)| Some((link(now)?, link(home)?))).collect();
        self.wrote = take(&mut self.wrote)
            .into_iter()
            .filter_map(|wrote| Some(Sysctl { node: to(&wrote.node)?, ..wrote }))
            .collect();
        self.configured = take(&mut self.configured)
            .into_iter()
            .filter_map(|named| Some(Link { id: link(&named.id)?, ..named }))
            .collect();
        self.owned = take(&mut self.owned).into_iter().filter_map(id).collect();
        self.existing =
            take(&mut self.existing).into_iter().filter_map(|(node, place)| Some((to(&node)?, place))).collect();
        self.cookies =
            take(&mut self.cookies).into_iter().filter_map(|(node, cookie)| Some((to(&node)?, cookie))).collect();
        self.numbers = self.numbers.iter().filter_map(|(of, number)| Some((link(of)?, *number))).collect();
        let tables = take(&mut self.tables).into_iter();
        self.tables = tables
            .filter_map(|(node, it)| {
                Some((to(&node)?, TableRecord { table: Table { node: to(&node)?, ..it.table }, ..it }))
            })
            .collect();
        self.key_files = take(&mut self.key_files).into_iter().filter_map(|(of, file)| Some((id(of)?, file))).collect();
        self.macs = self.macs.iter().filter_map(link).collect();
        self.mtus = self.mtus.iter().filter_map(link).collect();
        self.unnamed = self.unnamed.iter().filter_map(|(near, far)| Some((link(near)?, link(far)?))).collect();
        self.born = self.born.iter().filter_map(|(of, born)| Some((link(of)?, born.as_ref().and_then(to)))).collect();
        self.offload =
            take(&mut self.offload).into_iter().filter_map(|(of, offload)| Some((link(&of)?, offload))).collect();
    }

    /// Forgets what was done on a foreign interface and what it was like before; `false` where that is nothing.
    pub fn forget(&mut self, link: &LinkId) -> bool {
        let said = |record: &Self| record.prior.len() + record.wrote.len() + record.configured.len();
        let before = said(self);
        // What carries a mark in the kernel is known by that: the program that made the interface anew may have put it
        // back.
        let on = |id: &ResourceId| matches!(id, ResourceId::Link(on) | ResourceId::Fdb(on, ..) if on == link);
        // What one that was moved was like is noted where it was then.
        let homes: Vec<&LinkId> = self.moved.iter().filter(|(now, _)| now == link).map(|(_, home)| home).collect();
        self.prior.retain(|prior| !prior.links().iter().any(|on| on == link || homes.contains(&on)));
        self.offload.retain(|(home, _)| home != link && !homes.contains(&home));
        self.moved.retain(|(now, _)| now != link);
        self.wrote.retain(|wrote| wrote.link().as_ref() != Some(link));
        self.configured.retain(|named| named.id != *link);
        self.owned.retain(|id| !on(id));
        said(self) != before
    }
}

/// Whether a number is not known.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands references")]
fn is_unknown(number: &u64) -> bool {
    *number == 0
}
