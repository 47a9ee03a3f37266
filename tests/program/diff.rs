//! `topo diff`: files, running topologies, one of each.

use crate::sandbox;

use sandbox::{sh, topo, write};
use serde_json::Value;

const LAB: &str = "\
name: lab
namespaces:
  RED:
    interfaces:
      eth0: { veth: BLUE/eth0, mtu: 1400, addresses: [10.0.0.1/24] }
    nat:
      - masquerade: { source: 10.9.0.0/16, out: eth0 }
  BLUE:
    interfaces:
      eth0: { addresses: [10.0.0.2/24], mtu: 1400 }
    routes:
      - { to: 10.9.0.0/16, via: 10.0.0.1 }
    dns: { nameservers: [10.0.0.1] }
";

/// What a difference says, as JSON that fits its schema: each change, its action, and the fields.
fn told(a: &str, b: &str) -> (i32, Vec<(String, String, Vec<String>)>) {
    let output = topo(&["diff", "--json", a, b]);
    let schema: Value = serde_json::from_str(&topo(&["schema", "diff"]).expect(0).stdout).unwrap();
    let value: Value = serde_json::from_str(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"));
    let errors: Vec<String> =
        jsonschema::validator_for(&schema).unwrap().iter_errors(&value).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:#?}\n{value:#}");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let changes = value["changes"].as_array().unwrap().iter().map(|change| {
        let fields = change["fields"].as_object().unwrap().keys().cloned().collect();
        (text(&change["action"]), format!("{} {}", text(&change["kind"]), text(&change["id"])), fields)
    });
    let changes: Vec<_> = changes.collect();
    assert_eq!(value["same"], changes.is_empty());
    (output.code, changes)
}

fn change(action: &str, id: &str, fields: &[&str]) -> (String, String, Vec<String>) {
    (action.to_owned(), id.to_owned(), fields.iter().map(|field| (*field).to_owned()).collect())
}

#[test]
fn names_and_prefixes_make_no_difference_and_all_else_does() {
    sandbox::run("names_and_prefixes_make_no_difference_and_all_else_does", || {
        let lab = write("lab.yaml", LAB);
        let other = write("other.yaml", &LAB.replace("name: lab", "name: other\nprefix: o-"));
        assert_eq!(told(&lab, &other), (0, Vec::new()));
        let version = LAB
            .replace("mtu: 1400, addresses", "mac: \"02:00:00:00:00:01\", mtu: 1400, addresses")
            .replace("10.0.0.2/24], mtu: 1400", "10.0.0.3/24], mtu: 1300")
            .replace("name: lab", "name: lab-v2");
        let version = write("lab-v2.yaml", &(version + "  GREEN: {}\n"));
        let expected = [
            change("create", "namespace GREEN", &[]),
            change("update", "link BLUE/eth0", &["mtu"]),
            change("update", "link RED/eth0", &["mac"]),
            change("delete", "address BLUE/eth0 10.0.0.2/24", &[]),
            change("create", "address BLUE/eth0 10.0.0.3/24", &[]),
        ];
        assert_eq!(told(&lab, &version), (2, expected.to_vec()));
        // A file without what the other says is another one, too.
        assert_eq!(told(&version, &lab).1[2], change("update", "link RED/eth0", &["mac"]));
        let text = topo(&["diff", &lab, &version]).expect(2).stdout;
        assert!(text.contains("mac: the kernel's -> 02:00:00:00:00:01"), "{text}");
        assert!(text.ends_with("Difference: 2 added, 2 changed, 1 removed.\n"), "{text}");
        assert!(topo(&["diff", &lab, &lab]).expect(0).stdout.starts_with("No differences."));
    });
}

#[test]
fn a_running_topology_and_its_file_differ_as_a_plan_says() {
    sandbox::run("a_running_topology_and_its_file_differ_as_a_plan_says", || {
        let file = write("lab.yaml", LAB);
        topo(&["apply", "--yes", &file]).expect(0);
        assert_eq!((told(&file, "lab"), told("lab", &file)), ((0, Vec::new()), (0, Vec::new())));
        sh(
            "ip -n RED link set eth0 mtu 1200; ip -n BLUE route del 10.9.0.0/16; ip -n BLUE address add 10.0.0.9/24 dev eth0",
        );
        let drift = [
            change("update", "link RED/eth0", &["mtu"]),
            change("create", "address BLUE/eth0 10.0.0.9/24", &[]),
            change("delete", "route BLUE 10.9.0.0/16", &[]),
        ];
        assert_eq!(told(&file, "lab"), (2, drift.to_vec()));
        let plan: Value = serde_json::from_str(&topo(&["plan", "--json", &file]).expect(0).stdout).unwrap();
        let back: Value = serde_json::from_str(&topo(&["diff", "--json", "lab", &file]).expect(2).stdout).unwrap();
        assert_eq!(plan["plans"][0]["changes"], back["changes"]);
        let text = topo(&["diff", &file, "lab"]).expect(2).stdout;
        assert!(text.contains("mtu: 1400 -> 1200"), "{text}");
    });
}

#[test]
fn two_running_topologies_and_files_of_other_names_are_compared() {
    sandbox::run_needing("two_running_topologies_and_files_of_other_names_are_compared", &["vxlan"], || {
        // The kernel chooses the cost of a port that is no veth.
        let lab = format!(
            "{LAB}  GREEN:\n    interfaces:\n      br0: {{ bridge: {{ ports: [d0] }} }}\n      d0: {{ vxlan: {{ id: 7, remote: 192.0.2.1 }} }}\n"
        );
        let one = write("one.yaml", &lab.replace("name: lab", "name: one\nprefix: one-"));
        let two = write("two.yaml", &lab.replace("name: lab", "name: two\nprefix: two-"));
        topo(&["apply", "--yes", &one, &two]).expect(0);
        let lab = write("lab.yaml", &lab);
        for (a, b) in [("one", "two"), (lab.as_str(), "two"), ("one", lab.as_str()), ("one", "one")] {
            assert_eq!(told(a, b), (0, Vec::new()), "{a} {b}");
        }
        sh("ip -n two-RED link set eth0 mtu 1280; ip -n two-BLUE route del 10.9.0.0/16");
        let expected = [change("update", "link RED/eth0", &["mtu"]), change("delete", "route BLUE 10.9.0.0/16", &[])];
        assert_eq!(told("one", "two"), (2, expected.to_vec()));
        assert_eq!(told(&lab, "two"), (2, expected.to_vec()));
    });
}

#[test]
fn what_cannot_be_compared_is_said() {
    sandbox::run("what_cannot_be_compared_is_said", || {
        let lab = write("lab.yaml", LAB);
        let bad = write("bad.yaml", "name: bad\nnamespace: {}\n");
        topo(&["apply", "--yes", &lab]).expect(0);
        let said = |arguments: [&str; 2], exit: i32, words: &str| {
            topo(&[&["diff"], arguments.as_slice()].concat()).expect(exit).says(words);
        };
        said([&lab, &bad], 65, "did you mean \"namespaces\"");
        said([&lab, "nowhere.yaml"], 1, "cannot read \"nowhere.yaml\"");
        said([&lab, "lap"], 1, "did you mean \"lab\"");
        said(["-", "-"], 64, "not both");
        said([&lab, "/run/lock"], 64, "is a folder");
    });
}
