//! Which namespaces there are: those with a name, those of containers, and those that only a process holds.

use crate::kernel::Error;
use crate::linux::netns;
use crate::linux::netns::{Netns, container, processes};
use crate::resource::{NetnsRef, Node};
use crate::survey::Home;
use std::collections::{BTreeMap, HashMap, HashSet};

/// A namespace that was found.
pub(super) struct Found {
    /// How it is found.
    pub home: Home,
    /// Its further names.
    pub second_names: Vec<String>,
}

/// All namespaces of this machine that can be found, by the names that a file may give them. One that has several names
/// goes by the first.
pub(super) fn all(host: &Netns) -> Result<BTreeMap<Node, Found>, Error> {
    let mut known: HashMap<(u64, u64), Node> = HashMap::new();
    let mut found: BTreeMap<Node, Found> = BTreeMap::new();
    known.insert(host.inode()?, Node::host());
    found.insert(Node::host(), Found { home: Home::Host, second_names: Vec::new() });
    for name in netns::names()? {
        let Ok(inode) = Netns::named(&name).and_then(|netns| netns.inode()) else { continue };
        let node = Node::from(name.as_str());
        match known.get(&inode) {
            // The host under a name is the host.
            Some(first) => {
                if let Some(first) = found.get_mut(first) {
                    first.second_names.push(name);
                }
            }
            None if node.is_host() => {}
            None => {
                known.insert(inode, node.clone());
                found.insert(node, Found { home: Home::Named, second_names: Vec::new() });
            }
        }
    }
    without_names(&known, &mut found);
    Ok(found)
}

/// Adds the namespaces that no name leads to: those of containers, and those that a process lives in.
fn without_names(known: &HashMap<(u64, u64), Node>, found: &mut BTreeMap<Node, Found>) {
    let homes = processes::homes(|inode| known.contains_key(&inode));
    if homes.is_empty() {
        return;
    }
    let containers: HashMap<u32, _> =
        container::running().into_iter().map(|(runtime, name, pid)| (pid, (runtime, name))).collect();
    let mut taken: HashSet<String> = found.keys().map(|node| node.as_str().to_owned()).collect();
    for (pid, pids) in homes {
        let container = pids.iter().find_map(|pid| containers.get(pid));
        let home = match container {
            Some((runtime, name)) => Home::Container { runtime: *runtime, name: name.clone() },
            None => Home::Process { pid, name: processes::name(pid) },
        };
        let name = match &home {
            Home::Container { name, .. } if taken.insert(name.clone()) => name.clone(),
            _ => format!("pid-{pid}"),
        };
        taken.insert(name.clone());
        found.insert(Node::from(name), Found { home, second_names: Vec::new() });
    }
}

impl Found {
    /// Where it is entered, if it is neither the host nor a plain name in `/run/netns`.
    pub fn place(&self) -> Option<NetnsRef> {
        match &self.home {
            Home::Host | Home::Named => None,
            Home::Process { pid, .. } => Some(NetnsRef::Pid(*pid)),
            Home::Container { runtime, name } => {
                Some(NetnsRef::Container { runtime: Some(*runtime), name: name.clone() })
            }
        }
    }
}
