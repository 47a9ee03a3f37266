//! Containers of a real Docker and a real podman, found by their names (`tests/neighbor-lane/run`).
//!
//! Where they cannot be had: `cargo test -- --skip docker_ --skip neighbor_`.

use crate::sandbox;

use sandbox::{assert_snapshot, in_repository, quiet, sh, snapshot, topo, write};
use std::time::Duration;

fn beside(neighbor: &str, name: &str, test: impl FnOnce()) {
    let lane = in_repository("tests/neighbor-lane/run");
    sandbox::run_by(&["bash", &lane, neighbor, "--"], name, Duration::from_secs(240), test);
}

/// A namespace and a container, which are the ends of a pair.
fn lab(existing: &str) -> String {
    format!(
        "
name: lab
namespaces:
  RED: {{ interfaces: {{ eth0: {{ veth: WEB/lab, addresses: [10.0.0.1/24] }} }} }}
  WEB:
    existing: {{ {existing} }}
    interfaces: {{ lab: {{ addresses: [10.0.0.2/24] }} }}
    routes: [{{ to: 10.5.0.0/16, via: 10.0.0.1 }}]
"
    )
}

/// The container is joined, starts anew, is joined again, stops, and leaves nothing.
fn by_name(runtime: &str, run: &str) {
    let file = write("lab.yaml", &lab("container: web"));
    topo(&["plan", &file]).expect(1).says("neither Docker nor podman has such a container");
    sh(&format!(
        "{runtime} run -d --name other {run} box sleep 1000; {runtime} run -d --name web {run} box sleep 1000"
    ));
    quiet(&sandbox::Options::default());
    let before = snapshot();
    let reached = || {
        topo(&["plan", "--detailed-exitcode", &file]).expect(0);
        topo(&["exec", "RED", "ping", "-c", "1", "-W", "2", "10.0.0.2"]).expect(0);
        let inside = sh(&format!("{runtime} exec web ip -o -4 address show dev lab; {runtime} exec web ip route"));
        assert!(inside.contains("10.0.0.2/24") && inside.contains("10.5.0.0/16 via 10.0.0.1 dev lab"), "{inside}");
        assert_eq!(sh(&format!("{runtime} exec other ip -o link show | grep -c lab || true")).trim(), "0");
    };
    topo(&["apply", "--yes", &file]).expect(0);
    reached();
    // What is shown says which program has it, and is a file with an empty plan.
    let shown = topo(&["show", "lab", "--yaml"]).expect(0).says(&format!("container: web runtime: {runtime}")).stdout;
    topo(&["plan", "--detailed-exitcode", &write("shown.yaml", &shown)]).expect(0);
    topo(&["exec", "WEB", "ip", "-br", "link", "show", "lab"]).expect(0);

    for again in ["restart -t 0 web", "stop -t 0 web >/dev/null; RUNTIME start web"] {
        sh(&format!("{runtime} {}", again.replace("RUNTIME", runtime)));
        topo(&["exec", "WEB", "true"])
            .expect(1)
            .says("that was configured is gone, and another one is found there now");
        let plan = topo(&["plan", "--detailed-exitcode", &file]).expect(2);
        plan.says("container web (WEB) was started anew").says("+ link lab").says("+ route 10.5.0.0/16");
        topo(&["apply", "--yes", &file]).expect(0);
        reached();
    }
    // The commands of a plan find it, too.
    topo(&["destroy", "--yes", "lab"]).expect(0);
    assert_snapshot(&before);
    let plan = topo(&["plan", "--commands", &file]).expect(0).says(&format!("{runtime} inspect")).stdout;
    sh(&format!("set -e\n{plan}"));
    sh("ip netns exec RED ping -c 1 -W 2 10.0.0.2");
    topo(&["apply", "--yes", &file]).expect(0);
    reached();

    sh(&format!("{runtime} stop -t 0 web"));
    topo(&["plan", &file])
        .expect(1)
        .says("container web: it does not run")
        .says(&format!("start it: {runtime} start web"));
    topo(&["destroy", "--yes", &file]).expect(0);
    assert_eq!(sh("ls /run/netns; ls /run | grep -x topo || true"), "");
    topo(&["plan", &write("which.yaml", &lab("container: web, runtime: none"))]).expect(65).says("\"none\" is not");
    let other = if runtime == "docker" { "podman" } else { "docker" };
    let elsewhere = write("elsewhere.yaml", &lab(&format!("container: web, runtime: {other}")));
    topo(&["plan", &elsewhere]).expect(1).says(&format!("{other} has no such container"));
    sh(&format!("{runtime} run -d --name seen --network host box sleep 1000"));
    let host = write("host.yaml", &lab("container: seen"));
    topo(&["plan", &host]).expect(1).says("WEB and host are one and the same network namespace");
}

#[test]
fn docker_container_by_name() {
    beside("docker", "docker_container_by_name", || by_name("docker", "--network none"));
}

#[test]
fn neighbor_podman_container_by_name() {
    beside("podman", "neighbor_podman_container_by_name", || by_name("podman", "--network none"));
}
