//! A kernel made of a state: it refuses and takes away what the real one does.

use super::{Error, Kernel};
use crate::resource::{Name, Node, Operation, Record, State};

/// The model.
#[derive(Clone, Debug)]
pub struct Model {
    /// What is there.
    pub state: State,
}

impl Kernel for Model {
    fn resolve(&mut self, _wanted: &mut State) -> Result<(), Error> {
        Ok(())
    }

    fn observe(&mut self, _wanted: &State) -> Result<State, Error> {
        Ok(self.state.clone())
    }

    fn remember(&mut self, _topology: &Name, record: &Record) -> Result<(), Error> {
        self.state.record = record.clone();
        Ok(())
    }

    fn perform(&mut self, _topology: &Name, batch: &[Operation]) -> Vec<Result<(), Error>> {
        batch.iter().map(|_| Ok(())).collect()
    }

    fn settle(&mut self, _wanted: &State) -> Result<(), Error> {
        Ok(())
    }

    fn table_generations(&mut self) -> Vec<(Node, u32)> {
        Vec::new()
    }
}
