//! The whole: the way there, the way back, and what comes of it.

use super::ending;
use super::parts::{Found, Reader, Trace, What};
use super::path::{ordered, steps};
use crate::flow::outcome::{End, Explanation, Path, Verdict};
use crate::flow::packet::{Packet, Part, Protocol};
use crate::flow::world::World;
use crate::resource::sighting::Answer;
use crate::resource::{LinkId, Node};

/// What was seen as an explanation, and where it is not what the walk says, in a sentence.
pub fn assemble(world: &World<'_>, trace: &Trace<'_>, model: &Explanation) -> (Explanation, Option<String>) {
    let found = Reader::new(trace.known).read(trace.from, trace.sightings);
    let way = ordered(world, &found, Part::Request);
    let packet = sent(&way, &model.packet);
    let back = ordered(world, &found, Part::Answer);
    let arrived = arrived(&way, &packet);
    let came = matches!(trace.answer, Answer::Came(_));
    // An answer that its sender cannot send: nothing is seen of it.
    let unsent = (!came && back.is_empty()).then(|| ending::unsent(world, model, &way)).flatten();
    let end = match arrived {
        // What was answered has arrived, even where that is all that was seen of it.
        Some(end) if came || !back.is_empty() || unsent.is_some() => end,
        _ if came => delivered(trace.from, "lo", &packet),
        _ => ending::of(world, trace, model, &found, &way, Part::Request, &packet),
    };
    let forth = path(&way, end);
    let answered = came || !back.is_empty() || unsent.is_some();
    let back = answered.then(|| {
        let end = if came {
            delivered(trace.from, interface(&back).unwrap_or("lo"), &packet.answer())
        } else if let Some(stop) = unsent {
            End::Stopped(Box::new(stop.clone()))
        } else {
            ending::of(world, trace, model, &found, &back, Part::Answer, &packet.answer())
        };
        path(&back, end)
    });
    let data = ordered(world, &found, Part::Data);
    let data = (came && trace.known.protocol == Protocol::Tcp && !data.is_empty()).then(|| {
        let receiver = node_of(&forth.end);
        let end = self::arrived(&data, &packet).filter(|end| receiver.is_none() || node_of(end) == receiver);
        // What a rule dropped there has not arrived.
        let end = end.filter(|_| ending::dropped(&data).is_none());
        path(&data, end.unwrap_or_else(|| ending::of(world, trace, model, &found, &data, Part::Data, &packet)))
    });
    let seen = Explanation { packet, forth, back, data };
    let differs = differs(&seen, model);
    (seen, differs)
}

/// The steps, and the end. What ends it is not a step besides.
fn path(way: &[&Found<'_>], end: End) -> Path {
    let mut steps = steps(way);
    if let End::Stopped(stop) = &end
        && stop.code == "filter"
        && steps.last().is_some_and(|step| step.by == stop.by)
    {
        steps.pop();
    }
    Path { steps, end }
}

/// The packet as its sender made it.
fn sent(way: &[&Found<'_>], model: &Packet) -> Packet {
    let first = way.iter().find_map(|found| match &found.what {
        What::At { tuple, .. } => Some(*tuple),
        _ => None,
    });
    first.map_or_else(|| model.clone(), |tuple| model.with(tuple))
}

/// Where it was seen last, coming in.
fn arrived(way: &[&Found<'_>], packet: &Packet) -> Option<End> {
    way.iter().rev().find_map(|found| match &found.what {
        What::At { interface, out: false, tuple, .. } => Some(delivered(found.node, interface, &packet.with(*tuple))),
        _ => None,
    })
}

fn node_of(end: &End) -> Option<&Node> {
    if let End::Delivered { node, .. } = end { Some(node) } else { None }
}

fn delivered(node: &Node, interface: &str, packet: &Packet) -> End {
    End::Delivered {
        node: node.clone(),
        interface: LinkId::new(node.clone(), interface),
        packet: Box::new(packet.clone()),
    }
}

fn interface<'a>(way: &[&Found<'a>]) -> Option<&'a str> {
    way.iter().rev().find_map(|found| match &found.what {
        What::At { interface, out: false, .. } => Some(*interface),
        _ => None,
    })
}

/// What the walk says otherwise. What it cannot say is not otherwise, nor what could not be seen.
fn differs(seen: &Explanation, model: &Explanation) -> Option<String> {
    let place = |of: &Explanation| match of.reason() {
        Some(End::Stopped(stop)) => Some(stop.node.clone()),
        _ => None,
    };
    match (seen.verdict(), model.verdict()) {
        (Verdict::CannotSay, _) | (_, Verdict::CannotSay) | (Verdict::Reaches, Verdict::Reaches) => None,
        (Verdict::Stops, Verdict::Stops) if place(seen) == place(model) => None,
        (_, Verdict::Reaches) => Some("it reaches".to_owned()),
        (_, Verdict::Stops) => match model.reason() {
            Some(End::Stopped(stop)) => Some(format!("it stops at {}: {}", stop.node, stop.what)),
            _ => None,
        },
    }
}
