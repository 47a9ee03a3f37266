//! VXLAN tunnels.

use crate::document::Loc;
use crate::document::value::{InterfaceRef, Ports};
use crate::document::yaml::define::record;
use crate::document::yaml::word::{Number, words};
use crate::resource::Mac;
use std::net::IpAddr;

record! {
    /// The end of a VXLAN tunnel.
    Vxlan as "a vxlan" {
        /// Its network identifier (VNI). Example: `100`
        "id" id: Loc<Number<0, 16_777_215>>,
        /// The address that it sends from. Example: `10.0.0.1`
        "local" local: Option<Loc<IpAddr>>,
        /// The other end, for frames to unknown addresses. Example: `10.0.0.2`
        "remote" remote: Option<Loc<IpAddr>>,
        /// The multicast group of all ends, instead of `remote`. Needs `link`. Example: `239.1.1.1`
        "group" group: Option<Loc<IpAddr>>,
        /// The interface it sends by. Example: `eth0`
        "link" link: Option<Loc<InterfaceRef>>,
        /// The UDP port; 4789 unless said. Example: `8472`
        "port" port: Option<Loc<Number<1, 65535>>>,
        /// The UDP source ports that are chosen from. Example: `40000-40100`
        "source-ports" source_ports: Option<Loc<Ports>>,
        /// The TTL of what it sends; 0, taken over from inside, unless said. Example: `16`
        "ttl" ttl: Option<Loc<Number<0, 255>>>,
        /// The TOS of what it sends; 1 is taken over from inside. Example: `1`
        "tos" tos: Option<Loc<Number<0, 255>>>,
        /// Whether what it sends may be fragmented; `unset` (it may) unless said. Example: `inherit`
        "df" df: Option<Loc<DontFragment>>,
        /// Whether ends are learned from what comes in; `true` unless said. Example: `false`
        "learning" learning: Option<Loc<bool>>,
        /// ARP and neighbour discovery are answered here. Example: `true`
        "proxy" proxy: Option<Loc<bool>>,
        /// Programs are told of frames to unknown addresses. Example: `true`
        "l2miss" l2miss: Option<Loc<bool>>,
        /// Programs are told of unknown neighbours. Example: `true`
        "l3miss" l3miss: Option<Loc<bool>>,
        /// How long a learned entry is kept, in whole seconds; a plain number is of seconds, as `ip` has it; `300s`
        /// unless said. Example: `60s` Example: `60`
        "ageing" ageing: Option<Loc<crate::document::value::Seconds>>,
        /// How many entries are kept; 0, any number, unless said. Example: `1000`
        "limit" limit: Option<Loc<Number<0, 4_294_967_295>>>,
        /// Forwarding entries. Example: `[{ dst: 10.0.0.3 }, { mac: "02:00:00:00:00:05", dst: 10.0.0.5 }]`
        "fdb" fdb: Vec<FdbEntry>,
    }
}

record! {
    /// A forwarding entry: frames to an address go to an end.
    FdbEntry as "a forwarding entry" {
        /// The hardware address; unknown addresses and broadcasts unless said. Example: `"02:00:00:00:00:05"`
        "mac" mac: Option<Loc<Mac>>,
        /// The tunnel's end. Example: `10.0.0.5`
        "dst" dst: Loc<IpAddr>,
    }
}

words! {
    /// Whether what a tunnel sends may be fragmented.
    DontFragment as "`unset`, `set` or `inherit`" {
        /// It may.
        "unset" Unset,
        /// It may not.
        "set" Set,
        /// As the packet inside says.
        "inherit" Inherit,
    }
}
