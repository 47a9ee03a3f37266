//! The steps of a packet, from what was seen of it.

use super::parts::{Found, What};
use crate::flow::outcome::{By, Step};
use crate::flow::packet::{Part, Tuple};
use crate::flow::world::World;
use crate::resource::sighting::RuleSeen;
use crate::resource::{IfName, Node};

/// What was seen of one packet, in the order of its way: rules where they belong between the interfaces.
pub fn ordered<'f, 'a>(world: &World<'_>, all: &'f [Found<'a>], part: Part) -> Vec<&'f Found<'a>> {
    let mut way: Vec<&Found<'a>> =
        all.iter().filter(|found| found.part == part && matches!(found.what, What::At { .. })).collect();
    let mut groups: Vec<(&Node, u32, Vec<&'f Found<'a>>)> = Vec::new();
    for found in all.iter().filter(|found| found.part == part) {
        let What::Rule(rule) = &found.what else { continue };
        match groups.iter_mut().find(|(node, packet, _)| *node == found.node && *packet == rule.packet) {
            Some((_, _, rules)) => rules.push(found),
            None => groups.push((found.node, rule.packet, vec![found])),
        }
    }
    for (node, _, rules) in groups {
        let at = place(world, &way, node, &rules);
        way.splice(at..at, rules);
    }
    way
}

/// Where rules belong: behind the interface that the packet came in by, else before the first that it goes out by.
fn place(world: &World<'_>, way: &[&Found<'_>], node: &Node, rules: &[&Found<'_>]) -> usize {
    let input =
        rules.iter().find_map(|found| if let What::Rule(rule) = &found.what { rule.input.as_deref() } else { None });
    // A port of a bridge, where the rules have the bridge.
    let is_port = |name: &str, of: &str| {
        let link = world.link(node, &IfName::from(name));
        link.and_then(|link| link.master_id()).is_some_and(|master| master.name.as_str() == of)
    };
    let came = |found: &&Found<'_>| match (&found.what, input) {
        (What::At { interface, out: false, .. }, Some(input)) => {
            found.node == node && (*interface == input || is_port(interface, input))
        }
        _ => false,
    };
    let left = |found: &&Found<'_>| found.node == node && matches!(found.what, What::At { out: true, .. });
    // Those of a group that stands there already come first: bridge before IP.
    let behind = |at: usize| {
        let rest = way.get(at + 1..).unwrap_or_default();
        at + 1 + rest.iter().take_while(|found| found.node == node && matches!(found.what, What::Rule(_))).count()
    };
    match way.iter().rposition(came) {
        Some(at) => behind(at),
        None => way.iter().position(left).unwrap_or(way.len()),
    }
}

/// The steps in words.
pub fn steps(way: &[&Found<'_>]) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut before: Option<Tuple> = None;
    for found in way {
        let node = found.node.clone();
        match &found.what {
            What::At { interface, out, tuple, .. } => {
                let what = match (before, out) {
                    (None, true) => format!("sent from {} to {}", tuple.source, tuple.destination),
                    (Some(before), true) if before != *tuple => format!("goes out, {}", changed(before, *tuple)),
                    (_, true) => "goes out".to_owned(),
                    (_, false) => "comes in".to_owned(),
                };
                before = Some(*tuple);
                steps.push(Step { node, interface: Some((*interface).to_owned()), what, by: None });
            }
            What::Rule(rule) => {
                let what = said(rule);
                steps.push(Step { node, interface: None, what, by: Some(By::text(rule_words(rule))) });
            }
            What::Error { .. } => {}
        }
    }
    steps
}

/// What NAT did.
fn changed(before: Tuple, now: Tuple) -> String {
    let end = |address: std::net::IpAddr, port: u16| match port {
        0 => address.to_string(),
        port => std::net::SocketAddr::new(address, port).to_string(),
    };
    let mut parts = Vec::new();
    if (before.source, before.source_port) != (now.source, now.source_port) {
        parts.push(format!("now from {}", end(now.source, now.source_port)));
    }
    if (before.destination, before.port) != (now.destination, now.port) {
        parts.push(format!("now to {}", end(now.destination, now.port)));
    }
    parts.join(" and ")
}

fn said(rule: &RuleSeen) -> String {
    match rule.verdict.as_str() {
        "accept" => "accepted".to_owned(),
        "drop" => "dropped".to_owned(),
        "continue" => "matched".to_owned(),
        other => other.to_owned(),
    }
}

/// A rule with its place: `inet filter forward: ip saddr 10.0.0.1 accept (handle 7)`.
pub fn rule_words(rule: &RuleSeen) -> String {
    let place = format!("{} {} {}", rule.family, rule.table, rule.chain);
    match (&rule.text, rule.handle) {
        (Some(text), Some(handle)) => {
            // Whose rule it is says the table.
            let text = text.split(" comment \"topo:").next().unwrap_or(text);
            format!("{place}: {text} (handle {handle})")
        }
        (None, Some(handle)) => format!("{place}: the rule with handle {handle}"),
        (_, None) => format!("{place}: policy {}", rule.verdict),
    }
}
