//! Observed states as JSON.

use super::live::LiveView;
use super::plan::ResourceView;
use super::values::Values;
use crate::resource::{Item, Owner, ResourceId, State};
use schemars::JsonSchema;
use serde::Serialize;

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
    /// What its nodes have learned and counted, where that was asked for.
    #[serde(flatten)]
    pub live: LiveView,
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
    pub values: Values,
}

impl From<&State> for StateView {
    fn from(state: &State) -> Self {
        let view = |(id, item): (&ResourceId, &Item)| ObservedView {
            resource: id.into(),
            ours: item.owner == Owner::Ours,
            values: (&item.resource).into(),
        };
        Self {
            topology: state.topology.to_string(),
            resources: state.items.iter().map(view).collect(),
            live: LiveView::default(),
        }
    }
}
