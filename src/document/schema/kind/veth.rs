//! veth pairs.

use crate::document::value::InterfaceRef;
use crate::document::yaml::define::record;
use crate::document::yaml::read::{Reader, Shape};
use crate::document::yaml::tree::{Data, Yaml};
use crate::document::yaml::word::Word;
use crate::document::{Finding, Loc};
use schemars::{Schema, SchemaGenerator, json_schema};

/// The peer of a veth pair.
#[derive(Clone, Debug)]
pub enum Veth {
    /// By name.
    Named(Loc<InterfaceRef>),
    /// Unnamed, as the port of a bridge.
    Plugged(VethBridge),
}

record! {
    /// An unnamed peer. It is called `vNODE-INTERFACE` after the other end, `vRED-eth0` for example, where that has at
    /// most 15 bytes and nothing in the file or on the machine has the name when it is first created, and else has a
    /// name derived from topology, node and interface. It keeps that name; `topo show` prints it.
    VethBridge as "`veth`" {
        /// The bridge whose port the peer is. Example: `host/br0`
        "bridge" bridge: Loc<InterfaceRef>,
    }
}

impl Shape for Veth {
    fn read(yaml: &Yaml<'_>, reader: &mut Reader) -> Option<Self> {
        match yaml.data() {
            Data::Map(pairs) if pairs.iter().any(|(key, _)| matches!(key.text(), "peer" | "to" | "node" | "name")) => {
                let peer = pairs
                    .iter()
                    .map(|(_, value)| value.text())
                    .find(|text| text.contains('/') && text.len() <= 60 && !text.contains(['\n', '"']));
                let finding = Finding::error(
                    "wrong-type",
                    yaml.place,
                    "expected the other end of the pair as NODE/INTERFACE, found a map",
                );
                reader.note(finding.help(format!("write `veth: {}`", peer.unwrap_or("NODE/INTERFACE"))));
                None
            }
            Data::Map(_) => VethBridge::read(yaml, reader).map(Self::Plugged),
            _ => Loc::read(yaml, reader).map(Self::Named),
        }
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [InterfaceRef::schema(), VethBridge::schema(generator)] })
    }
}
