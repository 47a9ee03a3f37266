//! Where in a file something was asked for.

use super::ResourceId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A place in a file.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Origin {
    /// The file as it was named, `-` for standard input.
    pub file: String,
    /// The path of keys (`namespaces.RED.interfaces.reth0`).
    pub path: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// Where it starts, in bytes.
    pub offset: usize,
    /// How long it is, in bytes.
    pub length: usize,
    /// In which round of a range it was made; 0 in none. Means nothing without the file.
    #[serde(skip)]
    pub round: u32,
}

/// Where each rule in nft's words stands, by the table or chain that it is in and its text.
pub type RawRules = BTreeMap<(ResourceId, String), Origin>;

/// Who asked for each resource.
pub type Origins = BTreeMap<ResourceId, Origin>;
