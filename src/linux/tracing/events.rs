//! What the kernel reports of traced packets (`NFT_MSG_TRACE`).

use super::frame;
use crate::kernel::Error;
use crate::linux::netlink::attributes::Attributes;
use crate::linux::netlink::message::read_packet;
use crate::linux::object::nft::generation::{NFTABLES, family_word};
use crate::resource::sighting::{Head, RuleSeen};
use netlink_sys::protocols::NETLINK_NETFILTER;
use nix::sys::socket::{MsgFlags, recv, setsockopt, sockopt};
use std::collections::HashMap;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

/// `NFNLGRP_NFTRACE`.
const GROUP: u32 = 9;
/// `NFT_MSG_TRACE`.
const TRACE: u16 = NFTABLES | 17;
/// Length of `struct nfgenmsg`.
const HEAD: usize = 4;
/// Room for what is not read at once.
const ROOM: usize = 4 << 20;
/// `NFTA_TRACE_*`.
const TABLE: u16 = 1;
const CHAIN: u16 = 2;
const HANDLE: u16 = 3;
const KIND: u16 = 4;
const VERDICT: u16 = 5;
const ID: u16 = 6;
const NETWORK: u16 = 8;
const CARRIED: u16 = 9;
const INPUT: u16 = 10;
const OUTPUT: u16 = 12;
const POLICY: u16 = 16;
/// `NFT_TRACETYPE_POLICY`.
const BY_POLICY: u32 = 1;

/// A socket that hears of traced packets in its namespace.
pub struct Events {
    socket: netlink_sys::Socket,
}

impl AsFd for Events {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl Events {
    /// Listens in the calling thread's namespace.
    ///
    /// # Errors
    ///
    /// If the kernel gives no socket, or no privileges to listen.
    pub fn open() -> Result<Self, Error> {
        let io = |error: std::io::Error| Error::io("listen to the tracing of nftables", &error);
        let mut socket = netlink_sys::Socket::new(NETLINK_NETFILTER).map_err(io)?;
        socket.bind_auto().map_err(io)?;
        socket.add_membership(GROUP).map_err(io)?;
        socket.set_non_blocking(true).map_err(io)?;
        // Who may not ask for more room has less.
        let _ = setsockopt(&socket, sockopt::RcvBufForce, &ROOM);
        Ok(Self { socket })
    }

    /// Reads what there is; whether some was lost because there was no room.
    pub fn read(&self, buffer: &mut [u8], names: &HashMap<u32, String>, mut take: impl FnMut(RuleSeen)) -> bool {
        loop {
            match recv(self.socket.as_raw_fd(), buffer, MsgFlags::empty()) {
                Ok(length) => {
                    read_packet(buffer.get(..length).unwrap_or_default(), |kind, body| {
                        if let Some(seen) = (kind == TRACE).then(|| event(body, names)).flatten() {
                            take(seen);
                        }
                    });
                }
                Err(nix::errno::Errno::EINTR) => {}
                Err(errno) => return errno == nix::errno::Errno::ENOBUFS,
            }
        }
    }
}

/// One report.
pub fn event(body: &[u8], names: &HashMap<u32, String>) -> Option<RuleSeen> {
    let attributes = Attributes::after(body, HEAD);
    let family = family_word(*body.first()?)?;
    let be32 = |kind| attributes.get(kind)?.first_chunk().map(|bytes| u32::from_be_bytes(*bytes));
    let name = |kind| be32(kind).map(|index| names.get(&index).cloned().unwrap_or_else(|| format!("#{index}")));
    let by_policy = be32(KIND) == Some(BY_POLICY);
    let verdict = if by_policy {
        match be32(POLICY) {
            Some(0) => "drop".to_owned(),
            _ => "accept".to_owned(),
        }
    } else {
        verdict(attributes.inner(VERDICT))
    };
    Some(RuleSeen {
        packet: be32(ID)?,
        family: family.to_owned(),
        table: attributes.text(TABLE)?,
        chain: attributes.text(CHAIN)?,
        handle: attributes.get(HANDLE).and_then(|bytes| bytes.first_chunk()).map(|bytes| u64::from_be_bytes(*bytes)),
        text: None,
        verdict,
        policy: by_policy,
        input: name(INPUT),
        output: name(OUTPUT),
        head: heads(attributes),
    })
}

fn heads(attributes: Attributes<'_>) -> Option<Head> {
    let mut head = frame::head(attributes.get(NETWORK)?)?;
    head.transport = frame::transport(head.protocol, attributes.get(CARRIED).unwrap_or_default());
    Some(head)
}

/// `NF_DROP` and so on of `include/uapi/linux/netfilter.h`, `NFT_CONTINUE` and so on of `nf_tables.h`.
fn verdict(attributes: Attributes<'_>) -> String {
    let code = attributes.get(1).and_then(|bytes| bytes.first_chunk()).map(|bytes| i32::from_be_bytes(*bytes));
    let chain = attributes.text(2).unwrap_or_default();
    match code {
        Some(0) => "drop".to_owned(),
        Some(1) => "accept".to_owned(),
        Some(2) => "stolen".to_owned(),
        Some(3) => "queue".to_owned(),
        Some(-3) => format!("jump {chain}"),
        Some(-4) => format!("goto {chain}"),
        Some(-5) => "return".to_owned(),
        _ => "continue".to_owned(),
    }
}
