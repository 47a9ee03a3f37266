//! The probe: one echo request, one connection, one datagram.

use super::frame;
use super::whole::keep_whole;
use crate::linux::probe::ping::checksum;
use crate::linux::probe::transport::told_of_errors;
use crate::resource::sighting::{Answer, Transport};
use crate::resource::{Family, Protocol};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, SockaddrStorage, bind, connect, getsockopt, recv, send,
    setsockopt, socket, sockopt,
};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::time::{Duration, Instant};

/// What is to be sent.
#[derive(Clone, Debug)]
pub struct Order {
    /// What it carries.
    pub protocol: Protocol,
    /// Where it goes.
    pub to: IpAddr,
    /// The source address, where it is bound to one.
    pub source: Option<IpAddr>,
    /// The destination port; 0 for an echo request.
    pub port: u16,
    /// The source port; 0 for an echo request.
    pub source_port: u16,
    /// The mark of the socket.
    pub mark: u32,
    /// The length in bytes with the IP header, not to be fragmented; one that is usual where none is said.
    pub size: Option<u32>,
    /// The first four bytes of the data, by which it is distinguished from all others.
    pub token: u32,
    /// How long an answer is waited for.
    pub wait: Duration,
}

/// Length of the head of UDP, and of that of ICMP.
const HEAD: usize = 8;

impl Order {
    /// The number of the protocol.
    pub fn protocol_number(&self) -> u8 {
        self.protocol.number(Family::of(&self.to.into()))
    }

    /// The data, which begins with the token.
    fn data(&self, usual: usize) -> Vec<u8> {
        let ip = if self.to.is_ipv4() { 20 } else { 40 };
        let length = self.size.map_or(usual, |size| (size as usize).saturating_sub(ip + HEAD));
        let mut data = self.token.to_be_bytes().to_vec();
        data.resize(length.max(data.len()), 0x74);
        data
    }

    /// Sends it from the calling thread's namespace, and waits for what comes of it.
    pub fn send(&self) -> Answer {
        let begin = Instant::now();
        let answered = match self.protocol {
            Protocol::Icmp => self.ping(begin),
            Protocol::Tcp => self.connect(begin),
            Protocol::Udp => self.datagram(begin),
        };
        match answered {
            Ok(true) => Answer::Came(begin.elapsed()),
            Ok(false) => Answer::Silence,
            Err(errno) => Answer::Failed(errno.desc().to_lowercase()),
        }
    }

    fn open(&self, kind: SockType, protocol: Option<SockProtocol>) -> Result<OwnedFd, Errno> {
        let family = if self.to.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 };
        let socket = socket(family, kind, SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK, protocol)?;
        if self.mark != 0 {
            setsockopt(&socket, sockopt::Mark, &self.mark)?;
        }
        if self.size.is_some() {
            keep_whole(&socket, self.to.is_ipv4())?;
        }
        told_of_errors(&socket, self.to.is_ipv4());
        let any: IpAddr = if self.to.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
        let source = self.source.unwrap_or(any);
        if self.source.is_some() || self.source_port != 0 {
            bind(socket.as_raw_fd(), &SockaddrStorage::from(SocketAddr::new(source, self.source_port)))?;
        }
        Ok(socket)
    }

    fn to(&self) -> SockaddrStorage {
        SockaddrStorage::from(SocketAddr::new(self.to, self.port))
    }

    fn ping(&self, begin: Instant) -> Result<bool, Errno> {
        let protocol = if self.to.is_ipv4() { SockProtocol::Icmp } else { SockProtocol::IcmpV6 };
        let socket = self.open(SockType::Raw, Some(protocol))?;
        connect(socket.as_raw_fd(), &self.to())?;
        let [first, second, ..] = self.token.to_be_bytes();
        let mut packet = vec![if self.to.is_ipv4() { 8 } else { 128 }, 0, 0, 0, first, second, 0, 1];
        packet.extend(self.data(56));
        // For IPv6 the kernel writes it (RFC 3542, 3.1).
        if self.to.is_ipv4()
            && let [high, low] = checksum(&packet).to_be_bytes()
            && let Some(field) = packet.get_mut(2..4)
        {
            field.copy_from_slice(&[high, low]);
        }
        send(socket.as_raw_fd(), &packet, MsgFlags::empty())?;
        let mut buffer = [0; 2048];
        self.wait(&socket, begin, PollFlags::POLLIN, || {
            let length = recv(socket.as_raw_fd(), &mut buffer, MsgFlags::empty())?;
            let bytes = buffer.get(..length).unwrap_or_default();
            let behind = if self.to.is_ipv4() { usize::from(bytes.first().copied().unwrap_or(0) & 15) * 4 } else { 0 };
            let seen = frame::transport(self.protocol_number(), bytes.get(behind..).unwrap_or_default());
            let reply = if self.to.is_ipv4() { 0 } else { 129 };
            Ok(matches!(seen, Transport::Icmp { kind, token: Some(token) } if kind == reply && token == self.token))
        })
    }

    fn connect(&self, begin: Instant) -> Result<bool, Errno> {
        let socket = self.open(SockType::Stream, None)?;
        match connect(socket.as_raw_fd(), &self.to()) {
            Ok(()) => return Ok(true),
            Err(Errno::EINPROGRESS) => {}
            Err(errno) => return Err(errno),
        }
        self.wait(&socket, begin, PollFlags::POLLOUT, || {
            match getsockopt(&socket, sockopt::SocketError).map(Errno::from_raw)? {
                Errno::UnknownErrno => Ok(true),
                errno => Err(errno),
            }
        })
    }

    fn datagram(&self, begin: Instant) -> Result<bool, Errno> {
        let socket = self.open(SockType::Datagram, None)?;
        connect(socket.as_raw_fd(), &self.to())?;
        send(socket.as_raw_fd(), &self.data(20), MsgFlags::empty())?;
        let mut buffer = [0; 2048];
        self.wait(&socket, begin, PollFlags::POLLIN, || {
            recv(socket.as_raw_fd(), &mut buffer, MsgFlags::empty()).map(|_| true)
        })
    }

    /// Waits until `look` says that the answer is there; false where the time is over.
    fn wait(
        &self,
        socket: &OwnedFd,
        begin: Instant,
        flags: PollFlags,
        mut look: impl FnMut() -> Result<bool, Errno>,
    ) -> Result<bool, Errno> {
        loop {
            let left = self.wait.saturating_sub(begin.elapsed());
            if left.is_zero() {
                return Ok(false);
            }
            let timeout = PollTimeout::try_from(left.max(Duration::from_millis(1))).unwrap_or(PollTimeout::MAX);
            match poll(&mut [PollFd::new(socket.as_fd(), flags)], timeout) {
                Ok(0) | Err(Errno::EINTR) => continue,
                Ok(_) => {}
                Err(errno) => return Err(errno),
            }
            match look() {
                Ok(true) => return Ok(true),
                Ok(false) | Err(Errno::EAGAIN | Errno::EINTR) => {}
                Err(errno) => return Err(errno),
            }
        }
    }
}

/// A number for the data of a probe that no other has now: of the process and the time.
pub fn token() -> u32 {
    let time = super::taps::now();
    std::process::id().rotate_left(16) ^ time.subsec_nanos() ^ u32::try_from(time.as_secs() & 0xffff_ffff).unwrap_or(0)
}
