//! Mermaid, which pull requests and wikis draw. Names stand in quoted labels, character by character harmless.

use super::model::{Mark, Picture, WireKind};
use super::outline::{Part, boxes, edges};
use super::{change, fold};
use crate::plan::change::Plan;
use crate::render::page::escape;
use std::fmt::Write as _;

/// The picture of a plan, folded where it is large.
pub fn of_plan(plan: &Plan) -> String {
    let picture = change::of_plan(plan);
    text(&fold::fold(&picture, &fold::first(&picture)))
}

/// The picture as Mermaid.
pub fn text(picture: &Picture) -> String {
    // Writing to a String does not fail.
    let mut mermaid = "flowchart LR\n".to_owned();
    let mut marked: Vec<(String, Mark)> = Vec::new();
    for it in boxes(picture) {
        if it.bars.is_empty() {
            let lines: Vec<String> = std::iter::once(it.title).chain(it.body.lines).collect();
            let _ = writeln!(mermaid, "  {}[{}]", it.body.id, label(&lines));
            marked.push((it.body.id, it.mark));
            continue;
        }
        let _ = writeln!(mermaid, "  subgraph {}[{}]", it.id, label(std::slice::from_ref(&it.title)));
        // Lines to interfaces that are of no bridge end at it.
        let lines = if it.body.lines.is_empty() { vec![it.title] } else { it.body.lines };
        let _ = writeln!(mermaid, "    {}[{}]", it.body.id, label(&lines));
        for Part { id, lines, mark } in it.bars {
            let _ = writeln!(mermaid, "    {id}[[{}]]", label(&lines));
            marked.push((id, mark));
        }
        mermaid.push_str("  end\n");
        marked.extend([(it.id, it.mark), (it.body.id, it.mark)]);
    }
    let mut styles = String::new();
    for (nth, edge) in edges(picture).into_iter().enumerate() {
        let line = if edge.kind == WireKind::Pair { "---" } else { "-.-" };
        let words: Vec<&str> =
            [&edge.tail, &edge.head].into_iter().map(String::as_str).filter(|word| !word.is_empty()).collect();
        let words = if words.is_empty() { String::new() } else { format!("|{}|", label(&[words.join(" – ")])) };
        let _ = writeln!(mermaid, "  {} {line}{words} {}", edge.from, edge.to);
        if let Some(colour) = colour(edge.mark) {
            let _ = writeln!(styles, "  linkStyle {nth} stroke:{colour},stroke-width:3px");
        }
    }
    mermaid.push_str(&styles);
    for mark in [Mark::Added, Mark::Changed, Mark::Removed] {
        let ids: Vec<&str> = marked.iter().filter(|(_, its)| *its == mark).map(|(id, _)| id.as_str()).collect();
        if let (false, Some(colour)) = (ids.is_empty(), colour(mark)) {
            let dashes = if mark == Mark::Removed { ",stroke-dasharray:5 4" } else { "" };
            let _ = writeln!(
                mermaid,
                "  classDef {} stroke:{colour},stroke-width:3px{dashes}\n  class {} {}",
                mark.word(),
                ids.join(","),
                mark.word()
            );
        }
    }
    mermaid
}

fn colour(mark: Mark) -> Option<&'static str> {
    match mark {
        Mark::Same => None,
        Mark::Added => Some("#15803d"),
        Mark::Changed => Some("#b45309"),
        Mark::Removed => Some("#b91c1c"),
    }
}

/// A label in quotes. What is no letter, no digit and not known to be harmless is a number (`#60;`), so that nothing in
/// a name ends the label, begins a comment or a tag, or is taken for Markdown.
fn label(lines: &[String]) -> String {
    let harmless =
        |c: char| c.is_alphanumeric() || matches!(c, ' ' | '.' | ',' | ':' | '/' | '+' | '(' | ')' | '…' | '–' | '±');
    let line = |text: &String| {
        let mut safe = String::new();
        for c in escape(text).chars() {
            if harmless(c) {
                safe.push(c);
            } else {
                let _ = write!(safe, "#{};", u32::from(c));
            }
        }
        safe
    };
    format!("\"{}\"", lines.iter().map(line).collect::<Vec<_>>().join("<br/>"))
}
