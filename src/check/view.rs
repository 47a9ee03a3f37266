//! A topology, indexed once for all rules.

pub(crate) use crate::document::lower::topology::Topology;

use super::segment::Segments;
use crate::document::schema::interface::{Interface, KindKey};
use crate::document::schema::kind::Wireguard;
use crate::document::schema::route::RouteEntry;
use crate::document::yaml::read::nearest;
use crate::document::{Document, NodeSection, Place};
use crate::resource::{
    Address, Fdb, File, IfName, Insert, Kind, Link, LinkId, Neighbor, NextHop, Node, NodeTenure, Peer, Resource,
    ResourceId, Route, Rule, Sysctl, Table, Tenure,
};
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::net::IpAddr;

/// A topology as rules look at it.
pub(crate) struct View<'a> {
    /// What is wanted, and where each resource was asked for.
    pub topology: &'a Topology,
    /// The nodes in the order of their names.
    pub nodes: BTreeMap<&'a Node, NodeView<'a>>,
    /// All links.
    pub links: HashMap<&'a LinkId, &'a Link>,
    /// The peers of WireGuard interfaces, by those.
    pub peers: HashMap<&'a LinkId, Vec<&'a Peer>>,
    /// The links as they come in the file.
    ordered: Vec<&'a Link>,
    /// What the file says of routes, by where it says it.
    entries: HashMap<(u32, u32), &'a RouteEntry>,
    /// Where the gateways of routes with several next hops stand, by where the route does.
    vias: HashMap<((u32, u32), IpAddr), Place>,
    /// Whether the file has interfaces that cannot be made yet, so that the wanted state does not show everything.
    pub partial: bool,
    /// Which links hear each other's broadcasts.
    pub segments: Segments<'a>,
}

/// What a node has.
#[derive(Default)]
pub(crate) struct NodeView<'a> {
    /// What the file says of it.
    pub section: Option<&'a NodeSection>,
    /// How the node comes to be there.
    pub tenure: Option<&'a NodeTenure>,
    /// Its links.
    pub links: BTreeMap<&'a IfName, &'a Link>,
    /// The addresses of all its links.
    pub addresses: Vec<&'a Address>,
    /// The same by link.
    by_link: HashMap<&'a LinkId, Vec<&'a Address>>,
    /// The addresses that the file gives to its interfaces, also to those that cannot be made yet.
    pub written_addresses: HashSet<IpAddr>,
    /// The names of its interfaces, also of those that cannot be made yet.
    names: BTreeSet<&'a str>,
    /// How often a nearest name was looked for: that takes a look at all of them, so it is done for the first findings
    /// only.
    guesses: Cell<usize>,
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
    /// Its rules in foreign chains.
    pub inserts: Vec<&'a Insert>,
    /// Its files.
    pub files: Vec<&'a File>,
}

impl<'a> View<'a> {
    /// Sorts the resources of `topology` by node.
    pub fn new(document: &'a Document, topology: &'a Topology) -> Self {
        let mut nodes: BTreeMap<&Node, NodeView> = BTreeMap::new();
        let (mut links, mut ordered, mut peers) = (HashMap::new(), Vec::new(), HashMap::<_, Vec<&Peer>>::new());
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
                    ordered.push(link.as_ref());
                }
                Resource::Address(address) => {
                    node.addresses.push(address);
                    node.by_link.entry(&address.link).or_default().push(address);
                }
                Resource::Neighbor(neighbor) => node.neighbors.push(neighbor),
                Resource::Fdb(fdb) => node.fdb.push(fdb),
                Resource::Peer(peer) => peers.entry(&peer.link).or_default().push(peer.as_ref()),
                Resource::Route(route) => node.routes.push(route),
                Resource::Rule(rule) if rule.kernel => {}
                Resource::Qdisc(_) => {}
                Resource::Rule(rule) => node.rules.push(rule),
                Resource::Table(table) => node.table = Some(table),
                Resource::Insert(insert) => node.inserts.push(insert),
                Resource::File(file) => node.files.push(file),
            }
        }
        if let (Some(section), Some(node)) = (&document.host, nodes.get_mut(&Node::host())) {
            node.section = Some(section);
        }
        for (name, section) in &document.namespaces {
            if let Some(node) = nodes.get_mut(&name.value.0) {
                node.section = Some(section);
            }
        }
        nodes.values_mut().for_each(NodeView::index);
        let sections = nodes.values().filter_map(|node| node.section);
        let entries: HashMap<(u32, u32), &RouteEntry> =
            sections.flat_map(|section| &section.routes).map(|entry| (start(entry.to.place), entry)).collect();
        let hops = entries.iter().flat_map(|(at, entry)| entry.nexthops.iter().rev().map(move |hop| (*at, hop)));
        let vias = hops.filter_map(|(at, hop)| hop.via.as_ref().map(|via| ((at, via.value), via.place))).collect();
        let made = |(name, node): (&&Node, &NodeView)| {
            let names = node.section.into_iter().flat_map(|section| section.interfaces.keys());
            names
                .clone()
                .all(|interface| links.contains_key(&LinkId { node: (**name).clone(), name: interface.value.clone() }))
        };
        let partial = !nodes.iter().all(made);
        let segments = Segments::new(&links, partial);
        ordered.sort_by_cached_key(|link: &&Link| {
            topology.origins.get(&link.id()).map_or((0, 0), |origin| (origin.offset, origin.round))
        });
        Self { topology, nodes, links, peers, ordered, entries, vias, partial, segments }
    }

    /// The links as they come in the file.
    pub fn in_file_order(&self) -> impl Iterator<Item = &'a Link> {
        self.ordered.iter().copied()
    }

    /// What the file says of a link; nothing for a far end that is only named.
    pub fn interface(&self, link: &LinkId) -> Option<&'a Interface> {
        self.nodes.get(&link.node)?.section?.interfaces.get(link.name.as_str())
    }

    /// What the file says of a WireGuard interface.
    pub fn wireguard(&self, link: &LinkId) -> Option<&'a Wireguard> {
        match &self.interface(link)?.kind.as_ref()?.value {
            KindKey::Wireguard(wireguard) => Some(wireguard),
            _ => None,
        }
    }

    /// Where the mtu of a link stands.
    pub fn mtu_place(&self, link: &Link) -> Place {
        self.interface(&link.id)
            .and_then(|interface| interface.mtu.as_ref())
            .map_or_else(|| self.link_place(&link.id), |mtu| mtu.place)
    }

    /// Whether the file writes the mtu of a link.
    pub fn mtu_written(&self, link: &Link) -> bool {
        self.interface(&link.id).is_some_and(|interface| interface.mtu.is_some())
    }

    /// Where the mac of a link stands.
    pub fn mac_place(&self, link: &Link) -> Place {
        self.interface(&link.id)
            .and_then(|interface| interface.mac.as_ref())
            .map_or_else(|| self.link_place(&link.id), |mac| mac.place)
    }

    /// The master of a link, where it is in the file.
    pub fn master(&self, link: &Link) -> Option<&'a Link> {
        self.links.get(&link.master_id()?).copied()
    }

    /// Where a resource was asked for; the start of the file where nothing knows.
    pub fn place(&self, id: &ResourceId) -> Place {
        let Some(origin) = self.topology.origins.get(id) else { return Place::default() };
        Place {
            offset: u32::try_from(origin.offset).unwrap_or_default(),
            length: u32::try_from(origin.length).unwrap_or_default(),
            round: origin.round,
        }
    }

    /// Where the gateway of a next hop stands.
    pub fn via_place(&self, route: &Route, hop: &NextHop) -> Place {
        let Some(entry) = self.entry(route) else { return self.place(&route.id()) };
        let listed = hop.via.and_then(|via| self.vias.get(&(start(entry.to.place), via)).copied());
        listed.or_else(|| entry.via.as_ref().map(|via| via.place)).unwrap_or(entry.to.place)
    }

    /// Where the interface of a next hop stands.
    pub fn dev_place(&self, route: &Route, dev: &IfName) -> Place {
        let Some(entry) = self.entry(route) else { return self.place(&route.id()) };
        let all = entry.dev.iter().chain(entry.nexthops.iter().filter_map(|hop| hop.dev.as_ref()));
        all.into_iter().find(|one| one.value == *dev).map_or(entry.to.place, |dev| dev.place)
    }

    /// Where the preferred source of a route stands.
    pub fn source_place(&self, route: &Route) -> Place {
        self.entry(route)
            .and_then(|entry| entry.source.as_ref())
            .map_or_else(|| self.place(&route.id()), |source| source.place)
    }

    /// Where the table of a route stands.
    pub fn table_place(&self, route: &Route) -> Place {
        self.entry(route)
            .and_then(|entry| entry.table.as_ref())
            .map_or_else(|| self.place(&route.id()), |table| table.place)
    }

    /// What the file says of a route.
    fn entry(&self, route: &Route) -> Option<&'a RouteEntry> {
        self.entries.get(&start(self.place(&route.id()))).copied()
    }

    /// Where a link was asked for.
    pub fn link_place(&self, link: &LinkId) -> Place {
        self.place(&ResourceId::Link(link.clone()))
    }
}

/// Where a value begins, and in which round of a range it was made.
fn start(place: Place) -> (u32, u32) {
    (place.offset, place.round)
}

/// How many findings of a node say which name was meant.
const MOST_GUESSES: usize = 50;

impl<'a> NodeView<'a> {
    /// Notes what rules look up often.
    fn index(&mut self) {
        let written = self.section.into_iter().flat_map(|section| &section.interfaces);
        self.names = self
            .links
            .keys()
            .map(|name| name.as_str())
            .chain(written.clone().map(|(name, _)| name.value.as_str()))
            .collect();
        self.written_addresses =
            written.flat_map(|(_, interface)| &interface.addresses).map(|entry| entry.address.0.addr()).collect();
    }
}

impl NodeView<'_> {
    /// Whether topo makes the node, so that the file says all there is in it.
    pub fn created(&self) -> bool {
        matches!(self.tenure, Some(NodeTenure::Created))
    }

    /// Whether the node has the interface `name`; every namespace has `lo`.
    pub fn has(&self, name: &IfName) -> bool {
        self.links.contains_key(name)
            || *name == *"lo"
            || self.section.is_some_and(|section| section.interfaces.contains_key(name.as_str()))
    }

    /// Whether the name of one of its interfaces begins with `start`.
    pub fn has_beginning(&self, start: &str) -> bool {
        self.names.range(start..).next().is_some_and(|name| name.starts_with(start))
    }

    /// Whether it has an interface of a kind that brings its own rules (a VRF).
    pub fn has_vrf(&self) -> bool {
        self.links.values().any(|link| link.kind == Kind::Vrf)
    }

    /// Whether packets to 127.0.0.0/8 may come in from outside.
    pub fn routes_loopback(&self) -> bool {
        self.sysctls.values().any(|sysctl| sysctl.key.ends_with("/route_localnet") && sysctl.value != "0")
    }

    /// What to write instead of the interface `wrong`, or how to make it known.
    pub fn interfaces_help(&self, wrong: &IfName) -> String {
        let names = self.links.keys().map(|name| name.as_str());
        self.guesses.set(self.guesses.get() + 1);
        if self.guesses.get() <= MOST_GUESSES
            && let Some(near) = nearest(wrong.as_str(), &names.clone().collect::<Vec<_>>())
        {
            return format!("did you mean \"{near}\"?");
        }
        if !self.created() {
            return format!("declare it, so that it is known whose it is: `{wrong}: {{ existing: {{}} }}`");
        }
        let some: Vec<&str> = names.take(8).collect();
        let more = if self.links.len() > some.len() { ", .." } else { "" };
        if some.is_empty() {
            "the node has no interfaces".to_owned()
        } else {
            format!("its interfaces are {}{more}", some.join(", "))
        }
    }

    /// The addresses of `link`.
    pub fn addresses_of(&self, link: &LinkId) -> impl Iterator<Item = &Address> {
        self.by_link.get(link).into_iter().flatten().copied()
    }
}

/// Whether `link` is a bridge that topo makes.
pub(crate) fn own_bridge(link: &Link) -> bool {
    link.kind == Kind::Bridge && link.tenure == Tenure::Created
}
