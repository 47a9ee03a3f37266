//! What packets carry.

use super::Family;
use std::fmt;

/// What a packet carries.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Protocol {
    /// An echo request or reply, of ICMP or of ICMPv6.
    Icmp,
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

impl Protocol {
    /// Its number (IANA protocol numbers).
    pub fn number(self, family: Family) -> u8 {
        match (self, family) {
            (Self::Icmp, Family::V4) => 1,
            (Self::Icmp, Family::V6) => 58,
            (Self::Tcp, _) => 6,
            (Self::Udp, _) => 17,
        }
    }

    /// Whether it has ports.
    pub fn has_ports(self) -> bool {
        self != Self::Icmp
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Icmp => "icmp",
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        })
    }
}
