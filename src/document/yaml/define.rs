//! How the types of this room are defined: type, reading and schema from one place.

use super::tree::{Data, Yaml};
use crate::document::{Finding, Place};
use schemars::{Schema, json_schema};
use serde_json::{Map as Json, Value};

/// A property of a schema: what the type says, and the documentation of the field. What follows `Example:` in it is an
/// example.
pub fn property(schema: Schema, doc: &str) -> Value {
    let mut value = schema.to_value();
    if value.get("$ref").is_some() {
        // draft-07 ignores whatever stands beside a reference
        value = serde_json::json!({ "allOf": [value] });
    }
    if let Value::Object(object) = &mut value {
        let doc = paragraphs(doc);
        object.insert("description".to_owned(), doc.clone().into());
        let examples: Vec<Value> =
            doc.split("Example: `").skip(1).filter_map(|rest| example(rest.split('`').next()?)).collect();
        if !examples.is_empty() {
            object.insert("examples".to_owned(), examples.into());
        }
    }
    value
}

/// A doc comment without the line breaks of the source: only empty lines separate paragraphs.
pub fn paragraphs(doc: &str) -> String {
    let paragraphs = doc.trim().split("\n\n").map(|text| text.split_whitespace().collect::<Vec<_>>().join(" "));
    paragraphs.collect::<Vec<_>>().join("\n\n")
}

fn example(text: &str) -> Option<Value> {
    let (yaml, _) = super::tree::read(text);
    Some(json(&yaml?))
}

/// The value as any YAML 1.2 program would hand it to a schema.
pub fn json(yaml: &Yaml<'_>) -> Value {
    match yaml.data() {
        Data::List(items) => items.iter().map(json).collect(),
        Data::Map(pairs) => pairs.iter().map(|(key, value)| (key.text().to_owned(), json(value))).collect(),
        Data::Scalar(..) if yaml.is_null() => Value::Null,
        Data::Scalar(text, true) => match &**text {
            "true" | "True" | "TRUE" => true.into(),
            "false" | "False" | "FALSE" => false.into(),
            text => number(text).unwrap_or_else(|| text.into()),
        },
        Data::Scalar(text, _) => text.as_ref().into(),
        Data::Shared(inner) => json(inner),
    }
}

fn number(text: &str) -> Option<Value> {
    if let Some(hex) = text.strip_prefix("0x") {
        return u64::from_str_radix(hex, 16).ok().map(Value::from);
    }
    let digits = text.strip_prefix('-').unwrap_or(text);
    if !digits.starts_with(|c: char| c.is_ascii_digit())
        || !digits.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+' | b'-'))
    {
        return None;
    }
    text.parse::<i64>().map(Value::from).or_else(|_| text.parse::<f64>().map(Value::from)).ok()
}

/// Defines a map with fixed keys: the type, how it is read, and its schema, from one place.
macro_rules! record {
    (
        $(#[doc = $doc:literal])*
        $name:ident as $what:literal {
            $( $(#[doc = $field_doc:literal])* $key:literal $field:ident : $type:ty, )*
        }
        $( parts { $( $(#[doc = $part_doc:literal])* $part:ident : $part_type:ty, )* } )?
    ) => {
        $(#[doc = $doc])*
        #[derive(Clone, Debug)]
        pub struct $name {
            $( $(#[doc = $field_doc])* pub $field: $type, )*
            $($( $(#[doc = $part_doc])* pub $part: $part_type, )*)?
            /// Its first line.
            pub place: $crate::document::Place,
        }

        impl $crate::document::yaml::read::Part for $name {
            #[allow(unused_variables, reason = "some have no keys")]
            fn keys(out: &mut Vec<&'static str>) {
                $( out.push($key); )*
                $($( <$part_type as $crate::document::yaml::read::Part>::keys(out); )*)?
            }

            #[allow(unused_variables, reason = "some have no keys")]
            fn read_part(fields: &$crate::document::yaml::read::Fields<'_, '_>, reader: &mut $crate::document::yaml::read::Reader) -> Option<Self> {
                $( let $field = fields.read::<$type>($key, reader); )*
                $($( let $part = <$part_type as $crate::document::yaml::read::Part>::read_part(fields, reader); )*)?
                Some(Self { $( $field: $field?, )* $($( $part: $part?, )*)? place: fields.place })
            }

            #[allow(unused_variables, reason = "some have no keys")]
            fn properties(generator: &mut schemars::SchemaGenerator, properties: &mut serde_json::Map<String, serde_json::Value>, required: &mut Vec<serde_json::Value>) {
                $(
                    let schema = <$type as $crate::document::yaml::read::Shape>::schema(generator);
                    properties.insert($key.to_owned(), $crate::document::yaml::define::property(schema, concat!($($field_doc, "\n"),*)));
                    if <$type as $crate::document::yaml::read::Shape>::absent().is_none() {
                        required.push($key.into());
                    }
                )*
                $($( <$part_type as $crate::document::yaml::read::Part>::properties(generator, properties, required); )*)?
            }
        }

        $crate::document::yaml::define::map_shape!($name, $what, concat!($($doc, "\n"),*));
    };
}
pub(crate) use record;

/// Makes a type whose keys are known a shape of its own.
macro_rules! map_shape {
    ($name:ident, $what:literal, $doc:expr) => {
        impl $crate::document::yaml::read::Shape for $name {
            fn read(
                yaml: &$crate::document::yaml::tree::Yaml<'_>,
                reader: &mut $crate::document::yaml::read::Reader,
            ) -> Option<Self> {
                static KEYS: std::sync::LazyLock<Vec<&'static str>> = std::sync::LazyLock::new(|| {
                    let mut keys = Vec::new();
                    <$name as $crate::document::yaml::read::Part>::keys(&mut keys);
                    keys
                });
                let fields = $crate::document::yaml::read::Fields::of(yaml, &KEYS, $what, reader)?;
                <$name as $crate::document::yaml::read::Part>::read_part(&fields, reader)
            }

            fn schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                generator.subschema_for::<$name>()
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                let (mut properties, mut required) = (serde_json::Map::new(), Vec::new());
                <$name as $crate::document::yaml::read::Part>::properties(generator, &mut properties, &mut required);
                $crate::document::yaml::define::object($doc, properties, required)
            }
        }
    };
}
pub(crate) use map_shape;

/// The schema of a map with these keys and no others. One that needs no key may also be nothing (`key:`).
pub fn object(doc: &str, properties: Json<String, Value>, required: Vec<Value>) -> Schema {
    let empty = required.is_empty();
    let mut schema =
        json_schema!({ "description": paragraphs(doc), "properties": properties, "additionalProperties": false });
    schema.insert("type".to_owned(), if empty { serde_json::json!(["object", "null"]) } else { "object".into() });
    if !empty {
        schema.insert("required".to_owned(), required.into());
    }
    schema
}

/// Defines keys one of which is chosen. As a part (`Option<Loc<…>>`, at the place of the key) none need be there; as a
/// shape exactly one must.
macro_rules! choice {
    (
        $(#[doc = $doc:literal])*
        $name:ident as $what:literal {
            $( $(#[doc = $key_doc:literal])* $key:literal $variant:ident($type:ty), )*
        }
    ) => {
        $(#[doc = $doc])*
        #[derive(Clone, Debug)]
        pub enum $name {
            $( $(#[doc = $key_doc])* $variant($type), )*
        }

        impl $name {
            /// All keys that can be chosen.
            pub const KEYS: &'static [&'static str] = &[$($key),*];

            /// The key.
            pub fn key(&self) -> &'static str {
                match self {
                    $( Self::$variant(_) => $key, )*
                }
            }
        }

        impl $crate::document::yaml::read::Part for Option<$crate::document::Loc<$name>> {
            fn keys(out: &mut Vec<&'static str>) {
                out.extend_from_slice($name::KEYS);
            }

            fn read_part(fields: &$crate::document::yaml::read::Fields<'_, '_>, reader: &mut $crate::document::yaml::read::Reader) -> Option<Self> {
                let mut found: Option<($crate::document::Place, Option<$name>)> = None;
                $(
                    if let Some((key, yaml)) = fields.pair($key) {
                        let value = <$type as $crate::document::yaml::read::Shape>::read(yaml, reader).map($name::$variant);
                        match &found {
                            Some((first, _)) => reader.note($crate::document::yaml::define::several($what, $key, key.place, *first)),
                            None => found = Some((key.place, value)),
                        }
                    }
                )*
                match found {
                    None => Some(None),
                    Some((place, value)) => Some(Some($crate::document::Loc::new(value?, place))),
                }
            }

            fn properties(generator: &mut schemars::SchemaGenerator, properties: &mut serde_json::Map<String, serde_json::Value>, _: &mut Vec<serde_json::Value>) {
                $(
                    let schema = <$type as $crate::document::yaml::read::Shape>::schema(generator);
                    properties.insert($key.to_owned(), $crate::document::yaml::define::property(schema, concat!($($key_doc, "\n"),*)));
                )*
            }
        }

        impl $crate::document::yaml::read::Shape for $crate::document::Loc<$name> {
            fn read(yaml: &$crate::document::yaml::tree::Yaml<'_>, reader: &mut $crate::document::yaml::read::Reader) -> Option<Self> {
                let fields = $crate::document::yaml::read::Fields::of(yaml, $name::KEYS, $what, reader)?;
                let unread = reader.count();
                let chosen = <Option<$crate::document::Loc<$name>> as $crate::document::yaml::read::Part>::read_part(&fields, reader)?;
                if chosen.is_none() && reader.count() == unread {
                    let message = format!("{} needs one of {}", $what, $name::KEYS.join(", "));
                    reader.note($crate::document::Finding::error("missing-key", yaml.place, message));
                }
                chosen
            }

            fn schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                let (mut properties, mut required) = (serde_json::Map::new(), Vec::new());
                <Option<$crate::document::Loc<$name>> as $crate::document::yaml::read::Part>::properties(generator, &mut properties, &mut required);
                let mut schema = $crate::document::yaml::define::object(concat!($($doc, "\n"),*), properties, required);
                schema.insert("type".to_owned(), "object".into());
                schema.insert("minProperties".to_owned(), 1.into());
                schema.insert("maxProperties".to_owned(), 1.into());
                schema
            }
        }
    };
}
pub(crate) use choice;

/// Two keys of which one is too many.
pub fn several(what: &str, key: &str, place: Place, first: Place) -> Finding {
    Finding::error("several-kinds", place, format!("{what} has only one of these keys, and {key:?} is another"))
        .also(first, "this is the first")
}
