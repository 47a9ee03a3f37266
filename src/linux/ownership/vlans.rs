//! VLANs of bridges and their ports.

use crate::linux::netlink::link;
use crate::linux::snapshot::contents::{Inside, Look};
use crate::resource::{Kind, Setting, Vlans};

/// The VLANs of a bridge or of a bridge's port, where they were asked for and the kernel has them.
pub fn of(look: &Look, inside: &Inside, seen: &link::Seen) -> Setting<Vlans> {
    let bridge = match seen.kind {
        Kind::Bridge => Some(seen),
        _ => look.links.iter().find(|link| Some(link.index) == seen.master),
    };
    let filters = bridge.is_some_and(|bridge| bridge.options.contains_key("vlan-default-pvid"));
    let all = inside.vlans.as_ref().filter(|_| filters);
    all.map(|all| all.get(&seen.index).cloned().unwrap_or_default()).into()
}
