//! The order of the nodes in their columns: such that few lines cross.

use super::layers::Layers;
use super::model::{End, Picture, PortKind, Wire};
use super::shape::{Side, Sides, master, mean_place};
use std::collections::{BTreeMap, BTreeSet};

/// What stands in a column.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub enum Item {
    /// A node.
    Node(usize),
    /// A wire that only passes, and the column.
    Pass(usize, usize),
}

/// A piece of a wire, from a column to the next.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Hop {
    /// The wire.
    pub wire: usize,
    /// The column that it starts in.
    pub column: usize,
    /// Where it starts: what, and which interface of it.
    pub left: (Item, usize),
    /// Where it ends.
    pub right: (Item, usize),
}

/// Nodes in columns, from top to bottom.
#[derive(Clone, PartialEq, Debug)]
pub struct Columns {
    /// What is in each.
    pub columns: Vec<Vec<Item>>,
    /// The pieces of the wires between them.
    pub hops: Vec<Hop>,
    /// The column in the middle.
    pub middle: usize,
    /// Wires between two nodes of one column, and the side that they go along.
    pub arcs: Vec<(usize, Side)>,
    /// How many lines cross.
    pub crossings: usize,
}

type Places = BTreeMap<Item, i64>;

/// The place of a node in its column, and of an interface on its side.
type Rank = (i64, i64);

impl Columns {
    /// The columns of these layers in a good order.
    pub fn new(picture: &Picture, layers: &Layers) -> Self {
        let least = layers.values().copied().min().unwrap_or(0);
        let column = |layer: i32| usize::try_from(layer - least).unwrap_or(0);
        let count = layers.values().copied().max().map_or(0, |most| column(most) + 1);
        let mut columns = vec![Vec::new(); count];
        for (node, layer) in layers {
            if let Some(items) = columns.get_mut(column(*layer)) {
                items.push(Item::Node(*node));
            }
        }
        let mut all = Self { columns, hops: Vec::new(), middle: column(0), arcs: Vec::new(), crossings: 0 };
        for (at, wire) in picture.wires.iter().enumerate() {
            let (Some(a), Some(b)) = (layers.get(&wire.a.node), layers.get(&wire.b.node)) else { continue };
            let (left, right) = if a <= b { (wire.a, wire.b) } else { (wire.b, wire.a) };
            if a == b {
                let side = if *a < 0 { Side::Left } else { Side::Right };
                all.arcs.extend((wire.a.node != wire.b.node).then_some((at, side)));
            } else {
                all.thread(at, (column(*a.min(b)), left), (column(*a.max(b)), right));
            }
        }
        all.arrange(picture);
        all
    }

    /// Cuts a wire into pieces.
    fn thread(&mut self, wire: usize, (first, left): (usize, End), (last, right): (usize, End)) {
        let mut from = (Item::Node(left.node), left.port);
        for column in first..last {
            let to = if column + 1 == last {
                (Item::Node(right.node), right.port)
            } else {
                let pass = Item::Pass(wire, column + 1);
                if let Some(items) = self.columns.get_mut(column + 1) {
                    items.push(pass);
                }
                (pass, 0)
            };
            self.hops.push(Hop { wire, column, left: from, right: to });
            from = to;
        }
    }

    fn places(&self) -> Places {
        let of = |items: &Vec<Item>| items.iter().copied().zip(0..).collect::<Vec<_>>();
        self.columns.iter().flat_map(of).collect()
    }

    /// Sorts each column by what its nodes are joined to in the one before, from the middle outwards and back, and
    /// keeps the best.
    fn arrange(&mut self, picture: &Picture) {
        const ROUNDS: usize = 4;
        let (last, middle) = (self.columns.len().saturating_sub(1), self.middle);
        let outwards: Vec<(usize, bool)> = (middle + 1..=last)
            .map(|column| (column, true))
            .chain((0..middle).rev().map(|column| (column, false)))
            .collect();
        let inwards: Vec<(usize, bool)> = (middle..last)
            .rev()
            .map(|column| (column, false))
            .chain((1..=middle).map(|column| (column, true)))
            .collect();
        let mut best = self.columns.clone();
        let mut least = usize::MAX;
        for round in 0..ROUNDS {
            let way = if round % 2 == 0 { &outwards } else { &inwards };
            way.iter().for_each(|(column, from_left)| self.sort(picture, *column, *from_left));
            let crossings = self.count(picture);
            if crossings < least {
                (least, best) = (crossings, self.columns.clone());
            }
        }
        self.columns = best;
        self.crossings = least;
        self.swap(picture);
    }

    fn sort(&mut self, picture: &Picture, column: usize, from_left: bool) {
        let places = self.places();
        let mut sums: BTreeMap<Item, (i64, i64)> = BTreeMap::new();
        for hop in &self.hops {
            let (near, far) = if from_left { (hop.right, hop.left) } else { (hop.left, hop.right) };
            if hop.column + usize::from(from_left) == column {
                let at = places.get(&far.0).copied().unwrap_or(0) * 1000 + bar_of(picture, far) % 1000;
                let sum = sums.entry(near.0).or_default();
                (sum.0, sum.1) = (sum.0 + at, sum.1 + 1);
            }
        }
        let Some(items) = self.columns.get_mut(column) else { return };
        // What is joined to nothing there stays below what it was below.
        let mut key = 0;
        let mut keyed = Vec::with_capacity(items.len());
        for item in items.iter() {
            key = sums.get(item).map_or(key, |(sum, count)| sum * 16 / count);
            keyed.push((key, *item));
        }
        keyed.sort_by_key(|(key, _)| *key);
        *items = keyed.into_iter().map(|(_, item)| item).collect();
    }

    /// Swaps neighbors where fewer lines cross then.
    fn swap(&mut self, picture: &Picture) {
        /// More work than this is not worth it: counting looks at each piece.
        const WORK: usize = 40_000;
        let items: usize = self.columns.iter().map(Vec::len).sum();
        if self.crossings == 0 || items * self.hops.len() > WORK {
            return;
        }
        for column in 0..self.columns.len() {
            for at in 1..self.columns.get(column).map_or(0, Vec::len) {
                let before = self.columns.clone();
                if let Some(items) = self.columns.get_mut(column) {
                    items.swap(at - 1, at);
                }
                let crossings = self.count(picture);
                if crossings < self.crossings {
                    self.crossings = crossings;
                } else {
                    self.columns = before;
                }
            }
        }
    }

    /// How many lines cross: of two pieces in one gap, those whose ends are in another order.
    fn count(&self, picture: &Picture) -> usize {
        let ranks = self.ranks(picture);
        let mut gaps: BTreeMap<usize, Vec<(Rank, Rank)>> = BTreeMap::new();
        let places = self.places();
        for hop in &self.hops {
            let at = |spot: (Item, usize), side| {
                (places.get(&spot.0).copied().unwrap_or(0), ranks.get(&(spot, side)).copied().unwrap_or(0))
            };
            gaps.entry(hop.column).or_default().push((at(hop.left, Side::Right), at(hop.right, Side::Left)));
        }
        gaps.into_values().map(crossings).sum()
    }

    /// The order of the interfaces on the sides of their nodes.
    fn ranks(&self, picture: &Picture) -> BTreeMap<((Item, usize), Side), i64> {
        let mut ranks = BTreeMap::new();
        let sides = self.sides(picture);
        for (node, sides) in sides {
            let bar = |port: usize| picture.nodes.get(node).and_then(|it| master(it, port));
            let bars: BTreeSet<Option<usize>> = sides.keys().map(|(port, _)| bar(*port)).collect();
            let means = bars.into_iter().map(|it| (it, mean_place(&sides, |port| bar(port) == it)));
            let means: BTreeMap<Option<usize>, (i64, i64)> = means.collect();
            let mean = |port: usize| means.get(&bar(port)).copied().unwrap_or_default();
            let mut rows: Vec<_> =
                sides.iter().map(|((port, side), place)| (mean(*port), bar(*port), *place, *port, *side)).collect();
            rows.sort();
            for (rank, (.., port, side)) in (0..).zip(rows) {
                ranks.insert(((Item::Node(node), port), side), rank);
            }
        }
        ranks
    }

    /// The sides of each node, with the places of what is at the other end.
    pub fn sides(&self, picture: &Picture) -> BTreeMap<usize, Sides> {
        let places = self.places();
        let mut sides: BTreeMap<usize, Sides> = BTreeMap::new();
        let mut add = |(item, port): (Item, usize), side, other: Item, wire: usize| {
            if let Item::Node(node) = item {
                let place = (places.get(&other).copied().unwrap_or(0) * 100, i64::try_from(wire).unwrap_or(0));
                let known = sides.entry(node).or_default().entry((port, side)).or_insert(place);
                *known = place.min(*known);
            }
        };
        for hop in &self.hops {
            add(hop.left, Side::Right, hop.right.0, hop.wire);
            add(hop.right, Side::Left, hop.left.0, hop.wire);
        }
        for (at, side) in &self.arcs {
            if let Some(Wire { a, b, .. }) = picture.wires.get(*at) {
                add((Item::Node(a.node), a.port), *side, Item::Node(b.node), *at);
                add((Item::Node(b.node), b.port), *side, Item::Node(a.node), *at);
            }
        }
        sides
    }

    /// How many bridges have nodes at their ends on both sides: those that hang on nothing else belong together.
    pub fn split(&self, picture: &Picture) -> usize {
        let mut wires: BTreeMap<usize, usize> = BTreeMap::new();
        for wire in &picture.wires {
            [wire.a, wire.b].iter().for_each(|end| *wires.entry(end.node).or_default() += 1);
        }
        let ends = |item: Item| matches!(item, Item::Node(node) if wires.get(&node) == Some(&1));
        let mut seen: BTreeMap<(usize, usize), BTreeSet<Side>> = BTreeMap::new();
        for hop in &self.hops {
            for ((item, port), other, side) in
                [(hop.left, hop.right.0, Side::Right), (hop.right, hop.left.0, Side::Left)]
            {
                let Item::Node(node) = item else { continue };
                if !ends(other) {
                    continue;
                }
                let bar = picture.nodes.get(node).and_then(|it| {
                    master(it, port).filter(|bar| it.ports.get(*bar).is_some_and(|bar| bar.kind != PortKind::Vrf))
                });
                if let Some(bar) = bar {
                    seen.entry((node, bar)).or_default().insert(side);
                }
            }
        }
        seen.values().filter(|sides| sides.len() > 1).count()
    }
}

/// The bar that a spot is a port of, or the interface that it is, as a number: what is joined to one of them stays
/// together.
fn bar_of(picture: &Picture, (item, port): (Item, usize)) -> i64 {
    let bar = match item {
        Item::Node(node) => picture.nodes.get(node).and_then(|it| master(it, port)),
        Item::Pass(..) => None,
    };
    i64::try_from(bar.unwrap_or(port)).unwrap_or(0)
}

/// How many pairs are in one order on the left and in another one on the right.
fn crossings(mut pairs: Vec<(Rank, Rank)>) -> usize {
    pairs.sort();
    let mut count = 0;
    let mut seen: Vec<Rank> = Vec::with_capacity(pairs.len());
    for (_, right) in pairs {
        let at = seen.partition_point(|other| *other <= right);
        count += seen.len() - at;
        seen.insert(at, right);
    }
    count
}
