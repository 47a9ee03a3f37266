//! Veth pairs as a user writes them: named at one end, and where nothing named the end in a bridge, by that bridge.

use super::tree::Yaml;
use crate::document::lower::pair::derived_name;
use crate::resource::{Link, LinkId, Node, ResourceId, State};
use std::collections::{BTreeSet, HashMap};

/// The interfaces of the nodes of a file, by where they are: which node, and which of its interfaces.
type Places = HashMap<LinkId, (usize, usize)>;

/// Leaves out what the other end of a pair says.
pub(super) fn fold(state: &State, nodes: &mut [(&Node, Yaml)]) {
    let places = places(nodes);
    let unnamed = Unnamed {
        topology: state.topology.as_str(),
        known: state.record.unnamed.iter().map(|(near, far)| (near, far)).collect(),
    };
    let mut gone: BTreeSet<(usize, usize)> = BTreeSet::new();
    for link in state.links() {
        let Some((near, far)) = link.peer.as_ref().and_then(|peer| ends(&unnamed, link, state.link(peer)?)) else {
            continue;
        };
        let (Some(at), Some(there)) = (places.get(&near.id), places.get(&far.id)) else { continue };
        let named = |at, other: &LinkId| {
            let word = if near.id.node == far.id.node { other.name.to_string() } else { other.to_string() };
            entry(nodes, at).is_some_and(|entry| entry.get("veth") == Some(&Yaml::of(&word)))
        };
        if near.mtu != far.mtu || !named(at, &far.id) || !named(there, &near.id) {
            continue;
        }
        if let Some(bridge) =
            plugged(state, &unnamed, nodes, (near, at), (far, there)).filter(|bridge| places.contains_key(bridge))
        {
            let word = if bridge.node == near.id.node { bridge.name.to_string() } else { bridge.to_string() };
            if let Some(veth) = entry_mut(nodes, at).and_then(|entry| entry.get_mut("veth")) {
                *veth = Yaml::map().with("bridge", Yaml::of(&word));
            }
            gone.insert(*there);
        } else if let Some(other) = entry_mut(nodes, there) {
            other.remove("veth");
            if other.is_empty() {
                gone.insert(*there);
            }
        }
    }
    remove(nodes, &gone);
}

fn places(nodes: &[(&Node, Yaml)]) -> Places {
    let of = |(at, (node, section)): (usize, &(&Node, Yaml))| {
        let Some(Yaml::Map(entries)) = section.get("interfaces") else { return Vec::new() };
        let id = |name: &String| LinkId::new((*node).clone(), name.as_str());
        entries.iter().enumerate().map(|(nth, (name, _))| (id(name), (at, nth))).collect()
    };
    nodes.iter().enumerate().flat_map(of).collect()
}

/// The two ends of a pair, the one that names the other first; `None` where it is the other one's turn.
fn ends<'a>(unnamed: &Unnamed<'_>, link: &'a Link, peer: &'a Link) -> Option<(&'a Link, &'a Link)> {
    let names = match (unnamed.has(link, peer), unnamed.has(peer, link)) {
        (true, false) => true,
        (false, true) => false,
        _ if link.id.node.is_host() != peer.id.node.is_host() => peer.id.node.is_host(),
        _ => link.id < peer.id,
    };
    names.then_some((link, peer))
}

/// The ends that the file gave no name.
struct Unnamed<'a> {
    topology: &'a str,
    known: HashMap<&'a LinkId, &'a LinkId>,
}

impl Unnamed<'_> {
    /// Whether `far` is one: the record says so, and without it a name that no user would write.
    fn has(&self, near: &Link, far: &Link) -> bool {
        self.known.get(&near.id) == Some(&&far.id) || far.id.name == derived_name(self.topology, &near.id)
    }
}

/// The bridge that the far end is a port of, where that is all there is to say of it, and its name is the one that topo
/// gives an end which the file does not name.
fn plugged(
    state: &State,
    unnamed: &Unnamed<'_>,
    nodes: &[(&Node, Yaml)],
    (near, at): (&Link, &(usize, usize)),
    (far, there): (&Link, &(usize, usize)),
) -> Option<LinkId> {
    let keys = |at| entry(nodes, at).map(Yaml::keys).unwrap_or_default();
    let ends = unnamed.has(near, far)
        && keys(there).iter().all(|key| matches!(*key, "veth" | "master" | "mtu"))
        && !keys(at).iter().any(|key| matches!(*key, "master" | "port" | "port-vlan" | "fdb"));
    far.master_id().filter(|bridge| ends && state.items.contains_key(&ResourceId::Link(bridge.clone())))
}

fn entry<'y>(nodes: &'y [(&Node, Yaml)], at: &(usize, usize)) -> Option<&'y Yaml> {
    match nodes.get(at.0)?.1.get("interfaces")? {
        Yaml::Map(entries) => entries.get(at.1).map(|(_, entry)| entry),
        _ => None,
    }
}

fn entry_mut<'y>(nodes: &'y mut [(&Node, Yaml)], at: &(usize, usize)) -> Option<&'y mut Yaml> {
    match nodes.get_mut(at.0)?.1.get_mut("interfaces")? {
        Yaml::Map(entries) => entries.get_mut(at.1).map(|(_, entry)| entry),
        _ => None,
    }
}

fn remove(nodes: &mut [(&Node, Yaml)], gone: &BTreeSet<(usize, usize)>) {
    for (node, nth) in gone.iter().rev() {
        let Some((_, section)) = nodes.get_mut(*node) else { continue };
        let Some(Yaml::Map(entries)) = section.get_mut("interfaces") else { continue };
        entries.remove(*nth);
        if entries.is_empty() {
            section.remove("interfaces");
        }
    }
}
