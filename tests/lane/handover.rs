//! Values that are one of a kind change hands in one apply: hardware addresses of macvlans, ends and keys of tunnels,
//! alternative names, ports; and where somebody else has one the plan says so. `TOPO_HANDOVERS=200` sets how many files
//! follow one another, `TOPO_SEED` the seed.

#![allow(clippy::disallowed_methods, reason = "a test makes processes")]

use crate::generator;
use crate::sandbox;

use generator::{Dice, number, throws};
use sandbox::{assert_snapshot, ip_json, sh, snapshot, topo, write};
use std::time::Duration;

/// How many files follow one another where nobody says.
const FILES: u64 = 25;

/// Applies a file, once, and sees that nothing is left to do.
#[track_caller]
fn apply(text: &str, story: &str) {
    let path = write("hands.yaml", text);
    let done = topo(&["apply", "--yes", &path]);
    assert_eq!(done.code, 0, "{story}\n{text}\n{}\n{}", done.stdout, done.stderr);
    let plan = topo(&["plan", "--detailed-exitcode", &path]);
    assert_eq!(plan.code, 0, "{story}\n{text}\n{}\n{}", plan.stdout, plan.stderr);
}

/// Which of `pool` values each of `count` things has: none has another's.
fn dealt(dice: &mut Dice<'_>, count: usize, pool: usize) -> Vec<usize> {
    let mut left: Vec<usize> = (0..pool).collect();
    (0..count).map(|_| left.remove(dice.below(left.len()))).collect()
}

#[test]
fn hardware_addresses_and_names() {
    sandbox::run_within("hardware_addresses_and_names", Duration::from_secs(600), || {
        let before = snapshot();
        let seed = number("TOPO_SEED", 1);
        for file in 0..number("TOPO_HANDOVERS", FILES) {
            let throws = throws(seed + file, 64);
            let mut dice = Dice::new(&throws);
            // One more than there are takers, so that there are chains, rings, and both.
            let (macs, names) = (dealt(&mut dice, 4, 5), dealt(&mut dice, 4, 5));
            let link = |nth: usize| {
                let (mac, name) = (macs[nth], names[nth]);
                let up = if dice_is(&throws, nth) { ", up: false" } else { "" };
                format!(
                    "      m{nth}: {{ macvlan: {{ link: e, mode: bridge }}, mac: '02:00:00:00:00:0{mac}', alternative-names: [other-{name}]{up} }}\n"
                )
            };
            let links: String = (0..4).map(link).collect();
            apply(
                &format!(
                    "name: hands\nnamespaces:\n  a:\n    interfaces:\n      e: {{ veth: b/e }}\n{links}  b: {{}}\n"
                ),
                &format!("seed {seed}, file {file}"),
            );
            for (nth, (mac, name)) in macs.iter().zip(&names).enumerate() {
                let shown = &ip_json(&format!("-n a -d link show dev m{nth}"))[0];
                assert_eq!(shown["address"], format!("02:00:00:00:00:0{mac}"));
                assert_eq!(shown["altnames"], serde_json::json!([format!("other-{name}")]));
            }
        }
        // A new link is named as another one was named besides.
        apply(
            "name: hands\nnamespaces:\n  a:\n    interfaces:\n      e: { veth: b/e, alternative-names: [m9] }\n  b: {}\n",
            "a name besides",
        );
        apply(
            "name: hands\nnamespaces:\n  a:\n    interfaces:\n      e: { veth: b/e, alternative-names: [m8] }\n      m9: { veth: b/m9 }\n  b: {}\n",
            "and then a name",
        );
        topo(&["destroy", "--yes", "hands"]).expect(0);
        assert_snapshot(&before);
    });
}

/// Whether the link of this number is down, by a throw that nothing else uses.
fn dice_is(throws: &[u16], nth: usize) -> bool {
    throws[40 + nth].is_multiple_of(5)
}

#[test]
fn ends_of_tunnels_and_ports() {
    sandbox::run_needing_within(
        "ends_of_tunnels_and_ports",
        &["gre", "ipip", "sit", "ip6tnl", "wireguard"],
        Duration::from_secs(600),
        || {
            sh("cd /run/lock; umask 077; for k in 0 1 2; do wg genkey > $k.key; done");
            let seed = number("TOPO_SEED", 1);
            for file in 0..number("TOPO_HANDOVERS", FILES).div_ceil(3) {
                let throws = throws(seed + file, 64);
                let mut dice = Dice::new(&throws);
                let mut links = String::new();
                for (kind, name) in [("gre", "g"), ("gretap", "t"), ("ipip", "i"), ("sit", "s")] {
                    for (nth, end) in dealt(&mut dice, 3, 4).into_iter().enumerate() {
                        links.push_str(&format!(
                            "      {name}{nth}: {{ {kind}: {{ local: 192.0.2.1, remote: 192.0.2.1{end} }} }}\n"
                        ));
                    }
                }
                for (nth, (key, end)) in dealt(&mut dice, 3, 4).into_iter().zip(dealt(&mut dice, 3, 4)).enumerate() {
                    links.push_str(&format!(
                        "      k{nth}: {{ gre: {{ local: 192.0.2.1, remote: 192.0.2.99, key: {key} }} }}\n"
                    ));
                    links.push_str(&format!(
                        "      six{nth}: {{ ip6tnl: {{ local: 'fd00::1', remote: 'fd00::1{end}' }} }}\n"
                    ));
                }
                let ports = dealt(&mut dice, 3, 4);
                for (nth, port) in ports.iter().enumerate() {
                    links.push_str(&format!("      wg{nth}: {{ wireguard: {{ private-key-file: /run/lock/{nth}.key, listen-port: 5182{port} }} }}\n"));
                }
                apply(
                    &format!("name: hands\nnamespaces:\n  a:\n    interfaces:\n{links}"),
                    &format!("seed {seed}, file {file}"),
                );
                for (nth, port) in ports.iter().enumerate() {
                    assert_eq!(
                        sh(&format!("ip netns exec a wg show wg{nth} listen-port")).trim(),
                        format!("5182{port}")
                    );
                }
            }
            topo(&["destroy", "--yes", "hands"]).expect(0);
            assert_eq!(sh("ip netns list"), "");
        },
    );
}

#[test]
fn what_somebody_else_has_is_told_by_the_plan() {
    sandbox::run("what_somebody_else_has_is_told_by_the_plan", || {
        sh("ip link add ens18 type veth peer name far18; ip link property add dev ens18 altname enp6s18");
        let plan = |interface: &str| {
            let path = write("taken.yaml", &format!("name: taken\nhost:\n  interfaces:\n    {interface}\n"));
            let plan = topo(&["plan", "--detailed-exitcode", &path]);
            assert_eq!(plan.code, 1, "{}{}", plan.stdout, plan.stderr);
            assert_eq!(topo(&["apply", "--yes", &path]).code, 1);
            plan.stderr
                .split(|c: char| c.is_whitespace() || c == '│')
                .filter(|word| !word.is_empty())
                .collect::<Vec<_>>()
                .join(" ")
        };
        let said = plan("enp6s18: { bridge: {}, addresses: [10.9.0.1/24] }");
        assert!(
            said.contains("\"enp6s18\" is an alternative name of host/ens18, which belongs to another program or user"),
            "{said}"
        );
        let said = plan("br9: { bridge: {}, addresses: [10.9.0.1/24], alternative-names: [ens18] }");
        assert!(said.contains("host/ens18 already exists and belongs to another program or user"), "{said}");
        let said = plan("br9: { bridge: {}, addresses: [10.9.0.1/24], alternative-names: [enp6s18] }");
        assert!(said.contains("\"enp6s18\" is an alternative name of host/ens18"), "{said}");
        assert_eq!(sh("ip -br link show type bridge"), "");
    });
}
