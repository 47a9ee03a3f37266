//! Rules about single rules of NAT and firewall.

use super::packets::{Act, Packet, gather};
use super::rule::{Found, Rule};
use super::view::{NodeView, View};
use crate::document::lower::raw::MOST_PORTS;
use crate::document::schema::firewall::{RejectWith, VerdictKey};
use crate::document::value::{AddressItem, InterfaceItem, Ports};
use crate::document::yaml::read::Many;
use crate::document::{Finding, Loc, Place};
use crate::resource::{AddressRange, Family};
use std::net::IpAddr;

/// All of them.
pub(super) const RULES: &[Rule] = &[each];

/// Looks at one rule of NAT or firewall.
type PacketRule = fn(&Packet<'_, '_>, &mut Found);

const PACKET_RULES: &[PacketRule] = &[
    pool_of_ports,
    reject_too_late,
    unknown_interface,
    meaningless_interface,
    mixed_families,
    ports_without_protocol,
    icmp_type_without_icmp,
    reset_without_tcp,
    bad_target,
];

/// All rules about one rule, for each of them.
fn each(view: &View<'_>, findings: &mut Found) {
    for packet in gather(view) {
        for rule in PACKET_RULES {
            rule(&packet, findings);
        }
    }
}

type Interfaces<'a> = &'a Many<Loc<InterfaceItem>>;

fn interfaces<'a>(packet: &Packet<'_, 'a>) -> impl Iterator<Item = (&'static str, Interfaces<'a>)> {
    let matches = packet.matches;
    [("in", &matches.input), ("out", &matches.output)]
        .into_iter()
        .filter_map(|(key, names)| Some((key, names.as_ref()?)))
}

/// `in` or `out` that fits no interface of a node of which the file says everything.
fn unknown_interface(packet: &Packet<'_, '_>, findings: &mut Found) {
    for (key, names) in interfaces(packet).filter(|_| packet.node.created()) {
        for item in names.iter().filter(|item| !fits_any(packet.node, &item.name)) {
            let name = &item.name;
            let message = if name.ends_with('*') {
                format!("`{key}: \"{name}\"` fits no interface of \"{}\"", packet.at)
            } else {
                format!("`{key}` names the interface \"{name}\", which \"{}\" does not have", packet.at)
            };
            findings.push(
                Finding::error("unknown-interface", item.place, message)
                    .help(packet.node.interfaces_help(&name.as_str().into())),
            );
        }
    }
}

/// Whether `pattern` is, or fits, an interface of `node`.
fn fits_any(node: &NodeView<'_>, pattern: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => "lo".starts_with(start) || node.has_beginning(start),
        None => node.has(&pattern.into()),
    }
}

/// `in` for what is on its way out, `out` for what just came in.
fn meaningless_interface(packet: &Packet<'_, '_>, findings: &mut Found) {
    for (key, names) in interfaces(packet) {
        let (other, why) = match (key, packet.hook) {
            ("in", Some("output" | "postrouting")) => {
                ("out", "where a packet came in is not known any more when it leaves")
            }
            ("out", Some("prerouting" | "input")) => {
                ("in", "where a packet will go out is not known yet when it comes in")
            }
            _ => continue,
        };
        let place = names.first().map_or(packet.place, |item| item.place);
        let message = format!("`{key}` has no meaning in {} of \"{}\"", packet.chain, packet.at);
        findings.push(
            Finding::error("interface-without-meaning", place, message)
                .help(format!("{why}: use `{other}`, `source` or `destination`")),
        );
    }
}

/// A part of a rule that is of a family, what says so, and where.
struct Part {
    key: &'static str,
    family: Family,
    place: Place,
}

fn family(ip: IpAddr) -> Family {
    if ip.is_ipv4() { Family::V4 } else { Family::V6 }
}

fn word(family: Family) -> &'static str {
    if family == Family::V4 { "IPv4" } else { "IPv6" }
}

/// First and last address of a range.
pub(super) fn ends(item: &AddressItem) -> (IpAddr, IpAddr) {
    match item.range {
        AddressRange::Prefix(net) => (net.network(), net.broadcast()),
        AddressRange::Range(from, to) => (from, to),
    }
}

fn parts(packet: &Packet<'_, '_>) -> Vec<Part> {
    let matches = packet.matches;
    let mut parts = Vec::new();
    for (key, list) in [("source", &matches.source), ("destination", &matches.destination.addresses)] {
        let items = list.iter().flat_map(|list| list.iter());
        parts.extend(items.map(|item| Part { key, family: family(ends(item).0), place: item.place }));
    }
    if let Some(protocol) = &matches.protocol {
        let family = match protocol.number {
            1 => Some(Family::V4),
            58 => Some(Family::V6),
            _ => None,
        };
        parts.extend(family.map(|family| Part { key: "protocol", family, place: protocol.place }));
    }
    parts.extend(packet.act.target().map(|target| Part {
        key: "to",
        family: family(target.0.address),
        place: target.place,
    }));
    parts
}

/// Parts of one rule that are of two families: no packet is. A list may hold both, and is then two rules, but each
/// needs its counterpart.
fn mixed_families(packet: &Packet<'_, '_>, findings: &mut Found) {
    let parts = parts(packet);
    // The first of each key, and of each family of it: lists may be long.
    let mut firsts: Vec<&Part> = Vec::new();
    for part in &parts {
        if !firsts.iter().any(|first| first.key == part.key && first.family == part.family) {
            firsts.push(part);
        }
    }
    let has = |key: &str, family: Family| firsts.iter().any(|part| part.key == key && part.family == family);
    for part in &parts {
        let lacks = |other: &&&Part| other.key != part.key && !has(other.key, part.family);
        // Each pair once, at the later place.
        let Some(other) =
            firsts.iter().find(lacks).filter(|other| other.place < part.place || has(part.key, other.family))
        else {
            continue;
        };
        let message = format!(
            "`{}` is {} here and `{}` {}, and no packet is both",
            part.key,
            word(part.family),
            other.key,
            word(other.family)
        );
        let finding = Finding::error("mixed-families", part.place, message).also(other.place, word(other.family));
        findings.push(finding.help("write a rule for each family (`icmp` is IPv4's, `icmpv6` IPv6's)"));
    }
}

/// Ports of a protocol that has none, or of no protocol at all.
fn ports_without_protocol(packet: &Packet<'_, '_>, findings: &mut Found) {
    let matches = packet.matches;
    if matches.protocol.as_ref().is_some_and(|protocol| protocol.has_ports()) {
        return;
    }
    let first = |ports: &Option<Many<Loc<Ports>>>| {
        ports.as_ref().map(|ports| ports.first().map_or(packet.place, |port| port.place))
    };
    let redirected = if let Act::Redirect(to) = packet.act { to.map(|to| to.place) } else { None };
    let target = packet.act.target().filter(|target| target.0.port.is_some()).map(|target| target.place);
    let places = [
        ("`port`", first(&matches.port)),
        ("`source-port`", first(&matches.source_port)),
        ("a port in `to`", redirected.or(target)),
    ];
    let Some((key, place)) = places.into_iter().find_map(|(key, place)| Some((key, place?))) else { return };
    let finding = match &matches.protocol {
        Some(protocol) => {
            let message = format!("{key} is of no use: the protocol \"{}\" has no ports", protocol.name);
            Finding::error("port-without-protocol", place, message).also(protocol.place, "the protocol")
        }
        None => Finding::error("port-without-protocol", place, format!("{key} needs a protocol that has ports")),
    };
    let verb = if matches.protocol.is_some() { "use" } else { "add" };
    findings.push(finding.help(format!("{verb} `protocol: tcp` or `protocol: udp`; for both write two rules")));
}

/// A type of message of a protocol that is not ICMP.
fn icmp_type_without_icmp(packet: &Packet<'_, '_>, findings: &mut Found) {
    let Some(kind) = &packet.matches.icmp_type else { return };
    let protocol = packet.matches.protocol.as_ref();
    let message = match protocol.map(|protocol| (protocol.number, protocol.name.as_str())) {
        Some((1, _)) if kind.fits(false) => return,
        Some((58, _)) if kind.fits(true) => return,
        Some((1 | 58, name)) => format!("the icmp-type \"{}\" is none of the protocol \"{name}\"", kind.0),
        Some((_, name)) => format!("an icmp-type needs an ICMP protocol, found \"{name}\""),
        None => "an icmp-type needs a protocol that has it".to_owned(),
    };
    let right = if kind.fits(false) { "icmp" } else { "icmpv6" };
    let both = if kind.fits(false) && kind.fits(true) { " (or `icmpv6` for IPv6)" } else { "" };
    findings.push(
        Finding::error("icmp-type-without-icmp", kind.place, message).help(format!("write `protocol: {right}`{both}")),
    );
}

/// A TCP answer to what may not be TCP: nft refuses that.
fn reset_without_tcp(packet: &Packet<'_, '_>, findings: &mut Found) {
    let Act::Verdict(Some(verdict)) = packet.act else { return };
    let VerdictKey::Reject(reject) = &verdict.value else { return };
    let Some(with) = reject.with.as_ref().filter(|with| with.value == RejectWith::TcpReset) else { return };
    if packet.matches.protocol.as_ref().is_none_or(|protocol| protocol.number != 6) {
        let message = "`tcp-reset` answers TCP, and this rule also takes other packets";
        findings.push(
            Finding::error("reset-without-tcp", with.place, message).help("add `protocol: tcp`, or leave `with` out"),
        );
    }
}

/// Ports that go to a range which does not hold them: for the kernel it is a pool, of which all get the first that is
/// free. (Two ranges of one length are taken one to one, as long as there are not too many.)
fn pool_of_ports(packet: &Packet<'_, '_>, findings: &mut Found) {
    let to = match packet.act {
        Act::Redirect(Some(to)) => Some((to.value, to.place)),
        Act::Dnat(target) => target.0.port.map(|(first, last)| (Ports { first, last }, target.place)),
        _ => None,
    };
    let Some((to, place)) = to.filter(|(to, _)| to.last > to.first) else { return };
    let from: Vec<Ports> = packet.matches.port.iter().flat_map(|ports| ports.iter()).map(|ports| ports.value).collect();
    let kept = |ports: &Ports| to.first <= ports.first && ports.last <= to.last;
    let one_to_one = matches!(from.as_slice(), [one] if one.last - one.first == to.last - to.first && one.last - one.first < MOST_PORTS);
    if from.iter().all(kept) && !from.is_empty() || one_to_one {
        return;
    }
    let named = from.iter().map(|ports| {
        if ports.first == ports.last { ports.first.to_string() } else { format!("{}-{}", ports.first, ports.last) }
    });
    let what = if from.is_empty() {
        "all ports".to_owned()
    } else {
        format!("the port {}", named.collect::<Vec<_>>().join(", "))
    };
    let message = format!("{what} goes to whichever of {}-{} is free, which mostly is {}", to.first, to.last, to.first);
    let finding = Finding::warning("nat-pool", place, message);
    findings.push(finding.help(format!(
        "two ranges of the same length, of at most {MOST_PORTS} ports, go one to one; else write a rule for each"
    )));
}

/// A reject of what is about to leave: the kernel takes none there (`nft_reject_inet_validate`).
fn reject_too_late(packet: &Packet<'_, '_>, findings: &mut Found) {
    let Act::Verdict(Some(verdict)) = packet.act else { return };
    if packet.hook == Some("postrouting") && matches!(verdict.value, VerdictKey::Reject(_)) {
        let message =
            format!("nothing can be rejected in {} of \"{}\": it is too late for an answer", packet.chain, packet.at);
        findings.push(
            Finding::error("reject-too-late", verdict.place, message)
                .help("reject it in `forward` or `output`, or write `drop: {}`"),
        );
    }
}

/// A target that no packet can go to or come from.
fn bad_target(packet: &Packet<'_, '_>, findings: &mut Found) {
    let Some(target) = packet.act.target() else { return };
    let dnat = matches!(packet.act, Act::Dnat(_));
    let ip = target.0.address;
    let (what, help) = if ip.is_unspecified() {
        ("stands for no address", "name the address that it shall be")
    } else if ip.is_multicast() || ip == IpAddr::from([255, 255, 255, 255]) {
        ("is not the address of one interface", "name a unicast address")
    } else if ip.is_loopback() && !dnat {
        ("never leaves the node as a source", "name an address that others can answer to")
    } else if dnat
        && ip.is_ipv4()
        && ip.is_loopback()
        && packet.hook == Some("prerouting")
        && !packet.node.routes_loopback()
    {
        let message = format!("packets from outside never reach \"{ip}\": the kernel drops them after this dnat");
        let help = "set `net.ipv4.conf.all.route_localnet: 1` in `sysctls`, use `redirect`, or name another address of the node";
        findings.push(Finding::warning("dnat-to-loopback", target.place, message).help(help));
        return;
    } else {
        return;
    };
    findings.push(Finding::error("nat-target", target.place, format!("the target \"{ip}\" {what}")).help(help));
}
