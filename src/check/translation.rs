//! Rules about address translation that cannot do what is meant, or does more.

use super::packet::ends;
use super::packets::{Act, Packet, gather};
use super::rule::{Found, Rule};
use super::view::{NodeView, View};
use crate::document::schema::matching::Matches;
use crate::document::schema::nat::{Local, NatRule};
use crate::document::yaml::read::Many;
use crate::document::{Finding, Loc, Place};
use crate::resource::{Family, Node, Sysctl};
use std::collections::{HashMap, HashSet};
use std::fmt::Debug;
use std::net::IpAddr;

/// All of them.
pub(super) const RULES: &[Rule] = &[takes_everything, from_localhost, without_forwarding, twice];

/// A `dnat` that goes neither by where packets come in nor by where they go: what only passes through the node is
/// taken, too.
fn takes_everything(view: &View<'_>, findings: &mut Found) {
    for packet in
        gather(view).iter().filter(|packet| packet.hook == Some("prerouting") && matches!(packet.act, Act::Dnat(_)))
    {
        let rule = packet.matches;
        if rule.input.is_none() && rule.destination.is_any() && rule.source.is_none() && rule.mark.is_none() {
            let message = format!(
                "this dnat takes everybody's connections that come through \"{}\", wherever they go",
                packet.at
            );
            let finding = Finding::warning("dnat-of-everything", packet.place, message);
            findings.push(
                finding.help(
                    "add `destination: local` (an address of this node), `destination: ADDRESS` or `in: INTERFACE`",
                ),
            );
        }
    }
}

/// A `dnat` for the node's own connections that leads to another node: from 127.0.0.1 the kernel sends nothing there
/// without `route_localnet` (`__mkroute_output` of `net/ipv4/route.c`).
fn from_localhost(view: &View<'_>, findings: &mut Found) {
    let own = Own::of(view);
    for (at, node) in &view.nodes {
        for rule in node.section.into_iter().flat_map(|section| &section.nat) {
            let NatRule::Dnat(dnat) = &rule.value else { continue };
            let Some(local) = dnat.local.as_ref().filter(|local| local.value != Local::No) else { continue };
            let target = dnat.to.0.address;
            let mut named = dnat.matches.destination.addresses.iter().flat_map(|list| list.iter()).peekable();
            let meant = named.peek().is_none() || named.any(|item| ends(item).0.is_loopback());
            if meant && target.is_ipv4() && own.is_elsewhere(at, target) && !node.routes_loopback() {
                let message = format!(
                    "connections of \"{at}\" to localhost do not get to {target}: the kernel sends nothing from 127.0.0.1 to another node"
                );
                let finding = Finding::warning("dnat-from-localhost", local.place, message);
                findings.push(finding.help(
                    "add `net.ipv4.conf.all.route_localnet: 1` to its `sysctls`, or use another of its addresses",
                ));
            }
        }
    }
}

/// The addresses that the file gives to each node.
struct Own<'a>(HashMap<&'a Node, HashSet<IpAddr>>);

impl<'a> Own<'a> {
    fn of(view: &View<'a>) -> Self {
        Self(view.nodes.iter().map(|(at, node)| (*at, node.written_addresses.iter().copied().collect())).collect())
    }

    /// Whether a packet from `at` to `target` does not end in the node.
    fn is_elsewhere(&self, at: &Node, target: IpAddr) -> bool {
        !target.is_loopback() && self.0.get(at).is_none_or(|own| !own.contains(&target))
    }
}

/// Whether the file says that a node does not forward packets of a family. Elsewhere than in a namespace that topo
/// makes, what it does not say is as it was before.
fn stays(node: &NodeView<'_>, family: Family) -> bool {
    let (all, conf) = match family {
        Family::V4 => (Sysctl::FORWARDING_V4, "net/ipv4/conf/"),
        Family::V6 => (Sysctl::FORWARDING_V6, "net/ipv6/conf/"),
    };
    let forwards =
        |key: &str, value: &str| (key == all || key.starts_with(conf) && key.ends_with("/forwarding")) && value != "0";
    let off = node.sysctls.get(all).is_some_and(|sysctl| sysctl.value == "0");
    (node.created() || off) && !node.sysctls.iter().any(|(key, sysctl)| forwards(key, &sysctl.value))
}

/// Translation of what would pass through a node that passes nothing on.
fn without_forwarding(view: &View<'_>, findings: &mut Found) {
    let own = Own::of(view);
    let mut told: HashSet<(&Node, Family)> = HashSet::new();
    for packet in gather(view) {
        let (family, what) = match packet.act {
            Act::Masquerade => (family(&packet), "masquerade"),
            Act::Snat(to) => (of(to.0.address), "snat"),
            Act::Dnat(to) if packet.hook == Some("prerouting") && own.is_elsewhere(packet.at, to.0.address) => {
                (of(to.0.address), "dnat")
            }
            _ => continue,
        };
        // What the node itself sends needs no forwarding.
        let from_here = packet
            .matches
            .source
            .as_ref()
            .is_some_and(|list| list.iter().all(|item| !own.is_elsewhere(packet.at, ends(item).0)));
        // It is one fault of the node, however many rules miss it.
        if stays(packet.node, family) && !from_here && told.insert((packet.at, family)) {
            let (word, shown) = if family == Family::V4 { ("ipv4", "IPv4") } else { ("ipv6", "IPv6") };
            let message = format!(
                "\"{}\" does not forward {shown}, so that nothing passes through it for this {what}",
                packet.at
            );
            let finding = Finding::warning("nat-without-forwarding", packet.place, message);
            findings.push(finding.help(format!("add `forwarding: {word}` (or `true`) to \"{}\"", packet.at)));
        }
    }
}

fn of(address: IpAddr) -> Family {
    if address.is_ipv4() { Family::V4 } else { Family::V6 }
}

/// The family of a rule without a target, by its source; IPv4 where it says none.
fn family(packet: &Packet<'_, '_>) -> Family {
    let first = packet.matches.source.iter().flat_map(|list| list.iter()).next();
    first.map_or(Family::V4, |item| of(ends(item).0))
}

/// Two rules that change destinations and go by the same: the second never has a packet.
fn twice(view: &View<'_>, findings: &mut Found) {
    let mut first: HashMap<(&Node, String), Place> = HashMap::new();
    // One with a limit leaves something to those behind it.
    let all = gather(view)
        .into_iter()
        .filter(|packet| matches!(packet.act, Act::Dnat(_) | Act::Redirect(_)) && packet.matches.limit.is_none());
    for packet in all {
        let key = (packet.at, said(&packet));
        if let Some(place) = first.get(&key) {
            let message = format!("this {} goes by the same as one before it, which takes every packet", packet.chain);
            let finding = Finding::warning("nat-twice", packet.place, message).also(*place, "this one");
            findings.push(
                finding.help("leave one of them out, or let them go by different ports, interfaces or addresses"),
            );
        } else {
            first.insert(key, packet.place);
        }
    }
}

/// What a rule goes by, as one text; lists in any order are the same.
fn said(packet: &Packet<'_, '_>) -> String {
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
        limit: _,
        place: _,
    } = packet.matches;
    let lists = [
        sorted(input),
        sorted(output),
        sorted(source),
        sorted(&destination.addresses),
        sorted(port),
        sorted(source_port),
        sorted(state),
    ];
    let words = (
        protocol.as_ref().map(|word| word.number),
        icmp_type.as_ref().map(|kind| &kind.value),
        mark.as_ref().map(|mark| mark.value),
    );
    let family = packet.act.target().map(|to| to.0.address.is_ipv4());
    format!("{:?} {family:?} {lists:?} {} {words:?}", packet.hook, destination.local.is_some())
}

fn sorted<T: Debug>(list: &Option<Many<Loc<T>>>) -> Vec<String> {
    let mut items: Vec<String> =
        list.iter().flat_map(|list| list.iter()).map(|item| format!("{:?}", item.value)).collect();
    items.sort();
    items
}
