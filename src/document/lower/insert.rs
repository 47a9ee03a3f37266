//! Rules that go into chains of other programs: `firewall.insert`.

use super::context::Lowering;
use super::node::At;
use super::table::typed;
use crate::dialect::nft_script::{iptables_args, is_iptables};
use crate::document::schema::firewall::{Firewall, InsertRule};
use crate::document::{Finding, Place};
use crate::resource::{
    AddressMatch, ChainRef, Family, IfMatch, Insert, Owner, PacketRule, Resource, ResourceId, TableRule,
};
use indexmap::IndexMap;

/// The most rules that all items of `insert` may become.
const MOST_RULES: usize = 4096;

impl<'d> Lowering<'d> {
    /// Rules in foreign chains: those of one chain together, in the file's order.
    pub(super) fn inserts(&mut self, at: &At<'d>, firewall: &Firewall) {
        let mut chains: IndexMap<&ChainRef, (Vec<TableRule>, bool, Place, usize)> = IndexMap::new();
        for (nth, item) in firewall.insert.iter().enumerate() {
            let rules = self.insert_rules(item);
            let id = ResourceId::Insert(at.node.clone(), item.chain.0.clone());
            self.raw_rule(&id, item.verdict.as_ref(), &format!("{}.firewall.insert[{nth}]", at.path));
            let if_present = item.if_present.as_ref().is_some_and(|on| on.value);
            let chain = chains.entry(&item.chain.0).or_insert_with(|| (Vec::new(), true, item.chain.place, nth));
            chain.0.extend(rules);
            chain.1 &= if_present;
        }
        for (chain, (rules, if_present, place, nth)) in chains {
            let topology = self.document.name.value.clone();
            let insert = Insert {
                node: at.node.clone(),
                topology,
                chain: chain.clone(),
                if_present,
                present: true,
                rules,
                first: true,
            };
            self.put(Resource::Insert(insert), Owner::Ours, place, format!("{}.firewall.insert[{nth}]", at.path));
        }
    }

    fn insert_rules(&mut self, item: &InsertRule) -> Vec<TableRule> {
        let chain = &item.chain.0;
        let own = match chain.family.as_str() {
            "ip" => Some(Family::V4),
            "ip6" => Some(Family::V6),
            _ => None,
        };
        let rules =
            self.firewall_rule(&item.matches, (&item.set_mark, &item.counter), item.verdict.as_ref(), item.place);
        let Some(own) = own else { return rules };
        let found = rules.len();
        let mut fitting = Vec::new();
        for rule in rules {
            match rule {
                TableRule::Typed(rule) if rule.family.is_none_or(|family| family == own) => {
                    let rule = PacketRule { family: Some(own), ..*rule };
                    if is_iptables(chain) {
                        fitting.extend(self.iptables(item, rule, own));
                    } else {
                        fitting.push(TableRule::Typed(Box::new(rule)));
                    }
                }
                TableRule::Typed(_) => {}
                _ if is_iptables(chain) => {
                    let place = item.verdict.as_ref().map_or(item.place, |verdict| verdict.place);
                    let message =
                        format!("the chain {chain} is iptables', where a rule in nft's words does not survive");
                    self.note(
                        Finding::error("no-iptables-word", place, message)
                            .help("write it in the words of the language"),
                    );
                }
                raw => fitting.push(raw),
            }
        }
        if fitting.is_empty() && found > 0 && self.gathered.findings.is_empty() {
            let other = if own == Family::V4 { "IPv6" } else { "IPv4" };
            self.note(Finding::error(
                "wrong-family",
                item.place,
                format!("the rule is for {other} only, the chain {chain} is not"),
            ));
        }
        fitting
    }

    /// A rule for a chain of iptables' tables: one without lists, or several.
    fn iptables(&mut self, item: &InsertRule, rule: PacketRule, family: Family) -> Vec<TableRule> {
        let names = |list: &Option<IfMatch>| list.as_ref().map_or(1, |list| list.names.len());
        let addresses = |list: &Option<AddressMatch>| list.as_ref().map_or(1, |list| list.items.len());
        let counts = [
            names(&rule.input),
            names(&rule.output),
            addresses(&rule.source),
            addresses(&rule.destination),
            rule.port.len().max(1),
            rule.source_port.len().max(1),
        ];
        let total = counts.iter().fold(1_usize, |total, count| total.saturating_mul(*count));
        self.inserted = self.inserted.saturating_add(total);
        if self.inserted > MOST_RULES {
            let finding = Finding::error(
                "too-many-rules",
                item.place,
                format!("with the lists of this rule there are more than {MOST_RULES} rules to insert"),
            );
            self.note(finding.help("write prefixes or ranges instead of lists"));
            return Vec::new();
        }
        if let Err(reason) = iptables_args(&rule, family, &self.document.name) {
            self.note(Finding::error(
                "no-iptables-word",
                item.place,
                format!("the chain {} is iptables': {reason}", item.chain.0),
            ));
            return Vec::new();
        }
        typed(split(rule)).collect()
    }
}

/// Every combination of the items of the lists of a rule. What is excluded is one list, and stays so.
fn split(rule: PacketRule) -> Vec<PacketRule> {
    let mut rules = vec![rule];
    let each = |rules: Vec<PacketRule>, parts: &dyn Fn(&PacketRule) -> Vec<PacketRule>| {
        rules.iter().flat_map(parts).collect::<Vec<_>>()
    };
    let interface = |name: &String, list: &IfMatch| Some(IfMatch { not: list.not, names: vec![name.clone()] });
    rules = each(rules, &|rule| match &rule.input {
        Some(list) => {
            list.names.iter().map(|name| PacketRule { input: interface(name, list), ..rule.clone() }).collect()
        }
        None => vec![rule.clone()],
    });
    rules = each(rules, &|rule| match &rule.output {
        Some(list) => {
            list.names.iter().map(|name| PacketRule { output: interface(name, list), ..rule.clone() }).collect()
        }
        None => vec![rule.clone()],
    });
    let item = |list: &AddressMatch, nth: usize| {
        Some(AddressMatch { not: list.not, items: list.items.get(nth).copied().into_iter().collect() })
    };
    rules = each(rules, &|rule| match &rule.source {
        Some(list) => (0..list.items.len()).map(|nth| PacketRule { source: item(list, nth), ..rule.clone() }).collect(),
        None => vec![rule.clone()],
    });
    rules = each(rules, &|rule| match &rule.destination {
        Some(list) => {
            (0..list.items.len()).map(|nth| PacketRule { destination: item(list, nth), ..rule.clone() }).collect()
        }
        None => vec![rule.clone()],
    });
    rules = each(rules, &|rule| match rule.port.as_slice() {
        [] => vec![rule.clone()],
        ports => ports.iter().map(|port| PacketRule { port: vec![*port], ..rule.clone() }).collect(),
    });
    each(rules, &|rule| match rule.source_port.as_slice() {
        [] => vec![rule.clone()],
        ports => ports.iter().map(|port| PacketRule { source_port: vec![*port], ..rule.clone() }).collect(),
    })
}
