//! What the kernel makes of addresses and interfaces by itself, and what of it is missing.

use crate::linux::netlink::link;
use crate::linux::object::{address, route};
use crate::resource::{Address, Automatic, IfName, Kind, RouteKind};
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// `RTPROT_KERNEL`.
const KERNEL: u8 = 2;

/// What the kernel has made in a namespace.
pub struct There<'a> {
    links: HashMap<u32, &'a link::Seen>,
    addresses: HashMap<u32, Vec<&'a address::Seen>>,
    routes: HashSet<(RouteKind, IpNet, &'a IfName)>,
    /// Hundredths of a second since the machine started.
    now: u32,
}

/// Hundredths of a second since the machine started, as the kernel counts them (`cstamp_delta`).
fn now() -> u32 {
    let time = nix::time::clock_gettime(nix::time::ClockId::CLOCK_MONOTONIC)
        .map_or(0, |time| time.tv_sec() * 100 + time.tv_nsec() / 10_000_000);
    u32::try_from(time).unwrap_or(u32::MAX)
}

fn host(address: IpAddr) -> IpNet {
    match address {
        IpAddr::V4(v4) => IpNet::V4(v4.into()),
        IpAddr::V6(v6) => IpNet::V6(v6.into()),
    }
}

fn net4(address: [u8; 4], length: u8) -> IpNet {
    Ipv4Net::new(address.into(), length).unwrap_or_default().into()
}

fn net6(first: u16, length: u8) -> IpNet {
    Ipv6Net::new(Ipv6Addr::new(first, 0, 0, 0, 0, 0, 0, 0), length).unwrap_or_default().into()
}

impl<'a> There<'a> {
    /// From looks at links, addresses and routes, the routes taken last: what is read of an address is there by then.
    pub fn new(links: &'a [link::Seen], addresses: &'a [address::Seen], routes: &'a [route::Seen]) -> Self {
        let mut on: HashMap<u32, Vec<&address::Seen>> = HashMap::new();
        addresses.iter().for_each(|seen| on.entry(seen.index).or_default().push(seen));
        let kernels = routes.iter().filter(|seen| seen.protocol == KERNEL);
        let routes = kernels.filter_map(|seen| match seen.route.nexthops.as_slice() {
            [hop] if hop.via.is_none() => Some((seen.route.kind, seen.route.key.to, hop.dev.as_ref()?)),
            _ => None,
        });
        Self {
            links: links.iter().map(|link| (link.index, link)).collect(),
            addresses: on,
            routes: routes.collect(),
            now: now(),
        }
    }

    /// The link with this number.
    pub fn link(&self, index: u32) -> Option<&'a link::Seen> {
        self.links.get(&index).copied()
    }

    fn has(&self, kind: RouteKind, to: IpNet, dev: &IfName) -> bool {
        self.routes.contains(&(kind, to, dev))
    }

    /// What is missing of an address that the kernel has for usable.
    pub fn missing_of(&self, seen: &address::Seen, address: &Address) -> BTreeSet<Automatic> {
        let Some(link) = self.links.get(&seen.index).filter(|link| link.up && !seen.tentative && !address.dad_failed)
        else {
            return BTreeSet::new();
        };
        let (ip, subnet) = (address.address.addr(), address.subnet());
        let first = !address.secondary && address.flags & Address::NO_PREFIX_ROUTE == 0;
        let loopback = link.kind == Kind::Loopback;
        let mut wanted = if seen.is_fresh(self.now) {
            Vec::new()
        } else {
            vec![(Automatic::LocalRoute, RouteKind::Local, host(ip))]
        };
        match (ip, subnet) {
            // The kernel has its own there.
            (ip, _) if ip.is_loopback() => return BTreeSet::new(),
            (IpAddr::V4(_), IpNet::V4(net)) if first && !net.network().is_unspecified() => {
                if net.prefix_len() < 32 || address.peer.is_some() {
                    wanted.push((
                        Automatic::SubnetRoute,
                        if loopback { RouteKind::Local } else { RouteKind::Unicast },
                        subnet,
                    ));
                }
                if net.prefix_len() < 31 {
                    wanted.push((Automatic::BroadcastRoute, RouteKind::Broadcast, host(net.broadcast().into())));
                }
            }
            (IpAddr::V6(_), _) if first && address.peer.is_none() => {
                wanted.push((Automatic::SubnetRoute, RouteKind::Unicast, subnet))
            }
            _ => {}
        }
        wanted.into_iter().filter(|(_, kind, to)| !self.has(*kind, *to, &link.name)).map(|(what, ..)| what).collect()
    }

    /// What is missing of a link that is up.
    pub fn missing_of_link(&self, link: &link::Seen) -> BTreeSet<Automatic> {
        let mut missing = BTreeSet::new();
        if link.kind == Kind::Loopback && link.up {
            let four = [net4([127, 0, 0, 0], 8), net4([127, 0, 0, 1], 32)];
            if self.on(link, Ipv4Addr::LOCALHOST).is_none()
                || !four.into_iter().all(|to| self.has(RouteKind::Local, to, &link.name))
            {
                missing.insert(Automatic::Loopback4);
            }
            let there = self.on(link, Ipv6Addr::LOCALHOST).is_some()
                && self.has(RouteKind::Local, host(Ipv6Addr::LOCALHOST.into()), &link.name);
            if !link.without_ipv6 && !there && link.ready6 {
                missing.insert(Automatic::Loopback6);
            }
        }
        if self.has_link_local(link) {
            let local: Vec<&&address::Seen> = self.link_locals(link).collect();
            let whole = |seen: &&&address::Seen| {
                let fresh = seen.is_fresh(self.now);
                let routed = (fresh || self.has(RouteKind::Local, host(seen.address.addr()), &link.name))
                    && self.has(RouteKind::Unicast, seen.address.trunc(), &link.name);
                seen.tentative || seen.has_failed() || routed
            };
            if local.is_empty() || !local.iter().all(whole) {
                missing.insert(Automatic::LinkLocal);
            }
            let multicast = [RouteKind::Multicast, RouteKind::Unicast]
                .into_iter()
                .any(|kind| self.has(kind, net6(0xff00, 8), &link.name));
            if !multicast {
                missing.insert(Automatic::MulticastRoute);
            }
        }
        missing
    }

    /// Whether the kernel gives a link a link-local address: not a port of a bond (`IFF_NO_ADDRCONF`), and tunnels have
    /// their own ways.
    fn has_link_local(&self, link: &link::Seen) -> bool {
        let kinds = [Kind::Veth, Kind::Bridge, Kind::Dummy, Kind::Vlan, Kind::Macvlan, Kind::Bond, Kind::Vxlan];
        let of_a_bond =
            link.master.and_then(|master| self.links.get(&master)).is_some_and(|master| master.kind == Kind::Bond);
        link.up && link.ready6 && link.generates && !link.without_ipv6 && !of_a_bond && kinds.contains(&link.kind)
    }

    fn on(&self, link: &link::Seen, ip: impl Into<IpAddr>) -> Option<&&'a address::Seen> {
        let ip = ip.into();
        self.addresses.get(&link.index)?.iter().find(|seen| seen.address.addr() == ip)
    }

    /// The link-local addresses of a link that nothing wrote.
    fn link_locals(&self, link: &link::Seen) -> impl Iterator<Item = &&'a address::Seen> + '_ {
        self.addresses.get(&link.index).into_iter().flatten().filter(|seen| seen.is_link_local())
    }
}
