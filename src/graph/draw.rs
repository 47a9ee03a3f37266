//! From a state to what a picture shows of it.

use super::facts;
use super::model::{End, Line, Mark, Node, Picture, Port, Role, Wire, WireKind};
use super::tunnels;
use crate::document::lower::pair::derived_name;
use crate::render::order::natural;
use crate::resource::{self, Link, LinkId, NodeTenure, Owner, Resource, State};
use std::collections::BTreeMap;

/// The picture of a state. Of an observed one, what is not the topology's is left out.
pub fn picture(state: &State) -> Picture {
    let mut inside: BTreeMap<&resource::Node, Vec<&Resource>> = BTreeMap::new();
    for item in state.items.values().filter(|item| !matches!(item.owner, Owner::Theirs(_))) {
        inside.entry(item.resource.node()).or_default().push(&item.resource);
    }
    // A namespace in which nothing is the topology's is there for the plan's sake.
    inside.retain(|node, inside| {
        state.is_made(node) || inside.iter().any(|resource| !matches!(resource, Resource::Namespace(_)))
    });
    let mut names: Vec<&resource::Node> = inside.keys().copied().collect();
    names.sort_by_cached_key(|node| (!node.is_host(), natural(node.short()), node.as_str().to_owned()));
    let nodes: Vec<Node> =
        names.iter().map(|name| node(state, name, inside.get(name).map(Vec::as_slice).unwrap_or_default())).collect();
    let mut picture = Picture { title: state.topology.to_string(), change: false, nodes, wires: Vec::new() };
    let ends = ends(&picture);
    let links = links(state);
    let mut wires = Vec::new();
    for link in &links {
        let Some(near) = ends.get(&link.id.full()) else { continue };
        let mut add = |to: &LinkId, kind| {
            wires.extend(ends.get(&to.full()).map(|far| wire(*near, *far, kind)));
        };
        link.peer.iter().for_each(|peer| add(peer, WireKind::Pair));
        link.link.iter().filter(|below| below.node != link.id.node).for_each(|below| add(below, WireKind::Lower));
    }
    let groups = tunnels::groups(state, &links);
    picture.wires = wires;
    join(&mut picture, &groups, &ends);
    picture.wires.sort_by_key(|wire| (wire.kind, wire.a, wire.b));
    picture.wires.dedup();
    picture
}

/// The links that are the topology's, or that its file names.
fn links(state: &State) -> Vec<&Link> {
    let ours = state.items.values().filter(|item| !matches!(item.owner, Owner::Theirs(_)));
    ours.filter_map(|item| item.resource.as_link()).collect()
}

/// The interfaces by their full names.
fn ends(picture: &Picture) -> BTreeMap<String, End> {
    let of = |(node, it): (usize, &Node)| {
        let key = it.key.clone();
        let end = move |(port, it): (usize, &Port)| (format!("{key}/{}", it.name), End { node, port });
        it.ports.iter().enumerate().map(end).collect::<Vec<_>>()
    };
    picture.nodes.iter().enumerate().flat_map(of).collect()
}

fn wire(near: End, far: End, kind: WireKind) -> Wire {
    Wire { a: near.min(far), b: near.max(far), kind, mark: Mark::Same }
}

fn node(state: &State, node: &resource::Node, inside: &[&Resource]) -> Node {
    let role = match state.namespace(node).map(|namespace| &namespace.tenure) {
        _ if node.is_host() => Role::Host,
        Some(NodeTenure::Existing(_)) => Role::Existing,
        _ => Role::Made,
    };
    let mut ports: Vec<Port> =
        inside.iter().filter_map(|resource| resource.as_link()).filter_map(|link| port(state, link, inside)).collect();
    ports.sort_by_cached_key(|port| natural(&port.name));
    let details = inside.iter().flat_map(|resource| facts::details(resource)).map(Line::new).collect();
    Node {
        key: node.as_str().to_owned(),
        name: node.short().to_owned(),
        role,
        facts: facts::of_node(state, inside),
        ports,
        mark: Mark::Same,
        details,
        members: Vec::new(),
    }
}

fn port(state: &State, link: &Link, inside: &[&Resource]) -> Option<Port> {
    let lines = facts::lines(state, link);
    if !facts::is_shown(link, &lines) {
        return None;
    }
    // A name that topo gave is left out of a picture.
    let readable = |peer: &LinkId| format!("v{}-{}", peer.node.short(), peer.name);
    let made_up = |peer: &LinkId| {
        link.id.name == derived_name(state.topology.as_str(), peer) || link.id.name.as_str() == readable(peer)
    };
    let impairment = inside.iter().find_map(|resource| match resource {
        Resource::Qdisc(qdisc) if qdisc.link == link.id => Some(facts::impairment(&qdisc.work)),
        _ => None,
    });
    let beside = |below: &&LinkId| below.node == link.id.node;
    Some(Port {
        name: link.id.name.to_string(),
        nameless: link.peer.as_ref().is_some_and(made_up),
        kind: facts::port_kind(link),
        lines,
        impairment: impairment.unwrap_or_default(),
        master: link.master_id().map(|master| master.name.to_string()),
        lower: link.link.as_ref().filter(beside).map(|below| below.name.to_string()),
        mark: Mark::Same,
    })
}

/// Draws tunnels: a line between two ends, a mesh of three, a cloud where there are more.
fn join(picture: &mut Picture, groups: &[tunnels::Group], ends: &BTreeMap<String, End>) {
    /// So many ends are joined each with each.
    const MESH: usize = 3;
    for group in groups {
        let members: Vec<End> = group.ends.iter().filter_map(|end| ends.get(&end.full()).copied()).collect();
        if members.len() > MESH {
            let hub = End { node: picture.nodes.len(), port: 0 };
            picture.nodes.push(cloud(&group.name));
            picture.wires.extend(members.iter().map(|member| wire(*member, hub, WireKind::Tunnel)));
            continue;
        }
        for (a, b) in &group.pairs {
            if let (Some(a), Some(b)) = (ends.get(&a.full()), ends.get(&b.full())) {
                picture.wires.push(wire(*a, *b, WireKind::Tunnel));
            }
        }
    }
}

fn cloud(name: &str) -> Node {
    let port = Port {
        name: String::new(),
        nameless: true,
        kind: super::model::PortKind::Plain,
        lines: Vec::new(),
        impairment: Vec::new(),
        master: None,
        lower: None,
        mark: Mark::Same,
    };
    Node {
        // No namespace has a name with a slash.
        key: format!("tunnel/{name}"),
        name: name.to_owned(),
        role: Role::Cloud,
        facts: Vec::new(),
        ports: vec![port],
        mark: Mark::Same,
        details: Vec::new(),
        members: Vec::new(),
    }
}
