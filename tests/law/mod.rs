//! What plan, apply and undo have to keep, for any topologies and any mess, on a kernel that is the model or the model
//! with a fault.
//!
//! Each law is a function that takes the machine and says what is wrong. `tests/pure/laws.rs` holds them on the model;
//! `tests/pure/planted.rs` shows, with a fault planted for each, that they can find one.

#![allow(dead_code, reason = "each test crate uses a part of it")]
mod mess;
mod watch;

pub use mess::mess;
pub use watch::Watched;

use crate::generator::{self, Dice};
use std::collections::BTreeSet;
use topo::apply::{self, Options};
use topo::document::{self, Severity, Source};
use topo::kernel::Kernel;
use topo::model::Model;
use topo::plan;
use topo::resource::*;

/// What is wrong.
pub type Lawful = Result<(), String>;

/// A kernel with a model inside.
pub trait Machine: Kernel {
    /// The model.
    fn model(&mut self) -> &mut Model;

    /// The plan from what is observed to what is wanted: a place to plant faults in.
    fn plan(&mut self, wanted: &State) -> Result<plan::Plan, Vec<plan::Conflict>> {
        let observed = self.observe(wanted).expect("the model can be read");
        plan::make(wanted, &observed)
    }

    /// The state as a file.
    fn shown(&mut self, state: &State) -> String {
        topo::render::yaml::text(state, true)
    }
}

impl Machine for Model {
    fn model(&mut self) -> &mut Model {
        self
    }
}

/// What a law is held for: two topologies, the throws of what somebody does in between, and of where something fails.
#[derive(Clone, Debug)]
pub struct Case {
    pub a: State,
    pub m: Vec<u16>,
    pub b: State,
    pub at: u16,
}

/// The throws that make a case.
#[derive(Clone, Debug)]
pub struct Throws {
    pub a: Vec<u16>,
    pub m: Vec<u16>,
    pub b: Vec<u16>,
    pub at: u16,
}

impl Throws {
    /// The files of both topologies. Every other time it is the same file again, after what a hand did.
    pub fn files(&self) -> [String; 2] {
        let b = if self.at.is_multiple_of(2) { &self.a } else { &self.b };
        [&self.a, b].map(|throws| generator::topology("law", &mut Dice::new(throws)))
    }

    /// The case that they make.
    pub fn case(&self) -> Case {
        let [a, b] = self.files().map(|text| read(&text).unwrap_or_else(|wrong| panic!("{wrong}")));
        Case { a, m: self.m.clone(), b, at: self.at }
    }
}

/// The law's name, and what holds it.
pub type Law = (&'static str, fn(&mut dyn Machine, &Case) -> Lawful);

/// All of them.
pub const LAWS: [Law; 5] = [
    ("the same plan twice, and an empty one after", once),
    ("destroy gives the machine before", destroyed),
    ("whatever was there, the result is a fresh apply", fresh),
    ("a failure at any step is undone", undone),
    ("what is shown is a file whose plan is empty", shown),
];

/// The topology of a file, which has to be sound.
pub fn read(text: &str) -> Result<State, String> {
    let source = Source { name: "law.yaml".to_owned(), text: text.to_owned().into() };
    let document = document::parse(&source).map_err(|findings| format!("{findings:#?}\n{text}"))?;
    let (topology, mut findings) = document::lower(&document, &source);
    findings.extend(topo::check::run(&document, &topology));
    findings.retain(|finding| finding.severity == Severity::Error);
    if findings.is_empty() { Ok(topology.state) } else { Err(format!("{findings:#?}\n{text}")) }
}

/// The setting by which the machine hears a router.
pub const HEARS: &str = "net/ipv6/conf/own0/accept_ra";

/// The machine that [`generator::MACHINE`] makes, where a router has advertised routes.
pub fn machine() -> Model {
    let mut model = Model::bare("law".into());
    let theirs = || Owner::Theirs(Foreign::Unknown);
    for rule in Rule::of_the_kernel(&Node::host()) {
        model.state.insert(Resource::Rule(rule), Owner::Theirs(Foreign::Kernel));
    }
    let guest = Namespace {
        node: "G".into(),
        tenure: NodeTenure::Existing(NetnsRef::Name("guest".into())),
        marked: true,
        whole: false,
        alias: None,
    };
    for rule in Rule::of_the_kernel(&guest.node) {
        model.state.insert(Resource::Rule(rule), Owner::Theirs(Foreign::Kernel));
    }
    model.state.insert(Resource::Namespace(guest), theirs());
    for (node, name, address) in
        [("host", "own", "192.0.2.5/24"), ("host", "take", "198.51.100.5/24"), ("G", "own", "192.0.2.6/24")]
    {
        let (near, far) =
            (LinkId::new(node, format!("{name}0").as_str()), LinkId::new(node, format!("{name}1").as_str()));
        for (id, peer, last) in [(&near, &far, 0), (&far, &near, 1)] {
            let mut link = found(id.clone(), Kind::Veth, 1500);
            link.peer = Some(peer.clone());
            link.mac = Setting::Is(Mac([2, 0, 0, 1, node.as_bytes()[0], last + name.as_bytes()[0]]));
            model.state.insert(Resource::Link(Box::new(link)), theirs());
        }
        let mut address = Address::plain(near, address.parse().unwrap());
        address.marked = false;
        model.state.insert(Resource::Address(address), theirs());
    }
    for one in of_others() {
        model.state.insert(one, theirs());
    }
    for key in ["net/ipv4/conf/take0/arp_ignore", "net/ipv6/conf/take0/accept_ra"] {
        model.state.insert(Resource::Sysctl(Sysctl::new(Node::host(), key, "7")), Owner::Theirs(Foreign::Machine));
    }
    // A router is heard on `own0`.
    let heard = Sysctl::new(Node::host(), HEARS, "1");
    model.state.insert(Resource::Sysctl(heard), Owner::Theirs(Foreign::Machine));
    for node in ["host", "G"] {
        model.state.insert(Resource::Link(Box::new(found(LinkId::new(node, "lo"), Kind::Loopback, 65536))), theirs());
    }
    model
}

/// What somebody has on and over `take0` of which the language has no words.
fn of_others() -> Vec<Resource> {
    let take = LinkId::new("host", "take0");
    let over = |to: &str, via: &str| {
        let hop = NextHop::new(via.parse().ok(), Some(take.name.clone()));
        Route {
            nexthops: vec![hop],
            scope: Setting::Is(0),
            marked: false,
            ..Route::bare("host".into(), RouteKey::new(TableId::MAIN, to.parse().unwrap(), 0))
        }
    };
    let plain = over("10.66.0.0/16", "198.51.100.9");
    let (mut tos, mut appended, mut into_a_tunnel) =
        (plain.clone(), over("10.66.0.0/16", "198.51.100.10"), over("10.67.0.0/16", ""));
    (tos.key.tos, appended.key.nth, into_a_tunnel.congctl) = (0x10, 1, Some("reno".to_owned()));
    into_a_tunnel.nexthops[0].raw.0.extend([(21, vec![2, 0]), (22, vec![8, 0, 2, 0, 10, 4, 0, 2])]);
    let address = Address {
        flags: Address::NO_PREFIX_ROUTE,
        marked: false,
        ..Address::plain(take.clone(), "10.68.0.1/24".parse().unwrap())
    };
    let (mac, address_of) = (Some(Mac([2, 0, 0, 0, 0, 9])), "198.51.100.9".parse().unwrap());
    let neighbor =
        Neighbor { link: take, address: address_of, proxy: false, mac, permanent: true, marked: false, protocol: 0 };
    let routes = [plain, tos, appended, into_a_tunnel].map(Resource::Route);
    routes.into_iter().chain([Resource::Address(address), Resource::Neighbor(neighbor)]).collect()
}

fn found(id: LinkId, kind: Kind, mtu: u32) -> Link {
    let mut link = Link { tenure: Tenure::Existing, marked: false, ..Link::bare(id, kind) };
    link.up = Setting::Is(true);
    link.mtu = Setting::Is(mtu);
    link.master = Setting::Is(None);
    link.alternative_names = Setting::Is(BTreeSet::new());
    link.txqueuelen = Setting::Is(1000);
    link
}

pub fn options() -> Options {
    Options { rollback: true, interrupted: Default::default() }
}

/// What differs between a machine and what it was or should be. A mark that an undone apply put on something of ours
/// may stay.
pub fn same(now: &Model, before: &Model) -> Lawful {
    let ids: BTreeSet<&ResourceId> = now.state.items.keys().chain(before.state.items.keys()).collect();
    for id in ids {
        if let ResourceId::Sysctl(node, key) = id {
            // What `lo` has of a default depends on whether it was up when that was written, and means nothing there.
            let of_lo = key.starts_with("net/ipv4/conf/lo/");
            let (now, before) = (now.value(node, key), before.value(node, key));
            if now != before && !of_lo {
                return Err(format!("{id}: {now:?}, not {before:?}"));
            }
            continue;
        }
        let (now, before) = (now.state.items.get(id), before.state.items.get(id));
        let drift = now
            .zip(before)
            .map(|(now, before)| [now.resource.drift(&before.resource), before.resource.drift(&now.resource)].concat());
        let drift = drift.map(|drift| drift.into_iter().filter(|drift| drift.field != "mark").collect::<Vec<_>>());
        // What is left to the kernel on one side only, a hardware address say, is no difference.
        if now.map(|now| &now.owner) != before.map(|before| &before.owner)
            || drift.as_ref().is_some_and(|drift| !drift.is_empty())
        {
            return Err(format!(
                "{} {id}: {drift:?} {:?}, not {:?}",
                id.kind(),
                now.map(|now| &now.owner),
                before.map(|before| &before.owner)
            ));
        }
    }
    Ok(())
}

/// Changes, a line each.
fn brief(changes: &[plan::Change]) -> String {
    let fields = |change: &plan::Change| {
        change
            .drift
            .iter()
            .map(|drift| format!("{} {:?} -> {:?}", drift.field, drift.old, drift.new))
            .collect::<Vec<_>>()
            .join(", ")
    };
    changes
        .iter()
        .map(|change| format!("\n  {:?} {} {} {}", change.action, change.id.kind(), change.id, fields(change)))
        .collect()
}

/// The plan for `wanted`.
pub fn planned(machine: &mut dyn Machine, wanted: &State) -> Result<plan::Plan, String> {
    machine.plan(wanted).map_err(|conflicts| format!("no plan: {conflicts:?}"))
}

/// Applies, and holds that it is enough, that it is over, and that nothing foreign was touched.
/// Applies `wanted`.
pub fn apply_to(machine: &mut dyn Machine, wanted: &State) -> Lawful {
    let plan = planned(machine, wanted)?;
    let mut watched = Watched::new(machine, &plan);
    let report = apply::run(&mut watched, &plan, &options(), &mut |_| {});
    watched.verdict()?;
    if let Some(failure) = report.failure {
        return Err(format!("apply failed: {failure:?}, undone {:?}", report.undone));
    }
    if !report.is_success() {
        return Err(format!("left: {}", brief(&report.leftover)));
    }
    let again = planned(machine, wanted)?;
    if again.is_empty() { Ok(()) } else { Err(format!("the plan after an apply: {}", brief(&again.changes))) }
}

fn once(machine: &mut dyn Machine, case: &Case) -> Lawful {
    if planned(machine, &case.a)? != planned(machine, &case.a)? {
        return Err("two plans from one state differ".to_owned());
    }
    apply_to(machine, &case.a)
}

fn destroyed(machine: &mut dyn Machine, case: &Case) -> Lawful {
    let before = machine.model().clone();
    apply_to(machine, &case.a)?;
    mess(machine.model(), &mut Dice::new(&case.m));
    apply_to(machine, &State::empty("law".into()))?;
    if !machine.model().state.record.is_empty() {
        return Err(format!("a record stays: {:#?}", machine.model().state.record));
    }
    same(machine.model(), &before)
}

fn fresh(machine: &mut dyn Machine, case: &Case) -> Lawful {
    let mut fresh = self::machine();
    apply_to(machine, &case.a)?;
    mess(machine.model(), &mut Dice::new(&case.m));
    apply_to(machine, &case.b)?;
    apply_to(&mut fresh, &case.b)?;
    same(machine.model(), &fresh)
}

fn undone(machine: &mut dyn Machine, case: &Case) -> Lawful {
    apply_to(machine, &case.a)?;
    mess(machine.model(), &mut Dice::new(&case.m));
    let before = machine.model().clone();
    let plan = planned(machine, &case.b)?;
    if plan.is_empty() {
        return Ok(());
    }
    machine.model().fail_after = Some(usize::from(case.at) % plan.steps.len());
    let mut watched = Watched::new(machine, &plan);
    let report = apply::run(&mut watched, &plan, &options(), &mut |_| {});
    watched.verdict()?;
    if report.failure.is_none() || report.undone != Some(Ok(())) {
        return Err(format!("failed: {:?}, undone: {:?}", report.failure, report.undone));
    }
    // What was missing of what the kernel makes may be there again.
    let mut then = before.clone();
    [machine.model(), &mut then].into_iter().for_each(whole);
    same(machine.model(), &then)?;
    let (now, then) = (&machine.model().state.record, &before.state.record);
    if now == then { Ok(()) } else { Err(format!("the record is not as before: {now:?}\n{then:?}")) }
}

/// Nothing that the kernel makes is missing.
fn whole(model: &mut Model) {
    for item in model.state.items.values_mut() {
        match &mut item.resource {
            Resource::Link(link) => link.missing.clear(),
            Resource::Address(address) => address.missing.clear(),
            _ => {}
        }
    }
}

fn shown(machine: &mut dyn Machine, case: &Case) -> Lawful {
    apply_to(machine, &case.a)?;
    let state = machine.observe(&State::empty("law".into())).expect("the model can be read");
    let state = topo::kernel::with_settings(machine, state).expect("the model can be read");
    // Where nobody knows what the file said, and where that is known.
    let mut written = state.clone();
    topo::render::yaml::forget_unsaid(&mut written, &case.a);
    for state in [state, written] {
        let text = machine.shown(&state);
        let again = read(&text)?;
        let plan =
            machine.plan(&again).map_err(|conflicts| format!("no plan for what is shown: {conflicts:?}\n{text}"))?;
        if !plan.is_empty() {
            return Err(format!("the plan of what is shown: {}\n{text}", brief(&plan.changes)));
        }
    }
    Ok(())
}
