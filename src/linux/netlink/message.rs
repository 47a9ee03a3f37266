//! Netlink messages: their heads, and what acknowledgements and the ends of dumps say.

use super::attributes::{Attributes, padded, u16_at, u32_at};
use crate::kernel::{Error, ErrorKind};
use nix::errno::Errno;
use nix::libc;

/// Length of `struct nlmsghdr`.
pub(super) const HEAD: usize = 16;
pub(super) const NLM_F_DUMP_INTR: u16 = 0x10;
pub(super) const NLM_F_CAPPED: u16 = 0x100;

/// What the kernel answered to a request that it refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The errno, positive.
    pub errno: i32,
    /// The kernel's own words, if it had any.
    pub text: Option<String>,
}

impl Refused {
    pub(super) fn os(error: Errno) -> Self {
        Self { errno: error as i32, text: None }
    }

    /// The answer is not what a kernel says.
    pub fn malformed(what: &str) -> Self {
        Self { errno: libc::EBADMSG, text: Some(format!("malformed answer: {what}")) }
    }

    /// The error of having `tried` it.
    pub fn error(&self, tried: impl Into<String>) -> Error {
        let mut error = Error::os(tried, self.errno);
        if let Some(text) = &self.text {
            error.reason.clone_from(text);
            // Who may not is reported EPERM; this is about the link (`IPv6 is disabled on this device`).
            if self.errno == libc::EACCES {
                (error.kind, error.help) = (ErrorKind::Refused, None);
            }
            if matches!(text.as_str(), "Unknown device type" | "Specified qdisc kind is unknown") {
                error.kind = ErrorKind::Missing;
            }
        }
        error
    }
}

/// One message of an answer.
#[derive(Clone, Debug)]
pub struct Message {
    /// `RTM_*`.
    pub kind: u16,
    /// The fixed head and the attributes.
    pub body: Vec<u8>,
}

pub(super) const NLMSG_NOOP: u16 = 1;
pub(super) const NLMSG_ERROR: u16 = 2;
pub(super) const NLMSG_DONE: u16 = 3;

/// Reads a packet that came from anywhere: `take` gets each message with its type; errors and endings are read here.
/// Answers how many there were.
pub fn read_packet(packet: &[u8], mut take: impl FnMut(u16, &[u8])) -> usize {
    let (mut rest, mut count) = (packet, 0);
    while let Some((head, body, next)) = split(rest) {
        rest = next;
        count += 1;
        match head.kind {
            // What they say is for who asked.
            NLMSG_ERROR => _ = acknowledged(&head, body),
            NLMSG_DONE => _ = done(body, head.flags & NLM_F_DUMP_INTR != 0),
            kind => take(kind, body),
        }
    }
    count
}

/// The head of a message.
pub(super) struct Head {
    pub(super) kind: u16,
    pub(super) flags: u16,
    pub(super) sequence: u32,
}

/// The first message of an answer: its head, its body, and the rest. `None` at the end, and where the length makes no
/// sense.
pub(super) fn split(bytes: &[u8]) -> Option<(Head, &[u8], &[u8])> {
    let length = usize::try_from(u32_at(bytes, 0)?).ok()?;
    let head = Head { kind: u16_at(bytes, 4)?, flags: u16_at(bytes, 6)?, sequence: u32_at(bytes, 8)? };
    let body = bytes.get(HEAD..length)?;
    Some((head, body, bytes.get(padded(length)..).unwrap_or_default()))
}

/// What an error message says: an errno of 0 acknowledges.
pub(super) fn acknowledged(head: &Head, body: &[u8]) -> Result<(), Refused> {
    let errno = u32_at(body, 0).ok_or_else(|| Refused::malformed("an error without a number"))?.cast_signed();
    if errno == 0 {
        return Ok(());
    }
    // The request's head follows, and without the capping all of the request.
    let request = if head.flags & NLM_F_CAPPED != 0 {
        HEAD
    } else {
        usize::try_from(u32_at(body, 4).unwrap_or(16)).unwrap_or(HEAD)
    };
    Err(Refused { errno: errno.saturating_neg(), text: words(Attributes::after(body, request.saturating_add(4))) })
}

/// What the closing message of a dump says.
pub(super) fn done(body: &[u8], interrupted: bool) -> Result<(), Refused> {
    let errno = u32_at(body, 0).map_or(0, u32::cast_signed);
    match errno {
        0 if interrupted => Err(Refused { errno: libc::EINTR, text: None }),
        0 => Ok(()),
        _ => Err(Refused { errno: errno.saturating_neg(), text: words(Attributes::after(body, 4)) }),
    }
}

/// The kernel's own words (`NLMSGERR_ATTR_MSG`).
pub(super) fn words(attributes: Attributes<'_>) -> Option<String> {
    attributes.text(1).filter(|text| !text.is_empty())
}
