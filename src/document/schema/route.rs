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
        /// The destination: a prefix, an address, or `default`, which has the family of `via`. Example: `default`
        /// Example: `10.2.0.0/16`
        "to" to: Loc<Destination>,
        /// The gateway. An IPv4 route can have an IPv6 gateway. Example: `11.11.11.1`
        "via" via: Option<Loc<IpAddr>>,
        /// The outgoing interface; by default it is derived from `via` and the subnets of the node's interfaces.
        /// Example: `eth0`
        "dev" dev: Option<Loc<IfName>>,
        /// The metric: among routes to the same destination the lowest wins. Default 0 for IPv4 and 1024 for IPv6, as
        /// for `ip`. Example: `100`
        "metric" metric: Option<Loc<Number<0, 4_294_967_295>>>,
        /// The table: a number, `main`, `local`, `default`, or a name from the machine's rt_tables. Default `main`.
        /// Example: `100`
        "table" table: Option<Loc<TableId>>,
        /// The VRF whose table it is in, instead of `table`. Example: `red`
        "vrf" vrf: Option<Loc<IfName>>,
        /// The preferred source address (`src`) of packets that the node itself sends. Example: `11.11.11.2`
        "source" source: Option<Loc<IpAddr>>,
        /// Its scope (IPv4): `global`, `site`, `link`, `host` or a number; by default the kernel's choice. Example:
        /// `link`
        "scope" scope: Option<Loc<Scope>>,
        /// The gateway is assumed to be reachable on the link, even if no subnet covers it. Example: `true`
        "onlink" onlink: Option<Loc<bool>>,
        /// The MTU of the path in bytes. Example: `1400`
        "mtu" mtu: Option<Loc<Number<68, 65520>>>,
        /// Its type; default `unicast`. The others, except `local`, have no next hop. Example: `blackhole`
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
        /// Its weight, as `ip route` prints it; default 1. Example: `2`
        "weight" weight: Option<Loc<Number<1, 256>>>,
        /// The gateway is assumed to be reachable on the link, even if no subnet covers it. Example: `true`
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
        /// Ends the lookup in this table.
        "throw" Throw,
    }
}

record! {
    /// A policy rule (`ip rule`). Without `from` and `to` it applies to both families, unless `family` restricts it.
    RuleEntry as "a policy rule" {
        /// Its priority: lower is evaluated first. Example: `100`
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
        /// The action instead of a table lookup. Example: `blackhole`
        "action" action: Option<Loc<RuleVerdict>>,
        /// The only family it applies to, if neither `from` nor `to` determines it. Example: `ipv4`
        "family" family: Option<Loc<FamilyWord>>,
    }
}

words! {
    /// The action of a policy rule instead of a table lookup.
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
    /// A static neighbour (`ip neighbor`), or with `proxy` a proxy entry.
    NeighborEntry as "a neighbour" {
        /// Its address. Example: `10.0.0.9`
        "address" address: Loc<IpAddr>,
        /// Its MAC address; not for a proxy entry. Example: `"02:00:00:00:00:09"`
        "mac" mac: Option<Loc<Mac>>,
        /// The interface. Example: `eth0`
        "dev" dev: Loc<IfName>,
        /// Proxy entry: this node answers ARP or ND for that address. Example: `true`
        "proxy" proxy: Option<Loc<bool>>,
    }
}
