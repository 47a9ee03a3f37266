//! A resource of any kind.

use super::{
    Address, Class, Drift, Fdb, File, Insert, Link, LinkId, Namespace, Need, Neighbor, Node, Peer, Qdisc, ResourceId,
    Route, Rule, Sysctl, Table,
};
use serde::{Deserialize, Serialize};

/// A resource of any kind.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[expect(missing_docs, reason = "each variant is the type of its name")]
pub enum Resource {
    Namespace(Namespace),
    Sysctl(Sysctl),
    Link(Box<Link>),
    Qdisc(Qdisc),
    Address(Address),
    Neighbor(Neighbor),
    Fdb(Fdb),
    Peer(Box<Peer>),
    Route(Route),
    Rule(Rule),
    Table(Table),
    Insert(Insert),
    File(File),
}

macro_rules! each {
    ($resource:expr, $one:ident => $call:expr) => {
        match $resource {
            Resource::Namespace($one) => $call,
            Resource::Sysctl($one) => $call,
            Resource::Link($one) => $call,
            Resource::Qdisc($one) => $call,
            Resource::Address($one) => $call,
            Resource::Neighbor($one) => $call,
            Resource::Fdb($one) => $call,
            Resource::Peer($one) => $call,
            Resource::Route($one) => $call,
            Resource::Rule($one) => $call,
            Resource::Table($one) => $call,
            Resource::Insert($one) => $call,
            Resource::File($one) => $call,
        }
    };
}

impl Resource {
    /// Its identity.
    pub fn id(&self) -> ResourceId {
        each!(self, one => one.id())
    }

    /// The node that it lives in.
    pub fn node(&self) -> &Node {
        match self {
            Self::Namespace(it) => &it.node,
            Self::Sysctl(it) => &it.node,
            Self::Link(it) => &it.id.node,
            Self::Qdisc(it) => &it.link.node,
            Self::Address(it) => &it.link.node,
            Self::Neighbor(it) => &it.link.node,
            Self::Fdb(it) => &it.link.node,
            Self::Peer(it) => &it.link.node,
            Self::Route(it) => &it.node,
            Self::Rule(it) => &it.node,
            Self::Table(it) => &it.node,
            Self::Insert(it) => &it.node,
            Self::File(it) => &it.node,
        }
    }

    /// The same in a node that is called otherwise.
    #[must_use]
    pub fn at(mut self, node: &Node) -> Self {
        match &mut self {
            Self::Namespace(one) => one.node.clone_from(node),
            Self::Sysctl(one) => one.node.clone_from(node),
            Self::Link(one) => one.id.node.clone_from(node),
            Self::Qdisc(one) => one.link.node.clone_from(node),
            Self::Address(one) => one.link.node.clone_from(node),
            Self::Neighbor(one) => one.link.node.clone_from(node),
            Self::Fdb(one) => one.link.node.clone_from(node),
            Self::Peer(one) => one.link.node.clone_from(node),
            Self::Route(one) => one.node.clone_from(node),
            Self::Rule(one) => one.node.clone_from(node),
            Self::Table(one) => one.node.clone_from(node),
            Self::Insert(one) => one.node.clone_from(node),
            Self::File(one) => one.node.clone_from(node),
        }
        self
    }

    /// What it needs.
    pub fn requires(&self) -> Vec<Need> {
        each!(self, one => one.requires())
    }

    /// The fields in which `self` (wanted) differs from `observed`; empty where the two are not of one kind.
    pub fn drift(&self, observed: &Self) -> Vec<Drift> {
        match (self, observed) {
            (Self::Namespace(new), Self::Namespace(old)) => new.drift(old),
            (Self::Sysctl(new), Self::Sysctl(old)) => new.drift(old),
            (Self::Link(new), Self::Link(old)) => new.drift(old),
            (Self::Qdisc(new), Self::Qdisc(old)) => new.drift(old),
            (Self::Address(new), Self::Address(old)) => new.drift(old),
            (Self::Neighbor(new), Self::Neighbor(old)) => new.drift(old),
            (Self::Fdb(new), Self::Fdb(old)) => new.drift(old),
            (Self::Peer(new), Self::Peer(old)) => new.drift(old),
            (Self::Route(new), Self::Route(old)) => new.drift(old),
            (Self::Rule(new), Self::Rule(old)) => new.drift(old),
            (Self::Table(new), Self::Table(old)) => new.drift(old),
            (Self::Insert(new), Self::Insert(old)) => new.drift(old),
            (Self::File(new), Self::File(old)) => new.drift(old),
            _ => Vec::new(),
        }
    }

    /// Its class.
    pub fn class(&self) -> Class {
        match self {
            Self::Namespace(_) => Class::Namespace,
            Self::Sysctl(sysctl) => sysctl.class(),
            Self::Link(_) => Class::Link,
            Self::Qdisc(_) => Class::Qdisc,
            Self::Address(_) => Class::Address,
            Self::Neighbor(_) | Self::Fdb(_) | Self::Peer(_) => Class::Neighbor,
            Self::Route(_) => Class::Route,
            Self::Rule(_) => Class::Rule,
            Self::Table(_) | Self::Insert(_) => Class::Table,
            Self::File(_) => Class::File,
        }
    }

    /// The link that it is, or those that an address, a neighbour, a route or a setting depends on.
    pub fn links(&self) -> Vec<LinkId> {
        match self {
            Self::Link(link) => vec![link.id.clone()],
            Self::Address(address) => vec![address.link.clone()],
            Self::Neighbor(neighbor) => vec![neighbor.link.clone()],
            Self::Route(route) => {
                let devs = route.nexthops.iter().filter_map(|hop| hop.dev.as_ref());
                devs.map(|dev| LinkId { node: route.node.clone(), name: dev.clone() }).collect()
            }
            Self::Sysctl(sysctl) => sysctl.link().into_iter().collect(),
            _ => Vec::new(),
        }
    }

    /// The link, if it is one.
    pub fn as_link(&self) -> Option<&Link> {
        match self {
            Self::Link(link) => Some(link),
            _ => None,
        }
    }
}
