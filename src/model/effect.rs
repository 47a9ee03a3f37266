//! One operation carried out on a state.

use super::creation::{adopted, born, born_as};
use super::refusal::Refusal;
use super::{address, cascade, link, peer, route, rule};
use crate::resource::{Kind, Operation, Owner, Resource, ResourceId, State, Sysctl};

/// Carries `operation` out on `state`; says what else was lost or changed by it.
///
/// # Errors
///
/// If the kernel would refuse the operation in this state; `state` is then as far as it got.
pub fn effect(state: &mut State, operation: &Operation) -> Result<Vec<ResourceId>, Refusal> {
    match operation {
        Operation::Create(Resource::Link(link)) if link.kind == Kind::Veth => {
            Err(Refusal::new(format!("{}: a veth end is made with its peer", link.id)))
        }
        Operation::Create(Resource::Link(link)) => link::create(state, link),
        Operation::Create(resource) => create(state, resource).map(|()| Vec::new()),
        Operation::CreatePair(first, second) => link::create_pair(state, first, second),
        Operation::Update { before: _, after } => update(state, after),
        Operation::Delete(resource) => delete(state, &resource.id()),
        Operation::Move { link, to } => link::relocate(state, &link.id, to),
    }
}

pub(crate) fn create(state: &mut State, resource: &Resource) -> Result<(), Refusal> {
    let id = resource.id();
    // A file needs none: it is beside the namespace, not in it.
    if !matches!(resource, Resource::Namespace(_) | Resource::File(_)) && state.namespace(id.node()).is_none() {
        return Err(Refusal::new(format!("there is no namespace {}", id.node())));
    }
    match resource {
        Resource::Address(address) => return address::create(state, address),
        Resource::Route(route) => return route::create(state, route),
        Resource::Qdisc(qdisc) => link::needs(state, &qdisc.link)?,
        Resource::Neighbor(neighbor) => link::needs(state, &neighbor.link)?,
        Resource::Fdb(fdb) => link::needs(state, &fdb.link)?,
        Resource::Peer(wanted) => return peer::create(state, wanted),
        Resource::Sysctl(sysctl) => {
            if let Some(link) = sysctl.link() {
                link::needs(state, &link)?;
            }
        }
        Resource::Rule(rule) => rule::taken_for_another(state, rule)?,
        Resource::Link(_) | Resource::Namespace(_) | Resource::Table(_) | Resource::Insert(_) | Resource::File(_) => {}
    }
    if state.get(&id).is_some() {
        return Err(Refusal::new(format!("{} {id} exists", id.kind())));
    }
    for resource in born(resource) {
        state.insert(resource, Owner::Ours);
    }
    let owner = born_as(state, resource);
    state.insert(resource.clone(), owner);
    Ok(())
}

pub(crate) fn update(state: &mut State, after: &Resource) -> Result<Vec<ResourceId>, Refusal> {
    let lost = change(state, after)?;
    adopted(state, after);
    Ok(lost)
}

fn change(state: &mut State, after: &Resource) -> Result<Vec<ResourceId>, Refusal> {
    let id = after.id();
    let Some(item) = state.items.get_mut(&id) else {
        return Err(Refusal::new(format!("there is no {} {id}", id.kind())));
    };
    match (&mut item.resource, after) {
        (Resource::Link(_), Resource::Link(link)) => return link::update(state, link),
        (Resource::Route(_), Resource::Route(route)) => {
            route::reachable(state, route)?;
            let owner = state.items.get(&id).map_or(Owner::Ours, |item| item.owner.clone());
            state.insert(after.clone(), owner);
        }
        (Resource::Peer(_), Resource::Peer(wanted)) => peer::update(state, wanted),
        (Resource::Address(there), Resource::Address(wanted)) => {
            there.marked |= wanted.marked;
            (there.expires, there.lifetime) = (wanted.expires, wanted.lifetime);
        }
        (Resource::Sysctl(there), Resource::Sysctl(wanted)) => {
            there.value.clone_from(&wanted.value);
            ripple(state, wanted);
            return Ok(wanted.ends_ipv6().map(|link| cascade::ipv6_gone(state, &link)).unwrap_or_default());
        }
        (there, wanted) => *there = wanted.clone(),
    }
    Ok(Vec::new())
}

/// What else a setting writes is not known until it is read again: an empty value equals none that is wanted.
pub(crate) fn ripple(state: &mut State, main: &Sysctl) {
    let start = ResourceId::Sysctl(main.node.clone(), String::new());
    let here = |id: &ResourceId| matches!(id, ResourceId::Sysctl(node, _) if *node == main.node);
    for (_, item) in state.items.range_mut(start..).take_while(|(id, _)| here(id)) {
        if let Resource::Sysctl(other) = &mut item.resource
            && (other.written_with() == Some(main.id()) || makes_stable(main, other))
        {
            other.value.clear();
        }
    }
}

/// Whether writing `main`, a secret, makes `other` say that addresses are made from it: of its own interface, or by
/// default of all.
pub(crate) fn makes_stable(main: &Sysctl, other: &Sysctl) -> bool {
    let by_default = main.key == "net/ipv6/conf/default/stable_secret"
        && other.key.starts_with("net/ipv6/conf/")
        && other.key.ends_with("/addr_gen_mode");
    by_default || other.waits_for().is_some_and(|secret| secret == main.key)
}

pub(crate) fn delete(state: &mut State, id: &ResourceId) -> Result<Vec<ResourceId>, Refusal> {
    let Some(gone) = state.items.remove(id) else {
        return Err(Refusal::new(format!("there is no {} {id}", id.kind())));
    };
    Ok(match id {
        ResourceId::Namespace(node) => {
            // Its files are none of the kernel's, and stay.
            let mut lost: Vec<ResourceId> =
                state.in_node(node).into_iter().filter(|id| !matches!(id, ResourceId::File(..))).collect();
            for inside in &lost {
                state.items.remove(inside);
            }
            lost.extend(link::without(state, |link| link.node == *node));
            lost
        }
        ResourceId::Link(_) => gone.resource.as_link().map(|link| link::after_delete(state, link)).unwrap_or_default(),
        ResourceId::Address(link, address, _) => address::after_delete(state, link, address),
        _ => Vec::new(),
    })
}
