//! What the ends of veth pairs are called that the file gives no name: readable where that fits and is free when they
//! are first made, and from then on the same.

use crate::sandbox;

use sandbox::{sh, topo, write};

/// A lab whose nodes are plugged into a bridge; `nodes` are lines of `NODE/INTERFACE`.
fn lab(name: &str, head: &str, nodes: &[&str]) -> String {
    let mut text =
        format!("name: {name}\n{head}\nhost:\n  interfaces: {{ br-{name}: {{ bridge: {{}} }} }}\nnamespaces:\n");
    for node in nodes {
        let (node, interface) = node.split_once('/').unwrap();
        text += &format!("  {node}: {{ interfaces: {{ {interface}: {{ veth: {{ bridge: host/br-{name} }} }} }} }}\n");
    }
    write(&format!("{name}.yaml"), &text)
}

/// The ports of a bridge of the host.
fn ports(bridge: &str) -> Vec<String> {
    let words = sh(&format!("ip -br link show master {bridge} | cut -d@ -f1"));
    words.split_whitespace().map(str::to_owned).collect()
}

fn is_derived(name: &str) -> bool {
    name.len() == 15 && name[1..].bytes().all(|b| b.is_ascii_hexdigit())
}

fn settled(file: &str) {
    topo(&["plan", "--detailed-exitcode", file]).expect(0).says("No changes.");
}

#[test]
fn ends_without_a_name_have_readable_ones_where_they_fit_and_are_free() {
    sandbox::run("ends_without_a_name_have_readable_ones_where_they_fit_and_are_free", || {
        // Three that others have: by name, by an alternative name, and by another topology.
        sh("ip link add vC-eth0 type bridge; ip link add theirs type bridge
            ip link property add dev theirs altname vD-eth0");
        let clean = sandbox::snapshot();
        let one = lab(
            "one",
            "",
            &["RED/eth0", "long-name-of-a-node/eth0", "A-b/c", "A/b-c", "C/eth0", "D/eth0", "\"a b\"/eth0", "E/eth0"],
        );
        let text = std::fs::read_to_string(&one).unwrap();
        let text = text.replace(
            "br-one: { bridge: {} }",
            "br-one: { bridge: {} }, own: { bridge: {}, alternative-names: [vE-eth0] }",
        );
        std::fs::write(&one, text).unwrap();
        topo(&["plan", "--commands", &one]).expect(0).says("link set vRED-eth0 alias topo:one master br-one up");
        topo(&["apply", "--yes", &one]).expect(0).says("+ link vRED-eth0");
        let there = ports("br-one");
        assert_eq!(there.iter().filter(|name| !is_derived(name)).collect::<Vec<_>>(), ["vRED-eth0"], "{there:?}");
        assert_eq!(there.len(), 8, "{there:?}");
        settled(&one);
        topo(&["list"]).expect(0).says("ok");

        // Another lab with a RED, and a bridge within a namespace, where every name is free.
        let two = lab("two", "prefix: two-", &["RED/eth0"]);
        topo(&["apply", "--yes", &two]).expect(0);
        assert!(matches!(ports("br-two").as_slice(), [name] if is_derived(name)));
        let inner = write(
            "inner.yaml",
            "name: inner\nnamespaces:\n  SW: { interfaces: { br0: { bridge: {} } } }\n  RED1: { interfaces: { eth0: { veth: { bridge: SW/br0 } } } }\n",
        );
        topo(&["apply", "--yes", &inner]).expect(0);
        assert!(sh("ip -n SW -br link").contains("vRED1-eth0@"));
        for file in [&one, &two, &inner] {
            settled(file);
        }
        // The first goes: the second keeps what it has.
        topo(&["destroy", "--yes", "one"]).expect(0);
        settled(&two);
        for name in ["two", "inner"] {
            topo(&["destroy", "--yes", name]).expect(0);
        }
        sandbox::assert_snapshot(&clean);
    });
}

#[test]
fn an_end_keeps_the_name_that_it_was_made_with() {
    sandbox::run("an_end_keeps_the_name_that_it_was_made_with", || {
        let clean = sandbox::snapshot();
        sh("ip link add vRED-eth0 type bridge");
        let file = lab("lab", "", &["RED/eth0", "BLUE/eth0"]);
        topo(&["apply", "--yes", &file]).expect(0);
        let first = ports("br-lab");
        assert!(first.contains(&"vBLUE-eth0".to_owned()) && first.iter().any(|name| is_derived(name)), "{first:?}");
        // The other name is free now: no reason to change it. As a lab of topo 0.1 is found, whose record says nothing
        // of names, and as one whose record is lost.
        sh("ip link del vRED-eth0");
        settled(&file);
        let record = sh("cat /run/topo/lab/record.json");
        assert!(record.contains("\"unnamed\""), "{record}");
        sh("rm -r /run/topo");
        settled(&file);
        let shown = topo(&["show", "lab", "--yaml"]).expect(0).stdout;
        settled(&write("shown.yaml", &shown));
        topo(&["apply", "--yes", &file]).expect(0).says("No changes.");
        settled(&file);
        let shown = topo(&["show", "lab", "--yaml"]).expect(0).stdout;
        assert_eq!(shown.matches("veth: { bridge: host/br-lab }").count(), 2, "{shown}");
        settled(&write("shown.yaml", &shown));
        // One that is added is named now, and the undo of that, and of its way out, know it.
        let more = lab("lab", "", &["RED/eth0", "BLUE/eth0", "G/eth0"]);
        topo(&["apply", "--yes", &more]).expect(0).says("+ link vG-eth0");
        assert_eq!(sandbox::difference(&first.join("\n"), &ports("br-lab").join("\n")).matches("vG-eth0").count(), 1);
        topo(&["undo", "--yes"]).expect(0);
        assert_eq!(ports("br-lab"), first);
        let less = lab("lab", "", &["BLUE/eth0"]);
        topo(&["apply", "--yes", &less]).expect(0).says("- namespace RED");
        topo(&["undo", "--yes"]).expect(0);
        assert_eq!(ports("br-lab").iter().collect::<std::collections::BTreeSet<_>>(), first.iter().collect());
        // Its namespace went by hand and comes again: it has the name of the record.
        let file = lab("lab", "", &["RED/eth0", "BLUE/eth0"]);
        sh("ip netns del RED; while ip -n RED link 2>/dev/null; do sleep 0.1; done");
        topo(&["apply", "--yes", &file]).expect(0);
        assert_eq!(ports("br-lab").iter().collect::<std::collections::BTreeSet<_>>(), first.iter().collect());
        // A name that the file gives to something else is not the end's any more.
        let text = std::fs::read_to_string(&file).unwrap();
        let text = text.replace("br-lab: { bridge: {} }", "br-lab: { bridge: {} }, vBLUE-eth0: { bridge: {} }");
        let taken = write("lab.yaml", &text);
        topo(&["apply", "--yes", &taken]).expect(0).says("vBLUE-eth0");
        assert!(ports("br-lab").iter().all(|name| is_derived(name)) && ports("br-lab").len() == 2);
        settled(&taken);
        topo(&["undo", "--yes"]).expect(0);
        assert_eq!(ports("br-lab").iter().collect::<std::collections::BTreeSet<_>>(), first.iter().collect());
        topo(&["destroy", "--yes", "lab"]).expect(0);
        sandbox::assert_snapshot(&clean);
    });
}
