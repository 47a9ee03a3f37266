//! Laws on the model kernel, for topologies and messes by dice. `TOPO_LAWS=10000` sets the number of cases of each,
//! `TOPO_SEED` what they begin with. A case that fails is shrunk and kept as a folder in `tests/cases`, which all laws
//! have to hold for from then on.

use crate::cases;
use crate::law;

use law::{LAWS, Throws, machine};
use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};

fn number(name: &str) -> Option<u32> {
    std::env::var(name).ok().and_then(|value| value.parse().ok())
}

fn throws() -> impl Strategy<Value = Throws> {
    let list = |most| proptest::collection::vec(any::<u16>(), 0..most);
    (list(400), list(30), list(400), any::<u16>()).prop_map(|(a, m, b, at)| Throws { a, m, b, at })
}

/// Holds one law for as many cases as are asked for. What fails is shrunk, and shown as files.
fn holds(nth: usize) {
    let (name, law) = LAWS[nth];
    let cases = number("TOPO_LAWS").unwrap_or(300);
    let seed = number("TOPO_SEED").unwrap_or(11);
    let config = ProptestConfig {
        cases,
        failure_persistence: None,
        max_shrink_iters: number("TOPO_SHRINK").unwrap_or(2000),
        ..ProptestConfig::default()
    };
    let bytes: Vec<u8> = seed.to_le_bytes().into_iter().cycle().take(32).collect();
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
    let result = runner.run(&throws(), |throws| law(&mut machine(), &throws.case()).map_err(TestCaseError::fail));
    if let Err(proptest::test_runner::TestError::Fail(why, throws)) = result {
        let [a, b] = throws.files();
        let kept = cases::keep(&format!("law-{nth}-{seed}"), &throws);
        panic!(
            "{name}, TOPO_SEED={seed}: {why}\n--- a.yaml\n{a}--- b.yaml\n{b}kept in {kept}: rename it after what it shows"
        );
    }
    println!("{name}: {cases} cases from seed {seed}");
}

#[test]
fn the_same_plan_twice_and_an_empty_one_after() {
    holds(0);
}

#[test]
fn destroy_gives_the_machine_before() {
    holds(1);
}

#[test]
fn whatever_was_there_the_result_is_a_fresh_apply() {
    holds(2);
}

#[test]
fn a_failure_at_any_step_is_undone() {
    holds(3);
}

#[test]
fn what_is_shown_is_a_file_whose_plan_is_empty() {
    holds(4);
}

/// Every case that once failed.
#[test]
fn cases_that_failed_once() {
    let kept = cases::all();
    assert!(!kept.is_empty());
    for (folder, case) in &kept {
        for (name, law) in LAWS {
            law(&mut machine(), case).unwrap_or_else(|why| panic!("tests/cases/{folder}: {name}: {why}"));
        }
    }
    println!("{} cases of tests/cases", kept.len());
}
