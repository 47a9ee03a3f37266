//! What is to be imported, and what came of it.

use crate::resource::{Key, Name, Node, State};
use std::collections::BTreeSet;

/// What is to be imported.
#[derive(Debug)]
pub struct Wish {
    /// The name of the topology.
    pub topology: Name,
    /// The nodes; all of them where none is named.
    pub nodes: Option<BTreeSet<Node>>,
    /// The folder that the file says its keys are in; `None` where none are written.
    pub keys: Option<String>,
}

/// A topology, made of what is there.
#[derive(Debug)]
pub struct Imported {
    /// What the file says.
    pub state: State,
    /// What it cannot say, a line each, with the node that it is about.
    pub remarks: Vec<(Node, String)>,
    /// The keys that the file names, by their files' names in the folder.
    pub keys: Vec<KeyFile>,
}

/// A key that the file names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeyFile {
    /// The name of its file in the folder.
    pub name: String,
    /// By what it is known.
    pub key: Key,
}
