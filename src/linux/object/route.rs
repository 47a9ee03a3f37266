//! Routes.

use crate::linux::netlink::attributes::{Attributes, Writer, ip, u8_at, u16_at, u32_at};
use crate::linux::netlink::socket::{CREATE, EXCLUSIVE, REPLACE, Refused, Socket};
use crate::linux::netns::context::Site;
use crate::resource::mark::PROTOCOL;
use crate::resource::{IfName, NextHop, Node, Route, RouteKey, RouteKind, Setting, TableId};
use ipnet::IpNet;
use nix::libc;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

pub const NEW: u16 = 24;
const DELETE: u16 = 25;
const GET: u16 = 26;
/// Length of `struct rtmsg`.
const HEAD: usize = 12;
/// Length of `struct rtnexthop`.
const HOP: usize = 8;

// `RTA_*` of `include/uapi/linux/rtnetlink.h`.
const DST: u16 = 1;
const OIF: u16 = 4;
const GATEWAY: u16 = 5;
const PRIORITY: u16 = 6;
const PREFSRC: u16 = 7;
const METRICS: u16 = 8;
const MULTIPATH: u16 = 9;
const TABLE: u16 = 15;
const VIA: u16 = 18;
/// `RTAX_MTU`.
const METRIC_MTU: u16 = 2;
/// `RTAX_CC_ALGO`, which is a name.
const METRIC_CONGESTION: u16 = 16;

// `RTNH_F_*`.
const DEAD: u8 = 1;
const ONLINK: u8 = 4;
/// `RTM_F_CLONED`: an entry of a cache.
const CLONED: u32 = 0x200;

/// `RT_SCOPE_NOWHERE`: any, in a deletion.
const ANY_SCOPE: u8 = 255;

/// A route as the kernel reports it.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Who put it there (`RTA_PROTOCOL`).
    pub protocol: u8,
    /// The route; `nth` is 0.
    pub route: Route,
}

/// The routes of the socket's namespace, of one family (`AF_INET`, `AF_INET6`): all tables, without what is only kept for speed, broadcast and multicast.
pub fn dump(socket: &Socket, family: i32, node: &Node, name_of: impl Fn(u32) -> Option<IfName>) -> Result<Vec<Seen>, Refused> {
    let mut head = [0; HEAD];
    head[0] = u8::try_from(family).unwrap_or(0);
    let messages = socket.dump(GET, Writer::new(&head).bytes())?;
    let ours = |body: &[u8]| u8_at(body, 0) == Some(head[0]);
    Ok(messages.iter().filter(|message| message.kind == NEW && ours(&message.body)).filter_map(|message| parse(&message.body, node, &name_of)).collect())
}

/// Reads `RTM_NEWROUTE`; `None` for what topo has no word for.
pub fn parse(body: &[u8], node: &Node, name_of: impl Fn(u32) -> Option<IfName>) -> Option<Seen> {
    let v4 = i32::from(u8_at(body, 0)?) == libc::AF_INET;
    let flags = u32_at(body, 8)?;
    let kind = kind_of(u8_at(body, 7)?)?;
    if flags & CLONED != 0 {
        return None;
    }
    let attributes = Attributes::after(body, HEAD);
    let any = || if v4 { IpAddr::from(Ipv4Addr::UNSPECIFIED) } else { Ipv6Addr::UNSPECIFIED.into() };
    let to = IpNet::new(attributes.ip(DST).unwrap_or_else(any), u8_at(body, 1)?).ok()?;
    let mut dead = false;
    let nexthops = match attributes.get(MULTIPATH) {
        Some(hops) => multipath(hops, &name_of, &mut dead),
        None => {
            let flags = flags.to_ne_bytes().first().copied().unwrap_or(0);
            dead = flags & DEAD != 0;
            let hop = hop(attributes, attributes.u32(OIF), 1, flags, &name_of);
            let forwards = matches!(kind, RouteKind::Unicast | RouteKind::Local);
            Some(hop).filter(|hop| forwards && (hop.via.is_some() || hop.dev.is_some())).into_iter().collect()
        }
    };
    let metrics = attributes.inner(METRICS);
    let others = metrics.filter(|(number, _)| *number != METRIC_MTU && *number != METRIC_CONGESTION);
    let table = attributes.u32(TABLE).or_else(|| u8_at(body, 4).map(u32::from))?;
    let route = Route {
        node: node.clone(),
        key: RouteKey { table: TableId::Number(table), to, metric: attributes.u32(PRIORITY).unwrap_or(0), nth: 0 },
        kind,
        nexthops,
        source: attributes.ip(PREFSRC),
        scope: if v4 { Setting::Is(u8_at(body, 6)?) } else { Setting::Left },
        mtu: metrics.u32(METRIC_MTU).filter(|mtu| *mtu != 0),
        metrics: others.filter_map(|(number, value)| Some((number, u32_at(value, 0)?))).filter(|(_, value)| *value != 0).collect(),
        dead,
        marked: u8_at(body, 5)? == PROTOCOL,
    };
    Some(Seen { protocol: u8_at(body, 5)?, route })
}

fn hop(attributes: Attributes<'_>, index: Option<u32>, weight: u16, flags: u8, name_of: impl Fn(u32) -> Option<IfName>) -> NextHop {
    // `struct rtvia`: a family, then an address.
    let other = attributes.get(VIA).and_then(|via| ip(via.get(2..)?));
    let dev = index.map(|index| name_of(index).unwrap_or_else(|| format!("if{index}").into()));
    NextHop { via: attributes.ip(GATEWAY).or(other), dev, weight, onlink: flags & ONLINK != 0 }
}

fn multipath(bytes: &[u8], name_of: impl Fn(u32) -> Option<IfName>, dead: &mut bool) -> Vec<NextHop> {
    let mut hops = Vec::new();
    let mut rest = bytes;
    while let (Some(length), Some(flags), Some(weight), Some(index)) = (u16_at(rest, 0), u8_at(rest, 2), u8_at(rest, 3), u32_at(rest, 4)) {
        let length = usize::from(length);
        let Some(one) = rest.get(..length).filter(|_| length >= HOP) else { break };
        hops.push(hop(Attributes::after(one, HOP), Some(index), u16::from(weight) + 1, flags, &name_of));
        *dead |= flags & DEAD != 0;
        rest = rest.get(crate::linux::netlink::attributes::padded(length)..).unwrap_or_default();
    }
    hops
}

/// `RTN_*`, both ways.
const KINDS: [(u8, RouteKind); 6] =
    [(1, RouteKind::Unicast), (2, RouteKind::Local), (6, RouteKind::Blackhole), (7, RouteKind::Unreachable), (8, RouteKind::Prohibit), (9, RouteKind::Throw)];

fn kind_of(number: u8) -> Option<RouteKind> {
    KINDS.iter().find(|(n, _)| *n == number).map(|(_, kind)| *kind)
}

/// The number of a table; a name has been looked up before.
pub fn table_number(table: &TableId) -> Result<u32, Refused> {
    match table {
        TableId::Number(number) => Ok(*number),
        TableId::Name(name) => Err(Refused { errno: libc::EINVAL, text: Some(format!("the table {name:?} was not looked up")) }),
    }
}

/// The scope that a route has where the file says none: as `ip route` chooses it.
fn usual_scope(route: &Route) -> u8 {
    match route.kind {
        RouteKind::Local => 254,
        RouteKind::Unicast if route.nexthops.iter().all(|hop| hop.via.is_none()) => 253,
        _ => 0,
    }
}

fn head(route: &Route, table: u32, protocol: u8, scope: u8, flags: u8) -> Result<[u8; HEAD], Refused> {
    let v4 = route.key.to.addr().is_ipv4();
    let family = u8::try_from(if v4 { libc::AF_INET } else { libc::AF_INET6 }).unwrap_or(0);
    let kind = KINDS.iter().find(|(_, kind)| *kind == route.kind).map_or(1, |(number, _)| *number);
    let [f0, f1, f2, f3] = u32::from(flags).to_ne_bytes();
    // Larger numbers do not fit here; RT_TABLE_COMPAT (252) says to look at the attribute.
    let table = u8::try_from(table).unwrap_or(252);
    Ok([family, route.key.to.prefix_len(), 0, 0, table, protocol, if v4 { scope } else { 0 }, kind, f0, f1, f2, f3])
}

/// Writes where a hop goes: the gateway, of either family.
fn gateway(route: &Route, hop: &NextHop, body: &mut Writer) {
    match hop.via {
        Some(IpAddr::V6(via)) if route.key.to.addr().is_ipv4() => {
            let family = u16::try_from(libc::AF_INET6).unwrap_or(0);
            body.put(VIA, &[family.to_ne_bytes().as_slice(), &via.octets()].concat());
        }
        Some(via) => _ = body.ip(GATEWAY, via),
        None => {}
    }
}

fn message(site: &Site<'_>, route: &Route, protocol: u8, scope: u8) -> Result<Writer, Refused> {
    let table = table_number(&route.key.table)?;
    let single = if let [hop] = route.nexthops.as_slice() { Some(hop) } else { None };
    let onlink = if single.is_some_and(|hop| hop.onlink) { ONLINK } else { 0 };
    let mut body = Writer::new(&head(route, table, protocol, scope, onlink)?);
    if route.key.to.prefix_len() > 0 {
        body.ip(DST, route.key.to.addr());
    }
    body.u32(TABLE, table);
    if route.key.metric != 0 {
        body.u32(PRIORITY, route.key.metric);
    }
    if let Some(hop) = single {
        gateway(route, hop, &mut body);
        if let Some(dev) = &hop.dev {
            body.u32(OIF, site.index(dev)?);
        }
    } else if !route.nexthops.is_empty() {
        let mut hops = Vec::new();
        for hop in &route.nexthops {
            let index = hop.dev.as_ref().map(|dev| site.index(dev)).transpose()?.unwrap_or(0);
            let mut inner = Writer::default();
            gateway(route, hop, &mut inner);
            let length = u16::try_from(HOP + inner.bytes().len()).unwrap_or(u16::MAX);
            let weight = u8::try_from(hop.weight.saturating_sub(1)).unwrap_or(u8::MAX);
            hops.extend_from_slice(&length.to_ne_bytes());
            hops.extend_from_slice(&[if hop.onlink { ONLINK } else { 0 }, weight]);
            hops.extend_from_slice(&index.to_ne_bytes());
            hops.extend_from_slice(inner.bytes());
        }
        body.put(MULTIPATH, &hops);
    }
    Ok(body)
}

fn full(site: &Site<'_>, route: &Route) -> Result<Writer, Refused> {
    let scope = route.scope.get().copied().unwrap_or_else(|| usual_scope(route));
    // RTPROT_BOOT, as `ip route add` has it, for what is put back without our mark.
    let protocol = if route.marked { PROTOCOL } else { 3 };
    let mut body = message(site, route, protocol, scope)?;
    if let Some(source) = route.source {
        body.ip(PREFSRC, source);
    }
    let metrics = route.mtu.map(|mtu| (METRIC_MTU, mtu)).into_iter().chain(route.metrics.iter().map(|(number, value)| (*number, *value)));
    if metrics.clone().next().is_some() {
        body.nest(METRICS, |body| metrics.for_each(|(number, value)| _ = body.u32(number, value)));
    }
    Ok(body)
}

/// Adds a route.
pub fn create(site: &Site<'_>, route: &Route) -> Result<(), Refused> {
    site.ask(NEW, CREATE | EXCLUSIVE, &full(site, route)?)
}

/// Writes a route over the one that is there under the same key, as `ip route replace` does: one with several next hops may be gone altogether, because one of
/// its interfaces went (`fib_sync_down_dev`).
pub fn update(site: &Site<'_>, after: &Route) -> Result<(), Refused> {
    site.ask(NEW, CREATE | REPLACE, &full(site, after)?)
}

/// Removes a route: this one, not another of the same key.
pub fn delete(site: &Site<'_>, route: &Route) -> Result<(), Refused> {
    let protocol = if route.marked { PROTOCOL } else { 0 };
    let body = message(site, route, protocol, route.scope.get().copied().unwrap_or(ANY_SCOPE))?;
    site.ask(DELETE, 0, &body)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(index: u32) -> Option<IfName> {
        Some(format!("eth{index}").into())
    }

    fn two_hops() -> Writer {
        let mut body = Writer::new(&[2, 24, 0, 0, 254, PROTOCOL, 0, 1, 0, 0, 0, 0]);
        let mut inner = Writer::default();
        inner.ip(GATEWAY, [10, 0, 0, 1].into());
        let mut hops = Vec::new();
        for (index, weight, flags) in [(1_u32, 0_u8, 0_u8), (2, 9, DEAD | ONLINK)] {
            hops.extend(u16::try_from(HOP + inner.bytes().len()).unwrap().to_ne_bytes());
            hops.extend([flags, weight]);
            hops.extend(index.to_ne_bytes());
            hops.extend(inner.bytes());
        }
        body.ip(DST, [10, 1, 0, 0].into()).u32(TABLE, 1000).u32(PRIORITY, 7).put(MULTIPATH, &hops);
        body
    }

    #[test]
    fn a_route_with_two_hops_is_read_whole() {
        let seen = parse(two_hops().bytes(), &"RED".into(), names).unwrap();
        let hops: Vec<String> = seen.route.nexthops.iter().map(ToString::to_string).collect();
        assert_eq!(hops, ["via 10.0.0.1 dev eth1", "via 10.0.0.1 dev eth2 weight 10 onlink"]);
        assert_eq!((seen.route.dead, seen.route.marked), (true, true));
        assert_eq!(seen.route.key.table, TableId::Number(1000));
    }

    #[test]
    fn metrics_that_the_language_does_not_have_are_kept() {
        let mut body = Writer::new(&[2, 24, 0, 0, 254, PROTOCOL, 0, 1, 0, 0, 0, 0]);
        body.ip(DST, [10, 1, 0, 0].into()).u32(OIF, 1);
        body.nest(METRICS, |metrics| _ = metrics.u32(METRIC_MTU, 1400).u32(8, 500).u32(10, 0).put(METRIC_CONGESTION, b"reno\0"));
        let seen = parse(body.bytes(), &"RED".into(), names).unwrap();
        assert_eq!((seen.route.mtu, seen.route.metric_words().as_str()), (Some(1400), "advmss 500"));
    }

    #[test]
    fn every_truncation_is_survived() {
        let body = two_hops();
        for cut in 0..body.bytes().len() {
            let _ = parse(&body.bytes()[..cut], &"RED".into(), names);
        }
    }
}
