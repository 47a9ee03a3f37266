//! Kinds that stand on another interface, and VRFs.

use crate::document::Loc;
use crate::document::value::InterfaceRef;
use crate::document::yaml::define::record;
use crate::document::yaml::word::{Number, words};
use crate::resource::TableId;

record! {
    /// A VLAN on an interface.
    Vlan as "a vlan" {
        /// The interface it is on; of another node, it is made there and lives here. Example: `eth0`
        "link" link: Loc<InterfaceRef>,
        /// Its id. Example: `100`
        "id" id: Loc<Number<1, 4094>>,
        /// The kind of tag; `802.1q` unless said. Example: `802.1ad`
        "protocol" protocol: Option<Loc<VlanProtocol>>,
        /// Whether the tag is taken off before the packet is seen here; `true` unless said. Example: `false`
        "reorder-header" reorder_header: Option<Loc<bool>>,
        /// Whether the VLAN is registered at the switch by GVRP. A namespace where such a VLAN is in a VRF should not
        /// be deleted by hand: Linux 6.12 stops there. Example: `true`
        "gvrp" gvrp: Option<Loc<bool>>,
        /// Whether the VLAN is registered at the switch by MVRP. A namespace where such a VLAN is in a VRF should not
        /// be deleted by hand: Linux 6.12 stops there. Example: `true`
        "mvrp" mvrp: Option<Loc<bool>>,
        /// Whether it may be up while the interface it is on is down. Example: `true`
        "loose-binding" loose_binding: Option<Loc<bool>>,
        /// Whether it has carrier only while a port of the bridge below has this VLAN and carrier. Example: `true`
        "bridge-binding" bridge_binding: Option<Loc<bool>>,
    }
}

words! {
    /// The kind of a VLAN's tag.
    VlanProtocol as "a kind of tag" {
        /// The usual one.
        "802.1q" Dot1q,
        /// The outer one of two.
        "802.1ad" Dot1ad,
    }
}

record! {
    /// A macvlan or macvtap.
    Macvlan as "a macvlan" {
        /// The interface it is on; of another node, it is made there and lives here. Example: `host/eth0`
        "link" link: Loc<InterfaceRef>,
        /// How those on one interface see each other; `vepa` unless said, as the kernel has it. Example: `bridge`
        "mode" mode: Option<Loc<MacvlanMode>>,
    }
}

words! {
    /// How macvlans on one interface see each other.
    MacvlanMode as "a mode of a macvlan" {
        /// Not at all.
        "private" Private,
        /// By way of the switch outside.
        "vepa" Vepa,
        /// As on a bridge.
        "bridge" Bridge,
        /// There is only one.
        "passthru" Passthru,
        /// Only from the listed addresses.
        "source" Source,
    }
}

record! {
    /// An ipvlan.
    Ipvlan as "an ipvlan" {
        /// The interface it is on; of another node, it is made there and lives here. Example: `host/eth0`
        "link" link: Loc<InterfaceRef>,
        /// Whether it switches or routes; `l3` unless said, as the kernel has it. Example: `l2`
        "mode" mode: Option<Loc<IpvlanMode>>,
        /// How those on one interface see each other; `bridge` unless said. Example: `private`
        "flag" flag: Option<Loc<IpvlanFlag>>,
    }
}

words! {
    /// Whether an ipvlan switches or routes.
    IpvlanMode as "a mode of an ipvlan" {
        /// It switches.
        "l2" L2,
        /// It routes.
        "l3" L3,
        /// It routes and passes the packet filter.
        "l3s" L3s,
    }
}

words! {
    /// How ipvlans on one interface see each other.
    IpvlanFlag as "a flag of an ipvlan" {
        /// As on a bridge.
        "bridge" Bridge,
        /// Not at all.
        "private" Private,
        /// By way of the switch outside.
        "vepa" Vepa,
    }
}

record! {
    /// A routing domain.
    Vrf as "a vrf" {
        /// Its interfaces, of the same node. Example: `[eth0, eth1]`
        "ports" ports: Vec<Loc<InterfaceRef>>,
        /// Its routing table. Example: `100`
        "table" table: Loc<TableId>,
    }
}
