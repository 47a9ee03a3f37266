//! The model beside the real kernel: each operation of random plans is carried out by both, and after each one they
//! have to show the same. Where they differ the model is wrong, and with it the rehearsal of every plan; what it then
//! learns is a row in `tests/kernel/facts.rs`.
//!
//! `TOPO_CONFORMANCE=500` sets the number of cases, `TOPO_SEED` the first seed.

use crate::generator;
use crate::hand;
use crate::law;
use crate::sandbox;
use crate::shadow;

use generator::{Dice, number, throws};
use sandbox::sh;
use shadow::Shadowed;
use std::time::Duration;
use topo::apply::{self, Options};
use topo::kernel::Kernel;
use topo::plan;
use topo::resource::State;

/// Carries out on both what leads to `wanted`; a run that fails is a difference, too.
fn run(both: &mut Shadowed, mut wanted: State) {
    both.resolve(&mut wanted).unwrap();
    let observed = both.begin(&wanted);
    let plan = match plan::make(&wanted, &observed) {
        Ok(plan) => plan,
        Err(conflicts) => return both.differences.push(format!("there is no plan: {conflicts:?}")),
    };
    let report = apply::run(both, &plan, &Options { rollback: false, interrupted: Default::default() }, &mut |_| {});
    if !report.is_success() {
        both.differences.push(format!("the apply fails: {:?} {:?}", report.failure, report.leftover));
    }
}

/// From nothing to a topology, by hand, to another one, and to nothing.
fn case(both: &mut Shadowed, seed: u64) -> bool {
    let topology = |at| generator::topology("law", &mut Dice::new(&throws(seed * 3 + at, 400)));
    let (a, b) = (topology(0), topology(1));
    run(both, law::read(&a).unwrap());
    let throws = throws(seed * 3 + 2, 160);
    both.walk(&mut Dice::new(&throws[40..]));
    let edits = hand::mess(&mut Dice::new(&throws[..40]));
    run(both, law::read(&b).unwrap());
    run(both, State::empty("law".into()));
    let differences = std::mem::take(&mut both.differences);
    if !differences.is_empty() {
        let edits = edits.join("\n");
        println!(
            "seed {seed}: they differ after\n{}\n--- a.yaml\n{a}--- by hand\n{edits}\n--- b.yaml\n{b}",
            differences.join("\n")
        );
    }
    differences.is_empty()
}

#[test]
fn the_model_does_what_the_kernel_does() {
    let cases = number("TOPO_CONFORMANCE", 8);
    sandbox::run_within("the_model_does_what_the_kernel_does", Duration::from_secs(120 + cases * 30), || {
        // The machine's own links of the test have no addresses of their own making.
        sh(&format!("sysctl -qw net.ipv6.conf.default.addr_gen_mode=1; {}", generator::MACHINE));
        let first = number("TOPO_SEED", 1);
        let mut both = Shadowed::new();
        let mut failed = Vec::new();
        for seed in first..first + cases {
            if !case(&mut both, seed) {
                failed.push(seed);
            }
            if seed % 10 == 0 {
                println!("{} of {cases} cases", seed - first + 1);
            }
        }
        println!(
            "{cases} cases from seed {first}: {} operations compared, {} refused by both",
            both.operations, both.refused
        );
        both.open.iter().for_each(|(why, count)| println!("{count} times left open: {why}"));
        assert!(failed.is_empty(), "the model and the kernel differ, see above; seeds {failed:?}");
    });
}
