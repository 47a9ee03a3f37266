//! Which column each node stands in: as far from the middle of the network as it takes hops to get there.

use super::model::{Picture, Wire, WireKind};
use super::shape::master;
use std::collections::{BTreeMap, BTreeSet};

/// Nodes that are joined, and how.
#[derive(Debug)]
pub struct Network {
    /// The nodes next to each.
    next: BTreeMap<usize, BTreeSet<usize>>,
}

/// The column of each node; the middle is 0.
pub type Layers = BTreeMap<usize, i32>;

/// So many middles are tried.
const TRIES: usize = 12;
/// So many nodes that are alike are in the middle together.
const ALIKE: usize = 8;

impl Network {
    /// How the nodes of a picture are joined. A tunnel is on top of other wires: it joins only what they do not.
    pub fn of(picture: &Picture) -> Self {
        let mut network = Self { next: (0..picture.nodes.len()).map(|node| (node, BTreeSet::new())).collect() };
        let (tunnels, wires): (Vec<&Wire>, Vec<&Wire>) = picture
            .wires
            .iter()
            .filter(|wire| wire.a.node != wire.b.node)
            .partition(|wire| wire.kind == WireKind::Tunnel);
        wires.iter().for_each(|wire| network.join(wire));
        let mut part = network.parts_by_node();
        for wire in tunnels {
            if part.get(&wire.a.node) != part.get(&wire.b.node) {
                network.join(wire);
                part = network.parts_by_node();
            }
        }
        network
    }

    fn join(&mut self, wire: &Wire) {
        for (from, to) in [(wire.a.node, wire.b.node), (wire.b.node, wire.a.node)] {
            self.next.entry(from).or_default().insert(to);
        }
    }

    fn next(&self, node: usize) -> impl Iterator<Item = usize> {
        self.next.get(&node).into_iter().flatten().copied()
    }

    /// The parts that no wire joins, without the nodes `gone`.
    pub fn parts(&self, gone: &BTreeSet<usize>) -> Vec<BTreeSet<usize>> {
        let mut parts: Vec<BTreeSet<usize>> = Vec::new();
        let mut seen = gone.clone();
        for start in self.next.keys() {
            if !seen.insert(*start) {
                continue;
            }
            let (mut part, mut open) = (BTreeSet::from([*start]), vec![*start]);
            while let Some(node) = open.pop() {
                for next in self.next(node).filter(|next| seen.insert(*next)) {
                    part.insert(next);
                    open.push(next);
                }
            }
            parts.push(part);
        }
        parts
    }

    fn parts_by_node(&self) -> BTreeMap<usize, usize> {
        let parts = self.parts(&BTreeSet::new());
        parts.iter().enumerate().flat_map(|(part, nodes)| nodes.iter().map(move |node| (*node, part))).collect()
    }

    /// How many hops each node is from the nearest of `from`, of those in `part`.
    fn hops(&self, from: &BTreeSet<usize>, part: &BTreeSet<usize>) -> BTreeMap<usize, i32> {
        let mut hops: BTreeMap<usize, i32> = from.iter().map(|node| (*node, 0)).collect();
        let mut open: Vec<usize> = from.iter().copied().collect();
        let mut far = 0;
        while !open.is_empty() {
            far += 1;
            let next: BTreeSet<usize> =
                open.iter().flat_map(|node| self.next(*node)).filter(|node| part.contains(node)).collect();
            open = next.into_iter().filter(|node| !hops.contains_key(node)).collect();
            hops.extend(open.iter().map(|node| (*node, far)));
        }
        hops
    }

    /// The middles that are worth a try, the best first: nodes from which no other is far, with those that are joined
    /// to the same ones as they are.
    pub fn middles(&self, part: &BTreeSet<usize>) -> Vec<(i32, BTreeSet<usize>)> {
        let mut alike: BTreeMap<&BTreeSet<usize>, BTreeSet<usize>> = BTreeMap::new();
        for node in part {
            if let Some(next) = self.next.get(node) {
                alike.entry(next).or_default().insert(*node);
            }
        }
        let mut middles: Vec<(i32, usize, BTreeSet<usize>)> = Vec::new();
        for (next, nodes) in alike {
            let sets = if next.len() > 1 && nodes.len() <= ALIKE {
                vec![nodes]
            } else {
                nodes.into_iter().map(|node| BTreeSet::from([node])).collect()
            };
            for set in sets {
                let far = self.hops(&set, part).values().copied().max().unwrap_or(0);
                middles.push((far, usize::MAX - next.len(), set));
            }
        }
        middles.sort();
        let least = middles.first().map_or(0, |(far, ..)| *far);
        middles.retain(|(far, ..)| *far <= least + 1);
        middles.truncate(TRIES);
        middles.into_iter().map(|(far, _, set)| (far - least, set)).collect()
    }

    /// The columns around a middle: what hangs on it is to its left until half of all is, and then to its right. What
    /// hangs on one bridge stays together.
    pub fn layers(&self, picture: &Picture, part: &BTreeSet<usize>, middle: &BTreeSet<usize>) -> Layers {
        let mut gone: BTreeSet<usize> = self.next.keys().copied().filter(|node| !part.contains(node)).collect();
        gone.extend(middle);
        let groups = together(picture, self.parts(&gone), middle);
        // So that a node more does not move what was there, a large part counts as much as a small one, nearly.
        let weight = |group: &BTreeSet<usize>| group.len().min(3);
        let all: usize = groups.iter().map(weight).sum();
        let mut layers: Layers = middle.iter().map(|node| (*node, 0)).collect();
        let (mut left, mut to_left) = (0, groups.len() > 1);
        for group in groups {
            to_left = to_left && left * 2 < all && (left == 0 || (left + weight(&group)) * 3 <= all * 2);
            left += weight(&group);
            let inside: BTreeSet<usize> = group.union(middle).copied().collect();
            for (node, far) in self.hops(middle, &inside) {
                layers.insert(node, if to_left { -far } else { far });
            }
        }
        layers
    }
}

/// The first node of a part that is next to the middle, where it hangs (by node and bridge or interface), its nodes.
type Hung = (usize, BTreeSet<(usize, usize)>, BTreeSet<usize>);

/// Joins parts that hang on the same bridge, or the same interface, of the middle.
fn together(picture: &Picture, parts: Vec<BTreeSet<usize>>, middle: &BTreeSet<usize>) -> Vec<BTreeSet<usize>> {
    let mut places: Vec<Hung> = Vec::new();
    for part in parts {
        let (mut hangs, mut first) = (BTreeSet::new(), usize::MAX);
        for node in middle {
            let wires = picture
                .wires_of(*node)
                .filter(|(_, far, wire)| part.contains(&far.node) && wire.kind != WireKind::Tunnel);
            for (near, far, _) in wires {
                first = first.min(far.node);
                let bar = picture.nodes.get(near.node).and_then(|it| master(it, near.port));
                hangs.insert((near.node, bar.unwrap_or(near.port)));
            }
        }
        let (joined, mut apart): (Vec<_>, Vec<_>) =
            places.into_iter().partition(|(_, other, _)| !other.is_disjoint(&hangs));
        let mut all = part;
        for (before, other, nodes) in joined {
            first = first.min(before);
            hangs.extend(other);
            all.extend(nodes);
        }
        apart.push((first, hangs, all));
        places = apart;
    }
    // What is further away has no say: a node more there does not move the others.
    places.sort();
    places.into_iter().map(|(.., nodes)| nodes).collect()
}
