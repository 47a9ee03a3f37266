//! What a foreign interface loses for good when it moves to another namespace.

use crate::linux::snapshot::contents::Look;
use crate::resource::{IfName, Link, LinkId, Node, Record, State};
use std::collections::BTreeSet;

/// The root qdiscs of interfaces that are about to move, a line each: the kernel takes them away (`dev_shutdown`,
/// called by `__dev_change_net_namespace`), and what is in them (classes, filters) nothing keeps note of.
pub(crate) fn lost(wanted: &State, record: &Record, looks: &[Look]) -> Vec<String> {
    let moved: BTreeSet<&LinkId> = record.moved.iter().map(|(_, source)| source).collect();
    let moves: BTreeSet<(&Node, &IfName)> = wanted
        .links()
        .filter_map(Link::source)
        .filter(|source| !moved.contains(source))
        .map(|source| (&source.node, &source.name))
        .collect();
    let links = looks.iter().flat_map(|look| look.links.iter().map(move |seen| (&look.node, seen)));
    let lost = links.filter(|(node, seen)| seen.qdisc.is_some() && moves.contains(&(*node, &seen.name)));
    lost.filter_map(|(node, seen)| {
        let (source, qdisc) = (LinkId { node: node.clone(), name: seen.name.clone() }, seen.qdisc.as_ref()?);
        Some(format!(
            "the qdisc {qdisc} on {source}, which topo did not create, is not restored: the kernel takes it away when an \
             interface moves to another namespace"
        ))
    })
    .collect()
}
