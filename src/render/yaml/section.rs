//! A node of a state, on its way to YAML.

use crate::resource::{Node, Resource, State};

/// What a file says of a node.
pub(crate) struct Section<'a> {
    pub(crate) node: &'a Node,
    pub(crate) state: &'a State,
    pub(crate) created: bool,
    pub(crate) items: Vec<&'a Resource>,
    /// Whether the hardware addresses that are there were chosen: those that the kernel made up are left out already.
    pub(crate) chosen_macs: bool,
}
