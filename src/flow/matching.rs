//! Whether a rule is for a packet, and what a chain makes of one.

use super::outcome::By;
use super::packet::{Packet, Part, Protocol};
use super::ruleset::{Action, BaseChain, Match, Rule, Ruleset};
use crate::resource::{AddressRange, Family};
use std::net::IpAddr;

/// What connection tracking says of a packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tracked {
    /// The first of a connection.
    New,
    /// One of a connection that was answered.
    Established,
    /// None of any connection.
    Invalid,
    /// Connections are not tracked.
    Untracked,
}

impl Tracked {
    fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Established => "established",
            Self::Invalid => "invalid",
            Self::Untracked => "untracked",
        }
    }
}

/// What a rule knows of a packet.
#[derive(Clone, Debug)]
pub struct Context<'a> {
    /// The interface that it came in by.
    pub input: Option<&'a str>,
    /// The interface that it leaves by.
    pub output: Option<&'a str>,
    /// Whether its destination is an address of the node.
    pub local: bool,
    /// Its connection.
    pub tracked: Tracked,
    /// Whether that gives it another source, and another destination.
    pub translated: (bool, bool),
}

/// What a chain makes of a packet.
#[derive(Clone, Debug, PartialEq)]
pub enum Ruling {
    /// It goes on.
    Pass,
    /// It ends in silence.
    Drop(By),
    /// It ends with an answer.
    Reject(By),
    /// Its addresses are changed.
    Translate(Action, By),
    /// It depends on what is not known.
    Unknown(By),
}

/// How many rules a packet is judged by at most: chains that jump in circles are refused by the kernel, and those that
/// fan out are not.
const MOST: usize = 200_000;

/// What a chain with a hook makes of a packet, whose mark it may change.
pub fn judge(rules: &Ruleset, chain: &BaseChain, packet: &mut Packet, context: &Context<'_>) -> Ruling {
    let mut judge = Judge { rules, chain, context, left: MOST };
    match judge.run(&chain.rules, packet, 0) {
        Way::Ruled(ruling) => ruling,
        Way::Accepted => Ruling::Pass,
        Way::Fell if chain.drop => Ruling::Drop(chain.policy.clone()),
        Way::Fell => Ruling::Pass,
    }
}

/// How a packet comes out of a list of rules.
#[derive(Clone, Debug, PartialEq)]
enum Way {
    /// No rule decided.
    Fell,
    /// It goes on behind the chain with the hook.
    Accepted,
    /// That is what becomes of it.
    Ruled(Ruling),
}

struct Judge<'a> {
    rules: &'a Ruleset,
    chain: &'a BaseChain,
    context: &'a Context<'a>,
    left: usize,
}

/// The kernel's `NFT_JUMP_STACK_SIZE`.
const DEEPEST: usize = 16;

impl Judge<'_> {
    fn run(&mut self, rules: &[Rule], packet: &mut Packet, depth: usize) -> Way {
        for (at, rule) in rules.iter().enumerate() {
            self.left = self.left.saturating_sub(1);
            if self.left == 0 || depth > DEEPEST {
                return Way::Ruled(Ruling::Unknown(rule.by.clone()));
            }
            match fits(rule, packet, self.context) {
                Some(false) => {}
                Some(true) => {
                    if let Some(way) = self.act(rule, packet, depth) {
                        return way;
                    }
                }
                None => return self.either(rule, rules.get(at + 1..).unwrap_or_default(), packet, depth),
            }
        }
        Way::Fell
    }

    /// Where it is not known whether a rule is for a packet, both ways are gone: where they agree, it does not matter.
    fn either(&mut self, rule: &Rule, rest: &[Rule], packet: &mut Packet, depth: usize) -> Way {
        let mut without = packet.clone();
        let taken = self.act(rule, packet, depth);
        let mut with = packet.clone();
        let other = self.run(rest, &mut without, depth);
        let taken = match taken {
            Some(way) => way,
            None if with == without => return other,
            None => self.run(rest, &mut with, depth),
        };
        if with.mark != without.mark {
            with.mark = None;
        }
        *packet = with;
        if alike(&taken, &other) { other } else { Way::Ruled(Ruling::Unknown(rule.by.clone())) }
    }

    /// Does what a rule does; `None` where the next rule follows.
    fn act(&mut self, rule: &Rule, packet: &mut Packet, depth: usize) -> Option<Way> {
        for action in &rule.actions {
            let by = || rule.by.clone();
            match action {
                Action::Accept => return Some(Way::Accepted),
                Action::Drop => return Some(Way::Ruled(Ruling::Drop(by()))),
                Action::Reject => return Some(Way::Ruled(Ruling::Reject(by()))),
                Action::Return => return Some(Way::Fell),
                Action::Jump(name) | Action::Goto(name) => {
                    let key = (self.chain.family.clone(), self.chain.table.clone(), name.clone());
                    let rules = self.rules;
                    let way = match rules.named.get(&key) {
                        Some(rules) => self.run(rules, packet, depth + 1),
                        None => Way::Ruled(Ruling::Unknown(by())),
                    };
                    if way != Way::Fell || matches!(action, Action::Goto(_)) {
                        return Some(way);
                    }
                }
                Action::Mark(value, mask) => packet.mark = packet.mark.map(|mark| mark & !mask | value),
                Action::Untrack => {}
                Action::Dnat(_) | Action::Snat(_) | Action::Masquerade | Action::Redirect(_) => {
                    return Some(Way::Ruled(Ruling::Translate(action.clone(), by())));
                }
                Action::Unknown => return Some(Way::Ruled(Ruling::Unknown(by()))),
            }
        }
        None
    }
}

/// Whether two ways come to the same for who asks whether a packet gets through.
fn alike(one: &Way, other: &Way) -> bool {
    let stops = |way: &Way| matches!(way, Way::Ruled(Ruling::Drop(_) | Ruling::Reject(_)));
    match (one, other) {
        (Way::Ruled(Ruling::Translate(one, _)), Way::Ruled(Ruling::Translate(other, _))) => one == other,
        _ => one == other || stops(one) && stops(other),
    }
}

/// Whether a rule is for a packet; `None` where that is not known.
fn fits(rule: &Rule, packet: &Packet, context: &Context<'_>) -> Option<bool> {
    let mut all = Some(true);
    for part in &rule.matches {
        match fit(part, packet, context) {
            Some(true) => {}
            Some(false) => return Some(false),
            None => all = None,
        }
    }
    all
}

fn fit(part: &Match, packet: &Packet, context: &Context<'_>) -> Option<bool> {
    let any = |not: &bool, found: bool| Some(found != *not);
    match part {
        Match::Input(not, names) => any(not, context.input.is_some_and(|name| named(names, name))),
        Match::Output(not, names) => any(not, context.output.is_some_and(|name| named(names, name))),
        // An address of the other family is no answer to either: the rule says by its addresses for which it is.
        Match::Source(not, ranges) => {
            of_family(ranges, packet).then(|| within(ranges, packet.source) != *not).or(Some(false))
        }
        Match::Destination(not, ranges) => {
            of_family(ranges, packet).then(|| within(ranges, packet.destination) != *not).or(Some(false))
        }
        Match::Local(wanted) => Some(context.local == *wanted),
        Match::Protocol(not, numbers) => any(not, numbers.contains(&packet.protocol_number())),
        Match::Port(not, ports) => Some(packet.protocol.has_ports() && inside(ports, packet.port) != *not),
        Match::SourcePort(not, ports) => Some(packet.protocol.has_ports() && inside(ports, packet.source_port) != *not),
        Match::Icmp(not, kinds) => {
            Some(packet.protocol == Protocol::Icmp && kinds.iter().any(|kind| is_type(kind, packet)) != *not)
        }
        Match::State(not, states) => any(not, states.iter().any(|state| state == context.tracked.word())),
        Match::Translated(not, words) => {
            let (source, destination) = context.translated;
            any(not, words.iter().any(|word| source && word == "snat" || destination && word == "dnat"))
        }
        Match::Mark(not, value, mask) => packet.mark.map(|mark| (mark & mask == *value) != *not),
        Match::Family(family) => Some(packet.family() == *family),
        Match::Unknown => None,
    }
}

fn named(names: &[String], name: &str) -> bool {
    let same = |wanted: &String| match wanted.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => name == wanted,
    };
    names.iter().any(same)
}

fn of_family(ranges: &[AddressRange], packet: &Packet) -> bool {
    let first = ranges.first().map(|range| match range {
        AddressRange::Prefix(net) => net.addr(),
        AddressRange::Range(first, _) => *first,
    });
    first.is_none_or(|first| first.is_ipv4() == (packet.family() == Family::V4))
}

fn within(ranges: &[AddressRange], address: IpAddr) -> bool {
    ranges.iter().any(|range| match range {
        AddressRange::Prefix(net) => net.contains(&address),
        AddressRange::Range(first, last) => {
            first.is_ipv4() == address.is_ipv4() && *first <= address && address <= *last
        }
    })
}

fn inside(ranges: &[(u16, u16)], port: u16) -> bool {
    ranges.iter().any(|(first, last)| (*first..=*last).contains(&port))
}

fn is_type(kind: &str, packet: &Packet) -> bool {
    let (name, number) = match (packet.part, packet.family()) {
        (Part::Request | Part::Data, Family::V4) => ("echo-request", "8"),
        (Part::Answer, Family::V4) => ("echo-reply", "0"),
        (Part::Request | Part::Data, Family::V6) => ("echo-request", "128"),
        (Part::Answer, Family::V6) => ("echo-reply", "129"),
        (Part::Solicit, _) => ("nd-neighbor-solicit", "135"),
        (Part::Advert, _) => ("nd-neighbor-advert", "136"),
    };
    kind == name || kind == number
}
