//! What packets are matched by and changed to.

use super::name::interface_fault;
use super::net::{Prefix, address};
use crate::document::yaml::tree::quoted;
use crate::document::yaml::word::{Word, Wrong, pattern, whole};
use crate::resource::{AddressRange, Target};
use schemars::{Schema, json_schema};
use std::net::IpAddr;

/// A packet mark and the bits of it that count.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Mark {
    /// The mark.
    pub value: u32,
    /// Which bits count; all where the file says none.
    pub mask: u32,
}

impl Word for Mark {
    const EXPECTED: &'static str = "a packet mark";

    fn parse(text: &str) -> Result<Self, Wrong> {
        let number = |text: &str| whole(text).and_then(|number| u32::try_from(number).ok());
        let (value, mask) = match text.split_once('/') {
            Some((value, mask)) => (number(value), number(mask)),
            None => (number(text), Some(u32::MAX)),
        };
        let (Some(value), Some(mask)) = (value, mask) else {
            return Err(Wrong::not("bad-mark", text, "a packet mark")
                .help("a number of 32 bits, or a number and a mask: 0x20, 0x20/0xff"));
        };
        if value & !mask != 0 {
            let wrong = Wrong::new("bad-mark", format!("the mark {value:#x} has bits outside of its mask {mask:#x}"));
            return Err(wrong.help(format!("write {:#x}/{mask:#x}, or a wider mask", value & mask)));
        }
        Ok(Self { value, mask })
    }

    fn schema() -> Schema {
        json_schema!({ "type": ["string", "integer"], "minimum": 0, "maximum": u32::MAX, "pattern": "^(0x[0-9A-Fa-f]+|[0-9]+)(/(0x[0-9A-Fa-f]+|[0-9]+))?$", "examples": ["0x20", "0x20/0xff"] })
    }
}

/// A port, or ports from one to another.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Ports {
    /// The first.
    pub first: u16,
    /// The last.
    pub last: u16,
}

impl Word for Ports {
    const EXPECTED: &'static str = "a port or a range of ports";

    fn parse(text: &str) -> Result<Self, Wrong> {
        let port = |text: &str| whole(text).and_then(|number| u16::try_from(number).ok()).filter(|port| *port > 0);
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        match (port(first), port(last)) {
            (Some(first), Some(last)) if first <= last => Ok(Self { first, last }),
            (Some(first), Some(last)) => {
                Err(Wrong::new("bad-port", format!("the range {} runs backwards", quoted(text)))
                    .help(format!("write {last}-{first}")))
            }
            _ => Err(Wrong::not("bad-port", text, "a port or a range of ports")
                .help("a number from 1 to 65535, or two: 8000-8010")),
        }
    }

    fn schema() -> Schema {
        json_schema!({ "type": ["string", "integer"], "minimum": 1, "maximum": 65535, "pattern": "^[0-9]+(-[0-9]+)?$", "examples": [22, "8000-8010"] })
    }
}

/// A VLAN id, or ids from one to another.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct VlanRange {
    /// The first.
    pub first: u16,
    /// The last.
    pub last: u16,
}

impl Word for VlanRange {
    const EXPECTED: &'static str = "a VLAN id or a range of them";

    fn parse(text: &str) -> Result<Self, Wrong> {
        let id =
            |text: &str| whole(text).and_then(|number| u16::try_from(number).ok()).filter(|id| (1..=4094).contains(id));
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        match (id(first), id(last)) {
            (Some(first), Some(last)) if first <= last => Ok(Self { first, last }),
            _ => Err(Wrong::not("bad-vlan", text, "a VLAN id or a range of them")
                .help("a number from 1 to 4094, or two: 20-30")),
        }
    }

    fn schema() -> Schema {
        json_schema!({ "type": ["string", "integer"], "minimum": 1, "maximum": 4094, "pattern": "^[0-9]+(-[0-9]+)?$", "examples": [10, "20-30"] })
    }
}

/// Protocols by the names that nft and `ip rule` share, and their numbers (IANA's protocol registry).
const PROTOCOLS: &[(&str, u8)] = &[
    ("icmp", 1),
    ("igmp", 2),
    ("ipip", 4),
    ("tcp", 6),
    ("egp", 8),
    ("udp", 17),
    ("dccp", 33),
    ("ipv6", 41),
    ("gre", 47),
    ("esp", 50),
    ("ah", 51),
    ("icmpv6", 58),
    ("ospf", 89),
    ("pim", 103),
    ("comp", 108),
    ("vrrp", 112),
    ("sctp", 132),
    ("udplite", 136),
];

/// An IP protocol.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Protocol {
    /// nft's name for it, or its number as text.
    pub name: String,
    /// Its number.
    pub number: u8,
}

impl Protocol {
    /// Whether it has ports.
    pub fn has_ports(&self) -> bool {
        matches!(self.number, 6 | 17 | 33 | 132 | 136)
    }
}

impl Word for Protocol {
    const EXPECTED: &'static str = "an IP protocol";

    fn parse(text: &str) -> Result<Self, Wrong> {
        let text = match text {
            "ipv6-icmp" | "icmp6" => "icmpv6",
            "ospfigp" => "ospf",
            other => other,
        };
        // Only these names go to nft as words; a number that has a name gets it, so that both spellings are one rule.
        let nft = ["icmp", "icmpv6", "tcp", "udp", "dccp", "sctp", "udplite", "esp", "ah", "comp"];
        let found = match whole(text) {
            Some(number) => PROTOCOLS
                .iter()
                .find(|(_, n)| u64::from(*n) == number)
                .copied()
                .or(u8::try_from(number).ok().map(|n| ("", n))),
            None => PROTOCOLS.iter().find(|(name, _)| *name == text).copied(),
        };
        let Some((name, number)) = found else {
            let names: Vec<&str> = PROTOCOLS.iter().map(|(name, _)| *name).collect();
            return Err(crate::document::yaml::word::no_such_word(text, "an IP protocol", &names));
        };
        let name = if nft.contains(&name) { name.to_owned() } else { number.to_string() };
        Ok(Self { name, number })
    }

    fn schema() -> Schema {
        json_schema!({ "type": ["string", "integer"], "minimum": 0, "maximum": 255, "examples": ["tcp", "udp", "icmp", "icmpv6", 47] })
    }
}

/// A rate of packets: `5/second`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct RateLimit {
    /// How many packets.
    pub packets: u64,
    /// In a `second`, `minute`, `hour`, `day`.
    pub per: &'static str,
}

impl Word for RateLimit {
    const EXPECTED: &'static str = "a rate of packets";

    fn parse(text: &str) -> Result<Self, Wrong> {
        let wrong = || {
            Wrong::not("bad-limit", text, "a rate of packets")
                .help("packets in a second, minute, hour or day: 5/second")
        };
        let (number, unit) = text.split_once('/').ok_or_else(wrong)?;
        let packets =
            whole(number.trim()).filter(|number| (1..=u64::from(u32::MAX)).contains(number)).ok_or_else(wrong)?;
        let per = match unit.trim() {
            "s" | "sec" | "second" => "second",
            "m" | "min" | "minute" => "minute",
            "h" | "hour" => "hour",
            "d" | "day" => "day",
            _ => return Err(wrong()),
        };
        Ok(Self { packets, per })
    }

    fn schema() -> Schema {
        pattern("^[0-9]+ */ *(s|sec|second|m|min|minute|h|hour|d|day)$", &["5/second"])
    }
}

/// An interface that a rule goes by: its name, `!` in front for "not", a trailing `*` for any ending.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct InterfaceItem {
    /// All but it.
    pub not: bool,
    /// The name, with its `*`.
    pub name: String,
}

impl Word for InterfaceItem {
    const EXPECTED: &'static str = "an interface";

    fn parse(text: &str) -> Result<Self, Wrong> {
        let (not, name) = text.strip_prefix('!').map_or((false, text), |rest| (true, rest.trim_start()));
        let stem = name.strip_suffix('*').unwrap_or(name);
        let wrong = |fault: &str| Wrong::not("bad-name", text, "an interface").help(fault);
        if name == "*" {
            return Err(wrong("`*` alone is every interface: leave the key out"));
        }
        match interface_fault(stem) {
            None if name.len() <= 15 && !stem.contains(['"', '\\']) => Ok(Self { not, name: name.to_owned() }),
            None if name.len() > 15 => Err(wrong("the name of an interface has at most 15 bytes, with its `*`")),
            None => Err(wrong("quotes and backslashes cannot be written in nft's rules")),
            Some(fault) => Err(wrong(&fault)),
        }
    }

    fn schema() -> Schema {
        pattern("^! *[^/:%\\s]{1,15}$|^[^/:%\\s]{1,15}$", &["br0", "!br0", "veth*"])
    }
}

/// Addresses that a rule goes by, `!` in front for "not".
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AddressItem {
    /// All but these.
    pub not: bool,
    /// Which.
    pub range: AddressRange,
}

impl Word for AddressItem {
    const EXPECTED: &'static str = "an address, prefix or range";

    fn parse(text: &str) -> Result<Self, Wrong> {
        let (not, rest) = text.strip_prefix('!').map_or((false, text), |rest| (true, rest.trim_start()));
        let range = match rest.split_once('-') {
            None => AddressRange::Prefix(Prefix::parse(rest)?.0),
            Some((first, last)) => {
                let (first, last) = (address(first.trim())?, address(last.trim())?);
                range(first, last, text)?;
                AddressRange::Range(first, last)
            }
        };
        Ok(Self { not, range })
    }

    fn schema() -> Schema {
        pattern("^!? *[0-9A-Fa-f:./ -]+$", &["10.0.0.0/24", "!10.0.0.0/24", "10.0.0.5-10.0.0.9"])
    }
}

fn range(first: IpAddr, last: IpAddr, text: &str) -> Result<(), Wrong> {
    if first.is_ipv4() != last.is_ipv4() {
        return Err(Wrong::new("mixed-families", format!("the ends of {} are of different families", quoted(text))));
    }
    if first > last {
        return Err(Wrong::new("bad-address", format!("the range {} runs backwards", quoted(text)))
            .help(format!("write {last}-{first}")));
    }
    Ok(())
}

/// Where NAT sends a packet: an address or a range, and a port or ports behind it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TargetItem(pub Target);

impl Word for TargetItem {
    const EXPECTED: &'static str = "an address, and a port where one is meant";

    fn parse(text: &str) -> Result<Self, Wrong> {
        let help = "such as 10.0.0.2, 10.0.0.2:80 or [fd00::2]:80";
        let (host, port) = if let Some(rest) = text.strip_prefix('[') {
            let (host, rest) =
                rest.split_once(']').ok_or_else(|| Wrong::not("bad-target", text, Self::EXPECTED).help(help))?;
            (
                host,
                if rest.is_empty() {
                    None
                } else {
                    Some(
                        rest.strip_prefix(':')
                            .ok_or_else(|| Wrong::not("bad-target", text, Self::EXPECTED).help(help))?,
                    )
                },
            )
        } else if text.matches(':').count() == 1 {
            text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port)))
        } else {
            (text, None)
        };
        let (first, last) = match host.split_once('-') {
            Some((first, last)) => {
                let (first, last) = (address(first)?, address(last)?);
                range(first, last, text)?;
                (first, (first != last).then_some(last))
            }
            None => (
                IpAddr::parse(host).map_err(|wrong| if wrong.help.is_some() { wrong } else { wrong.help(help) })?,
                None,
            ),
        };
        let port = port.map(Ports::parse).transpose()?.map(|ports| (ports.first, ports.last));
        Ok(Self(Target { address: first, last, port }))
    }

    fn schema() -> Schema {
        pattern("^[0-9A-Fa-f:.\\[\\]-]+$", &["10.0.0.2:80", "[fd00::2]:80", "203.0.113.7"])
    }
}
