//! Namespaces that go as a whole: nobody reads what is in them, and they are held open until all is done. One that has to come back gets its name again, with
//! all that is in it: links, connections, processes.

use super::guest::Guest;
use super::look::Look;
use super::netns::{self, Netns};
use super::peers::OtherEnds;
use super::{Error, ErrorKind};
use crate::resource::{Kind, Node, Record};
use nix::fcntl::{FcntlArg, fcntl};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::unistd::close;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Mutex;

/// The namespaces that lost their names and are held.
#[derive(Debug)]
pub struct Held {
    /// How many there can be.
    room: usize,
    namespaces: Mutex<BTreeMap<Node, Netns>>,
}

impl Held {
    /// Makes room for all that have names now, as far as this process may have files open.
    ///
    /// To be called while there is one thread: the kernel makes a table of open files larger at once then, and waits for a grace period, some ten milliseconds,
    /// where threads share it (`expand_fdtable` in `fs/file.c`).
    pub fn new() -> Result<Self, Error> {
        /// Sockets, files, the standard streams; more than there ever are.
        const BESIDES: u64 = 128;
        let names = u64::try_from(netns::names()?.len()).unwrap_or(u64::MAX);
        let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap_or_default();
        let limit = if setrlimit(Resource::RLIMIT_NOFILE, hard, hard).is_ok() { hard } else { soft };
        let room = limit.saturating_sub(BESIDES).min(names);
        let last = i32::try_from(room.saturating_add(BESIDES).saturating_sub(1)).unwrap_or(i32::MAX);
        let here = Netns::current()?;
        // Where it cannot be that large it grows later.
        let _ = fcntl(&here, FcntlArg::F_DUPFD_CLOEXEC(last)).map(close);
        Ok(Self { room: usize::try_from(room).unwrap_or(usize::MAX), namespaces: Mutex::default() })
    }

    /// Holds the namespace of `node`.
    pub fn hold(&self, node: &Node) -> Result<(), Error> {
        let netns = Netns::named(node.as_str())?;
        self.with(|held| held.insert(node.clone(), netns));
        Ok(())
    }

    /// Gives the namespace of `node` its name back. The empty file that a removal half-way leaves gives way.
    pub fn give_back(&self, node: &Node) -> Result<(), Error> {
        let nobody = || Error::new(ErrorKind::Refused, format!("give namespace {node} its name back"), "it is not held any more");
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

/// Whether a namespace can go with all that is in it, as far as its links say: none has its other end on the host, outlives the namespace, or has to go before.
pub fn may_go_whole(look: &Look) -> bool {
    look.links.iter().all(|link| match link.other_nsid {
        None => matches!(link.kind, Kind::Loopback | Kind::Veth | Kind::Bridge | Kind::Dummy),
        // Where it is may not be known yet.
        Some(nsid) => link.kind == Kind::Veth && look.nsids.get(&nsid).is_none_or(|node| !node.is_host()),
    })
}

/// Which of the namespaces of which no more than the links was read, and that are not `wanted` so, cannot go as a whole: something in them belongs to others,
/// or a pair leads out of them to where more than the namespace goes. `far` has the other ends.
pub fn not_whole(
    looks: &[Look],
    far: &OtherEnds,
    guests: &HashMap<Node, Vec<Guest>>,
    record: &Record,
    held: &Held,
    wanted: impl Fn(&Node) -> bool,
) -> BTreeSet<Node> {
    let spared = || looks.iter().filter(|look| look.inside.is_none() && !wanted(&look.node));
    let alone = |node: &Node| !guests.contains_key(node) && record.moved.iter().all(|(now, _)| now.node != *node);
    let found = |look: &Look| look.links.iter().all(|link| link.other_nsid.is_none() || far.contains_key(&(look.node.clone(), link.index)));
    let mut whole: BTreeSet<&Node> = spared().filter(|look| alone(&look.node) && found(look)).map(|look| &look.node).collect();
    if whole.len() > held.room {
        whole.clear();
    }
    let mut paired: HashMap<&Node, Vec<&Node>> = HashMap::new();
    for ((node, _), other) in far {
        paired.entry(&other.node).or_default().push(node);
    }
    // Who is paired with one that does not go as a whole does not either.
    let mut open: Vec<&Node> = looks.iter().map(|look| &look.node).filter(|node| !whole.contains(node)).collect();
    while let Some(node) = open.pop() {
        open.extend(paired.get(node).into_iter().flatten().copied().filter(|other| whole.remove(other)));
    }
    spared().map(|look| &look.node).filter(|node| !whole.contains(node)).cloned().collect()
}
