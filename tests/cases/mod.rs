//! Cases that a law once failed for, a folder each: `a.yaml` and `b.yaml`, the two topologies; `m`, the throws of what
//! a hand does to the model in between; `at`, that of where something fails; `hand.sh`, what a hand does to the kernel
//! in between. All but the two files may be missing.

#![allow(dead_code, reason = "each test crate uses a part of it")]
use crate::law::{Case, Throws, read};
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases")
}

/// The folders, by name.
pub fn folders() -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> =
        std::fs::read_dir(root()).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect();
    folders.sort();
    folders
}

/// The numbers of a file, none where it is missing.
fn numbers(path: &Path) -> Vec<u16> {
    let text = if path.exists() { std::fs::read_to_string(path).unwrap() } else { String::new() };
    text.split_whitespace()
        .map(|word| word.parse().unwrap_or_else(|_| panic!("{}: {word:?}", path.display())))
        .collect()
}

/// All cases, each with the name of its folder.
pub fn all() -> Vec<(String, Case)> {
    let state = |path: PathBuf| {
        read(&std::fs::read_to_string(&path).unwrap()).unwrap_or_else(|wrong| panic!("{}: {wrong}", path.display()))
    };
    let case = |folder: &PathBuf| Case {
        a: state(folder.join("a.yaml")),
        m: numbers(&folder.join("m")),
        b: state(folder.join("b.yaml")),
        at: numbers(&folder.join("at")).first().copied().unwrap_or(0),
    };
    folders().iter().map(|folder| (folder.file_name().unwrap().to_string_lossy().into_owned(), case(folder))).collect()
}

/// Keeps a case in a folder; answers with its path in the repository.
pub fn keep(name: &str, throws: &Throws) -> String {
    let folder = root().join(name);
    std::fs::create_dir_all(&folder).unwrap();
    let [a, b] = throws.files();
    let m: Vec<String> = throws.m.iter().map(u16::to_string).collect();
    for (file, text) in [("a.yaml", a), ("b.yaml", b), ("m", m.join(" ") + "\n"), ("at", format!("{}\n", throws.at))] {
        std::fs::write(folder.join(file), text).unwrap();
    }
    format!("tests/cases/{name}")
}
