//! The topologies of a machine, as a table.

use super::json::ListedView;
use super::page::{BOLD, CHANGE, DIM, PLAIN, Page, count};

/// The table; one line where there is none.
pub fn text(topologies: &[ListedView]) -> String {
    let mut page = Page::new();
    if topologies.is_empty() {
        page.line("No topologies here.");
        return page.finish();
    }
    let width = topologies.iter().map(|it| it.topology.chars().count()).max().unwrap_or(0).max(8);
    page.paint(DIM, format!("{:<width$}  {:<9}  {}", "TOPOLOGY", "STATE", "WHAT")).end();
    for it in topologies {
        let name = if it.topology.is_empty() { "-" } else { &it.topology };
        let style = if it.state == "ok" { PLAIN } else { CHANGE };
        page.paint(BOLD, format!("{name:<width$}")).put("  ").paint(style, format!("{:<9}", it.state)).put("  ").put(what(it)).end();
    }
    page.finish()
}

fn what(it: &ListedView) -> String {
    const NAMED: usize = 4;
    let mut parts = Vec::new();
    if !it.namespaces.is_empty() {
        let mut names = it.namespaces.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(" ");
        if it.namespaces.len() > NAMED {
            names.push_str(" …");
        }
        parts.push(format!("{} ({names})", count(it.namespaces.len(), "namespace")));
    }
    if !it.existing.is_empty() {
        parts.push(format!("in {}", it.existing.join(" ")));
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
    parts.join(", ")
}
