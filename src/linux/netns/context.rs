//! A namespace that work goes on in: its socket, its interfaces' numbers, and whose it is.

use super::places::Places;
use crate::kernel::Error;
use crate::linux::netlink::attributes::Writer;
use crate::linux::netlink::link;
use crate::linux::netlink::socket::{Refused, Request, Socket};
use crate::linux::netns;
use crate::resource::{IfName, Kind, Name, Node};
use nix::libc;
use std::cell::RefCell;
use std::collections::HashMap;

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

/// The numbers of interfaces, as far as another program asked. They live as long as the job: nothing that can go stale
/// is kept longer.
#[derive(Default)]
struct Indexes {
    known: HashMap<IfName, (u32, Kind)>,
    asked: usize,
}

/// After this many single questions all interfaces are asked for at once (a question takes 12 µs, as much as one link
/// in a dump).
const QUESTIONS: usize = 8;

impl<'a> Site<'a> {
    /// The namespace that the calling thread is in, which is that of `node`.
    ///
    /// # Errors
    ///
    /// If no socket can be opened in the namespace.
    pub fn here(topology: &'a Name, node: Node, places: &'a Places) -> Result<Self, Error> {
        let made = places.is_made(&node);
        Ok(Self { topology, node, places, socket: Socket::open()?, made, indexes: RefCell::default() })
    }

    /// Sends a request.
    ///
    /// # Errors
    ///
    /// The kernel's refusal, with its errno and its own text.
    pub fn ask(&self, kind: u16, flags: u16, body: &Writer) -> Result<(), Refused> {
        self.socket.request(&Request { kind, flags, body: body.bytes().to_vec() })
    }

    /// The number of the interface `name`.
    ///
    /// # Errors
    ///
    /// `ENODEV` if there is no such interface.
    pub fn index(&self, name: &IfName) -> Result<u32, Refused> {
        Ok(self.known(name)?.0)
    }

    /// The number of the interface `name`, and what it is.
    ///
    /// # Errors
    ///
    /// `ENODEV` if there is no such interface.
    pub fn known(&self, name: &IfName) -> Result<(u32, Kind), Refused> {
        let mut indexes = self.indexes.borrow_mut();
        if let Some(known) = indexes.known.get(name) {
            return Ok(known.clone());
        }
        indexes.asked += 1;
        if indexes.asked == QUESTIONS {
            indexes.known =
                link::dump(&self.socket)?.into_iter().map(|seen| (seen.name, (seen.index, seen.kind))).collect();
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
    ///
    /// # Errors
    ///
    /// If the namespace cannot be entered, or the work itself fails.
    pub fn elsewhere<T>(&self, node: &Node, work: impl FnOnce(&Socket) -> T) -> Result<T, Error> {
        let here = netns::Netns::current()?;
        self.places.open(node)?.enter()?;
        let done = Socket::open().map(|socket| work(&socket));
        here.enter()?;
        done
    }
}
