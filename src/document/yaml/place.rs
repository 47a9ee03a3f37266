//! Places in a file, and values that know theirs.

use super::source::{Source, Text};
use crate::resource::Origin;
use std::borrow::Borrow;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;

/// A place in a file or in one that it includes, in bytes. They are at most 8 MiB together, so 32 bits are plenty.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Place {
    /// Where it starts.
    pub offset: u32,
    /// How long it is.
    pub length: u32,
    /// In which round of a range it was made; 0 in none.
    pub round: u32,
}

impl Place {
    /// A place that no range made.
    pub fn new(offset: u32, length: u32) -> Self {
        Self { offset, length, round: 0 }
    }
}

/// A value and where it stands. Two are equal when the values are.
#[derive(Clone)]
pub struct Loc<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub place: Place,
}

impl<T> Loc<T> {
    /// `value` at `place`.
    pub fn new(value: T, place: Place) -> Self {
        Self { value, place }
    }
}

impl<T> Deref for Loc<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: PartialEq> PartialEq for Loc<T> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl<T: Eq> Eq for Loc<T> {}

impl<T: Hash> Hash for Loc<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.value.hash(state);
    }
}

impl<T: fmt::Debug> fmt::Debug for Loc<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)
    }
}

impl<T: fmt::Display> fmt::Display for Loc<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)
    }
}

/// Maps with placed keys can be asked by plain text.
impl<T: Borrow<str>> Borrow<str> for Loc<T> {
    fn borrow(&self) -> &str {
        self.value.borrow()
    }
}

/// Where the lines of a text start, and how many characters there are before some of its places: a file of one line of
/// megabytes is asked for its columns a hundred thousand times.
#[derive(Clone, Debug)]
pub struct Lines {
    files: Vec<FileLines>,
}

#[derive(Clone, Debug)]
struct FileLines {
    starts: Vec<usize>,
    /// The characters before every [`STEP`]th byte.
    characters: Vec<usize>,
}

const STEP: usize = 128;

/// How many characters begin in `bytes`.
fn begun(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte & 0xc0 != 0x80).count()
}

impl FileLines {
    fn of(text: &str) -> Self {
        let after = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        let mut sum = 0;
        let steps = text.as_bytes().chunks(STEP).map(|step| {
            sum += begun(step);
            sum
        });
        let characters = std::iter::once(0).chain(steps).collect();
        Self { starts: std::iter::once(0).chain(after).collect(), characters }
    }

    /// The characters of `text` before the byte at `offset`.
    fn before(&self, text: &str, offset: usize) -> usize {
        let step = offset / STEP;
        let rest = text.as_bytes().get(step * STEP..offset).map_or(0, begun);
        self.characters.get(step).copied().unwrap_or_default() + rest
    }

    fn at(&self, text: &str, offset: usize) -> (usize, usize) {
        let line = self.starts.partition_point(|start| *start <= offset).max(1);
        let start = self.starts.get(line - 1).copied().unwrap_or_default();
        let column = (self.before(text, offset) + 1).saturating_sub(self.before(text, start)).max(1);
        (line, column)
    }
}

impl Lines {
    /// The lines of `text`, and of the files that it includes.
    pub fn of(text: &Text) -> Self {
        Self { files: text.parts().map(|part| FileLines::of(part.text)).collect() }
    }

    /// The line and the column, in characters and from 1, of the byte at `offset` of `text`, in the file where it is.
    pub fn at(&self, text: &Text, offset: usize) -> (usize, usize) {
        let part = text.part(offset);
        self.files.get(part.nth).map_or((1, 1), |file| file.at(part.text, offset.saturating_sub(part.base)))
    }

    /// The origin at `place` of `source`, with the path of keys `path`.
    pub fn origin(&self, source: &Source, place: Place, path: String) -> Origin {
        let offset = place.offset as usize;
        let (line, column) = self.at(&source.text, offset);
        let file = source.name_at(offset).to_owned();
        Origin { file, path, line, column, offset, length: place.length as usize, round: place.round }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_characters() {
        let text = Text::from("näme: a\r\nb: ü\n");
        let lines = Lines::of(&text);
        let at = |offset| lines.at(&text, offset);
        assert_eq!(
            [at(0), at(5), at(7), at(11), at(13), at(15), at(16)],
            [(1, 1), (1, 5), (1, 7), (2, 2), (2, 4), (2, 5), (3, 1)]
        );
    }
}
