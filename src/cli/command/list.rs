use crate::cli::console::Console;
use crate::cli::exit::Exit;
use crate::cli::session::NoPlan;
use crate::cli::target::Case;
use crate::cli::{confirmation, notice, session};
use crate::history::last;
use crate::history::pending::Phase;
use crate::linux::store::record::Records;
use crate::linux::{Found, Linux};
use crate::render::list::{ListedView, Topologies};
use crate::render::order::natural;
use crate::render::{format, list, words};
use crate::resource::{Name, Node, ResourceId};
use clap::Args;

/// List the topologies on this machine, found by their marks
///
/// Each is compared with its last applied state, as "topo plan NAME" does: "ok" has no changes, "drifted" has, with the
/// first difference. "unknown" cannot be compared, because its last applied state is not known. Incomplete topologies,
/// and objects that no topology owns any more, are listed, too. Reading the state needs root.
#[derive(Debug, Args)]
#[command(
    after_long_help = "Examples:\n  sudo topo list\n  sudo topo list --quick                 what is there, without a look at whether it is right\n  sudo topo list --json | jq -r '.topologies[].topology'"
)]
pub struct List {
    /// Count objects without comparing them: the status is then "present"
    #[arg(long)]
    quick: bool,
    /// Print the list as JSON
    #[arg(long)]
    json: bool,
}

impl List {
    /// Runs the command.
    ///
    /// # Errors
    ///
    /// The exit status of a failure that was already printed.
    pub fn run(self, console: &mut Console) -> crate::cli::global::Result {
        let mut kernel = session::open(console)?;
        let inside = kernel.inside().map_err(|error| notice::told(console, &error))?;
        let topologies = look(console, &mut kernel, inside.is_none() && !self.quick, inside.is_none())?;
        let inside =
            inside.map(|(topology, node)| node.map_or(topology.to_string(), |node| format!("{topology}/{node}")));
        if self.json {
            console.out(&format::text(&Topologies { format_version: format::FORMAT_VERSION, inside, topologies }));
        } else {
            console.out(&list::text(&topologies));
            if let Some(inside) = inside {
                console.note(&format!(
                    "this is inside {inside}: what is on the host is not seen from here, and nothing is compared"
                ));
            }
        }
        Ok(Exit::Done)
    }
}

/// The topologies; `compares` them with what was last wanted. `outside` says that this is no namespace of topo's, so
/// that the marks here are those of the host.
fn look(console: &mut Console, kernel: &mut Linux, compares: bool, outside: bool) -> Result<Vec<ListedView>, Exit> {
    let listed = kernel.list();
    notice::warnings(console, kernel);
    let (found, mut unowned) = listed.map_err(|error| notice::told(console, &error))?;
    let mut topologies: Vec<ListedView> = found.iter().map(|it| one(it, kernel, compares)).collect();
    if !outside {
        unowned.clear();
        for it in &mut topologies {
            (it.nft, it.links) = (false, Vec::new());
            it.existing.retain(|node| node != Node::host().as_str());
        }
    }
    if !unowned.is_empty() {
        topologies.push(ListedView {
            state: "unowned",
            other: unowned.iter().map(words::full_name).collect(),
            ..ListedView::default()
        });
    }
    Ok(topologies)
}

/// What is said of a topology.
fn one(it: &Found, kernel: &mut Linux, compares: bool) -> ListedView {
    let phase = confirmation::phase(&it.name);
    let mut view = ListedView {
        topology: it.name.to_string(),
        state: "present",
        seconds_to_confirm: phase.and_then(|phase| {
            if let Phase::Waiting(left) = phase { Some(left.as_millis().div_ceil(1000) as u64) } else { None }
        }),
        namespaces: in_order(it.namespaces.iter().map(ToString::to_string)),
        existing: in_order(it.existing.keys().map(ToString::to_string)),
        links: in_order(it.links.iter().map(ToString::to_string)),
        nft: it.nft,
        ..ListedView::default()
    };
    if compares {
        compare(it, kernel, &mut view);
    }
    match phase {
        _ if it.half_made => view.state = "half-made",
        Some(Phase::Waiting(_)) => view.state = "waiting",
        Some(Phase::Expired) => view.state = "expired",
        _ => {}
    }
    view
}

/// Names as a user counts.
fn in_order(names: impl Iterator<Item = String>) -> Vec<String> {
    let mut names: Vec<String> = names.collect();
    names.sort_by_cached_key(|name| natural(name));
    names
}

/// Compares a topology with what was last wanted of it.
fn compare(it: &Found, kernel: &mut Linux, view: &mut ListedView) {
    view.state = "unknown";
    let case = match last::load(&Records::default(), &it.name) {
        Ok(Some(last)) => Case::last(last),
        Ok(None) => {
            view.differs.push("what was last wanted is not known".to_owned());
            return;
        }
        Err(error) => {
            view.differs.push(error.to_string());
            return;
        }
    };
    let compared = session::compare(kernel, &case, &[]);
    // What there is to say is said by `plan`.
    kernel.warnings();
    match compared {
        Ok(plan) => {
            let (changes, differs) = list::differs(&plan);
            (view.changes, view.differs) = (Some(changes), differs);
            view.state = if plan.changes.is_empty() { "ok" } else { "drifted" };
        }
        Err(NoPlan::Conflicts(conflicts)) => {
            view.differs = conflicts.iter().map(session::in_words).collect();
            view.state = "drifted";
        }
        Err(NoPlan::Failed(error)) => view.differs.push(error.to_string()),
    }
}

/// The names of all topologies here.
///
/// # Errors
///
/// If the records or the marks cannot be read, after that was printed.
pub fn names(console: &mut Console, kernel: &mut Linux) -> Result<Vec<Name>, Exit> {
    found(console, kernel).map(|(names, _)| names)
}

/// The names of all topologies here, and what carries topo's mark and is no topology's.
///
/// # Errors
///
/// If the records or the marks cannot be read, after that was printed.
pub fn found(console: &mut Console, kernel: &mut Linux) -> Result<(Vec<Name>, Vec<ResourceId>), Exit> {
    let listed = kernel.list();
    notice::warnings(console, kernel);
    let (found, unowned) = listed.map_err(|error| notice::told(console, &error))?;
    Ok((found.into_iter().map(|found| found.name).collect(), unowned))
}
