//! From the tree to typed values. The types of this room say once what they read and what their schema is.

use super::finding::Gathered;
use super::foreign;
use super::names::Names;
use super::tree::{Data, MAX_FINDINGS, Yaml, quoted};
use crate::document::expand::expansion::Expansion;
use crate::document::{Finding, Place};
use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::{Map as Json, Value};
use std::sync::Arc;

/// A type that is read from YAML.
pub trait Shape: Sized {
    /// Reads a value; `None` after a finding.
    fn read(yaml: &Yaml<'_>, reader: &mut Reader) -> Option<Self>;

    /// What the schema says of it.
    fn schema(generator: &mut SchemaGenerator) -> Schema;

    /// What stands for it where its key is not there; `None` makes the key a required one.
    fn absent() -> Option<Self> {
        None
    }

    /// The items of the list that was meant where `text` stands in place of a list of these.
    fn items(text: &str) -> String {
        text.to_owned()
    }
}

/// Keys that several maps share, or one of which has to be chosen.
pub trait Part: Sized {
    /// Its keys.
    fn keys(out: &mut Vec<&'static str>);

    /// Reads them; `None` after a finding.
    fn read_part(fields: &Fields<'_, '_>, reader: &mut Reader) -> Option<Self>;

    /// Adds them to the properties of a schema.
    fn properties(generator: &mut SchemaGenerator, properties: &mut Json<String, Value>, required: &mut Vec<Value>);
}

/// Collects what is wrong.
#[derive(Default)]
pub struct Reader {
    gathered: Gathered,
    /// What names of nodes mean.
    pub names: Names,
    /// What ranges made.
    pub expansion: Arc<Expansion>,
}

impl Reader {
    /// For a file whose nodes have these names, and whose ranges made this.
    pub fn new(names: Names, expansion: Arc<Expansion>) -> Self {
        Self { gathered: Gathered::default(), names, expansion }
    }

    /// Notes something. Nothing more is noted when there is too much already: a hostile file would make gigabytes of
    /// it.
    pub fn note(&mut self, finding: Finding) {
        self.gathered.push(finding, MAX_FINDINGS);
    }

    /// How much was found so far.
    pub fn count(&self) -> usize {
        self.gathered.findings.len()
    }

    /// What was found.
    pub fn into_findings(self) -> Vec<Finding> {
        self.gathered.findings
    }

    /// Notes that `yaml` is not `expected`.
    pub fn mismatch(&mut self, yaml: &Yaml<'_>, expected: &str) {
        self.note(Finding::error("wrong-type", yaml.place, format!("expected {expected}, found {}", yaml.described())));
    }
}

/// The pairs of a map.
pub struct Fields<'y, 'a> {
    pairs: &'y [(Yaml<'a>, Yaml<'a>)],
    /// The map.
    pub place: Place,
    /// Where all of it ends, in bytes.
    pub end: u32,
}

impl<'y, 'a> Fields<'y, 'a> {
    /// The pairs of `yaml`, which may be empty (`key:`); complains about unknown keys.
    pub fn of(yaml: &'y Yaml<'a>, keys: &[&str], what: &str, reader: &mut Reader) -> Option<Self> {
        let pairs: &[(Yaml<'a>, Yaml<'a>)] = match yaml.data() {
            Data::Map(pairs) => pairs,
            _ if yaml.is_null() => &[],
            _ => {
                let finding = Finding::error(
                    "wrong-type",
                    yaml.place,
                    format!("expected {what} as a map, found {}", yaml.described()),
                );
                reader.note(Finding { help: foreign::map(yaml, keys), ..finding });
                return None;
            }
        };
        for (key, _) in pairs {
            if !keys.contains(&key.text()) {
                reader.note(unknown(key, keys, what));
            }
        }
        Some(Self { pairs, place: yaml.place, end: yaml.end })
    }

    /// The value of `key`.
    pub fn get(&self, key: &str) -> Option<&'y Yaml<'a>> {
        self.pair(key).map(|(_, value)| value)
    }

    /// The key `key` and its value.
    pub fn pair(&self, key: &str) -> Option<&'y (Yaml<'a>, Yaml<'a>)> {
        self.pairs.iter().find(|(name, _)| name.text() == key)
    }

    /// The value of `key`, read.
    pub fn read<T: Shape>(&self, key: &str, reader: &mut Reader) -> Option<T> {
        match self.get(key) {
            Some(yaml) => T::read(yaml, reader),
            None => T::absent().or_else(|| {
                reader.note(Finding::error("missing-key", self.place, format!("the key {key:?} is missing here")));
                None
            }),
        }
    }
}

fn unknown(key: &Yaml<'_>, keys: &[&str], what: &str) -> Finding {
    let finding = Finding::error("unknown-key", key.place, format!("{what} has no key {}", quoted(key.text())));
    if let Some(help) = foreign::key(key.text(), keys) {
        return finding.help(help);
    }
    match nearest(key.text(), keys) {
        Some(right) => finding.help(format!("did you mean {right:?}?")),
        None if keys.is_empty() => finding.help("it has no keys at all: write {}"),
        None => finding.help(format!("the keys are {}", keys.join(", "))),
    }
}

/// The word that was probably meant.
pub fn nearest<'k>(word: &str, words: &[&'k str]) -> Option<&'k str> {
    let word: String = word.chars().take(40).collect::<String>().to_lowercase().replace('_', "-");
    let length = word.chars().count();
    let limit = (length / 3).max(1);
    let distance = |other: &str| strsim::damerau_levenshtein(&word, &other.to_lowercase());
    // Of two short words that share no letter neither was meant for the other.
    let near = |(distance, other): &(usize, &str)| {
        *distance == 0 || (*distance <= limit && *distance < length.min(other.chars().count()))
    };
    words
        .iter()
        .map(|other| (distance(other), *other))
        .filter(near)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, other)| other)
}

impl<T: Shape> Shape for Option<T> {
    fn read(yaml: &Yaml<'_>, reader: &mut Reader) -> Option<Self> {
        T::read(yaml, reader).map(Some)
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        T::schema(generator)
    }

    fn absent() -> Option<Self> {
        Some(None)
    }
}

impl<T: Shape> Shape for Box<T> {
    fn read(yaml: &Yaml<'_>, reader: &mut Reader) -> Option<Self> {
        T::read(yaml, reader).map(Self::new)
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        T::schema(generator)
    }

    fn absent() -> Option<Self> {
        T::absent().map(Self::new)
    }
}

/// A list; nothing (`routes:`) is an empty one.
impl<T: Shape> Shape for Vec<T> {
    fn read(yaml: &Yaml<'_>, reader: &mut Reader) -> Option<Self> {
        match yaml.data() {
            // All items are read before one that failed makes the whole fail: findings of all of them are wanted.
            Data::List(items) => {
                items.iter().map(|item| T::read(item, reader)).collect::<Vec<_>>().into_iter().collect()
            }
            _ if yaml.is_null() => Some(Self::new()),
            _ => {
                let finding =
                    Finding::error("wrong-type", yaml.place, format!("expected a list, found {}", yaml.described()));
                reader.note(match yaml.data() {
                    Data::Scalar(..) => finding.help(format!("put it in brackets: [{}]", T::items(yaml.text()))),
                    _ => Finding { help: foreign::mapped(yaml), ..finding },
                });
                None
            }
        }
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["array", "null"], "items": T::schema(generator) })
    }

    fn absent() -> Option<Self> {
        Some(Self::new())
    }
}

/// One value or a list of them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Many<T>(pub Vec<T>);

impl<T> Default for Many<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> std::ops::Deref for Many<T> {
    type Target = Vec<T>;

    fn deref(&self) -> &Vec<T> {
        &self.0
    }
}

impl<T: Shape> Shape for Many<T> {
    fn read(yaml: &Yaml<'_>, reader: &mut Reader) -> Option<Self> {
        match yaml.data() {
            Data::List(items) if items.is_empty() => {
                reader.note(
                    Finding::error("empty-list", yaml.place, "the list is empty")
                        .help("leave the key out where nothing is meant"),
                );
                None
            }
            Data::List(_) => Vec::read(yaml, reader).map(Self),
            _ => T::read(yaml, reader).map(|one| Self(vec![one])),
        }
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        let one = T::schema(generator);
        json_schema!({ "anyOf": [one, { "type": "array", "items": one, "minItems": 1 }] })
    }

    fn absent() -> Option<Self> {
        Some(Self::default())
    }
}
