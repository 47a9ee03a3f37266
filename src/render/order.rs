//! The order in which a user looks for names, and how wide they stand.

use unicode_width::UnicodeWidthStr;

/// A text in the order that a user expects: `v2` before `v10`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Natural(Vec<Piece>, String);

impl Natural {
    /// The text itself.
    pub fn text(&self) -> &str {
        &self.1
    }
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Piece {
    /// How many digits a number has, without zeros before it, and these.
    Number(usize, String),
    Text(String),
}

/// What `text` is sorted by.
pub fn natural(text: &str) -> Natural {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let digit = first.is_ascii_digit();
        let end = rest.find(|c: char| c.is_ascii_digit() != digit).unwrap_or(rest.len());
        let (piece, more) = rest.split_at(end);
        let number = piece.trim_start_matches('0');
        pieces.push(if digit { Piece::Number(number.len(), number.to_owned()) } else { Piece::Text(piece.to_owned()) });
        rest = more;
    }
    Natural(pieces, text.to_owned())
}

/// A text without what sets things apart that are alike: words that have a digit in them, or are the name `own`.
pub fn numberless(text: &str, own: &str) -> String {
    let mut shape = String::with_capacity(text.len());
    let mut word = String::new();
    for c in text.chars().chain(['\n']) {
        if c.is_alphanumeric() || matches!(c, '.' | ':' | '-' | '_') {
            word.push(c);
            continue;
        }
        let numbered = !word.is_empty() && word == own || word.contains(|c: char| c.is_ascii_digit());
        shape.push_str(if numbered { "#" } else { &word });
        word.clear();
        shape.push(c);
    }
    shape
}

/// How many columns of a terminal a text takes: two for a letter of Korean.
pub fn width(text: &str) -> usize {
    UnicodeWidthStr::width(text)
}

/// `text` with blanks after it, so that it takes `columns`.
pub fn left(text: &str, columns: usize) -> String {
    format!("{text}{}", " ".repeat(columns.saturating_sub(width(text))))
}

/// `text` in lines of at most so many columns, broken at blanks; those after the first begin with so many blanks.
pub fn wrapped(text: &str, columns: usize, margin: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if width(line) + 1 + width(word) <= columns => {
                line.push(' ');
                line.push_str(word);
            }
            Some(_) => lines.push(format!("{}{word}", " ".repeat(margin))),
            None => lines.push(word.to_owned()),
        }
    }
    lines
}

/// As much of `text` as has room in `columns`, with `…` where that is not all.
pub fn cut(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut kept = String::new();
    for c in text.chars() {
        if width(&kept) + unicode_width::UnicodeWidthChar::width(c).unwrap_or(0) + 1 > columns {
            break;
        }
        kept.push(c);
    }
    kept.trim_end().to_owned() + "…"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_names_count_as_numbers() {
        let mut names = ["v10", "v2", "v1", "w", "v2a", "10", "9", "v02", "v"];
        names.sort_by_key(|name| natural(name));
        assert_eq!(names, ["9", "10", "v", "v1", "v02", "v2", "v2a", "v10", "w"]);
    }

    #[test]
    fn wide_letters_take_two_columns() {
        assert_eq!((width("서울"), left("서울", 6), cut("서울부산", 5)), (4, "서울  ".to_owned(), "서울…".to_owned()));
        assert_eq!((cut("RED", 3), cut("REDS", 3)), ("RED".to_owned(), "RE…".to_owned()));
    }
}
