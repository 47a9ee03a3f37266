//! Rules of iptables as `iptables-nft-save` and `ip6tables-nft-save` print them: nft's listing has no more of their
//! extensions than a name.

use super::outcome::By;
use super::ruleset::{Action, Match, Rule};
use crate::dialect::iptables_read::words;
use crate::dialect::protocol::protocol_number;
use crate::resource::{AddressRange, Target};
use ipnet::IpNet;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// The rules of the chains of a listing, by table and chain, in order.
pub type Saved = BTreeMap<(String, String), Vec<String>>;

/// Reads what `iptables-nft-save` printed.
pub fn read(text: &str) -> Saved {
    let mut saved = Saved::new();
    let mut table = String::new();
    for line in text.lines() {
        if let Some(name) = line.strip_prefix('*') {
            name.clone_into(&mut table);
        } else if let Some(rule) = line.strip_prefix("-A ")
            && let Some((chain, rest)) = rule.split_once(' ')
        {
            saved.entry((table.clone(), chain.to_owned())).or_default().push(rest.to_owned());
        }
    }
    saved
}

/// A rule of a chain; what of it is not known makes it one that may be for a packet or not.
pub fn rule(place: &str, line: &str) -> Rule {
    let by = By::text(format!("{place}: {line}"));
    let words = words(line);
    let mut words = words.iter().map(String::as_str);
    let mut rule = Rule { matches: Vec::new(), actions: Vec::new(), by };
    let mut not = false;
    while let Some(word) = words.next() {
        let mut value = || words.next().unwrap_or_default();
        let part = match word {
            "!" => {
                not = true;
                continue;
            }
            "-m" => {
                value();
                continue;
            }
            "--comment" | "--reject-with" | "--log-prefix" | "--log-level" => {
                value();
                continue;
            }
            "-s" | "-d" => addresses(word == "-s", not, value()),
            "-i" => Some(Match::Input(not, vec![value().replace('+', "*")])),
            "-o" => Some(Match::Output(not, vec![value().replace('+', "*")])),
            "-p" => number(value()).map(|number| Match::Protocol(not, vec![number])),
            "--dport" | "--dports" => ports(value()).map(|ports| Match::Port(not, ports)),
            "--sport" | "--sports" => ports(value()).map(|ports| Match::SourcePort(not, ports)),
            "--ctstate" | "--state" => Some(Match::State(not, value().split(',').map(str::to_lowercase).collect())),
            "--dst-type" => Some(value()).filter(|kind| *kind == "LOCAL").map(|_| Match::Local(!not)),
            "--icmp-type" | "--icmpv6-type" => {
                Some(Match::Icmp(not, vec![value().split('/').next().unwrap_or_default().to_owned()]))
            }
            "-j" | "-g" => {
                let target = value();
                rule.actions.extend(act(word == "-g", target));
                continue;
            }
            "--to-destination" => {
                rule.actions = vec![Action::Dnat(target(value()))];
                continue;
            }
            "--to-source" => {
                rule.actions = vec![Action::Snat(target(value()))];
                continue;
            }
            "--to-ports" => {
                let port = value().parse().ok();
                let redirect = matches!(rule.actions.as_slice(), [Action::Redirect(_)]);
                rule.actions =
                    vec![port.filter(|_| redirect).map_or(Action::Unknown, |port| Action::Redirect(Some(port)))];
                continue;
            }
            _ => None,
        };
        rule.matches.push(part.unwrap_or(Match::Unknown));
        not = false;
    }
    rule
}

fn act(goto: bool, target: &str) -> Option<Action> {
    Some(match target {
        "ACCEPT" => Action::Accept,
        "DROP" => Action::Drop,
        "REJECT" => Action::Reject,
        "RETURN" => Action::Return,
        "MASQUERADE" => Action::Masquerade,
        "REDIRECT" => Action::Redirect(None),
        "DNAT" | "SNAT" => Action::Unknown,
        "LOG" | "NFLOG" | "TRACE" | "CHECKSUM" | "TCPMSS" => return None,
        "NOTRACK" => Action::Untrack,
        name if name.chars().all(|c| c.is_ascii_uppercase()) && KNOWN.contains(&name) => Action::Unknown,
        name if goto => Action::Goto(name.to_owned()),
        name => Action::Jump(name.to_owned()),
    })
}

/// Targets of iptables(8) extensions that are no chains.
const KNOWN: [&str; 12] =
    ["MARK", "CONNMARK", "CT", "NETMAP", "TPROXY", "CLASSIFY", "DSCP", "TOS", "TTL", "HL", "SET", "NFQUEUE"];

fn number(word: &str) -> Option<u8> {
    protocol_number(if word == "ipv6-icmp" { "icmpv6" } else { word })
}

fn addresses(source: bool, not: bool, word: &str) -> Option<Match> {
    let net: IpNet = word.parse().ok().or_else(|| word.parse::<IpAddr>().ok().map(IpNet::from))?;
    let ranges = vec![AddressRange::Prefix(net.trunc())];
    Some(if source { Match::Source(not, ranges) } else { Match::Destination(not, ranges) })
}

fn ports(word: &str) -> Option<Vec<(u16, u16)>> {
    let range = |part: &str| {
        let (first, last) = part.split_once(':').unwrap_or((part, part));
        Some((first.parse().ok()?, last.parse().ok()?))
    };
    word.split(',').map(range).collect()
}

/// `ADDRESS`, `ADDRESS:PORT`, `[ADDRESS]:PORT`.
fn target(word: &str) -> Option<Target> {
    if let Ok(address) = word.parse::<IpAddr>() {
        return Some(Target { address, last: None, port: None });
    }
    let end: std::net::SocketAddr = word.parse().ok()?;
    Some(Target { address: end.ip(), last: None, port: Some((end.port(), end.port())) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_of_docker() {
        let text = "*nat\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER\n-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE\n-A DOCKER ! -i docker0 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.17.0.2:80\nCOMMIT\n";
        let saved = read(text);
        let of = |chain: &str| rule("ip nat", &saved[&("nat".to_owned(), chain.to_owned())][0]);
        assert_eq!(of("PREROUTING").matches, [Match::Local(true)]);
        assert_eq!(of("PREROUTING").actions, [Action::Jump("DOCKER".to_owned())]);
        assert_eq!(of("POSTROUTING").actions, [Action::Masquerade]);
        let dnat = of("DOCKER");
        assert_eq!(dnat.matches.first(), Some(&Match::Input(true, vec!["docker0".to_owned()])));
        assert_eq!(dnat.matches.last(), Some(&Match::Port(false, vec![(8080, 8080)])));
        assert!(matches!(dnat.actions.as_slice(), [Action::Dnat(Some(target))] if target.port == Some((80, 80))));
        let odd = rule("ip filter", "-m recent --set -m comment --comment \"a \\\"b\\\" -j ACCEPT\" -j DROP");
        assert!(odd.matches.contains(&Match::Unknown));
        assert_eq!(odd.actions, [Action::Drop]);
    }
}
