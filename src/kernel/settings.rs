//! The settings that a topology manages, without its file.

use super::{Error, Kernel};
use crate::resource::{Node, NodeTenure, Owner, Resource, State, Sysctl};
use std::collections::BTreeSet;

/// The state with the settings that the topology manages, which nothing can tell from others by looking: the record
/// knows them, and in a namespace of ours forwarding is always managed.
///
/// # Errors
///
/// If the machine cannot be observed ([`Kernel::observe`]).
pub fn with_settings(kernel: &mut dyn Kernel, mut state: State) -> Result<State, Error> {
    let mut which: BTreeSet<(Node, String)> = BTreeSet::new();
    for namespace in state.namespaces().filter(|namespace| namespace.tenure == NodeTenure::Created) {
        which.extend(Sysctl::FORWARDING.map(|key| (namespace.node.clone(), key.to_owned())));
    }
    let prior = state
        .record
        .prior
        .iter()
        .filter_map(|resource| if let Resource::Sysctl(sysctl) = resource { Some(sysctl) } else { None });
    which.extend(prior.chain(&state.record.wrote).map(|sysctl| (sysctl.node.clone(), sysctl.key.clone())));
    // One of a node that is gone has no value.
    which.retain(|(node, _)| node.is_host() || state.namespace(node).is_some());
    let which: Vec<(Node, String)> = which.into_iter().collect();
    let values = kernel.settings(&which)?;
    for ((node, key), value) in which.into_iter().zip(values) {
        if let Some(value) = value {
            state.insert(Resource::Sysctl(Sysctl::new(node, key, &value)), Owner::Ours);
        }
    }
    Ok(state)
}
