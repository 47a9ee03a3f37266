//! Where and why a packet was not seen any more.

use super::parts::{Found, Trace, What};
use super::path::rule_words;
use crate::flow::outcome::{By, End, Explanation, Stop};
use crate::flow::packet::{Packet, Part, Protocol};
use crate::flow::world::World;
use crate::resource::sighting::{Answer, RuleSeen, Seen};
use crate::resource::{IfName, LinkId, Node};
use std::net::IpAddr;

/// The end of a packet that was not answered, from the most certain to the least: a rule that dropped it, an error that
/// says so, what the walk says of that place, a neighbour that does not answer, what the kernel counted there.
pub fn of(
    world: &World<'_>,
    trace: &Trace<'_>,
    model: &Explanation,
    found: &[Found<'_>],
    way: &[&Found<'_>],
    part: Part,
    packet: &Packet,
) -> End {
    let last = Last::of(way, trace.from);
    let packet = last.tuple.map_or_else(|| packet.clone(), |tuple| packet.with(tuple));
    let stop = |code, node: &Node, interface: Option<&str>, what: String, by: Option<By>| {
        let fix = said_of(model, part, node).map(|said| said.fix.clone()).unwrap_or_default();
        let interface = interface.map(str::to_owned);
        Box::new(Stop { code, node: node.clone(), interface, what, by, fix, packet: Box::new(packet.clone()) })
    };
    if let Some((node, rule)) = dropped(way) {
        let what = if rule.policy { "dropped by the policy of a chain" } else { "dropped by a rule" };
        return End::Stopped(stop("filter", node, None, what.to_owned(), Some(By::text(rule_words(rule)))));
    }
    if let Some((node, interface, says, from)) = refused(found, part) {
        let code = if says == "port unreachable" { "no-socket" } else { "icmp-error" };
        let by = By::text(format!("ICMP from {from}: {says}"));
        return End::Stopped(stop(code, node, interface, format!("{node} answers: {says}"), Some(by)));
    }
    if let Some(interface) = reset(way).filter(|_| part == Part::Answer) {
        let (node, what) = (last.first, "the connection is refused: nothing listens there".to_owned());
        return End::Stopped(stop("no-socket", node, Some(interface), what, Some(By::text("TCP: RST"))));
    }
    let said = || said_of(model, part, last.node).or_else(|| said_of(model, part, &last.next(world)?));
    if let Some(said) = said() {
        return End::Stopped(Box::new(Stop { packet: Box::new(packet.clone()), ..said.clone() }));
    }
    if let Some((interface, target)) = unanswered(trace, last.node).filter(|_| !last.out) {
        let what = format!("it asks who has {target}, and there is no answer");
        return End::Stopped(stop("neighbor", last.node, Some(interface), what, None));
    }
    if let (Answer::Failed(text), true) = (trace.answer, way.is_empty()) {
        let by = By::text(format!("the kernel says: {text}"));
        return End::Stopped(stop("not-sent", trace.from, None, "it is not sent".to_owned(), Some(by)));
    }
    if let Some(end) = out_of_sight(world, &last) {
        return End::Unknown(stop("leaves", last.node, last.interface, end, None));
    }
    let arrived = !last.out && world.owner(last.node, packet.destination).is_some();
    if part == Part::Request && arrived && trace.known.protocol == Protocol::Udp {
        let what = "it arrives, and nothing answers: whether a program took it cannot be seen".to_owned();
        return End::Unknown(stop("no-answer", last.node, last.interface, what, None));
    }
    End::Stopped(stop("lost", last.node, last.interface, last.words(), counted(trace, last.node)))
}

/// Why the answer is not sent, as the walk says, of a packet that arrived and no rule dropped.
pub fn unsent<'m>(world: &World<'_>, model: &'m Explanation, way: &[&Found<'_>]) -> Option<&'m Stop> {
    let found = way.iter().rev().find(|found| matches!(found.what, What::At { .. }))?;
    let What::At { out: false, tuple, .. } = &found.what else { return None };
    world.owner(found.node, tuple.destination)?;
    said_of(model, Part::Answer, found.node).filter(|stop| dropped(way).is_none() && stop.node == *found.node)
}

/// Where a packet was seen last.
struct Last<'a> {
    node: &'a Node,
    /// The node that it was seen in first.
    first: &'a Node,
    interface: Option<&'a str>,
    out: bool,
    tuple: Option<crate::flow::packet::Tuple>,
}

impl<'a> Last<'a> {
    fn of(way: &[&Found<'a>], from: &'a Node) -> Self {
        let first = way.first().map_or(from, |found| found.node);
        let mut last = Self { node: first, first, interface: None, out: false, tuple: None };
        for found in way {
            if let What::At { interface, out, tuple, .. } = &found.what {
                (last.node, last.interface, last.out, last.tuple) = (found.node, Some(*interface), *out, Some(*tuple));
            }
        }
        last
    }

    /// The node at the other end of the cable that it was sent into.
    fn next(&self, world: &World<'_>) -> Option<Node> {
        let link = world.link(self.node, &IfName::from(self.interface.filter(|_| self.out)?))?;
        link.peer.as_ref().map(|peer| peer.node.clone())
    }

    fn words(&self) -> String {
        match (self.interface, self.out) {
            (None, _) => "nothing is seen of it".to_owned(),
            (Some(_), true) => "it goes out here, and is not seen again".to_owned(),
            (Some(_), false) => "it comes in here, and is not seen again".to_owned(),
        }
    }
}

/// A rule that dropped it, after which it was not seen in that node.
pub fn dropped<'a>(way: &[&Found<'a>]) -> Option<(&'a Node, &'a RuleSeen)> {
    let at = way.iter().rposition(|found| matches!(&found.what, What::Rule(rule) if rule.verdict == "drop"))?;
    let found = way.get(at)?;
    let gone_on = way.iter().skip(at).any(|after| matches!(after.what, What::At { .. }));
    match &found.what {
        What::Rule(rule) if !gone_on => Some((found.node, rule)),
        _ => None,
    }
}

type Refusal<'a> = (&'a Node, Option<&'a str>, &'static str, IpAddr);

/// An error of ICMP about it, where it was seen first: who made it.
fn refused<'a>(found: &[Found<'a>], part: Part) -> Option<Refusal<'a>> {
    let error = |sent: bool| {
        found.iter().filter(|found| found.part == part).find_map(|found| match &found.what {
            What::Error { interface, out, says, from } if *out == sent => {
                Some((found.node, Some(*interface), *says, *from))
            }
            _ => None,
        })
    };
    // Who sends it is who made it; of a router that is not watched it is seen where it comes in.
    error(true).or_else(|| error(false))
}

/// Whether the answer refuses the connection: the interface that it was sent by.
fn reset<'a>(way: &[&Found<'a>]) -> Option<&'a str> {
    way.iter().find_map(|found| match &found.what {
        What::At { interface, refuses: true, .. } => Some(*interface),
        _ => None,
    })
}

/// A neighbour that a node asked for and that did not answer.
fn unanswered<'a>(trace: &Trace<'a>, node: &Node) -> Option<(&'a str, IpAddr)> {
    let here = || trace.sightings.iter().filter(|sighting| sighting.node == *node);
    here().find_map(|sighting| match &sighting.seen {
        Seen::Asks { interface, target } => {
            let told = here().any(|other| matches!(&other.seen, Seen::Tells { target: told, .. } if told == target));
            (!told).then_some((interface.as_str(), *target))
        }
        _ => None,
    })
}

/// What the walk says stops it in this node, or on the segment that it leaves this node for.
fn said_of<'m>(model: &'m Explanation, part: Part, node: &Node) -> Option<&'m Stop> {
    let path = match part {
        Part::Answer => model.back.as_ref()?,
        Part::Data => model.data.as_ref()?,
        _ => &model.forth,
    };
    let left = path.steps.last().is_some_and(|step| step.node == *node);
    match &path.end {
        End::Stopped(stop) if left || stop.node == *node => Some(stop),
        _ => None,
    }
}

/// Whether it left by an interface whose other end is not watched.
fn out_of_sight(world: &World<'_>, last: &Last<'_>) -> Option<String> {
    let name = last.interface.filter(|_| last.out)?;
    let link = world.state.link(&LinkId::new(last.node.clone(), name));
    let peer = link.and_then(|link| link.peer.as_ref());
    let is_watched = |node: &Node| node.is_host() || world.state.namespaces().any(|namespace| namespace.node == *node);
    let watched = peer.is_some_and(|peer| is_watched(&peer.node));
    (!watched).then(|| "it leaves here, and what comes after that is not watched".to_owned())
}

/// What the kernel counted there meanwhile.
fn counted(trace: &Trace<'_>, node: &Node) -> Option<By> {
    let grown: Vec<String> = trace
        .counted
        .iter()
        .filter(|counted| counted.node == *node)
        .map(|counted| format!("{} counts {} more", counted.name, counted.more))
        .collect();
    (!grown.is_empty()).then(|| By::text(grown.join(", ")))
}
