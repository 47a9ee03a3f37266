//! Kernels that are older than what topo is tested on, or lack what it marks objects with.

use crate::doctor::code::{Code, Severity};
use crate::doctor::examined::Examined;
use crate::doctor::finding::Finding;
use crate::resource::{Owner, Resource};

/// The oldest that topo is tested for, by leaving out what is newer.
const TESTED: (u32, u32) = (5, 10);
/// The first that keeps who put an address (`IFA_PROTO`).
const MARKS: (u32, u32) = (5, 18);

pub(super) fn find(examined: &Examined<'_>) -> Vec<Finding> {
    let Some(machine) = examined.machine else { return Vec::new() };
    let Some(version) = machine.version() else { return Vec::new() };
    let release = &machine.kernel;
    if version < TESTED {
        let what = format!("Linux {release} is older than {}.{}", TESTED.0, TESTED.1);
        let why = "topo is not tested on it, and lacks there what it recognises its objects by.";
        return vec![Finding::new(Code::OldKernel, Severity::Warning, what, why)];
    }
    let lent = |resource: &Resource| {
        let Resource::Address(address) = resource else { return false };
        let link = examined.wanted.items.get(&crate::resource::ResourceId::Link(address.link.clone()));
        link.is_none_or(|link| link.owner != Owner::Ours)
    };
    if version < MARKS && examined.outside().any(lent) {
        let what = format!("Linux {release} does not keep who put an address");
        let why = "Which addresses on interfaces of others are the topology's is in /run/topo alone: without that record \
                   topo leaves them there.";
        return vec![Finding::new(Code::OldKernel, Severity::Note, what, why)];
    }
    Vec::new()
}
