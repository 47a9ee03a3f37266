//! Packet sockets: what goes through the interfaces of a namespace (packet(7)).

use super::frame::{self, Discovery};
use crate::kernel::Error;
use crate::resource::sighting::Seen;
use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, ControlMessageOwned, LinkAddr, MsgFlags, SockFlag, SockProtocol, SockType, recvmsg, setsockopt,
    socket, sockopt,
};
use std::collections::HashMap;
use std::io::IoSliceMut;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// As much of a packet as is looked at: its heads, and those of a packet that an error is about.
const LONGEST: usize = 256;
/// Room for what is not read at once.
const ROOM: usize = 4 << 20;
/// `PACKET_OTHERHOST` and `PACKET_OUTGOING` of `include/uapi/linux/if_packet.h`.
const OTHER_HOST: u8 = 3;
const OUTGOING: u8 = 4;

/// A socket that sees every packet of its namespace, behind the link header.
pub struct Tap {
    socket: OwnedFd,
}

impl AsFd for Tap {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl Tap {
    /// Opens one in the calling thread's namespace.
    ///
    /// # Errors
    ///
    /// If the kernel gives no socket, or privileges are missing (`CAP_NET_RAW`).
    pub fn open() -> Result<Self, Error> {
        let tried = "open a packet socket";
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        let socket = socket(AddressFamily::Packet, SockType::Datagram, flags, SockProtocol::EthAll)
            .map_err(|errno| Error::os(tried, errno as i32))?;
        setsockopt(&socket, sockopt::ReceiveTimestampns, &true).map_err(|errno| Error::os(tried, errno as i32))?;
        // Who may not ask for more room has less.
        let _ = setsockopt(&socket, sockopt::RcvBufForce, &ROOM);
        Ok(Self { socket })
    }

    /// Reads what there is: each with the time that the kernel took it.
    pub fn read(&self, names: &HashMap<u32, String>, mut take: impl FnMut(Duration, Seen)) {
        let mut buffer = [0; LONGEST];
        let mut control = nix::cmsg_space!(nix::sys::time::TimeSpec);
        loop {
            let mut parts = [IoSliceMut::new(&mut buffer)];
            let received =
                recvmsg::<LinkAddr>(self.socket.as_raw_fd(), &mut parts, Some(&mut control), MsgFlags::empty());
            let (length, from, at) = match received {
                Ok(message) => {
                    let stamp = message.cmsgs().ok().and_then(|mut all| {
                        all.find_map(|one| match one {
                            ControlMessageOwned::ScmTimestampns(time) => Some(Duration::from(time)),
                            _ => None,
                        })
                    });
                    (message.bytes, message.address, stamp.unwrap_or_else(now))
                }
                Err(Errno::EINTR) => continue,
                Err(_) => return,
            };
            let (Some(from), Some(bytes)) = (from, buffer.get(..length)) else { continue };
            let index = u32::try_from(from.ifindex()).unwrap_or(0);
            let interface = names.get(&index).cloned().unwrap_or_else(|| format!("#{index}"));
            let out = from.pkttype() == OUTGOING;
            let protocol = u16::from_be(from.protocol());
            if let Some(Discovery { asks, target }) = frame::discovery(protocol, bytes) {
                match (asks, out) {
                    (true, true) => take(at, Seen::Asks { interface, target }),
                    (false, false) => take(at, Seen::Tells { interface, target }),
                    _ => {}
                }
            } else if let Some(head) =
                matches!(protocol, frame::IPV4 | frame::IPV6).then(|| frame::head(bytes)).flatten()
            {
                take(at, Seen::Packet { interface, out, stranger: from.pkttype() == OTHER_HOST, head });
            }
        }
    }
}

/// The time since the Unix epoch.
pub fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}
