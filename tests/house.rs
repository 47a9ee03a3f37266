//! The rules of the house that no compiler holds.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::disallowed_methods, reason = "a test fails by panicking")]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Which room may use which: the table of `CONTRIBUTING.md`.
const ROOMS: [(&str, &[&str]); 12] = [
    ("resource", &[]),
    ("kernel", &["resource"]),
    ("dialect", &["resource"]),
    ("model", &["resource", "kernel", "dialect"]),
    ("document", &["resource", "dialect"]),
    ("check", &["resource", "document"]),
    ("plan", &["resource", "model"]),
    ("apply", &["resource", "kernel", "plan"]),
    ("linux", &["resource", "kernel", "dialect", "model"]),
    ("history", &["resource", "kernel", "plan", "apply", "linux"]),
    ("render", &["resource", "dialect", "document", "plan", "apply"]),
    ("cli", &["resource", "kernel", "dialect", "document", "check", "plan", "apply", "linux", "history", "render"]),
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// All files below a folder, with their path from the root of the repository.
fn files(folder: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut open = vec![root().join(folder)];
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else if let Ok(text) = std::fs::read_to_string(&path) {
            found.push((path.strip_prefix(root()).unwrap().display().to_string(), text));
        }
    }
    found.sort();
    found
}

/// The part of a source file that is the program: without comments, and without the tests at its end.
fn program(name: &str, text: &str) -> String {
    if name.contains("/tests") {
        return String::new();
    }
    let end = text.find("#[cfg(test)]\nmod ").unwrap_or(text.len());
    text[..end].lines().map(|line| if line.trim_start().starts_with("//") { "" } else { line }).collect::<Vec<_>>().join("\n")
}

/// The rooms that a text speaks of after `crate::`, with the line of each.
fn rooms_used(text: &str) -> Vec<(usize, String)> {
    let mut used = Vec::new();
    for (at, _) in text.match_indices("crate::") {
        let line = text[..at].lines().count();
        let rest = &text[at + "crate::".len()..];
        let word = |text: &str| text.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
        match rest.strip_prefix('{') {
            None => used.push((line, word(rest))),
            Some(group) => {
                let (mut depth, mut start) = (0, true);
                for (place, c) in group.char_indices() {
                    match c {
                        '{' => depth += 1,
                        '}' if depth == 0 => break,
                        '}' => depth -= 1,
                        ',' if depth == 0 => start = true,
                        c if start && !c.is_whitespace() => {
                            used.push((line, word(&group[place..])));
                            start = false;
                        }
                        _ => {}
                    }
                }
            }
        }
    }
    used
}

#[test]
fn rooms_use_only_what_they_may() {
    let mut wrong = String::new();
    for (room, allowed) in ROOMS {
        let file = format!("src/{room}.rs");
        let mut sources = if root().join(&file).exists() { files(&file) } else { Vec::new() };
        sources.extend(files(&format!("src/{room}")));
        assert!(!sources.is_empty(), "there is no room {room}");
        for (name, text) in sources {
            for (line, other) in rooms_used(&program(&name, &text)) {
                if other != room && ROOMS.iter().any(|(known, _)| *known == other) && !allowed.contains(&other.as_str()) {
                    let _ = writeln!(wrong, "{name}:{line}: {room} may not use {other}");
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn the_table_reads_groups() {
    let used: Vec<String> = rooms_used("use crate::{plan::{self, Step}, kernel};\nuse crate::resource::Name;").into_iter().map(|(_, room)| room).collect();
    assert_eq!(used, ["plan", "kernel", "resource"]);
}

#[test]
fn pure_rooms_do_nothing() {
    let mut wrong = String::new();
    for room in ["resource", "kernel", "dialect", "model", "document", "check", "plan", "apply", "render"] {
        for (name, text) in files(&format!("src/{room}")) {
            for (number, line) in program(&name, &text).lines().enumerate() {
                for word in [
                    "std::fs",
                    "std::net::Tcp",
                    "std::net::Udp",
                    "std::process",
                    "std::thread",
                    "std::env",
                    "std::time::Instant",
                    "std::time::SystemTime",
                    "nix::",
                ] {
                    if line.contains(word) {
                        let _ = writeln!(wrong, "{name}:{}: {word} in a room that only thinks", number + 1);
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn files_are_short() {
    let long: Vec<String> = files("src")
        .into_iter()
        .filter(|(name, _)| name.ends_with(".rs"))
        .map(|(name, text)| (text.find("#[cfg(test)]\nmod tests {").map_or(text.lines().count(), |end| text[..end].lines().count()), name))
        .filter(|(lines, _)| *lines > 400)
        .map(|(lines, name)| format!("{name}: {lines} lines"))
        .collect();
    assert!(long.is_empty(), "files over 400 lines: {long:#?}");
}

#[test]
fn nothing_panics_on_purpose() {
    let mut wrong = String::new();
    for (name, text) in files("src") {
        for (number, line) in program(&name, &text).lines().enumerate() {
            for word in [".unwrap()", ".expect(", "panic!(", "todo!(", "unimplemented!("] {
                if line.contains(word) {
                    let _ = writeln!(wrong, "{name}:{}: {}", number + 1, line.trim());
                }
            }
        }
    }
    assert!(wrong.is_empty(), "these may panic on input:\n{wrong}");
}

#[test]
fn no_drawer_for_everything() {
    let drawers = ["util", "utils", "helper", "helpers", "common", "core", "types", "misc"];
    for (name, _) in files("src") {
        let path = Path::new(&name);
        let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
        let parent = path.parent().and_then(Path::file_name).unwrap().to_string_lossy().into_owned();
        assert!(!drawers.contains(&stem.as_str()) && !drawers.contains(&parent.as_str()), "{name}: a room is called by what it is about");
    }
}

#[test]
fn no_path_of_one_machine() {
    let folders = ["work/", "home/", "root/", "tmp/wt"];
    let mut wrong = String::new();
    let top = [
        "Cargo.toml",
        "Makefile",
        "README.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
        "deny.toml",
        "clippy.toml",
        ".ci",
        "src",
        "tests",
        "topologies",
        "examples",
        "benches",
        "schemas",
    ];
    for (name, text) in top.iter().filter(|name| root().join(name).exists()).flat_map(|name| files(name)) {
        for (number, line) in text.lines().enumerate() {
            for folder in folders {
                if line
                    .match_indices(&format!("/{folder}"))
                    .any(|(at, _)| at == 0 || !line[..at].ends_with(|c: char| c.is_alphanumeric() || "._-})".contains(c)))
                {
                    let _ = writeln!(wrong, "{name}:{}: {}", number + 1, line.trim());
                }
            }
        }
    }
    assert!(wrong.is_empty(), "paths of one machine:\n{wrong}");
}

#[test]
fn the_table_is_the_one_in_the_guide() {
    let guide = std::fs::read_to_string(root().join("CONTRIBUTING.md")).unwrap();
    for (room, allowed) in ROOMS {
        let names = if allowed.is_empty() { "nothing".to_owned() } else { allowed.join(", ") };
        let row = format!("| `{room}` | {names} |");
        assert!(guide.lines().any(|line| line.starts_with(&row)), "CONTRIBUTING.md lacks the row {row}");
    }
}
