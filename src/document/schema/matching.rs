//! What rules of NAT and firewall go by.

use crate::document::value::{AddressItem, InterfaceItem, Mark, Ports, Protocol, RateLimit};
use crate::document::yaml::define::record;
use crate::document::yaml::read::{Many, Reader, Shape};
use crate::document::yaml::tree::{Data, Yaml};
use crate::document::yaml::word::{Word, Wrong, pattern, words};
use crate::document::{Finding, Loc, Place};
use schemars::{Schema, SchemaGenerator, json_schema};

record! {
    /// The matches of a rule. All that are present must match.
    Matches as "what a rule goes by" {
        /// Incoming interface: a name or a list; a leading `!` negates, a trailing `*` is a wildcard. Example: `eth0`
        /// Example: `"!br0"`
        "in" input: Option<Many<Loc<InterfaceItem>>>,
        /// Outgoing interface, written like `in`. Example: `"!br0"`
        "out" output: Option<Many<Loc<InterfaceItem>>>,
        /// Source: an address, prefix or range, or a list; a leading `!` negates. Example: `10.0.0.0/24`
        "source" source: Option<Many<Loc<AddressItem>>>,
        /// Destination, written like `source`; or `local`, an address of this node whichever it is, `127.0.0.1`
        /// included. Example: `203.0.113.9` Example: `local`
        "destination" destination: Destination,
        /// IP protocol, by name or number (`icmp` is IPv4's, `icmpv6` IPv6's). Example: `tcp`
        "protocol" protocol: Option<Loc<Protocol>>,
        /// ICMP type, with protocol `icmp` or `icmpv6`. Example: `echo-request`
        "icmp-type" icmp_type: Option<Loc<IcmpType>>,
        /// Destination port, range or list; with a protocol that has ports. Example: `[22, 80, 8000-8010]`
        "port" port: Option<Many<Loc<Ports>>>,
        /// Source port, written like `port`. Example: `1024-65535`
        "source-port" source_port: Option<Many<Loc<Ports>>>,
        /// State of the connection, a word or a list. Example: `[established, related]`
        "state" state: Option<Many<Loc<State>>>,
        /// Packet mark, and mask. Example: `0x20/0xff`
        "mark" mark: Option<Loc<Mark>>,
        /// Rate limit. Example: `5/second`
        "limit" limit: Option<Loc<RateLimit>>,
    }
}

/// Where packets go.
#[derive(Clone, Debug, Default)]
pub struct Destination {
    /// To these addresses.
    pub addresses: Option<Many<Loc<AddressItem>>>,
    /// Where `local` is written: to an address of the node itself.
    pub local: Option<Place>,
}

impl Destination {
    /// Whether nothing is said of it.
    pub fn is_any(&self) -> bool {
        self.addresses.is_none() && self.local.is_none()
    }
}

impl Shape for Destination {
    fn read(yaml: &Yaml<'_>, reader: &mut Reader) -> Option<Self> {
        let is_local = |yaml: &Yaml<'_>| matches!(yaml.text(), "local" | "!local");
        if let Data::List(items) = yaml.data()
            && let Some(local) = items.iter().find(|item| is_local(item))
        {
            let finding = Finding::error("bad-address", local.place, "`local` stands alone, not in a list");
            reader.note(finding.help("write a rule with `destination: local`, and another for the addresses"));
            return None;
        }
        match yaml.text() {
            "local" => Some(Self { addresses: None, local: Some(yaml.place) }),
            "!local" => {
                reader.note(
                    Finding::error("bad-address", yaml.place, "`local` has no opposite")
                        .help("write the addresses that are meant"),
                );
                None
            }
            _ => Option::<Many<Loc<AddressItem>>>::read(yaml, reader).map(|addresses| Self { addresses, local: None }),
        }
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        let addresses = <Many<Loc<AddressItem>> as Shape>::schema(generator);
        json_schema!({ "anyOf": [addresses, { "const": "local" }] })
    }

    fn absent() -> Option<Self> {
        Some(Self::default())
    }
}

words! {
    /// The state of a connection.
    State as "the state of a connection" {
        /// The first packet of one.
        "new" New,
        /// Of one that has seen packets in both directions.
        "established" Established,
        /// The first of one that belongs to another, or an ICMP error about one.
        "related" Related,
        /// Invalid.
        "invalid" Invalid,
        /// Not tracked.
        "untracked" Untracked,
    }
}

/// An ICMP type, by nft's name or its number.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct IcmpType(pub String);

/// nft's names of IPv4's types (`icmp_type_tbl` of its sources).
const V4: &[&str] = &[
    "echo-reply",
    "destination-unreachable",
    "source-quench",
    "redirect",
    "echo-request",
    "router-advertisement",
    "router-solicitation",
    "time-exceeded",
    "parameter-problem",
    "timestamp-request",
    "timestamp-reply",
    "info-request",
    "info-reply",
    "address-mask-request",
    "address-mask-reply",
];
/// nft's names of IPv6's types (`icmp6_type_tbl` of its sources).
const V6: &[&str] = &[
    "destination-unreachable",
    "packet-too-big",
    "time-exceeded",
    "parameter-problem",
    "echo-request",
    "echo-reply",
    "mld-listener-query",
    "mld-listener-report",
    "mld-listener-done",
    "mld-listener-reduction",
    "nd-router-solicit",
    "nd-router-advert",
    "nd-neighbor-solicit",
    "nd-neighbor-advert",
    "nd-redirect",
    "router-renumbering",
    "ind-neighbor-solicit",
    "ind-neighbor-advert",
    "mld2-listener-report",
];

impl IcmpType {
    /// Whether IPv4 (`false`) or IPv6 (`true`) has it.
    pub fn fits(&self, v6: bool) -> bool {
        self.0.starts_with(|c: char| c.is_ascii_digit()) || (if v6 { V6 } else { V4 }).contains(&self.0.as_str())
    }
}

impl Word for IcmpType {
    const EXPECTED: &'static str = "an ICMP type";

    fn parse(text: &str) -> Result<Self, Wrong> {
        let number = crate::document::yaml::word::whole(text).is_some_and(|number| number < 256);
        if number || V4.contains(&text) || V6.contains(&text) {
            return Ok(Self(text.to_owned()));
        }
        let names: Vec<&str> = V4.iter().chain(V6).copied().collect();
        Err(crate::document::yaml::word::no_such_word(text, "an ICMP type", &names))
    }

    fn schema() -> Schema {
        pattern("^[a-z0-9-]+$", &["echo-request", "nd-neighbor-solicit"])
    }
}
