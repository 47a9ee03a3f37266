//! Topologies by dice: every part of the language, valid by construction, as YAML text.
//!
//! What is thrown comes from a list of numbers, so that a failing case shrinks with the list: an empty list is the smallest topology.

#![allow(dead_code, reason = "each test crate uses a part of it")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

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

const NODES: [&str; 5] = ["host", "RED", "BLUE", "green.3", "no"];

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
}

#[derive(Default)]
struct Node {
    interfaces: Vec<(String, Vec<String>)>,
    keys: Vec<String>,
    routes: Vec<String>,
    neighbors: Vec<String>,
    named: bool,
}

struct Builder<'d, 'a> {
    dice: &'d mut Dice<'a>,
    nodes: Vec<Node>,
    ends: Vec<End>,
}

/// A topology of this name.
pub fn topology(name: &str, dice: &mut Dice<'_>) -> String {
    let nodes = (0..NODES.len()).map(|_| Node::default()).collect();
    let mut builder = Builder { dice, nodes, ends: Vec::new() };
    for segment in 1..=1 + builder.dice.below(4) {
        match builder.dice.below(5) {
            0 | 1 => builder.direct(segment),
            2 | 3 => builder.bridged(segment),
            _ => builder.vxlan(segment),
        }
    }
    builder.macvlan();
    builder.routing();
    for node in 0..NODES.len() {
        builder.rest(node);
    }
    builder.text(name)
}

impl Builder<'_, '_> {
    fn interface(&mut self, node: usize, name: &str, mut keys: Vec<String>, address: Option<(usize, usize)>) {
        let mut up = true;
        let small = keys.iter().any(|key| key.starts_with("mtu: 1279"));
        if let Some((segment, host)) = address {
            let mut addresses = vec![format!("10.{segment}.0.{host}/24")];
            if self.dice.once_in(4) {
                addresses.insert(self.dice.below(2), format!("10.{segment}.0.{}/24", host + 100));
            }
            if self.dice.once_in(4) {
                addresses.push(format!("10.{}.0.1/16", 100 + segment * 8 + host));
            }
            if self.dice.once_in(3) && !small {
                addresses.push(format!("'fd0{segment}::{host}/64'"));
            }
            keys.push(format!("addresses: [{}]", addresses.join(", ")));
            if self.dice.once_in(9) {
                keys.push("up: false".to_owned());
                up = false;
            }
            self.ends.push(End { node, name: name.to_owned(), host, segment, up, small });
        }
        self.nodes[node].named = true;
        self.nodes[node].interfaces.push((name.to_owned(), keys));
    }

    /// Common keys of a link.
    fn common(&mut self, mac: usize) -> Vec<String> {
        let mut keys = Vec::new();
        match self.dice.below(8) {
            6 => keys.push("mtu: 1400".to_owned()),
            7 => keys.push("mtu: 1279".to_owned()),
            _ => {}
        }
        if self.dice.once_in(5) {
            keys.push(format!("mac: '02:00:00:00:{:02x}:{:02x}'", mac / 256, mac % 256));
        }
        if self.dice.once_in(8) {
            keys.push(format!("txqueuelen: {}", 10 + self.dice.below(3)));
        }
        if self.dice.once_in(8) {
            keys.push(format!("alternative-names: [another-name-of-{mac}, more-of-{mac}]"));
        }
        keys
    }

    fn pair_of_nodes(&mut self) -> (usize, usize) {
        let one = 1 + self.dice.below(NODES.len() - 1);
        (one, self.dice.below(NODES.len()))
    }

    fn direct(&mut self, segment: usize) {
        let (one, other) = self.pair_of_nodes();
        let (near, far) = (format!("e{segment}a"), format!("e{segment}b"));
        let mut keys = self.common(segment * 16);
        keys.insert(0, format!("veth: {}/{far}", NODES[other]));
        if self.dice.once_in(6) {
            keys.push("queues: { tx: 2, rx: 2 }".to_owned());
        }
        self.interface(one, &near, keys, Some((segment, 1)));
        self.nodes[other].named = true;
        if self.dice.below(4) > 0 {
            let mut keys = self.common(segment * 16 + 1);
            if self.dice.once_in(2) {
                keys.insert(0, format!("veth: {}/{near}", NODES[one]));
            }
            self.interface(other, &far, keys, Some((segment, 2)));
        }
    }

    fn bridged(&mut self, segment: usize) {
        let place = self.dice.below(NODES.len());
        let bridge = format!("br{segment}");
        let mut ports = Vec::new();
        for member in 1..=self.dice.below(4) {
            let node = 1 + self.dice.below(NODES.len() - 1);
            let name = format!("s{segment}x{member}");
            let mut keys = self.common(segment * 16 + 2 + member);
            if self.dice.once_in(3) {
                keys.push(format!("veth: {{ bridge: {}/{bridge} }}", NODES[place]));
            } else {
                let port = format!("p{segment}x{member}");
                keys.push(format!("veth: {}/{port}", NODES[place]));
                let by_master = self.dice.once_in(3);
                let options = self.dice.once_in(3);
                if by_master || options {
                    let mut own = Vec::new();
                    if by_master {
                        own.push(format!("master: {bridge}"));
                    }
                    if options {
                        own.push(format!("port: {{ isolated: true, cost: {}, hairpin: true }}", 7 + member));
                    }
                    self.interface(place, &port, own, None);
                }
                if !by_master {
                    ports.push(port);
                }
            }
            self.interface(node, &name, keys, Some((segment, 1 + member)));
        }
        let mut options = vec![format!("ports: [{}]", ports.join(", "))];
        let more = ["forward-delay: 4s", "priority: 4096", "ageing-time: 100s", "multicast-snooping: false", "group-forward-mask: 8"];
        for option in more {
            if self.dice.once_in(6) {
                options.push(option.to_owned());
            }
        }
        let keys = vec![format!("bridge: {{ {} }}", options.join(", "))];
        let addressed = self.dice.once_in(2).then_some((segment, 1));
        self.interface(place, &bridge, keys, addressed);
    }

    fn vxlan(&mut self, segment: usize) {
        let node = 1 + self.dice.below(NODES.len() - 1);
        let mut options = vec![format!("id: {}", segment + 40)];
        match self.dice.below(3) {
            1 => options.push("remote: 192.0.2.9".to_owned()),
            2 => options.push("remote: 192.0.2.10, ttl: 9, learning: false".to_owned()),
            _ => {}
        }
        if self.dice.once_in(3) {
            options.push("fdb: [{ dst: 192.0.2.77 }, { mac: '02:00:00:00:99:99', dst: 192.0.2.78 }]".to_owned());
        }
        self.interface(node, &format!("vx{segment}"), vec![format!("vxlan: {{ {} }}", options.join(", "))], Some((segment, 1)));
    }

    /// A macvlan over an interface that is there.
    fn macvlan(&mut self) {
        if self.ends.is_empty() || !self.dice.once_in(3) {
            return;
        }
        let at = self.dice.below(self.ends.len());
        let lower = self.ends[at].clone();
        if lower.node == 0 || !lower.up || lower.small {
            return;
        }
        let mode = self.dice.one(&["bridge", "private", "vepa"]);
        self.interface(lower.node, "mac0", vec![format!("macvlan: {{ link: {}, mode: {mode} }}", lower.name)], Some((9, 1)));
    }

    fn routing(&mut self) {
        let ends = self.ends.clone();
        let mut defaults = [false; NODES.len()];
        for (number, end) in ends.iter().enumerate() {
            let gateway = ends.iter().find(|other| other.segment == end.segment && other.node != end.node).map_or(77, |other| other.host);
            let via = format!("10.{}.0.{gateway}, dev: {}", end.segment, end.name);
            if !end.up || end.node == 0 {
                continue;
            }
            match self.dice.below(8) {
                3 if !defaults[end.node] => {
                    defaults[end.node] = true;
                    self.nodes[end.node].routes.push(format!("{{ to: default, via: {via} }}"));
                }
                4 => self.nodes[end.node].routes.push(format!("{{ to: 172.16.{number}.0/24, via: {via}, metric: {} }}", self.dice.below(3))),
                5 => self.nodes[end.node]
                    .routes
                    .push(format!("{{ to: 172.17.{number}.0/24, dev: {}, mtu: 1300, source: 10.{}.0.{} }}", end.name, end.segment, end.host)),
                6 => self.nodes[end.node].routes.push(format!("{{ to: 172.18.{number}.0/24, via: {via}, table: {} }}", 100 + self.dice.below(2))),
                7 => self.nodes[end.node].routes.push(format!(
                    "{{ to: 172.19.{number}.0/24, nexthops: [{{ via: {via} }}, {{ via: 10.{}.0.99, dev: {}, weight: 3 }}] }}",
                    end.segment, end.name
                )),
                _ => {}
            }
            if self.dice.once_in(6) {
                self.nodes[end.node].neighbors.push(format!("{{ address: 10.{}.0.55, mac: '02:00:00:00:55:{number:02x}', dev: {} }}", end.segment, end.name));
            }
        }
        for node in 1..NODES.len() {
            if self.nodes[node].named && self.dice.once_in(4) {
                let kind = self.dice.one(&["blackhole", "unreachable", "prohibit"]);
                self.nodes[node].routes.push(format!("{{ to: 198.51.100.0/24, type: {kind} }}"));
            }
        }
    }

    fn rest(&mut self, node: usize) {
        let own: Vec<String> = self.ends.iter().filter(|end| end.node == node).map(|end| end.name.clone()).collect();
        let created = node != 0;
        if created && self.dice.once_in(8) {
            self.nodes[node].named = true;
        }
        if !self.nodes[node].named {
            return;
        }
        if created && self.dice.once_in(3) {
            let forwarding = self.dice.one(&["true", "ipv4", "ipv6", "false"]);
            self.nodes[node].keys.push(format!("forwarding: {forwarding}"));
        }
        if created && self.dice.once_in(3) {
            let settings = [
                "net.ipv4.ip_default_ttl: 61",
                "net.ipv4.conf.all.rp_filter: 1",
                "net.ipv4.ip_local_port_range: '10000 20000'",
                "net.ipv4.conf.default.rp_filter: 2",
            ];
            let setting = self.dice.one(&settings);
            self.nodes[node].keys.push(format!("sysctls: {{ {setting} }}"));
        }
        if created && self.dice.once_in(4) {
            let priority = 100 + self.dice.below(3);
            self.nodes[node]
                .keys
                .push(format!("rules: [{{ priority: {priority}, from: 10.1.0.0/16, table: 100 }}, {{ priority: 200, fwmark: 0x20, table: 101 }}]"));
        }
        if created && self.dice.once_in(5) {
            self.nodes[node].keys.push("dns: { nameservers: [10.1.0.1], search: [lab], hosts: { red: 10.1.0.2 } }".to_owned());
        }
        let Some(interface) = own.first().cloned() else { return };
        if self.dice.once_in(4) {
            let rules = [
                format!("masquerade: {{ source: 10.1.0.0/24, destination: '!10.1.0.0/24', out: {interface} }}"),
                format!("dnat: {{ in: {interface}, protocol: tcp, port: 8080, to: '10.1.0.2:80' }}"),
                "redirect: { protocol: tcp, port: 81, to: 8081 }".to_owned(),
            ];
            let count = 1 + self.dice.below(3);
            let list: Vec<String> = rules.iter().take(count).map(|rule| format!("{{ {rule} }}")).collect();
            self.nodes[node].keys.push(format!("nat: [{}]", list.join(", ")));
        }
        if created && self.dice.once_in(4) {
            let policy = self.dice.one(&["accept", "drop"]);
            let port = 22 + self.dice.below(3);
            self.nodes[node].keys.push(format!(
                "firewall: {{ input: {{ policy: {policy}, rules: [{{ state: [established, related], accept: {{}} }}, {{ protocol: icmpv6, accept: {{}} }}, {{ in: {interface}, protocol: tcp, port: [{port}, 8000-8010], accept: {{ counter: true }} }}] }} }}"
            ));
        }
    }

    fn text(self, name: &str) -> String {
        let mut text = format!("name: {name}\n");
        for (at, node) in self.nodes.iter().enumerate().filter(|(_, node)| node.named) {
            let indent = if at == 0 { "" } else { "  " };
            if !text.contains("\nnamespaces:") && at > 0 {
                text.push_str("namespaces:\n");
            }
            writeln!(text, "{indent}{}:{}", NODES[at], if node.is_bare() && at > 0 { " {}" } else { "" }).unwrap();
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
        self.interfaces.is_empty() && self.keys.is_empty() && self.routes.is_empty() && self.neighbors.is_empty()
    }

    fn write(&self, text: &mut String, indent: &str) {
        if !self.interfaces.is_empty() {
            writeln!(text, "{indent}  interfaces:").unwrap();
        }
        for (name, keys) in &self.interfaces {
            writeln!(text, "{indent}    {name}: {{ {} }}", keys.join(", ")).unwrap();
        }
        for (word, list) in [("routes", &self.routes), ("neighbors", &self.neighbors)] {
            if !list.is_empty() {
                writeln!(text, "{indent}  {word}: [{}]", list.join(", ")).unwrap();
            }
        }
        for key in &self.keys {
            writeln!(text, "{indent}  {key}").unwrap();
        }
    }
}
