//! From any version of a topology to any other in one apply, and the machine is as if the last one had been applied
//! afresh.
//!
//! Compared with snapshots by other programs, never by the observation that is under test.

#![allow(clippy::disallowed_methods, reason = "a test makes processes")]

use crate::sandbox;

use sandbox::{Options, difference, quiet, sh, snapshot_with, topo, wait_for, write};
use std::time::Duration;

/// The machine that the versions meet: other people's cable, namespace and rules.
const MACHINE: &str = "
sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0
ip link add ext0 type veth peer name ext1; ip link set ext0 up; ip link set ext1 up; ip addr add 192.0.2.5/24 dev ext0; ip route add 198.51.100.0/24 via 192.0.2.9
ip link add own0 type veth peer name own1; ip link set own0 up; ip link set own1 up
ip netns add guest; ip -n guest link set lo up; ip -n guest addr add 192.0.2.77/32 dev lo
nft 'table inet firewalld { chain filter_FORWARD { type filter hook forward priority 10; policy accept; }; }'
ip rule add priority 40 to 203.0.113.0/24 table 7; ip route add 203.0.113.0/24 via 192.0.2.9 table 7
sysctl -qw net.ipv4.conf.ext0.rp_filter=2
";

/// One topology as a person might edit it from one day to the next.
const VERSIONS: &[(&str, &str)] = &[
    (
        "pair",
        r#"
name: lab
namespaces:
  RED:
    interfaces:
      eth0: { veth: BLUE/eth0, addresses: [10.0.0.1/24] }
  BLUE:
    interfaces:
      eth0: { addresses: [10.0.0.2/24] }
"#,
    ),
    (
        "bridge with nat",
        r#"
name: lab
host:
  forwarding: true
  interfaces:
    lab0: { bridge: { ports: [red0, blue0] }, addresses: [10.0.0.254/24] }
  nat:
    - masquerade: { source: 10.0.0.0/24, out: "!lab0" }
    - dnat: { in: "!lab0", protocol: tcp, port: 8080, to: "10.0.0.1:80" }
namespaces:
  RED:
    interfaces:
      eth0: { veth: host/red0, addresses: [10.0.0.2/24] }
    routes: [{ to: default, via: 10.0.0.254 }]
  BLUE:
    interfaces:
      eth0: { veth: host/blue0, addresses: [10.0.0.1/24] }
    routes: [{ to: default, via: 10.0.0.254 }]
"#,
    ),
    (
        "renamed and moved",
        r#"
name: lab
host:
  interfaces:
    lab0: { bridge: { ports: [blue0], priority: 4096, forward-delay: 4s, ageing-time: 100s }, addresses: [10.0.0.254/24], mtu: 1400 }
  nat:
    - masquerade: { source: 10.0.0.0/25, out: "!lab0" }
namespaces:
  GREEN:
    interfaces:
      eth1: { veth: host/blue0, mtu: 1400, addresses: [10.0.0.2/24, 10.0.0.3/24] }
      red0: { veth: RED/eth0, addresses: [10.0.1.1/24] }
    forwarding: true
    routes: [{ to: default, via: 10.0.0.254, metric: 50 }, { to: 10.9.0.0/16, type: blackhole }]
  RED:
    interfaces:
      eth0: { addresses: [10.0.1.2/24] }
    routes: [{ to: default, via: 10.0.1.1 }]
"#,
    ),
    (
        "other kinds under the same names",
        r#"
name: lab
host:
  interfaces:
    lab0: { veth: RED/eth1, addresses: [10.0.0.254/24] }
    blue0: { bridge: { ports: [red0] } }
namespaces:
  RED:
    interfaces:
      eth1: { addresses: [10.0.0.1/24] }
      br0: { bridge: { ports: [p0] }, mac: "02:00:00:00:0b:01" }
      p0: { veth: BLUE/eth0 }
    sysctls: { net.ipv4.conf.br0.proxy_arp: 1, net.ipv4.tcp_ecn: 1 }
  BLUE:
    interfaces:
      eth0: { mtu: 9000, addresses: [10.0.2.2/24] }
      red1: { veth: host/red0, addresses: [10.0.0.2/24] }
"#,
    ),
    (
        "existing things",
        r#"
name: lab
host:
  interfaces:
    lab0: { bridge: { ports: [ext1, red0] }, addresses: [10.0.0.254/24] }
    ext1: { existing: {}, mtu: 1400 }
    ext0: { existing: {} }
  sysctls: { net.ipv4.conf.ext0.rp_filter: 0, net.core.somaxconn: 100 }
namespaces:
  RED:
    interfaces:
      eth0: { veth: host/red0, mtu: 1400, addresses: [10.0.0.1/24] }
      own0: { existing: { from: host/own0 }, addresses: [10.0.3.1/24] }
  GUEST:
    existing: { netns: guest }
    interfaces:
      eth0: { veth: RED/guest0, addresses: [10.0.4.2/24] }
    routes: [{ to: 10.0.0.0/16, via: 10.0.4.1 }]
"#,
    ),
    (
        "firewall, rules, two families",
        r#"
name: lab
host:
  forwarding: ipv6
  interfaces:
    red0: { veth: RED/eth0, mac: "02:00:00:00:00:10", addresses: [10.0.0.254/24, "fd00::fe/64"] }
  rules:
    - { priority: 300, from: 10.0.0.0/24, table: 300 }
  routes:
    - { to: 10.77.0.0/16, via: 10.0.0.1, table: 300 }
  firewall:
    forward:
      policy: drop
      rules:
        - { state: [established, related], accept: {} }
        - { in: red0, protocol: tcp, port: [22, 80, 8000-8010], accept: { counter: true } }
        - { in: red0, protocol: icmpv6, accept: {} }
namespaces:
  RED:
    forwarding: true
    interfaces:
      eth0: { mac: "02:00:00:00:00:11", mtu: 1400, addresses: ["fd00::1/64", 10.0.0.1/24], alternative-names: [uplink], txqueuelen: 500 }
      eth1: { veth: BLUE/eth0, addresses: [10.0.5.1/24, "fd00:5::1/64"] }
    routes:
      - { to: default, via: 10.0.0.254 }
      - { to: default, via: "fd00::fe" }
      - { to: 10.88.0.0/16, via: 10.0.5.2, table: 200 }
    rules:
      - { priority: 100, fwmark: 0x20/0xff, table: 200, family: ipv4 }
      - { priority: 101, to: 10.99.0.0/16, action: prohibit }
    firewall:
      input:
        policy: drop
        rules:
          - { protocol: icmp, accept: {} }
          - { protocol: icmpv6, accept: {} }
          - { protocol: tcp, reject: { with: tcp-reset } }
    nat:
      - redirect: { protocol: tcp, port: 80, to: 8080 }
  BLUE:
    interfaces:
      eth0: { addresses: [10.0.5.2/24, "fd00:5::2/64"] }
    neighbors: [{ address: 10.0.5.9, mac: "02:00:00:00:00:99", dev: eth0 }]
    routes:
      - { to: default, via: 10.0.5.1 }
      - { to: 10.66.0.0/16, nexthops: [{ via: 10.0.5.1, weight: 2 }, { via: 10.0.5.3 }] }
"#,
    ),
    (
        "overlay",
        r#"
name: lab
namespaces:
  RED:
    interfaces:
      eth0: { veth: BLUE/eth0, addresses: [192.0.2.1/24] }
      vx0: { vxlan: { id: 7, local: 192.0.2.1, fdb: [{ dst: 192.0.2.2 }] }, mtu: 1400 }
      lab0: { bridge: { ports: [vx0] }, addresses: [10.0.0.1/24] }
  BLUE:
    interfaces:
      eth0: { addresses: [192.0.2.2/24] }
      vx0: { vxlan: { id: 7, local: 192.0.2.2, remote: 192.0.2.1 }, addresses: [10.0.0.2/24] }
      mv0: { macvlan: { link: eth0, mode: bridge }, addresses: [192.0.2.3/24] }
  GREEN:
    dns: { nameservers: [10.0.0.1], hosts: { red: 10.0.0.1 } }
"#,
    ),
    (
        "host alone",
        r#"
name: lab
host:
  interfaces:
    lab0: { bridge: {}, addresses: [10.0.0.1/24, 10.0.0.2/24, 10.0.7.1/24] }
    red0: { veth: blue0, up: false, mtu: 1300 }
    blue0: { master: lab0, port: { isolated: true, hairpin: true, cost: 7 } }
    ext0: { existing: {}, addresses: [192.0.2.6/24] }
  routes:
    - { to: 10.50.0.0/16, via: 10.0.0.9 }
    - { to: 10.51.0.0/16, dev: lab0, scope: link, metric: 9 }
"#,
    ),
    (
        "three on a bridge inside",
        r#"
name: lab
namespaces:
  RED:
    interfaces:
      eth0: { veth: { bridge: BLUE/lab0 }, addresses: [10.0.0.1/24] }
    dns: { nameservers: [10.0.0.53], search: [lab.test] }
  BLUE:
    forwarding: ipv4
    interfaces:
      lab0: { bridge: { ports: [green0] }, addresses: [10.0.0.254/24] }
    nat:
      - snat: { source: 10.0.0.0/24, out: green0, to: 10.0.0.254 }
  GREEN:
    interfaces:
      eth0: { veth: BLUE/green0, addresses: [10.0.0.3/24, "fd00:9::3/64"], ipv6: { accept-ra: false } }
    sysctls: { net.ipv4.ip_local_port_range: "20000 30000" }
"#,
    ),
    ("nothing", "name: lab\n"),
];

/// All pairs that end with version `second`.
fn to(test: &str, second: usize) {
    sandbox::run_within(test, Duration::from_secs(400), || {
        sh(MACHINE);
        let whole = Options { handles: true, addresses: true, ..Options::default() };
        let before = quiet(&whole);
        let file = |index: usize| write(&format!("v{index}.yaml"), VERSIONS[index].1);
        let (wanted, text) = VERSIONS[second];
        // Hardware addresses that this version names are compared, random ones are not.
        let options = Options { known: text.to_owned(), ..Options::default() };
        apply(&file(second)).unwrap();
        // The kernel takes up to a second to notice who has carrier.
        std::thread::sleep(Duration::from_millis(1500));
        let fresh = quiet(&options);
        destroy(&before, &whole).unwrap();
        let mut failures = Vec::new();
        for (first, (name, _)) in VERSIONS.iter().enumerate() {
            let steps = || -> Result<(), String> {
                apply(&file(first))?;
                if second != first {
                    apply(&file(second))?;
                }
                let mut now = String::new();
                let same = wait_for(Duration::from_secs(10), || {
                    now = snapshot_with(&options);
                    now == fresh
                });
                if same {
                    Ok(())
                } else {
                    Err(format!("differs from a fresh apply (- fresh, + now):\n{}", difference(&fresh, &now)))
                }
            };
            let result = steps();
            let cleaned = destroy(&before, &whole);
            for failure in [result, cleaned.clone()].into_iter().filter_map(Result::err) {
                failures.push(format!("### from {name:?} to {wanted:?}: {failure}"));
            }
            if cleaned.is_err() {
                break; // What is left would spoil the next pair.
            }
        }
        assert!(failures.is_empty(), "{} pairs fail\n{}", failures.len(), failures.join("\n"));
    });
}

/// One apply, after which there is nothing to do.
fn apply(file: &str) -> Result<(), String> {
    let apply = topo(&["apply", "--yes", file]);
    if apply.code != 0 {
        return Err(format!("apply answers {}\n{}{}", apply.code, apply.stdout, apply.stderr));
    }
    let plan = topo(&["plan", "--detailed-exitcode", file]);
    if plan.code != 0 {
        Err(format!("plan answers {} after apply\n{}{}", plan.code, plan.stdout, plan.stderr))
    } else {
        Ok(())
    }
}

/// Back to what was there before.
fn destroy(before: &str, options: &Options) -> Result<(), String> {
    let destroy = topo(&["destroy", "--yes", "lab"]);
    if destroy.code != 0 {
        return Err(format!("destroy answers {}\n{}{}", destroy.code, destroy.stdout, destroy.stderr));
    }
    let mut now = String::new();
    let same = wait_for(Duration::from_secs(10), || {
        now = snapshot_with(options);
        now == before
    });
    if same {
        Ok(())
    } else {
        Err(format!("destroy leaves the machine different (- before, + now):\n{}", difference(before, &now)))
    }
}

/// What is in a namespace must not be forgotten because its name in the file means another one now.
#[test]
fn a_name_means_one_namespace() {
    sandbox::run("a_name_means_one_namespace", || {
        sh(MACHINE);
        let made = write(
            "made.yaml",
            "name: lab\nnamespaces:\n  BLUE: { interfaces: { lo: { addresses: [10.0.0.1/32] } } }\n",
        );
        let theirs = write(
            "theirs.yaml",
            "name: lab\nnamespaces:\n  BLUE: { existing: { netns: guest }, interfaces: { lo: { addresses: [10.0.0.1/32] } } }\n",
        );
        let options = Options { handles: true, addresses: true, ..Options::default() };
        let before = quiet(&options);
        for (first, second) in [(&made, &theirs), (&theirs, &made)] {
            apply(first).unwrap();
            let applied = quiet(&options);
            topo(&["apply", "--yes", second]).expect(1).says("BLUE").says("another name");
            sandbox::assert_snapshot_with(&applied, &options);
            destroy(&before, &options).unwrap();
        }
    });
}

macro_rules! pairs {
    ($($test:ident $second:literal),* $(,)?) => {
        $(#[test]
        fn $test() {
            to(stringify!($test), $second);
        })*

        #[test]
        fn all_versions_come_last_once() {
            assert_eq!(vec![$($second),*], (0..VERSIONS.len()).collect::<Vec<_>>());
        }
    };
}

pairs! {
    to_pair 0,
    to_bridge_with_nat 1,
    to_renamed_and_moved 2,
    to_other_kinds 3,
    to_existing 4,
    to_firewall 5,
    to_overlay 6,
    to_host_alone 7,
    to_bridge_inside 8,
    to_nothing 9,
}
