use super::plan::{is_name, last};
use crate::cli::console::Console;
use crate::cli::examine::Scene;
use crate::cli::exit::Exit;
use crate::cli::input::{files, load};
use crate::cli::target::Case;
use crate::cli::{known, notice, session};
use crate::doctor::{MOST_FLOWS, Severity};
use crate::linux::Linux;
use crate::render::doctor::{head, nothing, text};
use crate::render::doctored::{Diagnosis, Doctored};
use crate::render::explain::Written;
use crate::render::format;
use clap::Args;
use clap_complete::engine::ArgValueCompleter;
use std::path::{Path, PathBuf};

/// Show what on this machine will break a topology, or be broken by it
///
/// The flows that the file evidently means (its checks, neighbours on a segment, what is behind its gateways, the ports
/// that it publishes) are followed as "topo explain" does it: through the machine as it is where the topology is there,
/// else through the machine as it would be after an apply. Then come addresses and subnets that others have, settings
/// that others changed, MTUs, daemons that configure the same interfaces, and what the kernel lacks. Each finding has a
/// code, what is wrong, why, where, and what to write or run. Nothing is changed.
#[derive(Debug, Args)]
#[command(
    after_long_help = "Examples:\n  sudo topo doctor lab.yaml       before an apply, or after it\n  sudo topo doctor lab            the topology as it was last applied\n  sudo topo doctor lab.yaml --json | jq '.examined[].findings[].code'\n\nWithout FILE and topology.yaml the machine alone is looked at.\n\nExit status: 0 no errors, 2 errors, 1 failed"
)]
pub struct Doctor {
    /// Topology files or folders, "-" for standard input, or names of applied topologies [default: topology.yaml]
    #[arg(value_name = "FILE|NAME", add = ArgValueCompleter::new(known::file_or_topology))]
    files: Vec<PathBuf>,
    /// Print it as JSON
    #[arg(long)]
    json: bool,
}

impl Doctor {
    /// Runs the command.
    ///
    /// # Errors
    ///
    /// The exit status of a failure that was already printed.
    pub fn run(self, console: &mut Console) -> crate::cli::global::Result {
        let (names, paths): (Vec<PathBuf>, Vec<PathBuf>) = self.files.iter().cloned().partition(|file| is_name(file));
        let alone = self.files.is_empty() && !Path::new(files::DEFAULT).exists();
        let topologies = if alone || paths.is_empty() && !names.is_empty() {
            Vec::new()
        } else {
            let sources = files::read(console, &paths)?;
            load::sound(console, sources)?
        };
        let mut kernel = session::open(console)?;
        let mut cases: Vec<Case> = topologies.into_iter().map(Case::of).collect();
        for name in &names {
            cases.push(last(console, &mut kernel, &name.to_string_lossy(), false)?);
        }
        let (mut examined, mut exit) = (Vec::new(), Exit::Done);
        if alone {
            console.note("there is no topology.yaml here: the machine alone is looked at");
            let scene = Scene::machine(console, &kernel)?;
            examined.push(self.one(console, &kernel, &scene, None, &mut exit)?);
        }
        for case in &cases {
            let scene = Scene::of(console, &mut kernel, case)?;
            examined.push(self.one(console, &kernel, &scene, Some(case), &mut exit)?);
        }
        notice::warnings(console, &mut kernel);
        if self.json {
            console.out(&format::text(&Doctored { format_version: format::FORMAT_VERSION, examined }));
        }
        Ok(exit)
    }

    fn one(
        &self,
        console: &mut Console,
        kernel: &Linux,
        scene: &Scene,
        case: Option<&Case>,
        exit: &mut Exit,
    ) -> Result<Diagnosis, Exit> {
        let checks = case.map(|case| case.checks.as_slice()).unwrap_or_default();
        let examination = scene.examine(kernel, checks, MOST_FLOWS).map_err(|error| notice::told(console, &error))?;
        let written = case
            .and_then(|case| Some(Written { source: case.source.as_ref()?, origins: &case.origins, raw: &case.raw }));
        if examination.findings.iter().any(|finding| finding.severity == Severity::Error) {
            *exit = Exit::Changes;
        }
        let topology = case.map(|case| case.wanted.topology.as_str());
        let diagnosis = Diagnosis::of(topology, scene.applied, &examination.findings, &examination.walked, written)
            .leaving_out(examination.left_out);
        if !self.json {
            if let Some(topology) = topology {
                console.out(&head(topology, scene.applied));
            }
            if examination.findings.is_empty() {
                console.out(&nothing(&diagnosis));
            } else {
                console.out(&text(&examination.findings, &diagnosis, written));
            }
        }
        Ok(diagnosis)
    }
}
