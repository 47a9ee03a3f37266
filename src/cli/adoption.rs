//! What is there becomes a topology's where it stands: `topo import --adopt`.

use super::console::Console;
use super::exit::Exit;
use super::input::{files, load};
use super::mode::{Manner, WayBack};
use super::target::Case;
use super::{confirmation, execute, notice, session};
use crate::linux::inventory::Found;
use crate::linux::store::lock::Lock;
use crate::plan::change::Plan;
use crate::resource::{Adoption, Kind, Name, NodeTenure, Owner, Resource, State};
use std::collections::BTreeMap;
use std::path::Path;

/// An adoption that is to be carried out.
#[derive(Debug)]
pub struct Adopting {
    /// The machine's lock, as it was taken before anything was read.
    pub lock: Lock,
    /// How long to wait for it after the question, in seconds.
    pub patience: u64,
    /// Whether nothing is asked.
    pub sure: bool,
}

/// Refuses a name that a topology of this machine has: what is adopted would become part of that one.
///
/// # Errors
///
/// If there is such a topology, or the topologies cannot be listed, after that was printed.
pub fn refuse_known(console: &mut Console, name: &Name) -> Result<(), Exit> {
    let mut kernel = session::open(console)?;
    let (found, _) = kernel.list().map_err(|error| notice::told(console, &error))?;
    let known = |topology: &Found| topology.name == *name && !is_bare(topology);
    if !found.iter().any(known) {
        return Ok(());
    }
    let help = "give this one another name (--name), or destroy that one first";
    console.problem(&format!("there is a topology {:?} on this machine already", name.as_str()), Some(help));
    Err(Exit::Failed)
}

/// Whether no more than a folder is left, of a run that was cut off before it began.
fn is_bare(topology: &Found) -> bool {
    let Found { name: _, namespaces, existing, links, nft, recorded, half_made: _ } = topology;
    namespaces.is_empty() && existing.is_empty() && links.is_empty() && !nft && !recorded
}

/// Adopts what the file says, with the tables whose place its own take.
///
/// # Errors
///
/// What is in the way, or failed, after that was printed.
pub fn adopt(console: &mut Console, file: &Path, tables: &Adoption, adopting: Adopting) -> super::global::Result {
    let sources = files::read(console, &[file.to_owned()])?;
    let mut topologies = load::sound(console, sources)?;
    for topology in &mut topologies {
        topology.state.adopts = Some(tables.clone());
    }
    let mut kernel = session::open(console)?;
    let cases = topologies.into_iter().map(Case::of);
    let mut jobs = execute::jobs(cases, |case| session::plan(console, &mut kernel, case))?;
    confirmation::refuse(console, jobs.iter().map(|(_, plan)| &plan.base.topology))?;
    let mut lock = adopting.lock;
    if !(adopting.sure && console.is_quiet()) {
        execute::show(console, jobs.iter().map(|(_, plan)| plan), false)?;
        jobs.iter().for_each(|(_, plan)| console.out(&taken(plan)));
    }
    if !adopting.sure {
        (lock, jobs) = execute::confirmed(console, &mut kernel, lock, adopting.patience, "Adopt this?", jobs)?;
    }
    let manner = Manner {
        rollback: true,
        test: false,
        step: false,
        json: false,
        verb: "Adopted",
        way_back: WayBack::Noted,
        each: false,
    };
    let exit = execute::out(console, &mut kernel, &jobs, manner);
    drop(lock);
    exit
}

/// What a destroy deletes once it is adopted, a line for each node.
fn taken(plan: &Plan) -> String {
    let topology = &plan.base.topology;
    let mut text = format!("\"topo destroy {topology}\" then deletes, and \"topo undo {topology}\" gives back:\n");
    for namespace in plan.wanted.namespaces() {
        let things = things(&plan.wanted, &namespace.node);
        let head = match namespace.tenure {
            NodeTenure::Created => format!("namespace {}, with all that is in it", namespace.node),
            NodeTenure::Host | NodeTenure::Existing(_) if things.is_empty() => continue,
            NodeTenure::Host | NodeTenure::Existing(_) => format!("in {}", namespace.node),
        };
        let things = if things.is_empty() { String::new() } else { format!(": {}", things.join(", ")) };
        text.push_str(&format!("  {head}{things}\n"));
    }
    text
}

/// What the topology has in a node: its interfaces by their names, the rest counted.
fn things(wanted: &State, node: &crate::resource::Node) -> Vec<String> {
    let ours = wanted.items.values().filter(|item| item.owner == Owner::Ours && item.resource.node() == node);
    let mut names = Vec::new();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for resource in ours.map(|item| &item.resource) {
        match resource {
            Resource::Link(link) if link.kind != Kind::Loopback => names.push(link.id.name.to_string()),
            Resource::Address(_) | Resource::Route(_) | Resource::Rule(_) | Resource::Table(_) => {
                *counts.entry(resource.id().kind()).or_default() += 1;
            }
            _ => {}
        }
    }
    let counted = counts.into_iter().filter(|(_, count)| *count > 0);
    names.extend(counted.map(|(kind, count)| crate::render::page::count(count, kind)));
    names
}
