//! Nodes that are the same but for their numbers, at one bridge or router, as one with a count.

use super::model::{End, Line, Node, Picture, Port, Role, Wire};
use super::shape::master;
use crate::render::order::numberless;
use std::collections::{BTreeMap, BTreeSet};

/// Pictures with more nodes than these are folded.
pub const MANY: usize = 24;

/// Nodes that can be folded into one, by their places in the picture, in order.
pub type Fold = Vec<usize>;

/// All folds of a picture: of `least` nodes or more.
pub fn folds(picture: &Picture, least: usize) -> Vec<Fold> {
    let mut alike: BTreeMap<(String, BTreeSet<String>), Fold> = BTreeMap::new();
    for (at, node) in picture.nodes.iter().enumerate() {
        if matches!(node.role, Role::Made | Role::Existing) && node.members.is_empty() && is_leaf(picture, at) {
            alike.entry((shape(node), hangs(picture, at))).or_default().push(at);
        }
    }
    let mut folds: Vec<Fold> = alike.into_values().filter(|fold| fold.len() >= least).collect();
    folds.sort();
    folds
}

/// The folds that a picture begins with: those of a large one.
pub fn first(picture: &Picture) -> Vec<Fold> {
    if picture.nodes.len() > MANY { folds(picture, 3) } else { Vec::new() }
}

/// Whether no other node would be cut off without it: its wires end at nodes with more wires than it has.
fn is_leaf(picture: &Picture, at: usize) -> bool {
    let count = |node: usize| picture.wires_of(node).count();
    let own = count(at);
    own > 0 && own <= 4 && picture.wires_of(at).all(|(_, far, _)| far.node != at && count(far.node) > own)
}

/// What a node hangs on: nodes, and bridges in them.
fn hangs(picture: &Picture, at: usize) -> BTreeSet<String> {
    let place = |(near, far, wire): (End, End, &Wire)| {
        let bar = picture.node(far).and_then(|node| master(node, far.port));
        format!("{} {} {bar:?} {:?} {:?}", near.port, far.node, wire.kind, wire.mark)
    };
    picture.wires_of(at).map(place).collect()
}

/// What is written in a node, but for numbers: words that have a digit in them.
fn shape(node: &Node) -> String {
    let mut text = format!("{} {:?} {:?}", node.name, node.role, node.mark);
    let lines =
        |lines: &[Line]| lines.iter().map(|line| format!("\n{} {:?}", line.text, line.mark)).collect::<String>();
    text.push_str(&lines(&node.facts));
    for port in &node.ports {
        text.push_str(&format!("\n{} {:?} {:?} {:?}", port.name, port.mark, port.master, port.lower));
        text.push_str(&lines(&port.lines));
        text.push_str(&lines(&port.impairment));
    }
    numberless(&text, "")
}

/// The picture with these folds made.
pub fn fold(picture: &Picture, folds: &[Fold]) -> Picture {
    let mut picture = picture.clone();
    let (mut gone, mut gone_ports) = (BTreeSet::new(), BTreeSet::new());
    for fold in folds {
        let Some((first, rest)) = fold.split_first() else { continue };
        merge_far(&mut picture, fold, &mut gone_ports);
        let nodes: Vec<Node> = fold.iter().filter_map(|at| picture.nodes.get(*at).cloned()).collect();
        if let Some(node) = picture.nodes.get_mut(*first) {
            merge(node, &nodes);
        }
        gone.extend(rest.iter().copied());
    }
    without(picture, &gone, &gone_ports)
}

/// The first and the last of what is not the same in all.
fn range(texts: &[&str]) -> String {
    match (texts.first(), texts.last()) {
        (Some(first), Some(last)) if first != last => format!("{first} … {last}"),
        (first, _) => first.copied().unwrap_or_default().to_owned(),
    }
}

fn merge(node: &mut Node, all: &[Node]) {
    node.name = range(&all.iter().map(|node| node.name.as_str()).collect::<Vec<_>>());
    node.members = all.iter().map(|node| node.name.clone()).collect();
    let facts: Vec<&[Line]> = all.iter().map(|node| node.facts.as_slice()).collect();
    ranges(&mut node.facts, &facts);
    for (nth, port) in node.ports.iter_mut().enumerate() {
        let ports: Vec<&Port> = all.iter().filter_map(|node| node.ports.get(nth)).collect();
        merge_ports(port, &ports);
    }
    node.details = all.iter().map(|node| Line { text: node.name.clone(), mark: node.mark, dim: false }).collect();
}

fn merge_ports(port: &mut Port, all: &[&Port]) {
    port.name = range(&all.iter().map(|port| port.name.as_str()).collect::<Vec<_>>());
    port.nameless = all.iter().all(|port| port.nameless);
    let lines: Vec<&[Line]> = all.iter().map(|port| port.lines.as_slice()).collect();
    ranges(&mut port.lines, &lines);
    let lines: Vec<&[Line]> = all.iter().map(|port| port.impairment.as_slice()).collect();
    ranges(&mut port.impairment, &lines);
}

fn ranges(lines: &mut [Line], all: &[&[Line]]) {
    for (nth, line) in lines.iter_mut().enumerate() {
        let texts: Vec<&str> = all.iter().filter_map(|lines| lines.get(nth)).map(|line| line.text.as_str()).collect();
        line.text = range(&texts);
    }
}

/// Makes one of the interfaces that the nodes of a fold hang on, where each has one to itself.
fn merge_far(picture: &mut Picture, fold: &[usize], gone: &mut BTreeSet<End>) {
    let ends: Vec<Vec<End>> = fold
        .iter()
        .map(|node| {
            let mut ends: Vec<(usize, usize, End)> =
                picture.wires_of(*node).map(|(near, far, _)| (near.port, far.node, far)).collect();
            ends.sort();
            ends.into_iter().map(|(.., far)| far).collect()
        })
        .collect();
    let Some(first) = ends.first().cloned() else { return };
    for (nth, kept) in first.into_iter().enumerate() {
        let far: BTreeSet<End> = ends.iter().filter_map(|ends| ends.get(nth)).copied().collect();
        let alone = |end: &End| picture.wires_of(end.node).filter(|(near, ..)| near == end).count() == 1;
        if far.len() != fold.len() || !far.iter().all(alone) {
            continue;
        }
        let ordered = ends.iter().filter_map(|ends| ends.get(nth));
        let ports: Vec<Port> = ordered.filter_map(|end| picture.port(*end).cloned()).collect();
        if let Some(port) = picture.nodes.get_mut(kept.node).and_then(|node| node.ports.get_mut(kept.port)) {
            merge_ports(port, &ports.iter().collect::<Vec<_>>());
        }
        gone.extend(far.into_iter().filter(|end| *end != kept));
    }
}

/// The picture without these nodes and interfaces, and their wires.
fn without(picture: Picture, gone: &BTreeSet<usize>, gone_ports: &BTreeSet<End>) -> Picture {
    let mut ends: BTreeMap<End, End> = BTreeMap::new();
    let mut nodes: Vec<Node> = Vec::new();
    for (node, mut it) in picture.nodes.into_iter().enumerate().filter(|(node, _)| !gone.contains(node)) {
        let mut kept: Vec<Port> = Vec::new();
        for (port, one) in it.ports.into_iter().enumerate() {
            let end = End { node, port };
            if !gone_ports.contains(&end) {
                ends.insert(end, End { node: nodes.len(), port: kept.len() });
                kept.push(one);
            }
        }
        it.ports = kept;
        nodes.push(it);
    }
    let wires = picture
        .wires
        .into_iter()
        .filter_map(|wire| Some(Wire { a: *ends.get(&wire.a)?, b: *ends.get(&wire.b)?, ..wire }));
    Picture { wires: wires.collect(), nodes, ..picture }
}
