use crate::cli::console::Console;
use crate::cli::exit::Exit;
use crate::document;
use crate::document::yaml::define::paragraphs;
use crate::render::{doctored, explained, format, json, list, tested};
use clap::{Args, ValueEnum};
use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;

/// Print the JSON schema of topology files, for editors
///
/// Editors that know YAML use it for completion, descriptions and checks as you type. The schemas of topo's own JSON
/// output are here, too.
#[derive(Debug, Args)]
#[command(
    after_long_help = "Examples:\n  topo schema >topology.schema.json\n  topo schema plan              of the output of \"topo plan --json\"\n\nPut this line at the head of a topology:\n  # yaml-language-server: $schema=topology.schema.json"
)]
pub struct Schema {
    /// Which schema
    #[arg(value_enum, default_value_t = Which::Topology)]
    which: Which,
}

/// A schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Which {
    /// Topology files
    Topology,
    /// topo plan --json
    Plan,
    /// topo apply, destroy, undo and rollback --json
    Report,
    /// topo validate --json
    Findings,
    /// topo diff --json
    Diff,
    /// topo list --json
    List,
    /// topo show --json
    State,
    /// topo test --json
    Test,
    /// topo explain --json
    Explain,
    /// topo doctor --json
    Doctor,
    /// topo trace --json
    Trace,
}

impl Schema {
    /// Runs the command.
    ///
    /// # Errors
    ///
    /// The exit status of a failure that was already printed.
    pub fn run(self, console: &mut Console) -> crate::cli::global::Result {
        console.out(&format::text(&of(self.which)));
        Ok(Exit::Done)
    }
}

/// A schema (draft-07).
pub fn of(which: Which) -> serde_json::Value {
    let flow = RecursiveTransform(|schema: &mut schemars::Schema| {
        if let Some(serde_json::Value::String(text)) = schema.get_mut("description") {
            *text = paragraphs(text);
        }
    });
    let generator = SchemaSettings::draft07().for_serialize().with_transform(flow).into_generator();
    match which {
        Which::Topology => document::schema(),
        Which::Plan => generator.into_root_schema_for::<json::Plans>().to_value(),
        Which::Report => generator.into_root_schema_for::<json::Reports>().to_value(),
        Which::Findings => generator.into_root_schema_for::<json::Findings>().to_value(),
        Which::Diff => generator.into_root_schema_for::<json::DiffView>().to_value(),
        Which::List => generator.into_root_schema_for::<list::Topologies>().to_value(),
        Which::Test => generator.into_root_schema_for::<tested::Tests>().to_value(),
        Which::Explain => generator.into_root_schema_for::<explained::Explained>().to_value(),
        Which::Doctor => generator.into_root_schema_for::<doctored::Doctored>().to_value(),
        Which::Trace => generator.into_root_schema_for::<explained::TracedFlow>().to_value(),
        Which::State => generator.into_root_schema_for::<json::States>().to_value(),
    }
}
