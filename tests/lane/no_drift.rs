//! What changes in normal work is no drift: bridges of a spanning tree, WireGuard peers that roam, what a DHCP client
//! puts on an interface.

#![allow(clippy::disallowed_methods, reason = "a test makes processes")]

use crate::sandbox;

use sandbox::{assert_snapshot, ip_json, sh, snapshot, topo, try_sh, wait_for, write};
use std::time::Duration;

#[track_caller]
fn silent(path: &str) {
    let plan = topo(&["plan", "--detailed-exitcode", path]);
    assert_eq!(plan.code, 0, "{}{}", plan.stdout, plan.stderr);
}

#[test]
fn a_spanning_tree_under_way() {
    sandbox::run("a_spanning_tree_under_way", || {
        let text = "name: stp\nnamespaces:\n  A: { interfaces: { br0: { bridge: { ports: [p1], stp: true, priority: 4096, forward-delay: 2s, hello-time: 1s, max-age: 6s } }, p1: { veth: B/p1 } } }\n  B: { interfaces: { br0: { bridge: { ports: [p1, q], stp: true } }, q: { veth: C/q } } }\n  C: {}\n";
        let path = write("stp.yaml", text);
        topo(&["apply", "--yes", &path]).expect(0);
        let bridge = |node: &str, key: &str| {
            ip_json(&format!("-n {node} -d link show dev br0"))[0]["linkinfo"]["info_data"][key].as_u64().unwrap()
        };
        // While the tree changes addresses are kept for a shorter time, and a bridge that is not the root has the
        // timers of the one that is.
        let (mut changes, mut follows) = (false, false);
        wait_for(Duration::from_secs(60), || {
            silent(&path);
            changes |= bridge("A", "topology_change") == 1 && bridge("A", "ageing_time") == 400;
            follows |= bridge("B", "forward_delay") == 200;
            changes && follows
        });
        assert!(changes && follows, "nothing of this was seen: {changes} {follows}");
        silent(&path);
        // What a hand sets is drift all the same where it shows.
        sh("ip -n A link set br0 type bridge priority 8192");
        topo(&["plan", "--detailed-exitcode", &path]).expect(2);
    });
}

/// A, behind a router that translates addresses, and B that calls it by the router's.
fn roaming(endpoint: &str, more: &str) -> String {
    format!(
        "name: wg\nnamespaces:\n  A:\n    interfaces:\n      e0: {{ veth: N/a, addresses: [10.0.0.2/24] }}\n      wg0: {{ wireguard: {{ private-key-file: a.key, listen-port: 51820, peers: [{{ interface: B/wg0, allowed-ips: [10.9.0.2/32], endpoint: '192.0.2.2:51820' }}] }}, addresses: [10.9.0.1/24] }}\n    routes: [{{ to: default, via: 10.0.0.1 }}]\n  \
         N:\n    forwarding: ipv4\n    interfaces:\n      a: {{ addresses: [10.0.0.1/24] }}\n      b: {{ veth: B/e0, addresses: [192.0.2.1/24] }}\n    nat: [{{ snat: {{ out: b, protocol: udp, to: '192.0.2.1:40000-40010' }} }}]\n  \
         B:\n    interfaces:\n      e0: {{ addresses: [192.0.2.2/24] }}\n      wg0: {{ wireguard: {{ private-key-file: b.key, listen-port: 51820, peers: [{{ interface: A/wg0, allowed-ips: [10.9.0.1/32], endpoint: '{endpoint}'{more} }}] }}, addresses: [10.9.0.2/24] }}\n"
    )
}

#[test]
fn a_peer_that_roams() {
    sandbox::run_needing("a_peer_that_roams", &["wireguard"], || {
        sh("cd /run/lock; umask 077; for k in a b; do wg genkey > $k.key; done");
        let file = |endpoint: &str, more: &str| write("wg.yaml", &roaming(endpoint, more));
        let path = file("192.0.2.1:51820", "");
        let heard = || sh("ip netns exec B wg show wg0 endpoints").split_whitespace().last().unwrap().to_owned();
        topo(&["apply", "--yes", &path]).expect(0);
        // Before it was heard the endpoint is what the file says.
        sh("ip netns exec B wg set wg0 peer $(ip netns exec B wg show wg0 peers) endpoint 192.0.2.1:9");
        topo(&["plan", "--detailed-exitcode", &path]).expect(2);
        topo(&["apply", "--yes", &path]).expect(0);
        sh("ip netns exec A ping -c2 -W2 10.9.0.2");
        assert!(heard().starts_with("192.0.2.1:4000"), "{}", heard());
        silent(&path);
        topo(&["apply", "--yes", &path]).expect(0);
        sh("ip netns exec B ping -c1 -W2 10.9.0.1");
        // Another one in the file is written, and so is the first one where the peer may not roam.
        let path = file("192.0.2.1:51999", "");
        topo(&["plan", "--detailed-exitcode", &path]).expect(2);
        topo(&["apply", "--yes", &path]).expect(0);
        assert_eq!(heard(), "192.0.2.1:51999");
        silent(&path);
        topo(&["undo", "--yes", "wg"]).expect(0);
        sh("ip netns exec A ping -c2 -W2 10.9.0.2");
        let path = file("192.0.2.1:51820", ", roaming: false");
        let plan = topo(&["plan", "--detailed-exitcode", &path]).expect(2);
        assert!(plan.stdout.contains("endpoint"), "{}", plan.stdout);
        topo(&["apply", "--yes", &path]).expect(0);
        assert_eq!(heard(), "192.0.2.1:51820");
        topo(&["destroy", "--yes", "wg"]).expect(0);
    });
}

const LEASED: &str = "name: lease\nnamespaces:\n  A:\n    interfaces:\n      e: { veth: B/e, dhcp4: true, addresses: [10.7.0.1/24] }\n      f: { veth: B/f, dhcp6: true }\n  B:\n    interfaces:\n      e: { addresses: [10.0.0.1/24] }\n";
/// As a client does, permanent ones and routes without a word of whose they are; and on the other interface for the
/// other family.
const CLIENT: &str = "ip -n A address add 10.0.0.77/24 dev e; ip -n A route add default via 10.0.0.1 dev e; ip -n A route add 172.16.0.0/12 via 10.0.0.1; ip -n A address add fd00::77/128 dev f nodad";

#[test]
fn what_a_client_of_dhcp_puts_there() {
    sandbox::run("what_a_client_of_dhcp_puts_there", || {
        let before = snapshot();
        let path = write("lease.yaml", LEASED);
        topo(&["apply", "--yes", &path]).expect(0);
        sh(CLIENT);
        silent(&path);
        // What is of the other family there is not the client's, nor is it on another interface.
        sh("ip -n A address add fd00::5/64 dev e nodad; ip -n A address add 10.5.0.1/24 dev f");
        let plan = topo(&["plan", &path]).expect(0).stdout;
        assert!(
            plan.contains("fd00::5/64")
                && plan.contains("10.5.0.1/24")
                && !plan.contains("10.0.0.77")
                && !plan.contains("default"),
            "{plan}"
        );
        sh("ip -n A address delete fd00::5/64 dev e; ip -n A address delete 10.5.0.1/24 dev f");
        // Another change, and the undo of it, leave it; what it loses on the way comes back.
        for (text, master) in [
            (LEASED.replace("dhcp4: true,", "dhcp4: true, mtu: 1400,"), "1400"),
            (LEASED.replace("[10.7.0.1/24]", "[10.8.0.1/24]"), "1500"),
        ] {
            topo(&["apply", "--yes", &write("lease.yaml", &text)]).expect(0);
            assert!(sh("ip -n A address show dev e").contains("10.0.0.77/24"));
            assert!(sh("ip -n A route").contains("default via 10.0.0.1 dev e"));
            assert!(sh("ip -n A link show dev e").contains(&format!("mtu {master} ")));
            topo(&["undo", "--yes", "lease"]).expect(0);
            assert!(sh("ip -n A address show dev e").contains("10.0.0.77/24"));
            assert!(sh("ip -n A route").contains("172.16.0.0/12"));
        }
        let yaml = topo(&["show", "--yaml", "lease"]).expect(0).stdout;
        assert!(yaml.contains("dhcp4: true") && !yaml.contains("10.0.0.77"), "{yaml}");
        silent(&write("shown.yaml", &yaml));
        // Without a client it is drift, and an undo brings it back.
        topo(&["apply", "--yes", &write("lease.yaml", &LEASED.replace("dhcp4: true, ", ""))]).expect(0);
        assert!(!sh("ip -n A address show dev e").contains("10.0.0.77/24"));
        topo(&["undo", "--yes", "lease"]).expect(0);
        assert!(sh("ip -n A address show dev e").contains("10.0.0.77/24"));
        silent(&write("lease.yaml", LEASED));
        topo(&["destroy", "--yes", "lease"]).expect(0);
        assert_snapshot(&before);
        assert_ne!(try_sh("ip netns exec A true").code, 0);
    });
}
