//! Rules about addresses of interfaces.

use super::rule::{Found, Rule};
use super::stacked::without_frames;
use super::view::{NodeView, View};
use crate::document::Finding;
use crate::resource::{Address, Kind, LinkId, Node};
use ipnet::IpNet;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// All of them.
pub(super) const RULES: &[Rule] =
    &[unusable, network_or_broadcast, twice_in_node, two_scopes, no_neighbors, overlapping, on_port, twice_on_segment];

/// Addresses that no interface can have.
fn unusable(view: &View<'_>, findings: &mut Found) {
    for address in view.nodes.values().flat_map(|node| &node.addresses) {
        let ip = address.address.addr();
        // On a VRF they are what `ip vrf exec` needs; others work where packets of loopback addresses are routed.
        let on_loopback =
            view.links.get(&address.link).is_none_or(|link| matches!(link.kind, Kind::Loopback | Kind::Vrf))
                || (ip.is_ipv4() && view.nodes.get(&address.link.node).is_some_and(NodeView::routes_loopback));
        let (code, what, help) = if ip.is_unspecified() {
            ("address-unspecified", "stands for no address", "give the interface an address of its own, or none at all")
        } else if ip.is_multicast() {
            (
                "address-multicast",
                "is a multicast group, which no interface has as its own",
                "give the interface a unicast address; programs join groups themselves",
            )
        } else if ip.is_loopback() && !on_loopback {
            (
                "address-loopback",
                "is a loopback address, which only `lo` and a vrf can use",
                "give the interface another address, or move this one to `lo`",
            )
        } else if ip == IpAddr::from([255, 255, 255, 255]) {
            ("address-multicast", "is the broadcast address of every network", "give the interface a unicast address")
        } else {
            continue;
        };
        let message = format!("\"{}\" on \"{}\" {what}", address.address, address.link);
        findings.push(Finding::error(code, view.place(&address.id()), message).help(help));
    }
}

/// IPv4 addresses that are the first or the last of their subnet: a user meant the subnet, or counted one too far. The
/// first works between kernels since Linux 5.14 (`fib_add_ifaddr` makes it no broadcast address any more), the last is
/// everybody's to the others there.
fn network_or_broadcast(view: &View<'_>, findings: &mut Found) {
    for address in view.nodes.values().flat_map(|node| &node.addresses) {
        let IpNet::V4(net) = address.address else { continue };
        if net.prefix_len() >= 31 || address.peer.is_some() || net.addr().is_unspecified() {
            continue;
        }
        let (code, what) = if net.addr() == net.network() {
            ("address-is-network", "the subnet itself")
        } else if net.addr() == net.broadcast() {
            ("address-is-broadcast", "the broadcast address of its subnet")
        } else {
            continue;
        };
        let message = format!("\"{net}\" on \"{}\" is {what}, not an address of an interface", address.link);
        let first = net.hosts().next().unwrap_or(net.addr());
        let help = format!(
            "use one of {first} to {}, for example \"{first}/{}\"",
            net.hosts().last().unwrap_or(first),
            net.prefix_len()
        );
        let finding = if code == "address-is-network" { Finding::warning } else { Finding::error };
        findings.push(finding(code, view.place(&address.id()), message).help(help));
    }
}

/// Whether the same address may well depend on several interfaces: link-local ones belong to their link, and a
/// full-length or point-to-point one needs no subnet of its own (unnumbered links).
fn shareable(address: &Address) -> bool {
    let net = address.address;
    let link_local = matches!(net.addr(), IpAddr::V6(ip) if ip.is_unicast_link_local());
    link_local || address.peer.is_some() || net.prefix_len() == net.max_prefix_len()
}

/// One address twice in a node: the kernel would answer for it on both, and send from either.
fn twice_in_node(view: &View<'_>, findings: &mut Found) {
    for node in view.nodes.values() {
        let mut seen: BTreeMap<(Option<&LinkId>, IpAddr), &Address> = BTreeMap::new();
        for address in in_file_order(view, node) {
            let ip = address.address.addr();
            let key = (domain(view, &address.link), ip);
            let Some(first) = seen.get(&key) else {
                seen.insert(key, address);
                continue;
            };
            let same_link = first.link == address.link;
            if (!same_link && shareable(first) && shareable(address))
                || (same_link && ip.is_ipv4() && first.peer != address.peer)
            {
                continue;
            }
            let place = if same_link {
                format!("\"{}\"", address.link)
            } else {
                format!("both \"{}\" and \"{}\"", first.link, address.link)
            };
            let message = format!("\"{ip}\" stands twice in the node, on {place}");
            let help = if same_link {
                "keep one of them, with the prefix length of the subnet"
            } else {
                "give each interface an address of its own"
            };
            // On two interfaces the kernel has nothing against it, and marks, zones or tables can keep the two apart.
            let finding = if same_link { Finding::error } else { Finding::warning };
            let finding = finding("address-twice", view.place(&address.id()), message)
                .also(view.place(&first.id()), "first used here");
            findings.push(finding.help(help));
        }
    }
}

/// The addresses of a node as they come in the file, so that the second of two is the later one.
fn in_file_order<'a>(view: &View<'_>, node: &NodeView<'a>) -> Vec<&'a Address> {
    let mut addresses = node.addresses.clone();
    addresses.sort_by_cached_key(|address| view.place(&address.id()));
    addresses
}

/// IPv4 addresses of one subnet on one interface that reach differently far (`__inet_insert_ifa`).
fn two_scopes(view: &View<'_>, findings: &mut Found) {
    for node in view.nodes.values() {
        let mut seen: BTreeMap<(&LinkId, IpNet), (u8, &Address)> = BTreeMap::new();
        for address in in_file_order(view, node).into_iter().filter(|address| address.address.addr().is_ipv4()) {
            let scope = address.scope.get().copied().unwrap_or(0);
            let (first_scope, first) = *seen.entry((&address.link, address.subnet())).or_insert((scope, address));
            if scope != first_scope {
                let message = format!(
                    "\"{}\" on \"{}\" has another scope than \"{}\", which is in the same subnet",
                    address.address, address.link, first.address
                );
                let finding = Finding::error("address-scope", view.place(&address.id()), message)
                    .also(view.place(&first.id()), "the first of the subnet");
                findings.push(finding.help("give all addresses of a subnet the same `scope`"));
            }
        }
    }
}

/// A neighbour where nothing has a hardware address: the kernel keeps it for no address at all (`arp_constructor`).
fn no_neighbors(view: &View<'_>, findings: &mut Found) {
    for neighbor in view.nodes.values().flat_map(|node| &node.neighbors).filter(|neighbor| !neighbor.proxy) {
        let Some(link) =
            view.links.get(&neighbor.link).filter(|link| link.kind == Kind::Loopback || without_frames(link))
        else {
            continue;
        };
        let message = format!("\"{}\" has no Ethernet frames, and so no neighbours", link.id);
        findings.push(
            Finding::error("no-neighbors", view.place(&neighbor.id()), message)
                .help("name the interface that leads to the neighbour, or leave it out"),
        );
    }
}

/// Subnets of two interfaces of a node that overlap: the kernel takes one of them for all.
fn overlapping(view: &View<'_>, findings: &mut Found) {
    for (name, node) in &view.nodes {
        for family in [true, false] {
            overlapping_in(view, name, node, family, findings);
        }
    }
}

/// One family of one node. Sorted by their first address, prefixes that overlap are nested, and the enclosing one is on
/// the stack.
fn overlapping_in(view: &View<'_>, name: &Node, node: &NodeView<'_>, v4: bool, findings: &mut Found) {
    let subnets = node.addresses.iter().filter(|address| address.address.addr().is_ipv4() == v4 && !shareable(address));
    let mut subnets: Vec<(IpNet, &LinkId, &Address)> =
        subnets.map(|address| (address.subnet(), &address.link, *address)).collect();
    subnets.sort_by(|a, b| (a.0.network(), a.0.prefix_len(), a.1).cmp(&(b.0.network(), b.0.prefix_len(), b.1)));
    let mut enclosing: Vec<(IpNet, &LinkId, &Address)> = Vec::new();
    for subnet in subnets {
        while enclosing.last().is_some_and(|outer| !outer.0.contains(&subnet.0)) {
            enclosing.pop();
        }
        let same_address = |outer: &Address| outer.address.addr() == subnet.2.address.addr();
        if let Some((outer, link, address)) = enclosing.iter().rev().find(|outer| outer.1 != subnet.1)
            && !same_address(address)
            && !apart(view, link, subnet.1)
        {
            let (first, second) = if view.place(&address.id()) <= view.place(&subnet.2.id()) {
                (*address, subnet.2)
            } else {
                (subnet.2, *address)
            };
            let message = if *outer == subnet.0 {
                format!(
                    "\"{}\" and \"{}\" of \"{name}\" are both in the subnet {outer}",
                    first.link.name, second.link.name
                )
            } else {
                format!(
                    "the subnet {} of \"{}\" in \"{name}\" overlaps {} of \"{}\"",
                    second.subnet(),
                    second.link.name,
                    first.subnet(),
                    first.link.name
                )
            };
            let finding = Finding::warning("subnets-overlap", view.place(&second.id()), message)
                .also(view.place(&first.id()), "the other one");
            findings.push(
                finding.help("packets for that subnet leave by one of the two only: give each interface a subnet of its own, or join them with a bridge"),
            );
        }
        // Equal ones of one link stand for each other: the stack stays as short as prefixes are long.
        if enclosing.last().is_none_or(|outer| (outer.0, outer.1) != (subnet.0, subnet.1)) {
            enclosing.push(subnet);
        }
    }
}

/// Whether two links are in different routing domains (VRFs).
fn apart(view: &View<'_>, one: &LinkId, other: &LinkId) -> bool {
    domain(view, one) != domain(view, other)
}

/// The VRF that a link is a port of, itself or by the bridge or bond that it is.
fn domain<'a>(view: &View<'a>, link: &LinkId) -> Option<&'a LinkId> {
    view.master(view.links.get(link)?).filter(|master| master.kind == Kind::Vrf).map(|master| &master.id)
}

/// An address on a port of a bridge: what comes in by the port goes to the bridge, so the address hears nothing.
fn on_port(view: &View<'_>, findings: &mut Found) {
    for address in view.nodes.values().flat_map(|node| &node.addresses) {
        let Some(link) = view.links.get(&address.link) else { continue };
        let Some(master) = view
            .master(link)
            .filter(|master| matches!(master.kind, Kind::Bridge | Kind::Bond) && link.kind != Kind::Bridge)
        else {
            continue;
        };
        let what = master.kind.word();
        let message = format!(
            "\"{}\" is configured on \"{}\", which is a port of the {what} \"{}\"",
            address.address, address.link, master.id.name
        );
        let finding = Finding::warning("address-on-port", view.place(&address.id()), message)
            .also(view.link_place(&master.id), if master.kind == Kind::Bond { "the bond" } else { "the bridge" });
        findings.push(
            finding
                .help(format!("what arrives at a port is the {what}'s: write the address on \"{}\"", master.id.name)),
        );
    }
}

/// One address twice on a segment: who asks for it gets either of the two.
fn twice_on_segment(view: &View<'_>, findings: &mut Found) {
    let mut all: Vec<&Address> = view.nodes.values().flat_map(|node| node.addresses.iter().copied()).collect();
    all.sort_by_cached_key(|address| view.place(&address.id()));
    let mut seen: BTreeMap<(usize, IpAddr), &Address> = BTreeMap::new();
    for address in all {
        let Some(segment) = view.segments.of(&address.link) else { continue };
        let ip = address.address.addr();
        if ip.is_loopback() || ip.is_unspecified() || ip.is_multicast() {
            continue;
        }
        let first = *seen.entry((segment, ip)).or_insert(address);
        if first.link.node == address.link.node {
            continue;
        }
        let message =
            format!("\"{ip}\" of \"{}\" is also that of \"{}\", on the same segment", address.link, first.link);
        let finding = Finding::warning("address-twice-on-segment", view.place(&address.id()), message)
            .also(view.place(&first.id()), "first used here");
        findings.push(finding.help("give each interface of a segment an address of its own"));
    }
}
