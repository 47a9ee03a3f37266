//! Routing tables.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

/// A routing table.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum TableId {
    /// By number (254 is `main`, 255 `local`, 253 `default`).
    Number(u32),
    /// By a name of the machine's `rt_tables`, looked up by the kernel door before anything is compared.
    Name(Arc<str>),
}

impl TableId {
    /// The table that is meant where none is named.
    pub const MAIN: Self = Self::Number(254);
    /// The kernel's own, of local and broadcast addresses (`RT_TABLE_LOCAL`).
    pub const LOCAL: Self = Self::Number(255);
}

impl fmt::Display for TableId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(253) => write!(f, "default"),
            Self::Number(254) => write!(f, "main"),
            Self::Number(255) => write!(f, "local"),
            Self::Number(number) => write!(f, "{number}"),
            Self::Name(name) => write!(f, "{name}"),
        }
    }
}
