//! All rules over one wanted state.

pub(crate) use crate::document::lower::topology::Topology;

use super::rule::{Found, Rule};
use super::view::View;
use super::{
    address, below, cable, filter, hop, link, mtu, packet, policy, route, stacked, sysctl, translation, vlan, vxlan,
    wireguard, written,
};
use crate::document::{Document, Finding};

/// The rules by theme.
pub(crate) const THEMES: &[&[Rule]] = &[
    address::RULES,
    below::RULES,
    cable::RULES,
    filter::RULES,
    hop::RULES,
    link::RULES,
    mtu::RULES,
    packet::RULES,
    policy::RULES,
    route::RULES,
    stacked::RULES,
    sysctl::RULES,
    translation::RULES,
    vlan::RULES,
    vxlan::RULES,
    wireguard::RULES,
    written::RULES,
];

/// All findings of all rules, in the order of their places in the file; at most 5,000.
pub fn run(document: &Document, topology: &Topology) -> Vec<Finding> {
    let view = View::new(document, topology);
    let mut found = Found::default();
    for rule in THEMES.iter().copied().flatten() {
        rule(&view, &mut found);
    }
    let mut findings = topology.answers.unanswered(found.into_findings());
    findings.sort_by(|a, b| key(a).cmp(&key(b)));
    findings.dedup();
    document.expansion.named(findings)
}

/// What findings are sorted by: the main place first.
pub(crate) fn key(finding: &Finding) -> (usize, &'static str, &str) {
    (finding.labels.first().map_or(0, |label| label.offset), finding.code, &finding.message)
}
