//! Files with ranges and includes, through all that a person does with a topology.

#![allow(clippy::disallowed_methods, reason = "a test makes processes")]

use crate::sandbox;
use sandbox::{sh, topo, topo_in, try_sh, write};

/// A topology in three files, in a folder of its own; gives the folder.
fn three_files() -> String {
    sh("mkdir -p /run/lock/site/base/deep");
    write(
        "site/lab.yaml",
        "name: site\ninclude: [base/switch.yaml]\nnamespaces:\n  \"client[1-3]\":\n    interfaces:\n      eth0: { veth: \"SWITCH/p{n}\", addresses: [\"10.44.0.0+{n}/24\"] }\nchecks:\n  - { each: 2-3, ping: { from: client1, to: \"client{n}\" } }\n",
    );
    write(
        "site/base/switch.yaml",
        "include: [deep/host.yaml]\nnamespaces:\n  SWITCH:\n    interfaces:\n      sw0: { bridge: { ports: [\"p[1-3]\"] } }\n",
    );
    write("site/base/deep/host.yaml", "host:\n  interfaces:\n    site0: { bridge: {}, mtu: 1400 }\n");
    "/run/lock/site".to_owned()
}

#[test]
fn a_topology_of_several_files() {
    sandbox::run("a_topology_of_several_files", || {
        let folder = three_files();
        // The folder has one topology: what it includes is none.
        topo_in(&folder, &["validate", "."]).expect(0).says("Valid: ./lab.yaml");
        topo_in("/", &["validate", &format!("{folder}/lab.yaml")]).expect(0);
        topo_in(&folder, &["plan", "--out", "/run/lock/site.plan", "lab.yaml"]).expect(0);
        topo(&["apply", "/run/lock/site.plan"]).expect(0);
        topo_in(&folder, &["plan", "--detailed-exitcode", "lab.yaml"]).expect(0);
        topo_in(&folder, &["test", "lab.yaml"]).expect(0);
        topo(&["diff", &format!("{folder}/lab.yaml"), "site"]).expect(0);
        // By name, and by what is shown; the file written out wants the same.
        topo(&["plan", "--detailed-exitcode", "site"]).expect(0);
        let long = topo_in(&folder, &["expand", "lab.yaml"]).expect(0).stdout;
        topo(&["plan", "--detailed-exitcode", &write("long.yaml", &long)]).expect(0);
        topo(&["diff", "/run/lock/long.yaml", &format!("{folder}/lab.yaml")]).expect(0);
        // Drift is seen, and mended from the several files.
        sh("ip -n SWITCH link del p2; ip link set site0 mtu 1300");
        topo_in(&folder, &["plan", "--detailed-exitcode", "lab.yaml"]).expect(2).says("client2/eth0");
        topo_in(&folder, &["apply", "--yes", "lab.yaml"]).expect(0);
        topo_in(&folder, &["plan", "--detailed-exitcode", "lab.yaml"]).expect(0);
        // From standard input, includes are beneath the working folder.
        let output = try_sh("cd /run/lock/site && topo plan --detailed-exitcode - <lab.yaml");
        assert_eq!(output.code, 0, "{}{}", output.stdout, output.stderr);
        topo_in(&folder, &["destroy", "--yes", "lab.yaml"]).expect(0);
        assert!(!sh("ls /run/netns").contains("client1"));
    });
}

#[test]
fn a_finding_shows_the_file_that_it_is_in() {
    sandbox::run("a_finding_shows_the_file_that_it_is_in", || {
        let folder = three_files();
        write(
            "site/base/deep/host.yaml",
            "host:\n  interfaces:\n    site0: { bridge: {}, mtu: 20 }\n    p9: { veth: \"SWITCH/p9\" }\n",
        );
        let output = topo_in(&folder, &["validate", "lab.yaml"]).expect(65);
        assert!(output.stderr.contains("base/deep/host.yaml:3:31"), "{}", output.stderr);
        let json = topo_in(&folder, &["validate", "--json", "lab.yaml"]).expect(65).stdout;
        assert!(json.contains("\"file\": \"base/deep/host.yaml\""), "{json}");
        // What is there twice is shown in both files.
        write("site/base/deep/host.yaml", "namespaces:\n  client2:\n");
        let output = topo_in(&folder, &["validate", "lab.yaml"]).expect(65);
        assert!(
            output.stderr.contains("base/deep/host.yaml:2:3") && output.stderr.contains("lab.yaml:4:3"),
            "{}",
            output.stderr
        );
        let json = topo_in(&folder, &["validate", "--json", "lab.yaml"]).expect(65).stdout;
        assert!(json.contains("\"file\": \"lab.yaml\""), "{json}");
        // What the kernel or the machine says stands there, too.
        write("site/base/deep/host.yaml", "host:\n  interfaces:\n    site0: { existing: {}, mtu: 1400 }\n");
        let output = topo_in(&folder, &["plan", "lab.yaml"]).expect(1);
        assert!(output.stderr.contains("base/deep/host.yaml:3:5"), "{}", output.stderr);
    });
}

#[test]
fn includes_stay_beneath_the_folder() {
    sandbox::run("includes_stay_beneath_the_folder", || {
        sh("mkdir -p /run/lock/in/sub; echo 'namespaces: { SECRET: }' >/run/lock/out.yaml; cd /run/lock/in
            ln -s ../out.yaml link.yaml; ln -s .. up; mkfifo fifo.yaml; echo 'secret: hunter2' >sub/other.yaml; ln -s sub alias");
        for (path, says) in [
            ("../out.yaml", "is not a path beneath the folder of the topology"),
            ("/run/lock/out.yaml", "is not a path beneath the folder of the topology"),
            ("sub/../../out.yaml", "is not a path beneath the folder of the topology"),
            ("link.yaml", "it is a symbolic link, or behind one"),
            ("up/out.yaml", "it is a symbolic link, or behind one"),
            ("alias/other.yaml", "it is a symbolic link, or behind one"),
            ("fifo.yaml", "it is not a regular file"),
            ("sub", "it is not a regular file"),
            ("nowhere.yaml", "no such file or directory"),
            ("sub/other.yaml", "is no part of a topology"),
        ] {
            write("in/lab.yaml", &format!("name: lab\ninclude:\n  - {path}\nnamespaces:\n  A:\n"));
            let output = topo_in("/run/lock/in", &["validate", "lab.yaml"]).expect(65);
            assert!(output.stderr.contains(says), "{path}: {}", output.stderr);
            assert!(output.stderr.contains("lab.yaml:3:5"), "{path}: {}", output.stderr);
            for secret in ["SECRET", "hunter2"] {
                assert!(!(output.stdout.clone() + &output.stderr).contains(secret), "{path}: {}", output.stderr);
            }
        }
    });
}

/// A node that has a name with brackets from before is not taken for several others.
#[test]
fn a_name_that_became_a_range_is_not_deleted() {
    sandbox::run("a_name_that_became_a_range_is_not_deleted", || {
        let plain = write("plain.yaml", "name: old\nnamespaces:\n  \"n\\\\[1-2]\":\n");
        topo(&["apply", "--yes", &plain]).expect(0);
        assert!(sh("ls /run/netns").contains("n[1-2]"));
        let shown = topo(&["show", "--yaml", "old"]).expect(0).stdout;
        topo(&["plan", "--detailed-exitcode", &write("shown.yaml", &shown)]).expect(0);
        let range = write("range.yaml", "name: old\nnamespaces:\n  \"n[1-2]\":\n");
        let output = topo(&["plan", &range]).expect(1);
        assert!(
            output.stderr.contains("the node \"n[1-2]\" is there under this name, which means several nodes now"),
            "{}",
            output.stderr
        );
        assert!(output.stderr.contains("range.yaml:3:3"), "{}", output.stderr);
        topo(&["apply", "--yes", &range]).expect(1);
        assert!(sh("ls /run/netns").contains("n[1-2]"));
        topo(&["plan", "--destroy", &range]).expect(0);
        topo(&["destroy", "--yes", &range]).expect(0);
        topo(&["apply", "--yes", &range]).expect(0);
        assert_eq!(sh("ls /run/netns").split_whitespace().collect::<Vec<_>>(), ["n1", "n2"]);
        topo(&["destroy", "--yes", "old"]).expect(0);
    });
}

/// What is alike is shown as ranges, and stands for what is there.
#[test]
fn what_is_alike_is_shown_as_ranges() {
    sandbox::run("what_is_alike_is_shown_as_ranges", || {
        let star = "name: star\nhost:\n  interfaces:\n    star0: { bridge: { ports: [\"p[1-12]\"] }, addresses: [10.45.0.254/24] }\n    \"odd\\\\[1]\": { bridge: {} }\nnamespaces:\n  \"client[1-12]\":\n    sysctls: { net.ipv4.ip_default_ttl: 61 }\n    interfaces:\n      lo: { addresses: [\"10.46.0.{n+250}/16\"] }\n      eth0: { veth: \"host/p{n}\", addresses: [\"10.45.0.{n+8}/24\"] }\n    routes: [{ to: default, via: 10.45.0.254 }]\n  other:\n    interfaces:\n      \"d[01-04]\": { dummy: {} }\n"
            .replace("10.46.0.{n+250}", "10.46.0.250+{n}")
            .replace("dummy: {}", "bridge: {}");
        let file = write("star.yaml", &star);
        topo(&["apply", "--yes", &file]).expect(0);
        let shown = topo(&["show", "--yaml", "star"]).expect(0).stdout;
        for line in [
            "    \"p[1-12]\":",
            "      master: star0",
            "    \"odd\\\\[1]\":",
            "  \"client[1-12]\":",
            "      lo: { addresses: [\"10.46.0.250+{n}/16\"] }",
            "      eth0: { veth: \"host/p{n}\", addresses: [\"10.45.0.8+{n}/24\"] }",
            "      \"d[01-04]\": { bridge: {} }",
        ] {
            assert!(shown.lines().any(|shown| shown == line), "no {line}\n{shown}");
        }
        topo(&["plan", "--detailed-exitcode", &write("shown.yaml", &shown)]).expect(0);
        topo(&["diff", &file, "/run/lock/shown.yaml"]).expect(0);
        let long = topo(&["show", "--yaml", "--no-ranges", "star"]).expect(0).stdout;
        assert!(long.contains("\n  client7:\n") && !long.contains("{n}"), "{long}");
        topo(&["diff", &write("long.yaml", &long), "/run/lock/shown.yaml"]).expect(0);
        let imported = topo(&["import", "--all"]).expect(0).stdout;
        for line in ["      bridge: { ports: [\"p[1-12]\"] }", "  \"client[1-12]\":"] {
            assert!(imported.lines().any(|shown| shown == line), "no {line}\n{imported}");
        }
        // One that is otherwise is by itself.
        sh("ip -n client5 link set eth0 mtu 1400; ip link set p5 mtu 1400");
        let shown = topo(&["show", "--yaml", "star"]).expect(0).stdout;
        for line in ["  \"client[1-4]\":", "  client5:", "  \"client[6-12]\":"] {
            assert!(shown.lines().any(|shown| shown == line), "no {line}\n{shown}");
        }
        topo(&["plan", "--detailed-exitcode", &write("shown.yaml", &shown)]).expect(0);
        topo(&["destroy", "--yes", "star"]).expect(0);
    });
}
