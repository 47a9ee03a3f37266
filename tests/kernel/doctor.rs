//! What `topo doctor` says, against real packets: random labs that are whole, the same broken in one place, and what it
//! proposes put into their files.

#![allow(clippy::disallowed_methods, reason = "a test makes processes")]

use crate::explain::{Flow, said, serve};
use crate::generator::labs::Lab;
use crate::generator::{Dice, number, throws};
use crate::sandbox;
use sandbox::{sh, topo, with_fix, write};
use std::collections::BTreeMap;
use std::time::Duration;

/// How many flows of a lab become checks.
const FLOWS: usize = 10;

/// A flow that gets through the lab as it is whole, and the address that it goes to.
struct Expected {
    flow: Flow,
    to: String,
}

impl Expected {
    /// The flow as a check of the file.
    fn check(&self) -> String {
        let (from, to) =
            (&self.flow.from, if self.to.contains(':') { format!("[{}]", self.to) } else { self.to.clone() });
        match self.flow.carries.split_once('/') {
            Some((protocol, port)) => format!("  - {protocol}: {{ from: {from}, to: \"{to}:{port}\" }}\n"),
            None => {
                let head = if self.flow.family == "4" { 28 } else { 48 };
                let size = self.flow.size.map_or(String::new(), |size| format!(", size: {}", size - head));
                format!("  - ping: {{ from: {from}, to: \"{}\"{size} }}\n", self.to)
            }
        }
    }
}

/// The flows of a whole lab, by dice.
fn expected(dice: &mut Dice<'_>, nodes: &[String], file: &str) -> Vec<Expected> {
    let asked: Vec<Flow> = (0..FLOWS).map(|_| Flow::throw(dice, nodes)).collect();
    let ask = |flow: Flow| {
        let args = flow.args();
        let words: Vec<&str> = args.iter().map(String::as_str).collect();
        let (verdict, to, _) = said(&topo(&[&["explain", "--file", file], words.as_slice()].concat()));
        (verdict == "reaches").then_some(Expected { flow, to })
    };
    asked.into_iter().filter_map(ask).collect()
}

/// The findings of a file, without notes: about the machine that the test runs on.
fn findings(file: &str) -> Vec<serde_json::Value> {
    let output = topo(&["doctor", "--json", file]);
    let json: serde_json::Value =
        serde_json::from_str(&output.stdout).unwrap_or_else(|e| panic!("{e}: {}{}", output.stdout, output.stderr));
    let found: Vec<serde_json::Value> = json["examined"][0]["findings"].as_array().unwrap().clone();
    let found: Vec<serde_json::Value> = found.into_iter().filter(|one| one["severity"] != "note").collect();
    let errors = found.iter().any(|one| one["severity"] == "error");
    assert_eq!(output.code, if errors { 2 } else { 0 }, "{}", output.stdout);
    found
}

fn text<'j>(value: &'j serde_json::Value, key: &str) -> &'j str {
    value[key].as_str().unwrap_or_default()
}

/// The lab, whole: nothing is found, neither before nor after an apply.
fn whole(seed: u64, dice: &mut Dice<'_>) -> Vec<Expected> {
    let lab = Lab::throw(dice, 0);
    let plain = write(&format!("whole-{seed}.yaml"), &lab.yaml());
    let flows = expected(dice, &lab.names(), &plain);
    let file = with_checks(&lab, &flows, &format!("checked-{seed}.yaml"));
    let before = findings(&file);
    assert!(before.is_empty(), "seed {seed}, before an apply: {before:#?}\n{}", lab.yaml());
    sandbox::apply(&file);
    serve(&lab.names());
    let after = findings(&file);
    assert!(after.is_empty(), "seed {seed}, applied: {after:#?}\n{}", lab.yaml());
    topo(&["destroy", "--yes", "-q", "--kill", &file]).expect(0);
    flows
}

fn with_checks(lab: &Lab, flows: &[Expected], name: &str) -> String {
    let mut checks: Vec<String> = flows.iter().map(Expected::check).collect();
    checks.sort();
    checks.dedup();
    let checks = if checks.is_empty() { String::new() } else { format!("checks:\n{}", checks.concat()) };
    write(name, &(lab.yaml() + &checks))
}

/// Whether a packet stops that a finding names, `tcp/80 from A to B (10.0.0.2)`: asked of the kernel.
fn stops(words: &str) -> Option<bool> {
    let (carries, rest) = words.split_once(" from ")?;
    let (from, to) = rest.split_once(" to ")?;
    let to = to.rsplit_once('(').map_or(to, |(_, to)| to.trim_end_matches(')'));
    // Nothing is there that could answer.
    if to.starts_with("198.51.100.") || to.starts_with("2001:db8:ffff") || from.starts_with("the outside") {
        return None;
    }
    let known = ["icmp", "tcp/80", "udp/53", "tcp/8080", "tcp/22"];
    let carries = known.into_iter().find(|known| *known == carries).unwrap_or("icmp");
    let family = if to.contains(':') { "6" } else { "4" };
    let flow = Flow { from: from.to_owned(), to: to.to_owned(), carries, family, size: None };
    Some(!flow.probe(to))
}

/// What is counted over all labs, and what is wrong.
#[derive(Default)]
struct Grades {
    counts: BTreeMap<String, usize>,
    wrong: Vec<String>,
}

impl Grades {
    fn count(&mut self, what: &str) {
        *self.counts.entry(what.to_owned()).or_default() += 1;
    }

    /// Each check that fails is found, and each flow that is named fails.
    fn compare(&mut self, planted: &str, flows: &[Expected], found: &[serde_json::Value]) {
        let named: Vec<&str> = found
            .iter()
            .flat_map(|one| one["flows"].as_array().unwrap())
            .map(|words| words.as_str().unwrap())
            .collect();
        let lost: Vec<&Expected> = flows.iter().filter(|one| !one.flow.probe(&one.to)).collect();
        for one in &lost {
            let carries = if one.flow.carries == "icmp" { "ping" } else { one.flow.carries };
            let words = format!("{carries} from {} to {}", one.flow.from, one.to);
            if named.contains(&words.as_str()) {
                self.count("a lost flow is found");
            } else {
                self.wrong.push(format!("{planted}: {words} is lost, and not found: {found:#?}"));
            }
        }
        for words in named {
            match stops(words) {
                Some(false) => self.wrong.push(format!("{planted}: {words} is named, and passes: {found:#?}")),
                Some(true) => self.count("a named flow is lost"),
                None => self.count("a named flow goes outside"),
            }
        }
        if !lost.is_empty() {
            self.count("labs with a lost flow");
            let node = planted.split(": ").nth(1).unwrap();
            let here = found.iter().filter(|one| is_error(one)).any(|one| text(one, "node") == node);
            self.count(if here { "the planted place is found" } else { "another place is found" });
        }
    }

    /// What is proposed is put into the file, in at most four rounds.
    fn mend(&mut self, planted: &str, file: &str, flows: &[Expected], mut found: Vec<serde_json::Value>) {
        let mut yaml = std::fs::read_to_string(file).unwrap();
        let mut rounds = 0;
        while found.iter().any(is_error) && rounds < 4 {
            let remedies = found.iter().filter(|one| is_error(one)).flat_map(|one| one["remedies"].as_array().unwrap());
            let fixes: Vec<&str> =
                remedies.filter(|remedy| remedy["kind"] == "yaml").map(|remedy| text(remedy, "text")).collect();
            if fixes.is_empty() {
                break;
            }
            yaml = fixes.iter().fold(yaml, |yaml, fix| with_fix(&yaml, fix));
            let fixed = write("fixed.yaml", &yaml);
            let applied = topo(&["apply", "--yes", "-q", &fixed]);
            if applied.code != 0 {
                self.wrong.push(format!("{planted}: what is proposed cannot be applied: {}\n{yaml}", applied.stderr));
                break;
            }
            found = findings(&fixed);
            rounds += 1;
        }
        if rounds == 0 {
            return;
        }
        let mended = !found.iter().any(is_error);
        self.count(if mended { "mended by what is proposed" } else { "not mended in four rounds" });
        // What was down until now asks for its addresses first.
        let back = || flows.iter().all(|one| one.flow.probe(&one.to));
        if mended && !sandbox::wait_for(Duration::from_secs(10), back) {
            self.wrong.push(format!("{planted}: nothing is found any more, and flows are lost\n{yaml}"));
        }
    }
}

fn is_error(finding: &serde_json::Value) -> bool {
    finding["severity"] == "error"
}

/// The lab, broken.
fn broken(seed: u64, lab: &Lab, flows: &[Expected], grades: &mut Grades) {
    let file = with_checks(lab, flows, &format!("broken-{seed}.yaml"));
    sandbox::apply(&file);
    lab.hand.iter().for_each(|line| _ = sh(line));
    serve(&lab.names());
    let planted = format!("seed {seed}: {}", lab.broken.first().unwrap());
    let found = findings(&file);
    grades.compare(&planted, flows, &found);
    grades.mend(&planted, &file, flows, found);
    topo(&["destroy", "--yes", "-q", "--kill", "lab"]).expect(0);
}

/// `TOPO_DOCTORED` labs (3; 200 in the long run), each whole and then broken in one place.
#[test]
fn labs_are_found_whole_or_broken() {
    sandbox::run_within("labs_are_found_whole_or_broken", Duration::from_secs(4 * 3600), || {
        let labs = number("TOPO_DOCTORED", 3);
        let first = number("TOPO_FIRST", 14);
        let mut grades = Grades::default();
        for seed in (first..).take(usize::try_from(labs).unwrap()) {
            let numbers = throws(seed, 400);
            let flows = whole(seed, &mut Dice::new(&numbers));
            // The same dice make the same lab, and then break it.
            let lab = Lab::throw(&mut Dice::new(&numbers), 1);
            broken(seed, &lab, &flows, &mut grades);
        }
        for (what, count) in &grades.counts {
            println!("{count:6} {what}");
        }
        assert!(grades.wrong.is_empty(), "{} are wrong:\n{}", grades.wrong.len(), grades.wrong.join("\n"));
    });
}

/// Every situation of `tests/flow` with a flow that stops is one that the doctor finds, where a check asks for it; and
/// the labs that come with topo have nothing wrong with them.
#[test]
fn labs_that_come_with_topo_are_whole() {
    sandbox::run("labs_that_come_with_topo_are_whole", || {
        let mut looked_at = 0;
        for entry in std::fs::read_dir(sandbox::in_repository("topologies")).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            // Those name interfaces or containers of a machine.
            let elsewhere = ["container.yaml", "docker-network.yaml", "bridge-and-docker.yaml"];
            if path.extension().is_none_or(|end| end != "yaml") || elsewhere.contains(&name.as_str()) {
                continue;
            }
            let output = topo(&["doctor", "--json", &path.to_string_lossy()]);
            let Ok(json) = serde_json::from_str::<serde_json::Value>(&output.stdout) else {
                panic!("{name}: {}{}", output.stdout, output.stderr)
            };
            let found = json["examined"][0]["findings"].as_array().unwrap().clone();
            // What this kernel lacks depends on the machine.
            let found: Vec<_> =
                found.iter().filter(|one| one["severity"] != "note" && one["code"] != "kernel-feature").collect();
            assert!(found.is_empty(), "{name}: {found:#?}");
            looked_at += 1;
        }
        assert!(looked_at > 15, "{looked_at}");
    });
}
