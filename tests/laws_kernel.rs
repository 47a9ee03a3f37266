//! The laws of `tests/laws.rs` on the real kernel, by the real program: whatever was there, one apply gives what a fresh apply gives, and destroy gives the
//! machine before. `TOPO_LAWS_KERNEL=500` sets the number of cases, `TOPO_SEED` the first seed. What fails is to be kept in `tests/cases`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod cases;
mod generator;
mod law;
mod sandbox;

use generator::Dice;
use sandbox::{Options, difference, sh, snapshot_with, topo, try_sh, wait_for, without_history, write};
use std::time::Duration;

/// Numbers from a seed (xorshift64*), the same on every machine.
fn throws(seed: u64, count: usize) -> Vec<u16> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        u16::try_from(state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 48).unwrap()
    };
    (0..count).map(|_| next()).collect()
}

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
    assert_eq!(planned.code, 0, "the plan after an apply is not empty:\n{}\n{}\n{files}", planned.stdout, planned.stderr);
}

fn destroy() {
    let done = topo(&["destroy", "--yes", "law"]);
    assert_eq!(done.code, 0, "{}\n{}", done.stdout, done.stderr);
}

/// What a hand may do, for a namespace (`$n`) and one of its links (`$l`).
const MESSES: [&str; 14] = [
    "ip -n $n link delete dev $l",
    "ip -n $n link set dev $l down",
    "ip -n $n link set dev $l mtu 1290",
    "ip -n $n link set dev $l nomaster",
    "ip -n $n address flush dev $l scope global",
    "ip -n $n address add 10.250.1.1/16 dev $l",
    "ip -n $n link add extra0 type bridge; ip -n $n link set extra0 up",
    "ip -n $n route flush proto static; ip -n $n route flush proto 116",
    "ip -n $n rule add priority 77 table 99",
    "ip netns exec $n nft flush ruleset",
    "ip netns exec $n sysctl -qw net.ipv4.ip_forward=1",
    // The other ends of its pairs go later: here they are given the time, `tests/races.rs` does not give it.
    "ip netns delete $n; sleep 0.5",
    "ip -n $n link set dev $l txqueuelen 5",
    "ip -n $n rule delete priority 0; ip -n $n link set dev $l name renamed0",
];

/// Whether a namespace has something of somebody else, which no apply would put back after a mess.
fn is_shared(space: &str) -> bool {
    space == "guest" || ["take0", "eth9"].iter().any(|link| try_sh(&format!("ip -n '{space}' link show dev {link}")).code == 0)
}

fn mess(dice: &mut Dice<'_>) {
    for _ in 0..dice.below(5) {
        // The namespace of somebody else is no place for a mess: nothing would put it back.
        let spaces: Vec<String> = sh("ls /run/netns").split_whitespace().filter(|name| !is_shared(name)).map(str::to_owned).collect();
        if spaces.is_empty() {
            return;
        }
        let space = &spaces[dice.below(spaces.len())];
        let links = try_sh(&format!("ip -n '{space}' -br link | awk '{{print $1}}' | sed 's/@.*//' | grep -v '^lo$'")).stdout;
        let links: Vec<&str> = links.split_whitespace().collect();
        let link = if links.is_empty() { "none0" } else { links[dice.below(links.len())] };
        // What a hand cannot do here, it does not.
        _ = try_sh(&format!("n='{space}'; l='{link}'; {}", MESSES[dice.below(MESSES.len())]));
    }
}

fn case(seed: u64) {
    let a = generator::topology("law", &mut Dice::new(&throws(seed * 3, 400)));
    let b = generator::topology("law", &mut Dice::new(&throws(seed * 3 + 1, 400)));
    hold(&format!("seed {seed}"), [&a, &b], || mess(&mut Dice::new(&throws(seed * 3 + 2, 40))));
}

/// Holds the laws for two topologies and what a hand does in between.
fn hold(name: &str, [a, b]: [&str; 2], hand: impl FnOnce()) {
    let files = format!("{name}\n--- a.yaml\n{a}--- b.yaml\n{b}");
    let (first, second) = (write("a.yaml", a), write("b.yaml", b));
    let before = machine();
    apply(&first, &files);
    hand();
    apply(&second, &files);
    let used = machine();
    destroy();
    same(&before, "destroy leaves something", &files);
    apply(&second, &files);
    same(&used, "an apply over something else is not a fresh apply", &files);
    destroy();
    same(&before, "destroy leaves something", &files);
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
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
