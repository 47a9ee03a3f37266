//! What `local: true` of a `dnat` takes besides: a target reaches itself by the published address, and the node reaches
//! it from 127.0.0.1, only where both are seen from another address. The rule is for packets that go back to where they
//! came from: no others have these addresses.

use super::node::At;
use crate::document::Loc;
use crate::document::schema::nat::{Dnat, Local};
use crate::document::value::InterfaceItem;
use crate::resource::{AddressMatch, AddressRange, Family, PacketRule, Verdict};
use ipnet::IpNet;
use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, Ipv4Addr};

/// The addresses of a node.
pub(super) struct Around<'d> {
    own: HashSet<IpAddr>,
    /// The subnets of its interfaces.
    subnets: HashMap<IpNet, &'d str>,
}

impl<'d> Around<'d> {
    /// Those that the file gives to the interfaces of `at`.
    pub fn of(at: &At<'d>) -> Self {
        let section = at.section;
        let addresses = section
            .interfaces
            .iter()
            .flat_map(|(name, interface)| interface.addresses.iter().map(|entry| (name.as_str(), entry.address.0)));
        let (own, subnets) = (
            addresses.clone().map(|(_, net)| net.addr()).collect(),
            addresses.map(|(name, net)| (net.trunc(), name)).collect(),
        );
        Self { own, subnets }
    }

    /// The interface by which `target` is reached directly.
    fn toward(&self, target: IpAddr) -> Option<&'d str> {
        let longest = if target.is_ipv4() { 32 } else { 128 };
        (0..=longest).rev().find_map(|length| self.subnets.get(&IpNet::new(target, length).ok()?.trunc()).copied())
    }

    /// The rule; none where it is of no use, because `in` keeps the target's own connections out.
    pub fn hairpin(&self, rule: &Dnat) -> Option<PacketRule> {
        let to = &rule.to.0;
        let meant = rule.local.as_ref().is_some_and(|local| local.value == Local::Too);
        if !meant || to.address.is_loopback() || self.own.contains(&to.address) {
            return None;
        }
        if let Some(input) = &rule.matches.input {
            let name = self.toward(to.address);
            let fits = |item: &Loc<InterfaceItem>| {
                name.is_some_and(|name| {
                    item.name.strip_suffix('*').map_or(item.name == name, |start| name.starts_with(start))
                })
            };
            if input.iter().any(|item| item.not) == input.iter().any(fits) {
                return None;
            }
        }
        let target = to
            .last
            .filter(|last| *last != to.address)
            .map_or(AddressRange::Prefix(to.address.into()), |last| AddressRange::Range(to.address, last));
        let mut source = vec![target];
        if let IpAddr::V4(address) = to.address {
            let loopback = IpNet::new(Ipv4Addr::new(127, 0, 0, 0).into(), 8).ok()?;
            // In the order in which nft lists them.
            source.insert(usize::from(address < Ipv4Addr::LOCALHOST), AddressRange::Prefix(loopback));
        }
        let list = |items| Some(AddressMatch { not: false, items });
        let family = Some(if to.address.is_ipv4() { Family::V4 } else { Family::V6 });
        let verdict = Some(Verdict::Masquerade);
        Some(PacketRule {
            family,
            source: list(source),
            destination: list(vec![target]),
            verdict,
            ..PacketRule::default()
        })
    }
}
