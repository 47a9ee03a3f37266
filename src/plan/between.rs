//! How two wanted states differ, without a machine: what one has and the other has not, and the fields of the rest.

use super::change::{Action, Change, Plan};
use super::{diff, goal};
use crate::resource::{
    Address, Drift, Impact, Item, Link, Name, NodeTenure, Options, Owner, Peer, Resource, Route, Setting, State,
    Tenure, Value, kinds,
};
use std::fmt;

/// How a value is shown that is left to the kernel.
const LEFT: &str = "the kernel's";

/// What makes `to` of `from`, both as files want them: a plan without steps, because there is no machine that it could
/// be carried out on. Everything differs that would be otherwise after an apply of one on a fresh machine and of the
/// other on another.
pub fn between(from: &State, to: &State) -> Plan {
    let nothing = |topology: &Name| State::empty(topology.clone());
    let from = goal::complete(from, &nothing(&from.topology));
    let to = goal::complete(to, &nothing(&to.topology));
    let changes = diff::side_by_side(&from, &to).filter_map(|(id, old, new)| {
        let (action, drift) = match (old, new) {
            (Some(_), None) => (Action::Delete, Vec::new()),
            (None, Some(_)) => (Action::Create, Vec::new()),
            (Some(old), Some(new)) => {
                let drift = drift(&old.resource, &new.resource);
                (action(&drift, old)?, drift)
            }
            (None, None) => return None,
        };
        let resource = |item: Option<&Item>| item.map(|item| item.resource.clone());
        let (before, after) = (resource(old), resource(new));
        Some(Change { id: id.clone(), action, before, after, drift, loses: Vec::new(), gone: Vec::new() })
    });
    Plan { changes: changes.collect(), wanted: to, base: from, steps: Vec::new(), warnings: Vec::new() }
}

/// The changes of a plan the other way round: what makes what is there of what is wanted.
#[must_use]
pub fn reversed(plan: Plan) -> Plan {
    let back = |change: Change| Change {
        action: match change.action {
            Action::Create => Action::Delete,
            Action::Delete => Action::Create,
            other => other,
        },
        before: change.after,
        after: change.before,
        drift: change.drift.into_iter().map(|drift| Drift { old: drift.new, new: drift.old, ..drift }).collect(),
        id: change.id,
        loses: Vec::new(),
        gone: Vec::new(),
    };
    Plan {
        wanted: plan.base,
        base: plan.wanted,
        changes: plan.changes.into_iter().map(back).collect(),
        steps: Vec::new(),
        warnings: Vec::new(),
    }
}

fn action(drift: &[Drift], old: &Item) -> Option<Action> {
    let worst = drift.iter().map(|drift| drift.impact).max()?;
    Some(if worst == Impact::Replace && old.owner == Owner::Ours { Action::Replace } else { Action::Update })
}

/// The fields in which two wanted resources differ: those that a plan compares, and those that one of the two leaves to
/// the kernel.
fn drift(old: &Resource, new: &Resource) -> Vec<Drift> {
    let mut drift = new.drift(old);
    match (old, new) {
        (Resource::Namespace(old), Resource::Namespace(new)) => {
            one_sided(
                &mut drift,
                "origin",
                Some(&node_origin(&old.tenure)),
                Some(&node_origin(&new.tenure)),
                Impact::Replace,
            );
        }
        (Resource::Link(old), Resource::Link(new)) => links(&mut drift, old, new),
        (Resource::Address(old), Resource::Address(new)) => addresses(&mut drift, old, new),
        (Resource::Route(old), Resource::Route(new)) => routes(&mut drift, old, new),
        (Resource::Peer(old), Resource::Peer(new)) => peers(&mut drift, old, new),
        _ => {}
    }
    // What carries a mark in one of two files carries it in the other.
    drift.retain(|drift| drift.field != "mark");
    drift
}

/// Adds a difference that is not there yet, of a field that a plan does not compare.
fn one_sided<T: PartialEq + fmt::Display>(
    list: &mut Vec<Drift>,
    field: &str,
    old: Option<&T>,
    new: Option<&T>,
    impact: Impact,
) {
    let word = |value: Option<&T>| value.map_or_else(|| LEFT.to_owned(), T::to_string);
    if old != new && !list.iter().any(|drift| drift.field == field) {
        list.push(Drift::new(field, word(old), word(new), impact));
    }
}

fn node_origin(tenure: &NodeTenure) -> String {
    match tenure {
        NodeTenure::Created => "created".to_owned(),
        NodeTenure::Host => "host".to_owned(),
        NodeTenure::Existing(place) => format!("existing, {place}"),
    }
}

fn link_origin(tenure: &Tenure) -> String {
    match tenure {
        Tenure::Created => "created".to_owned(),
        Tenure::Existing => "existing".to_owned(),
        Tenure::From(from) => format!("from {from}"),
    }
}

fn links(drift: &mut Vec<Drift>, old: &Link, new: &Link) {
    one_sided(drift, "origin", Some(&link_origin(&old.tenure)), Some(&link_origin(&new.tenure)), Impact::Replace);
    let mac = kinds::mac_impact(&new.kind).unwrap_or(Impact::Replace);
    setting(drift, "up", &old.up, &new.up, Impact::Flap);
    setting(drift, "mtu", &old.mtu, &new.mtu, Impact::InPlace);
    setting(drift, "mac", &old.mac, &new.mac, mac);
    setting(drift, "arp", &old.arp, &new.arp, Impact::InPlace);
    setting(drift, "multicast", &old.multicast, &new.multicast, Impact::InPlace);
    setting(drift, "txqueuelen", &old.txqueuelen, &new.txqueuelen, Impact::InPlace);
    setting(drift, "queues", &old.queues, &new.queues, Impact::Replace);
    setting(drift, "port-vlan", &old.vlans, &new.vlans, Impact::InPlace);
    let names =
        |link: &Link| link.alternative_names.get().map(|names| names.iter().cloned().collect::<Vec<_>>().join(", "));
    one_sided(drift, "alternative-names", names(old).as_ref(), names(new).as_ref(), Impact::InPlace);
    let master =
        |link: &Link| link.master.get().map(|master| master.as_ref().map_or("none".to_owned(), ToString::to_string));
    one_sided(drift, "master", master(old).as_ref(), master(new).as_ref(), Impact::InPlace);
    // Of one that is re-created, or a port no more, each attribute would be shown as well.
    if old.kind == new.kind {
        let impact = |name: &str| {
            let attribute = kinds::of(&new.kind).iter().find(|attribute| attribute.name == name);
            attribute.map_or(Impact::InPlace, |attribute| attribute.impact)
        };
        options(drift, "", &old.options, &new.options, impact);
    }
    if old.master == new.master {
        options(drift, "", &old.port, &new.port, |_| Impact::InPlace);
    }
    options(drift, "offload ", &old.offload, &new.offload, |_| Impact::InPlace);
}

fn setting<T: PartialEq + fmt::Display>(
    drift: &mut Vec<Drift>,
    field: &str,
    old: &Setting<T>,
    new: &Setting<T>,
    impact: Impact,
) {
    one_sided(drift, field, old.get(), new.get(), impact);
}

fn options(drift: &mut Vec<Drift>, before: &str, old: &Options, new: &Options, impact: impl Fn(&str) -> Impact) {
    let all: std::collections::BTreeSet<&str> = old.keys().chain(new.keys()).map(AsRef::as_ref).collect();
    for name in all {
        let (was, is): (Option<&Value>, Option<&Value>) = (old.get(name), new.get(name));
        one_sided(drift, &format!("{before}{name}"), was, is, impact(name));
    }
}

fn addresses(drift: &mut Vec<Drift>, old: &Address, new: &Address) {
    setting(drift, "scope", &old.scope, &new.scope, Impact::Replace);
    setting(drift, "label", &old.label, &new.label, Impact::Replace);
    setting(drift, "nodad", &old.nodad, &new.nodad, Impact::Replace);
}

fn routes(drift: &mut Vec<Drift>, old: &Route, new: &Route) {
    setting(drift, "scope", &old.scope, &new.scope, Impact::Replace);
    // The interface that the kernel is to find may be written in one of the two.
    let hops = |route: &Route| route.nexthops.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    if old.nexthops.len() != new.nexthops.len() {
        one_sided(drift, "nexthop", Some(&hops(old)), Some(&hops(new)), Impact::InPlace);
    }
}

fn peers(drift: &mut Vec<Drift>, old: &Peer, new: &Peer) {
    setting(drift, "endpoint", &old.endpoint, &new.endpoint, Impact::InPlace);
    one_sided(drift, "preshared-key-file", old.preshared_file.as_ref(), new.preshared_file.as_ref(), Impact::InPlace);
}
