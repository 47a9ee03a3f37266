//! Rules about what the kernel takes for a next hop, and for a route beside its own.

use super::route::{name, routes};
use super::rule::{Found, Rule};
use super::view::{NodeView, View};
use crate::document::Finding;
use crate::resource::{Address, IfName, Kind, LinkId, NextHop, Route, RouteKind, Setting, TableId, Value};
use ipnet::IpNet;
use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

/// All of them.
pub(super) const RULES: &[Rule] =
    &[no_gateway, broadcast_gateway, scope_of_host, onlink_without_gateway, same_hop_twice, of_the_kernel];

/// `RT_SCOPE_HOST`: it ends in the node itself.
const HOST: u8 = 254;

/// A gateway that is no host's address (`fib_check_nh`, `ip6_route_check_nh`).
fn no_gateway(view: &View<'_>, findings: &mut Found) {
    for (_, route) in routes(view) {
        for hop in &route.nexthops {
            let Some(via) = hop.via else { continue };
            let what = if via.is_multicast() {
                "a multicast group"
            } else if via.is_unspecified() {
                "no address"
            } else if via == IpAddr::from([255, 255, 255, 255]) {
                "everybody"
            } else {
                continue;
            };
            let message = format!("the gateway \"{via}\" stands for {what}, and a gateway is one host");
            findings.push(
                Finding::error("bad-gateway", view.via_place(route, hop), message)
                    .help("name the address of the node that shall forward these packets"),
            );
        }
    }
}

/// A gateway that is the broadcast address of a subnet of the node.
fn broadcast_gateway(view: &View<'_>, findings: &mut Found) {
    for node in view.nodes.values().filter(|node| !node.routes.is_empty()) {
        let subnets = node
            .addresses
            .iter()
            .map(|address| address.subnet())
            .filter(|net| net.addr().is_ipv4() && net.prefix_len() < 31);
        let last: HashMap<IpAddr, IpNet> = subnets.map(|net| (net.broadcast(), net)).collect();
        for route in &node.routes {
            for hop in &route.nexthops {
                let Some((via, net)) = hop.via.and_then(|via| Some((via, last.get(&via)?))) else { continue };
                let message =
                    format!("the gateway \"{via}\" is the broadcast address of {net}, and a gateway is one host");
                let finding = Finding::error("bad-gateway", view.via_place(route, hop), message);
                findings.push(finding.help("name the address of the node that shall forward these packets"));
            }
        }
    }
}

/// A scope that there is none of, or one that ends in the node itself where packets leave it (`fib_create_info`,
/// `fib_check_nh`).
fn scope_of_host(view: &View<'_>, findings: &mut Found) {
    for (_, route) in routes(view) {
        let Some(scope) = route.scope.get().copied().filter(|scope| *scope >= HOST) else { continue };
        let leaves = route.nexthops.len() > 1 || route.nexthops.iter().any(|hop| hop.via.is_some());
        let (what, help) = if scope > HOST {
            ("has the scope 255, which is none", "the scopes are `global`, `site`, `link` and `host`, or 0 to 254")
        } else if leaves {
            ("has the scope `host`, and goes on by a gateway", "leave `scope` out, or the gateway")
        } else {
            continue;
        };
        findings
            .push(Finding::error("route-scope", view.place(&route.id()), format!("{} {what}", name(route))).help(help));
    }
}

/// `onlink` says something of a gateway.
fn onlink_without_gateway(view: &View<'_>, findings: &mut Found) {
    for (_, route) in routes(view) {
        if route.nexthops.iter().any(|hop| hop.onlink && hop.via.is_none()) {
            let message = format!("{} says `onlink`, and has no gateway that could be", name(route));
            findings.push(
                Finding::error("missing-key", view.place(&route.id()), message)
                    .help("write `via`, or leave `onlink` out"),
            );
        }
    }
}

/// One next hop twice in a route of IPv6: the kernel makes a route of each, and refuses the second
/// (`ip6_route_multipath_add`).
fn same_hop_twice(view: &View<'_>, findings: &mut Found) {
    for (_, route) in routes(view).filter(|(_, route)| route.key.to.addr().is_ipv6()) {
        let mut seen: HashSet<(Option<IpAddr>, Option<&IfName>)> = HashSet::new();
        let Some(again) = route.nexthops.iter().find(|hop| !seen.insert((hop.via, hop.dev.as_ref()))) else { continue };
        let via = again.via.map_or_else(String::new, |via| format!(" \"{via}\""));
        let finding = Finding::error(
            "nexthop-twice",
            view.via_place(route, again),
            format!("{} has the next hop{via} twice", name(route)),
        );
        findings.push(finding.help("list it once; `weight` says how much of the traffic goes there"));
    }
}

/// A route that the kernel makes itself for an address: one of its key is there already then (`fib_table_insert`,
/// `fib6_add_rt2node`).
fn of_the_kernel(view: &View<'_>, findings: &mut Found) {
    for node in view.nodes.values().filter(|node| node.created() && !node.routes.is_empty()) {
        let mut own: HashMap<(&TableId, IpNet, u32), &Address> = HashMap::new();
        let tables: HashMap<&LinkId, TableId> =
            node.links.values().filter_map(|link| Some((&link.id, vrf_table(view, &link.id)?))).collect();
        for address in node.addresses.iter().filter(|address| makes_route(node, address)) {
            let table = tables.get(&address.link).unwrap_or(&TableId::MAIN);
            // `IP6_RT_PRIO_ADDRCONF` is 256.
            let metric = if address.address.addr().is_ipv4() { 0 } else { 256 };
            own.entry((table, address.subnet(), metric)).or_insert(address);
            if address.address.addr().is_ipv4() {
                own.entry((&TableId::LOCAL, IpNet::from(address.address.addr()), 0)).or_insert(address);
            }
        }
        for route in &node.routes {
            let Some(address) = own.get(&(&route.key.table, route.key.to, route.key.metric)) else { continue };
            let message = format!(
                "{} is made by the kernel itself, for \"{}\" of \"{}\"",
                name(route),
                address.address,
                address.link.name
            );
            let finding = Finding::error("route-of-address", view.place(&route.id()), message)
                .also(view.place(&address.id()), "the address");
            let help = if plain(route) {
                "leave it out; a second one needs a `metric` of its own"
            } else {
                "give it a higher `metric`, or a longer prefix"
            };
            findings.push(finding.help(help));
        }
    }
}

/// Whether a route says no more than that its destination is at an interface.
fn plain(route: &Route) -> bool {
    let on_link = |hop: &NextHop| hop.via.is_none();
    matches!(route.kind, RouteKind::Unicast | RouteKind::Local) && route.nexthops.iter().all(on_link)
}

/// Whether the kernel makes a route to the subnet of an address (`fib_add_ifaddr`, `addrconf_prefix_route`).
fn makes_route(node: &NodeView<'_>, address: &Address) -> bool {
    let down = node
        .links
        .get(&address.link.name)
        .is_some_and(|link| link.up == Setting::Is(false) || link.kind == Kind::Loopback);
    !down && address.address.prefix_len() < address.address.max_prefix_len()
}

/// The table of the VRF that a link is a port of, where it is written as a number.
fn vrf_table(view: &View<'_>, link: &LinkId) -> Option<TableId> {
    let vrf = view.master(view.links.get(link)?).filter(|master| master.kind == Kind::Vrf)?;
    match vrf.options.get("table") {
        Some(Value::Number(number)) => u32::try_from(*number).ok().map(TableId::Number),
        Some(Value::Word(name)) => Some(TableId::Name(name.clone())),
        _ => None,
    }
}
