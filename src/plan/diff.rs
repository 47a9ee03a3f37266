//! The difference between a goal and what is there, resource by resource.

use super::change::{Action, Change, Conflict};
use super::{adoption, goal, shared, taken};
use crate::resource::{
    Drift, Foreign, Impact, Insert, Item, Link, NetnsRef, NodeTenure, Owner, Resource, ResourceId, Setting, State,
    Tenure,
};
use std::cmp::Ordering;

/// What has to happen to one resource.
pub(super) fn change(
    goal: &State,
    id: &ResourceId,
    wanted: Option<&Item>,
    observed: Option<&Item>,
    adopts: bool,
) -> Option<Change> {
    let drift = match (wanted, observed) {
        (Some(new), Some(old)) => gives_way(&new.resource, &old.resource)
            .map_or_else(|| adoption::drift(&new.resource, &new.owner, &old.resource, adopts), |drift| vec![drift]),
        _ => Vec::new(),
    };
    let action = match (wanted, observed) {
        (Some(new), None) => match &new.resource {
            Resource::Link(link) if matches!(link.tenure, Tenure::From(_)) => Action::Move,
            Resource::Namespace(namespace) if namespace.tenure != NodeTenure::Created => return None,
            _ => Action::Create,
        },
        (Some(_), Some(_)) if drift.is_empty() => return None,
        (Some(_), Some(old))
            if drift.iter().any(|drift| drift.impact == Impact::Replace) && old.owner == Owner::Ours =>
        {
            Action::Replace
        }
        (Some(_), Some(_)) => Action::Update,
        (None, Some(old)) if removable(goal, old) => match &old.resource {
            Resource::Link(link) if matches!(link.tenure, Tenure::From(_)) => Action::Move,
            _ => Action::Delete,
        },
        _ => return None,
    };
    Some(Change {
        id: id.clone(),
        action,
        before: observed.map(|item| item.resource.clone()),
        after: wanted.map(|item| item.resource.clone()),
        drift,
        loses: Vec::new(),
        gone: Vec::new(),
    })
}

/// A link of another program goes home, and another link gets its place.
fn gives_way(wanted: &Resource, observed: &Resource) -> Option<Drift> {
    let (new, old) = (wanted.as_link()?, observed.as_link()?);
    let from = |link: &Link| {
        if let Tenure::From(source) = &link.tenure { format!("from {source}") } else { link.kind.word().to_owned() }
    };
    let gives_way = matches!(old.tenure, Tenure::From(_)) && new.tenure != old.tenure;
    gives_way.then(|| Drift::new("link", from(old), from(new), Impact::Replace))
}

/// Whether something that the goal does not list goes.
fn removable(goal: &State, observed: &Item) -> bool {
    let there = !adoption::is_given_back(goal, observed)
        && match &observed.resource {
            // A setting is given its old value back, and goes with a namespace of the topology only; so do `lo` and the
            // kernel's rules.
            Resource::Sysctl(sysctl) => goal.namespace(&sysctl.node).is_none(),
            Resource::Link(link) => link.tenure != Tenure::Existing || goal.namespace(&link.id.node).is_none(),
            Resource::Insert(Insert { rules, .. }) => !rules.is_empty(),
            _ => true,
        };
    there && (observed.owner == Owner::Ours || goal::displaced(goal, &observed.resource))
}

/// All changes, by identity.
pub(super) fn changes(goal: &State, observed: &State) -> Vec<Change> {
    let adopts = observed.adopts.is_some();
    let one = |(id, wanted, there): (_, Option<&Item>, _)| match (wanted, there) {
        (Some(item), None) => change(goal, id, wanted, at_home(goal, observed, &item.resource).as_ref(), adopts),
        _ => change(goal, id, wanted, there, adopts),
    };
    side_by_side(goal, observed).filter_map(one).collect()
}

/// What is in one of two states or both, in order: what it is in the first, and what in the second.
pub(super) fn side_by_side<'a>(
    one: &'a State,
    other: &'a State,
) -> impl Iterator<Item = (&'a ResourceId, Option<&'a Item>, Option<&'a Item>)> {
    let (mut left, mut right) = (one.items.iter().peekable(), other.items.iter().peekable());
    std::iter::from_fn(move || {
        let order = match (left.peek(), right.peek()) {
            (Some((left, _)), Some((right, _))) => left.cmp(right),
            (Some(_), None) => Ordering::Less,
            (None, _) => Ordering::Greater,
        };
        let left = left.next_if(|_| order.is_le());
        let right = right.next_if(|_| order.is_ge());
        left.or(right).map(|(id, _)| (id, left.map(|(_, item)| item), right.map(|(_, item)| item)))
    })
}

/// Another program's link that is away and is moved back, to be configured there, as it will be when it arrives.
fn at_home(goal: &State, observed: &State, wanted: &Resource) -> Option<Item> {
    let link = wanted.as_link().filter(|link| link.tenure == Tenure::Existing)?;
    let away = observed
        .links()
        .find(|there| there.tenure == Tenure::From(link.id.clone()))
        .filter(|there| goal.link(&there.id).is_none_or(|stays| stays.tenure != there.tenure))?;
    let mut home = Link {
        id: link.id.clone(),
        tenure: Tenure::Existing,
        up: Setting::Is(false),
        master: Setting::Is(None),
        marked: link.marked,
        ..away.clone()
    };
    home.port.clear();
    Some(Item { resource: Resource::Link(Box::new(home)), owner: Owner::Theirs(Foreign::Unknown) })
}

/// What is in the way.
pub(super) fn conflicts(goal: &State, observed: &State) -> Vec<Conflict> {
    let each =
        side_by_side(goal, observed).filter_map(|(id, wanted, there)| conflict(goal, observed, id, wanted?, there));
    let (lost, taken) = taken::namespaces(goal, observed);
    let each = each.filter(|conflict| !lost.contains(conflict.id.node()));
    taken.into_iter().chain(each).chain(observed.links().filter_map(|link| no_way_home(goal, observed, link))).collect()
}

/// A link of another program goes home, where its name is taken meanwhile.
fn no_way_home(goal: &State, observed: &State, link: &Link) -> Option<Conflict> {
    let Tenure::From(home) = &link.tenure else { return None };
    let goes = goal.link(&link.id).is_none_or(|wanted| wanted.tenure != link.tenure);
    let there =
        observed.items.get(&ResourceId::Link(home.clone())).filter(|there| goes && there.owner != Owner::Ours)?;
    let whose = if let Owner::Theirs(who) = &there.owner { who } else { &Foreign::Unknown };
    let reason = format!(
        "{} was taken from there and goes home, and meanwhile {home} is another interface, which belongs to {whose}",
        link.id
    );
    let node = if home.node.is_host() { String::new() } else { format!("-n {} ", home.node.as_str()) };
    Some(Conflict::new(
        ResourceId::Link(home.clone()),
        reason,
        format!("rename or remove that one (ip {node}link set dev {} name NAME), and do it again", home.name),
    ))
}

fn conflict(goal: &State, observed: &State, id: &ResourceId, wanted: &Item, there: Option<&Item>) -> Option<Conflict> {
    match (&wanted.owner, there) {
        (_, None) if absent_namespace(&wanted.resource).is_some() => {
            let place = absent_namespace(&wanted.resource)?;
            if let NetnsRef::Container { name, .. } = place {
                return Some(Conflict::new(id.clone(), format!("container {name} does not run"), "start it first"));
            }
            let help = "make it first, by an apply of its own where a topology makes it (files of one call are all planned before any is applied), or leave \
                        out `existing` and topo makes one";
            Some(Conflict::missing(id.clone(), format!("there is no network namespace {place}"), help))
        }
        _ if other_value(observed, &wanted.resource).is_some() => other_value(observed, &wanted.resource),
        (Owner::Named, Some(_)) => wanted.resource.as_link().and_then(|link| shared::other_attribute(observed, link)),
        (Owner::Named, None) => missing(goal, observed, id, &wanted.resource),
        (Owner::Ours, Some(there)) if observed.may_adopt(&there.owner) && !is_table_of_others(&there.resource) => None,
        (Owner::Ours, Some(Item { owner: Owner::Theirs(who), resource })) => {
            taken::taken(id, who, resource, &wanted.resource)
        }
        (Owner::Ours, Some(Item { resource: Resource::Insert(Insert { present: false, .. }), .. })) => {
            Some(Conflict::missing(
                id.clone(),
                "there is no such chain",
                "check the name with `nft list chains`, or write `if-present: true`",
            ))
        }
        _ => None,
    }
}

/// Whether it is a table of the topology's name that another program made.
fn is_table_of_others(there: &Resource) -> bool {
    matches!(there, Resource::Table(table) if table.instead_of.is_empty())
}

/// Another topology wants another value of the same setting.
fn other_value(observed: &State, wanted: &Resource) -> Option<Conflict> {
    let Resource::Sysctl(sysctl) = wanted else { return None };
    let (name, record) = observed.other_with_setting(&sysctl.id())?;
    let other = record.wrote.iter().find(|wrote| wrote.id() == sysctl.id() && !sysctl.drift(wrote).is_empty())?;
    let reason = format!(
        "topology {:?} has set {} to {:?}, and this one wants {:?}",
        name.as_str(),
        sysctl.key.replace('/', "."),
        other.value,
        sysctl.value
    );
    Some(Conflict::new(
        sysctl.id(),
        reason,
        "two topologies cannot want different values of one setting: change one of the files",
    ))
}

/// The `existing` namespace that is meant, if the resource is one.
fn absent_namespace(resource: &Resource) -> Option<&NetnsRef> {
    match resource {
        Resource::Namespace(namespace) => match &namespace.tenure {
            NodeTenure::Existing(place) => Some(place),
            _ => None,
        },
        _ => None,
    }
}

/// Something is wanted that is not topo's to make, and it is not there.
fn missing(goal: &State, observed: &State, id: &ResourceId, wanted: &Resource) -> Option<Conflict> {
    match wanted {
        Resource::Link(link) => match &link.tenure {
            Tenure::From(source) if observed.link(source).is_some() => None,
            // It was taken before, to another place, and goes on from there.
            Tenure::From(_) if observed.links().any(|there| there.tenure == link.tenure) => None,
            Tenure::From(source) => Some(Conflict::missing(
                id.clone(),
                format!("there is no interface {source} to take"),
                "check the name with `ip link`",
            )),
            _ if at_home(goal, observed, wanted).is_some() => None,
            _ => Some(Conflict::missing(
                id.clone(),
                format!("there is no interface {id}"),
                "check the name with `ip link`, or give it a kind and topo makes it",
            )),
        },
        Resource::Sysctl(sysctl) => {
            let tracked = sysctl.comes_with_tracking()
                && matches!(goal.get(&ResourceId::Table(sysctl.node.clone())), Some(Resource::Table(table)) if table.tracks());
            let made = tracked
                || sysctl.link().is_some_and(|link| goal.link(&link).is_some())
                || observed.namespace(&sysctl.node).is_none();
            let text = format!("this kernel has no setting {}", sysctl.key.replace('/', "."));
            (!made).then(|| {
                Conflict::new(id.clone(), text, "check it with `sysctl -a`; a module may have to be loaded first")
            })
        }
        _ => None,
    }
}
