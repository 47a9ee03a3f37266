//! What a person wrote: typed YAML with places, and its lowering to a wanted state.

use crate::resource::{Origins, State};
use std::sync::Arc;

/// A file and its text.
#[derive(Clone, Debug)]
pub struct Source {
    /// The file as it was named, `-` for standard input.
    pub name: String,
    /// All of it.
    pub text: Arc<str>,
}

/// A lowered topology: a wanted state, and who asked for what.
#[derive(Clone, Debug)]
pub struct Topology {
    /// The wanted state; `state.topology` is its name.
    pub state: State,
    /// Who asked for each resource, where.
    pub origins: Origins,
    /// The text it came from.
    pub source: Source,
}
