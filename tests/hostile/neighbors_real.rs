//! Beside real firewalld, podman and libvirt, each in a sandbox of its own (`tests/neighbor-lane/run`, which unpacks
//! Debian's packages where they are missing): what they usually do is drift where it is topo's business and nothing
//! where it is not, one `apply` mends it, pings go through again, and nothing of theirs is changed by topo, handles and
//! interface numbers included. Docker is in `tests/hostile/docker.rs`, what is imitated in
//! `tests/hostile/neighbors.rs`.
//!
//! Where they cannot be had: `cargo test -- --skip neighbor_`.

use crate::sandbox;

use sandbox::{Options, difference, in_repository, quiet, sh, topo, try_sh, wait_for, write};
use std::time::Duration;

/// An outside that knows nothing of the lab: it answers only what is masqueraded.
const OUTSIDE: &str = "
sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0
ip netns add outside; nsenter --net=/run/netns/outside sysctl -qw net.ipv6.conf.all.disable_ipv6=1
ip link add ext0 type veth peer name ext1 netns outside
ip address add 192.0.2.5/24 dev ext0; ip link set ext0 up
ip -n outside address add 192.0.2.9/24 dev ext1; ip -n outside link set ext1 up
";

/// A namespace behind a bridge of the host, with all that a topology puts on a host. `INTERFACES`, `RULES` and
/// `NAMESPACES` are each test's own.
const LAB: &str = r#"
name: beside
host:
  forwarding: ipv4
  interfaces:
    lab0: { bridge: { ports: [red0] }, addresses: [10.80.0.1/24] }
INTERFACES
  routes: [{ to: 10.81.0.0/16, via: 10.80.0.2 }]
  rules: [{ priority: 81, from: 10.81.0.0/16, table: 81 }]
  nat: [{ masquerade: { source: 10.80.0.0/24, out: ext0 } }]
RULES
namespaces:
  RED:
    interfaces: { eth0: { veth: host/red0, addresses: [10.80.0.2/24] } }
    routes: [{ to: default, via: 10.80.0.1 }]
NAMESPACES
"#;

/// What a line has that is of the lab, or comes and goes without anybody's doing: addresses that the kernel makes.
/// Every rule of a lab names `lab0`: nft does not show the comments of iptables' rules.
const LEFT_OUT: [&str; 8] = ["lab0", "red0", "blue0", "topo", "10.81.", "fe80:", "ff00:", "33:33:"];

/// What a neighbor's deed is to the lab.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Harm {
    /// Not topo's business.
    None,
    /// Drift that no ping notices.
    Drift,
    /// Drift with which the first ping does not go through.
    Cut,
}

fn beside(neighbor: &str, name: &str, test: impl FnOnce()) {
    let lane = in_repository("tests/neighbor-lane/run");
    sandbox::run_by(&["bash", &lane, neighbor, "--"], name, Duration::from_secs(120), test);
}

/// The file of a lab. Each of its rules is a line of `rules`.
fn lab(name: &str, interfaces: &str, rules: &[&str], namespaces: &str) -> String {
    let list: String = rules.iter().map(|rule| format!("      - {{ {rule} }}\n")).collect();
    let rules = if rules.is_empty() { String::new() } else { format!("  firewall:\n    insert:\n{list}") };
    write(name, &LAB.replace("INTERFACES\n", interfaces).replace("RULES\n", &rules).replace("NAMESPACES\n", namespaces))
}

/// The rules of iptables as it prints them, which nft does not show whole, without counters and dates.
fn iptables() -> String {
    sh("(iptables-nft-save; ip6tables-nft-save) 2>/dev/null | grep -v '^#' | sed 's/\\[[0-9:]*\\]//' || :")
}

/// What is not the lab's on the host, as it stands: with numbers, handles and hardware addresses. A few programs, so
/// that it can be looked at after each deed.
const FOREIGN: &str = "
ip -d -o link; ip -d -o address; for f in -4 -6; do ip $f -d route show table all; ip $f rule; ip $f neigh show nud permanent; done
bridge -d -o link; bridge fdb | grep -e permanent -e static || :; bridge vlan; nft -a list ruleset; ls -i /run/netns | grep -v -e RED -e BLUE
";

/// What moves by itself: timers and counters, and what the kernel notes of a carrier once a second.
const RESTLESS: &str = r"s/ (hello|tcn|topology_change|gc|message_age|forward_delay|hold)_timer +[0-9.]+//g; s/counter packets [0-9]+ bytes [0-9]+/counter/; s/ state [A-Z]+//; s/ linkdown//";

fn foreign() -> String {
    let text = sh(&format!("({FOREIGN}) 2>/dev/null | sed -E '{RESTLESS}'")) + &iptables();
    let mut out = String::new();
    let mut ours = false;
    for line in text.lines() {
        ours |= line.starts_with("table inet topo-");
        if !ours && !LEFT_OUT.iter().any(|word| line.contains(word)) {
            out.push_str(line);
            out.push('\n');
        }
        ours &= line != "}";
    }
    out
}

/// The whole machine, without what differs where a neighbor makes the same thing again, and without addresses that the
/// kernel makes when it gets to it. The rules of iptables are as it prints them, in the order of each chain; chains
/// without rules and with the policy that they are born with are no matter.
fn machine() -> String {
    let of_iptables = |line: &str| {
        line.starts_with('{')
            && line.contains("\"table\":")
            && ["ip", "ip6"].iter().any(|name| line.contains(&format!("\"family\":\"{name}\"")))
    };
    let left_out = |line: &str| line.contains("LINK-LOCAL") || line.contains("33:33:") || of_iptables(line);
    let text = quiet(&Options::default());
    let mut lines: Vec<&str> = text.lines().filter(|line| !left_out(line)).collect();
    let rules = iptables();
    let mut chains: Vec<&str> = rules.lines().filter(|line| line.starts_with("-A") || line.contains(" DROP")).collect();
    chains.sort_by_key(|line| line.split(' ').take(2).collect::<Vec<_>>());
    lines.extend(chains);
    // podman's namespaces have random names.
    let text = lines.join("\n");
    let words = text
        .split("netns-")
        .enumerate()
        .map(|(at, rest)| if at == 0 { rest } else { rest.get(36..).unwrap_or_default() });
    words.collect::<Vec<_>>().join("netns-X")
}

#[track_caller]
fn same(before: &str, what: &str, now: impl Fn() -> String) {
    let mut last = String::new();
    let same = wait_for(Duration::from_secs(5), || {
        last = now();
        last == before
    });
    assert!(same, "{what} (- before, + now)\n{}", difference(before, &last));
}

/// The first ping that does not go through.
fn lost<'a>(pings: &[(&'a str, &'a str)]) -> Option<(&'a str, &'a str)> {
    let fails = |(from, to): &&(&str, &str)| try_sh(&format!("{from} ping -q -c 1 -W 2 {to}")).code != 0;
    pings.iter().find(fails).copied()
}

/// Whether the first ping, whose way neighbors bar, does not go through. Not waited for long: it is not to come.
fn cut(pings: &[(&str, &str)]) -> bool {
    let (from, to) = pings[0];
    try_sh(&format!("{from} ping -q -c 1 -W 0.3 {to}")).code != 0
}

/// After each deed topo sees what is its business and what is not; what is it mends in one apply, and changes nothing
/// else.
#[track_caller]
fn mended(file: &str, deeds: &[(&str, Harm)], pings: &[(&str, &str)]) {
    for (deed, harm) in deeds {
        sh(deed);
        let planned = topo(&["plan", "--detailed-exitcode", file]);
        assert_eq!(
            planned.code,
            if *harm == Harm::None { 0 } else { 2 },
            "after {deed}\n{}{}",
            planned.stdout,
            planned.stderr
        );
        match harm {
            Harm::Cut => assert!(cut(pings), "after {deed} this should not go through: {:?}", pings[0]),
            Harm::Drift | Harm::None => assert_eq!(lost(pings), None, "after {deed}"),
        }
        if *harm == Harm::None {
            continue;
        }
        let before = foreign();
        topo(&["apply", "--yes", file]).expect(0);
        topo(&["plan", "--detailed-exitcode", file]).expect(0);
        same(&before, &format!("apply changed what is not topo's, after {deed}"), foreign);
        assert_eq!(lost(pings), None, "after {deed} and apply\n{}", iptables());
    }
}

/// Applies a file in which the doctor finds errors of these codes, and then what it proposes, in at most three rounds:
/// nothing is found then. Answers with the file as it is then.
#[track_caller]
pub fn mended_by_doctor(name: &str, text: &str, codes: &[&str]) -> String {
    let (mut text, mut file) = (text.to_owned(), write(name, text));
    for round in 0..4 {
        let output = topo(&["doctor", "--json", &file]);
        let json: serde_json::Value =
            serde_json::from_str(&output.stdout).unwrap_or_else(|e| panic!("{e}: {}{}", output.stdout, output.stderr));
        let found = json["examined"][0]["findings"].as_array().unwrap().clone();
        let errors: Vec<_> = found.iter().filter(|one| one["severity"] == "error").collect();
        if round == 0 {
            let seen: Vec<&str> = errors.iter().map(|one| one["code"].as_str().unwrap()).collect();
            assert_eq!(seen, codes, "{}", output.stdout);
        }
        if errors.is_empty() {
            assert!(round > 0, "nothing is found");
            return file;
        }
        for remedy in
            errors.iter().flat_map(|one| one["remedies"].as_array().unwrap()).filter(|one| one["kind"] == "yaml")
        {
            text = sandbox::with_fix(&text, remedy["text"].as_str().unwrap());
        }
        file = write(name, &text);
        topo(&["apply", "--yes", &file]).expect(0);
    }
    panic!("what is proposed does not mend it:\n{text}")
}

/// Destroys the lab: every number and handle of others stays, and all in all the machine is as before the lab and the
/// deeds.
#[track_caller]
fn destroyed(before: &str) {
    let others = foreign();
    assert!(others.contains("ext0") && others.contains("outside"), "{others}");
    topo(&["destroy", "--yes", "beside"]).expect(0);
    same(&others, "destroy changed what is not topo's", foreign);
    same(before, "after destroy", machine);
}

#[test]
fn neighbor_firewalld() {
    beside("firewalld", "neighbor_firewalld", || {
        sh(OUTSIDE);
        let before = machine();
        topo(&["apply", "--yes", &lab("plain.yaml", "", &[], "")]).expect(0);
        let pings = [("ip netns exec RED", "192.0.2.9"), ("ip netns exec RED", "192.0.2.5")];
        assert!(cut(&pings), "firewalld should refuse to forward");
        let plain = std::fs::read_to_string("/run/lock/plain.yaml").unwrap();
        let mended_file = mended_by_doctor("mended.yaml", &plain, &["foreign-filter"]);
        assert_eq!(lost(&pings), None, "what the doctor proposes does not help beside firewalld");
        let found = topo(&["doctor", "--color", "never", &mended_file]).expect(0);
        assert!(found.stdout.contains("warning[firewalld-reload]"), "{}", found.stdout);
        topo(&["apply", "--yes", "/run/lock/plain.yaml"]).expect(0);
        // The one that a person writes where firewalld is not always there.
        let file = lab(
            "lab.yaml",
            "",
            &[r#"chain: "inet firewalld filter_FORWARD", if-present: true, in: lab0, accept: {}"#],
            "",
        );
        let deeds = [
            (":", Harm::Cut),
            ("firewall-cmd --reload", Harm::Cut),
            ("firewall-cmd --complete-reload", Harm::Cut),
            (
                "firewall-cmd --permanent --new-zone=guests; firewall-cmd --permanent --zone=guests --add-service=ssh; firewall-cmd --reload",
                Harm::Cut,
            ),
            (
                "firewall-cmd --zone=guests --add-interface=ext0; firewall-cmd --zone=guests --add-masquerade",
                Harm::None,
            ),
            (
                "firewall-cmd --zone=guests --remove-masquerade; firewall-cmd --zone=guests --remove-interface=ext0",
                Harm::None,
            ),
            ("firewall-cmd --permanent --delete-zone=guests; firewall-cmd --reload", Harm::Cut),
            // Ours to lose, and not to miss: there is no chain, and nobody who refuses.
            ("firewalld-stop", Harm::None),
            ("firewalld-start", Harm::Cut),
            ("firewalld-stop; firewalld-start", Harm::Cut),
        ];
        mended(&file, &deeds, &pings);
        // While it panics nothing passes, and that is not topo's to mend.
        sh("firewall-cmd --panic-on");
        topo(&["plan", "--detailed-exitcode", &file]).expect(0);
        assert!(cut(&pings), "what goes through in a panic?");
        mended(&file, &[("firewall-cmd --panic-off", Harm::None)], &pings);
        destroyed(&before);
    });
}

const GUEST: &str = "
name: beside
host:
  interfaces:
    podman1: { existing: {} }
    blue0: { master: podman1 }
namespaces:
  BLUE: { interfaces: { eth0: { veth: host/blue0, addresses: [10.89.0.77/24] } } }
";

#[test]
fn neighbor_podman() {
    beside("podman", "neighbor_podman", || {
        // As on a machine that forwards only what is allowed, with a container that is allowed by netavark.
        let run = "podman run -d --name c1 --network pn0 --ip 10.89.0.2 --cap-add NET_RAW --sysctl net.ipv6.conf.all.disable_ipv6=1 box sleep 1000";
        sh(&format!("{OUTSIDE} iptables-nft -P FORWARD DROP; podman network create --subnet 10.89.0.0/24 pn0; {run}"));
        let before = machine();
        topo(&["apply", "--yes", &lab("plain.yaml", "", &[], "")]).expect(0);
        let pings = [
            ("ip netns exec RED", "10.89.0.2"),
            ("ip netns exec RED", "192.0.2.9"),
            ("podman exec c1", "192.0.2.9"),
            ("podman exec c1", "10.80.0.2"),
        ];
        assert!(cut(&pings), "the policy of FORWARD should drop it");
        let plain = std::fs::read_to_string("/run/lock/plain.yaml").unwrap();
        mended_by_doctor("mended.yaml", &plain, &["foreign-filter"]);
        assert_eq!(lost(&pings[1..3]), None, "what the doctor proposes does not help beside podman");
        topo(&["apply", "--yes", "/run/lock/plain.yaml"]).expect(0);
        let insert = [
            r#"chain: "ip filter FORWARD", in: lab0, accept: {}"#,
            r#"chain: "ip filter FORWARD", out: lab0, state: [established, related], accept: {}"#,
            r#"chain: "ip filter FORWARD", in: podman1, out: lab0, accept: {}"#,
        ];
        let deeds = [
            (":", Harm::Cut),
            ("podman network create --subnet 10.90.0.0/24 pn1", Harm::None),
            ("podman run -d --name c2 --network pn1 -p 8080:80 box httpd -f -p 80", Harm::None),
            ("podman network reload --all", Harm::None),
            ("podman rm -f -t 0 c2; podman network rm pn1", Harm::None),
            // The last container takes the bridge along.
            (&format!("podman rm -f -t 0 c1; test ! -e /sys/class/net/podman1; {run}"), Harm::None),
            // What somebody flushed, podman puts back by this; and topo by an apply.
            ("iptables-nft -F FORWARD; podman network reload --all", Harm::Cut),
            ("iptables-nft-save | grep -v topo: >/run/lock/rules; iptables-nft-restore </run/lock/rules", Harm::Cut),
        ];
        mended(&lab("lab.yaml", "", &insert, ""), &deeds, &pings);
        destroyed(&before);

        // A guest of topo's on podman's bridge, of which nothing changes, its hardware address neither.
        let others = foreign();
        topo(&["apply", "--yes", &write("guest.yaml", GUEST)]).expect(0);
        topo(&["plan", "--detailed-exitcode", "/run/lock/guest.yaml"]).expect(0);
        same(&others, "a guest changed what is not topo's", foreign);
        assert_eq!(
            lost(&[
                ("ip netns exec BLUE", "10.89.0.2"),
                ("podman exec c1", "10.89.0.77"),
                ("podman exec c1", "10.89.0.1")
            ]),
            None
        );
        destroyed(&before);
    });
}

/// Two NAT networks, of which one runs, with a guest in it: a namespace, plugged in as a machine's interface is.
const NETWORKS: &str = r#"
net() {
    echo "<network><name>$1</name><forward mode='nat'/><bridge name='$2' stp='off' delay='0'/><mac address='52:54:00:00:00:$3'/><ip address='192.168.$3.1'
        netmask='255.255.255.0'><dhcp><range start='192.168.$3.10' end='192.168.$3.49'/></dhcp></ip></network>" >/run/lock/net.xml
    virsh -q net-define /run/lock/net.xml
}
net vn0 virbr7 77; net vn1 virbr8 78; virsh -q net-start vn0
ip netns add guest; nsenter --net=/run/netns/guest sysctl -qw net.ipv6.conf.all.disable_ipv6=1; ip link add guest0 type veth peer name eth0 netns guest; ip link set guest0 master virbr7 up
ip -n guest address add 192.168.77.50/24 dev eth0; ip -n guest link set eth0 up; ip -n guest route add default via 192.168.77.1
"#;

#[test]
fn neighbor_libvirt() {
    beside("libvirt", "neighbor_libvirt", || {
        sh(OUTSIDE);
        sh(NETWORKS);
        let before = machine();
        let interfaces = "    virbr7: { existing: {} }\n    blue0: { master: virbr7 }\n";
        let blue = "  BLUE:\n    interfaces: { eth0: { veth: host/blue0, addresses: [192.168.77.60/24] } }\n    routes: [{ to: default, via: 192.168.77.1 }]\n";
        topo(&["apply", "--yes", &lab("plain.yaml", interfaces, &[], blue)]).expect(0);
        let [red, blue_, guest] = ["RED", "BLUE", "guest"].map(|name| format!("ip netns exec {name}"));
        let pings = [
            (&*red, "192.168.77.50"),
            (&red, "192.0.2.9"),
            (&blue_, "192.168.77.50"),
            (&blue_, "192.0.2.9"),
            (&guest, "192.0.2.9"),
            (&guest, "10.80.0.2"),
        ];
        assert!(cut(&pings), "libvirt should refuse what comes in from elsewhere");
        let plain = std::fs::read_to_string("/run/lock/plain.yaml").unwrap();
        mended_by_doctor("mended.yaml", &plain, &["foreign-filter"]);
        assert_eq!(try_sh("ip netns exec RED ping -q -c 1 -W 2 192.168.77.60").code, 0, "RED does not reach BLUE");
        topo(&["apply", "--yes", "/run/lock/plain.yaml"]).expect(0);
        let file = lab(
            "lab.yaml",
            interfaces,
            &[r#"chain: "ip filter LIBVIRT_FWI", in: lab0, out: virbr7, accept: {}"#],
            blue,
        );
        let deeds = [
            (":", Harm::Cut),
            // Its rules go to the head of its chains, before ours.
            ("virsh -q net-start vn1", Harm::Drift),
            ("virsh -q net-destroy vn1", Harm::None),
            ("virsh -q net-destroy vn0; virsh -q net-start vn0; ip link set guest0 master virbr7", Harm::Cut),
            ("libvirt-stop; libvirt-start", Harm::Cut),
            (
                "virsh -q net-update vn0 add ip-dhcp-host \"<host mac='52:54:00:00:00:99' ip='192.168.77.20'/>\" --live",
                Harm::Cut,
            ),
            ("iptables-nft -F; iptables-nft -t nat -F; libvirt-stop; libvirt-start", Harm::Cut),
            ("iptables-nft-save >/run/lock/rules; iptables-nft-restore </run/lock/rules", Harm::None),
        ];
        mended(&file, &deeds, &pings);
        // While its network is down topo cannot plug anything in, says so, and changes nothing.
        sh("virsh -q net-destroy vn0");
        let others = foreign();
        topo(&["plan", &file]).expect(1).says("there is no interface host/virbr7");
        topo(&["apply", "--yes", &file]).expect(1);
        same(&others, "a refused apply changed what is not topo's", foreign);
        mended(&file, &[("virsh -q net-start vn0; ip link set guest0 master virbr7", Harm::Cut)], &pings);
        destroyed(&before);
        assert_eq!(lost(&pings[4..5]), None, "the guest is cut off");

        // Nor does a network that is down keep a lab from being destroyed.
        topo(&["apply", "--yes", &file]).expect(0);
        sh("virsh -q net-destroy vn0");
        let others = foreign();
        topo(&["destroy", "--yes", "beside"]).expect(0).says("host/virbr7 was deleted outside topo");
        same(&others, "destroy changed what is not topo's", foreign);
        sh("virsh -q net-start vn0; ip link set guest0 master virbr7");
        same(&before, "after destroy without the bridge", machine);
    });
}
