//! What `topo diff` says of two files: nothing where they want the same, something where they do not, the opposite the
//! other way round, and all that a plan from one to the other would change.

use crate::generator::{self, Dice};
use crate::law::{Machine, machine, options, read};

use std::collections::{BTreeMap, BTreeSet};
use topo::apply;
use topo::plan::{Action, Plan, between, reversed};
use topo::resource::{Owner, ResourceId, State};

/// Pairs of topologies: one, and the same with one throw of the dice changed, or quite another.
fn pairs(count: u16) -> impl Iterator<Item = (State, State)> {
    let mut seed = 7_u32;
    let mut throw = move || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 16) as u16
    };
    let topology = |throws: &[u16]| read(&generator::topology("law", &mut Dice::new(throws))).unwrap();
    (0..count).map(move |nth| {
        let throws: Vec<u16> = (0..200).map(|_| throw()).collect();
        let mut others = throws.clone();
        if nth % 4 == 0 {
            others.iter_mut().for_each(|other| *other = throw());
        } else {
            others[usize::from(throw() % 60)] = throw();
        }
        (topology(&throws), topology(&others))
    })
}

fn actions(plan: &Plan) -> BTreeMap<&ResourceId, Action> {
    let kind = |action| if action == Action::Replace { Action::Update } else { action };
    plan.changes.iter().map(|change| (&change.id, kind(change.action))).collect()
}

#[test]
fn the_same_is_no_difference_and_another_is_one() {
    let (mut same, mut other) = (0, 0);
    for (a, b) in pairs(400) {
        assert!(between(&a, &a).changes.is_empty(), "{:#?}", between(&a, &a).changes);
        let changes = between(&a, &b).changes;
        assert_eq!(changes.is_empty(), a.items == b.items, "{changes:#?}");
        *(if changes.is_empty() { &mut same } else { &mut other }) += 1;
    }
    assert!(same > 10 && other > 100, "{same} the same, {other} not");
}

#[test]
fn the_other_way_round_is_the_opposite() {
    for (a, b) in pairs(200) {
        let (there, back) = (between(&a, &b), reversed(between(&b, &a)));
        // What a change of a field takes may depend on the direction.
        assert_eq!(actions(&there), actions(&back));
        for (one, other) in there.changes.iter().zip(&back.changes) {
            assert_eq!((&one.before, &one.after), (&other.before, &other.after));
        }
    }
}

#[test]
fn what_a_plan_changes_is_a_difference() {
    let mut seen = 0;
    for (a, b) in pairs(200) {
        let mut model = machine();
        let Ok(plan) = model.plan(&a) else { continue };
        if !apply::run(&mut model, &plan, &options(), &mut |_| {}).is_success() {
            continue;
        }
        let Ok(plan) = model.plan(&b) else { continue };
        let differences = between(&a, &b);
        let told: BTreeSet<&ResourceId> = differences.changes.iter().map(|change| &change.id).collect();
        // What comes back is no matter of the files.
        let named = |id: &ResourceId| {
            [&differences.base, &differences.wanted]
                .into_iter()
                .filter_map(|state| state.items.get(id))
                .any(|item| item.owner == Owner::Ours)
        };
        for change in plan.changes.iter().filter(|change| named(&change.id)) {
            assert!(told.contains(&change.id), "{change:#?}\n{told:#?}");
            seen += 1;
        }
    }
    assert!(seen > 100, "only {seen} changes");
}
