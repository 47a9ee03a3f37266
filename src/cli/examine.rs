//! What `doctor` looks at: a file, the network that it is or will be in, and the machine.

use super::console::Console;
use super::exit::Exit;
use super::network::{self, joined, outside};
use super::target::Case;
use super::{notice, session};
use crate::doctor::{self, Examined, Finding, MOST_FLOWS, Obstacle, Severity, Walked};
use crate::flow::World;
use crate::kernel::{self, Error, ErrorKind, Kernel};
use crate::linux::Linux;
use crate::linux::survey::read;
use crate::plan;
use crate::plan::change::{Change, Plan};
use crate::render::words::full_name;
use crate::resource::probe::Check;
use crate::resource::{Owner, Resource, ResourceId, State, Tenure};
use crate::survey::{Around, Heard, Machine, Survey};

/// All that was read for a file.
pub struct Scene {
    wanted: State,
    observed: State,
    /// The network that packets are followed through.
    network: State,
    /// Whether the topology is there.
    pub applied: bool,
    changes: Vec<(ResourceId, String)>,
    obstacles: Vec<Obstacle>,
    lacking: Vec<Obstacle>,
    around: State,
    neighbors: Vec<Heard>,
    survey: Option<Survey>,
    machine: Option<Machine>,
}

/// What came of it.
pub struct Examination {
    /// What was found, the worst first.
    pub findings: Vec<Finding>,
    /// The flows that were followed.
    pub walked: Vec<Walked>,
    /// How many more the file means.
    pub left_out: usize,
}

impl Scene {
    /// The machine alone, without any file.
    ///
    /// # Errors
    ///
    /// If it cannot be read, after that was printed.
    pub fn machine(console: &mut Console, kernel: &Linux) -> Result<Self, Exit> {
        let nothing = State::empty("machine".into());
        let machine = kernel.machine(&nothing).map_err(|error| notice::told(console, &error))?;
        let around = Around { state: nothing.clone(), neighbors: Vec::new() };
        Ok(Self { machine: Some(machine), ..Self::planned(nothing.clone(), nothing, around) })
    }

    /// All that there is to look at for a file.
    ///
    /// # Errors
    ///
    /// If the machine cannot be read, after that was printed.
    pub fn of(console: &mut Console, kernel: &mut Linux, case: &Case) -> Result<Self, Exit> {
        Self::read(kernel, case).map_err(|error| {
            console.failure(&case.asked(), &error);
            Exit::of(&error)
        })
    }

    fn read(kernel: &mut Linux, case: &Case) -> Result<Self, Error> {
        let mut wanted = case.wanted.clone();
        let mut lacking = Vec::new();
        // What the kernel lacks is a finding, and no failure.
        let mut lacks = |error: Error| match error.id.clone().filter(|_| error.kind == ErrorKind::Missing) {
            Some(id) => {
                lacking.push(Obstacle { id, what: error.reason, help: error.help });
                Ok(())
            }
            None => Err(error),
        };
        if !case.back {
            kernel.resolve(&mut wanted).or_else(&mut lacks)?;
        }
        let observed = match kernel.observe(&wanted).and_then(|state| kernel::with_settings(kernel, state)) {
            Ok(observed) => observed,
            Err(error) => {
                lacks(error)?;
                State::empty(wanted.topology.clone())
            }
        };
        let made = if case.back { plan::back(&wanted, &observed) } else { plan::make(&wanted, &observed) };
        let nodes = outside(&wanted);
        let around = kernel.around(&wanted.topology, &nodes)?;
        let machine = kernel.machine(&wanted)?;
        let applied = is_applied(&wanted, &observed);
        let (survey, _) = read::survey(&wanted.topology, &|_, _| false)?;
        let mut scene =
            if applied { Self::live(wanted, observed, around) } else { Self::planned(wanted, observed, around) };
        match made {
            Ok(plan) => scene.changes = plan.changes.iter().map(in_words).collect(),
            Err(conflicts) => {
                let of = |conflict: &plan::Conflict| Obstacle {
                    id: conflict.id.clone(),
                    what: session::in_words(conflict),
                    help: conflict.help.clone(),
                };
                scene.obstacles = conflicts.iter().map(of).collect();
            }
        }
        Ok(Self { machine: Some(machine), survey: Some(survey), lacking, ..scene })
    }

    /// A topology that is there: the machine as it is.
    fn live(wanted: State, observed: State, around: Around) -> Self {
        let network = joined(observed.clone(), &around.state);
        let scene = Self::planned(wanted, observed, around);
        Self { network, applied: true, ..scene }
    }

    /// A topology as it will be: what the file wants, laid over what others have.
    fn planned(wanted: State, observed: State, around: Around) -> Self {
        let mut network = State::empty(wanted.topology.clone());
        let ours = |id: &ResourceId| observed.items.get(id).is_some_and(|item| item.owner == Owner::Ours);
        for (id, item) in around.state.items.iter().filter(|(id, _)| !ours(id)) {
            network.items.insert(id.clone(), item.clone());
        }
        for (id, item) in &wanted.items {
            let mut item = item.clone();
            if let (Resource::Link(link), Some(there)) =
                (&mut item.resource, around.state.get(id).and_then(Resource::as_link))
                && link.tenure != Tenure::Created
            {
                link.fall_back_to(there);
                (link.kind, link.peer, link.link) = (there.kind.clone(), there.peer.clone(), there.link.clone());
                there
                    .options
                    .iter()
                    .for_each(|(key, value)| _ = link.options.entry(key.clone()).or_insert_with(|| value.clone()));
            }
            network.items.insert(id.clone(), item);
        }
        Self {
            wanted,
            observed,
            network,
            applied: false,
            changes: Vec::new(),
            obstacles: Vec::new(),
            lacking: Vec::new(),
            around: around.state,
            neighbors: around.neighbors,
            survey: None,
            machine: None,
        }
    }

    /// Examines it; at most `most` flows are followed besides those of checks.
    ///
    /// # Errors
    ///
    /// If rules or settings of a namespace cannot be read.
    pub fn examine(&self, kernel: &Linux, checks: &[Check], most: usize) -> Result<Examination, Error> {
        let nodes = outside(&self.network);
        let world = match (self.applied, nodes.is_empty()) {
            (true, _) => network::look(kernel, &self.network)?,
            (false, _) => network::planned(kernel, &self.network, &nodes)?,
        };
        let (meant, left_out) = doctor::meant(&self.wanted, checks, &world, most);
        let walked = doctor::walk(&world, meant);
        let mut examined = self.examined(&world);
        examined.walked = walked;
        let findings = doctor::run(&examined);
        Ok(Examination { findings, walked: examined.walked, left_out })
    }

    fn examined<'a>(&'a self, world: &'a World<'a>) -> Examined<'a> {
        Examined {
            wanted: &self.wanted,
            observed: &self.observed,
            applied: self.applied,
            changes: self.changes.clone(),
            obstacles: self.obstacles.clone(),
            lacking: self.lacking.clone(),
            world,
            walked: Vec::new(),
            around: &self.around,
            neighbors: &self.neighbors,
            survey: self.survey.as_ref(),
            machine: self.machine.as_ref(),
        }
    }
}

fn in_words(change: &Change) -> (ResourceId, String) {
    (change.id.clone(), full_name(&change.id))
}

/// Whether a topology is there: all the namespaces that it makes, or something of it where it makes none.
fn is_applied(wanted: &State, observed: &State) -> bool {
    let ours = |id: &ResourceId| observed.items.get(id).is_some_and(|item| item.owner == Owner::Ours);
    let mut made = wanted.namespaces().filter(|namespace| wanted.is_made(&namespace.node)).peekable();
    if made.peek().is_some() {
        return made.all(|namespace| ours(&namespace.id()));
    }
    wanted.items.keys().any(|id| !matches!(id, ResourceId::Namespace(_)) && ours(id))
}

/// In more namespaces, or with more resources, a plan is not examined: it would be a long look for a short line.
const MOST_NODES: usize = 64;
const MOST_RESOURCES: usize = 2_000;
/// In a namespace with more chains than these the rules of others are not listed for a plan.
const MOST_CHAINS: usize = 512;

/// Warns of what will not work once plans are carried out, a line each: what `doctor` has to say of packets that leave
/// the namespaces which topo makes. Of a plan without changes, and of one that stays within, there is nothing to say.
pub fn warn(console: &mut Console, kernel: &Linux, case: &Case, plan: &Plan) {
    let Some(source) = case.source.as_ref().filter(|_| !plan.changes.is_empty()) else { return };
    let nodes = outside(&plan.wanted);
    let touched = plan.wanted.items.iter().any(|(id, item)| {
        item.owner == Owner::Ours && nodes.contains(&id.node()) && !matches!(id, ResourceId::Namespace(_))
    });
    let large = plan.wanted.namespaces().count() > MOST_NODES || plan.wanted.items.len() > MOST_RESOURCES;
    if !touched || large || kernel.chains(&nodes).is_none_or(|chains| chains > MOST_CHAINS) {
        return;
    }
    // What cannot be read is no reason not to plan.
    let Ok(around) = kernel.around(&plan.wanted.topology, &nodes) else { return };
    let scene = Scene::planned(plan.wanted.clone(), plan.base.clone(), around);
    let Ok(examination) = scene.examine(kernel, &case.checks, MOST_FLOWS / 8) else { return };
    let file = crate::resource::quote(&source.name);
    for finding in examination.findings.iter().filter(|finding| finding.severity == Severity::Error) {
        let code = finding.code.word();
        console.warn(&format!("{} [{code}]; \"topo doctor {file}\" says what to do", finding.what));
    }
}
