//! Operations: what the kernel is asked to do.

use super::{Link, LinkId, Node, Resource, ResourceId};
use serde::{Deserialize, Serialize};

/// One change of one resource. What a replace is to a user is a delete and a create here.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[expect(clippy::large_enum_variant, reason = "there are as many as steps, and each is made once")]
pub enum Operation {
    /// Makes a resource.
    Create(Resource),
    /// Makes a veth pair. Both ends get all that the kernel takes at creation or right after it; the first end lives
    /// where the request is sent.
    CreatePair(Box<Link>, Box<Link>),
    /// Changes a resource from `before` to `after`. What is `Left` in `after` stays.
    Update {
        /// As observed.
        before: Resource,
        /// As wanted.
        after: Resource,
    },
    /// Removes a resource.
    Delete(Resource),
    /// Moves a foreign link to another namespace, and renames it if need be. It is down afterwards and has no
    /// addresses.
    Move {
        /// The link as it is.
        link: Box<Link>,
        /// Where it goes.
        to: LinkId,
    },
}

impl Operation {
    /// The resource that it is about: the first end of a pair; for a move, the link where it goes.
    pub fn id(&self) -> ResourceId {
        match self {
            Self::Create(resource) | Self::Delete(resource) => resource.id(),
            Self::CreatePair(link, _) => link.id(),
            Self::Update { after, .. } => after.id(),
            Self::Move { to, .. } => ResourceId::Link(to.clone()),
        }
    }

    /// The node in which it is carried out.
    pub fn node(&self) -> Node {
        match self {
            Self::Create(resource) | Self::Delete(resource) => resource.id().node().clone(),
            Self::CreatePair(link, _) => link.id.node.clone(),
            Self::Update { after, .. } => after.id().node().clone(),
            Self::Move { link, .. } => link.id.node.clone(),
        }
    }
}
