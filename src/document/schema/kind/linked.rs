//! Kinds that depend on another interface, and VRFs.

use crate::document::Loc;
use crate::document::value::InterfaceRef;
use crate::document::yaml::define::record;
use crate::document::yaml::word::{Number, words};
use crate::resource::TableId;

record! {
    /// A VLAN on an interface.
    Vlan as "a vlan" {
        /// The lower device (`link`). If it is in another node, the interface is created there and moved here. Example:
        /// `eth0`
        "link" link: Loc<InterfaceRef>,
        /// Its id. Example: `100`
        "id" id: Loc<Number<1, 4094>>,
        /// The protocol of the tag; default `802.1q`. Example: `802.1ad`
        "protocol" protocol: Option<Loc<VlanProtocol>>,
        /// Whether the tag is removed before packets are captured here (`reorder_hdr`); default `true`. Example:
        /// `false`
        "reorder-header" reorder_header: Option<Loc<bool>>,
        /// Registers the VLAN at the switch by GVRP. Do not delete a namespace in which such a VLAN is in a VRF
        /// manually: Linux 6.12 hangs. Example: `true`
        "gvrp" gvrp: Option<Loc<bool>>,
        /// Registers the VLAN at the switch by MVRP. Do not delete a namespace in which such a VLAN is in a VRF
        /// manually: Linux 6.12 hangs. Example: `true`
        "mvrp" mvrp: Option<Loc<bool>>,
        /// Loose binding: it may be up while its lower device is down. Example: `true`
        "loose-binding" loose_binding: Option<Loc<bool>>,
        /// Bridge binding: it has carrier only while a port of the bridge below has this VLAN and carrier. Example:
        /// `true`
        "bridge-binding" bridge_binding: Option<Loc<bool>>,
    }
}

words! {
    /// The protocol of a VLAN tag.
    VlanProtocol as "a kind of tag" {
        /// 802.1q: the C-tag.
        "802.1q" Dot1q,
        /// 802.1ad: the S-tag, outer of two.
        "802.1ad" Dot1ad,
    }
}

record! {
    /// A macvlan or macvtap.
    Macvlan as "a macvlan" {
        /// The lower device (`link`). If it is in another node, the interface is created there and moved here. Example:
        /// `host/eth0`
        "link" link: Loc<InterfaceRef>,
        /// The mode, how macvlans on one lower device reach each other; default `vepa`, as in the kernel. Example:
        /// `bridge`
        "mode" mode: Option<Loc<MacvlanMode>>,
    }
}

words! {
    /// The mode of a macvlan.
    MacvlanMode as "a mode of a macvlan" {
        /// private: they do not.
        "private" Private,
        /// vepa: through the external switch.
        "vepa" Vepa,
        /// bridge: directly.
        "bridge" Bridge,
        /// passthru: there is only one.
        "passthru" Passthru,
        /// source: only from the listed addresses.
        "source" Source,
    }
}

record! {
    /// An ipvlan.
    Ipvlan as "an ipvlan" {
        /// The lower device (`link`). If it is in another node, the interface is created there and moved here. Example:
        /// `host/eth0`
        "link" link: Loc<InterfaceRef>,
        /// The mode; default `l3`, as in the kernel. Example: `l2`
        "mode" mode: Option<Loc<IpvlanMode>>,
        /// How ipvlans on one lower device reach each other; default `bridge`. Example: `private`
        "flag" flag: Option<Loc<IpvlanFlag>>,
    }
}

words! {
    /// The mode of an ipvlan.
    IpvlanMode as "a mode of an ipvlan" {
        /// l2: it switches.
        "l2" L2,
        /// l3: it routes.
        "l3" L3,
        /// l3s: it routes, and packets pass netfilter.
        "l3s" L3s,
    }
}

words! {
    /// How ipvlans on one lower device reach each other.
    IpvlanFlag as "a flag of an ipvlan" {
        /// bridge: directly.
        "bridge" Bridge,
        /// private: they do not.
        "private" Private,
        /// vepa: through the external switch.
        "vepa" Vepa,
    }
}

record! {
    /// A VRF: a routing domain with a table of its own.
    Vrf as "a vrf" {
        /// Its ports, interfaces of the same node. Example: `[eth0, eth1]`
        "ports" ports: Vec<Loc<InterfaceRef>>,
        /// Its routing table. Example: `100`
        "table" table: Loc<TableId>,
    }
}
