//! NAT and firewall.

use super::{Builder, HOST, created};

impl Builder<'_, '_> {
    pub(super) fn packets(&mut self, node: usize) {
        let own: Option<String> = self.ends.iter().find(|end| end.node == node).map(|end| end.name.clone());
        let Some(interface) = own else { return };
        if self.dice.once_in(4) {
            self.nat(node, &interface);
        }
        let mut parts = Vec::new();
        if self.dice.once_in(if created(node) { 3 } else { 8 }) {
            parts.extend(self.firewall(&interface));
        }
        if node == HOST && self.dice.once_in(3) {
            parts.push(self.insert(&interface));
        }
        if !parts.is_empty() {
            self.nodes[node].keys.push(format!("firewall: {{ {} }}", parts.join(", ")));
        }
    }

    fn nat(&mut self, node: usize, own: &str) {
        let all = [
            format!("masquerade: {{ source: 10.1.0.0/24, destination: '!10.1.0.0/24', out: {own} }}"),
            format!("dnat: {{ in: {own}, protocol: tcp, port: 8080, to: '10.1.0.2:80' }}"),
            "redirect: { protocol: tcp, port: 81, to: 8081 }".to_owned(),
            format!("snat: {{ source: [10.2.0.0/24, 10.3.0.1-10.3.0.9], out: '!{own}', to: 203.0.113.7 }}"),
            "snat: { source: 10.4.0.0/24, protocol: udp, to: '203.0.113.1:1000-2000' }".to_owned(),
            "snat: { source: 'fd02::/64', to: '2001:db8::1' }".to_owned(),
            format!("dnat: {{ in: '{}*', protocol: tcp, port: [8081, 8090-8099], to: 10.1.0.3 }}", &own[..1]),
            "dnat: { destination: '2001:db8::1', protocol: tcp, port: 8082, to: '[fd01::2]:80', local: true }"
                .to_owned(),
            "dnat: { destination: 203.0.113.10, to: 10.1.0.4, local: only }".to_owned(),
            "redirect: { protocol: udp, port: 1000-1009, source: '!10.1.0.2', local: true }".to_owned(),
            "masquerade: { mark: 0x10/0xf0, protocol: icmp, icmp-type: echo-request }".to_owned(),
            "nft: 'ip saddr 10.39.4.0/24 masquerade random'".to_owned(),
            "masquerade: { source: 10.5.0.0/24, counter: true }".to_owned(),
            "snat: { source: 10.6.0.0/24, to: 203.0.113.8, counter: true }".to_owned(),
            format!("dnat: {{ in: {own}, protocol: udp, port: 53, to: 10.1.0.5, local: true, counter: true }}"),
            "dnat: { destination: local, protocol: tcp, port: 83, to: '10.1.0.6:80', local: true }".to_owned(),
            "redirect: { protocol: tcp, port: 82, to: 8082, local: only, counter: true }".to_owned(),
        ];
        let mut list: Vec<String> =
            all.iter().filter(|_| self.dice.once_in(4)).map(|rule| format!("{{ {rule} }}")).collect();
        if list.is_empty() {
            list.push(format!("{{ {} }}", all[0]));
        }
        self.nodes[node].keys.push(format!("nat: [{}]", list.join(", ")));
    }

    fn firewall(&mut self, own: &str) -> Vec<String> {
        let port = 22 + self.dice.below(3);
        let input = [
            format!("{{ in: {own}, protocol: tcp, port: [{port}, 8000-8010], accept: {{ counter: true }} }}"),
            "{ source: [10.1.0.2, 10.1.0.16-10.1.0.31], protocol: tcp, port: 22, accept: { log: 'in ', counter: true } }".to_owned(),
            "{ source: ['!10.1.0.5', '!10.1.0.6'], protocol: udp, source-port: 1024-65535, reject: {} }".to_owned(),
            "{ protocol: icmp, icmp-type: echo-request, limit: 5/second, accept: {} }".to_owned(),
            "{ protocol: tcp, reject: { with: tcp-reset } }".to_owned(),
            "{ destination: local, protocol: 47, drop: {} }".to_owned(),
            "{ nft: 'tcp dport { 1, 2 } meta mark set 0x1 counter accept' }".to_owned(),
        ];
        let others = [
            format!("prerouting: {{ rules: [{{ in: {own}, protocol: tcp, port: 443, set-mark: 0x20/0xff, counter: true }}, {{ mark: 0x20/0xff, accept: {{}} }}] }}"),
            format!("forward: {{ policy: drop, rules: [{{ state: [established, related], accept: {{}} }}, {{ in: '!{own}', out: {own}, reject: {{ with: admin-prohibited }} }}] }}"),
            "output: { rules: [{ destination: '!10.1.0.0-10.1.255.255', protocol: udp, port: 9, drop: {} }, { protocol: udp, limit: 100/minute, set-mark: 1, accept: {} }] }".to_owned(),
            format!("postrouting: {{ rules: [{{ out: {own}, mark: 0x20, accept: {{}} }}] }}"),
        ];
        let mut parts: Vec<String> = others.into_iter().filter(|_| self.dice.once_in(4)).collect();
        let policy = self.dice.one(&["accept", "drop"]);
        let mut rules: Vec<String> = input.into_iter().filter(|_| self.dice.once_in(3)).collect();
        // Two alike, one behind the other.
        if self.dice.once_in(3) {
            rules.extend(rules.last().cloned());
        }
        let always = "{ state: [established, related], accept: {} }, { protocol: icmpv6, accept: {} }".to_owned();
        let rules = std::iter::once(always).chain(rules).collect::<Vec<_>>().join(", ");
        parts.push(format!("input: {{ policy: {policy}, rules: [{rules}] }}"));
        parts
    }

    /// Rules in a chain of somebody else.
    fn insert(&mut self, own: &str) -> String {
        let all = [
            format!(
                "{{ chain: inet theirs through, in: {own}, protocol: icmp, limit: 10/second, accept: {{ log: 'x ', counter: true }} }}"
            ),
            "{ chain: inet theirs through, protocol: udp, port: 5-9, reject: {} }".to_owned(),
            "{ chain: inet theirs through, nft: 'tcp dport 7 counter drop' }".to_owned(),
            format!("{{ chain: ip nosuch CHAIN, if-present: true, in: {own}, accept: {{}} }}"),
        ];
        let mut list: Vec<String> = all.iter().filter(|_| self.dice.once_in(2)).cloned().collect();
        if list.is_empty() {
            list.push(all[0].clone());
        }
        format!("insert: [{}]", list.join(", "))
    }
}
