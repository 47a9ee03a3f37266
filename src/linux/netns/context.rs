//! A namespace that work goes on in: its socket, its interfaces' numbers, and whose it is.

use super::pinned::Held;
use crate::kernel::Error;
use crate::linux::netlink::attributes::Writer;
use crate::linux::netlink::link;
use crate::linux::netlink::socket::{Refused, Request, Socket};
use crate::linux::netns;
use crate::linux::secret::Keys;
use crate::resource::{IfName, Kind, Name, NetnsRef, Node};
use nix::libc;
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
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
    /// The namespaces that somebody else made, by how they are found. Any other node is a namespace of ours in `/run/netns`.
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

/// A namespace in which a job is at work. It exists only on the job's thread, which is inside.
pub struct Site<'a> {
    /// The topology.
    pub topology: &'a Name,
    /// The node.
    pub node: Node,
    /// Where the other nodes are.
    pub places: &'a Places,
    /// A socket of this namespace.
    pub socket: Socket,
    /// Whether everything here is the topology's.
    pub made: bool,
    indexes: RefCell<Indexes>,
}

/// The numbers of interfaces, as far as somebody asked. They live as long as the job: nothing that can go stale is kept longer.
#[derive(Default)]
struct Indexes {
    known: HashMap<IfName, (u32, Kind)>,
    asked: usize,
}

/// After this many single questions all interfaces are asked for at once (a question takes 12 µs, as much as one link in a dump).
const QUESTIONS: usize = 8;

impl<'a> Site<'a> {
    /// The namespace that the calling thread is in, which is that of `node`.
    pub fn here(topology: &'a Name, node: Node, places: &'a Places) -> Result<Self, Error> {
        let made = places.is_made(&node);
        Ok(Self { topology, node, places, socket: Socket::open()?, made, indexes: RefCell::default() })
    }

    /// Sends a request.
    pub fn ask(&self, kind: u16, flags: u16, body: &Writer) -> Result<(), Refused> {
        self.socket.request(&Request { kind, flags, body: body.bytes().to_vec() })
    }

    /// The number of the interface `name`.
    pub fn index(&self, name: &IfName) -> Result<u32, Refused> {
        Ok(self.known(name)?.0)
    }

    /// The number of the interface `name`, and what it is.
    pub fn known(&self, name: &IfName) -> Result<(u32, Kind), Refused> {
        let mut indexes = self.indexes.borrow_mut();
        if let Some(known) = indexes.known.get(name) {
            return Ok(known.clone());
        }
        indexes.asked += 1;
        if indexes.asked == QUESTIONS {
            indexes.known = link::dump(&self.socket)?.into_iter().map(|seen| (seen.name, (seen.index, seen.kind))).collect();
            if let Some(known) = indexes.known.get(name) {
                return Ok(known.clone());
            }
        }
        let seen = link::find(&self.socket, name).map_err(|refused| match refused.errno {
            libc::ENODEV => Refused { errno: libc::ENODEV, text: Some(format!("there is no interface {name:?}")) },
            _ => refused,
        })?;
        let known = (seen.index, seen.kind);
        indexes.known.insert(name.clone(), known.clone());
        Ok(known)
    }

    /// Forgets all numbers, after interfaces came or went.
    pub fn forget(&self) {
        *self.indexes.borrow_mut() = Indexes::default();
    }

    /// Does something with a socket of another node's namespace, and comes back.
    pub fn elsewhere<T>(&self, node: &Node, work: impl FnOnce(&Socket) -> T) -> Result<T, Error> {
        let here = netns::Netns::current()?;
        self.places.open(node)?.enter()?;
        let done = Socket::open().map(|socket| work(&socket));
        here.enter()?;
        done
    }
}
