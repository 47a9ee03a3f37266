//! Netfilter in a node: chains in order, connection tracking, and address translation.

use super::fib;
use super::matching::{Context, Ruling, Tracked, judge};
use super::outcome::By;
use super::packet::{Packet, Part, Protocol, Tuple};
use super::ruleset::{Action, BaseChain, Ruleset};
use super::world::World;
use crate::resource::{Family, Node};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A connection that a node tracks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Connection {
    /// The node.
    pub node: Node,
    /// Its first packet as it came.
    pub original: Tuple,
    /// The answer that is expected.
    pub reply: Tuple,
    /// Whether an answer came by.
    pub answered: bool,
}

/// A packet on its way through one node.
#[derive(Clone, Copy, Debug)]
pub struct Passing {
    /// Its connection, by its place among all.
    connection: Option<usize>,
    /// Whether it is an answer in it.
    reply: bool,
    /// What is known of the connection.
    tracked: Tracked,
}

/// A packet at a hook.
pub struct Visit<'v> {
    /// The node.
    pub node: &'v Node,
    /// The hook: `prerouting`, `input`, `forward`, `output`, `postrouting`.
    pub hook: &'static str,
    /// The interface that it came in by.
    pub input: Option<&'v str>,
    /// The interface that it leaves by, and the gateway.
    pub output: Option<(&'v str, Option<IpAddr>)>,
}

/// What becomes of a packet at a hook.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Hooked {
    /// It goes on; what changed its addresses.
    Passed(Vec<(String, By)>),
    /// It is dropped; `true` where its sender is answered.
    Stopped(By, bool),
    /// It depends on what is not known.
    Unknown(By),
}

/// Lets a node know a packet that comes to it, or that it makes itself.
pub fn begin(world: &World<'_>, node: &Node, packet: &Packet, connections: &mut Vec<Connection>) -> Passing {
    let untracked = Passing { connection: None, reply: false, tracked: Tracked::Untracked };
    if !world.rules(node).is_some_and(Ruleset::tracks) {
        return untracked;
    }
    // What looks for neighbours is not tracked (`nf_conntrack_icmpv6_error`).
    if matches!(packet.part, Part::Solicit | Part::Advert) {
        return untracked;
    }
    let tuple = packet.tuple();
    let of_node = |connection: &Connection| connection.node == *node;
    let known = connections.iter().position(|known| of_node(known) && known.original == tuple);
    if let (Some(at), Some(connection)) = (known, known.and_then(|at| connections.get(at))) {
        let tracked = match (packet.part, packet.protocol) {
            (Part::Data, Protocol::Tcp) if !connection.answered => Tracked::Invalid,
            (Part::Data, _) => Tracked::Established,
            _ => Tracked::New,
        };
        return Passing { connection: Some(at), reply: false, tracked };
    }
    if let Some(at) = connections.iter().position(|known| of_node(known) && known.reply == tuple) {
        if let Some(connection) = connections.get_mut(at) {
            connection.answered = true;
        }
        return Passing { connection: Some(at), reply: true, tracked: Tracked::Established };
    }
    // An answer to what was not seen: of UDP it begins a connection of its own.
    if packet.part == Part::Answer && packet.protocol != Protocol::Udp {
        return Passing { tracked: Tracked::Invalid, ..untracked };
    }
    connections.push(Connection { node: node.clone(), original: tuple, reply: tuple.back(), answered: false });
    Passing { connection: Some(connections.len() - 1), reply: false, tracked: Tracked::New }
}

/// Leads a packet through a hook of a node.
pub fn pass(
    world: &World<'_>,
    visit: &Visit<'_>,
    packet: &mut Packet,
    passing: &Passing,
    connections: &mut [Connection],
) -> Hooked {
    let Some(rules) = world.rules(visit.node) else { return Hooked::Passed(Vec::new()) };
    if let Some(why) = &rules.unread {
        return Hooked::Unknown(By::text(why.clone()));
    }
    let mut changes = Vec::new();
    let mut translated = false;
    for chain in rules.at(visit.hook, packet.family()) {
        let place = translation(visit.hook);
        if !translated && place.is_some_and(|place| chain.place() > place) {
            translated = true;
            changes.extend(known(visit, packet, passing, connections));
        }
        if chain.kind == "nat" {
            // Only the first packet of a connection, and the first rule that translates it.
            let first = passing.tracked == Tracked::New && packet.part != Part::Data;
            if !first
                || passing.connection.is_none_or(|at| connections.get(at).is_none_or(|known| is_done(visit, known)))
            {
                continue;
            }
        }
        match at_chain(world, rules, chain, visit, packet, passing, connections) {
            Hooked::Passed(more) => changes.extend(more),
            ended => return ended,
        }
    }
    if !translated {
        changes.extend(known(visit, packet, passing, connections));
    }
    Hooked::Passed(changes)
}

/// Where addresses are translated at a hook.
fn translation(hook: &str) -> Option<i32> {
    match hook {
        "prerouting" | "output" => Some(-100),
        "postrouting" | "input" => Some(100),
        _ => None,
    }
}

/// Whether the connection has its translation of this hook already: of the destination before it is routed, of the
/// source behind.
fn is_done(visit: &Visit<'_>, connection: &Connection) -> bool {
    let expected = connection.original.back();
    match visit.hook {
        "prerouting" | "output" => {
            (connection.reply.source, connection.reply.source_port) != (expected.source, expected.source_port)
        }
        _ => (connection.reply.destination, connection.reply.port) != (expected.destination, expected.port),
    }
}

fn at_chain(
    world: &World<'_>,
    rules: &Ruleset,
    chain: &BaseChain,
    visit: &Visit<'_>,
    packet: &mut Packet,
    passing: &Passing,
    connections: &mut [Connection],
) -> Hooked {
    let context = Context {
        input: visit.input,
        output: visit.output.map(|(dev, _)| dev),
        local: world.owner(visit.node, packet.destination).is_some(),
        tracked: passing.tracked,
        translated: translated(passing.connection.and_then(|at| connections.get(at))),
    };
    match judge(rules, chain, packet, &context) {
        Ruling::Pass => Hooked::Passed(Vec::new()),
        Ruling::Drop(by) => Hooked::Stopped(by, false),
        Ruling::Reject(by) => Hooked::Stopped(by, true),
        Ruling::Unknown(by) => Hooked::Unknown(by),
        Ruling::Translate(action, by) => translate(world, visit, packet, passing, connections, &action, by),
    }
}

/// Whether a connection has another source than its first packet came with, and another destination
/// (`IPS_SRC_NAT`, `IPS_DST_NAT`).
fn translated(connection: Option<&Connection>) -> (bool, bool) {
    let Some(Connection { original, reply, .. }) = connection else { return (false, false) };
    let source = (reply.destination, reply.port) != (original.source, original.source_port);
    (source, (reply.source, reply.source_port) != (original.destination, original.port))
}

/// Gives a packet its new address, and notes what the answer will look like.
fn translate(
    world: &World<'_>,
    visit: &Visit<'_>,
    packet: &mut Packet,
    passing: &Passing,
    connections: &mut [Connection],
    action: &Action,
    by: By,
) -> Hooked {
    let Some(connection) = passing.connection.and_then(|at| connections.get_mut(at)) else {
        return Hooked::Passed(Vec::new());
    };
    let (address, port, destination) = match action {
        Action::Dnat(Some(target)) if target.last.is_none_or(|last| last == target.address) => {
            (Some(target.address), target.port.map(|(first, _)| first), true)
        }
        Action::Snat(Some(target)) if target.last.is_none_or(|last| last == target.address) => {
            (Some(target.address), target.port.map(|(first, _)| first), false)
        }
        Action::Masquerade => (masquerade(world, visit, packet), None, false),
        Action::Redirect(port) => (redirect(world, visit, packet.family()), *port, true),
        _ => return Hooked::Unknown(by),
    };
    // What has no address to take is dropped (`nf_nat_masquerade_ipv4`, `nf_nat_redirect_ipv4`).
    let Some(address) = address else { return Hooked::Stopped(by, false) };
    // A rule for addresses of the other family is none for this packet.
    if address.is_ipv4() != packet.destination.is_ipv4() {
        return Hooked::Passed(Vec::new());
    }
    let what = if destination {
        packet.destination = address;
        packet.port = port.filter(|_| packet.protocol.has_ports()).unwrap_or(packet.port);
        (connection.reply.source, connection.reply.source_port) = (packet.destination, packet.port);
        format!("destination becomes {}", end(address, packet.port, packet.protocol))
    } else {
        packet.source = address;
        packet.source_port = port.filter(|_| packet.protocol.has_ports()).unwrap_or(packet.source_port);
        (connection.reply.destination, connection.reply.port) = (packet.source, packet.source_port);
        format!("source becomes {address}")
    };
    Hooked::Passed(vec![(what, by)])
}

/// An address, with its port where there is one.
pub fn end(address: IpAddr, port: u16, protocol: Protocol) -> String {
    match (protocol.has_ports(), address) {
        (true, IpAddr::V6(address)) => format!("[{address}]:{port}"),
        (true, address) => format!("{address}:{port}"),
        (false, address) => address.to_string(),
    }
}

fn masquerade(world: &World<'_>, visit: &Visit<'_>, packet: &Packet) -> Option<IpAddr> {
    let (dev, via) = visit.output?;
    fib::source(world, visit.node, packet.destination, &dev.into(), via, 0)
}

fn redirect(world: &World<'_>, visit: &Visit<'_>, family: Family) -> Option<IpAddr> {
    let loopback = match family {
        Family::V4 => IpAddr::V4(Ipv4Addr::LOCALHOST),
        Family::V6 => IpAddr::V6(Ipv6Addr::LOCALHOST),
    };
    let Some(input) = visit.input else { return Some(loopback) };
    let own = world.addresses(visit.node).filter(|address| address.link.name.as_str() == input);
    own.map(|address| address.address.addr()).find(|address| address.is_ipv4() == (family == Family::V4))
}

/// What is done by what the connection has already: answers get back the addresses that were asked for.
fn known(visit: &Visit<'_>, packet: &mut Packet, passing: &Passing, connections: &[Connection]) -> Vec<(String, By)> {
    let Some(connection) = passing.connection.and_then(|at| connections.get(at)) else { return Vec::new() };
    if passing.tracked == Tracked::Invalid {
        return Vec::new();
    }
    let wanted = if passing.reply { connection.original.back() } else { connection.reply.back() };
    let before = packet.tuple();
    match visit.hook {
        "prerouting" | "output" => (packet.destination, packet.port) = (wanted.destination, wanted.port),
        "postrouting" | "input" => (packet.source, packet.source_port) = (wanted.source, wanted.source_port),
        _ => {}
    }
    if packet.tuple() == before {
        return Vec::new();
    }
    let by = By::text("connection tracking: the translation of its first packet");
    if packet.destination != before.destination || packet.port != before.port {
        vec![(format!("destination becomes {}", end(packet.destination, packet.port, packet.protocol)), by)]
    } else {
        vec![(format!("source becomes {}", end(packet.source, packet.source_port, packet.protocol)), by)]
    }
}
