//! What is wrong with a file, or looks wrong, and where.

use super::place::Place;

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
}

impl Finding {
    /// An error at a place.
    pub fn error(code: &'static str, place: crate::document::Place, message: impl Into<String>) -> Self {
        Self { code, severity: Severity::Error, message: message.into(), labels: vec![place.label("")], help: None }
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
        Label { offset: self.offset as usize, length: self.length as usize, text: text.to_owned() }
    }
}
