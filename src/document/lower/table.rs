//! NAT and firewall: one table for each node, and rules in foreign chains.

use super::context::Lowering;
use super::hairpin::Around;
use super::node::At;
use super::packet::{Wanted, mark, on, wanted};
use super::raw;
use crate::dialect::nft_script::nft_rule;
use crate::document::schema::firewall::{ChainSection, Firewall, Policy, VerdictKey};
use crate::document::schema::matching::Matches;
use crate::document::schema::nat::{Local, NatRule};
use crate::document::value::{Mark, Ports};
use crate::document::{Finding, Loc, Place};
use crate::resource::{Chain, Owner, PacketRule, Resource, ResourceId, Table, TableRule, Verdict};
use std::collections::HashSet;

/// The chains of NAT under way.
#[derive(Default)]
struct Nat {
    prerouting: Vec<TableRule>,
    output: Vec<TableRule>,
    postrouting: Vec<TableRule>,
}

/// Rules in topo's own terms.
pub(super) fn typed(rules: impl IntoIterator<Item = PacketRule>) -> impl Iterator<Item = TableRule> {
    rules.into_iter().map(|rule| TableRule::Typed(Box::new(rule)))
}

impl<'d> Lowering<'d> {
    /// The nft table of a node, and rules in foreign chains.
    pub fn tables(&mut self, at: &At<'d>) {
        let mut chains = Vec::new();
        let firewall = at.section.firewall.as_deref();
        if let Some(firewall) = firewall {
            self.firewall(firewall, &mut chains);
        }
        self.nat(at, &mut chains);
        if !chains.is_empty() {
            let table = Table {
                node: at.node.clone(),
                topology: self.document.name.value.clone(),
                chains,
                instead_of: Vec::new(),
            };
            let (key, place) = match (firewall, at.section.nat.first()) {
                (Some(firewall), _) => ("firewall", firewall.place),
                (None, Some(rule)) => ("nat", rule.place),
                (None, None) => ("nat", at.place),
            };
            let id = table.id();
            self.put(Resource::Table(table), Owner::Ours, place, format!("{}.{key}", at.path));
            self.raw_of_table(at, &id);
        }
        if let Some(firewall) = firewall {
            self.inserts(at, firewall);
        }
    }

    /// Where the raw rules of a table stand.
    fn raw_of_table(&mut self, at: &At<'d>, id: &ResourceId) {
        if let Some(firewall) = at.section.firewall.as_deref() {
            let chains =
                [&firewall.prerouting, &firewall.input, &firewall.forward, &firewall.output, &firewall.postrouting];
            for rule in chains.into_iter().flatten().flat_map(|chain| &chain.rules) {
                self.raw_rule(id, rule.verdict.as_ref(), &format!("{}.firewall", at.path));
            }
        }
        for rule in &at.section.nat {
            if let NatRule::Nft(line) = &rule.value {
                self.raw_line(id, line, &format!("{}.nat", at.path));
            }
        }
    }

    /// The filter chains, in the order in which a packet meets them.
    ///
    /// `prerouting` stands at -150 (nft's `mangle`): after connection tracking (-200), so that `state` means something,
    /// and before addresses are translated (-100), so that a rule sees a packet as it came. `output` stands there too
    /// if it sets marks, as a chain of type `route`, which looks the route up again. The others stand at 0, in
    /// `postrouting` that is before the source is translated (100). Lines of nft's that say how a connection is tracked
    /// (`notrack`, `ct zone set`) stand at -300 (nft's `raw`), in a chain of their own before connection tracking:
    /// elsewhere they do nothing.
    fn firewall(&mut self, firewall: &Firewall, chains: &mut Vec<Chain>) {
        let marks =
            firewall.output.as_ref().is_some_and(|chain| chain.rules.iter().any(|rule| rule.set_mark.is_some()));
        let (output_kind, output_priority) = if marks { ("route", -150) } else { ("filter", 0) };
        let all = [
            ("prerouting", "filter", -150, &firewall.prerouting),
            ("input", "filter", 0, &firewall.input),
            ("forward", "filter", 0, &firewall.forward),
            ("output", output_kind, output_priority, &firewall.output),
            ("postrouting", "filter", 0, &firewall.postrouting),
        ];
        for (hook, kind, priority, section) in all {
            let Some(section) = section else { continue };
            let (early, rules): (Vec<TableRule>, Vec<TableRule>) = self
                .chain_rules(section)
                .into_iter()
                .partition(|rule| matches!(rule, TableRule::Raw(line) if raw::before_tracking(line)));
            if !early.is_empty() && !matches!(hook, "prerouting" | "output") {
                self.too_late(hook, section);
            } else if !early.is_empty() {
                let name = format!("raw-{hook}");
                chains.push(Chain {
                    name,
                    kind: "filter".to_owned(),
                    hook: hook.to_owned(),
                    priority: -300,
                    drop: false,
                    rules: early,
                });
            }
            let drop = section.policy.as_ref().is_some_and(|policy| policy.value == Policy::Drop);
            // A chain that decides nothing is not made.
            if drop || !rules.is_empty() {
                chains.push(Chain {
                    name: hook.to_owned(),
                    kind: kind.to_owned(),
                    hook: hook.to_owned(),
                    priority,
                    drop,
                    rules,
                });
            }
        }
    }

    /// Lines that say something of how a connection is tracked, where that has happened already.
    fn too_late(&mut self, hook: &str, section: &ChainSection) {
        for verdict in section.rules.iter().filter_map(|rule| rule.verdict.as_ref()) {
            if let VerdictKey::Nft(line) = &verdict.value
                && raw::before_tracking(&line.value.0)
            {
                let message = format!(
                    "in `{hook}` a packet has been tracked already, so that `notrack` and `ct zone set` do nothing"
                );
                self.note(
                    Finding::error("tracked-already", line.place, message)
                        .help("write the line in `prerouting`, or in `output` for what the node itself sends"),
                );
            }
        }
    }

    fn chain_rules(&mut self, section: &ChainSection) -> Vec<TableRule> {
        let mut rules = Vec::new();
        for rule in &section.rules {
            rules.extend(self.firewall_rule(
                &rule.matches,
                (&rule.set_mark, &rule.counter),
                rule.verdict.as_ref(),
                rule.place,
            ));
        }
        rules
    }

    /// A rule of the firewall, with the mark that it sets and whether it counts.
    pub(super) fn firewall_rule(
        &mut self,
        matches: &Matches,
        (set_mark, counter): (&Option<Loc<Mark>>, &Option<Loc<bool>>),
        verdict: Option<&Loc<VerdictKey>>,
        place: Place,
    ) -> Vec<TableRule> {
        match wanted(verdict.map(|verdict| &verdict.value)) {
            Wanted::Raw(line) => {
                if let Some(other) = first_key(matches)
                    .or(set_mark.as_ref().map(|mark| mark.place))
                    .or(counter.as_ref().map(|counter| counter.place))
                {
                    self.note(
                        Finding::error("several-kinds", other, "a rule in nft syntax takes no other keys")
                            .help("write this into the `nft` line too"),
                    );
                }
                vec![TableRule::Raw(line.to_owned())]
            }
            Wanted::Typed(None, ..) if set_mark.is_none() => {
                let finding = Finding::error("no-verdict", place, "the rule has no verdict");
                self.note(finding.help("add `accept: {}`, `drop: {}`, `reject: {}` or `set-mark`"));
                Vec::new()
            }
            Wanted::Typed(verdict, counts, log) => {
                let counter = counts || on(counter);
                let rules = self.packets(matches, mark(set_mark), verdict);
                typed(rules.into_iter().map(|rule| PacketRule { counter, log: log.clone(), ..rule })).collect()
            }
        }
    }

    /// The chains of NAT.
    fn nat(&mut self, at: &At<'d>, chains: &mut Vec<Chain>) {
        let mut nat = Nat::default();
        let (mut hairpins, mut around): (Vec<PacketRule>, Option<Around>) = (Vec::new(), None);
        for rule in &at.section.nat {
            match &rule.value {
                NatRule::Masquerade(rule) => {
                    nat.postrouting.extend(typed(self.translation(&rule.matches, &rule.counter, Verdict::Masquerade)))
                }
                NatRule::Snat(rule) => {
                    nat.postrouting.extend(typed(self.translation(
                        &rule.matches,
                        &rule.counter,
                        Verdict::Snat(rule.to.0.clone()),
                    )));
                }
                NatRule::Dnat(rule) => {
                    let rules = self.translation(&rule.matches, &rule.counter, Verdict::Dnat(rule.to.0.clone()));
                    nat.arriving(raw::one_to_one(rules), &rule.local);
                    hairpins.extend(around.get_or_insert_with(|| Around::of(at)).hairpin(rule));
                }
                NatRule::Redirect(rule) => {
                    let to = rule.to.as_ref().map(|ports: &Loc<Ports>| (ports.first, ports.last));
                    let rules = self.translation(&rule.matches, &rule.counter, Verdict::Redirect(to));
                    nat.arriving(raw::one_to_one(rules), &rule.local);
                }
                NatRule::Nft(line) => {
                    let chain =
                        if raw::changes_destination(&line.0) { &mut nat.prerouting } else { &mut nat.postrouting };
                    chain.push(TableRule::Raw(line.0.clone()));
                }
            }
        }
        // One that the file has (as `show --yaml` prints it) stands where it has it.
        let mut there: HashSet<String> = nat.postrouting.iter().map(|rule| rule.in_family("inet")).collect();
        nat.postrouting.extend(typed(hairpins.into_iter().filter(|rule| there.insert(nft_rule(rule, "inet")))));
        let all =
            [("prerouting", -100, nat.prerouting), ("output", -100, nat.output), ("postrouting", 100, nat.postrouting)];
        for (hook, priority, rules) in all {
            if !rules.is_empty() {
                chains.push(Chain {
                    name: format!("nat-{hook}"),
                    kind: "nat".to_owned(),
                    hook: hook.to_owned(),
                    priority,
                    drop: false,
                    rules,
                });
            }
        }
    }

    /// A rule of address translation, for each family that it is for.
    fn translation(&mut self, matches: &Matches, counter: &Option<Loc<bool>>, verdict: Verdict) -> Vec<PacketRule> {
        let counter = on(counter);
        self.packets(matches, None, Some(verdict)).into_iter().map(|rule| PacketRule { counter, ..rule }).collect()
    }
}

impl Nat {
    /// Rules that change destinations: for what comes in, for what the node itself opens, or for both.
    fn arriving(&mut self, rules: Vec<PacketRule>, local: &Option<Loc<Local>>) {
        let local = local.as_ref().map_or(Local::No, |local| local.value);
        if local != Local::No {
            // What a node sends came in nowhere. Without a destination of its own the rule is for connections to the
            // node's addresses, as Docker's published ports are: else every connection to such a port anywhere would be
            // caught.
            let own = |rule: PacketRule| PacketRule { input: None, local: rule.destination.is_none(), ..rule };
            self.output.extend(typed(rules.iter().cloned().map(own)));
        }
        if local != Local::Only {
            self.prerouting.extend(typed(rules));
        }
    }
}

/// Where something of `matches` stands, if anything does.
fn first_key(matches: &Matches) -> Option<Place> {
    let lists =
        [&matches.input, &matches.output].into_iter().flatten().find_map(|list| list.first()).map(|item| item.place);
    lists
        .or_else(|| {
            [&matches.source, &matches.destination.addresses]
                .into_iter()
                .flatten()
                .find_map(|list| list.first())
                .map(|item| item.place)
        })
        .or(matches.destination.local)
        .or_else(|| {
            [&matches.port, &matches.source_port]
                .into_iter()
                .flatten()
                .find_map(|list| list.first())
                .map(|item| item.place)
        })
        .or_else(|| matches.protocol.as_ref().map(|part| part.place))
        .or_else(|| matches.icmp_type.as_ref().map(|part| part.place))
        .or_else(|| matches.state.as_ref().and_then(|list| list.first()).map(|part| part.place))
        .or_else(|| matches.mark.as_ref().map(|part| part.place))
        .or_else(|| matches.limit.as_ref().map(|part| part.place))
}
