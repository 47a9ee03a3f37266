//! What the root qdisc of a link does to all that leaves there: an impairment, or whatever else another program put
//! there.

use super::{ByteRate, Drift, Impact, LinkId, Nanoseconds, Need, ResourceId, Share};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The root qdisc of a link, where it is not the one that the kernel puts there by itself.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Qdisc {
    /// The link.
    pub link: LinkId,
    /// What it does.
    pub work: Work,
    /// Whether it has one of topo's handles, 7470: to 7473: (see [`Distribution`]).
    pub marked: bool,
}

/// What a qdisc does.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Work {
    /// It makes a line bad.
    Netem(Netem),
    /// Something that topo has no words for: seen, removed, and put back as it was by an undo.
    Other {
        /// The kernel's name for its kind.
        kind: String,
        /// What of it topo has no words for, where it is a netem.
        more: String,
        /// Its options as the kernel said them (`TCA_OPTIONS`).
        options: Vec<u8>,
    },
}

/// An impairment. All fields are in the kernel's own units, so that what is read is what was written.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Netem {
    /// How much later a packet leaves.
    pub delay: Nanoseconds,
    /// How much the delay varies.
    pub jitter: Nanoseconds,
    /// How the delays spread around `delay`.
    pub distribution: Distribution,
    /// How many packets are lost.
    pub loss: Share,
    /// How many packets leave twice.
    pub duplicate: Share,
    /// How many packets get a wrong bit.
    pub corrupt: Share,
    /// How many packets leave at once, before the delayed ones.
    pub reorder: Share,
    /// How much leaves at most; 0 for no limit.
    pub rate: ByteRate,
    /// How many packets can wait.
    pub limit: u32,
}

/// How delays spread.
///
/// The kernel is given a table and does not tell it again. So the handle says which it is: 7470: is uniform, 7471:
/// normal, 7472: pareto, 7473: paretonormal.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub enum Distribution {
    /// All delays within the jitter are as likely, the kernel's own way.
    #[default]
    Uniform,
    /// A bell.
    Normal,
    /// Most are early, few are very late.
    Pareto,
    /// A quarter of a bell and three of pareto.
    ParetoNormal,
}

impl Distribution {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Uniform, Self::Normal, Self::Pareto, Self::ParetoNormal];

    /// Its name, in the language and for `tc`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Uniform => "uniform",
            Self::Normal => "normal",
            Self::Pareto => "pareto",
            Self::ParetoNormal => "paretonormal",
        }
    }

    /// The major number of the handle of a qdisc with it.
    pub fn handle(self) -> u16 {
        match self {
            Self::Uniform => 0x7470,
            Self::Normal => 0x7471,
            Self::Pareto => 0x7472,
            Self::ParetoNormal => 0x7473,
        }
    }
}

impl Qdisc {
    /// Its identity: a link has one root.
    pub fn id(&self) -> ResourceId {
        ResourceId::Qdisc(self.link.clone())
    }

    /// Its link.
    pub fn requires(&self) -> Vec<Need> {
        vec![Need::inside(ResourceId::Link(self.link.clone()))]
    }

    /// The fields in which `self` (wanted) differs from `observed`.
    pub fn drift(&self, observed: &Self) -> Vec<Drift> {
        let Self { link: _, work, marked } = self;
        let mut drift = match (work, &observed.work) {
            (Work::Netem(new), Work::Netem(old)) => new.drift(old),
            (new, old) if new == old => Vec::new(),
            (new, old) => vec![Drift::new("kind", old.kind(), new.kind(), Impact::Replace)],
        };
        if *marked != observed.marked {
            let word = |marked| if marked { "topo" } else { "none" };
            drift.push(Drift::new("mark", word(observed.marked), word(*marked), Impact::Replace));
        }
        drift
    }
}

impl Work {
    /// What it is called: its kind, and what makes it a foreign one.
    pub fn kind(&self) -> String {
        match self {
            Self::Netem(_) => "netem".to_owned(),
            Self::Other { kind, more, .. } if more.is_empty() => kind.clone(),
            Self::Other { kind, more, .. } => format!("{kind} with {more}"),
        }
    }
}

impl Netem {
    /// How many packets wait unless another program says (`tc`'s default).
    pub const LIMIT: u32 = 1000;

    /// The fields that do something, by their names in the language, and their values.
    pub fn fields(&self) -> Vec<(&'static str, String)> {
        let Self { delay, jitter, distribution, loss, duplicate, corrupt, reorder, rate, limit } = self;
        let all = [
            ("delay", delay.0 != 0, delay.to_string()),
            ("jitter", jitter.0 != 0, jitter.to_string()),
            ("distribution", *distribution != Distribution::Uniform, distribution.word().to_owned()),
            ("loss", loss.0 != 0, loss.to_string()),
            ("duplicate", duplicate.0 != 0, duplicate.to_string()),
            ("corrupt", corrupt.0 != 0, corrupt.to_string()),
            ("reorder", reorder.0 != 0, reorder.to_string()),
            ("rate", rate.0 != 0, rate.to_string()),
            ("limit", *limit != Self::LIMIT, limit.to_string()),
        ];
        all.into_iter().filter(|(_, said, _)| *said).map(|(name, _, value)| (name, value)).collect()
    }

    fn drift(&self, observed: &Self) -> Vec<Drift> {
        let Self { delay, jitter, distribution, loss, duplicate, corrupt, reorder, rate, limit } = self;
        let unlimited = |rate: ByteRate| if rate.0 == 0 { "none".to_owned() } else { rate.to_string() };
        let mut drift = Vec::new();
        let mut add = |field: &str, old: String, new: String, impact| {
            if old != new {
                drift.push(Drift::new(field, old, new, impact));
            }
        };
        add("delay", observed.delay.to_string(), delay.to_string(), Impact::InPlace);
        add("jitter", observed.jitter.to_string(), jitter.to_string(), Impact::InPlace);
        add("distribution", observed.distribution.word().to_owned(), distribution.word().to_owned(), Impact::Replace);
        add("loss", observed.loss.to_string(), loss.to_string(), Impact::InPlace);
        add("duplicate", observed.duplicate.to_string(), duplicate.to_string(), Impact::InPlace);
        add("corrupt", observed.corrupt.to_string(), corrupt.to_string(), Impact::InPlace);
        add("reorder", observed.reorder.to_string(), reorder.to_string(), Impact::InPlace);
        add("rate", unlimited(observed.rate), unlimited(*rate), Impact::InPlace);
        add("limit", observed.limit.to_string(), limit.to_string(), Impact::InPlace);
        drift
    }
}

impl fmt::Display for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.kind())?;
        if let Self::Netem(netem) = self {
            for (nth, (name, value)) in netem.fields().into_iter().enumerate() {
                write!(f, "{} {name} {value}", if nth == 0 { "" } else { "," })?;
            }
        }
        Ok(())
    }
}
