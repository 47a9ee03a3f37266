//! Our messages, read and written by another program: netlink-packet-route reads what we write as what we meant, and we
//! read what it writes.
//!
//! What differs: it reads a forwarding entry's tunnel end as bytes, since the family of the message is `AF_BRIDGE`.

mod route;

use super::{address, neighbor, rule};
use crate::linux::netlink::attributes::Writer;
use crate::linux::netns::Netns;
use crate::linux::netns::context::Site;
use crate::linux::netns::places::Places;
use crate::resource::{
    Address, Family, Fdb, FdbTarget, IfName, LinkId, Mac, Neighbor, Node, Raw, Rule, RuleAction, RuleKey, Setting,
    TableId,
};
use ipnet::IpNet;
use netlink_packet_core::{NetlinkDeserializable, NetlinkHeader, NetlinkSerializable};
use netlink_packet_route::address::{
    AddressAttribute, AddressFlags, AddressHeaderFlags, AddressMessage, AddressProtocol, AddressScope, CacheInfo,
};
use netlink_packet_route::neighbour::{NeighbourAddress, NeighbourAttribute, NeighbourMessage};
use netlink_packet_route::neighbour::{NeighbourFlags, NeighbourState};
use netlink_packet_route::route::RouteProtocol;
use netlink_packet_route::rule::{RuleAttribute, RuleFlags, RuleMessage, RulePortRange};
use netlink_packet_route::{AddressFamily, IpProtocol, RouteNetlinkMessage};
use proptest::option::of;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

/// What they read.
fn theirs(kind: u16, ours: &Writer) -> RouteNetlinkMessage {
    let mut header = NetlinkHeader::default();
    header.message_type = kind;
    RouteNetlinkMessage::deserialize(&header, ours.bytes()).unwrap()
}

/// What they write.
fn written(message: &RouteNetlinkMessage) -> Vec<u8> {
    let mut bytes = vec![0; message.buffer_len()];
    message.serialize(&mut bytes);
    bytes
}

/// The same attributes, in whatever order.
fn same<T: Debug>(one: &[T], other: &[T]) {
    let sorted = |all: &[T]| {
        let mut all: Vec<String> = all.iter().map(|attribute| format!("{attribute:?}")).collect();
        all.sort();
        all
    };
    assert_eq!(sorted(one), sorted(other));
}

/// Runs `test` with a namespace in which an interface has a number: `lo`, 1.
fn here(test: impl FnOnce(&Site<'_>)) {
    let places =
        Places { host: Netns::current().unwrap(), keys: Arc::default(), held: None, existing: BTreeMap::new() };
    let topology = "lab".into();
    test(&Site::here(&topology, Node::host(), &places).unwrap());
}

fn lo() -> LinkId {
    LinkId::new("host", "lo")
}

fn name_of(index: u32) -> Option<IfName> {
    (index == 1).then(|| "lo".into())
}

fn family(six: bool) -> AddressFamily {
    if six { AddressFamily::Inet6 } else { AddressFamily::Inet }
}

/// An address of the family.
fn ip(six: bool) -> BoxedStrategy<IpAddr> {
    if six { any::<Ipv6Addr>().prop_map(IpAddr::V6).boxed() } else { any::<Ipv4Addr>().prop_map(IpAddr::V4).boxed() }
}

/// An address with a length; `strict` without host bits.
fn net(six: bool, strict: bool) -> BoxedStrategy<IpNet> {
    let most: u8 = if six { 128 } else { 32 };
    (ip(six), 1..=most)
        .prop_map(move |(ip, length)| IpNet::new(ip, length).unwrap())
        .prop_map(move |net| if strict { net.trunc() } else { net })
        .boxed()
}

fn an_address() -> impl Strategy<Value = Address> {
    any::<bool>().prop_flat_map(|six| {
        let rest = (any::<u8>(), of("[a-z]{1,15}"), any::<bool>(), of((1..1000_u32, 1..1000_u32)), 1..=255_u8);
        let raw = (
            of(any::<[u8; 4]>()),
            of(1..1000_u32),
            proptest::sample::subsequence(vec![0x10, 0x100, 0x200, 0x400], 0..4),
        );
        (net(six, false), of(ip(six)), rest, raw).prop_map(
            move |(net, peer, (scope, label, nodad, lifetime, protocol), (broadcast, metric, flags))| {
                let broadcast = broadcast.filter(|_| !six).map(|bytes| (4, bytes.to_vec()));
                let metric = metric.map(|metric| (9, metric.to_ne_bytes().to_vec()));
                Address {
                    peer: peer.filter(|peer| *peer != net.addr()),
                    scope: Setting::Is(scope),
                    label: label.filter(|_| !six).into(),
                    nodad: if six { Setting::Is(nodad) } else { Setting::Left },
                    lifetime,
                    flags: flags.iter().sum(),
                    raw: Raw(broadcast.into_iter().chain(metric).collect()),
                    protocol,
                    marked: protocol == crate::resource::PROTOCOL,
                    ..Address::plain(lo(), net)
                }
            },
        )
    })
}

/// The message that means `address` to them.
fn their_address(address: &Address) -> AddressMessage {
    let ip = address.address.addr();
    let mut message = AddressMessage::default();
    message.header.family = family(ip.is_ipv6());
    message.header.prefix_len = address.address.prefix_len();
    message.header.flags = AddressHeaderFlags::empty();
    message.header.scope = AddressScope::from(*address.scope.get().unwrap());
    message.header.index = 1;
    let nodad = if address.nodad == Setting::Is(true) { AddressFlags::Nodad } else { AddressFlags::empty() };
    let mut attributes = vec![
        AddressAttribute::Local(ip),
        AddressAttribute::Address(address.peer.unwrap_or(ip)),
        AddressAttribute::Flags(AddressFlags::from_bits_retain(address.flags) | nodad),
        AddressAttribute::Protocol(AddressProtocol::from(address.protocol)),
    ];
    attributes.extend(address.label.get().cloned().map(AddressAttribute::Label));
    attributes.extend(address.lifetime.map(|(valid, preferred)| {
        let mut info = CacheInfo::default();
        (info.ifa_valid, info.ifa_preferred) = (valid, preferred);
        AddressAttribute::CacheInfo(info)
    }));
    let four = |bytes: &Vec<u8>| <[u8; 4]>::try_from(bytes.as_slice()).unwrap();
    attributes.extend(address.raw.0.iter().map(|(number, value)| match number {
        4 => AddressAttribute::Broadcast(four(value).into()),
        _ => AddressAttribute::RoutePriority(u32::from_ne_bytes(four(value))),
    }));
    message.attributes = attributes;
    message
}

fn a_neighbor() -> impl Strategy<Value = Neighbor> {
    (any::<bool>().prop_flat_map(ip), any::<bool>(), any::<bool>(), any::<[u8; 6]>(), 1..=255_u8).prop_map(
        |(address, proxy, permanent, mac, protocol)| Neighbor {
            link: lo(),
            address,
            proxy,
            mac: Some(Mac(mac)).filter(|_| !proxy),
            permanent: permanent || proxy,
            marked: protocol == crate::resource::PROTOCOL,
            protocol,
        },
    )
}

fn their_neighbor(neighbor: &Neighbor) -> NeighbourMessage {
    let mut message = NeighbourMessage::default();
    message.header.family = family(neighbor.address.is_ipv6());
    message.header.ifindex = 1;
    message.header.state = if neighbor.permanent { NeighbourState::Permanent } else { NeighbourState::None };
    message.header.flags = if neighbor.proxy { NeighbourFlags::Proxy } else { NeighbourFlags::empty() };
    message.attributes = vec![
        NeighbourAttribute::Destination(NeighbourAddress::from(neighbor.address)),
        NeighbourAttribute::Protocol(RouteProtocol::from(neighbor.protocol)),
    ];
    message.attributes.extend(neighbor.mac.map(|mac| NeighbourAttribute::LinkLayerAddress(mac.0.to_vec())));
    message
}

fn a_rule() -> impl Strategy<Value = Rule> {
    let action = prop_oneof![
        any::<u32>().prop_map(|table| RuleAction::Table(TableId::Number(table))),
        Just(RuleAction::L3mdev),
        Just(RuleAction::Blackhole),
        Just(RuleAction::Unreachable),
        Just(RuleAction::Prohibit),
    ];
    (any::<bool>(), action).prop_flat_map(|(six, action)| {
        let where_to = (of(net(six, true)), of(net(six, true)), of("[a-z]{1,15}"), of("[a-z]{1,15}"));
        let what = (of((1..=u32::MAX, 1..=u32::MAX)), of(1..=255_u8), of(any::<(u16, u16)>()), of(any::<(u16, u16)>()));
        (any::<u32>(), where_to, what, any::<bool>(), any::<u8>(), 3..=255_u8).prop_map(
            move |(priority, (from, to, iif, oif), (fwmark, protocol, port, source_port), invert, tos, whose)| Rule {
                node: Node::host(),
                key: RuleKey {
                    from,
                    to,
                    iif: iif.map(Into::into),
                    oif: oif.map(Into::into),
                    fwmark,
                    protocol,
                    port,
                    source_port,
                    invert,
                    tos,
                    ..RuleKey::all(if six { Family::V6 } else { Family::V4 }, priority, action.clone())
                },
                kernel: false,
                marked: whose == crate::resource::PROTOCOL,
                protocol: whose,
            },
        )
    })
}

fn their_rule(rule: &Rule) -> RuleMessage {
    use netlink_packet_route::rule::RuleAction as Theirs;
    let key = &rule.key;
    let (action, table) = match &key.action {
        RuleAction::Table(TableId::Number(table)) => (Theirs::ToTable, *table),
        RuleAction::L3mdev => (Theirs::ToTable, 0),
        RuleAction::Blackhole => (Theirs::Blackhole, 0),
        RuleAction::Unreachable => (Theirs::Unreachable, 0),
        RuleAction::Prohibit => (Theirs::Prohibit, 0),
        other => unreachable!("{other:?}"),
    };
    let mut message = RuleMessage::default();
    message.header.family = family(key.family == Family::V6);
    message.header.dst_len = key.to.map_or(0, |net| net.prefix_len());
    message.header.src_len = key.from.map_or(0, |net| net.prefix_len());
    message.header.tos = key.tos;
    // The kernel looks at the attribute where there is one.
    message.header.table = u8::try_from(table).unwrap_or(0);
    message.header.action = action;
    message.header.flags = if key.invert { RuleFlags::Invert } else { RuleFlags::empty() };
    let mut all =
        vec![RuleAttribute::Priority(key.priority), RuleAttribute::Protocol(RouteProtocol::from(rule.protocol))];
    match key.action {
        RuleAction::Table(_) => all.push(RuleAttribute::Table(table)),
        RuleAction::L3mdev => all.push(RuleAttribute::L3MDev(true)),
        _ => {}
    }
    all.extend(key.from.map(|net| RuleAttribute::Source(net.addr())));
    all.extend(key.to.map(|net| RuleAttribute::Destination(net.addr())));
    all.extend(key.iif.as_ref().map(|name| RuleAttribute::Iifname(name.to_string())));
    all.extend(key.oif.as_ref().map(|name| RuleAttribute::Oifname(name.to_string())));
    all.extend(key.fwmark.map(|(mark, _)| RuleAttribute::FwMark(mark)));
    all.extend(key.fwmark.map(|(_, mask)| RuleAttribute::FwMask(mask)));
    all.extend(key.protocol.map(|protocol| RuleAttribute::IpProtocol(IpProtocol::from(protocol))));
    let range = |(start, end)| RulePortRange { start, end };
    all.extend(key.source_port.map(|ports| RuleAttribute::SourcePortRange(range(ports))));
    all.extend(key.port.map(|ports| RuleAttribute::DestinationPortRange(range(ports))));
    message.attributes = all;
    message
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn addresses_are_read_alike(address in an_address()) {
        here(|site| {
            let expected = their_address(&address);
            let RouteNetlinkMessage::NewAddress(read) = theirs(address::NEW, &address::full(site, &address).unwrap())
            else {
                unreachable!()
            };
            assert_eq!(read.header, expected.header);
            same(&read.attributes, &expected.attributes);
            let back = address::parse(&written(&RouteNetlinkMessage::NewAddress(expected))).unwrap();
            // What says that it stays is a flag that only the kernel sets.
            let back = Address { expires: false, ..back.address(&Node::host(), "lo".into()) };
            assert_eq!(back, address);
        });
    }

    #[test]
    fn neighbors_are_read_alike(neighbor in a_neighbor()) {
        here(|site| {
            let expected = their_neighbor(&neighbor);
            let RouteNetlinkMessage::NewNeighbour(read) =
                theirs(neighbor::NEW, &neighbor::full(site, &neighbor).unwrap())
            else {
                unreachable!()
            };
            assert_eq!(read.header, expected.header);
            same(&read.attributes, &expected.attributes);
            let back = neighbor::parse(&written(&RouteNetlinkMessage::NewNeighbour(expected))).unwrap();
            assert_eq!(back.neighbor(&Node::host(), "lo".into()), Some(neighbor));
        });
    }

    #[test]
    fn forwarding_entries_are_read_alike(
        mac in any::<[u8; 6]>(), end in of(any::<bool>().prop_flat_map(ip)), vlan in 1..4095_u16
    ) {
        here(|site| {
            let fdb = Fdb { link: lo(), mac: Mac(mac), to: end.map_or(FdbTarget::Port(vlan), FdbTarget::End) };
            let mut expected = NeighbourMessage::default();
            expected.header.family = AddressFamily::Bridge;
            expected.header.ifindex = 1;
            expected.header.state = if end.is_some() { NeighbourState::Permanent } else { NeighbourState::Noarp };
            expected.header.flags = if end.is_some() { NeighbourFlags::Own } else { NeighbourFlags::Controller };
            expected.attributes = vec![
                NeighbourAttribute::LinkLayerAddress(mac.to_vec()),
                end.map_or(NeighbourAttribute::Vlan(vlan), |end| {
                    let bytes = match end {
                        IpAddr::V4(end) => end.octets().to_vec(),
                        IpAddr::V6(end) => end.octets().to_vec(),
                    };
                    NeighbourAttribute::Destination(NeighbourAddress::Other(bytes))
                }),
            ];
            let ours = neighbor::fdb_message(site, &fdb).unwrap();
            let RouteNetlinkMessage::NewNeighbour(read) = theirs(neighbor::NEW, &ours) else { unreachable!() };
            assert_eq!(read.header, expected.header);
            same(&read.attributes, &expected.attributes);
            if end.is_none() {
                // The kernel names the bridge where it reports of a port's entry.
                expected.attributes.push(NeighbourAttribute::Controller(7));
            }
            let back = neighbor::parse(&written(&RouteNetlinkMessage::NewNeighbour(expected))).unwrap();
            assert_eq!(back.fdb(&Node::host(), "lo".into()), Some(fdb));
        });
    }

    #[test]
    fn rules_are_read_alike(rule in a_rule()) {
        let expected = their_rule(&rule);
        let RouteNetlinkMessage::NewRule(read) = theirs(rule::NEW, &rule::message(&rule, rule.protocol).unwrap()) else {
            unreachable!()
        };
        assert_eq!(read.header, expected.header);
        same(&read.attributes, &expected.attributes);
        let back = rule::parse(&written(&RouteNetlinkMessage::NewRule(expected)), &Node::host()).unwrap();
        assert_eq!(back.rule, rule);
    }
}
