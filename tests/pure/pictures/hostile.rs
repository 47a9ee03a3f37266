//! Names that try to be more than names, in every format.

use super::{data, xml};
use topo::graph::model::{End, Line, Mark, Node, Picture, Port, PortKind, Role, Wire, WireKind};
use topo::graph::{self, dot, html, mermaid, svg, text};

const NAMES: [&str; 14] = [
    "\"><script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "</title></svg><img src=x onerror=alert(1)>",
    "--\n  click n0 \"javascript:alert(1)\"",
    "%%{init: {\"securityLevel\": \"loose\"}}%%",
    "a\"] --> b[\"c",
    "`**bold**` [x](javascript:y) ![i](http://e/x) @all #1",
    "\\N \\G \\\" \" ]; n9 [label=x",
    "\u{202e}dlrow\u{2066}\u{200b}\u{feff}",
    "\x1b[31m\x07\0\r\n",
    "]]> <!-- -- --> <![CDATA[ &amp; &#60; &lt;",
    "'; drop; --",
    "서울 漢字 \u{1f600} e\u{301}",
    "#quot; #60; &quot;",
];

fn line(text: &str) -> Line {
    Line { text: text.to_owned(), mark: Mark::Changed, dim: false }
}

fn port(name: &str, kind: PortKind, master: Option<&str>) -> Port {
    Port {
        name: name.to_owned(),
        nameless: false,
        kind,
        lines: vec![line(name)],
        impairment: vec![line(name)],
        master: master.map(str::to_owned),
        lower: None,
        mark: Mark::Added,
    }
}

/// A picture in which everything is called so.
fn picture(name: &str) -> Picture {
    let node = |key: &str, ports| Node {
        key: format!("{key}{name}"),
        name: name.to_owned(),
        role: Role::Existing,
        facts: vec![line(name)],
        ports,
        mark: Mark::Removed,
        details: vec![line(name)],
        members: vec![name.to_owned(), name.to_owned()],
    };
    let bridge = format!("br{name}");
    let nodes = vec![
        node("a", vec![port(&bridge, PortKind::Bridge, None), port(name, PortKind::Plain, Some(&bridge))]),
        node("b", vec![port(name, PortKind::Plain, None)]),
    ];
    let wire =
        Wire { a: End { node: 0, port: 1 }, b: End { node: 1, port: 0 }, kind: WireKind::Pair, mark: Mark::Added };
    Picture { title: name.to_owned(), change: true, nodes, wires: vec![wire] }
}

#[test]
fn svg_is_text_whatever_the_names() {
    for name in NAMES {
        let svg = svg::text(&graph::scene(&picture(name)));
        xml::check(name, &svg);
        for word in ["<script", "<img", "<!--", "\u{202e}", "\x1b"] {
            assert!(!svg.contains(word), "{name:?} gives {word:?}");
        }
    }
}

#[test]
fn a_page_has_one_script_and_its_data_whatever_the_names() {
    for name in NAMES {
        let picture = picture(name);
        let page = html::text(&picture);
        assert_eq!(page.matches("<script").count(), 2, "{name:?}");
        assert_eq!(page.matches("</script").count(), 2, "{name:?}");
        assert!(!page.contains("<img") && !page.contains("<!--"), "{name:?}");
        let data = data(&page);
        assert!(data["nodes"].as_object().unwrap().contains_key(&format!("a{name}")), "{name:?}");
        for word in ["\u{202e}", "\x1b"] {
            assert!(!data["scenes"].to_string().contains(&format!("\"text\":\"{word}")), "{name:?}");
        }
    }
    for word in ["innerHTML", "outerHTML", "insertAdjacent", "document.write", "eval(", "http:", "https:"] {
        assert!(!html::SCRIPT.replace("http://www.w3.org/2000/svg", "").contains(word), "{word} in the script");
    }
}

/// All that names bring stands between quotes, as letters, digits, blanks, harmless signs and numbers.
#[test]
fn mermaid_has_names_in_quotes_alone() {
    for name in NAMES {
        let mermaid = mermaid::text(&picture(name));
        let outside: String = mermaid.split('"').step_by(2).collect();
        let words = outside.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
        for word in words {
            let own = ["flowchart", "LR", "subgraph", "end", "linkStyle", "classDef", "class", "stroke", "width"];
            let known = own.contains(&word)
                || ["added", "changed", "removed", "dasharray", "3px", "0", "5", "4"].contains(&word)
                || word.starts_with(['n', 'g']) && word[1..].chars().all(|c| c.is_ascii_digit() || c == 'b')
                || word.len() == 6 && word.chars().all(|c| c.is_ascii_hexdigit());
            assert!(known, "{name:?}: {word:?} in\n{mermaid}");
        }
        for quoted in mermaid.split('"').skip(1).step_by(2) {
            let text = quoted.replace("<br/>", "");
            let bad = text.chars().find(|c| "\"<>%`{}[]|\\\n\r&@*_~!=-".contains(*c) || c.is_control());
            assert_eq!(bad, None, "{name:?}: {text:?}");
            let numbers = text
                .split('#')
                .skip(1)
                .all(|rest| rest.split_once(';').is_some_and(|(number, _)| number.chars().all(|c| c.is_ascii_digit())));
            assert!(numbers, "{name:?}: {text:?}");
        }
    }
}

/// A string ends at a quote that no backslash precedes; outside of them there are only words of our own.
#[test]
fn dot_has_names_in_quotes_alone() {
    for name in NAMES {
        let dot = dot::text(&picture(name));
        let (mut outside, mut quoted, mut escaped) = (String::new(), false, false);
        for c in dot.chars() {
            match (quoted, escaped, c) {
                (true, true, c) => {
                    assert!(matches!(c, '\\' | '"' | 'n'), "{name:?}: \\{c}");
                    escaped = false;
                }
                (true, false, '\\') => escaped = true,
                (_, _, '"') => quoted = !quoted,
                (true, ..) => assert!(!c.is_control(), "{name:?}"),
                (false, ..) => outside.push(c),
            }
        }
        assert!(!quoted && !outside.contains("alert") && !outside.contains("n9"), "{name:?}:\n{outside}");
    }
}

#[test]
fn a_terminal_obeys_no_name() {
    for name in NAMES {
        let drawn = text::text(&picture(name), 80);
        let plain = anstream::adapter::strip_str(&drawn).to_string();
        assert!(!plain.contains(|c: char| c.is_control() && c != '\n' || c == '\u{202e}'), "{name:?}: {plain:?}");
    }
}
