//! Remarks, gathered on the way.

use crate::resource::Node;

/// Remarks in the order in which they came up; each once.
#[derive(Default)]
pub(super) struct Remarks(pub Vec<(Node, String)>);

impl Remarks {
    /// Says something of a node.
    pub fn add(&mut self, node: &Node, text: impl Into<String>) {
        let remark = (node.clone(), text.into());
        if !self.0.contains(&remark) {
            self.0.push(remark);
        }
    }
}
