//! Good files and what they become, bad files and what is said of them.

mod bad;
mod good;
mod many;
mod schema;
mod speed;

use super::lower::topology::Topology;
use super::parse::{lower, parse};
use super::yaml::source::Source;
use super::{Document, Finding};

fn source(text: &str) -> Source {
    Source { name: "test.yaml".to_owned(), text: text.into() }
}

/// A file that has nothing wrong with it.
fn good(text: &str) -> (Document, Topology) {
    let source = source(text);
    let document = parse(&source).unwrap_or_else(|findings| panic!("{findings:#?}"));
    let (topology, findings) = lower(&document, &source);
    assert!(findings.is_empty(), "{findings:#?}");
    (document, topology)
}

/// All findings of a file.
fn findings(text: &str) -> Vec<Finding> {
    let source = source(text);
    match parse(&source) {
        Ok(document) => lower(&document, &source).1,
        Err(findings) => findings,
    }
}
