use crate::cli::console::Console;
use crate::cli::exit::Exit;
use crate::cli::input::{files, load, plan_file};
use crate::cli::mode::WayBack;
use crate::cli::target::Case;
use crate::cli::{confirmation, examine, execute, mode, notice, session};
use crate::linux::Linux;
use crate::linux::netns::mounts;
use crate::linux::store::lock::Lock;
use crate::plan::change::Plan;
use crate::resource::NodeTenure;
use clap::Args;
use std::io::IsTerminal;
use std::path::PathBuf;

/// Create or update a topology
///
/// Shows the plan, asks for confirmation, carries it out and observes the machine again: a plan that is not empty
/// afterwards is an error. If a step fails or a signal arrives, all completed steps are rolled back. A plan saved by
/// "topo plan --out" is carried out without a question, unless the machine has changed since.
#[derive(Debug, Args)]
#[command(
    after_long_help = "Examples:\n  sudo topo apply                        topology.yaml in this folder\n  sudo topo apply lab.yaml --yes         without a question\n  sudo topo apply --step lab.yaml        each request when you press Enter\n  sudo topo apply --test lab.yaml        undo it where it breaks one of the file's checks\n  sudo topo apply lab.plan               what \"topo plan --out lab.plan\" wrote\n  sudo topo apply -v lab.yaml            print every request to the kernel\n  sudo topo apply --confirm 2m lab.yaml  undone after two minutes, unless you say: topo confirm"
)]
pub struct Apply {
    /// Topology files, folders or saved plans; "-" is standard input [default: topology.yaml]
    #[arg(value_name = "FILE|PLAN")]
    files: Vec<PathBuf>,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
    /// Roll back after DURATION (60s if omitted; 30s, 5m, 1h) unless "topo confirm" is run before
    #[arg(long, value_name = "DURATION", num_args = 0..=1, default_missing_value = "60s", conflicts_with = "no_rollback")]
    confirm: Option<String>,
    /// Do not roll back completed steps when a step fails
    #[arg(long)]
    no_rollback: bool,
    /// Run the checks of the file before and after, and roll back if one that passed before fails after; on a first
    /// apply, and if nothing changes, all have to pass
    #[arg(long)]
    test: bool,
    /// Show each request as a command, and send it when you press Enter; "q" rolls back
    #[arg(long, conflicts_with_all = ["yes", "json"])]
    step: bool,
    /// Do not warn of what "topo doctor" calls an error
    #[arg(long)]
    no_doctor: bool,
    /// Also apply where topo refuses by default: inside a node of another topology, or in a mount namespace in which
    /// other processes do not see the namespaces that are created
    #[arg(long)]
    here: bool,
    /// Print a report as JSON; needs --yes or a saved plan
    #[arg(long)]
    json: bool,
    /// How long to wait while another apply or destroy is under way
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    lock_timeout: u64,
}

impl Apply {
    /// Runs the command.
    ///
    /// # Errors
    ///
    /// The exit status of a failure that was already printed.
    pub fn run(mut self, console: &mut Console) -> crate::cli::global::Result {
        let way_back = self.way_back(console)?;
        if self.step && !std::io::stdin().is_terminal() {
            console.problem(
                "there is no terminal to press Enter on",
                Some("leave --step out, or see what would be done: topo plan --commands"),
            );
            return Err(Exit::Usage);
        }
        let sources = files::read(console, &self.files)?;
        let plans = sources.iter().filter(|source| plan_file::is_plan(source)).count();
        if plans > 0 && plans < sources.len() {
            console.problem(
                "a saved plan and a topology file cannot be applied together",
                Some("apply them one after the other"),
            );
            return Err(Exit::Usage);
        }
        if plans > 0 && self.test {
            console.problem(
                "a saved plan has no checks in it",
                Some("apply the topology file with --test, or run topo test before and after"),
            );
            return Err(Exit::Usage);
        }
        if plans > 0 {
            let mut kept = Vec::new();
            for source in &sources {
                kept.append(&mut plan_file::read(console, source)?);
            }
            let lock = execute::lock(console, self.lock_timeout)?;
            let mut kernel = session::open(console)?;
            let jobs = current(console, &mut kernel, kept)?;
            return self.carry(console, lock, kernel, jobs, true, way_back);
        }
        let topologies = load::sound(console, sources)?;
        let lock = execute::lock(console, self.lock_timeout)?;
        let mut kernel = session::open(console)?;
        let jobs =
            execute::jobs(topologies.into_iter().map(Case::of), |case| session::plan(console, &mut kernel, case))?;
        self.carry(console, lock, kernel, jobs, self.yes || self.step, way_back)
    }

    /// How long there is to confirm. `--confirm lab.yaml` leaves the duration out and names a file.
    fn way_back(&mut self, console: &mut Console) -> Result<WayBack, Exit> {
        let Some(text) = self.confirm.take() else { return Ok(WayBack::Noted) };
        match confirmation::duration(&text) {
            Ok(limit) => Ok(WayBack::Unconfirmed(limit)),
            Err(_) if files::is_file(&text) => {
                self.files.insert(0, PathBuf::from(text));
                Ok(WayBack::Unconfirmed(confirmation::LIMIT))
            }
            Err(help) => {
                console.problem(&format!("{text:?} is no duration to wait for confirmation"), Some(help));
                Err(Exit::Usage)
            }
        }
    }

    fn carry(
        &self,
        console: &mut Console,
        mut lock: Lock,
        mut kernel: Linux,
        mut jobs: Vec<(Case, Plan)>,
        sure: bool,
        way_back: WayBack,
    ) -> crate::cli::global::Result {
        if !self.here {
            refuse_inside(console, &kernel, &jobs)?;
        }
        confirmation::refuse(console, jobs.iter().map(|(_, plan)| &plan.base.topology))?;
        for (case, plan) in jobs.iter().filter(|_| !self.no_doctor) {
            examine::warn(console, &kernel, case, plan);
        }
        if !(self.json || sure && console.is_quiet()) {
            execute::show(console, jobs.iter().map(|(_, plan)| plan), false)?;
        }
        let changes = jobs.iter().any(|(_, plan)| !plan.changes.is_empty());
        if changes && !sure {
            (lock, jobs) =
                execute::confirmed(console, &mut kernel, lock, self.lock_timeout, "Apply these changes?", jobs)?;
        }
        let manner = mode::Manner {
            rollback: !self.no_rollback,
            test: self.test,
            step: self.step,
            json: self.json,
            verb: "Applied",
            way_back,
            each: false,
        };
        let exit = execute::out(console, &mut kernel, &jobs, manner);
        drop(lock);
        // What is left is the end of the program, which frees it at once.
        std::mem::forget(jobs);
        exit
    }
}

/// Refuses what is hardly meant: the shell is still inside of a node, or the namespaces would be gone with this
/// process.
fn refuse_inside(console: &mut Console, kernel: &Linux, jobs: &[(Case, Plan)]) -> Result<(), Exit> {
    if let Some(topology) = kernel.started_inside().map_err(|error| notice::told(console, &error))? {
        let help = "leave it (exit) and apply it outside, or say --here if it is meant to be inside";
        console.problem(&format!("topo was started inside of a node of topology {:?}", topology.as_str()), Some(help));
        return Err(Exit::Usage);
    }
    let makes =
        jobs.iter().any(|(_, plan)| plan.wanted.namespaces().any(|namespace| namespace.tenure == NodeTenure::Created));
    if makes && mounts::is_secluded() {
        let help = "start it outside of `ip netns exec` (`nsenter --net=FILE topo` goes into the network namespace alone), let a unit share its mounts \
                    (PrivateMounts=no), or say --here";
        console.problem(
            "no other process sees the mounts of this one: the namespaces that topo makes would be gone when it ends",
            Some(help),
        );
        return Err(Exit::Usage);
    }
    Ok(())
}

/// The saved plans, made anew, if they are still what was saved.
fn current(console: &mut Console, kernel: &mut Linux, kept: Vec<(Case, Plan)>) -> Result<Vec<(Case, Plan)>, Exit> {
    let (mut jobs, mut exit) = (Vec::new(), Exit::Done);
    for (case, old) in kept {
        match session::plan(console, kernel, &case) {
            Ok(fresh)
                if plan_file::is_current(console, &old, &fresh, "make the plan again: topo plan --out PLAN FILE") =>
            {
                jobs.push((case, fresh))
            }
            Ok(_) => exit = exit.worst(Exit::Failed),
            Err(failed) => exit = exit.worst(failed),
        }
    }
    if exit == Exit::Done { Ok(jobs) } else { Err(exit) }
}
