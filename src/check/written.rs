//! Rules about what the file says twice, or in two ways: a wanted state holds a thing once, so it cannot show that.

use super::rule::{Found, Rule};
use super::view::View;
use crate::document::schema::route::{RouteEntry, RouteType};
use crate::document::value::Destination;
use crate::document::{Finding, NodeSection, Place};
use crate::resource::{IfName, Node, TableId};
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use std::collections::HashMap;
use std::net::IpAddr;

/// All of them.
pub(super) const RULES: &[Rule] = &[repeated_address, repeated_route, resolver];

fn sections<'a>(view: &View<'a>) -> impl Iterator<Item = (&'a Node, bool, &'a NodeSection)> {
    view.nodes.iter().filter_map(|(name, node)| Some((*name, node.created(), node.section?)))
}

/// An address that stands twice on one interface.
fn repeated_address(view: &View<'_>, findings: &mut Found) {
    for (node, _, section) in sections(view) {
        for (name, interface) in &section.interfaces {
            let mut seen: HashMap<(IpNet, Option<IpAddr>), Place> = HashMap::new();
            for entry in &interface.addresses {
                let peer = entry.more.as_ref().and_then(|more| more.peer.as_ref()).map(|peer| peer.value);
                let address = entry.address.value.0;
                if let Some(first) = seen.get(&(address, peer)) {
                    let message = format!("\"{address}\" stands twice on \"{node}/{}\"", name.value);
                    let finding =
                        Finding::error("address-twice", entry.address.place, message).also(*first, "first used here");
                    findings.push(finding.help("leave one of the two out"));
                }
                seen.entry((address, peer)).or_insert(entry.address.place);
            }
        }
    }
}

/// The prefix that a route goes to; `default` has the family of its gateway.
fn destination(route: &RouteEntry) -> Option<IpNet> {
    match route.to.value {
        Destination::Prefix(net) => Some(net),
        Destination::Default => {
            let via = route.via.as_ref().or_else(|| route.nexthops.iter().find_map(|hop| hop.via.as_ref()))?;
            Some(if via.is_ipv4() { IpNet::V4(Ipv4Net::default()) } else { IpNet::V6(Ipv6Net::default()) })
        }
    }
}

/// Two routes that the kernel takes for one: the same destination, table and metric.
fn repeated_route(view: &View<'_>, findings: &mut Found) {
    for (node, _, section) in sections(view) {
        let mut seen: HashMap<(TableId, Option<IfName>, IpNet, u64), &RouteEntry> = HashMap::new();
        for route in &section.routes {
            let Some(to) = destination(route) else { continue };
            let local = route.kind.as_ref().is_some_and(|kind| kind.value == RouteType::Local);
            let usual_table = if local { TableId::LOCAL } else { TableId::MAIN };
            let table = route.table.as_ref().map_or(usual_table, |table| table.value.clone());
            let usual = if to.addr().is_ipv4() { 0 } else { 1024 };
            // For IPv6 the kernel reads 0 as its usual metric (`ip6_route_info_create`).
            let metric = route.metric.as_ref().map(|metric| metric.0).filter(|metric| *metric > 0).unwrap_or(usual);
            let key = (table.clone(), route.vrf.as_ref().map(|vrf| vrf.value.clone()), to, metric);
            let Some(first) = seen.get(&key) else {
                seen.insert(key, route);
                continue;
            };
            let hop = |route: &RouteEntry| {
                (route.via.clone(), route.dev.clone(), route.kind.clone().map(|kind| kind.place.length))
            };
            let same = hop(first) == hop(route) && route.nexthops.is_empty();
            let of = if table == TableId::MAIN { String::new() } else { format!(" in the table {table}") };
            let (code, what) = if to.prefix_len() == 0 {
                let family = if to.addr().is_ipv4() { "IPv4" } else { "IPv6" };
                (
                    "default-route-twice",
                    format!("\"{node}\" has two {family} default routes with the metric {metric}{of}"),
                )
            } else {
                ("route-twice", format!("\"{node}\" has two routes to \"{to}\" with the metric {metric}{of}"))
            };
            let help = if same {
                "leave one of them out"
            } else {
                "keep one, give the second one a higher `metric`, or make them one route with `nexthops`"
            };
            findings.push(Finding::error(code, route.to.place, what).also(first.to.place, "the first one").help(help));
        }
    }
}

/// A resolv.conf that names nothing to ask, or more than are asked.
fn resolver(view: &View<'_>, findings: &mut Found) {
    for (node, _, section) in sections(view) {
        let Some(dns) = &section.dns else { continue };
        let first = dns.search.first().or(dns.options.first());
        if let Some(first) = first.filter(|_| dns.nameservers.is_empty()) {
            let message = format!("the dns of \"{node}\" has search domains or options, but no nameservers");
            let finding = Finding::warning("dns-without-nameservers", first.place, message);
            findings.push(finding.help("programs ask one on 127.0.0.1 then: add `nameservers: [..]`, or use `hosts` for names without a server"));
        }
        if let Some(fourth) = dns.nameservers.get(3) {
            let message = format!(
                "the dns of \"{node}\" has {} nameservers, and programs ask the first three",
                dns.nameservers.len()
            );
            findings.push(
                Finding::warning("dns-too-many-nameservers", fourth.place, message).help("keep the three that matter"),
            );
        }
    }
}
