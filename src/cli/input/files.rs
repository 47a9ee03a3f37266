//! Files, folders and standard input.

use super::plan_file;
use crate::cli::console::Console;
use crate::cli::exit::Exit;
use crate::document::yaml::source::Source;
use crate::document::yaml::tree::MAX_BYTES;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::{fs, io};

/// The most that a file may hold, in bytes.
const LARGEST: u64 = MAX_BYTES as u64;

/// The most that a saved plan may hold, which also has all that was there: 3 KB for each resource.
const LARGEST_PLAN: u64 = 512 << 20;

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
        return Ok(vec![Source { name: "-".to_owned(), text: text(io::stdin().lock()).map_err(at)?.into() }]);
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
    files.iter().map(|file| one(file)).collect()
}

fn one(path: &Path) -> Result<Source, Unreadable> {
    let at = |error| Unreadable { path: path.to_owned(), error };
    let text = text(fs::File::open(path).map_err(at)?).map_err(at)?;
    Ok(Source { name: path.display().to_string(), text: text.into() })
}

/// All of a stream, if it is not too large and is text.
fn text(mut stream: impl Read) -> io::Result<String> {
    let mut bytes = Vec::new();
    stream.by_ref().take(LARGEST + 1).read_to_end(&mut bytes)?;
    let mut most = LARGEST;
    if bytes.starts_with(plan_file::BEGINNING.as_bytes()) {
        stream.take(LARGEST_PLAN).read_to_end(&mut bytes)?;
        most = LARGEST_PLAN;
    }
    if bytes.len() as u64 > most {
        return Err(io::Error::other(format!("larger than {} MiB", most >> 20)));
    }
    // A mark of byte order says nothing in UTF-8, and would stand in every message about the first line.
    if bytes.starts_with(b"\xef\xbb\xbf") {
        bytes.drain(..3);
    }
    String::from_utf8(bytes).map_err(|error| {
        io::Error::other(format!("not UTF-8 text: byte {} is wrong", error.utf8_error().valid_up_to()))
    })
}

/// The text of an error without the number that Rust adds.
fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_lowercase()
}

/// Whether an argument of `destroy` is a file: it exists as a path, has a `/`, or ends like one.
pub fn is_file(argument: &str) -> bool {
    argument == "-"
        || argument.contains('/')
        || argument.ends_with(".yaml")
        || argument.ends_with(".yml")
        || Path::new(argument).exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_may_be_larger_than_a_topology() {
        let large = vec![b' '; 9 << 20];
        assert!(text(large.as_slice()).is_err());
        let plan = [plan_file::BEGINNING.as_bytes(), &large].concat();
        assert_eq!(text(plan.as_slice()).map(|text| text.len()).unwrap_or_default(), plan.len());
    }
}
