use crate::cli::console::Console;
use crate::cli::exit::Exit;
use crate::cli::input::{files, load, plan_file};
use crate::cli::session;
use crate::cli::session::Case;
use crate::dialect::ip::Words;
use crate::plan::Plan;
use crate::render::json;
use crate::render::json::{PlanView, Plans};
use crate::render::plan::{Counts, summary, text, totals};
use clap::Args;
use std::path::PathBuf;

/// Show what an apply would change, and what each change disturbs
///
/// Nothing is touched, but looking needs root. "+" is made, "~" is changed, "-" is removed, "-/+" is removed and made anew. A change in place is noticed by nobody; one that
/// flaps a link costs what the lines below it say, and the plan puts it back.
#[derive(Debug, Args)]
#[command(
    after_long_help = "Examples:\n  sudo topo plan lab.yaml\n  sudo topo plan lab.yaml --out lab.plan && sudo topo apply lab.plan\n  sudo topo plan labs/ --detailed-exitcode    0: nothing to do, 2: there are changes\n  sudo topo plan lab.yaml --commands          what you would type instead"
)]
pub struct PlanCommand {
    /// Topology files or folders; "-" is standard input [default: topology.yaml]
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Write the plan to a file that "topo apply PLAN" carries out, unless the machine has changed by then
    #[arg(long, value_name = "PLAN")]
    out: Option<PathBuf>,
    /// Exit with 2 where there are changes
    #[arg(long)]
    detailed_exitcode: bool,
    /// Plan the removal of everything
    #[arg(long)]
    destroy: bool,
    /// Count the changes by kind and by node
    #[arg(long, conflicts_with_all = ["json", "commands"])]
    summary: bool,
    /// Print the plan as JSON
    #[arg(long, conflicts_with = "commands")]
    json: bool,
    /// Print the plan as commands of ip, bridge, sysctl and nft
    #[arg(long)]
    commands: bool,
}

impl PlanCommand {
    pub fn run(self, console: &mut Console) -> crate::cli::Result {
        let sources = files::read(console, &self.files)?;
        let topologies = load::sound(console, sources)?;
        let mut kernel = session::open(console)?;
        let (mut plans, mut failed) = (Vec::new(), None);
        for topology in topologies {
            let case = if self.destroy {
                Case { wanted: crate::resource::State::empty(topology.state.topology.clone()), ..Case::of(topology) }
            } else {
                Case::of(topology)
            };
            match session::plan(console, &mut kernel, &case) {
                Ok(plan) => plans.push((case, plan)),
                Err(exit) => failed = Some(failed.map_or(exit, |worst: Exit| worst.worst(exit))),
            }
        }
        if let Some(exit) = failed {
            return Err(exit);
        }
        self.print(console, &plans);
        if let Some(path) = &self.out {
            plan_file::write(console, path, &plans)?;
        }
        let changes = plans.iter().any(|(_, plan)| !plan.changes.is_empty());
        Ok(if changes && self.detailed_exitcode { Exit::Changes } else { Exit::Done })
    }

    fn print(&self, console: &mut Console, plans: &[(Case, Plan)]) {
        if self.json {
            let plans = plans.iter().map(|(_, plan)| PlanView::from(plan)).collect();
            console.out(&json::text(&Plans { format_version: json::FORMAT_VERSION, plans }));
        } else if self.commands {
            plans.iter().for_each(|(_, plan)| console.out(&commands(plan)));
        } else {
            show(console, plans.iter().map(|(_, plan)| plan), self.summary);
        }
    }
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

/// The steps as a person would type them.
fn commands(plan: &Plan) -> String {
    let words = Words::new(&plan.wanted, &plan.base);
    let lines = plan.steps.iter().flat_map(|step| words.commands(&step.operation));
    lines.map(|line| crate::render::page::escape_lines(&line) + "\n").collect()
}
