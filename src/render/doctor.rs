//! Findings about a machine as text.

use super::doctored::{Diagnosis, place};
use super::explain::{Written, whole};
use super::order::wrapped;
use super::page::{ADD, BOLD, CHANGE, DIM, Page, REMOVE, count};
use crate::doctor::{Finding, Remedy, Severity};
use anstyle::Style;

/// How wide a page is at most.
const WIDTH: usize = 80;
/// How many flows of a finding are named.
const NAMED: usize = 3;

/// What is looked at.
pub fn head(topology: &str, applied: bool) -> String {
    let mut page = Page::new();
    let how = if applied { "on this machine, as it is" } else { "on this machine, as it would be after an apply" };
    page.paint(BOLD, format!("Topology {topology}")).put(format!(" {how}")).end();
    page.end_and_finish()
}

/// What is said where nothing was found.
pub fn nothing(diagnosis: &Diagnosis) -> String {
    let mut page = Page::new();
    page.paint(ADD, "Nothing found.").put(flows(diagnosis)).end();
    page.finish()
}

/// The findings, and how many there are.
pub fn text(findings: &[Finding], diagnosis: &Diagnosis, written: Option<Written<'_>>) -> String {
    let mut page = Page::new();
    for finding in findings {
        one(&mut page, finding, written);
        page.end();
    }
    let number = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
    let counts = [Severity::Error, Severity::Warning, Severity::Note].map(|severity| (severity, number(severity)));
    let counts: Vec<String> = counts
        .iter()
        .filter(|(_, number)| *number > 0)
        .map(|(severity, number)| count(*number, severity.word()))
        .collect();
    page.put(format!("{}.{}", counts.join(", "), flows(diagnosis))).end();
    page.finish()
}

/// What became of the flows, in a sentence.
fn flows(diagnosis: &Diagnosis) -> String {
    let flows = diagnosis.flows;
    let all = flows.reach + flows.stop + flows.cannot_say;
    if all == 0 {
        return String::new();
    }
    let mut text = format!(" Flows that the file means: {} of {all} arrive", flows.reach);
    if flows.cannot_say > 0 {
        text.push_str(&format!(", {} cannot be said", flows.cannot_say));
    }
    if flows.left_out > 0 {
        text.push_str(&format!("; {} more were not followed", flows.left_out));
    }
    text.push('.');
    text
}

fn style(severity: Severity) -> Style {
    match severity {
        Severity::Error => REMOVE,
        Severity::Warning => CHANGE,
        Severity::Note => BOLD,
    }
}

fn one(page: &mut Page, finding: &Finding, written: Option<Written<'_>>) {
    let title = format!("{}[{}]:", finding.severity.word(), finding.code.word());
    let lines = wrapped(&format!("{title} {}", finding.what), WIDTH, 2);
    for (nth, line) in lines.iter().enumerate() {
        match line.strip_prefix(&title) {
            Some(rest) if nth == 0 => _ = page.paint(style(finding.severity), &title).paint(BOLD, rest).end(),
            _ => _ = page.paint(BOLD, line).end(),
        }
    }
    let place = place(finding, written).map(|(file, line, _)| format!("{file}:{line}"));
    let by = finding.by.as_ref().map(|by| by.text.clone()).filter(|text| !text.is_empty());
    let mut stops: Vec<String> = finding.flows.iter().take(NAMED).cloned().collect();
    let more = finding.stopped.saturating_sub(stops.len());
    if more > 0 {
        stops.push(format!("and {more} more"));
    }
    let rows = [("file", place.into_iter().collect()), ("by", by.into_iter().collect()), ("stops", stops)];
    for (name, values) in rows {
        for (nth, value) in values.iter().enumerate() {
            row(page, if nth == 0 { name } else { "" }, value);
        }
    }
    for line in wrapped(&finding.why, WIDTH - 2, 0) {
        page.put("  ").paint(DIM, line).end();
    }
    for (nth, remedy) in finding.remedies.iter().enumerate() {
        remedies(page, remedy, nth == 0);
    }
}

fn row(page: &mut Page, name: &str, value: &str) {
    for (nth, line) in wrapped(value, WIDTH - 9, 0).iter().enumerate() {
        let name = if nth == 0 { name } else { "" };
        page.put(format!("  {name:<7}")).put(line).end();
    }
}

fn remedies(page: &mut Page, remedy: &Remedy, first: bool) {
    let word = if first { "To mend it: " } else { "And: " };
    let mut title = |what: &str, behind: String| {
        page.end();
        for (nth, line) in wrapped(&format!("{word}{what}{behind}"), WIDTH - 2, 2).iter().enumerate() {
            match line.strip_prefix(word.trim_end()).filter(|_| nth == 0) {
                Some(rest) => _ = page.put("  ").paint(BOLD, word.trim_end()).put(rest).end(),
                None => _ = page.put("  ").put(line).end(),
            }
        }
    };
    let lines: Vec<String> = match remedy {
        Remedy::Yaml { node, fix } => {
            title(&fix.what, String::new());
            whole(fix, node).lines().map(str::to_owned).collect()
        }
        Remedy::Write { what, path, lines } => {
            title(what, format!(", in {path}"));
            lines.clone()
        }
        Remedy::Run { what, command } => {
            title(what, String::new());
            vec![command.clone()]
        }
    };
    for line in lines {
        page.put("    ").paint(ADD, line).end();
    }
}
