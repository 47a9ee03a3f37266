//! The record of a topology before, during and after an apply.

use super::{keys, offload, said};
use crate::plan::change::Plan;
use crate::resource::{
    Address, Family, Fdb, FdbTarget, Kind, Link, LinkId, Node, NodeTenure, Owner, Record, Resource, ResourceId, Route,
    Setting, State, Sysctl, TableRecord, Tenure, kinds,
};
use std::collections::{BTreeMap, BTreeSet};

/// The record while the plan is carried out: all that was there before, and all that will be, so that the program that
/// finds it can complete or remove the topology.
pub(super) fn during(plan: &Plan) -> Record {
    let mut record = plan.base.record.clone();
    record.running = true;
    record.adopts.clone_from(&plan.base.adopts);
    // What a namespace had before it went is of no use to the one that is made in its place.
    record
        .prior
        .retain(|prior| !matches!(prior, Resource::Sysctl(sysctl) if plan.base.namespace(&sysctl.node).is_none()));
    // Nor is the generation of a table that is gone: the one that is installed in its place may have the same, in a
    // namespace that is as fresh as that one was.
    record.tables.retain(|node, _| plan.base.get(&ResourceId::Table(node.clone())).is_some());
    changes(&mut record, &plan.wanted);
    let wanted = after_wanted(&plan.wanted);
    keys::endpoints(&mut record, &wanted);
    // What a client that the interface will have put there already is its.
    known(&mut record.clients, wanted.clients);
    known(&mut record.unnamed, wanted.unnamed);
    for (node, cookie) in wanted.namespaces {
        record.namespaces.entry(node).or_insert(cookie);
    }
    record.macs.extend(wanted.macs);
    record.mtus.extend(wanted.mtus);
    record.sizes.extend(wanted.sizes);
    record.existing.extend(wanted.existing);
    record.owned.extend(wanted.owned);
    keys::files(&mut record, wanted.key_files);
    for moved in wanted.moved {
        if !record.moved.contains(&moved) {
            record.moved.push(moved);
        }
    }
    for item in plan.wanted.items.values() {
        match &item.resource {
            Resource::Link(link) if kinds::traits(&link.kind).has_keys => keys::about_to(&mut record, plan, link),
            Resource::Link(link) => match &link.tenure {
                Tenure::From(source) => borrowed(&mut record, &plan.base, source),
                _ if item.owner == Owner::Named => configured(&mut record, &plan.base, &plan.wanted, link),
                _ => {}
            },
            Resource::Sysctl(sysctl) if remembered(&plan.wanted, sysctl) => {
                let id = sysctl.id();
                if let Some(there) = plan.base.prior_of_others(&id).or_else(|| plan.base.get(&id)) {
                    remember(&mut record, there.clone());
                }
                written_too(&mut record, plan, sysctl);
            }
            Resource::Rule(rule) if rule.kernel && rule.key.priority != 0 => displaced(&mut record, &plan.base, rule),
            _ => {}
        }
    }
    offload::during(&mut record, plan);
    record
}

/// Adds `wanted`, each in place of what was known of the same.
fn known<K: Ord, V>(record: &mut Vec<(K, V)>, wanted: Vec<(K, V)>) {
    let known: BTreeMap<K, V> = std::mem::take(record).into_iter().chain(wanted).collect();
    record.extend(known);
}

/// The record when all is done: what the file still speaks of.
pub(super) fn after(during: &Record, wanted: &State) -> Record {
    let mut record = after_wanted(wanted);
    (record.host_cookie, record.processes) = (during.host_cookie, during.processes);
    record.cookies = during
        .cookies
        .iter()
        .filter(|(node, _)| record.existing.contains_key(*node))
        .map(|(node, cookie)| (node.clone(), *cookie))
        .collect();
    for (node, cookie) in &mut record.namespaces {
        *cookie = during.namespaces.get(node).copied().unwrap_or(0);
    }
    record.prior = during.prior.iter().filter_map(|prior| still(&record.moved, wanted, prior)).collect();
    record.offload = offload::after(during, wanted);
    record.numbers = during.numbers.iter().filter(|(link, _)| knows(&record, link)).cloned().collect();
    record.tables = during
        .tables
        .iter()
        .filter(|(node, _)| wanted.get(&ResourceId::Table((*node).clone())).is_some())
        .map(|(node, table)| (node.clone(), table.clone()))
        .collect();
    record
}

/// What is set to another value is not known to be as topo set it until all is done: where the run is cut off it would
/// be taken for foreign.
fn changes(record: &mut Record, wanted: &State) {
    let same = |wrote: &Sysctl| !matches!(wanted.get(&wrote.id()), Some(Resource::Sysctl(wanted)) if !wanted.drift(wrote).is_empty());
    record.wrote.retain(same);
    for set in &mut record.configured {
        if let Some(wanted) = wanted.link(&set.id) {
            *set = set.without_changed(set, wanted);
        }
    }
}

/// Whether a record speaks of a foreign interface.
fn knows(record: &Record, link: &LinkId) -> bool {
    let before = || {
        record
            .prior
            .iter()
            .flat_map(Resource::links)
            .chain(record.wrote.iter().filter_map(Sysctl::link))
            .any(|on| on == *link)
    };
    record.configured.iter().any(|named| named.id == *link)
        || record.moved.iter().any(|(now, _)| now == link)
        || before()
}

/// Takes over what the kernel door put into the record: by what namespaces and interfaces are known.
pub(super) fn known_by(record: &mut Record, seen: &Record) {
    record.namespaces.clone_from(&seen.namespaces);
    record.cookies.clone_from(&seen.cookies);
    record.numbers.clone_from(&seen.numbers);
    (record.host_cookie, record.processes) = (seen.host_cookie, seen.processes);
}

/// Notes the tables that were just installed.
pub(super) fn tables(record: &mut Record, wanted: &State, generations: Vec<(Node, u32)>) {
    for (node, generation) in generations {
        match wanted.get(&ResourceId::Table(node.clone())) {
            // One of which others have the place is none.
            Some(Resource::Table(table)) if !table.chains.is_empty() => {
                record.tables.insert(node, TableRecord { generation, table: table.clone() })
            }
            _ => record.tables.remove(&node),
        };
    }
}

/// Forgets what was before on interfaces of others that the plan lost for good, as with a namespace that has the other
/// end: the kernel takes those away later than the namespace's name (`cleanup_net`), and until then they are seen.
pub(super) fn lost(record: &mut Record, plan: &Plan) {
    let gone: BTreeSet<&ResourceId> = plan.changes.iter().flat_map(|change| &change.gone).collect();
    record.prior.retain(|prior| !prior.links().into_iter().any(|link| gone.contains(&ResourceId::Link(link))));
}

/// Adds what was there before, unless something older is known.
pub(super) fn remember(record: &mut Record, resource: Resource) {
    if record.prior(&resource.id()).is_none() {
        record.prior.push(resource);
    }
}

/// Whether the value from before of a setting has to be remembered: not that of forwarding in a namespace of ours,
/// which is always managed there.
pub(super) fn remembered(wanted: &State, sysctl: &Sysctl) -> bool {
    let created = wanted.is_made(&sysctl.node);
    !(created && sysctl.forwards())
}

/// What follows from the wanted state alone.
fn after_wanted(wanted: &State) -> Record {
    let sizes = wanted.sizes().into_iter().filter(|(node, _)| wanted.is_made(node)).collect();
    let mut record = Record { sizes, ..Record::default() };
    // What goes back to what it was is foreign.
    for (id, item) in wanted.items.iter().filter(|(_, item)| item.owner != Owner::Restored) {
        let created = wanted.is_made(id.node());
        match &item.resource {
            Resource::Namespace(namespace) => match &namespace.tenure {
                NodeTenure::Created => {
                    record.namespaces.insert(namespace.node.clone(), 0);
                }
                NodeTenure::Existing(place) => {
                    record.existing.insert(namespace.node.clone(), place.clone());
                }
                NodeTenure::Host => {}
            },
            Resource::Link(link) => {
                if let Tenure::From(source) = &link.tenure {
                    record.moved.push((link.id.clone(), source.clone()));
                }
                if item.owner == Owner::Named && link.tenure == Tenure::Existing {
                    record.configured.push(link.only(link));
                }
                said::of_link(&mut record, link);
                if link.dhcp4 || link.dhcp6 {
                    record.clients.push((link.id.clone(), [link.dhcp4, link.dhcp6]));
                }
                keys::of_link(&mut record, link);
            }
            Resource::Peer(peer) => keys::of_peer(&mut record, peer),
            // What is behind a port is looked for where another program listed it.
            Resource::Fdb(Fdb { to: FdbTarget::Port(_), .. }) => _ = record.owned.insert(id.clone()),
            Resource::Sysctl(sysctl) if !created => record.wrote.push(sysctl.clone()),
            Resource::Qdisc(_)
            | Resource::Address(_)
            | Resource::Neighbor(_)
            | Resource::Fdb(_)
            | Resource::Route(_)
            | Resource::Rule(_)
            | Resource::Insert(_)
                if !created =>
            {
                record.owned.insert(id.clone());
            }
            _ => {}
        }
    }
    record
}

/// What a setting outside our namespaces writes besides, on interfaces of others.
fn written_too(record: &mut Record, plan: &Plan, sysctl: &Sysctl) {
    if plan.base.namespace(&sysctl.node).is_none_or(|namespace| namespace.tenure == NodeTenure::Created) {
        return;
    }
    let theirs = plan.base.links_of(&sysctl.node).filter(|link| {
        link.tenure != Tenure::Created || plan.base.items.get(&link.id()).is_some_and(|item| item.owner != Owner::Ours)
    });
    let names: Vec<&str> = theirs.map(|link| link.id.name.as_str()).collect();
    // Where another topology has the switch already it knows what that wrote. An interface that came since has no value
    // from before: it follows the switch.
    let had = plan.base.prior_of_others(&sysctl.id()).is_some();
    for key in Sysctl::writes_too(&sysctl.key, names.into_iter()) {
        let id = ResourceId::Sysctl(sysctl.node.clone(), key);
        let before = plan.base.prior_of_others(&id).or_else(|| plan.base.get(&id).filter(|_| !had));
        if let (Some(there), None) = (before, plan.wanted.get(&id)) {
            remember(record, there.clone());
        }
    }
}

/// A link that is moved: all of it, its addresses, its settings, the routes over it.
fn borrowed(record: &mut Record, base: &State, source: &LinkId) {
    let Some(link) = base.link(source) else { return };
    let whole = Link {
        tenure: Tenure::Existing,
        kind: Kind::Any,
        peer: None,
        link: None,
        options: Default::default(),
        offload: Default::default(),
        queues: Setting::Left,
        marked: false,
        ..link.clone()
    };
    widen(record, whole);
    let theirs = |address: &&Address| base.items.get(&address.id()).is_some_and(|item| item.owner != Owner::Ours);
    // What a DHCP client gave it for a time it gives it again.
    for address in base.addresses_of(source).filter(theirs).filter(|address| !address.expires) {
        remember(record, Resource::Address(address.clone()));
    }
    neighbors_on(record, base, source);
    for setting in
        base.on_link(source).iter().filter_map(|id| base.get(id)).filter(|on| matches!(on, Resource::Sysctl(_)))
    {
        remember(record, setting.clone());
    }
    routes_over(record, base, source, None);
}

/// The permanent neighbours that another program gave a link.
fn neighbors_on(record: &mut Record, base: &State, link: &LinkId) {
    let theirs =
        base.on_link(link).into_iter().filter_map(|id| base.items.get(&id)).filter(|item| item.owner != Owner::Ours);
    for neighbor in theirs.map(|item| &item.resource).filter(|resource| matches!(resource, Resource::Neighbor(_))) {
        remember(record, neighbor.clone());
    }
}

/// The routes over a foreign link, or those of one family alone.
fn routes_over(record: &mut Record, base: &State, link: &LinkId, family: Option<Family>) {
    let over = |route: &&Route| route.nexthops.iter().any(|hop| hop.dev.as_ref() == Some(&link.name));
    let theirs = |route: &&Route| !base.items.get(&route.id()).is_some_and(|item| item.owner == Owner::Ours);
    let meant = |route: &&Route| family.is_none_or(|family| Family::of(&route.key.to) == family);
    for route in base.routes_of(&link.node).filter(over).filter(theirs).filter(meant) {
        remember(record, Resource::Route(route.clone()));
    }
}

/// A link that is configured where it is: the fields that the file writes. What the record knows already is older and
/// stays.
fn configured(record: &mut Record, base: &State, goal: &State, wanted: &Link) {
    let Some(there) = base.link(&wanted.id) else { return };
    let without_ipv6 = goal.is_without_ipv6(&wanted.id);
    if wanted.up == Setting::Is(false) || without_ipv6 {
        // Going down costs it the routes over it and its IPv6 addresses, and so does IPv6 that is switched off.
        base.addresses_of(&wanted.id)
            .filter(|address| address.address.addr().is_ipv6() && !address.marked)
            .for_each(|address| remember(record, Resource::Address(address.clone())));
    }
    if wanted.up == Setting::Is(false) {
        neighbors_on(record, base, &wanted.id);
    }
    let off = goal.is_off(&wanted.id);
    if off || without_ipv6 {
        routes_over(record, base, &wanted.id, (!off).then_some(Family::V6));
    }
    if off || wanted.up == Setting::Is(false) {
        costs_of_others(record, base, &wanted.id);
    }
    let mut prior = there.only(wanted);
    for other in priors_of_others(base)
        .filter_map(Resource::as_link)
        .filter(|other| other.id == wanted.id && other.tenure == Tenure::Existing)
    {
        let mut first = other.only(wanted);
        first.fall_back_to(&prior);
        prior.port.append(&mut first.port);
        first.port = prior.port;
        prior = first;
    }
    widen(record, prior);
}

/// What the other topologies remember.
fn priors_of_others(base: &State) -> impl Iterator<Item = &Resource> {
    base.others.iter().flat_map(|(_, record)| &record.prior)
}

/// What going down cost a link when another topology set it down: the program that lets it up last puts that back.
fn costs_of_others(record: &mut Record, base: &State, link: &LinkId) {
    let lost = |prior: &&Resource| match prior {
        Resource::Address(address) => address.link == *link,
        Resource::Neighbor(neighbor) => neighbor.link == *link,
        Resource::Route(route) => {
            route.node == link.node && route.nexthops.iter().any(|hop| hop.dev.as_ref() == Some(&link.name))
        }
        _ => false,
    };
    priors_of_others(base).filter(lost).for_each(|prior| remember(record, prior.clone()));
}

/// Adds fields of a link from before to those that are known.
fn widen(record: &mut Record, mut prior: Link) {
    let known = record.prior.iter().position(|known| known.id() == prior.id());
    match known.and_then(|at| record.prior.get_mut(at)) {
        Some(Resource::Link(known)) => {
            known.fall_back_to(&prior);
            prior.port.append(&mut known.port);
            known.port = prior.port;
        }
        _ => record.prior.push(Resource::Link(Box::new(prior))),
    }
}

/// The kernel's rule 0 of a node that is not ours, where the file puts the rule for `local` elsewhere.
fn displaced(record: &mut Record, base: &State, rule: &crate::resource::Rule) {
    let zero = base.resources().find(|there| matches!(there, Resource::Rule(there) if there.kernel && there.node == rule.node && there.key.priority == 0 && there.key.family == rule.key.family));
    if let Some(zero) = zero {
        remember(record, zero.clone());
    }
}

/// What of `prior` the file still has away or changed.
fn still(moved: &[(LinkId, LinkId)], wanted: &State, prior: &Resource) -> Option<Resource> {
    let elsewhere = |link: &LinkId| moved.iter().any(|(_, source)| source == link);
    let away = |link: &LinkId| {
        elsewhere(link)
            || wanted.link(link).is_some_and(|link| link.tenure == Tenure::Existing && link.up == Setting::Is(false))
    };
    match prior {
        Resource::Link(link) if elsewhere(&link.id) => Some(prior.clone()),
        Resource::Neighbor(neighbor) if away(&neighbor.link) => Some(prior.clone()),
        Resource::Address(address) if away(&address.link) || wanted.bars(&address.link, &address.address) => {
            Some(prior.clone())
        }
        Resource::Route(route)
            if route.nexthops.iter().any(|hop| {
                let link = hop.dev.as_ref().map(|dev| LinkId { node: route.node.clone(), name: dev.clone() });
                link.is_some_and(|link| away(&link) || wanted.is_off(&link) || wanted.bars(&link, &route.key.to))
            }) =>
        {
            Some(prior.clone())
        }
        Resource::Link(link) => match wanted.items.get(&link.id()) {
            Some(item) if item.owner == Owner::Named => {
                item.resource.as_link().map(|wanted| Resource::Link(Box::new(link.only(wanted))))
            }
            _ => None,
        },
        Resource::Sysctl(sysctl) => {
            let main = sysctl.written_with().is_some_and(|main| wanted.get(&main).is_some());
            (main || sysctl.link().is_some_and(|link| elsewhere(&link)) || wanted.get(&sysctl.id()).is_some())
                .then(|| prior.clone())
        }
        Resource::Rule(rule) => {
            let elsewhere = |there: &Resource| matches!(there, Resource::Rule(there) if there.kernel && there.node == rule.node && there.key.priority != 0 && there.key.family == rule.key.family);
            wanted.resources().any(elsewhere).then(|| prior.clone())
        }
        _ => None,
    }
}
