//! Names of nodes.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// A node: a network namespace, or `host`, the one that topo is started in.
///
/// It is its name in `/run/netns`, by which two are the same or not. The file may leave the front of that name to its
/// key `prefix`; then people see the rest ([`Node::short`], which is what a node is displayed as), and the machine has
/// all of it ([`Node::as_str`]). A node under another prefix is another node.
#[derive(Clone)]
pub struct Node {
    name: Arc<str>,
    /// How many bytes of the name are the prefix.
    prefix: usize,
}

impl Node {
    /// The node that a file with this prefix calls `short`.
    pub fn new(prefix: &str, short: &str) -> Self {
        Self { name: format!("{prefix}{short}").into(), prefix: prefix.len() }
    }

    /// The namespace that topo is started in.
    pub fn host() -> Self {
        Self::from("host")
    }

    /// Whether this is the namespace that topo is started in.
    pub fn is_host(&self) -> bool {
        &*self.name == "host"
    }

    /// Its name in `/run/netns`.
    pub fn as_str(&self) -> &str {
        &self.name
    }

    /// Its name in the file.
    pub fn short(&self) -> &str {
        self.name.get(self.prefix..).unwrap_or(&self.name)
    }

    /// What the file puts before its name.
    pub fn prefix(&self) -> &str {
        self.name.get(..self.prefix).unwrap_or_default()
    }

    /// The node as one word that keeps its prefix: `PREFIX/NAME`, as no name has a slash, or its name where it has
    /// none.
    pub fn code(&self) -> Cow<'_, str> {
        match self.prefix() {
            "" => Cow::Borrowed(self.as_str()),
            prefix => Cow::Owned(format!("{prefix}/{}", self.short())),
        }
    }

    /// The node of such a word.
    pub fn of_code(code: &str) -> Self {
        match code.split_once('/') {
            Some((prefix, short)) if !prefix.is_empty() && !short.is_empty() => Self::new(prefix, short),
            _ => Self::from(code),
        }
    }

    /// Whether a user may call it so: by its name in the file, or by the one in `/run/netns`.
    pub fn is_called(&self, name: &str) -> bool {
        self.short() == name || self.as_str() == name
    }
}

impl From<&str> for Node {
    fn from(name: &str) -> Self {
        Self { name: Arc::from(name), prefix: 0 }
    }
}

impl From<String> for Node {
    fn from(name: String) -> Self {
        Self::from(name.as_str())
    }
}

impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Node {}

impl Hash for Node {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl Ord for Node {
    fn cmp(&self, other: &Self) -> Ordering {
        // Most that are compared are copies of one.
        if Arc::ptr_eq(&self.name, &other.name) { Ordering::Equal } else { self.name.cmp(&other.name) }
    }
}

impl PartialOrd for Node {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.short())
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.short(), f)
    }
}

impl PartialEq<str> for Node {
    fn eq(&self, other: &str) -> bool {
        &*self.name == other
    }
}

impl Serialize for Node {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.code())
    }
}

impl<'de> Deserialize<'de> for Node {
    /// From a record or a saved plan, which another program may have changed.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let node = Self::of_code(&text);
        if stays_in_its_folder(node.as_str()) {
            Ok(node)
        } else {
            Err(D::Error::custom(format_args!("{text:?} cannot be a name")))
        }
    }
}

/// Whether a file of this name is in the folder that it is looked for in: names of topologies and nodes are those of
/// folders and files, names of interfaces are in the paths of their settings.
pub(super) fn stays_in_its_folder(name: &str) -> bool {
    !matches!(name, "" | "." | "..") && !name.contains(['/', '\0'])
}
