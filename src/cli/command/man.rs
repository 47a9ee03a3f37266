use crate::cli::console::Console;
use crate::cli::exit::Exit;
use clap::Args;
use std::path::PathBuf;

/// Print the manual page, or write those of all commands into a folder
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:\n  topo man | man -l -\n  topo man --out /usr/local/share/man/man1")]
pub struct Man {
    /// The folder for topo.1, topo-plan.1 and so on; it is made where there is none
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
}

impl Man {
    pub fn run(self, console: &mut Console, command: clap::Command) -> crate::cli::global::Result {
        let written = match &self.out {
            Some(folder) => std::fs::create_dir_all(folder).and_then(|()| clap_mangen::generate_to(command, folder)),
            None => {
                let mut page = Vec::new();
                clap_mangen::Man::new(command).render(&mut page).map(|()| console.out(&String::from_utf8_lossy(&page)))
            }
        };
        written.map_err(|error| {
            console.problem(&format!("cannot write the manual: {error}"), None);
            Exit::Failed
        })?;
        Ok(Exit::Done)
    }
}
