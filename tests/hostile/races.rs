//! Somebody else changes things while topo is at work: between its look and its steps, and several runs at once. It
//! ends in what was wanted, or in an error with everything undone; never in a success that is none, and nothing stays.
//!
//! `TOPO_RACES=200` makes so many races of each kind; without it there are a few. How often the window was hit is
//! counted for each.

#![allow(clippy::disallowed_methods, reason = "a test makes processes")]

use crate::sandbox;
use crate::tracer;

use nix::libc;
use sandbox::{Options as Look, assert_snapshot_with, quiet, sh, topo, topo_path, try_sh, write};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use topo::apply::{self, Options, Report};
use topo::document::{self, Source};
use topo::kernel::{Error, Kernel};
use topo::linux::Linux;
use topo::plan::{self, Conflict};
use topo::resource::{Name, Node, Operation, Record, State};
use tracer::{Moment, Reply, What};

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

    fn offloads(&mut self, which: &[topo::resource::LinkId]) -> Result<Vec<topo::resource::Options>, Error> {
        self.inner.offloads(which)
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
const MEDDLING: [(&str, &str); 18] = [
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
    ("ip link set v2 down", ""),
    ("ip link set v1 down name zz1", ""),
    ("ip -n BLUE address add 10.7.0.77/16 dev eth0", ""),
    ("nft flush table inet topo-race", ""),
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
    let report =
        apply::run(&mut kernel, &plan, &Options { rollback: true, interrupted: Default::default() }, &mut |_| {});
    Ok((report, kernel.batches, kernel.hit))
}

fn apply(text: &str) {
    let (report, ..) = race(text, usize::MAX, "").unwrap_or_else(|conflicts| panic!("{conflicts:#?}"));
    assert!(report.is_success(), "{report:#?}");
}

fn look() -> Look {
    Look { without_record: true, ..Look::default() }
}

fn many(usual: usize) -> usize {
    std::env::var("TOPO_RACES").map_or(usual, |many| many.parse().expect("TOPO_RACES is a number"))
}

fn limit(long: bool) -> Duration {
    Duration::from_secs(if long { 4 * 3600 } else { 240 })
}

/// What came of the races of a kind.
#[derive(Default)]
struct Tally {
    hit: usize,
    done: usize,
    undone: usize,
}

impl Tally {
    fn tell(&self, kind: &str, rounds: usize) {
        println!(
            "{kind}: {rounds} races, the window hit {} times: {} done all the same, {} undone",
            self.hit, self.done, self.undone
        );
        assert!(self.hit * 4 >= rounds, "{kind}: the window was hardly hit");
    }
}

/// The ways between versions that somebody meddles with, and how many batches each has.
struct Ways {
    clean: String,
    versions: [(String, String); 3],
    counts: [usize; 3],
}

impl Ways {
    fn new() -> Self {
        sh("ip link add up0 type veth peer up1; ip link set up0 up mtu 1450; ip link set up1 up");
        std::thread::sleep(Duration::from_secs(2));
        let clean = quiet(&look());
        let (first, second) = (FIRST.to_owned(), second());
        let versions = [(String::new(), first.clone()), (first, second.clone()), (second, String::new())];
        let counts = versions.each_ref().map(|(from, to)| {
            apply(from);
            race(to, usize::MAX, "").unwrap().1
        });
        Self { clean, versions, counts }
    }

    /// Goes one of the ways while somebody does `script`; `back` takes back what he added.
    fn race(&self, round: usize, kind: usize, (script, back): (&str, &str), tally: &mut Tally) {
        // A name can be taken only before it is made.
        let way = if back.is_empty() { (round + kind) % self.versions.len() } else { 0 };
        let ((from, to), count) = (&self.versions[way], self.counts[way]);
        let at = if back.is_empty() { (round * 7 + kind) % (count + 1) } else { round % 2 };
        apply(from);
        let what = format!("{script} before batch {at} of {count} of way {way}");
        let (report, _, hit) = race(to, at, script).unwrap_or_else(|conflicts| panic!("{what}: {conflicts:#?}"));
        tally.hit += usize::from(hit);
        if report.is_success() {
            tally.done += usize::from(hit);
            let mut kernel = Linux::new().unwrap();
            let observed = kernel.observe(&wanted(to)).unwrap();
            let rest = plan::make(&wanted(to), &observed)
                .unwrap_or_else(|conflicts| panic!("{what}: a wrong success: {conflicts:#?}"));
            assert!(rest.is_empty(), "{what}: a wrong success: {:#?}", rest.changes);
        } else {
            assert!(hit, "{what}: nobody did anything, and it failed: {report:#?}");
            tally.undone += 1;
            if report.undone != Some(Ok(())) {
                println!("{what}\n  {:?}\n  {:?}\n  {:?}", report.failure, report.leftover.first(), report.undone);
            }
            try_sh(back);
            apply(to);
        }
        try_sh(back);
        apply("");
        assert_snapshot_with(&self.clean, &look());
    }
}

#[test]
fn somebody_meddles_between_look_and_step() {
    let many = many(4);
    sandbox::run_within("somebody_meddles_between_look_and_step", limit(many > 6), || {
        let ways = Ways::new();
        for (kind, meddling) in MEDDLING.iter().enumerate() {
            let mut tally = Tally::default();
            for round in 0..many {
                ways.race(round, kind, *meddling, &mut tally);
            }
            tally.tell(meddling.0, many);
            println!("{} of {} kinds", kind + 1, MEDDLING.len());
        }
    });
}

/// What happens to one of the program's answers, and whether it has to get over it.
const TROUBLES: [(&str, What, bool); 6] = [
    ("EINTR", What::Receive(Reply::Fails(libc::EINTR)), true),
    ("a dump that something changed under", What::Receive(Reply::Interrupted), true),
    ("ENOBUFS", What::Receive(Reply::Fails(libc::ENOBUFS)), false),
    ("EBUSY from a request", What::Refuse(libc::EBUSY), false),
    ("ENOBUFS from a request", What::Refuse(libc::ENOBUFS), false),
    ("EINTR from a request", What::Refuse(libc::EINTR), false),
];

#[test]
fn the_kernel_is_in_trouble() {
    let many = many(4);
    sandbox::run_within("the_kernel_is_in_trouble", limit(many > 6), || {
        sh("ip link add up0 type veth peer up1; ip link set up0 up mtu 1450; ip link set up1 up");
        std::thread::sleep(Duration::from_secs(2));
        let clean = quiet(&look());
        let (first, second) = (write("first.yaml", FIRST), write("second.yaml", &second()));
        let ways: [(&[&str], &[&str]); 3] = [
            (&["destroy", "race", "--yes"], &["apply", "--yes", &first]),
            (&["apply", "--yes", &first], &["apply", "--yes", &second]),
            (&["apply", "--yes", &second], &["destroy", "race", "--yes"]),
        ];
        let none = Some(Moment { request: usize::MAX, after: false, what: What::Refuse(0) });
        let seen = ways.map(|(from, to)| {
            [from, to, from].into_iter().for_each(|args| _ = topo(args).expect(0));
            let before = quiet(&look());
            let run = tracer::run(topo_path(), to, none);
            assert_eq!(run.code, 0, "{}", run.stderr);
            (before, quiet(&look()), run)
        });
        for (name, what, overcome) in TROUBLES {
            let mut tally = Tally::default();
            for round in 0..many {
                let ((from, to), (before, after, whole)) = (ways[round % 3], &seen[round % 3]);
                topo(from).expect(0);
                let of = if matches!(what, What::Refuse(_)) { whole.requests } else { whole.answers };
                // A call that was interrupted has done nothing (write(2)): one that writes and says so would be made
                // again by everybody, and write twice.
                let carried_out = round % 2 == 0 && !name.starts_with("EINTR from a request");
                let moment = Moment { request: 1 + (round * 37 + 11) % of, after: carried_out, what };
                let run = tracer::run(topo_path(), to, Some(moment));
                let said = format!(
                    "{name} at {} of {of} of way {}: exit {}\n{}",
                    moment.request,
                    round % 3,
                    run.code,
                    run.stderr
                );
                tally.hit += usize::from(run.hit.is_some());
                match run.code {
                    0 => tally.done += usize::from(run.hit.is_some()),
                    1 if run.hit.is_some() && !overcome => tally.undone += 1,
                    _ => panic!("{said}"),
                }
                let expected = if run.code == 0 { after } else { before };
                let same = sandbox::wait_for(Duration::from_secs(5), || sandbox::snapshot_with(&look()) == *expected);
                assert!(same, "{said}\n{}", sandbox::difference(expected, &sandbox::snapshot_with(&look())));
            }
            tally.tell(name, many);
        }
        topo(&["destroy", "race", "--yes"]).expect(0);
        assert_snapshot_with(&clean, &look());
    });
}

#[test]
fn links_come_and_go_while_topo_looks() {
    let many = many(4);
    sandbox::run_within("links_come_and_go_while_topo_looks", limit(many > 6), || {
        // More than one packet of them.
        sh("for i in $(seq 120); do echo link add name o$i type bridge; done | ip -batch -");
        let (first, second) = (
            write("first.yaml", &FIRST.replace("    up0: { existing: {}, mtu: 1300 }\n", "")),
            write("second.yaml", &second().replace("    up0: { existing: {}, mtu: 1350 }\n", "")),
        );
        let (mut hit, mut dumps, mut rounds) = (0, 0, 0);
        let lines: String = (0..20).map(|i| format!("link add name c{i} type bridge\nlink delete c{i}\n")).collect();
        write("churn", &lines);
        // Nobody's child: the tracer waits for all of its own.
        sh("(while [ ! -e /run/lock/over ]; do ip -batch /run/lock/churn || true; done) </dev/null >/dev/null 2>&1 &");
        for round in 0..many {
            let args: [&[&str]; 3] =
                [&["apply", "--yes", &first], &["apply", "--yes", &second], &["destroy", "race", "--yes"]];
            let late = What::Receive(Reply::Late(Duration::from_millis(2)));
            let run = tracer::run(topo_path(), args[round % 3], Some(Moment { request: 1, after: false, what: late }));
            assert_eq!(run.code, 0, "{:?}: {}", args[round % 3], run.stderr);
            rounds += 1;
            hit += usize::from(run.interrupted > 0);
            dumps += run.interrupted;
            if round % 3 < 2 {
                topo(&["plan", "--detailed-exitcode", args[round % 3][2]]).expect(0);
            }
        }
        write("over", "");
        topo(&["destroy", "race", "--yes"]).expect(0);
        println!(
            "{rounds} runs while links come and go, the window hit in {hit} of them: {dumps} dumps interrupted and made again"
        );
        assert!(hit * 4 >= rounds, "the window was hardly hit");
        assert!(!std::path::Path::new("/run/topo").exists());
    });
}

fn start(args: &[&str]) -> Child {
    Command::new(topo_path())
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Pairs of runs that change something at once, by kind.
const PAIRS: [(&str, [[&str; 2]; 2]); 2] = [
    ("two applies", [["first", "second"], ["second", "first"]]),
    ("an apply and a destroy", [["first", "destroy"], ["destroy", "second"]]),
];

#[test]
fn several_runs_at_once() {
    let many = many(4);
    sandbox::run_within("several_runs_at_once", limit(many > 6), || {
        sh("ip link add up0 type veth peer up1; ip link set up0 up mtu 1450; ip link set up1 up");
        std::thread::sleep(Duration::from_secs(2));
        let clean = quiet(&look());
        let (first, second) = (write("first.yaml", FIRST), write("second.yaml", &second()));
        let words = |word: &str| match word {
            "first" => vec!["apply", "--yes", &first],
            "second" => vec!["apply", "--yes", &second],
            _ => vec!["destroy", "--yes", "race"],
        };
        let (mut looks, mut meanwhile, mut refused) = (0, 0, 0);
        for (kind, pairs) in PAIRS {
            let mut tally = Tally::default();
            for round in 0..many {
                // What is there before is one of the two, or nothing.
                if round % 3 > 0 {
                    topo(&words(pairs[round % 2][round % 3 - 1])).expect(0);
                }
                let pair = pairs[round % 2].map(words);
                let mut changing = pair.each_ref().map(|args| start(args));
                let looking = [start(&["plan", &first]), start(&["list"]), start(&["plan", &second])];
                for child in looking {
                    let output = child.wait_with_output().unwrap();
                    looks += 1;
                    meanwhile += usize::from(changing.iter_mut().any(|child| child.try_wait().unwrap().is_none()));
                    let text = String::from_utf8_lossy(&output.stderr).into_owned();
                    assert!(
                        matches!(output.status.code(), Some(0 | 1)) && !text.contains("panicked"),
                        "{pair:?}: {text}"
                    );
                    refused += usize::from(!output.status.success());
                }
                let mut waited = false;
                for (child, args) in changing.into_iter().zip(&pair) {
                    let output = child.wait_with_output().unwrap();
                    let text = String::from_utf8_lossy(&output.stderr).into_owned();
                    assert!(output.status.success(), "{pair:?}: {args:?}: {text}");
                    waited |= text.contains("waiting for pid");
                }
                tally.hit += usize::from(waited);
                tally.done += usize::from(waited);
                let is = |args: &[&str]| topo(args).code == 0;
                let ends = pair.each_ref().map(|args| match args[0] {
                    "apply" => is(&["plan", "--detailed-exitcode", args[2]]),
                    _ => !topo(&["list"]).stdout.contains("race"),
                });
                assert!(ends.contains(&true), "{pair:?}: neither is what is there");
                topo(&["destroy", "--yes", "race"]).expect(0);
                assert_snapshot_with(&clean, &look());
                assert!(!std::path::Path::new("/run/topo").exists());
            }
            tally.tell(kind, many);
        }
        println!("a look meanwhile: {looks} looks, the window hit {meanwhile} times, {refused} of them refused");
        assert!(meanwhile * 4 >= looks);
    });
}
