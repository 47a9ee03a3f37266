//! The rules of the house that no compiler holds.

#![allow(clippy::disallowed_methods, reason = "a test makes processes")]

mod imports;
mod words;

use imports::Sources;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Which room may use which: the table of `CONTRIBUTING.md`.
const ROOMS: [(&str, &[&str]); 17] = [
    ("resource", &[]),
    ("kernel", &["resource"]),
    ("dialect", &["resource"]),
    ("model", &["resource", "kernel", "dialect"]),
    ("document", &["resource", "dialect"]),
    ("check", &["resource", "document"]),
    ("plan", &["resource", "model"]),
    ("flow", &["resource", "dialect"]),
    ("apply", &["resource", "kernel", "plan"]),
    ("survey", &["resource"]),
    ("doctor", &["resource", "flow", "survey"]),
    ("import", &["resource", "dialect", "document", "survey"]),
    ("linux", &["resource", "kernel", "dialect", "model", "survey"]),
    ("history", &["resource", "kernel", "plan", "apply", "linux"]),
    ("render", &["resource", "kernel", "dialect", "document", "plan", "apply", "flow", "doctor"]),
    ("graph", &["resource", "document", "plan", "render"]),
    (
        "cli",
        &[
            "resource", "kernel", "dialect", "document", "check", "plan", "apply", "survey", "import", "linux",
            "history", "render", "flow", "doctor", "graph",
        ],
    ),
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
    let end = text.find("#[cfg(test)]\nmod tests {").unwrap_or(text.len());
    text[..end]
        .lines()
        .map(|line| if line.trim_start().starts_with("//") { "" } else { line })
        .collect::<Vec<_>>()
        .join("\n")
}

/// The sources of the program, with their imports resolved.
fn sources() -> Sources {
    let program = |(name, text): (String, String)| (name.trim_start_matches("src/").to_owned(), program(&name, &text));
    Sources::read(
        files("src")
            .into_iter()
            .filter(|(name, _)| name.ends_with(".rs") && !name.contains("/tests") && !name.ends_with("main.rs"))
            .map(program),
    )
}

/// Sources made up for a test of the rules themselves.
fn planted(files: &[(&str, &str)]) -> Sources {
    Sources::read(files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())))
}

/// Uses between rooms that [`ROOMS`] does not allow.
fn wrong_uses(sources: &Sources) -> String {
    let mut wrong = String::new();
    for one in sources.uses() {
        let room = |file: &str| file.split(['/', '.']).next().unwrap_or_default().to_owned();
        let (from, to) = (room(&one.from), room(&one.to));
        let allowed = ROOMS.iter().find(|(name, _)| *name == from).map(|(_, allowed)| *allowed);
        if from != to && allowed.is_some_and(|allowed| !allowed.contains(&to.as_str())) {
            let _ = writeln!(wrong, "{}: {from} may not use {to} ({})", one.from, one.path);
        }
    }
    wrong
}

#[test]
fn rooms_use_only_what_they_may() {
    for (room, _) in ROOMS {
        assert!(root().join("src").join(room).is_dir(), "there is no room {room}");
    }
    let wrong = wrong_uses(&sources());
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn an_upward_import_is_found() {
    let up = [
        ("lib.rs", "pub mod plan;\npub mod cli;\n"),
        ("cli/mod.rs", "mod deep;\npub use deep::Thing;\n"),
        ("cli/deep.rs", "pub struct Thing;\n"),
        ("plan/mod.rs", "use crate::{cli::{self, Thing}};\nfn f() { let _: Thing = cli::Thing; }\n"),
    ];
    let wrong = wrong_uses(&planted(&up));
    assert!(wrong.contains("plan/mod.rs: plan may not use cli"), "{wrong}");
}

#[test]
fn no_file_uses_one_that_uses_it() {
    let circles = sources().circles();
    let inside = |circle: &std::collections::BTreeSet<String>| {
        sources()
            .uses()
            .into_iter()
            .filter(|one| circle.contains(&one.from) && circle.contains(&one.to))
            .map(|one| format!("  {} -> {} ({})\n", one.from, one.to, one.path))
            .collect::<String>()
    };
    let told: String = circles.iter().map(|circle| format!("{} files:\n{}", circle.len(), inside(circle))).collect();
    assert!(circles.is_empty(), "{} circles\n{told}", circles.len());
}

#[test]
fn circles_are_found() {
    let direct = [
        ("lib.rs", "mod a;\nmod b;\n"),
        ("a.rs", "use crate::b::B;\npub struct A(B);\n"),
        ("b.rs", "use crate::a::A;\npub struct B(A);\n"),
    ];
    let through_super = [
        ("lib.rs", "mod room;\n"),
        ("room/mod.rs", "mod a;\nmod b;\n"),
        ("room/a.rs", "use super::b;\npub fn a() { b::b() }\n"),
        ("room/b.rs", "pub fn b() { super::a::a() }\n"),
    ];
    let through_a_re_export = [
        ("lib.rs", "mod room;\nmod other;\n"),
        ("room/mod.rs", "mod a;\npub use a::*;\n"),
        ("room/a.rs", "use crate::other::{self as elsewhere};\npub struct A;\npub fn f() { elsewhere::g() }\n"),
        ("other.rs", "use crate::room::A;\npub fn g() { let _ = A; }\n"),
    ];
    for (files, circle) in [
        (&direct[..], ["a.rs", "b.rs"]),
        (&through_super, ["room/a.rs", "room/b.rs"]),
        (&through_a_re_export, ["other.rs", "room/a.rs"]),
    ] {
        let found = planted(files).circles();
        assert_eq!(found, [circle.map(str::to_owned).into()], "{files:?}");
    }
    let none = [
        ("lib.rs", "mod room;\n"),
        ("room/mod.rs", "mod a;\nmod b;\npub use a::A;\n"),
        ("room/a.rs", "pub struct A;\n"),
        ("room/b.rs", "use super::A;\npub struct B(A);\n"),
    ];
    assert!(planted(&none).circles().is_empty());
}

#[test]
fn pure_rooms_do_nothing() {
    let mut wrong = String::new();
    for room in [
        "resource", "kernel", "dialect", "model", "document", "check", "plan", "flow", "apply", "render", "graph",
        "survey", "import",
    ] {
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
        .map(|(name, text)| {
            (
                text.find("#[cfg(test)]\nmod tests {").map_or(text.lines().count(), |end| text[..end].lines().count()),
                name,
            )
        })
        .filter(|(lines, _)| *lines > 400)
        .map(|(lines, name)| format!("{name}: {lines} lines"))
        .collect();
    assert!(long.is_empty(), "files over 400 lines: {long:#?}");
}

/// Comments are as wide as the formatter has the code; tables and addresses of the web are never broken.
#[test]
fn comments_are_at_most_120_columns_wide() {
    let mut wide = String::new();
    for (name, text) in
        ["src", "tests", "benches"].into_iter().flat_map(files).filter(|(name, _)| name.ends_with(".rs"))
    {
        for (number, line) in text.lines().enumerate().filter(|(_, line)| line.chars().count() > 120) {
            let comment = line.trim_start();
            let whole = comment.contains("://") || comment.trim_start_matches(['/', '!', ' ']).starts_with('|');
            if comment.starts_with("//") && !whole {
                let _ = writeln!(wide, "{name}:{}: {comment}", number + 1);
            }
        }
    }
    assert!(wide.is_empty(), "comments over 120 columns:\n{wide}");
}

/// A public function that returns a `Result` says when it fails, under `# Errors`.
#[test]
fn functions_that_fail_say_when() {
    let mut silent = String::new();
    for (name, text) in files("src").into_iter().filter(|(name, _)| !name.contains("/tests")) {
        let end = text.find("#[cfg(test)]\nmod tests {").unwrap_or(text.len());
        let lines: Vec<&str> = text[..end].lines().collect();
        for (at, line) in lines.iter().enumerate().filter(|(_, line)| line.trim_start().starts_with("pub fn ")) {
            let signature = lines[at..].iter().take(20).copied().collect::<Vec<_>>().join(" ");
            let answer = signature.split('{').next().unwrap_or_default().rsplit_once("->").map(|(_, answer)| answer);
            let above = lines[..at].iter().rev().map(|line| line.trim_start());
            let mut above = above.take_while(|line| line.starts_with("///") || line.starts_with("#["));
            if answer.is_some_and(|answer| answer.contains("Result")) && !above.any(|line| line == "/// # Errors") {
                let _ = writeln!(silent, "{name}:{}: {}", at + 1, line.trim());
            }
        }
    }
    assert!(silent.is_empty(), "functions that do not say when they fail:\n{silent}");
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

/// A `mod.rs` declares and re-exports; types and logic live in a file with a name.
#[test]
fn a_mod_file_holds_no_logic() {
    let mut wrong = String::new();
    for (name, text) in
        files("src").into_iter().filter(|(name, _)| name.ends_with("/mod.rs") && !name.contains("/tests"))
    {
        let mut open = false;
        for line in program(&name, &text).lines().filter(|line| !line.trim().is_empty()) {
            let declares = [
                "mod ",
                "use ",
                "pub mod ",
                "pub use ",
                "pub(crate) mod ",
                "pub(crate) use ",
                "pub(super) mod ",
                "pub(super) use ",
                "#[cfg(test)]",
                "#[path",
            ];
            if !open && !declares.iter().any(|word| line.starts_with(word)) {
                let _ = writeln!(wrong, "{name}: {line}");
                break;
            }
            open = (open || line.contains("use ")) && !line.ends_with(';');
        }
    }
    assert!(wrong.is_empty(), "logic in a mod.rs:\n{wrong}");
}

#[test]
fn no_drawer_for_everything() {
    let drawers = ["util", "utils", "helper", "helpers", "common", "core", "types", "misc"];
    for (name, _) in files("src") {
        let path = Path::new(&name);
        let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
        let parent = path.parent().and_then(Path::file_name).unwrap().to_string_lossy().into_owned();
        assert!(
            !drawers.contains(&stem.as_str()) && !drawers.contains(&parent.as_str()),
            "{name}: a room is called by what it is about"
        );
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
                if line.match_indices(&format!("/{folder}")).any(|(at, _)| {
                    at == 0 || !line[..at].ends_with(|c: char| c.is_alphanumeric() || "._-})".contains(c))
                }) {
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
