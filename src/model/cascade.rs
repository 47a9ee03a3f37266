//! What a change of one link does to others: MTUs, VLANs, IPv6.

use super::route::Loss;
use super::{cascade, neighbor, route};
use crate::resource::{ETHERNET_MTU, Kind, Link, LinkId, Resource, ResourceId, Setting, State, Value, kinds};

/// The MTU of a bridge that the model cannot know: the kernel lets it follow the ports unless another program wrote it
/// (`br_mtu_auto_adjust`), and does not say whether another program did. It equals no MTU that is wanted, so that it is
/// written.
pub(crate) const UNKNOWN_MTU: u32 = 0;

/// The MTU of a bridge whose ports came, went or changed. `port` is the MTU of the one that came or changed: a bridge
/// with a higher one was written, or takes it. Answers which routes over it may have another MTU.
pub(crate) fn follow(state: &mut State, bridge: Option<LinkId>, port: &Setting<u32>) -> Vec<ResourceId> {
    let Some(id) = bridge else { return Vec::new() };
    let Some(Link { kind: Kind::Bridge, mtu: Setting::Is(mtu), .. }) = state.link(&id) else { return Vec::new() };
    let mtu = *mtu;
    let (mut alone, mut held) = (true, false);
    for port in state.links_of(&id.node).filter(|link| link.master.get() == Some(&Some(id.name.clone()))) {
        alone = false;
        held = port.mtu == Setting::Is(mtu);
        if held {
            break;
        }
    }
    let lower = port.get().is_some_and(|port| *port < mtu);
    if (lower || !(held || alone && mtu == ETHERNET_MTU))
        && let Some(Resource::Link(link)) =
            state.items.get_mut(&ResourceId::Link(id.clone())).map(|item| &mut item.resource)
    {
        let before = link.clone();
        link.mtu = Setting::Is(UNKNOWN_MTU);
        let now = link.clone();
        let routes = route::path_mtu(state, &id, &before.mtu, UNKNOWN_MTU);
        if lower {
            // What is on it is not known either then; it loses nothing for certain.
            _ = cascade::ripple(state, &before, &now);
        }
        return routes;
    }
    Vec::new()
}

/// What another MTU of a link, which was `before`, does to others and costs it.
pub(crate) fn resized(state: &mut State, before: &Link) -> Vec<ResourceId> {
    let Some(now) = state.link(&before.id).cloned() else { return Vec::new() };
    let mut lost = follow(state, now.master_id(), &now.mtu);
    lost.extend(cascade::ripple(state, before, &now));
    if now.too_small_for_ipv6() && !before.too_small_for_ipv6() {
        lost.extend(ipv6_gone(state, &now.id));
        lost.extend(ipv6_settings_gone(state, &now.id));
    }
    lost
}

/// A link that goes down, or whose MTU gets too small, loses its IPv6 addresses and routes (`addrconf_ifdown`).
pub(crate) fn ipv6_gone(state: &mut State, id: &LinkId) -> Vec<ResourceId> {
    let mut lost: Vec<ResourceId> = state
        .addresses_of(id)
        .filter(|address| address.address.addr().is_ipv6())
        .map(crate::resource::Address::id)
        .collect();
    for address in &lost {
        state.items.remove(address);
    }
    lost.extend(route::over_link(state, id, Some(crate::resource::Family::V6), Loss::Down));
    lost
}

/// A link whose MTU gets too small has no settings of IPv6 any more (`addrconf_ifdown` with `unregister`).
pub(crate) fn ipv6_settings_gone(state: &mut State, id: &LinkId) -> Vec<ResourceId> {
    let of = |resource: &Resource| matches!(resource, Resource::Sysctl(sysctl) if sysctl.key.starts_with("net/ipv6/") && sysctl.link().as_ref() == Some(id));
    let lost: Vec<ResourceId> = state.on_link(id).into_iter().filter(|on| state.get(on).is_some_and(of)).collect();
    for setting in &lost {
        state.items.remove(setting);
    }
    lost
}

pub(crate) fn change(state: &mut State, id: &LinkId, change: impl FnOnce(&mut Link)) {
    if let Some(Resource::Link(link)) =
        state.items.get_mut(&ResourceId::Link(id.clone())).map(|item| &mut item.resource)
    {
        change(link);
    }
}

pub(crate) fn went_down(state: &mut State, id: &LinkId) -> Vec<ResourceId> {
    let mut lost = neighbor::forgotten(state, id, true);
    lost.extend(route::over_link(state, id, None, Loss::Down));
    lost.extend(ipv6_gone(state, id));
    lost
}

/// VLANs go down and come up with what they are on (`vlan_device_event`), unless they are bound loosely.
pub(crate) fn vlans(state: &mut State, lower: &LinkId, up: bool) -> Vec<ResourceId> {
    let loose = |link: &Link| link.options.get("loose-binding") == Some(&Value::Bool(true));
    let on: Vec<LinkId> = state
        .links()
        .filter(|link| link.kind == Kind::Vlan && link.link.as_ref() == Some(lower) && !loose(link))
        .map(|link| link.id.clone())
        .collect();
    let mut lost = Vec::new();
    for id in on {
        let was_up = state.link(&id).is_some_and(|link| link.up == Setting::Is(true));
        change(state, &id, |link| link.up = Setting::Is(up));
        if was_up {
            lost.extend(went_down(state, &id));
        }
        lost.extend(vlans(state, &id, up));
    }
    lost
}

/// What a change of one link changes on others: a bond's MTU is that of its ports (`bond_change_mtu`), an ipvlan has
/// that of what it is on (`ipvlan_adjust_mtu`), a macvlan or VLAN has no larger one (`macvlan_device_event`,
/// `vlan_device_event`), and all ipvlans on one interface have one mode (`ipvlan_set_port_mode`).
pub(crate) fn ripple(state: &mut State, before: &Link, now: &Link) -> Vec<ResourceId> {
    let mut lost = Vec::new();
    if let (true, Some(mtu)) = (before.mtu != now.mtu, now.mtu.get().copied()) {
        let follows = |link: &&Link| match link.kind {
            _ if now.kind == Kind::Bond && link.master_id().as_ref() == Some(&now.id) => true,
            _ if link.link.as_ref() != Some(&now.id) => false,
            Kind::Ipvlan => true,
            _ => kinds::no_larger_than_below(&link.kind) && link.mtu.get().is_some_and(|own| *own > mtu),
        };
        let others: Vec<Link> = state.links().filter(follows).cloned().collect();
        for other in others {
            change(state, &other.id, |link| link.mtu = now.mtu);
            lost.extend(self::resized(state, &other));
        }
        lost.extend(route::path_mtu(state, &now.id, &before.mtu, mtu));
    }
    if now.kind == Kind::Ipvlan && before.options != now.options {
        let beside = |link: &&Link| link.kind == Kind::Ipvlan && link.link == now.link;
        let others: Vec<LinkId> = state.links().filter(beside).map(|link| link.id.clone()).collect();
        for id in others {
            change(state, &id, |link| link.options.extend(now.options.clone()));
        }
    }
    lost
}
