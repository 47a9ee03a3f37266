//! Addresses of interfaces.

use crate::linux::netlink::attributes::{Attributes, Writer, u8_at, u32_at};
use crate::linux::netlink::socket::{CREATE, EXCLUSIVE, REPLACE, Refused, Socket};
use crate::linux::netns::context::Site;
use crate::resource::mark::PROTOCOL;
use crate::resource::{Address, IfName, LinkId, Node, Setting};
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
const FLAGS: u16 = 8;
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
    /// Who put it there (`IFA_PROTO`): 0 for nobody who says so, 1 to 3 for the kernel, [`PROTOCOL`] for topo.
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
}

/// All addresses of the socket's namespace.
pub fn dump(socket: &Socket) -> Result<Vec<Seen>, Refused> {
    Ok(socket.dump(GET, Writer::new(&[0; HEAD]).bytes())?.iter().filter(|message| message.kind == NEW).filter_map(|message| parse(&message.body)).collect())
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
    })
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
            marked: self.protocol == PROTOCOL,
            ..Address::plain(LinkId { node: node.clone(), name }, self.address)
        }
    }

    /// Whether the kernel made it: on `lo`, from a router's advertisement, or an interface's own link-local address. A kernel before 5.18 does not say who
    /// did (`says` is false), and the last is then told from its form.
    pub fn is_kernels(&self, says: bool) -> bool {
        let loopback = self.address.addr().is_loopback() && self.scope == 254 && self.index == 1;
        let link_local = matches!(self.address, IpNet::V6(net) if net.addr().is_unicast_link_local()) && self.scope == SCOPE_LINK;
        (1..=3).contains(&self.protocol) || (loopback && self.protocol == 0) || (link_local && !says)
    }
}

fn message(site: &Site<'_>, address: &Address) -> Result<Writer, Refused> {
    let ip = address.address.addr();
    let family = if ip.is_ipv4() { libc::AF_INET } else { libc::AF_INET6 };
    let flags = if ip.is_ipv6() && address.nodad == Setting::Is(true) { NODAD } else { 0 };
    let scope = address.scope.get().copied().unwrap_or(0);
    let [i0, i1, i2, i3] = site.index(&address.link.name)?.to_ne_bytes();
    let family = u8::try_from(family).unwrap_or_default();
    let mut body = Writer::new(&[family, address.address.prefix_len(), u8::try_from(flags).unwrap_or(0), scope, i0, i1, i2, i3]);
    body.ip(LOCAL, ip).ip(ADDRESS, address.peer.unwrap_or(ip));
    Ok(body)
}

fn full(site: &Site<'_>, address: &Address) -> Result<Writer, Refused> {
    let mut body = message(site, address)?;
    if let (Setting::Is(label), true) = (&address.label, address.address.addr().is_ipv4()) {
        body.text(LABEL, label);
    }
    if address.marked {
        body.u8(PROTO, PROTOCOL);
    }
    Ok(body)
}

/// Adds an address.
pub fn create(site: &Site<'_>, address: &Address) -> Result<(), Refused> {
    site.ask(NEW, CREATE | EXCLUSIVE, &full(site, address)?)
}

/// Changes what can be changed of an address where it stands: its mark and its lifetime, which is for ever where none is said.
pub fn update(site: &Site<'_>, before: &Address, after: &Address) -> Result<(), Refused> {
    let whole =
        Address { scope: after.scope.over(&before.scope), label: after.label.over(&before.label), nodad: after.nodad.over(&before.nodad), ..after.clone() };
    site.ask(NEW, REPLACE, &full(site, &whole)?)
}

/// Removes an address.
pub fn delete(site: &Site<'_>, address: &Address) -> Result<(), Refused> {
    site.ask(DELETE, 0, &message(site, address)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(flags: u32) -> Writer {
        let mut body = Writer::new(&[2, 24, 0x80, 0, 7, 0, 0, 0]);
        body.ip(ADDRESS, [10, 0, 0, 2].into()).ip(LOCAL, [10, 0, 0, 1].into()).text(LABEL, "eth0").u32(FLAGS, flags).u8(PROTO, PROTOCOL);
        body
    }

    #[test]
    fn an_address_with_a_peer_is_read_whole() {
        let seen = parse(body(PERMANENT | SECONDARY).bytes()).unwrap();
        let address = seen.address(&"RED".into(), "eth0".into());
        assert_eq!(address.address.to_string(), "10.0.0.1/24");
        assert_eq!(address.peer, Some([10, 0, 0, 2].into()));
        assert_eq!((address.secondary, address.marked, seen.permanent), (true, true, true));
        assert_eq!(address.nodad, Setting::Left);
    }

    #[test]
    fn every_truncation_is_survived() {
        let body = body(PERMANENT);
        for cut in 0..body.bytes().len() {
            let _ = parse(&body.bytes()[..cut]);
        }
    }
}
