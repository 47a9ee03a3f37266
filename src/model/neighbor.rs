//! Neighbours: what makes a link forget them, permanent ones too.

use crate::resource::{Kind, Link, LinkId, Mac, Resource, ResourceId, Setting, State};

/// Takes the neighbours of `link` away. A link that goes down forgets all (`neigh_ifdown`), one whose hardware address
/// changes, or that begins or ceases to ask for others (`arp_netdev_event`), keeps those that it answers for
/// (`neigh_changeaddr`).
pub(super) fn forgotten(state: &mut State, link: &LinkId, proxies: bool) -> Vec<ResourceId> {
    let mut lost = state.on_link(link);
    lost.retain(|id| matches!(state.get(id), Some(Resource::Neighbor(neighbor)) if proxies || !neighbor.proxy));
    for id in &lost {
        state.items.remove(id);
    }
    lost
}

/// Takes the IPv4 neighbours of a link away that has lost its last IPv4 address, those that it answers for too
/// (`arp_ifdown`).
pub(super) fn forgotten_ipv4(state: &mut State, link: &LinkId) -> Vec<ResourceId> {
    let mut lost = state.on_link(link);
    lost.retain(|id| matches!(id, ResourceId::Neighbor(_, address, _) if address.is_ipv4()));
    for id in &lost {
        state.items.remove(id);
    }
    lost
}

/// What a bridge forgets when `port` has become its port. A bridge has the lowest hardware address of its ports
/// (`br_stp_recalculate_bridge_id`) until another program writes one; where that cannot be known, it is taken to
/// change.
pub(super) fn joined(state: &mut State, port: &Link) -> Vec<ResourceId> {
    let Some(bridge) = bridge_of(state, port) else { return Vec::new() };
    let own = state.link(&bridge).and_then(|bridge| known(&bridge.mac));
    let others = || {
        state.links_of(&bridge.node).filter(|other| other.id != port.id && other.master_id().as_ref() == Some(&bridge))
    };
    let chosen = own.is_some()
        && others().next().is_some()
        && others().all(|other| known(&other.mac).is_some_and(|mac| own != Some(mac)));
    let lower = match (own, known(&port.mac)) {
        (Some(own), Some(new)) => new < own || others().next().is_none(),
        _ => true,
    };
    if lower && !chosen { follows(state, &bridge) } else { Vec::new() }
}

/// What a bridge forgets when `port`, as it was, is its port no longer.
pub(super) fn left(state: &mut State, port: &Link) -> Vec<ResourceId> {
    let Some(bridge) = bridge_of(state, port) else { return Vec::new() };
    let own = state.link(&bridge).and_then(|bridge| known(&bridge.mac));
    let had = known(&port.mac);
    if own.is_none() || had.is_none() || own == had { follows(state, &bridge) } else { Vec::new() }
}

/// A bridge has, as far as can be known, another hardware address now, and which is not known. What it forgets with the
/// old one.
fn follows(state: &mut State, bridge: &LinkId) -> Vec<ResourceId> {
    if let Some(Resource::Link(link)) =
        state.items.get_mut(&ResourceId::Link(bridge.clone())).map(|item| &mut item.resource)
    {
        link.mac = Setting::Left;
    }
    forgotten(state, bridge, false)
}

fn known(mac: &Setting<Mac>) -> Option<Mac> {
    mac.get().copied()
}

fn bridge_of(state: &State, port: &Link) -> Option<LinkId> {
    port.master_id().filter(|master| state.link(master).is_some_and(|master| master.kind == Kind::Bridge))
}
