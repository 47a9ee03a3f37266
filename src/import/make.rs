//! The way from a survey to a topology.

use super::fate::{Fates, decide, is_bare};
use super::packets::{Around, table, whole_tables};
use super::remarks::Remarks;
use super::wish::{Imported, KeyFile, Wish};
use super::{files, links, makers, network, wireguard};
use crate::document::value::namespace_fault;
use crate::resource::{
    Adoption, Family, LinkId, Namespace, NetnsRef, Node, NodeTenure, Owner, Resource, Setting, State, Sysctl,
};
use crate::survey::{Home, NodeSurvey, Survey};
use std::collections::BTreeSet;

/// Makes a topology of what is there.
pub fn import(survey: &Survey, wish: &Wish) -> Imported {
    let mut remarks = Remarks::default();
    let chosen = chosen(survey, wish, &mut remarks);
    let fates = decide(survey, &chosen, wish.adopts, &mut remarks);
    let mut work = Work {
        survey,
        wish,
        chosen: &chosen,
        fates: &fates,
        remarks,
        state: State::empty(wish.topology.clone()),
        keys: Vec::new(),
        adoption: Adoption::default(),
    };
    work.namespaces();
    for id in fates.made.iter().chain(&fates.named) {
        work.link(id);
    }
    work.rest();
    for node in &chosen {
        work.packets(node);
    }
    let Work { state, mut remarks, keys, adoption, .. } = work;
    for node in &chosen {
        notes(survey, node, &mut remarks);
    }
    Imported { state, remarks: remarks.0, keys, adoption }
}

/// The nodes that the file is about.
fn chosen(survey: &Survey, wish: &Wish, remarks: &mut Remarks) -> BTreeSet<Node> {
    let mut chosen = BTreeSet::new();
    let mut bare = 0_usize;
    for (node, seen) in &survey.nodes {
        if wish.nodes.as_ref().is_some_and(|nodes| !nodes.contains(node)) {
            continue;
        }
        let fault = namespace_fault(node.as_str()).filter(|_| !node.is_host());
        if let Some(fault) = fault {
            remarks
                .add(&Node::host(), format!("the namespace {:?}: a file cannot have its name: {fault}", node.as_str()));
        } else if wish.nodes.is_none() && matches!(seen.home, Home::Process { .. }) && is_bare(survey, node) {
            bare += 1;
        } else {
            chosen.insert(node.clone());
        }
    }
    if bare > 0 {
        let namespaces = if bare == 1 { "namespace" } else { "namespaces" };
        remarks.add(&Node::host(), format!("{bare} {namespaces} without a name, with nothing in them but `lo`"));
    }
    chosen
}

/// What is said of a node besides its resources.
fn notes(survey: &Survey, node: &Node, remarks: &mut Remarks) {
    let Some(NodeSurvey { home, second_names, unsaid, .. }) = survey.nodes.get(node) else { return };
    unsaid.iter().for_each(|line| remarks.add(node, line.clone()));
    if !second_names.is_empty() && !node.is_host() {
        remarks.add(node, format!("its further names in /run/netns: {}", second_names.join(", ")));
    }
    match home {
        Home::Process { pid, name } => {
            remarks.add(
                node,
                format!(
                    "it has no name, and is found by process {pid} ({name}): `ip netns attach NAME {pid}` gives it one"
                ),
            );
        }
        Home::Container { runtime, .. } => {
            remarks.add(node, format!("the container's own interfaces and routes: {} makes them", runtime.word()));
        }
        Home::Host | Home::Named => {}
    }
}

struct Work<'a> {
    survey: &'a Survey,
    wish: &'a Wish,
    chosen: &'a BTreeSet<Node>,
    fates: &'a Fates,
    remarks: Remarks,
    state: State,
    keys: Vec<KeyFile>,
    adoption: Adoption,
}

impl Work<'_> {
    fn put(&mut self, resource: Resource) {
        self.state.insert(resource, Owner::Ours);
    }

    /// The namespaces: those that were asked for are the file's where they have a name, the others are there.
    fn namespaces(&mut self) {
        for node in self.chosen.iter().chain(&self.fates.beside) {
            let Some(there) = self.survey.state.namespace(node) else { continue };
            let tenure = match &there.tenure {
                NodeTenure::Created if !self.chosen.contains(node) => {
                    NodeTenure::Existing(NetnsRef::Name(node.as_str().to_owned()))
                }
                tenure => tenure.clone(),
            };
            self.put(Resource::Namespace(Namespace { tenure, ..there.clone() }));
        }
    }

    /// Whether a node is as topo makes it, so that the file says what is otherwise; of one that is adopted it says all.
    fn is_topos(&self, node: &Node) -> bool {
        self.wish.adopts || self.survey.nodes.get(node).is_some_and(|node| node.topology.is_some())
    }

    fn is_container(&self, node: &Node) -> bool {
        makers::is_container(&self.survey.state, node)
    }

    fn link(&mut self, id: &LinkId) {
        let Some(link) = self.survey.state.link(id) else { return };
        if !self.fates.made.contains(id) {
            let master = link.master_id().is_some_and(|master| self.fates.made.contains(&master));
            self.put(Resource::Link(Box::new(links::named(link, master))));
            return;
        }
        let whole = self.chosen.contains(&id.node);
        let all = whole || self.wish.adopts;
        let mut wanted = links::made(self.survey, link, all, &mut self.remarks);
        if !whole {
            // Nothing was asked about it: that it was chosen is not known.
            wanted.mac = Setting::Left;
        }
        if let Some(folder) = self.wish.keys.as_ref().filter(|_| whole) {
            wireguard::private_key(&mut wanted, folder, &mut self.keys);
        }
        self.put(Resource::Link(Box::new(wanted)));
    }

    /// Everything but namespaces, links and packet rules.
    fn rest(&mut self) {
        let state = &self.survey.state;
        for resource in state.resources().filter(|resource| self.chosen.contains(resource.node())) {
            let lo = |id: &LinkId| id.name.as_str() == "lo";
            let made = |id: &LinkId| self.fates.made.contains(id) || lo(id);
            let topos = self.is_topos(resource.node());
            if self.wish.adopts && self.is_another(resource) {
                continue;
            }
            let wanted = match resource {
                Resource::Namespace(_) | Resource::Table(_) | Resource::Insert(_) => None,
                // A `lo` that is down was forgotten, not taken down.
                Resource::Link(link) => (lo(&link.id) && topos).then(|| resource.clone()),
                Resource::Qdisc(qdisc) if made(&qdisc.link) => {
                    network::is_qdisc(qdisc, &mut self.remarks).then(|| resource.clone())
                }
                Resource::Address(address) if made(&address.link) && !network::is_loopback(&address.link, address) => {
                    Some(Resource::Address(network::address(address, topos, &mut self.remarks)))
                }
                Resource::Neighbor(entry) if made(&entry.link) => Some(resource.clone()),
                Resource::Fdb(entry) if made(&entry.link) => Some(resource.clone()),
                Resource::Qdisc(_) | Resource::Address(_) | Resource::Neighbor(_) | Resource::Fdb(_) => None,
                Resource::Peer(peer) => self.peer(peer).filter(|_| made(&peer.link)).map(Resource::Peer),
                Resource::Route(_) if self.is_container(resource.node()) => None,
                Resource::Route(route) => {
                    let made = |dev: &_| made(&LinkId { node: route.node.clone(), name: Clone::clone(dev) });
                    network::route(state, route, made, &mut self.remarks).map(Resource::Route)
                }
                Resource::Rule(rule) => network::is_rule(rule, &mut self.remarks).then(|| resource.clone()),
                Resource::Sysctl(sysctl) => self.is_setting(sysctl).then(|| resource.clone()),
                Resource::File(file) => files::file(&self.wish.topology, file, &mut self.remarks).map(Resource::File),
            };
            if let Some(wanted) = wanted {
                self.state.insert(wanted, Owner::Ours);
            }
        }
        // What topo writes of settings outside of its namespaces, it knows by its record.
        let written = self.state.resources().filter_map(|resource| match resource {
            Resource::Sysctl(sysctl) if !self.state.is_made(&sysctl.node) => Some(sysctl.clone()),
            _ => None,
        });
        let written: Vec<Sysctl> = written.collect();
        self.state.record.wrote = written;
    }

    /// Whether something that is to be adopted is of another topology: outside of its namespaces it carries a mark.
    fn is_another(&self, resource: &Resource) -> bool {
        let marked =
            matches!(resource, Resource::Address(_) | Resource::Route(_) | Resource::Rule(_) | Resource::Neighbor(_))
                && resource.mark() == Some(true);
        marked && !self.state.is_made(resource.node())
    }

    fn peer(&mut self, peer: &crate::resource::Peer) -> Option<Box<crate::resource::Peer>> {
        let mut wanted = peer.clone();
        if let Some(folder) = &self.wish.keys {
            let nth = self.survey.state.peers_of(&peer.link).position(|other| other.key == peer.key)?;
            wireguard::preshared_key(&mut wanted, nth + 1, folder, &mut self.keys);
        }
        Some(Box::new(wanted))
    }

    /// Whether a setting is the file's: of a node, or of an interface that the file makes.
    fn is_setting(&self, sysctl: &Sysctl) -> bool {
        if self.is_container(&sysctl.node) {
            return false;
        }
        let created = self.state.is_made(&sysctl.node);
        let of_link = sysctl.link().is_none_or(|link| self.fates.made.contains(&link) || link.name.as_str() == "lo");
        // Off is what the host has by default, and what a namespace begins with.
        of_link && (created || !sysctl.forwards() || sysctl.value != "0")
    }

    /// NAT and firewall.
    fn packets(&mut self, node: &Node) {
        let state = &self.survey.state;
        let Some(seen) = self.survey.nodes.get(node).filter(|_| !self.is_container(node)) else { return };
        let families = state.links_of(node).flat_map(|link| state.addresses_of(&link.id)).filter(|address| {
            let ip = address.address.addr();
            !ip.is_loopback() && !matches!(ip, std::net::IpAddr::V6(six) if six.is_unicast_link_local())
        });
        let created = self.state.is_made(node);
        let links = state
            .links_of(node)
            .filter(|link| !created || self.fates.made.contains(&link.id) || link.id.name.as_str() == "lo");
        let around = Around {
            families: families.map(|address| Family::of(&address.address)).collect(),
            interfaces: links.map(|link| link.id.name.to_string()).collect(),
            daemons: if node.is_host() { makers::words(state) } else { Vec::new() },
        };
        let mut unsaid = Vec::new();
        let topology = &self.wish.topology;
        let made = if self.wish.adopts {
            let (made, names) = whole_tables(topology, node, &seen.rulesets, &around, &mut unsaid);
            if made.is_some() {
                self.adoption.tables.insert(node.clone(), names);
            }
            made
        } else {
            table(topology, node, &seen.rulesets, &around, &mut unsaid)
        };
        if let Some(table) = made {
            self.put(Resource::Table(table));
        }
        unsaid.into_iter().for_each(|line| self.remarks.add(node, line));
    }
}
