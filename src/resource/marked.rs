//! Which resources carry the topology's mark.

use super::any::Resource;

impl Resource {
    /// Whether it carries the topology's mark; `None` of what carries none of its own.
    pub fn mark(&self) -> Option<bool> {
        match self {
            Self::Namespace(namespace) => Some(namespace.marked),
            Self::Link(link) => Some(link.marked),
            Self::Address(address) => Some(address.marked),
            Self::Neighbor(neighbor) => Some(neighbor.marked),
            Self::Route(route) => Some(route.marked),
            Self::Rule(rule) => Some(rule.marked).filter(|_| !rule.kernel),
            Self::Table(table) => Some(table.instead_of.is_empty()),
            Self::File(file) => Some(file.is_marked()),
            Self::Sysctl(_) | Self::Qdisc(_) | Self::Fdb(_) | Self::Peer(_) | Self::Insert(_) => None,
        }
    }

    /// Gives it the mark, without which it was seen.
    pub(crate) fn set_mark(&mut self) {
        match self {
            Self::Namespace(namespace) => namespace.marked = true,
            Self::Link(link) => link.marked = true,
            Self::Address(address) => address.marked = true,
            Self::Neighbor(neighbor) => neighbor.marked = true,
            Self::Route(route) => route.marked = true,
            Self::Rule(rule) => rule.marked = !rule.kernel,
            Self::Table(_)
            | Self::File(_)
            | Self::Sysctl(_)
            | Self::Qdisc(_)
            | Self::Fdb(_)
            | Self::Peer(_)
            | Self::Insert(_) => {}
        }
    }
}
