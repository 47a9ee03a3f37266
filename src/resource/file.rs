//! Files of a namespace under `/etc/netns`.

use super::id::FileName;
use super::{Drift, Need, Node, ResourceId};
use serde::{Deserialize, Serialize};

/// A file in `/etc/netns/NODE/`, which `ip netns exec` and `topo exec` bind over the one in `/etc`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct File {
    /// The node.
    pub node: Node,
    /// Which file.
    pub name: FileName,
    /// All of it; its first line is the mark, see [`File::mark`].
    pub content: String,
}

impl File {
    /// The first line of a file of `topology`, without its newline.
    pub fn mark(topology: &super::Name) -> String {
        format!("# topo:{topology} - written by topo, removed with the topology")
    }

    /// Whether its first line is a mark.
    pub fn is_marked(&self) -> bool {
        self.content.lines().next().is_some_and(|first| first.starts_with("# topo:") && first.contains(" - "))
    }

    /// Its identity.
    pub fn id(&self) -> ResourceId {
        ResourceId::File(self.node.clone(), self.name)
    }

    /// The namespace, with which it does not go by itself.
    pub fn requires(&self) -> Vec<Need> {
        vec![Need::uses(ResourceId::Namespace(self.node.clone()))]
    }

    /// The lines in which `self` (wanted) differs from `observed`.
    pub fn drift(&self, observed: &Self) -> Vec<Drift> {
        let Self { node: _, name: _, content } = self;
        let diff = similar::TextDiff::from_lines(&observed.content, content);
        let line = |change: similar::Change<&str>| match change.tag() {
            similar::ChangeTag::Equal => None,
            similar::ChangeTag::Delete => Some(Drift::in_place("line", change.value().trim_end(), "")),
            similar::ChangeTag::Insert => Some(Drift::in_place("line", "", change.value().trim_end())),
        };
        diff.iter_all_changes().filter_map(line).collect()
    }
}
