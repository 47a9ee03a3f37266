//! What two rules match both, and what one does not.

use crate::resource::{AddressMatch, AddressRange, IfMatch, PacketRule};
use ipnet::IpNet;
use std::net::IpAddr;

/// Why two rules cannot be one.
pub(super) type Fault = String;

/// `rule` for what `before` matches, too; `None` where nothing is matched by both.
pub(super) fn both(before: &PacketRule, rule: &PacketRule) -> Result<Option<PacketRule>, Fault> {
    let mut joined = rule.clone();
    let same = |a: &Option<String>, b: &Option<String>| a.is_some() && b.is_some() && a != b;
    if same(&before.protocol, &rule.protocol)
        || before.family.is_some() && rule.family.is_some() && before.family != rule.family
    {
        return Ok(None);
    }
    joined.family = rule.family.or(before.family);
    joined.protocol = rule.protocol.clone().or_else(|| before.protocol.clone());
    joined.icmp_type = either(&before.icmp_type, &rule.icmp_type)?;
    joined.mark = either(&before.mark, &rule.mark)?;
    joined.limit = either(&before.limit, &rule.limit)?;
    joined.local = before.local || rule.local;
    let interfaces = (interfaces(&before.input, &rule.input)?, interfaces(&before.output, &rule.output)?);
    let addresses = (addresses(&before.source, &rule.source)?, addresses(&before.destination, &rule.destination)?);
    let ports = (ports(&before.port, &rule.port), ports(&before.source_port, &rule.source_port));
    let state = if before.state.is_empty() || rule.state.is_empty() {
        Some(before.state.iter().chain(&rule.state).cloned().collect())
    } else {
        let both: Vec<String> = rule.state.iter().filter(|state| before.state.contains(state)).cloned().collect();
        Some(both).filter(|both| !both.is_empty())
    };
    let ((Some(input), Some(output)), (Some(source), Some(destination)), (Some(port), Some(source_port)), Some(state)) =
        (interfaces, addresses, ports, state)
    else {
        return Ok(None);
    };
    Ok(Some(PacketRule { input, output, source, destination, port, source_port, state, ..joined }))
}

/// `rule` for what it does not match, where the language can say that: one list turned around.
pub(super) fn other(rule: &PacketRule) -> Result<PacketRule, Fault> {
    let bare = PacketRule { family: rule.family, ..PacketRule::default() };
    let lists = [rule.source.is_some(), rule.destination.is_some(), rule.input.is_some(), rule.output.is_some()];
    let only = PacketRule {
        source: rule.source.clone(),
        destination: rule.destination.clone(),
        input: rule.input.clone(),
        output: rule.output.clone(),
        ..bare.clone()
    };
    let matches = PacketRule { counter: false, log: None, set_mark: None, verdict: None, ..rule.clone() };
    if matches != only || lists.iter().filter(|there| **there).count() != 1 {
        return Err("it leaves a chain half-way by more than one address or interface".to_owned());
    }
    let addresses = |those: &Option<AddressMatch>| those.clone().map(|those| AddressMatch { not: !those.not, ..those });
    let names = |those: &Option<IfMatch>| those.clone().map(|those| IfMatch { not: !those.not, ..those });
    Ok(PacketRule {
        source: addresses(&rule.source),
        destination: addresses(&rule.destination),
        input: names(&rule.input),
        output: names(&rule.output),
        ..bare
    })
}

fn either<T: Clone + PartialEq>(a: &Option<T>, b: &Option<T>) -> Result<Option<T>, Fault> {
    match (a, b) {
        (Some(a), Some(b)) if a != b => {
            Err("it and the chain that leads to it match two values of one thing".to_owned())
        }
        (a, b) => Ok(b.clone().or_else(|| a.clone())),
    }
}

/// Outside: `None` where nothing is left.
type Left<T> = Option<Option<T>>;

fn interfaces(a: &Option<IfMatch>, b: &Option<IfMatch>) -> Result<Left<IfMatch>, Fault> {
    let (Some(a), Some(b)) = (a, b) else { return Ok(Some(b.clone().or_else(|| a.clone()))) };
    if a == b {
        return Ok(Some(Some(a.clone())));
    }
    let is = |pattern: &String, name: &String| {
        pattern.strip_suffix('*').map_or(pattern == name, |stem| name.starts_with(stem))
    };
    let wild = |those: &IfMatch| those.names.iter().any(|name| name.ends_with('*'));
    let (not, names): (bool, Vec<String>) = match (a.not, b.not) {
        (true, true) => {
            (true, a.names.iter().chain(b.names.iter().filter(|name| !a.names.contains(name))).cloned().collect())
        }
        _ if wild(a) && wild(b) => return Err("two wildcards for one interface".to_owned()),
        (false, false) => {
            let both = |those: &IfMatch, others: &IfMatch| -> Vec<String> {
                those.names.iter().filter(|name| others.names.iter().any(|other| is(other, name))).cloned().collect()
            };
            (false, if wild(a) { both(b, a) } else { both(a, b) })
        }
        (true, false) => (false, without(&b.names, &a.names, is)?),
        (false, true) => (false, without(&a.names, &b.names, is)?),
    };
    Ok(if names.is_empty() { None } else { Some(Some(IfMatch { not, names })) })
}

fn without(names: &[String], not: &[String], is: impl Fn(&String, &String) -> bool) -> Result<Vec<String>, Fault> {
    if names.iter().any(|name| name.ends_with('*')) {
        return Err("a wildcard but for one interface".to_owned());
    }
    Ok(names.iter().filter(|name| !not.iter().any(|other| is(other, name))).cloned().collect())
}

fn ends(range: &AddressRange) -> (IpAddr, IpAddr) {
    match range {
        AddressRange::Prefix(net) => (net.network(), net.broadcast()),
        AddressRange::Range(from, to) => (*from, *to),
    }
}

fn addresses(a: &Option<AddressMatch>, b: &Option<AddressMatch>) -> Result<Left<AddressMatch>, Fault> {
    let (Some(a), Some(b)) = (a, b) else { return Ok(Some(b.clone().or_else(|| a.clone()))) };
    if a == b {
        return Ok(Some(Some(a.clone())));
    }
    let inside =
        |inner: &AddressRange, outer: &AddressRange| ends(outer).0 <= ends(inner).0 && ends(inner).1 <= ends(outer).1;
    let apart = |one: &AddressRange, other: &AddressRange| ends(one).1 < ends(other).0 || ends(other).1 < ends(one).0;
    let fault = || "an address in part of a list".to_owned();
    let (not, mut items) = match (a.not, b.not) {
        (true, true) => (true, [a.items.clone(), b.items.clone()].concat()),
        (false, false) => {
            let mut items = Vec::new();
            for one in &a.items {
                for two in &b.items {
                    if inside(one, two) {
                        items.push(*one);
                    } else if inside(two, one) {
                        items.push(*two);
                    } else if !apart(one, two) {
                        return Err(fault());
                    }
                }
            }
            (false, items)
        }
        (not, _) => {
            let (meant, those) = if not { (&b.items, &a.items) } else { (&a.items, &b.items) };
            let mut items = Vec::new();
            for one in meant {
                if those.iter().all(|other| apart(one, other)) {
                    items.push(*one);
                } else if !those.iter().any(|other| inside(one, other)) {
                    return Err(fault());
                }
            }
            (false, items)
        }
    };
    items.dedup();
    Ok(if items.is_empty() { None } else { Some(Some(AddressMatch { not, items })) })
}

/// Lists of ports that are both; an empty one is all of them. `None` where nothing is left.
fn ports(a: &[(u16, u16)], b: &[(u16, u16)]) -> Option<Vec<(u16, u16)>> {
    if a.is_empty() || b.is_empty() {
        return Some([a, b].concat());
    }
    let pairs = a.iter().flat_map(|one| b.iter().map(move |two| (one.0.max(two.0), one.1.min(two.1))));
    Some(pairs.filter(|(from, to)| from <= to).collect::<Vec<_>>()).filter(|both| !both.is_empty())
}

/// All addresses of a family, as a list.
pub(super) fn all_of(v4: bool) -> Option<AddressMatch> {
    let net: IpNet = if v4 { ipnet::Ipv4Net::default().into() } else { ipnet::Ipv6Net::default().into() };
    Some(AddressMatch { not: false, items: vec![AddressRange::Prefix(net)] })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::nft_read::read;

    fn rule(text: &str) -> PacketRule {
        read(text, "inet", &|_| None).unwrap().rule
    }

    fn joined(a: &str, b: &str) -> Option<String> {
        both(&rule(a), &rule(b)).unwrap().map(|rule| crate::dialect::nft_script::nft_rule(&rule, "inet"))
    }

    #[test]
    fn what_both_match_is_one_rule() {
        let is = |a, b, c: &str| assert_eq!(joined(a, b).as_deref(), Some(c), "{a} and {b}");
        is("iifname \"a\"", "oifname \"b\" accept", "iifname \"a\" oifname \"b\" accept");
        is("iifname { \"a\", \"b\" }", "iifname != \"b\" drop", "iifname \"a\" drop");
        is("ip saddr 10.0.0.0/8", "ip saddr 10.1.0.0/16 drop", "ip saddr 10.1.0.0/16 drop");
        is("ip saddr != 10.0.0.1", "ip saddr 10.0.1.0/24 accept", "ip saddr 10.0.1.0/24 accept");
        is("tcp dport 1-100", "tcp dport { 22, 443 } accept", "tcp dport 22 accept");
        is("ct state new", "tcp dport 22 accept", "tcp dport 22 ct state new accept");
        assert_eq!(joined("meta l4proto tcp", "udp dport 53 accept"), None);
        assert_eq!(joined("iifname \"a\"", "iifname \"b\" accept"), None);
        assert!(both(&rule("ip saddr 10.0.0.0-10.0.0.9"), &rule("ip saddr 10.0.0.5-10.0.0.20 accept")).is_err());
    }

    #[test]
    fn one_list_can_be_turned_around() {
        let turned = other(&rule("ip daddr 10.0.0.0/8 return")).unwrap();
        assert!(turned.destination.unwrap().not);
        assert!(other(&rule("ip daddr 10.0.0.0/8 tcp dport 80 return")).is_err());
        assert!(other(&rule("return")).is_err());
    }
}
