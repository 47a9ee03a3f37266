//! Somebody else changes things while topo is at work: between its look and its steps, and several runs at once. It ends in what was wanted, or in an error
//! with everything undone; never in a success that is none, and nothing stays.
//!
//! `TOPO_RACES=200` makes so many races of each kind; without it there are a few.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]
#![allow(clippy::disallowed_methods, reason = "a test makes processes")]

mod sandbox;

use sandbox::{Options as Look, assert_snapshot_with, quiet, sh, topo, topo_path, try_sh, write};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use topo::apply::{self, Options, Report};
use topo::document::{self, Source};
use topo::kernel::{Error, Kernel, Linux};
use topo::plan::{self, Conflict};
use topo::resource::{Name, Node, Operation, Record, State};

/// The real kernel, but somebody does something just before the batch `at`.
struct Meddled<'a> {
    inner: Linux,
    at: usize,
    batches: usize,
    script: &'a str,
    /// Whether what somebody did had an effect.
    hit: bool,
}

impl Kernel for Meddled<'_> {
    fn resolve(&mut self, wanted: &mut State) -> Result<(), Error> {
        self.inner.resolve(wanted)
    }

    fn observe(&mut self, wanted: &State) -> Result<State, Error> {
        self.inner.observe(wanted)
    }

    fn remember(&mut self, topology: &Name, record: &Record) -> Result<(), Error> {
        self.inner.remember(topology, record)
    }

    fn perform(&mut self, topology: &Name, batch: &[Operation]) -> Vec<Result<(), Error>> {
        if self.batches == self.at {
            self.hit = try_sh(self.script).code == 0;
        }
        self.batches += 1;
        self.inner.perform(topology, batch)
    }

    fn settings(&mut self, which: &[(Node, String)]) -> Result<Vec<Option<String>>, Error> {
        self.inner.settings(which)
    }

    fn settle(&mut self, wanted: &State) -> Result<(), Error> {
        if self.batches == self.at {
            self.hit = try_sh(self.script).code == 0;
            self.batches += 1;
        }
        self.inner.settle(wanted)
    }

    fn table_generations(&mut self) -> Vec<(Node, u32)> {
        self.inner.table_generations()
    }
}

const FIRST: &str = "
name: race
host:
  interfaces:
    up0: { existing: {}, mtu: 1300 }
    br7: { bridge: { ports: [v1, v2] }, addresses: [10.7.0.1/24] }
  routes: [{ to: 10.9.0.0/16, via: 10.7.0.2 }]
  rules: [{ priority: 100, from: 10.9.0.0/16, table: 100 }]
  sysctls: { net.ipv4.ip_default_ttl: 63 }
  nat: [{ masquerade: { source: 10.7.0.0/24, out: '!br7' } }]
namespaces:
  RED:
    interfaces: { eth0: { veth: host/v1, addresses: [10.7.0.2/24] } }
    routes: [{ to: default, via: 10.7.0.1 }]
    dns: { hosts: { red: 10.7.0.2 } }
  BLUE:
    interfaces: { eth0: { veth: host/v2, addresses: [10.7.0.3/24] } }
    routes: [{ to: default, via: 10.7.0.1 }]
";

fn second() -> String {
    FIRST
        .replace("10.7.0.2/24", "10.7.0.4/24")
        .replace("via: 10.7.0.2", "via: 10.7.0.4")
        .replace("mtu: 1300", "mtu: 1350")
        .replace("addresses: [10.7.0.3/24]", "mtu: 1400, addresses: [10.7.0.3/24, 10.8.0.3/24]")
        .replace("source: 10.7.0.0/24", "source: 10.7.0.0/25")
        .replace("ip_default_ttl: 63", "ip_default_ttl: 62")
}

/// What somebody does, and what takes back what he added.
const MEDDLING: [(&str, &str); 14] = [
    ("ip link delete v1", ""),
    ("ip -n RED link delete eth0", ""),
    ("ip link delete br7", ""),
    ("ip link set v2 nomaster", ""),
    ("ip route delete 10.9.0.0/16", ""),
    ("ip route replace 10.9.0.0/16 via 10.7.0.99", ""),
    ("ip -n RED route flush table main", ""),
    ("ip address delete 10.7.0.1/24 dev br7", ""),
    ("ip -n BLUE address flush dev eth0", ""),
    ("ip rule delete priority 100", ""),
    ("nft delete table inet topo-race", ""),
    ("ip netns delete RED", ""),
    ("ip link add v1 type veth peer name zz9", "ip link delete zz9"),
    ("ip netns add BLUE", "ip netns delete BLUE"),
];

fn wanted(text: &str) -> State {
    if text.is_empty() {
        return State::empty("race".into());
    }
    let source = Source { name: "race.yaml".to_owned(), text: text.to_owned().into() };
    let document = document::parse(&source).unwrap_or_else(|findings| panic!("{findings:#?}"));
    document::lower(&document, &source).0.state
}

/// Applies with somebody meddling before the batch `at`; says how many batches there were, and what came of it.
fn race(text: &str, at: usize, script: &str) -> Result<(Report, usize, bool), Vec<Conflict>> {
    let mut kernel = Meddled { inner: Linux::new().unwrap(), at, batches: 0, script, hit: false };
    let mut wanted = wanted(text);
    kernel.resolve(&mut wanted).unwrap();
    let observed = kernel.observe(&wanted).unwrap();
    let plan = plan::make(&wanted, &observed)?;
    let report = apply::run(&mut kernel, &plan, &Options { rollback: true, interrupted: Default::default() }, &mut |_| {});
    Ok((report, kernel.batches, kernel.hit))
}

fn apply(text: &str) {
    let (report, ..) = race(text, usize::MAX, "").unwrap_or_else(|conflicts| panic!("{conflicts:#?}"));
    assert!(report.is_success(), "{report:#?}");
}

fn look() -> Look {
    Look { without_record: true, ..Look::default() }
}

#[test]
fn somebody_meddles_between_look_and_step() {
    let many: usize = std::env::var("TOPO_RACES").map_or(4, |many| many.parse().expect("TOPO_RACES is a number"));
    let limit = Duration::from_secs(if many > 4 { 4 * 3600 } else { 200 });
    sandbox::run_within("somebody_meddles_between_look_and_step", limit, || {
        sh("ip link add up0 type veth peer up1; ip link set up0 up mtu 1450; ip link set up1 up");
        std::thread::sleep(Duration::from_secs(2));
        let clean = quiet(&look());
        let (first, second) = (FIRST.to_owned(), second());
        let ways = [("", first.as_str()), (&first, &second), (&second, "")];
        let counts = ways.map(|(from, to)| {
            apply(from);
            race(to, usize::MAX, "").unwrap().1
        });
        let (mut hits, mut done, mut undone) = (0, 0, 0);
        for (kind, (script, back)) in MEDDLING.iter().enumerate() {
            let mut hit_here = 0;
            for round in 0.. {
                if hit_here == many || round == 12 * many {
                    break;
                }
                let way = (round + kind) % ways.len();
                let ((from, to), count) = (ways[way], counts[way]);
                let at = (round * 7 + kind) % (count + 1);
                apply(from);
                let what = format!("{script} before batch {at} of {count} of way {way}");
                let (report, _, hit) = race(to, at, script).unwrap_or_else(|conflicts| panic!("{what}: {conflicts:#?}"));
                hit_here += usize::from(hit);
                if report.is_success() {
                    done += usize::from(hit);
                    let mut kernel = Linux::new().unwrap();
                    let observed = kernel.observe(&wanted(to)).unwrap();
                    let rest = plan::make(&wanted(to), &observed).unwrap_or_else(|conflicts| panic!("{what}: a wrong success: {conflicts:#?}"));
                    assert!(rest.is_empty(), "{what}: a wrong success: {:#?}", rest.changes);
                } else {
                    assert!(hit, "{what}: nobody did anything, and it failed: {report:#?}");
                    undone += 1;
                    if report.undone != Some(Ok(())) {
                        println!("{what}\n  {:?}\n  {:?}\n  {:?}", report.failure, report.leftover.first(), report.undone);
                    }
                    try_sh(back);
                    apply(to);
                }
                try_sh(back);
                apply("");
                assert_snapshot_with(&clean, &look());
            }
            assert!(hit_here > 0, "{script}: the window was never hit");
            hits += hit_here;
        }
        println!("{} kinds, {hits} windows hit: {done} done all the same, {undone} undone", MEDDLING.len());
    });
}

fn start(args: &[&str]) -> Child {
    Command::new(topo_path()).args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

#[test]
fn several_runs_at_once() {
    let many: usize = std::env::var("TOPO_RACES").map_or(6, |many| many.parse().expect("TOPO_RACES is a number"));
    sandbox::run_within("several_runs_at_once", Duration::from_secs(if many > 6 { 3600 } else { 120 }), || {
        sh("ip link add up0 type veth peer up1; ip link set up0 up mtu 1450; ip link set up1 up");
        std::thread::sleep(Duration::from_secs(2));
        let clean = quiet(&look());
        let (first, second) = (write("first.yaml", FIRST), write("second.yaml", &second()));
        let mut plans = [0, 0];
        for round in 0..many {
            let two = [["apply", "--yes", &first], ["apply", "--yes", &second], ["destroy", "--yes", "race"]];
            let pair = [two[round % 3], two[(round + 1 + round / 3 % 2) % 3]];
            let changing = pair.map(|args| start(&args));
            let looking = [start(&["plan", &first]), start(&["list"]), start(&["plan", &second])];
            for (child, args) in changing.into_iter().zip(pair) {
                let output = child.wait_with_output().unwrap();
                assert!(output.status.success(), "{pair:?}: {args:?}: {}", String::from_utf8_lossy(&output.stderr));
            }
            for child in looking {
                let output = child.wait_with_output().unwrap();
                let text = String::from_utf8_lossy(&output.stderr).into_owned();
                assert!(matches!(output.status.code(), Some(0 | 1)) && !text.contains("panicked"), "{pair:?}: {text}");
                plans[usize::from(!output.status.success())] += 1;
                if !output.status.success() {
                    println!("a look while others work: {}", text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default());
                }
            }
            let is = |args: &[&str]| topo(args).code == 0;
            let ends = pair.map(|args| match args[0] {
                "apply" => is(&["plan", "--detailed-exitcode", args[2]]),
                _ => !topo(&["list"]).stdout.contains("race"),
            });
            assert!(ends.contains(&true), "{pair:?}: neither is what is there");
            topo(&["destroy", "--yes", "race"]).expect(0);
            assert_snapshot_with(&clean, &look());
            assert!(!std::path::Path::new("/run/topo").exists());
        }
        println!("{many} pairs of runs, {} looks meanwhile, {} of them refused", plans[0] + plans[1], plans[1]);
    });
}
