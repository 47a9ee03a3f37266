//! Nodes that know each other by their names.

use crate::sandbox;

use sandbox::{assert_snapshot, quiet, sh, snapshot, topo, write};

const LAB: &str = "
name: lab
PREFIX
DNS
host:
  interfaces: { br0: { bridge: {}, addresses: [10.0.0.254/24] } }
namespaces:
  B:
    forwarding: true
    interfaces:
      eth0: { veth: A/eth0, addresses: [10.0.1.2/24, 'fd01::2/64'] }
      eth1: { veth: C/eth0, addresses: [10.0.2.2/24] }
  A:
    interfaces:
      lo: { addresses: [10.9.9.1/32] }
      eth0: { addresses: [10.0.1.1/24, 'fd01::1/64'] }
      br: { veth: { bridge: host/br0 }, addresses: [10.0.0.1/24] }
    routes: [{ to: 10.0.2.0/24, via: 10.0.1.2 }]
    DNS_A
  C:
    interfaces: { eth0: { addresses: [10.0.2.3/24] } }
    routes: [{ to: default, via: 10.0.2.2 }]
  D: {}
";

fn lab(prefix: &str, dns: &str, own: &str) -> String {
    write("lab.yaml", &LAB.replace("PREFIX", prefix).replace("DNS_A", own).replace("DNS", dns))
}

fn hosts(node: &str) -> String {
    let file = sh(&format!("topo exec {node} cat /etc/hosts"));
    file.lines().skip(3).collect::<Vec<_>>().join(", ")
}

#[test]
fn nodes_know_each_other() {
    sandbox::run("nodes_know_each_other", || {
        quiet(&sandbox::Options::default());
        let before = snapshot();
        let all = lab("prefix: p-", "dns: { hosts: nodes }", "");
        topo(&["apply", "--yes", &all]).expect(0);
        topo(&["plan", "--detailed-exitcode", &all]).expect(0);
        // Shared networks first; else the first address of each family. `D` has none.
        assert_eq!(hosts("A"), "10.0.0.254 host, 10.0.1.1 A, fd01::1 A, 10.0.1.2 B, fd01::2 B, 10.0.2.3 C");
        assert_eq!(hosts("B"), "10.0.0.254 host, 10.0.1.1 A, fd01::1 A, 10.0.1.2 B, fd01::2 B, 10.0.2.3 C");
        assert_eq!(hosts("C"), "10.0.0.254 host, 10.0.1.1 A, fd01::1 A, 10.0.2.2 B, 10.0.2.3 C");
        sh("topo exec A ping -c 1 -W 2 C; topo exec C ping -c 1 -W 2 B; topo exec A ping -c 1 -W 2 host");
        let shown = write("shown.yaml", &topo(&["show", "lab", "--yaml"]).expect(0).stdout);
        topo(&["plan", "--detailed-exitcode", &shown]).expect(0);

        // Beside other names, of which one is a node's; in one node alone.
        let one = lab("prefix: p-", "", "dns: { hosts: { web: 10.0.2.3, nodes: true, C: 10.0.1.2 } }");
        topo(&["apply", "--yes", &one]).expect(0);
        assert_eq!(
            hosts("A"),
            "10.0.2.3 web, 10.0.1.2 C, 10.0.0.254 host, 10.0.1.1 A, fd01::1 A, 10.0.1.2 B, fd01::2 B"
        );
        assert_eq!(sh("ls /etc/netns").trim(), "p-A");
        let both =
            lab("prefix: p-", "dns: { hosts: { web: 10.0.0.9, db: 10.0.0.8 } }", "dns: { hosts: { web: 10.0.2.3 } }");
        topo(&["apply", "--yes", &both]).expect(0);
        assert_eq!((hosts("A"), hosts("D")), ("10.0.2.3 web, 10.0.0.8 db".into(), "10.0.0.9 web, 10.0.0.8 db".into()));
        topo(&["destroy", "--yes", "lab"]).expect(0);
        assert_snapshot(&before);
    });
}
