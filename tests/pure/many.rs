//! Many of one kind: a topology with ranges is the one that is written out.

use crate::generator::many::many;
use crate::generator::{Dice, number, throws, topology};
use crate::law;
use std::path::Path;
use std::time::Instant;
use topo::document::{self, Source};
use topo::render::yaml;

fn source(text: &str) -> Source {
    Source { name: "law.yaml".to_owned(), text: text.into() }
}

/// A file written out.
fn written_out(text: &str) -> String {
    yaml::written_out(&source(text)).unwrap_or_else(|| panic!("{text}"))
}

/// What has to hold of a file: written out it wants the same, and written out again it is the same text.
fn holds(text: &str, what: &str) {
    let long = written_out(text);
    assert!(law::read(&long).unwrap() == law::read(text).unwrap(), "{what}\n{text}\n{long}");
    assert_eq!(written_out(&long), long, "{what}\n{text}");
    let names = long.lines().filter(|line| line.contains("[1-2]") && !line.contains("\\\\[1-2]"));
    assert_eq!(names.count(), 0, "{what}\n{long}");
}

#[test]
fn ranges_are_what_is_written_out() {
    let first = number("TOPO_FIRST", 1);
    for seed in first..first + number("TOPO_RANGES", 300) {
        let throws = throws(seed, 60);
        let both = many("law", &mut Dice::new(&throws));
        let (short, long) = (law::read(&both.short), law::read(&both.long));
        let (short, long) =
            (short.unwrap_or_else(|e| panic!("seed {seed}: {e}")), long.unwrap_or_else(|e| panic!("seed {seed}: {e}")));
        assert!(short == long, "seed {seed}\n{}\n{}", both.short, both.long);
        holds(&both.short, &format!("seed {seed}"));
    }
}

/// What has no ranges is written out as what it was: every part of the language.
#[test]
fn files_without_ranges_stay_what_they_are() {
    for seed in 1..=150 {
        holds(&topology("law", &mut Dice::new(&throws(seed, 400))), &format!("seed {seed}"));
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("topologies");
    for file in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if file.is_file() {
            holds(&std::fs::read_to_string(&file).unwrap(), &file.display().to_string());
        }
    }
}

/// The laws of plan, apply and undo hold for topologies with ranges.
#[test]
fn the_laws_hold_with_ranges() {
    for seed in 1..=20 {
        let read = |seed| law::read(&many("law", &mut Dice::new(&throws(seed, 60))).short).unwrap();
        let case = law::Case { a: read(seed), m: throws(seed, 30), b: read(seed + 1000), at: throws(seed, 1)[0] };
        for (name, law) in law::LAWS {
            if let Err(wrong) = law(&mut law::machine(), &case) {
                panic!("seed {seed}: {name}: {wrong}");
            }
        }
    }
}

/// The star of the documentation, and what it may cost.
pub const STAR: &str = include_str!("../shapes/star-of-1000.yaml");

#[test]
fn a_star_of_a_thousand_takes_fifteen_lines() {
    let lines = STAR.lines().filter(|line| !line.starts_with('#')).count();
    assert!(lines <= 15, "{lines} lines");
    let start = Instant::now();
    let state = law::read(STAR).unwrap();
    eprintln!("{} resources in {:?}", state.items.len(), start.elapsed());
    assert_eq!(
        state.items.values().filter(|item| matches!(&item.resource, topo::resource::Resource::Namespace(_))).count(),
        1001
    );
    let tree = include_str!("../../topologies/fat-tree.yaml");
    assert!(tree.lines().filter(|line| !line.starts_with('#')).count() < 60);
    assert_eq!(law::read(tree).unwrap().sizes().len(), 36, "nodes");
}

/// The files of the page are right, and each formula in it is one.
#[test]
fn the_examples_of_the_page_are_sound() {
    let page = include_str!("../../docs/many.md");
    let blocks: Vec<&str> = page.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert_eq!(blocks.len(), 3);
    for block in blocks {
        let source = document::gather("page.yaml", block.to_owned(), &mut |path| match path {
            "base/uplink.yaml" => Ok("host: { interfaces: { up0: { dummy: {} } } }".to_owned()),
            "base/dns.yaml" => Ok("dns: { hosts: nodes }".to_owned()),
            _ => Err("no such file".to_owned()),
        });
        let document = document::parse(&source).unwrap_or_else(|findings| panic!("{findings:#?}\n{block}"));
        let (topology, mut findings) = document::lower(&document, &source);
        findings.extend(topo::check::run(&document, &topology));
        findings.retain(|finding| finding.severity == document::Severity::Error);
        assert!(findings.is_empty(), "{findings:#?}\n{block}");
    }
    for row in page.lines().filter(|line| line.starts_with("| `\"{n")) {
        for formula in row.split('|').nth(1).unwrap().split('`').filter(|text| text.starts_with("\"{n")) {
            let two = format!(
                "name: a\nnamespaces:\n  \"a[4-5]\":\n    interfaces:\n      \"b[1-2]\": {{ dummy: {{}}, mtu: {} }}\n",
                formula.replace('}', "+1000}").replace(":02+1000", ":02")
            );
            let two =
                if formula.contains("{n1") || formula.contains("{n2") { two } else { two.replace("\"b[1-2]\"", "b") };
            assert!(formula.contains(':') || law::read(&two).is_ok(), "{formula}: {:?}", law::read(&two));
        }
    }
}

/// One of the texts with a few mistakes in it.
fn mangled(texts: &[String], dice: &mut Dice<'_>) -> String {
    let pieces = [
        "[1-9]",
        "{n}",
        "{n1",
        "+1",
        "each: 1-3",
        "{n*9999999999}",
        "[9-1]",
        "\\[",
        "}}",
        "{{",
        "[1-99999999]",
        "null",
        "*a",
        "&a ",
        "defaults:",
        "include: [x]",
        ": ",
        "\n",
        "  ",
        "\"",
        "{n:09}",
        "{n/0}",
        "-",
        ",",
    ];
    let mut chars: Vec<char> = texts[dice.below(texts.len())].chars().collect();
    for _ in 0..=dice.below(5) {
        let at = dice.below(chars.len().max(1));
        match dice.below(4) {
            0 => drop(chars.drain(at..(at + dice.below(15)).min(chars.len()))),
            1 => drop(chars.splice(at..at, dice.one(&pieces).chars())),
            2 => {
                let from = dice.below(chars.len().max(1));
                let piece: Vec<char> = chars[from..(from + dice.below(60)).min(chars.len())].to_vec();
                chars.splice(at..at, piece);
            }
            _ => {
                let other = dice.below(chars.len().max(1));
                if !chars.is_empty() {
                    chars.swap(at, other);
                }
            }
        }
    }
    chars.into_iter().collect()
}

/// Whatever a file with ranges is made into by chance, it is refused or understood, soon and never by a panic.
#[test]
fn mangled_ranges_are_survived() {
    let texts: Vec<String> =
        (1..40).map(|seed| many("law", &mut Dice::new(&throws(seed, 60))).short).chain([STAR.to_owned()]).collect();
    let cases = number("TOPO_MANGLED", 400);
    let first = number("TOPO_FIRST", 1);
    for seed in first..first + cases {
        let throws = throws(seed, 40);
        let mut dice = Dice::new(&throws);
        let text = mangled(&texts, &mut dice);
        let source = source(&text);
        let start = Instant::now();
        if let Ok(document) = document::parse(&source) {
            let (topology, _) = document::lower(&document, &source);
            topo::check::run(&document, &topology);
            // What is understood is the same when it is written out.
            let long = written_out(&text);
            match law::read(&text) {
                Ok(state) => assert!(law::read(&long).unwrap() == state, "seed {seed}\n{text}\n{long}"),
                Err(_) => assert!(law::read(&long).is_err(), "seed {seed}\n{text}\n{long}"),
            }
        }
        assert!(start.elapsed().as_secs() < 20, "seed {seed}: {:?}\n{text}", start.elapsed());
    }
}
