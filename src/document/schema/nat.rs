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
    /// A rule of address translation.
    NatRule as "a nat rule" {
        /// What leaves gets the address of the interface that it leaves by. Example:
        /// `{ source: 10.0.0.0/24, out: "!br0" }`
        "masquerade" Masquerade(Box<Masquerade>),
        /// What leaves gets this source. Example: `{ source: 10.0.0.0/24, out: eth0, to: 203.0.113.7 }`
        "snat" Snat(Box<Snat>),
        /// What comes in goes to this destination. Example: `{ protocol: tcp, port: 8080, to: "10.0.0.2:80" }`
        "dnat" Dnat(Box<Dnat>),
        /// What comes in goes to this node itself, at another port. Example: `{ protocol: tcp, port: 80, to: 8080 }`
        "redirect" Redirect(Box<Redirect>),
        /// One rule in nft's words, in the chain of what leaves. Example:
        /// `ip saddr 10.0.0.0/24 oifname "eth0" masquerade random`
        "nft" Nft(Loc<NftLine>),
    }
}

record! {
    /// What leaves gets the address of the interface that it leaves by.
    Masquerade as "`masquerade`" {
        /// Connections are counted, with the packets and bytes of the first packet of each, which is the only one that
        /// translation sees; `topo show` has the numbers. From 0 again when anything in the node's `nat` or `firewall`
        /// changes: its table is replaced as a whole. Example: `true`
        "counter" counter: Option<Loc<bool>>,
    }
    parts {
        /// What it is for.
        matches: Matches,
    }
}

record! {
    /// What leaves gets this source.
    Snat as "`snat`" {
        /// The source it gets: an address, a range, with a port or ports where one is meant. Example: `203.0.113.7`
        "to" to: Loc<TargetItem>,
        /// Connections are counted, with the packets and bytes of the first packet of each, which is the only one that
        /// translation sees; `topo show` has the numbers. From 0 again when anything in the node's `nat` or `firewall`
        /// changes: its table is replaced as a whole. Example: `true`
        "counter" counter: Option<Loc<bool>>,
    }
    parts {
        /// What it is for.
        matches: Matches,
    }
}

record! {
    /// What comes in goes to this destination.
    Dnat as "`dnat`" {
        /// Where it goes: an address, and a port where it is another. Example: `"10.0.0.2:80"`
        "to" to: Loc<TargetItem>,
        /// Whether it also is for connections that the node opens itself to one of its addresses (`true`), or for those
        /// alone (`only`). `true` also lets the target reach itself by the published address, unless `in` keeps its
        /// connections out: what comes from it, or from 127.0.0.1, and goes to it is masqueraded. Connections to
        /// 127.0.0.1 need `net.ipv4.conf.all.route_localnet: 1` in `sysctls` besides; IPv6 has no such setting.
        /// Example: `true`
        "local" local: Option<Loc<Local>>,
        /// Connections are counted, with the packets and bytes of the first packet of each, which is the only one that
        /// translation sees; `topo show` has the numbers. From 0 again when anything in the node's `nat` or `firewall`
        /// changes: its table is replaced as a whole. Example: `true`
        "counter" counter: Option<Loc<bool>>,
    }
    parts {
        /// What it is for.
        matches: Matches,
    }
}

record! {
    /// What comes in goes to this node itself, at another port.
    Redirect as "`redirect`" {
        /// The port or ports; the same one where none is written. Example: `8080`
        "to" to: Option<Loc<Ports>>,
        /// Whether it also is for connections that the node opens itself (`true`), or for those alone (`only`).
        /// Example: `true`
        "local" local: Option<Loc<Local>>,
        /// Connections are counted, with the packets and bytes of the first packet of each, which is the only one that
        /// translation sees; `topo show` has the numbers. From 0 again when anything in the node's `nat` or `firewall`
        /// changes: its table is replaced as a whole. Example: `true`
        "counter" counter: Option<Loc<bool>>,
    }
    parts {
        /// What it is for.
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
