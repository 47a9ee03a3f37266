//! The picture of a change: what is before and after it in one, with marks.

use super::draw::picture;
use super::model::{self, End, Line, Mark, Picture, Port, Role, Wire, WireKind};
use crate::plan::change::{Action, Change, Plan};
use crate::render::order::natural;
use crate::render::plan::visible;
use crate::resource::{Node, Owner, Resource, ResourceId, State, Tenure};
use std::collections::{BTreeMap, BTreeSet};

/// The picture of a plan.
pub fn of_plan(plan: &Plan) -> Picture {
    let (before, after) = states(plan);
    let mut merged = between(&picture(&before), &picture(&after));
    merged.title = plan.base.topology.to_string();
    visible(plan).for_each(|change| touch(&mut merged, change));
    merged
}

/// What is there before a plan and after it, as far as it is the topology's or is changed.
fn states(plan: &Plan) -> (State, State) {
    let changed: BTreeSet<&ResourceId> = plan.changes.iter().map(|change| &change.id).collect();
    let mut before = State::empty(plan.base.topology.clone());
    for (id, item) in &plan.base.items {
        let theirs = matches!(item.owner, Owner::Theirs(_));
        if !theirs || changed.contains(id) || plan.wanted.items.contains_key(id) {
            before.insert(item.resource.clone(), Owner::Ours);
        }
    }
    let mut after = before.clone();
    for change in &plan.changes {
        match (&change.after, &change.before) {
            (Some(Resource::Link(link)), old) => {
                if let Tenure::From(source) = &link.tenure {
                    after.items.remove(&ResourceId::Link(source.clone()));
                }
                let mut link = link.clone();
                if let (Some(Resource::Link(old)), Action::Update | Action::Move) = (old, change.action) {
                    link.fall_back_to(old);
                    old.options.iter().for_each(|(key, value)| {
                        link.options.entry(key.clone()).or_insert_with(|| value.clone());
                    });
                    link.peer = link.peer.or_else(|| old.peer.clone());
                    link.link = link.link.or_else(|| old.link.clone());
                }
                after.insert(Resource::Link(link), Owner::Ours);
            }
            (Some(resource), _) => after.insert(resource.clone(), Owner::Ours),
            (None, _) => _ = after.items.remove(&change.id),
        }
    }
    // With a namespace all goes that is in it, which a plan need not list.
    let gone = |node: &Node| before.is_made(node) && after.namespace(node).is_none();
    let gone: BTreeSet<Node> = before.namespaces().map(|it| it.node.clone()).filter(gone).collect();
    after.items.retain(|id, _| !gone.contains(id.node()));
    (before, after)
}

/// Marks what a change is about, where that is not seen otherwise.
fn touch(picture: &mut Picture, change: &Change) {
    let Some(node) = picture.nodes.iter_mut().find(|node| node.key == change.id.node().as_str()) else { return };
    if let Some(link) = change.id.link().map(|link| link.name.as_str())
        && let Some(port) = node.ports.iter_mut().find(|port| port.name == *link)
        && port.mark == Mark::Same
    {
        port.mark = Mark::Changed;
    }
    if node.mark == Mark::Same {
        node.mark = Mark::Changed;
    }
}

/// What is in `before` and in `after`, marked.
pub fn between(before: &Picture, after: &Picture) -> Picture {
    let mut nodes: BTreeMap<&str, (Option<&model::Node>, Option<&model::Node>)> = BTreeMap::new();
    before.nodes.iter().for_each(|node| nodes.entry(&node.key).or_default().0 = Some(node));
    after.nodes.iter().for_each(|node| nodes.entry(&node.key).or_default().1 = Some(node));
    let mut nodes: Vec<model::Node> = nodes.into_values().filter_map(|(old, new)| node(old, new)).collect();
    nodes.sort_by_cached_key(|node| {
        (node.role != Role::Host, node.role == Role::Cloud, natural(&node.name), node.key.clone())
    });
    let mut merged = Picture { title: after.title.clone(), change: true, nodes, wires: Vec::new() };
    merged.wires = wires(&merged, before, after);
    for wire in merged.wires.clone().into_iter().filter(|wire| wire.mark != Mark::Same) {
        for end in [wire.a, wire.b] {
            if let Some(node) = merged.nodes.get_mut(end.node).filter(|node| node.mark == Mark::Same) {
                node.mark = Mark::Changed;
            }
        }
    }
    merged
}

fn node(old: Option<&model::Node>, new: Option<&model::Node>) -> Option<model::Node> {
    let (old, new) = match (old, new) {
        (Some(old), Some(new)) => (old, new),
        (old, new) => {
            let mark = if new.is_some() { Mark::Added } else { Mark::Removed };
            let mut node = new.or(old)?.clone();
            node.mark = mark;
            all_lines(&mut node).for_each(|line| line.mark = mark);
            node.ports.iter_mut().for_each(|port| port.mark = mark);
            return Some(node);
        }
    };
    let mut ports: BTreeMap<&str, (Option<&Port>, Option<&Port>)> = BTreeMap::new();
    old.ports.iter().for_each(|port| ports.entry(&port.name).or_default().0 = Some(port));
    new.ports.iter().for_each(|port| ports.entry(&port.name).or_default().1 = Some(port));
    let mut ports: Vec<Port> = ports.into_values().filter_map(|(old, new)| port(old, new)).collect();
    ports.sort_by_cached_key(|port| natural(&port.name));
    let mut node = model::Node {
        facts: lines(&old.facts, &new.facts),
        details: lines(&old.details, &new.details),
        ports,
        ..new.clone()
    };
    let changed = all_lines(&mut node).any(|line| line.mark != Mark::Same);
    if changed || node.ports.iter().any(|port| port.mark != Mark::Same) {
        node.mark = Mark::Changed;
    }
    Some(node)
}

fn all_lines(node: &mut model::Node) -> impl Iterator<Item = &mut Line> {
    let of_ports = node.ports.iter_mut().flat_map(|port| port.lines.iter_mut().chain(&mut port.impairment));
    node.facts.iter_mut().chain(&mut node.details).chain(of_ports)
}

fn port(old: Option<&Port>, new: Option<&Port>) -> Option<Port> {
    let (Some(was), Some(is)) = (old, new) else {
        let mark = if new.is_some() { Mark::Added } else { Mark::Removed };
        let mut port = new.or(old)?.clone();
        port.mark = mark;
        port.lines.iter_mut().chain(&mut port.impairment).for_each(|line| line.mark = mark);
        return Some(port);
    };
    let mut port = Port { lines: lines(&was.lines, &is.lines), ..is.clone() };
    port.impairment = lines(&was.impairment, &is.impairment);
    if let Some(master) = was.master.as_ref().filter(|master| is.master.as_ref() != Some(*master)) {
        port.lines.push(Line { mark: Mark::Removed, ..Line::dim(format!("port of {master}")) });
    }
    let changed = port.lines.iter().chain(&port.impairment).any(|line| line.mark != Mark::Same);
    if changed || (&was.master, &was.lower, was.kind) != (&is.master, &is.lower, is.kind) {
        port.mark = Mark::Changed;
    }
    Some(port)
}

/// The lines of both, those that go last.
fn lines(old: &[Line], new: &[Line]) -> Vec<Line> {
    let there = |lines: &[Line], line: &Line| lines.iter().any(|other| other.text == line.text);
    let marked = |line: &Line, mark| Line { mark, ..line.clone() };
    let kept = new.iter().map(|line| marked(line, if there(old, line) { Mark::Same } else { Mark::Added }));
    let gone = old.iter().filter(|line| !there(new, line)).map(|line| marked(line, Mark::Removed));
    kept.chain(gone).collect()
}

/// The wires of both. A pair whose ends are re-created is changed.
fn wires(merged: &Picture, before: &Picture, after: &Picture) -> Vec<Wire> {
    let mut places: BTreeMap<(&str, &str), End> = BTreeMap::new();
    for (node, it) in merged.nodes.iter().enumerate() {
        for (port, one) in it.ports.iter().enumerate() {
            places.insert((&it.key, &one.name), End { node, port });
        }
    }
    let mut wires: BTreeMap<(WireKind, End, End), (bool, bool)> = BTreeMap::new();
    for (picture, is_after) in [(before, false), (after, true)] {
        for wire in &picture.wires {
            let place = |end: End| {
                let (node, port) = (picture.node(end)?, picture.port(end)?);
                places.get(&(node.key.as_str(), port.name.as_str())).copied()
            };
            if let (Some(a), Some(b)) = (place(wire.a), place(wire.b)) {
                let seen = wires.entry((wire.kind, a.min(b), a.max(b))).or_default();
                (seen.0, seen.1) = (seen.0 || !is_after, seen.1 || is_after);
            }
        }
    }
    let mark = |seen| match seen {
        (true, true) => Mark::Same,
        (false, _) => Mark::Added,
        (true, false) => Mark::Removed,
    };
    wires.into_iter().map(|((kind, a, b), seen)| Wire { a, b, kind, mark: mark(seen) }).collect()
}
