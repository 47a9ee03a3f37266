//! Rules as `nft -j list ruleset` has them (libnftables-json(5)), of topo and of others. What is not known here is kept
//! as something that may be for a packet or not.

use super::outcome::By;
use super::ruleset::{Action, BaseChain, Match, Rule, Ruleset};
use super::xtables::{self, Saved};
use crate::dialect::protocol::protocol_number;
use crate::resource::{AddressRange, Family, Target};
use ipnet::IpNet;
use serde_json::Value;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// Named sets, by family, table and name.
type Sets<'j> = BTreeMap<(&'j str, &'j str, &'j str), &'j Value>;

impl Ruleset {
    /// Adds the tables of a listing but that of `own` (family `inet`), which is known already; that one learns when it
    /// was registered. What extensions of iptables say is taken from `saved`, by family.
    pub fn add_listing(&mut self, listing: &Value, own: &str, saved: &[(&str, Saved)]) {
        let objects = || listing.get("nftables").and_then(Value::as_array).into_iter().flatten();
        let mut tables: BTreeMap<(&str, &str), u64> = BTreeMap::new();
        let mut sets = Sets::new();
        for object in objects() {
            if let Some(table) = object.get("table") {
                tables.insert((text(table, "family"), text(table, "name")), number(table, "handle"));
            }
            if let Some(set) = object.get("set").or(object.get("map")) {
                sets.insert((text(set, "family"), text(set, "table"), text(set, "name")), set);
            }
        }
        let registered = |family: &str, table: &str, handle: u64| {
            tables.get(&(family, table)).copied().unwrap_or(0) << 20 | handle.min(1 << 20)
        };
        for chain in self.chains.iter_mut().filter(|chain| chain.family == "inet" && chain.table == own) {
            chain.registered = registered("inet", own, 0);
        }
        for object in objects() {
            let Some(chain) = object.get("chain") else { continue };
            let place = (text(chain, "family"), text(chain, "table"), text(chain, "name"));
            if (place.0, place.1) == ("inet", own) {
                continue;
            }
            let lines = saved.iter().find(|(family, _)| *family == place.0).map(|(_, saved)| saved);
            let lines = lines.and_then(|saved| saved.get(&(place.1.to_owned(), place.2.to_owned())));
            let rules: Vec<Rule> = objects()
                .filter_map(|object| object.get("rule"))
                .filter(|rule| (text(rule, "family"), text(rule, "table"), text(rule, "chain")) == place)
                .enumerate()
                .map(|(nth, rule)| match lines.and_then(|lines| lines.get(nth)).filter(|_| has_extension(rule)) {
                    Some(line) => xtables::rule(&format!("{} {} {}", place.0, place.1, place.2), line),
                    None => of_rule(rule, &sets),
                })
                .collect();
            self.named.insert((place.0.to_owned(), place.1.to_owned(), place.2.to_owned()), rules.clone());
            let Some(hook) = chain.get("hook").and_then(Value::as_str) else { continue };
            let drop = text(chain, "policy") == "drop";
            self.chains.push(BaseChain {
                family: place.0.to_owned(),
                table: place.1.to_owned(),
                name: place.2.to_owned(),
                kind: text(chain, "type").to_owned(),
                hook: hook.to_owned(),
                priority: chain
                    .get("prio")
                    .and_then(Value::as_i64)
                    .and_then(|prio| i32::try_from(prio).ok())
                    .unwrap_or(0),
                registered: registered(place.0, place.1, number(chain, "handle")),
                drop,
                rules,
                policy: By::text(format!("{} {} {}: policy drop", place.0, place.1, place.2)),
            });
        }
    }
}

/// Whether a rule has parts of iptables of which the listing has no more than a name.
fn has_extension(rule: &Value) -> bool {
    rule.get("expr").and_then(Value::as_array).into_iter().flatten().any(|part| part.get("xt").is_some())
}

fn text<'j>(object: &'j Value, key: &str) -> &'j str {
    object.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn number(object: &Value, key: &str) -> u64 {
    object.get(key).and_then(Value::as_u64).unwrap_or(0)
}

fn of_rule(rule: &Value, sets: &Sets<'_>) -> Rule {
    let (family, table, chain) = (text(rule, "family"), text(rule, "table"), text(rule, "chain"));
    let (mut matches, mut actions) = (Vec::new(), Vec::new());
    for part in rule.get("expr").and_then(Value::as_array).into_iter().flatten() {
        let Some((word, value)) = part.as_object().and_then(|part| part.iter().next()) else {
            matches.push(Match::Unknown);
            continue;
        };
        match word.as_str() {
            "match" => matches.extend(of_match(value, family, table, sets)),
            "counter" | "comment" | "log" => {}
            // A rate, a quota, a count of connections let some packets by and others not.
            "limit" | "quota" | "ct count" => matches.push(Match::Unknown),
            _ => actions.push(of_action(word, value)),
        }
    }
    let comment = rule.get("comment").and_then(Value::as_str).map(|comment| format!(" comment {comment:?}"));
    let words = words(rule).unwrap_or_else(|| "rule".to_owned());
    let by = By::text(format!(
        "{family} {table} {chain} # handle {}: {words}{}",
        number(rule, "handle"),
        comment.unwrap_or_default()
    ));
    Rule { matches, actions, by }
}

fn of_action(word: &str, value: &Value) -> Action {
    let target = |key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
    match word {
        "accept" => Action::Accept,
        "drop" => Action::Drop,
        "reject" => Action::Reject,
        "return" => Action::Return,
        "jump" => target("target").map_or(Action::Unknown, Action::Jump),
        "goto" => target("target").map_or(Action::Unknown, Action::Goto),
        "masquerade" => Action::Masquerade,
        "dnat" => Action::Dnat(to(value)),
        "snat" => Action::Snat(to(value)),
        "redirect" => match value.get("port") {
            None => Action::Redirect(None),
            Some(port) => port
                .as_u64()
                .and_then(|port| u16::try_from(port).ok())
                .map_or(Action::Unknown, |port| Action::Redirect(Some(port))),
        },
        "mangle" => {
            let key = value.get("key").and_then(|key| key.get("meta"));
            let mark = value.get("value").and_then(Value::as_u64).and_then(|mark| u32::try_from(mark).ok());
            match (key.map(|meta| text(meta, "key")), mark) {
                (Some("mark"), Some(mark)) => Action::Mark(mark, u32::MAX),
                _ => Action::Unknown,
            }
        }
        "notrack" => Action::Untrack,
        _ => Action::Unknown,
    }
}

/// The address and port of a translation, where they are single ones.
fn to(value: &Value) -> Option<Target> {
    let address: IpAddr = value.get("addr")?.as_str()?.parse().ok()?;
    let port = match value.get("port") {
        None => None,
        Some(port) => {
            let port = u16::try_from(port.as_u64()?).ok()?;
            Some((port, port))
        }
    };
    Some(Target { address, last: None, port })
}

/// What a `match` asks for.
fn of_match(value: &Value, family: &str, table: &str, sets: &Sets<'_>) -> Vec<Match> {
    let unknown = vec![Match::Unknown];
    let not = match text(value, "op") {
        "!=" => true,
        "==" | "in" => false,
        _ => return unknown,
    };
    let (Some(left), Some(right)) = (value.get("left"), value.get("right")) else { return unknown };
    let right = match right.as_str().and_then(|name| name.strip_prefix('@')) {
        // What is in a set that programs fill can be another thing a moment later; it is what is there now.
        Some(name) => match sets.get(&(family, table, name)) {
            Some(set) if set.get("map").is_none() => set.get("elem").cloned().unwrap_or(Value::Array(Vec::new())),
            _ => return unknown,
        },
        None => right.clone(),
    };
    let Some(items) = items(&right) else { return unknown };
    if let Some(meta) = left.get("meta") {
        return of_meta(text(meta, "key"), not, &items).unwrap_or(unknown);
    }
    if let Some(payload) = left.get("payload") {
        return of_payload(text(payload, "protocol"), text(payload, "field"), not, &items).unwrap_or(unknown);
    }
    if let Some(ct) = left.get("ct")
        && text(ct, "key") == "state"
        && let Some(states) = words_of(&items)
    {
        return vec![Match::State(not, states)];
    }
    if let Some(ct) = left.get("ct")
        && text(ct, "key") == "status"
        && let Some(words) = words_of(&items)
        && words.iter().all(|word| word == "dnat" || word == "snat")
    {
        return vec![Match::Translated(not, words)];
    }
    if let Some(fib) = left.get("fib")
        && text(fib, "result") == "type"
        && fib
            .get("flags")
            .and_then(Value::as_str)
            .or(fib.get("flags").and_then(|all| all.get(0)).and_then(Value::as_str))
            == Some("daddr")
        && words_of(&items).as_deref() == Some(&["local".to_owned()])
    {
        return vec![Match::Local(!not)];
    }
    unknown
}

/// The elements of the right side: a set, a list, or one.
fn items(right: &Value) -> Option<Vec<Value>> {
    let all = match right {
        Value::Array(all) => all.clone(),
        Value::Object(object) => match object.get("set") {
            Some(Value::Array(all)) => all.clone(),
            Some(one) => vec![one.clone()],
            None => vec![right.clone()],
        },
        one => vec![one.clone()],
    };
    // An element with a comment or a time is an object of its own.
    let plain = |item: Value| match item.get("elem").and_then(|elem| elem.get("val")) {
        Some(value) => value.clone(),
        None => item,
    };
    Some(all.into_iter().map(plain).collect())
}

fn words_of(items: &[Value]) -> Option<Vec<String>> {
    items
        .iter()
        .map(|item| match item {
            Value::String(word) => Some(word.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        })
        .collect()
}

fn of_meta(key: &str, not: bool, items: &[Value]) -> Option<Vec<Match>> {
    let words = words_of(items)?;
    Some(vec![match key {
        "iifname" | "iif" => Match::Input(not, words),
        "oifname" | "oif" => Match::Output(not, words),
        "l4proto" => Match::Protocol(not, words.iter().map(|word| protocol_number(word)).collect::<Option<_>>()?),
        "nfproto" | "protocol" if !not => match words.as_slice() {
            [one] if one == "ipv4" || one == "ip" => Match::Family(Family::V4),
            [one] if one == "ipv6" || one == "ip6" => Match::Family(Family::V6),
            _ => return None,
        },
        "mark" => match words.as_slice() {
            [one] => Match::Mark(not, one.parse().ok()?, u32::MAX),
            _ => return None,
        },
        _ => return None,
    }])
}

fn of_payload(protocol: &str, field: &str, not: bool, items: &[Value]) -> Option<Vec<Match>> {
    let family = |family| Match::Family(family);
    Some(match (protocol, field) {
        ("ip" | "ip6", "saddr" | "daddr") => {
            let ranges: Vec<AddressRange> = items.iter().map(range).collect::<Option<_>>()?;
            let of = if protocol == "ip" { Family::V4 } else { Family::V6 };
            let part = if field == "saddr" { Match::Source(not, ranges) } else { Match::Destination(not, ranges) };
            vec![family(of), part]
        }
        ("ip", "protocol") | ("ip6", "nexthdr") => {
            let numbers = words_of(items)?.iter().map(|word| protocol_number(word)).collect::<Option<_>>()?;
            vec![family(if protocol == "ip" { Family::V4 } else { Family::V6 }), Match::Protocol(not, numbers)]
        }
        ("tcp" | "udp" | "th", "dport" | "sport") => {
            let ports: Vec<(u16, u16)> = items.iter().map(ports).collect::<Option<_>>()?;
            let mut parts: Vec<Match> =
                protocol_number(protocol).map(|number| Match::Protocol(false, vec![number])).into_iter().collect();
            parts.push(if field == "dport" { Match::Port(not, ports) } else { Match::SourcePort(not, ports) });
            parts
        }
        ("icmp" | "icmpv6", "type") => {
            let number = protocol_number(protocol)?;
            vec![Match::Protocol(false, vec![number]), Match::Icmp(not, words_of(items)?)]
        }
        _ => return None,
    })
}

fn range(item: &Value) -> Option<AddressRange> {
    if let Some(prefix) = item.get("prefix") {
        let net: IpNet = format!("{}/{}", text(prefix, "addr"), number(prefix, "len")).parse().ok()?;
        return Some(AddressRange::Prefix(net.trunc()));
    }
    if let Some(range) = item.get("range") {
        return Some(AddressRange::Range(range.get(0)?.as_str()?.parse().ok()?, range.get(1)?.as_str()?.parse().ok()?));
    }
    Some(AddressRange::Prefix(IpNet::from(item.as_str()?.parse::<IpAddr>().ok()?)))
}

fn ports(item: &Value) -> Option<(u16, u16)> {
    let port = |value: &Value| value.as_u64().and_then(|port| u16::try_from(port).ok());
    match item.get("range") {
        Some(range) => Some((port(range.get(0)?)?, port(range.get(1)?)?)),
        None => port(item).map(|port| (port, port)),
    }
}

/// The rule in short words: what it does last, and what it looks at.
fn words(rule: &Value) -> Option<String> {
    let parts = rule.get("expr")?.as_array()?;
    let word = |part: &Value| {
        let (word, value) = part.as_object()?.iter().next()?;
        match word.as_str() {
            "match" => {
                Some(format!("{} {} {}", side(value.get("left")?), sign(text(value, "op")), side(value.get("right")?)))
            }
            "counter" => None,
            "jump" | "goto" => Some(format!("{word} {}", text(value, "target"))),
            "dnat" | "snat" => Some(format!("{word} to {}", side(value.get("addr")?))),
            "xt" => Some(format!("iptables {}", text(value, "name"))),
            word => Some(word.to_owned()),
        }
    };
    Some(parts.iter().filter_map(word).collect::<Vec<_>>().join(" ").split_whitespace().collect::<Vec<_>>().join(" "))
}

fn sign(op: &str) -> &str {
    if op == "!=" { "!=" } else { "" }
}

fn side(value: &Value) -> String {
    if let Some(payload) = value.get("payload") {
        return format!("{} {}", text(payload, "protocol"), text(payload, "field"));
    }
    if let Some(meta) = value.get("meta") {
        return text(meta, "key").to_owned();
    }
    if let Some(ct) = value.get("ct") {
        return format!("ct {}", text(ct, "key"));
    }
    if let Some(prefix) = value.get("prefix") {
        return format!("{}/{}", text(prefix, "addr"), number(prefix, "len"));
    }
    if let Some(range) = value.get("range").and_then(Value::as_array) {
        return range.iter().map(side).collect::<Vec<_>>().join("-");
    }
    match value.get("set").unwrap_or(value) {
        Value::String(word) => word.clone(),
        Value::Array(all) => format!("{{ {} }}", all.iter().map(side).collect::<Vec<_>>().join(", ")),
        other => other.to_string(),
    }
}
