//! Rules in nft's words, as near to the form in which nft 1.0.6 lists them as is easy.

use super::protocol::protocol;
use crate::resource::{AddressMatch, AddressRange, Family, IfMatch, PacketRule, Target, Verdict};
use std::fmt::Write;
use std::net::IpAddr;

/// The longest prefix that the kernel takes for a log line (`NF_LOG_PREFIXLEN` of
/// `include/uapi/linux/netfilter/nf_log.h`, less the NUL).
const LOG_PREFIX: usize = 127;

/// `rule` in nft's words for a table of `family`, without a comment.
///
/// It is one rule whatever the values are: what nft cannot write is left out of strings and words. [`fault`] reports
/// whether something was.
pub fn rule(rule: &PacketRule, family: &str) -> String {
    let mut words = Vec::new();
    words.extend(nfproto(rule, family));
    words.extend(rule.input.iter().flat_map(|names| interfaces("iifname", names)));
    words.extend(rule.output.iter().flat_map(|names| interfaces("oifname", names)));
    words.extend(rule.source.as_ref().map(|list| addresses("saddr", list)));
    words.extend(rule.destination.as_ref().map(|list| addresses("daddr", list)));
    if rule.local {
        words.push("fib daddr type local".to_owned());
    }
    words.extend(transport(rule));
    if !rule.state.is_empty() {
        words.push(format!("ct state {}", rule.state.iter().map(|state| word(state)).collect::<Vec<_>>().join(",")));
    }
    words.extend(rule.mark.map(|(value, mask)| match mask {
        u32::MAX => format!("meta mark {value:#010x}"),
        _ => format!("meta mark & {mask:#010x} == {value:#010x}"),
    }));
    words.extend(rule.limit.as_ref().map(|(packets, unit)| format!("limit rate {packets}/{}", word(unit))));
    words.extend(rule.set_mark.map(|(value, mask)| match mask {
        u32::MAX => format!("meta mark set {value:#010x}"),
        _ => format!("meta mark set meta mark & {:#010x} | {value:#010x}", !mask),
    }));
    if rule.counter {
        words.push("counter".to_owned());
    }
    words.extend(
        rule.log.as_ref().map(|prefix| {
            if prefix.is_empty() { "log".to_owned() } else { format!("log prefix {}", log_prefix(prefix)) }
        }),
    );
    words.extend(rule.verdict.as_ref().map(|verdict| self::verdict(verdict, rule.family, family)));
    words.join(" ")
}

/// Why nft cannot say all of `rule`: `None` where it can.
pub fn fault(rule: &PacketRule) -> Option<String> {
    let names = rule.input.iter().chain(&rule.output).flat_map(|list| &list.names);
    for name in names {
        if string(name) != format!("\"{name}\"") || name.is_empty() {
            return Some(format!("nft has no way to write the interface name {name:?}"));
        }
    }
    if let Some(prefix) = &rule.log {
        if prefix.len() > LOG_PREFIX {
            return Some(format!("the log prefix {prefix:?} is longer than {LOG_PREFIX} bytes"));
        }
        if log_prefix(prefix) != format!("\"{prefix}\"") {
            return Some(format!(
                "nft has no way to write the log prefix {prefix:?}: it may not hold a quote, a dollar sign, a control character or a final backslash"
            ));
        }
    }
    let words =
        rule.protocol.iter().chain(&rule.icmp_type).chain(&rule.state).chain(rule.limit.as_ref().map(|(_, unit)| unit));
    for text in words {
        if text.is_empty() || word(text) != *text {
            return Some(format!("{text:?} is not a word of nft"));
        }
    }
    if !rule.port.is_empty() || !rule.source_port.is_empty() {
        let ported =
            matches!(rule.protocol.as_deref().map(protocol), Some("tcp" | "udp" | "sctp" | "dccp" | "udplite"));
        return (!ported).then(|| "ports need a protocol that has them (tcp, udp, sctp, dccp, udplite)".to_owned());
    }
    None
}

/// Why `text` must not be handed to nft as a rule: it would be more than one, or could swallow what follows. `None`
/// where it is one rule for nft to judge.
pub fn raw_fault(text: &str) -> Option<&'static str> {
    if text.chars().any(char::is_control) {
        return Some("a line break or control character in it");
    }
    let mut quoted = false;
    let mut open = Vec::new();
    for c in text.chars() {
        match c {
            '"' => quoted = !quoted,
            _ if quoted => {}
            ';' => return Some("a `;` in it: one rule only"),
            '#' => return Some("a comment in it"),
            '{' | '(' | '[' => open.push(c),
            '}' | ')' | ']' => {
                let pair = matches!((open.pop(), c), (Some('{'), '}') | (Some('('), ')') | (Some('['), ']'));
                if !pair {
                    return Some("braces in it that do not match");
                }
            }
            _ => {}
        }
    }
    if quoted || !open.is_empty() {
        return Some("a quote or brace in it that is not closed");
    }
    // A backslash at the end of a line joins the next one to it.
    if text.trim_end().ends_with('\\') {
        return Some("a backslash at its end");
    }
    match text.split_whitespace().next() {
        None => Some("nothing in it"),
        // These would be read as the place of the rule in its chain.
        Some("handle" | "position" | "index") => {
            Some("a place in the chain before it: the rule stands where the file has it")
        }
        Some(_) => None,
    }
}

/// Whether nft can be known `text` as the name of a table or chain: it has no quotes for those.
pub fn is_identifier(text: &str) -> bool {
    let rest = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '\\' | '_' | '.' | '-');
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && text.chars().all(rest)
}

/// A word of nft: everything else than letters, digits, `-`, `_` and `.` is dropped, so that it stays one.
fn word(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')).collect()
}

/// A string in nft's quotes. nft has no escape for the quote itself, so it is dropped, and control characters with it.
fn string(text: &str) -> String {
    format!("\"{}\"", text.chars().filter(|c| *c != '"' && !c.is_control()).collect::<String>())
}

/// A log prefix: as a string, but a `$` would be looked up as a variable, and a backslash at the end is not kept by
/// every version.
fn log_prefix(text: &str) -> String {
    string(text.replace('$', "").trim_end_matches('\\'))
}

/// The family that the rule is for, where nothing else in it says so.
pub fn unsaid_family(rule: &PacketRule) -> Option<Family> {
    let target = matches!(rule.verdict, Some(Verdict::Snat(_) | Verdict::Dnat(_)));
    let icmp = matches!(rule.protocol.as_deref().map(protocol), Some("icmp" | "icmpv6"));
    rule.family.filter(|_| rule.source.is_none() && rule.destination.is_none() && !target && !icmp)
}

/// What says that the rule is for one family, where nothing else in it does.
fn nfproto(rule: &PacketRule, family: &str) -> Option<String> {
    let v4 = unsaid_family(rule)? == Family::V4;
    match family {
        "inet" => Some(format!("meta nfproto {}", if v4 { "ipv4" } else { "ipv6" })),
        "bridge" | "netdev" => Some(format!("meta protocol {}", if v4 { "ip" } else { "ip6" })),
        _ => None,
    }
}

/// `iifname "a"`, `iifname != { "a", "b" }`.
fn interfaces(key: &str, list: &IfMatch) -> Vec<String> {
    let names = list.names.iter().map(|name| string(name));
    // nft 1.0.6 lists a set with a wildcard next to its neighbour as `""-""`; "not" is distinguished by one match each.
    if list.not && list.names.iter().any(|name| name.ends_with('*')) {
        return names.map(|name| format!("{key} != {name}")).collect();
    }
    vec![format!("{key} {}{}", if list.not { "!= " } else { "" }, set(names.collect()))]
}

/// `ip saddr 10.0.0.0/8`, `ip6 daddr != { … }`.
fn addresses(key: &str, list: &AddressMatch) -> String {
    let v6 = list.items.first().is_some_and(|item| match item {
        AddressRange::Prefix(net) => net.addr().is_ipv6(),
        AddressRange::Range(from, _) => from.is_ipv6(),
    });
    let item = |item: &AddressRange| match item {
        AddressRange::Prefix(net) if net.prefix_len() == net.max_prefix_len() => net.addr().to_string(),
        AddressRange::Prefix(net) => net.trunc().to_string(),
        AddressRange::Range(from, to) => format!("{from}-{to}"),
    };
    let items = set(list.items.iter().map(item).collect());
    format!("{} {key} {}{items}", if v6 { "ip6" } else { "ip" }, if list.not { "!= " } else { "" })
}

/// Protocol, ICMP type and ports.
fn transport(rule: &PacketRule) -> Vec<String> {
    let Some(protocol) = rule.protocol.as_deref().map(|name| word(protocol(name))) else { return Vec::new() };
    if let Some(kind) = rule.icmp_type.as_deref() {
        return vec![format!("{protocol} type {}", word(kind))];
    }
    let mut words = Vec::new();
    for (key, list) in [("sport", &rule.source_port), ("dport", &rule.port)] {
        if !list.is_empty() {
            words.push(format!("{protocol} {key} {}", set(list.iter().map(|range| span(*range)).collect())));
        }
    }
    if words.is_empty() {
        let name = if protocol == "icmpv6" { "ipv6-icmp" } else { &protocol };
        words.push(format!("meta l4proto {name}"));
    }
    words
}

/// `22`, `8000-8010`.
fn span((from, to): (u16, u16)) -> String {
    if from == to { from.to_string() } else { format!("{from}-{to}") }
}

/// One item as it is, several as an anonymous set.
fn set(items: Vec<String>) -> String {
    match items.as_slice() {
        [one] => one.clone(),
        _ => format!("{{ {} }}", items.join(", ")),
    }
}

/// A verdict in a table of `table`'s family.
fn verdict(verdict: &Verdict, rule: Option<Family>, table: &str) -> String {
    match verdict {
        Verdict::Accept => "accept".to_owned(),
        Verdict::Drop => "drop".to_owned(),
        Verdict::Reject(None) => "reject".to_owned(),
        Verdict::Reject(Some(with)) if with == "tcp-reset" => "reject with tcp reset".to_owned(),
        Verdict::Reject(Some(with)) => reject(with, rule, table),
        Verdict::Masquerade => "masquerade".to_owned(),
        Verdict::Snat(target) => format!("snat {}", nat(target, table)),
        Verdict::Dnat(target) => format!("dnat {}", nat(target, table)),
        Verdict::Redirect(None) => "redirect".to_owned(),
        Verdict::Redirect(Some(ports)) => format!("redirect to :{}", span(*ports)),
    }
}

/// `reject with icmpx port-unreachable`: in the words of the family of the rule or the table, `icmpx` where it is for
/// both.
fn reject(with: &str, rule: Option<Family>, table: &str) -> String {
    let family = match table {
        "ip" => Some(Family::V4),
        "ip6" => Some(Family::V6),
        _ => rule,
    };
    let with = word(with);
    let (kind, code) = match (family, with.as_str()) {
        (Some(Family::V4), "no-route") => ("icmp", "net-unreachable"),
        (Some(Family::V4), code) => ("icmp", code),
        (Some(Family::V6), "net-unreachable") => ("icmpv6", "no-route"),
        (Some(Family::V6), "host-unreachable") => ("icmpv6", "addr-unreachable"),
        (Some(Family::V6), code) => ("icmpv6", code),
        (None, "net-unreachable") => ("icmpx", "no-route"),
        (None, code) => ("icmpx", code),
    };
    format!("reject with {kind} {code}")
}

/// `ip to 10.0.0.2:80`, `ip6 to [fd00::2]:80`; the family only where the table does not say it.
fn nat(target: &Target, table: &str) -> String {
    let mut text = String::new();
    if !matches!(table, "ip" | "ip6") {
        text.push_str(if target.address.is_ipv4() { "ip " } else { "ip6 " });
    }
    text.push_str("to ");
    let bracket = |address: IpAddr| {
        if address.is_ipv6() && target.port.is_some() { format!("[{address}]") } else { address.to_string() }
    };
    text.push_str(&bracket(target.address));
    if let Some(last) = target.last.filter(|last| *last != target.address) {
        // Writing to a String cannot fail.
        let _ = write!(text, "-{}", bracket(last));
    }
    if let Some(port) = target.port {
        let _ = write!(text, ":{}", span(port));
    }
    text
}
