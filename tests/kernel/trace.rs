//! What `topo trace` sees, against tcpdump and `nft monitor trace` beside it, and against the situations of
//! `tests/flow`; and that nothing of it stays.

#![allow(clippy::disallowed_methods, reason = "a test makes processes")]

use crate::explain::{said_by, serve};
use crate::sandbox;
use crate::tracer;

use sandbox::{apply, sh, topo, topo_path, wait_for, write};
use std::collections::BTreeSet;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tracer::{Moment, What, run};

/// A router that translates, and lets pings and one port through.
const LAB: &str = r#"
name: lab
namespaces:
  A:
    interfaces:
      a0: { veth: R/ra, addresses: [10.0.1.2/24, "fd01::2/64"] }
    routes: [{ to: default, via: 10.0.1.1 }, { to: default, via: "fd01::1" }]
  R:
    forwarding: true
    interfaces:
      ra: { addresses: [10.0.1.1/24, "fd01::1/64"] }
      rb: { bridge: { ports: [p0] }, addresses: [10.0.2.1/24, "fd02::1/64"] }
      p0: { veth: B/b0 }
    nat: [{ masquerade: { out: rb, source: 10.0.0.0/16 } }]
    firewall:
      forward:
        policy: drop
        rules: [{ protocol: icmp, accept: {} }, { protocol: icmpv6, accept: {} }, { protocol: tcp, port: 80, accept: {} }, { state: [established], accept: {} }]
  B:
    interfaces:
      b0: { addresses: [10.0.2.2/24, "fd02::2/64"] }
    routes: [{ to: default, via: "fd02::1" }]
"#;

fn lab() -> String {
    let file = write("lab.yaml", LAB);
    apply(&file);
    // Answers for an address on which duplicate address detection goes on are none.
    sh("sleep 2");
    file
}

fn json(words: &[&str]) -> serde_json::Value {
    let output = topo(&[&["trace", "--json"], words].concat());
    serde_json::from_str(&output.stdout).unwrap_or_else(|e| panic!("{e}: {}{}", output.stdout, output.stderr))
}

/// The hops there and back, in the words of the table.
fn hops(trace: &serde_json::Value) -> Vec<(String, Option<String>, String, String)> {
    let text = |value: &serde_json::Value| value.as_str().map(str::to_owned);
    let all = ["forth", "back"].into_iter().flat_map(|way| trace["flow"][way].as_array().unwrap());
    all.map(|hop| {
        let words = |key: &str| text(&hop[key]).unwrap_or_default();
        (words("node"), text(&hop["interface"]), words("what"), words("by"))
    })
    .collect()
}

fn tables() -> String {
    sh("for n in $(ls /run/netns); do ip netns exec $n nft list tables; done; nft list tables")
}

/// A program that runs beside, and what it has printed when it is ended.
struct Beside(Child, String);

impl Beside {
    fn start(name: &str, command: &str) -> Self {
        let file = format!("/run/lock/{name}");
        let out = std::fs::File::create(&file).unwrap();
        let errors = out.try_clone().unwrap();
        let mut program = Command::new("sh");
        program.args(["-c", &format!("exec {command}")]).stdin(Stdio::null()).stdout(out).stderr(errors);
        Self(program.spawn().unwrap(), file)
    }

    fn end(mut self) -> String {
        std::thread::sleep(Duration::from_millis(300));
        sh(&format!("kill -INT {}", self.0.id()));
        self.0.wait().unwrap();
        std::fs::read_to_string(&self.1).unwrap()
    }
}

/// `IFACE Out IP 10.0.1.2 > 10.0.2.2: ICMP echo request, …` of tcpdump's lines.
fn dumped(node: &str, text: &str) -> BTreeSet<String> {
    let echo = text.lines().filter(|line| line.contains("echo re"));
    echo.filter_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let way = words.iter().position(|word| matches!(*word, "In" | "Out"))?;
        Some(format!("{node} {} {}", words.get(way - 1)?, words[way].to_lowercase()))
    })
    .collect()
}

#[test]
fn tcpdump_and_nft_see_the_same() {
    sandbox::run("tcpdump_and_nft_see_the_same", || {
        lab();
        for (to, how) in [("10.0.2.2", "icmp"), ("fd02::2", "icmp6")] {
            let nodes = ["A", "R", "B"];
            let dumps: Vec<Beside> = nodes
                .iter()
                .map(|node| {
                    Beside::start(&format!("dump-{node}"), &format!("ip netns exec {node} tcpdump -lni any {how}"))
                })
                .collect();
            let monitor = Beside::start("monitor", "ip netns exec R nft monitor trace");
            assert!(
                wait_for(Duration::from_secs(10), || nodes.iter().all(|node| {
                    std::fs::read_to_string(format!("/run/lock/dump-{node}")).unwrap().contains("listening")
                })),
                "tcpdump does not listen"
            );
            std::thread::sleep(Duration::from_millis(500));
            let trace = json(&["A", to]);
            assert_eq!(trace["flow"]["verdict"], "reaches", "{trace:#}");
            assert_eq!(trace["agree"], true, "{trace:#}");
            let dumped: BTreeSet<String> =
                nodes.iter().zip(dumps).flat_map(|(node, dump)| self::dumped(node, &dump.end())).collect();
            let hops = hops(&trace);
            let seen: BTreeSet<String> = hops
                .iter()
                .filter_map(|(node, interface, what, _)| {
                    let way = if what.starts_with("comes in") { "in" } else { "out" };
                    Some(format!("{node} {} {way}", interface.as_ref()?))
                })
                .collect();
            assert_eq!(seen, dumped, "{trace:#}");
            // The rules of R, in their order, as nft has them.
            let monitored: Vec<String> = monitor
                .end()
                .lines()
                .filter(|line| !line.contains("topo_trace") && (line.contains(" rule ") || line.contains(" policy ")))
                .filter_map(|line| {
                    let mut words = line.split_whitespace().skip(3);
                    let place = [words.next()?, words.next()?, words.next()?].join(" ");
                    let rule = line.split(" rule ").nth(1).map(|rule| rule.split(" comment ").next().unwrap_or(rule));
                    Some(rule.map_or(format!("{place}: policy"), |rule| format!("{place}: {rule}")))
                })
                .collect();
            let ruled: Vec<String> = hops
                .iter()
                .filter(|(_, interface, ..)| interface.is_none())
                .map(|(.., by)| {
                    let by = by.split(" (handle ").next().unwrap();
                    by.split_once(": policy").map_or(by.to_owned(), |(place, _)| format!("{place}: policy"))
                })
                .collect();
            assert!(!ruled.is_empty() && ruled == monitored, "{ruled:#?}\n{monitored:#?}");
        }
    });
}

#[test]
fn whatever_ends_it_nothing_stays() {
    sandbox::run_within("whatever_ends_it_nothing_stays", Duration::from_secs(3600), || {
        let file = lab();
        let before = (tables(), sandbox::snapshot());
        let args = ["trace", "A", "10.0.2.2"];
        let count = run(
            topo_path(),
            &args,
            Some(Moment { request: usize::MAX, after: false, what: What::Kill { all: false } }),
        );
        assert_eq!(count.code, 0, "{}", count.stderr);
        let all = std::env::var("TOPO_CRASH").is_ok_and(|form| form == "all");
        let step = if all { 1 } else { count.requests.div_ceil(8).max(1) };
        let mut kills = 0;
        for request in (1..=count.requests).step_by(step) {
            for after in [false, true] {
                let moment = Moment { request, after, what: What::Kill { all: false } };
                let Some(what) = run(topo_path(), &args, Some(moment)).hit else { continue };
                kills += 1;
                assert!(wait_for(Duration::from_secs(3), || tables() == before.0), "after {what}: {}", tables());
            }
        }
        println!("{} requests, killed {kills} times", count.requests);
        assert!(kills > 4, "{} requests", count.requests);
        sandbox::assert_snapshot(&before.1);
        // Beside one that is under way the topology is what it was, and can go.
        let mut under_way = Command::new(topo_path());
        under_way.args(["trace", "A", "10.0.2.99", "--timeout", "3"]).stdout(Stdio::null()).stderr(Stdio::null());
        let mut under_way = under_way.spawn().unwrap();
        assert!(wait_for(Duration::from_secs(3), || tables().contains("topo_trace")));
        topo(&["plan", "--detailed-exitcode", &file]).expect(0);
        topo(&["trace", "A", "10.0.2.2"]).expect(0);
        topo(&["destroy", "--yes", &file]).expect(0);
        under_way.wait().unwrap();
    });
}

/// The situations of `tests/flow`, some of them; `TOPO_TRACES=all` has all.
#[test]
fn situations_are_seen() {
    sandbox::run_within("situations_are_seen", Duration::from_secs(900), || {
        let mut files: Vec<_> = std::fs::read_dir(sandbox::in_repository("tests/flow"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        files.sort();
        let step = if std::env::var_os("TOPO_TRACES").is_some() { 1 } else { 5 };
        let mut wrong = Vec::new();
        for path in files.iter().step_by(step) {
            let case = path.file_stem().unwrap().to_string_lossy().into_owned();
            let text = std::fs::read_to_string(path).unwrap();
            let (flow, says) = (said_by(&text, "flow").remove(0), said_by(&text, "says").remove(0));
            let file = write("case.yaml", &text);
            topo(&["apply", "--yes", "-q", &file]).expect(0);
            said_by(&text, "hand").iter().for_each(|hand| _ = sh(hand));
            let nodes: Vec<String> = sh("ls /run/netns").split_whitespace().map(str::to_owned).collect();
            serve(&nodes);
            let trace = json(&flow.split(' ').collect::<Vec<_>>());
            let words: Vec<&str> = says.split(' ').collect();
            let reason = &trace["flow"]["reason"];
            let same = trace["flow"]["verdict"] == words[0]
                && (words[0] == "reaches" || reason["node"] == words[words.len() - 1]);
            if !same || trace["agree"] != true {
                wrong.push(format!("{case}: {says}, and it is seen: {:#}", trace["flow"]));
            }
            topo(&["destroy", "--yes", "-q", "--kill", "flow"]).expect(0);
        }
        assert!(tables().trim().is_empty(), "{}", tables());
        assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n"));
    });
}

#[test]
fn what_cannot_be_asked() {
    sandbox::run("what_cannot_be_asked", || {
        topo(&["trace", "A", "B"]).expect(1).says("there is no topology and no node \"A\" here");
        lab();
        topo(&["trace", "A"]).expect(64).says("it is not said from where to where");
        topo(&["trace", "A", "C"]).expect(1).says("there is no node \"C\"");
        topo(&["trace", "A", "B", "sctp/5"]).expect(64).says("icmp, tcp/PORT or udp/PORT");
        topo(&["trace", "A", "B", "--timeout", "1000"]).expect(64).says("from 0.01 to 60 seconds");
        topo(&["trace", "A", "B", "tcp/81"]).expect(2).says("inet topo-lab forward: policy drop");
        // Nothing hears it there.
        topo(&["trace", "A", "B", "tcp/80"]).expect(2).says("refused");
        // What is too long for the first interface is not sent in pieces.
        topo(&["trace", "A", "B", "--size", "1400"]).expect(0);
        sh("ip -n A link set a0 mtu 1300; ip -n R link set ra mtu 1300");
        for to in ["10.0.2.2", "fd02::2"] {
            let trace = json(&["A", to, "--size", "1400"]);
            assert_eq!(
                (trace["flow"]["verdict"].as_str(), &trace["agree"]),
                (Some("stops"), &true.into()),
                "{trace:#}"
            );
            topo(&["trace", "A", to, "--size", "1300"]).expect(0);
        }
        topo(&["trace", "R", "203.0.113.9"]).expect(2).says("no route");
    });
}

/// The blocks of the page that show a trace; `TOPO_REWRITE=1` writes them anew.
#[test]
fn the_page_shows_traces() {
    sandbox::run("the_page_shows_traces", || {
        let (mut yaml, mut blocks) = (String::new(), 0);
        sandbox::page("docs/explain.md", |language, text| match language {
            "yaml" => {
                text.clone_into(&mut yaml);
                None
            }
            "text trace" => {
                blocks += 1;
                apply(&write("lab.yaml", &yaml));
                let line = text.lines().next().unwrap();
                let words: Vec<&str> = line.trim_start_matches("$ sudo topo ").split(' ').collect();
                let output = topo(&[&words, &["--color", "never"][..]].concat());
                Some(format!("{line}\n{}", output.stdout))
            }
            _ => None,
        });
        assert!(blocks >= 2, "{blocks} blocks");
    });
}

#[test]
fn a_check_that_fails_is_followed() {
    sandbox::run("a_check_that_fails_is_followed", || {
        let checks = "checks:\n  - tcp: { from: A, to: \"10.0.2.2:81\", retries: 0, timeout: 300ms }\n";
        let file = write("lab.yaml", &format!("{LAB}{checks}"));
        apply(&file);
        let by = "dropped by the policy of a chain (inet topo-lab forward: policy drop)";
        let output = topo(&["test", "--trace", &file]).expect(1);
        let said = output.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(said.contains(&format!("seen by a packet: stops at R: {by}")), "{}", output.stdout);
        let json: serde_json::Value =
            serde_json::from_str(&topo(&["test", "--trace", "--json", &file]).expect(1).stdout).unwrap();
        assert!(json.to_string().contains(by), "{json:#}");
        // Without the word no packet is sent.
        let output = topo(&["test", &file]).expect(1);
        assert!(!output.stdout.contains("seen by a packet"), "{}", output.stdout);
    });
}

/// What is held against the packet is what `explain` says, which knows what others have on the host.
#[test]
fn the_explanation_beside_it_is_that_of_explain() {
    sandbox::run("the_explanation_beside_it_is_that_of_explain", || {
        sh("ip netns add internet; ip link add ext0 type veth peer name ext1 netns internet
            ip address add 192.0.2.5/24 dev ext0; ip link set ext0 up
            ip -n internet address add 192.0.2.1/24 dev ext1; ip -n internet link set ext1 up
            ip -n internet address add 203.0.113.9/32 dev lo; ip -n internet link set lo up
            ip route add default via 192.0.2.1");
        let lab = "name: lab\nhost:\n  forwarding: ipv4\n  interfaces: { lab0: { bridge: { ports: [red0] }, addresses: [10.80.0.1/24] } }\n  nat: [{ masquerade: { source: 10.80.0.0/24, out: ext0 } }]\nnamespaces:\n  RED:\n    interfaces: { eth0: { veth: host/red0, addresses: [10.80.0.2/24] } }\n    routes: [{ to: default, via: 10.80.0.1 }]\n";
        apply(&write("lab.yaml", lab));
        let trace = json(&["RED", "203.0.113.9"]);
        let output = topo(&["explain", "RED", "203.0.113.9", "--json"]);
        let explained: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
        assert_eq!(trace["explain"], explained["flows"][0], "{trace:#}");
        let by: Vec<&str> =
            trace["explain"]["forth"].as_array().unwrap().iter().filter_map(|hop| hop["by"].as_str()).collect();
        assert!(by.iter().any(|by| by.contains("default via 192.0.2.1 dev ext0")), "{trace:#}");
        assert_eq!((&trace["flow"]["verdict"], &trace["agree"]), (&"reaches".into(), &true.into()), "{trace:#}");
    });
}
