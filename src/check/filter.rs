//! Rules about chains as a whole: what the rules of NAT and firewall do together.

use super::Rule;
use super::packet::holds;
use super::view::{NodeView, View};
use crate::document::{Finding, Place};
use crate::resource::{AddressMatch, AddressRange, Chain, Kind, Link, PacketRule, TableRule, Verdict};
use ipnet::IpNet;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// All of them.
pub(super) const RULES: &[Rule] = &[input_without_icmpv6, input_without_established, never_reached, masquerade_of_bridged];

/// The chains of `hook` that drop what no rule accepts, each with its node.
fn dropping<'v, 'a>(view: &'v View<'a>, hook: &'static str) -> impl Iterator<Item = (&'v NodeView<'a>, &'a Chain)> {
    let chains = view.nodes.values().flat_map(|node| node.table.into_iter().flat_map(move |table| table.chains.iter().map(move |chain| (node, chain))));
    chains.filter(move |(_, chain)| chain.hook == hook && chain.kind == "filter" && chain.drop)
}

/// Whether some rule of `chain` accepts what `fits` says; a raw rule counts when it has `word`.
fn accepts(chain: &Chain, word: &str, fits: impl Fn(&PacketRule) -> bool) -> bool {
    chain.rules.iter().any(|rule| match rule {
        TableRule::Typed(rule) => rule.verdict == Some(Verdict::Accept) && fits(rule),
        TableRule::Raw(text) | TableRule::Listed(text) => text.contains(word),
    })
}

/// Whether a rule takes everything but for what its interfaces say.
fn any_packet(rule: &PacketRule) -> bool {
    rule.protocol.is_none() && rule.state.is_empty() && rule.mark.is_none() && rule.port.is_empty() && rule.source_port.is_empty()
}

/// Whether a rule is only for `lo`.
fn loopback_only(rule: &PacketRule) -> bool {
    rule.input.as_ref().is_some_and(|names| !names.not && names.names.iter().all(|name| name == "lo"))
}

/// IPv6 finds its neighbours by ICMPv6: an input that drops it cuts IPv6 off, a little later, when the cache has gone stale.
fn input_without_icmpv6(view: &View<'_>, findings: &mut Vec<Finding>) {
    for (node, chain) in dropping(view, "input") {
        let Some(address) = node.addresses.iter().find(|address| address.address.addr().is_ipv6() && !address.address.addr().is_loopback()) else { continue };
        let takes = |rule: &PacketRule| {
            let icmp = matches!(rule.protocol.as_deref(), Some("icmpv6" | "ipv6-icmp" | "58"));
            (icmp || any_packet(rule)) && !loopback_only(rule) && rule.family != Some(crate::resource::Family::V4)
        };
        if accepts(chain, "icmpv6", takes) {
            continue;
        }
        let message = format!("the input of \"{}\" drops ICMPv6, without which IPv6 finds no neighbours", address.link.node);
        let finding = Finding::warning("input-drops-icmpv6", view.chain_place(node, "input"), message).also(view.place(&address.id()), "an IPv6 address here");
        findings.push(finding.help("add `- { protocol: icmpv6, accept: {} }`"));
    }
}

/// An input that drops the answers to what the node itself asked.
fn input_without_established(view: &View<'_>, findings: &mut Vec<Finding>) {
    for (node, chain) in dropping(view, "input") {
        let takes = |rule: &PacketRule| rule.state.iter().any(|state| state == "established") || (any_packet(rule) && !loopback_only(rule));
        if accepts(chain, "established", takes) {
            continue;
        }
        let Some(at) = node.table.map(|table| &table.node) else { continue };
        let message = format!("the input of \"{at}\" drops the answers to what the node itself asks");
        let finding = Finding::warning("input-drops-established", view.chain_place(node, "input"), message);
        findings.push(finding.help("add `- { state: [established, related], accept: {} }` as the first rule"));
    }
}

/// Rules behind one that decides about every packet.
fn never_reached(view: &View<'_>, findings: &mut Vec<Finding>) {
    let packets = view.packets();
    let mut decided: BTreeMap<(&str, &str), Place> = BTreeMap::new();
    for packet in &packets {
        let key = (packet.at.as_str(), packet.chain.as_str());
        if let Some(first) = decided.get(&key) {
            let message = format!("this rule of the chain `{}` of \"{}\" is never reached", packet.chain, packet.at);
            let finding = Finding::warning("rule-never-reached", packet.place, message).also(*first, "this one takes every packet");
            findings.push(finding.help("put it before the one that takes every packet, or take it out"));
            continue;
        }
        let rule = packet.rule;
        let bare = PacketRule { counter: rule.counter, log: rule.log.clone(), verdict: rule.verdict.clone(), set_mark: rule.set_mark, ..PacketRule::default() };
        if *rule == bare && rule.verdict.is_some() {
            decided.insert(key, packet.place);
        }
    }
}

/// The subnets that live on each bridge, as the addresses on its segment have them.
fn subnets(view: &View<'_>) -> BTreeMap<usize, BTreeSet<IpNet>> {
    let mut subnets: BTreeMap<usize, BTreeSet<IpNet>> = BTreeMap::new();
    for address in view.nodes.values().flat_map(|node| &node.addresses) {
        if let Some(segment) = view.segments.of(&address.link) {
            subnets.entry(segment).or_default().insert(address.subnet());
        }
    }
    subnets
}

/// A masquerade that also hits frames which a bridge of the node only passes on from port to port: where br_netfilter is on they go through the same
/// chain, get the bridge's address, and are lost.
fn masquerade_of_bridged(view: &View<'_>, findings: &mut Vec<Finding>) {
    let packets = view.packets();
    let changes = |rule: &PacketRule| matches!(rule.verdict, Some(Verdict::Masquerade | Verdict::Snat(_)));
    if !packets.iter().any(|packet| changes(packet.rule)) {
        return;
    }
    let subnets = subnets(view);
    let ports: BTreeMap<_, usize> = view.links.values().filter_map(|link| link.master_id()).fold(BTreeMap::new(), |mut count, master| {
        *count.entry(master).or_default() += 1;
        count
    });
    for packet in packets.iter().filter(|packet| changes(packet.rule)) {
        let bridges = packet.node.links.values().filter(|link| link.kind == Kind::Bridge && ports.get(&link.id).is_some_and(|count| *count > 1));
        for bridge in bridges.filter(|bridge| !off(packet.node, bridge)) {
            let nets = view.segments.of(&bridge.id).and_then(|segment| subnets.get(&segment));
            let Some(net) = nets.into_iter().flatten().find(|net| hits(packet.rule, bridge, **net)) else { continue };
            let message = format!(
                "this also hits what the bridge \"{}\" of \"{}\" passes on between its ports in {net}, where br_netfilter is on",
                bridge.id.name, packet.at
            );
            let finding = Finding::warning("masquerade-of-bridged", packet.place, message).also(view.link_place(&bridge.id), "the bridge");
            findings.push(finding.help(format!("add `out: \"!{}\"` or `destination: \"!{net}\"`", bridge.id.name)));
        }
    }
}

/// Whether the file itself says that bridged frames stay out of the chains.
fn off(node: &NodeView<'_>, bridge: &Link) -> bool {
    let _ = bridge;
    node.sysctls.get("net/bridge/bridge-nf-call-iptables").is_some_and(|sysctl| sysctl.value == "0")
}

/// Whether a rule hits a packet from one address of `net` to another that leaves by `bridge`.
fn hits(rule: &PacketRule, bridge: &Link, net: IpNet) -> bool {
    let family = rule.family.is_none_or(|family| family == crate::resource::Family::of(&net));
    let out = rule.output.as_ref().is_none_or(|names| holds(names, bridge.id.name.as_str()));
    let source = rule.source.as_ref().is_none_or(|list| if list.not { !covers(list, net) } else { touches(list, net) });
    let destination = rule.destination.as_ref().is_none_or(|list| if list.not { !covers(list, net) } else { touches(list, net) });
    family && out && source && destination
}

/// First and last address of a range.
fn ends(item: &AddressRange) -> (IpAddr, IpAddr) {
    match item {
        AddressRange::Prefix(net) => (net.network(), net.broadcast()),
        AddressRange::Range(from, to) => (*from, *to),
    }
}

/// Whether one item of the list holds all of `net`.
fn covers(list: &AddressMatch, net: IpNet) -> bool {
    list.items.iter().map(ends).any(|(from, to)| from.is_ipv4() == net.addr().is_ipv4() && from <= net.network() && net.broadcast() <= to)
}

/// Whether the list holds some of `net`.
fn touches(list: &AddressMatch, net: IpNet) -> bool {
    list.items.iter().map(ends).any(|(from, to)| from.is_ipv4() == net.addr().is_ipv4() && from <= net.broadcast() && net.network() <= to)
}
