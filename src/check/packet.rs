//! Rules about single rules of NAT and firewall.

use super::Rule;
use super::view::{NodeView, View};
use crate::document::Finding;
use crate::resource::{AddressMatch, AddressRange, Family, IfMatch, PacketRule, Target, Verdict};
use std::net::IpAddr;

/// All of them.
pub(super) const RULES: &[Rule] =
    &[unknown_interface, meaningless_interface, mixed_families, ports_without_protocol, icmp_type_without_icmp, reset_without_tcp, bad_target];

/// `in` or `out` that fits no interface of a node of which the file says everything.
fn unknown_interface(view: &View<'_>, findings: &mut Vec<Finding>) {
    for packet in view.packets().iter().filter(|packet| packet.node.created()) {
        for (key, names) in interfaces(packet.rule) {
            for name in names.names.iter().filter(|name| !fits_any(packet.node, name)) {
                let message = if name.ends_with('*') {
                    format!("`{key}: {name}` fits no interface of \"{}\"", packet.at)
                } else {
                    format!("`{key}: {name}` names an interface that \"{}\" does not have", packet.at)
                };
                findings.push(Finding::error("unknown-match-interface", packet.place, message).help(packet.node.interfaces_help(&name.as_str().into())));
            }
        }
    }
}

fn interfaces(rule: &PacketRule) -> impl Iterator<Item = (&'static str, &IfMatch)> {
    [("in", &rule.input), ("out", &rule.output)].into_iter().filter_map(|(key, names)| Some((key, names.as_ref()?)))
}

/// Whether `pattern` is, or fits, an interface of `node`.
pub(super) fn fits_any(node: &NodeView<'_>, pattern: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => "lo".starts_with(start) || node.names().any(|name| name.starts_with(start)),
        None => node.has(&pattern.into()),
    }
}

/// Whether a list of names and patterns holds `name`.
pub(super) fn holds(names: &IfMatch, name: &str) -> bool {
    let one = |pattern: &String| pattern.strip_suffix('*').map_or(pattern == name, |start| name.starts_with(start));
    names.names.iter().any(one) != names.not
}

/// `in` for what is on its way out, `out` for what just came in.
fn meaningless_interface(view: &View<'_>, findings: &mut Vec<Finding>) {
    for packet in view.packets() {
        let (key, other) = match packet.hook {
            Some("output" | "postrouting") if packet.rule.input.is_some() => ("in", "out"),
            Some("prerouting" | "input") if packet.rule.output.is_some() => ("out", "in"),
            _ => continue,
        };
        let what = match (&packet.rule.verdict, packet.hook) {
            (Some(Verdict::Masquerade), _) => "masquerade".to_owned(),
            (Some(Verdict::Snat(_)), _) => "snat".to_owned(),
            (Some(Verdict::Dnat(_)), _) => "dnat".to_owned(),
            (Some(Verdict::Redirect(_)), _) => "redirect".to_owned(),
            (_, hook) => format!("the chain `{}`", hook.unwrap_or_default()),
        };
        let why = if key == "in" { "where a packet came in is not known any more there" } else { "where a packet will go out is not known yet there" };
        let message = format!("`{key}` has no meaning in {what} of \"{}\": {why}", packet.at);
        findings.push(Finding::error("interface-without-meaning", packet.place, message).help(format!("use `{other}`, or `source` and `destination`")));
    }
}

/// The families that the parts of a rule are of, each with the key that says so.
fn families(rule: &PacketRule) -> Vec<(&'static str, Family)> {
    let of = |ip: IpAddr| if ip.is_ipv4() { Family::V4 } else { Family::V6 };
    let addresses = |list: &AddressMatch| {
        list.items.first().map(|item| match item {
            AddressRange::Prefix(net) => Family::of(net),
            AddressRange::Range(from, _) => of(*from),
        })
    };
    let protocol = match rule.protocol.as_deref() {
        Some("icmp" | "igmp") => Some(Family::V4),
        Some("icmpv6" | "ipv6-icmp") => Some(Family::V6),
        _ => None,
    };
    let parts = [
        ("source", rule.source.as_ref().and_then(addresses)),
        ("destination", rule.destination.as_ref().and_then(addresses)),
        ("protocol", protocol),
        ("to", target(rule).map(|target| of(target.address))),
    ];
    parts.into_iter().filter_map(|(key, family)| Some((key, family?))).collect()
}

fn target(rule: &PacketRule) -> Option<&Target> {
    match &rule.verdict {
        Some(Verdict::Snat(target) | Verdict::Dnat(target)) => Some(target),
        _ => None,
    }
}

/// Parts of one rule that are of two families: no packet is.
fn mixed_families(view: &View<'_>, findings: &mut Vec<Finding>) {
    let word = |family: Family| if family == Family::V4 { "IPv4" } else { "IPv6" };
    for packet in view.packets() {
        let parts = families(packet.rule);
        let Some((key, family)) = parts.first() else { continue };
        let Some((other, odd)) = parts.iter().find(|(_, one)| one != family) else { continue };
        let message = format!("a rule of \"{}\" fits no packet: its `{key}` is {}, its `{other}` {}", packet.at, word(*family), word(*odd));
        findings.push(Finding::error("mixed-families", packet.place, message).help("write a rule for each family (`icmp` is IPv4's, `icmpv6` is IPv6's)"));
    }
}

/// Whether a protocol, by name or number, has ports.
pub(super) fn has_ports(protocol: &str) -> bool {
    matches!(protocol, "tcp" | "udp" | "sctp" | "dccp" | "udplite" | "6" | "17" | "33" | "132" | "136")
}

/// Ports of a protocol that has none, or of no protocol at all.
fn ports_without_protocol(view: &View<'_>, findings: &mut Vec<Finding>) {
    for packet in view.packets() {
        let rule = packet.rule;
        let redirect = matches!(rule.verdict, Some(Verdict::Redirect(Some(_))));
        let key = if !rule.port.is_empty() {
            "port"
        } else if !rule.source_port.is_empty() {
            "source-port"
        } else if redirect || target(rule).is_some_and(|target| target.port.is_some()) {
            "to"
        } else {
            continue;
        };
        let what = if key == "to" { "`to` names a port".to_owned() } else { format!("`{key}` is there") };
        let message = match rule.protocol.as_deref() {
            Some(protocol) if has_ports(protocol) => continue,
            Some(protocol) => format!("in a rule of \"{}\" {what}, but \"{protocol}\" has no ports", packet.at),
            None => format!("in a rule of \"{}\" {what}, but no protocol", packet.at),
        };
        findings.push(Finding::error("port-without-protocol", packet.place, message).help("add `protocol: tcp` or `protocol: udp`; for both write two rules"));
    }
}

/// A type of message of a protocol that is not ICMP.
fn icmp_type_without_icmp(view: &View<'_>, findings: &mut Vec<Finding>) {
    for packet in view.packets() {
        let (Some(kind), protocol) = (&packet.rule.icmp_type, packet.rule.protocol.as_deref()) else { continue };
        if matches!(protocol, Some("icmp" | "icmpv6" | "ipv6-icmp" | "1" | "58")) {
            continue;
        }
        let has = protocol.map_or("no protocol".to_owned(), |protocol| format!("the protocol \"{protocol}\""));
        let message = format!("a rule of \"{}\" has the icmp-type \"{kind}\" and {has}", packet.at);
        findings.push(Finding::error("icmp-type-without-icmp", packet.place, message).help("add `protocol: icmp`, or `protocol: icmpv6` for IPv6"));
    }
}

/// A TCP answer to what may not be TCP: nft refuses that.
fn reset_without_tcp(view: &View<'_>, findings: &mut Vec<Finding>) {
    for packet in view.packets() {
        let reset = matches!(&packet.rule.verdict, Some(Verdict::Reject(Some(with))) if with == "tcp-reset");
        if reset && !matches!(packet.rule.protocol.as_deref(), Some("tcp" | "6")) {
            let message = format!("a rule of \"{}\" rejects with tcp-reset what may be no TCP", packet.at);
            findings.push(Finding::error("reset-without-tcp", packet.place, message).help("add `protocol: tcp`, or reject without `with`"));
        }
    }
}

/// A target that no packet can go to or come from.
fn bad_target(view: &View<'_>, findings: &mut Vec<Finding>) {
    for packet in view.packets() {
        let Some(target) = target(packet.rule) else { continue };
        let dnat = matches!(packet.rule.verdict, Some(Verdict::Dnat(_)));
        let ip = target.address;
        let (what, help) = if ip.is_unspecified() {
            ("stands for no address", "name the address that it shall be")
        } else if ip.is_multicast() || ip == IpAddr::from([255, 255, 255, 255]) {
            ("is not the address of one interface", "name a unicast address")
        } else if target.last.is_some_and(|last| last < ip) {
            ("is the start of a range that ends before it", "write the lower address first")
        } else if ip.is_loopback() && !dnat {
            ("never leaves the node as a source", "name an address that others can answer to")
        } else if dnat && ip.is_ipv4() && ip.is_loopback() && !packet.node.routes_loopback() {
            let message = format!("\"{ip}\" cannot be reached from outside, so this dnat of \"{}\" drops what it is for", packet.at);
            let help = "set `net.ipv4.conf.all.route_localnet: 1` in `sysctls`, or send it to another address of the node";
            findings.push(Finding::warning("dnat-to-loopback", packet.place, message).help(help));
            continue;
        } else {
            continue;
        };
        let kind = if dnat { "dnat" } else { "snat" };
        let message = format!("the {kind} target \"{ip}\" in \"{}\" {what}", packet.at);
        findings.push(Finding::error("nat-target", packet.place, message).help(help));
    }
}
