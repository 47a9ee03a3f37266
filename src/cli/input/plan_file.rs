//! Plans in files.

use crate::cli::console::Console;
use crate::cli::exit::Exit;
use crate::cli::target::Case;
use crate::document::yaml::source::Source;
use crate::linux::netns;
use crate::plan::change::Plan;
use crate::render::page::count;
use crate::render::words::full_name;
use crate::resource::{Origin, Owner, ResourceId, State};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The version of this format. A plan is for the topo that made it: another version refuses it.
const VERSION: u32 = 1;

/// A file with plans.
#[derive(Debug, Serialize, Deserialize)]
struct File {
    /// What the file is known by.
    topo_plan: u32,
    /// The topo that made it.
    made_by: String,
    /// The cookie of the host namespace it is for; 0 where the kernel has none.
    host_cookie: u64,
    plans: Vec<Saved>,
}

/// Its beginning, which every topo can read.
#[derive(Debug, Default, Deserialize)]
struct Head {
    topo_plan: u32,
    made_by: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct Saved {
    plan: Plan,
    origins: Vec<(ResourceId, Origin)>,
    /// Whether it goes back to what there was before an apply that was undone.
    #[serde(default)]
    back: bool,
}

/// Writes plans to a file that only its owner can read.
///
/// # Errors
///
/// If the file cannot be written, after that was printed.
pub fn write(console: &mut Console, path: &Path, plans: &[(Case, Plan)]) -> Result<(), Exit> {
    let saved = |(case, plan): &(Case, Plan)| Saved {
        plan: plan.clone(),
        origins: case.origins.iter().map(|(id, origin)| (id.clone(), origin.clone())).collect(),
        back: case.back,
    };
    let file = File {
        topo_plan: VERSION,
        made_by: env!("CARGO_PKG_VERSION").to_owned(),
        host_cookie: netns::cookie().unwrap_or(0),
        plans: plans.iter().map(saved).collect(),
    };
    let text = serde_json::to_string(&file).map_err(std::io::Error::from);
    match text.and_then(|text| private(path, &(text + "\n"))) {
        Ok(()) => {
            console.note(&format!(
                "the plan is in {:?}; carry it out with: topo apply {}",
                path.display().to_string(),
                crate::resource::quote(&path.display().to_string())
            ));
            Ok(())
        }
        Err(error) => {
            console.problem(&format!("cannot write the plan to {:?}: {error}", path.display().to_string()), None);
            Err(Exit::Failed)
        }
    }
}

/// Writes a file whole and then gives it its name, so that nothing reads half of it. What is there and is no plain file
/// (a device, a pipe, a link) stays what it is, and is written to.
fn private(path: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    if path.symlink_metadata().is_ok_and(|there| !there.is_file()) {
        let mut there = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
        return there.write_all(text.as_bytes());
    }
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}", std::process::id()));
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&name)?;
    let written =
        file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).and_then(|()| std::fs::rename(&name, path));
    if written.is_err() {
        // What could not be written whole is not left behind.
        let _ = std::fs::remove_file(&name);
    }
    written
}

/// How every plan file begins.
pub const BEGINNING: &str = "{\"topo_plan\":";

/// Whether a source is a plan file.
pub fn is_plan(source: &Source) -> bool {
    source.text.trim_start().starts_with(BEGINNING)
}

/// Reads the plans of a file.
///
/// # Errors
///
/// If the file cannot be read, is no plan, or another version of topo wrote it, after that was printed.
pub fn read(console: &mut Console, source: &Source) -> Result<Vec<(Case, Plan)>, Exit> {
    let mut problem = |message: String, help: &str| {
        console.problem(&message, Some(help));
        Exit::Data
    };
    let head: Head = serde_json::from_str(&source.text).unwrap_or_default();
    if !head.made_by.is_empty() && (head.topo_plan != VERSION || head.made_by != env!("CARGO_PKG_VERSION")) {
        return Err(problem(
            format!("{:?} was made by topo {} and this is {}", source.name, head.made_by, env!("CARGO_PKG_VERSION")),
            "a plan is for the topo that made it: make it again with topo plan --out PLAN FILE",
        ));
    }
    let file: File = serde_json::from_str(&source.text).map_err(|error| {
        problem(
            format!("{:?} is no plan that this topo {} can read: {error}", source.name, env!("CARGO_PKG_VERSION")),
            "make it again: topo plan --out PLAN FILE",
        )
    })?;
    let here = netns::cookie().unwrap_or(0);
    if file.host_cookie != here {
        let help = "apply it in the namespace and since the boot it was made in, or make it again here with topo plan --out PLAN FILE";
        return Err(problem(
            format!("{:?} was made for another host namespace, or before a reboot", source.name),
            help,
        ));
    }
    let case = |saved: &Saved| Case {
        origins: saved.origins.iter().cloned().collect(),
        wanted: saved.plan.wanted.clone(),
        back: saved.back,
        ..Case::nothing(saved.plan.base.topology.clone())
    };
    Ok(file.plans.into_iter().map(|saved| (case(&saved), saved.plan)).collect())
}

/// Whether `fresh`, made just now, is what was saved; reports what has changed since if not, and what to do.
pub fn is_current(console: &mut Console, saved: &Plan, fresh: &Plan, help: &str) -> bool {
    if saved.changes == fresh.changes && saved.steps == fresh.steps {
        return true;
    }
    let mut what = differences(&saved.base, &fresh.base);
    if what.is_empty() {
        what.push("the order of the steps, or what is remembered from before".to_owned());
    }
    let message =
        format!("the plan for {:?} is stale: the machine has changed since it was made", saved.base.topology.as_str());
    tell_stale(console, &message, what, help);
    false
}

/// Reports `what` has changed, the first ten of it, and what to do.
pub fn tell_stale(console: &mut Console, message: &str, mut what: Vec<String>, help: &str) {
    let more = what.len().saturating_sub(10);
    what.truncate(10);
    if more > 0 {
        what.push(format!("and {} more", count(more, "difference")));
    }
    console.problem(message, Some(&format!("changed since:\n  {}\n{help}", what.join("\n  "))));
}

/// What is other than it was, a line each.
fn differences(then: &State, now: &State) -> Vec<String> {
    let mut lines = Vec::new();
    for (id, item) in &now.items {
        match then.items.get(id) {
            None => lines.push(format!("{} has appeared{}", full_name(id), owner(&item.owner))),
            Some(before) => {
                let fields = item.resource.drift(&before.resource);
                lines.extend(fields.iter().map(|drift| {
                    format!("{}: {} was {:?}, is {:?}", full_name(id), drift.field, drift.old, drift.new)
                }));
            }
        }
    }
    lines.extend(
        then.items.keys().filter(|id| !now.items.contains_key(id)).map(|id| format!("{} is gone", full_name(id))),
    );
    lines
}

fn owner(owner: &Owner) -> String {
    match owner {
        Owner::Theirs(whose) => format!(" ({whose})"),
        _ => String::new(),
    }
}
