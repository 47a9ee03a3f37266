//! Every lab of `topologies/`, on the real kernel: applied, planned to nothing, tried with pings and connections as its
//! comment says, broken by hand and repaired, destroyed by file and by name; and then the machine is what it was. A lab
//! that needs more of a kernel than every machine has says so in a comment (`# Needs of the kernel: vlan`), and runs in
//! the lane where this kernel lacks it.

#![allow(clippy::disallowed_methods, reason = "a test makes processes")]

use crate::sandbox;

use sandbox::{Options, Output, assert_snapshot_with, in_repository, quiet, sh, topo, topo_in, try_sh, wait_for};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// What is expected of a lab beside its own comment. A node is a namespace in `/run/netns`, or `host`.
struct Lab {
    /// The file, without its ending; also the name of the topology.
    name: &'static str,
    /// What somebody else did before.
    before: &'static str,
    /// Who reaches whom: from, to, and whether.
    pings: &'static [(&'static str, &'static str, bool)],
    /// Connections.
    connections: &'static [Connection],
    /// Breaks made by hand, each seen and repaired.
    breaks: &'static [&'static str],
}

/// A TCP connection that a client tries to a server that says who it sees.
struct Connection {
    /// Where the server listens, on which port.
    server: (&'static str, u16),
    /// Who calls.
    client: &'static str,
    /// What is called.
    call: (&'static str, u16),
    /// The address that the server sees; empty where there is no connection.
    seen: &'static str,
}

const fn connection(
    server: (&'static str, u16),
    client: &'static str,
    call: (&'static str, u16),
    seen: &'static str,
) -> Connection {
    Connection { server, client, call, seen }
}

const LABS: &[Lab] = &[
    Lab {
        name: "two-namespaces",
        before: "",
        pings: &[
            ("RED", "10.1.0.2", true),
            ("BLUE", "10.1.0.1", true),
            ("RED", "fd00:1::2", true),
            ("host", "10.1.0.1", false),
        ],
        connections: &[
            connection(("RED", 80), "BLUE", ("10.1.0.1", 80), "10.1.0.2"),
            connection(("BLUE", 80), "RED", ("[fd00:1::2]", 80), "fd00:1::1"),
        ],
        breaks: &[
            "ip -n RED link set eth0 mtu 1400",
            "ip -n BLUE addr flush dev eth0",
            "ip -n RED link del eth0",
            "ip netns del BLUE",
        ],
    },
    Lab {
        name: "bridge",
        before: "",
        pings: &[("RED", "10.2.0.2", true), ("GREEN", "10.2.0.1", true), ("BLUE", "10.2.0.3", true)],
        connections: &[connection(("BLUE", 80), "GREEN", ("10.2.0.2", 80), "10.2.0.3")],
        breaks: &["ip link set red0 nomaster", "ip link set lab0 down", "ip link del lab0"],
    },
    Lab {
        name: "bridge-and-docker",
        before: "iptables-nft -P FORWARD DROP; iptables-nft -A FORWARD -i docker0 -j ACCEPT; sysctl -qw net.bridge.bridge-nf-call-iptables=1",
        pings: &[("RED", "10.3.0.2", true), ("BLUE", "10.3.0.1", true)],
        connections: &[connection(("BLUE", 80), "RED", ("10.3.0.2", 80), "10.3.0.1")],
        breaks: &[
            "iptables-nft -D FORWARD 1",
            "iptables-nft -D FORWARD 1; iptables-nft -A FORWARD -i lab0 -o lab0 -m comment --comment topo:bridge-and-docker -j ACCEPT",
        ],
    },
    Lab {
        name: "nat",
        before: "",
        pings: &[
            ("RED", "10.4.0.3", true),
            ("RED", "203.0.113.80", true),
            ("BLUE", "203.0.113.80", true),
            ("INTERNET", "10.4.0.2", false),
        ],
        connections: &[
            connection(("INTERNET", 80), "RED", ("203.0.113.80", 80), "203.0.113.1"),
            connection(("BLUE", 80), "RED", ("10.4.0.3", 80), "10.4.0.2"),
        ],
        breaks: &[
            "nft flush chain inet topo-nat postrouting || nft flush table inet topo-nat",
            "ip -n RED route del default",
            "sysctl -qw net.ipv4.ip_forward=0",
        ],
    },
    Lab {
        name: "port-forward",
        before: "",
        pings: &[
            ("SERVER", "203.0.113.1", true),
            ("SERVER", "203.0.113.2", false),
            ("host", "10.5.1.2", true),
            ("OUTSIDE", "10.5.1.2", false),
        ],
        connections: &[
            connection(("SERVER", 80), "OUTSIDE", ("203.0.113.1", 8080), "203.0.113.2"),
            connection(("SERVER", 80), "OUTSIDE", ("203.0.113.1", 80), ""),
            connection(("SERVER", 80), "host", ("10.5.1.2", 80), "10.5.0.1"),
        ],
        breaks: &["ip route del 10.5.1.0/24", "nft delete table inet topo-port-forward"],
    },
    Lab {
        name: "docker-network",
        before: "",
        pings: &[
            ("WEB", "172.17.0.3", true),
            ("DB", "198.51.100.2", true),
            ("WEB", "172.18.0.2", false),
            ("DB", "172.17.0.2", false),
            ("host", "172.18.0.2", true),
        ],
        connections: &[
            connection(("WEB", 80), "WORLD", ("198.51.100.1", 8080), "198.51.100.2"),
            connection(("API", 443), "WORLD", ("198.51.100.1", 8443), "198.51.100.2"),
            connection(("WEB", 80), "host", ("198.51.100.1", 8080), "198.51.100.1"),
            connection(("WEB", 80), "API", ("172.17.0.2", 80), "172.17.0.3"),
            connection(("DB", 5432), "WEB", ("172.18.0.2", 5432), ""),
            connection(("WORLD", 80), "WEB", ("198.51.100.2", 80), "198.51.100.1"),
        ],
        breaks: &["ip link del dock1", "nft flush table inet topo-docker-network"],
    },
    Lab {
        name: "firewall",
        before: "",
        pings: &[
            ("LAN", "192.0.2.2", true),
            ("LAN", "2001:db8:7::2", true),
            ("NET", "10.7.0.2", false),
            ("NET", "fd00:7::2", false),
            ("NET", "192.0.2.1", true),
        ],
        connections: &[
            connection(("NET", 80), "LAN", ("192.0.2.2", 80), "10.7.0.2"),
            connection(("NET", 443), "LAN", ("[2001:db8:7::2]", 443), "fd00:7::2"),
            connection(("NET", 8080), "LAN", ("192.0.2.2", 8080), ""),
            connection(("LAN", 22), "NET", ("10.7.0.2", 22), "192.0.2.2"),
            connection(("LAN", 80), "NET", ("10.7.0.2", 80), ""),
            connection(("FW", 22), "LAN", ("10.7.0.1", 22), "10.7.0.2"),
            connection(("FW", 22), "NET", ("192.0.2.1", 22), ""),
        ],
        breaks: &[
            "ip netns exec FW nft insert rule inet topo-firewall input accept",
            "ip netns exec FW nft 'chain inet topo-firewall forward { policy accept; }'",
            "ip netns exec FW nft flush ruleset",
        ],
    },
    Lab {
        name: "router-chain",
        before: "",
        pings: &[
            ("A", "10.8.2.2", true),
            ("B", "10.8.1.2", true),
            ("A", "fd00:8:2::2", true),
            ("B", "fd00:8:1::2", true),
        ],
        connections: &[
            connection(("B", 80), "A", ("10.8.2.2", 80), "10.8.1.2"),
            connection(("A", 80), "B", ("[fd00:8:1::2]", 80), "fd00:8:2::2"),
        ],
        breaks: &[
            "ip -n R2 route flush proto 0x74",
            "ip netns exec R3 sysctl -qw net.ipv6.conf.all.forwarding=0",
            "ip -n R1 link set r2 down",
            "ip netns del R2",
        ],
    },
    Lab {
        name: "policy-routing",
        before: "",
        pings: &[
            ("ALICE", "203.0.113.80", true),
            ("BOB", "203.0.113.80", true),
            ("ALICE", "10.9.2.2", true),
            ("SERVER", "10.9.1.2", false),
        ],
        connections: &[
            connection(("SERVER", 80), "ALICE", ("203.0.113.80", 80), "192.0.2.2"),
            connection(("SERVER", 80), "BOB", ("203.0.113.80", 80), "198.51.100.2"),
            connection(("SERVER", 443), "ALICE", ("203.0.113.80", 443), "198.51.100.2"),
        ],
        breaks: &[
            "ip -n ROUTER rule del priority 211",
            "ip -n ROUTER route flush table 102",
            "ip -n ROUTER rule add priority 7 from all table 101",
        ],
    },
    Lab {
        name: "multipath",
        before: "",
        pings: &[("LEFT", "10.11.9.2", true), ("RIGHT", "10.11.9.1", true)],
        connections: &[connection(("RIGHT", 80), "LEFT", ("10.11.9.2", 80), "10.11.9.1")],
        breaks: &[
            "ip -n LEFT route del 10.11.9.2",
            "ip -n LEFT link set top down",
            "ip -n LEFT route change 10.11.9.2 src 10.11.9.1 via 10.11.2.2",
        ],
    },
    Lab {
        name: "names",
        before: "",
        pings: &[("CLIENT", "web", true), ("CLIENT", "db.lab.test", true), ("WEB", "db", true), ("DB", "web", false)],
        connections: &[connection(("WEB", 80), "CLIENT", ("web.lab.test", 80), "10.12.0.1")],
        breaks: &[
            "rm /etc/netns/CLIENT/hosts",
            "echo '10.12.0.9 other' >>/etc/netns/WEB/hosts",
            "ip -n SWITCH link set p2 nomaster",
        ],
    },
    Lab {
        name: "container",
        before: "ip netns add guest; ip -n guest link set lo up; ip -n guest addr add 192.0.2.99/32 dev lo; ip -n guest route add blackhole 192.0.2.0/24",
        pings: &[("RED", "10.13.0.3", true), ("guest", "10.13.0.2", true), ("guest", "10.13.0.1", true)],
        connections: &[connection(("guest", 80), "RED", ("10.13.0.3", 80), "10.13.0.2")],
        breaks: &["ip -n guest link del lab", "ip -n guest route del default"],
    },
    Lab {
        name: "vxlan",
        before: "",
        pings: &[("GUEST1", "10.14.0.2", true), ("GUEST2", "10.14.0.1", true), ("HOST1", "10.14.0.2", false)],
        connections: &[connection(("GUEST2", 80), "GUEST1", ("10.14.0.2", 80), "10.14.0.1")],
        breaks: &[
            "bridge -n HOST1 fdb del 00:00:00:00:00:00 dev vx100 dst 192.0.2.2",
            "ip -n HOST2 link del vx100",
            "ip -n HOST1 link set vx100 mtu 1400",
        ],
    },
    Lab {
        name: "macvlan",
        before: "",
        pings: &[
            ("RED", "10.15.0.3", true),
            ("BLUE", "10.15.0.9", true),
            ("NEIGHBOR", "10.15.0.2", true),
            ("RED", "10.15.0.1", false),
        ],
        connections: &[connection(("NEIGHBOR", 80), "RED", ("10.15.0.9", 80), "10.15.0.2")],
        breaks: &["ip -n RED link del eth0", "ip -n BLUE link set eth0 down", "ip link del nic0"],
    },
    Lab {
        name: "vlan-bridge",
        before: "",
        pings: &[
            ("ANNA", "10.40.10.2", true),
            ("GUEST1", "10.40.20.2", true),
            ("LEFT", "10.40.10.1", true),
            ("ADMIN", "10.40.10.1", true),
            ("ADMIN", "10.40.20.2", true),
            ("GUEST1", "10.40.20.9", false),
        ],
        connections: &[connection(("BERT", 80), "ANNA", ("10.40.10.2", 80), "10.40.10.1")],
        breaks: &[
            "bridge -n LEFT vlan del dev trunk vid 20",
            "bridge -n RIGHT vlan add dev bert vid 20 pvid untagged",
            "bridge -n LEFT vlan add dev sw0 vid 1 self",
            "ip -n RIGHT link set sw0 type bridge vlan_filtering 0",
            "ip -n RIGHT link set sw0 type bridge vlan_default_pvid 10",
            "ip -n LEFT link del sw0",
            "ip -n ADMIN link del eth0",
        ],
    },
    Lab {
        name: "netlink-monitor",
        before: "",
        pings: &[("RED", "10.24.0.2", true)],
        connections: &[],
        breaks: &[
            "ip -n RED link set nlmon0 down",
            "ip -n RED link set nlmon0 mtu 4000",
            "ip -n RED link del nlmon0",
            "ip -n RED link del nlmon0; ip -n RED link add nlmon0 type dummy",
        ],
    },
    Lab {
        name: "bad-line",
        before: "",
        pings: &[("HOME", "203.0.113.2", true), ("SERVER", "10.16.0.2", true)],
        connections: &[connection(("SERVER", 80), "HOME", ("203.0.113.2", 80), "10.16.0.2")],
        breaks: &[
            "tc -n HOME qdisc del dev eth0 root",
            "tc -n PROVIDER qdisc change dev dsl0 root netem delay 1ms",
            "tc -n PROVIDER qdisc del dev dsl0 root; tc -n PROVIDER qdisc add dev dsl0 root tbf rate 1mbit burst 32k latency 50ms",
            "tc -n SERVER qdisc add dev eth0 root netem loss 50%",
        ],
    },
    Lab {
        name: "wireguard",
        before: "",
        pings: &[
            ("PC", "10.19.2.10", true),
            ("PRINTER", "10.19.1.10", true),
            ("LEFT", "10.19.0.2", true),
            ("RIGHT", "203.0.113.1", false),
            ("EDGE", "10.19.1.10", false),
        ],
        connections: &[connection(("PRINTER", 631), "PC", ("10.19.2.10", 631), "10.19.1.10")],
        breaks: &[
            "ip -n RIGHT link del wg0",
            "ip netns exec LEFT wg set wg0 peer $(ip netns exec LEFT wg show wg0 peers) remove",
            "ip netns exec RIGHT wg set wg0 listen-port 4444",
            "ip netns exec HOME nft flush table inet topo-wireguard",
            "ip netns del EDGE",
        ],
    },
    Lab {
        name: "router-on-a-stick",
        before: "",
        pings: &[
            ("RED1", "10.16.20.1", true),
            ("BLUE", "10.16.10.2", true),
            ("RED1", "10.16.10.2", true),
            ("BLUE", "fd00:16:10::1", true),
        ],
        connections: &[connection(("BLUE", 80), "RED1", ("10.16.20.1", 80), "10.16.10.1")],
        breaks: &[
            "ip -n SWITCH link del trunk.20",
            "ip -n ROUTER link set stick.10 down",
            "ip -n SWITCH link del trunk",
            "ip -n ROUTER link add link stick name stick.30 type vlan id 30",
        ],
    },
    Lab {
        name: "macvlan-and-ipvlan",
        before: "",
        pings: &[
            ("BRIDGE1", "10.17.0.12", true),
            ("VEPA2", "10.17.0.21", true),
            ("PRIVATE", "10.17.0.254", true),
            ("PRIVATE", "10.17.0.21", false),
            ("BRIDGE2", "10.17.0.31", false),
            ("SWITCHED1", "10.17.0.42", true),
            ("SWITCHED2", "10.17.0.11", true),
            ("LAN", "10.17.3.1", true),
            ("SWITCHED1", "10.17.0.3", true),
        ],
        connections: &[
            connection(("SWITCHED2", 80), "BRIDGE1", ("10.17.0.42", 80), "10.17.0.11"),
            connection(("LAN", 80), "ROUTED", ("10.17.0.254", 80), "10.17.3.1"),
        ],
        breaks: &[
            "ip -n PRIVATE link set eth0 type macvlan mode vepa",
            "ip -n ROUTED link set eth0 type ipvlan mode l2",
            "ip -n SWITCHED1 link del eth0",
            "ip -n MACHINE link del mac0",
        ],
    },
    Lab {
        name: "bond",
        before: "",
        pings: &[("CLIENT", "10.18.0.1", true), ("SERVER", "10.18.0.2", true), ("CLIENT", "fd00:18::1", true)],
        connections: &[connection(("SERVER", 80), "CLIENT", ("10.18.0.1", 80), "10.18.0.2")],
        breaks: &[
            "ip -n SWITCH link set leg0 down",
            "ip -n SERVER link set leg1 nomaster",
            "ip -n SERVER link set bond0 type bond miimon 50",
            "ip -n SERVER link del leg0",
            "ip -n SERVER link del bond0",
        ],
    },
    Lab {
        name: "vrfs",
        before: "",
        pings: &[
            ("RED1", "10.19.2.2", true),
            ("BLUE1", "10.19.2.2", true),
            ("RED1", "10.19.9.1", true),
            ("BLUE2", "10.19.1.2", true),
            ("BLUE1", "fd00:19:2::2", true),
            ("PE", "10.19.9.1", false),
        ],
        // Nobody listens at the other customer's machine of the same address.
        connections: &[
            connection(("RED2", 80), "RED1", ("10.19.9.1", 80), "10.19.1.2"),
            connection(("RED2", 80), "BLUE1", ("10.19.9.1", 80), ""),
            connection(("BLUE2", 80), "BLUE1", ("10.19.2.2", 80), "10.19.1.2"),
            connection(("BLUE2", 80), "RED1", ("10.19.2.2", 80), ""),
        ],
        breaks: &[
            "ip -n PE route del 10.19.9.1 vrf red",
            "ip -n PE link set blue1 nomaster",
            "ip -n PE link set red2 master blue",
            "ip -n PE link del red",
            "ip -n PE rule del priority 1000",
        ],
    },
    Lab {
        name: "tunnels",
        before: "",
        pings: &[
            ("OFFICE1", "10.20.2.2", true),
            ("OFFICE2", "fd00:20:1::2", true),
            ("LAB2", "10.20.3.2", true),
            ("GW1", "10.20.0.2", true),
            ("GW1", "10.20.0.6", true),
            ("ISP", "10.20.2.2", false),
        ],
        connections: &[
            connection(("OFFICE2", 80), "OFFICE1", ("10.20.2.2", 80), "10.20.1.2"),
            connection(("OFFICE1", 80), "OFFICE2", ("[fd00:20:1::2]", 80), "fd00:20:2::2"),
            connection(("LAB2", 80), "LAB1", ("10.20.4.2", 80), "10.20.3.2"),
        ],
        breaks: &[
            "ip -n GW1 link set office type gre local 192.0.2.2 remote 198.51.100.2 key 8",
            "ip -n GW2 link set lab down",
            "ip -n GW2 link del office",
            "ip -n GW1 link add six type gre local 192.0.2.2 remote 198.51.100.2 key 9",
        ],
    },
    Lab {
        name: "leaf-spine",
        before: "",
        pings: &[
            ("RED1", "10.21.2.2", true),
            ("BLUE2", "10.21.1.2", true),
            ("LEAF1", "10.21.0.2", true),
            ("SPINE1", "10.21.2.2", false),
        ],
        connections: &[
            connection(("RED2", 80), "RED1", ("10.21.2.2", 80), "10.21.1.2"),
            connection(("RED2", 80), "BLUE1", ("10.21.2.2", 80), ""),
        ],
        breaks: &[
            "ip netns del SPINE1",
            "ip -n LEAF1 link del vx-red",
            "ip -n LEAF2 link set blue2 nomaster",
            "ip -n LEAF1 route del 10.21.0.2",
            "ip -n LEAF2 route add blackhole 10.21.7.0/24 vrf red",
        ],
    },
    Lab {
        name: "fat-tree",
        before: "",
        pings: &[
            ("HOST0-0-0", "10.3.1.3", true),
            ("HOST2-1-1", "10.1.0.2", true),
            ("HOST1-0-0", "10.1.1.3", true),
            ("HOST3-0-1", "10.3.0.2", true),
            ("host", "10.0.0.2", false),
        ],
        connections: &[connection(("HOST3-1-1", 80), "HOST0-0-0", ("10.3.1.3", 80), "10.0.0.2")],
        breaks: &["ip netns del CORE2", "ip -n AGG1-0 link del up1", "ip -n HOST2-0-0 addr flush dev eth0"],
    },
];

/// Runs the whole test of a lab.
fn lab(test: &str, name: &str) {
    let file = in_repository(&format!("topologies/{name}.yaml"));
    let text = std::fs::read_to_string(&file).unwrap();
    sandbox::run_needing(test, &sandbox::needed_by(&text), || {
        let lab = LABS.iter().find(|lab| lab.name == name).expect("the lab is in the table");
        sh(lab.before);
        let options = Options { handles: true, indexes: true, addresses: true, ..Options::default() };
        let before = quiet(&options);

        topo(&["validate", &file]).expect(0);
        topo(&["plan", "--detailed-exitcode", &file]).expect(2);
        topo(&["apply", "--yes", &file]).expect(0);
        topo(&["plan", "--detailed-exitcode", &file]).expect(0);
        for line in text.lines().filter_map(|line| line.trim_start_matches('#').trim().strip_prefix("$ ")) {
            sh(line);
        }
        // The lab's own checks, where it has some.
        topo(&["test", &file]).expect(0);
        for &(from, to, reaches) in lab.pings {
            ping(from, to, reaches);
        }
        lab.connections.iter().for_each(Connection::check);
        for edit in lab.breaks {
            sh(edit);
            let plan = topo(&["plan", "--detailed-exitcode", &file]);
            assert!(plan.code == 2, "plan answers {} after: {edit}\n{}{}", plan.code, plan.stdout, plan.stderr);
            let apply = topo(&["apply", "--yes", &file]);
            assert!(apply.code == 0, "apply answers {} after: {edit}\n{}{}", apply.code, apply.stdout, apply.stderr);
            topo(&["plan", "--detailed-exitcode", &file]).expect(0);
        }
        // A link that was made again has another hardware address, which its neighbours learn in their own time: not
        // what is tested here.
        sh("ip neigh flush all; for name in $(ls /run/netns); do ip -n $name neigh flush all; done");
        for &(from, to, reaches) in lab.pings.iter().filter(|(_, _, reaches)| *reaches) {
            ping(from, to, reaches);
        }
        topo(&["destroy", "--yes", &file]).expect(0);
        assert_snapshot_with(&before, &options);

        topo(&["apply", "--yes", &file]).expect(0);
        topo_in("/", &["destroy", "--yes", name]).expect(0);
        assert_snapshot_with(&before, &options);
    });
}

/// What a program says when it is run in a node.
fn within(node: &str, command: &str) -> Output {
    if node == "host" { try_sh(command) } else { try_sh(&format!("ip netns exec {node} {command}")) }
}

#[track_caller]
fn ping(from: &str, to: &str, reaches: bool) {
    // Until two are answered: the first packet over a fresh bridge may meet an address resolution that is still going
    // on, and WireGuard takes 15 seconds to notice that the other end was made anew.
    let tries = if reaches { "-c 2 -i 0.2 -w 40" } else { "-c 1 -W 1" };
    let output = within(from, &format!("ping -q {tries} {to}"));
    assert!(
        (output.code == 0) == reaches,
        "ping from {from} to {to} should {}reach it\n{}{}",
        if reaches { "" } else { "not " },
        output.stdout,
        output.stderr
    );
}

impl Connection {
    #[track_caller]
    fn check(&self) {
        let server = Server::start(self.server.0, self.server.1, self.call.0.starts_with('['));
        let answer =
            within(self.client, &format!("timeout 4 socat -u TCP:{}:{},connect-timeout=1 -", self.call.0, self.call.1));
        let seen = answer.stdout.trim().trim_matches(['[', ']']).to_owned();
        let plain = |address: &str| {
            address.parse::<std::net::IpAddr>().map_or_else(|_| address.to_owned(), |ip| ip.to_string())
        };
        let (client, (host, port)) = (self.client, self.call);
        assert!(
            plain(&seen) == self.seen,
            "{client} calls {host} port {port}: the server should see {:?}, it saw {seen:?}\n{}",
            self.seen,
            answer.stderr
        );
        drop(server);
    }
}

/// A TCP server in a node; it answers with the address that it sees, and closes.
struct Server(Child);

impl Server {
    fn start(node: &str, port: u16, six: bool) -> Self {
        let listen = format!("TCP{}-LISTEN:{port},reuseaddr,fork", if six { 6 } else { 4 });
        let arguments = ["socat", &listen, "SYSTEM:echo $SOCAT_PEERADDR"];
        let mut command = if node == "host" { Command::new("env") } else { Command::new("ip") };
        if node != "host" {
            command.args(["netns", "exec", node]);
        }
        let child = command
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("socat starts");
        let listens = || within(node, &format!("ss -Hltn 'sport = :{port}'")).stdout.contains("LISTEN");
        assert!(wait_for(Duration::from_secs(3), listens), "no server on port {port} of {node}");
        Self(child)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

macro_rules! labs {
    ($($test:ident $name:literal),* $(,)?) => {
        $(#[test]
        fn $test() {
            lab(stringify!($test), $name);
        })*

        /// Every file has its test, and every test its file.
        #[test]
        fn all_labs_are_tested() {
            let mut files: Vec<String> = std::fs::read_dir(in_repository("topologies")).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
            // The keys of labs stand beside them.
            files.retain(|file| file != "keys");
            files.sort();
            let mut tested = vec![$(format!("{}.yaml", $name)),*];
            tested.sort();
            assert_eq!(files, tested);
        }
    };
}

labs! {
    two_namespaces "two-namespaces",
    bridge "bridge",
    bridge_and_docker "bridge-and-docker",
    nat "nat",
    port_forward "port-forward",
    docker_network "docker-network",
    firewall "firewall",
    router_chain "router-chain",
    policy_routing "policy-routing",
    multipath "multipath",
    names "names",
    container "container",
    vxlan "vxlan",
    macvlan "macvlan",
    wireguard "wireguard",
    bad_line "bad-line",
    netlink_monitor "netlink-monitor",
    router_on_a_stick "router-on-a-stick",
    macvlan_and_ipvlan "macvlan-and-ipvlan",
    bond "bond",
    vrfs "vrfs",
    tunnels "tunnels",
    leaf_spine "leaf-spine",
    fat_tree "fat-tree",
    vlan_bridge "vlan-bridge",
}

/// What the lab `bridge-and-docker` is about: without its rule the packets are dropped.
#[test]
fn a_forward_policy_of_drop_stops_a_bridge() {
    sandbox::run("a_forward_policy_of_drop_stops_a_bridge", || {
        sh(LABS.iter().find(|lab| lab.name == "bridge-and-docker").unwrap().before);
        topo(&["apply", "--yes", &in_repository("topologies/bridge.yaml")]).expect(0);
        ping("RED", "10.2.0.2", false);
        topo(&["destroy", "--yes", "bridge"]).expect(0);
        topo(&["apply", "--yes", &in_repository("topologies/bridge-and-docker.yaml")]).expect(0);
        ping("RED", "10.3.0.2", true);
    });
}

/// The two paths of the lab `multipath` are both used.
#[test]
fn many_connections_share_the_paths() {
    sandbox::run("many_connections_share_the_paths", || {
        topo(&["apply", "--yes", &in_repository("topologies/multipath.yaml")]).expect(0);
        let _server = Server::start("RIGHT", 80, false);
        for _ in 0..40 {
            assert_eq!(
                within("LEFT", "timeout 4 socat -u TCP:10.11.9.2:80,connect-timeout=1 -").expect(0).stdout.trim(),
                "10.11.9.1"
            );
        }
        for (router, path) in [("TOP", "left"), ("BOTTOM", "left")] {
            let text = sh(&format!("ip -n {router} -s -j link show {path}"));
            let link: serde_json::Value = serde_json::from_str(&text).unwrap();
            let packets = link[0]["stats64"]["rx"]["packets"].as_u64().unwrap();
            assert!(packets > 20, "{router} saw {packets} packets of 40 connections");
        }
    });
}

/// What the lab `bad-line` is about: a round trip takes at least both delays, and a transfer the time that the rate
/// allows.
#[test]
fn a_bad_line_is_felt() {
    sandbox::run_needing("a_bad_line_is_felt", &["netem"], || {
        topo(&["apply", "--yes", &in_repository("topologies/bad-line.yaml")]).expect(0);
        let pings = within("HOME", "ping -q -c 10 -i 0.2 203.0.113.2").stdout;
        let least = pings
            .lines()
            .find_map(|line| line.strip_prefix("rtt min/avg/max/mdev = ")?.split('/').next()?.parse::<f64>().ok());
        // 20 ms up, and 20 ms down that jitter makes 18 at the least.
        assert!(least.is_some_and(|least| (38.0..2000.0).contains(&least)), "{pings}");
        // 150,000 bytes at 1 mbit/s upwards take 1.2 s; a packet of up to 64 KiB need not be paid for.
        let mut server = Command::new("ip")
            .args(["netns", "exec", "SERVER", "socat", "-u", "TCP-LISTEN:80", "OPEN:/run/lock/got,creat"])
            .spawn()
            .unwrap();
        assert!(wait_for(Duration::from_secs(3), || within("SERVER", "ss -Hltn 'sport = :80'")
            .stdout
            .contains("LISTEN")));
        let start = std::time::Instant::now();
        sh("head -c 150000 /dev/zero | ip netns exec HOME socat -u - TCP:203.0.113.2:80");
        server.wait().unwrap();
        let took = start.elapsed();
        assert_eq!(std::fs::metadata("/run/lock/got").unwrap().len(), 150_000);
        assert!(took > Duration::from_millis(650), "150,000 bytes took {took:?}");
    });
}

/// What the lab `bond` is about: pings go on while the cable that they take is cut, and the primary takes over again
/// when it is back.
#[test]
fn a_bond_goes_on_with_one_leg() {
    sandbox::run_needing("a_bond_goes_on_with_one_leg", &["bond"], || {
        topo(&["apply", "--yes", &in_repository("topologies/bond.yaml")]).expect(0);
        let uses = |leg: &str| {
            sh("ip netns exec SERVER cat /proc/net/bonding/bond0").contains(&format!("Active Slave: {leg}\n"))
        };
        assert!(uses("leg0"));
        let pings = Command::new("ip")
            .args(["netns", "exec", "CLIENT", "ping", "-q", "-i", "0.1", "-c", "60", "10.18.0.1"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_secs(1));
        sh("ip -n SWITCH link set leg0 down");
        assert!(wait_for(Duration::from_secs(20), || uses("leg1")), "the other leg does not take over");
        let said = String::from_utf8(pings.wait_with_output().unwrap().stdout).unwrap();
        let received: u32 = said
            .split(" received")
            .next()
            .and_then(|text| text.rsplit(' ').next())
            .and_then(|text| text.parse().ok())
            .expect("a count");
        // How many are lost is a matter of `miimon` and of the machine's load; that most go on is not.
        assert!(received > 30 && received <= 60, "{said}");
        ping("CLIENT", "10.18.0.1", true);
        topo(&["apply", "--yes", &in_repository("topologies/bond.yaml")]).expect(0);
        assert!(wait_for(Duration::from_secs(20), || uses("leg0")), "the primary is not used again");
        ping("CLIENT", "10.18.0.1", true);
    });
}

/// What the lab `leaf-spine` is about: both spines carry what goes from leaf to leaf, and the tenants do not notice
/// when either of them fails.
#[test]
fn both_spines_carry_and_one_alone() {
    sandbox::run_needing("both_spines_carry_and_one_alone", &["vxlan", "vrf"], || {
        let file = in_repository("topologies/leaf-spine.yaml");
        topo(&["apply", "--yes", &file]).expect(0);
        let seen = |spine: &str| {
            let link: serde_json::Value =
                serde_json::from_str(&sh(&format!("ip -n {spine} -s -j link show leaf1"))).unwrap();
            link[0]["stats64"]["rx"]["packets"].as_u64().unwrap()
        };
        let call = |from: &str, to: &str, seen: &str| {
            assert_eq!(
                within(from, &format!("timeout 10 socat -u TCP:{to}:80,connect-timeout=5 -")).expect(0).stdout.trim(),
                seen
            );
        };
        {
            let _server = Server::start("LEAF2", 80, false);
            (0..40).for_each(|_| call("LEAF1", "10.21.0.2", "10.21.0.1"));
        }
        // That one of the two gets less than four of 40 connections happens once in 50 million times.
        assert!(seen("SPINE1") > 20 && seen("SPINE2") > 20, "{} and {} packets", seen("SPINE1"), seen("SPINE2"));
        let _server = Server::start("RED2", 80, false);
        for spine in ["SPINE1", "SPINE2"] {
            call("RED1", "10.21.2.2", "10.21.1.2");
            sh(&format!("for leaf in leaf1 leaf2; do ip -n {spine} link set $leaf down; done"));
            call("RED1", "10.21.2.2", "10.21.1.2");
            topo(&["apply", "--yes", &file]).expect(0);
        }
    });
}
