//! Policy rules.

use super::route::table_number;
use crate::linux::netlink::attributes::{Attributes, Writer, u8_at, u16_at, u32_at};
use crate::linux::netlink::socket::{CREATE, EXCLUSIVE, Refused, Socket};
use crate::linux::netns::context::Site;
use crate::resource::mark::PROTOCOL;
use crate::resource::{Family, Node, Raw, Rule, RuleAction, RuleKey, TableId};
use ipnet::IpNet;
use nix::libc;

pub const NEW: u16 = 32;
const DELETE: u16 = 33;
const GET: u16 = 34;
/// Length of `struct fib_rule_hdr`.
const HEAD: usize = 12;

// `FRA_*` of `include/uapi/linux/fib_rules.h`.
const DST: u16 = 1;
const SRC: u16 = 2;
const IIFNAME: u16 = 3;
const PRIORITY: u16 = 6;
const FWMARK: u16 = 10;
const SUPPRESS_PREFIXLEN: u16 = 14;
const TABLE: u16 = 15;
const FWMASK: u16 = 16;
const OIFNAME: u16 = 17;
const PAD: u16 = 18;
const L3MDEV: u16 = 19;
const PROTOCOL_OF: u16 = 21;
const IP_PROTO: u16 = 22;
const SPORT_RANGE: u16 = 23;
const DPORT_RANGE: u16 = 24;
const SPORT_MASK: u16 = 28;
const DPORT_MASK: u16 = 29;

/// The attributes that have a field, or say nothing.
const KNOWN: [u16; 14] = [
    DST,
    SRC,
    IIFNAME,
    PRIORITY,
    FWMARK,
    TABLE,
    FWMASK,
    OIFNAME,
    PAD,
    L3MDEV,
    PROTOCOL_OF,
    IP_PROTO,
    SPORT_RANGE,
    DPORT_RANGE,
];
/// `FIB_RULE_INVERT`, of the flags in the head.
const INVERT: u32 = 2;

/// `RTPROT_KERNEL`.
const KERNEL: u8 = 2;
// `FR_ACT_*`.
const TO_TABLE: u8 = 1;
const BLACKHOLE: u8 = 6;
const UNREACHABLE: u8 = 7;
const PROHIBIT: u8 = 8;

/// A rule as the kernel reports it.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Who put it there (`FRA_PROTOCOL`).
    pub protocol: u8,
    /// The rule.
    pub rule: Rule,
}

/// All rules of the socket's namespace, of both families.
///
/// # Errors
///
/// The kernel's refusal, with its errno and its own text.
pub fn dump(socket: &Socket, node: &Node) -> Result<Vec<Seen>, Refused> {
    let messages = socket.dump(GET, Writer::new(&[0; HEAD]).bytes())?;
    Ok(messages.iter().filter(|message| message.kind == NEW).filter_map(|message| parse(&message.body, node)).collect())
}

/// Reads `RTM_NEWRULE`; `None` for other families.
pub fn parse(body: &[u8], node: &Node) -> Option<Seen> {
    let family = match i32::from(u8_at(body, 0)?) {
        libc::AF_INET => Family::V4,
        libc::AF_INET6 => Family::V6,
        _ => return None,
    };
    let attributes = Attributes::after(body, HEAD);
    let net =
        |kind, length: Option<u8>| attributes.ip(kind).zip(length).and_then(|(ip, length)| IpNet::new(ip, length).ok());
    let range = |kind| {
        let bytes = attributes.get(kind)?;
        Some((u16_at(bytes, 0)?, u16_at(bytes, 2)?))
    };
    let table = attributes.u32(TABLE).or_else(|| u8_at(body, 4).map(u32::from))?;
    let action = match u8_at(body, 7)? {
        TO_TABLE if attributes.u8(L3MDEV) == Some(1) => RuleAction::L3mdev,
        TO_TABLE => RuleAction::Table(TableId::Number(table)),
        BLACKHOLE => RuleAction::Blackhole,
        UNREACHABLE => RuleAction::Unreachable,
        PROHIBIT => RuleAction::Prohibit,
        other => RuleAction::Other(other),
    };
    // The kernel leaves out a mark of 0 (`fib_nl_fill_rule`), which with a mask is one.
    let fwmark = match (attributes.u32(FWMARK), attributes.u32(FWMASK)) {
        (None, None) => None,
        (mark, mask) => Some((mark.unwrap_or(0), mask.unwrap_or(u32::MAX))),
    };
    let protocol = attributes.u8(PROTOCOL_OF).unwrap_or(0);
    let key = RuleKey {
        family,
        priority: attributes.u32(PRIORITY).unwrap_or(0),
        from: net(SRC, u8_at(body, 2)),
        to: net(DST, u8_at(body, 1)),
        iif: attributes.text(IIFNAME).map(Into::into),
        oif: attributes.text(OIFNAME).map(Into::into),
        fwmark: fwmark.filter(|(mark, mask)| *mark != 0 || *mask != 0),
        protocol: attributes.u8(IP_PROTO).filter(|protocol| *protocol != 0),
        port: range(DPORT_RANGE),
        source_port: range(SPORT_RANGE),
        action,
        invert: u32_at(body, 8)? & INVERT != 0,
        tos: u8_at(body, 3)?,
        raw: raw(attributes),
    };
    Some(Seen {
        protocol,
        rule: Rule { node: node.clone(), key, kernel: protocol == KERNEL, marked: protocol == PROTOCOL, protocol },
    })
}

/// What topo has no field for. The kernel says of every rule that it suppresses prefixes of no length, and of a single
/// port that all its bits count.
fn raw(attributes: Attributes<'_>) -> Raw {
    let nothing = |number, value: &[u8]| {
        [SUPPRESS_PREFIXLEN, SPORT_MASK, DPORT_MASK].contains(&number) && value.iter().all(|byte| *byte == 0xff)
    };
    let rest = attributes.filter(|(number, value)| !KNOWN.contains(number) && !nothing(*number, value));
    Raw(rest.map(|(number, value)| (number, value.to_vec())).collect())
}

pub(super) fn message(rule: &Rule, protocol: u8) -> Result<Writer, Refused> {
    let key = &rule.key;
    let (action, table) = match &key.action {
        RuleAction::Table(table) => (TO_TABLE, table_number(table)?),
        RuleAction::L3mdev => (TO_TABLE, 0),
        RuleAction::Blackhole => (BLACKHOLE, 0),
        RuleAction::Unreachable => (UNREACHABLE, 0),
        RuleAction::Prohibit => (PROHIBIT, 0),
        RuleAction::Other(number) => (*number, 0),
    };
    let family = if key.family == Family::V4 { libc::AF_INET } else { libc::AF_INET6 };
    let length = |net: &Option<IpNet>| net.map_or(0, |net| net.prefix_len());
    let family = u8::try_from(family).unwrap_or(0);
    let small = u8::try_from(table).unwrap_or(0);
    let [f0, f1, f2, f3] = if key.invert { INVERT } else { 0 }.to_ne_bytes();
    let mut body =
        Writer::new(&[family, length(&key.to), length(&key.from), key.tos, small, 0, 0, action, f0, f1, f2, f3]);
    body.u32(PRIORITY, key.priority);
    if protocol != 0 {
        body.u8(PROTOCOL_OF, protocol);
    }
    match key.action {
        // Beside a table it would be refused.
        RuleAction::L3mdev => _ = body.u8(L3MDEV, 1),
        RuleAction::Table(_) => _ = body.u32(TABLE, table),
        _ => {}
    }
    for (kind, net) in [(SRC, key.from), (DST, key.to)] {
        if let Some(net) = net {
            body.ip(kind, net.addr());
        }
    }
    for (kind, name) in [(IIFNAME, &key.iif), (OIFNAME, &key.oif)] {
        if let Some(name) = name {
            body.text(kind, name.as_str());
        }
    }
    if let Some((mark, mask)) = key.fwmark {
        body.u32(FWMARK, mark).u32(FWMASK, mask);
    }
    if let Some(protocol) = key.protocol {
        body.u8(IP_PROTO, protocol);
    }
    for (kind, ports) in [(SPORT_RANGE, key.source_port), (DPORT_RANGE, key.port)] {
        if let Some((low, high)) = ports {
            body.put(kind, &[low.to_ne_bytes(), high.to_ne_bytes()].concat());
        }
    }
    for (kind, value) in &key.raw.0 {
        body.put(*kind, value);
    }
    Ok(body)
}

fn protocol(rule: &Rule) -> u8 {
    match (rule.kernel, rule.marked) {
        (true, _) => KERNEL,
        (false, true) => PROTOCOL,
        (false, false) => rule.protocol,
    }
}

/// Adds a rule.
///
/// # Errors
///
/// `EEXIST` if it is there already, else the kernel's refusal.
pub fn create(site: &Site<'_>, rule: &Rule) -> Result<(), Refused> {
    site.ask(NEW, CREATE | EXCLUSIVE, &message(rule, protocol(rule))?)
}

/// Removes a rule: the one with this mark, or the one without.
///
/// # Errors
///
/// `ENOENT`, `ESRCH` or `ENODEV` if it is not there, else the kernel's refusal.
pub fn delete(site: &Site<'_>, rule: &Rule) -> Result<(), Refused> {
    site.ask(DELETE, 0, &message(rule, protocol(rule))?)
}

/// Puts a rule with another mark in the place of one: the new one is there before the old one goes, so that there is no
/// moment without either.
///
/// # Errors
///
/// The kernel's refusal, with its errno and its own text; the new one is taken away again then.
pub fn update(site: &Site<'_>, before: &Rule, after: &Rule) -> Result<(), Refused> {
    match create(site, after) {
        // An undo finds both where a run was cut off between the two.
        Err(refused) if refused.errno == libc::EEXIST && !after.marked => {}
        Err(refused) if refused.errno == libc::EEXIST => return Err(refused),
        // It may be there all the same.
        created => created.inspect_err(|_| _ = delete(site, after))?,
    }
    delete(site, before).inspect_err(|_| _ = delete(site, after))
}

/// Whether a rule of the kernel has the form of those that every namespace has; others stay out of sight.
pub fn is_plain(rule: &Rule) -> bool {
    let RuleAction::Table(TableId::Number(table @ 253..=255)) = rule.key.action else { return false };
    rule.key == Rule::plain(&rule.node, rule.key.family, rule.key.priority, table).key
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule() -> Rule {
        let net = |text: &str| Some(text.parse().unwrap());
        let key = RuleKey {
            from: net("10.0.0.0/24"),
            to: net("10.1.0.0/16"),
            iif: Some("eth0".into()),
            fwmark: Some((0, 0xff)),
            protocol: Some(6),
            port: Some((80, 90)),
            invert: true,
            tos: 0x10,
            raw: Raw([(20, vec![0, 0, 0, 0, 99, 0, 0, 0])].into()),
            ..RuleKey::all(Family::V4, 100, RuleAction::Table(TableId::Number(1000)))
        };
        Rule { node: "RED".into(), key, kernel: false, marked: true, protocol: PROTOCOL }
    }

    #[test]
    fn a_rule_comes_back_as_it_went() {
        let message = message(&rule(), PROTOCOL).unwrap_or_default();
        assert_eq!(parse(message.bytes(), &"RED".into()).unwrap().rule, rule());
    }

    #[test]
    fn every_truncation_is_survived() {
        let message = message(&rule(), PROTOCOL).unwrap_or_default();
        for cut in 0..message.bytes().len() {
            let _ = parse(&message.bytes()[..cut], &"RED".into());
        }
    }
}
