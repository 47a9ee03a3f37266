//! What commands depend on besides the operation: marks, and where nodes are found.

use crate::resource::{LinkId, Name, NetnsRef, Node, NodeTenure, Runtime, quote};
use std::collections::BTreeMap;

/// What the commands depend on besides the operation: the topology, for its marks, and where each node is found.
#[derive(Clone, Debug, Default)]
pub struct Words {
    pub(crate) topology: Option<Name>,
    pub(crate) nodes: BTreeMap<Node, NodeTenure>,
    /// The VLANs that bridges give to their ports.
    pub(crate) pvids: BTreeMap<LinkId, u16>,
}

impl Words {
    /// Where `node` is found.
    pub(crate) fn tenure(&self, node: &Node) -> NodeTenure {
        let usual = || if node.is_host() { NodeTenure::Host } else { NodeTenure::Created };
        self.nodes.get(node).cloned().unwrap_or_else(usual)
    }

    /// `ip` in `node`.
    pub(crate) fn ip(&self, node: &Node) -> String {
        self.program("ip", node)
    }

    /// `ip`, `bridge` or `tc`, which all know `-n`, in `node`.
    pub(crate) fn program(&self, program: &str, node: &Node) -> String {
        match self.tenure(node) {
            NodeTenure::Host => program.to_owned(),
            NodeTenure::Created => format!("{program} -n {}", quote(node.as_str())),
            NodeTenure::Existing(NetnsRef::Name(name)) => format!("{program} -n {}", quote(&name)),
            NodeTenure::Existing(place) => format!("{} {program}", nsenter(&place)),
        }
    }

    /// What stands before any other program to run it in `node`, with a blank at its end.
    pub(crate) fn inside(&self, node: &Node) -> String {
        match self.tenure(node) {
            NodeTenure::Host => String::new(),
            NodeTenure::Created => format!("ip netns exec {} ", quote(node.as_str())),
            NodeTenure::Existing(NetnsRef::Name(name)) => format!("ip netns exec {} ", quote(&name)),
            NodeTenure::Existing(place) => format!("{} ", nsenter(&place)),
        }
    }

    /// `node` as `ip link … netns` takes it: a name, a path, or a process; `$$` is the shell that runs the command.
    pub(crate) fn netns(&self, node: &Node) -> String {
        match self.tenure(node) {
            NodeTenure::Host => "$$".to_owned(),
            NodeTenure::Created => quote(node.as_str()),
            NodeTenure::Existing(NetnsRef::Name(name)) => quote(&name),
            NodeTenure::Existing(NetnsRef::Path(path)) => quote(&path),
            NodeTenure::Existing(place) => process(&place),
        }
    }

    /// The alias that marks links of the topology, where it is known.
    pub(crate) fn alias(&self) -> Option<String> {
        self.topology.as_ref().map(crate::resource::mark::mark)
    }
}

/// The process of a place that is found by one.
fn process(place: &NetnsRef) -> String {
    match place {
        NetnsRef::Container { runtime, name } => {
            format!("\"$({} inspect -f '{{{{.State.Pid}}}}' {name})\"", runtime.unwrap_or(Runtime::Docker).word())
        }
        NetnsRef::Pid(pid) => pid.to_string(),
        NetnsRef::Name(name) | NetnsRef::Path(name) => quote(name),
    }
}

pub(crate) fn nsenter(place: &NetnsRef) -> String {
    match place {
        NetnsRef::Name(name) => format!("nsenter --net={}", quote(&format!("/run/netns/{name}"))),
        NetnsRef::Path(path) => format!("nsenter --net={}", quote(path)),
        NetnsRef::Pid(pid) => format!("nsenter -t {pid} -n"),
        NetnsRef::Container { .. } => format!("nsenter -t {} -n", process(place)),
    }
}
