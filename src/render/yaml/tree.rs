//! A little YAML, written: blocks outside, flow inside.

use crate::document::expand::range;
use crate::document::expand::words::is_list_of_names;
use crate::resource::Value;
use std::borrow::Cow;
use std::fmt::Write;

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub enum Yaml {
    /// Text, a number, a word: quoted where YAML would see more in it.
    Text(String),
    /// `true` or `false`; the same as text, a name say, is quoted.
    Switch(bool),
    /// Nothing: a key without a value.
    Nothing,
    /// A list.
    List(Vec<Yaml>),
    /// A map in this order.
    Map(Vec<(String, Yaml)>),
    /// A comment, in the place of an entry of a map that is written as a block.
    Remark(String),
}

impl Yaml {
    /// A scalar.
    pub fn of(value: &impl ToString) -> Self {
        Self::Text(value.to_string())
    }

    /// A value of an option.
    pub fn option(value: &Value) -> Self {
        if let Value::Bool(on) = value { Self::Switch(*on) } else { Self::of(value) }
    }

    /// An empty map.
    pub fn map() -> Self {
        Self::Map(Vec::new())
    }

    /// The map with a key more.
    #[must_use]
    pub fn with(mut self, key: &str, value: Self) -> Self {
        self.put(key, value);
        self
    }

    /// Puts a key into a map.
    pub fn put(&mut self, key: &str, value: Self) {
        if let Self::Map(entries) = self {
            entries.push((key.to_owned(), value));
        }
    }

    /// Puts a key before the others of a map.
    pub fn put_first(&mut self, key: &str, value: Self) {
        if let Self::Map(entries) = self {
            entries.insert(0, (key.to_owned(), value));
        }
    }

    /// Puts a key into a map, if there is a value.
    pub fn put_some(&mut self, key: &str, value: Option<&impl ToString>) {
        if let Some(value) = value {
            self.put(key, Self::of(value));
        }
    }

    /// Puts a list into a map, if it is not empty; one entry stands for itself.
    pub fn put_many(&mut self, key: &str, mut values: Vec<Self>) {
        match values.len() {
            0 => {}
            1 => self.put(key, values.remove(0)),
            _ => self.put(key, Self::List(values)),
        }
    }

    /// Puts a list into a map, if it is not empty.
    pub fn put_list(&mut self, key: &str, values: Vec<Self>) {
        if !values.is_empty() {
            self.put(key, Self::List(values));
        }
    }

    /// Puts a comment before the entries of a map.
    pub fn remark(&mut self, text: &str) {
        if let Self::Map(entries) = self {
            entries.insert(0, (String::new(), Self::Remark(text.to_owned())));
        }
    }

    /// The value of a key of a map.
    pub fn get(&self, key: &str) -> Option<&Self> {
        let Self::Map(entries) = self else { return None };
        entries.iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// The value of a key of a map, to change it.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Self> {
        let Self::Map(entries) = self else { return None };
        entries.iter_mut().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// Takes a key out of a map.
    pub fn remove(&mut self, key: &str) {
        if let Self::Map(entries) = self {
            entries.retain(|(name, _)| name != key);
        }
    }

    /// The keys of a map.
    pub fn keys(&self) -> Vec<&str> {
        let Self::Map(entries) = self else { return Vec::new() };
        entries.iter().map(|(name, _)| name.as_str()).collect()
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Text(_) | Self::Switch(_) | Self::Nothing | Self::Remark(_) => false,
            Self::List(values) => values.is_empty(),
            Self::Map(entries) => entries.is_empty(),
        }
    }

    /// Writes it as a block, indented by `depth` steps; maps become flow maps below `flow` levels.
    pub fn block(&self, out: &mut String, depth: usize, flow: usize) {
        let pad = "  ".repeat(depth);
        match self {
            Self::Map(entries) if flow > 0 && !entries.is_empty() => {
                for (key, value) in entries {
                    if let Self::Remark(text) = value {
                        let _ = writeln!(out, "{pad}{}", comment(text));
                        continue;
                    }
                    let _ = write!(out, "{pad}{}:", quoted(&escaped(key)));
                    // Rules are read one by one.
                    let rules = if key == "firewall" { 3 } else { 0 };
                    value.after_key(out, key, depth, rules.max(flow - 1));
                }
            }
            other => {
                out.push_str(&pad);
                other.flow(out, "");
                out.push('\n');
            }
        }
    }

    fn after_key(&self, out: &mut String, key: &str, depth: usize, flow: usize) {
        match self {
            Self::Nothing => out.push('\n'),
            Self::Map(entries) if flow > 0 && !entries.is_empty() => {
                out.push('\n');
                self.block(out, depth + 1, flow);
            }
            Self::List(values) if values.iter().any(|value| matches!(value, Self::Map(_))) && flow > 0 => {
                out.push('\n');
                let pad = "  ".repeat(depth + 1);
                for value in values {
                    let _ = write!(out, "{pad}- ");
                    value.flow(out, "");
                    out.push('\n');
                }
            }
            other => {
                out.push(' ');
                other.flow(out, key);
                out.push('\n');
            }
        }
    }

    /// Writes the value of a key in one line: in a list of names a bracket may mean a range.
    fn flow(&self, out: &mut String, key: &str) {
        match self {
            Self::Text(name) if is_list_of_names(key) => out.push_str(&quoted(&escaped(name))),
            Self::Text(text) => out.push_str(&quoted(text)),
            Self::Switch(on) => out.push_str(if *on { "true" } else { "false" }),
            Self::Nothing => out.push_str("null"),
            Self::Remark(_) => {}
            Self::List(values) => {
                out.push('[');
                for (nth, value) in values.iter().enumerate() {
                    out.push_str(if nth == 0 { "" } else { ", " });
                    value.flow(out, key);
                }
                out.push(']');
            }
            Self::Map(entries) if entries.is_empty() => out.push_str("{}"),
            Self::Map(entries) => {
                for (nth, (key, value)) in entries.iter().enumerate() {
                    out.push_str(if nth == 0 { "{ " } else { ", " });
                    out.push_str(&quoted(&escaped(key)));
                    out.push_str(": ");
                    value.flow(out, key);
                }
                out.push_str(" }");
            }
        }
    }
}

/// A name as it is written: its brackets are escaped where they would be a range, unless they are meant as one.
fn escaped(name: &str) -> Cow<'_, str> {
    name.strip_prefix(RANGE).map_or_else(|| range::escape(name), Cow::Borrowed)
}

/// What stands before a name whose brackets are a range.
pub const RANGE: char = '\u{1}';

/// The longest comment, in characters.
const LONGEST: usize = 500;

/// A comment of one line, whatever the text is: nothing in it ends the line, for no version of YAML, and nothing turns
/// the order of its letters around.
pub fn comment(text: &str) -> String {
    let breaks = |c: char| {
        c.is_control()
            || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let mut line = String::from("# ");
    for c in text.chars().take(LONGEST) {
        if breaks(c) { line.extend(c.escape_default()) } else { line.push(c) }
    }
    if text.chars().nth(LONGEST).is_some() {
        line.push_str(" ...");
    }
    line
}

/// Text as YAML takes it, and as a reader of YAML 1.1 takes it too.
fn quoted(text: &str) -> Cow<'_, str> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "./_-+".contains(c);
    let word = !text.is_empty()
        && text.chars().all(plain)
        && text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '/')
        && !text.ends_with('-');
    let odd = ["true", "false", "yes", "no", "on", "off", "y", "n", "null", "~"];
    if word && !odd.iter().any(|odd| odd.eq_ignore_ascii_case(text)) {
        return Cow::Borrowed(text);
    }
    // JSON's strings are YAML's double-quoted ones.
    Cow::Owned(serde_json::to_string(text).unwrap_or_default())
}
