//! A plan for a user: signs, fields, impact, counts.

use super::losses::losses;
use super::order::{Natural, left, natural, numberless, width};
use super::page::{ADD, BOLD, CHANGE, DIM, PLAIN, Page, REMOVE, count};
use super::words::{detail, impact, name, seen};
use crate::plan::change::{Action, Change, Plan};
use crate::resource::{Class, Drift, Impact, Node, Resource, ResourceId};
use anstyle::Style;
use std::collections::{BTreeMap, BTreeSet};

/// How many resources are added, changed and destroyed; what is re-created is both added and destroyed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    /// `+` and `-/+`
    pub add: usize,
    /// `~`
    pub change: usize,
    /// `-` and `-/+`
    pub destroy: usize,
}

impl Counts {
    /// Counts the changes of a plan that are shown.
    pub fn of(plan: &Plan) -> Self {
        let mut counts = Self::default();
        for change in visible(plan) {
            counts.note(change.action);
        }
        counts.destroy += unread(plan).values().sum::<usize>();
        counts
    }

    fn note(&mut self, action: Action) {
        match action {
            Action::Create => self.add += 1,
            Action::Update | Action::Move => self.change += 1,
            Action::Delete => self.destroy += 1,
            Action::Replace => {
                self.add += 1;
                self.destroy += 1;
            }
        }
    }

    /// With those of another plan.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self { add: self.add + other.add, change: self.change + other.change, destroy: self.destroy + other.destroy }
    }
}

/// The changes that a user wants to see: not what comes and goes with a namespace by itself, its `lo`, the kernel's own
/// policy rules, and forwarding that starts as off.
pub fn visible(plan: &Plan) -> impl Iterator<Item = &Change> {
    let fresh: BTreeSet<&Node> =
        plan.changes.iter().filter(|change| is_whole(change)).map(|change| change.id.node()).collect();
    plan.changes.iter().filter(move |change| !(fresh.contains(change.id.node()) && comes_along(change)))
}

/// How many resources go with namespaces that were not read, besides those that the plan lists: as many as the file has
/// there.
fn unread(plan: &Plan) -> BTreeMap<&Node, usize> {
    let whole = plan.changes.iter().filter_map(|change| match &change.before {
        Some(Resource::Namespace(namespace)) if namespace.whole => Some(&namespace.node),
        _ => None,
    });
    let sizes = &plan.base.record.sizes;
    let mut unread: BTreeMap<&Node, usize> = whole.filter_map(|node| Some((node, sizes.get(node).copied()?))).collect();
    if !unread.is_empty() {
        for change in visible(plan) {
            if let Some(left) = unread.get_mut(change.id.node()) {
                *left = left.saturating_sub(1);
            }
        }
    }
    unread
}

/// Whether a namespace comes or goes with all that is in it.
fn is_whole(change: &Change) -> bool {
    matches!(change.id, ResourceId::Namespace(_))
        && matches!(change.action, Action::Create | Action::Delete | Action::Replace)
}

fn comes_along(change: &Change) -> bool {
    change.after.as_ref().or(change.before.as_ref()).is_some_and(Resource::is_implied)
}

/// The last line: `Plan: 3 to add, 1 to change, 0 to destroy.`
pub fn totals(counts: Counts) -> String {
    let mut page = Page::new();
    page.paint(BOLD, "Plan:")
        .put(format!(" {} to add, {} to change, {} to destroy.", counts.add, counts.change, counts.destroy))
        .end();
    page.finish()
}

/// The whole plan without its last line; one line where there is nothing to do.
pub fn text(plan: &Plan) -> String {
    let topology = &plan.base.topology;
    if plan.changes.is_empty() {
        return nothing(plan);
    }
    let mut page = Page::new();
    page.put("Topology ").paint(BOLD, topology.as_str()).put(":").end();
    page.finish() + &blocks(plan)
}

/// The changes that make `to` of `from`, and how many there are; one line where there is none.
pub fn difference(from: &str, to: &str, plan: &Plan) -> String {
    let mut page = Page::new();
    if plan.changes.is_empty() {
        page.paint(ADD, "No differences.").put(format!(" {from} and {to} are the same.")).end();
        return page.finish();
    }
    page.put("From ").paint(BOLD, from).put(" to ").paint(BOLD, to).put(":").end();
    let Counts { add, change, destroy } = Counts::of(plan);
    let mut last = Page::new();
    last.paint(BOLD, "Difference:").put(format!(" {add} added, {change} changed, {destroy} removed.")).end();
    page.finish() + &blocks(plan) + &last.finish()
}

/// The changes, node by node.
fn blocks(plan: &Plan) -> String {
    let mut text = String::new();
    let blocks: Vec<(&Node, String)> =
        by_node(plan).into_iter().map(|(node, changes)| (node, block(&called(plan, node), &changes))).collect();
    // Equal nodes of a big plan say more as one line.
    let many = blocks.len() > MANY;
    let mut rest = blocks.as_slice();
    while let Some(((first, told), tail)) = rest.split_first() {
        text.push_str(told);
        let shape = if many { numberless(told, first.short()) } else { String::new() };
        let same = if many {
            tail.iter().take_while(|(node, block)| numberless(block, node.short()) == shape).count()
        } else {
            0
        };
        // One more is as short as the line that says so.
        let (like, after) = tail.split_at(if same > 1 { same } else { 0 });
        if let (Some((from, _)), Some((to, _))) = (like.first(), like.last()) {
            let mut page = Page::new();
            page.end()
                .put("  ")
                .paint(BOLD, format!("{from} to {to}"))
                .paint(DIM, format!(": {same} more like {first}, with names and numbers of their own"))
                .end();
            text.push_str(&page.finish());
        }
        rest = after;
    }
    text.push('\n');
    text
}

/// More nodes than these are grouped where they are alike.
const MANY: usize = 20;

/// A node and its changes.
fn block(called: &str, changes: &[&Change]) -> String {
    let mut page = Page::new();
    page.end().put("  ").paint(BOLD, called).end();
    changes.iter().for_each(|change| one(&mut page, change));
    page.finish()
}

/// What a node is called: also by its name in `/run/netns` where the plan takes one away and makes another that the
/// file calls the same.
fn called(plan: &Plan, node: &Node) -> String {
    let made = plan.wanted.is_made(node) || plan.base.is_made(node);
    if made && plan.base.is_renamed(&plan.wanted) { format!("{node} ({})", node.as_str()) } else { node.to_string() }
}

/// The line for a plan in which nothing changes.
fn nothing(plan: &Plan) -> String {
    let mut page = Page::new();
    page.paint(ADD, "No changes.");
    if plan.wanted.items.is_empty() {
        page.put(format!(" There is nothing of topology {} here.", plan.base.topology));
    } else {
        page.put(format!(" Topology {} is as the file wants it.", plan.base.topology));
    }
    page.end();
    page.finish()
}

/// The nodes of a plan: what each is called, how many of its changes are of which kind, and the changes in full.
pub fn nodes(plan: &Plan) -> Vec<(String, Counts, String)> {
    let each = |(node, changes): (&Node, Vec<&Change>)| {
        let (mut counts, mut page) = (Counts::default(), Page::new());
        changes.iter().for_each(|change| counts.note(change.action));
        changes.iter().for_each(|change| one(&mut page, change));
        (called(plan, node), counts, page.finish())
    };
    by_node(plan).into_iter().map(each).collect()
}

/// The changes of each node, the host first, in the order in which a node gets its parts.
fn by_node(plan: &Plan) -> Vec<(&Node, Vec<&Change>)> {
    let mut nodes: BTreeMap<&Node, Vec<&Change>> = BTreeMap::new();
    for change in visible(plan) {
        nodes.entry(change.id.node()).or_default().push(change);
    }
    for changes in nodes.values_mut() {
        changes.sort_by_cached_key(|change| (class(change), change.id.link().map(|link| natural(link.name.as_str()))));
    }
    let mut nodes: Vec<(&Node, Vec<&Change>)> = nodes.into_iter().collect();
    nodes.sort_by_cached_key(|(node, _)| (!node.is_host(), natural(node.short())));
    nodes
}

fn class(change: &Change) -> Option<Class> {
    change.after.as_ref().or(change.before.as_ref()).map(Resource::class)
}

/// The sign of an action, and its colour.
pub fn sign(action: Action) -> (&'static str, Style) {
    match action {
        Action::Create => ("+", ADD),
        Action::Update | Action::Move => ("~", CHANGE),
        Action::Replace => ("-/+", REMOVE),
        Action::Delete => ("-", REMOVE),
    }
}

fn one(page: &mut Page, change: &Change) {
    let (sign, style) = sign(change.action);
    page.put("  ").paint(style, format!("{sign:>3}")).put(" ").put(name(&change.id));
    let words = match change.action {
        Action::Create | Action::Replace | Action::Move => change.after.as_ref().map(detail),
        Action::Delete => change.before.as_ref().map(seen),
        Action::Update => None,
    };
    let words = words.unwrap_or_default();
    if !words.is_empty() {
        let colon = if words.starts_with('=') { " " } else { ": " };
        page.put(colon).paint(DIM, words);
    }
    if let Some(note) = note(change) {
        page.paint(DIM, format!("  ({note})"));
    }
    page.end();
    for drift in &change.drift {
        field(page, drift);
    }
    if matches!(change.action, Action::Create | Action::Delete) {
        lines(page, change);
    }
    losses(page, change);
}

/// What a change does to what is there.
fn note(change: &Change) -> Option<String> {
    match change.action {
        Action::Create | Action::Delete => None,
        Action::Move => Some("moves: it is down for a moment".to_owned()),
        Action::Replace => {
            let because: Vec<&str> = change
                .drift
                .iter()
                .filter(|drift| drift.impact == Impact::Replace)
                .map(|drift| drift.field.as_str())
                .collect();
            Some(if because.is_empty() {
                "re-creates".to_owned()
            } else {
                format!("re-creates: {} cannot be changed in place", because.join(", "))
            })
        }
        Action::Update => Some(match impact(&change.drift) {
            Impact::InPlace if matches!(&change.before, Some(Resource::Table(table)) if table.counts()) => {
                "in place; its counters begin at 0".to_owned()
            }
            Impact::InPlace => "in place".to_owned(),
            Impact::Flap => "flaps the link".to_owned(),
            Impact::Replace => "re-creates".to_owned(),
        }),
    }
}

fn field(page: &mut Page, drift: &Drift) {
    page.put("        ");
    match (drift.old.as_str(), drift.new.as_str()) {
        ("", new) => page.paint(ADD, "+").put(format!(" {}: {new}", drift.field)),
        (old, "") => page.paint(REMOVE, "-").put(format!(" {}: {old}", drift.field)),
        (old, new) => page.put(format!("{}: ", drift.field)).paint(REMOVE, old).put(" -> ").paint(ADD, new),
    };
    page.end();
}

/// The rules and lines that come or go with a table or file.
fn lines(page: &mut Page, change: &Change) {
    let (resource, sign, style) = match (&change.after, &change.before) {
        (Some(after), _) => (after, "+", ADD),
        (None, Some(before)) => (before, "-", REMOVE),
        (None, None) => return,
    };
    let lines = match resource {
        Resource::Table(table) => table.lines(),
        Resource::Insert(insert) => insert.rules.iter().map(|rule| rule.in_family(&insert.chain.family)).collect(),
        Resource::File(file) => file.content.lines().skip(1).map(str::to_owned).collect(),
        _ => return,
    };
    for line in lines {
        page.put("        ").paint(style, sign).put(" ").paint(PLAIN, line).end();
    }
}

/// The plan in a few lines: how many of each kind, and how many in each node.
pub fn summary(plan: &Plan) -> String {
    if plan.changes.is_empty() {
        return nothing(plan);
    }
    let mut kinds: BTreeMap<&str, Counts> = BTreeMap::new();
    let mut nodes: BTreeMap<(bool, Natural), Counts> = BTreeMap::new();
    for change in visible(plan) {
        let node = change.id.node();
        kinds.entry(change.id.kind()).or_default().note(change.action);
        nodes.entry((!node.is_host(), natural(node.short()))).or_default().note(change.action);
    }
    for (node, unread) in unread(plan).into_iter().filter(|(_, unread)| *unread > 0) {
        kinds.entry("within them").or_default().destroy += unread;
        nodes.entry((!node.is_host(), natural(node.short()))).or_default().destroy += unread;
    }
    let mut page = Page::new();
    page.put("Topology ").paint(BOLD, plan.base.topology.as_str()).put(":").end();
    table(&mut page, "KIND", kinds.into_iter());
    table(&mut page, "NODE", nodes.iter().map(|((_, node), counts)| (node.text(), *counts)));
    let whole = plan
        .changes
        .iter()
        .filter(|change| matches!(&change.before, Some(Resource::Namespace(namespace)) if namespace.whole))
        .count();
    if whole > 0 {
        let (goes, them) = if whole == 1 { ("goes", "it") } else { ("go", "them") };
        page.end().put(format!("  {} {goes} with all that is in {them}.", count(whole, "namespace"))).end();
    }
    page.end();
    page.finish()
}

fn table<'a>(page: &mut Page, head: &str, rows: impl Iterator<Item = (&'a str, Counts)>) {
    let rows: Vec<(&str, Counts)> = rows.collect();
    let wide = rows.iter().map(|(name, _)| width(name)).max().unwrap_or(0).max(10);
    page.end().put("  ").paint(DIM, format!("{} {:>6} {:>6} {:>6}", left(head, wide), "+", "~", "-")).end();
    // Equal rows of a big plan say more as one line.
    let many = rows.len() > MANY;
    let mut rest = rows.as_slice();
    while let Some((first, tail)) = rest.split_first() {
        let same = if many { tail.iter().take_while(|row| row.1 == first.1).count() } else { 0 };
        let counts = first.1;
        let cells = format!(" {:>6} {:>6} {:>6}", counts.add, counts.change, counts.destroy);
        page.put(format!("  {}", left(first.0, wide))).put(cells);
        if let Some((last, _)) = same.checked_sub(1).and_then(|at| tail.get(at)) {
            page.paint(DIM, format!("  each of {} up to {last}", same + 1));
        }
        page.end();
        rest = tail.get(same..).unwrap_or_default();
    }
}
