//! Root qdiscs: what the kernel says of them, and what is asked of it.
//!
//! A change of a netem keeps what is left out, so everything is always sent (`netem_change` in
//! `net/sched/sch_netem.c`).

use super::netem_tables;
use crate::linux::netlink::attributes::{Attributes, Writer, u32_at, u64_at};
use crate::linux::netlink::socket::{CREATE, EXCLUSIVE, Refused, Request, Socket};
use crate::linux::netns::context::Site;
use crate::resource::{ByteRate, Distribution, IfName, LinkId, Nanoseconds, Netem, Node, Qdisc, Share, Work};
use nix::libc;

pub const NEW: u16 = 36;
const DELETE: u16 = 37;
const GET: u16 = 38;
/// Length of `struct tcmsg`.
const HEAD: usize = 20;
/// `TC_H_ROOT`.
const ROOT: u32 = u32::MAX;

// `TCA_*` of `include/uapi/linux/rtnetlink.h`.
const KIND: u16 = 1;
const OPTIONS: u16 = 2;

/// Length of `struct tc_netem_qopt`.
const QOPT: usize = 24;
// `TCA_NETEM_*` of `include/uapi/linux/pkt_sched.h`.
const CORRELATION: u16 = 1;
const DISTRIBUTION: u16 = 2;
const REORDER: u16 = 3;
const CORRUPT: u16 = 4;
const LOSS: u16 = 5;
const RATE: u16 = 6;
const ECN: u16 = 7;
const RATE64: u16 = 8;
const DELAY64: u16 = 10;
const JITTER64: u16 = 11;
const SLOT: u16 = 12;
/// Length of `struct tc_netem_slot`.
const SLOT_LENGTH: usize = 40;

/// A root qdisc as the kernel reports it.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The number of its link.
    pub index: u32,
    handle: u32,
    kind: String,
    options: Vec<u8>,
}

/// The root qdiscs that were put outside topo there.
///
/// # Errors
///
/// The kernel's refusal, with its errno and its own text.
pub fn dump(socket: &Socket) -> Result<Vec<Seen>, Refused> {
    let messages = socket.dump(GET, Writer::new(&head(0, 0, 0)).bytes())?;
    Ok(messages.iter().filter(|message| message.kind == NEW).filter_map(|message| parse(&message.body)).collect())
}

/// Reads `RTM_NEWQDISC`; `None` for one that is not at the root, or that the kernel put there by itself: that has no
/// handle.
pub fn parse(body: &[u8]) -> Option<Seen> {
    let (index, handle, parent) = (u32_at(body, 4)?, u32_at(body, 8)?, u32_at(body, 12)?);
    let attributes = Attributes::after(body, HEAD);
    let seen = Seen {
        index,
        handle,
        kind: attributes.text(KIND)?,
        options: attributes.get(OPTIONS).unwrap_or_default().to_vec(),
    };
    (parent == ROOT && handle != 0).then_some(seen)
}

impl Seen {
    /// The resource.
    pub fn qdisc(&self, node: &Node, name: IfName) -> Qdisc {
        let distribution = Distribution::ALL.into_iter().find(|distribution| handle(*distribution) == self.handle);
        let work = match read(&self.options, distribution.unwrap_or_default()) {
            Some((netem, more)) if self.kind == "netem" && more.is_empty() => Work::Netem(netem),
            read => {
                let more = read.filter(|_| self.kind == "netem").map(|(_, more)| more.join(", ")).unwrap_or_default();
                Work::Other { kind: self.kind.clone(), more, options: self.options.clone() }
            }
        };
        Qdisc { link: LinkId { node: node.clone(), name }, work, marked: distribution.is_some() }
    }
}

fn head(index: u32, handle: u32, parent: u32) -> [u8; HEAD] {
    let mut head = [0; HEAD];
    for (at, word) in [(4, index), (8, handle), (12, parent)] {
        if let Some(bytes) = head.get_mut(at..at + 4) {
            bytes.copy_from_slice(&word.to_ne_bytes());
        }
    }
    head
}

/// Whether the kernel knows netem: asked for one on the first link without its options, one that does says that they
/// are missing.
pub fn has_netem(socket: &Socket) -> bool {
    let mut body = Writer::new(&head(1, 0, ROOT));
    body.text(KIND, "netem");
    !matches!(socket.request(&Request { kind: NEW, flags: CREATE | EXCLUSIVE, body: body.bytes().to_vec() }), Err(refused) if refused.errno == libc::ENOENT)
}

/// The handle that says that a qdisc is topo's, and how its delays spread.
fn handle(distribution: Distribution) -> u32 {
    u32::from(distribution.handle()) << 16
}

/// The handle of a qdisc; 0 for one of another program, which the kernel finds by its place.
fn handle_of(qdisc: &Qdisc) -> u32 {
    match &qdisc.work {
        Work::Netem(netem) if qdisc.marked => handle(netem.distribution),
        _ => 0,
    }
}

/// Puts it to the root of its link.
///
/// # Errors
///
/// `EEXIST` if it is there already, else the kernel's refusal.
pub fn create(site: &Site<'_>, qdisc: &Qdisc) -> Result<(), Refused> {
    let table = match &qdisc.work {
        Work::Netem(Netem { distribution, .. }) => {
            Some(*distribution).filter(|distribution| *distribution != Distribution::Uniform)
        }
        Work::Other { .. } => None,
    };
    site.ask(NEW, CREATE | EXCLUSIVE, &message(site, qdisc, table)?)
}

/// Changes it where it stands. The table of its delays goes along: nothing can say whether it is still the one that it
/// was.
///
/// # Errors
///
/// The kernel's refusal, with its errno and its own text.
pub fn update(site: &Site<'_>, after: &Qdisc) -> Result<(), Refused> {
    let table = match &after.work {
        Work::Netem(Netem { distribution, jitter, .. }) if *jitter != Nanoseconds(0) => Some(*distribution),
        _ => None,
    };
    site.ask(NEW, 0, &message(site, after, table)?)
}

/// Takes it away; the kernel puts its own there.
///
/// # Errors
///
/// `ENOENT`, `ESRCH` or `ENODEV` if it is not there, else the kernel's refusal.
pub fn delete(site: &Site<'_>, qdisc: &Qdisc) -> Result<(), Refused> {
    site.ask(DELETE, 0, &Writer::new(&head(site.index(&qdisc.link.name)?, handle_of(qdisc), ROOT)))
}

fn message(site: &Site<'_>, qdisc: &Qdisc, table: Option<Distribution>) -> Result<Writer, Refused> {
    let mut body = Writer::new(&head(site.index(&qdisc.link.name)?, handle_of(qdisc), ROOT));
    match &qdisc.work {
        Work::Netem(netem) => {
            body.text(KIND, "netem").put(OPTIONS, write(netem, table).bytes());
        }
        Work::Other { kind, options, .. } => {
            body.text(KIND, kind);
            if !options.is_empty() {
                body.put(OPTIONS, options);
            }
        }
    }
    Ok(body)
}

/// Numbers of 32 bits, one after the other.
fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_ne_bytes()).collect()
}

/// The options of a netem.
fn write(netem: &Netem, table: Option<Distribution>) -> Writer {
    let Netem { delay, jitter, distribution: _, loss, duplicate, corrupt, reorder, rate, limit } = netem;
    // The old fields count in ticks of 64 ns (`PSCHED_SHIFT`), the new ones, which count, in nanoseconds.
    let ticks = |time: &Nanoseconds| u32::try_from(time.0 >> 6).unwrap_or(u32::MAX);
    // Without a gap nothing is reordered, whatever its share.
    let gap = u32::from(*reorder != Share(0));
    let mut options = Writer::new(&words(&[ticks(delay), *limit, loss.0, gap, duplicate.0, ticks(jitter)]));
    options
        .put(CORRELATION, &words(&[0; 3]))
        .put(REORDER, &words(&[reorder.0, 0]))
        .put(CORRUPT, &words(&[corrupt.0, 0]));
    options.put(RATE, &words(&[u32::try_from(rate.0).unwrap_or(u32::MAX), 0, 0, 0]));
    if rate.0 > u64::from(u32::MAX) {
        options.put(RATE64, &rate.0.to_ne_bytes());
    }
    options.put(DELAY64, &delay.0.to_ne_bytes()).put(JITTER64, &jitter.0.to_ne_bytes());
    options.u32(ECN, 0).put(SLOT, &[0; SLOT_LENGTH]);
    if let Some(table) = table {
        options.put(
            DISTRIBUTION,
            &netem_tables::table(table).iter().flat_map(|value| value.to_ne_bytes()).collect::<Vec<u8>>(),
        );
    }
    options
}

/// A netem, and what of it topo has no words for.
fn read(options: &[u8], distribution: Distribution) -> Option<(Netem, Vec<&'static str>)> {
    let attributes = Attributes::after(options, QOPT);
    let word = |at| u32_at(options, at);
    let inside = |kind, at| attributes.get(kind).and_then(|value| u32_at(value, at)).unwrap_or(0);
    let time = |kind, ticks: u32| {
        Nanoseconds(attributes.get(kind).and_then(|value| u64_at(value, 0)).unwrap_or(u64::from(ticks) << 6))
    };
    let rate64 = attributes.get(RATE64).and_then(|value| u64_at(value, 0));
    let gap = word(12)?;
    let netem = Netem {
        delay: time(DELAY64, word(0)?),
        jitter: time(JITTER64, word(20)?),
        distribution,
        loss: Share(word(8)?),
        duplicate: Share(word(16)?),
        corrupt: Share(inside(CORRUPT, 0)),
        reorder: Share(if gap == 0 { 0 } else { inside(REORDER, 0) }),
        rate: ByteRate(rate64.unwrap_or(u64::from(inside(RATE, 0)))),
        limit: word(4)?,
    };
    let set = |kind| attributes.get(kind).is_some_and(|value| value.iter().any(|byte| *byte != 0));
    let foreign = [
        (set(CORRELATION) || inside(REORDER, 4) != 0 || inside(CORRUPT, 4) != 0, "correlation"),
        (gap > 1, "gap"),
        (attributes.get(LOSS).is_some(), "loss model"),
        ((4..16).step_by(4).any(|at| inside(RATE, at) != 0), "overhead"),
        (set(ECN), "ecn"),
        (set(SLOT), "slot"),
    ];
    Some((netem, foreign.into_iter().filter(|(there, _)| *there).map(|(_, word)| word).collect()))
}

#[cfg(test)]
mod tests;
