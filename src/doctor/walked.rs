//! The flows that a file means, followed.

use super::meant::{Meant, Sender};
use crate::flow::outcome::{End, Path};
use crate::flow::packet::Protocol;
use crate::flow::{Explanation, Verdict, World, explain, explain_arrival};

/// A flow, and what becomes of it.
#[derive(Clone, Debug)]
pub struct Walked {
    /// The flow.
    pub meant: Meant,
    /// What becomes of it.
    pub explanation: Explanation,
}

/// Follows flows through a network. One that begins where nothing is, is left out.
pub fn walk(world: &World<'_>, meant: Vec<Meant>) -> Vec<Walked> {
    let follow = |meant: Meant| {
        let explanation = match &meant.sender {
            Sender::Node => {
                world.state.namespace(&meant.question.from)?;
                explain(world, &meant.question)
            }
            Sender::Outside(link) => explain_arrival(world, world.state.link(link)?, &meant.question),
        };
        Some(Walked { meant, explanation })
    };
    meant.into_iter().filter_map(follow).collect()
}

impl Walked {
    /// Where it ends first, if it does not arrive, and on which way.
    pub(super) fn end(&self) -> Option<(&Path, &End)> {
        let paths = [Some(&self.explanation.forth), self.explanation.back.as_ref(), self.explanation.data.as_ref()];
        let count = if self.meant.answered { paths.len() } else { 1 };
        let mut ways = paths.into_iter().take(count).flatten();
        ways.find(|path| !matches!(path.end, End::Delivered { .. })).map(|path| (path, &path.end))
    }

    /// What becomes of it: of one that needs no answer the packet alone counts.
    pub fn verdict(&self) -> Verdict {
        match self.end() {
            None => Verdict::Reaches,
            Some((_, End::Unknown(_))) => Verdict::CannotSay,
            Some(_) => Verdict::Stops,
        }
    }

    /// The flow in words: `ping from RED to BLUE (10.0.0.2)`.
    pub fn words(&self) -> String {
        let packet = &self.explanation.packet;
        let what = match packet.protocol {
            Protocol::Icmp => "ping".to_owned(),
            protocol => format!("{protocol}/{}", self.meant.question.port),
        };
        let from = match &self.meant.sender {
            Sender::Node => self.meant.question.from.to_string(),
            Sender::Outside(link) => format!("the outside by {link}"),
        };
        let (to, address) = (&self.meant.to, self.meant.question.to.to_string());
        let to = if to.contains(&address) { to.clone() } else { format!("{to} ({address})") };
        format!("{what} from {from} to {to}")
    }
}
