//! Interfaces: their kinds, and what all kinds have in common.

use super::{Builder, End, GUEST, HOST, NODES, created};

impl Builder<'_, '_> {
    pub(super) fn interface(
        &mut self,
        node: usize,
        name: &str,
        mut keys: Vec<String>,
        address: Option<(usize, usize)>,
    ) {
        let mut up = true;
        let small = std::mem::take(&mut self.small) || keys.iter().any(|key| key.starts_with("mtu: 1279"));
        let mut six = false;
        if let Some((segment, host)) = address {
            let mut addresses = vec![format!("10.{segment}.0.{host}/24")];
            if self.dice.once_in(4) {
                addresses.insert(self.dice.below(2), format!("10.{segment}.0.{}/24", host + 100));
            }
            if self.dice.once_in(4) {
                addresses.push(format!("10.{}.0.1/16", 100 + segment * 8 + host));
            }
            if self.dice.once_in(8) {
                addresses.push(format!("{{ address: 10.90.{segment}.{host}/32, peer: 10.91.{segment}.{host} }}"));
            }
            if self.dice.once_in(8) && name.len() < 10 {
                addresses.push(format!("{{ address: 10.92.{segment}.{host}/24, scope: link, label: '{name}:web' }}"));
            }
            six = self.dice.once_in(3) && !small;
            if six {
                addresses.push(format!("'fd0{segment}::{host}/64'"));
            }
            if six && self.dice.once_in(4) {
                addresses.push(format!("{{ address: 'fd1{segment}::{host}/128', peer: 'fd1{segment}::99' }}"));
            }
            keys.push(format!("addresses: [{}]", addresses.join(", ")));
            if self.dice.once_in(9) {
                keys.push("up: false".to_owned());
                up = false;
            }
            self.ends.push(End { node, name: name.to_owned(), host, segment, up, small, six });
        }
        if self.dice.once_in(9) && !small {
            let options = [
                "{ accept-ra: false }",
                "{ privacy: true }",
                "{ address-generation: none }",
                "{ accept-ra: true, address-generation: random }",
            ];
            let options = if six || address.is_none() {
                self.dice.one(&options)
            } else {
                self.dice.one(&[&options[..], &["{ disable: true }"]].concat())
            };
            keys.push(format!("ipv6: {options}"));
        }
        let follows = small && !keys.iter().any(|key| key.starts_with("mtu:"));
        if self.dice.once_in(12) && !follows {
            let words = if small { &["ipv4", "false"][..] } else { &["true", "ipv4", "false"] };
            keys.push(format!("forwarding: {}", self.dice.one(words)));
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
        (self.namespace(), self.dice.below(NODES.len()))
    }

    pub(super) fn direct(&mut self, segment: usize) {
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
            if self.dice.once_in(8) {
                keys.push("queues: { tx: 3, rx: 1 }".to_owned());
            }
            self.interface(other, &far, keys, Some((segment, 2)));
        }
    }

    /// What a port says of itself as one; it may be nothing.
    fn port(&mut self, member: usize) -> Vec<String> {
        if !self.dice.once_in(3) {
            return Vec::new();
        }
        let cost = format!("cost: {}", 7 + member);
        let rest = [
            "priority: 16",
            "hairpin: true",
            "guard: true",
            "root-block: true",
            "fast-leave: true",
            "learning: false",
            "flood: false",
            "multicast-flood: false",
            "broadcast-flood: false",
            "multicast-to-unicast: true",
            "multicast-router: 2",
            "proxy-arp: true",
            "proxy-arp-wifi: true",
            "neighbor-suppress: true",
            "isolated: true",
            "locked: true",
        ];
        let mut keys = self.some(6, &rest);
        if keys.is_empty() {
            keys.push(&cost);
        }
        vec![format!("port: {{ {} }}", keys.join(", "))]
    }

    pub(super) fn bridged(&mut self, segment: usize) {
        let place = self.dice.below(NODES.len());
        let bridge = format!("br{segment}");
        let (mut ports, mut small) = (Vec::new(), false);
        for member in 1..=self.dice.below(4) {
            let node = self.namespace();
            let name = format!("s{segment}x{member}");
            let mut keys = self.common(segment * 16 + 2 + member);
            if self.dice.once_in(3) {
                keys.push(format!("veth: {{ bridge: {}/{bridge} }}", NODES[place]));
                small |= keys.iter().any(|key| key == "mtu: 1279");
                keys.extend(self.port(member));
            } else {
                let port = format!("p{segment}x{member}");
                keys.push(format!("veth: {}/{port}", NODES[place]));
                let mut own = self.port(member);
                if self.dice.once_in(3) {
                    own.push(format!("master: {bridge}"));
                } else {
                    ports.push(port.clone());
                }
                if own.is_empty() {
                    // An end without an entry has the other's MTU.
                    small |= keys.iter().any(|key| key == "mtu: 1279");
                } else {
                    self.interface(place, &port, own, None);
                }
            }
            self.interface(node, &name, keys, Some((segment, 1 + member)));
        }
        // A tunnel as a port, with ends of its own.
        if self.dice.once_in(8) {
            let name = format!("vp{segment}");
            self.interface(place, &name, vec![format!("vxlan: {{ id: {}, remote: 192.0.2.11 }}", segment + 90)], None);
            ports.push(name);
        }
        let mut options = vec![format!("ports: [{}]", ports.join(", "))];
        options.extend(self.bridge_options());
        let mut keys = vec![format!("bridge: {{ {} }}", options.join(", "))];
        keys.extend(self.common(segment * 16 + 15));
        let addressed = self.dice.once_in(2).then_some((segment, 1));
        self.small = small;
        self.interface(place, &bridge, keys, addressed);
    }

    fn bridge_options(&mut self) -> Vec<String> {
        let options = [
            "forward-delay: 4s",
            "priority: 4096",
            "ageing-time: 100s",
            "multicast-snooping: false",
            "group-forward-mask: 8",
            "hello-time: 1s",
            "max-age: 6s",
            "group-address: '01:80:c2:00:00:05'",
            "multicast-router: 2",
            "multicast-query-use-ifaddr: true",
            "multicast-querier: true",
            "multicast-hash-max: 512",
            "multicast-last-member-count: 3",
            "multicast-startup-query-count: 4",
            "multicast-last-member-interval: 500ms",
            "multicast-membership-interval: 100s",
            "multicast-querier-interval: 90s",
            "multicast-query-interval: 60s",
            "multicast-query-response-interval: 5s",
            "multicast-startup-query-interval: 10s",
            "multicast-stats: true",
            "multicast-igmp-version: 3",
            "multicast-mld-version: 2",
            "nf-call-iptables: true",
            "nf-call-ip6tables: true",
            "nf-call-arptables: true",
            "no-linklocal-learn: true",
            "stp: true",
        ];
        // Few at a time: each is met often enough over many cases.
        self.some(14, &options).into_iter().map(str::to_owned).collect()
    }

    pub(super) fn vxlan(&mut self, segment: usize) {
        let node = self.namespace();
        let mut options = vec![format!("id: {}", segment + 40)];
        let mut six = false;
        match self.dice.below(6) {
            1 => options.push("remote: 192.0.2.9".to_owned()),
            2 => options.push("remote: 192.0.2.10, ttl: 9, learning: false".to_owned()),
            3 => {
                options.push("local: 'fd99::1', remote: 'fd99::2', df: set".to_owned());
                six = true;
            }
            4 => options.push("local: 192.0.2.1".to_owned()),
            5 => {
                // One that stands on a link of the same node.
                if let Some(lower) = self.ends.iter().find(|end| end.node == node && end.up && !end.small).cloned() {
                    options.push(format!("group: 239.9.9.{segment}, link: {}", lower.name));
                }
            }
            _ => {}
        }
        let more = [
            "port: 8472",
            "source-ports: 40000-40100",
            "tos: 8",
            "proxy: true",
            "l2miss: true",
            "l3miss: true",
            "ageing: 60s",
            "limit: 1000",
        ];
        options.extend(self.some(8, &more).into_iter().map(str::to_owned));
        if self.dice.once_in(3) && !six {
            options.push("fdb: [{ dst: 192.0.2.77 }, { mac: '02:00:00:00:99:99', dst: 192.0.2.78 }]".to_owned());
        }
        self.interface(
            node,
            &format!("vx{segment}"),
            vec![format!("vxlan: {{ {} }}", options.join(", "))],
            Some((segment, 1)),
        );
    }

    /// A macvlan over an interface that is there, in its node or another.
    pub(super) fn macvlan(&mut self) {
        if self.ends.is_empty() || !self.dice.once_in(3) {
            return;
        }
        let at = self.dice.below(self.ends.len());
        let lower = self.ends[at].clone();
        if !lower.up || lower.small {
            return;
        }
        let node = if self.dice.once_in(3) { self.namespace() } else { lower.node };
        let mode = self.dice.one(&["bridge", "private", "vepa", "passthru"]);
        let link = if node == lower.node { lower.name } else { format!("{}/{}", NODES[lower.node], lower.name) };
        self.interface(node, "mac0", vec![format!("macvlan: {{ link: {link}, mode: {mode} }}")], Some((9, 1)));
    }

    /// Interfaces of somebody else: configured where they are, or moved.
    pub(super) fn borrowed(&mut self) {
        for (node, host) in [(HOST, 5), (GUEST, 6)] {
            if !self.dice.once_in(if node == HOST { 4 } else { 6 }) {
                continue;
            }
            let mut keys = vec!["existing: {}".to_owned()];
            let more = ["mtu: 1400", "mac: '02:00:00:00:77:01'", "txqueuelen: 77", "alternative-names: [mine-for-now]"];
            keys.extend(self.some(4, &more).into_iter().map(str::to_owned));
            if node == HOST && self.dice.once_in(3) {
                keys.push("master: lent0".to_owned());
                self.nodes[node].interfaces.push(("lent0".to_owned(), vec!["bridge: {}".to_owned()]));
            } else if self.dice.once_in(5) {
                keys.push("up: false".to_owned());
            } else if self.dice.once_in(2) {
                keys.push(format!("addresses: [10.70.{host}.1/24, 192.0.2.{}/24]", 200 + host));
            }
            self.nodes[node].named = true;
            self.nodes[node].interfaces.push(("own0".to_owned(), keys));
        }
        if self.dice.once_in(5) {
            let node = self.namespace();
            let name = self.dice.one(&["take0", "eth9"]);
            let mut keys = vec!["existing: { from: host/take0 }".to_owned()];
            keys.extend(
                self.some(4, &["mtu: 1400", "addresses: [10.71.0.1/24]", "txqueuelen: 78"])
                    .into_iter()
                    .map(str::to_owned),
            );
            self.nodes[node].named = true;
            self.nodes[node].interfaces.push((name.to_owned(), keys));
        }
    }

    /// What is said of `lo`.
    pub(super) fn loopback(&mut self) {
        for node in 0..NODES.len() {
            if self.nodes[node].named && self.dice.once_in(8) {
                let mut keys = vec![format!("addresses: [10.255.{node}.1/32]")];
                keys.extend(self.some(5, &["mtu: 16436", "txqueuelen: 10"]).into_iter().map(str::to_owned));
                self.nodes[node].interfaces.push(("lo".to_owned(), keys));
            }
            if created(node) && self.nodes[node].named && self.dice.once_in(2) {
                self.hand_to_hand(node);
            }
        }
    }

    /// A name that one interface of a node has in one file, and another one in the next.
    fn hand_to_hand(&mut self, node: usize) {
        let lo = self.dice.once_in(2);
        let interfaces = &mut self.nodes[node].interfaces;
        if lo && interfaces.iter().all(|(name, _)| name != "lo") {
            interfaces.push(("lo".to_owned(), Vec::new()));
        }
        let holder = interfaces.iter_mut().find(|(name, keys)| {
            let other = |key: &String| key.starts_with("alternative-names") || key.starts_with("existing");
            (name == "lo") == lo && !keys.iter().any(other)
        });
        if let Some((_, keys)) = holder {
            keys.push("alternative-names: [from-hand-to-hand]".to_owned());
        }
    }
}
