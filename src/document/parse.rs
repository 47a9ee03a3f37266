//! From text to a document, from a document to a topology, and the schema of both.

use super::expand::tree::{Expanded, expanded};
use super::lower::topology::Topology;
use super::schema::file::Document;
use super::yaml::finding::{Finding, in_order};
use super::yaml::names::Names;
use super::yaml::read::{Reader, Shape};
use super::yaml::source::Source;
use super::yaml::tree;
use crate::resource::probe::MAX_CHECKS;
use std::sync::Arc;

/// Reads a file: syntax, keys and single values, as many findings at once as can be.
///
/// # Errors
///
/// All that is wrong with it.
pub fn parse(source: &Source) -> Result<Document, Vec<Finding>> {
    read(source, Names::of)
}

/// The same, with nodes that are called as in the file, whatever its `prefix` is: to be compared with those of another
/// file.
///
/// # Errors
///
/// All that is wrong with it.
pub fn parse_without_prefix(source: &Source) -> Result<Document, Vec<Finding>> {
    read(source, |_| Names::default())
}

fn read(source: &Source, names: impl Fn(&tree::Yaml<'_>) -> Names) -> Result<Document, Vec<Finding>> {
    let Expanded { tree, expansion, mut findings, failed } = expanded(source);
    let Some(tree) = tree else { return Err(expansion.named(in_order(findings))) };
    let mut reader = Reader::new(names(&tree), Arc::clone(&expansion));
    let document = <Document as Shape>::read(&tree, &mut reader);
    let told = |finding: &Finding| finding.labels.first().is_some_and(|label| failed.contains(&(label.offset as u32)));
    findings.extend(reader.into_findings().into_iter().filter(|finding| !told(finding)));
    findings.extend(document.as_ref().and_then(too_large));
    match document {
        Some(document) if findings.is_empty() => Ok(document),
        _ => Err(expansion.named(in_order(findings))),
    }
}

/// What is too large to go on with: what a file costs is bounded.
pub(crate) fn too_large(document: &Document) -> Option<Finding> {
    let interfaces: usize =
        document.host.iter().chain(document.namespaces.values()).map(|section| section.interfaces.len()).sum();
    let counts = [
        (document.namespaces.len(), tree::MAX_NAMESPACES, "namespaces"),
        (interfaces, tree::MAX_INTERFACES, "interfaces"),
        (document.checks.len(), MAX_CHECKS, "checks"),
    ];
    let (count, most, what) = counts.into_iter().find(|(count, most, _)| count > most)?;
    Some(Finding::error(
        "too-many-values",
        document.name.place,
        format!("the topology has {count} {what}, more than {most}"),
    ))
}

/// Fills in what the file leaves out, resolves its names, and says what each resource shall be. Never fails: what
/// cannot be lowered is left out, with a finding.
pub fn lower(document: &Document, source: &Source) -> (Topology, Vec<Finding>) {
    super::lower::context::run(document, source)
}

/// The JSON schema (draft-07) of a file, made from the types that read it.
pub fn schema() -> serde_json::Value {
    let generator = schemars::generate::SchemaSettings::draft07().into_generator();
    let mut schema = generator.into_root_schema_for::<Document>().to_value();
    super::expand::schema::put(&mut schema);
    if let Some(object) = schema.as_object_mut() {
        object.insert("title".to_owned(), "topo: a network topology".into());
    }
    schema
}
