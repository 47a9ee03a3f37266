//! Findings about a machine as JSON.

use super::explain::{Written, whole};
use crate::doctor::{Finding, Remedy, Walked};
use crate::flow::Verdict;
use schemars::JsonSchema;
use serde::Serialize;

/// What `doctor --json` prints.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Doctored {
    /// The version of this format.
    pub format_version: u32,
    /// What was examined, in the order of the arguments.
    pub examined: Vec<Diagnosis>,
}

/// What was found for one topology, or for the machine alone.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Diagnosis {
    /// The topology; left out where the machine alone was looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topology: Option<String>,
    /// Whether it is there: its flows were followed through the machine as it is, else as it would be after an apply.
    pub applied: bool,
    /// The flows that the file means, and what becomes of them.
    pub flows: Flows,
    /// What was found, errors first.
    pub findings: Vec<DoctorFinding>,
}

/// The flows that a file means.
#[derive(Clone, Copy, Debug, Default, Serialize, JsonSchema)]
pub struct Flows {
    /// How many arrive and are answered.
    pub reach: usize,
    /// How many are stopped, by whatever.
    pub stop: usize,
    /// Of how many that cannot be said.
    pub cannot_say: usize,
    /// How many more there are, which were not followed.
    pub left_out: usize,
}

/// A finding.
#[derive(Debug, Serialize, JsonSchema)]
pub struct DoctorFinding {
    /// What it is about, a word that does not change: `bridge-filter`, `forwarding`, ….
    pub code: &'static str,
    /// `error`, `warning` or `note`.
    pub severity: &'static str,
    /// The node, where it is in one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// The interface, where it concerns one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interface: Option<String>,
    /// What is wrong.
    pub what: String,
    /// Why, or what comes of it.
    pub why: String,
    /// What decides: a rule, a route, a setting.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// What of the file it is about, `FILE:LINE:COLUMN`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// The flows that it stops, at most 64.
    pub flows: Vec<String>,
    /// How many flows it stops.
    pub stopped: usize,
    /// What to write or run.
    pub remedies: Vec<DoctorRemedy>,
}

/// What to do about a finding.
#[derive(Debug, Serialize, JsonSchema)]
pub struct DoctorRemedy {
    /// `yaml` for keys of the file, `write` for lines of a file of the machine, `run` for a command.
    pub kind: &'static str,
    /// What it does.
    pub what: String,
    /// The file that the lines are for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The YAML, the lines, or the command.
    pub text: String,
}

impl Diagnosis {
    /// What was found, as JSON has it.
    pub fn of(
        topology: Option<&str>,
        applied: bool,
        findings: &[Finding],
        walked: &[Walked],
        written: Option<Written<'_>>,
    ) -> Self {
        let count = |verdict| walked.iter().filter(|walked| walked.verdict() == verdict).count();
        let flows = Flows {
            reach: count(Verdict::Reaches),
            stop: count(Verdict::Stops),
            cannot_say: count(Verdict::CannotSay),
            left_out: 0,
        };
        let findings = findings.iter().map(|finding| of(finding, written)).collect();
        Self { topology: topology.map(str::to_owned), applied, flows, findings }
    }

    /// With so many flows that were not followed.
    #[must_use]
    pub fn leaving_out(mut self, left_out: usize) -> Self {
        self.flows.left_out = left_out;
        self
    }
}

fn of(finding: &Finding, written: Option<Written<'_>>) -> DoctorFinding {
    DoctorFinding {
        code: finding.code.word(),
        severity: finding.severity.word(),
        node: finding.node.as_ref().map(ToString::to_string),
        interface: finding.interface.clone(),
        what: finding.what.clone(),
        why: finding.why.clone(),
        by: finding.by.as_ref().map(|by| by.text.clone()).filter(|text| !text.is_empty()),
        place: place(finding, written).map(|(file, line, column)| format!("{file}:{line}:{column}")),
        flows: finding.flows.clone(),
        stopped: finding.stopped,
        remedies: finding.remedies.iter().map(remedy).collect(),
    }
}

fn remedy(remedy: &Remedy) -> DoctorRemedy {
    match remedy {
        Remedy::Yaml { node, fix } => {
            DoctorRemedy { kind: "yaml", what: fix.what.clone(), path: None, text: whole(fix, node) }
        }
        Remedy::Write { what, path, lines } => {
            DoctorRemedy { kind: "write", what: what.clone(), path: Some(path.clone()), text: lines.join("\n") }
        }
        Remedy::Run { what, command } => {
            DoctorRemedy { kind: "run", what: what.clone(), path: None, text: command.clone() }
        }
    }
}

/// Where in the file that is which a finding is about: a check, what decides, or what asks for it.
pub(super) fn place(finding: &Finding, written: Option<Written<'_>>) -> Option<(String, usize, usize)> {
    let check = finding.origin.as_ref();
    let decides = || written.and_then(|written| written.place(finding.by.as_ref()?));
    let about = || written.and_then(|written| written.origins.get(finding.about.as_ref()?));
    let origin = check.or_else(decides).or_else(about).filter(|origin| origin.line > 0)?;
    Some((origin.file.clone(), origin.line, origin.column))
}
