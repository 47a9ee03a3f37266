//! States: all resources of a topology, wanted or observed.

use super::any::Resource;
use super::foreign::Foreign;
use super::{
    Adoption, IfName, Kind, Link, LinkId, Name, Namespace, Node, NodeTenure, Record, ResourceId, Setting, Sysctl,
};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Whose a resource is.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Owner {
    /// This topology's: it carries its mark, or stands where everything is this topology's. It is removed when the file
    /// does not list it.
    Ours,
    /// In a wanted state: a foreign one that the file names. It must be there, is configured, and never made or
    /// deleted.
    Named,
    /// In a wanted state: foreign, or the machine's, that goes back to what it was. It is made or changed, and never
    /// deleted.
    Restored,
    /// In an observed state: not this topology's, and whose as far as that can be known.
    Theirs(Foreign),
}

/// A resource and whose it is.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Item {
    /// The resource.
    pub resource: Resource,
    /// Whose it is.
    pub owner: Owner,
}

/// All resources of a topology, as wanted or as observed; an observed one also has what of others matters.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(from = "Saved", into = "Saved")]
pub struct State {
    /// The topology.
    pub topology: Name,
    /// The resources.
    pub items: BTreeMap<ResourceId, Item>,
    /// What the kernel cannot hold; empty in a wanted state.
    pub record: Record,
    /// The records of the other topologies on the machine; empty in a wanted state.
    pub others: Vec<(Name, Record)>,
    /// In a wanted state: that what is there without a mark is adopted. In an observed one: that it was looked at for
    /// that, or that an adoption was cut off.
    pub adopts: Option<Adoption>,
}

/// A state as JSON has it: a list, because JSON has only words as keys.
#[derive(Serialize, Deserialize)]
struct Saved {
    topology: Name,
    items: Vec<Item>,
    record: Record,
    others: Vec<(Name, Record)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    adopts: Option<Adoption>,
}

impl From<Saved> for State {
    fn from(saved: Saved) -> Self {
        let items = saved.items.into_iter().map(|item| (item.resource.id(), item)).collect();
        Self { topology: saved.topology, items, record: saved.record, others: saved.others, adopts: saved.adopts }
    }
}

impl From<State> for Saved {
    fn from(state: State) -> Self {
        Self {
            topology: state.topology,
            items: state.items.into_values().collect(),
            record: state.record,
            others: state.others,
            adopts: state.adopts,
        }
    }
}

impl State {
    /// A state with nothing in it.
    pub fn empty(topology: Name) -> Self {
        Self { topology, items: BTreeMap::new(), record: Record::default(), others: Vec::new(), adopts: None }
    }

    /// Puts a resource in, in place of one of the same identity.
    pub fn insert(&mut self, resource: Resource, owner: Owner) {
        self.items.insert(resource.id(), Item { resource, owner });
    }

    /// Gives ends of veth pairs other names: each link, what names it as its other end, and the entries behind it.
    pub fn rename(&mut self, names: &BTreeMap<LinkId, IfName>) {
        if names.is_empty() {
            return;
        }
        let rename = |id: &mut LinkId| {
            if let Some(name) = names.get(id) {
                id.name = name.clone();
            }
        };
        let renamed = |mut item: Item| {
            match &mut item.resource {
                Resource::Link(link) => {
                    rename(&mut link.id);
                    link.peer.iter_mut().for_each(rename);
                }
                Resource::Fdb(entry) => rename(&mut entry.link),
                _ => {}
            }
            (item.resource.id(), item)
        };
        self.items = std::mem::take(&mut self.items).into_values().map(renamed).collect();
    }

    /// The resource `id`.
    pub fn get(&self, id: &ResourceId) -> Option<&Resource> {
        self.items.get(id).map(|item| &item.resource)
    }

    /// The other topology whose file names the setting `id`, with its record.
    pub fn other_with_setting(&self, id: &ResourceId) -> Option<&(Name, Record)> {
        self.others.iter().find(|(_, record)| record.wrote.iter().any(|wrote| wrote.id() == *id))
    }

    /// What was there under `id` before another topology, the first that changed it: the value from before is handed on
    /// to the program that joins.
    pub fn prior_of_others(&self, id: &ResourceId) -> Option<&Resource> {
        self.others.iter().find_map(|(_, record)| record.prior(id))
    }

    /// The link `id`.
    pub fn link(&self, id: &LinkId) -> Option<&Link> {
        self.get(&ResourceId::Link(id.clone())).and_then(Resource::as_link)
    }

    /// Whether no route of the node's own tables goes over a link: it is down, or a VRF has it.
    pub fn is_off(&self, link: &LinkId) -> bool {
        let Some(link) = self.link(link) else { return false };
        let vrf = link.master_id().and_then(|master| self.link(&master)).is_some_and(|master| master.kind == Kind::Vrf);
        vrf || link.up == Setting::Is(false)
    }

    /// Whether IPv6 is off on a link, by a setting of its own.
    pub fn is_without_ipv6(&self, link: &LinkId) -> bool {
        let id = ResourceId::Sysctl(link.node.clone(), Sysctl::disable_ipv6(link.name.as_str()));
        matches!(self.get(&id), Some(Resource::Sysctl(sysctl)) if sysctl.ends_ipv6().is_some())
    }

    /// Whether a link can have nothing of this family: IPv6 where it is off.
    pub fn bars(&self, link: &LinkId, net: &IpNet) -> bool {
        net.addr().is_ipv6() && self.is_without_ipv6(link)
    }

    /// All resources in order.
    pub fn resources(&self) -> impl Iterator<Item = &Resource> {
        self.items.values().map(|item| &item.resource)
    }

    /// The namespace `node`.
    pub fn namespace(&self, node: &Node) -> Option<&Namespace> {
        match self.get(&ResourceId::Namespace(node.clone())) {
            Some(Resource::Namespace(namespace)) => Some(namespace),
            _ => None,
        }
    }

    /// The prefixes of the namespaces that topo makes: a file has one for all of them, a change of it that is under way
    /// two.
    pub fn prefixes(&self) -> BTreeSet<&str> {
        let made = self.namespaces().filter(|namespace| namespace.tenure == NodeTenure::Created);
        made.map(|namespace| namespace.node.prefix()).collect()
    }

    /// Whether the namespaces that topo makes here get other names in `/run/netns` with `other`, because their prefix
    /// is another.
    pub fn is_renamed(&self, other: &Self) -> bool {
        let (now, then) = (self.prefixes(), other.prefixes());
        !now.is_empty() && !then.is_empty() && now != then
    }

    /// Whether an adoption may take an observed resource: nothing says whose it is.
    pub fn may_adopt(&self, owner: &Owner) -> bool {
        self.adopts.is_some() && *owner == Owner::Theirs(Foreign::Unknown)
    }

    /// Whether `node` is a namespace that topo makes.
    pub fn is_made(&self, node: &Node) -> bool {
        self.namespace(node).is_some_and(|namespace| namespace.tenure == NodeTenure::Created)
    }
}
