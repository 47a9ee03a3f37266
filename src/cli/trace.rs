//! A kernel that prints what it is asked to do.

use super::console::Console;
use crate::dialect::ip::words::Words;
use crate::kernel::{Error, Kernel};
use crate::plan::change::Plan;
use crate::resource::{LinkId, Name, Node, Operation, Options, Record, State};

/// A kernel that tells what it is asked to do, in the words of `ip`.
#[derive(Debug)]
pub struct Loud<'a, K: ?Sized> {
    inner: &'a mut K,
    console: &'a mut Console,
    words: Words,
}

impl<'a, K: ?Sized> Loud<'a, K> {
    /// Tells what is asked of `inner` for this plan.
    pub fn new(inner: &'a mut K, console: &'a mut Console, plan: &Plan) -> Self {
        Self { inner, console, words: Words::new(&plan.wanted, &plan.base) }
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
        for operation in batch {
            for command in self.words.commands(operation) {
                self.console.request(&command);
            }
        }
        self.inner.perform(topology, batch)
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
