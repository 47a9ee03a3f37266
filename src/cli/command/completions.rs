use crate::cli::console::Console;
use crate::cli::exit::Exit;
use clap::{Args, CommandFactory};
use clap_complete::Shell;

/// Print a completion script for a shell
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
    pub fn run(self, console: &mut Console) -> crate::cli::Result {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut crate::cli::Topo::command(), "topo", &mut script);
        console.out(&String::from_utf8_lossy(&script));
        Ok(Exit::Done)
    }
}
