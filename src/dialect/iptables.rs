//! Rules in iptables' words, in the order in which `iptables -S` prints them.

use super::protocol::protocol;
use crate::resource::mark::mark;
use crate::resource::{AddressMatch, AddressRange, ChainRef, Family, IfMatch, Name, PacketRule, Target, Verdict};
use std::net::IpAddr;

/// The tables that iptables has; in the families `ip` and `ip6` they are taken to be its own.
pub const IPTABLES_TABLES: [&str; 5] = ["filter", "nat", "mangle", "raw", "security"];

/// The longest prefix that iptables' LOG takes (`struct xt_log_info` of `include/uapi/linux/netfilter/xt_LOG.h`, less
/// the NUL).
const LOG_PREFIX: usize = 29;

/// ICMPv4 types by nft's names (RFC 792, RFC 950, RFC 1256).
const ICMP: [(&str, u8); 15] = [
    ("echo-reply", 0),
    ("destination-unreachable", 3),
    ("source-quench", 4),
    ("redirect", 5),
    ("echo-request", 8),
    ("router-advertisement", 9),
    ("router-solicitation", 10),
    ("time-exceeded", 11),
    ("parameter-problem", 12),
    ("timestamp-request", 13),
    ("timestamp-reply", 14),
    ("info-request", 15),
    ("info-reply", 16),
    ("address-mask-request", 17),
    ("address-mask-reply", 18),
];

/// ICMPv6 types by nft's names (RFC 4443, RFC 4861, RFC 2710, RFC 3810).
const ICMPV6: [(&str, u8); 19] = [
    ("destination-unreachable", 1),
    ("packet-too-big", 2),
    ("time-exceeded", 3),
    ("parameter-problem", 4),
    ("echo-request", 128),
    ("echo-reply", 129),
    ("mld-listener-query", 130),
    ("mld-listener-report", 131),
    ("mld-listener-done", 132),
    ("mld-listener-reduction", 132),
    ("nd-router-solicit", 133),
    ("nd-router-advert", 134),
    ("nd-neighbor-solicit", 135),
    ("nd-neighbor-advert", 136),
    ("nd-redirect", 137),
    ("router-renumbering", 138),
    ("ind-neighbor-solicit", 141),
    ("ind-neighbor-advert", 142),
    ("mld2-listener-report", 143),
];

/// Whether the chain may be one of iptables': by family and table. (Whether it really is, only its shape in the kernel
/// reports.)
pub fn is_iptables(chain: &ChainRef) -> bool {
    matches!(chain.family.as_str(), "ip" | "ip6") && IPTABLES_TABLES.contains(&chain.table.as_str())
}

/// `rule` as arguments of `iptables -A CHAIN` (`family` V4) or `ip6tables -A CHAIN`, with our comment. Several where
/// one is not enough: lists, and a log or a mark beside a verdict. An error says what iptables has no words for.
///
/// # Errors
///
/// What iptables has no words for.
pub fn args(rule: &PacketRule, family: Family, topology: &Name) -> Result<Vec<Vec<String>>, String> {
    if families(rule).any(|own| own != family) {
        return Err(format!(
            "a rule for the other family cannot stand in a chain of {}",
            if family == Family::V4 { "iptables" } else { "ip6tables" }
        ));
    }
    let mut heads = vec![Vec::new()];
    heads = each(heads, &interfaces("-i", rule.input.as_ref())?);
    heads = each(heads, &interfaces("-o", rule.output.as_ref())?);
    heads = each(heads, &addresses("-s", "--src-range", rule.source.as_ref())?);
    heads = each(heads, &addresses("-d", "--dst-range", rule.destination.as_ref())?);
    heads = each(heads, &transport(rule, family)?);
    let mut tail = conditions(rule);
    tail.extend(words(&["-m", "comment", "--comment", &mark(topology)]));
    let targets = targets(rule, family)?;
    // All of one rule's targets stand together, so that a packet is logged right before it is decided.
    let line = |head: &Vec<String>, target: &Vec<String>| head.iter().chain(&tail).chain(target).cloned().collect();
    Ok(heads.iter().flat_map(|head| targets.iter().map(move |target| line(head, target))).collect())
}

/// The families that the values of a rule are of.
fn families(rule: &PacketRule) -> impl Iterator<Item = Family> {
    let of = |address: &IpAddr| if address.is_ipv4() { Family::V4 } else { Family::V6 };
    let items = rule.source.iter().chain(&rule.destination).flat_map(|list| &list.items).map(move |item| match item {
        AddressRange::Prefix(net) => Family::of(net),
        AddressRange::Range(from, _) => of(from),
    });
    let target = match &rule.verdict {
        Some(Verdict::Snat(target) | Verdict::Dnat(target)) => Some(of(&target.address)),
        _ => None,
    };
    let icmp = match rule.protocol.as_deref().map(protocol) {
        Some("icmp") => Some(Family::V4),
        Some("icmpv6") => Some(Family::V6),
        _ => None,
    };
    rule.family.into_iter().chain(items).chain(target).chain(icmp)
}

/// Every head with every one of the choices behind it.
fn each(heads: Vec<Vec<String>>, choices: &[Vec<String>]) -> Vec<Vec<String>> {
    heads.iter().flat_map(|head| choices.iter().map(|choice| head.iter().chain(choice).cloned().collect())).collect()
}

/// Owned words.
fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// `-i br0`, `! -o eth+`; a choice for each name.
fn interfaces(flag: &str, list: Option<&IfMatch>) -> Result<Vec<Vec<String>>, String> {
    let Some(list) = list else { return Ok(vec![Vec::new()]) };
    if list.not && list.names.len() > 1 {
        return Err("iptables has no \"none of these interfaces\": write one rule for each that is meant".to_owned());
    }
    let name = |name: &String| {
        let plus = name.strip_suffix('*').map_or_else(|| name.clone(), |stem| format!("{stem}+"));
        let mut choice = if list.not { words(&["!"]) } else { Vec::new() };
        choice.extend([flag.to_owned(), plus]);
        choice
    };
    // iptables reads a name's final plus as a wildcard, and has no way to say that it is not one.
    match list.names.iter().find(|name| name.ends_with('+') || name.chars().any(char::is_control)) {
        Some(bad) => Err(format!("iptables has no way to write the interface name {bad:?}")),
        None => Ok(list.names.iter().map(name).collect()),
    }
}

/// `-s 10.0.0.0/8`, `! -d …`, `-m iprange --src-range a-b`; a choice for each item.
fn addresses(flag: &str, range: &str, list: Option<&AddressMatch>) -> Result<Vec<Vec<String>>, String> {
    let Some(list) = list else { return Ok(vec![Vec::new()]) };
    if list.not && list.items.len() > 1 {
        return Err("iptables has no \"none of these addresses\": write one rule for each that is meant".to_owned());
    }
    let not = if list.not { words(&["!"]) } else { Vec::new() };
    let item = |item: &AddressRange| match item {
        AddressRange::Prefix(net) => not.iter().cloned().chain([flag.to_owned(), net.trunc().to_string()]).collect(),
        AddressRange::Range(from, to) => words(&["-m", "iprange"])
            .into_iter()
            .chain(not.iter().cloned())
            .chain([range.to_owned(), format!("{from}-{to}")])
            .collect(),
    };
    Ok(list.items.iter().map(item).collect())
}

/// Protocol, ICMP type, ports: a choice for each pair of source and destination port.
fn transport(rule: &PacketRule, family: Family) -> Result<Vec<Vec<String>>, String> {
    let Some(protocol) = rule.protocol.as_deref().map(protocol) else { return Ok(vec![Vec::new()]) };
    if protocol.is_empty() || !protocol.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.')) {
        return Err(format!("{protocol:?} is not the name of a protocol"));
    }
    // What iptables knows by itself as a name, the rest as a number: `/etc/protocols` may be missing.
    let name = match protocol {
        "icmpv6" => "ipv6-icmp",
        "dccp" => "33",
        "comp" => "108",
        name => name,
    };
    let head = words(&["-p", name]);
    if let Some(kind) = &rule.icmp_type {
        let (module, flag) = if family == Family::V4 { ("icmp", "--icmp-type") } else { ("icmp6", "--icmpv6-type") };
        let number = icmp_type(kind, family).ok_or_else(|| format!("{kind:?} is not an ICMP type of this family"))?;
        return Ok(vec![each(vec![head], &[words(&["-m", module, flag, &number.to_string()])]).concat()]);
    }
    if rule.port.is_empty() && rule.source_port.is_empty() {
        return Ok(vec![head]);
    }
    let span = |(from, to): &(u16, u16)| if from == to { from.to_string() } else { format!("{from}:{to}") };
    let choices = |flag: &str, list: &[(u16, u16)]| -> Vec<Vec<String>> {
        if list.is_empty() {
            vec![Vec::new()]
        } else {
            list.iter().map(|range| vec![flag.to_owned(), span(range)]).collect()
        }
    };
    match protocol {
        "tcp" | "udp" | "sctp" | "dccp" => {
            let heads = each(vec![head], &[words(&["-m", protocol])]);
            Ok(each(each(heads, &choices("--sport", &rule.source_port)), &choices("--dport", &rule.port)))
        }
        // iptables has no match of this name; multiport knows its ports, one list at a time.
        "udplite" => {
            let multiport = |flag: &str, list: &[(u16, u16)]| -> Vec<Vec<String>> {
                let module = |choice: Vec<String>| {
                    if choice.is_empty() { choice } else { [words(&["-m", "multiport"]), choice].concat() }
                };
                choices(flag, list).into_iter().map(module).collect()
            };
            Ok(each(each(vec![head], &multiport("--sports", &rule.source_port)), &multiport("--dports", &rule.port)))
        }
        other => Err(format!("iptables has no ports of protocol {other:?}")),
    }
}

/// An ICMP type of this family, by nft's name or number, as a number.
pub fn icmp_type(name: &str, family: Family) -> Option<u8> {
    let table: &[(&str, u8)] = if family == Family::V4 { &ICMP } else { &ICMPV6 };
    name.parse().ok().or_else(|| table.iter().find(|(word, _)| *word == name).map(|(_, number)| *number))
}

/// What else must hold.
fn conditions(rule: &PacketRule) -> Vec<String> {
    let mut tail = Vec::new();
    if rule.local {
        tail.extend(words(&["-m", "addrtype", "--dst-type", "LOCAL"]));
    }
    if !rule.state.is_empty() {
        tail.extend(words(&["-m", "conntrack", "--ctstate", &rule.state.join(",").to_uppercase()]));
    }
    match rule.mark {
        Some((value, u32::MAX)) => tail.extend(words(&["-m", "mark", "--mark", &format!("{value:#x}")])),
        Some((value, mask)) => tail.extend(words(&["-m", "mark", "--mark", &format!("{value:#x}/{mask:#x}")])),
        None => {}
    }
    if let Some((packets, unit)) = &rule.limit {
        // As iptables prints them.
        let unit = match unit.as_str() {
            "second" => "sec",
            "minute" => "min",
            unit => unit,
        };
        tail.extend(words(&["-m", "limit", "--limit", &format!("{packets}/{unit}")]));
    }
    tail
}

/// The targets, in order. A rule without any only counts.
fn targets(rule: &PacketRule, family: Family) -> Result<Vec<Vec<String>>, String> {
    let mut targets = Vec::new();
    if let Some(prefix) = &rule.log {
        if prefix.len() > LOG_PREFIX || prefix.chars().any(char::is_control) {
            return Err(format!(
                "the log prefix {prefix:?} is longer than the {LOG_PREFIX} bytes that iptables takes, or has a control character"
            ));
        }
        let text = if prefix.is_empty() { Vec::new() } else { words(&["--log-prefix", prefix]) };
        targets.push([words(&["-j", "LOG"]), text].concat());
    }
    if let Some((value, mask)) = rule.set_mark {
        targets.push(words(&["-j", "MARK", "--set-xmark", &format!("{value:#x}/{mask:#x}")]));
    }
    targets.extend(rule.verdict.as_ref().map(|verdict| self::verdict(verdict, family)));
    if targets.is_empty() {
        targets.push(Vec::new());
    }
    Ok(targets)
}

/// A verdict as a target.
fn verdict(verdict: &Verdict, family: Family) -> Vec<String> {
    match verdict {
        Verdict::Accept => words(&["-j", "ACCEPT"]),
        Verdict::Drop => words(&["-j", "DROP"]),
        Verdict::Reject(with) => {
            words(&["-j", "REJECT", "--reject-with", &reject(with.as_deref().unwrap_or("port-unreachable"), family)])
        }
        Verdict::Masquerade => words(&["-j", "MASQUERADE"]),
        Verdict::Snat(target) => words(&["-j", "SNAT", "--to-source", &nat(target)]),
        Verdict::Dnat(target) => words(&["-j", "DNAT", "--to-destination", &nat(target)]),
        Verdict::Redirect(None) => words(&["-j", "REDIRECT"]),
        Verdict::Redirect(Some((from, to))) if from == to => {
            words(&["-j", "REDIRECT", "--to-ports", &from.to_string()])
        }
        Verdict::Redirect(Some((from, to))) => words(&["-j", "REDIRECT", "--to-ports", &format!("{from}-{to}")]),
    }
}

/// The answer of a REJECT.
fn reject(with: &str, family: Family) -> String {
    match (family, with) {
        (_, "tcp-reset") => "tcp-reset".to_owned(),
        (Family::V4, "admin-prohibited") => "icmp-admin-prohibited".to_owned(),
        (Family::V4, "no-route") => "icmp-net-unreachable".to_owned(),
        (Family::V4, "prot-unreachable") => "icmp-proto-unreachable".to_owned(),
        (Family::V4, with) => format!("icmp-{with}"),
        (Family::V6, "net-unreachable" | "no-route") => "icmp6-no-route".to_owned(),
        (Family::V6, "host-unreachable" | "addr-unreachable") => "icmp6-addr-unreachable".to_owned(),
        (Family::V6, "admin-prohibited") => "icmp6-adm-prohibited".to_owned(),
        (Family::V6, with) => format!("icmp6-{with}"),
    }
}

/// `10.0.0.2-10.0.0.3:80-90`, `[fd00::2-fd00::3]:80`.
fn nat(target: &Target) -> String {
    let last = target.last.filter(|last| *last != target.address).map(|last| format!("-{last}")).unwrap_or_default();
    let addresses = format!("{}{last}", target.address);
    let addresses =
        if target.address.is_ipv6() && target.port.is_some() { format!("[{addresses}]") } else { addresses };
    match target.port {
        None => addresses,
        Some((from, to)) if from == to => format!("{addresses}:{from}"),
        Some((from, to)) => format!("{addresses}:{from}-{to}"),
    }
}
