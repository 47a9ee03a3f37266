use crate::cli::confirmation::Pending;
use crate::cli::console::Console;
use crate::cli::exit::Exit;
use crate::cli::mode::{Manner, WayBack};
use crate::cli::target::Case;
use crate::cli::{confirmation, execute, known, notice, revert};
use crate::linux::Linux;
use crate::linux::store::record::Records;
use crate::render::json::{ReportView, Reports};
use crate::render::{format, json};
use crate::resource::Name;
use clap::Args;
use clap_complete::engine::ArgValueCandidates;

/// Roll back an "apply --confirm" now
///
/// The previous state is restored, without a question. Without a name all pending topologies are rolled back. It also
/// completes a rollback that was interrupted. For an apply that was confirmed, or needed no confirmation, see "topo
/// undo".
#[derive(Debug, Args)]
#[command(
    after_long_help = "Examples:\n  sudo topo apply --confirm 2m lab.yaml\n  sudo topo rollback                     that was wrong: as before, now"
)]
pub struct Rollback {
    /// The topology [default: all pending ones]
    #[arg(value_name = "NAME", add = ArgValueCandidates::new(known::topology_candidates))]
    name: Option<String>,
    /// Print a report as JSON
    #[arg(long)]
    json: bool,
    /// How long to wait while another apply or destroy is under way
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    lock_timeout: u64,
}

impl Rollback {
    /// Runs the command.
    ///
    /// # Errors
    ///
    /// The exit status of a failure that was already printed.
    pub fn run(self, console: &mut Console) -> crate::cli::global::Result {
        let _lock = execute::lock(console, self.lock_timeout)?;
        let names = confirmation::which(console, self.name.as_deref())?;
        if names.is_empty() {
            console.problem(
                "no topology waits for confirmation",
                Some("topo undo NAME undoes the last apply of a topology"),
            );
            return Err(Exit::Failed);
        }
        let mut kernel = Linux::new().map_err(|error| notice::told(console, &error))?;
        notice::warnings(console, &mut kernel);
        let (mut exit, mut views) = (Exit::Done, Vec::new());
        for name in names {
            exit = exit.worst(self.one(console, &mut kernel, &name, &mut views));
        }
        if self.json {
            console.out(&format::text(&Reports { format_version: format::FORMAT_VERSION, reports: views }));
        }
        Ok(exit)
    }

    fn one(&self, console: &mut Console, kernel: &mut Linux, name: &Name, views: &mut Vec<ReportView>) -> Exit {
        let records = Records::default();
        // Who has confirmed meanwhile has won.
        let loaded =
            Pending::load(&records, name).and_then(|pending| Ok(pending.zip(Some(Pending::claim(&records, name)?))));
        let mut pending = match loaded {
            Ok(Some(((pending, _), true))) => pending,
            Ok(_) => {
                let help = known::topology_instead_of(name)
                    .unwrap_or_else(|| format!("topo undo {name} undoes its last apply"));
                console.problem(&format!("topology {:?} does not wait for confirmation", name.as_str()), Some(&help));
                return Exit::Failed;
            }
            Err(error) => return notice::told(console, &error),
        };
        match revert::revert(console, kernel, &mut pending) {
            Ok((plan, report)) => {
                let manner = Manner {
                    rollback: false,
                    test: false,
                    step: false,
                    json: self.json,
                    verb: "Rolled back",
                    way_back: WayBack::None,
                    each: false,
                };
                views.push(json::report(&plan, Some(&report), None));
                execute::tell(console, &Case::nothing(name.clone()), &plan, &report, manner, None)
            }
            Err(error) => notice::told(console, &error),
        }
    }
}
