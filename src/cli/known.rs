//! The names of topologies and nodes on this machine, for completions and for suggestions.

use crate::document::yaml::read::nearest;
use crate::linux::netns;
use crate::linux::store::record::Records;
use crate::resource::{Name, Node, Record};
use clap_complete::engine::{CompletionCandidate, PathCompleter, ValueCompleter};
use std::collections::BTreeSet;
use std::ffi::OsStr;

/// The names of all topologies that have a record; none where this user may not read them.
pub fn topologies() -> Vec<String> {
    Records::default().names().unwrap_or_default().iter().map(ToString::to_string).collect()
}

/// What `exec` takes: the nodes that topologies have, each with its topology's name too, and what is named in
/// `/run/netns`, which every user may read.
pub fn nodes() -> Vec<String> {
    let mut names: BTreeSet<String> = netns::names().unwrap_or_default().into_iter().collect();
    for (topology, record) in records() {
        for node in nodes_of(&record) {
            names.extend([node.to_string(), format!("{topology}/{node}")]);
        }
    }
    names.into_iter().collect()
}

/// The nodes of a topology, its own and others', without the host.
pub fn nodes_of(record: &Record) -> BTreeSet<Node> {
    record.namespaces.keys().chain(record.existing.keys()).filter(|node| !node.is_host()).cloned().collect()
}

/// The node that a topology has under a name: the one in the file, or the one in `/run/netns`.
pub fn node_of(record: &Record, name: &str) -> Option<Node> {
    let all = || record.namespaces.keys().chain(record.existing.keys());
    all().find(|node| node.short() == name).or_else(|| all().find(|node| node.as_str() == name)).cloned()
}

fn records() -> Vec<(Name, Record)> {
    let records = Records::default();
    let names = records.names().unwrap_or_default();
    names.into_iter().filter_map(|name| Some((name.clone(), records.load(&name).ok()?.record?))).collect()
}

/// `did you mean "RED"?`, where one of the names is like `word`.
pub fn suggestion(word: &str, names: &[String]) -> Option<String> {
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    nearest(word, &names).map(|name| format!("did you mean {name:?}?"))
}

/// `did you mean "lab"?`, where no topology here has this name and one has a name like it.
pub fn topology_instead_of(name: &Name) -> Option<String> {
    let here = topologies();
    if here.iter().any(|there| there == name.as_str()) { None } else { suggestion(name.as_str(), &here) }
}

/// What a shell completes to where a topology is wanted.
pub fn topology_candidates() -> Vec<CompletionCandidate> {
    topologies().into_iter().map(CompletionCandidate::new).collect()
}

/// What a shell completes to where a node is wanted.
pub fn node_candidates() -> Vec<CompletionCandidate> {
    nodes().into_iter().map(CompletionCandidate::new).collect()
}

/// What a shell completes to where a topology or a node is wanted.
pub fn any_candidates() -> Vec<CompletionCandidate> {
    topologies().into_iter().chain(nodes()).map(CompletionCandidate::new).collect()
}

/// What a shell completes `begun` to where a file or a topology is wanted.
pub fn file_or_topology(begun: &OsStr) -> Vec<CompletionCandidate> {
    let mut candidates: Vec<CompletionCandidate> = topologies()
        .into_iter()
        .filter(|name| name.starts_with(&*begun.to_string_lossy()))
        .map(CompletionCandidate::new)
        .collect();
    candidates.extend(PathCompleter::any().complete(begun));
    candidates
}
