//! Checks of a network: what is tried from a node, what is expected of it, and what came of it.

use super::{Node, Origin};
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// The most checks of one topology.
pub const MAX_CHECKS: usize = 1_000;

/// Something that is tried from a node.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Check {
    /// Its name, where the file gives it one.
    pub name: Option<String>,
    /// The node it is tried from.
    pub from: Node,
    /// What is tried.
    pub probe: Probe,
    /// How the file wrote what is tried (`ping BLUE/eth0`): one line for a user.
    pub words: String,
    /// Whether it is expected to work.
    pub expect: bool,
    /// How many more times it is tried while the result is not the expected one.
    pub retries: u32,
    /// How long one try may take.
    pub timeout: Duration,
    /// Where it stands.
    pub origin: Origin,
}

impl Check {
    /// The name, or what is tried from where: distinguishes it from most others.
    pub fn title(&self) -> String {
        self.name.clone().unwrap_or_else(|| format!("{}: {}", self.from, self.words))
    }

    /// `pass` or `fail`, as the file writes it.
    pub fn expected(&self) -> &'static str {
        if self.expect { "pass" } else { "fail" }
    }
}

/// What is tried.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Probe {
    /// ICMP echo requests, one after the other; each is to be answered.
    Ping {
        /// Who is asked.
        to: IpAddr,
        /// How many.
        count: u32,
        /// How many bytes of data each has.
        size: usize,
    },
    /// A TCP connection.
    Tcp {
        /// Where to.
        to: SocketAddr,
    },
    /// A datagram.
    Udp {
        /// Where to.
        to: SocketAddr,
        /// What is in it.
        send: String,
        /// Whether an answer is needed; else it is enough that nothing refuses it.
        reply: bool,
    },
    /// A GET request.
    Http {
        /// Who is asked.
        host: HttpHost,
        /// The port.
        port: u16,
        /// What the request says of the host.
        authority: String,
        /// The path and query that are asked for.
        path: String,
        /// The status that the answer is to have; any below 400 where none is said.
        status: Option<u16>,
        /// A text that is to be in its body.
        contains: Option<String>,
    },
    /// A question to a name server.
    Dns {
        /// The name that is looked up.
        name: String,
        /// Whether addresses of IPv6 are asked for (AAAA), not of IPv4 (A).
        six: bool,
        /// Who is asked; the first name server of the node's resolv.conf where the file names none.
        server: Option<SocketAddr>,
        /// The address that is to be among the answers.
        address: Option<IpAddr>,
    },
    /// A program and its arguments, without a shell between.
    Command {
        /// The program, then its arguments.
        run: Vec<String>,
    },
}

/// The host of a URL.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum HttpHost {
    /// An address, written so or known from the file.
    Address(IpAddr),
    /// A name that the node's name server is asked for, and whether for an address of IPv6.
    Name(String, bool),
}

impl Probe {
    /// Its kind, as the file writes it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Ping { .. } => "ping",
            Self::Tcp { .. } => "tcp",
            Self::Udp { .. } => "udp",
            Self::Http { .. } => "http",
            Self::Dns { .. } => "dns",
            Self::Command { .. } => "command",
        }
    }
}

/// What came of one try, or of all of them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Tried {
    /// It worked; what was seen, in a few words.
    Worked(String),
    /// It did not work; why not.
    Failed(String),
    /// It could not be tried: no such node, no such program, no time left. That is never what was expected.
    Broken(String),
    /// It was not to be tried.
    Skipped(String),
}

impl Tried {
    /// What was seen, or why not.
    pub fn reason(&self) -> &str {
        match self {
            Self::Worked(text) | Self::Failed(text) | Self::Broken(text) | Self::Skipped(text) => text,
        }
    }
}

/// What came of a check.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Outcome {
    /// What came of the last try.
    pub tried: Tried,
    /// How many times it was tried.
    pub tries: u32,
    /// How long it took, all tries and the pauses between them.
    pub took: Duration,
}

/// The verdict over a check.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// As expected.
    Passed,
    /// Not as expected.
    Failed,
    /// It could not be tried.
    Error,
    /// It was not to be tried.
    Skipped,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Error => "error",
            Self::Skipped => "skipped",
        })
    }
}

impl Outcome {
    /// What it means for `check`.
    pub fn verdict(&self, check: &Check) -> Verdict {
        match &self.tried {
            Tried::Worked(_) if check.expect => Verdict::Passed,
            Tried::Failed(_) if !check.expect => Verdict::Passed,
            Tried::Worked(_) | Tried::Failed(_) => Verdict::Failed,
            Tried::Broken(_) => Verdict::Error,
            Tried::Skipped(_) => Verdict::Skipped,
        }
    }
}
