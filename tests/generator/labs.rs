//! Labs of routers and clients that work, and the same broken on purpose: for the walk of packets.

use super::Dice;
use std::fmt::Write as _;

/// A lab: routers in a row, each with clients behind it.
#[derive(Clone, Debug)]
pub struct Lab {
    nodes: Vec<Node>,
    /// What was broken, and where, in words.
    pub broken: Vec<String>,
    /// What is broken on the machine when all is there: lines of shell.
    pub hand: Vec<String>,
}

#[derive(Clone, Debug, Default)]
struct Node {
    name: String,
    interfaces: Vec<(String, Vec<String>)>,
    forwarding: bool,
    routes: Vec<String>,
    rules: Vec<String>,
    sysctls: Vec<String>,
    nat: Vec<String>,
    chains: Vec<(&'static str, bool, Vec<String>)>,
    router: bool,
}

/// Rules of others in forward.
const NFT: [&str; 6] = [
    "tcp dport 80 drop",
    "ip protocol icmp counter drop",
    "meta l4proto { icmp, icmpv6 } reject",
    "udp dport { 53, 67 } drop",
    "ct state new tcp dport 1-100 drop",
    "iifname != \"lo\" ip daddr 10.0.0.0/15 goto away",
];
/// Rules of iptables.
const IPTABLES: [&str; 5] = [
    "FORWARD -p icmp -j DROP",
    "FORWARD -p tcp -m conntrack --ctstate NEW -j DROP",
    "INPUT -p tcp --dport 80 -j DROP",
    "FORWARD -p tcp -m multiport --dports 22,80 -j REJECT",
    "OUTPUT -p udp -j DROP",
];
/// Rules of a file.
const FORWARD: [&str; 4] =
    ["protocol: icmp, drop: {}", "protocol: tcp, reject: {}", "protocol: udp, port: 53, drop: {}", "drop: {}"];
const INPUT: [&str; 4] = [
    "protocol: icmp, drop: {}",
    "protocol: tcp, port: 80, drop: {}",
    "protocol: udp, drop: {}",
    "state: new, drop: {}",
];

impl Node {
    /// A rule that drops.
    fn filter(&mut self, which: usize, throw: usize) -> String {
        let (hook, rules) = match which {
            3 => ("forward", vec![FORWARD[throw % FORWARD.len()]]),
            5 => ("input", vec![INPUT[throw % INPUT.len()]]),
            6 => ("output", vec!["protocol: icmp, drop: {}", "protocol: tcp, port: 80, drop: {}"]),
            _ => ("prerouting", vec!["state: established, drop: {}"]),
        };
        self.chains.push((hook, false, rules.into_iter().map(str::to_owned).collect()));
        format!("a dropping rule in {hook}")
    }

    /// Another way, or none.
    fn route(&mut self, which: usize, throw: usize) -> &'static str {
        match which {
            0 => {
                self.forwarding = false;
                "no forwarding"
            }
            1 => {
                self.routes.clear();
                "no routes"
            }
            2 => {
                if !self.routes.is_empty() {
                    self.routes.remove(throw % self.routes.len());
                }
                "a route less"
            }
            4 => {
                self.rules.push("priority: 50, action: blackhole, to: 10.0.0.0/16".to_owned());
                "a rule to nowhere"
            }
            7 => {
                self.routes.push("to: 10.1.0.0/17, type: blackhole".to_owned());
                "a blackhole"
            }
            10 => {
                self.sysctls = vec!["net.ipv4.icmp_echo_ignore_all: 1".to_owned()];
                "pings ignored"
            }
            11 => {
                self.routes.retain(|route| !route.contains("via: 10."));
                self.routes.push("to: 10.9.0.0/16, type: prohibit".to_owned());
                "another route"
            }
            12 => {
                self.rules.push("priority: 60, from: 10.0.0.0/8, action: prohibit".to_owned());
                "a rule against its own source"
            }
            14 => {
                self.sysctls = vec!["net.ipv4.conf.all.rp_filter: 1".to_owned()];
                "strict rp_filter"
            }
            _ => {
                self.routes.push("to: 10.2.0.0/17, type: unreachable".to_owned());
                "an unreachable route"
            }
        }
    }
}

impl Lab {
    /// A lab by dice, with at most `breaks` places broken.
    pub fn throw(dice: &mut Dice<'_>, breaks: usize) -> Self {
        let mut lab = Self { nodes: Vec::new(), broken: Vec::new(), hand: Vec::new() };
        let routers = 1 + dice.below(3);
        for nth in 0..routers {
            lab.router(nth, routers, dice);
        }
        for nth in 0..routers {
            lab.ways(nth, routers);
        }
        for nth in 0..routers {
            if dice.once_in(3) {
                lab.masquerade(nth);
            }
            if dice.once_in(3) {
                lab.guard(nth, dice);
            }
            if dice.once_in(4) {
                lab.publish(nth);
            }
        }
        for _ in 0..breaks {
            lab.break_one(dice);
        }
        lab
    }

    fn router(&mut self, nth: usize, routers: usize, dice: &mut Dice<'_>) {
        let name = format!("R{nth}");
        let mut router = Node { name: name.clone(), forwarding: true, router: true, ..Node::default() };
        if nth + 1 < routers {
            let keys =
                vec![format!("veth: R{}/left", nth + 1), format!("addresses: [10.9.{nth}.1/30, fd09:{nth}::1/64]")];
            router.interfaces.push(("right".to_owned(), keys));
        }
        if nth > 0 {
            router
                .interfaces
                .push(("left".to_owned(), vec![format!("addresses: [10.9.{}.2/30, fd09:{}::2/64]", nth - 1, nth - 1)]));
        }
        let clients = 1 + dice.below(2);
        let bridged = dice.below(2) == 1;
        if bridged {
            router.interfaces.push((
                "br".to_owned(),
                vec!["bridge: {}".to_owned(), format!("addresses: [10.{nth}.0.1/24, fd00:{nth}::1/64]")],
            ));
        }
        for client in 0..clients {
            let own = format!("C{nth}{client}");
            // Behind the bridge all are in one subnet, else each has its own.
            let (net, host) = if bridged { (0, 10 + client) } else { (client, 10) };
            let mut node = Node { name: own.clone(), ..Node::default() };
            let addresses = format!("addresses: [10.{nth}.{net}.{host}/24, fd00:{nth}:0:{net}::{host}/64]");
            let far = format!("p{client}");
            node.interfaces.push(("eth0".to_owned(), vec![format!("veth: {name}/{far}"), addresses]));
            node.routes.push(format!("to: default, via: 10.{nth}.{net}.1"));
            node.routes.push(format!("to: default, via: \"fd00:{nth}:0:{net}::1\""));
            let keys = if bridged {
                vec!["master: br".to_owned()]
            } else {
                vec![format!("addresses: [10.{nth}.{net}.1/24, fd00:{nth}:0:{net}::1/64]")]
            };
            router.interfaces.push((far, keys));
            self.nodes.push(node);
        }
        self.nodes.push(router);
    }

    /// Routes to what is behind the other routers.
    fn ways(&mut self, nth: usize, routers: usize) {
        let mut routes = Vec::new();
        for other in (0..routers).filter(|other| *other != nth) {
            let (link, end) = if other > nth { (nth, 2) } else { (nth - 1, 1) };
            routes.push(format!("to: 10.{other}.0.0/16, via: 10.9.{link}.{end}"));
            routes.push(format!("to: \"fd00:{other}::/32\", via: \"fd09:{link}::{end}\""));
        }
        for other in 0..routers.saturating_sub(1) {
            let near = other == nth || other + 1 == nth;
            if !near {
                let (link, end) = if other > nth { (nth, 2) } else { (nth - 1, 1) };
                routes.push(format!("to: 10.9.{other}.0/30, via: 10.9.{link}.{end}"));
                routes.push(format!("to: \"fd09:{other}::/64\", via: \"fd09:{link}::{end}\""));
            }
        }
        self.named(&format!("R{nth}")).routes.extend(routes);
    }

    fn named(&mut self, name: &str) -> &mut Node {
        self.nodes.iter_mut().find(|node| node.name == name).unwrap()
    }

    fn masquerade(&mut self, nth: usize) {
        let router = self.named(&format!("R{nth}"));
        if let Some((out, _)) = router.interfaces.iter().find(|(name, _)| name == "right" || name == "left").cloned() {
            router.nat.push(format!("masquerade: {{ source: 10.{nth}.0.0/16, out: {out} }}"));
        }
    }

    fn guard(&mut self, nth: usize, dice: &mut Dice<'_>) {
        let allowed = [
            "protocol: icmp",
            "protocol: icmpv6",
            "protocol: tcp, port: [22, 80]",
            "protocol: udp, port: 53-60",
            "state: new",
        ];
        let mut rules = vec!["state: [established, related], accept: {}".to_owned()];
        rules.extend(allowed.iter().filter(|_| dice.below(2) == 1).map(|words| format!("{words}, accept: {{}}")));
        self.named(&format!("R{nth}")).chains.push(("forward", true, rules));
    }

    fn publish(&mut self, nth: usize) {
        let Some(client) = self.nodes.iter().find(|node| node.name == format!("C{nth}0")) else { return };
        let text = client.interfaces[0].1[1].clone();
        let address = text.trim_start_matches("addresses: [").split('/').next().unwrap().to_owned();
        self.named(&format!("R{nth}")).nat.push(format!("dnat: {{ protocol: tcp, port: 8080, to: \"{address}:80\" }}"));
    }

    /// Breaks something: in the file, or on the machine when all is there.
    fn break_one(&mut self, dice: &mut Dice<'_>) {
        let which = dice.below(19);
        let router = matches!(which, 0 | 2 | 3 | 4 | 7 | 8 | 14..);
        let names: Vec<String> =
            self.nodes.iter().filter(|node| node.router == router).map(|node| node.name.clone()).collect();
        let name = names[dice.below(names.len())].clone();
        let throw = dice.below(1000);
        let what = match which {
            8 | 9 | 16.. => self.by_hand(which, &name, throw),
            3 | 5 | 6 | 13 => self.named(&name).filter(which, throw),
            _ => self.named(&name).route(which, throw).to_owned(),
        };
        self.broken.push(format!("{name}: {what}"));
    }

    fn by_hand(&mut self, which: usize, name: &str, throw: usize) -> String {
        let (line, what) = match which {
            16 => {
                let rule = NFT[throw % NFT.len()];
                let nft = format!(
                    "add table inet theirs; add chain inet theirs away; add rule inet theirs away ip daddr 10.0.0.0/16 drop; \
                     add chain inet theirs f {{ type filter hook forward priority 5; }}; add rule inet theirs f {rule}"
                );
                (format!("ip netns exec {name} nft '{nft}'"), format!("nft {rule}"))
            }
            17 => {
                let rule = IPTABLES[throw % IPTABLES.len()];
                (format!("ip netns exec {name} iptables-nft -A {rule}"), format!("iptables {rule}"))
            }
            18 => {
                let route =
                    ["blackhole 10.0.0.0/17", "prohibit 10.1.0.0/17", "unreachable 10.2.0.0/17 metric 5"][throw % 3];
                (format!("ip -n {name} route replace {route}"), format!("ip route {route}"))
            }
            _ => {
                let interfaces = &self.named(name).interfaces;
                let interface = interfaces[throw % interfaces.len()].0.clone();
                (format!("ip -n {name} link set dev {interface} down"), format!("{interface} is down"))
            }
        };
        self.hand.push(line);
        what
    }

    /// The nodes.
    pub fn names(&self) -> Vec<String> {
        self.nodes.iter().map(|node| node.name.clone()).collect()
    }

    /// The lab as a file.
    pub fn yaml(&self) -> String {
        let mut text = "name: lab\nnamespaces:\n".to_owned();
        for node in &self.nodes {
            writeln!(text, "  {}:", node.name).unwrap();
            if node.forwarding {
                text.push_str("    forwarding: true\n");
            }
            let list = |text: &mut String, key: &str, items: &[String]| {
                if !items.is_empty() {
                    writeln!(text, "    {key}:").unwrap();
                    let new = |(nth, item): &(usize, &String)| !items.iter().take(*nth).any(|other| other == *item);
                    items
                        .iter()
                        .enumerate()
                        .filter(new)
                        .for_each(|(_, item)| writeln!(text, "      - {{ {item} }}").unwrap());
                }
            };
            if !node.interfaces.is_empty() {
                text.push_str("    interfaces:\n");
                for (name, keys) in &node.interfaces {
                    writeln!(text, "      {name}: {{ {} }}", keys.join(", ")).unwrap();
                }
            }
            list(&mut text, "routes", &node.routes);
            list(&mut text, "rules", &node.rules);
            if !node.sysctls.is_empty() {
                writeln!(text, "    sysctls: {{ {} }}", node.sysctls.join(", ")).unwrap();
            }
            list(&mut text, "nat", &node.nat);
            let mut hooks: Vec<&str> = node.chains.iter().map(|(hook, ..)| *hook).collect();
            hooks.sort_unstable();
            hooks.dedup();
            if !hooks.is_empty() {
                text.push_str("    firewall:\n");
            }
            for hook in hooks {
                let all = || node.chains.iter().filter(|(of, ..)| *of == hook);
                let policy = if all().any(|(_, drop, _)| *drop) { "drop" } else { "accept" };
                writeln!(text, "      {hook}:\n        policy: {policy}\n        rules:").unwrap();
                // What was broken comes first, else a rule that accepts would be before it.
                for (_, _, rules) in all().filter(|(_, drop, _)| !drop).chain(all().filter(|(_, drop, _)| *drop)) {
                    rules.iter().for_each(|rule| writeln!(text, "          - {{ {rule} }}").unwrap());
                }
            }
        }
        text
    }
}
