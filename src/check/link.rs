//! Rules about links: their masters, what they depend on, and the segments they make.

use super::rule::{Found, Rule};
use super::segment::{Sets, filters};
use super::view::{View, own_bridge};
use crate::document::Finding;
use crate::resource::{Kind, Link, LinkId, Mac, Setting, Tenure, Value, Vlans};
use std::collections::{BTreeMap, HashSet};

/// All of them.
pub(super) const RULES: &[Rule] = &[
    bridge_as_port,
    too_many_ports,
    storms,
    circles,
    empty_bridge,
    existing_in_new,
    taken_twice,
    names_taken,
    unusable_mac,
    mac_taken,
    mac_twice,
];

/// The most ports that a bridge takes (`BR_MAX_PORTS` of `net/bridge/br_private.h` is 1,024, and number 0 is not given
/// out).
const MOST_PORTS: usize = 1023;

/// How many links of a circle are named.
const SHOWN: usize = 5;

/// A bridge, or `lo`, as a port of a bridge: the kernel refuses both (`br_add_if`).
fn bridge_as_port(view: &View<'_>, findings: &mut Found) {
    for link in view.links.values() {
        let Some(master) = view.master(link).filter(|master| master.kind == Kind::Bridge) else { continue };
        let help = match link.kind {
            Kind::Bridge => format!(
                "join the two bridges with a veth pair, one end a port of \"{}\", the other of \"{}\"",
                link.id.name, master.id.name
            ),
            Kind::Loopback => "take it from the list of ports".to_owned(),
            _ => continue,
        };
        let what = if link.kind == Kind::Bridge { "which is a bridge itself" } else { "the loopback interface" };
        let message = format!("\"{}\", {what}, cannot be a port of the bridge \"{}\"", link.id, master.id.name);
        let finding = Finding::error("bridge-as-port", view.link_place(&link.id), message)
            .also(view.link_place(&master.id), "the bridge");
        findings.push(finding.help(help));
    }
}

/// More ports than the kernel gives to a bridge.
fn too_many_ports(view: &View<'_>, findings: &mut Found) {
    let mut ports: BTreeMap<LinkId, usize> = BTreeMap::new();
    for master in view.links.values().filter_map(|link| link.master_id()) {
        *ports.entry(master).or_default() += 1;
    }
    for (master, count) in ports.into_iter().filter(|(_, count)| *count > MOST_PORTS) {
        if view.links.get(&master).is_none_or(|link| link.kind != Kind::Bridge) {
            continue;
        }
        let message = format!("the bridge \"{master}\" has {count} ports, and a bridge has at most {MOST_PORTS}");
        let help = "put some of them on another bridge, and join the two with a veth pair";
        findings.push(Finding::error("too-many-ports", view.link_place(&master), message).help(help));
    }
}

/// Veth pairs that lead from a bridge back to it, over other bridges or at once: frames go round for ever.
///
/// One bridge that speaks the spanning tree protocol breaks the circle (the others pass its frames on), so such bridges
/// are left out.
fn storms(view: &View<'_>, findings: &mut Found) {
    let speaks = |bridge: &Link| bridge.options.get("stp") == Some(&Value::Bool(true));
    let mut joined = Sets::of(std::iter::empty());
    for link in sorted(view) {
        let Some(peer) = link.peer.as_ref().and_then(|peer| view.links.get(peer)).filter(|peer| link.id < peer.id)
        else {
            continue;
        };
        let (Some(one), Some(other)) = (view.master(link), view.master(peer)) else { continue };
        let down = [link, peer].into_iter().any(|end| end.up == Setting::Is(false));
        if down || [one, other].into_iter().any(|bridge| bridge.kind != Kind::Bridge || speaks(bridge)) {
            continue;
        }
        // A bridge that filters VLANs is one of many: of frames without a tag they are those of the ports.
        let part =
            |bridge: &Link, port: &Link| port.vlans.get().filter(|_| filters(bridge)).map_or(Some(0), Vlans::pvid);
        let (Some(near), Some(far)) = (part(one, link), part(other, peer)) else { continue };
        if joined.join((&one.id, near), (&other.id, far)) {
            continue;
        }
        let way = if one.id == other.id {
            format!("the bridge \"{}\" to itself", one.id)
        } else {
            format!("\"{}\" back to \"{}\"", one.id, other.id)
        };
        let message = format!(
            "the veth pair \"{}\" and \"{}\" leads from {way}: frames would go round for ever",
            link.id, peer.id
        );
        let finding = Finding::error("bridge-loop", view.link_place(&link.id), message)
            .also(view.link_place(&peer.id), "the other end");
        findings.push(finding.help("take one of the ports away, or give one bridge of the circle `stp: true`"));
    }
}

/// Links that depend on themselves, over others or at once.
fn circles(view: &View<'_>, findings: &mut Found) {
    let mut done: HashSet<&LinkId> = HashSet::new();
    for start in sorted(view) {
        let mut way: Vec<&LinkId> = Vec::new();
        let mut at = Some(start);
        while let Some(link) = at {
            if done.insert(&link.id) {
                way.push(&link.id);
                at = link.link.as_ref().and_then(|lower| view.links.get(lower)).copied();
                continue;
            }
            if let Some(from) = way.iter().position(|id| **id == link.id) {
                let circle = way.get(from..).unwrap_or_default();
                // A circle of thousands is a hostile file; a few names show what is meant.
                let shown = circle.get(..SHOWN).unwrap_or(circle);
                let more = if shown.len() < circle.len() { " on .." } else { "" };
                let names = shown.iter().map(|id| format!("\"{id}\"")).collect::<Vec<_>>().join(" on ") + more;
                let message = format!("{names} on \"{}\": a circle, so none of them can be made", link.id);
                let mut finding = Finding::error("link-loop", view.link_place(&link.id), message);
                for other in shown.iter().filter(|id| ***id != link.id) {
                    finding = finding.also(view.link_place(other), "and this one");
                }
                findings.push(finding.help("`link` names an interface that is there without this one"));
            }
            break;
        }
    }
}

/// A bridge with nothing on it.
fn empty_bridge(view: &View<'_>, findings: &mut Found) {
    // What cannot be made yet is not there to be counted.
    if view.partial {
        return;
    }
    let used: HashSet<LinkId> =
        view.links.values().filter_map(|link| link.master_id().or_else(|| link.link.clone())).collect();
    let addressed: HashSet<&LinkId> =
        view.nodes.values().flat_map(|node| &node.addresses).map(|address| &address.link).collect();
    for bridge in
        view.links.values().filter(|link| own_bridge(link) && !used.contains(&link.id) && !addressed.contains(&link.id))
    {
        let message = format!("the bridge \"{}\" has neither ports nor addresses", bridge.id);
        let help = format!(
            "list its ports (`bridge: {{ ports: [..] }}`), or name it from a port (`master: {}`)",
            bridge.id.name
        );
        findings.push(Finding::warning("bridge-empty", view.link_place(&bridge.id), message).help(help));
    }
}

/// An interface that is to be there already, in a namespace in which there is nothing yet.
fn existing_in_new(view: &View<'_>, findings: &mut Found) {
    for (name, node) in view.nodes.iter().filter(|(_, node)| node.created()) {
        for link in node
            .links
            .values()
            .filter(|link| link.tenure == Tenure::Existing && link.kind != Kind::Loopback && link.id.name != *"lo")
        {
            let message = format!(
                "\"{}\" is to be there already, and the file makes the namespace \"{name}\", in which there is only `lo`",
                link.id
            );
            let help = format!(
                "say what it is (`veth`, `dummy`, ..), or bring it in: `{}: {{ existing: {{ from: host/{} }} }}`",
                link.id.name, link.id.name
            );
            findings.push(Finding::warning("existing-in-new", view.link_place(&link.id), message).help(help));
        }
    }
}

/// An interface of another program that goes to two places, or is used here and sent there.
fn taken_twice(view: &View<'_>, findings: &mut Found) {
    let mut takers: BTreeMap<&LinkId, &Link> = BTreeMap::new();
    for link in view.in_file_order() {
        let Tenure::From(source) = &link.tenure else { continue };
        let (other, text) = match (takers.insert(source, link), view.links.get(source)) {
            (Some(first), _) => (first, "goes here already"),
            (None, Some(there)) if there.id != link.id => (*there, "used here"),
            _ => continue,
        };
        let message = format!("\"{source}\" cannot be moved to \"{}\" and be at \"{}\" too", link.id, other.id);
        let finding =
            Finding::error("moved-twice", view.link_place(&link.id), message).also(view.link_place(&other.id), text);
        findings.push(finding.help("an interface is in one place: keep one of the two"));
    }
}

/// Alternative names that another interface of the node has: all names of a namespace are one set in the kernel.
fn names_taken(view: &View<'_>, findings: &mut Found) {
    for node in view.nodes.values() {
        let mut owners: BTreeMap<&str, &Link> =
            node.links.values().map(|link| (link.id.name.as_str(), *link)).collect();
        for link in node.links.values() {
            for name in link.alternative_names.get().into_iter().flatten() {
                let first = *owners.entry(name).or_insert(link);
                // `BTreeSet` holds a name once, so the same link here means its own name.
                if first.id == link.id && link.id.name != **name {
                    continue;
                }
                let message =
                    format!("the alternative name \"{name}\" of \"{}\" is taken by \"{}\"", link.id, first.id);
                let finding = Finding::error("name-taken", view.link_place(&link.id), message)
                    .also(view.link_place(&first.id), "has it");
                findings.push(finding.help("names and alternative names of one namespace are one set: choose another"));
            }
        }
    }
}

/// Hardware addresses that no interface can have (`is_valid_ether_addr`).
fn unusable_mac(view: &View<'_>, findings: &mut Found) {
    for link in view.links.values() {
        let Setting::Is(mac) = link.mac else { continue };
        let [first, ..] = mac.0;
        let what = match mac {
            Mac([0, 0, 0, 0, 0, 0]) => "is all zero",
            _ if first & 1 == 1 => "is a multicast address (its first byte is odd)",
            _ => continue,
        };
        let message = format!("the mac \"{mac}\" of \"{}\" {what}, which no interface can have", link.id);
        findings.push(
            Finding::error("mac-unusable", view.mac_place(link), message)
                .help("use one that starts with 02, such as \"02:00:00:00:00:01\""),
        );
    }
}

/// Whether all routers of a virtual router have this address (RFC 5798, section 7.3): that it is there twice is what it
/// is for.
fn of_virtual_router(mac: Mac) -> bool {
    matches!(mac.0, [0x00, 0x00, 0x5e, 0x00, 0x01 | 0x02, _])
}

/// Whether it is a macvlan that is up, and on what.
fn macvlan(link: &Link) -> Option<&LinkId> {
    let is = matches!(link.kind, Kind::Macvlan | Kind::Macvtap) && link.up == Setting::Is(true);
    link.link.as_ref().filter(|_| is)
}

/// One hardware address twice on an interface: a macvlan that is up has another one than what it is on, and than all
/// others there (`macvlan_addr_busy`).
fn mac_taken(view: &View<'_>, findings: &mut Found) {
    let mut seen: BTreeMap<(&LinkId, Mac), &Link> = BTreeMap::new();
    for link in view.in_file_order() {
        let (Setting::Is(mac), Some(lower)) = (link.mac, macvlan(link)) else { continue };
        let below = view.links.get(lower).copied().filter(|lower| lower.mac == Setting::Is(mac));
        let first = below.unwrap_or_else(|| seen.entry((lower, mac)).or_insert(link));
        if first.id == link.id {
            continue;
        }
        let message = format!(
            "the mac \"{mac}\" of \"{}\" is also that of \"{}\", and on \"{lower}\" only one can have it",
            link.id, first.id
        );
        let finding =
            Finding::error("mac-twice", view.mac_place(link), message).also(view.mac_place(first), "first used here");
        findings.push(finding.help("give one of them another mac, or leave it to the kernel"));
    }
}

/// One hardware address on two interfaces of a segment: frames go to whichever spoke last.
fn mac_twice(view: &View<'_>, findings: &mut Found) {
    let mut seen: BTreeMap<(usize, Mac), &Link> = BTreeMap::new();
    for link in view.in_file_order() {
        let (Setting::Is(mac), Some(segment)) = (link.mac, view.segments.of(&link.id)) else { continue };
        let first = *seen.entry((segment, mac)).or_insert(link);
        // A bridge has, on purpose, the address of one of its ports.
        let bridged = |one: &Link, other: &Link| one.master_id().as_ref() == Some(&other.id);
        if first.id == link.id || bridged(first, link) || bridged(link, first) {
            continue;
        }
        // One interface that both are on, or one that the other is on, has a finding of its own.
        let beside = macvlan(link).is_some_and(|lower| *lower == first.id || macvlan(first) == Some(lower))
            || macvlan(first) == Some(&link.id);
        if beside || of_virtual_router(mac) {
            continue;
        }
        let message =
            format!("the mac \"{mac}\" of \"{}\" is also that of \"{}\", on the same segment", link.id, first.id);
        let finding =
            Finding::warning("mac-twice", view.mac_place(link), message).also(view.mac_place(first), "first used here");
        findings.push(finding.help("give each interface of a segment a mac of its own, or leave it to the kernel"));
    }
}

/// The links by name: what is found must not depend on the order of a hash.
pub(super) fn sorted<'a>(view: &View<'a>) -> Vec<&'a Link> {
    view.nodes.values().flat_map(|node| node.links.values().copied()).collect()
}
