//! The words of the house: those of `ip`, nftables, netplan and Terraform, as the glossary of `CONTRIBUTING.md` has
//! them.

use super::{files, program, root};
use std::fmt::Write as _;

/// Words that no text for a user has, what stands in their place.
const BANNED: [(&str, &str); 25] = [
    ("somebody", "another program; outside topo; that topo did not create"),
    ("nobody", "no, nothing"),
    ("told", "reported, printed"),
    ("tells", "reports, prints"),
    ("born", "created"),
    ("birth", "creation"),
    ("stands on", "has the lower device"),
    ("stand on", "have the lower device"),
    ("stood on", "had the lower device"),
    ("a person", "a user"),
    ("bad line", "impairment"),
    ("does for the kernel", "the offload features of"),
    ("do for the kernel", "the offload features of"),
    ("astray", "drifted"),
    ("doomed", "to be deleted"),
    ("lodger", "a foreign link"),
    ("lodgers", "foreign links"),
    ("twins", "the other end of a deleted pair"),
    ("in vain", "on error, after the timeout"),
    ("a hand", "a manual change"),
    ("on paper", "in the rehearsal"),
    ("comes home", "is moved back"),
    ("whoever", "the program or user that"),
    ("unless said", "default"),
    ("other people", "other programs, foreign"),
];

/// Files whose words may not change: records of topo 0.1 have them.
const RECORDED: [&str; 1] = ["src/resource/foreign.rs"];

/// Whether `text` has the word, by itself.
fn has(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| {
        let apart = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric() && c != '_');
        apart(text[..at].chars().next_back()) && apart(text[at + word.len()..].chars().next())
    })
}

/// The texts in quotes of a source file, with the numbers of their lines. Literals that are no text have no blank.
fn literals(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut open: Option<(usize, String)> = None;
    let mut chars = text.chars().peekable();
    let mut line = 1;
    while let Some(c) = chars.next() {
        line += usize::from(c == '\n');
        match (&mut open, c) {
            (Some((_, literal)), '\\') => literal.extend([c].into_iter().chain(chars.next())),
            (Some(_), '"') => found.extend(open.take()),
            (Some((_, literal)), _) => literal.push(c),
            (None, '\'') if chars.peek() == Some(&'"') => _ = chars.next(),
            (None, '"') => open = Some((line, String::new())),
            (None, _) => {}
        }
    }
    found.retain(|(_, literal)| literal.contains(' '));
    found
}

/// What a user reads: help, descriptions of the schemas, errors, documentation.
fn shown() -> Vec<(String, usize, String)> {
    let mut shown = Vec::new();
    for (name, text) in files("src").into_iter().filter(|(name, _)| name.ends_with(".rs") && !name.contains("/tests")) {
        if RECORDED.contains(&name.as_str()) {
            continue;
        }
        shown.extend(literals(&program(&name, &text)).into_iter().map(|(line, text)| (name.clone(), line, text)));
        let described = ["src/document/schema/", "src/cli/command/", "src/cli/global.rs", "src/render/json/"];
        if described.iter().any(|part| name.starts_with(part)) {
            let docs = text.lines().enumerate().filter(|(_, line)| line.trim_start().starts_with("///"));
            shown.extend(docs.map(|(number, line)| (name.clone(), number + 1, line.trim().to_owned())));
        }
    }
    for (name, text) in ["README.md", "docs", "schemas"].into_iter().flat_map(files) {
        // The names in pictures are those of the labs.
        if name.starts_with("docs/pictures/") {
            continue;
        }
        // Codes of findings are part of the language.
        let text = text.replace("gateway-nobody", "");
        shown.extend(text.lines().enumerate().map(|(number, line)| (name.clone(), number + 1, line.to_owned())));
    }
    shown
}

#[test]
fn users_read_the_words_of_the_field() {
    let mut wrong = String::new();
    for (name, line, text) in shown() {
        for (word, instead) in BANNED.iter().filter(|(word, _)| has(&text.to_lowercase(), word)) {
            let _ = writeln!(wrong, "{name}:{line}: {word:?}: write {instead:?}: {}", text.trim());
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn comments_have_the_words_of_the_field() {
    let mut wrong = String::new();
    for (name, text) in files("src").into_iter().filter(|(name, _)| !RECORDED.contains(&name.as_str())) {
        for (number, line) in text.lines().enumerate().filter(|(_, line)| line.trim_start().starts_with("//")) {
            for (word, instead) in BANNED.iter().filter(|(word, _)| has(&line.to_lowercase(), word)) {
                let _ = writeln!(wrong, "{name}:{}: {word:?}: write {instead:?}: {}", number + 1, line.trim());
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn the_glossary_is_in_the_guide() {
    let guide = std::fs::read_to_string(root().join("CONTRIBUTING.md")).unwrap();
    let rows = guide.lines().skip_while(|line| *line != "## Words").filter(|line| line.starts_with("| ")).count();
    assert!(rows > 30, "the glossary has {rows} rows");
}
