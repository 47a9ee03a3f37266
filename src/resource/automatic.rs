//! What the kernel makes by itself.

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What the kernel makes by itself of an address, or of an interface that is up, and what another program can take away
/// from it: nothing is reached without.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Automatic {
    /// The route to an address itself, in the table `local` or that of its VRF (`fib_add_ifaddr`, `__ipv6_ifa_notify`).
    LocalRoute,
    /// The connected route, to the subnet of an address.
    SubnetRoute,
    /// The route to the broadcast address of a subnet (IPv4).
    BroadcastRoute,
    /// The IPv6 link-local address of an interface, with its route (`addrconf_addr_gen`).
    LinkLocal,
    /// The IPv6 route for multicast over an interface (`addrconf_add_mroute`).
    MulticastRoute,
    /// `127.0.0.1/8` on `lo`, with its routes (`inetdev_event`).
    Loopback4,
    /// `::1/128` on `lo`, with its route (`init_loopback`).
    Loopback6,
}

impl Automatic {
    /// What a plan calls it.
    pub fn word(self) -> &'static str {
        match self {
            Self::LocalRoute => "local route",
            Self::SubnetRoute => "connected route",
            Self::BroadcastRoute => "broadcast route",
            Self::LinkLocal => "link-local address",
            Self::MulticastRoute => "multicast route",
            Self::Loopback4 => "127.0.0.1",
            Self::Loopback6 => "::1",
        }
    }

    /// What of `observed` is more than `wanted` lacks, in words. (Nothing that is wanted lacks any; what an undo goes
    /// back to may.)
    pub(super) fn drift(wanted: &BTreeSet<Self>, observed: &BTreeSet<Self>) -> Vec<&'static str> {
        observed.difference(wanted).map(|automatic| automatic.word()).collect()
    }
}
