use crate::cli::confirmation::{Pending, Phase};
use crate::cli::console::Console;
use crate::cli::exit::Exit;
use crate::cli::{confirmation, known, notice};
use crate::linux::store::record::Records;
use crate::render::page::seconds;
use crate::resource::Name;
use clap::Args;
use clap_complete::engine::ArgValueCandidates;

/// Confirm an "apply --confirm", so that it is not rolled back
///
/// It fails once the time is over and the change was rolled back. Without a name all pending topologies are confirmed;
/// "topo list" shows them and the time left.
#[derive(Debug, Args)]
#[command(
    after_long_help = "Examples:\n  sudo topo apply --confirm 2m lab.yaml\n  sudo topo confirm                      the way in still works: keep it\n  sudo topo confirm lab                  one of several"
)]
pub struct Confirm {
    /// The topology [default: all pending ones]
    #[arg(value_name = "NAME", add = ArgValueCandidates::new(known::topology_candidates))]
    name: Option<String>,
}

impl Confirm {
    /// Runs the command.
    ///
    /// # Errors
    ///
    /// The exit status of a failure that was already printed.
    pub fn run(self, console: &mut Console) -> crate::cli::global::Result {
        let names = confirmation::which(console, self.name.as_deref())?;
        if names.is_empty() {
            console.problem(
                "no topology waits for confirmation",
                Some("if one did, its time was over and it is undone: topo list shows what is there"),
            );
            return Err(Exit::Failed);
        }
        Ok(names.iter().fold(Exit::Done, |exit, name| exit.worst(one(console, name))))
    }
}

fn one(console: &mut Console, name: &Name) -> Exit {
    let records = Records::default();
    let confirmed = match Pending::load(&records, name) {
        // The program that begins to undo it a moment later finds that it is gone.
        Ok(Some((_, Phase::Waiting(left)))) => Pending::confirm(&records, name)
            .map(|kept| if kept { Ok(left) } else { Err("is being undone: its time was over") }),
        Ok(Some((_, Phase::Applying))) => Ok(Err("is still being applied, or that was cut off")),
        Ok(Some((_, Phase::Expired | Phase::Undoing))) => Ok(Err("is being undone: its time was over")),
        Ok(None) => Ok(Err("does not wait for confirmation")),
        Err(error) => Err(error),
    };
    match confirmed {
        Ok(Ok(left)) => {
            console.chatter(&format!("Confirmed: {name}: it stays; {} were left.\n", seconds(left)));
            Exit::Done
        }
        Ok(Err(why)) => {
            let help = known::topology_instead_of(name)
                .unwrap_or_else(|| "topo list shows what is there, and what waits".to_owned());
            console.problem(&format!("topology {:?} {why}", name.as_str()), Some(&help));
            Exit::Failed
        }
        Err(error) => notice::told(console, &error),
    }
}
