use crate::apply::Before;
use crate::apply::report::Options;
use crate::cli::console::Console;
use crate::cli::exit::Exit;
use crate::cli::input::plan_file;
use crate::cli::mode::{Manner, WayBack};
use crate::cli::target::Case;
use crate::cli::{confirmation, execute, known, notice, session, signals};
use crate::history::{last, undo};
use crate::kernel::Kernel;
use crate::linux::Linux;
use crate::linux::store::record::{Records, is_name};
use crate::plan;
use crate::plan::change::{Action, Change, Plan};
use crate::render::json::Reports;
use crate::render::words::full_name;
use crate::render::{format, json};
use crate::resource::{LinkId, Name, Tenure};
use clap::Args;
use clap_complete::engine::ArgValueCandidates;

/// Undo the last apply of a topology
///
/// Shows what has to be done for it, asks for confirmation and does it. Each call goes back by one apply, at most ten;
/// apply the file to get the newer state again. If the machine has changed since that apply, it is refused, as a saved
/// plan is. A destroy cannot be undone, because it deletes the record, too: apply the file again.
#[derive(Debug, Args)]
#[command(
    after_long_help = "Examples:\n  sudo topo undo                         where there is one topology\n  sudo topo undo lab --yes               without a question"
)]
pub struct Undo {
    /// The topology [default: the only one there is]
    #[arg(value_name = "NAME", add = ArgValueCandidates::new(known::topology_candidates))]
    name: Option<String>,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
    /// Do not roll back completed steps when a step fails
    #[arg(long)]
    no_rollback: bool,
    /// Print a report as JSON; needs --yes
    #[arg(long)]
    json: bool,
    /// How long to wait while another apply or destroy is under way
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    lock_timeout: u64,
}

impl Undo {
    /// Runs the command.
    ///
    /// # Errors
    ///
    /// The exit status of a failure that was already printed.
    pub fn run(self, console: &mut Console) -> crate::cli::global::Result {
        let mut lock = execute::lock(console, self.lock_timeout)?;
        let name = self.which(console)?;
        let mut kernel = session::open(console)?;
        confirmation::refuse(console, std::iter::once(&name))?;
        let records = Records::default();
        let (number, apply) = last_apply(console, &records, &name)?;
        if let Some(maker) = apply.stranger() {
            console.note(&format!(
                "topo {maker} made the apply that is undone, and this is {}: the way back is planned again",
                env!("CARGO_PKG_VERSION")
            ));
        }
        check_unchanged(console, &mut kernel, &records, &name, true)?;
        let (mut fresh, mut before) = back(console, &mut kernel, &apply.before)?;
        notice::warnings(console, &mut kernel);
        kernel
            .check_keys(fresh.steps.iter().map(|step| step.operation.clone()))
            .map_err(|error| notice::told(console, &error))?;
        let silent = self.json || self.yes && console.is_quiet();
        if !silent {
            execute::show(console, std::iter::once(&fresh), false)?;
        }
        if !self.yes {
            lock = execute::ask(console, lock, self.lock_timeout, "Undo the last apply?")?;
            confirmation::refuse(console, std::iter::once(&name))?;
            check_last(console, &records, &name, number)?;
            check_unchanged(console, &mut kernel, &records, &name, false)?;
            let shown = fresh;
            (fresh, before) = back(console, &mut kernel, &apply.before)?;
            execute::check_shown(console, &shown, &fresh)?;
        }
        let options = Options { rollback: !self.no_rollback, interrupted: signals::watch() };
        let report = execute::back(console, &mut kernel, &fresh, &before, &options);
        if report.is_success() {
            undo::forget(&records, &name, number).map_err(|error| notice::told(console, &error))?;
        }
        let manner = Manner {
            rollback: !self.no_rollback,
            test: false,
            step: false,
            json: self.json,
            verb: "Undone",
            way_back: WayBack::None,
            each: false,
        };
        let exit = execute::tell(console, &Case::nothing(name), &fresh, &report, manner, None);
        if self.json {
            console.out(&format::text(&Reports {
                format_version: format::FORMAT_VERSION,
                reports: vec![json::report(&fresh, Some(&report), None)],
            }));
        }
        drop(lock);
        Ok(exit)
    }

    fn which(&self, console: &mut Console) -> Result<Name, Exit> {
        if let Some(name) = &self.name {
            if is_name(name) {
                return Ok(Name::from(name.as_str()));
            }
            console.problem(&format!("{name:?} is no name of a topology"), Some("topo list shows the names"));
            return Err(Exit::Usage);
        }
        let names = Records::default().names().map_err(|error| notice::told(console, &error))?;
        match names.as_slice() {
            [name] => Ok(name.clone()),
            [] => {
                console.problem("there is no topology here", None);
                Err(Exit::Failed)
            }
            names => {
                let names: Vec<&str> = names.iter().map(Name::as_str).collect();
                console.problem("there are several topologies here", Some(&format!("say which: {}", names.join(", "))));
                Err(Exit::Usage)
            }
        }
    }
}

/// The last apply of a topology, with its number.
fn last_apply(console: &mut Console, records: &Records, name: &Name) -> Result<(u64, undo::Apply), Exit> {
    let last = undo::last(records, name).map_err(|error| notice::told(console, &error))?;
    last.ok_or_else(|| {
        let help = known::topology_instead_of(name).unwrap_or_else(|| {
            let kept = undo::KEPT;
            format!("at most the last {kept} applies since the topology was made are kept; topo destroy {name} removes all of it")
        });
        console.problem(&format!("there is no apply of topology {:?} to undo", name.as_str()), Some(&help));
        Exit::Failed
    })
}

/// Refuses where the last apply is no longer the one that was asked about.
fn check_last(console: &mut Console, records: &Records, name: &Name, number: u64) -> Result<(), Exit> {
    let last = undo::last(records, name).map_err(|error| notice::told(console, &error))?;
    if last.is_some_and(|(last, _)| last == number) {
        return Ok(());
    }
    console.problem(
        &format!("topology {:?} has changed since", name.as_str()),
        Some("nothing was changed; look at what there is to undo now"),
    );
    Err(Exit::Failed)
}

/// Refuses where the machine is not as the last apply left it: another program's change would be lost. Interfaces of
/// others that are gone since are reported the `first` time, and nothing goes back there.
fn check_unchanged(
    console: &mut Console,
    kernel: &mut Linux,
    records: &Records,
    name: &Name,
    first: bool,
) -> Result<(), Exit> {
    // One that topo 0.1 applied has no note of it.
    let Some(last) = last::load(records, name).map_err(|error| notice::told(console, &error))? else { return Ok(()) };
    let record = records.load(name).map_err(|error| notice::told(console, &error))?.record.unwrap_or_default();
    let now = kernel.observe(&last.state).map_err(|error| notice::told(console, &error))?;
    drop(kernel.warnings());
    let what: Vec<String> = match plan::changed_since(&last.state, last.back, &record, &now) {
        Ok((changes, gone)) if changes.is_empty() => {
            let named = |link: &&LinkId| last.state.link(link).is_some_and(|link| link.tenure != Tenure::Created);
            for link in gone.iter().filter(named).filter(|_| first) {
                console.note(&format!("{link} is gone since the apply: nothing goes back there"));
            }
            return Ok(());
        }
        Ok((changes, _)) => changes.iter().flat_map(since).collect(),
        Err(conflicts) => conflicts.iter().map(session::in_words).collect(),
    };
    plan_file::tell_stale(
        console,
        &format!("the plan for {:?} is stale: the machine has changed since the last apply", name.as_str()),
        what,
        "its last apply cannot be undone: apply the file that you want instead",
    );
    Err(Exit::Failed)
}

/// What has happened to a resource that a plan for what was wanted would change now.
fn since(change: &Change) -> Vec<String> {
    let name = full_name(&change.id);
    match change.action {
        Action::Create => vec![format!("{name} is gone")],
        Action::Delete => vec![format!("{name} has appeared")],
        _ => change
            .drift
            .iter()
            .map(|drift| format!("{name}: {} was {:?}, is {:?}", drift.field, drift.new, drift.old))
            .collect(),
    }
}

/// The plan back, made now, and what it goes back to.
fn back(console: &mut Console, kernel: &mut Linux, before: &Before) -> Result<(Plan, Before), Exit> {
    let now = kernel.observe(&before.target).map_err(|error| notice::told(console, &error))?;
    let before = before.beside(&now);
    let planned = plan::back(&before.target, &now).map_err(|conflicts| {
        let case = Case::nothing(before.target.topology.clone());
        session::in_the_way(console, kernel, &case, &conflicts)
    });
    Ok((planned?, before))
}
