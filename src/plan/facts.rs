//! Questions about wanted and observed states that several steps of planning ask.

use crate::resource::{Family, Link, LinkId, Node, Owner, Resource, ResourceId, Rule, State, Sysctl, Tenure};
use std::collections::BTreeSet;

/// Whether another program gave a setting another value than the one that topo wrote, and than the one that it goes
/// back to.
pub(crate) fn kept(observed: &State, prior: &Sysctl) -> bool {
    let wrote = observed.record.wrote.iter().find(|wrote| wrote.id() == prior.id());
    match (wrote, observed.get(&prior.id())) {
        (Some(wrote), Some(Resource::Sysctl(there))) => {
            !wrote.drift(there).is_empty() && !prior.drift(there).is_empty()
        }
        _ => false,
    }
}

/// The nodes and families whose rule for `local` the file puts elsewhere.
pub(crate) fn local_rules(goal: &State) -> BTreeSet<(Node, Family)> {
    let start = ResourceId::Rule("".into(), Box::new(Rule::plain(&"".into(), Family::V4, 0, 0).key));
    let rules = goal.items.range(start..).take_while(|(id, _)| matches!(id, ResourceId::Rule(..)));
    rules
        .filter_map(|(_, item)| match &item.resource {
            Resource::Rule(rule) if rule.is_moved_local() => Some((rule.node.clone(), rule.key.family)),
            _ => None,
        })
        .collect()
}

/// Whether what was there before depended on an interface that is nowhere any more: another program deleted it, or the
/// namespace that it was moved to.
pub(crate) fn lost_for_good(observed: &State, prior: &Resource) -> bool {
    let gone = |link: &LinkId| {
        observed.link(link).is_none() && !observed.links().any(|there| there.tenure == Tenure::From(link.clone()))
    };
    prior.links().iter().any(gone)
}

/// Whether `before` is a setting with the value of `now`.
pub(crate) fn prior_equals(before: &Resource, now: &Sysctl) -> bool {
    matches!(before, Resource::Sysctl(before) if before.value == now.value)
}

/// Whether it is a setting of an interface that is nowhere, and that nothing makes or brings back.
pub(crate) fn interface_is_gone(target: &State, observed: &State, resource: &Resource) -> bool {
    let Resource::Sysctl(sysctl) = resource else { return false };
    sysctl.link().is_some_and(|link| observed.link(&link).is_none() && target.link(&link).is_none())
}

/// Whether the interface that a setting belongs to, one of another program, was deleted during the observation: it is
/// in the list, and its setting could not be read any more.
pub(crate) fn is_unread(observed: &State, sysctl: &Sysctl) -> bool {
    let there = sysctl
        .link()
        .is_some_and(|link| observed.items.get(&ResourceId::Link(link)).is_some_and(|item| item.owner != Owner::Ours));
    there && observed.get(&sysctl.id()).is_none()
}

/// Whether a foreign link is away now, and will be where it belongs.
pub(crate) fn comes_home(goal: &State, observed: &State, link: &LinkId) -> bool {
    let away = |state: &State| state.links().any(|there| there.tenure == Tenure::From(link.clone()));
    away(observed) && !away(goal)
}

/// Whether there will be no such setting: a link of ours goes, and its settings with it, or a link is not there, or is
/// too small for IPv6.
pub(crate) fn gone(goal: &State, observed: &State, sysctl: &Sysctl) -> bool {
    let Some(link) = sysctl.link() else { return false };
    let small = sysctl.key.starts_with("net/ipv6/") && goal.link(&link).is_some_and(Link::too_small_for_ipv6);
    let item = observed.items.get(&ResourceId::Link(link.clone()));
    small
        || match item.map(|item| &item.owner) {
            None => !comes_home(goal, observed, &link),
            Some(Owner::Ours) => goal.link(&link).is_none(),
            Some(_) => false,
        }
}

/// Whether an observed rule is the kernel's for `local` that the file puts elsewhere, on a node that is not ours.
pub(crate) fn displaced(goal: &State, resource: &Resource) -> bool {
    matches!(resource, Resource::Rule(rule) if rule.kernel && rule.key.priority == 0 && local_rules(goal).contains(&(rule.node.clone(), rule.key.family)))
}

/// Whether what was there before depends on an interface that goes now, because its other end is in a namespace that
/// does.
pub(crate) fn goes_along(goal: &State, observed: &State, prior: &Resource) -> bool {
    let goes = |link: &LinkId| {
        let Some(peer) = observed.link(link).and_then(|link| link.peer.as_ref()) else { return false };
        // One that was borrowed goes home before.
        let borrowed = observed.link(peer).is_some_and(|peer| matches!(peer.tenure, Tenure::From(_)));
        !borrowed && observed.is_made(&peer.node) && goal.namespace(&peer.node).is_none()
    };
    prior.links().iter().any(goes)
}

/// Whether a namespace is there and topo made it for this topology.
pub(crate) fn ours(observed: &State, node: &Node) -> bool {
    let id = ResourceId::Namespace(node.clone());
    observed.is_made(node) && observed.items.get(&id).is_some_and(|item| item.owner == Owner::Ours)
}
