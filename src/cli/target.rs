//! The topology that a command is about.

pub(crate) use crate::document::lower::topology::Topology;

use super::console::Asked;
use crate::document::lower::answer::Answers;
use crate::document::yaml::source::Source;
use crate::history::last::Last;
use crate::resource::probe::Check;
use crate::resource::{Name, Node, Origins, RawRules, State};

/// A topology as it is wanted, and where that is written.
#[derive(Debug)]
pub struct Case {
    /// What is wanted; nothing for a destroy.
    pub wanted: State,
    /// The file.
    pub source: Option<Source>,
    /// Who asked for what.
    pub origins: Origins,
    /// Where rules in nft's words stand.
    pub raw: RawRules,
    /// What is to be tried once it is there.
    pub checks: Vec<Check>,
    /// The warnings that the file answers.
    pub answers: Answers,
    /// The nodes that names with ranges in the file would be if they were plain names.
    pub literal: Vec<Node>,
    /// Whether it is what there was before an apply that was undone, and is gone back to.
    pub back: bool,
}

impl Case {
    /// What a file wants.
    pub fn of(topology: Topology) -> Self {
        Self {
            wanted: topology.state,
            source: Some(topology.source),
            origins: topology.origins,
            raw: topology.raw,
            checks: topology.checks,
            answers: topology.answers,
            literal: topology.literal,
            back: false,
        }
    }

    /// A topology of which nothing is wanted.
    pub fn nothing(name: Name) -> Self {
        Self {
            wanted: State::empty(name),
            source: None,
            origins: Origins::new(),
            raw: RawRules::new(),
            checks: Vec::new(),
            answers: Answers::default(),
            literal: Vec::new(),
            back: false,
        }
    }

    /// A topology as it was last wanted.
    pub fn last(last: Last<'_>) -> Self {
        let nothing = Self::nothing(last.state.topology.clone());
        Self { wanted: last.state.into_owned(), back: last.back, ..nothing }
    }

    /// What is known of the file.
    pub fn asked(&self) -> Asked<'_> {
        Asked { source: self.source.as_ref(), origins: &self.origins, raw: &self.raw }
    }
}
