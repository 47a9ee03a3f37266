//! What bonds, VRFs and VLANs do to what they hold, and what links below do to those above.

use super::cascade::{change, vlans, went_down};
use crate::resource::{Impact, Kind, Link, LinkId, Owner, Resource, ResourceId, Rule, Setting, State, Value, kinds};

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

/// Whether it costs a link what going down does to become or cease to be a port: a bond takes and gives it back down, a
/// VRF sets it down and up (`cycle_netdev` in `drivers/net/vrf.c`).
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

/// What a port is given back with when its master of this kind is gone: down from a bond (`bond_release`), and set down
/// and up from a VRF.
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

/// Whether a link of this kind takes what comes in on the one that it is on.
pub(super) fn takes(kind: &Kind) -> bool {
    kinds::traits(kind).takes_over
}

/// A tunnel stays when what it sends by goes: whether `link` is one that depended on `gone`, and depends on nothing
/// then.
pub(super) fn stays_without(state: &mut State, link: &LinkId, gone: impl Fn(&LinkId) -> bool) -> bool {
    let stays =
        state.link(link).is_some_and(|link| link.link.as_ref().is_some_and(gone) && !kinds::dies_with_link(&link.kind));
    if stays {
        change(state, link, |link| link.link = None);
    }
    stays
}

/// The first VRF of a namespace brings the kernel's rules for all of them (`vrf_add_fib_rules`). Outside our namespaces
/// they are no topology's business, and stay.
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
