//! Files that are wrong, and what is said about them.
//!
//! Each `tests/bad/NAME.yaml` says in comments what is to be found in it, `#! CODE LINE:COLUMN`, with `warning` behind
//! it where it is one. Beside it, `NAME.txt` has the messages as a person reads them;
//! `TOPO_REWRITE=1 cargo test --test pure bad` writes them anew.

#![allow(clippy::disallowed_methods, reason = "a test makes processes")]

use crate::generator;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
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
    let folder = path.parent().unwrap();
    document::gather(&name, std::fs::read_to_string(path).unwrap(), &mut |included| {
        std::fs::read_to_string(folder.join(included)).map_err(|_| "no such file or directory".to_owned())
    })
}

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bad");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    files.sort();
    files
}

/// The place of a finding, `LINE:COLUMN`, with the name of an included file before it.
fn at(source: &Source, lines: &Lines, offset: usize) -> String {
    let origin = lines.origin(source, Place::new(offset as u32, 0), String::new());
    let file = if origin.file == source.name { String::new() } else { format!("{}:", origin.file) };
    format!("{file}{}:{}", origin.line, origin.column)
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
        if finding.code == "key-in-file" {
            text.push_str(&format!("  at {}\n", at(source, lines, label.offset)));
            continue;
        }
        let part = source.text.part(label.offset);
        let line = part.text.get(label.offset - part.base..).and_then(|rest| rest.lines().next()).unwrap_or_default();
        let shown: String = line.chars().take(60).collect();
        let remark = if label.text.is_empty() { String::new() } else { format!("  <- {}", label.text) };
        text.push_str(&format!("  at {}: {}{remark}\n", at(source, lines, label.offset), shown.trim_end()));
    }
    if let Some(help) = &finding.help {
        text.push_str(&format!("  help: {help}\n"));
    }
    text
}

/// What dice make has segments with a subnet each, and is not warned of.
#[test]
fn no_cable_of_the_dice_is_one_over_which_nobody_is_reached() {
    for seed in 1..=200 {
        let throws = generator::throws(seed, 400);
        let text = generator::topology("dice", &mut generator::Dice::new(&throws));
        let found = findings(&Source { name: "dice.yaml".to_owned(), text: text.clone().into() });
        let wrong = found.iter().find(|finding| ["subnet-ends-differ", "host-addresses-only"].contains(&finding.code));
        assert!(wrong.is_none(), "seed {seed}: {wrong:?}\n{text}");
    }
}

#[test]
fn each_file_gives_what_it_says() {
    let rewrite = std::env::var_os("TOPO_REWRITE").is_some();
    let mut wrong = Vec::new();
    for path in files() {
        let source = source(&path);
        let lines = Lines::of(&source.text);
        let found = findings(&source);
        let expected: Vec<&str> =
            source.text.lines().filter_map(|line| line.trim_start().strip_prefix("#! ")).collect();
        let shorts: Vec<String> = found.iter().map(|finding| short(&source, &lines, finding)).collect();
        let sorted = |list: &[&str]| list.iter().map(|line| (*line).to_owned()).collect::<BTreeSet<String>>();
        if sorted(&expected) != sorted(&shorts.iter().map(String::as_str).collect::<Vec<_>>())
            || expected.len() != shorts.len()
        {
            wrong.push(format!("{}:\n  expected {expected:#?}\n  found {shorts:#?}", source.name));
        }
        let text: String = found.iter().map(|finding| long(&source, &lines, finding)).collect::<Vec<_>>().join("\n");
        let golden = path.with_extension("txt");
        if rewrite {
            std::fs::write(&golden, &text).unwrap();
            if std::env::var_os("TOPO_EXPECT").is_some() {
                let body: String = source
                    .text
                    .lines()
                    .filter(|line| !line.starts_with("#! "))
                    .map(|line| format!("{line}\n"))
                    .collect();
                let marks: String = shorts.iter().map(|line| format!("#! {line}\n")).collect();
                std::fs::write(&path, body + &marks).unwrap();
            }
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
    let text = format!(
        "name: lab\nhost:\n  interfaces:\n    br0: {{ bridge: {{ ports: [{}] }} }}\n{pairs}namespaces:\n  far:\n",
        ports.join(", ")
    );
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
        let expected: Vec<&str> =
            source.text.lines().filter_map(|line| line.trim_start().strip_prefix("#! ")).collect();
        let shorts: Vec<String> = found.iter().map(|finding| short(&source, &lines, finding)).collect();
        assert_eq!(shorts, expected, "{}: {}", source.name, texts.join("\n"));
    }
    assert!(seen > 10, "{seen} labs");
}

#[test]
fn the_examples_of_the_readme_are_sound() {
    for text in
        blocks(&std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap_or_default())
    {
        let source = Source { name: "README.md".to_owned(), text: text.into() };
        let found = findings(&source);
        assert!(
            found.is_empty() || !source.text.contains("\nname:") && !source.text.starts_with("name:"),
            "{}\n{found:#?}",
            source.text
        );
    }
}

/// The codes that the sources of a room name.
fn codes_of(room: &str) -> BTreeSet<String> {
    let mut codes = BTreeSet::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(room)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            for start in ["Finding::error(", "Finding::warning(", "Wrong::new(", "Wrong::not("] {
                let quoted = text.split(start).skip(1).filter_map(|rest| rest.trim_start().strip_prefix('"'));
                codes.extend(quoted.filter_map(|rest| Some(rest.split('"').next()?.to_owned())));
            }
        }
    }
    codes
}

#[test]
fn every_code_has_a_file_that_shows_it() {
    let mut shown: BTreeSet<String> =
        BTreeSet::from(["too-many-ports".to_owned(), "file-too-large".to_owned(), "too-many-findings".to_owned()]);
    for path in files() {
        let source = source(&path);
        shown.extend(findings(&source).iter().map(|finding| finding.code.to_owned()));
    }
    let missing: Vec<String> =
        codes_of("check").union(&codes_of("document")).filter(|code| !shown.contains(*code)).cloned().collect();
    assert!(missing.is_empty(), "no file in tests/bad shows {missing:?}");
    assert!(shown.len() >= 40, "{}", shown.len());
}

/// What only a plan can warn of, because it knows the machine: `overlap` in `tests/program/cli.rs` shows them.
const OF_PLANS: [&str; 2] = ["interface-absent", "route-overlaps"];

/// Every warning can be answered.
#[test]
fn every_warning_can_be_allowed() {
    let all = files().into_iter().flat_map(|path| findings(&source(&path)));
    let codes: BTreeSet<&str> =
        all.filter(|finding| finding.severity == Severity::Warning).map(|finding| finding.code).collect();
    let unknown: Vec<&&str> = codes.iter().filter(|code| !document::WARNINGS.contains(code)).collect();
    assert!(unknown.is_empty(), "WARNINGS of src/document/schema/allow.rs lacks {unknown:?}");
    let never: Vec<&&str> =
        document::WARNINGS.iter().filter(|code| !codes.contains(**code) && !OF_PLANS.contains(code)).collect();
    assert!(never.is_empty(), "nobody warns of {never:?}");
}

/// How long it takes to look at a text, and how many findings it gives.
fn cost(text: String) -> (Duration, usize) {
    let start = Instant::now();
    let found = findings(&Source { name: "hostile.yaml".to_owned(), text: text.into() });
    (start.elapsed(), found.len())
}

#[test]
fn hostile_files_are_done_with_soon() {
    let addresses: Vec<String> =
        (0..60_000).map(|n| format!("10.{}.{}.{}/8", n >> 16, n >> 8 & 255, n & 255)).collect();
    let links: String =
        (0..10_000).map(|n| format!("      e{n}: {{ veth: B/e{n}, addresses: [10.0.0.1/8] }}\n")).collect();
    let bridges: String = (0..10_000)
        .map(|n| {
            format!(
                "      b{n}: {{ bridge: {{ ports: [x{n}, y{n}] }} }}\n      x{n}: {{ veth: A/y{} }}\n",
                (n + 1) % 10_000
            )
        })
        .collect();
    let routes: String =
        (0..20_000).map(|n| format!("      - {{ to: 10.{}.{}.0/24, via: 192.0.2.1 }}\n", n >> 8, n & 255)).collect();
    let macvlans: String =
        (0..20_000).map(|n| format!("      m{n}: {{ macvlan: {{ link: m{} }} }}\n", (n + 1) % 20_000)).collect();
    let rules: String = (0..20_000)
        .map(|n| format!("          - {{ in: [a*, b{n}], protocol: icmp, port: {}, accept: {{}} }}\n", n + 1))
        .collect();
    let checks =
        "  - ping: { from: A, to: A, family: ipv6 }\n  - ping: { from: C, to: A/e0, expect: fail }\n".repeat(500);
    let texts = [
        format!(
            "name: h\nnamespaces:\n  B:\n  A:\n    interfaces:\n      e0: {{ veth: B/e0, addresses: [{}] }}\n",
            addresses.join(", ")
        ),
        format!("name: h\nnamespaces:\n  B:\n  A:\n    interfaces:\n{links}"),
        format!("name: h\nnamespaces:\n  A:\n    interfaces:\n{bridges}"),
        format!("name: h\nnamespaces:\n  B:\n  A:\n    interfaces:\n      e0: {{ veth: B/e0 }}\n    routes:\n{routes}"),
        format!("name: h\nnamespaces:\n  A:\n    interfaces:\n{macvlans}"),
        format!("name: h\nnamespaces:\n  A:\n    firewall:\n      input:\n        rules:\n{rules}"),
        format!(
            "name: h\nnamespaces:\n  B:\n  A:\n    interfaces:\n      e0: {{ veth: B/e0, addresses: [{}] }}\nchecks:\n{}",
            addresses.join(", "),
            checks
        ),
        format!("name: h\n{}", (0..100_000).map(|n| format!("key{n}:\n")).collect::<String>()),
    ];
    for (nth, text) in texts.into_iter().enumerate() {
        let (took, found) = cost(text);
        eprintln!("{nth}: {took:?}, {found} findings");
        assert!(found <= 10_001, "{nth}: {found}");
        // The promise is a second for the program as it is shipped; this one is built without optimisation, and others
        // may be at work: it must end, no more.
        assert!(took < Duration::from_secs(120), "{nth}: {took:?}");
    }
}

/// Whatever a file is made into by chance, it is refused or understood, never a panic.
#[test]
fn mangled_files_are_survived() {
    let texts: Vec<String> = files().iter().map(|path| source(path).text.to_string()).collect();
    // A small generator (xorshift) with a fixed start: the same files at every run.
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below.max(1) as u64) as usize
    };
    for _ in 0..1_000 {
        let mut chars: Vec<char> = texts[random(texts.len())].chars().collect();
        for _ in 0..=random(4) {
            let (at, from) = (random(chars.len()), random(chars.len()));
            match random(4) {
                0 => drop(chars.drain(at..(at + random(12)).min(chars.len()))),
                1 => chars.insert(
                    at,
                    ['{', '}', '[', ']', ':', '"', '0', '/', '\n', ' ', '*', '&', '\u{e9}', '!'][random(14)],
                ),
                2 => {
                    let piece: Vec<char> = chars[from..(from + random(40)).min(chars.len())].to_vec();
                    chars.splice(at..at, piece);
                }
                _ => chars.swap(at, from),
            }
            if chars.is_empty() {
                break;
            }
        }
        let text: String = chars.into_iter().collect();
        findings(&Source { name: "mangled.yaml".to_owned(), text: text.into() });
    }
}

/// The program says what was found, never shows a key, and ends with 65 where something stops it.
#[test]
fn the_program_ends_with_65() {
    for path in files() {
        let source = source(&path);
        let errors = findings(&source).iter().any(|finding| finding.severity == Severity::Error);
        let output =
            std::process::Command::new(env!("CARGO_BIN_EXE_topo")).arg("validate").arg(&path).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(if errors { 65 } else { 0 }), "{}: {said}", source.name);
        assert!(!said.contains("c2VjcmV0c2VjcmV0"), "{}: a key is shown: {said}", source.name);
    }
}
