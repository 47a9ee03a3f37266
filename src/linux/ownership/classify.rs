//! Whose what is: from looks at namespaces to a state.

use super::automatic::There;
use super::guests::Guest;
use super::{client, vlans};
use crate::linux::netlink::link;
use crate::linux::netns::namespace::topology_of;
use crate::linux::object::{route, rule};
use crate::linux::secret::Keys;
use crate::linux::snapshot::contents::{Inside, Look};
use crate::linux::snapshot::ends::OtherEnds;
use crate::resource::mark::{PROTOCOL, group, mark};
use crate::resource::{
    Fdb, FdbTarget, IfName, Kind, Link, LinkId, Name, Namespace, Neighbor, Node, NodeTenure, Owner, Record, Resource,
    ResourceId, RouteKey, RuleAction, State, Tenure,
};
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// `RTPROT_*` of what a person or a script configures: unspecified, boot, static. (Topo's own comes besides.)
const CONFIGURED: [u8; 3] = [0, 3, 4];
/// `RTPROT_KERNEL`.
const KERNEL: u8 = 2;

/// What decides whose something is.
pub struct Judge<'a> {
    /// What is wanted.
    pub wanted: &'a State,
    /// The topology's record.
    pub record: &'a Record,
    /// The other topologies' records.
    pub others: &'a [(Name, Record)],
    /// The other topologies that use namespaces of ours.
    pub guests: &'a HashMap<Node, Vec<Guest>>,
    /// The ends of other people's pairs in namespaces of ours, by node and number.
    pub outside: &'a HashSet<(Node, u32)>,
    /// The links at the other ends, by node and number.
    pub far: &'a OtherEnds,
    /// What was there before and comes back.
    pub prior: &'a BTreeSet<ResourceId>,
    /// The links of others that the file moves, where they are.
    pub sources: &'a BTreeSet<LinkId>,
    /// The nodes in which something is wanted of the kernel's own rules.
    pub kernel_rules: &'a BTreeSet<Node>,
    /// Where secrets are kept.
    pub keys: &'a Keys,
    /// Whether this kernel says who put an address where it is (`IFA_PROTO`, since 5.18).
    pub says: bool,
}

/// Whose a namespace is.
pub fn namespace(judge: &Judge<'_>, look: &Look, tenure: NodeTenure) -> (Namespace, Owner) {
    let marked = look.alias.as_deref() == Some(&mark(&judge.wanted.topology));
    let known = look.cookie != 0 && judge.record.namespaces.get(&look.node) == Some(&look.cookie);
    let owner = match &tenure {
        NodeTenure::Created if marked || known => Owner::Ours,
        NodeTenure::Host => theirs("the machine"),
        _ => whose(look.alias.as_deref()),
    };
    let marked = marked || tenure != NodeTenure::Created;
    (Namespace { node: look.node.clone(), tenure, marked, whole: false }, owner)
}

fn topology(name: &Name) -> Owner {
    Owner::Theirs(format!("topology {:?}", name.as_str()))
}

pub(super) fn theirs(who: &str) -> Owner {
    Owner::Theirs(who.to_owned())
}

/// Whose something is that carries this mark.
fn whose(alias: Option<&str>) -> Owner {
    match alias.and_then(topology_of) {
        Some(name) => Owner::Theirs(format!("topology {name:?}")),
        None => theirs("somebody else"),
    }
}

/// Puts what was seen `inside` a namespace into `state`; `made` says that everything in it is the topology's.
pub fn judge(judge: &Judge<'_>, look: &Look, inside: &Inside, made: bool, state: &mut State) {
    let there = There::new(&look.links, &inside.addresses, &inside.routes);
    let mut sorter = Sorter {
        judge,
        look,
        inside,
        made,
        ours: BTreeSet::new(),
        lodged: BTreeMap::new(),
        shown: BTreeSet::new(),
        there,
        state,
    };
    sorter.links();
    sorter.addresses();
    sorter.routes();
    sorter.rules();
    sorter.neighbors();
    sorter.qdiscs();
    sorter.rest();
}

pub(super) struct Sorter<'a> {
    pub(super) judge: &'a Judge<'a>,
    pub(super) look: &'a Look,
    pub(super) inside: &'a Inside,
    pub(super) made: bool,
    /// The numbers of our links.
    pub(super) ours: BTreeSet<u32>,
    /// The numbers of links of others in a namespace of ours, and whose they are.
    lodged: BTreeMap<u32, Owner>,
    /// The names of links of which everything is shown: ours, and those that the file names.
    pub(super) shown: BTreeSet<IfName>,
    /// What the kernel has made by itself.
    pub(super) there: There<'a>,
    pub(super) state: &'a mut State,
}

impl Sorter<'_> {
    pub(super) fn node(&self) -> &Node {
        &self.look.node
    }

    pub(super) fn name(&self, index: u32) -> Option<IfName> {
        self.inside.names.get(&index).cloned()
    }

    /// Whether it is wanted, or comes back.
    pub(super) fn wanted(&self, id: &ResourceId) -> bool {
        self.judge.wanted.items.contains_key(id) || self.judge.prior.contains(id)
    }

    pub(super) fn has_client(&self, name: &IfName, six: bool) -> bool {
        client::looks_after(
            self.judge.wanted,
            self.judge.record,
            &LinkId { node: self.node().clone(), name: name.clone() },
            six,
        )
    }

    /// The other topology that uses this namespace of ours, and whose something there is.
    fn guest(&self, which: impl FnMut(&&Guest) -> bool) -> Option<Owner> {
        self.judge.guests.get(self.node())?.iter().find(which).map(|guest| topology(&guest.name))
    }

    /// Whose something in a namespace of ours is, which may stand on a link of somebody else.
    pub(super) fn inside(&self, id: &ResourceId, link: Option<u32>) -> Owner {
        let lodged = link.and_then(|link| self.lodged.get(&link)).cloned();
        lodged.or_else(|| self.guest(|guest| guest.owns(id))).unwrap_or(Owner::Ours)
    }

    fn links(&mut self) {
        for seen in &self.look.links {
            let mut link = seen.link(self.node(), |index| self.name(index));
            link.vlans = vlans::of(self.look, self.inside, seen);
            let far = seen.other_nsid.and_then(|_| self.judge.far.get(&(self.node().clone(), seen.index)).cloned());
            match seen.kind {
                Kind::Veth => link.peer = link.peer.or(far),
                _ => link.link = link.link.or(far),
            }
            (link.dhcp4, link.dhcp6) = (self.has_client(&seen.name, false), self.has_client(&seen.name, true));
            let owner = self.owner_of_link(seen, &mut link);
            if self.made && owner != Owner::Ours && seen.is_fallback() {
                continue;
            }
            // `lo` of a namespace of ours is made by nobody.
            if owner == Owner::Ours || self.made && seen.kind == Kind::Loopback {
                link.missing = self.there.missing_of_link(seen);
            }
            if owner == Owner::Ours {
                self.ours.insert(seen.index);
                self.peers(seen, &link.id);
            } else if self.made && link.tenure == Tenure::Existing && seen.kind != Kind::Physical {
                self.lodged.insert(seen.index, owner.clone());
            }
            if owner == Owner::Ours || self.judge.sources.contains(&link.id) || self.wanted(&link.id()) {
                self.shown.insert(seen.name.clone());
            }
            self.state.insert(Resource::Link(Box::new(link)), owner);
        }
    }

    /// The peers of a WireGuard interface of ours. Only its secrets are kept, and no others'.
    fn peers(&mut self, seen: &link::Seen, id: &LinkId) {
        let Some(wireguard) = self.inside.wireguard.get(&seen.index) else { return };
        wireguard.keep(self.judge.keys);
        for peer in wireguard.peers(id) {
            self.state.insert(Resource::Peer(Box::new(peer)), Owner::Ours);
        }
    }

    /// Whose a link is; notes in it how it came to be there, and whether it is marked.
    fn owner_of_link(&self, seen: &link::Seen, link: &mut Link) -> Owner {
        if let Some((_, source)) = self.judge.record.moved.iter().find(|(now, _)| *now == link.id) {
            link.tenure = Tenure::From(source.clone());
            return Owner::Ours;
        }
        if self.made {
            let outside = self.judge.outside.contains(&(self.node().clone(), seen.index)) && !self.wanted(&link.id());
            if let Some(owner) =
                self.guest(|guest| guest.has(seen)).or_else(|| outside.then(|| theirs("somebody else")))
            {
                link.tenure = Tenure::Existing;
                return owner;
            }
            return match seen.kind {
                Kind::Physical => {
                    link.tenure = Tenure::Existing;
                    theirs("somebody else")
                }
                _ if seen.is_fallback() && !self.wanted(&link.id()) => theirs("the kernel"),
                _ => Owner::Ours,
            };
        }
        let topology = &self.judge.wanted.topology;
        let alias = seen.alias.as_deref() == Some(&mark(topology));
        let in_group = seen.group == group(topology);
        let another = seen.alias.as_deref().and_then(topology_of).is_some() && !alias;
        let adopted = self.judge.record.owned.contains(&link.id());
        link.marked = alias && in_group;
        if (alias || in_group || adopted) && !another && seen.kind != Kind::Loopback {
            return Owner::Ours;
        }
        link.tenure = Tenure::Existing;
        if seen.kind == Kind::Loopback { theirs("the machine") } else { whose(seen.alias.as_deref()) }
    }

    /// Whose something is that stands in somebody else's namespace: `marked` with topo's number, `on_ours` on a link of
    /// ours. `None` for what does not matter.
    pub(super) fn owner_elsewhere(&self, id: &ResourceId, marked: bool, on_ours: bool, shown: bool) -> Option<Owner> {
        let wanted = self.wanted(id);
        let owned = self.judge.record.owned.contains(id);
        let other = self.judge.others.iter().find(|(_, record)| record.owned.contains(id));
        match (marked, other) {
            (true, Some((name, _))) if !owned => (wanted || shown).then(|| topology(name)),
            (true, _) if on_ours || owned || wanted => Some(Owner::Ours),
            (false, _) if on_ours && wanted => Some(Owner::Ours),
            (false, _) if owned && !self.judge.says => Some(Owner::Ours),
            _ => (wanted || shown).then(|| theirs("somebody else")),
        }
    }

    fn routes(&mut self) {
        let mut taken: BTreeMap<RouteKey, u16> = BTreeMap::new();
        // Of several under one key ours comes first, so that it is the one that is compared.
        let mut seen: Vec<&route::Seen> = self.inside.routes.iter().collect();
        // The order of the rest counts for IPv4; IPv6 takes them in turn, and has one that came back behind the others
        // (`fib6_add_rt2node`).
        let rank = |seen: &route::Seen| {
            (seen.protocol != PROTOCOL, !CONFIGURED.contains(&seen.protocol), seen.route.key.to.addr().is_ipv6())
        };
        seen.sort_by(|a, b| {
            rank(a)
                .cmp(&rank(b))
                .then_with(|| if rank(a).2 { a.route.nexthops.cmp(&b.route.nexthops) } else { Ordering::Equal })
        });
        for seen in seen {
            let id = seen.route.id();
            let configured = seen.protocol == PROTOCOL || CONFIGURED.contains(&seen.protocol);
            let mut devs = seen.route.nexthops.iter().filter_map(|hop| hop.dev.as_ref());
            let shown = devs.clone().any(|dev| self.shown.contains(dev));
            let six = seen.route.key.to.addr().is_ipv6();
            let owner = match (configured, self.made) {
                (false, _) => self
                    .wanted(&id)
                    .then(|| theirs(if seen.protocol == KERNEL { "the kernel" } else { "a routing daemon" })),
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

    fn rules(&mut self) {
        let kernels = self.judge.kernel_rules.contains(self.node());
        let mut seen: Vec<&rule::Seen> = self.inside.rules.iter().collect();
        // Of two that are the same but for the mark the marked one counts.
        seen.sort_by_key(|seen| seen.protocol == PROTOCOL);
        for seen in seen {
            let id = seen.rule.id();
            let configured = seen.protocol == PROTOCOL || CONFIGURED.contains(&seen.protocol);
            let owner = match (configured, self.made) {
                _ if seen.rule.key.action == RuleAction::L3mdev && seen.rule.kernel => {
                    self.wants_vrfs(&id).then_some(Owner::Ours)
                }
                _ if seen.rule.kernel && !rule::is_plain(&seen.rule) => None,
                // It has no mark but the kernel's own number, so the record says whose the one is that stands
                // elsewhere.
                _ if seen.rule.kernel && (self.made || self.judge.record.owned.contains(&id)) => Some(Owner::Ours),
                _ if seen.rule.kernel => kernels.then(|| theirs("the kernel")),
                (false, _) => self.wanted(&id).then(|| theirs("a routing daemon")),
                (true, true) => Some(self.inside(&id, None)),
                (true, false) => self.owner_elsewhere(&id, seen.rule.marked, false, false),
            };
            if let Some(owner) = owner {
                self.state.insert(Resource::Rule(seen.rule.clone()), owner);
            }
        }
    }

    /// Whether a rule of the kernel's for VRFs is to be there: without a VRF it stays, and is nobody's business, unless
    /// an undo goes back to it.
    fn wants_vrfs(&self, rule: &ResourceId) -> bool {
        self.made && (self.wanted(rule) || self.judge.wanted.has_vrf(self.node()))
    }

    fn neighbors(&mut self) {
        for seen in &self.inside.neighbors {
            let Some(neighbor) = self.name(seen.index).and_then(|name| seen.neighbor(self.node(), name)) else {
                continue;
            };
            let id = neighbor.id();
            if let Some(owner) = self.owner_of_neighbor(&id, &neighbor, seen.index) {
                self.state.insert(Resource::Neighbor(neighbor), owner);
            }
        }
        for seen in &self.inside.fdb {
            let Some(fdb) = self.name(seen.index).and_then(|name| seen.fdb(self.node(), name)) else { continue };
            if matches!(fdb.to, FdbTarget::Port(_)) {
                self.station(fdb);
                continue;
            }
            let id = fdb.id();
            let vxlan = self.look.links.iter().find(|link| link.index == seen.index && link.kind == Kind::Vxlan);
            let own = vxlan.is_some_and(|link| fdb.mac.0 == [0; 6] && Some(fdb.to) == link.remote());
            let owner = match vxlan {
                None => None,
                Some(_) if own && !self.wanted(&id) => None,
                Some(link) if self.ours.contains(&link.index) => Some(Owner::Ours),
                Some(_) if self.judge.record.owned.contains(&id) => Some(Owner::Ours),
                Some(_) => self.wanted(&id).then(|| theirs("somebody else")),
            };
            if let Some(owner) = owner {
                self.state.insert(Resource::Fdb(fdb), owner);
            }
        }
    }

    /// Root qdiscs. One that somebody put on a link of ours gives way where one is wanted, and in a namespace of ours
    /// in any case.
    fn qdiscs(&mut self) {
        for seen in &self.inside.qdiscs {
            let Some(qdisc) = self.name(seen.index).map(|name| seen.qdisc(self.node(), name)) else { continue };
            let id = qdisc.id();
            let (on_ours, shown) = (self.ours.contains(&seen.index), self.shown.contains(&qdisc.link.name));
            let owner = match qdisc.marked {
                _ if on_ours && self.made => Some(self.inside(&id, None)),
                _ if on_ours && self.wanted(&id) => Some(Owner::Ours),
                true => self.owner_elsewhere(&id, true, on_ours, shown),
                false => (self.wanted(&id) || shown).then(|| theirs("somebody else")),
            };
            if let Some(owner) = owner {
                self.state.insert(Resource::Qdisc(qdisc), owner);
            }
        }
    }

    /// A static entry of a port: it matters on ports of which the file lists some, or did, and is ours there.
    fn station(&mut self, fdb: Fdb) {
        let named = |id: &ResourceId| matches!(id, ResourceId::Fdb(link, _, FdbTarget::Port(_)) if *link == fdb.link);
        let listed =
            self.judge.record.owned.iter().any(named) || self.judge.wanted.on_link(&fdb.link).iter().any(named);
        // One without a VLAN was put by the kernel into all that the port had, and goes with it.
        let whole = Fdb { to: FdbTarget::Port(0), ..fdb.clone() };
        let part =
            listed
                && fdb != whole
                && self.inside.fdb.iter().any(|seen| {
                    self.name(seen.index).and_then(|name| seen.fdb(self.node(), name)) == Some(whole.clone())
                });
        if !listed || part {
            return;
        }
        let id = fdb.id();
        let ours = self.look.links.iter().any(|link| link.name == fdb.link.name && self.ours.contains(&link.index));
        if ours || self.judge.record.owned.contains(&id) {
            self.state.insert(Resource::Fdb(fdb), Owner::Ours);
        } else if self.wanted(&id) {
            self.state.insert(Resource::Fdb(fdb), theirs("somebody else"));
        }
    }

    /// Neighbours that nobody listed stay, unless topo made them.
    fn owner_of_neighbor(&self, id: &ResourceId, neighbor: &Neighbor, index: u32) -> Option<Owner> {
        let (made, marked) = (self.made, neighbor.marked);
        // A permanent one of others goes with what topo does to the link, and comes back.
        let shown = !made && neighbor.permanent && self.shown.contains(&neighbor.link.name);
        if shown && !marked && !self.wanted(id) {
            return Some(theirs("somebody else"));
        }
        match (marked || self.wanted(id), neighbor.permanent || marked) {
            (false, _) => None,
            (true, _) if made => Some(self.inside(id, Some(index))),
            (true, false) => Some(Owner::Ours),
            (true, true) => self.owner_elsewhere(id, marked, self.ours.contains(&index), false),
        }
    }

    /// Settings, the nft table, and rules in other people's chains.
    fn rest(&mut self) {
        for setting in &self.inside.settings {
            let owner = if self.made { Owner::Ours } else { theirs("the machine") };
            self.state.insert(Resource::Sysctl(setting.clone()), owner);
        }
        for insert in &self.inside.inserts {
            self.state.insert(Resource::Insert(insert.clone()), Owner::Ours);
        }
        if let Some((table, ours)) = &self.inside.table {
            let owner = if *ours { Owner::Ours } else { theirs("somebody else") };
            self.state.insert(Resource::Table(table.clone()), owner);
        }
    }
}
