//! Single values as JSON.

use crate::resource::{TableId, Value};
use schemars::JsonSchema;
use serde::Serialize;

/// A single value; null for nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Scalar {
    /// Nothing there.
    Null(()),
    /// On or off.
    Switch(bool),
    /// A number.
    Number(i64),
    /// Text.
    Text(String),
}

impl Scalar {
    /// A number where `text` is one, written as JSON would write it, else text.
    pub fn of(text: &str) -> Self {
        match text.parse::<i64>() {
            Ok(number) if number.to_string() == text => Self::Number(number),
            _ => Self::Text(text.to_owned()),
        }
    }
}

impl From<&Value> for Scalar {
    fn from(value: &Value) -> Self {
        match value {
            Value::Unset => Self::Null(()),
            Value::Bool(on) => Self::Switch(*on),
            Value::Number(number) => {
                i64::try_from(*number).map_or_else(|_| Self::Text(number.to_string()), Self::Number)
            }
            Value::Centis(_) | Value::Millis(_) | Value::Ip(_) | Value::Mac(_) | Value::Word(_) => {
                Self::Text(value.to_string())
            }
        }
    }
}

impl From<&TableId> for Scalar {
    fn from(table: &TableId) -> Self {
        Self::of(&table.to_string())
    }
}
