//! Rules that let flows through chains of others, wide enough for all that the same rule stops.

use crate::doctor::examined::Examined;
use crate::doctor::finding::Remedy;
use crate::doctor::meant::Why;
use crate::doctor::quoted::{plain, quoted};
use crate::doctor::stopped::{Stopped, yaml};
use crate::flow::advice;
use crate::flow::packet::{Packet, Part};
use crate::resource::LinkId;
use std::collections::BTreeSet;

/// The most rules that are proposed at once.
const MOST: usize = 8;

/// Rules for the head of the chain that stops a group of flows; what the walk proposes where there is no such chain.
pub(super) fn remedies(examined: &Examined<'_>, group: &[Stopped<'_>]) -> Vec<Remedy> {
    let Some(first) = group.first() else { return Vec::new() };
    let node = &first.stop.node;
    let (Some(chain), Some(hook)) = (advice::chain_for(examined.world, first.stop), advice::hook_of(first.stop)) else {
        return Stopped::advice(group);
    };
    let mut rules: Vec<String> = Vec::new();
    let mut add = |rule: String| {
        if rules.len() < MOST && !rules.contains(&rule) {
            rules.push(rule);
        }
    };
    // What is let through as a whole needs no rule for each packet.
    let whole: BTreeSet<&str> = group
        .iter()
        .filter(|one| is_whole(examined, one, hook))
        .filter_map(|one| one.stop.interface.as_deref())
        .collect();
    for one in group {
        let through = one.stop.interface.as_deref().is_some_and(|name| whole.contains(name));
        rules_for(examined, one, through).into_iter().for_each(&mut add);
    }
    let chain = quoted(&chain.to_string());
    let lines: Vec<String> =
        rules.iter().map(|rule| format!("      - {{ chain: {chain}, {rule}, accept: {{}} }}")).collect();
    let text = format!("{}:\n  firewall:\n    insert:\n{}", node.short(), lines.join("\n"));
    vec![yaml(node, "accept them at the head of that chain", text)]
}

/// Whether all that an interface of the file sends on is meant to get through: it leads over a gateway.
fn is_whole(examined: &Examined<'_>, one: &Stopped<'_>, hook: &str) -> bool {
    let interface = one.stop.interface.as_deref().unwrap_or_default();
    let made = examined.wanted.link(&LinkId::new(one.stop.node.clone(), interface)).is_some();
    let routed = matches!(one.walked.meant.why, Why::Route | Why::Default | Why::Outside);
    hook == "forward" && made && routed && one.stop.packet.part == Part::Request
}

/// The matches of the rules for one flow and its answer; `through` where all of its interface is let through.
fn rules_for(examined: &Examined<'_>, one: &Stopped<'_>, through: bool) -> Vec<String> {
    let packet = &one.stop.packet;
    let name = plain(one.stop.interface.as_deref().unwrap_or_default());
    let answers = "state: [established, related]";
    if one.is_bridged(examined.world) {
        return vec![format!("in: {name}, out: {name}")];
    }
    if packet.part != Part::Request {
        return vec![answers.to_owned()];
    }
    if through {
        return vec![format!("in: {name}"), format!("out: {name}, {answers}")];
    }
    vec![of_packet(packet, one.walked.meant.why != Why::Published), answers.to_owned()]
}

/// What a rule says of one packet.
fn of_packet(packet: &Packet, with_source: bool) -> String {
    let address = |address: &std::net::IpAddr| plain(&address.to_string());
    let mut keys: BTreeSet<String> = BTreeSet::new();
    if with_source {
        keys.insert(format!("source: {}", address(&packet.source)));
    }
    keys.insert(format!("destination: {}", address(&packet.destination)));
    let protocol = match (packet.protocol.has_ports(), packet.destination.is_ipv4()) {
        (true, _) => packet.protocol.to_string(),
        (false, true) => "icmp".to_owned(),
        (false, false) => "icmpv6".to_owned(),
    };
    keys.insert(format!("protocol: {protocol}"));
    if packet.protocol.has_ports() {
        keys.insert(format!("port: {}", packet.port));
    }
    keys.into_iter().collect::<Vec<_>>().join(", ")
}
