//! Policy rules.

use super::context::Lowering;
use super::node::At;
use crate::document::Finding;
use crate::document::schema::route::{FamilyWord, RuleEntry, RuleVerdict};
use crate::resource::{Family, Owner, Resource, Rule, RuleAction, RuleKey};

impl<'d> Lowering<'d> {
    /// The policy rules of a node.
    pub fn rules(&mut self, at: &At<'d>) {
        if let Some(priority) = &at.section.local_rule {
            for family in [Family::V4, Family::V6] {
                let rule = Rule { marked: true, ..Rule::plain(&at.node, family, priority.u32(), 255) };
                self.put(Resource::Rule(rule), Owner::Ours, priority.place, format!("{}.local-rule", at.path));
            }
        }
        for (nth, entry) in at.section.rules.iter().enumerate() {
            let Some(families) = self.rule_families(entry) else { continue };
            let Some(action) = self.rule_action(entry) else { continue };
            self.rule_limits(entry);
            for family in families {
                let key = key(entry, *family, action.clone());
                let rule = Rule { node: at.node.clone(), key, kernel: false, marked: true, protocol: 0 };
                self.put(Resource::Rule(rule), Owner::Ours, entry.place, format!("{}.rules[{nth}]", at.path));
            }
        }
    }

    /// The families that a rule is for.
    fn rule_families(&mut self, entry: &RuleEntry) -> Option<&'static [Family]> {
        let said = [
            entry.from.as_ref().map(|from| (Family::of(&from.0), from.place)),
            entry.to.as_ref().map(|to| (Family::of(&to.0), to.place)),
            entry
                .family
                .as_ref()
                .map(|family| (if family.value == FamilyWord::Ipv4 { Family::V4 } else { Family::V6 }, family.place)),
        ];
        let mut said = said.into_iter().flatten();
        let Some((family, first)) = said.next() else { return Some(&[Family::V4, Family::V6]) };
        if let Some((_, place)) = said.find(|(other, _)| *other != family) {
            self.note(
                Finding::error("mixed-families", place, "the rule mixes IPv4 and IPv6").also(first, "the other family"),
            );
            return None;
        }
        Some(if family == Family::V4 { &[Family::V4] } else { &[Family::V6] })
    }

    /// What the kernel refuses (`fib_rule_port_range_valid` of `net/core/fib_rules.c`), or takes for no condition at
    /// all.
    fn rule_limits(&mut self, entry: &RuleEntry) {
        for (key, ports) in [("port", &entry.port), ("source-port", &entry.source_port)] {
            let Some(ports) = ports.as_ref().filter(|ports| ports.last == u16::MAX) else { continue };
            let finding = Finding::error(
                "out-of-range",
                ports.place,
                format!("`{key}` of a policy rule ends at 65534, and 65535 is beyond that"),
            );
            let help = if ports.first == ports.last {
                "a firewall rule can go by that port, and `set-mark` what this rule then has as its `fwmark`".to_owned()
            } else {
                format!("write {}-65534", ports.first)
            };
            self.note(finding.help(help));
        }
        if let Some(protocol) = entry.protocol.as_ref().filter(|protocol| protocol.number == 0) {
            self.note(
                Finding::error("out-of-range", protocol.place, "the protocol 0 stands for any in a policy rule")
                    .help("leave `protocol` out"),
            );
        }
    }

    fn rule_action(&mut self, entry: &RuleEntry) -> Option<RuleAction> {
        match (&entry.table, &entry.action) {
            (Some(table), None) => Some(RuleAction::Table(table.value.clone())),
            (None, Some(action)) => Some(match action.value {
                RuleVerdict::Blackhole => RuleAction::Blackhole,
                RuleVerdict::Unreachable => RuleAction::Unreachable,
                RuleVerdict::Prohibit => RuleAction::Prohibit,
            }),
            (Some(table), Some(action)) => {
                self.note(
                    Finding::error("several-kinds", action.place, "a rule has either a `table` or an `action`")
                        .also(table.place, "the table"),
                );
                None
            }
            (None, None) => {
                self.note(Finding::error("missing-key", entry.place, "a rule needs a `table` or an `action`"));
                None
            }
        }
    }
}

fn key(entry: &RuleEntry, family: Family, action: RuleAction) -> RuleKey {
    RuleKey {
        // `from 0.0.0.0/0` is what the kernel keeps as no prefix at all.
        from: entry.from.as_ref().map(|from| from.0).filter(|net| net.prefix_len() > 0),
        to: entry.to.as_ref().map(|to| to.0).filter(|net| net.prefix_len() > 0),
        iif: entry.iif.as_ref().map(|name| name.value.clone()),
        oif: entry.oif.as_ref().map(|name| name.value.clone()),
        fwmark: entry.fwmark.as_ref().map(|mark| (mark.value.value, mark.value.mask)),
        protocol: entry.protocol.as_ref().map(|protocol| protocol.number),
        port: entry.port.as_ref().map(|ports| (ports.first, ports.last)),
        source_port: entry.source_port.as_ref().map(|ports| (ports.first, ports.last)),
        ..RuleKey::all(family, entry.priority.u32(), action)
    }
}
