//! A rule as it can stand in the table of a node.

use super::around::Around;
use super::both::all_of;
use crate::dialect::nft_script::{nft_rule, unsaid_family};
use crate::resource::{Family, IfMatch, PacketRule, TableRule, Verdict};

/// Where a rule is to stand.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    /// The hook.
    pub hook: &'a str,
    /// Whether addresses are translated there.
    pub nat: bool,
}

/// `rule` as the language has it there: several where it is for both families and the language says one, none where it
/// can never match. The reason where there is no way to say it.
pub(super) fn adjust(rule: &TableRule, place: Place<'_>, around: &Around) -> Result<Vec<TableRule>, String> {
    let rule = match rule {
        TableRule::Typed(rule) => (**rule).clone(),
        TableRule::Raw(line) | TableRule::Listed(line) => return raw(line, place),
    };
    let rule = interfaces(rule, place, around)?;
    let rule = family(rule, around);
    let in_nft = || raw(&nft_rule(&rule, "inet"), place);
    let translates =
        matches!(rule.verdict, Some(Verdict::Masquerade | Verdict::Snat(_) | Verdict::Dnat(_) | Verdict::Redirect(_)));
    if place.nat != translates || rule.verdict.is_none() && rule.log.is_some() {
        return in_nft();
    }
    if !place.nat {
        return Ok(vec![TableRule::Typed(Box::new(rule))]);
    }
    if rule.log.is_some() || rule.set_mark.is_some() {
        return in_nft();
    }
    if place.hook != "output" || rule.local || rule.destination.is_some() {
        return Ok(vec![TableRule::Typed(Box::new(rule))]);
    }
    // Without a destination the language means the node's own addresses.
    let each = [Family::V4, Family::V6].into_iter().filter(|family| match rule.family {
        Some(only) => only == *family,
        None => around.has(*family),
    });
    let of =
        |family: Family| PacketRule { family: Some(family), destination: all_of(family == Family::V4), ..rule.clone() };
    Ok(each.map(|family| TableRule::Typed(Box::new(of(family)))).collect())
}

/// A line in nft's words: in `nat` it stands where its verdict says.
fn raw(line: &str, place: Place<'_>) -> Result<Vec<TableRule>, String> {
    let line = TableRule::Raw(line.to_owned());
    if !place.nat {
        return Ok(vec![line]);
    }
    let TableRule::Raw(text) = &line else { return Ok(Vec::new()) };
    let arrives = text.split_whitespace().any(|word| matches!(word, "dnat" | "redirect"));
    match place.hook {
        "prerouting" if arrives => Ok(vec![line]),
        "postrouting" if !arrives => Ok(vec![line]),
        _ => Err(format!("in nft's words it cannot stand in the {} of NAT", place.hook)),
    }
}

/// A rule that is for one family alone says so by its addresses, unless the node has no other.
fn family(rule: PacketRule, around: &Around) -> PacketRule {
    let Some(family) = unsaid_family(&rule) else { return rule };
    let other = if family == Family::V4 { Family::V6 } else { Family::V4 };
    if !around.has(other) {
        return PacketRule { family: None, ..rule };
    }
    PacketRule { source: all_of(family == Family::V4), ..rule }
}

/// A rule about interfaces that are not there matches nothing, or all.
fn interfaces(mut rule: PacketRule, place: Place<'_>, around: &Around) -> Result<PacketRule, String> {
    if rule.input.is_some() && matches!(place.hook, "output" | "postrouting") {
        return Err(format!("in {} no packet comes in anywhere", place.hook));
    }
    if rule.output.is_some() && matches!(place.hook, "prerouting" | "input") {
        return Err(format!("in {} no packet leaves anywhere", place.hook));
    }
    for field in [&mut rule.input, &mut rule.output] {
        let Some(IfMatch { not, names }) = field else { continue };
        let gone: Vec<String> = names.iter().filter(|name| !around.knows(name)).cloned().collect();
        names.retain(|name| !gone.contains(name));
        if names.is_empty() && !*not {
            return Err(format!("there is no interface {}", gone.join(", ")));
        }
        if names.is_empty() {
            *field = None;
        }
    }
    Ok(rule)
}
