//! Kinds of links.

use serde::{Deserialize, Serialize};

/// The kind of a link, by the name that `ip link` gives it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Kind {
    /// The loopback interface of a namespace.
    Loopback,
    /// One end of a veth pair.
    Veth,
    /// A bridge.
    Bridge,
    /// A VXLAN tunnel end.
    Vxlan,
    /// A macvlan.
    Macvlan,
    /// A VLAN on another interface.
    Vlan,
    /// A macvlan that a program reads and writes.
    Macvtap,
    /// An ipvlan.
    Ipvlan,
    /// An interface that drops what it gets.
    Dummy,
    /// An interface for shaping what comes in.
    Ifb,
    /// The kernel's monitor of the netlink messages of a namespace.
    Nlmon,
    /// Several interfaces as one.
    Bond,
    /// A routing domain.
    Vrf,
    /// A GRE tunnel of IP packets over IPv4.
    Gre,
    /// A GRE tunnel of Ethernet frames over IPv4.
    Gretap,
    /// A GRE tunnel of IP packets over IPv6.
    Ip6gre,
    /// A GRE tunnel of Ethernet frames over IPv6.
    Ip6gretap,
    /// A tunnel of IPv4 in IPv4.
    Ipip,
    /// A tunnel of IPv6 in IPv4.
    Sit,
    /// A tunnel of IPv4 and IPv6 in IPv6.
    Ip6tnl,
    /// The end of a GENEVE tunnel.
    Geneve,
    /// An interface whose IP packets a program reads and writes.
    Tun,
    /// An interface whose Ethernet frames a program reads and writes.
    Tap,
    /// A WireGuard tunnel.
    Wireguard,
    /// A device without a kind: hardware.
    Physical,
    /// An interface of which nothing said what it is (`existing`).
    Any,
    /// A kind that topo knows by name only: it can be seen and deleted, and not yet made.
    Other(String),
}
