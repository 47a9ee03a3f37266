//! ICMP echo, with a raw socket of our own: no program has to be there, and a group that may ping does not matter.

use super::transport::told_of_errors;
use super::wire::{Until, Why, millis};
use nix::errno::Errno;
use nix::poll::PollFlags;
use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, SockaddrStorage, connect, recv, send, socket,
};
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// Length of the ICMP header.
const HEAD: usize = 8;

/// How many pings there were: each has a number of its own, which its answers repeat.
static PINGS: AtomicU32 = AtomicU32::new(0);

/// Sends `count` echo requests with `size` bytes of data each, the next after the answer to the one before.
///
/// # Errors
///
/// Why it failed: no answer in time, or an ICMP error.
pub fn ping(to: IpAddr, count: u32, size: usize, until: &Until<'_>) -> Result<String, Why> {
    let socket = open(to)?;
    let token = std::process::id().wrapping_shl(16) ^ PINGS.fetch_add(1, Ordering::Relaxed);
    let mut slowest = Duration::ZERO;
    for sequence in 1..=u16::try_from(count).unwrap_or(u16::MAX) {
        let echo = Echo { to, token, sequence };
        slowest = slowest.max(echo.one(&socket, size, until)?);
    }
    Ok(if count == 1 {
        format!("answered in {}", millis(slowest))
    } else {
        format!("{count} of {count} answered, the slowest in {}", millis(slowest))
    })
}

fn open(to: IpAddr) -> Result<OwnedFd, Why> {
    let (family, protocol) = if to.is_ipv4() {
        (AddressFamily::Inet, SockProtocol::Icmp)
    } else {
        (AddressFamily::Inet6, SockProtocol::IcmpV6)
    };
    let socket = socket(family, SockType::Raw, SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK, protocol)
        .map_err(|errno| Why::Broken(format!("open an ICMP socket: {}", errno.desc().to_lowercase())))?;
    told_of_errors(&socket, to.is_ipv4());
    // Connected, it gets what comes from that address alone, and the ICMP errors about it.
    connect(socket.as_raw_fd(), &SockaddrStorage::from(SocketAddr::new(to, 0)))
        .map_err(|errno| Why::os(&format!("reach {to}"), errno))?;
    Ok(socket)
}

/// One request.
struct Echo {
    to: IpAddr,
    token: u32,
    sequence: u16,
}

impl Echo {
    /// Sends it, waits for its answer, and says how long that took.
    fn one(&self, socket: &OwnedFd, size: usize, until: &Until<'_>) -> Result<Duration, Why> {
        let (packet, what) = (self.packet(size), format!("ping {}", self.to));
        let begin = Instant::now();
        let say = || match send(socket.as_raw_fd(), &packet, MsgFlags::empty()) {
            Ok(_) | Err(Errno::EAGAIN) => Ok(()),
            // The path takes less in one piece, which the kernel has just learned: the next one goes in several.
            Err(Errno::EMSGSIZE) => send(socket.as_raw_fd(), &packet, MsgFlags::empty()).map(|_| ()),
            Err(errno) => Err(errno),
        };
        say().map_err(|errno| Why::os(&what, errno))?;
        let mut buffer = vec![0; 65_536];
        loop {
            until.wait(socket, PollFlags::POLLIN, &format!("no answer from {}", self.to))?;
            match recv(socket.as_raw_fd(), &mut buffer, MsgFlags::empty()) {
                Ok(length) if self.is_answer(buffer.get(..length).unwrap_or_default()) => return Ok(begin.elapsed()),
                Ok(_) | Err(Errno::EAGAIN | Errno::EINTR) => {}
                Err(Errno::EMSGSIZE) => say().map_err(|errno| Why::os(&what, errno))?,
                Err(errno) => return Err(Why::os(&what, errno)),
            }
            // What the queue of errors holds would be reported again and again.
            while recv(socket.as_raw_fd(), &mut buffer, MsgFlags::MSG_ERRQUEUE).is_ok() {}
        }
    }

    /// The request: type, code, checksum, identifier, sequence number, and data that begins with the whole token.
    fn packet(&self, size: usize) -> Vec<u8> {
        let kind = if self.to.is_ipv4() { 8 } else { 128 };
        let mut packet = vec![kind, 0, 0, 0];
        packet.extend_from_slice(&self.identifier());
        packet.extend_from_slice(&self.sequence.to_be_bytes());
        packet.extend_from_slice(&self.token.to_be_bytes());
        packet.resize(HEAD + size.max(4), 0x74);
        // For IPv6 the kernel writes it, because addresses are in it (RFC 3542, 3.1).
        if self.to.is_ipv4()
            && let Some(field) =
                packet.get(..).map(checksum).and_then(|sum| packet.get_mut(2..4).map(|field| (field, sum)))
        {
            field.0.copy_from_slice(&field.1.to_be_bytes());
        }
        packet
    }

    fn identifier(&self) -> [u8; 2] {
        let [.., high, low] = self.token.to_be_bytes();
        [high, low]
    }

    /// Whether a packet is the answer. With IPv4 it begins with its IP header.
    fn is_answer(&self, packet: &[u8]) -> bool {
        let icmp = match (self.to.is_ipv4(), packet.first()) {
            (true, Some(first)) => packet.get(usize::from(first & 0x0f) * 4..),
            (true, None) => None,
            (false, _) => Some(packet),
        };
        let Some([kind, 0, _, _, id_high, id_low, high, low, token @ ..]) = icmp else { return false };
        let expected = if self.to.is_ipv4() { 0 } else { 129 };
        *kind == expected
            && [*id_high, *id_low] == self.identifier()
            && [*high, *low] == self.sequence.to_be_bytes()
            && token.starts_with(&self.token.to_be_bytes())
    }
}

/// The Internet checksum (RFC 1071).
pub fn checksum(bytes: &[u8]) -> u16 {
    let words = bytes.chunks(2).map(|pair| {
        u32::from(u16::from_be_bytes([pair.first().copied().unwrap_or(0), pair.get(1).copied().unwrap_or(0)]))
    });
    let mut sum: u32 = words.fold(0, |sum, word| sum.wrapping_add(word));
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !u16::try_from(sum).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_of_a_request_is_right() {
        let echo = Echo { to: "10.0.0.1".parse().unwrap(), token: 0x1234_5678, sequence: 1 };
        let packet = echo.packet(57);
        assert_eq!((packet.len(), checksum(&packet)), (65, 0));
    }

    #[test]
    fn answers_are_told_from_others() {
        let echo = Echo { to: "fd00::1".parse().unwrap(), token: 0x1234_5678, sequence: 1 };
        let mut answer = echo.packet(16);
        assert!(!echo.is_answer(&answer), "a request is none");
        answer[0] = 129;
        assert!(echo.is_answer(&answer));
        assert!(!Echo { sequence: 2, ..echo }.is_answer(&answer));
        for length in 0..12 {
            assert!(!echo.is_answer(&answer[..length]));
        }
        let four = Echo { to: "10.0.0.1".parse().unwrap(), token: 7, sequence: 3 };
        let mut answer = vec![0x45; 20];
        answer.extend(four.packet(16));
        answer[20] = 0;
        assert!(four.is_answer(&answer));
        assert!(!four.is_answer(&[0x4f]));
        assert!(!four.is_answer(&[]));
    }
}
