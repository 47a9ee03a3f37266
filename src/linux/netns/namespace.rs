//! Namespaces as resources: made with their mark and from the kernel's own defaults, marked again, removed; and how
//! they name each other.

use super::{Netns, sysctl};
use crate::kernel::Error;
use crate::linux::netlink::attributes::{Attributes, Writer};
use crate::linux::netlink::link;
use crate::linux::netlink::socket::{Refused, Request, Socket};
use crate::linux::netns;
use crate::linux::store::record::is_name;
use crate::resource::mark::mark;
use crate::resource::{Name, Node, Sysctl};
use nix::libc;
use std::os::fd::{AsFd, AsRawFd};
use std::sync::OnceLock;

/// The number that `lo` has in every namespace (`LOOPBACK_IFINDEX`).
const LOOPBACK: u32 = 1;

/// What a fresh namespace would inherit from the machine, and starts without: 0 is the kernel's own default of each.
///
/// `accept_dad` is 1 in the kernel: in a namespace of ours duplicate address detection is off unless an interface turns
/// it on, also for link-local addresses, without which no neighbour is found (`ndisc_send_ns`) for up to two seconds.
const DEFAULTS: [&str; 12] = [
    Sysctl::FORWARDING_V4,
    "net/ipv4/conf/default/forwarding",
    "net/ipv4/conf/all/rp_filter",
    "net/ipv4/conf/default/rp_filter",
    "net/ipv4/conf/all/promote_secondaries",
    "net/ipv4/conf/default/promote_secondaries",
    Sysctl::FORWARDING_V6,
    "net/ipv6/conf/default/forwarding",
    "net/ipv6/conf/default/accept_dad",
    "net/ipv6/conf/all/disable_ipv6",
    "net/ipv6/conf/default/disable_ipv6",
    "net/ipv6/conf/lo/disable_ipv6",
];

/// Which of [`DEFAULTS`] a fresh namespace has otherwise. All fresh ones have the same, so that one look is enough for
/// a batch.
#[derive(Default)]
pub struct Inherited(OnceLock<Vec<&'static str>>);

impl Inherited {
    /// Puts the calling thread's namespace, which is fresh, to the defaults. A setting that this kernel does not have
    /// needs nothing.
    fn clear(&self) -> Result<(), Error> {
        let differs = |key: &&str| sysctl::read(key).is_ok_and(|value| value != "0");
        self.0
            .get_or_init(|| DEFAULTS.into_iter().filter(differs).collect())
            .iter()
            .try_for_each(|key| sysctl::write(key, "0"))
    }
}

/// Makes the namespace of `node`; the calling thread is inside afterwards. An empty file of its name that `claimed`
/// says is ours gives way.
///
/// # Errors
///
/// If the name is taken ([`ErrorKind::Taken`]), privileges are missing, or the mark cannot be set.
pub fn create(topology: &Name, node: &Node, inherited: &Inherited, claimed: bool) -> Result<(), Error> {
    if claimed && netns::is_leftover(node.as_str()) {
        netns::remove(node.as_str())?;
    }
    netns::create(node.as_str(), || {
        set_mark(&Socket::open()?, topology).map_err(|refused| {
            refused.error(format!("ip -n {} link set lo alias {}", node.as_str(), mark(topology)))
        })?;
        inherited.clear()
    })
}

/// Gives the namespace of the socket its mark.
///
/// # Errors
///
/// The kernel's refusal, with its errno and its own text.
pub fn set_mark(socket: &Socket, topology: &Name) -> Result<(), Refused> {
    set_alias(socket, &mark(topology))
}

/// Gives the `lo` of the namespace of the socket an alias; an empty one takes it away.
///
/// # Errors
///
/// The kernel's refusal, with its errno and its own text.
pub fn set_alias(socket: &Socket, alias: &str) -> Result<(), Refused> {
    let mut body = Writer::new(&link::head(LOOPBACK, None));
    body.put(link::IFALIAS, alias.as_bytes());
    socket.request(&Request { kind: link::NEW, flags: 0, body: body.bytes().to_vec() })
}

/// The alias of `lo` in the namespace of the socket.
///
/// # Errors
///
/// The kernel's refusal, with its errno and its own text.
pub fn alias(socket: &Socket) -> Result<Option<String>, Refused> {
    Ok(link::get(socket, Writer::new(&link::head(LOOPBACK, None)))?.alias)
}

/// The topology that a mark names. What goes on otherwise than with a name that a topology can have is another
/// program's note.
pub fn topology_of(alias: &str) -> Option<&str> {
    alias.strip_prefix("topo:").filter(|name| is_name(name))
}

const GET_NSID: u16 = 90;
// `NETNSA_*` of `include/uapi/linux/net_namespace.h`.
const NSID: u16 = 1;
const FD: u16 = 3;

/// The number by which the socket's namespace knows `other`; `None` where it has none for it.
///
/// # Errors
///
/// The kernel's refusal, with its errno and its own text.
pub fn nsid(socket: &Socket, other: &Netns) -> Result<Option<i32>, Refused> {
    let mut body = Writer::new(&[0]);
    body.u32(FD, other.as_fd().as_raw_fd().cast_unsigned());
    let answer = socket.get(GET_NSID, body.bytes())?;
    Ok(Attributes::after(&answer.body, 1).i32(NSID).filter(|nsid| *nsid >= 0))
}

/// Whether the namespace that the socket's knows by this number is not being taken down: from then on until its links
/// are gone the kernel does not find it.
///
/// # Errors
///
/// The kernel's refusal, with its errno and its own text.
pub fn is_there(socket: &Socket, nsid: i32) -> Result<bool, Refused> {
    let mut body = Writer::new(&[0]);
    body.put(NSID, &nsid.to_ne_bytes());
    match socket.get(GET_NSID, body.bytes()) {
        Err(refused) if refused.errno == libc::ENOENT => Ok(false),
        // Before 4.20 it could not be asked for by its number.
        Ok(_) | Err(Refused { errno: libc::EINVAL | libc::EOPNOTSUPP, .. }) => Ok(true),
        Err(refused) => Err(refused),
    }
}
