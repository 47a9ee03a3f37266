//! What somebody else has on, over, and inside what topo is given.

#![allow(clippy::disallowed_methods, reason = "a test makes processes")]

use crate::sandbox;

use sandbox::{Options, assert_snapshot, assert_snapshot_with, quiet, sh, snapshot, topo, try_sh, write};

/// A vxlan ends when the interface that it sends by goes to another namespace. The plan says so, and nothing else is in
/// its way.
#[test]
fn a_vxlan_on_a_borrowed_interface_ends_and_the_plan_says_so() {
    sandbox::run("a_vxlan_on_a_borrowed_interface_ends_and_the_plan_says_so", || {
        sh("ip link add f0 type veth peer name f1; ip link set f0 up; ip link set f1 up; ip link add foreign type bridge
            ip link add vx type vxlan id 5 dev f1 dstport 4789 remote 10.1.1.1; ip link set vx master foreign");
        let file =
            write("mv.yaml", "name: mv\nnamespaces: { N: { interfaces: { up0: { existing: { from: host/f1 } } } } }\n");
        topo(&["plan", "--color", "never", &file]).expect(0).says("host/vx");
        topo(&["apply", "--yes", &file]).expect(0);
        assert_ne!(try_sh("ip link show vx").code, 0, "the kernel takes it away");
        topo(&["plan", "--detailed-exitcode", &file]).expect(0);
        topo(&["destroy", "--yes", &file]).expect(0);
        sh("ip link show f1; ip link show foreign");
    });
}

/// Our own vxlan on an interface that goes away and comes home is made anew.
#[test]
fn a_vxlan_of_ours_on_a_borrowed_interface() {
    sandbox::run("a_vxlan_of_ours_on_a_borrowed_interface", || {
        sh("ip link add f0 type veth peer name f1; ip link set f0 up; ip link set f1 up");
        let before = snapshot();
        let vxlan = "vx0: { vxlan: { id: 7, link: f1, remote: 10.1.1.1 } }";
        let home =
            write("vx.yaml", &format!("name: vx\nhost: {{ interfaces: {{ f1: {{ existing: {{}} }}, {vxlan} }} }}\n"));
        topo(&["apply", "--yes", &home]).expect(0);
        let away = write(
            "vx.yaml",
            &format!(
                "name: vx\nnamespaces: {{ N: {{ interfaces: {{ f1: {{ existing: {{ from: host/f1 }} }}, {vxlan} }} }} }}\n"
            ),
        );
        topo(&["apply", "--yes", &away]).expect(0);
        topo(&["plan", "--detailed-exitcode", &away]).expect(0);
        topo(&["destroy", "--yes", "vx"]).expect(0);
        assert_snapshot(&before);
    });
}

/// Somebody puts the other end of a pair that the file configures into a namespace of topo's: both ends go with the
/// namespace, and what the pair was like before is put back nowhere.
#[test]
fn a_pair_whose_other_end_is_in_a_namespace_that_goes() {
    for address in ["ip addr add 10.50.0.1/24 dev x1", "true"] {
        sandbox::run("a_pair_whose_other_end_is_in_a_namespace_that_goes", move || {
            let before = snapshot();
            sh(&format!("ip link add x1 type veth peer name x2; {address}; ip link set x1 up"));
            let file = write(
                "ex.yaml",
                "name: ex\nhost: { interfaces: { x1: { existing: {}, mtu: 1400 } } }\nnamespaces: { N: }\n",
            );
            topo(&["apply", "--yes", &file]).expect(0);
            sh("ip link set x2 netns N");
            topo(&["plan", "--destroy", "--color", "never", &file]).expect(0).says("host/x1");
            topo(&["destroy", "--yes", "ex"]).expect(0);
            assert_snapshot(&before);
        });
    }
}

/// A file of names goes although somebody deleted the namespace that it was for.
#[test]
fn the_names_of_a_namespace_that_is_gone() {
    sandbox::run("the_names_of_a_namespace_that_is_gone", || {
        let before = snapshot();
        sh("ip netns add guest");
        let file = write(
            "names.yaml",
            "name: names\nnamespaces: { G: { existing: { netns: guest }, dns: { hosts: { x: 10.0.0.1 } } } }\n",
        );
        topo(&["apply", "--yes", &file]).expect(0);
        sh("test -e /etc/netns/guest/hosts; ip netns del guest");
        topo(&["destroy", "--yes", "names"]).expect(0);
        assert_snapshot(&before);
    });
}

/// Where IPv6 is switched off, the error says so, and nothing of privileges.
#[test]
fn an_address_where_ipv6_is_off() {
    sandbox::run("an_address_where_ipv6_is_off", || {
        let before = snapshot();
        sh("sysctl -qw net.ipv6.conf.default.disable_ipv6=1");
        let off = snapshot();
        let file = write(
            "six.yaml",
            "name: six\nhost: { interfaces: { lab0: { bridge: {}, addresses: [\"fd04::1/64\"] } } }\n",
        );
        let told = topo(&["apply", "--yes", &file]).expect(1);
        assert!(told.stderr.contains("disable_ipv6") && !told.stderr.contains("as root"), "{}", told.stderr);
        assert_snapshot(&off);
        write(
            "six.yaml",
            "name: six\nhost: { interfaces: { lab0: { bridge: {}, ipv6: { disable: false }, addresses: [\"fd04::1/64\"] } } }\n",
        );
        topo(&["apply", "--yes", &file]).expect(0);
        topo(&["destroy", "--yes", "six"]).expect(0);
        sh("sysctl -qw net.ipv6.conf.default.disable_ipv6=0");
        assert_snapshot(&before);
    });
}

/// An MTU that would take somebody's IPv6 address away is a conflict that says what to do.
#[test]
fn an_mtu_that_is_too_small_for_an_address_of_others() {
    sandbox::run("an_mtu_that_is_too_small_for_an_address_of_others", || {
        sh("ip link add f0 type veth peer name f1; ip addr add fd50::1/64 dev f1 nodad; ip link set f1 up");
        let file = write("mtu.yaml", "name: mtu\nhost: { interfaces: { f1: { existing: {}, mtu: 1000 } } }\n");
        let told = topo(&["plan", &file]).expect(1);
        assert!(
            told.stderr.contains("fd50::1") && told.stderr.contains("1280") && !told.stderr.contains("fault of topo"),
            "{}",
            told.stderr
        );
    });
}

/// A plan is written to a device or through a link, which stay what they are.
#[test]
fn a_plan_goes_where_it_is_sent() {
    sandbox::run("a_plan_goes_where_it_is_sent", || {
        let file = write("out.yaml", "name: out\nnamespaces: { N: }\n");
        sh("cd /run/lock && mknod null c 1 3 && touch real && ln -s real link");
        topo(&["plan", "--out", "/run/lock/null", &file]).expect(0);
        sh("test -c /run/lock/null");
        topo(&["plan", "--out", "/run/lock/link", &file]).expect(0);
        sh("test -L /run/lock/link && grep -q topo_plan /run/lock/real");
        topo(&["apply", "--yes", "/run/lock/link"]).expect(0);
        topo(&["destroy", "--yes", "out"]).expect(0);
    });
}

/// A rule for `local` that stands elsewhere is shown, and a node is shown alone in JSON, too.
#[test]
fn what_is_shown_of_a_new_node() {
    sandbox::run("what_is_shown_of_a_new_node", || {
        let file = write("shown.yaml", "name: shown\nnamespaces: { A: { local-rule: 50 }, B: }\n");
        topo(&["plan", "--color", "never", &file]).expect(0).says("rule priority 50");
        topo(&["apply", "--yes", &file]).expect(0);
        let json = topo(&["show", "A", "--json"]).expect(0).stdout;
        assert!(json.contains("\"A\"") && !json.contains("\"B\""), "{json}");
        topo(&["destroy", "--yes", "shown"]).expect(0);
    });
}

/// IPv6 that is switched off on an interface of others takes their addresses: the plan says which.
#[test]
fn ipv6_of_others_that_is_switched_off() {
    sandbox::run("ipv6_of_others_that_is_switched_off", || {
        sh("ip link add f0 type veth peer name f1; ip addr add fd50::1/64 dev f1 nodad; ip addr add 10.50.0.1/24 dev f1; ip link set f0 up; ip link set f1 up
            ip -6 route add fd51::/64 via fd50::9; ip route add 10.51.0.0/24 via 10.50.0.9");
        let before = quiet(&Options::default());
        let file =
            write("off.yaml", "name: off\nhost: { interfaces: { f1: { existing: {}, ipv6: { disable: true } } } }\n");
        topo(&["plan", "--color", "never", &file]).expect(0).says("fd50::1/64").says("fd51::/64");
        topo(&["apply", "--yes", &file]).expect(0);
        assert_eq!(sh("ip -6 address show dev f1; ip -6 route show dev f1"), "");
        topo(&["plan", "--detailed-exitcode", &file]).expect(0);
        // By the file, by the name, and by a file that does not say it any more.
        topo(&["destroy", "--yes", &file]).expect(0);
        assert_snapshot_with(&before, &Options::default());
        topo(&["apply", "--yes", &file]).expect(0);
        topo(&["destroy", "--yes", "off"]).expect(0);
        assert_snapshot_with(&before, &Options::default());
        topo(&["apply", "--yes", &file]).expect(0);
        let plain = write("off.yaml", "name: off\nhost: { interfaces: { f1: { existing: {}, mtu: 1400 } } }\n");
        topo(&["apply", "--yes", &plain]).expect(0);
        sh("ip -6 address show dev f1 | grep fd50::1; ip -6 route | grep fd51");
        topo(&["destroy", "--yes", &plain]).expect(0);
        assert_snapshot_with(&before, &Options::default());
        let all = write("off.yaml", "name: off\nhost: { sysctls: { net.ipv6.conf.all.disable_ipv6: 1 } }\n");
        let plan = topo(&["plan", &all]).expect(0);
        assert!(plan.stderr.contains("all interfaces of host"), "{}", plan.stderr);
    });
}

/// A borrowed interface that somebody renamed where it is now would look as if it were lost, and go with the namespace.
#[test]
fn a_borrowed_interface_that_was_renamed() {
    sandbox::run("a_borrowed_interface_that_was_renamed", || {
        sh("ip link add far0 type veth peer name up0; ip link set up0 up");
        let text = "name: b\nnamespaces: { A: { interfaces: { e0: { existing: { from: host/far0 } }, m0: { macvlan: { link: e0 } }, d0: { veth: A/d1 } } } }\n";
        let file = write("b.yaml", text);
        topo(&["apply", "--yes", &file]).expect(0);
        sh("ip -n A link set e0 down; ip -n A link set e0 name e9");
        let rename = "ip -n A link set dev e9 name e0";
        topo(&["plan", &file]).expect(1).says(rename);
        topo(&["destroy", "--yes", "b"]).expect(1).says(rename);
        sh(rename);
        topo(&["destroy", "--yes", "b"]).expect(0);
        sh("ip link show far0; ip link show up0; ! ip netns | grep .");
    });
}

/// The kernel cuts the MTU of IPv6 routes with that of their link (`rt6_mtu_change`), and raises it with the link's:
/// one apply makes the file's routes as the file says, and leaves foreign ones as they were, there and back.
#[test]
fn the_mtu_of_a_link_leaves_routes_over_it() {
    sandbox::run("the_mtu_of_a_link_leaves_routes_over_it", || {
        sh("ip link add f0 type veth peer name f1; ip link set f0 up; ip link set f1 up
            ip address add fd00::1/64 dev f0 nodad; ip -6 route add fd09::/16 via fd00::2 proto static mtu 1400
            ip -6 route add fd0a::/16 via fd00::2 proto static mtu 1500");
        let before = snapshot();
        let file = |mtu: u32| {
            let text = "name: cut\nhost: { interfaces: { f0: { existing: {}, mtu: MTU } }, routes: [{ to: \"fd0b::/16\", via: \"fd00::2\", mtu: 1450 }] }\n";
            write("cut.yaml", &text.replace("MTU", &mtu.to_string()))
        };
        for mtu in [1300, 1480, 1290] {
            let file = file(mtu);
            topo(&["apply", "--yes", &file]).expect(0);
            topo(&["plan", "--detailed-exitcode", &file]).expect(0);
            for (to, own) in [("fd09::/16", 1400), ("fd0a::/16", 1500), ("fd0b::/16", 1450)] {
                let shown = sh(&format!("ip -6 route show {to}"));
                assert!(shown.contains(&format!("mtu {own} ")), "{mtu}: {shown}");
            }
        }
        topo(&["destroy", "--yes", "cut"]).expect(0);
        assert_snapshot(&before);
    });
}
