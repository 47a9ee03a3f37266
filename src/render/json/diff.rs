//! Differences of two topologies as JSON.

use super::plan::{ChangeView, Summary};
use crate::plan::change::Plan;
use crate::render::plan::{Counts, visible};
use schemars::JsonSchema;
use serde::Serialize;

/// Output of `topo diff --json`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct DiffView {
    /// The version of this format.
    pub format_version: u32,
    /// The first argument: a file, or the name of a topology.
    pub from: String,
    /// The second argument.
    pub to: String,
    /// Whether there is no difference.
    pub same: bool,
    /// How many resources are added, changed and destroyed on the way from the first to the second.
    pub summary: Summary,
    /// The changes, sorted by identity; `before` is the first of the two, `after` the second.
    pub changes: Vec<ChangeView>,
}

/// What makes the second of the first.
pub fn diff(format_version: u32, from: &str, to: &str, plan: &Plan) -> DiffView {
    DiffView {
        format_version,
        from: from.to_owned(),
        to: to.to_owned(),
        same: plan.changes.is_empty(),
        summary: Counts::of(plan).into(),
        changes: visible(plan).map(ChangeView::from).collect(),
    }
}
