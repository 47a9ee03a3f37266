//! The rooms that think are a crate of their own, without the system: nothing of Linux, no terminal. This makes that
//! crate in the target folder, from the same sources and the same versions of the few crates that it needs, and runs
//! their unit tests there.

#![allow(clippy::disallowed_methods, reason = "a test makes processes")]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The rooms, in the order of `CONTRIBUTING.md`.
const ROOMS: [&str; 8] = ["resource", "kernel", "dialect", "model", "document", "check", "plan", "apply"];

/// What they may depend on.
const CRATES: [&str; 9] =
    ["base64ct", "granit-parser", "indexmap", "ipnet", "schemars", "serde", "serde_json", "similar", "strsim"];

/// What their tests may depend on besides.
const OF_TESTS: [&str; 2] = ["jsonschema", "proptest"];

/// The lines of a section of `Cargo.toml`, with those crates alone.
fn dependencies(manifest: &str, section: &str, crates: &[&str]) -> String {
    let lines = manifest.lines().skip_while(|line| *line != section).skip(1).take_while(|line| !line.starts_with('['));
    let of = |line: &&str| line.split_once(" = ").is_some_and(|(name, _)| crates.contains(&name));
    let lines: Vec<&str> = lines.filter(of).collect();
    assert_eq!(lines.len(), crates.len(), "{section} has {lines:?} of {crates:?}");
    format!("{section}\n{}\n", lines.join("\n"))
}

/// Writes a file where it is not so already: what is as it was is not built anew.
fn write(path: &Path, text: &str) {
    if std::fs::read_to_string(path).is_ok_and(|there| there == text) {
        return;
    }
    std::fs::write(path, text).unwrap();
}

/// Makes the crate in `folder`.
fn lay_out(root: &Path, folder: &Path) {
    std::fs::create_dir_all(folder.join("src")).unwrap();
    let manifest = std::fs::read_to_string(root.join("Cargo.toml")).unwrap();
    let profile = "[profile.dev]\ndebug = \"line-tables-only\"\n";
    assert!(manifest.contains(profile), "the profile of Cargo.toml is another one: other dependencies would be built");
    let text = format!(
        "[package]\nname = \"topo-alone\"\nversion = \"0.0.0\"\nedition = \"2024\"\npublish = false\n\n[workspace]\n\n{}\n{}\n{profile}",
        dependencies(&manifest, "[dependencies]", &CRATES),
        dependencies(&manifest, "[dev-dependencies]", &OF_TESTS),
    );
    let mut library = "#![allow(dead_code, unused_imports)]\n".to_owned();
    for room in ROOMS {
        writeln!(library, "#[path = {:?}]\npub mod {room};", root.join("src").join(room).join("mod.rs")).unwrap();
    }
    write(&folder.join("Cargo.toml"), &text);
    write(&folder.join("src/lib.rs"), &library);
    // The versions of the repository; those that are not needed are dropped from it.
    std::fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
    let schemas = folder.join("schemas");
    if !schemas.exists() {
        std::os::unix::fs::symlink(root.join("schemas"), &schemas).unwrap();
    }
}

#[test]
fn the_rooms_that_think_need_no_linux() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    // The folder of this test is `TARGET/PROFILE/deps`.
    let program = std::env::current_exe().unwrap();
    let target = program.ancestors().nth(3).unwrap();
    let folder = target.join("alone");
    lay_out(&root, &folder);
    let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["test", "--offline", "--lib", "--quiet"])
        .current_dir(&folder)
        .env("CARGO_TARGET_DIR", target)
        .output()
        .unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}");
    let ran = said.lines().find_map(|line| line.strip_prefix("test result: ok. ")?.split_once(" passed"));
    let ran: usize = ran.map(|(count, _)| count.parse().unwrap()).unwrap();
    assert!(ran > 50, "only {ran} unit tests were found\n{said}");
    let lock = std::fs::read_to_string(folder.join("Cargo.lock")).unwrap();
    for system in ["nix", "netlink-sys", "signal-hook", "clap", "miette"] {
        let named = format!("name = \"{system}\"");
        assert!(!lock.contains(&named), "a dependency of the rooms that think brings {system}");
    }
}
