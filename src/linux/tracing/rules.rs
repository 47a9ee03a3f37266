//! The rules that have the kernel report what a packet meets (`meta nftrace set 1`).

use super::sender::Order;
use crate::kernel::{Error, ErrorKind};
use crate::linux::netlink::attributes::Writer;
use crate::linux::netlink::socket::{CREATE, EXCLUSIVE, Refused, Request, Socket};
use crate::linux::object::nft::generation::{BRIDGE, INET, NFTABLES, SUBSYSTEM};
use crate::resource::Protocol;
use nix::libc;

/// How the names of tables begin; the token of the probe follows, so that two can be there. (Tables of topologies begin
/// with `topo-`.)
pub const TABLE: &str = "topo_trace_";
/// `NFT_MSG_*` of `include/uapi/linux/netfilter/nf_tables.h`.
const NEWTABLE: u16 = NFTABLES;
const NEWCHAIN: u16 = NFTABLES | 3;
const NEWRULE: u16 = NFTABLES | 6;
/// `NFT_TABLE_F_OWNER` (since Linux 5.12).
const OWNER: u32 = 2;
/// `NFT_REG_1`.
const REGISTER: u32 = 1;
/// `NFT_META_NFTRACE`, `NFT_META_L4PROTO`.
const NFTRACE: u32 = 12;
const L4PROTO: u32 = 16;
/// `NFT_PAYLOAD_TRANSPORT_HEADER`.
const TRANSPORT: u32 = 2;

/// A chain: family, name, hook number, priority. Before conntrack and everything else that is usual: defragmentation
/// (-400), `raw` (-300).
const CHAINS: [(u8, &str, u32, i32); 2] = [(INET, "prerouting", 0, -350), (INET, "output", 3, -350)];
/// The same for frames that cross a bridge.
const BRIDGED: [(u8, &str, u32, i32); 1] = [(BRIDGE, "prerouting", 0, -400)];

/// Makes the table in the calling thread's namespace; it is there for as long as the socket.
///
/// # Errors
///
/// If the kernel has no nftables, no tables with an owner (before 5.12), or privileges are missing.
pub fn make(order: &Order) -> Result<Socket, Error> {
    let tried = "make a table for tracing";
    let socket = Socket::netfilter()?;
    commit(&socket, INET, &CHAINS, order).map_err(|refused| {
        let error = refused.error(tried);
        if refused.errno == libc::EOPNOTSUPP || refused.errno == libc::EINVAL {
            let help = "topo trace needs Linux 5.12, whose tables go with the process that made them; topo explain does without";
            return Error { help: Some(help.to_owned()), kind: ErrorKind::Missing, ..error };
        }
        error
    })?;
    // A kernel without nftables for bridges has no rules there either.
    let _ = commit(&socket, BRIDGE, &BRIDGED, order);
    Ok(socket)
}

fn commit(socket: &Socket, family: u8, chains: &[(u8, &str, u32, i32)], order: &Order) -> Result<(), Refused> {
    let name_of_table = format!("{TABLE}{:08x}", order.token);
    let mut table = Writer::new(&[family, 0, 0, 0]);
    table.text(1, &name_of_table).be32(2, OWNER);
    let mut requests = vec![Request { kind: NEWTABLE, flags: CREATE | EXCLUSIVE, body: table.bytes().to_vec() }];
    for (_, name, hook, priority) in chains {
        let mut chain = Writer::new(&[family, 0, 0, 0]);
        chain.text(1, &name_of_table).text(3, name);
        chain.nest(4, |at| _ = at.be32(1, *hook).be32(2, priority.cast_unsigned()));
        chain.text(7, "filter");
        requests.push(Request { kind: NEWCHAIN, flags: CREATE, body: chain.bytes().to_vec() });
        for matched in matches(order) {
            let mut rule = Writer::new(&[family, 0, 0, 0]);
            rule.text(1, &name_of_table).text(2, name);
            rule.nest(4, |list| expressions(list, order.protocol_number(), &matched));
            requests.push(Request { kind: NEWRULE, flags: CREATE | 0x800, body: rule.bytes().to_vec() });
        }
    }
    socket.commit(SUBSYSTEM, requests)
}

/// By what a packet of the probe's conversation is known: bytes at a place in the transport header, one of these.
fn matches(order: &Order) -> Vec<(u32, Vec<u8>)> {
    let (token, port) = (order.token.to_be_bytes().to_vec(), order.source_port.to_be_bytes().to_vec());
    match order.protocol {
        Protocol::Icmp => vec![(8, token)],
        // The request by its data; what comes back by the port that was asked from.
        Protocol::Udp => vec![(8, token), (2, port)],
        Protocol::Tcp => vec![(0, port.clone()), (2, port)],
    }
}

/// `meta l4proto P @th,OFFSET,LENGTH VALUE meta nftrace set 1`.
fn expressions(list: &mut Writer, protocol: u8, (offset, value): &(u32, Vec<u8>)) {
    let length = u32::try_from(value.len()).unwrap_or(0);
    expression(list, "meta", |meta| _ = meta.be32(1, REGISTER).be32(2, L4PROTO));
    compare(list, &[protocol]);
    expression(list, "payload", |payload| {
        payload.be32(1, REGISTER).be32(2, TRANSPORT).be32(3, *offset).be32(4, length);
    });
    compare(list, value);
    expression(list, "immediate", |immediate| {
        immediate.be32(1, REGISTER).nest(2, |data| _ = data.put(1, &[1]));
    });
    expression(list, "meta", |meta| _ = meta.be32(2, NFTRACE).be32(3, REGISTER));
}

fn compare(list: &mut Writer, value: &[u8]) {
    // `NFT_CMP_EQ`
    expression(list, "cmp", |cmp| {
        cmp.be32(1, REGISTER).be32(2, 0).nest(3, |data| _ = data.put(1, value));
    });
}

fn expression(list: &mut Writer, name: &str, write: impl FnOnce(&mut Writer)) {
    list.nest(1, |element| {
        element.text(1, name);
        element.nest(2, write);
    });
}
