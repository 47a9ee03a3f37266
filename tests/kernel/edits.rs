//! What a hand breaks, `plan` sees and one `apply` repairs; what belongs to another program or user is neither seen nor
//! touched.

#![allow(clippy::disallowed_methods, reason = "a test makes processes")]

use crate::sandbox;

use sandbox::{Options, difference, quiet, sh, snapshot_with, topo, wait_for, write};
use std::time::Duration;

/// Something of everything.
const TOPOLOGY: &str = r#"
name: lab
host:
  forwarding: ipv4
  interfaces:
    lab0: { bridge: { ports: [red0, blue0], ageing-time: 100s }, addresses: [10.0.0.254/24, "fd00::fe/64"] }
    blue0: { mtu: 1400, port: { hairpin: true } }
    ext0: { existing: {}, mtu: 1450, addresses: [192.0.2.6/24] }
  routes:
    - { to: 10.50.0.0/16, via: 10.0.0.1 }
  rules:
    - { priority: 300, from: 10.50.0.0/16, table: 300 }
  nat:
    - masquerade: { source: 10.0.0.0/24, out: "!lab0" }
    - dnat: { in: "!lab0", protocol: tcp, port: 8080, to: "10.0.0.1:80" }
  firewall:
    forward:
      rules:
        - { in: lab0, protocol: tcp, port: 25, drop: {} }
    insert:
      - { chain: "ip filter FORWARD", in: lab0, out: lab0, accept: {} }
  sysctls: { net.core.somaxconn: 200 }
namespaces:
  RED:
    forwarding: true
    interfaces:
      eth0: { veth: host/red0, mac: "02:00:00:00:00:01", addresses: [10.0.0.1/24, 10.0.0.11/24, "fd00::1/64"], alternative-names: [uplink] }
      eth1: { veth: GREEN/eth0, addresses: [10.0.1.1/24] }
      lo: { addresses: [10.0.9.9/32] }
    routes:
      - { to: default, via: 10.0.0.254 }
      - { to: default, via: "fd00::fe" }
      - { to: 10.60.0.0/16, via: 10.0.1.2, metric: 10 }
      - { to: 10.61.0.0/16, nexthops: [{ via: 10.0.1.2 }, { via: 10.0.1.3 }] }
      - { to: 10.62.0.0/16, type: unreachable }
    rules:
      - { priority: 100, fwmark: 0x10, table: 100, family: ipv4 }
    sysctls: { net.ipv4.conf.eth0.proxy_arp: 1 }
    neighbors: [{ address: 10.0.1.9, mac: "02:00:00:00:00:09", dev: eth1 }]
    firewall:
      input:
        policy: drop
        rules:
          - { state: [established, related], accept: {} }
          - { protocol: icmp, accept: {} }
          - { protocol: icmpv6, accept: {} }
  BLUE:
    interfaces:
      eth0: { veth: host/blue0, mtu: 1400, addresses: [10.0.0.2/24] }
      vx0: { vxlan: { id: 9, local: 10.0.0.2, fdb: [{ dst: 10.0.0.1 }] }, mtu: 1350 }
      br0: { bridge: { ports: [vx0] } }
    routes:
      - { to: default, via: 10.0.0.254 }
    dns: { nameservers: [10.0.0.53], hosts: { red: 10.0.0.1 } }
  GREEN:
    interfaces:
      eth0: { addresses: [10.0.1.2/24] }
"#;

/// The machine that the topology meets.
const MACHINE: &str = "
sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0
ip link add ext0 type veth peer name ext1; ip link set ext0 up; ip link set ext1 up; ip addr add 192.0.2.5/24 dev ext0
iptables-nft -P FORWARD DROP; iptables-nft -A FORWARD -i ext0 -j ACCEPT
";

/// What a hand does, each a line of shell.
const EDITS: &[&str] = &[
    // Namespaces.
    "ip netns del GREEN",
    "ip netns del RED",
    "ip netns del RED; ip netns del BLUE; ip netns del GREEN",
    "ip -n BLUE link set lo alias ''",
    "ip -n BLUE link set lo down",
    // Links: gone, changed, added.
    "ip link del red0",
    "ip -n RED link del eth1",
    "ip link del lab0",
    "ip -n BLUE link del vx0",
    "ip -n RED link set eth1 arp off; ip link set lab0 multicast off",
    "ip -n RED link set eth0 down",
    "ip link set lab0 down",
    "ip link set blue0 down",
    "ip link set red0 nomaster",
    "ip -n BLUE link set vx0 nomaster",
    "ip link set blue0 mtu 1500",
    "ip -n RED link set eth1 mtu 1300",
    "ip link set ext0 mtu 1500",
    "ip -n RED link set eth0 address 02:00:00:00:00:02",
    "ip link set red0 alias mine",
    "ip link set red0 group 7",
    "ip link set lab0 type bridge ageing_time 20000",
    "ip link set lab0 type bridge stp_state 1",
    "bridge link set dev blue0 hairpin off",
    "ip -n RED link property del dev eth0 altname uplink",
    "ip -n GREEN link add extra type bridge",
    "ip -n RED link add x0 type veth peer name x1 netns GREEN",
    "ip -n GREEN link set eth0 down; ip -n GREEN link set eth0 name eth9; ip -n GREEN link set eth9 up",
    "ip -n RED link set eth1 netns BLUE",
    // Addresses.
    "ip -n RED addr del 10.0.0.1/24 dev eth0",
    "ip -n RED addr del 10.0.0.11/24 dev eth0",
    "ip -n RED -4 addr flush dev eth0",
    "ip -n RED addr del fd00::1/64 dev eth0",
    "ip -n RED addr del 10.0.9.9/32 dev lo",
    "ip -n GREEN addr add 10.0.1.77/24 dev eth0",
    "ip -n GREEN addr add fd00:77::1/64 dev eth0",
    "ip -n GREEN addr del 10.0.1.2/24 dev eth0; ip -n GREEN addr add 10.0.1.2/25 dev eth0",
    "ip addr del 10.0.0.254/24 dev lab0",
    "ip addr del 192.0.2.6/24 dev ext0",
    "ip -n RED addr del 10.0.0.1/24 dev eth0; ip -n RED addr add 10.0.0.1/24 dev eth0 metric 5 2>/dev/null || ip -n RED addr add 10.0.0.1/24 dev eth0",
    // Routes, rules, neighbours.
    "ip route del 10.50.0.0/16",
    "ip -n RED route del default",
    "ip -n RED -6 route del default",
    "ip -n RED route change default via 10.0.0.2",
    "ip -n RED route change 10.60.0.0/16 via 10.0.1.2 metric 10 proto 0x74 advmss 500 initcwnd 20; ip -n RED -6 route change default via fd00::fe proto 0x74 hoplimit 9",
    "ip -n RED route del 10.61.0.0/16; ip -n RED route add 10.61.0.0/16 via 10.0.1.2 proto 0x74",
    "ip -n RED route del unreachable 10.62.0.0/16",
    "ip -n RED route del 10.60.0.0/16; ip -n RED route add 10.60.0.0/16 via 10.0.1.2 metric 20",
    "ip -n GREEN route add 10.88.0.0/16 via 10.0.1.1",
    "ip -n GREEN route add blackhole 10.89.0.0/16 table 55",
    "ip rule del priority 300",
    "ip -n RED rule del priority 100",
    "ip -n RED rule add priority 50 from 10.0.0.0/8 table 100",
    "ip -n GREEN rule del priority 32766",
    "ip -n RED rule del priority 32766; ip -n RED route del default; ip -n RED route del 10.61.0.0/16",
    "ip -n RED -6 rule del priority 32766; ip -n RED -6 route del default",
    "ip -n RED neigh del 10.0.1.9 dev eth1",
    "ip -n RED neigh replace 10.0.1.9 lladdr 02:00:00:00:00:08 nud permanent dev eth1",
    "bridge -n BLUE fdb del 00:00:00:00:00:00 dev vx0 dst 10.0.0.1",
    // Tables.
    "nft delete table inet topo-lab",
    "nft flush chain inet topo-lab forward",
    "nft add rule inet topo-lab forward drop",
    "nft add chain inet topo-lab mine",
    "ip netns exec RED nft flush ruleset",
    "ip netns exec RED nft 'chain inet topo-lab input { policy accept; }'",
    "ip netns exec RED nft insert rule inet topo-lab input tcp dport 22 accept",
    "iptables-nft -D FORWARD 1",
    "iptables-nft -F FORWARD; iptables-nft -A FORWARD -i ext0 -j ACCEPT",
    // Sysctls and files.
    "sysctl -qw net.ipv4.ip_forward=0",
    "sysctl -qw net.core.somaxconn=300",
    "ip netns exec RED sysctl -qw net.ipv6.conf.all.forwarding=0",
    "ip netns exec RED sysctl -qw net.ipv4.ip_forward=0",
    "ip netns exec RED sysctl -qw net.ipv4.conf.eth0.proxy_arp=0",
    "ip netns exec GREEN sysctl -qw net.ipv4.ip_forward=1",
    "ip netns exec GREEN sysctl -qw net.ipv4.conf.default.forwarding=1 net.ipv6.conf.default.forwarding=1 net.ipv6.conf.default.disable_ipv6=1; ip -n GREEN link del eth0",
    "rm /etc/netns/BLUE/hosts",
    "rm -r /etc/netns/BLUE",
    "echo 'nameserver 192.0.2.1' >>/etc/netns/BLUE/resolv.conf",
    // Several at once.
    "ip -n RED link del eth0; ip link del lab0; ip netns del GREEN; nft flush ruleset; iptables-nft -P FORWARD DROP; iptables-nft -A FORWARD -i ext0 -j ACCEPT",
    // What topo remembers beside the kernel.
    "ip link set ext0 down; ip link set ext0 up; ip addr del 192.0.2.6/24 dev ext0",
];

/// What belongs to another program or user: made after the topology was applied.
const FOREIGN: &[&str] = &[
    "ip link add other0 type veth peer name other1; ip link set other0 up",
    "ip link add other2 type bridge",
    "ip addr add 10.0.0.200/24 dev lab0",
    "ip addr add 203.0.113.7/24 dev ext0",
    "ip route add 10.99.0.0/16 via 192.0.2.1",
    "ip route add 10.50.0.0/16 via 192.0.2.1 metric 99",
    "ip rule add priority 77 from 10.99.0.0/16 table 77",
    "ip route add blackhole 10.98.0.0/16 table 77",
    "ip netns add STRANGER; ip -n STRANGER link set lo up; ip -n STRANGER addr add 10.0.0.1/32 dev lo",
    "mkdir -p /etc/netns/STRANGER; echo 127.0.0.1 localhost >/etc/netns/STRANGER/hosts",
    "nft 'table inet other { chain c { type filter hook input priority 5; ip saddr 192.0.2.66 counter drop; }; }'",
    "ip netns exec RED nft 'table inet other { chain c { type filter hook input priority 5; ip saddr 192.0.2.66 counter drop; }; }'",
    "iptables-nft -I INPUT -s 192.0.2.67 -j DROP; iptables-nft -A FORWARD -i other0 -j ACCEPT",
    "ip link set other1 master lab0",
    "sysctl -qw net.ipv4.conf.ext0.proxy_arp=1",
    "ip -n RED route add 10.97.0.0/16 via 10.0.1.2 proto bird",
    "ip -n RED neigh add 10.0.1.50 lladdr 02:00:00:00:00:50 nud permanent dev eth1",
    "ip netns exec GREEN sysctl -qw net.ipv4.tcp_ecn=1",
    "ip neigh add 192.0.2.50 lladdr 02:00:00:00:00:51 nud permanent dev ext0",
];

fn lab() -> String {
    write("lab.yaml", TOPOLOGY)
}

/// The edits whose number leaves `rest` when divided by four: four tests run side by side.
fn edits(test: &str, rest: usize) {
    sandbox::run_within(test, Duration::from_secs(300), || {
        sh(MACHINE);
        let file = lab();
        topo(&["apply", "--yes", &file]).expect(0);
        topo(&["plan", "--detailed-exitcode", &file]).expect(0);
        let options = Options { known: TOPOLOGY.to_owned(), ..Options::default() };
        let mut applied = quiet(&options);
        let mut failures = Vec::new();
        for edit in EDITS.iter().skip(rest).step_by(4) {
            sh(edit);
            if let Err(failure) = repaired(&file, &applied, &options) {
                failures.push(format!("### {edit}: {failure}"));
                // A fresh start for the next one.
                sandbox::try_sh("topo destroy --yes lab");
                topo(&["apply", "--yes", &file]).expect(0);
                applied = quiet(&options);
            }
        }
        assert!(failures.is_empty(), "{} edits are not repaired\n{}", failures.len(), failures.join("\n"));
    });
}

fn repaired(file: &str, applied: &str, options: &Options) -> Result<(), String> {
    let plan = topo(&["plan", "--detailed-exitcode", file]);
    if plan.code != 2 {
        return Err(format!("plan answers {}\n{}{}", plan.code, plan.stdout, plan.stderr));
    }
    let apply = topo(&["apply", "--yes", file]);
    if apply.code != 0 {
        return Err(format!("apply answers {}\n{}{}", apply.code, apply.stdout, apply.stderr));
    }
    let again = topo(&["plan", "--detailed-exitcode", file]);
    if again.code != 0 {
        return Err(format!("plan answers {} after apply\n{}{}", again.code, again.stdout, again.stderr));
    }
    let mut now = String::new();
    let same = wait_for(Duration::from_secs(3), || {
        now = snapshot_with(options);
        now == applied
    });
    if same {
        Ok(())
    } else {
        Err(format!("the machine differs (- before the edit, + now):\n{}\n{}", difference(applied, &now), plan.stdout))
    }
}

#[test]
fn edits_are_repaired_1() {
    edits("edits_are_repaired_1", 0);
}

#[test]
fn edits_are_repaired_2() {
    edits("edits_are_repaired_2", 1);
}

#[test]
fn edits_are_repaired_3() {
    edits("edits_are_repaired_3", 2);
}

#[test]
fn edits_are_repaired_4() {
    edits("edits_are_repaired_4", 3);
}

#[test]
fn enough_edits() {
    assert!(EDITS.len() >= 40, "{} edits", EDITS.len());
}

/// A second address of a subnet goes with the first one, which is ours, and is the first when it is back.
#[test]
fn an_address_that_came_second_to_ours_stays() {
    sandbox::run("an_address_that_came_second_to_ours_stays", || {
        sh("ip link add ext0 type veth peer name ext1; ip link set ext0 up; ip link set ext1 up");
        let file = write(
            "second.yaml",
            "name: second\nhost: { interfaces: { ext0: { existing: {}, addresses: [198.51.100.1/24] } } }\n",
        );
        topo(&["apply", "--yes", &file]).expect(0);
        sh("ip addr add 198.51.100.77/24 dev ext0");
        topo(&["destroy", "--yes", "second"]).expect(0);
        assert_eq!(sh("ip -4 -o addr show dev ext0 | awk '{print $4}'"), "198.51.100.77/24\n");
    });
}

#[test]
fn foreign_things_are_left_alone() {
    sandbox::run("foreign_things_are_left_alone", || {
        sh(MACHINE);
        let file = lab();
        topo(&["apply", "--yes", &file]).expect(0);
        for foreign in FOREIGN {
            sh(foreign);
            let plan = topo(&["plan", "--detailed-exitcode", &file]);
            assert!(plan.code == 0, "plan answers {} after: {foreign}\n{}{}", plan.code, plan.stdout, plan.stderr);
        }
        let options = Options { handles: true, indexes: true, addresses: true, ..Options::default() };
        let full = quiet(&options);
        topo(&["apply", "--yes", &file]).expect(0);
        sandbox::assert_snapshot_with(&full, &options);
        // What topo repairs beside them leaves them alone too.
        sh("ip -n GREEN link del eth0; nft delete table inet topo-lab; ip route del 10.50.0.0/16 metric 0");
        topo(&["apply", "--yes", &file]).expect(0);
        for thing in [
            "ip rule show priority 77",
            "ip route show 10.50.0.0/16 metric 99",
            "ip route show table 77",
            "ip addr show lab0 to 10.0.0.200",
            "ip -n STRANGER addr show to 10.0.0.1",
        ] {
            assert!(!sh(thing).trim().is_empty(), "gone: {thing}");
        }
        topo(&["destroy", "--yes", "lab"]).expect(0);
        for thing in [
            "ip rule show priority 77",
            "ip route show 10.50.0.0/16 metric 99",
            "ip route show 10.99.0.0/16",
            "ip route show table 77",
            "ip addr show ext0 to 203.0.113.7",
            "ip addr show ext0 to 192.0.2.5",
            "ip -n STRANGER addr show to 10.0.0.1",
            "cat /etc/netns/STRANGER/hosts",
            "nft list table inet other",
            "iptables-nft -S INPUT | grep 192.0.2.67",
            "iptables-nft -S FORWARD | grep other0",
            "ip link show other0",
            "ip link show other2",
            "sysctl -n net.ipv4.conf.ext0.proxy_arp | grep 1",
            "ip neigh show 192.0.2.50",
        ] {
            assert!(!sh(thing).trim().is_empty(), "gone: {thing}");
        }
        assert_eq!(sh("ls /run/netns").trim(), "STRANGER");
    });
}

/// A table that is replaced counts from 0 again, and the plan says so where anything counts.
#[test]
fn a_plan_says_that_counters_begin_anew() {
    sandbox::run("a_plan_says_that_counters_begin_anew", || {
        let text = |port: u16, verdict: &str| {
            format!(
                "name: count\nnamespaces: {{ A: {{ firewall: {{ input: {{ rules: [{{ protocol: tcp, port: {port}, {verdict} }}] }} }} }} }}\n"
            )
        };
        for (verdict, note) in
            [("accept: { counter: true }", "(in place; its counters begin at 0)"), ("accept: {}", "(in place)")]
        {
            let file = write("count.yaml", &text(22, verdict));
            topo(&["apply", "--yes", &file]).expect(0);
            let file = write("count.yaml", &text(23, verdict));
            topo(&["plan", "--color", "never", "--detailed-exitcode", &file]).expect(2).says(note);
            topo(&["destroy", "--yes", "count"]).expect(0);
        }
    });
}

/// On a host full of other people's things, a topology that comes and goes changes nothing: handles and interface
/// numbers included.
#[test]
fn a_full_host_is_as_before() {
    sandbox::run("a_full_host_is_as_before", || {
        sh(MACHINE);
        for foreign in FOREIGN.iter().filter(|line| {
            !line.contains("lab0") && !line.contains("RED") && !line.contains("GREEN") && !line.contains("10.50.")
        }) {
            sh(foreign);
        }
        sh("ip link set other1 master other2");
        let options = Options { handles: true, indexes: true, addresses: true, ..Options::default() };
        let before = quiet(&options);
        let file = lab();
        topo(&["apply", "--yes", &file]).expect(0);
        topo(&["destroy", "--yes", &file]).expect(0);
        sandbox::assert_snapshot_with(&before, &options);
    });
}

/// A name that is taken is refused, with whose it is, and nothing is done.
#[test]
fn taken_names_are_refused() {
    sandbox::run("taken_names_are_refused", || {
        sh(MACHINE);
        let file = lab();
        let options = Options { handles: true, indexes: true, addresses: true, ..Options::default() };
        for (taken, name) in [
            ("ip link add lab0 type bridge", "lab0"),
            ("ip link add red0 type veth peer name somebody0", "red0"),
            ("ip netns add BLUE", "BLUE"),
            ("nft 'table inet topo-lab { chain c { accept; }; }'", "topo-lab"),
            ("mkdir -p /etc/netns/BLUE; echo 127.0.0.1 localhost >/etc/netns/BLUE/hosts", "/etc/netns/BLUE/hosts"),
            ("ip addr add 192.0.2.6/24 dev ext0", "192.0.2.6"),
            ("ip rule add priority 300 from 10.50.0.0/16 table 300", "300"),
        ] {
            sh(taken);
            let before = quiet(&options);
            let apply = topo(&["apply", "--yes", &file]);
            assert!(apply.code == 1, "apply answers {} after: {taken}\n{}{}", apply.code, apply.stdout, apply.stderr);
            apply.says(name).says("another program or user");
            topo(&["list"]).expect(0).says("No topologies here");
            sandbox::assert_snapshot_with(&before, &options);
            sh("ip link del lab0 || true; ip link del red0 || true; ip netns del BLUE || true; nft delete table inet topo-lab || true; rm -rf /etc/netns/BLUE
                ip addr del 192.0.2.6/24 dev ext0 || true; ip rule del priority 300 || true");
        }
        topo(&["apply", "--yes", &file]).expect(0);
    });
}

/// What an interface that is taken elsewhere loses there comes back with it, its settings too.
#[test]
fn a_borrowed_interface_comes_home_with_its_settings() {
    sandbox::run("a_borrowed_interface_comes_home_with_its_settings", || {
        sh("ip link add nic0 type veth peer name nic1; ip link set nic0 up; ip link set nic1 up; ip address add 10.9.9.1/24 dev nic0
            sysctl -qw net.ipv4.conf.nic0.rp_filter=2 net.ipv4.conf.nic0.arp_ignore=1 net.ipv4.neigh.nic0.gc_stale_time=77
            sysctl -qw net.ipv6.conf.nic0.disable_ipv6=1 net.ipv6.conf.nic0.accept_ra=0 net.ipv6.conf.nic0.addr_gen_mode=1");
        let settings = || sh("sysctl -a 2>/dev/null | grep '[.]nic0[.]'");
        let machine = || sandbox::without_history(&quiet(&Options::default()));
        let before = (settings(), machine());
        let file = write(
            "away.yaml",
            "name: away\nnamespaces: { RED: { interfaces: { eth0: { existing: { from: host/nic0 }, addresses: [10.3.0.1/24] } } } }\n",
        );
        for back in [&["destroy", "--yes", "away"], &["undo", "--yes", "away"]] {
            topo(&["apply", "-q", "--yes", &file]).expect(0);
            topo(&["plan", "--detailed-exitcode", &file]).expect(0);
            topo(back).expect(0);
            assert_eq!(settings(), before.0);
        }
        topo(&["destroy", "--all", "--yes"]).expect(0);
        assert_eq!(machine(), before.1);
    });
}

/// Somebody's interface that is down and stays so is told with what to write, not as a fault of the plan.
#[test]
fn a_route_over_an_interface_that_is_left_down() {
    sandbox::run("a_route_over_an_interface_that_is_left_down", || {
        sh("ip link add nic0 type veth peer name nic1");
        let text = "name: down\nhost: { interfaces: { nic0: { existing: {}, addresses: [10.3.0.2/24] } }, routes: [{ to: 10.9.0.0/16, via: 10.3.0.9 }] }\n";
        let file = write("down.yaml", text);
        topo(&["plan", &file]).expect(1).says("write `up: true` there");
        topo(&["apply", "-q", "--yes", &write("up.yaml", &text.replace("existing: {}", "existing: {}, up: true"))])
            .expect(0);
        assert!(sh("ip route show 10.9.0.0/16").contains("via 10.3.0.9 dev nic0"));
        topo(&["destroy", "--yes", "down"]).expect(0);
        assert!(sh("ip link show nic0").contains("state DOWN"));
    });
}
