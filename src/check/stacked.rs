//! Rules about links that depend on others and links that hold others: VLANs, macvlans, ipvlans, bonds, VRFs, tunnels.

use super::rule::{Found, Rule};
use super::view::View;
use crate::document::Finding;
use crate::resource::{IfName, Kind, Link, LinkId, Node, Setting, Tenure, Value, kinds};
use std::collections::BTreeMap;

/// All of them.
pub(super) const RULES: &[Rule] = &[
    bad_lower,
    unfit_lower,
    shared_lower,
    one_mode,
    vlan_twice,
    vlan_on_down,
    tunnel_twice,
    fallback_name,
    no_ethernet,
    no_mac,
    mac_in_bond,
    unmonitored,
    table_twice,
];

/// Names that tunnel modules give to devices of their own in every namespace.
const FALLBACKS: [&str; 9] =
    ["tunl0", "gre0", "gretap0", "erspan0", "ip_vti0", "ip6_vti0", "sit0", "ip6tnl0", "ip6gre0"];

/// A word with its article.
pub(super) fn a(word: &str) -> String {
    // The first two letters of "nlmon" are spelled.
    let vowel = word.starts_with(['a', 'e', 'i', 'o']) || word == "nlmon";
    format!("{} {word}", if vowel { "an" } else { "a" })
}

fn word<'l>(link: &'l Link, key: &str) -> Option<&'l str> {
    match link.options.get(key) {
        Some(Value::Word(word)) => Some(word),
        _ => None,
    }
}

/// Whether links of this kind take over what comes in by the one they depend on (`netdev_rx_handler_register`): of
/// those there can be one, and no bridge or bond.
fn takes_over(link: &Link) -> bool {
    kinds::traits(&link.kind).takes_over
}

/// A macvlan or ipvlan over what takes none: a port of a bridge or bond (whose frames are theirs), or `lo`.
fn bad_lower(view: &View<'_>, findings: &mut Found) {
    for link in view.links.values().filter(|link| takes_over(link)) {
        let Some(lower) = link.link.as_ref().and_then(|lower| view.links.get(lower)) else { continue };
        let master = view.master(lower).filter(|master| matches!(master.kind, Kind::Bridge | Kind::Bond));
        let (code, what, help) = match master {
            Some(master) => (
                "macvlan-on-port",
                format!("a port of the {} \"{}\"", master.kind.word(), master.id.name),
                format!("write `link: {}`, or take the port from the {}", master.id, master.kind.word()),
            ),
            None if lower.kind == Kind::Loopback => {
                ("macvlan-on-loopback", "the loopback interface".to_owned(), "name another interface".to_owned())
            }
            None => continue,
        };
        let message = format!(
            "\"{}\" is {} on \"{}\", which is {what}: the kernel refuses that",
            link.id,
            a(link.kind.word()),
            lower.id
        );
        let finding = Finding::error(code, view.link_place(&link.id), message)
            .also(view.link_place(&lower.id), "its lower device");
        findings.push(finding.help(help));
    }
}

/// Whether links of this kind carry packets of IP and no Ethernet frames.
pub(super) fn without_frames(link: &Link) -> bool {
    !kinds::traits(&link.kind).frames
}

/// A VLAN on what takes no tags (`NETIF_F_VLAN_CHALLENGED`), a macvlan or ipvlan on what has no Ethernet frames
/// (`macvlan_port_create`, `ipvlan_port_create`), or on one of its own kind, which the kernel puts on the interface
/// below instead.
fn unfit_lower(view: &View<'_>, findings: &mut Found) {
    for link in view.links.values().filter(|link| takes_over(link) || link.kind == Kind::Vlan) {
        let Some(lower) = link.link.as_ref().and_then(|lower| view.links.get(lower)) else { continue };
        let ip = |link: &Link| link.kind == Kind::Ipvlan;
        let own_kind = takes_over(link) && takes_over(lower) && ip(link) == ip(lower);
        let why = match lower.kind {
            _ if without_frames(lower) => "which has no Ethernet frames",
            Kind::Vrf => "which is a vrf and only has ports",
            Kind::Loopback if link.kind == Kind::Vlan => "the loopback interface",
            Kind::Macvtap if link.kind == Kind::Ipvlan => "a macvtap, whose frames a program gets",
            Kind::Ipvlan if !own_kind => "an ipvlan, which takes neither vlans nor macvlans",
            // The circle has its own finding.
            _ if own_kind
                && lower
                    .link
                    .as_ref()
                    .is_some_and(|below| view.links.get(below).is_some_and(|below| !takes_over(below))) =>
            {
                "one of its own kind: the kernel puts both on the interface below"
            }
            _ => continue,
        };
        let help = match &lower.link {
            Some(below) if takes_over(lower) => format!("write `link: {below}`"),
            _ if without_frames(lower) => "gretap, vxlan, geneve and tap carry Ethernet frames".to_owned(),
            _ if lower.kind == Kind::Vrf => {
                format!("put \"{}\" on another interface, and make it a port of the vrf", link.id.name)
            }
            _ => "name another interface".to_owned(),
        };
        let message = format!("\"{}\", {}, cannot be on \"{}\", {why}", link.id, a(link.kind.word()), lower.id);
        let finding = Finding::error("bad-lower", view.link_place(&link.id), message)
            .also(view.link_place(&lower.id), "what it is on");
        findings.push(finding.help(help));
    }
}

/// Macvlans and ipvlans on one interface, or a second macvlan beside one that passes everything through: each wants all
/// that comes in.
fn shared_lower(view: &View<'_>, findings: &mut Found) {
    let mut first: BTreeMap<&LinkId, &Link> = BTreeMap::new();
    for link in view.in_file_order().filter(|link| takes_over(link)) {
        let Some(lower) = &link.link else { continue };
        let other = *first.entry(lower).or_insert(link);
        let passes = |link: &Link| word(link, "mode") == Some("passthru");
        let both = (link.kind == Kind::Ipvlan) != (other.kind == Kind::Ipvlan);
        // On `lo` there can be none at all.
        let none = view.links.get(lower).is_some_and(|lower| lower.kind == Kind::Loopback);
        if other.id == link.id || none || !(both || passes(link) || passes(other)) {
            continue;
        }
        let shown = |link: &Link| {
            word(link, "mode")
                .map_or_else(|| a(link.kind.word()), |mode| format!("{} of mode {mode}", a(link.kind.word())))
        };
        let message = format!(
            "\"{}\", {}, cannot be on \"{lower}\" beside \"{}\", {}",
            link.id,
            shown(link),
            other.id,
            shown(other)
        );
        let finding = Finding::error("lower-taken", view.link_place(&link.id), message)
            .also(view.link_place(&other.id), "on the same interface");
        let help = if both {
            "an interface has macvlans or ipvlans, not both: put one of the two on another interface, or make it of the other's kind"
        } else {
            "a macvlan of mode passthru is alone on its interface: give it another mode, bridge for example, or another interface"
        };
        findings.push(finding.help(help));
    }
}

/// Ipvlans of different modes on one interface: who is made last changes all.
fn one_mode(view: &View<'_>, findings: &mut Found) {
    let mut first: BTreeMap<&LinkId, &Link> = BTreeMap::new();
    for link in view.in_file_order().filter(|link| link.kind == Kind::Ipvlan) {
        let Some(lower) = &link.link else { continue };
        let other = *first.entry(lower).or_insert(link);
        if other.options == link.options {
            continue;
        }
        let shown = |link: &Link| {
            format!("mode {} and flag {}", word(link, "mode").unwrap_or("l3"), word(link, "flag").unwrap_or("bridge"))
        };
        let message = format!(
            "\"{}\" is an ipvlan on \"{lower}\" of {}, \"{}\" one of {}: all on one interface have the same",
            link.id,
            shown(link),
            other.id,
            shown(other)
        );
        let finding = Finding::error("ipvlan-modes", view.link_place(&link.id), message)
            .also(view.link_place(&other.id), "the other one");
        findings.push(finding.help("give them the same `mode` and `flag`"));
    }
}

/// One VLAN twice on one interface.
fn vlan_twice(view: &View<'_>, findings: &mut Found) {
    let mut seen: BTreeMap<(&LinkId, Option<u64>, Option<&str>), &Link> = BTreeMap::new();
    for link in view.in_file_order().filter(|link| link.kind == Kind::Vlan) {
        let Some(lower) = &link.link else { continue };
        let id = number(link, "id");
        let first = *seen.entry((lower, id, word(link, "protocol"))).or_insert(link);
        if first.id == link.id {
            continue;
        }
        let message =
            format!("\"{}\" is the VLAN {} on \"{lower}\", as \"{}\" is", link.id, id.unwrap_or_default(), first.id);
        let finding = Finding::error("vlan-twice", view.link_place(&link.id), message)
            .also(view.link_place(&first.id), "first used here");
        findings.push(finding.help("give one of them another `id`"));
    }
}

fn number(link: &Link, key: &str) -> Option<u64> {
    match link.options.get(key) {
        Some(Value::Number(number)) => Some(*number),
        _ => None,
    }
}

/// A VLAN that is up on an interface that is down (`vlan_dev_open`).
fn vlan_on_down(view: &View<'_>, findings: &mut Found) {
    for link in view.links.values().filter(|link| link.kind == Kind::Vlan && link.up == Setting::Is(true)) {
        let loose = link.options.get("loose-binding") == Some(&Value::Bool(true));
        let Some(lower) = link
            .link
            .as_ref()
            .and_then(|lower| view.links.get(lower))
            .filter(|lower| lower.up == Setting::Is(false) && !loose)
        else {
            continue;
        };
        let message =
            format!("\"{}\" is up, and \"{}\", which it is on, is not: the kernel refuses that", link.id, lower.id);
        let finding =
            Finding::error("vlan-on-down", view.link_place(&link.id), message).also(view.link_place(&lower.id), "down");
        findings.push(finding.help(format!("write `up: false` for \"{}\" too, or `loose-binding: true`", link.id)));
    }
}

/// Two tunnels of one kind between the same ends in one namespace: the kernel could not tell whose a packet is.
fn tunnel_twice(view: &View<'_>, findings: &mut Found) {
    let mut seen: BTreeMap<(&Node, &str, String), &Link> = BTreeMap::new();
    for link in view.in_file_order() {
        let keys = kinds::traits(&link.kind).distinct;
        if keys.is_empty() {
            continue;
        }
        let ends: Vec<String> = keys.iter().filter_map(|key| link.options.get(*key)).map(Value::to_string).collect();
        let born = link.link.as_ref().map_or(&link.id.node, |lower| &lower.node);
        let by = link.link.as_ref().map_or(String::new(), |lower| lower.name.to_string());
        let first = *seen.entry((born, link.kind.name(), format!("{} {by}", ends.join(" ")))).or_insert(link);
        if first.id == link.id {
            continue;
        }
        let message =
            format!("\"{}\" is a {} tunnel between the same ends as \"{}\"", link.id, link.kind.word(), first.id);
        let finding = Finding::error("tunnel-twice", view.link_place(&link.id), message)
            .also(view.link_place(&first.id), "first used here");
        let help = match link.kind {
            Kind::Geneve => "give one of them another `id`, `remote` or `port`",
            _ if !keys.contains(&"key") => "give one of them other ends: this kind has no key",
            _ => "give one of them other ends, or a `key`",
        };
        findings.push(finding.help(help));
    }
}

/// A name that the kernel has for a device of its own as soon as the first tunnel is made.
fn fallback_name(view: &View<'_>, findings: &mut Found) {
    for link in
        view.links.values().filter(|link| link.tenure == Tenure::Created && FALLBACKS.contains(&link.id.name.as_str()))
    {
        let message = format!(
            "\"{}\" is the name of a device that the kernel makes by itself in every namespace, once tunnels of that kind are in use",
            link.id.name
        );
        let help = format!("choose another name, such as \"{}1\"", link.id.name.as_str().trim_end_matches('0'));
        findings.push(Finding::error("fallback-name", view.link_place(&link.id), message).help(help));
    }
}

/// What has no Ethernet frames as a port of a bridge or bond (`br_add_if`, `bond_enslave`), and what holds ports itself
/// as one of a bond or VRF.
fn no_ethernet(view: &View<'_>, findings: &mut Found) {
    for link in view.links.values() {
        let Some(master) = view.master(link) else { continue };
        let frames = "take it from the list of ports; gretap, vxlan, geneve and tap carry Ethernet frames";
        let (why, help) = match master.kind {
            Kind::Bridge | Kind::Bond if link.kind == Kind::Vrf => {
                ("is a vrf", "take it from the list of ports; the bridge or bond can be a port of the vrf")
            }
            Kind::Bridge | Kind::Bond if without_frames(link) => ("has no Ethernet frames", frames),
            Kind::Bridge | Kind::Bond if link.kind == Kind::Ipvlan => {
                ("has no hardware address of its own", "take it from the list of ports; a macvlan has one")
            }
            Kind::Bridge | Kind::Bond if link.kind == Kind::Macvtap => {
                ("hands its frames to a program", "take it from the list of ports")
            }
            Kind::Bond if link.kind == Kind::Bond => ("is a bond itself", "list its ports in one bond"),
            Kind::Vrf if link.kind == Kind::Vrf => {
                ("is a vrf itself", "an interface is in one vrf: list its ports in one of the two")
            }
            _ => continue,
        };
        let message =
            format!("\"{}\" cannot be a port of the {} \"{}\": it {why}", link.id, master.kind.word(), master.id.name);
        let finding = Finding::error("bad-port", view.link_place(&link.id), message)
            .also(view.link_place(&master.id), "its master");
        findings.push(finding.help(help));
    }
}

/// A hardware address for what has none, or has that of what it is on (`ipvlan_netdev_ops` sets none).
fn no_mac(view: &View<'_>, findings: &mut Found) {
    for link in view.links.values().filter(|link| matches!(link.mac, Setting::Is(_))) {
        let (why, help) = match &link.link {
            Some(lower) if link.kind == Kind::Ipvlan => (
                "has the hardware address of what it is on",
                format!("write `mac` at \"{lower}\", or make it a macvlan"),
            ),
            // The kernel gives it that at creation, and another one to both at once (`macvlan_common_newlink`,
            // `macvlan_set_mac_address`).
            Some(lower) if takes_over(link) && word(link, "mode") == Some("passthru") => {
                ("has in mode passthru the hardware address of what it is on", format!("write `mac` at \"{lower}\""))
            }
            _ if without_frames(link) => {
                ("has no Ethernet frames, and so no hardware address", "leave `mac` out".to_owned())
            }
            _ => continue,
        };
        let message = format!("\"{}\", {}, {why}", link.id, a(link.kind.word()));
        findings.push(Finding::error("no-mac", view.mac_place(link), message).help(help));
    }
}

/// A hardware address for a port of a bond: the bond gives it its own.
fn mac_in_bond(view: &View<'_>, findings: &mut Found) {
    for link in view.links.values().filter(|link| matches!(link.mac, Setting::Is(_))) {
        let Some(bond) = view
            .master(link)
            .filter(|master| master.kind == Kind::Bond && word(master, "fail-over-mac") == Some("none"))
        else {
            continue;
        };
        let message = format!(
            "\"{}\" is a port of the bond \"{}\", which gives all its ports its own hardware address",
            link.id, bond.id.name
        );
        let finding =
            Finding::error("mac-in-bond", view.mac_place(link), message).also(view.link_place(&bond.id), "the bond");
        findings.push(finding.help("write `mac` at the bond, or give the bond `fail-over-mac: active`"));
    }
}

/// A bond of several ports that does not notice when a line is cut.
fn unmonitored(view: &View<'_>, findings: &mut Found) {
    let mut ports: BTreeMap<(&Node, &IfName), usize> = BTreeMap::new();
    for link in view.links.values() {
        if let Setting::Is(Some(master)) = &link.master {
            *ports.entry((&link.id.node, master)).or_default() += 1;
        }
    }
    for bond in view
        .links
        .values()
        .filter(|link| link.kind == Kind::Bond && link.options.get("miimon") == Some(&Value::Millis(0)))
    {
        if ports.get(&(&bond.id.node, &bond.id.name)).is_none_or(|count| *count < 2) {
            continue;
        }
        let message = format!(
            "the bond \"{}\" never looks at the carrier of its ports, and goes on sending over a line that is cut",
            bond.id
        );
        findings.push(
            Finding::warning("bond-unmonitored", view.link_place(&bond.id), message).help("write `miimon: 100ms`"),
        );
    }
}

/// Two VRFs of one node with one table: the routes of both stand in it, and the kernel takes the first of the two for
/// all that asks by the table.
fn table_twice(view: &View<'_>, findings: &mut Found) {
    let mut first: BTreeMap<(&Node, String), &Link> = BTreeMap::new();
    for link in view.in_file_order().filter(|link| link.kind == Kind::Vrf) {
        // Those that every namespace uses are an error of their own.
        let usual = |table: &&Value| matches!(table, Value::Number(0 | 253..=255));
        let Some(table) = link.options.get("table").filter(|table| !usual(table)).map(Value::to_string) else {
            continue;
        };
        let other = *first.entry((&link.id.node, table.clone())).or_insert(link);
        if other.id == link.id {
            continue;
        }
        let message = format!(
            "the vrfs \"{}\" and \"{}\" have one table, {table}, so that each has the routes of both",
            other.id, link.id
        );
        let finding = Finding::warning("vrf-table-twice", view.link_place(&link.id), message)
            .also(view.link_place(&other.id), "the other one");
        findings.push(finding.help("give one of them another table, or make one vrf of the two"));
    }
}
