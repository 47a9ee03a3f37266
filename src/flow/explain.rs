//! A question: from where, to where, with what; and the answer to it.

use super::fib::{self, Found, From};
use super::hooks::Connection;
use super::outcome::{By, End, Explanation, Path, Stop};
use super::packet::{Packet, Part, Protocol};
use super::walk::Walk;
use super::world::World;
use crate::resource::{Link, Node};
use std::net::IpAddr;

/// What is asked.
#[derive(Clone, Debug)]
pub struct Question {
    /// The node that sends.
    pub from: Node,
    /// The source, where the sender is bound to one.
    pub source: Option<IpAddr>,
    /// Where it goes.
    pub to: IpAddr,
    /// What it carries.
    pub protocol: Protocol,
    /// The destination port.
    pub port: u16,
    /// The source port; one that programs get where none is said.
    pub source_port: u16,
    /// The mark that the sender gives it (`SO_MARK`).
    pub mark: u32,
    /// Its length in bytes, IP header included; that of a small one where none is said.
    pub size: Option<u32>,
}

/// The first of the ports that programs get (`ip_local_port_range`).
pub const EPHEMERAL: u16 = 32_768;

impl Question {
    /// A packet of `protocol` from a node to an address.
    pub fn new(from: Node, to: IpAddr, protocol: Protocol, port: u16) -> Self {
        Self { from, source: None, to, protocol, port, source_port: EPHEMERAL, mark: 0, size: None }
    }

    fn packet(&self) -> Packet {
        let ports = self.protocol.has_ports();
        // What ping, a SYN and a short datagram have.
        let small = match self.protocol {
            Protocol::Icmp => 84,
            Protocol::Tcp => 60,
            Protocol::Udp => 48,
        };
        Packet {
            source: self.source.unwrap_or(self.to),
            destination: self.to,
            protocol: self.protocol,
            source_port: if ports { self.source_port } else { 0 },
            port: if ports { self.port } else { 0 },
            mark: Some(self.mark),
            size: self.size.unwrap_or(small),
            part: Part::Request,
        }
    }
}

/// Follows a packet, its answer, and what comes after that.
pub fn explain(world: &World<'_>, question: &Question) -> Explanation {
    let walk = Walk::new(world, Vec::new());
    let (forth, packet, connections) = walk.send(&question.from, question.packet(), question.source);
    conversation(world, &question.from, forth, packet, connections)
}

/// Follows a packet that comes in by an interface from outside. Its answer is followed to that interface.
pub fn explain_arrival<'a>(world: &World<'a>, link: &'a Link, question: &Question) -> Explanation {
    let packet = question.packet();
    let (forth, _) = Walk::new(world, Vec::new()).arrive(link, packet.clone());
    Explanation { packet, forth, back: None, data: None }
}

fn conversation(
    world: &World<'_>,
    from: &Node,
    forth: Path,
    packet: Packet,
    connections: Vec<Connection>,
) -> Explanation {
    let mut explanation = Explanation { packet, forth, back: None, data: None };
    let End::Delivered { node, packet: arrived, .. } = &explanation.forth.end else { return explanation };
    if node == from {
        return explanation;
    }
    let answer = arrived.answer();
    if let Some(end) = other_source(world, node, arrived) {
        explanation.back = Some(Path { steps: Vec::new(), end });
        return explanation;
    }
    let (mut back, _, connections) = Walk::new(world, connections).send(node, answer.clone(), Some(answer.source));
    if let Some(end) = misled(from, &explanation.packet, &back.end) {
        back.end = end;
    }
    let answered = matches!(back.end, End::Delivered { .. });
    explanation.back = Some(back);
    if answered && explanation.packet.protocol == Protocol::Tcp {
        let data = Packet { part: Part::Data, ..explanation.packet.clone() };
        let (data, _, _) = Walk::new(world, connections).send(from, data, Some(explanation.packet.source));
        explanation.data = Some(data);
    }
    explanation
}

/// An answer that comes to another node, or from another address than was asked.
fn misled(from: &Node, asked: &Packet, end: &End) -> Option<End> {
    let End::Delivered { node, interface, packet } = end else { return None };
    // ping takes an answer by its number, wherever it comes from.
    if node == from && (packet.tuple() == asked.tuple().back() || asked.protocol == Protocol::Icmp) {
        return None;
    }
    let what = if node != from {
        format!("the answer comes to {node}, which did not ask")
    } else if packet.source != asked.destination {
        format!("the answer comes from {}, and {} was asked", packet.source, asked.destination)
    } else {
        "the answer comes from another port than was asked, or to another".to_owned()
    };
    Some(End::Stopped(Box::new(Stop {
        code: "another-address",
        node: node.clone(),
        interface: Some(interface.name.as_str().to_owned()),
        what,
        by: Some(By::text("no connection of its own is that answer's")),
        fix: Vec::new(),
        packet: packet.clone(),
    })))
}

/// A server of UDP that is bound to no address answers from the one that its route chooses, not from the one that was
/// asked (`udp_sendmsg`): who asked takes no such answer.
fn other_source(world: &World<'_>, node: &Node, asked: &Packet) -> Option<End> {
    if asked.protocol != Protocol::Udp {
        return None;
    }
    let answer = asked.answer();
    let from = From { input: None, source: None };
    let chosen = match fib::lookup(world, node, &answer, from) {
        Found::Out { hops, source, scope, .. } => source.or_else(|| {
            let hop = hops.first()?;
            fib::source(world, node, answer.destination, &hop.dev, hop.via, scope)
        }),
        _ => None,
    };
    let chosen = chosen.filter(|chosen| *chosen != answer.source)?;
    let what = format!("a server that is not bound to {} answers from {chosen}", answer.source);
    let by = Some(By::text("what the server is bound to"));
    let stop = |what| {
        let packet = Box::new(answer.clone());
        Box::new(Stop {
            code: "another-address",
            node: node.clone(),
            interface: None,
            what,
            by,
            fix: Vec::new(),
            packet,
        })
    };
    match world.servers(node, asked) {
        Some(servers) if servers.iter().any(|bound| !bound.is_unspecified()) => None,
        Some(_) => {
            Some(End::Stopped(stop(format!("the server is not bound to {}, and answers from {chosen}", answer.source))))
        }
        None => Some(End::Unknown(stop(what))),
    }
}
