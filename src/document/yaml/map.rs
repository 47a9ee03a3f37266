//! Maps of the language: keys in the order of the file.

use super::foreign;
use super::read::{Reader, Shape};
use super::tree::{Data, Yaml, quoted};
use crate::document::{Finding, Loc};
use indexmap::IndexMap;
use schemars::{Schema, SchemaGenerator, json_schema};

/// A map with names as keys, in the order of the file. Can be asked by text.
pub type Map<K, T> = IndexMap<Loc<K>, T>;

impl<K: crate::document::Word + Eq + std::hash::Hash, T: Shape> Shape for Map<K, T> {
    fn read(yaml: &Yaml<'_>, reader: &mut Reader) -> Option<Self> {
        let pairs = match yaml.data() {
            Data::Map(pairs) => pairs,
            _ if yaml.is_null() => return Some(Self::new()),
            _ => {
                let finding =
                    Finding::error("wrong-type", yaml.place, format!("expected a map, found {}", yaml.described()));
                reader.note(Finding { help: foreign::listed(yaml), ..finding });
                return None;
            }
        };
        let mut map = Self::with_capacity(pairs.len());
        let mut sound = true;
        for (key, value) in pairs {
            let name = K::parse(key.text()).map_err(|wrong| reader.note(wrong.at(key.place))).ok();
            match (name.map(|name| name.within(&reader.names)), T::read(value, reader)) {
                (Some(name), Some(value)) => {
                    // Two spellings can be one name, as `net.ipv4.x` and `net/ipv4/x` are.
                    let name = Loc::new(name, key.place);
                    if let Some((first, _)) = map.get_key_value(&name) {
                        let finding =
                            Finding::error("duplicate-key", key.place, format!("{} is here twice", quoted(key.text())));
                        reader.note(finding.also(first.place, "first here"));
                    }
                    map.insert(name, value);
                }
                _ => sound = false,
            }
        }
        sound.then_some(map)
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        let mut names = K::schema();
        names.insert("type".to_owned(), "string".into());
        json_schema!({ "type": ["object", "null"], "propertyNames": names, "additionalProperties": T::schema(generator) })
    }

    fn absent() -> Option<Self> {
        Some(Self::new())
    }
}
