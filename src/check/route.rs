//! Rules about routes and neighbours.

use super::rule::{Found, Rule};
use super::view::{NodeView, View};
use crate::document::Finding;
use crate::resource::{Address, IfName, Kind, Link, LinkId, NextHop, Node, Route, RouteKind, Setting, Tenure, kinds};
use ipnet::IpNet;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::net::IpAddr;

/// All of them.
pub(super) const RULES: &[Rule] = &[down_dev, gateway_not_on_link, gateway_nobody, foreign_source];

/// Each route with its node.
pub(super) fn routes<'v, 'a>(view: &'v View<'a>) -> impl Iterator<Item = (&'v NodeView<'a>, &'a Route)> {
    view.nodes.values().flat_map(|node| node.routes.iter().map(move |route| (node, *route)))
}

/// How a message names a route.
pub(super) fn name(route: &Route) -> String {
    let to = if route.key.to.prefix_len() == 0 { "default".to_owned() } else { route.key.to.to_string() };
    format!("the route to \"{to}\" in \"{}\"", route.node)
}

/// A route over an interface that the file keeps down: the kernel refuses it.
fn down_dev(view: &View<'_>, findings: &mut Found) {
    for (node, route) in routes(view).filter(|(_, route)| !route.ends_here()) {
        let devs = route.nexthops.iter().filter_map(|hop| node.links.get(hop.dev.as_ref()?));
        for link in devs.filter(|link| link.up == Setting::Is(false)) {
            let message = format!("{} leaves by \"{}\", which is down", name(route), link.id.name);
            let finding = Finding::error("route-over-down", view.dev_place(route, &link.id.name), message)
                .also(view.link_place(&link.id), "has `up: false`");
            findings.push(
                finding.help(
                    "the kernel takes no route over an interface that is down: leave `up: false` out, or the route",
                ),
            );
        }
    }
}

/// What a gateway can be reached by in a node, made once for all of its routes.
struct Reach {
    /// Subnets of interfaces, and prefixes routed to an interface without a gateway, by length of the prefix.
    subnets: HashMap<IpNet, Vec<IfName>>,
    /// Which lengths there are, longest first.
    lengths: BTreeSet<(bool, u8)>,
    /// Whether an interface has a DHCP client, for IPv4 and IPv6.
    clients: (bool, bool),
    /// Interfaces with an address that has a peer: any gateway will do there.
    peers: HashSet<IfName>,
}

impl Reach {
    fn of(node: &NodeView<'_>) -> Self {
        let mut reach = Self::on_links(node);
        for address in &node.addresses {
            reach.add(IpNet::from(address.address.addr()), &address.link.name);
        }
        for route in
            node.routes.iter().filter(|route| route.kind == RouteKind::Unicast && route.key.to.prefix_len() > 0)
        {
            for dev in route.nexthops.iter().filter(|hop| hop.via.is_none()).filter_map(|hop| hop.dev.as_ref()) {
                reach.add(route.key.to, dev);
            }
        }
        reach
    }

    /// By the subnets of interfaces alone.
    fn on_links(node: &NodeView<'_>) -> Self {
        let clients = (node.links.values().any(|link| link.dhcp4), node.links.values().any(|link| link.dhcp6));
        let peers = node
            .addresses
            .iter()
            .filter(|address| address.peer.is_some())
            .map(|address| address.link.name.clone())
            .collect();
        let mut reach = Self { subnets: HashMap::new(), lengths: BTreeSet::new(), clients, peers };
        for address in &node.addresses {
            reach.add(address.subnet(), &address.link.name);
        }
        reach
    }

    fn add(&mut self, net: IpNet, dev: &IfName) {
        self.lengths.insert((net.addr().is_ipv4(), net.prefix_len()));
        let devs = self.subnets.entry(net).or_default();
        if devs.last() != Some(dev) {
            devs.push(dev.clone());
        }
    }

    /// The interfaces on whose subnets `ip` is; the most special subnet first.
    fn devs(&self, ip: IpAddr) -> impl Iterator<Item = &IfName> {
        let lengths = self.lengths.iter().rev().filter(move |(v4, _)| *v4 == ip.is_ipv4());
        lengths.filter_map(move |(_, length)| self.subnets.get(&IpNet::new(ip, *length).ok()?.trunc())).flatten()
    }
}

/// A gateway in no subnet of the node's interfaces.
fn gateway_not_on_link(view: &View<'_>, findings: &mut Found) {
    for (name_of_node, node) in view.nodes.iter().filter(|(_, node)| !node.routes.is_empty()) {
        let reach = Reach::of(node);
        for route in &node.routes {
            for hop in &route.nexthops {
                if let Some(finding) = off_link(view, name_of_node, node, &reach, route, hop) {
                    findings.push(finding);
                }
            }
        }
    }
}

/// The finding for one next hop, if its gateway cannot be reached.
fn off_link(
    view: &View<'_>,
    at: &Node,
    node: &NodeView<'_>,
    reach: &Reach,
    route: &Route,
    hop: &NextHop,
) -> Option<Finding> {
    let via = hop.via.filter(|via| !link_local(*via) && (via.is_ipv6() || route.key.to.addr().is_ipv4()))?;
    if hop.onlink {
        return None;
    }
    let (message, help) = match &hop.dev {
        Some(dev) => {
            let link = node.links.get(dev)?;
            if link.tenure != Tenure::Created
                || takes_any(reach, link)
                || learns(node, reach, via, Some(dev))
                || reach.devs(via).any(|one| one == dev)
            {
                return None;
            }
            let message = format!("the gateway \"{via}\" is in no subnet of \"{at}/{dev}\"");
            match reach.devs(via).next() {
                Some(one) => (message, format!("it is in one of \"{one}\": write `dev: {one}`, or leave `dev` out")),
                None => (message, help_for(node, via, Some(dev))),
            }
        }
        None => {
            if !node.created() || learns(node, reach, via, None) || reach.devs(via).next().is_some() {
                return None;
            }
            (format!("the gateway \"{via}\" is in no subnet of \"{at}\""), help_for(node, via, None))
        }
    };
    let finding = Finding::error("gateway-not-on-link", view.via_place(route, hop), message);
    Some(finding.help(help))
}

fn link_local(ip: IpAddr) -> bool {
    matches!(ip, IpAddr::V6(ip) if ip.is_unicast_link_local())
}

/// Whether any gateway will do on `link`: it is point-to-point, or of a kind that may be.
fn takes_any(reach: &Reach, link: &Link) -> bool {
    kinds::traits(&link.kind).point_to_point
        || matches!(link.kind, Kind::Other(_) | Kind::Any | Kind::Physical)
        || reach.peers.contains(&link.id.name)
}

/// Whether the node may learn a subnet for `via` from router advertisements, or from DHCP.
fn learns(node: &NodeView<'_>, reach: &Reach, via: IpAddr, dev: Option<&IfName>) -> bool {
    let listens = |key: &str| {
        let name = key.strip_prefix("net/ipv6/conf/").and_then(|rest| rest.strip_suffix("/accept_ra"));
        name.is_some_and(|name| dev.is_none_or(|dev| matches!(name, "all" | "default") || dev.as_str() == name))
    };
    let asks = |link: &&Link| if via.is_ipv4() { link.dhcp4 } else { link.dhcp6 };
    let client = match dev {
        Some(dev) => node.links.get(dev).is_some_and(asks),
        None if via.is_ipv4() => reach.clients.0,
        None => reach.clients.1,
    };
    client || via.is_ipv6() && node.sysctls.values().any(|sysctl| listens(&sysctl.key) && sysctl.value != "0")
}

/// What to write instead: the subnets that there are.
fn help_for(node: &NodeView<'_>, via: IpAddr, dev: Option<&IfName>) -> String {
    let fits = |address: &&&Address| {
        address.address.addr().is_ipv4() == via.is_ipv4() && dev.is_none_or(|dev| address.link.name == *dev)
    };
    let mut subnets: Vec<(IpNet, &IfName)> =
        node.addresses.iter().filter(fits).map(|address| (address.subnet(), &address.link.name)).collect();
    subnets.dedup();
    let told = |(subnet, name): &(IpNet, &IfName)| format!("{subnet} ({name})");
    let family = if via.is_ipv4() { "IPv4" } else { "IPv6" };
    if subnets.is_empty() {
        let place = dev.map_or_else(|| "no interface here has".to_owned(), |dev| format!("\"{dev}\" has no"));
        let an = if dev.is_some() { "" } else { "an " };
        return format!(
            "{place} {an}{family} address: give it one in the gateway's subnet, or say `dev` and `onlink: true`"
        );
    }
    let known = match subnets.as_slice() {
        few if few.len() <= 4 => format!("the subnets are {}", few.iter().map(told).collect::<Vec<_>>().join(", ")),
        [first, ..] => format!("the subnets are {} and {} more", told(first), subnets.len() - 1),
        [] => String::new(),
    };
    format!("{known}: name a gateway there, add an address in the gateway's subnet, or say `dev` and `onlink: true`")
}

/// A gateway that nothing has, on a segment of which the file says everything.
fn gateway_nobody(view: &View<'_>, findings: &mut Found) {
    let mut holders: HashSet<(usize, IpAddr)> = HashSet::new();
    for address in view.nodes.values().flat_map(|node| &node.addresses) {
        if let Some(segment) = view.segments.of(&address.link) {
            holders.insert((segment, address.address.addr()));
        }
    }
    let answered: HashSet<IpAddr> =
        view.nodes.values().flat_map(|node| &node.neighbors).map(|neighbor| neighbor.address).collect();
    let proxied = view
        .nodes
        .values()
        .flat_map(|node| node.sysctls.values())
        .any(|sysctl| sysctl.key.ends_with("/proxy_arp") && sysctl.value != "0");
    for (at, node) in view.nodes.iter().filter(|(_, node)| node.created() && !node.routes.is_empty()) {
        let own: HashSet<IpAddr> = node.addresses.iter().map(|address| address.address.addr()).collect();
        let reach = Reach::on_links(node);
        for (route, hop) in node.routes.iter().flat_map(|route| route.nexthops.iter().map(move |hop| (route, hop))) {
            let Some(via) = hop.via.filter(|via| !link_local(*via)) else { continue };
            let on_dev = |dev: &&IfName| hop.dev.as_ref().is_none_or(|asked| asked == *dev);
            let mut links =
                reach.devs(via).filter(on_dev).map(|dev| LinkId { node: (*at).clone(), name: dev.clone() }).peekable();
            let Some(first) = links.peek().cloned() else { continue };
            if via.is_ipv6() && own.contains(&via) {
                let message =
                    format!("the gateway \"{via}\" is an address of this node itself: the kernel takes no such route");
                findings.push(
                    Finding::error("gateway-own", view.via_place(route, hop), message)
                        .help("name the address of the node that shall forward these packets"),
                );
                continue;
            }
            let holds = |link: LinkId| {
                view.segments.is_open(&link)
                    || view.segments.of(&link).is_some_and(|segment| holders.contains(&(segment, via)))
            };
            if proxied || own.contains(&via) || answered.contains(&via) || links.any(holds) {
                continue;
            }
            let message = format!("no node on the segment of \"{first}\" has the gateway address \"{via}\"");
            let finding = Finding::warning("gateway-nobody", view.via_place(route, hop), message);
            findings.push(finding.help("name the address of the node that shall forward these packets"));
        }
    }
}

/// A preferred source that the node does not have: the kernel refuses it.
fn foreign_source(view: &View<'_>, findings: &mut Found) {
    for node in view.nodes.values().filter(|node| node.created()) {
        let own = &node.written_addresses;
        let client = |v4: bool| node.links.values().any(|link| if v4 { link.dhcp4 } else { link.dhcp6 });
        let clients = [client(true), client(false)];
        for route in &node.routes {
            let leased =
                |source: IpAddr| !source.is_loopback() && clients.get(usize::from(source.is_ipv6())) == Some(&true);
            // Those of `lo` are everywhere, but for IPv6 one is taken only of its own interface (`ipv6_chk_addr`).
            let on_lo = |hop: &NextHop| hop.dev.as_ref().is_some_and(|dev| *dev == *"lo");
            let of_lo = |source: IpAddr| source.is_loopback() && (source.is_ipv4() || route.nexthops.iter().all(on_lo));
            let Some(source) = route.source.filter(|source| {
                !of_lo(*source) && !leased(*source) && (source.is_loopback() || !own.contains(source))
            }) else {
                continue;
            };
            if source.is_loopback() {
                let message = format!(
                    "{} prefers the source \"{source}\", and does not leave by `lo`: the kernel refuses that",
                    name(route)
                );
                findings.push(
                    Finding::error("route-source", view.source_place(route), message)
                        .help("name an address of the interface that it leaves by"),
                );
                continue;
            }
            let message = format!("{} prefers the source \"{source}\", which is no address of the node", name(route));
            let finding = Finding::error("route-source", view.source_place(route), message);
            findings.push(finding.help("name an address of one of the node's interfaces"));
        }
    }
}
