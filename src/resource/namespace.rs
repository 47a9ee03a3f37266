//! Network namespaces.

use super::{Drift, Need, Node, ResourceId};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A network namespace: the unit in which everything else lives.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Namespace {
    /// Its name in the file, which is also its name in `/run/netns` when topo makes it.
    pub node: Node,
    /// Whether topo makes it.
    pub tenure: NodeTenure,
    /// Whether it carries the topology's mark (the alias `topo:NAME` on its `lo`).
    pub marked: bool,
    /// Whether it goes with all that is in it, which was not looked at, and comes back with it.
    #[serde(default)]
    pub whole: bool,
    /// The alias of its `lo` in the place of the mark; of a namespace without one that can be adopted. Not compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alias: Option<String>,
}

/// How a namespace comes to be there.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum NodeTenure {
    /// Made and removed by topo.
    Created,
    /// The namespace topo is started in.
    Host,
    /// Made by another program, configured and left there.
    Existing(NetnsRef),
}

/// Where an existing namespace is found.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum NetnsRef {
    /// A name in `/run/netns`.
    Name(String),
    /// The path of a namespace file.
    Path(String),
    /// A process that lives in it.
    Pid(u32),
    /// A container, as it runs now.
    Container {
        /// What runs it; `None` where the file does not say, until the machine is asked.
        runtime: Option<Runtime>,
        /// Its name.
        name: String,
    },
}

/// What runs containers.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Runtime {
    /// Docker.
    Docker,
    /// podman.
    Podman,
}

impl Runtime {
    /// Its name, which is that of its program.
    pub fn word(self) -> &'static str {
        match self {
            Self::Docker => "docker",
            Self::Podman => "podman",
        }
    }
}

impl fmt::Display for NetnsRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => write!(f, "netns {name}"),
            Self::Path(path) => write!(f, "{path}"),
            Self::Pid(pid) => write!(f, "pid {pid}"),
            Self::Container { name, .. } => write!(f, "container {name}"),
        }
    }
}

impl Namespace {
    /// Its identity.
    pub fn id(&self) -> ResourceId {
        ResourceId::Namespace(self.node.clone())
    }

    /// A namespace needs nothing.
    pub fn requires(&self) -> Vec<Need> {
        Vec::new()
    }

    /// The fields in which `self` (wanted) differs from `observed`.
    pub fn drift(&self, observed: &Self) -> Vec<Drift> {
        let Self { node: _, tenure: _, marked, whole: _, alias: _ } = self;
        let mut drift = Vec::new();
        if *marked && !observed.marked {
            drift.push(Drift::in_place("mark", "none", "topo"));
        }
        drift
    }
}
