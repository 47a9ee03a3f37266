//! Routes, policy rules and neighbours.

use super::{Builder, End, NODES, created};

impl Builder<'_, '_> {
    pub(super) fn routes(&mut self) {
        let ends = self.ends.clone();
        let mut defaults = [false; NODES.len()];
        for (number, end) in ends.iter().enumerate().filter(|(_, end)| end.up) {
            let other = ends
                .iter()
                .find(|other| other.segment == end.segment && (other.node, &other.name) != (end.node, &end.name));
            let gateway = other.map_or(77, |other| other.host);
            if let Some(route) = self.route(number, end, gateway, &mut defaults) {
                self.nodes[end.node].routes.push(format!("{{ {route} }}"));
            }
            self.neighbor(number, end);
        }
        for node in 0..NODES.len() {
            if created(node) && self.nodes[node].named && self.dice.once_in(4) {
                let kinds = [
                    "to: 198.51.100.0/24, type: blackhole",
                    "to: 198.51.100.0/24, type: unreachable, metric: 4",
                    "to: 198.51.100.0/24, type: prohibit",
                    "to: 198.51.100.0/24, type: throw, table: 77",
                    "to: 198.51.101.0/24, type: local, dev: lo, table: local",
                    "to: 'fda1::/64', type: blackhole",
                    "to: 'fda2::/64', type: unreachable, table: 1000",
                ];
                let kind = self.dice.one(&kinds);
                self.nodes[node].routes.push(format!("{{ {kind} }}"));
            }
        }
    }

    fn route(&mut self, number: usize, end: &End, gateway: usize, defaults: &mut [bool]) -> Option<String> {
        let End { segment, name, host, .. } = end;
        let via = format!("via: 10.{segment}.0.{gateway}, dev: {name}");
        // An IPv6 gateway must not be an address of the node itself.
        let own = |host: usize| {
            self.ends.iter().any(|other| (other.node, other.segment, other.host) == (end.node, *segment, host))
        };
        let gateway = if own(gateway) { 97 } else { gateway };
        let six = end.six.then(|| format!("via: 'fd0{segment}::{gateway}', dev: {name}"));
        Some(match self.dice.below(16) {
            3 if created(end.node) && !defaults[end.node] => {
                defaults[end.node] = true;
                format!("to: default, {via}")
            }
            4 => format!("to: 172.16.{number}.0/24, {via}, metric: {}", self.dice.below(3)),
            5 => format!("to: 172.17.{number}.0/24, dev: {name}, mtu: 1300, source: 10.{segment}.0.{host}"),
            6 => format!("to: 172.18.{number}.0/24, {via}, table: {}", 100 + self.dice.below(2)),
            7 => format!(
                "to: 172.19.{number}.0/24, nexthops: [{{ {via} }}, {{ via: 10.{segment}.0.99, dev: {name}, weight: 3 }}]"
            ),
            8 => format!("to: 172.20.{number}.0/24, via: 172.30.0.1, dev: {name}, onlink: true"),
            9 => format!("to: 172.21.{number}.0/24, dev: {name}, scope: {}", self.dice.one(&["link", "host", "200"])),
            10 => format!("to: 172.22.{number}.7, {via}, table: {}", self.dice.one(&["main", "default"])),
            11 => format!("to: 'fd7{segment}:{number}::/64', {}", six?),
            12 => format!("to: 172.23.{number}.0/24, {}", six?),
            13 => format!("to: 'fd8{segment}:{number}::/64', {}, metric: 7, mtu: 1290", six?),
            14 => format!(
                "to: 'fd9{segment}:{number}::/64', nexthops: [{{ {} }}, {{ via: 'fd0{segment}::98', dev: {name}, weight: 5 }}]",
                six?
            ),
            15 if self.ends.iter().filter(|other| (other.node, other.segment) == (end.node, *segment)).count() == 1 => {
                format!("to: 172.24.{number}.0/24, via: 10.{segment}.0.{gateway}")
            }
            _ => return None,
        })
    }

    fn neighbor(&mut self, number: usize, end: &End) {
        let End { segment, name, .. } = end;
        if !self.dice.once_in(6) {
            return;
        }
        let mut list = vec![
            format!("address: 10.{segment}.0.55, mac: '02:00:00:00:55:{number:02x}', dev: {name}"),
            format!("address: 10.88.{number}.1, dev: {name}, proxy: true"),
        ];
        if end.six {
            list.push(format!("address: 'fd0{segment}::55', mac: '02:00:00:00:56:{number:02x}', dev: {name}"));
            list.push(format!("address: 'fd88:{number}::1', dev: {name}, proxy: true"));
        }
        let one = self.dice.below(list.len());
        self.nodes[end.node].neighbors.push(format!("{{ {} }}", list[one]));
    }

    /// Policy rules; those on the host and in other people's namespaces are for traffic of the topology.
    pub(super) fn rules(&mut self, node: usize) {
        if self.dice.once_in(if created(node) { 3 } else { 8 }) {
            let own = self.nodes[node].interfaces.first().map_or("lo".to_owned(), |(name, _)| name.clone());
            let priority = 100 + self.dice.below(3);
            let full = format!(
                "{{ priority: 300, from: 10.1.0.0/24, to: 10.2.0.0/24, iif: {own}, oif: lo, fwmark: 0x10/0xff, protocol: tcp, port: 80-90, source-port: 1024-2048, table: 102 }}"
            );
            let list = [
                format!("{{ priority: {priority}, from: 10.1.0.0/16, table: 100 }}"),
                "{ priority: 200, fwmark: 0x20, table: 101 }".to_owned(),
                "{ priority: 201, fwmark: 0/4, table: 101, family: ipv4 }".to_owned(),
                full,
                "{ priority: 301, from: 'fd01::/64', table: main }".to_owned(),
                "{ priority: 302, to: 10.99.0.0/24, action: unreachable }".to_owned(),
                format!("{{ priority: 303, iif: {own}, action: blackhole, family: ipv6 }}"),
                "{ priority: 304, protocol: udp, port: 53, table: 4000000000, family: ipv4 }".to_owned(),
            ];
            let chosen: Vec<String> = list.into_iter().filter(|_| self.dice.once_in(3)).collect();
            self.nodes[node].rules.extend(chosen);
        }
        // Rules that the kernel takes for one another follow each other from file to file.
        if self.dice.once_in(if created(node) { 2 } else { 8 }) {
            let prefixes =
                ["from: 10.1.0.0/16, to: 10.2.0.0/16", "from: 10.1.0.0/16", "to: 10.2.0.0/16", "family: ipv4"];
            let prefixes = self.dice.one(&prefixes);
            self.nodes[node].rules.push(format!("{{ priority: 310, {prefixes}, table: main }}"));
        }
        if self.dice.once_in(if created(node) { 10 } else { 16 }) {
            let at = self.dice.one(&["50", "2000"]);
            self.nodes[node].keys.push(format!("local-rule: {at}"));
        }
    }
}
