//! Ranges, `each`, formulas and sums, written out.

use super::expansion::Expansion;
use super::formula::{Fault, Formula, Value};
use super::range::{Numbers, Pattern, Piece};
use super::words::{Context, is_map_of_names};
use super::{sum, template};
use crate::document::yaml::finding::Gathered;
use crate::document::yaml::limits::{MAX_FINDINGS, MAX_FORMED};
use crate::document::yaml::source::Source;
use crate::document::yaml::tree::{Data, Yaml, quoted};
use crate::document::{Finding, Place};
use std::borrow::Cow;
use std::collections::HashSet;

type Pair<'a> = (Yaml<'a>, Yaml<'a>);

/// The work under way.
pub struct Repeat<'a> {
    source: &'a Source,
    /// What was made.
    expansion: Expansion,
    /// Where the values begin that are wrong: nothing else has to be said of them.
    failed: HashSet<u32>,
    gathered: Gathered,
    /// What `n` is in the ranges around, from the outside in.
    values: Vec<Value<'a>>,
    /// The innermost round.
    round: u32,
    /// How many bytes formulas have made.
    formed: usize,
}

/// What was made, and what was wrong.
pub struct Repeated {
    /// What was made.
    pub expansion: Expansion,
    /// Where the values begin that are wrong.
    pub failed: HashSet<u32>,
    /// What is wrong.
    pub findings: Vec<Finding>,
}

impl<'a> Repeat<'a> {
    /// Writes out all of a file.
    pub fn run(source: &'a Source, root: &mut Yaml<'a>) -> Repeated {
        let mut work = Self {
            source,
            expansion: Expansion::default(),
            failed: HashSet::new(),
            gathered: Gathered::default(),
            values: Vec::new(),
            round: 0,
            formed: 0,
        };
        work.walk(root, Context::Plain, "");
        Repeated { expansion: work.expansion, failed: work.failed, findings: work.gathered.findings }
    }

    fn note(&mut self, finding: Finding) {
        self.gathered.push(finding, MAX_FINDINGS);
    }

    /// Notes what is wrong with a value.
    fn fail(&mut self, value: &Yaml<'a>, finding: Finding) {
        self.failed.insert(value.place.offset);
        self.note(finding);
    }

    fn here(&self, place: Place) -> Place {
        Place { round: self.round, ..place }
    }

    /// Outside of all ranges: what has none in it stays as it is.
    fn walk(&mut self, yaml: &mut Yaml<'a>, context: Context, key: &str) {
        if yaml.is_shared() {
            if repeats(yaml, context) {
                *yaml = self.copy(yaml, context, key);
            }
            return;
        }
        match yaml.data_mut() {
            Data::Scalar(text, _) if context != Context::Free && text.contains('+') => {
                if let Some(data) = self.sum(yaml, context) {
                    *yaml.data_mut() = data;
                }
            }
            Data::Map(pairs) if !pairs.iter().any(|pair| is_repeated_pair(pair, context)) => {
                for (key, value) in pairs {
                    self.walk(value, context.below(key.text()), key.text());
                }
            }
            Data::List(items) if !items.iter().any(|item| is_repeated_item(item, context)) => {
                items.iter_mut().for_each(|item| self.walk(item, context, key));
            }
            Data::Map(_) | Data::List(_) => *yaml = self.copy(yaml, context, key),
            Data::Scalar(..) | Data::Shared(_) => {}
        }
    }

    /// A copy for this round, written out.
    fn copy(&mut self, yaml: &Yaml<'a>, context: Context, key: &str) -> Yaml<'a> {
        let data = match yaml.data() {
            Data::Scalar(..) => self.scalar(yaml, context),
            Data::List(items) => {
                let mut out = Vec::with_capacity(items.len());
                items.iter().for_each(|item| self.item(item, context, key, &mut out));
                Data::List(out)
            }
            Data::Map(pairs) => {
                self.unquoted(yaml, key);
                let mut out = Vec::with_capacity(pairs.len());
                pairs.iter().for_each(|pair| self.pair(pair, context, key, &mut out));
                Data::Map(out)
            }
            Data::Shared(_) => Data::List(Vec::new()),
        };
        Yaml::made(data, self.here(yaml.place), yaml.end)
    }

    /// A key with its value, as often as it is meant.
    fn pair(&mut self, (key, value): &Pair<'a>, context: Context, under: &str, out: &mut Vec<Pair<'a>>) {
        let pattern = match Pattern::parse(key.text()) {
            _ if context == Context::Free => None,
            Ok(pattern) => pattern,
            Err(fault) => return self.note(bad_range(self.here(key.place), key.text(), &fault)),
        };
        let below = context.below(key.text());
        let Some(pattern) = pattern else {
            let name = self.scalar(key, if context == Context::Free { context } else { Context::Plain });
            let name = Yaml::made(name, self.here(key.place), key.end);
            let value = self.value(value, below, name.text());
            return out.push((name, value));
        };
        if under == "namespaces" && pattern.ranges().next().is_some() {
            self.expansion.nodes.push((key.text().to_owned(), key.place));
        }
        self.names(key, &pattern, &mut |work, name| {
            let name = Yaml::made(Data::Scalar(Cow::Owned(name), true), work.here(key.place), key.end);
            let value = work.value(value, below, name.text());
            out.push((name, value));
        });
    }

    /// The value of a key: one name with a range in place of a list of names is a list.
    fn value(&mut self, value: &Yaml<'a>, context: Context, key: &str) -> Yaml<'a> {
        if context == Context::Names
            && let Data::Scalar(text, _) = value.data()
            && !matches!(Pattern::parse(text), Ok(None))
        {
            let mut out = Vec::new();
            self.item(value, context, key, &mut out);
            if out.len() == 1 {
                return out.remove(0);
            }
            return Yaml::made(Data::List(out), self.here(value.place), value.end);
        }
        self.copy(value, context, key)
    }

    /// An item of a list, as often as it is meant.
    fn item(&mut self, item: &Yaml<'a>, context: Context, key: &str, out: &mut Vec<Yaml<'a>>) {
        if let Data::Scalar(text, _) = item.data()
            && context == Context::Names
        {
            match Pattern::parse(text) {
                Ok(None) => {}
                Ok(Some(pattern)) => {
                    return self.names(item, &pattern, &mut |work, name| {
                        let plain = Data::Scalar(Cow::Owned(name), true);
                        out.push(Yaml::made(plain, work.here(item.place), item.end));
                    });
                }
                Err(fault) => return self.note(bad_range(self.here(item.place), text, &fault)),
            }
        }
        let Some(each) = item.get("each").filter(|_| context != Context::Free) else {
            return out.push(self.copy(item, context, key));
        };
        let Some(values) = self.each(each) else { return };
        let rest: Vec<Pair<'a>> = item.pairs().iter().filter(|(key, _)| key.text() != "each").cloned().collect();
        let rest = Yaml::made(Data::Map(rest), item.place, item.end);
        for value in values {
            let name = match &value {
                Value::Number(number) => format!("each {number}"),
                Value::Word(word) => format!("each {}", word.chars().take(60).collect::<String>()),
            };
            self.round(vec![value], name, |work| out.push(work.copy(&rest, context, key)));
        }
    }

    /// One round: what `make` does is made in it.
    fn round(&mut self, values: Vec<Value<'a>>, name: String, make: impl FnOnce(&mut Self)) {
        let (outer, depth) = (self.round, self.values.len());
        self.round = self.expansion.begin(outer, name);
        self.values.extend(values);
        make(self);
        self.values.truncate(depth);
        self.round = outer;
    }

    /// The names that a pattern stands for, each in its round.
    fn names(&mut self, yaml: &Yaml<'a>, pattern: &Pattern<'_>, make: &mut dyn FnMut(&mut Self, String)) {
        let mut texts = Vec::new();
        for piece in pattern.pieces() {
            let Piece::Text(text) = piece else { continue };
            match self.fill(text, false) {
                Ok(filled) => texts.push(filled.text.into_owned()),
                Err(wrong) => return self.wrong(yaml, None, wrong.fault),
            }
        }
        let numbers: Vec<&Numbers> = pattern.ranges().collect();
        for round in pattern.rounds() {
            let mut name = String::new();
            for (nth, text) in texts.iter().enumerate() {
                name.push_str(text);
                if let (Some(numbers), Some(number)) = (numbers.get(nth), round.get(nth)) {
                    name.push_str(&numbers.write(*number));
                }
            }
            if round.is_empty() {
                make(self, name);
            } else {
                let values = round.into_iter().map(Value::Number).collect();
                self.round(values, name.clone(), |work| make(work, name));
            }
        }
    }

    /// The values of `each`.
    fn each(&mut self, yaml: &Yaml<'a>) -> Option<Vec<Value<'a>>> {
        let wrong = |work: &mut Self, at: &Yaml<'a>, message: String| {
            let finding = Finding::error("bad-each", work.here(at.place), message);
            work.note(finding.help("write each: 1-16, or each: [web, mail]"));
        };
        match yaml.data() {
            Data::Scalar(text, _) => match Numbers::parse(text) {
                Ok(numbers) => return Some(numbers.iter().map(Value::Number).collect()),
                Err(_) if !text.starts_with(|c: char| c.is_ascii_digit()) => {
                    wrong(self, yaml, format!("{} is neither a range nor a list of words", yaml.described()));
                }
                Err(fault) => wrong(self, yaml, format!("{} is no range: {fault}", quoted(text))),
            },
            Data::List(items) => {
                let mut out = Vec::new();
                items.iter().for_each(|item| self.item(item, Context::Names, "each", &mut out));
                let word = |item: Yaml<'a>| match item.data() {
                    Data::Scalar(text, _) if !item.is_null() && text.len() <= 255 => Some(Value::Word(text.clone())),
                    _ => None,
                };
                if let Some(words) = out.into_iter().map(word).collect() {
                    return Some(words);
                }
                wrong(self, yaml, "an item of `each` is a word of at most 255 bytes".to_owned());
            }
            _ => wrong(self, yaml, format!("expected a range or a list of words, found {}", yaml.described())),
        }
        None
    }

    fn fill<'t>(&mut self, text: &'t str, free: bool) -> Result<template::Filled<'t>, template::Wrong> {
        if self.values.is_empty() {
            return Ok(template::Filled { text: Cow::Borrowed(text), formed: false });
        }
        let filled = template::fill(text, &self.values, free, MAX_FORMED.saturating_sub(self.formed))?;
        if filled.formed {
            self.formed += filled.text.len();
        }
        Ok(filled)
    }

    /// A scalar with its formulas filled in and its sums worked out.
    fn scalar(&mut self, yaml: &Yaml<'a>, context: Context) -> Data<'a> {
        let Data::Scalar(text, plain) = yaml.data() else { return Data::List(Vec::new()) };
        let data = match self.fill(text, context == Context::Free) {
            Ok(template::Filled { text: Cow::Owned(made), formed }) => Data::Scalar(Cow::Owned(made), *plain || formed),
            Ok(_) => Data::Scalar(text.clone(), *plain),
            Err(wrong) => {
                self.wrong(yaml, Some((wrong.at, wrong.length)), wrong.fault);
                Data::Scalar(text.clone(), *plain)
            }
        };
        if context == Context::Free {
            return data;
        }
        let made = Yaml::made(data, yaml.place, yaml.end);
        match self.sum(&made, context) {
            Some(sum) => sum,
            None => made.data().clone(),
        }
    }

    fn sum(&mut self, yaml: &Yaml<'a>, context: Context) -> Option<Data<'a>> {
        let Data::Scalar(text, plain) = yaml.data() else { return None };
        match sum::add(text, context == Context::Addresses) {
            Ok(sum) => sum.map(|sum| Data::Scalar(Cow::Owned(sum), *plain)),
            Err(message) => {
                self.fail(yaml, Finding::error("bad-sum", self.here(yaml.place), message));
                None
            }
        }
    }

    /// Notes a formula that is wrong, at its column where that can be found.
    fn wrong(&mut self, yaml: &Yaml<'a>, at: Option<(usize, usize)>, fault: Fault) {
        let start = yaml.place.offset as usize;
        let part = self.source.text.part(start);
        let local = start.saturating_sub(part.base);
        let written = part.text.get(local..local + yaml.place.length as usize).unwrap_or_default();
        let place = at
            .and_then(|(at, length)| {
                let ahead = written.find(yaml.text()).filter(|ahead| *ahead <= 1)?;
                Some(Place::new(u32::try_from(start + ahead + at).ok()?, u32::try_from(length).ok()?))
            })
            .unwrap_or(yaml.place);
        self.fail(yaml, Finding::error("bad-formula", self.here(place), fault.message).help(fault.help));
    }

    /// Notes `{n}` without quotes, which is a map to YAML.
    fn unquoted(&mut self, yaml: &Yaml<'a>, under: &str) {
        if let [(key, value)] = yaml.pairs()
            && value.is_null()
            && !self.values.is_empty()
            && !is_map_of_names(under)
            && Formula::parse(key.text()).is_some()
        {
            let message = format!("{{{}}} without quotes is a map to YAML", key.text());
            let finding = Finding::error("unquoted-formula", self.here(yaml.place), message);
            self.fail(yaml, finding.help(format!("put quotes around it: \"{{{}}}\"", key.text())));
        }
    }
}

fn bad_range(place: Place, text: &str, fault: &str) -> Finding {
    Finding::error("bad-range", place, format!("a range in {} is wrong: {fault}", quoted(text)))
        .help("for a plain bracket write \\[")
}

/// Whether there is something to write out in it.
fn repeats(yaml: &Yaml<'_>, context: Context) -> bool {
    match yaml.data() {
        Data::Scalar(text, _) => context != Context::Free && text.contains('+'),
        Data::List(items) => items.iter().any(|item| is_repeated_item(item, context) || repeats(item, context)),
        Data::Map(pairs) => {
            pairs.iter().any(|pair| is_repeated_pair(pair, context) || repeats(&pair.1, context.below(pair.0.text())))
        }
        Data::Shared(_) => false,
    }
}

fn is_repeated_pair((key, value): &Pair<'_>, context: Context) -> bool {
    let name = |text: &str| text.contains('[') && !matches!(Pattern::parse(text), Ok(None));
    context != Context::Free && (name(key.text()) || context.below(key.text()) == Context::Names && name(value.text()))
}

fn is_repeated_item(item: &Yaml<'_>, context: Context) -> bool {
    match item.data() {
        Data::Scalar(text, _) => context == Context::Names && !matches!(Pattern::parse(text), Ok(None)),
        Data::Map(_) => context != Context::Free && item.get("each").is_some(),
        _ => false,
    }
}
