//! Names in `/run/netns` that the file leaves to its `prefix`: what people see has the short names, what the machine
//! has the whole ones.

#![allow(clippy::disallowed_methods, reason = "a test makes processes")]

use crate::sandbox;

use sandbox::{Options, assert_snapshot_with, quiet, sh, topo, write};

fn part() -> Options {
    Options { handles: true, ..Options::default() }
}

/// A lab with a pair, files, a bridge on the host, and a namespace of somebody else.
fn lab(name: &str, prefix: &str) -> String {
    format!(
        "
name: {name}
{prefix}
host:
  interfaces:
    br-{name}: {{ bridge: {{}}, addresses: [10.0.0.1/24] }}
namespaces:
  RED:
    interfaces:
      eth0: {{ veth: {{ bridge: host/br-{name} }}, addresses: [10.0.0.2/24] }}
      in: {{ veth: BLUE/eth0, addresses: [10.0.1.1/24] }}
    dns: {{ hosts: {{ blue: 10.0.1.2 }} }}
  BLUE:
    interfaces:
      eth0: {{ addresses: [10.0.1.2/24] }}
    routes: [{{ to: default, via: 10.0.1.1 }}]
  THEIRS:
    existing: {{ netns: BLUE }}
    interfaces:
      {name}0: {{ bridge: {{}} }}
checks:
  - ping: {{ from: RED, to: BLUE }}
  - ping: {{ from: RED, to: blue }}
"
    )
}

/// The names in `/run/netns` and `/etc/netns`.
fn names() -> (String, String) {
    let words = |text: String| text.split_whitespace().collect::<Vec<_>>().join(" ");
    (words(sh("ls /run/netns")), words(sh("ls /etc/netns")))
}

fn is(namespaces: &str, folders: &str) {
    assert_eq!(names(), (namespaces.to_owned(), folders.to_owned()));
}

#[test]
fn two_labs_with_a_red_live_on_one_machine() {
    sandbox::run("two_labs_with_a_red_live_on_one_machine", || {
        sh("ip netns add BLUE; mkdir -p /etc/netns");
        let before = quiet(&part());
        let (one, two) =
            (write("one.yaml", &lab("one", "prefix: one-")), write("two.yaml", &lab("two", "prefix: two-")));
        for file in [&one, &two] {
            topo(&["apply", "--yes", file]).expect(0).says("+ namespace RED");
            topo(&["plan", "--detailed-exitcode", file]).expect(0);
            topo(&["test", file]).expect(0).says("RED ping BLUE pass");
        }
        is("BLUE one-BLUE one-RED two-BLUE two-RED", "one-RED two-RED");
        assert_eq!(sh("ip -n BLUE -br link show type bridge | cut -d' ' -f1"), "one0\ntwo0\n");
        topo(&["list"]).expect(0).says("2 namespaces (BLUE RED), in THEIRS host");

        topo(&["exec", "RED", "true"]).expect(64).says("say which: one/RED, two/RED");
        for args in [["exec", "--topology", "two", "RED"].as_slice(), &["exec", "two/RED"], &["exec", "two-RED"]] {
            let words =
                [args, &["sh", "-c", "echo $TOPO_NODE; grep blue /etc/hosts; ip -br link show type veth | wc -l"]];
            assert_eq!(topo(&words.concat()).expect(0).stdout, "RED\n10.0.1.2 blue\n2\n", "{args:?}");
        }
        topo(&["show", "two/BLUE"]).expect(0).says("eth0 veth to RED/in 10.0.1.2/24");
        topo(&["plan", "--commands", "--destroy", &one])
            .expect(0)
            .says("ip netns delete one-RED")
            .says("/etc/netns/one-RED/hosts");

        let shown = topo(&["show", "one", "--yaml"]).expect(0).stdout;
        assert!(shown.contains("one-\"\n") && !shown.contains("one-RED") && shown.contains("veth: RED/in"), "{shown}");
        let again = write("again.yaml", &shown);
        topo(&["plan", "--detailed-exitcode", &again]).expect(0);

        topo(&["destroy", "--yes", "one"]).expect(0);
        is("BLUE two-BLUE two-RED", "two-RED");
        topo(&["test", &two]).expect(0);
        topo(&["exec", "RED", "true"]).expect(0);
        topo(&["destroy", "--yes", &two]).expect(0);
        is("BLUE", "");
        assert_snapshot_with(&before, &part());
    });
}

#[test]
fn another_prefix_makes_the_namespaces_anew() {
    sandbox::run("another_prefix_makes_the_namespaces_anew", || {
        sh("ip netns add BLUE; mkdir -p /etc/netns");
        let before = quiet(&part());
        let versions = ["prefix: a-", "prefix: b-", "prefix: b-", "prefix: a-"];
        for (nth, prefix) in versions.into_iter().enumerate() {
            let file = write("lab.yaml", &lab("lab", prefix));
            let plan = topo(&["plan", &file]).expect(0);
            match nth {
                1 | 3 => plan.says("the prefix of names changes from").says("RED (a-RED)").says("RED (b-RED)"),
                2 => plan.says("No changes."),
                _ => plan.says("+ namespace RED"),
            };
            topo(&["apply", "--yes", "--test", &file]).expect(0);
            topo(&["plan", "--detailed-exitcode", &file]).expect(0);
            let letter = &prefix[8..];
            is(&format!("BLUE {letter}BLUE {letter}RED"), &format!("{letter}RED"));
        }
        topo(&["undo", "--yes", "lab"]).expect(0);
        is("BLUE b-BLUE b-RED", "b-RED");
        // A name that is taken is told before anything is done.
        sh("ip netns add c-RED");
        let file = write("lab.yaml", &lab("lab", "prefix: c-"));
        let said = topo(&["apply", "--yes", &file]).expect(1);
        said.says("namespace c-RED already exists and belongs to another program or user").says("another `prefix`");
        is("BLUE b-BLUE b-RED c-RED", "b-RED");
        sh("ip netns del c-RED; rm -r /run/topo");
        // Without the record the marks say what is there, by whole names.
        topo(&["plan", "--destroy", "lab"]).expect(0).says("- namespace b-RED");
        topo(&["plan", "--detailed-exitcode", &write("lab.yaml", &lab("lab", "prefix: b-"))]).says("Topology lab");
        topo(&["destroy", "--yes", "lab"]).expect(0);
        is("BLUE", "");
        sh("ip -n BLUE link del lab0 2>/dev/null; true");
        assert_snapshot_with(&before, &part());
    });
}

#[test]
fn names_that_are_taken_are_one_finding() {
    sandbox::run("names_that_are_taken_are_one_finding", || {
        sh("ip netns add BLUE");
        let plain = |name: &str| lab(name, "").replace("  THEIRS:\n    existing: { netns: BLUE }\n", "  THEIRS:\n");
        let other = write("other.yaml", &plain("other"));
        let said = topo(&["plan", &other]).expect(1);
        assert_eq!(said.stderr.matches("×").count(), 1, "{}", said.stderr);
        said.says("namespace BLUE already exists and belongs to another program or user")
            .says("(`existing: { netns: BLUE }`)");
        sh("ip netns del BLUE");
        topo(&["apply", "--yes", &other]).expect(0);
        let file = write("mine.yaml", &plain("mine"));
        let said = topo(&["plan", &file]).expect(1);
        assert_eq!(said.stderr.matches("×").count(), 1, "{}", said.stderr);
        said.says("namespace BLUE already exists and belongs to topology \"other\", and so do RED and THEIRS")
            .says("a prefix (`prefix: mine-`), or remove the other topology: topo destroy other");
        topo(&["destroy", "--yes", "other"]).expect(0);
    });
}
