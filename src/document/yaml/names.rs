//! What the names of nodes in a file mean on the machine.

use super::tree::{Data, Yaml};
use crate::resource::Node;
use std::collections::HashSet;

/// How many bytes a prefix has at most.
pub const LONGEST_PREFIX: usize = 32;

/// The `prefix` of a file, and which of its nodes go without because the file does not make them.
#[derive(Default)]
pub struct Names {
    prefix: String,
    existing: HashSet<String>,
}

impl Names {
    /// What a file says of them: known before its values are read.
    pub fn of(file: &Yaml<'_>) -> Self {
        let sound = |prefix: &&Yaml<'_>| matches!(prefix.data(), Data::Scalar(text, _) if text.len() <= LONGEST_PREFIX);
        let Some(prefix) = get(file, "prefix").filter(sound) else { return Self::default() };
        let nodes = get(file, "namespaces").map(pairs).unwrap_or_default();
        let existing = nodes.iter().filter(|(_, node)| get(node, "existing").is_some());
        Self { prefix: prefix.text().to_owned(), existing: existing.map(|(name, _)| name.text().to_owned()).collect() }
    }

    /// The node that the file calls `node`.
    pub fn node(&self, node: Node) -> Node {
        if self.prefix.is_empty() || node.is_host() || self.existing.contains(node.as_str()) {
            return node;
        }
        Node::new(&self.prefix, node.as_str())
    }
}

fn pairs<'y, 'a>(yaml: &'y Yaml<'a>) -> &'y [(Yaml<'a>, Yaml<'a>)] {
    if let Data::Map(pairs) = yaml.data() { pairs } else { &[] }
}

fn get<'y, 'a>(yaml: &'y Yaml<'a>, key: &str) -> Option<&'y Yaml<'a>> {
    pairs(yaml).iter().find(|(name, _)| name.text() == key).map(|(_, value)| value)
}
