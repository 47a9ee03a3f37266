//! What a node looks like by itself: its head, then a band for each bridge, bond and VRF with their ports, and one for
//! the interfaces that are of none. Packed as tightly as it can be; where wires are to be straight it is pulled apart.

use super::measure::{LINE, large, lines, small};
use super::model::{Line, Node, Picture, Role};
use std::collections::{BTreeMap, BTreeSet};

/// Between the border of a box and what is in it.
pub const PAD: i32 = 12;
/// The height of the head without facts.
const HEAD: i32 = 32;
/// From the top of a row to the middle of its first line.
const MIDDLE: i32 = 12;
/// Below the last line of a row.
const BELOW: i32 = 8;
/// Between two bands.
const BETWEEN: i32 = 6;
/// Between a name and what stands beside it.
pub const GAP: i32 = 8;
/// What a bar takes, from one column of names to the other.
pub const BAR: i32 = 36;
/// How much further a bar stands that is a port of another.
pub const DEEPER: i32 = 14;
/// The most that is written of an interface or of what a node does; the rest is counted.
const MOST: usize = 5;

/// The side of a box.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub enum Side {
    /// Where wires from the layer before arrive.
    Left,
    /// Where wires to the layer after leave.
    Right,
}

/// An interface on a side of a box.
#[derive(Clone, PartialEq, Debug)]
pub struct Row {
    /// Which interface.
    pub port: usize,
    /// On which side.
    pub side: Side,
    /// The middle of its first line, from the top of the box.
    pub y: i32,
    /// Whether a wire ends at it.
    pub wired: bool,
    /// Whether it is written at the other side, or is the bar itself.
    pub bare: bool,
    /// How far its text is moved in, where it stands below the interface that it depends on.
    pub inset: i32,
}

/// A part of a box.
#[derive(Clone, PartialEq, Debug)]
pub struct Band {
    /// The bridge, bond or VRF whose ports are in it.
    pub bar: Option<usize>,
    /// How many others this one is a port of.
    pub depth: i32,
    /// Its top, from the top of the box.
    pub top: i32,
    /// Its end.
    pub bottom: i32,
    /// Its interfaces, from top to bottom on each side.
    pub rows: Vec<Row>,
}

/// A box.
#[derive(Clone, PartialEq, Debug)]
pub struct Shape {
    /// How wide it has to be.
    pub width: i32,
    /// How high it has to be.
    pub height: i32,
    /// How wide the texts on the left side are.
    pub left: i32,
    /// How wide the texts on the right side are.
    pub right: i32,
    /// Its bands.
    pub bands: Vec<Band>,
}

/// On which sides wires end at an interface, and in which order: by the place of what is at their other end.
pub type Sides = BTreeMap<(usize, Side), (i64, i64)>;

/// A text that is written of a node or an interface, with what is left out counted.
pub fn shortened(lines: &[Line]) -> Vec<Line> {
    if lines.len() <= MOST {
        return lines.to_vec();
    }
    // What changes is never left out before what stays.
    let mut kept: Vec<Line> = lines.iter().filter(|line| line.mark != super::model::Mark::Same).cloned().collect();
    kept.extend(lines.iter().filter(|line| line.mark == super::model::Mark::Same).cloned());
    let rest = kept.split_off(MOST - 1).len();
    kept.push(Line::dim(format!("and {rest} more")));
    kept
}

/// What is written beside the name of an interface.
pub fn texts(node: &Node, port: usize) -> Vec<Line> {
    node.ports.get(port).map(|port| shortened(&port.lines)).unwrap_or_default()
}

/// The name of an interface, with the sign of its change.
pub fn label(node: &Node, port: usize) -> String {
    node.ports
        .get(port)
        .filter(|port| !port.nameless)
        .map(|port| format!("{}{}", port.mark.sign(), port.name))
        .unwrap_or_default()
}

/// The head's lines below the name.
pub fn facts(node: &Node) -> Vec<Line> {
    let mut facts = shortened(&node.facts);
    if !node.members.is_empty() {
        facts.insert(0, Line::dim(format!("{} nodes alike", node.members.len())));
    }
    facts
}

/// The name of a node as its box has it.
pub fn title(node: &Node) -> String {
    format!("{}{}", node.mark.sign(), node.name)
}

/// The shape of a node.
pub fn of(picture: &Picture, at: usize, sides: &Sides) -> Shape {
    let empty = Shape { width: 0, height: 0, left: 0, right: 0, bands: Vec::new() };
    let Some(node) = picture.nodes.get(at) else { return empty };
    let head = if node.role == Role::Cloud { 0 } else { facts(node).len() as i32 * LINE };
    let mut shape = Shape { height: HEAD + head, ..empty };
    for (bar, depth) in bars(node, sides) {
        let rows = rows(node, bar, sides);
        if bar.is_some() || !rows.is_empty() {
            let band = band(node, bar, depth, rows, shape.height);
            shape.height = band.bottom + BETWEEN;
            shape.bands.push(band);
        }
    }
    shape.height += 4;
    let wide = |side| {
        let rows = shape.bands.iter().flat_map(|band| &band.rows).filter(|row| row.side == side);
        rows.map(|row| row_width(node, row)).max().unwrap_or(0)
    };
    (shape.left, shape.right) = (wide(Side::Left), wide(Side::Right));
    let depth = shape.bands.iter().filter(|band| band.bar.is_some()).map(|band| band.depth).max();
    let bars = depth.map_or(0, |depth| BAR + depth * DEEPER);
    let titles =
        shape.bands.iter().filter_map(|band| Some(title_width(node, band.bar?, band.depth))).max().unwrap_or(0);
    let middle = if shape.left > 0 && shape.right > 0 { bars.max(20) } else { bars };
    let body = (shape.left + shape.right + middle).max(titles);
    shape.width = body.max(large(&title(node))).max(lines(&facts(node))) + 2 * PAD;
    shape
}

/// How wide the text of a row is.
fn row_width(node: &Node, row: &Row) -> i32 {
    let (name, beside) = (small(&label(node, row.port)), lines(&row_texts(node, row)));
    if row.is_bar(node) { 0 } else { row.inset + name + if beside > 0 { GAP + beside } else { 0 } }
}

/// What is written beside the name in a row.
pub fn row_texts(node: &Node, row: &Row) -> Vec<Line> {
    if row.bare { Vec::new() } else { texts(node, row.port) }
}

impl Row {
    /// Whether it is where wires end at a bar, whose name stands above.
    pub fn is_bar(&self, node: &Node) -> bool {
        node.ports.get(self.port).is_some_and(|port| port.kind.holds())
    }
}

fn title_width(node: &Node, bar: usize, depth: i32) -> i32 {
    small(&label(node, bar)) + GAP + lines(&texts(node, bar)) + depth * DEEPER
}

/// The bands in their order: by the places of what their wires lead to; a bar that is a port of another after that one.
fn bars(node: &Node, sides: &Sides) -> Vec<(Option<usize>, i32)> {
    let place = |members: &BTreeSet<usize>| {
        let unwired = !sides.keys().any(|(port, _)| members.contains(port));
        (unwired, mean_place(sides, |port| members.contains(&port)))
    };
    let holding = |port: usize| node.ports.get(port).is_some_and(|port| port.kind.holds());
    let mut roots = Vec::new();
    for bar in (0..node.ports.len()).filter(|port| holding(*port) && master(node, *port).is_none()) {
        let (unwired, at) = place(&below(node, bar));
        roots.push((unwired, at, bar, Some(bar)));
    }
    let free = (0..node.ports.len()).filter(|port| !holding(*port) && master(node, *port).is_none()).collect();
    let (unwired, at) = place(&free);
    roots.push((unwired, at, usize::MAX, None));
    roots.sort();
    let mut bands = Vec::new();
    for (.., bar) in roots {
        match bar {
            Some(bar) => nested(node, bar, 0, &mut bands),
            None => bands.push((None, 0)),
        }
    }
    bands
}

/// Where what these interfaces lead to is, on average; of several in one place, by the first wire.
pub fn mean_place(sides: &Sides, of: impl Fn(usize) -> bool) -> (i64, i64) {
    let places: Vec<(i64, i64)> = sides.iter().filter(|((port, _), _)| of(*port)).map(|(_, place)| *place).collect();
    let count = i64::try_from(places.len()).unwrap_or(1);
    let sum: i64 = places.iter().map(|(place, _)| place).sum();
    (sum.checked_div(count).unwrap_or(0), places.iter().map(|(_, wire)| *wire).min().unwrap_or(0))
}

/// A bar and those that are its ports.
fn nested(node: &Node, bar: usize, depth: i32, bands: &mut Vec<(Option<usize>, i32)>) {
    /// Nothing is stacked higher (`HIGHEST_STACK`).
    const DEEPEST: i32 = 8;
    bands.push((Some(bar), depth));
    for (at, port) in node.ports.iter().enumerate() {
        if port.kind.holds() && master(node, at) == Some(bar) && depth < DEEPEST {
            nested(node, at, depth + 1, bands);
        }
    }
}

/// The bar that an interface is a port of.
pub fn master(node: &Node, port: usize) -> Option<usize> {
    let name = node.ports.get(port)?.master.as_ref()?;
    node.ports.iter().position(|other| other.name == *name && other.kind.holds()).filter(|bar| *bar != port)
}

/// A bar with all that are its ports, by whatever way round.
fn below(node: &Node, bar: usize) -> BTreeSet<usize> {
    let mut found = BTreeSet::from([bar]);
    for _ in 0..8 {
        let more = (0..node.ports.len()).filter(|port| master(node, *port).is_some_and(|bar| found.contains(&bar)));
        let more: Vec<usize> = more.collect();
        found.extend(more);
    }
    found
}

/// The rows of a band: those with wires in the order of what they lead to, each followed by what depends on it; then
/// the rest.
fn rows(node: &Node, bar: Option<usize>, sides: &Sides) -> Vec<Row> {
    let mut members: Vec<usize> = (0..node.ports.len())
        .filter(|port| master(node, *port) == bar && !node.ports.get(*port).is_some_and(|port| port.kind.holds()))
        .collect();
    members.extend(bar);
    let inside: BTreeSet<usize> = members.iter().copied().collect();
    let lower = |port: usize| {
        let name = node.ports.get(port)?.lower.as_ref()?;
        node.ports.iter().position(|other| other.name == *name).filter(|lower| inside.contains(lower))
    };
    let mut wired: Vec<((i64, i64), Side, usize)> = sides
        .iter()
        .filter(|((port, _), _)| inside.contains(port))
        .map(|((port, side), place)| (*place, *side, *port))
        .collect();
    wired.sort();
    let mut rows = Vec::new();
    let mut written = BTreeSet::new();
    let mut add = |port: usize, side: Side, wired: bool, inset: i32| {
        let bare = Some(port) == bar || !written.insert(port);
        rows.push(Row { port, side, y: 0, wired, bare, inset });
    };
    for (_, side, port) in &wired {
        add(*port, *side, true, 0);
        let dependent =
            members.iter().filter(|other| lower(**other) == Some(*port) && !wired.iter().any(|(.., it)| it == *other));
        dependent.for_each(|other| add(*other, *side, false, DEEPER));
    }
    for port in members {
        let with_lower = lower(port).is_some_and(|lower| wired.iter().any(|(.., it)| *it == lower));
        if Some(port) != bar && !with_lower && !wired.iter().any(|(.., it)| *it == port) {
            add(port, Side::Left, false, if lower(port).is_some() { DEEPER } else { 0 });
        }
    }
    let mut seen = BTreeSet::new();
    rows.retain(|row: &Row| row.wired || seen.insert(row.port));
    rows
}

/// Puts the rows of a band below each other, each side by itself.
fn band(node: &Node, bar: Option<usize>, depth: i32, mut rows: Vec<Row>, top: i32) -> Band {
    let title = bar.map_or(0, |bar| 6 + texts(node, bar).len().max(1) as i32 * LINE + 4);
    let (mut left, mut right) = (top + title, top + title);
    for row in &mut rows {
        let y = if row.side == Side::Left { &mut left } else { &mut right };
        row.y = *y + MIDDLE;
        let lines = row_texts(node, row).len().max(1) as i32;
        *y = row.y + (lines - 1) * LINE + BELOW;
    }
    let bottom = left.max(right) + if bar.is_some() { 6 } else { 0 };
    Band { bar, depth, top, bottom, rows }
}
