//! What holds for the places of a picture.

use std::collections::BTreeMap;
use topo::graph::{self, Drawn, Group, Picture, Scene};

/// A rectangle: left, top, right, bottom.
type Area = (i32, i32, i32, i32);

fn overlap(one: &Area, other: &Area) -> bool {
    one.0 < other.2 && other.0 < one.2 && one.1 < other.3 && other.1 < one.3
}

fn inside(one: &Area, outer: &Area) -> bool {
    one.0 >= outer.0 && one.1 >= outer.1 && one.2 <= outer.2 && one.3 <= outer.3
}

/// The room that a text has.
fn texts(group: &Group) -> Vec<(Area, &str)> {
    let area = |shape: &Drawn| match shape {
        Drawn::Text { x, y, end, width, .. } => {
            let left = if *end { x - width } else { *x };
            Some((left, y - 11, left + width, y + 3))
        }
        _ => None,
    };
    group.shapes.iter().filter_map(|shape| Some((area(shape)?, shape_text(shape)))).collect()
}

fn shape_text(shape: &Drawn) -> &str {
    match shape {
        Drawn::Text { text, .. } => text,
        _ => "",
    }
}

fn rects<'a>(group: &'a Group, class: &str) -> Vec<Area> {
    let of = |shape: &'a Drawn| match shape {
        Drawn::Rect { x, y, width, height, class: its, .. } if its.split(' ').any(|word| word == class) => {
            Some((*x, *y, x + width, y + height))
        }
        _ => None,
    };
    group.shapes.iter().filter_map(of).collect()
}

/// The box of a node: of those that stand for several, the foremost.
fn body(group: &Group) -> Area {
    *rects(group, "box").last().unwrap()
}

/// No text over text or outside of its box, no box over a box, every interface on the border of its box, no line
/// through a box that is not its own.
pub fn check(name: &str, picture: &Picture, scene: &Scene) {
    let paper = (0, 0, scene.width, scene.height);
    let all: Vec<(Area, &str)> = scene.groups.iter().flat_map(texts).collect();
    for (at, (area, text)) in all.iter().enumerate() {
        assert!(inside(area, &paper), "{name}: {text:?} is not on the paper");
        for (other, its) in &all[at + 1..] {
            assert!(!overlap(area, other), "{name}: {text:?} {area:?} over {its:?} {other:?}");
        }
    }
    let nodes: Vec<&Group> = scene.groups.iter().filter(|group| group.key.is_some()).collect();
    assert_eq!(nodes.len(), picture.nodes.len(), "{name}: not every node is drawn");
    for (at, group) in nodes.iter().enumerate() {
        let area = body(group);
        for (its, text) in texts(group) {
            assert!(inside(&its, &area), "{name}: {text:?} {its:?} leaves its box {area:?}");
        }
        for band in rects(group, "band") {
            assert!(inside(&band, &area), "{name}: a band leaves {:?}", group.hint);
        }
        for dot in rects(group, "dot") {
            let (x, y) = ((dot.0 + dot.2) / 2, (dot.1 + dot.3) / 2);
            let on_border = (x == area.0 || x == area.2) && y > area.1 && y < area.3;
            assert!(on_border, "{name}: an interface at {x},{y} is not on the border of {:?} {area:?}", group.hint);
        }
        for other in &nodes[at + 1..] {
            assert!(!overlap(&area, &body(other)), "{name}: {:?} over {:?}", group.hint, other.hint);
        }
    }
    lines(name, picture, scene, &nodes);
}

/// Every wire between two nodes is a line, which ends at their borders and stays out of all boxes.
fn lines(name: &str, picture: &Picture, scene: &Scene, nodes: &[&Group]) {
    let wires: Vec<&Group> = scene.groups.iter().filter(|group| group.class.starts_with("wire ")).collect();
    let between = picture.wires.iter().filter(|wire| wire.a.node != wire.b.node).count();
    assert_eq!(wires.len(), between, "{name}: not every wire is drawn");
    for wire in wires {
        let Some(Drawn::Path { d, .. }) = wire.shapes.first() else { panic!("{name}: a wire without a line") };
        for (x, y) in points(d) {
            for node in nodes {
                let area = body(node);
                let in_it = x > area.0 + 1 && x < area.2 - 1 && y > area.1 + 1 && y < area.3 - 1;
                assert!(!in_it, "{name}: the line {:?} at {x},{y} goes through {:?} {area:?}", wire.hint, node.hint);
            }
        }
    }
}

/// Points of a line, close to each other.
fn points(d: &str) -> Vec<(i32, i32)> {
    let (mut points, mut at) = (Vec::new(), (0.0_f64, 0.0_f64));
    let mut rest = d;
    while let Some(command) = rest.chars().next() {
        let end = rest[1..].find(|c: char| c.is_ascii_alphabetic()).map_or(rest.len(), |end| end + 1);
        let numbers: Vec<f64> = rest[1..end].split_whitespace().map(|number| number.parse().unwrap()).collect();
        let to = match (command, numbers.as_slice()) {
            ('M', [x, y]) => {
                at = (*x, *y);
                at
            }
            ('L', [x, y]) | ('C', [.., x, y]) => (*x, *y),
            ('H', [x]) => (*x, at.1),
            other => panic!("{other:?} in {d}"),
        };
        let curve = if command == 'C' { [(numbers[0], numbers[1]), (numbers[2], numbers[3])] } else { [at, to] };
        for step in 0..=40 {
            let t = f64::from(step) / 40.0;
            let mix = |a: f64, b: f64, c: f64, d: f64| {
                let u = 1.0 - t;
                u * u * u * a + 3.0 * u * u * t * b + 3.0 * u * t * t * c + t * t * t * d
            };
            let x = mix(at.0, curve[0].0, curve[1].0, to.0);
            points.push((x.round() as i32, mix(at.1, curve[0].1, curve[1].1, to.1).round() as i32));
        }
        at = to;
        rest = &rest[end..];
    }
    points
}

/// The nodes in their columns, from left to right and from top to bottom.
pub fn columns(picture: &Picture) -> Vec<Vec<String>> {
    let mut columns: BTreeMap<i32, Vec<(i32, String)>> = BTreeMap::new();
    for group in graph::scene(picture).groups.iter().filter(|group| group.key.is_some()) {
        let (x, y, ..) = body(group);
        columns.entry(x).or_default().push((y, group.hint.clone()));
    }
    for nodes in columns.values_mut() {
        nodes.sort();
    }
    columns.into_values().map(|nodes| nodes.into_iter().map(|(_, name)| name).collect()).collect()
}
