//! Resources in a few words: what each is called, and what there is to say about it.

use crate::resource::{
    Address, Drift, FdbTarget, Impact, Link, NextHop, NodeTenure, Resource, ResourceId, Route, RouteKind, Setting,
    TableId, Tenure, Value, Vlans, kinds, scope_word,
};

/// What a resource is called inside its node: `link br0`, `route default`.
pub fn name(id: &ResourceId) -> String {
    match id {
        ResourceId::Namespace(node) => format!("namespace {node}"),
        ResourceId::Sysctl(_, key) => format!("sysctl {}", key.replace('/', ".")),
        ResourceId::Link(link) => format!("link {}", link.name),
        ResourceId::Qdisc(link) => format!("qdisc on {}", link.name),
        ResourceId::Address(link, address, None) => format!("address {address} on {}", link.name),
        ResourceId::Address(link, address, Some(peer)) => {
            format!("address {} peer {peer}/{} on {}", address.addr(), address.prefix_len(), link.name)
        }
        ResourceId::Neighbor(link, address, proxy) => {
            format!("{}neighbor {address} on {}", if *proxy { "proxy " } else { "" }, link.name)
        }
        ResourceId::Peer(link, key) => format!("peer {key} of {}", link.name),
        ResourceId::Fdb(link, mac, FdbTarget::End(dst)) => format!("fdb {mac} to {dst} on {}", link.name),
        ResourceId::Fdb(link, mac, FdbTarget::Port(0)) => format!("fdb {mac} on {}", link.name),
        ResourceId::Fdb(link, mac, FdbTarget::Port(vlan)) => format!("fdb {mac} vlan {vlan} on {}", link.name),
        ResourceId::Insert(_, chain) => format!("rules in chain {chain}"),
        ResourceId::Table(_) => "nft table".to_owned(),
        ResourceId::File(node, file) => format!("file /etc/netns/{}/{file}", node.as_str()),
        // `NODE WHAT`: the node is said by the heading.
        ResourceId::Route(..) | ResourceId::Rule(..) => {
            let text = id.to_string();
            let rest = text.strip_prefix(&format!("{} ", id.node())).unwrap_or(&text);
            format!("{} {rest}", id.kind())
        }
    }
}

/// What a resource is called anywhere: `link host/br0`, `route default in RED`.
pub fn full_name(id: &ResourceId) -> String {
    match id {
        ResourceId::Namespace(_) | ResourceId::File(..) => name(id),
        ResourceId::Link(link) => format!("link {link}"),
        _ => format!("{} in {}", name(id), id.node()),
    }
}

/// What there is to say about a resource as it is: only what a user would look for.
pub fn seen(resource: &Resource) -> String {
    let Resource::Link(link) = resource else { return detail(resource) };
    let mut link = link.clone();
    (link.mac, link.queues) = (Setting::Left, Setting::Left);
    link.options.retain(|key, value| {
        differs(kinds::of(&link.kind), key, value) || matches!(&**key, "listen-port" | "public-key" | "transport")
    });
    link.port.retain(|key, value| differs(kinds::PORT, key, value));
    link_words(&link).join(", ")
}

/// Whether an observed value is surely not the usual one: the kernel's clock makes 31.24 of 31.25 seconds.
pub fn differs(known: &[kinds::Attribute], key: &str, value: &Value) -> bool {
    let Some(attribute) = known.iter().find(|attribute| attribute.name == key) else { return false };
    match (attribute.default.value(), value) {
        (Some(Value::Centis(usual)), Value::Centis(value)) => usual.abs_diff(*value) > 1,
        (usual, value) => usual.is_some_and(|usual| usual != *value),
    }
}

/// What there is to say about a resource besides its name, in the language's words; what is usual is left out.
pub fn detail(resource: &Resource) -> String {
    match resource {
        Resource::Namespace(namespace) => match &namespace.tenure {
            NodeTenure::Created => String::new(),
            NodeTenure::Host => "the host's".to_owned(),
            NodeTenure::Existing(place) => format!("existing, {place}"),
        },
        Resource::Sysctl(sysctl) => format!("= {}", sysctl.value),
        Resource::Link(link) => link_words(link).join(", "),
        Resource::Qdisc(qdisc) => qdisc.work.to_string(),
        Resource::Address(address) => address_words(address).join(", "),
        Resource::Neighbor(neighbor) => neighbor.mac.map(|mac| mac.to_string()).unwrap_or_default(),
        Resource::Peer(peer) => {
            peer.fields().iter().map(|(name, value)| format!("{name} {value}")).collect::<Vec<_>>().join("; ")
        }
        Resource::Fdb(_) | Resource::Rule(_) | Resource::File(_) => String::new(),
        Resource::Route(route) => route_words(route),
        Resource::Table(table) => format!("inet {}", crate::dialect::nft_script::table_name(&table.topology)),
        Resource::Insert(insert) => {
            if insert.present {
                String::new()
            } else {
                "no such chain".to_owned()
            }
        }
    }
}

fn address_words(address: &Address) -> Vec<String> {
    let mut words = Vec::new();
    if let Some(label) = address.label.get().filter(|label| **label != *address.link.name.as_str()) {
        words.push(format!("label {label}"));
    }
    if let Some(scope) =
        address.scope.get().filter(|scope| ![0, 254].contains(*scope) && address.address.addr().is_ipv4())
    {
        words.push(format!("scope {}", scope_word(*scope)));
    }
    words
}

fn link_words(link: &Link) -> Vec<String> {
    let mut words = Vec::new();
    let kind = link.kind.name();
    match &link.peer {
        Some(peer) => words.push(format!("{kind} to {peer}")),
        None if !kind.is_empty() => words.push(kind.to_owned()),
        None => {}
    }
    if let Tenure::From(from) = &link.tenure {
        words.push(format!("from {from}"));
    }
    if let Some(below) = &link.link {
        words.push(if below.node == link.id.node { format!("on {}", below.name) } else { format!("on {below}") });
    }
    if let Some(Some(master)) = link.master.get() {
        words.push(format!("port of {master}"));
    }
    words.extend(unusual(kinds::of(&link.kind), &link.options));
    if kinds::traits(&link.kind).has_keys {
        wireguard_words(link, &mut words);
    }
    words.extend(unusual(kinds::PORT, &link.port).into_iter().map(|word| format!("port {word}")));
    if let Some(vlans) = link.vlans.get().filter(|vlans| **vlans != Vlans::access(1)) {
        words.push(format!("port-vlan {vlans}"));
    }
    if let Some(mtu) = link.mtu.get().filter(|mtu| **mtu != kinds::usual_mtu(&link.kind)) {
        words.push(format!("mtu {mtu}"));
    }
    if let Some(mac) = link.mac.get().filter(|_| link.kind != crate::resource::Kind::Loopback) {
        words.push(format!("mac {mac}"));
    }
    if let Some(names) = link.alternative_names.get().filter(|names| !names.is_empty()) {
        words.push(format!("also {}", names.iter().map(String::as_str).collect::<Vec<_>>().join(" ")));
    }
    if let Some(queues) = link.queues.get().filter(|queues| (queues.tx, queues.rx) != (1, 1)) {
        words.push(format!("queues {queues}"));
    }
    words.extend(link.offload.iter().map(|(name, value)| format!("offload {name} {value}")));
    words.extend(switched_off(link).map(|name| format!("{name} off")));
    match link.up {
        Setting::Is(true) => words.push("up".to_owned()),
        Setting::Is(false) => words.push("down".to_owned()),
        Setting::Left => {}
    }
    words
}

/// What a manual change switched off.
fn switched_off(link: &Link) -> impl Iterator<Item = &'static str> {
    [("arp", &link.arp), ("multicast", &link.multicast)]
        .into_iter()
        .filter(|(_, on)| **on == Setting::Is(false))
        .map(|(name, _)| name)
}

/// What of a WireGuard interface the kernel chooses where nothing is written.
fn wireguard_words(link: &Link, words: &mut Vec<String>) {
    for (key, value) in ["listen-port", "public-key"].iter().filter_map(|key| Some((key, link.options.get(*key)?))) {
        words.push(format!("{key} {value}"));
    }
    let transport = link.transport();
    if transport != link.id.node {
        words.push(format!("transport {transport}"));
    }
}

/// The attributes that are not what a fresh link has.
fn unusual(known: &[kinds::Attribute], options: &crate::resource::Options) -> Vec<String> {
    let usual = |name: &str| {
        known.iter().find(|attribute| attribute.name == name).and_then(|attribute| attribute.default.value())
    };
    let mut words = Vec::new();
    for (key, value) in options {
        let kernels =
            known.iter().any(|attribute| attribute.name == key && matches!(attribute.default, kinds::Default::Kernel));
        // A path is for the program; a user knows the key by its public half.
        if kernels || key == "private-key-file" || usual(key).as_ref() == Some(value) || *value == Value::Unset {
            continue;
        }
        words.push(match value {
            Value::Bool(true) => key.to_string(),
            Value::Bool(false) => format!("no {key}"),
            value => format!("{key} {value}"),
        });
    }
    words
}

fn route_words(route: &Route) -> String {
    let mut words = Vec::new();
    if route.kind != RouteKind::Unicast {
        words.push(route.kind.word().to_owned());
    }
    let hops: Vec<String> = route.nexthops.iter().map(NextHop::to_string).collect();
    match hops.as_slice() {
        [] => {}
        [one] => words.push(one.clone()),
        several => words.push(format!("by {}", several.join(" and "))),
    }
    if let Some(scope) = route.unusual_scope() {
        words.push(format!("scope {}", scope_word(scope)));
    }
    if let Some(source) = route.source {
        words.push(format!("source {source}"));
    }
    if let Some(mtu) = route.mtu {
        words.push(format!("mtu {mtu}"));
    }
    words.extend(Some(route.metric_words()).filter(|words| !words.is_empty()));
    words.join(" ")
}

/// A route as `show` has it: destination, table, metric and the rest in one line.
pub fn route_line(route: &Route) -> String {
    let id = name(&route.id());
    format!("{} {}", id.strip_prefix("route ").unwrap_or(&id), route_words(route)).trim_end().to_owned()
}

/// Whether a route is in the main table.
pub fn is_main(route: &Route) -> bool {
    route.key.table == TableId::MAIN
}

/// What changing these fields takes, the worst of them.
pub fn impact(drift: &[Drift]) -> Impact {
    drift.iter().map(|drift| drift.impact).max().unwrap_or(Impact::InPlace)
}

/// The impact in JSON.
pub fn impact_word(impact: Impact) -> &'static str {
    match impact {
        Impact::InPlace => "in-place",
        Impact::Flap => "flap",
        Impact::Replace => "replace",
    }
}
