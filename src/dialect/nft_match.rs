//! What a rule of nft's goes by, and what it does to a packet besides its verdict.

use super::nft_words::Reader;
use super::packet_values::{ports, range};
use super::understood::states;
use crate::resource::{AddressMatch, Family, IfMatch};

impl Reader<'_> {
    /// A match, or what is done to a packet besides its verdict.
    pub(super) fn part(&mut self, word: &str) -> Result<(), String> {
        match word {
            "counter" => {
                self.rule.counter = true;
                if self.eat("packets") {
                    self.at += 3;
                } else if self.eat("name") {
                    return Err("a named counter".to_owned());
                }
                return Ok(());
            }
            "log" => return self.log(),
            "comment" => return self.value(word).map(|_| ()),
            "meta" if self.peek() == Some("mark") || self.peek() == Some("nfproto") => {}
            _ if self.acted => return Err(format!("`{word}` behind what is done to a packet")),
            _ => {}
        }
        match word {
            "meta" => self.meta(),
            "mark" => self.mark(),
            "iifname" | "oifname" | "iif" | "oif" => self.interface(word),
            "ip" | "ip6" => self.address(word),
            "tcp" | "udp" | "sctp" | "dccp" | "udplite" => self.transport(word),
            "icmp" | "icmpv6" => self.icmp(word),
            "ct" => self.state(),
            "limit" => self.limit(),
            "fib" => {
                let local = self.eat("daddr") && self.eat("type") && self.eat("local");
                self.rule.local = true;
                if local { Ok(()) } else { Err("this form of `fib`".to_owned()) }
            }
            other => Err(format!("`{other}`")),
        }
    }

    fn log(&mut self) -> Result<(), String> {
        self.acted = true;
        let mut prefix = String::new();
        loop {
            if self.eat("prefix") {
                prefix = self.value("log prefix")?.trim_start_matches('"').to_owned();
            } else if self.eat("level") {
                match self.value("log level")?.as_str() {
                    "warn" | "warning" => {}
                    level => return Err(format!("`log level {level}`")),
                }
            } else if matches!(self.peek(), Some("group" | "snaplen" | "queue-threshold" | "flags")) {
                return Err(format!("`log {}`", self.peek().unwrap_or_default()));
            } else {
                break;
            }
        }
        self.rule.log = Some(prefix);
        Ok(())
    }

    fn meta(&mut self) -> Result<(), String> {
        match self.value("meta")?.as_str() {
            "nfproto" => match self.value("nfproto")?.as_str() {
                "ipv4" => self.is_of(Family::V4),
                "ipv6" => self.is_of(Family::V6),
                other => Err(format!("`meta nfproto {other}`")),
            },
            "l4proto" => self.protocol("meta l4proto"),
            "mark" => self.mark(),
            word @ ("iifname" | "oifname" | "iif" | "oif") => self.interface(word),
            other => Err(format!("`meta {other}`")),
        }
    }

    fn protocol(&mut self, of: &str) -> Result<(), String> {
        match self.values(of)? {
            (false, values) if values.len() == 1 => self.speaks(&values.concat()),
            _ => Err(format!("a list for `{of}`")),
        }
    }

    fn speaks(&mut self, protocol: &str) -> Result<(), String> {
        let protocol = if protocol == "ipv6-icmp" { "icmpv6" } else { protocol };
        match &self.rule.protocol {
            Some(other) if other != protocol => Err("two protocols".to_owned()),
            _ => {
                self.rule.protocol = Some(protocol.to_owned());
                Ok(())
            }
        }
    }

    fn mark(&mut self) -> Result<(), String> {
        let number = |text: &str| {
            let hex = text.strip_prefix("0x").map(|digits| u32::from_str_radix(digits, 16).ok());
            hex.unwrap_or_else(|| text.parse().ok()).ok_or_else(|| format!("the mark `{text}`"))
        };
        if self.eat("set") {
            self.acted = true;
            let first = self.value("mark set")?;
            if first != "meta" && first != "mark" {
                self.rule.set_mark = Some((number(&first)?, u32::MAX));
                return Ok(());
            }
            if first == "meta" && !self.eat("mark") || !(self.eat("&") || self.eat("and")) {
                return Err("this form of `mark set`".to_owned());
            }
            let kept = number(&self.value("mark set")?)?;
            let value = if self.eat("|") || self.eat("or") { number(&self.value("mark set")?)? } else { 0 };
            // A bit that is set anyway may be kept or not.
            self.rule.set_mark = Some((value, !kept | value));
            return Ok(());
        }
        if self.acted || self.rule.mark.is_some() {
            return Err("a second match of the mark".to_owned());
        }
        let mask = if self.eat("&") || self.eat("and") { Some(number(&self.value("mark")?)?) } else { None };
        match self.values("mark")? {
            (false, values) if values.len() == 1 => {
                self.rule.mark = Some((number(&values.concat())?, mask.unwrap_or(u32::MAX)));
                Ok(())
            }
            _ => Err("a list of marks, or all but one".to_owned()),
        }
    }

    fn interface(&mut self, word: &str) -> Result<(), String> {
        let (not, values) = self.values(word)?;
        let names: Vec<String> = values.iter().map(|name| name.trim_start_matches('"').to_owned()).collect();
        let field = if word.starts_with('i') { &mut self.rule.input } else { &mut self.rule.output };
        match field {
            None => *field = Some(IfMatch { not, names }),
            Some(those) if those.not && not => those.names.extend(names),
            Some(_) => return Err(format!("`{word}` twice")),
        }
        Ok(())
    }

    fn address(&mut self, word: &str) -> Result<(), String> {
        let family = if word == "ip" { Family::V4 } else { Family::V6 };
        let what = self.value(word)?;
        match what.as_str() {
            "saddr" | "daddr" => {
                let (not, values) = self.values(&what)?;
                let items = values.iter().map(|text| range(text).ok_or_else(|| format!("`{what} {text}`")));
                let those = AddressMatch { not, items: items.collect::<Result<_, _>>()? };
                let field = if what == "saddr" { &mut self.rule.source } else { &mut self.rule.destination };
                if field.replace(those).is_some() {
                    return Err(format!("`{what}` twice"));
                }
            }
            "protocol" | "nexthdr" => self.protocol(&what)?,
            other => return Err(format!("`{word} {other}`")),
        }
        self.is_of(family)
    }

    fn transport(&mut self, protocol: &str) -> Result<(), String> {
        let what = self.value(protocol)?;
        if what != "dport" && what != "sport" {
            return Err(format!("`{protocol} {what}`"));
        }
        self.speaks(protocol)?;
        let (not, values) = self.values(&what)?;
        let list = values.iter().map(|text| ports(text, '-')).collect::<Option<Vec<_>>>();
        let field = if what == "dport" { &mut self.rule.port } else { &mut self.rule.source_port };
        match list {
            Some(list) if !not && field.is_empty() => *field = list,
            _ => return Err(format!("this form of `{protocol} {what}`")),
        }
        Ok(())
    }

    fn icmp(&mut self, protocol: &str) -> Result<(), String> {
        let what = self.value(protocol)?;
        self.speaks(protocol)?;
        self.is_of(if protocol == "icmp" { Family::V4 } else { Family::V6 })?;
        match (what.as_str(), self.values(&what)?) {
            ("type", (false, values)) if values.len() == 1 => {
                self.rule.icmp_type = Some(values.concat());
                Ok(())
            }
            _ => Err(format!("a list for `{protocol} {what}`")),
        }
    }

    fn state(&mut self) -> Result<(), String> {
        let what = self.value("ct")?;
        if what != "state" || self.peek() == Some("vmap") {
            return Err(format!("`ct {what} {}`", self.peek().unwrap_or_default()));
        }
        let (not, values) = self.values("ct state")?;
        let states = states(values.iter().map(String::as_str)).filter(|_| !not && self.rule.state.is_empty());
        self.rule.state = states.ok_or("this form of `ct state`")?;
        Ok(())
    }

    fn limit(&mut self) -> Result<(), String> {
        let fault = || "this form of `limit`".to_owned();
        if !self.eat("rate") {
            return Err(fault());
        }
        let rate = self.value("limit")?;
        let (packets, unit) = rate.split_once('/').ok_or_else(fault)?;
        // nft says its own burst where it is the usual one, too.
        if self.eat("burst") && (self.value("burst")? != "5" || !self.eat("packets")) {
            return Err("a `burst` of another size than 5 packets".to_owned());
        }
        if self.rule.limit.is_some() || !["second", "minute", "hour", "day"].contains(&unit) {
            return Err(fault());
        }
        self.rule.limit = Some((packets.parse().map_err(|_| fault())?, unit.to_owned()));
        Ok(())
    }
}
