//! Asking, and carrying plans out: what `apply` and `destroy` share.

use super::console::Console;
use super::exit::Exit;
use super::machine::{self, Case, Loud};
use super::progress::Teller;
use super::signals;
use super::trial::Trial;
use crate::apply::{self, Options, Report};
use crate::kernel::Linux;
use crate::kernel::lock::Lock;
use crate::plan::{Change, Plan};
use crate::render::json::{self, ReportView, Reports};
use crate::render::report;
use std::io::{self, BufRead, IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

/// How plans are carried out.
#[derive(Clone, Copy, Debug)]
pub struct Manner {
    /// Whether what was done is undone after a failure.
    pub rollback: bool,
    /// Whether the checks of the file decide, too: the change is undone where it breaks one.
    pub test: bool,
    /// Whether the report is JSON.
    pub json: bool,
    /// `Applied` or `Destroyed`.
    pub verb: &'static str,
}

/// Takes the machine's lock, telling whom it waits for.
pub fn lock(console: &mut Console, seconds: u64) -> Result<Lock, Exit> {
    let taken = Lock::take(Duration::from_secs(seconds), &mut |holder| console.note(&format!("waiting for {holder}")));
    taken.map_err(|error| machine::told(console, &error))
}

/// Asks; without a terminal that is wrong usage.
pub fn ask(console: &mut Console, question: &str) -> Result<(), Exit> {
    if !io::stdin().is_terminal() {
        console.problem("there is no terminal to ask on", Some("say --yes to go ahead without a question"));
        return Err(Exit::Usage);
    }
    console.err(&report::question(question));
    let _ = io::stderr().flush();
    let mut answer = String::new();
    match io::stdin().lock().read_line(&mut answer) {
        Ok(_) if answer.trim() == "yes" => Ok(()),
        _ => {
            console.err("Nothing was changed.\n");
            Err(Exit::Failed)
        }
    }
}

/// Carries out plans one after the other, each looked at again before; stops at the first that fails.
pub fn out(console: &mut Console, kernel: &mut Linux, jobs: &[(Case, Plan)], manner: Manner) -> super::Result {
    let interrupted = signals::watch();
    let mut views = Vec::new();
    let mut exit = Exit::Done;
    for (at, (case, plan)) in jobs.iter().enumerate() {
        if exit != Exit::Done || interrupted.load(Ordering::Relaxed) != 0 {
            views.push(json::report(plan, None));
            continue;
        }
        // What was done for the topologies before this one may have done part of its work, or be in its way.
        let again = if at > 0 { Some(machine::plan(console, kernel, case)).transpose() } else { Ok(None) };
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
                let (ended, view) = carried(console, kernel, case, fresh.as_ref().unwrap_or(plan), manner, &interrupted);
                exit = exit.worst(ended);
                views.push(view);
            }
            Err(failed) => {
                exit = exit.worst(failed);
                views.push(json::report(plan, None));
            }
        }
    }
    if manner.json {
        console.out(&json::text(&Reports { format_version: json::FORMAT_VERSION, reports: views }));
    }
    let signal = interrupted.load(Ordering::Relaxed);
    Ok(if signal != 0 && exit == Exit::Done && jobs.len() > 1 { Exit::Signal(signal) } else { exit })
}

fn was_shown(change: &Change, plan: &Plan) -> bool {
    plan.changes.iter().any(|shown| shown.id == change.id && shown.action == change.action)
}

/// Carries out one plan, between its checks where they are asked for.
fn carried(console: &mut Console, kernel: &mut Linux, case: &Case, plan: &Plan, manner: Manner, interrupted: &Arc<AtomicI32>) -> (Exit, ReportView) {
    let mut trial = match manner.test.then(|| Trial::begin(console, case, plan, interrupted)).transpose() {
        Ok(trial) => trial,
        Err(exit) => return (exit, json::report(plan, None)),
    };
    let report = match &mut trial {
        Some(trial) => one(console, kernel, plan, manner, interrupted, Some(&mut || trial.end())),
        None => one(console, kernel, plan, manner, interrupted, None),
    };
    let exit = tell(console, case, plan, &report, manner, trial.as_ref());
    let checks = trial.map(|trial| trial.view()).unwrap_or_default();
    (exit, ReportView { checks, ..json::report(plan, Some(&report)) })
}

fn one(console: &mut Console, kernel: &mut Linux, plan: &Plan, manner: Manner, interrupted: &Arc<AtomicI32>, trial: Option<&mut apply::Trial<'_>>) -> Report {
    let options = Options { rollback: manner.rollback, interrupted: Arc::clone(interrupted) };
    let mut teller = Teller::new(plan.base.topology.as_str(), console.is_live(), console.is_quiet());
    let mut progress = |progress| teller.tell(progress);
    let report = if console.verbose {
        apply::run_on_trial(&mut Loud::new(kernel, console, plan), plan, &options, &mut progress, trial)
    } else {
        apply::run_on_trial(kernel, plan, &options, &mut progress, trial)
    };
    drop(teller);
    machine::warnings(console, kernel);
    report
}

/// Tells what came of a plan, and how the program ends for it.
fn tell(console: &mut Console, case: &Case, plan: &Plan, report: &Report, manner: Manner, trial: Option<&Trial<'_>>) -> Exit {
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
            console.chatter(&report::success(plan, manner.verb));
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
