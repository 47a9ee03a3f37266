//! A file as it is when all is written out.

use super::expansion::Expansion;
use super::repeat::{Repeat, Repeated};
use super::{defaults, include, weigh};
use crate::document::Finding;
use crate::document::yaml::source::Source;
use crate::document::yaml::tree::{self, Yaml};
use std::collections::HashSet;
use std::sync::Arc;

/// A file without ranges, sums, includes and defaults. The keys `include` and `defaults` are still there, to be read.
pub struct Expanded<'a> {
    /// The tree; nothing where there is too little or too much to go on with.
    pub tree: Option<Yaml<'a>>,
    /// What its ranges made.
    pub expansion: Arc<Expansion>,
    /// What is wrong so far.
    pub findings: Vec<Finding>,
    /// Where the values begin of which all is said that is wrong.
    pub failed: HashSet<u32>,
}

/// Reads a file and writes out what is short in it.
pub fn expanded(source: &Source) -> Expanded<'_> {
    let (read, mut findings) = tree::read(&source.text);
    let stopped = |findings| Expanded { tree: None, expansion: Arc::default(), findings, failed: HashSet::new() };
    let Some(mut root) = read else { return stopped(findings) };
    findings.append(&mut include::join(source, &mut root));
    if let Some(finding) = weigh::too_much(&root) {
        findings.push(finding);
        return stopped(findings);
    }
    let Repeated { expansion, failed, findings: mut more } = Repeat::run(source, &mut root);
    findings.append(&mut more);
    let tree = match defaults::apply(&mut root) {
        Ok(()) => Some(root),
        Err(finding) => {
            findings.push(*finding);
            None
        }
    };
    Expanded { tree, expansion: Arc::new(expansion), findings, failed }
}
