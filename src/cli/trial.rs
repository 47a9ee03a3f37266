//! The checks of an apply: before, and after.

use super::console::Console;
use super::exit::Exit;
use super::notice;
use super::target::Case;
use crate::kernel::{Error, ErrorKind};
use crate::linux::probe;
use crate::linux::probe::run::Limits;
use crate::plan::change::Plan;
use crate::render::tested::{CheckView, Tested, json, reason, tally};
use crate::resource::Owner;
use crate::resource::probe::{Outcome, Verdict};
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

/// Whether a change breaks something: a check that passed before and does not pass after. A topology that was not there
/// has no before: then each check has to pass.
pub struct Trial<'a> {
    case: &'a Case,
    stop: &'a AtomicI32,
    before: Option<Vec<Outcome>>,
    /// Whether there is nothing to change: then the checks are tried once, and each has to pass.
    unchanged: bool,
    after: Vec<Outcome>,
}

impl<'a> Trial<'a> {
    /// Tries the checks as long as nothing is changed.
    ///
    /// # Errors
    ///
    /// If the checks cannot be run, or one fails where each has to pass, after that was printed.
    pub fn begin(console: &mut Console, case: &'a Case, plan: &Plan, stop: &'a AtomicI32) -> Result<Self, Exit> {
        let mut trial = Self { case, stop, before: None, unchanged: false, after: Vec::new() };
        if case.checks.is_empty() {
            console.note(&format!("{}: the file has no checks, so nothing is tested", case.wanted.topology));
            return Ok(trial);
        }
        if plan.is_empty() {
            trial.unchanged = true;
            return Ok(trial);
        }
        if plan.base.items.values().any(|item| item.owner == Owner::Ours) {
            let before = trial.run().map_err(|error| match error.kind {
                ErrorKind::Interrupted => Exit::Signal(stop.load(Ordering::Relaxed)),
                _ => notice::told(console, &error),
            })?;
            console.note(&format!("before the change, {}", tally(trial.tested(&before))));
            trial.before = Some(before);
        }
        Ok(trial)
    }

    /// Tries the checks again; an error where one fails that must not.
    ///
    /// # Errors
    ///
    /// If the checks cannot be run, or one fails that passed before.
    pub fn end(&mut self) -> Result<(), Error> {
        if self.case.checks.is_empty() {
            return Ok(());
        }
        self.after = self.run()?;
        let broken: Vec<String> = self
            .broken()
            .map(|(at, reason)| {
                format!("{:?}: {reason}", self.case.checks.get(at).map(|check| check.title()).unwrap_or_default())
            })
            .collect();
        match broken.split_first() {
            None => Ok(()),
            Some((first, [])) => Err(Error::new(ErrorKind::Refused, "check", first.as_str())),
            Some((first, rest)) => {
                Err(Error::new(ErrorKind::Refused, "check", format!("{first}, and {} more", rest.len())))
            }
        }
    }

    /// Reports what came of it, where something came of it: the checks that broke at their places in the file, those
    /// that failed before as warnings.
    pub fn tell(&self, console: &mut Console) {
        if self.after.is_empty() {
            return;
        }
        let broken: Vec<(usize, String)> = self.broken().collect();
        for (at, reason) in &broken {
            let Some(check) = self.case.checks.get(*at) else { continue };
            let (first, help) = match self.before {
                None if self.unchanged => {
                    ("nothing was changed", "a change outside topo may be the reason: the plan is empty")
                }
                Some(_) => ("it passed before", "see what in the plan it goes by, or change the check with it"),
                None => (
                    "the topology was not there before, so each check has to pass",
                    "mend it in the file, or apply it without --test and look",
                ),
            };
            console.problem_in(
                self.case.source.as_ref(),
                &check.origin,
                "check-failed",
                &format!("{}: {reason}; {first}", check.title()),
                help,
            );
        }
        if !broken.is_empty() {
            return;
        }
        for (check, outcome, _) in self.tested(&self.after).each().filter(|(_, _, verdict)| *verdict != Verdict::Passed)
        {
            console.warn(&format!("check {:?} fails, as it did before: {}", check.title(), reason(check, outcome)));
        }
        let when = if self.unchanged { "nothing is changed" } else { "after the change" };
        console.note(&format!("{when}, {}", tally(self.tested(&self.after))));
    }

    /// What came of the checks after the change, for programs.
    pub fn view(&self) -> Vec<CheckView> {
        json(&[self.tested(&self.after)]).topologies.pop().map(|view| view.checks).unwrap_or_default()
    }

    /// Whether a check is the reason that the apply failed.
    pub fn failed(&self) -> bool {
        self.broken().next().is_some()
    }

    /// The checks that must pass and do not, and what was seen.
    fn broken(&self) -> impl Iterator<Item = (usize, String)> {
        let passed_before = |at: usize| match (&self.before, self.case.checks.get(at)) {
            (Some(before), Some(check)) => {
                before.get(at).is_some_and(|outcome| outcome.verdict(check) == Verdict::Passed)
            }
            _ => true,
        };
        let failing =
            self.tested(&self.after).each().enumerate().filter(|(_, (_, _, verdict))| *verdict != Verdict::Passed);
        failing.filter(move |(at, _)| passed_before(*at)).map(|(at, (check, outcome, _))| (at, reason(check, outcome)))
    }

    fn run(&self) -> Result<Vec<Outcome>, Error> {
        let limits = Limits { total: Duration::from_secs(TOTAL), stop: self.stop, commands: true };
        let outcomes = probe::run(&self.case.checks, &self.case.wanted, limits)?;
        if self.stop.load(Ordering::Relaxed) != 0 {
            return Err(Error::new(ErrorKind::Interrupted, "check", "stopped by a signal"));
        }
        Ok(outcomes)
    }

    fn tested<'t>(&'t self, outcomes: &'t [Outcome]) -> Tested<'t> {
        Tested { topology: &self.case.wanted.topology, checks: &self.case.checks, outcomes, why: &[] }
    }
}

/// Timeout for all checks of a topology together, in seconds.
pub const TOTAL: u64 = 300;
