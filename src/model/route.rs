//! Routes: which the kernel refuses, and which it takes away.

use super::creation::born_as;
use super::refusal::Refusal;
use crate::resource::{
    Address, Family, LinkId, NextHop, Node, Resource, ResourceId, Route, Rule, RuleAction, Setting, State, TableId,
    Tenure,
};
use std::net::IpAddr;

pub(super) fn create(state: &mut State, route: &Route) -> Result<(), Refusal> {
    if state.get(&route.id()).is_some() {
        return Err(Refusal::new(format!("route {} exists", route.id())));
    }
    reachable(state, route)?;
    let resource = Resource::Route(route.clone());
    let owner = born_as(state, &resource);
    state.insert(resource, owner);
    Ok(())
}

/// The interfaces of a route must be there, and up unless it ends in the node (`fib_check_nh`: "Nexthop device is not
/// up"), and its gateways are
/// looked for by the policy rules ("Nexthop has invalid gateway"). In namespaces of ours, where all rules are known,
/// one has to lead to the table `main`.
pub(super) fn reachable(state: &State, route: &Route) -> Result<(), Refusal> {
    let made = state.is_made(&route.node);
    for via in route.nexthops.iter().filter(|hop| made && !hop.onlink).filter_map(|hop| hop.via) {
        let family = if via.is_ipv4() { Family::V4 } else { Family::V6 };
        let to_main = |rule: &Rule| rule.key.family == family && rule.key.action == RuleAction::Table(TableId::MAIN);
        if !state.rules_of(&route.node).any(to_main) {
            return Err(Refusal::new(format!(
                "no rule of {} leads to the table main, where gateway {via} is looked for",
                route.node
            )));
        }
    }
    for dev in route.nexthops.iter().filter_map(|hop| hop.dev.as_ref()) {
        let id = LinkId { node: route.node.clone(), name: dev.clone() };
        match state.link(&id) {
            None => return Err(Refusal::new(format!("there is no link {id}"))),
            Some(link) if link.up == Setting::Is(false) && !route.ends_here() => {
                let left = link.tenure == Tenure::Existing;
                let help = left.then(|| {
                    format!("{id} was set down outside topo, and the file leaves it so: write `up: true` there, or set it up")
                });
                return Err(Refusal { help, ..Refusal::new(format!("link {id} is down")) });
            }
            Some(_) => {}
        }
    }
    Ok(())
}

/// What happened to a link.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Loss {
    /// It is down.
    Down,
    /// It has no address of the family left.
    Bare,
    /// It is gone from the namespace.
    Gone,
}

/// Routes over a link that lost what they need. An IPv4 route of scope host stays when it is down: there is nowhere
/// that it leads to (`fib_sync_down_dev`). One with other next hops stays with a dead one where the link is down; where
/// it is gone, IPv4 drops all of it (`fib_sync_down_dev`), IPv6 the one hop (`fib6_ifdown`). One by a next-hop object
/// outlives the addresses, and goes with the object, which goes with a link that is down (`nexthop_flush_dev`).
pub(super) fn over_link(state: &mut State, link: &LinkId, family: Option<Family>, loss: Loss) -> Vec<ResourceId> {
    let over = |route: &&Route| {
        let stays = loss == Loss::Down && route.ends_here();
        let by_object = route.nhid.is_some() && loss == Loss::Bare;
        !stays
            && !by_object
            && family.is_none_or(|family| family == Family::of(&route.key.to))
            && route.nexthops.iter().any(|hop| hop.dev.as_ref() == Some(&link.name))
    };
    let ids: Vec<ResourceId> = state.routes_of(&link.node).filter(over).map(Route::id).collect();
    for id in &ids {
        let Some(Resource::Route(route)) = state.items.get_mut(id).map(|item| &mut item.resource) else { continue };
        let rest = route.nexthops.iter().any(|hop| hop.dev.as_ref() != Some(&link.name));
        match (rest, loss, route.key.to.addr()) {
            (true, Loss::Down | Loss::Bare, _) => route.dead = true,
            (true, ..) if route.nhid.is_some() => route.nexthops.retain(|hop| hop.dev.as_ref() != Some(&link.name)),
            (true, Loss::Gone, IpAddr::V6(_)) => route.nexthops.retain(|hop| hop.dev.as_ref() != Some(&link.name)),
            (true, Loss::Gone, IpAddr::V4(_)) | (false, _, _) => {
                state.items.remove(id);
            }
        }
    }
    ids
}

/// IPv6 routes with an `mtu` of their own, over a link whose MTU is another one now: none stays above it, and one that
/// was the link's follows it, up as well (`rt6_mtu_change_route`, net/ipv6/route.c), unless it is locked.
pub(super) fn path_mtu(state: &mut State, link: &LinkId, before: &Setting<u32>, mtu: u32) -> Vec<ResourceId> {
    let locked =
        |route: &Route| route.metrics.get(&Route::METRIC_LOCK).is_some_and(|mask| mask & (1 << Route::METRIC_MTU) != 0);
    let follows = |route: &&Route| {
        Family::of(&route.key.to) == Family::V6
            && route.mtu.is_some_and(|own| own > mtu || own < mtu && *before == Setting::Is(own))
            && !locked(route)
            && route.nexthops.first().is_some_and(|hop| hop.dev.as_ref() == Some(&link.name))
    };
    let ids: Vec<ResourceId> = state.routes_of(&link.node).filter(follows).map(Route::id).collect();
    for id in &ids {
        if let Some(Resource::Route(route)) = state.items.get_mut(id).map(|item| &mut item.resource) {
            route.mtu = Some(mtu);
        }
    }
    ids
}

/// Routes with a source address that is gone: IPv4 drops them (`fib_sync_down_addr`), IPv6 takes the source from them
/// (`rt6_remove_prefsrc`).
pub(super) fn from_source(state: &mut State, node: &Node, source: IpAddr) -> Vec<ResourceId> {
    let held = state
        .items
        .range(ResourceId::Address(LinkId::new(node.clone(), ""), ipnet::IpNet::V4(Default::default()), None)..);
    let elsewhere = held
        .take_while(|(id, _)| matches!(id, ResourceId::Address(link, ..) if link.node == *node))
        .any(|(id, _)| matches!(id, ResourceId::Address(_, address, _) if address.addr() == source));
    if elsewhere {
        return Vec::new();
    }
    let ids: Vec<ResourceId> =
        state.routes_of(node).filter(|route| route.source == Some(source)).map(Route::id).collect();
    for id in &ids {
        match state.items.get_mut(id).map(|item| &mut item.resource) {
            Some(Resource::Route(route)) if source.is_ipv6() => route.source = None,
            _ => _ = state.items.remove(id),
        }
    }
    ids
}

/// Why the kernel would refuse a foreign route that is to come back; `None` where it takes it, as far as is known. Its
/// interfaces are there and up. `fresh` says of an address whether it was made a moment ago: while duplicate address
/// detection goes on it is no source of an IPv6 route (`ip6_route_info_create`).
pub fn cannot_come_back(state: &State, route: &Route, fresh: impl Fn(&Address) -> bool) -> Option<String> {
    if let Some(id) = route.nhid {
        return Some(format!("its next-hop object {id} went with an interface"));
    }
    if let Some(source) = route.source.filter(|source| !of_the_kernel(source)) {
        let mut held = state
            .links_of(&route.node)
            .flat_map(|link| state.addresses_of(&link.id))
            .filter(|address| address.address.addr() == source)
            .peekable();
        if held.peek().is_none() {
            return Some(format!("its source address {source} is gone"));
        }
        if held.all(|address| source.is_ipv6() && address.nodad != Setting::Is(true) && fresh(address)) {
            return Some(format!(
                "its source address {source} is re-created, and not usable until duplicate address detection is done"
            ));
        }
    }
    let lost = |hop: &&NextHop| {
        !hop.onlink && hop.via.is_some_and(|via| !of_the_kernel(&via) && !is_near(state, route, hop, &via))
    };
    let hop = route.nexthops.iter().find(lost)?;
    Some(format!("its gateway {} is in no subnet of {}", hop.via?, hop.dev.as_ref()?))
}

/// Whether an address is one that the kernel makes by itself, of which no note is kept.
fn of_the_kernel(address: &IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_loopback(),
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unicast_link_local(),
    }
}

/// Whether a gateway can be reached over the interface of its hop without another gateway.
fn is_near(state: &State, route: &Route, hop: &NextHop, via: &IpAddr) -> bool {
    let Some(dev) = &hop.dev else { return true };
    let link = LinkId { node: route.node.clone(), name: dev.clone() };
    let connects = |address: &Address| {
        address.flags & Address::NO_PREFIX_ROUTE == 0
            && address.subnet().contains(via)
            && address.address.addr() != *via
    };
    let leads = |other: &Route| {
        other.key.to.contains(via)
            && other.nexthops.iter().any(|hop| hop.dev.as_ref() == Some(dev) && hop.via.is_none())
    };
    state.addresses_of(&link).any(connects) || state.routes_of(&route.node).any(leads)
}
