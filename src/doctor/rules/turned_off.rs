//! Settings of the file that another program or user has changed.

use crate::doctor::code::{Code, Severity};
use crate::doctor::examined::Examined;
use crate::doctor::finding::Finding;
use crate::resource::{Resource, ResourceId};

pub(super) fn find(examined: &Examined<'_>) -> Vec<Finding> {
    if !examined.applied {
        return Vec::new();
    }
    let changed = examined.changes.iter().filter_map(|(id, _)| {
        let (Some(Resource::Sysctl(wanted)), Some(Resource::Sysctl(there))) =
            (examined.wanted.get(id), examined.observed.get(id))
        else {
            return None;
        };
        (wanted.value != there.value)
            .then(|| of(id, &wanted.key, &wanted.value, &there.value, &examined.wanted.topology))
    });
    changed.collect()
}

fn of(id: &ResourceId, key: &str, wanted: &str, there: &str, topology: &crate::resource::Name) -> Finding {
    let key = key.replace('/', ".");
    let what = format!("{key} of {} is {there}, and the file has {wanted}", id.node());
    let why = "Another program or user has changed it since it was applied: a file in /etc/sysctl.d that is read again, a \
               VPN, a firewall.";
    Finding::new(Code::TurnedOff, Severity::Error, what, why)
        .about(id.clone())
        .run("see what else is changed, and apply the file again", format!("topo plan {topology}"))
}
