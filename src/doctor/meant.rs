//! The flows that a file evidently means: its checks, neighbours on a segment, what is behind its gateways, and the
//! ports that it publishes.

use super::address_book::Book;
use crate::flow::packet::Protocol;
use crate::flow::segment;
use crate::flow::{Question, World};
use crate::resource::probe::{Check, HttpHost, Probe};
use crate::resource::{
    Address, AddressRange, Family, Link, LinkId, Node, Origin, PacketRule, Resource, ResourceId, Route, RouteKind,
    State, TableId, TableRule, Tenure, Verdict,
};
use ipnet::IpNet;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The most flows that are followed besides those of checks.
pub const MOST_FLOWS: usize = 512;
/// In a file with more nodes than these only some of what is behind a gateway is asked for.
const SMALL: usize = 12;
/// How much of it.
const SOME: usize = 2;
/// Addresses that stand for the outside: of the networks for documentation (RFC 5737, RFC 3849).
const OUTSIDE: [IpAddr; 2] =
    [IpAddr::V4(Ipv4Addr::new(198, 51, 100, 1)), IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0xffff, 0, 0, 0, 0, 1))];

/// Why a flow is meant.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Why {
    /// A check of the file expects it to work.
    Check,
    /// A port that the file publishes.
    Published,
    /// Both are on one segment, in one subnet.
    Segment,
    /// A route over a gateway leads there.
    Route,
    /// A default route over a gateway leads there.
    Default,
    /// A default route leads to the outside.
    Outside,
}

/// Who sends.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Sender {
    /// The node of the question.
    Node,
    /// The outside: it comes in by this interface.
    Outside(LinkId),
}

/// A flow that a file means.
#[derive(Clone, Debug)]
pub struct Meant {
    /// Why.
    pub why: Why,
    /// Who sends.
    pub sender: Sender,
    /// The packet.
    pub question: Question,
    /// Whether an answer has to come back.
    pub answered: bool,
    /// Where it goes, in words.
    pub to: String,
    /// What of the file means it.
    pub about: Option<ResourceId>,
    /// Where that stands, of a check.
    pub origin: Option<Origin>,
}

impl Meant {
    fn new(why: Why, question: Question, to: impl Into<String>) -> Self {
        let to = to.into();
        Self { why, sender: Sender::Node, question, answered: true, to, about: None, origin: None }
    }

    fn ping(why: Why, from: &Node, to: IpAddr, words: impl Into<String>) -> Self {
        Self::new(why, Question::new(from.clone(), to, Protocol::Icmp, 0), words)
    }
}

/// The flows that `wanted` and its checks mean, at most `most` besides those of checks; and how many more there are.
pub fn meant(wanted: &State, checks: &[Check], world: &World<'_>, most: usize) -> (Vec<Meant>, usize) {
    let book = Book::of(wanted);
    let mut all: Vec<Meant> = checks.iter().filter(|check| check.expect).filter_map(of_check).collect();
    let of_checks = all.len();
    all.extend(published(wanted, world));
    all.extend(segments(&book, world));
    all.extend(routes(wanted, &book, &uplinks(wanted, world)));
    let mut met = HashSet::new();
    all.retain(|meant| {
        let question = &meant.question;
        met.insert((
            question.from.clone(),
            question.to,
            question.protocol.number(Family::V4),
            question.port,
            question.size,
        ))
    });
    let more = all.len().saturating_sub(of_checks + most);
    all.truncate(of_checks + most);
    (all, more)
}

/// The packet of a check.
fn of_check(check: &Check) -> Option<Meant> {
    let (to, protocol, port, answered) = match &check.probe {
        Probe::Ping { to, .. } => (*to, Protocol::Icmp, 0, true),
        Probe::Tcp { to } => (to.ip(), Protocol::Tcp, to.port(), true),
        Probe::Udp { to, reply, .. } => (to.ip(), Protocol::Udp, to.port(), *reply),
        Probe::Http { host: HttpHost::Address(to), port, .. } => (*to, Protocol::Tcp, *port, true),
        Probe::Dns { server: Some(server), .. } => (server.ip(), Protocol::Udp, server.port(), true),
        Probe::Http { .. } | Probe::Dns { .. } | Probe::Command { .. } => return None,
    };
    let mut question = Question::new(check.from.clone(), to, protocol, port);
    if let Probe::Ping { size, .. } = &check.probe {
        // The heads of IP and ICMP, or of IPv6 and ICMPv6.
        let head = if to.is_ipv4() { 28 } else { 48 };
        question.size = u32::try_from(*size).ok().map(|size| size.saturating_add(head));
    }
    let meant = Meant::new(Why::Check, question, to.to_string());
    Some(Meant { answered, origin: Some(check.origin.clone()), ..meant })
}

/// Who is on one segment and in one subnet, each with the next.
fn segments(book: &Book<'_>, world: &World<'_>) -> Vec<Meant> {
    let mut met: HashSet<(LinkId, bool)> = HashSet::new();
    let mut all = Vec::new();
    for address in &book.all {
        let four = address.address.addr().is_ipv4();
        if met.contains(&(address.link.clone(), four)) {
            continue;
        }
        let Some(link) = world.state.link(&address.link) else { continue };
        let family = if four { Family::V4 } else { Family::V6 };
        let heard = segment::hear(world, link, family).arrivals;
        let members: HashSet<LinkId> =
            heard.into_iter().map(|arrival| arrival.link).chain([address.link.clone()]).collect();
        met.extend(members.iter().map(|member| (member.clone(), four)));
        let mut subnets: BTreeMap<IpNet, Vec<(&Node, IpAddr)>> = BTreeMap::new();
        for other in book.all.iter().filter(|other| members.contains(&other.link)) {
            let to = other.address.addr();
            if to.is_ipv4() == four {
                subnets.entry(other.subnet()).or_default().push((&other.link.node, to));
            }
        }
        for (_, mut group) in subnets {
            // The host is no neighbour that has to answer: it is who carries the others' packets.
            group.retain(|(node, _)| !node.is_host());
            group.dedup_by_key(|(node, _)| *node);
            let next = group.iter().skip(1).chain(group.first().filter(|_| group.len() > 2));
            let pairs = group.iter().zip(next).filter(|((from, _), (node, _))| from != node);
            all.extend(pairs.map(|((from, _), (node, to))| Meant::ping(Why::Segment, from, *to, node.short())));
        }
    }
    all
}

/// What is behind the gateways of routes.
fn routes(wanted: &State, book: &Book<'_>, uplinks: &[IpAddr]) -> Vec<Meant> {
    let some = if wanted.namespaces().count() <= SMALL { usize::MAX } else { SOME };
    let mut all = Vec::new();
    for resource in wanted.resources() {
        let Resource::Route(route) = resource else { continue };
        if !leads_over_a_gateway(route) || wanted.has_vrf(&route.node) {
            continue;
        }
        let to = &route.key.to;
        let why = if to.prefix_len() == 0 { Why::Default } else { Why::Route };
        let about = Some(route.id());
        // What a wider route leads to need not all be there, as with a default route.
        let narrow = |address: &Address| address.subnet().prefix_len() <= to.prefix_len();
        let of = |address: &Address| if narrow(address) { why } else { Why::Default };
        let behind = book.within(&route.node, to).take(some);
        all.extend(behind.map(|address| Meant {
            about: about.clone(),
            ..Meant::ping(of(address), &route.node, address.address.addr(), address.link.node.short())
        }));
        let outside = OUTSIDE.iter().chain(uplinks).filter(|outside| why == Why::Default && to.contains(*outside));
        all.extend(outside.filter(|_| !route.node.is_host()).map(|outside| Meant {
            about: about.clone(),
            ..Meant::ping(Why::Outside, &route.node, *outside, "the outside")
        }));
    }
    // What is outside comes last: the nodes of the file are more to the point.
    all.sort_by_key(|meant| meant.why == Why::Outside);
    all
}

/// An address behind each interface, not of the file's own making, that the file masquerades by.
fn uplinks(wanted: &State, world: &World<'_>) -> Vec<IpAddr> {
    let mut all = BTreeSet::new();
    for resource in wanted.resources() {
        let Resource::Table(table) = resource else { continue };
        for rule in table.chains.iter().flat_map(|chain| &chain.rules) {
            let TableRule::Typed(rule) = rule else { continue };
            let out = rule.output.as_ref().filter(|out| !out.not && matches!(rule.verdict, Some(Verdict::Masquerade)));
            for name in out.into_iter().flat_map(|out| &out.names) {
                let link = LinkId::new(table.node.clone(), name.as_str());
                if wanted.link(&link).is_none_or(|link| link.tenure != Tenure::Created) {
                    all.extend(world.state.addresses_of(&link).filter_map(|own| beside(own.address)));
                }
            }
        }
    }
    all.into_iter().collect()
}

/// Another address of an interface's subnet, of IPv4 (the last one, unless that is its own).
fn beside(own: IpNet) -> Option<IpAddr> {
    let IpNet::V4(net) = own else { return None };
    let last = u32::from(net.broadcast()).checked_sub(1).filter(|_| net.prefix_len() < 31)?;
    let other = if Ipv4Addr::from(last) == net.addr() { last.checked_sub(1)? } else { last };
    Some(IpAddr::V4(Ipv4Addr::from(other)))
}

fn leads_over_a_gateway(route: &Route) -> bool {
    route.kind == RouteKind::Unicast
        && route.key.table == TableId::MAIN
        && route.key.tos == 0
        && route.key.from.is_none()
        && route.raw.0.is_empty()
        && route.nexthops.iter().any(|hop| hop.via.is_some() && !hop.raw.has_encapsulation())
}

/// The ports that the file publishes: asked for from a neighbour, or from outside.
fn published(wanted: &State, world: &World<'_>) -> Vec<Meant> {
    let mut all = Vec::new();
    for resource in wanted.resources() {
        let Resource::Table(table) = resource else { continue };
        let rules = table.chains.iter().filter(|chain| chain.hook == "prerouting").flat_map(|chain| &chain.rules);
        for rule in rules {
            let TableRule::Typed(rule) = rule else { continue };
            if let Some(Verdict::Dnat(target)) = &rule.verdict {
                let asked = asks_for(wanted, world, &table.node, rule, target.address);
                all.extend(asked.map(|meant| Meant { about: Some(table.id()), ..meant }));
            }
        }
    }
    all
}

/// A packet that a rule publishes `target` to.
fn asks_for(wanted: &State, world: &World<'_>, node: &Node, rule: &PacketRule, target: IpAddr) -> Option<Meant> {
    let protocol = match rule.protocol.as_deref()? {
        "tcp" => Protocol::Tcp,
        "udp" => Protocol::Udp,
        _ => return None,
    };
    let port = rule.port.first()?.0;
    if rule.input.as_ref().is_some_and(|input| input.not) || rule.source.is_some() || rule.mark.is_some() {
        return None;
    }
    let named = rule.input.as_ref().map(|input| input.names.as_slice());
    let fits = |link: &&Link| named.is_none_or(|names| names.iter().any(|name| link.id.name == *name.as_str()));
    let has = |link: &Link| -> Option<IpAddr> {
        let mut own = world.state.addresses_of(&link.id).filter(|own| own.address.addr().is_ipv4() == target.is_ipv4());
        own.find(|own| !own.subnet().contains(&target)).map(|own| own.address.addr())
    };
    let written = rule.destination.as_ref().filter(|to| !to.not).and_then(|to| match to.items.first()? {
        AddressRange::Prefix(net) if net.prefix_len() == net.max_prefix_len() => Some(net.addr()),
        _ => None,
    });
    let (link, to) = world
        .state
        .links_of(node)
        .filter(fits)
        .filter(|link| world.is_up(link) && link.id.name.as_str() != "lo")
        .find_map(|link| Some((link, has(link)?)))?;
    let to = written.unwrap_or(to);
    let words = format!("{node} ({to})");
    let family = if to.is_ipv4() { Family::V4 } else { Family::V6 };
    let heard = segment::hear(world, link, family);
    let near = heard.arrivals.iter().map(|arrival| &arrival.link).find(|other| {
        wanted.is_made(&other.node)
            && other.node != *node
            && world.owner(&other.node, target).is_none()
            && world.state.addresses_of(other).any(|own| own.address.addr().is_ipv4() == to.is_ipv4())
    });
    let question = |from: &Node| Question::new(from.clone(), to, protocol, port);
    match near {
        Some(near) => Some(Meant::new(Why::Published, question(&near.node), words)),
        None if heard.open.is_empty() => None,
        None => {
            let source = OUTSIDE.into_iter().find(|outside| outside.is_ipv4() == to.is_ipv4());
            let question = Question { source, ..question(node) };
            let sender = Sender::Outside(link.id.clone());
            Some(Meant { sender, answered: false, ..Meant::new(Why::Published, question, words) })
        }
    }
}
