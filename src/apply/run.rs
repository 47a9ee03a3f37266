//! The loop: batches of a level at a time.

use super::report::{Options, Progress, Report};
use super::steps::steps;
use super::{Before, keys, record, undo};
use crate::kernel::{Error, ErrorKind, Kernel};
use crate::plan;
use crate::plan::change::{Change, Plan};
use crate::resource::Record;
use std::sync::atomic::Ordering;

/// Carries a plan out: remembers what is about to be done, does it level by level, waits until it is usable, and looks
/// at it again. After a failure or a signal it is undone, unless the options say not to.
///
/// The program that calls holds the machine's lock.
pub fn run(kernel: &mut dyn Kernel, plan: &Plan, options: &Options, progress: &mut dyn FnMut(Progress)) -> Report {
    run_on_trial(kernel, plan, options, progress, None)
}

/// What decides at the end whether a change stays.
pub type Trial<'a> = dyn FnMut() -> Result<(), Error> + 'a;

/// [`run`], and then `trial`, as its last step: where it fails, everything is undone as after any other step that
/// fails. It is not asked where something failed before.
pub fn run_on_trial(
    kernel: &mut dyn Kernel,
    plan: &Plan,
    options: &Options,
    progress: &mut dyn FnMut(Progress),
    trial: Option<&mut Trial<'_>>,
) -> Report {
    let mut report = Report { warnings: plan.warnings.clone(), ..Report::default() };
    let mut during = record::during(plan);
    if plan.is_empty() {
        let after = record::after(&during, &plan.wanted);
        // An empty one is removed even where none was read: a run that was killed while it removed one leaves its
        // folder.
        if after != plan.base.record || after.is_empty() {
            report.failure = kernel.remember(&plan.base.topology, &after).err();
        }
        if let (Some(trial), None) = (trial, &report.failure) {
            progress(Progress::Testing);
            report.failure = trial().err();
        }
        return report;
    }
    let result = all(kernel, plan, &mut during, options, progress, trial, &mut report);
    ended(kernel, plan, result, options, progress, &mut report);
    report
}

/// Carries out a plan back to what was there before an apply ([`plan::back`] to the target of `before`), and puts the
/// record of then back. Undone after a failure or a signal, as any plan is, unless the options say not to.
///
/// The program that calls holds the machine's lock.
pub fn back(
    kernel: &mut dyn Kernel,
    plan: &Plan,
    before: &Before,
    options: &Options,
    progress: &mut dyn FnMut(Progress),
) -> Report {
    let mut report = Report { warnings: plan.warnings.clone(), ..Report::default() };
    let mut during = record::during(plan);
    let result = kernel.remember(&plan.base.topology, &during);
    let result =
        result.and_then(|()| steps(kernel, plan, &mut during, options, progress, &mut report.done)).and_then(|()| {
            progress(Progress::Verifying);
            kernel.settle(&before.target)?;
            report.leftover = undo::arrive(kernel, before)?;
            Ok(())
        });
    ended(kernel, plan, result, options, progress, &mut report);
    report
}

/// Notes how it ended, and undoes it where it failed.
fn ended(
    kernel: &mut dyn Kernel,
    plan: &Plan,
    result: Result<(), Error>,
    options: &Options,
    progress: &mut dyn FnMut(Progress),
    report: &mut Report,
) {
    match result {
        Ok(()) => {}
        Err(error) if error.kind == ErrorKind::Interrupted => {
            report.interrupted = Some(options.interrupted.load(Ordering::Relaxed))
        }
        Err(error) => report.failure = Some(error),
    }
    if !report.is_success() && options.rollback {
        report.undone = Some(undo::undo(kernel, plan, progress));
    }
}

/// All of it: the steps, a look at what came of them, the trial. Until the end the record says that an apply is under
/// way.
fn all(
    kernel: &mut dyn Kernel,
    plan: &Plan,
    during: &mut Record,
    options: &Options,
    progress: &mut dyn FnMut(Progress),
    trial: Option<&mut Trial<'_>>,
    report: &mut Report,
) -> Result<(), Error> {
    kernel.remember(&plan.base.topology, during)?;
    steps(kernel, plan, during, options, progress, &mut report.done)?;
    progress(Progress::Verifying);
    report.leftover = verify(kernel, plan, during)?;
    if report.leftover.is_empty() {
        if let Some(trial) = trial {
            progress(Progress::Testing);
            trial()?;
        }
        kernel.remember(&plan.base.topology, &record::after(during, &plan.wanted))?;
    }
    Ok(())
}

/// Waits, notes, and looks again: the changes that did not stick.
fn verify(kernel: &mut dyn Kernel, plan: &Plan, during: &mut Record) -> Result<Vec<Change>, Error> {
    kernel.settle(&plan.wanted)?;
    record::tables(during, &plan.wanted, kernel.table_generations());
    keys::made(during, &plan.wanted);
    record::lost(during, plan);
    kernel.remember(&plan.base.topology, during)?;
    let now = kernel.observe(&plan.wanted)?;
    let again = plan::make(&plan.wanted, &now).map_err(|conflicts| {
        let conflict = conflicts.into_iter().next();
        let (id, reason) = conflict.map(|conflict| (Some(conflict.id), conflict.reason)).unwrap_or_default();
        Error { id, ..Error::new(ErrorKind::Refused, "verify", reason) }
    })?;
    if again.changes.is_empty() {
        // The kernel door has put the cookies of namespaces and the numbers of interfaces into the record.
        record::known_by(during, &now.record);
    }
    Ok(again.changes)
}
