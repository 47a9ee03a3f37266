//! Values that are managed or left to the kernel.

use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

/// An attribute that is either managed, or left to the kernel and to the program that else sets it.
///
/// In an observed state every attribute that could be read is [`Setting::Is`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub enum Setting<T> {
    /// Not compared and not written.
    #[default]
    Left,
    /// Has, or shall have, this value.
    Is(T),
}

impl<T> Setting<T> {
    /// The value, where there is one.
    pub fn get(&self) -> Option<&T> {
        match self {
            Self::Left => None,
            Self::Is(value) => Some(value),
        }
    }

    /// The managed value, else that of `below`: what stands after an update to `self`.
    pub fn over(&self, below: &Self) -> Self
    where
        T: Clone,
    {
        match self {
            Self::Left => below.clone(),
            Self::Is(value) => Self::Is(value.clone()),
        }
    }
}

impl<T> From<Option<T>> for Setting<T> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Left, Self::Is)
    }
}

/// A hardware (MAC) address.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Mac(pub [u8; 6]);

impl Mac {
    /// Reads `02:00:00:00:00:01` (also with `-` between the bytes).
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; 6];
        let mut parts = text.split([':', '-']);
        for byte in &mut bytes {
            let part = parts.next()?;
            if part.len() > 2 || part.is_empty() || !part.bytes().all(|b| b.is_ascii_hexdigit()) {
                return None;
            }
            *byte = u8::from_str_radix(part, 16).ok()?;
        }
        parts.next().is_none().then_some(Self(bytes))
    }

    /// An address for what goes by this name, always the same; higher than nearly every other that is no group's, and
    /// no topology's by registration.
    pub fn high(name: &[u8]) -> Self {
        let back: Vec<u8> = name.iter().rev().copied().collect();
        let [a, b, c, d] = super::mark::hash(name).to_be_bytes();
        let [e, ..] = super::mark::hash(&back).to_be_bytes();
        Self([0xfe, a, b, c, d, e])
    }
}

impl TryFrom<String> for Mac {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text).ok_or_else(|| format!("{text:?} is not a MAC address"))
    }
}

impl From<Mac> for String {
    fn from(mac: Mac) -> Self {
        mac.to_string()
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

impl fmt::Debug for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The value of a kind's own attribute. See [`Options`].
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Value {
    /// On or off.
    Bool(bool),
    /// A number; what it counts is said by the attribute's specification.
    Number(u64),
    /// A duration in hundredths of a second, the kernel's `clock_t` (`USER_HZ` is 100 on every architecture that topo
    /// runs on).
    Centis(u64),
    /// A duration in thousandths of a second.
    Millis(u64),
    /// An address.
    Ip(IpAddr),
    /// A hardware address.
    Mac(Mac),
    /// A word, such as the mode of a macvlan.
    Word(Arc<str>),
    /// Nothing there: an address or number that is not set.
    Unset,
}

impl Value {
    /// A word.
    pub fn word(text: &str) -> Self {
        Self::Word(Arc::from(text))
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(value) => write!(f, "{value}"),
            Self::Number(value) => write!(f, "{value}"),
            Self::Centis(value) if value % 100 == 0 => write!(f, "{}s", value / 100),
            Self::Centis(value) => write!(f, "{}ms", u128::from(*value) * 10),
            Self::Millis(value) if value % 1000 == 0 => write!(f, "{}s", value / 1000),
            Self::Millis(value) => write!(f, "{value}ms"),
            Self::Ip(value) => write!(f, "{value}"),
            Self::Mac(value) => write!(f, "{value}"),
            Self::Word(value) => write!(f, "{value}"),
            Self::Unset => write!(f, "none"),
        }
    }
}

/// Attributes by the name they have in the language (`forward-delay`); one that is absent is left to the kernel.
pub type Options = BTreeMap<Cow<'static, str>, Value>;
