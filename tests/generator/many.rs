//! Topologies with ranges by dice, and the same written out by hand, one line for each thing.

use super::Dice;
use std::fmt::Write as _;

/// A topology in both forms.
pub struct Many {
    /// With ranges, formulas, sums and defaults.
    pub short: String,
    /// Without any.
    pub long: String,
}

/// A topology of this name.
pub fn many(name: &str, dice: &mut Dice<'_>) -> Many {
    let (low, count) = (dice.below(3), 1 + dice.below(4));
    let mut numbers: Vec<usize> = (low..low + count).collect();
    let mut range = format!("{low}-{}", low + count - 1);
    if dice.once_in(3) {
        numbers.push(low + count + 1);
        write!(range, ",{}", low + count + 1).unwrap();
    }
    let width = if dice.once_in(3) { 2 } else { 1 };
    if width == 2 {
        range.insert(0, '0');
    }
    let parts = Parts { dice, numbers, range, width };
    parts.build(name)
}

struct Parts<'d, 'a> {
    dice: &'d mut Dice<'a>,
    /// The numbers of the clients.
    numbers: Vec<usize>,
    /// The same as it is written.
    range: String,
    width: usize,
}

/// What a client has: below a range, and in client number `n`.
type Piece = (String, Box<dyn Fn(usize) -> String>);

impl Parts<'_, '_> {
    fn build(mut self, name: &str) -> Many {
        let mtu = self.dice.once_in(2).then_some(1400);
        let ttl = self.dice.once_in(2);
        let pieces = self.pieces(mtu);
        let (mut short, mut long) = (format!("name: {name}\n"), format!("name: {name}\n"));
        if mtu.is_some() || ttl {
            short.push_str("defaults:\n");
        }
        if let Some(mtu) = mtu {
            writeln!(short, "  dummy: {{ mtu: {mtu} }}").unwrap();
        }
        if ttl {
            short.push_str("  namespaces: { sysctls: { net.ipv4.ip_default_ttl: 61 } }\n");
        }
        let ports: Vec<String> = self.numbers.iter().map(|n| format!("p{n:0width$}", width = self.width)).collect();
        for (text, ports) in [(&mut short, format!("\"p[{}]\"", self.range)), (&mut long, ports.join(", "))] {
            writeln!(
                text,
                "host:\n  interfaces:\n    br0: {{ bridge: {{ ports: [{ports}] }}, addresses: [10.1.255.1/16] }}"
            )
            .unwrap();
        }
        short.push_str("namespaces:\n");
        long.push_str("namespaces:\n");
        writeln!(short, "  \"client[{}]\":\n    interfaces:", self.range).unwrap();
        for (piece, _) in &pieces {
            short.push_str(piece);
        }
        for n in &self.numbers {
            writeln!(long, "  client{n:0width$}:", width = self.width).unwrap();
            if ttl {
                long.push_str("    sysctls: { net.ipv4.ip_default_ttl: 61 }\n");
            }
            long.push_str("    interfaces:\n");
            for (_, piece) in &pieces {
                long.push_str(&piece(*n));
            }
        }
        let plain = if ttl { "{ sysctls: { net.ipv4.ip_default_ttl: 61 } }" } else { "{}" };
        short.push_str("  \"odd\\\\[1-2]\": {}\n");
        writeln!(long, "  \"odd\\\\[1-2]\": {plain}").unwrap();
        Many { short, long }
    }

    fn pieces(&mut self, mtu: Option<usize>) -> Vec<Piece> {
        let width = self.width;
        let padded = if width == 2 { "{n:02}" } else { "{n}" };
        let mut pieces: Vec<Piece> = vec![(
            format!(
                "      eth0: {{ veth: \"host/p{padded}\", addresses: [\"10.1.0.0+{{n*300+1}}/16\"], mac: \"02:00:00:00:00:fe+{{n}}\", mtu: \"{{n*2+1400}}\" }}\n"
            ),
            Box::new(move |n| {
                let (sum, mac) = (n * 300 + 1, n + 254);
                format!(
                    "      eth0: {{ veth: host/p{n:0width$}, addresses: [10.1.{}.{}/16], mac: \"02:00:00:00:{:02x}:{:02x}\", mtu: {} }}\n",
                    sum >> 8,
                    sum & 255,
                    mac >> 8,
                    mac & 255,
                    n * 2 + 1400
                )
            }),
        )];
        let mtu = mtu.map(|mtu| format!(", mtu: {mtu}")).unwrap_or_default();
        if self.dice.once_in(2) {
            let last = self.dice.below(3);
            let mtu = mtu.clone();
            pieces.push((
                format!("      \"d[0-{last}]\": {{ dummy: {{}}, addresses: [\"10.{{n1+20}}.{{n2*8+n1}}.1/32\"] }}\n"),
                Box::new(move |n| {
                    let one = |m| {
                        format!("      d{m}: {{ dummy: {{}}, addresses: [10.{}.{}.1/32]{mtu} }}\n", n + 20, m * 8 + n)
                    };
                    (0..=last).map(one).collect()
                }),
            ));
        }
        if self.dice.once_in(2) {
            pieces.push((
                "      \"up{n}\": { dummy: {}, mtu: null }\n".to_owned(),
                Box::new(|n| format!("      up{n}: {{ dummy: {{}} }}\n")),
            ));
            if mtu.is_empty() {
                pieces.pop();
            }
        }
        self.rest(&mut pieces);
        pieces
    }

    fn rest(&mut self, pieces: &mut Vec<Piece>) {
        let many = 1 + self.dice.below(3);
        if self.dice.once_in(2) {
            pieces.push((
                format!("    routes:\n      - {{ each: 1-{many}, to: \"10.{{n1+40}}.{{n2}}.0/24\", type: blackhole }}\n      - {{ each: [60, 70], to: \"10.{{n1+n2}}.0.0/16\", type: unreachable, metric: \"{{n1%3+5}}\" }}\n"),
                Box::new(move |n| {
                    let each: String = (1..=many).map(|m| format!("      - {{ to: 10.{}.{m}.0/24, type: blackhole }}\n", n + 40)).collect();
                    let words: String = [60, 70]
                        .map(|word| format!("      - {{ to: 10.{}.0.0/16, type: unreachable, metric: {} }}\n", n + word, n % 3 + 5))
                        .concat();
                    format!("    routes:\n{each}{words}")
                }),
            ));
        }
        if self.dice.once_in(2) {
            pieces.push((
                format!("    rules: [{{ each: 1-{many}, priority: \"{{n2*10+n1/2}}\", from: \"10.0.{{n2}}.0/24\", table: 100 }}]\n"),
                Box::new(move |n| {
                    let one = |m| format!("{{ priority: {}, from: 10.0.{m}.0/24, table: 100 }}", m * 10 + n / 2);
                    format!("    rules: [{}]\n", (1..=many).map(one).collect::<Vec<_>>().join(", "))
                }),
            ));
        }
        if self.dice.once_in(2) {
            pieces.push((
                "    firewall: { input: { rules: [{ each: [22, 8000-8010], in: eth0, protocol: tcp, port: \"{n2}\", accept: { log: \"{n1} {x} \" } }, { nft: \"tcp dport { {n}, 9 } counter accept\" }] } }\n".to_owned(),
                Box::new(|n| {
                    let one = |port| format!("{{ in: eth0, protocol: tcp, port: {port}, accept: {{ log: \"{n} {{x}} \" }} }}");
                    format!("    firewall: {{ input: {{ rules: [{}, {}, {{ nft: \"tcp dport {{ {n}, 9 }} counter accept\" }}] }} }}\n", one("22"), one("8000-8010"))
                }),
            ));
        }
    }
}
