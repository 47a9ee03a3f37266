//! The page "Why does the ping fail?": each block of output is what the program prints. `TOPO_REWRITE=1` writes them
//! anew.

#![allow(clippy::disallowed_methods, reason = "a test makes processes")]

use crate::sandbox;
use std::process::Command;

#[test]
fn the_page_of_explanations() {
    let path = sandbox::in_repository("docs/explain.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let folder = std::env::temp_dir().join(format!("topo-explained-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let mut printed = String::new();
    let mut blocks = 0;
    for (nth, part) in page.split("```").enumerate() {
        let fence = if nth == 0 { "" } else { "```" };
        match part.split_once('\n') {
            Some(("yaml", text)) if nth % 2 == 1 => {
                std::fs::write(folder.join("lab.yaml"), text).unwrap();
                printed += &format!("{fence}{part}");
            }
            Some(("console", text)) if nth % 2 == 1 && text.starts_with("$ topo explain --file") => {
                blocks += 1;
                let line = text.lines().next().unwrap();
                let words: Vec<&str> = line.trim_start_matches("$ topo ").split(' ').collect();
                let output = Command::new(sandbox::topo_path())
                    .args(&words)
                    .args(["--color", "never"])
                    .current_dir(&folder)
                    .output()
                    .unwrap();
                printed += &format!("{fence}console\n{line}\n{}", String::from_utf8(output.stdout).unwrap());
            }
            _ => printed += &format!("{fence}{part}"),
        }
    }
    std::fs::remove_dir_all(&folder).unwrap();
    assert!(blocks >= 10, "{blocks} blocks");
    if std::env::var_os("TOPO_REWRITE").is_some() {
        std::fs::write(&path, &printed).unwrap();
    }
    let shown = std::fs::read_to_string(&path).unwrap();
    assert!(shown == printed, "the page shows something else:\n{}", sandbox::difference(&shown, &printed));
}
