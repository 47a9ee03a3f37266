//! Interfaces of somebody else, each with odd things on it, that one file after another uses otherwise: as they are, as
//! ports, moved, as parents, not at all. One apply gets there from anywhere, the plan is empty then, and what is not
//! used any more is as it was. `TOPO_BORROWED=240` sets how many files follow one another, `TOPO_SEED` the seed.

#![allow(clippy::disallowed_methods, reason = "a test makes processes")]

use crate::generator::{Dice, number, throws};
use crate::sandbox::{self, difference, quiet, sh, snapshot, topo, without_history, write};
use std::time::Duration;

/// How many interfaces somebody has.
const COUNT: usize = 4;
/// How many files follow one another where nobody says.
const FILES: u64 = 40;
/// How many files meet the same machine, before another one is made.
const ROUND: u64 = 20;

/// What somebody else may have on an interface, `@` for its number.
const ODD: [&str; 21] = [
    "ip address add 192.0.2.@/32 dev p@",
    "ip address add 192.0.3.@/24 dev p@ noprefixroute metric 77",
    "ip address add 192.0.4.@/32 peer 192.0.4.10@/32 dev p@ scope link",
    "ip address add 192.0.5.@/24 broadcast + label p@:web dev p@; ip address add 192.0.5.10@/24 dev p@",
    "ip address add 2001:db8:@::1/64 dev p@ nodad; ip address add 2001:db8:@::2/64 dev p@ nodad noprefixroute",
    "ip route add 198.51.@.0/24 dev p@; ip route add 198.51.@.0/24 dev p@ tos 0x10 metric 5",
    "ip route add 10.66.@.0/24 dev p@ table 77; ip route append 10.66.@.0/24 dev p@ table 77 src 127.0.0.1 metric 9",
    "ip -6 route add 2001:db8:f@::/48 dev p@ metric 7 mtu lock 1300",
    "ip route add 10.67.@.0/24 dev p@ proto static scope link mtu lock 1300 advmss 1200",
    "ip rule add iif p@ priority 50@ lookup 77; ip rule add iif p@ priority 50@ lookup 78",
    "ip rule add oif p@ not from 10.0.0.0/8 tos 0x10 priority 60@ uidrange 5-@5 lookup main suppress_prefixlength 0",
    "ip rule add iif p@ priority 70@ goto 8000",
    "ip link set p@ alias 'topo: not @'",
    "ip link property add dev p@ altname other-name-of-@-that-is-long",
    "ip neigh add 192.0.2.20@ lladdr 02:00:00:00:00:0@ dev p@; ip neigh add proxy 192.0.2.21@ dev p@",
    "sysctl -qw net.ipv4.conf.p@.rp_filter=2 net.ipv4.conf.p@.arp_ignore=1 net.ipv6.conf.p@.accept_ra=0",
    "sysctl -qw net.ipv4.conf.p@.forwarding=1 net.ipv4.neigh.p@.gc_stale_time=7@",
    "ip link set p@ mtu 139@ txqueuelen 7@",
    "ip link set p@ address 02:00:00:00:01:0@",
    "ip link set p@ down",
    "ip link set p@ multicast off",
];

/// The machine: pairs with an end in a namespace that topo did not create, and what the dice put on them.
fn machine(dice: &mut Dice<'_>) -> String {
    let mut script = "ip netns add far; ip rule add priority 8000 lookup main\n".to_owned();
    for p in 1..=COUNT {
        script += &format!(
            "ip link add p{p} type veth peer name q{p} netns far; ip -n far link set q{p} up; ip link set p{p} up\n"
        );
        for _ in 0..=dice.below(5) {
            // What another one had in the way (a link that is down takes no route) is not there.
            let line = ODD[dice.below(ODD.len())].replace('@', &p.to_string());
            script += &format!("{{ {line}; }} 2>/dev/null || true\n");
        }
    }
    script
}

/// A file that uses each of the interfaces in one way.
fn file(dice: &mut Dice<'_>) -> (String, [bool; COUNT + 1]) {
    let (mut host, mut ports, mut red, mut red_ports, mut blue) = (vec![], vec![], vec![], vec![], vec![]);
    let mut used = [true; COUNT + 1];
    for (p, used) in used.iter_mut().enumerate().skip(1) {
        let mtu = [1400, 1500, 1280][dice.below(3)];
        match dice.below(11) {
            0 | 1 => *used = false,
            2 => host.push(format!("p{p}: {{ existing: {{}}, addresses: [10.{p}.0.1/24] }}")),
            3 => host.push(format!("p{p}: {{ existing: {{}}, mtu: {mtu}, up: true }}")),
            4 => {
                host.push(format!("p{p}: {{ existing: {{}} }}"));
                ports.push(format!("p{p}"));
            }
            5 => red.push(format!("e{p}: {{ existing: {{ from: host/p{p} }}, addresses: [10.{p}.0.1/24] }}")),
            6 => blue.push(format!("p{p}: {{ existing: {{ from: host/p{p} }}, mtu: {mtu} }}")),
            7 => {
                red.push(format!("p{p}: {{ existing: {{ from: host/p{p} }} }}"));
                red_ports.push(format!("p{p}"));
            }
            8 => red.push(format!("m{p}: {{ macvlan: {{ link: host/p{p} }}, addresses: [10.{p}.0.1/24] }}")),
            9 => host.push(format!("m{p}: {{ macvlan: {{ link: p{p}, mode: bridge }} }}")),
            _ => host.push(format!("p{p}: {{ existing: {{}}, up: false, txqueuelen: 9{p} }}")),
        }
        let macvlan = host.last().into_iter().chain(red.last()).any(|line| line.starts_with(&format!("m{p}:")));
        if macvlan {
            host.push(format!("p{p}: {{ existing: {{}} }}"));
        }
    }
    let bridge = |name: &str, ports: &[String]| format!("{name}: {{ bridge: {{ ports: [{}] }} }}", ports.join(", "));
    if !ports.is_empty() {
        host.push(bridge("lab0", &ports));
    }
    if !red_ports.is_empty() {
        red.push(bridge("br0", &red_ports));
    }
    let text = format!(
        "name: borrow\nhost: {{ interfaces: {{ {} }} }}\nnamespaces:\n  RED: {{ interfaces: {{ {} }} }}\n  BLUE: {{ interfaces: {{ {} }} }}\n",
        host.join(", "),
        red.join(", "),
        blue.join(", ")
    );
    (text, used)
}

/// An interface of somebody else, by other programs: without its number, which it may have anew after it was away,
/// without what comes and goes by itself, what tells whether it ever was up (`noop`), the order of addresses, and the
/// peer's namespace.
fn look(p: usize) -> String {
    sh(&format!(
        "ip -d -o link show dev p{p} | sed 's/^[0-9]*: //; s/link-netns[^ ]* [^ ]*//; s/@if[0-9]*//; s/state [A-Z]*//; s/<[^>]*>//; s/qdisc noop/qdisc noqueue/'
         ip -d -o link show dev p{p} | grep -o 'NOARP\\|MULTICAST\\|,UP' || true
         ip -o address show dev p{p} | sed 's/^[0-9]*: //' | grep -v fe80 | sort || true
         ip -N -4 route show table all dev p{p} | sed 's/ linkdown//' | sort; ip -N -6 route show table all dev p{p} | grep -v 'fe80\\|ff00' | sed 's/ linkdown//; s/ pref medium//' | sort
         ip neigh show dev p{p} nud permanent | sort; ip neigh show proxy dev p{p} | sort
         sysctl -a 2>/dev/null | grep '\\.p{p}\\.' | grep 'rp_filter\\|arp_ignore\\|accept_ra \\|forwarding\\|gc_stale'"
    ))
}

#[test]
fn interfaces_of_others_change_their_use() {
    sandbox::run_within("interfaces_of_others_change_their_use", Duration::from_secs(3600), || {
        let (seed, files) = (number("TOPO_SEED", 1), number("TOPO_BORROWED", FILES));
        for begin in (0..files).step_by(usize::try_from(ROUND).unwrap()) {
            let numbers = throws(seed + begin, 64);
            let script = machine(&mut Dice::new(&numbers));
            sh(&script);
            let before = without_history(&quiet(&Default::default()));
            let mut last = String::new();
            let looks: Vec<String> = (1..=COUNT).map(look).collect();
            for nth in begin..files.min(begin + ROUND) {
                let numbers = throws(seed + 100_000 + nth, 32);
                let (text, used) = file(&mut Dice::new(&numbers));
                let path = write("borrow.yaml", &text);
                let story = format!("TOPO_SEED={seed}, file {nth}\n{script}\nbefore: {last}\n{text}");
                last.clone_from(&text);
                let done = topo(&["apply", "--yes", &path]);
                assert_eq!(done.code, 0, "{story}\n{}\n{}", done.stdout, done.stderr);
                let plan = topo(&["plan", "--detailed-exitcode", &path]);
                assert_eq!(plan.code, 0, "{story}\n{}\n{}", plan.stdout, plan.stderr);
                for (p, then) in (1..).zip(&looks).filter(|(p, _)| !used[*p]) {
                    let now = look(p);
                    assert!(now == *then, "{story}\np{p} is not as it was:\n{}", difference(then, &now));
                }
            }
            topo(&["destroy", "--yes", "-q", "borrow"]).expect(0);
            let now = || without_history(&snapshot());
            sandbox::wait_for(Duration::from_secs(5), || now() == before);
            assert!(now() == before, "{script}\nafter destroy, last: {last}\n{}", difference(&before, &now()));
            sh(
                "ip netns del far; ip rule flush; ip rule add priority 32766 lookup main; ip rule add priority 32767 lookup default",
            );
            let gone = || sandbox::try_sh("ip link show p1").code != 0;
            assert!(sandbox::wait_for(Duration::from_secs(5), gone), "the interfaces of the round before stay");
        }
        println!("{files} files, seed {seed}");
    });
}
