//! What bonds, VRFs and VLANs do to what they hold, and what links below do to those above.

use super::link::ipv6_gone;
use super::neighbor;
use super::route;
use super::route::Loss;
use crate::resource::{Impact, Kind, Link, LinkId, Owner, Resource, ResourceId, Rule, Setting, State, Value, kinds};

fn change(state: &mut State, id: &LinkId, change: impl FnOnce(&mut Link)) {
    if let Some(Resource::Link(link)) = state.items.get_mut(&ResourceId::Link(id.clone())).map(|item| &mut item.resource) {
        change(link);
    }
}

/// A bond sets its ports up, and gives them its MTU (`bond_enslave`).
pub(super) fn taken_in(state: &mut State, id: &LinkId) {
    let Some(link) = state.link(id) else { return };
    let bond = link.master_id().and_then(|master| state.link(&master)).filter(|master| master.kind == Kind::Bond);
    let Some(bond) = bond.map(|bond| bond.mtu) else { return };
    change(state, id, |link| {
        link.up = Setting::Is(true);
        link.mtu = bond.over(&link.mtu);
    });
}

/// Whether it costs a link what going down does to become or cease to be a port: a bond takes and gives it back down, a VRF sets it down and up
/// (`cycle_netdev` in `drivers/net/vrf.c`).
pub(super) fn cycles((old, new): &(Option<Kind>, Option<Kind>)) -> bool {
    [old, new].into_iter().flatten().any(|kind| matches!(kind, Kind::Bond | Kind::Vrf))
}

/// Whether an attribute changes that needs the link down.
pub(super) fn flaps(before: &Link, wanted: &Link) -> bool {
    let differs = |name: &str| wanted.options.get(name).is_some_and(|new| before.options.get(name) != Some(new));
    kinds::of(&wanted.kind).iter().any(|attribute| attribute.impact == Impact::Flap && differs(attribute.name))
}

/// The primary port of a bond is none any more when it is no port.
pub(super) fn left(state: &mut State, before: &Link, now: &Link) {
    let Some(bond) = before.master_id().filter(|master| now.master_id().as_ref() != Some(master)) else { return };
    let name = Value::word(before.id.name.as_str());
    change(state, &bond, |bond| {
        if bond.kind == Kind::Bond && bond.options.get("primary") == Some(&name) {
            bond.options.insert("primary".into(), Value::Unset);
        }
    });
}

/// What a port is given back with when its master of this kind is gone: down from a bond (`bond_release`), and set down and up from a VRF.
pub(super) fn released(state: &mut State, master: &Kind, port: &LinkId) -> Vec<ResourceId> {
    let up = match master {
        Kind::Bond => false,
        Kind::Vrf => true,
        _ => return Vec::new(),
    };
    if state.link(port).is_none_or(|link| link.up != Setting::Is(true)) {
        return Vec::new();
    }
    change(state, port, |link| link.up = Setting::Is(up));
    let mut lost = went_down(state, port);
    lost.extend(vlans(state, port, up));
    lost
}

fn went_down(state: &mut State, id: &LinkId) -> Vec<ResourceId> {
    let mut lost = neighbor::forgotten(state, id, true);
    lost.extend(route::over_link(state, id, None, Loss::Down));
    lost.extend(ipv6_gone(state, id));
    lost
}

/// VLANs go down and come up with what they are on (`vlan_device_event`), unless they are bound loosely.
pub(super) fn vlans(state: &mut State, lower: &LinkId, up: bool) -> Vec<ResourceId> {
    let loose = |link: &Link| link.options.get("loose-binding") == Some(&Value::Bool(true));
    let on: Vec<LinkId> =
        state.links().filter(|link| link.kind == Kind::Vlan && link.link.as_ref() == Some(lower) && !loose(link)).map(|link| link.id.clone()).collect();
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

/// What a change of one link changes on others: a bond's MTU is that of its ports (`bond_change_mtu`), an ipvlan has that of what it is on
/// (`ipvlan_adjust_mtu`), a macvlan or VLAN has no larger one (`macvlan_device_event`, `vlan_device_event`), and all ipvlans on one interface have one mode
/// (`ipvlan_set_port_mode`).
pub(super) fn ripple(state: &mut State, before: &Link, now: &Link) -> Vec<ResourceId> {
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
            lost.extend(super::link::resized(state, &other));
        }
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

/// What a link stands on: a macvlan on another one is on what that is on (`macvlan_common_newlink`).
pub(super) fn stands_on(state: &State, link: &Link) -> Option<LinkId> {
    let macvlan = |kind: &Kind| matches!(kind, Kind::Macvlan | Kind::Macvtap);
    let lower = link.link.as_ref()?;
    let same = state.link(lower).filter(|lower| macvlan(&link.kind) && macvlan(&lower.kind));
    Some(same.and_then(|lower| lower.link.as_ref()).unwrap_or(lower).clone())
}

/// Whether a link of this kind takes what comes in on the one that it is on.
pub(super) fn takes(kind: &Kind) -> bool {
    matches!(kind, Kind::Macvlan | Kind::Macvtap | Kind::Ipvlan)
}

/// A tunnel stays when what it sends by goes: whether `link` is one that stood on `gone`, and stands on nothing then.
pub(super) fn stays_without(state: &mut State, link: &LinkId, gone: impl Fn(&LinkId) -> bool) -> bool {
    let stays = state.link(link).is_some_and(|link| link.link.as_ref().is_some_and(gone) && !kinds::dies_with_link(&link.kind));
    if stays {
        change(state, link, |link| link.link = None);
    }
    stays
}

/// The first VRF of a namespace brings the kernel's rules for all of them (`vrf_add_fib_rules`). Outside our namespaces they are nobody's business, and stay.
pub(super) fn first_vrf(state: &mut State, vrf: &Link) {
    if !state.is_made(&vrf.id.node) {
        return;
    }
    for rule in Rule::of_vrfs(&vrf.id.node) {
        if state.get(&rule.id()).is_none() {
            state.insert(Resource::Rule(rule), Owner::Ours);
        }
    }
}
