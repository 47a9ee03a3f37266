//! Topologies side by side: what they share stays until the last of them goes, and then is as it was before the first;
//! what is one's own is no other's.
//!
//! Judged by `ip` and `sysctl`.

#![allow(clippy::disallowed_methods, reason = "a test makes processes")]

use crate::sandbox;

use sandbox::{Options, apply, assert_snapshot_with, quiet, sh, topo, write};

/// Everything a snapshot has.
fn whole() -> Options {
    Options { handles: true, indexes: true, addresses: true, ..Options::default() }
}

/// Without what is random in a link that is made anew.
fn part() -> Options {
    Options { handles: true, ..Options::default() }
}

fn destroy(name: &str) {
    topo(&["destroy", "--yes", name]).expect(0);
}

/// Settings of the host as `sysctl` shows them; a few by name, or all below.
fn settings(what: &str) -> String {
    sh(&format!("sysctl -a 2>/dev/null | grep -E '{what}'"))
}

/// The order in which topologies come (`+`) and go (`-`).
type Walk = &'static [&'static str];

const WALKS: &[Walk] = &[
    &["+one", "+two", "-one", "-two"],
    &["+one", "+two", "-two", "-one"],
    &["+one", "+two", "-one", "+three", "-two", "-three"],
    &["+one", "+two", "+three", "-two", "-one", "-three"],
    &["+one", "+two", "-one", "+one", "-two", "-one"],
];

/// Goes each walk. `file` says what is in a topology's file, `check` is asked after each step, with the topologies that
/// are there.
fn walk(file: impl Fn(&str) -> String, check: impl Fn(&[&str])) {
    let before = quiet(&whole());
    let written = |name: &str| write(&format!("{name}.yaml"), &file(name));
    for walk in WALKS {
        let mut there: Vec<&str> = Vec::new();
        for step in *walk {
            let (sign, name) = step.split_at(1);
            if sign == "+" {
                apply(&written(name));
                there.push(name);
            } else {
                destroy(name);
                there.retain(|one| *one != name);
            }
            println!("{walk:?}: after {step}");
            check(&there);
            for name in &there {
                topo(&["plan", "--detailed-exitcode", &written(name)]).expect(0);
            }
        }
        assert_snapshot_with(&before, &whole());
    }
}

/// Two foreign pairs, of which `nx` and `ny` are up.
const PAIRS: &str = "for n in nx ny; do ip link add $n type veth peer name p$n; ip link set $n up; done";

/// What a switch of forwarding writes besides comes back with the last topology that gives the switch back, as it was
/// before the first.
#[test]
fn a_switch_that_topologies_share_goes_back_whole() {
    sandbox::run("a_switch_that_topologies_share_goes_back_whole", || {
        sh(PAIRS);
        // One that somebody had switched on before; it must be so again.
        sh("sysctl -qw net.ipv4.conf.ny.forwarding=1 net.ipv6.conf.ny.forwarding=1");
        let all = "ip_forward|forwarding|all.accept_redirects";
        let before = settings(all);
        for word in ["ipv4", "ipv6", "true"] {
            let file =
                |name: &str| format!("name: {name}\nhost: {{ forwarding: {word} }}\nnamespaces: {{ N{name}: {{}} }}\n");
            walk(file, |there| {
                if there.is_empty() {
                    assert_eq!(settings(all), before);
                    return;
                }
                if word != "ipv6" {
                    assert_eq!(
                        settings(r"ipv4.*(ip_forward |\.forwarding)").matches("= 1").count(),
                        8,
                        "it forwards everywhere\n{}",
                        settings("ipv4.*forw")
                    );
                }
                if word != "ipv4" {
                    assert_eq!(
                        settings(r"ipv6.*\.forwarding").matches("= 1").count(),
                        7,
                        "it forwards everywhere\n{}",
                        settings("ipv6.*forw")
                    );
                }
            });
        }
    });
}

/// An interface that came while a topology forwarded has no value from before: it goes where the switch takes it.
#[test]
fn an_interface_that_came_later_follows_a_shared_switch() {
    sandbox::run("an_interface_that_came_later_follows_a_shared_switch", || {
        let file = |name: &str| {
            write(
                &format!("{name}.yaml"),
                &format!("name: {name}\nhost: {{ forwarding: true }}\nnamespaces: {{ N{name}: {{}} }}\n"),
            )
        };
        apply(&file("one"));
        sh(PAIRS);
        apply(&file("two"));
        destroy("one");
        assert_eq!(sh("sysctl -n net.ipv4.conf.nx.forwarding net.ipv6.conf.nx.forwarding"), "1\n1\n");
        destroy("two");
        assert_eq!(settings(r"ip_forward |\.forwarding").matches("= 1").count(), 0, "{}", settings("forward"));
    });
}

/// What one topology wrote on an interface stays while a switch that another gives back passes over it.
#[test]
fn a_switch_that_goes_back_leaves_what_another_topology_wrote() {
    sandbox::run("a_switch_that_goes_back_leaves_what_another_topology_wrote", || {
        sh(PAIRS);
        let one = write("one.yaml", "name: one\nhost: { forwarding: ipv4 }\n");
        let two = write(
            "two.yaml",
            "name: two\nhost: { interfaces: { nx: { existing: {} } }, sysctls: { net.ipv4.conf.nx.forwarding: 1 } }\n",
        );
        let before = settings("forwarding|ip_forward");
        for (first, second) in [(&one, &two), (&two, &one)] {
            for names in [["one", "two"], ["two", "one"]] {
                apply(first);
                apply(second);
                destroy(names[0]);
                let left = if names[0] == "one" { &two } else { &one };
                topo(&["plan", "--detailed-exitcode", left]).expect(0);
                assert_eq!(sh("sysctl -n net.ipv4.conf.nx.forwarding"), "1\n");
                destroy(names[1]);
                assert_eq!(settings("forwarding|ip_forward"), before);
            }
        }
    });
}

/// An attribute of somebody's interface that two topologies name stays until the last of them goes.
#[test]
fn attributes_that_topologies_share_go_back_with_the_last() {
    sandbox::run("attributes_that_topologies_share_go_back_with_the_last", || {
        sh(
            "ip link add nic0 type veth peer name nic1; ip link set nic0 up; ip link set nic1 up; ip addr add 192.0.2.1/24 dev nic0",
        );
        // Each names one that the others do not.
        let own = [
            ("one", "txqueuelen: 700"),
            ("two", "mac: \"02:00:00:00:00:42\""),
            ("three", "alternative-names: [uplink]"),
        ];
        let file = |name: &str| {
            let own = own.iter().find(|(of, _)| *of == name).unwrap().1;
            format!("name: {name}\nhost: {{ interfaces: {{ nic0: {{ existing: {{}}, mtu: 1400, {own} }} }} }}\n")
        };
        let shown = |what: &str| sh(&format!("ip -o link show nic0 | grep -o '{what}' || true"));
        walk(file, |there| {
            assert_eq!(shown("mtu [0-9]* "), if there.is_empty() { "mtu 1500 \n" } else { "mtu 1400 \n" });
            assert_eq!(shown("qlen 700"), if there.contains(&"one") { "qlen 700\n" } else { "" });
            assert_eq!(shown("02:00:00:00:00:42"), if there.contains(&"two") { "02:00:00:00:00:42\n" } else { "" });
            assert_eq!(shown("altname uplink"), if there.contains(&"three") { "altname uplink\n" } else { "" });
        });
    });
}

/// A file that no longer names an attribute gives it back only where nobody else names it.
#[test]
fn an_attribute_that_leaves_one_file_stays_for_the_other() {
    sandbox::run("an_attribute_that_leaves_one_file_stays_for_the_other", || {
        sh("ip link add nic0 type veth peer name nic1; ip link set nic0 up; ip link set nic1 up");
        let file = |name: &str, more: &str| {
            write(
                &format!("{name}.yaml"),
                &format!("name: {name}\nhost: {{ interfaces: {{ nic0: {{ existing: {{}}{more} }} }} }}\n"),
            )
        };
        let mtu = || sh("cat /sys/class/net/nic0/mtu");
        apply(&file("one", ", mtu: 1400"));
        apply(&file("two", ", mtu: 1400"));
        apply(&file("one", ", txqueuelen: 700"));
        assert_eq!(mtu(), "1400\n");
        apply(&file("two", ""));
        assert_eq!(mtu(), "1500\n");
        destroy("one");
        destroy("two");
    });
}

/// Two values of one attribute are refused, and the file that came first is named.
#[test]
fn two_values_of_one_attribute_are_refused() {
    sandbox::run("two_values_of_one_attribute_are_refused", || {
        sh("ip link add nic0 type veth peer name nic1; ip link set nic0 up; ip link set nic1 up");
        let file = |name: &str, mtu: u32| {
            write(
                &format!("{name}.yaml"),
                &format!("name: {name}\nhost: {{ interfaces: {{ nic0: {{ existing: {{}}, mtu: {mtu} }} }} }}\n"),
            )
        };
        let (one, two) = (file("one", 1400), file("two", 1300));
        apply(&one);
        topo(&["apply", "--yes", &two])
            .expect(1)
            .says("topology \"one\" has set mtu of host/nic0 to \"1400\", and this one wants \"1300\"");
        assert_eq!(sh("cat /sys/class/net/nic0/mtu"), "1400\n");
        // What a hand changed is drift, and no matter of the other topology.
        apply(&file("two", 1400));
        sh("ip link set nic0 mtu 1350");
        topo(&["plan", "--detailed-exitcode", &one]).expect(2);
        apply(&one);
        apply(&file("two", 1400));
        destroy("one");
        destroy("two");
        assert_eq!(sh("cat /sys/class/net/nic0/mtu"), "1500\n");
    });
}

/// An interface that two topologies have set down comes up with the last, with the addresses and routes that going down
/// cost it.
#[test]
fn an_interface_that_topologies_set_down_comes_up_with_the_last() {
    sandbox::run("an_interface_that_topologies_set_down_comes_up_with_the_last", || {
        sh("sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0
            ip link add nic0 type veth peer name nic1; ip link set nic0 up; ip link set nic1 up
            ip addr add 192.0.2.1/24 dev nic0; ip addr add 2001:db8::1/64 dev nic0; ip route add 198.51.100.0/24 via 192.0.2.9");
        let file =
            |name: &str| format!("name: {name}\nhost: {{ interfaces: {{ nic0: {{ existing: {{}}, up: false }} }} }}\n");
        walk(file, |there| {
            let up = sh("ip -o link show nic0").contains(",UP");
            assert_eq!(up, there.is_empty());
            if up {
                assert!(
                    sh("ip route show 198.51.100.0/24").contains("nic0")
                        && sh("ip -6 addr show nic0").contains("2001:db8::1")
                );
            }
        });
    });
}

/// What one topology undoes, by hand or because nobody confirmed it, leaves the other whole, and the last to go gives
/// back what was there before both.
#[test]
fn a_way_back_leaves_what_another_topology_has() {
    sandbox::run("a_way_back_leaves_what_another_topology_has", || {
        sh(PAIRS);
        sh("ip link set nx down; ip addr add 192.0.2.1/24 dev ny; ip route add 198.51.100.0/24 via 192.0.2.9");
        let file = |name: &str, net: u32| {
            let shared = "nx: { existing: {}, up: true, mtu: 1300 }, ny: { existing: {}, up: false }";
            let own = format!("b{name}: {{ bridge: {{}}, addresses: [10.{net}.0.1/24] }}");
            write(
                &format!("{name}.yaml"),
                &format!(
                    "name: {name}\nhost: {{ forwarding: true, interfaces: {{ {shared}, {own} }} }}\nnamespaces: {{ N{name}: {{}} }}\n"
                ),
            )
        };
        let files = [("one", file("one", 1)), ("two", file("two", 2))];
        let before = quiet(&whole());
        let leave = |how: &str, name: &str| {
            let said = match how {
                "rollback" => topo(&["rollback", name]),
                how => topo(&[how, "--yes", name]),
            };
            said.expect(0);
        };
        let ways = ["undo", "rollback", "destroy"];
        for ((first, second), back) in ways
            .iter()
            .flat_map(|first| ways.iter().map(move |second| (*first, *second)))
            .flat_map(|ways| [(ways, false), (ways, true)])
        {
            println!("{first}, {second}, {back}");
            let hows = if back { [second, first] } else { [first, second] };
            for ((_, file), how) in files.iter().zip(hows) {
                let confirm = if how == "rollback" { vec!["--confirm", "10m"] } else { Vec::new() };
                topo(&[&["apply", "--yes"], confirm.as_slice(), &[file]].concat()).expect(0);
            }
            let order = if back { [1, 0] } else { [0, 1] };
            leave(first, files[order[0]].0);
            topo(&["plan", "--detailed-exitcode", &files[order[1]].1]).expect(0);
            leave(second, files[order[1]].0);
            assert_snapshot_with(&before, &whole());
            assert!(!std::path::Path::new("/run/topo").exists());
        }
    });
}

/// A topology, and another that reaches into a namespace of it by `place`.
fn base_and_guest(place: &str) -> (String, String) {
    let base = "
name: base
namespaces:
  R:
    interfaces: { e: { veth: H/e, queues: { tx: 3, rx: 3 }, addresses: [10.1.0.1/24] }, br0: { bridge: {}, addresses: [10.2.0.1/24] } }
    routes: [{ to: 10.9.0.0/16, via: 10.1.0.2 }]
  H: { interfaces: { e: { addresses: [10.1.0.2/24] } } }
";
    let guest = format!(
        "
name: guest
namespaces:
  G:
    existing: {{ {place} }}
    interfaces:
      x: {{ veth: Z/x, addresses: [10.5.0.1/24] }}
      d0: {{ bridge: {{}} }}
      e: {{ existing: {{}}, addresses: [10.1.0.7/24] }}
      lent: {{ existing: {{ from: host/lent }}, addresses: [10.7.0.1/24] }}
    routes: [{{ to: 10.6.0.0/16, via: 10.5.0.2 }}, {{ to: 10.8.0.0/16, via: 10.1.0.2 }}]
    rules: [{{ priority: 70, from: 10.6.0.0/16, table: 70 }}]
    neighbors: [{{ address: 10.1.0.50, mac: \"02:00:00:00:00:50\", dev: e }}]
  Z: {{ interfaces: {{ x: {{ addresses: [10.5.0.2/24] }} }} }}
"
    );
    (write("base.yaml", base), write("guest.yaml", &guest))
}

/// What another topology has in a namespace of ours is its own: no drift, not taken away, and the namespace stays while
/// it is there.
#[test]
fn what_another_topology_has_in_our_namespace_is_left_alone() {
    sandbox::run("what_another_topology_has_in_our_namespace_is_left_alone", || {
        sh(
            "ip link add lent type veth peer name tnel; ip link set lent up; ip link set tnel up; ip addr add 192.0.2.1/24 dev lent",
        );
        // A link that comes home has another number than before.
        let home = Options { handles: true, addresses: true, ..Options::default() };
        let before = quiet(&home);
        for place in ["netns: R", "path: /run/netns/R"] {
            let (base, guest) = base_and_guest(place);
            apply(&base);
            let alone = quiet(&part());
            apply(&guest);
            topo(&["plan", "--detailed-exitcode", &base]).expect(0);
            // What is neither's is drift as ever, and its repair leaves the guest's alone.
            let both = quiet(&part());
            sh(
                "ip -n R link add extra type bridge; ip -n R addr add 10.1.0.99/24 dev e; ip -n R route add blackhole 10.77.0.0/16",
            );
            topo(&["plan", "--detailed-exitcode", &base])
                .expect(2)
                .says("extra")
                .says("10.1.0.99")
                .says("10.77.0.0/16");
            apply(&base);
            assert_snapshot_with(&both, &part());
            topo(&["plan", "--detailed-exitcode", &guest]).expect(0);
            // What ours lose on the way and is the guest's comes back.
            let text = std::fs::read_to_string(&base).unwrap();
            let anew = write("anew.yaml", &text.replace("tx: 3", "tx: 4"));
            let plan = topo(&["plan", &anew]).expect(0).says("re-creates").says("10.1.0.7/24").says("10.1.0.50");
            assert!(!plan.stdout.contains("does not put back"), "{}", plan.stdout);
            apply(&anew);
            topo(&["plan", "--detailed-exitcode", &guest]).expect(0);
            apply(&base);
            topo(&["plan", "--detailed-exitcode", &guest]).expect(0);
            let refused = topo(&["destroy", "--yes", "base"]).expect(1);
            refused.says("topology \"guest\" still uses it").says("topo destroy guest");
            assert_snapshot_with(&both, &part());
            destroy("guest");
            assert_snapshot_with(&alone, &part());
            destroy("base");
            assert_snapshot_with(&before, &home);
            // Both at once go in the order in which they can.
            apply(&base);
            apply(&guest);
            topo(&["destroy", "--yes", "--all"]).expect(0);
            assert_snapshot_with(&before, &home);
        }
    });
}

/// Forwarding of single links follows the node's switch, but not where another topology says it.
#[test]
fn a_setting_of_our_link_that_another_topology_wrote_stays() {
    sandbox::run("a_setting_of_our_link_that_another_topology_wrote_stays", || {
        let base = write("base.yaml", "name: base\nnamespaces: { R: { interfaces: { e: { veth: H/e } } }, H: }\n");
        apply(&base);
        for place in ["netns: R", "path: /run/netns/R"] {
            let text = format!(
                "name: guest\nnamespaces: {{ G: {{ existing: {{ {place} }}, interfaces: {{ e: {{ existing: {{}}, forwarding: true }} }} }} }}\n"
            );
            let guest = write("guest.yaml", &text);
            apply(&guest);
            for file in [&base, &guest] {
                topo(&["plan", "--detailed-exitcode", file]).expect(0);
            }
            destroy("guest");
            topo(&["plan", "--detailed-exitcode", &base]).expect(0);
        }
        sh("ip netns exec R sysctl -qw net.ipv4.conf.e.forwarding=1");
        topo(&["plan", "--detailed-exitcode", &base]).expect(2).says("net.ipv4.conf.e.forwarding");
        destroy("base");
    });
}

/// Nor is the apply undone that made a namespace which another topology uses.
#[test]
fn a_namespace_in_use_is_not_undone() {
    sandbox::run("a_namespace_in_use_is_not_undone", || {
        sh("ip link add lent type veth peer name tnel");
        let (base, guest) = base_and_guest("netns: R");
        apply(&base);
        apply(&guest);
        let both = quiet(&whole());
        topo(&["undo", "--yes", "base"]).expect(1).says("topology \"guest\" still uses it");
        assert_snapshot_with(&both, &whole());
        destroy("guest");
        topo(&["undo", "--yes", "base"]).expect(0);
        assert_eq!(sh("ls /run/netns"), "");
    });
}

/// What is shared goes back too where all go at once.
#[test]
fn what_is_shared_goes_back_when_all_go_at_once() {
    sandbox::run("what_is_shared_goes_back_when_all_go_at_once", || {
        sh(PAIRS);
        let before = quiet(&whole());
        for name in ["one", "two", "three"] {
            let text = format!(
                "name: {name}\nhost: {{ forwarding: true, interfaces: {{ nx: {{ existing: {{}}, mtu: 1400 }} }} }}\nnamespaces: {{ N{name}: {{}} }}\n"
            );
            apply(&write(&format!("{name}.yaml"), &text));
        }
        topo(&["destroy", "--yes", "--all"]).expect(0);
        assert_snapshot_with(&before, &whole());
    });
}

/// To delete the end of somebody's pair in a namespace of ours is to delete what is theirs elsewhere: it is left alone,
/// and the plan that cannot says so.
#[test]
fn the_end_of_somebodys_pair_in_our_namespace_is_left_alone() {
    sandbox::run("the_end_of_somebodys_pair_in_our_namespace_is_left_alone", || {
        let file = write(
            "lab.yaml",
            "name: lab\nnamespaces:\n  A: { interfaces: { e: { veth: B/e, addresses: [10.0.0.1/24] } } }\n  B: { interfaces: { e: {} } }\n",
        );
        apply(&file);
        sh("ip link add qq type veth peer name rr netns A; ip addr add 10.55.0.1/24 dev qq; ip link set qq up; ip -n A link set rr up; ip -n A addr add 10.55.0.2/24 dev rr
            ip netns add other; ip -n other link add q2 type veth peer name r2 netns A");
        let both = quiet(&whole());
        topo(&["plan", "--detailed-exitcode", &file]).expect(0).says("A/rr").says("host/qq").says("A/r2");
        topo(&["apply", "--yes", &file]).expect(0);
        assert_snapshot_with(&both, &whole());
        // A pair inside of our namespaces is drift as ever, and so is what has its other end in none.
        sh("ip -n A link add x0 type veth peer name x1 netns B; ip -n A link add x2 type bridge");
        let drift = topo(&["plan", "--detailed-exitcode", &file]).expect(2);
        assert!(
            drift.stdout.contains("link x0") && drift.stdout.contains("link x2") && !drift.stdout.contains("link rr"),
            "{}",
            drift.stdout
        );
        apply(&file);
        assert_snapshot_with(&both, &whole());
        // With the namespace it goes, and the plan says what goes with it.
        let plan = topo(&["plan", "--destroy", &file]).expect(0);
        assert!(
            plan.stdout.contains("host/qq")
                && plan.stdout.contains("which this plan does not put back")
                && !plan.stdout.contains("put back by this plan"),
            "{}",
            plan.stdout
        );
        destroy("lab");
    });
}
