//! What is written beside a name: the kind and the addresses of an interface, what a node does.

use super::model::{Line, PortKind};
use crate::render::words;
use crate::resource::{
    Address, Kind, Link, NodeTenure, Resource, Setting, State, Table, TableId, Tenure, Value, VlanWords, Vlans, Work,
    kinds, vlan_range,
};

/// What an interface is to a picture.
pub fn port_kind(link: &Link) -> PortKind {
    match link.kind {
        Kind::Bridge => PortKind::Bridge,
        Kind::Bond => PortKind::Bond,
        Kind::Vrf => PortKind::Vrf,
        _ if link.tenure == Tenure::Created => PortKind::Plain,
        _ => PortKind::Foreign,
    }
}

/// Whether an interface is worth a place: not the `lo` that every node has.
pub fn is_shown(link: &Link, lines: &[Line]) -> bool {
    link.kind != Kind::Loopback || lines.iter().any(|line| !line.dim)
}

/// What there is to say about an interface besides its name.
pub fn lines(state: &State, link: &Link) -> Vec<Line> {
    let mut words: Vec<String> = kind_words(link).into_iter().collect();
    // One in another node is at the end of a line.
    if let Some(below) = link.link.as_ref().filter(|below| below.node == link.id.node) {
        words = vec![format!("{} on {}", words.concat(), below.name)];
    }
    if kinds::traits(&link.kind).has_keys && link.transport() != link.id.node {
        words.push(format!("transport {}", link.transport()));
    }
    if let Some(vlans) = link.vlans.get().filter(|vlans| **vlans != Vlans::access(1)) {
        words.push(vlan_words(vlans));
    }
    if let Some(mtu) = link.mtu.get().filter(|mtu| is_unusual(state, link, **mtu)) {
        words.push(format!("mtu {mtu}"));
    }
    if link.dhcp4 || link.dhcp6 {
        words.push("DHCP".to_owned());
    }
    if link.up == Setting::Is(false) {
        words.push("down".to_owned());
    }
    let mut lines: Vec<Line> = words.into_iter().map(Line::dim).collect();
    let addresses = state.resources().filter_map(|resource| match resource {
        Resource::Address(address) if address.link == link.id => address_word(address),
        _ => None,
    });
    lines.extend(addresses.map(Line::new));
    lines
}

/// An MTU that was chosen: of tunnels it follows from what is around a packet.
fn is_unusual(state: &State, link: &Link, mtu: u32) -> bool {
    let below = link.link.as_ref().and_then(|below| state.link(below)).and_then(|below| below.mtu.get().copied());
    let usual = below.filter(|_| kinds::no_larger_than_below(&link.kind)).unwrap_or(kinds::usual_mtu(&link.kind));
    mtu != 0 && mtu != usual && !kinds::mtu_of_ports(&link.kind) && usual.abs_diff(mtu) != kinds::around(link)
}

fn address_word(address: &Address) -> Option<String> {
    let ip = address.address.addr();
    let of_the_kernel = ip.is_loopback()
        || matches!(address.address, ipnet::IpNet::V6(net) if net.addr().is_unicast_link_local()) && !address.marked;
    (!of_the_kernel).then(|| match address.peer {
        Some(peer) => format!("{ip} peer {peer}/{}", address.address.prefix_len()),
        None => address.address.to_string(),
    })
}

/// The kind, with what sets one of it apart from another.
fn kind_words(link: &Link) -> Option<String> {
    let word = match link.kind {
        Kind::Loopback | Kind::Veth | Kind::Any | Kind::Physical => return None,
        ref kind => kind.word(),
    };
    let option = |key: &str| link.options.get(key).filter(|value| **value != Value::Unset).map(ToString::to_string);
    let more = match link.kind {
        Kind::Vlan | Kind::Vxlan | Kind::Geneve => option("id"),
        Kind::Vrf => option("table").map(|table| format!("table {table}")),
        Kind::Macvlan | Kind::Macvtap | Kind::Ipvlan | Kind::Bond => option("mode"),
        Kind::Wireguard => option("listen-port").map(|port| format!("port {port}")),
        Kind::Bridge if link.options.get("vlan-filtering") == Some(&Value::Bool(true)) => Some("VLANs".to_owned()),
        _ => option("key").map(|key| format!("key {key}")),
    };
    Some(more.map_or_else(|| word.to_owned(), |more| format!("{word} {more}")))
}

fn vlan_words(vlans: &Vlans) -> String {
    let list = |ranges: &[(u16, u16)]| {
        ranges.iter().map(|(first, last)| vlan_range(*first, *last)).collect::<Vec<_>>().join(",")
    };
    match vlans.words() {
        VlanWords::Access(id) => format!("access {id}"),
        VlanWords::Trunk { trunk, untagged, native, pvid } => {
            let mut words = Vec::new();
            if !trunk.is_empty() {
                words.push(format!("trunk {}", list(&trunk)));
            }
            if !untagged.is_empty() {
                words.push(format!("untagged {}", list(&untagged)));
            }
            words.extend(native.map(|id| format!("native {id}")));
            words.extend(pvid.map(|id| format!("pvid {id}")));
            if words.is_empty() { "no VLAN".to_owned() } else { words.join(" ") }
        }
    }
}

/// What the root qdisc does: the values that say most first, as they are written on the line.
pub fn impairment(work: &Work) -> Vec<Line> {
    let Work::Netem(netem) = work else { return vec![Line::new(work.kind())] };
    let short = |(name, value): (&'static str, String)| match name {
        "delay" | "rate" => value,
        "jitter" => format!("±{value}"),
        "limit" | "distribution" => String::new(),
        name => format!("{name} {value}"),
    };
    let words: Vec<String> = netem.fields().into_iter().map(short).filter(|word| !word.is_empty()).collect();
    if words.is_empty() { vec![Line::new("netem")] } else { vec![Line::new(words.join(" "))] }
}

/// What a node does, as far as a picture says it.
pub fn of_node(state: &State, inside: &[&Resource]) -> Vec<Line> {
    let mut facts = Vec::new();
    let (mut forwards, mut routes, mut more) = (Vec::new(), Vec::new(), 0);
    let mut rules = 0;
    for resource in inside {
        match resource {
            Resource::Namespace(namespace) => {
                if let NodeTenure::Existing(place) = &namespace.tenure {
                    facts.push(Line::dim(format!("existing, {place}")));
                }
            }
            Resource::Sysctl(sysctl) if sysctl.forwards() && sysctl.value != "0" => {
                forwards.push(if sysctl.key.contains("ipv4") { "IPv4" } else { "IPv6" });
            }
            Resource::Route(route) if route.key.to.prefix_len() == 0 && route.key.table == TableId::MAIN => {
                let hops = route.nexthops.iter().filter_map(|hop| hop.via).map(|via| via.to_string());
                let hops: Vec<String> = hops.collect();
                routes.push(if hops.is_empty() {
                    "default".to_owned()
                } else {
                    format!("default via {}", hops.join(", "))
                });
            }
            Resource::Route(route) if state.is_made(&route.node) || !route.nexthops.is_empty() => more += 1,
            Resource::Rule(rule) if !rule.kernel => rules += 1,
            _ => {}
        }
    }
    if !forwards.is_empty() {
        facts.push(Line::dim(format!("forwards {}", forwards.join(", "))));
    }
    facts.extend(routes.into_iter().map(Line::dim));
    let counted: Vec<String> =
        [(more, "route"), (rules, "policy rule")].into_iter().filter(|(number, _)| *number > 0).map(counted).collect();
    if !counted.is_empty() {
        facts.push(Line::dim(counted.join(", ")));
    }
    for resource in inside {
        match resource {
            Resource::Table(table) => facts.extend(table_words(table).into_iter().map(Line::dim)),
            Resource::Insert(insert) if !insert.rules.is_empty() => {
                facts.push(Line::dim(format!("{} in {}", counted_rules(insert.rules.len()), insert.chain)));
            }
            _ => {}
        }
    }
    facts
}

fn counted((number, noun): (usize, &str)) -> String {
    crate::render::page::count(number, noun)
}

fn counted_rules(number: usize) -> String {
    counted((number, "rule"))
}

/// NAT and firewall in a line each.
fn table_words(table: &Table) -> Vec<String> {
    let of = |nat: bool| table.chains.iter().filter(move |chain| (chain.kind == "nat") == nat);
    let mut words = Vec::new();
    let nat: usize = of(true).map(|chain| chain.rules.len()).sum();
    if nat > 0 {
        words.push(format!("NAT: {}", counted_rules(nat)));
    }
    let chains: Vec<String> = of(false)
        .map(|chain| {
            let drops = if chain.drop { " drops" } else { "" };
            format!("{}{drops} ({})", chain.name, chain.rules.len())
        })
        .collect();
    if !chains.is_empty() {
        words.push(format!("firewall: {}", chains.join(", ")));
    }
    words
}

/// All that there is to say about a resource, in a line or more.
pub fn details(resource: &Resource) -> Vec<String> {
    let line = |name: String, detail: String| if detail.is_empty() { name } else { format!("{name}: {detail}") };
    match resource {
        Resource::Namespace(_) => Vec::new(),
        Resource::Table(table) => table.lines(),
        Resource::Insert(insert) => {
            let rule = |rule: &crate::resource::TableRule| {
                format!("{}: {}", insert.chain, rule.in_family(&insert.chain.family))
            };
            insert.rules.iter().map(rule).collect()
        }
        Resource::Sysctl(sysctl) => vec![format!("sysctl {} = {}", sysctl.key.replace('/', "."), sysctl.value)],
        Resource::Link(link) if link.kind == Kind::Loopback => Vec::new(),
        other => vec![line(words::name(&other.id()), words::seen(other))],
    }
}
