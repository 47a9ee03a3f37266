//! Faults planted on purpose: each has to be found by its law, within as many cases as `make test` runs. A law that
//! finds nothing here is no law.

use crate::law;

use law::{LAWS, Machine, Throws, machine};
use proptest::prelude::*;
use proptest::test_runner::{TestError, TestRunner};
use topo::kernel::{Error, Kernel};
use topo::model::Model;
use topo::plan;
use topo::resource::*;

/// As many cases as `tests/pure/laws.rs` runs unless told otherwise.
const CASES: u32 = 300;

/// What goes wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fault {
    ARouteGoesWithEachChangeOfItsLink,
    AnAddressStaysWhenItIsDeleted,
    SomethingForeignIsDeleted,
    SomethingForeignIsPlanned,
    ThePlanIsNotTheSameTwice,
    UndoForgetsAStep,
    ASettingsValueFromBeforeIsLost,
    ATableStays,
    AnAttributeReadsBackDifferently,
    AMarkIsForgotten,
    TheRecordIsLost,
    TheRecordStays,
    APolicyRuleStays,
    AFileStays,
    ABorrowedLinkStaysAway,
    AnEntryIsNotMade,
    ANeighbourIsNotMade,
    AnInsertStays,
    AnOptionIsNotShown,
    ANameIsNotShown,
    BornWithoutAMark,
    ARouteOfOthersComesBackWithoutItsParts,
    ARouteOfOthersComesBackForAllTraffic,
    ARuleIsTakenForItsOpposite,
    WhatTheKernelMadeIsNotMissed,
    OfTwoRulesAlikeOneIsLost,
    ANewRuleIsMadeBeforeTheOldOneGoes,
    ANameIsTakenBeforeItIsFree,
    WhatALentLinkWasIsForgotten,
    RoutersAreNotHeardAnyMore,
}

use Fault::*;

/// Each fault and the law, by its place in [`LAWS`], that has to find it.
const FAULTS: [(Fault, usize); 30] = [
    (ThePlanIsNotTheSameTwice, 0),
    (AnAttributeReadsBackDifferently, 0),
    (AMarkIsForgotten, 0),
    (AnEntryIsNotMade, 0),
    (ANeighbourIsNotMade, 0),
    (BornWithoutAMark, 0),
    (OfTwoRulesAlikeOneIsLost, 0),
    (RoutersAreNotHeardAnyMore, 0),
    (WhatALentLinkWasIsForgotten, 1),
    (ANewRuleIsMadeBeforeTheOldOneGoes, 2),
    (ANameIsTakenBeforeItIsFree, 2),
    (AnAddressStaysWhenItIsDeleted, 1),
    (SomethingForeignIsDeleted, 1),
    (SomethingForeignIsPlanned, 1),
    (ASettingsValueFromBeforeIsLost, 1),
    (TheRecordStays, 1),
    (ABorrowedLinkStaysAway, 1),
    (AnInsertStays, 1),
    (ARouteOfOthersComesBackWithoutItsParts, 1),
    (ARouteOfOthersComesBackForAllTraffic, 1),
    (ARuleIsTakenForItsOpposite, 2),
    (WhatTheKernelMadeIsNotMissed, 2),
    (ARouteGoesWithEachChangeOfItsLink, 2),
    (ATableStays, 2),
    (AFileStays, 2),
    (APolicyRuleStays, 2),
    (TheRecordIsLost, 2),
    (UndoForgetsAStep, 3),
    (AnOptionIsNotShown, 4),
    (ANameIsNotShown, 4),
];

/// The model with a fault.
struct Faulty {
    model: Model,
    fault: Fault,
    /// How often a plan was made.
    plans: usize,
    /// Whether a step has failed on purpose, and whether the fault has struck since.
    failed: bool,
    struck: bool,
}

impl Faulty {
    fn new(fault: Fault) -> Self {
        Self { model: machine(), fault, plans: 0, failed: false, struck: false }
    }

    /// Whether an operation is answered with success and not carried out.
    fn swallowed(&mut self, operation: &Operation) -> bool {
        let gone = |of: fn(&Resource) -> bool| matches!(operation, Operation::Delete(resource) if of(resource));
        let made = |of: fn(&Resource) -> bool| matches!(operation, Operation::Create(resource) if of(resource));
        match self.fault {
            AnAddressStaysWhenItIsDeleted => gone(|resource| matches!(resource, Resource::Address(_))),
            ATableStays => gone(|resource| matches!(resource, Resource::Table(_))),
            APolicyRuleStays => gone(|resource| matches!(resource, Resource::Rule(_))),
            AFileStays => gone(|resource| matches!(resource, Resource::File(_))),
            AnInsertStays => gone(|resource| matches!(resource, Resource::Insert(_))),
            AnEntryIsNotMade => made(|resource| matches!(resource, Resource::Fdb(_))),
            ANeighbourIsNotMade => made(|resource| matches!(resource, Resource::Neighbor(_))),
            ABorrowedLinkStaysAway => matches!(operation, Operation::Move { to, .. } if to.node.is_host()),
            UndoForgetsAStep if self.failed && !self.struck => {
                self.struck = true;
                true
            }
            _ => false,
        }
    }

    /// What is seen of something where a part of it is not looked at.
    fn half_seen(&self, mut item: Item) -> Item {
        match &mut item.resource {
            Resource::Rule(rule) if self.fault == ARuleIsTakenForItsOpposite => {
                (rule.key.invert, rule.key.raw) = (false, Raw::default())
            }
            Resource::Link(link) if self.fault == WhatTheKernelMadeIsNotMissed => link.missing.clear(),
            Resource::Address(address) if self.fault == WhatTheKernelMadeIsNotMissed => address.missing.clear(),
            _ => {}
        }
        item
    }

    /// What goes wrong after an operation.
    fn spoil(&mut self, operation: &Operation) {
        let state = &mut self.model.state;
        match (self.fault, operation) {
            (SomethingForeignIsDeleted, Operation::Delete(Resource::Link(_))) => {
                state.items.remove(&ResourceId::Link(LinkId::new("host", "own1")));
            }
            (AnAttributeReadsBackDifferently, Operation::Create(Resource::Link(link))) => {
                if let Some(Resource::Link(there)) = state.items.get_mut(&link.id()).map(|item| &mut item.resource)
                    && there.options.contains_key("ageing-time")
                {
                    there.options.insert("ageing-time".into(), Value::Number(30_001));
                }
            }
            (ARouteGoesWithEachChangeOfItsLink, Operation::Update { after: Resource::Link(link), .. }) => {
                let over = |route: &Route| {
                    route.node == link.id.node
                        && route.nexthops.iter().any(|hop| hop.dev.as_ref() == Some(&link.id.name))
                };
                state.items.retain(|_, item| !matches!(&item.resource, Resource::Route(route) if over(route)));
            }
            (ARouteOfOthersComesBackWithoutItsParts, Operation::Create(Resource::Route(route))) if !route.marked => {
                if let Some(Resource::Route(there)) = state.items.get_mut(&route.id()).map(|item| &mut item.resource) {
                    there.nexthops.iter_mut().for_each(|hop| hop.raw = Raw::default());
                }
            }
            (ARouteOfOthersComesBackForAllTraffic, Operation::Create(Resource::Route(route))) if !route.marked => {
                if let Some(Item { resource: Resource::Route(mut there), owner }) = state.items.remove(&route.id()) {
                    there.key.tos = 0;
                    state.insert(Resource::Route(there), owner);
                }
            }
            (
                OfTwoRulesAlikeOneIsLost,
                Operation::Create(Resource::Table(table)) | Operation::Update { after: Resource::Table(table), .. },
            ) => {
                if let Some(Resource::Table(there)) = state.items.get_mut(&table.id()).map(|item| &mut item.resource) {
                    there.chains.iter_mut().for_each(|chain| chain.rules.dedup());
                }
            }
            (AMarkIsForgotten, Operation::Create(Resource::Address(address))) => {
                if let Some(Resource::Address(there)) =
                    state.items.get_mut(&address.id()).map(|item| &mut item.resource)
                {
                    there.marked = false;
                }
            }
            _ => {}
        }
    }
}

impl Kernel for Faulty {
    fn resolve(&mut self, wanted: &mut State) -> Result<(), Error> {
        self.model.resolve(wanted)
    }

    fn observe(&mut self, wanted: &State) -> Result<State, Error> {
        let mut seen = self.model.observe(wanted)?;
        if matches!(self.fault, ARuleIsTakenForItsOpposite | WhatTheKernelMadeIsNotMissed) {
            seen.items = std::mem::take(&mut seen.items)
                .into_values()
                .map(|item| self.half_seen(item))
                .map(|item| (item.resource.id(), item))
                .collect();
        }
        Ok(seen)
    }

    fn remember(&mut self, topology: &Name, record: &Record) -> Result<(), Error> {
        let mut record = record.clone();
        match self.fault {
            TheRecordIsLost => record = Record::default(),
            TheRecordStays if record.is_empty() => return Ok(()),
            WhatALentLinkWasIsForgotten => record.prior.retain(|prior| !matches!(prior, Resource::Link(_))),
            ASettingsValueFromBeforeIsLost => record.prior.retain(|prior| !matches!(prior, Resource::Sysctl(_))),
            _ => {}
        }
        self.model.remember(topology, &record)
    }

    fn perform(&mut self, topology: &Name, batch: &[Operation]) -> Vec<Result<(), Error>> {
        let mut results = Vec::new();
        for operation in batch {
            if self.swallowed(operation) {
                results.push(Ok(()));
                continue;
            }
            let result = self.model.perform(topology, std::slice::from_ref(operation)).remove(0);
            self.failed |= result.is_err();
            if result.is_ok() {
                self.spoil(operation);
            }
            results.push(result);
        }
        results
    }

    fn settings(&mut self, which: &[(Node, String)]) -> Result<Vec<Option<String>>, Error> {
        self.model.settings(which)
    }

    fn offloads(&mut self, which: &[LinkId]) -> Result<Vec<topo::resource::Options>, Error> {
        self.model.offloads(which)
    }

    fn settle(&mut self, wanted: &State) -> Result<(), Error> {
        self.model.settle(wanted)
    }

    fn table_generations(&mut self) -> Vec<(Node, u32)> {
        self.model.table_generations()
    }
}

impl Machine for Faulty {
    fn model(&mut self) -> &mut Model {
        &mut self.model
    }

    fn plan(&mut self, wanted: &State) -> Result<plan::Plan, Vec<plan::Conflict>> {
        self.plans += 1;
        let observed = self.observe(wanted).unwrap();
        let mut plan = plan::make(wanted, &observed)?;
        match self.fault {
            ThePlanIsNotTheSameTwice if self.plans.is_multiple_of(2) => plan.changes.reverse(),
            SomethingForeignIsPlanned if !plan.is_empty() => {
                let foreign = observed.link(&LinkId::new("host", "own1")).unwrap().clone();
                let level = plan.steps.last().map_or(0, |step| step.level);
                plan.steps.push(plan::Step {
                    operation: Operation::Update {
                        before: foreign.clone().into_resource(),
                        after: foreign.into_resource(),
                    },
                    level,
                    change: None,
                });
            }
            ANewRuleIsMadeBeforeTheOldOneGoes => {
                later(&mut plan, |operation| matches!(operation, Operation::Delete(Resource::Rule(_))));
            }
            ANameIsTakenBeforeItIsFree => later(&mut plan, gives_a_name),
            RoutersAreNotHeardAnyMore => {
                let hears = |id: &ResourceId| matches!(id, ResourceId::Sysctl(_, key) if key == law::HEARS);
                plan.steps.retain(|step| !hears(&step.operation.id()));
                plan.changes.retain(|change| !hears(&change.id));
                plan.steps.iter_mut().for_each(|step| step.change = None);
            }
            BornWithoutAMark => {
                for step in &mut plan.steps {
                    if let Operation::Create(Resource::Route(route)) = &mut step.operation {
                        route.marked = false;
                    }
                }
            }
            _ => {}
        }
        Ok(plan)
    }

    fn shown(&mut self, state: &State) -> String {
        let text = topo::render::yaml::text(state, true);
        let without = |word: &str| {
            text.lines().filter(|line| !line.trim_start().starts_with(word)).map(|line| format!("{line}\n")).collect()
        };
        match self.fault {
            AnOptionIsNotShown => text.replace("priority: 4096", "priority: 4097"),
            ANameIsNotShown => without("hosts:"),
            _ => text,
        }
    }
}

/// Puts the steps of which `which` holds behind all others.
fn later(plan: &mut plan::Plan, which: impl Fn(&Operation) -> bool) {
    let (late, mut steps): (Vec<_>, Vec<_>) =
        std::mem::take(&mut plan.steps).into_iter().partition(|step| which(&step.operation));
    let level = steps.last().map_or(0, |step| step.level) + 1;
    steps.extend(late.into_iter().map(|step| plan::Step { level, ..step }));
    plan.steps = steps;
}

/// Whether a link has an alternative name no more.
fn gives_a_name(operation: &Operation) -> bool {
    let Operation::Update { before: Resource::Link(before), after: Resource::Link(after) } = operation else {
        return false;
    };
    let names = |link: &Link| link.alternative_names.get().cloned().unwrap_or_default();
    !names(before).is_subset(&names(after))
}

trait IntoResource {
    fn into_resource(self) -> Resource;
}

impl IntoResource for Link {
    fn into_resource(self) -> Resource {
        Resource::Link(Box::new(self))
    }
}

fn throws() -> impl Strategy<Value = Throws> {
    let list = |most| proptest::collection::vec(any::<u16>(), 0..most);
    (list(400), list(30), list(400), any::<u16>()).prop_map(|(a, m, b, at)| Throws { a, m, b, at })
}

#[test]
fn each_fault_is_found_by_its_law() {
    let mut missed = Vec::new();
    for (fault, nth) in FAULTS {
        let (name, law) = LAWS[nth];
        // Always the same cases: a fault that is found by luck is found every time.
        let config = ProptestConfig {
            cases: CASES,
            failure_persistence: None,
            max_shrink_iters: 0,
            ..ProptestConfig::default()
        };
        let mut runner = TestRunner::new_with_rng(
            config,
            proptest::test_runner::TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha),
        );
        let tried = std::cell::Cell::new(0);
        let result = runner.run(&throws(), |throws| {
            tried.set(tried.get() + 1);
            law(&mut Faulty::new(fault), &throws.case()).map_err(TestCaseError::fail)
        });
        match result {
            Err(TestError::Fail(why, _)) => {
                println!(
                    "{fault:?}: found in case {} by \"{name}\": {}",
                    tried.get(),
                    why.to_string().lines().take(2).collect::<String>()
                )
            }
            other => missed.push(format!("{fault:?} by \"{name}\": {other:?}")),
        }
    }
    assert!(missed.is_empty(), "not found within {CASES} cases:\n{}", missed.join("\n"));
}
