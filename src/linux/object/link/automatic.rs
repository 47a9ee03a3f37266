//! Making again what the kernel makes of interfaces by itself.

use crate::kernel::Error;
use crate::linux::netlink::socket::Refused;
use crate::linux::netns::context::Site;
use crate::linux::netns::sysctl;
use crate::linux::object::{address, route};
use crate::resource::{Address, Automatic, Kind, Link, LinkId, NextHop, Route, RouteKey, RouteKind, Setting, TableId};
use ipnet::{IpNet, Ipv4Net};
use nix::libc;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// `RTPROT_KERNEL`.
const KERNEL: u8 = 2;
/// `IP6_RT_PRIO_ADDRCONF`, the metric of a connected route.
const PREFIX_METRIC: u32 = 256;
/// `IFAPROT_KERNEL_LO`.
const OF_LO: u8 = 1;
/// `RT_SCOPE_HOST` and `RT_SCOPE_LINK`.
const HOST: u8 = 254;
const LINK: u8 = 253;

fn net4(address: [u8; 4], length: u8) -> IpNet {
    Ipv4Net::new(address.into(), length).unwrap_or_default().into()
}

/// Makes again what is missing of a link.
///
/// # Errors
///
/// The kernel's refusal of an address or a route.
pub fn mend(site: &Site<'_>, link: &Link) -> Result<(), Error> {
    let failed = |refused: Refused| refused.error(format!("make again what the kernel made of {}", link.id));
    if link.kind == Kind::Loopback {
        return loopback(site, link).map_err(failed);
    }
    let index = site.index(&link.id.name).map_err(failed)?;
    // A whole one comes with its routes; one without them is in the way.
    let of_the_kernel =
        |seen: &&address::Seen| seen.index == index && seen.is_link_local() && (site.made || seen.protocol != 0);
    for seen in address::dump(&site.socket).map_err(failed)?.iter().filter(of_the_kernel) {
        address::delete(site, &seen.address(&site.node, link.id.name.clone())).map_err(failed)?;
    }
    // Another way to make it, and back: the kernel makes one each time (`addrconf_sysctl_addr_gen_mode`).
    const NONE: &str = "1";
    let key = format!("net/ipv6/conf/{}/addr_gen_mode", link.id.name);
    let mode = sysctl::read(&key)?;
    sysctl::write(&key, NONE)?;
    sysctl::write(&key, &mode)
}

/// The addresses of `lo`, and the routes that come with them.
fn loopback(site: &Site<'_>, link: &Link) -> Result<(), Refused> {
    let addresses = address::dump(&site.socket)?;
    let index = site.index(&link.id.name)?;
    let there = |ip: IpAddr| addresses.iter().any(|seen| seen.index == index && seen.address.addr() == ip);
    let own = |net: IpNet| Address {
        scope: Setting::Is(HOST),
        protocol: OF_LO,
        marked: false,
        ..Address::plain(link.id.clone(), net)
    };
    if link.missing.contains(&Automatic::Loopback4) {
        if there(Ipv4Addr::LOCALHOST.into()) {
            routes_of_loopback(site, &link.id, index)?;
        } else {
            // The kernel says of its own IPv6 address who made it, and not of this one (`inetdev_event`).
            let label = Setting::Is(link.id.name.to_string());
            address::create(site, &Address { label, protocol: 0, ..own(net4([127, 0, 0, 1], 8)) })?;
        }
    }
    if link.missing.contains(&Automatic::Loopback6) {
        let six = own(IpNet::V6(Ipv6Addr::LOCALHOST.into()));
        if there(six.address.addr()) {
            address::delete(site, &six)?;
        }
        address::create(site, &six)?;
        // Its own comes without a connected route.
        let key = RouteKey::new(TableId::MAIN, six.address, PREFIX_METRIC);
        let connected = Route {
            nexthops: vec![NextHop::new(None, Some(link.id.name.clone()))],
            protocol: KERNEL,
            marked: false,
            ..Route::bare(site.node.clone(), key)
        };
        route::delete(site, &connected)?;
    }
    Ok(())
}

/// The routes to `127.0.0.1` and its subnet, by themselves: without the address those of the file in that subnet would
/// go, which come second to it.
fn routes_of_loopback(site: &Site<'_>, lo: &LinkId, index: u32) -> Result<(), Refused> {
    let name_of = |number| Some(lo.name.clone()).filter(|_| number == index);
    let seen = route::dump(&site.socket, libc::AF_INET, &site.node, name_of)?;
    let local = (RouteKind::Local, HOST);
    let broadcast = (RouteKind::Broadcast, LINK);
    // The one to the address first: without it the address is no source of the others (`fib_valid_prefsrc`).
    for (to, (kind, scope)) in [
        (net4([127, 0, 0, 1], 32), local),
        (net4([127, 0, 0, 0], 8), local),
        (net4([127, 255, 255, 255], 32), broadcast),
    ] {
        if seen.iter().any(|seen| seen.protocol == KERNEL && seen.route.kind == kind && seen.route.key.to == to) {
            continue;
        }
        let route = Route {
            kind,
            nexthops: vec![NextHop::new(None, Some(lo.name.clone()))],
            source: Some(Ipv4Addr::LOCALHOST.into()),
            scope: Setting::Is(scope),
            protocol: KERNEL,
            marked: false,
            ..Route::bare(site.node.clone(), RouteKey::new(TableId::LOCAL, to, 0))
        };
        route::create(site, &route)?;
    }
    Ok(())
}
