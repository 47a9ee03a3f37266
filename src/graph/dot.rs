//! DOT, for Graphviz. All that comes from names is in quotes.

use super::model::{Mark, Picture, WireKind};
use super::outline::{Part, boxes, edges};
use crate::render::page::escape;
use std::fmt::Write as _;

/// The picture as DOT.
pub fn text(picture: &Picture) -> String {
    let mut dot = format!(
        "graph topology {{\n  graph [rankdir=LR, fontname=\"sans-serif\", label={}, labelloc=t, nodesep=0.4, ranksep=1.2];\n  node [shape=box, style=rounded, fontname=\"sans-serif\", fontsize=11];\n  edge [fontname=\"monospace\", fontsize=9];\n",
        quoted(std::slice::from_ref(&picture.title))
    );
    // Writing to a String does not fail.
    for it in boxes(picture) {
        let mut lines = vec![it.title.clone()];
        lines.extend(it.body.lines.iter().cloned());
        if it.bars.is_empty() {
            let _ = writeln!(dot, "  {} [label={}{}];", it.body.id, quoted(&lines), colour(it.mark));
            continue;
        }
        let _ = writeln!(dot, "  subgraph cluster_{} {{\n    style=rounded;{}", it.id, graph_colour(it.mark));
        let _ = writeln!(dot, "    {} [shape=plaintext, label={}{}];", it.body.id, quoted(&lines), colour(it.mark));
        for Part { id, lines, mark } in &it.bars {
            let _ = writeln!(
                dot,
                "    {id} [style=filled, fillcolor=\"#e6f6f4\", label={}{}];",
                quoted(lines),
                colour(*mark)
            );
        }
        dot.push_str("  }\n");
    }
    for edge in edges(picture) {
        let style = match edge.kind {
            WireKind::Pair => "solid",
            WireKind::Lower => "dotted",
            WireKind::Tunnel => "dashed",
        };
        let _ = writeln!(
            dot,
            "  {} -- {} [style={style}, taillabel={}, headlabel={}{}];",
            edge.from,
            edge.to,
            quoted(&[edge.tail]),
            quoted(&[edge.head]),
            colour(edge.mark)
        );
    }
    dot.push_str("}\n");
    dot
}

fn colour(mark: Mark) -> String {
    let name = colour_name(mark);
    if name.is_empty() { String::new() } else { format!(", color=\"{name}\", fontcolor=\"{name}\", penwidth=2") }
}

fn graph_colour(mark: Mark) -> String {
    let name = colour_name(mark);
    if name.is_empty() { String::new() } else { format!(" color=\"{name}\";") }
}

fn colour_name(mark: Mark) -> &'static str {
    match mark {
        Mark::Same => "",
        Mark::Added => "#15803d",
        Mark::Changed => "#b45309",
        Mark::Removed => "#b91c1c",
    }
}

/// A string of DOT, a line of text each. A backslash would be a command to it (`\N`, `\G`).
fn quoted(lines: &[String]) -> String {
    let line = |text: &String| escape(text).replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{}\"", lines.iter().map(line).collect::<Vec<_>>().join("\\n"))
}
