//! A kernel made of a state: it refuses and takes away what the real one does.

use super::{Error, ErrorKind, Kernel};
use crate::resource::{Name, Node, Operation, Owner, Record, Resource, ResourceId, State, Sysctl, effect};

/// The value of every setting that nobody has written.
const UNWRITTEN: &str = "0";

/// The model.
#[derive(Clone, Debug)]
pub struct Model {
    /// What is there.
    pub state: State,
    /// How many operations are still carried out before one fails; `None` for all. What comes after the failure works again.
    pub fail_after: Option<usize>,
    /// How many operations were carried out.
    pub performed: usize,
}

impl Model {
    /// A machine with what `state` says.
    pub fn new(state: State) -> Self {
        Self { state, fail_after: None, performed: 0 }
    }

    /// A machine with nothing but the host's namespace.
    pub fn bare(topology: Name) -> Self {
        let mut state = State::empty(topology);
        let host = crate::resource::Namespace { node: Node::host(), tenure: crate::resource::NodeTenure::Host, marked: false };
        state.insert(Resource::Namespace(host), Owner::Theirs("the machine".to_owned()));
        Self::new(state)
    }

    /// What a setting is set to comes into being when it is first written.
    fn touch(&mut self, operation: &Operation) {
        if let Operation::Update { before: before @ Resource::Sysctl(_), .. } = operation
            && self.state.get(&before.id()).is_none()
        {
            self.state.insert(before.clone(), Owner::Ours);
        }
    }

    fn one(&mut self, operation: &Operation) -> Result<(), Error> {
        let tried = crate::resource::words::commands(operation).into_iter().next().unwrap_or_default();
        match self.fail_after {
            Some(0) => {
                self.fail_after = None;
                return Err(Error::new(ErrorKind::Refused, tried, "told to fail").about(operation.id()));
            }
            Some(left) => self.fail_after = Some(left - 1),
            None => {}
        }
        self.touch(operation);
        effect(&mut self.state, operation).map_err(|refusal| Error::new(ErrorKind::Refused, tried, refusal.reason).about(operation.id()))?;
        self.performed += 1;
        Ok(())
    }
}

impl Kernel for Model {
    fn resolve(&mut self, _wanted: &mut State) -> Result<(), Error> {
        Ok(())
    }

    fn observe(&mut self, wanted: &State) -> Result<State, Error> {
        let mut state = self.state.clone();
        let asked = wanted.resources().chain(&self.state.record.prior);
        for sysctl in asked.filter_map(|resource| if let Resource::Sysctl(sysctl) = resource { Some(sysctl) } else { None }) {
            let there = state.namespace(&sysctl.node).is_some() && sysctl.link().is_none_or(|link| state.link(&link).is_some());
            if there && state.get(&sysctl.id()).is_none() {
                state.insert(Resource::Sysctl(Sysctl::new(sysctl.node.clone(), sysctl.key.clone(), UNWRITTEN)), Owner::Ours);
            }
        }
        Ok(state)
    }

    fn remember(&mut self, _topology: &Name, record: &Record) -> Result<(), Error> {
        self.state.record = record.clone();
        Ok(())
    }

    fn perform(&mut self, _topology: &Name, batch: &[Operation]) -> Vec<Result<(), Error>> {
        let mut failed = false;
        let mut results = Vec::with_capacity(batch.len());
        for operation in batch {
            results.push(if failed { Err(Error::new(ErrorKind::Skipped, "", "something before it failed")) } else { self.one(operation) });
            failed |= results.last().is_some_and(Result::is_err);
        }
        results
    }

    fn settings(&mut self, which: &[(Node, String)]) -> Result<Vec<Option<String>>, Error> {
        let value = |(node, key): &(Node, String)| match self.state.get(&ResourceId::Sysctl(node.clone(), key.clone())) {
            Some(Resource::Sysctl(sysctl)) => Some(sysctl.value.clone()),
            _ => Some(UNWRITTEN.to_owned()),
        };
        Ok(which.iter().map(value).collect())
    }

    fn settle(&mut self, _wanted: &State) -> Result<(), Error> {
        Ok(())
    }

    fn table_generations(&mut self) -> Vec<(Node, u32)> {
        Vec::new()
    }
}
