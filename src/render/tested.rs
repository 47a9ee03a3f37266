//! What came of checks: a table, JSON, JUnit.

use super::order::{cut, left, width};
use super::page::{ADD, BOLD, CHANGE, DIM, PLAIN, Page, REMOVE, escape};
use crate::resource::Name;
use crate::resource::probe::{Check, Outcome, Verdict};
use anstyle::Style;
use schemars::JsonSchema;
use serde::Serialize;
use std::fmt::Write;
use std::time::Duration;

/// The checks of a topology, and what came of each.
#[derive(Clone, Copy, Debug)]
pub struct Tested<'a> {
    /// The topology.
    pub topology: &'a Name,
    /// Its checks.
    pub checks: &'a [Check],
    /// What came of them, in their order.
    pub outcomes: &'a [Outcome],
    /// Why checks failed, by their places.
    pub why: &'a [(usize, String)],
}

impl<'a> Tested<'a> {
    /// Each check, what came of it, and what that means.
    pub fn each(self) -> impl Iterator<Item = (&'a Check, &'a Outcome, Verdict)> {
        self.checks.iter().zip(self.outcomes).map(|(check, outcome)| (check, outcome, outcome.verdict(check)))
    }

    fn why_of(self, nth: usize) -> Option<&'a str> {
        self.why.iter().find(|(of, _)| *of == nth).map(|(_, why)| why.as_str())
    }

    fn count(self, verdict: Verdict) -> usize {
        self.each().filter(|(_, _, own)| *own == verdict).count()
    }

    /// Whether no check failed.
    pub fn is_good(self) -> bool {
        self.count(Verdict::Failed) == 0 && self.count(Verdict::Error) == 0
    }
}

fn style(verdict: Verdict) -> Style {
    match verdict {
        Verdict::Passed => ADD,
        Verdict::Failed | Verdict::Error => REMOVE,
        Verdict::Skipped => CHANGE,
    }
}

/// The table, and a line that counts.
pub fn text(tested: Tested<'_>, took: Duration) -> String {
    let table = Table::of(tested.checks);
    let rows: String = tested.each().map(|(check, outcome, _)| table.row(check, outcome)).collect();
    table.head() + &rows + &foot(tested, took)
}

/// The columns of the table, known before anything was tried.
#[derive(Clone, Copy, Debug)]
pub struct Table {
    name: usize,
    from: usize,
    what: usize,
    empty: bool,
}

impl Table {
    /// The table of these checks.
    pub fn of(checks: &[Check]) -> Self {
        let widest = |head: &str, cell: &dyn Fn(&Check) -> String| {
            checks.iter().map(|check| width(&escape(&cell(check)))).max().unwrap_or(0).max(head.len()).min(60)
        };
        Self {
            name: widest("NAME", &named),
            from: widest("FROM", &|check| check.from.to_string()),
            what: widest("WHAT", &|check| check.words.clone()),
            empty: checks.is_empty(),
        }
    }

    /// Its head; nothing where there is nothing below it.
    pub fn head(self) -> String {
        let mut page = Page::new();
        if !self.empty {
            let (name, from, what) = (left("NAME", self.name), left("FROM", self.from), left("WHAT", self.what));
            page.paint(DIM, format!("{name}  {from}  {what}  EXPECTED  RESULT   {:>8}", "TIME")).end();
        }
        page.finish()
    }

    /// A line of it, and below it what was seen instead where it is not as expected.
    pub fn row(self, check: &Check, outcome: &Outcome) -> String {
        let mut page = Page::new();
        let verdict = outcome.verdict(check);
        page.paint(BOLD, cell(&named(check), self.name))
            .put("  ")
            .put(cell(check.from.short(), self.from))
            .put("  ")
            .put(cell(&check.words, self.what));
        page.put(format!("  {:<8}  ", check.expected()))
            .paint(style(verdict), format!("{verdict:<7}"))
            .put(format!("  {:>8}", time(outcome.took)))
            .end();
        if verdict != Verdict::Passed {
            page.put("    ")
                .paint(if verdict == Verdict::Skipped { PLAIN } else { REMOVE }, reason(check, outcome))
                .end();
        }
        page.finish()
    }
}

/// Why checks failed, below the table.
pub fn whys(checks: &[Check], why: &[(usize, String)]) -> String {
    let mut page = Page::new();
    for (nth, text) in why {
        let words = checks.get(*nth).map_or("", |check| check.words.as_str());
        page.paint(BOLD, words).put(": ").put(text).end();
    }
    page.finish()
}

/// The line below the table.
pub fn foot(tested: Tested<'_>, took: Duration) -> String {
    let mut page = Page::new();
    if tested.checks.is_empty() {
        page.line(format!("Topology {} has no checks.", tested.topology));
    } else {
        page.put(tally(tested)).put(format!(" in {}.", time(took))).end();
    }
    page.finish()
}

fn named(check: &Check) -> String {
    check.name.clone().unwrap_or_else(|| "-".to_owned())
}

/// `lab: 3 passed, 1 failed`
pub fn tally(tested: Tested<'_>) -> String {
    let counts = [
        (Verdict::Passed, "passed"),
        (Verdict::Failed, "failed"),
        (Verdict::Error, "could not be tried"),
        (Verdict::Skipped, "skipped"),
    ];
    let told = counts
        .iter()
        .map(|(verdict, word)| (tested.count(*verdict), *verdict, word))
        .filter(|(count, verdict, _)| *count > 0 || *verdict == Verdict::Passed);
    format!(
        "{}: {}",
        tested.topology,
        told.map(|(count, _, word)| format!("{count} {word}")).collect::<Vec<_>>().join(", ")
    )
}

/// What was seen instead of what was expected, and how often.
pub fn reason(check: &Check, outcome: &Outcome) -> String {
    let worked = outcome.verdict(check) == Verdict::Failed && !check.expect;
    let seen = outcome.tried.reason();
    let seen = if worked { format!("it works, and should not: {seen}") } else { seen.to_owned() };
    if outcome.tries > 1 { format!("{seen} ({} tries)", outcome.tries) } else { seen }
}

/// A cell of the table: escaped first, so that its width is what is seen; what is too long ends in dots.
fn cell(text: &str, most: usize) -> String {
    left(&cut(&escape(text), most), most)
}

/// `0.3 ms`, `142 ms`, `2.0 s`.
fn time(time: Duration) -> String {
    let millis = time.as_secs_f64() * 1e3;
    match millis {
        _ if millis < 10.0 => format!("{millis:.1} ms"),
        _ if millis < 1_000.0 => format!("{millis:.0} ms"),
        _ => format!("{:.1} s", millis / 1e3),
    }
}

/// Output of `topo test --json`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Tests {
    /// The version of this format.
    pub format_version: u32,
    /// Whether no check failed.
    pub passed: bool,
    /// The topologies, in the order of the files.
    pub topologies: Vec<TestedView>,
}

/// The checks of a topology.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TestedView {
    /// The topology.
    pub topology: String,
    /// Its checks, in the order of the file.
    pub checks: Vec<CheckView>,
}

/// A check and what came of it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CheckView {
    /// Its name, where the file gives it one.
    pub name: Option<String>,
    /// The node it was tried from.
    pub from: String,
    /// `ping`, `tcp`, `udp`, `http`, `dns` or `command`.
    pub kind: &'static str,
    /// What was tried, in a line.
    pub what: String,
    /// `pass` or `fail`.
    pub expected: &'static str,
    /// `passed`, `failed`, `error` (it could not be tried) or `skipped`.
    pub result: String,
    /// What was seen, or why not.
    pub reason: String,
    /// What stops a packet like that of the check, where it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub explanation: Option<String>,
    /// How many times it was tried.
    pub tries: u32,
    /// How long it took, all tries together, in seconds.
    pub seconds: f64,
    /// The file, `-` for standard input.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
}

/// What programs read.
pub fn json(all: &[Tested<'_>]) -> Tests {
    let view = |why: Option<&str>, (check, outcome, verdict): (&Check, &Outcome, Verdict)| CheckView {
        name: check.name.clone(),
        from: check.from.to_string(),
        kind: check.probe.kind(),
        what: check.words.clone(),
        expected: check.expected(),
        result: verdict.to_string(),
        reason: outcome.tried.reason().to_owned(),
        explanation: why.map(str::to_owned),
        tries: outcome.tries,
        seconds: seconds(outcome.took),
        file: check.origin.file.clone(),
        line: check.origin.line,
    };
    Tests {
        format_version: super::format::FORMAT_VERSION,
        passed: all.iter().all(|tested| tested.is_good()),
        topologies: all
            .iter()
            .map(|tested| TestedView {
                topology: tested.topology.to_string(),
                checks: tested.each().enumerate().map(|(nth, each)| view(tested.why_of(nth), each)).collect(),
            })
            .collect(),
    }
}

/// In seconds, to the microsecond.
fn seconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e6
}

/// What CI systems read: one suite per topology, one case per check.
pub fn junit(all: &[Tested<'_>]) -> String {
    let mut text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n".to_owned();
    for tested in all {
        let total: Duration = tested.outcomes.iter().map(|outcome| outcome.took).sum();
        // Writing to a String does not fail.
        let _ = writeln!(
            text,
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\" time=\"{:.3}\">",
            xml(tested.topology.as_str()),
            tested.checks.len(),
            tested.count(Verdict::Failed),
            tested.count(Verdict::Error),
            tested.count(Verdict::Skipped),
            total.as_secs_f64()
        );
        for (nth, each) in tested.each().enumerate() {
            case(&mut text, tested.topology, each, tested.why_of(nth));
        }
        text.push_str("  </testsuite>\n");
    }
    text + "</testsuites>\n"
}

fn case(text: &mut String, topology: &Name, each: (&Check, &Outcome, Verdict), why: Option<&str>) {
    let (check, outcome, verdict) = each;
    let class = format!("{topology}.{}", check.from);
    let _ = write!(
        text,
        "    <testcase classname=\"{}\" name=\"{}\" file=\"{}\" line=\"{}\" time=\"{:.3}\"",
        xml(&class),
        xml(&check.title()),
        xml(&check.origin.file),
        check.origin.line,
        outcome.took.as_secs_f64()
    );
    let element = match verdict {
        Verdict::Passed => {
            text.push_str("/>\n");
            return;
        }
        Verdict::Failed => "failure",
        Verdict::Error => "error",
        Verdict::Skipped => "skipped",
    };
    let message = format!("{}: expected to {}, {}", check.words, check.expected(), reason(check, outcome));
    let message = why.map_or(message.clone(), |why| format!("{message}; {why}"));
    let _ = writeln!(text, ">\n      <{element} message=\"{}\"/>\n    </testcase>", xml(&message));
}

/// For an attribute of XML, which takes no control characters at all.
fn xml(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in escape(text).chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\u{fffe}' | '\u{ffff}' => safe.push('\u{fffd}'),
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::probe::{Probe, Tried};

    fn check(words: &str, expect: bool) -> Check {
        Check {
            name: Some(format!("{words} & <more> \"quoted\"\x1b")),
            from: "RED".into(),
            probe: Probe::Tcp { to: "10.0.0.1:80".parse().unwrap() },
            words: words.to_owned(),
            expect,
            retries: 0,
            timeout: Duration::from_secs(1),
            origin: Default::default(),
        }
    }

    #[test]
    fn all_three_forms() {
        let checks = [check("one", true), check("two", false), check("three", true)];
        let outcome = |tried, tries| Outcome { tried, tries, took: Duration::from_millis(1500) };
        let outcomes = [
            outcome(Tried::Failed("refused\n".to_owned()), 3),
            outcome(Tried::Worked("there".to_owned()), 1),
            outcome(Tried::Worked("there".to_owned()), 1),
        ];
        let name = "lab".into();
        let tested = Tested { topology: &name, checks: &checks, outcomes: &outcomes, why: &[] };
        let table = text(tested, Duration::from_millis(12));
        assert!(table.contains("refused\\n (3 tries)") && table.contains("it works, and should not: there"), "{table}");
        assert!(table.ends_with("lab: 1 passed, 2 failed in 12 ms.\n"), "{table}");
        assert!(!table.contains("\x1b[31mone &"), "{table}");
        let xml = junit(&[tested]);
        assert!(
            xml.contains("tests=\"3\" failures=\"2\" errors=\"0\"")
                && xml.contains("one &amp; &lt;more&gt; &quot;quoted&quot;\\u{1b}"),
            "{xml}"
        );
        assert!(!json(&[tested]).passed);
    }
}
