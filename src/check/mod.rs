//! Rules over a wanted state: what no single value shows, because it takes several to be wrong.
//!
//! A rule is a function that looks at a [`View`] and adds findings. Themes are files. To add a rule: write it, name it in its theme's list, and put a
//! file that breaks it into `tests/bad/`.

mod address;
mod below;
mod filter;
mod link;
mod mtu;
mod packet;
mod packets;
mod policy;
mod route;
mod segment;
mod stacked;
mod sysctl;
mod view;
mod vlan;
mod vxlan;
mod wireguard;
mod written;

use crate::document::{Document, Finding, Topology};
use view::View;

/// A rule: what it finds goes to the end of the list.
type Rule = fn(&View<'_>, &mut Found);

/// The most findings that are kept: what a hostile file costs in memory is bounded by it, and nobody reads more.
const MOST: usize = 5_000;

/// What was found so far.
#[derive(Default)]
struct Found {
    findings: Vec<Finding>,
}

impl Found {
    /// Keeps a finding, as long as there are not too many.
    fn push(&mut self, finding: Finding) {
        if self.findings.len() < MOST {
            self.findings.push(finding);
        }
    }
}

/// The rules by theme.
const THEMES: &[&[Rule]] = &[
    address::RULES,
    below::RULES,
    filter::RULES,
    link::RULES,
    mtu::RULES,
    packet::RULES,
    policy::RULES,
    route::RULES,
    stacked::RULES,
    sysctl::RULES,
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
    let mut findings = found.findings;
    findings.sort_by(|a, b| key(a).cmp(&key(b)));
    findings.dedup();
    findings
}

/// What findings are sorted by: the main place first.
fn key(finding: &Finding) -> (usize, &'static str, &str) {
    (finding.labels.first().map_or(0, |label| label.offset), finding.code, &finding.message)
}
