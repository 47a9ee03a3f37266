//! Where each node is found on this machine.

use super::pinned::Held;
use crate::kernel::Error;
use crate::linux::netns;
use crate::linux::secret::Keys;
use crate::resource::{NetnsRef, Node};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Where the nodes of a topology are on this machine.
#[derive(Clone, Debug)]
pub struct Places {
    /// The namespace that topo was started in.
    pub host: netns::Netns,
    /// The private keys that were seen or read.
    pub keys: Arc<Keys>,
    /// The namespaces that lose their names and can have them back; `None` where those that come back are made anew.
    pub held: Option<Arc<Held>>,
    /// The namespaces that another program made, by how they are found. Any other node is a namespace of ours in
    /// `/run/netns`.
    pub existing: BTreeMap<Node, NetnsRef>,
}

impl Places {
    /// Where `node` is.
    pub fn of(&self, node: &Node) -> netns::Place {
        if node.is_host() {
            return netns::Place::Inside(self.host.clone());
        }
        let place = self.existing.get(node).cloned();
        netns::Place::At(place.unwrap_or_else(|| NetnsRef::Name(node.as_str().to_owned())))
    }

    /// The namespace of `node`, open.
    ///
    /// # Errors
    ///
    /// If there is no such namespace, or what is there is none.
    pub fn open(&self, node: &Node) -> Result<netns::Netns, Error> {
        match self.of(node) {
            netns::Place::Inside(netns) => Ok(netns),
            netns::Place::At(place) => netns::Netns::open(&place),
            netns::Place::Anywhere => netns::Netns::current(),
        }
    }

    /// Whether everything in `node` is the topology's.
    pub fn is_made(&self, node: &Node) -> bool {
        !node.is_host() && !self.existing.contains_key(node)
    }
}
