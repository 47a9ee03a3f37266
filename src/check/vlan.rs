//! Rules about VLANs of bridges.

use super::rule::{Found, Rule};
use super::segment::filters;
use super::view::{View, own_bridge};
use crate::document::schema::interface::KindKey;
use crate::document::schema::kind::Bridge;
use crate::document::{Finding, Place};
use crate::resource::{Kind, Link, Setting};

/// All of them.
pub(super) const RULES: &[Rule] = &[without_filtering, alone];

/// What the file says of a bridge.
fn written<'a>(view: &View<'a>, link: &Link) -> Option<&'a Bridge> {
    match &view.interface(&link.id)?.kind.as_ref()?.value {
        KindKey::Bridge(bridge) => Some(bridge),
        _ => None,
    }
}

/// Words about VLANs on a bridge that passes every frame.
fn without_filtering(view: &View<'_>, findings: &mut Found) {
    for link in view.in_file_order().filter(|link| link.kind == Kind::Bridge && !filters(link)) {
        let Some(bridge) = written(view, link) else { continue };
        let keys: [(&str, Option<Place>); 3] = [
            ("vlan-default-pvid", bridge.vlan_default_pvid.as_ref().map(|pvid| pvid.place)),
            ("vlan-protocol", bridge.vlan_protocol.as_ref().map(|protocol| protocol.place)),
            ("vlan-stats", bridge.vlan_stats.as_ref().filter(|on| on.value).map(|on| on.place)),
        ];
        for (key, place) in keys.into_iter().filter_map(|(key, place)| Some((key, place?))) {
            let message = format!("`{key}` means nothing on \"{}\", which does not filter VLANs", link.id);
            findings.push(
                Finding::warning("vlan-unused", place, message).help("add `vlan-filtering: true`, or leave it out"),
            );
        }
    }
}

/// A bridge with an address in a VLAN in which none of its ports is.
fn alone(view: &View<'_>, findings: &mut Found) {
    for bridge in view.in_file_order().filter(|link| own_bridge(link) && filters(link)) {
        let Some(node) = view.nodes.get(&bridge.id.node) else { continue };
        let Some(address) = node.addresses_of(&bridge.id).next() else { continue };
        let ports: Vec<&Link> =
            node.links.values().copied().filter(|port| port.master_id().as_ref() == Some(&bridge.id)).collect();
        let Setting::Is(own) = &bridge.vlans else { continue };
        let reached = |id: u16| ports.iter().any(|port| port.vlans.get().is_none_or(|vlans| vlans.contains(id)));
        let what = match own.pvid() {
            _ if ports.is_empty() => continue,
            Some(id) if reached(id) => continue,
            Some(id) => format!("is in the VLAN {id} of \"{}\", and none of its ports is", bridge.id),
            None => format!("is on \"{}\", which is in no VLAN without a tag", bridge.id),
        };
        let place = view
            .interface(&bridge.id)
            .and_then(|interface| interface.addresses.first())
            .map_or_else(|| view.link_place(&bridge.id), |it| it.address.place);
        let finding =
            Finding::warning("vlan-alone", place, format!("\"{}\" {what}: it is unreachable", address.address));
        findings.push(finding.help("say which VLAN the bridge itself is in: `port-vlan: { access: 10 }`"));
    }
}
