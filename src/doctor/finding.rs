//! A finding.

use super::code::{Code, Severity};
use crate::flow::outcome::{By, Fix};
use crate::resource::{Node, Origin, ResourceId};

/// What to do about a finding.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Remedy {
    /// Keys for the file.
    Yaml {
        /// The node that they are for.
        node: Node,
        /// What they do, and the lines.
        fix: Fix,
    },
    /// Lines for a file of the machine.
    Write {
        /// What that does.
        what: String,
        /// The file.
        path: String,
        /// Its lines.
        lines: Vec<String>,
    },
    /// A command.
    Run {
        /// What it does.
        what: String,
        /// The command.
        command: String,
    },
}

/// What is wrong, or will be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// What it is about.
    pub code: Code,
    /// How bad it is.
    pub severity: Severity,
    /// The node that it is in, where it is in one.
    pub node: Option<Node>,
    /// The interface, where it concerns one.
    pub interface: Option<String>,
    /// What it is about in the file.
    pub about: Option<ResourceId>,
    /// The check that asks for it.
    pub origin: Option<Origin>,
    /// What is wrong, in a sentence without a full stop.
    pub what: String,
    /// Why, or what comes of it; sentences.
    pub why: String,
    /// What decides: a rule, a route, a setting.
    pub by: Option<By>,
    /// The flows that it stops, in words; at most some.
    pub flows: Vec<String>,
    /// How many it stops.
    pub stopped: usize,
    /// What to write or run.
    pub remedies: Vec<Remedy>,
}

impl Finding {
    /// A finding about nothing in particular.
    pub fn new(code: Code, severity: Severity, what: impl Into<String>, why: impl Into<String>) -> Self {
        Self {
            code,
            severity,
            node: None,
            interface: None,
            about: None,
            origin: None,
            what: what.into(),
            why: why.into(),
            by: None,
            flows: Vec::new(),
            stopped: 0,
            remedies: Vec::new(),
        }
    }

    /// In that node.
    #[must_use]
    pub fn at(mut self, node: &Node) -> Self {
        self.node = Some(node.clone());
        self
    }

    /// About that resource, which is in a node.
    #[must_use]
    pub fn about(mut self, id: ResourceId) -> Self {
        self.node = Some(id.node().clone());
        self.interface = id.link().map(|link| link.name.as_str().to_owned());
        self.about = Some(id);
        self
    }

    /// With what to do.
    #[must_use]
    pub fn remedy(mut self, remedy: Remedy) -> Self {
        self.remedies.push(remedy);
        self
    }

    /// With a command to run.
    #[must_use]
    pub fn run(self, what: impl Into<String>, command: impl Into<String>) -> Self {
        self.remedy(Remedy::Run { what: what.into(), command: command.into() })
    }

    /// With lines to write into a file of the machine.
    #[must_use]
    pub fn write<L: Into<String>>(self, what: &str, path: &str, lines: impl IntoIterator<Item = L>) -> Self {
        let lines = lines.into_iter().map(Into::into).collect();
        self.remedy(Remedy::Write { what: what.to_owned(), path: path.to_owned(), lines })
    }
}
