//! What happens to a packet, as expressions.

use super::expressions::{Expressions, FIRST, octets, protocol_family};
use crate::dialect::protocol::protocol_number;
use crate::linux::netlink::attributes::Writer;
use crate::resource::{Family, PacketRule, Target, Verdict};
use nix::libc;

/// `NFT_REG_VERDICT`.
const DECISION: u32 = 0;
/// `NF_NAT_RANGE_PROTO_SPECIFIED`.
const PORT_IS_SAID: u32 = 2;

impl Expressions {
    /// Adds what `verdict` of `rule` takes; `None` where only nft can write it.
    pub(super) fn verdict(&mut self, verdict: &Verdict, rule: &PacketRule) -> Option<()> {
        match verdict {
            Verdict::Accept => self.decide(libc::NF_ACCEPT),
            Verdict::Drop => self.decide(libc::NF_DROP),
            Verdict::Masquerade => self.add("masq", |_| {}),
            Verdict::Snat(target) => self.nat(0, target, rule)?,
            Verdict::Dnat(target) => self.nat(1, target, rule)?,
            Verdict::Redirect(ports) => {
                has_ports(rule, *ports)?;
                let [from, to] = self.ports(FIRST, *ports);
                self.add("redir", |data| numbers(data, [(1, from), (2, to), (3, from.map(|_| PORT_IS_SAID))]));
            }
            Verdict::Reject(with) => self.reject(with.as_deref().unwrap_or("port-unreachable"), rule)?,
        }
        Some(())
    }

    fn decide(&mut self, code: i32) {
        self.add("immediate", |data| {
            _ = data.be32(1, DECISION).nest(2, |data| _ = data.nest(2, |data| _ = data.be32(1, code.cast_unsigned())))
        });
    }

    /// Puts ports into registers from `next` on; which they are.
    fn ports(&mut self, next: u32, ports: Option<(u16, u16)>) -> [Option<u32>; 2] {
        let Some((from, to)) = ports else { return [None, None] };
        self.immediate(next, &from.to_be_bytes());
        if from == to {
            return [Some(next), None];
        }
        self.immediate(next + 1, &to.to_be_bytes());
        [Some(next), Some(next + 1)]
    }

    /// `snat ip to 10.0.0.2-10.0.0.3:80-90`; what is done is 0 for the source, 1 for the destination.
    fn nat(&mut self, what: u32, target: &Target, rule: &PacketRule) -> Option<()> {
        has_ports(rule, target.port)?;
        let family = if target.address.is_ipv4() { Family::V4 } else { Family::V6 };
        let last = target.last.filter(|last| *last != target.address);
        self.immediate(FIRST, &octets(target.address));
        if let Some(last) = last {
            self.immediate(FIRST + 1, &octets(last));
        }
        let next = if last.is_some() { FIRST + 2 } else { FIRST + 1 };
        let [from, to] = self.ports(next, target.port);
        self.add("nat", |data| {
            data.be32(1, what).be32(2, protocol_family(family).into());
            numbers(
                data,
                [(3, Some(FIRST)), (4, last.map(|_| FIRST + 1)), (5, from), (6, to), (7, from.map(|_| PORT_IS_SAID))],
            );
        });
        Some(())
    }

    fn reject(&mut self, with: &str, rule: &PacketRule) -> Option<()> {
        // `NFT_REJECT_*`, then types of ICMP (RFC 792, RFC 4443) or `NFT_REJECT_ICMPX_*`.
        let (kind, code) = match (rule.family, with) {
            (_, "tcp-reset") if rule.protocol.as_deref().and_then(protocol_number) == Some(6) => (1, 0),
            (Some(Family::V4), "net-unreachable" | "no-route") => (0, 0),
            (Some(Family::V4), "host-unreachable") => (0, 1),
            (Some(Family::V4), "port-unreachable") => (0, 3),
            (Some(Family::V4), "admin-prohibited") => (0, 13),
            (Some(Family::V6), "net-unreachable" | "no-route") => (0, 0),
            (Some(Family::V6), "admin-prohibited") => (0, 1),
            (Some(Family::V6), "host-unreachable" | "addr-unreachable") => (0, 3),
            (Some(Family::V6), "port-unreachable") => (0, 4),
            (None, "net-unreachable" | "no-route") => (2, 0),
            (None, "port-unreachable") => (2, 1),
            (None, "host-unreachable") => (2, 2),
            (None, "admin-prohibited") => (2, 3),
            _ => return None,
        };
        self.add("reject", |data| _ = data.be32(1, kind).u8(2, code));
        Some(())
    }
}

/// nft refuses a port to go to where no protocol is said, and reports why.
fn has_ports(rule: &PacketRule, ports: Option<(u16, u16)>) -> Option<()> {
    (ports.is_none() || rule.protocol.is_some()).then_some(())
}

/// Those of these attributes that there are.
fn numbers<const N: usize>(data: &mut Writer, which: [(u16, Option<u32>); N]) {
    for (kind, number) in which {
        if let Some(number) = number {
            data.be32(kind, number);
        }
    }
}
