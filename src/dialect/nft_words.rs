//! The words of a line of nft's, one after the other.

use crate::resource::{Family, PacketRule};

/// The elements of a named set of the table; `None` where there is no such set, or it changes.
pub type Sets<'a> = &'a dyn Fn(&str) -> Option<Vec<String>>;

/// The words of a line: quoted texts with their first quote, braces and commas as words of their own.
pub(super) fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut quoted = false;
    for c in line.chars() {
        match c {
            '"' if quoted => {
                quoted = false;
                words.push(std::mem::take(&mut word));
            }
            '"' => {
                quoted = true;
                word.push(c);
            }
            c if quoted => word.push(c),
            ' ' | '\t' | '{' | '}' | ',' => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
                if !c.is_whitespace() {
                    words.push(c.to_string());
                }
            }
            c => word.push(c),
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// A line that is being read.
pub(super) struct Reader<'a> {
    pub words: Vec<String>,
    pub at: usize,
    pub sets: Sets<'a>,
    pub rule: PacketRule,
    /// Whether something was done to a packet already: what it is matched with behind that, the language has before it.
    pub acted: bool,
}

impl Reader<'_> {
    pub(super) fn peek(&self) -> Option<&str> {
        self.words.get(self.at).map(String::as_str)
    }

    pub(super) fn next(&mut self) -> Option<String> {
        let word = self.words.get(self.at).cloned();
        self.at += 1;
        word
    }

    pub(super) fn eat(&mut self, word: &str) -> bool {
        let is = self.peek() == Some(word);
        self.at += usize::from(is);
        is
    }

    /// A value that cannot be missing.
    pub(super) fn value(&mut self, of: &str) -> Result<String, String> {
        self.next().ok_or_else(|| format!("`{of}` without a value"))
    }

    /// Whether the match is turned around, and its values: one, a list, or a set.
    pub(super) fn values(&mut self, of: &str) -> Result<(bool, Vec<String>), String> {
        let not = self.eat("!=");
        self.eat("==");
        let mut values = Vec::new();
        if self.eat("{") {
            while !self.eat("}") {
                values.push(self.value(of)?);
                self.eat(",");
            }
        } else {
            values.push(self.value(of)?);
            while self.eat(",") {
                values.push(self.value(of)?);
            }
        }
        if let [only] = values.as_slice()
            && let Some(name) = only.strip_prefix('@')
        {
            values = (self.sets)(name).ok_or_else(|| format!("the set `@{name}`"))?;
        }
        match values.is_empty() {
            true => Err(format!("an empty set for `{of}`")),
            false => Ok((not, values)),
        }
    }

    pub(super) fn is_of(&mut self, family: Family) -> Result<(), String> {
        match self.rule.family {
            Some(other) if other != family => Err("a rule for two families".to_owned()),
            _ => {
                self.rule.family = Some(family);
                Ok(())
            }
        }
    }
}
