//! Interfaces that a DHCP client looks after: what it puts there is its own.

use crate::resource::{Foreign, LinkId, Owner, Record, State};

/// Whether a client looks after IPv4 (`false`) or IPv6 (`true`) of an interface, as the file says or said.
pub fn looks_after(wanted: &State, record: &Record, link: &LinkId, six: bool) -> bool {
    // Where the file has the interface it says so or not; what the record has is for one that goes.
    if let Some(link) = wanted.link(link) {
        return if six { link.dhcp6 } else { link.dhcp4 };
    }
    // They are in the order of their names.
    let said = record.clients.binary_search_by(|(known, _)| known.cmp(link)).ok().and_then(|at| record.clients.get(at));
    said.is_some_and(|(_, families)| families.get(usize::from(six)) == Some(&true))
}

/// Whose what it puts there is.
pub fn owner() -> Owner {
    Owner::Theirs(Foreign::DhcpClient)
}
