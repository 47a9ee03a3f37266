//! Findings as JSON.

use crate::document::yaml::source::Source;
use crate::document::{Finding, Label, Lines, Severity};
use crate::render::finding::mask;
use schemars::JsonSchema;
use serde::Serialize;

/// Output of `topo validate --format json`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Findings {
    /// The version of this format.
    pub format_version: u32,
    /// Whether no file has an error.
    pub valid: bool,
    /// All findings of all files.
    pub findings: Vec<FindingView>,
}

/// A finding.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct FindingView {
    /// The file, `-` for standard input.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// The line where it ends.
    pub end_line: usize,
    /// The column behind its last character.
    pub end_column: usize,
    /// `error` or `warning`.
    pub severity: &'static str,
    /// The rule, a word that does not change.
    pub code: &'static str,
    /// What was found.
    pub message: String,
    /// How to write it right.
    pub help: Option<String>,
    /// Further places; left out where there is none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub related: Vec<RelatedView>,
}

/// A further place of a finding.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct RelatedView {
    /// The file, where it is another than that of the finding.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// The line where it ends.
    pub end_line: usize,
    /// The column behind its last character.
    pub end_column: usize,
    /// What stands there.
    pub message: String,
}

/// A stretch of a file: line and column of its beginning, and of what is behind it.
type Span = [(usize, usize); 2];

/// The findings of a file, in their order, without keys.
pub fn findings(source: &Source, findings: &[Finding]) -> Vec<FindingView> {
    let lines = Lines::of(&source.text);
    let most = source.text.parts().last().map_or(0, |part| part.base + part.text.len());
    let at = |offset: usize| lines.at(&source.text, offset.min(most));
    let file = |finding: &Finding| source.name_at(finding.labels.first().map_or(0, |label| label.offset));
    let elsewhere = |finding: &Finding, label: &Label| {
        let other = source.name_at(label.offset);
        (other != file(finding)).then(|| other.to_owned())
    };
    let span = |label: &Label| [at(label.offset), at(label.offset + label.length)];
    let view = |finding: &Finding| {
        let [(line, column), (end_line, end_column)] = finding.labels.first().map_or([at(0), at(0)], span);
        FindingView {
            file: file(finding).to_owned(),
            line,
            column,
            end_line,
            end_column,
            severity: match finding.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
            },
            code: finding.code,
            message: mask(&finding.message),
            help: finding.help.as_deref().map(mask),
            related: finding
                .labels
                .iter()
                .skip(1)
                .map(|label| related(elsewhere(finding, label), span(label), &label.text))
                .collect(),
        }
    };
    findings.iter().map(view).collect()
}

fn related(file: Option<String>, [(line, column), (end_line, end_column)]: Span, text: &str) -> RelatedView {
    RelatedView { file, line, column, end_line, end_column, message: mask(text) }
}
