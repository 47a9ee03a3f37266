//! Rules of NAT and firewall as the language has them, before they are put into nft's or iptables' words.

use super::Family;
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// One rule.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct PacketRule {
    /// The family it is for, derived from its values; `None` for both.
    pub family: Option<Family>,
    /// Incoming interface.
    pub input: Option<IfMatch>,
    /// Outgoing interface.
    pub output: Option<IfMatch>,
    /// Source addresses.
    pub source: Option<AddressMatch>,
    /// Destination addresses.
    pub destination: Option<AddressMatch>,
    /// Whether only packets to an address of the node itself match (nft's `fib daddr type local`), as `local` of a
    /// `dnat` or `redirect` means.
    pub local: bool,
    /// IP protocol, by nft's name (`tcp`, `udp`, `icmp`, `icmpv6`, …) or number.
    pub protocol: Option<String>,
    /// ICMP type, by nft's name or number; with protocol `icmp` or `icmpv6`.
    pub icmp_type: Option<String>,
    /// Destination ports, each from and to.
    pub port: Vec<(u16, u16)>,
    /// Source ports, each from and to.
    pub source_port: Vec<(u16, u16)>,
    /// Connection states (`new`, `established`, `related`, `invalid`, `untracked`).
    pub state: Vec<String>,
    /// Packet mark and mask.
    pub mark: Option<(u32, u32)>,
    /// Rate: packets, and `second`, `minute`, `hour` or `day`.
    pub limit: Option<(u64, String)>,
    /// The mark that the packet gets, and which of its bits (all: `u32::MAX`).
    pub set_mark: Option<(u32, u32)>,
    /// Whether it counts packets and bytes.
    pub counter: bool,
    /// Whether it logs, with this prefix.
    pub log: Option<String>,
    /// What happens to the packet; nothing in a rule that only marks.
    pub verdict: Option<Verdict>,
}

/// Interfaces.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct IfMatch {
    /// All but these.
    pub not: bool,
    /// Names; a trailing `*` stands for any ending.
    pub names: Vec<String>,
}

/// Addresses.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AddressMatch {
    /// All but these.
    pub not: bool,
    /// Prefixes and ranges, all of one family.
    pub items: Vec<AddressRange>,
}

/// A prefix or a range of addresses.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum AddressRange {
    /// A prefix; a single address has the full length.
    Prefix(IpNet),
    /// From one address to another of the same family, both included.
    Range(IpAddr, IpAddr),
}

/// What happens to a packet.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Verdict {
    /// Goes on.
    Accept,
    /// Is dropped.
    Drop,
    /// Is refused, with this answer: `tcp-reset`, `port-unreachable`, `host-unreachable`, `net-unreachable`,
    /// `admin-prohibited`; `None` for nft's `reject` with icmpx port-unreachable.
    Reject(Option<String>),
    /// Leaves with the address of the interface it leaves by.
    Masquerade,
    /// Leaves with this source.
    Snat(Target),
    /// Goes to this destination.
    Dnat(Target),
    /// Goes to this port of this node; `None` keeps the port.
    Redirect(Option<(u16, u16)>),
}

/// Where NAT sends a packet.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Target {
    /// The address, or the first of a range.
    pub address: IpAddr,
    /// The last address of a range.
    pub last: Option<IpAddr>,
    /// The port, from and to.
    pub port: Option<(u16, u16)>,
}
