//! Changes of a machine that failures are forced in: each a row of versions, of which every one is reached from the one
//! before.

/// A row of versions of a topology.
pub struct Transition {
    /// Lines of shell that make what the machine has before topo comes.
    pub machine: &'static str,
    /// The versions, without the line with the name; an empty text is nothing at all.
    pub versions: Vec<String>,
}

fn rows(machine: &'static str, versions: &[&str]) -> Transition {
    Transition { machine, versions: versions.iter().map(|text| (*text).to_owned()).collect() }
}

const BRIDGED: &str = "
host:
  interfaces:
    br0: { bridge: { ports: [v1, v2] }, addresses: [10.7.0.1/24] }
namespaces:
  RED:
    interfaces: { eth0: { veth: host/v1, addresses: [10.7.0.2/24, 10.7.0.5/24, 'fd07::2/64'] } }
    routes: [{ to: default, via: 10.7.0.1 }, { to: 192.168.0.0/16, via: 10.7.0.3 }]
  BLUE:
    interfaces: { eth0: { veth: host/v2, addresses: [10.7.0.3/24] } }
    routes: [{ to: default, via: 10.7.0.1 }]
";

/// Attributes, addresses, routes and a bridge's ports change.
pub fn in_place() -> Transition {
    let changed = BRIDGED
        .replace("10.7.0.2/24, 10.7.0.5/24, 'fd07::2/64'", "10.7.0.5/24, 10.7.0.2/24, 10.8.0.1/16")
        .replace(
            "{ eth0: { veth: host/v2, ",
            "{ eth0: { veth: host/v2, mtu: 1400, mac: '02:00:00:00:00:07', txqueuelen: 77, ",
        )
        .replace("ports: [v1, v2]", "ports: [v1], forward-delay: 4s, priority: 4096")
        .replace("via: 10.7.0.3 }", "via: 10.8.0.3, metric: 5 }, { to: 192.168.7.0/24, type: blackhole }");
    rows("", &[BRIDGED, &changed])
}

/// Other links, in other namespaces.
pub fn re_create() -> Transition {
    let direct = "
namespaces:
  RED:
    interfaces: { eth0: { veth: GREEN/eth0, addresses: [10.7.0.2/24], queues: { tx: 2, rx: 2 } } }
    routes: [{ to: 10.9.0.0/16, via: 10.7.0.9 }]
  GREEN:
    interfaces: { eth0: { addresses: [10.7.0.9/24] }, eth1: { veth: host/v1 } }
    rules: [{ priority: 100, from: 10.9.0.0/16, table: 100 }]
";
    rows("", &[BRIDGED, direct])
}

/// All of it made, and all of it removed.
pub fn from_nothing_and_to_nothing() -> Transition {
    rows("", &["", BRIDGED, ""])
}

/// Namespaces with no way out of them, which go with all that is in them, beside some that the host is paired with, and
/// some of which one stands on a link of another.
pub fn apart() -> Transition {
    let apart = "
namespaces:
  A:
    forwarding: true
    sysctls: { net.ipv4.tcp_syncookies: 0 }
    interfaces: { lo: { addresses: [10.255.0.1/32] }, e1: { veth: B/e0, addresses: [10.20.0.1/30, 'fd20::1/64'] } }
    routes: [{ to: 10.21.0.0/16, via: 10.20.0.2 }, { to: 10.22.0.0/16, via: 10.20.0.2, table: 7 }]
    rules: [{ priority: 70, from: 10.20.0.0/16, table: 7 }]
    neighbors: [{ address: 10.20.0.2, mac: '02:00:00:00:20:02', dev: e1 }]
    dns: { nameservers: [10.20.0.2] }
  B:
    interfaces: { e0: { addresses: [10.20.0.2/30] }, br0: { bridge: { ports: [p1, p2] }, addresses: [10.21.0.1/24] }, p1: { veth: C/e0 }, p2: { veth: D/e0 } }
    nat: [{ masquerade: { source: 10.20.0.0/16, out: br0 } }]
  C: { interfaces: { e0: { addresses: [10.21.0.2/24] } } }
  D: { interfaces: { e0: { addresses: [10.21.0.3/24] } } }
  OUT: { interfaces: { e0: { veth: host/out0, addresses: [10.23.0.1/24] }, e1: { veth: NEXT/e0 } }, routes: [{ to: default, via: 10.23.0.2 }] }
  NEXT: { interfaces: { e0: { addresses: [10.24.0.1/24] } } }
  LOWER: { interfaces: { e0: { veth: UPPER/e0, addresses: [10.25.0.1/24] } } }
  UPPER: {}
  ABOVE: { interfaces: { m0: { macvlan: { link: LOWER/e0 }, addresses: [10.25.0.2/24] } } }
";
    rows("", &["", apart, ""])
}

/// Interfaces and a namespace that somebody else made: configured, and then moved.
pub fn existing() -> Transition {
    let configured = "
host:
  interfaces: { up0: { existing: {}, mtu: 1300, addresses: [203.0.113.1/24] } }
namespaces:
  other: { existing: { netns: other }, interfaces: { in0: { veth: host/out0, addresses: [10.3.0.1/24] } }, routes: [{ to: 10.4.0.0/16, via: 10.3.0.2 }] }
";
    let moved = "
host:
  interfaces: { up1: { existing: {}, up: false } }
namespaces:
  RED: { interfaces: { eth0: { existing: { from: host/up0 }, mtu: 1280, addresses: [192.0.2.7/24] } }, routes: [{ to: default, via: 192.0.2.1 }] }
";
    let machine = "ip link add up0 type veth peer up1; ip link set up0 up mtu 1450; ip link set up1 up; ip address add 192.0.2.1/24 dev up0
        ip route add 198.51.100.0/24 via 192.0.2.9; ip link add down0 type veth peer down1; ip netns add other";
    rows(machine, &["", configured, moved])
}

/// Rules of our own, in a table and in somebody else's chain.
pub fn nat_and_firewall() -> Transition {
    let first = format!("{BRIDGED}\n  WALL:\n    interfaces: {{ w0: {{ veth: BLUE/w0 }} }}\n    firewall: {{ input: {{ policy: drop, rules: [{{ state: [established, related], accept: {{}} }}, {{ protocol: icmpv6, accept: {{}} }}] }} }}\n")
        .replace("host:\n", "host:\n  nat: [{ masquerade: { source: 10.7.0.0/24, out: '!br0' } }]\n  firewall: { insert: [{ chain: ip mine forward, in: br0, accept: {} }] }\n");
    let second = first
        .replace(
            "[{ masquerade: { source: 10.7.0.0/24, out: '!br0' } }]",
            "[{ masquerade: { source: 10.7.0.0/25, out: '!br0' } }, { dnat: { in: '!br0', protocol: tcp, port: 80, to: '10.7.0.2:80' } }]",
        )
        .replace("in: br0, accept: {}", "in: br0, out: br0, accept: {}")
        .replace("policy: drop", "policy: accept");
    let machine = "nft add table ip mine; nft add chain ip mine forward '{ type filter hook forward priority 0; }'; nft add rule ip mine forward counter";
    rows(machine, &[&first, &second, BRIDGED])
}

/// Settings of the host, of interfaces of others, and of a namespace.
pub fn sysctls() -> Transition {
    let first = "
host:
  forwarding: true
  interfaces: { up0: { existing: {} } }
  sysctls: { net.ipv4.conf.up0.rp_filter: 2, net.ipv4.ip_default_ttl: 63, net.ipv4.conf.default.send_redirects: 0 }
namespaces:
  RED: { forwarding: ipv4, sysctls: { net.ipv4.tcp_syncookies: 0, net.ipv4.conf.default.rp_filter: 1 }, interfaces: { a: { veth: host/a, ipv6: { disable: true } } } }
";
    let second = "
host:
  interfaces: { up0: { existing: {} } }
  sysctls: { net.ipv4.ip_default_ttl: 61 }
namespaces:
  RED: { forwarding: ipv6, sysctls: { net.ipv4.ip_local_port_range: '10000 20000' }, interfaces: { a: { veth: host/a } } }
";
    let machine = "ip link add up0 type veth peer up1; ip link add up2 type veth peer up3
        sysctl -qw net.ipv4.conf.up0.rp_filter=1 net.ipv4.conf.up2.forwarding=1 net.ipv4.conf.all.accept_redirects=0";
    rows(machine, &["", first, second])
}
