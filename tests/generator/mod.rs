//! Topologies by dice: every part of the language, valid by construction, as YAML text.
//!
//! The machine that they meet has, on the host, the interfaces `own0` (`192.0.2.5/24`, an end of a pair) and `take0`
//! (likewise, `198.51.100.5/24`), the chain `inet theirs through`, and a namespace `guest` with an interface `own0`.
//! [`MACHINE`] makes it on a real kernel.
//!
//! What is thrown comes from a list of numbers, so that a failing case shrinks with the list: an empty list is the
//! smallest topology.

#![allow(dead_code, reason = "each test crate uses a part of it")]
pub mod labs;
mod links;
pub mod many;
mod packets;
mod routing;
pub mod stacked;

use std::fmt::Write as _;

/// Throws from a list; when the list is used up, always 0.
pub struct Dice<'a> {
    throws: &'a [u16],
}

impl<'a> Dice<'a> {
    /// Dice that show these.
    pub fn new(throws: &'a [u16]) -> Self {
        Self { throws }
    }

    /// A number below `sides`.
    pub fn below(&mut self, sides: usize) -> usize {
        let Some((first, rest)) = self.throws.split_first() else { return 0 };
        self.throws = rest;
        usize::from(*first) % sides
    }

    /// True once in `sides` times; never when the list is used up.
    pub fn once_in(&mut self, sides: usize) -> bool {
        self.below(sides) == sides - 1
    }

    /// One of `words`.
    pub fn one<'w>(&mut self, words: &[&'w str]) -> &'w str {
        words[self.below(words.len())]
    }
}

/// Numbers from a seed (xorshift64*), the same on every machine.
pub fn throws(seed: u64, count: usize) -> Vec<u16> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        u16::try_from(state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 48).unwrap()
    };
    (0..count).map(|_| next()).collect()
}

/// The number that a variable of the environment sets: of cases, or the first seed.
pub fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

/// Makes the machine that the topologies meet.
pub const MACHINE: &str = "
ip link add own0 type veth peer name own1; ip link set own0 up; ip link set own1 up; ip address add 192.0.2.5/24 dev own0
ip link add take0 type veth peer name take1; ip link set take0 up; ip link set take1 up; ip address add 198.51.100.5/24 dev take0
ip route add 10.66.0.0/16 via 198.51.100.9; ip route add 10.66.0.0/16 via 198.51.100.9 tos 0x10; ip route append 10.66.0.0/16 via 198.51.100.10
ip route add 10.67.0.0/16 encap ip id 5 dst 198.51.100.9 dev take0 congctl reno; ip address add 10.68.0.1/24 dev take0 noprefixroute
ip neigh add 198.51.100.9 lladdr 02:00:00:00:00:09 dev take0
sysctl -qw net.ipv4.conf.take0.arp_ignore=1 net.ipv6.conf.take0.accept_ra=0
ip netns add guest; ip -n guest link set lo up; ip -n guest link add own0 type veth peer name own1; ip -n guest link set own0 up
ip -n guest link set own1 up; ip -n guest address add 192.0.2.6/24 dev own0
nft 'add table inet theirs; add chain inet theirs through { type filter hook forward priority 5; }; add rule inet theirs through ct state invalid drop'
";

/// The names of the nodes; the last is a namespace of somebody else.
const NODES: [&str; 6] = ["host", "RED", "BLUE", "green.3", "no", "G"];
/// The namespace topo runs in.
const HOST: usize = 0;
/// The namespace of somebody else.
const GUEST: usize = NODES.len() - 1;

/// An interface with an address in a segment.
#[derive(Clone)]
struct End {
    node: usize,
    name: String,
    /// Its last number in the segment; 0 for none.
    host: usize,
    segment: usize,
    up: bool,
    /// Too small for IPv6.
    small: bool,
    /// It has an IPv6 address in the segment.
    six: bool,
}

#[derive(Default)]
struct Node {
    interfaces: Vec<(String, Vec<String>)>,
    keys: Vec<String>,
    routes: Vec<String>,
    rules: Vec<String>,
    neighbors: Vec<String>,
    sysctls: Vec<String>,
    named: bool,
}

struct Builder<'d, 'a> {
    dice: &'d mut Dice<'a>,
    nodes: Vec<Node>,
    ends: Vec<End>,
    /// The next interface has the MTU of a port that is too small for IPv6.
    small: bool,
}

/// A topology of this name.
pub fn topology(name: &str, dice: &mut Dice<'_>) -> String {
    let nodes = (0..NODES.len()).map(|_| Node::default()).collect();
    let mut builder = Builder { dice, nodes, ends: Vec::new(), small: false };
    for segment in 1..=1 + builder.dice.below(4) {
        match builder.dice.below(5) {
            0 | 1 => builder.direct(segment),
            2 | 3 => builder.bridged(segment),
            _ => builder.vxlan(segment),
        }
    }
    builder.macvlan();
    builder.borrowed();
    builder.loopback();
    builder.routes();
    for node in 0..NODES.len() {
        builder.rest(node);
    }
    builder.text(name)
}

/// Whether topo makes the node.
fn created(node: usize) -> bool {
    node != HOST && node != GUEST
}

impl Builder<'_, '_> {
    /// A namespace of this topology or of somebody else.
    fn namespace(&mut self) -> usize {
        1 + self.dice.below(NODES.len() - 1)
    }

    /// What of `list` the dice choose, one in `sides` each.
    fn some<'w>(&mut self, sides: usize, list: &[&'w str]) -> Vec<&'w str> {
        list.iter().filter(|_| self.dice.once_in(sides)).copied().collect()
    }

    /// What a node has besides interfaces and routes.
    fn rest(&mut self, node: usize) {
        if created(node) && self.dice.once_in(8) {
            self.nodes[node].named = true;
        }
        if !self.nodes[node].named {
            return;
        }
        self.settings(node);
        self.rules(node);
        if created(node) && self.dice.once_in(5) {
            let dns = [
                "{ nameservers: [10.1.0.1], search: [lab], hosts: { red: 10.1.0.2 } }",
                "{ hosts: { red: [10.1.0.2, 'fd01::2'], blue: 10.1.0.3 } }",
                "{ hosts: nodes }",
                "{ hosts: { red: 10.1.0.2, nodes: true } }",
                "{ nameservers: [10.1.0.1, 'fd01::1'], search: [lab.test, lab], options: ['ndots:2', rotate] }",
            ];
            let dns = self.dice.one(&dns);
            self.nodes[node].keys.push(format!("dns: {dns}"));
        }
        self.packets(node);
    }

    fn settings(&mut self, node: usize) {
        if self.dice.once_in(if created(node) { 3 } else { 6 }) {
            let forwarding = self.dice.one(&["true", "ipv4", "ipv6", "false"]);
            self.nodes[node].keys.push(format!("forwarding: {forwarding}"));
        }
        let mut settings = vec![
            "net.ipv4.ip_default_ttl: 61",
            "net.ipv4.conf.all.rp_filter: 1",
            "net.ipv4.ip_local_port_range: '10000 20000'",
            "net.ipv4.ping_group_range: '0   100'",
        ];
        if created(node) {
            settings.extend([
                "net.ipv4.conf.default.rp_filter: 2",
                "net.ipv6.conf.default.hop_limit: 50",
                "net/ipv4/conf/default/proxy_arp: 1",
            ]);
        }
        let chosen = self.some(8, &settings);
        self.nodes[node].sysctls.extend(chosen.into_iter().map(str::to_owned));
        let own: Option<String> = self.nodes[node].interfaces.first().map(|(name, _)| name.clone());
        if let Some(own) = own.filter(|_| self.dice.once_in(6)) {
            let key = self.dice.one(&["arp_ignore: 1", "proxy_arp: 1", "arp_announce: 2"]);
            self.nodes[node].sysctls.push(format!("net/ipv4/conf/{own}/{key}"));
        }
    }

    fn text(self, name: &str) -> String {
        let mut text = format!("name: {name}\n");
        if self.dice.once_in(6) {
            text.push_str("prefix: lab1-\n");
        }
        if self.dice.once_in(6) {
            text.push_str("dns: { hosts: nodes }\n");
        }
        for (at, node) in self.nodes.iter().enumerate().filter(|(_, node)| node.named) {
            let indent = if at == HOST { "" } else { "  " };
            if !text.contains("\nnamespaces:") && at != HOST {
                text.push_str("namespaces:\n");
            }
            writeln!(text, "{indent}{}:{}", NODES[at], if node.is_bare() && created(at) { " {}" } else { "" }).unwrap();
            if at == GUEST {
                writeln!(text, "{indent}  existing: {{ netns: guest }}").unwrap();
            }
            node.write(&mut text, indent);
        }
        if !text.contains("\nnamespaces:") {
            text.push_str("namespaces: { RED: {} }\n");
        }
        text
    }
}

impl Node {
    fn is_bare(&self) -> bool {
        let Self { interfaces, keys, routes, rules, neighbors, sysctls, named: _ } = self;
        interfaces.is_empty() && [keys, routes, rules, neighbors, sysctls].iter().all(|list| list.is_empty())
    }

    fn write(&self, text: &mut String, indent: &str) {
        if !self.interfaces.is_empty() {
            writeln!(text, "{indent}  interfaces:").unwrap();
        }
        for (name, keys) in &self.interfaces {
            writeln!(text, "{indent}    {name}: {{ {} }}", keys.join(", ")).unwrap();
        }
        for (word, list) in [("routes", &self.routes), ("rules", &self.rules), ("neighbors", &self.neighbors)] {
            if !list.is_empty() {
                writeln!(text, "{indent}  {word}: [{}]", list.join(", ")).unwrap();
            }
        }
        if !self.sysctls.is_empty() {
            writeln!(text, "{indent}  sysctls: {{ {} }}", self.sysctls.join(", ")).unwrap();
        }
        for key in &self.keys {
            writeln!(text, "{indent}  {key}").unwrap();
        }
    }
}
