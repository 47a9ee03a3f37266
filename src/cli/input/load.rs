//! From files to sound topologies.

pub(crate) use crate::document::lower::topology::Topology;

use super::plan_file;
use crate::cli::console::{Console, origin};
use crate::cli::exit::Exit;
use crate::document::yaml::source::Source;
use crate::document::{Document, Finding, Label, Severity};
use crate::resource::{Item, NodeTenure, Owner, Resource, ResourceId, Tenure};
use crate::{check, document};
use std::collections::{BTreeMap, BTreeSet};

/// A file and all that was found in it.
#[derive(Debug)]
pub struct Loaded {
    /// The file.
    pub source: Source,
    /// The topology, where it could be read.
    pub topology: Option<Topology>,
    /// Errors and warnings.
    pub findings: Vec<Finding>,
}

impl Loaded {
    /// Whether nothing is to be done with it.
    pub fn is_bad(&self) -> bool {
        self.topology.is_none() || self.findings.iter().any(|finding| finding.severity == Severity::Error)
    }
}

/// Reads, lowers and checks every file.
pub fn all(sources: Vec<Source>) -> Vec<Loaded> {
    let mut loaded: Vec<Loaded> = sources.into_iter().map(one).collect();
    names(&mut loaded);
    collide(&mut loaded);
    loaded
}

/// Reads a file that is to be a topology.
///
/// # Errors
///
/// The findings of a file that is no topology.
pub fn parse(source: &Source) -> Result<Document, Vec<Finding>> {
    if plan_file::is_plan(source) {
        let finding = Finding::error("saved-plan", document::Place::new(0, 1), "this is a saved plan, not a topology");
        let name = crate::resource::quote(&source.name);
        return Err(vec![finding.help(format!("`topo apply {name}` carries it out"))]);
    }
    document::parse(source)
}

fn one(source: Source) -> Loaded {
    let document = match parse(&source) {
        Ok(document) => document,
        Err(findings) => return Loaded { source, topology: None, findings },
    };
    let (topology, mut findings) = document::lower(&document, &source);
    findings.extend(check::run(&document, &topology));
    findings.sort_by_key(|finding| finding.labels.first().map_or(0, |label| label.offset));
    findings.dedup();
    Loaded { source, topology: Some(topology), findings }
}

/// Two topologies of one name are an error in the second.
fn names(loaded: &mut [Loaded]) {
    let mut seen: BTreeMap<String, String> = BTreeMap::new();
    for file in loaded {
        let Some(topology) = &file.topology else { continue };
        let name = topology.state.topology.to_string();
        match seen.get(&name) {
            Some(first) => {
                let finding = Finding::error(
                    "same-name",
                    name_place(&file.source),
                    format!("the name {name:?} is already that of {first:?}"),
                );
                file.findings
                    .push(finding.help("give each topology a name of its own; all that topo makes is marked with it"));
            }
            None => {
                seen.insert(name, file.source.name.clone());
            }
        }
    }
}

/// Where the file says its name.
fn name_place(source: &Source) -> document::Place {
    let offset = if source.text.starts_with("name:") { 0 } else { source.text.find("\nname:").map_or(0, |at| at + 1) };
    document::Place::new(u32::try_from(offset).unwrap_or(0), 4)
}

/// The topologies of sound files; findings of all are reported, and any error ends it.
///
/// # Errors
///
/// If a file has an error, after all findings were printed.
pub fn sound(console: &mut Console, sources: Vec<Source>) -> Result<Vec<Topology>, Exit> {
    let loaded = all(sources);
    for file in &loaded {
        console.findings(&file.source, &file.findings);
    }
    if loaded.iter().any(Loaded::is_bad) {
        return Err(Exit::Data);
    }
    Ok(loaded.into_iter().filter_map(|file| file.topology).collect())
}

/// Topologies that want the same thing for themselves, or the same setting with other values, are an error in the
/// later one. What a file with errors wants is not known.
fn collide(loaded: &mut [Loaded]) {
    let mut found = Vec::new();
    let mut claims: BTreeMap<&ResourceId, (&Topology, &Item)> = BTreeMap::new();
    let mut told: BTreeSet<(&str, &str)> = BTreeSet::new();
    for (nth, file) in loaded.iter().enumerate() {
        let Some(topology) = file.topology.as_ref().filter(|_| !file.is_bad()) else { continue };
        for (id, item) in topology.state.items.iter().filter(|(_, item)| is_claim(item)) {
            let Some((first, other)) = claims.insert(id, (topology, item)) else { continue };
            // A namespace that two want is reported once, not for each thing in it.
            if clash(item, other)
                && (told.insert((first.state.topology.as_str(), id.node().as_str()))
                    || matches!(item.resource, Resource::Sysctl(_)))
            {
                found.push((nth, collision(id, first, topology)));
            }
        }
    }
    for (nth, finding) in found {
        if let Some(file) = loaded.get_mut(nth) {
            file.findings.push(finding);
        }
    }
}

fn collision(id: &ResourceId, first: &Topology, second: &Topology) -> Finding {
    let message = format!(
        "{} is wanted by two topologies, {:?} and {:?}",
        crate::render::words::full_name(id),
        first.state.topology,
        second.state.topology
    );
    let origin = origin(&second.origins, id);
    let (offset, length) = origin.map_or((0, 0), |origin| (origin.offset, origin.length));
    Finding {
        code: "collision",
        severity: Severity::Error,
        message,
        labels: vec![Label { offset, length, text: "asked for here".to_owned(), round: 0 }],
        more: 0,
        help: Some(
            "one thing can belong to one topology only: rename it in one of the files, or declare it there as existing"
                .to_owned(),
        ),
    }
}

/// Whether a topology wants this for itself. Tables and rules in foreign chains are each its own.
fn is_claim(item: &Item) -> bool {
    match &item.resource {
        Resource::Namespace(namespace) => namespace.tenure == NodeTenure::Created,
        Resource::Link(link) => item.owner == Owner::Ours || matches!(link.tenure, Tenure::From(_)),
        Resource::Table(_) | Resource::Insert(_) => false,
        _ => true,
    }
}

fn clash(one: &Item, other: &Item) -> bool {
    match (&one.resource, &other.resource) {
        (Resource::Sysctl(one), Resource::Sysctl(other)) => one.value != other.value,
        (Resource::Link(one), Resource::Link(other)) => {
            one.tenure != Tenure::Existing && other.tenure != Tenure::Existing
        }
        _ => true,
    }
}
