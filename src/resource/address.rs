//! Addresses of interfaces.

use super::{Drift, Impact, LinkId, Need, ResourceId, Setting};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// An IPv4 or IPv6 address on an interface.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Address {
    /// The interface.
    pub link: LinkId,
    /// The address with its prefix length, host bits kept. With a `peer`, the length is the peer's.
    pub address: IpNet,
    /// The other end of a point-to-point address (`IFA_ADDRESS` where it differs from `IFA_LOCAL`).
    pub peer: Option<IpAddr>,
    /// Its scope as a number of `rt_scope` (0 global, 200 site, 253 link, 254 host).
    pub scope: Setting<u8>,
    /// Its label (IPv4 only), normally the interface's name.
    pub label: Setting<String>,
    /// Whether it is a secondary address of its subnet (IPv4: `IFA_F_SECONDARY`). The first of a subnet is not.
    pub secondary: bool,
    /// Whether duplicate address detection is off for it (IPv6: `IFA_F_NODAD`); always `Left` for IPv4.
    pub nodad: Setting<bool>,
    /// Whether duplicate address detection found another one (`IFA_F_DADFAILED`): such an address is of no use.
    pub dad_failed: bool,
    /// Whether it has a lifetime, after which it goes by itself; never wanted.
    #[serde(default)]
    pub expires: bool,
    /// Whether it carries protocol 0x74.
    pub marked: bool,
}

impl Address {
    /// The address with everything else at its default.
    pub fn plain(link: LinkId, address: IpNet) -> Self {
        Self {
            link,
            address,
            peer: None,
            scope: Setting::Left,
            label: Setting::Left,
            secondary: false,
            nodad: Setting::Left,
            dad_failed: false,
            expires: false,
            marked: true,
        }
    }

    /// Its identity: an IPv4 address may stand on one link with several prefix lengths or peers, an IPv6 address once (`inet6_addr_add`).
    pub fn id(&self) -> ResourceId {
        ResourceId::Address(self.link.clone(), self.address, self.peer)
    }

    /// The subnet it is in: that of the peer, where it has one.
    pub fn subnet(&self) -> IpNet {
        let prefix = self.address.prefix_len();
        self.peer.and_then(|peer| IpNet::new(peer, prefix).ok()).unwrap_or(self.address).trunc()
    }

    /// Its link.
    pub fn requires(&self) -> Vec<Need> {
        vec![Need::inside(ResourceId::Link(self.link.clone()))]
    }

    /// The fields in which `self` (wanted) differs from `observed`.
    pub fn drift(&self, observed: &Self) -> Vec<Drift> {
        let Self { link: _, address, peer: _, scope, label, secondary, nodad, dad_failed: _, expires, marked } = self;
        let mut drift = Vec::new();
        Drift::setting(&mut drift, "scope", scope, &observed.scope, Impact::Replace);
        Drift::setting(&mut drift, "label", label, &observed.label, Impact::Replace);
        Drift::setting(&mut drift, "nodad", nodad, &observed.nodad, Impact::Replace);
        // The kernel gives `lo` an address of 127.0.0.0/8 itself, which is there first.
        let of_loopback = matches!(address, IpNet::V4(net) if net.addr().is_loopback());
        if address.addr().is_ipv4() && !of_loopback && *secondary != observed.secondary {
            let role = |secondary| if secondary { "secondary" } else { "primary" };
            drift.push(Drift::new("role", role(observed.secondary), role(*secondary), Impact::Replace));
        }
        if observed.dad_failed {
            drift.push(Drift::new("duplicate address detection", "failed", "passed", Impact::Replace));
        }
        if !*expires && observed.expires {
            drift.push(Drift::in_place("lifetime", "limited", "forever"));
        }
        if *marked && !observed.marked {
            drift.push(Drift::in_place("mark", "none", "topo"));
        }
        drift
    }
}
