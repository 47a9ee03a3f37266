//! `show --yaml` writes what a person would have written.

use crate::sandbox;

use sandbox::{sh, topo, write};

/// As it is shown, and as a person may write it.
const FILE: &str = "name: lab
prefix: p1
host:
  interfaces:
    br0:
      bridge: {}
      addresses: [10.0.0.1/24]
    red1:
      mtu: 1400
      master: br0
namespaces:
  BLUE:
    interfaces:
      eth0: { veth: { bridge: host/br0 }, addresses: [10.0.0.3/24, \"fd00::3/64\"] }
      eth1: { veth: RED/eth1 }
      eth2: { veth: RED/eth2, mtu: 1300, addresses: [10.0.2.3/24] }
    routes:
      - { to: default, via: 10.0.0.1, dev: eth0 }
      - { to: 0.0.0.0/0, dev: eth2, metric: 7 }
      - { to: default, via: \"fd00::1\", dev: eth0 }
  RED:
    interfaces:
      br1: { bridge: {} }
      eth0: { veth: host/red1, mtu: 1400, mac: \"02:00:00:00:00:07\", addresses: [10.0.0.2/24] }
      eth1: { master: br1 }
      eth2: { veth: BLUE/eth2 }
      own: { veth: { bridge: br1 } }
";

#[test]
fn what_is_shown_is_what_a_person_wrote() {
    sandbox::run("what_is_shown_is_what_a_person_wrote", || {
        let file = write("lab.yaml", FILE);
        topo(&["apply", "--yes", &file]).expect(0);
        topo(&["plan", "--detailed-exitcode", &file]).expect(0);
        let shown = || topo(&["show", "lab", "--yaml"]).expect(0).stdout;
        let text = shown();
        assert_eq!(text.split_once('\n').unwrap().1, FILE);
        // On another machine it makes the same network.
        topo(&["destroy", "--yes", "lab"]).expect(0);
        let again = write("again.yaml", &text);
        topo(&["apply", "--yes", &again]).expect(0);
        topo(&["plan", "--detailed-exitcode", &file]).expect(0);
        sh("topo exec BLUE ping -c 1 -W 2 10.0.0.2; topo exec RED ping -c 1 -W 2 10.0.0.1");
        assert_eq!(shown(), text);
        // After an undo no file is known, but what the file of then said is.
        let more = write("more.yaml", &format!("{text}  MORE: {{}}\n"));
        topo(&["apply", "--yes", &more]).expect(0).says("+ namespace MORE");
        topo(&["undo", "--yes"]).expect(0);
        assert_eq!(shown(), text);
        // Where nobody knows what the file said, hardware addresses are part of what is there.
        sh("rm -r /run/topo");
        let all = shown();
        assert!(all.matches("mac:").count() > 6 && all.contains("p1RED"), "{all}");
        topo(&["plan", "--detailed-exitcode", &write("all.yaml", &all)]).expect(0);
        topo(&["destroy", "--yes", "lab"]).expect(0);
    });
}
