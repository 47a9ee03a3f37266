//! Plans: from what was observed to what is wanted, or back to what was there.

use super::change::{Change, Conflict, Plan};
use super::facts::interface_is_gone;
use super::rehearsal::Paper;
use super::stage::Turns;
use super::{adoption, advertised, build, diff, goal, handover, remove, shared, warnings};
use crate::resource::{Link, LinkId, Resource, ResourceId, State};
use std::collections::BTreeSet;

/// How often the build is gone over: what a flap takes away is put back in the same or the next round.
pub(crate) const ROUNDS: usize = 4;

/// The plan from `observed` to `wanted`, or what is in the way. An empty `wanted` takes everything of the topology
/// away.
///
/// # Errors
///
/// What is in the way: names that are taken, objects that another topology uses, what no order of steps reaches.
pub fn make(wanted: &State, observed: &State) -> Result<Plan, Vec<Conflict>> {
    refuse_all_but_marks(wanted, observed)?;
    let wanted = advertised::kept(wanted, observed);
    let goal = goal::complete(&wanted, observed);
    let in_use = shared::in_use(&goal, observed);
    if in_use.is_empty() { towards(goal, &wanted, observed) } else { Err(in_use) }
}

/// Whether the file is what is there but for the marks, where something is to be adopted: nothing else is done then.
fn refuse_all_but_marks(wanted: &State, observed: &State) -> Result<(), Vec<Conflict>> {
    let Some(marked) = adoption::marked(wanted, observed) else { return Ok(()) };
    let rest = make(&State { adopts: None, ..wanted.clone() }, &marked)?;
    if rest.changes.is_empty() { Ok(()) } else { Err(rest.changes.iter().map(adoption::other).collect()) }
}

/// The plan back to `target`, which was observed before: nothing is added to it, not even what the kernel or the record
/// would have there.
///
/// # Errors
///
/// What is in the way: names that were taken since, objects that another topology uses now.
pub fn back(target: &State, observed: &State) -> Result<Plan, Vec<Conflict>> {
    let in_use = shared::seen_in_use(target, observed);
    if !in_use.is_empty() {
        return Err(in_use);
    }
    let mut target = target.clone();
    // Settings of interfaces of others that are gone went with them.
    let gone: Vec<ResourceId> = target
        .resources()
        .filter(|resource| interface_is_gone(&target, observed, resource))
        .map(Resource::id)
        .collect();
    gone.iter().for_each(|id| _ = target.items.remove(id));
    towards(target.clone(), &target, observed)
}

pub(crate) fn towards(goal: State, wanted: &State, observed: &State) -> Result<Plan, Vec<Conflict>> {
    let mut conflicts = diff::conflicts(&goal, observed);
    conflicts.extend(handover::conflicts(&goal, observed));
    if !conflicts.is_empty() {
        return Err(conflicts);
    }
    let changes = diff::changes(&goal, observed);
    let mut plan = Plan {
        wanted: wanted.clone(),
        base: observed.clone(),
        changes,
        steps: Vec::new(),
        warnings: warnings::warnings(&goal, observed),
    };
    if plan.changes.is_empty() {
        return Ok(plan);
    }
    let mut paper = Paper::new(goal, observed, std::mem::take(&mut plan.changes));
    paper.rules_first().map_err(|conflict| vec![conflict])?;
    remove::run(&mut paper).map_err(|conflict| vec![conflict])?;
    let mut rest = Vec::new();
    for _ in 0..ROUNDS {
        let turns = Turns::of(&paper.goal);
        build::run(&mut paper, &turns).map_err(|conflict| vec![conflict])?;
        rest = paper.remove_born().map_err(|conflict| vec![conflict])?;
        if rest.is_empty() {
            break;
        }
    }
    if let Some(change) = rest.first() {
        return Err(vec![unreached(change)]);
    }
    losses(&mut paper);
    paper.forget_let_go(&mut plan.warnings);
    plan.changes = paper.changes;
    plan.steps = paper.steps;
    Ok(plan)
}

/// What is said of a plan whose steps do not bring about all of its changes.
fn unreached(change: &Change) -> Conflict {
    let fields = change
        .drift
        .iter()
        .map(|drift| format!("{} {:?} instead of {:?}", drift.field, drift.old, drift.new))
        .collect::<Vec<_>>()
        .join(", ");
    let reason = format!(
        "no order of steps reaches what is wanted: {} {} would be left ({fields})",
        change.id.kind(),
        change.id
    );
    Conflict::new(
        change.id.clone(),
        reason,
        "this is a fault of topo: please report it with the file; destroying and applying again is a workaround",
    )
}

/// Says in each change what its resource takes with it, and which of that is gone for good.
fn losses(paper: &mut Paper<'_>) {
    // A port of a bridge that goes elsewhere is not lost with the bridge.
    let away: BTreeSet<LinkId> = paper.state.links().filter_map(Link::source).cloned().collect();
    let mut changes = std::mem::take(&mut paper.changes);
    for change in &mut changes {
        change.loses.retain(|id| !matches!(id, ResourceId::Link(link) if away.contains(link)));
        change.loses.sort();
        change.loses.dedup();
        change.gone = change.loses.iter().filter(|id| paper.is_lost(id)).cloned().collect();
    }
    paper.changes = changes;
}
