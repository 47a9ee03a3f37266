//! Rules about the sizes of packets.

use super::link::sorted;
use super::rule::{Found, Rule};
use super::stacked::a;
use super::view::View;
use crate::document::Finding;
use crate::resource::{
    ETHERNET_MTU, HIGHEST_STACK, IPV6_LEAST_MTU, Kind, LARGEST_MTU, LEAST_MTU, Link, LinkId, Tenure, kinds,
};
use std::collections::HashMap;

/// All of them.
pub(super) const RULES: &[Rule] =
    &[out_of_range, too_small_for_ipv6, ipv6_settings_of_small, larger_than_lower, ends_differ];

/// The MTUs that a link takes, the least and the largest.
fn limits(link: &Link) -> (u32, u32) {
    let traits = kinds::traits(&link.kind);
    // What is put around a packet has to fit in, too.
    let around = if traits.less_around { kinds::around(link) } else { 0 };
    (traits.least_mtu, traits.largest_mtu - around)
}

/// An MTU that the kind of link does not take.
fn out_of_range(view: &View<'_>, findings: &mut Found) {
    for link in sorted(view) {
        let (least, most) = limits(link);
        let Some(mtu) = link.mtu.get().filter(|mtu| !(least..=most).contains(mtu)) else { continue };
        let message = format!(
            "the mtu {mtu} of \"{}\" is out of range: {} takes {least} to {most}",
            link.id,
            a(link.kind.word())
        );
        let help = match link.kind {
            Kind::Sit => "it carries IPv6, which needs 1280",
            Kind::Vrf => "leave it out: a vrf carries whatever its ports do",
            _ => "the usual one is 1500; 9000 for jumbo frames",
        };
        findings.push(Finding::error("mtu-range", view.mtu_place(link), message).help(help));
    }
}

/// IPv6 addresses where the kernel switches IPv6 off because the packets are too small (`addrconf_notify`).
fn too_small_for_ipv6(view: &View<'_>, findings: &mut Found) {
    let carried = carried(view);
    for node in view.nodes.values() {
        for address in node.addresses.iter().filter(|address| address.address.addr().is_ipv6()) {
            let Some(link) = node.links.get(&address.link.name) else { continue };
            let Some((mtu, by)) =
                carried.get(&link.id).filter(|(mtu, _)| (LEAST_MTU..IPV6_LEAST_MTU).contains(mtu)).copied()
            else {
                continue;
            };
            let message = format!(
                "\"{}\" has the IPv6 address \"{}\" and an mtu of {mtu}, but IPv6 needs at least {IPV6_LEAST_MTU}",
                link.id, address.address
            );
            let finding = Finding::error("mtu-below-ipv6", view.place(&address.id()), message)
                .also(view.mtu_place(by), "too small for IPv6");
            findings.push(finding.help(format!("raise the mtu to {IPV6_LEAST_MTU}, or leave the IPv6 address out")));
        }
    }
}

/// Settings of IPv6 for an interface that has none of it.
fn ipv6_settings_of_small(view: &View<'_>, findings: &mut Found) {
    let carried = carried(view);
    for node in view.nodes.values() {
        for sysctl in node.sysctls.values().filter(|sysctl| sysctl.key.starts_with("net/ipv6/conf/")) {
            let Some(link) = sysctl.link().and_then(|link| node.links.get(&link.name)) else { continue };
            let Some((mtu, by)) =
                carried.get(&link.id).filter(|(mtu, _)| (LEAST_MTU..IPV6_LEAST_MTU).contains(mtu)).copied()
            else {
                continue;
            };
            let message = format!(
                "\"{}\" has an mtu of {mtu}, and so no IPv6 to set anything of: that needs at least {IPV6_LEAST_MTU}",
                link.id
            );
            let finding = Finding::error("mtu-below-ipv6", view.place(&sysctl.id()), message)
                .also(view.mtu_place(by), "too small for IPv6");
            findings.push(finding.help(format!("raise the mtu to {IPV6_LEAST_MTU}, or leave the setting out")));
        }
    }
}

/// The MTUs that links will have where they follow from the file, and the links that say so: a bridge has the least of
/// its ports', what depends on another link has that link's. A round for each of the layers that there can be.
fn carried<'a>(view: &View<'a>) -> HashMap<&'a LinkId, (u32, &'a Link)> {
    let written = |link: &'a Link| Some((&link.id, (*link.mtu.get()?, link)));
    let mut known: HashMap<&LinkId, (u32, &Link)> = view.links.values().filter_map(|link| written(link)).collect();
    let open = |link: &&Link| link.mtu.get().is_none() && link.tenure == Tenure::Created;
    let follows: Vec<(&Link, &Link)> =
        sorted(view).into_iter().filter_map(|port| Some((view.master(port)?, port))).collect();
    let on_ports = follows.into_iter().filter(|(bridge, _)| kinds::mtu_of_ports(&bridge.kind) && open(bridge));
    let linked = sorted(view).into_iter().filter(|link| matches!(link.kind, Kind::Vxlan | Kind::Macvlan) && open(link));
    let on_links = linked.filter_map(|link| Some((link, *view.links.get(link.link.as_ref()?)?)));
    let pairs: Vec<(&Link, &Link)> = on_ports.chain(on_links).collect();
    for _ in 0..=HIGHEST_STACK {
        let before = known.clone();
        for (upper, lower) in &pairs {
            let Some((mtu, by)) = before.get(&lower.id) else { continue };
            let around = if upper.kind == Kind::Bridge { 0 } else { kinds::around(upper) };
            let new = (mtu.saturating_sub(around), *by);
            let least = known.entry(&upper.id).or_insert(new);
            if (new.0, &new.1.id) < (least.0, &least.1.id) {
                *least = new;
            }
        }
        if known == before {
            break;
        }
    }
    known
}

/// An interface that depends on another and wants larger packets than that carries.
fn larger_than_lower(view: &View<'_>, findings: &mut Found) {
    for link in sorted(view) {
        let Some(lower) = link.link.as_ref().and_then(|lower| view.links.get(lower)) else { continue };
        let carried = lower
            .mtu
            .get()
            .copied()
            .or((lower.tenure == Tenure::Created && !kinds::mtu_of_ports(&lower.kind)).then_some(ETHERNET_MTU));
        let (Some(mtu), Some(carried)) = (link.mtu.get().copied().filter(|mtu| *mtu <= LARGEST_MTU), carried) else {
            continue;
        };
        let room = carried.saturating_sub(kinds::around(link));
        if mtu <= room {
            continue;
        }
        let message = format!("the mtu {mtu} of \"{}\" is more than \"{}\" carries: {room}", link.id, lower.id);
        let finding = Finding::error("mtu-above-lower", view.mtu_place(link), message)
            .also(view.link_place(&lower.id), "its lower device");
        findings.push(finding.help(format!("use at most {room}, or raise the mtu of \"{}\"", lower.id)));
    }
}

/// The MTU of an end of a pair, and the link that says so: a port has that of its bond, which gives it to each
/// (`bond_enslave`). Nothing where that is a foreign bond.
fn size<'a>(view: &View<'a>, end: &'a Link) -> Option<(u32, &'a Link)> {
    let by = if end.mtu.get().is_some() { None } else { view.master(end).filter(|master| master.kind == Kind::Bond) }
        .unwrap_or(end);
    match by.mtu.get() {
        Some(mtu) => Some((*mtu, by)),
        None if by.id != end.id && by.tenure != Tenure::Created => None,
        None => Some((1500, by)),
    }
}

/// Two ends of a veth pair that take packets of different sizes: the larger ones vanish without a word.
fn ends_differ(view: &View<'_>, findings: &mut Found) {
    for link in sorted(view) {
        let Some(peer) = link.peer.as_ref().and_then(|peer| view.links.get(peer)).filter(|peer| link.id < peer.id)
        else {
            continue;
        };
        let (Some(near), Some(far)) = (size(view, link), size(view, peer)) else { continue };
        if near.0 == far.0 {
            continue;
        }
        // The written one is the main place; of two, the second name.
        let written = view.mtu_written(far.1);
        let (at, (mtu, by)) = if written { (*peer, far) } else { (link, near) };
        let (other, (others, sets)) = if written { (link, near) } else { (*peer, far) };
        let message = format!(
            "the two ends of a veth pair have different mtus: \"{}\" {mtu} and \"{}\" {others}",
            at.id, other.id
        );
        let finding = Finding::warning("mtu-ends-differ", view.mtu_place(by), message)
            .also(view.mtu_place(sets), "the other end");
        let help = format!(
            "packets of more than {} bytes would vanish without a word: give \"{}\" `mtu: {mtu}` too",
            mtu.min(others),
            sets.id
        );
        findings.push(finding.help(help));
    }
}
