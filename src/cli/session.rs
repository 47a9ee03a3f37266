//! The machine's kernel, and plans for it.

use super::confirmation;
use super::console::{Asked, Console};
use super::exit::Exit;
use crate::dialect::ip::Words;
use crate::document::{Source, Topology};
use crate::history::last::Last;
use crate::kernel::{Error, Kernel};
use crate::linux::Linux;
use crate::linux::netns::processes;
use crate::plan;
use crate::plan::{Action, Change, Conflict, Plan};
use crate::resource::probe::Check;
use crate::resource::{LinkId, Name, Node, Operation, Options, Origins, RawRules, Record, ResourceId, State};

/// A topology as it is wanted, and where that is written.
#[derive(Debug)]
pub struct Case {
    /// What is wanted; nothing for a destroy.
    pub wanted: State,
    /// The file.
    pub source: Option<Source>,
    /// Who asked for what.
    pub origins: Origins,
    /// Where rules in nft's words stand.
    pub raw: RawRules,
    /// What is to be tried once it is there.
    pub checks: Vec<Check>,
    /// Whether it is what there was before an apply that was undone, and is gone back to.
    pub back: bool,
}

/// Why there is no plan.
#[derive(Debug)]
pub enum NoPlan {
    /// The machine could not be looked at.
    Failed(Error),
    /// Something is in the way.
    Conflicts(Vec<Conflict>),
}

impl Case {
    /// What a file wants.
    pub fn of(topology: Topology) -> Self {
        Self { wanted: topology.state, source: Some(topology.source), origins: topology.origins, raw: topology.raw, checks: topology.checks, back: false }
    }

    /// A topology of which nothing is wanted.
    pub fn nothing(name: Name) -> Self {
        Self { wanted: State::empty(name), source: None, origins: Origins::new(), raw: RawRules::new(), checks: Vec::new(), back: false }
    }

    /// A topology as it was last wanted.
    pub fn last(last: Last<'_>) -> Self {
        let nothing = Self::nothing(last.state.topology.clone());
        Self { wanted: last.state.into_owned(), back: last.back, ..nothing }
    }

    /// What is known of the file.
    pub fn asked(&self) -> Asked<'_> {
        Asked { source: self.source.as_ref(), origins: &self.origins, raw: &self.raw }
    }
}

/// Opens the kernel's door.
pub fn open(console: &mut Console) -> Result<Linux, Exit> {
    let mut kernel = Linux::new().map_err(|error| told(console, &error))?;
    warnings(console, &mut kernel);
    confirmation::mention_lost(console);
    Ok(kernel)
}

/// Tells what the kernel's door has to say although nothing failed.
pub fn warnings(console: &mut Console, kernel: &mut Linux) {
    kernel.warnings().iter().for_each(|warning| console.warn(warning));
}

/// Tells a failure that no file asked for.
pub fn told(console: &mut Console, error: &Error) -> Exit {
    console.problem(&error.to_string(), error.help.as_deref());
    Exit::of(error)
}

/// Looks, and plans what is missing.
pub fn plan(console: &mut Console, kernel: &mut Linux, case: &Case) -> Result<Plan, Exit> {
    plan_after(console, kernel, case, &[])
}

/// The same as it will be when the topologies `gone` are gone.
pub fn plan_after(console: &mut Console, kernel: &mut Linux, case: &Case, gone: &[Name]) -> Result<Plan, Exit> {
    let plan = planned(console, kernel, case, gone);
    warnings(console, kernel);
    if let Ok(plan) = &plan {
        plan.warnings.iter().for_each(|warning| console.warn(warning));
        left_behind(console, plan);
    }
    plan
}

/// The same once more, after a question: what there is to warn of was told before.
pub fn plan_again(console: &mut Console, kernel: &mut Linux, case: &Case, gone: &[Name]) -> Result<Plan, Exit> {
    let plan = planned(console, kernel, case, gone);
    drop(kernel.warnings());
    plan
}

fn planned(console: &mut Console, kernel: &mut Linux, case: &Case, gone: &[Name]) -> Result<Plan, Exit> {
    compare(kernel, case, gone).map_err(|none| match none {
        NoPlan::Failed(error) => {
            console.failure(&case.asked(), &error);
            Exit::of(&error)
        }
        NoPlan::Conflicts(conflicts) => {
            for conflict in &conflicts {
                console.problem_at(&case.asked(), Some(&conflict.id), "conflict", &in_words(conflict), conflict.help.as_deref());
            }
            Exit::Failed
        }
    })
}

/// The same without a word to anybody.
pub fn compare(kernel: &mut Linux, case: &Case, gone: &[Name]) -> Result<Plan, NoPlan> {
    let mut wanted = case.wanted.clone();
    let looked = if case.back { kernel.observe(&wanted) } else { kernel.resolve(&mut wanted).and_then(|()| kernel.observe(&wanted)) };
    let mut observed = looked.map_err(NoPlan::Failed)?;
    observed.others.retain(|(name, _)| !gone.contains(name));
    let made = if case.back { plan::back(&wanted, &observed) } else { plan::make(&wanted, &observed) };
    made.map_err(NoPlan::Conflicts)
}

/// What is in the way, with its name.
pub fn in_words(conflict: &Conflict) -> String {
    let name = crate::render::words::full_name(&conflict.id);
    if conflict.reason.contains(&name) { conflict.reason.clone() } else { format!("{name}: {}", conflict.reason) }
}

/// Tells of the processes in namespaces that go: nobody ends them, and they keep what topo takes the name from.
fn left_behind(console: &mut Console, plan: &Plan) {
    let goes = |change: &&Change| matches!(change.action, Action::Delete | Action::Replace);
    let nodes: Vec<&Node> =
        plan.changes.iter().filter(goes).filter_map(|change| if let ResourceId::Namespace(node) = &change.id { Some(node) } else { None }).collect();
    if nodes.is_empty() {
        return;
    }
    for (node, who) in processes::of(&nodes) {
        let (plural, lives, end) = if who.count == 1 { ("", "lives", "it ends") } else { ("es", "live", "they end") };
        let more = who.count - who.some.len();
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        console.warn(&format!("process{plural} {}{more} still {lives} in namespace {node}: it goes when {end}", who.some.join(", ")));
    }
}

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
