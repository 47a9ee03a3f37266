//! Packets that are sent whole or not at all (`IP_MTU_DISCOVER`, ip(7)).
#![allow(missing_docs, reason = "the macro makes the types")]

use nix::errno::Errno;
use nix::libc;
use nix::sys::socket::setsockopt;
use nix::{getsockopt_impl, setsockopt_impl, sockopt_impl};
use std::os::fd::OwnedFd;

sockopt_impl!(MtuDiscover, Both, libc::IPPROTO_IP, libc::IP_MTU_DISCOVER, i32);
sockopt_impl!(MtuDiscover6, Both, libc::IPPROTO_IPV6, libc::IPV6_MTU_DISCOVER, i32);

/// Has the socket send what does not fit into the path's MTU not in fragments, but fail.
///
/// # Errors
///
/// The kernel's refusal.
pub fn keep_whole(socket: &OwnedFd, v4: bool) -> Result<(), Errno> {
    if v4 {
        setsockopt(socket, MtuDiscover, &libc::IP_PMTUDISC_DO)
    } else {
        setsockopt(socket, MtuDiscover6, &libc::IPV6_PMTUDISC_DO)
    }
}
