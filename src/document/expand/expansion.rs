//! What ranges made, and which round a finding is about.

use crate::document::yaml::finding::Gathered;
use crate::document::{Finding, Place};

/// What the ranges of a file made.
#[derive(Clone, Debug, Default)]
pub struct Expansion {
    rounds: Vec<Round>,
    /// The keys with ranges in `namespaces`, as they are written.
    pub nodes: Vec<(String, Place)>,
}

/// One round of one range.
#[derive(Clone, Debug)]
struct Round {
    /// The round of the range around it, counted from 1; 0 for none.
    outer: u32,
    /// What it is called: the name that it made.
    name: String,
}

impl Expansion {
    /// Begins a round inside of another, and gives its number.
    pub fn begin(&mut self, outer: u32, name: String) -> u32 {
        self.rounds.push(Round { outer, name });
        u32::try_from(self.rounds.len()).unwrap_or(u32::MAX)
    }

    /// What a round is called, from the outside in: `leaf2, each 5`.
    pub fn name(&self, round: u32) -> Option<String> {
        let mut names = Vec::new();
        let mut at = round;
        while let Some(round) = (at as usize).checked_sub(1).and_then(|at| self.rounds.get(at)) {
            names.push(round.name.as_str());
            at = round.outer;
        }
        names.reverse();
        (!names.is_empty()).then(|| names.join(", "))
    }

    /// Findings with the rounds that they are about: what is wrong in many rounds of one range is one finding, with
    /// their number.
    pub fn named(&self, findings: Vec<Finding>) -> Vec<Finding> {
        if self.rounds.is_empty() {
            return findings;
        }
        let mut findings = Gathered::of(findings).findings;
        for finding in &mut findings {
            let mut labels = finding.labels.iter_mut();
            let Some(first) = labels.next() else { continue };
            let round = std::mem::take(&mut first.round);
            for label in labels {
                let other = std::mem::take(&mut label.round);
                if let Some(name) = self.name(other).filter(|_| other != round) {
                    let blank = if label.text.is_empty() { "" } else { " " };
                    label.text.push_str(&format!("{blank}({name})"));
                }
            }
            if let Some(name) = self.name(round) {
                let more = match std::mem::take(&mut finding.more) {
                    0 => String::new(),
                    more => format!(", and {more} more"),
                };
                finding.message.push_str(&format!(" ({name}{more})"));
            }
        }
        findings
    }
}
