//! What the plan promises the kernel does, and what the kernel does not do is told before: small files with one value
//! each, at the edge of what there is.

#![allow(clippy::disallowed_methods, reason = "a test makes processes")]

use crate::sandbox;

use sandbox::{assert_snapshot, sh, snapshot, topo, wait_for, write};
use std::time::Duration;

/// A node with a line of it, and one at the other end of its wire.
fn node(line: &str) -> String {
    format!(
        "name: edge\nnamespaces:\n  A:\n    interfaces:\n      e: {{ veth: B/e, addresses: [10.0.0.1/24, 'fd00::1/64'] }}\n    {line}\n  B: {{ interfaces: {{ e: {{ addresses: [10.0.0.2/24, 'fd00::2/64'] }} }} }}\n"
    )
}

/// A node with one interface besides.
fn interface(name: &str, says: &str) -> String {
    format!(
        "name: edge\nnamespaces:\n  A:\n    interfaces:\n      e: {{ veth: B/e, addresses: [10.0.0.1/24, 'fd00::1/64'] }}\n      {name}: {{ {says} }}\n  B: {{}}\n"
    )
}

/// Values that are all right, and what is done with them sticks.
fn right() -> Vec<String> {
    vec![
        interface("lo", "addresses: [127.0.0.1/8, '::1/128', 127.0.0.1/16, 10.255.0.1/32]"),
        node("rules: [{ priority: 5, table: 5, port: 1-65534, protocol: tcp, family: ipv4 }]"),
        node(
            "routes: [{ to: 10.0.0.0/24, dev: e, metric: 5 }, { to: 10.9.0.0/16, dev: e, mtu: 65520 }, { to: 10.8.0.0/16, dev: e, source: 127.0.0.1 }]",
        ),
        node("routes: [{ to: 'fd00::/64', dev: e }, { to: 10.9.0.0/16, dev: e, scope: host }]"),
        interface(
            "k",
            "bridge: { multicast-hash-max: 8, multicast-query-interval: 1s, multicast-startup-query-interval: 24000s }, addresses: [10.7.0.1/24]",
        ),
        interface("k", "vxlan: { id: 5, ageing: 1s, local: 10.0.0.1, fdb: [{ dst: 10.0.0.9 }] }"),
        interface("k", "vxlan: { id: 5, local: 'fd00::1', fdb: [{ dst: 'fd00::2' }] }"),
        interface("k", "vxlan: { id: 5, local: 'fe80::1', remote: 'fe80::2', link: e }"),
        interface("k", "tap: {}, mtu: 65521"),
        interface("k", "tun: { owner: 4294967294 }, mtu: 65535"),
        interface("k", "macvlan: { link: e, mode: passthru }"),
        interface("k", "veth: B/k, addresses: [10.0.0.1/24]"),
        interface("k", "veth: B/k, addresses: [10.4.0.0/24]"),
        node("sysctls: { net.ipv4.fib_multipath_hash_policy: 3, net.ipv4.fib_multipath_hash_fields: 0x0037 }"),
        node(
            "firewall: { prerouting: { rules: [{ nft: 'iifname \"e\" notrack' }, { drop: {}, source: 10.3.0.0/16 }] } }",
        ),
        node(
            "nat: [{ dnat: { in: e, protocol: tcp, port: 2000-2010, to: '10.5.0.2:8000-8010' } }, { redirect: { protocol: udp, port: 53-54, to: 5353-5354 } }]",
        ),
        node("nat: [{ nft: 'ct status dnat ip saddr 10.0.0.0/24 masquerade' }]"),
    ]
}

#[test]
fn what_is_planned_is_done_and_stays() {
    sandbox::run_within("what_is_planned_is_done_and_stays", Duration::from_secs(300), || {
        let before = snapshot();
        for text in right() {
            let path = write("edge.yaml", &text);
            topo(&["apply", "--yes", &path]).expect(0);
            let plan = topo(&["plan", "--detailed-exitcode", &path]);
            assert_eq!(plan.code, 0, "{text}\n{}\n{}", plan.stdout, plan.stderr);
            let yaml = topo(&["show", "--yaml", "edge"]).expect(0).stdout;
            let shown = write("shown.yaml", &yaml);
            let plan = topo(&["plan", "--detailed-exitcode", &shown]);
            assert_eq!(plan.code, 0, "{yaml}\n{}\n{}", plan.stdout, plan.stderr);
            topo(&["destroy", "--yes", "edge"]).expect(0);
        }
        assert_snapshot(&before);
    });
}

#[test]
fn localhost_stays_when_the_file_says_it_no_more() {
    sandbox::run("localhost_stays_when_the_file_says_it_no_more", || {
        for says in [
            "addresses: [127.0.0.1/8, '::1/128', 10.255.0.1/32]",
            "addresses: [10.255.0.1/32]",
            "addresses: [127.0.0.1/8]",
        ] {
            let path = write("edge.yaml", &interface("lo", says));
            topo(&["apply", "--yes", &path]).expect(0);
            sh("ip netns exec A ping -c1 -W1 127.0.0.1 && ip netns exec A ping -c1 -W1 ::1");
        }
    });
}

#[test]
fn loopback_addresses_on_a_vrf() {
    sandbox::run_needing("loopback_addresses_on_a_vrf", &["vrf"], || {
        let path = write(
            "edge.yaml",
            &interface("red", "vrf: { table: 100, ports: [e] }, addresses: [127.0.0.1/8, '::1/128']"),
        );
        topo(&["apply", "--yes", &path]).expect(0);
        topo(&["plan", "--detailed-exitcode", &path]).expect(0);
        let shown = sh("ip -n A -br address show dev red");
        assert!(shown.contains("127.0.0.1/8") && shown.contains("::1/128"), "{shown}");
    });
}

#[test]
fn a_range_of_ports_goes_one_to_one() {
    sandbox::run("a_range_of_ports_goes_one_to_one", || {
        let text = "name: shift\nnamespaces:\n  client: { interfaces: { eth0: { veth: router/wan, addresses: [192.0.2.2/24] } } }\n  router:\n    forwarding: ipv4\n    interfaces:\n      wan: { addresses: [192.0.2.1/24] }\n      lan: { veth: server/eth0, addresses: [10.0.0.1/24] }\n    nat:\n      - dnat: { in: wan, protocol: tcp, port: 2000-2010, to: '10.0.0.2:8000-8010' }\n  server:\n    interfaces: { eth0: { addresses: [10.0.0.2/24] } }\n    routes: [{ to: default, via: 10.0.0.1 }]\n";
        topo(&["apply", "--yes", &write("shift.yaml", text)]).expect(0);
        sh(
            "for p in 8000 8003 8010; do ip netns exec server socat TCP-LISTEN:$p,fork,reuseaddr SYSTEM:\"echo $p\" >/dev/null 2>&1 & done",
        );
        for port in [2000, 2003, 2010] {
            let answers = || {
                sandbox::try_sh(&format!(
                    "ip netns exec client socat -T1 - TCP:192.0.2.1:{port},connect-timeout=1 </dev/null"
                ))
                .stdout
            };
            assert!(
                wait_for(Duration::from_secs(5), || answers().trim() == (port + 6000).to_string()),
                "port {port}: {}",
                answers()
            );
        }
    });
}

#[test]
fn what_is_not_to_be_tracked_is_not() {
    sandbox::run("what_is_not_to_be_tracked_is_not", || {
        let text = node(
            "firewall: { prerouting: { rules: [{ nft: 'iifname \"e\" ct zone set 7' }] } }\n    nat: [{ masquerade: { out: e } }]",
        );
        topo(&["apply", "--yes", &write("edge.yaml", &text)]).expect(0);
        sh("ip netns exec B ping -c1 -W1 10.0.0.1");
        let chain = sh("ip netns exec A nft list table inet topo-edge");
        assert!(chain.contains("hook prerouting priority raw"), "{chain}");
        assert!(sh("ip netns exec A cat /proc/net/nf_conntrack").contains("zone=7"), "{chain}");
    });
}

#[test]
fn addresses_from_a_secret() {
    sandbox::run("addresses_from_a_secret", || {
        let file = |of: &str| {
            let text = node(&format!("sysctls: {{ net.ipv6.conf.{of}.stable_secret: '2001:db8:1::6' }}"));
            write(
                "edge.yaml",
                &text.replace("e: { veth: B/e,", "e: { veth: B/e, ipv6: { address-generation: stable-privacy },"),
            )
        };
        for of in ["default", "e", "default"] {
            let path = file(of);
            topo(&["apply", "--yes", &path]).expect(0);
            let plan = topo(&["plan", "--detailed-exitcode", &path]);
            assert_eq!(plan.code, 0, "{of}: {}", plan.stdout);
            assert_eq!(
                sh(&format!("ip netns exec A cat /proc/sys/net/ipv6/conf/{of}/stable_secret")).trim(),
                "2001:0db8:0001:0000:0000:0000:0000:0006"
            );
            assert_eq!(sh("ip netns exec A cat /proc/sys/net/ipv6/conf/e/addr_gen_mode").trim(), "2");
        }
    });
}

#[test]
fn settings_that_no_namespace_has_are_told_by_the_plan() {
    sandbox::run("settings_that_no_namespace_has_are_told_by_the_plan", || {
        let before = snapshot();
        for key in [
            "net.core.rmem_max",
            "net.ipv4.neigh.default.gc_thresh3",
            "net.ipv4.conf.e.mc_forwarding",
            "net.ipv4.no_such_setting",
        ] {
            let path = write("edge.yaml", &node(&format!("sysctls: {{ {key}: 1 }}")));
            let plan = topo(&["plan", &path]);
            assert_eq!(plan.code, 1, "{key}: {}{}", plan.stdout, plan.stderr);
            let apply = topo(&["apply", "--yes", &path]);
            assert_eq!(apply.code, 1, "{key}: {}", apply.stderr);
            assert!(apply.stderr.contains(key) && !apply.stderr.contains("permission denied"), "{}", apply.stderr);
        }
        assert_snapshot(&before);
    });
}

#[test]
fn settings_that_come_with_a_table() {
    sandbox::run_in_lane("settings_that_come_with_a_table", &["vlan"], Duration::from_secs(120), || {
        let text =
            node("nat: [{ masquerade: { out: e } }]\n    sysctls: { net.netfilter.nf_conntrack_udp_timeout: 2 }");
        let path = write("edge.yaml", &text);
        topo(&["apply", "--yes", &path]).expect(0);
        topo(&["plan", "--detailed-exitcode", &path]).expect(0);
        assert_eq!(sh("ip netns exec A sysctl -n net.netfilter.nf_conntrack_udp_timeout").trim(), "2");
    });
}

#[test]
fn a_tunnel_in_the_vrf_that_it_sends_by() {
    sandbox::run_needing("a_tunnel_in_the_vrf_that_it_sends_by", &["gre", "vrf", "ipip", "sit"], || {
        for kind in ["gre", "gretap", "ipip", "sit"] {
            let text = format!(
                "name: in-vrf\nnamespaces:\n  A:\n    interfaces:\n      red: {{ vrf: {{ table: 101, ports: [eth0, g1] }} }}\n      eth0: {{ veth: B/eth0, addresses: [192.0.2.1/30] }}\n      \
                 g1: {{ {kind}: {{ local: 192.0.2.1, remote: 192.0.2.2, link: red }}, addresses: ['fd00::1/64'] }}\n  B:\n    interfaces:\n      eth0: {{ addresses: [192.0.2.2/30] }}\n      \
                 g1: {{ {kind}: {{ local: 192.0.2.2, remote: 192.0.2.1 }}, addresses: ['fd00::2/64'] }}\n"
            );
            let path = write(
                "in-vrf.yaml",
                &text
                    .replace(if kind == "ipip" { "fd00::1/64" } else { "never" }, "10.0.0.1/30")
                    .replace(if kind == "ipip" { "fd00::2/64" } else { "never" }, "10.0.0.2/30"),
            );
            topo(&["apply", "--yes", &path]).expect(0);
            topo(&["plan", "--detailed-exitcode", &path]).expect(0);
            let far = if kind == "ipip" { "10.0.0.1" } else { "fd00::1" };
            sh(&format!("ip netns exec B ping -c3 -i0.3 -W2 -q {far}"));
            topo(&["destroy", "--yes", "in-vrf"]).expect(0);
        }
    });
}

#[test]
fn mtus_at_the_edge() {
    sandbox::run_needing("mtus_at_the_edge", &["dummy", "vrf", "gre", "ipip", "geneve"], || {
        let links = [
            "dummy: {}, mtu: 65536",
            "vrf: { table: 10 }, mtu: 1280",
            "vrf: { table: 10 }, mtu: 65575",
            "gre: { local: 10.0.0.1, remote: 10.0.0.9 }, mtu: 65511",
            "gre: { local: 10.0.0.1, remote: 10.0.0.9, key: 1 }, mtu: 65507",
            "ipip: { local: 10.0.0.1, remote: 10.0.0.9 }, mtu: 65515",
            "geneve: { id: 5, remote: 10.0.0.9 }, mtu: 65485",
        ];
        for link in links {
            let path = write("edge.yaml", &interface("k", link));
            topo(&["apply", "--yes", &path]).expect(0);
            topo(&["plan", "--detailed-exitcode", &path]).expect(0);
            topo(&["destroy", "--yes", "edge"]).expect(0);
        }
    });
}
