//! Rules about links that stand on others and links that hold others: VLANs, macvlans, ipvlans, bonds, VRFs, tunnels.

use super::link::in_file_order;
use super::view::View;
use super::{Found, Rule};
use crate::document::Finding;
use crate::resource::{IfName, Kind, Link, LinkId, Node, Setting, Tenure, Value};
use std::collections::BTreeMap;

/// All of them.
pub(super) const RULES: &[Rule] =
    &[bad_lower, shared_lower, one_mode, vlan_twice, vlan_on_down, tunnel_twice, fallback_name, no_ethernet, mac_in_bond, unmonitored];

/// Names that tunnel modules give to devices of their own in every namespace.
const FALLBACKS: [&str; 9] = ["tunl0", "gre0", "gretap0", "erspan0", "ip_vti0", "ip6_vti0", "sit0", "ip6tnl0", "ip6gre0"];

fn word<'l>(link: &'l Link, key: &str) -> Option<&'l str> {
    match link.options.get(key) {
        Some(Value::Word(word)) => Some(word),
        _ => None,
    }
}

/// Whether links of this kind take over what comes in by the one they stand on (`netdev_rx_handler_register`): of those there can be one, and no bridge or bond.
fn takes_over(link: &Link) -> bool {
    matches!(link.kind, Kind::Macvlan | Kind::Macvtap | Kind::Ipvlan)
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
                format!("`link: {}`, or take the port from the {}", master.id, master.kind.word()),
            ),
            None if lower.kind == Kind::Loopback => ("macvlan-on-loopback", "the loopback interface".to_owned(), "name another interface".to_owned()),
            None => continue,
        };
        let message = format!("\"{}\" is a {} on \"{}\", which is {what}: the kernel refuses that", link.id, link.kind.word(), lower.id);
        let finding = Finding::error(code, view.link_place(&link.id), message).also(view.link_place(&lower.id), "what it stands on");
        findings.push(finding.help(help));
    }
}

/// Macvlans and ipvlans on one interface, or a second macvlan beside one that passes everything through: each wants all that comes in.
fn shared_lower(view: &View<'_>, findings: &mut Found) {
    let mut first: BTreeMap<&LinkId, &Link> = BTreeMap::new();
    for link in in_file_order(view).into_iter().filter(|link| takes_over(link)) {
        let Some(lower) = &link.link else { continue };
        let other = *first.entry(lower).or_insert(link);
        let passes = |link: &Link| word(link, "mode") == Some("passthru");
        let both = (link.kind == Kind::Ipvlan) != (other.kind == Kind::Ipvlan);
        if other.id == link.id || !(both || passes(link) || passes(other)) {
            continue;
        }
        let message = format!("\"{}\" cannot be on \"{lower}\" beside \"{}\": the kernel refuses that", link.id, other.id);
        let finding = Finding::error("lower-taken", view.link_place(&link.id), message).also(view.link_place(&other.id), "on the same interface");
        findings.push(finding.help("on one interface there are macvlans or ipvlans, not both, and a macvlan of mode passthru is alone"));
    }
}

/// Ipvlans of different modes on one interface: who is made last changes all.
fn one_mode(view: &View<'_>, findings: &mut Found) {
    let mut first: BTreeMap<&LinkId, &Link> = BTreeMap::new();
    for link in in_file_order(view).into_iter().filter(|link| link.kind == Kind::Ipvlan) {
        let Some(lower) = &link.link else { continue };
        let other = *first.entry(lower).or_insert(link);
        if other.options == link.options {
            continue;
        }
        let message = format!("\"{}\" and \"{}\" are ipvlans on \"{lower}\" with different modes, and all on one interface have one", link.id, other.id);
        let finding = Finding::error("ipvlan-modes", view.link_place(&link.id), message).also(view.link_place(&other.id), "the other one");
        findings.push(finding.help("give them the same `mode` and `flag`"));
    }
}

/// One VLAN twice on one interface.
fn vlan_twice(view: &View<'_>, findings: &mut Found) {
    let mut seen: BTreeMap<(&LinkId, Option<u64>, Option<&str>), &Link> = BTreeMap::new();
    for link in in_file_order(view).into_iter().filter(|link| link.kind == Kind::Vlan) {
        let Some(lower) = &link.link else { continue };
        let id = number(link, "id");
        let first = *seen.entry((lower, id, word(link, "protocol"))).or_insert(link);
        if first.id == link.id {
            continue;
        }
        let message = format!("\"{}\" is the VLAN {} on \"{lower}\", as \"{}\" is", link.id, id.unwrap_or_default(), first.id);
        let finding = Finding::error("vlan-twice", view.link_place(&link.id), message).also(view.link_place(&first.id), "first used here");
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
        let Some(lower) = link.link.as_ref().and_then(|lower| view.links.get(lower)).filter(|lower| lower.up == Setting::Is(false) && !loose) else { continue };
        let message = format!("\"{}\" is up, and \"{}\", which it is on, is not: the kernel refuses that", link.id, lower.id);
        let finding = Finding::error("vlan-on-down", view.link_place(&link.id), message).also(view.link_place(&lower.id), "down");
        findings.push(finding.help("write `up: false` for both, or `loose-binding: true`"));
    }
}

/// Two tunnels of one kind between the same ends in one namespace: the kernel could not tell whose a packet is.
fn tunnel_twice(view: &View<'_>, findings: &mut Found) {
    let mut seen: BTreeMap<(&Node, &str, String), &Link> = BTreeMap::new();
    for link in in_file_order(view) {
        let keys: &[&str] = match link.kind {
            Kind::Gre | Kind::Gretap | Kind::Ip6gre | Kind::Ip6gretap => &["local", "remote", "key"],
            Kind::Ipip | Kind::Sit | Kind::Ip6tnl => &["local", "remote"],
            Kind::Geneve => &["id", "remote", "port"],
            _ => continue,
        };
        let ends: Vec<String> = keys.iter().filter_map(|key| link.options.get(*key)).map(Value::to_string).collect();
        let born = link.link.as_ref().map_or(&link.id.node, |lower| &lower.node);
        let by = link.link.as_ref().map_or(String::new(), |lower| lower.name.to_string());
        let first = *seen.entry((born, link.kind.name(), format!("{} {by}", ends.join(" ")))).or_insert(link);
        if first.id == link.id {
            continue;
        }
        let message = format!("\"{}\" is a {} tunnel between the same ends as \"{}\"", link.id, link.kind.word(), first.id);
        let finding = Finding::error("tunnel-twice", view.link_place(&link.id), message).also(view.link_place(&first.id), "first used here");
        findings.push(finding.help("give one of them other ends, or tell them apart by `key` or `id`"));
    }
}

/// A name that the kernel has for a device of its own as soon as the first tunnel is made.
fn fallback_name(view: &View<'_>, findings: &mut Found) {
    for link in view.links.values().filter(|link| link.tenure == Tenure::Created && FALLBACKS.contains(&link.id.name.as_str())) {
        let message = format!("\"{}\" is the name of a device that the kernel makes by itself with the first tunnel of its kind", link.id.name);
        findings.push(Finding::error("fallback-name", view.link_place(&link.id), message).help("choose another name, such as one with a 1 at its end"));
    }
}

/// What has no Ethernet frames as a port of a bridge or bond (`br_add_if`, `bond_enslave`), and what holds ports itself as one of a bond or VRF.
fn no_ethernet(view: &View<'_>, findings: &mut Found) {
    for link in view.links.values() {
        let Some(master) = view.master(link) else { continue };
        let packets = matches!(link.kind, Kind::Gre | Kind::Ip6gre | Kind::Ipip | Kind::Sit | Kind::Ip6tnl | Kind::Tun | Kind::Vrf);
        let why = match master.kind {
            Kind::Bridge | Kind::Bond if packets => "has no Ethernet frames",
            Kind::Bond if link.kind == Kind::Bond => "is a bond itself",
            Kind::Vrf if link.kind == Kind::Vrf => "is a vrf itself",
            Kind::Bond | Kind::Vrf if link.kind == Kind::Loopback => "is the loopback interface",
            _ => continue,
        };
        let message = format!("\"{}\" cannot be a port of the {} \"{}\": it {why}", link.id, master.kind.word(), master.id.name);
        let finding = Finding::error("bad-port", view.link_place(&link.id), message).also(view.link_place(&master.id), "its master");
        findings.push(finding.help("take it from the list of ports; gretap, vxlan, geneve and tap carry Ethernet frames"));
    }
}

/// A hardware address for a port of a bond: the bond gives it its own.
fn mac_in_bond(view: &View<'_>, findings: &mut Found) {
    for link in view.links.values().filter(|link| matches!(link.mac, Setting::Is(_))) {
        let Some(bond) = view.master(link).filter(|master| master.kind == Kind::Bond && word(master, "fail-over-mac") == Some("none")) else { continue };
        let message = format!("\"{}\" is a port of the bond \"{}\", which gives all its ports its own hardware address", link.id, bond.id.name);
        let finding = Finding::error("mac-in-bond", view.mac_place(link), message).also(view.link_place(&bond.id), "the bond");
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
    for bond in view.links.values().filter(|link| link.kind == Kind::Bond && link.options.get("miimon") == Some(&Value::Millis(0))) {
        if ports.get(&(&bond.id.node, &bond.id.name)).is_none_or(|count| *count < 2) {
            continue;
        }
        let message = format!("the bond \"{}\" never looks at the carrier of its ports, and goes on sending over a line that is cut", bond.id);
        findings.push(Finding::warning("bond-unmonitored", view.link_place(&bond.id), message).help("write `miimon: 100ms`"));
    }
}
