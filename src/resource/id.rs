//! Identities, needs and differences.

use super::rule_key::RuleKey;
use super::{Key, LinkId, TableId};
use super::{Mac, Node};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::IpAddr;

/// What distinguishes one resource from all others.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum ResourceId {
    /// A namespace.
    Namespace(Node),
    /// A kernel setting, by its path with `/`.
    Sysctl(Node, String),
    /// A link.
    Link(LinkId),
    /// The root qdisc of a link.
    Qdisc(LinkId),
    /// An address, and its peer where it has one.
    Address(LinkId, IpNet, Option<IpAddr>),
    /// A static neighbour; `true` for a proxy entry.
    Neighbor(LinkId, IpAddr, bool),
    /// A static forwarding entry.
    Fdb(LinkId, Mac, FdbTarget),
    /// A peer of a WireGuard interface.
    Peer(LinkId, PeerKey),
    /// A route.
    Route(Node, RouteKey),
    /// A policy rule.
    Rule(Node, Box<RuleKey>),
    /// The nft table of a node.
    Table(Node),
    /// Rules in a foreign chain.
    Insert(Node, ChainRef),
    /// A file under `/etc/netns`.
    File(Node, FileName),
}

/// The classes of resources, in the order in which a node gets them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Class {
    /// The namespace.
    Namespace,
    /// Settings that belong to no interface.
    Sysctl,
    /// Links.
    Link,
    /// Settings of an interface.
    LinkSysctl,
    /// Root qdiscs.
    Qdisc,
    /// Addresses.
    Address,
    /// Neighbours, forwarding entries, and peers of WireGuard interfaces.
    Neighbor,
    /// Routes.
    Route,
    /// Policy rules.
    Rule,
    /// The nft table, and rules in foreign chains.
    Table,
    /// Files.
    File,
}

impl ResourceId {
    /// The node that it lives in.
    pub fn node(&self) -> &Node {
        match self {
            Self::Namespace(node)
            | Self::Sysctl(node, _)
            | Self::Route(node, _)
            | Self::Rule(node, _)
            | Self::Table(node)
            | Self::Insert(node, _)
            | Self::File(node, _) => node,
            Self::Link(link)
            | Self::Qdisc(link)
            | Self::Address(link, ..)
            | Self::Neighbor(link, ..)
            | Self::Fdb(link, ..)
            | Self::Peer(link, _) => &link.node,
        }
    }

    /// The interface that it is or is on.
    pub fn link(&self) -> Option<&LinkId> {
        match self {
            Self::Link(link)
            | Self::Qdisc(link)
            | Self::Address(link, ..)
            | Self::Neighbor(link, ..)
            | Self::Fdb(link, ..)
            | Self::Peer(link, _) => Some(link),
            _ => None,
        }
    }

    /// The same in a node that is called otherwise.
    #[must_use]
    pub fn at(mut self, place: &Node) -> Self {
        match &mut self {
            Self::Namespace(node)
            | Self::Sysctl(node, _)
            | Self::Route(node, _)
            | Self::Rule(node, _)
            | Self::Table(node)
            | Self::Insert(node, _)
            | Self::File(node, _) => node.clone_from(place),
            Self::Link(link)
            | Self::Qdisc(link)
            | Self::Address(link, ..)
            | Self::Neighbor(link, ..)
            | Self::Fdb(link, ..)
            | Self::Peer(link, _) => {
                link.node.clone_from(place);
            }
        }
        self
    }

    /// The word for its kind, as plans and JSON have it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Namespace(_) => "namespace",
            Self::Sysctl(..) => "sysctl",
            Self::Link(_) => "link",
            Self::Qdisc(_) => "qdisc",
            Self::Address(..) => "address",
            Self::Neighbor(..) => "neighbor",
            Self::Fdb(..) => "fdb",
            Self::Peer(..) => "peer",
            Self::Route(..) => "route",
            Self::Rule(..) => "rule",
            Self::Table(_) => "nft table",
            Self::Insert(..) => "nft insert",
            Self::File(..) => "file",
        }
    }
}

impl fmt::Display for ResourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Namespace(node) | Self::Table(node) => write!(f, "{node}"),
            Self::Sysctl(node, key) => write!(f, "{node} {key}"),
            Self::Link(link) | Self::Qdisc(link) => write!(f, "{link}"),
            Self::Address(link, address, None) => write!(f, "{link} {address}"),
            Self::Address(link, address, Some(peer)) => {
                write!(f, "{link} {} peer {peer}/{}", address.addr(), address.prefix_len())
            }
            Self::Neighbor(link, address, false) => write!(f, "{link} {address}"),
            Self::Neighbor(link, address, true) => write!(f, "{link} proxy {address}"),
            Self::Fdb(link, mac, to) => write!(f, "{link} {mac} {to}"),
            Self::Peer(link, key) => write!(f, "{link} {key}"),
            Self::Route(node, key) => {
                let default = key.to.prefix_len() == 0;
                let to = if default { "default".to_owned() } else { key.to.to_string() };
                let family = if default && key.to.addr().is_ipv6() { "-6 " } else { "" };
                write!(f, "{node} {family}{to}")?;
                if key.tos != 0 {
                    write!(f, " tos {:#04x}", key.tos)?;
                }
                if let Some(from) = key.from {
                    write!(f, " from {from}")?;
                }
                if key.table != super::TableId::MAIN {
                    write!(f, " table {}", key.table)?;
                }
                let usual = if key.to.addr().is_ipv6() { 1024 } else { 0 };
                if key.metric != usual {
                    write!(f, " metric {}", key.metric)?;
                }
                if key.nth > 0 {
                    write!(f, " (another, {})", key.nth)?;
                }
                Ok(())
            }
            Self::Rule(node, key) if key.family == super::Family::V6 => write!(f, "{node} -6 {key}"),
            Self::Rule(node, key) => write!(f, "{node} {key}"),
            Self::Insert(node, chain) => write!(f, "{node} {chain}"),
            Self::File(node, name) => write!(f, "{node} {name}"),
        }
    }
}

/// Which file of a namespace.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum FileName {
    /// `hosts`
    Hosts,
    /// `resolv.conf`
    ResolvConf,
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hosts => "hosts",
            Self::ResolvConf => "resolv.conf",
        })
    }
}

/// Where frames to a hardware address go.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum FdbTarget {
    /// To this end of a vxlan's tunnel.
    End(IpAddr),
    /// Out of this port of a bridge, in one VLAN. 0 is in no VLAN: also in all that the port had when the kernel was
    /// reported, which are not listed beside it.
    Port(u16),
}

impl fmt::Display for FdbTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::End(dst) => write!(f, "dst {dst}"),
            Self::Port(0) => f.write_str("static"),
            Self::Port(vlan) => write!(f, "vlan {vlan}"),
        }
    }
}

/// By what a peer is known.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum PeerKey {
    /// By its public key.
    Public(Key),
    /// By its interface, whose key is in a file that was not read yet (`Kernel::resolve` does).
    Of(LinkId),
}

impl PeerKey {
    /// The least of all in their order.
    pub(crate) const LEAST: Self = Self::Public(Key([0; 32]));
}

impl fmt::Display for PeerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Public(key) => write!(f, "{key}"),
            Self::Of(link) => write!(f, "{link}"),
        }
    }
}

/// What distinguishes one route of a node from another.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct RouteKey {
    /// The table.
    pub table: TableId,
    /// The destination, host bits zero.
    pub to: IpNet,
    /// The type of service that it is for (IPv4); 0 for any. The language has no such routes.
    #[serde(default)]
    pub tos: u8,
    /// The source prefix that it is for (IPv6), where it is for one. The language has no such routes.
    #[serde(default)]
    pub from: Option<IpNet>,
    /// The metric (`RTA_PRIORITY`): 0 for IPv4 and 1024 for IPv6 where the file says none.
    pub metric: u32,
    /// 0; further routes with the same key that another program appended are numbered from 1, so that they can be known
    /// apart and removed.
    pub nth: u16,
}

impl RouteKey {
    /// A route to `to` for all traffic, the first of its key.
    pub fn new(table: TableId, to: IpNet, metric: u32) -> Self {
        Self { table, to, tos: 0, from: None, metric, nth: 0 }
    }
}

/// A chain that belongs to another program or user: `FAMILY TABLE CHAIN`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct ChainRef {
    /// nft's family: `ip`, `ip6`, `inet`, `bridge`, `arp`, `netdev`.
    pub family: String,
    /// The table.
    pub table: String,
    /// The chain.
    pub chain: String,
}

impl fmt::Display for ChainRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.family, self.table, self.chain)
    }
}
