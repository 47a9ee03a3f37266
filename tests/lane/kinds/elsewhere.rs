//! Kinds beside what is somebody else's, and over an interface of another node.

use super::{converge, sandbox};
use sandbox::{Options, assert_snapshot_with, ip_json, quiet, run_needing_within, sh, topo, write};
use std::time::Duration;

const ALL: [&str; 20] = [
    "veth",
    "bridge",
    "dummy",
    "ifb",
    "nlmon",
    "vlan",
    "macvlan",
    "macvtap",
    "ipvlan",
    "bond",
    "vrf",
    "vxlan",
    "geneve",
    "gre",
    "gretap",
    "ip6gre",
    "ip6gretap",
    "ipip",
    "sit",
    "ip6tnl",
];

/// A kind each, over somebody's `own0` or `own1` where it stands on one.
const HOST: &str = "
    own0: { existing: {} }
    own1: { existing: {} }
    ve0: { veth: ve1 }
    br0: { bridge: { ports: [bp0] } }
    bp0: { dummy: {} }
    dm0: { dummy: {} }
    if0: { ifb: {} }
    nl0: { nlmon: {} }
    vl0: { vlan: { link: own0, id: 7 }, addresses: [10.7.0.1/24] }
    vq0: { vlan: { link: vl0, id: 8 } }
    mv0: { macvlan: { link: own0, mode: bridge }, addresses: [10.8.0.1/24] }
    mt0: { macvtap: { link: own0 } }
    iv0: { ipvlan: { link: own1, mode: l2 } }
    bo0: { bond: { ports: [bp1, bp2], mode: active-backup, miimon: 100ms } }
    bp1: { dummy: {} }
    bp2: { dummy: {} }
    vr0: { vrf: { ports: [vp0], table: 100 } }
    vp0: { dummy: {}, addresses: [10.9.0.1/24] }
    vx0: { vxlan: { id: 7, remote: 192.0.2.9, link: own0 } }
    gn0: { geneve: { id: 7, remote: 192.0.2.9 } }
    gr1: { gre: { local: 192.0.2.5, remote: 192.0.2.9, link: own0 } }
    gt1: { gretap: { local: 192.0.2.5, remote: 192.0.2.9 } }
    gr6: { gre: { local: 'fd00::5', remote: 'fd00::9', link: own0 } }
    gt6: { gretap: { local: 'fd00::5', remote: 'fd00::9' } }
    ii1: { ipip: { local: 192.0.2.5, remote: 192.0.2.9, link: own0 } }
    si1: { sit: { local: 192.0.2.5, remote: 192.0.2.9 } }
    i61: { ip6tnl: { local: 'fd00::5', remote: 'fd00::9', link: own0 } }
    tu0: { tun: {} }
    ta0: { tap: { owner: 33 } }
";

/// Somebody's interfaces, and the rules that the first VRF of all leaves.
fn somebody() {
    sh("ip link add own0 type veth peer name far0; ip link add own1 type veth peer name far1
        for link in own0 own1 far0 far1; do ip link set $link up; done
        ip link add vr9 type vrf table 9; ip link delete vr9
        ip address add 192.0.2.5/24 dev own0; ip address add fd00::5/64 dev own0 nodad; ip route add 198.51.100.0/24 via 192.0.2.9");
}

const KEPT: Options = Options {
    handles: true,
    indexes: true,
    known: String::new(),
    addresses: true,
    without_record: false,
    more: Vec::new(),
};

/// On the host every link of ours carries its marks, somebody's interface is what it was, and nothing is left.
#[test]
fn on_the_host() {
    run_needing_within(
        "elsewhere::on_the_host",
        &[&ALL[..], &["tun", "tap"]].concat(),
        Duration::from_secs(60),
        || {
            somebody();
            let before = quiet(&KEPT);
            let file = write("host.yaml", &format!("name: kinds\nhost:\n  interfaces:{HOST}"));
            // `ip monitor` sees each link as it was born.
            let mut monitor = std::process::Command::new("sh")
                .args(["-c", "exec ip -o monitor link >/run/lock/born"])
                .spawn()
                .unwrap();
            std::thread::sleep(Duration::from_millis(500));
            converge(&file);
            monitor.kill().unwrap();
            monitor.wait().unwrap();
            let born = std::fs::read_to_string("/run/lock/born").unwrap();
            let links = ip_json("link show");
            let theirs = ["lo", "own0", "own1", "far0", "far1"];
            let mut ours = 0;
            for link in links.as_array().unwrap() {
                let name = link["ifname"].as_str().unwrap();
                if link["ifalias"].as_str().is_some_and(|alias| alias.starts_with("topo")) {
                    ours += 1;
                    assert_ne!(link["group"], "default", "{link}");
                    assert!(name == "ve1" || HOST.contains(&format!("    {name}:")), "{name}");
                    let first = born
                        .lines()
                        .find(|line| line.contains(&format!(": {name}@")) || line.contains(&format!(": {name}:")))
                        .unwrap_or_default();
                    // A device file gives birth to these two, and knows no groups.
                    let by_file = ["tu0", "ta0"].contains(&name);
                    assert!(by_file || !first.contains("group default"), "{name} was born without a mark: {first}");
                } else {
                    assert!(
                        theirs.contains(&name)
                            || link["ifindex"].as_u64() < ip_json("link show own0")[0]["ifindex"].as_u64(),
                        "{name} carries no mark"
                    );
                }
            }
            // Without these no VRF of the host works.
            sh("ip rule | grep -q 'lookup.*l3mdev-table'; ip -6 rule | grep -q 'lookup.*l3mdev-table'");
            assert_eq!(
                ours,
                HOST.lines().filter(|line| line.contains(": {") && !line.contains("existing")).count() + 1
            );
            topo(&["destroy", "--yes", "kinds"]).expect(0);
            assert_snapshot_with(&before, &KEPT);
        },
    );
}

/// A kind each over `LOWER` of another node, one with the name of what it stands on.
const OVER: &str = "
      d0: { vlan: { link: LOWER, id: 7 } }
      mv0: { macvlan: { link: LOWER } }
      mt0: { macvtap: { link: LOWER } }
      iv0: { ipvlan: { link: OTHER } }
      vx0: { vxlan: { id: 7, remote: 192.0.2.9, link: LOWER } }
      gr1: { gre: { local: 192.0.2.5, remote: 192.0.2.9, link: LOWER } }
      gt1: { gretap: { local: 192.0.2.5, remote: 192.0.2.9, link: LOWER } }
      gr6: { gre: { local: 'fd00::5', remote: 'fd00::9', link: LOWER } }
      gt6: { gretap: { local: 'fd00::5', remote: 'fd00::9', link: LOWER } }
      ii1: { ipip: { local: 192.0.2.5, remote: 192.0.2.9, link: LOWER } }
      si1: { sit: { local: 192.0.2.5, remote: 192.0.2.9, link: LOWER } }
      i61: { ip6tnl: { local: 'fd00::5', remote: 'fd00::9', link: LOWER } }
";

/// The number of a link of a node (`""` for the host).
fn number(node: &str, link: &str) -> serde_json::Value {
    let within = if node.is_empty() { String::new() } else { format!("-n {node} ") };
    ip_json(&format!("{within}link show {link}"))[0]["ifindex"].clone()
}

fn stands_on(node: &str, lower: &str, other: &str) {
    let (lower, other) = (number(node, lower), number(node, other));
    for link in ip_json("-n GUEST link show").as_array().unwrap() {
        let name = link["ifname"].as_str().unwrap();
        if !OVER.contains(&format!(" {name}: ")) {
            continue;
        }
        // `ip` gives the number where it has no name for it; that of tunnels and vxlans it looks up in the wrong
        // namespace.
        let expected = if name == "iv0" { &other } else { &lower };
        if ["d0", "mv0", "mt0", "iv0"].contains(&name) {
            assert_eq!(link["link_index"], *expected, "{link}");
        }
        assert!(link["link_netnsid"].is_u64(), "{link}");
        assert_eq!(link["flags"].as_array().unwrap().iter().filter(|flag| *flag == "UP").count(), 1, "{link}");
    }
}

/// Over an interface of another node, then another interface there, then one of the host; back; and again after what is
/// below has gone.
#[test]
fn over_another_node() {
    run_needing_within("elsewhere::over_another_node", &ALL, Duration::from_secs(60), || {
        somebody();
        let before = quiet(&KEPT);
        let text = |lower: &str, other: &str| {
            let over = OVER.replace("LOWER", lower).replace("OTHER", other);
            let bottom = "\n  BOTTOM:\n    interfaces:\n      d0: { dummy: {} }\n      d1: { dummy: {} }\n      d2: { dummy: {} }\n      d3: { dummy: {} }\n";
            format!(
                "name: kinds\nhost: {{ interfaces: {{ own0: {{ existing: {{}} }}, own1: {{ existing: {{}} }} }} }}\nnamespaces:{bottom}  GUEST:\n    interfaces:{over}"
            )
        };
        let files = [("BOTTOM", "d0", "d1"), ("BOTTOM", "d2", "d3"), ("host", "own0", "own1"), ("BOTTOM", "d1", "d0")];
        for (node, lower, other) in files {
            let file = write("over.yaml", &text(&format!("{node}/{lower}"), &format!("{node}/{other}")));
            converge(&file);
            stands_on(if node == "host" { "" } else { node }, lower, other);
        }
        let file = write("over.yaml", &text("BOTTOM/d0", "BOTTOM/d1"));
        converge(&file);
        for hand in [
            "ip -n BOTTOM link delete d0",
            "ip netns delete BOTTOM",
            "ip -n GUEST link delete gr1; ip -n GUEST link set mv0 down",
            "ip netns delete GUEST",
        ] {
            sh(hand);
            converge(&file);
            stands_on("BOTTOM", "d0", "d1");
        }
        topo(&["destroy", "--yes", "kinds"]).expect(0);
        assert_snapshot_with(&before, &KEPT);
    });
}
