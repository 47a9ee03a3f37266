//! The packet that is followed.

pub use crate::resource::Protocol;

use crate::resource::Family;
use std::net::IpAddr;

/// Which packet of a conversation it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Part {
    /// The first: an echo request, a SYN, a datagram.
    Request,
    /// The answer to it: an echo reply, a SYN-ACK, a datagram.
    Answer,
    /// What follows the answer of TCP: the acknowledgement, and data.
    Data,
    /// The question of IPv6 for a neighbour (RFC 4861).
    Solicit,
    /// The answer to that.
    Advert,
}

/// A packet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Packet {
    /// Where it comes from.
    pub source: IpAddr,
    /// Where it goes.
    pub destination: IpAddr,
    /// What it carries.
    pub protocol: Protocol,
    /// Its source port; 0 for ICMP.
    pub source_port: u16,
    /// Its destination port; 0 for ICMP.
    pub port: u16,
    /// Its mark; `None` where that is not known.
    pub mark: Option<u32>,
    /// Its length in bytes, IP header included.
    pub size: u32,
    /// Which one of the conversation it is.
    pub part: Part,
}

impl Packet {
    /// Its family.
    pub fn family(&self) -> Family {
        if self.destination.is_ipv4() { Family::V4 } else { Family::V6 }
    }

    /// The number of its protocol.
    pub fn protocol_number(&self) -> u8 {
        self.protocol.number(self.family())
    }

    /// Who speaks with whom, by which connection tracking knows it.
    pub fn tuple(&self) -> Tuple {
        Tuple {
            source: self.source,
            destination: self.destination,
            protocol: self.protocol_number(),
            source_port: self.source_port,
            port: self.port,
        }
    }

    /// The packet as it is with these ends.
    #[must_use]
    pub fn with(&self, tuple: Tuple) -> Self {
        Self {
            source: tuple.source,
            destination: tuple.destination,
            source_port: tuple.source_port,
            port: tuple.port,
            ..self.clone()
        }
    }

    /// The question for the neighbour `target` that is asked before a packet of `source` can be sent to it, and its
    /// answer. They go to and from addresses of the segment.
    pub fn discovery(source: IpAddr, target: IpAddr) -> [Self; 2] {
        let solicit = Self {
            source,
            destination: target,
            protocol: Protocol::Icmp,
            source_port: 0,
            port: 0,
            mark: Some(0),
            size: 72,
            part: Part::Solicit,
        };
        let advert = Self { source: target, destination: source, part: Part::Advert, ..solicit.clone() };
        [solicit, advert]
    }

    /// The answer that its receiver sends.
    #[must_use]
    pub fn answer(&self) -> Self {
        Self { part: Part::Answer, mark: Some(0), ..self.with(self.tuple().back()) }
    }
}

/// The ends of a packet, as connection tracking has them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Tuple {
    /// The source address.
    pub source: IpAddr,
    /// The destination address.
    pub destination: IpAddr,
    /// The protocol's number.
    pub protocol: u8,
    /// The source port.
    pub source_port: u16,
    /// The destination port.
    pub port: u16,
}

impl Tuple {
    /// The other way round.
    #[must_use]
    pub fn back(self) -> Self {
        Self {
            source: self.destination,
            destination: self.source,
            source_port: self.port,
            port: self.source_port,
            ..self
        }
    }
}

/// Loopback in either family.
pub fn is_loopback(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_loopback(),
        IpAddr::V6(address) => address.is_loopback(),
    }
}

/// Link-local in either family.
pub fn is_link_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    }
}
