//! Namespaces that a destroy takes away: they are held open until all is done. Where it fails they have their names
//! back, with what is in them: links, connections, processes. What goes as a whole need not be read for that.

use super::{Netns, Place};
use crate::kernel::{Error, ErrorKind};
use crate::linux::netns;
use crate::resource::Node;
use nix::fcntl::{FcntlArg, fcntl};
use nix::sys::resource::{Resource as Limit, getrlimit, setrlimit};
use nix::unistd::close;
use std::collections::BTreeMap;
use std::sync::Mutex;

/// The namespaces that lose their names and are held.
#[derive(Debug)]
pub struct Held {
    /// Whether what goes as a whole is left unread.
    spares: bool,
    /// How many there can be.
    room: u64,
    namespaces: Mutex<BTreeMap<Node, Netns>>,
}

impl Held {
    /// Makes room for all that have names now, as far as this process may have files open.
    ///
    /// To be called while there is one thread: the kernel makes a table of open files larger at once then, and waits
    /// for a grace period, some ten milliseconds, where threads share it (`expand_fdtable` in `fs/file.c`).
    ///
    /// # Errors
    ///
    /// If the names of the namespaces cannot be read.
    pub fn new(spares: bool) -> Result<Self, Error> {
        /// Sockets, files, the standard streams; more than there ever are.
        const BESIDES: u64 = 128;
        let nowhere = Self { spares, room: 0, namespaces: Mutex::default() };
        let Ok((soft, hard)) = getrlimit(Limit::RLIMIT_NOFILE) else { return Ok(nowhere) };
        let limit = if setrlimit(Limit::RLIMIT_NOFILE, hard, hard).is_ok() { hard } else { soft };
        let names = u64::try_from(netns::names()?.len()).unwrap_or(u64::MAX);
        let room = limit.saturating_sub(BESIDES).min(names);
        let last = i32::try_from(room.saturating_add(BESIDES).saturating_sub(1)).unwrap_or(i32::MAX);
        let here = Netns::current()?;
        // Where it cannot be that large it grows later.
        let _ = fcntl(&here, FcntlArg::F_DUPFD_CLOEXEC(last)).map(close);
        Ok(Self { room, ..nowhere })
    }

    /// Whether what goes as a whole is left unread, where there are `count` names: all of them might have to be held.
    pub fn spares(&self, count: usize) -> bool {
        self.spares && u64::try_from(count).is_ok_and(|count| count <= self.room)
    }

    /// Holds `netns`, the namespace of `node`.
    pub fn hold(&self, node: &Node, netns: Netns) {
        self.with(|held| held.insert(node.clone(), netns));
    }

    /// Holds the namespace of `node` if it is not held yet, and there is room; without that it is made anew where it
    /// comes back.
    pub fn hold_named(&self, node: &Node) {
        let room = self
            .with(|held| !held.contains_key(node) && u64::try_from(held.len()).is_ok_and(|count| count < self.room));
        if let (Some(true), Ok(netns)) = (room, Netns::named(node.as_str())) {
            self.hold(node, netns);
        }
    }

    /// Gives the namespaces that lost them their names back, as far as nothing has taken those.
    pub fn give_all_back(&self) {
        let nodes: Vec<Node> = self.with(|held| held.keys().cloned().collect()).unwrap_or_default();
        // What has no name afterwards is missing, and the plan back says so.
        let jobs = nodes
            .iter()
            .filter(|node| !netns::is_there(node.as_str()))
            .map(|node| netns::job(Place::Anywhere, || _ = self.give_back(node)));
        netns::run(netns::WRITERS, jobs.collect());
    }

    /// Gives the namespace of `node` its name back. The empty file that a removal half-way leaves gives way.
    ///
    /// # Errors
    ///
    /// If the name was taken meanwhile ([`ErrorKind::Taken`]), or it cannot be mounted.
    pub fn give_back(&self, node: &Node) -> Result<(), Error> {
        let nobody = || {
            Error::new(ErrorKind::Refused, format!("give namespace {node} its name back"), "it is not held any more")
        };
        let netns = self.with(|held| held.get(node).cloned()).flatten().ok_or_else(nobody)?;
        if netns::is_leftover(node.as_str()) {
            netns::remove(node.as_str())?;
        }
        netns::give_name(&netns, node.as_str())
    }

    /// Lets all go: what has no name any more ends.
    pub fn let_go(&self) {
        self.with(BTreeMap::clear);
    }

    fn with<T>(&self, work: impl FnOnce(&mut BTreeMap<Node, Netns>) -> T) -> Option<T> {
        self.namespaces.lock().map(|mut held| work(&mut held)).ok()
    }
}
