//! `defaults` and `include`, as they are written: what they mean was put in its places before.

use super::interface::{Interface, KindKey};
use super::kind::{
    Bond, Bridge, Geneve, Gre, Ip6Tunnel, Ipvlan, Macvlan, NoOptions, Tun, Tunnel, VethBridge, Vlan, Vrf, Vxlan,
    Wireguard,
};
use super::section::NodeSection;
use crate::document::Finding;
use crate::document::expand::expansion::Expansion;
use crate::document::yaml::define::{object, property};
use crate::document::yaml::read::{Fields, Part, Reader, Shape};
use crate::document::yaml::tree::{Data, Yaml};
use crate::document::yaml::word::{Word, Wrong, pattern};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map as Json, Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;

/// What nodes and interfaces have that say nothing else.
#[derive(Clone, Debug, Default)]
pub struct Defaults {
    /// Of nodes.
    pub nodes: Vec<NodeSection>,
    /// Of interfaces.
    pub interfaces: Vec<Interface>,
}

/// A file that is included.
#[derive(Clone, Debug)]
pub struct IncludePath(pub String);

/// Keys of kinds, and what to do for each.
macro_rules! kinds {
    ($trait:ident $do:ident, $kind:expr $(, $argument:expr)*) => {
        match $kind {
            "bridge" => <Bridge as $trait>::$do($($argument),*),
            "veth" => <VethBridge as $trait>::$do($($argument),*),
            "vlan" => <Vlan as $trait>::$do($($argument),*),
            "vxlan" => <Vxlan as $trait>::$do($($argument),*),
            "macvlan" | "macvtap" => <Macvlan as $trait>::$do($($argument),*),
            "ipvlan" => <Ipvlan as $trait>::$do($($argument),*),
            "bond" => <Bond as $trait>::$do($($argument),*),
            "vrf" => <Vrf as $trait>::$do($($argument),*),
            "wireguard" => <Wireguard as $trait>::$do($($argument),*),
            "gre" | "gretap" => <Gre as $trait>::$do($($argument),*),
            "ipip" | "sit" => <Tunnel as $trait>::$do($($argument),*),
            "ip6tnl" => <Ip6Tunnel as $trait>::$do($($argument),*),
            "geneve" => <Geneve as $trait>::$do($($argument),*),
            "tun" | "tap" => <Tun as $trait>::$do($($argument),*),
            _ => <NoOptions as $trait>::$do($($argument),*),
        }
    };
}

/// The options of a kind.
pub fn options_of(kind: &str) -> Vec<&'static str> {
    let mut keys = Vec::new();
    kinds!(Part keys, kind, &mut keys);
    keys
}

/// The kinds that the file makes.
fn made() -> impl Iterator<Item = &'static str> {
    KindKey::KEYS.iter().copied().filter(|kind| *kind != "existing")
}

/// The keys that all interfaces have.
pub fn common() -> Vec<&'static str> {
    let mut keys = Vec::new();
    <Interface as Part>::keys(&mut keys);
    keys.retain(|key| !KindKey::KEYS.contains(key));
    keys
}

impl Shape for Defaults {
    fn read(yaml: &Yaml<'_>, reader: &mut Reader) -> Option<Self> {
        let keys: Vec<&str> = ["namespaces", "host", "interfaces"].into_iter().chain(made()).collect();
        let fields = Fields::of(yaml, &keys, "`defaults`", reader)?;
        let mut defaults = Self::default();
        for key in ["namespaces", "host"] {
            let Some(node) = fields.get(key) else { continue };
            if let Some((existing, _)) = node.pairs().iter().find(|(key, _)| key.text() == "existing") {
                let message = "`existing` is of one node, and no default";
                reader.note(Finding::error("misplaced-key", existing.place, message));
            }
            defaults.nodes.extend(NodeSection::read(node, reader));
        }
        let all = common();
        if let Some(interfaces) = fields.get("interfaces")
            && Fields::of(interfaces, &all, "`defaults.interfaces`", reader).is_some()
        {
            defaults.interfaces.extend(of_all(interfaces, &all, reader));
        }
        for kind in made() {
            let Some(interfaces) = fields.get(kind) else { continue };
            let options = options_of(kind);
            let keys: Vec<&str> = options.iter().chain(&all).copied().collect();
            let what = format!("`defaults.{kind}`");
            if Fields::of(interfaces, &keys, &what, reader).is_some() {
                let others: Vec<&str> = all.iter().copied().filter(|key| !options.contains(key)).collect();
                defaults.interfaces.extend(of_all(interfaces, &others, reader));
            }
        }
        Some(defaults)
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        let node = || "What nodes have that say nothing else. Example: `{ forwarding: true }`";
        let mut properties = Json::new();
        properties.insert("namespaces".to_owned(), property(NodeSection::schema(generator), &format!("{} Of `namespaces`, those that topo creates: maps are joined, lists and single values are replaced by what an entry says, and `KEY: null` in an entry takes a default away.", node())));
        properties.insert(
            "host".to_owned(),
            property(
                NodeSection::schema(generator),
                "What the host has, where the file says something of it. Example: `{ forwarding: true }`",
            ),
        );
        let mut all = Json::new();
        <Interface as Part>::properties(generator, &mut all, &mut Vec::new());
        all.retain(|key, _| !KindKey::KEYS.contains(&key.as_str()));
        // What a kind has under the name of a common key is its own.
        let own: Vec<&str> = made().flat_map(options_of).collect();
        let mut shared = all.clone();
        shared.retain(|key, _| !own.contains(&key.as_str()));
        let shared = json!({ "description": "Keys that all interfaces have.", "properties": shared });
        generator.definitions_mut().insert(SHARED.to_owned(), shared);
        let doc =
            "What interfaces have that the file makes: not `lo`, existing ones, and ends of pairs without an entry.";
        let schema = object(doc, all, Vec::new());
        properties.insert(
            "interfaces".to_owned(),
            property(schema, &format!("{doc} Example: `{{ ipv6: {{ dad: false }} }}`")),
        );
        properties.extend(made().map(|kind| (kind.to_owned(), of_kind(kind))));
        object("What nodes and interfaces have that say nothing else.", properties, Vec::new())
    }

    fn absent() -> Option<Self> {
        Some(Self::default())
    }
}

/// The definition of the keys that all interfaces have.
const SHARED: &str = "InterfaceDefaults";

/// The schema of the defaults of a kind: its options and the common keys stand elsewhere in the schema.
fn of_kind(kind: &str) -> Value {
    let options = options_of(kind);
    let definition = kinds!(JsonSchema schema_name, kind);
    let reference = |of: &str, key: &str| {
        let path = format!("#/definitions/{of}/properties/{key}");
        json!({ "description": format!("`{key}` where an interface says nothing else."), "allOf": [{ "$ref": path }] })
    };
    let mut properties: Json<String, Value> =
        options.iter().map(|key| ((*key).to_owned(), reference(&definition, key))).collect();
    let others = made().flat_map(options_of).filter(|key| common().contains(key) && !options.contains(key));
    properties.extend(others.map(|key| (key.to_owned(), reference("Interface", key))));
    let keys: BTreeSet<&str> = options.iter().copied().chain(common()).collect();
    json!({
        "description": format!("What interfaces of the kind `{kind}` have: options of the kind, and keys of all interfaces. It comes before `interfaces`."),
        "type": ["object", "null"],
        "properties": properties,
        "propertyNames": { "enum": keys },
        "allOf": [{ "$ref": format!("#/definitions/{SHARED}") }],
    })
}

/// Reads those of the keys that all interfaces have.
fn of_all(yaml: &Yaml<'_>, keys: &[&str], reader: &mut Reader) -> Option<Interface> {
    let pairs = yaml.pairs().iter().filter(|(key, _)| keys.contains(&key.text())).cloned().collect();
    Interface::read(&Yaml::made(Data::Map(pairs), yaml.place, yaml.end), reader)
}

impl Word for IncludePath {
    const EXPECTED: &'static str = "the path of a file";

    fn parse(text: &str) -> Result<Self, Wrong> {
        // Where it leads is judged before, for included files too.
        Ok(Self(text.to_owned()))
    }

    fn schema() -> Schema {
        pattern("^[^/]", &["base/uplink.yaml"])
    }
}

/// What ranges made is known before anything is read.
impl Part for Arc<Expansion> {
    fn keys(_: &mut Vec<&'static str>) {}

    fn read_part(_: &Fields<'_, '_>, reader: &mut Reader) -> Option<Self> {
        Some(Self::clone(&reader.expansion))
    }

    fn properties(_: &mut SchemaGenerator, _: &mut Json<String, Value>, _: &mut Vec<Value>) {}
}
