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
    /// An interface. One key gives its kind (`veth`, `bridge`, …); `lo`, and the other end of a veth pair that is named
    /// elsewhere, need none.
    Interface as "an interface" {
        /// Its addresses with their prefix lengths; the first of a subnet is the primary one. Example:
        /// `[11.11.11.2/24, "fd00::2/64"]`
        "addresses" addresses: Vec<AddressEntry>,
        /// Whether a DHCP client, which topo does not start, configures IPv4 here: addresses and routes that the file
        /// does not list belong to the client and are not drift. Those that the file lists belong to topo. Example:
        /// `true`
        "dhcp4" dhcp4: Option<Loc<bool>>,
        /// The same for IPv6 and a DHCPv6 client. (What router advertisements configure is never drift.) Example:
        /// `true`
        "dhcp6" dhcp6: Option<Loc<bool>>,
        /// The MTU in bytes; default 1500. A bridge has the lowest MTU of its ports, the ports of a bond have the
        /// bond's, a linked kind has that of its lower device, a tunnel that of its underlay interface, or 1500, less
        /// its overhead; the end of a veth pair that has no entry has the other end's. Example: `1400`
        "mtu" mtu: Option<Loc<Number<68, 2_147_483_647>>>,
        /// The MAC address; by default the kernel chooses one. A veth or tap that is a port of a bridge that topo did
        /// not create gets a high one, so that the bridge keeps its own. Example: `"02:00:00:00:00:01"`
        "mac" mac: Option<Loc<Mac>>,
        /// Whether it is up; default `true`. An interface that topo did not create and does not move (`existing: {}`)
        /// keeps its state by default. Example: `false`
        "up" up: Option<Loc<bool>>,
        /// The bridge, bond or VRF of the same node that it is a port of. Example: `br0`
        "master" master: Option<Loc<IfName>>,
        /// Its VLANs as a port of a bridge with `vlan-filtering`; on such a bridge, those of the bridge itself.
        /// Default: the bridge's `vlan-default-pvid`, untagged. Example: `{ access: 10 }` Example:
        /// `{ trunk: [10, 20-30], native: 1 }`
        "port-vlan" port_vlan: Option<Box<PortVlan>>,
        /// Its attributes as a bridge port. Example: `{ isolated: true }`
        "port" port: Option<Box<Port>>,
        /// Static FDB entries of a bridge port (`bridge fdb`): MAC addresses behind it. With this key, static entries
        /// that are not listed are deleted; learned ones stay. Example: `[{ mac: "02:00:00:00:00:05" }]`
        "fdb" fdb: Option<Vec<Station>>,
        /// Network impairment (netem) on egress: delay, loss, rate. Example: `{ delay: 20ms, loss: 0.5% }`
        "impair" impair: Option<Box<Impair>>,
        /// IPv6 on this interface. Example: `{ accept-ra: false }`
        "ipv6" ipv6: Option<Box<Ipv6>>,
        /// Whether packets that arrive on this interface are forwarded. Example: `true`
        "forwarding" forwarding: Option<Loc<Forwarding>>,
        /// Alternative names (`ip link property add altname`). Example: `[uplink]`
        "alternative-names" alternative_names: Option<Vec<Loc<AlternativeName>>>,
        /// The length of the transmit queue in packets; default 1000. Example: `500`
        "txqueuelen" txqueuelen: Option<Loc<Number<0, 4_294_967_295>>>,
        /// The number of queues, transmit and receive alike, or each. Example: `4` Example: `{ tx: 4, rx: 2 }`
        "queues" queues: Option<Box<Loc<Queue>>>,
        /// Offload features (`ethtool -K`); omitted ones keep their value, and a key that is removed from the file
        /// restores the previous value. Example: `{ tx-checksum: false }`
        "offload" offload: Option<Box<Offload>>,
    }
    parts {
        /// What it is.
        kind: Option<Loc<KindKey>>,
        /// Warnings that are accepted here.
        allow: Allow,
    }
}

choice! {
    /// What an interface is.
    KindKey as "an interface" {
        /// One end of a veth pair. Its peer, as `NODE/INTERFACE`, or the bridge whose port an unnamed peer becomes.
        /// Example: `host/reth1` Example: `{ bridge: host/br0 }`
        "veth" Veth(Box<Veth>),
        /// A bridge. Example: `{ ports: [reth1, beth1] }`
        "bridge" Bridge(Box<Bridge>),
        /// A VLAN on an interface. Example: `{ link: eth0, id: 100 }`
        "vlan" Vlan(Box<Vlan>),
        /// A VXLAN tunnel endpoint (VTEP). Example: `{ id: 100, local: 10.0.0.1, remote: 10.0.0.2 }`
        "vxlan" Vxlan(Box<Vxlan>),
        /// A macvlan on another interface: own MAC address, shared link. Example: `{ link: eth0, mode: bridge }`
        "macvlan" Macvlan(Box<Macvlan>),
        /// A macvtap on another interface: a macvlan whose frames a program reads and writes. Example:
        /// `{ link: eth0, mode: bridge }`
        "macvtap" Macvtap(Box<Macvlan>),
        /// An ipvlan on another interface: own IP addresses, shared MAC address. Example: `{ link: eth0, mode: l3 }`
        "ipvlan" Ipvlan(Box<Ipvlan>),
        /// A dummy interface: it drops every packet. Example: `{}`
        "dummy" Dummy(NoOptions),
        /// An IFB interface, for shaping ingress traffic. Example: `{}`
        "ifb" Ifb(NoOptions),
        /// A monitor of the kernel's netlink traffic in this namespace, for `tcpdump` and the like. Example: `{}`
        "nlmon" Nlmon(NoOptions),
        /// A bond: several interfaces as one. Example: `{ ports: [eth0, eth1], mode: active-backup }`
        "bond" Bond(Box<Bond>),
        /// A VRF: a routing domain with a table of its own. Example: `{ ports: [eth0], table: 100 }`
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
        /// A GENEVE tunnel endpoint. Example: `{ id: 100, remote: 10.0.0.2 }`
        "geneve" Geneve(Box<Geneve>),
        /// A tun interface: a program reads and writes its IP packets. Example: `{ owner: alice }`
        "tun" Tun(Box<Tun>),
        /// A tap interface: a program reads and writes its Ethernet frames. Example: `{ owner: alice }`
        "tap" Tap(Box<Tun>),
        /// An existing interface that topo did not create: it is configured, and restored on destroy. With `from` it is
        /// moved here, and back. Example: `{}` Example: `{ from: host/eth1 }`
        "existing" Existing(Box<ExistingLink>),
    }
}

/// An address of an interface: `ADDRESS/LENGTH`, or a map where that is not enough.
#[derive(Clone, Debug)]
pub struct AddressEntry {
    /// The address.
    pub address: Loc<InterfaceAddress>,
    /// Its other attributes.
    pub more: Option<Box<AddressMap>>,
}

record! {
    /// An address with attributes.
    AddressMap as "an address" {
        /// The address with its prefix length. Example: `10.0.0.1/32`
        "address" address: Loc<InterfaceAddress>,
        /// The peer of a point-to-point address. Example: `10.0.0.2`
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
    /// VLANs of a port (`bridge vlan`): `access` alone, or any of the others. Frames of other VLANs are dropped.
    PortVlan as "`port-vlan`" {
        /// Access port: the only VLAN, untagged. Example: `10`
        "access" access: Option<Loc<Number<1, 4094>>>,
        /// Tagged VLANs; `[]` and nothing else for a port without any VLAN. Example: `[10, 20-30]`
        "trunk" trunk: Option<VlanList>,
        /// The native VLAN: of untagged frames in both directions, beside `trunk` or `untagged`. Without it untagged
        /// frames are dropped. Example: `1`
        "native" native: Option<Loc<Number<1, 4094>>>,
        /// Further VLANs that are sent untagged. Example: `[40, 50]`
        "untagged" untagged: Option<VlanList>,
        /// The PVID, the VLAN of untagged frames on ingress, where it is sent tagged: one of `trunk`, instead of
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
    /// A static FDB entry: a MAC address behind a bridge port.
    Station as "a forwarding entry" {
        /// The address. Example: `"02:00:00:00:00:05"`
        "mac" mac: Loc<Mac>,
        /// Its VLAN; default: all VLANs of the port. Only on a bridge with `vlan-filtering`. Example: `10`
        "vlan" vlan: Option<Loc<Number<1, 4094>>>,
    }
}

record! {
    /// A port of a bridge (`bridge link`).
    Port as "`port`" {
        /// Its STP path cost; by default the kernel derives it from the speed. Example: `10`
        "cost" cost: Option<Loc<Number<1, 65535>>>,
        /// Its STP priority; default 32. Example: `16`
        "priority" priority: Option<Loc<Number<0, 63>>>,
        /// Hairpin mode: frames may be sent out of the port they arrived on. Example: `true`
        "hairpin" hairpin: Option<Loc<bool>>,
        /// BPDU guard: a port that receives a BPDU is disabled. Example: `true`
        "guard" guard: Option<Loc<bool>>,
        /// Root block: the port cannot become the root port. Example: `true`
        "root-block" root_block: Option<Loc<bool>>,
        /// Fast leave: a multicast group is dropped as soon as it is left. Example: `true`
        "fast-leave" fast_leave: Option<Loc<bool>>,
        /// MAC addresses are learned; default `true`. Example: `false`
        "learning" learning: Option<Loc<bool>>,
        /// Unknown unicast is flooded to this port; default `true`. Example: `false`
        "flood" flood: Option<Loc<bool>>,
        /// Unregistered multicast is flooded to this port; default `true`. Example: `false`
        "multicast-flood" multicast_flood: Option<Loc<bool>>,
        /// Broadcast is flooded to this port; default `true`. Example: `false`
        "broadcast-flood" broadcast_flood: Option<Loc<bool>>,
        /// Multicast is sent as unicast, a copy for each listener. Example: `true`
        "multicast-to-unicast" multicast_to_unicast: Option<Loc<bool>>,
        /// Whether a multicast router is behind it: 0 never, 1 learned, 2 always, 3 temporarily; default 1. Example:
        /// `2`
        "multicast-router" multicast_router: Option<Loc<Number<0, 3>>>,
        /// Proxy ARP: ARP requests for hosts behind other ports are answered here. Example: `true`
        "proxy-arp" proxy_arp: Option<Loc<bool>>,
        /// Proxy ARP for wireless clients (`proxy_arp_wifi`). Example: `true`
        "proxy-arp-wifi" proxy_arp_wifi: Option<Loc<bool>>,
        /// Neighbour suppression: ARP and ND requests are answered, not flooded. Example: `true`
        "neighbor-suppress" neighbor_suppress: Option<Loc<bool>>,
        /// An isolated port exchanges frames only with ports that are not isolated. Example: `true`
        "isolated" isolated: Option<Loc<bool>>,
        /// Locked port: only frames from MAC addresses in the FDB are accepted. Example: `true`
        "locked" locked: Option<Loc<bool>>,
    }
}

record! {
    /// Network impairment on egress: a netem as the root qdisc of the interface (`tc qdisc`). For both directions,
    /// configure it at both ends. It applies to packets as the kernel hands them to the interface: with segmentation
    /// offload, up to 64 KiB of a TCP stream are lost or delayed together.
    Impair as "`impair`" {
        /// Delay of every packet. Example: `20ms`
        "delay" delay: Option<Loc<Duration>>,
        /// Jitter: how much the delay varies, up and down; at most 2.147483647s. Packets with less delay than those
        /// before them overtake them. Example: `5ms`
        "jitter" jitter: Option<Loc<Duration>>,
        /// Distribution of the delay within the jitter; default `uniform`. The kernel does not report it, so topo
        /// encodes it in the handle of the qdisc (`7470:` uniform, `7471:` normal, `7472:` pareto, `7473:`
        /// paretonormal); a manual change of the table alone is not detected. Changing it re-creates the qdisc: queued
        /// packets are lost. Example: `normal`
        "distribution" distribution: Option<Loc<Spread>>,
        /// Loss rate. Example: `0.5%`
        "loss" loss: Option<Loc<Percent>>,
        /// Duplication rate. Example: `1%`
        "duplicate" duplicate: Option<Loc<Percent>>,
        /// Corruption rate: packets with a flipped bit. Example: `0.1%`
        "corrupt" corrupt: Option<Loc<Percent>>,
        /// Reordering rate: packets that are sent at once, before the delayed ones. Example: `25%`
        "reorder" reorder: Option<Loc<Percent>>,
        /// Maximum rate: each packet takes the time that it would take on a line of this rate. Counted in whole bytes
        /// per second. Example: `10mbit`
        "rate" rate: Option<Loc<Rate>>,
        /// Queue length in packets; further packets are dropped. Default 1000: a fast line with a long delay needs
        /// more. Example: `2000`
        "limit" limit: Option<Loc<Number<1, 4_294_967_295>>>,
    }
}

words! {
    /// Distribution of the delay within the jitter.
    Spread as "a distribution" {
        /// uniform: all values are equally likely.
        "uniform" Uniform,
        /// normal: the jitter is the standard deviation.
        "normal" Normal,
        /// pareto: most are early, few are very late.
        "pareto" Pareto,
        /// paretonormal: one part normal, three parts pareto.
        "paretonormal" ParetoNormal,
    }
}

record! {
    /// IPv6 of an interface.
    Ipv6 as "`ipv6`" {
        /// Whether router advertisements are accepted (also by a node that forwards). Example: `false`
        "accept-ra" accept_ra: Option<Loc<bool>>,
        /// Duplicate address detection (DAD) before an address is used; default `false` in namespaces that topo
        /// creates. Example: `true`
        "dad" dad: Option<Loc<bool>>,
        /// Privacy extensions: whether temporary addresses are generated and preferred. Example: `true`
        "privacy" privacy: Option<Loc<bool>>,
        /// How the interface identifier of an address is generated. Example: `eui64`
        "address-generation" address_generation: Option<Loc<AddressGeneration>>,
        /// Disables IPv6 on this interface. On a bridge with many ports this avoids the burst of multicast that each
        /// port starts with. Example: `true`
        "disable" disable: Option<Loc<bool>>,
    }
}

words! {
    /// How the interface identifier of an IPv6 address is generated.
    AddressGeneration as "a way to make addresses" {
        /// eui64: from the MAC address.
        "eui64" Eui64,
        /// none: not at all, so no link-local address either.
        "none" None,
        /// stable-privacy: from a secret of the machine.
        "stable-privacy" StablePrivacy,
        /// random: from a random secret.
        "random" Random,
    }
}

record! {
    /// Offload features (`ethtool -K`): each name stands for those of its features that the device can change. What
    /// counts is the requested state; where something else prevents it, `ethtool -k` shows `off [requested on]`.
    Offload as "`offload`" {
        /// TX checksum offload. Without it there is no `tso` either. Example: `false`
        "tx-checksum" tx_checksum: Option<Loc<bool>>,
        /// RX checksum offload. Example: `false`
        "rx-checksum" rx_checksum: Option<Loc<bool>>,
        /// TCP segmentation offload. Example: `false`
        "tso" tso: Option<Loc<bool>>,
        /// Generic segmentation offload. Example: `false`
        "gso" gso: Option<Loc<bool>>,
        /// Generic receive offload. Example: `false`
        "gro" gro: Option<Loc<bool>>,
    }
}
