//! The forms that stand for many, in the schema: editors know them wherever the language does.

use super::words::is_list_of_names;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

type Object = Map<String, Value>;

/// Puts the forms into the schema of a file.
pub fn put(schema: &mut Value) {
    let Value::Object(root) = schema else { return };
    let mut items = BTreeSet::new();
    if let Some(Value::Object(definitions)) = root.get_mut("definitions") {
        definitions.values_mut().for_each(|definition| record(definition, &mut items));
    }
    if let Some(Value::Object(properties)) = root.get_mut("properties") {
        for (key, property) in properties.iter_mut() {
            if !matches!(key.as_str(), "name" | "prefix" | "include") {
                value(property, key, &mut items);
            }
        }
    }
    let Some(Value::Object(definitions)) = root.get_mut("definitions") else { return };
    for name in items {
        if let Some(Value::Object(definition)) = definitions.get_mut(&name) {
            repeatable(definition);
        }
    }
    definitions.insert("Formula".to_owned(), json!({
        "type": "string",
        "pattern": "\\{n[^{}]*\\}",
        "description": "Below a range: `{n}` is the number of the round, `{n1}`, `{n2}` those of several ranges from the outside in; with +, -, *, / and %, and `{n:02}` to pad with zeros.",
    }));
    definitions.insert("Sum".to_owned(), json!({
        "type": "string",
        "pattern": "[0-9A-Fa-f:.]\\+([0-9]+|\\{n[^{}]*\\})",
        "description": "BASE+OFFSET: an address, a prefix or a hardware address, and a decimal number that is added to it.",
    }));
    definitions.insert("Range".to_owned(), json!({
        "type": "string",
        "pattern": "\\[[0-9,-]*[0-9][0-9,-]*\\]|\\{n[^{}]*\\}|\\\\\\[",
        "description": "A name that stands for many: `client[1-20]`, `p[01-20]`, `leaf[1-4,7]`; `\\[` is a plain bracket.",
    }));
}

/// The properties of a map with fixed keys.
fn record(schema: &mut Value, items: &mut BTreeSet<String>) {
    let Value::Object(object) = schema else { return };
    let required: Vec<String> = object
        .get("required")
        .and_then(Value::as_array)
        .map(|keys| keys.iter().filter_map(|key| key.as_str().map(str::to_owned)).collect())
        .unwrap_or_default();
    if let Some(Value::Object(properties)) = object.get_mut("properties") {
        for (key, property) in properties.iter_mut() {
            value(property, key, items);
            if !required.contains(key) && !takes_null(property) {
                add(property, vec![json!({ "type": "null" })]);
            }
        }
    }
    rest(object, "", items);
}

/// The value of a key, or an item of a list.
fn value(schema: &mut Value, key: &str, items: &mut BTreeSet<String>) {
    let Value::Object(object) = &*schema else { return };
    if is_scalar(object) {
        let forms = forms(object, key);
        return add(schema, forms);
    }
    let Value::Object(object) = schema else { return };
    if object.contains_key("properties") {
        return record(schema, items);
    }
    let mut scalar: Option<Object> = None;
    if let Some(Value::Array(choices)) = object.get_mut("anyOf") {
        for choice in choices.iter_mut() {
            match choice {
                Value::Object(choice) if is_scalar(choice) => {
                    // Of several, the one with a pattern says which forms there are.
                    if scalar.is_none() || choice.contains_key("pattern") {
                        scalar = Some(choice.clone());
                    }
                }
                other => value(other, key, items),
            }
        }
        choices.extend(scalar.iter().flat_map(|scalar| forms(scalar, key)));
    }
    rest(object, key, items);
}

/// What is below a list or a map of names.
fn rest(object: &mut Object, key: &str, items: &mut BTreeSet<String>) {
    if let Some(names) = object.remove("propertyNames") {
        object.insert("propertyNames".to_owned(), json!({ "anyOf": [names, { "$ref": "#/definitions/Range" }] }));
    }
    if let Some(more @ Value::Object(_)) = object.get_mut("additionalProperties") {
        value(more, "", items);
    }
    if let Some(item) = object.get_mut("items") {
        references(item, items);
        value(item, key, items);
        if let Value::Object(item) = item
            && item.contains_key("properties")
        {
            repeatable(item);
        }
    }
}

/// The definitions that an item of a list may be.
fn references(item: &Value, items: &mut BTreeSet<String>) {
    let Value::Object(object) = item else { return };
    if let Some(name) = object.get("$ref").and_then(Value::as_str).and_then(|path| path.strip_prefix("#/definitions/"))
    {
        items.insert(name.to_owned());
    }
    for choice in ["anyOf", "allOf"].iter().filter_map(|key| object.get(*key)?.as_array()).flatten() {
        references(choice, items);
    }
}

/// A map that is an item of a list may be there `each` time.
fn repeatable(object: &mut Object) {
    let Some(Value::Object(properties)) = object.get_mut("properties") else { return };
    properties.insert("each".to_owned(), json!({
        "description": "How often this item is there: once for each number of a range, or for each word of a list; `\"{n}\"` in it is that number or word. Example: `1-16` Example: `[web, mail]`",
        "examples": ["1-16", ["web", "mail"]],
        "anyOf": [
            { "type": ["string", "integer"], "pattern": "^[0-9][0-9,-]*$" },
            { "type": "array", "items": { "type": ["string", "number"] }, "minItems": 1 },
        ],
    }));
    if let Some(most) = object.remove("maxProperties").and_then(|most| most.as_u64()) {
        object.insert("if".to_owned(), json!({ "required": ["each"] }));
        object.insert("then".to_owned(), json!({ "minProperties": most + 1, "maxProperties": most + 1 }));
        object.insert("else".to_owned(), json!({ "maxProperties": most }));
    }
}

/// What may stand in place of a scalar.
fn forms(scalar: &Object, key: &str) -> Vec<Value> {
    let address = scalar.get("pattern").and_then(Value::as_str).is_some_and(|pattern| pattern.contains("0-9A-Fa-f"));
    let mut forms = vec![json!({ "$ref": "#/definitions/Formula" })];
    if address {
        forms.push(json!({ "$ref": "#/definitions/Sum" }));
    }
    if is_list_of_names(key) {
        forms.push(json!({ "$ref": "#/definitions/Range" }));
    }
    forms
}

/// Adds choices to a schema; what describes it stays where it is.
fn add(schema: &mut Value, choices: Vec<Value>) {
    let Value::Object(object) = schema else { return };
    if let Some(Value::Array(there)) = object.get_mut("anyOf") {
        return there.extend(choices);
    }
    let mut outer = Object::new();
    for key in ["description", "examples"] {
        outer.extend(object.remove(key).map(|value| (key.to_owned(), value)));
    }
    let own = std::mem::take(object);
    outer.insert("anyOf".to_owned(), std::iter::once(Value::Object(own)).chain(choices).collect());
    *object = outer;
}

fn is_scalar(object: &Object) -> bool {
    let scalar = |word: &Value| matches!(word.as_str(), Some("string" | "number" | "integer" | "boolean"));
    match object.get("type") {
        Some(Value::Array(words)) => words.iter().all(scalar),
        Some(word) => scalar(word),
        None => object.contains_key("enum"),
    }
}

fn takes_null(schema: &Value) -> bool {
    schema.get("type").and_then(Value::as_array).is_some_and(|words| words.iter().any(|word| word == "null"))
}
