//! Which namespace, and which interface, is which: what topo did in one is undone there, and nothing of it is done to
//! another one that has its name, path, process number or node since.
//!
//! Judged by `ip`, `nft` and `sysctl`.

#![allow(clippy::disallowed_methods, reason = "a test makes processes")]

use crate::sandbox;

use sandbox::{apply, sh, topo, topo_path, try_sh, write};

/// What a topology may have in a namespace, and the switch that it writes there.
fn look(netns: &str) -> String {
    let seen = sh(&format!(
        "ip -n {netns} addr; ip -n {netns} rule; ip -n {netns} route; ip netns exec {netns} nft list ruleset; ip netns exec {netns} sysctl net.ipv4.ip_forward"
    ));
    // Duplicate address detection takes a second, and ends when it ends.
    seen.replace(" tentative", "")
}

/// A topology with a node for each of these namespaces, which has something of every kind.
fn everything(nodes: &[(&str, &str)]) -> String {
    let node = |(node, netns): &(&str, &str)| {
        format!(
            "  {node}:
    existing: {{ {netns} }}
    interfaces: {{ lo: {{ addresses: [10.1.0.2/32] }}, br0: {{ bridge: {{}}, addresses: [10.2.0.1/24] }} }}
    rules: [{{ priority: 50, from: 10.1.0.0/24, table: 77 }}]
    routes: [{{ to: 198.51.100.0/24, type: blackhole }}]
    sysctls: {{ net.ipv4.ip_forward: 1 }}
    firewall: {{ input: {{ rules: [{{ protocol: icmp, accept: {{}} }}] }} }}
"
        )
    };
    let text = format!("name: lab\nnamespaces:\n{}  own: {{}}\n", nodes.iter().map(node).collect::<String>());
    write(
        &format!(
            "{}.yaml",
            nodes
                .iter()
                .map(|(node, netns)| format!("{node}-{}", netns.replace([' ', ':', '/'], "")))
                .collect::<String>()
        ),
        &text,
    )
}

const TWO: &str = "for n in g1 g2; do ip netns add $n; ip -n $n link set lo up; done";

#[test]
fn an_existing_namespace_that_a_node_leaves_is_cleaned() {
    sandbox::run("an_existing_namespace_that_a_node_leaves_is_cleaned", || {
        sh(TWO);
        let before = (look("g1"), look("g2"));
        for old in ["netns: g1", "path: /run/netns/g1"] {
            let (first, second) = (everything(&[("c", old)]), everything(&[("c", "netns: g2")]));
            apply(&first);
            apply(&second);
            assert_eq!(look("g1"), before.0);
            topo(&["undo", "--yes", "lab"]).expect(0);
            assert_eq!(look("g2"), before.1);
            topo(&["plan", "--detailed-exitcode", &first]).expect(0);
            apply(&second);
            topo(&["destroy", "--yes", "lab"]).expect(0);
            assert_eq!((look("g1"), look("g2")), before);
            assert!(!std::path::Path::new("/run/topo").exists());
        }
    });
}

#[test]
fn a_node_of_an_existing_namespace_gets_another_name() {
    sandbox::run("a_node_of_an_existing_namespace_gets_another_name", || {
        sh(TWO);
        let before = (look("g1"), look("g2"));
        let one = everything(&[("c", "netns: g1")]);
        apply(&one);
        let with = look("g1");
        let other = everything(&[("web", "netns: g1")]);
        topo(&["plan", "--detailed-exitcode", &other]).expect(0);
        apply(&other);
        assert_eq!(look("g1"), with);
        // Both at once change their names.
        let both = everything(&[("web", "netns: g1"), ("db", "netns: g2")]);
        apply(&both);
        let swapped = everything(&[("web", "netns: g2"), ("db", "netns: g1")]);
        topo(&["plan", "--detailed-exitcode", &swapped]).expect(0);
        apply(&swapped);
        apply(&one);
        assert_eq!((look("g1"), look("g2")), (with, before.1.clone()));
        topo(&["destroy", "--yes", "lab"]).expect(0);
        assert_eq!((look("g1"), look("g2")), before);
    });
}

/// A namespace that got another name, and one that lives on in a process alone, are found.
#[test]
fn an_existing_namespace_is_found_where_it_is_now() {
    sandbox::run("an_existing_namespace_is_found_where_it_is_now", || {
        sh(TWO);
        let before = look("g1");
        let file = everything(&[("c", "netns: g1")]);
        apply(&file);
        sh("touch /run/netns/later; mount --bind /run/netns/g1 /run/netns/later; ip netns del g1");
        topo(&["destroy", "--yes", "lab"]).expect(0);
        assert_eq!(look("later"), before);
        sh("ip netns add g1; ip -n g1 link set lo up");
        apply(&file);
        let process = sh("ip netns exec g1 sleep 600 >/dev/null 2>&1 & echo $!");
        sh("sleep 0.3; ip netns del g1; ip netns add g1");
        topo(&["destroy", "--yes", "lab"]).expect(0);
        sh(&format!("ip netns del g1; ip netns attach g1 {process}"));
        assert_eq!(look("g1"), before);
        sh(&format!("kill {process}"));
    });
}

#[test]
fn another_namespace_under_the_same_name_is_left_alone() {
    sandbox::run("another_namespace_under_the_same_name_is_left_alone", || {
        sh(TWO);
        let file = everything(&[("c", "netns: g1")]);
        for way in ["destroy", "undo", "rollback"] {
            let confirm: &[&str] = if way == "rollback" { &["--confirm", "10m"] } else { &[] };
            topo(&[&["apply", "--yes"], confirm, &[&file]].concat()).expect(0);
            // Its owner makes it anew, and wants to forward himself.
            sh(
                "ip netns del g1; ip netns add g1; ip -n g1 link set lo up; ip netns exec g1 sysctl -qw net.ipv4.ip_forward=1",
            );
            let anew = look("g1");
            topo(&["exec", "c", "--", "true"]).expect(1).says("is gone");
            match way {
                "rollback" => topo(&["rollback", "lab"]).expect(0),
                // The machine has changed since.
                "undo" => topo(&["undo", "--yes", "lab"]).expect(1),
                _ => topo(&["destroy", "--yes", "lab"]).expect(0).says("another one is found there now"),
            };
            assert_eq!(look("g1"), anew);
            topo(&["destroy", "--yes", "lab"]).expect(0);
            assert_eq!(look("g1"), anew);
            // It can be configured like any other, and then is as it was made.
            apply(&file);
            topo(&["destroy", "--yes", "lab"]).expect(0);
            assert_eq!(look("g1"), anew);
        }
    });
}

/// A process number that came round: of another namespace, the machine's own too.
#[test]
fn another_namespace_under_the_same_process_number_is_left_alone() {
    sandbox::run("another_namespace_under_the_same_process_number_is_left_alone", || {
        for enter in ["", "unshare -n "] {
            let process: u32 = sh("unshare -n sleep 600 >/dev/null 2>&1 & echo $!; sleep 0.2").trim().parse().unwrap();
            let file = write(
                "p.yaml",
                &format!(
                    "name: p\nnamespaces:\n  X: {{ existing: {{ pid: {process} }}, forwarding: true, interfaces: {{ yb: {{ bridge: {{}} }} }} }}\n"
                ),
            );
            apply(&file);
            let again = sh(&format!(
                "kill {process}; sleep 0.2; sysctl -qw net.ipv4.ip_forward=1
                 for k in $(seq 200); do echo {} > /proc/sys/kernel/ns_last_pid; {enter}sleep 600 >/dev/null 2>&1 & q=$!; [ $q = {process} ] && break; kill $q; done; sleep 0.2; echo $q",
                process - 1
            ));
            assert_eq!(again.trim(), process.to_string());
            let switch = format!(
                "nsenter --net=/proc/{process}/ns/net sysctl -n net.ipv4.ip_forward net.ipv4.conf.all.accept_redirects"
            );
            let before = (sh(&switch), sh("sysctl -n net.ipv4.ip_forward"));
            topo(&["destroy", "--yes", "p"]).expect(0);
            assert_eq!((sh(&switch), sh("sysctl -n net.ipv4.ip_forward")), before);
            sh(&format!("kill {process}; sysctl -qw net.ipv4.ip_forward=0"));
        }
    });
}

#[test]
fn an_interface_that_was_made_anew_stays_as_it_is() {
    sandbox::run("an_interface_that_was_made_anew_stays_as_it_is", || {
        sh("ip link add up0 type veth peer name up1; ip link set up1 up; sysctl -qw net.ipv4.conf.up0.rp_filter=1");
        let text = "name: lab\nhost:\n  interfaces: { up0: { existing: {}, up: true, mtu: 1300, mac: \"02:00:00:00:00:aa\", addresses: [10.1.0.1/24] } }
  sysctls: { net.ipv4.conf.up0.rp_filter: 2 }\nnamespaces: { a1: {} }\n";
        let file = write("lab.yaml", text);
        let anew = "ip link del up0; ip link add up0 address 02:00:00:00:11:11 mtu 9000 type veth peer name up1; ip link set up1 up; ip link set up0 up
            ip addr add 10.50.0.1/24 dev up0; ip route add 10.51.0.0/16 via 10.50.0.9; sysctl -qw net.ipv4.conf.up0.rp_filter=2";
        let look = || {
            sh(
                "ip -o link show up0 | grep -oE 'mtu [0-9]+|state [A-Z]+|link/ether [0-9a-f:]+'; ip -4 addr show up0 | sed 's/^[0-9]*://'; ip route; sysctl net.ipv4.conf.up0.rp_filter",
            )
        };
        for way in ["destroy", "rollback"] {
            let confirm: &[&str] = if way == "rollback" { &["--confirm", "10m"] } else { &[] };
            topo(&[&["apply", "--yes"], confirm, &[&file]].concat()).expect(0);
            sh(anew);
            let before = look();
            match way {
                "rollback" => topo(&["rollback", "lab"]).expect(0),
                _ => topo(&["destroy", "--yes", "lab"]).expect(0).says("host/up0 was re-created outside topo"),
            };
            assert_eq!(look(), before);
            assert!(!std::path::Path::new("/run/topo").exists());
        }
        // It can be configured like any other, and then is as its owner made it.
        let before = look();
        topo(&["apply", "--yes", &file]).expect(0);
        sh(anew);
        apply(&file);
        topo(&["destroy", "--yes", "lab"]).expect(0);
        assert_eq!(sh("cat /sys/class/net/up0/mtu"), "9000\n");
        assert_eq!(look(), before);
    });
}

/// What a hand changed on an interface stays, as it does with a sysctl; all else goes back.
#[test]
fn what_a_hand_changed_on_an_interface_stays() {
    sandbox::run("what_a_hand_changed_on_an_interface_stays", || {
        sh("ip link add up0 type veth peer name up1");
        let file = write(
            "lab.yaml",
            "name: lab\nhost: { interfaces: { up0: { existing: {}, mtu: 1300, txqueuelen: 700, up: true } } }\n",
        );
        apply(&file);
        sh("ip link set up0 mtu 1400");
        topo(&["destroy", "--yes", "lab"]).expect(0).says("host/up0 was changed outside topo since the last apply");
        let shown = sh("ip -o link show up0");
        assert!(shown.contains("mtu 1400") && shown.contains("qlen 1000") && shown.contains("state DOWN"), "{shown}");
    });
}

/// The network namespace that topo was started in has gone: the next run goes on, and a destroy removes what is left.
#[test]
fn a_topology_whose_home_is_gone() {
    sandbox::run("a_topology_whose_home_is_gone", || {
        let ci = "name: ci\nhost: { forwarding: true, interfaces: { br: { bridge: {}, addresses: [10.5.0.1/24] } } }\nnamespaces: { leaf: { interfaces: { e: { veth: leaf2/e } } }, leaf2: {} }\n";
        let file = write("ci.yaml", ci);
        let other = write("other.yaml", "name: other\nnamespaces: { O: {} }\n");
        for last in [vec!["destroy", "--yes", "ci"], vec!["destroy", "--yes", "--all"]] {
            sh(&format!("unshare -n {} apply --yes {file}; sleep 0.3", topo_path()));
            sh(&format!("unshare -n {} apply --yes {file}; sleep 0.3", topo_path()));
            apply(&other);
            topo(&last).expect(0).says("is gone");
            assert_eq!(try_sh("ls /run/netns | grep leaf").code, 1);
            topo(&["destroy", "--yes", "other"]).expect(0);
            assert!(!std::path::Path::new("/run/topo").exists());
            assert_eq!(sh("sysctl -n net.ipv4.ip_forward"), "0\n");
        }
        // One that is there refuses, and says where it is; all others go.
        sh(&format!("ip netns add home; nsenter --net=/run/netns/home {} apply --yes {file}", topo_path()));
        apply(&other);
        topo(&["apply", "--yes", &file]).expect(1).says("netns home").says("nsenter --net=/run/netns/home topo");
        topo(&["destroy", "--yes", "--all"]).expect(1).says("netns home");
        assert_eq!(sh("ls /run/topo"), "ci\n");
        sh(&format!("nsenter --net=/run/netns/home {} destroy --yes ci", topo_path()));
        assert!(!std::path::Path::new("/run/topo").exists());
    });
}

#[test]
fn the_way_back_leaves_an_interface_that_was_made_anew() {
    sandbox::run("the_way_back_leaves_an_interface_that_was_made_anew", || {
        let made = |mtu: &str| {
            sh(&format!("ip link add up0 mtu {mtu} type veth peer name up1; ip link set up0 up; ip link set up1 up"))
        };
        let here = "host: { interfaces: { up0: { existing: {}, mtu: 1400 } } }\nnamespaces:\n  C: {}\n";
        let one = write("one.yaml", &format!("name: lab\n{here}"));
        let two = write("two.yaml", &format!("name: lab\n{here}  D: {{}}\n"));
        made("1500");
        apply(&one);
        apply(&two);
        // Its owner makes it again, and happens to want the same of it: an apply has nothing to do but to note that.
        sh("ip link del up0");
        made("1400");
        let said = topo(&["apply", "--yes", &two]).expect(0);
        said.says("No changes.").says("host/up0 was re-created outside topo");
        // Back over both applies, and out: it is not what the old one was.
        let said = topo(&["undo", "--yes"]).expect(0).says("- namespace D");
        assert_eq!(said.stderr, "");
        topo(&["plan", "--detailed-exitcode", &one]).expect(0);
        let said = topo(&["undo", "--yes"]).expect(0).says("- namespace C");
        assert_eq!(said.stderr, "");
        assert!(sh("ip link show up0").contains("mtu 1400"));
        apply(&two);
        topo(&["destroy", "--yes", "lab"]).expect(0);
        assert!(sh("ip link show up0").contains("mtu 1400"));
    });
}

#[test]
fn a_namespace_of_the_topology_is_no_foreign_one() {
    sandbox::run("a_namespace_of_the_topology_is_no_foreign_one", || {
        let before = write("before.yaml", "name: lab\nnamespaces: { A: {}, C: {} }\n");
        apply(&before);
        sh("touch /run/second; mount --bind /run/netns/A /run/second");
        for place in ["netns: A", "path: /run/netns/A", "path: /run/second"] {
            let after = write(
                "after.yaml",
                &format!(
                    "name: lab\nnamespaces:\n  B: {{ existing: {{ {place} }}, interfaces: {{ br1: {{ bridge: {{}} }} }} }}\n  C: {{}}\n"
                ),
            );
            for command in [["plan", &after].as_slice(), &["apply", "--yes", &after]] {
                topo(command)
                    .expect(1)
                    .says("it is namespace A, which this topology made, and deletes because the file does not name it")
                    .says("after.yaml:3:3")
                    .says("name A in the file again, and put all of it there");
            }
            topo(&["plan", "--detailed-exitcode", &before]).expect(0);
        }
        let both = write("both.yaml", "name: lab\nnamespaces:\n  A: {}\n  B: { existing: { path: /run/second } }\n");
        topo(&["plan", &both]).expect(1).says("it is namespace A, which this file makes").says("put all of it under A");
        topo(&["destroy", "--yes", "lab"]).expect(0);
    });
}
