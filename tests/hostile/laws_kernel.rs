//! The laws of `tests/pure/laws.rs` on the real kernel, by the real program: whatever was there, one apply gives what a
//! fresh apply gives, and destroy gives the machine before, and where it fails half-way what was there.
//! `TOPO_LAWS_KERNEL=500` sets the number of cases, `TOPO_SEED` the first seed. What fails is to be kept in
//! `tests/cases`.

use crate::cases;
use crate::generator;
use crate::hand;
use crate::sandbox;

use generator::{Dice, number, throws};
use hand::mess;
use sandbox::{Options, difference, sh, snapshot_with, topo, wait_for, without_history, write};
use std::time::Duration;

fn machine() -> String {
    without_history(&snapshot_with(&Options { without_record: true, ..Options::default() }))
}

fn same(before: &str, what: &str, files: &str) {
    let mut now = String::new();
    let same = wait_for(Duration::from_secs(4), || {
        now = machine();
        now == before
    });
    assert!(same, "{what} (- expected, + now):\n{}\n{files}", difference(before, &now));
}

fn apply(file: &str, files: &str) {
    let done = topo(&["apply", "--yes", file]);
    assert_eq!(done.code, 0, "{}\n{files}", done.stderr.rsplit("warnings\n").next().unwrap_or_default());
    let planned = topo(&["plan", "--detailed-exitcode", file]);
    assert_eq!(
        planned.code, 0,
        "the plan after an apply is not empty:\n{}\n{}\n{files}",
        planned.stdout, planned.stderr
    );
}

fn destroy() {
    let done = topo(&["destroy", "--yes", "law"]);
    assert_eq!(done.code, 0, "{}\n{}", done.stdout, done.stderr);
}

/// A destroy that cannot take away one of the namespaces, because its name is mounted twice, leaves all as it was.
fn destroy_that_fails(used: &str, files: &str) {
    let names = sh(
        "for name in $(ls /run/netns); do ip -n $name link show dev lo 2>/dev/null | grep -q 'alias topo:law$' && echo $name; done; :",
    );
    let names: Vec<&str> = names.lines().collect();
    // Any of them, and the same one each time.
    let Some(name) = names.get(files.len() % names.len().max(1)) else { return };
    sh(&format!("mount --bind /run/netns/{name} /run/netns/{name}"));
    let done = topo(&["destroy", "--yes", "law"]);
    assert_eq!(done.code, 1, "{name} could go\n{}\n{}\n{files}", done.stdout, done.stderr);
    same(used, &format!("a destroy that failed at {name} is not undone ({})", done.stderr), files);
}

fn case(seed: u64) {
    let a = generator::topology("law", &mut Dice::new(&throws(seed * 3, 400)));
    let b = generator::topology("law", &mut Dice::new(&throws(seed * 3 + 1, 400)));
    hold(&format!("seed {seed}"), [&a, &b], || _ = mess(&mut Dice::new(&throws(seed * 3 + 2, 40))));
}

/// Holds the laws for two topologies and what a hand does in between.
fn hold(name: &str, [a, b]: [&str; 2], hand: impl FnOnce()) {
    let files = format!("{name}\n--- a.yaml\n{a}--- b.yaml\n{b}");
    let (first, second) = (write("a.yaml", a), write("b.yaml", b));
    let before = machine();
    apply(&first, &files);
    hand();
    apply(&second, &files);
    // On a link that has just lost its carrier the kernel still looks for duplicates, and a peer has its route after
    // that.
    _ = wait_for(Duration::from_millis(2500), || {
        sh("ip -6 -o address show tentative; ip -n guest -6 -o address show tentative 2>/dev/null || :").is_empty()
    });
    let used = machine();
    destroy_that_fails(&used, &files);
    destroy();
    same(&before, "destroy leaves something", &files);
    apply(&second, &files);
    same(&used, "an apply over something else is not a fresh apply", &files);
    destroy();
    same(&before, "destroy leaves something", &files);
}

#[test]
fn laws_on_the_kernel() {
    let cases = number("TOPO_LAWS_KERNEL", 10);
    sandbox::run_within("laws_on_the_kernel", Duration::from_secs(120 + cases * 20), || {
        // The machine's own links of the test have no addresses of their own making.
        sh(&format!("sysctl -qw net.ipv6.conf.default.addr_gen_mode=1; {}", generator::MACHINE));
        let first = number("TOPO_SEED", 1);
        for seed in first..first + cases {
            case(seed);
            if seed % 10 == 0 {
                println!("{} of {cases} cases", seed - first + 1);
            }
        }
        println!("{cases} cases from seed {first}: the laws hold");
    });
}

/// Every case that once failed, here or on the model, with what a hand did where that is known.
#[test]
fn cases_that_failed_once() {
    sandbox::run("cases_that_failed_once", || {
        sh(&format!("sysctl -qw net.ipv6.conf.default.addr_gen_mode=1; {}", generator::MACHINE));
        let folders = cases::folders();
        assert!(!folders.is_empty());
        for folder in folders {
            let [a, b] = ["a.yaml", "b.yaml"].map(|file| std::fs::read_to_string(folder.join(file)).unwrap());
            let hand = folder.join("hand.sh");
            hold(&folder.display().to_string(), [&a, &b], || {
                if hand.exists() {
                    _ = sh(&std::fs::read_to_string(&hand).unwrap())
                }
            });
        }
    });
}
