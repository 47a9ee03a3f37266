//! Routes.

use crate::linux::netlink::attributes::{Attributes, Writer, ip, u8_at, u16_at, u32_at};
use crate::linux::netlink::socket::{APPEND, CREATE, EXCLUSIVE, REPLACE, Refused, Socket};
use crate::linux::netns::context::Site;
use crate::resource::mark::PROTOCOL;
use crate::resource::{IfName, NextHop, Node, Raw, Route, RouteKey, RouteKind, Setting, TableId};
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
const SRC: u16 = 2;
const OIF: u16 = 4;
const GATEWAY: u16 = 5;
const PRIORITY: u16 = 6;
const PREFSRC: u16 = 7;
const METRICS: u16 = 8;
const MULTIPATH: u16 = 9;
const FLOW: u16 = 11;
const CACHEINFO: u16 = 12;
const TABLE: u16 = 15;
const VIA: u16 = 18;
const PREF: u16 = 20;
const ENCAP_TYPE: u16 = 21;
const ENCAP: u16 = 22;
const EXPIRES: u16 = 23;
const TTL_PROPAGATE: u16 = 26;
const NH_ID: u16 = 30;
/// What a next hop has that topo has no field for.
const OF_HOPS: [u16; 3] = [FLOW, ENCAP_TYPE, ENCAP];
/// The same of a route.
const OF_ROUTES: [u16; 2] = [PREF, TTL_PROPAGATE];
/// Where `rta_expires` is in `struct rta_cacheinfo`, in hundredths of a second (`USER_HZ`).
const CACHEINFO_EXPIRES: usize = 8;
const USER_HZ: u32 = 100;
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

/// The routes of the socket's namespace, of one family (`AF_INET`, `AF_INET6`): all tables, without what is only kept
/// for speed, broadcast and multicast.
///
/// # Errors
///
/// The kernel's refusal, with its errno and its own text.
pub fn dump(
    socket: &Socket,
    family: i32,
    node: &Node,
    name_of: impl Fn(u32) -> Option<IfName>,
) -> Result<Vec<Seen>, Refused> {
    let mut head = [0; HEAD];
    head[0] = u8::try_from(family).unwrap_or(0);
    let messages = socket.dump(GET, Writer::new(&head).bytes())?;
    let ours = |body: &[u8]| u8_at(body, 0) == Some(head[0]);
    Ok(messages
        .iter()
        .filter(|message| message.kind == NEW && ours(&message.body))
        .filter_map(|message| parse(&message.body, node, &name_of))
        .collect())
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
            // IPv6 says of a route that drops what it gets that it goes over `lo`.
            let drops =
                matches!(kind, RouteKind::Blackhole | RouteKind::Unreachable | RouteKind::Prohibit | RouteKind::Throw);
            let forwards = !drops;
            Some(hop).filter(|hop| forwards && (hop.via.is_some() || hop.dev.is_some())).into_iter().collect()
        }
    };
    let metrics = attributes.inner(METRICS);
    let others = metrics.filter(|(number, _)| *number != Route::METRIC_MTU && *number != METRIC_CONGESTION);
    let table = attributes.u32(TABLE).or_else(|| u8_at(body, 4).map(u32::from))?;
    let from = u8_at(body, 2)
        .filter(|length| *length > 0)
        .zip(attributes.ip(SRC))
        .and_then(|(length, ip)| IpNet::new(ip, length).ok());
    let tos = if v4 { u8_at(body, 3)? } else { 0 };
    let key =
        RouteKey { tos, from, ..RouteKey::new(TableId::Number(table), to, attributes.u32(PRIORITY).unwrap_or(0)) };
    let expires =
        attributes.get(CACHEINFO).and_then(|info| u32_at(info, CACHEINFO_EXPIRES)).filter(|expires| *expires != 0);
    let protocol = u8_at(body, 5)?;
    let route = Route {
        kind,
        nexthops,
        source: attributes.ip(PREFSRC),
        scope: if v4 { Setting::Is(u8_at(body, 6)?) } else { Setting::Left },
        mtu: metrics.u32(Route::METRIC_MTU).filter(|mtu| *mtu != 0),
        metrics: others
            .filter_map(|(number, value)| Some((number, u32_at(value, 0)?)))
            .filter(|(_, value)| *value != 0)
            .collect(),
        congctl: metrics.text(METRIC_CONGESTION),
        nhid: attributes.u32(NH_ID).filter(|id| *id != 0),
        expires: expires.map(|hundredths| hundredths.div_ceil(USER_HZ)),
        raw: raw(attributes, &OF_ROUTES),
        protocol,
        dead,
        marked: protocol == PROTOCOL,
        ..Route::bare(node.clone(), key)
    };
    Some(Seen { protocol, route })
}

fn hop(
    attributes: Attributes<'_>,
    index: Option<u32>,
    weight: u16,
    flags: u8,
    name_of: impl Fn(u32) -> Option<IfName>,
) -> NextHop {
    // `struct rtvia`: a family, then an address.
    let other = attributes.get(VIA).and_then(|via| ip(via.get(2..)?));
    let dev = index.map(|index| name_of(index).unwrap_or_else(|| format!("if{index}").into()));
    NextHop {
        via: attributes.ip(GATEWAY).or(other),
        dev,
        weight,
        onlink: flags & ONLINK != 0,
        raw: raw(attributes, &OF_HOPS),
    }
}

/// The attributes of `which` that are there, byte for byte. The kernel says of every IPv6 route that it is of medium
/// preference, which is 0.
fn raw(attributes: Attributes<'_>, which: &[u16]) -> Raw {
    let said = attributes.filter(|(number, value)| which.contains(number) && !(*number == PREF && *value == [0]));
    Raw(said.map(|(number, value)| (number, value.to_vec())).collect())
}

fn multipath(bytes: &[u8], name_of: impl Fn(u32) -> Option<IfName>, dead: &mut bool) -> Vec<NextHop> {
    let mut hops = Vec::new();
    let mut rest = bytes;
    while let (Some(length), Some(flags), Some(weight), Some(index)) =
        (u16_at(rest, 0), u8_at(rest, 2), u8_at(rest, 3), u32_at(rest, 4))
    {
        let length = usize::from(length);
        let Some(one) = rest.get(..length).filter(|_| length >= HOP) else { break };
        hops.push(hop(Attributes::after(one, HOP), Some(index), u16::from(weight) + 1, flags, &name_of));
        *dead |= flags & DEAD != 0;
        rest = rest.get(crate::linux::netlink::attributes::padded(length)..).unwrap_or_default();
    }
    hops
}

/// `RTN_UNICAST`.
const UNICAST: u8 = 1;
/// `RTN_*`, both ways.
const KINDS: [(u8, RouteKind); 9] = [
    (1, RouteKind::Unicast),
    (2, RouteKind::Local),
    (3, RouteKind::Broadcast),
    (4, RouteKind::Anycast),
    (5, RouteKind::Multicast),
    (6, RouteKind::Blackhole),
    (7, RouteKind::Unreachable),
    (8, RouteKind::Prohibit),
    (9, RouteKind::Throw),
];

fn kind_of(number: u8) -> Option<RouteKind> {
    KINDS.iter().find(|(n, _)| *n == number).map(|(_, kind)| *kind)
}

/// The number of a table; a name has been looked up before.
///
/// # Errors
///
/// `EINVAL` if it is a name.
pub fn table_number(table: &TableId) -> Result<u32, Refused> {
    match table {
        TableId::Number(number) => Ok(*number),
        TableId::Name(name) => {
            Err(Refused { errno: libc::EINVAL, text: Some(format!("the table {name:?} was not looked up")) })
        }
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
    // What a next-hop object is shows through: of one that drops what it gets a route is shown as `blackhole`, which is
    // none.
    let kind = KINDS
        .iter()
        .find(|(_, kind)| *kind == route.kind && route.nhid.is_none())
        .map_or(UNICAST, |(number, _)| *number);
    let [f0, f1, f2, f3] = u32::from(flags).to_ne_bytes();
    // Larger numbers do not fit here; RT_TABLE_COMPAT (252) says to look at the attribute.
    let table = u8::try_from(table).unwrap_or(252);
    let from = route.key.from.map_or(0, |from| from.prefix_len());
    Ok([
        family,
        route.key.to.prefix_len(),
        from,
        route.key.tos,
        table,
        protocol,
        if v4 { scope } else { 0 },
        kind,
        f0,
        f1,
        f2,
        f3,
    ])
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

fn put(raw: &Raw, body: &mut Writer) {
    raw.0.iter().for_each(|(number, value)| _ = body.put(*number, value));
}

/// Writes the next hops, or the object that says them, which bears none beside it.
fn next_hops(site: &Site<'_>, route: &Route, body: &mut Writer) -> Result<(), Refused> {
    if let Some(id) = route.nhid {
        body.u32(NH_ID, id);
    } else if let [hop] = route.nexthops.as_slice() {
        gateway(route, hop, body);
        if let Some(dev) = &hop.dev {
            body.u32(OIF, site.index(dev)?);
        }
        put(&hop.raw, body);
    } else if !route.nexthops.is_empty() {
        let mut hops = Vec::new();
        for hop in &route.nexthops {
            let index = hop.dev.as_ref().map(|dev| site.index(dev)).transpose()?.unwrap_or(0);
            let mut inner = Writer::default();
            gateway(route, hop, &mut inner);
            put(&hop.raw, &mut inner);
            let length = u16::try_from(HOP + inner.bytes().len()).unwrap_or(u16::MAX);
            let weight = u8::try_from(hop.weight.saturating_sub(1)).unwrap_or(u8::MAX);
            hops.extend_from_slice(&length.to_ne_bytes());
            hops.extend_from_slice(&[if hop.onlink { ONLINK } else { 0 }, weight]);
            hops.extend_from_slice(&index.to_ne_bytes());
            hops.extend_from_slice(inner.bytes());
        }
        body.put(MULTIPATH, &hops);
    }
    Ok(())
}

/// All that is said of a route, where it is made as where it is deleted: the kernel deletes the first that has all that
/// is named.
fn message(site: &Site<'_>, route: &Route, scope: u8) -> Result<Writer, Refused> {
    let table = table_number(&route.key.table)?;
    let single = if let ([hop], None) = (route.nexthops.as_slice(), route.nhid) { Some(hop) } else { None };
    let onlink = if single.is_some_and(|hop| hop.onlink) { ONLINK } else { 0 };
    let protocol = if route.marked { PROTOCOL } else { route.protocol };
    let mut body = Writer::new(&head(route, table, protocol, scope, onlink)?);
    if route.key.to.prefix_len() > 0 {
        body.ip(DST, route.key.to.addr());
    }
    if let Some(from) = route.key.from {
        body.ip(SRC, from.addr());
    }
    body.u32(TABLE, table);
    if route.key.metric != 0 {
        body.u32(PRIORITY, route.key.metric);
    }
    next_hops(site, route, &mut body)?;
    if let Some(source) = route.source {
        body.ip(PREFSRC, source);
    }
    let metrics = route
        .mtu
        .map(|mtu| (Route::METRIC_MTU, mtu))
        .into_iter()
        .chain(route.metrics.iter().map(|(number, value)| (*number, *value)));
    if metrics.clone().next().is_some() || route.congctl.is_some() {
        body.nest(METRICS, |body| {
            metrics.for_each(|(number, value)| _ = body.u32(number, value));
            route.congctl.iter().for_each(|name| _ = body.text(METRIC_CONGESTION, name));
        });
    }
    put(&route.raw, &mut body);
    Ok(body)
}

pub(super) fn full(site: &Site<'_>, route: &Route) -> Result<Writer, Refused> {
    let mut body = message(site, route, route.scope.get().copied().unwrap_or_else(|| usual_scope(route)))?;
    if let Some(seconds) = route.expires {
        body.u32(EXPIRES, seconds);
    }
    Ok(body)
}

/// Adds a route. One of others goes back to its place among those of the same key: before them where it was the first,
/// behind them where it was appended.
///
/// # Errors
///
/// `EEXIST` if it is there already, else the kernel's refusal.
pub fn create(site: &Site<'_>, route: &Route) -> Result<(), Refused> {
    let how = match (route.key.nth, route.marked) {
        (0, true) => EXCLUSIVE,
        (0, false) => 0,
        _ => APPEND,
    };
    site.ask(NEW, CREATE | how, &full(site, route)?)
}

/// Writes a route over the one that is there under the same key, as `ip route replace` does: one with several next hops
/// may be gone altogether, because one of its interfaces went (`fib_sync_down_dev`).
///
/// # Errors
///
/// The kernel's refusal, with its errno and its own text.
pub fn update(site: &Site<'_>, after: &Route) -> Result<(), Refused> {
    site.ask(NEW, CREATE | REPLACE, &full(site, after)?)
}

/// Removes a route: this one, not another of the same key.
///
/// # Errors
///
/// `ENOENT`, `ESRCH` or `ENODEV` if it is not there, else the kernel's refusal.
pub fn delete(site: &Site<'_>, route: &Route) -> Result<(), Refused> {
    site.ask(DELETE, 0, &message(site, route, route.scope.get().copied().unwrap_or(ANY_SCOPE))?)
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
        body.nest(METRICS, |metrics| {
            _ = metrics.u32(Route::METRIC_MTU, 1400).u32(8, 500).u32(10, 0).put(METRIC_CONGESTION, b"reno\0")
        });
        let seen = parse(body.bytes(), &"RED".into(), names).unwrap();
        assert_eq!((seen.route.mtu, seen.route.metric_words().as_str()), (Some(1400), "advmss 500"));
        assert_eq!(seen.route.more_words(), "congctl reno");
    }

    #[test]
    fn what_topo_has_no_words_for_is_kept() {
        let mut body = Writer::new(&[2, 24, 0, 0x10, 254, 4, 0, 1, 0, 0, 0, 0]);
        body.ip(DST, [10, 1, 0, 0].into())
            .u32(OIF, 1)
            .u32(FLOW, 5)
            .u16(ENCAP_TYPE, 2)
            .put(ENCAP, &[1, 2, 3, 4])
            .u32(NH_ID, 7);
        body.u8(PREF, 0).put(CACHEINFO, &[[0; 8].as_slice(), &1050_u32.to_ne_bytes()].concat());
        let route = parse(body.bytes(), &"RED".into(), names).unwrap().route;
        assert_eq!(route.id().to_string(), "RED 10.1.0.0/24 tos 0x10");
        assert_eq!(route.nexthops[0].to_string(), "dev eth1 realms 5 encap ip");
        assert_eq!(route.nexthops[0].raw.0[&ENCAP], [1, 2, 3, 4]);
        assert_eq!((route.more_words().as_str(), route.expires, route.protocol), ("nhid 7", Some(11), 4));
    }

    #[test]
    fn every_truncation_is_survived() {
        let body = two_hops();
        for cut in 0..body.bytes().len() {
            let _ = parse(&body.bytes()[..cut], &"RED".into(), names);
        }
    }
}
