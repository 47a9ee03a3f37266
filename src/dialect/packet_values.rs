//! Addresses, ports and targets as nft and iptables write them.

use crate::resource::{AddressRange, Target};
use ipnet::IpNet;
use std::net::IpAddr;

/// A range of addresses as nft and iptables write it.
pub(super) fn range(text: &str) -> Option<AddressRange> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some(AddressRange::Prefix(address.into()));
    }
    if let Ok(net) = text.parse::<IpNet>() {
        return Some(AddressRange::Prefix(net));
    }
    let (from, to) = text.split_once('-')?;
    Some(AddressRange::Range(from.parse().ok()?, to.parse().ok()?))
}

/// A port or a range of ports, with this between the two.
pub(super) fn ports(text: &str, between: char) -> Option<(u16, u16)> {
    let (from, to) = text.split_once(between).unwrap_or((text, text));
    Some((from.parse().ok()?, to.parse().ok()?))
}

/// Where NAT sends a packet: `10.0.0.2:80`, `[fd00::2]:80`, `10.0.0.2-10.0.0.9`.
pub(super) fn target(text: &str) -> Option<Target> {
    let (addresses, port) = if let Some(rest) = text.strip_prefix('[') {
        let (first, rest) = rest.split_once(']')?;
        // `[fd00::2]-[fd00::9]:80` as nft has it, `[fd00::2-fd00::9]:80` as iptables.
        match rest.strip_prefix("-[").and_then(|rest| rest.split_once(']')) {
            Some((last, rest)) => (format!("{first}-{last}"), rest.strip_prefix(':')),
            None => (first.to_owned(), rest.strip_prefix(':')),
        }
    } else if text.matches(':').count() == 1 {
        let (addresses, port) = text.split_once(':')?;
        (addresses.to_owned(), Some(port))
    } else {
        (text.to_owned(), None)
    };
    let port = match port {
        Some(port) => Some(ports(port, '-')?),
        None => None,
    };
    let (first, last) = match addresses.split_once('-') {
        Some((first, last)) => (first, Some(last.parse().ok()?)),
        None => (addresses.as_str(), None),
    };
    Some(Target { address: first.parse().ok()?, last, port })
}
