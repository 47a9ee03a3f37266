//! What the README shows is what happens.

#![allow(clippy::disallowed_methods, reason = "a test makes processes")]

use crate::sandbox;

use sandbox::{assert_snapshot, in_repository, sh, snapshot, topo, write};

/// The text of the first fenced block of this language after `heading`.
fn block(heading: &str, language: &str) -> String {
    let readme = std::fs::read_to_string(in_repository("README.md")).unwrap();
    let (_, rest) = readme.split_once(heading).expect("the heading");
    let (_, rest) = rest.split_once(&format!("```{language}\n")).expect("a block");
    rest.split_once("```").expect("the end of a block").0.to_owned()
}

#[test]
fn the_plan_of_the_readme() {
    sandbox::run("the_plan_of_the_readme", || {
        let before = snapshot();
        let file = write("topology.yaml", &block("## A topology", "yaml"));
        topo(&["validate", &file]).expect(0);
        topo(&["apply", "--yes", &file]).expect(0);
        topo(&["plan", "--detailed-exitcode", &file]).expect(0);
        let shown = block("## A plan", "console");
        let mut lines = shown.split_inclusive('\n');
        let mut printed = String::new();
        for line in lines.by_ref() {
            match line.strip_prefix("$ ") {
                Some(command) if command.starts_with("sudo topo plan") => break,
                Some(command) => drop(sh(&command.replace("sudo ", ""))),
                None => {}
            }
        }
        lines.for_each(|line| printed.push_str(line));
        let plan = topo(&["plan", "--color", "never", "--detailed-exitcode", &file]).expect(2);
        assert_eq!(
            plan.stdout.trim(),
            printed.trim(),
            "the README shows another plan; what is printed now is on the left"
        );
        topo(&["apply", "--yes", &file]).expect(0);
        topo(&["destroy", "--yes", "red-blue"]).expect(0);
        assert_snapshot(&before);
    });
}

/// The commands of the first five minutes, one after the other, and what each prints.
#[test]
fn the_first_five_minutes_of_the_readme() {
    sandbox::run("the_first_five_minutes_of_the_readme", || {
        let before = snapshot();
        let readme = std::fs::read_to_string(in_repository("README.md")).unwrap();
        let part = readme.split_once("## The first five minutes").unwrap().1.split_once("\n## ").unwrap().0;
        let shown: String =
            part.split("```console\n").skip(1).map(|block| block.split_once("```").unwrap().0).collect();
        let mut printed = String::new();
        for command in shown.lines().filter_map(|line| line.strip_prefix("$ ")) {
            printed += &format!("$ {command}\n{}", sh(&format!("cd /run/lock; {}", command.replace("sudo ", ""))));
        }
        assert_eq!(printed, shown, "the README shows something else; what is printed now is on the left");
        assert_snapshot(&before);
    });
}

#[test]
fn the_checks_of_the_readme() {
    sandbox::run("the_checks_of_the_readme", || {
        let file = write("shop.yaml", &block("## Checks", "yaml"));
        topo(&["apply", "--test", "--yes", &file]).expect(0);
        topo(&["test", &file]).expect(0).says("shop: 3 passed in");
    });
}

#[test]
fn the_commands_of_the_readme() {
    let readme = std::fs::read_to_string(in_repository("README.md")).unwrap();
    let help = topo(&["--help"]).expect(0).stdout;
    let table = readme.split_once("## Commands").unwrap().1.split_once("\n## ").unwrap().0;
    for command in
        table.split('`').filter_map(|code| code.strip_prefix("topo ")).map(|code| code.split(' ').next().unwrap())
    {
        assert!(help.contains(command), "{command} is not in\n{help}");
    }
}
