//! Policy rules (`ip rule`).

use super::family::Family;
use super::rule_key::{RuleAction, RuleKey};
use super::{Class, Drift, Need, Node, ResourceId, TableId};
use serde::{Deserialize, Serialize};

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
    /// Who put it there, where it is not marked: a number of `rt_protos`, 0 if it is not known.
    #[serde(default)]
    pub protocol: u8,
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

    /// All links of its node: `iif` and `oif` need not exist, but a user would expect them to.
    pub fn requires(&self) -> Vec<Need> {
        vec![Need::inside(ResourceId::Namespace(self.node.clone())), Need::class(self.node.clone(), Class::Link)]
    }

    /// The fields in which `self` (wanted) differs from `observed`.
    pub fn drift(&self, observed: &Self) -> Vec<Drift> {
        let Self { node: _, key: _, kernel, marked, protocol: _ } = self;
        let mut drift = Vec::new();
        if *marked && !kernel && !observed.marked {
            // A rule cannot be changed: the marked one is made beside it, then the other goes.
            drift.push(Drift::new("mark", "none", "topo", super::Impact::Replace));
        }
        drift
    }
}

impl Rule {
    /// The rules that the kernel makes in every namespace (`fib_default_rules_init`, `fib6_rules_net_init`): 0, 32766
    /// and, for IPv4, 32767.
    pub fn of_the_kernel(node: &Node) -> Vec<Self> {
        let rules = [
            (Family::V4, 0, 255),
            (Family::V4, 32766, 254),
            (Family::V4, 32767, 253),
            (Family::V6, 0, 255),
            (Family::V6, 32766, 254),
        ];
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
        Self {
            node: node.clone(),
            key: RuleKey::all(family, priority, action),
            kernel: true,
            marked: false,
            protocol: 0,
        }
    }
}
