use super::{graph, list, show};
use crate::cli::console::Console;
use crate::cli::exit::Exit;
use crate::cli::input::{files, load};
use crate::cli::target::{Case, Topology};
use crate::cli::{known, notice, session};
use crate::document::yaml::source::Source;
use crate::document::{self, Document};
use crate::kernel::Kernel;
use crate::linux::Linux;
use crate::plan::change::Plan;
use crate::plan::{between, reversed};
use crate::render::format::{self, FORMAT_VERSION};
use crate::render::{json, plan};
use crate::resource::{Name, Resource, State};
use clap::Args;
use clap_complete::engine::ArgValueCompleter;
use std::path::PathBuf;

/// Show what differs between two topologies: files, running ones, or one of each
///
/// The difference is shown like a plan: what has to be added, changed and removed to get from A to B. The names of the
/// topologies and their prefixes are not compared, so two versions of a lab, or two labs side by side, can be. Between
/// a running topology and its own file, the difference is what "topo plan" shows.
///
/// Two files need no privileges. Reading a running topology needs root; it is compared with another one, or with the
/// file of another one, as the file that "topo show --yaml" prints.
#[derive(Debug, Args)]
#[command(
    after_long_help = "Examples:\n  topo diff lab-v1.yaml lab-v2.yaml            what the new version changes\n  git show main:lab.yaml | topo diff - lab.yaml\n  sudo topo diff lab.yaml lab                  what has changed on the machine since\n  sudo topo diff lab-1 lab-2                   two labs that should be alike\n\nExit status:\n  0   both are the same\n  2   they differ\n  65  a file has errors\n  1   a file cannot be read, or there is no such topology"
)]
pub struct Diff {
    /// The first: a topology file, "-" for standard input, or the name of a running topology
    #[arg(value_name = "A", add = ArgValueCompleter::new(known::file_or_topology))]
    from: String,
    /// The second, likewise
    #[arg(value_name = "B", add = ArgValueCompleter::new(known::file_or_topology))]
    to: String,
    /// Print the difference as JSON
    #[arg(long)]
    json: bool,
    /// Draw it, too, into a file: .svg, .html, .mmd, .dot or .txt
    #[arg(long, value_name = "FILE")]
    picture: Option<PathBuf>,
}

/// One of the two.
enum Side {
    /// A file.
    File(Box<Topology>),
    /// A topology that is running.
    Running(Name),
}

impl Diff {
    /// Runs the command.
    ///
    /// # Errors
    ///
    /// The exit status of a failure that was already printed.
    pub fn run(self, console: &mut Console) -> crate::cli::global::Result {
        if self.from == "-" && self.to == "-" {
            console.problem("standard input can be one of the two, not both", Some("name a file for the other one"));
            return Err(Exit::Usage);
        }
        let (from, to) = (side(console, &self.from)?, side(console, &self.to)?);
        let plan = difference(console, from, to)?;
        if let Some(file) = &self.picture {
            graph::draw_change(console, &plan, file)?;
        }
        console.out(&if self.json {
            format::text(&json::diff(FORMAT_VERSION, &self.from, &self.to, &plan))
        } else {
            plan::difference(&self.from, &self.to, &plan)
        });
        Ok(if plan.changes.is_empty() { Exit::Done } else { Exit::Changes })
    }
}

/// What an argument means: a file by the rule of `destroy`, else a name.
fn side(console: &mut Console, argument: &str) -> Result<Side, Exit> {
    if !files::is_file(argument) {
        return Ok(Side::Running(Name::from(argument)));
    }
    let sources = files::read(console, &[PathBuf::from(argument)])?;
    if sources.len() > 1 {
        console.problem(
            &format!("{argument:?} is a folder with {} files", sources.len()),
            Some("name one of them: a difference is that of two topologies"),
        );
        return Err(Exit::Usage);
    }
    let topology = load::sound(console, sources)?.pop().ok_or(Exit::Failed)?;
    Ok(Side::File(Box::new(topology)))
}

fn difference(console: &mut Console, from: Side, to: Side) -> Result<Plan, Exit> {
    let (one, other) = match (from, to) {
        (Side::File(from), Side::File(to)) => {
            let name = from.state.topology.clone();
            let (from, to) = (alone(console, from.source, &name)?, alone(console, to.source, &name)?);
            return Ok(between(&from, &to));
        }
        others => others,
    };
    let mut kernel = session::open(console)?;
    for side in [&one, &other] {
        if let Side::Running(name) = side {
            there(console, &mut kernel, name)?;
        }
    }
    match (one, other) {
        (Side::Running(name), Side::File(file)) if file.state.topology == name => {
            session::plan(console, &mut kernel, &Case::of(*file))
        }
        (Side::File(file), Side::Running(name)) if file.state.topology == name => {
            session::plan(console, &mut kernel, &Case::of(*file)).map(reversed)
        }
        (one, other) => {
            let name = Name::from("topology");
            let files = [&one, &other].map(|side| matches!(side, Side::File(_)));
            let mut one = wanted(console, &mut kernel, one, &name)?;
            let mut other = wanted(console, &mut kernel, other, &name)?;
            match files {
                [true, false] => forget_unsaid(&mut other, &one),
                [false, true] => forget_unsaid(&mut one, &other),
                _ => {}
            }
            Ok(between(&one, &other))
        }
    }
}

/// Leaves out what the kernel chose for ports of a running topology, such as the cost of one that is no veth, where the
/// file says nothing of it.
fn forget_unsaid(running: &mut State, file: &State) {
    for link in file.links() {
        if let Some(Resource::Link(there)) = running.items.get_mut(&link.id()).map(|item| &mut item.resource) {
            there.port.retain(|name, _| link.port.contains_key(name));
        }
    }
}

/// That there is such a topology.
fn there(console: &mut Console, kernel: &mut Linux, name: &Name) -> Result<(), Exit> {
    let names = list::names(console, kernel)?;
    if names.contains(name) {
        return Ok(());
    }
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    let help = known::suggestion(name.as_str(), &names)
        .unwrap_or_else(|| "name a file (topo diff lab.yaml lab), or a topology: topo list shows them".to_owned());
    console.problem(&format!("there is no file and no topology {:?} here", name.as_str()), Some(&help));
    Err(Exit::Failed)
}

/// What one of the two wants, with its keys read from their files.
fn wanted(console: &mut Console, kernel: &mut Linux, side: Side, name: &Name) -> Result<State, Exit> {
    let source = match side {
        Side::File(file) => file.source,
        Side::Running(running) => {
            let text = show::file(console, kernel, &running)?;
            Source { name: running.to_string(), text: text.into() }
        }
    };
    let mut state = alone(console, source, name)?;
    kernel.resolve(&mut state).map_err(|error| notice::told(console, &error))?;
    Ok(state)
}

/// What a file wants, as if it were called `name` and had no prefix: what it is called makes no difference.
fn alone(console: &mut Console, source: Source, name: &Name) -> Result<State, Exit> {
    let document = document::parse_without_prefix(&source).map_err(|findings| {
        console.findings(&source, &findings);
        Exit::Data
    })?;
    let mut document: Document = document;
    document.name.value = name.clone();
    Ok(document::lower(&document, &source).0.state)
}
