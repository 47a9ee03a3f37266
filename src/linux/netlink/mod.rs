//! Netlink: the socket, attributes, generic netlink, the link message, the attributes of each kind.

pub(crate) mod attributes;
pub(crate) mod generic;
pub(crate) mod kinds;
pub(crate) mod link;
pub(crate) mod message;
pub(crate) mod socket;
