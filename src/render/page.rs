//! Text for a user: styled, and never with a control character of other programs in it.

use anstyle::{AnsiColor, Style};
use std::fmt::Write;

/// What is made: `+`.
pub const ADD: Style = AnsiColor::Green.on_default();
/// What is changed: `~`.
pub const CHANGE: Style = AnsiColor::Yellow.on_default();
/// What is removed: `-`.
pub const REMOVE: Style = AnsiColor::Red.on_default();
/// Heads and names.
pub const BOLD: Style = Style::new().bold();
/// What matters less.
pub const DIM: Style = Style::new().dimmed();
/// Nothing special.
pub const PLAIN: Style = Style::new();

/// A text that grows line by line. Colours are always in it; the program that prints it to something that is no
/// terminal takes them out (`anstream`).
#[derive(Debug, Default)]
pub struct Page {
    text: String,
}

impl Page {
    /// An empty page.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds plain text.
    pub fn put(&mut self, text: impl AsRef<str>) -> &mut Self {
        self.text.push_str(&escape(text.as_ref()));
        self
    }

    /// Adds text in a style.
    pub fn paint(&mut self, style: Style, text: impl AsRef<str>) -> &mut Self {
        // Writing to a String does not fail.
        let _ = write!(self.text, "{style}{}{style:#}", escape(text.as_ref()));
        self
    }

    /// Ends the line.
    pub fn end(&mut self) -> &mut Self {
        self.text.push('\n');
        self
    }

    /// Adds a whole line.
    pub fn line(&mut self, text: impl AsRef<str>) -> &mut Self {
        self.put(text).end()
    }

    /// The text.
    pub fn finish(self) -> String {
        self.text
    }

    /// Ends the line, which is the last one, and takes the text.
    pub fn end_and_finish(&mut self) -> String {
        self.end();
        std::mem::take(&mut self.text)
    }

    /// Whether there is nothing on it.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }
}

/// `text` with every character that a terminal would obey, or that changes the direction of writing, as an escape of
/// Rust's.
pub fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        if is_unsafe(c) {
            safe.extend(c.escape_default());
        } else {
            safe.push(c);
        }
    }
    safe
}

/// The same, with newlines kept.
pub fn escape_lines(text: &str) -> String {
    text.split('\n').map(escape).collect::<Vec<_>>().join("\n")
}

/// Whether a character has to be escaped before it goes to a terminal: what controls it, what is not seen (a soft
/// hyphen, tags), and what changes the direction of writing (Unicode's `Default_Ignorable_Code_Point` and
/// `Bidi_Control`).
pub fn is_unsafe(c: char) -> bool {
    let hidden = matches!(c, '\u{ad}' | '\u{34f}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}');
    c.is_control()
        || hidden
        || matches!(c, '\u{61c}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

/// `1 route`, `2 routes`, `2 addresses`.
pub fn count(number: usize, noun: &str) -> String {
    match (number, noun) {
        (1, noun) => format!("1 {noun}"),
        (_, noun) if noun.ends_with('s') => format!("{number} {noun}es"),
        (_, noun) => format!("{number} {noun}s"),
    }
}

/// A time in whole seconds, rounded up: `42 s`.
pub fn seconds(time: std::time::Duration) -> String {
    format!("{} s", time.as_secs() + u64::from(time.subsec_nanos() > 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_obeys_nothing() {
        let mut page = Page::new();
        page.put("a\x1b[31m\u{202e}b\nc\u{ad}d\u{61c}");
        assert_eq!(page.finish(), "a\\u{1b}[31m\\u{202e}b\\nc\\u{ad}d\\u{61c}");
    }

    #[test]
    fn plurals() {
        assert_eq!([count(1, "route"), count(2, "address"), count(0, "link")], ["1 route", "2 addresses", "0 links"]);
    }
}
