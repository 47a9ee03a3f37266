//! The program killed with SIGKILL before and after its requests to the kernel: the next `apply` completes what it
//! began, `destroy NAME` removes it without the file, `list` knows it, and so it is when that is killed, too.
//!
//! A quick run takes a part of the moments (`TOPO_CRASH=N` another one); `TOPO_CRASH=all` takes all of them,
//! `TOPO_CRASH=product` each in four ways: with and without the programs that it started, recovered by `apply` and by
//! `destroy`.

use crate::sandbox;
use crate::tracer;

use sandbox::{Options, assert_snapshot_with, quiet, sh, snapshot_with, topo, topo_path, write};
use std::time::{Duration, Instant};
use tracer::{Moment, What, run};

/// What the machine has before topo comes.
const MACHINE: &str = "
ip link add up0 type veth peer up1; ip link set up0 up mtu 1450; ip link set up1 up; ip address add 192.0.2.1/24 dev up0
ip route add 198.51.100.0/24 via 192.0.2.9
ip link add own0 type veth peer own1; ip link set own0 up; ip link set own1 up; ip address add 192.0.3.1/24 dev own0; ip route add 198.51.101.0/24 via 192.0.3.9
ip netns add guest; ip -n guest link set lo up
nft add table ip mine; nft add chain ip mine forward '{ type filter hook forward priority 0; }'; nft add rule ip mine forward counter
";

/// Every feature.
const FIRST: &str = r#"
name: crash
host:
  forwarding: true
  interfaces:
    br0: { bridge: { ports: [v1, v2] }, addresses: [10.7.0.1/24, "fd07::1/64"], ipv6: { dad: false } }
    up0: { existing: {}, mtu: 1300, addresses: [203.0.113.1/24] }
    mac0: { macvlan: { link: br0 } }
  routes: [{ to: 10.9.0.0/16, via: 10.7.0.2 }, { to: 10.10.0.0/16, type: blackhole, table: 100 }]
  rules: [{ priority: 100, from: 10.9.0.0/16, table: 100 }]
  neighbors: [{ address: 10.7.0.77, mac: "02:00:00:00:00:77", dev: br0 }]
  sysctls: { net.ipv4.ip_default_ttl: 63, net.ipv4.conf.up0.rp_filter: 2 }
  nat: [{ masquerade: { source: 10.7.0.0/24, out: "!br0" } }]
  firewall: { insert: [{ chain: ip mine forward, in: br0, accept: {} }] }
namespaces:
  RED:
    forwarding: ipv4
    sysctls: { net.ipv4.tcp_syncookies: 0, net.ipv4.conf.eth0.rp_filter: 1 }
    interfaces:
      eth0: { veth: host/v1, addresses: [10.7.0.2/24, "fd07::2/64"] }
      own: { existing: { from: host/own0 }, mtu: 1280, addresses: [192.0.3.7/24] }
    routes: [{ to: default, via: 10.7.0.1 }, { to: "fd08::/64", via: "fd07::1" }]
    neighbors: [{ address: 10.7.0.9, mac: "02:00:00:00:00:09", dev: eth0 }]
    dns: { nameservers: [10.7.0.1], hosts: { red: 10.7.0.2 } }
    firewall: { input: { policy: drop, rules: [{ state: [established, related], accept: {} }, { protocol: icmpv6, accept: {} }] } }
  BLUE:
    interfaces:
      eth0: { veth: host/v2, addresses: [10.7.0.3/24] }
      vx0: { vxlan: { id: 7, local: 10.7.0.3, fdb: [{ dst: 10.7.0.2 }] }, addresses: [10.8.0.3/24] }
    rules: [{ priority: 50, from: 10.8.0.0/24, table: 50 }]
  LONE: { interfaces: { e0: { veth: PEER/e0, addresses: [10.13.0.1/30] } }, routes: [{ to: default, via: 10.13.0.2 }] }
  PEER: { interfaces: { e0: { addresses: [10.13.0.2/30] } } }
  guest:
    existing: { netns: guest }
    interfaces: { in0: { veth: host/out0, addresses: [10.3.0.1/24] } }
    routes: [{ to: 10.4.0.0/16, via: 10.3.0.2 }]
    sysctls: { net.ipv4.ip_default_ttl: 60 }
"#;

/// The same after a change of most of it: in place, made anew, moved elsewhere, gone.
fn second() -> String {
    let changes = [
        ("forwarding: true", "forwarding: ipv4"),
        ("ports: [v1, v2]", "ports: [v1], forward-delay: 4s"),
        ("10.7.0.1/24, \"fd07::1/64\"", "10.7.0.1/24, 10.7.1.1/24"),
        ("mtu: 1300, addresses: [203.0.113.1/24]", "mtu: 1350, addresses: [203.0.113.2/24]"),
        ("via: 10.7.0.2 }, { to: 10.10.0.0/16", "via: 10.7.0.3, metric: 7 }, { to: 10.11.0.0/16"),
        ("mac: \"02:00:00:00:00:77\"", "mac: \"02:00:00:00:00:78\""),
        ("net.ipv4.ip_default_ttl: 63, ", ""),
        ("source: 10.7.0.0/24", "source: 10.7.0.0/25"),
        ("in: br0, accept", "in: br0, out: br0, accept"),
        (
            "own: { existing: { from: host/own0 }, mtu: 1280, addresses: [192.0.3.7/24] }",
            "two: { veth: GREEN/two, addresses: [10.12.0.1/24] }",
        ),
        ("10.7.0.2/24, \"fd07::2/64\"", "10.7.0.2/24"),
        (", { to: \"fd08::/64\", via: \"fd07::1\" }", ""),
        ("hosts: { red: 10.7.0.2 }", "search: [lab]"),
        ("policy: drop", "policy: accept"),
        ("id: 7,", "id: 8,"),
        ("table: 50", "table: 51"),
        ("10.3.0.1/24", "10.3.0.3/24"),
        ("  guest:\n", "  GREEN:\n    interfaces: { own: { existing: { from: host/own1 } } }\n  guest:\n"),
        (r#"    sysctls: { net.ipv4.ip_default_ttl: 60 }"#, ""),
    ];
    changes.iter().fold(FIRST.to_owned(), |text, (old, new)| {
        assert!(text.contains(old), "{old}");
        text.replace(old, new)
    })
}

/// A run that is killed.
struct Case<'a> {
    /// The file of the version that is there before; `None`: nothing is.
    from: Option<&'a str>,
    /// What is run.
    args: &'a [&'a str],
    /// The file of the version that is there afterwards.
    to: Option<&'a str>,
}

/// The machine as the cases find and leave it; records apart.
struct Seen {
    clean: String,
    from: String,
    to: String,
}

const PROGRAM: Options = Options {
    handles: false,
    indexes: false,
    known: String::new(),
    addresses: false,
    without_record: false,
    more: Vec::new(),
};

fn without_record() -> Options {
    Options { without_record: true, ..PROGRAM }
}

fn version(file: Option<&str>) {
    match file {
        Some(file) => topo(&["apply", "--yes", "--quiet", file]).expect(0),
        None => topo(&["destroy", "crash", "--yes", "--quiet"]).expect(0),
    };
}

fn state(file: Option<&str>) -> String {
    version(file);
    quiet(&without_record())
}

/// After the kill: `list` knows what is there.
fn listed(seen: &Seen, what: &str) {
    let list = topo(&["list", "--json"]).expect(0);
    let list: serde_json::Value = serde_json::from_str(&list.stdout).unwrap();
    let known = list["topologies"].as_array().unwrap().iter().find(|it| it["topology"] == "crash");
    match known.map(|it| it["state"].as_str().unwrap_or_default()) {
        Some("half-made") => {}
        state => {
            let start = Instant::now();
            let expected = if state.is_some() { [&seen.from, &seen.to] } else { [&seen.clean, &seen.clean] };
            loop {
                let now = snapshot_with(&without_record());
                if expected.contains(&&now) {
                    return;
                }
                assert!(
                    start.elapsed() < Duration::from_secs(5),
                    "{what}: listed as {state:?}, but the machine differs:\n{}",
                    sandbox::difference(expected[0], &now)
                );
            }
        }
    }
}

/// Which moments: all, or every so many, beginning where the seed says.
fn chosen(count: usize, few: usize) -> Vec<Moment> {
    let all = (1..=count)
        .flat_map(|request| [false, true].map(|after| Moment { request, after, what: What::Kill { all: false } }));
    let seed = std::env::var("TOPO_CRASH").ok();
    if seed.as_deref() == Some("all") {
        // Each way comes to each kind of moment sooner or later.
        return all.enumerate().map(|(at, moment)| Moment { what: What::Kill { all: at % 4 > 1 }, ..moment }).collect();
    }
    if seed.as_deref() == Some("product") {
        return all.flat_map(|moment| [moment, Moment { what: What::Kill { all: true }, ..moment }]).collect();
    }
    let seed: u64 = seed.map_or(1, |seed| seed.parse().expect("TOPO_CRASH is \"all\", \"product\" or a number"));
    println!("TOPO_CRASH={seed}");
    let step = (2 * count).div_ceil(few).max(1);
    let first = usize::try_from(seed).unwrap() % step;
    all.skip(first)
        .step_by(step)
        .enumerate()
        .map(|(at, moment)| Moment { what: What::Kill { all: at % 2 == 1 }, ..moment })
        .collect()
}

fn killed_everywhere(case: &Case<'_>, few: usize) {
    sh(MACHINE);
    std::thread::sleep(Duration::from_secs(2));
    let clean = quiet(&without_record());
    let to = state(case.to);
    version(None);
    let seen = Seen { from: state(case.from), to, clean };
    let count = run(topo_path(), case.args, None);
    assert_eq!(count.code, 0);
    let whole = quiet(&without_record());
    assert!(whole == seen.to, "one after the other differs from fresh:\n{}", sandbox::difference(&seen.to, &whole));
    let moments = chosen(count.requests, few);
    let long = std::env::var("TOPO_CRASH").is_ok_and(|form| form == "product");
    let (mut kills, mut again) = (0, 0);
    for (at, moment) in moments.iter().enumerate() {
        let forms: &[bool] = if long { &[false, true] } else { &[at % 2 == 0] };
        for complete in forms {
            version(case.from);
            let Some(what) = run(topo_path(), case.args, Some(*moment)).hit else { continue };
            kills += 1;
            println!("{} of {}: {what}; then {}", at + 1, moments.len(), if *complete { "apply" } else { "destroy" });
            listed(&seen, &what);
            let args: &[&str] = match case.to {
                Some(file) if *complete => &["apply", "--yes", file],
                _ => &["destroy", "crash", "--yes"],
            };
            // Killed during that, too.
            if (at + usize::from(*complete)) % 3 == 0 {
                let second = Moment {
                    request: 1 + (at * 37) % count.requests,
                    after: at % 2 == 0,
                    what: What::Kill { all: false },
                };
                if let Some(second) = run(topo_path(), args, Some(second)).hit {
                    println!("  and {second}");
                    again += 1;
                    listed(&seen, &second);
                }
            }
            let done = topo(args);
            assert!(done.code == 0, "{what}: {args:?} fails with {}:\n{}{}", done.code, done.stdout, done.stderr);
            let expected = if *complete && case.to.is_some() { &seen.to } else { &seen.clean };
            assert_snapshot_with(expected, &without_record());
            if *complete && let Some(file) = case.to {
                topo(&["plan", "--detailed-exitcode", file]).expect(0);
                topo(&["destroy", "crash", "--yes"]).expect(0);
                assert_snapshot_with(&seen.clean, &without_record());
            }
            assert!(
                !std::path::Path::new("/run/topo").exists(),
                "{what}: /run/topo stays: {}",
                sh("ls -lRa /run/topo")
            );
        }
    }
    println!("{} requests, killed {kills} times, {again} times again during the recovery", count.requests);
    assert!(kills > 0);
}

fn limit() -> Duration {
    Duration::from_secs(if std::env::var("TOPO_CRASH").is_ok_and(|form| form.parse::<u64>().is_err()) {
        4 * 3600
    } else {
        240
    })
}

#[test]
fn apply() {
    sandbox::run_within("apply", limit(), || {
        let file = write("first.yaml", FIRST);
        killed_everywhere(&Case { from: None, args: &["apply", "--yes", &file], to: Some(&file) }, 8);
    });
}

#[test]
fn change() {
    sandbox::run_within("change", limit(), || {
        let (first, second) = (write("first.yaml", FIRST), write("second.yaml", &second()));
        killed_everywhere(&Case { from: Some(&first), args: &["apply", "--yes", &second], to: Some(&second) }, 8);
    });
}

#[test]
fn destroy() {
    sandbox::run_within("destroy", limit(), || {
        let file = write("first.yaml", FIRST);
        killed_everywhere(&Case { from: Some(&file), args: &["destroy", "crash", "--yes"], to: None }, 8);
    });
}

#[test]
fn a_program_that_outlives_topo_is_waited_for() {
    sandbox::run("a_program_that_outlives_topo_is_waited_for", || {
        let clean = quiet(&PROGRAM);
        let file = write("table.yaml", "name: crash\nhost: { nat: [{ nft: 'ip saddr 10.7.0.0/24 masquerade' }] }\n");
        sh("mkdir /run/lock/bin
            printf '#!/bin/sh\\ncase \"$*\" in \"-f -\") : > /run/lock/begun; sleep 2;; esac\\nexec /usr/sbin/nft \"$@\"\\n' > /run/lock/bin/nft; chmod +x /run/lock/bin/nft");
        let slow = format!("/run/lock/bin:{}", std::env::var("PATH").unwrap_or_default());
        let mut child = std::process::Command::new(topo_path())
            .args(["apply", "--yes", "--quiet", &file])
            .env("PATH", slow)
            .spawn()
            .unwrap();
        assert!(sandbox::wait_for(Duration::from_secs(20), || std::path::Path::new("/run/lock/begun").exists()));
        child.kill().unwrap();
        child.wait().unwrap();
        let start = Instant::now();
        topo(&["destroy", "crash", "--yes"]).expect(0);
        println!("destroyed after {:?}", start.elapsed());
        std::thread::sleep(Duration::from_millis(2500));
        sh("rm -r /run/lock/bin /run/lock/begun");
        assert_snapshot_with(&clean, &PROGRAM);
    });
}
