//! What a plan is made of.

use crate::resource::{Drift, Operation, Resource, ResourceId, State};
use serde::{Deserialize, Serialize};

/// What would be done, in order, with nothing left to decide.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Plan {
    /// What is wanted.
    pub wanted: State,
    /// What was observed when the plan was made.
    pub base: State,
    /// The changes as a user sees them, sorted by identity.
    pub changes: Vec<Change>,
    /// The steps that carry them out, in an order in which they can be done one after the other.
    pub steps: Vec<Step>,
    /// What a user should know.
    pub warnings: Vec<String>,
}

/// What happens to one resource.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Change {
    /// Which resource.
    pub id: ResourceId,
    /// What happens.
    pub action: Action,
    /// As observed.
    pub before: Option<Resource>,
    /// As wanted.
    pub after: Option<Resource>,
    /// The fields that differ; empty for a create or delete.
    pub drift: Vec<Drift>,
    /// What the kernel takes away with it. This plan puts it back, but for what is in `gone`.
    pub loses: Vec<ResourceId>,
    /// What of that this plan does not put back: foreign objects that have no place any more.
    #[serde(default)]
    pub gone: Vec<ResourceId>,
}

/// What happens to a resource.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// `+`
    Create,
    /// `~`
    Update,
    /// `-/+`
    Replace,
    /// `-`
    Delete,
    /// `~`, a foreign link that goes to another namespace.
    Move,
}

/// One operation and when it is its turn.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Step {
    /// What is done.
    pub operation: Operation,
    /// Steps of one level can be done together; each waits for all steps of lower levels.
    pub level: usize,
    /// The change that it belongs to, by its place in [`Plan::changes`]; `None` for what the kernel takes away on the
    /// way and the plan puts back.
    pub change: Option<usize>,
}

/// Why there is no plan: something that is wanted belongs to another program or user, or is not there.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Conflict {
    /// The resource that is wanted.
    pub id: ResourceId,
    /// What is in the way, a sentence fragment.
    pub reason: String,
    /// What to do about it.
    pub help: Option<String>,
    /// Whether it is that something is not there which has to be.
    #[serde(default)]
    pub missing: bool,
}

impl Conflict {
    /// A conflict over `id`.
    pub fn new(id: ResourceId, reason: impl Into<String>, help: impl Into<String>) -> Self {
        Self { id, reason: reason.into(), help: Some(help.into()), missing: false }
    }

    /// A conflict over `id`, which is not there.
    pub fn missing(id: ResourceId, reason: impl Into<String>, help: impl Into<String>) -> Self {
        Self { missing: true, ..Self::new(id, reason, help) }
    }
}

impl Plan {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }
}
