//! Files that are wrong, and what is said about them.
//!
//! Each `tests/bad/NAME.yaml` says in comments what is to be found in it, `#! CODE LINE:COLUMN`, with `warning` behind it where it is one. Beside it,
//! `NAME.txt` has the messages as a person reads them; `TOPO_REWRITE=1 cargo test --test bad` writes them anew.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use topo::document::{self, Finding, Lines, Place, Severity, Source};

/// All that is found in a file, in the order of the file.
fn findings(source: &Source) -> Vec<Finding> {
    let document = match document::parse(source) {
        Ok(document) => document,
        Err(findings) => return findings,
    };
    let (topology, mut findings) = document::lower(&document, source);
    findings.extend(topo::check::run(&document, &topology));
    findings.sort_by_key(|finding| finding.labels.first().map_or(0, |label| label.offset));
    findings
}

fn source(path: &Path) -> Source {
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    Source { name, text: std::fs::read_to_string(path).unwrap().into() }
}

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bad");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    files.sort();
    files
}

/// The place of a finding, `LINE:COLUMN`.
fn at(source: &Source, lines: &Lines, offset: usize) -> String {
    let origin = lines.origin(source, Place { offset: offset as u32, length: 0 }, String::new());
    format!("{}:{}", origin.line, origin.column)
}

/// A finding as the comment in its file has it.
fn short(source: &Source, lines: &Lines, finding: &Finding) -> String {
    let place = at(source, lines, finding.labels.first().map_or(0, |label| label.offset));
    let warning = if finding.severity == Severity::Warning { " warning" } else { "" };
    format!("{} {place}{warning}", finding.code)
}

/// A finding as a person reads it.
fn long(source: &Source, lines: &Lines, finding: &Finding) -> String {
    let severity = if finding.severity == Severity::Error { "error" } else { "warning" };
    let mut text = format!("{severity}[{}]: {}\n", finding.code, finding.message);
    for label in &finding.labels {
        let line = source.text.get(label.offset..).and_then(|rest| rest.lines().next()).unwrap_or_default();
        let shown: String = line.chars().take(60).collect();
        let remark = if label.text.is_empty() { String::new() } else { format!("  <- {}", label.text) };
        text.push_str(&format!("  at {}: {}{remark}\n", at(source, lines, label.offset), shown.trim_end()));
    }
    if let Some(help) = &finding.help {
        text.push_str(&format!("  help: {help}\n"));
    }
    text
}

#[test]
fn each_file_gives_what_it_says() {
    let rewrite = std::env::var_os("TOPO_REWRITE").is_some();
    let mut wrong = Vec::new();
    for path in files() {
        let source = source(&path);
        let lines = Lines::of(&source.text);
        let found = findings(&source);
        let expected: Vec<&str> = source.text.lines().filter_map(|line| line.trim_start().strip_prefix("#! ")).collect();
        let shorts: Vec<String> = found.iter().map(|finding| short(&source, &lines, finding)).collect();
        let sorted = |list: &[&str]| list.iter().map(|line| (*line).to_owned()).collect::<BTreeSet<String>>();
        if sorted(&expected) != sorted(&shorts.iter().map(String::as_str).collect::<Vec<_>>()) || expected.len() != shorts.len() {
            wrong.push(format!("{}:\n  expected {expected:#?}\n  found {shorts:#?}", source.name));
        }
        let text: String = found.iter().map(|finding| long(&source, &lines, finding)).collect::<Vec<_>>().join("\n");
        let golden = path.with_extension("txt");
        if rewrite {
            std::fs::write(&golden, &text).unwrap();
        } else if std::fs::read_to_string(&golden).unwrap_or_default() != text {
            wrong.push(format!("{}: other messages than in {}:\n{text}", source.name, golden.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// A bridge has room for 1,023 ports; a file with one more is too long to keep.
#[test]
fn a_bridge_with_too_many_ports_is_an_error() {
    let ports: Vec<String> = (0..1024).map(|n| format!("p{n}")).collect();
    let pairs: String = ports.iter().map(|port| format!("    {port}: {{ veth: far/{port} }}\n")).collect();
    let text = format!("name: lab\nhost:\n  interfaces:\n    br0: {{ bridge: {{ ports: [{}] }} }}\n{pairs}namespaces:\n  far:\n", ports.join(", "));
    let found = findings(&Source { name: "many.yaml".to_owned(), text: text.into() });
    assert_eq!(found.iter().map(|finding| finding.code).collect::<Vec<_>>(), ["too-many-ports"], "{found:#?}");
}

/// The yaml blocks of a text, each as a source.
fn blocks(text: &str) -> Vec<String> {
    text.split("```yaml\n").skip(1).filter_map(|rest| Some(rest.split("```").next()?.to_owned())).collect()
}

#[test]
fn the_labs_are_sound() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("topologies");
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "yaml") {
            continue;
        }
        seen += 1;
        let source = source(&path);
        let lines = Lines::of(&source.text);
        let found = findings(&source);
        let texts: Vec<String> = found.iter().map(|finding| long(&source, &lines, finding)).collect();
        // A warning that a lab means to show stands in it as in the bad files.
        let expected: Vec<&str> = source.text.lines().filter_map(|line| line.trim_start().strip_prefix("#! ")).collect();
        let shorts: Vec<String> = found.iter().map(|finding| short(&source, &lines, finding)).collect();
        assert_eq!(shorts, expected, "{}: {}", source.name, texts.join("\n"));
    }
    assert!(seen > 10, "{seen} labs");
}

#[test]
fn the_examples_of_the_readme_are_sound() {
    for text in blocks(&std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap_or_default()) {
        let source = Source { name: "README.md".to_owned(), text: text.into() };
        let found = findings(&source);
        assert!(found.is_empty() || !source.text.contains("\nname:") && !source.text.starts_with("name:"), "{}\n{found:#?}", source.text);
    }
}
