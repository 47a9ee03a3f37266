//! What programs read: plans, reports, lists and states as JSON. The schemas in `schemas/` are made from these types.

use super::plan::{Counts, visible};
use super::tested::CheckView;
use super::words::{fields, full_name, impact, impact_word};
use crate::apply::Error;
use crate::apply::report::Report;
use crate::document::yaml::source::Source;
use crate::document::{Finding, Severity};
use crate::plan::change::{Action, Change, Plan};
use crate::resource::{Impact, Owner, Resource, ResourceId, State};
use schemars::JsonSchema;
use serde::Serialize;

/// Output of `topo plan --json`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Plans {
    /// The version of this format.
    pub format_version: u32,
    /// One plan per topology, in the order of the files.
    pub plans: Vec<PlanView>,
}

/// The plan of one topology.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PlanView {
    /// The topology.
    pub topology: String,
    /// How many resources are added, changed and destroyed.
    pub summary: Summary,
    /// The changes, sorted by identity. What comes and goes with a namespace by itself (`lo`, the kernel's policy
    /// rules) is not among them.
    pub changes: Vec<ChangeView>,
    /// What a user should know.
    pub warnings: Vec<String>,
}

/// How many resources are added, changed and destroyed; one that is re-created counts as both added and destroyed.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Summary {
    /// Created and re-created.
    pub add: usize,
    /// Changed and moved.
    pub change: usize,
    /// Deleted and re-created.
    pub destroy: usize,
}

/// What happens to one resource.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ChangeView {
    /// `create`, `update`, `replace`, `delete` or `move`.
    pub action: &'static str,
    /// Which resource.
    #[serde(flatten)]
    pub resource: ResourceView,
    /// What the change disturbs: `none` (a create or delete), `in-place`, `flap` (the link goes down and up) or
    /// `replace`.
    pub impact: &'static str,
    /// The fields that differ; empty for a create or delete.
    pub fields: Vec<FieldView>,
    /// All values as observed; none for a create.
    pub before: Vec<ValueView>,
    /// All managed values as wanted; none for a delete.
    pub after: Vec<ValueView>,
    /// What the kernel takes away with it; the plan puts it back, but for what is in `gone`.
    pub loses: Vec<ResourceView>,
    /// What of that the plan does not restore, because topo did not create it and it has no place any more; left out
    /// where there is none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gone: Vec<ResourceView>,
}

/// A resource's identity.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ResourceView {
    /// Its kind: `namespace`, `sysctl`, `link`, `qdisc`, `address`, `neighbor`, `fdb`, `peer`, `route`, `rule`,
    /// `nft table`, `nft insert`, `file`.
    pub kind: &'static str,
    /// The node it lives in.
    pub node: String,
    /// Its identity among those of its kind, node included.
    pub id: String,
}

/// A field that differs.
#[derive(Debug, Serialize, JsonSchema)]
pub struct FieldView {
    /// The field, by its name in the language where it has one.
    pub field: String,
    /// What is there; empty for nothing.
    pub old: String,
    /// What is wanted; empty for nothing.
    pub new: String,
    /// What the change of this field takes.
    pub impact: &'static str,
}

/// A field and its value.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ValueView {
    /// The field; several values of a list have the same.
    pub field: String,
    /// Its value.
    pub value: String,
}

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

/// Output of `topo validate --json`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Findings {
    /// The version of this format.
    pub format_version: u32,
    /// Whether no file has an error.
    pub valid: bool,
    /// All findings of all files.
    pub findings: Vec<FindingView>,
}

/// A finding.
#[derive(Debug, Serialize, JsonSchema)]
pub struct FindingView {
    /// The file, `-` for standard input.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// `error` or `warning`.
    pub severity: &'static str,
    /// The rule, a word that does not change.
    pub code: &'static str,
    /// What was found.
    pub message: String,
    /// How to write it right.
    pub help: Option<String>,
}

/// Output of `topo show --json`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct States {
    /// The version of this format.
    pub format_version: u32,
    /// The observed topologies.
    pub topologies: Vec<StateView>,
}

/// An observed topology.
#[derive(Debug, Serialize, JsonSchema)]
pub struct StateView {
    /// The topology.
    pub topology: String,
    /// Its resources, sorted by identity.
    pub resources: Vec<ObservedView>,
}

/// An observed resource.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ObservedView {
    /// Which resource.
    #[serde(flatten)]
    pub resource: ResourceView,
    /// Whether it is the topology's own.
    pub ours: bool,
    /// All values as observed.
    pub values: Vec<ValueView>,
}

impl From<Counts> for Summary {
    fn from(counts: Counts) -> Self {
        Self { add: counts.add, change: counts.change, destroy: counts.destroy }
    }
}

impl From<&ResourceId> for ResourceView {
    fn from(id: &ResourceId) -> Self {
        Self { kind: id.kind(), node: id.node().to_string(), id: id.to_string() }
    }
}

/// The word of an action.
pub fn action_word(action: Action) -> &'static str {
    match action {
        Action::Create => "create",
        Action::Update => "update",
        Action::Replace => "replace",
        Action::Delete => "delete",
        Action::Move => "move",
    }
}

fn values(resource: Option<&Resource>) -> Vec<ValueView> {
    let fields = resource.map(fields).unwrap_or_default();
    fields.into_iter().map(|(field, value)| ValueView { field, value }).collect()
}

impl From<&Change> for ChangeView {
    fn from(change: &Change) -> Self {
        let field = |drift: &crate::resource::Drift| FieldView {
            field: drift.field.clone(),
            old: drift.old.clone(),
            new: drift.new.clone(),
            impact: impact_word(drift.impact),
        };
        Self {
            action: action_word(change.action),
            resource: (&change.id).into(),
            impact: match change.action {
                Action::Create | Action::Delete => "none",
                Action::Replace => impact_word(Impact::Replace),
                Action::Move => impact_word(Impact::Flap),
                Action::Update => impact_word(impact(&change.drift)),
            },
            fields: change.drift.iter().map(field).collect(),
            before: values(change.before.as_ref()),
            after: values(change.after.as_ref()),
            loses: change.loses.iter().map(ResourceView::from).collect(),
            gone: change.gone.iter().map(ResourceView::from).collect(),
        }
    }
}

impl From<&Plan> for PlanView {
    fn from(plan: &Plan) -> Self {
        Self {
            topology: plan.base.topology.to_string(),
            summary: Counts::of(plan).into(),
            changes: visible(plan).map(ChangeView::from).collect(),
            warnings: plan.warnings.clone(),
        }
    }
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

/// A finding of a file.
pub fn finding(source: &Source, finding: &Finding) -> FindingView {
    let offset = finding.labels.first().map_or(0, |label| label.offset).min(source.text.len());
    let before = source.text.get(..offset).unwrap_or_default();
    FindingView {
        file: source.name.clone(),
        line: before.matches('\n').count() + 1,
        column: before.rsplit('\n').next().unwrap_or_default().chars().count() + 1,
        severity: match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        },
        code: finding.code,
        message: finding.message.clone(),
        help: finding.help.clone(),
    }
}

impl From<&State> for StateView {
    fn from(state: &State) -> Self {
        let view = |(id, item): (&ResourceId, &crate::resource::Item)| ObservedView {
            resource: id.into(),
            ours: item.owner == Owner::Ours,
            values: values(Some(&item.resource)),
        };
        Self { topology: state.topology.to_string(), resources: state.items.iter().map(view).collect() }
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
