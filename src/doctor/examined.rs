//! What is examined: a file, the network that it is or will be in, and the machine.

use super::walked::Walked;
use crate::flow::World;
use crate::resource::{Node, NodeTenure, Owner, Resource, ResourceId, State};
use crate::survey::{Heard, Machine, Survey};

/// Something that a plan cannot get past.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Obstacle {
    /// What is wanted.
    pub id: ResourceId,
    /// What is in the way.
    pub what: String,
    /// What to do about it.
    pub help: Option<String>,
}

/// All that the rules look at.
pub struct Examined<'a> {
    /// What the file wants.
    pub wanted: &'a State,
    /// What of the topology is there.
    pub observed: &'a State,
    /// Whether the topology is there: the network below is the machine's as it is, else as it would be after an apply.
    pub applied: bool,
    /// The resources that an apply would change, in words.
    pub changes: Vec<(ResourceId, String)>,
    /// What a plan cannot get past.
    pub obstacles: Vec<Obstacle>,
    /// What the kernel lacks, as an apply would say it.
    pub lacking: Vec<Obstacle>,
    /// The network.
    pub world: &'a World<'a>,
    /// The flows that the file means, followed through it.
    pub walked: Vec<Walked>,
    /// Everything in the namespaces that topo did not make, of topo and of others.
    pub around: &'a State,
    /// The neighbours that were learned there.
    pub neighbors: &'a [Heard],
    /// All namespaces of the machine, where they were read.
    pub survey: Option<&'a Survey>,
    /// The machine outside of its namespaces, where it was read.
    pub machine: Option<&'a Machine>,
}

impl<'a> Examined<'a> {
    /// The resources that the file makes in namespaces which topo did not make.
    pub fn outside(&self) -> impl Iterator<Item = &'a Resource> {
        let wanted = self.wanted;
        let items = wanted.items.values().filter(|item| matches!(item.owner, Owner::Ours));
        let made = |node: &Node| wanted.is_made(node);
        let outside = move |resource: &&Resource| !made(resource.node()) && !matches!(resource, Resource::Namespace(_));
        items.map(|item| &item.resource).filter(outside)
    }

    /// Whether what is there under `id` belongs to others: neither does the file name it, nor did the topology make it.
    pub fn is_foreign(&self, id: &ResourceId) -> bool {
        let ours = self.observed.items.get(id).is_some_and(|item| item.owner == Owner::Ours);
        !ours && !self.wanted.items.contains_key(id)
    }

    /// The interfaces of the host that the file makes, by name.
    pub fn host_links(&self) -> Vec<&'a str> {
        let links =
            self.outside().filter_map(|resource| if let Resource::Link(link) = resource { Some(link) } else { None });
        links.filter(|link| link.id.node.is_host()).map(|link| link.id.name.as_str()).collect()
    }

    /// The nodes of the file that other programs made, and how each is found.
    pub fn existing(&self) -> impl Iterator<Item = (&'a Node, &'a crate::resource::NetnsRef)> {
        self.wanted.namespaces().filter_map(|namespace| match &namespace.tenure {
            NodeTenure::Existing(place) => Some((&namespace.node, place)),
            _ => None,
        })
    }
}
