//! `topo import` makes a file of what is there: applied where nothing is, it makes the same network, and importing that
//! gives the same bytes.

use crate::generator;
use crate::sandbox;

use generator::Dice;
use sandbox::{
    Options, difference, in_repository, needed_by, sh, snapshot_with, topo, try_sh, wait_for, without_history, write,
};
use std::time::Duration;

/// What checks in scripts may call: a server in one node that a client in another reaches, or does not.
const SERVES: &str = r#"
serves() {
  ip netns exec $1 timeout 5 socat -u SYSTEM:'echo hello' TCP-LISTEN:$2,reuseaddr & server=$!
  got=""; n=0
  while [ "$got" != hello ] && [ $n -lt 10 ]; do
    n=$((n + 1)); sleep 0.1
    got=$(ip netns exec $3 timeout 1 socat -u TCP:$4:$5,connect-timeout=0.5 - 2>/dev/null) || true
  done
  kill $server 2>/dev/null || true
  wait $server 2>/dev/null || true
  [ "$got" = hello ]
}
"#;

/// Takes away all that is there, without topo's help.
const WIPE: &str = r#"
ip -all netns delete
for link in $(ls /sys/class/net); do [ $link = lo ] || ip link delete $link 2>/dev/null || true; done
nft flush ruleset
for family in -4 -6; do
  ip $family rule flush
  ip $family rule add priority 32766 table main protocol kernel
done
ip rule add priority 32767 table default protocol kernel
sysctl -qw net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=0 net.ipv4.conf.all.rp_filter=0
sysctl -qw net.ipv4.ip_default_ttl=64 net.ipv4.ip_local_port_range="32768 60999" net.ipv4.ping_group_range="1 0"
rm -rf /etc/netns/* /run/topo
"#;

/// What the modules of tunnels put into every namespace, and the file that bonding has beside its links.
const FALLBACKS: [&str; 10] =
    ["gre0", "gretap0", "erspan0", "tunl0", "sit0", "ip6tnl0", "ip6gre0", "ip_vti0", "ip6_vti0", "bonding_masters"];

fn wipe() {
    sh(WIPE);
    let gone = || sh("ls /sys/class/net").split_whitespace().all(|link| link == "lo" || FALLBACKS.contains(&link));
    assert!(wait_for(Duration::from_secs(10), gone), "links of a namespace that was deleted stay");
}

/// The file of all that is there, with its keys beside it.
fn imported(name: &str, folder: &str) -> String {
    sh(&format!("mkdir -p /run/lock/{folder}"));
    let path = format!("/run/lock/{folder}/{name}.yaml");
    let said = topo(&["import", "--all", "--out", &path]).expect(0);
    assert_eq!(said.stdout + &said.stderr, "", "import has something to say");
    path
}

/// The law: what is imported makes what was there, and importing that gives the same bytes.
fn law(name: &str, checks: impl Fn(&str)) -> String {
    checks("as it was made");
    let first = imported(name, "first");
    let text = std::fs::read_to_string(&first).unwrap();
    wipe();
    let applied = topo(&["apply", "--yes", &first]);
    assert_eq!(applied.code, 0, "{text}\n{}", applied.stderr);
    checks(&text);
    let plan = topo(&["plan", "--detailed-exitcode", &first]);
    assert_eq!(plan.code, 0, "{text}\n{}", plan.stdout);
    let again = std::fs::read_to_string(imported(name, "second")).unwrap();
    assert!(again == text, "importing again gives another file\n{}", difference(&text, &again));
    sh(&format!("cd /run/lock; [ ! -e first/{name}.keys ] || diff -r first/{name}.keys second/{name}.keys"));
    topo(&["destroy", "--yes", name]).expect(0);
    text
}

fn script_of(name: &str) -> (String, String) {
    let file = format!("{}.sh", name.replace('_', "-"));
    let path = in_repository(&format!("tests/import/{file}"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|_| panic!("there is no {path}"));
    (path, text)
}

/// A script as people type them; what in it begins with `# Check:` holds before and after.
fn script(name: &str) {
    let (path, text) = script_of(name);
    let needs = needed_by(&text);
    sandbox::run_needing(name, &needs, || {
        sh(&format!("set -e; . {path}"));
        let lines: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("# Check: ")).collect();
        assert!(!lines.is_empty(), "{path} has no check");
        let checks = |file: &str| {
            for line in &lines {
                let mut checked = try_sh("true");
                wait_for(Duration::from_secs(10), || {
                    checked = try_sh(&format!("{SERVES}\n{line}"));
                    checked.code == 0
                });
                assert_eq!(checked.code, 0, "{line}\n{file}\n{}{}", checked.stdout, checked.stderr);
            }
        };
        let file = law(&name.replace('_', "-"), checks);
        assert!(!file.contains("not in this file"), "{file}");
    });
}

macro_rules! scripts {
    ($($name:ident)*) => {
        $(#[test] fn $name() { script(stringify!($name)); })*

        #[test]
        fn every_script_is_tried() {
            let mut files: Vec<String> = std::fs::read_dir(in_repository("tests/import"))
                .unwrap()
                .map(|file| file.unwrap().file_name().into_string().unwrap())
                .collect();
            files.sort();
            let mut tried: Vec<String> = [$(stringify!($name)),*].map(|name| name.replace('_', "-") + ".sh").to_vec();
            tried.sort();
            assert_eq!(files, tried);
        }
    };
}

scripts! {
    bad_line both_families firewall_iptables firewall_nft ipv6 marks masquerade_exempt mss mtus multipath names nat_nft
    point_to_point policy_routing red_blue_nat redirect router_chain settings stacked star static_neighbors
    two_namespaces vlans vxlan wireguard
}

/// A lab of `topologies/`, made by topo; its own checks hold before and after.
fn lab(name: &str) {
    let lab = name.replace('_', "-");
    let path = in_repository(&format!("topologies/{}.yaml", lab.strip_prefix("lab-").unwrap_or(&lab)));
    let text = std::fs::read_to_string(&path).unwrap();
    let needs = needed_by(&text);
    sandbox::run_needing(name, &needs, || {
        // What the lab finds there.
        match name {
            "lab_container" => _ = sh("ip netns add guest; ip -n guest link set lo up"),
            "lab_bridge_and_docker" => _ = sh("iptables -P FORWARD DROP"),
            _ => {}
        }
        topo(&["apply", "--yes", &path]).expect(0);
        let topology = text.lines().find_map(|line| line.strip_prefix("name: ")).unwrap();
        let checks = |file: &str| {
            if text.contains("\nchecks:") {
                // A handshake, or a bond, takes its time.
                let mut tested = topo(&["list"]);
                wait_for(Duration::from_secs(20), || {
                    tested = topo(&["test", &path]);
                    tested.code == 0
                });
                assert_eq!(tested.code, 0, "{file}\n{}{}", tested.stdout, tested.stderr);
            }
        };
        law(topology, checks);
    });
}

macro_rules! labs {
    ($($name:ident)*) => { $(#[test] fn $name() { lab(stringify!($name)); })* };
}

labs! {
    lab_bad_line lab_bond lab_bridge lab_bridge_and_docker lab_container lab_docker_network lab_firewall lab_leaf_spine lab_macvlan
    lab_macvlan_and_ipvlan lab_multipath lab_names lab_nat lab_netlink_monitor lab_policy_routing lab_port_forward
    lab_router_chain lab_router_on_a_stick lab_tunnels lab_two_namespaces lab_vlan_bridge lab_vrfs lab_vxlan
    lab_wireguard
}

/// What a machine is set to, as other people's programs see it.
fn machine(known: &str) -> String {
    let options = Options { known: known.to_owned(), without_record: true, ..Options::default() };
    // A rule that the first file had in nft's words has a comment as one in the language's.
    without_history(&snapshot_with(&options)).replace("\"comment\":\"topo:law\",", "")
}

/// Random topologies, but for those with interfaces of somebody else: imported, they would be the file's.
fn random(seed: u64) -> Option<String> {
    let text = generator::topology("law", &mut Dice::new(&generator::throws(seed, 400)));
    let text = text.replace("    existing: { netns: guest }\n", "").replace("  guest:\n", "  guest: {}\n");
    (!text.contains("existing:") && !text.contains("insert:")).then_some(text)
}

#[test]
fn random_topologies_come_back() {
    sandbox::run_within("random_topologies_come_back", Duration::from_secs(3600), || {
        let (first, count) = (generator::number("TOPO_IMPORT_SEED", 0), generator::number("TOPO_IMPORTS", 12));
        for (seed, text) in
            (first..).filter_map(|seed| Some((seed, random(seed)?))).take(usize::try_from(count).unwrap())
        {
            let file = write("law.yaml", &text);
            let applied = topo(&["apply", "--yes", &file]);
            assert_eq!(applied.code, 0, "seed {seed}\n{text}\n{}", applied.stderr);
            let before = machine(&text);
            let imported = law("law", |made| {
                let after = machine(&text);
                assert!(after == before, "seed {seed}\n{text}\n{made}\n{}", difference(&before, &after));
            });
            assert!(!imported.contains("not in this file"), "seed {seed}\n{text}\n{imported}");
            sh("rm -r /run/lock/first /run/lock/second");
            wipe();
        }
    });
}

/// Names and comments that try to be more than a name.
const HOSTILE: &str = r#"
mkdir -p /run/netns
attach() { touch "/run/netns/$1"; unshare -n mount --bind /proc/self/ns/net "/run/netns/$1"; }
ip netns add 'x: {y}'
ip netns add '#c'
ip netns add "q'\"\\"
ip netns add '{n}'
attach "$(printf 'two\nhost:\n  forwarding: true')"
ip link add '#a' type veth peer name 'b' netns 'x: {y}'
ip link add 'q"q' type veth peer name '- c' netns '#c' 2>/dev/null || ip link add 'q"q' type veth peer name '-c' netns '#c'
ip link add 'no' type veth peer name '!not' netns '#c'
ip addr add 10.0.0.1/24 dev 'q"q'
iptables -A FORWARD -m comment --comment 'x: y # z "q" {a}' -j LOG --log-prefix '#: "'
ip netns exec '#c' iptables -A FORWARD -m comment --comment "$(printf 'a\n-A FORWARD -j ACCEPT')" -j DROP
"#;

#[test]
fn hostile_names_are_names() {
    sandbox::run("hostile_names_are_names", || {
        sh(HOSTILE);
        let printed = topo(&["import", "--all"]);
        assert_eq!(printed.code, 0, "{}", printed.stderr);
        let text = printed.stdout;
        let validated = topo(&["validate", &write("hostile.yaml", &text)]);
        assert_eq!(validated.code, 0, "{text}\n{}", validated.stderr);
        for line in text.lines() {
            assert!(!line.starts_with("  forwarding") && !line.contains("accept"), "{line}");
        }
        for said in [
            "\"x: {y}\":",
            "\"#c\":",
            "two\\nhost:\\n  forwarding: true",
            "the nft table ip filter: a text in it has a line break",
            "the interface !not: a file cannot have its name",
        ] {
            assert!(text.contains(said), "{said}\n{text}");
        }
        sh("nft list ruleset >/run/lock/rules; ip -all netns exec ip link >/run/lock/links");
        assert_eq!(topo(&["import", "--all"]).expect(0).stdout, text, "an import changes nothing");
    });
}

/// The machine as a picture, whatever made it; a difference of two files as one.
#[test]
fn the_whole_machine_is_drawn() {
    sandbox::run("the_whole_machine_is_drawn", || {
        let (path, _) = script_of("red_blue_nat");
        sh(&format!("set -e; . {path}"));
        sh(HOSTILE);
        let text = topo(&["graph", "--all"]).expect(0).stdout;
        for said in ["RED", "BLUE", "WORLD", "br0", "11.11.11.2/24", "x: {y}", "#a"] {
            assert!(text.contains(said), "{said}\n{text}");
        }
        assert!(!text.contains("two\nhost"), "{text}");
        for name in ["svg", "html", "mmd", "dot"] {
            topo(&["graph", "--all", "--out", &format!("/run/lock/machine.{name}")]).expect(0);
            let drawn = std::fs::read_to_string(format!("/run/lock/machine.{name}")).unwrap();
            assert!(drawn.contains("RED") && drawn.contains("reth0"), "{drawn}");
        }
        topo(&["graph", "--all", "lab.yaml"]).expect(64);
        let one = write("one.yaml", "name: x\nnamespaces: { A: { interfaces: { a: { veth: B/b } } }, B: {} }\n");
        let two = write("two.yaml", "name: x\nnamespaces: { A: { interfaces: { a: { veth: C/c } } }, C: {} }\n");
        topo(&["diff", "--picture", "/run/lock/change.mmd", &one, &two]).expect(2);
        let drawn = std::fs::read_to_string("/run/lock/change.mmd").unwrap();
        assert!(drawn.contains("+ C") || drawn.contains('C') && drawn.contains("added"), "{drawn}");
        topo(&["diff", "--picture", "/run/lock/change.png", &one, &two]).expect(64).says("says no format");
    });
}

#[test]
fn what_is_not_chosen_is_existing() {
    sandbox::run("what_is_not_chosen_is_existing", || {
        let (path, _) = script_of("red_blue_nat");
        sh(&format!("set -e; . {path}"));
        let text = topo(&["import", "RED"]).expect(0).stdout;
        assert!(text.contains("existing") && text.contains("master: br0") && !text.contains("BLUE"), "{text}");
        topo(&["validate", &write("red.yaml", &text)]).expect(0);
        topo(&["import", "REED"]).expect(1).says("did you mean \"RED\"?");
        topo(&["import"]).expect(64);
        let out = "/run/lock/out.yaml";
        topo(&["import", "RED", "--out", out]).expect(0);
        topo(&["import", "RED", "--out", out]).expect(0);
        topo(&["import", "BLUE", "--out", out]).expect(1).says("topo writes over none");
    });
}
