//! IP tunnels.
//!
//! The kernel works out an MTU from the route to the other end at creation, and again at some changes
//! (`ip_tunnel_bind_dev`, `ip6_tnl_link_config`). Topo always writes one: that of the link below, or of an Ethernet,
//! less what is put around a packet. So the same file makes the same tunnel.

use super::spec::{Attribute, Below, Default, Mtu, Spec, Traits, fixed, in_place};
use crate::resource::mtu::IPV6_LEAST_MTU;
use crate::resource::{Impact, Kind};

/// What a key adds to each packet of a GRE tunnel.
pub const KEY: u32 = 4;

const fn tunnel(
    kind: Kind,
    name: &'static str,
    word: &'static str,
    config: &'static str,
    attributes: &'static [Attribute],
    around: u32,
    traits: Traits,
) -> Spec {
    let mtu = Mtu::Below { v4: around, v6: around };
    Spec { kind, name, word, config, attributes, mtu, txqueuelen: 1000, below: Below::Stays(Impact::InPlace), traits }
}

/// Over IPv4: an IP header of 20 bytes.
const OVER_V4: &[Attribute] = &[
    in_place("local", Default::Unset),
    in_place("remote", Default::Unset),
    in_place("ttl", Default::Number(0)),
    in_place("tos", Default::Number(0)),
    in_place("pmtu-discovery", Default::Bool(true)),
];

/// IPv6 over IPv4: it is given a link-local address made of its end (`add_v4_addrs`), which would stay when that
/// changes.
const SIX_OVER_V4: &[Attribute] = &[
    fixed("local", Default::Unset),
    in_place("remote", Default::Unset),
    in_place("ttl", Default::Number(0)),
    in_place("tos", Default::Number(0)),
    in_place("pmtu-discovery", Default::Bool(true)),
];

const GRE_OVER_V4: &[Attribute] = &[
    in_place("local", Default::Unset),
    in_place("remote", Default::Unset),
    in_place("key", Default::Unset),
    in_place("ttl", Default::Number(0)),
    in_place("tos", Default::Number(0)),
    in_place("pmtu-discovery", Default::Bool(true)),
];

/// Over IPv6: a header of 40 bytes, and 8 for the option that limits how often a packet is put into another. Hop limit
/// and that option are as `ip` has them: what the kernel makes of a request that says neither are 0 hops and no tunnel
/// in a tunnel.
const OVER_V6: &[Attribute] = &[
    in_place("local", Default::Unset),
    in_place("remote", Default::Unset),
    in_place("ttl", Default::Number(64)),
    in_place("encapsulation-limit", Default::Number(4)),
];

const GRE_OVER_V6: &[Attribute] = &[
    in_place("local", Default::Unset),
    in_place("remote", Default::Unset),
    in_place("key", Default::Unset),
    in_place("ttl", Default::Number(64)),
    in_place("encapsulation-limit", Default::Number(4)),
];

/// Packets of IP. What a tunnel over IPv4 puts around one has to fit into one of IPv4 (`ip_tunnel_change_mtu`,
/// `geneve_change_mtu`); SIT carries IPv6 alone (`ipip6_tunnel_setup`).
const IP: Traits = Traits { frames: false, mac: None, point_to_point: true, ..Traits::ETHERNET };

const KEYED: &[&str] = &["local", "remote", "key"];
const BY_ENDS: &[&str] = &["local", "remote"];

/// IP packets over IPv4.
pub const GRE: Spec = tunnel(
    Kind::Gre,
    "gre",
    "gre",
    "CONFIG_NET_IPGRE",
    GRE_OVER_V4,
    24,
    Traits { less_around: true, distinct: KEYED, ..IP },
);
/// Ethernet frames over IPv4.
pub const GRETAP: Spec = tunnel(
    Kind::Gretap,
    "gretap",
    "gretap",
    "CONFIG_NET_IPGRE",
    GRE_OVER_V4,
    38,
    Traits { less_around: true, distinct: KEYED, ..Traits::ETHERNET },
);
/// IP packets over IPv6.
pub const IP6GRE: Spec =
    tunnel(Kind::Ip6gre, "ip6gre", "gre", "CONFIG_IPV6_GRE", GRE_OVER_V6, 52, Traits { distinct: KEYED, ..IP });
/// Ethernet frames over IPv6.
pub const IP6GRETAP: Spec = tunnel(
    Kind::Ip6gretap,
    "ip6gretap",
    "gretap",
    "CONFIG_IPV6_GRE",
    GRE_OVER_V6,
    66,
    Traits { distinct: KEYED, ..Traits::ETHERNET },
);
/// IPv4 in IPv4.
pub const IPIP: Spec = tunnel(
    Kind::Ipip,
    "ipip",
    "ipip",
    "CONFIG_NET_IPIP",
    OVER_V4,
    20,
    Traits { less_around: true, distinct: BY_ENDS, ..IP },
);
/// IPv6 in IPv4.
pub const SIT: Spec = tunnel(
    Kind::Sit,
    "sit",
    "sit",
    "CONFIG_IPV6_SIT",
    SIX_OVER_V4,
    20,
    Traits { least_mtu: IPV6_LEAST_MTU, distinct: BY_ENDS, ..IP },
);
/// IPv4 and IPv6 in IPv6.
pub const IP6TNL: Spec =
    tunnel(Kind::Ip6tnl, "ip6tnl", "ip6tnl", "CONFIG_IPV6_TUNNEL", OVER_V6, 48, Traits { distinct: BY_ENDS, ..IP });
