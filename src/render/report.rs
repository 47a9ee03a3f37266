//! What came of an apply or destroy, for a user.

use super::json::leftover;
use super::page::{ADD, BOLD, CHANGE, Page, REMOVE, count};
use super::plan::Counts;
use crate::apply::report::Report;
use crate::plan::change::Plan;

/// The line on stdout after a success: `Done: lab: 3 added, 1 changed, 0 destroyed.`
pub fn success(plan: &Plan, verb: &str) -> String {
    let counts = Counts::of(plan);
    let mut page = Page::new();
    page.paint(ADD, format!("{verb}:"));
    page.put(format!(
        " {}: {} added, {} changed, {} destroyed.",
        plan.base.topology, counts.add, counts.change, counts.destroy
    ))
    .end();
    page.finish()
}

/// What follows the error itself: what was undone, what stays, what did not stick.
pub fn aftermath(plan: &Plan, report: &Report) -> String {
    let mut page = Page::new();
    let topology = &plan.base.topology;
    if !report.leftover.is_empty() {
        page.paint(REMOVE, "Not as wanted")
            .put(format!(": after the changes, {} did not stick:", count(report.leftover.len(), "change")))
            .end();
        for change in report.leftover.iter().take(20) {
            page.put("  ").put(leftover(change)).end();
        }
        if report.leftover.len() > 20 {
            page.put(format!("  and {} more", report.leftover.len() - 20)).end();
        }
    }
    if report.interrupted.is_some() {
        page.paint(CHANGE, "Stopped")
            .put(format!(" by a signal after {} of {}.", report.done, count(plan.steps.len(), "step")))
            .end();
    }
    match &report.undone {
        Some(Ok(())) if report.done == 0 => page.paint(BOLD, "Nothing was changed.").end(),
        Some(Ok(())) => page.paint(BOLD, "Undone").put(format!(": topology {topology} is as it was before.")).end(),
        Some(Err(error)) => page
            .paint(REMOVE, "Not undone")
            .put(format!(": {error}. Topology {topology} is half-made: apply it again to complete it, or remove it with \"topo destroy {topology}\"."))
            .end(),
        None if report.done > 0 => page
            .paint(CHANGE, "Left as it is")
            .put(format!(": {} done. Apply again to complete it, or remove it with \"topo destroy {topology}\".", steps(report.done, plan.steps.len())))
            .end(),
        None => &mut page,
    };
    page.finish()
}

fn steps(done: usize, of: usize) -> String {
    format!("{done} of {} {}", count(of, "step"), if done == 1 { "is" } else { "are" })
}

/// The question before a change.
pub fn question(verb: &str) -> String {
    let mut page = Page::new();
    page.paint(BOLD, format!("{verb} Only \"yes\" is taken for a yes: "));
    page.finish()
}
