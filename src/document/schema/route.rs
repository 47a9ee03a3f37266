//! Routes, policy rules and neighbours.

use crate::document::Loc;
use crate::document::value::{Destination, Mark, Ports, Prefix, Protocol, Scope};
use crate::document::yaml::define::record;
use crate::document::yaml::word::{Number, words};
use crate::resource::{IfName, Mac, TableId};
use std::net::IpAddr;

record! {
    /// A route (`ip route`).
    RouteEntry as "a route" {
        /// Where it goes: a prefix, an address, or `default`, which has the family of `via`. Example: `default`
        /// Example: `10.2.0.0/16`
        "to" to: Loc<Destination>,
        /// The gateway. One of the other family works where the kernel can (an IPv4 route via an IPv6 address).
        /// Example: `11.11.11.1`
        "via" via: Option<Loc<IpAddr>>,
        /// The interface it leaves by; found from `via` and the subnets of the node's interfaces where it is not
        /// written. Example: `eth0`
        "dev" dev: Option<Loc<IfName>>,
        /// Its preference among routes of the same destination: lower wins. 0 for IPv4 and 1024 for IPv6 unless said,
        /// as `ip` has it. Example: `100`
        "metric" metric: Option<Loc<Number<0, 4_294_967_295>>>,
        /// The table: a number, `main`, `local`, `default`, or a name of the machine's rt_tables. `main` unless said.
        /// Example: `100`
        "table" table: Option<Loc<TableId>>,
        /// The VRF whose table is meant, instead of `table`. Example: `red`
        "vrf" vrf: Option<Loc<IfName>>,
        /// The source address that local programs get. Example: `11.11.11.2`
        "source" source: Option<Loc<IpAddr>>,
        /// Its scope (IPv4): `global`, `site`, `link`, `host` or a number; the kernel's usual one unless said. Example:
        /// `link`
        "scope" scope: Option<Loc<Scope>>,
        /// The gateway is taken to be on the link although no subnet says so. Example: `true`
        "onlink" onlink: Option<Loc<bool>>,
        /// The MTU of the path in bytes. Example: `1400`
        "mtu" mtu: Option<Loc<Number<68, 65520>>>,
        /// What kind of route it is; `unicast` unless said. The others but `local` have no next hop. Example:
        /// `blackhole`
        "type" kind: Option<Loc<RouteType>>,
        /// Several next hops, instead of `via`. Example: `[{ via: 10.0.1.1 }, { via: 10.0.2.1, weight: 2 }]`
        "nexthops" nexthops: Vec<HopEntry>,
    }
}

record! {
    /// One of several next hops.
    HopEntry as "a next hop" {
        /// The gateway; each of several hops of IPv6 needs one. Example: `10.0.1.1`
        "via" via: Option<Loc<IpAddr>>,
        /// The interface. Example: `eth1`
        "dev" dev: Option<Loc<IfName>>,
        /// Its share, as `ip route` prints it; 1 unless said. Example: `2`
        "weight" weight: Option<Loc<Number<1, 256>>>,
        /// The gateway is taken to be on the link although no subnet says so. Example: `true`
        "onlink" onlink: Option<Loc<bool>>,
    }
}

words! {
    /// The type of a route.
    RouteType as "a type of route" {
        /// To a next hop.
        "unicast" Unicast,
        /// Delivered on this node.
        "local" Local,
        /// Dropped silently.
        "blackhole" Blackhole,
        /// Dropped with ICMP host unreachable.
        "unreachable" Unreachable,
        /// Dropped with ICMP prohibited.
        "prohibit" Prohibit,
        /// Ends the look-up in this table.
        "throw" Throw,
    }
}

record! {
    /// A policy rule (`ip rule`). Without `from` and `to` it is for both families, unless `family` says which.
    RuleEntry as "a policy rule" {
        /// Its place: lower comes first. Example: `100`
        "priority" priority: Loc<Number<1, 4_294_967_295>>,
        /// Source prefix. Example: `10.0.0.0/24`
        "from" from: Option<Loc<Prefix>>,
        /// Destination prefix. Example: `10.9.0.0/16`
        "to" to: Option<Loc<Prefix>>,
        /// Incoming interface. Example: `eth0`
        "iif" iif: Option<Loc<IfName>>,
        /// Outgoing interface, for sockets that are bound to it. Example: `eth1`
        "oif" oif: Option<Loc<IfName>>,
        /// Packet mark, and mask. Example: `0x20` Example: `0x20/0xff`
        "fwmark" fwmark: Option<Loc<Mark>>,
        /// IP protocol, by name or number. Example: `tcp`
        "protocol" protocol: Option<Loc<Protocol>>,
        /// Destination port, or a range. Example: `80`
        "port" port: Option<Loc<Ports>>,
        /// Source port, or a range. Example: `1024-2048`
        "source-port" source_port: Option<Loc<Ports>>,
        /// The table that is looked up. Example: `100`
        "table" table: Option<Loc<TableId>>,
        /// What is done instead of a look-up. Example: `blackhole`
        "action" action: Option<Loc<RuleVerdict>>,
        /// The only family it is for, where neither `from` nor `to` says it. Example: `ipv4`
        "family" family: Option<Loc<FamilyWord>>,
    }
}

words! {
    /// What a policy rule does instead of a look-up.
    RuleVerdict as "an action" {
        /// Drops silently.
        "blackhole" Blackhole,
        /// Drops with ICMP unreachable.
        "unreachable" Unreachable,
        /// Drops with ICMP prohibited.
        "prohibit" Prohibit,
    }
}

words! {
    /// An address family.
    FamilyWord as "an address family" {
        /// IPv4.
        "ipv4" Ipv4,
        /// IPv6.
        "ipv6" Ipv6,
    }
}

record! {
    /// A static neighbour (`ip neighbor`), or with `proxy` one that this node answers for.
    NeighborEntry as "a neighbour" {
        /// Its address. Example: `10.0.0.9`
        "address" address: Loc<IpAddr>,
        /// Its hardware address; not for a proxy entry. Example: `"02:00:00:00:00:09"`
        "mac" mac: Option<Loc<Mac>>,
        /// The interface. Example: `eth0`
        "dev" dev: Loc<IfName>,
        /// This node answers for that address. Example: `true`
        "proxy" proxy: Option<Loc<bool>>,
    }
}
