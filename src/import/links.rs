//! Interfaces as a user would have written them: without what the kernel chooses.

use super::remarks::Remarks;
use crate::resource::kinds::spec::Mtu;
use crate::resource::{ETHERNET_MTU, Kind, Link, Setting, State, kinds};
use crate::survey::Survey;

/// An interface that the file makes. `whole` says that all of it is the file's; else it is the far end of a pair, in a
/// node that was not asked for.
pub(super) fn made(survey: &Survey, link: &Link, whole: bool, remarks: &mut Remarks) -> Link {
    let state = &survey.state;
    let mut wanted = link.clone();
    wanted.missing.clear();
    wanted.marked = true;
    if is_kernels_mac(survey, link) {
        wanted.mac = Setting::Left;
    }
    if usual_mtu(state, link).is_some_and(|usual| link.mtu == Setting::Is(usual)) {
        wanted.mtu = Setting::Left;
    }
    for (on, word) in [(link.arp, "arp off"), (link.multicast, "multicast off")] {
        if on == Setting::Is(false) {
            remarks.add(&link.id.node, format!("`ip link set {} {word}`: topo has no word for it", link.id.name));
        }
    }
    if !whole {
        let Link { id, kind, peer, master, up, .. } = wanted;
        return Link { peer, master, up, ..Link::bare(id, kind) };
    }
    wanted
}

/// An interface that the file only names, with the bridge that it is a port of where the file makes that.
pub(super) fn named(link: &Link, master_made: bool) -> Link {
    let mut wanted = Link::bare(link.id.clone(), Kind::Any);
    wanted.tenure = crate::resource::Tenure::Existing;
    if master_made {
        wanted.master = link.master.clone();
    }
    wanted
}

/// Whether no user chose a hardware address: the kernel made it up, or it is that of what the interface is on, of one
/// of its ports, or of the bond that it is in.
fn is_kernels_mac(survey: &Survey, link: &Link) -> bool {
    let state = &survey.state;
    let Setting::Is(mac) = link.mac else { return true };
    let random = survey.nodes.get(&link.id.node).is_some_and(|node| node.random_macs.contains(&link.id.name));
    let has = |other: Option<&Link>| other.is_some_and(|other| other.mac == Setting::Is(mac));
    let mut ports = state.links_of(&link.id.node).filter(|port| port.master_id().as_ref() == Some(&link.id));
    let master = link.master_id().and_then(|master| state.link(&master));
    random
        || kinds::traits(&link.kind).mac.is_none()
        || has(link.link.as_ref().and_then(|lower| state.link(lower)))
        || kinds::traits(&link.kind).mac_of_ports && ports.any(|port| port.mac == link.mac)
        || has(master.filter(|master| master.kind == Kind::Bond))
}

/// The MTU that a fresh interface of this sort would have here.
fn usual_mtu(state: &State, link: &Link) -> Option<u32> {
    match kinds::spec(&link.kind)?.mtu {
        Mtu::Is(mtu) => Some(mtu),
        Mtu::Below { .. } if link.kind == Kind::Vxlan && link.link.is_none() => Some(ETHERNET_MTU),
        Mtu::Below { .. } => {
            let lower =
                link.link.as_ref().and_then(|lower| state.link(lower)).and_then(|lower| lower.mtu.get().copied());
            lower.unwrap_or(ETHERNET_MTU).checked_sub(kinds::around(link))
        }
        Mtu::Left => {
            let ports = state.links_of(&link.id.node).filter(|port| port.master_id().as_ref() == Some(&link.id));
            Some(ports.filter_map(|port| port.mtu.get().copied()).min().unwrap_or(ETHERNET_MTU))
        }
    }
}
