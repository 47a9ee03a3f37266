//! Subnets of the file that the machine routes elsewhere.

use crate::doctor::code::{Code, Severity};
use crate::doctor::examined::Examined;
use crate::doctor::finding::Finding;
use crate::flow::packet::{is_link_local, is_loopback};
use crate::resource::{Node, Resource, ResourceId, RouteKind, TableId};
use ipnet::IpNet;
use std::net::{IpAddr, Ipv4Addr};

/// The most pairs that are compared: a machine with a full table of routes is looked at in part.
const MOST: usize = 4_000_000;

/// A prefix of a node, and what has it.
struct Net<'a> {
    net: IpNet,
    node: &'a Node,
    id: ResourceId,
    /// By which interface it is reached, where that is one.
    interface: Option<&'a str>,
    words: String,
}

pub(super) fn find(examined: &Examined<'_>) -> Vec<Finding> {
    let own: Vec<Net<'_>> = examined.outside().filter_map(net_of).collect();
    if own.is_empty() {
        return Vec::new();
    }
    let foreign = examined.around.resources().filter(|resource| examined.is_foreign(&resource.id()));
    let foreign: Vec<Net<'_>> = foreign.filter_map(net_of).take(MOST / own.len().max(1)).collect();
    let mut found: Vec<Finding> = Vec::new();
    for ours in &own {
        let rival = foreign.iter().filter(|theirs| theirs.node == ours.node && differs(ours, theirs));
        let around = |theirs: &&Net<'_>| theirs.net.contains(&ours.net) || ours.net.contains(&theirs.net);
        // What is as narrow as ours or narrower wins; the widest of those that lose is said.
        let worst = rival.filter(around).max_by_key(|theirs| theirs.net.prefix_len());
        found.extend(worst.map(|theirs| of(examined, ours, theirs)));
    }
    found.dedup_by(|one, other| one.what == other.what);
    found
}

/// Two ways that lead by one interface are one.
fn differs(ours: &Net<'_>, theirs: &Net<'_>) -> bool {
    ours.interface.is_none() || ours.interface != theirs.interface
}

fn net_of(resource: &Resource) -> Option<Net<'_>> {
    match resource {
        Resource::Address(address) => {
            let net = address.subnet();
            let name = address.link.name.as_str();
            let host = net.prefix_len() == net.max_prefix_len();
            let local = is_loopback(net.addr()) || is_link_local(net.addr()) || name == "lo" || host;
            let words = format!("{net} of {name}");
            let (node, id) = (&address.link.node, address.id());
            (!local).then_some(Net { net, node, id, interface: Some(name), words })
        }
        Resource::Route(route) => {
            let net = route.key.to;
            let unicast = matches!(
                route.kind,
                RouteKind::Unicast | RouteKind::Blackhole | RouteKind::Prohibit | RouteKind::Unreachable
            );
            let counts =
                route.key.table == TableId::MAIN && net.prefix_len() > 0 && unicast && !is_link_local(net.addr());
            let dev = route.nexthops.iter().find_map(|hop| hop.dev.as_ref()).map(crate::resource::IfName::as_str);
            let words = match (dev, route.kind) {
                (_, kind) if kind != RouteKind::Unicast => format!("the {} route to {net}", kind.word()),
                (Some(dev), _) => format!("the route to {net} by {dev}"),
                (None, _) => format!("the route to {net}"),
            };
            counts.then_some(Net { net, node: &route.node, id: route.id(), interface: dev, words })
        }
        _ => None,
    }
}

fn of(examined: &Examined<'_>, ours: &Net<'_>, theirs: &Net<'_>) -> Finding {
    let wins = theirs.net.prefix_len() >= ours.net.prefix_len();
    let severity = if wins { Severity::Error } else { Severity::Warning };
    let what = format!("{} in {} overlaps {}, which is not the file's", ours.words, ours.node, theirs.words);
    let why = if wins {
        format!("Packets of {} to {} go there, and not to the topology.", ours.node, theirs.net)
    } else {
        format!(
            "The file's is the narrower of both: packets of {} to {} do not get there any more.",
            ours.node, ours.net
        )
    };
    let free = match free(examined, ours.net) {
        Some(net) => format!("{why} Take another subnet: {net} is free here."),
        None => format!("{why} Take another subnet."),
    };
    Finding::new(Code::SubnetRouted, severity, what, free).about(ours.id.clone())
}

/// A subnet of the same length that nothing on the machine has, of those for private use (RFC 1918).
fn free(examined: &Examined<'_>, like: IpNet) -> Option<IpNet> {
    let IpNet::V4(like) = like else { return None };
    let taken: Vec<IpNet> = examined
        .around
        .resources()
        .chain(examined.wanted.resources())
        .filter_map(net_of)
        .map(|net| net.net)
        .filter(|net| net.addr().is_ipv4())
        .take(MOST / 256)
        .collect();
    let net =
        |octets: [u8; 4], least: u8| IpNet::new(IpAddr::V4(Ipv4Addr::from(octets)), like.prefix_len().max(least)).ok();
    let tens = (64..=255).filter_map(|second| net([10, second, 0, 0], 16));
    let small = (16..=31).filter_map(|second| net([172, second, 0, 0], 16));
    let home = (1..=255).filter_map(|third| net([192, 168, third, 0], 24));
    let candidates = tens.chain(small).chain(home);
    let mut fits = candidates.filter(|net| taken.iter().all(|taken| !taken.contains(net) && !net.contains(taken)));
    fits.next()
}
