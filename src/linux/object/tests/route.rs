//! Routes, read and written by another program.

use super::{family, here, ip, name_of, net, same, theirs, written};
use crate::linux::object::route;
use crate::resource::{NextHop, Node, Raw, Route, RouteKey, RouteKind, Setting, TableId};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::route::{
    RouteAttribute, RouteFlags, RouteMessage, RouteMetric, RouteNextHop, RouteNextHopFlags, RoutePreference,
    RouteProtocol, RouteScope, RouteType, RouteVia,
};
use proptest::collection::btree_map;
use proptest::option::of;
use proptest::prelude::*;
use std::net::IpAddr;

fn a_route() -> impl Strategy<Value = Route> {
    any::<bool>().prop_flat_map(|six| {
        // The gateway of an IPv4 route may be of IPv6.
        let via = if six { ip(true) } else { any::<bool>().prop_flat_map(ip).boxed() };
        let hop = (via, 1..=256_u16, any::<bool>()).prop_map(|(via, weight, onlink)| {
            let mut hop = NextHop::new(Some(via), Some("lo".into()));
            (hop.weight, hop.onlink) = (weight, onlink);
            hop
        });
        let key = (net(six, true), any::<u32>(), any::<u32>(), any::<u8>(), of(net(true, true)));
        let metrics = btree_map(prop_oneof![3..=15_u16, Just(17_u16)], 1..=u32::MAX, 0..4);
        let rest = (of(ip(six)), any::<u8>(), of(1..=u32::MAX), metrics, of("[a-z]{1,15}"), any::<bool>(), 3..=255_u8);
        (key, proptest::collection::vec(hop, 1..4), rest).prop_map(
            move |((to, table, metric, tos, from), mut nexthops, rest)| {
                let (source, scope, mtu, metrics, congctl, high, protocol) = rest;
                if let [one] = nexthops.as_mut_slice() {
                    one.weight = 1;
                }
                Route {
                    kind: RouteKind::Unicast,
                    nexthops,
                    source,
                    scope: if six { Setting::Left } else { Setting::Is(scope) },
                    mtu,
                    metrics,
                    congctl,
                    // `ICMPV6_ROUTER_PREF_HIGH`.
                    raw: Raw(Some((20, vec![1])).filter(|_| six && high).into_iter().collect()),
                    protocol,
                    marked: protocol == crate::resource::PROTOCOL,
                    ..Route::bare(
                        Node::host(),
                        RouteKey {
                            tos: if six { 0 } else { tos },
                            from: from.filter(|_| six),
                            ..RouteKey::new(TableId::Number(table), to, metric)
                        },
                    )
                }
            },
        )
    })
}

fn gateway(route: &Route, hop: &NextHop) -> RouteAttribute {
    match hop.via.unwrap() {
        IpAddr::V6(via) if route.key.to.addr().is_ipv4() => RouteAttribute::Via(RouteVia::Inet6(via)),
        via => RouteAttribute::Gateway(via.into()),
    }
}

/// The metrics by the names that they have for them (`RTAX_*`).
fn metric(number: u16, value: u32) -> RouteMetric {
    match number {
        3 => RouteMetric::Window(value),
        4 => RouteMetric::Rtt(value),
        5 => RouteMetric::RttVar(value),
        6 => RouteMetric::SsThresh(value),
        7 => RouteMetric::Cwnd(value),
        8 => RouteMetric::Advmss(value),
        9 => RouteMetric::Reordering(value),
        10 => RouteMetric::Hoplimit(value),
        11 => RouteMetric::InitCwnd(value),
        12 => RouteMetric::Features(value),
        13 => RouteMetric::RtoMin(value),
        14 => RouteMetric::InitRwnd(value),
        15 => RouteMetric::QuickAck(value),
        _ => RouteMetric::FastopenNoCookie(value),
    }
}

fn their_route(route: &Route) -> RouteMessage {
    let TableId::Number(table) = route.key.table else { unreachable!() };
    let mut message = RouteMessage::default();
    message.header.address_family = family(route.key.to.addr().is_ipv6());
    message.header.destination_prefix_length = route.key.to.prefix_len();
    message.header.source_prefix_length = route.key.from.map_or(0, |net| net.prefix_len());
    message.header.tos = route.key.tos;
    // `RT_TABLE_COMPAT` where it does not fit.
    message.header.table = u8::try_from(table).unwrap_or(252);
    message.header.protocol = RouteProtocol::from(route.protocol);
    message.header.scope = RouteScope::from(route.scope.get().copied().unwrap_or(0));
    message.header.kind = RouteType::Unicast;
    let mut all = vec![RouteAttribute::Destination(route.key.to.addr().into()), RouteAttribute::Table(table)];
    all.extend(route.key.from.map(|net| RouteAttribute::Source(net.addr().into())));
    all.extend(Some(route.key.metric).filter(|metric| *metric != 0).map(RouteAttribute::Priority));
    all.extend(route.source.map(|source| RouteAttribute::PrefSource(source.into())));
    all.extend(route.raw.0.iter().map(|_| RouteAttribute::Preference(RoutePreference::High)));
    if let [hop] = route.nexthops.as_slice() {
        message.header.flags = if hop.onlink { RouteFlags::Onlink } else { RouteFlags::empty() };
        all.extend([gateway(route, hop), RouteAttribute::Oif(1)]);
    } else {
        let hop = |hop: &NextHop| {
            let mut theirs = RouteNextHop::default();
            theirs.flags = if hop.onlink { RouteNextHopFlags::Onlink } else { RouteNextHopFlags::empty() };
            theirs.hops = u8::try_from(hop.weight - 1).unwrap();
            theirs.interface_index = 1;
            theirs.attributes = vec![gateway(route, hop)];
            theirs
        };
        all.push(RouteAttribute::MultiPath(route.nexthops.iter().map(hop).collect()));
    }
    let mut metrics: Vec<RouteMetric> = route.mtu.map(RouteMetric::Mtu).into_iter().collect();
    metrics.extend(route.metrics.iter().map(|(number, value)| metric(*number, *value)));
    metrics.extend(route.congctl.clone().map(RouteMetric::CcAlgo));
    if !metrics.is_empty() {
        all.push(RouteAttribute::Metrics(metrics));
    }
    message.attributes = all;
    message
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn routes_are_read_alike(route in a_route()) {
        here(|site| {
            let expected = their_route(&route);
            let RouteNetlinkMessage::NewRoute(read) = theirs(route::NEW, &route::full(site, &route).unwrap()) else {
                unreachable!()
            };
            assert_eq!(read.header, expected.header);
            same(&read.attributes, &expected.attributes);
            let back = route::parse(&written(&RouteNetlinkMessage::NewRoute(expected)), &Node::host(), name_of);
            assert_eq!(back.unwrap().route, route);
        });
    }
}
