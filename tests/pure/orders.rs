//! Topologies that share things, in any order of apply, undo and destroy: the others are whole after each, and the
//! machine is as before the first when the last is gone. On the model; `tests/kernel/two.rs` has it on the kernel.

#![allow(clippy::disallowed_methods, reason = "a test makes processes")]

use crate::generator;
use crate::law;

use generator::Dice;
use std::collections::{BTreeMap, BTreeSet};
use topo::apply::{self, Before, Options};
use topo::kernel::Kernel;
use topo::model::Model;
use topo::plan;
use topo::resource::*;

/// What a topology can name of the machine's, beside a bridge of its own.
const SHARED: [(&str, &str); 8] = [
    ("host", "forwarding: ipv4"),
    ("host", "forwarding: true"),
    ("sysctl", "net.ipv4.conf.own0.rp_filter: 2"),
    ("sysctl", "net.ipv4.tcp_keepalive_time: 60"),
    ("own0", "mtu: 1400"),
    ("own0", "txqueuelen: 700"),
    ("own0", "mac: \"02:00:00:00:00:42\""),
    ("own0", "up: false"),
];

/// A topology's file that names these of [`SHARED`].
fn file(name: &str, which: &BTreeSet<usize>) -> String {
    let of = |section: &str| {
        which.iter().map(|at| SHARED[*at]).filter(|(of, _)| *of == section).map(|(_, text)| text).collect::<Vec<_>>()
    };
    let (host, own, sysctl) = (of("host"), of("own0"), of("sysctl"));
    let forwarding = host.last().map(|text| format!("  {text}\n")).unwrap_or_default();
    let named = own.into_iter().map(|text| format!(", {text}")).collect::<String>();
    let versioned = which.iter().map(|at| at + 1).sum::<usize>();
    format!(
        "name: {name}\nhost:\n{forwarding}  sysctls: {{ {} }}\n  interfaces:\n    own0: {{ existing: {{}}{named} }}\n    br{name}: {{ bridge: {{}}, addresses: [10.{versioned}.{}.1/24] }}\n",
        sysctl.join(", "),
        name.as_bytes()[0]
    )
}

/// An apply that can be undone, as the history keeps it.
struct Done {
    before: Before,
    /// What was wanted before it.
    wanted: Option<State>,
}

/// A machine with several topologies.
struct Machine {
    state: State,
    records: BTreeMap<Name, Record>,
    ours: BTreeMap<Name, BTreeSet<ResourceId>>,
    wanted: BTreeMap<Name, State>,
    history: BTreeMap<Name, Vec<Done>>,
    /// How the way back is told beside the others.
    beside: fn(&Before, &State) -> Before,
}

type Lawful = Result<(), String>;

impl Machine {
    fn new(beside: fn(&Before, &State) -> Before) -> Self {
        let mut model = law::machine();
        let route = law::read("name: x\nhost: { routes: [{ to: 203.0.113.0/24, via: 192.0.2.9, dev: own0 }, { to: 2001:db8:9::/48, dev: own0 }], interfaces: { own0: { existing: {}, addresses: [2001:db8::1/64] } } }\n").unwrap();
        for mut item in
            route.items.into_values().filter(|item| matches!(item.resource, Resource::Route(_) | Resource::Address(_)))
        {
            match &mut item.resource {
                Resource::Address(address) => address.marked = false,
                Resource::Route(route) => route.marked = false,
                _ => {}
            }
            model.state.insert(item.resource, Owner::Theirs(Foreign::Unknown));
        }
        Self {
            state: model.state,
            records: BTreeMap::new(),
            ours: BTreeMap::new(),
            wanted: BTreeMap::new(),
            history: BTreeMap::new(),
            beside,
        }
    }

    /// The machine as one of the topologies sees it.
    fn seen_by(&self, name: &Name) -> Model {
        let mut state = State { topology: name.clone(), ..self.state.clone() };
        state.record = self.records.get(name).cloned().unwrap_or_default();
        state.others = self
            .records
            .iter()
            .filter(|(other, _)| *other != name)
            .map(|(other, record)| (other.clone(), record.clone()))
            .collect();
        for (whose, ids) in &self.ours {
            for id in ids {
                let owner = if whose == name { Owner::Ours } else { Owner::Theirs(Foreign::Topology(whose.clone())) };
                state.items.get_mut(id).unwrap().owner = owner;
            }
        }
        Model::new(state)
    }

    /// What came of what a topology did.
    fn take(&mut self, name: &Name, model: Model) {
        self.ours.insert(
            name.clone(),
            model.state.items.iter().filter(|(_, item)| item.owner == Owner::Ours).map(|(id, _)| id.clone()).collect(),
        );
        if model.state.record.is_empty() {
            self.records.remove(name);
        } else {
            self.records.insert(name.clone(), model.state.record.clone());
        }
        self.state = State { record: Record::default(), others: Vec::new(), ..model.state };
    }

    /// Applies a file, or nothing; `false` where there is nothing to do, or where it is refused because another
    /// topology wants something else.
    fn apply(&mut self, name: &Name, wanted: Option<State>) -> Result<bool, String> {
        let mut model = self.seen_by(name);
        let goal = wanted.clone().unwrap_or_else(|| State::empty(name.clone()));
        let now = model.observe(&goal).map_err(|error| error.to_string())?;
        let Ok(plan) = plan::make(&goal, &now) else { return Ok(false) };
        let report = apply::run(&mut model, &plan, &options(), &mut |_| {});
        if !report.is_success() {
            return Err(format!("apply {name}: {report:?}"));
        }
        if wanted.is_none() {
            self.history.remove(name);
        } else if !plan.is_empty() {
            let done = Done { before: apply::before(&plan), wanted: self.wanted.get(name).cloned() };
            self.history.entry(name.clone()).or_default().push(done);
        }
        match wanted {
            Some(wanted) => _ = self.wanted.insert(name.clone(), wanted),
            None => _ = self.wanted.remove(name),
        }
        self.take(name, model);
        Ok(true)
    }

    /// Undoes the last apply, by hand or as the guard of `--confirm` does.
    fn undo(&mut self, name: &Name) -> Result<bool, String> {
        let Some(Done { before, wanted }) = self.history.get_mut(name).and_then(Vec::pop) else {
            return Ok(false);
        };
        let mut model = self.seen_by(name);
        let now = model.observe(&before.target).map_err(|error| error.to_string())?;
        let before = (self.beside)(&before, &now);
        let plan = plan::back(&before.target, &now).map_err(|conflicts| format!("undo {name}: {conflicts:?}"))?;
        if let Some(last) = self.wanted.get(name) {
            let now_wanted = model.observe(last).map_err(|error| error.to_string())?;
            let (changes, _) = plan::changed_since(last, false, &model.state.record, &now_wanted)
                .map_err(|conflicts| format!("undo {name} is stale: {conflicts:?}"))?;
            if !changes.is_empty() {
                return Err(format!("undo {name} is stale: {}", brief(&changes)));
            }
        }
        let report = apply::back(&mut model, &plan, &before, &options(), &mut |_| {});
        if !report.is_success() {
            return Err(format!("undo {name}: {report:#?}"));
        }
        match wanted {
            Some(wanted) => _ = self.wanted.insert(name.clone(), wanted),
            None => _ = self.wanted.remove(name),
        }
        self.take(name, model);
        Ok(true)
    }

    /// All that are there have what they want, and where none is, all is as it was.
    fn verdict(&self, start: &Model) -> Lawful {
        for (name, wanted) in &self.wanted {
            let mut model = self.seen_by(name);
            let now = model.observe(wanted).map_err(|error| error.to_string())?;
            let plan = plan::make(wanted, &now).map_err(|conflicts| format!("{name}: {conflicts:?}"))?;
            if !plan.is_empty() {
                return Err(format!("{name} is not whole: {}", brief(&plan.changes)));
            }
        }
        if !self.wanted.is_empty() {
            return Ok(());
        }
        if !self.records.is_empty() {
            return Err(format!("records stay: {:#?}", self.records));
        }
        law::same(&self.seen_by(&"law".into()), start)
    }
}

/// Changes, a line each.
fn brief(changes: &[plan::Change]) -> String {
    let fields = |change: &plan::Change| {
        change
            .drift
            .iter()
            .map(|drift| format!(" {} {:?} -> {:?}", drift.field, drift.old, drift.new))
            .collect::<String>()
    };
    changes
        .iter()
        .map(|change| {
            format!(
                "\n  {:?} {} {}{} loses {:?}",
                change.action,
                change.id.kind(),
                change.id,
                fields(change),
                change.loses
            )
        })
        .collect()
}

fn options() -> Options {
    Options { rollback: true, interrupted: Default::default() }
}

/// What somebody does with one of the topologies.
#[derive(Clone, Copy, Debug)]
enum Act {
    Apply(usize, usize),
    Undo(usize),
    Destroy(usize),
}

const NAMES: [&str; 3] = ["a", "b", "c"];

/// Three versions of each of three topologies, each with some of what is shared.
fn versions(dice: &mut Dice<'_>) -> Vec<Vec<String>> {
    let some = |dice: &mut Dice<'_>| (0..SHARED.len()).filter(|_| dice.once_in(3)).collect::<BTreeSet<usize>>();
    NAMES.iter().map(|name| (0..3).map(|_| file(name, &some(dice))).collect()).collect()
}

/// Does it, and then lets all go, each by an undo of all that it did or by a destroy.
fn walk(files: &[Vec<String>], acts: &[Act], beside: fn(&Before, &State) -> Before) -> Lawful {
    let mut machine = Machine::new(beside);
    let start = machine.seen_by(&"law".into());
    let told = |at: usize, wrong: String| format!("{files:#?}\n{:?}\n{wrong}", &acts[..=at]);
    for (at, act) in acts.iter().enumerate() {
        let done = match act {
            Act::Apply(which, version) => {
                machine.apply(&NAMES[*which].into(), Some(law::read(&files[*which][*version]).unwrap()))
            }
            Act::Undo(which) => machine.undo(&NAMES[*which].into()),
            Act::Destroy(which) => machine.apply(&NAMES[*which].into(), None),
        };
        done.and_then(|done| if done { machine.verdict(&start) } else { Ok(()) }).map_err(|wrong| told(at, wrong))?;
    }
    Ok(())
}

/// Some acts, and then what lets all go.
fn acts(dice: &mut Dice<'_>, of: usize) -> Vec<Act> {
    let which = |dice: &mut Dice<'_>| dice.below(of);
    let mut acts: Vec<Act> = (0..4 + dice.below(9))
        .map(|_| match dice.below(6) {
            0..=2 => Act::Apply(which(dice), dice.below(3)),
            3 | 4 => Act::Undo(which(dice)),
            _ => Act::Destroy(which(dice)),
        })
        .collect();
    let mut left: Vec<usize> = (0..of).collect();
    while !left.is_empty() {
        let which = left.remove(dice.below(left.len()));
        // As far back as its history goes, which is all the way where nothing of it was destroyed.
        if dice.once_in(2) {
            acts.extend((0..acts.len().min(6)).map(|_| Act::Undo(which)));
        }
        acts.push(Act::Destroy(which));
    }
    acts
}

/// The first wrong of so many random walks.
fn first_wrong(count: u64, beside: fn(&Before, &State) -> Before) -> Lawful {
    let first = generator::number("TOPO_SEED", 1);
    for seed in first..first.saturating_add(count) {
        let throws = generator::throws(seed, 300);
        let mut dice = Dice::new(&throws);
        let files = versions(&mut dice);
        let acts = acts(&mut dice, 2 + (seed % 2) as usize);
        walk(&files, &acts, beside).map_err(|wrong| format!("seed {seed}: {wrong}"))?;
    }
    Ok(())
}

/// `TOPO_ORDERS` walks so many, from `TOPO_SEED` on.
#[test]
fn any_order_leaves_the_others_whole_and_ends_where_it_began() {
    let count = generator::number("TOPO_ORDERS", 100);
    first_wrong(count, Before::beside).unwrap_or_else(|wrong| panic!("{wrong}"));
}

/// All orders of a few acts of two topologies that have all in common.
#[test]
fn all_orders_of_two() {
    let all: BTreeSet<usize> = (0..SHARED.len()).filter(|at| *at != 0).collect();
    let some: BTreeSet<usize> = [0, 2, 5].into();
    let files: Vec<Vec<String>> = NAMES[..2].iter().map(|name| vec![file(name, &all), file(name, &some)]).collect();
    let one = |which| [Act::Apply(which, 0), Act::Apply(which, 1), Act::Undo(which), Act::Destroy(which)];
    let can = [one(0), one(1)].concat();
    let mut orders: Vec<Vec<Act>> = vec![
        vec![Act::Apply(0, 0), Act::Apply(1, 0)],
        vec![Act::Apply(0, 0), Act::Apply(1, 1)],
        vec![Act::Apply(0, 1), Act::Apply(1, 0)],
    ];
    for _ in 0..2 {
        orders = orders.iter().flat_map(|order| can.iter().map(|act| [order.clone(), vec![*act]].concat())).collect();
    }
    for order in orders {
        let ends = [Act::Undo(0), Act::Undo(0), Act::Destroy(1), Act::Destroy(0)];
        walk(&files, &[order, ends.to_vec()].concat(), Before::beside).unwrap_or_else(|wrong| panic!("{wrong}"));
    }
}

/// A way back that looks at nobody else is found.
#[test]
fn a_way_back_that_looks_at_nobody_else_is_found() {
    assert!(first_wrong(100, |before, _| before.clone()).is_err());
}
