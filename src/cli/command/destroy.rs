use super::list;
use crate::cli::console::Console;
use crate::cli::exit::Exit;
use crate::cli::input::{files, load};
use crate::cli::target::Case;
use crate::cli::{execute, known, mode, notice, session};
use crate::linux::Linux;
use crate::linux::netns::processes::Homes;
use crate::plan::change::Plan;
use crate::render::page::count;
use crate::resource::{Name, NetnsRef, Node};
use clap::Args;
use clap_complete::engine::ArgValueCompleter;
use std::path::PathBuf;

/// Remove a topology, and restore what it changed
///
/// By file or by name: what belongs to a topology is known from the marks in the kernel, and the file only provides its
/// name. A topology that does not exist is not an error, so that a clean-up can run twice. Processes in a namespace are
/// not killed without --kill: a warning names them, and the namespace is deleted when they end.
///
/// If something fails, everything is restored: namespaces that had lost their names get them back, with the processes
/// in them. With --yes and a single topology, namespaces that contain only lo, veth pairs among themselves, bridges and
/// dummies are not read but deleted as a unit, and each counts as one resource; "topo plan --destroy" shows all that is
/// in them.
#[derive(Debug, Args)]
#[command(
    after_long_help = "Examples:\n  sudo topo destroy lab.yaml\n  sudo topo destroy red-blue-nat --yes   by name, without the file\n  sudo topo destroy --all --yes          everything of topo's on this machine"
)]
pub struct Destroy {
    /// Topology files, folders or names [default: topology.yaml]
    #[arg(value_name = "FILE|NAME", conflicts_with = "all", add = ArgValueCompleter::new(known::file_or_topology))]
    targets: Vec<String>,
    /// Remove all topologies on this machine
    #[arg(long)]
    all: bool,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
    /// Terminate the processes that are left in its namespaces: SIGTERM, and after three seconds SIGKILL
    #[arg(long)]
    kill: bool,
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

/// How a plan is made: with output, or once more.
type Planning = fn(&mut Console, &mut Linux, &Case, &[Name]) -> Result<Plan, Exit>;

impl Destroy {
    /// Runs the command.
    ///
    /// # Errors
    ///
    /// The exit status of a failure that was already printed.
    pub fn run(self, console: &mut Console) -> crate::cli::global::Result {
        let named = if self.all { Vec::new() } else { self.names(console)? };
        let mut lock = execute::lock(console, self.lock_timeout)?;
        let mut kernel = session::open(console)?;
        let (mut jobs, mut failed) = self.plans(console, &mut kernel, &named, session::plan_after)?;
        for (_, plan) in jobs.iter().filter(|(_, plan)| plan.is_empty() && plan.base.record.is_empty()) {
            nothing(console, &mut kernel, &plan.base.topology)?;
        }
        let changes = jobs.iter().any(|(_, plan)| !plan.changes.is_empty());
        if changes && !self.json && !(self.yes && console.is_quiet()) {
            execute::show(
                console,
                jobs.iter().map(|(_, plan)| plan).filter(|plan| !plan.changes.is_empty()),
                self.yes,
            )?;
        }
        if changes && !self.yes {
            lock = execute::ask(console, lock, self.lock_timeout, "Destroy all of this?")?;
            kernel = Linux::new().map_err(|error| notice::told(console, &error))?;
            let (fresh, again) = self.plans(console, &mut kernel, &named, session::plan_again)?;
            failed = failed.worst(again);
            let shown: Vec<Plan> = jobs.into_iter().map(|(_, plan)| plan).collect();
            execute::still(console, &shown, &fresh)?;
            jobs = fresh
                .into_iter()
                .filter(|(case, _)| shown.iter().any(|plan| plan.base.topology == case.wanted.topology))
                .collect();
        }
        let manner = mode::Manner {
            rollback: !self.no_rollback,
            test: false,
            step: false,
            json: self.json,
            verb: "Destroyed",
            way_back: mode::WayBack::None,
            each: self.all,
        };
        let homes = Homes::of(
            &jobs.iter().filter(|_| self.kill).flat_map(|(_, plan)| session::going(plan)).collect::<Vec<_>>(),
        );
        let exit = execute::out(console, &mut kernel, &jobs, manner);
        drop(lock);
        if matches!(exit, Ok(Exit::Done)) {
            for (node, number) in homes.end_all() {
                console.note(&format!("ended {} that lived in namespace {node}", count(number, "process")));
            }
        }
        exit.map(|exit| failed.worst(exit))
    }

    /// The plans for the topologies `named`, or for all there are that can go, in the order in which they are carried
    /// out, and what is wrong with the rest.
    fn plans(
        &self,
        console: &mut Console,
        kernel: &mut Linux,
        named: &[Name],
        plan: Planning,
    ) -> Result<(Vec<(Case, Plan)>, Exit), Exit> {
        let names = if self.all { everything(console, kernel)? } else { named.to_vec() };
        // Of several one may use the namespaces of another, and is in the way of that until it is gone.
        let spares = self.yes && !self.json && names.len() == 1;
        kernel.hold_what_goes(spares).map_err(|error| notice::told(console, &error))?;
        let names = guests_first(console, kernel, names)?;
        let mut gone = Vec::new();
        let (jobs, failed) = execute::tried(names.iter().cloned().map(Case::nothing), |case| {
            let plan = plan(console, kernel, case, &gone);
            gone.push(case.wanted.topology.clone());
            plan
        });
        if failed == Exit::Done || self.all { Ok((jobs, failed)) } else { Err(failed) }
    }

    /// The names that the targets mean, each once.
    fn names(&self, console: &mut Console) -> Result<Vec<Name>, Exit> {
        let default = [files::DEFAULT.to_owned()];
        let targets = if self.targets.is_empty() { default.as_slice() } else { &self.targets };
        let mut names: Vec<Name> = Vec::new();
        for target in targets {
            let more =
                if files::is_file(target) { from_file(console, target)? } else { vec![from_name(console, target)?] };
            for name in more {
                if !names.contains(&name) {
                    names.push(name);
                }
            }
        }
        Ok(names)
    }
}

/// Reports that there is nothing of a topology, and what was probably meant.
fn nothing(console: &mut Console, kernel: &mut Linux, name: &Name) -> Result<(), Exit> {
    let here: Vec<String> = list::names(console, kernel)?.iter().map(ToString::to_string).collect();
    let meant = known::suggestion(name.as_str(), &here).map(|meant| format!(": {meant}")).unwrap_or_default();
    console.note(&format!("there is nothing of topology {:?} here{meant}", name.as_str()));
    Ok(())
}

/// The names of all topologies here, and one more for what carries topo's mark and is no topology's.
fn everything(console: &mut Console, kernel: &mut Linux) -> Result<Vec<Name>, Exit> {
    let (mut names, unowned) = list::found(console, kernel)?;
    if !unowned.is_empty() {
        let name = Name::from("unowned");
        kernel.adopt(name.clone(), unowned);
        if !names.contains(&name) {
            names.insert(0, name);
        }
    }
    Ok(names)
}

/// In an order in which each can go: a topology that uses a namespace of another one before that.
fn guests_first(console: &mut Console, kernel: &mut Linux, names: Vec<Name>) -> Result<Vec<Name>, Exit> {
    if names.len() < 2 {
        return Ok(names);
    }
    let (found, _) = kernel.list().map_err(|error| notice::told(console, &error))?;
    let lodges = |guest: &Name, at: &Name| {
        let (guest, at) = (found.iter().find(|one| one.name == *guest), found.iter().find(|one| one.name == *at));
        let Some((guest, at)) = guest.zip(at).filter(|(guest, at)| guest.name != at.name) else { return false };
        guest.existing.values().flatten().any(|place| at.namespaces.iter().any(|node| is_at(place, node)))
    };
    let (mut left, mut order) = (names, Vec::new());
    while !left.is_empty() {
        let free = left.iter().position(|name| !left.iter().any(|other| lodges(other, name)));
        order.push(left.remove(free.unwrap_or(0)));
    }
    Ok(order)
}

/// Whether a namespace of topo's is found at `place`, as far as the name says.
fn is_at(place: &NetnsRef, node: &Node) -> bool {
    match place {
        NetnsRef::Name(name) => name == node.as_str(),
        NetnsRef::Path(path) => {
            ["/run/netns/", "/var/run/netns/"].iter().any(|folder| path.strip_prefix(folder) == Some(node.as_str()))
        }
        NetnsRef::Pid(_) | NetnsRef::Container { .. } => false,
    }
}

fn from_name(console: &mut Console, name: &str) -> Result<Name, Exit> {
    if crate::linux::store::record::is_name(name) {
        return Ok(Name::from(name));
    }
    console.problem(
        &format!("{name:?} is no name of a topology, and no such file is here"),
        Some("a name has letters, digits, \".\", \"_\" and \"-\", at most 32 characters; see topo list"),
    );
    Err(Exit::Usage)
}

fn from_file(console: &mut Console, path: &str) -> Result<Vec<Name>, Exit> {
    let mut names = Vec::new();
    for source in files::read(console, &[PathBuf::from(path)])? {
        match load::parse(&source) {
            Ok(document) => names.push(document.name.value),
            Err(findings) => {
                console.findings(&source, &findings);
                console.note("a topology can be destroyed by its name, too: topo list shows the names, topo destroy NAME removes one");
                return Err(Exit::Data);
            }
        }
    }
    Ok(names)
}
