//! Names for programs in a node: its own `resolv.conf` and `hosts`.

use crate::document::value::{HostName, ResolverWord};
use crate::document::yaml::define::record;
use crate::document::yaml::map::Map;
use crate::document::yaml::read::{Many, Reader, Shape};
use crate::document::yaml::tree::{Data, Yaml};
use crate::document::{Finding, Loc, Place};
use schemars::{Schema, SchemaGenerator, json_schema};
use std::net::IpAddr;

record! {
    /// Name resolution of a namespace: its own `resolv.conf` and `hosts`.
    Dns as "`dns`" {
        /// Name servers, in order. Example: `[10.0.0.53]`
        "nameservers" nameservers: Vec<Loc<IpAddr>>,
        /// Search domains. Example: `[lab.example]`
        "search" search: Vec<Loc<ResolverWord>>,
        /// Options of resolv.conf. Example: `["ndots:2"]`
        "options" options: Vec<Loc<ResolverWord>>,
        /// Hosts and their addresses; the file begins with localhost. `nodes` stands for the nodes of this file, each
        /// with its addresses in networks that both are in, or its first address where there are none; beside other
        /// names it is written `nodes: true`. Example: `nodes` Example: `{ web: 10.0.0.2, db: [10.0.0.3, "fd00::3"],
        /// nodes: true }`
        "hosts" hosts: Hosts,
    }
}

record! {
    /// Names for all namespaces that the file makes.
    CommonDns as "`dns`" {
        /// Hosts and their addresses, beside those that a node has in its own `dns`. With `nodes` each knows the nodes
        /// of this file by their names. Example: `nodes`
        "hosts" hosts: Hosts,
    }
}

/// Host names.
#[derive(Clone, Debug, Default)]
pub struct Hosts {
    /// Where it is said that the nodes of the file are among them.
    pub nodes: Option<Place>,
    /// Those with addresses.
    pub names: Map<HostName, Many<Loc<IpAddr>>>,
}

impl Hosts {
    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_none() && self.names.is_empty()
    }
}

/// What a name of the map stands for.
enum Entry {
    /// `true`: the nodes of the file.
    Nodes,
    /// Addresses.
    Addresses(Many<Loc<IpAddr>>),
}

impl Shape for Entry {
    fn read(yaml: &Yaml<'_>, reader: &mut Reader) -> Option<Self> {
        if matches!(yaml.data(), Data::Scalar(text, true) if *text == "true") {
            return Some(Self::Nodes);
        }
        Many::read(yaml, reader).map(Self::Addresses)
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        Many::<Loc<IpAddr>>::schema(generator)
    }
}

impl Shape for Hosts {
    fn read(yaml: &Yaml<'_>, reader: &mut Reader) -> Option<Self> {
        if matches!(yaml.data(), Data::Scalar(..)) && !yaml.is_null() {
            if yaml.text() == "nodes" {
                return Some(Self { nodes: Some(yaml.place), names: Map::new() });
            }
            let finding =
                Finding::error("wrong-type", yaml.place, format!("expected host names, found {}", yaml.described()));
            reader.note(finding.help("write `nodes` for the nodes of this file, or a map: { web: 10.0.0.2 }"));
            return None;
        }
        let mut hosts = Self::default();
        for (name, entry) in Map::<HostName, Entry>::read(yaml, reader)? {
            match entry {
                Entry::Addresses(addresses) => _ = hosts.names.insert(name, addresses),
                Entry::Nodes if name.0 == "nodes" => hosts.nodes = Some(name.place),
                Entry::Nodes => {
                    let finding = Finding::error(
                        "wrong-type",
                        name.place,
                        format!("expected the addresses of {}, found true", name.0),
                    );
                    reader.note(finding.help("only `nodes: true` stands for something: for the nodes of this file"));
                    return None;
                }
            }
        }
        Some(hosts)
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        let mut names = Map::<HostName, Entry>::schema(generator);
        names.insert(
            "properties".to_owned(),
            serde_json::json!({ "nodes": {
                "description": "`true`: the nodes of this file by their names; else the addresses of a host of that name.",
                "anyOf": [{ "const": true }, Entry::schema(generator)],
            } }),
        );
        json_schema!({ "anyOf": [{ "const": "nodes" }, names] })
    }

    fn absent() -> Option<Self> {
        Some(Self::default())
    }
}
