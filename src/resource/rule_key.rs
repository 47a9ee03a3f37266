//! What distinguishes one policy rule from another.

use super::family::Family;
use super::raw::{Raw, rule_part};
use super::{IfName, TableId, quote};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What a policy rule selects, which also distinguishes it from others: the kernel has no way to change a rule but to
/// make another.
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
    /// Whether it is for all packets but those that it selects (`FIB_RULE_INVERT`). The language has no such rules.
    #[serde(default)]
    pub invert: bool,
    /// The type of service that it selects (IPv4 `tos`, IPv6 traffic class); 0 for any.
    #[serde(default)]
    pub tos: u8,
    /// Its further parts by their numbers (`FRA_*` of `include/uapi/linux/fib_rules.h`): the language has none of them.
    #[serde(default)]
    pub raw: Raw,
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

impl fmt::Display for RuleKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "priority {}{}", self.priority, if self.invert { " not" } else { "" })?;
        match &self.from {
            Some(from) => write!(f, " from {from}")?,
            None => write!(f, " from all")?,
        }
        if let Some(to) = &self.to {
            write!(f, " to {to}")?;
        }
        if self.tos != 0 {
            write!(f, " tos {:#x}", self.tos)?;
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
        // The target of `goto` is said with the action.
        for (number, value) in self.raw.0.iter().filter(|(number, _)| self.goto().is_none() || **number != GOTO) {
            write!(f, " {}", rule_part(*number, value))?;
        }
        match self.goto() {
            Some(target) => write!(f, " goto {target}"),
            None => write!(f, " {}", self.action),
        }
    }
}

/// `FRA_GOTO`.
const GOTO: u16 = 4;
/// `FRA_FLOW`.
const REALM: u16 = 11;
/// `FR_ACT_GOTO`.
const ACT_GOTO: u8 = 2;
/// `FR_ACT_NOP`.
const ACT_NOP: u8 = 3;

impl RuleKey {
    /// A rule that selects all packets of `family`.
    pub fn all(family: Family, priority: u32, action: RuleAction) -> Self {
        Self {
            family,
            priority,
            from: None,
            to: None,
            iif: None,
            oif: None,
            fwmark: None,
            protocol: None,
            port: None,
            source_port: None,
            action,
            invert: false,
            tos: 0,
            raw: Raw::default(),
        }
    }

    /// How many parts it selects or does something by. The kernel deletes the first rule that has all parts that are
    /// named (`rule_find`), so of two rules the one with more parts goes first.
    pub fn parts(&self) -> usize {
        let Self {
            family: _,
            priority: _,
            from,
            to,
            iif,
            oif,
            fwmark,
            protocol,
            port,
            source_port,
            action: _,
            invert,
            tos,
            raw,
        } = self;
        let parts = [
            from.is_some(),
            to.is_some(),
            iif.is_some(),
            oif.is_some(),
            fwmark.is_some(),
            protocol.is_some(),
            port.is_some(),
            source_port.is_some(),
        ];
        parts.into_iter().chain([*invert, *tos != 0]).filter(|there| *there).count() + raw.0.len()
    }

    /// Whether the kernel takes this rule for `other`, and refuses it beside that: of prefixes, the type of service and
    /// the realm it compares only what the new rule names, and inversion never (`rule_exists` in
    /// `net/core/fib_rules.c`).
    pub fn is_taken_for(&self, other: &Self) -> bool {
        let named = |key: &Self| {
            let mut key = key.clone();
            key.invert = false;
            key.from = key.from.filter(|_| self.from.is_some());
            key.to = key.to.filter(|_| self.to.is_some());
            key.tos = if self.tos == 0 { 0 } else { key.tos };
            key.raw.0.retain(|number, _| *number != REALM || self.raw.0.contains_key(&REALM));
            key
        };
        named(self) == named(other)
    }

    /// The priority of the rule that it jumps to.
    fn goto(&self) -> Option<u32> {
        self.raw.u32(GOTO).filter(|_| self.action == RuleAction::Other(ACT_GOTO))
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
            Self::Other(ACT_NOP) => write!(f, "nop"),
            Self::Other(number) => write!(f, "action {number}"),
        }
    }
}
