//! Files with many objects of one kind, as large as the language lets them be: what a check costs shows here.

use std::fmt::Write as _;

/// The name of a shape, and a file of it with so many objects.
pub type Shape = (&'static str, fn(usize) -> String);

/// The most interfaces that a file may have is 20,000.
fn links(count: usize) -> usize {
    count.min(19_000)
}

fn ip(n: usize) -> String {
    format!("10.{}.{}.{}", n >> 16 & 255, n >> 8 & 255, n & 255)
}

fn far(n: usize) -> String {
    format!("11.{}.{}.{}", n >> 16 & 255, n >> 8 & 255, n & 255)
}

fn lines(count: usize, line: impl Fn(usize) -> String) -> String {
    (0..count).fold(String::new(), |mut text, n| {
        let _ = writeln!(text, "{}", line(n));
        text
    })
}

fn list(count: usize, item: impl Fn(usize) -> String) -> String {
    (0..count).map(item).collect::<Vec<_>>().join(", ")
}

/// A node with so many interfaces.
fn node(count: usize, interface: impl Fn(usize) -> String) -> String {
    format!("name: x\nnamespaces:\n  A:\n    interfaces:\n{}", lines(count, |n| format!("      {}", interface(n))))
}

/// A node with a bridge.
fn bridge() -> String {
    node(1, |_| "b0: { bridge: {}, addresses: [10.0.0.1/8] }".to_owned())
}

/// The rules of its chain `forward`.
fn firewall(rules: &str) -> String {
    format!("    firewall:\n      forward:\n        policy: drop\n        rules:\n{rules}")
}

/// Bridges whose ports are macvlans on the next one, five deep.
fn ports_of_ports(count: usize) -> String {
    let ports = (count / 5).min(1000);
    let level = |level: usize| {
        let address = if level == 0 { ", addresses: [\"fd00::1/64\"]" } else { "" };
        let bridge = format!(
            "      b{level}: {{ bridge: {{ ports: [{}] }}{address} }}\n",
            list(ports, |n| format!("m{level}x{n}"))
        );
        let kind = if level < 4 { format!("macvlan: {{ link: b{} }}", level + 1) } else { "dummy: {}".to_owned() };
        bridge + &lines(ports, |n| format!("      m{level}x{n}: {{ {kind} }}"))
    };
    format!("name: x\nnamespaces:\n  A:\n    interfaces:\n{}", (0..5).map(level).collect::<String>())
}

/// All shapes.
pub const SHAPES: &[Shape] = &[
    ("namespaces", |n| format!("name: x\nnamespaces:\n{}", lines(n, |n| format!("  n{n}: {{}}")))),
    ("veths", |n| {
        let ends = lines(links(n) / 2, |n| format!("  n{n}: {{ interfaces: {{ e: {{ veth: hub/e{n} }} }} }}"));
        format!("name: x\nnamespaces:\n{ends}  hub: {{}}\n")
    }),
    ("dummies", |n| {
        node(links(n), |n| {
            format!(
                "d{n}: {{ dummy: {{}}, addresses: [{}/30], mac: \"02:00:00:00:{:02x}:{:02x}\" }}",
                ip(n * 4 + 1),
                n >> 8,
                n & 255
            )
        })
    }),
    ("bridge ports", |n| {
        node(links(n), |n| {
            if n == 0 { "b0: { bridge: {} }".to_owned() } else { format!("d{n}: {{ dummy: {{}}, master: b0 }}") }
        })
    }),
    ("items of each", |n| {
        format!(
            "name: x\nhost:\n  routes:\n    - {{ each: 1-{n}, to: \"10.0.0.0+{{n*64}}/26\", type: blackhole, metric: \"{{n%9+1}}\" }}\n"
        )
    }),
    ("range of nodes", |n| {
        let n = links(n) / 2;
        format!(
            "name: x\ndefaults:\n  interfaces: {{ ipv6: {{ dad: false }} }}\nnamespaces:\n  hub: {{}}\n  \"n[1-{n}]\":\n    interfaces: {{ eth0: {{ veth: \"hub/e{{n}}\", mac: \"02:00:00:00:00:00+{{n}}\", addresses: [\"10.0.0.0+{{n}}/8\"] }} }}\n    routes: [{{ to: default, dev: eth0 }}]\n"
        )
    }),
    ("vrfs", |n| node(links(n), |n| format!("v{n}: {{ vrf: {{ table: {} }} }}", n + 1000))),
    ("vxlans", |n| node(links(n), |n| format!("v{n}: {{ vxlan: {{ id: {}, local: 10.0.0.1 }} }}", n + 1))),
    ("tunnels", |n| node(links(n), |n| format!("v{n}: {{ gre: {{ local: 192.168.0.1, remote: {} }} }}", ip(n + 1)))),
    ("moved", |n| node(links(n), |n| format!("v{n}: {{ existing: {{ from: host/v{n} }} }}"))),
    ("wireguards", |n| {
        node(links(n), |n| {
            format!(
                "w{n}: {{ wireguard: {{ private-key-file: k{n}, peers: [{{ interface: A/w{}, allowed-ips: [10.0.0.0/8] }}] }} }}",
                n ^ 1
            )
        })
    }),
    ("VLANs of ports", |n| {
        let port = |n: usize| format!("d{n}: {{ dummy: {{}}, master: b0, port-vlan: {{ trunk: [1-4094] }} }}");
        node(links(n), |n| if n == 0 { "b0: { bridge: { vlan-filtering: true } }".to_owned() } else { port(n) })
    }),
    ("stack of VLANs", |n| {
        node(links(n), |n| {
            if n == 0 {
                "v0: { dummy: {} }".to_owned()
            } else {
                format!("v{n}: {{ vlan: {{ link: v{}, id: 5 }} }}", n - 1)
            }
        })
    }),
    ("stack of vxlans", |n| {
        node(links(n), |n| {
            if n == 0 {
                "v0: { dummy: {} }".to_owned()
            } else {
                format!("v{n}: {{ vxlan: {{ id: {n}, link: v{}, group: 239.0.0.1 }} }}", n - 1)
            }
        })
    }),
    ("stack of macvlans", |n| {
        node(links(n), |n| {
            if n == 0 { "v0: { dummy: {} }".to_owned() } else { format!("v{n}: {{ macvlan: {{ link: v{} }} }}", n - 1) }
        })
    }),
    ("stack of bridges", |n| {
        node(links(n) / 2, |n| match n {
            0 => "b0: { bridge: {} }".to_owned(),
            _ => format!(
                "v{n}: {{ vlan: {{ link: b{}, id: 5 }} }}\n      b{n}: {{ bridge: {{ ports: [v{n}] }} }}",
                n - 1
            ),
        })
    }),
    ("ring of bridges", |n| {
        node(links(n) / 2, |at| {
            format!("b{at}: {{ bridge: {{ ports: [m{at}] }} }}\n      m{at}: {{ macvlan: {{ link: b{} }} }}", at + 1)
        })
    }),
    ("ports of ports", ports_of_ports),
    ("addresses", |n| {
        node(1, |_| format!("b0: {{ bridge: {{}}, addresses: [{}] }}", list(n, |n| format!("{}/30", ip(n * 4 + 1)))))
    }),
    ("routes", |n| bridge() + "    routes:\n" + &lines(n, |n| format!("      - {{ to: {}, via: 10.0.0.2 }}", far(n)))),
    ("routes and addresses", |n| {
        let addresses = node(1, |_| {
            format!("b0: {{ bridge: {{}}, addresses: [{}] }}", list(n / 2, |n| format!("{}/30", ip(n * 4 + 1))))
        });
        addresses
            + "    routes:\n"
            + &lines(n / 2, |n| {
                format!("      - {{ to: {}, via: {}, source: {} }}", far(n), ip(n * 4 + 2), ip(n * 4 + 1))
            })
    }),
    ("routes and links", |n| {
        let all = node(links(n), |n| format!("d{n}: {{ dummy: {{}}, addresses: [{}/30] }}", ip(n * 4 + 1)));
        all + "    routes:\n" + &lines(links(n), |n| format!("      - {{ to: {}, via: {} }}", far(n), ip(n * 4 + 2)))
    }),
    ("routes and neighbors", |n| {
        let routes =
            "    routes:\n".to_owned() + &lines(n / 2, |n| format!("      - {{ to: {}, via: {} }}", far(n), ip(n + 2)));
        bridge()
            + &routes
            + "    neighbors:\n"
            + &lines(n / 2, |n| format!("      - {{ address: {}, proxy: true, dev: b0 }}", ip(n + 2)))
    }),
    ("next hops", |n| {
        bridge()
            + &format!(
                "    routes:\n      - to: default\n        nexthops: [{}]\n",
                list(n, |n| format!("{{ via: {} }}", ip(n + 2)))
            )
    }),
    ("rules", |n| {
        bridge()
            + "    rules:\n"
            + &lines(n, |n| format!("      - {{ priority: {}, from: {}, table: 100 }}", n + 1, ip(n + 1)))
    }),
    ("settings", |n| {
        let settings = lines(links(n), |n| format!("      net.ipv6.conf.d{n}.accept_ra: 1"));
        node(links(n), |n| format!("d{n}: {{ dummy: {{}}, forwarding: true }}")) + "    sysctls:\n" + &settings
    }),
    ("hosts", |n| bridge() + &format!("    dns: {{ hosts: {{ {} }} }}\n", list(n, |n| format!("h{n}: {}", ip(n + 1))))),
    ("masquerades", |n| {
        bridge() + "    nat:\n" + &lines(n, |n| format!("      - masquerade: {{ source: {}, out: b0 }}", ip(n + 1)))
    }),
    ("firewall rules", |n| {
        bridge() + &firewall(&lines(n, |n| format!("          - {{ source: {}, accept: {{}} }}", ip(n + 1))))
    }),
    ("a long list", |n| {
        bridge() + &firewall(&format!("          - {{ source: [{}], accept: {{}} }}\n", list(n, |n| ip(n * 2))))
    }),
    ("wildcards", |n| {
        node(links(n), |n| format!("d{n}: {{ dummy: {{}} }}"))
            + &firewall(&lines(links(n), |n| format!("          - {{ in: \"d{n}*\", accept: {{}} }}")))
    }),
    ("unknown interfaces", |n| {
        node(links(n), |n| format!("d{n}: {{ dummy: {{}} }}"))
            + &firewall(&lines(links(n), |n| format!("          - {{ in: e{n}, accept: {{}} }}")))
    }),
    ("unknown masters", |n| node(links(n), |n| format!("d{n}: {{ dummy: {{}}, master: x{n} }}"))),
    ("checks", |n| {
        bridge() + "checks:\n" + &lines(n, |n| format!("  - {{ name: c{n}, ping: {{ from: A, to: 10.0.0.1 }} }}"))
    }),
];
