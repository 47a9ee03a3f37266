//! What a kernel can do, found out by doing it once in a network of its own.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};
use std::sync::Mutex;

/// Every feature that a test can ask for, and lines of shell that only pass where the kernel has it. They find a pair
/// of links `a0` and `b0`, up.
const FEATURES: [(&str, &str); 45] = [
    // Links.
    ("veth", "true"),
    ("bridge", "ip link add t0 type bridge"),
    ("dummy", "ip link add t0 type dummy"),
    ("ifb", "ip link add t0 type ifb"),
    ("nlmon", "ip link add t0 type nlmon"),
    ("tun", "ip tuntap add dev t0 mode tun"),
    ("tap", "ip tuntap add dev t0 mode tap"),
    ("macvlan", "ip link add t0 link a0 type macvlan mode bridge"),
    ("macvtap", "ip link add t0 link a0 type macvtap mode bridge"),
    ("ipvlan", "ip link add t0 link a0 type ipvlan mode l2; ip link set t0 up"),
    ("ipvlan_l3s", "ip link add t0 link a0 type ipvlan mode l3s; ip link set t0 up"),
    ("ipvtap", "ip link add t0 link a0 type ipvtap"),
    ("vlan", "ip link add t0 link a0 type vlan id 7; ip link set t0 up"),
    (
        "qinq",
        "ip link add t0 link a0 type vlan proto 802.1ad id 9; ip link set t0 up; ip link add t1 link t0 type vlan id 7",
    ),
    ("bond", "ip link add t0 type bond mode active-backup; ip link set a0 down; ip link set a0 master t0"),
    ("bond_lacp", "ip link add t0 type bond mode 802.3ad; ip link set t0 up"),
    ("team", "ip link add t0 type team"),
    ("vrf", "ip link add t0 type vrf table 100; ip link set t0 up; ip link set a0 master t0"),
    ("vxlan", "ip link add t0 type vxlan id 7 local 10.0.0.1 dstport 4789"),
    ("geneve", "ip link add t0 type geneve id 7 remote 10.0.0.2"),
    ("gre", "ip link add t0 type gre local 10.0.0.1 remote 10.0.0.2"),
    ("gretap", "ip link add t0 type gretap local 10.0.0.1 remote 10.0.0.2"),
    ("erspan", "ip link add t0 type erspan local 10.0.0.1 remote 10.0.0.2 seq key 7 erspan_ver 1 erspan 7"),
    ("ipip", "ip link add t0 type ipip local 10.0.0.1 remote 10.0.0.2"),
    ("sit", "ip link add t0 type sit local 10.0.0.1 remote 10.0.0.2"),
    ("ip6tnl", "ip link add t0 type ip6tnl mode any local fd00::1 remote fd00::2"),
    ("ip6gre", "ip link add t0 type ip6gre local fd00::1 remote fd00::2"),
    ("ip6gretap", "ip link add t0 type ip6gretap local fd00::1 remote fd00::2"),
    ("vti", "ip link add t0 type vti local 10.0.0.1 remote 10.0.0.2 key 7"),
    ("xfrm", "ip link add t0 type xfrm dev a0 if_id 7"),
    ("wireguard", "ip link add t0 type wireguard; ip link set t0 up"),
    ("macsec", "ip link add t0 link a0 type macsec"),
    // What links can do.
    ("altname", "ip link property add dev a0 altname a-rather-long-alternative-name"),
    ("bridge_stp", "ip link add t0 type bridge stp_state 1"),
    (
        "bridge_vlan_filtering",
        "ip link add t0 type bridge vlan_filtering 1; ip link set a0 master t0; bridge vlan add dev a0 vid 7 pvid untagged",
    ),
    (
        "bridge_netfilter",
        "test -e /proc/sys/net/bridge/bridge-nf-call-iptables || modprobe -q br_netfilter; test -e /proc/sys/net/bridge/bridge-nf-call-iptables",
    ),
    ("offload", "ethtool -K a0 tx off; ethtool -k a0 | grep -q '^tx-checksumming: off'"),
    // Queues.
    ("netem", "tc qdisc add dev a0 root handle 1: netem delay 5ms 1ms distribution normal loss 1% rate 100mbit"),
    ("tbf", "tc qdisc add dev a0 root tbf rate 10mbit burst 32k latency 50ms"),
    (
        "htb",
        "tc qdisc add dev a0 root handle 1: htb default 10; tc class add dev a0 parent 1: classid 1:10 htb rate 10mbit",
    ),
    ("fq_codel", "tc qdisc add dev a0 root fq_codel"),
    ("clsact", "tc qdisc add dev a0 clsact"),
    (
        "mirred",
        "tc qdisc add dev a0 clsact; tc filter add dev a0 ingress matchall action mirred egress redirect dev b0",
    ),
    // Routes.
    ("nexthop", "ip nexthop add id 1 via 10.0.0.2 dev a0; ip nexthop add id 9 group 1"),
    ("mpls", "modprobe -q mpls_router || true; test -e /proc/sys/net/mpls/platform_labels"),
];

/// Around the lines of a feature.
const AROUND: &str = "mount -t sysfs sysfs /sys 2>/dev/null
set -e
ip link add a0 type veth peer name b0
ip link set lo up; ip link set a0 up; ip link set b0 up
ip addr add 10.0.0.1/24 dev a0; ip addr add fd00::1/64 dev a0 nodad
";

/// What a topology needs of a kernel, as a comment in it says: `# Needs of the kernel: vlan, vrf`; nothing where none
/// does.
///
/// # Panics
///
/// Where a name is none of the above.
pub fn needed_by(text: &str) -> Vec<&'static str> {
    let names = text
        .lines()
        .filter_map(|line| line.strip_prefix("# Needs of the kernel: "))
        .flat_map(|names| names.split(", "));
    names
        .map(|name| FEATURES.iter().find(|(known, _)| *known == name.trim()).unwrap_or_else(|| unknown(name)).0)
        .collect()
}

fn unknown(feature: &str) -> ! {
    let known: Vec<&str> = FEATURES.iter().map(|(name, _)| *name).collect();
    panic!("no feature of a kernel is called {feature:?} here; known are {}", known.join(", "));
}

/// Whether a kernel has what a test needs. `run` runs a command there, and says whether it passed or what it printed.
///
/// # Panics
///
/// Where a name is none of the above: a test that asks for what nobody can find out is wrong.
pub fn lacking(
    needed: &[&'static str],
    mut run: impl FnMut(&[&str]) -> Result<(), String>,
) -> Vec<(&'static str, String)> {
    let mut lacking = Vec::new();
    for feature in needed {
        let (_, lines) = FEATURES.iter().find(|(name, _)| name == feature).unwrap_or_else(|| unknown(feature));
        if let Err(why) =
            run(&["timeout", "60", "unshare", "--net", "--mount", "sh", "-c", &format!("{AROUND}{lines}")])
        {
            lacking.push((*feature, why));
        }
    }
    lacking
}

/// Which of these this machine's own kernel lacks. Each is tried once per process.
pub fn lacking_here(needed: &[&'static str]) -> Vec<&'static str> {
    static TRIED: Mutex<BTreeMap<&'static str, bool>> = Mutex::new(BTreeMap::new());
    let mut tried = TRIED.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let new: Vec<&'static str> = needed.iter().filter(|feature| !tried.contains_key(*feature)).copied().collect();
    let absent = lacking(&new, run_here);
    tried.extend(new.iter().map(|feature| (*feature, absent.iter().all(|(name, _)| name != feature))));
    needed.iter().filter(|feature| !tried[*feature]).copied().collect()
}

fn run_here(command: &[&str]) -> Result<(), String> {
    let output = Command::new(command[0])
        .args(&command[1..])
        .stdin(Stdio::null())
        .output()
        .map_err(|error| error.to_string())?;
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}
