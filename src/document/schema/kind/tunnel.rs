//! IP tunnels.

use super::DontFragment;
use crate::document::Loc;
use crate::document::value::InterfaceRef;
use crate::document::yaml::define::record;
use crate::document::yaml::word::{Number, Word, Wrong, whole};
use schemars::{Schema, json_schema};
use std::net::IpAddr;

record! {
    /// A GRE tunnel between two addresses of one family.
    Gre as "a gre tunnel" {
        /// The local address. Example: `10.0.0.1`
        "local" local: Loc<IpAddr>,
        /// The remote address. Example: `10.0.0.2`
        "remote" remote: Loc<IpAddr>,
        /// The underlay interface. If it is in another node, the tunnel is created there and moved here, and outer
        /// packets leave there. Example: `eth0`
        "link" link: Option<Loc<InterfaceRef>>,
        /// The GRE key, which distinguishes tunnels between the same addresses. Example: `7`
        "key" key: Option<Loc<Number<0, 4_294_967_295>>>,
        /// The TTL of outer packets. Default over IPv4: 0, inherited from the inner packet; over IPv6: 64. Example:
        /// `64`
        "ttl" ttl: Option<Loc<Number<0, 255>>>,
        /// The TOS of outer packets over IPv4; 1 is inherited from the inner packet. Example: `1`
        "tos" tos: Option<Loc<Number<0, 255>>>,
        /// Path MTU discovery (don't-fragment flag) over IPv4; default `true`, and always with a `ttl`. Example:
        /// `false`
        "pmtu-discovery" pmtu_discovery: Option<Loc<bool>>,
        /// The tunnel encapsulation limit over IPv6 (RFC 2473): a number or `none`; default 4. Example: `none`
        "encapsulation-limit" encapsulation_limit: Option<Loc<EncapsulationLimit>>,
    }
}

record! {
    /// A tunnel over IPv4.
    Tunnel as "a tunnel" {
        /// The local address. Example: `10.0.0.1`
        "local" local: Loc<IpAddr>,
        /// The remote address. Example: `10.0.0.2`
        "remote" remote: Loc<IpAddr>,
        /// The underlay interface. If it is in another node, the tunnel is created there and moved here, and outer
        /// packets leave there. Example: `eth0`
        "link" link: Option<Loc<InterfaceRef>>,
        /// The TTL of outer packets; default 0, inherited from the inner packet. Example: `64`
        "ttl" ttl: Option<Loc<Number<0, 255>>>,
        /// The TOS of outer packets; 1 is inherited from the inner packet. Example: `1`
        "tos" tos: Option<Loc<Number<0, 255>>>,
        /// Path MTU discovery (don't-fragment flag); default `true`, and always with a `ttl`. Example: `false`
        "pmtu-discovery" pmtu_discovery: Option<Loc<bool>>,
    }
}

record! {
    /// A tunnel over IPv6.
    Ip6Tunnel as "a tunnel" {
        /// The local address. Example: `"fd00::1"`
        "local" local: Loc<IpAddr>,
        /// The remote address. Example: `"fd00::2"`
        "remote" remote: Loc<IpAddr>,
        /// The underlay interface. If it is in another node, the tunnel is created there and moved here, and outer
        /// packets leave there. Example: `eth0`
        "link" link: Option<Loc<InterfaceRef>>,
        /// The hop limit of outer packets; default 64, 0 is inherited from the inner packet. Example: `32`
        "ttl" ttl: Option<Loc<Number<0, 255>>>,
        /// The tunnel encapsulation limit (RFC 2473): a number or `none`; default 4. Example: `none`
        "encapsulation-limit" encapsulation_limit: Option<Loc<EncapsulationLimit>>,
    }
}

/// The tunnel encapsulation limit (RFC 2473, section 4.1.1); `None` for no limit.
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
    /// A GENEVE tunnel endpoint.
    Geneve as "a geneve tunnel" {
        /// Its network identifier (VNI). Example: `100`
        "id" id: Loc<Number<0, 16_777_215>>,
        /// The local address; only its family counts. Example: `10.0.0.1`
        "local" local: Option<Loc<IpAddr>>,
        /// The remote address. Example: `10.0.0.2`
        "remote" remote: Loc<IpAddr>,
        /// The UDP port; default 6081. Example: `6081`
        "port" port: Option<Loc<Number<1, 65535>>>,
        /// The TTL of outer packets; default 0, chosen by the kernel. Example: `64`
        "ttl" ttl: Option<Loc<Number<0, 255>>>,
        /// The TOS of outer packets; 1 is inherited from the inner packet. Example: `1`
        "tos" tos: Option<Loc<Number<0, 255>>>,
        /// The don't-fragment flag of outer packets; default `unset`. Example: `inherit`
        "df" df: Option<Loc<DontFragment>>,
    }
}
