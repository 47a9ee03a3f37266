//! A topology that is there, and not as its file has it.

use crate::doctor::code::{Code, Severity};
use crate::doctor::examined::Examined;
use crate::doctor::finding::Finding;

/// How many things are named.
const NAMED: usize = 3;

pub(super) fn find(examined: &Examined<'_>) -> Vec<Finding> {
    let changes = &examined.changes;
    if !examined.applied || changes.is_empty() {
        return Vec::new();
    }
    let some: Vec<&str> = changes.iter().take(NAMED).map(|(_, words)| words.as_str()).collect();
    let more = changes.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let what = format!("an apply would change {}{more}", some.join(", "));
    let why = "The file was changed, or the machine was since. The packets above were followed through the machine as it \
               is.";
    let finding = Finding::new(Code::Drifted, Severity::Warning, what, why);
    vec![finding.run("see what is to be changed", format!("topo plan {}", examined.wanted.topology))]
}
