//! What would let a packet through: keys to add to the file, as narrow as the flow.

use super::fib::{self, Found, From};
use super::outcome::{Fix, Stop};
use super::packet::{Packet, Part};
use super::segment;
use super::world::World;
use crate::resource::{ChainRef, Family, LinkId, Node, ResourceId};
use ipnet::IpNet;
use std::net::IpAddr;

/// What would help against a stop; nothing where it is not known.
pub fn for_stop(world: &World<'_>, stop: &Stop) -> Vec<Fix> {
    let packet = &stop.packet;
    match stop.code {
        "forwarding" => vec![forwarding(stop)],
        "no-route" => route(world, &stop.node, packet).into_iter().collect(),
        "filter" => filter(world, stop).into_iter().collect(),
        "rp-filter" => reverse_path(stop).into_iter().collect(),
        "link-down" => interface(stop, "set the interface up", "up: true"),
        "isolated" => interface(stop, "let the ports talk to each other", "port: { isolated: false }"),
        "mtu" => interface(stop, "raise the MTU", &format!("mtu: {}", packet.size)),
        "echo-ignored" => vec![Fix {
            what: "let the node answer pings".to_owned(),
            yaml: format!(
                "{}:\n  sysctls:\n    net.{}: 0",
                stop.node,
                if packet.family() == Family::V4 { "ipv4.icmp_echo_ignore_all" } else { "ipv6.icmp.echo_ignore_all" }
            ),
        }],
        _ => Vec::new(),
    }
}

fn forwarding(stop: &Stop) -> Fix {
    let family = if stop.packet.family() == Family::V4 { "ipv4" } else { "ipv6" };
    Fix { what: format!("let {} forward", stop.node), yaml: format!("{}:\n  forwarding: {family}", stop.node) }
}

fn interface(stop: &Stop, what: &str, key: &str) -> Vec<Fix> {
    let Some(name) = &stop.interface else { return Vec::new() };
    vec![Fix { what: what.to_owned(), yaml: format!("{}:\n  interfaces:\n    {name}: {{ {key} }}", stop.node) }]
}

/// A route over a neighbour that knows the way: one that forwards, and has a route or the address itself.
fn route(world: &World<'_>, node: &Node, packet: &Packet) -> Option<Fix> {
    let to = packet.destination;
    let family = packet.family();
    let mut others: Vec<(bool, IpAddr)> = Vec::new();
    for link in world.state.links_of(node) {
        let near: Vec<IpNet> = world
            .state
            .addresses_of(&link.id)
            .map(|address| address.subnet())
            .filter(|subnet| subnet.addr().is_ipv4() == to.is_ipv4())
            .collect();
        if near.is_empty() || !world.is_up(link) {
            continue;
        }
        for arrival in segment::hear(world, link, family).arrivals {
            if arrival.block.is_some() || arrival.link.node == *node {
                continue;
            }
            let gateway = |address: &IpAddr| near.iter().any(|subnet| subnet.contains(address));
            let Some(via) = world.state.addresses_of(&arrival.link).map(|address| address.address.addr()).find(gateway)
            else {
                continue;
            };
            if let Some(forwards) = knows(world, &arrival.link, packet) {
                others.push((!forwards, via));
            }
        }
    }
    others.sort();
    let (_, via) = others.first()?;
    let net = subnet_of(world, to);
    Some(Fix {
        what: format!("give {node} a route to {net}"),
        yaml: format!(
            "{node}:\n  routes:\n    - {{ to: {}, via: {} }}",
            yaml(&net.to_string()),
            yaml(&via.to_string())
        ),
    })
}

/// Whether the node behind an interface has a way to where the packet goes, and whether it forwards.
fn knows(world: &World<'_>, link: &LinkId, packet: &Packet) -> Option<bool> {
    let from = From { input: world.state.link(link), source: Some(packet.source) };
    let probe = Packet { part: Part::Request, ..packet.clone() };
    let there = match fib::lookup(world, &link.node, &probe, from) {
        Found::Local(_) => true,
        Found::Out { hops, .. } => hops.iter().any(|hop| hop.dev != link.name),
        _ => false,
    };
    there.then(|| world.forwards(&link.node, &link.name, packet.family()).0 == Some(true))
}

/// The subnet that an address is in, where the network has it; else the address alone.
fn subnet_of(world: &World<'_>, to: IpAddr) -> IpNet {
    let all = world.state.namespaces().flat_map(|namespace| world.addresses(&namespace.node));
    let subnet =
        all.map(|address| address.subnet()).filter(|subnet| subnet.contains(&to)).max_by_key(IpNet::prefix_len);
    subnet.unwrap_or_else(|| IpNet::from(to))
}

/// A rule that accepts this flow, before the one that stops it.
fn filter(world: &World<'_>, stop: &Stop) -> Option<Fix> {
    let packet = &stop.packet;
    let by = stop.by.as_ref()?;
    if matches!(packet.part, Part::Solicit | Part::Advert) {
        let yaml = format!(
            "{}:\n  firewall:\n    {}:\n      rules:\n        - {{ protocol: icmpv6, accept: {{}} }}",
            stop.node,
            hook_of(stop)?
        );
        return Some(Fix { what: "accept what looks for neighbours, before that rule".to_owned(), yaml });
    }
    let mut keys = Vec::new();
    if packet.part == Part::Request {
        keys.push(format!("source: {}", yaml(&packet.source.to_string())));
        keys.push(format!("destination: {}", yaml(&packet.destination.to_string())));
        let protocol = match (packet.protocol.has_ports(), packet.family()) {
            (true, _) => packet.protocol.to_string(),
            (false, Family::V4) => "icmp".to_owned(),
            (false, Family::V6) => "icmpv6".to_owned(),
        };
        keys.push(format!("protocol: {protocol}"));
        if packet.protocol.has_ports() {
            keys.push(format!("port: {}", packet.port));
        }
    } else {
        keys.push("state: [established, related]".to_owned());
    }
    let hook = hook_of(stop)?;
    let own = matches!(by.id, Some(ResourceId::Table(_)));
    let what = if packet.part == Part::Request { "accept it" } else { "accept answers" };
    if own {
        let what = if by.rule.is_some() { format!("{what} before that rule") } else { what.to_owned() };
        let yaml = format!(
            "{}:\n  firewall:\n    {hook}:\n      rules:\n        - {{ {}, accept: {{}} }}",
            stop.node,
            keys.join(", ")
        );
        return Some(Fix { what, yaml });
    }
    let chain = chain_for(world, stop)?;
    let yaml = format!(
        "{}:\n  firewall:\n    insert:\n      - {{ chain: \"{chain}\", {}, accept: {{}} }}",
        stop.node,
        keys.join(", ")
    );
    Some(Fix { what: format!("{what} at the head of that chain"), yaml })
}

/// The chain of others that a rule is to be put into, before the one that stops a packet.
pub fn chain_for(world: &World<'_>, stop: &Stop) -> Option<ChainRef> {
    let rules = world.rules(&stop.node)?;
    let mut chain = rules.chain_of(stop.by.as_ref()?)?;
    // The chain that Docker keeps for others' rules, which are gone from its own with its next start.
    let user = (chain.family.clone(), chain.table.clone(), "DOCKER-USER".to_owned());
    if hook_of(stop) == Some("forward") && rules.named.contains_key(&user) {
        chain.chain = user.2;
    }
    Some(chain)
}

fn reverse_path(stop: &Stop) -> Option<Fix> {
    let ResourceId::Sysctl(node, key) = stop.by.as_ref()?.id.as_ref()? else { return None };
    let key = key.replace('/', ".");
    Some(Fix {
        what: format!("let {node} take packets whose way back is another"),
        yaml: format!("{node}:\n  sysctls:\n    {key}: 0"),
    })
}

/// A value of YAML: quoted where a colon would end a key.
fn yaml(text: &str) -> String {
    if text.contains(':') { format!("\"{text}\"") } else { text.to_owned() }
}

/// The hook at which a rule stopped it.
pub fn hook_of(stop: &Stop) -> Option<&str> {
    stop.what.rsplit_once("rules of ")?.1.split([' ', ',']).next()
}
