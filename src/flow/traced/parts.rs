//! Which packet of the conversation it is that was seen.

use crate::flow::packet::{Part, Protocol, Tuple};
use crate::resource::Node;
use crate::resource::sighting::{Answer, Counted, Head, RuleSeen, Seen, Sighting, Transport};
use std::collections::HashMap;

/// By what the packets of a probe are known.
#[derive(Clone, Copy, Debug)]
pub struct Known {
    /// What it carries.
    pub protocol: Protocol,
    /// The first four bytes of its data; of TCP nothing.
    pub token: u32,
    /// Its source port, where it has ports.
    pub source_port: u16,
    /// Its destination port, as it is asked for.
    pub port: u16,
}

/// What is known of a probe.
pub struct Trace<'a> {
    /// The node that sent it.
    pub from: &'a Node,
    /// By what its packets are known.
    pub known: Known,
    /// What was seen, in order of time.
    pub sightings: &'a [Sighting],
    /// What came of it for its sender.
    pub answer: &'a Answer,
    /// Counters that grew meanwhile.
    pub counted: &'a [Counted],
}

/// Something that was seen of the conversation.
#[derive(Clone, Debug)]
pub struct Found<'a> {
    /// Where.
    pub node: &'a Node,
    /// Which packet it was.
    pub part: Part,
    /// What.
    pub what: What<'a>,
}

/// What was seen of a packet.
#[derive(Clone, Debug)]
pub enum What<'a> {
    /// The packet at an interface.
    At {
        /// The interface.
        interface: &'a str,
        /// Whether it was sent there.
        out: bool,
        /// Its ends.
        tuple: Tuple,
        /// Whether it refuses a connection (RST).
        refuses: bool,
    },
    /// A rule.
    Rule(&'a RuleSeen),
    /// An error of ICMP about it.
    Error {
        /// The interface.
        interface: &'a str,
        /// Whether it was sent there.
        out: bool,
        /// What it says, in the words of ping(8).
        says: &'static str,
        /// Who made it.
        from: std::net::IpAddr,
    },
}

/// Who speaks with whom, by the heads of a packet.
pub fn tuple(head: &Head) -> Tuple {
    let (source_port, port) = match head.transport {
        Transport::Tcp { source_port, port, .. } | Transport::Udp { source_port, port, .. } => (source_port, port),
        _ => (0, 0),
    };
    Tuple { source: head.source, destination: head.destination, protocol: head.protocol, source_port, port }
}

/// Reads the sightings in their order.
pub struct Reader {
    known: Known,
    /// The first sequence number of the connection, which no NAT changes.
    first: Option<u32>,
    /// The ends of requests that were seen, before and after NAT.
    asked: Vec<Tuple>,
    /// The packets that rules were seen of, by node and number.
    traced: HashMap<(Node, u32), Part>,
}

impl Reader {
    /// A reader of the conversation that is known so.
    pub fn new(known: Known) -> Self {
        Self { known, first: None, asked: Vec::new(), traced: HashMap::new() }
    }

    /// What was seen of the conversation, each thing once, in order.
    pub fn read<'a>(&mut self, from: &Node, sightings: &'a [Sighting]) -> Vec<Found<'a>> {
        // Rules are reported a little later than they decide, and the packet that comes after them is seen before.
        for sighting in sightings {
            if let Seen::Packet { out, head, .. } = &sighting.seen {
                self.learn(head, *out && sighting.node == *from);
            }
        }
        let mut found: Vec<Found<'a>> = Vec::new();
        for sighting in sightings {
            let Some(next) = self.one(sighting) else { continue };
            // A segment that is sent again goes the same way again.
            let twice = |before: &Found<'_>| match (&before.what, &next.what) {
                (What::At { interface: one, out: a, .. }, What::At { interface: other, out: b, .. }) => {
                    before.node == next.node && before.part == next.part && one == other && a == b
                }
                _ => false,
            };
            if !found.iter().any(twice) {
                found.push(next);
            }
        }
        found
    }

    /// The number by which a connection is known, and the ends of requests.
    fn learn(&mut self, head: &Head, sent: bool) {
        if let Transport::Tcp { source_port, port, sequence, flags, .. } = head.transport
            && sent
            && self.first.is_none()
            && flags & 0x12 == 2
            && (source_port, port) == (self.known.source_port, self.known.port)
        {
            self.first = Some(sequence);
        }
        let ends = tuple(head);
        if self.part(head) == Some(Part::Request) && !self.asked.contains(&ends) {
            self.asked.push(ends);
        }
    }

    fn one<'a>(&mut self, sighting: &'a Sighting) -> Option<Found<'a>> {
        let node = &sighting.node;
        let (part, what) = match &sighting.seen {
            Seen::Packet { interface, out, stranger: false, head } => match &head.transport {
                Transport::Error { kind, code, about } => {
                    let says = says(head.protocol, *kind, *code);
                    let what = What::Error { interface, out: *out, says, from: head.source };
                    (self.part(about.as_deref()?)?, what)
                }
                transport => {
                    let refuses = matches!(transport, Transport::Tcp { flags, .. } if flags & 4 != 0);
                    (self.part(head)?, What::At { interface, out: *out, tuple: tuple(head), refuses })
                }
            },
            Seen::Rule(rule) => {
                let key = (node.clone(), rule.packet);
                if let Some(part) = rule.head.as_ref().and_then(|head| self.part(head)) {
                    self.traced.insert(key.clone(), part);
                }
                let part = *self.traced.get(&key)?;
                // The end of the rules of a chain has the heads of the packet, and decides nothing: what does comes
                // next.
                if rule.handle.is_none() && !rule.policy {
                    return None;
                }
                (part, What::Rule(rule))
            }
            _ => return None,
        };
        Some(Found { node, part, what })
    }

    fn part(&self, head: &Head) -> Option<Part> {
        match (self.known.protocol, &head.transport) {
            (Protocol::Icmp, Transport::Icmp { kind, token: Some(token) }) if *token == self.known.token => {
                match kind {
                    8 | 128 => Some(Part::Request),
                    0 | 129 => Some(Part::Answer),
                    _ => None,
                }
            }
            (Protocol::Udp, Transport::Udp { token, .. }) => {
                let ends = tuple(head);
                if self.asked.contains(&ends.back()) {
                    Some(Part::Answer)
                } else {
                    (*token == Some(self.known.token) || self.asked.contains(&ends)).then_some(Part::Request)
                }
            }
            (Protocol::Tcp, Transport::Tcp { sequence, acknowledged, flags, .. }) => {
                let first = self.first?;
                match flags & 0x16 {
                    2 if *sequence == first => Some(Part::Request),
                    _ if *acknowledged == first.wrapping_add(1) && flags & 0x10 != 0 => Some(Part::Answer),
                    _ if *sequence == first.wrapping_add(1) => Some(Part::Data),
                    // What an error has of it: its first eight bytes.
                    0 if *sequence == first => Some(Part::Request),
                    _ => None,
                }
            }
            _ => None,
        }
    }
}

/// An error of ICMP in words (RFC 792, RFC 1812, RFC 4443).
fn says(protocol: u8, kind: u8, code: u8) -> &'static str {
    match (protocol, kind, code) {
        (1, 3, 0) => "network unreachable",
        (1, 3, 1) => "host unreachable",
        (1, 3, 2) => "protocol unreachable",
        (1, 3, 3) | (58, 1, 4) => "port unreachable",
        (1, 3, 4) => "fragmentation needed",
        (1, 3, 9 | 10 | 13) | (58, 1, 1) => "administratively prohibited",
        (1, 3, _) => "destination unreachable",
        (1, 11, _) | (58, 3, _) => "time to live exceeded",
        (1, 5, _) => "redirect",
        (58, 1, 0) => "no route",
        (58, 1, 3) => "address unreachable",
        (58, 1, 5 | 6) => "rejected",
        (58, 1, _) => "destination unreachable",
        (58, 2, _) => "packet too big",
        _ => "an error of ICMP",
    }
}
