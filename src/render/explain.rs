//! The way of a packet: a table, and what stops it; JSON; a matrix of who reaches whom.

use super::order::{cut, left, width, wrapped};
use super::page::{ADD, BOLD, CHANGE, DIM, PLAIN, Page, REMOVE};
use crate::document::yaml::source::Source;
use crate::flow::outcome::{By, End, Explanation, Fix, Path, Stop, Verdict};
use crate::flow::packet::{Packet, Protocol};
use crate::resource::{Node, Origin, Origins, RawRules, ResourceId};

/// Where what decides is written.
#[derive(Clone, Copy, Debug)]
pub struct Written<'a> {
    /// The file.
    pub source: &'a Source,
    /// Who asked for what.
    pub origins: &'a Origins,
    /// Where rules in nft's words stand.
    pub raw: &'a RawRules,
}

impl<'a> Written<'a> {
    pub(super) fn place(self, by: &By) -> Option<&'a Origin> {
        let id = by.id.as_ref()?;
        let raw = by.rule.as_ref().and_then(|rule| self.raw.get(&(id.clone(), rule.clone())));
        // What a switch writes besides is written where the switch is.
        let switch = || match id {
            ResourceId::Sysctl(node, key) if key.ends_with("/forwarding") => {
                let key = if key.contains("/ipv4/") { "net/ipv4/ip_forward" } else { "net/ipv6/conf/all/forwarding" };
                self.origins.get(&ResourceId::Sysctl(node.clone(), key.to_owned()))
            }
            _ => None,
        };
        raw.or_else(|| self.origins.get(id)).or_else(switch).filter(|origin| origin.line > 0)
    }
}

/// A flow in one line: `tcp 80 from A (10.0.0.1) to B (10.0.1.2)`.
pub fn question(from: &str, to: &str, packet: &Packet) -> String {
    let what = match packet.protocol {
        Protocol::Icmp => "ping".to_owned(),
        protocol => format!("{protocol}/{}", packet.port),
    };
    let to =
        if to == packet.destination.to_string() { to.to_owned() } else { format!("{to} ({})", packet.destination) };
    format!("{what} from {from} to {to}")
}

/// The table, and below it the verdict.
pub fn text(title: &str, explanation: &Explanation, written: Option<Written<'_>>) -> String {
    let mut page = Page::new();
    page.paint(BOLD, title).end().end();
    let paths = [
        ("", Some(&explanation.forth)),
        ("the answer", explanation.back.as_ref()),
        ("what follows", explanation.data.as_ref()),
    ];
    let all = || paths.iter().filter_map(|(_, path)| *path);
    let columns = Columns::of(all());
    // What follows the answer goes the same way, and is shown where it does not get through.
    let shown = |name: &str, path: &Path| name != "what follows" || !matches!(path.end, End::Delivered { .. });
    for (name, path) in paths.iter().filter_map(|(name, path)| path.map(|path| (*name, path))) {
        if !shown(name, path) {
            continue;
        }
        if !name.is_empty() {
            page.paint(DIM, format!("{name}:")).end();
        }
        rows(&mut page, path, columns, written);
    }
    page.end();
    verdict(&mut page, explanation, written);
    page.finish()
}

#[derive(Clone, Copy)]
struct Columns {
    node: usize,
    interface: usize,
}

/// How wide a line is at most.
const WIDTH: usize = 80;

impl Columns {
    fn of<'a>(paths: impl Iterator<Item = &'a Path> + Clone) -> Self {
        let steps = || paths.clone().flat_map(|path| &path.steps);
        let ends = || paths.clone().filter_map(|path| stop_of(&path.end));
        let nodes = steps().map(|step| &step.node).chain(ends().map(|stop| &stop.node));
        let interfaces = steps().map(|step| &step.interface).chain(ends().map(|stop| &stop.interface));
        Self {
            node: nodes.map(|node| width(node.short())).max().unwrap_or(0).clamp(4, 20),
            interface: interfaces.flatten().map(|name| width(name)).max().unwrap_or(0).clamp(4, 15),
        }
    }

    fn indent(self) -> usize {
        self.node + self.interface + 6
    }
}

pub(super) fn stop_of(end: &End) -> Option<&Stop> {
    match end {
        End::Delivered { .. } => None,
        End::Stopped(stop) | End::Unknown(stop) => Some(stop),
    }
}

fn rows(page: &mut Page, path: &Path, columns: Columns, written: Option<Written<'_>>) {
    let mut last: Option<&Node> = None;
    for step in &path.steps {
        let node = if last == Some(&step.node) { "" } else { step.node.short() };
        last = Some(&step.node);
        let interface = step.interface.as_deref().unwrap_or("");
        page.put("  ").paint(BOLD, left(&cut(node, columns.node), columns.node)).put("  ");
        page.put(left(&cut(interface, columns.interface), columns.interface)).put("  ").put(&step.what).end();
        by_line(page, step.by.as_ref(), columns, written);
    }
    if let Some(stop) = stop_of(&path.end) {
        let style = if matches!(path.end, End::Unknown(_)) { CHANGE } else { REMOVE };
        let sign = if matches!(path.end, End::Unknown(_)) { "? " } else { "x " };
        let node = if last == Some(&stop.node) { "" } else { stop.node.short() };
        page.paint(style, sign).paint(BOLD, left(&cut(node, columns.node), columns.node)).put("  ");
        page.put(left(&cut(stop.interface.as_deref().unwrap_or(""), columns.interface), columns.interface)).put("  ");
        let mut lines = wrapped(&stop.what, WIDTH - columns.indent(), 0).into_iter();
        page.paint(style, lines.next().unwrap_or_default()).end();
        for line in lines {
            page.put(" ".repeat(columns.indent())).paint(style, line).end();
        }
        by_line(page, stop.by.as_ref(), columns, written);
    }
}

/// What decided, below the step, with its place in the file.
fn by_line(page: &mut Page, by: Option<&By>, columns: Columns, written: Option<Written<'_>>) {
    let Some(by) = by else { return };
    let place =
        written.and_then(|written| written.place(by)).map(|origin| format!(" ({}:{})", origin.file, origin.line));
    for line in wrapped(&format!("{}{}", by.text, place.unwrap_or_default()), WIDTH - columns.indent(), 0) {
        page.put(" ".repeat(columns.indent())).paint(DIM, line).end();
    }
}

fn verdict(page: &mut Page, explanation: &Explanation, written: Option<Written<'_>>) {
    let which = match (&explanation.back, &explanation.data) {
        (None, _) => "",
        (Some(_), None) => "The answer: ",
        (Some(_), Some(_)) => "After the answer: ",
    };
    match explanation.reason() {
        None => _ = page.paint(ADD, "Reaches.").put(" The packet arrives, and its answer comes back.").end(),
        Some(End::Unknown(stop)) => {
            page.paint(CHANGE, "Cannot say.");
            let what = capital(which, &stop.what);
            say(page, &format!(" {which}{what} (in {}{})", stop.node, depends(stop)), "Cannot say.".len());
        }
        Some(End::Stopped(stop)) => {
            page.paint(REMOVE, format!("Stops at {}.", stop.node));
            say(page, &format!(" {which}{}", capital(which, &stop.what)), 10 + width(stop.node.short()));
            snippet(page, stop, written);
            fixes(page, stop);
        }
        Some(End::Delivered { .. }) => {}
    }
}

fn depends(stop: &Stop) -> String {
    stop.by.as_ref().map(|by| format!(": {}", by.text)).unwrap_or_default()
}

/// A sentence that begins behind so many columns.
fn say(page: &mut Page, text: &str, behind: usize) {
    let text = format!("{}.", text.trim_end_matches('.'));
    let lines = wrapped(&format!("{}{text}", "x".repeat(behind)), WIDTH, 0);
    for (nth, line) in lines.iter().enumerate() {
        page.put(if nth == 0 { line.get(behind..).unwrap_or_default() } else { line }).end();
    }
}

fn capital(before: &str, text: &str) -> String {
    let mut letters = text.chars();
    match letters.next() {
        Some(first) if before.is_empty() => first.to_uppercase().chain(letters).collect(),
        _ => text.to_owned(),
    }
}

/// The line of the file that decides, with a caret.
fn snippet(page: &mut Page, stop: &Stop, written: Option<Written<'_>>) {
    let Some(written) = written else { return };
    let Some(origin) = stop.by.as_ref().and_then(|by| written.place(by)) else { return };
    let Some(line) = written.source.text.part(origin.offset).text.lines().nth(origin.line - 1) else { return };
    let number = origin.line.to_string();
    let start = origin.column.saturating_sub(1);
    let before: String = line.chars().take(start).collect();
    let room = WIDTH.saturating_sub(number.len() + 5);
    let rest: String = line.chars().skip(start).collect();
    let length = width(&rest).min(origin.length.max(1)).min(room.saturating_sub(width(&before)).max(1));
    page.end().paint(DIM, format!("  {number} | ")).put(cut(line, room)).end();
    page.put(" ".repeat(number.len() + 3)).paint(DIM, "| ").put(" ".repeat(width(&before)));
    page.paint(REMOVE, "^".repeat(length)).end();
}

fn fixes(page: &mut Page, stop: &Stop) {
    for (nth, fix) in stop.fix.iter().enumerate() {
        let word = if nth == 0 { "To let it through" } else { "Or" };
        page.end().paint(BOLD, format!("{word}: {}", fix.what)).end();
        for line in whole(fix, &stop.node).lines() {
            page.put("  ").paint(ADD, line).end();
        }
    }
}

/// The keys of a fix with what they stand under in a file.
pub(super) fn whole(fix: &Fix, node: &Node) -> String {
    if node.is_host() {
        return fix.yaml.clone();
    }
    let lines: Vec<String> = fix.yaml.lines().map(|line| format!("  {line}")).collect();
    format!("namespaces:\n{}", lines.join("\n"))
}

/// An explanation in a sentence: what stops a packet, and where.
pub fn sentence(explanation: &Explanation) -> String {
    let by = |stop: &Stop| stop.by.as_ref().map(|by| format!(" ({})", by.text)).unwrap_or_default();
    let way = if matches!(explanation.forth.end, End::Delivered { .. }) { "the answer " } else { "" };
    match explanation.reason() {
        Some(End::Stopped(stop)) => format!("{way}stops at {}: {}{}", stop.node, stop.what, by(stop)),
        Some(End::Unknown(stop)) => format!("it cannot be said why: {} in {}{}", stop.what, stop.node, by(stop)),
        _ => "packets get there and back: it is the program that does not answer so".to_owned(),
    }
}

/// What becomes of every flow between nodes: rows send, columns receive.
pub fn matrix(nodes: &[&Node], verdicts: &[Vec<Option<Verdict>>]) -> String {
    let mut page = Page::new();
    let wide = nodes.iter().map(|node| width(node.short())).max().unwrap_or(0).clamp(4, 20);
    let cell = nodes.iter().map(|node| width(node.short())).max().unwrap_or(0).clamp(3, 8);
    // No line ends in blanks.
    let padded = |word: &str, nth: usize| if nth + 1 < nodes.len() { left(word, cell) } else { word.to_owned() };
    page.paint(DIM, left("FROM", wide));
    for (nth, node) in nodes.iter().enumerate() {
        page.put(" ").paint(BOLD, padded(&cut(node.short(), cell), nth));
    }
    page.end();
    for (from, row) in nodes.iter().zip(verdicts) {
        page.paint(BOLD, left(&cut(from.short(), wide), wide));
        for (nth, verdict) in row.iter().enumerate() {
            let (style, word) = match verdict {
                None => (DIM, "."),
                Some(Verdict::Reaches) => (ADD, "yes"),
                Some(Verdict::Stops) => (REMOVE, "no"),
                Some(Verdict::CannotSay) => (CHANGE, "?"),
            };
            page.put(" ").paint(style, padded(word, nth));
        }
        page.end();
    }
    let count = |wanted| verdicts.iter().flatten().filter(|verdict| **verdict == Some(wanted)).count();
    page.end().paint(
        PLAIN,
        format!(
            "{} reach, {} stop, {} cannot be said.",
            count(Verdict::Reaches),
            count(Verdict::Stops),
            count(Verdict::CannotSay)
        ),
    );
    page.end_and_finish()
}

/// That what was seen is not what the walk says.
pub fn otherwise(model: &str) -> String {
    let mut page = Page::new();
    page.end().paint(CHANGE, "topo explain says otherwise:").end();
    let text =
        format!("{model}. One of the two is wrong: please report it, with the file and what others have in its nodes.");
    for line in wrapped(&text, WIDTH - 2, 0) {
        page.put("  ").put(line).end();
    }
    page.end_and_finish()
}
