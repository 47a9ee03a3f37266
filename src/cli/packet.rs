//! A real packet for a question, and what was seen of it.

use crate::flow::traced::{Known, Trace, assemble};
use crate::flow::{Explanation, Question, World, explain};
use crate::kernel::Error;
use crate::linux::Linux;
use crate::linux::tracing::{Order, token, trace};
use crate::resource::Node;
use std::time::Duration;

/// What was seen of a packet, and what the walk says of the same one.
pub struct Followed {
    /// What was seen.
    pub seen: Explanation,
    /// What the walk says.
    pub model: Explanation,
    /// Where it says otherwise, in a sentence.
    pub differs: Option<String>,
    /// The nodes in which not all could be read.
    pub overrun: Vec<Node>,
}

/// Sends the packet that is asked about, and waits `wait` for its answer. The source port is one that programs get,
/// where none is `given`.
///
/// # Errors
///
/// If a namespace cannot be entered, privileges are missing, or the kernel cannot trace.
pub fn follow(
    kernel: &Linux,
    world: &World<'_>,
    question: Question,
    given: Option<u16>,
    wait: Duration,
) -> Result<Followed, Error> {
    let token = token();
    let chosen = given.unwrap_or(32_768 + u16::try_from(token % 28_000).unwrap_or(0));
    let question = Question { source_port: if question.protocol.has_ports() { chosen } else { 0 }, ..question };
    let model = explain(world, &question);
    let Question { source, to, protocol, port, source_port, mark, size, .. } = question;
    let order = Order { protocol, to, source, port, source_port, mark, size, token, wait };
    let nodes: Vec<&Node> = world.state.namespaces().map(|namespace| &namespace.node).collect();
    let traced = trace(kernel, &nodes, &question.from, &order)?;
    let known = Known { protocol, token, source_port, port };
    let sightings = &traced.sightings;
    let watched = Trace { from: &question.from, known, sightings, answer: &traced.answer, counted: &traced.counted };
    let (seen, differs) = assemble(world, &watched, &model);
    Ok(Followed { seen, model, differs, overrun: traced.overrun })
}
