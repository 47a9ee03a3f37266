//! The way back of one topology beside the others: what they name stays as they have it, and what they had when the way
//! back was written, and have no more, is as it was before all of them.

use super::change::{Change, Conflict, Plan};
use super::goal::Waiting;
use super::make::{back, make};
use super::{facts, shared};
use crate::resource::{Item, Link, LinkId, Owner, Record, Resource, ResourceId, Setting, State, Sysctl, Tenure};
use std::collections::BTreeSet;

/// What `target`, which was there when the topology had `record`, is beside the other topologies that are there now.
pub fn beside(target: &State, record: &Record, observed: &State) -> State {
    let mut goal = target.clone();
    goal.items.retain(|_, item| !is_another(record, observed, &item.resource));
    goal.items.retain(|_, item| item.owner != Owner::Restored || !is_lost(target, observed, &item.resource));
    without_lost(&mut goal, observed);
    goal.items
        .retain(|id, item| item.owner != Owner::Restored || !is_taken_by_others(record, observed, id, &item.resource));
    since(&mut goal, record, observed);
    let down: Vec<_> = shared::down(observed).collect();
    let on_down = |resource: &Resource| match resource {
        Resource::Address(address) => address.address.addr().is_ipv6() && down.contains(&address.link),
        Resource::Route(_) => resource.links().iter().any(|link| down.contains(link)),
        _ => false,
    };
    goal.items.retain(|_, item| item.owner != Owner::Restored || !on_down(&item.resource));
    for item in goal.items.values_mut().filter(|item| item.owner == Owner::Restored) {
        if let Resource::Link(link) = &mut item.resource
            && link.tenure == Tenure::Existing
        {
            **link = shared::released(observed, link);
        }
    }
    goal
}

/// The record that comes back with [`beside`]: without what another topology has set to another value since, and what
/// was there before on interfaces of others that were re-created since.
pub fn record_beside(record: &Record, observed: &State) -> Record {
    let mut record = record.clone();
    record.wrote.retain(|wrote| !shared::is_contradicted(observed, wrote));
    for link in &mut record.configured {
        *link = shared::uncontradicted(observed, link);
    }
    let known = record.numbers.iter().map(|(link, _)| link);
    let anew: Vec<LinkId> = known.filter(|link| is_made_anew(&record, &observed.record, link)).cloned().collect();
    for link in anew {
        record.forget(&link);
        record.numbers.retain(|(known, _)| *known != link);
    }
    record
}

/// Whether it was in a namespace, or on an interface, of another program that another one has replaced since: nothing
/// of the new one is to go back.
fn is_another(then: &Record, observed: &State, resource: &Resource) -> bool {
    let now = &observed.record;
    let node = resource.id().node().clone();
    let cookies = then.cookies.get(&node).zip(now.cookies.get(&node));
    let replaced = cookies.is_some_and(|(then, now)| then != now) && !matches!(resource, Resource::Namespace(_));
    replaced || resource.links().iter().any(|link| is_made_anew(then, now, link))
}

/// Whether a foreign interface was re-created. What is in the place of one that was moved is known by where it came
/// from.
fn is_made_anew(then: &Record, now: &Record, link: &LinkId) -> bool {
    let moved = then.moved.iter().chain(&now.moved).any(|(there, _)| there == link);
    !moved && is_another_link(then, now, link)
}

/// Whether a foreign interface has another number than it had: it is another one under the same name.
fn is_another_link(then: &Record, now: &Record, link: &LinkId) -> bool {
    then.number(link).zip(now.number(link)).is_some_and(|(then, now)| then != now)
}

/// Whether it is, or depends on, a foreign interface that is nowhere any more.
fn is_lost(target: &State, observed: &State, resource: &Resource) -> bool {
    let ours = |link: &LinkId| target.link(link).is_some_and(|link| link.tenure != Tenure::Existing);
    facts::lost_for_good(observed, resource) && !resource.links().iter().any(ours)
}

/// Takes out what the topology had on interfaces of others that are gone: it went with them, and cannot come back.
fn without_lost(goal: &mut State, observed: &State) {
    let made = |id: &LinkId| goal.link(id).is_some_and(|link| link.tenure == Tenure::Created);
    let away: BTreeSet<LinkId> = observed.links().filter_map(Link::source).cloned().collect();
    let there = |id: &LinkId| observed.link(id).is_some() || away.contains(id);
    let comes = |id: &LinkId| match goal.link(id).map(|link| &link.tenure) {
        Some(Tenure::From(home)) => there(home),
        _ => observed.namespace(&id.node).is_none(),
    };
    let named = goal.items.values().filter(|item| item.owner != Owner::Restored).flat_map(|item| {
        let below = item.resource.as_link().into_iter().flat_map(|link| link.link.iter().chain(&link.peer).cloned());
        stands_on(&item.resource).into_iter().chain(below.collect::<Vec<_>>())
    });
    let mut lost: BTreeSet<LinkId> = named.filter(|id| !made(id) && !there(id) && !comes(id)).collect();
    if lost.is_empty() {
        return;
    }
    above(&mut lost, goal, |_| true);
    goal.items.retain(|_, item| !stands_on(&item.resource).iter().any(|link| lost.contains(link)));
    for item in goal.items.values_mut() {
        if let Resource::Link(link) = &mut item.resource
            && link.master_id().is_some_and(|master| lost.contains(&master))
        {
            link.master = Setting::Is(None);
        }
    }
}

/// Adds the links of `state` that depend on those in `lost`, or are the other ends of their pairs, and of which `gone`
/// holds.
fn above(lost: &mut BTreeSet<LinkId>, state: &State, gone: impl Fn(&Link) -> bool) {
    // A stack is as many links high as the kernel lets it be.
    loop {
        let on = |link: &&Link| {
            !lost.contains(&link.id) && [&link.link, &link.peer].into_iter().flatten().any(|below| lost.contains(below))
        };
        let more: Vec<LinkId> =
            state.links().filter(on).filter(|link| gone(link)).map(|link| link.id.clone()).collect();
        if more.is_empty() {
            return;
        }
        lost.extend(more);
    }
}

/// Whether another topology has a setting, or the switch that writes it. One that `record` names is this topology's
/// too, where they agree.
fn is_taken_by_others(record: &Record, observed: &State, id: &ResourceId, resource: &Resource) -> bool {
    let Resource::Sysctl(sysctl) = resource else { return false };
    if record.wrote.iter().any(|wrote| wrote.id() == *id) {
        return shared::is_contradicted(observed, sysctl);
    }
    let has = |id: &ResourceId| observed.other_with_setting(id).is_some();
    has(id) || sysctl.written_with().is_some_and(|switch| has(&switch))
}

/// What the topology has changed since it had `record` goes back to what was there before any topology: when the way
/// back was written another may have had it already.
fn since(goal: &mut State, record: &Record, observed: &State) {
    let since = observed.record.prior.iter().filter_map(|prior| match (prior, record.prior(&prior.id())) {
        (_, None) => Some(prior.clone()),
        (Resource::Link(now), Some(Resource::Link(then))) => Some(Resource::Link(Box::new(now.without(then)))),
        _ => None,
    });
    // What is in a created namespace is no other program's, and is as it was observed.
    let since = since.filter(|prior| !observed.is_made(prior.id().node()) && !goal.is_made(prior.id().node()));
    // Interfaces first: what depends on one waits until it is up.
    let (links, others): (Vec<Resource>, Vec<Resource>) = since.partition(|prior| prior.as_link().is_some());
    let waiting = Waiting::of(goal, observed);
    for prior in links.into_iter().filter_map(|prior| if let Resource::Link(link) = prior { Some(link) } else { None })
    {
        let id = prior.id();
        let mut back = Link { tenure: Tenure::Existing, ..*prior };
        match goal.items.get(&id) {
            Some(Item { owner, .. }) if *owner != Owner::Restored => continue,
            Some(Item { resource: Resource::Link(there), .. }) => {
                back.fall_back_to(there);
                there
                    .port
                    .iter()
                    .for_each(|(name, value)| _ = back.port.entry(name.clone()).or_insert_with(|| value.clone()));
            }
            _ => {}
        }
        let back = Resource::Link(Box::new(back));
        if !waiting.has(goal, observed, &back) {
            goal.insert(back, Owner::Restored);
        }
    }
    let waiting = Waiting::of(goal, observed);
    for prior in others {
        let id = prior.id();
        let keeps = match &prior {
            Resource::Sysctl(sysctl) => is_named(record, sysctl) || is_taken_by_others(record, observed, &id, &prior),
            _ => goal.items.contains_key(&id),
        };
        if !keeps && !waiting.has(goal, observed, &prior) {
            goal.insert(prior, Owner::Restored);
        }
    }
}

fn is_named(record: &Record, sysctl: &Sysctl) -> bool {
    record.wrote.iter().any(|wrote| wrote.id() == sysctl.id())
}

/// What has changed on the machine since `wanted` was reached, with `record` written then: what a plan for it would do
/// now; and the interfaces of others that are gone since, or are others under the same name, with what went with them.
/// What was on these is no change.
///
/// # Errors
///
/// What is in the way of `wanted` now.
pub fn changed_since(
    wanted: &State,
    is_back: bool,
    record: &Record,
    observed: &State,
) -> Result<(Vec<Change>, BTreeSet<LinkId>), Vec<Conflict>> {
    let lost = went_since(wanted, record, observed);
    let mut goal = wanted.clone();
    goal.items.retain(|_, item| !stands_on(&item.resource).iter().any(|link| lost.contains(link)));
    without_lost(&mut goal, observed);
    let plan = if is_back { back(&beside(&goal, record, observed), observed) } else { make(&goal, observed) }?;
    let on_lost = |change: &Change| {
        let resources = change.before.iter().chain(&change.after);
        let on = resources.flat_map(|resource| [stands_on(resource), resource.links()].concat());
        on.into_iter().any(|link| lost.contains(&link))
    };
    let changes = plan.changes.iter().filter(|change| !on_lost(change) && !follows(&plan, change)).cloned().collect();
    Ok((changes, lost))
}

/// The interfaces of others that `wanted` names and that are gone, or are others under the same name, since `record`
/// was written; and what went with them: links that the topology had on them, and the other ends of pairs.
fn went_since(wanted: &State, record: &Record, observed: &State) -> BTreeSet<LinkId> {
    let is_gone =
        |link: &Link| is_another_link(record, &observed.record, &link.id) || observed.link(&link.id).is_none();
    let theirs = |link: &&Link| link.tenure != Tenure::Created;
    let mut lost: BTreeSet<LinkId> =
        wanted.links().filter(theirs).filter(|link| is_gone(link)).map(|link| link.id.clone()).collect();
    above(&mut lost, wanted, |link| observed.link(&link.id).is_none());
    // One that was moved has gone from its home, too.
    let homes: Vec<LinkId> =
        wanted.links().filter(|link| lost.contains(&link.id)).filter_map(Link::source).cloned().collect();
    lost.extend(homes);
    lost
}

/// The links that something is, or depends on.
fn stands_on(resource: &Resource) -> Vec<LinkId> {
    match resource {
        Resource::Qdisc(qdisc) => vec![qdisc.link.clone()],
        Resource::Fdb(fdb) => vec![fdb.link.clone()],
        Resource::Peer(peer) => vec![peer.link.clone()],
        other => other.links(),
    }
}

/// Whether a change is of a setting that goes where a switch takes it, which is changed too.
fn follows(plan: &Plan, change: &Change) -> bool {
    let ResourceId::Sysctl(node, key) = &change.id else { return false };
    let switch = Sysctl::new(node.clone(), key.as_str(), "").written_with();
    switch.is_some_and(|switch| plan.changes.iter().any(|change| change.id == switch))
}
