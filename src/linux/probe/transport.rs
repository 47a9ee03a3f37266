//! TCP connections and datagrams.

use super::wire::{Until, Why, millis};
use nix::errno::Errno;
use nix::poll::PollFlags;
use nix::sys::socket::{
    AddressFamily, SockFlag, SockType, SockaddrStorage, connect, getsockopt, setsockopt, socket, sockopt,
};
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, UdpSocket};
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::Instant;

/// Opens a connection.
///
/// # Errors
///
/// Why it failed: refused, unreachable, the timeout.
pub fn tcp(to: SocketAddr, until: &Until<'_>) -> Result<String, Why> {
    let begin = Instant::now();
    open(to, until).map(|_| format!("connected in {}", millis(begin.elapsed())))
}

/// A connection that neither reads nor writes longer than it is let.
///
/// # Errors
///
/// Why it failed: refused, unreachable, the timeout.
pub fn open(to: SocketAddr, until: &Until<'_>) -> Result<TcpStream, Why> {
    let family = if to.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 };
    let socket = socket(family, SockType::Stream, SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK, None)
        .map_err(|errno| Why::Broken(format!("open a TCP socket: {}", errno.desc().to_lowercase())))?;
    let what = format!("connect to {to}");
    match connect(socket.as_raw_fd(), &SockaddrStorage::from(to)) {
        Ok(()) => {}
        Err(Errno::EINPROGRESS) => {
            until.wait(&socket, PollFlags::POLLOUT, &format!("no connection to {to}"))?;
            match getsockopt(&socket, sockopt::SocketError).map(Errno::from_raw) {
                Ok(Errno::UnknownErrno) => {}
                Ok(errno) | Err(errno) => return Err(Why::os(&what, errno)),
            }
        }
        Err(errno) => return Err(Why::os(&what, errno)),
    }
    Ok(TcpStream::from(socket))
}

/// Sends a datagram and waits for an answer, or without `reply` for a refusal that does not come.
///
/// # Errors
///
/// Why it failed: refused, unreachable, no answer in time.
pub fn udp(to: SocketAddr, send: &str, reply: bool, until: &Until<'_>) -> Result<String, Why> {
    let begin = Instant::now();
    let socket = datagrams(to)?;
    socket.send(send.as_bytes()).map_err(|error| Why::io(&format!("send to {to}"), &error))?;
    let mut answer = [0; 2048];
    match receive(&socket, to, &mut answer, until) {
        Ok(length) => Ok(format!("{length} bytes answered in {}", millis(begin.elapsed()))),
        Err(Why::Late(_)) if !reply => Ok("it was not refused".to_owned()),
        Err(why) => Err(why),
    }
}

/// A socket that talks to one address alone.
///
/// # Errors
///
/// If there is no route to the address.
pub fn datagrams(to: SocketAddr) -> Result<UdpSocket, Why> {
    let any: SocketAddr =
        if to.is_ipv4() { (Ipv4Addr::UNSPECIFIED, 0).into() } else { (Ipv6Addr::UNSPECIFIED, 0).into() };
    let made = UdpSocket::bind(any).and_then(|socket| socket.set_nonblocking(true).map(|()| socket));
    let socket = made.map_err(|error| Why::Broken(format!("open a UDP socket: {error}")))?;
    told_of_errors(
        &OwnedFd::from(socket.try_clone().map_err(|error| Why::Broken(format!("open a UDP socket: {error}")))?),
        to.is_ipv4(),
    );
    socket.connect(to).map_err(|error| Why::io(&format!("reach {to}"), &error))?;
    Ok(socket)
}

/// Has the socket notified of every ICMP error, not of refused ports alone: an unreachable host is known at once then,
/// and not by silence.
pub fn told_of_errors(socket: &OwnedFd, v4: bool) {
    // Without it the same is known later.
    let _ = if v4 {
        setsockopt(socket, sockopt::Ipv4RecvErr, &true)
    } else {
        setsockopt(socket, sockopt::Ipv6RecvErr, &true)
    };
}

/// The next datagram.
///
/// # Errors
///
/// If it was refused, or none comes in time.
pub fn receive(socket: &UdpSocket, from: SocketAddr, buffer: &mut [u8], until: &Until<'_>) -> Result<usize, Why> {
    loop {
        until.wait(socket, PollFlags::POLLIN, &format!("no answer from {from}"))?;
        match socket.recv(buffer) {
            Ok(length) => return Ok(length),
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {}
            Err(error) => return Err(Why::io(&format!("ask {from}"), &error)),
        }
    }
}
