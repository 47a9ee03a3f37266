//! A kernel without IPv6: booted with `ipv6.disable=1`, as hardening guides say, or built without it.

use crate::kernel::{Error, ErrorKind};
use crate::model::creation::born;
use crate::resource::{Family, FdbTarget, Kind, Owner, Resource, State, Sysctl, Value};
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socket};
use std::net::IpAddr;

/// The switch for forwarding.
const SWITCH: &str = Sysctl::FORWARDING_V6;

/// Whether this kernel has IPv6.
pub fn is_there() -> bool {
    !matches!(
        socket(AddressFamily::Inet6, SockType::Datagram, SockFlag::SOCK_CLOEXEC, None),
        Err(nix::Error::EAFNOSUPPORT)
    )
}

/// Fails where the kernel has no IPv6 and `wanted` has something that needs it.
///
/// # Errors
///
/// [`ErrorKind::Missing`] with the first that needs it.
pub fn check(wanted: &State) -> Result<(), Error> {
    let Some(first) = wanted.resources().find(|resource| needs(resource)).filter(|_| !is_there()) else {
        return Ok(());
    };
    let id = first.id();
    let help = match first {
        Resource::Sysctl(sysctl) if sysctl.key == SWITCH => {
            "write `forwarding: ipv4`, or boot the kernel without ipv6.disable=1"
        }
        _ => "leave IPv6 out of the file, or boot the kernel without ipv6.disable=1",
    };
    Err(Error::new(
        ErrorKind::Missing,
        format!("look for IPv6, which {} {id} needs", id.kind()),
        "this kernel has none",
    )
    .help(help)
    .about(id))
}

/// What a kernel without IPv6 has none of is as it is wanted: its policy rules and the switch for forwarding, in each
/// namespace of ours and where the switch is to be off.
pub fn stand_in(wanted: &State, observed: &mut State) {
    if is_there() {
        return;
    }
    let made: Vec<Resource> =
        observed.namespaces().cloned().flat_map(|namespace| born(&Resource::Namespace(namespace))).collect();
    let off = wanted
        .resources()
        .filter(|resource| matches!(resource, Resource::Sysctl(sysctl) if sysctl.key == SWITCH && sysctl.value == "0"));
    for resource in made.into_iter().chain(off.cloned()) {
        let of_ipv6 = match &resource {
            Resource::Rule(rule) => rule.key.family == Family::V6,
            Resource::Sysctl(sysctl) => sysctl.key == SWITCH,
            _ => false,
        };
        if of_ipv6 && observed.get(&resource.id()).is_none() && observed.namespace(resource.id().node()).is_some() {
            observed.insert(resource, Owner::Ours);
        }
    }
}

/// Whether a resource is one of IPv6.
fn needs(resource: &Resource) -> bool {
    let six = IpAddr::is_ipv6;
    match resource {
        Resource::Address(address) => six(&address.address.addr()),
        Resource::Route(route) => {
            six(&route.key.to.addr()) || route.nexthops.iter().filter_map(|hop| hop.via.as_ref()).any(six)
        }
        Resource::Rule(rule) => rule.key.family == Family::V6 && !rule.kernel,
        Resource::Neighbor(neighbor) => six(&neighbor.address),
        Resource::Sysctl(sysctl) => {
            sysctl.key.starts_with("net/ipv6/") && (sysctl.key != SWITCH || sysctl.value != "0")
        }
        Resource::Fdb(fdb) => matches!(&fdb.to, FdbTarget::End(end) if six(end)),
        Resource::Link(link) => {
            let ends = link.options.values().any(|value| matches!(value, Value::Ip(ip) if six(ip)));
            ends || matches!(link.kind, Kind::Sit | Kind::Ip6tnl | Kind::Ip6gre)
        }
        _ => false,
    }
}
