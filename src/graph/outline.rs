//! What formats without places say: the parts of a picture with names of our own, and the texts of each.

use super::model::{End, Line, Mark, Node, Picture, Port, PortKind, WireKind};
use super::shape::{facts, label, master, title};

/// A part that lines end at: a node, or a bridge or bond in one.
#[derive(Debug)]
pub struct Part {
    /// Its name in the output.
    pub id: String,
    /// What is written in it.
    pub lines: Vec<String>,
    /// What a change does to it.
    pub mark: Mark,
}

/// A node with its bridges and bonds.
#[derive(Debug)]
pub struct Box {
    /// Its name in the output.
    pub id: String,
    /// What it is called.
    pub title: String,
    /// What it is called, what it does, and its interfaces that are not of one of `bars`.
    pub body: Part,
    /// Its bridges and bonds.
    pub bars: Vec<Part>,
    /// What a change does to it.
    pub mark: Mark,
}

/// A line.
#[derive(Debug)]
pub struct Edge {
    /// The part that it starts at.
    pub from: String,
    /// The part that it ends at.
    pub to: String,
    /// The interface at its start, and what it does to what leaves there.
    pub tail: String,
    /// The interface at its end.
    pub head: String,
    /// What it is.
    pub kind: WireKind,
    /// What a change does to it.
    pub mark: Mark,
}

/// The nodes.
pub fn boxes(picture: &Picture) -> Vec<Box> {
    picture.nodes.iter().enumerate().map(|(at, node)| one(at, node)).collect()
}

fn one(at: usize, node: &Node) -> Box {
    let mut body: Vec<String> = facts(node).iter().map(Line::signed).collect();
    let mut bars = Vec::new();
    for (nth, port) in node.ports.iter().enumerate() {
        if is_bar(port) {
            let lines = described(node, nth);
            bars.push(Part { id: format!("n{at}b{nth}"), lines, mark: port.mark });
        } else if bar(node, nth).is_none() {
            body.extend(Some(described(node, nth).join(" ")).filter(|text| !text.is_empty()));
        }
    }
    let body = Part { id: format!("n{at}"), lines: body, mark: node.mark };
    Box { id: format!("g{at}"), title: title(node), body, bars, mark: node.mark }
}

fn is_bar(port: &Port) -> bool {
    matches!(port.kind, PortKind::Bridge | PortKind::Bond)
}

/// The bridge or bond that an interface is a port of.
fn bar(node: &Node, port: usize) -> Option<usize> {
    master(node, port).filter(|bar| node.ports.get(*bar).is_some_and(is_bar))
}

/// An interface: its name, its kind, its addresses.
fn described(node: &Node, port: usize) -> Vec<String> {
    let lines = node.ports.get(port).map(|port| port.lines.iter().map(Line::signed)).into_iter().flatten();
    Some(label(node, port)).filter(|name| !name.is_empty()).into_iter().chain(lines).collect()
}

/// The lines.
pub fn edges(picture: &Picture) -> Vec<Edge> {
    let edge = |wire: &super::model::Wire| Edge {
        from: part(picture, wire.a),
        to: part(picture, wire.b),
        tail: end(picture, wire.a),
        head: end(picture, wire.b),
        kind: wire.kind,
        mark: wire.mark,
    };
    let nested = picture.nodes.iter().enumerate().flat_map(|(at, node)| {
        let bars = (0..node.ports.len()).filter(|port| node.ports.get(*port).is_some_and(is_bar));
        bars.filter_map(move |port| Some((at, port, bar(node, port)?)))
    });
    let inside = nested.map(|(at, port, bar)| Edge {
        from: format!("n{at}b{bar}"),
        to: format!("n{at}b{port}"),
        tail: String::new(),
        head: String::new(),
        kind: WireKind::Pair,
        mark: Mark::Same,
    });
    picture.wires.iter().map(edge).chain(inside).collect()
}

fn part(picture: &Picture, end: End) -> String {
    let own = |port: usize| picture.node(end).and_then(|node| node.ports.get(port)).is_some_and(is_bar);
    let bar = picture.node(end).and_then(|node| bar(node, end.port)).or(own(end.port).then_some(end.port));
    bar.map_or_else(|| format!("n{}", end.node), |bar| format!("n{}b{bar}", end.node))
}

fn end(picture: &Picture, end: End) -> String {
    let Some((node, port)) = picture.node(end).zip(picture.port(end)) else { return String::new() };
    let name = if is_bar(port) { String::new() } else { label(node, end.port) };
    let more = port.impairment.iter().map(Line::signed);
    Some(name).filter(|name| !name.is_empty()).into_iter().chain(more).collect::<Vec<_>>().join(" ")
}
