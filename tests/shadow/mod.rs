//! The real kernel with the model beside it: both carry out each operation, and what they show afterwards is compared.

mod step;

use crate::generator::Dice;
use crate::sandbox::wait_for;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use topo::kernel::{Error, ErrorKind, Kernel};
use topo::linux::Linux;
use topo::model::Model;
use topo::resource::*;

/// How long the kernel may take over what it does in its own time: the other ends of pairs go some time after their
/// namespace.
const PATIENCE: Duration = Duration::from_secs(4);

/// A difference that may be none.
struct Sight<'a> {
    id: &'a ResourceId,
    kernel: Option<&'a Resource>,
    model: Option<&'a Resource>,
    /// The field that differs, where both have the resource.
    field: &'a str,
    /// Whether the model was ever told of it: as observed, or by an operation.
    told: bool,
    /// What the model says of all.
    paper: &'a State,
}

impl Sight<'_> {
    /// The bridge that it is, or is on, where the model does not know its MTU.
    fn on_bridge_of_unknown_mtu(&self) -> bool {
        let link = match self.id {
            ResourceId::Link(link) | ResourceId::Address(link, ..) => Some(link.clone()),
            ResourceId::Sysctl(..) => self
                .kernel
                .or(self.model)
                .and_then(|it| if let Resource::Sysctl(sysctl) = it { sysctl.link() } else { None }),
            _ => None,
        };
        link.and_then(|link| self.paper.link(&link))
            .is_some_and(|link| link.kind == Kind::Bridge && link.mtu == Setting::Is(0))
    }

    /// The setting that it is.
    fn setting(&self) -> Option<&Sysctl> {
        if let Some(Resource::Sysctl(sysctl)) = self.model { Some(sysctl) } else { None }
    }
}

/// What is not determined: why, and where.
type Open = (&'static str, fn(&Sight<'_>) -> bool);

/// Each with its reason. One that is never needed in a long run is one too many.
const OPEN: [Open; 8] = [
    ("the model has no table of what settings begin with", |sight| sight.setting().is_some() && !sight.told),
    (
        "an IPv4 default reaches what was there before it was first written, and the kernel does not say what that is",
        |sight| {
            let default =
                |main| matches!(main, ResourceId::Sysctl(_, key) if key.starts_with("net/ipv4/conf/default/"));
            sight.setting().is_some_and(|sysctl| {
                sysctl.written_with().is_some_and(default)
                    && sysctl.link().is_some_and(|link| {
                        !sight.paper.addresses_of(&link).any(|address| address.address.addr().is_ipv4())
                    })
            })
        },
    ),
    (
        "a bridge's mtu follows its ports unless somebody wrote it, and the kernel does not say whether somebody did",
        |sight| sight.field == "mtu" && sight.on_bridge_of_unknown_mtu(),
    ),
    ("so it may be too small for IPv6, or not", |sight| {
        matches!(sight.id, ResourceId::Sysctl(_, key) if key.starts_with("net/ipv6/"))
            && sight.on_bridge_of_unknown_mtu()
    }),
    (
        "a bridge's hardware address is that of a port unless somebody wrote it: where that cannot be told, its neighbours are taken to be forgotten",
        |sight| {
            let ResourceId::Neighbor(link, ..) = sight.id else { return false };
            sight.model.is_none()
                && sight.paper.link(link).is_some_and(|link| link.kind == Kind::Bridge && link.mac == Setting::Left)
        },
    ),
    (
        "the model does not look for what a hand set of a link's forwarding",
        |sight| matches!((sight.kernel, sight.model), (Some(Resource::Sysctl(setting)), None) if setting.link().is_some() && setting.key.ends_with("/forwarding")),
    ),
    ("whether the kernel gives a link a link-local address depends on its carrier, which the other end has", |sight| {
        matches!(sight.id, ResourceId::Link(_))
            && [Automatic::LinkLocal, Automatic::MulticastRoute].iter().any(|made| made.word() == sight.field)
    }),
    (
        "a chain in which nothing of ours is is shown where somebody asks for it",
        |sight| matches!(sight.kernel.or(sight.model), Some(Resource::Insert(insert)) if insert.rules.is_empty()),
    ),
];

/// The kernel, and the model in its shadow.
pub struct Shadowed {
    kernel: Linux,
    model: Model,
    /// What both are asked about.
    wanted: State,
    /// How many operations both have carried out.
    pub operations: usize,
    /// How many both have refused.
    pub refused: usize,
    /// How often each reason of [`OPEN`] was needed.
    pub open: BTreeMap<&'static str, usize>,
    /// Where they differed.
    pub differences: Vec<String>,
}

impl Shadowed {
    /// A machine, and nothing that is known of it.
    pub fn new() -> Self {
        let (kernel, model) = (Linux::new().unwrap(), Model::bare("law".into()));
        let wanted = State::empty("law".into());
        Self { kernel, model, wanted, operations: 0, refused: 0, open: BTreeMap::new(), differences: Vec::new() }
    }

    /// Lets the model begin with what the kernel shows.
    pub fn begin(&mut self, wanted: &State) -> State {
        self.wanted = wanted.clone();
        let observed = self.kernel.observe(wanted).unwrap();
        self.model = Model::new(observed.clone());
        observed
    }

    /// Single operations on what is there, such as a hand or another order of steps has them.
    pub fn walk(&mut self, dice: &mut Dice<'_>) {
        for _ in 0..dice.below(12) {
            let there = self.kernel.observe(&self.wanted).unwrap();
            if let Some(operation) = step::step(&there, dice) {
                _ = self.one(&there.topology, &operation);
            }
        }
    }

    /// One operation on both.
    fn one(&mut self, topology: &Name, operation: &Operation) -> Result<(), Error> {
        let before = self.model.state.clone();
        let batch = std::slice::from_ref(operation);
        let done = self.kernel.perform(topology, batch).pop().unwrap();
        let on_paper = self.model.perform(topology, batch).pop().unwrap();
        self.operations += 1;
        match (&done, &on_paper) {
            (Ok(()), Ok(())) => self.compare(operation),
            (Err(_), Err(_)) => self.refused += 1,
            (Err(why), Ok(())) => {
                self.differ(operation, &[format!("the kernel refuses it ({why}), the model does not")])
            }
            (Ok(()), Err(why)) => {
                self.differ(operation, &[format!("the model refuses it ({why}), the kernel does not")])
            }
        }
        if done.is_ok() {
            self.again(topology, operation, &before);
        }
        done
    }

    /// What is there cannot be made, and what is gone cannot be deleted: neither by the kernel nor by the model.
    fn again(&mut self, topology: &Name, operation: &Operation, before: &State) {
        let once = match operation {
            // The end of a pair whose other end was in a namespace that somebody deleted goes by itself: that it is
            // gone is what was asked for.
            Operation::Delete(Resource::Link(link)) if link.kind == Kind::Veth => false,
            // An IPv4 route without a metric is found with any (`fib_nh_match`), and of an entry with several ends one
            // that is not there goes without a word (`__vxlan_fdb_delete`).
            Operation::Delete(Resource::Route(route)) if route.key.metric == 0 => false,
            Operation::Delete(Resource::Fdb(_)) => false,
            // The rest is written over what is there: neighbours and forwarding entries may have been learned
            // meanwhile.
            Operation::Create(
                Resource::Namespace(_)
                | Resource::Link(_)
                | Resource::Address(_)
                | Resource::Route(_)
                | Resource::Rule(_),
            ) => true,
            Operation::Create(_) => false,
            Operation::Delete(resource) => before.get(&resource.id()).is_some(),
            Operation::CreatePair(..) => true,
            Operation::Update { .. } | Operation::Move { .. } => false,
        };
        if !once {
            return;
        }
        let batch = std::slice::from_ref(operation);
        let done = self.kernel.perform(topology, batch).pop().unwrap();
        let on_paper = self.model.perform(topology, batch).pop().unwrap();
        self.refused += 1;
        for (who, answer) in [("the kernel", done), ("the model", on_paper)] {
            if answer.is_ok() {
                self.differ(operation, &[format!("{who} does it twice")]);
            }
        }
    }

    /// Compares what both show after `operation`.
    fn compare(&mut self, operation: &Operation) {
        let mut seen = Seen::default();
        wait_for(PATIENCE, || {
            seen = self.look();
            seen.found.is_empty()
        });
        for (why, id, item) in seen.open {
            *self.open.entry(why).or_default() += 1;
            // The model is told; what it does not know of links it goes on not knowing.
            if let (ResourceId::Sysctl(..) | ResourceId::Neighbor(..), Some(item)) = (&id, &item) {
                self.model.state.items.insert(id, item.clone());
            }
        }
        if !seen.found.is_empty() {
            self.differ(operation, &seen.found);
        }
    }

    /// Notes a difference, and lets the model go on with what the kernel shows: the next difference is one of its own.
    fn differ(&mut self, operation: &Operation, found: &[String]) {
        let words = topo::dialect::ip::commands(operation).join("; ");
        self.differences.push(format!("{words}\n  {operation:?}\n    {}", found.join("\n    ")));
        if let Ok(observed) = self.kernel.observe(&self.wanted) {
            self.model.state = observed;
        }
    }

    /// What is different right now.
    fn look(&mut self) -> Seen {
        let mut seen = Seen::default();
        let kernel = match self.kernel.observe(&self.wanted) {
            Ok(state) => state,
            Err(error) => {
                seen.found.push(format!("the kernel cannot be read: {error}"));
                return seen;
            }
        };
        let paper = self.model.observe(&self.wanted).unwrap();
        for id in kernel.items.keys().chain(paper.items.keys()).collect::<BTreeSet<_>>() {
            let (there, drawn) = (kernel.items.get(id), paper.items.get(id));
            let told = self.model.state.get(id).is_some();
            for (field, text) in differences(there, drawn) {
                let (kernel, model) = (there.map(|item| &item.resource), drawn.map(|item| &item.resource));
                let sight = Sight { id, kernel, model, field: &field, told, paper: &paper };
                match OPEN.iter().find(|(_, is)| is(&sight)) {
                    Some((why, _)) => seen.open.push((why, id.clone(), there.cloned())),
                    None => seen.found.push(format!("{} {id}: {text}", id.kind())),
                }
            }
        }
        seen
    }
}

/// What differs between the kernel and the model.
#[derive(Default)]
struct Seen {
    /// What should not.
    found: Vec<String>,
    /// What is left open, why, and what the kernel has there.
    open: Vec<(&'static str, ResourceId, Option<Item>)>,
}

/// How what the kernel shows differs from what the model shows: the field, and a text.
fn differences(kernel: Option<&Item>, model: Option<&Item>) -> Vec<(String, String)> {
    let (there, paper) = match (kernel, model) {
        (Some(there), Some(paper)) => (there, paper),
        (Some(there), None) => return vec![(String::new(), format!("only the kernel has it: {:?}", there.resource))],
        (None, Some(paper)) => return vec![(String::new(), format!("only the model has it: {:?}", paper.resource))],
        (None, None) => return Vec::new(),
    };
    let values = |name: &str, kernel: &str, model: &str| {
        (name.to_owned(), format!("{name} is {kernel:?} in the kernel, {model:?} in the model"))
    };
    let mut found: Vec<_> = drift(&there.resource, &paper.resource)
        .iter()
        .map(|drift| values(&drift.field, &drift.old, &drift.new))
        .collect();
    if (there.owner == Owner::Ours) != (paper.owner == Owner::Ours) {
        found.push(values("owner", &format!("{:?}", there.owner), &format!("{:?}", paper.owner)));
    }
    found
}

/// The fields in which two resources differ, the kernel's as the old ones. What one of them leaves open does not.
fn drift(kernel: &Resource, model: &Resource) -> Vec<Drift> {
    let (mut kernel, mut model) = (kernel.clone(), model.clone());
    // A drift is a difference from what is wanted, and nobody wants a dead route: here it is one where only one of them
    // is dead.
    if let (Resource::Route(there), Resource::Route(paper)) = (&mut kernel, &mut model)
        && there.dead == paper.dead
    {
        (there.dead, paper.dead) = (false, false);
    }
    let mut all = model.drift(&kernel);
    let back: Vec<Drift> =
        kernel.drift(&model).into_iter().filter(|back| !all.iter().any(|known| known.field == back.field)).collect();
    all.extend(back.into_iter().map(|back| Drift { old: back.new, new: back.old, ..back }));
    all
}

impl Kernel for Shadowed {
    fn resolve(&mut self, wanted: &mut State) -> Result<(), Error> {
        self.kernel.resolve(wanted)
    }

    fn observe(&mut self, wanted: &State) -> Result<State, Error> {
        self.kernel.observe(wanted)
    }

    fn remember(&mut self, topology: &Name, record: &Record) -> Result<(), Error> {
        self.model.remember(topology, record)?;
        self.kernel.remember(topology, record)
    }

    fn perform(&mut self, topology: &Name, batch: &[Operation]) -> Vec<Result<(), Error>> {
        let mut failed = false;
        let one = |operation: &Operation| {
            let skipped = || Err(Error::new(ErrorKind::Skipped, "", "something before it failed"));
            let done = if failed { skipped() } else { self.one(topology, operation) };
            failed |= done.is_err();
            done
        };
        batch.iter().map(one).collect()
    }

    /// The model is told, too.
    fn settings(&mut self, which: &[(Node, String)]) -> Result<Vec<Option<String>>, Error> {
        let values = self.kernel.settings(which)?;
        for ((node, key), value) in which.iter().zip(&values) {
            let told = value.as_ref().map(|value| Resource::Sysctl(Sysctl::new(node.clone(), key.as_str(), value)));
            let owner = self.model.state.items.get(&ResourceId::Namespace(node.clone())).map(|item| item.owner.clone());
            if let Some((told, owner)) = told.zip(owner) {
                self.model.state.insert(told, owner);
            }
        }
        Ok(values)
    }

    fn offloads(&mut self, which: &[LinkId]) -> Result<Vec<Options>, Error> {
        self.kernel.offloads(which)
    }

    fn settle(&mut self, wanted: &State) -> Result<(), Error> {
        self.kernel.settle(wanted)
    }

    fn table_generations(&mut self) -> Vec<(Node, u32)> {
        self.kernel.table_generations()
    }
}
