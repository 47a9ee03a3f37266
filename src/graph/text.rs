//! Text for a terminal: a tree for each node, with what is at the other end of each wire.

use super::model::{End, Line, Mark, Node, Picture, Role, WireKind};
use super::shape::{label, master, title};
use crate::render::order::{cut, left, width};
use crate::render::page::{ADD, BOLD, CHANGE, DIM, PLAIN, Page, REMOVE};
use anstyle::Style;

/// The picture as text of so many columns. Nodes with one interface that stand at the end of a wire are shown there.
pub fn text(picture: &Picture, columns: usize) -> String {
    let mut page = Page::new();
    page.paint(BOLD, &picture.title).end();
    for (at, node) in picture.nodes.iter().enumerate().filter(|(at, _)| !is_shown_elsewhere(picture, *at)) {
        page.end();
        let tree = Tree { picture, node, at, columns };
        tree.draw(&mut page);
    }
    page.finish()
}

/// Whether all of a node is on the line of the interface at the other end of its only wire; what it does only where
/// that stays as it is.
fn is_shown_elsewhere(picture: &Picture, at: usize) -> bool {
    if picture.nodes.get(at).is_some_and(|node| node.facts.iter().any(|fact| fact.mark != Mark::Same)) {
        return false;
    }
    let leaf = |at: usize| {
        let ports = picture.nodes.get(at).map(|node| node.ports.len());
        ports == Some(1) && picture.wires_of(at).count() == 1
    };
    let other = picture.wires_of(at).next().map(|(_, far, _)| far.node);
    leaf(at) && other.is_some_and(|other| !leaf(other) || other < at)
}

struct Tree<'a> {
    picture: &'a Picture,
    node: &'a Node,
    at: usize,
    columns: usize,
}

/// A line with its place in the tree.
struct Branch {
    depth: usize,
    mark: Mark,
    name: String,
    rest: String,
}

impl Tree<'_> {
    fn draw(&self, page: &mut Page) {
        let role = match self.node.role {
            Role::Host => "  the namespace that topo runs in",
            Role::Cloud => "  tunnel",
            Role::Made | Role::Existing => "",
        };
        page.paint(style(self.node.mark, BOLD), title(self.node)).paint(DIM, role).end();
        let mut branches = Vec::new();
        for fact in &self.node.facts {
            branches.push(Branch { depth: 1, mark: fact.mark, name: String::new(), rest: fact.signed() });
        }
        if !self.node.members.is_empty() {
            let rest = format!("{} nodes alike", self.node.members.len());
            branches.push(Branch { depth: 1, mark: Mark::Same, name: String::new(), rest });
        }
        let roots = (0..self.node.ports.len()).filter(|port| master(self.node, *port).is_none());
        roots.for_each(|port| self.port(port, 1, &mut branches));
        self.print(page, &branches);
    }

    fn port(&self, port: usize, depth: usize, branches: &mut Vec<Branch>) {
        let Some(it) = self.node.ports.get(port) else { return };
        let own = words(&it.lines, &it.impairment);
        let wires: Vec<(End, WireKind, Mark)> = self
            .picture
            .wires_of(self.at)
            .filter(|(near, ..)| near.port == port)
            .map(|(_, far, wire)| (far, wire.kind, wire.mark))
            .collect();
        let mark = it.mark;
        let name = label(self.node, port);
        match wires.as_slice() {
            [(far, kind, wire)] => {
                let mark = if *wire == Mark::Same { mark } else { *wire };
                branches.push(Branch { depth, mark, name, rest: join(&own, &self.far(*far, *kind)) });
            }
            several => {
                branches.push(Branch { depth, mark, name, rest: own });
                for (far, kind, mark) in several {
                    let rest = self.far(*far, *kind);
                    branches.push(Branch { depth: depth + 1, mark: *mark, name: mark.sign().to_owned(), rest });
                }
            }
        }
        /// Nothing is stacked higher (`HIGHEST_STACK`).
        const DEEPEST: usize = 8;
        for other in (0..self.node.ports.len()).filter(|other| master(self.node, *other) == Some(port)) {
            if depth < DEEPEST {
                self.port(other, depth + 1, branches);
            }
        }
    }

    /// What is at the other end: its name, and what there is to say about it.
    fn far(&self, far: End, kind: WireKind) -> String {
        let line = match kind {
            WireKind::Pair => "───",
            WireKind::Lower => "···",
            WireKind::Tunnel => "- -",
        };
        let port = self.picture.port(far);
        let lines = port.map(|port| words(&port.lines, &port.impairment)).unwrap_or_default();
        let sign = port.map(|port| port.mark.sign()).unwrap_or_default();
        join(&format!("{line} {sign}{}", self.picture.name(far)), &lines)
    }

    /// Drawn from the bottom: whether a branch goes on is known only by what is below.
    fn print(&self, page: &mut Page, branches: &[Branch]) {
        let mut open = vec![false; 1];
        let mut drawn: Vec<(String, &Branch)> = Vec::new();
        for branch in branches.iter().rev() {
            open.resize(open.len().max(branch.depth + 1), false);
            let above = open.iter().take(branch.depth).skip(1);
            let mut stem: String = above.map(|open| if *open { "│  " } else { "   " }).collect();
            stem.push_str(if open.get(branch.depth) == Some(&true) { "├─ " } else { "└─ " });
            drawn.push((stem, branch));
            open.truncate(branch.depth + 1);
            if let Some(last) = open.last_mut() {
                *last = true;
            }
        }
        let names =
            branches.iter().filter(|branch| !branch.rest.is_empty()).map(|branch| (branch.depth, width(&branch.name)));
        let names: Vec<(usize, usize)> = names.collect();
        for (stem, branch) in drawn.into_iter().rev() {
            let wide =
                names.iter().filter(|(depth, _)| *depth == branch.depth).map(|(_, wide)| *wide).max().unwrap_or(0);
            let wide =
                if branch.rest.is_empty() || branch.name.is_empty() { width(&branch.name) } else { wide.min(24) };
            let name = left(&branch.name, wide);
            let gap = if branch.name.is_empty() || branch.rest.is_empty() { "" } else { "  " };
            let room = self.columns.saturating_sub(width(&stem) + width(&name) + gap.len());
            page.paint(DIM, &stem).paint(style(branch.mark, ADD), name.trim_end());
            page.put(" ".repeat(width(&name) - width(name.trim_end()))).put(gap);
            page.paint(style(branch.mark, PLAIN), cut(&branch.rest, room)).end();
        }
    }
}

fn words(lines: &[Line], impairment: &[Line]) -> String {
    lines.iter().chain(impairment).map(Line::signed).collect::<Vec<_>>().join(" ")
}

fn join(one: &str, other: &str) -> String {
    if one.is_empty() || other.is_empty() { format!("{one}{other}") } else { format!("{one}  {other}") }
}

fn style(mark: Mark, usual: Style) -> Style {
    match mark {
        Mark::Same => usual,
        Mark::Added => ADD,
        Mark::Changed => CHANGE,
        Mark::Removed => REMOVE,
    }
}
