//! What is said of text that is no YAML.

use super::limits::MAX_DEPTH;
use crate::document::{Finding, Place};
use granit_parser::ScanError;

/// What the parser found wrong with a text whose places begin at `base`.
pub fn finding(text: &str, base: u32, error: &ScanError) -> Box<Finding> {
    let mut at = error.marker().byte_offset().unwrap_or(text.len()).min(text.len());
    // A tab below a plain text is reported where that text begins.
    if error.info().contains("found a tab") {
        at = indented_with_tab(text, at).unwrap_or(at);
    }
    let rest = text.get(at..).unwrap_or_default();
    let length = rest.chars().next().filter(|c| *c != '\n').map_or(0, char::len_utf8);
    let place = Place::new(base + at as u32, length as u32);
    // The parser has limits of its own, a little behind ours.
    if error.info().contains("recursion limit") {
        return Box::new(Finding::error("too-deep", place, format!("nested more than {MAX_DEPTH} levels deep")));
    }
    let finding = Finding::error("yaml-syntax", place, format!("not valid YAML: {}", error.info()));
    let line = text.get(..at).and_then(|before| before.rsplit('\n').next()).unwrap_or_default();
    Box::new(if line.trim_start_matches(' ').starts_with('\t') || rest.starts_with('\t') {
        finding.help("YAML is indented with spaces, never with tabs")
    } else if rest.starts_with('[') && line.ends_with(|c: char| c.is_ascii_alphanumeric()) {
        finding.help("a key with a range needs quotes here: \"client[1-20]\"")
    } else if line.contains("{n") || rest.lines().next().is_some_and(|line| line.starts_with("{n")) {
        finding.help("text with a formula needs quotes: \"host/p{n}\"")
    } else {
        finding
    })
}

/// The first tab in an indentation behind `start`.
fn indented_with_tab(text: &str, start: usize) -> Option<usize> {
    let mut at = start;
    for line in text.get(start..)?.split_inclusive('\n') {
        let blanks = line.len() - line.trim_start_matches(' ').len();
        if at > start && line.get(blanks..).is_some_and(|rest| rest.starts_with('\t')) {
            return Some(at + blanks);
        }
        at += line.len();
    }
    None
}
