use crate::cli::console::Console;
use crate::cli::exit::Exit;
use crate::cli::input::{files, load};
use crate::document::Severity;
use crate::render::page::{ADD, Page, count};
use crate::render::{format, json};
use clap::Args;
use std::path::PathBuf;

/// Check topology files, without privileges or changes
///
/// Each error is shown at its place in the file, with a suggestion: all errors of keys and values at once, and if there
/// are none, all errors of their meaning. Warnings do not make a file wrong.
#[derive(Debug, Args)]
#[command(
    after_long_help = "Examples:\n  topo validate                 topology.yaml in this folder\n  topo validate labs/           every *.yaml and *.yml in a folder\n  topo validate --json - <lab.yaml"
)]
pub struct Validate {
    /// Topology files or folders; "-" is standard input [default: topology.yaml]
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Print the findings as JSON on standard output
    #[arg(long)]
    json: bool,
}

impl Validate {
    /// Runs the command.
    ///
    /// # Errors
    ///
    /// The exit status of a failure that was already printed.
    pub fn run(self, console: &mut Console) -> crate::cli::global::Result {
        let sources = files::read(console, &self.files)?;
        if !self.json {
            let topologies = load::sound(console, sources)?;
            for topology in &topologies {
                let mut page = Page::new();
                page.paint(ADD, "Valid:")
                    .put(format!(
                        " {}: topology {}, {}.",
                        topology.source.name,
                        topology.state.topology,
                        count(topology.state.items.len(), "resource")
                    ))
                    .end();
                console.chatter(&page.finish());
            }
            return Ok(Exit::Done);
        }
        let loaded = load::all(sources);
        let findings: Vec<json::FindingView> = loaded
            .iter()
            .flat_map(|file| file.findings.iter().map(|finding| json::finding(&file.source, finding)))
            .collect();
        let valid = !loaded.iter().any(|file| {
            file.topology.is_none() || file.findings.iter().any(|finding| finding.severity == Severity::Error)
        });
        console.out(&format::text(&json::Findings { format_version: format::FORMAT_VERSION, valid, findings }));
        Ok(if valid { Exit::Done } else { Exit::Data })
    }
}
