//! Rules as the kernel has them: lists of expressions that load into registers, compare, and decide
//! (`include/uapi/linux/netfilter/nf_tables.h`).
//!
//! They are what nft 1.0.6 makes of the same words, so that it lists them as those. What is written in nft's own words
//! is left to nft, and lists that it would put together in another way.

use super::sets;
use super::sets::{Key, Set};
use crate::dialect::nft_script::{icmp_type, unsaid_family};
use crate::dialect::protocol::protocol_number;
use crate::linux::netlink::attributes::Writer;
use crate::resource::{AddressMatch, AddressRange, Family, IfMatch, PacketRule};
use nix::libc;
use std::net::IpAddr;

/// The first of the registers for data, of 16 bytes each (`NFT_REG_1`).
pub(super) const FIRST: u32 = 1;

// `NFT_META_*`.
const MARK: u32 = 3;
const IIFNAME: u32 = 6;
const OIFNAME: u32 = 7;
const NFPROTO: u32 = 15;
const L4PROTO: u32 = 16;

// `NFT_PAYLOAD_*_HEADER`.
const NETWORK: u32 = 1;
const TRANSPORT: u32 = 2;

// `NFT_CMP_*`.
const EQUAL: u32 = 0;
const UNEQUAL: u32 = 1;
const AT_MOST: u32 = 3;
const AT_LEAST: u32 = 5;

/// How many packets may come at once beyond a rate, where nft is not reported.
const BURST: u32 = 5;
/// Length of an interface name with its NUL (`IFNAMSIZ`).
const NAME: usize = libc::IFNAMSIZ;

/// `rule` as the expressions of a rule in an `inet` table, one `NFTA_LIST_ELEM` each, and the sets in it, numbered from
/// `first` on; `None` where only nft can write it.
pub fn of(rule: &PacketRule, first: u32) -> Option<(Vec<u8>, Vec<Set>)> {
    let mut list = Expressions { first, ..Expressions::default() };
    if let Some(family) = unsaid_family(rule) {
        list.is_of(family);
    }
    list.interface(IIFNAME, rule.input.as_ref())?;
    list.interface(OIFNAME, rule.output.as_ref())?;
    list.address(true, rule.source.as_ref())?;
    list.address(false, rule.destination.as_ref())?;
    if rule.local {
        list.is_local();
    }
    list.transport(rule)?;
    list.state(&rule.state)?;
    if let Some((value, mask)) = rule.mark {
        list.mark(value, mask);
    }
    if let Some((packets, unit)) = &rule.limit {
        list.limit(*packets, unit)?;
    }
    if let Some((value, mask)) = rule.set_mark {
        list.set_mark(value, mask);
    }
    if rule.counter {
        list.add("counter", |data| _ = data.be64(1, 0).be64(2, 0));
    }
    if let Some(prefix) = &rule.log {
        list.add("log", |data| {
            if !prefix.is_empty() {
                data.text(2, prefix);
            }
        });
    }
    if let Some(verdict) = &rule.verdict {
        list.verdict(verdict, rule)?;
    }
    Some((list.written.bytes().to_vec(), list.sets))
}

/// Expressions one after the other.
#[derive(Default)]
pub(super) struct Expressions {
    written: Writer,
    /// The number of the first of the sets.
    first: u32,
    sets: Vec<Set>,
    /// The family that the packet has been compared with.
    compared: Option<Family>,
}

impl Expressions {
    pub(super) fn add(&mut self, name: &str, data: impl FnOnce(&mut Writer)) {
        self.written.nest(1, |element| _ = element.text(1, name).nest(2, data));
    }

    fn meta(&mut self, key: u32) {
        self.add("meta", |data| _ = data.be32(2, key).be32(1, FIRST));
    }

    fn compare(&mut self, how: u32, value: &[u8]) {
        self.add("cmp", |data| _ = data.be32(1, FIRST).be32(2, how).nest(3, |data| _ = data.put(1, value)));
    }

    /// Whether the register is in a set of these, or in none.
    fn among(&mut self, not: bool, key: Key, items: Vec<(Vec<u8>, Vec<u8>)>) -> Option<()> {
        let id = self.first + u32::try_from(self.sets.len()).ok()?;
        self.sets.push(Set::new(id, key, items)?);
        // `NFT_LOOKUP_F_INV`.
        self.add("lookup", |data| _ = data.text(1, sets::NAME).be32(2, FIRST).be32(4, id).be32(5, u32::from(not)));
        Some(())
    }

    fn payload(&mut self, base: u32, offset: u32, length: u32) {
        self.add("payload", |data| _ = data.be32(1, FIRST).be32(2, base).be32(3, offset).be32(4, length));
    }

    /// The register's bits that are in `mask`, then those of `xor` turned around.
    fn bits(&mut self, mask: &[u8], xor: &[u8]) {
        let length = u32::try_from(mask.len()).unwrap_or_default();
        self.add("bitwise", |data| {
            data.be32(1, FIRST)
                .be32(2, FIRST)
                .be32(3, length)
                .nest(4, |data| _ = data.put(1, mask))
                .nest(5, |data| _ = data.put(1, xor));
        });
    }

    pub(super) fn immediate(&mut self, register: u32, value: &[u8]) {
        self.add("immediate", |data| _ = data.be32(1, register).nest(2, |data| _ = data.put(1, value)));
    }

    /// `meta nfproto ipv4`: said by the rule alone, or needed by a match that comes next.
    fn is_of(&mut self, family: Family) {
        if self.compared != Some(family) {
            self.meta(NFPROTO);
            self.compare(EQUAL, &[protocol_family(family)]);
            self.compared = Some(family);
        }
    }

    /// `meta l4proto tcp`.
    fn speaks(&mut self, protocol: u8) {
        self.meta(L4PROTO);
        self.compare(EQUAL, &[protocol]);
    }

    /// `iifname "a"`, `oifname != "eth*"`.
    fn interface(&mut self, key: u32, list: Option<&IfMatch>) -> Option<()> {
        let Some(IfMatch { not, names }) = list else { return Some(()) };
        let any_wild = names.iter().any(|name| name.ends_with('*'));
        if names.len() > 1 && !any_wild {
            let whole = |name: &String| whole_name(name.as_bytes()).map(|name| (name.to_vec(), name.to_vec()));
            self.meta(key);
            return self.among(*not, Key::Interface, names.iter().map(whole).collect::<Option<_>>()?);
        }
        if names.is_empty() || names.len() > 1 && !*not {
            return None;
        }
        for name in names {
            let stem = name.strip_suffix('*').unwrap_or(name).as_bytes();
            let whole = whole_name(stem)?;
            self.meta(key);
            self.compare(if *not { UNEQUAL } else { EQUAL }, if name.ends_with('*') { stem } else { &whole });
        }
        Some(())
    }

    /// `ip saddr 10.0.0.0/8`, `ip6 daddr != fd00::1-fd00::9`.
    fn address(&mut self, source: bool, list: Option<&AddressMatch>) -> Option<()> {
        let Some(AddressMatch { not, items }) = list else { return Some(()) };
        let ends = |item: &AddressRange| match item {
            AddressRange::Prefix(net) => (net.network(), net.broadcast()),
            AddressRange::Range(from, to) => (*from, *to),
        };
        let item = items.first()?;
        let (first, _) = ends(item);
        // `struct iphdr`, `struct ipv6hdr`.
        let (family, length, offset) = match (first.is_ipv4(), source) {
            (true, true) => (Family::V4, 4, 12),
            (true, false) => (Family::V4, 4, 16),
            (false, true) => (Family::V6, 16, 8),
            (false, false) => (Family::V6, 16, 24),
        };
        self.is_of(family);
        if items.len() > 1 {
            self.payload(NETWORK, offset, length);
            let key = if family == Family::V4 { Key::Ipv4 } else { Key::Ipv6 };
            return self.among(
                *not,
                key,
                items.iter().map(ends).map(|(from, to)| (octets(from), octets(to))).collect(),
            );
        }
        let how = if *not { UNEQUAL } else { EQUAL };
        match item {
            AddressRange::Range(from, to) => {
                self.payload(NETWORK, offset, length);
                self.between(*not, &octets(*from), &octets(*to));
            }
            AddressRange::Prefix(net) => {
                let whole = usize::from(net.prefix_len() / 8);
                if net.prefix_len() % 8 == 0 && whole > 0 {
                    self.payload(NETWORK, offset, u32::from(net.prefix_len() / 8));
                    self.compare(how, octets(first).get(..whole)?);
                } else {
                    self.payload(NETWORK, offset, length);
                    let mask = octets(net.netmask());
                    self.bits(&mask, &vec![0; mask.len()]);
                    self.compare(how, &octets(first));
                }
            }
        }
        Some(())
    }

    /// From one value to another, both included.
    fn between(&mut self, not: bool, from: &[u8], to: &[u8]) {
        if not {
            self.add("range", |data| {
                data.be32(1, FIRST)
                    .be32(2, UNEQUAL)
                    .nest(3, |data| _ = data.put(1, from))
                    .nest(4, |data| _ = data.put(1, to));
            });
        } else {
            self.compare(AT_LEAST, from);
            self.compare(AT_MOST, to);
        }
    }

    /// `fib daddr type local`.
    fn is_local(&mut self) {
        /// `NFTA_FIB_F_DADDR`, `NFT_FIB_RESULT_ADDRTYPE`.
        const DESTINATION: u32 = 2;
        const TYPE: u32 = 3;
        self.add("fib", |data| _ = data.be32(3, DESTINATION).be32(2, TYPE).be32(1, FIRST));
        self.compare(EQUAL, &u32::from(libc::RTN_LOCAL).to_ne_bytes());
    }

    /// Protocol, ICMP type and ports.
    fn transport(&mut self, rule: &PacketRule) -> Option<()> {
        let Some(name) = &rule.protocol else {
            return (rule.port.is_empty() && rule.source_port.is_empty()).then_some(());
        };
        let protocol = protocol_number(name)?;
        if let Some(kind) = &rule.icmp_type {
            let family = if protocol == 1 { Family::V4 } else { Family::V6 };
            let kind = icmp_type(kind, family)?;
            self.is_of(family);
            self.speaks(protocol);
            self.payload(TRANSPORT, 0, 1);
            self.compare(EQUAL, &[kind]);
            return Some(());
        }
        self.speaks(protocol);
        for (offset, list) in [(0, &rule.source_port), (2, &rule.port)] {
            match list.as_slice() {
                [] => {}
                [(from, to)] => {
                    self.payload(TRANSPORT, offset, 2);
                    if from == to {
                        self.compare(EQUAL, &from.to_be_bytes())
                    } else {
                        self.between(false, &from.to_be_bytes(), &to.to_be_bytes())
                    }
                }
                list => {
                    self.payload(TRANSPORT, offset, 2);
                    let bytes = |(from, to): &(u16, u16)| (from.to_be_bytes().to_vec(), to.to_be_bytes().to_vec());
                    self.among(false, Key::Port, list.iter().map(bytes).collect())?;
                }
            }
        }
        Some(())
    }

    /// `ct state established,related`.
    fn state(&mut self, states: &[String]) -> Option<()> {
        if states.is_empty() {
            return Some(());
        }
        let mut bits = 0_u32;
        for state in states {
            // `NF_CT_STATE_BIT` and its like in `include/net/netfilter/nf_conntrack.h` and
            // `include/uapi/linux/netfilter/nf_conntrack_common.h`.
            bits |= match state.as_str() {
                "invalid" => 1,
                "established" => 2,
                "related" => 4,
                "new" => 8,
                "untracked" => 64,
                _ => return None,
            };
        }
        self.add("ct", |data| _ = data.be32(2, 0).be32(1, FIRST));
        self.bits(&bits.to_ne_bytes(), &[0; 4]);
        self.compare(UNEQUAL, &[0; 4]);
        Some(())
    }

    fn mark(&mut self, value: u32, mask: u32) {
        self.meta(MARK);
        if mask != u32::MAX {
            self.bits(&mask.to_ne_bytes(), &[0; 4]);
        }
        self.compare(EQUAL, &value.to_ne_bytes());
    }

    fn set_mark(&mut self, value: u32, mask: u32) {
        if mask == u32::MAX {
            self.immediate(FIRST, &value.to_ne_bytes());
        } else {
            self.meta(MARK);
            // Or with a value is: without its bits, then those turned around.
            self.bits(&(!mask & !value).to_ne_bytes(), &value.to_ne_bytes());
        }
        self.add("meta", |data| _ = data.be32(2, MARK).be32(3, FIRST));
    }

    fn limit(&mut self, packets: u64, unit: &str) -> Option<()> {
        let seconds = match unit {
            "second" => 1,
            "minute" => 60,
            "hour" => 3600,
            "day" => 86400,
            _ => return None,
        };
        self.add("limit", |data| _ = data.be64(1, packets).be64(2, seconds).be32(3, BURST).be32(4, 0).be32(5, 0));
        Some(())
    }
}

/// `NFPROTO_IPV4`, `NFPROTO_IPV6`.
pub(super) fn protocol_family(family: Family) -> u8 {
    if family == Family::V4 { 2 } else { 10 }
}

pub(super) fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}

/// An interface name as the kernel has it, filled up with NULs; `None` for one that is too long, or none.
fn whole_name(name: &[u8]) -> Option<[u8; NAME]> {
    let mut whole = [0; NAME];
    whole.get_mut(..name.len()).filter(|room| !room.is_empty() && room.len() < NAME)?.copy_from_slice(name);
    Some(whole)
}
