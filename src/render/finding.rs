//! Findings, conflicts and failures with the place in the file that they are about.

use super::page::{escape, is_unsafe};
use crate::document::yaml::source::{Part, Source};
use crate::document::{Finding, Label, Severity};
use crate::resource::Origin;
use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError, MietteSpanContents, SourceCode,
    SourceSpan, SpanContents,
};
use std::collections::HashMap;
use std::fmt;

/// So many findings of a file are shown; of the rest only the number.
pub const SHOWN: usize = 50;

/// A line longer than this is not quoted.
const LONGEST_LINE: usize = 400;

/// How findings are drawn.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// With colours.
    pub color: bool,
    /// With line-drawing characters, else ASCII.
    pub unicode: bool,
    /// Columns.
    pub width: usize,
}

/// The findings of a file, errors and warnings in the order given, at most [`SHOWN`] of them, errors before warnings if
/// there are more. Of warnings with one code the first is drawn, and the others have a line each below it.
pub fn findings(source: &Source, findings: &[Finding], look: Look) -> String {
    if findings.is_empty() {
        return String::new();
    }
    let (handler, texts) = (handler(look), Texts::new(source));
    let mut shown: Vec<&Finding> = findings.iter().collect();
    if shown.len() > SHOWN {
        shown.sort_by_key(|finding| finding.severity);
    }
    let mut out = String::new();
    let mut warned: HashMap<&str, Vec<&Finding>> = HashMap::new();
    for finding in shown.iter().take(SHOWN).filter(|finding| finding.severity == Severity::Warning) {
        warned.entry(finding.code).or_default().push(finding);
    }
    for finding in shown.iter().take(SHOWN) {
        if finding.severity == Severity::Error {
            texts.draw(&mut out, &handler, finding);
        } else if let Some(alike) = warned.remove(finding.code) {
            texts.draw(&mut out, &handler, finding);
            // What it means and what to do was said.
            let others: Vec<String> = alike.iter().skip(1).map(|other| texts.brief(other)).collect();
            if !others.is_empty() {
                out.pop();
                others.iter().for_each(|line| out.push_str(line));
                out.push('\n');
            }
        }
    }
    if let Some(rest) = shown.len().checked_sub(SHOWN).filter(|rest| *rest > 0) {
        out.push_str(&format!("and {rest} more in {}\n", escape(&source.name)));
    }
    out
}

/// How many there are: `lab.yaml: 2 errors, 1 warning`; nothing for a file without any.
pub fn tally(source: &Source, findings: &[Finding]) -> String {
    let errors = findings.iter().filter(|finding| finding.severity == Severity::Error).count();
    let parts = [(errors, "error"), (findings.len() - errors, "warning")];
    let parts: Vec<String> = parts
        .iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, noun)| super::page::count(*number, noun))
        .collect();
    if parts.is_empty() { String::new() } else { format!("{}: {}\n", escape(&source.name), parts.join(", ")) }
}

/// One problem at a place of a file, drawn like a finding.
pub fn at(
    source: &Source,
    origin: &Origin,
    code: &'static str,
    message: &str,
    help: Option<String>,
    look: Look,
) -> String {
    let labels =
        vec![Label { offset: origin.offset, length: origin.length, text: "asked for here".to_owned(), round: 0 }];
    let finding = Finding { code, severity: Severity::Error, message: message.to_owned(), labels, help, more: 0 };
    findings(source, &[finding], look)
}

/// A warning about what a place of a file asks for.
pub fn warning(origin: &Origin, code: &'static str, message: String) -> Finding {
    let labels = vec![Label { offset: origin.offset, length: origin.length, text: String::new(), round: 0 }];
    Finding { code, severity: Severity::Warning, message, labels, help: None, more: 0 }
}

/// One problem that is at no place of any file.
pub fn nowhere(message: &str, help: Option<String>, look: Look) -> String {
    let source = Source { name: String::new(), text: "".into() };
    let finding =
        Finding { code: "", severity: Severity::Error, message: message.to_owned(), labels: Vec::new(), help, more: 0 };
    findings(&source, &[finding], look)
}

fn handler(look: Look) -> GraphicalReportHandler {
    let theme = match (look.unicode, look.color) {
        (true, true) => GraphicalTheme::unicode(),
        (true, false) => GraphicalTheme::unicode_nocolor(),
        (false, color) => {
            let mut theme = GraphicalTheme::ascii();
            if !color {
                theme.styles = GraphicalTheme::none().styles;
            }
            theme
        }
    };
    GraphicalReportHandler::new_themed(theme)
        .with_width(look.width)
        .with_links(false)
        .with_context_lines(1)
        .without_syntax_highlighting()
}

fn draw(out: &mut String, handler: &GraphicalReportHandler, text: &Text, finding: &Finding) {
    let quoted = finding.labels.iter().all(|label| text.is_quotable(label));
    let place = finding.labels.first().filter(|_| !quoted).map(|label| text.place(label.offset)).unwrap_or_default();
    let problem = Problem {
        finding,
        text: (quoted && !finding.labels.is_empty()).then_some(text),
        message: format!("{}{place}", hide(&finding.message)),
    };
    if handler.render_report(out, &problem).is_err() {
        out.push_str(&problem.message);
    }
    while out.ends_with("\n\n") {
        out.pop();
    }
    out.push('\n');
}

/// The files of a topology as they are shown.
struct Texts {
    /// Each with where its places begin.
    files: Vec<(usize, Text)>,
}

impl Texts {
    fn new(source: &Source) -> Self {
        let shown = |part: Part<'_>| (part.base, Text::new(part.name.unwrap_or(&source.name), part.text));
        Self { files: source.text.parts().map(shown).collect() }
    }

    /// The file with a place, and where its places begin.
    fn of(&self, offset: usize) -> Option<(usize, &Text)> {
        let behind = self.files.partition_point(|(base, _)| *base <= offset);
        self.files.get(behind.saturating_sub(1)).map(|(base, text)| (*base, text))
    }

    /// A finding in one line.
    fn brief(&self, finding: &Finding) -> String {
        let place = |label: &Label| self.of(label.offset).map(|(base, text)| text.place(label.offset - base));
        let place = finding.labels.first().and_then(place).unwrap_or_default();
        format!("  also: {}{place}\n", hide(&finding.message))
    }

    /// Draws a finding in the file where it is; places in others are named below it.
    fn draw(&self, out: &mut String, handler: &GraphicalReportHandler, finding: &Finding) {
        let first = finding.labels.first().map_or(0, |label| label.offset);
        let Some((base, text)) = self.of(first) else { return };
        let mut local = Finding { labels: Vec::new(), ..finding.clone() };
        for label in &finding.labels {
            match self.of(label.offset) {
                Some((other, _)) if other == base => {
                    local.labels.push(Label { offset: label.offset - base, ..label.clone() });
                }
                Some((other, there)) => {
                    let what = if label.text.is_empty() { "also" } else { &label.text };
                    let line = format!("{what}{}", there.place(label.offset - other));
                    local.help = Some(local.help.map_or(line.clone(), |help| format!("{help}\n{line}")));
                }
                None => {}
            }
        }
        draw(out, handler, text, &local);
    }
}

/// A file as it is shown: keys hidden, control characters made harmless, byte for byte as long as it was.
#[derive(Debug)]
struct Text {
    name: String,
    text: String,
    /// Where each line starts.
    lines: Vec<usize>,
}

impl Text {
    fn new(name: &str, text: &str) -> Self {
        let text = mask(text);
        let lines = std::iter::once(0)
            .chain(text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1))
            .collect();
        Self { name: escape(name), text, lines }
    }

    /// The line, from 0, in which an offset lies.
    fn line(&self, offset: usize) -> usize {
        self.lines.partition_point(|start| *start <= offset).saturating_sub(1)
    }

    fn start(&self, line: usize) -> usize {
        self.lines.get(line).copied().unwrap_or(self.text.len())
    }

    /// Whether the lines around a label are short enough to be shown.
    fn is_quotable(&self, label: &Label) -> bool {
        let (first, last) = (self.line(label.offset), self.line(label.offset + label.length));
        last - first < 50
            && (first.saturating_sub(1)..=last + 1).all(|line| self.start(line + 1) - self.start(line) <= LONGEST_LINE)
    }

    fn place(&self, offset: usize) -> String {
        let line = self.line(offset);
        let column = self.text.get(self.start(line)..offset).map_or(0, |text| text.chars().count());
        format!(" (at {}:{}:{})", self.name, line + 1, column + 1)
    }
}

impl SourceCode for Text {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        // Without context it is asked where a span is, else for whole lines.
        let end = span.offset() + span.len();
        if before == 0 && after == 0 {
            let line = self.line(span.offset());
            let text = self.text.get(span.offset()..end).ok_or(MietteError::OutOfBounds)?;
            let column = self.text.get(self.start(line)..span.offset()).map_or(0, |text| text.chars().count());
            return Ok(Box::new(MietteSpanContents::new_named(
                self.name.clone(),
                text.as_bytes(),
                *span,
                line,
                column,
                1,
            )));
        }
        let first = self.line(span.offset()).saturating_sub(before);
        let last = self.line(end.saturating_sub(usize::from(!span.is_empty()))) + after;
        let (start, stop) = (self.start(first), self.start(last + 1));
        let text = self.text.get(start..stop).ok_or(MietteError::OutOfBounds)?;
        let text = text.strip_suffix('\n').unwrap_or(text);
        let whole = SourceSpan::new(start.into(), text.len());
        Ok(Box::new(MietteSpanContents::new_named(
            self.name.clone(),
            text.as_bytes(),
            whole,
            first,
            0,
            text.lines().count(),
        )))
    }
}

#[derive(Debug)]
struct Problem<'a> {
    finding: &'a Finding,
    text: Option<&'a Text>,
    message: String,
}

impl fmt::Display for Problem<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Problem<'_> {}

impl Diagnostic for Problem<'_> {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        (!self.finding.code.is_empty()).then(|| Box::new(self.finding.code) as Box<dyn fmt::Display>)
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.finding.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        let help = self.finding.help.as_deref()?;
        Some(Box::new(super::page::escape_lines(&mask(help))))
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.text.map(|text| text as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let text = self.text?;
        let labels = self.finding.labels.iter().map(move |label| {
            let (start, end) = (label.offset.min(text.text.len()), (label.offset + label.length).min(text.text.len()));
            LabeledSpan::new((!label.text.is_empty()).then(|| hide(&label.text)), start, end - start)
        });
        Some(Box::new(labels))
    }
}

/// A message without keys and control characters.
fn hide(message: &str) -> String {
    escape(&mask(message))
}

/// The text with every secret in it, and every character that a terminal would obey, overwritten; no byte moves.
pub fn mask(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let lower = line.to_ascii_lowercase();
        let secret =
            ["private-key:", "preshared-key:", "privatekey:", "presharedkey:", "private_key:", "preshared_key:"]
                .iter()
                .find_map(|key| Some(lower.find(key)? + key.len()));
        let public = lower.contains("public");
        let line_start = out.len();
        for c in line.chars() {
            let at = out.len() - line_start;
            match c {
                '\n' => out.push('\n'),
                '\t' => out.push('\t'),
                c if secret.is_some_and(|secret| at >= secret) && !" '\"{}[],".contains(c) => {
                    out.extend(std::iter::repeat_n('*', c.len_utf8()))
                }
                c if is_unsafe(c) => out.extend(std::iter::repeat_n('?', c.len_utf8())),
                c => out.push(c),
            }
        }
        if !public {
            mask_keys(&mut out, line_start);
        }
    }
    out
}

/// Overwrites what looks like a key of WireGuard's (44 characters of base64 with one `=` at the end) from `start` on.
fn mask_keys(text: &mut String, start: usize) {
    let is_base64 = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
    let Some(tail) = text.get(start..) else { return };
    let mut ranges = Vec::new();
    let mut at = start;
    for word in tail.as_bytes().chunk_by(|a, b| is_base64(a) == is_base64(b)) {
        if word.len() == 44 && word.iter().all(is_base64) && word.ends_with(b"=") {
            ranges.push(at..at + 44);
        }
        at += word.len();
    }
    for range in ranges {
        text.replace_range(range, &"*".repeat(44));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOOK: Look = Look { color: false, unicode: true, width: 100 };

    fn shown(text: &str, offset: usize, length: usize) -> String {
        let labels = vec![Label { offset, length, text: "here".into(), round: 0 }];
        let finding = Finding {
            code: "odd",
            severity: Severity::Error,
            message: "something is odd".into(),
            labels,
            help: Some("write it right".into()),
            more: 0,
        };
        findings(&Source { name: "a.yaml".into(), text: text.into() }, &[finding], LOOK)
    }

    #[test]
    fn a_finding_points_at_its_line() {
        let out = shown("name: a\nhost:\n  what: 1\n", 16, 4);
        assert!(out.contains("a.yaml:3:3"), "{out}");
        assert!(out.contains("write it right") && out.contains("odd"), "{out}");
    }

    #[test]
    fn an_end_of_file_can_be_shown() {
        let out = shown("name: a", 7, 0);
        assert!(out.contains("a.yaml:1:8"), "{out}");
        assert!(shown("", 0, 0).contains("something is odd"));
        assert!(shown("a", 70, 10).contains("something is odd"));
    }

    #[test]
    fn keys_are_never_shown() {
        let key = "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=";
        for text in [
            format!("wireguard: {{ private-key: {key} }}"),
            format!("key: '{key}'"),
            "preshared-key: hunter2 # x".to_owned(),
        ] {
            let out = shown(&text, 0, 3);
            assert!(!out.contains(key) && !out.contains("hunter2"), "{out}");
        }
        assert!(shown(&format!("public-key: {key}"), 0, 3).contains(key));
    }

    #[test]
    fn control_characters_are_made_harmless() {
        let out = shown("name: \x1b[2J\u{202e}x", 0, 4);
        assert!(!out.contains('\x1b') && !out.contains('\u{202e}'), "{out}");
    }

    #[test]
    fn a_very_long_line_is_not_quoted() {
        let out = shown(&"x".repeat(1 << 20), 5, 3);
        assert!(out.len() < 500 && out.contains("a.yaml:1:6"), "{}", out.len());
    }

    #[test]
    fn fifty_are_shown() {
        let finding = Finding {
            code: "odd",
            severity: Severity::Warning,
            message: "odd".into(),
            labels: Vec::new(),
            help: None,
            more: 0,
        };
        let out = findings(&Source { name: "a.yaml".into(), text: "".into() }, &vec![finding; 53], LOOK);
        assert!(out.ends_with("and 3 more in a.yaml\n"), "{out}");
    }
}
