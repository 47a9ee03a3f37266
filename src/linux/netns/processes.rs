//! Who lives in a namespace.

use crate::linux::netns;
use crate::resource::Node;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, Instant};

/// How long a process has to end after it was asked to.
const PATIENCE: Duration = Duration::from_secs(3);

/// The namespaces of nodes, held, so that those who live there are known after their names are gone.
#[derive(Debug)]
pub struct Homes(Vec<(Node, File)>);

impl Homes {
    /// Those of `nodes` in which anybody lives.
    pub fn of(nodes: &[&Node]) -> Self {
        Self(
            of(nodes)
                .into_keys()
                .filter_map(|node| Some((node.clone(), File::open(netns::path(node.as_str())).ok()?)))
                .collect(),
        )
    }

    /// Ends all who live there, but this process: asked first (SIGTERM), made to after three seconds (SIGKILL). Answers
    /// with how many there were in each. A namespace that is held has its number for itself, so no other program's
    /// process is taken for one that lives there.
    pub fn end_all(&self) -> BTreeMap<Node, usize> {
        let mut ended: BTreeMap<Node, usize> = BTreeMap::new();
        for (node, id) in self.inhabitants() {
            if kill(id, Signal::SIGTERM).is_ok() {
                *ended.entry(node).or_default() += 1;
            }
        }
        let begin = Instant::now();
        while !ended.is_empty() && !self.inhabitants().is_empty() {
            if begin.elapsed() > PATIENCE {
                self.inhabitants().iter().for_each(|(_, id)| _ = kill(*id, Signal::SIGKILL));
            }
            if begin.elapsed() > 2 * PATIENCE {
                break;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        ended
    }

    /// Who lives there now.
    fn inhabitants(&self) -> Vec<(Node, Pid)> {
        let homes: HashMap<(u64, u64), &Node> = self
            .0
            .iter()
            .filter_map(|(node, home)| home.metadata().ok().map(|meta| ((meta.dev(), meta.ino()), node)))
            .collect();
        let home = |id: u32| {
            std::fs::metadata(format!("/proc/{id}/ns/net")).ok().and_then(|home| homes.get(&(home.dev(), home.ino())))
        };
        let me = std::process::id();
        ids()
            .into_iter()
            .filter(|id| *id != me)
            .filter_map(|id| Some(((*home(id)?).clone(), Pid::from_raw(i32::try_from(id).ok()?))))
            .collect()
    }
}

/// The ids of all processes, in their order.
pub fn ids() -> Vec<u32> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let mut processes: Vec<u32> = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    processes.sort_unstable();
    processes
}

/// How many are named of each namespace.
const MOST: usize = 8;

/// The processes of one namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inhabitants {
    /// Some of them, in the order of their ids: `123 (sleep)`.
    pub some: Vec<String>,
    /// How many there are.
    pub count: usize,
}

/// The processes that live in namespaces of `/run/netns`. One look at all processes; what ends meanwhile, or cannot be
/// looked at, is left out.
pub fn of(nodes: &[&Node]) -> BTreeMap<Node, Inhabitants> {
    let inode = |node: &Node| std::fs::metadata(netns::path(node.as_str())).ok().map(|meta| (meta.dev(), meta.ino()));
    let homes: HashMap<(u64, u64), &Node> = nodes.iter().filter_map(|node| Some((inode(node)?, *node))).collect();
    let mut found: BTreeMap<Node, Inhabitants> = BTreeMap::new();
    if homes.is_empty() {
        return found;
    }
    for id in ids() {
        let Ok(home) = std::fs::metadata(format!("/proc/{id}/ns/net")) else { continue };
        let Some(node) = homes.get(&(home.dev(), home.ino())) else { continue };
        let at = found.entry((*node).clone()).or_default();
        at.count += 1;
        if at.some.len() < MOST {
            let name = std::fs::read_to_string(format!("/proc/{id}/comm")).unwrap_or_default();
            at.some.push(format!("{id} ({})", name.trim_end()));
        }
    }
    found
}

/// The namespaces that processes live in, those that are `known` aside: the first process of each, and all of them. One
/// look at all processes; what ends meanwhile, or cannot be looked at, is left out.
pub fn homes(known: impl Fn((u64, u64)) -> bool) -> BTreeMap<u32, Vec<u32>> {
    let mut first: HashMap<(u64, u64), u32> = HashMap::new();
    let mut found: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for id in ids() {
        let Ok(home) = std::fs::metadata(format!("/proc/{id}/ns/net")) else { continue };
        let inode = (home.dev(), home.ino());
        if !known(inode) {
            found.entry(*first.entry(inode).or_insert(id)).or_default().push(id);
        }
    }
    found
}

/// What a process is called.
pub fn name(id: u32) -> String {
    std::fs::read_to_string(format!("/proc/{id}/comm")).unwrap_or_default().trim_end().to_owned()
}
