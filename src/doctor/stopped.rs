//! The flows that are stopped although the file means them, and what findings about them have.

use super::examined::Examined;
use super::finding::{Finding, Remedy};
use super::meant::Why;
use super::walked::Walked;
use crate::flow::World;
use crate::flow::outcome::{End, Fix, Path, Stop};
use crate::resource::{Kind, Node, ResourceId};
use std::net::IpAddr;

/// How many flows a finding has by name, and how many remedies.
const NAMED: usize = 64;
const REMEDIES: usize = 8;

/// A flow that is stopped although the file means it.
#[derive(Clone, Copy)]
pub(super) struct Stopped<'e> {
    pub walked: &'e Walked,
    pub stop: &'e Stop,
}

impl<'e> Stopped<'e> {
    /// The flows that are stopped although the file means them.
    pub fn all(examined: &'e Examined<'_>) -> Vec<Self> {
        let stopped = |walked: &'e Walked| match walked.end()? {
            (_, End::Stopped(stop)) => Some(Self { walked, stop }),
            _ => None,
        };
        let all = examined.walked.iter().filter_map(stopped);
        all.filter(|stopped| stopped.is_fault(examined)).collect()
    }

    /// Whether it is no doing of the file's own.
    fn is_fault(&self, examined: &Examined<'_>) -> bool {
        let (why, code) = (self.walked.meant.why, self.stop.code);
        match why {
            Why::Check => return true,
            Why::Outside if !matches!(code, "filter" | "forwarding" | "rp-filter") => return false,
            // Not everything is behind every router, nor does all that is there know the way back.
            Why::Default if code == "no-route" => return false,
            // A route may be there for answers alone.
            Why::Route if code == "no-route" && self.walked.explanation.back.is_some() => return false,
            _ if code == "no-listener" => return false,
            _ => {}
        }
        let chosen = matches!(
            code,
            "filter"
                | "blackhole"
                | "route-type"
                | "link-down"
                | "isolated"
                | "vlan"
                | "flood"
                | "echo-ignored"
                | "swallowed"
                | "neighbor"
        );
        let Some(id) = self.stop.by.as_ref().and_then(|by| by.id.as_ref()).filter(|_| chosen) else { return true };
        // A neighbour that is written down and is not there was not meant so.
        matches!(id, ResourceId::Neighbor(..)) || !says(examined, id)
    }

    /// Whether foreign rules stop it.
    pub fn is_filtered(&self) -> bool {
        let rule = self.stop.code == "filter"
            || self.stop.code == "neighbor" && crate::flow::advice::hook_of(self.stop).is_some();
        let own = self
            .stop
            .by
            .as_ref()
            .is_some_and(|by| matches!(by.id, Some(ResourceId::Table(_) | ResourceId::Insert(..))));
        rule && !own
    }

    /// Whether it is stopped while its frame crosses a bridge of the node, and is not routed there.
    pub fn is_bridged(&self, world: &World<'_>) -> bool {
        let node = &self.stop.node;
        let bridge = self.stop.interface.as_deref().and_then(|name| world.link(node, &name.into()));
        if bridge.is_none_or(|link| link.kind != Kind::Bridge) {
            return false;
        }
        let next = self.walked.end().and_then(|(path, _)| next_hop(path, node));
        next.is_some_and(|next| world.owner(node, next).is_none())
    }

    /// A finding about several flows that the same thing stops.
    pub fn finding(group: &[Self], finding: Finding) -> Finding {
        let Some(first) = group.first() else { return finding };
        let stop = first.stop;
        Finding {
            node: Some(stop.node.clone()),
            interface: stop.interface.clone(),
            about: first.walked.meant.about.clone(),
            origin: group.iter().find_map(|one| one.walked.meant.origin.clone()),
            by: stop.by.clone(),
            flows: group.iter().take(NAMED).map(|one| one.walked.words()).collect(),
            stopped: group.len(),
            ..finding
        }
    }

    /// What the walk proposes for a group, each once.
    pub fn advice(group: &[Self]) -> Vec<Remedy> {
        let mut all: Vec<Remedy> = Vec::new();
        for one in group {
            for fix in &one.stop.fix {
                let remedy = Remedy::Yaml { node: one.stop.node.clone(), fix: fix.clone() };
                if all.len() < REMEDIES && !all.contains(&remedy) {
                    all.push(remedy);
                }
            }
        }
        all
    }
}

/// Whether the file says what is there under `id`.
fn says(examined: &Examined<'_>, id: &ResourceId) -> bool {
    match (examined.wanted.get(id), examined.world.state.get(id)) {
        (Some(wanted), Some(there)) => wanted.drift(there).is_empty(),
        (wanted, _) => wanted.is_some(),
    }
}

/// Where the node before `node` sent it.
fn next_hop(path: &Path, node: &Node) -> Option<IpAddr> {
    let before = path.steps.iter().rev().filter(|step| step.node != *node);
    let mut sent = before.filter_map(|step| step.what.strip_prefix("goes to ")?.split(' ').next()?.parse().ok());
    sent.next()
}

/// Flows that the same thing stops at the same place, in the order of the first of each.
pub(super) fn groups(stopped: Vec<Stopped<'_>>) -> Vec<Vec<Stopped<'_>>> {
    let mut groups: Vec<Vec<Stopped<'_>>> = Vec::new();
    for one in stopped {
        let same = |group: &&mut Vec<Stopped<'_>>| {
            group.first().is_some_and(|first| {
                let (a, b) = (first.stop, one.stop);
                // Where nothing decides, what happens does: the routes of two destinations are two things. What one
                // key mends is one.
                let (decides, mends) = (a.by == b.by && (a.by.is_some() || a.what == b.what), a.fix == b.fix);
                a.code == b.code && a.node == b.node && (decides || mends && !a.fix.is_empty())
            })
        };
        match groups.iter_mut().find(same) {
            Some(group) => group.push(one),
            None => groups.push(vec![one]),
        }
    }
    groups
}

/// A remedy of one fix.
pub(super) fn yaml(node: &Node, what: impl Into<String>, yaml: impl Into<String>) -> Remedy {
    Remedy::Yaml { node: node.clone(), fix: Fix { what: what.into(), yaml: yaml.into() } }
}
