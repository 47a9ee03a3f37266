//! What a plan brings onto the host, or into a namespace of others, that overlaps what is there already, and interfaces
//! that its rules name and nothing has.

use super::netlink::link;
use super::object::{address, route};
use super::snapshot::contents::Look;
use crate::resource::mark::PROTOCOL;
use crate::resource::{Address, IfName, LinkId, Node, Owner, Resource, ResourceId, Route, State, TableId, TableRule};
use ipnet::IpNet;
use nix::libc;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// A warning, what it is about, and the code that answers it in a file.
#[derive(Clone, Debug)]
pub struct Overlap {
    /// What the plan brings.
    pub id: ResourceId,
    /// The code.
    pub code: &'static str,
    /// What is wrong with it.
    pub message: String,
}

/// What an observation saw in a namespace of others.
#[derive(Debug)]
pub struct Around {
    node: Node,
    links: Vec<link::Seen>,
    addresses: Vec<address::Seen>,
    routes: Vec<route::Seen>,
}

impl Around {
    /// What there is in a namespace, of whomever; `None` where it was not read.
    pub fn of(look: Look) -> Option<Self> {
        let Look { node, links, inside, .. } = look;
        let inside = inside?;
        Some(Self { node, links, addresses: inside.addresses, routes: inside.routes })
    }

    /// The subnets of interfaces, and the routes of the main table that others configured, and what each is called.
    /// What `observed` has as the topology's own is left out.
    fn nets(&self, observed: &State) -> Nets {
        let links: HashMap<u32, &IfName> = self.links.iter().map(|link| (link.index, &link.name)).collect();
        let ours = |name: &IfName| {
            let id = ResourceId::Link(LinkId { node: self.node.clone(), name: name.clone() });
            observed.items.get(&id).is_some_and(|item| item.owner == Owner::Ours)
        };
        let mut nets = Nets::default();
        for seen in self.addresses.iter().filter(|seen| seen.protocol != PROTOCOL) {
            let Some(name) = links.get(&seen.index).filter(|name| !ours(name) && ***name != *"lo") else { continue };
            nets.add(seen.address.trunc(), || format!("{} of {name}", seen.address.trunc()));
        }
        for seen in &self.routes {
            let by_hand = !matches!(seen.protocol, PROTOCOL | libc::RTPROT_KERNEL);
            let to = seen.route.key.to;
            if by_hand && seen.route.key.table == TableId::MAIN && to.prefix_len() > 0 {
                nets.add(to, || format!("the route to {to}"));
            }
        }
        nets
    }

    /// The names by which the kernel knows the interfaces.
    fn names(&self) -> BTreeSet<&str> {
        let called = self.links.iter().map(|link| link.name.as_str());
        let also = self.links.iter().flat_map(|link| &link.alternative_names).map(String::as_str);
        called.chain(also).collect()
    }
}

/// Prefixes, found by those that contain them and those that they contain.
#[derive(Default)]
struct Nets {
    /// By their first address and length, and what each is called.
    all: BTreeMap<IpNet, String>,
    /// The lengths that there are, of IPv4 and IPv6.
    lengths: BTreeSet<(bool, u8)>,
}

impl Nets {
    fn add(&mut self, net: IpNet, called: impl FnOnce() -> String) {
        // Every IPv6 interface has one of these.
        if matches!(net, IpNet::V6(net) if net.addr().is_unicast_link_local()) {
            return;
        }
        self.all.entry(net).or_insert_with(called);
        self.lengths.insert((net.addr().is_ipv6(), net.prefix_len()));
    }

    /// The narrowest that contains `net`.
    fn around(&self, net: IpNet) -> Option<&String> {
        let six = net.addr().is_ipv6();
        self.lengths.range((six, 0)..=(six, net.prefix_len())).rev().find_map(|(_, length)| {
            let wide = IpNet::new(net.addr(), *length).ok()?.trunc();
            self.all.get(&wide)
        })
    }

    /// The first that `net` contains.
    fn within(&self, net: IpNet) -> Option<&String> {
        // In their order the wider of two that begin alike comes first.
        let start = IpNet::new(net.network(), net.prefix_len()).ok()?;
        self.all
            .range(start..)
            .take_while(|(inner, _)| net.contains(&inner.addr()))
            .find(|(inner, _)| net.contains(*inner))
            .map(|(_, called)| called)
    }
}

/// What a plan from `observed` to `wanted` adds to namespaces of others.
struct Added<'a> {
    node: &'a Node,
    addresses: Vec<&'a Address>,
    routes: Vec<&'a Route>,
    /// The interfaces that new rules of NAT and firewall name, without patterns, and where.
    named: BTreeMap<&'a str, ResourceId>,
}

/// A warning for each overlap, and for each interface that is not there.
pub fn warnings(wanted: &State, observed: &State, around: &[Around]) -> Vec<Overlap> {
    let mut warnings = Vec::new();
    for there in around.iter().filter(|there| !wanted.is_made(&there.node)) {
        let added = added(wanted, observed, &there.node);
        if !(added.addresses.is_empty() && added.routes.is_empty() && added.named.is_empty()) {
            added.tell(wanted, observed, there, &mut warnings);
        }
    }
    warnings
}

/// What is wanted in `node` and not there yet.
fn added<'a>(wanted: &'a State, observed: &State, node: &'a Node) -> Added<'a> {
    let mut added = Added { node, addresses: Vec::new(), routes: Vec::new(), named: BTreeMap::new() };
    let new = wanted.items.iter().filter(|(id, item)| id.node() == node && item.owner != Owner::Restored);
    for (id, item) in new {
        match &item.resource {
            Resource::Address(address) if observed.get(id).is_none() => added.addresses.push(address),
            Resource::Route(route) if observed.get(id).is_none() => added.routes.push(route),
            Resource::Table(table) if observed.get(id).is_none_or(|there| !item.resource.drift(there).is_empty()) => {
                table.chains.iter().for_each(|chain| named(id, &chain.rules, &mut added.named));
            }
            Resource::Insert(insert) if observed.get(id).is_none() => named(id, &insert.rules, &mut added.named),
            _ => {}
        }
    }
    added
}

/// The interfaces that `rules` of `id` name.
fn named<'a>(id: &ResourceId, rules: &'a [TableRule], names: &mut BTreeMap<&'a str, ResourceId>) {
    for rule in rules {
        let TableRule::Typed(rule) = rule else { continue };
        let sides = rule.input.iter().chain(&rule.output);
        for name in sides.flat_map(|side| &side.names).filter(|name| !name.ends_with('*')) {
            names.entry(name).or_insert_with(|| id.clone());
        }
    }
}

impl Added<'_> {
    fn tell(&self, wanted: &State, observed: &State, there: &Around, warnings: &mut Vec<Overlap>) {
        let nets = there.nets(observed);
        for address in &self.addresses {
            let own = address.subnet();
            let Some(what) = nets.around(own).or_else(|| nets.within(own)) else { continue };
            warnings.push(Overlap {
                id: address.id(),
                code: "subnets-overlap",
                message: format!(
                    "{} on {} in {} overlaps {what}, which is not topo's: an address that both hold is reached by one of them only",
                    address.address, address.link.name, self.node
                ),
            });
        }
        for route in self.routes.iter().filter(|route| route.key.table == TableId::MAIN) {
            let to = route.key.to;
            let Some(what) = nets.around(to).filter(|_| to.prefix_len() > 0) else { continue };
            warnings.push(Overlap {
                id: route.id(),
                code: "route-overlaps",
                message: format!("the route to {to} in {} takes packets from {what}, which is not topo's", self.node),
            });
        }
        if self.named.is_empty() {
            return;
        }
        let names = there.names();
        for (name, id) in &self.named {
            let made = wanted.link(&LinkId::new(self.node.clone(), *name)).is_some();
            if !made && !names.contains(name) {
                warnings.push(Overlap {
                    id: id.clone(),
                    code: "interface-absent",
                    message: format!(
                        "{} has no interface {name}, which a rule of its NAT or firewall names",
                        self.node
                    ),
                });
            }
        }
    }
}
