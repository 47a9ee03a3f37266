//! The heads of packets: Internet Protocol (RFC 791, RFC 8200), TCP (RFC 9293), UDP (RFC 768), ICMP (RFC 792, RFC
//! 4443), and the questions for neighbours (RFC 826, RFC 4861).

use crate::resource::sighting::{Head, Transport};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// `ETH_P_IP`, `ETH_P_ARP`, `ETH_P_IPV6`.
pub const IPV4: u16 = 0x0800;
/// ARP.
pub const ARP: u16 = 0x0806;
/// IPv6.
pub const IPV6: u16 = 0x86dd;

/// A question for a neighbour, or the answer to it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Discovery {
    /// Whether it is the question.
    pub asks: bool,
    /// The address that is asked for.
    pub target: IpAddr,
}

/// The question or answer for a neighbour that a packet behind its link header is.
pub fn discovery(protocol: u16, bytes: &[u8]) -> Option<Discovery> {
    match protocol {
        ARP => {
            let (operation, sender, target) = (u16_at(bytes, 6)?, bytes.get(14..18)?, bytes.get(24..28)?);
            let asks = operation == 1;
            Some(Discovery { asks, target: v4(if asks { target } else { sender })? })
        }
        IPV6 if bytes.get(6) == Some(&58) => {
            let kind = *bytes.get(40)?;
            let target = v6(bytes.get(48..64)?)?;
            matches!(kind, 135 | 136).then_some(Discovery { asks: kind == 135, target })
        }
        _ => None,
    }
}

/// The heads of a packet behind its link header; `None` where it is none of IP, or is cut before its addresses.
pub fn head(bytes: &[u8]) -> Option<Head> {
    match bytes.first()? >> 4 {
        4 => {
            let length = usize::from(*bytes.first()? & 15) * 4;
            let first = u16_at(bytes, 6)? & 0x1fff == 0;
            let protocol = *bytes.get(9)?;
            let rest = if first { bytes.get(length..).unwrap_or_default() } else { &[] };
            Some(Head {
                source: v4(bytes.get(12..16)?)?,
                destination: v4(bytes.get(16..20)?)?,
                protocol,
                transport: transport(protocol, rest),
            })
        }
        6 => {
            // Extension headers are not looked behind: no probe has any.
            let protocol = *bytes.get(6)?;
            Some(Head {
                source: v6(bytes.get(8..24)?)?,
                destination: v6(bytes.get(24..40)?)?,
                protocol,
                transport: transport(protocol, bytes.get(40..).unwrap_or_default()),
            })
        }
        _ => None,
    }
}

/// The head of what a packet carries.
pub fn transport(protocol: u8, bytes: &[u8]) -> Transport {
    let read = || match protocol {
        6 => Some(Transport::Tcp {
            source_port: u16_at(bytes, 0)?,
            port: u16_at(bytes, 2)?,
            sequence: u32_at(bytes, 4)?,
            // An error of ICMP may have but the first eight bytes.
            acknowledged: u32_at(bytes, 8).unwrap_or(0),
            flags: bytes.get(13).copied().unwrap_or(0),
        }),
        17 => Some(Transport::Udp { source_port: u16_at(bytes, 0)?, port: u16_at(bytes, 2)?, token: u32_at(bytes, 8) }),
        1 | 58 => {
            let (kind, code) = (*bytes.first()?, *bytes.get(1)?);
            let error = if protocol == 1 { matches!(kind, 3 | 4 | 5 | 11 | 12) } else { kind < 128 };
            if error {
                let about = bytes.get(8..).and_then(head).map(Box::new);
                return Some(Transport::Error { kind, code, about });
            }
            Some(Transport::Icmp { kind, token: u32_at(bytes, 8) })
        }
        _ => None,
    };
    read().unwrap_or(Transport::Other)
}

fn v4(bytes: &[u8]) -> Option<IpAddr> {
    <[u8; 4]>::try_from(bytes).ok().map(|bytes| Ipv4Addr::from(bytes).into())
}

fn v6(bytes: &[u8]) -> Option<IpAddr> {
    <[u8; 16]>::try_from(bytes).ok().map(|bytes| Ipv6Addr::from(bytes).into())
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|chunk| u16::from_be_bytes(*chunk))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|chunk| u32::from_be_bytes(*chunk))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PING: [u8; 40] = [
        0x45, 0, 0, 40, 0, 1, 0, 0, 64, 1, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, 8, 0, 0, 0, 1, 2, 0, 1, 0xde, 0xad, 0xbe,
        0xef, 0, 0, 0, 0, 0, 0, 0, 0,
    ];

    #[test]
    fn a_ping_is_read() {
        let head = head(&PING).unwrap();
        assert_eq!((head.source.to_string(), head.destination.to_string()), ("10.0.0.1".into(), "10.0.0.2".into()));
        assert_eq!(head.transport, Transport::Icmp { kind: 8, token: Some(0xdead_beef) });
    }

    #[test]
    fn an_error_says_what_it_is_about() {
        let mut error = PING[..20].to_vec();
        error.extend([3, 1, 0, 0, 0, 0, 0, 0]);
        error.extend(PING);
        let Some(Head { transport: Transport::Error { kind: 3, code: 1, about: Some(about) }, .. }) = head(&error)
        else {
            panic!("no error")
        };
        assert_eq!(Some(*about), head(&PING));
    }

    #[test]
    fn what_is_cut_or_torn_is_read_as_far_as_it_goes() {
        for length in 0..PING.len() {
            let _ = (head(&PING[..length]), discovery(ARP, &PING[..length]), discovery(IPV6, &PING[..length]));
        }
        assert_eq!(head(&PING[..20]).unwrap().transport, Transport::Other);
        assert_eq!(head(&[0x4f; 20]).unwrap().transport, Transport::Other);
        assert_eq!(head(&[0x10; 64]), None);
    }
}
