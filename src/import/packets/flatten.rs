//! A base chain with the chains that it jumps to put in their place.

use super::both::{both, other};
use super::raw;
use crate::dialect::nft_read::family_of_table;
use crate::dialect::nft_script::nft_rule;
use crate::dialect::understood::{Then, Understood};
use crate::dialect::{iptables_read, nft_read};
use crate::resource::{Family, PacketRule, TableRule, Verdict};
use crate::survey::{Base, Program, RuleChain, Ruleset};

/// How deep chains jump, and how many rules they become, at most.
const DEEPEST: usize = 16;
const MOST_RULES: usize = 4096;

/// A base chain without jumps.
#[derive(Clone)]
pub(super) struct Flat {
    /// Where it hangs.
    pub base: Base,
    /// The family that all its rules are for.
    pub family: Option<Family>,
    /// What it was called: `ip filter FORWARD`.
    pub name: String,
    /// Its rules.
    pub rules: Vec<TableRule>,
}

/// A rule of a chain: read, or in nft's words.
enum Step {
    Read(Box<Understood>),
    Raw(String),
}

/// Flattens a base chain; what cannot be said of it is added to `unsaid`.
pub(super) fn flatten(ruleset: &Ruleset, chain: &RuleChain, base: &Base, unsaid: &mut Vec<String>) -> Flat {
    let mut work = Work { ruleset, unsaid, count: 0 };
    let rules = work.chain(chain, 0, Some(base.drop));
    Flat {
        base: base.clone(),
        family: family_of_table(&ruleset.family),
        name: format!("{} {} {}", ruleset.family, ruleset.table, chain.name),
        rules: logged(rules),
    }
}

struct Work<'a> {
    ruleset: &'a Ruleset,
    unsaid: &'a mut Vec<String>,
    count: usize,
}

impl<'a> Work<'a> {
    /// The rules of a chain. What returns from a base chain gets its policy, whether that is to `drop`.
    fn chain(&mut self, chain: &'a RuleChain, depth: usize, drop: Option<bool>) -> Vec<TableRule> {
        self.rules(chain, 0, depth, drop)
    }

    fn rules(&mut self, chain: &'a RuleChain, from: usize, depth: usize, drop: Option<bool>) -> Vec<TableRule> {
        let mut rules = Vec::new();
        for nth in from..chain.rules.len() {
            self.count += 1;
            if self.count > MOST_RULES || depth > DEEPEST {
                self.refuse(chain, nth, "the chains that lead there are too many");
                break;
            }
            let step = match self.step(chain, nth) {
                Ok(step) => step,
                Err(why) => {
                    self.refuse(chain, nth, &why);
                    continue;
                }
            };
            let understood = match step {
                Step::Read(understood) => understood,
                Step::Raw(line) => {
                    rules.push(TableRule::Raw(line));
                    continue;
                }
            };
            match &understood.then {
                Then::Verdict => rules.extend(plain(understood.rule)),
                Then::Jump(name) | Then::Goto(name) => {
                    let Some(there) = self.ruleset.chains.iter().find(|chain| chain.name == *name) else {
                        self.refuse(chain, nth, &format!("there is no word for `{name}`"));
                        continue;
                    };
                    let inner = self.chain(there, depth + 1, None);
                    self.put(chain, nth, &understood.rule, inner, &mut rules);
                    if matches!(understood.then, Then::Goto(_)) {
                        self.leave(chain, nth, &understood.rule, depth, drop, &mut rules);
                        return rules;
                    }
                }
                Then::Return => match drop {
                    Some(true) => rules.push(typed(PacketRule { verdict: Some(Verdict::Drop), ..understood.rule })),
                    Some(false) => rules.push(typed(PacketRule { verdict: Some(Verdict::Accept), ..understood.rule })),
                    None => {
                        self.leave(chain, nth, &understood.rule, depth, drop, &mut rules);
                        return rules;
                    }
                },
            }
        }
        rules
    }

    /// What stands behind a rule that leaves the chain is for what that rule does not match.
    fn leave(
        &mut self,
        chain: &'a RuleChain,
        nth: usize,
        rule: &PacketRule,
        depth: usize,
        drop: Option<bool>,
        rules: &mut Vec<TableRule>,
    ) {
        let rest = self.rules(chain, nth + 1, depth, drop);
        let all = PacketRule { family: rule.family, ..PacketRule::default() };
        let matches = PacketRule { counter: false, ..rule.clone() };
        if rest.is_empty() || matches == all {
            return;
        }
        match other(rule) {
            Ok(other) => self.put(chain, nth, &other, rest, rules),
            Err(why) => {
                self.refuse(chain, nth, &why);
                rules.extend(rest);
            }
        }
    }

    /// Puts `inner` into `rules` for what `before` matches.
    fn put(
        &mut self,
        chain: &'a RuleChain,
        nth: usize,
        before: &PacketRule,
        inner: Vec<TableRule>,
        rules: &mut Vec<TableRule>,
    ) {
        let before = PacketRule { counter: false, ..before.clone() };
        for rule in inner {
            let joined = match &rule {
                TableRule::Typed(rule) => both(&before, rule).map(|rule| rule.map(typed)),
                TableRule::Raw(line) | TableRule::Listed(line) => {
                    Ok(Some(TableRule::Raw(format!("{} {line}", nft_rule(&before, "inet")).trim_start().to_owned())))
                }
            };
            match joined {
                Ok(rule) => rules.extend(rule),
                Err(why) => self.refuse(chain, nth, &why),
            }
        }
    }

    fn step(&self, chain: &RuleChain, nth: usize) -> Result<Step, String> {
        let line = chain.rules.get(nth).map(String::as_str).unwrap_or_default();
        let (read, nft) = match self.ruleset.program {
            Program::Nft => (nft_read::read(line, &self.ruleset.family, &|name| self.set(name)), Some(line)),
            Program::Iptables => {
                let family = family_of_table(&self.ruleset.family).unwrap_or(Family::V4);
                (iptables_read::read(line, family), chain.in_nft.get(nth).map(String::as_str))
            }
        };
        match read {
            Ok(understood) if sayable(&understood) => Ok(Step::Read(Box::new(understood))),
            Ok(understood) if understood.then == Then::Verdict => {
                Ok(Step::Raw(raw::line(&nft_rule(&understood.rule, "inet"), "inet")?))
            }
            read => {
                let why = read.err().unwrap_or_default();
                let line = nft.ok_or_else(|| why.clone())?;
                raw::line(line, &self.ruleset.family).map(Step::Raw).map_err(|more| format!("{why}: {more}"))
            }
        }
    }

    /// The elements of a set that stays as it is.
    fn set(&self, name: &str) -> Option<Vec<String>> {
        let (_, lines) = self.ruleset.objects.iter().find(|(title, _)| *title == format!("set {name}"))?;
        let changes = |line: &String| {
            line.starts_with("flags") && line != "flags interval" && line != "flags constant"
                || line.starts_with("timeout")
                || line.starts_with("size")
        };
        if lines.iter().any(changes) {
            return None;
        }
        let elements = lines.iter().find_map(|line| line.strip_prefix("elements = {")?.strip_suffix('}'));
        Some(
            elements
                .unwrap_or_default()
                .split(',')
                .map(|item| item.trim().to_owned())
                .filter(|item| !item.is_empty())
                .collect(),
        )
    }

    fn refuse(&mut self, chain: &RuleChain, nth: usize, why: &str) {
        let Ruleset { family, table, .. } = self.ruleset;
        let line = chain.rules.get(nth).map(String::as_str).unwrap_or_default();
        self.unsaid.push(format!("the rule `{line}` of {family} {table} {}: {why}", chain.name));
    }
}

fn typed(rule: PacketRule) -> TableRule {
    TableRule::Typed(Box::new(rule))
}

/// Whether the language can say all of a rule at once.
fn sayable(understood: &Understood) -> bool {
    let rule = &understood.rule;
    !(rule.local && rule.destination.is_some())
}

/// A rule that goes on: the language has those that mark; the rest is left to nft's words. One that only counts is
/// nothing.
fn plain(rule: PacketRule) -> Option<TableRule> {
    if rule.verdict.is_some() || rule.set_mark.is_some() || rule.log.is_some() {
        return Some(typed(rule));
    }
    rule.counter.then(|| TableRule::Raw(nft_rule(&rule, "inet")))
}

/// Rules that only log joined with the one behind them that decides of the same packets; the others in nft's words.
fn logged(rules: Vec<TableRule>) -> Vec<TableRule> {
    let mut joined: Vec<TableRule> = Vec::new();
    let mut open: Option<PacketRule> = None;
    for rule in rules {
        if let (Some(log), TableRule::Typed(rule)) = (&open, &rule) {
            let matches = PacketRule { verdict: None, set_mark: None, counter: false, log: None, ..(**rule).clone() };
            let before = PacketRule { counter: false, log: None, ..log.clone() };
            if matches == before && rule.verdict.is_some() && rule.log.is_none() {
                joined.push(typed(PacketRule { log: log.log.clone(), ..(**rule).clone() }));
                open = None;
                continue;
            }
        }
        joined.extend(open.take().map(|log| TableRule::Raw(nft_rule(&log, "inet"))));
        match rule {
            TableRule::Typed(rule) if rule.verdict.is_none() && rule.log.is_some() && rule.set_mark.is_none() => {
                open = Some(*rule);
            }
            rule => joined.push(rule),
        }
    }
    joined.extend(open.map(|log| TableRule::Raw(nft_rule(&log, "inet"))));
    joined
}
