//! Rules as `iptables-save` prints them, read as the language has them: the other direction of `iptables`.

use super::packet_values::{ports, range, target};
use super::understood::{Then, Understood, states};
use crate::resource::{AddressMatch, Family, IfMatch, PacketRule, Verdict};

/// Modules whose options are read here, or say nothing.
const MODULES: [&str; 14] = [
    "tcp",
    "udp",
    "sctp",
    "dccp",
    "udplite",
    "icmp",
    "icmp6",
    "state",
    "conntrack",
    "multiport",
    "comment",
    "mark",
    "limit",
    "addrtype",
];

/// A line of `iptables-save` behind the chain's name as a rule.
///
/// # Errors
///
/// The words that the language has nothing for.
pub fn read(line: &str, family: Family) -> Result<Understood, String> {
    let mut reader =
        Reader { words: words(line), at: 0, rule: PacketRule { family: Some(family), ..PacketRule::default() } };
    let then = reader.all()?;
    Ok(Understood { rule: reader.rule, then })
}

/// The words of a line of `iptables -S` or `iptables-save`, those in quotes as one.
pub(crate) fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let (mut quoted, mut escaped) = (false, false);
    for c in text.chars() {
        match c {
            _ if escaped => {
                word.get_or_insert_default().push(c);
                escaped = false;
            }
            '\\' if quoted => escaped = true,
            '"' => {
                quoted = !quoted;
                word.get_or_insert_default();
            }
            ' ' if !quoted => words.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

struct Reader {
    words: Vec<String>,
    at: usize,
    rule: PacketRule,
}

impl Reader {
    fn next(&mut self) -> Option<String> {
        let word = self.words.get(self.at).cloned();
        self.at += 1;
        word
    }

    fn value(&mut self, of: &str) -> Result<String, String> {
        self.next().ok_or_else(|| format!("`{of}` without a value"))
    }

    fn eat(&mut self, word: &str) -> bool {
        let is = self.words.get(self.at).is_some_and(|next| next == word);
        self.at += usize::from(is);
        is
    }

    fn all(&mut self) -> Result<Then, String> {
        let mut not = false;
        while let Some(word) = self.next() {
            match word.as_str() {
                "!" => {
                    not = true;
                    continue;
                }
                "-j" => return self.target(),
                "-g" => {
                    let chain = self.value("-g")?;
                    return self.end(Then::Goto(chain));
                }
                word => self.part(word, not)?,
            }
            not = false;
        }
        Ok(Then::Verdict)
    }

    fn end(&mut self, then: Then) -> Result<Then, String> {
        match self.next() {
            None => Ok(then),
            Some(more) => Err(format!("`{more}`")),
        }
    }

    fn part(&mut self, word: &str, not: bool) -> Result<(), String> {
        match word {
            "-m" => {
                let module = self.value(word)?;
                let known = MODULES.contains(&module.as_str()) || module == "iprange";
                return if known { Ok(()) } else { Err(format!("`-m {module}`")) };
            }
            "--comment" => return self.value(word).map(|_| ()),
            "-s" | "-d" | "--src-range" | "--dst-range" => return self.address(word, not),
            "-i" | "-o" => return self.interface(word, not),
            _ if not => return Err(format!("`! {word}`")),
            _ => {}
        }
        let value = self.value(word)?;
        let fault = || format!("`{word} {value}`");
        match word {
            "-p" => {
                self.rule.protocol = Some(if value == "ipv6-icmp" { "icmpv6".to_owned() } else { value.clone() });
            }
            "--dport" | "--dports" => self.rule.port = list(&value).ok_or_else(fault)?,
            "--sport" | "--sports" => self.rule.source_port = list(&value).ok_or_else(fault)?,
            "--state" | "--ctstate" => {
                self.rule.state = states(value.split(',')).ok_or_else(fault)?;
            }
            "--icmp-type" | "--icmpv6-type" => {
                if !value.chars().all(|c| c.is_ascii_digit()) {
                    return Err(fault());
                }
                self.rule.icmp_type = Some(icmp_type(self.rule.family, &value).unwrap_or(value));
            }
            "--mark" => self.rule.mark = Some(marked(&value).ok_or_else(fault)?),
            "--limit" => self.rule.limit = Some(limit(&value).ok_or_else(fault)?),
            "--limit-burst" if value == "5" => {}
            "--dst-type" if value == "LOCAL" => self.rule.local = true,
            _ => return Err(fault()),
        }
        Ok(())
    }

    fn address(&mut self, word: &str, not: bool) -> Result<(), String> {
        let value = self.value(word)?;
        let item = range(&value).ok_or_else(|| format!("`{word} {value}`"))?;
        let those = AddressMatch { not, items: vec![item] };
        let field = if word.contains('s') && word != "--dst-range" {
            &mut self.rule.source
        } else {
            &mut self.rule.destination
        };
        if field.replace(those).is_some() { Err(format!("`{word}` twice")) } else { Ok(()) }
    }

    fn interface(&mut self, word: &str, not: bool) -> Result<(), String> {
        let value = self.value(word)?;
        if value == "+" {
            return if not { Err(format!("`! {word} +`")) } else { Ok(()) };
        }
        let name = value.strip_suffix('+').map_or(value.clone(), |stem| format!("{stem}*"));
        let field = if word == "-i" { &mut self.rule.input } else { &mut self.rule.output };
        *field = Some(IfMatch { not, names: vec![name] });
        Ok(())
    }

    fn target(&mut self) -> Result<Then, String> {
        let name = self.value("-j")?;
        let verdict = match name.as_str() {
            "ACCEPT" => Verdict::Accept,
            "DROP" => Verdict::Drop,
            "RETURN" => return self.end(Then::Return),
            "REJECT" => {
                let with = if self.eat("--reject-with") { Some(self.value("--reject-with")?) } else { None };
                let word = with.map(|with| reject(&with).map(str::to_owned).ok_or(format!("`--reject-with {with}`")));
                // The usual one needs no word.
                Verdict::Reject(word.transpose()?.filter(|word| word != "port-unreachable"))
            }
            "MASQUERADE" => Verdict::Masquerade,
            "SNAT" | "DNAT" => {
                let option = if name == "SNAT" { "--to-source" } else { "--to-destination" };
                let to = if self.eat(option) { self.value(option)? } else { String::new() };
                let there = target(&to).ok_or_else(|| format!("`-j {name} {option} {to}`"))?;
                if name == "SNAT" { Verdict::Snat(there) } else { Verdict::Dnat(there) }
            }
            "REDIRECT" => {
                let to = if self.eat("--to-ports") { Some(self.value("--to-ports")?) } else { None };
                let to = to.map(|to| ports(&to, '-').ok_or(format!("`--to-ports {to}`")));
                Verdict::Redirect(to.transpose()?)
            }
            "LOG" => {
                self.rule.log =
                    Some(if self.eat("--log-prefix") { self.value("--log-prefix")? } else { String::new() });
                return self.end(Then::Verdict);
            }
            "MARK" => {
                let value = if self.eat("--set-xmark") || self.eat("--set-mark") {
                    self.value("--set-xmark")?
                } else {
                    String::new()
                };
                let fault = || format!("`-j MARK {value}`");
                self.rule.set_mark = Some(marked(&value).filter(|(value, mask)| value & !mask == 0).ok_or_else(fault)?);
                return self.end(Then::Verdict);
            }
            // Whether there is such a chain, who knows the chains sees.
            chain => return self.end(Then::Jump(chain.to_owned())),
        };
        self.rule.verdict = Some(verdict);
        self.end(Then::Verdict)
    }
}

/// `80`, `80:90`, `22,80:90`.
fn list(text: &str) -> Option<Vec<(u16, u16)>> {
    text.split(',').map(|part| ports(part, ':')).collect()
}

/// `0x1/0xff`.
fn marked(text: &str) -> Option<(u32, u32)> {
    let number = |text: &str| {
        text.strip_prefix("0x").map_or_else(|| text.parse().ok(), |digits| u32::from_str_radix(digits, 16).ok())
    };
    match text.split_once('/') {
        Some((value, mask)) => Some((number(value)?, number(mask)?)),
        None => Some((number(text)?, u32::MAX)),
    }
}

/// `5/sec`.
fn limit(text: &str) -> Option<(u64, String)> {
    let (packets, unit) = text.split_once('/')?;
    let unit = ["second", "minute", "hour", "day"]
        .into_iter()
        .find(|word| !unit.is_empty() && word.starts_with(unit.trim_end_matches('s')))?;
    Some((packets.parse().ok()?, unit.to_owned()))
}

/// The answer of a REJECT in the word of the language. iptables says the usual one, too.
fn reject(with: &str) -> Option<&'static str> {
    Some(match with {
        "tcp-reset" => "tcp-reset",
        "icmp-net-unreachable" | "icmp6-no-route" => "net-unreachable",
        "icmp-host-unreachable" | "icmp6-addr-unreachable" => "host-unreachable",
        "icmp-port-unreachable" | "icmp6-port-unreachable" => "port-unreachable",
        "icmp-admin-prohibited" | "icmp6-adm-prohibited" => "admin-prohibited",
        _ => return None,
    })
}

/// nft's name of a type of ICMP, where it is an everyday one.
fn icmp_type(family: Option<Family>, number: &str) -> Option<String> {
    let word = match (family, number) {
        (Some(Family::V4), "0") | (Some(Family::V6), "129") => "echo-reply",
        (Some(Family::V4), "8") | (Some(Family::V6), "128") => "echo-request",
        (Some(Family::V4), "3") | (Some(Family::V6), "1") => "destination-unreachable",
        (Some(Family::V4), "11") | (Some(Family::V6), "3") => "time-exceeded",
        _ => return None,
    };
    Some(word.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::nft::rule;

    #[test]
    fn lines_become_what_nft_says() {
        for (line, nft) in [
            ("-s 10.0.0.0/24 ! -o br0 -j MASQUERADE", "oifname != \"br0\" ip saddr 10.0.0.0/24 masquerade"),
            (
                "! -i br0 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 10.0.0.2:80",
                "iifname != \"br0\" tcp dport 8080 dnat to 10.0.0.2:80",
            ),
            ("-m state --state RELATED,ESTABLISHED -j ACCEPT", "ct state established,related accept"),
            ("-m conntrack --ctstate NEW -j DROP", "ct state new drop"),
            ("-p tcp -m multiport --dports 22,80:90 -j ACCEPT", "tcp dport { 22, 80-90 } accept"),
            (
                "-p icmp -m icmp --icmp-type 8 -m limit --limit 5/sec -j ACCEPT",
                "icmp type echo-request limit rate 5/second accept",
            ),
            (
                "-i eth+ -m comment --comment \"a \\\"b\\\"\" -j REJECT --reject-with icmp-host-unreachable",
                "iifname \"eth*\" reject with icmp host-unreachable",
            ),
            (
                "-m mark --mark 0x1/0xff -j MARK --set-xmark 0x20/0xffffffff",
                "meta mark & 0x000000ff == 0x00000001 meta mark set 0x00000020",
            ),
            ("-p tcp -m tcp --dport 80 -j REDIRECT --to-ports 8080", "tcp dport 80 redirect to :8080"),
            ("-m addrtype --dst-type LOCAL -j LOG --log-prefix \"x \"", "fib daddr type local log prefix \"x \""),
        ] {
            let understood = read(line, Family::V4).unwrap_or_else(|why| panic!("{line}: {why}"));
            assert_eq!(rule(&understood.rule, "ip"), nft, "{line}");
        }
        assert_eq!(read("-i a -j MINE", Family::V4).unwrap().then, Then::Jump("MINE".to_owned()));
        assert_eq!(read("-j RETURN", Family::V6).unwrap().then, Then::Return);
    }

    #[test]
    fn what_has_no_word_is_said() {
        for line in [
            "-p tcp -m tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu",
            "-m set --match-set bad src -j DROP",
            "-p tcp -m tcp ! --dport 80 -j ACCEPT",
            "-j MASQUERADE --random",
            "-m conntrack --ctstate DNAT -j ACCEPT",
            "-s",
            "-j",
        ] {
            assert!(read(line, Family::V4).is_err(), "{line}");
        }
    }
}
