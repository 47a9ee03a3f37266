//! Addresses, routes and rules as a user would have written them.

use super::remarks::Remarks;
use crate::resource::{
    Address, IfName, LinkId, NextHop, Qdisc, Route, RouteKind, Rule, RuleAction, Setting, State, Work,
};
use std::net::IpAddr;

/// An address. `topo` says that topo made the node, and so that duplicate address detection is off unless it is said.
pub(super) fn address(address: &Address, topo: bool, remarks: &mut Remarks) -> Address {
    let mut wanted = address.clone();
    if !topo {
        wanted.nodad = Setting::Left;
    }
    let usual = match address.address {
        ipnet::IpNet::V4(net) => format!("broadcast {}", net.broadcast()),
        ipnet::IpNet::V6(_) => String::new(),
    };
    let more = address.more_words().replace(&usual, "");
    if !more.trim().is_empty() {
        let Address { link, address, .. } = address;
        remarks.add(&link.node, format!("`{}` of the address {address} on {}", more.trim(), link.name));
    }
    wanted
}

/// A route, if the file can say it; `made` says whether the file has an interface.
pub(super) fn route(
    state: &State,
    route: &Route,
    made: impl Fn(&IfName) -> bool,
    remarks: &mut Remarks,
) -> Option<Route> {
    let name = || {
        let hops: Vec<String> = route.nexthops.iter().map(ToString::to_string).collect();
        let table = format!("table {}", route.key.table);
        format!("the route to {} {} {table}", route.key.to, hops.join(" "))
    };
    let mut devs = route.nexthops.iter().filter_map(|hop| hop.dev.as_ref());
    if let Some(dev) = devs.find(|dev| !made(dev)) {
        remarks.add(&route.node, format!("{}: {dev} is not the file's", name()));
        return None;
    }
    let known = [
        RouteKind::Unicast,
        RouteKind::Local,
        RouteKind::Blackhole,
        RouteKind::Unreachable,
        RouteKind::Prohibit,
        RouteKind::Throw,
    ];
    if !known.contains(&route.kind) {
        remarks.add(&route.node, format!("{}: topo has no routes of type {}", name(), route.kind.word()));
        return None;
    }
    let raw = route.nexthops.iter().map(|hop| &hop.raw).chain([&route.raw]);
    if let Some(words) = raw.filter(|raw| raw.has_encapsulation()).map(|raw| raw.route_words().join(" ")).next() {
        remarks.add(&route.node, format!("{}: topo has no word for `{words}`", name()));
        return None;
    }
    let more = route.more_words();
    if !more.trim().is_empty() {
        remarks.add(&route.node, format!("`{}` of {}", more.trim(), name()));
    }
    let mut wanted = route.clone();
    wanted.nexthops = route.nexthops.iter().map(|hop| hop_of(state, route, hop)).collect();
    Some(wanted)
}

/// A next hop without its interface where one subnet alone leads to the gateway.
fn hop_of(state: &State, route: &Route, hop: &NextHop) -> NextHop {
    let leads = hop.via.is_some_and(|via| the_one_way(state, route, via) == hop.dev);
    if leads && !hop.onlink && hop.dev.is_some() { NextHop { dev: None, ..hop.clone() } } else { hop.clone() }
}

/// The interface by which a gateway is reached, if there is one alone.
fn the_one_way(state: &State, route: &Route, via: IpAddr) -> Option<IfName> {
    let mut found: Option<IfName> = None;
    for link in state.links_of(&route.node) {
        let near = state.addresses_of(&link.id).any(|address| address.subnet().contains(&via));
        if !near {
            continue;
        }
        if state.is_off(&link.id) || found.is_some() {
            return None;
        }
        found = Some(link.id.name.clone());
    }
    found
}

/// Whether the file can say a rule; the kernel's own need no words where they are as they were.
pub(super) fn is_rule(rule: &Rule, remarks: &mut Remarks) -> bool {
    if rule.kernel {
        return rule.is_moved_local();
    }
    // One that a user put back in its place is as good as the kernel's.
    if Rule::of_the_kernel(&rule.node).iter().any(|own| own.key == rule.key) {
        return false;
    }
    let known = matches!(
        rule.key.action,
        RuleAction::Table(_) | RuleAction::Blackhole | RuleAction::Unreachable | RuleAction::Prohibit
    );
    let plain = !rule.key.invert && rule.key.tos == 0 && rule.key.raw.is_empty();
    if !(known && plain) {
        remarks.add(&rule.node, format!("the policy rule {}: topo has no words for all of it", rule.key));
    }
    known && plain
}

/// Whether the file can say a qdisc.
pub(super) fn is_qdisc(qdisc: &Qdisc, remarks: &mut Remarks) -> bool {
    let Work::Other { kind, more, .. } = &qdisc.work else { return true };
    let more = if more.is_empty() { String::new() } else { format!(" {more}") };
    remarks.add(
        &qdisc.link.node,
        format!("the qdisc {kind}{more} of {}: topo has netem alone (`impair`)", qdisc.link.name),
    );
    false
}

/// Whether an address is worth a line: the kernel's own of `lo` is not.
pub(super) fn is_loopback(link: &LinkId, address: &Address) -> bool {
    let own = match address.address {
        ipnet::IpNet::V4(net) => net.addr().is_loopback() && net.prefix_len() == 8,
        ipnet::IpNet::V6(net) => net.addr().is_loopback(),
    };
    link.name.as_str() == "lo" && own
}
