//! How many resources there are: `validate`, `plan`, `apply` and `destroy` have one number for it.

use crate::sandbox;

use sandbox::{in_repository, sh, topo, write};

/// The numbers in the line of `text` that begins with `start`.
fn numbers(text: &str, start: &str) -> Vec<usize> {
    let line = text.lines().find(|line| line.starts_with(start)).unwrap_or_else(|| panic!("no {start:?} in\n{text}"));
    let tail = line.rsplit(": ").next().unwrap();
    let words = tail.split_whitespace().filter_map(|word| word.parse().ok());
    words.collect()
}

/// Goes through it, and answers with the number.
fn counted(file: &str, name: &str) -> usize {
    let valid = numbers(&topo(&["validate", file]).expect(0).stdout, "Valid:")[0];
    assert_eq!(numbers(&topo(&["plan", file]).expect(0).stdout, "Plan:"), [valid, 0, 0], "{file}");
    assert_eq!(numbers(&topo(&["apply", "--yes", file]).expect(0).stdout, "Applied:"), [valid, 0, 0], "{file}");
    let shown = topo(&["plan", "--destroy", name]).expect(0).stdout;
    assert_eq!(numbers(&shown, "Plan:"), [0, 0, valid], "{file}");
    let lines = shown.lines().filter(|line| line.trim_start().starts_with("- ") && line.starts_with("    - ")).count();
    assert_eq!(lines, valid, "{shown}");
    let gone = topo(&["destroy", "--yes", name]).expect(0).stdout;
    assert_eq!(numbers(&gone, "Plan:"), [0, 0, valid], "{gone}");
    assert_eq!(numbers(&gone, "Destroyed:"), [0, 0, valid], "{gone}");
    valid
}

#[test]
fn one_number_from_validate_to_destroy() {
    sandbox::run("one_number_from_validate_to_destroy", || {
        for name in ["two-namespaces", "bridge", "names", "firewall", "multipath", "policy-routing", "router-chain"] {
            assert!(counted(&in_repository(&format!("topologies/{name}.yaml")), name) > 5);
        }
        // On the host, too, and with what stands in a namespace by itself set otherwise.
        let file = write(
            "host.yaml",
            "name: here
host:
  interfaces: { br0: { bridge: {}, addresses: [10.0.0.1/24] } }
  routes: [{ to: 10.9.0.0/16, via: 10.0.0.2 }]
namespaces:
  A:
    interfaces: { lo: { addresses: [10.255.0.1/32] }, eth0: { veth: { bridge: host/br0 }, addresses: [10.0.0.2/24] } }
    forwarding: true
    local-rule: 100
    sysctls: { net.ipv4.ip_default_ttl: 61 }
    dns: { hosts: { a: 10.0.0.2 } }
  B: {}
",
        );
        assert_eq!(counted(&file, "here"), 15);
        // What a hand took away is not counted where it is read, and where a namespace goes as a whole nobody looks.
        let two = in_repository("topologies/two-namespaces.yaml");
        topo(&["apply", "-q", "--yes", &two]).expect(0);
        sh("ip -n RED address flush dev eth0");
        topo(&["plan", "--destroy", "two-namespaces"]).expect(0).says("6 to destroy");
        topo(&["destroy", "--yes", "two-namespaces"])
            .expect(0)
            .says("2 namespaces go with all that is in them")
            .says("8 destroyed");
    });
}
