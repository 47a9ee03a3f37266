//! What tells one policy rule, route or address from another: all that the kernel says of it, also what the language
//! has no words for.

#![allow(clippy::disallowed_methods, reason = "a test makes processes")]

use crate::sandbox;

use sandbox::{sh, topo, write};

/// A rule of the file that somebody turned into another one is seen as that, and one apply mends it.
#[test]
fn a_rule_that_became_another() {
    sandbox::run("a_rule_that_became_another", || {
        let text = "name: rules\nnamespaces: { a: { rules: [ { priority: 100, from: 10.5.0.0/24, table: 100 } ] } }\n";
        let file = write("rules.yaml", text);
        let odd = [
            ("not from 10.5.0.0/24", "not from 10.5.0.0/24"),
            ("from 10.5.0.0/24 suppress_prefixlength 0", "suppress_prefixlength 0"),
            ("from 10.5.0.0/24 suppress_ifgroup 3", "suppress_ifgroup 3"),
            ("from 10.5.0.0/24 uidrange 0-99", "uidrange 0-99"),
            ("from 10.5.0.0/24 tos 0x10", "tos 0x10"),
            ("from 10.5.0.0/24 realms 2/5", "realms 2/5"),
            ("from 10.5.0.0/24 tun_id 7", "tun_id 7"),
            ("from 10.5.0.0/24 fwmark 0/0x1", "fwmark 0x0/0x1"),
        ];
        topo(&["apply", "--yes", &file]).expect(0);
        let want = "100:\tfrom 10.5.0.0/24 lookup 100 proto 116\n";
        let there = || sh("ip -n a rule show priority 100");
        assert_eq!(there(), want);
        for (words, shown) in odd {
            // In its place, and beside it.
            sh(&format!("ip -n a rule del priority 100; ip -n a rule add {words} table 100 priority 100 protocol 116"));
            topo(&["plan", "--color", "never", "--detailed-exitcode", &file]).expect(2).says(shown);
            topo(&["apply", "--yes", &file]).expect(0);
            assert_eq!(there(), want, "{words}");
            sh(&format!(
                "ip -n a rule add {words} table 100 priority 99; ip -n a rule add {words} table 100 priority 100 protocol 4 || :"
            ));
            topo(&["apply", "--yes", &file]).expect(0);
            assert_eq!(sh("ip -n a rule show | sed -n '/^99:/p;/^100:/p'"), want, "beside it: {words}");
            topo(&["plan", "--detailed-exitcode", &file]).expect(0);
        }
        topo(&["destroy", "--yes", "rules"]).expect(0);
    });
}

/// A rule without a prefix beside one that has it, and is the same else: the kernel would refuse the wider one, so topo
/// does, before anything is changed.
#[test]
fn a_rule_that_the_kernel_takes_for_another() {
    sandbox::run("a_rule_that_the_kernel_takes_for_another", || {
        let file = |name: &str, node: &str, rules: &str| {
            write(&format!("{name}.yaml"), &format!("name: {name}\n{node} {{ rules: [ {rules} ] }}\n"))
        };
        let narrow = "{ priority: 100, from: 10.5.0.0/24, to: 10.6.0.0/24, table: 5 }";
        let wide = "{ priority: 100, to: 10.6.0.0/24, table: 5 }";
        let made = sh("ip netns add b; ip -n b rule add priority 100 from 10.5.0.0/24 to 10.6.0.0/24 table 5
            ip -n b rule add priority 100 to 10.6.0.0/24 table 5 2>&1 || :");
        assert_eq!(made, "RTNETLINK answers: File exists\n");
        topo(&["validate", &file("both", "host:", &format!("{narrow}, {wide}"))])
            .expect(65)
            .says("rule-taken-for-another");
        // One after the other is no fault, in either order.
        for rules in [narrow, wide, narrow] {
            topo(&["apply", "--yes", &file("one", "host:", rules)]).expect(0);
            topo(&["plan", "--detailed-exitcode", &file("one", "host:", rules)]).expect(0);
        }
        let before = sh("ip rule");
        let other = file("other", "host:", wide);
        topo(&["plan", "--color", "never", &other])
            .expect(1)
            .says("the kernel takes it for the rule `priority 100")
            .says("other.yaml:2:");
        topo(&["apply", "--yes", &other]).expect(1);
        assert_eq!(sh("ip rule"), before);
        // What carries the mark of nobody is another rule for the kernel.
        sh("ip rule flush priority 100; ip rule add priority 100 from 10.5.0.0/24 to 10.6.0.0/24 table 5");
        topo(&["apply", "--yes", &other]).expect(0);
        assert_eq!(
            sh("ip rule show priority 100"),
            "100:\tfrom 10.5.0.0/24 to 10.6.0.0/24 lookup 5\n100:\tfrom all to 10.6.0.0/24 lookup 5 proto 116\n"
        );
        topo(&["destroy", "--yes", "other"]).expect(0);
    });
}

/// Rules that do something else than a look-up go from a namespace of topo's like all that the file does not list, the
/// one that would be found for another first.
#[test]
fn rules_of_every_kind_go() {
    sandbox::run("rules_of_every_kind_go", || {
        let file = write("jump.yaml", "name: jump\nnamespaces: { a: }\n");
        topo(&["apply", "--yes", &file]).expect(0);
        let before = sh("ip -n a rule; ip -n a -6 rule");
        sh("ip -n a rule add priority 60 from 10.1.0.0/24 goto 100; ip -n a rule add priority 100 nop; ip -n a -6 rule add priority 61 goto 32766
            ip -n a rule add priority 70 from 10.1.0.0/24 fwmark 1 table 5; ip -n a rule add priority 70 from 10.1.0.0/24 table 5
            ip -n a rule add priority 71 from 10.1.0.0/24 suppress_prefixlength 0 table 5; ip -n a rule add priority 71 from 10.1.0.0/24 table 5");
        let plan = topo(&["plan", "--color", "never", "--detailed-exitcode", &file]).expect(2);
        plan.says("goto 100").says("nop").says("suppress_prefixlength 0");
        topo(&["apply", "--yes", &file]).expect(0);
        assert_eq!(sh("ip -n a rule; ip -n a -6 rule"), before);
        topo(&["destroy", "--yes", "jump"]).expect(0);
    });
}

/// A rule for packets without a bit of the mark: the kernel leaves out the mark, which is 0.
#[test]
fn a_mark_of_zero_has_a_mask() {
    sandbox::run("a_mark_of_zero_has_a_mask", || {
        let rules = "[ { priority: 20000, fwmark: 0/1, table: 100, family: ipv4 }, { priority: 20001, fwmark: 0, table: 100, family: ipv6 } ]";
        let file = write("marks.yaml", &format!("name: marks\nnamespaces: {{ a: {{ rules: {rules} }} }}\n"));
        topo(&["apply", "--yes", &file]).expect(0);
        sh(
            "ip -n a rule | grep '^20000:.*fwmark 0/0x1 lookup 100'; ip -n a -6 rule | grep '^20001:.*fwmark 0.* lookup 100'",
        );
        topo(&["plan", "--detailed-exitcode", &file]).expect(0);
        // Without the mask it is another rule.
        sh("ip -n a rule del priority 20000; ip -n a rule add priority 20000 table 100 protocol 116");
        topo(&["plan", "--detailed-exitcode", &file]).expect(2);
        topo(&["apply", "--yes", &file]).expect(0);
        sh("ip -n a rule | grep '^20000:.*fwmark 0/0x1 lookup 100'");
        topo(&["destroy", "--yes", "marks"]).expect(0);
    });
}

/// What a hand adds beside the file's routes in a namespace of topo's: each is another route, and goes.
#[test]
fn odd_routes_go_from_a_namespace_of_topos() {
    sandbox::run("odd_routes_go_from_a_namespace_of_topos", || {
        let interfaces = "a: { interfaces: { e0: { veth: b/e0, addresses: [10.0.0.1/24, 'fd00::1/64'] } }, routes: [ { to: 10.9.0.0/16, via: 10.0.0.2 } ] }";
        let text = format!(
            "name: odd\nnamespaces: {{ {interfaces}, b: {{ interfaces: {{ e0: {{ addresses: [10.0.0.2/24] }} }} }} }}\n"
        );
        let file = write("odd.yaml", &text);
        topo(&["apply", "--yes", &file]).expect(0);
        let there = || sh("ip -n a route show table all | sort; ip -n a -6 route show table all | sort");
        let before = there();
        let odd = [
            "route add 10.9.0.0/16 via 10.0.0.7 tos 0x10",
            "route add 10.9.0.0/16 via 10.0.0.7 tos 0x10 proto 116",
            "route add 10.77.0.0/16 via 10.0.0.2 tos 0x10",
            "route add blackhole 10.9.0.0/16 tos 0x04",
            "route append 10.9.0.0/16 via 10.0.0.7",
            "route append 10.9.0.0/16 via 10.0.0.7 mtu 1300",
            "route add 10.80.0.0/16 nhid 5",
            "route add 10.81.0.0/16 nhid 6",
            "route add 10.82.0.0/16 nhid 7",
            "-6 route add fd80::/64 nhid 8",
            "route replace 10.9.0.0/16 nhid 5 proto 116",
            "route replace 10.9.0.0/16 encap ip id 5 dst 10.0.0.2 dev e0 proto 116",
            "route replace 10.9.0.0/16 via 10.0.0.2 realm 5 proto 116",
            "route add 10.83.0.0/16 dev e0 realm 5 congctl reno",
            "route add multicast 239.1.0.0/16 dev e0",
            "route add broadcast 10.84.0.255 dev e0 table local scope link",
            "-6 route add fd81::/64 via fd00::2 pref high expires 1000",
            "-6 route add fd82::/64 via fd00::2 src fd00::1",
            "-6 route add multicast ff05::/16 dev e0 table local",
        ];
        sh(
            "ip -n a nexthop add id 5 via 10.0.0.2 dev e0; ip -n a nexthop add id 6 blackhole; ip -n a nexthop add id 7 group 5; ip -n a nexthop add id 8 via fd00::2 dev e0",
        );
        for words in odd {
            sh(&format!("ip -n a {words}"));
            assert_ne!(there(), before, "{words} adds nothing");
            topo(&["plan", "--detailed-exitcode", &file]).expect(2);
            topo(&["apply", "--yes", &file]).expect(0);
            assert_eq!(there(), before, "{words}");
            topo(&["plan", "--detailed-exitcode", &file]).expect(0);
        }
        topo(&["destroy", "--yes", "odd"]).expect(0);
    });
}

/// The bridge `lab0` with an address, on which others have what they like.
fn bridge(address: &str) -> String {
    let host = format!(
        "host: {{ interfaces: {{ lab0: {{ bridge: {{ ports: [a0] }}, addresses: [{address}, 'fd04::1/64'], mac: '02:00:00:00:04:00' }} }} }}"
    );
    format!(
        "name: lab\n{host}\nnamespaces: {{ A: {{ interfaces: {{ eth0: {{ veth: host/a0, addresses: [10.4.0.2/24, 'fd04::2/64'] }} }} }} }}\n"
    )
}

/// What others have on and over an interface of topo's, byte for byte as `ip` tells it; seconds of a lifetime aside.
fn of_others() -> String {
    let seconds = "sed -E 's/ [0-9]+sec/ Nsec/g; s/expires Nsec/expires/; s/ secondary//; s/ *$//'";
    let routes = "ip -d route show table all proto boot; ip -d route show table all proto static; ip -d -6 route show table all proto boot; ip -6 route show proto static";
    sh(&format!(
        "({routes}; ip -o address show dev lab0 | grep -v '10.4.0.[0-9]/24\\|proto 0x74\\|fe80' ; ip neigh show nud permanent dev lab0 | sort; ip neigh show proxy dev lab0) | {seconds}"
    ))
}

const OTHERS: [&str; 19] = [
    "route add 10.70.0.0/16 nhid 5",
    "route add 10.71.0.0/16 tos 0x10 dev lab0",
    "route add 10.71.0.0/16 dev lab0",
    "route append 10.71.0.0/16 via 10.4.0.2",
    "route add 10.72.0.0/16 tos 0x08 via 10.4.0.2 proto static",
    "route add 10.73.0.0/16 encap ip id 5 dst 10.4.0.2 dev lab0",
    "route add 10.74.0.0/16 dev lab0 realm 5",
    "route add 10.75.0.0/16 via 10.4.0.2 dev lab0 onlink mtu lock 1300 advmss 500 congctl reno proto static",
    "route add 10.76.0.0/16 nexthop via 10.4.0.2 dev lab0 weight 3 nexthop encap ip id 7 dst 10.4.0.3 dev lab0",
    "route add multicast 239.2.0.0/16 dev lab0",
    "route add 10.78.0.0/16 dev lab0 table 77 scope host",
    "-6 route add fd71::/64 via fd04::2 pref low",
    "address add 10.4.0.77/24 dev lab0 valid_lft 1000 preferred_lft 500",
    "address add 10.4.0.78/24 dev lab0 noprefixroute",
    "address add 10.44.0.1/24 broadcast 10.44.0.255 metric 77 dev lab0 label lab0:x",
    "-6 address add fd44::1/64 dev lab0 noprefixroute nodad",
    "neigh add 10.4.0.79 lladdr 02:00:00:00:00:79 dev lab0",
    "neigh add proxy 10.4.0.80 dev lab0",
    "rule add priority 77 not from 10.4.0.0/24 suppress_prefixlength 0 table 77",
];

/// Another address of an interface of topo's costs others nothing: what the kernel takes away comes back as it was,
/// byte for byte.
#[test]
fn what_others_have_comes_back_byte_for_byte() {
    sandbox::run("what_others_have_comes_back_byte_for_byte", || {
        let (old, new) = (write("old.yaml", &bridge("10.4.0.1/24")), write("new.yaml", &bridge("10.4.0.9/24")));
        topo(&["apply", "--yes", &old]).expect(0);
        sh("ip nexthop add id 5 via 10.4.0.2 dev lab0");
        for words in OTHERS {
            sh(&format!("ip {words}"));
        }
        let before = of_others();
        let plan = topo(&["plan", "--color", "never", &new]).expect(0);
        assert!(!plan.stdout.contains("does not put back"), "{}", plan.stdout);
        topo(&["apply", "--yes", &new]).expect(0);
        assert_eq!(of_others(), before);
        topo(&["plan", "--detailed-exitcode", &new]).expect(0);
        // And where the change is undone half-way.
        let broken = write(
            "broken.yaml",
            &format!("{}checks: [ {{ ping: {{ from: A, to: 10.4.0.9 }} }} ]\n", bridge("10.4.0.1/24")),
        );
        let failed = topo(&["apply", "--yes", "--test", &broken]).expect(1);
        assert!(!failed.stderr.contains("Not undone"), "{}", failed.stderr);
        assert_eq!(of_others(), before);
        topo(&["plan", "--detailed-exitcode", &new]).expect(0);
        topo(&["destroy", "--yes", "lab"]).expect(0);
    });
}

/// A route over a gateway or from an address that is gone cannot come back: the plan says so, and the change goes
/// through.
#[test]
fn what_cannot_come_back_is_told_and_let_go() {
    sandbox::run("what_cannot_come_back_is_told_and_let_go", || {
        let old = write("old.yaml", &bridge("10.4.0.1/24"));
        let away = bridge("10.5.0.1/24").replace("10.4.0.2/24", "10.5.0.2/24");
        let (away, other) = (write("away.yaml", &away), write("other.yaml", &bridge("10.4.0.9/24")));
        for (file, route, stays) in [
            (&away, "10.71.0.0/16 via 10.4.0.2", false),
            (&away, "10.71.0.0/16 nexthop via 10.4.0.2 weight 2 nexthop dev lab0", false),
            (&away, "10.71.0.0/16 via 10.4.0.2 dev lab0 onlink", true),
            (&away, "10.71.0.0/16 via 10.4.0.2 table 77", false),
            (&other, "10.71.0.0/16 dev lab0 src 10.4.0.1", false),
            (&other, "10.71.0.0/16 via 10.4.0.2 src 127.0.0.1", true),
            (&other, "10.71.0.0/16 via 10.4.0.2", true),
        ] {
            topo(&["apply", "--yes", &old]).expect(0);
            sh(&format!("ip route add {route}"));
            let plan = topo(&["plan", "--color", "never", file]).expect(0);
            assert_eq!(plan.stdout.contains("which this plan does not put back"), !stays, "{route}: {}", plan.stdout);
            topo(&["apply", "--yes", file]).expect(0);
            assert_eq!(!sh("ip route show table all 10.71.0.0/16").is_empty(), stays, "{route}");
            topo(&["plan", "--detailed-exitcode", file]).expect(0);
            topo(&["destroy", "--yes", "lab"]).expect(0);
            sh("ip route flush table all proto boot");
        }
    });
}

/// An IPv6 route keeps its destination where its source address goes, and has it again with the address.
#[test]
fn an_ipv6_route_loses_its_source() {
    sandbox::run("an_ipv6_route_loses_its_source", || {
        let sure = |text: &str| text.replace("mac:", "ipv6: { dad: false }, mac:");
        let (old, longer) = (
            write("old.yaml", &sure(&bridge("10.4.0.1/24"))),
            write("longer.yaml", &sure(&bridge("10.4.0.1/24").replace("fd04::1/64", "fd04::1/80"))),
        );
        topo(&["apply", "--yes", &old]).expect(0);
        sh("ip -6 route add fd71::/64 dev lab0 src fd04::1");
        topo(&["apply", "--yes", &longer]).expect(0);
        sh("ip -6 route show fd71::/64 | grep 'src fd04::1'");
        // While others are asked whether they have the address it is no source.
        let asked = write("asked.yaml", &bridge("10.4.0.1/24"));
        topo(&["plan", "--color", "never", &asked])
            .expect(0)
            .says("which this plan does not put back")
            .says("fd71::/64");
        topo(&["apply", "--yes", &asked]).expect(0);
        sh("ip -6 route replace fd71::/64 dev lab0 src fd04::1");
        let other = write("other.yaml", &bridge("10.4.0.1/24").replace("fd04::1/64", "fd04::9/64"));
        topo(&["plan", "--color", "never", &other])
            .expect(0)
            .says("which this plan does not put back")
            .says("fd71::/64");
        topo(&["apply", "--yes", &other]).expect(0);
        topo(&["plan", "--detailed-exitcode", &other]).expect(0);
        topo(&["destroy", "--yes", "lab"]).expect(0);
    });
}

/// A lent interface comes home with its addresses in their order and with their flags, with routes of a number that
/// nobody knows, and its permanent neighbours; what a daemon put there is the daemon's.
#[test]
fn a_lent_interface_comes_home_byte_for_byte() {
    sandbox::run("a_lent_interface_comes_home_byte_for_byte", || {
        sh("ip link add f0 type veth peer name f1; ip link set f0 up; ip link set f1 up; ip address add 10.6.0.1/24 dev f1 broadcast 10.6.0.255
            ip address add 10.6.0.7/24 dev f1 noprefixroute metric 5; ip address add 10.5.0.9/24 dev f1; ip address add 10.6.0.3/24 dev f1
            ip address add 10.5.0.2/24 dev f1; ip -6 address add fd09::1/64 dev f1 nodad; ip -6 address add fd08::1/64 dev f1 nodad; ip -6 address add fd06::1/64 dev f1 nodad noprefixroute
            ip route add 10.60.0.0/16 via 10.6.0.2 tos 0x10 proto static; ip route add 10.61.0.0/16 encap ip id 5 dst 10.6.0.2 dev f1
            ip route add 10.62.0.0/16 via 10.6.0.2 congctl reno realm 3; ip neigh add 10.6.0.9 lladdr 02:00:00:00:00:09 dev f1
            ip nexthop add id 5 via 10.6.0.2 dev f1; ip route add 10.63.0.0/16 nhid 5
            ip route add 10.64.0.0/16 via 10.6.0.2 proto 200; ip -6 route add fd64::/16 via fd09::2 proto 200");
        sh("ip route add 10.65.0.0/16 via 10.6.0.2 proto bird");
        let there = || {
            sh(
                "ip -o address show dev f1 | grep -v fe80; ip route | grep -v 'nhid\\|bird'; ip -6 route show proto 200; ip neigh show nud permanent",
            )
        };
        let before = there();
        let file = write(
            "lent.yaml",
            "name: lent\nnamespaces: { N: { interfaces: { up0: { existing: { from: host/f1 } } } } }\n",
        );
        topo(&["apply", "--yes", &file]).expect(0);
        topo(&["plan", "--detailed-exitcode", &file]).expect(0);
        // Its next-hop object went with the move, and nobody has it any more.
        let told = topo(&["destroy", "--yes", "lent"]).expect(0);
        assert!(told.stderr.contains("10.63.0.0/16"), "{}", told.stderr);
        assert_eq!(there(), before);
    });
}

/// What is taken away, and what the plan says is missing then.
const TAKEN: [(&str, &str); 17] = [
    ("ip -n a route flush table main", "connected route"),
    ("ip -n a route del 10.0.0.0/24", "connected route"),
    ("ip -n a route flush dev e0", "connected route"),
    ("ip -n a route flush table local", "local route"),
    ("ip -n a route del local 10.99.0.1 table local", "local route"),
    ("ip -n a route del broadcast 10.0.0.255 table local", "broadcast route"),
    ("ip -n a -6 route flush table main", "connected route"),
    ("ip -n a -6 route del fd00::/64", "connected route"),
    ("ip -n a -6 route del fe80::/64", "link-local address"),
    ("ip -n a -6 route flush table local", "local route"),
    ("ip -n a -6 route del ff00::/8 dev e0 table local", "multicast route"),
    ("ip -n a -6 address flush dev e0 scope link", "link-local address"),
    ("ip -n a address del 127.0.0.1/8 dev lo", "127.0.0.1"),
    ("ip -n a -6 address del ::1/128 dev lo", "::1"),
    ("ip -n a address flush dev lo", "127.0.0.1"),
    ("ip -n a address del 10.0.0.1/24 dev e0; ip -n a address add 10.0.0.1/24 dev e0 noprefixroute", "noprefixroute"),
    (
        "ip -n a -6 address del fd00::1/64 dev e0; ip -n a -6 address add fd00::1/64 dev e0 noprefixroute nodad",
        "noprefixroute",
    ),
];

/// What the kernel makes of addresses and interfaces by itself is missed where somebody took it away, and one apply has
/// it made again.
#[test]
fn what_the_kernel_makes_is_missed_and_mended() {
    sandbox::run("what_the_kernel_makes_is_missed_and_mended", || {
        let routes = "routes: [ { to: 10.9.0.0/16, via: 10.0.0.2 }, { to: 'fd09::/64', via: 'fd00::2' } ]";
        let a = format!(
            "a: {{ interfaces: {{ e0: {{ veth: b/e0, addresses: [10.0.0.1/24, 10.0.0.5/24, 'fd00::1/64'] }}, lo: {{ addresses: [10.99.0.1/32] }} }}, {routes} }}"
        );
        let text = format!(
            "name: conn\nnamespaces: {{ {a}, b: {{ interfaces: {{ e0: {{ addresses: [10.0.0.2/24, 'fd00::2/64'] }} }} }} }}\n"
        );
        let file = write("conn.yaml", &text);
        topo(&["apply", "--yes", &file]).expect(0);
        // Link-local addresses come in their own time.
        let settled = || {
            sandbox::wait_for(std::time::Duration::from_secs(5), || {
                sh("ip -n a -6 -o address show tentative; ip -n b -6 -o address show tentative").is_empty()
            })
        };
        let there = || {
            sh(
                "ip -n a route show table all | sort; ip -n a -6 route show table all | sort; ip -n a -o address | sort | sed 's/ *valid_lft.*//'",
            )
        };
        assert!(settled());
        let before = there();
        for (taken, missed) in TAKEN {
            // The kernel makes the local route of an IPv6 address within some seconds.
            std::thread::sleep(std::time::Duration::from_millis(3100));
            sh(taken);
            topo(&["plan", "--color", "never", "--detailed-exitcode", &file]).expect(2).says(missed);
            topo(&["apply", "--yes", &file]).expect(0);
            topo(&["plan", "--detailed-exitcode", &file]).expect(0);
            assert!(settled());
            topo(&["plan", "--detailed-exitcode", &file]).expect(0);
            assert_eq!(there(), before, "{taken}");
            sh(
                "ip netns exec a ping -c1 -W2 10.0.0.2; ip netns exec a ping -c1 -W2 fd00::2; ip netns exec a ping -c1 -W2 127.0.0.1; ip netns exec a ping -c1 -W2 ::1",
            );
        }
        topo(&["destroy", "--yes", "conn"]).expect(0);
    });
}
