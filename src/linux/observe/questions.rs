//! Which namespaces are looked at, and what is asked of each.

use crate::kernel::Error;
use crate::linux::netns;
use crate::linux::netns::places::Places;
use crate::linux::snapshot::contents::{Extent, Question};
use crate::resource::{
    Fdb, FdbTarget, LinkId, NetnsRef, Node, Options, Record, Resource, ResourceId, State, Sysctl, Tenure,
};
use std::collections::{BTreeMap, BTreeSet};

/// Which namespaces to look at, and what is asked of each.
pub(super) fn questions<'a>(
    wanted: &'a State,
    record: &'a Record,
    places: &Places,
) -> Result<BTreeMap<Node, Question<'a>>, Error> {
    let names = netns::names()?;
    let mut questions: BTreeMap<Node, Question<'a>> = BTreeMap::new();
    let host = Node::host();
    // A record that is there says whether there are any.
    let by_comment = record.is_empty() || record.owned.iter().any(|id| matches!(id, ResourceId::Insert(..)));
    questions.insert(host, Question { named: true, search: true, by_comment, ..Question::default() });
    let spares = wanted.items.is_empty() && places.held.as_ref().is_some_and(|held| held.spares(names.len()));
    let listed: BTreeSet<&str> = names.iter().map(String::as_str).collect();
    for name in &names {
        let node = called(Node::from(name.as_str()), wanted, record);
        if netns::is_leftover(name) || netns::is_link(name) || node.is_host() || places.existing.contains_key(&node) {
            continue;
        }
        let named = record.namespaces.contains_key(&node) || wanted.namespace(&node).is_some();
        // Forwarding is always managed in a namespace of ours: one that goes and is put back has it as it was.
        let extent = extent(wanted, &node, spares);
        questions.insert(node, Question { named, settings: Sysctl::FORWARDING.into(), extent, ..Question::default() });
    }
    for (node, place) in &places.existing {
        let there = !matches!(place, NetnsRef::Name(name) if !listed.contains(name.as_str()));
        if there {
            questions.insert(node.clone(), Question { named: true, search: true, by_comment, ..Question::default() });
        }
    }
    for resource in wanted.resources().chain(&record.prior) {
        ask_about(&mut questions, resource);
    }
    ask_about_owned(&mut questions, record);
    for (link, offload) in offloads(wanted, record) {
        let asked = questions.get_mut(&link.node).map(|question| question.offload.entry(&link.name).or_default());
        asked.into_iter().for_each(|names| names.extend(offload.keys().map(|name| &**name)));
    }
    let adopts = wanted.adopts.as_ref().or(record.adopts.as_ref());
    for (node, tables) in adopts.into_iter().flat_map(|adopts| &adopts.tables) {
        questions.entry(node.clone()).and_modify(|question| question.instead_of = tables);
    }
    for (node, table) in &record.tables {
        questions.entry(node.clone()).and_modify(|question| question.recorded = Some(table));
    }
    Ok(questions)
}

/// Asks for what a resource of the file, or one that was there before, needs to be known.
fn ask_about<'a>(questions: &mut BTreeMap<Node, Question<'a>>, resource: &'a Resource) {
    match resource {
        Resource::Sysctl(Sysctl { node, key, .. }) => {
            _ = questions.get_mut(node).map(|question| question.settings.insert(key))
        }
        Resource::Link(link) => {
            if let Tenure::From(source) = &link.tenure {
                questions.entry(source.node.clone()).and_modify(|question| _ = question.moving.insert(&source.name));
            }
            // The other ends of the host's pairs find the host, which everybody asks for first.
            let peer = link.peer.iter().filter(|_| !link.id.node.is_host());
            let others = peer.chain(&link.link).filter(|other| other.node != link.id.node && !other.node.is_host());
            questions.entry(link.id.node.clone()).and_modify(|question| {
                question.links.insert(&link.id.name, &link.kind);
                question.near.extend(others.map(|other| &other.node));
                question.vlans |= link.vlans.get().is_some();
            });
        }
        Resource::Qdisc(qdisc) => _ = questions.get_mut(&qdisc.link.node).map(|question| question.qdiscs = true),
        Resource::Fdb(Fdb { link, to: FdbTarget::Port(_), .. }) => {
            _ = questions.get_mut(&link.node).map(|question| question.stations = true)
        }
        Resource::Insert(insert) => {
            _ = questions.get_mut(&insert.node).map(|question| question.inserts.insert(&insert.chain, Some(insert)))
        }
        Resource::Table(table) => _ = questions.get_mut(&table.node).map(|question| question.table = Some(table)),
        _ => {}
    }
}

/// Asks for what the topology has, as its record says.
fn ask_about_owned<'a>(questions: &mut BTreeMap<Node, Question<'a>>, record: &'a Record) {
    for id in &record.owned {
        match id {
            ResourceId::Insert(node, chain) => {
                _ = questions.get_mut(node).map(|question| question.inserts.entry(chain).or_insert(None))
            }
            ResourceId::Fdb(link, _, FdbTarget::Port(_)) => {
                _ = questions.get_mut(&link.node).map(|question| question.stations = true)
            }
            ResourceId::Qdisc(link) => _ = questions.get_mut(&link.node).map(|question| question.qdiscs = true),
            _ => {}
        }
    }
}

/// A node as the file or the record has it: with its prefix.
fn called(node: Node, wanted: &State, record: &Record) -> Node {
    let wanted = wanted.namespace(&node).map(|namespace| &namespace.node);
    let known = wanted.or_else(|| record.namespaces.get_key_value(&node).map(|(known, _)| known));
    known.cloned().unwrap_or(node)
}

/// How much of a namespace of ours is read: of one that went as a whole, and comes back so, no more than the links.
fn extent(wanted: &State, node: &Node, spares: bool) -> Extent {
    match wanted.namespace(node) {
        Some(namespace) if namespace.whole => Extent::Links,
        _ if spares => Extent::Spared,
        _ => Extent::All,
    }
}

/// The links of which it matters their offload features, wherever they may be.
fn offloads<'a>(wanted: &'a State, record: &'a Record) -> impl Iterator<Item = (&'a LinkId, &'a Options)> {
    let wanted = wanted.links().filter(|link| !link.offload.is_empty());
    let wanted = wanted.flat_map(|link| [(&link.id, &link.offload), (link.home(), &link.offload)]);
    let moved = record.moved.iter().flat_map(|(now, source)| {
        record.offload.iter().filter(move |(home, _)| home == source).map(move |(_, offload)| (now, offload))
    });
    wanted.chain(record.offload.iter().map(|(home, offload)| (home, offload))).chain(moved)
}
