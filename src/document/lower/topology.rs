//! A lowered topology.

use super::answer::Answers;
use crate::document::yaml::source::Source;
use crate::resource::probe::Check;
use crate::resource::{Node, Origins, RawRules, State};

/// A lowered topology: a wanted state, and who asked for what.
#[derive(Clone, Debug)]
pub struct Topology {
    /// The wanted state; `state.topology` is its name.
    pub state: State,
    /// Who asked for each resource, where.
    pub origins: Origins,
    /// Where its rules in nft's words stand.
    pub raw: RawRules,
    /// The text it came from.
    pub source: Source,
    /// What is to be tried once it is there, in the order of the file.
    pub checks: Vec<Check>,
    /// The warnings that the file answers.
    pub answers: Answers,
    /// The nodes that names with ranges would be if they were plain names.
    pub literal: Vec<Node>,
}
