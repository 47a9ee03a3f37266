//! A plan for a pull request. What comes from names stands in code, in which nothing is a mention, a link or an image.

use super::page::{count, escape};
use super::plan::{Counts, nodes, visible};
use crate::plan::change::Plan;

/// So many bytes at most: what hosts of pull requests take as a comment, with room for what goes around it.
pub const MOST: usize = 60_000;
/// So many bytes of a picture; a larger one is left out, for what it shows would be of no use.
const PICTURE: usize = 20_000;
/// So many lines of a node's changes.
const LINES: usize = 200;
/// What is kept for the line that counts the rest.
const REST: usize = 200;

/// Plans, each with its picture in Mermaid.
pub fn text(plans: &[(&Plan, String)]) -> String {
    let mut markdown = String::new();
    let mut left_out = 0;
    for (plan, picture) in plans {
        let counts = Counts::of(plan);
        let summary = match visible(plan).count() {
            0 => "no changes".to_owned(),
            _ => counted(counts),
        };
        let mut pieces = vec![format!("### topo plan {}: {summary}\n\n", code(plan.base.topology.as_str()))];
        pieces.extend(plan.warnings.iter().map(|warning| format!("- warning: {}\n", code(warning))));
        pieces.extend((!plan.warnings.is_empty()).then(|| "\n".to_owned()));
        if counts != Counts::default() {
            pieces.push(if picture.len() <= PICTURE {
                format!("```mermaid\n{picture}```\n\n")
            } else {
                "The picture is too large for a comment; `topo graph --plan --out plan.html` draws it.\n\n".to_owned()
            });
        }
        pieces.extend(nodes(plan).iter().map(node));
        for piece in pieces {
            // What is left out is counted at the end, so that nothing after it stands without its heading.
            if left_out > 0 || markdown.len() + piece.len() + REST > MOST {
                left_out += 1;
            } else {
                markdown.push_str(&piece);
            }
        }
    }
    if left_out > 0 {
        markdown.push_str(&format!(
            "And {} more, which would be too long for a comment: `topo plan` prints all.\n",
            count(left_out, "section")
        ));
    }
    markdown
}

fn counted(counts: Counts) -> String {
    format!("{} to add, {} to change, {} to destroy", counts.add, counts.change, counts.destroy)
}

/// A node: a line, and its changes folded away.
fn node((called, counts, changes): &(String, Counts, String)) -> String {
    let plain = anstream::adapter::strip_str(changes).to_string();
    let lines: Vec<&str> = plain.lines().map(|line| line.strip_prefix("    ").unwrap_or(line)).collect();
    let mut shown = lines.get(..LINES).unwrap_or(&lines).join("\n");
    if let Some(more) = lines.len().checked_sub(LINES).filter(|more| *more > 0) {
        shown.push_str(&format!("\n... and {} more", count(more, "line")));
    }
    let fence = fence(&shown, 3);
    format!(
        "<details><summary><code>{}</code>: {}</summary>\n\n{fence}diff\n{shown}\n{fence}\n\n</details>\n\n",
        html(called),
        counted(*counts)
    )
}

/// Backticks enough to enclose `text`: more than stand in a row in it.
fn fence(text: &str, least: usize) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    "`".repeat(least.max(longest + 1))
}

/// A code span.
fn code(text: &str) -> String {
    let text = escape(text);
    let fence = fence(&text, 1);
    // One blank at each end is not part of the code, and parts backticks from the fence.
    let blank = if text.starts_with(['`', ' ']) || text.ends_with(['`', ' ']) { " " } else { "" };
    format!("{fence}{blank}{text}{blank}{fence}")
}

/// Text of HTML, in which nothing is markup of Markdown either.
fn html(text: &str) -> String {
    let mut safe = String::new();
    for c in escape(text).chars() {
        if c.is_alphanumeric() || matches!(c, ' ' | '.' | '-' | '/') {
            safe.push(c);
        } else {
            safe.push_str(&format!("&#{};", u32::from(c)));
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_encloses_any_backticks() {
        assert_eq!(code("lab"), "`lab`");
        assert_eq!(code("a``b`"), "``` a``b` ```");
        assert_eq!(code("@all\n![x](y)"), "`@all\\n![x](y)`");
        assert_eq!(fence("a\n````\nb", 3), "`````");
    }

    #[test]
    fn a_summary_holds_no_markup() {
        assert_eq!(html("<b>@x*"), "&#60;b&#62;&#64;x&#42;");
    }
}
