//! What a resource needs.

use super::Node;
use super::id::{Class, ResourceId};

/// Something that a resource needs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Need {
    /// What.
    pub what: Needed,
    /// Whether it dies with it; otherwise what is needed only has to be there first.
    pub inside: bool,
}

/// What is needed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Needed {
    /// One resource.
    One(ResourceId),
    /// All resources of that class in that node.
    All(Node, Class),
}

impl Need {
    /// It lives in `id` and dies with it.
    pub fn inside(id: ResourceId) -> Self {
        Self { what: Needed::One(id), inside: true }
    }

    /// `id` must be there first.
    pub fn uses(id: ResourceId) -> Self {
        Self { what: Needed::One(id), inside: false }
    }

    /// All of `class` in `node` must be there first.
    pub fn class(node: Node, class: Class) -> Self {
        Self { what: Needed::All(node, class), inside: false }
    }
}
