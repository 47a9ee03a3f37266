//! What of others is in namespaces of ours: topologies that have them as `existing`, and the ends of foreign pairs.

use crate::linux::netlink::link;
use crate::linux::netns::Netns;
use crate::linux::netns::namespace::topology_of;
use crate::linux::netns::places::Places;
use crate::linux::snapshot::contents::Look;
use crate::linux::snapshot::ends::OtherEnds;
use crate::resource::mark::group;
use crate::resource::{IfName, Kind, LinkId, Name, NetnsRef, Node, Record, ResourceId, State};
use std::collections::{BTreeSet, HashMap, HashSet};

/// Another topology that uses a namespace of ours.
pub struct Guest {
    /// The topology.
    pub name: Name,
    /// What its record says is its own there, by our name of the namespace.
    owned: BTreeSet<ResourceId>,
    /// The links that it moved there.
    moved: BTreeSet<IfName>,
}

impl Guest {
    /// Whether its record says that this is its own.
    pub fn owns(&self, id: &ResourceId) -> bool {
        self.owned.contains(id)
    }

    /// Whether a link is its own, by its marks or because it brought it.
    pub fn has(&self, seen: &link::Seen) -> bool {
        let alias = seen.alias.as_deref().and_then(topology_of);
        seen.kind != Kind::Loopback
            && (self.moved.contains(&seen.name)
                || alias.map_or(seen.group == group(&self.name), |name| name == self.name.as_str()))
    }
}

/// The guests of each namespace of ours. Where another topology finds such a namespace by a path or a process, its
/// record says the name from here on.
pub fn guests(others: &mut [(Name, Record)], looks: &[Look], places: &Places) -> HashMap<Node, Vec<Guest>> {
    let mut guests: HashMap<Node, Vec<Guest>> = HashMap::new();
    for (name, Record { existing, owned, moved, wrote, .. }) in others {
        for (called, place) in existing {
            let node = match &*place {
                NetnsRef::Name(name) => Some(Node::from(name.as_str())),
                elsewhere => named(elsewhere, looks, places),
            };
            let Some(node) = node.filter(|node| places.is_made(node) && looks.iter().any(|look| look.node == *node))
            else {
                continue;
            };
            *place = NetnsRef::Name(node.as_str().to_owned());
            wrote
                .iter_mut()
                .filter(|setting| setting.node == *called)
                .for_each(|setting| setting.node.clone_from(&node));
            let owned = owned.iter().filter(|id| id.node() == called).map(|id| id.clone().at(&node)).collect();
            let moved = moved.iter().filter(|(now, _)| now.node == *called).map(|(now, _)| now.name.clone()).collect();
            guests.entry(node).or_default().push(Guest { name: name.clone(), owned, moved });
        }
    }
    guests
}

/// The namespace of ours that is found at `place`.
fn named(place: &NetnsRef, looks: &[Look], places: &Places) -> Option<Node> {
    let inode = Netns::open(place).and_then(|netns| netns.inode()).ok()?;
    let same = |look: &&Look| {
        Netns::named(look.node.as_str()).and_then(|netns| netns.inode()).is_ok_and(|other| other == inode)
    };
    looks.iter().filter(|look| places.is_made(&look.node)).find(same).map(|look| look.node.clone())
}

/// The ends of pairs whose other end is outside of the topology's namespaces and is not the topology's: to delete one
/// is to delete the other.
pub fn outside(
    wanted: &State,
    record: &Record,
    looks: &[Look],
    far: &OtherEnds,
    places: &Places,
) -> HashSet<(Node, u32)> {
    let marked_by = link::marked_by(&wanted.topology);
    let elsewhere = looks.iter().filter(|look| !places.is_made(&look.node));
    let marked: HashSet<LinkId> = elsewhere
        .flat_map(|look| {
            look.links
                .iter()
                .filter(|seen| marked_by(seen))
                .map(|seen| LinkId { node: look.node.clone(), name: seen.name.clone() })
        })
        .collect();
    let ours = |end: &LinkId| {
        let id = ResourceId::Link(end.clone());
        let named = wanted.items.contains_key(&id)
            || record.owned.contains(&id)
            || record.moved.iter().any(|(now, home)| now == end || home == end);
        places.is_made(&end.node) || marked.contains(end) || named
    };
    let of = |look: &Look| -> Vec<(Node, u32)> {
        let ends = look
            .links
            .iter()
            .filter(|seen| seen.kind == Kind::Veth && seen.other_nsid.is_some())
            .map(|seen| (look.node.clone(), seen.index));
        ends.filter(|end| far.get(end).is_none_or(|other| !ours(other))).collect()
    };
    looks.iter().filter(|look| places.is_made(&look.node)).flat_map(of).collect()
}
