//! Which interfaces the file makes, which it only names, and which it leaves alone.

use super::makers::{is_container, maker};
use super::remarks::Remarks;
use crate::document::value::interface_fault;
use crate::resource::{Kind, Link, LinkId, Node, NodeTenure, Resource, State};
use crate::survey::{Home, Survey};
use std::collections::{BTreeMap, BTreeSet};

/// What becomes of the interfaces.
pub(super) struct Fates {
    /// The file makes them.
    pub made: BTreeSet<LinkId>,
    /// The file names them: something that it makes depends on them, or is a port of them.
    pub named: BTreeSet<LinkId>,
    /// The nodes that the file has without being asked for them: something that it makes has an end there.
    pub beside: BTreeSet<Node>,
}

/// Decides, and says of each interface of a chosen node that is left alone why.
pub(super) fn decide(survey: &Survey, chosen: &BTreeSet<Node>, adopts: bool, remarks: &mut Remarks) -> Fates {
    let state = &survey.state;
    let mut left: BTreeMap<LinkId, String> = BTreeMap::new();
    let mut made: BTreeSet<LinkId> = BTreeSet::new();
    for link in state.links().filter(|link| link.kind != Kind::Loopback) {
        match unfit(survey, link).or_else(|| of_another(survey, link).filter(|_| adopts)) {
            Some(why) => _ = left.insert(link.id.clone(), why),
            None if chosen.contains(&link.id.node) => _ = made.insert(link.id.clone()),
            None => {}
        }
    }
    carriers(state, adopts, &mut made, &mut left);
    // What depends on something that is left alone, and cannot name it, is left alone, too.
    loop {
        let gone: Vec<(LinkId, String)> =
            made.iter().filter_map(|id| Some((id.clone(), stuck(state, state.link(id)?, &made, &left)?))).collect();
        if gone.is_empty() {
            break;
        }
        for (id, why) in gone {
            made.remove(&id);
            left.insert(id, why);
        }
    }
    let mut named = BTreeSet::new();
    for link in made.iter().filter_map(|id| state.link(id)) {
        named.extend(link.master_id().into_iter().chain(link.link.clone()).filter(|other| !made.contains(other)));
    }
    // The far end of a pair is made with it; it may be a port of something.
    let far: Vec<LinkId> =
        made.iter().filter_map(|id| state.link(id)?.peer.clone()).filter(|peer| !made.contains(peer)).collect();
    named.extend(far.iter().filter_map(|id| state.link(id)?.master_id()));
    // A physical port of a bridge that the file makes.
    let ports = left.keys().filter(|id| id.node.is_host()).filter_map(|id| state.link(id));
    named.extend(
        ports.filter(|port| port.master_id().is_some_and(|master| made.contains(&master))).map(|port| port.id.clone()),
    );
    made.extend(far);
    for (id, why) in left.iter().filter(|(id, _)| chosen.contains(&id.node) && !named.contains(id)) {
        if !why.is_empty() {
            remarks.add(&id.node, format!("the interface {}{}: {why}", id.name, addresses(state, id)));
        }
    }
    let beside = made.iter().chain(&named).map(|id| id.node.clone()).filter(|node| !chosen.contains(node)).collect();
    Fates { made, named, beside }
}

/// Why an interface is not the file's to make; empty where that needs no words.
fn unfit(survey: &Survey, link: &Link) -> Option<String> {
    let state = &survey.state;
    if let Some(fault) = interface_fault(link.id.name.as_str()) {
        return Some(format!("a file cannot have its name: {fault}"));
    }
    if let Some(who) = maker(state, link) {
        return Some(format!("{who} made it, and makes it again"));
    }
    let daemons = |peer: &LinkId| state.link(peer).is_none_or(|far| maker(state, far).is_some());
    match &link.kind {
        Kind::Physical if link.id.node.is_host() => Some("it is hardware".to_owned()),
        Kind::Physical => Some(format!(
            "it is hardware: write `existing: {{ from: host/{} }}` for one that topo moves there",
            link.id.name
        )),
        Kind::Other(kind) => Some(format!("topo makes no interfaces of kind {kind}")),
        Kind::Any => Some("nothing says what it is".to_owned()),
        Kind::Veth if link.peer.is_none() && is_container(state, &link.id.node) => Some(String::new()),
        Kind::Veth if link.peer.is_none() => Some("its other end is in a namespace that was not found".to_owned()),
        Kind::Veth if is_container(state, &link.id.node) && link.peer.as_ref().is_some_and(daemons) => {
            Some(String::new())
        }
        _ if is_container(state, &link.id.node) && link.kind != Kind::Veth && link.link.is_none() => {
            Some("it is the container's own".to_owned())
        }
        _ => None,
    }
}

/// Why an interface cannot be adopted: another topology has it.
fn of_another(survey: &Survey, link: &Link) -> Option<String> {
    let topology = survey.nodes.get(&link.id.node)?.marked.get(&link.id.name)?;
    Some(format!("topology {:?} has it", topology.as_str()))
}

/// The interfaces of the host by which a default route goes, with hardware below: who configured them needs them. Of
/// those that are adopted none may be one.
fn carriers(state: &State, adopts: bool, made: &mut BTreeSet<LinkId>, left: &mut BTreeMap<LinkId, String>) {
    let host = Node::host();
    let devs = state.routes_of(&host).filter(|route| route.key.to.prefix_len() == 0).flat_map(|route| &route.nexthops);
    let mut open: Vec<LinkId> =
        devs.filter_map(|hop| hop.dev.as_ref()).map(|dev| LinkId { node: host.clone(), name: dev.clone() }).collect();
    while let Some(id) = open.pop() {
        let hardware = below(state, &id, 0);
        if (hardware || adopts) && made.remove(&id) {
            let further = if hardware { ", and over hardware" } else { "" };
            left.insert(id.clone(), format!("the default route of the machine goes over it{further}"));
            open.extend(state.link(&id).and_then(|link| link.link.clone()));
        }
    }
}

/// Whether there is hardware below an interface, or among its ports.
fn below(state: &State, id: &LinkId, depth: usize) -> bool {
    let Some(link) = state.link(id).filter(|_| depth < 8) else { return false };
    link.kind == Kind::Physical
        || link.link.as_ref().is_some_and(|lower| below(state, lower, depth + 1))
        || state
            .links_of(&id.node)
            .any(|port| port.master_id().as_ref() == Some(id) && below(state, &port.id, depth + 1))
}

/// Why an interface that the file could make cannot be made: what it needs is left alone, and cannot be named.
fn stuck(state: &State, link: &Link, made: &BTreeSet<LinkId>, left: &BTreeMap<LinkId, String>) -> Option<String> {
    let lost = |id: &LinkId| left.contains_key(id) && !can_be_named(state, id);
    if let Some(peer) = &link.peer {
        let gone = left.contains_key(peer) || state.link(peer).is_none() && !made.contains(peer);
        return gone.then(|| format!("its other end {peer} is left out"));
    }
    let lower = link.link.as_ref().filter(|lower| lost(lower) || state.link(lower).is_none());
    if let Some(lower) = lower {
        return Some(format!("{lower}, which it depends on, is left out"));
    }
    link.master_id().filter(lost).map(|master| format!("{master}, which it is a port of, is left out"))
}

/// Whether a file can have an interface as `existing`: not in a namespace that it makes, and not by every name.
fn can_be_named(state: &State, id: &LinkId) -> bool {
    let created = state.namespace(&id.node).is_some_and(|namespace| namespace.tenure == NodeTenure::Created);
    !created && interface_fault(id.name.as_str()).is_none()
}

fn addresses(state: &State, id: &LinkId) -> String {
    let all: Vec<String> = state.addresses_of(id).map(|address| address.address.to_string()).collect();
    if all.is_empty() { String::new() } else { format!(" with {}", all.join(", ")) }
}

/// Whether a node has nothing but its `lo`, as in a fresh namespace.
pub(super) fn is_bare(survey: &Survey, node: &Node) -> bool {
    let any = |resource: &Resource| match resource {
        Resource::Link(link) => link.kind != Kind::Loopback,
        Resource::Route(_) => true,
        _ => false,
    };
    !survey.state.resources().filter(|resource| resource.node() == node).any(any)
        && survey.nodes.get(node).is_none_or(|node| matches!(node.home, Home::Process { .. }))
}
