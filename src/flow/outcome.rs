//! What comes of a walk: the steps of a packet, and where and why it ends.

use super::packet::Packet;
use crate::resource::{LinkId, Node, ResourceId};

/// What decided a step.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct By {
    /// In words of `ip`, `nft`, `sysctl`: a route, a rule, a setting.
    pub text: String,
    /// The resource of the file that it is, or is in.
    pub id: Option<ResourceId>,
    /// The rule of the table, as the file has it in nft's words.
    pub rule: Option<String>,
}

impl By {
    /// What no file says: a default, or what the kernel does.
    pub fn text(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }

    /// A resource, in words.
    pub fn resource(id: ResourceId, text: impl Into<String>) -> Self {
        Self { text: text.into(), id: Some(id), rule: None }
    }
}

/// A step of a packet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Step {
    /// The node that it is in.
    pub node: Node,
    /// The interface, where it concerns one.
    pub interface: Option<String>,
    /// What happens.
    pub what: String,
    /// What decided it.
    pub by: Option<By>,
}

/// What would let a packet through: keys of a node in the file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fix {
    /// What it does, in a few words.
    pub what: String,
    /// The lines of YAML, below `namespaces:` (or `host:`), without indentation of their own.
    pub yaml: String,
}

/// Why a packet goes no further.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stop {
    /// A word for programs: `no-route`, `filter`, `forwarding`, `rp-filter`, `neighbor`, ….
    pub code: &'static str,
    /// Where.
    pub node: Node,
    /// The interface, where it concerns one.
    pub interface: Option<String>,
    /// What happens to it, and what its sender sees.
    pub what: String,
    /// What decided it.
    pub by: Option<By>,
    /// What would let it through.
    pub fix: Vec<Fix>,
    /// The packet as it was there.
    pub packet: Box<Packet>,
}

/// How a walk ends.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum End {
    /// It was delivered.
    Delivered {
        /// The node that took it.
        node: Node,
        /// The interface that it came in by.
        interface: LinkId,
        /// The packet as it arrived.
        packet: Box<Packet>,
    },
    /// Something stops it.
    Stopped(Box<Stop>),
    /// It depends on what is not known.
    Unknown(Box<Stop>),
}

/// Where a packet went.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Path {
    /// The steps, in order.
    pub steps: Vec<Step>,
    /// The end.
    pub end: End,
}

/// The answer to a question.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Verdict {
    /// The packet arrives, and its answer comes back.
    Reaches,
    /// It depends on what is not known.
    CannotSay,
    /// It, or its answer, is stopped.
    Stops,
}

/// An explanation: the way there, the way back, and what comes of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Explanation {
    /// The packet as its sender makes it.
    pub packet: Packet,
    /// Where it goes.
    pub forth: Path,
    /// Where its answer goes, if there is one.
    pub back: Option<Path>,
    /// Where what follows goes (TCP alone), if the answer arrived.
    pub data: Option<Path>,
}

impl Explanation {
    /// The verdict.
    pub fn verdict(&self) -> Verdict {
        match self.reason() {
            None => Verdict::Reaches,
            Some(End::Unknown(_)) => Verdict::CannotSay,
            Some(_) => Verdict::Stops,
        }
    }

    /// What stops it first, or what cannot be said first.
    pub fn reason(&self) -> Option<&End> {
        let paths = [Some(&self.forth), self.back.as_ref(), self.data.as_ref()];
        paths.into_iter().flatten().map(|path| &path.end).find(|end| !matches!(end, End::Delivered { .. }))
    }
}
