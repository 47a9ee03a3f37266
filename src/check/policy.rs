//! Rules about policy rules (`ip rule`) and the tables that they look up.

use super::Rule;
use super::view::View;
use crate::document::Finding;
use crate::resource::{Route, RuleAction, RuleKey, TableId};
use std::collections::{BTreeMap, BTreeSet};

/// All of them.
pub(super) const RULES: &[Rule] = &[same_selectors, unknown_interface, mixed_families, table_never_used];

/// Two rules at one priority that select the same: the second is never reached.
fn same_selectors(view: &View<'_>, findings: &mut Vec<Finding>) {
    for node in view.nodes.values() {
        let mut rules = node.rules.clone();
        rules.sort_by_cached_key(|rule| view.place(&rule.id()).offset);
        let mut seen: BTreeMap<RuleKey, &crate::resource::Rule> = BTreeMap::new();
        for rule in rules {
            let selectors = RuleKey { action: RuleAction::Blackhole, ..rule.key.clone() };
            let Some(first) = seen.get(&selectors) else {
                seen.insert(selectors, rule);
                continue;
            };
            let message = format!("two rules of \"{}\" have priority {} and select the same packets", rule.node, rule.key.priority);
            let finding = Finding::error("rule-twice", view.place(&rule.id()), message).also(view.place(&first.id()), "this one comes first");
            findings.push(finding.help("the second is never reached: give it another priority, or select something else"));
        }
    }
}

/// A rule for an interface that the node does not have.
fn unknown_interface(view: &View<'_>, findings: &mut Vec<Finding>) {
    for node in view.nodes.values().filter(|node| node.created()) {
        for rule in &node.rules {
            for (key, name) in [("iif", &rule.key.iif), ("oif", &rule.key.oif)] {
                let Some(name) = name.as_ref().filter(|name| !node.has(name)) else { continue };
                let message = format!("the rule with priority {} has `{key}: {name}`, an interface that \"{}\" does not have", rule.key.priority, rule.node);
                findings.push(Finding::error("unknown-dev", view.place(&rule.id()), message).help(node.interfaces_help(name)));
            }
        }
    }
}

/// From one family to the other goes no packet.
fn mixed_families(view: &View<'_>, findings: &mut Vec<Finding>) {
    for rule in view.nodes.values().flat_map(|node| &node.rules) {
        let (Some(from), Some(to)) = (rule.key.from, rule.key.to) else { continue };
        if from.addr().is_ipv4() != to.addr().is_ipv4() {
            let message = format!("the rule with priority {} goes from \"{from}\" to \"{to}\", which are of two families", rule.key.priority);
            findings.push(Finding::error("mixed-families", view.place(&rule.id()), message).help("write a rule for each family"));
        }
    }
}

/// Routes in a table that no rule of the node looks up.
fn table_never_used(view: &View<'_>, findings: &mut Vec<Finding>) {
    for node in view.nodes.values().filter(|node| node.created()) {
        let used: BTreeSet<&TableId> =
            node.rules.iter().filter_map(|rule| if let RuleAction::Table(table) = &rule.key.action { Some(table) } else { None }).collect();
        // A name may stand for a number, which only the machine knows.
        let named = used.iter().any(|table| matches!(table, TableId::Name(_)));
        let mut first: BTreeMap<&TableId, &Route> = BTreeMap::new();
        for route in &node.routes {
            let TableId::Number(number) = route.key.table else { continue };
            if !(253..=255).contains(&number) && !named && !used.contains(&route.key.table) && !node.has_vrf() {
                first.entry(&route.key.table).or_insert(route);
            }
        }
        for (table, route) in first {
            let message = format!("no rule of \"{}\" looks up the table {table}, so its routes are never used", route.node);
            let help = format!("add a rule (`rules: [{{ priority: 100, from: .., table: {table} }}]`), or leave `table` out");
            findings.push(Finding::warning("table-unused", view.place(&route.id()), message).help(help));
        }
    }
}
