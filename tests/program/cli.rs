//! The program as a person meets it: each case is a file of `tests/cli/` with commands, and all that they print.
//! `TOPO_REWRITE=1` writes them anew.

#![allow(clippy::disallowed_methods, reason = "a test makes processes")]

use crate::sandbox;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The files that the commands may use.
const GOOD: &str = "name: lab\nnamespaces:\n  RED:\n    interfaces:\n      eth0: { veth: BLUE/eth0, addresses: [10.0.0.1/24] }\n  BLUE:\n    interfaces:\n      eth0: { addresses: [10.0.0.2/24] }\n    routes:\n      - { to: 10.9.0.0/16, via: 10.0.0.1 }\n";
const BAD: &str =
    "name: lab\nnamespaces:\n  RED:\n    interface:\n      eth0: { veth: BLU/eth0, addresses: [10.0.0.1/33] }\n";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli")
}

/// Runs the commands of a case in a folder of its own, and compares.
fn case(name: &str, commands: &[&str]) {
    let dir = std::env::temp_dir().join(format!("topo-cli-{name}-{}", std::process::id()));
    std::fs::create_dir_all(dir.join("labs")).unwrap();
    for (file, text) in [("good.yaml", GOOD), ("bad.yaml", BAD), ("labs/a.yaml", GOOD), ("labs/b.yml", GOOD)] {
        std::fs::write(dir.join(file), text).unwrap();
    }
    let bin = Path::new(env!("CARGO_BIN_EXE_topo")).parent().unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap_or_default());
    let mut text = String::new();
    for line in commands {
        let mut command = Command::new("sh");
        command
            .args(["-c", line])
            .current_dir(&dir)
            .stdin(Stdio::null())
            .env("PATH", &path)
            .env("LC_ALL", "C.UTF-8")
            .env("COLUMNS", "100");
        let output = command.env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE").output().unwrap();
        text += &format!("$ {line}\n");
        for (stream, bytes) in [("stdout", &output.stdout), ("stderr", &output.stderr)] {
            if !bytes.is_empty() {
                text += &format!("--- {stream}\n{}", String::from_utf8_lossy(bytes));
            }
        }
        text += &format!("--- exit {}\n\n", output.status.code().unwrap_or(-1));
    }
    std::fs::remove_dir_all(&dir).unwrap();
    let text = without_macs(&text);
    assert!(
        !text.contains('\x1b') || commands.iter().any(|line| line.contains("always")),
        "colours where there is no terminal"
    );
    let file = root().join(format!("{name}.txt"));
    if std::env::var_os("TOPO_REWRITE").is_some() {
        std::fs::write(&file, &text).unwrap();
    }
    let golden = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        golden == text,
        "{} is not what the program prints (TOPO_REWRITE=1 writes it anew):\n{}",
        file.display(),
        sandbox::difference(&golden, &text)
    );
}

/// Hardware addresses are random.
fn without_macs(text: &str) -> String {
    let words = text.split_inclusive('"').map(|word| {
        let bare = word.trim_end_matches('"');
        let mac = bare.len() == 17
            && bare
                .bytes()
                .enumerate()
                .all(|(at, byte)| if at % 3 == 2 { byte == b':' } else { byte.is_ascii_hexdigit() });
        if mac { "MAC\"" } else { word }
    });
    words.collect()
}

#[test]
fn help() {
    let commands = [
        "validate",
        "plan",
        "apply",
        "destroy",
        "diff",
        "confirm",
        "rollback",
        "undo",
        "list",
        "show",
        "doctor",
        "graph",
        "exec",
        "expand",
        "test",
        "lab",
        "schema",
        "completions",
        "man",
    ];
    let mut lines = vec!["topo --help".to_owned(), "topo".to_owned(), "topo --version".to_owned()];
    lines.extend(commands.map(|command| format!("topo {command} --help")));
    case("help", &lines.iter().map(String::as_str).collect::<Vec<_>>());
}

/// Many of one kind: written out, and what is said of it.
#[test]
fn expand() {
    let campus = "name: campus\\ndefaults:\\n  interfaces: { ipv6: { dad: false } }\\nhost:\\n  interfaces:\\n    br0: { bridge: { ports: [\"p[1-3]\"] }, addresses: [10.0.0.1/16] }\\nnamespaces:\\n  \"client[1-3]\":\\n    interfaces:\\n      eth0: { veth: \"host/p{n}\", addresses: [\"10.0.1.0+{n}/16\"], mac: \"02:00:00:00:00:00+{n}\" }\\n    routes: [{ to: default, via: 10.0.0.1 }]\\n  \"leaf[1-2]\":\\n    routes:\\n      - { each: 1-2, to: \"10.{n1}.{n2}.0/24\", type: blackhole }\\n  \"odd\\\\\\\\[1-2]\":\\nchecks:\\n  - { each: [1, 3], ping: { from: host, to: \"client{n}\" } }\\n";
    let printed = format!("printf '{campus}'");
    case(
        "expand",
        &[
            &format!("{printed} | topo expand -"),
            &format!("{printed} | topo expand - | topo expand - | topo validate -"),
            &format!("{printed} >one.yaml; {printed} | topo expand - >other.yaml; topo diff one.yaml other.yaml"),
            &format!("{printed} | sed 's/dad: false/dad: maybe/' | topo expand -"),
            &format!(
                "{printed} | sed 's/p.1-3/p[1-4/; s/}}\", addresses/+7}}\", addresses/' | topo expand - | head -3"
            ),
            "printf 'name: a\\nnamespaces:\\n  \"a[1-1000000000]\":\\n' | topo expand -",
            "printf 'namespaces: { B: { forwarding: true } }\\n' >b.yaml; printf 'name: a\\ninclude: [b.yaml]\\nnamespaces: { A: }\\n' >a.yaml; topo expand a.yaml; topo validate a.yaml",
            "printf 'namespaces: { A: { forwarding: tru } }\\n' >b.yaml; topo expand a.yaml",
            "topo expand nowhere.yaml",
            "topo expand labs",
        ],
    );
}

#[test]
fn validate() {
    case(
        "validate",
        &[
            "topo validate good.yaml",
            "topo validate -q - <good.yaml",
            "topo validate bad.yaml",
            "topo validate --json bad.yaml",
            "topo validate labs",
            "topo validate",
            "topo validate nowhere.yaml",
        ],
    );
}

/// What people write who come from elsewhere, and what they are told to write instead.
#[test]
fn helps() {
    let node = |text: &str| format!("printf 'name: lab\\nnamespaces:\\n  RED:\\n{text}' | topo validate -");
    let lines = [
        node("    interfaces:\\n      eth0: { veth: { peer: BLUE/eth0 } }\\n  BLUE:\\n"),
        node("    interfaces:\\n      eth0: { veth: BLUE/eth0, ip: 10.0.0.1/24 }\\n  BLUE:\\n"),
        node("    forward: true\\n"),
        node(
            "    routes:\\n      - default via 10.0.0.1 dev eth0\\n      - unreachable 10.0.0.0/8 metric 5\\n      - 2001:db8::/32 via fe80::1 dev eth0\\n",
        ),
        node("    routes:\\n      - default: 10.0.0.1\\n"),
        node("    nat: { masquerade: { out: eth0 } }\\n"),
        node("    nat:\\n      - masquerade: eth0\\n"),
        node("    interfaces:\\n      - eth0: { veth: BLUE/eth0 }\\n"),
        node("    interfaces:\\n      - name: eth0\\n        veth: BLUE/eth0\\n"),
        node("    sysctls:\\n      - net.ipv4.ip_forward=1\\n"),
        node("    firewall:\\n      - input: drop\\n"),
        "printf 'name: lab\\nnamespaces: [RED, BLUE]\\n' | topo validate -".to_owned(),
        // A mark of byte order is not seen, and a letter that is two columns wide is underlined as wide as it is.
        "printf '\\357\\273\\277name: lab\\nnames: x\\n' | topo validate -".to_owned(),
        "printf 'name: lab\\nnamespaces: { RED: { 한국: 1, frob: 2 } }\\n' | topo validate -".to_owned(),
    ];
    case("helps", &lines.iter().map(String::as_str).collect::<Vec<_>>());
}

#[test]
fn usage() {
    case(
        "usage",
        &[
            "topo frobnicate",
            "topo plan --frob",
            "topo apply --lock-timeout soon",
            "topo destroy 'a b'",
            "topo plan --json --commands good.yaml",
            "topo -q -v list",
        ],
    );
}

#[test]
fn plan_apply_destroy() {
    sandbox::run("plan_apply_destroy", || {
        case(
            "lab",
            &[
                "topo plan good.yaml",
                "topo plan good.yaml --detailed-exitcode --summary",
                "topo plan good.yaml --json | head -40",
                "topo plan good.yaml --commands",
                "topo apply good.yaml",
                "topo apply --yes -v good.yaml",
                "topo plan --detailed-exitcode good.yaml",
                "topo list",
                "topo show",
                "topo show RED",
                "topo show lab/BLUE --yaml",
                "topo show GREEN",
                "topo exec lab/RED -- ip -4 -br address show dev lo",
                "topo exec RED -- sh -c 'exit 7'",
                "topo exec RED -- there-is-no-such-program",
                "ip -n RED link set eth0 mtu 1400; ip -n RED address flush dev eth0; topo plan good.yaml",
                "topo apply --yes good.yaml",
                "ip -n RED link set eth0 down; topo plan good.yaml",
                "topo apply --yes --json good.yaml",
                "topo plan --destroy --out d.plan --summary good.yaml",
                "topo validate d.plan; topo plan d.plan; topo destroy d.plan",
                "ip -n RED link set eth0 mtu 1400; topo apply d.plan",
                "ip -n RED link set eth0 mtu 1500; topo apply d.plan",
                "topo destroy good.yaml",
                "topo destroy lab --yes -q",
                "topo list --json",
            ],
        );
    });
}

/// The kernel says no, in its own words, at the line that asked for it, and everything is undone.
#[test]
fn refused() {
    sandbox::run("refused", || {
        let with =
            r#"printf '    sysctls: { net.ipv4.tcp_congestion_control: no-such }\n' | cat good.yaml - >refused.yaml"#;
        case(
            "refused",
            &[
                with,
                "topo apply --yes -q refused.yaml",
                "topo list",
                "topo apply --yes -q --no-rollback refused.yaml",
                "topo list",
                "topo destroy --yes -q lab",
                "topo list",
            ],
        );
    });
}

/// Commands in one node and in all, what they find in their environment, and names that are nearly right.
#[test]
fn exec() {
    sandbox::run("exec", || {
        let also =
            "sed 's/lab/two/; s/RED/N10/; s/BLUE/N2/' good.yaml >two.yaml; topo apply -q --yes good.yaml two.yaml";
        case(
            "exec",
            &[
                also,
                "topo exec RED ip -br address show dev lo",
                "topo exec RED sh -c 'echo $TOPO_NODE of $TOPO_TOPOLOGY; exit 7'",
                "topo exec RED -- echo -- --all",
                "topo exec --all -- sh -c 'ip -br -4 address show dev eth0 | cut -c1-9; test $TOPO_NODE != N10'",
                "topo exec --all --topology lab there-is-no-such-program",
                "topo exec --all",
                "topo exec --all --topology lap -- true",
                "topo exec REDD true",
                "topo exec lab/BLEU true",
                "topo show BLEU",
                "topo show lap",
                "topo destroy --yes lap",
                "topo plna",
                "topo exec",
                // A shell whose start sets another prompt, and one that has none of its own.
                "echo \"PS1='mine: '\" >rc; echo exit | timeout 20 script -qec 'topo exec RED bash --rcfile rc' /dev/null | tr -d '\\r' | grep -o '\\[RED\\] mine: '",
                "echo exit | timeout 20 script -qec 'topo exec RED sh' /dev/null | tr -d '\\r' | grep -o '\\[RED\\] # '",
            ],
        );
    });
}

/// The labs that come with topo are those of the folder, and a plan in a textbook's words.
#[test]
fn labs() {
    sandbox::run("labs", || {
        case(
            "labs",
            &[
                "topo lab",
                "topo lab two-namespaces",
                "topo lab wireguard | topo validate - 2>&1 | tail -1",
                "topo lab nta",
                "topo lab nat | topo plan --commands --plain -",
                "topo lab nat | topo apply -q --yes - && topo list && topo lab nat | topo plan --detailed-exitcode -",
                "topo plan --plain good.yaml",
                "topo man --out man; sed -n '/^.SH EXAMPLES/,$p' man/topo-plan.1",
                "topo man | sed -n '/^.SH EXAMPLES/,$p'",
            ],
        );
        let mut names: Vec<String> = std::fs::read_dir(sandbox::in_repository("topologies"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.retain(|name| name.ends_with(".yaml"));
        names.sort();
        let mut listed: Vec<String> = sandbox::topo(&["lab"])
            .stdout
            .lines()
            .map(|line| line.split(' ').next().unwrap().to_owned() + ".yaml")
            .collect();
        listed.sort();
        assert_eq!(listed, names);
        for name in names {
            sandbox::topo(&["lab", name.trim_end_matches(".yaml")]).expect(0);
        }
    });
}

/// Pictures of files, of what is there, and of changes.
#[test]
fn graph() {
    sandbox::run("graph", || {
        case(
            "graph",
            &[
                "topo graph good.yaml",
                "topo graph good.yaml --format mermaid",
                "topo graph good.yaml --format dot",
                "topo graph good.yaml --out lab.svg && head -c 60 lab.svg; topo graph - --out lab.html <good.yaml && head -n 1 lab.html",
                "topo graph bad.yaml",
                "topo graph nowhere.yaml",
                "topo graph lab",
                "topo graph good.yaml --out /nowhere/lab.svg",
                "topo plan good.yaml --markdown",
                "topo apply -q --yes good.yaml; topo graph lab",
                "topo graph RED",
                "ip -n RED link set eth0 mtu 1400; ip -n BLUE route del 10.9.0.0/16; topo graph lab --plan",
                "topo graph good.yaml --plan --format mermaid",
                "topo plan --markdown good.yaml",
                "topo apply -q --yes good.yaml; topo plan --markdown; topo plan --markdown good.yaml",
                "sed -i 's/lab$/lab2/; s/RED/R/; s/BLUE/B/' labs/b.yml; topo graph labs --format svg; topo graph labs --format text",
                "topo destroy -q --yes lab; topo graph labs/a.yaml --plan",
            ],
        );
    });
}

/// One request after the other, when a person says so.
#[test]
fn step() {
    sandbox::run("step", || {
        let typed = |keys: &str| {
            format!(
                "(for key in {keys}; do sleep 0.3; echo $key; done; sleep 0.5) | timeout 60 script -qec 'stty -echo; topo apply --color never --step good.yaml' /dev/null | tr -d '\\r' | sed '1,/^Plan:/d'"
            )
        };
        let (all, stopped) = (typed("'' '' a"), typed("'' '' '' '' q"));
        case(
            "step",
            &[
                "topo apply --step good.yaml </dev/null",
                &stopped,
                "topo list",
                &all,
                "topo list",
                "topo apply --step --yes good.yaml",
            ],
        );
    });
}

/// Many nodes that are alike, in the order in which a person counts; and what stays when a namespace goes.
#[test]
fn many() {
    sandbox::run("many", || {
        let make = "(printf 'name: many\\nnamespaces:\\n  hub: { allow: [end-unused] }\\n'; for n in $(seq 1 30); do printf \"  v$n: { interfaces: { eth0: { veth: hub/p$n, addresses: [10.0.$n.2/24] }$(test $n != 17 || echo ', eth1: { bridge: {}, addresses: [10.1.0.1/24] }') } }\\n\"; done) >many.yaml";
        case(
            "many",
            &[
                make,
                "topo plan many.yaml",
                "topo plan many.yaml --summary",
                "topo apply -q --yes many.yaml; ip netns exec v7 sleep 1000 >/dev/null 2>&1 & ip netns exec v7 sleep 1000 >/dev/null 2>&1 & sleep 0.5; topo destroy -q --yes many 2>&1 | sed 's/[0-9][0-9]* (/PID (/g'; pgrep -xc sleep",
            ],
        );
    });
}

/// Who lives in a namespace that goes is ended where that is asked for, and nobody else.
#[test]
fn kill() {
    sandbox::run("kill", || {
        let live = "sleep 1000 >/dev/null 2>&1 & ip netns exec RED sleep 1001 >/dev/null 2>&1 & ip netns exec RED sh -c 'trap \"\" TERM; sleep 1002' >/dev/null 2>&1 & sleep 0.5";
        case(
            "kill",
            &[
                &format!("topo apply -q --yes good.yaml; {live}; pgrep -xc sleep"),
                "topo destroy --yes --kill lab 2>&1 | sed 's/[0-9][0-9]* (/PID (/g'; pgrep -ax sleep | cut -d' ' -f2-",
                "topo destroy --yes --kill lab",
            ],
        );
    });
}

/// What a hand put into a namespace of topo's and topo leaves alone, and where rules are to be seen.
#[test]
fn foreign() {
    sandbox::run("foreign", || {
        case(
            "foreign",
            &[
                "sed 's/  BLUE:/    nat: [{ masquerade: { out: eth0 } }]\\n    neighbors: [{ address: 10.0.0.8, mac: \"02:00:00:00:00:08\", dev: eth0 }]\\n  BLUE:/' good.yaml >nat.yaml; topo apply -q --yes nat.yaml; topo show | sed 's/..:..:..:..:..:../MAC/'",
                "ip netns exec RED iptables-nft -A INPUT -s 10.0.0.9 -j DROP; ip netns exec RED nft add table inet own; ip -n BLUE neigh add 10.0.0.7 lladdr 02:00:00:00:00:07 dev eth0; ip netns exec BLUE sysctl -qw net.ipv4.conf.eth0.rp_filter=1",
                "topo show RED | tail -1; topo show | tail -2",
                "topo plan --detailed-exitcode nat.yaml",
                "topo plan --json nat.yaml | grep -c also",
                "topo show --json | grep -c '\"ours\": false'",
                "topo apply --yes nat.yaml; ip -n BLUE neigh show 10.0.0.7",
                "ip netns exec RED sysctl -qw net.ipv4.conf.all.proxy_arp=1 net.ipv4.conf.lo.rp_filter=2 net.ipv6.conf.eth0.accept_ra=2 net.ipv6.conf.default.disable_ipv6=1; topo show RED | tail -1",
            ],
        );
    });
}

/// What a plan brings onto the host that overlaps what is there, and rules for an interface that nobody has.
#[test]
fn overlap() {
    sandbox::run("overlap", || {
        let host = "host: { interfaces: { br0: { bridge: {}, addresses: [10.5.0.1/24, 172.20.0.1/24] }, br1: { bridge: {}, addresses: [192.168.1.77/25] } }, routes: [{ to: 192.168.1.128/25, via: 10.5.0.2 }], forwarding: true, nat: [{ masquerade: { source: 10.5.0.0/24, out: eth9 } }] }";
        case(
            "overlap",
            &[
                "ip link add lan0 type veth peer name lan1; ip addr add 192.168.1.5/24 dev lan0; ip link set lan0 up; ip link set lan1 up; ip route add 10.0.0.0/8 via 192.168.1.1",
                &format!("printf 'name: over\\n{host}\\n' >over.yaml; topo plan over.yaml >/dev/null"),
                // The file answers them where they stand.
                "sed 's/br0: {/br0: { allow: [subnets-overlap],/; s/br1: {/br1: { allow: [subnets-overlap],/; s/host: {/host: { allow: [route-overlaps, interface-absent],/' over.yaml >allowed.yaml; topo plan allowed.yaml >/dev/null",
                "sed 's/host: {/host: { allow: [subnets-overlap],/' over.yaml >some.yaml; topo plan some.yaml >/dev/null",
                "topo apply -q --yes over.yaml 2>/dev/null; topo plan --detailed-exitcode over.yaml",
            ],
        );
    });
}

/// What a newcomer stumbled over, where no other test has the whole output.
#[test]
fn friction() {
    sandbox::run("friction", || {
        let pair = "host: { interfaces: { b0: { bridge: {}, addresses: [10.5.0.1/24] } } }";
        let nat = "{ interfaces: { br0: { bridge: {}, addresses: [10.3.0.1/24] }, br1: { bridge: {} }, br2: { bridge: {} } }, nat: [{ masquerade: { out: br0 } }, { snat: { out: br0, to: 10.3.0.1 } }] }";
        case(
            "friction",
            &[
                // Each warning once for a file and a command, and what it means once for a code.
                &format!(
                    "printf 'name: w\\nnamespaces:\\n  W: {nat}\\n  X: {nat}\\n' >w.yaml; topo apply --yes good.yaml w.yaml"
                ),
                "topo destroy --yes lab w",
                // Within 80 columns, as a person counts, wide letters by their width.
                "(printf 'name: many\\nnamespaces:\\n'; for n in $(seq 1 12); do echo \"  v$n-with-a-name-that-is-long: {}\"; done) >many.yaml; printf 'name: wide\\nnamespaces: { 한국: { allow: [end-unused], interfaces: { e: { veth: B/eth0 } } }, B: { allow: [end-unused] } }\\n' >wide.yaml; topo apply -q --yes many.yaml wide.yaml 2>/dev/null; COLUMNS=80 topo list",
                "COLUMNS=80 topo list | wc -L; topo show wide; topo plan --destroy --summary wide; topo destroy --all --yes -q",
                // A setting that goes with its own link is nobody's loss.
                &format!(
                    "printf 'name: s\\n{pair}\\n' | sed 's/ }}$/, sysctls: {{ net.ipv4.conf.b0.rp_filter: 2 }} }}/' >s.yaml; topo apply -q --yes s.yaml; sysctl -qw net.ipv4.conf.b0.rp_filter=0; topo destroy --yes s | tail -1"
                ),
                // Nothing of that name, and nothing alike.
                "topo destroy nothing-alike",
            ],
        );
    });
}

/// Something that is not there, and something alike that is.
#[test]
fn meant() {
    sandbox::run("meant", || {
        let plan = |text: &str| format!("printf 'name: m\\n{text}\\n' | topo plan - 2>&1 | grep -e × -e help");
        case(
            "meant",
            &[
                "ip netns add router1; ip link add enp3s0 type veth peer name enp4s0; nft add table inet fw; nft 'add chain inet fw input { type filter hook input priority 0; }'",
                &plan("host: { firewall: { forwrad: { policy: drop } } }"),
                &plan("host: { firewall: { insert: [{ chain: inet fw inptu, accept: {} }] } }"),
                &plan("host: { interfaces: { enp3so: { existing: {} } } }"),
                &plan("namespaces: { X: { interfaces: { e: { existing: { from: host/enp4so } } } } }"),
                &plan("namespaces: { X: { existing: { netns: router } } }"),
                &plan("namespaces: { X: { existing: { netns: switch } } }"),
            ],
        );
    });
}

/// Each topology compared with what was last wanted of it.
#[test]
fn list() {
    sandbox::run("list", || {
        case(
            "list",
            &[
                "topo apply -q --yes good.yaml; topo list",
                "ip -n RED link set eth0 mtu 1400; ip -n RED address flush dev eth0; topo list",
                "topo plan lab",
                "topo plan --detailed-exitcode --summary lab",
                "topo plan lab --out lab.plan; topo apply lab.plan; topo list",
                "topo list --quick",
                // A change that is undone is not wanted any more.
                "sed s/1500/1500/ good.yaml | sed 's/10.9.0.0/10.8.0.0/' >next.yaml; topo apply -q --yes next.yaml; topo list; topo plan good.yaml --summary",
                "topo undo -q --yes; topo list; topo plan lab; ip -n BLUE route del 10.9.0.0/16; topo list; topo plan lab",
                "topo apply -q --yes good.yaml; ip netns exec RED topo list",
                "ip netns exec BLUE topo list --json | grep inside",
                "ip link add dev stray0 group 1946157056 type dummy 2>/dev/null || ip link add dev stray0 group 1946157056 type bridge; topo list; ip link del stray0",
                "rm /run/topo/lab/wanted.json; topo list; topo list --quick; topo plan lab; topo plan lba; topo plan --destroy lab | tail -1",
                "topo apply -q --yes good.yaml; topo list",
                "ip netns del RED; topo list",
                "topo destroy -q --yes lab; topo list; ls /run/topo",
                "printf 'name: links\\nhost: { interfaces: { lab0: { bridge: {} } } }\\n' >links.yaml; topo apply -q --yes links.yaml; topo list; ls /run/topo/links",
                "ip link set lab0 mtu 1400; topo list; topo destroy -q --yes links; ls /run/topo",
            ],
        );
    });
}

/// What a shell is told of the topologies and nodes that are here.
#[test]
fn completions() {
    sandbox::run("completions", || {
        let complete = |line: &str| {
            let at = line.split(' ').count() - 1;
            format!("COMPLETE=bash _CLAP_COMPLETE_INDEX={at} _CLAP_IFS=' ' topo -- {line}'' && echo")
        };
        let lines = [
            "topo l",
            "topo exec ",
            "topo exec lab/",
            "topo show ",
            "topo destroy ",
            "topo confirm ",
            "topo plan --de",
        ];
        let mut commands = vec!["topo apply -q --yes good.yaml; ip netns add other".to_owned()];
        commands.extend(lines.map(complete));
        case("completions", &commands.iter().map(String::as_str).collect::<Vec<_>>());
    });
}

#[test]
fn two_of_one_name_and_collisions() {
    let two = "sed s/lab/other/ good.yaml >other.yaml; topo plan good.yaml other.yaml";
    case("collisions", &["topo plan labs", two]);
}

#[test]
fn the_commands_do_what_an_apply_does() {
    sandbox::run("the_commands_do_what_an_apply_does", || {
        let dir = std::env::temp_dir();
        let file = dir.join("good.yaml");
        std::fs::write(&file, GOOD).unwrap();
        let file = file.to_str().unwrap();
        let script = sandbox::sh(&format!("{} plan --commands {file}", sandbox::topo_path()));
        sandbox::sh(&script);
        let plan = sandbox::topo(&["plan", "--json", file]);
        let plan: serde_json::Value = serde_json::from_str(&plan.stdout).unwrap();
        // iproute2 has no word for the mark of an address; all else is as wanted.
        for change in plan["plans"][0]["changes"].as_array().unwrap() {
            assert_eq!(
                (&change["kind"], &change["fields"]),
                (
                    &"address".into(),
                    &serde_json::json!({ "mark": { "old": null, "new": "topo", "impact": "in-place" } })
                ),
                "{change:#}"
            );
        }
    });
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let output = Command::new("sh")
        .args([
            "-c",
            "\"$0\" completions bash | head -1; \"$0\" --help | true; \"$0\" schema | true",
            env!("CARGO_BIN_EXE_topo"),
        ])
        .output()
        .unwrap();
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn completions_and_manuals_know_every_command() {
    let topo = |args: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_topo")).args(args).output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty());
        String::from_utf8(output.stdout).unwrap()
    };
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        assert!(topo(&["completions", shell]).contains("COMPLETE"), "{shell}");
    }
    let mut complete = Command::new(env!("CARGO_BIN_EXE_topo"));
    let output =
        complete.args(["--", "topo", ""]).env("COMPLETE", "bash").env("_CLAP_COMPLETE_INDEX", "1").output().unwrap();
    let texts = [String::from_utf8(output.stdout).unwrap(), topo(&["man"])];
    for command in [
        "validate",
        "plan",
        "apply",
        "destroy",
        "confirm",
        "rollback",
        "undo",
        "list",
        "show",
        "doctor",
        "exec",
        "test",
        "lab",
        "schema",
        "completions",
        "man",
    ] {
        assert!(texts.iter().all(|text| text.contains(command)), "{command}");
    }
    let dir = std::env::temp_dir().join(format!("topo-man-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    topo(&["man", "--out", dir.to_str().unwrap()]);
    assert!(std::fs::read_to_string(dir.join("topo-plan.1")).unwrap().contains("detailed\\-exitcode"));
    std::fs::remove_dir_all(&dir).unwrap();
}

#[test]
fn schemas_are_up_to_date() {
    for (which, file) in [
        ("plan", "plan"),
        ("report", "report"),
        ("findings", "findings"),
        ("diff", "diff"),
        ("list", "list"),
        ("state", "state"),
        ("test", "test"),
        ("explain", "explain"),
        ("doctor", "doctor"),
        ("trace", "trace"),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_topo")).args(["schema", which]).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("schemas/{file}.schema.json"));
        if std::env::var_os("TOPO_REWRITE").is_some() {
            std::fs::write(&path, &text).unwrap();
        }
        assert_eq!(
            std::fs::read_to_string(&path).unwrap_or_default(),
            text,
            "{} is out of date (TOPO_REWRITE=1 writes it anew)",
            path.display()
        );
    }
}

/// What the program prints is what its schema says.
fn fits(which: &str, json: &str) {
    let schema = sandbox::topo(&["schema", which]).stdout;
    let validator = jsonschema::validator_for(&serde_json::from_str(&schema).unwrap()).unwrap();
    let value: serde_json::Value = serde_json::from_str(json).unwrap_or_else(|error| panic!("{error}: {json}"));
    let errors: Vec<String> = validator.iter_errors(&value).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:#?}\n{json}");
}

#[test]
fn output_fits_its_schema() {
    sandbox::run("output_fits_its_schema", || {
        let dir = std::env::temp_dir();
        let (good, bad) = (dir.join("good.yaml"), dir.join("bad.yaml"));
        std::fs::write(&good, GOOD).unwrap();
        std::fs::write(&bad, BAD).unwrap();
        let (good, bad) = (good.to_str().unwrap(), bad.to_str().unwrap());
        fits("plan", &sandbox::topo(&["plan", "--json", good]).stdout);
        fits("report", &sandbox::topo(&["apply", "--json", "--yes", good]).stdout);
        fits("list", &sandbox::topo(&["list", "--json"]).stdout);
        fits("state", &sandbox::topo(&["show", "--json"]).stdout);
        fits("doctor", &sandbox::topo(&["doctor", "--json", good]).stdout);
        fits("plan", &sandbox::topo(&["plan", "--destroy", "--json", good]).stdout);
        fits("report", &sandbox::topo(&["destroy", "--json", "--yes", "lab"]).stdout);
        fits("findings", &sandbox::topo(&["validate", "--json", bad]).stdout);
    });
}
