//! Bad lines on the real kernel, compared with what `tc` says of them.

use crate::sandbox;

use sandbox::{Options as Compared, assert_snapshot_with, run_needing, run_needing_within, sh, topo, write};
use serde_json::{Value, json};
use std::time::Duration;
use topo::apply::{self, Options};
use topo::document::{self, Source};
use topo::kernel::Kernel;
use topo::linux::Linux;
use topo::model::Model;
use topo::plan::{self, Plan};
use topo::resource::State;

/// What a file wants.
fn wanted(text: &str) -> State {
    let source = Source { name: "test.yaml".into(), text: text.into() };
    let document = document::parse(&source).unwrap_or_else(|findings| panic!("{findings:?}\n{text}"));
    let (topology, findings) = document::lower(&document, &source);
    assert!(findings.is_empty(), "{findings:?}\n{text}");
    topology.state
}

fn plan_of(wanted: &State) -> Plan {
    let observed = Linux::new().unwrap().observe(wanted).unwrap();
    plan::make(wanted, &observed).unwrap_or_else(|conflicts| panic!("{conflicts:?}"))
}

fn shown(plan: &Plan) -> Vec<String> {
    plan.changes
        .iter()
        .map(|change| format!("{:?} {} {} {:?}", change.action, change.id.kind(), change.id, change.drift))
        .collect()
}

/// Carries a plan out, and sees that nothing is left to do. Answers with what was done.
fn reach(wanted: &State) -> Vec<String> {
    let plan = plan_of(wanted);
    let report = apply::run(
        &mut Linux::new().unwrap(),
        &plan,
        &Options { rollback: false, interrupted: Default::default() },
        &mut |_| {},
    );
    assert!(report.failure.is_none(), "{:?}\n{:#?}", report.failure, shown(&plan));
    assert!(report.leftover.is_empty(), "{:#?}", report.leftover);
    let again = plan_of(wanted);
    assert!(again.is_empty(), "{:#?}", shown(&again));
    shown(&plan)
}

/// Two namespaces and a cable between them, with this of its first end.
fn cable(more: &str) -> String {
    format!(
        "{{name: t, namespaces: {{A: {{interfaces: {{eth0: {{veth: B/eth0, addresses: [10.9.0.1/24]{more}}}}}}}, B: {{interfaces: {{eth0: {{addresses: [10.9.0.2/24]}}}}}}}}}}"
    )
}

/// The root qdisc of an interface, as `tc` says.
fn root(node: &str, dev: &str) -> Value {
    let namespace = if node == "host" { String::new() } else { format!("-n {node}") };
    let all: Value = serde_json::from_str(&sh(&format!("tc {namespace} -j qdisc show dev {dev} root"))).unwrap();
    all.as_array().unwrap().iter().find(|qdisc| qdisc["root"] == true).cloned().unwrap_or(Value::Null)
}

/// Sees that `tc` says these options, and of the rest that it does nothing.
fn assert_netem(node: &str, handle: &str, options: &Value) {
    let there = root(node, "eth0");
    assert_eq!((&there["kind"], &there["handle"]), (&json!("netem"), &json!(handle)), "{there}");
    let mut all = json!({ "limit": 1000, "ecn": false, "gap": 0 });
    all.as_object_mut().unwrap().extend(options.as_object().unwrap().clone());
    assert_eq!(there["options"], all);
}

/// From any line to any other on paper, whatever becomes of the link that it is on.
#[test]
fn every_line_to_every_other_on_paper() {
    let lines = [
        "",
        "loss: 1%",
        "loss: 2%, limit: 7",
        "delay: 5ms, jitter: 1ms",
        "delay: 5ms, jitter: 1ms, distribution: normal",
        "rate: 1mbit, delay: 5ms",
    ];
    let mut versions = vec![State::empty("t".into())];
    for line in lines.iter().map(|line| if line.is_empty() { String::new() } else { format!(", impair: {{{line}}}") }) {
        versions.push(wanted(&cable(&line)));
        versions.push(wanted(
            &cable(&line).replace("B/eth0", "B/eth1").replace("B: {interfaces: {eth0", "B: {interfaces: {eth1"),
        ));
        versions.push(wanted(&format!(
            "{{name: t, host: {{interfaces: {{br0: {{bridge: {{}}{line}}}}}}}, namespaces: {{A: {{interfaces: {{lo: {{addresses: [10.9.9.9/32]{line}}}}}}}}}}}"
        )));
    }
    for from in &versions {
        for to in &versions {
            let mut kernel = Model::bare("t".into());
            for wanted in [from, to, &versions[0]] {
                let plan = plan::make(wanted, &kernel.observe(wanted).unwrap())
                    .unwrap_or_else(|conflicts| panic!("{conflicts:?}"));
                let report = apply::run(
                    &mut kernel,
                    &plan,
                    &Options { rollback: false, interrupted: Default::default() },
                    &mut |_| {},
                );
                assert!(report.failure.is_none(), "{:?}\n{:#?}", report.failure, shown(&plan));
                assert!(report.leftover.is_empty(), "{:#?}", report.leftover);
            }
        }
    }
}

#[test]
fn every_attribute_alone() {
    run_needing("every_attribute_alone", &["netem"], || {
        let compared = Compared::default();
        let before = sandbox::quiet(&compared);
        reach(&wanted(&cable("")));
        assert_eq!(root("A", "eth0")["kind"], "noqueue");
        // Each is there alone at first, then changed one at a time; what is not said is off again.
        let delay = |delay: f64, jitter: f64| json!({ "delay": delay, "jitter": jitter, "correlation": 0 });
        let share = |name: &str, share: f64| json!({ name: share, "correlation": 0 });
        let rate = |rate: u64| json!({ "rate": rate, "packetoverhead": 0, "cellsize": 0, "celloverhead": 0 });
        let steps = [
            ("delay: 20ms", "7470:", json!({ "delay": delay(0.02, 0.0) })),
            ("delay: 1500us", "7470:", json!({ "delay": delay(0.0015, 0.0) })),
            ("delay: 1500us, jitter: 1ms", "7470:", json!({ "delay": delay(0.0015, 0.001) })),
            ("delay: 1500us, jitter: 1ms, distribution: normal", "7471:", json!({ "delay": delay(0.0015, 0.001) })),
            ("delay: 1500us, jitter: 1ms, distribution: pareto", "7472:", json!({ "delay": delay(0.0015, 0.001) })),
            ("delay: 1500us, jitter: 2ms, distribution: pareto", "7472:", json!({ "delay": delay(0.0015, 0.002) })),
            (
                "delay: 1500us, jitter: 2ms, distribution: paretonormal",
                "7473:",
                json!({ "delay": delay(0.0015, 0.002) }),
            ),
            ("delay: 1500us, jitter: 2ms", "7470:", json!({ "delay": delay(0.0015, 0.002) })),
            ("loss: 0.5%", "7470:", json!({ "loss-random": share("loss", 0.005) })),
            ("loss: 100%", "7470:", json!({ "loss-random": share("loss", 1.0) })),
            ("duplicate: 1%", "7470:", json!({ "duplicate": share("duplicate", 0.01) })),
            ("corrupt: 0.1%", "7470:", json!({ "corrupt": share("corrupt", 0.001) })),
            (
                "delay: 20ms, reorder: 25%",
                "7470:",
                json!({ "delay": delay(0.02, 0.0), "reorder": share("reorder", 0.25), "gap": 1 }),
            ),
            ("delay: 20ms", "7470:", json!({ "delay": delay(0.02, 0.0) })),
            ("rate: 10mbit", "7470:", json!({ "rate": rate(1_250_000) })),
            ("rate: 100gbit", "7470:", json!({ "rate": rate(12_500_000_000) })),
            ("rate: 8bit", "7470:", json!({ "rate": rate(1) })),
            ("limit: 7", "7470:", json!({ "limit": 7 })),
        ];
        let mut handle = "none";
        for (impair, expected, options) in steps {
            let done = reach(&wanted(&cable(&format!(", impair: {{{impair}}}"))));
            let word = if handle == "none" {
                "Create"
            } else if handle == expected {
                "Update"
            } else {
                "Replace"
            };
            assert!(done.len() == 1 && done[0].starts_with(&format!("{word} qdisc A/eth0")), "{impair}: {done:?}");
            assert_netem("A", expected, &rounded(options, &root("A", "eth0")["options"]));
            handle = expected;
        }
        let done = reach(&wanted(&cable("")));
        assert!(done.len() == 1 && done[0].starts_with("Delete qdisc"), "{done:?}");
        assert_eq!((&root("A", "eth0")["kind"], &root("A", "eth0")["handle"]), (&json!("noqueue"), &json!("0:")));
        reach(&State::empty("t".into()));
        assert_snapshot_with(&before, &compared);
    });
}

/// `expected` with the numbers of `there` where they are the same but for what printing costs.
fn rounded(expected: Value, there: &Value) -> Value {
    match (expected, there) {
        (Value::Object(map), there) => Value::Object(
            map.into_iter().map(|(key, value)| (key.clone(), rounded(value, &there[key.as_str()]))).collect(),
        ),
        (Value::Number(number), Value::Number(there))
            if (number.as_f64().unwrap() - there.as_f64().unwrap()).abs() < 2e-6 =>
        {
            Value::Number(there.clone())
        }
        (value, _) => value,
    }
}

/// A stream of numbers that look random (`xorshift64*`).
struct Dice(u64);

impl Dice {
    fn throw(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) % below
    }

    fn one_of<'a>(&mut self, words: &[&'a str]) -> &'a str {
        words[self.throw(words.len() as u64) as usize]
    }

    fn impair(&mut self) -> String {
        let mut keys = vec![format!("limit: {}", 1 + self.throw(100_000))];
        if self.throw(3) > 0 {
            keys.push(format!("delay: {}.{}{}", self.throw(999), 1 + self.throw(999), self.one_of(&["s", "ms", "us"])));
            if self.throw(2) == 0 {
                keys.push(format!("jitter: {}{}", 1 + self.throw(1999), self.one_of(&["ms", "us", "ns"])));
                keys.push(format!("distribution: {}", self.one_of(&["uniform", "normal", "pareto", "paretonormal"])));
            }
            if self.throw(3) == 0 {
                keys.push(format!("reorder: {}%", self.throw(101)));
            }
        }
        for name in ["loss", "duplicate", "corrupt"] {
            if self.throw(2) == 0 {
                keys.push(format!("{name}: {}.{:03}%", self.throw(100), self.throw(1000)));
            }
        }
        if self.throw(2) == 0 {
            keys.push(format!(
                "rate: {}.{}{}",
                1 + self.throw(999),
                self.throw(100),
                self.one_of(&["kbit", "mbit", "gbit", "mibit", "kbps", "mbps"])
            ));
        }
        keys.join(", ")
    }
}

/// Any values that a person writes, each from the one before it, and nothing left to do.
#[test]
fn any_line_after_any_other() {
    run_needing_within("any_line_after_any_other", &["netem"], Duration::from_secs(60), || {
        let mut dice = Dice(0x7470);
        let lines: usize = std::env::var("TOPO_IMPAIR").ok().and_then(|lines| lines.parse().ok()).unwrap_or(40);
        for _ in 0..lines {
            let impair = dice.impair();
            println!("{impair}");
            reach(&wanted(&cable(&format!(", impair: {{{impair}}}"))));
        }
        reach(&State::empty("t".into()));
    });
}

#[test]
fn edits_by_hand_are_seen_and_repaired() {
    run_needing("edits_by_hand_are_seen_and_repaired", &["netem", "tbf", "fq_codel", "htb"], || {
        let lines =
            wanted(&cable(", impair: { delay: 20ms, jitter: 5ms, distribution: normal, loss: 1%, rate: 10mbit }"));
        reach(&lines);
        let good = root("A", "eth0");
        let edits = [
            "tc -n A qdisc del dev eth0 root",
            "tc -n A qdisc change dev eth0 root netem delay 20ms 4ms loss 1% rate 10mbit",
            "tc -n A qdisc change dev eth0 root netem delay 20ms 5ms loss 1.0001% rate 10mbit",
            "tc -n A qdisc change dev eth0 root netem delay 20ms 5ms 25% loss 1% rate 10mbit",
            "tc -n A qdisc change dev eth0 root netem delay 20ms 5ms loss gemodel 1% 10% rate 10mbit",
            "tc -n A qdisc change dev eth0 root netem delay 20ms 5ms loss 1% rate 10mbit 20",
            "tc -n A qdisc change dev eth0 root netem delay 20ms 5ms loss 1% rate 10mbit slot 10ms 20ms",
            "tc -n A qdisc change dev eth0 root netem delay 20ms 5ms loss 1% reorder 10% gap 5 rate 10mbit",
            "tc -n A qdisc change dev eth0 root netem delay 20ms 5ms loss 1% ecn rate 10mbit",
            "tc -n A qdisc change dev eth0 root netem limit 999 delay 20ms 5ms loss 1% rate 10mbit",
            "tc -n A qdisc del dev eth0 root; tc -n A qdisc add dev eth0 root netem delay 20ms 5ms loss 1% rate 10mbit",
            "tc -n A qdisc del dev eth0 root; tc -n A qdisc add dev eth0 root handle 7470: netem delay 20ms 5ms loss 1% rate 10mbit",
            "tc -n A qdisc del dev eth0 root; tc -n A qdisc add dev eth0 root tbf rate 10mbit burst 32k latency 50ms",
            "tc -n A qdisc replace dev eth0 root handle 1: htb default 10; tc -n A class add dev eth0 parent 1: classid 1:10 htb rate 10mbit",
            "ip -n A link del eth0",
        ];
        for edit in edits {
            sh(edit);
            assert!(!plan_of(&lines).is_empty(), "not seen: {edit}");
            println!("{edit}\n  {:?}", reach(&lines));
            assert_eq!(root("A", "eth0"), good, "{edit}");
        }
        // Where none is wanted.
        for edit in [
            "tc -n B qdisc add dev eth0 root fq_codel",
            "tc -n B qdisc add dev eth0 root netem loss 1%",
            "tc -n A qdisc add dev lo root handle 7470: netem loss 1%",
        ] {
            sh(edit);
            let done = reach(&lines);
            assert!(done.len() == 1 && done[0].starts_with("Delete qdisc"), "{edit}: {done:?}");
            assert_eq!((&root("B", "eth0")["handle"], &root("A", "lo")["handle"]), (&json!("0:"), &json!("0:")));
        }
    });
}

/// What topo took away of somebody's comes back with an undo, with its options.
#[test]
fn an_undo_brings_the_qdisc_of_before() {
    run_needing("an_undo_brings_the_qdisc_of_before", &["netem", "tbf"], || {
        let file = write("t.yaml", &cable(""));
        topo(&["apply", "--yes", &file]).expect(0);
        let theirs = [
            "tc -n A qdisc replace dev eth0 root tbf rate 10mbit burst 32k latency 50ms",
            "tc -n A qdisc replace dev eth0 root netem delay 7ms 3ms 25% loss gemodel 1% 10%",
        ];
        for theirs in theirs {
            sh(theirs);
            let before = root("A", "eth0");
            write("t.yaml", &cable(", impair: { loss: 3% }"));
            topo(&["apply", "--yes", &file]).expect(0);
            assert_eq!(root("A", "eth0")["handle"], "7470:");
            topo(&["undo", "--yes", "t"]).expect(0);
            let after = root("A", "eth0");
            assert_eq!((&after["kind"], &after["options"]), (&before["kind"], &before["options"]));
            sh("tc -n A qdisc del dev eth0 root");
        }
        // From a line of ours to another, and back.
        write("t.yaml", &cable(", impair: { delay: 20ms, jitter: 1ms, distribution: normal }"));
        topo(&["apply", "--yes", &file]).expect(0);
        let before = root("A", "eth0");
        write("t.yaml", &cable(", impair: { rate: 1mbit }"));
        topo(&["apply", "--yes", &file]).expect(0);
        topo(&["undo", "--yes", "t"]).expect(0);
        assert_eq!(root("A", "eth0"), before);
    });
}

#[test]
fn an_interface_of_somebody_else_is_given_back() {
    run_needing("an_interface_of_somebody_else_is_given_back", &["netem", "tbf", "ifb"], || {
        // One without a queue, and one that the kernel gives a queue of its own.
        sh("sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
            ip link add own0 type veth peer name own1; ip link set own0 up; ip link set own1 up
            ip link add ifb7 type ifb; ip link set ifb7 up");
        let compared = Compared::default();
        let before = (sandbox::quiet(&compared), root("host", "own0"), root("host", "ifb7"));
        assert_eq!((&before.1["kind"], &before.2["handle"]), (&json!("noqueue"), &json!("0:")));
        assert_ne!(before.2["kind"], "noqueue");
        let text = "{name: t, host: {interfaces: {own0: {existing: {}, mtu: 1400, impair: { loss: 1% }}, ifb7: {existing: {}, impair: { delay: 5ms, jitter: 1ms, distribution: pareto }}}}}";
        let file = write("t.yaml", text);
        reach(&wanted(text));
        assert_eq!(
            (&root("host", "own0")["handle"], &root("host", "ifb7")["handle"]),
            (&json!("7470:"), &json!("7472:"))
        );
        topo(&["show", "t"]).expect(0).says("qdisc on ifb7 netem delay 5ms, jitter 1ms, distribution pareto");
        let yaml = write("again.yaml", &topo(&["show", "--yaml", "t"]).expect(0).stdout);
        topo(&["plan", "--detailed-exitcode", &yaml]).expect(0);
        // Another topology finds out whose it is.
        let other =
            write("other.yaml", "{name: other, host: {interfaces: {own0: {existing: {}, impair: { loss: 2% }}}}}");
        topo(&["plan", &other])
            .expect(1)
            .says("netem at the root of host/own0 already exists and belongs to topology \"t\"");
        // One of somebody else that came in its place stays, also when the topology goes.
        sh("tc qdisc del dev own0 root; tc qdisc add dev own0 root tbf rate 10mbit burst 32k latency 50ms");
        topo(&["plan", &file])
            .expect(1)
            .says("tbf at the root of host/own0 already exists and belongs to another program or user")
            .says("tc qdisc delete dev own0 root");
        topo(&["destroy", "--yes", "t"]).expect(0);
        assert_eq!((&root("host", "own0")["kind"], root("host", "ifb7")), (&json!("tbf"), before.2.clone()));
        sh("tc qdisc del dev own0 root");
        assert_eq!(root("host", "own0"), before.1);
        assert_snapshot_with(&before.0, &compared);
        // Found by its mark where there is no record any more.
        reach(&wanted(text));
        sh("rm -r /run/topo; ip link set own0 mtu 1500");
        topo(&["list"]).expect(0).says("qdisc on own0 in host, qdisc on ifb7 in host");
        topo(&["destroy", "--all", "--yes"]).expect(0);
        assert_eq!((root("host", "own0"), root("host", "ifb7")), (before.1, before.2));
        assert_snapshot_with(&before.0, &compared);
    });
}

/// On links of ours on the host others may do what the file does not speak of; what it speaks of is ours.
#[test]
fn a_link_of_ours_on_the_host() {
    run_needing("a_link_of_ours_on_the_host", &["netem", "fq_codel"], || {
        let text = |more: &str| {
            format!(
                "{{name: t, host: {{interfaces: {{p0: {{veth: A/eth0, mtu: 1400{more}}}}}}}, namespaces: {{A: {{}}}}}}"
            )
        };
        reach(&wanted(&text("")));
        sh("tc qdisc add dev p0 root netem loss 5%");
        assert!(plan_of(&wanted(&text(""))).is_empty());
        reach(&wanted(&text(", impair: { loss: 5% }")));
        assert_eq!(root("host", "p0")["handle"], "7470:");
        // The link is made anew, and its line with it.
        sh("ip link del p0");
        reach(&wanted(&text(", impair: { loss: 5% }")));
        assert_eq!(root("host", "p0")["handle"], "7470:");
        reach(&wanted(&text("")));
        assert_eq!(root("host", "p0")["kind"], "noqueue");
        reach(&State::empty("t".into()));
    });
}

/// A third of the packets is lost, and every other comes twice; each direction for itself.
#[test]
fn losses_and_doubles_are_counted() {
    run_needing("losses_and_doubles_are_counted", &["netem"], || {
        reach(&wanted(&cable(", impair: { loss: 33% }")));
        let count = |node: &str, to: &str| {
            // Addresses are found out first: a question that is lost would cost more packets than one.
            sh("for i in 1 2 3 4 5 6 7 8 9; do ip netns exec A ping -c 1 -W 1 10.9.0.2 >/dev/null && break; done");
            let text = sandbox::try_sh(&format!("ip netns exec {node} ping -q -c 300 -i 0.01 -W 1 {to}")).stdout;
            let line = text.lines().find(|line| line.contains("packets transmitted")).expect("a summary").to_owned();
            println!("{line}");
            let number = |word: &str| {
                line.split(", ")
                    .find_map(|part| part.strip_suffix(word))
                    .map_or(0, |number| number.trim_start_matches('+').parse::<u32>().unwrap())
            };
            (number(" received"), number(" duplicates"))
        };
        // 200 on average, with a deviation of 8: seven of them are more than any chance.
        let (received, doubles) = count("A", "10.9.0.2");
        assert!((143..=257).contains(&received) && doubles == 0, "{received} of 300 came back");
        reach(&wanted(&cable(", impair: { duplicate: 50% }")));
        let (received, doubles) = count("A", "10.9.0.2");
        assert!(received == 300 && (90..=210).contains(&doubles), "{received} of 300 came back, and {doubles} twice");
    });
}

/// The words of `--commands` do the same, as far as `tc` is exact: that of iproute2 6.1 counts delays in 64 ns.
#[test]
fn the_commands_do_the_same() {
    run_needing("the_commands_do_the_same", &["netem"], || {
        let lines = [
            "delay: 20ms, jitter: 5ms, distribution: normal, loss: 0.123456%, duplicate: 1%, corrupt: 0.1%, reorder: 25%, rate: 1.5mbit, limit: 2000",
            "delay: 1240us, jitter: 8us, distribution: normal",
            "rate: 40gbit",
            "delay: 20ms, reorder: 1%",
            "loss: 7%",
        ];
        reach(&wanted(&cable("")));
        for impair in lines {
            let text = cable(&format!(", impair: {{{impair}}}"));
            let file = write("t.yaml", &text);
            let commands = topo(&["plan", "--commands", &file]).expect(0).stdout;
            println!("{commands}");
            assert!(commands.lines().all(|line| line.starts_with("tc -n A qdisc ")), "{commands}");
            sh(&commands);
            let rest = plan_of(&wanted(&text));
            assert!(rest.is_empty(), "{impair}: {:#?}", shown(&rest));
        }
    });
}
