//! Whose a route is.

use super::classify::{Sorter, theirs};
use super::client;
use crate::linux::object::route;
use crate::resource::mark::PROTOCOL;
use crate::resource::{Foreign, Resource, RouteKey};
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// `RTPROT_*` of what a user or a script configures: unspecified, boot, static. (Topo's own comes besides.)
const CONFIGURED: [u8; 3] = [0, 3, 4];
/// `RTPROT_KERNEL`.
pub(super) const KERNEL: u8 = 2;

/// Whether a routing daemon, DHCP or a router put something there, by the numbers that rtnetlink.h, iproute2 and FRR
/// have for them.
fn is_daemons(protocol: u8) -> bool {
    matches!(protocol, 1 | 8..=18 | 42 | 84 | 99 | 186..=198)
}

/// Whether what has this protocol number was configured: in a namespace of others also with an unknown number, which
/// no daemon brings back. In one of the topology's (`made`) such a thing stays.
pub(super) fn is_configured(protocol: u8, made: bool) -> bool {
    protocol == PROTOCOL || CONFIGURED.contains(&protocol) || !made && protocol != KERNEL && !is_daemons(protocol)
}

impl Sorter<'_> {
    /// Routes: those that are configured, and those that the file names.
    pub(super) fn routes(&mut self) {
        let mut taken: BTreeMap<RouteKey, u16> = BTreeMap::new();
        // Of several under one key ours comes first, so that it is the one that is compared.
        let mut seen: Vec<&route::Seen> = self.inside.routes.iter().collect();
        // The order of the rest counts for IPv4; IPv6 takes them in turn, and has one that came back behind the others
        // (`fib6_add_rt2node`).
        let rank = |seen: &route::Seen| {
            (seen.protocol != PROTOCOL, !is_configured(seen.protocol, self.made), seen.route.key.to.addr().is_ipv6())
        };
        seen.sort_by(|a, b| {
            rank(a)
                .cmp(&rank(b))
                .then_with(|| if rank(a).2 { a.route.nexthops.cmp(&b.route.nexthops) } else { Ordering::Equal })
        });
        for seen in seen {
            let id = seen.route.id();
            let configured = is_configured(seen.protocol, self.made);
            let mut devs = seen.route.nexthops.iter().filter_map(|hop| hop.dev.as_ref());
            let shown = devs.clone().any(|dev| self.shown.contains(dev));
            let six = seen.route.key.to.addr().is_ipv6();
            let owner = match (configured, self.made) {
                (false, _) => self
                    .wanted(&id)
                    .then(|| theirs(if seen.protocol == KERNEL { Foreign::Kernel } else { Foreign::RoutingDaemon })),
                (true, true)
                    if seen.protocol != PROTOCOL
                        && !self.wanted(&id)
                        && devs.clone().any(|dev| self.has_client(dev, six)) =>
                {
                    Some(client::owner())
                }
                (true, true) => Some(self.inside(&id, None)),
                (true, false) => {
                    let on_ours = devs.any(|dev| {
                        self.look.links.iter().any(|link| link.name == *dev && self.ours.contains(&link.index))
                    });
                    self.owner_elsewhere(&id, seen.protocol == PROTOCOL, on_ours, shown)
                }
            };
            let Some(owner) = owner else { continue };
            let nth = taken.entry(seen.route.key.clone()).or_insert(0);
            if *nth > 0 && !configured {
                continue;
            }
            let mut route = seen.route.clone();
            route.key.nth = *nth;
            *nth = nth.saturating_add(1);
            self.state.insert(Resource::Route(route), owner);
        }
    }
}
