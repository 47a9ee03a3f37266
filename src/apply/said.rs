//! What the record knows of the file that an observation does not show: which ends of pairs it gave no name, and which
//! values of links it said itself.

use crate::resource::kinds::spec::Mtu;
use crate::resource::{Link, Record, Setting, Tenure, kinds};

/// Notes a link as it is wanted.
pub(super) fn of_link(record: &mut Record, link: &Link) {
    if let (false, Some(near)) = (link.candidates.is_empty(), &link.peer) {
        record.unnamed.push((near.clone(), link.id.clone()));
    }
    if link.tenure != Tenure::Created {
        return;
    }
    if link.mac != Setting::Left {
        record.macs.insert(link.id.clone());
    }
    let follows = kinds::spec(&link.kind).is_none_or(|spec| !matches!(spec.mtu, Mtu::Is(_)));
    if follows && link.mtu != Setting::Left {
        record.mtus.insert(link.id.clone());
    }
}
