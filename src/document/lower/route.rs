//! Routes.

use super::context::Lowering;
use super::index::Index;
use super::node::At;
use crate::document::schema::interface::{Interface, KindKey};
use crate::document::schema::route::{RouteEntry, RouteType};
use crate::document::value::Destination;
use crate::document::yaml::tree::quoted;
use crate::document::{Finding, Loc};
use crate::resource::{IfName, NextHop, Owner, Resource, Route, RouteKey, RouteKind, Setting, TableId};
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;

impl<'d> Lowering<'d> {
    /// The routes of a node.
    pub fn routes(&mut self, at: &At<'d>) {
        let subnets = Subnets::of(at, &self.index);
        let vrfs = vrfs(at);
        for (nth, entry) in at.section.routes.iter().enumerate() {
            let path = format!("{}.routes[{nth}]", at.path);
            if let Some(vrf) = &entry.vrf {
                if let Some(table) = &entry.table {
                    self.note(
                        Finding::error("several-kinds", table.place, "a route has either a `table` or a `vrf`")
                            .also(vrf.place, "the vrf"),
                    );
                }
                if self.table_of(at, vrf).is_none() {
                    continue;
                }
            }
            if let Some(route) = self.route(at, entry, &subnets, &vrfs) {
                self.put(Resource::Route(route), Owner::Ours, entry.to.place, path);
            }
        }
    }

    fn route(
        &mut self,
        at: &At<'d>,
        entry: &RouteEntry,
        subnets: &Subnets<'d>,
        vrfs: &HashMap<&TableId, &IfName>,
    ) -> Option<Route> {
        let kind = entry.kind.as_ref().map_or(RouteKind::Unicast, |kind| kind_of(kind.value));
        let to = self.destination(entry)?;
        let mut nexthops = self.hops(at, entry, kind, to)?;
        let domain = entry
            .vrf
            .as_ref()
            .map(|vrf| vrf.value.clone())
            .or_else(|| vrfs.get(&**entry.table.as_ref()?).map(|vrf| (*vrf).clone()));
        for hop in nexthops.iter_mut().filter(|hop| hop.dev.is_none()) {
            hop.dev = hop.via.and_then(|via| subnets.device(via, domain.as_ref()));
        }
        let v4 = to.addr().is_ipv4();
        if let Some(source) = entry.source.as_ref().filter(|source| source.is_ipv4() != v4) {
            self.note(Finding::error(
                "mixed-families",
                source.place,
                format!("the source {source} and the destination {to} are of different families"),
            ));
            return None;
        }
        if let Some(scope) = entry.scope.as_ref().filter(|_| !v4) {
            self.note(Finding::error("misplaced-key", scope.place, "routes of IPv6 have no scope"));
        }
        let gateway = nexthops.iter().any(|hop| hop.via.is_some());
        let usual = match kind {
            RouteKind::Local => 254,
            RouteKind::Unicast if !gateway => 253,
            _ => 0,
        };
        let scope = if v4 { Setting::Is(entry.scope.as_ref().map_or(usual, |scope| scope.0)) } else { Setting::Left };
        // `ip` puts routes of type `local` into the table of that name; 0 is what the kernel makes 1024 of for IPv6.
        let usual_table = if kind == RouteKind::Local { TableId::LOCAL } else { TableId::MAIN };
        let metric = entry.metric.as_ref().map_or(0, |metric| metric.u32());
        let metric = if metric == 0 && !v4 { 1024 } else { metric };
        let vrf = entry.vrf.as_ref().and_then(|vrf| self.table_of(at, vrf));
        let table = vrf.unwrap_or_else(|| entry.table.as_ref().map_or(usual_table, |table| table.value.clone()));
        Some(Route {
            kind,
            nexthops,
            source: entry.source.as_ref().map(|source| source.value),
            scope,
            mtu: entry.mtu.as_ref().map(|mtu| mtu.u32()),
            ..Route::bare(at.node.clone(), RouteKey::new(table, to, metric))
        })
    }

    /// The table of a VRF of the node.
    fn table_of(&mut self, at: &At<'d>, vrf: &Loc<IfName>) -> Option<TableId> {
        let id = at.link(vrf);
        let other = match self.index.kind(&id) {
            Some(KindKey::Vrf(vrf)) => return Some(vrf.table.value.clone()),
            other => other,
        };
        let message = if self.index.known(&id) {
            format!("{} is a {}, not a vrf", quoted(&id.to_string()), other.map_or("veth", |other| other.key()))
        } else {
            format!("there is no vrf {} in {}", quoted(vrf.as_str()), at.node)
        };
        let known =
            at.section.interfaces.iter().filter(|(_, interface)| {
                matches!(interface.kind.as_ref().map(|kind| &kind.value), Some(KindKey::Vrf(_)))
            });
        let names: Vec<&str> = known.map(|(name, _)| name.as_str()).collect();
        let help = match names.as_slice() {
            [] => format!(
                "make it: `{vrf}: {{ vrf: {{ table: 100, ports: [..] }} }}`; of a vrf that the file does not make, write the `table`"
            ),
            names => format!(
                "the vrfs of this node are {}; of one that the file does not make, write the `table`",
                names.join(", ")
            ),
        };
        self.note(Finding::error("not-a-vrf", vrf.place, message).help(help));
        None
    }

    /// The prefix; `default` is of the family of the gateway.
    fn destination(&mut self, entry: &RouteEntry) -> Option<IpNet> {
        if let Destination::Prefix(net) = entry.to.value {
            return Some(net);
        }
        let via = entry.via.as_ref().or_else(|| entry.nexthops.iter().find_map(|hop| hop.via.as_ref()));
        let Some(via) = via else {
            let finding =
                Finding::error("default-family", entry.to.place, "`default` without a gateway says no family");
            self.note(finding.help("write 0.0.0.0/0 or ::/0"));
            return None;
        };
        Some(if via.is_ipv4() { IpNet::V4(Ipv4Net::default()) } else { IpNet::V6(Ipv6Net::default()) })
    }

    /// The next hops, with the interfaces found where they are not written.
    fn hops(&mut self, at: &At<'d>, entry: &RouteEntry, kind: RouteKind, to: IpNet) -> Option<Vec<NextHop>> {
        let none = !matches!(kind, RouteKind::Unicast | RouteKind::Local);
        let single = entry
            .via
            .as_ref()
            .map(|via| via.place)
            .or(entry.dev.as_ref().map(|dev| dev.place))
            .or(entry.onlink.as_ref().map(|onlink| onlink.place));
        if let (Some(place), true) = (single.or(entry.nexthops.first().map(|hop| hop.place)), none) {
            self.note(Finding::error(
                "misplaced-key",
                place,
                format!("a route of type {} has no next hop", kind.word()),
            ));
            return None;
        }
        if let (Some(place), Some(hop)) = (single, entry.nexthops.first()) {
            self.note(
                Finding::error(
                    "several-kinds",
                    place,
                    "a route has either one next hop (`via`, `dev`) or several (`nexthops`)",
                )
                .also(hop.place, "the several"),
            );
            return None;
        }
        if none {
            return Some(Vec::new());
        }
        if !entry.nexthops.is_empty() {
            let hops: Vec<Option<NextHop>> = entry
                .nexthops
                .iter()
                .map(|hop| {
                    if hop.via.is_none() && hop.dev.is_none() {
                        self.note(no_hop(hop.place));
                        return None;
                    }
                    if hop.via.is_none() && to.addr().is_ipv6() && entry.nexthops.len() > 1 {
                        self.note(no_gateway(hop.place));
                        return None;
                    }
                    let weight = hop.weight.as_ref().map_or(1, |weight| u16::try_from(weight.0).unwrap_or(256));
                    self.hop(at, to, hop.via.as_ref(), hop.dev.as_ref(), weight, hop.onlink.as_ref())
                })
                .collect();
            return hops.into_iter().collect();
        }
        let lo = (kind == RouteKind::Local && entry.dev.is_none()).then(|| Loc::new(IfName::from("lo"), entry.place));
        let dev = entry.dev.as_ref().or(lo.as_ref());
        if entry.via.is_none() && dev.is_none() {
            self.note(no_hop(entry.place));
            return None;
        }
        self.hop(at, to, entry.via.as_ref(), dev, 1, entry.onlink.as_ref()).map(|hop| vec![hop])
    }

    fn hop(
        &mut self,
        at: &At<'d>,
        to: IpNet,
        via: Option<&Loc<IpAddr>>,
        dev: Option<&Loc<IfName>>,
        weight: u16,
        onlink: Option<&Loc<bool>>,
    ) -> Option<NextHop> {
        if let Some(via) = via.filter(|via| via.is_ipv4() && to.addr().is_ipv6()) {
            self.note(Finding::error(
                "mixed-families",
                via.place,
                format!("{to} cannot be reached via {via}: an IPv6 route has an IPv6 gateway"),
            ));
            return None;
        }
        if let Some(dev) = dev {
            self.known(at, dev)?;
        }
        let onlink = onlink.filter(|onlink| onlink.value);
        let link_local = |address: &IpAddr| matches!(address, IpAddr::V6(v6) if v6.segments()[0] & 0xffc0 == 0xfe80);
        let needs_dev = via.filter(|via| link_local(via)).map(|via| via.place).or(onlink.map(|onlink| onlink.place));
        if let (Some(place), None) = (needs_dev, dev) {
            self.note(
                Finding::error("missing-key", place, "this next hop needs its `dev`")
                    .help("a link-local gateway, or `onlink`, does not say which interface is meant"),
            );
            return None;
        }
        Some(NextHop {
            via: via.map(|via| via.value),
            dev: dev.map(|dev| dev.value.clone()),
            weight,
            onlink: onlink.is_some(),
            raw: Default::default(),
        })
    }
}

fn no_hop(place: crate::document::Place) -> Finding {
    Finding::error("missing-key", place, "a route needs a `via`, a `dev` or both")
        .help("a route that drops packets has a `type`: blackhole, unreachable or prohibit")
}

/// `ip6_route_multipath_add`: "Device only routes can not be added for IPv6 using the multipath API".
fn no_gateway(place: crate::document::Place) -> Finding {
    Finding::error("missing-key", place, "each of several next hops of an IPv6 route needs a `via`")
        .help("the kernel takes a `dev` alone for a single one only; a link-local gateway (`via: fe80::2, dev: eth0`) will do")
}

/// The VRFs of the node by their tables; of two with one table the first.
fn vrfs<'d>(at: &At<'d>) -> HashMap<&'d TableId, &'d IfName> {
    let table = |interface: &'d Interface| {
        if let KindKey::Vrf(vrf) = &interface.kind.as_ref()?.value { Some(&vrf.table.value) } else { None }
    };
    at.section.interfaces.iter().rev().filter_map(|(name, interface)| Some((table(interface)?, &name.value))).collect()
}

/// The subnets of a node's interfaces.
struct Subnets<'d> {
    /// By prefix, host bits zero, and the VRF that the interface is a port of; the first interface that has it.
    by_prefix: HashMap<(IpNet, Option<IfName>), &'d IfName>,
    /// The lengths there are, longest first.
    lengths: Vec<u8>,
}

impl<'d> Subnets<'d> {
    fn of(at: &At<'d>, index: &Index<'d>) -> Self {
        let mut by_prefix = HashMap::new();
        for (name, interface) in &at.section.interfaces {
            let master = index.masters.get(&at.link(name)).map(|master| master.name.clone());
            let vrf = master.filter(|master| matches!(index.kind(&at.link(master)), Some(KindKey::Vrf(_))));
            for entry in &interface.addresses {
                let net = entry.address.0;
                let peer = entry.more.as_ref().and_then(|more| more.peer.as_ref()).map(|peer| peer.value);
                let subnet = peer.and_then(|peer| IpNet::new(peer, net.prefix_len()).ok()).unwrap_or(net).trunc();
                by_prefix.entry((subnet, vrf.clone())).or_insert(&name.value);
            }
        }
        let lengths: BTreeSet<u8> = by_prefix.keys().map(|(net, _)| net.prefix_len()).collect();
        Self { by_prefix, lengths: lengths.into_iter().rev().collect() }
    }

    /// The interface whose subnet holds `via`; of several the one with the longest prefix, as the kernel would choose.
    fn device(&self, via: IpAddr, vrf: Option<&IfName>) -> Option<IfName> {
        let subnets = self.lengths.iter().filter_map(|length| IpNet::new(via, *length).ok());
        subnets
            .map(|net| net.trunc())
            .find_map(|net| self.by_prefix.get(&(net, vrf.cloned())))
            .map(|name| (*name).clone())
    }
}

fn kind_of(kind: RouteType) -> RouteKind {
    match kind {
        RouteType::Unicast => RouteKind::Unicast,
        RouteType::Local => RouteKind::Local,
        RouteType::Blackhole => RouteKind::Blackhole,
        RouteType::Unreachable => RouteKind::Unreachable,
        RouteType::Prohibit => RouteKind::Prohibit,
        RouteType::Throw => RouteKind::Throw,
    }
}
