//! What is wrong with a file, or looks wrong, and where.

use super::place::Place;
use std::collections::HashMap;

/// Something found in a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// A stable word in kebab-case that names the rule (`unknown-key`, `host-bits`).
    pub code: &'static str,
    /// Whether it stops everything.
    pub severity: Severity,
    /// What was found and what was expected: a lower-case fragment, names quoted.
    pub message: String,
    /// The places it is about; the first is the main one. Never empty.
    pub labels: Vec<Label>,
    /// How to write it right.
    pub help: Option<String>,
    /// How often else the same was found in what a range made.
    pub more: usize,
}

/// How bad a finding is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Severity {
    /// Nothing is done with such a file.
    Error,
    /// Probably not what is meant.
    Warning,
}

/// A place in the text, and what stands there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Label {
    /// Where it starts, in bytes.
    pub offset: usize,
    /// How long it is, in bytes.
    pub length: usize,
    /// A short remark; may be empty for the main place.
    pub text: String,
    /// In which round of a range it was made; 0 in none.
    pub round: u32,
}

impl Finding {
    /// An error at a place.
    pub fn error(code: &'static str, place: crate::document::Place, message: impl Into<String>) -> Self {
        let labels = vec![place.label("")];
        Self { code, severity: Severity::Error, message: message.into(), labels, help: None, more: 0 }
    }

    /// A warning at a place.
    pub fn warning(code: &'static str, place: crate::document::Place, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, place, message) }
    }

    /// The same with a help text.
    #[must_use]
    pub fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }

    /// The same with another place.
    #[must_use]
    pub fn also(mut self, place: crate::document::Place, text: &str) -> Self {
        self.labels.push(place.label(text));
        self
    }

    /// The same with a remark at its main place.
    #[must_use]
    pub fn remark(mut self, text: &str) -> Self {
        if let Some(first) = self.labels.first_mut() {
            text.clone_into(&mut first.text);
        }
        self
    }
}

/// Findings in the order of the file, the same thing said once.
pub(crate) fn in_order(mut findings: Vec<Finding>) -> Vec<Finding> {
    let place = |finding: &Finding| finding.labels.first().map_or(0, |label| label.offset);
    findings.sort_by_key(place);
    findings.dedup();
    findings
}

impl Place {
    /// A label there.
    pub fn label(self, text: &str) -> Label {
        let Self { offset, length, round } = self;
        Label { offset: offset as usize, length: length as usize, text: text.to_owned(), round }
    }
}

/// Findings as they come, up to a number. What is found again in another round of a range is counted, not kept: a
/// mistake below `client[1-5000]` is one finding.
#[derive(Default, Debug)]
pub(crate) struct Gathered {
    /// What was found.
    pub findings: Vec<Finding>,
    /// What was found in rounds, by code and place.
    seen: HashMap<(&'static str, usize, usize), Seen>,
}

/// What was found at one place in several rounds.
#[derive(Default, Debug)]
struct Seen {
    /// The round that came last.
    round: u32,
    /// How many of its findings there were so far.
    nth: usize,
    /// The findings of the first round, at which those of the others are counted.
    kept: Vec<usize>,
}

impl Gathered {
    /// Keeps a finding where there are fewer than `most`.
    pub fn push(&mut self, finding: Finding, most: usize) {
        let made = finding.labels.first().filter(|label| label.round > 0);
        let Some((key, round)) = made.map(|label| ((finding.code, label.offset, label.length), label.round)) else {
            if self.findings.len() < most {
                self.findings.push(finding);
            }
            return;
        };
        let seen = self.seen.entry(key).or_default();
        if seen.round != round {
            (seen.round, seen.nth) = (round, 0);
        }
        match seen.kept.get(seen.nth).copied() {
            Some(first) => {
                // The first round is the one that is shown, whichever order they come in.
                let Some(first) = self.findings.get_mut(first) else { return };
                let more = first.more + 1;
                if first.labels.first().is_some_and(|label| label.round > round) {
                    *first = finding;
                }
                first.more = more;
            }
            None if self.findings.len() < most => {
                seen.kept.push(self.findings.len());
                self.findings.push(finding);
            }
            None => {}
        }
        seen.nth += 1;
    }

    /// All of them, gathered.
    pub fn of(findings: Vec<Finding>) -> Self {
        let mut gathered = Self::default();
        findings.into_iter().for_each(|finding| gathered.push(finding, usize::MAX));
        gathered
    }
}
