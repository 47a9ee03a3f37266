//! An interface: what all kinds have in common.

use super::allow::Allow;
use super::kind::{
    Bond, Bridge, ExistingLink, Geneve, Gre, Ip6Tunnel, Ipvlan, Macvlan, NoOptions, Queue, Tun, Tunnel, Veth, Vlan,
    Vrf, Vxlan, Wireguard,
};
use crate::document::Loc;
use crate::document::value::forwarding::Forwarding;
use crate::document::value::{
    AddressLabel, AlternativeName, Duration, InterfaceAddress, Percent, Rate, Scope, VlanRange,
};
use crate::document::yaml::define::{choice, record};
use crate::document::yaml::read::{Reader, Shape};
use crate::document::yaml::tree::{Data, Yaml};
use crate::document::yaml::word::{Number, Word, words};
use crate::resource::{IfName, Mac};
use schemars::{Schema, SchemaGenerator, json_schema};
use std::net::IpAddr;

record! {
    /// An interface. One key says its kind (`veth`, `bridge`, …); `lo`, and the other end of a veth pair that is named
    /// elsewhere, need none.
    Interface as "an interface" {
        /// Its addresses with their prefix lengths; the first of a subnet is the primary one. Example:
        /// `[11.11.11.2/24, "fd00::2/64"]`
        "addresses" addresses: Vec<AddressEntry>,
        /// Whether a DHCP client that somebody else starts looks after its IPv4: addresses and routes on it that the
        /// file does not list are the client's, and no drift. Those that the file lists are topo's. Example: `true`
        "dhcp4" dhcp4: Option<Loc<bool>>,
        /// The same for IPv6 and a client of DHCPv6. (What router advertisements put there never is drift.) Example:
        /// `true`
        "dhcp6" dhcp6: Option<Loc<bool>>,
        /// The MTU in bytes; 1500 unless said. A bridge has the lowest of its ports, the ports of a bond have the
        /// bond's, a linked kind has its parent's, a tunnel that of the interface it sends by, or 1500, less what it
        /// puts around a packet. Example: `1400`
        "mtu" mtu: Option<Loc<Number<68, 2_147_483_647>>>,
        /// The hardware address; left to the kernel unless said, but that a veth or tap is born with a high one where
        /// it is a port of somebody else's bridge, which so keeps its own. Example: `"02:00:00:00:00:01"`
        "mac" mac: Option<Loc<Mac>>,
        /// Whether it is up; `true` unless said, but that one of somebody else which stays where it is (`existing: {}`)
        /// is left as it is. Example: `false`
        "up" up: Option<Loc<bool>>,
        /// The bridge, bond or vrf of the same node that it is a port of. Example: `br0`
        "master" master: Option<Loc<IfName>>,
        /// Its VLANs as a port of a bridge with `vlan-filtering`; on such a bridge itself its own. Without it they are
        /// the bridge's `vlan-default-pvid`, untagged. Example: `{ access: 10 }` Example:
        /// `{ trunk: [10, 20-30], native: 1 }`
        "port-vlan" port_vlan: Option<Box<PortVlan>>,
        /// Its attributes as a port of a bridge. Example: `{ isolated: true }`
        "port" port: Option<Box<Port>>,
        /// Hardware addresses that are behind it as a port of a bridge (`bridge fdb`, `static`). Where it is written,
        /// static entries that it does not list go; learned ones stay. Example: `[{ mac: "02:00:00:00:00:05" }]`
        "fdb" fdb: Option<Vec<Station>>,
        /// A bad line: delay, loss and rate of what leaves here. Example: `{ delay: 20ms, loss: 0.5% }`
        "impair" impair: Option<Box<Impair>>,
        /// IPv6 on this interface. Example: `{ accept-ra: false }`
        "ipv6" ipv6: Option<Box<Ipv6>>,
        /// Whether packets that come in here are forwarded. Example: `true`
        "forwarding" forwarding: Option<Loc<Forwarding>>,
        /// Further names. Example: `[uplink]`
        "alternative-names" alternative_names: Option<Vec<Loc<AlternativeName>>>,
        /// The length of the transmit queue in packets; 1000 unless said. Example: `500`
        "txqueuelen" txqueuelen: Option<Loc<Number<0, 4_294_967_295>>>,
        /// The number of queues, transmit and receive alike, or each. Example: `4` Example: `{ tx: 4, rx: 2 }`
        "queues" queues: Option<Box<Loc<Queue>>>,
        /// What the interface does for the kernel. What is not written stays as it is; what leaves the file goes back
        /// to what it was. Example: `{ tx-checksum: false }`
        "offload" offload: Option<Box<Offload>>,
    }
    parts {
        /// What it is.
        kind: Option<Loc<KindKey>>,
        /// The warnings that are answered here.
        allow: Allow,
    }
}

choice! {
    /// What an interface is.
    KindKey as "an interface" {
        /// One end of a veth pair. The other end, as `NODE/INTERFACE`, or the bridge that an other end without a name
        /// is plugged into. Example: `host/reth1` Example: `{ bridge: host/br0 }`
        "veth" Veth(Box<Veth>),
        /// A bridge. Example: `{ ports: [reth1, beth1] }`
        "bridge" Bridge(Box<Bridge>),
        /// A VLAN on an interface. Example: `{ link: eth0, id: 100 }`
        "vlan" Vlan(Box<Vlan>),
        /// The end of a VXLAN tunnel. Example: `{ id: 100, local: 10.0.0.1, remote: 10.0.0.2 }`
        "vxlan" Vxlan(Box<Vxlan>),
        /// A further address on an interface, with a hardware address of its own. Example:
        /// `{ link: eth0, mode: bridge }`
        "macvlan" Macvlan(Box<Macvlan>),
        /// A macvlan that a program reads and writes. Example: `{ link: eth0, mode: bridge }`
        "macvtap" Macvtap(Box<Macvlan>),
        /// A further interface on another one, with its hardware address. Example: `{ link: eth0, mode: l3 }`
        "ipvlan" Ipvlan(Box<Ipvlan>),
        /// An interface that drops what it gets. Example: `{}`
        "dummy" Dummy(NoOptions),
        /// An interface for shaping what comes in. Example: `{}`
        "ifb" Ifb(NoOptions),
        /// Several interfaces as one. Example: `{ ports: [eth0, eth1], mode: active-backup }`
        "bond" Bond(Box<Bond>),
        /// A routing domain. Example: `{ ports: [eth0], table: 100 }`
        "vrf" Vrf(Box<Vrf>),
        /// A WireGuard tunnel. Example: `{ private-key-file: wg.key, listen-port: 51820 }`
        "wireguard" Wireguard(Box<Wireguard>),
        /// A GRE tunnel of IP packets. Example: `{ local: 10.0.0.1, remote: 10.0.0.2 }`
        "gre" Gre(Box<Gre>),
        /// A GRE tunnel of Ethernet frames. Example: `{ local: 10.0.0.1, remote: 10.0.0.2 }`
        "gretap" Gretap(Box<Gre>),
        /// A tunnel of IPv4 in IPv4. Example: `{ local: 10.0.0.1, remote: 10.0.0.2 }`
        "ipip" Ipip(Box<Tunnel>),
        /// A tunnel of IPv6 in IPv4. Example: `{ local: 10.0.0.1, remote: 10.0.0.2 }`
        "sit" Sit(Box<Tunnel>),
        /// A tunnel of IPv4 or IPv6 in IPv6. Example: `{ local: "fd00::1", remote: "fd00::2" }`
        "ip6tnl" Ip6tnl(Box<Ip6Tunnel>),
        /// The end of a GENEVE tunnel. Example: `{ id: 100, remote: 10.0.0.2 }`
        "geneve" Geneve(Box<Geneve>),
        /// An interface whose IP packets a program reads and writes. Example: `{ owner: alice }`
        "tun" Tun(Box<Tun>),
        /// An interface whose Ethernet frames a program reads and writes. Example: `{ owner: alice }`
        "tap" Tap(Box<Tun>),
        /// Somebody else's: it is there already, is configured, and given back as it was. With `from` it is moved in
        /// and back. Example: `{}` Example: `{ from: host/eth1 }`
        "existing" Existing(Box<ExistingLink>),
    }
}

/// An address of an interface: `ADDRESS/LENGTH`, or a map where that is not enough.
#[derive(Clone, Debug)]
pub struct AddressEntry {
    /// The address.
    pub address: Loc<InterfaceAddress>,
    /// What else is said of it.
    pub more: Option<Box<AddressMap>>,
}

record! {
    /// An address of which more is said.
    AddressMap as "an address" {
        /// The address with its prefix length. Example: `10.0.0.1/32`
        "address" address: Loc<InterfaceAddress>,
        /// The other end of a point-to-point address. Example: `10.0.0.2`
        "peer" peer: Option<Loc<IpAddr>>,
        /// Its scope: `global`, `site`, `link`, `host`. Example: `link`
        "scope" scope: Option<Loc<Scope>>,
        /// Its label (IPv4), which begins with the interface's name. Example: `eth0:1`
        "label" label: Option<Loc<AddressLabel>>,
    }
}

impl Shape for AddressEntry {
    fn read(yaml: &Yaml<'_>, reader: &mut Reader) -> Option<Self> {
        if matches!(yaml.data(), Data::Map(_)) {
            let map = AddressMap::read(yaml, reader)?;
            return Some(Self { address: map.address.clone(), more: Some(Box::new(map)) });
        }
        Some(Self { address: Loc::read(yaml, reader)?, more: None })
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [InterfaceAddress::schema(), AddressMap::schema(generator)] })
    }
}

record! {
    /// VLANs of a port (`bridge vlan`): `access` alone, or any of the others. Frames of other VLANs do not pass.
    PortVlan as "`port-vlan`" {
        /// The only VLAN, untagged on the wire. Example: `10`
        "access" access: Option<Loc<Number<1, 4094>>>,
        /// VLANs that are tagged on the wire; `[]` and nothing else for a port without any. Example: `[10, 20-30]`
        "trunk" trunk: Option<VlanList>,
        /// The VLAN of frames without a tag, both ways, beside `trunk` or `untagged`; without it frames without a tag
        /// are dropped. Example: `1`
        "native" native: Option<Loc<Number<1, 4094>>>,
        /// Further VLANs that leave without a tag. Example: `[40, 50]`
        "untagged" untagged: Option<VlanList>,
        /// The VLAN of frames that come in without a tag, where it leaves with one: one of `trunk`, instead of
        /// `native`. Example: `10`
        "pvid" pvid: Option<Loc<Number<1, 4094>>>,
    }
}

/// VLAN ids and ranges of them: one, or a list, which may be empty.
#[derive(Clone, Debug)]
pub struct VlanList(pub Vec<Loc<VlanRange>>);

impl Shape for VlanList {
    fn read(yaml: &Yaml<'_>, reader: &mut Reader) -> Option<Self> {
        match yaml.data() {
            Data::List(_) => Vec::read(yaml, reader).map(Self),
            _ => Loc::read(yaml, reader).map(|one| Self(vec![one])),
        }
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        let one = <Loc<VlanRange> as Shape>::schema(generator);
        json_schema!({ "anyOf": [one, { "type": "array", "items": one }] })
    }
}

record! {
    /// A hardware address that is behind a port of a bridge.
    Station as "a forwarding entry" {
        /// The address. Example: `"02:00:00:00:00:05"`
        "mac" mac: Loc<Mac>,
        /// The VLAN it is in; in all VLANs of the port unless said. Only on a bridge with `vlan-filtering`. Example:
        /// `10`
        "vlan" vlan: Option<Loc<Number<1, 4094>>>,
    }
}

record! {
    /// A port of a bridge (`bridge link`).
    Port as "`port`" {
        /// Its cost for the spanning tree; chosen by the kernel from the speed unless said. Example: `10`
        "cost" cost: Option<Loc<Number<1, 65535>>>,
        /// Its priority for the spanning tree; 32 unless said. Example: `16`
        "priority" priority: Option<Loc<Number<0, 63>>>,
        /// Frames may leave by the port they came in. Example: `true`
        "hairpin" hairpin: Option<Loc<bool>>,
        /// Frames of the spanning tree are not accepted. Example: `true`
        "guard" guard: Option<Loc<bool>>,
        /// The port cannot become the way to the root. Example: `true`
        "root-block" root_block: Option<Loc<bool>>,
        /// A multicast group that is left is dropped at once. Example: `true`
        "fast-leave" fast_leave: Option<Loc<bool>>,
        /// Addresses are learned; `true` unless said. Example: `false`
        "learning" learning: Option<Loc<bool>>,
        /// Frames to unknown addresses leave here; `true` unless said. Example: `false`
        "flood" flood: Option<Loc<bool>>,
        /// Multicast without listeners leaves here; `true` unless said. Example: `false`
        "multicast-flood" multicast_flood: Option<Loc<bool>>,
        /// Broadcasts leave here; `true` unless said. Example: `false`
        "broadcast-flood" broadcast_flood: Option<Loc<bool>>,
        /// Multicast leaves as unicast, a copy for each listener. Example: `true`
        "multicast-to-unicast" multicast_to_unicast: Option<Loc<bool>>,
        /// Whether a multicast router is behind it: 0 never, 1 found out, 2 always, 3 for a time; 1 unless said.
        /// Example: `2`
        "multicast-router" multicast_router: Option<Loc<Number<0, 3>>>,
        /// ARP is answered for what is elsewhere. Example: `true`
        "proxy-arp" proxy_arp: Option<Loc<bool>>,
        /// ARP is answered for what is elsewhere, as wireless stations need it. Example: `true`
        "proxy-arp-wifi" proxy_arp_wifi: Option<Loc<bool>>,
        /// ARP and neighbour discovery are answered, not flooded. Example: `true`
        "neighbor-suppress" neighbor_suppress: Option<Loc<bool>>,
        /// It talks only to ports that are not isolated. Example: `true`
        "isolated" isolated: Option<Loc<bool>>,
        /// Only addresses that are known come in. Example: `true`
        "locked" locked: Option<Loc<bool>>,
    }
}

record! {
    /// A bad line, in the direction that leaves here: a netem as the root qdisc of the interface (`tc qdisc`). For both
    /// directions say it at both ends. A packet is what the kernel hands to the interface: with segmentation offload up
    /// to 64 KiB of a TCP stream are one, lost or delayed together.
    Impair as "`impair`" {
        /// How much later everything leaves. Example: `20ms`
        "delay" delay: Option<Loc<Duration>>,
        /// How much the delay varies, up and down; at most 2.147483647s. Packets that get less delay than those before
        /// them overtake them. Example: `5ms`
        "jitter" jitter: Option<Loc<Duration>>,
        /// How the delays spread within the jitter; `uniform` unless said. The kernel is told and never tells: the
        /// handle of the qdisc says which it is (`7470:` uniform, `7471:` normal, `7472:` pareto, `7473:`
        /// paretonormal), and a table that somebody changed by hand, and nothing else of it, is not seen. Another one
        /// makes the qdisc anew: what waits in it is lost. Example: `normal`
        "distribution" distribution: Option<Loc<Spread>>,
        /// How many packets are lost. Example: `0.5%`
        "loss" loss: Option<Loc<Percent>>,
        /// How many packets leave twice. Example: `1%`
        "duplicate" duplicate: Option<Loc<Percent>>,
        /// How many packets get a wrong bit. Example: `0.1%`
        "corrupt" corrupt: Option<Loc<Percent>>,
        /// How many packets leave at once, before the delayed ones. Example: `25%`
        "reorder" reorder: Option<Loc<Percent>>,
        /// How much leaves at most: each packet takes the time that it would take on a line of this rate. Counted in
        /// whole bytes per second. Example: `10mbit`
        "rate" rate: Option<Loc<Rate>>,
        /// How many packets can wait; what comes on top is lost. 1000 unless said: a fast line with a long delay needs
        /// more. Example: `2000`
        "limit" limit: Option<Loc<Number<1, 4_294_967_295>>>,
    }
}

words! {
    /// How delays spread within the jitter.
    Spread as "a distribution" {
        /// All are as likely.
        "uniform" Uniform,
        /// A bell: most are near the delay, and the jitter is its standard deviation.
        "normal" Normal,
        /// Most are early, few are very late.
        "pareto" Pareto,
        /// A quarter of a bell and three of pareto.
        "paretonormal" ParetoNormal,
    }
}

record! {
    /// IPv6 of an interface.
    Ipv6 as "`ipv6`" {
        /// Whether router advertisements are obeyed (also by a node that forwards). Example: `false`
        "accept-ra" accept_ra: Option<Loc<bool>>,
        /// Whether duplicates of an address are looked for before it is used; `false` in namespaces that topo makes
        /// unless said. Example: `true`
        "dad" dad: Option<Loc<bool>>,
        /// Whether temporary addresses are made and preferred. Example: `true`
        "privacy" privacy: Option<Loc<bool>>,
        /// How the last half of an address is made. Example: `eui64`
        "address-generation" address_generation: Option<Loc<AddressGeneration>>,
        /// Whether there is no IPv6 here at all. On the many ports of a big bridge it spares the storm of multicast
        /// that each of them starts with. Example: `true`
        "disable" disable: Option<Loc<bool>>,
    }
}

words! {
    /// How the last half of an IPv6 address is made.
    AddressGeneration as "a way to make addresses" {
        /// From the hardware address.
        "eui64" Eui64,
        /// Not at all: no link-local address either.
        "none" None,
        /// From a secret of the machine.
        "stable-privacy" StablePrivacy,
        /// At random.
        "random" Random,
    }
}

record! {
    /// What the interface does for the kernel (`ethtool -K`): each name stands for those of its features that the
    /// device can change. What counts is what the device is asked to do; where something else keeps it from it,
    /// `ethtool -k` shows it as `off [requested on]`.
    Offload as "`offload`" {
        /// Checksums of what is sent. Without them there is no `tso` either. Example: `false`
        "tx-checksum" tx_checksum: Option<Loc<bool>>,
        /// Checksums of what comes in. Example: `false`
        "rx-checksum" rx_checksum: Option<Loc<bool>>,
        /// TCP segments are cut up by it. Example: `false`
        "tso" tso: Option<Loc<bool>>,
        /// Large packets are cut up late. Example: `false`
        "gso" gso: Option<Loc<bool>>,
        /// Small packets are put together. Example: `false`
        "gro" gro: Option<Loc<bool>>,
    }
}
