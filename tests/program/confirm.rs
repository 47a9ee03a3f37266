//! An apply that nobody confirms is undone, whatever becomes of who started it; the last applies can be undone one by
//! one; nothing of that is left in the end.

#![allow(clippy::disallowed_methods, reason = "a test makes processes")]

use crate::sandbox;

use sandbox::{assert_snapshot, quiet, sh, snapshot, topo, topo_path, try_sh, wait_for, write};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Other people's things that the topologies touch.
const MACHINE: &str = "
sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0
ip link add ext0 type veth peer name ext1; ip link set ext0 up; ip link set ext1 up; ip addr add 192.0.2.5/24 dev ext0
ip route add 198.51.100.0/24 via 192.0.2.9; ip link add mov0 type veth peer name mov1; ip link set mov0 up; ip addr add 192.0.3.5/24 dev mov0
nft 'table inet other { chain f { type filter hook forward priority 10; policy accept; }; }'; sysctl -qw net.ipv4.conf.ext0.rp_filter=2
";

const FIRST: &str = r#"
name: lab
host:
  forwarding: ipv4
  interfaces:
    lab0: { bridge: { ports: [red0] }, addresses: [10.4.0.1/24] }
    ext0: { existing: {}, mtu: 1400, addresses: [192.0.2.77/24] }
  sysctls: { net.ipv4.conf.ext0.rp_filter: 1 }
  nat: [{ masquerade: { source: 10.4.0.0/24, out: "!lab0" } }]
namespaces:
  RED:
    interfaces: { eth0: { veth: host/red0, addresses: [10.4.0.2/24, "fd04::2/64"] } }
    routes: [{ to: default, via: 10.4.0.1 }]
    dns: { nameservers: [10.4.0.1] }
"#;

const SECOND: &str = r#"
name: lab
host:
  interfaces:
    lab0: { bridge: { ports: [red0, blue0], priority: 4096 }, addresses: [10.4.0.1/24, 10.6.0.1/24] }
    ext0: { existing: {}, mtu: 1450, txqueuelen: 77 }
  sysctls: { net.ipv4.ip_default_ttl: 61 }
  firewall: { insert: [{ chain: inet other f, in: lab0, accept: {} }] }
  routes: [{ to: 203.0.113.0/24, via: 10.4.0.9 }]
namespaces:
  RED:
    interfaces: { eth0: { veth: host/red0, txqueuelen: 50, addresses: [10.4.0.3/24] } }
    routes: [{ to: default, via: 10.4.0.1, metric: 5 }]
  BLUE:
    interfaces: { eth0: { veth: host/blue0, addresses: [10.4.0.4/24] }, mov: { existing: { from: host/mov0 }, addresses: [10.7.0.1/24] } }
"#;

/// Files of both, on a machine with other people's things.
fn set_up() -> (String, String, String) {
    sh(MACHINE);
    let machine = quiet(&Default::default());
    (write("first.yaml", FIRST), write("second.yaml", SECOND), machine)
}

fn apply(file: &str) {
    topo(&["apply", "-q", "--yes", file]).expect(0);
}

/// Whether nothing waits for confirmation, and nobody is there to undo it.
fn is_over() -> bool {
    !try_sh("ls /run/topo/*/confirm.json /run/topo/*/rollback.json").stdout.contains("json") && watchers().is_empty()
}

/// The processes that wait to undo something.
fn watchers() -> Vec<String> {
    let all =
        std::fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    let words = |pid: &String| std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    all.filter(|name| name.parse::<u32>().is_ok())
        .filter(|pid| words(pid).split(|byte| *byte == 0).any(|word| word == b"__watch"))
        .collect()
}

#[track_caller]
fn is_undone() {
    assert!(wait_for(Duration::from_secs(20), is_over), "still waiting: {:?}\n{}", watchers(), topo(&["list"]).stdout);
}

#[test]
fn without_a_word_it_is_undone() {
    sandbox::run("without_a_word_it_is_undone", || {
        let (first, second, machine) = set_up();
        topo(&["apply", "-q", "--yes", "--confirm", "1s", &first]).expect(0);
        topo(&["list"]).expect(0).says("waiting").says("undone in 1 s unless confirmed");
        is_undone();
        assert_snapshot(&machine);
        apply(&first);
        let before = quiet(&Default::default());
        let begin = Instant::now();
        topo(&["apply", "--yes", "--confirm", "2s", &second])
            .expect(0)
            .says("undone in 2 s unless you confirm it: topo confirm lab");
        assert_ne!(snapshot(), before);
        is_undone();
        assert!(begin.elapsed() >= Duration::from_secs(2), "undone before its time: {:?}", begin.elapsed());
        assert_snapshot(&before);
        topo(&["plan", "--detailed-exitcode", &first]).expect(0);
        topo(&["confirm", "lab"]).expect(1).says("does not wait for confirmation");
        topo(&["confirm"]).expect(1).says("its time was over");
        topo(&["destroy", "--yes", "lab"]).expect(0);
        assert_snapshot(&machine);
    });
}

#[test]
fn confirmed_in_time_it_stays() {
    sandbox::run("confirmed_in_time_it_stays", || {
        let (first, second, machine) = set_up();
        apply(&first);
        // The duration may be left out, before a file, too.
        let report = topo(&["apply", "--json", "--yes", "--confirm", &second]).expect(0).stdout;
        let report: serde_json::Value = serde_json::from_str(&report).unwrap();
        assert_eq!(report["reports"][0]["seconds_to_confirm"], 60);
        let list: serde_json::Value = serde_json::from_str(&topo(&["list", "--json"]).expect(0).stdout).unwrap();
        assert_eq!(list["topologies"][0]["state"], "waiting");
        assert!((50..=60).contains(&list["topologies"][0]["seconds_to_confirm"].as_u64().unwrap()), "{list:#}");
        let applied = quiet(&sandbox::Options { without_record: true, ..Default::default() });
        topo(&["confirm"]).expect(0).says("Confirmed: lab");
        assert!(wait_for(Duration::from_secs(5), is_over));
        sandbox::assert_snapshot_with(&applied, &sandbox::Options { without_record: true, ..Default::default() });
        topo(&["rollback"]).expect(1).says("no topology waits");
        topo(&["plan", "--detailed-exitcode", &second]).expect(0);
        topo(&["destroy", "--yes", "lab"]).expect(0);
        assert_snapshot(&machine);
    });
}

/// A topology of links alone has no record: it waits all the same.
#[test]
fn without_a_record_it_waits() {
    sandbox::run("without_a_record_it_waits", || {
        let file = write("links.yaml", "name: lab\nhost: { interfaces: { lab0: { bridge: {} } } }\n");
        topo(&["apply", "-q", "--yes", "--confirm", "60s", &file]).expect(0);
        assert!(!std::path::Path::new("/run/topo/lab/record.json").exists());
        topo(&["list"]).expect(0).says("waiting");
        topo(&["rollback", "lab"]).expect(0);
        is_undone();
        assert_ne!(try_sh("ip link show lab0").code, 0);
    });
}

#[test]
fn rolled_back_at_once() {
    sandbox::run("rolled_back_at_once", || {
        let (first, second, machine) = set_up();
        apply(&first);
        let before = quiet(&Default::default());
        topo(&["apply", "-q", "--yes", "--confirm=5m", &second]).expect(0);
        for command in [&["apply", "--yes", &first][..], &["apply", "--yes", &second], &["undo", "--yes"]] {
            topo(command).expect(1).says("waits for confirmation, ").says("topo confirm lab keeps what was applied");
        }
        topo(&["rollback", "other"]).expect(1).says("does not wait");
        topo(&["rollback"]).expect(0).says("Rolled back: lab");
        assert_snapshot(&before);
        assert!(wait_for(Duration::from_secs(5), is_over));
        // Nothing was applied for good since the first, so that is what is undone next.
        topo(&["undo", "--yes", "lab"]).expect(0);
        assert_snapshot(&machine);
    });
}

#[test]
fn a_destroy_ends_the_waiting() {
    sandbox::run("a_destroy_ends_the_waiting", || {
        let (first, second, machine) = set_up();
        apply(&first);
        topo(&["apply", "-q", "--yes", "--confirm", "2s", &second]).expect(0);
        topo(&["destroy", "--yes", "lab"]).expect(0);
        assert!(wait_for(Duration::from_secs(5), is_over));
        std::thread::sleep(Duration::from_secs(2));
        assert_snapshot(&machine);
    });
}

/// All who started it are killed and their terminal closed, right after the apply.
#[test]
fn the_terminal_and_the_starter_are_lost() {
    sandbox::run("the_terminal_and_the_starter_are_lost", || {
        let (first, second, machine) = set_up();
        apply(&first);
        let before = quiet(&Default::default());
        let line = format!("{} apply --yes --confirm 2s {second}; sleep 600", topo_path());
        let mut terminal = Command::new("setsid")
            .args(["script", "-qefc", &line, "/dev/null"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        assert!(wait_for(Duration::from_secs(20), || topo(&["list"]).stdout.contains("waiting")));
        // Who holds the other end of the terminal dies: it is closed, and everybody on it is hung up.
        terminal.kill().unwrap();
        terminal.wait().unwrap();
        assert!(
            wait_for(Duration::from_secs(5), || !try_sh("ps -e -o args").stdout.contains("sleep 600")),
            "the terminal is still there"
        );
        assert_eq!(watchers().len(), 1);
        is_undone();
        assert_snapshot(&before);
        topo(&["destroy", "--yes", "lab"]).expect(0);
        assert_snapshot(&machine);
    });
}

/// The program itself is killed in the middle of its work: at many moments.
#[test]
fn killed_while_it_applies() {
    sandbox::run("killed_while_it_applies", || {
        let (first, second, machine) = set_up();
        let mut many = SECOND.to_owned();
        for number in 0..60 {
            many += &format!(
                "  N{number}: {{ interfaces: {{ eth0: {{ veth: host/n{number}, addresses: [10.9.{number}.1/24] }} }} }}\n"
            );
        }
        let many = write("many.yaml", &many);
        apply(&first);
        let before = quiet(&Default::default());
        let mut half = 0;
        for delay in [0, 5, 10, 20, 40, 80, 120, 160] {
            let mut starter = Command::new(topo_path())
                .args(["apply", "-q", "--yes", "--confirm", "60s", &many])
                .stdin(Stdio::null())
                .spawn()
                .unwrap();
            wait_for(Duration::from_secs(10), || std::fs::exists("/run/topo/lab/confirm.json").unwrap());
            std::thread::sleep(Duration::from_millis(delay));
            starter.kill().unwrap();
            let status = starter.wait().unwrap();
            let list = topo(&["list"]).stdout;
            half += usize::from(list.contains("half-made"));
            if status.success() || list.contains("waiting") {
                topo(&["rollback"]).expect(0);
            }
            is_undone();
            assert_snapshot(&before);
        }
        assert!(half > 0, "it was never killed in the middle");
        apply(&second);
        topo(&["destroy", "--yes", "lab"]).expect(0);
        assert_snapshot(&machine);
    });
}

/// Who would undo it is killed, too: the next command says so, and `rollback` does it.
#[test]
fn the_watcher_is_lost() {
    sandbox::run("the_watcher_is_lost", || {
        let (first, second, machine) = set_up();
        apply(&first);
        let before = quiet(&Default::default());
        topo(&["apply", "-q", "--yes", "--confirm", "1s", &second]).expect(0);
        for pid in watchers() {
            sh(&format!("kill -9 {pid}"));
        }
        std::thread::sleep(Duration::from_millis(1200));
        topo(&["list"]).expect(0).says("expired").says("not confirmed in time").says("topo rollback lab undoes it");
        topo(&["plan", &second]).expect(0).says("topo rollback lab undoes it");
        topo(&["confirm"]).expect(1).says("its time was over");
        topo(&["apply", "--yes", &second]).expect(1).says("topo rollback lab undoes it; then apply again");
        topo(&["rollback"]).expect(0);
        assert_snapshot(&before);
        topo(&["destroy", "--yes", "lab"]).expect(0);
        assert_snapshot(&machine);
    });
}

/// A rollback is hung up half-way, as where it cuts the line that it came over: it goes on. One that is killed is
/// completed by the watcher.
#[test]
fn a_rollback_is_never_left_half_done() {
    sandbox::run("a_rollback_is_never_left_half_done", || {
        let (first, _, machine) = set_up();
        let mut many = SECOND.to_owned();
        for number in 0..60 {
            many += &format!(
                "  N{number}: {{ interfaces: {{ eth0: {{ veth: host/n{number}, addresses: [10.9.{number}.1/24] }} }} }}\n"
            );
        }
        let many = write("many.yaml", &many);
        apply(&first);
        let before = quiet(&Default::default());
        let mut killed = 0;
        for delay in [5, 30, 80, 140] {
            for signal in ["HUP", "KILL"] {
                topo(&["apply", "-q", "--yes", "--confirm", "60s", &many]).expect(0);
                let rollback =
                    Command::new(topo_path()).args(["rollback", "-q", "lab"]).stdin(Stdio::null()).spawn().unwrap();
                wait_for(Duration::from_secs(5), || std::fs::exists("/run/topo/lab/rollback.json").unwrap());
                std::thread::sleep(Duration::from_millis(delay));
                try_sh(&format!("kill -{signal} {}", rollback.id()));
                let status = rollback.wait_with_output().unwrap().status;
                killed += usize::from(signal == "KILL" && !status.success());
                assert!(signal == "KILL" || status.success(), "{signal} after {delay} ms: {status}");
                is_undone();
                assert_snapshot(&before);
            }
        }
        assert!(killed > 0, "no rollback was killed half-way");
        topo(&["destroy", "--yes", "lab"]).expect(0);
        assert_snapshot(&machine);
    });
}

/// Told to end, it does not leave the change unwatched.
#[test]
fn the_watcher_is_told_to_end() {
    sandbox::run("the_watcher_is_told_to_end", || {
        let (first, _, machine) = set_up();
        topo(&["apply", "-q", "--yes", "--confirm", "60s", &first]).expect(0);
        let pids = watchers();
        sh(&format!("kill -HUP {0}; kill -INT {0}; sleep 0.3; kill -0 {0}; kill {0}", pids[0]));
        is_undone();
        assert_snapshot(&machine);
    });
}

#[test]
fn a_failed_apply_waits_for_nothing() {
    sandbox::run("a_failed_apply_waits_for_nothing", || {
        let (first, _, machine) = set_up();
        let bad = write(
            "bad.yaml",
            &FIRST.replace("net.ipv4.conf.ext0.rp_filter: 1", "net.ipv4.tcp_congestion_control: no-such"),
        );
        topo(&["apply", "-q", "--yes", "--confirm", "60s", &bad]).expect(1).says("Undone");
        assert!(wait_for(Duration::from_secs(5), is_over));
        assert_snapshot(&machine);
        apply(&first);
        // Nothing to do is nothing to confirm.
        topo(&["apply", "-q", "--yes", "--confirm", "60s", &first]).expect(0);
        assert!(is_over());
        topo(&["apply", "--yes", "--confirm", "10x", &first]).expect(64).says("no duration");
        topo(&["destroy", "--yes", "lab"]).expect(0);
        assert_snapshot(&machine);
    });
}

#[test]
fn undo_back_and_forth() {
    sandbox::run("undo_back_and_forth", || {
        let (first, second, machine) = set_up();
        apply(&first);
        let at_first = quiet(&Default::default());
        apply(&second);
        let at_second = quiet(&Default::default());
        for _ in 0..3 {
            topo(&["undo", "--yes"]).expect(0).says("Undone: lab");
            assert_snapshot(&at_first);
            topo(&["plan", "--detailed-exitcode", &first]).expect(0);
            apply(&second);
            assert_snapshot(&at_second);
        }
        apply(&first);
        assert_snapshot(&at_first);
        let report: serde_json::Value =
            serde_json::from_str(&topo(&["undo", "--yes", "--json", "lab"]).expect(0).stdout).unwrap();
        assert_eq!(report["reports"][0]["result"], "done");
        assert_snapshot(&at_second);
        topo(&["undo", "--yes"]).expect(0);
        assert_snapshot(&at_first);
        topo(&["undo", "--yes"]).expect(0);
        assert_snapshot(&machine);
        topo(&["undo", "lab", "--yes"]).expect(1).says("there is no apply");
    });
}

#[test]
fn the_last_ten_are_kept() {
    sandbox::run("the_last_ten_are_kept", || {
        let before = snapshot();
        let file = |mtu: u32| {
            write(
                "mtu.yaml",
                &format!("name: lab\nnamespaces:\n  A:\n    interfaces: {{ a: {{ veth: B/b, mtu: {mtu} }} }}\n  B:\n"),
            )
        };
        for mtu in 1401..=1412 {
            apply(&file(mtu));
        }
        for mtu in (1402..=1411).rev() {
            topo(&["undo", "-q", "--yes"]).expect(0);
            assert_eq!(sh("ip -n A -j link show a | jq .[0].mtu").trim(), mtu.to_string());
        }
        topo(&["undo", "-q", "--yes"]).expect(1).says("the last 10 applies");
        topo(&["destroy", "-q", "--yes", "lab"]).expect(0);
        assert_snapshot(&before);
    });
}

#[test]
fn a_stale_undo_is_refused() {
    sandbox::run("a_stale_undo_is_refused", || {
        let (first, second, machine) = set_up();
        apply(&first);
        apply(&second);
        let before = quiet(&Default::default());
        for (break_it, mend_it, says) in [
            ("ip -n RED addr add 10.4.0.9/24 dev eth0", "ip -n RED addr del 10.4.0.9/24 dev eth0", "10.4.0.9/24"),
            (
                "sysctl -qw net.ipv4.ip_default_ttl=60",
                "sysctl -qw net.ipv4.ip_default_ttl=61",
                "net.ipv4.ip_default_ttl",
            ),
            ("ip -n BLUE link set eth0 mtu 1300", "ip -n BLUE link set eth0 mtu 1500", "mtu was"),
        ] {
            sh(break_it);
            topo(&["undo", "--yes"]).expect(1).says("stale").says(says);
            sh(mend_it);
            assert_snapshot(&before);
        }
        topo(&["undo"]).expect(64).says("no terminal to ask on");
        topo(&["undo", "--yes"]).expect(0);
        topo(&["destroy", "--yes", "lab"]).expect(0);
        assert_snapshot(&machine);
        topo(&["undo"]).expect(1).says("there is no topology here");
    });
}

#[test]
fn two_topologies_are_told_apart() {
    sandbox::run("two_topologies_are_told_apart", || {
        let before = snapshot();
        let one = write("one.yaml", "name: one\nnamespaces: { A: { interfaces: { a: { veth: B/b } } }, B: }\n");
        let two = write("two.yaml", "name: two\nnamespaces: { C: { interfaces: { a: { veth: D/b } } }, D: }\n");
        topo(&["apply", "-q", "--yes", "--confirm", "60s", &one, &two]).expect(0);
        assert_eq!(watchers().len(), 2);
        topo(&["undo", "--yes"]).expect(64).says("say which: one, two");
        topo(&["confirm", "one"]).expect(0);
        topo(&["rollback"]).expect(0).says("Rolled back: two");
        topo(&["list"]).expect(0).says("2 namespaces (A B)");
        topo(&["undo", "--yes"]).expect(0);
        assert_snapshot(&before);
    });
}

/// What nobody chose is no part of the way back: a chain that may be absent and is, the address of a bridge that has
/// lost its last port.
#[test]
fn the_way_back_has_only_what_somebody_chose() {
    sandbox::run("the_way_back_has_only_what_somebody_chose", || {
        let with = |address: &str, ports: &str| {
            let insert = "{ chain: ip filter FORWARD, if-present: true, in: br0, accept: {} }";
            let bridge = format!("br0: {{ bridge: {{ ports: [{ports}] }}, addresses: [{address}/24] }}");
            write(
                &format!("{address}-{ports}.yaml"),
                &format!(
                    "name: lab\nhost: {{ interfaces: {{ {bridge} }}, firewall: {{ insert: [{insert}] }} }}\n\
                     namespaces: {{ RED: {{ interfaces: {{ eth0: {{ veth: host/red0, addresses: [10.4.0.2/24] }} }} }} }}\n"
                ),
            )
        };
        let has = |address: &str| {
            assert!(sh("ip -4 -br address show br0").contains(address), "{}", sh("ip -4 -br address show br0"))
        };
        apply(&with("10.4.0.1", "red0"));
        // By hand, by a file, and with a change that is undone.
        sh("ip link set red0 nomaster; ip link show br0 | grep -q 00:00:00:00:00:00");
        topo(&["apply", "-q", "--yes", "--confirm", "1h", &with("10.4.0.9", "red0")]).expect(0);
        topo(&["rollback", "lab"]).expect(0);
        has("10.4.0.1");
        sh("ip link show br0 | grep -q 00:00:00:00:00:00");
        apply(&with("10.4.0.1", ""));
        apply(&with("10.4.0.1", "red0"));
        topo(&["undo", "--yes", "lab"]).expect(0);
        has("10.4.0.1");
        topo(&["list"]).expect(0).says("ok");
        topo(&["destroy", "--yes", "lab"]).expect(0);
    });
}

/// A name that is nearly that of a topology here.
#[test]
fn a_name_that_is_meant() {
    sandbox::run("a_name_that_is_meant", || {
        topo(&["undo", "lba", "--yes"]).expect(1).says("at most the last 10 applies");
        let file = write("lab.yaml", "name: lab\nnamespaces: { RED: }\n");
        topo(&["apply", "--yes", &file]).expect(0);
        for command in [&["undo", "lba", "--yes"][..], &["confirm", "lba"], &["rollback", "lba"]] {
            topo(command).expect(1).says("did you mean \"lab\"?");
        }
        topo(&["confirm", "lab"]).expect(1).says("topo list shows what is there");
        topo(&["rollback", "lab"]).expect(1).says("topo undo lab undoes its last apply");
        topo(&["undo", "lab", "--yes"]).expect(0);
    });
}
