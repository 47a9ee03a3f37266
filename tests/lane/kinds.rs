//! Every kind of link and every attribute: changed alone, seen by `ip -d -j`, nothing else changed, the plan after it
//! empty, and gone after destroy.
//!
//! `tests/kinds/table.rs` has a row for each attribute of `topo::resource::kinds`; a missing one is a failure. All rows
//! of a kind are applied side by side, each in a namespace of its own.

mod elsewhere;
use crate::sandbox;
mod table;

use sandbox::{assert_snapshot_with, quiet, run_needing_within, sh, topo, write};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::time::Duration;
use table::{How, Row, SUBJECTS, Subject};
use topo::resource::{Impact, kinds};

/// The link that a row is about.
const NAME: &str = "x0";

fn subject(word: &str) -> &'static Subject {
    SUBJECTS.iter().find(|subject| subject.word == word).unwrap_or_else(|| panic!("the table has no {word}"))
}

/// The name of a row's namespace.
fn node(nth: usize) -> String {
    format!("N{nth:02}")
}

fn text(subject: &Subject, rows: &[Row], changed: bool) -> String {
    let mut text = String::from("name: kinds\nnamespaces:\n");
    for (nth, row) in rows.iter().enumerate() {
        let (map, keys) = if changed { (row.map_after(), row.keys_after) } else { (row.map_before(), row.keys_before) };
        writeln!(text, "  {}:\n    interfaces:", node(nth)).unwrap();
        for line in subject.beside.lines() {
            writeln!(text, "      {}", line.trim()).unwrap();
        }
        let kind = if subject.key == "veth" { format!("veth: {map}") } else { format!("{}: {{ {map} }}", subject.key) };
        let master = if subject.word == "port" { ", master: br0" } else { "" };
        writeln!(text, "      {NAME}: {{ {kind}{master}{}{keys} }}", if keys.is_empty() { "" } else { ", " }).unwrap();
    }
    text
}

/// Every value of a JSON by its path.
fn flat(value: &Value, path: &str, out: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(map) => map.iter().for_each(|(key, value)| flat(value, &format!("{path}/{key}"), out)),
        Value::Array(list) if list.iter().any(|item| item.is_object()) => {
            for (nth, value) in list.iter().enumerate() {
                flat(value, &format!("{path}/{nth}"), out);
            }
        }
        Value::Array(list) => {
            let mut words: Vec<String> = list.iter().map(shown).collect();
            words.sort();
            out.insert(path.to_owned(), words.join(" "));
        }
        other => _ = out.insert(path.to_owned(), shown(other)),
    }
}

fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// What moves by itself, or follows from what others do in their own time.
const RESTLESS: [&str; 29] = [
    "operstate",
    "qdisc",
    "promiscuity",
    "allmulti",
    "carrier_changes",
    "link_netnsid",
    "link_index",
    "hello_timer",
    "tcn_timer",
    "gc_timer",
    "topology_change_timer",
    "topology_change",
    "topology_change_detected",
    "root_id",
    "bridge_id",
    "root_port",
    "root_path_cost",
    "designated_bridge",
    "designated_root",
    "designated_port",
    "designated_cost",
    "message_age_timer",
    "forward_delay_timer",
    "hold_timer",
    "id",
    "no",
    "state",
    "active_slave",
    "mii_status",
];

/// The links of a node as `ip -d -j` prints them: by name, path and value; and their numbers.
type Links = (BTreeMap<String, String>, BTreeMap<String, u64>);

fn links(node: &str) -> Links {
    let text = sh(&format!("ip -n {node} -d -j link show"));
    let Value::Array(list) = serde_json::from_str(&text).unwrap() else { panic!("{text}") };
    let (mut all, mut numbers) = (BTreeMap::new(), BTreeMap::new());
    for mut link in list {
        let name = link["ifname"].as_str().unwrap().to_owned();
        numbers.insert(name.clone(), link["ifindex"].as_u64().unwrap());
        let map = link.as_object_mut().unwrap();
        map.remove("ifindex");
        let up = map.remove("flags").is_some_and(|flags| flags.as_array().unwrap().iter().any(|flag| flag == "UP"));
        map.insert("up".to_owned(), up.into());
        // The number of a VLAN, a vxlan or a geneve is no number of a port.
        let id = link["linkinfo"]["info_data"].get("id").cloned();
        let mut found = BTreeMap::new();
        flat(&link, &name, &mut found);
        if let Some(id) = id {
            found.insert(format!("{name}/linkinfo/info_data/vni"), shown(&id));
        }
        found.retain(|path, _| {
            !path.rsplit('/').next().is_some_and(|last| RESTLESS.contains(&last))
                && !path.contains("/info_slave_data/ad_")
                && !path.contains("/ad_info/")
        });
        all.extend(found);
    }
    (all, numbers)
}

/// How `after` differs from `before`, a path and its new value each; for one that is new, its own random address apart.
fn differences(before: &Links, after: &Links, replaced: bool) -> BTreeSet<String> {
    let paths: BTreeSet<&String> = before.0.keys().chain(after.0.keys()).collect();
    // The ports of a bond have its address.
    let random = |path: &str| replaced && ["/address", "/permaddr"].iter().any(|end| path.ends_with(end));
    paths
        .into_iter()
        .filter(|path| before.0.get(*path) != after.0.get(*path) && !random(path))
        .map(|path| format!("{path}={}", after.0.get(path).map_or("-", String::as_str)))
        .collect()
}

fn seen_all(rows: &[Row]) -> Vec<Links> {
    (0..rows.len()).map(|nth| links(&node(nth))).collect()
}

fn converge(file: &str) {
    let done = topo(&["apply", "--yes", file]);
    assert_eq!(done.code, 0, "{}\n{}\n{}", done.stdout, done.stderr, std::fs::read_to_string(file).unwrap());
    let planned = topo(&["plan", "--detailed-exitcode", file]);
    assert_eq!(
        planned.code,
        0,
        "the plan after an apply is not empty:\n{}\n{}\n{}",
        planned.stdout,
        planned.stderr,
        std::fs::read_to_string(file).unwrap()
    );
}

/// Whether what a row says of the kernel by another program is so.
fn by_hand(row: &Row, nth: usize, after: bool, wrong: &mut Vec<String>) {
    let Some((script, before_text, after_text)) = row.or else { return };
    let expected = if after { after_text } else { before_text };
    let said = sh(&script.replace("$n", &node(nth)));
    if !said.contains(expected) {
        wrong.push(format!("{}: {expected:?} is not in {said:?}", row.name()));
    }
}

fn judge(row: &Row, before: &Links, after: &Links, what: &str, wrong: &mut Vec<String>) {
    let replaced = row.how == How::Replaced;
    let found = differences(before, after, replaced);
    let full =
        |text: &String| if text.contains('/') { text.clone() } else { format!("{NAME}/linkinfo/info_data/{text}") };
    let random = |text: &String| replaced && text.starts_with(&format!("{NAME}/address="));
    let expected: BTreeSet<String> = row.seen.iter().map(full).filter(|text| !random(text)).collect();
    if found != expected {
        wrong.push(format!("{} ({what}): ip says {found:?}, expected {expected:?}", row.name()));
    }
    if what == "changed" && replaced != (before.1.get(NAME) != after.1.get(NAME)) {
        wrong.push(format!(
            "{}: {:?}, but its number is {:?} after {:?}",
            row.name(),
            row.how,
            after.1.get(NAME),
            before.1.get(NAME)
        ));
    }
}

/// All rows of a kind, side by side.
fn kind(word: &str, only: &str) -> Vec<String> {
    let subject = subject(word);
    let rows: Vec<Row> = subject.rows().into_iter().filter(|row| only.is_empty() || row.name() == only).collect();
    let options = sandbox::Options { handles: true, indexes: true, addresses: true, ..sandbox::Options::default() };
    let machine = quiet(&options);
    let (base, changed) =
        (write("base.yaml", &text(subject, &rows, false)), write("changed.yaml", &text(subject, &rows, true)));
    let mut wrong = Vec::new();
    converge(&base);
    let first = seen_all(&rows);
    rows.iter().enumerate().for_each(|(nth, row)| by_hand(row, nth, false, &mut wrong));
    converge(&changed);
    let second = seen_all(&rows);
    for (nth, row) in rows.iter().enumerate() {
        judge(row, &first[nth], &second[nth], "changed", &mut wrong);
        by_hand(row, nth, true, &mut wrong);
    }
    converge(&base);
    for (nth, (row, third)) in rows.iter().zip(seen_all(&rows)).enumerate() {
        // A tunnel that is to stand on nothing again is made anew.
        let back = differences(&first[nth], &third, row.how == How::Replaced || row.name() == "link");
        if !back.is_empty() {
            wrong.push(format!("{}: after going back ip says {back:?}", row.name()));
        }
        by_hand(row, nth, false, &mut wrong);
    }
    topo(&["destroy", "--yes", "kinds"]).expect(0);
    assert_snapshot_with(&machine, &options);
    // Made with it, not given it later: the same but for random addresses.
    converge(&changed);
    for (nth, (row, fresh)) in rows.iter().zip(seen_all(&rows)).enumerate() {
        let mut differ = differences(&second[nth], &fresh, true);
        differ.retain(|text| {
            !text.split('=').next().is_some_and(|path| {
                path.ends_with("address") || path.ends_with("permaddr") || path.ends_with("perm_hwaddr")
            })
        });
        if !differ.is_empty() {
            wrong.push(format!("{}: made anew ip says {differ:?}", row.name()));
        }
        by_hand(row, nth, true, &mut wrong);
    }
    topo(&["destroy", "--yes", "kinds"]).expect(0);
    assert_snapshot_with(&machine, &options);
    println!("{word}: {} rows, {} wrong", rows.len(), wrong.len());
    wrong.into_iter().map(|text| format!("{word} {text}")).collect()
}

/// `KIND/ROW` of the environment, to look at one alone.
fn only(word: &str) -> Option<String> {
    match std::env::var("TOPO_KIND") {
        Err(_) => Some(String::new()),
        Ok(text) => match text.split_once('/') {
            None => (text == word).then(String::new),
            Some((kind, row)) => (kind == word).then(|| row.to_owned()),
        },
    }
}

fn group(test: &str, words: &[&str]) {
    let features: Vec<&'static str> = words.iter().flat_map(|word| subject(word).features).copied().collect();
    run_needing_within(test, &features, Duration::from_secs(240), || {
        let chosen = words.iter().filter_map(|word| Some((word, only(word)?)));
        let wrong: Vec<String> = chosen.flat_map(|(word, only)| kind(word, &only)).collect();
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    });
}

const GROUPS: [(&str, &[&str]); 6] = [
    ("plain", &["veth", "dummy", "ifb", "nlmon", "vrf", "tun", "tap"]),
    ("linked", &["vlan", "macvlan", "macvtap", "ipvlan"]),
    ("bridges", &["bridge", "port"]),
    ("bonds", &["bond"]),
    ("tunnels_of_frames", &["vxlan", "geneve", "gretap", "ip6gretap"]),
    ("tunnels_of_packets", &["gre", "ip6gre", "ipip", "sit", "ip6tnl"]),
];

fn named(test: &str) {
    group(test, GROUPS.iter().find(|(name, _)| *name == test).unwrap().1);
}

#[test]
fn plain() {
    named("plain");
}

#[test]
fn linked() {
    named("linked");
}

#[test]
fn bridges() {
    named("bridges");
}

#[test]
fn bonds() {
    named("bonds");
}

#[test]
fn tunnels_of_frames() {
    named("tunnels_of_frames");
}

#[test]
fn tunnels_of_packets() {
    named("tunnels_of_packets");
}

/// A kernel that takes such a VLAN and its VRF in one go dereferences a null pointer: this test fails by a lane that
/// has stopped.
#[test]
fn a_vlan_that_tells_switches_leaves_its_vrf_first() {
    run_needing_within(
        "a_vlan_that_tells_switches_leaves_its_vrf_first",
        &["vlan", "vrf"],
        Duration::from_secs(60),
        || {
            // The first VRF brings the kernel's rule for all of them, which stays.
            sh("ip link add first0 type vrf table 99; ip link delete first0");
            let machine = sandbox::snapshot();
            let both = "
      up0: { veth: BLUE/up0 }
      v0: { vrf: { table: 7 } }
      up0.5: { vlan: { id: 5, link: up0, gvrp: true, mvrp: true }, master: v0, addresses: [10.5.0.1/24] }";
            let inside = write(
                "inside.yaml",
                &format!("name: kinds\nnamespaces:\n  BLUE: {{}}\n  RED:\n    interfaces:{both}\n"),
            );
            let host =
                write("host.yaml", &format!("name: kinds\nhost:\n    interfaces:{both}\nnamespaces:\n  BLUE: {{}}\n"));
            for (from, to) in [(&inside, &host), (&host, &inside)] {
                converge(from);
                converge(to);
                topo(&["destroy", "--yes", "kinds"]).expect(0);
                // The kernel takes a namespace away a little later than it says.
                std::thread::sleep(Duration::from_secs(1));
                sandbox::assert_snapshot(&machine);
            }
        },
    );
}

/// The kernel brings them with the first VRF that a namespace ever had, and not with a later one.
#[test]
fn the_rules_for_vrfs_are_there_whatever_was_before() {
    run_needing_within("the_rules_for_vrfs_are_there_whatever_was_before", &["vrf"], Duration::from_secs(60), || {
        let with =
            write("with.yaml", "name: kinds\nnamespaces: { RED: { interfaces: { v0: { vrf: { table: 7 } } } } }\n");
        let without = write("without.yaml", "name: kinds\nnamespaces: { RED: {} }\n");
        converge(&without);
        for hand in [
            "",
            "ip -n RED rule delete priority 1000",
            "ip -n RED -6 rule delete priority 1000",
            "ip -n RED rule delete priority 1000; ip -n RED -6 rule delete priority 1000",
        ] {
            sh(hand);
            converge(&with);
            for family in ["-4", "-6"] {
                let rules = sh(&format!("ip {family} -n RED rule"));
                assert_eq!(rules.matches("l3mdev-table").count(), 1, "{hand}: {rules}");
            }
            converge(&without);
        }
    });
}

/// No kind without a subject, no attribute without a row, and each row expects what the table of kinds says.
#[test]
fn every_attribute_has_a_row() {
    let tested: BTreeSet<&str> = GROUPS.iter().flat_map(|(_, words)| *words).copied().collect();
    let all =
        kinds::ALL.iter().map(|spec| (spec.kind.name(), spec.word, spec.attributes)).map(|(name, word, attributes)| {
            // The kernel has one name for tun and tap, and two for gre.
            (if name == "tun" { word } else { name }, attributes)
        });
    for (word, attributes) in all.chain([("port", kinds::PORT)]) {
        // WireGuard's are changed one by one in a test of their own, which needs keys.
        if word == "wireguard" {
            let file = include_str!("wireguard.rs");
            attributes.iter().for_each(|attribute| {
                assert!(file.contains(attribute.name), "nobody looks at {} of {word}", attribute.name)
            });
            continue;
        }
        assert!(tested.contains(word), "no test is about {word}");
        let rows = subject(word).rows();
        for attribute in attributes {
            // So are those of VLAN filtering, which need ports.
            if word == "bridge" && attribute.name.starts_with("vlan-") {
                assert!(include_str!("vlans.rs").contains(attribute.name), "nobody looks at {}", attribute.name);
                continue;
            }
            let row = rows.iter().find(|row| row.of.contains(&attribute.name));
            let row = row.unwrap_or_else(|| panic!("the attribute {} of {word} has no row", attribute.name));
            assert_eq!(row.how == How::Replaced, attribute.impact == Impact::Replace, "{word} {}", attribute.name);
            assert!(!row.seen.is_empty() || row.or.is_some(), "{word} {}: nobody looks", attribute.name);
        }
        for common in ["mtu", "up", "txqueuelen", "alternative-names"] {
            assert!(word == "port" || rows.iter().any(|row| row.of.contains(&common)), "{common} of {word} has no row");
        }
    }
}
