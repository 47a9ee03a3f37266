//! Adoption: what is there without marks gets them where it stands, and nothing else happens.

use super::change::{Action, Change, Conflict};
use crate::resource::{Drift, Item, LinkId, NodeTenure, Owner, Resource, ResourceId, State};

/// `observed` as it is once it has the marks; `None` where all that `wanted` names has them already.
pub(super) fn marked(wanted: &State, observed: &State) -> Option<State> {
    let mut marked = State { adopts: None, ..observed.clone() };
    marked.record.adopts = None;
    let mut any = false;
    for (id, item) in &mut marked.items {
        if !observed.may_adopt(&item.owner) {
            continue;
        }
        let named = wanted.items.get(id).filter(|wanted| wanted.owner == Owner::Ours);
        let inside = wanted.is_made(id.node()) && observed.is_made(id.node());
        match named.map(|wanted| &wanted.resource) {
            Some(wanted @ (Resource::Table(_) | Resource::File(_))) => item.resource = wanted.clone(),
            Some(_) => item.resource.set_mark(),
            None if inside => {}
            None => continue,
        }
        any = true;
        item.owner = Owner::Ours;
    }
    any.then_some(marked)
}

/// A difference that is no mark.
pub(super) fn other(change: &Change) -> Conflict {
    let id = change.id.clone();
    let all = |drift: &Drift| {
        let is = |value: &str| if value.is_empty() { "nothing".to_owned() } else { value.to_owned() };
        format!("{} {} instead of {}", drift.field, is(&drift.old), is(&drift.new))
    };
    let fields = change.drift.iter().map(all).collect::<Vec<_>>().join(", ");
    if let ResourceId::Qdisc(LinkId { node, name }) = &id {
        let within = if node.is_host() { String::new() } else { format!("-n {} ", node.as_str()) };
        let reason =
            "it cannot be marked where it stands: a new one would take its place, and what waits in it is lost";
        let help =
            format!("remove it first (tc {within}qdisc delete dev {name} root), and write it into the file afterwards");
        return Conflict::new(id, reason, help);
    }
    match change.action {
        Action::Create => Conflict::missing(
            id,
            "the file has it, and it is not there: what is adopted is there",
            "take it out of the file, or make it first",
        ),
        Action::Delete => Conflict::new(
            id,
            "the file does not have it, and topo would delete it where all is the topology's",
            "remove it first, or leave its namespace out",
        ),
        Action::Update | Action::Replace | Action::Move => Conflict::new(
            id,
            format!("it is not as the file has it ({fields}), and an adoption changes nothing but marks"),
            "change one of the two first",
        ),
    }
}

/// The fields in which `wanted` differs from what is there. Where an adoption is undone, the marks go.
pub(super) fn drift(wanted: &Resource, owner: &Owner, there: &Resource, adopts: bool) -> Vec<Drift> {
    let mut drift = wanted.drift(there);
    let own = matches!(wanted, Resource::Table(_) | Resource::File(_));
    let goes = adopts && !own && *owner == Owner::Restored && wanted.mark() == Some(false);
    if goes && there.mark() == Some(true) {
        drift.push(Drift::in_place("mark", "topo", "none"));
    }
    drift
}

/// Whether a namespace is given back by the undo of an adoption: nothing in it is removed with that.
pub(super) fn is_given_back(goal: &State, observed: &Item) -> bool {
    let node = observed.resource.node();
    let namespace = goal.items.get(&ResourceId::Namespace(node.clone())).filter(|item| item.owner == Owner::Restored);
    namespace.is_some_and(
        |item| matches!(&item.resource, Resource::Namespace(namespace) if namespace.tenure == NodeTenure::Created && !namespace.marked),
    )
}
