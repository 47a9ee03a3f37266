//! Address translation.

use super::matching::Matches;
use crate::document::Loc;
use crate::document::value::{NftLine, Ports, TargetItem};
use crate::document::yaml::define::{choice, record};
use crate::document::yaml::read::{Reader, Shape};
use crate::document::yaml::tree::Yaml;
use crate::document::yaml::word::{Word, Wrong};
use schemars::{Schema, SchemaGenerator, json_schema};

choice! {
    /// A NAT rule.
    NatRule as "a nat rule" {
        /// Masquerade: rewrite the source of outgoing packets to the address of the outgoing interface. Example:
        /// `{ source: 10.0.0.0/24, out: "!br0" }`
        "masquerade" Masquerade(Box<Masquerade>),
        /// SNAT: rewrite the source of outgoing packets to this address. Example:
        /// `{ source: 10.0.0.0/24, out: eth0, to: 203.0.113.7 }`
        "snat" Snat(Box<Snat>),
        /// DNAT: rewrite the destination of incoming packets to this address and port. Example:
        /// `{ protocol: tcp, port: 8080, to: "10.0.0.2:80" }`
        "dnat" Dnat(Box<Dnat>),
        /// Redirect incoming packets to another port of this node. Example: `{ protocol: tcp, port: 80, to: 8080 }`
        "redirect" Redirect(Box<Redirect>),
        /// One rule in nft syntax, in the postrouting chain, or in prerouting if it changes the destination. Example:
        /// `ip saddr 10.0.0.0/24 oifname "eth0" masquerade random`
        "nft" Nft(Loc<NftLine>),
    }
}

record! {
    /// Masquerade: rewrite the source of outgoing packets to the address of the outgoing interface.
    Masquerade as "`masquerade`" {
        /// Counts connections (NAT sees the first packet of each only); `topo show` prints the counters. They are reset
        /// when anything in the node's `nat` or `firewall` changes, because its table is replaced as a whole. Example:
        /// `true`
        "counter" counter: Option<Loc<bool>>,
    }
    parts {
        /// Which packets it matches.
        matches: Matches,
    }
}

record! {
    /// SNAT: rewrite the source of outgoing packets to this address.
    Snat as "`snat`" {
        /// The new source: an address or a range, optionally with a port or a port range. Example: `203.0.113.7`
        "to" to: Loc<TargetItem>,
        /// Counts connections (NAT sees the first packet of each only); `topo show` prints the counters. They are reset
        /// when anything in the node's `nat` or `firewall` changes, because its table is replaced as a whole. Example:
        /// `true`
        "counter" counter: Option<Loc<bool>>,
    }
    parts {
        /// Which packets it matches.
        matches: Matches,
    }
}

record! {
    /// DNAT: rewrite the destination of incoming packets to this address and port.
    Dnat as "`dnat`" {
        /// The new destination: an address, and a port if that changes, too. Example: `"10.0.0.2:80"`
        "to" to: Loc<TargetItem>,
        /// Whether it also applies to connections that the node itself opens to one of its addresses (`true`), or to
        /// those only (`only`). `true` also lets the target reach itself by the published address (hairpin NAT), unless
        /// `in` excludes it: connections from the target, or from 127.0.0.1, to the target are masqueraded. Connections
        /// to 127.0.0.1 also need `net.ipv4.conf.all.route_localnet: 1` in `sysctls`; IPv6 has no such setting.
        /// Example: `true`
        "local" local: Option<Loc<Local>>,
        /// Counts connections (NAT sees the first packet of each only); `topo show` prints the counters. They are reset
        /// when anything in the node's `nat` or `firewall` changes, because its table is replaced as a whole. Example:
        /// `true`
        "counter" counter: Option<Loc<bool>>,
    }
    parts {
        /// Which packets it matches.
        matches: Matches,
    }
}

record! {
    /// Redirect incoming packets to another port of this node.
    Redirect as "`redirect`" {
        /// The new port or port range; by default the port is kept. Example: `8080`
        "to" to: Option<Loc<Ports>>,
        /// Whether it also applies to connections that the node itself opens (`true`), or to those only (`only`).
        /// Example: `true`
        "local" local: Option<Loc<Local>>,
        /// Counts connections (NAT sees the first packet of each only); `topo show` prints the counters. They are reset
        /// when anything in the node's `nat` or `firewall` changes, because its table is replaced as a whole. Example:
        /// `true`
        "counter" counter: Option<Loc<bool>>,
    }
    parts {
        /// Which packets it matches.
        matches: Matches,
    }
}

/// Whether translation is for what the node itself sends.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Local {
    /// `false`
    No,
    /// `true`: for it too.
    Too,
    /// `only`: for nothing else.
    Only,
}

impl Shape for Loc<Local> {
    fn read(yaml: &Yaml<'_>, reader: &mut Reader) -> Option<Self> {
        let value = if yaml.text() == "only" {
            Local::Only
        } else if Loc::<Switch>::read(yaml, reader)?.value.0 {
            Local::Too
        } else {
            Local::No
        };
        Some(Loc::new(value, yaml.place))
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "enum": [true, false, "only"] })
    }
}

/// `true` or `false`, where `only` could be written too.
struct Switch(bool);

impl Word for Switch {
    const TEXT: bool = false;
    const EXPECTED: &'static str = "true, false or only";

    fn parse(text: &str) -> Result<Self, Wrong> {
        bool::parse(text)
            .map(Self)
            .map_err(|wrong| Wrong { message: wrong.message.replace("true or false", Self::EXPECTED), ..wrong })
    }

    fn schema() -> Schema {
        bool::schema()
    }
}
