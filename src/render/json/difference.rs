//! The fields that differ, as JSON.

use super::values::Values;
use crate::plan::change::Change;
use crate::render::words::impact_word;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// A field that differs.
#[derive(Debug, Serialize, JsonSchema)]
pub struct FieldView {
    /// What is there, as in `before`; null for nothing. Of `rules` and `lines`, a list of those that go.
    pub old: Value,
    /// What is wanted, as in `after`; null for nothing. Of `rules` and `lines`, a list of those that come.
    pub new: Value,
    /// What the change of this field takes: `in-place`, `flap` or `replace`.
    pub impact: &'static str,
}

/// The fields in which a change's two sides differ, each by its path in `before` and `after`.
pub fn fields(change: &Change, before: Option<&Values>, after: Option<&Values>) -> BTreeMap<String, FieldView> {
    let json =
        |values: Option<&Values>| values.and_then(|values| serde_json::to_value(values).ok()).unwrap_or_default();
    let (before, after) = (json(before), json(after));
    let mut fields = BTreeMap::new();
    for drift in &change.drift {
        let lines = match drift.field.as_str() {
            "rule" => Some("rules"),
            "line" => Some("lines"),
            _ => None,
        };
        if let Some(name) = lines {
            let field = fields.entry(name.to_owned()).or_insert_with(|| FieldView {
                old: Value::Array(Vec::new()),
                new: Value::Array(Vec::new()),
                impact: impact_word(drift.impact),
            });
            push(&mut field.old, &drift.old);
            push(&mut field.new, &drift.new);
            continue;
        }
        let path = path(&drift.field, &before, &after, |path| fields.contains_key(path));
        let side = |values: &Value, text: &str| at(values, &path).cloned().unwrap_or_else(|| word(text));
        let known = at(&before, &path).is_some() || at(&after, &path).is_some();
        let (old, new) = if known {
            (side(&before, &drift.old), side(&after, &drift.new))
        } else {
            (word(&drift.old), word(&drift.new))
        };
        fields.insert(path, FieldView { old, new, impact: impact_word(drift.impact) });
    }
    fields
}

/// Where the field of a difference stands in `before` and `after`: by itself, among the attributes of a kind or among
/// those of a port, which may be called alike, where it is not one that is `taken`. What has no place there keeps its
/// name, without blanks.
fn path(field: &str, before: &Value, after: &Value, taken: impl Fn(&str) -> bool) -> String {
    if field == "nexthop" {
        return "nexthops".to_owned();
    }
    if let Some(feature) = field.strip_prefix("offload ") {
        return format!("offload.{feature}");
    }
    let inner =
        [before, after].into_iter().filter_map(Value::as_object).flatten().filter(|(_, value)| value.is_object());
    let mut paths: Vec<String> = inner.map(|(key, _)| format!("{key}.{field}")).collect();
    paths.insert(0, field.to_owned());
    let differs = |path: &&String| at(before, path) != at(after, path) && !taken(path);
    paths.iter().find(differs).cloned().unwrap_or_else(|| field.replace(' ', "-"))
}

/// What stands at a path.
fn at<'a>(values: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(values, |value, key| value.get(key))
}

/// What has no field of its own is said in words; empty for nothing.
fn word(text: &str) -> Value {
    if text.is_empty() || text == "none" { Value::Null } else { Value::String(text.to_owned()) }
}

fn push(list: &mut Value, text: &str) {
    if let (Value::Array(list), false) = (list, text.is_empty()) {
        list.push(Value::String(text.to_owned()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::change::Action;
    use crate::resource::{Drift, Kind, Link, LinkId, Resource, Value as Attribute};

    #[test]
    fn attributes_that_are_called_alike_are_told_apart() {
        let link = |learning: bool, port: bool| {
            let mut link = Link::bare(LinkId::new("A", "vx0"), Kind::Vxlan);
            link.options.insert("learning".into(), Attribute::Bool(learning));
            link.port.insert("learning".into(), Attribute::Bool(port));
            Resource::Link(Box::new(link))
        };
        let fields_of = |before: Resource, after: Resource, drift: Vec<Drift>| {
            let (old, new) = (Values::from(&before), Values::from(&after));
            let change = Change {
                id: before.id(),
                action: Action::Update,
                before: Some(before),
                after: Some(after),
                drift,
                loses: Vec::new(),
                gone: Vec::new(),
            };
            fields(&change, Some(&old), Some(&new)).into_keys().collect::<Vec<_>>()
        };
        let drift = || Drift::in_place("learning", "true", "false");
        assert_eq!(fields_of(link(true, true), link(true, false), vec![drift()]), ["port.learning"]);
        assert_eq!(fields_of(link(true, true), link(false, true), vec![drift()]), ["vxlan.learning"]);
        let both = fields_of(link(true, true), link(false, false), vec![drift(), drift()]);
        assert_eq!(both, ["port.learning", "vxlan.learning"]);
        let marks = vec![Drift::in_place("mark", "none", "topo")];
        assert_eq!(fields_of(link(true, true), link(true, true), marks), ["mark"]);
    }
}
