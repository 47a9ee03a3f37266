//! Files, folders and standard input.

use super::include::gathered;
use super::stream::{reason, text};
use crate::cli::console::Console;
use crate::cli::exit::Exit;
use crate::document::yaml::source::Source;
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::{fs, io};

/// The file that is meant where none is named.
pub const DEFAULT: &str = "topology.yaml";

/// Reads what the arguments name; a folder is all topologies in it, `-` is standard input, nothing is [`DEFAULT`]. All
/// that cannot be read is reported.
///
/// # Errors
///
/// If a file cannot be read, is too large, or none is found, after that was printed.
pub fn read(console: &mut Console, arguments: &[PathBuf]) -> Result<Vec<Source>, Exit> {
    let default = [PathBuf::from(DEFAULT)];
    let arguments = if arguments.is_empty() { default.as_slice() } else { arguments };
    let mut sources = Vec::new();
    let mut failed = false;
    for path in arguments {
        match each(path) {
            Ok(mut more) => sources.append(&mut more),
            Err(problem) => {
                failed = true;
                let missing = problem.error.kind() == io::ErrorKind::NotFound && problem.path == Path::new(DEFAULT);
                let help = missing.then_some("name a file (topo plan lab.yaml), or write topology.yaml here");
                console.problem(
                    &format!("cannot read {:?}: {}", problem.path.display().to_string(), reason(&problem.error)),
                    help,
                );
            }
        }
    }
    if failed { Err(Exit::Failed) } else { Ok(sources) }
}

struct Unreadable {
    path: PathBuf,
    error: io::Error,
}

fn each(path: &Path) -> Result<Vec<Source>, Unreadable> {
    let at = |error| Unreadable { path: path.to_owned(), error };
    if path == Path::new("-") {
        return Ok(vec![gathered("-", text(io::stdin().lock()).map_err(at)?)]);
    }
    if !path.is_dir() {
        return Ok(vec![one(path)?]);
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(path).map_err(at)? {
        let file = entry.map_err(at)?.path();
        let yaml = file.extension().is_some_and(|extension| extension == "yaml" || extension == "yml");
        if yaml && !file.is_dir() {
            files.push(file);
        }
    }
    files.sort();
    if files.is_empty() {
        return Err(at(io::Error::other("no *.yaml or *.yml in this folder")));
    }
    let sources: Vec<Source> = files.iter().map(|file| one(file)).collect::<Result<_, _>>()?;
    // What another file includes is a part of that one.
    let parts: HashSet<&str> = sources.iter().flat_map(|file| file.text.parts()).filter_map(|part| part.name).collect();
    let whole: Vec<Source> = sources.iter().filter(|file| !parts.contains(file.name.as_str())).cloned().collect();
    Ok(if whole.is_empty() { sources } else { whole })
}

fn one(path: &Path) -> Result<Source, Unreadable> {
    let at = |error| Unreadable { path: path.to_owned(), error };
    let text = text(fs::File::open(path).map_err(at)?).map_err(at)?;
    Ok(gathered(&path.display().to_string(), text))
}

/// Whether an argument of `destroy` is a file: it exists as a path, has a `/`, or ends like one.
pub fn is_file(argument: &str) -> bool {
    argument == "-"
        || argument.contains('/')
        || argument.ends_with(".yaml")
        || argument.ends_with(".yml")
        || Path::new(argument).exists()
}
