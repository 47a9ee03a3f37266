//! What a plan never asks about: neighbours and forwarding entries that no file lists, and what no noun has a
//! word for.

use crate::linux::snapshot::contents::Look;
use crate::resource::mark::PROTOCOL;
use crate::resource::{Fdb, FdbTarget, Resource};
use std::collections::{BTreeMap, HashSet};

/// `RTPROT_*` below which a route is the kernel's or configured: redirect, kernel, boot, static.
const CONFIGURED: u8 = 4;
/// `RTPROT_RA`, `RTPROT_DHCP`.
const PROTOCOLS: [(u8, &str); 12] = [
    (9, "router advertisements"),
    (11, "zebra"),
    (12, "bird"),
    (16, "a DHCP client"),
    (17, "mrouted"),
    (18, "keepalived"),
    (42, "babel"),
    (186, "a BGP daemon"),
    (187, "an IS-IS daemon"),
    (188, "an OSPF daemon"),
    (189, "a RIP daemon"),
    (192, "an EIGRP daemon"),
];

/// The permanent neighbours and the static entries of ports of bridges.
pub(super) fn entries(look: &Look) -> Vec<Resource> {
    let Some(inside) = &look.inside else { return Vec::new() };
    let name = |index: u32| inside.names.get(&index).cloned();
    let neighbors = inside
        .neighbors
        .iter()
        .filter_map(|seen| seen.neighbor(&look.node, name(seen.index)?))
        .filter(|neighbor| neighbor.permanent);
    let stations: Vec<Fdb> = inside
        .fdb
        .iter()
        .filter_map(|seen| seen.fdb(&look.node, name(seen.index)?))
        .filter(|fdb| matches!(fdb.to, FdbTarget::Port(_)))
        .collect();
    // One without a VLAN was put by the kernel into all that the port had.
    let whole: HashSet<_> =
        stations.iter().filter(|fdb| fdb.to == FdbTarget::Port(0)).map(|fdb| (fdb.link.clone(), fdb.mac)).collect();
    let stations = stations
        .into_iter()
        .filter(|fdb| fdb.to == FdbTarget::Port(0) || !whole.contains(&(fdb.link.clone(), fdb.mac)))
        .map(Resource::Fdb);
    neighbors.map(Resource::Neighbor).chain(stations).collect()
}

/// Routes of daemons and addresses that end by themselves: a line for each sort.
pub(super) fn of(look: &Look) -> Vec<String> {
    let Some(inside) = &look.inside else { return Vec::new() };
    let mut lines = Vec::new();
    let mut routes: BTreeMap<u8, usize> = BTreeMap::new();
    for seen in inside.routes.iter().filter(|seen| seen.protocol > CONFIGURED && seen.protocol != PROTOCOL) {
        *routes.entry(seen.protocol).or_default() += 1;
    }
    for (protocol, count) in routes {
        let who = PROTOCOLS.iter().find(|(number, _)| *number == protocol).map(|(_, who)| (*who).to_owned());
        let who = who.unwrap_or_else(|| format!("the daemon with routing protocol {protocol}"));
        let (routes, they, come) = if count == 1 { ("route", "it", "comes") } else { ("routes", "they", "come") };
        lines.push(format!("{count} {routes} of {who}: {they} {come} from there again"));
    }
    for seen in inside.addresses.iter().filter(|seen| !seen.permanent && !seen.is_link_local()) {
        if let Some(name) = inside.names.get(&seen.index) {
            lines.push(format!(
                "the address {} on {name}, which has a lifetime: a DHCP client or a router gives it again",
                seen.address
            ));
        }
    }
    lines
}
