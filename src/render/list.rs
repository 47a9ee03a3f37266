//! The topologies of a machine, as a table and for programs.

use super::order::{left, width};
use super::page::{BOLD, CHANGE, DIM, PLAIN, Page, count};
use super::plan::visible;
use super::words::full_name;
use crate::plan::change::{Action, Change, Plan};
use schemars::JsonSchema;
use serde::Serialize;

/// Output of `topo list --json`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Topologies {
    /// The version of this format.
    pub format_version: u32,
    /// Where topo was started in a namespace of a topology: `TOPOLOGY/NODE`. What is on the host is not seen from
    /// there, and nothing is compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inside: Option<String>,
    /// The topologies, in the order of their names.
    pub topologies: Vec<ListedView>,
}

/// A topology on this machine.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct ListedView {
    /// Its name; empty in an entry for what carries topo's marks and belongs to no topology that is known.
    pub topology: String,
    /// `ok` (as it was last wanted), `drifted` (it is not: see `differs`), `unknown` (what was last wanted is not
    /// known, or the machine could not be looked at: see `differs`), `present` (nothing was compared: `--quick`),
    /// `half-made` (an apply or destroy is under way or was cut off), `waiting` (applied, and undone unless it is
    /// confirmed), `expired` (it was not confirmed in time, and is not rolled back yet) or `unowned`.
    pub state: &'static str,
    /// In the state `waiting`: it is undone after so many seconds unless it is confirmed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds_to_confirm: Option<u64>,
    /// How many changes `topo plan NAME` would show; only where it was compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changes: Option<usize>,
    /// The first of what differs, in words; or why nothing can be said.
    pub differs: Vec<String>,
    /// The namespaces that it made.
    pub namespaces: Vec<String>,
    /// The nodes of others that it configures.
    pub existing: Vec<String>,
    /// Its links on the host.
    pub links: Vec<String>,
    /// Whether it has an nft table, or rules in chains of other programs, on the host.
    pub nft: bool,
    /// What carries topo's mark and is no topology's that is known, in words.
    pub other: Vec<String>,
}

/// The table takes no more columns.
const COLUMNS: usize = 80;

/// How many changes of a topology that drifted are listed in JSON.
const TOLD: usize = 10;

/// The table; one line where there is none.
pub fn text(topologies: &[ListedView]) -> String {
    let mut page = Page::new();
    if topologies.is_empty() {
        page.line("No topologies here.");
        return page.finish();
    }
    let wide = topologies.iter().map(|it| width(&it.topology)).max().unwrap_or(0).max(8);
    let indent = wide + 2 + 9 + 2;
    page.paint(DIM, format!("{}  {}  WHAT", left("TOPOLOGY", wide), left("STATE", 9))).end();
    for it in topologies {
        let name = if it.topology.is_empty() { "-" } else { &it.topology };
        let style = if matches!(it.state, "ok" | "present") { PLAIN } else { CHANGE };
        page.paint(BOLD, left(name, wide)).put("  ").paint(style, left(it.state, 9)).put("  ");
        for (at, line) in lines(&what(it), COLUMNS - indent).iter().enumerate() {
            page.put(if at == 0 { String::new() } else { " ".repeat(indent) }).line(line);
        }
    }
    page.finish()
}

/// `text` in lines of at most `columns`, where its words allow it.
fn lines(text: &str, columns: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.is_empty() => word.clone_into(line),
            Some(line) if width(line) + 1 + width(word) <= columns => *line = format!("{line} {word}"),
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

fn what(it: &ListedView) -> String {
    let mut parts = Vec::new();
    let compared = matches!(it.state, "drifted" | "unknown" | "waiting" | "expired");
    let differs = it.differs.first().filter(|_| compared).map(|first| {
        match it.changes.unwrap_or(it.differs.len()).saturating_sub(1) {
            0 => first.clone(),
            more => format!("{first}, and {more} more"),
        }
    });
    if !it.namespaces.is_empty() {
        parts.push(format!("{} ({})", count(it.namespaces.len(), "namespace"), some(&it.namespaces)));
    }
    if !it.existing.is_empty() {
        parts.push(format!("in {}", some(&it.existing)));
    }
    if !it.links.is_empty() {
        parts.push(format!("{} on the host", count(it.links.len(), "link")));
    }
    if it.nft {
        parts.push("nft rules on the host".to_owned());
    }
    if !it.other.is_empty() {
        parts.push(it.other.join(", "));
    }
    match it.state {
        "waiting" => parts.extend(it.seconds_to_confirm.map(|left| format!("undone in {left} s unless confirmed"))),
        "expired" => parts.push("not confirmed in time".to_owned()),
        _ => {}
    }
    if parts.is_empty() {
        parts.push("nothing but its record".to_owned());
    }
    differs.into_iter().chain([parts.join(", ")]).collect::<Vec<_>>().join("; ")
}

/// The first names of several.
fn some(names: &[String]) -> String {
    const NAMED: usize = 4;
    let first = names.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(" ");
    if names.len() > NAMED { format!("{first} …") } else { first }
}

/// How much a plan finds other than it is wanted, and the first of it in words.
pub fn differs(plan: &Plan) -> (usize, Vec<String>) {
    let seen: Vec<&Change> = visible(plan).collect();
    let seen = if seen.is_empty() { plan.changes.iter().collect() } else { seen };
    (seen.len(), seen.into_iter().take(TOLD).map(difference).collect())
}

fn difference(change: &Change) -> String {
    let name = full_name(&change.id);
    match (change.action, change.drift.first()) {
        (Action::Create, _) => format!("{name} is missing"),
        (Action::Delete, _) => format!("{name} is too much"),
        (Action::Move, _) => format!("{name} is elsewhere"),
        (Action::Update | Action::Replace, Some(drift)) => match (drift.old.as_str(), drift.new.as_str()) {
            ("", new) => format!("{name} lacks {}: {new}", drift.field),
            (old, "") => format!("{name} has {}: {old}", drift.field),
            (old, new) => format!("{name} has {} {old}, not {new}", drift.field),
        },
        (Action::Update | Action::Replace, None) => format!("{name} is another"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_is_wider_than_a_terminal() {
        let names: Vec<String> = (0..9).map(|at| format!("a-namespace-of-the-lab-{at}")).collect();
        let other = (0..5).map(|at| format!("address 10.0.{at}.1/24 on uplink0 in host")).collect();
        let one = ListedView {
            topology: "서울-lab".to_owned(),
            state: "ok",
            namespaces: names,
            links: vec!["host/a".to_owned()],
            ..ListedView::default()
        };
        let table = text(&[one, ListedView { state: "unowned", other, ..ListedView::default() }]);
        let plain = anstream::adapter::strip_str(&table).to_string();
        assert!(plain.lines().all(|line| width(line) <= COLUMNS), "{plain}");
        assert!(plain.contains("서울-lab  ok") && plain.contains("… ") || plain.contains("…)"), "{plain}");
    }
}
