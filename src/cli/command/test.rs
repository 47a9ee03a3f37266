use crate::cli::console::Console;
use crate::cli::exit::Exit;
use crate::cli::input::{files, load};
use crate::cli::packet::follow;
use crate::cli::target::Case;
use crate::cli::trial::TOTAL;
use crate::cli::{network, notice, signals};
use crate::flow::packet::Protocol;
use crate::flow::{Question, explain};
use crate::kernel::{self, Kernel};
use crate::linux::probe::run::Limits;
use crate::linux::{Linux, probe};
use crate::render::explain::sentence;
use crate::render::tested::{Table, Tested};
use crate::render::{format, tested};
use crate::resource::probe::{Check, HttpHost, Outcome, Probe, Verdict};
use clap::Args;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long the answer to a packet is waited for that follows a check.
const WAIT: Duration = Duration::from_secs(1);

/// Run the checks of a topology
///
/// The checks under the key "checks" of a file are run from their nodes, in parallel: pings, TCP connections, UDP
/// datagrams, HTTP requests, DNS queries, programs. Nothing is changed and no lock is taken. A check of the kind
/// "command" runs a program with your privileges: read an untrusted file before you test it, or use --no-commands.
#[derive(Debug, Args)]
#[command(
    after_long_help = "Examples:\n  sudo topo test lab.yaml\n  sudo topo test labs/ --junit report.xml\n  sudo topo test lab.yaml --trace      a packet shows why one failed\n  sudo topo test --json lab.yaml | jq -r '.topologies[].checks[] | select(.result != \"passed\") | .what'\n\nIn a file:\n  checks:\n    - ping: { from: RED, to: BLUE/eth0 }\n    - tcp: { from: RED, to: \"10.0.0.2:80\", expect: fail }\n    - http: { from: RED, url: \"http://10.0.0.2:8080/\", status: 200, contains: ok }\n\nExit status: 0 all passed, or there are none; 1 one failed or could not be tried"
)]
pub struct Test {
    /// Topology files or folders; "-" is standard input [default: topology.yaml]
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Print the results as JSON
    #[arg(long)]
    json: bool,
    /// Write the results to a JUnit file for CI systems
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Skip the checks that run a program
    #[arg(long)]
    no_commands: bool,
    /// Follow a real packet for each check that failed, as "topo trace" does
    #[arg(long)]
    trace: bool,
    /// Timeout for all checks of a topology together
    #[arg(long, value_name = "SECONDS", default_value_t = TOTAL, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    total_timeout: u64,
}

impl Test {
    /// Runs the command.
    ///
    /// # Errors
    ///
    /// The exit status of a failure that was already printed.
    pub fn run(self, console: &mut Console) -> crate::cli::global::Result {
        let sources = files::read(console, &self.files)?;
        let cases: Vec<Case> = load::sound(console, sources)?.into_iter().map(Case::of).collect();
        let stop = signals::watch();
        let limits =
            Limits { total: Duration::from_secs(self.total_timeout), stop: &stop, commands: !self.no_commands };
        let mut done = Vec::new();
        for case in &cases {
            let begin = Instant::now();
            let live = !self.json && !console.is_quiet();
            let outcomes = run(console, case, limits, live)?;
            let tested = of(case, &outcomes);
            let why = why(case, &outcomes, self.trace);
            if live {
                console.out(&tested::whys(&case.checks, &why));
                console.out(&tested::foot(tested, begin.elapsed()));
            } else if !self.json && !tested.is_good() {
                console.out(&tested::text(tested, begin.elapsed()));
            }
            done.push((case, outcomes, why));
        }
        let all: Vec<Tested<'_>> =
            done.iter().map(|(case, outcomes, why)| Tested { why, ..of(case, outcomes) }).collect();
        if self.json {
            console.out(&format::text(&tested::json(&all)));
        }
        if let Some(path) = &self.junit {
            write(console, path, &tested::junit(&all))?;
        }
        match stop.load(Ordering::Relaxed) {
            0 if all.iter().all(|tested| tested.is_good()) => Ok(Exit::Done),
            0 => Ok(Exit::Failed),
            signal => Ok(Exit::Signal(signal)),
        }
    }
}

/// Tries the checks of a topology; `live` shows each result as soon as it and those before it are there.
fn run(console: &mut Console, case: &Case, limits: Limits<'_>, live: bool) -> Result<Vec<Outcome>, Exit> {
    let table = Table::of(&case.checks);
    let rows = Mutex::new(Rows { console, table, checks: &case.checks, next: 0, waiting: BTreeMap::new() });
    if live && let Ok(mut rows) = rows.lock() {
        rows.console.out(&table.head());
    }
    let tell = |nth: usize, outcome: &Outcome| {
        if live && let Ok(mut rows) = rows.lock() {
            rows.tell(nth, outcome);
        }
    };
    let outcomes = probe::run_and_tell(&case.checks, &case.wanted, limits, &tell);
    // What could not be tried at all was not reported by anybody.
    for (nth, outcome) in outcomes.iter().flatten().enumerate() {
        tell(nth, outcome);
    }
    let console = rows.into_inner().unwrap_or_else(PoisonError::into_inner).console;
    outcomes.map_err(|error| notice::told(console, &error))
}

/// The lines of the table, in the order of the file whichever check is done first.
struct Rows<'a> {
    console: &'a mut Console,
    table: Table,
    checks: &'a [Check],
    next: usize,
    waiting: BTreeMap<usize, Outcome>,
}

impl Rows<'_> {
    fn tell(&mut self, nth: usize, outcome: &Outcome) {
        if nth >= self.next {
            self.waiting.insert(nth, outcome.clone());
        }
        while let (Some(outcome), Some(check)) = (self.waiting.remove(&self.next), self.checks.get(self.next)) {
            self.console.out(&self.table.row(check, &outcome));
            self.next += 1;
        }
    }
}

fn of<'a>(case: &'a Case, outcomes: &'a [Outcome]) -> Tested<'a> {
    Tested { topology: &case.wanted.topology, checks: &case.checks, outcomes, why: &[] }
}

/// Why checks failed that were expected to pass, by their places: what stops a packet like theirs. Nothing where the
/// machine cannot be looked at, which is no failure of the test. With `packets`, real ones are sent.
fn why(case: &Case, outcomes: &[Outcome], packets: bool) -> Vec<(usize, String)> {
    let failed =
        |(_, (check, outcome)): &(usize, (&Check, &Outcome))| check.expect && outcome.verdict(check) == Verdict::Failed;
    let asked: Vec<(usize, Question)> = case
        .checks
        .iter()
        .zip(outcomes)
        .enumerate()
        .filter(failed)
        .filter_map(|(nth, (check, _))| Some((nth, asked(check)?)))
        .collect();
    if asked.is_empty() {
        return Vec::new();
    }
    let state = Linux::new().and_then(|mut kernel| {
        let state = kernel.observe(&case.wanted).and_then(|state| kernel::with_settings(&mut kernel, state))?;
        let state = network::with_others(&kernel, state)?;
        Ok((kernel, state))
    });
    let Ok((kernel, state)) = state else { return Vec::new() };
    let Ok(world) = network::look(&kernel, &state) else { return Vec::new() };
    let say = |question: Question| {
        if packets && let Ok(followed) = follow(&kernel, &world, question.clone(), None, WAIT) {
            return format!("seen by a packet: {}", sentence(&followed.seen));
        }
        sentence(&explain(&world, &question))
    };
    asked.into_iter().map(|(nth, question)| (nth, say(question))).collect()
}

/// The packet that a check sends.
fn asked(check: &Check) -> Option<Question> {
    let (to, protocol, port) = match &check.probe {
        Probe::Ping { to, .. } => (*to, Protocol::Icmp, 0),
        Probe::Tcp { to } => (to.ip(), Protocol::Tcp, to.port()),
        Probe::Udp { to, .. } => (to.ip(), Protocol::Udp, to.port()),
        Probe::Http { host: HttpHost::Address(to), port, .. } => (*to, Protocol::Tcp, *port),
        Probe::Dns { server: Some(server), .. } => (server.ip(), Protocol::Udp, server.port()),
        Probe::Http { .. } | Probe::Dns { .. } | Probe::Command { .. } => return None,
    };
    Some(Question::new(check.from.clone(), to, protocol, port))
}

fn write(console: &mut Console, path: &Path, text: &str) -> Result<(), Exit> {
    std::fs::write(path, text).map_err(|error| {
        console.problem(&format!("cannot write the results to {:?}: {error}", path.display().to_string()), None);
        Exit::Failed
    })
}
