use super::console::Console;
use super::exit::Exit;
use crate::resource::Name;
use clap::Args;

/// List the topologies on this machine, found by their marks
///
/// Half-made ones and what belongs to no topology any more are listed, too.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:\n  topo list\n  topo list --json")]
pub struct List {
    /// Print the list as JSON
    #[arg(long)]
    json: bool,
}

impl List {
    pub fn run(self, console: &mut Console) -> super::Result {
        let _ = self.json;
        names(console)?;
        Ok(Exit::Done)
    }
}

/// The names of all topologies here.
pub fn names(console: &mut Console) -> Result<Vec<Name>, Exit> {
    crate::kernel::record::Records::default().names().map_err(|error| super::machine::told(console, &error))
}
