//! Entries that are alike but for a number, as ranges.

use super::tree::{RANGE, Yaml};
use crate::document::expand::formula::Value;
use crate::document::expand::words::{Context, is_list_of_names};
use crate::document::expand::{sum, template};
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// So many entries read better as one.
const FEWEST: usize = 3;
/// The longest text that a formula is looked for in.
const LONGEST: usize = 1000;

/// A name with a number in it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Around {
    before: String,
    after: String,
    /// How wide the number is, where it is filled with zeros; else 0.
    width: usize,
}

/// Writes runs of nodes, of interfaces of a node, and of names in lists as ranges.
pub fn fold(file: &mut Yaml) {
    names(file, "");
    if let Some(Yaml::Map(nodes)) = file.get_mut("namespaces") {
        entries(nodes);
        nodes.iter_mut().filter(|(name, _)| !is_range(name)).for_each(|(_, node)| interfaces(node));
    }
    if let Some(host) = file.get_mut("host") {
        interfaces(host);
    }
}

fn interfaces(node: &mut Yaml) {
    if let Some(Yaml::Map(interfaces)) = node.get_mut("interfaces") {
        entries(interfaces);
    }
}

/// Whether a name was made a range by this file: others have their brackets escaped.
fn is_range(name: &str) -> bool {
    name.starts_with(RANGE)
}

/// Folds the entries of a map of names.
fn entries(entries: &mut Vec<(String, Yaml)>) {
    let mut groups: BTreeMap<Around, BTreeMap<u64, usize>> = BTreeMap::new();
    for (at, (name, value)) in entries.iter().enumerate() {
        if let Some((around, number)) = split(name).filter(|_| !matches!(value, Yaml::Remark(_))) {
            groups.entry(around).or_default().insert(number, at);
        }
    }
    let mut folded: BTreeMap<usize, (String, Yaml)> = BTreeMap::new();
    let mut gone = vec![false; entries.len()];
    for (around, group) in groups.iter().filter(|(_, group)| group.len() >= FEWEST) {
        let members: Vec<(u64, usize)> = group.iter().map(|(number, at)| (*number, *at)).collect();
        let mut rest = members.as_slice();
        while rest.len() >= FEWEST {
            let (length, form) = longest(entries, rest);
            let (run, behind) = rest.split_at(length.max(1));
            if let (Some(form), true) = (form, length >= FEWEST)
                && let (Some((low, _)), Some((high, _))) = (run.first(), run.last())
                && let Some(first) = run.iter().map(|(_, at)| *at).min()
            {
                folded.insert(first, (around.range(*low, *high), form));
                run.iter().filter_map(|(_, at)| gone.get_mut(*at).map(|gone| *gone = true)).for_each(drop);
            }
            rest = behind;
        }
    }
    if folded.is_empty() {
        return;
    }
    let old = std::mem::take(entries);
    for (at, entry) in old.into_iter().enumerate() {
        match folded.remove(&at) {
            Some(range) => entries.push(range),
            None if gone.get(at).copied().unwrap_or(false) => {}
            None => entries.push(entry),
        }
    }
}

/// How many of the members from the first on are one range, and what its entry is.
fn longest(entries: &[(String, Yaml)], members: &[(u64, usize)]) -> (usize, Option<Yaml>) {
    let value = |at: usize| entries.get(at).map(|(_, value)| value);
    let [(first, one), (second, other), ..] = members else { return (0, None) };
    let (Some(a), Some(b), true) = (value(*one), value(*other), *second == first + 1) else { return (1, None) };
    let mut best = (1, None);
    for sums in [false, true] {
        let Some(form) = form(a, b, *first, sums, Context::Plain) else { continue };
        let fits = |nth: usize, (number, at): &(u64, usize)| {
            *number == first + nth as u64
                && value(*at).is_some_and(|value| holds(&form, value, *number, Context::Plain))
        };
        let length = members.iter().enumerate().take_while(|(nth, member)| fits(*nth, member)).count();
        if length > best.0 {
            best = (length, Some(form));
        }
    }
    best
}

impl Around {
    fn range(&self, low: u64, high: u64) -> String {
        let Self { before, after, width } = self;
        format!("{RANGE}{before}[{low:0width$}-{high:0width$}]{after}")
    }
}

/// The last number in a name, and what is around it.
fn split(name: &str) -> Option<(Around, u64)> {
    if name.contains(['[', '{', '}', '\\']) {
        return None;
    }
    let end = name.rfind(|c: char| c.is_ascii_digit())? + 1;
    let head = name.get(..end)?;
    let start = head.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    let (digits, before) = (name.get(start..end)?, name.get(..start)?);
    let width = if digits.starts_with('0') && digits.len() > 1 { digits.len() } else { 0 };
    let around = Around { before: before.to_owned(), after: name.get(end..)?.to_owned(), width };
    Some((around, digits.parse().ok().filter(|number| *number < u64::from(u32::MAX))?))
}

/// What `a`, made in round `n`, and `b`, made in the next, are in all rounds.
fn form(a: &Yaml, b: &Yaml, n: u64, sums: bool, context: Context) -> Option<Yaml> {
    match (a, b) {
        (Yaml::Text(a), Yaml::Text(b)) => Some(Yaml::Text(text(a, b, n, sums && context != Context::Free)?)),
        (Yaml::List(a), Yaml::List(b)) if a.len() == b.len() => {
            let items = a.iter().zip(b).map(|(a, b)| form(a, b, n, sums, context));
            Some(Yaml::List(items.collect::<Option<_>>()?))
        }
        (Yaml::Map(a), Yaml::Map(b)) if a.len() == b.len() => {
            let pairs = a.iter().zip(b).map(|((key, a), (other, b))| {
                let value = form(a, b, n, sums, context.below(key))?;
                Some((text(key, other, n, false)?, value))
            });
            Some(Yaml::Map(pairs.collect::<Option<_>>()?))
        }
        (a @ (Yaml::Switch(_) | Yaml::Nothing), b) if a == b => Some(a.clone()),
        _ => None,
    }
}

/// The same for a text.
fn text(a: &str, b: &str, n: u64, sums: bool) -> Option<String> {
    if a.contains(['{', '}', '[', '\\', RANGE]) || a.len() > LONGEST {
        return None;
    }
    if a == b {
        return Some(a.to_owned());
    }
    sum_of(a, b, n).filter(|_| sums || is_mac(a)).or_else(|| numbers(a, b, n))
}

/// Text in which the same numbers count on.
fn numbers(a: &str, b: &str, n: u64) -> Option<String> {
    let digit = |byte: u8| byte.is_ascii_digit();
    let chunks = |text: &'_ str| -> Vec<String> {
        let bytes = text.as_bytes().chunk_by(|a, b| digit(*a) == digit(*b));
        bytes.map(|chunk| String::from_utf8_lossy(chunk).into_owned()).collect()
    };
    let (a, b) = (chunks(a), chunks(b));
    if a.len() != b.len() {
        return None;
    }
    let mut out = String::new();
    for (a, b) in a.iter().zip(&b) {
        if a == b {
            out.push_str(a);
            continue;
        }
        let (one, other) = (a.parse::<u64>().ok()?, b.parse::<u64>().ok()?);
        if other.checked_sub(one) != Some(1) {
            return None;
        }
        let offset = match one.checked_sub(n) {
            Some(0) => String::new(),
            Some(more) => format!("+{more}"),
            None => format!("-{}", n - one),
        };
        let width = if a.starts_with('0') && a.len() > 1 { format!(":0{}", a.len()) } else { String::new() };
        out.push_str(&format!("{{n{offset}{width}}}"));
    }
    Some(out)
}

fn is_mac(text: &str) -> bool {
    text.len() == 17 && crate::resource::Mac::parse(text).is_some()
}

/// `BASE+{n}`, for an address with or without the length of a prefix, and a hardware address.
fn sum_of(a: &str, b: &str, n: u64) -> Option<String> {
    if is_mac(a) {
        let low = |mac: &str| u64::from_str_radix(&mac.get(9..)?.replace(':', ""), 16).ok();
        let base = low(a)?.checked_sub(n).filter(|_| low(b) == low(a).map(|low| low + 1))?;
        let head = a.get(..9).filter(|head| b.starts_with(*head))?;
        return Some(format!("{head}{:02x}:{:02x}:{:02x}+{{n}}", base >> 16, base >> 8 & 0xff, base & 0xff));
    }
    let (one, length) = a.split_once('/').map_or((a, None), |(one, length)| (one, Some(length)));
    let (other, same) = b.split_once('/').map_or((b, None), |(other, length)| (other, Some(length)));
    let (one, other) = (one.parse::<IpAddr>().ok()?, other.parse::<IpAddr>().ok()?);
    let base: IpAddr = match (one, other) {
        (IpAddr::V4(one), IpAddr::V4(other)) if u32::from(one).checked_add(1) == Some(u32::from(other)) => {
            Ipv4Addr::from(u32::from(one).checked_sub(u32::try_from(n).ok()?)?).into()
        }
        (IpAddr::V6(one), IpAddr::V6(other)) if u128::from(one).checked_add(1) == Some(u128::from(other)) => {
            Ipv6Addr::from(u128::from(one).checked_sub(u128::from(n))?).into()
        }
        _ => return None,
    };
    let length = length.filter(|_| length == same).map(|length| format!("/{length}")).unwrap_or_default();
    (same.is_some() != length.is_empty()).then(|| format!("{base}+{{n}}{length}"))
}

/// Whether the entry of a range is `value` in round `n`.
fn holds(form: &Yaml, value: &Yaml, n: u64, context: Context) -> bool {
    let filled = |form: &str, context: Context| -> Option<String> {
        let filled = template::fill(form, &[Value::Number(n)], context == Context::Free, LONGEST).ok()?;
        if context == Context::Free {
            return Some(filled.text.into_owned());
        }
        let sum = sum::add(&filled.text, context == Context::Addresses).ok()?;
        Some(sum.unwrap_or_else(|| filled.text.into_owned()))
    };
    match (form, value) {
        (Yaml::Text(form), Yaml::Text(value)) => filled(form, context).as_ref() == Some(value),
        (Yaml::List(form), Yaml::List(value)) => {
            form.len() == value.len() && form.iter().zip(value).all(|(form, value)| holds(form, value, n, context))
        }
        (Yaml::Map(form), Yaml::Map(value)) => {
            let pair = |((form, inner), (key, value)): (&(String, Yaml), &(String, Yaml))| {
                filled(form, Context::Free).as_ref() == Some(key) && holds(inner, value, n, context.below(key))
            };
            form.len() == value.len() && form.iter().zip(value).all(pair)
        }
        (form, value) => form == value,
    }
}

/// Puts the ports of bridges, bonds and VRFs in the order of their numbers.
pub fn sort(yaml: &mut Yaml, key: &str) {
    match yaml {
        Yaml::Map(entries) => entries.iter_mut().for_each(|(key, value)| sort(value, key)),
        Yaml::List(items) if key == "ports" => items.sort_by_cached_key(|item| match item {
            Yaml::Text(text) => split(text).map_or((text.clone(), 0), |(around, number)| (around.before, number)),
            _ => (String::new(), 0),
        }),
        _ => {}
    }
}

/// Folds names in lists of names.
fn names(yaml: &mut Yaml, key: &str) {
    match yaml {
        Yaml::Map(entries) => entries.iter_mut().for_each(|(key, value)| names(value, key)),
        Yaml::List(items) if is_list_of_names(key) && items.iter().all(|item| matches!(item, Yaml::Text(_))) => {
            let old = std::mem::take(items);
            let texts: Vec<String> = old
                .into_iter()
                .filter_map(|item| if let Yaml::Text(text) = item { Some(text) } else { None })
                .collect();
            let mut rest = texts.as_slice();
            while let Some(first) = rest.first() {
                let (text, length) = run(rest).unwrap_or_else(|| (first.clone(), 1));
                items.push(Yaml::Text(text));
                rest = rest.get(length..).unwrap_or_default();
            }
        }
        Yaml::List(items) => items.iter_mut().for_each(|item| names(item, key)),
        _ => {}
    }
}

/// The range that a list begins with, and how many names it has.
fn run(texts: &[String]) -> Option<(String, usize)> {
    let (around, low) = split(texts.first()?)?;
    let counts = |(nth, text): &(usize, &String)| split(text) == Some((around.clone(), low + *nth as u64));
    let length = texts.iter().enumerate().take_while(counts).count();
    (length >= FEWEST).then(|| (around.range(low, low + length as u64 - 1), length))
}
