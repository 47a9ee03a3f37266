//! How wide a text is. What shows the picture has fonts of its own, so the numbers are generous.

use super::model::Line;
use crate::render::order;

/// The distance between two lines of text.
pub const LINE: i32 = 16;
/// A column of the small text, of a font whose letters are all as wide.
const SMALL: i32 = 75;
/// A column of a node's name.
const LARGE: i32 = 100;

/// The width of a small text.
pub fn small(text: &str) -> i32 {
    columns(text) * SMALL / 10 + 1
}

/// The width of a node's name.
pub fn large(text: &str) -> i32 {
    columns(text) * LARGE / 10 + 1
}

fn columns(text: &str) -> i32 {
    i32::try_from(order::width(text)).unwrap_or(i32::MAX / 1000).min(10_000)
}

/// The width of the widest of some lines, with their signs.
pub fn lines(lines: &[Line]) -> i32 {
    lines.iter().map(|line| small(&line.signed())).max().unwrap_or(0)
}
