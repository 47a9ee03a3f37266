//! Identities, needs and differences.

use super::{ChainRef, FdbTarget, FileName, LinkId, Mac, Node, PeerKey, RouteKey, RuleKey};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::IpAddr;

/// What tells one resource from all others.
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
    /// Rules in a chain of somebody else.
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
    /// The nft table, and rules in other people's chains.
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
            Self::Link(link) | Self::Qdisc(link) | Self::Address(link, ..) | Self::Neighbor(link, ..) | Self::Fdb(link, ..) | Self::Peer(link, _) => &link.node,
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
            Self::Link(link) | Self::Qdisc(link) | Self::Address(link, ..) | Self::Neighbor(link, ..) | Self::Fdb(link, ..) | Self::Peer(link, _) => {
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
            Self::Address(link, address, Some(peer)) => write!(f, "{link} {} peer {peer}/{}", address.addr(), address.prefix_len()),
            Self::Neighbor(link, address, false) => write!(f, "{link} {address}"),
            Self::Neighbor(link, address, true) => write!(f, "{link} proxy {address}"),
            Self::Fdb(link, mac, to) => write!(f, "{link} {mac} {to}"),
            Self::Peer(link, key) => write!(f, "{link} {key}"),
            Self::Route(node, key) => {
                let default = key.to.prefix_len() == 0;
                let to = if default { "default".to_owned() } else { key.to.to_string() };
                let family = if default && key.to.addr().is_ipv6() { "-6 " } else { "" };
                write!(f, "{node} {family}{to}")?;
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

/// Something that a resource needs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Need {
    /// What.
    pub what: Needed,
    /// Whether it dies with it; otherwise what is needed only has to be there first.
    pub inside: bool,
}

/// What is needed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Needed {
    /// One resource.
    One(ResourceId),
    /// All resources of that class in that node.
    All(Node, Class),
}

impl Need {
    /// It lives in `id` and dies with it.
    pub fn inside(id: ResourceId) -> Self {
        Self { what: Needed::One(id), inside: true }
    }

    /// `id` must be there first.
    pub fn uses(id: ResourceId) -> Self {
        Self { what: Needed::One(id), inside: false }
    }

    /// All of `class` in `node` must be there first.
    pub fn class(node: Node, class: Class) -> Self {
        Self { what: Needed::All(node, class), inside: false }
    }
}

/// What changing a field takes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub enum Impact {
    /// Changed where it stands, nothing else notices.
    InPlace,
    /// The link goes down or comes up: routes over it, and IPv6 addresses, are lost on the way.
    Flap,
    /// The object is removed and made anew.
    Replace,
}

/// A field that differs.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Drift {
    /// The field, by its name in the language where it has one.
    pub field: String,
    /// What is there; empty for nothing.
    pub old: String,
    /// What is wanted; empty for nothing.
    pub new: String,
    /// What the change takes.
    pub impact: Impact,
}

impl Drift {
    /// A difference in `field`.
    pub fn new(field: &str, old: impl Into<String>, new: impl Into<String>, impact: Impact) -> Self {
        Self { field: field.to_owned(), old: old.into(), new: new.into(), impact }
    }

    /// A difference that is mended in place.
    pub fn in_place(field: &str, old: impl Into<String>, new: impl Into<String>) -> Self {
        Self::new(field, old, new, Impact::InPlace)
    }

    /// A difference between values that may be missing.
    pub fn optional<T: fmt::Display>(field: &str, old: Option<&T>, new: Option<&T>, impact: Impact) -> Self {
        let shown = |value: Option<&T>| value.map_or("none".to_owned(), T::to_string);
        Self::new(field, shown(old), shown(new), impact)
    }

    /// Adds the difference between two settings to `list`, if the wanted one is managed, the observed one known, and they differ.
    pub fn setting<T: PartialEq + fmt::Display>(list: &mut Vec<Self>, field: &str, wanted: &super::Setting<T>, observed: &super::Setting<T>, impact: Impact) {
        if let (Some(new), Some(old)) = (wanted.get(), observed.get())
            && new != old
        {
            list.push(Self::new(field, old.to_string(), new.to_string(), impact));
        }
    }
}
