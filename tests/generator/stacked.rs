//! Topologies by dice that mix all kinds of links, one on and in another, valid by construction.
//!
//! A step adds one thing, has throws of its own, and names what it adds after its number. So other throws for one step
//! change that thing and what stands on it: its attributes, its kind under the same name, its place, its master.

use super::Dice;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// Throws of a step.
pub const OF_A_STEP: usize = 40;

const NODES: [&str; 4] = ["host", "RED", "BLUE", "green"];

/// What of a link matters for what may stand on it or hold it.
#[derive(Default)]
struct Link {
    node: usize,
    name: String,
    kind: &'static str,
    /// What its kind says; ports are added when all are known.
    map: String,
    keys: Vec<String>,
    ports: Vec<String>,
    master: Option<usize>,
    lower: Option<usize>,
    /// It has Ethernet frames.
    frames: bool,
    down: bool,
    mtu: usize,
    /// What takes over what comes in here: `macvlan`, `passthru`, or an ipvlan's mode.
    taken: Option<String>,
    /// The lines that its frames leave by: a broadcast must not find two ways.
    roots: BTreeSet<usize>,
    step: usize,
    /// Somebody else's, or a far end without an entry.
    silent: bool,
}

struct Builder<'a> {
    dice: Dice<'a>,
    links: Vec<Link>,
    step: usize,
    /// Lines that lead into a bridge already.
    bridged: BTreeSet<usize>,
    lines: usize,
    routes: BTreeMap<usize, Vec<String>>,
    /// What is one of a kind and used already: of the same few from file to file, so that such things change hands.
    used: BTreeSet<String>,
}

/// A topology of this name; `throws` has [`OF_A_STEP`] for each step. On the host it finds a link `own0`.
pub fn topology(name: &str, throws: &[u16]) -> String {
    let mut builder = Builder {
        dice: Dice::new(&[]),
        links: Vec::new(),
        step: 0,
        bridged: BTreeSet::new(),
        lines: 1,
        routes: BTreeMap::new(),
        used: BTreeSet::new(),
    };
    builder.links.push(Link {
        name: "own0".to_owned(),
        kind: "existing",
        frames: true,
        mtu: 1500,
        roots: [0].into(),
        silent: true,
        ..Link::default()
    });
    for (nth, chunk) in throws.chunks(OF_A_STEP).enumerate() {
        builder.step = nth + 1;
        builder.dice = Dice::new(chunk);
        builder.add();
    }
    builder.addresses(throws);
    builder.text(name)
}

impl Builder<'_> {
    fn add(&mut self) {
        match self.dice.below(12) {
            0 | 1 => self.pair(),
            2 => self.alone(),
            3..=5 => self.on_another(),
            6 => self.bond(),
            7 | 8 => self.bridge(),
            9 => self.vrf(),
            _ => self.tunnel(),
        }
    }

    /// A link of this step, without further keys.
    fn link(&self, node: usize, kind: &'static str, map: String) -> Link {
        Link { node, name: format!("x{}", self.step), kind, map, mtu: 1500, step: self.step, ..Link::default() }
    }

    /// Common keys. The MTU is one that the link can have over what it is on, of which `most` is known.
    fn common(&mut self, link: &mut Link, mac: bool) {
        if self.dice.once_in(6) {
            let mtu = link.mtu - 20 * (1 + self.dice.below(2));
            // A sit carries IPv6.
            if link.kind != "sit" || mtu >= 1280 {
                link.keys.push(format!("mtu: {mtu}"));
                link.mtu = mtu;
            }
        }
        if self.dice.once_in(6) && mac {
            let mac = self.unused("mac");
            link.keys.push(format!("mac: '02:00:00:00:00:{mac:02x}'"));
        }
        if self.dice.once_in(9) {
            link.keys.push(format!("txqueuelen: {}", 10 + self.dice.below(3)));
        }
        if self.dice.once_in(9) {
            let name = self.unused(&format!("name {}", link.node));
            link.keys.push(format!("alternative-names: [also-{name}]"));
        }
        if self.dice.once_in(9) {
            link.keys.push("dhcp4: true".to_owned());
        }
    }

    /// One of a few numbers that nothing of this kind has in this file; one of the step's own where all are used.
    fn unused(&mut self, kind: &str) -> usize {
        let first = self.dice.below(4);
        let number = (0..4)
            .map(|more| 1 + (first + more) % 4)
            .find(|number| !self.used.contains(&format!("{kind} {number}")))
            .unwrap_or(10 + self.step);
        self.used.insert(format!("{kind} {number}"));
        number
    }

    fn some_node(&mut self) -> usize {
        self.dice.below(NODES.len())
    }

    fn push(&mut self, link: Link) -> usize {
        self.links.push(link);
        self.links.len() - 1
    }

    fn pair(&mut self) {
        let (one, other) = (self.some_node(), self.some_node());
        let mut near = self.link(one, "veth", format!("{}/y{}", NODES[other], self.step));
        self.lines += 1;
        (near.frames, near.roots) = (true, [self.lines].into());
        self.common(&mut near, true);
        if self.dice.once_in(8) {
            near.down = true;
            near.keys.push("up: false".to_owned());
        }
        let far = Link {
            node: other,
            name: format!("y{}", self.step),
            kind: "far",
            frames: true,
            mtu: 1500,
            roots: near.roots.clone(),
            step: self.step,
            ..Link::default()
        };
        self.push(near);
        self.push(far);
    }

    fn alone(&mut self) {
        let node = self.some_node();
        let kind = self.dice.one(&["dummy", "ifb", "tap", "tun", "nlmon", "dummy"]);
        let map = match (kind, self.dice.below(4)) {
            ("tun" | "tap", 1) => "multi-queue: true",
            ("tun" | "tap", 2) => "owner: 33, group: 34",
            _ => "",
        };
        let mut link = self.link(node, kind, map.to_owned());
        link.frames = !["tun", "nlmon"].contains(&kind);
        if kind == "nlmon" {
            link.mtu = 3776;
        }
        let frames = link.frames;
        self.common(&mut link, frames);
        if self.dice.once_in(8) {
            link.down = true;
            link.keys.push("up: false".to_owned());
        }
        self.push(link);
    }

    /// One of the links for which `fits`.
    fn choose(&mut self, fits: impl Fn(&Self, &Link) -> bool) -> Option<usize> {
        let fitting: Vec<usize> = (0..self.links.len()).filter(|at| fits(self, &self.links[*at])).collect();
        let throw = self.dice.below(fitting.len().max(1));
        fitting.get(throw).copied()
    }

    /// How another node, or the same, names a link.
    fn reference(&self, node: usize, at: usize) -> String {
        let link = &self.links[at];
        if link.node == node { link.name.clone() } else { format!("{}/{}", NODES[link.node], link.name) }
    }

    fn in_bridge_or_bond(&self, link: &Link) -> bool {
        link.master.is_some_and(|master| self.links[master].kind != "vrf")
    }

    fn on_another(&mut self) {
        let kind = self.dice.one(&["vlan", "vlan", "macvlan", "macvtap", "ipvlan"]);
        let near = self.dice.below(3) > 0;
        let home = self.some_node();
        let Some(at) = self.choose(|all, link| {
            let alike = kind != "vlan" && link.kind == "macvtap"
                || ["macvlan", "macvtap"].contains(&kind) && link.kind == "macvlan";
            let usable = link.frames
                && link.kind != "ipvlan"
                && !alike
                && (kind == "vlan" || !all.in_bridge_or_bond(link))
                && (!near || link.node == home);
            usable
                && (kind == "vlan"
                    || link
                        .taken
                        .as_ref()
                        .is_none_or(|taken| (taken != "passthru") && (kind == "ipvlan") == taken.starts_with("mode")))
        }) else {
            return;
        };
        let lower = self.reference(home, at);
        let map = match kind {
            "vlan" => {
                let more = [
                    "",
                    "",
                    ", protocol: 802.1ad",
                    ", gvrp: true",
                    ", mvrp: true",
                    ", reorder-header: false",
                    ", loose-binding: true",
                ];
                let more = self.dice.one(&more);
                let loose = if self.links[at].down && !more.contains("loose") { ", loose-binding: true" } else { "" };
                // Its number is of this step, so that no two are the same.
                format!("link: {lower}, id: {}{more}{loose}", 100 * (1 + self.dice.below(2)) + self.step)
            }
            "ipvlan" => {
                let mode = self
                    .dice
                    .one(&["mode: l2", "mode: l3", "mode: l3s", "mode: l2, flag: private", "mode: l3, flag: vepa"])
                    .to_owned();
                let mode = self.links[at].taken.get_or_insert(mode).clone();
                format!("link: {lower}, {mode}")
            }
            _ => {
                let mode = self.dice.one(&["bridge", "private", "vepa", "source", "passthru"]);
                let first = self.links[at].taken.is_none();
                let mode = if mode == "passthru" && !first { "bridge" } else { mode };
                self.links[at].taken = Some(if mode == "passthru" { mode } else { "macvlan" }.to_owned());
                format!("link: {lower}, mode: {mode}")
            }
        };
        let mut link = self.link(home, kind, map);
        (link.frames, link.mtu, link.roots, link.lower) =
            (true, self.links[at].mtu, self.links[at].roots.clone(), Some(at));
        let mac = kind != "ipvlan" && !link.map.contains("passthru");
        self.common(&mut link, mac);
        self.push(link);
    }

    /// Links that have no master yet and that one of `kind` in `node` may hold.
    fn ports(&mut self, node: usize, kind: &str, most: usize) -> Vec<usize> {
        let mut ports = Vec::new();
        for _ in 0..self.dice.below(most + 1) {
            let taken = ports.clone();
            let Some(at) = self.choose(|all, link| {
                let free = link.node == node
                    && link.master.is_none()
                    && !taken.iter().any(|port: &usize| all.links[*port].name == link.name);
                free && match kind {
                    "bridge" => {
                        link.frames
                            && !["bridge", "ipvlan", "macvtap"].contains(&link.kind)
                            && link.taken.is_none()
                            && all.bridged.is_disjoint(&link.roots)
                    }
                    "bond" => {
                        let plain =
                            ["veth", "far", "dummy", "tap", "gretap", "vxlan", "geneve", "vlan"].contains(&link.kind);
                        plain && link.taken.is_none() && !link.down && !link.keys.iter().any(|key| key.starts_with("m"))
                    }
                    _ => !["vrf", "existing"].contains(&link.kind),
                }
            }) else {
                break;
            };
            if kind == "bridge" {
                let roots = self.links[at].roots.clone();
                self.bridged.extend(roots);
            }
            ports.push(at);
        }
        ports
    }

    fn hold(&mut self, holder: Link, ports: Vec<usize>) {
        let by_master = self.dice.below(3) == 0;
        let at = self.push(holder);
        for port in ports {
            let (master, roots) = (self.links[at].name.clone(), self.links[port].roots.clone());
            self.links[at].roots.extend(roots);
            self.links[port].master = Some(at);
            if by_master && !self.links[port].silent {
                self.links[port].keys.push(format!("master: {master}"));
            } else {
                let name = self.links[port].name.clone();
                self.links[at].ports.push(name);
            }
        }
    }

    fn bridge(&mut self) {
        let node = self.some_node();
        let more = [
            "",
            "",
            "stp: true",
            "priority: 4096",
            "ageing-time: 100s",
            "multicast-snooping: false",
            "group-forward-mask: 8",
            "no-linklocal-learn: true",
        ];
        let more = self.dice.one(&more).to_owned();
        let mut link = self.link(node, "bridge", more);
        let ports = self.ports(node, "bridge", 4);
        link.frames = true;
        link.mtu = ports.iter().map(|port| self.links[*port].mtu).min().unwrap_or(1500);
        if self.dice.once_in(3) {
            for port in ports.iter().filter(|port| !self.links[**port].silent).copied().collect::<Vec<_>>() {
                self.links[port]
                    .keys
                    .push(format!("port: {{ isolated: true, cost: {}, learning: false }}", 7 + self.step));
            }
        }
        if self.dice.once_in(6) {
            link.keys.push("mac: '02:00:00:00:aa:01'".to_owned());
        }
        self.hold(link, ports);
    }

    fn bond(&mut self) {
        let node = self.some_node();
        let mode = self.dice.one(&[
            "balance-rr",
            "active-backup",
            "balance-xor",
            "broadcast",
            "802.3ad",
            "balance-tlb",
            "balance-alb",
        ]);
        let ports = self.ports(node, "bond", 3);
        let mut map = format!("mode: {mode}");
        if self.dice.once_in(2) {
            map.push_str(", miimon: 100ms");
            map.push_str(self.dice.one(&["", ", up-delay: 200ms", ", down-delay: 300"]));
        }
        if ["active-backup", "balance-tlb", "balance-alb"].contains(&mode) && !ports.is_empty() && self.dice.once_in(2)
        {
            let primary = ports[self.dice.below(ports.len())];
            write!(map, ", primary: {}", self.links[primary].name).unwrap();
            map.push_str(self.dice.one(&["", ", primary-reselect: failure"]));
        }
        match mode {
            "active-backup" => {
                map.push_str(self.dice.one(&["", "", ", fail-over-mac: active", ", fail-over-mac: follow"]))
            }
            "802.3ad" => {
                map.push_str(self.dice.one(&["", ", lacp-rate: fast", ", ad-select: count", ", min-links: 1"]))
            }
            _ => {}
        }
        map.push_str(self.dice.one(&["", "", ", transmit-hash-policy: layer3+4", ", transmit-hash-policy: encap2+3"]));
        let mut link = self.link(node, "bond", map);
        (link.frames, link.mtu) = (true, ports.iter().map(|port| self.links[*port].mtu).min().unwrap_or(1500));
        // What holds tunnels has no larger packets than they carry.
        if link.mtu < 1500 {
            link.keys.push(format!("mtu: {}", link.mtu));
        }
        self.lines += 1;
        link.roots.insert(self.lines);
        self.hold(link, ports);
    }

    fn vrf(&mut self) {
        let node = self.some_node();
        let table = 1000 + self.step * 10 + self.dice.below(2);
        let mut link = self.link(node, "vrf", format!("table: {table}"));
        link.mtu = 65575;
        let ports = self.ports(node, "vrf", 3);
        self.hold(link, ports);
    }

    fn tunnel(&mut self) {
        let home = self.some_node();
        let kind = self.dice.one(&["vxlan", "gre", "gretap", "ipip", "sit", "ip6tnl", "geneve", "gretap", "vxlan"]);
        let six = kind == "ip6tnl" || !["ipip", "sit"].contains(&kind) && self.dice.once_in(2);
        let lower = self
            .dice
            .once_in(2)
            .then(|| self.choose(|_, link| link.frames && !link.down))
            .flatten()
            .filter(|_| kind != "geneve");
        // Between ends that nobody has, and no other tunnel of this kind in this file.
        let number = self.unused(&format!("{kind} {six}"));
        let end = |host: usize| {
            if six { format!("'fd99::{number}:{host}'") } else { format!("192.0.{}.{host}", 100 + number) }
        };
        let (local, remote) = (end(1), end(9));
        let mut map = match kind {
            "vxlan" => format!(
                "id: {}, remote: {remote}{}",
                40 + number,
                self.dice.one(&[
                    "",
                    ", learning: false",
                    ", ttl: 9",
                    ", ageing: 100s",
                    ", port: 4790",
                    ", l2miss: true"
                ])
            ),
            "geneve" => {
                format!("id: {}, remote: {remote}{}", 40 + number, self.dice.one(&["", ", ttl: 9", ", df: set"]))
            }
            "gre" | "gretap" => {
                format!("local: {local}, remote: {remote}{}", self.dice.one(&["", ", key: 7", ", ttl: 9"]))
            }
            _ => format!("local: {local}, remote: {remote}{}", self.dice.one(&["", ", ttl: 9"])),
        };
        if six && !["vxlan", "geneve"].contains(&kind) {
            map.push_str(self.dice.one(&["", ", encapsulation-limit: none"]));
        } else if ["gre", "ipip", "sit"].contains(&kind) {
            map.push_str(self.dice.one(&["", ", tos: 16"]));
        }
        if let Some(at) = lower {
            write!(map, ", link: {}", self.reference(home, at)).unwrap();
        }
        let around = match (kind, six) {
            ("vxlan" | "geneve", false) => 50,
            ("vxlan" | "geneve", true) => 70,
            _ => 80,
        };
        let mut link = self.link(home, kind, map);
        link.frames = ["vxlan", "geneve", "gretap"].contains(&kind);
        let below = lower.map_or(1500, |at| self.links[at].mtu);
        link.mtu = if kind == "vxlan" && lower.is_none() { 1500 } else { below.saturating_sub(around) };
        link.lower = lower;
        self.lines += 1;
        link.roots.insert(self.lines);
        let frames = link.frames;
        self.common(&mut link, frames);
        self.push(link);
    }

    /// Addresses and routes, by what each link has become; the throws are those of its step.
    fn addresses(&mut self, throws: &[u16]) {
        for at in 0..self.links.len() {
            let link = &self.links[at];
            if link.silent || link.kind == "vrf" || self.in_bridge_or_bond(link) {
                continue;
            }
            let chunk = throws.chunks(OF_A_STEP).nth(link.step - 1).unwrap_or_default();
            let mut dice = Dice::new(chunk.get(OF_A_STEP - 8..).unwrap_or_default());
            let net = link.step * 2 + usize::from(link.kind == "far");
            let mut addresses = vec![format!("10.{net}.0.1/24")];
            if dice.once_in(3) {
                addresses.push(format!("10.{net}.0.7/24"));
            }
            if dice.below(3) > 0 && link.mtu >= 1280 {
                addresses.push(format!("'fd0a:{net}::1/64'"));
            }
            if dice.once_in(6) {
                continue;
            }
            let (node, name, down) = (link.node, link.name.clone(), link.down);
            let six = addresses.len() > 1 && addresses.last().is_some_and(|last| last.contains("fd0a"));
            let vrf = link
                .master
                .map(|master| self.links[master].name.clone())
                .map_or(String::new(), |vrf| format!(", vrf: {vrf}"));
            if !down && !self.closed(at) {
                let routes = self.routes.entry(node).or_default();
                match dice.below(4) {
                    1 => routes.push(format!("{{ to: 172.16.{net}.0/24, via: 10.{net}.0.9, dev: {name}{vrf} }}")),
                    2 => routes.push(format!("{{ to: 172.17.{net}.0/24, dev: {name}, metric: 7{vrf} }}")),
                    3 if six => {
                        routes.push(format!("{{ to: 'fd0b:{net}::/64', via: 'fd0a:{net}::9', dev: {name}{vrf} }}"))
                    }
                    _ => {}
                }
            }
            self.links[at].keys.push(format!("addresses: [{}]", addresses.join(", ")));
        }
    }

    /// Whether a link, or what it is on, is down.
    fn closed(&self, at: usize) -> bool {
        let link = &self.links[at];
        link.down || link.lower.is_some_and(|lower| self.closed(lower))
    }

    fn text(&self, name: &str) -> String {
        let mut text = format!("name: {name}\n");
        for (node, name) in NODES.iter().enumerate() {
            if node == 1 {
                text.push_str("namespaces:\n");
            }
            let indent = if node == 0 { "" } else { "  " };
            let links: Vec<&Link> = self.links.iter().filter(|link| link.node == node).collect();
            let routes = self.routes.get(&node);
            writeln!(text, "{indent}{name}:{}", if links.is_empty() { " {}" } else { "" }).unwrap();
            if !links.is_empty() {
                writeln!(text, "{indent}  interfaces:").unwrap();
            }
            for link in links {
                let mut keys = link.keys.clone();
                let ports = format!("ports: [{}]", link.ports.join(", "));
                match link.kind {
                    "far" => {}
                    "existing" => keys.insert(0, "existing: {}".to_owned()),
                    "veth" => keys.insert(0, format!("veth: {}", link.map)),
                    "bridge" | "bond" | "vrf" => {
                        let map = [link.map.as_str(), &ports]
                            .into_iter()
                            .filter(|part| !part.is_empty())
                            .collect::<Vec<_>>()
                            .join(", ");
                        keys.insert(0, format!("{}: {{ {map} }}", link.kind));
                    }
                    kind => keys.insert(0, format!("{kind}: {{ {} }}", link.map)),
                }
                if !(link.kind == "far" && keys.is_empty()) {
                    writeln!(text, "{indent}    {}: {{ {} }}", link.name, keys.join(", ")).unwrap();
                }
            }
            if let Some(routes) = routes.filter(|routes| !routes.is_empty()) {
                writeln!(text, "{indent}  routes: [{}]", routes.join(", ")).unwrap();
            }
        }
        text
    }
}
