//! A netlink socket of the calling thread's namespace, for routes and links, for nftables or for the generic families:
//! requests with acknowledgement, and dumps that are known to be whole.
//!
//! Two things make a dump look shorter than the truth and are looked at here: an error, which the kernel puts into the
//! closing message, and a change while it ran (`NLM_F_DUMP_INTR`), after which it is made again.

use super::attributes::padded;
use super::message::*;
pub use super::message::{Message, Refused, read_packet};
use crate::kernel::Error;
use netlink_sys::protocols::{NETLINK_GENERIC, NETLINK_NETFILTER, NETLINK_ROUTE};
use nix::errno::Errno;
use nix::libc;
use nix::sys::socket::{MsgFlags, recv, setsockopt, sockopt};
use nix::sys::time::{TimeVal, TimeValLike};
use std::cell::Cell;
use std::ops::RangeInclusive;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::time::{Duration, Instant};
use zeroize::Zeroize;

/// Longest answer that the kernel puts together (`NLMSG_GOODSIZE` and dumps are at most 32 KiB), and more.
const ANSWER: usize = 128 * 1024;
/// Seconds until a request without an answer is given up. The kernel's one lock for network changes may be held for
/// long on a busy machine.
const PATIENCE: i64 = 60;
/// How long a dump that something changes under is made again. One takes a millisecond or two; who sets up a hundred
/// links by `ip` is at it for a second.
const UNREST: Duration = Duration::from_secs(10);
/// Most requests in one send: their acknowledgements must fit into the socket's buffer (208 KiB by default, up to 2 KiB
/// each).
const BATCH: usize = 64;
/// What is sent at once, up to which the buffer that a socket has by itself is large enough (208 KiB, of which the
/// kernel counts its own part).
const SEND_ROOM: usize = 64 * 1024;

const NLM_F_REQUEST: u16 = 0x1;
const NLM_F_ACK: u16 = 0x4;
const NLM_F_DUMP: u16 = 0x300;
/// Replaces what is there.
pub const REPLACE: u16 = 0x100;
/// Fails if it is there.
pub const EXCLUSIVE: u16 = 0x200;
/// Makes it if it is not there.
pub const CREATE: u16 = 0x400;
/// Adds one more beside what is there.
pub const APPEND: u16 = 0x800;

/// A request: its type, flags beyond `NLM_F_REQUEST`, and body.
#[derive(Clone, Debug)]
pub struct Request {
    /// `RTM_*`.
    pub kind: u16,
    /// `NLM_F_*`.
    pub flags: u16,
    /// The fixed head and the attributes.
    pub body: Vec<u8>,
}

/// A socket. It belongs to the namespace in which it was opened for as long as it lives.
pub struct Socket {
    inner: netlink_sys::Socket,
    sequence: Cell<u32>,
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.inner.as_fd()
    }
}

thread_local! {
    /// Room for an answer: a socket for each of a thousand namespaces would need, and clear, as many.
    static ROOM: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

impl Socket {
    /// A socket for links, addresses, routes and their like.
    ///
    /// # Errors
    ///
    /// If the kernel gives no socket: no descriptor is left, or privileges are missing.
    pub fn open() -> Result<Self, Error> {
        Self::of(NETLINK_ROUTE, "open a route netlink socket")
    }

    /// A socket for the generic families.
    ///
    /// # Errors
    ///
    /// If the kernel gives no socket: no descriptor is left.
    pub fn generic() -> Result<Self, Error> {
        Self::of(NETLINK_GENERIC, "open a generic netlink socket")
    }

    /// A socket for nftables.
    ///
    /// # Errors
    ///
    /// If the kernel gives no socket: no descriptor is left, or it has no netfilter.
    pub fn netfilter() -> Result<Self, Error> {
        Self::of(NETLINK_NETFILTER, "open a netfilter netlink socket")
    }

    fn of(protocol: isize, tried: &str) -> Result<Self, Error> {
        let io = |e: std::io::Error| Error::io(tried, &e);
        let inner = netlink_sys::Socket::new(protocol).map_err(io)?;
        // An answer with the kernel's own words, and without the request repeated; a kernel that cannot is no worse.
        let _ = inner.set_ext_ack(true).and_then(|()| inner.set_cap_ack(true));
        let _ = inner.set_netlink_get_strict_chk(true);
        setsockopt(&inner, sockopt::ReceiveTimeout, &TimeVal::seconds(PATIENCE))
            .map_err(|e| Error::os(tried, e as i32))?;
        Ok(Self { inner, sequence: Cell::new(1) })
    }

    /// Sends one request and waits for its acknowledgement.
    ///
    /// # Errors
    ///
    /// The kernel's refusal, with its errno and its own text.
    pub fn request(&self, request: &Request) -> Result<(), Refused> {
        let sequence = self.send(std::slice::from_ref(request), NLM_F_ACK)?;
        self.answers(sequence, |_, _| true)
    }

    /// Sends requests that do not depend on each other, many at once, and waits for all acknowledgements; answers in
    /// their order.
    ///
    /// # Errors
    ///
    /// For each request the kernel's refusal; all, if the socket fails.
    pub fn batch(&self, requests: &[Request]) -> Vec<Result<(), Refused>> {
        let mut answers = Vec::with_capacity(requests.len());
        for chunk in requests.chunks(BATCH) {
            match self.send(chunk, NLM_F_ACK) {
                Ok(first) => {
                    answers.extend((0..).zip(chunk).map(|(n, _)| self.answers(first.wrapping_add(n), |_, _| true)))
                }
                Err(refused) => answers.extend(chunk.iter().map(|_| Err(refused.clone()))),
            }
        }
        answers
    }

    /// Sends one request and gives its one answer.
    ///
    /// # Errors
    ///
    /// The kernel's refusal, with its errno and its own text.
    pub fn get(&self, kind: u16, body: &[u8]) -> Result<Message, Refused> {
        let request = Request { kind, flags: 0, body: body.to_vec() };
        let sequence = self.send(std::slice::from_ref(&request), 0)?;
        let mut answer = None;
        self.answers(sequence, |kind, body| {
            answer = Some(Message { kind, body: body.to_vec() });
            true
        })?;
        answer.ok_or_else(|| Refused::malformed("nothing in it"))
    }

    /// Carries out requests as one transaction: a subsystem of netfilter takes changes in no other way.
    ///
    /// # Errors
    ///
    /// The refusal of the first request that failed; none of them is in force then.
    pub fn commit(&self, subsystem: u8, mut requests: Vec<Request>) -> Result<(), Refused> {
        /// `NFNL_MSG_BATCH_*` of `include/uapi/linux/netfilter/nfnetlink.h`.
        const BEGIN: u16 = 0x10;
        const END: u16 = 0x11;
        let edge = |kind| Request { kind, flags: 0, body: vec![0, 0, 0, subsystem] };
        // What is refused is answered in any case, and a transaction that is refused as a whole as its beginning.
        if let Some(last) = requests.last_mut() {
            last.flags |= NLM_F_ACK;
        }
        let count = u32::try_from(requests.len()).unwrap_or(u32::MAX);
        requests.insert(0, edge(BEGIN));
        requests.push(edge(END));
        // It has to be sent in one piece; who may not ask for the room is reported that the message is too long.
        let length: usize = requests.iter().map(|request| HEAD + request.body.len()).sum();
        if length > SEND_ROOM {
            let _ = setsockopt(&self.inner, sockopt::SndBufForce, &(2 * length));
        }
        let first = self.send(&requests, 0)?;
        self.answers_within(first..=first.wrapping_add(count), |_, _| true)
    }

    /// All messages of a dump. A kernel that says that something changed meanwhile is asked again.
    ///
    /// # Errors
    ///
    /// The kernel's refusal, or `EINTR` if its tables never stay the same for as long as a dump takes.
    pub fn dump(&self, kind: u16, body: &[u8]) -> Result<Vec<Message>, Refused> {
        let request = Request { kind, flags: 0, body: body.to_vec() };
        let start = Instant::now();
        loop {
            let mut messages = Vec::new();
            let sequence = self.send(std::slice::from_ref(&request), NLM_F_DUMP)?;
            let whole = self.answers(sequence, |kind, body| {
                messages.push(Message { kind, body: body.to_vec() });
                false
            });
            match whole {
                Ok(()) => return Ok(messages),
                Err(refused) if refused.errno == libc::EINTR && start.elapsed() < UNREST => {}
                Err(refused) if refused.errno == libc::EINTR => {
                    return Err(Refused {
                        errno: libc::EAGAIN,
                        text: Some("it changes faster than it can be read".to_owned()),
                    });
                }
                Err(refused) => return Err(refused),
            }
        }
    }

    /// Overwrites what this thread received last, which may have keys in it.
    pub fn wipe(&self) {
        ROOM.with(|room| {
            let mut answer = room.take();
            answer.zeroize();
            room.set(answer);
        });
    }

    /// Sends `requests` in one call; the number of the first, the others follow.
    fn send(&self, requests: &[Request], flags: u16) -> Result<u32, Refused> {
        let first = self.sequence.get();
        let mut bytes = Vec::with_capacity(requests.len() * 256);
        for request in requests {
            let length = HEAD + request.body.len();
            let sequence = self.sequence.replace(self.sequence.get().wrapping_add(1).max(1));
            bytes.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_ne_bytes());
            bytes.extend_from_slice(&request.kind.to_ne_bytes());
            bytes.extend_from_slice(&(request.flags | flags | NLM_F_REQUEST).to_ne_bytes());
            bytes.extend_from_slice(&sequence.to_ne_bytes());
            bytes.extend_from_slice(&[0; 4]);
            bytes.extend_from_slice(&request.body);
            bytes.resize(padded(bytes.len()), 0);
        }
        let sent = self
            .inner
            .send(&bytes, 0)
            .map_err(|e| Refused { errno: e.raw_os_error().unwrap_or(libc::EIO), text: None });
        // There may be a key in it.
        bytes.zeroize();
        sent.map(|_| first)
    }

    /// Reads what answers request `sequence`, message by message, until it is closed or `take` has enough.
    fn answers(&self, sequence: u32, take: impl FnMut(u16, &[u8]) -> bool) -> Result<(), Refused> {
        self.answers_within(sequence..=sequence, take)
    }

    /// [`Self::answers`] to any of several requests.
    fn answers_within(
        &self,
        sequences: RangeInclusive<u32>,
        take: impl FnMut(u16, &[u8]) -> bool,
    ) -> Result<(), Refused> {
        ROOM.with(|room| {
            let mut buffer = room.take();
            buffer.resize(ANSWER, 0);
            let answered = self.read(&mut buffer, &sequences, take);
            room.set(buffer);
            answered
        })
    }

    fn read(
        &self,
        buffer: &mut [u8],
        sequences: &RangeInclusive<u32>,
        mut take: impl FnMut(u16, &[u8]) -> bool,
    ) -> Result<(), Refused> {
        let mut interrupted = false;
        loop {
            let length = self.receive(buffer)?;
            let mut rest = buffer.get(..length).ok_or_else(|| Refused::malformed("longer than any answer"))?;
            while let Some((head, body, next)) = split(rest) {
                rest = next;
                if !sequences.contains(&head.sequence) {
                    continue;
                }
                interrupted |= head.flags & NLM_F_DUMP_INTR != 0;
                match head.kind {
                    NLMSG_NOOP => {}
                    NLMSG_ERROR => return acknowledged(&head, body),
                    NLMSG_DONE => return done(body, interrupted),
                    kind if take(kind, body) => return Ok(()),
                    _ => {}
                }
            }
            if !rest.is_empty() {
                return Err(Refused::malformed("torn"));
            }
        }
    }

    fn receive(&self, buffer: &mut [u8]) -> Result<usize, Refused> {
        loop {
            match recv(self.inner.as_raw_fd(), buffer, MsgFlags::MSG_TRUNC) {
                Ok(0) => return Err(Refused::malformed("empty")),
                Ok(length) => return Ok(length),
                Err(Errno::EINTR) => {}
                Err(Errno::EAGAIN) => {
                    return Err(Refused {
                        errno: libc::ETIMEDOUT,
                        text: Some(format!("the kernel did not answer for {PATIENCE} seconds")),
                    });
                }
                Err(e) => return Err(Refused::os(e)),
            }
        }
    }
}

#[cfg(test)]
mod tests;
