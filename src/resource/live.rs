//! What a namespace has learned and counted: seen, never wanted.

use super::{IfName, Mac, Node};
use std::net::IpAddr;

/// What is looked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Asked {
    /// Neighbours.
    pub neighbors: bool,
    /// Forwarding entries of bridges and tunnels.
    pub fdb: bool,
    /// Counters of interfaces.
    pub counters: bool,
    /// Tracked connections.
    pub connections: bool,
}

impl Asked {
    /// Whether it is anything.
    pub fn any(self) -> bool {
        self.neighbors || self.fdb || self.counters || self.connections
    }
}

/// What a node has learned and counted, of what was asked for.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Live {
    /// Its neighbours.
    pub neighbors: Vec<LiveNeighbor>,
    /// Its forwarding entries.
    pub fdb: Vec<LiveEntry>,
    /// The counters of its interfaces.
    pub counters: Vec<LinkCounters>,
    /// Its connections; `None` where the kernel does not show them.
    pub connections: Option<Vec<Connection>>,
}

/// A node with what it has learned and counted.
pub type LiveNode = (Node, Live);

/// A neighbour, learned or permanent (`ip neigh`).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LiveNeighbor {
    /// The interface.
    pub interface: IfName,
    /// Its address.
    pub address: IpAddr,
    /// Its hardware address, where that is known.
    pub mac: Option<Mac>,
    /// `reachable`, `stale`, `delay`, `probe`, `incomplete`, `failed`, `permanent` or `none`.
    pub state: &'static str,
    /// Whether it is a router (IPv6).
    pub router: bool,
}

/// A forwarding entry, learned or configured (`bridge fdb`).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LiveEntry {
    /// The port of a bridge, the bridge itself or the tunnel.
    pub interface: IfName,
    /// The hardware address.
    pub mac: Mac,
    /// The VLAN.
    pub vlan: Option<u16>,
    /// The bridge that it is an entry of; none for an entry of the interface itself.
    pub master: Option<IfName>,
    /// The end of the tunnel.
    pub dst: Option<IpAddr>,
    /// `learned`, `static` or `permanent`.
    pub state: &'static str,
}

/// What an interface has counted (`ip -s link`).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LinkCounters {
    /// The interface.
    pub interface: IfName,
    /// What was received.
    pub rx: Traffic,
    /// What was sent.
    pub tx: Traffic,
}

/// One direction of an interface.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Traffic {
    /// Packets.
    pub packets: u64,
    /// Bytes.
    pub bytes: u64,
    /// Broken packets.
    pub errors: u64,
    /// Packets that were dropped.
    pub dropped: u64,
}

/// A tracked connection (`conntrack -L`).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Connection {
    /// `tcp`, `udp`, `icmp` and so on; the number of one without a word.
    pub protocol: String,
    /// The state of a TCP connection, as `conntrack` writes it.
    pub state: Option<&'static str>,
    /// From where to where it was opened.
    pub original: Flow,
    /// From where to where its answers go: other addresses where there is NAT.
    pub reply: Flow,
    /// It is forgotten after so many seconds without a packet.
    pub expires: Option<u32>,
    /// Its mark; 0 for none.
    pub mark: u32,
    /// Whether there were packets in both directions.
    pub answered: bool,
}

/// One direction of a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Flow {
    /// From here.
    pub source: IpAddr,
    /// To there.
    pub destination: IpAddr,
    /// From this port, where the protocol has ports.
    pub source_port: Option<u16>,
    /// To this port.
    pub destination_port: Option<u16>,
}

impl Flow {
    /// The same from the other end.
    #[must_use]
    pub fn back(self) -> Self {
        Self {
            source: self.destination,
            destination: self.source,
            source_port: self.destination_port,
            destination_port: self.source_port,
        }
    }
}

impl Connection {
    /// Whether its answers come from elsewhere than it goes to, or go elsewhere than it came from.
    pub fn is_translated(&self) -> bool {
        self.reply != self.original.back()
    }
}
