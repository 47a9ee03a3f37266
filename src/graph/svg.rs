//! SVG: one file, light and dark, without fonts, scripts or anything from elsewhere.

use super::scene::{Drawn, Group, Scene};
use super::style;
use std::fmt::Write as _;

/// The scene as SVG.
pub fn text(scene: &Scene) -> String {
    let Scene { width, height, title, change, groups } = scene;
    let class = if *change { "topo change" } else { "topo" };
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"{class}\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" role=\"img\">\n<title>{}</title>\n<style>\n{}</style>\n<rect class=\"paper\" width=\"{width}\" height=\"{height}\"/>\n",
        escape(title),
        style::css()
    );
    groups.iter().for_each(|it| group(&mut svg, it));
    svg.push_str("</svg>\n");
    svg
}

// Writing to a String does not fail.
fn group(svg: &mut String, group: &Group) {
    let _ = writeln!(svg, "<g class=\"{}\">", group.class);
    if !group.hint.is_empty() {
        let _ = writeln!(svg, "<title>{}</title>", escape(&group.hint));
    }
    for shape in &group.shapes {
        match shape {
            Drawn::Rect { x, y, width, height, round, class } => {
                let _ = writeln!(
                    svg,
                    "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"{round}\"/>"
                );
            }
            Drawn::Text { x, y, end, text, class, .. } => {
                let anchor = if *end { " text-anchor=\"end\"" } else { "" };
                let _ = writeln!(svg, "<text class=\"{class}\" x=\"{x}\" y=\"{y}\"{anchor}>{}</text>", escape(text));
            }
            Drawn::Path { d, class } => {
                let class = if class.is_empty() { String::new() } else { format!(" class=\"{class}\"") };
                let _ = writeln!(svg, "<path{class} d=\"{d}\"/>");
            }
        }
    }
    svg.push_str("</g>\n");
}

/// Text of XML. What controls a terminal was escaped before, so that all that is left is allowed in XML.
pub fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            // XML has no such characters.
            '\u{fffe}' | '\u{ffff}' => safe.push('\u{fffd}'),
            c => safe.push(c),
        }
    }
    safe
}
