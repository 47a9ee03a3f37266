//! The page "Why does the ping fail?": each block of output is what the program prints. `TOPO_REWRITE=1` writes them
//! anew.

#![allow(clippy::disallowed_methods, reason = "a test makes processes")]

use crate::sandbox;
use std::process::Command;

#[test]
fn the_page_of_explanations() {
    let folder = std::env::temp_dir().join(format!("topo-explained-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let mut blocks = 0;
    sandbox::page("docs/explain.md", |language, text| match language {
        "yaml" => {
            std::fs::write(folder.join("lab.yaml"), text).unwrap();
            None
        }
        "console" if text.starts_with("$ topo explain --file") => {
            blocks += 1;
            let line = text.lines().next().unwrap();
            let words: Vec<&str> = line.trim_start_matches("$ topo ").split(' ').collect();
            let output = Command::new(sandbox::topo_path())
                .args(&words)
                .args(["--color", "never"])
                .current_dir(&folder)
                .output()
                .unwrap();
            Some(format!("{line}\n{}", String::from_utf8(output.stdout).unwrap()))
        }
        _ => None,
    });
    std::fs::remove_dir_all(&folder).unwrap();
    assert!(blocks >= 10, "{blocks} blocks");
}
