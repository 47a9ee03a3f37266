//! What a person wrote: typed YAML with places, and its lowering to a wanted state.

pub mod schema;
pub mod yaml;
use self::yaml::tree;
mod lower;
#[cfg(test)]
mod tests;
pub mod value;

pub use self::schema::section::{Document, NodeSection};
pub use self::yaml::finding::{Finding, Label, Severity};
pub use self::yaml::place::{Lines, Loc, Place};
pub use self::yaml::word::Word;

use self::yaml::read::{Reader, Shape};
use crate::resource::probe::{Check, MAX_CHECKS};
use crate::resource::{Origins, RawRules, State};
use std::sync::Arc;

/// A file and its text.
#[derive(Clone, Debug)]
pub struct Source {
    /// The file as it was named, `-` for standard input.
    pub name: String,
    /// All of it.
    pub text: Arc<str>,
}

/// A lowered topology: a wanted state, and who asked for what.
#[derive(Clone, Debug)]
pub struct Topology {
    /// The wanted state; `state.topology` is its name.
    pub state: State,
    /// Who asked for each resource, where.
    pub origins: Origins,
    /// Where its rules in nft's words stand.
    pub raw: RawRules,
    /// The text it came from.
    pub source: Source,
    /// What is to be tried once it is there, in the order of the file.
    pub checks: Vec<Check>,
}

/// Reads a file: syntax, keys and single values, as many findings at once as can be.
///
/// # Errors
///
/// All that is wrong with it.
pub fn parse(source: &Source) -> Result<Document, Vec<Finding>> {
    let (tree, mut findings) = tree::read(&source.text);
    let Some(tree) = tree else { return Err(findings) };
    let mut reader = Reader::default();
    let document = <Document as Shape>::read(&tree, &mut reader);
    findings.append(&mut reader.findings);
    findings.extend(document.as_ref().and_then(too_large));
    match document {
        Some(document) if findings.is_empty() => Ok(document),
        _ => Err(in_order(findings)),
    }
}

/// What is too large to go on with: what a file costs is bounded.
fn too_large(document: &Document) -> Option<Finding> {
    let interfaces: usize = document.host.iter().chain(document.namespaces.values()).map(|section| section.interfaces.len()).sum();
    let counts = [
        (document.namespaces.len(), tree::MAX_NAMESPACES, "namespaces"),
        (interfaces, tree::MAX_INTERFACES, "interfaces"),
        (document.checks.len(), MAX_CHECKS, "checks"),
    ];
    let (count, most, what) = counts.into_iter().find(|(count, most, _)| count > most)?;
    Some(Finding::error("too-many-values", document.name.place, format!("the topology has {count} {what}, more than {most}")))
}

/// Findings in the order of the file, the same thing said once.
fn in_order(mut findings: Vec<Finding>) -> Vec<Finding> {
    let place = |finding: &Finding| finding.labels.first().map_or(0, |label| label.offset);
    findings.sort_by_key(place);
    findings.dedup();
    findings
}

/// Fills in what the file leaves out, resolves its names, and says what each resource shall be. Never fails: what cannot be lowered is left out, with a
/// finding.
pub fn lower(document: &Document, source: &Source) -> (Topology, Vec<Finding>) {
    lower::run(document, source)
}

/// The JSON schema (draft-07) of a file, made from the types that read it.
pub fn schema() -> serde_json::Value {
    let generator = schemars::generate::SchemaSettings::draft07().into_generator();
    let mut schema = generator.into_root_schema_for::<Document>().to_value();
    if let Some(object) = schema.as_object_mut() {
        object.insert("title".to_owned(), "topo: a network topology".into());
    }
    schema
}
