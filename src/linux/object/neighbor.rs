//! Neighbours and forwarding entries.

use crate::linux::netlink::attributes::{Attributes, Writer, u8_at, u16_at, u32_at};
use crate::linux::netlink::socket::{APPEND, CREATE, EXCLUSIVE, REPLACE, Refused, Socket};
use crate::linux::netns::context::Site;
use crate::resource::mark::PROTOCOL;
use crate::resource::{Fdb, FdbTarget, IfName, LinkId, LiveEntry, LiveNeighbor, Mac, Neighbor, Node};
use nix::libc;
use std::net::IpAddr;

pub const NEW: u16 = 28;
const DELETE: u16 = 29;
const GET: u16 = 30;
/// Length of `struct ndmsg`.
const HEAD: usize = 12;

// `NDA_*` of `include/uapi/linux/neighbour.h`.
const DST: u16 = 1;
const LLADDR: u16 = 2;
const VLAN: u16 = 5;
const MASTER_OF: u16 = 9;
const PROTOCOL_OF: u16 = 12;

// `NUD_*`.
const NOARP: u16 = 0x40;
const PERMANENT: u16 = 0x80;
/// The states of a neighbour that is looked for, as `ip neigh` calls them.
const STATES: [(u16, &str); 7] = [
    (0x01, "incomplete"),
    (0x02, "reachable"),
    (0x04, "stale"),
    (0x08, "delay"),
    (0x10, "probe"),
    (0x20, "failed"),
    (PERMANENT, "permanent"),
];
// `NTF_*`.
const SELF: u8 = 0x02;
const MASTER: u8 = 0x04;
const PROXY: u8 = 0x08;
const EXTERNALLY_LEARNED: u8 = 0x10;
const ROUTER: u8 = 0x80;

/// A neighbour or forwarding entry as the kernel reports it.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The number of its interface.
    pub index: u32,
    /// The neighbour's address, or the tunnel end of a forwarding entry.
    pub address: Option<IpAddr>,
    mac: Option<Mac>,
    state: u16,
    flags: u8,
    /// The VLAN of a forwarding entry of a bridge; `None` where it is no such entry.
    vlan: Option<u16>,
    /// The number of the bridge that it is an entry of.
    master: Option<u32>,
    /// Who put it there (`NDA_PROTOCOL`).
    pub protocol: u8,
}

/// All neighbours of the socket's namespace, the learned ones too; or the proxy entries.
///
/// # Errors
///
/// The kernel's refusal, with its errno and its own text.
pub fn dump(socket: &Socket, proxies: bool) -> Result<Vec<Seen>, Refused> {
    let families = [libc::AF_INET, libc::AF_INET6].map(|family| u8::try_from(family).unwrap_or(0));
    Ok(dump_family(socket, 0, if proxies { PROXY } else { 0 })?
        .into_iter()
        .filter(|(family, _)| families.contains(family))
        .map(|(_, seen)| seen)
        .collect())
}

/// All forwarding entries of the socket's namespace.
///
/// # Errors
///
/// The kernel's refusal, with its errno and its own text.
pub fn dump_fdb(socket: &Socket) -> Result<Vec<Seen>, Refused> {
    let bridge = u8::try_from(libc::AF_BRIDGE).unwrap_or(0);
    Ok(dump_family(socket, bridge, 0)?
        .into_iter()
        .filter(|(family, _)| *family == bridge)
        .map(|(_, seen)| seen)
        .collect())
}

fn dump_family(socket: &Socket, family: u8, flags: u8) -> Result<Vec<(u8, Seen)>, Refused> {
    let messages = socket.dump(GET, Writer::new(&head(family, 0, 0, flags)).bytes())?;
    Ok(messages
        .iter()
        .filter(|message| message.kind == NEW)
        .filter_map(|message| Some((u8_at(&message.body, 0)?, parse(&message.body)?)))
        .collect())
}

/// Reads `RTM_NEWNEIGH`.
pub fn parse(body: &[u8]) -> Option<Seen> {
    let attributes = Attributes::after(body, HEAD);
    Some(Seen {
        index: u32_at(body, 4)?,
        address: attributes.ip(DST),
        mac: attributes.get(LLADDR).and_then(|mac| <[u8; 6]>::try_from(mac).ok()).map(Mac),
        state: u16_at(body, 8)?,
        flags: u8_at(body, 10)?,
        vlan: attributes.get(MASTER_OF).map(|_| attributes.get(VLAN).and_then(|vlan| u16_at(vlan, 0)).unwrap_or(0)),
        master: attributes.u32(MASTER_OF),
        protocol: attributes.u8(PROTOCOL_OF).unwrap_or(0),
    })
}

impl Seen {
    /// The resource, if it is a neighbour.
    pub fn neighbor(&self, node: &Node, name: IfName) -> Option<Neighbor> {
        let proxy = self.flags & PROXY != 0;
        Some(Neighbor {
            link: LinkId { node: node.clone(), name },
            address: self.address?,
            proxy,
            mac: self.mac.filter(|_| !proxy),
            permanent: proxy || self.state & PERMANENT != 0,
            marked: self.protocol == PROTOCOL,
            protocol: self.protocol,
        })
    }

    /// The resource, if it is a forwarding entry that another program configured. A bridge's own addresses are
    /// permanent in it, static is what lies behind a port.
    pub fn fdb(&self, node: &Node, name: IfName) -> Option<Fdb> {
        let to = match (self.address, self.vlan) {
            (Some(dst), None) if self.flags & SELF != 0 && self.state & (PERMANENT | NOARP) != 0 => FdbTarget::End(dst),
            (None, Some(vlan)) if self.flags & (SELF | EXTERNALLY_LEARNED) == 0 && self.state & NOARP != 0 => {
                FdbTarget::Port(vlan)
            }
            _ => return None,
        };
        Some(Fdb { link: LinkId { node: node.clone(), name }, mac: self.mac?, to })
    }

    /// The neighbour on `interface`, learned or not, as `ip neigh` lists it: not what needs no look-up (`NUD_NOARP`),
    /// nor what nothing is known of.
    pub fn live(&self, interface: IfName) -> Option<LiveNeighbor> {
        let state = STATES.iter().find(|(bit, _)| self.state & bit != 0).map(|(_, word)| *word)?;
        Some(LiveNeighbor { interface, address: self.address?, mac: self.mac, state, router: self.flags & ROUTER != 0 })
    }

    /// The forwarding entry at `interface`, learned or not, as `bridge fdb` lists it, but for the group addresses that
    /// an interface listens to.
    pub fn live_entry(&self, interface: IfName, name_of: impl Fn(u32) -> Option<IfName>) -> Option<LiveEntry> {
        let mac = self.mac?;
        let listens = mac.0[0] & 1 == 1 && self.master.is_none() && self.address.is_none();
        let state = match self.state {
            state if state & PERMANENT != 0 => "permanent",
            state if state & NOARP != 0 => "static",
            _ => "learned",
        };
        (!listens).then(|| LiveEntry {
            interface,
            mac,
            vlan: self.vlan.filter(|vlan| *vlan != 0),
            master: self.master.and_then(name_of),
            dst: self.address,
            state,
        })
    }
}

fn head(family: u8, index: u32, state: u16, flags: u8) -> [u8; HEAD] {
    let ([i0, i1, i2, i3], [s0, s1]) = (index.to_ne_bytes(), state.to_ne_bytes());
    [family, 0, 0, 0, i0, i1, i2, i3, s0, s1, flags, 0]
}

fn message(site: &Site<'_>, neighbor: &Neighbor) -> Result<Writer, Refused> {
    let family = if neighbor.address.is_ipv4() { libc::AF_INET } else { libc::AF_INET6 };
    let flags = if neighbor.proxy { PROXY } else { 0 };
    let state = if neighbor.permanent { PERMANENT } else { 0 };
    let mut body =
        Writer::new(&head(u8::try_from(family).unwrap_or(0), site.index(&neighbor.link.name)?, state, flags));
    body.ip(DST, neighbor.address);
    Ok(body)
}

pub(super) fn full(site: &Site<'_>, neighbor: &Neighbor) -> Result<Writer, Refused> {
    let mut body = message(site, neighbor)?;
    if let Some(mac) = neighbor.mac {
        body.put(LLADDR, &mac.0);
    }
    let protocol = if neighbor.marked { PROTOCOL } else { neighbor.protocol };
    if protocol != 0 {
        body.u8(PROTOCOL_OF, protocol);
    }
    Ok(body)
}

/// Adds a neighbour. One that was learned meanwhile is written over: it is the same neighbour, and the traffic of a
/// second decides whether it is there.
///
/// # Errors
///
/// `EEXIST` if it is there already, else the kernel's refusal.
pub fn create(site: &Site<'_>, neighbor: &Neighbor) -> Result<(), Refused> {
    site.ask(NEW, CREATE | REPLACE, &full(site, neighbor)?)
}

/// Changes a neighbour where it stands. One whose mark goes, and that had no other protocol number, is made anew: no
/// request takes one away (`__neigh_update`).
///
/// # Errors
///
/// The kernel's refusal, with its errno and its own text.
pub fn update(site: &Site<'_>, before: &Neighbor, after: &Neighbor) -> Result<(), Refused> {
    if before.marked && !after.marked && after.protocol == 0 {
        delete(site, before)?;
        return create(site, after);
    }
    site.ask(NEW, REPLACE, &full(site, after)?)
}

/// Removes a neighbour.
///
/// # Errors
///
/// `ENOENT`, `ESRCH` or `ENODEV` if it is not there, else the kernel's refusal.
pub fn delete(site: &Site<'_>, neighbor: &Neighbor) -> Result<(), Refused> {
    site.ask(DELETE, 0, &message(site, neighbor)?)
}

pub(super) fn fdb_message(site: &Site<'_>, fdb: &Fdb) -> Result<Writer, Refused> {
    let family = u8::try_from(libc::AF_BRIDGE).unwrap_or(0);
    let (state, flags) = if matches!(fdb.to, FdbTarget::End(_)) { (PERMANENT, SELF) } else { (NOARP, MASTER) };
    let mut body = Writer::new(&head(family, site.index(&fdb.link.name)?, state, flags));
    body.put(LLADDR, &fdb.mac.0);
    match fdb.to {
        FdbTarget::End(dst) => _ = body.ip(DST, dst),
        FdbTarget::Port(0) => {}
        FdbTarget::Port(vlan) => _ = body.u16(VLAN, vlan),
    }
    Ok(body)
}

/// Adds a forwarding entry. Addresses that mean many (all zero, multicast) may have several tunnel ends. A bridge may
/// have learned an address already.
///
/// # Errors
///
/// `EEXIST` if it is there already, else the kernel's refusal.
pub fn create_fdb(site: &Site<'_>, fdb: &Fdb) -> Result<(), Refused> {
    let many = fdb.mac == Mac([0; 6]) || fdb.mac.0[0] & 1 == 1;
    let how = match fdb.to {
        FdbTarget::End(_) if many => APPEND,
        FdbTarget::End(_) => EXCLUSIVE,
        FdbTarget::Port(_) => REPLACE,
    };
    site.ask(NEW, CREATE | how, &fdb_message(site, fdb)?)
}

/// Removes a forwarding entry.
///
/// # Errors
///
/// `ENOENT`, `ESRCH` or `ENODEV` if it is not there, else the kernel's refusal.
pub fn delete_fdb(site: &Site<'_>, fdb: &Fdb) -> Result<(), Refused> {
    site.ask(DELETE, 0, &fdb_message(site, fdb)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body() -> Writer {
        let mut body = Writer::new(&head(2, 7, PERMANENT, 0));
        body.ip(DST, [10, 0, 0, 9].into()).put(LLADDR, &[2, 0, 0, 0, 0, 9]).u8(PROTOCOL_OF, PROTOCOL);
        body
    }

    #[test]
    fn a_neighbour_is_read_whole() {
        let seen = parse(body().bytes()).unwrap();
        let neighbor = seen.neighbor(&"RED".into(), "eth0".into()).unwrap();
        assert_eq!(neighbor.mac, Some(Mac([2, 0, 0, 0, 0, 9])));
        assert!(neighbor.permanent && neighbor.marked && !neighbor.proxy);
        assert_eq!(seen.fdb(&"RED".into(), "eth0".into()), None);
    }

    #[test]
    fn every_truncation_is_survived() {
        let body = body();
        for cut in 0..body.bytes().len() {
            let _ = parse(&body.bytes()[..cut]);
        }
    }
}
