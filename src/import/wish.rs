//! What is to be imported, and what came of it.

use crate::resource::{Adoption, Key, Name, Node, State};
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
    /// Whether what is there becomes the topology's where it stands: the file says all of it as it is, and nothing that
    /// is shared.
    pub adopts: bool,
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
    /// The tables whose place the file's take.
    pub adoption: Adoption,
}

/// A key that the file names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeyFile {
    /// The name of its file in the folder.
    pub name: String,
    /// By what it is known.
    pub key: Key,
}
