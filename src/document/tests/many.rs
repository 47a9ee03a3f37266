//! Many of one kind: what each form stands for, and what is said of one that is wrong.

use super::findings;
use crate::document::expand::tree::expanded;
use crate::document::yaml::define::json;
use crate::document::yaml::source::Source;
use crate::document::{gather, lower, parse};
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// A file written out, as JSON without `defaults` and `include`.
fn out(text: &str) -> serde_json::Value {
    let source = Source { name: "test.yaml".into(), text: text.into() };
    let all = expanded(&source);
    assert!(all.findings.is_empty(), "{text}\n{:#?}", all.expansion.named(all.findings));
    let mut json = json(&all.tree.unwrap());
    let object = json.as_object_mut().unwrap();
    object.remove("defaults");
    object.remove("include");
    json
}

fn plain(text: &str) -> serde_json::Value {
    json(&crate::document::yaml::tree::read(text).0.unwrap())
}

#[track_caller]
fn same(short: &str, long: &str) {
    assert_eq!(out(short), plain(long), "{short}");
}

/// The codes and messages of a file that is wrong.
fn wrong(text: &str) -> Vec<String> {
    findings(text).iter().map(|finding| format!("{}: {}", finding.code, finding.message)).collect()
}

#[test]
fn keys_with_ranges_are_many_keys() {
    same("a[1-3]: { x: \"{n}\" }", "{ a1: { x: 1 }, a2: { x: 2 }, a3: { x: 3 } }");
    same("a[08-10]: \"x{n:03}\"", "{ a08: x008, a09: x009, a10: x010 }");
    same("a[1-2,7]-x[0-1]: \"{n1*10+n2}\"", "{ a1-x0: 10, a1-x1: 11, a2-x0: 20, a2-x1: 21, a7-x0: 70, a7-x1: 71 }");
    same("{ 'a[x]': 1, 'b\\[1-2]': 2, 'c[]': 3, 'd[,]': 4 }", "{ 'a[x]': 1, 'b[1-2]': 2, 'c[]': 3, 'd[,]': 4 }");
    same(
        "l[1-2]: { 'e[0-1]': { to: \"s{n2}/l{n1}\" } }",
        "{ l1: { e0: { to: s0/l1 }, e1: { to: s1/l1 } }, l2: { e0: { to: s0/l2 }, e1: { to: s1/l2 } } }",
    );
    same(
        "l[1-2]: { \"up{n}\": 1, \"e{n}-[0-1]\": \"{n2}\" }",
        "{ l1: { up1: 1, e1-0: 0, e1-1: 1 }, l2: { up2: 1, e2-0: 0, e2-1: 1 } }",
    );
}

#[test]
fn lists_of_names_have_ranges_and_other_lists_have_not() {
    same("ports: [a, 'p[1-3]', b]", "ports: [a, p1, p2, p3, b]");
    same("in: '!p[1-2]'", "in: ['!p1', '!p2']");
    same("in: 'p[5]'", "in: p5");
    same("run: [sh, -c, 'echo a[1-2]+1 {n}']", "run: [sh, -c, 'echo a[1-2]+1 {n}']");
    same("search: ['a[1-2]']", "search: ['a[1-2]']");
}

#[test]
fn items_are_there_each_time() {
    same(
        "routes: [{ each: 1-3, to: \"10.{n}.0.0/16\" }, { to: default }]",
        "routes: [{ to: 10.1.0.0/16 }, { to: 10.2.0.0/16 }, { to: 10.3.0.0/16 }, { to: default }]",
    );
    same(
        "checks: [{ each: [web, mail], ping: { from: \"{n}\", to: gw } }]",
        "checks: [{ ping: { from: web, to: gw } }, { ping: { from: mail, to: gw } }]",
    );
    same(
        "leaf[1-2]: { routes: [{ each: 3-4, to: \"10.{n1}.{n2}.0/24\" }] }",
        "{ leaf1: { routes: [{ to: 10.1.3.0/24 }, { to: 10.1.4.0/24 }] }, leaf2: { routes: [{ to: 10.2.3.0/24 }, { to: 10.2.4.0/24 }] } }",
    );
    same(
        "x: [{ each: [80, 8000-8010, 'w[1-2]'], port: \"{n}\" }]",
        "x: [{ port: 80 }, { port: 8000-8010 }, { port: w1 }, { port: w2 }]",
    );
    same("x: [{ each: [1, 2], y: \"{n+1}\" }]", "x: [{ y: 2 }, { y: 3 }]");
}

#[test]
fn formulas_calculate_as_they_say() {
    for (formula, value) in [
        ("n", "7"),
        ("n1", "7"),
        ("n+10", "17"),
        ("n*2-1", "13"),
        ("n/4", "1"),
        ("n%4", "3"),
        ("n*8+n", "63"),
        ("n-7", "0"),
        ("n-8+1", "0"),
        ("n-8/3", "5"),
        ("n+9223372036854775800", "9223372036854775807"),
        ("n*n*n", "343"),
    ] {
        let text = format!("a[7]: {{ x: \"{{{formula}}}\" }}");
        let expected = plain(&format!("a7: {{ x: {} }}", value));
        assert_eq!(out(&text), expected, "{formula}");
    }
}

#[test]
fn faulty_formulas_are_errors_at_their_column() {
    for (formula, message) in [
        ("{n+}", "a brace below a range holds a formula, and this is none"),
        ("{x}", "a brace below a range holds a formula, and this is none"),
        ("}", "a brace below a range holds a formula, and this is none"),
        ("{n/0}", "the formula \"n/0\" divides by zero in this round"),
        ("{n%0}", "the formula \"n%0\" divides by zero in this round"),
        ("{n-9}", "the formula \"n-9\" gives -2 in this round"),
        ("{n3}", "there is no range \"n3\" around \"n3\""),
        ("{n*9223372036854775807}", "the formula \"n*9223372036854775807\" gives too large a number in this round"),
    ] {
        let text = format!("name: a\nnamespaces:\n  a[7]:\n    interfaces:\n      e: {{ veth: \"a7/x{formula}\" }}\n");
        let found = findings(&text);
        assert_eq!((found.len(), found[0].code), (1, "bad-formula"), "{formula}: {found:#?}");
        assert_eq!(found[0].message, format!("{message} (a7)"), "{formula}");
        assert_eq!(found[0].labels[0].offset, text.find(formula).unwrap(), "{formula}");
    }
    let both = wrong("name: a\nnamespaces:\n  a[1-2]:\n    interfaces: { \"b[1-3]\": { veth: \"host/x{n}\" } }\n");
    assert_eq!(both, ["bad-formula: which of the 2 ranges is meant by \"n\" in \"n\"? (a1, b1, and 5 more)"]);
    let words = wrong("name: a\nhost:\n  routes: [{ each: [a], to: \"10.0.0.{n+1}\", via: 10.0.0.1 }]\n");
    assert!(words[0].starts_with("bad-formula: \"a\" is no number, and \"n+1\" calculates (each a)"), "{words:?}");
}

#[test]
fn braces_mean_nothing_elsewhere() {
    same("{ x: '{n}', 'a[1]': { x: '{{n}} {{ }}' } }", "{ x: '{n}', a1: { x: '{n} { }' } }");
    same(
        "a[1]: { nft: 'ip saddr { 10.0.0.{n}, 10.0.0.2 } {{n}}' }",
        "a1: { nft: 'ip saddr { 10.0.0.1, 10.0.0.2 } {n}' }",
    );
    same("a[1]: { send: '{\"a\":{\"b\":{n}}}' }", "a1: { send: '{\"a\":{\"b\":1}}' }");
    let unquoted = wrong("name: a\nhost:\n  routes: [{ each: 1-2, to: 10.0.0.0/8, via: 10.0.0.1, metric: {n} }]\n");
    assert!(
        unquoted[0].starts_with("unquoted-formula: {n} without quotes is a map to YAML (each 1, and 1 more)"),
        "{unquoted:?}"
    );
}

#[test]
fn sums_are_worked_out() {
    same("to: 10.0.0.0+256/24", "to: 10.0.1.0/24");
    same("addresses: [10.0.0.0+300/16, \"fd00::+16/64\"]", "addresses: [10.0.1.44/16, \"fd00::10/64\"]");
    same(
        "addresses: [{ address: 10.0.0.1+4/24, peer: 10.0.0.1+1 }]",
        "addresses: [{ address: 10.0.0.5/24, peer: 10.0.0.2 }]",
    );
    same("mac: \"02:00:00:00:00:00+300\"", "mac: \"02:00:00:00:01:2c\"");
    same("to: \"[fd00::2+3]:80\"", "to: \"[fd00::5]:80\"");
    same("source: \"!10.0.0.1+1-10.0.0.1+9\"", "source: \"!10.0.0.2-10.0.0.10\"");
    same(
        "{ a: eth+1, nft: 10.0.0.1+1, b: 1+1, c: '+', d: 10.0.0.1+ }",
        "{ a: eth+1, nft: 10.0.0.1+1, b: 1+1, c: '+', d: 10.0.0.1+ }",
    );
    for (text, message) in [
        ("addresses: [10.0.0.1+300/24]", "\"10.0.0.1+300/24\" is 10.0.1.45, which is not in 10.0.0.0/24"),
        ("addresses: [10.0.0.1+254/24]", "\"10.0.0.1+254/24\" is the broadcast address of 10.0.0.0/24"),
        ("addresses: [10.0.0.0+0/24]", "\"10.0.0.0+0/24\" is the network address of 10.0.0.0/24"),
        ("to: 255.255.255.255+1", "\"255.255.255.255+1\" is beyond the last address"),
        ("to: 10.0.0.0+99999999999999999999999999999999999999999999", "is beyond the last address"),
        ("mac: \"02:00:00:ff:ff:ff+1\"", "would change the first three bytes, which stay as they are"),
    ] {
        let source = Source { name: "test.yaml".into(), text: text.into() };
        let found = expanded(&source).findings;
        assert!(
            found.len() == 1 && found[0].code == "bad-sum" && found[0].message.contains(message),
            "{text}: {found:#?}"
        );
    }
    same("addresses: [10.0.0.0+1/31, 10.0.0.1+0/32]", "addresses: [10.0.0.1/31, 10.0.0.1/32]");
}

#[test]
fn defaults_are_what_is_not_said() {
    same(
        "{ defaults: { namespaces: { forwarding: true, sysctls: { a: 1, b: 2 }, interfaces: { lo: { mtu: 9 } } }, host: { x: 1 } }, \
         namespaces: { A: , B: { sysctls: { b: 3 } }, C: { forwarding: null }, D: { existing: {} } }, host: { y: 1 } }",
        "{ namespaces: { A: { forwarding: true, sysctls: { a: 1, b: 2 }, interfaces: { lo: { mtu: 9 } } }, \
         B: { sysctls: { b: 3, a: 1 }, forwarding: true, interfaces: { lo: { mtu: 9 } } }, \
         C: { sysctls: { a: 1, b: 2 }, interfaces: { lo: { mtu: 9 } } }, D: { existing: {} } }, host: { y: 1, x: 1 } }",
    );
    same(
        "{ defaults: { interfaces: { mtu: 1, up: false, ipv6: { dad: false } }, bridge: { stp: true, mtu: 2, priority: 3 }, veth: { mac: m } }, \
         host: { interfaces: { lo: { }, br0: { bridge: { priority: 9 }, ipv6: { privacy: 1 } }, br1: { bridge: , up: null }, \
         e: { existing: {} }, far: { mtu: 5 }, d: { dummy: {} } } } }",
        "{ host: { interfaces: { lo: { }, br0: { bridge: { priority: 9, stp: true }, ipv6: { privacy: 1, dad: false }, mtu: 2, up: false }, \
         br1: { bridge: , mtu: 2, ipv6: { dad: false } }, \
         e: { existing: {} }, far: { mtu: 5, mac: m, up: false, ipv6: { dad: false } }, d: { dummy: {}, mtu: 1, up: false, ipv6: { dad: false } } } } }",
    );
    same(
        "{ defaults: { interfaces: { addresses: [1] } }, namespaces: { 'a[1-2]': { interfaces: { 'e{n}': { veth: x, addresses: [2] }, f: { dummy: {} } } } } }",
        "{ namespaces: { a1: { interfaces: { e1: { veth: x, addresses: [2] }, f: { dummy: {}, addresses: [1] } } }, a2: { interfaces: { e2: { veth: x, addresses: [2] }, f: { dummy: {}, addresses: [1] } } } } }",
    );
}

#[test]
fn defaults_are_checked_where_nothing_uses_them() {
    let text = "name: a\ndefaults:\n  namespaces: { forwarding: maybe }\n  interfaces: { mtu: 1, veth: host/x }\n  bridge: { stb: true }\n  frob: {}\n";
    let codes: Vec<&str> = findings(text).iter().map(|finding| finding.code).collect();
    assert_eq!(
        codes,
        ["wrong-type", "out-of-range", "unknown-key", "unknown-key", "unknown-key"],
        "{:#?}",
        findings(text)
    );
}

#[test]
fn a_mistake_in_many_rounds_is_one_finding() {
    let text = "name: a\nnamespaces:\n  c[1-2000]:\n    interfaces:\n      eth0: { veth: \"host/p{n}\", mtu: 7, addresses: [10.0.0.0/33] }\n";
    let found = findings(text);
    assert_eq!(found.len(), 2, "{found:#?}");
    assert!(found[0].message.ends_with(" (c1, and 1999 more)"), "{found:#?}");
    assert_eq!(found[0].labels[0].offset, text.find("7, ad").unwrap());
}

#[test]
fn nothing_large_is_begun() {
    let bombs = [
        "name: a\nnamespaces:\n  a[1-1000000000]:\n",
        "name: a\nnamespaces:\n  a[1-9223372036854775807]-[0-9223372036854775807]:\n",
        "name: a\nnamespaces:\n  a[1-1000]:\n    interfaces:\n      b[1-1000]: { dummy: {} }\n",
        "name: a\nhost:\n  routes: [{ each: 1-4000000000, to: default, via: 10.0.0.1 }]\n",
        "name: a\nhost:\n  interfaces: { b: { bridge: { ports: ['p[1-999999999999]'] } } }\n",
        "name: a\nx[1-50000]: { a: 1, b: 2, c: 3, d: 4, e: 5, f: 6, g: 7, h: 8, i: 9, j: 10, k: 11 }\n",
        "name: a\nx: &x { 'a[1-400]': 1 }\ny: &y { 'a[1-400]': *x }\nz: { 'b[1-400]': *y }\n",
    ];
    for text in bombs {
        let start = Instant::now();
        let found = wrong(text);
        assert!(found[0].starts_with("too-many-objects"), "{text}: {found:?}");
        assert!(start.elapsed() < Duration::from_millis(50), "{text}: {:?}", start.elapsed());
    }
    let long = format!(
        "name: a\nx: [{{ each: [{}], y: \"{}\" }}]\n",
        vec!["w".repeat(250); 300].join(", "),
        "{n}".repeat(10_000)
    );
    let found = wrong(&long);
    assert!(found.iter().any(|message| message.contains("is too long to go on with")), "{found:?}");
}

fn files(all: &[(&str, &str)], main: &str) -> Source {
    let all: HashMap<String, String> =
        all.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    gather("labs/main.yaml", main.to_owned(), &mut |path| {
        all.get(path).cloned().ok_or_else(|| "no such file or directory".to_owned())
    })
}

fn told(source: &Source) -> Vec<(String, String)> {
    let name = |finding: &crate::document::Finding| source.name_at(finding.labels[0].offset).to_owned();
    match parse(source) {
        Err(findings) => {
            findings.iter().map(|finding| (name(finding), format!("{}: {}", finding.code, finding.message))).collect()
        }
        Ok(document) => {
            let (_, findings) = lower(&document, source);
            findings.iter().map(|finding| (name(finding), format!("{}: {}", finding.code, finding.message))).collect()
        }
    }
}

#[test]
fn includes_are_sections_of_the_file() {
    let source = files(
        &[
            (
                "base/up.yaml",
                "host: { interfaces: { up0: { wireguard: { private-key-file: up.key } } } }\nchecks: [{ ping: { from: A, to: B } }]\ninclude: [../base/deep/more.yaml]\n",
            ),
            (
                "base/deep/more.yaml",
                "namespaces: { B: { interfaces: { wg: { wireguard: { private-key-file: /etc/b.key } } } } }\ninclude: [../up.yaml]\n",
            ),
        ],
        "name: a\ninclude: [base/up.yaml]\nhost: { interfaces: { br0: { bridge: {} } } }\nnamespaces: { A: }\n",
    );
    let all = expanded(&source);
    assert_eq!(all.findings.len(), 1, "a circle: {:#?}", all.findings);
    assert_eq!(all.findings[0].code, "include-circle");
    assert_eq!(source.name_at(all.findings[0].labels[0].offset), "labs/base/deep/more.yaml");
    let tree = json(&all.tree.unwrap());
    assert_eq!(
        tree["host"],
        plain("{ interfaces: { br0: { bridge: {} }, up0: { wireguard: { private-key-file: base/up.key } } } }")
    );
    assert_eq!(
        tree["namespaces"],
        plain("{ A: , B: { interfaces: { wg: { wireguard: { private-key-file: /etc/b.key } } } } }")
    );
    assert_eq!(tree["checks"].as_array().unwrap().len(), 1);
}

#[test]
fn a_finding_names_its_file() {
    let found = told(&files(
        &[("b.yaml", "name: x\nnamespaces:\n  A:\n  B: { forwarding: maybe }\n")],
        "name: a\ninclude: [b.yaml, b.yaml]\nnamespaces: { A: }\n",
    ));
    let expected = [
        ("labs/b.yaml", "name-in-include: an included file has no name of its own"),
        ("labs/b.yaml", "duplicate-key: the key \"A\" is here twice"),
        ("labs/b.yaml", "wrong-type: expected true, false, ipv4 or ipv6, found \"maybe\""),
    ];
    let found: Vec<(&str, &str)> = found.iter().map(|(file, text)| (file.as_str(), text.as_str())).collect();
    assert_eq!(found, expected);
    // What a file means, and where a resource comes from.
    let source = files(
        &[("c/b.yaml", "\n\nhost: { interfaces: { 'e[1-2]': { veth: \"B/e{n}\" } } }\n")],
        "name: a\ninclude: [c/b.yaml]\n",
    );
    assert_eq!(
        told(&source)[0],
        ("labs/c/b.yaml".to_owned(), "unknown-node: there is no node \"B\" (e1, and 1 more)".to_owned())
    );
    let source =
        files(&[("c/b.yaml", "\n\nhost: { interfaces: { e0: { dummy: {} } } }\n")], "name: a\ninclude: [c/b.yaml]\n");
    let (topology, _) = lower(&parse(&source).unwrap(), &source);
    let origin = topology.origins.values().find(|origin| origin.path.ends_with("e0")).unwrap();
    assert_eq!((origin.file.as_str(), origin.line, origin.column), ("labs/c/b.yaml", 3, 23));
}

#[test]
fn what_is_no_topology_is_not_shown() {
    for (text, message) in [
        ("root:x:0:0:root:/root:/bin/bash\n", "\"b\" is no part of a topology"),
        ("a: 1\nsecret: hunter2\n", "\"b\" is no part of a topology"),
        ("a:\n\n- hunter2: }\n", "\"b\" is not valid YAML at its line 3"),
        ("- hunter2\n", "\"b\" is no part of a topology"),
    ] {
        let source = files(&[("b", text)], "name: a\ninclude:\n  - b\n");
        let found = told(&source);
        assert_eq!(found, [("labs/main.yaml".to_owned(), format!("bad-include: {message}"))], "{text}");
    }
    for (path, message) in [
        ("../b", "\"../b\" is not a path beneath the folder of the topology"),
        ("x/../../b", "\"x/../../b\" is not a path beneath the folder of the topology"),
        ("/etc/passwd", "\"/etc/passwd\" is not a path beneath the folder of the topology"),
        ("nowhere", "cannot read \"nowhere\": no such file or directory"),
        ("main.yaml", "\"main.yaml\" includes itself"),
    ] {
        let source = files(&[], &format!("name: a\ninclude: [{path}]\n"));
        let found = told(&source);
        assert!(
            found.iter().any(|(file, text)| file == "labs/main.yaml" && text.ends_with(message)),
            "{path}: {found:?}"
        );
    }
}

#[test]
fn includes_are_bounded() {
    let chain: Vec<(String, String)> = (0..20).map(|n| (format!("f{n}"), format!("include: [f{}]\n", n + 1))).collect();
    let chain: Vec<(&str, &str)> = chain.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let found = told(&files(&chain, "name: a\ninclude: [f0]\n"));
    assert_eq!(found, [("labs/f7".to_owned(), "bad-include: files include each other more than 8 deep".to_owned())]);
    let large = format!("namespaces: {{ A: }}\n# {}\n", "x".repeat(5 << 20));
    let found = told(&files(&[("a", &large), ("b", &large)], "name: a\ninclude: [a, b]\n"));
    assert!(found[0].1.contains("all files together have more than 8388608 bytes"), "{found:?}");
}
