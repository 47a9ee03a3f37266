//! Warnings that the file answers where they stand.

use crate::document::schema::allow::Allow;
use crate::document::schema::section::Document;
use crate::document::yaml::finding::{Finding, Severity};
use std::collections::HashMap;

/// Where a code is allowed: from one byte to another.
type Stretch = (usize, usize);

/// The findings without the warnings that the file answers where they stand.
pub fn unanswered(document: &Document, findings: Vec<Finding>) -> Vec<Finding> {
    // Nodes do not overlap, nor do interfaces; one is in the other.
    let [mut nodes, mut interfaces]: [HashMap<&str, Vec<Stretch>>; 2] = Default::default();
    let add = |stretches: &mut HashMap<&str, Vec<Stretch>>, from: u32, allow: &Allow| {
        for code in &allow.codes {
            stretches.entry(code.value.0).or_default().push((from as usize, allow.end as usize));
        }
    };
    let host = document.host.iter().map(|section| (section.place.offset, section));
    for (from, section) in host.chain(document.namespaces.iter().map(|(name, section)| (name.place.offset, section))) {
        add(&mut nodes, from, &section.allow);
        for (name, interface) in &section.interfaces {
            add(&mut interfaces, name.place.offset, &interface.allow);
        }
    }
    for stretches in [&mut nodes, &mut interfaces].into_iter().flat_map(HashMap::values_mut) {
        stretches.sort_unstable();
    }
    let within = |stretches: &HashMap<&str, Vec<Stretch>>, finding: &Finding, at: usize| {
        let Some(stretches) = stretches.get(finding.code) else { return false };
        let before = stretches.partition_point(|(from, _)| *from <= at);
        before.checked_sub(1).and_then(|last| stretches.get(last)).is_some_and(|(_, end)| at < *end)
    };
    let answered = |finding: &Finding| {
        let at = finding.labels.first().map_or(0, |label| label.offset);
        finding.severity == Severity::Warning && (within(&nodes, finding, at) || within(&interfaces, finding, at))
    };
    findings.into_iter().filter(|finding| !answered(finding)).collect()
}
