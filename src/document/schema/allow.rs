//! Answers to warnings: `allow: [CODE]` where one stands.

use crate::document::yaml::define::property;
use crate::document::yaml::place::Loc;
use crate::document::yaml::read::{Fields, Part, Reader, Shape};
use crate::document::yaml::word::{Word, Wrong, no_such_word};
use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::{Map as Json, Value};

/// The codes of all warnings.
pub const WARNINGS: &[&str] = &[
    "address-is-network",
    "address-on-port",
    "address-twice",
    "address-twice-on-segment",
    "bond-unmonitored",
    "bridge-empty",
    "dnat-from-localhost",
    "dnat-of-everything",
    "dnat-to-loopback",
    "dns-too-many-nameservers",
    "dns-without-nameservers",
    "end-unused",
    "existing-in-new",
    "gateway-nobody",
    "host-addresses-only",
    "input-drops-established",
    "input-drops-icmpv6",
    "interface-absent",
    "mac-twice",
    "masquerade-of-bridged",
    "mtu-ends-differ",
    "nat-pool",
    "nat-twice",
    "nat-without-forwarding",
    "no-endpoint",
    "node-not-a-host-name",
    "one-key-twice",
    "route-overlaps",
    "rule-never-reached",
    "subnet-ends-differ",
    "subnets-overlap",
    "table-unused",
    "vlan-alone",
    "vlan-unused",
    "vrf-table-twice",
    "vxlan-local",
];

/// The code of a warning.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Code(pub &'static str);

impl Word for Code {
    const EXPECTED: &'static str = "the code of a warning";

    fn parse(text: &str) -> Result<Self, Wrong> {
        WARNINGS
            .iter()
            .find(|code| **code == text)
            .map(|code| Self(code))
            .ok_or_else(|| no_such_word(text, Self::EXPECTED, WARNINGS))
    }

    fn schema() -> Schema {
        json_schema!({ "enum": WARNINGS })
    }
}

/// What is allowed in a node or an interface, and how far that reaches.
#[derive(Clone, Debug, Default)]
pub struct Allow {
    /// The accepted warnings.
    pub codes: Vec<Loc<Code>>,
    /// The end of what it is written in, in bytes; 0 where nothing is allowed.
    pub end: u32,
}

const DOC: &str = "Warnings that are accepted here, by their codes: they are not reported. An error cannot be allowed. Example: `[subnets-overlap]`";

impl Part for Allow {
    fn keys(out: &mut Vec<&'static str>) {
        out.push("allow");
    }

    fn read_part(fields: &Fields<'_, '_>, reader: &mut Reader) -> Option<Self> {
        let codes: Vec<Loc<Code>> = fields.read("allow", reader)?;
        let end = if codes.is_empty() { 0 } else { fields.end };
        Some(Self { codes, end })
    }

    fn properties(generator: &mut SchemaGenerator, properties: &mut Json<String, Value>, _required: &mut Vec<Value>) {
        properties.insert("allow".to_owned(), property(<Vec<Loc<Code>> as Shape>::schema(generator), DOC));
    }
}
