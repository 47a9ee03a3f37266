//! Addresses, prefixes and what routes go by.

use crate::document::yaml::word::{Word, Wrong, pattern};
use crate::resource::Mac;
use ipnet::IpNet;
use schemars::{Schema, json_schema};
use std::net::IpAddr;

const ADDRESS: &str = "[0-9A-Fa-f:.]+";

impl Word for IpAddr {
    const EXPECTED: &'static str = "an address";

    fn parse(text: &str) -> Result<Self, Wrong> {
        address(text).map_err(|wrong| match text.split_once('/').map(|(bare, _)| (bare, address(bare))) {
            Some((bare, Ok(_))) => wrong.help(format!("an address without a prefix length is meant: {bare}")),
            Some((_, Err(inner))) => Wrong { help: inner.help, ..wrong },
            None => wrong,
        })
    }

    fn schema() -> Schema {
        pattern(&format!("^{ADDRESS}$"), &["10.0.0.1", "fd00::1"])
    }
}

/// Reads an address.
///
/// # Errors
///
/// If the text is no IPv4 or IPv6 address; says what is expected.
pub fn address(text: &str) -> Result<IpAddr, Wrong> {
    text.parse().map_err(|_| {
        let wrong = Wrong::not("bad-address", text, "an IPv4 or IPv6 address");
        // What stands behind a `/` is no number of the address.
        let zeros = text.split('.').count() == 4
            && !text.contains('/')
            && text.split('.').any(|part| part.len() > 1 && part.starts_with('0'));
        if zeros {
            wrong.help("programs differ on what a leading zero means: write the numbers without")
        } else {
            wrong
        }
    })
}

fn length(text: &str, address: IpAddr) -> Result<u8, Wrong> {
    let most = if address.is_ipv4() { 32 } else { 128 };
    let number = crate::document::yaml::word::whole(text)
        .and_then(|number| u8::try_from(number).ok())
        .filter(|number| *number <= most);
    number.ok_or_else(|| {
        match text.parse::<std::net::Ipv4Addr>().ok().and_then(|mask| ipnet::ipv4_mask_to_prefix(mask).ok()) {
            Some(length) => Wrong::not("bad-address", text, "a prefix length")
                .help(format!("write the length instead of the mask: {address}/{length}")),
            None => Wrong::new(
                "bad-address",
                format!(
                    "the prefix length {} is not a number from 0 to {most}",
                    crate::document::yaml::tree::quoted(text)
                ),
            ),
        }
    })
}

/// An address of an interface, with the length of its subnet's prefix.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct InterfaceAddress(pub IpNet);

impl Word for InterfaceAddress {
    const EXPECTED: &'static str = "an address with its prefix length";

    fn parse(text: &str) -> Result<Self, Wrong> {
        let Some((bare, bits)) = text.split_once('/') else {
            let wrong = Wrong::not("bad-address", text, "an address with its prefix length");
            return Err(match address(text) {
                Ok(IpAddr::V4(_)) => wrong.help(format!("write the length of the subnet's prefix: {text}/24")),
                Ok(IpAddr::V6(_)) => wrong.help(format!("write the length of the subnet's prefix: {text}/64")),
                Err(_) => wrong.help("such as 10.0.0.1/24 or fd00::1/64"),
            });
        };
        let address = address(bare)?;
        IpNet::new(address, length(bits, address)?)
            .map(Self)
            .map_err(|_| Wrong::not("bad-address", text, Self::EXPECTED))
    }

    fn schema() -> Schema {
        pattern(&format!("^{ADDRESS}/[0-9]{{1,3}}$"), &["11.11.11.2/24", "fd00::2/64"])
    }
}

/// A prefix, host bits zero. A bare address is a prefix of full length.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Prefix(pub IpNet);

impl Word for Prefix {
    const EXPECTED: &'static str = "a prefix";

    fn parse(text: &str) -> Result<Self, Wrong> {
        let net = match text.split_once('/') {
            None => IpNet::from(address(text)?),
            Some((bare, bits)) => {
                let address = address(bare)?;
                IpNet::new(address, length(bits, address)?).map_err(|_| Wrong::not("bad-address", text, "a prefix"))?
            }
        };
        if net.trunc() == net {
            return Ok(Self(net));
        }
        let wrong = Wrong::new("host-bits", format!("the prefix {net} has bits set behind its length"));
        Err(wrong.help(format!("the prefix is {}, the address alone {}", net.trunc(), net.addr())))
    }

    fn schema() -> Schema {
        pattern(&format!("^{ADDRESS}(/[0-9]{{1,3}})?$"), &["10.0.0.0/24", "fd00::/64", "192.0.2.7"])
    }
}

/// Where a route goes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Destination {
    /// `default`, of the family of its gateway.
    Default,
    /// A prefix.
    Prefix(IpNet),
}

impl Word for Destination {
    const EXPECTED: &'static str = "`default` or a prefix";

    fn parse(text: &str) -> Result<Self, Wrong> {
        if text == "default" {
            return Ok(Self::Default);
        }
        match Prefix::parse(text) {
            Ok(Prefix(net)) => Ok(Self::Prefix(net)),
            Err(wrong)
                if wrong.code == "bad-address" && !text.starts_with(|c: char| c.is_ascii_hexdigit() || c == ':') =>
            {
                Err(Wrong::not("bad-address", text, "`default` or a prefix"))
            }
            Err(wrong) => Err(wrong),
        }
    }

    fn schema() -> Schema {
        pattern(&format!("^(default|{ADDRESS}(/[0-9]{{1,3}})?)$"), &["default", "10.0.0.0/8"])
    }
}

/// A gateway.
pub type Via = IpAddr;

/// A scope, as a number of `rt_scope`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Scope(pub u8);

impl Word for Scope {
    const EXPECTED: &'static str = "a scope";

    fn parse(text: &str) -> Result<Self, Wrong> {
        match text {
            "global" | "universe" => Ok(Self(0)),
            "site" => Ok(Self(200)),
            "link" => Ok(Self(253)),
            "host" => Ok(Self(254)),
            "nowhere" => Ok(Self(255)),
            _ => {
                let number =
                    crate::document::yaml::word::whole(text).and_then(|number| u8::try_from(number).ok()).map(Self);
                number.ok_or_else(|| {
                    Wrong::not("unknown-word", text, "a scope")
                        .help("it is one of global, site, link, host, or a number up to 255")
                })
            }
        }
    }

    fn schema() -> Schema {
        json_schema!({ "anyOf": [{ "enum": ["global", "universe", "site", "link", "host", "nowhere"] }, { "type": "integer", "minimum": 0, "maximum": 255 }, { "type": "string", "pattern": "^[0-9]+$" }] })
    }
}

impl Word for Mac {
    const EXPECTED: &'static str = "a hardware address";

    fn parse(text: &str) -> Result<Self, Wrong> {
        Self::parse(text).ok_or_else(|| {
            Wrong::not("bad-mac", text, "a hardware address").help("six bytes in hexadecimal: 02:00:00:00:00:01")
        })
    }

    fn schema() -> Schema {
        pattern("^[0-9A-Fa-f]{1,2}([:-][0-9A-Fa-f]{1,2}){5}$", &["02:00:00:00:00:01"])
    }
}
