//! Rules as nft lists them, read as the language has them: the other direction of `nft`.

pub use super::nft_words::Sets;

use super::nft_words::{Reader, words};
use super::packet_values::{ports, target};
use super::understood::{Then, Understood};
use crate::resource::{Family, PacketRule, Verdict};

/// A line of `nft list` as a rule; `family` is that of its table.
///
/// # Errors
///
/// The words that the language has nothing for.
pub fn read(line: &str, family: &str, sets: Sets<'_>) -> Result<Understood, String> {
    let mut reader = Reader { words: words(line), at: 0, sets, rule: PacketRule::default(), acted: false };
    reader.rule.family = family_of_table(family);
    let then = reader.all()?;
    Ok(Understood { rule: reader.rule, then })
}

/// The family that all rules of a table are for.
pub fn family_of_table(family: &str) -> Option<Family> {
    match family {
        "ip" => Some(Family::V4),
        "ip6" => Some(Family::V6),
        _ => None,
    }
}

impl Reader<'_> {
    fn all(&mut self) -> Result<Then, String> {
        while let Some(word) = self.next() {
            if let Some(then) = self.decision(&word)? {
                if self.eat("comment") {
                    self.value("comment")?;
                }
                return match self.peek() {
                    None => Ok(then),
                    Some(more) => Err(format!("`{word} {more}`")),
                };
            }
        }
        Ok(Then::Verdict)
    }

    /// What decides; `None` for a match, or what is done besides.
    fn decision(&mut self, word: &str) -> Result<Option<Then>, String> {
        let verdict = match word {
            "accept" => Verdict::Accept,
            "drop" => Verdict::Drop,
            "masquerade" => Verdict::Masquerade,
            "reject" => self.reject()?,
            "redirect" => {
                let to = if self.eat("to") { Some(self.value("redirect")?) } else { None };
                let to = to.map(|to| ports(to.trim_start_matches(':'), '-').ok_or(format!("`redirect to {to}`")));
                Verdict::Redirect(to.transpose()?)
            }
            "snat" | "dnat" => {
                let _ = self.eat("ip") || self.eat("ip6");
                if !self.eat("to") {
                    return Err(format!("this form of `{word}`"));
                }
                let to = self.value(word)?;
                let to = target(&to).ok_or_else(|| format!("`{word} to {to}`"))?;
                if word == "snat" { Verdict::Snat(to) } else { Verdict::Dnat(to) }
            }
            "jump" => return Ok(Some(Then::Jump(self.value(word)?))),
            "goto" => return Ok(Some(Then::Goto(self.value(word)?))),
            "return" => return Ok(Some(Then::Return)),
            word => return self.part(word).map(|()| None),
        };
        if let Verdict::Snat(to) | Verdict::Dnat(to) = &verdict {
            self.is_of(if to.address.is_ipv4() { Family::V4 } else { Family::V6 })?;
        }
        self.rule.verdict = Some(verdict);
        Ok(Some(Then::Verdict))
    }

    fn reject(&mut self) -> Result<Verdict, String> {
        if !self.eat("with") {
            return Ok(Verdict::Reject(None));
        }
        let kind = self.value("reject")?;
        if kind == "tcp" && self.eat("reset") {
            return Ok(Verdict::Reject(Some("tcp-reset".to_owned())));
        }
        self.eat("type");
        let code = self.value("reject")?;
        // The language has one word for both families.
        let word = match (kind.as_str(), code.as_str()) {
            ("icmpv6", "no-route") => "net-unreachable",
            ("icmpv6", "addr-unreachable") => "host-unreachable",
            ("icmpx", "no-route") => "net-unreachable",
            (
                "icmp" | "icmpv6" | "icmpx",
                "net-unreachable" | "host-unreachable" | "port-unreachable" | "admin-prohibited",
            ) => &code,
            _ => return Err(format!("`reject with {kind} {code}`")),
        };
        match kind.as_str() {
            "icmp" => self.is_of(Family::V4)?,
            "icmpv6" => self.is_of(Family::V6)?,
            _ => {}
        }
        Ok(Verdict::Reject(Some(word.to_owned()).filter(|word| kind != "icmpx" || word != "port-unreachable")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::nft::rule;

    /// What nft 1.0.6 lists, and what topo would write for the same.
    #[test]
    fn lines_come_back() {
        for line in [
            "iifname \"eth0\" oifname != \"br0\" ip saddr 10.0.0.0/24 tcp dport { 22, 80, 8000-8010 } accept",
            "ct state established,related accept",
            "ip6 daddr != { fd00::1, fd00::5-fd00::9 } udp sport 53 drop",
            "iifname { \"a\", \"b\" } ip saddr 10.0.0.0/8 oifname \"c\" masquerade",
            "iifname != \"br0\" tcp dport 8080 dnat ip to 10.0.0.2:80",
            "tcp dport 80 redirect to :8080",
            "ip saddr 10.0.0.0/24 oifname \"eth0\" snat ip to 203.0.113.7-203.0.113.9:1024-2048",
            "icmp type echo-request limit rate 5/second accept",
            "meta mark & 0x000000ff == 0x00000010 counter drop",
            "meta l4proto ipv6-icmp accept",
            "iifname \"x\" meta mark set 0x00000020",
            "iifname \"x\" meta mark set meta mark & 0xffffff00 | 0x00000020",
            "tcp dport 22 counter log prefix \"web \" accept",
            "meta l4proto tcp reject with tcp reset",
            "reject with icmpx admin-prohibited",
            "ip saddr 10.0.0.1 reject with icmp host-unreachable",
            "fib daddr type local tcp dport 80 dnat ip6 to [fd00::2]:80",
            "iifname != \"a*\" iifname != \"b\" accept",
        ] {
            let understood = read(line, "inet", &|_| None).unwrap_or_else(|why| panic!("{line}: {why}"));
            let again = rule(&understood.rule, "inet");
            let sorted = |text: &str| {
                let mut words = words(text);
                words.sort();
                words
            };
            assert_eq!(sorted(&again), sorted(line), "{line} became {again}");
        }
    }

    #[test]
    fn what_has_no_word_is_said() {
        for line in [
            "ct state vmap { established : accept }",
            "tcp flags syn / fin,syn,rst,ack drop",
            "ip saddr @blocked drop",
            "masquerade random",
            "log prefix \"x\" tcp dport 80 accept",
            "meta l4proto { tcp, udp } th dport 53 accept",
            "limit rate over 5/second drop",
            "quota 5 mbytes",
            "tcp dport",
            "iifname {",
        ] {
            assert!(read(line, "inet", &|_| None).is_err(), "{line}");
        }
    }

    #[test]
    fn chains_and_sets_are_followed() {
        let sets = |name: &str| (name == "good").then(|| vec!["10.0.0.1".to_owned(), "10.0.1.0/24".to_owned()]);
        let jump = read("iifname \"a\" jump mine", "ip", &sets).unwrap();
        assert_eq!((jump.then, jump.rule.family), (Then::Jump("mine".to_owned()), Some(Family::V4)));
        let set = read("ip saddr @good accept comment \"x } y\"", "ip", &sets).unwrap();
        assert_eq!(set.rule.source.unwrap().items.len(), 2);
        assert_eq!(read("return", "inet", &sets).unwrap().then, Then::Return);
    }
}
