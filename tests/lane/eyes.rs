//! Topologies of a stranger, who knows the language and not the program: each key of it in one of them, in several
//! versions.
//!
//! A file of `tests/eyes/` has versions of one topology, separated by `---`. Lines that begin with `#! ` make the
//! machine it meets, lines that begin with `# $ ` must come true after the version they stand in is applied. Each
//! version is applied after each other one; every time the plan is empty afterwards, also that of what `show --yaml`
//! prints, and the machine is as the first time. `destroy` by name leaves it as it was. A file that needs more of a
//! kernel than every machine has says so: `# Needs of the kernel: vlan, vrf`.

#![allow(clippy::disallowed_methods, reason = "a test makes processes")]

use crate::sandbox;

use sandbox::{Options, Output, difference, quiet, sh, snapshot_with, topo, topo_in, try_sh, wait_for, write};
use std::fmt::Write as _;
use std::time::Duration;

macro_rules! topologies {
    ($($name:ident)*) => {
        $(#[test]
        fn $name() {
            let needed = sandbox::needed_by(&text_of(stringify!($name)));
            sandbox::run_needing(stringify!($name), &needed, || Eyes::new(stringify!($name)).look());
        })*

        #[test]
        fn every_file_is_a_test() {
            let names = [$(stringify!($name)),*];
            for entry in std::fs::read_dir(sandbox::in_repository("tests/eyes")).unwrap() {
                let file = entry.unwrap().file_name().into_string().unwrap();
                assert!(names.contains(&file.trim_end_matches(".yaml")), "{file} has no test");
            }
        }
    };
}

topologies! {
    veths bridges ports addresses queues routes hops rules neighbors nat firewall inserts host settings sixes names found moved macvlans vxlans odd
    vlans bonds vrfs tunnels ipvlans programs
}

/// A snapshot without what tells how a machine came to be as it is, and means nothing: link-local addresses that were
/// there before a port was one, queueing disciplines of links that were up once, the order of next hops.
fn settled(snapshot: &str) -> String {
    const PARTS: [&str; 8] = [
        "\"qdisc\":\"noop\",",
        "\"qdisc\":\"noqueue\",",
        "\"operstate\":\"UP\",",
        "\"operstate\":\"UNKNOWN\",",
        "\"NO-CARRIER\",",
        ",\"LOWER_UP\"",
        "\"operstate\":\"DOWN\",",
        "\"operstate\":\"LOWERLAYERDOWN\",",
    ];
    let mut heading = "";
    let mut out = String::new();
    for line in snapshot.lines() {
        if line.starts_with("== ") {
            heading = line;
        }
        let local = ["LINK-LOCAL", "127.0.0.", "\"fe80::/64\"", "\"fe80::\"", "\"ff00::/8\"", "linkdown"]
            .iter()
            .any(|word| line.contains(word));
        if local
            || heading.ends_with(" fdb")
            || (line.contains("nexthops") && heading.ends_with(" routes"))
            // The kernel's rules for VRFs stay when the last one is gone.
            || line.contains("\"l3mdev\":null")
            || line.contains("_port_range")
            || line.contains("/mtu = ")
            || line.starts_with("vx9 ")
        {
            continue;
        }
        let line = line
            .replace("\"00:00:00:00:00:00\"", "\"MAC\"")
            .replace("\"listening\"", "\"forwarding\"")
            .replace("\"learning\"", "\"forwarding\"")
            .replace("524280", "65536");
        let line = PARTS.iter().fold(line, |line, part| line.replace(part, ""));
        // Random in each tunnel over IPv6.
        let line = line.split(',').filter(|part| !part.starts_with("\"permaddr\"")).collect::<Vec<_>>().join(",");
        let _ = writeln!(out, "{line}");
    }
    out
}

fn text_of(name: &str) -> String {
    std::fs::read_to_string(sandbox::in_repository(&format!("tests/eyes/{name}.yaml"))).unwrap()
}

/// What was seen of one file.
struct Eyes {
    name: String,
    versions: Vec<Version>,
    /// What went wrong: all of it is told at the end.
    wrong: String,
}

struct Version {
    file: String,
    checks: Vec<String>,
    /// The machine after the first time.
    seen: Option<String>,
}

impl Eyes {
    fn new(name: &str) -> Self {
        let text = text_of(name);
        let lines = |text: &str, mark: &str| -> Vec<String> {
            text.lines().filter_map(|line| line.strip_prefix(mark)).map(str::to_owned).collect()
        };
        // Each end of a pair looks for duplicates of its link-local address for a second otherwise.
        sh("sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0");
        sh(&format!(":\n{}", lines(&text, "#! ").join("\n")));
        let version = |(nth, text): (usize, &str)| Version {
            file: write(&format!("{name}-{nth}.yaml"), text),
            checks: lines(text, "# $ "),
            seen: None,
        };
        Self {
            name: name.to_owned(),
            versions: text.split("\n---\n").enumerate().map(version).collect(),
            wrong: String::new(),
        }
    }

    fn look(mut self) {
        let same = Options { addresses: true, ..Options::default() };
        let before = quiet(&same);
        let count = self.versions.len();
        // The lane is ten times slower: there each version comes after one other, unless all pairs are asked for by
        // name (`TOPO_EYES=all`).
        if sandbox::is_in_lane() && std::env::var_os("TOPO_EYES").is_none() {
            (0..=count).for_each(|nth| self.apply(nth % count, &format!("version {}, as number {nth}", nth % count)));
        } else {
            self.all_pairs(count);
        }
        self.told();
        self.destroy();
        self.back(&before, &same, "after destroy");
        self.apply(0, "again");
        self.destroy();
        self.back(&before, &same, "after the second destroy");
        assert!(self.wrong.is_empty(), "{}:\n{}", self.name, self.wrong);
    }

    fn all_pairs(&mut self, count: usize) {
        for second in 0..count {
            for first in (0..count).rev() {
                self.apply(first, &format!("version {first}"));
                if first != second {
                    self.apply(second, &format!("version {second} after {first}"));
                }
            }
        }
    }

    fn apply(&mut self, nth: usize, when: &str) {
        let file = self.versions[nth].file.clone();
        let first = self.versions[nth].seen.is_none();
        if first {
            self.expect(when, "validate", topo(&["validate", &file]), 0);
        }
        self.expect(when, "apply", topo(&["apply", "--yes", &file]), 0);
        self.expect(when, "plan", topo(&["plan", "--detailed-exitcode", &file]), 0);
        // Each version is shown once in the lane, for time.
        if first || !sandbox::is_in_lane() {
            self.shown(when);
        }
        for check in self.versions[nth].checks.clone() {
            let found = try_sh(&check);
            if found.code != 0 {
                let _ = writeln!(self.wrong, "{when}: {check}\n{}{}", found.stdout, found.stderr);
            }
        }
        let now = settled(&quiet(&Options {
            without_record: true,
            known: std::fs::read_to_string(&file).unwrap(),
            ..Options::default()
        }));
        match &self.versions[nth].seen {
            None => self.versions[nth].seen = Some(now),
            Some(seen) if *seen != now => {
                let _ = writeln!(
                    self.wrong,
                    "{when}: the machine is not as the first time (- first, + now)\n{}",
                    difference(seen, &now)
                );
            }
            Some(_) => {}
        }
    }

    /// What `show --yaml` prints is a file whose plan is empty.
    fn shown(&mut self, when: &str) {
        if std::path::Path::new("/run/lock/not-shown").exists() {
            return;
        }
        let shown = topo(&["show", "--yaml", &self.topology()]);
        let yaml = write("shown.yaml", &shown.stdout);
        self.expect(when, "show", shown.clone(), 0);
        let planned = topo(&["plan", "--detailed-exitcode", &yaml]);
        if planned.code != 0 {
            let _ = writeln!(self.wrong, "{}", shown.stdout);
        }
        self.expect(when, "plan of what show prints", planned, 0);
    }

    /// The topology's name: that of the file.
    fn topology(&self) -> String {
        format!("eyes-{}", self.name)
    }

    fn told(&mut self) {
        let name = self.topology();
        let listed = topo(&["list"]);
        if !listed.stdout.contains(&name) {
            let _ = writeln!(self.wrong, "list does not name it:\n{}", listed.stdout);
        }
        self.expect("at the end", "list", listed, 0);
        self.expect("at the end", "show", topo(&["show", &name]), 0);
        self.expect("at the end", "show --json", topo(&["show", "--json", &name]), 0);
    }

    fn destroy(&mut self) {
        let name = self.topology();
        let done = topo_in("/", &["destroy", "--yes", &name]);
        self.expect("at the end", "destroy", done, 0);
    }

    fn back(&mut self, before: &str, options: &Options, when: &str) {
        let mut now = String::new();
        let same = wait_for(Duration::from_secs(3), || {
            now = snapshot_with(options);
            now == before
        });
        if !same {
            let _ = writeln!(
                self.wrong,
                "{when} the machine is not as it was (- before, + now)\n{}",
                difference(before, &now)
            );
        }
    }

    fn expect(&mut self, when: &str, what: &str, output: Output, code: i32) {
        if output.code != code {
            let _ = writeln!(
                self.wrong,
                "{when}: {what}: exit {}, not {code}\n{}{}",
                output.code, output.stdout, output.stderr
            );
        }
    }
}

#[test]
fn destroy_all_takes_what_is_nobodys() {
    sandbox::run("destroy_all_takes_what_is_nobodys", || {
        sh(
            "ip link add up0 type veth peer name up1; ip link set up0 up; ip link set up1 up; ip addr add 10.60.0.1/24 dev up0",
        );
        let same = Options { addresses: true, ..Options::default() };
        let before = quiet(&same);
        let lab = "name: lab\nhost:\n  interfaces: { up0: { existing: {}, addresses: [10.60.1.1/24] } }\n  routes: [{ to: 10.61.0.0/16, via: 10.60.0.9 }]\n  \
                   rules: [{ priority: 61, from: 10.61.0.0/16, table: 61 }]\nnamespaces: { A: {} }\n";
        topo(&["apply", "--yes", &write("lab.yaml", lab)]).expect(0);
        // The record is lost; a link was born and not yet named.
        sh("rm -r /run/topo; ip link add half0 group 1946157059 type veth peer name half1");
        topo(&["list"]).expect(0).says("unowned");
        topo(&["destroy", "--all", "--yes"]).expect(0);
        assert_eq!(difference(&before, &quiet(&same)), "");
        topo(&["list"]).expect(0).says("No topologies here");
    });
}

#[test]
fn a_node_of_two_topologies_must_be_said_whole() {
    sandbox::run("a_node_of_two_topologies_must_be_said_whole", || {
        sh("ip netns add guest");
        topo(&["apply", "--yes", &write("one.yaml", "name: one\nnamespaces: { RED: {} }\n")]).expect(0);
        topo(&[
            "apply",
            "--yes",
            &write("two.yaml", "name: two\nnamespaces: { RED: { existing: { netns: guest }, sysctls: { net.ipv4.ip_default_ttl: 9 } } }\n"),
        ])
        .expect(0);
        topo(&["exec", "RED", "--", "true"]).expect(64).says("one/RED, two/RED");
        topo(&["exec", "one/RED", "--", "sysctl", "-n", "net.ipv4.ip_default_ttl"]).expect(0).says("64");
        topo(&["exec", "two/RED", "--", "sysctl", "-n", "net.ipv4.ip_default_ttl"]).expect(0).says("9");
        topo(&["destroy", "--all", "--yes"]).expect(0);
    });
}
