//! Addresses of interfaces.

use crate::linux::netlink::attributes::{Attributes, Writer, u8_at, u32_at};
use crate::linux::netlink::socket::{CREATE, EXCLUSIVE, REPLACE, Refused, Socket};
use crate::linux::netns::context::Site;
use crate::resource::mark::PROTOCOL;
use crate::resource::{Address, IfName, LinkId, Node, Raw, Setting};
use ipnet::IpNet;
use nix::libc;
use std::net::IpAddr;

pub const NEW: u16 = 20;
const DELETE: u16 = 21;
const GET: u16 = 22;
/// Length of `struct ifaddrmsg`.
const HEAD: usize = 8;

// `IFA_*` of `include/uapi/linux/if_addr.h`.
const ADDRESS: u16 = 1;
const LOCAL: u16 = 2;
const LABEL: u16 = 3;
const BROADCAST: u16 = 4;
const CACHEINFO: u16 = 6;
const FLAGS: u16 = 8;
const RT_PRIORITY: u16 = 9;
const PROTO: u16 = 11;

// `IFA_F_*`. The first means temporary for IPv6.
const SECONDARY: u32 = 0x01;
const NODAD: u32 = 0x02;
const DADFAILED: u32 = 0x08;
const TENTATIVE: u32 = 0x40;
const PERMANENT: u32 = 0x80;

/// `RT_SCOPE_LINK`.
const SCOPE_LINK: u8 = 253;

/// An address as the kernel reports it.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The number of its interface.
    pub index: u32,
    /// Who put it there (`IFA_PROTO`): 0 if it is not known, 1 to 3 for the kernel, [`PROTOCOL`] for topo.
    pub protocol: u8,
    /// Whether it stays for ever; what DHCP and router advertisements give does not.
    pub permanent: bool,
    /// Whether duplicate address detection is still going on.
    pub tentative: bool,
    /// The address with its prefix length.
    pub address: IpNet,
    peer: Option<IpAddr>,
    scope: u8,
    label: Option<String>,
    flags: u32,
    /// For how many seconds it is valid and preferred ([`FOREVER`]).
    lifetime: (u32, u32),
    /// When it was given, in hundredths of a second since the machine started.
    created: u32,
    raw: Raw,
}

/// How long the kernel may take to make the local route of an IPv6 address, in hundredths of a second: duplicate
/// address detection takes up to two seconds, and where there is none a worker makes it (`addrconf_dad_work`).
const MADE_WITHIN: u32 = 300;

/// `INFINITY_LIFE_TIME`.
const FOREVER: u32 = u32::MAX;

/// All addresses of the socket's namespace.
///
/// # Errors
///
/// The kernel's refusal, with its errno and its own text.
pub fn dump(socket: &Socket) -> Result<Vec<Seen>, Refused> {
    Ok(socket
        .dump(GET, Writer::new(&[0; HEAD]).bytes())?
        .iter()
        .filter(|message| message.kind == NEW)
        .filter_map(|message| parse(&message.body))
        .collect())
}

/// Reads `RTM_NEWADDR`.
pub fn parse(body: &[u8]) -> Option<Seen> {
    let attributes = Attributes::after(body, HEAD);
    let address = attributes.ip(ADDRESS);
    let local = attributes.ip(LOCAL).or(address)?;
    let flags = attributes.u32(FLAGS).or_else(|| u8_at(body, 2).map(u32::from))?;
    Some(Seen {
        index: u32_at(body, 4)?,
        protocol: attributes.u8(PROTO).unwrap_or(0),
        permanent: flags & PERMANENT != 0,
        tentative: flags & TENTATIVE != 0 && flags & DADFAILED == 0,
        address: IpNet::new(local, u8_at(body, 1)?).ok()?,
        peer: address.filter(|peer| *peer != local),
        scope: u8_at(body, 3)?,
        label: attributes.text(LABEL),
        flags,
        // `struct ifa_cacheinfo`: preferred, valid.
        lifetime: attributes
            .get(CACHEINFO)
            .and_then(|info| Some((u32_at(info, 4)?, u32_at(info, 0)?)))
            .unwrap_or((FOREVER, FOREVER)),
        created: attributes.get(CACHEINFO).and_then(|info| u32_at(info, 8)).unwrap_or(0),
        raw: Raw(attributes
            .filter(|(number, value)| told(*number, value))
            .map(|(number, value)| (number, value.to_vec()))
            .collect()),
    })
}

/// Whether an attribute is one that topo has no field for. A metric of 0 is none; IPv6 says so of each address.
fn told(number: u16, value: &[u8]) -> bool {
    number == BROADCAST || number == RT_PRIORITY && value.iter().any(|byte| *byte != 0)
}

impl Seen {
    /// The resource.
    pub fn address(&self, node: &Node, name: IfName) -> Address {
        let v6 = self.address.addr().is_ipv6();
        Address {
            peer: self.peer,
            scope: Setting::Is(self.scope),
            label: self.label.clone().filter(|_| !v6).into(),
            secondary: !v6 && self.flags & SECONDARY != 0,
            nodad: if v6 { Setting::Is(self.flags & NODAD != 0) } else { Setting::Left },
            dad_failed: self.flags & DADFAILED != 0,
            expires: !self.permanent,
            lifetime: Some(self.lifetime).filter(|lifetime| *lifetime != (FOREVER, FOREVER)),
            flags: self.flags & Address::FLAGS,
            raw: self.raw.clone(),
            protocol: self.protocol,
            marked: self.protocol == PROTOCOL,
            ..Address::plain(LinkId { node: node.clone(), name }, self.address)
        }
    }

    /// Whether it is a link-local address of IPv6 that nothing wrote, as far as it says (`IFAPROT_KERNEL_LL`, since
    /// 5.18).
    pub fn is_link_local(&self) -> bool {
        matches!(self.address, IpNet::V6(net) if net.addr().is_unicast_link_local()) && matches!(self.protocol, 0 | 3)
    }

    /// Whether it was given a moment ago, at the time `now` (hundredths of a second since the machine started): its
    /// local route may be on its way.
    pub fn is_fresh(&self, now: u32) -> bool {
        self.address.addr().is_ipv6() && now.saturating_sub(self.created) < MADE_WITHIN
    }

    /// Whether duplicate address detection found another one.
    pub fn has_failed(&self) -> bool {
        self.flags & DADFAILED != 0
    }

    /// Whether the kernel made it: on `lo`, from a router's advertisement, or an interface's own link-local address. A
    /// kernel before 5.18 does not say who did (`says` is false), and the last is then derived from its form.
    pub fn is_kernels(&self, says: bool) -> bool {
        let loopback = self.address.addr().is_loopback() && self.scope == 254 && self.index == 1;
        let link_local =
            matches!(self.address, IpNet::V6(net) if net.addr().is_unicast_link_local()) && self.scope == SCOPE_LINK;
        (1..=3).contains(&self.protocol) || (loopback && self.protocol == 0) || (link_local && !says)
    }
}

fn message(site: &Site<'_>, address: &Address) -> Result<Writer, Refused> {
    let ip = address.address.addr();
    let family = if ip.is_ipv4() { libc::AF_INET } else { libc::AF_INET6 };
    let scope = address.scope.get().copied().unwrap_or(0);
    let [i0, i1, i2, i3] = site.index(&address.link.name)?.to_ne_bytes();
    let family = u8::try_from(family).unwrap_or_default();
    let mut body = Writer::new(&[family, address.address.prefix_len(), 0, scope, i0, i1, i2, i3]);
    body.ip(LOCAL, ip).ip(ADDRESS, address.peer.unwrap_or(ip));
    Ok(body)
}

pub(super) fn full(site: &Site<'_>, address: &Address) -> Result<Writer, Refused> {
    let mut body = message(site, address)?;
    if let (Setting::Is(label), true) = (&address.label, address.address.addr().is_ipv4()) {
        body.text(LABEL, label);
    }
    let nodad = address.address.addr().is_ipv6() && address.nodad == Setting::Is(true);
    body.u32(FLAGS, address.flags | if nodad { NODAD } else { 0 });
    let protocol = if address.marked { PROTOCOL } else { address.protocol };
    if protocol != 0 {
        body.u8(PROTO, protocol);
    }
    if let Some((valid, preferred)) = address.lifetime {
        body.put(CACHEINFO, &[preferred, valid, 0, 0].map(u32::to_ne_bytes).concat());
    }
    address.raw.0.iter().for_each(|(number, value)| _ = body.put(*number, value));
    Ok(body)
}

/// Adds an address.
///
/// # Errors
///
/// `EEXIST` if it is there already, else the kernel's refusal.
pub fn create(site: &Site<'_>, address: &Address) -> Result<(), Refused> {
    site.ask(NEW, CREATE | EXCLUSIVE, &full(site, address)?)
}

/// Changes what can be changed of an address where it stands: its mark and its lifetime, which is for ever where none
/// is said.
///
/// # Errors
///
/// The kernel's refusal, with its errno and its own text.
pub fn update(site: &Site<'_>, before: &Address, after: &Address) -> Result<(), Refused> {
    let whole = Address {
        scope: after.scope.over(&before.scope),
        label: after.label.over(&before.label),
        nodad: after.nodad.over(&before.nodad),
        ..after.clone()
    };
    site.ask(NEW, REPLACE, &full(site, &whole)?)
}

/// Removes an address.
///
/// # Errors
///
/// `ENOENT`, `ESRCH` or `ENODEV` if it is not there, else the kernel's refusal.
pub fn delete(site: &Site<'_>, address: &Address) -> Result<(), Refused> {
    site.ask(DELETE, 0, &message(site, address)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(flags: u32) -> Writer {
        let mut body = Writer::new(&[2, 24, 0x80, 0, 7, 0, 0, 0]);
        body.ip(ADDRESS, [10, 0, 0, 2].into())
            .ip(LOCAL, [10, 0, 0, 1].into())
            .text(LABEL, "eth0")
            .u32(FLAGS, flags)
            .u8(PROTO, PROTOCOL);
        body
    }

    #[test]
    fn an_address_with_a_peer_is_read_whole() {
        let seen = parse(body(PERMANENT | SECONDARY).bytes()).unwrap();
        let address = seen.address(&"RED".into(), "eth0".into());
        assert_eq!(address.address.to_string(), "10.0.0.1/24");
        assert_eq!(address.peer, Some([10, 0, 0, 2].into()));
        assert_eq!((address.secondary, address.marked, seen.permanent, address.lifetime), (true, true, true, None));
        assert_eq!(address.nodad, Setting::Left);
    }

    #[test]
    fn flags_lifetimes_and_the_rest_are_kept() {
        let mut body = body(Address::NO_PREFIX_ROUTE);
        body.put(BROADCAST, &[10, 0, 0, 255])
            .u32(RT_PRIORITY, 7)
            .put(CACHEINFO, &[500_u32, 1000, 0, 0].map(u32::to_ne_bytes).concat());
        let address = parse(body.bytes()).unwrap().address(&"RED".into(), "eth0".into());
        assert_eq!(address.more_words(), "noprefixroute broadcast 10.0.0.255 metric 7");
        assert_eq!((address.lifetime, address.expires), (Some((1000, 500)), true));
    }

    #[test]
    fn every_truncation_is_survived() {
        let body = body(PERMANENT);
        for cut in 0..body.bytes().len() {
            let _ = parse(&body.bytes()[..cut]);
        }
    }
}
