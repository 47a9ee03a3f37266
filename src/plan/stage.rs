//! When each resource has its turn: classes in order, and among links what others depend on first.

use crate::resource::{Class, Kind, Link, LinkId, Owner, Resource, State, Sysctl, Tenure};
use std::collections::{BTreeMap, BTreeSet};

/// The turn of a resource when things are made; resources of one turn do not need each other.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Turn {
    /// What kind of work it is.
    pub stage: Stage,
    /// How much of the same kind must be there before.
    pub depth: u32,
}

/// Kinds of work, in order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Stage {
    Namespace,
    Sysctl,
    /// Foreign links come in.
    Move,
    Link,
    /// Bridges come up, and get their MTU, after all their ports: each port that comes up on a bridge that is up has
    /// its packets flooded to all others.
    LinkLate,
    LinkSysctl,
    Qdisc,
    Address,
    Neighbor,
    /// The kernel's own rules, back in their place: without the one for `main` no gateway is found, and no route over
    /// one is taken (`fib_check_nh`).
    KernelRule,
    Route,
    Rule,
    Table,
    /// Settings that are there once a table has connections tracked.
    TrackingSysctl,
    File,
}

/// The turns of the resources of a goal.
pub(super) struct Turns {
    depths: BTreeMap<LinkId, u32>,
    /// The links that are made, or come in.
    comes: BTreeSet<LinkId>,
}

impl Turns {
    /// Works them out.
    pub fn of(goal: &State) -> Self {
        let comes = goal.links().filter(|link| link.tenure != Tenure::Existing).map(|link| link.id.clone()).collect();
        let mut turns = Self { depths: BTreeMap::new(), comes };
        for link in goal.links() {
            turns.depth(goal, &link.id, 0);
        }
        turns
    }

    /// How many links must be there before this one. `level` ends it where links stand in a circle, which the checks
    /// have refused.
    fn depth(&mut self, goal: &State, id: &LinkId, level: u32) -> u32 {
        if let Some(depth) = self.depths.get(id) {
            return *depth;
        }
        let Some(link) = goal.link(id) else { return 0 };
        if level > 32 {
            return 0;
        }
        let peer = link.peer.as_ref().and_then(|peer| goal.link(peer));
        let below = [link.link.clone(), link.master_id(), peer.and_then(Link::master_id)];
        let depth = below
            .into_iter()
            .flatten()
            .filter(|below| goal.link(below).is_some())
            .map(|below| self.depth(goal, &below, level + 1) + 1)
            .max()
            .unwrap_or(0);
        self.depths.insert(id.clone(), depth);
        depth
    }

    /// The turn of a resource.
    pub fn turn(&self, resource: &Resource) -> Turn {
        let (stage, depth) = match resource {
            Resource::Link(link) => (Stage::Link, self.link(&link.id)),
            Resource::Address(address) => (Stage::Address, u32::from(address.secondary)),
            // After the one that writes it too.
            Resource::Sysctl(sysctl) if self.comes_before_forwarding(sysctl) => (Stage::Sysctl, 0),
            Resource::Sysctl(sysctl) if sysctl.comes_with_tracking() => (Stage::TrackingSysctl, 0),
            Resource::Sysctl(sysctl) => {
                (stage(sysctl.class()), 1 + u32::from(sysctl.written_with().is_some() || sysctl.waits_for().is_some()))
            }
            // A gateway may be reached by another route of the file.
            Resource::Route(route) => (Stage::Route, u32::from(route.nexthops.iter().any(|hop| hop.via.is_some()))),
            Resource::Rule(rule) if rule.kernel => (Stage::KernelRule, 0),
            other => (stage(other.class()), 0),
        };
        Turn { stage, depth }
    }

    /// Whether it keeps what a router advertises where a switch for forwarding would take it.
    fn comes_before_forwarding(&self, sysctl: &Sysctl) -> bool {
        sysctl.key.ends_with("/accept_ra")
            && sysctl.value == "2"
            && sysctl.link().is_some_and(|link| !self.comes.contains(&link))
    }

    /// How many links must be there before `link`.
    pub fn link(&self, link: &LinkId) -> u32 {
        self.depths.get(link).copied().unwrap_or(0)
    }
}

fn stage(class: Class) -> Stage {
    match class {
        Class::Namespace => Stage::Namespace,
        Class::Sysctl => Stage::Sysctl,
        Class::Link => Stage::Link,
        Class::LinkSysctl => Stage::LinkSysctl,
        Class::Qdisc => Stage::Qdisc,
        Class::Address => Stage::Address,
        Class::Neighbor => Stage::Neighbor,
        Class::Route => Stage::Route,
        Class::Rule => Stage::Rule,
        Class::Table => Stage::Table,
        Class::File => Stage::File,
    }
}

/// Whether a link comes up late: a bridge, and what depends on one.
pub(super) fn late(goal: &State, link: &Link) -> bool {
    let mut link = link;
    for _ in 0..32 {
        let ours = goal.items.get(&link.id()).is_some_and(|item| item.owner == Owner::Ours);
        if link.kind == Kind::Bridge && ours {
            return true;
        }
        match link.link.as_ref().and_then(|lower| goal.link(lower)) {
            Some(lower) => link = lower,
            None => return false,
        }
    }
    false
}
