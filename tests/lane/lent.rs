//! Interfaces of somebody else that are lent to a topology, when their use changes; and where topo may be started.
//!
//! Judged by `ip`.

#![allow(clippy::disallowed_methods, reason = "a test makes processes")]

use crate::sandbox;

use sandbox::{apply, sh, topo, topo_path, try_sh, write};

/// A cable in the other socket: the interface goes home before another link has its place, and its settings are as they
/// were.
#[test]
fn another_link_takes_the_place_of_a_lent_interface() {
    sandbox::run("another_link_takes_the_place_of_a_lent_interface", || {
        sh("for i in 1 2; do ip link add p$i type veth peer name q$i; ip addr add 192.0.2.$i/32 dev p$i; ip link set p$i up; ip link set q$i up; done
            ip route add 198.51.100.0/24 dev p1");
        let look = || {
            sh(
                "for i in 1 2; do ip -4 -o addr show p$i | sed 's/^[0-9]*://'; ip -o link show p$i | grep -oE 'mtu [0-9]+|state [A-Z]+'; done; ip route",
            )
        };
        let before = look();
        let file = |name: &str, first: &str, second: &str| {
            write(
                name,
                &format!(
                    "name: nics\nnamespaces:\n  r1: {{ interfaces: {{ {first} }} }}\n  r2: {{ interfaces: {{ {second} }} }}\n"
                ),
            )
        };
        let old = file("old.yaml", "eth0: { existing: { from: host/p1 }, mtu: 1400, addresses: [10.0.0.1/24] }", "");
        let news = [
            ("eth0: { existing: { from: host/p2 }, mtu: 1400, addresses: [10.0.0.1/24] }", ""),
            ("eth0: { bridge: {}, addresses: [10.0.0.1/24] }", ""),
            ("eth0: { veth: r2/eth9, addresses: [10.0.0.1/24] }", "p1: { existing: { from: host/p1 } }"),
            ("eth0: { bridge: { ports: [p1] } }, p1: { existing: { from: host/p1 } }", ""),
        ];
        for (first, second) in news {
            let new = file("new.yaml", first, second);
            apply(&old);
            apply(&new);
            if first.contains("p2") {
                assert!(
                    sh("ip -o link show p1").contains("state UP")
                        && sh("ip -n r1 -o addr show eth0").contains("10.0.0.1")
                );
            }
            topo(&["undo", "--yes", "nics"]).expect(0);
            topo(&["plan", "--detailed-exitcode", &old]).expect(0);
            apply(&new);
            apply(&old);
            apply(&new);
            topo(&["destroy", "--yes", "nics"]).expect(0);
            assert_eq!(look(), before);
        }
    });
}

/// What the kernel takes away when an interface moves, and nobody can put back, is told before.
#[test]
fn a_qdisc_of_others_that_a_move_costs_is_told() {
    sandbox::run("a_qdisc_of_others_that_a_move_costs_is_told", || {
        sh(
            "ip link add p1 type veth peer name q1; tc qdisc add dev p1 root handle 7: pfifo limit 77; ip link set p1 up",
        );
        let file = |how: &str| {
            let text = format!("name: nics\nnamespaces: {{ r1: {{ interfaces: {{ p1: {{ existing: {how} }} }} }} }}\n");
            write("moves.yaml", &text)
        };
        let moves = file("{ from: host/p1 }");
        let warning = "the qdisc pfifo on host/p1, which topo did not create, is not restored: the kernel takes it away when an interface moves to another namespace";
        let plan = topo(&["plan", &moves]).expect(0);
        assert_eq!(plan.stderr.split_whitespace().collect::<Vec<_>>().join(" "), format!("warning: {warning}"));
        topo(&["apply", "--yes", &moves]).expect(0);
        assert_eq!(topo(&["plan", "--detailed-exitcode", &moves]).expect(0).stderr, "");
        topo(&["destroy", "--yes", "nics"]).expect(0);
        assert_eq!(sh("tc qdisc show dev p1"), "qdisc noqueue 0: root refcnt 2 \n");
        // Where it stays it keeps it.
        sh("tc qdisc add dev p1 root handle 7: pfifo limit 77");
        let stays = write("stays.yaml", "name: nics\nhost: { interfaces: { p1: { existing: {}, mtu: 1400 } } }\n");
        assert_eq!(topo(&["plan", &stays]).expect(0).stderr, "");
        topo(&["apply", "--yes", &stays]).expect(0);
        topo(&["destroy", "--yes", "nics"]).expect(0);
        assert!(sh("tc qdisc show dev p1").contains("limit 77p"));
    });
}

/// The kernel drops the routes over an interface with its last address (`fib_inetaddr_event`): where the interface
/// moves away in the same apply they wait until it is home.
#[test]
fn routes_over_an_interface_that_loses_its_address_and_moves() {
    sandbox::run("routes_over_an_interface_that_loses_its_address_and_moves", || {
        sh("ip link add p1 type veth peer name q1; ip link set p1 up; ip link set q1 up
            ip route add 198.51.100.0/24 dev p1; ip route add 198.51.100.0/24 dev p1 tos 0x10 metric 5");
        let routes = || sh("ip -4 route show table all dev p1");
        let before = routes();
        let stays = write(
            "stays.yaml",
            "name: nics\nhost: { interfaces: { p1: { existing: {}, addresses: [10.1.0.1/24] } } }\n",
        );
        let moves = write(
            "moves.yaml",
            "name: nics\nnamespaces: { r1: { interfaces: { p1: { existing: { from: host/p1 } } } } }\n",
        );
        apply(&stays);
        apply(&moves);
        topo(&["undo", "--yes", "nics"]).expect(0);
        topo(&["plan", "--detailed-exitcode", &stays]).expect(0);
        apply(&moves);
        topo(&["destroy", "--yes", "nics"]).expect(0);
        assert_eq!(routes(), before);
    });
}

/// The name that a lent interface had is somebody else's meanwhile: it is said which, and nothing is lost.
#[test]
fn the_name_of_a_lent_interface_is_taken() {
    sandbox::run("the_name_of_a_lent_interface_is_taken", || {
        sh("ip link add ens18 type veth peer name far18; ip link set ens18 up; ip link set far18 up");
        let file = write(
            "lent.yaml",
            "name: lent\nnamespaces: { r: { interfaces: { eth0: { existing: { from: host/ens18 } } } } }\n",
        );
        let without = write("without.yaml", "name: lent\nnamespaces: { r: {} }\n");
        apply(&file);
        sh("ip link add ens18 type bridge");
        for refused in
            [topo(&["destroy", "--yes", "lent"]), topo(&["apply", "--yes", &without]), topo(&["undo", "--yes", "lent"])]
        {
            let said = refused.expect(1);
            assert!(
                said.stderr.contains("host/ens18")
                    && said.stderr.contains("rename or remove")
                    && !said.stderr.contains("fault of topo"),
                "{}",
                said.stderr
            );
        }
        topo(&["plan", "--detailed-exitcode", &file]).expect(0);
        sh("ip link set ens18 name other");
        topo(&["destroy", "--yes", "lent"]).expect(0);
        assert!(sh("ip -o link show ens18").contains("ens18@far18"));
    });
}

/// A macvlan goes with its namespace, and its parent becomes a port in the same change: the kernel ends a namespace
/// later than it says.
#[test]
fn a_parent_is_free_in_time() {
    sandbox::run_needing("a_parent_is_free_in_time", &["macvlan"], || {
        sh("ip link add p2 type veth peer name q2; ip link set p2 up; ip link set q2 up");
        let old = "name: busy\nhost: { interfaces: { p2: { existing: {} } } }\nnamespaces: { r1: { interfaces: { mv: { macvlan: { link: host/p2, mode: bridge }, addresses: [10.0.0.1/24] } } } }\n";
        let new = "name: busy\nhost: { interfaces: { p2: { existing: {} }, br: { bridge: { ports: [p2] }, addresses: [10.0.0.1/24] } } }\n";
        let (old, new) = (write("old.yaml", old), write("new.yaml", new));
        for _ in 0..8 {
            apply(&old);
            apply(&new);
            topo(&["destroy", "--yes", "busy"]).expect(0);
        }
    });
}

/// Inside of a node of topo's, and where nobody else sees the mounts, an apply is refused, unless it is meant.
#[test]
fn an_apply_that_nobody_would_see_is_refused() {
    sandbox::run("an_apply_that_nobody_would_see_is_refused", || {
        let outer = write("outer.yaml", "name: outer\nnamespaces: { N: {} }\n");
        let inner = write(
            "inner.yaml",
            "name: inner\nnamespaces: { leaf: { interfaces: { lo: { addresses: [10.5.0.2/32] } } } }\n",
        );
        let host = write("only.yaml", "name: only\nhost: { interfaces: { br7: { bridge: {} } } }\n");
        let run = |before: &str, args: &str| try_sh(&format!("{before} {} {args}", topo_path()));
        apply(&outer);
        run("nsenter --net=/run/netns/N", &format!("apply --yes {inner}"))
            .expect(64)
            .says("node of topology \"outer\"")
            .says("--here");
        sh("ip netns add plain");
        run("ip netns exec plain", &format!("apply --yes {inner}"))
            .expect(64)
            .says("no other process sees")
            .says("nsenter");
        assert_eq!(sh("ls /run/netns /run/topo"), "/run/netns:\nN\nplain\n\n/run/topo:\nouter\n");
        // Nothing that has a name is made: there is nothing to lose.
        run("ip netns exec plain", &format!("apply --yes {host}")).expect(0);
        run("ip netns exec plain", "destroy --yes only").expect(0);
        run("nsenter --net=/run/netns/N", &format!("apply --yes --here {inner}")).expect(0);
        assert!(sh("ip -n leaf addr show lo").contains("10.5.0.2"));
        run("nsenter --net=/run/netns/N", "destroy --yes inner").expect(0);
        topo(&["destroy", "--yes", "outer"]).expect(0);
    });
}
