//! The laws of `tests/laws.rs` on the real kernel, by the real program: whatever was there, one apply gives what a fresh apply gives, and destroy gives the
//! machine before. `TOPO_LAWS_KERNEL=500` sets the number of cases, `TOPO_SEED` the first seed.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod generator;
mod hand;
mod sandbox;

use generator::{Dice, number, throws};
use hand::mess;
use sandbox::{Options, difference, sh, snapshot_with, topo, wait_for, write};
use std::time::Duration;

/// The machine, without link-local addresses: they come and get ready in their own time.
fn machine() -> String {
    let text = snapshot_with(&Options { without_record: true, ..Options::default() });
    // What `lo` has of a default depends on who wrote it first (`devinet_copy_dflt_conf` copies once), and means nothing there.
    let late = ["net/ipv4/conf/lo/", "stable_secret", "LINK-LOCAL", "\"fe80::", "\"ff00::/8\"", "\"33:33:"];
    text.lines()
        .filter(|line| !late.iter().any(|word| line.contains(word)) && !is_a_bridges_own(line))
        .map(|line| {
            // What a link that is down shows of having been up before, and of how its peer is down.
            let mut line = line.replace("\"qdisc\":\"noop\"", "\"qdisc\":\"noqueue\"");
            for state in ["LOWERLAYERDOWN", "UNKNOWN", "DOWN", "UP"] {
                line = line.replace(&format!("\"operstate\":\"{state}\","), "");
            }
            line = line.replace("\"NO-CARRIER\",", "");
            format!("{line}\n")
        })
        .collect()
}

/// Whether a forwarding entry is a bridge's own of itself, which comes and goes with its first port.
fn is_a_bridges_own(line: &str) -> bool {
    let word = |key: &str| line.split_once(&format!("\"{key}\":\"")).and_then(|(_, rest)| rest.split('"').next());
    word("master").is_some() && word("master") == word("ifname") && line.contains("\"state\":\"permanent\"")
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
    assert_eq!(planned.code, 0, "the plan after an apply is not empty:\n{}\n{}\n{files}", planned.stdout, planned.stderr);
}

fn destroy() {
    let done = topo(&["destroy", "--yes", "law"]);
    assert_eq!(done.code, 0, "{}\n{}", done.stdout, done.stderr);
}

fn case(seed: u64) {
    let a = generator::topology("law", &mut Dice::new(&throws(seed * 3, 400)));
    let b = generator::topology("law", &mut Dice::new(&throws(seed * 3 + 1, 400)));
    let files = format!("seed {seed}\n--- a.yaml\n{a}--- b.yaml\n{b}");
    let (first, second) = (write("a.yaml", &a), write("b.yaml", &b));
    let before = machine();
    apply(&first, &files);
    mess(&mut Dice::new(&throws(seed * 3 + 2, 40)));
    apply(&second, &files);
    let used = machine();
    destroy();
    same(&before, "destroy leaves something", &files);
    apply(&second, &files);
    same(&used, "an apply over something else is not a fresh apply", &files);
    destroy();
    same(&before, "destroy leaves something", &files);
}

#[test]
fn laws_on_the_kernel() {
    let cases = number("TOPO_LAWS_KERNEL", 15);
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
