use super::list;
use crate::cli::console::Console;
use crate::cli::exit::Exit;
use crate::cli::input::{files, load, plan_file};
use crate::cli::target::Case;
use crate::cli::{examine, known, notice, session};
use crate::dialect::ip::words::Words;
use crate::graph;
use crate::history::last;
use crate::linux::Linux;
use crate::linux::store::record;
use crate::linux::store::record::Records;
use crate::plan::change::Plan;
use crate::render::format;
use crate::render::json::{PlanView, Plans};
use crate::render::markdown;
use crate::render::plan::{Counts, summary, text, totals};
use crate::render::show;
use crate::resource::{Name, State};
use clap::Args;
use clap_complete::engine::ArgValueCompleter;
use std::path::{Path, PathBuf};

/// Show what an apply would change, and the impact of each change
///
/// Nothing is changed, but reading the state needs root. "+" is created, "~" is changed, "-" is deleted, "-/+" is
/// re-created. A change in place disturbs nothing. A change that flaps a link takes it down and up again: the lines
/// below it list what is lost then, and the plan restores that.
#[derive(Debug, Args)]
#[command(
    after_long_help = "Examples:\n  sudo topo plan lab.yaml\n  sudo topo plan lab.yaml --out lab.plan && sudo topo apply lab.plan\n  sudo topo plan labs/ --detailed-exitcode    0: nothing to do, 2: there are changes\n  sudo topo plan lab                          what has changed since it was applied\n  sudo topo plan lab.yaml --commands          what you would type instead"
)]
pub struct PlanCommand {
    /// Topology files or folders, "-" for standard input, or names of applied topologies, as they were last applied
    /// [default: topology.yaml]
    #[arg(value_name = "FILE|NAME", add = ArgValueCompleter::new(known::file_or_topology))]
    files: Vec<PathBuf>,
    /// Save the plan to a file for "topo apply PLAN", which carries it out unless the machine has changed
    #[arg(long, value_name = "PLAN")]
    out: Option<PathBuf>,
    /// Exit with 2 if there are changes
    #[arg(long)]
    detailed_exitcode: bool,
    /// Plan the removal of the topology, as "topo destroy" would do it
    #[arg(long)]
    destroy: bool,
    /// Print only how many changes there are, by kind and by node
    #[arg(long, conflicts_with_all = ["json", "commands"])]
    summary: bool,
    /// Print the plan as JSON
    #[arg(long, conflicts_with = "commands")]
    json: bool,
    /// Print the plan as Markdown with a picture of the change, at most 60 KB, for a comment on a pull request
    #[arg(long, conflicts_with_all = ["json", "commands", "summary"])]
    markdown: bool,
    /// Print the plan as commands of ip, bridge, tc, sysctl and nft
    #[arg(long)]
    commands: bool,
    /// Do not warn of what "topo doctor" calls an error
    #[arg(long)]
    no_doctor: bool,
    /// With --commands: omit the marks by which topo recognises its own objects
    #[arg(long, requires = "commands")]
    plain: bool,
}

impl PlanCommand {
    /// Runs the command.
    ///
    /// # Errors
    ///
    /// The exit status of a failure that was already printed.
    pub fn run(self, console: &mut Console) -> crate::cli::global::Result {
        let (names, paths): (Vec<PathBuf>, Vec<PathBuf>) = self.files.iter().cloned().partition(|file| is_name(file));
        let topologies = if names.is_empty() || !paths.is_empty() {
            let sources = files::read(console, &paths)?;
            load::sound(console, sources)?
        } else {
            Vec::new()
        };
        let mut kernel = session::open(console)?;
        let mut cases: Vec<Case> = topologies.into_iter().map(Case::of).collect();
        for name in &names {
            cases.push(self.last(console, &mut kernel, &name.to_string_lossy())?);
        }
        let (mut plans, mut failed) = (Vec::new(), None);
        for case in cases {
            let case = if self.destroy {
                Case { wanted: State::empty(case.wanted.topology.clone()), literal: Vec::new(), back: false, ..case }
            } else {
                case
            };
            match session::plan(console, &mut kernel, &case) {
                Ok(plan) => plans.push((case, plan)),
                Err(exit) => failed = Some(failed.map_or(exit, |worst: Exit| worst.worst(exit))),
            }
        }
        if let Some(exit) = failed {
            return Err(exit);
        }
        for (case, plan) in plans.iter().filter(|_| !self.no_doctor) {
            examine::warn(console, &kernel, case, plan);
        }
        self.print(console, &plans);
        if !self.json && !self.commands && !self.markdown {
            self.foreign(console, &kernel, &plans)?;
        }
        if let Some(path) = &self.out {
            plan_file::write(console, path, &plans)?;
        }
        let changes = plans.iter().any(|(_, plan)| !plan.changes.is_empty());
        // What is left is the end of the program, which frees it at once.
        std::mem::forget(plans);
        Ok(if changes && self.detailed_exitcode { Exit::Changes } else { Exit::Done })
    }

    /// Shows what other programs have in the namespaces of small topologies, where it explains why something does not
    /// work.
    fn foreign(&self, console: &mut Console, kernel: &Linux, plans: &[(Case, Plan)]) -> Result<(), Exit> {
        /// In more namespaces than these it would be a long look for a short line.
        const MOST: usize = 64;
        for (_, plan) in plans.iter().filter(|(_, plan)| plan.base.namespaces().count() <= MOST) {
            let foreign = kernel.foreign(&plan.base).map_err(|error| notice::told(console, &error))?;
            console.out(&show::foreign(&foreign, None));
        }
        Ok(())
    }

    /// A topology that is here, as it was last wanted; nothing where it is to be removed.
    fn last(&self, console: &mut Console, kernel: &mut Linux, name: &str) -> Result<Case, Exit> {
        last(console, kernel, name, self.destroy)
    }

    fn print(&self, console: &mut Console, plans: &[(Case, Plan)]) {
        if self.json {
            let plans = plans.iter().map(|(_, plan)| PlanView::from(plan)).collect();
            console.out(&format::text(&Plans { format_version: format::FORMAT_VERSION, plans }));
        } else if self.markdown {
            let pictured: Vec<(&Plan, String)> =
                plans.iter().map(|(_, plan)| (plan, graph::mermaid::of_plan(plan))).collect();
            console.out(&markdown::text(&pictured));
        } else if self.commands {
            plans.iter().for_each(|(_, plan)| console.out(&commands(plan, self.plain)));
        } else {
            show(console, plans.iter().map(|(_, plan)| plan), self.summary);
        }
    }
}

/// A topology that is here, as it was last wanted. With `destroy` that need not be known.
///
/// # Errors
///
/// If there is none of this name, or what was last wanted of it is not known, after that was printed.
pub fn last(console: &mut Console, kernel: &mut Linux, name: &str, destroy: bool) -> Result<Case, Exit> {
    let topology = Name::from(name);
    let last = last::load(&Records::default(), &topology).map_err(|error| notice::told(console, &error))?;
    if let Some(last) = last {
        return Ok(Case::last(last));
    }
    let here: Vec<String> = list::names(console, kernel)?.iter().map(ToString::to_string).collect();
    if !here.iter().any(|here| here == name) {
        let help = known::suggestion(name, &here)
            .unwrap_or_else(|| "name a file (topo plan lab.yaml), or a topology: topo list shows them".to_owned());
        console.problem(&format!("there is no file and no topology {name:?} here"), Some(&help));
        return Err(Exit::Failed);
    }
    if destroy {
        return Ok(Case::nothing(topology));
    }
    console.problem(
        &format!("what was last wanted of topology {name:?} is not known"),
        Some("plan its file; an apply of it is remembered"),
    );
    Err(Exit::Failed)
}

/// Whether an argument is the name of a topology: no file, by the rule of `destroy`, and a name that a topology can
/// have.
pub fn is_name(argument: &Path) -> bool {
    argument.to_str().is_some_and(|text| !files::is_file(text) && record::is_name(text))
}

/// Shows plans, and what they come to.
pub fn show<'a>(console: &mut Console, plans: impl Iterator<Item = &'a Plan>, short: bool) {
    let mut counts = Counts::default();
    for plan in plans {
        console.out(&if short { summary(plan) } else { text(plan) });
        counts = counts.plus(Counts::of(plan));
    }
    if counts != Counts::default() {
        console.out(&totals(counts));
    }
}

/// The steps as a user would type them.
fn commands(plan: &Plan, plain: bool) -> String {
    let words = if plain { Words::plain(&plan.wanted, &plan.base) } else { Words::new(&plan.wanted, &plan.base) };
    let lines = plan.steps.iter().flat_map(|step| words.commands(&step.operation));
    lines.map(|line| crate::render::page::escape_lines(&line) + "\n").collect()
}
