//! WireGuard on the real kernel: each attribute changed by itself, broken by hand and repaired, and no key in anything
//! that topo says or writes. Judged by `wg`.

#![allow(clippy::disallowed_methods, reason = "a test makes processes")]

use crate::sandbox;

use sandbox::{Output, assert_snapshot, sh, snapshot, topo, try_sh, write};
use std::collections::BTreeMap;

const NEEDS: &[&str] = &["wireguard"];

/// Makes key files `a.key` to `d.key`, `ab.psk` and `cd.psk`; their texts, which nobody may ever see.
fn keys() -> Vec<String> {
    sh(
        "cd /run/lock; umask 077; for k in a b c d; do wg genkey > $k.key; done; for k in ab cd; do wg genpsk > $k.psk; done",
    );
    ["a.key", "b.key", "c.key", "d.key", "ab.psk", "cd.psk"]
        .iter()
        .map(|name| sh(&format!("cat /run/lock/{name}")).trim().to_owned())
        .collect()
}

fn public(name: &str) -> String {
    sh(&format!("wg pubkey < /run/lock/{name}")).trim().to_owned()
}

/// Two nodes on a wire; what A's and B's interface say, and what stands beside them in A.
fn file(a: &str, b: &str) -> String {
    format!(
        "name: wg\nnamespaces:\n  A:\n    interfaces:\n      eth0: {{ veth: B/eth0, addresses: [192.0.2.1/24] }}\n      wg0: {{ wireguard: {{ {a} }}, addresses: [10.9.0.1/24] }}\n  \
         B:\n    interfaces:\n      eth0: {{ addresses: [192.0.2.2/24] }}\n      wg0: {{ wireguard: {{ {b} }}, addresses: [10.9.0.2/24] }}\n"
    )
}

const B: &str = "private-key-file: b.key, listen-port: 51821, peers: [{ interface: A/wg0, allowed-ips: 10.9.0.1 }]";

/// Applies a file and sees that nothing is left to do.
#[track_caller]
fn apply(text: &str) -> Output {
    let path = write("wg.yaml", text);
    let output = topo(&["apply", "--yes", &path]).expect(0);
    topo(&["plan", "--detailed-exitcode", &path]).expect(0);
    output
}

/// What wg says of the interface of `node`, and of its peers by their keys. (The first line: private key, public key,
/// port, mark; each peer's: preshared key, endpoint, allowed prefixes, keepalive.)
fn dump(node: &str) -> (Vec<String>, BTreeMap<String, [String; 4]>) {
    let text = sh(&format!("ip netns exec {node} wg show wg0 dump"));
    let mut lines = text.lines().map(|line| line.split('\t').map(str::to_owned).collect::<Vec<_>>());
    let interface = lines.next().unwrap();
    let sorted = |list: &str| {
        let mut list: Vec<&str> = list.split(',').collect();
        list.sort_unstable();
        list.join(",")
    };
    (interface, lines.map(|p| (p[0].clone(), [p[1].clone(), p[2].clone(), sorted(&p[3]), p[7].clone()])).collect())
}

#[test]
#[expect(clippy::too_many_lines, reason = "a step for each attribute")]
fn each_attribute_by_itself() {
    sandbox::run_needing("each_attribute_by_itself", NEEDS, || {
        let secrets = keys();
        let (a, b, c) = (public("a.key"), public("b.key"), public("c.key"));
        let before = snapshot();
        apply(&file("private-key-file: a.key", "private-key-file: b.key"));
        let (interface, peers) = dump("A");
        assert_eq!(
            (interface[0].as_str(), interface[1].as_str(), interface[3].as_str()),
            (secrets[0].as_str(), a.as_str(), "off")
        );
        assert!(peers.is_empty());
        let index = || sh("ip -n A -j link show wg0 | sed 's/.*\"ifindex\":\\([0-9]*\\),.*/\\1/'");
        let first = index();

        let with = |key: &str, rest: &str| apply(&file(&format!("private-key-file: {key}.key{rest}"), B));
        with("a", ", listen-port: 51820");
        assert_eq!(dump("A").0[2], "51820");
        with("a", ", listen-port: 51822, fwmark: 0x20");
        assert_eq!(dump("A").0[2..], ["51822".to_owned(), "0x20".to_owned()]);
        with("a", ", listen-port: 51820");
        assert_eq!(dump("A").0[2..], ["51820".to_owned(), "off".to_owned()]);
        with("d", ", listen-port: 51820");
        assert_eq!((dump("A").0[0].as_str(), dump("A").0[1].as_str()), (secrets[3].as_str(), public("d.key").as_str()));
        // B's peer has followed the key file.
        assert_eq!(dump("B").1.keys().collect::<Vec<_>>(), [&public("d.key")]);
        with("a", ", listen-port: 51820");

        let peer = |rest: &str| {
            with(
                "a",
                &format!(", listen-port: 51820, peers: [{{ interface: B/wg0, allowed-ips: [10.9.0.2/32]{rest} }}]"),
            )
        };
        let seen = |which: usize| dump("A").1[&b][which].clone();
        peer("");
        assert_eq!(
            dump("A").1[&b],
            ["(none)".to_owned(), "(none)".to_owned(), "10.9.0.2/32".to_owned(), "off".to_owned()]
        );
        peer(", endpoint: \"192.0.2.2:51821\"");
        assert_eq!(seen(1), "192.0.2.2:51821");
        peer(", endpoint: \"[2001:db8::2]:51821\"");
        assert_eq!(seen(1), "[2001:db8::2]:51821");
        peer(", endpoint: \"192.0.2.2:51821\", keepalive: 25s");
        assert_eq!(seen(3), "25");
        peer(", endpoint: \"192.0.2.2:51821\", preshared-key-file: ab.psk");
        assert_eq!((seen(0), seen(3)), (secrets[4].clone(), "off".to_owned()));
        peer(", endpoint: \"192.0.2.2:51821\", preshared-key-file: cd.psk");
        assert_eq!(seen(0), secrets[5]);
        peer(", endpoint: \"192.0.2.2:51821\"");
        assert_eq!(seen(0), "(none)");

        // Peers are a set: each comes and goes by itself, and a prefix wanders from one to the other.
        let two = |one: &str, other: &str| {
            let peers = format!(
                "peers: [{{ interface: B/wg0, allowed-ips: [{one}] }}, {{ public-key: \"{c}\", allowed-ips: [{other}] }}]"
            );
            with("a", &format!(", listen-port: 51820, {peers}"))
        };
        two("10.9.0.2/32, \"fd00::/64\"", "10.9.1.0/24");
        assert_eq!(
            (dump("A").1[&b][2].as_str(), dump("A").1[&c][2].as_str()),
            ("10.9.0.2/32,fd00::/64", "10.9.1.0/24")
        );
        two("10.9.1.0/24", "10.9.0.2/32, \"fd00::/64\"");
        assert_eq!(
            (dump("A").1[&b][2].as_str(), dump("A").1[&c][2].as_str()),
            ("10.9.1.0/24", "10.9.0.2/32,fd00::/64")
        );
        with("a", &format!(", listen-port: 51820, peers: [{{ public-key: \"{c}\", allowed-ips: [10.9.0.2/32] }}]"));
        assert_eq!(dump("A").1.keys().collect::<Vec<_>>(), [&c]);
        with("a", ", listen-port: 51820");
        assert!(dump("A").1.is_empty());
        assert_eq!(index(), first, "all of that was done where the interface stood");

        topo(&["destroy", "--yes", "wg"]).expect(0);
        sh("rm /run/lock/wg.yaml");
        assert_snapshot(&before);
    });
}

#[test]
fn two_sites_talk_and_hand_edits_are_repaired() {
    sandbox::run_needing("two_sites_talk_and_hand_edits_are_repaired", NEEDS, || {
        let secrets = keys();
        let (a, b, c) = (public("a.key"), public("b.key"), public("c.key"));
        let peer = "{ interface: B/wg0, allowed-ips: [10.9.0.2/32], endpoint: \"192.0.2.2:51821\", preshared-key-file: ab.psk }";
        let text = file(
            &format!("private-key-file: a.key, listen-port: 51820, fwmark: 7, peers: [{peer}]"),
            "private-key-file: b.key, listen-port: 51821, peers: [{ interface: A/wg0, allowed-ips: 10.9.0.1, preshared-key-file: ab.psk, keepalive: 7s }]",
        );
        apply(&text);
        let path = "/run/lock/wg.yaml";
        sh("ip netns exec A ping -c 2 -i 0.2 -W 5 10.9.0.2; ip netns exec B ping -c 1 -W 5 10.9.0.1");
        // B has learned where A is; nobody wrote it, so it is no difference.
        assert_eq!(dump("B").1[&a][1], "192.0.2.1:51820");
        topo(&["plan", "--detailed-exitcode", path]).expect(0);

        let edits = [
            ("A", "wg set wg0 listen-port 4444", "listen-port"),
            ("A", "wg set wg0 fwmark off", "fwmark"),
            ("A", "wg set wg0 private-key /run/lock/c.key", "public-key"),
            ("A", "wg set wg0 private-key /dev/null", "public-key"),
            ("A", &format!("wg set wg0 peer {b} remove"), "peer"),
            ("A", &format!("wg set wg0 peer {b} allowed-ips 10.9.0.3/32"), "allowed-ips"),
            ("A", &format!("wg set wg0 peer {b} allowed-ips ''"), "allowed-ips"),
            ("A", &format!("wg set wg0 peer {b} endpoint 192.0.2.9:9"), "endpoint"),
            ("A", &format!("wg set wg0 peer {b} persistent-keepalive 3"), "keepalive"),
            ("A", &format!("wg set wg0 peer {b} preshared-key /run/lock/cd.psk"), "preshared-key"),
            ("A", &format!("wg set wg0 peer {b} preshared-key /dev/null"), "preshared-key"),
            ("A", &format!("wg set wg0 peer {c} allowed-ips 10.9.0.2/32"), &c),
            ("B", &format!("wg set wg0 peer {a} persistent-keepalive 0"), "keepalive"),
            ("B", "ip link set wg0 down", "up"),
            ("B", "ip link del wg0", "wg0"),
        ];
        let good = (dump("A"), dump("B").0);
        for (node, edit, field) in edits {
            sh(&format!("ip netns exec {node} {edit}"));
            topo(&["plan", "--detailed-exitcode", path]).expect(2).says(field);
            topo(&["apply", "--yes", path]).expect(0);
            topo(&["plan", "--detailed-exitcode", path]).expect(0);
            assert_eq!((dump("A"), dump("B").0), good, "after {edit}");
        }
        assert_eq!(dump("A").1[&b][0], secrets[4]);
        // B is new and knows nothing of what was agreed before; A notices after 15 seconds without an answer, and
        // agrees anew.
        sh("ip netns exec A ping -c 2 -w 60 10.9.0.2");
        topo(&["destroy", "--yes", "wg"]).expect(0);
    });
}

#[test]
fn no_key_is_ever_shown() {
    sandbox::run_needing("no_key_is_ever_shown", NEEDS, || {
        let secrets = keys();
        let path = "/run/lock/wg.yaml";
        let text = |key: &str, psk: &str| {
            let peer = format!(
                "{{ interface: B/wg0, allowed-ips: [10.9.0.2/32], endpoint: \"192.0.2.2:51821\", preshared-key-file: {psk} }}"
            );
            file(&format!("private-key-file: {key}, peers: [{peer}]"), B)
        };
        let said = std::cell::RefCell::new(String::new());
        let run = |args: &[&str]| {
            let output = topo(args);
            said.borrow_mut().push_str(&format!("{args:?} ({})\n{}{}", output.code, output.stdout, output.stderr));
        };
        for (key, psk) in [
            ("a.key", "ab.psk"),
            ("c.key", "cd.psk"),
            ("nowhere.key", "ab.psk"),
            ("a.key", "wg.yaml"),
            ("d.key", "cd.psk"),
        ] {
            write("wg.yaml", &text(key, psk));
            run(&["validate", path]);
            for more in [&[][..], &["--commands"], &["--json"], &["--summary"], &["--out", "/run/lock/plan"]] {
                run(&[&["plan", path][..], more].concat());
            }
            run(&["-v", "apply", "--yes", path]);
            for more in [&[][..], &["--json"], &["--yaml"]] {
                run(&[&["show", "wg"][..], more].concat());
            }
            run(&["list", "--json"]);
        }
        sh("ip netns exec A wg set wg0 private-key /run/lock/b.key");
        run(&["plan", "--json", path]);
        run(&["-v", "undo", "--yes", "wg"]);
        run(&["-v", "apply", "--yes", "--json", path]);
        run(&["-v", "undo", "--yes", "wg"]);
        said.borrow_mut().push_str(&sh("cat /run/lock/plan; find /run/topo -type f -print -exec cat {} +"));
        run(&["-v", "destroy", "--yes", "--json", "wg"]);
        let said = said.into_inner();
        for secret in &secrets {
            assert!(!said.contains(secret.trim_end_matches('=')), "a key was shown:\n{said}");
        }
        // They were there to be seen: public keys and the paths of files are.
        assert!(
            said.contains(&public("a.key")) && said.contains("/run/lock/a.key") && said.contains("fingerprint"),
            "{said}"
        );
    });
}

#[test]
fn transport_is_where_packets_leave() {
    sandbox::run_needing("transport_is_where_packets_leave", NEEDS, || {
        keys();
        let before = snapshot();
        let text = |transport: &str| {
            format!(
                "name: wg\nnamespaces:\n  OUT:\n    interfaces:\n      eth0: {{ veth: B/eth0, addresses: [192.0.2.1/24] }}\n  OTHER: {{}}\n  A:\n    interfaces:\n      wg0: {{ wireguard: \
                 {{ private-key-file: a.key{transport}, listen-port: 51820, peers: [{{ interface: B/wg0, allowed-ips: 10.9.0.2, endpoint: \"192.0.2.2:51821\" }}] }}, addresses: [10.9.0.1/24] }}\n  \
                 B:\n    interfaces:\n      eth0: {{ addresses: [192.0.2.2/24] }}\n      wg0: {{ wireguard: {{ {B} }}, addresses: [10.9.0.2/24] }}\n"
            )
        };
        let reaches = || try_sh("ip netns exec A ping -c 1 -W 3 10.9.0.2").code == 0;
        let listens = |node: &str| sh(&format!("ip netns exec {node} ss -Hlun 'sport = :51820'")).contains(":51820");
        apply(&text(", transport: OUT"));
        assert!(listens("OUT") && !listens("A") && reaches());
        let output = apply(&text(", transport: OTHER"));
        output.says("(re-creates: transport cannot be changed in place)");
        assert!(listens("OTHER") && !listens("OUT") && !reaches());
        apply(&text(""));
        assert!(listens("A") && !listens("OTHER"));
        apply(&text(", transport: OUT"));
        assert!(listens("OUT") && reaches());
        // Who deletes the node that the packets leave from has cut it off, and nobody can see it in the interface
        // itself.
        sh("ip netns del OUT");
        apply(&text(", transport: OUT"));
        assert!(listens("OUT") && reaches());
        // Without the record nobody knows where it was born, and it is left as it is.
        topo(&["show", "--yaml", "wg"]).expect(0).says("transport: OUT");
        sh("rm -r /run/topo");
        topo(&["plan", "--detailed-exitcode", "/run/lock/wg.yaml"]).expect(0);
        topo(&["show", "--yaml", "wg"]).expect(0).says("which file has the key of A/wg0 is not known");
        topo(&["destroy", "--yes", "wg"]).expect(0);
        sh("rm /run/lock/wg.yaml");
        assert_snapshot(&before);
    });
}

#[test]
fn keys_that_cannot_be_had() {
    sandbox::run_needing("keys_that_cannot_be_had", NEEDS, || {
        let secrets = keys();
        let path = "/run/lock/wg.yaml";
        let plan = |text: &str| topo(&["plan", &write("wg.yaml", text)]);
        let one = |key: &str| file(&format!("private-key-file: {key}, listen-port: 51820"), B);
        let before = snapshot();
        plan(&one("nowhere.key")).expect(1).says("no such file").says("wg genkey").says("wg.yaml:6:7");
        plan(&one("wg.yaml")).expect(1).says("there is no key in it");
        plan(&one("/dev/zero")).expect(1).says("it is no plain file");
        plan(&one("/")).expect(1).says("it is no plain file");
        sh("mkfifo /run/lock/pipe");
        plan(&one("pipe")).expect(1).says("it is no plain file");
        let own = public("a.key");
        let peers = |list: &str| file(&format!("private-key-file: a.key, peers: [{list}]"), B);
        plan(&peers(&format!("{{ public-key: \"{own}\", allowed-ips: 10.9.0.9 }}")))
            .expect(1)
            .says("that is the key of A/wg0 itself");
        let twice = format!(
            "{{ interface: B/wg0, allowed-ips: 10.9.0.2 }}, {{ public-key: \"{}\", allowed-ips: 10.9.0.3 }}",
            public("b.key")
        );
        plan(&peers(&twice)).expect(1).says("has another peer with the same key");
        sh("rm /run/lock/pipe /run/lock/wg.yaml");
        assert_snapshot(&before);

        // A key that others can read is told, and used.
        sh("chmod 644 /run/lock/a.key");
        topo(&["apply", "--yes", &write("wg.yaml", &one("a.key"))])
            .expect(0)
            .says("others can read the key in \"/run/lock/a.key\"");
        sh("chmod 600 /run/lock/a.key");

        // A plan is for the key that it was made with.
        topo(&["plan", "--out", "/run/lock/plan", &write("wg.yaml", &one("c.key"))]).expect(0);
        sh("cp /run/lock/d.key /run/lock/c.key");
        topo(&["apply", "--yes", "/run/lock/plan"]).expect(1).says("make the plan again");
        assert_eq!(dump("A").0[1], own);

        // An undo gets the old key from its file; where that has another one now, it is refused before anything is
        // done.
        topo(&["apply", "--yes", path]).expect(0);
        assert_eq!(dump("A").0[1], public("d.key"));
        sh("cp /run/lock/a.key /run/lock/kept; cp /run/lock/b.key /run/lock/a.key");
        topo(&["undo", "--yes", "wg"]).expect(1).says("has another key now").says("put the old key back");
        assert_eq!(dump("A").0[1], public("d.key"));
        sh("cp /run/lock/kept /run/lock/a.key");
        topo(&["undo", "--yes", "wg"]).expect(0);
        assert_eq!(dump("A").0[0], secrets[0]);

        // So is an apply that waits for confirmation: who undoes it is another process, which has the keys of files
        // alone.
        sh("cp /run/lock/d.key /run/lock/a.key");
        let refused = topo(&["apply", "--yes", "--confirm", "1h", &write("wg.yaml", &one("a.key"))]);
        refused.expect(1).says("has another key now").says("write the new key to another file").says("wg.yaml:6:7");
        assert_eq!(dump("A").0[0], secrets[0]);
        sh("cp /run/lock/kept /run/lock/a.key");
        topo(&["apply", "--yes", "--confirm", "1h", &write("wg.yaml", &one("d.key"))]).expect(0);
        assert_eq!(dump("A").0[1], public("d.key"));
        topo(&["rollback", "wg"]).expect(0);
        assert_eq!(dump("A").0[0], secrets[0]);

        // What fails is undone, with the old key, which is in no file any more: port 51821 is taken.
        sh("rm /run/lock/a.key");
        sh("ip netns exec A socat -u UDP-LISTEN:51821 /dev/null >/dev/null 2>&1 </dev/null & sleep 0.5");
        let text = file("private-key-file: d.key, listen-port: 51821", B);
        topo(&["apply", "--yes", &write("wg.yaml", &text)]).expect(1).says("another socket has UDP port 51821 there");
        assert_eq!(dump("A").0[0], secrets[0]);
        topo(&["destroy", "--yes", "wg"]).expect(0);
    });
}
