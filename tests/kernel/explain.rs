//! What `topo explain` says, against real packets: random labs, whole and broken, random flows through them.

#![allow(clippy::disallowed_methods, reason = "a test makes processes")]

use crate::generator::labs::Lab;
use crate::generator::{Dice, number, throws};
use crate::sandbox;
use sandbox::{Output, apply, sh, topo, try_sh, with_fix, write};
use std::collections::BTreeMap;
use std::time::Duration;

/// A flow, as `topo explain` is asked for it.
#[derive(Clone, Debug)]
pub struct Flow {
    pub from: String,
    pub to: String,
    pub carries: &'static str,
    pub family: &'static str,
    pub size: Option<u32>,
}

impl Flow {
    pub fn throw(dice: &mut Dice<'_>, nodes: &[String]) -> Self {
        let from = dice.below(nodes.len());
        let to = (from + 1 + dice.below(nodes.len() - 1)) % nodes.len();
        let carries = ["icmp", "icmp", "tcp/80", "udp/53", "tcp/8080", "tcp/22"][dice.below(6)];
        let family = if dice.once_in(3) { "6" } else { "4" };
        let size = (carries == "icmp" && dice.once_in(5)).then_some(1400);
        Self { from: nodes[from].clone(), to: nodes[to].clone(), carries, family, size }
    }

    pub fn args(&self) -> Vec<String> {
        let size = self.size.map(|size| format!("--size={size}"));
        let all = [self.from.clone(), self.to.clone(), self.carries.to_owned(), format!("--family={}", self.family)];
        all.into_iter().chain(size).chain(["--json".to_owned()]).collect()
    }

    /// Whether a real packet gets there, and its answer back. `None` where nobody listens.
    pub fn probe(&self, to: &str) -> bool {
        let (node, address) = (&self.from, if to.contains(':') { format!("[{to}]") } else { to.to_owned() });
        let command = match self.carries.split_once('/') {
            None => {
                let head = if self.family == "4" { 28 } else { 48 };
                let size = self.size.map_or(56, |size| size - head);
                format!("ip netns exec {node} ping -{} -n -c1 -W1 -M do -s {size} {to}", self.family)
            }
            // A connection that is made and has no data through it is none.
            Some(("tcp", port)) => format!(
                "echo x | ip netns exec {node} timeout 3 socat -T2 - TCP{}:{address}:{port},connect-timeout=1 | grep -q x",
                self.family
            ),
            Some((_, port)) => format!(
                "echo x | ip netns exec {node} timeout 3 socat -T1 - UDP{}:{address}:{port} | grep -q x",
                self.family
            ),
        };
        try_sh(&command).code == 0
    }
}

/// Servers on the ports that flows go to, in every node; they say what they hear.
pub fn serve(nodes: &[String]) {
    for node in nodes {
        for (kind, port) in [("TCP6-LISTEN", 80), ("TCP6-LISTEN", 22), ("TCP6-LISTEN", 8080), ("UDP6-RECVFROM", 53)] {
            sh(&format!(
                "ip netns exec {node} setsid -f socat {kind}:{port},fork,reuseaddr,ipv6only=0 EXEC:cat >/dev/null 2>&1 </dev/null"
            ));
        }
    }
    std::thread::sleep(Duration::from_millis(300));
}

/// What an explanation says: the verdict, the address, and the code and node of the reason.
pub fn said(output: &Output) -> (String, String, String) {
    let json: serde_json::Value =
        serde_json::from_str(&output.stdout).unwrap_or_else(|e| panic!("{e}: {}{}", output.stdout, output.stderr));
    let flow = &json["flows"][0];
    let reason = &flow["reason"];
    let why = reason["code"].as_str().map_or(String::new(), |code| {
        format!("{code} at {}: {}", reason["node"].as_str().unwrap_or(""), reason["what"].as_str().unwrap_or(""))
    });
    (flow["verdict"].as_str().unwrap().to_owned(), flow["destination"].as_str().unwrap().to_owned(), why)
}

/// One lab and its flows; what was counted, and what went wrong.
fn one(seed: u64, flows: usize, counts: &mut BTreeMap<String, usize>) -> Vec<String> {
    let numbers = throws(seed, 400);
    let mut dice = Dice::new(&numbers);
    let breaks = dice.below(4);
    let lab = Lab::throw(&mut dice, breaks);
    let file = write(&format!("lab-{seed}.yaml"), &lab.yaml());
    apply(&file);
    lab.hand.iter().for_each(|line| _ = sh(line));
    let nodes = lab.names();
    serve(&nodes);
    let asked: Vec<Flow> = (0..flows).map(|_| Flow::throw(&mut dice, &nodes)).collect();
    let answers: Vec<_> = std::thread::scope(|scope| {
        let each = |flow: &Flow| {
            let args = flow.args();
            let words: Vec<&str> = std::iter::once("explain").chain(args.iter().map(String::as_str)).collect();
            let written = said(&topo(&[words.as_slice(), &["--file", &file]].concat()));
            // The address may have gone with its interface.
            let mut to_address = words.clone();
            to_address[2] = &written.1;
            let live = said(&topo(&to_address));
            // A packet that is lost for another reason than the lab gets a second chance.
            let real = flow.probe(&written.1) || live.0 == "reaches" && flow.probe(&written.1);
            (flow.clone(), live, written, real)
        };
        let chunks: Vec<_> = asked
            .chunks(asked.len().div_ceil(6))
            .map(|chunk| scope.spawn(move || chunk.iter().map(each).collect::<Vec<_>>()))
            .collect();
        chunks.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    let mut wrong = traced(seed, &lab, &answers[0].0, &answers[0].1, counts);
    for (flow, live, written, real) in answers {
        let packet = if real { "reaches" } else { "stops" };
        *counts.entry(format!("packets that {packet}")).or_default() += 1;
        // What was changed on the machine is not in the file.
        let both = [("live", &live), ("file", &written)];
        for (by, said) in both.into_iter().take(if lab.hand.is_empty() { 2 } else { 1 }) {
            if said.0 == "cannot-say" {
                *counts.entry(format!("{by}: cannot say: {}", said.2)).or_default() += 1;
            } else if said.0 == packet {
                *counts.entry(format!("{by}: right")).or_default() += 1;
                if by == "live" && !real {
                    *counts.entry(format!("stops by {}", said.2.split(' ').next().unwrap())).or_default() += 1;
                }
            } else {
                wrong.push(format!(
                    "seed {seed}, {by}, broken {:?}: {flow:?} to {}: says {} ({}), the packet {packet}",
                    lab.broken, said.1, said.0, said.2
                ));
            }
        }
    }
    topo(&["destroy", "--yes", "--kill", &file]).expect(0);
    wrong
}

/// One of the flows, by a packet that is watched: it does what `explain` says, where that says something.
fn traced(
    seed: u64,
    lab: &Lab,
    flow: &Flow,
    live: &(String, String, String),
    counts: &mut BTreeMap<String, usize>,
) -> Vec<String> {
    let mut args = flow.args();
    args[1].clone_from(&live.1);
    let words: Vec<&str> = std::iter::once("trace").chain(args.iter().map(String::as_str)).collect();
    let output = topo(&words);
    let json: serde_json::Value =
        serde_json::from_str(&output.stdout).unwrap_or_else(|e| panic!("{e}: {}{}", output.stdout, output.stderr));
    let seen = json["flow"]["verdict"].as_str().unwrap().to_owned();
    *counts.entry(format!("traced: {seen}")).or_default() += 1;
    let same = json["agree"] == true && [&live.0, "cannot-say"].contains(&seen.as_str()) || live.0 == "cannot-say";
    if same {
        return Vec::new();
    }
    vec![format!("seed {seed}, trace, broken {:?}: {flow:?}: explain says {live:?}, it is seen: {json:#}", lab.broken)]
}

/// `TOPO_FLOWS` packets (200; 5,000 in the long run), twenty to a lab.
#[test]
fn explanations_are_what_packets_do() {
    sandbox::run_within("explanations_are_what_packets_do", Duration::from_secs(4 * 3600), || {
        let flows = number("TOPO_FLOWS", 200);
        let first = number("TOPO_FIRST", 1);
        let (mut counts, mut wrong) = (BTreeMap::new(), Vec::new());
        for seed in first..first + flows.div_ceil(20) {
            wrong.extend(one(seed, 20, &mut counts));
        }
        for (what, count) in &counts {
            println!("{count:6} {what}");
        }
        assert!(wrong.is_empty(), "{} of {flows} are wrong:\n{}", wrong.len(), wrong.join("\n"));
    });
}

/// What a case of `tests/flow` says of itself in its comments.
pub fn said_by(text: &str, key: &str) -> Vec<String> {
    let start = format!("# {key}: ");
    text.lines().filter_map(|line| line.strip_prefix(&start)).map(str::to_owned).collect()
}

/// Asks the machine, and then a packet: both are to say `says`.
fn agree(case: &str, flow: &str, says: &str) -> Output {
    let words: Vec<&str> = flow.split(' ').collect();
    let (first, family) = (words[0].to_owned(), if words[1].contains(':') { "6" } else { "4" });
    let carries = ["icmp", "tcp/80", "udp/53", "tcp/8080"].into_iter().find(|known| *known == words[2]).unwrap();
    let size = words.get(3).and_then(|size| size.strip_prefix("--size=")).map(|size| size.parse().unwrap());
    let asked = Flow { from: first, to: words[1].to_owned(), carries, family, size };
    let real = if asked.probe(words[1]) { "reaches" } else { "stops" };
    let output = topo(&[&["explain"], words.as_slice()].concat());
    let json = said(&topo(&[&["explain", "--json"], words.as_slice()].concat()));
    let short = if json.0 == "reaches" {
        json.0.clone()
    } else {
        format!("{} {}", json.0, json.2.split(':').next().unwrap().replace(" at ", " "))
    };
    assert_eq!(short, says, "{case}: what the machine says\n{}", output.stdout);
    assert_eq!(json.0, real, "{case}: the packet {real}\n{}", output.stdout);
    output
}

/// The situations of `tests/flow`: what is said of each, live and of the file alone, what a packet does, and that what
/// is proposed lets the packet through.
#[test]
fn situations_are_explained() {
    sandbox::run("situations_are_explained", || {
        let mut files: Vec<_> = std::fs::read_dir(sandbox::in_repository("tests/flow"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        files.sort();
        assert!(files.len() > 40);
        for path in files {
            let case = path.file_stem().unwrap().to_string_lossy().into_owned();
            let text = std::fs::read_to_string(&path).unwrap();
            let (flow, says) = (said_by(&text, "flow").remove(0), said_by(&text, "says").remove(0));
            let file = write("case.yaml", &text);
            topo(&["apply", "--yes", "-q", &file]).expect(0);
            let hands = said_by(&text, "hand");
            for hand in &hands {
                sh(hand);
            }
            let nodes: Vec<String> = sh("ls /run/netns").split_whitespace().map(str::to_owned).collect();
            serve(&nodes);
            agree(&case, &flow, &says);
            let words: Vec<&str> = flow.split(' ').collect();
            let code = if says == "reaches" { 0 } else { 2 };
            if hands.is_empty() {
                let written = topo(&[&["explain", "--file", &file], words.as_slice()].concat());
                // The file does not say what servers are bound to, nor addresses that the kernel makes up.
                assert!(
                    written.code == code || written.code == 3,
                    "{case}: of the file alone: {}\n{}",
                    written.code,
                    written.stdout
                );
            }
            // What is written where nothing was done by hand can be mended in the file.
            if hands.is_empty() && code == 2 && said_by(&text, "fix").is_empty() {
                let json: serde_json::Value = serde_json::from_str(
                    &topo(&[&["explain", "--json", "--file", &file], words.as_slice()].concat()).stdout,
                )
                .unwrap();
                let fix = json["flows"][0]["reason"]["fix"][0].as_str().unwrap_or_else(|| panic!("{case}: no fix"));
                let fixed = write("fixed.yaml", &with_fix(&text, fix));
                topo(&["apply", "--yes", "-q", &fixed]).expect(0);
                agree(&format!("{case}, with {fix}"), &flow, "reaches");
            }
            topo(&["destroy", "--yes", "-q", "--kill", "flow"]).expect(0);
        }
    });
}
