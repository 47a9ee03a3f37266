//! Which namespaces cannot be deleted as a unit.

use crate::linux::snapshot::contents::Look;
use crate::linux::snapshot::ends::OtherEnds;
use crate::resource::{Node, Record, Resource};
use std::collections::{BTreeSet, HashMap};

/// Which of the namespaces of which no more than the links was read, and that are not `wanted` so, cannot go as a
/// whole: something in them is to be put back otherwise, or they have a pair with, or something that depends on a link
/// there, in a namespace of which more is read. `far` has the other ends.
pub fn not_whole(looks: &[Look], far: &OtherEnds, record: &Record, wanted: impl Fn(&Node) -> bool) -> BTreeSet<Node> {
    let spared = || looks.iter().filter(|look| look.inside.is_none() && !wanted(&look.node));
    let borrowed = record.moved.iter().map(|(now, _)| &now.node);
    let configured = record.prior.iter().filter_map(Resource::as_link).map(|prior| &prior.id.node);
    let others: BTreeSet<&Node> = borrowed.chain(configured).collect();
    let found = |look: &Look| {
        look.links.iter().all(|link| link.other_nsid.is_none() || far.contains_key(&(look.node.clone(), link.index)))
    };
    let mut whole: BTreeSet<&Node> =
        spared().filter(|look| !others.contains(&look.node) && found(look)).map(|look| &look.node).collect();
    if whole.is_empty() {
        return spared().map(|look| look.node.clone()).collect();
    }
    let mut beside: HashMap<&Node, Vec<&Node>> = HashMap::new();
    for ((node, _), other) in far {
        beside.entry(&other.node).or_default().push(node);
        beside.entry(node).or_default().push(&other.node);
    }
    let mut open: Vec<&Node> = looks.iter().map(|look| &look.node).filter(|node| !whole.contains(node)).collect();
    while let Some(node) = open.pop() {
        open.extend(beside.get(node).into_iter().flatten().copied().filter(|other| whole.remove(other)));
    }
    spared().map(|look| &look.node).filter(|node| !whole.contains(node)).cloned().collect()
}
