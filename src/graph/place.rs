//! Where everything stands. The highest column is packed; each next to it is put beside what it is joined to, so that
//! most wires are straight, and a box is pulled apart where its interfaces have to be.

use super::measure;
use super::model::Picture;
use super::order::{Columns, Item};
use super::settle::{median, settle};
use super::shape::{self, Band, Row, Shape, Side};
use std::collections::BTreeMap;

/// Between two boxes of a column.
const BETWEEN: i32 = 22;
/// What a wire that passes takes of a column.
const PASS: i32 = 16;
/// The least gap between two columns.
const GAP: i32 = 56;
/// The most that a gap grows for the sake of lines that are not steep.
const WIDEST: i32 = 150;
/// What an impairment takes of a line, besides its text.
pub const PLATE: i32 = 16;

/// A box at its place.
#[derive(Clone, PartialEq, Debug)]
pub struct Block {
    /// The node.
    pub node: usize,
    /// Its left border.
    pub x: i32,
    /// Its upper border.
    pub y: i32,
    /// Its width.
    pub width: i32,
    /// Its height.
    pub height: i32,
    /// What is in it, with places from the top of the picture.
    pub shape: Shape,
}

/// A line, from its first end to its second: where it bends, and how far it is straight there.
#[derive(Clone, PartialEq, Debug)]
pub struct Line {
    /// The wire.
    pub wire: usize,
    /// Its pieces.
    pub pieces: Vec<Piece>,
}

/// A piece of a line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Piece {
    /// From a place to another one to its right.
    Hop {
        /// Where it starts.
        from: (i32, i32),
        /// Where it ends.
        to: (i32, i32),
        /// How far it is straight after its start.
        first: i32,
        /// How far it is straight before its end.
        last: i32,
    },
    /// From a place to another one above or below it, along a side.
    Arc {
        /// Where it starts.
        from: (i32, i32),
        /// Where it ends.
        to: (i32, i32),
        /// How far it goes to the side; to the left where that is negative.
        out: i32,
    },
    /// Through a column.
    Through {
        /// Where it comes in.
        from: (i32, i32),
        /// Where it leaves.
        to: (i32, i32),
    },
}

/// A part of the picture at its place.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Placed {
    /// The boxes.
    pub blocks: Vec<Block>,
    /// The lines.
    pub lines: Vec<Line>,
    /// The width of all.
    pub width: i32,
    /// The height of all.
    pub height: i32,
}

/// So many columns are tried as the one that is packed, the highest first.
const TRIES: usize = 6;

type Spot = (Item, usize, Side);

#[derive(Clone)]
struct Work<'a> {
    picture: &'a Picture,
    columns: &'a Columns,
    shapes: BTreeMap<usize, Shape>,
    /// The tops of the boxes, and of what passes the middles.
    tops: BTreeMap<Item, i32>,
}

/// Places the columns.
pub fn place(picture: &Picture, columns: &Columns) -> Placed {
    let sides = columns.sides(picture);
    let none = shape::Sides::new();
    let nodes = columns.columns.iter().flatten().filter_map(|item| match item {
        Item::Node(node) => Some(*node),
        Item::Pass(..) => None,
    });
    let shapes = nodes.map(|node| (node, shape::of(picture, node, sides.get(&node).unwrap_or(&none)))).collect();
    let work = Work { picture, columns, shapes, tops: BTreeMap::new() };
    let mut starts: Vec<usize> = (0..columns.columns.len()).collect();
    let height = |column: &usize| columns.columns.get(*column).map_or(0, |items| work.height(items));
    starts.sort_by_key(|column| std::cmp::Reverse(height(column)));
    starts.truncate(TRIES);
    let tries = starts.into_iter().flat_map(|start| work.clone().from(start));
    tries.min_by_key(Work::price).unwrap_or(work).finish()
}

impl Work<'_> {
    /// Packs a column and puts the others beside it, one after the other; then back from the outer ones, and out again.
    fn from(mut self, start: usize) -> [Self; 3] {
        let count = self.columns.columns.len();
        self.pack(start);
        let out = |work: &mut Self| {
            (start + 1..count).for_each(|column| work.align(column, Side::Left));
            (0..start).rev().for_each(|column| work.align(column, Side::Right));
        };
        out(&mut self);
        let once = self.clone();
        (1..=start).for_each(|column| self.align(column, Side::Left));
        (start..count.saturating_sub(1)).rev().for_each(|column| self.align(column, Side::Right));
        let back = self.clone();
        out(&mut self);
        [once, back, self]
    }

    /// What is bad about the places: height, and lines that are not straight.
    fn price(&self) -> i32 {
        let bends = self.columns.hops.iter().filter_map(|hop| {
            let from = self.y((hop.left.0, hop.left.1, Side::Right))?;
            Some((self.y((hop.right.0, hop.right.1, Side::Left))? - from).abs())
        });
        let bends: i32 = bends.sum();
        let (top, bottom) =
            (self.tops.values().min(), self.tops.iter().map(|(item, y)| y + self.item_height(*item)).max());
        2 * bends + (bottom.unwrap_or(0) - top.copied().unwrap_or(0))
    }

    fn item_height(&self, item: Item) -> i32 {
        match item {
            Item::Node(node) => self.shapes.get(&node).map_or(0, |shape| shape.height),
            Item::Pass(..) => PASS,
        }
    }

    fn height(&self, items: &[Item]) -> i32 {
        items.iter().map(|item| self.item_height(*item) + BETWEEN).sum()
    }

    fn pack(&mut self, column: usize) {
        let mut y = 0;
        for item in self.columns.columns.get(column).into_iter().flatten() {
            self.tops.insert(*item, y + if matches!(item, Item::Pass(..)) { PASS / 2 } else { 0 });
            y += self.item_height(*item) + BETWEEN;
        }
    }

    /// The height of a spot in the picture.
    fn y(&self, (item, port, side): Spot) -> Option<i32> {
        let top = self.tops.get(&item).copied()?;
        let Item::Node(node) = item else { return Some(top) };
        let rows = self.shapes.get(&node)?.bands.iter().flat_map(|band| &band.rows);
        let row = rows.filter(|row| row.wired).find(|row| (row.port, row.side) == (port, side))?;
        Some(top + row.y)
    }

    /// Puts a column beside the one on its side `side`, which has its place.
    fn align(&mut self, column: usize, side: Side) {
        let Some(items) = self.columns.columns.get(column) else { return };
        let wishes = self.wishes(column, side);
        let (mut wanted, mut distances, mut owners) = (Vec::new(), Vec::new(), Vec::new());
        let mut below = None;
        for item in items {
            let rows = self.rows(*item, side);
            let height = self.item_height(*item);
            let mut before = None;
            for (port, y) in rows {
                if let Some(distance) = before.map(|before| y - before).or(below.map(|below| below + BETWEEN + y)) {
                    distances.push(distance);
                }
                before = Some(y);
                wanted.push(port.and_then(|port| wishes.get(&(*item, port)).copied()));
                owners.push((*item, y));
            }
            below = Some(height - before.unwrap_or(0));
        }
        let settled = settle(&wanted, &distances);
        let mut pulls: BTreeMap<Item, Vec<(i32, i32)>> = BTreeMap::new();
        for ((item, y), at) in owners.into_iter().zip(settled) {
            pulls.entry(item).or_default().push((y, at - y));
        }
        for (item, pulls) in pulls {
            let first = pulls.first().map_or(0, |(_, shift)| *shift);
            let centre = if matches!(item, Item::Pass(..)) { PASS / 2 } else { 0 };
            self.tops.insert(item, first + centre);
            if let Item::Node(node) = item
                && let Some(shape) = self.shapes.get_mut(&node)
            {
                let pulls: Vec<(i32, i32)> = pulls.iter().map(|(y, shift)| (*y, shift - first)).collect();
                pull(shape, side, &pulls);
            }
        }
    }

    /// Where the spots of a column would like to be: as high as what they are joined to, the median of it.
    fn wishes(&self, column: usize, side: Side) -> BTreeMap<(Item, usize), i32> {
        let mut all: BTreeMap<(Item, usize), Vec<i32>> = BTreeMap::new();
        for hop in &self.columns.hops {
            let (near, far, far_side, at) = match side {
                Side::Left => (hop.right, hop.left, Side::Right, hop.column + 1),
                Side::Right => (hop.left, hop.right, Side::Left, hop.column),
            };
            if at == column {
                all.entry(near).or_default().extend(self.y((far.0, far.1, far_side)));
            }
        }
        all.into_iter().filter_map(|(spot, mut ys)| Some((spot, median(&mut ys)?))).collect()
    }

    /// The rows of an item on a side at which wires end; its upper border where it has none.
    fn rows(&self, item: Item, side: Side) -> Vec<(Option<usize>, i32)> {
        let Item::Node(node) = item else { return vec![(Some(0), PASS / 2)] };
        let rows = self.shapes.get(&node).into_iter().flat_map(|shape| &shape.bands).flat_map(|band| &band.rows);
        let wired = rows.filter(|row| row.wired && row.side == side).map(|row| (Some(row.port), row.y));
        let rows: Vec<(Option<usize>, i32)> = wired.collect();
        if rows.is_empty() { vec![(None, 0)] } else { rows }
    }

    /// Gives the columns their places from left to right, and the lines theirs.
    fn finish(self) -> Placed {
        let top =
            self.tops.iter().map(|(item, y)| if matches!(item, Item::Pass(..)) { y - PASS / 2 } else { *y }).min();
        let top = top.unwrap_or(0);
        let mut placed = Placed::default();
        let mut lefts: Vec<(i32, i32)> = Vec::new();
        let mut x = self.arcs_width(0, Side::Left);
        for (column, items) in self.columns.columns.iter().enumerate() {
            let width = items.iter().map(|item| self.width(*item)).max().unwrap_or(0);
            lefts.push((x, x + width));
            for item in items {
                placed.blocks.extend(self.block(*item, (x, width), top));
            }
            x += width;
            if column + 1 < self.columns.columns.len() {
                x += self.gap(column);
            }
        }
        let last = self.columns.columns.len().saturating_sub(1);
        placed.width = x + self.arcs_width(last, Side::Right);
        let bottoms = placed.blocks.iter().map(|block| block.y + block.height);
        let passes = self.tops.iter().filter(|(item, _)| matches!(item, Item::Pass(..))).map(|(_, y)| y - top + PASS);
        placed.height = bottoms.chain(passes).max().unwrap_or(0);
        placed.lines = self.lines(&lefts, top);
        placed
    }

    fn width(&self, item: Item) -> i32 {
        match item {
            Item::Node(node) => self.shapes.get(&node).map_or(0, |shape| shape.width),
            Item::Pass(..) => 0,
        }
    }

    fn block(&self, item: Item, (x, width): (i32, i32), top: i32) -> Option<Block> {
        let Item::Node(node) = item else { return None };
        let mut shape = self.shapes.get(&node)?.clone();
        let y = self.tops.get(&item).copied()? - top;
        for band in &mut shape.bands {
            (band.top, band.bottom) = (band.top + y, band.bottom + y);
            band.rows.iter_mut().for_each(|row| row.y += y);
        }
        Some(Block { node, x, y, width, height: shape.height, shape })
    }

    /// How wide the texts on the lines are, right of a column or left of it.
    fn plates(&self, column: usize, side: Side) -> i32 {
        let items = self.columns.columns.get(column).into_iter().flatten();
        items.map(|item| self.plate(*item, side)).max().unwrap_or(0)
    }

    fn plate(&self, item: Item, side: Side) -> i32 {
        let Item::Node(at) = item else { return 0 };
        let (Some(shape), Some(node)) = (self.shapes.get(&at), self.picture.nodes.get(at)) else { return 0 };
        let rows = shape.bands.iter().flat_map(|band| &band.rows).filter(|row| row.wired && row.side == side);
        let texts = rows.filter_map(|row| node.ports.get(row.port)).map(|port| measure::lines(&port.impairment));
        texts.filter(|width| *width > 0).map(|width| width + PLATE).max().unwrap_or(0)
    }

    /// The gap right of a column: for what is written on the lines, and for them not to be steep.
    fn gap(&self, column: usize) -> i32 {
        let steep = self.columns.hops.iter().filter(|hop| hop.column == column).filter_map(|hop| {
            let from = self.y((hop.left.0, hop.left.1, Side::Right))?;
            Some((self.y((hop.right.0, hop.right.1, Side::Left))? - from).abs() / 4)
        });
        let steep = steep.max().unwrap_or(0).min(WIDEST);
        let arcs = self.arcs_width(column, Side::Right) + self.arcs_width(column + 1, Side::Left);
        self.plates(column, Side::Right) + self.plates(column + 1, Side::Left) + (GAP + steep).max(arcs + 20)
    }

    /// How far the lines between nodes of one column reach.
    fn arcs_width(&self, column: usize, side: Side) -> i32 {
        let inside = self.columns.columns.get(column);
        let arcs = self.columns.arcs.iter().filter(|(_, at)| *at == side);
        let reach = arcs.filter_map(|(wire, side)| {
            let wire = self.picture.wires.get(*wire)?;
            inside?.contains(&Item::Node(wire.a.node)).then_some(())?;
            let from = self.y((Item::Node(wire.a.node), wire.a.port, *side))?;
            Some(out(self.y((Item::Node(wire.b.node), wire.b.port, *side))? - from))
        });
        reach.max().unwrap_or(0)
    }

    fn lines(&self, lefts: &[(i32, i32)], top: i32) -> Vec<Line> {
        let mut lines: BTreeMap<usize, Vec<Piece>> = BTreeMap::new();
        for hop in &self.columns.hops {
            let (Some((left, start)), Some((end, right))) = (lefts.get(hop.column), lefts.get(hop.column + 1)) else {
                continue;
            };
            let ys = (self.y((hop.left.0, hop.left.1, Side::Right)), self.y((hop.right.0, hop.right.1, Side::Left)));
            let (Some(from), Some(to)) = ys else { continue };
            let (from, to) = (from - top, to - top);
            let pieces = lines.entry(hop.wire).or_default();
            if matches!(hop.left.0, Item::Pass(..)) {
                pieces.push(Piece::Through { from: (*left, from), to: (*start, from) });
            }
            let (first, last) = (self.plates(hop.column, Side::Right), self.plates(hop.column + 1, Side::Left));
            pieces.push(Piece::Hop { from: (*start, from), to: (*end, to), first, last });
            let _ = right;
        }
        for (at, side) in &self.columns.arcs {
            let Some(wire) = self.picture.wires.get(*at) else { continue };
            let column = self.columns.columns.iter().position(|items| items.contains(&Item::Node(wire.a.node)));
            let Some((left, right)) = column.and_then(|column| lefts.get(column)) else { continue };
            let (x, sign) = if *side == Side::Left { (*left, -1) } else { (*right, 1) };
            let y = |end: super::model::End| self.y((Item::Node(end.node), end.port, *side)).map(|y| y - top);
            let (Some(from), Some(to)) = (y(wire.a), y(wire.b)) else { continue };
            let arc = Piece::Arc { from: (x, from), to: (x, to), out: sign * out(to - from) };
            lines.entry(*at).or_default().push(arc);
        }
        lines.into_iter().map(|(wire, pieces)| Line { wire, pieces }).collect()
    }
}

/// How far a line to another node of the column goes to the side.
fn out(height: i32) -> i32 {
    (24 + height.abs() / 6).min(110)
}

/// Pulls a box apart: its rows on `side` by so much from a height on. What is between moves with what is above it, and
/// rows of the other side are spread over what their band has gained.
fn pull(shape: &mut Shape, side: Side, pulls: &[(i32, i32)]) {
    let shift =
        |y: i32| pulls.iter().rev().find(|(from, _)| *from <= y).or(pulls.first()).map_or(0, |(_, shift)| *shift);
    for Band { top, bottom, rows, .. } in &mut shape.bands {
        let inside: Vec<i32> =
            pulls.iter().filter(|(y, _)| (*top..*bottom).contains(y)).map(|(_, shift)| *shift).collect();
        let (first, last) = match (inside.first(), inside.last()) {
            (Some(first), Some(last)) => (*first, *last),
            _ => (shift(*top), shift(*top)),
        };
        let others = rows.iter().filter(|row| row.side != side).count() as i32;
        let mut nth = 0;
        for Row { side: of, y, .. } in rows.iter_mut() {
            if *of == side {
                *y += shift(*y).max(first);
            } else {
                nth += 1;
                *y += first + (last - first) * nth / (others + 1);
            }
        }
        *top += first;
        *bottom += last;
    }
    shape.height += pulls.last().map_or(0, |(_, shift)| *shift);
}
