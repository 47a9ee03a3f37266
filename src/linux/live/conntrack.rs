//! Connections that the kernel tracks.

use crate::kernel::Error;
use crate::linux::netlink::attributes::{Attributes, ip};
use crate::linux::netlink::socket::Socket;
use crate::resource::{Connection, Flow};
use nix::libc;
use std::net::IpAddr;

/// `NFNL_SUBSYS_CTNETLINK` of `include/uapi/linux/netfilter/nfnetlink.h`, and its messages `IPCTNL_MSG_CT_NEW` and
/// `IPCTNL_MSG_CT_GET`.
const NEW: u16 = 1 << 8;
const GET: u16 = NEW | 1;
/// Length of `struct nfgenmsg`.
const HEAD: usize = 4;

// `CTA_*` of `include/uapi/linux/netfilter/nfnetlink_conntrack.h`.
const ORIGINAL: u16 = 1;
const REPLY: u16 = 2;
const STATUS: u16 = 3;
const PROTOINFO: u16 = 4;
const TIMEOUT: u16 = 7;
const MARK: u16 = 8;
/// `CTA_TUPLE_IP`, `CTA_TUPLE_PROTO`.
const TUPLE_IP: u16 = 1;
const TUPLE_PROTO: u16 = 2;
/// `CTA_IP_V4_SRC`, `CTA_IP_V6_SRC`, each followed by its destination.
const SOURCES: [u16; 2] = [1, 3];
const PROTO_NUMBER: u16 = 1;
const SOURCE_PORT: u16 = 2;
const DESTINATION_PORT: u16 = 3;
/// `CTA_PROTOINFO_TCP`, `CTA_PROTOINFO_TCP_STATE`.
const TCP: u16 = 1;
const TCP_STATE: u16 = 1;
/// `IPS_SEEN_REPLY`.
const SEEN_REPLY: u32 = 1 << 1;

/// `enum tcp_conntrack`.
const STATES: [&str; 10] = [
    "NONE",
    "SYN_SENT",
    "SYN_RECV",
    "ESTABLISHED",
    "FIN_WAIT",
    "CLOSE_WAIT",
    "LAST_ACK",
    "TIME_WAIT",
    "CLOSE",
    "SYN_SENT2",
];

/// The connections of the calling thread's namespace; `None` where the kernel does not show them (`NF_CT_NETLINK`).
///
/// # Errors
///
/// If the kernel refuses for another reason.
pub fn dump() -> Result<Option<Vec<Connection>>, Error> {
    let socket = Socket::netfilter()?;
    match socket.dump(GET, &[0; HEAD]) {
        Ok(messages) => {
            let new = messages.iter().filter(|message| message.kind == NEW);
            Ok(Some(new.filter_map(|message| parse(&message.body)).collect()))
        }
        // A subsystem that is not there.
        Err(refused) if [libc::EINVAL, libc::EOPNOTSUPP, libc::ENOENT].contains(&refused.errno) => Ok(None),
        Err(refused) => Err(refused.error("read the tracked connections")),
    }
}

/// Reads a connection.
fn parse(body: &[u8]) -> Option<Connection> {
    let attributes = Attributes::after(body, HEAD);
    let (protocol, original) = flow(attributes.inner(ORIGINAL))?;
    let (_, reply) = flow(attributes.inner(REPLY))?;
    let state = attributes.inner(PROTOINFO).inner(TCP).u8(TCP_STATE);
    Some(Connection {
        protocol: word(protocol),
        state: state.and_then(|state| STATES.get(usize::from(state))).copied(),
        original,
        reply,
        expires: be32(attributes, TIMEOUT),
        mark: be32(attributes, MARK).unwrap_or(0),
        answered: be32(attributes, STATUS).is_some_and(|status| status & SEEN_REPLY != 0),
    })
}

/// Reads one direction of it, and the number of its protocol.
fn flow(tuple: Attributes<'_>) -> Option<(u8, Flow)> {
    let (addresses, proto) = (tuple.inner(TUPLE_IP), tuple.inner(TUPLE_PROTO));
    let pair = |source: u16| -> Option<(IpAddr, IpAddr)> {
        Some((ip(addresses.get(source)?)?, ip(addresses.get(source + 1)?)?))
    };
    let (source, destination) = SOURCES.into_iter().find_map(pair)?;
    let port = |kind: u16| proto.get(kind).and_then(<[u8]>::first_chunk).map(|bytes| u16::from_be_bytes(*bytes));
    let (source_port, destination_port) = (port(SOURCE_PORT), port(DESTINATION_PORT));
    Some((proto.u8(PROTO_NUMBER)?, Flow { source, destination, source_port, destination_port }))
}

fn be32(attributes: Attributes<'_>, kind: u16) -> Option<u32> {
    attributes.get(kind).and_then(<[u8]>::first_chunk).map(|bytes| u32::from_be_bytes(*bytes))
}

/// A protocol by its name in `/etc/protocols`.
fn word(protocol: u8) -> String {
    let known = [(1, "icmp"), (6, "tcp"), (17, "udp"), (33, "dccp"), (47, "gre"), (58, "icmpv6"), (132, "sctp")];
    let word = known.iter().find(|(number, _)| *number == protocol).map(|(_, word)| (*word).to_owned());
    word.unwrap_or_else(|| protocol.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linux::netlink::attributes::Writer;

    fn tuple(body: &mut Writer, kind: u16, from: ([u8; 4], u16), to: ([u8; 4], u16)) {
        body.nest(kind, |tuple| {
            tuple.nest(TUPLE_IP, |ip| {
                ip.put(1, &from.0).put(2, &to.0);
            });
            tuple.nest(TUPLE_PROTO, |proto| {
                proto.u8(PROTO_NUMBER, 6).put(SOURCE_PORT, &from.1.to_be_bytes());
                proto.put(DESTINATION_PORT, &to.1.to_be_bytes());
            });
        });
    }

    #[test]
    fn a_connection_with_nat_is_read_whole_and_truncation_is_survived() {
        let (inside, outside, server) = (([10, 0, 0, 2], 40000), ([192, 0, 2, 1], 1024), ([198, 51, 100, 7], 80));
        let mut body = Writer::new(&[0; HEAD]);
        tuple(&mut body, ORIGINAL, inside, server);
        tuple(&mut body, REPLY, server, outside);
        body.be32(STATUS, SEEN_REPLY).be32(TIMEOUT, 300).be32(MARK, 5);
        body.nest(PROTOINFO, |info| {
            info.nest(TCP, |tcp| {
                tcp.u8(TCP_STATE, 3);
            });
        });
        let connection = parse(body.bytes()).unwrap();
        assert_eq!((connection.protocol.as_str(), connection.state), ("tcp", Some("ESTABLISHED")));
        assert_eq!((connection.expires, connection.mark, connection.answered), (Some(300), 5, true));
        assert!(connection.is_translated());
        assert_eq!(connection.reply.destination, IpAddr::from([192, 0, 2, 1]));
        for cut in 0..body.bytes().len() {
            let _ = parse(&body.bytes()[..cut]);
        }
    }
}
