//! Laws on the model kernel, for topologies and messes by dice. `TOPO_LAWS=10000` sets the number of cases of each.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod generator;

use generator::Dice;
use proptest::prelude::*;
use topo::apply::{self, Options};
use topo::document::{self, Severity, Source};
use topo::kernel::{Kernel, Model};
use topo::plan;
use topo::resource::*;

fn config() -> ProptestConfig {
    let cases = std::env::var("TOPO_LAWS").ok().and_then(|cases| cases.parse().ok()).unwrap_or(300);
    ProptestConfig { cases, failure_persistence: None, max_shrink_iters: 4000, ..ProptestConfig::default() }
}

fn throws() -> impl Strategy<Value = Vec<u16>> {
    proptest::collection::vec(any::<u16>(), 0..160)
}

fn wanted(throws: &[u16]) -> State {
    let text = generator::topology("law", &mut Dice::new(throws));
    let source = Source { name: "law.yaml".to_owned(), text: text.clone().into() };
    let document = document::parse(&source).unwrap_or_else(|findings| panic!("{findings:#?}\n{text}"));
    let (topology, mut findings) = document::lower(&document, &source);
    findings.extend(topo::check::run(&document, &topology));
    findings.retain(|finding| finding.severity == Severity::Error);
    assert!(findings.is_empty(), "{findings:#?}\n{text}");
    assert!(topology.unsupported.is_empty(), "{text}");
    topology.state
}

fn options() -> Options {
    Options { rollback: true, interrupted: Default::default() }
}

/// A machine with a little of somebody else's.
fn machine() -> Model {
    let mut model = Model::bare("law".into());
    let mut link = Link { tenure: Tenure::Existing, marked: false, ..Link::bare(LinkId::new("host", "eth0"), Kind::Physical) };
    link.up = Setting::Is(true);
    link.mtu = Setting::Is(1500);
    link.master = Setting::Is(None);
    model.state.insert(Resource::Link(Box::new(link)), Owner::Theirs("somebody else".into()));
    let mut address = Address::plain(LinkId::new("host", "eth0"), "203.0.113.7/24".parse().unwrap());
    address.marked = false;
    model.state.insert(Resource::Address(address), Owner::Theirs("somebody else".into()));
    model
}

/// What is there, without the record and without settings that are as nobody ever wrote them.
fn plain(model: &Model) -> State {
    let mut state = State { record: Record::default(), ..model.state.clone() };
    state.items.retain(|_, item| !matches!(&item.resource, Resource::Sysctl(sysctl) if sysctl.value == "0"));
    state
}

/// Fails, naming what differs.
#[track_caller]
fn assert_same(now: &Model, before: &State) {
    let now = plain(now);
    let ids: std::collections::BTreeSet<&ResourceId> = now.items.keys().chain(before.items.keys()).collect();
    for id in ids {
        let (now, before) = (now.items.get(id), before.items.get(id));
        let drift = now.zip(before).map(|(now, before)| [now.resource.drift(&before.resource), before.resource.drift(&now.resource)].concat());
        // A mark that an undone apply put on something of ours stays.
        let drift = drift.map(|drift| drift.into_iter().filter(|drift| drift.field != "mark").collect::<Vec<_>>());
        // What is left to the kernel on one side only, a hardware address say, is no difference.
        let same = now.map(|now| &now.owner) == before.map(|before| &before.owner) && drift.as_ref().is_none_or(Vec::is_empty);
        assert!(same, "{id:?}: {drift:#?} {:?} {:?}", now.map(|now| &now.owner), before.map(|before| &before.owner));
    }
}

fn planned(model: &mut Model, wanted: &State) -> plan::Plan {
    let observed = model.observe(wanted).unwrap();
    plan::make(wanted, &observed).unwrap_or_else(|conflicts| panic!("{conflicts:#?}"))
}

fn apply_to(model: &mut Model, wanted: &State) {
    let plan = planned(model, wanted);
    guarded(&plan);
    let report = apply::run(model, &plan, &options(), &mut |_| {});
    assert_eq!(report.failure, None);
    let left: Vec<String> = report.leftover.iter().map(|change| format!("{:?} {} {:?}", change.action, change.id, change.drift)).collect();
    assert!(report.is_success(), "left: {left:#?}");
    let again = planned(model, wanted);
    assert!(again.is_empty(), "{:#?}", again.changes);
}

/// No operation touches what is somebody else's and not named.
fn guarded(plan: &plan::Plan) {
    for step in &plan.steps {
        let id = step.operation.id();
        let theirs = matches!(plan.base.items.get(&id), Some(Item { owner: Owner::Theirs(_), .. }));
        let named = plan.wanted.items.contains_key(&id) || plan.base.record.prior(&id).is_some();
        let lost = plan.changes.iter().any(|change| change.loses.contains(&id));
        assert!(!theirs || named || lost, "{:#?}", step.operation);
    }
}

/// Edits by hand: things deleted, changed and added where the topology's things are.
fn mess(model: &mut Model, dice: &mut Dice<'_>) {
    for _ in 0..1 + dice.below(6) {
        let ids: Vec<ResourceId> = model.state.items.iter().filter(|(_, item)| item.owner == Owner::Ours).map(|(id, _)| id.clone()).collect();
        if ids.is_empty() {
            return;
        }
        let id = ids[dice.below(ids.len())].clone();
        let Some(there) = model.state.get(&id).cloned() else { continue };
        match (dice.below(4), there) {
            (_, Resource::Sysctl(sysctl)) => {
                // Settings that were given back are nobody's; to change them then is to change the machine.
                if model.state.record.prior(&sysctl.id()).is_some() || sysctl.key.ends_with("forward") {
                    model.state.insert(Resource::Sysctl(Sysctl { value: "7".into(), ..sysctl }), Owner::Ours);
                }
            }
            (0, Resource::Link(link)) if link.name() != "lo" => {
                let down = Link { up: Setting::Is(false), ..(*link).clone() };
                _ = effect(&mut model.state, &Operation::Update { before: Resource::Link(link), after: Resource::Link(Box::new(down)) });
            }
            (1, Resource::Link(link)) if link.name() != "lo" => {
                let small = Link { mtu: Setting::Is(1279), master: Setting::Is(None), ..(*link).clone() };
                _ = effect(&mut model.state, &Operation::Update { before: Resource::Link(link), after: Resource::Link(Box::new(small)) });
            }
            (2, Resource::Link(link)) if !link.id.node.is_host() => {
                let mut extra = Link::bare(LinkId::new(link.id.node.clone(), "extra0"), Kind::Bridge);
                extra.up = Setting::Is(true);
                _ = effect(&mut model.state, &Operation::Create(Resource::Link(Box::new(extra))));
            }
            (_, Resource::Link(link)) if link.name() == "lo" => {}
            (0, Resource::Address(mut address)) if !address.link.node.is_host() => {
                address.marked = false;
                model.state.insert(Resource::Address(address), Owner::Ours);
            }
            (1, Resource::Address(address)) if !address.link.node.is_host() => {
                let extra = Address::plain(address.link.clone(), "10.250.0.1/16".parse().unwrap());
                _ = effect(&mut model.state, &Operation::Create(Resource::Address(extra)));
            }
            (0, Resource::Table(mut table)) => {
                table.chains.pop();
                model.state.insert(Resource::Table(table), Owner::Ours);
            }
            (_, there) => _ = effect(&mut model.state, &Operation::Delete(there)),
        }
    }
}

trait Named {
    fn name(&self) -> &str;
}

impl Named for Box<Link> {
    fn name(&self) -> &str {
        self.id.name.as_str()
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn the_same_plan_twice_and_an_empty_one_after(a in throws()) {
        let mut model = machine();
        let wanted = wanted(&a);
        prop_assert_eq!(planned(&mut model, &wanted), planned(&mut model, &wanted));
        apply_to(&mut model, &wanted);
    }

    #[test]
    fn destroy_gives_the_machine_before(a in throws(), m in throws()) {
        let mut model = machine();
        let before = plain(&model);
        apply_to(&mut model, &wanted(&a));
        mess(&mut model, &mut Dice::new(&m));
        apply_to(&mut model, &State::empty("law".into()));
        assert_same(&model, &before);
    }

    #[test]
    fn whatever_was_there_the_result_is_a_fresh_apply(a in throws(), m in throws(), b in throws()) {
        let (mut fresh, mut used) = (machine(), machine());
        let (a, b) = (wanted(&a), wanted(&b));
        apply_to(&mut used, &a);
        mess(&mut used, &mut Dice::new(&m));
        apply_to(&mut used, &b);
        apply_to(&mut fresh, &b);
        assert_same(&used, &plain(&fresh));
    }

    #[test]
    fn a_failure_at_any_step_is_undone(a in throws(), m in throws(), b in throws(), at in any::<prop::sample::Index>()) {
        let mut model = machine();
        apply_to(&mut model, &wanted(&a));
        mess(&mut model, &mut Dice::new(&m));
        let before = plain(&model);
        let b = wanted(&b);
        let plan = planned(&mut model, &b);
        prop_assume!(!plan.steps.is_empty());
        model.fail_after = Some(at.index(plan.steps.len()));
        let report = apply::run(&mut model, &plan, &options(), &mut |_| {});
        prop_assert!(report.failure.is_some());
        prop_assert_eq!(&report.undone, &Some(Ok(())));
        assert_same(&model, &before);
    }
}
