//! Random topologies that mix all kinds of links, each applied from the one before it: one apply, then an empty plan,
//! whatever a hand did in between; and at the end nothing is left. `TOPO_KINDS=200` sets how many, `TOPO_SEED` the
//! seed.

use crate::generator;
use crate::sandbox;

use generator::number;
use generator::stacked::{OF_A_STEP, topology};
use sandbox::{
    Options, difference, run_needing_within, sh, snapshot_with, topo, try_sh, wait_for, without_history, write,
};
use std::fmt::Write as _;
use std::time::{Duration, Instant};

/// Numbers from a seed (xorshift64*), the same on every machine.
struct Numbers(u64);

impl Numbers {
    fn of(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn next(&mut self) -> u16 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        u16::try_from(self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 48).unwrap()
    }

    fn below(&mut self, sides: usize) -> usize {
        usize::from(self.next()) % sides
    }
}

fn machine() -> String {
    let text = without_history(&snapshot_with(&Options { without_record: true, ..Options::default() }));
    text.lines()
        .map(|line| {
            // How many want all frames is counted, and not always given back: a macvlan of mode passthru that goes up
            // or down does not hand on what it does when it is a port (`macvlan_stop`, `macvlan_change_rx_flags`).
            let line = line.replace("\"PROMISC\",", "").replace("\"ALLMULTI\",", "");
            let line = ["promiscuity", "allmulti"].iter().fold(line, |line, key| without(&line, key));
            // That of a tunnel is random. What a bond can cut up late stays what its ports could
            // (`bond_compute_features`).
            let line = ["permaddr", "tso_max_size", "tso_max_segs", "gso_max_size", "gso_max_segs"]
                .iter()
                .fold(line, |line, key| without(&line, key));
            format!("{line}\n")
        })
        .collect()
}

/// A line of JSON without a key whose value has no comma.
fn without(line: &str, key: &str) -> String {
    match line.split_once(&format!("\"{key}\":")) {
        Some((before, rest)) => format!("{before}{}", rest.split_once(',').map_or("", |(_, rest)| rest)),
        None => line.to_owned(),
    }
}

fn same(before: &str, what: &str, story: &str) {
    let mut now = String::new();
    let same = wait_for(Duration::from_secs(8), || {
        now = machine();
        now == before
    });
    assert!(same, "{what} (- expected, + now):\n{}\n{story}", difference(before, &now));
}

/// What a hand may do, in a namespace (`$n`) to one of its links (`$l`).
const HANDS: [&str; 23] = [
    "link set dev $l down",
    "link set dev $l up",
    "link set dev $l nomaster",
    "address flush dev $l scope global",
    "link delete dev $l",
    "link set dev $l mtu 1290",
    "link set dev $l txqueuelen 9",
    "link set dev $l address 02:00:00:00:00:77",
    "link set dev $l type vlan gvrp on mvrp on",
    "link set dev $l type vlan loose_binding on",
    "link set dev $l type vlan reorder_hdr off",
    "link set dev $l type bond miimon 50",
    "link set dev $l type bond xmit_hash_policy vlan+srcmac",
    "link set dev $l type bond primary_reselect better",
    "link set dev $l type bridge stp_state 1",
    "link set dev $l type macvlan mode private",
    "link set dev $l type ipvlan mode l3",
    "link set dev $l type vxlan nolearning",
    "link property add dev $l altname by-hand",
    "address add 10.250.0.9/24 dev $l",
    "route flush proto 116",
    "rule delete priority 1000",
    "link set dev $l name renamed0",
];

/// Hand edits; what a hand cannot do here, it does not. Answers with what was done.
fn hand(numbers: &mut Numbers) -> Vec<String> {
    let mut done = Vec::new();
    for _ in 0..numbers.below(5) {
        let space = ["RED", "BLUE", "green"][numbers.below(3)];
        if numbers.below(12) == 0 {
            // A kernel that takes such a VLAN and its VRF in one go stops (`leaves_first` of the plan): a hand had
            // better not.
            let alone = "grep -q 'vrf_slave' && exit 1; exit 0";
            done.push(format!(
                "ip -n {space} -d link show type vlan | grep -A1 'VRP' | {{ {alone}; }} && ip netns delete {space}"
            ));
        } else {
            let links =
                try_sh(&format!("ip -n {space} -br link | awk '{{print $1}}' | sed 's/@.*//' | grep '^[xy]'")).stdout;
            let links: Vec<&str> = links.split_whitespace().collect();
            let link = if links.is_empty() { "none0" } else { links[numbers.below(links.len())] };
            done.push(format!("ip -n {space} {}", HANDS[numbers.below(HANDS.len())].replace("$l", link)));
        }
        if try_sh(done.last().unwrap()).code != 0 {
            done.pop();
        }
    }
    done
}

/// One apply, and nothing left to do.
fn converge(file: &str, story: &str) {
    let valid = topo(&["validate", file]);
    assert_eq!(valid.code, 0, "the generator made a file that is wrong:\n{}{}\n{story}", valid.stdout, valid.stderr);
    let done = topo(&["apply", "--yes", file]);
    assert_eq!(
        done.code,
        0,
        "{}\n{}\n{story}",
        done.stdout,
        done.stderr.rsplit("warnings\n").next().unwrap_or_default()
    );
    let planned = topo(&["plan", "--detailed-exitcode", file]);
    assert_eq!(
        planned.code, 0,
        "the plan after an apply is not empty:\n{}\n{}\n{story}",
        planned.stdout, planned.stderr
    );
}

fn destroy(story: &str) {
    let done = topo(&["destroy", "--yes", "mixed"]);
    assert_eq!(done.code, 0, "{}\n{}\n{story}", done.stdout, done.stderr);
}

/// A walk from topology to topology, started by a seed.
struct Walk {
    numbers: Numbers,
    throws: Vec<u16>,
    story: String,
}

impl Walk {
    /// Other throws: all, or those of one or two steps, or some single ones.
    fn turn(&mut self) {
        let steps = 5 + self.numbers.below(14);
        match self.numbers.below(4) {
            0 => self.throws = (0..steps * OF_A_STEP).map(|_| self.numbers.next()).collect(),
            1 => {
                for _ in 0..3 {
                    let at = self.numbers.below(self.throws.len());
                    self.throws[at] = self.numbers.next();
                }
            }
            _ => {
                for _ in 0..=self.numbers.below(3) {
                    let step = self.numbers.below(self.throws.len() / OF_A_STEP);
                    for at in step * OF_A_STEP..(step + 1) * OF_A_STEP {
                        self.throws[at] = self.numbers.next();
                    }
                }
            }
        }
    }
}

/// The kinds that a text has.
fn note_kinds(text: &str, found: &mut std::collections::BTreeMap<String, usize>) {
    for key in [
        "veth", "bridge", "vlan", "vxlan", "macvlan", "macvtap", "ipvlan", "dummy", "ifb", "nlmon", "bond", "vrf",
        "gre", "gretap", "ipip", "sit", "ip6tnl", "geneve", "tun", "tap",
    ] {
        *found.entry(key.to_owned()).or_default() += text.matches(&format!("{{ {key}: ")).count();
    }
}

fn walk(seed: u64, cases: u64) {
    let mut numbers = Numbers::of(seed);
    let throws = (0..12 * OF_A_STEP).map(|_| numbers.next()).collect();
    let mut walk = Walk { numbers, throws, story: String::new() };
    let before = machine();
    let mut kinds = std::collections::BTreeMap::new();
    let start = Instant::now();
    for case in 1..=cases {
        let text = topology("mixed", &walk.throws);
        note_kinds(&text, &mut kinds);
        let file = write("mixed.yaml", &text);
        walk.story = format!("seed {seed}, case {case}\n{}--- then\n{text}", walk.story);
        converge(&file, &walk.story);
        if case % 10 == 0 {
            let used = machine();
            destroy(&walk.story);
            same(&before, "destroy leaves something", &walk.story);
            converge(&file, &walk.story);
            same(&used, "an apply over something else is not a fresh apply", &walk.story);
            println!("{case} of {cases} in {} s", start.elapsed().as_secs());
        }
        walk.story = format!("--- was\n{text}");
        if walk.numbers.below(3) == 0 {
            let done = hand(&mut walk.numbers);
            writeln!(walk.story, "--- by hand\n{}", done.join("\n")).unwrap();
        }
        walk.turn();
    }
    destroy(&walk.story);
    same(&before, "destroy leaves something", &walk.story);
    println!("seed {seed}: {cases} topologies, {kinds:?}");
    if cases >= 100 {
        assert!(kinds.values().all(|count| *count > 0), "{kinds:?}");
    }
}

#[test]
fn all_kinds_at_random() {
    let features = [
        "veth",
        "bridge",
        "dummy",
        "ifb",
        "nlmon",
        "vlan",
        "qinq",
        "macvlan",
        "macvtap",
        "ipvlan",
        "ipvlan_l3s",
        "bond",
        "bond_lacp",
        "vrf",
        "vxlan",
        "geneve",
        "gre",
        "gretap",
        "ip6gre",
        "ip6gretap",
        "ipip",
        "sit",
        "ip6tnl",
        "tun",
        "tap",
        "bridge_stp",
        "altname",
    ];
    let cases = number("TOPO_KINDS", 12);
    run_needing_within("all_kinds_at_random", &features, Duration::from_secs(60 + cases * 4), || {
        sh("sysctl -qw net.ipv6.conf.default.addr_gen_mode=1; ip link add own0 type veth peer name own1; ip link set own0 up; ip link set own1 up; ip address add 192.0.2.5/24 dev own0
            ip link add vr9 type vrf table 9; ip link delete vr9");
        walk(number("TOPO_SEED", 1), cases);
    });
}
