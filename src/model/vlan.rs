//! VLANs: what a port gets when it joins a bridge, and what follows the bridge's default.

use crate::resource::{FdbTarget, Kind, Link, LinkId, Resource, ResourceId, Setting, State, Value, Vlans};

/// The VLAN that the bridge `link` gives to who joins it; `None` where that is not known.
fn default_pvid(link: &Link) -> Option<u16> {
    match link.options.get("vlan-default-pvid") {
        Some(Value::Number(pvid)) => u16::try_from(*pvid).ok(),
        _ => None,
    }
}

fn set(state: &mut State, id: &LinkId, vlans: Setting<Vlans>) {
    if let Some(Resource::Link(link)) =
        state.items.get_mut(&ResourceId::Link(id.clone())).map(|item| &mut item.resource)
    {
        link.vlans = vlans;
    }
}

/// A link that is a port now, or a new bridge: it has what it was asked to have, else what the bridge gives it
/// (`nbp_vlan_init`, `br_vlan_bridge_event`).
pub(super) fn joined(state: &mut State, id: &LinkId) {
    let Some(link) = state.link(id).filter(|link| link.vlans == Setting::Left) else { return };
    let bridge =
        if link.kind == Kind::Bridge { Some(link) } else { link.master_id().and_then(|master| state.link(&master)) };
    if let Some(pvid) = bridge.and_then(default_pvid) {
        set(state, id, Setting::Is(Vlans::by_default(pvid)));
    }
}

/// A port that is none any more, or another bridge's, forgets its VLANs and what is behind it (`nbp_vlan_flush`,
/// `br_fdb_delete_by_port`).
pub(super) fn left(state: &mut State, port: &LinkId) -> Vec<ResourceId> {
    if state.link(port).is_some_and(|link| link.kind != Kind::Bridge) {
        set(state, port, Setting::Left);
    }
    let mut lost = state.on_link(port);
    lost.retain(|id| matches!(id, ResourceId::Fdb(_, _, FdbTarget::Port(_))));
    for id in &lost {
        state.items.remove(id);
    }
    lost
}

/// What a link has after an update to `wanted`, where it was `before`: it may be another bridge's port, or a bridge
/// with another default, which ports follow. Says what it lost.
pub(super) fn changed(state: &mut State, before: &Link, wanted: &Link) -> Vec<ResourceId> {
    let Some(now) = state.link(&wanted.id).cloned() else { return Vec::new() };
    let lost = if before.master_id() == now.master_id() { Vec::new() } else { left(state, &wanted.id) };
    if let (Kind::Bridge, Some(old), Some(new)) = (&now.kind, default_pvid(before), default_pvid(&now))
        && old != new
    {
        let ports =
            state.links_of(&now.id.node).filter(|link| link.master_id().as_ref() == Some(&now.id) || link.id == now.id);
        let follow = |link: &Link| Some((link.id.clone(), link.vlans.get()?.follow_default(old, new)));
        for (id, vlans) in ports.filter_map(follow).collect::<Vec<_>>() {
            set(state, &id, Setting::Is(vlans));
        }
    }
    joined(state, &wanted.id);
    if let Setting::Is(vlans) = &wanted.vlans {
        set(state, &wanted.id, Setting::Is(vlans.clone()));
    }
    lost
}
