//! Bad files: one line each, the code that is wanted, and the text that the main label depends on.

use super::findings;

/// A file with this in the host.
fn host(text: &str) -> String {
    format!("name: x\nhost: {{ {text} }}\n")
}

/// A file with this in an interface of the namespace `a`, which also has the veth `e` to `b/f`.
fn interface(text: &str) -> String {
    format!("name: x\nnamespaces:\n  a: {{ interfaces: {{ e: {{ veth: b/f }}, t: {{ {text} }} }} }}\n  b:\n")
}

fn check(text: &str, code: &str, at: &str) {
    let found = findings(text);
    let hit = found
        .iter()
        .find(|finding| finding.code == code)
        .unwrap_or_else(|| panic!("{text}\nwanted {code}, found {found:#?}"));
    let label = &hit.labels[0];
    assert_eq!(&text[label.offset..label.offset + label.length], at, "{text}\n{hit:#?}");
    assert!(
        !hit.message.is_empty() && !hit.message.ends_with('.') && !hit.message.starts_with(char::is_uppercase),
        "{}",
        hit.message
    );
}

#[test]
fn syntax() {
    let cases = [
        ("", "empty-file", ""),
        ("name: x\nhost: {", "yaml-syntax", "{"),
        ("name: x\n---\nname: y\n", "second-document", "---"),
        ("name: x\nname: y\n", "duplicate-key", "name"),
        ("name: x\nhost: {}\nnamespaces: { a: , a: }\n", "duplicate-key", "a"),
        ("name: x\nhost: { <<: *a }\n", "unknown-alias", "*a"),
        ("name: x\nhost: { <<: {} }\n", "merge-key", "<<"),
        ("name: x\n[1]: y\n", "bad-key", "[1]"),
        ("name: !foo x\n", "unknown-tag", "x"),
        ("name: \"a\\e[31m\"\n", "control-character", "\"a\\e[31m\""),
        ("- x\n", "wrong-type", "- x"),
        ("name: x\nhost: &a { interfaces: *a }\n", "recursive-alias", "*a"),
    ];
    for (text, code, at) in cases {
        check(text, code, at);
    }
}

#[test]
fn shapes() {
    let cases = [
        ("host:\n".to_owned(), "missing-key", "host:"),
        ("nam: x\n".to_owned(), "unknown-key", "nam"),
        (host("forwading: true"), "unknown-key", "forwading"),
        (host("forwarding: yes"), "wrong-type", "yes"),
        (host("forwarding: \"true\""), "wrong-type", "\"true\""),
        (host("routes: { to: default }"), "wrong-type", "{ to: default }"),
        (host("interfaces: [a]"), "wrong-type", "[a]"),
        (interface("veth: b/g, bridge: {}"), "several-kinds", "bridge"),
        (interface("mtu: 1400"), "no-kind", "t"),
        (interface("veth: b/g, mtu: 67"), "out-of-range", "67"),
        (interface("veth: b/g, mtu: 017"), "wrong-type", "017"),
        (interface("veth: b/g, mtu: 1_500"), "wrong-type", "1_500"),
        (interface("veth: b/g, mtu: \"1500\""), "wrong-type", "\"1500\""),
        (interface("veth: b/g, mtu: -1"), "out-of-range", "-1"),
        (interface("veth: b/g, up: on"), "wrong-type", "on"),
        (interface("veth: b/g, addresses: 10.0.0.1/24"), "wrong-type", "10.0.0.1/24"),
        (interface("veth: b/g, addresses: [~]"), "wrong-type", "~"),
        (interface("bridge: { stpp: true }"), "unknown-key", "stpp"),
        (interface("veth: { bridge: host/br0, ports: [] }"), "unknown-key", "ports"),
        (host("nat: [{ masquarade: {} }]"), "unknown-key", "masquarade"),
        (host("nat: [{}]"), "missing-key", "{}"),
        (host("nat: [{ dnat: { port: 80 } }]"), "missing-key", "{ port: 80 }"),
    ];
    for (text, code, at) in cases {
        check(&text, code, at);
    }
}

#[test]
fn values() {
    let cases = [
        ("name: a b\n".to_owned(), "bad-name", "a b"),
        ("name: true\n".to_owned(), "wrong-type", "true"),
        ("name: x\nnamespaces: { host: }\n".to_owned(), "bad-name", "host"),
        ("name: x\nnamespaces: { ../a: }\n".to_owned(), "bad-name", "../a"),
        (host("interfaces: { abcdefghijklmnop: { bridge: {} } }"), "bad-name", "abcdefghijklmnop"),
        (host("interfaces: { \"a b\": { bridge: {} } }"), "bad-name", "\"a b\""),
        (host("interfaces: { all: { bridge: {} } }"), "bad-name", "all"),
        (interface("veth: b/g, addresses: [10.0.0.1]"), "bad-address", "10.0.0.1"),
        (interface("veth: b/g, addresses: [10.0.0.1/33]"), "bad-address", "10.0.0.1/33"),
        (interface("veth: b/g, addresses: [10.0.0.1/255.255.255.0]"), "bad-address", "10.0.0.1/255.255.255.0"),
        (interface("veth: b/g, addresses: [10.0.0.256/24]"), "bad-address", "10.0.0.256/24"),
        (interface("veth: b/g, mac: 02:00:00:00:00"), "bad-mac", "02:00:00:00:00"),
        (interface("bridge: { hello-time: 2 }"), "bad-duration", "2"),
        (interface("bridge: { hello-time: 20s }"), "out-of-range", "20s"),
        (interface("bridge: { ageing-time: 5ms }"), "bad-duration", "5ms"),
        (interface("bridge: { group-forward-mask: 1 }"), "out-of-range", "1"),
        (interface("bridge: { priority: 65536 }"), "out-of-range", "65536"),
        (interface("macvlan: { link: e, mode: brigde }"), "unknown-word", "brigde"),
        (interface("dummy: {}, impair: { loss: 5 }"), "bad-percentage", "5"),
        (interface("dummy: {}, impair: { rate: 10 }"), "bad-rate", "10"),
        (interface("veth: b/g, impair: { loss: 100.1% }"), "bad-percentage", "100.1%"),
        (interface("veth: b/g, impair: { loss: 0.00000001% }"), "out-of-range", "0.00000001%"),
        (interface("veth: b/g, impair: { rate: 7bit }"), "out-of-range", "7bit"),
        (interface("veth: b/g, impair: { delay: 1.2.3ms }"), "bad-duration", "1.2.3ms"),
        (interface("veth: b/g, impair: { delay: 5s, jitter: 2147483648ns }"), "out-of-range", "2147483648ns"),
        (interface("veth: b/g, impair: { jitter: 5ms }"), "missing-key", "5ms"),
        (interface("veth: b/g, impair: { delay: 0ms, reorder: 1% }"), "missing-key", "1%"),
        (interface("veth: b/g, impair: { delay: 5ms, distribution: normal }"), "missing-key", "normal"),
        (interface("veth: b/g, impair: { delay: 5ms, jitter: 1ms, distribution: nromal }"), "unknown-word", "nromal"),
        (interface("veth: b/g, impair: {}"), "missing-key", "{}"),
        (
            interface("wireguard: { private-key-file: \"xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=\" }"),
            "key-in-file",
            "\"xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=\"",
        ),
        (host("routes: [{ to: 10.0.0.1/24, type: blackhole }]"), "host-bits", "10.0.0.1/24"),
        (host("routes: [{ to: 10.0.0.0/24, type: blackhol }]"), "unknown-word", "blackhol"),
        (host("rules: [{ priority: 0, table: 1 }]"), "out-of-range", "0"),
        (host("rules: [{ priority: 1, table: 0 }]"), "out-of-range", "0"),
        (host("rules: [{ priority: 1, table: 1, fwmark: 0x100/0xff }]"), "bad-mark", "0x100/0xff"),
        (host("sysctls: { kernel.hostname: x }"), "bad-sysctl", "kernel.hostname"),
        (host("sysctls: { net/../kernel/x: 1 }"), "bad-sysctl", "net/../kernel/x"),
        (host("sysctls: { net.ipv4.route.flush: 1 }"), "bad-sysctl", "net.ipv4.route.flush"),
        (host("sysctls: { net.ipv4.tcp_ecn: 1, net/ipv4/tcp_ecn: 1 }"), "duplicate-key", "net/ipv4/tcp_ecn"),
        (host("nat: [{ redirect: { protocol: tcp, port: 0 } }]"), "bad-port", "0"),
        (host("nat: [{ redirect: { protocol: tcp, port: 90-80 } }]"), "bad-port", "90-80"),
        (host("nat: [{ dnat: { protocol: tcp, port: 80, to: \"fd00::1:x\" } }]"), "bad-address", "\"fd00::1:x\""),
        (host("nat: [{ masquerade: { source: 10.0.0.9-10.0.0.1 } }]"), "bad-address", "10.0.0.9-10.0.0.1"),
        (host("nat: [{ masquerade: { source: 10.0.0.1-fd00::1 } }]"), "mixed-families", "10.0.0.1-fd00::1"),
        (host("nat: [{ masquerade: { source: [\"!10.0.0.1\", 10.0.0.2] } }]"), "mixed-not", "10.0.0.2"),
        (host("firewall: { forward: { rules: [{ nft: \"accept; drop\" }] } }"), "bad-nft", "\"accept; drop\""),
        (host("firewall: { forward: { rules: [{ nft: accept comment \"x\" }] } }"), "bad-nft", "accept comment \"x\""),
        (host("firewall: { forward: { rules: [{ state: knew, accept: {} }] } }"), "unknown-word", "knew"),
        (host("firewall: { forward: { rules: [{ limit: 5, accept: {} }] } }"), "bad-limit", "5"),
        (host("firewall: { insert: [{ chain: filter X, accept: {} }] }"), "bad-chain", "filter X"),
    ];
    for (text, code, at) in cases {
        check(&text, code, at);
    }
}

#[test]
fn references() {
    let cases = [
        (interface("veth: c/g"), "unknown-node", "c/g"),
        (interface("veth: t"), "bad-reference", "t"),
        (interface("veth: b/f"), "end-taken", "b/f"),
        (interface("veth: { bridge: b/br0 }"), "unknown-interface", "b/br0"),
        (interface("veth: { bridge: e }"), "not-a-bridge", "e"),
        (interface("bridge: { ports: [g] }"), "unknown-interface", "g"),
        (interface("bridge: { ports: [b/f] }"), "bad-reference", "b/f"),
        (interface("bridge: { ports: [e, e] }"), "two-masters", "e"),
        (interface("veth: b/g, master: br0"), "unknown-interface", "br0"),
        (interface("veth: b/g, master: e"), "not-a-master", "e"),
        (interface("veth: b/g, port: { isolated: true }"), "not-a-port", "{ isolated: true }"),
        (interface("macvlan: { link: eth0 }"), "unknown-interface", "eth0"),
        (interface("vlan: { link: eth0, id: 1 }"), "unknown-interface", "eth0"),
        (interface("existing: { from: c/x }"), "unknown-node", "c/x"),
        (host("interfaces: { lo: { dummy: {} } }"), "bad-kind", "dummy"),
        (host("sysctls: { net.ipv4.conf.eth0.rp_filter: 1 }"), "unknown-interface", "net.ipv4.conf.eth0.rp_filter"),
        (host("routes: [{ to: default }]"), "default-family", "default"),
        (host("routes: [{ to: 10.0.0.0/8 }]"), "missing-key", "{ to: 10.0.0.0/8 }"),
        (host("routes: [{ to: 10.0.0.0/8, dev: eth0 }]"), "unknown-interface", "eth0"),
        (host("routes: [{ to: 10.0.0.0/8, via: 10.0.0.1, type: blackhole }]"), "misplaced-key", "10.0.0.1"),
        (host("routes: [{ to: fd00::/64, via: 10.0.0.1 }]"), "mixed-families", "10.0.0.1"),
        (host("routes: [{ to: 10.0.0.0/8, via: fe80::1 }]"), "missing-key", "fe80::1"),
        (host("rules: [{ priority: 1 }]"), "missing-key", "{ priority: 1 }"),
        (host("rules: [{ priority: 1, table: 1, action: prohibit }]"), "several-kinds", "prohibit"),
        (host("neighbors: [{ address: 10.0.0.1, dev: lo }]"), "missing-key", "{ address: 10.0.0.1, dev: lo }"),
        (host("dns: { nameservers: [10.0.0.1] }"), "misplaced-key", "{ nameservers: [10.0.0.1] }"),
        (host("existing: { netns: x }"), "misplaced-key", "{ netns: x }"),
        (host("firewall: { forward: { rules: [{ in: a }] } }"), "no-verdict", "{ in: a }"),
        (host("firewall: { forward: { rules: [{ in: a, accept: {}, drop: {} }] } }"), "several-kinds", "drop"),
        (host("firewall: { forward: { rules: [{ in: a, nft: accept }] } }"), "several-kinds", "a"),
        (
            host("firewall: { insert: [{ chain: ip filter X, source: fd00::1, accept: {} }] }"),
            "wrong-family",
            "{ chain: ip filter X, source: fd00::1, accept: {} }",
        ),
        ("name: x\nnamespaces:\n  a: { interfaces: { e: { veth: b/f } } }\n  b: { interfaces: { f: { veth: a/g } } }\n".to_owned(), "ends-disagree", "b/f"),
        ("name: x\nnamespaces:\n  a: { interfaces: { e: { veth: b/f } } }\n  b: { interfaces: { f: { bridge: {} } } }\n".to_owned(), "ends-disagree", "b/f"),
        (host("interfaces: { a: { bridge: { ports: [p] } }, b: { bridge: {} }, p: { veth: q, master: b } }"), "master-disagrees", "b"),
    ];
    for (text, code, at) in cases {
        check(&text, code, at);
    }
}

/// Everything that is wrong is said at once, in the order of the file.
#[test]
fn all_at_once() {
    let text = "name: a b\nhost: { forwading: true, routes: [{ to: x }, { too: y }] }\nnamespaces: { a: { interfaces: { e: { mtu: big, veth: 7/ } } } }\n";
    let codes: Vec<&str> = findings(text).iter().map(|finding| finding.code).collect();
    assert_eq!(
        codes,
        ["bad-name", "unknown-key", "bad-address", "missing-key", "unknown-key", "wrong-type", "bad-name"]
    );
}

#[test]
fn what_is_advised_for_the_words_of_others_is_a_key_or_a_word() {
    let schema = crate::document::parse::schema().to_string();
    for (theirs, ours) in crate::document::yaml::foreign::KEYS {
        for key in *ours {
            assert!(schema.contains(&format!("\"{key}\":{{")), "{theirs}: {key}");
        }
    }
    for (theirs, word) in crate::document::yaml::foreign::WORDS {
        // The types of ICMP are a pattern in the schema, with this one as an example.
        assert!(schema.contains(&format!("\"{word}\"")), "{theirs}: {word}");
    }
}
