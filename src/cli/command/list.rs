use crate::cli::console::Console;
use crate::cli::exit::Exit;
use crate::cli::{confirmation, session};
use crate::history::pending::Phase;
use crate::linux::Linux;
use crate::render::json;
use crate::render::json::{ListedView, Topologies};
use crate::render::{list, words};
use crate::resource::{Name, ResourceId};
use clap::Args;

/// List the topologies on this machine, found by their marks
///
/// Half-made ones and what belongs to no topology any more are listed, too. Looking needs root.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:\n  sudo topo list\n  sudo topo list --json | jq -r '.topologies[].topology'")]
pub struct List {
    /// Print the list as JSON
    #[arg(long)]
    json: bool,
}

impl List {
    pub fn run(self, console: &mut Console) -> crate::cli::Result {
        let mut kernel = session::open(console)?;
        let topologies = look(console, &mut kernel)?;
        if self.json {
            console.out(&json::text(&Topologies { format_version: json::FORMAT_VERSION, topologies }));
        } else {
            console.out(&list::text(&topologies));
        }
        Ok(Exit::Done)
    }
}

fn look(console: &mut Console, kernel: &mut Linux) -> Result<Vec<ListedView>, Exit> {
    let listed = kernel.list();
    session::warnings(console, kernel);
    let (found, unowned) = listed.map_err(|error| session::told(console, &error))?;
    let mut topologies: Vec<ListedView> = found
        .into_iter()
        .map(|it| {
            let phase = confirmation::phase(&it.name);
            (it, phase)
        })
        .map(|(it, phase)| ListedView {
            topology: it.name.to_string(),
            state: match phase {
                _ if it.half_made => "half-made",
                Some(Phase::Waiting(_)) => "waiting",
                Some(Phase::Expired) => "expired",
                _ => "ok",
            },
            seconds_to_confirm: phase.and_then(|phase| if let Phase::Waiting(left) = phase { Some(left.as_millis().div_ceil(1000) as u64) } else { None }),
            namespaces: it.namespaces.iter().map(ToString::to_string).collect(),
            existing: it.existing.keys().map(ToString::to_string).collect(),
            links: it.links.iter().map(ToString::to_string).collect(),
            nft: it.nft,
            other: Vec::new(),
        })
        .collect();
    if !unowned.is_empty() {
        let other = unowned.iter().map(words::full_name).collect();
        let (topology, state) = (String::new(), "unowned");
        topologies.push(ListedView {
            topology,
            state,
            seconds_to_confirm: None,
            namespaces: Vec::new(),
            existing: Vec::new(),
            links: Vec::new(),
            nft: false,
            other,
        });
    }
    Ok(topologies)
}

/// The names of all topologies here.
pub fn names(console: &mut Console, kernel: &mut Linux) -> Result<Vec<Name>, Exit> {
    found(console, kernel).map(|(names, _)| names)
}

/// The names of all topologies here, and what carries topo's mark and is no topology's.
pub fn found(console: &mut Console, kernel: &mut Linux) -> Result<(Vec<Name>, Vec<ResourceId>), Exit> {
    let listed = kernel.list();
    session::warnings(console, kernel);
    let (found, unowned) = listed.map_err(|error| session::told(console, &error))?;
    Ok((found.into_iter().map(|found| found.name).collect(), unowned))
}
