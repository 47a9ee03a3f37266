//! Formulas of `n`: `{n}`, `{n+10}`, `{n1*8+n2}`, `{n:02}`.

use crate::document::yaml::tree::quoted;
use std::borrow::Cow;

/// The largest number that a formula or a range may give.
pub const LARGEST: u64 = i64::MAX as u64;
/// The longest formula, in bytes.
const LONGEST: usize = 200;

/// What `n` is in one round.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// A number of a range.
    Number(u64),
    /// A word of `each`.
    Word(Cow<'a, str>),
}

/// A formula that can be calculated.
#[derive(Debug)]
pub struct Formula<'t> {
    text: &'t str,
    /// Products that are added up, each with whether it is subtracted.
    terms: Vec<(bool, Vec<(Operator, Atom)>)>,
    /// How wide the number is at least, filled with zeros.
    width: usize,
}

#[derive(Clone, Copy, Debug)]
enum Operator {
    Times,
    By,
    Rest,
}

#[derive(Clone, Copy, Debug)]
enum Atom {
    /// A number, as it is written.
    Number(u64),
    /// `n`.
    Alone,
    /// `n1`, `n2`, …, counted from 1.
    Level(usize),
}

/// What is wrong, and how to write it right.
#[derive(Debug, PartialEq, Eq)]
pub struct Fault {
    /// What was found.
    pub message: String,
    /// What to do.
    pub help: String,
}

impl Fault {
    fn new(message: String, help: impl Into<String>) -> Self {
        Self { message, help: help.into() }
    }
}

impl<'t> Formula<'t> {
    /// Reads what stands between braces; nothing where that is no formula.
    pub fn parse(text: &'t str) -> Option<Self> {
        if !text.starts_with('n') || text.len() > LONGEST {
            return None;
        }
        let (sum, width) = match text.split_once(':') {
            Some((sum, width)) => {
                (sum, width.strip_prefix('0')?.parse().ok().filter(|width| (1..=19).contains(width))?)
            }
            None => (text, 0),
        };
        let mut terms = Vec::new();
        let (mut minus, mut start) = (false, 0);
        for (at, sign) in sum.match_indices(['+', '-']).chain([(sum.len(), "")]) {
            terms.push((minus, product(sum.get(start..at)?)?));
            (minus, start) = (sign == "-", at + 1);
        }
        Some(Self { text, terms, width })
    }

    /// What it gives where these are the values of `n1`, `n2`, ….
    ///
    /// # Errors
    ///
    /// If there is no such value, or nothing can be calculated with it.
    pub fn calculate<'v>(&self, values: &'v [Value<'_>]) -> Result<Cow<'v, str>, Fault> {
        if let [(false, factors)] = self.terms.as_slice()
            && let [(Operator::Times, atom)] = factors.as_slice()
            && self.width == 0
            && let Some(Value::Word(word)) = self.value(*atom, values)?
        {
            return Ok(Cow::Borrowed(word));
        }
        let mut sum: i128 = 0;
        for (minus, factors) in &self.terms {
            let product = self.product(factors, values)?;
            let next = if *minus { sum.checked_sub(product) } else { sum.checked_add(product) };
            sum = next.ok_or_else(|| self.too_large())?;
        }
        if sum < 0 {
            let message = format!("the formula {} gives {sum} in this round", quoted(self.text));
            return Err(Fault::new(message, "a formula gives no negative numbers"));
        }
        let number = u64::try_from(sum).ok().filter(|number| *number <= LARGEST).ok_or_else(|| self.too_large())?;
        Ok(Cow::Owned(format!("{number:0width$}", width = self.width)))
    }

    fn too_large(&self) -> Fault {
        let message = format!("the formula {} gives too large a number in this round", quoted(self.text));
        Fault::new(message, format!("the largest is {LARGEST}"))
    }

    fn product(&self, factors: &[(Operator, Atom)], values: &[Value<'_>]) -> Result<i128, Fault> {
        let mut product: i128 = 1;
        for (operator, atom) in factors {
            let number = self.number(*atom, values)?;
            product = match operator {
                Operator::Times => product.checked_mul(number).ok_or_else(|| self.too_large())?,
                _ if number == 0 => {
                    let message = format!("the formula {} divides by zero in this round", quoted(self.text));
                    return Err(Fault::new(message, "leave that round out of the range, or divide by something else"));
                }
                Operator::By => product.div_euclid(number),
                Operator::Rest => product.rem_euclid(number),
            };
        }
        Ok(product)
    }

    fn number(&self, atom: Atom, values: &[Value<'_>]) -> Result<i128, Fault> {
        match (atom, self.value(atom, values)?) {
            (Atom::Number(number), _) => Ok(i128::from(number)),
            (_, Some(Value::Number(number))) => Ok(i128::from(*number)),
            (_, Some(Value::Word(word))) => {
                word.parse::<u64>().ok().filter(|number| *number <= LARGEST).map(i128::from).ok_or_else(|| {
                    let message = format!("{} is no number, and {} calculates", quoted(word), quoted(self.text));
                    Fault::new(message, "with words, only the word itself can be written: {n}")
                })
            }
            (_, None) => Ok(0),
        }
    }

    /// The value that an atom names; nothing for a number that is written.
    fn value<'v, 'a>(&self, atom: Atom, values: &'v [Value<'a>]) -> Result<Option<&'v Value<'a>>, Fault> {
        let all = || (1..=values.len()).map(|nth| format!("{{n{nth}}}")).collect::<Vec<_>>().join(", ");
        match atom {
            Atom::Number(_) => Ok(None),
            Atom::Alone if values.len() > 1 => {
                let message =
                    format!("which of the {} ranges is meant by \"n\" in {}?", values.len(), quoted(self.text));
                Err(Fault::new(message, format!("from the outside in they are {}", all())))
            }
            Atom::Alone => Ok(values.first()),
            Atom::Level(level) => match level.checked_sub(1).and_then(|at| values.get(at)) {
                Some(value) => Ok(Some(value)),
                None => {
                    let message = format!("there is no range \"n{level}\" around {}", quoted(self.text));
                    Err(Fault::new(message, format!("from the outside in there are {}", all())))
                }
            },
        }
    }
}

fn product(text: &str) -> Option<Vec<(Operator, Atom)>> {
    let mut factors = Vec::new();
    let (mut operator, mut start) = (Operator::Times, 0);
    for (at, sign) in text.match_indices(['*', '/', '%']).chain([(text.len(), "")]) {
        factors.push((operator, atom(text.get(start..at)?)?));
        start = at + 1;
        operator = match sign {
            "/" => Operator::By,
            "%" => Operator::Rest,
            _ => Operator::Times,
        };
    }
    Some(factors)
}

fn atom(text: &str) -> Option<Atom> {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match text.strip_prefix('n') {
        Some("") => Some(Atom::Alone),
        Some(level) if digits(level) && !level.starts_with('0') => level.parse().ok().map(Atom::Level),
        None if digits(text) => text.parse().ok().filter(|number| *number <= LARGEST).map(Atom::Number),
        _ => None,
    }
}
