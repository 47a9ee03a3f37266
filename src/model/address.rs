//! Addresses: primary and secondary ones, and what goes with the last.

use super::creation::born_as;
use super::refusal::Refusal;
use super::{link, neighbor, route};
use crate::resource::{Address, Family, IPV6_LEAST_MTU, Link, LinkId, Resource, ResourceId, State};
use ipnet::IpNet;

pub(super) fn create(state: &mut State, wanted: &Address) -> Result<(), Refusal> {
    link::needs(state, &wanted.link)?;
    let same = |there: &&Address| match wanted.address {
        // IPv6 knows an address once on a link, whatever its length.
        IpNet::V6(_) => there.address.addr() == wanted.address.addr(),
        IpNet::V4(_) => there.address == wanted.address && there.peer == wanted.peer,
    };
    if state.addresses_of(&wanted.link).any(|there| same(&there)) {
        return Err(Refusal::new(format!("address {} is assigned already", wanted.address)));
    }
    if wanted.address.addr().is_ipv6() && state.link(&wanted.link).is_some_and(Link::too_small_for_ipv6) {
        let reason = format!(
            "link {} would have an mtu too small for IPv6, and has the address {}",
            wanted.link, wanted.address
        );
        let help = format!("IPv6 needs an mtu of {IPV6_LEAST_MTU}: write a larger one, or remove the address first");
        return Err(Refusal { reason, help: Some(help) });
    }
    let mut address = wanted.clone();
    address.missing.clear();
    address.secondary = wanted.address.addr().is_ipv4()
        && state.addresses_of(&wanted.link).any(|there| !there.secondary && there.subnet() == wanted.subnet());
    let resource = Resource::Address(address);
    let owner = born_as(state, &resource);
    state.insert(resource, owner);
    Ok(())
}

/// What goes with an address that is gone from `state` already. With one of IPv4 (`__inet_del_ifa`, `fib_del_ifaddr`):
/// the secondaries of its subnet, unless the link promotes them; routes that have it as their source; and with the last
/// one of a link all IPv4 routes over the link, and its IPv4 neighbours (`fib_disable_ip`, `arp_ifdown`).
pub(super) fn after_delete(state: &mut State, link: &LinkId, gone: &IpNet) -> Vec<ResourceId> {
    if gone.addr().is_ipv6() {
        return route::from_source(state, &link.node, gone.addr());
    }
    let mut lost = Vec::new();
    let primary_left = state.addresses_of(link).any(|there| !there.secondary && there.subnet() == gone.trunc());
    if !primary_left {
        let promotes = [
            "net/ipv4/conf/all/promote_secondaries".to_owned(),
            format!("net/ipv4/conf/{}/promote_secondaries", link.name),
        ];
        let on = |key: &String| matches!(state.get(&ResourceId::Sysctl(link.node.clone(), key.clone())), Some(Resource::Sysctl(sysctl)) if sysctl.value == "1");
        let secondaries: Vec<ResourceId> = state
            .addresses_of(link)
            .filter(|there| there.secondary && there.subnet() == gone.trunc())
            .map(Address::id)
            .collect();
        if promotes.iter().any(on) {
            if let Some(Resource::Address(first)) =
                secondaries.first().and_then(|id| state.items.get_mut(id)).map(|item| &mut item.resource)
            {
                first.secondary = false;
            }
        } else {
            for id in secondaries {
                state.items.remove(&id);
                lost.push(id);
            }
        }
    }
    lost.extend(route::from_source(state, &link.node, gone.addr()));
    if !state.addresses_of(link).any(|there| there.address.addr().is_ipv4()) {
        lost.extend(route::over_link(state, link, Some(Family::V4), route::Loss::Bare));
        lost.extend(neighbor::forgotten_ipv4(state, link));
    }
    lost
}
