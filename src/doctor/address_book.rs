//! The addresses of a file by which its nodes are reached.

use crate::flow::packet::{is_link_local, is_loopback};
use crate::resource::{Address, Node, Resource, State};
use ipnet::IpNet;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// The addresses of a file, by node and in its order.
pub(super) struct Book<'a> {
    /// All that can be asked for, with the node that has it.
    pub all: Vec<&'a Address>,
    /// The subnets that a node is in.
    subnets: BTreeMap<&'a Node, Vec<IpNet>>,
}

impl<'a> Book<'a> {
    /// Those of `wanted`: no loopback, none of one link alone, none in a VRF, which only programs bound to it reach.
    pub fn of(wanted: &'a State) -> Self {
        let of = |resource: &'a Resource| match resource {
            Resource::Address(address) => Some(address),
            _ => None,
        };
        let usable = |address: &&Address| {
            let to = address.address.addr();
            let vrf = wanted.link(&address.link).is_some_and(|link| {
                link.master_id()
                    .and_then(|master| wanted.link(&master))
                    .is_some_and(|master| master.kind == crate::resource::Kind::Vrf)
            });
            !is_loopback(to) && !is_link_local(to) && !vrf && address.link.name.as_str() != "lo"
        };
        let all: Vec<&Address> = wanted.resources().filter_map(of).filter(usable).collect();
        let mut subnets: BTreeMap<&Node, Vec<IpNet>> = BTreeMap::new();
        for address in &all {
            subnets.entry(&address.link.node).or_default().push(address.subnet());
        }
        Self { all, subnets }
    }

    /// Whether a node is in the subnet of an address.
    pub fn is_near(&self, node: &Node, to: IpAddr) -> bool {
        self.subnets.get(node).into_iter().flatten().any(|subnet| subnet.contains(&to))
    }

    /// One address of each other node in `net`, and not in a subnet of `from`; those after `from` first.
    pub fn within<'b>(&'b self, from: &'b Node, net: &'b IpNet) -> impl Iterator<Item = &'a Address> + 'b {
        let start = self.all.iter().position(|address| address.link.node > *from).unwrap_or(0);
        let (before, after) = self.all.split_at_checked(start).unwrap_or((&[], &self.all));
        let mut last: Option<&Node> = None;
        after.iter().chain(before).copied().filter(move |address| {
            let node = &address.link.node;
            let to = address.address.addr();
            let fits =
                node != from && !node.is_host() && last != Some(node) && net.contains(&to) && !self.is_near(from, to);
            if fits {
                last = Some(node);
            }
            fits
        })
    }
}
