//! Beside a real Docker daemon, in a sandbox of its own (`tests/neighbor-lane/run`, which unpacks Debian's Docker where
//! it is missing).
//!
//! Where that cannot be had: `cargo test -- --skip docker_`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test fails by panicking"
)]

use crate::sandbox;

use sandbox::{Options, assert_snapshot_with, in_repository, quiet, sh, topo, try_sh, write};
use std::time::Duration;

fn docker(name: &str, test: impl FnOnce()) {
    let lane = in_repository("tests/neighbor-lane/run");
    sandbox::run_by(&["bash", &lane, "docker", "--"], name, Duration::from_secs(240), test);
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
        topo(&["apply", "--yes", &plain]).expect(0);
        assert!(!ping("RED", "10.0.0.2"), "Docker's FORWARD policy should stop the bridge");

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
        assert!(ping("GUEST", &address), "the container is not reached over docker0");
        sh("docker exec c1 ping -c 1 -W 2 172.17.200.1");
        topo(&["destroy", "--yes", &file]).expect(0);
        assert_snapshot_with(&before, &options);
        assert_eq!(rules(), rules_before);
        sh("docker exec c1 ping -c 1 -W 2 172.17.0.1");
    });
}
