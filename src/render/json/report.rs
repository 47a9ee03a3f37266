//! What came of an apply or destroy, as JSON.

use super::plan::{ChangeView, ResourceView, Summary};
use crate::apply::Error;
use crate::apply::report::Report;
use crate::plan::change::{Action, Change, Plan};
use crate::render::plan::Counts;
use crate::render::tested::CheckView;
use crate::render::words::full_name;
use schemars::JsonSchema;
use serde::Serialize;

/// Output of `topo apply --json`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Reports {
    /// The version of this format.
    pub format_version: u32,
    /// One report per topology, in the order of the files.
    pub reports: Vec<ReportView>,
}

/// What came of the plan of one topology.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ReportView {
    /// The topology.
    pub topology: String,
    /// `done`, `nothing` (there was nothing to do), `failed`, `interrupted`, or `skipped` (not tried, because one
    /// before it failed).
    pub result: &'static str,
    /// How many resources the plan adds, changes and destroys.
    pub summary: Summary,
    /// How many steps were done.
    pub steps_done: usize,
    /// Whether what was done was undone; absent where nothing had to be.
    pub undone: Option<bool>,
    /// What failed.
    pub error: Option<ErrorView>,
    /// Why the undoing failed.
    pub undo_error: Option<ErrorView>,
    /// What did not stick: the changes that a plan made after the apply still has.
    pub leftover: Vec<ChangeView>,
    /// What came of the checks after the change (`--test`); empty without.
    pub checks: Vec<CheckView>,
    /// What a user should know.
    pub warnings: Vec<String>,
    /// It is undone after so many seconds unless it is confirmed; absent where it is done for good.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds_to_confirm: Option<u64>,
}

/// A failed request.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ErrorView {
    /// What was tried, in the words of `ip`, `nft` or `sysctl`.
    pub tried: String,
    /// What came back.
    pub reason: String,
    /// The errno, where there is one.
    pub errno: Option<i32>,
    /// What to do about it.
    pub help: Option<String>,
    /// The resource it was about.
    pub resource: Option<ResourceView>,
}

impl From<&Error> for ErrorView {
    fn from(error: &Error) -> Self {
        Self {
            tried: error.tried.clone(),
            reason: error.reason.clone(),
            errno: error.errno,
            help: error.help.clone(),
            resource: error.id.as_ref().map(ResourceView::from),
        }
    }
}

/// The report of one plan; no report for one that was not tried. `seconds_to_confirm` where it waits for confirmation.
pub fn report(plan: &Plan, report: Option<&Report>, seconds_to_confirm: Option<u64>) -> ReportView {
    let result = match report {
        None => "skipped",
        Some(report) if report.interrupted.is_some() => "interrupted",
        Some(report) if !report.is_success() => "failed",
        Some(_) if plan.is_empty() => "nothing",
        Some(_) => "done",
    };
    let undone = report.and_then(|report| report.undone.as_ref());
    ReportView {
        topology: plan.base.topology.to_string(),
        result,
        summary: Counts::of(plan).into(),
        steps_done: report.map_or(0, |report| report.done),
        undone: undone.map(Result::is_ok),
        error: report.and_then(|report| report.failure.as_ref()).map(ErrorView::from),
        undo_error: undone.and_then(|undone| undone.as_ref().err()).map(ErrorView::from),
        checks: Vec::new(),
        leftover: report.map(|report| report.leftover.iter().map(ChangeView::from).collect()).unwrap_or_default(),
        warnings: report.map(|report| report.warnings.clone()).unwrap_or_default(),
        seconds_to_confirm,
    }
}

/// What did not stick, in words.
pub fn leftover(change: &Change) -> String {
    let fields = change
        .drift
        .iter()
        .map(|drift| format!("{} is {:?}, wanted {:?}", drift.field, drift.old, drift.new))
        .collect::<Vec<_>>()
        .join("; ");
    let what = match change.action {
        Action::Create => "is not there",
        Action::Delete => "is still there",
        _ => "differs",
    };
    format!("{} {what}{}{fields}", full_name(&change.id), if fields.is_empty() { "" } else { ": " })
}
