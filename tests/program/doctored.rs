//! The page "What will break here?": each block of output is what the program prints on a machine on which the page's
//! commands were run. `TOPO_REWRITE=1` writes them anew.

#![allow(clippy::disallowed_methods, reason = "a test makes processes")]

use crate::sandbox;
use sandbox::{sh, topo_in};

/// Limits of the machine that runs the test are none of the page's.
const NO_LIMITS: &str = "echo 0 >/run/lock/0; echo 1 >/run/lock/1; echo 15000 >/run/lock/many
for limit in apparmor_restrict_unprivileged_userns:0 unprivileged_userns_clone:1; do
    file=/proc/sys/kernel/${limit%:*}; [ ! -e $file ] || mount --bind /run/lock/${limit#*:} $file
done
[ ! -e /proc/sys/user/max_user_namespaces ] || mount --bind /run/lock/many /proc/sys/user/max_user_namespaces";

#[test]
fn the_page_of_findings() {
    sandbox::run("the_page_of_findings", || {
        sh(NO_LIMITS);
        std::env::set_current_dir("/run/lock").unwrap();
        let mut exits = Vec::new();
        sandbox::page("docs/doctor.md", |language, text| {
            match language {
                "yaml" => std::fs::write("lab.yaml", text).unwrap(),
                "sh" => _ = sh(text),
                "console" => {
                    let line = text.lines().next().unwrap();
                    let words: Vec<&str> = line.strip_prefix("$ sudo topo ").unwrap().split(' ').collect();
                    let output = topo_in("/run/lock", &[&words[..], &["--color", "never"]].concat());
                    assert_eq!(output.stderr, "");
                    exits.push(output.code);
                    let wide = output.stdout.lines().find(|line| line.chars().count() > 80 && !line.contains('{'));
                    assert_eq!(wide, None, "wider than 80 columns");
                    return Some(format!("{line}\n{}", output.stdout));
                }
                _ => {}
            }
            None
        });
        assert_eq!(exits, [2, 0, 2]);
    });
}

/// Names that other programs chose reach neither the terminal nor the YAML as they are, and `plan` and `apply` warn of
/// errors in a line each.
#[test]
fn hostile_names_and_one_line_warnings() {
    sandbox::run("hostile_names_and_one_line_warnings", || {
        let lab = "name: lab\nhost:\n  forwarding: ipv4\n  interfaces:\n    lab0: { bridge: { ports: [red0] }, addresses: [10.80.0.1/24] }\nnamespaces:\n  RED:\n    interfaces: { eth0: { veth: host/red0, addresses: [10.80.0.2/24] } }\n    routes: [{ to: default, via: 10.80.0.1 }]\n";
        let file = sandbox::write("lab.yaml", lab);
        sh("ip link add \"$(printf 'x\\033[31m\"')\" type veth peer name ext1; ip link set ext1 up");
        sh("ip address add 10.80.0.9/24 dev \"$(printf 'x\\033[31m\"')\"; ip link set \"$(printf 'x\\033[31m\"')\" up");
        sh("ip route add default via 10.80.0.77");
        sh(
            "nft 'add table inet wall; add chain inet wall f { type filter hook forward priority 0; policy drop; }; add rule inet wall f counter drop comment \"do \\\\ not; { this }\"'",
        );
        let output = sandbox::topo(&["doctor", "--color", "never", &file]).expect(2);
        assert!(!output.stdout.contains('\x1b'), "{}", output.stdout);
        assert!(output.stdout.contains("x\\u{1b}[31m\", which is not the file's"), "{}", output.stdout);
        let planned = sandbox::topo(&["plan", &file]).expect(0);
        let lines: Vec<&str> = planned.stderr.lines().filter(|line| line.contains("topo doctor")).collect();
        assert_eq!(lines.len(), 2, "{}", planned.stderr);
        assert!(lines.iter().any(|line| line.contains("[subnet-routed]")), "{}", planned.stderr);
        assert!(!planned.stderr.contains('\x1b'));
        let quiet = sandbox::topo(&["plan", "--no-doctor", &file]).expect(0);
        assert!(!quiet.stderr.contains("topo doctor"), "{}", quiet.stderr);
        let applied = sandbox::topo(&["apply", "--yes", "--no-doctor", &file]).expect(0);
        assert!(!applied.stderr.contains("topo doctor"), "{}", applied.stderr);
        // What is there does not change by an apply, so that it has nothing to say; `doctor` has.
        let again = sandbox::topo(&["apply", "--yes", &file]).expect(0);
        assert!(!again.stderr.contains("topo doctor"), "{}", again.stderr);
        let json = sandbox::topo(&["doctor", "--json", "lab"]).expect(2).stdout;
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(json["examined"][0]["applied"], true);
    });
}

/// Without any file the machine alone is looked at; without privileges it says what would give them.
#[test]
fn the_machine_alone() {
    sandbox::run("the_machine_alone", || {
        sh(NO_LIMITS);
        std::fs::create_dir("/run/lock/empty").unwrap();
        let output = topo_in("/run/lock/empty", &["doctor"]).expect(0);
        assert!(output.stdout.starts_with("Nothing found."), "{}", output.stdout);
        assert!(output.stderr.contains("the machine alone is looked at"), "{}", output.stderr);
        sh(
            "[ ! -e /proc/sys/user/max_user_namespaces ] || mount --bind /run/lock/0 /proc/sys/user/max_user_namespaces",
        );
        let output = topo_in("/run/lock/empty", &["doctor"]).expect(0);
        assert!(output.stdout.contains("note[user-namespaces]"), "{}", output.stdout);
        assert!(output.stdout.contains("user.max_user_namespaces = 15000"), "{}", output.stdout);
        topo_in("/run/lock/empty", &["doctor", "nothing.yaml"]).expect(1);
    });
}
