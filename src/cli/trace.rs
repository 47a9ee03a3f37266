//! A kernel that prints what it is asked to do.

use super::console;
use super::console::Console;
use super::signals;
use crate::dialect::ip::words::Words;
use crate::kernel::{Error, ErrorKind, Kernel};
use crate::plan::change::Plan;
use crate::resource::{LinkId, Name, Node, Operation, Options, Record, State};
use std::sync::atomic::Ordering;

/// A kernel that reports what it is asked to do, in the words of `ip`.
#[derive(Debug)]
pub struct Loud<'a, K: ?Sized> {
    inner: &'a mut K,
    console: &'a mut Console,
    words: Words,
    /// Whether it waits for a user before each request.
    steps: bool,
}

impl<'a, K: ?Sized> Loud<'a, K> {
    /// Reports what is asked of `inner` for this plan; `steps` says that each waits for a user.
    pub fn new(inner: &'a mut K, console: &'a mut Console, plan: &Plan, steps: bool) -> Self {
        Self { inner, console, words: Words::new(&plan.wanted, &plan.base), steps }
    }

    /// Whether the person lets what was just reported be done. Who says no, or nothing any more, stops it as Ctrl-C
    /// does: what was done is undone, without a question.
    fn goes_on(&mut self) -> bool {
        if !self.steps {
            return true;
        }
        self.console.err("Enter does it, \"a\" all the rest too, \"q\" stops and undoes: ");
        let interrupted = signals::watch();
        match console::answer().as_deref() {
            Some("") => return true,
            Some("a") => {
                self.steps = false;
                return true;
            }
            // A signal, or the end of the input, leaves the question's line open.
            None => self.console.err("\n"),
            Some(_) => {}
        }
        self.steps = false;
        let _ = interrupted.compare_exchange(0, signal_hook::consts::SIGINT, Ordering::Relaxed, Ordering::Relaxed);
        false
    }
}

impl<K: Kernel + ?Sized> Kernel for Loud<'_, K> {
    fn resolve(&mut self, wanted: &mut State) -> Result<(), Error> {
        self.inner.resolve(wanted)
    }

    fn observe(&mut self, wanted: &State) -> Result<State, Error> {
        self.inner.observe(wanted)
    }

    fn remember(&mut self, topology: &Name, record: &Record) -> Result<(), Error> {
        self.inner.remember(topology, record)
    }

    fn perform(&mut self, topology: &Name, batch: &[Operation]) -> Vec<Result<(), Error>> {
        let tell = |operation: &Operation, words: &Words, console: &mut Console| {
            words.commands(operation).iter().for_each(|command| console.request(command))
        };
        if !self.steps {
            batch.iter().for_each(|operation| tell(operation, &self.words, self.console));
            return self.inner.perform(topology, batch);
        }
        let mut answers = Vec::new();
        for (nth, operation) in batch.iter().enumerate() {
            if !self.steps {
                // The rest of it in one, or nothing of it any more.
                let rest = batch.get(nth..).unwrap_or_default();
                rest.iter().for_each(|operation| tell(operation, &self.words, self.console));
                answers.extend(self.inner.perform(topology, rest));
                break;
            }
            tell(operation, &self.words, self.console);
            if !self.goes_on() {
                let stopped = || Err(Error::new(ErrorKind::Interrupted, "go on", "stopped"));
                answers.extend(batch.iter().skip(nth).map(|_| stopped()));
                break;
            }
            answers.extend(self.inner.perform(topology, std::slice::from_ref(operation)));
            if answers.last().is_some_and(Result::is_err) {
                answers.extend(
                    batch.iter().skip(nth + 1).map(|_| Err(Error::new(ErrorKind::Skipped, "go on", "after a failure"))),
                );
                break;
            }
        }
        answers
    }

    fn give_back(&mut self) {
        self.inner.give_back();
    }

    fn settings(&mut self, which: &[(Node, String)]) -> Result<Vec<Option<String>>, Error> {
        self.inner.settings(which)
    }

    fn offloads(&mut self, which: &[LinkId]) -> Result<Vec<Options>, Error> {
        self.inner.offloads(which)
    }

    fn settle(&mut self, wanted: &State) -> Result<(), Error> {
        self.inner.settle(wanted)
    }

    fn table_generations(&mut self) -> Vec<(Node, u32)> {
        self.inner.table_generations()
    }
}
