//! Asking, and carrying plans out: what `apply` and `destroy` share.

use super::command::plan;
use super::console;
use super::console::Console;
use super::exit::Exit;
use super::input::plan_file;
use super::mode::{Manner, WayBack};
use super::notice;
use super::progress::Teller;
use super::target::Case;
use super::trace::Loud;
use super::trial::Trial;
use super::{confirmation, session, signals};
use crate::apply;
use crate::apply::Before;
use crate::apply::report::{Options, Progress, Report};
use crate::history::{last, undo};
use crate::kernel::Kernel;
use crate::linux::Linux;
use crate::linux::store::lock::Lock;
use crate::linux::store::record::Records;
use crate::plan::change::{Change, Plan};
use crate::render::json::{ReportView, Reports};
use crate::render::page::seconds;
use crate::render::{format, json, report};
use crate::resource::ResourceId;
use std::collections::BTreeMap;
use std::io;
use std::io::{IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

/// Takes the machine's lock, telling whom it waits for. From here on a signal ends the program only where nothing of it
/// stays.
///
/// # Errors
///
/// If it cannot be had in time, or a signal comes first, after that was printed.
pub fn lock(console: &mut Console, seconds: u64) -> Result<Lock, Exit> {
    let interrupted = signals::watch();
    let taken = Lock::take(Duration::from_secs(seconds), &interrupted, &mut |holder| {
        console.note(&format!("waiting for {holder}"))
    });
    // A call that a signal cut short may fail in words of its own: the signal is why.
    taken.map_err(|error| match interrupted.load(Ordering::Relaxed) {
        0 => notice::told(console, &error),
        signal => Exit::Signal(signal),
    })
}

/// Asks; without a terminal that is wrong usage. The lock is for the change, not for the person: while the question
/// stands others go on, and what waits for confirmation is undone in its time. The program that asks looks again when
/// it has the lock back.
///
/// # Errors
///
/// If the answer is no, there is no terminal, a signal comes, or the lock cannot be had again.
pub fn ask(console: &mut Console, lock: Lock, seconds: u64, question: &str) -> Result<Lock, Exit> {
    if !io::stdin().is_terminal() {
        console.problem("there is no terminal to ask on", Some("say --yes to go ahead without a question"));
        return Err(Exit::Usage);
    }
    drop(lock);
    console.err(&report::question(question));
    let _ = io::stderr().flush();
    if console::answer().as_deref() == Some("yes") {
        return self::lock(console, seconds);
    }
    match signals::watch().load(Ordering::Relaxed) {
        0 => {
            console.err("Nothing was changed.\n");
            Err(Exit::Failed)
        }
        signal => {
            console.err("\nNothing was changed.\n");
            Err(Exit::Signal(signal))
        }
    }
}

/// Shows plans, before they are carried out: where that fails for want of room nothing is begun, for what is shown is
/// what is done.
///
/// # Errors
///
/// If the output cannot be written.
pub fn show<'a>(console: &mut Console, plans: impl Iterator<Item = &'a Plan>, short: bool) -> Result<(), Exit> {
    plan::show(console, plans, short);
    if console.has_lost() {
        console.err("Nothing was changed: the plan could not be shown. --quiet --yes does it unseen.\n");
        return Err(Exit::Failed);
    }
    Ok(())
}

/// A plan for each case; what is wrong with all of them is reported.
///
/// # Errors
///
/// If one of the cases cannot be planned, after all that is wrong was printed.
pub fn jobs(
    cases: impl Iterator<Item = Case>,
    plan: impl FnMut(&Case) -> Result<Plan, Exit>,
) -> Result<Vec<(Case, Plan)>, Exit> {
    let (jobs, failed) = tried(cases, plan);
    if failed == Exit::Done { Ok(jobs) } else { Err(failed) }
}

/// A plan for each case that there can be one for, and how the program ends for the others; what is wrong with them is
/// reported.
pub fn tried(
    cases: impl Iterator<Item = Case>,
    mut plan: impl FnMut(&Case) -> Result<Plan, Exit>,
) -> (Vec<(Case, Plan)>, Exit) {
    let (mut jobs, mut failed) = (Vec::new(), Exit::Done);
    for case in cases {
        match plan(&case) {
            Ok(plan) => jobs.push((case, plan)),
            Err(exit) => failed = failed.worst(exit),
        }
    }
    (jobs, failed)
}

/// Asks whether what was shown is to be done, and plans it again when the lock is back: what is planned then is what
/// was shown.
///
/// # Errors
///
/// If the answer is no, what is planned now is something else, or the machine cannot be observed, after that was
/// printed.
pub fn confirmed(
    console: &mut Console,
    kernel: &mut Linux,
    lock: Lock,
    seconds: u64,
    question: &str,
    jobs: Vec<(Case, Plan)>,
) -> Result<(Lock, Vec<(Case, Plan)>), Exit> {
    let lock = ask(console, lock, seconds, question)?;
    *kernel = Linux::new().map_err(|error| notice::told(console, &error))?;
    confirmation::refuse(console, jobs.iter().map(|(_, plan)| &plan.base.topology))?;
    let (cases, shown): (Vec<Case>, Vec<Plan>) = jobs.into_iter().unzip();
    let jobs = self::jobs(cases.into_iter(), |case| session::plan_again(console, kernel, case, &[]))?;
    still(console, &shown, &jobs)?;
    Ok((lock, jobs))
}

/// Refuses plans, made again after the question, that have changes which were not shown.
///
/// # Errors
///
/// If a plan has changes that were not shown, after that was printed.
pub fn still(console: &mut Console, shown: &[Plan], jobs: &[(Case, Plan)]) -> Result<(), Exit> {
    let mut result = Ok(());
    for (_, fresh) in jobs {
        let Some(shown) = shown.iter().find(|plan| plan.base.topology == fresh.base.topology) else { continue };
        result = result.and(check_shown(console, shown, fresh));
    }
    result
}

/// Refuses a plan, made again after the question, that has changes which were not shown. Fewer are none the worse:
/// another program has done them.
///
/// # Errors
///
/// If a plan has changes that were not shown, after that was printed.
pub fn check_shown(console: &mut Console, shown: &Plan, fresh: &Plan) -> Result<(), Exit> {
    let changes: BTreeMap<&ResourceId, &Change> = shown.changes.iter().map(|change| (&change.id, change)).collect();
    let was_shown = fresh.changes.iter().all(|change| changes.get(&change.id) == Some(&change));
    if was_shown || plan_file::is_current(console, shown, fresh, "nothing was changed; look at the new plan first") {
        return Ok(());
    }
    Err(Exit::Failed)
}

/// Carries out plans one after the other, each looked at again before; stops at the first that fails, unless the manner
/// says otherwise.
///
/// # Errors
///
/// If a plan cannot be made again, or has changed; failures of steps are in the exit status.
pub fn out(console: &mut Console, kernel: &mut Linux, jobs: &[(Case, Plan)], manner: Manner) -> super::global::Result {
    let interrupted = signals::watch();
    let signal = interrupted.load(Ordering::Relaxed);
    if signal != 0 {
        console.err("Nothing was changed.\n");
        return Err(Exit::Signal(signal));
    }
    let mut views = Vec::new();
    let mut exit = Exit::Done;
    for (at, (case, plan)) in jobs.iter().enumerate() {
        if exit != Exit::Done && !manner.each || interrupted.load(Ordering::Relaxed) != 0 {
            views.push(json::report(plan, None, None));
            continue;
        }
        // What was done for the topologies before this one may have done part of its work, or be in its way.
        let again = if at > 0 { Some(session::plan(console, kernel, case)).transpose() } else { Ok(None) };
        let current = match again {
            Ok(Some(fresh)) if !fresh.changes.iter().all(|change| was_shown(change, plan)) => {
                console.problem(
                    &format!("topology {:?} would now need other changes than were shown", plan.base.topology.as_str()),
                    Some("plan and apply it again"),
                );
                Err(Exit::Failed)
            }
            Ok(fresh) => Ok(fresh),
            Err(failed) => Err(failed),
        };
        match current {
            Ok(fresh) => {
                let (ended, view) =
                    carried(console, kernel, case, fresh.as_ref().unwrap_or(plan), manner, &interrupted);
                exit = exit.worst(ended);
                views.push(view);
            }
            Err(failed) => {
                exit = exit.worst(failed);
                views.push(json::report(plan, None, None));
            }
        }
    }
    if manner.json {
        console.out(&format::text(&Reports { format_version: format::FORMAT_VERSION, reports: views }));
        if console.has_lost() && exit == Exit::Done {
            jobs.iter().for_each(|(_, plan)| console.err(&report::success(plan, manner.verb)));
        }
    }
    let signal = interrupted.load(Ordering::Relaxed);
    Ok(if signal != 0 && exit == Exit::Done && jobs.len() > 1 { Exit::Signal(signal) } else { exit })
}

fn was_shown(change: &Change, plan: &Plan) -> bool {
    plan.changes.iter().any(|shown| shown.id == change.id && shown.action == change.action)
}

/// Carries out one plan, between its checks where they are asked for.
fn carried(
    console: &mut Console,
    kernel: &mut Linux,
    case: &Case,
    plan: &Plan,
    manner: Manner,
    interrupted: &Arc<AtomicI32>,
) -> (Exit, ReportView) {
    let mut trial = match manner.test.then(|| Trial::begin(console, case, plan, interrupted)).transpose() {
        Ok(trial) => trial,
        Err(exit) => return (exit, json::report(plan, None, None)),
    };
    let report = match &mut trial {
        Some(trial) => one(console, kernel, plan, manner, interrupted, Some(&mut || trial.end())),
        None => one(console, kernel, plan, manner, interrupted, None),
    };
    let exit = tell(console, case, plan, &report, manner, trial.as_ref());
    let seconds_to_confirm = confirmation::limit(plan, &report, manner.way_back);
    let checks = trial.map(|trial| trial.view()).unwrap_or_default();
    (exit, ReportView { checks, ..json::report(plan, Some(&report), seconds_to_confirm) })
}

/// Carries out one plan, with the way back kept as the manner says.
fn one(
    console: &mut Console,
    kernel: &mut Linux,
    plan: &Plan,
    manner: Manner,
    interrupted: &Arc<AtomicI32>,
    trial: Option<&mut apply::Trial<'_>>,
) -> Report {
    let options = Options { rollback: manner.rollback, interrupted: Arc::clone(interrupted) };
    let mut unconfirmed = match manner.way_back {
        WayBack::Unconfirmed(limit) if !plan.changes.is_empty() => match confirmation::begin(plan, limit) {
            Ok(unconfirmed) => Some(unconfirmed),
            Err(error) => return Report { failure: Some(error), ..Report::default() },
        },
        _ => None,
    };
    let (records, topology) = (Records::default(), &plan.base.topology);
    let kept = last::keep(&records, topology);
    let mut report = told(console, kernel, plan, manner.step, |kernel, progress| {
        apply::run_on_trial(kernel, plan, &options, progress, trial)
    });
    if report.is_success() {
        let noted = match manner.way_back {
            WayBack::None => confirmation::Pending::drop(&records, topology),
            _ if plan.changes.is_empty() => Ok(()),
            _ => undo::note(&records, plan),
        };
        if let Err(error) = noted {
            report.warnings.push(format!("this apply cannot be undone later: {error}"));
        }
    }
    let kept = match (&report.undone, kept, manner.way_back) {
        // It went with the record.
        (Some(Ok(())), Some(kept), _) => last::put_back(&records, topology, &kept),
        _ if !report.is_success() => Ok(()),
        (_, _, WayBack::None) => last::forget(&records, topology),
        _ => last::note(&records, &plan.wanted),
    };
    if let Err(error) = kept {
        report.warnings.push(format!("topo list will not be able to compare this topology: {error}"));
    }
    if let Some(unconfirmed) = &mut unconfirmed
        && let Err(error) = unconfirmed.end(&report)
    {
        report.failure = report.failure.or(Some(error));
    }
    report
}

/// Goes back to what was there before an apply.
pub fn back(console: &mut Console, kernel: &mut Linux, plan: &Plan, before: &Before, options: &Options) -> Report {
    let mut report =
        told(console, kernel, plan, false, |kernel, progress| apply::back(kernel, plan, before, options, progress));
    if report.is_success()
        && let Err(error) = last::note_back(&Records::default(), before)
    {
        report.warnings.push(format!("topo list will not be able to compare this topology: {error}"));
    }
    report
}

/// Does it, telling how far it is and, if that is asked for, every request. `step` waits before each for a user.
fn told(
    console: &mut Console,
    kernel: &mut Linux,
    plan: &Plan,
    step: bool,
    work: impl FnOnce(&mut dyn Kernel, &mut dyn FnMut(Progress)) -> Report,
) -> Report {
    let mut teller = Teller::new(plan.base.topology.as_str(), console.is_live(), console.is_quiet() || step);
    let mut progress = |progress| teller.tell(progress);
    let report = if step || console.verbose {
        work(&mut Loud::new(kernel, console, plan, step), &mut progress)
    } else {
        work(kernel, &mut progress)
    };
    drop(teller);
    notice::warnings(console, kernel);
    report
}

/// Reports what came of a plan, and how the program ends for it.
pub fn tell(
    console: &mut Console,
    case: &Case,
    plan: &Plan,
    report: &Report,
    manner: Manner,
    trial: Option<&Trial<'_>>,
) -> Exit {
    for warning in report.warnings.iter().filter(|warning| !plan.warnings.contains(warning)) {
        console.warn(warning);
    }
    let mut by_check = false;
    if let Some(trial) = trial {
        trial.tell(console);
        by_check = trial.failed();
    }
    if report.is_success() {
        if !manner.json && !plan.changes.is_empty() {
            let done = report::success(plan, manner.verb);
            console.chatter(&done);
            // It is done, although the exit status will be that of a failure.
            if console.has_lost() {
                console.err(&done);
            }
        }
        if let (WayBack::Unconfirmed(limit), false) = (manner.way_back, plan.changes.is_empty()) {
            let topology = &plan.base.topology;
            console
                .note(&format!("it is undone in {} unless you confirm it: topo confirm {topology} (topo rollback {topology} undoes it now)", seconds(limit)));
        }
        return Exit::Done;
    }
    if let Some(error) = report.failure.as_ref().filter(|_| !by_check) {
        console.failure(&case.asked(), error);
    }
    console.err(&report::aftermath(plan, report));
    match (report.interrupted, &report.failure) {
        (Some(signal), _) => Exit::Signal(signal),
        (None, Some(error)) => Exit::of(error),
        (None, None) => Exit::Failed,
    }
}
