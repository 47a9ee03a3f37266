//! The shape of what is known of a kind of link.

use crate::resource::mtu::{LARGEST_MTU, LEAST_MTU};
use crate::resource::{Impact, Kind, Value};

/// An attribute of a kind.
#[derive(Debug)]
pub struct Attribute {
    /// Its name in the language.
    pub name: &'static str,
    /// What a fresh link has; [`Default::Kernel`] where that depends on the machine and is therefore never compared
    /// unless written.
    pub default: Default,
    /// What changing it takes.
    pub impact: Impact,
}

/// The value that a fresh link has.
#[derive(Debug, Clone, Copy)]
pub enum Default {
    /// On or off.
    Bool(bool),
    /// A number.
    Number(u64),
    /// A duration in hundredths of a second.
    Centis(u64),
    /// A duration in thousandths of a second.
    Millis(u64),
    /// A word.
    Word(&'static str),
    /// Not set.
    Unset,
    /// Whatever the kernel chooses.
    Kernel,
}

impl Default {
    /// The value, where it is the same everywhere.
    pub fn value(self) -> Option<Value> {
        match self {
            Self::Bool(value) => Some(Value::Bool(value)),
            Self::Number(value) => Some(Value::Number(value)),
            Self::Centis(value) => Some(Value::Centis(value)),
            Self::Millis(value) => Some(Value::Millis(value)),
            Self::Word(value) => Some(Value::word(value)),
            Self::Unset => Some(Value::Unset),
            Self::Kernel => None,
        }
    }
}

/// What is known of a kind of link that topo makes.
#[derive(Debug)]
pub struct Spec {
    /// Which.
    pub kind: Kind,
    /// The kernel's name for it (`IFLA_INFO_KIND`).
    pub name: &'static str,
    /// The language's name for it: the kernel has two for tunnels, by the family of their ends.
    pub word: &'static str,
    /// What the kernel has to be built with.
    pub config: &'static str,
    /// Its own attributes.
    pub attributes: &'static [Attribute],
    /// The MTU of a fresh one.
    pub mtu: Mtu,
    /// The length of the transmit queue of a fresh one, in packets.
    pub txqueuelen: u32,
    /// What it depends on.
    pub below: Below,
    /// What else sets it apart.
    pub traits: Traits,
}

/// What sets a kind apart from an ordinary Ethernet interface, which [`Traits::ETHERNET`] is.
#[derive(Clone, Copy, Debug)]
pub struct Traits {
    /// Whether it carries Ethernet frames, so that bridges, bonds, VLANs and macvlans take it.
    pub frames: bool,
    /// What another hardware address takes; `None` where it has none of its own.
    pub mac: Option<Impact>,
    /// Whether it asks for hardware addresses and takes part in multicast, unless it is said otherwise.
    pub asks: bool,
    /// The least MTU that it takes.
    pub least_mtu: u32,
    /// The largest MTU that it takes.
    pub largest_mtu: u32,
    /// Whether what it puts around a packet has to fit in, too.
    pub less_around: bool,
    /// Whether other interfaces are its ports.
    pub holds_ports: bool,
    /// Whether it has the hardware address of one of its ports, where none was written.
    pub mac_of_ports: bool,
    /// Whether its number of queues says nothing about the file.
    pub any_queues: bool,
    /// Whether it has keys and peers, which go by generic netlink once it is there.
    pub has_keys: bool,
    /// Whether it takes over what comes in by the interface that it depends on (`netdev_rx_handler_register`): of such
    /// there can be one, and no bridge or bond.
    pub takes_over: bool,
    /// Whether nothing is behind it but what the file says.
    pub closed: bool,
    /// Whether the kernel says that it has one other end (`IFF_POINTOPOINT`), so that any gateway will do.
    pub point_to_point: bool,
    /// Whether it is made for a program, by `/dev/net/tun`.
    pub by_program: bool,
    /// The attributes in which two of a namespace have to differ, at least in one; empty where they need not.
    pub distinct: &'static [&'static str],
}

impl Traits {
    /// Those of an Ethernet interface.
    pub const ETHERNET: Self = Self {
        frames: true,
        mac: Some(Impact::InPlace),
        asks: false,
        least_mtu: LEAST_MTU,
        largest_mtu: LARGEST_MTU,
        less_around: false,
        holds_ports: false,
        mac_of_ports: false,
        any_queues: false,
        has_keys: false,
        takes_over: false,
        closed: false,
        point_to_point: false,
        by_program: false,
        distinct: &[],
    };

    /// Those of an interface that is all in the file.
    pub const CLOSED: Self = Self { closed: true, ..Self::ETHERNET };
}

/// The MTU of a fresh link.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mtu {
    /// Always this one.
    Is(u32),
    /// That of the link below, or of an Ethernet device where there is none, less what is put around a packet.
    Below {
        /// What is put around a packet over IPv4.
        v4: u32,
        /// What is put around a packet over IPv6.
        v6: u32,
    },
    /// Something else decides: a bridge has that of its ports.
    Left,
}

/// What a kind of link depends on (`link`), and what it takes to give it another one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Below {
    /// On nothing.
    Nothing,
    /// It goes when the link below goes.
    Dies(Impact),
    /// It sends by the link below, and stays when that goes.
    Stays(Impact),
}

pub(crate) const fn in_place(name: &'static str, default: Default) -> Attribute {
    Attribute { name, default, impact: Impact::InPlace }
}

pub(crate) const fn flaps(name: &'static str, default: Default) -> Attribute {
    Attribute { name, default, impact: Impact::Flap }
}

pub(crate) const fn fixed(name: &'static str, default: Default) -> Attribute {
    Attribute { name, default, impact: Impact::Replace }
}
