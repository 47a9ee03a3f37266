//! What a foreign interface loses for good when it moves to another namespace.

use crate::linux::snapshot::contents::Look;
use crate::resource::{Record, State, Tenure};

/// The root qdiscs of interfaces that are about to move, a line each: the kernel takes them away (`dev_shutdown`,
/// called by `__dev_change_net_namespace`), and what is in them (classes, filters) nothing keeps note of.
pub(crate) fn lost(wanted: &State, record: &Record, looks: &[Look]) -> Vec<String> {
    let moves = wanted.links().filter_map(|link| match &link.tenure {
        Tenure::From(source) if !record.moved.iter().any(|(_, from)| from == source) => Some(source),
        _ => None,
    });
    let told = moves.filter_map(|source| {
        let look = looks.iter().find(|look| look.node == source.node)?;
        let qdisc = look.links.iter().find(|seen| seen.name == source.name)?.qdisc.as_ref()?;
        Some(format!(
            "the qdisc {qdisc} on {source}, which topo did not create, is not restored: the kernel takes it away when an \
             interface moves to another namespace"
        ))
    });
    told.collect()
}
