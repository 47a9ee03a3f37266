//! Whose what is: from looks at namespaces to a state.

use super::automatic::There;
use super::guests::Guest;
use super::{client, vlans};
use crate::linux::netlink::link;
use crate::linux::netns::namespace::topology_of;
use crate::linux::secret::Keys;
use crate::linux::snapshot::contents::{Inside, Look};
use crate::linux::snapshot::ends::OtherEnds;
use crate::resource::mark::{group, mark};
use crate::resource::{
    Foreign, IfName, Kind, Link, LinkId, Name, Namespace, Node, NodeTenure, Owner, Record, Resource, ResourceId, State,
    Tenure,
};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

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
    /// The ends of foreign pairs in namespaces of ours, by node and number.
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
    /// Whether what the file makes and has no mark is adopted.
    pub adopts: bool,
}

/// Whose a namespace is.
pub fn namespace(judge: &Judge<'_>, look: &Look, tenure: NodeTenure) -> (Namespace, Owner) {
    let marked = look.alias.as_deref() == Some(&mark(&judge.wanted.topology));
    let known = look.cookie != 0 && judge.record.namespaces.get(&look.node) == Some(&look.cookie);
    let owner = match &tenure {
        NodeTenure::Created if marked || known => Owner::Ours,
        NodeTenure::Host => theirs(Foreign::Machine),
        _ => whose(look.alias.as_deref()),
    };
    let marked = marked || tenure != NodeTenure::Created;
    let alias = look.alias.clone().unwrap_or_default();
    let alias = (tenure == NodeTenure::Created && judge.may_adopt(&look.node, &owner)).then_some(alias);
    (Namespace { node: look.node.clone(), tenure, marked, whole: false, alias }, owner)
}

fn topology(name: &Name) -> Owner {
    Owner::Theirs(Foreign::Topology(name.clone()))
}

pub(crate) fn theirs(who: Foreign) -> Owner {
    Owner::Theirs(who)
}

/// Whose something is that carries this mark.
fn whose(alias: Option<&str>) -> Owner {
    match alias.and_then(topology_of) {
        Some(name) => theirs(Foreign::Topology(name.into())),
        None => theirs(Foreign::Unknown),
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
        adoptable: BTreeSet::new(),
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
    sorter.adoptable();
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
    /// The links without a mark that are adopted.
    pub(super) adoptable: BTreeSet<LinkId>,
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

    /// Whose something in a namespace of ours is, which may depend on a foreign link.
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
            let owner = self.adopted(seen, &mut link, owner);
            if self.made && owner != Owner::Ours && seen.is_fallback() {
                continue;
            }
            // `lo` of a namespace of ours is made by nothing.
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
                self.guest(|guest| guest.has(seen)).or_else(|| outside.then(|| theirs(Foreign::Unknown)))
            {
                link.tenure = Tenure::Existing;
                return owner;
            }
            return match seen.kind {
                Kind::Physical => {
                    link.tenure = Tenure::Existing;
                    theirs(Foreign::Unknown)
                }
                _ if seen.is_fallback() && !self.wanted(&link.id()) => theirs(Foreign::Kernel),
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
        if seen.kind == Kind::Loopback { theirs(Foreign::Machine) } else { whose(seen.alias.as_deref()) }
    }

    /// Whose something is that stands in a foreign namespace: `marked` with topo's number, `on_ours` on a link of ours.
    /// `None` for what does not matter.
    pub(super) fn owner_elsewhere(&self, id: &ResourceId, marked: bool, on_ours: bool, shown: bool) -> Option<Owner> {
        let wanted = self.wanted(id);
        let owned = self.judge.record.owned.contains(id);
        let other = self.judge.others.iter().find(|(_, record)| record.owned.contains(id));
        match (marked, other) {
            (true, Some((name, _))) if !owned => (wanted || shown).then(|| topology(name)),
            (true, _) if on_ours || owned || wanted => Some(Owner::Ours),
            (false, _) if on_ours && wanted => Some(Owner::Ours),
            (false, _) if owned && !self.judge.says => Some(Owner::Ours),
            _ => (wanted || shown).then(|| theirs(Foreign::Unknown)),
        }
    }

    /// Root qdiscs. One that was put outside topo on a link of ours gives way where one is wanted, and in a namespace
    /// of ours in any case.
    fn qdiscs(&mut self) {
        for seen in &self.inside.qdiscs {
            let Some(qdisc) = self.name(seen.index).map(|name| seen.qdisc(self.node(), name)) else { continue };
            let id = qdisc.id();
            let (on_ours, shown) = (self.ours.contains(&seen.index), self.shown.contains(&qdisc.link.name));
            let owner = match qdisc.marked {
                _ if on_ours && self.made => Some(self.inside(&id, None)),
                _ if on_ours && self.wanted(&id) => Some(Owner::Ours),
                true => self.owner_elsewhere(&id, true, on_ours, shown),
                false => (self.wanted(&id) || shown).then(|| theirs(Foreign::Unknown)),
            };
            if let Some(owner) = owner {
                self.state.insert(Resource::Qdisc(qdisc), owner);
            }
        }
    }

    /// Settings, the nft table, and rules in foreign chains.
    fn rest(&mut self) {
        for setting in &self.inside.settings {
            let owner = if self.made { Owner::Ours } else { theirs(Foreign::Machine) };
            self.state.insert(Resource::Sysctl(setting.clone()), owner);
        }
        for insert in &self.inside.inserts {
            self.state.insert(Resource::Insert(insert.clone()), Owner::Ours);
        }
        self.table();
    }
}
