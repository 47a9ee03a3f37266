//! Links: what goes with them, and what setting them down takes away.

use super::cascade;
use super::cascade::{UNKNOWN_MTU, follow, ipv6_gone, ipv6_settings_gone};
use super::refusal::Refusal;
use super::route::Loss;
use super::{height, neighbor, route, stacked, vlan};
use crate::resource::{
    ETHERNET_MTU, Foreign, Kind, Link, LinkId, Owner, Resource, ResourceId, Setting, State, Tenure, Value, kinds,
};

/// A link that something depends on.
pub(super) fn needs(state: &State, id: &LinkId) -> Result<(), Refusal> {
    state.link(id).map(|_| ()).ok_or_else(|| Refusal::new(format!("there is no link {id}")))
}

/// What a fresh link has where `link` says nothing.
fn fresh(link: &Link) -> Link {
    let mut link = link.clone();
    kinds::fill(kinds::of(&link.kind), &mut link.options);
    link.offload.clear();
    link.up = link.up.over(&Setting::Is(false));
    link.master = link.master.over(&Setting::Is(None));
    if link.kind == Kind::Bridge {
        link.mtu = link.mtu.over(&Setting::Is(ETHERNET_MTU));
    }
    link.alternative_names = link.alternative_names.over(&Setting::Is(Default::default()));
    if matches!(link.master, Setting::Is(Some(_))) {
        port_defaults(&mut link);
    }
    link
}

/// Gives a port what the kernel gives it where it says nothing. What a way over it costs depends on its speed, which is
/// only known of a veth end (`port_cost` in `net/bridge/br_if.c`).
fn port_defaults(link: &mut Link) {
    let cost = link.port.remove("cost");
    kinds::fill(kinds::PORT, &mut link.port);
    match cost {
        Some(cost) => _ = link.port.insert("cost".into(), cost),
        None if link.kind != Kind::Veth => _ = link.port.remove("cost"),
        None => {}
    }
}

/// What a bond or VRF that a link is a port of is.
fn master_kind(state: &State, link: &Link) -> Option<Kind> {
    Some(state.link(&link.master_id()?)?.kind.clone())
}

fn place(state: &State, link: &Link) -> Result<(), Refusal> {
    if state.namespace(&link.id.node).is_none() {
        return Err(Refusal::new(format!("there is no namespace {}", link.id.node)));
    }
    if state.link(&link.id).is_some() {
        return Err(Refusal::new(format!("link {} exists", link.id)));
    }
    if let Some(lower) = &link.link {
        needs(state, lower)?;
        let loose = link.options.get("loose-binding") == Some(&Value::Bool(true));
        let down = state.link(lower).is_some_and(|lower| lower.up == Setting::Is(false));
        if link.kind == Kind::Vlan && link.up == Setting::Is(true) && down && !loose {
            return Err(Refusal::new(format!("{lower} is down, and a VLAN on it cannot be up")));
        }
    }
    let lower = height::stands_on(state, link);
    fits(state, &link.kind, &link.mtu, lower.as_ref())?;
    free(state, &Link { link: lower, ..link.clone() })?;
    height::made(state, link)?;
    enslavable(state, link)
}

/// Some kinds have no larger MTU than what they are on.
fn fits(state: &State, kind: &Kind, mtu: &Setting<u32>, lower: Option<&LinkId>) -> Result<(), Refusal> {
    let Some(lower) = lower.filter(|_| kinds::no_larger_than_below(kind)).and_then(|lower| state.link(lower)) else {
        return Ok(());
    };
    match (mtu.get(), lower.mtu.get()) {
        (Some(own), Some(most)) if own > most && *most != UNKNOWN_MTU => {
            Err(Refusal::new(format!("{} has an mtu of {most}, and what is on it no larger one", lower.id)))
        }
        _ => Ok(()),
    }
}

/// One thing alone takes what comes in on a link (`netdev_rx_handler_register`): the bridge or bond that has it as a
/// port, or what depends on it.
fn free(state: &State, link: &Link) -> Result<(), Refusal> {
    let lower = link.link.as_ref().filter(|_| stacked::takes(&link.kind)).and_then(|lower| state.link(lower));
    match lower.map(|lower| (&lower.id, master_kind(state, lower))) {
        Some((lower, Some(Kind::Bridge | Kind::Bond))) => {
            Err(Refusal::new(format!("{lower} is a port, and what comes in there goes to its master")))
        }
        _ => Ok(()),
    }
}

/// A master must be there, and a bridge is no port of a bridge (`br_add_if`).
fn enslavable(state: &State, link: &Link) -> Result<(), Refusal> {
    let Some(master) = link.master_id() else { return Ok(()) };
    let Some(above) = state.link(&master) else { return Err(Refusal::new(format!("there is no link {master}"))) };
    if above.kind == Kind::Bridge && link.kind == Kind::Bridge {
        return Err(Refusal::new("can not enslave a bridge to a bridge"));
    }
    // (`__netdev_has_upper_dev`) A tunnel only sends by its link, and depends on nothing.
    let stands = |link: &Link| link.link.clone().filter(|_| kinds::dies_with_link(&link.kind));
    let mut below = stands(link).or_else(|| stands(state.link(&link.id)?));
    while let Some(lower) = below {
        if lower == master {
            return Err(Refusal::new(format!("{master} is a lower device of {}", link.id)));
        }
        below = state.link(&lower).and_then(stands);
    }
    let comes = state.link(&link.id).is_some_and(|there| there.master_id().as_ref() != Some(&master));
    if comes || state.link(&link.id).is_none() {
        height::joins(state, link, &master)?;
    }
    let taker = |above: &&Link| above.link.as_ref() == Some(&link.id) && stacked::takes(&above.kind);
    if comes && matches!(above.kind, Kind::Bridge | Kind::Bond) && state.links().any(|above| taker(&above)) {
        return Err(Refusal::new(format!("something on {} takes its frames", link.id)));
    }
    Ok(())
}

pub(super) fn create(state: &mut State, link: &Link) -> Result<Vec<ResourceId>, Refusal> {
    place(state, link)?;
    let mut fresh = Link { link: height::stands_on(state, link), ..fresh(link) };
    if let Some(lower) =
        fresh.link.as_ref().filter(|_| kinds::no_larger_than_below(&link.kind)).and_then(|lower| state.link(lower))
    {
        fresh.mtu = fresh.mtu.over(&lower.mtu);
    }
    state.insert(Resource::Link(Box::new(fresh)), Owner::Ours);
    stacked::taken_in(state, &link.id);
    if link.kind == Kind::Vrf {
        stacked::first_vrf(state, link);
    }
    vlan::joined(state, &link.id);
    let mut lost = follow(state, link.master_id(), &link.mtu);
    lost.extend(neighbor::joined(state, link));
    Ok(lost)
}

pub(super) fn create_pair(state: &mut State, first: &Link, second: &Link) -> Result<Vec<ResourceId>, Refusal> {
    if first.id == second.id || first.peer.as_ref() != Some(&second.id) || second.peer.as_ref() != Some(&first.id) {
        return Err(Refusal::new(format!("{} and {} are not a pair", first.id, second.id)));
    }
    place(state, first)?;
    place(state, second)?;
    state.insert(Resource::Link(Box::new(fresh(first))), Owner::Ours);
    state.insert(Resource::Link(Box::new(fresh(second))), Owner::Ours);
    stacked::taken_in(state, &first.id);
    stacked::taken_in(state, &second.id);
    vlan::joined(state, &first.id);
    vlan::joined(state, &second.id);
    let mut lost = follow(state, first.master_id(), &first.mtu);
    lost.extend(follow(state, second.master_id(), &second.mtu));
    lost.extend(neighbor::joined(state, first));
    lost.extend(neighbor::joined(state, second));
    Ok(lost)
}

/// Gives `link` what all kinds have, where `wanted` manages it.
fn take(link: &mut Link, wanted: &Link, before: &Link) {
    link.up = wanted.up.over(&before.up);
    link.arp = wanted.arp.over(&before.arp);
    link.multicast = wanted.multicast.over(&before.multicast);
    link.mtu = wanted.mtu.over(&before.mtu);
    link.mac = wanted.mac.over(&before.mac);
    link.master = wanted.master.over(&before.master);
    link.alternative_names = wanted.alternative_names.over(&before.alternative_names);
    link.txqueuelen = wanted.txqueuelen.over(&before.txqueuelen);
    link.offload.extend(wanted.offload.clone());
    link.marked |= wanted.marked;
    (link.dhcp4, link.dhcp6) = (wanted.dhcp4, wanted.dhcp6);
    // It is made again.
    link.missing.clear();
}

/// Changes the link itself, without what follows from that for others: the link before and after.
fn change(state: &mut State, wanted: &Link) -> Result<(Link, Link), Refusal> {
    let Some(Resource::Link(link)) =
        state.items.get_mut(&ResourceId::Link(wanted.id.clone())).map(|item| &mut item.resource)
    else {
        return Err(Refusal::new(format!("there is no link {}", wanted.id)));
    };
    let before = link.clone();
    take(link, wanted, &before);
    if wanted.link.is_some() {
        link.link.clone_from(&wanted.link);
    }
    link.options.extend(wanted.options.clone());
    if link.master != before.master {
        link.port.clear();
    }
    if matches!(link.master, Setting::Is(Some(_))) {
        link.port.extend(wanted.port.clone());
        port_defaults(link);
    }
    Ok((*before, (**link).clone()))
}

pub(super) fn update(state: &mut State, wanted: &Link) -> Result<Vec<ResourceId>, Refusal> {
    enslavable(state, wanted)?;
    if let Some(there) = state.link(&wanted.id).filter(|there| there.mtu != wanted.mtu) {
        fits(state, &there.kind, &wanted.mtu, wanted.link.as_ref().or(there.link.as_ref()))?;
    }
    let masters = (state.link(&wanted.id).and_then(|link| master_kind(state, link)), master_kind(state, wanted));
    let (before, now) = change(state, wanted)?;
    let id = wanted.id.clone();
    let flaps = stacked::flaps(&before, wanted) || (now.master != before.master && stacked::cycles(&masters));
    let down = before.up == Setting::Is(true) && (now.up == Setting::Is(false) || flaps);
    let rises = before.up == Setting::Is(false) && now.up == Setting::Is(true);
    let shrunk = now.too_small_for_ipv6() && !before.too_small_for_ipv6();
    let (old, new) = (before.master_id(), now.master_id());
    let moved = old != new;
    let mut lost = Vec::new();
    if moved || before.mtu != now.mtu {
        lost.extend(follow(state, old, &Setting::Left));
        lost.extend(follow(state, new, &now.mtu));
    }
    if moved {
        stacked::taken_in(state, &id);
        stacked::left(state, &before, &now);
    }
    lost.extend(cascade::ripple(state, &before, &now));
    lost.extend(vlan::changed(state, &before, wanted));
    if now.mac != before.mac || now.arp != before.arp || down {
        lost.extend(neighbor::forgotten(state, &id, down));
    }
    if now.mac != before.mac || now.master != before.master {
        lost.extend(neighbor::left(state, &before));
        lost.extend(neighbor::joined(state, &now));
    }
    if down {
        lost.extend(route::over_link(state, &id, None, Loss::Down));
    }
    if down || rises {
        made_again(state, &id);
    }
    if down || shrunk {
        lost.extend(ipv6_gone(state, &id));
    }
    if shrunk {
        lost.extend(ipv6_settings_gone(state, &id));
    }
    // No VLAN can be on the loopback interface, and every namespace has one that comes up.
    if (down || rises) && now.kind != Kind::Loopback {
        lost.extend(cascade::vlans(state, &id, now.up == Setting::Is(true)));
    }
    Ok(lost)
}

/// A link that comes up has all that the kernel makes of its IPv4 addresses again (`fib_netdev_event`), and one that is
/// down needs none.
fn made_again(state: &mut State, id: &LinkId) {
    let there: Vec<ResourceId> = state.addresses_of(id).map(crate::resource::Address::id).collect();
    for address in there {
        if let Some(Resource::Address(address)) = state.items.get_mut(&address).map(|item| &mut item.resource) {
            address.missing.clear();
        }
    }
}

/// What goes with a link that is gone from `state` already: what depends on it, its peer, links over it, its routes.
/// Its ports are free.
pub(super) fn after_delete(state: &mut State, link: &Link) -> Vec<ResourceId> {
    let gone = &link.id;
    let mut lost = state.on_link(gone);
    for id in &lost {
        state.items.remove(id);
    }
    lost.extend(follow(state, link.master_id(), &Setting::Left));
    lost.extend(route::over_link(state, gone, None, Loss::Gone));
    let ports: Vec<LinkId> = state
        .links_of(&gone.node)
        .filter(|link| link.master.get() == Some(&Some(gone.name.clone())))
        .map(|link| link.id.clone())
        .collect();
    for port in ports {
        if let Some(Resource::Link(other)) =
            state.items.get_mut(&ResourceId::Link(port.clone())).map(|item| &mut item.resource)
        {
            other.master = Setting::Is(None);
            other.port.clear();
        }
        lost.extend(vlan::left(state, &port));
        lost.extend(stacked::released(state, &link.kind, &port));
        lost.push(ResourceId::Link(port));
    }
    stacked::left(state, link, &Link::bare(gone.clone(), Kind::Any));
    lost.extend(neighbor::left(state, link));
    lost.extend(without(state, |link| link == gone));
    lost
}

/// What goes with links that are `gone` from `state` already: their peers, and what depends on them.
pub(super) fn without(state: &mut State, gone: impl Fn(&LinkId) -> bool) -> Vec<ResourceId> {
    let with: Vec<LinkId> = state
        .links()
        .filter(|link| link.peer.as_ref().is_some_and(&gone) || link.link.as_ref().is_some_and(&gone))
        .map(|link| link.id.clone())
        .collect();
    let mut lost = Vec::new();
    for id in with {
        if stacked::stays_without(state, &id, &gone) {
            continue;
        }
        if let Some(Resource::Link(link)) = state.items.remove(&ResourceId::Link(id.clone())).map(|item| item.resource)
        {
            lost.push(ResourceId::Link(id));
            lost.extend(after_delete(state, &link));
        }
    }
    lost
}

/// Moves a link to another namespace: it is down there, without addresses, routes and master
/// (`__dev_change_net_namespace`).
pub(super) fn relocate(state: &mut State, from: &LinkId, to: &LinkId) -> Result<Vec<ResourceId>, Refusal> {
    let Some(link) = state.link(from).cloned() else { return Err(Refusal::new(format!("there is no link {from}"))) };
    if state.link(to).is_some() {
        return Err(Refusal::new(format!("link {to} exists")));
    }
    if state.namespace(&to.node).is_none() {
        return Err(Refusal::new(format!("there is no namespace {}", to.node)));
    }
    let back = matches!(&link.tenure, Tenure::From(source) if source == to);
    let ours = if back { Owner::Theirs(Foreign::Unknown) } else { Owner::Ours };
    let mut moved = Link { id: to.clone(), up: Setting::Is(false), master: Setting::Is(None), ..link.clone() };
    moved.port.clear();
    moved.vlans = Setting::Left;
    moved.tenure = if back { Tenure::Existing } else { Tenure::From(from.clone()) };
    // Nothing's mark shows whose it is: the record does.
    moved.marked = !back;
    // What stands over it or is its peer stays; only what is on it goes.
    let mut lost = state.on_link(from);
    for id in &lost {
        state.items.remove(id);
    }
    lost.extend(route::over_link(state, from, None, Loss::Gone));
    state.items.remove(&ResourceId::Link(from.clone()));
    lost.extend(follow(state, link.master_id(), &Setting::Left));
    lost.extend(neighbor::left(state, &link));
    if let Some(peer) = &moved.peer
        && let Some(Resource::Link(other)) =
            state.items.get_mut(&ResourceId::Link(peer.clone())).map(|item| &mut item.resource)
    {
        other.peer = Some(to.clone());
    }
    state.insert(Resource::Link(Box::new(moved)), ours);
    // Of what depends on it only a vxlan takes the move for its end: the others look whether the link is really gone
    // (`vxlan_netdevice_event`).
    let ended: Vec<Link> =
        state.links().filter(|above| above.kind == Kind::Vxlan && above.link.as_ref() == Some(from)).cloned().collect();
    for above in ended {
        state.items.remove(&above.id());
        lost.push(above.id());
        lost.extend(after_delete(state, &above));
    }
    Ok(lost)
}
