//! Names of topologies and interfaces.

use super::node::{Node, stays_in_its_folder};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, Serialize)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl<'de> Deserialize<'de> for $name {
            /// From a record or a saved plan, which another program may have changed.
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                if stays_in_its_folder(&text) { Ok(Self::from(text)) } else { Err(D::Error::custom(format_args!("{text:?} cannot be a name"))) }
            }
        }

        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl Ord for $name {
            fn cmp(&self, other: &Self) -> Ordering {
                // Most that are compared are copies of one.
                if Arc::ptr_eq(&self.0, &other.0) { Ordering::Equal } else { self.0.cmp(&other.0) }
            }
        }

        impl PartialOrd for $name {
            fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
                Some(self.cmp(other))
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(Arc::from(text))
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(Arc::from(text))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }

        impl PartialEq<str> for $name {
            fn eq(&self, other: &str) -> bool {
                &*self.0 == other
            }
        }
    };
}

name! {
    /// The name of a topology: `[A-Za-z0-9][A-Za-z0-9._-]{0,31}`.
    Name
}
name! {
    /// The name of an interface, at most 15 bytes (`IFNAMSIZ` of `include/uapi/linux/if.h`, less the NUL).
    IfName
}

/// An interface in a node, written `NODE/INTERFACE`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct LinkId {
    /// The node it lives in.
    pub node: Node,
    /// Its name there.
    pub name: IfName,
}

impl LinkId {
    /// The interface `name` of `node`.
    pub fn new(node: impl Into<Node>, name: impl Into<IfName>) -> Self {
        Self { node: node.into(), name: name.into() }
    }

    /// The same with the name of its namespace in `/run/netns`.
    pub fn full(&self) -> String {
        format!("{}/{}", self.node.as_str(), self.name)
    }
}

impl fmt::Display for LinkId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.node, self.name)
    }
}
