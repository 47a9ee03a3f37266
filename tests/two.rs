//! Topologies side by side: what they share stays until the last of them goes, and then is as it was before the first; what is one's own is no other's.
//!
//! Judged by `ip` and `sysctl`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::disallowed_methods, reason = "a test fails by panicking")]

mod sandbox;

use sandbox::{Options, assert_snapshot_with, quiet, sh, topo, write};

/// Everything a snapshot has.
fn whole() -> Options {
    Options { handles: true, indexes: true, addresses: true, ..Options::default() }
}

fn apply(file: &str) {
    topo(&["apply", "--yes", file]).expect(0);
    topo(&["plan", "--detailed-exitcode", file]).expect(0);
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

/// Goes each walk. `file` says what is in a topology's file, `check` is asked after each step, with the topologies that are there.
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

/// What a switch of forwarding writes besides comes back with the last topology that gives the switch back, as it was before the first.
#[test]
fn a_switch_that_topologies_share_goes_back_whole() {
    sandbox::run("a_switch_that_topologies_share_goes_back_whole", || {
        sh(PAIRS);
        // One that somebody had switched on before; it must be so again.
        sh("sysctl -qw net.ipv4.conf.ny.forwarding=1 net.ipv6.conf.ny.forwarding=1");
        let all = "ip_forward|forwarding|all.accept_redirects";
        let before = settings(all);
        for word in ["ipv4", "ipv6", "true"] {
            let file = |name: &str| format!("name: {name}\nhost: {{ forwarding: {word} }}\nnamespaces: {{ N{name}: {{}} }}\n");
            walk(file, |there| {
                if there.is_empty() {
                    assert_eq!(settings(all), before);
                    return;
                }
                if word != "ipv6" {
                    assert_eq!(settings(r"ipv4.*(ip_forward |\.forwarding)").matches("= 1").count(), 8, "it forwards everywhere\n{}", settings("ipv4.*forw"));
                }
                if word != "ipv4" {
                    assert_eq!(settings(r"ipv6.*\.forwarding").matches("= 1").count(), 7, "it forwards everywhere\n{}", settings("ipv6.*forw"));
                }
            });
        }
    });
}

/// An interface that came while a topology forwarded has no value from before: it goes where the switch takes it.
#[test]
fn an_interface_that_came_later_follows_a_shared_switch() {
    sandbox::run("an_interface_that_came_later_follows_a_shared_switch", || {
        let file = |name: &str| write(&format!("{name}.yaml"), &format!("name: {name}\nhost: {{ forwarding: true }}\nnamespaces: {{ N{name}: {{}} }}\n"));
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
        let two = write("two.yaml", "name: two\nhost: { interfaces: { nx: { existing: {} } }, sysctls: { net.ipv4.conf.nx.forwarding: 1 } }\n");
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
