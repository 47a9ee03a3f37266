//! The commands for an operation.

use super::words::Words;
use super::{link, vlan};
use crate::resource::{Namespace, NodeTenure, Operation, Resource, State};
use std::collections::BTreeMap;

/// The commands that a user would run for `operation`, a line each (a here-document has several in one text). Every
/// node is taken to be a namespace of its name, and no marks are set.
pub fn commands(operation: &Operation) -> Vec<String> {
    Words::default().commands(operation)
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

    /// The same without marks, as a textbook has it.
    pub fn plain(wanted: &State, base: &State) -> Self {
        Self { topology: None, ..Self::new(wanted, base) }
    }

    /// The commands that a user would run for `operation`, see [`commands`].
    pub fn commands(&self, operation: &Operation) -> Vec<String> {
        match operation {
            Operation::Create(resource) => self.create(resource),
            Operation::CreatePair(near, far) => self.create_pair(near, far),
            Operation::Update { before, after } => self.update(before, after),
            Operation::Delete(resource) => self.delete(resource),
            Operation::Move { link, to } => vec![self.move_link(link, to)],
        }
    }

    pub(crate) fn create(&self, resource: &Resource) -> Vec<String> {
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

    pub(crate) fn update(&self, before: &Resource, after: &Resource) -> Vec<String> {
        match (before, after) {
            (Resource::Link(before), Resource::Link(after)) => self.update_link(before, after),
            (Resource::Peer(before), Resource::Peer(after)) => vec![self.peer(Some(before), after)],
            (_, Resource::Namespace(namespace)) => self.mark_namespace(namespace),
            (Resource::Qdisc(before), Resource::Qdisc(after)) => vec![self.qdisc(Some(before), after)],
            (_, Resource::Address(address)) => vec![self.address("change", address)],
            (_, Resource::Neighbor(neighbor)) => vec![self.neighbor("replace", neighbor)],
            (_, Resource::Route(route)) => vec![self.route("replace", route)],
            (Resource::Rule(before), Resource::Rule(after)) => {
                vec![self.rule("add", after), self.rule("delete", before)]
            }
            (Resource::Table(before), Resource::Table(after)) if before.instead_of != after.instead_of => {
                self.exchange_tables(before, after)
            }
            (Resource::Insert(before), Resource::Insert(after)) => {
                let mut lines = self.delete_rules(before);
                lines.extend(self.insert_rules(after));
                lines
            }
            (_, after) => self.create(after),
        }
    }

    pub(crate) fn delete(&self, resource: &Resource) -> Vec<String> {
        match resource {
            Resource::Namespace(namespace) => self.delete_namespace(namespace),
            // A setting has no "not there": what stood there before comes back as an update.
            Resource::Sysctl(_) => Vec::new(),
            Resource::Link(link) => {
                vec![format!("{} link delete {}", self.ip(&link.id.node), link::named("dev", &link.id.name))]
            }
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
}
