//! Policy rules (`ip rule`).

use super::quote;
use super::{Class, Drift, IfName, Need, Node, ResourceId, TableId};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use std::fmt;

/// An address family.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

impl Family {
    /// The family of an address or prefix.
    pub fn of(net: &IpNet) -> Self {
        if net.addr().is_ipv4() { Self::V4 } else { Self::V6 }
    }

    /// `-4` or `-6`, as `ip` takes it.
    pub fn flag(self) -> &'static str {
        match self {
            Self::V4 => "-4",
            Self::V6 => "-6",
        }
    }
}

/// What a policy rule selects, which also tells it from others: the kernel has no way to change a rule but to make another.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct RuleKey {
    /// The family; a rule of the file for both is two resources.
    pub family: Family,
    /// Its place; lower comes first.
    pub priority: u32,
    /// Source prefix.
    pub from: Option<IpNet>,
    /// Destination prefix.
    pub to: Option<IpNet>,
    /// Incoming interface.
    pub iif: Option<IfName>,
    /// Outgoing interface of a local socket.
    pub oif: Option<IfName>,
    /// Packet mark and mask.
    pub fwmark: Option<(u32, u32)>,
    /// IP protocol number.
    pub protocol: Option<u8>,
    /// Destination ports, from and to.
    pub port: Option<(u16, u16)>,
    /// Source ports, from and to.
    pub source_port: Option<(u16, u16)>,
    /// What is done.
    pub action: RuleAction,
}

/// What a policy rule does.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum RuleAction {
    /// Looks the packet up in a table.
    Table(TableId),
    /// Drops it silently.
    Blackhole,
    /// Drops it, ICMP network unreachable.
    Unreachable,
    /// Drops it, ICMP administratively prohibited.
    Prohibit,
    /// Looks the packet up in the table of the VRF that it belongs to, if any.
    L3mdev,
    /// An action that topo does not make, by the kernel's number (`FR_ACT_*`).
    Other(u8),
}

/// A policy rule.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Rule {
    /// The node.
    pub node: Node,
    /// All of it.
    pub key: RuleKey,
    /// Whether it is one of the kernel's own (rule 0, 32766, 32767), which topo only moves or puts back.
    pub kernel: bool,
    /// Whether it carries protocol 0x74; the kernel's own need not.
    pub marked: bool,
}

impl Rule {
    /// Its identity.
    pub fn id(&self) -> ResourceId {
        ResourceId::Rule(self.node.clone(), Box::new(self.key.clone()))
    }

    /// Whether it is the kernel's rule for `local`, elsewhere than in its place (`local-rule`).
    pub fn is_moved_local(&self) -> bool {
        self.kernel && self.key.priority != 0 && self.key.action == RuleAction::Table(TableId::LOCAL)
    }

    /// All links of its node: `iif` and `oif` need not exist, but a person would expect them to.
    pub fn requires(&self) -> Vec<Need> {
        vec![Need::inside(ResourceId::Namespace(self.node.clone())), Need::class(self.node.clone(), Class::Link)]
    }

    /// The fields in which `self` (wanted) differs from `observed`.
    pub fn drift(&self, observed: &Self) -> Vec<Drift> {
        let Self { node: _, key: _, kernel, marked } = self;
        let mut drift = Vec::new();
        if *marked && !kernel && !observed.marked {
            // A rule cannot be changed: the marked one is made beside it, then the other goes.
            drift.push(Drift::new("mark", "none", "topo", super::Impact::Replace));
        }
        drift
    }
}

impl fmt::Display for RuleKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "priority {}", self.priority)?;
        match &self.from {
            Some(from) => write!(f, " from {from}")?,
            None => write!(f, " from all")?,
        }
        if let Some(to) = &self.to {
            write!(f, " to {to}")?;
        }
        if let Some(iif) = &self.iif {
            write!(f, " iif {}", quote(iif.as_str()))?;
        }
        if let Some(oif) = &self.oif {
            write!(f, " oif {}", quote(oif.as_str()))?;
        }
        match self.fwmark {
            Some((mark, u32::MAX)) => write!(f, " fwmark {mark:#x}")?,
            Some((mark, mask)) => write!(f, " fwmark {mark:#x}/{mask:#x}")?,
            None => {}
        }
        if let Some(protocol) = self.protocol {
            write!(f, " ipproto {protocol}")?;
        }
        for (word, ports) in [("sport", self.source_port), ("dport", self.port)] {
            match ports {
                Some((low, high)) if low == high => write!(f, " {word} {low}")?,
                Some((low, high)) => write!(f, " {word} {low}-{high}")?,
                None => {}
            }
        }
        write!(f, " {}", self.action)
    }
}

impl fmt::Display for RuleAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Table(table) => write!(f, "table {table}"),
            Self::Blackhole => write!(f, "blackhole"),
            Self::Unreachable => write!(f, "unreachable"),
            Self::Prohibit => write!(f, "prohibit"),
            Self::L3mdev => write!(f, "l3mdev"),
            Self::Other(number) => write!(f, "action {number}"),
        }
    }
}

impl Rule {
    /// The rules that the kernel makes in every namespace (`fib_default_rules_init`, `fib6_rules_net_init`): 0, 32766 and, for IPv4, 32767.
    pub fn of_the_kernel(node: &Node) -> Vec<Self> {
        let rules = [(Family::V4, 0, 255), (Family::V4, 32766, 254), (Family::V4, 32767, 253), (Family::V6, 0, 255), (Family::V6, 32766, 254)];
        rules.into_iter().map(|(family, priority, table)| Self::plain(node, family, priority, table)).collect()
    }

    /// The rules that the kernel makes in a namespace with its first VRF, and leaves there (`vrf_add_fib_rules`).
    pub fn of_vrfs(node: &Node) -> Vec<Self> {
        let rule = |family| {
            let mut rule = Self::plain(node, family, 1000, 0);
            rule.key.action = RuleAction::L3mdev;
            rule
        };
        vec![rule(Family::V4), rule(Family::V6)]
    }

    /// A rule of the kernel that sends all of `family` to `table`.
    pub fn plain(node: &Node, family: Family, priority: u32, table: u32) -> Self {
        let action = RuleAction::Table(TableId::Number(table));
        let key = RuleKey { family, priority, from: None, to: None, iif: None, oif: None, fwmark: None, protocol: None, port: None, source_port: None, action };
        Self { node: node.clone(), key, kernel: true, marked: false }
    }
}
