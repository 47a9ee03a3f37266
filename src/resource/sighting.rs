//! What is seen of a packet on its way: by packet sockets, and by the tracing of nftables.

use super::Node;
use std::net::IpAddr;
use std::time::Duration;

/// The heads of a packet of IP, as far as they tell one from another.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Head {
    /// The source address.
    pub source: IpAddr,
    /// The destination address.
    pub destination: IpAddr,
    /// What it carries (IANA protocol numbers).
    pub protocol: u8,
    /// What of that was there.
    pub transport: Transport,
}

/// The head of what a packet carries.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Transport {
    /// TCP: ports, sequence and acknowledgement numbers, flags as in its 14th byte (RFC 9293).
    Tcp {
        /// The source port.
        source_port: u16,
        /// The destination port.
        port: u16,
        /// The sequence number.
        sequence: u32,
        /// The number that is acknowledged.
        acknowledged: u32,
        /// FIN 1, SYN 2, RST 4, PSH 8, ACK 16.
        flags: u8,
    },
    /// UDP: ports, and the first four bytes of what it carries.
    Udp {
        /// The source port.
        source_port: u16,
        /// The destination port.
        port: u16,
        /// The first bytes.
        token: Option<u32>,
    },
    /// ICMP or ICMPv6 that is neither an error nor of neighbour discovery: its type, and the first four bytes behind
    /// its head.
    Icmp {
        /// The type.
        kind: u8,
        /// The first bytes of its data.
        token: Option<u32>,
    },
    /// An error of ICMP or ICMPv6: type, code, and the heads of the packet that it is about.
    Error {
        /// The type.
        kind: u8,
        /// The code.
        code: u8,
        /// The packet.
        about: Option<Box<Head>>,
    },
    /// Anything else.
    Other,
}

/// What was seen somewhere.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Seen {
    /// A packet at an interface.
    Packet {
        /// The interface.
        interface: String,
        /// Whether it was sent there, else it came in.
        out: bool,
        /// Whether its frame is addressed to another station (`PACKET_OTHERHOST`).
        stranger: bool,
        /// Its heads.
        head: Head,
    },
    /// A question for the neighbour with an address: who has it? (ARP, or neighbour solicitation).
    Asks {
        /// The interface that it was sent by.
        interface: String,
        /// The address.
        target: IpAddr,
    },
    /// The answer to that, which came in.
    Tells {
        /// The interface.
        interface: String,
        /// The address.
        target: IpAddr,
    },
    /// A rule, or the end of a chain, that the packet came to.
    Rule(RuleSeen),
}

/// A rule of nftables, or the end of a chain, that a packet came to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RuleSeen {
    /// Which packet: the same for all that one packet meets on one way through a node.
    pub packet: u32,
    /// nft's family of the table: `inet`, `ip`, ….
    pub family: String,
    /// The table.
    pub table: String,
    /// The chain.
    pub chain: String,
    /// The handle of the rule; `None` at the end of a chain.
    pub handle: Option<u64>,
    /// Whether it is the policy of a chain that decides.
    pub policy: bool,
    /// The rule in nft's words, where it could be read.
    pub text: Option<String>,
    /// The verdict in nft's words: `accept`, `drop`, `continue`, `jump CHAIN`.
    pub verdict: String,
    /// The interface that it came in by.
    pub input: Option<String>,
    /// The interface that it goes out by.
    pub output: Option<String>,
    /// The heads, of the first that is seen of a packet in a chain.
    pub head: Option<Head>,
}

/// Something that was seen.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sighting {
    /// The node.
    pub node: Node,
    /// When, since the Unix epoch: of packets the kernel's time, of rules the time at which that was read.
    pub at: Duration,
    /// What.
    pub seen: Seen,
}

/// What came of a packet for who sent it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    /// It was answered, after so long.
    Came(Duration),
    /// The kernel of the sender said so: an error of sending, or one that the network reported.
    Failed(String),
    /// Nothing came in the time.
    Silence,
}

/// A counter of a node that grew meanwhile: its name as `nstat` prints it, and by how much.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Counted {
    /// The node.
    pub node: Node,
    /// The counter.
    pub name: String,
    /// By how much.
    pub more: u64,
}
