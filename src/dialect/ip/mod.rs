//! Operations in the words of `ip`, `bridge`, `tc`, `sysctl`, `nft`: what a person would type for them.
//!
//! Used by `plan --commands`, by `-v`, and by errors, which name what was tried. The commands can be run, in order, in a shell as root. What `ip` of
//! iproute2 6.1 cannot say is left out: the mark of an address (`IFA_PROTO`). Its `tc` rounds delays to 64 ns, which topo sees and mends.

mod kinds;
mod link;
mod network;
mod qdisc;
mod system;
mod vlan;
mod wireguard;

use crate::resource::{LinkId, Name, Namespace, NetnsRef, Node, NodeTenure, Operation, Resource, State, quote};
use std::collections::BTreeMap;

/// The commands that a person would run for `operation`, a line each (a here-document has several in one text). Every node is taken to be a namespace of
/// its name, and no marks are set.
pub fn commands(operation: &Operation) -> Vec<String> {
    Words::default().commands(operation)
}

/// What the commands depend on besides the operation: the topology, for its marks, and where each node is found.
#[derive(Clone, Debug, Default)]
pub struct Words {
    topology: Option<Name>,
    nodes: BTreeMap<Node, NodeTenure>,
    /// The VLANs that bridges give to their ports.
    pvids: BTreeMap<LinkId, u16>,
}

impl Words {
    /// Words for a plan from `base` to `wanted`: with marks, and with the places of existing namespaces.
    pub fn new(wanted: &State, base: &State) -> Self {
        let mut nodes = BTreeMap::new();
        for Namespace { node, tenure, .. } in base.namespaces().chain(wanted.namespaces()) {
            nodes.insert(node.clone(), tenure.clone());
        }
        for (node, place) in &base.record.existing {
            nodes.entry(node.clone()).or_insert_with(|| NodeTenure::Existing(place.clone()));
        }
        Self { topology: Some(wanted.topology.clone()), nodes, pvids: vlan::defaults([base, wanted].into_iter()) }
    }

    /// The commands that a person would run for `operation`, see [`commands`].
    pub fn commands(&self, operation: &Operation) -> Vec<String> {
        match operation {
            Operation::Create(resource) => self.create(resource),
            Operation::CreatePair(near, far) => self.create_pair(near, far),
            Operation::Update { before, after } => self.update(before, after),
            Operation::Delete(resource) => self.delete(resource),
            Operation::Move { link, to } => vec![self.move_link(link, to)],
        }
    }

    fn create(&self, resource: &Resource) -> Vec<String> {
        match resource {
            Resource::Namespace(namespace) => self.create_namespace(namespace),
            Resource::Sysctl(sysctl) => vec![self.write_sysctl(sysctl)],
            Resource::Link(link) => self.create_link(link),
            Resource::Qdisc(qdisc) => vec![self.qdisc(None, qdisc)],
            Resource::Address(address) => vec![self.address("add", address)],
            Resource::Neighbor(neighbor) => vec![self.neighbor("add", neighbor)],
            Resource::Fdb(entry) => vec![self.fdb("append", entry)],
            Resource::Peer(peer) => vec![self.peer(None, peer)],
            Resource::Route(route) => vec![self.route("add", route)],
            Resource::Rule(rule) => vec![self.rule("add", rule)],
            Resource::Table(table) => vec![self.write_table(table)],
            Resource::Insert(insert) => self.insert_rules(insert),
            Resource::File(file) => vec![self.write_file(file)],
        }
    }

    fn update(&self, before: &Resource, after: &Resource) -> Vec<String> {
        match (before, after) {
            (Resource::Link(before), Resource::Link(after)) => self.update_link(before, after),
            (Resource::Peer(before), Resource::Peer(after)) => vec![self.peer(Some(before), after)],
            (_, Resource::Namespace(namespace)) => self.mark_namespace(namespace),
            (Resource::Qdisc(before), Resource::Qdisc(after)) => vec![self.qdisc(Some(before), after)],
            (_, Resource::Address(address)) => vec![self.address("change", address)],
            (_, Resource::Neighbor(neighbor)) => vec![self.neighbor("replace", neighbor)],
            (_, Resource::Route(route)) => vec![self.route("replace", route)],
            (Resource::Insert(before), Resource::Insert(after)) => {
                let mut lines = self.delete_rules(before);
                lines.extend(self.insert_rules(after));
                lines
            }
            (_, after) => self.create(after),
        }
    }

    fn delete(&self, resource: &Resource) -> Vec<String> {
        match resource {
            Resource::Namespace(namespace) => self.delete_namespace(namespace),
            // A setting has no "not there": what stood there before comes back as an update.
            Resource::Sysctl(_) => Vec::new(),
            Resource::Link(link) => vec![format!("{} link delete {}", self.ip(&link.id.node), link::named("dev", &link.id.name))],
            Resource::Qdisc(qdisc) => vec![self.delete_qdisc(qdisc)],
            Resource::Address(address) => vec![self.address("delete", address)],
            Resource::Neighbor(neighbor) => vec![self.neighbor("delete", neighbor)],
            Resource::Fdb(entry) => vec![self.fdb("delete", entry)],
            Resource::Peer(peer) => vec![self.remove_peer(peer)],
            Resource::Route(route) => vec![self.route("delete", route)],
            Resource::Rule(rule) => vec![self.rule("delete", rule)],
            Resource::Table(table) => vec![self.delete_table(table)],
            Resource::Insert(insert) => self.delete_rules(insert),
            Resource::File(file) => vec![self.delete_file(file)],
        }
    }

    /// Where `node` is found.
    fn tenure(&self, node: &Node) -> NodeTenure {
        let usual = || if node.is_host() { NodeTenure::Host } else { NodeTenure::Created };
        self.nodes.get(node).cloned().unwrap_or_else(usual)
    }

    /// `ip` in `node`.
    fn ip(&self, node: &Node) -> String {
        self.program("ip", node)
    }

    /// `ip`, `bridge` or `tc`, which all know `-n`, in `node`.
    fn program(&self, program: &str, node: &Node) -> String {
        match self.tenure(node) {
            NodeTenure::Host => program.to_owned(),
            NodeTenure::Created => format!("{program} -n {}", quote(node.as_str())),
            NodeTenure::Existing(NetnsRef::Name(name)) => format!("{program} -n {}", quote(&name)),
            NodeTenure::Existing(place) => format!("{} {program}", nsenter(&place)),
        }
    }

    /// What stands before any other program to run it in `node`, with a blank at its end.
    fn inside(&self, node: &Node) -> String {
        match self.tenure(node) {
            NodeTenure::Host => String::new(),
            NodeTenure::Created => format!("ip netns exec {} ", quote(node.as_str())),
            NodeTenure::Existing(NetnsRef::Name(name)) => format!("ip netns exec {} ", quote(&name)),
            NodeTenure::Existing(place) => format!("{} ", nsenter(&place)),
        }
    }

    /// `node` as `ip link … netns` takes it: a name, a path, or a process; `$$` is the shell that runs the command.
    fn netns(&self, node: &Node) -> String {
        match self.tenure(node) {
            NodeTenure::Host => "$$".to_owned(),
            NodeTenure::Created => quote(node.as_str()),
            NodeTenure::Existing(NetnsRef::Name(name)) => quote(&name),
            NodeTenure::Existing(NetnsRef::Path(path)) => quote(&path),
            NodeTenure::Existing(NetnsRef::Pid(pid)) => pid.to_string(),
        }
    }

    /// The alias that marks links of the topology, where it is known.
    fn alias(&self) -> Option<String> {
        self.topology.as_ref().map(crate::resource::mark)
    }
}

fn nsenter(place: &NetnsRef) -> String {
    match place {
        NetnsRef::Name(name) => format!("nsenter --net={}", quote(&format!("/run/netns/{name}"))),
        NetnsRef::Path(path) => format!("nsenter --net={}", quote(path)),
        NetnsRef::Pid(pid) => format!("nsenter -t {pid} -n"),
    }
}

/// `on` or `off`.
fn switch(on: bool) -> &'static str {
    if on { "on" } else { "off" }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
