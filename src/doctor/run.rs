//! All rules, one after the other.

use super::examined::Examined;
use super::finding::Finding;
use super::rules;

/// What every rule finds, the worst first.
pub fn run(examined: &Examined<'_>) -> Vec<Finding> {
    let mut found: Vec<Finding> = rules::ALL.iter().flat_map(|rule| rule(examined)).collect();
    found.sort_by_key(|finding| (finding.severity, finding.code));
    found
}
