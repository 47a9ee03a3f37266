//! What the record knows of WireGuard interfaces and the kernel does not say: where they were created, and the files
//! that their keys came from.

use crate::plan::change::Plan;
use crate::resource::{Link, Operation, Peer, Record, Resource, ResourceId, State, Value, kinds};
use std::collections::BTreeSet;

/// Notes an interface as it is wanted.
pub(super) fn of_link(record: &mut Record, link: &Link) {
    if !kinds::traits(&link.kind).has_keys {
        return;
    }
    record.born.push((link.id.clone(), Some(link.transport())));
    if let Some(Value::Word(path)) = link.options.get("private-key-file") {
        record.key_files.push((link.id(), path.to_string()));
    }
}

/// Notes a peer as it is wanted.
pub(super) fn of_peer(record: &mut Record, peer: &Peer) {
    if let Some(path) = &peer.preshared_file {
        record.key_files.push((peer.id(), path.clone()));
    }
    record.endpoints.extend(peer.endpoint.get().map(|endpoint| (peer.id(), *endpoint)));
}

/// Forgets the endpoints that are about to be written: of a run that is cut off nothing knows whether they were.
pub(super) fn endpoints(record: &mut Record, wanted: &Record) {
    let stays: BTreeSet<_> = wanted.endpoints.iter().collect();
    record.endpoints.retain(|written| stays.contains(written));
}

/// Notes the files of the keys that are about to be set.
pub(super) fn files(record: &mut Record, files: Vec<(ResourceId, String)>) {
    record.key_files.retain(|(id, _)| files.iter().all(|(new, _)| new != id));
    record.key_files.extend(files);
}

/// Notes what is about to happen to an interface. While one is made anew nothing knows whether it is the old one or the
/// new one that is there: the program that finds it cut off makes it once more.
pub(super) fn about_to(record: &mut Record, plan: &Plan, link: &Link) {
    let made = plan
        .steps
        .iter()
        .any(|step| matches!(&step.operation, Operation::Create(Resource::Link(made)) if made.id == link.id));
    if !made {
        return;
    }
    let there = plan.base.link(&link.id).is_some();
    record.born.retain(|(id, _)| *id != link.id);
    record.born.push((link.id.clone(), Some(link.transport()).filter(|_| !there)));
}

/// Notes where the interfaces were created that were made, and the endpoints that were written: all steps are done.
pub(super) fn made(record: &mut Record, wanted: &State) {
    record.endpoints.clear();
    for peer in
        wanted.resources().filter_map(|resource| if let Resource::Peer(peer) = resource { Some(peer) } else { None })
    {
        record.endpoints.extend(peer.endpoint.get().map(|endpoint| (peer.id(), *endpoint)));
    }
    for link in wanted.links().filter(|link| kinds::traits(&link.kind).has_keys) {
        if let Some((_, born)) = record.born.iter_mut().find(|(id, born)| *id == link.id && born.is_none()) {
            *born = Some(link.transport());
        }
    }
}
