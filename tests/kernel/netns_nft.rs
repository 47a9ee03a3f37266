//! nft tables and rules in other people's chains, on the real kernel: what is installed is observed again without a
//! difference, and every difference is seen.

#![allow(clippy::too_many_lines, reason = "a table")]

use crate::sandbox;

use sandbox::{sh, try_sh};
use topo::dialect::nft_script::table_name;
use topo::kernel::ErrorKind;
use topo::linux::object::nft::generation;
use topo::linux::object::{insert, nft};
use topo::resource::{
    AddressMatch, AddressRange, Chain, ChainRef, Drift, Family, IfMatch, Insert, Name, Node, PacketRule, Table,
    TableRecord, TableRule, Target, Verdict,
};

fn names(text: &str) -> Option<IfMatch> {
    let not = text.starts_with('!');
    Some(IfMatch { not, names: text.trim_start_matches('!').split(' ').map(str::to_owned).collect() })
}

fn addresses(text: &str) -> Option<AddressMatch> {
    let item = |item: &str| match item.split_once('-') {
        Some((from, to)) => AddressRange::Range(from.parse().unwrap(), to.parse().unwrap()),
        None => AddressRange::Prefix(item.parse().unwrap_or_else(|_| item.parse::<std::net::IpAddr>().unwrap().into())),
    };
    Some(AddressMatch {
        not: text.starts_with('!'),
        items: text.trim_start_matches('!').split(' ').map(item).collect(),
    })
}

fn target(address: &str, last: Option<&str>, port: Option<(u16, u16)>) -> Target {
    Target { address: address.parse().unwrap(), last: last.map(|last| last.parse().unwrap()), port }
}

fn plain() -> PacketRule {
    PacketRule::default()
}

fn accept() -> PacketRule {
    PacketRule { verdict: Some(Verdict::Accept), ..plain() }
}

fn v4(rule: PacketRule) -> PacketRule {
    PacketRule { family: Some(Family::V4), ..rule }
}

fn v6(rule: PacketRule) -> PacketRule {
    PacketRule { family: Some(Family::V6), ..rule }
}

fn protocol(name: &str, rule: PacketRule) -> PacketRule {
    PacketRule { protocol: Some(name.to_owned()), ..rule }
}

fn verdict(verdict: Verdict, rule: PacketRule) -> PacketRule {
    PacketRule { verdict: Some(verdict), ..rule }
}

fn reject(with: &str) -> Verdict {
    Verdict::Reject(Some(with.to_owned()))
}

fn states(list: &str) -> Vec<String> {
    list.split(' ').map(str::to_owned).collect()
}

const V4_TYPES: &str = "echo-reply destination-unreachable source-quench redirect echo-request router-advertisement router-solicitation time-exceeded \
    parameter-problem timestamp-request timestamp-reply info-request info-reply address-mask-request address-mask-reply 8 40";
const V6_TYPES: &str = "destination-unreachable packet-too-big time-exceeded parameter-problem echo-request echo-reply mld-listener-query mld-listener-report \
    mld-listener-done mld-listener-reduction nd-router-solicit nd-router-advert nd-neighbor-solicit nd-neighbor-advert nd-redirect router-renumbering \
    ind-neighbor-solicit ind-neighbor-advert mld2-listener-report 135 200";

/// Rules for a filter chain: every field in every form.
fn filter_rules() -> Vec<PacketRule> {
    let mut rules = vec![accept(), verdict(Verdict::Drop, plain()), verdict(Verdict::Reject(None), plain())];
    for list in ["a", "!a", "a b", "!a b", "eth*", "!eth*", "a eth*", "!a* b", "a* b", "br-0.1", "x$y", "a a", "a* ab"]
    {
        rules.push(PacketRule { input: names(list), ..accept() });
        rules.push(PacketRule { output: names(list), ..accept() });
    }
    for list in [
        "10.0.0.1",
        "10.0.0.0/8",
        "!10.0.0.0/8",
        "10.0.0.0/8 10.1.0.0/16",
        "!10.0.0.1 11.0.0.0/8",
        "10.0.0.1-10.0.0.9",
        "10.0.0.1-10.0.0.9 10.0.0.10",
        "0.0.0.0/0",
        "!10.0.0.1-10.0.0.9",
        "10.0.0.0/9 10.128.0.0/9",
    ] {
        rules.push(v4(PacketRule { source: addresses(list), ..accept() }));
        rules.push(v4(PacketRule { destination: addresses(list), ..accept() }));
    }
    for list in ["fd00::1", "fd00::/8", "!fd00::/8", "fd00::1 fd01::/16", "fd00::1-fd00::9", "::/0", "::ffff:1.2.3.4"] {
        rules.push(v6(PacketRule { source: addresses(list), destination: addresses(list), ..accept() }));
    }
    for name in [
        "tcp", "udp", "sctp", "dccp", "udplite", "icmp", "icmpv6", "esp", "ah", "comp", "2", "4", "6", "8", "41", "47",
        "89", "103", "112", "200",
    ] {
        rules.push(protocol(name, accept()));
    }
    rules.push(v4(protocol("icmp", accept())));
    rules.push(v6(protocol("icmpv6", accept())));
    rules.push(v4(protocol("tcp", accept())));
    rules.push(v6(protocol("udp", accept())));
    for kind in V4_TYPES.split(' ') {
        rules.push(v4(PacketRule { icmp_type: Some(kind.to_owned()), ..protocol("icmp", accept()) }));
    }
    for kind in V6_TYPES.split(' ') {
        rules.push(v6(PacketRule { icmp_type: Some(kind.to_owned()), ..protocol("icmpv6", accept()) }));
    }
    let ports: [&[(u16, u16)]; 7] = [
        &[(22, 22)],
        &[(22, 22), (80, 80)],
        &[(8000, 8010)],
        &[(80, 80), (22, 22), (8000, 8010)],
        &[(0, 65535)],
        &[(22, 22), (20, 30)],
        &[(1, 5), (6, 9)],
    ];
    for name in ["tcp", "udp", "sctp", "dccp", "udplite", "6"] {
        for list in ports {
            rules.push(PacketRule { port: list.to_vec(), ..protocol(name, accept()) });
            rules.push(PacketRule { source_port: list.to_vec(), port: vec![(1, 1)], ..protocol(name, accept()) });
        }
    }
    for list in [
        "new",
        "established related",
        "related established",
        "invalid new",
        "untracked",
        "new established related invalid untracked",
    ] {
        rules.push(PacketRule { state: states(list), ..accept() });
    }
    for mark in [(0x20, u32::MAX), (0x20, 0xff), (0, u32::MAX), (0, 0xff), (u32::MAX, u32::MAX)] {
        rules.push(PacketRule { mark: Some(mark), ..accept() });
        rules.push(PacketRule { set_mark: Some(mark), ..plain() });
        rules.push(PacketRule { set_mark: Some(mark), ..accept() });
    }
    for (count, unit) in [
        (5, "second"),
        (1, "minute"),
        (600, "minute"),
        (60, "minute"),
        (10, "hour"),
        (7, "day"),
        (3600, "hour"),
        (24, "day"),
    ] {
        rules.push(PacketRule { limit: Some((count, unit.to_owned())), ..accept() });
    }
    for prefix in ["web ", "", "a;#{ ", "ümlaut", "\\ back\\slash x", " lead"] {
        rules.push(PacketRule { log: Some(prefix.to_owned()), ..accept() });
    }
    rules.push(PacketRule { counter: true, ..plain() });
    rules.push(PacketRule { counter: true, log: Some("x".to_owned()), ..verdict(Verdict::Drop, plain()) });
    rules.push(PacketRule { local: true, ..accept() });
    for with in ["port-unreachable", "host-unreachable", "net-unreachable", "admin-prohibited"] {
        rules.push(verdict(reject(with), plain()));
        rules.push(v4(verdict(reject(with), plain())));
        rules.push(v6(verdict(reject(with), PacketRule { source: addresses("fd00::/8"), ..plain() })));
    }
    rules.push(protocol("tcp", verdict(reject("tcp-reset"), plain())));
    rules.push(v4(protocol("tcp", verdict(reject("tcp-reset"), PacketRule { port: vec![(113, 113)], ..plain() }))));
    rules.push(v4(PacketRule {
        family: None,
        input: names("eth0 eth1"),
        output: names("!br0"),
        source: addresses("192.0.2.0/24 198.51.100.1-198.51.100.9"),
        destination: addresses("!10.0.0.1"),
        local: true,
        protocol: Some("tcp".to_owned()),
        icmp_type: None,
        port: vec![(22, 22), (80, 80), (8000, 8010)],
        source_port: vec![(1024, 65535)],
        state: states("new"),
        mark: Some((1, 0xf)),
        limit: Some((5, "second".to_owned())),
        set_mark: Some((0x10, 0xf0)),
        counter: true,
        log: Some("all of it: ".to_owned()),
        verdict: Some(Verdict::Accept),
    }));
    rules
}

fn prerouting_rules() -> Vec<PacketRule> {
    let tcp = |port| protocol("tcp", PacketRule { port: vec![port], input: names("!br0"), ..plain() });
    vec![
        verdict(Verdict::Dnat(target("10.0.0.2", None, Some((80, 80)))), tcp((8080, 8080))),
        verdict(
            Verdict::Dnat(target("10.0.0.2", None, None)),
            v4(PacketRule { destination: addresses("203.0.113.9"), ..plain() }),
        ),
        verdict(Verdict::Dnat(target("10.0.0.2", Some("10.0.0.5"), Some((80, 90)))), tcp((80, 90))),
        verdict(Verdict::Dnat(target("fd00::2", None, Some((80, 80)))), v6(tcp((8080, 8080)))),
        verdict(Verdict::Dnat(target("fd00::2", Some("fd00::5"), Some((80, 81)))), v6(tcp((8080, 8081)))),
        verdict(Verdict::Dnat(target("fd00::2", None, None)), v6(plain())),
        verdict(Verdict::Redirect(Some((8080, 8080))), tcp((80, 80))),
        verdict(Verdict::Redirect(Some((8080, 8090))), tcp((80, 90))),
        verdict(Verdict::Redirect(None), tcp((80, 80))),
        PacketRule {
            log: Some("dnat ".to_owned()),
            counter: true,
            ..verdict(Verdict::Dnat(target("10.0.0.2", None, Some((80, 80)))), v4(tcp((81, 81))))
        },
    ]
}

fn postrouting_rules() -> Vec<PacketRule> {
    vec![
        v4(verdict(
            Verdict::Masquerade,
            PacketRule { source: addresses("10.0.0.0/24"), output: names("!br0"), ..plain() },
        )),
        verdict(Verdict::Masquerade, PacketRule { output: names("eth0"), ..plain() }),
        v6(verdict(Verdict::Masquerade, PacketRule { source: addresses("fd00::/64"), ..plain() })),
        v4(verdict(
            Verdict::Snat(target("203.0.113.7", None, None)),
            PacketRule { source: addresses("10.0.0.0/24"), output: names("eth0"), ..plain() },
        )),
        v4(verdict(Verdict::Snat(target("203.0.113.7", Some("203.0.113.9"), None)), plain())),
        v4(protocol("tcp", verdict(Verdict::Snat(target("203.0.113.7", None, Some((1024, 2048)))), plain()))),
        v6(verdict(Verdict::Snat(target("fd00::7", None, None)), plain())),
        v6(protocol("udp", verdict(Verdict::Snat(target("fd00::7", None, Some((1024, 1024)))), plain()))),
    ]
}

fn output_rules() -> Vec<PacketRule> {
    let local = |rule| PacketRule { local: true, ..rule };
    vec![
        local(verdict(
            Verdict::Dnat(target("10.0.0.2", None, Some((80, 80)))),
            v4(protocol("tcp", PacketRule { port: vec![(8080, 8080)], ..plain() })),
        )),
        local(verdict(
            Verdict::Redirect(Some((8080, 8080))),
            protocol("tcp", PacketRule { port: vec![(80, 80)], ..plain() }),
        )),
    ]
}

fn raw_rules() -> Vec<TableRule> {
    let texts = [
        "meta mark 0x10 counter accept",
        "ip saddr { 10.0.0.1, 10.0.0.2 } tcp dport vmap { 22 : accept, 80 : drop }",
        "ct state vmap { established : accept, related : accept, invalid : drop }",
        "tcp flags syn / fin,syn,rst,ack counter accept",
        "meta l4proto { tcp, udp } th dport 53 accept comment \"a comment of its own\"",
        "ip dscp set cs1",
        "limit rate over 400/minute burst 10 packets drop",
        "limit rate 10 mbytes/second accept",
        "ip saddr . tcp dport { 10.0.0.1 . 22, 10.0.0.2 . 80 } accept",
        "fib saddr . iif oif missing drop",
        "meta pkttype broadcast drop",
        "ether saddr 02:00:00:00:00:01 accept",
        "tcp option maxseg size set 1400",
        "icmpv6 type { nd-neighbor-solicit, nd-router-advert, nd-neighbor-advert } accept",
        "iif \"lo\" accept",
        "counter",
        "log prefix \"raw;#{ \" level info flags all",
        "ip protocol icmp icmp type { echo-request, echo-reply } accept",
        "meta hour \"08:00\"-\"17:00\" accept",
        "jhash ip saddr mod 2 0 accept",
        "ct count over 20 drop",
    ];
    texts.iter().map(|text| TableRule::Raw((*text).to_owned())).collect()
}

fn typed(rules: Vec<PacketRule>) -> Vec<TableRule> {
    rules.into_iter().map(|rule| TableRule::Typed(Box::new(rule))).collect()
}

fn chain(name: &str, kind: &str, hook: &str, priority: i32, rules: Vec<TableRule>) -> Chain {
    Chain { name: name.to_owned(), kind: kind.to_owned(), hook: hook.to_owned(), priority, drop: false, rules }
}

fn lab() -> Name {
    Name::from("lab")
}

fn table(chains: Vec<Chain>) -> Table {
    Table { node: Node::host(), topology: lab(), chains, instead_of: Vec::new() }
}

/// A small table of the usual kind.
fn usual() -> Table {
    let forward = vec![
        PacketRule { state: states("established related"), ..accept() },
        PacketRule { input: names("br0"), ..accept() },
        verdict(Verdict::Drop, plain()),
    ];
    let mut forward = chain("forward", "filter", "forward", 0, typed(forward));
    forward.drop = true;
    let masquerade = v4(verdict(Verdict::Masquerade, PacketRule { source: addresses("10.0.0.0/24"), ..plain() }));
    table(vec![forward, chain("nat-postrouting", "nat", "postrouting", 100, typed(vec![masquerade]))])
}

#[track_caller]
fn observe(wanted: &Table) -> (Table, bool) {
    nft::observe(&Node::host(), &lab(), Some(wanted), None).unwrap().expect("the table is there")
}

#[track_caller]
fn drift(wanted: &Table) -> Vec<Drift> {
    wanted.drift(&observe(wanted).0)
}

#[test]
fn every_rule_of_the_language_is_observed_as_it_was_installed() {
    sandbox::run("every_rule_of_the_language_is_observed_as_it_was_installed", || {
        let wanted = table(vec![
            chain("nat-prerouting", "nat", "prerouting", -100, typed(prerouting_rules())),
            chain("nat-output", "nat", "output", -100, typed(output_rules())),
            chain("nat-postrouting", "nat", "postrouting", 100, typed(postrouting_rules())),
            chain(
                "mark-output",
                "route",
                "output",
                -150,
                typed(vec![PacketRule {
                    set_mark: Some((0x20, u32::MAX)),
                    protocol: Some("tcp".to_owned()),
                    ..plain()
                }]),
            ),
            chain(
                "mark-prerouting",
                "filter",
                "prerouting",
                -150,
                typed(vec![PacketRule { set_mark: Some((0x20, 0xff)), ..plain() }]),
            ),
            chain("forward", "filter", "forward", 0, typed(filter_rules())),
            chain("input", "filter", "input", 0, raw_rules()),
        ]);
        let count: usize = wanted.chains.iter().map(|chain| chain.rules.len()).sum();
        assert!(count > 150, "{count} forms");
        nft::check(&wanted).unwrap();
        assert!(!generation::has_table("inet", &table_name(&lab())).unwrap(), "a check changes nothing");
        nft::install(&wanted).unwrap();
        let (observed, ours) = observe(&wanted);
        assert!(ours);
        assert_eq!(wanted.drift(&observed), []);
        assert_eq!(observed, wanted, "rule by rule, as they were written");
        // Each typed rule carries the comment, as nft itself says.
        let listing = sh("nft list table inet topo-lab");
        assert_eq!(listing.matches("comment \"topo:lab\"").count(), count - raw_rules().len() + 1);
        nft::remove(&lab()).unwrap();
        assert_eq!(sh("nft list ruleset"), "");
        assert_eq!(nft::observe(&Node::host(), &lab(), Some(&wanted), None).unwrap(), None);
    });
}

/// What topo says to the kernel itself is what nft would have said, expression by expression.
#[test]
fn a_rule_without_nft_is_the_same_rule() {
    sandbox::run("a_rule_without_nft_is_the_same_rule", || {
        let alone = |name: &'static str, kind: &'static str, hook: &'static str, rules: Vec<PacketRule>| {
            typed(rules).into_iter().map(move |rule| table(vec![chain(name, kind, hook, -7, vec![rule])]))
        };
        let mut tables: Vec<Table> = alone("forward", "filter", "forward", filter_rules()).collect();
        tables.extend(alone("nat-prerouting", "nat", "prerouting", prerouting_rules()));
        tables.extend(alone("nat-output", "nat", "output", output_rules()));
        tables.extend(alone("nat-postrouting", "nat", "postrouting", postrouting_rules()));
        tables.push(usual());
        tables.push(table(vec![chain("empty", "route", "output", i32::MAX, Vec::new())]));
        let nft = sh("command -v nft").trim().to_owned();
        let mut without = 0;
        for (n, wanted) in tables.iter().enumerate() {
            // Over what is there or not, and without nft.
            sh(&format!(
                "nft flush ruleset; [ {} = 0 ] || nft add table inet topo-lab; mount --bind /bin/false {nft}",
                n % 2
            ));
            let installed = nft::install(wanted);
            sh(&format!("umount {nft}"));
            if installed.is_ok() {
                without += 1;
                // The expressions and then the listing; of a set the elements come in the order of their hashes.
                let listed = || {
                    let text = sh("nft --debug=netlink list table inet topo-lab");
                    let (mut elements, rest): (Vec<&str>, Vec<&str>) =
                        text.lines().partition(|line| line.starts_with("\telement "));
                    elements.sort_unstable();
                    [elements, rest].concat().join("\n")
                };
                let ours = listed();
                std::fs::write(
                    "/run/script",
                    topo::dialect::nft_script::script(wanted, topo::dialect::nft_script::Start::Over),
                )
                .unwrap();
                sh("nft -f /run/script");
                let theirs = listed();
                // nft loads two ports that stand side by side at once.
                let both = |rule: &TableRule| {
                    rule.typed().is_some_and(|rule| {
                        [&rule.source_port, &rule.port].iter().all(|list| matches!(list[..], [(a, b)] if a == b))
                    })
                };
                let at_once = wanted.chains.iter().flat_map(|chain| &chain.rules).any(both);
                let shown = |text: &str| text.split_once("table inet topo-lab {").unwrap().1.to_owned();
                assert_eq!(shown(&ours), shown(&theirs));
                assert!(at_once || ours == theirs, "{ours}\n---\n{theirs}");
            }
        }
        assert!(without > 230, "{without} of {}", tables.len());
    });
}

#[test]
fn what_the_record_knows_is_not_listed_again() {
    sandbox::run("what_the_record_knows_is_not_listed_again", || {
        let wanted = usual();
        let generation = nft::install(&wanted).unwrap();
        assert_eq!(generation, generation::generation().unwrap());
        assert_ne!(generation, 0);
        let record = TableRecord { generation, table: wanted.clone() };
        let seen =
            |record: &TableRecord| nft::observe(&Node::host(), &lab(), Some(&wanted), Some(record)).unwrap().unwrap();
        // Without a program to list with: the record has to do.
        let path = std::env::var("PATH").unwrap();
        assert_eq!(seen(&record), (wanted.clone(), true));
        sh("nft add table ip somebody");
        assert_eq!(
            seen(&record),
            (wanted.clone(), true),
            "somebody else's change costs a listing, and is no difference"
        );
        sh("nft flush chain inet topo-lab forward");
        assert_eq!(wanted.drift(&seen(&record).0).len(), 3);
        assert!(!path.is_empty());
        // Without a wanted table, what was installed still has its words.
        nft::install(&wanted).unwrap();
        let (observed, _) = nft::observe(&Node::host(), &lab(), None, Some(&record)).unwrap().unwrap();
        assert_eq!(observed, wanted);
    });
}

#[test]
fn every_change_by_hand_is_seen_and_repaired() {
    sandbox::run("every_change_by_hand_is_seen_and_repaired", || {
        let wanted = usual();
        let handle = "h() { nft -a list chain inet topo-lab $1 | sed -n \"s/.*$2.*# handle //p\"; }\n";
        let breaks = [
            ("added", "nft add rule inet topo-lab forward accept"),
            ("added with our comment", "nft add rule inet topo-lab forward tcp dport 22 accept comment '\"topo:lab\"'"),
            ("inserted", "nft insert rule inet topo-lab forward accept"),
            ("deleted", "nft delete rule inet topo-lab forward handle $(h forward br0)"),
            (
                "changed",
                "nft replace rule inet topo-lab forward handle $(h forward br0) iifname br1 accept comment '\"topo:lab\"'",
            ),
            ("comment lost", "nft replace rule inet topo-lab forward handle $(h forward br0) iifname br0 accept"),
            (
                "another's comment",
                "nft replace rule inet topo-lab forward handle $(h forward br0) iifname br0 accept comment '\"topo:other\"'",
            ),
            (
                "reordered",
                "nft delete rule inet topo-lab forward handle $(h forward br0); nft insert rule inet topo-lab forward iifname br0 accept comment '\"topo:lab\"'",
            ),
            ("doubled", "nft insert rule inet topo-lab forward iifname br0 accept comment '\"topo:lab\"'"),
            ("chain flushed", "nft flush chain inet topo-lab forward"),
            ("chain deleted", "nft flush chain inet topo-lab forward; nft delete chain inet topo-lab forward"),
            ("chain added", "nft add chain inet topo-lab other"),
            (
                "base chain added",
                "nft 'add chain inet topo-lab other { type filter hook input priority 5; policy drop; }'",
            ),
            ("policy changed", "nft 'chain inet topo-lab forward { policy accept; }'"),
            ("set added", "nft 'add set inet topo-lab s { type ipv4_addr; }'"),
            (
                "chain of its own jumped to",
                "nft add chain inet topo-lab o; nft insert rule inet topo-lab forward jump o",
            ),
            ("rules in a block", "nft 'insert rule inet topo-lab forward ip saddr 10.0.0.1 jump { accept; }'"),
            ("dormant", "nft 'add table inet topo-lab { flags dormant; }'"),
            (
                "priority changed",
                "nft flush chain inet topo-lab forward; nft delete chain inet topo-lab forward; nft 'add chain inet topo-lab forward { type filter hook forward priority 5; policy drop; }'",
            ),
        ];
        for (what, script) in breaks {
            nft::install(&wanted).unwrap();
            assert_eq!(drift(&wanted), [], "before: {what}");
            sh(&format!("{handle}{script}"));
            let (observed, ours) = observe(&wanted);
            assert!(ours, "{what}");
            assert_ne!(wanted.drift(&observed), [], "{what}");
            nft::install(&wanted).unwrap();
            assert_eq!(drift(&wanted), [], "after: {what}");
            // An undo puts the broken one back as it was, where nft's listing of it can be written again.
            if !["set added", "rules in a block", "dormant"].contains(&what) {
                nft::install(&observed).unwrap();
                assert_eq!(observe(&wanted).0, observed, "back: {what}");
            }
        }
        sh("nft flush ruleset");
        assert_eq!(nft::observe(&Node::host(), &lab(), Some(&wanted), None).unwrap(), None);
    });
}

#[test]
fn tables_of_others_are_told_apart() {
    sandbox::run("tables_of_others_are_told_apart", || {
        let ours = || nft::observe(&Node::host(), &lab(), Some(&usual()), None).unwrap().unwrap().1;
        sh("nft add table inet topo-lab");
        assert!(ours(), "an empty one");
        sh("nft add chain inet topo-lab c; nft add rule inet topo-lab c accept");
        assert!(!ours());
        sh("nft flush chain inet topo-lab c; nft add rule inet topo-lab c accept comment '\"topo:other\"'");
        assert!(!ours());
        sh("nft flush chain inet topo-lab c; nft 'add set inet topo-lab s { type ipv4_addr; }'");
        assert!(!ours());
        nft::install(&table(vec![chain(
            "input",
            "filter",
            "input",
            0,
            vec![TableRule::Raw("counter accept".to_owned())],
        )]))
        .unwrap();
        assert!(ours(), "raw rules only: the table's own comment tells");
        assert_eq!(nft::topologies().unwrap(), [lab()]);
    });
}

#[test]
fn errors_name_the_rule_and_keep_the_words_of_nft() {
    sandbox::run("errors_name_the_rule_and_keep_the_words_of_nft", || {
        let with = |text: &str| {
            table(vec![chain(
                "input",
                "filter",
                "input",
                0,
                vec![TableRule::Raw("accept".to_owned()), TableRule::Raw(text.to_owned())],
            )])
        };
        for text in [
            "foo bar",
            "tcp dport 22 udp dport 22",
            "iif \"nope\" accept",
            "ip saddr @missing accept",
            "jump nowhere",
            "ip saddr $x accept",
            "include \"/etc/passwd\"",
            "accept drop",
        ] {
            let error = nft::check(&with(text)).unwrap_err();
            assert_eq!(error.kind, ErrorKind::Refused);
            assert!(error.tried.contains(&format!("`{text}`")), "{error}");
            assert!(!error.reason.is_empty() && !error.reason.contains("/dev/stdin"), "{error}");
        }
        for text in ["accept; flush ruleset", "accept\nflush ruleset", "accept # x", "", "accept \\", "log prefix \"a"]
        {
            let before = generation::generation().unwrap();
            assert!(nft::install(&with(text)).is_err(), "{text}");
            assert_eq!(generation::generation().unwrap(), before);
        }
        // A refused transaction leaves what was there.
        nft::install(&usual()).unwrap();
        assert!(nft::install(&with("foo bar")).is_err());
        assert_eq!(drift(&usual()), []);
        assert!(nft::remove(&"nobody".into()).is_err(), "not there is not gone");
        assert_eq!(try_sh("nft list table inet topo-nobody").code, 1);
    });
}

#[test]
fn a_table_of_many_rules_is_read_in_time() {
    sandbox::run("a_table_of_many_rules_is_read_in_time", || {
        let rule = |n: u32| {
            v4(protocol(
                "tcp",
                PacketRule {
                    source: addresses(&format!("10.0.{}.{}", n / 256, n % 256)),
                    port: vec![(80, 80), (22, 22)],
                    ..accept()
                },
            ))
        };
        let wanted = table(vec![chain("forward", "filter", "forward", 0, typed((0..250).map(rule).collect()))]);
        nft::install(&wanted).unwrap();
        let start = std::time::Instant::now();
        assert_eq!(drift(&wanted), []);
        assert!(start.elapsed() < std::time::Duration::from_secs(5), "{:?}", start.elapsed());
    });
}

fn at(chain: &str, rules: Vec<TableRule>) -> Insert {
    let mut words = chain.split(' ').map(str::to_owned);
    let chain = ChainRef { family: words.next().unwrap(), table: words.next().unwrap(), chain: words.next().unwrap() };
    Insert { node: Node::host(), topology: lab(), chain, if_present: false, present: true, rules, first: true }
}

#[track_caller]
fn seen(wanted: &Insert) -> Insert {
    insert::observe(&wanted.node, &wanted.topology, &wanted.chain, Some(wanted)).unwrap()
}

/// What iptables can say of it: no lists that are negated, one family.
fn for_iptables(family: Family, rules: Vec<PacketRule>) -> Vec<TableRule> {
    let said = |rule: &PacketRule| topo::dialect::nft_script::iptables_args(rule, family, &lab()).is_ok();
    typed(rules.into_iter().filter(said).collect())
}

#[test]
fn rules_in_chains_of_iptables_are_as_iptables_has_them() {
    sandbox::run("rules_in_chains_of_iptables_are_as_iptables_has_them", || {
        for program in ["iptables-nft", "ip6tables-nft"] {
            sh(&format!(
                "{program} -N DOCKER-USER; {program} -A DOCKER-USER -j RETURN; {program} -A FORWARD -j DOCKER-USER"
            ));
            sh(&format!(
                "{program} -t nat -N DOCKER; {program} -t nat -A DOCKER -j RETURN; {program} -t nat -A POSTROUTING -s ::1 -j RETURN || {program} -t nat -A POSTROUTING -s 127.0.0.1 -j RETURN"
            ));
        }
        let before = sh("iptables-nft-save | grep -v '^#'; ip6tables-nft-save | grep -v '^#'");
        for (family, name) in [(Family::V4, "ip"), (Family::V6, "ip6")] {
            let mut count = 0;
            for (chain, rules) in [
                ("filter DOCKER-USER", filter_rules()),
                ("filter FORWARD", vec![accept()]),
                ("nat DOCKER", prerouting_rules()),
                ("nat POSTROUTING", postrouting_rules()),
            ] {
                // Not all at once: in a user namespace a transaction cannot be larger than net.core.wmem_max.
                for rules in for_iptables(family, rules).chunks(40) {
                    let wanted = at(&format!("{name} {chain}"), rules.to_vec());
                    count += wanted.rules.len();
                    insert::check(&wanted).unwrap();
                    insert::install(&wanted).unwrap();
                    assert_eq!(seen(&wanted), wanted, "{chain}");
                    insert::install(&wanted).unwrap();
                    assert_eq!(seen(&wanted), wanted, "again: {chain}");
                }
            }
            assert!(count > 100, "{count} forms");
        }
        // A save and restore, as a boot script does it, keeps them.
        sh("iptables-nft-save > /run/lock/save; iptables-nft-restore < /run/lock/save");
        for (chain, rules) in [("filter DOCKER-USER", filter_rules()), ("nat POSTROUTING", postrouting_rules())] {
            let wanted =
                at(&format!("ip {chain}"), for_iptables(Family::V4, rules).chunks(40).last().unwrap().to_vec());
            assert_eq!(wanted.drift(&seen(&wanted)), []);
        }
        let found = insert::found().unwrap();
        assert_eq!(found.len(), 8, "{found:?}");
        for (chain, name) in found {
            assert_eq!(name, lab());
            insert::remove(&Insert { chain, ..at("ip filter X", Vec::new()) }).unwrap();
        }
        assert_eq!(sh("iptables-nft-save | grep -v '^#'; ip6tables-nft-save | grep -v '^#'"), before);
        assert_eq!(insert::found().unwrap(), []);
    });
}

#[test]
fn what_others_do_to_inserted_rules_is_seen() {
    sandbox::run("what_others_do_to_inserted_rules_is_seen", || {
        let web = |port| {
            protocol(
                "tcp",
                PacketRule { input: names("br0"), port: vec![(port, port)], log: Some("web ".to_owned()), ..accept() },
            )
        };
        let rules =
            typed(vec![PacketRule { input: names("br0"), output: names("br0"), ..accept() }, web(80), web(443)]);
        let iptables = at("ip filter DOCKER-USER", rules.clone());
        let native = at("inet fw forward", rules);
        assert!(!seen(&iptables).present && !seen(&native).present);
        assert!(insert::install(&iptables).is_err() && insert::install(&native).is_err(), "no such chain");
        sh("iptables-nft -N DOCKER-USER; iptables-nft -A DOCKER-USER -j RETURN");
        sh(
            "nft 'add table inet fw; add chain inet fw forward { type filter hook forward priority 10; policy accept; }; add rule inet fw forward counter accept'",
        );
        let lists = [
            (
                &iptables,
                "iptables-nft -S DOCKER-USER",
                "iptables-nft -I DOCKER-USER -i x -j DROP",
                "iptables-nft -I DOCKER-USER -m comment --comment topo:other -j ACCEPT",
                "iptables-nft -D DOCKER-USER 1",
                "iptables-nft -F DOCKER-USER",
            ),
            (
                &native,
                "nft -s list chain inet fw forward",
                "nft insert rule inet fw forward iifname x drop",
                "nft insert rule inet fw forward accept comment '\"topo:other\"'",
                "nft delete rule inet fw forward handle $(nft -a list chain inet fw forward | sed -n 's/.*# handle //p' | sed -n 3p)",
                "nft flush chain inet fw forward",
            ),
        ];
        for (wanted, list, before_ours, others, delete, flush) in lists {
            let theirs = sh(list);
            insert::install(wanted).unwrap();
            assert_eq!(seen(wanted), *wanted);
            sh(others);
            assert_eq!(wanted.drift(&seen(wanted)), [], "another topology's rule before ours");
            sh(before_ours);
            assert_eq!(wanted.drift(&seen(wanted)).len(), 1, "the owner's rule before ours");
            insert::install(wanted).unwrap();
            assert_eq!(wanted.drift(&seen(wanted)), []);
            sh(delete);
            let broken = seen(wanted);
            assert_ne!(wanted.drift(&broken), [], "one deleted");
            insert::install(wanted).unwrap();
            insert::install(&broken).unwrap();
            assert_eq!(seen(wanted).rules, broken.rules, "an undo puts back what was observed");
            let fewer = Insert { rules: wanted.rules[..1].to_vec(), ..wanted.clone() };
            insert::install(&fewer).unwrap();
            assert_eq!(seen(&fewer), fewer);
            insert::remove(wanted).unwrap();
            assert!(sh(list).lines().filter(|line| line.contains("topo:")).all(|line| line.contains("topo:other")));
            assert!(insert::remove(wanted).is_err(), "not there is not gone");
            for line in theirs.lines().filter(|line| line.contains("RETURN") || line.contains("counter accept")) {
                assert!(sh(list).contains(line), "{line}");
            }
            insert::install(wanted).unwrap();
            sh(flush);
            assert_eq!(seen(wanted).rules, []);
        }
    });
}

#[test]
fn rules_in_chains_of_nft_are_observed_as_they_were_installed() {
    sandbox::run("rules_in_chains_of_nft_are_observed_as_they_were_installed", || {
        sh(
            "nft 'add table inet fw; add chain inet fw f { type filter hook forward priority 0; }; add chain inet fw po { type nat hook postrouting priority 100; }; add rule inet fw f accept'",
        );
        sh("nft 'add table ip raw; add chain ip raw mine { type filter hook prerouting priority -300; }'");
        sh(
            "nft 'add table ip x; add chain ip x pr { type nat hook prerouting priority -100; }; add table ip6 x; add chain ip6 x pr { type nat hook prerouting priority -100; }; add chain ip6 x f'",
        );
        sh(
            "nft 'add table netdev n; add chain netdev n c { type filter hook ingress device lo priority 0; }; add table arp a; add chain arp a in { type filter hook input priority 0; }'",
        );
        sh("nft 'add table bridge b; add chain bridge b f { type filter hook forward priority 0; }'");
        let family = |want: Family, rules: Vec<PacketRule>| {
            typed(rules.into_iter().filter(|rule| rule.family.is_none_or(|family| family == want)).collect())
        };
        let four = |rules: Vec<PacketRule>| {
            family(
                Family::V4,
                rules
                    .into_iter()
                    .filter(|rule| {
                        !matches!(&rule.verdict, Some(Verdict::Dnat(to)) if to.address.is_ipv6())
                            && rule.protocol.as_deref() != Some("icmpv6")
                    })
                    .collect(),
            )
        };
        let six = |rules: Vec<PacketRule>| {
            family(
                Family::V6,
                rules
                    .into_iter()
                    .filter(|rule| {
                        !matches!(&rule.verdict, Some(Verdict::Dnat(to)) if to.address.is_ipv4())
                            && rule.protocol.as_deref() != Some("icmp")
                    })
                    .collect(),
            )
        };
        let mut all = typed(filter_rules());
        all.extend(
            raw_rules().into_iter().filter(|rule| !matches!(rule, TableRule::Raw(text) if text.contains("comment"))),
        );
        let bridged = typed(vec![
            PacketRule { input: names("a"), ..accept() },
            v4(protocol("tcp", PacketRule { port: vec![(22, 22)], ..accept() })),
            v4(PacketRule { source: addresses("10.0.0.1"), ..accept() }),
        ]);
        let cases = [
            at("inet fw f", all),
            at("inet fw po", typed(postrouting_rules())),
            at(
                "ip raw mine",
                four(
                    filter_rules()
                        .into_iter()
                        .filter(|rule| !matches!(rule.verdict, Some(Verdict::Reject(_))))
                        .collect(),
                ),
            ),
            at("ip x pr", four(prerouting_rules())),
            at("ip6 x pr", six(prerouting_rules())),
            at("ip6 x f", six(filter_rules())),
            at("netdev n c", bridged.clone()),
            at("arp a in", bridged[..1].to_vec()),
            at("bridge b f", bridged),
        ];
        let before = sh("nft -s list ruleset");
        for wanted in &cases {
            insert::install(wanted).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(seen(wanted), *wanted, "{}", wanted.chain);
        }
        assert_eq!(insert::found().unwrap().len(), cases.len());
        for wanted in &cases {
            insert::remove(wanted).unwrap();
        }
        assert_eq!(sh("nft -s list ruleset"), before);
        let raw = at("inet fw f", vec![TableRule::Raw("accept comment \"mine\"".to_owned())]);
        assert!(insert::install(&raw).is_err(), "a rule that cannot carry our comment");
    });
}

/// What only nft can say is told where the rule stands, not where its table or chain begins.
#[test]
fn a_wrong_raw_rule_is_told_at_its_place() {
    sandbox::run("a_wrong_raw_rule_is_told_at_its_place", || {
        let of = |inserts: &str, input: &str, nat: &str| {
            let head = "name: lab\nhost:\n  firewall:\n    insert:\n      - { chain: inet theirs through, nft: \"udp dport 8 accept\" }\n";
            format!(
                "{head}      - {{ chain: inet theirs through, nft: \"{inserts}\" }}\n    input:\n      rules:\n        - {{ protocol: tcp, accept: {{}} }}\n        - {{ nft: \"{input}\" }}\n  nat:\n    - {{ nft: \"masquerade random\" }}\n    - {{ nft: \"{nat}\" }}\n"
            )
        };
        let (sound, translates) = ("tcp dport 7 drop", "ip saddr 10.0.0.0/24 masquerade");
        sh("nft 'add table inet theirs; add chain inet theirs through'");
        for (text, place) in [
            (of("tcp dport 7 drp", sound, translates), "lab.yaml:6:44"),
            (of(sound, "tcp dport 7 drp", translates), "lab.yaml:10:18"),
            (of(sound, sound, "ip saddr 10.0.0.0/24 masquerad"), "lab.yaml:13:14"),
        ] {
            sandbox::topo(&["plan", &sandbox::write("lab.yaml", &text)]).expect(1).says(place);
        }
        sandbox::topo(&["plan", &sandbox::write("lab.yaml", &of(sound, sound, translates))]).expect(0);
    });
}
