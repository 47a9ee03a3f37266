//! A network of netplan: the machine's own interfaces as `existing` ones, its bridges, bonds, VLANs and VRFs.

use super::commands::mark;
use super::draft::{Draft, Drafted, destination};
use super::values::{centis, entries, get, items, mac, prefix, switch, text};
use crate::document::yaml::source::Source;
use crate::document::yaml::tree::{Data, Yaml, quoted};
use crate::resource::{
    Family, Kind, Link, LinkId, Name, NextHop, Node, Owner, Resource, RouteKind, Rule, RuleAction, RuleKey, Setting,
    TableId, Value,
};
use std::net::IpAddr;

/// Keys of interfaces that are read here, or say what topo does anyway.
const READ: [&str; 17] = [
    "addresses",
    "dhcp4",
    "dhcp6",
    "mtu",
    "macaddress",
    "routes",
    "routing-policy",
    "gateway4",
    "gateway6",
    "interfaces",
    "parameters",
    "id",
    "link",
    "table",
    "optional",
    "renderer",
    "accept-ra",
];
/// The sections of interfaces.
const SECTIONS: [(&str, Kind); 6] = [
    ("ethernets", Kind::Any),
    ("dummy-devices", Kind::Dummy),
    ("bridges", Kind::Bridge),
    ("bonds", Kind::Bond),
    ("vlans", Kind::Vlan),
    ("vrfs", Kind::Vrf),
];

/// Reads a network of netplan (`network`).
pub fn netplan(source: &Source, topology: &Name) -> Drafted {
    let (mut draft, tree) = Draft::of(source, topology);
    let Some(tree) = tree else { return draft.done() };
    let Some(network) = get(&tree, "network") else {
        draft.wrong(tree.place, "there is no `network`: netplan has everything there");
        return draft.done();
    };
    let host = Node::host();
    for (section, value) in entries(network) {
        let known = SECTIONS.iter().any(|(name, _)| *name == section.text());
        if !known && !matches!(section.text(), "version" | "renderer") {
            draft.unsaid(&host, section.place, format!("`{}`: {}", section.text(), unread(section.text(), value)));
        }
    }
    // First what is there, so that ports and lower devices are known.
    for (section, kind) in SECTIONS {
        for (name, interface) in get(network, section).map(entries).unwrap_or_default() {
            if let Some(link) = draft.name(name).map(|name| LinkId { node: host.clone(), name }) {
                made(&mut draft, &kind, &link, interface);
            }
        }
    }
    for (section, kind) in SECTIONS {
        for (name, interface) in get(network, section).map(entries).unwrap_or_default() {
            let link = LinkId::new(host.clone(), name.text());
            if draft.state.link(&link).is_some() {
                said(&mut draft, &kind, &link, name, interface);
            }
        }
    }
    draft.done()
}

fn unread(section: &str, value: &Yaml<'_>) -> String {
    let names: Vec<&str> = entries(value).iter().map(|(name, _)| name.text()).collect();
    let names = if names.is_empty() { String::new() } else { format!("{}: ", names.join(", ")) };
    let what = match section {
        "wifis" => "topo has no wireless networks",
        "modems" => "topo has no modems",
        "tunnels" => "write it as `gre`, `sit`, `vxlan` or `wireguard`",
        "openvswitch" => "topo has bridges of the kernel",
        _ => "topo does not read this",
    };
    format!("{names}{what}")
}

fn made(draft: &mut Draft<'_>, kind: &Kind, link: &LinkId, interface: &Yaml<'_>) {
    match kind {
        Kind::Any => draft.link(link, |_| {}),
        kind => draft.make(link, kind.clone(), |_| {}),
    }
    for port in get(interface, "interfaces").map(items).unwrap_or_default() {
        if let Some(name) = draft.name(port) {
            let port = LinkId { node: link.node.clone(), name };
            draft.link(&port, |port| port.master = Setting::Is(Some(link.name.clone())));
        }
    }
}

fn said(draft: &mut Draft<'_>, kind: &Kind, link: &LinkId, name: &Yaml<'_>, interface: &Yaml<'_>) {
    let host = link.node.clone();
    of_kind(draft, kind, link, name, interface);
    let on = |key| get(interface, key).and_then(|value| switch(value.text()));
    let (dhcp4, dhcp6) = (on("dhcp4") == Some(true), on("dhcp6") == Some(true));
    let mtu = text(interface, "mtu").map(str::parse::<u32>);
    let address = text(interface, "macaddress").map(mac);
    for (wrong, key) in [(matches!(mtu, Some(Err(_))), "mtu"), (address == Some(None), "macaddress")] {
        if let Some(value) = get(interface, key).filter(|_| wrong) {
            draft.wrong(value.place, format!("{} is no {key}", quoted(value.text())));
        }
    }
    draft.link(link, |it| {
        (it.dhcp4, it.dhcp6) = (dhcp4, dhcp6);
        it.mtu = mtu.and_then(Result::ok).map_or(it.mtu, Setting::Is);
        it.mac = address.flatten().map_or(it.mac, Setting::Is);
    });
    for item in get(interface, "addresses").map(items).unwrap_or_default() {
        // One may be a map of itself: `10.0.0.1/24: { label: … }`.
        let item = match entries(item) {
            [(address, _)] => address,
            _ => item,
        };
        match prefix(item.text()) {
            Some(net) => draft.address(link, net),
            None => draft.wrong(item.place, format!("{} is no address", quoted(item.text()))),
        }
    }
    for key in ["gateway4", "gateway6"] {
        if let Some(gateway) = get(interface, key) {
            match gateway.text().parse::<IpAddr>() {
                Ok(via) => default_route(draft, link, via),
                Err(_) => draft.wrong(gateway.place, format!("{} is no gateway", quoted(gateway.text()))),
            }
        }
    }
    let table = text(interface, "table").filter(|_| *kind == Kind::Vrf).and_then(|table| table.parse().ok());
    for item in get(interface, "routes").map(items).unwrap_or_default() {
        if let Err(why) = route(draft, link, table, item) {
            draft.wrong(item.place, why);
        }
    }
    for item in get(interface, "routing-policy").map(items).unwrap_or_default() {
        if let Err(why) = policy(draft, &host, table, item) {
            draft.unsaid(&host, item.place, format!("a routing-policy of {}: {why}", link.name));
        }
    }
    for (key, _) in entries(interface).iter().filter(|(key, _)| !READ.contains(&key.text())) {
        let what = match key.text() {
            "nameservers" => "the machine's own resolv.conf: topo writes those of namespaces (`dns`)",
            "match" | "set-name" => "topo names interfaces by their names",
            _ => "topo does not read this",
        };
        draft.unsaid(&host, key.place, format!("`{}` of {}: {what}", key.text(), link.name));
    }
}

fn default_route(draft: &mut Draft<'_>, link: &LinkId, via: IpAddr) {
    if let Some(to) = destination("default", Some(via), false) {
        let hop = NextHop::new(Some(via), Some(link.name.clone()));
        draft.route(&link.node, (to, TableId::MAIN, None), Some(hop), |_| {});
    }
}

/// What the kind of an interface has.
fn of_kind(draft: &mut Draft<'_>, kind: &Kind, link: &LinkId, name: &Yaml<'_>, interface: &Yaml<'_>) {
    match kind {
        Kind::Vlan => {
            let (id, lower) = (text(interface, "id").map(str::parse::<u64>), text(interface, "link"));
            let (Some(Ok(id)), Some(lower)) = (id, lower) else {
                draft.wrong(name.place, format!("the VLAN {} has no `id` or no `link`", name.text()));
                return;
            };
            let lower = LinkId::new(link.node.clone(), lower);
            draft.link(&lower, |_| {});
            draft.link(link, |it| {
                it.link = Some(lower.clone());
                it.options.insert("id".into(), Value::Number(id));
            });
        }
        Kind::Vrf => match text(interface, "table").map(str::parse::<u64>) {
            Some(Ok(table)) => draft.link(link, |it| _ = it.options.insert("table".into(), Value::Number(table))),
            _ => draft.wrong(name.place, format!("the VRF {} has no `table`", name.text())),
        },
        _ => {}
    }
    for (key, value) in get(interface, "parameters").map(entries).unwrap_or_default() {
        match parameter(kind, key.text(), value) {
            Some((name, value)) => draft.link(link, |it: &mut Link| _ = it.options.insert(name.into(), value)),
            None => {
                let what =
                    format!("`{}: {}` of {}: topo does not read this", key.text(), quoted(value.text()), link.name);
                draft.unsaid(&link.node, key.place, what);
            }
        }
    }
}

/// An attribute of a bridge or bond in topo's words.
fn parameter(kind: &Kind, key: &str, value: &Yaml<'_>) -> Option<(&'static str, Value)> {
    let text = value.text();
    let number = || text.parse().ok().map(Value::Number);
    let millis = || text.strip_suffix("ms").unwrap_or(text).trim().parse().ok().map(Value::Millis);
    let word = || Some(Value::word(text)).filter(|_| matches!(value.data(), Data::Scalar(..)) && !text.is_empty());
    let (name, value) = match (kind, key) {
        (Kind::Bridge, "stp") => ("stp", switch(text).map(Value::Bool)),
        (Kind::Bridge, "forward-delay") => ("forward-delay", centis(text)),
        (Kind::Bridge, "hello-time") => ("hello-time", centis(text)),
        (Kind::Bridge, "max-age") => ("max-age", centis(text)),
        (Kind::Bridge, "ageing-time" | "aging-time") => ("ageing-time", centis(text)),
        (Kind::Bridge, "priority") => ("priority", number()),
        (Kind::Bond, "mode") => ("mode", word()),
        (Kind::Bond, "mii-monitor-interval") => ("miimon", millis()),
        (Kind::Bond, "up-delay") => ("up-delay", millis()),
        (Kind::Bond, "down-delay") => ("down-delay", millis()),
        (Kind::Bond, "primary") => ("primary", word()),
        (Kind::Bond, "lacp-rate") => ("lacp-rate", word()),
        (Kind::Bond, "transmit-hash-policy") => ("transmit-hash-policy", word()),
        (Kind::Bond, "min-links") => ("min-links", number()),
        _ => return None,
    };
    value.map(|value| (name, value))
}

fn route(draft: &mut Draft<'_>, link: &LinkId, vrf: Option<u32>, item: &Yaml<'_>) -> Result<(), String> {
    let ip =
        |key| text(item, key).map(|text| text.parse::<IpAddr>().map_err(|_| format!("{} is no address", quoted(text))));
    let number =
        |key| text(item, key).map(|text| text.parse::<u32>().map_err(|_| format!("{} is no number", quoted(text))));
    let (via, source) = (ip("via").transpose()?, ip("from").transpose()?);
    let (metric, table, mtu) =
        (number("metric").transpose()?, number("table").transpose()?, number("mtu").transpose()?);
    let to = text(item, "to").ok_or("a route has `to`")?;
    let to = destination(to, via, false).ok_or_else(|| format!("{} is no prefix", quoted(to)))?;
    let kind = match text(item, "type") {
        None | Some("unicast") => RouteKind::Unicast,
        Some("blackhole") => RouteKind::Blackhole,
        Some("unreachable") => RouteKind::Unreachable,
        Some("prohibit") => RouteKind::Prohibit,
        Some("local") => RouteKind::Local,
        Some("throw") => RouteKind::Throw,
        Some(kind) => return Err(format!("topo has no routes of type {kind}")),
    };
    let onlink = get(item, "on-link").and_then(|value| switch(value.text())) == Some(true);
    let drops = !matches!(kind, RouteKind::Unicast | RouteKind::Local);
    let hop = (!drops).then(|| NextHop { onlink, ..NextHop::new(via, Some(link.name.clone())) });
    let table = table.or(vrf).map_or(TableId::MAIN, TableId::Number);
    draft.route(&link.node, (to, table, metric), hop, |route| {
        (route.kind, route.source, route.mtu) = (kind, source, mtu);
    });
    for (key, _) in entries(item) {
        let known = ["to", "via", "from", "metric", "table", "mtu", "type", "on-link"];
        if !known.contains(&key.text()) {
            draft.unsaid(&link.node, key.place, format!("`{}` of a route: topo does not read this", key.text()));
        }
    }
    Ok(())
}

fn policy(draft: &mut Draft<'_>, host: &Node, vrf: Option<u32>, item: &Yaml<'_>) -> Result<(), String> {
    let net = |key| text(item, key).map(|text| prefix(text).ok_or_else(|| format!("{} is no prefix", quoted(text))));
    let (from, to) = (net("from").transpose()?, net("to").transpose()?);
    let priority = text(item, "priority").ok_or("a rule of topo has a `priority`")?;
    let priority = priority.parse().map_err(|_| format!("{} is no priority", quoted(priority)))?;
    let table = text(item, "table").map(|table| table.parse().map_err(|_| format!("{} is no table", quoted(table))));
    let table = table.transpose()?.or(vrf).ok_or("it names no table")?;
    if get(item, "type-of-service").is_some() {
        return Err("topo has no word for `type-of-service`".to_owned());
    }
    let six = from.or(to).is_some_and(|net| net.addr().is_ipv6());
    let family = if six { Family::V6 } else { Family::V4 };
    let mut key = RuleKey::all(family, priority, RuleAction::Table(TableId::Number(table)));
    (key.from, key.to) = (from, to);
    key.fwmark = text(item, "mark").map(mark).transpose()?;
    let rule = Rule { node: host.clone(), key, kernel: false, marked: true, protocol: 0 };
    draft.state.insert(Resource::Rule(rule), Owner::Ours);
    Ok(())
}
