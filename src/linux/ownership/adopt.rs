//! What an adoption takes: it is judged as if it were the topology's, and without its mark it is not yet.

use super::classify::{Judge, Sorter, theirs};
use crate::linux::netlink::link;
use crate::resource::mark::PROTOCOL;
use crate::resource::{Foreign, ForeignTable, Kind, Link, Node, NodeTenure, Owner, Resource, Table, Tenure, Unmarked};

impl Judge<'_> {
    /// Whether a namespace that the file makes is there without a mark, and is adopted.
    pub fn may_adopt(&self, node: &Node, owner: &Owner) -> bool {
        self.adopts
            && *owner == theirs(Foreign::Unknown)
            && self.wanted.namespace(node).is_some_and(|namespace| namespace.tenure == NodeTenure::Created)
    }
}

impl Sorter<'_> {
    /// Whose a link is where things are adopted: one that the file makes, and that nothing says to be another's, is
    /// judged as ours.
    pub(super) fn adopted(&mut self, seen: &link::Seen, link: &mut Link, owner: Owner) -> Owner {
        let wanted = self.judge.wanted.items.get(&link.id());
        let made = wanted.is_some_and(|item| {
            item.owner == Owner::Ours && item.resource.as_link().is_some_and(|link| link.tenure == Tenure::Created)
        });
        // A group like those of topo is another topology's whose alias was lost.
        let free = seen.group.to_be_bytes().first() != Some(&PROTOCOL) && seen.kind != Kind::Loopback;
        if self.made || !self.judge.adopts || !made || !free || owner != theirs(Foreign::Unknown) {
            return owner;
        }
        link.tenure = Tenure::Created;
        link.unmarked = Some(Unmarked { alias: seen.alias.clone().unwrap_or_default(), group: seen.group });
        self.adoptable.insert(link.id.clone());
        Owner::Ours
    }

    /// What was judged as ours, and has no mark yet, is not the topology's before it has one.
    pub(super) fn adoptable(&mut self) {
        if !self.judge.adopts {
            return;
        }
        let node = self.node().clone();
        let whole = self.state.items.values().any(|item| match &item.resource {
            Resource::Namespace(namespace) => namespace.node == node && self.judge.may_adopt(&node, &item.owner),
            _ => false,
        });
        let adoptable = &self.adoptable;
        for (id, item) in &mut self.state.items {
            if *id.node() != node || item.owner != Owner::Ours || matches!(item.resource, Resource::Namespace(_)) {
                continue;
            }
            let without = match &item.resource {
                Resource::Link(link) => adoptable.contains(&link.id),
                Resource::Address(_) | Resource::Route(_) | Resource::Rule(_) | Resource::Neighbor(_) => {
                    item.resource.mark() == Some(false)
                }
                Resource::Fdb(entry) => adoptable.contains(&entry.link),
                Resource::Peer(peer) => adoptable.contains(&peer.link),
                Resource::Qdisc(qdisc) => adoptable.contains(&qdisc.link),
                _ => false,
            };
            if whole || without {
                item.owner = theirs(Foreign::Unknown);
            }
        }
    }

    /// The topology's table, and the tables whose place it takes.
    pub(super) fn table(&mut self) {
        let instead_of: Vec<ForeignTable> = self.inside.instead_of.clone();
        let found = match &self.inside.table {
            Some((table, ours)) => {
                let owner = if *ours { Owner::Ours } else { theirs(Foreign::Unknown) };
                Some((Table { instead_of, ..table.clone() }, owner))
            }
            None if instead_of.is_empty() => None,
            None => {
                let (node, topology) = (self.node().clone(), self.judge.wanted.topology.clone());
                Some((Table { node, topology, chains: Vec::new(), instead_of }, theirs(Foreign::Unknown)))
            }
        };
        if let Some((table, owner)) = found {
            self.state.insert(Resource::Table(table), owner);
        }
    }
}
