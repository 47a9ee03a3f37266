//! What a person wrote: typed YAML with places, and its lowering to a wanted state.

mod finding;
mod place;

pub use finding::{Finding, Label, Severity};
pub use place::{Lines, Loc, Place};

use crate::resource::{Name, Origin, Origins, State};
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
    /// What the file asks for and topo cannot make yet, where, and in words: `plan` and `apply` refuse it, `validate` does not.
    pub unsupported: Vec<(Origin, String)>,
}

/// A file, one to one.
#[derive(Clone, Debug)]
pub struct Document {
    /// The name of the topology.
    pub name: Loc<Name>,
}

/// Reads a file: syntax, keys and single values, as many findings at once as can be.
///
/// # Errors
///
/// All that is wrong with it.
pub fn parse(_source: &Source) -> Result<Document, Vec<Finding>> {
    Err(Vec::new())
}

/// Fills in what the file leaves out, resolves its names, and says what each resource shall be. Never fails: what cannot be lowered is left out, with a
/// finding.
pub fn lower(document: &Document, source: &Source) -> (Topology, Vec<Finding>) {
    let state = State::empty(document.name.value.clone());
    (Topology { state, origins: Origins::new(), source: source.clone(), unsupported: Vec::new() }, Vec::new())
}

/// The JSON schema (draft-07) of a file, made from the types that read it.
pub fn schema() -> serde_json::Value {
    serde_json::Value::Bool(true)
}
