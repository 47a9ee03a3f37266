use super::*;
use crate::resource::{AddressMatch, AddressRange, Family, IfMatch, Target, Verdict};

fn names(not: bool, names: &[&str]) -> Option<IfMatch> {
    Some(IfMatch { not, names: names.iter().map(|name| (*name).to_owned()).collect() })
}

fn nets(not: bool, nets: &[&str]) -> Option<AddressMatch> {
    Some(AddressMatch { not, items: nets.iter().map(|net| AddressRange::Prefix(net.parse().unwrap())).collect() })
}

fn accept() -> PacketRule {
    PacketRule { verdict: Some(Verdict::Accept), ..PacketRule::default() }
}

#[test]
fn rules_read_as_nft_lists_them() {
    let tcp = |rule| PacketRule { protocol: Some("tcp".to_owned()), ..rule };
    let to = |address: &str, port| Target { address: address.parse().unwrap(), last: None, port };
    let cases = [
        (PacketRule { input: names(true, &["br0"]), ..accept() }, "iifname != \"br0\" accept"),
        (PacketRule { output: names(false, &["a", "b*"]), ..accept() }, "oifname { \"a\", \"b*\" } accept"),
        (PacketRule { output: names(true, &["a", "b*"]), ..accept() }, "oifname != \"a\" oifname != \"b*\" accept"),
        (
            PacketRule { source: nets(false, &["10.0.0.0/24"]), family: Some(Family::V4), ..accept() },
            "ip saddr 10.0.0.0/24 accept",
        ),
        (
            PacketRule { destination: nets(true, &["fd00::1/128"]), family: Some(Family::V6), ..accept() },
            "ip6 daddr != fd00::1 accept",
        ),
        (tcp(PacketRule { port: vec![(22, 22), (8000, 8010)], ..accept() }), "tcp dport { 22, 8000-8010 } accept"),
        (tcp(PacketRule { family: Some(Family::V4), ..accept() }), "meta nfproto ipv4 meta l4proto tcp accept"),
        (
            PacketRule { state: vec!["established".to_owned(), "related".to_owned()], ..accept() },
            "ct state established,related accept",
        ),
        (
            PacketRule { mark: Some((0x20, 0xff)), set_mark: Some((1, u32::MAX)), ..PacketRule::default() },
            "meta mark & 0x000000ff == 0x00000020 meta mark set 0x00000001",
        ),
        (
            PacketRule {
                limit: Some((5, "second".to_owned())),
                counter: true,
                log: Some("web ".to_owned()),
                ..accept()
            },
            "limit rate 5/second counter log prefix \"web \" accept",
        ),
        (
            PacketRule {
                verdict: Some(Verdict::Dnat(to("10.0.0.2", Some((80, 80))))),
                local: true,
                ..tcp(PacketRule::default())
            },
            "fib daddr type local meta l4proto tcp dnat ip to 10.0.0.2:80",
        ),
        (
            PacketRule { verdict: Some(Verdict::Dnat(to("fd00::2", Some((80, 90))))), ..PacketRule::default() },
            "dnat ip6 to [fd00::2]:80-90",
        ),
        (
            PacketRule { verdict: Some(Verdict::Reject(Some("net-unreachable".to_owned()))), ..PacketRule::default() },
            "reject with icmpx no-route",
        ),
    ];
    for (rule, text) in cases {
        assert_eq!(nft_rule(&rule, "inet"), text);
        assert_eq!(nft::fault(&rule), None, "{text}");
    }
}

#[test]
fn nothing_breaks_out_of_its_quotes() {
    let hostile = "x\" accept\nflush ruleset;$y";
    let rules = [
        PacketRule { input: names(false, &[hostile]), ..accept() },
        PacketRule { log: Some(hostile.to_owned()), ..accept() },
        PacketRule { protocol: Some(hostile.to_owned()), ..accept() },
        PacketRule { state: vec![hostile.to_owned()], ..accept() },
        PacketRule { limit: Some((1, hostile.to_owned())), ..accept() },
    ];
    for rule in rules {
        assert!(nft::fault(&rule).is_some());
        let text = nft_rule(&rule, "inet");
        assert_eq!(raw_fault(&text), None, "{text}");
        assert_eq!(text.matches('"').count() % 2, 0);
        assert!(!text.contains('\n'));
    }
}

#[test]
fn raw_rules_are_one_rule() {
    for good in [
        "meta mark 0x10 counter accept",
        "tcp dport { 22, 80 } accept",
        "log prefix \"a;#{\" drop",
        "tcp dport vmap { 22 : accept }",
    ] {
        assert_eq!(raw_fault(good), None, "{good}");
    }
    for bad in [
        "",
        "  ",
        "accept; flush ruleset",
        "accept\nflush ruleset",
        "log prefix \"a",
        "tcp dport { 22",
        "accept }",
        "accept # x",
        "accept \\",
        "index 0 accept",
    ] {
        assert!(raw_fault(bad).is_some(), "{bad}");
    }
}

#[test]
fn the_script_makes_the_whole_table() {
    let rules = vec![
        TableRule::Typed(Box::new(accept())),
        TableRule::Raw("counter drop".to_owned()),
        TableRule::Raw("a; b".to_owned()),
    ];
    let chain = Chain {
        name: "forward".to_owned(),
        kind: "filter".to_owned(),
        hook: "forward".to_owned(),
        priority: 0,
        drop: true,
        rules,
    };
    let table = Table { node: "n".into(), topology: "lab".into(), chains: vec![chain], instead_of: Vec::new() };
    let expected = "add table inet topo-lab\ndelete table inet topo-lab\nadd table inet topo-lab { comment \"topo:lab\"; }\n\
        add chain inet topo-lab forward { type filter hook forward priority 0; policy drop; }\n\
        add rule inet topo-lab forward accept comment \"topo:lab\"\nadd rule inet topo-lab forward counter drop\n";
    assert_eq!(script(&table, Start::Over), expected);
    let fresh = expected.replace("add table inet topo-lab\ndelete table inet topo-lab\nadd table", "create table");
    assert_eq!(script(&table, Start::Fresh), fresh);
    for (start, line) in [(Start::Over, 6), (Start::Fresh, 4)] {
        assert_eq!(rule_of_line(&table, start, line), Some(&TableRule::Raw("counter drop".to_owned())));
        assert_eq!(rule_of_line(&table, start, line - 2), None);
    }
}

#[test]
fn lists_become_one_iptables_rule_each() {
    let rule = PacketRule {
        input: names(false, &["a", "eth*"]),
        protocol: Some("tcp".to_owned()),
        port: vec![(22, 22), (80, 90)],
        log: Some("x ".to_owned()),
        ..accept()
    };
    let lines = iptables_args(&rule, Family::V4, &"lab".into()).unwrap();
    let lines: Vec<String> = lines.iter().map(|line| line.join(" ")).collect();
    assert_eq!(lines.len(), 8);
    assert_eq!(lines[0], "-i a -p tcp -m tcp --dport 22 -m comment --comment topo:lab -j LOG --log-prefix x ");
    assert_eq!(lines[7], "-i eth+ -p tcp -m tcp --dport 80:90 -m comment --comment topo:lab -j ACCEPT");
    let not = PacketRule { input: names(true, &["a", "b"]), ..accept() };
    assert!(iptables_args(&not, Family::V4, &"lab".into()).is_err());
}
