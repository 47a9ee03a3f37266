//! Going back to what was there before an apply.

use super::console::Console;
use super::{execute, notice};
use crate::apply::Error;
use crate::apply::report::{Options, Report};
use crate::history::pending::Pending;
use crate::kernel::Kernel;
use crate::linux::Linux;
use crate::linux::store::record::Records;
use crate::plan;
use crate::plan::change::Plan;
use std::sync::Arc;

/// Undoes an apply that waits for confirmation; the caller holds the machine's lock and has claimed it. Answers with
/// the plan, where there was one, and what came of it.
///
/// # Errors
///
/// If the machine cannot be observed, or nothing leads back from what it is now.
pub fn revert(console: &mut Console, kernel: &mut Linux, pending: &mut Pending) -> Result<(Plan, Report), Error> {
    let records = Records::default();
    let planned = kernel.observe(&pending.before.target).and_then(|now| {
        let before = pending.before.beside(&now);
        let plan = plan::back(&before.target, &now).map_err(|conflicts| {
            let conflict = conflicts.into_iter().next();
            let (id, reason, help) = conflict.map(|it| (Some(it.id), it.reason, it.help)).unwrap_or_default();
            Error { id, help, ..Error::new(crate::kernel::ErrorKind::Taken, "plan the way back", reason) }
        })?;
        Ok((plan, before))
    });
    notice::warnings(console, kernel);
    let (plan, before) = planned.inspect_err(|error| _ = pending.fail(&records, error.to_string()))?;
    // What was done of it stays done if it fails half-way: the next attempt goes on from there. Nor does a signal end
    // it: going back may well cut the line of who asked for it, and half-way the machine is out of reach.
    let options = Options { rollback: false, interrupted: Arc::default() };
    let report = execute::back(console, kernel, &plan, &before, &options);
    if report.is_success() {
        pending.end(&records)?;
    } else {
        let why = report.failure.as_ref().map_or_else(|| "it was cut off".to_owned(), ToString::to_string);
        pending.fail(&records, why)?;
    }
    Ok((plan, report))
}
