//! Other programs on the same machine: what they do to topo's things is seen by `plan` and mended by one `apply`, and
//! their own things stay as they are.
//!
//! What networkd and NetworkManager do to routes and rules that they do not know is done by `ip`; the rules of others
//! are made by `iptables-nft` and `nft`. The real firewalld, podman and libvirt are in
//! `tests/hostile/neighbors_real.rs`, Docker is in `tests/hostile/docker.rs`.

use crate::sandbox;

use sandbox::{Options, difference, quiet, sh, snapshot_with, topo, wait_for, write};
use std::time::Duration;

const LAB: &str = r#"
name: beside
host:
  forwarding: ipv4
  interfaces:
    lab0: { bridge: { ports: [red0] }, addresses: [10.80.0.1/24] }
  routes: [{ to: 10.81.0.0/16, via: 10.80.0.2 }]
  rules: [{ priority: 81, from: 10.81.0.0/16, table: 81 }]
  nat: [{ masquerade: { source: 10.80.0.0/24, out: "!lab0" } }]
  firewall:
    insert:
      - { chain: "ip filter FORWARD", in: lab0, accept: {} }
      - { chain: "inet others forward", in: lab0, accept: {} }
namespaces:
  RED:
    interfaces: { eth0: { veth: host/red0, addresses: [10.80.0.2/24] } }
    routes: [{ to: default, via: 10.80.0.1 }]
"#;

/// Somebody's links, routes, rules, chains in iptables' tables and a table of nft.
const NEIGHBOURS: &str = "
sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0
ip link add ext0 type veth peer name ext1; ip link set ext0 up; ip link set ext1 up; ip address add 192.0.2.5/24 dev ext0
ip route add 198.51.100.0/24 via 192.0.2.9; ip rule add priority 40 to 203.0.113.0/24 table 7
for chain in FWI FWO FWX INP OUT; do iptables-nft -N GUESTS_$chain; done
iptables-nft -A FORWARD -j GUESTS_FWX; iptables-nft -A FORWARD -j GUESTS_FWI; iptables-nft -A FORWARD -j GUESTS_FWO
iptables-nft -A INPUT -j GUESTS_INP; iptables-nft -A OUTPUT -j GUESTS_OUT
iptables-nft -A GUESTS_FWI -o ext0 -j REJECT; iptables-nft -A GUESTS_FWO -i ext0 -j REJECT; iptables-nft -A GUESTS_INP -i ext0 -p udp --dport 53 -j ACCEPT
nft 'table inet others { chain forward { type filter hook forward priority 10; policy accept; ct state { established, related } accept; ct status dnat accept; reject with icmpx admin-prohibited; }; chain prerouting { type filter hook prerouting priority mangle + 10; policy accept; }; }'
";

/// What somebody does, and whether it is topo's business.
const DEEDS: [(&str, bool); 9] = [
    ("ip route flush proto 116", true),
    ("ip rule delete priority 81", true),
    ("ip route flush proto 116; ip rule delete priority 81; ip -n RED route flush proto 116", true),
    ("nft delete table inet topo-beside", true),
    ("iptables-nft -D FORWARD -i lab0 -m comment --comment topo:beside -j ACCEPT", true),
    ("iptables-nft-save > /run/lock/rules; iptables-nft-restore < /run/lock/rules", false),
    // One that is reloaded knows only its own rules.
    ("iptables-nft-save | grep -v topo: > /run/lock/rules; iptables-nft-restore < /run/lock/rules", true),
    (
        "nft list table inet others | grep -v topo: > /run/lock/table; nft delete table inet others; nft -f /run/lock/table",
        true,
    ),
    ("iptables-nft -A GUESTS_FWI -o ext1 -j REJECT; iptables-nft -D GUESTS_FWI -o ext1 -j REJECT", false),
];

/// The machine; a restore makes chains in another order, so that the order counts inside each chain alone.
fn settled(snapshot: &str) -> String {
    let mut lines: Vec<&str> = snapshot.lines().collect();
    lines.sort_unstable();
    let chains = "for c in FORWARD INPUT GUESTS_FWI GUESTS_FWO; do iptables-nft -S $c 2>/dev/null; done; nft list chain inet others forward 2>/dev/null || :";
    format!("{}\n{}", lines.join("\n"), sh(chains))
}

fn machine() -> String {
    settled(&quiet(&options()))
}

fn options() -> Options {
    Options { without_record: true, ..Options::default() }
}

fn same(before: &str, what: &str) {
    let mut now = String::new();
    let same = wait_for(Duration::from_secs(5), || {
        now = settled(&snapshot_with(&options()));
        now == before
    });
    assert!(same, "{what} (- before, + now)\n{}", difference(before, &now));
}

#[test]
fn what_neighbours_do_is_seen_and_mended() {
    sandbox::run("what_neighbours_do_is_seen_and_mended", || {
        sh(NEIGHBOURS);
        let before = machine();
        let file = write("beside.yaml", LAB);
        topo(&["apply", "--yes", &file]).expect(0);
        let applied = machine();
        for (deed, ours) in DEEDS {
            sh(deed);
            let planned = topo(&["plan", "--detailed-exitcode", &file]);
            assert_eq!(planned.code, if ours { 2 } else { 0 }, "after {deed}\n{}{}", planned.stdout, planned.stderr);
            topo(&["apply", "--yes", &file]).expect(0);
            topo(&["plan", "--detailed-exitcode", &file]).expect(0);
            same(&applied, deed);
        }
        topo(&["destroy", "--yes", "beside"]).expect(0);
        same(&before, "after destroy");
    });
}

#[test]
fn a_flushed_ruleset_comes_back_where_it_is_topos() {
    sandbox::run("a_flushed_ruleset_comes_back_where_it_is_topos", || {
        sh(NEIGHBOURS);
        let plain = LAB
            .replace("  firewall:\n    insert:\n", "")
            .lines()
            .filter(|line| !line.contains("chain:"))
            .collect::<Vec<_>>()
            .join("\n");
        let file = write("beside.yaml", &plain);
        topo(&["apply", "--yes", &file]).expect(0);
        sh("nft flush ruleset");
        topo(&["plan", "--detailed-exitcode", &file]).expect(2);
        topo(&["apply", "--yes", &file]).expect(0);
        topo(&["plan", "--detailed-exitcode", &file]).expect(0);
        // What others lost is theirs to put back.
        assert_eq!(sh("nft list tables").trim(), "table inet topo-beside");
        topo(&["destroy", "--yes", "beside"]).expect(0);
        assert_eq!(sh("nft list tables").trim(), "");
        // A chain that went with it is an error that names it; afterwards there is nothing half-made.
        let refused = topo(&["apply", "--yes", &write("inserts.yaml", LAB)]);
        assert_ne!(refused.code, 0);
        assert!(refused.stderr.contains("there is no such chain"), "{}", refused.stderr);
        topo(&["list"]).expect(0).says("No topologies here");
    });
}

/// A bridge whose address nobody set has the lowest of its ports: where one of ours became it, the guests there would
/// look for their gateway at another one.
#[test]
fn a_bridge_of_others_keeps_its_hardware_address() {
    sandbox::run("a_bridge_of_others_keeps_its_hardware_address", || {
        sh("
            ip link add br9 type bridge; ip address add 10.90.0.1/24 dev br9; ip link set br9 up; ip netns add theirs
            ip link add t0 address f2:00:00:00:00:01 type veth peer name eth0 netns theirs; ip link set t0 master br9 up
            ip -n theirs address add 10.90.0.2/24 dev eth0; ip -n theirs link set eth0 up; ip netns exec theirs ping -q -c 1 -W 2 10.90.0.1
        ");
        let options = Options { handles: true, indexes: true, addresses: true, ..Options::default() };
        let before = quiet(&options);
        let address = || sh("ip -o link show br9 | grep -o 'link/ether [^ ]*'");
        let theirs = address();
        assert_eq!(theirs.trim(), "link/ether f2:00:00:00:00:01");
        let namespaces: String =
            (1..7).map(|at| format!("  N{at}: {{ interfaces: {{ eth0: {{ veth: {{ bridge: host/br9 }}, addresses: [10.90.0.1{at}/24] }} }} }}\n")).collect();
        let file = write(
            "guests.yaml",
            &format!(
                "name: guests\nhost: {{ interfaces: {{ br9: {{ existing: {{}} }} }} }}\nnamespaces:\n{namespaces}"
            ),
        );
        topo(&["apply", "--yes", &file]).expect(0);
        topo(&["plan", "--detailed-exitcode", &file]).expect(0);
        assert_eq!(address(), theirs);
        sh("ip netns exec theirs ping -q -c 1 -W 1 10.90.0.1; ip netns exec N6 ping -q -c 1 -W 2 10.90.0.2");
        topo(&["destroy", "--yes", "guests"]).expect(0);
        assert_eq!(address(), theirs);
        sandbox::assert_snapshot_with(&before, &options);
    });
}
