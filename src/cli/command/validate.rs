use crate::cli::console::Console;
use crate::cli::exit::Exit;
use crate::cli::input::{files, load};
use crate::render::json::{self, FindingView};
use crate::render::page::{ADD, Page, count};
use crate::render::{annotation, format, sarif};
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// Check topology files, without privileges or changes
///
/// Each error is shown at its place in the file, with a suggestion: first all errors in keys and values at once, and
/// when those are mended, all errors in what they mean together. A file that has only warnings is valid.
#[derive(Debug, Args)]
#[command(
    after_long_help = "Examples:\n  topo validate                 topology.yaml in this folder\n  topo validate labs/           every *.yaml and *.yml in a folder\n  topo validate --json - <lab.yaml\n  topo validate --format github labs/       in a workflow: shown at the lines of a pull request\n  topo validate --format sarif labs/ >topo.sarif       for github/codeql-action/upload-sarif\n\nExit status:\n  0   no file has an error\n  65  a file has errors\n  1   a file cannot be read"
)]
pub struct Validate {
    /// Topology files or folders; "-" is standard input [default: topology.yaml]
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// How to print the findings; all but text go to standard output
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = Format::Text)]
    format: Format,
    /// The same as --format json
    #[arg(long, conflicts_with = "format")]
    json: bool,
}

/// A format of findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// With the lines of the file, on standard error
    Text,
    /// JSON, whose schema "topo schema findings" prints
    Json,
    /// SARIF 2.1.0, for code scanning and editors
    Sarif,
    /// Workflow commands, which GitHub Actions shows as annotations
    Github,
}

impl Validate {
    /// Runs the command.
    ///
    /// # Errors
    ///
    /// The exit status of a failure that was already printed.
    pub fn run(self, console: &mut Console) -> crate::cli::global::Result {
        let sources = files::read(console, &self.files)?;
        let format = if self.json { Format::Json } else { self.format };
        if format == Format::Text {
            let topologies = load::sound(console, sources)?;
            topologies.iter().for_each(|topology| console.chatter(&valid(topology)));
            return Ok(Exit::Done);
        }
        let loaded = load::all(sources);
        let findings: Vec<FindingView> =
            loaded.iter().flat_map(|file| json::findings(&file.source, &file.findings)).collect();
        let valid = !loaded.iter().any(load::Loaded::is_bad);
        console.out(&match format {
            Format::Text | Format::Json => {
                format::text(&json::Findings { format_version: format::FORMAT_VERSION, valid, findings })
            }
            Format::Sarif => format::text(&sarif::log(&findings)),
            Format::Github => annotation::text(&findings),
        });
        Ok(if valid { Exit::Done } else { Exit::Data })
    }
}

/// The line for a sound file.
fn valid(topology: &load::Topology) -> String {
    let mut page = Page::new();
    let resources = count(topology.state.sizes().into_values().sum(), "resource");
    page.paint(ADD, "Valid:")
        .put(format!(" {}: topology {}, {resources}.", topology.source.name, topology.state.topology))
        .end();
    page.finish()
}
