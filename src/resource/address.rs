//! Addresses of interfaces.

use super::{Automatic, Drift, Impact, LinkId, Need, Raw, ResourceId, Setting};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
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
    /// For how many seconds it is valid and preferred, as it was when it was read; `None` for ever. Nothing that is
    /// wanted has an end.
    #[serde(default)]
    pub lifetime: Option<(u32, u32)>,
    /// The flags that a user or a daemon gave it ([`Address::FLAGS`]), such as `noprefixroute`: the language has none
    /// of them.
    #[serde(default)]
    pub flags: u32,
    /// Its further parts by their numbers (`IFA_*` of `include/uapi/linux/if_addr.h`), such as a broadcast address or a
    /// metric: the language has none of them.
    #[serde(default)]
    pub raw: Raw,
    /// Who put it there, where it is not marked (`IFA_PROTO`); 0 if it is not known.
    #[serde(default)]
    pub protocol: u8,
    /// Its place among the addresses of its interface, as the kernel had them: those of others come back in that order.
    /// Not compared.
    #[serde(default)]
    pub nth: u32,
    /// What the kernel made of it and another program took away; never wanted.
    #[serde(default)]
    pub missing: BTreeSet<Automatic>,
    /// Whether it carries protocol 0x74.
    pub marked: bool,
}

/// `IFA_F_*` that are given, with the words of `ip address`.
const FLAGS: [(u32, &str); 4] =
    [(0x10, "home"), (0x100, "mngtmpaddr"), (Address::NO_PREFIX_ROUTE, "noprefixroute"), (0x400, "autojoin")];
/// `IFA_BROADCAST`.
const BROADCAST: u16 = 4;
/// `IFA_RT_PRIORITY`.
const METRIC: u16 = 9;

impl Address {
    /// `IFA_F_NOPREFIXROUTE`: no route to its subnet comes with it.
    pub const NO_PREFIX_ROUTE: u32 = 0x200;
    /// The flags that another program gives, and does not find out (`IFA_F_*`): `home`, `mngtmpaddr`, `noprefixroute`,
    /// `autojoin`.
    pub const FLAGS: u32 = 0x10 | 0x100 | Self::NO_PREFIX_ROUTE | 0x400;

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
            lifetime: None,
            flags: 0,
            raw: Raw::default(),
            protocol: 0,
            nth: 0,
            missing: BTreeSet::new(),
            marked: true,
        }
    }

    /// What the language does not have of it, as `ip address` calls it; nothing for most.
    pub fn more_words(&self) -> String {
        let mut words: Vec<String> =
            FLAGS.iter().filter(|(flag, _)| self.flags & flag != 0).map(|(_, word)| (*word).to_owned()).collect();
        for (number, value) in &self.raw.0 {
            words.push(
                match *number {
                    BROADCAST => self.raw.bytes(BROADCAST).map(|ip: [u8; 4]| format!("broadcast {}", IpAddr::from(ip))),
                    METRIC => self.raw.u32(METRIC).map(|metric| format!("metric {metric}")),
                    _ => None,
                }
                .unwrap_or_else(|| format!("attribute {number} {}", super::raw::hex(value))),
            );
        }
        words.join(" ")
    }

    /// Its identity: an IPv4 address may depend on one link with several prefix lengths or peers, an IPv6 address once
    /// (`inet6_addr_add`).
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
        let Self {
            link: _,
            address,
            peer: _,
            scope,
            label,
            secondary,
            nodad,
            dad_failed: _,
            expires,
            lifetime: _,
            flags,
            raw,
            protocol: _,
            nth: _,
            missing,
            marked,
        } = self;
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
        // Where an IPv4 address stands only its lifetime and the metric of its route change (`inet_rtm_newaddr`), and
        // no route comes with either.
        if (flags, raw) != (&observed.flags, &observed.raw) {
            drift.push(Drift::new("attributes", observed.more_words(), self.more_words(), Impact::Replace));
        }
        // The kernel makes them with an address, and not again.
        drift.extend(
            Automatic::drift(missing, &observed.missing)
                .into_iter()
                .map(|word| Drift::new(word, "missing", "present", Impact::Replace)),
        );
        if !*expires && observed.expires {
            drift.push(Drift::in_place("lifetime", "limited", "forever"));
        }
        if *marked && !observed.marked {
            drift.push(Drift::in_place("mark", "none", "topo"));
        }
        drift
    }
}
