//! Who lives in a namespace.

use crate::linux::netns;
use crate::resource::Node;
use std::collections::{BTreeMap, HashMap};
use std::os::unix::fs::MetadataExt;

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

/// The processes that live in namespaces of `/run/netns`. One look at all processes; what ends meanwhile, or cannot be looked at, is left out.
pub fn of(nodes: &[&Node]) -> BTreeMap<Node, Inhabitants> {
    let inode = |node: &Node| std::fs::metadata(netns::path(node.as_str())).ok().map(|meta| (meta.dev(), meta.ino()));
    let homes: HashMap<(u64, u64), &Node> = nodes.iter().filter_map(|node| Some((inode(node)?, *node))).collect();
    let mut found: BTreeMap<Node, Inhabitants> = BTreeMap::new();
    if homes.is_empty() {
        return found;
    }
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let mut processes: Vec<u32> = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    processes.sort_unstable();
    for id in processes {
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
