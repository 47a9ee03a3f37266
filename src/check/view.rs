//! A topology, indexed once for all rules.

use super::segment::Segments;
use crate::document::{Document, Place, Topology};
use crate::resource::{
    Address, Fdb, File, IfName, Insert, Kind, Link, LinkId, Neighbor, NextHop, Node, NodeTenure, PacketRule, Resource, ResourceId, Route, Rule, Sysctl, Table,
    TableRule, Tenure,
};
use std::collections::{BTreeMap, HashMap};

/// A topology as rules look at it.
pub(super) struct View<'a> {
    /// What the person wrote; for what lowering folds away.
    pub document: &'a Document,
    /// What is wanted, and where each resource was asked for.
    pub topology: &'a Topology,
    /// The nodes in the order of their names.
    pub nodes: BTreeMap<&'a Node, NodeView<'a>>,
    /// All links.
    pub links: HashMap<&'a LinkId, &'a Link>,
    /// Which links hear each other's broadcasts.
    pub segments: Segments<'a>,
}

/// A rule of NAT or firewall and where it is.
pub(super) struct Packet<'v, 'a> {
    /// The node.
    pub node: &'v NodeView<'a>,
    /// Its name.
    pub at: &'a Node,
    /// The chain, of our table or somebody else's.
    pub chain: String,
    /// The hook that it hangs on; not known for chains of somebody else.
    pub hook: Option<&'a str>,
    /// The rule.
    pub rule: &'a PacketRule,
    /// Where it stands.
    pub place: Place,
}

/// What a node has.
#[derive(Default)]
pub(super) struct NodeView<'a> {
    /// How the node comes to be there.
    pub tenure: Option<&'a NodeTenure>,
    /// Its links.
    pub links: BTreeMap<&'a IfName, &'a Link>,
    /// The addresses of all its links.
    pub addresses: Vec<&'a Address>,
    /// Its neighbours.
    pub neighbors: Vec<&'a Neighbor>,
    /// Forwarding entries of its vxlans.
    pub fdb: Vec<&'a Fdb>,
    /// Its routes.
    pub routes: Vec<&'a Route>,
    /// Its policy rules, without the kernel's own.
    pub rules: Vec<&'a Rule>,
    /// Its settings by path.
    pub sysctls: BTreeMap<&'a str, &'a Sysctl>,
    /// Its table of NAT and firewall.
    pub table: Option<&'a Table>,
    /// Its rules in other people's chains.
    pub inserts: Vec<&'a Insert>,
    /// Its files.
    pub files: Vec<&'a File>,
}

impl<'a> View<'a> {
    /// Sorts the resources of `topology` by node.
    pub fn new(document: &'a Document, topology: &'a Topology) -> Self {
        let mut nodes: BTreeMap<&Node, NodeView> = BTreeMap::new();
        let mut links = HashMap::new();
        for (id, item) in &topology.state.items {
            let node = nodes.entry(id.node()).or_default();
            match &item.resource {
                Resource::Namespace(namespace) => node.tenure = Some(&namespace.tenure),
                Resource::Sysctl(sysctl) => {
                    node.sysctls.insert(&sysctl.key, sysctl);
                }
                Resource::Link(link) => {
                    node.links.insert(&link.id.name, link);
                    links.insert(&link.id, link.as_ref());
                }
                Resource::Address(address) => node.addresses.push(address),
                Resource::Neighbor(neighbor) => node.neighbors.push(neighbor),
                Resource::Fdb(fdb) => node.fdb.push(fdb),
                Resource::Route(route) => node.routes.push(route),
                Resource::Rule(rule) if rule.kernel => {}
                Resource::Rule(rule) => node.rules.push(rule),
                Resource::Table(table) => node.table = Some(table),
                Resource::Insert(insert) => node.inserts.push(insert),
                Resource::File(file) => node.files.push(file),
            }
        }
        let segments = Segments::new(&links);
        Self { document, topology, nodes, links, segments }
    }

    /// All typed rules of NAT and firewall.
    pub fn packets(&self) -> Vec<Packet<'_, 'a>> {
        let mut packets = Vec::new();
        for (at, node) in &self.nodes {
            for chain in node.table.into_iter().flat_map(|table| &table.chains) {
                let place = self.place(&ResourceId::Table((*at).clone()));
                let typed = chain.rules.iter().filter_map(typed);
                packets.extend(typed.map(|rule| Packet { node, at, chain: chain.name.clone(), hook: Some(chain.hook.as_str()), rule, place }));
            }
            for insert in &node.inserts {
                let place = self.place(&insert.id());
                let typed = insert.rules.iter().filter_map(typed);
                packets.extend(typed.map(|rule| Packet { node, at, chain: insert.chain.to_string(), hook: None, rule, place }));
            }
        }
        packets
    }

    /// Where a chain of a node's firewall stands.
    pub fn chain_place(&self, node: &NodeView<'_>, _hook: &str) -> Place {
        node.table.map_or(Place::default(), |table| self.place(&table.id()))
    }

    /// Where the mtu of a link stands.
    pub fn mtu_place(&self, link: &Link) -> Place {
        self.link_place(&link.id)
    }

    /// Whether the file writes the mtu of a link.
    pub fn mtu_written(&self, link: &Link) -> bool {
        link.mtu.get().is_some_and(|mtu| *mtu != 1500)
    }

    /// The master of a link, where it is in the file.
    pub fn master(&self, link: &Link) -> Option<&'a Link> {
        self.links.get(&link.master_id()?).copied()
    }

    /// Where a resource was asked for; the start of the file where nobody knows.
    pub fn place(&self, id: &ResourceId) -> Place {
        let Some(origin) = self.topology.origins.get(id) else { return Place::default() };
        Place { offset: u32::try_from(origin.offset).unwrap_or_default(), length: u32::try_from(origin.length).unwrap_or_default() }
    }

    /// Where a next hop of a route stands.
    pub fn via_place(&self, route: &Route, _hop: &NextHop) -> Place {
        self.place(&route.id())
    }

    /// Where a link was asked for.
    pub fn link_place(&self, link: &LinkId) -> Place {
        self.place(&ResourceId::Link(link.clone()))
    }
}

impl NodeView<'_> {
    /// Whether topo makes the node, so that the file says all there is in it.
    pub fn created(&self) -> bool {
        matches!(self.tenure, Some(NodeTenure::Created))
    }

    /// Whether the node has the interface `name`; every namespace has `lo`.
    pub fn has(&self, name: &IfName) -> bool {
        self.links.contains_key(name) || *name == *"lo"
    }

    /// The names of its interfaces.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.links.keys().map(|name| name.as_str())
    }

    /// Whether it has an interface of a kind that brings its own rules (a VRF).
    pub fn has_vrf(&self) -> bool {
        self.links.values().any(|link| link.kind == Kind::Other("vrf".to_owned()))
    }

    /// Whether packets to 127.0.0.0/8 may come in from outside.
    pub fn routes_loopback(&self) -> bool {
        self.sysctls.values().any(|sysctl| sysctl.key.ends_with("/route_localnet") && sysctl.value != "0")
    }

    /// What to write instead of the interface `wrong`, or how to make it known.
    pub fn interfaces_help(&self, wrong: &IfName) -> String {
        let names = || self.links.keys().map(|name| name.as_str());
        let near = names().map(|name| (strsim::damerau_levenshtein(name, wrong.as_str()), name)).filter(|(distance, _)| *distance <= 2).min();
        if let Some((_, near)) = near {
            return format!("did you mean \"{near}\"?");
        }
        if !self.created() {
            return format!("declare it, so that it is known whose it is: `{wrong}: {{ existing: {{}} }}`");
        }
        let some: Vec<&str> = names().take(8).collect();
        let more = if self.links.len() > some.len() { ", .." } else { "" };
        if some.is_empty() { "the node has no interfaces".to_owned() } else { format!("its interfaces are {}{more}", some.join(", ")) }
    }

    /// The addresses of `link`.
    pub fn addresses_of(&self, link: &LinkId) -> impl Iterator<Item = &Address> {
        self.addresses.iter().copied().filter(move |address| address.link == *link)
    }
}

fn typed(rule: &TableRule) -> Option<&PacketRule> {
    match rule {
        TableRule::Typed(rule) => Some(rule),
        TableRule::Raw(_) | TableRule::Listed(_) => None,
    }
}

/// Whether `link` is a bridge that topo makes.
pub(super) fn own_bridge(link: &Link) -> bool {
    link.kind == Kind::Bridge && link.tenure == Tenure::Created
}
