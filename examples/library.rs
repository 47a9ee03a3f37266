//! topo as a library: a file is read and checked, and planned against an empty machine. Needs no privileges and touches nothing.
//!
//! ```sh
//! cargo run --example library topologies/two-namespaces.yaml
//! ```

use std::process::ExitCode;
use topo::document::{self, Source};
use topo::kernel::Kernel;
use topo::model::Model;
use topo::{check, plan};

fn main() -> ExitCode {
    let first = std::env::args_os().nth(1);
    let path = first.map_or("topologies/two-namespaces.yaml".into(), |path| path.to_string_lossy().into_owned());
    match run(&path) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{path}: {message}");
            ExitCode::FAILURE
        }
    }
}

fn run(path: &str) -> Result<(), String> {
    let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
    let source = Source { name: path.into(), text: text.into() };

    // What a person wrote, then what they mean, then whether it can be. Everything that is wrong is found at once.
    let document = document::parse(&source).map_err(|findings| listed(&findings))?;
    let (topology, mut findings) = document::lower(&document, &source);
    findings.extend(check::run(&document, &topology));
    let errors: Vec<_> =
        findings.iter().filter(|finding| finding.severity == document::Severity::Error).cloned().collect();
    if !errors.is_empty() {
        return Err(listed(&errors));
    }

    // The model is a kernel on paper, which refuses what the real one refuses. `topo::kernel` has the real one behind the same trait.
    let mut kernel = Model::bare(topology.state.topology.clone());
    let observed = kernel.observe(&topology.state).map_err(|error| error.to_string())?;
    let plan = plan::make(&topology.state, &observed).map_err(|conflicts| format!("{conflicts:?}"))?;
    for change in &plan.changes {
        println!("{:?} {}", change.action, change.id);
    }
    println!("{} changes in {} steps", plan.changes.len(), plan.steps.len());
    Ok(())
}

fn listed(findings: &[document::Finding]) -> String {
    findings.iter().map(|finding| format!("{}: {}", finding.code, finding.message)).collect::<Vec<_>>().join("\n")
}
