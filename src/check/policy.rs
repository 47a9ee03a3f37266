//! Rules about policy rules (`ip rule`) and the tables that they look up.

use super::rule::{Found, Rule};
use super::view::View;
use crate::document::Finding;
use crate::document::schema::route::{FamilyWord, RuleEntry};
use crate::resource::{Family, IfName, Route, RuleAction, TableId};
use ipnet::IpNet;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// All of them.
pub(super) const RULES: &[Rule] = &[same_selectors, taken_for_another, unknown_interface, table_never_used];

/// What a rule selects: priority, family, prefixes, interfaces, mark, protocol and ports.
type Selectors<'a> =
    (u64, bool, [Option<IpNet>; 2], [Option<&'a IfName>; 2], Option<(u32, u32)>, Option<u8>, [Option<(u16, u16)>; 2]);

/// The families that a rule is for: one of its prefixes says it, or `family`, else both.
fn families(rule: &RuleEntry) -> Vec<Family> {
    let prefix = rule.from.as_ref().or(rule.to.as_ref());
    match (prefix, rule.family.as_ref().map(|family| family.value)) {
        (Some(prefix), _) => vec![Family::of(&prefix.0)],
        (None, Some(FamilyWord::Ipv4)) => vec![Family::V4],
        (None, Some(FamilyWord::Ipv6)) => vec![Family::V6],
        (None, None) => vec![Family::V4, Family::V6],
    }
}

fn selectors(rule: &RuleEntry, family: Family) -> Selectors<'_> {
    let prefixes =
        [&rule.from, &rule.to].map(|prefix| prefix.as_ref().map(|prefix| prefix.0).filter(|net| net.prefix_len() > 0));
    let interfaces = [&rule.iif, &rule.oif].map(|name| name.as_ref().map(|name| &name.value));
    let ports = [&rule.port, &rule.source_port].map(|ports| ports.as_ref().map(|ports| (ports.first, ports.last)));
    let mark = rule.fwmark.as_ref().map(|mark| (mark.value.value, mark.mask));
    (
        rule.priority.0,
        family == Family::V4,
        prefixes,
        interfaces,
        mark,
        rule.protocol.as_ref().map(|protocol| protocol.number),
        ports,
    )
}

/// Two rules at one priority that select the same: the second is never reached, and one like the first is the first.
fn same_selectors(view: &View<'_>, findings: &mut Found) {
    for (name, node) in &view.nodes {
        let mut seen: HashMap<Selectors, &RuleEntry> = HashMap::new();
        for rule in node.section.into_iter().flat_map(|section| &section.rules) {
            for family in families(rule) {
                let first = *seen.entry(selectors(rule, family)).or_insert(rule);
                if std::ptr::eq(first, rule) {
                    continue;
                }
                let message =
                    format!("two rules of \"{name}\" have priority {} and select the same packets", rule.priority.0);
                let finding = Finding::error("rule-twice", rule.priority.place, message)
                    .also(first.priority.place, "this one comes first");
                let target =
                    |rule: &RuleEntry| (rule.table.clone(), rule.action.clone().map(|action| action.value.word()));
                let same = target(first) == target(rule);
                let help = if same {
                    "leave one of the two out"
                } else {
                    "the second is never reached: give it another priority, or select something else"
                };
                findings.push(finding.help(help));
                break;
            }
        }
    }
}

/// A rule beside one of the same priority that does the same and differs by its prefixes alone. Where a rule names no
/// prefix, the kernel compares none (`rule_exists` in `net/core/fib_rules.c`), and so takes the wider one for the
/// other: it refuses it where that is there already.
fn taken_for_another(view: &View<'_>, findings: &mut Found) {
    for (name, node) in &view.nodes {
        let rules = || node.section.into_iter().flat_map(|section| &section.rules);
        let target = |rule: &RuleEntry| (rule.table.clone(), rule.action.as_ref().map(|action| action.value.word()));
        let mut narrow = HashMap::new();
        for rule in rules().filter(|rule| rule.from.is_some() || rule.to.is_some()) {
            for family in families(rule) {
                for wider in wider(selectors(rule, family)) {
                    narrow.entry((wider, target(rule))).or_insert(rule);
                }
            }
        }
        for rule in rules() {
            let keys = families(rule).into_iter().map(|family| (selectors(rule, family), target(rule)));
            let Some(other) = keys.into_iter().find_map(|key| narrow.get(&key).copied()) else { continue };
            let message = format!(
                "\"{name}\" has a rule of priority {} that does the same and has a prefix which this one lacks: the kernel takes one for the other",
                rule.priority.0
            );
            let finding = Finding::error("rule-taken-for-another", rule.priority.place, message);
            findings.push(
                finding.also(other.priority.place, "this one").help(
                    "leave that one out, as this one takes its packets too, or give the two different priorities",
                ),
            );
        }
    }
}

/// What is selected with the same but one prefix or both.
fn wider<'a>(narrow: Selectors<'a>) -> impl Iterator<Item = Selectors<'a>> {
    let [from, to] = narrow.2;
    [[None, to], [from, None], [None, None]].into_iter().filter(move |prefixes| *prefixes != [from, to]).map(
        move |prefixes| {
            let mut wider = narrow;
            wider.2 = prefixes;
            wider
        },
    )
}

/// A rule for an interface that the node does not have.
fn unknown_interface(view: &View<'_>, findings: &mut Found) {
    for (at, node) in view.nodes.iter().filter(|(_, node)| node.created()) {
        for rule in node.section.into_iter().flat_map(|section| &section.rules) {
            for (key, name) in [("iif", &rule.iif), ("oif", &rule.oif)] {
                let Some(name) = name.as_ref().filter(|name| !node.has(name)) else { continue };
                let message = format!("`{key}` names the interface \"{}\", which \"{at}\" does not have", name.value);
                findings
                    .push(Finding::error("unknown-interface", name.place, message).help(node.interfaces_help(name)));
            }
        }
    }
}

/// Routes in a table that no rule of the node looks up.
fn table_never_used(view: &View<'_>, findings: &mut Found) {
    for node in view.nodes.values().filter(|node| node.created() && !node.has_vrf()) {
        let used: BTreeSet<&TableId> = node
            .rules
            .iter()
            .filter_map(|rule| if let RuleAction::Table(table) = &rule.key.action { Some(table) } else { None })
            .collect();
        // A name may stand for a number, which only the machine knows.
        if used.iter().any(|table| matches!(table, TableId::Name(_))) {
            continue;
        }
        let mut first: BTreeMap<&TableId, &Route> = BTreeMap::new();
        for route in &node.routes {
            let TableId::Number(number) = route.key.table else { continue };
            if !(253..=255).contains(&number) && !used.contains(&route.key.table) {
                first.entry(&route.key.table).or_insert(route);
            }
        }
        for (table, route) in first {
            let message =
                format!("no rule of \"{}\" looks up the table {table}, so its routes are never used", route.node);
            let help = format!(
                "add a rule such as `{{ priority: 100, from: 10.0.0.0/24, table: {table} }}`, or leave `table` out"
            );
            findings.push(Finding::warning("table-unused", view.table_place(route), message).help(help));
        }
    }
}
