//! Other people's things that are strange, many, or go at the wrong moment: none of them stops topo, and none of them
//! is lost.

#![allow(clippy::disallowed_methods, reason = "a test makes processes")]

use crate::sandbox;

use sandbox::{assert_snapshot, quiet, sh, topo, topo_path, try_sh, wait_for, write};
use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::time::Duration;

const LAB: &str = "
name: lab
host: { forwarding: true }
namespaces:
  A: { interfaces: { eth0: { veth: host/a0, addresses: [10.6.0.1/24] } } }
";

#[test]
fn names_with_control_characters() {
    sandbox::run("names_with_control_characters", || {
        sh(
            "ip link add \"$(printf 'x\\001y')\" type veth peer name \"$(printf 'z\\033[1m')\"; sysctl -qw net.ipv4.conf.default.forwarding=0",
        );
        let lab = write("lab.yaml", LAB);
        // `ip` prints no JSON of such a name.
        let look = "ip -o link | sed 's/ state .*//'; sysctl -a 2>/dev/null | grep forwarding";
        let machine = sh(look);
        let plan = topo(&["plan", &lab]).expect(0);
        assert!(!plan.stdout.contains('\u{1}') && !plan.stdout.contains('\u{1b}'), "{}", plan.stdout);
        topo(&["apply", "--yes", "-q", &lab]).expect(0);
        topo(&["plan", "--detailed-exitcode", &lab]).expect(0);
        topo(&["destroy", "--yes", "-q", "lab"]).expect(0);
        assert_eq!(sh(look), machine);
    });
}

#[test]
fn odd_files_beside_namespaces() {
    sandbox::run("odd_files_beside_namespaces", || {
        let lab = write("lab.yaml", LAB);
        topo(&["apply", "--yes", "-q", &lab]).expect(0);
        sh("cd /run/netns; ln -s circle circle; ln -s /etc/passwd/x through; ln -s /proc/999999/ns/net gone; ln -s /dev/zero device; mkfifo fifo; mkdir folder; echo text > text
            socat UNIX-LISTEN:/run/netns/socket,unlink-close=0 EXEC:true >/dev/null 2>&1 & sleep 0.3; test -S /run/netns/socket; kill $!; ln -s text link");
        for command in [
            &["list"][..],
            &["plan", "--detailed-exitcode", &lab],
            &["show", "lab"],
            &["exec", "A", "--", "true"],
            &["destroy", "--yes", "-q", "lab"],
        ] {
            let said = topo(command).expect(0);
            assert_eq!(said.stderr, "", "{command:?}");
        }
        topo(&["list"]).expect(0);
        // One that is in the way is told, and stays.
        let taken = write("taken.yaml", &LAB.replace("  A:", "  socket:"));
        topo(&["apply", "--yes", "-q", &taken]).expect(1).says("/run/netns/socket is already there");
        assert_eq!(sh("ls /run/netns | wc -l").trim(), "9");
    });
}

#[test]
fn an_empty_file_that_gives_way_is_told() {
    sandbox::run("an_empty_file_that_gives_way_is_told", || {
        let lab = write("lab.yaml", LAB);
        sh("touch /run/netns/A");
        topo(&["plan", &lab]).expect(0).says("/run/netns/A is an empty file").says("it gives way to namespace A");
        topo(&["apply", "--yes", &lab]).expect(0).says("it gives way to namespace A");
        topo(&["destroy", "--yes", "-q", "lab"]).expect(0);
        assert_eq!(sh("ls /run/netns"), "");
    });
}

#[test]
fn names_in_plans_and_records_stay_in_their_folder() {
    sandbox::run("names_in_plans_and_records_stay_in_their_folder", || {
        let lab = write("lab.yaml", &LAB.replace("  A:", "  NSQ:"));
        sh("mkdir /run/elsewhere");
        topo(&["plan", "--out", "/run/lock/plan", &lab]).expect(0);
        let machine = quiet(&Default::default());
        for name in ["../elsewhere/evil", "..", "", "/b", "a/b/c"] {
            let tampered = std::fs::read_to_string("/run/lock/plan").unwrap().replace("NSQ", name);
            let tampered = write("tampered", &tampered);
            topo(&["apply", "--yes", &tampered]).expect(65).says("cannot be a name");
            assert_snapshot(&machine);
            assert_eq!(sh("ls /run/elsewhere; grep -c elsewhere /proc/mounts || true").trim(), "0");
        }
        topo(&["apply", "--yes", "-q", "/run/lock/plan"]).expect(0);
        sh("sed -i 's,NSQ,../elsewhere/evil,g' /run/topo/lab/record.json");
        topo(&["destroy", "--yes", "lab"]).expect(0).says("cannot be a name");
        assert_eq!(sh("ls /run/elsewhere"), "");
    });
}

#[test]
fn names_that_yaml_takes_for_something_else() {
    sandbox::run("names_that_yaml_takes_for_something_else", || {
        for name in ["true", "False", "yes", "null", "1e3", "0x1F", "~"] {
            let text = "name: lab
namespaces:
  A:
    interfaces: { \"NAME\": { bridge: { stp: true, vlan-filtering: false }, addresses: [10.0.0.1/24] }, p: { veth: B/p, master: \"NAME\", up: false } }
    routes: [{ to: 10.9.0.0/24, dev: \"NAME\" }]
    rules: [{ priority: 5, iif: \"NAME\", table: 5 }]
    forwarding: true
    nat: [{ masquerade: { out: \"NAME\" } }, { redirect: { protocol: tcp, port: 80, to: 81, local: true } }]
    dns: { search: [\"NAME\"] }
  B: {}
";
            let lab = write("lab.yaml", &text.replace("NAME", name));
            topo(&["apply", "--yes", "-q", &lab]).expect(0);
            let shown = write("shown.yaml", &topo(&["show", "--yaml", "lab"]).expect(0).stdout);
            topo(&["plan", "--detailed-exitcode", &shown]).expect(0);
            topo(&["destroy", "--yes", "-q", "lab"]).expect(0);
        }
    });
}

/// What one switch does has neither a line nor a step of its own for each interface of others, nor is it remembered for
/// them.
#[test]
fn interfaces_of_others_that_go_meanwhile() {
    sandbox::run("interfaces_of_others_that_go_meanwhile", || {
        let lab = write("lab.yaml", LAB);
        // While the question stands; such that went another way than the switch, too.
        for command in ["destroy lab", "destroy --all"] {
            sh(
                "ip link add g1 type veth peer name g2; ip link add k1 type veth peer name k2; sysctl -qw net.ipv4.conf.g1.forwarding=1 net.ipv6.conf.k1.forwarding=1",
            );
            topo(&["apply", "--yes", "-q", &lab]).expect(0);
            let line = format!("{} {command}", topo_path());
            let mut terminal = Command::new("script")
                .args(["-qefc", &line, "/dev/null"])
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            let (mut text, mut byte) = (Vec::new(), [0]);
            while !String::from_utf8_lossy(&text).contains("\"yes\"")
                && terminal.stdout.as_mut().unwrap().read(&mut byte).unwrap() == 1
            {
                text.push(byte[0]);
            }
            sh("ip link del g1");
            terminal.stdin.as_mut().unwrap().write_all(b"yes\n").unwrap();
            let output = terminal.wait_with_output().unwrap();
            assert_eq!(
                output.status.code(),
                Some(0),
                "{command}: {}{}",
                String::from_utf8_lossy(&text),
                String::from_utf8_lossy(&output.stdout)
            );
            assert_eq!(
                sh("sysctl -n net.ipv4.ip_forward net.ipv6.conf.all.forwarding net.ipv6.conf.k1.forwarding")
                    .split_whitespace()
                    .collect::<String>(),
                "001"
            );
            sh("ip link del k1");
        }
        // At any moment.
        let churn = "i=0; while :; do i=$((i+1)); ip link add c$i type veth peer name d$i; sysctl -qw net.ipv4.conf.c$i.forwarding=$((i%2)); ip link del c$((i-3)) 2>/dev/null; done";
        let mut churn = Command::new("sh")
            .args(["-c", churn])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let rounds: usize = std::env::var("TOPO_CHURN").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(100);
        for round in 0..rounds {
            for command in [&["apply", "--yes", "-q", &lab][..], &["destroy", "--yes", "-q", "lab"]] {
                let done = topo(command);
                assert_eq!((done.code, done.stderr.as_str()), (0, ""), "round {round}: {command:?}");
            }
        }
        churn.kill().unwrap();
        churn.wait().unwrap();
        assert!(!std::fs::exists("/run/topo").unwrap());
        assert_eq!(sh("sysctl -n net.ipv4.ip_forward").trim(), "0");
    });
}

/// A router beside the machine that advertises itself, once.
const ROUTER: &str = r"
sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0
ip netns add R; ip link add ext0 type veth peer name ext1 netns R; ip -n R link set ext1 up; ip link set ext0 up
printf '\206\000\000\000\100\000\007\010\000\000\000\000\000\000\000\000\003\004\100\300\000\001\121\200\000\000\070\100\000\000\000\000\375\167\000\000\000\000\000\000\000\000\000\000\000\000\000\000' > /run/lock/advertisement
";
const ADVERTISE: &str = "ip netns exec R socat -u FILE:/run/lock/advertisement 'IP6-SENDTO:[ff02::1%ext1]:58,setsockopt-int=41:18:255' 2>/dev/null";
const ROUTES: &str = "ip -6 route show dev ext0 | sed 's/ expires [0-9]*sec//'";

#[test]
fn what_a_router_advertised_stays() {
    sandbox::run("what_a_router_advertised_stays", || {
        sh(ROUTER);
        let heard = || try_sh(ADVERTISE).code == 0 && sh(ROUTES).contains("default");
        assert!(
            wait_for(Duration::from_secs(10), heard),
            "no router was heard: {}",
            sh("ip -6 route; ip -n R -6 addr")
        );
        let accepts = || sh("sysctl -n net.ipv6.conf.ext0.accept_ra").trim().to_owned();
        let (routes, machine) = (sh(ROUTES), quiet(&Default::default()));
        let all = write("all.yaml", LAB);
        let one = write(
            "one.yaml",
            "name: lab\nhost: { interfaces: { lab0: { bridge: {}, addresses: [10.7.0.1/24], forwarding: true } } }\n",
        );
        let by_setting = write("setting.yaml", "name: lab\nhost: { sysctls: { net.ipv6.conf.all.forwarding: 1 } }\n");
        for file in [&all, &one, &by_setting] {
            topo(&["plan", file]).expect(0).says("sysctl net.ipv6.conf.ext0.accept_ra");
            topo(&["apply", "--yes", "-q", file]).expect(0);
            assert_eq!((sh(ROUTES), accepts()), (routes.clone(), "2".to_owned()), "{file}");
            topo(&["plan", "--detailed-exitcode", file]).expect(0);
            let shown = write("shown.yaml", &topo(&["show", "--yaml", "lab"]).expect(0).stdout);
            topo(&["plan", "--detailed-exitcode", &shown]).expect(0);
            // It is still heard.
            sh("ip -6 route del default dev ext0");
            assert!(wait_for(Duration::from_secs(5), heard), "{file}: the router is not heard any more");
            topo(&["undo", "--yes", "-q"]).expect(0);
            assert_eq!((sh(ROUTES), accepts()), (routes.clone(), "1".to_owned()), "{file}");
            topo(&["apply", "--yes", "-q", file]).expect(0);
            topo(&["destroy", "--yes", "-q", "lab"]).expect(0);
            assert_eq!((sh(ROUTES), accepts()), (routes.clone(), "1".to_owned()), "{file}");
            assert_snapshot(&machine);
        }
        // It stays for the last of two topologies that forward.
        let other = write("other.yaml", "name: other\nhost: { forwarding: true }\n");
        topo(&["apply", "--yes", "-q", &all, &other]).expect(0);
        topo(&["destroy", "--yes", "-q", "lab"]).expect(0);
        assert_eq!((sh(ROUTES), accepts()), (routes.clone(), "2".to_owned()));
        topo(&["plan", "--detailed-exitcode", &other]).expect(0);
        topo(&["destroy", "--yes", "-q", "other"]).expect(0);
        assert_eq!((sh(ROUTES), accepts()), (routes, "1".to_owned()));
    });
}

/// What a topology may do with the interface `g1` of somebody else, or besides it.
const WITH_G1: &[&str] = &[
    "host: { forwarding: true }",
    "host: { sysctls: { net.ipv6.conf.all.disable_ipv6: 1 } }",
    "host: { interfaces: { lab0: { bridge: { ports: [g1] } }, g1: { existing: {} } } }",
    "host: { interfaces: { g1: { existing: {}, addresses: [10.9.9.1/24], mtu: 1400 } }, routes: [ { to: 10.10.0.0/16, via: 10.9.9.2 } ] }",
    "host: { interfaces: { g1: { existing: {}, forwarding: true, mac: 02:00:00:00:00:09, alternative-names: [foo] } } }",
    "host: { interfaces: { g1: { existing: {} }, mv0: { macvlan: { link: g1, mode: bridge }, addresses: [10.9.9.1/24] } } }",
    "namespaces: { B: { interfaces: { g1: { existing: { from: host/g1 }, addresses: [10.9.9.1/24] } }, routes: [ { to: 10.10.0.0/16, via: 10.9.9.2 } ] } }",
];

/// An interface of somebody else that goes, or is made anew, after an apply that had changed or lent it: all ways back
/// go on with the rest.
#[test]
fn interfaces_of_others_that_go_before_a_way_back() {
    sandbox::run_needing("interfaces_of_others_that_go_before_a_way_back", &["macvlan"], || {
        sh("ip link add h1 type veth peer name h2; sysctl -qw net.ipv6.conf.h1.forwarding=1");
        let machine = quiet(&Default::default());
        let ways = [&["undo", "--yes", "-q"][..], &["rollback", "lab", "-q"], &["destroy", "--yes", "-q", "lab"]];
        let mut anew = false;
        for with in WITH_G1 {
            let base =
                write("base.yaml", "name: lab\nnamespaces: { A: { interfaces: { eth0: { veth: host/a0 } } } }\n");
            let lab = write("lab.yaml", &format!("name: lab\n{with}\n"));
            let more = with
                .replace("host: {", "host: { rules: [ { priority: 9, from: 10.9.0.0/16, table: 9 } ],")
                .replace("{ B: {", "{ C: { forwarding: true }, B: {");
            let more = write("more.yaml", &format!("name: lab\n{more}\n"));
            for files in [&[&lab][..], &[&base, &lab], &[&lab, &more]] {
                for way in ways {
                    anew = !anew;
                    g1_goes(files, way, anew);
                    assert_eq!(quiet(&Default::default()), machine, "{with}, {files:?}, {way:?}, anew {anew}");
                }
            }
        }
    });
}

/// Applies the files one after the other, takes `g1` away, or makes it anew, and goes back.
fn g1_goes(files: &[&String], way: &[&str], anew: bool) {
    sh("ip link add g1 type veth peer name g2; ip link set g1 up; ip link set g2 up
        sysctl -qw net.ipv4.conf.g1.forwarding=1 net.ipv6.conf.g1.forwarding=1
        ip addr add 10.20.0.1/24 dev g1; ip -6 addr add fd20::1/64 dev g1 nodad; ip route add 10.30.0.0/16 via 10.20.0.2");
    let (last, first) = files.split_last().unwrap();
    for file in first {
        topo(&["apply", "--yes", "-q", file]).expect(0);
    }
    let confirm: &[&str] = if way[0] == "rollback" { &["--confirm", "60s"] } else { &[] };
    topo(&[&["apply", "--yes", "-q"], confirm, &[last]].concat()).expect(0);
    sh("ip link del g1 2>/dev/null || ip -n B link del g1");
    if anew {
        sh("ip link add g1 type veth peer name g2");
    }
    topo(way).expect(0);
    if std::fs::exists("/run/topo/lab").unwrap() {
        topo(&["destroy", "--yes", "-q", "lab"]).expect(0);
    }
    sh("ip link del g1 2>/dev/null || :");
}

#[test]
fn what_is_gone_is_told_by_undo() {
    sandbox::run("what_is_gone_is_told_by_undo", || {
        sh("ip link add g1 type veth peer name g2");
        let lab = write(
            "lab.yaml",
            "name: lab\nhost: { interfaces: { g1: { existing: {}, mtu: 1400 } } }\nnamespaces: { A: }\n",
        );
        topo(&["apply", "--yes", "-q", &lab]).expect(0);
        sh("ip link del g1");
        let undone = topo(&["undo", "--yes"]).expect(0);
        assert_eq!(undone.stderr, "note: host/g1 is gone since the apply: nothing goes back there\n");
        assert_eq!(
            undone.stdout,
            "Topology lab:\n\n  A\n    - namespace A\n\nPlan: 0 to add, 0 to change, 1 to destroy.\nUndone: lab: 0 added, 0 changed, 1 destroyed.\n"
        );
        assert_eq!(sh("ls /run/netns /run/topo 2>/dev/null || :"), "/run/netns:\n");
        // What a hand changed of topo's own is still no apply to be undone.
        topo(&[
            "apply",
            "--yes",
            "-q",
            &write("b.yaml", "name: b\nnamespaces: { B: { interfaces: { e: { veth: B/f } } } }\n"),
        ])
        .expect(0);
        sh("ip -n B link del e");
        topo(&["undo", "--yes", "b"]).expect(1).says("the plan for \"b\" is stale").says("link B/e is gone");
    });
}
