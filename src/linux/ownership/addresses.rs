//! Whose an address is.

use super::classify::{Sorter, theirs};
use super::client;
use crate::resource::{Foreign, Owner, Resource, Route};
use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;

impl Sorter<'_> {
    /// The source addresses of the routes over links that are shown. Of them it matters where else they are: without
    /// one such a route does not come back.
    fn sources(&self) -> BTreeSet<IpAddr> {
        let over = |route: &Route| {
            route.nexthops.iter().filter_map(|hop| hop.dev.as_ref()).any(|dev| self.shown.contains(dev))
        };
        let there = self.inside.routes.iter().filter_map(|seen| seen.route.source.filter(|_| over(&seen.route)));
        let before = self
            .judge
            .record
            .prior
            .iter()
            .filter_map(|prior| if let Resource::Route(route) = prior { route.source } else { None });
        if self.made { BTreeSet::new() } else { there.chain(before).collect() }
    }

    /// Puts the addresses into the state.
    pub(super) fn addresses(&mut self) {
        let sources = self.sources();
        let mut taken: HashMap<u32, u32> = HashMap::new();
        for seen in &self.inside.addresses {
            let Some(name) = self.name(seen.index) else { continue };
            let mut address = seen.address(self.node(), name.clone());
            let nth = taken.entry(seen.index).or_default();
            *nth += 1;
            // IPv6 has the last one first (`ipv6_link_dev_addr`).
            address.nth = if address.address.addr().is_ipv4() { *nth } else { u32::MAX - *nth };
            let id = address.id();
            let wanted = self.wanted(&id);
            // An older kernel keeps no mark: what the file or the record names has it.
            address.marked |= !self.judge.says && (wanted || self.judge.record.owned.contains(&id));
            let of_a_tunnel =
                self.there.link(seen.index).is_some_and(|link| link.gives_itself(&address.address.addr()));
            // One that the file wants on a link of ours lasted until another program gave it a lifetime.
            let lasts = seen.permanent || address.marked || wanted && self.ours.contains(&seen.index);
            let of_the_kernel = seen.is_kernels(self.judge.says) || of_a_tunnel;
            // What a DHCP client or a manual change gave for a time, on a link that is shown. An older kernel does not
            // tell it from what a router advertised.
            let limited = !of_the_kernel && !self.made && (self.judge.says || address.address.addr().is_ipv4());
            let shown = self.shown.contains(&name) || sources.contains(&address.address.addr());
            let owner = match (of_the_kernel || !lasts, self.made) {
                (true, _) => (wanted || limited && shown || sources.contains(&address.address.addr()))
                    .then(|| theirs(if limited { Foreign::Unknown } else { Foreign::Kernel })),
                (false, true)
                    if !address.marked && !wanted && self.has_client(&name, address.address.addr().is_ipv6()) =>
                {
                    Some(client::owner())
                }
                (false, true) => Some(self.inside(&id, Some(seen.index))),
                (false, false) => self.owner_elsewhere(&id, address.marked, self.ours.contains(&seen.index), shown),
            };
            if let Some(owner) = owner {
                if owner == Owner::Ours {
                    address.missing = self.there.missing_of(seen, &address);
                }
                self.state.insert(Resource::Address(address), owner);
            }
        }
    }
}
