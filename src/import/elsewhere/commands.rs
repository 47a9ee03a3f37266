//! Commands of `ip` and `sysctl` in a file: read as what they would do, not run.

use super::draft::{Draft, destination};
use super::{shell, values};
use crate::document::Place;
use crate::resource::{
    Family, Kind, LinkId, NextHop, Node, Owner, Resource, RouteKind, Rule, RuleAction, RuleKey, Setting, TableId, Value,
};
use std::net::IpAddr;

/// What a line of commands does in a node; what topo cannot say of it is a remark.
pub(super) fn line(draft: &mut Draft<'_>, node: &Node, place: Place, text: &str) {
    let said = |what: &str| format!("`{}`: {what}", text.trim());
    let Some(commands) = shell::commands(text) else {
        draft.unsaid(node, place, said("it is more than commands of ip, and nothing here runs it"));
        return;
    };
    for words in commands {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        match words.as_slice() {
            ["sh" | "bash" | "ash" | "/bin/sh" | "/bin/bash", "-c" | "-ec" | "-xc", script] => {
                line(draft, node, place, script);
            }
            words => {
                if let Err(why) = command(draft, node, words) {
                    draft.unsaid(node, place, format!("`{}`: {why}", words.join(" ")));
                }
            }
        }
    }
}

fn command(draft: &mut Draft<'_>, node: &Node, words: &[&str]) -> Result<(), String> {
    match words {
        ["ip", rest @ ..] | ["/sbin/ip", rest @ ..] => ip(draft, node, rest),
        ["sysctl", rest @ ..] => {
            let settings = rest.iter().filter(|word| !word.starts_with('-'));
            settings.into_iter().try_for_each(|setting| {
                let (key, value) = setting.split_once('=').ok_or("it sets nothing")?;
                draft.sysctl(node, key.trim(), value.trim())
            })
        }
        _ => Err("nothing here starts programs".to_owned()),
    }
}

fn ip(draft: &mut Draft<'_>, node: &Node, words: &[&str]) -> Result<(), String> {
    let six = words.contains(&"-6");
    let words: Vec<&str> = words.iter().copied().filter(|word| !matches!(*word, "-4" | "-6")).collect();
    let is = |word: &str, whole: &str| word.len() <= whole.len() && !word.is_empty() && whole.starts_with(word);
    match words.as_slice() {
        [object, verb, rest @ ..] if is(object, "address") && matches!(*verb, "add" | "a" | "replace" | "change") => {
            address(draft, node, rest)
        }
        [object, verb, rest @ ..] if is(object, "link") && is(verb, "set") => link_set(draft, node, rest),
        [object, verb, rest @ ..] if is(object, "link") && matches!(*verb, "add" | "a") => link_add(draft, node, rest),
        [object, verb, rest @ ..] if is(object, "route") && matches!(*verb, "add" | "a" | "replace" | "append") => {
            route(draft, node, rest, six)
        }
        // The way that a container has by itself.
        [object, "del" | "delete" | "d", "default", ..] if is(object, "route") => Ok(()),
        [object, verb, rest @ ..] if (is(object, "rule") || *object == "ru") && matches!(*verb, "add" | "a") => {
            rule(draft, node, rest, six)
        }
        _ => Err("topo reads ip address, link, route and rule with add, and link set".to_owned()),
    }
}

/// Words in pairs, `dev eth0` say; a word of `flags` stands alone. What comes before the first pair is left as it is.
fn pairs<'w>(words: &[&'w str], known: &[&str], flags: &[&str]) -> Result<Vec<(&'w str, &'w str)>, String> {
    let mut pairs = Vec::new();
    let mut rest = words.iter().copied();
    while let Some(word) = rest.next() {
        if flags.contains(&word) {
            pairs.push((word, ""));
        } else if known.contains(&word) {
            pairs.push((word, rest.next().ok_or_else(|| format!("there is nothing behind `{word}`"))?));
        } else {
            return Err(format!("topo has no word for `{word}`"));
        }
    }
    Ok(pairs)
}

fn value<'w>(pairs: &[(&str, &'w str)], name: &str) -> Option<&'w str> {
    pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| *value)
}

fn number<T: std::str::FromStr>(pairs: &[(&str, &str)], name: &str) -> Result<Option<T>, String> {
    value(pairs, name).map(|text| text.parse().map_err(|_| format!("{text:?} is no {name}"))).transpose()
}

fn id(node: &Node, name: &str) -> LinkId {
    LinkId::new(node.clone(), name)
}

/// The interface that a command is about, which has to be there.
fn there(draft: &Draft<'_>, node: &Node, name: &str) -> Result<LinkId, String> {
    let link = id(node, name);
    let known = draft.state.link(&link).is_some() || name == "lo";
    if known { Ok(link) } else { Err(format!("there is no interface {name} in {node}")) }
}

fn address(draft: &mut Draft<'_>, node: &Node, words: &[&str]) -> Result<(), String> {
    let (text, rest) = words.split_first().ok_or("it names no address")?;
    let pairs = pairs(rest, &["dev", "broadcast", "brd", "scope"], &["nodad"])?;
    let net = values::prefix(text).ok_or_else(|| format!("{text:?} is no address"))?;
    let link = there(draft, node, value(&pairs, "dev").ok_or("it names no interface")?)?;
    draft.address(&link, net);
    Ok(())
}

fn link_set(draft: &mut Draft<'_>, node: &Node, words: &[&str]) -> Result<(), String> {
    let words = words.strip_prefix(&["dev"]).unwrap_or(words);
    let (name, rest) = words.split_first().ok_or("it names no interface")?;
    let known = ["mtu", "address", "master", "txqueuelen", "alias"];
    let pairs = pairs(rest, &known, &["up", "down", "nomaster"])?;
    let link = there(draft, node, name)?;
    if *name == "lo" {
        return Ok(());
    }
    let mtu = number::<u32>(&pairs, "mtu")?;
    let mac = value(&pairs, "address").map(|text| values::mac(text).ok_or(format!("{text:?} is no hardware address")));
    let mac = mac.transpose()?;
    draft.link(&link, |link| {
        for (word, _) in &pairs {
            match *word {
                "up" => link.up = Setting::Is(true),
                "down" => link.up = Setting::Is(false),
                _ => {}
            }
        }
        link.mtu = mtu.map_or(link.mtu, Setting::Is);
        link.mac = mac.map_or(link.mac, Setting::Is);
        if let Some(master) = value(&pairs, "master") {
            link.master = Setting::Is(Some(master.into()));
        }
    });
    Ok(())
}

fn link_add(draft: &mut Draft<'_>, node: &Node, words: &[&str]) -> Result<(), String> {
    let at = words.iter().position(|word| *word == "type").ok_or("it names no type")?;
    let (head, kind) = words.split_at(at);
    let (kind, options) = kind.get(1..).and_then(<[&str]>::split_first).ok_or("it names no type")?;
    let mut name = None;
    let mut lower = None;
    let mut rest = head.iter().copied();
    while let Some(word) = rest.next() {
        match word {
            "link" => lower = rest.next(),
            "name" | "dev" => name = rest.next(),
            "mtu" | "address" | "txqueuelen" => return Err(format!("write `{word}` with ip link set")),
            word if name.is_none() => name = Some(word),
            word => return Err(format!("topo has no word for `{word}`")),
        }
    }
    let link = id(node, name.ok_or("it names no interface")?);
    match *kind {
        "dummy" | "bridge" if options.is_empty() => {
            draft.make(&link, if *kind == "dummy" { Kind::Dummy } else { Kind::Bridge }, |_| {});
        }
        "vlan" => {
            let pairs = pairs(options, &["id", "protocol"], &[])?;
            let vlan = number::<u64>(&pairs, "id")?.ok_or("it has no id")?;
            let lower = there(draft, node, lower.ok_or("it names no lower device")?)?;
            draft.make(&link, Kind::Vlan, |link| {
                link.link = Some(lower);
                link.options.insert("id".into(), Value::Number(vlan));
            });
        }
        "vrf" => {
            let table = number::<u64>(&pairs(options, &["table"], &[])?, "table")?.ok_or("it has no table")?;
            draft.make(&link, Kind::Vrf, |link| _ = link.options.insert("table".into(), Value::Number(table)));
        }
        kind => return Err(format!("topo does not read what stands behind `type {kind}` here")),
    }
    // `ip link add` leaves it down.
    draft.make(&link, Kind::Any, |link| link.up = Setting::Is(false));
    Ok(())
}

fn route(draft: &mut Draft<'_>, node: &Node, words: &[&str], six: bool) -> Result<(), String> {
    let kinds = [
        ("blackhole", RouteKind::Blackhole),
        ("unreachable", RouteKind::Unreachable),
        ("prohibit", RouteKind::Prohibit),
    ];
    let (first, rest) = words.split_first().ok_or("it leads nowhere")?;
    let kind = kinds.iter().find(|(word, _)| word == first).map(|(_, kind)| *kind);
    let (to, rest) = match kind {
        Some(_) => rest.split_first().ok_or("it leads nowhere")?,
        None => (first, rest),
    };
    let known = ["via", "dev", "metric", "table", "src", "mtu", "proto", "scope", "preference"];
    let pairs = pairs(rest, &known, &["onlink"])?;
    let via = value(&pairs, "via").map(|text| text.parse::<IpAddr>().map_err(|_| format!("{text:?} is no gateway")));
    let via = via.transpose()?;
    let to = destination(to, via, six).ok_or_else(|| format!("{to:?} is no prefix"))?;
    let dev = value(&pairs, "dev").map(|name| there(draft, node, name)).transpose()?.map(|link| link.name);
    let source = value(&pairs, "src").map(|text| text.parse::<IpAddr>().map_err(|_| format!("{text:?} is no address")));
    let source = source.transpose()?;
    let (metric, mtu) = (number::<u32>(&pairs, "metric")?, number::<u32>(&pairs, "mtu")?);
    let table = match value(&pairs, "table") {
        None | Some("main") => TableId::MAIN,
        Some(text) => text.parse().map(TableId::Number).map_err(|_| format!("write the number of table {text}"))?,
    };
    let hop = (via.is_some() || dev.is_some())
        .then(|| NextHop { onlink: value(&pairs, "onlink").is_some(), ..NextHop::new(via, dev) });
    draft.route(node, (to, table, metric), hop, |route| {
        route.kind = kind.unwrap_or(RouteKind::Unicast);
        (route.source, route.mtu) = (source, mtu);
    });
    Ok(())
}

fn rule(draft: &mut Draft<'_>, node: &Node, words: &[&str], six: bool) -> Result<(), String> {
    let known = ["from", "to", "iif", "oif", "fwmark", "table", "lookup", "priority", "pref", "prio", "order"];
    let pairs = pairs(words, &known, &[])?;
    let net = |name| match value(&pairs, name) {
        None | Some("all") => Ok(None),
        Some(text) => values::prefix(text).map(Some).ok_or_else(|| format!("{text:?} is no prefix")),
    };
    let (from, to) = (net("from")?, net("to")?);
    let priority = ["priority", "pref", "prio", "order"].iter().find_map(|name| value(&pairs, name));
    let priority = priority.ok_or("a rule of topo has a priority")?;
    let priority = priority.parse().map_err(|_| format!("{priority:?} is no priority"))?;
    let table = value(&pairs, "table").or_else(|| value(&pairs, "lookup")).ok_or("it names no table")?;
    let table = match table {
        "main" => TableId::MAIN,
        text => text.parse().map(TableId::Number).map_err(|_| format!("write the number of table {text}"))?,
    };
    let six = from.or(to).map_or(six, |net| net.addr().is_ipv6());
    let mut key = RuleKey::all(if six { Family::V6 } else { Family::V4 }, priority, RuleAction::Table(table));
    (key.from, key.to) = (from, to);
    key.iif = value(&pairs, "iif").map(Into::into);
    key.oif = value(&pairs, "oif").map(Into::into);
    key.fwmark = value(&pairs, "fwmark").map(mark).transpose()?;
    let rule = Rule { node: node.clone(), key, kernel: false, marked: true, protocol: 0 };
    draft.state.insert(Resource::Rule(rule), Owner::Ours);
    Ok(())
}

/// A mark, with its mask or all of it.
pub(super) fn mark(text: &str) -> Result<(u32, u32), String> {
    let number = |text: &str| match text.strip_prefix("0x") {
        Some(hex) => u32::from_str_radix(hex, 16).ok(),
        None => text.parse().ok(),
    };
    let (mark, mask) = text.split_once('/').unwrap_or((text, "0xffffffff"));
    number(mark).zip(number(mask)).ok_or_else(|| format!("{text:?} is no mark"))
}
