//! `topo import --adopt`: what is there becomes a topology's where it stands, while packets go through it; undone, it
//! is as it was.
//!
//! A quick run takes ten of the scripts of `tests/import`; `TOPO_ADOPT=all` takes all between two ends of which
//! packets go one way.

use crate::sandbox;

use sandbox::{Options, assert_snapshot_with, difference, in_repository, needed_by, quiet, sh, topo, try_sh, wait_for};
use std::time::Duration;

/// A ping every ten milliseconds and a connection that carries a number as often, from one node to an address of
/// another.
struct Traffic {
    node: String,
    address: String,
}

impl Traffic {
    /// Begins it between the nodes that the first check of a script has.
    fn begin(script: &str) -> Self {
        let check = script.lines().find(|line| line.starts_with("# Check: ip netns exec") && line.contains(" ping "));
        let words: Vec<&str> = check.expect("a check that pings").split_whitespace().collect();
        let node = words[5].to_owned();
        let address =
            sh(&format!("ip netns exec {node} getent ahosts {} | head -n 1 | cut -d ' ' -f 1", words.last().unwrap()))
                .trim()
                .to_owned();
        let from = words.iter().position(|word| *word == "-I").map_or("", |at| words[at + 1]);
        let there = format!(
            "for n in $(ls /run/netns); do ip -n $n -o addr | grep -q 'inet6* {address}[/ ]' && echo $n || true; done | head -n 1"
        );
        let server = sh(&there).trim().to_owned();
        let (six, host) = if address.contains(':') { ("6", format!("[{address}]")) } else { ("4", address.clone()) };
        let bind = if from.is_empty() { String::new() } else { format!(",bind={from}") };
        let source = if from.is_empty() { String::new() } else { format!("-I {from}") };
        sh(&format!(
            r#"
exec >/dev/null 2>&1; cd /run/lock; rm -f got ping.out
ip netns exec {server} socat -u TCP{six}-LISTEN:22,reuseaddr OPEN:got,creat,append >/dev/null 2>&1 & echo $! >server.pid
n=0; until ip netns exec {server} ss -Hltn 'sport = 22' | grep -q .; do sleep 0.02; n=$((n + 1)); [ $n -lt 250 ]; done
(n=0; while [ ! -e stop ]; do n=$((n + 1)); echo $n; sleep 0.01; done) | ip netns exec {node} socat -u - TCP{six}:{host}:22{bind} >/dev/null 2>&1 & echo $! >client.pid
ip netns exec {node} ping -i 0.01 -q {source} {address} >ping.out 2>&1 & echo $! >ping.pid
n=0; until [ -s got ]; do sleep 0.02; n=$((n + 1)); [ $n -lt 250 ]; done
"#
        ));
        Self { node, address }
    }

    /// Ends it: every packet had its answer but the one that is under way, and the connection carried all, in order.
    fn end(self, what: &str) {
        std::thread::sleep(Duration::from_millis(100));
        sh("cd /run/lock; kill -0 $(cat server.pid); kill -0 $(cat client.pid); touch stop; kill -INT $(cat ping.pid)");
        assert!(wait_for(Duration::from_secs(5), || try_sh("kill -0 $(cat /run/lock/server.pid)").code != 0), "{what}");
        sh("rm /run/lock/stop");
        let said = std::fs::read_to_string("/run/lock/ping.out").unwrap();
        let numbers: Vec<usize> = said
            .lines()
            .find(|line| line.contains("packets transmitted"))
            .expect("ping sums up")
            .split(' ')
            .filter_map(|word| word.parse().ok())
            .collect();
        assert!(numbers[0] > 10 && numbers[0] - numbers[1] <= 1, "{what}: {} to {}: {said}", self.node, self.address);
        let got = std::fs::read_to_string("/run/lock/got").unwrap();
        let numbers: Vec<usize> = got.lines().map(|line| line.parse().unwrap()).collect();
        assert!(numbers.len() > 10, "{what}: {got}");
        assert_eq!(numbers, (1..=numbers.len()).collect::<Vec<_>>(), "{what}");
    }
}

/// All nodes that a script made something in.
fn nodes() -> Vec<String> {
    let mut nodes: Vec<String> = sh("ls /run/netns").split_whitespace().map(str::to_owned).collect();
    nodes.extend((sh("ls /sys/class/net | grep -v '^lo$' | wc -l").trim() != "0").then(|| "host".to_owned()));
    nodes
}

/// Adopts all there is; answers with the file.
fn adopted(name: &str) -> String {
    let file = format!("/run/lock/{name}.yaml");
    let nodes = nodes();
    let mut args = vec!["import", "--adopt", "--yes", "--out", &file];
    args.extend(nodes.iter().map(String::as_str));
    let said = topo(&args);
    let text = std::fs::read_to_string(&file).unwrap_or_default();
    assert_eq!(said.code, 0, "{}{}\n{text}", said.stdout, said.stderr);
    assert!(!text.contains("not in this file"), "{text}");
    file
}

fn empty(file: &str, when: &str) {
    let plan = topo(&["plan", "--detailed-exitcode", file]);
    assert_eq!(plan.code, 0, "{when}: {}{}\n{}", plan.stdout, plan.stderr, std::fs::read_to_string(file).unwrap());
}

fn script(name: &str) {
    let dashed = name.strip_prefix("adopted_").unwrap().replace('_', "-");
    let path = in_repository(&format!("tests/import/{dashed}.sh"));
    let text = std::fs::read_to_string(&path).unwrap();
    sandbox::run_needing(name, &needed_by(&text), || {
        let look = Options::default();
        let clean = quiet(&look);
        sh(&format!("set -e; . {path}"));
        let before = quiet(&look);
        let traffic = Traffic::begin(&text);
        let file = adopted(&dashed);
        empty(&file, "adopted");
        let first = std::fs::read_to_string(&file).unwrap();
        topo(&["undo", "--yes", &dashed]).expect(0);
        traffic.end("adopted, and undone");
        assert_snapshot_with(&before, &look);
        let traffic = Traffic::begin(&text);
        let file = adopted(&dashed);
        traffic.end("adopted again");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), first, "the same machine is another file");
        empty(&file, "adopted again");
        drifts(&file);
        topo(&["destroy", "--yes", &dashed]).expect(0);
        let left = quiet(&look);
        let differs = difference(&leftovers(&clean), &leftovers(&left));
        assert!(differs.is_empty(), "left of {file}\n{first}\n{differs}");
    });
}

/// What a script leaves on the machine that no topology takes away: settings that it wrote, what iptables makes of its
/// own, and folders that it made.
fn leftovers(snapshot: &str) -> String {
    const KEPT: [&str; 4] = ["net/ipv4/conf", "net/ipv6/conf", "ip_forward", "/etc/netns/"];
    let keeps = |line: &&str| KEPT.iter().all(|kept| !line.contains(kept));
    snapshot.lines().filter(keeps).map(|line| format!("{line}\n")).collect()
}

/// Something of each sort is changed by hand in a node of the topology, and is as the file says after an apply.
fn drifts(file: &str) {
    sh(r#"
for n in $(ls /run/netns); do
  for l in $(ip -n $n -o link show type veth | sed -E 's/^[0-9]+: ([^@:]+).*/\1/'); do
    ip -n $n link set $l mtu 1300
    ip -n $n addr flush dev $l scope global
  done
done
nft flush ruleset
"#);
    assert_eq!(topo(&["plan", "--detailed-exitcode", file]).code, 2, "no drift is seen");
    topo(&["apply", "--yes", file]).expect(0);
    empty(file, "repaired");
}

macro_rules! scripts {
    ($($name:ident)*) => { $(#[test] fn $name() { script(stringify!($name)); })* };
}

scripts! {
    adopted_red_blue_nat adopted_router_chain adopted_policy_routing adopted_static_neighbors adopted_names
    adopted_firewall_iptables adopted_firewall_nft adopted_ipv6 adopted_nat_nft adopted_masquerade_exempt
}

macro_rules! more {
    ($($name:ident)*) => { $(#[test] fn $name() { if long() { script(stringify!($name)); } })* };
}

fn long() -> bool {
    std::env::var("TOPO_ADOPT").is_ok_and(|form| form == "all")
}

more! {
    adopted_two_namespaces adopted_star adopted_both_families adopted_mss adopted_mtus
    adopted_point_to_point adopted_settings adopted_stacked adopted_vlans
    adopted_vxlan adopted_wireguard
}

const SHARED: &str = r#"
ip netns add a; ip netns add b; ip -n a link set lo up; ip -n b link set lo up
ip link add a0 type veth peer name eth0 netns a
ip link add b0 type veth peer name eth0 netns b
ip link add docker0 type bridge
ip link add mine type bridge
ip link set a0 master docker0
ip link set b0 master mine
ip link add up0 type veth peer name up1; ip link set up1 up
ip addr add 192.0.2.2/24 dev up0
for l in a0 b0 docker0 mine up0; do ip link set $l up; done
ip route add default via 192.0.2.1
ip -n a addr add 10.0.0.1/24 dev eth0; ip -n a link set eth0 up
nft add table ip firewalld
nft add chain ip firewalld in '{ type filter hook input priority 0; }'
nft add rule ip firewalld in counter
nft add table inet shared
nft add set inet shared bad '{ type ipv4_addr; flags dynamic; }'
nft add chain inet shared in '{ type filter hook input priority 10; }'
nft add rule inet shared in ip saddr @bad drop
nft add rule inet shared in tcp dport 81 drop
nft add table inet own
nft add chain inet own through '{ type filter hook forward priority 0; }'
nft add rule inet own through tcp dport 82 drop
"#;

#[test]
fn what_is_shared_is_not_adopted() {
    sandbox::run("what_is_shared_is_not_adopted", || {
        sh(SHARED);
        let before = quiet(&Options::default());
        topo(&["import", "--adopt", "host", "a"]).expect(64).says("--out");
        topo(&["import", "--adopt", "--all", "--out", "/run/lock/x.yaml"]).expect(64);
        topo(&["import", "--adopt", "--out", "/run/lock/x.yaml", "host"]).expect(64).says("no terminal");
        assert!(!std::path::Path::new("/run/lock/x.yaml").exists(), "a file of what was not adopted");
        let said = topo(&["import", "--adopt", "--yes", "--out", "/run/lock/lab.yaml", "host", "a"]).expect(0);
        assert!(said.stdout.contains("\"topo destroy lab\" then deletes"), "{}", said.stdout);
        let file = std::fs::read_to_string("/run/lock/lab.yaml").unwrap();
        for text in [
            "docker0:\n      existing: {}",
            "the interface up0 with 192.0.2.2/24: the default route of the machine goes over it",
            "firewalld made it",
            "the table inet shared stays as it is",
            "port: 82",
        ] {
            assert!(file.contains(text), "{text}\n{file}");
        }
        assert!(!file.contains("81") && !file.contains("up0:"), "{file}");
        empty("/run/lock/lab.yaml", "adopted");
        let rules = sh("nft list ruleset");
        assert!(
            rules.contains("table inet topo-lab") && rules.contains("table inet shared") && !rules.contains("inet own"),
            "{rules}"
        );
        sh(
            "ip -d link show docker0 | grep -vq topo:; ip -d link show mine | grep -q topo:lab; ip -d link show up0 | grep -vq topo:",
        );
        // A name is one topology's, and what is one's is no other's.
        topo(&["import", "--adopt", "--yes", "--out", "/run/lock/lab.yaml", "b"]).expect(1).says("already");
        topo(&["import", "--adopt", "--yes", "--out", "/run/lock/other.yaml", "a"]).expect(1).says("lab");
        topo(&["undo", "--yes", "lab"]).expect(0);
        assert_snapshot_with(&before, &Options::default());
        // It is undone as any apply is: not over what has changed since.
        topo(&["import", "--adopt", "--yes", "--out", "/run/lock/lab.yaml", "host", "a"]).expect(0);
        sh("ip -n a addr add 10.9.9.9/32 dev eth0; ip -n a route add 10.8.0.0/16 via 10.0.0.7");
        topo(&["undo", "--yes", "lab"]).expect(1).says("10.9.9.9").says("10.8.0.0/16");
        sh("ip -n a addr delete 10.9.9.9/32 dev eth0; ip -n a route delete 10.8.0.0/16 via 10.0.0.7");
        topo(&["undo", "--yes", "lab"]).expect(0);
        topo(&["import", "--adopt", "--yes", "--out", "/run/lock/new.yaml", "host", "a"]).expect(0);
        topo(&["destroy", "--yes", "new"]).expect(0);
        sh(
            "ip link show docker0; ip link show up0; ip route | grep -q default; nft list table inet shared; ! ip link show mine 2>/dev/null",
        );
    });
}

/// What cannot be marked where it stands is said, and nothing is done.
#[test]
fn what_cannot_be_marked_is_said_before() {
    sandbox::run_needing("what_cannot_be_marked_is_said_before", &["netem"], || {
        sh(r#"
ip netns add a; ip netns add b; ip -n a link set lo up; ip -n b link set lo up
ip link add eth0 netns a type veth peer name eth0 netns b
for n in a b; do ip -n $n link set eth0 up; done
ip -n a addr add 10.0.0.1/24 dev eth0; ip -n b addr add 10.0.0.2/24 dev eth0
tc -n b qdisc add dev eth0 root netem delay 5ms
ip -n a route add 10.7.0.0/16 via 10.0.0.2 tos 0x10
ip -n a link set eth0 arp off
"#);
        let before = quiet(&Options::default());
        let adopt = || topo(&["import", "--adopt", "--yes", "--out", "/run/lock/lab.yaml", "a", "b"]);
        let said = adopt().expect(1);
        assert!(said.stdout.is_empty(), "{}", said.stdout);
        said.says("cannot be marked where it stands")
            .says("tc -n b qdisc delete dev eth0 root")
            .says("topo would delete it")
            .says("is not as the file has it (arp");
        assert!(!std::path::Path::new("/run/lock/lab.yaml").exists(), "a file of what was not adopted");
        assert_snapshot_with(&before, &Options::default());
        sh(
            "tc -n b qdisc delete dev eth0 root; ip -n a route delete 10.7.0.0/16 tos 0x10; ip -n a link set eth0 arp on",
        );
        adopt().expect(0);
        empty("/run/lock/lab.yaml", "adopted");
    });
}
