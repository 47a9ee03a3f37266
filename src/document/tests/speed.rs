//! What reading costs.

use super::{findings, good};
use std::time::{Duration, Instant};

/// A measurement, run by hand on a release build: `W1=FILE cargo test --release speed -- --ignored --nocapture`.
#[test]
#[ignore = "a measurement"]
fn speed() {
    let Ok(path) = std::env::var("W1") else { return };
    let text = std::fs::read_to_string(path).unwrap();
    for _ in 0..5 {
        let started = Instant::now();
        let source = super::source(&text);
        let document = crate::document::parse::parse(&source).unwrap();
        let parsed = started.elapsed();
        let (topology, _) = crate::document::parse::lower(&document, &source);
        println!(
            "{} bytes, {} resources: parse {parsed:?}, all {:?}",
            text.len(),
            topology.state.items.len(),
            started.elapsed()
        );
    }
}

/// The processor's time that this thread has used (`Documentation/scheduler/sched-stats.rst`): what else the machine
/// does is no fault of a file.
fn spent() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(text.split_whitespace().next().unwrap().parse().unwrap())
}

/// Files made to hurt are refused within a second.
#[test]
#[expect(clippy::too_many_lines, reason = "a list of files")]
fn hostile_files_are_cheap() {
    let mut bomb = "name: x\nhost: {}\na0: &a0 [x,x,x,x,x,x,x,x,x]\n".to_owned();
    for n in 1..10 {
        let m = n - 1;
        bomb.push_str(&format!("a{n}: &a{n} [*a{m},*a{m},*a{m},*a{m},*a{m},*a{m},*a{m},*a{m},*a{m}]\n"));
    }
    let big = 8 << 20;
    let files = [
        ("alias bomb", bomb),
        ("deep flow", "[".repeat(100_000)),
        ("deep maps", (0..100).map(|n| format!("{}a:\n", " ".repeat(n))).collect()),
        ("many values", format!("name: [{}]", "a,".repeat(big / 2 - 10))),
        ("many unknown keys", (0..400_000).map(|n| format!("k{n}: 1\n")).collect()),
        (
            "many namespaces",
            format!("name: x\nnamespaces:\n{}", (0..149_000).map(|n| format!(" n{n}:\n")).collect::<String>()),
        ),
        ("a long text", format!("name: \"{}\"", "x".repeat(big - 20))),
        (
            "many addresses",
            format!(
                "name: x\nhost: {{interfaces: {{lo: {{addresses: [{}]}}}}}}",
                (0..240_000).map(|n| format!("10.{}.{}.{}/8,", n >> 16, (n >> 8) & 255, n & 255)).collect::<String>()
            ),
        ),
        (
            "many vlans",
            format!(
                "name: x\nnamespaces: {{A: {{interfaces: {{br: {{bridge: {{vlan-filtering: true}}}},{}}}}},B: {{}}}}",
                (0..900)
                    .map(|n| format!(
                        "p{n}: {{veth: B/p{n}, master: br, port-vlan: {{trunk: 1-4094, native: {}}}}},",
                        n + 1
                    ))
                    .collect::<String>()
            ),
        ),
        (
            "one vlan many times",
            format!(
                "name: x\nhost: {{interfaces: {{a: {{existing: {{}}, port-vlan: {{trunk: [{}]}}}}}}}}",
                "1-4094,".repeat(140_000)
            ),
        ),
        (
            "many rules",
            format!("name: x\nhost: {{firewall: {{input: {{rules: [{}]}}}}}}", "{accept: {}},".repeat(62_000)),
        ),
        (
            "many bridges",
            format!(
                "name: x\nhost: {{interfaces: {{{}}}}}",
                (0..19_999).map(|n| format!("b{n}: {{bridge: {{}}}},")).collect::<String>()
            ),
        ),
        (
            "many unknown ports",
            format!(
                "name: x\nhost: {{interfaces: {{br: {{bridge: {{ports: [{}]}}}},{}}}}}",
                "nobody,".repeat(30_000),
                (0..19_998).map(|n| format!("b{n}: {{bridge: {{}}}},")).collect::<String>()
            ),
        ),
        (
            "many good routes",
            format!(
                "name: x\nhost: {{routes: [{}]}}",
                (0..40_000)
                    .map(|n| format!("{{to: 10.0.{}.{}, type: blackhole}},", n >> 8, n & 255))
                    .collect::<String>()
            ),
        ),
        ("many routes", format!("name: x\nhost: {{routes: [{}]}}", "{},".repeat(200_000))),
        ("a long plain line", "x ".repeat(big / 2)),
        ("newlines", "\n".repeat(big)),
        ("comments", "#\n".repeat(big / 2)),
        ("duplicate keys", format!("name: x\n{}", "name: x\n".repeat(200_000))),
        ("too large", "x".repeat(big + 1)),
    ];
    for (name, text) in files {
        let started = spent();
        let found = findings(&text);
        let took = spent().saturating_sub(started);
        println!(
            "{name}: {took:?}, {} findings, first {:?}",
            found.len(),
            found.first().map(|f| (f.code, f.message.chars().take(80).collect::<String>()))
        );
        // The debug build is many times slower than what people run.
        assert!(took.as_secs() < if cfg!(debug_assertions) { 30 } else { 1 }, "{name}: {took:?}");
    }
}

/// Lists of an inserted rule are multiplied out, up to a limit.
#[test]
fn lists_do_not_explode() {
    let list = (1..=200).map(|n| format!("10.0.0.{n}")).collect::<Vec<_>>().join(",");
    let text = format!(
        "name: x\nhost: {{ firewall: {{ insert: [{{ chain: ip filter FORWARD, source: [{list}], destination: [{list}], accept: {{}} }}] }} }}"
    );
    assert_eq!(findings(&text)[0].code, "too-many-rules");
    good(&text.replacen(&list, "10.0.0.1", 1));
}
