//! Names that another program has.

use super::change::Conflict;
use crate::resource::{Foreign, LinkId, Namespace, Node, NodeTenure, Owner, Resource, ResourceId, State, Tenure};
use std::collections::{BTreeMap, BTreeSet};

/// How many namespaces are named besides the first.
const NAMED: usize = 4;

/// A name is taken.
pub(super) fn taken(id: &ResourceId, who: &Foreign, there: &Resource, wanted: &Resource) -> Option<Conflict> {
    // A namespace that is only configured is foreign by nature, and a setting has no owner.
    let shared = match wanted {
        Resource::Namespace(namespace) => namespace.tenure != NodeTenure::Created,
        Resource::Sysctl(_) => true,
        Resource::Rule(rule) => rule.kernel,
        Resource::Link(link) => link.tenure == Tenure::Existing,
        _ => false,
    };
    let what = match there {
        Resource::Link(link) => format!("{} {id}", link.kind.name()),
        Resource::Qdisc(qdisc) => format!("{} at the root of {id}", qdisc.work.kind()),
        Resource::Table(table) => format!("nft table inet topo-{} in {}", table.topology, table.node),
        other => format!("{} {id}", other.id().kind()),
    };
    let help = match id {
        ResourceId::Qdisc(LinkId { name, .. }) => format!("remove it first: tc qdisc delete dev {name} root"),
        _ => "choose another name, or remove it first".to_owned(),
    };
    (!shared).then(|| Conflict::new(id.clone(), format!("{} already exists and belongs to {who}", what.trim()), help))
}

/// The namespaces whose names are taken, one conflict for each who has some: what goes with them is not reported one by
/// one.
pub(super) fn namespaces(goal: &State, observed: &State) -> (BTreeSet<Node>, Vec<Conflict>) {
    let mut by_owner: BTreeMap<String, (&Foreign, Vec<&Node>)> = BTreeMap::new();
    for Namespace { node, tenure, .. } in goal.namespaces() {
        let there = observed.items.get(&ResourceId::Namespace(node.clone())).map(|item| &item.owner);
        if there.is_some_and(|owner| observed.may_adopt(owner)) {
            continue;
        }
        if let (NodeTenure::Created, Some(Owner::Theirs(who))) = (tenure, there) {
            by_owner.entry(who.to_string()).or_insert((who, Vec::new())).1.push(node);
        }
    }
    let conflicts = by_owner.values().filter_map(|(who, nodes)| {
        let (id, reason) = (ResourceId::Namespace((*nodes.first()?).clone()), reason(who, nodes));
        Some(Conflict::new(id, reason, help(goal, who, nodes)))
    });
    let conflicts = conflicts.collect();
    (by_owner.into_values().flat_map(|(_, nodes)| nodes).cloned().collect(), conflicts)
}

fn reason(who: &Foreign, nodes: &[&Node]) -> String {
    let first = nodes.first().map_or("", |node| node.as_str());
    let mut others: Vec<&str> = nodes.iter().skip(1).take(NAMED).map(|node| node.as_str()).collect();
    let more = format!("{} more", nodes.len().saturating_sub(1 + NAMED));
    others.extend((nodes.len() > 1 + NAMED).then_some(more.as_str()));
    let others = match others.as_slice() {
        [] => String::new(),
        [other] => format!(", and so does {other}"),
        [others @ .., last] => format!(", and so do {} and {last}", others.join(", ")),
    };
    format!("namespace {first} already exists and belongs to {who}{others}")
}

fn help(goal: &State, who: &Foreign, nodes: &[&Node]) -> String {
    let prefix = if nodes.iter().all(|node| node.prefix().is_empty()) {
        format!("give the namespaces of this file a prefix (`prefix: {}-`)", goal.topology)
    } else {
        "give the namespaces of this file another `prefix`".to_owned()
    };
    let name = nodes.first().map_or("", |node| node.as_str());
    match who {
        Foreign::Topology(other) => format!("{prefix}, or remove the other topology: topo destroy {other}"),
        _ => format!(
            "{prefix}, or configure it as an existing one (`existing: {{ netns: {name} }}`), or remove it: ip netns delete {name}"
        ),
    }
}
