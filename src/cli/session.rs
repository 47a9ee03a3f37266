//! The machine's kernel, and plans for it.

use super::confirmation;
use super::console::Console;
use super::exit::Exit;
use super::known;
use super::notice::{told, warnings};
use super::target::Case;
use crate::kernel::{Error, Kernel};
use crate::linux::Linux;
use crate::linux::netns::processes;
use crate::plan;
use crate::plan::change::{Action, Change, Conflict, Plan};
use crate::render::finding;
use crate::resource::{Name, Node, ResourceId, State};

/// Why there is no plan.
#[derive(Debug)]
pub enum NoPlan {
    /// The machine could not be looked at.
    Failed(Error),
    /// Something is in the way.
    Conflicts(Vec<Conflict>),
}

/// Opens the kernel's door.
///
/// # Errors
///
/// If the privileges or a feature of the kernel are missing, after that was printed.
pub fn open(console: &mut Console) -> Result<Linux, Exit> {
    let mut kernel = Linux::new().map_err(|error| told(console, &error))?;
    warnings(console, &mut kernel);
    confirmation::mention_lost(console);
    Ok(kernel)
}

/// Looks, and plans what is missing.
///
/// # Errors
///
/// If the machine cannot be observed, or something is in the way, after that was printed.
pub fn plan(console: &mut Console, kernel: &mut Linux, case: &Case) -> Result<Plan, Exit> {
    plan_after(console, kernel, case, &[])
}

/// The same as it will be when the topologies `gone` are gone.
///
/// # Errors
///
/// If the machine cannot be observed, or something is in the way, after that was printed.
pub fn plan_after(console: &mut Console, kernel: &mut Linux, case: &Case, gone: &[Name]) -> Result<Plan, Exit> {
    let plan = planned(console, kernel, case, gone);
    warnings(console, kernel);
    if let Ok(plan) = &plan {
        plan.warnings.iter().for_each(|warning| console.warn(warning));
        overlaps(console, kernel, case, plan);
        left_behind(console, plan);
    }
    plan
}

/// Reports what the plan for a file brings that overlaps what there is, where the file does not answer that.
fn overlaps(console: &mut Console, kernel: &Linux, case: &Case, plan: &Plan) {
    let Some(source) = case.source.as_ref().filter(|_| !plan.changes.is_empty()) else { return };
    let mut warnings = Vec::new();
    for overlap in kernel.overlaps(&plan.wanted, &plan.base) {
        match case.asked().origin(&overlap.id) {
            Some(origin) if case.answers.has(overlap.code, origin.offset) => {}
            Some(origin) => warnings.push(finding::warning(origin, overlap.code, overlap.message)),
            None => console.warn(&overlap.message),
        }
    }
    console.warnings(source, warnings);
}

/// The same once more, after a question: what there is to warn of was reported before.
///
/// # Errors
///
/// If the machine cannot be observed, or something is in the way, after that was printed.
pub fn plan_again(console: &mut Console, kernel: &mut Linux, case: &Case, gone: &[Name]) -> Result<Plan, Exit> {
    let plan = planned(console, kernel, case, gone);
    drop(kernel.warnings());
    plan
}

fn planned(console: &mut Console, kernel: &mut Linux, case: &Case, gone: &[Name]) -> Result<Plan, Exit> {
    compare(kernel, case, gone).map_err(|none| match none {
        NoPlan::Failed(error) => {
            console.failure(&case.asked(), &error);
            Exit::of(&error)
        }
        NoPlan::Conflicts(conflicts) => in_the_way(console, kernel, case, &conflicts),
    })
}

/// Reports what is in the way of a plan.
pub fn in_the_way(console: &mut Console, kernel: &Linux, case: &Case, conflicts: &[Conflict]) -> Exit {
    for conflict in conflicts {
        let help = meant(kernel, case, conflict).or_else(|| conflict.help.clone());
        console.problem_at(&case.asked(), Some(&conflict.id), "conflict", &in_words(conflict), help.as_deref());
    }
    Exit::Failed
}

/// What a user may have meant, where something is not there that has to be.
fn meant(kernel: &Linux, case: &Case, conflict: &Conflict) -> Option<String> {
    let (name, there) = kernel.alike(&case.wanted, &conflict.id).filter(|_| conflict.missing)?;
    known::suggestion(&name, &there)
}

/// The same without a word to anybody.
///
/// # Errors
///
/// Why there is no plan: the machine cannot be observed, or something is in the way.
pub fn compare(kernel: &mut Linux, case: &Case, gone: &[Name]) -> Result<Plan, NoPlan> {
    let mut wanted = case.wanted.clone();
    let looked = if case.back {
        kernel.observe(&wanted)
    } else {
        kernel.resolve(&mut wanted).and_then(|()| kernel.observe(&wanted))
    };
    let mut observed = looked.map_err(NoPlan::Failed)?;
    observed.others.retain(|(name, _)| !gone.contains(name));
    let taken = literal(case, &observed);
    if !taken.is_empty() {
        return Err(NoPlan::Conflicts(taken));
    }
    let made = if case.back { plan::back(&wanted, &observed) } else { plan::make(&wanted, &observed) };
    made.map_err(NoPlan::Conflicts)
}

/// Nodes that the record knows by names that are ranges now: deleting them is not what the file asks for.
fn literal(case: &Case, observed: &State) -> Vec<Conflict> {
    let known = |node: &&Node| observed.record.namespaces.contains_key(*node);
    let conflict = |node: &Node| {
        let reason = format!("the node {:?} is there under this name, which means several nodes now", node.short());
        let plain = crate::document::expand::range::escape(node.short());
        let help = format!("keep it by writing {plain:?}, or destroy the topology before it is applied anew");
        Conflict::new(ResourceId::Namespace(node.clone()), reason, help)
    };
    case.literal.iter().filter(known).map(conflict).collect()
}

/// What is in the way, with its name.
pub fn in_words(conflict: &Conflict) -> String {
    let name = crate::render::words::full_name(&conflict.id);
    if conflict.reason.contains(&name) { conflict.reason.clone() } else { format!("{name}: {}", conflict.reason) }
}

/// The nodes whose namespaces go with this plan, or are made anew.
pub fn going(plan: &Plan) -> Vec<&Node> {
    let goes = |change: &&Change| matches!(change.action, Action::Delete | Action::Replace);
    plan.changes
        .iter()
        .filter(goes)
        .filter_map(|change| if let ResourceId::Namespace(node) = &change.id { Some(node) } else { None })
        .collect()
}

/// Reports of the processes in namespaces that go: nothing ends them, and they keep what topo takes the name from.
fn left_behind(console: &mut Console, plan: &Plan) {
    let nodes = going(plan);
    if nodes.is_empty() {
        return;
    }
    for (node, who) in processes::of(&nodes) {
        let (plural, lives, end) = if who.count == 1 { ("", "lives", "it ends") } else { ("es", "live", "they end") };
        let more = who.count - who.some.len();
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        console.warn(&format!(
            "process{plural} {}{more} still {lives} in namespace {node}: it goes when {end}",
            who.some.join(", ")
        ));
    }
}
