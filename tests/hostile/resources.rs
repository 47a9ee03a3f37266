//! Few descriptors, a full `/run`: what is bounded stays bounded, and what fails is undone.
//!
//! `TOPO_MANY=5000` makes so many namespaces; without it there are 300.

#![allow(clippy::disallowed_methods, reason = "a test makes processes")]

use crate::sandbox;

use sandbox::{assert_snapshot, quiet, sh, snapshot, topo, topo_path, write};
use std::fmt::Write as _;
use std::process::{Command, Stdio};
use std::time::Duration;

fn star(many: usize) -> String {
    // A bridge takes 1023 ports.
    let bridges = many.div_ceil(1000);
    let mut text = String::from("name: many\nhost:\n  interfaces:\n");
    for bridge in 0..bridges {
        let _ = writeln!(text, "    br{bridge}: {{ bridge: {{}}, addresses: [10.{bridge}.0.1/16] }}");
    }
    text.push_str("namespaces:\n");
    for node in 0..many {
        let (bridge, at) = (node / 1000, node % 1000 + 2);
        let (high, low) = (at / 250, at % 250 + 2);
        let _ = writeln!(
            text,
            "  N{node}: {{ interfaces: {{ eth0: {{ veth: {{ bridge: host/br{bridge} }}, addresses: [10.{bridge}.{high}.{low}/16] }} }}, routes: [{{ to: default, via: 10.{bridge}.0.1 }}] }}"
        );
    }
    text
}

/// Runs topo with few descriptors; answers with its exit status, the most threads that it had at once, and its memory's
/// peak in KiB.
fn bounded(args: &[&str]) -> (i32, u64, u64) {
    let script = format!("ulimit -n 256; exec {} \"$@\"", topo_path());
    let mut child = Command::new("sh")
        .args(["-c", &script, "sh"])
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let (mut threads, mut memory) = (0, 0);
    loop {
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            line.and_then(|line| line.split_whitespace().next()).and_then(|number| number.parse().ok()).unwrap_or(0)
        };
        threads = threads.max(field("Threads:"));
        memory = memory.max(field("VmHWM:"));
        if let Some(status) = child.try_wait().unwrap() {
            return (status.code().unwrap_or(-1), threads, memory);
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn descriptors_threads_and_memory_are_bounded() {
    let many: usize = std::env::var("TOPO_MANY").map_or(300, |many| many.parse().expect("TOPO_MANY is a number"));
    sandbox::run_within(
        "descriptors_threads_and_memory_are_bounded",
        Duration::from_secs(if many > 300 { 3600 } else { 120 }),
        || {
            let clean = snapshot();
            let file = write("many.yaml", &star(many));
            for args in [
                &["apply", "--yes", "--quiet", &file][..],
                &["plan", "--detailed-exitcode", &file],
                &["list"],
                &["destroy", "many", "--yes", "--quiet"],
            ] {
                let (code, threads, memory) = bounded(args);
                println!(
                    "{many} namespaces, {}: exit {code}, at most {threads} threads, {} MiB",
                    args[0],
                    memory / 1024
                );
                assert_eq!(code, 0);
                assert!(threads <= 40, "{threads} threads");
                assert!(memory / 1024 < 64 + many as u64 / 8, "{memory} KiB");
            }
            assert_snapshot(&clean);
        },
    );
}

#[test]
fn a_full_run_is_an_error_with_everything_undone() {
    sandbox::run("a_full_run_is_an_error_with_everything_undone", || {
        sh("ip link add up0 type veth peer up1; ip link set up0 up; ip link set up1 up");
        let text = star(4).replace(
            "  interfaces:\n",
            "  sysctls: { net.ipv4.ip_default_ttl: 63 }\n  interfaces:\n    up0: { existing: {}, mtu: 1300 }\n",
        );
        let file = write("many.yaml", &text);
        let changed = write("changed.yaml", &text.replace("mtu: 1300", "mtu: 1350").replace("  N3:", "  N9:"));
        sh("mount -o remount,size=1m,nr_inodes=200 /run");
        std::thread::sleep(Duration::from_secs(2));
        let (mut refused, mut done) = (0, 0);
        let mut full = |fill: &str, args: &[&str]| {
            sh(fill);
            let before = quiet(&Default::default());
            let output = topo(args);
            match output.code {
                0 => done += 1,
                1 => {
                    assert_snapshot(&before);
                    assert!(output.stderr.contains("space"), "{}", output.stderr);
                    refused += 1;
                }
                code => panic!("{fill}: {code}: {}", output.stderr),
            }
            output.code
        };
        let pages = |pages| {
            format!("cat /dev/zero > /run/fill 2>/dev/null || true; truncate -s -$(({pages} * 4096)) /run/fill")
        };
        let inodes = |files| {
            let all = "mkdir /run/inodes; for i in $(seq 300); do (: > /run/inodes/$i) 2>/dev/null || break; done";
            format!("{all}; for f in $(ls /run/inodes | head -n {files}); do rm /run/inodes/$f; done")
        };
        let fills: Vec<String> = [0, 1, 2, 4].map(pages).into_iter().chain([0, 1, 2, 3, 5, 7].map(inodes)).collect();
        for fill in &fills {
            for start in [None, Some(&file)] {
                sh("rm -rf /run/fill /run/inodes");
                topo(&["destroy", "many", "--yes"]).expect(0);
                if let Some(start) = start {
                    topo(&["apply", "--yes", start]).expect(0);
                }
                full(fill, &["apply", "--yes", if start.is_some() { &changed } else { &file }]);
                // What is there can be taken away all the same, or it is an error with everything undone; with room it
                // works.
                full("true", &["destroy", "many", "--yes"]);
            }
        }
        println!("{refused} runs refused and undone, {done} done");
        assert!(refused > 10);
        sh("rm -rf /run/fill /run/inodes; mount -o remount,size=256m /run");
        topo(&["destroy", "many", "--yes"]).expect(0);
    });
}

/// At the edge of a limit for descriptors or threads an apply or destroy may fail, and then it is undone: what an undo
/// needs was had before the first change.
#[test]
fn an_undo_lacks_nothing() {
    sandbox::run("an_undo_lacks_nothing", || {
        let lab = write(
            "lab.yaml",
            "name: lab
host: { interfaces: { lab0: { bridge: { ports: [a0] }, addresses: [10.4.0.1/24] } }, nat: [{ masquerade: { source: 10.4.0.0/24 } }] }
namespaces:
  A: { interfaces: { eth0: { veth: host/a0, addresses: [10.4.0.2/24] } }, dns: { hosts: { w: 10.0.0.1 } } }
  B: { interfaces: { e: { veth: A/e, addresses: [10.5.0.2/24] } } }
",
        );
        // A limit of processes does not hold for root.
        let script = write(
            "limits.sh",
            r#"mount -t tmpfs x /etc/netns; mkdir -p /run/netns
for kind in n u; do for limit in $(seq 4 44); do
    said=$( (ulimit -$kind $limit; exec $TOPO apply --yes -q $LAB) 2>&1 ) && code=0 || code=$?
    [ $code = 0 ] || ! $TOPO list | grep -q "lab " || { echo "apply, ulimit -$kind $limit: exit $code: $said"; $TOPO list; exit 1; }
    $TOPO apply --yes -q $LAB
    said=$( (ulimit -$kind $limit; exec $TOPO destroy --yes -q lab) 2>&1 ) && code=0 || code=$?
    [ $code = 0 ] || $TOPO plan --detailed-exitcode $LAB >/dev/null || { echo "destroy, ulimit -$kind $limit: exit $code: $said"; exit 1; }
    $TOPO destroy --yes -q lab
done; done"#,
        );
        // Somebody else has to be able to read it, wherever it was built.
        sh(&format!(
            "cp {} /run/lock/topo; chmod 755 /run /run/lock /run/lock/topo; chmod 644 {lab} {script}",
            topo_path()
        ));
        sh("mount --bind /run/lock /mnt; export TOPO=/mnt/topo LAB=/mnt/lab.yaml
            setpriv --reuid 65531 --regid 65531 --clear-groups unshare -Urnm sh -ec 'mount -t tmpfs x /run; exec bash -e /mnt/limits.sh'");
    });
}
