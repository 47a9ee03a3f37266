//! Bridges and their ports.

use super::spec::{Attribute, Below, Default, Mtu, Spec, Traits, in_place};
use crate::resource::Kind;

/// Where more links than this go at once, a bridge goes after its ports: one with ports still queued does its work for
/// each of them one by one. Below that the second request costs more (`rcu_barrier`).
pub const GOES_LAST: usize = 50;

/// A bridge.
pub const SPEC: Spec = Spec {
    kind: Kind::Bridge,
    name: "bridge",
    word: "bridge",
    config: "CONFIG_BRIDGE",
    attributes: ATTRIBUTES,
    mtu: Mtu::Left,
    txqueuelen: 1000,
    below: Below::Nothing,
    traits: Traits { asks: true, holds_ports: true, mac_of_ports: true, ..Traits::CLOSED },
};

/// The attributes of a bridge (`ip link help bridge`; defaults from `br_dev_setup`, `br_multicast_init` in
/// `net/bridge`).
pub const ATTRIBUTES: &[Attribute] = &[
    in_place("stp", Default::Bool(false)),
    in_place("forward-delay", Default::Centis(1500)),
    in_place("hello-time", Default::Centis(200)),
    in_place("max-age", Default::Centis(2000)),
    in_place("ageing-time", Default::Centis(30000)),
    in_place("priority", Default::Number(0x8000)),
    in_place("group-forward-mask", Default::Number(0)),
    in_place("group-address", Default::Kernel),
    in_place("multicast-snooping", Default::Bool(true)),
    in_place("multicast-router", Default::Number(1)),
    in_place("multicast-query-use-ifaddr", Default::Bool(false)),
    in_place("multicast-querier", Default::Bool(false)),
    in_place("multicast-hash-max", Default::Number(4096)),
    in_place("multicast-last-member-count", Default::Number(2)),
    in_place("multicast-startup-query-count", Default::Number(2)),
    in_place("multicast-last-member-interval", Default::Centis(100)),
    in_place("multicast-membership-interval", Default::Centis(26000)),
    in_place("multicast-querier-interval", Default::Centis(25500)),
    in_place("multicast-query-interval", Default::Centis(12500)),
    in_place("multicast-query-response-interval", Default::Centis(1000)),
    in_place("multicast-startup-query-interval", Default::Centis(3125)),
    in_place("multicast-stats", Default::Bool(false)),
    in_place("multicast-igmp-version", Default::Number(2)),
    in_place("multicast-mld-version", Default::Number(1)),
    in_place("nf-call-iptables", Default::Bool(false)),
    in_place("nf-call-ip6tables", Default::Bool(false)),
    in_place("nf-call-arptables", Default::Bool(false)),
    in_place("no-linklocal-learn", Default::Bool(false)),
    in_place("vlan-filtering", Default::Bool(false)),
    in_place("vlan-protocol", Default::Word("802.1q")),
    in_place("vlan-default-pvid", Default::Number(1)),
    in_place("vlan-stats", Default::Bool(false)),
];

/// The attributes of a port of a bridge (`bridge link set`; defaults from `new_nbp` in `net/bridge/br_if.c`).
pub const PORT: &[Attribute] = &[
    // That of a veth end (10 Gbit/s, `port_cost` in `net/bridge/br_if.c`), which other kinds may not have.
    in_place("cost", Default::Number(2)),
    in_place("priority", Default::Number(32)),
    in_place("hairpin", Default::Bool(false)),
    in_place("guard", Default::Bool(false)),
    in_place("root-block", Default::Bool(false)),
    in_place("fast-leave", Default::Bool(false)),
    in_place("learning", Default::Bool(true)),
    in_place("flood", Default::Bool(true)),
    in_place("multicast-flood", Default::Bool(true)),
    in_place("broadcast-flood", Default::Bool(true)),
    in_place("multicast-to-unicast", Default::Bool(false)),
    in_place("multicast-router", Default::Number(1)),
    in_place("proxy-arp", Default::Bool(false)),
    in_place("proxy-arp-wifi", Default::Bool(false)),
    in_place("neighbor-suppress", Default::Bool(false)),
    in_place("isolated", Default::Bool(false)),
    in_place("locked", Default::Bool(false)),
];
