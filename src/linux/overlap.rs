//! What a plan brings onto the host, or into a namespace of others, that overlaps what is there already, and interfaces
//! that its rules name and nothing has.

use super::netlink::link;
use super::netlink::socket::{Refused, Socket};
use super::netns;
use super::netns::places::Places;
use super::object::{address, route};
use crate::kernel::Error;
use crate::resource::mark::PROTOCOL;
use crate::resource::{Address, IfName, LinkId, Node, Owner, Resource, ResourceId, Route, State, TableId, TableRule};
use ipnet::IpNet;
use nix::libc;
use std::collections::{BTreeSet, HashMap};

/// What there is in one namespace, of whomever.
#[derive(Default)]
struct There {
    names: BTreeSet<String>,
    /// Subnets of interfaces, and routes of the main table that others configured, and what each is called.
    nets: Vec<(IpNet, String)>,
}

/// What a plan from `observed` to `wanted` adds to namespaces of others.
struct Added<'a> {
    node: &'a Node,
    addresses: Vec<&'a Address>,
    routes: Vec<&'a Route>,
    /// The interfaces that new rules of NAT and firewall name, without patterns.
    named: BTreeSet<&'a str>,
}

/// A warning for each overlap, and for each interface that is not there.
///
/// # Errors
///
/// If a namespace cannot be entered or read.
pub fn warnings(wanted: &State, observed: &State, places: &Places) -> Result<Vec<String>, Error> {
    let added: Vec<Added<'_>> = wanted
        .namespaces()
        .map(|namespace| &namespace.node)
        .filter(|node| !wanted.is_made(node) && observed.namespace(node).is_some())
        .map(|node| added(wanted, observed, node))
        .filter(|added| !(added.addresses.is_empty() && added.routes.is_empty() && added.named.is_empty()))
        .collect();
    let jobs =
        added.iter().map(|added| netns::job(places.of(added.node), move || look(observed, added.node))).collect();
    let mut warnings = Vec::new();
    for (added, there) in added.iter().zip(netns::run(netns::READERS, jobs)) {
        added.tell(wanted, &there??, &mut warnings);
    }
    Ok(warnings)
}

/// What is wanted in `node` and not there yet.
fn added<'a>(wanted: &'a State, observed: &State, node: &'a Node) -> Added<'a> {
    let mut added = Added { node, addresses: Vec::new(), routes: Vec::new(), named: BTreeSet::new() };
    let new = wanted.items.iter().filter(|(id, item)| id.node() == node && item.owner != Owner::Restored);
    for (id, item) in new {
        match &item.resource {
            Resource::Address(address) if observed.get(id).is_none() => added.addresses.push(address),
            Resource::Route(route) if observed.get(id).is_none() => added.routes.push(route),
            Resource::Table(table) if observed.get(id).is_none_or(|there| !item.resource.drift(there).is_empty()) => {
                table.chains.iter().for_each(|chain| named(&chain.rules, &mut added.named));
            }
            Resource::Insert(insert) if observed.get(id).is_none() => named(&insert.rules, &mut added.named),
            _ => {}
        }
    }
    added
}

/// The interfaces that `rules` name.
fn named<'a>(rules: &'a [TableRule], names: &mut BTreeSet<&'a str>) {
    for rule in rules {
        let TableRule::Typed(rule) = rule else { continue };
        let sides = rule.input.iter().chain(&rule.output);
        names.extend(sides.flat_map(|side| &side.names).map(String::as_str).filter(|name| !name.ends_with('*')));
    }
}

/// Looks, in the calling thread's namespace. What `observed` has as the topology's own is left out.
fn look(observed: &State, node: &Node) -> Result<There, Error> {
    let failed = |refused: Refused| refused.error(format!("read the addresses and routes of {node}"));
    let socket = Socket::open()?;
    let links = link::dump(&socket).map_err(failed)?;
    let names: HashMap<u32, IfName> = links.iter().map(|link| (link.index, link.name.clone())).collect();
    let mut there = There::default();
    for link in &links {
        there.names.insert(link.name.to_string());
        there.names.extend(link.alternative_names.iter().cloned());
    }
    let ours = |name: &IfName| {
        let id = ResourceId::Link(LinkId { node: node.clone(), name: name.clone() });
        observed.items.get(&id).is_some_and(|item| item.owner == Owner::Ours)
    };
    for seen in address::dump(&socket).map_err(failed)? {
        let Some(name) = names.get(&seen.index).filter(|name| !ours(name) && **name != *"lo") else { continue };
        if seen.protocol != PROTOCOL {
            there.nets.push((seen.address.trunc(), format!("{} of {name}", seen.address.trunc())));
        }
    }
    for family in [libc::AF_INET, libc::AF_INET6] {
        for seen in route::dump(&socket, family, node, |index| names.get(&index).cloned()).map_err(failed)? {
            let by_hand = !matches!(seen.protocol, PROTOCOL | libc::RTPROT_KERNEL);
            if by_hand && seen.route.key.table == TableId::MAIN && seen.route.key.to.prefix_len() > 0 {
                there.nets.push((seen.route.key.to, format!("the route to {}", seen.route.key.to)));
            }
        }
    }
    Ok(there)
}

impl Added<'_> {
    fn tell(&self, wanted: &State, there: &There, warnings: &mut Vec<String>) {
        // Every IPv6 interface has one of these.
        let local = |net: &IpNet| matches!(net, IpNet::V6(net) if net.addr().is_unicast_link_local());
        let nets = || there.nets.iter().filter(|(net, _)| !local(net));
        for address in &self.addresses {
            let own = address.subnet();
            let meets = |net: &IpNet| net.contains(&own) || own.contains(net);
            if let Some((_, what)) = nets().find(|(net, _)| meets(net)) {
                warnings.push(format!(
                    "{} on {} in {} overlaps {what}, which is not topo's: an address that both hold is reached by one of them only",
                    address.address, address.link.name, self.node
                ));
            }
        }
        for route in self.routes.iter().filter(|route| route.key.table == TableId::MAIN) {
            let to = route.key.to;
            if let Some((_, what)) = nets().find(|(net, _)| to.prefix_len() > 0 && net.contains(&to)) {
                warnings
                    .push(format!("the route to {to} in {} takes packets from {what}, which is not topo's", self.node));
            }
        }
        for name in &self.named {
            let made = wanted.link(&LinkId::new(self.node.clone(), *name)).is_some();
            if !made && !there.names.contains(*name) {
                warnings
                    .push(format!("{} has no interface {name}, which a rule of its NAT or firewall names", self.node));
            }
        }
    }
}
