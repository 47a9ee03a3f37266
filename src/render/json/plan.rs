//! Plans as JSON.

use super::difference::{FieldView, fields};
use super::values::Values;
use crate::plan::change::{Action, Change, Plan};
use crate::render::plan::{Counts, visible};
use crate::render::words::{impact, impact_word};
use crate::resource::{Impact, ResourceId};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

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
    /// The fields that differ, each by its path in `before` and `after` (`mtu`, `port.cost`); empty for a create or
    /// delete. What has no place there is given in words: `mark`, `lifetime`, `state` and so on.
    pub fields: BTreeMap<String, FieldView>,
    /// All values as observed; null for a create.
    pub before: Option<Values>,
    /// All managed values as wanted; null for a delete.
    pub after: Option<Values>,
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

impl From<&Change> for ChangeView {
    fn from(change: &Change) -> Self {
        let before = change.before.as_ref().map(Values::from);
        let after = change.after.as_ref().map(Values::from);
        Self {
            action: action_word(change.action),
            resource: (&change.id).into(),
            impact: match change.action {
                Action::Create | Action::Delete => "none",
                Action::Replace => impact_word(Impact::Replace),
                Action::Move => impact_word(Impact::Flap),
                Action::Update => impact_word(impact(&change.drift)),
            },
            fields: fields(change, before.as_ref(), after.as_ref()),
            before,
            after,
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
