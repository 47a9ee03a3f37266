//! IP tunnels.

use super::DontFragment;
use crate::document::Loc;
use crate::document::value::InterfaceRef;
use crate::document::yaml::define::record;
use crate::document::yaml::word::{Number, Word, Wrong, whole};
use schemars::{Schema, json_schema};
use std::net::IpAddr;

record! {
    /// A GRE tunnel between two addresses, whose family chooses the kernel's kind.
    Gre as "a gre tunnel" {
        /// This end. Example: `10.0.0.1`
        "local" local: Loc<IpAddr>,
        /// The other end. Example: `10.0.0.2`
        "remote" remote: Loc<IpAddr>,
        /// The interface it sends by; of another node, it is made there and lives here, and its packets leave there.
        /// Example: `eth0`
        "link" link: Option<Loc<InterfaceRef>>,
        /// The key that tells tunnels of the same ends apart. Example: `7`
        "key" key: Option<Loc<Number<0, 4_294_967_295>>>,
        /// The TTL of what it sends. Unless said 0, taken over from inside, over IPv4, and 64 over IPv6. Example: `64`
        "ttl" ttl: Option<Loc<Number<0, 255>>>,
        /// The TOS of what it sends over IPv4; 1 is taken over from inside. Example: `1`
        "tos" tos: Option<Loc<Number<0, 255>>>,
        /// Whether what it sends over IPv4 must not be fragmented; `true` unless said, and with a `ttl` always.
        /// Example: `false`
        "pmtu-discovery" pmtu_discovery: Option<Loc<bool>>,
        /// How often what it sends over IPv6 may be put into another tunnel: a number or `none`; 4 unless said.
        /// Example: `none`
        "encapsulation-limit" encapsulation_limit: Option<Loc<EncapsulationLimit>>,
    }
}

record! {
    /// A tunnel over IPv4.
    Tunnel as "a tunnel" {
        /// This end. Example: `10.0.0.1`
        "local" local: Loc<IpAddr>,
        /// The other end. Example: `10.0.0.2`
        "remote" remote: Loc<IpAddr>,
        /// The interface it sends by; of another node, it is made there and lives here, and its packets leave there.
        /// Example: `eth0`
        "link" link: Option<Loc<InterfaceRef>>,
        /// The TTL of what it sends; 0, taken over from inside, unless said. Example: `64`
        "ttl" ttl: Option<Loc<Number<0, 255>>>,
        /// The TOS of what it sends; 1 is taken over from inside. Example: `1`
        "tos" tos: Option<Loc<Number<0, 255>>>,
        /// Whether what it sends must not be fragmented; `true` unless said, and with a `ttl` always. Example: `false`
        "pmtu-discovery" pmtu_discovery: Option<Loc<bool>>,
    }
}

record! {
    /// A tunnel over IPv6.
    Ip6Tunnel as "a tunnel" {
        /// This end. Example: `"fd00::1"`
        "local" local: Loc<IpAddr>,
        /// The other end. Example: `"fd00::2"`
        "remote" remote: Loc<IpAddr>,
        /// The interface it sends by; of another node, it is made there and lives here, and its packets leave there.
        /// Example: `eth0`
        "link" link: Option<Loc<InterfaceRef>>,
        /// The hop limit of what it sends; 64 unless said, 0 is taken over from inside. Example: `32`
        "ttl" ttl: Option<Loc<Number<0, 255>>>,
        /// How often what it sends may be put into another tunnel: a number or `none`; 4 unless said. Example: `none`
        "encapsulation-limit" encapsulation_limit: Option<Loc<EncapsulationLimit>>,
    }
}

/// How often what a tunnel sends may be put into another one (RFC 2473, section 4.1.1); `None` for as often as anybody
/// likes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EncapsulationLimit(pub Option<u8>);

impl Word for EncapsulationLimit {
    const EXPECTED: &'static str = "a number from 0 to 255, or none";

    fn parse(text: &str) -> Result<Self, Wrong> {
        match text {
            "none" => Ok(Self(None)),
            text => whole(text)
                .and_then(|number| u8::try_from(number).ok())
                .map(|number| Self(Some(number)))
                .ok_or_else(|| Wrong::not("out-of-range", text, Self::EXPECTED)),
        }
    }

    fn schema() -> Schema {
        json_schema!({ "anyOf": [{ "type": "integer", "minimum": 0, "maximum": 255 }, { "const": "none" }] })
    }
}

record! {
    /// The end of a GENEVE tunnel.
    Geneve as "a geneve tunnel" {
        /// Its network identifier (VNI). Example: `100`
        "id" id: Loc<Number<0, 16_777_215>>,
        /// This end, for its family only. Example: `10.0.0.1`
        "local" local: Option<Loc<IpAddr>>,
        /// The other end. Example: `10.0.0.2`
        "remote" remote: Loc<IpAddr>,
        /// The UDP port; 6081 unless said. Example: `6081`
        "port" port: Option<Loc<Number<1, 65535>>>,
        /// The TTL of what it sends; 0, chosen by the kernel, unless said. Example: `64`
        "ttl" ttl: Option<Loc<Number<0, 255>>>,
        /// The TOS of what it sends; 1 is taken over from inside. Example: `1`
        "tos" tos: Option<Loc<Number<0, 255>>>,
        /// Whether what it sends may be fragmented; `unset` (it may) unless said. Example: `inherit`
        "df" df: Option<Loc<DontFragment>>,
    }
}
