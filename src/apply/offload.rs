//! The offload features of links before topo changed them: the record knows it, by where each is at home, for links of
//! ours and of others alike.

use crate::kernel::{Error, Kernel};
use crate::plan::change::Plan;
use crate::resource::offload::only;
use crate::resource::{Link, LinkId, Operation, Options, Record, Resource, State};
use std::collections::BTreeSet;

/// Notes what is there and about to be managed.
pub(super) fn during(record: &mut Record, plan: &Plan) {
    for link in plan.wanted.links().filter(|link| !link.offload.is_empty()) {
        if let Some(there) = plan.base.link(&link.id).or_else(|| plan.base.link(link.home())) {
            // What is known already is older.
            let mut all = only(&there.offload, &link.offload);
            all.extend(
                record.offload.iter().filter(|(home, _)| home == link.home()).flat_map(|(_, known)| known.clone()),
            );
            note(record, link.home(), all);
        }
    }
    record.offload.retain(|(_, options)| !options.is_empty());
}

/// Notes it in place of what was known.
fn note(record: &mut Record, home: &LinkId, options: Options) {
    match record.offload.iter_mut().find(|(known, _)| known == home) {
        Some((_, known)) => *known = options,
        None => record.offload.push((home.clone(), options)),
    }
}

/// Forgets links of ours that go: what is made in their place has what the kernel gives it.
fn forget(batch: &[Operation], during: &mut Record) -> bool {
    let before = during.offload.len();
    if before > 0 {
        let gone = |operation: &Operation| match operation {
            Operation::Create(Resource::Link(link)) | Operation::Delete(Resource::Link(link)) => vec![link.id.clone()],
            Operation::CreatePair(near, far) => vec![near.id.clone(), far.id.clone()],
            _ => Vec::new(),
        };
        let gone: BTreeSet<LinkId> = batch.iter().flat_map(gone).collect();
        during.offload.retain(|(home, _)| !gone.contains(home));
    }
    during.offload.len() < before
}

/// Keeps up with what is about to be done: forgets links that go, and notes what links have that were just made, before
/// it is written for the first time.
pub(super) fn before(
    kernel: &mut dyn Kernel,
    plan: &Plan,
    batch: &[Operation],
    during: &mut Record,
) -> Result<(), Error> {
    let forgot = forget(batch, during);
    let fresh = |operation: &Operation| match operation {
        Operation::Update { before: Resource::Link(before), after: Resource::Link(after) } => after
            .offload
            .keys()
            .any(|name| !before.offload.contains_key(name))
            .then(|| (after.home().clone(), after.id.clone(), after.offload.clone())),
        _ => None,
    };
    let fresh: Vec<_> = batch.iter().filter_map(fresh).collect();
    if fresh.is_empty() {
        return if forgot { kernel.remember(&plan.base.topology, during) } else { Ok(()) };
    }
    let which: Vec<LinkId> = fresh.iter().map(|(_, id, _)| id.clone()).collect();
    for ((home, _, wanted), values) in fresh.iter().zip(kernel.offloads(&which)?) {
        note(during, home, only(&values, wanted));
    }
    kernel.remember(&plan.base.topology, during)
}

/// What of it the file still manages.
pub(super) fn after(during: &Record, wanted: &State) -> Vec<(LinkId, Options)> {
    let managed = wanted.links().filter(|link| !link.offload.is_empty());
    let still = |link: &Link| {
        let (home, prior) = during.offload.iter().find(|(home, _)| home == link.home())?;
        Some((home.clone(), only(prior, &link.offload)))
    };
    managed.filter_map(still).filter(|(_, prior)| !prior.is_empty()).collect()
}
