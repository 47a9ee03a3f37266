//! The schema says what the program does.

use super::{findings, source};
use crate::document::parse::{parse, schema};
use crate::document::yaml::{define, tree};
use std::path::Path;

/// The committed schema is the one that the types give. `REWRITE=1 cargo test schema` writes it anew.
#[test]
fn the_committed_schema_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas/topology.schema.json");
    let text = format!("{}\n", serde_json::to_string_pretty(&schema()).unwrap());
    if std::env::var_os("REWRITE").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &text).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == text,
        "schemas/topology.schema.json is not what the types give: run REWRITE=1 cargo test schema"
    );
}

fn valid(validator: &jsonschema::Validator, text: &str) -> bool {
    let (yaml, _) = tree::read(text);
    yaml.is_some_and(|yaml| validator.is_valid(&define::json(&yaml)))
}

/// Every property has a description, and its examples are what the schema takes.
#[test]
fn every_key_is_described() {
    fn walk(value: &serde_json::Value, path: &str, root: &serde_json::Value) {
        match value {
            serde_json::Value::Object(object) => {
                if let Some(serde_json::Value::Object(properties)) = object.get("properties") {
                    for (key, property) in properties {
                        let described = property
                            .get("description")
                            .and_then(|text| text.as_str())
                            .is_some_and(|text| text.len() > 5);
                        assert!(described, "{path}.{key} has no description");
                        let mut own = property.clone();
                        own["definitions"] = root["definitions"].clone();
                        let validator = jsonschema::validator_for(&own).unwrap();
                        for example in property["examples"].as_array().into_iter().flatten() {
                            let errors: Vec<String> =
                                validator.iter_errors(example).map(|error| error.to_string()).collect();
                            assert!(errors.is_empty(), "{path}.{key}: {example}: {errors:?}");
                        }
                    }
                }
                object.iter().for_each(|(key, value)| walk(value, &format!("{path}/{key}"), root));
            }
            serde_json::Value::Array(items) => items.iter().for_each(|item| walk(item, path, root)),
            _ => {}
        }
    }
    let schema = schema();
    walk(&schema, "", &schema);
}

/// Files with everything that stands for many.
const MANY: [&str; 5] = [
    include_str!("../../../topologies/fat-tree.yaml"),
    include_str!("../../../topologies/leaf-spine.yaml"),
    include_str!("../../../topologies/vrfs.yaml"),
    include_str!("../../../topologies/vxlan.yaml"),
    "name: all
defaults:
  namespaces: { forwarding: true, interfaces: { lo: { addresses: [10.9.9.9/32] } } }
  host: { forwarding: ipv4 }
  interfaces: { mtu: 1400, ipv6: { dad: false } }
  bridge: { stp: true, port: { isolated: true }, mtu: 1500 }
  vxlan: { port: 4790, ttl: 3 }
host:
  interfaces:
    br0: { bridge: { ports: [\"p[1-3]\", a] }, mtu: null }
    a: { veth: \"a[x]/b\" }
namespaces:
  a[x]:
  c\\[1]:
  n[1-3]:
    sysctls: { net.ipv4.ip_default_ttl: \"{n+60}\" }
    interfaces:
      eth0: { veth: \"host/p{n}\", mac: \"02:00:00:00:00:00+{n}\", addresses: [\"10.0.0.0+{n}/24\", 10.1.0.0+7/24] }
      \"v[1-2]\": { vxlan: { id: \"{n1*8+n2}\", remote: 10.0.0.1+200 } }
    routes: [{ each: [5, 6], to: \"10.{n2}.0.0/16\", via: 10.0.0.1+99, metric: \"{n2}\" }]
    nat: [{ each: 1-2, masquerade: { source: \"10.{n2}.0.0/16\", out: [\"v[1-2]\"] } }]
    firewall: { input: { rules: [{ each: [22, 8000-8010], protocol: tcp, port: \"{n2}\", in: \"v[1-2]\", accept: {} }] } }
checks: [{ each: 2-3, ping: { from: n1, to: \"n{n}\" } }]
",
];

/// What the program takes, the schema takes too.
#[test]
fn good_files_are_valid() {
    for text in [super::good::RED_BLUE, super::good::EVERYTHING].iter().chain(&MANY).copied() {
        let validator = jsonschema::validator_for(&schema()).unwrap();
        let (yaml, _) = tree::read(text);
        let json = define::json(&yaml.unwrap());
        let errors: Vec<String> =
            validator.iter_errors(&json).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert!(errors.is_empty(), "{errors:#?}\n{text}");
        assert!(parse(&source(text)).is_ok(), "{:#?}", parse(&source(text)));
    }
}

/// What the schema refuses, the program refuses: each value of a good file in turn is replaced by things that do not
/// belong there.
#[test]
fn what_the_schema_refuses_the_program_refuses() {
    let strange = [
        "~",
        "{}",
        "[]",
        "true",
        "-1",
        "0",
        "99999999999",
        "1.5",
        "word",
        "\"\"",
        "\"7\"",
        "[1, a]",
        "{ a: 1 }",
        "0x20",
        "1e3",
        "15",
        "a/b",
        "10.0.0.1",
        "\"10.0.0.1/24\"",
    ];
    let (mut refused, mut tried) = (0, 0);
    let validator = jsonschema::validator_for(&schema()).unwrap();
    for text in [super::good::RED_BLUE, super::good::EVERYTHING] {
        let (yaml, _) = tree::read(text);
        let mut places = Vec::new();
        leaves(&yaml.unwrap(), &mut places);
        for place in places {
            let (start, end) = (place.offset as usize, (place.offset + place.length) as usize);
            for value in strange {
                let broken = format!("{}{value}{}", &text[..start], &text[end..]);
                tried += 1;
                // All of them take a minute in a debug build; a fifth that moves through all places and values does.
                if tried % 5 == 0 && !valid(&validator, &broken) {
                    refused += 1;
                    assert!(
                        !findings(&broken).is_empty(),
                        "the schema refuses {value} in place of {:?}, the program takes it",
                        &text[start..end]
                    );
                }
            }
        }
    }
    assert!(refused > 200, "{refused} of {tried}");
}

fn leaves(yaml: &tree::Yaml<'_>, places: &mut Vec<crate::document::Place>) {
    match yaml.data() {
        tree::Data::Scalar(..) => places.push(yaml.place),
        tree::Data::List(items) => items.iter().for_each(|item| leaves(item, places)),
        tree::Data::Map(pairs) => pairs.iter().for_each(|(key, value)| {
            places.push(key.place);
            leaves(value, places);
        }),
        tree::Data::Shared(inner) => leaves(inner, places),
    }
}
