//! Rules of the file in chains that firewalld makes anew.

use crate::doctor::code::{Code, Severity};
use crate::doctor::examined::Examined;
use crate::doctor::finding::Finding;
use crate::resource::{Insert, Resource};

pub(super) fn find(examined: &Examined<'_>) -> Vec<Finding> {
    if examined.machine.is_none_or(|machine| machine.daemon("firewalld").is_none()) {
        return Vec::new();
    }
    let inserts = examined.wanted.resources().filter_map(|resource| match resource {
        Resource::Insert(insert) if insert.chain.table == "firewalld" => Some(insert),
        _ => None,
    });
    inserts.map(|insert| of(insert, &examined.wanted.topology)).collect()
}

fn of(insert: &Insert, topology: &crate::resource::Name) -> Finding {
    let what = format!("firewalld makes the chain {} anew with each reload", insert.chain);
    let why = "The rules that the file puts there are gone then (firewall-cmd --reload, a change that is permanent, a \
               restart), until the next apply.";
    Finding::new(Code::FirewalldReload, Severity::Warning, what, why)
        .about(insert.id())
        .run("put them back after a reload", format!("topo plan {topology}"))
}
