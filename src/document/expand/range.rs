//! Names with ranges in them: `client[1-20]`, `p[01-20]`, `leaf[1-4,7]-x[1-2]`.

use super::formula::LARGEST;
use std::borrow::Cow;

/// Numbers, as stretches from one to another, both included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Numbers {
    stretches: Vec<(u64, u64)>,
    /// How wide each is at least, filled with zeros.
    width: usize,
}

/// A name in pieces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern<'t> {
    pieces: Vec<Piece<'t>>,
}

/// A piece of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece<'t> {
    /// Text without brackets that mean something.
    Text(Cow<'t, str>),
    /// A range.
    Range(Numbers),
}

impl Numbers {
    /// Reads `1-4,7`.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut stretches = Vec::new();
        for part in text.split(',') {
            let (from, to) = part.split_once('-').unwrap_or((part, part));
            let (from, to) = (number(from)?, number(to)?);
            if from > to {
                return Err(format!("{from}-{to} runs backwards: the smaller number comes first"));
            }
            stretches.push((from, to));
        }
        let first = text.split([',', '-']).next().unwrap_or_default();
        let width = if first.starts_with('0') { first.len() } else { 0 };
        Ok(Self { stretches, width })
    }

    /// How many they are; the largest number where that is more.
    pub fn count(&self) -> u64 {
        self.stretches.iter().fold(0_u64, |sum, (from, to)| sum.saturating_add(to - from).saturating_add(1))
    }

    /// Each in turn.
    pub fn iter(&self) -> impl Iterator<Item = u64> + Clone {
        self.stretches.iter().flat_map(|(from, to)| *from..=*to)
    }

    /// A number as it stands in a name.
    pub fn write(&self, number: u64) -> String {
        format!("{number:0width$}", width = self.width)
    }
}

fn number(text: &str) -> Result<u64, String> {
    if text.is_empty() || text.contains('-') {
        return Err("a range is written 1-20, and several 1-4,7".to_owned());
    }
    // Padding is not wider than the longest name.
    text.parse()
        .ok()
        .filter(|number| *number <= LARGEST && text.len() <= 255)
        .ok_or_else(|| format!("the largest number is {LARGEST}"))
}

impl<'t> Pattern<'t> {
    /// Reads a name. `\[` is a plain bracket; brackets that hold anything but digits, commas and dashes are a part of
    /// the name. Nothing where all of it is plain.
    ///
    /// # Errors
    ///
    /// What is wrong with a range.
    pub fn parse(text: &'t str) -> Result<Option<Self>, String> {
        if !text.contains('[') {
            return Ok(None);
        }
        let (mut pieces, mut plain, mut rest) = (Vec::new(), String::new(), text);
        while let Some(at) = rest.find('[') {
            let (before, from) = rest.split_at(at);
            let inner = from.strip_prefix('[').unwrap_or_default();
            if let Some(before) = before.strip_suffix('\\') {
                plain.push_str(before);
                plain.push('[');
                rest = inner;
            } else if let Some((numbers, after)) = inner.split_once(']').filter(|(numbers, _)| is_range(numbers)) {
                plain.push_str(before);
                pieces.push(Piece::Text(Cow::Owned(std::mem::take(&mut plain))));
                pieces.push(Piece::Range(Numbers::parse(numbers)?));
                rest = after;
            } else {
                plain.push_str(before);
                plain.push('[');
                rest = inner;
            }
        }
        plain.push_str(rest);
        if pieces.is_empty() && plain == text {
            return Ok(None);
        }
        pieces.push(Piece::Text(Cow::Owned(plain)));
        Ok(Some(Self { pieces }))
    }

    /// Its pieces.
    pub fn pieces(&self) -> &[Piece<'t>] {
        &self.pieces
    }

    /// The ranges in it.
    pub fn ranges(&self) -> impl Iterator<Item = &Numbers> {
        self.pieces.iter().filter_map(|piece| if let Piece::Range(numbers) = piece { Some(numbers) } else { None })
    }

    /// How many names it stands for; the largest number where that is more.
    pub fn count(&self) -> u64 {
        self.ranges().fold(1, |product, numbers| product.saturating_mul(numbers.count()))
    }

    /// What the ranges are in each round, the last one counted first.
    pub fn rounds(&self) -> Vec<Vec<u64>> {
        let mut rounds = vec![Vec::new()];
        for numbers in self.ranges() {
            rounds = rounds
                .iter()
                .flat_map(|outer: &Vec<u64>| {
                    numbers.iter().map(move |number| outer.iter().copied().chain([number]).collect::<Vec<u64>>())
                })
                .collect();
        }
        rounds
    }
}

fn is_range(inner: &str) -> bool {
    inner.bytes().any(|byte| byte.is_ascii_digit())
        && inner.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b',' | b'-'))
}

/// A name as it is written where ranges mean something.
pub fn escape(name: &str) -> Cow<'_, str> {
    match Pattern::parse(name) {
        Ok(None) => Cow::Borrowed(name),
        _ => Cow::Owned(name.replace('[', "\\[")),
    }
}
