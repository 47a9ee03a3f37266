//! Nodes of a document, and references to their interfaces.

use crate::document::schema::section::NodeSection;
use crate::document::value::InterfaceRef;
use crate::document::yaml::tree::quoted;
use crate::document::{Document, Finding, Place};
use crate::resource::{LinkId, Node, Owner};

/// Everything about a node that lowering its parts needs.
pub(crate) struct At<'d> {
    /// Which.
    pub node: Node,
    /// Where it is named.
    pub place: Place,
    /// What the file says of it.
    pub section: &'d NodeSection,
    /// Whether topo makes it: then everything in it is the topology's.
    pub created: bool,
    /// The keys that lead to it.
    pub path: String,
}

impl At<'_> {
    /// The interface `name` of it.
    pub fn link(&self, name: &crate::resource::IfName) -> LinkId {
        LinkId { node: self.node.clone(), name: name.clone() }
    }

    /// Whose settings of it are: elsewhere they were there before, and go back to what they were.
    pub fn setting_owner(&self) -> Owner {
        if self.created { Owner::Ours } else { Owner::Named }
    }
}

/// All nodes that the file describes.
pub(crate) fn nodes(document: &Document) -> impl Iterator<Item = At<'_>> {
    let host = document.host.iter().map(|section| At {
        node: Node::host(),
        place: section.place,
        section,
        created: false,
        path: "host".to_owned(),
    });
    let others = document.namespaces.iter().map(|(name, section)| {
        let path = format!("namespaces.{}", name.0);
        At { node: name.0.clone(), place: name.place, section, created: section.existing.is_none(), path }
    });
    host.chain(others)
}

/// What `reference` means when it is written in `node`.
pub(crate) fn target(node: &Node, reference: &InterfaceRef) -> LinkId {
    LinkId { node: reference.node.clone().unwrap_or_else(|| node.clone()), name: reference.name.clone() }
}

/// A node that is not there.
pub(crate) fn unknown_node(node: &Node, place: Place, names: &[&str]) -> Finding {
    let finding = Finding::error("unknown-node", place, format!("there is no node {}", quoted(node.short())));
    match crate::document::yaml::read::nearest(node.short(), names) {
        Some(right) => finding.help(format!("did you mean {right:?}?")),
        None => finding.help(format!("add it under `namespaces`: {node}:")),
    }
}
