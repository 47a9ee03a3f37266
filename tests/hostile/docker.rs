//! Beside a real Docker daemon, in a sandbox of its own (`tests/neighbor-lane/run`, which unpacks Debian's Docker where
//! it is missing).
//!
//! Where that cannot be had: `cargo test -- --skip docker_`.

#![allow(clippy::disallowed_methods, reason = "a test makes processes")]

use crate::sandbox;

use crate::neighbors_real::mended_by_doctor as mended;
use sandbox::{Options, assert_snapshot_with, in_repository, quiet, sh, topo, try_sh, write};
use std::time::Duration;

fn docker(name: &str, test: impl FnOnce()) {
    docker_within(name, Duration::from_secs(240), test);
}

fn docker_within(name: &str, limit: Duration, test: impl FnOnce()) {
    let lane = in_repository("tests/neighbor-lane/run");
    sandbox::run_by(&["bash", &lane, "docker", "--"], name, limit, test);
}

const BRIDGE: &str = r#"
name: lab
host:
  interfaces:
    lab0: { bridge: { ports: [red0, blue0] } }
namespaces:
  RED: { interfaces: { eth0: { veth: host/red0, addresses: [10.0.0.1/24] } } }
  BLUE: { interfaces: { eth0: { veth: host/blue0, addresses: [10.0.0.2/24] } } }
"#;

const INSERT: &str = r#"  firewall:
    insert:
      - { chain: "ip filter DOCKER-USER", in: lab0, out: lab0, accept: {} }
namespaces:"#;

/// The rules of iptables, without counters and dates.
fn rules() -> String {
    sh("iptables-save | grep -v '^#' | sed 's/\\[[0-9:]*\\]//'")
}

fn ping(from: &str, to: &str) -> bool {
    try_sh(&format!("topo exec {from} -- ping -q -c 2 -i 0.2 -W 1 {to}")).code == 0
}

/// Starts a container with the address that Docker gives it; answers with its process and that address.
fn container(name: &str) -> (String, String) {
    sh(&format!("docker run -d --name {name} --stop-timeout 0 box sleep 1000"));
    let inspect = |what: &str| sh(&format!("docker inspect -f '{{{{.{what}}}}}' {name}")).trim().to_owned();
    (inspect("State.Pid"), inspect("NetworkSettings.IPAddress"))
}

#[test]
fn docker_stops_a_bridge_until_a_rule_lets_it_pass() {
    docker("docker_stops_a_bridge_until_a_rule_lets_it_pass", || {
        let before = rules();
        assert!(before.contains(":FORWARD DROP"), "{before}");
        let plain = write("plain.yaml", BRIDGE);
        let warned = topo(&["apply", "--yes", &plain]).expect(0);
        assert!(
            warned.stderr.contains("stop frames that cross the bridge lab0 of host [bridge-filter]"),
            "{}",
            warned.stderr
        );
        assert!(!ping("RED", "10.0.0.2"), "Docker's FORWARD policy should stop the bridge");
        let mended = mended("mended.yaml", BRIDGE, &["bridge-filter"]);
        assert!(ping("RED", "10.0.0.2") && ping("BLUE", "10.0.0.1"), "{}", rules());
        topo(&["plan", "--detailed-exitcode", &mended]).expect(0);
        topo(&["apply", "--yes", "--no-doctor", &plain]).expect(0);
        let explained = topo(&["explain", "--color", "never", "RED", "BLUE"]).expect(2);
        assert!(explained.stdout.contains("ip filter FORWARD: policy drop"), "{}", explained.stdout);
        let fix = "  - { chain: \"ip filter DOCKER-USER\", source: 10.0.0.1, destination: 10.0.0.2, protocol: icmp, accept: {} }";
        assert!(explained.stdout.contains(fix), "{}", explained.stdout);
        let answers = "      - { chain: \"ip filter DOCKER-USER\", state: [established, related], accept: {} }\n";
        let proposed = format!(
            "lab0: {{ bridge: {{ ports: [red0, blue0] }} }}\n  firewall:\n    insert:\n    {fix}\n{answers}namespaces:"
        );
        let proposed = write(
            "proposed.yaml",
            &BRIDGE.replace("lab0: { bridge: { ports: [red0, blue0] } }\nnamespaces:", &proposed),
        );
        topo(&["apply", "--yes", &proposed]).expect(0);
        assert!(ping("RED", "10.0.0.2"), "{}", rules());
        topo(&["explain", "RED", "BLUE"]).expect(0);
        topo(&["apply", "--yes", &plain]).expect(0);

        let inserted = write("inserted.yaml", &BRIDGE.replace("namespaces:", INSERT));
        topo(&["apply", "--yes", &inserted]).expect(0);
        topo(&["plan", "--detailed-exitcode", &inserted]).expect(0);
        assert!(ping("RED", "10.0.0.2"), "{}", rules());

        sh("docker-stop; docker-start");
        topo(&["plan", "--detailed-exitcode", &inserted]).expect(0);
        assert!(ping("RED", "10.0.0.2"), "{}", rules());

        // Saved and restored by iptables' own programs, the rule is still ours and still in place.
        sh("iptables-save >/run/lock/saved; iptables-restore </run/lock/saved");
        topo(&["plan", "--detailed-exitcode", &inserted]).expect(0);

        topo(&["destroy", "--yes", "lab"]).expect(0);
        assert_eq!(rules(), before);
    });
}

#[test]
fn docker_container_joins_and_leaves() {
    docker("docker_container_joins_and_leaves", || {
        let (pid, address) = container("c1");
        let (_, other) = container("c2");
        let options = Options {
            handles: true,
            indexes: true,
            addresses: true,
            more: vec![format!("/proc/{pid}/ns/net")],
            ..Options::default()
        };
        let before = quiet(&options);
        let rules_before = rules();
        let file = write(
            "join.yaml",
            &format!(
                r#"
name: join
host:
  interfaces:
    lab0: {{ bridge: {{}} }}
  firewall:
    insert:
      - {{ chain: "ip filter DOCKER-USER", in: lab0, out: lab0, accept: {{}} }}
namespaces:
  RED:
    interfaces:
      eth0: {{ veth: {{ bridge: host/lab0 }}, addresses: [10.0.0.1/24] }}
  C1:
    existing: {{ pid: {pid} }}
    interfaces:
      lab: {{ veth: {{ bridge: host/lab0 }}, addresses: [10.0.0.9/24] }}
    routes:
      - {{ to: 10.77.0.0/16, via: 10.0.0.1 }}
"#
            ),
        );
        topo(&["apply", "--yes", &file]).expect(0);
        topo(&["plan", "--detailed-exitcode", &file]).expect(0);
        assert!(ping("RED", "10.0.0.9"), "the container is not reached");
        sh("docker exec c1 ping -c 1 -W 2 10.0.0.1");
        sh(&format!("docker exec c2 ping -c 1 -W 2 {address}; docker exec c1 ping -c 1 -W 2 {other}"));
        topo(&["destroy", "--yes", "join"]).expect(0);
        assert_snapshot_with(&before, &options);
        assert_eq!(rules(), rules_before);
        sh(&format!("docker exec c1 ping -c 1 -W 2 {other}"));
    });
}

#[test]
fn docker_bridge_takes_a_namespace() {
    docker("docker_bridge_takes_a_namespace", || {
        let (_, address) = container("c1");
        let options = Options { handles: true, indexes: true, addresses: true, ..Options::default() };
        let before = quiet(&options);
        let rules_before = rules();
        let file = write(
            "guest.yaml",
            r#"
name: guest
host:
  interfaces:
    docker0: { existing: {} }
namespaces:
  GUEST:
    interfaces:
      eth0: { veth: { bridge: host/docker0 }, addresses: [172.17.200.1/16] }
    routes: [{ to: default, via: 172.17.0.1 }]
"#,
        );
        topo(&["apply", "--yes", &file]).expect(0);
        topo(&["plan", "--detailed-exitcode", &file]).expect(0);
        topo(&["doctor", &file]).expect(0);
        assert!(ping("GUEST", &address), "the container is not reached over docker0");
        sh("docker exec c1 ping -c 1 -W 2 172.17.200.1");
        topo(&["destroy", "--yes", &file]).expect(0);
        assert_snapshot_with(&before, &options);
        assert_eq!(rules(), rules_before);
        sh("docker exec c1 ping -c 1 -W 2 172.17.0.1");
    });
}

/// What a lab on Docker's bridge may get wrong: an address that a container has, rules in a chain of Docker's own, a
/// container that a restart of Docker ends.
#[test]
fn docker_is_seen_by_the_doctor() {
    docker("docker_is_seen_by_the_doctor", || {
        let (_, address) = container("c1");
        let file = write(
            "guest.yaml",
            &format!(
                r#"
name: guest
host:
  interfaces:
    docker0: {{ existing: {{}} }}
  firewall:
    insert:
      - {{ chain: "ip filter DOCKER", in: docker0, accept: {{}} }}
namespaces:
  GUEST:
    interfaces:
      eth0: {{ veth: {{ bridge: host/docker0 }}, addresses: [{address}/16] }}
  C1: {{ existing: {{ container: c1 }} }}
"#
            ),
        );
        let output = topo(&["doctor", "--color", "never", &file]).expect(2);
        for part in [
            "error[address-taken]",
            "is taken on its segment",
            "warning[docker-chain]",
            "warning[docker-restart]",
            "\"live-restore\": true",
        ] {
            assert!(output.stdout.contains(part), "no {part:?}:\n{}", output.stdout);
        }
        // Beside what works it has nothing to say.
        let fine = std::fs::read_to_string(&file).unwrap().replace(&format!("{address}/16"), "172.17.200.1/16");
        let fine = fine
            .replace("ip filter DOCKER\"", "ip filter DOCKER-USER\"")
            .replace("  C1: { existing: { container: c1 } }\n", "");
        let fine = write("fine.yaml", &fine);
        let output = topo(&["doctor", "--color", "never", &fine]).expect(0);
        assert!(output.stdout.contains("Nothing found."), "{}", output.stdout);
        topo(&["apply", "--yes", &fine]).expect(0);
        assert!(ping("GUEST", &address), "{}", rules());
        let output = topo(&["doctor", "--color", "never", &fine]).expect(0);
        assert!(output.stdout.contains("Nothing found."), "{}", output.stdout);
    });
}

/// Docker starts and stops containers all the time: its interfaces come and go while a lab with a switch for all
/// interfaces is made and taken away. `TOPO_CHURN=2000` sets how many times.
#[test]
fn docker_comes_and_goes_while_topo_works() {
    docker_within("docker_comes_and_goes_while_topo_works", Duration::from_secs(3600), || {
        let file = write(
            "lab.yaml",
            r#"
name: lab
host:
  forwarding: true
  interfaces:
    lab0: { bridge: {}, addresses: [10.99.0.1/24] }
  nat: [{ masquerade: { source: 10.99.0.0/24, out: "!lab0" } }]
  firewall: { insert: [{ chain: "ip filter DOCKER-USER", in: lab0, accept: {} }] }
namespaces:
  RED:
    interfaces: { eth0: { veth: { bridge: host/lab0 }, addresses: [10.99.0.2/24] } }
    routes: [{ to: default, via: 10.99.0.1 }]
"#,
        );
        sh("docker run -d --name c0 --stop-timeout 0 box sleep 100000");
        let (before, rules_before) = (quiet(&Options::default()), rules());
        let churn = "n=0; while :; do n=$((n+1)); docker run -d --rm --name t$n --stop-timeout 0 box sleep 60; docker rm -f t$((n-2)); done";
        let mut churn = std::process::Command::new("sh")
            .args(["-c", churn])
            .stdin(std::process::Stdio::null())
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let rounds: usize = std::env::var("TOPO_CHURN").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(100);
        for round in 0..rounds {
            for command in [&["apply", "--yes", "-q", &file][..], &["destroy", "--yes", "-q", "lab"]] {
                let done = topo(command);
                assert_eq!((done.code, done.stderr.as_str()), (0, ""), "round {round}: {command:?}");
            }
            if round % 100 == 99 {
                println!("{} of {rounds}", round + 1);
            }
        }
        let started = sh("docker ps -a --format '{{.Names}}' | sed -n 's/^t//p' | sort -n | tail -n 1");
        let started: usize = started.trim().parse().unwrap();
        churn.kill().unwrap();
        churn.wait().unwrap();
        // One may be on its way already, which `docker rm` calls an error.
        let gone = || {
            try_sh("docker ps -aq --filter name=t | xargs -r docker rm -f");
            sh("docker ps -aq --filter name=t").trim().is_empty()
        };
        assert!(sandbox::wait_for(Duration::from_secs(60), gone), "containers stay");
        println!("{rounds} rounds, {started} containers");
        assert!(started * 10 > rounds, "only {started} containers came and went");
        assert!(!std::fs::exists("/run/topo").unwrap());
        assert_eq!(rules(), rules_before);
        assert_snapshot_with(&before, &Options::default());
    });
}
