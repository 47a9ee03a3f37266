use crate::cli::console::Console;
use crate::cli::exit::Exit;
use crate::cli::input::{files, load};
use crate::render::yaml::written_out;
use clap::Args;
use std::path::PathBuf;

/// Print a topology file without its ranges, formulas, defaults and includes
///
/// Everything that stands for many is written out, so that each node and interface has an entry of its own. Plan and
/// apply see a file like this. Comments are left out.
#[derive(Debug, Args)]
#[command(
    after_long_help = "Examples:\n  topo expand                    topology.yaml in this folder\n  topo expand campus.yaml        client[1-200] as 200 entries\n  topo expand campus.yaml | diff campus-before.yaml -\n\nExit status:\n  0   done\n  65  the file has errors; where it can be written out all the same, it was printed\n  1   the file cannot be read"
)]
pub struct Expand {
    /// The topology file; "-" is standard input [default: topology.yaml]
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
}

impl Expand {
    /// Runs the command.
    ///
    /// # Errors
    ///
    /// The exit status of a failure that was already printed.
    pub fn run(self, console: &mut Console) -> crate::cli::global::Result {
        let paths: Vec<PathBuf> = self.file.iter().cloned().collect();
        let sources = files::read(console, &paths)?;
        if sources.len() > 1 {
            console.problem(
                &format!("a folder with {} files was named", sources.len()),
                Some("name one of them: one file is written out at a time"),
            );
            return Err(Exit::Usage);
        }
        let mut bad = false;
        for file in load::all(sources) {
            bad |= file.is_bad();
            if let Some(text) = file.topology.as_ref().and_then(|topology| written_out(&topology.source)) {
                console.out(&text);
            }
            console.findings(&file.source, &file.findings);
        }
        Ok(if bad { Exit::Data } else { Exit::Done })
    }
}
