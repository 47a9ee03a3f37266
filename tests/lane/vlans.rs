//! VLANs of bridges on the real kernel: each attribute made, changed and taken back, judged by `bridge` and `ip`, and
//! by who reaches whom.

#![allow(clippy::disallowed_methods, reason = "a test makes processes")]

use crate::sandbox;

use sandbox::{Output, assert_snapshot, sh, snapshot, topo, try_sh, write};
use serde_json::Value;
use std::collections::BTreeMap;

const NEEDS: &[&str] = &["bridge_vlan_filtering"];

/// A switch with three ports; `bridge` and `ports` say what is tried.
fn switch(bridge: &str, itself: &str, ports: [&str; 3]) -> String {
    let [a, b, c] = ports;
    format!(
        "name: lab
namespaces:
  SW:
    interfaces:
      br0: {{ bridge: {{ {bridge} }}{itself} }}
      a: {{ veth: A/eth0, master: br0{a} }}
      b: {{ veth: B/eth0, master: br0{b} }}
      c: {{ veth: C/eth0, master: br0{c} }}
  A: {{ interfaces: {{ eth0: {{ addresses: [10.0.0.1/24] }} }} }}
  B: {{ interfaces: {{ eth0: {{ addresses: [10.0.0.2/24] }} }} }}
  C: {{ interfaces: {{ eth0: {{ addresses: [10.0.0.3/24] }} }} }}
"
    )
}

fn json(command: &str) -> Value {
    serde_json::from_str(&sh(command)).unwrap()
}

/// What `bridge vlan` says of each device of `node`: `10 PVID untagged, 20-30`.
fn vlans(node: &str) -> BTreeMap<String, String> {
    let all = json(&format!("bridge -n {node} -j -compressvlans vlan show"));
    let one = |vlan: &Value| {
        let end = vlan["vlanEnd"].as_u64().map_or(String::new(), |end| format!("-{end}"));
        let flags: Vec<&str> =
            vlan["flags"].as_array().into_iter().flatten().map(|flag| flag.as_str().unwrap()).collect();
        let flag = |word: &str, short: &str| if flags.contains(&word) { format!(" {short}") } else { String::new() };
        format!("{}{end}{}{}", vlan["vlan"], flag("PVID", "PVID"), flag("Egress Untagged", "untagged"))
    };
    let device = |device: &Value| {
        let vlans: Vec<String> = device["vlans"].as_array().unwrap().iter().map(one).collect();
        (device["ifname"].as_str().unwrap().to_owned(), vlans.join(", "))
    };
    all.as_array().unwrap().iter().map(device).collect()
}

/// The static forwarding entries of a device: `02:… 10`.
fn stations(node: &str, dev: &str) -> Vec<String> {
    let all = json(&format!("bridge -n {node} -j fdb show dev {dev}"));
    let is_static = |entry: &&Value| entry["state"] == "static";
    let mut found: Vec<String> = all
        .as_array()
        .unwrap()
        .iter()
        .filter(is_static)
        .map(|entry| format!("{} {}", entry["mac"].as_str().unwrap(), entry["vlan"]))
        .collect();
    found.sort();
    found
}

fn index(node: &str, dev: &str) -> u64 {
    json(&format!("ip -n {node} -j link show {dev}"))[0]["ifindex"].as_u64().unwrap()
}

/// Applies a file; afterwards nothing is left to do, and nothing either towards what `show --yaml` says of it.
#[track_caller]
fn apply(file: &str) -> Output {
    let plan = topo(&["plan", file]);
    let applied = topo(&["apply", "--yes", file]);
    assert!(applied.code == 0, "{}{}{}", plan.stdout, applied.stdout, applied.stderr);
    silent(file);
    let seen = write("seen.yaml", &topo(&["show", "--yaml", "lab"]).expect(0).stdout);
    silent(&seen);
    plan
}

#[track_caller]
fn silent(file: &str) {
    let plan = topo(&["plan", "--detailed-exitcode", file]);
    assert!(plan.code == 0, "{}{}\n{}", plan.stdout, plan.stderr, std::fs::read_to_string(file).unwrap());
}

fn reaches(from: &str, to: &str) -> bool {
    try_sh(&format!("ip netns exec {from} ping -q -c 2 -i 0.2 -W 1 {to}")).code == 0
}

const FILTERING: &str = "vlan-filtering: true";

/// Every form of `port-vlan`, and every attribute of the bridge, one after the other, each in place.
#[test]
#[expect(clippy::too_many_lines, reason = "a table of forms")]
fn every_attribute_changes_in_place() {
    sandbox::run_needing("every_attribute_changes_in_place", NEEDS, || {
        let before = snapshot();
        let file = write("lab.yaml", &switch("", "", ["", "", ""]));
        apply(&file);
        let links = || ["br0", "a", "b", "c"].map(|dev| index("SW", dev));
        let born = links();
        // What is said of the port `b`, and what there is then.
        let forms = [
            ("", "1 PVID untagged"),
            (", port-vlan: { access: 10 }", "10 PVID untagged"),
            (", port-vlan: { trunk: [10, 20-30] }", "10, 20-30"),
            (", port-vlan: { trunk: [10, 20-30], native: 1 }", "1 PVID untagged, 10, 20-30"),
            (", port-vlan: { trunk: [10, 20-30], native: 25 }", "10, 20-24, 25 PVID untagged, 26-30"),
            (", port-vlan: { trunk: [10, 20-30], pvid: 25 }", "10, 20-24, 25 PVID, 26-30"),
            (
                ", port-vlan: { trunk: [20-30], untagged: [40, 41], native: 10 }",
                "10 PVID untagged, 20-30, 40-41 untagged",
            ),
            (", port-vlan: { untagged: 40 }", "40 untagged"),
            (", port-vlan: { trunk: 1-4094 }", "1-4094"),
            (", port-vlan: { trunk: [] }", ""),
            (", port-vlan: { access: 1 }", "1 PVID untagged"),
        ];
        for (said, there) in forms {
            let file = write("lab.yaml", &switch(FILTERING, "", ["", said, ""]));
            let plan = apply(&file);
            assert!(!plan.stdout.contains("re-creates") && !plan.stdout.contains("flaps"), "{}", plan.stdout);
            let vlans = vlans("SW");
            assert_eq!(vlans.get("b").map_or("", String::as_str), there, "{said}");
            assert_eq!((vlans["a"].as_str(), vlans["br0"].as_str()), ("1 PVID untagged", "1 PVID untagged"), "{said}");
        }
        let file = write("lab.yaml", &switch(FILTERING, ", port-vlan: { trunk: 20-30, native: 10 }", ["", "", ""]));
        apply(&file);
        assert_eq!(vlans("SW")["br0"], "10 PVID untagged, 20-30");
        // The bridge's default is followed by who has it, and by nobody else.
        for (pvid, there) in [(5, "5 PVID untagged"), (0, ""), (7, "7 PVID untagged"), (10, "10 PVID untagged")] {
            let bridge = format!("{FILTERING}, vlan-default-pvid: {pvid}");
            let file = write(
                "lab.yaml",
                &switch(&bridge, "", ["", ", port-vlan: { access: 10 }", ", port-vlan: { access: 5 }"]),
            );
            apply(&file);
            let vlans = vlans("SW");
            let of = |dev: &str| vlans.get(dev).map_or("", String::as_str);
            assert_eq!(
                (of("br0"), of("a"), of("b"), of("c")),
                (there, there, "10 PVID untagged", "5 PVID untagged"),
                "{pvid}"
            );
        }
        let options = [
            ("vlan-protocol: 802.1ad", "vlan_protocol", Value::from("802.1ad")),
            ("vlan-stats: true", "vlan_stats_enabled", Value::from(1)),
        ];
        for (said, key, value) in options {
            apply(&write("lab.yaml", &switch(&format!("{FILTERING}, {said}"), "", ["", "", ""])));
            let link = json("ip -n SW -d -j link show br0");
            assert_eq!(link[0]["linkinfo"]["info_data"][key], value);
        }
        apply(&write("lab.yaml", &switch("", "", ["", "", ""])));
        let link = json("ip -n SW -d -j link show br0");
        let data = &link[0]["linkinfo"]["info_data"];
        assert_eq!((&data["vlan_filtering"], &data["vlan_default_pvid"]), (&Value::from(0), &Value::from(1)));
        assert_eq!(links(), born);
        topo(&["destroy", "--yes", "lab"]).expect(0);
        assert_snapshot(&before);
    });
}

/// Who is in another VLAN is not there; a trunk carries both.
#[test]
fn frames_stay_in_their_vlan() {
    sandbox::run_needing("frames_stay_in_their_vlan", NEEDS, || {
        let ports = |b: &str| [", port-vlan: { access: 10 }", b, ", port-vlan: { access: 20 }"].map(str::to_owned);
        let file = |b: &str| {
            let [a, b, c] = ports(b);
            write("lab.yaml", &switch(FILTERING, "", [&a, &b, &c]))
        };
        apply(&file(", port-vlan: { access: 10 }"));
        assert!(reaches("A", "10.0.0.2") && !reaches("A", "10.0.0.3"));
        apply(&file(", port-vlan: { access: 20 }"));
        assert!(!reaches("A", "10.0.0.2") && reaches("B", "10.0.0.3"));
        // Without a tag it comes in as 20; both leave to it without one, so that A's frames arrive and nothing comes
        // back.
        apply(&file(", port-vlan: { untagged: [10, 20], native: 20 }"));
        assert!(!reaches("A", "10.0.0.2") && reaches("B", "10.0.0.3"));
        // Only with a tag.
        apply(&file(", port-vlan: { trunk: [10, 20] }"));
        assert!(!reaches("A", "10.0.0.2") && !reaches("B", "10.0.0.3"));

        // Two switches and a trunk between them.
        let trunk = |vlans: &str| {
            format!(
                "name: lab
namespaces:
  SW:
    interfaces:
      br0: {{ bridge: {{ vlan-filtering: true, ports: [a, b, t] }} }}
      a: {{ veth: A/eth0, port-vlan: {{ access: 10 }} }}
      b: {{ veth: B/eth0, port-vlan: {{ access: 20 }} }}
      t: {{ veth: SX/t, port-vlan: {{ trunk: [10, 20] }} }}
  SX:
    interfaces:
      br0: {{ bridge: {{ vlan-filtering: true, ports: [c, d, t] }} }}
      c: {{ veth: C/eth0, port-vlan: {{ access: 10 }} }}
      d: {{ veth: D/eth0, port-vlan: {{ access: 20 }} }}
      t: {{ port-vlan: {{ trunk: [{vlans}] }} }}
  A: {{ interfaces: {{ eth0: {{ addresses: [10.0.0.1/24] }} }} }}
  B: {{ interfaces: {{ eth0: {{ addresses: [10.0.0.2/24] }} }} }}
  C: {{ interfaces: {{ eth0: {{ addresses: [10.0.0.3/24] }} }} }}
  D: {{ interfaces: {{ eth0: {{ addresses: [10.0.0.4/24] }} }} }}
"
            )
        };
        apply(&write("lab.yaml", &trunk("10, 20")));
        assert!(reaches("A", "10.0.0.3") && reaches("B", "10.0.0.4"));
        assert!(!reaches("A", "10.0.0.4") && !reaches("B", "10.0.0.3") && !reaches("A", "10.0.0.2"));
        apply(&write("lab.yaml", &trunk("20")));
        assert!(!reaches("A", "10.0.0.3") && reaches("B", "10.0.0.4"));
        topo(&["destroy", "--yes", "lab"]).expect(0);
    });
}

/// What a hand changes is seen and put right; links that are made again have their VLANs.
#[test]
fn edits_by_hand_are_repaired() {
    sandbox::run_needing("edits_by_hand_are_repaired", NEEDS, || {
        let ports = [
            ", port-vlan: { access: 10 }",
            ", port-vlan: { trunk: 20-30, native: 10 }, fdb: [{ mac: '02:00:00:00:00:05' }]",
            "",
        ];
        let file = write(
            "lab.yaml",
            &switch(&format!("{FILTERING}, vlan-default-pvid: 5"), ", port-vlan: { access: 10 }", ports),
        );
        apply(&file);
        let (right, entries) = (vlans("SW"), stations("SW", "b"));
        assert_eq!(right["c"], "5 PVID untagged");
        assert_eq!(entries.len(), 12, "{entries:?}");
        let edits = [
            "bridge -n SW vlan del dev a vid 10",
            "bridge -n SW vlan add dev a vid 11 pvid untagged",
            "bridge -n SW vlan add dev a vid 10",
            "bridge -n SW vlan del dev b vid 22-25",
            "bridge -n SW vlan add dev b vid 22 untagged",
            "bridge -n SW vlan add dev b vid 22 pvid",
            "bridge -n SW vlan add dev c vid 100-200",
            "bridge -n SW vlan add dev br0 vid 20 self",
            "bridge -n SW vlan del dev br0 vid 10 self",
            "ip -n SW link set br0 type bridge vlan_filtering 0",
            "ip -n SW link set br0 type bridge vlan_default_pvid 10",
            "ip -n SW link set br0 type bridge vlan_default_pvid 0",
            "ip -n SW link set br0 type bridge vlan_protocol 802.1ad",
            "ip -n SW link set dev b nomaster",
            "ip -n SW link del br0",
            "ip -n SW link del dev a",
            "bridge -n SW fdb del 02:00:00:00:00:05 dev b master vlan 20",
            "bridge -n SW fdb add 02:00:00:00:00:06 dev b master static vlan 20",
            "bridge -n SW fdb add 02:00:00:00:00:06 dev b master static",
        ];
        for edit in edits {
            sh(edit);
            let plan = topo(&["plan", "--detailed-exitcode", &file]);
            assert!(plan.code == 2, "{edit}: {}{}", plan.stdout, plan.stderr);
            apply(&file);
            assert_eq!(vlans("SW"), right, "{edit}");
            assert_eq!(stations("SW", "b"), entries, "{edit}");
        }
        // What was learned, and what stands where the file lists nothing, is not topo's.
        sh(
            "bridge -n SW fdb add 02:00:00:00:00:07 dev b master dynamic vlan 20; bridge -n SW fdb add 02:00:00:00:00:08 dev a master static vlan 10",
        );
        silent(&file);
    });
}

/// The commands that a plan prints do what the plan does.
#[test]
fn the_printed_commands_do_the_same() {
    sandbox::run_needing("the_printed_commands_do_the_same", NEEDS, || {
        let first = switch(
            FILTERING,
            "",
            [
                ", port-vlan: { access: 10 }",
                ", port-vlan: { trunk: 20-30, native: 10 }, fdb: [{ mac: '02:00:00:00:00:05', vlan: 20 }]",
                "",
            ],
        );
        let options = format!("{FILTERING}, vlan-default-pvid: 5, vlan-protocol: 802.1ad, vlan-stats: true");
        let second = switch(
            &options,
            ", port-vlan: { trunk: 7, pvid: 7 }",
            ["", ", port-vlan: { trunk: [] }", ", port-vlan: { untagged: [7, 8], native: 7 }"],
        );
        for text in [&first, &second, &first] {
            let file = write("lab.yaml", text);
            let commands = topo(&["plan", "--commands", &file]).expect(0).stdout;
            sh(&format!("set -e\n{commands}"));
            let left = topo(&["plan", &file]).expect(0).stdout;
            assert!(!left.contains("link"), "{left}\nafter\n{commands}");
            topo(&["apply", "--yes", &file]).expect(0);
        }
    });
}

/// Where a bridge does not filter, an entry is for all VLANs; another port, and no port, forget it.
#[test]
fn what_is_behind_a_port() {
    sandbox::run_needing("what_is_behind_a_port", NEEDS, || {
        let before = snapshot();
        let entry = ", fdb: [{ mac: '02:00:00:00:00:05' }]";
        apply(&write("lab.yaml", &switch("", "", [entry, "", ""])));
        assert!(stations("SW", "a").contains(&"02:00:00:00:00:05 null".to_owned()), "{:?}", stations("SW", "a"));
        apply(&write("lab.yaml", &switch("", "", ["", entry, ""])));
        assert_eq!(stations("SW", "a"), Vec::<String>::new());
        // With filtering it is for the VLANs of the port.
        let entry = ", port-vlan: { trunk: 20-21, native: 10 }, fdb: [{ mac: '02:00:00:00:00:05' }, { mac: '02:00:00:00:00:06', vlan: 20 }]";
        apply(&write("lab.yaml", &switch(FILTERING, "", ["", entry, ""])));
        assert_eq!(
            stations("SW", "b"),
            ["02:00:00:00:00:05 10", "02:00:00:00:00:05 20", "02:00:00:00:00:05 21", "02:00:00:00:00:06 20"]
        );
        let entry = ", port-vlan: { access: 10 }, fdb: [{ mac: '02:00:00:00:00:05' }]";
        apply(&write("lab.yaml", &switch(FILTERING, "", ["", entry, ""])));
        assert_eq!(stations("SW", "b"), ["02:00:00:00:00:05 10"]);
        // One that was learned elsewhere before moves to where the file says.
        sh("bridge -n SW fdb add 02:00:00:00:00:09 dev a master dynamic vlan 1");
        apply(&write("lab.yaml", &switch(FILTERING, "", ["", "", ", fdb: [{ mac: '02:00:00:00:00:09' }]"])));
        assert_eq!((stations("SW", "b"), stations("SW", "c")), (vec![], vec!["02:00:00:00:00:09 1".to_owned()]));
        // Back without filtering.
        apply(&write("lab.yaml", &switch("", "", ["", "", ", fdb: [{ mac: '02:00:00:00:00:09' }]"])));
        apply(&write("lab.yaml", &switch("", "", ["", "", ""])));
        assert_eq!(stations("SW", "c"), Vec::<String>::new());
        topo(&["destroy", "--yes", "lab"]).expect(0);
        assert_snapshot(&before);
    });
}

/// A bridge and a port of somebody else: what is written is given back, and a port of ours has the other bridge's
/// default.
#[test]
fn other_peoples_bridges_get_back_what_they_had() {
    sandbox::run_needing("other_peoples_bridges_get_back_what_they_had", NEEDS, || {
        sh("ip link add vmbr0 type bridge vlan_filtering 1 vlan_default_pvid 3; ip link set vmbr0 up
            ip link add name ext0 type veth peer name ext1; ip link set ext0 master vmbr0 up; bridge vlan add dev ext0 vid 50-60");
        let links = || sh("ip -br link | cut -d' ' -f1");
        let before = (links(), vlans_here());
        let text = |ours: &str, theirs: &str, bridge: &str| {
            format!(
                "name: lab
host:
  interfaces:
    vmbr0: {{ existing: {{}}{bridge} }}
    ext0: {{ existing: {{}}{theirs} }}
    red0: {{ master: vmbr0{ours} }}
namespaces:
  RED: {{ interfaces: {{ eth0: {{ veth: host/red0 }} }} }}
"
            )
        };
        let file = write("lab.yaml", &text("", "", ""));
        apply(&file);
        assert_eq!(vlans_here()["red0"], "3 PVID untagged");
        sh("bridge vlan add dev red0 vid 9");
        assert_eq!(topo(&["plan", "--detailed-exitcode", &file]).code, 2);
        apply(&file);
        sh("bridge vlan add dev ext0 vid 9; bridge vlan del dev ext0 vid 9");
        apply(&write(
            "lab.yaml",
            &text(", port-vlan: { trunk: 50-60 }", ", port-vlan: { access: 50 }", ", port-vlan: { access: 50 }"),
        ));
        let now = vlans_here();
        assert_eq!(
            (now["red0"].as_str(), now["ext0"].as_str(), now["vmbr0"].as_str()),
            ("50-60", "50 PVID untagged", "50 PVID untagged")
        );
        apply(&write("lab.yaml", &text("", ", port-vlan: { access: 50 }", "")));
        let now = vlans_here();
        assert_eq!(
            (now["red0"].as_str(), now["ext0"].as_str(), now["vmbr0"].as_str()),
            ("3 PVID untagged", "50 PVID untagged", "3 PVID untagged")
        );
        topo(&["destroy", "--yes", "lab"]).expect(0);
        assert_eq!(vlans_here(), before.1);
        assert_eq!(links(), before.0);
    });
}

/// [`vlans`] of the namespace that topo runs in.
fn vlans_here() -> BTreeMap<String, String> {
    sh("ip netns attach here $$");
    let seen = vlans("here");
    sh("umount /run/netns/here; rm /run/netns/here");
    seen
}

/// A failed apply leaves the VLANs as they were, and a plan back reaches them.
#[test]
fn undone_and_rolled_back() {
    sandbox::run_needing("undone_and_rolled_back", NEEDS, || {
        let ports = [", port-vlan: { access: 10 }", ", port-vlan: { trunk: 20-30, native: 10 }", ""];
        apply(&write("lab.yaml", &switch(FILTERING, "", ports)));
        let right = vlans("SW");
        apply(&write(
            "lab.yaml",
            &switch(
                "vlan-filtering: true, vlan-default-pvid: 9",
                ", port-vlan: { access: 7 }",
                ["", "", ", port-vlan: { trunk: 40 }"],
            ),
        ));
        assert_ne!(vlans("SW"), right);
        topo(&["undo", "--yes", "lab"]).expect(0);
        assert_eq!(vlans("SW"), right);
    });
}

/// Random VLANs of random ports, each applied from the one before.
#[test]
fn random_vlans_converge() {
    sandbox::run_needing("random_vlans_converge", NEEDS, || {
        let mut dice = Dice(std::env::var("TOPO_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(40));
        let rounds: usize = std::env::var("TOPO_VLANS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(10);
        for round in 0..rounds {
            let pvid = [1, 1, 5, 0][dice.below(4)];
            let bridge =
                format!("{}vlan-default-pvid: {pvid}", if dice.below(5) > 0 { "vlan-filtering: true, " } else { "" });
            let filters = bridge.contains("filtering");
            let mut port = || if filters { random_vlans(&mut dice) } else { String::new() };
            let (itself, a, b, c) = (port(), port(), port(), port());
            let file = write("lab.yaml", &switch(&bridge, &itself, [&a, &b, &c]));
            println!("round {round}: {}", std::fs::read_to_string(&file).unwrap());
            apply(&file);
        }
    });
}

fn random_vlans(dice: &mut Dice) -> String {
    let mut next = 1 + dice.below(20);
    let mut lists = [Vec::new(), Vec::new()];
    for _ in 0..dice.below(6) {
        let last = next + [0, 0, 1, 7, 300][dice.below(5)];
        lists[dice.below(2)].push(if last == next { next.to_string() } else { format!("{next}-{last}") });
        next = last + 1 + [0, 1, 50][dice.below(3)];
    }
    let [trunk, untagged] = lists.map(|list| list.join(", "));
    match dice.below(6) {
        0 => String::new(),
        1 => format!(", port-vlan: {{ access: {} }}", 1 + dice.below(4094)),
        2 => format!(", port-vlan: {{ trunk: [{trunk}], untagged: [{untagged}] }}"),
        3 => format!(", port-vlan: {{ trunk: [{trunk}], untagged: [{untagged}], native: {} }}", 1 + dice.below(30)),
        4 => ", port-vlan: { trunk: [5-9, 20], pvid: 7 }".to_owned(),
        _ => format!(", port-vlan: {{ trunk: [{trunk}], native: {} }}", 1 + dice.below(4094)),
    }
}

/// Numbers from a seed (xorshift).
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end as u64) as usize
    }
}

/// Before anything is touched, a kernel that cannot is named; one that can is asked nothing.
#[test]
fn a_kernel_without_it_is_named() {
    sandbox::run("a_kernel_without_it_is_named", || {
        let can = try_sh("ip link add probe type bridge vlan_filtering 1").code == 0;
        sh("ip link del probe 2>/dev/null || true");
        let before = snapshot();
        let file = write("lab.yaml", &switch(FILTERING, "", [", port-vlan: { access: 10 }", "", ""]));
        let plan = topo(&["plan", "--detailed-exitcode", &file]);
        if can {
            plan.expect(2);
        } else {
            let plan = plan.expect(1);
            let words = plan.stderr.split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ");
            assert!(
                words.contains(
                    "this kernel has no bridge VLAN filtering (CONFIG_BRIDGE_VLAN_FILTERING); needed by SW/br0"
                ),
                "{}",
                plan.stderr
            );
            assert!(plan.stderr.contains("lab.yaml:5:7"), "{}", plan.stderr);
            assert_eq!(topo(&["apply", "--yes", &file]).code, 1);
        }
        assert_snapshot(&before);
        // A bridge without filtering is no different there.
        let file = write("lab.yaml", &switch("vlan-filtering: false", "", ["", "", ""]));
        topo(&["apply", "--yes", &file]).expect(0);
        silent(&file);
        topo(&["destroy", "--yes", "lab"]).expect(0);
        assert_snapshot(&before);
    });
}
