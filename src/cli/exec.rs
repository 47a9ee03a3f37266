use super::console::Console;
use super::exit::Exit;
use clap::Args;
use std::ffi::OsString;

/// Run a command in a node
///
/// With the namespace's own hosts and resolv.conf in place of the machine's. The exit status is the command's; signals go to it. Without a command a
/// shell is started.
#[derive(Debug, Args)]
#[command(
    after_long_help = "Examples:\n  sudo topo exec RED -- ping -c1 11.11.11.3\n  sudo topo exec lab/RED -- sh           where several topologies have a node RED\n  sudo topo exec RED                     a shell"
)]
pub struct Exec {
    /// The node, or TOPOLOGY/NODE
    #[arg(value_name = "[TOPOLOGY/]NODE")]
    node: String,
    /// The command and its arguments
    #[arg(last = true, value_name = "CMD")]
    command: Vec<OsString>,
}

impl Exec {
    pub fn run(self, console: &mut Console) -> super::Result {
        let _ = (self.node, self.command);
        super::machine::open(console)?;
        Ok(Exit::Done)
    }
}
