//! Routes: which one a packet takes.

use super::outcome::By;
use super::packet::{Packet, is_link_local, is_loopback};
use super::world::World;
use crate::resource::{
    Address, Automatic, Family, IfName, Kind, Link, Node, Route, RouteKind, Rule, RuleAction, RuleKey, TableId,
};
use ipnet::IpNet;
use std::net::IpAddr;

/// A next hop that a packet may take.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hop {
    /// The interface that it leaves by.
    pub dev: IfName,
    /// The gateway; `None` where the destination itself is on the link.
    pub via: Option<IpAddr>,
}

/// What a look-up finds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Found {
    /// It is delivered here.
    Local(By),
    /// It leaves.
    Out {
        /// The next hops; the kernel takes one of several by a hash of the addresses.
        hops: Vec<Hop>,
        /// The source that the route prefers.
        source: Option<IpAddr>,
        /// The scope of the route.
        scope: u8,
        /// The MTU of its path.
        mtu: Option<u32>,
        /// The route.
        by: By,
    },
    /// A route or rule refuses it.
    Refused(RouteKind, By),
    /// Everybody on the link gets it.
    Broadcast(By),
    /// No route.
    None,
    /// It depends on what is not known.
    Unknown(By),
}

/// Where a packet comes from, for the rules.
#[derive(Clone, Copy, Debug)]
pub struct From<'a> {
    /// The interface that it came in by; `None` for a packet of the node's own.
    pub input: Option<&'a Link>,
    /// Its source, where it has one.
    pub source: Option<IpAddr>,
}

/// Looks a destination up.
pub fn lookup(world: &World<'_>, node: &Node, packet: &Packet, from: From<'_>) -> Found {
    for rule in rules(world, node, packet.family()) {
        match fits(&rule.key, packet, from) {
            Some(true) => {}
            Some(false) => continue,
            None => return Found::Unknown(by_rule(&rule)),
        }
        let table = match &rule.key.action {
            RuleAction::Table(table) => table.clone(),
            RuleAction::L3mdev => match from.input.and_then(|link| world.vrf(link)).map(vrf_table) {
                Some(table) => table,
                None => continue,
            },
            RuleAction::Blackhole => return Found::Refused(RouteKind::Blackhole, by_rule(&rule)),
            RuleAction::Unreachable => return Found::Refused(RouteKind::Unreachable, by_rule(&rule)),
            RuleAction::Prohibit => return Found::Refused(RouteKind::Prohibit, by_rule(&rule)),
            RuleAction::Other(_) => return Found::Unknown(by_rule(&rule)),
        };
        // Parts that the language does not have, such as `suppress_prefixlength`.
        if !rule.key.raw.0.is_empty() {
            return Found::Unknown(by_rule(&rule));
        }
        match in_table(world, node, packet.destination, &table) {
            Found::None => {}
            found => return found,
        }
    }
    Found::None
}

/// The rules of a node for a family, in order, with those that the kernel has by itself.
fn rules(world: &World<'_>, node: &Node, family: Family) -> Vec<Rule> {
    let own = world.state.rules_of(node).filter(|rule| rule.key.family == family);
    let mut rules: Vec<Rule> = own.cloned().collect();
    let mut defaults = vec![(0, 255), (32_766, 254)];
    if family == Family::V4 {
        defaults.push((32_767, 253));
    }
    // What the file has of the kernel's own is in place of them.
    let said = rules.iter().any(|rule| rule.kernel);
    for (priority, table) in defaults {
        let there = |rule: &Rule| rule.kernel && rule.key.action == RuleAction::Table(TableId::Number(table));
        if !said || !rules.iter().any(there) && table != 255 {
            rules.push(Rule::plain(node, family, priority, table));
        } else if table == 255 && !rules.iter().any(there) {
            rules.push(Rule::plain(node, family, 0, 255));
        }
    }
    if world.state.has_vrf(node) && !rules.iter().any(|rule| rule.key.action == RuleAction::L3mdev) {
        rules.extend(Rule::of_vrfs(node).into_iter().filter(|rule| rule.key.family == family));
    }
    rules.sort_by_key(|rule| rule.key.priority);
    rules
}

fn fits(key: &RuleKey, packet: &Packet, from: From<'_>) -> Option<bool> {
    let within = |net: &Option<IpNet>, address: Option<IpAddr>| {
        net.is_none_or(|net| address.map_or(net.prefix_len() == 0, |address| net.contains(&address)))
    };
    let inside =
        |range: Option<(u16, u16)>, port: u16| range.is_none_or(|(first, last)| (first..=last).contains(&port));
    let input = match (&key.iif, from.input) {
        (None, _) => true,
        // `iif lo` is for what the node sends itself.
        (Some(name), None) => name.as_str() == "lo",
        (Some(name), Some(link)) => *name == link.id.name,
    };
    let mark = match (key.fwmark, packet.mark) {
        (None, _) => Some(true),
        (Some(_), None) => None,
        (Some((value, mask)), Some(mark)) => Some(mark & mask == value),
    };
    let certain = input
        && within(&key.from, from.source)
        && within(&key.to, Some(packet.destination))
        // A socket that is bound to an interface is not asked about.
        && key.oif.is_none()
        && key.protocol.is_none_or(|protocol| protocol == packet.protocol_number())
        && inside(key.port, packet.port)
        && inside(key.source_port, packet.source_port)
        && key.tos == 0;
    match (certain, mark) {
        (false, _) => Some(key.invert),
        (true, Some(fits)) => Some(fits != key.invert),
        (true, None) => None,
    }
}

fn by_rule(rule: &Rule) -> By {
    let id = rule.id();
    By { text: format!("ip rule {}", rule.key), id: Some(id).filter(|_| !rule.kernel), rule: None }
}

fn vrf_table(vrf: &Link) -> TableId {
    match vrf.options.get("table") {
        Some(crate::resource::Value::Number(number)) => TableId::Number(u32::try_from(*number).unwrap_or(0)),
        Some(crate::resource::Value::Word(name)) => TableId::Name(name.clone()),
        _ => TableId::Number(0),
    }
}

/// A route as it competes with others.
struct Entry {
    length: u8,
    metric: u32,
    found: Found,
}

/// The best route of a table: the longest prefix, then the lowest metric.
fn in_table(world: &World<'_>, node: &Node, to: IpAddr, table: &TableId) -> Found {
    let mut entries: Vec<Entry> = Vec::new();
    for address in world.addresses(node).filter(|address| address.address.addr().is_ipv4() == to.is_ipv4()) {
        entries.extend(of_address(world, address, to, table));
    }
    if *table == TableId::LOCAL && is_loopback(to) {
        entries.push(Entry { length: 8, metric: 0, found: Found::Local(By::text(format!("{to} is the node itself"))) });
    }
    if *table == TableId::MAIN && is_link_local(to) && to.is_ipv6() {
        // Each interface has a route to them, and the sender names one.
        return Found::Unknown(By::text("link-local addresses need an interface"));
    }
    for route in world.state.routes_of(node).filter(|route| route.key.table == *table && route.key.to.contains(&to)) {
        entries.extend(of_route(world, route));
    }
    entries.sort_by_key(|entry| (std::cmp::Reverse(entry.length), entry.metric));
    match entries.into_iter().next().map(|entry| entry.found) {
        Some(Found::Refused(RouteKind::Throw, _)) | None => Found::None,
        Some(found) => found,
    }
}

/// What the kernel makes of an address: the route to itself, to its subnet, and to that one's broadcast address.
fn of_address(world: &World<'_>, address: &Address, to: IpAddr, table: &TableId) -> Vec<Entry> {
    let link = world.state.link(&address.link);
    let vrf = link.and_then(|link| world.vrf(link)).map(vrf_table);
    let mut entries = Vec::new();
    if !world.is_usable(address) {
        return entries;
    }
    let local_table = vrf.clone().unwrap_or(TableId::LOCAL);
    let host = if to.is_ipv4() { 32 } else { 128 };
    let words = format!("{} is an address of {}", address.address.addr(), address.link.name);
    let id = address.id();
    if *table == local_table && address.address.addr() == to && !address.missing.contains(&Automatic::LocalRoute) {
        entries.push(Entry { length: host, metric: 0, found: Found::Local(By::resource(id.clone(), words)) });
    }
    let subnet = address.subnet();
    let plain = address.flags & Address::NO_PREFIX_ROUTE == 0 && !address.missing.contains(&Automatic::SubnetRoute);
    let up = link.is_none_or(|link| world.is_up(link));
    let here = vrf.unwrap_or(TableId::MAIN);
    if plain && up && *table == here && subnet.prefix_len() < host && subnet.contains(&to) && !is_loopback(to) {
        let by = By::resource(id.clone(), format!("route {subnet} dev {} (of the address)", address.link.name));
        let hops = vec![Hop { dev: address.link.name.clone(), via: None }];
        let source = Some(address.address.addr()).filter(IpAddr::is_ipv4);
        let metric = if to.is_ipv4() { 0 } else { 256 };
        entries.push(Entry {
            length: subnet.prefix_len(),
            metric,
            found: Found::Out { hops, source, scope: 253, mtu: None, by },
        });
    }
    if let IpNet::V4(net) = subnet
        && up
        && *table == local_table
        && net.prefix_len() < 31
        && IpAddr::V4(net.broadcast()) == to
    {
        let by = By::resource(id, format!("{to} is the broadcast address of {subnet}"));
        entries.push(Entry { length: 32, metric: 0, found: Found::Broadcast(by) });
    }
    entries
}

fn of_route(world: &World<'_>, route: &Route) -> Option<Entry> {
    let length = route.key.to.prefix_len();
    let metric = route.key.metric;
    let by = || By::resource(route.id(), words(route));
    let found = match route.kind {
        RouteKind::Local => Found::Local(by()),
        RouteKind::Unicast if !route.raw.0.is_empty() || route.key.tos != 0 || route.key.from.is_some() => {
            Found::Unknown(by())
        }
        RouteKind::Unicast => {
            let hops: Vec<Hop> = route.nexthops.iter().filter_map(|hop| usable(world, route, hop)).collect();
            if hops.is_empty() {
                return None;
            }
            let scope =
                route.scope.get().copied().unwrap_or(if hops.iter().all(|hop| hop.via.is_none()) { 253 } else { 0 });
            Found::Out { hops, source: route.source, scope, mtu: route.mtu, by: by() }
        }
        RouteKind::Broadcast => Found::Broadcast(by()),
        RouteKind::Anycast | RouteKind::Multicast => Found::Unknown(by()),
        kind => Found::Refused(kind, by()),
    };
    Some(Entry { length, metric, found })
}

/// A next hop over an interface that is up; the kernel finds the interface of a gateway by its subnet.
fn usable(world: &World<'_>, route: &Route, hop: &crate::resource::NextHop) -> Option<Hop> {
    let dev = match &hop.dev {
        Some(dev) => dev.clone(),
        None => {
            let via = hop.via?;
            let near = world.addresses(&route.node).find(|address| address.subnet().contains(&via))?;
            near.link.name.clone()
        }
    };
    let down = world.link(&route.node, &dev).is_some_and(|link| !world.is_up(link));
    (!down).then_some(Hop { dev, via: hop.via })
}

/// A route as `ip route` has it.
fn words(route: &Route) -> String {
    let to = if route.key.to.prefix_len() == 0 { "default".to_owned() } else { route.key.to.to_string() };
    let mut words = match route.kind {
        RouteKind::Unicast => format!("route {to}"),
        kind => format!("route {} {to}", kind.word()),
    };
    for hop in &route.nexthops {
        words.push_str(&format!(" {hop}"));
    }
    if route.key.table != TableId::MAIN {
        words.push_str(&format!(" table {}", route.key.table));
    }
    words
}

/// The source that a packet gets which has none: that of the route, else of the interface that it leaves by, else of
/// another one (`inet_select_addr`, `ipv6_dev_get_saddr`).
pub fn source(
    world: &World<'_>,
    node: &Node,
    to: IpAddr,
    dev: &IfName,
    via: Option<IpAddr>,
    scope: u8,
) -> Option<IpAddr> {
    let next = via.filter(|via| via.is_ipv4() == to.is_ipv4()).unwrap_or(to);
    let usable = |address: &&Address| address.address.addr().is_ipv4() == to.is_ipv4() && world.is_usable(address);
    let own: Vec<&Address> = world.addresses(node).filter(usable).filter(|address| address.link.name == *dev).collect();
    if to.is_ipv6() {
        let global = own.iter().filter(|address| is_link_local(address.address.addr()) == is_link_local(to));
        let best = global.max_by_key(|address| common(address.address.addr(), to));
        return best.map(|address| address.address.addr()).or_else(|| {
            let all = world.addresses(node).filter(usable).map(|address| address.address.addr());
            all.filter(|address| !is_link_local(*address) && !is_loopback(*address))
                .max_by_key(|address| common(*address, to))
        });
    }
    let primary = own.iter().filter(|address| !address.secondary);
    let fits = |address: &&&&Address| address.scope.get().copied().unwrap_or(0) <= scope;
    let near = primary.clone().find(|address| address.subnet().contains(&next));
    near.or_else(|| primary.clone().find(|address| fits(&address))).map(|address| address.address.addr()).or_else(
        || {
            let others = world.addresses(node).filter(usable).filter(|address| !is_loopback(address.address.addr()));
            others.map(|address| address.address.addr()).next()
        },
    )
}

/// How many bits two addresses begin with alike.
fn common(one: IpAddr, other: IpAddr) -> u32 {
    match (one, other) {
        (IpAddr::V6(one), IpAddr::V6(other)) => (u128::from(one) ^ u128::from(other)).leading_zeros(),
        (IpAddr::V4(one), IpAddr::V4(other)) => (u32::from(one) ^ u32::from(other)).leading_zeros(),
        _ => 0,
    }
}

/// Whether a link is one whose packets go into a tunnel.
pub fn is_tunnel(kind: &Kind) -> bool {
    matches!(
        kind,
        Kind::Gre
            | Kind::Ip6gre
            | Kind::Ipip
            | Kind::Sit
            | Kind::Ip6tnl
            | Kind::Wireguard
            | Kind::Vxlan
            | Kind::Geneve
            | Kind::Gretap
            | Kind::Ip6gretap
    )
}
