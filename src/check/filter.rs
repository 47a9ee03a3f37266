//! Rules about chains as a whole: what the rules of NAT and firewall do together.

use super::packet::ends;
use super::packets::{Act, Packet, chains, gather};
use super::rule::{Found, Rule};
use super::view::{NodeView, View};
use crate::document::schema::firewall::{ChainSection, FirewallRule, Policy, VerdictKey};
use crate::document::schema::matching::{Matches, State};
use crate::document::value::{AddressItem, InterfaceItem};
use crate::document::yaml::read::Many;
use crate::document::{Finding, Loc, Place};
use crate::resource::{Kind, Link, LinkId, Node};
use ipnet::IpNet;
use std::collections::{BTreeMap, BTreeSet};

/// All of them.
pub(super) const RULES: &[Rule] = &[dropping_input, never_reached, masquerade_of_bridged];

/// What a dropping `input` must not forget.
fn dropping_input(view: &View<'_>, findings: &mut Found) {
    for (at, node) in &view.nodes {
        let Some(firewall) = node.section.and_then(|section| section.firewall.as_ref()) else { continue };
        for (_, chain) in chains(firewall).filter(|(hook, _)| *hook == "input") {
            if let Some(policy) = chain.policy.as_ref().filter(|policy| policy.value == Policy::Drop) {
                without_icmpv6(view, at, node, chain, policy.place, findings);
                without_established(at, chain, policy.place, findings);
            }
        }
    }
}

/// Whether some rule of `chain` accepts what `fits` says; a raw rule counts when it has `word`.
fn accepts(chain: &ChainSection, word: &str, fits: impl Fn(&FirewallRule) -> bool) -> bool {
    chain.rules.iter().any(|rule| match rule.verdict.as_ref().map(|verdict| &verdict.value) {
        Some(VerdictKey::Accept(_)) => fits(rule),
        Some(VerdictKey::Nft(line)) => line.value.0.contains(word),
        _ => false,
    })
}

/// Whether a rule takes everything but for what its interfaces and addresses say.
fn any_packet(rule: &Matches) -> bool {
    rule.protocol.is_none() && rule.state.is_none() && rule.mark.is_none() && rule.limit.is_none()
}

/// Whether a rule is only for `lo`.
fn loopback_only(rule: &Matches) -> bool {
    rule.input.as_ref().is_some_and(|names| names.iter().all(|item| !item.not && item.name == "lo"))
}

/// Whether a list is there and none of it is IPv6.
fn only_v4(list: &Option<Many<Loc<AddressItem>>>) -> bool {
    list.as_ref().is_some_and(|list| list.iter().all(|item| ends(item).0.is_ipv4()))
}

/// IPv6 finds its neighbours by ICMPv6: an input that drops it cuts IPv6 off, a little later, when the cache has gone
/// stale.
fn without_icmpv6(
    view: &View<'_>,
    at: &Node,
    node: &NodeView<'_>,
    chain: &ChainSection,
    place: Place,
    findings: &mut Found,
) {
    let Some(address) =
        node.addresses.iter().find(|address| address.address.addr().is_ipv6() && !address.address.addr().is_loopback())
    else {
        return;
    };
    let takes = |rule: &FirewallRule| {
        let rule = &rule.matches;
        let icmp = rule.protocol.as_ref().is_some_and(|protocol| protocol.number == 58);
        (icmp || any_packet(rule))
            && !loopback_only(rule)
            && !only_v4(&rule.source)
            && !only_v4(&rule.destination.addresses)
    };
    if !accepts(chain, "icmpv6", takes) {
        let message = format!("the input of \"{at}\" drops ICMPv6, without which IPv6 finds no neighbours");
        let finding =
            Finding::warning("input-drops-icmpv6", place, message).also(view.place(&address.id()), "an IPv6 address");
        findings.push(finding.help("add the rule `{ protocol: icmpv6, accept: {} }`"));
    }
}

/// An input that drops the answers to what the node itself asked.
fn without_established(at: &Node, chain: &ChainSection, place: Place, findings: &mut Found) {
    let takes = |rule: &FirewallRule| {
        let state = rule
            .matches
            .state
            .as_ref()
            .is_some_and(|states| states.iter().any(|state| state.value == State::Established));
        state || (any_packet(&rule.matches) && !loopback_only(&rule.matches))
    };
    if !accepts(chain, "established", takes) {
        let message = format!("the input of \"{at}\" drops the answers to what the node itself asks");
        let finding = Finding::warning("input-drops-established", place, message);
        findings.push(finding.help("add as the first rule `{ state: [established, related], accept: {} }`"));
    }
}

/// Whether a rule goes by nothing: every packet fits.
fn takes_all(rule: &Matches) -> bool {
    let Matches {
        input,
        output,
        source,
        destination,
        protocol,
        icmp_type,
        port,
        source_port,
        state,
        mark,
        limit,
        place: _,
    } = rule;
    let lists = input.is_some()
        || output.is_some()
        || source.is_some()
        || !destination.is_any()
        || port.is_some()
        || source_port.is_some()
        || state.is_some();
    !lists && protocol.is_none() && icmp_type.is_none() && mark.is_none() && limit.is_none()
}

/// Whether nothing gets past a rule. What a raw rule goes by is nft's to know: it counts where its text is plainly a
/// verdict and no more.
fn ends_chain(packet: &Packet<'_, '_>) -> bool {
    match packet.act {
        Act::Verdict(Some(verdict)) => match &verdict.value {
            VerdictKey::Nft(line) => bare_verdict(&line.value.0),
            _ => takes_all(packet.matches),
        },
        act => act.decides() && takes_all(packet.matches),
    }
}

/// Whether a rule in nft's words is a verdict alone: `accept`, `counter drop`.
fn bare_verdict(line: &str) -> bool {
    let mut words = line.split_whitespace().skip_while(|word| matches!(*word, "counter" | "log"));
    matches!((words.next(), words.next()), (Some("accept" | "drop" | "reject"), None))
}

/// Rules behind one that decides about every packet; of each chain the first.
fn never_reached(view: &View<'_>, findings: &mut Found) {
    let mut decided: BTreeMap<(&Node, String), Option<Place>> = BTreeMap::new();
    for packet in gather(view) {
        // NAT rules of one hook are one chain; `masquerade` and `snat` come after `dnat` and `redirect`.
        let chain =
            if packet.act.is_nat() { format!("nat {}", packet.hook.unwrap_or_default()) } else { packet.chain.clone() };
        let key = (packet.at, chain);
        match decided.get(&key) {
            Some(Some(first)) => {
                let message =
                    format!("this rule of {} in \"{}\" and all behind it are never reached", packet.chain, packet.at);
                let finding = Finding::warning("rule-never-reached", packet.place, message)
                    .also(*first, "this one takes every packet");
                findings.push(finding.help("put it before the one that takes every packet, or leave it out"));
                decided.insert(key, None);
            }
            Some(None) => {}
            None if ends_chain(&packet) => {
                decided.insert(key, Some(packet.place));
            }
            None => {}
        }
    }
}

/// The subnets that live on each segment, as the addresses there have them.
fn subnets(view: &View<'_>) -> BTreeMap<usize, BTreeSet<IpNet>> {
    let mut subnets: BTreeMap<usize, BTreeSet<IpNet>> = BTreeMap::new();
    for address in view.nodes.values().flat_map(|node| &node.addresses) {
        let link_local = matches!(address.address.addr(), std::net::IpAddr::V6(ip) if ip.is_unicast_link_local());
        if let Some(segment) = view.segments.of(&address.link).filter(|_| !link_local) {
            subnets.entry(segment).or_default().insert(address.subnet());
        }
    }
    subnets
}

/// A masquerade that also hits frames which a bridge of the node only passes on from port to port: where br_netfilter
/// is on they go through the same chain, get the bridge's address, and are lost.
fn masquerade_of_bridged(view: &View<'_>, findings: &mut Found) {
    let packets: Vec<Packet> = gather(view).into_iter().filter(|packet| packet.act.changes_source()).collect();
    if packets.is_empty() {
        return;
    }
    let subnets = subnets(view);
    let mut ports: BTreeMap<LinkId, usize> = BTreeMap::new();
    for master in view.links.values().filter_map(|link| link.master_id()) {
        *ports.entry(master).or_default() += 1;
    }
    for packet in packets {
        if packet.node.sysctls.get("net/bridge/bridge-nf-call-iptables").is_some_and(|sysctl| sysctl.value == "0") {
            continue;
        }
        let bridges = packet
            .node
            .links
            .values()
            .filter(|link| link.kind == Kind::Bridge && ports.get(&link.id).is_some_and(|count| *count > 1));
        for bridge in bridges {
            let nets = view.segments.of(&bridge.id).and_then(|segment| subnets.get(&segment));
            let Some(net) = nets.into_iter().flatten().find(|net| hits(packet.matches, bridge, **net)) else {
                continue;
            };
            let name = &bridge.id.name;
            let message = format!(
                "where br_netfilter is on, this also changes what only passes from port to port of the bridge \"{name}\""
            );
            let finding = Finding::warning("masquerade-of-bridged", packet.place, message)
                .also(view.link_place(&bridge.id), "frames between its ports would be lost");
            findings.push(finding.help(format!("add `out: \"!{name}\"` or `destination: \"!{net}\"`")));
        }
    }
}

/// Whether a rule hits a packet from one address of `net` to another that leaves by `bridge`.
fn hits(rule: &Matches, bridge: &Link, net: IpNet) -> bool {
    let out = rule.output.as_ref().is_none_or(|names| holds(names, bridge.id.name.as_str()));
    out && within(&rule.source, net) && within(&rule.destination.addresses, net)
}

/// Whether a list of names and patterns holds `name`.
fn holds(names: &[Loc<InterfaceItem>], name: &str) -> bool {
    let fits = |item: &Loc<InterfaceItem>| {
        item.name.strip_suffix('*').map_or(item.name == name, |start| name.starts_with(start))
    };
    if names.iter().any(|item| item.not) { !names.iter().any(fits) } else { names.iter().any(fits) }
}

/// Whether some packet of `net` may be meant by a list of addresses.
fn within(list: &Option<Many<Loc<AddressItem>>>, net: IpNet) -> bool {
    let Some(list) = list else { return true };
    let mut same =
        list.iter().map(|item| (item.not, ends(item))).filter(|(_, (from, _))| from.is_ipv4() == net.addr().is_ipv4());
    let covers =
        |(_, (from, to)): (bool, (std::net::IpAddr, std::net::IpAddr))| from <= net.network() && net.broadcast() <= to;
    let touches =
        |(_, (from, to)): (bool, (std::net::IpAddr, std::net::IpAddr))| from <= net.broadcast() && net.network() <= to;
    if list.iter().any(|item| item.not) {
        let none_of_family = same.clone().next().is_none();
        !none_of_family && !same.any(covers)
    } else {
        same.any(touches)
    }
}
