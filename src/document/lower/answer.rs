//! Warnings that the file answers where they stand.

use crate::document::schema::allow::Allow;
use crate::document::schema::file::Document;
use crate::document::yaml::finding::{Finding, Severity};
use std::collections::HashMap;

/// Where a code is allowed: from one byte to another.
type Stretch = (usize, usize);

/// The warnings that a file answers, by their codes.
#[derive(Clone, Debug, Default)]
pub struct Answers {
    // Nodes do not overlap, nor do interfaces; one is in the other.
    nodes: HashMap<&'static str, Vec<Stretch>>,
    interfaces: HashMap<&'static str, Vec<Stretch>>,
}

impl Answers {
    /// Those of a file.
    pub fn of(document: &Document) -> Self {
        let mut answers = Self::default();
        let add = |stretches: &mut HashMap<&'static str, Vec<Stretch>>, from: u32, allow: &Allow| {
            for code in &allow.codes {
                stretches.entry(code.value.0).or_default().push((from as usize, allow.end as usize));
            }
        };
        let host = document.host.iter().map(|section| (section.place.offset, section));
        let nodes = document.namespaces.iter().map(|(name, section)| (name.place.offset, section));
        for (from, section) in host.chain(nodes) {
            add(&mut answers.nodes, from, &section.allow);
            for (name, interface) in &section.interfaces {
                add(&mut answers.interfaces, name.place.offset, &interface.allow);
            }
        }
        // What a default says stands where the default does.
        for section in &document.defaults.nodes {
            add(&mut answers.nodes, section.place.offset, &section.allow);
        }
        for interface in &document.defaults.interfaces {
            add(&mut answers.interfaces, interface.place.offset, &interface.allow);
        }
        let both = [&mut answers.nodes, &mut answers.interfaces];
        both.into_iter().flat_map(HashMap::values_mut).for_each(|stretches| stretches.sort_unstable());
        answers
    }

    /// Whether a warning with this code is answered where it stands, at this byte.
    pub fn has(&self, code: &str, at: usize) -> bool {
        let within = |stretches: &HashMap<&str, Vec<Stretch>>| {
            let Some(stretches) = stretches.get(code) else { return false };
            let before = stretches.partition_point(|(from, _)| *from <= at);
            before.checked_sub(1).and_then(|last| stretches.get(last)).is_some_and(|(_, end)| at < *end)
        };
        within(&self.nodes) || within(&self.interfaces)
    }

    /// The findings without the warnings that are answered.
    pub fn unanswered(&self, mut findings: Vec<Finding>) -> Vec<Finding> {
        let at = |finding: &Finding| finding.labels.first().map_or(0, |label| label.offset);
        findings.retain(|finding| finding.severity != Severity::Warning || !self.has(finding.code, at(finding)));
        findings
    }
}
