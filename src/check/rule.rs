//! What a rule is, and what it finds.

use super::view::View;
use crate::document::Finding;
use crate::document::yaml::finding::Gathered;

/// A rule: what it finds goes to the end of the list.
pub(crate) type Rule = fn(&View<'_>, &mut Found);

/// The most findings that are kept: what a hostile file costs in memory is bounded by it, and nothing reads more.
pub(crate) const MOST: usize = 5_000;

/// What was found so far.
#[derive(Default)]
pub(crate) struct Found {
    gathered: Gathered,
}

impl Found {
    /// Keeps a finding, as long as there are not too many.
    pub(crate) fn push(&mut self, finding: Finding) {
        self.gathered.push(finding, MOST);
    }

    /// What was found.
    pub(crate) fn into_findings(self) -> Vec<Finding> {
        self.gathered.findings
    }
}
