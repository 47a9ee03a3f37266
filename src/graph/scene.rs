//! What is drawn: rectangles, texts and lines at their places, which SVG and HTML both have.

use super::layout::layout;
use super::measure::{self, LINE};
use super::model::{self, Mark, Picture, Role};
use super::place::{Block, PLATE, Piece};
use super::shape::{BAR, Band, DEEPER, GAP, PAD, Row, Side, facts, label, row_texts, texts, title};
use crate::render::page::escape;
use serde::Serialize;

/// Around the picture.
const MARGIN: i32 = 24;
/// The height of the title.
const TITLE: i32 = 34;
/// From the middle of a line of text to where its letters stand.
const BASE: i32 = 4;

/// All that is drawn.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Scene {
    /// The width.
    pub width: i32,
    /// The height.
    pub height: i32,
    /// What it is of.
    pub title: String,
    /// Whether it shows a change.
    pub change: bool,
    /// What belongs together, in the order in which it is drawn.
    pub groups: Vec<Group>,
}

/// What belongs together.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Group {
    /// Its class.
    pub class: String,
    /// The node that it is, by the name in `/run/netns`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// What is shown of it beside the pointer.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub hint: String,
    /// What is drawn.
    pub shapes: Vec<Drawn>,
}

/// Something drawn.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(tag = "is", rename_all = "lowercase")]
pub enum Drawn {
    /// A rectangle with round corners.
    Rect {
        /// Its left border.
        x: i32,
        /// Its upper border.
        y: i32,
        /// Its width.
        width: i32,
        /// Its height.
        height: i32,
        /// The radius of its corners.
        round: i32,
        /// Its class.
        class: String,
    },
    /// A line of text.
    Text {
        /// Where it starts, or ends.
        x: i32,
        /// Where its letters stand.
        y: i32,
        /// Whether it ends there.
        end: bool,
        /// The text.
        text: String,
        /// Its class.
        class: String,
        /// How much room it has.
        #[serde(skip)]
        width: i32,
    },
    /// A line.
    Path {
        /// Its course, as SVG says it.
        d: String,
        /// Its class.
        class: String,
    },
}

/// Draws a picture.
pub fn scene(picture: &Picture) -> Scene {
    let placed = layout(picture);
    let (x, y) = (MARGIN, MARGIN + TITLE);
    let mut groups: Vec<Group> = Vec::new();
    let mut plates: Vec<Group> = Vec::new();
    for line in &placed.lines {
        groups.extend(wire(picture, line.wire, &line.pieces, (x, y)));
    }
    for block in &placed.blocks {
        let Some(node) = picture.nodes.get(block.node) else { continue };
        groups.push(Pen { node, block, x, y, shapes: Vec::new() }.draw());
        plates.extend(impairments(node, block, (x, y)));
    }
    groups.extend(plates);
    let name = escape(&picture.title);
    let mut width = placed.width.max(measure::large(&name) * 12 / 10) + 2 * MARGIN;
    let mut head = vec![text((MARGIN, MARGIN + 12), false, &name, "title", measure::large(&name) * 12 / 10)];
    if picture.change {
        width = width.max(legend(MARGIN + measure::large(&name) * 12 / 10 + 28, &mut head));
    }
    groups.insert(0, Group { class: "head".to_owned(), key: None, hint: String::new(), shapes: head });
    Scene { width, height: placed.height + 2 * MARGIN + TITLE, title: name, change: picture.change, groups }
}

/// What the colours say; how wide the picture has to be for it.
fn legend(mut x: i32, head: &mut Vec<Drawn>) -> i32 {
    for mark in [Mark::Added, Mark::Changed, Mark::Removed] {
        let word = format!("{}{}", mark.sign(), mark.word());
        head.push(text((x, MARGIN + 12), false, &word, &format!("small {}", mark.word()), measure::small(&word)));
        x += measure::small(&word) + 20;
    }
    x + MARGIN
}

fn text((x, y): (i32, i32), end: bool, text: &str, class: &str, width: i32) -> Drawn {
    Drawn::Text { x, y: y + BASE, end, text: text.to_owned(), class: class.to_owned(), width }
}

fn wire(picture: &Picture, at: usize, pieces: &[Piece], (dx, dy): (i32, i32)) -> Option<Group> {
    let wire = picture.wires.get(at)?;
    let class = format!("wire {} {}", wire.kind.word(), wire.mark.word());
    let mut d = String::new();
    for piece in pieces {
        let at = |(x, y): (i32, i32)| (x + dx, y + dy);
        let part = match *piece {
            Piece::Through { from, to } => {
                let ((x1, y1), (x2, y2)) = (at(from), at(to));
                format!("M{x1} {y1}L{x2} {y2}")
            }
            Piece::Hop { from, to, first, last } => {
                let ((x1, y1), (x2, y2)) = (at(from), at(to));
                let (a, b) = (x1 + first, x2 - last);
                let middle = (a + b) / 2;
                if y1 == y2 {
                    format!("M{x1} {y1}H{x2}")
                } else {
                    format!("M{x1} {y1}H{a}C{middle} {y1} {middle} {y2} {b} {y2}H{x2}")
                }
            }
            Piece::Arc { from, to, out } => {
                let ((x1, y1), (x2, y2)) = (at(from), at(to));
                let x = x1 + out * 4 / 3;
                format!("M{x1} {y1}C{x} {y1} {x} {y2} {x2} {y2}")
            }
        };
        d.push_str(&part);
    }
    let hint = escape(&format!("{} to {}", picture.name(wire.a), picture.name(wire.b)));
    Some(Group { class, key: None, hint, shapes: vec![Drawn::Path { d, class: String::new() }] })
}

/// What is written on the lines, beside the interfaces that do it.
fn impairments(node: &model::Node, block: &Block, (dx, dy): (i32, i32)) -> Option<Group> {
    let mut shapes = Vec::new();
    for row in block.shape.bands.iter().flat_map(|band| &band.rows).filter(|row| row.wired) {
        let Some(port) = node.ports.get(row.port) else { continue };
        for (nth, line) in (0..).zip(&port.impairment) {
            let words = escape(&line.signed());
            let width = measure::small(&words) + 8;
            let x = match row.side {
                Side::Left => dx + block.x - PLATE / 2 - width,
                Side::Right => dx + block.x + block.width + PLATE / 2,
            };
            let y = dy + row.y + nth * LINE;
            shapes.push(Drawn::Rect {
                x,
                y: y - 8,
                width,
                height: 16,
                round: 8,
                class: format!("plate {}", line.mark.word()),
            });
            shapes.push(text((x + 4, y), false, &words, &format!("small impaired {}", line.mark.word()), width - 8));
        }
    }
    (!shapes.is_empty()).then(|| Group { class: "plates".to_owned(), key: None, hint: String::new(), shapes })
}

/// Draws a node.
struct Pen<'a> {
    node: &'a model::Node,
    block: &'a Block,
    x: i32,
    y: i32,
    shapes: Vec<Drawn>,
}

impl Pen<'_> {
    fn draw(mut self) -> Group {
        let Block { x, y, width, height, .. } = *self.block;
        let (x, y) = (x + self.x, y + self.y);
        let role = match self.node.role {
            Role::Made => "made",
            Role::Host => "host",
            Role::Existing => "existing",
            Role::Cloud => "cloud",
        };
        let rect = |x, y, class: &str| {
            let round = if class == "cloud" { height / 2 } else { 8 };
            Drawn::Rect { x, y, width, height, round, class: format!("box {class}") }
        };
        if !self.node.members.is_empty() {
            self.shapes.extend([rect(x + 6, y + 6, role), rect(x + 3, y + 3, role)]);
        }
        self.shapes.push(rect(x, y, role));
        let words = escape(&title(self.node));
        self.shapes.push(text(
            (x + PAD, y + 18),
            false,
            &words,
            &format!("name {}", self.node.mark.word()),
            measure::large(&words),
        ));
        if self.node.role != Role::Cloud {
            for (nth, fact) in (0..).zip(facts(self.node)) {
                self.put((x + PAD, y + 24 + LINE / 2 + nth * LINE), false, &fact, "small");
            }
        }
        let bands = self.block.shape.bands.clone();
        for (at, band) in bands.iter().enumerate() {
            self.band(band, bands.get(at + 1..).unwrap_or_default());
        }
        let class = format!("node {}", self.node.mark.word());
        Group { class, key: Some(self.node.key.clone()), hint: escape(&self.node.name), shapes: self.shapes }
    }

    fn put(&mut self, at: (i32, i32), end: bool, line: &model::Line, class: &str) {
        let words = escape(&line.signed());
        let dim = if line.dim { " dim" } else { "" };
        let class = format!("{class}{dim} {}", line.mark.word());
        self.shapes.push(text(at, end, &words, &class, measure::small(&words)));
    }

    /// Where the bar of a band stands.
    fn bar_x(&self, depth: i32) -> i32 {
        let Block { x, width, shape, .. } = self.block;
        let inner = if shape.left == 0 && shape.right > 0 {
            let deepest = shape.bands.iter().map(|band| band.depth).max().unwrap_or(0);
            width - PAD - shape.right - BAR / 2 - (deepest - depth) * DEEPER
        } else {
            PAD + shape.left + BAR / 2 + depth * DEEPER
        };
        self.x + x + inner
    }

    fn band(&mut self, band: &Band, after: &[Band]) {
        let (left, width) = (self.x + self.block.x, self.block.width);
        let bar = band.bar.and_then(|bar| Some((bar, self.node.ports.get(bar)?)));
        if let Some((at, port)) = bar {
            let kind = match port.kind {
                model::PortKind::Vrf => "vrf",
                model::PortKind::Bond => "bond",
                _ => "bridge",
            };
            let (y, height) = (self.y + band.top + 2, band.bottom - band.top - 4);
            let mark = port.mark.word();
            let class = format!("band {kind} {mark}");
            self.shapes.push(Drawn::Rect { x: left + 5, y, width: width - 10, height, round: 5, class });
            if kind != "vrf" {
                self.bar(band, after, &format!("bar {kind} {mark}"));
            }
            let words = escape(&label(self.node, at));
            let y = self.y + band.top + 6 + LINE / 2;
            self.shapes.push(text(
                (left + PAD, y),
                false,
                &words,
                &format!("small port halo {mark}"),
                measure::small(&words),
            ));
            for (nth, line) in (0..).zip(texts(self.node, at)) {
                self.put((left + PAD + measure::small(&words) + GAP, y + nth * LINE), false, &line, "small halo");
            }
        }
        for row in &band.rows {
            if bar.is_some_and(|(_, port)| port.kind != model::PortKind::Vrf) {
                self.stub(row, self.bar_x(band.depth));
            }
            self.row(row);
        }
    }

    /// The bar itself, and where others that are its ports hang on it.
    fn bar(&mut self, band: &Band, after: &[Band], class: &str) {
        let x = self.bar_x(band.depth);
        let ys = band.rows.iter().map(|row| row.y);
        let (first, last) = (ys.clone().min().unwrap_or(band.bottom - 8), ys.max().unwrap_or(band.bottom - 8));
        let inside = after.iter().take_while(|other| other.depth > band.depth);
        let hung: Vec<&Band> = inside.filter(|other| other.depth == band.depth + 1).collect();
        let end = hung.last().map_or(last + 6, |band| band.top + 3);
        let rect = Drawn::Rect {
            x: x - 3,
            y: self.y + first - 6,
            width: 6,
            height: end - first + 6,
            round: 3,
            class: class.to_owned(),
        };
        self.shapes.push(rect);
        for other in hung {
            let (to, y) = (self.bar_x(other.depth), self.y + other.top + 3);
            let rows = other.rows.iter().map(|row| row.y).min().unwrap_or(other.top + 3);
            self.shapes.push(Drawn::Path { d: format!("M{x} {y}H{to}V{}", self.y + rows), class: "stub".to_owned() });
        }
    }

    /// From an interface to the bar that it is a port of.
    fn stub(&mut self, row: &Row, bar: i32) {
        let mark = self.node.ports.get(row.port).map_or("same", |port| port.mark.word());
        let edge = self.text_edge(row);
        let y = self.y + row.y;
        self.shapes.push(Drawn::Path { d: format!("M{bar} {y}H{edge}"), class: format!("stub {mark}") });
    }

    /// Where the text of a row ends inside of the box; the border where it has none.
    fn text_edge(&self, row: &Row) -> i32 {
        let (name, beside) = self.widths(row);
        let taken = if row.is_bar(self.node) || name + beside == 0 {
            0
        } else {
            PAD + row.inset + name + if beside > 0 { GAP + beside } else { 0 } + 4
        };
        let left = self.x + self.block.x;
        if row.side == Side::Left { left + taken } else { left + self.block.width - taken }
    }

    fn widths(&self, row: &Row) -> (i32, i32) {
        let name = label(self.node, row.port);
        (if name.is_empty() { 0 } else { measure::small(&name) }, measure::lines(&row_texts(self.node, row)))
    }

    fn row(&mut self, row: &Row) {
        let Some(port) = self.node.ports.get(row.port) else { return };
        let (left, right) = (self.x + self.block.x, self.x + self.block.x + self.block.width);
        let y = self.y + row.y;
        let foreign = if port.kind == model::PortKind::Foreign { " foreign" } else { "" };
        if row.wired && self.node.role != Role::Cloud {
            let x = if row.side == Side::Left { left } else { right };
            let class = format!("dot{foreign} {}", port.mark.word());
            self.shapes.push(Drawn::Rect { x: x - 4, y: y - 4, width: 8, height: 8, round: 2, class });
        }
        if row.is_bar(self.node) {
            return;
        }
        let (name, _) = self.widths(row);
        let end = row.side == Side::Right;
        let sign = if end { -1 } else { 1 };
        let x = if end { right } else { left } + sign * (PAD + row.inset);
        let words = escape(&label(self.node, row.port));
        if !words.is_empty() {
            let again = if row.bare { " dim" } else { "" };
            let class = format!("small port{foreign}{again} {}", port.mark.word());
            self.shapes.push(text((x, y), end, &words, &class, name));
        }
        let beside = x + sign * if name > 0 { name + GAP } else { 0 };
        for (nth, line) in (0..).zip(row_texts(self.node, row)) {
            self.put((beside, y + nth * LINE), end, &line, "small");
        }
    }
}
