use crate::cli::console::Console;
use crate::cli::exit::Exit;
use clap::Args;
use clap_complete::Shell;
use clap_complete::env::Shells;

/// Print a completion script for a shell
///
/// The script asks topo itself, so that it knows the commands, their options, and the topologies and nodes that are on
/// this machine.
#[derive(Debug, Args)]
#[command(
    after_long_help = "Examples:\n  topo completions bash >/usr/share/bash-completion/completions/topo\n  topo completions zsh >/usr/share/zsh/site-functions/_topo\n  topo completions fish >~/.config/fish/completions/topo.fish"
)]
pub struct Completions {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

impl Completions {
    /// Runs the command.
    ///
    /// # Errors
    ///
    /// The exit status of a failure that was already printed.
    pub fn run(self, console: &mut Console) -> crate::cli::global::Result {
        let mut script = Vec::new();
        let shells = Shells::builtins();
        let written = shells
            .completer(&self.shell.to_string())
            .map(|shell| shell.write_registration("COMPLETE", "topo", "topo", "topo", &mut script));
        match written {
            Some(Ok(())) => console.out(&String::from_utf8_lossy(&script)),
            _ => {
                console.problem(
                    &format!("there is no completion script for {}", self.shell),
                    Some("the shells are bash, elvish, fish, powershell, zsh"),
                );
                return Err(Exit::Usage);
            }
        }
        Ok(Exit::Done)
    }
}
