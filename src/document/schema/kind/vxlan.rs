//! VXLAN tunnels.

use crate::document::Loc;
use crate::document::value::{InterfaceRef, Ports};
use crate::document::yaml::define::record;
use crate::document::yaml::word::{Number, words};
use crate::resource::Mac;
use std::net::IpAddr;

record! {
    /// A VXLAN tunnel endpoint (VTEP).
    Vxlan as "a vxlan" {
        /// Its network identifier (VNI). Example: `100`
        "id" id: Loc<Number<0, 16_777_215>>,
        /// The local address (source of the outer packets). Example: `10.0.0.1`
        "local" local: Option<Loc<IpAddr>>,
        /// The remote address, for unknown MAC addresses and broadcast. Example: `10.0.0.2`
        "remote" remote: Option<Loc<IpAddr>>,
        /// The multicast group of all VTEPs, instead of `remote`. Needs `link`. Example: `239.1.1.1`
        "group" group: Option<Loc<IpAddr>>,
        /// The underlay interface. Example: `eth0`
        "link" link: Option<Loc<InterfaceRef>>,
        /// The UDP port; default 4789. Example: `8472`
        "port" port: Option<Loc<Number<1, 65535>>>,
        /// The range of UDP source ports. Example: `40000-40100`
        "source-ports" source_ports: Option<Loc<Ports>>,
        /// The TTL of outer packets; default 0, inherited from the inner packet. Example: `16`
        "ttl" ttl: Option<Loc<Number<0, 255>>>,
        /// The TOS of outer packets; 1 is inherited from the inner packet. Example: `1`
        "tos" tos: Option<Loc<Number<0, 255>>>,
        /// The don't-fragment flag of outer packets; default `unset`. Example: `inherit`
        "df" df: Option<Loc<DontFragment>>,
        /// Whether remote VTEPs are learned from received frames; default `true`. Example: `false`
        "learning" learning: Option<Loc<bool>>,
        /// ARP and ND proxy. Example: `true`
        "proxy" proxy: Option<Loc<bool>>,
        /// L2 miss notifications over netlink. Example: `true`
        "l2miss" l2miss: Option<Loc<bool>>,
        /// L3 miss notifications over netlink. Example: `true`
        "l3miss" l3miss: Option<Loc<bool>>,
        /// The ageing time of learned entries, in whole seconds; a plain number is in seconds, as for `ip`; default
        /// `300s`. Example: `60s` Example: `60`
        "ageing" ageing: Option<Loc<crate::document::value::Seconds>>,
        /// The maximum number of FDB entries; default 0, unlimited. Example: `1000`
        "limit" limit: Option<Loc<Number<0, 4_294_967_295>>>,
        /// Static FDB entries. Example: `[{ dst: 10.0.0.3 }, { mac: "02:00:00:00:00:05", dst: 10.0.0.5 }]`
        "fdb" fdb: Vec<FdbEntry>,
    }
}

record! {
    /// An FDB entry: the remote VTEP for a MAC address.
    FdbEntry as "a forwarding entry" {
        /// The MAC address; default: unknown addresses and broadcast. Example: `"02:00:00:00:00:05"`
        "mac" mac: Option<Loc<Mac>>,
        /// The remote VTEP. Example: `10.0.0.5`
        "dst" dst: Loc<IpAddr>,
    }
}

words! {
    /// The don't-fragment flag of outer packets.
    DontFragment as "`unset`, `set` or `inherit`" {
        /// unset: not set.
        "unset" Unset,
        /// set: always set.
        "set" Set,
        /// inherit: as in the inner packet.
        "inherit" Inherit,
    }
}
