//! What several topologies have of one thing: each may name it, and who goes last gives it back as it was before the
//! first.

use super::change::Conflict;
use super::facts::ours;
use super::goal;
use crate::resource::{
    Foreign, Item, Kind, Link, LinkId, Name, NetnsRef, Node, Owner, Record, Resource, ResourceId, Setting, State,
    Sysctl, Tenure,
};

/// What another topology wrote stays where a switch that goes back would pass over it.
pub(super) fn spare(goal: &mut State, observed: &State) {
    for sysctl in observed.others.iter().flat_map(|(_, record)| &record.wrote) {
        let back = sysctl
            .written_with()
            .and_then(|switch| goal.items.get(&switch))
            .is_some_and(|switch| switch.owner == Owner::Restored);
        if back
            && !goal::gone(goal, observed, sysctl)
            && !goal.items.contains_key(&sysctl.id())
            && observed.get(&sysctl.id()).is_some()
        {
            goal.insert(Resource::Sysctl(sysctl.clone()), Owner::Restored);
        }
    }
}

/// The switch that is wanted here, or that another topology wants.
pub(super) fn reaches<'a>(goal: &'a State, observed: &'a State, switch: &ResourceId) -> Option<&'a Sysctl> {
    match goal.get(switch) {
        Some(Resource::Sysctl(switch)) => Some(switch),
        _ => observed.other_with_setting(switch)?.1.wrote.iter().find(|wrote| wrote.id() == *switch),
    }
}

/// The attributes of an `existing` interface that another topology names.
fn named<'a>(observed: &'a State, link: &'a LinkId) -> impl Iterator<Item = (&'a str, &'a Link)> {
    let of = |(name, record): &'a (_, Record)| record.configured.iter().map(move |link| (Name::as_str(name), link));
    observed.others.iter().flat_map(of).filter(move |(_, named)| named.id == *link)
}

/// What an interface goes back to: not what another topology still names. One that was moved is moved back as it was
/// when it was taken.
pub(super) fn released(observed: &State, prior: &Link) -> Link {
    let moved = observed.record.moved.iter().any(|(_, source)| *source == prior.id);
    named(observed, &prior.id).filter(|_| !moved).fold(prior.clone(), |prior, (_, link)| prior.without(link))
}

/// What an interface goes back to by a destroy, or where the file no longer names it: nor what another program changed
/// since topo set it.
pub(super) fn given_back(observed: &State, prior: &Link) -> Link {
    let back = released(observed, prior);
    let set = observed.record.configured.iter().find(|set| set.id == prior.id);
    match (set, observed.link(&prior.id)) {
        (Some(set), Some(now)) => back.without_changed(set, now),
        _ => back,
    }
}

/// The interfaces that another topology has set down: nothing of theirs comes back yet.
pub(super) fn down(observed: &State) -> impl Iterator<Item = LinkId> {
    let links = observed.others.iter().flat_map(|(_, record)| &record.configured);
    links.filter(|link| link.up == Setting::Is(false)).map(|link| link.id.clone())
}

/// Another topology wants another value of an attribute of the same interface.
pub(super) fn other_attribute(observed: &State, wanted: &Link) -> Option<Conflict> {
    named(observed, &wanted.id).find_map(|(name, other)| {
        let drift = wanted.only(other).drift(&other.only(wanted)).into_iter().next()?;
        let reason = format!(
            "topology {name:?} has set {} of {} to {:?}, and this one wants {:?}",
            drift.field, wanted.id, drift.old, drift.new
        );
        let help = "two topologies cannot want different values of one attribute: change one of the files";
        Some(Conflict::new(wanted.id(), reason, help))
    })
}

/// Whether another topology has set a setting to another value.
pub(super) fn is_contradicted(observed: &State, sysctl: &Sysctl) -> bool {
    let same = |wrote: &&Sysctl| wrote.id() == sysctl.id();
    observed
        .others
        .iter()
        .filter_map(|(_, record)| record.wrote.iter().find(same))
        .any(|wrote| !sysctl.drift(wrote).is_empty())
}

/// The attributes of an interface without those that another topology names, where they want different ones.
pub(super) fn uncontradicted(observed: &State, link: &Link) -> Link {
    let differs = |other: &&Link| !link.only(other).drift(&other.only(link)).is_empty();
    named(observed, &link.id)
        .map(|(_, other)| other)
        .filter(differs)
        .fold(link.clone(), |link, other| link.without(other))
}

/// The namespaces of ours that go although another topology uses them.
pub(super) fn in_use(goal: &State, observed: &State) -> Vec<Conflict> {
    let goes = |node: &Node| ours(observed, node) && goal.namespace(node).is_none();
    let of = |(name, record): &(Name, Record)| -> Vec<Conflict> {
        let names = record
            .existing
            .values()
            .filter_map(|place| if let NetnsRef::Name(name) = place { Some(Node::from(name.as_str())) } else { None });
        let conflict = |node: Node| {
            Conflict::new(
                ResourceId::Namespace(node),
                format!("topology {:?} still uses it", name.as_str()),
                format!("destroy that one first: topo destroy {name}, or take the namespace out of its file"),
            )
        };
        names.filter(goes).map(conflict).collect()
    };
    observed.others.iter().flat_map(of).collect()
}

/// The same where something of the other topology is to be seen: a namespace that was made a moment ago can go,
/// whatever a record says of one that had its name.
pub(super) fn seen_in_use(target: &State, observed: &State) -> Vec<Conflict> {
    let seen = |node: &Node| {
        let theirs = |item: &Item| matches!(item.owner, Owner::Theirs(Foreign::Topology(_)));
        observed.items.iter().any(|(id, item)| id.node() == node && theirs(item))
    };
    in_use(target, observed).into_iter().filter(|conflict| seen(conflict.id.node())).collect()
}

/// The ends of foreign pairs in namespaces of ours that stay: to delete them is to delete what is elsewhere.
pub(super) fn lodgers(goal: &State, observed: &State) -> Vec<String> {
    let ends = observed
        .items
        .values()
        .filter(|item| item.owner == Owner::Theirs(Foreign::Unknown))
        .filter_map(|item| item.resource.as_link());
    let stays = |link: &&Link| {
        let lodges = link.kind == Kind::Veth && link.tenure == Tenure::Existing && goal.link(&link.id).is_none();
        lodges && ours(observed, &link.id.node) && goal.namespace(&link.id.node).is_some()
    };
    let other = |link: &Link| {
        link.peer.as_ref().map_or("in a namespace that topo did not create".to_owned(), ToString::to_string)
    };
    ends.filter(stays)
        .map(|link| {
            format!(
                "{} is one end of a veth pair that topo did not create, whose other end is {}: it is left alone",
                link.id,
                other(link)
            )
        })
        .collect()
}
