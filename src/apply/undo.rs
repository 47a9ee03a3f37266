//! Undoing is a plan towards what was observed before.

use super::record;
use super::report::{Options, Progress};
use super::steps::steps;
use crate::kernel::{Error, ErrorKind, Kernel};
use crate::plan;
use crate::plan::change::{Action, Change, Conflict, Plan};
use crate::resource::{
    Insert, Item, Kind, Link, LinkId, Mac, NodeTenure, Operation, Owner, Record, Resource, ResourceId, Route, Rule,
    Setting, State, Sysctl, Tenure,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What was there before an apply: all that it takes to go back.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Before {
    /// What was there, as far as it is the topology's or the apply touched it: what [`plan::back`] goes back to.
    pub target: State,
    /// The record of the topology, which comes back with it.
    pub record: Record,
}

/// What there is to go back to when `plan` has been carried out, wholly or in part.
pub fn before(plan: &Plan) -> Before {
    Before { target: target(plan), record: plan.base.record.clone() }
}

impl Before {
    /// What it is beside the other topologies that are there now: what they name stays, and what they gave back since
    /// is as it was before all of them.
    #[must_use]
    pub fn beside(&self, now: &State) -> Self {
        Self { target: plan::beside(&self.target, &self.record, now), record: plan::record_beside(&self.record, now) }
    }
}

/// Undoes what was done of `plan`.
pub(super) fn undo(kernel: &mut dyn Kernel, plan: &Plan, progress: &mut dyn FnMut(Progress)) -> Result<(), Error> {
    progress(Progress::Undoing);
    let mut before = before(plan);
    kernel.give_back();
    let now = kernel.observe(&before.target)?;
    forget_halves(&mut before.target, &now);
    let before = before.beside(&now);
    let back = plan::back(&before.target, &now).map_err(|conflicts| stuck(&conflicts))?;
    let mut during = record::during(plan);
    let mut done = 0;
    steps(
        kernel,
        &back,
        &mut during,
        &Options { rollback: false, interrupted: Default::default() },
        &mut |_| {},
        &mut done,
    )?;
    match arrive(kernel, &before)?.first() {
        None => Ok(()),
        Some(change) => Err(Error::new(
            ErrorKind::Refused,
            "undo",
            format!("{} {} is not as it was before", change.id.kind(), change.id),
        )
        .about(change.id.clone())),
    }
}

/// Puts the record of before back and looks; answers with what is not as it was.
pub(super) fn arrive(kernel: &mut dyn Kernel, before: &Before) -> Result<Vec<Change>, Error> {
    let topology = &before.target.topology;
    let mut record = before.record.clone();
    record::tables(&mut record, &before.target, kernel.table_generations());
    kernel.remember(topology, &record)?;
    let now = kernel.observe(&before.target)?;
    let rest = plan::back(&before.target, &now).map_err(|conflicts| stuck(&conflicts))?;
    // A namespace that was made anew has another cookie, an interface that came home may have another number.
    let then = record.clone();
    record::known_by(&mut record, &now.record);
    if !record.is_empty() && record != then {
        kernel.remember(topology, &record)?;
    }
    Ok(rest.changes)
}

fn stuck(conflicts: &[Conflict]) -> Error {
    match conflicts.first() {
        Some(conflict) => Error::new(
            ErrorKind::Refused,
            format!("undo {} {}", conflict.id.kind(), conflict.id),
            conflict.reason.clone(),
        )
        .about(conflict.id.clone()),
        None => Error::new(ErrorKind::Refused, "undo", "there is no plan back"),
    }
}

/// A veth end whose other end was not there any more, and that has gone since, cannot be made again: the kernel was
/// about to take it away.
fn forget_halves(target: &mut State, now: &State) {
    let half = |link: &&Link| {
        link.kind == Kind::Veth
            && link.tenure == Tenure::Created
            && link.peer.as_ref().is_none_or(|peer| target.link(peer).is_none())
    };
    let gone: Vec<LinkId> =
        target.links().filter(half).filter(|link| now.link(&link.id).is_none()).map(|link| link.id.clone()).collect();
    for id in gone {
        for on in target.on_link(&id) {
            target.items.remove(&on);
        }
        // Nor can a route over it.
        let over = |route: &Route| {
            route.node == id.node && route.nexthops.iter().any(|hop| hop.dev.as_ref() == Some(&id.name))
        };
        target.items.retain(|_, item| !matches!(&item.resource, Resource::Route(route) if over(route)));
        target.items.remove(&ResourceId::Link(id));
    }
}

/// What was there before, as far as it is this topology's or the plan touched it.
fn target(plan: &Plan) -> State {
    let touched = touched(plan);
    let mut target = State { adopts: plan.base.adopts.clone(), ..State::empty(plan.base.topology.clone()) };
    for (id, item) in &plan.base.items {
        let owner = match &item.owner {
            // There is no chain of that name, so there is nothing of ours in it to go back to.
            _ if matches!(&item.resource, Resource::Insert(Insert { present: false, .. })) => continue,
            Owner::Ours => Owner::Ours,
            _ if touched.contains(id) || is_adopted(plan, id, item) => Owner::Restored,
            _ => continue,
        };
        target.insert(chosen(plan, &item.resource), owner);
    }
    named_before(plan, &mut target);
    for rule in rules_of_vrfs(plan) {
        target.insert(Resource::Rule(rule), Owner::Ours);
    }
    // The namespaces of others that the topology reaches into are looked at, so they are named.
    for namespace in plan.base.namespaces().chain(plan.wanted.namespaces()) {
        if namespace.tenure != NodeTenure::Created && target.namespace(&namespace.node).is_none() {
            target.insert(Resource::Namespace(namespace.clone()), Owner::Named);
        }
    }
    target
}

/// Whether the plan takes something for the topology's that had no mark.
fn is_adopted(plan: &Plan, id: &ResourceId, item: &Item) -> bool {
    let inside = plan.base.is_made(id.node()) && plan.wanted.is_made(id.node());
    plan.base.may_adopt(&item.owner) && (inside || plan.wanted.items.contains_key(id))
}

/// What the record names, outside of created namespaces, is in the target although the plan leaves it alone: who shares
/// it may give it back meanwhile. Of a foreign interface that is no more than what the record and the plan name.
fn named_before(plan: &Plan, target: &mut State) {
    let record = &plan.base.record;
    for id in record.wrote.iter().map(Sysctl::id) {
        if let (Some(there), false) = (plan.base.get(&id), target.items.contains_key(&id)) {
            target.insert(there.clone(), Owner::Restored);
        }
    }
    let planned = plan
        .changes
        .iter()
        .filter(|change| change.action == Action::Update)
        .filter_map(|change| change.after.as_ref()?.as_link());
    let mut named: BTreeMap<&LinkId, Link> = BTreeMap::new();
    for link in planned.chain(&record.configured).filter(|link| link.tenure == Tenure::Existing) {
        let all = named.entry(&link.id).or_insert_with(|| Link::bare(link.id.clone(), Kind::Any));
        all.fall_back_to(link);
        link.port.iter().for_each(|(name, value)| _ = all.port.entry(name.clone()).or_insert_with(|| value.clone()));
    }
    for (id, named) in named {
        if let Some(there) = plan.base.link(id).filter(|there| there.tenure == Tenure::Existing) {
            target.insert(Resource::Link(Box::new(there.only(&named))), Owner::Restored);
        }
    }
}

/// The kernel's rules for the VRFs of namespaces of ours that lose the last one: they stay, and without a VRF in the
/// file nothing looked at them.
fn rules_of_vrfs(plan: &Plan) -> Vec<Rule> {
    let nodes = plan
        .base
        .namespaces()
        .filter(|namespace| namespace.tenure == NodeTenure::Created)
        .map(|namespace| &namespace.node);
    nodes.filter(|node| plan.base.has_vrf(node) && !plan.wanted.has_vrf(node)).flat_map(Rule::of_vrfs).collect()
}

/// The resource without what nothing chose: a bridge has the hardware address of one of its ports, none (zeros) when it
/// has lost the last, and its own before the first (`br_stp_recalculate_bridge_id`), until another program writes one,
/// after which it no longer follows them. A plan that leaves it alone is undone so, too.
fn chosen(plan: &Plan, resource: &Resource) -> Resource {
    let base = &plan.base;
    let resource_id = resource.id();
    let mut resource = resource.clone();
    // A peer that the plan leaves where it is, is where it is.
    if let (Resource::Peer(peer), Some(Resource::Peer(wanted))) = (&mut resource, plan.wanted.get(&resource_id))
        && wanted.endpoint == Setting::Left
    {
        peer.endpoint = Setting::Left;
    }
    if let Resource::Link(link) = &mut resource
        && link.kind == Kind::Bridge
    {
        let mut ports = base.links_of(&link.id.node).filter(|port| port.master_id().as_ref() == Some(&link.id));
        let follows = ports.any(|port| port.mac != Setting::Left && port.mac == link.mac);
        let alone = plan.wanted.link(&link.id).is_some_and(|wanted| wanted.mac == Setting::Left);
        if follows || alone || link.mac == Setting::Is(Mac([0; 6])) {
            link.mac = Setting::Left;
        }
    }
    resource
}

/// What the plan changes or loses of others.
fn touched(plan: &Plan) -> BTreeSet<ResourceId> {
    let mut touched: BTreeSet<ResourceId> =
        plan.changes.iter().flat_map(|change| change.loses.iter().cloned().chain([change.id.clone()])).collect();
    for step in &plan.steps {
        touched.insert(step.operation.id());
        if let Operation::Move { link, .. } = &step.operation {
            touched.insert(link.id());
            touched.extend(plan.base.on_link(&link.id));
            let over = |id: &LinkId, hop: &crate::resource::NextHop| hop.dev.as_ref() == Some(&id.name);
            touched.extend(
                plan.base
                    .routes_of(&link.id.node)
                    .filter(|route| route.nexthops.iter().any(|hop| over(&link.id, hop)))
                    .map(crate::resource::Route::id),
            );
        }
    }
    // What follows its switch goes back with that.
    let astray = |sysctl: &Sysctl| {
        let main = sysctl.written_with().filter(|main| touched.contains(main));
        main.is_some_and(
            |main| !matches!(plan.base.get(&main), Some(Resource::Sysctl(switch)) if sysctl.follows(switch)),
        )
    };
    let besides =
        plan.base.resources().filter(|resource| matches!(resource, Resource::Sysctl(sysctl) if astray(sysctl)));
    let besides: Vec<ResourceId> = besides.map(Resource::id).collect();
    touched.extend(besides);
    touched
}
