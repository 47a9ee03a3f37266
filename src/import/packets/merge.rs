//! All tables of a node as one.

use super::adjust::{Place, adjust};
use super::around::Around;
use super::both::all_of;
use super::flatten::{Flat, flatten};
use super::foreign::{maker_of_table, without_daemons};
use crate::dialect::nft_script::unsaid_family;
use crate::resource::{Chain, Family, Name, Node, PacketRule, Table, TableRule, Verdict};
use crate::survey::Ruleset;

/// The chains of a topology's table, with their types and priorities, in the order in which the file makes them.
const FILTERS: [(&str, i32); 5] =
    [("prerouting", -150), ("input", 0), ("forward", 0), ("output", 0), ("postrouting", 0)];
const NAT: [(&str, i32); 3] = [("prerouting", -100), ("output", -100), ("postrouting", 100)];

/// The table of `node` with the meaning of all its tables; what cannot be said is added to `unsaid`. `None` where
/// nothing is left.
pub fn table(
    topology: &Name,
    node: &Node,
    rulesets: &[Ruleset],
    around: &Around,
    unsaid: &mut Vec<String>,
) -> Option<Table> {
    let mut flats: Vec<Flat> = rulesets.iter().flat_map(|ruleset| flat(ruleset, around, unsaid)).collect();
    flats.sort_by_key(|flat| flat.base.priority);
    let mut chains = Vec::new();
    for (hook, priority) in FILTERS {
        let of_hook = |flat: &&Flat| flat.base.kind != "nat" && flat.base.hook == hook;
        let those: Vec<&Flat> = flats.iter().filter(of_hook).collect();
        chains.extend(filter(hook, priority, &those, around, unsaid));
    }
    for (hook, priority) in NAT {
        let of_hook = |flat: &&Flat| flat.base.kind == "nat" && flat.base.hook == hook;
        let those: Vec<&Flat> = flats.iter().filter(of_hook).collect();
        chains.extend(nat(hook, priority, &those, around, unsaid));
    }
    let known = |flat: &&Flat| {
        FILTERS.iter().any(|(hook, _)| flat.base.hook == *hook)
            && !(flat.base.kind == "nat" && flat.base.hook == "input")
    };
    for flat in flats.iter().filter(|flat| !known(flat) && !flat.rules.is_empty()) {
        unsaid.push(format!("the chain {}: topo has none of type {} at {}", flat.name, flat.base.kind, flat.base.hook));
    }
    (!chains.is_empty()).then(|| Table {
        node: node.clone(),
        topology: topology.clone(),
        chains,
        instead_of: Vec::new(),
    })
}

/// The base chains of a table that are not a daemon's.
fn flat(ruleset: &Ruleset, around: &Around, unsaid: &mut Vec<String>) -> Vec<Flat> {
    let name = format!("{} {}", ruleset.family, ruleset.table);
    if let Some(who) = maker_of_table(ruleset) {
        unsaid.push(format!("the nft table {name}: {who} made it, and makes it again"));
        return Vec::new();
    }
    let any =
        ruleset.chains.iter().any(|chain| !chain.rules.is_empty() || chain.base.as_ref().is_some_and(|base| base.drop));
    if any && !matches!(ruleset.family.as_str(), "inet" | "ip" | "ip6") {
        unsaid.push(format!("the nft table {name}: topo has rules of the families inet, ip and ip6"));
        return Vec::new();
    }
    if ruleset
        .objects
        .iter()
        .any(|(title, lines)| title == "flags" && lines.iter().any(|line| line.contains("dormant")))
    {
        unsaid.push(format!("the nft table {name}: it is dormant"));
        return Vec::new();
    }
    let (left, daemons) = without_daemons(ruleset, &around.daemons);
    for (who, count) in daemons {
        let rules = if count == 1 { "rule" } else { "rules" };
        unsaid.push(format!("{count} {rules} of {who} in the table {name}: {who} makes them again"));
    }
    let chains = left.chains.iter().filter_map(|chain| Some((chain, chain.base.as_ref()?)));
    chains.map(|(chain, base)| flatten(&left, chain, base, unsaid)).collect()
}

/// The rules of a chain as they can stand there.
fn adjusted(flat: &Flat, place: Place<'_>, around: &Around, unsaid: &mut Vec<String>) -> Vec<TableRule> {
    let mut rules = Vec::new();
    for rule in &flat.rules {
        match adjust(rule, place, around) {
            Ok(those) => rules.extend(those),
            Err(why) => unsaid.push(format!("the rule `{}` of {}: {why}", rule.in_family("inet"), flat.name)),
        }
    }
    rules
}

fn filter(
    hook: &'static str,
    priority: i32,
    flats: &[&Flat],
    around: &Around,
    unsaid: &mut Vec<String>,
) -> Option<Chain> {
    let place = Place { hook, nat: false };
    let (mut rules, mut ends, mut drop) = (Vec::new(), Vec::new(), false);
    for flat in joined(chosen(hook, flats, unsaid)) {
        rules.extend(adjusted(&flat, place, around, unsaid));
        if flat.base.drop {
            match flat.family.filter(|family| other_families(around, *family)) {
                Some(family) => ends.push(end(family)),
                None => drop = true,
            }
        }
    }
    rules.extend(ends);
    let marks = rules.iter().any(|rule| matches!(rule, TableRule::Typed(rule) if rule.set_mark.is_some()));
    let (kind, priority) = if hook == "output" && marks { ("route", -150) } else { ("filter", priority) };
    (drop || !rules.is_empty()).then(|| Chain {
        name: hook.to_owned(),
        kind: kind.to_owned(),
        hook: hook.to_owned(),
        priority,
        drop,
        rules,
    })
}

/// The chains of a hook that can be one: what all but the last let through, nothing behind them decides of.
fn chosen<'a>(hook: &str, flats: &[&'a Flat], unsaid: &mut Vec<String>) -> Vec<&'a Flat> {
    // Beside others, one that accepts what would be accepted anyway says nothing.
    let several = flats.len() > 1;
    let flats: Vec<&Flat> = flats.iter().copied().filter(|flat| !several || decides(flat)).collect();
    let mut chosen = Vec::new();
    for (nth, flat) in flats.iter().enumerate() {
        let later = flats.iter().skip(nth + 1).find(|later| overlap(flat, later));
        match later.filter(|_| !only_stops(flat)) {
            Some(later) => unsaid.push(format!(
                "the chain {} with {} rules: what it accepts is decided by {} too, and a topology has one chain at {hook}",
                flat.name,
                flat.rules.len(),
                later.name
            )),
            None => chosen.push(*flat),
        }
    }
    chosen
}

/// Chains of one family each as one: what they say alike is for both.
fn joined(flats: Vec<&Flat>) -> Vec<Flat> {
    let mut done: Vec<Flat> = Vec::new();
    for flat in flats {
        let twin = done.iter_mut().find(|other| {
            other.family.is_some() && flat.family.is_some() && other.family != flat.family && other.base == flat.base
        });
        let Some(twin) = twin else {
            done.push(flat.clone());
            continue;
        };
        twin.rules = alike(&twin.rules, &flat.rules);
        twin.family = None;
    }
    done
}

/// The rules of two families, each in its order. Those of one never meet a packet of the other, so that any order of
/// both will do.
fn alike(four: &[TableRule], mut six: &[TableRule]) -> Vec<TableRule> {
    let mut rules = Vec::new();
    for rule in four {
        let of_both = bare(rule);
        match six.iter().position(|other| of_both.is_some() && bare(other) == of_both) {
            Some(at) => {
                let (before, behind) = six.split_at(at);
                rules.extend_from_slice(before);
                rules.extend(of_both);
                six = behind.get(1..).unwrap_or_default();
            }
            None => rules.push(rule.clone()),
        }
    }
    rules.extend_from_slice(six);
    rules
}

/// A rule without its family, where nothing in it is of one.
fn bare(rule: &TableRule) -> Option<TableRule> {
    let TableRule::Typed(rule) = rule else { return None };
    unsaid_family(rule)?;
    Some(TableRule::Typed(Box::new(PacketRule { family: None, ..(**rule).clone() })))
}

fn other_families(around: &Around, family: Family) -> bool {
    around.families.iter().any(|other| *other != family)
}

/// What drops all that is left of a family.
fn end(family: Family) -> TableRule {
    TableRule::Typed(Box::new(PacketRule {
        family: Some(family),
        source: all_of(family == Family::V4),
        verdict: Some(Verdict::Drop),
        ..PacketRule::default()
    }))
}

/// Whether packets of one family go through both.
fn overlap(one: &Flat, other: &Flat) -> bool {
    one.family.is_none() || other.family.is_none() || one.family == other.family
}

/// Whether a chain does anything at all.
fn decides(flat: &Flat) -> bool {
    let accepts = |rule: &TableRule| matches!(rule, TableRule::Typed(rule) if rule.verdict == Some(Verdict::Accept) && rule.log.is_none() && rule.set_mark.is_none());
    flat.base.drop || !flat.rules.iter().all(accepts)
}

/// Whether nothing that a chain lets through is let through for good.
fn only_stops(flat: &Flat) -> bool {
    let accepts = |rule: &TableRule| match rule {
        TableRule::Typed(rule) => rule.verdict == Some(Verdict::Accept),
        TableRule::Raw(line) | TableRule::Listed(line) => line.split_whitespace().any(|word| word == "accept"),
    };
    !flat.base.drop && !flat.rules.iter().any(accepts)
}

fn nat(hook: &'static str, priority: i32, flats: &[&Flat], around: &Around, unsaid: &mut Vec<String>) -> Option<Chain> {
    let place = Place { hook, nat: true };
    let rules: Vec<TableRule> = flats.iter().flat_map(|flat| adjusted(flat, place, around, unsaid)).collect();
    for flat in flats.iter().filter(|flat| flat.base.drop) {
        unsaid.push(format!("the policy drop of {}: a chain of NAT has none", flat.name));
    }
    (!rules.is_empty()).then(|| Chain {
        name: format!("nat-{hook}"),
        kind: "nat".to_owned(),
        hook: hook.to_owned(),
        priority,
        drop: false,
        rules,
    })
}
