//! A rule that was read from a program's words.

use crate::resource::PacketRule;

/// What a rule goes by, and what comes then.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Understood {
    /// Its matches, its verdict if that is one of the language, and what it does besides.
    pub rule: PacketRule,
    /// Where a packet goes that matches, where that is no verdict.
    pub then: Then,
}

/// The states of a connection, in the order in which people write them.
const STATES: [&str; 5] = ["established", "related", "new", "invalid", "untracked"];

/// States in the order of the language; `None` where one is not known.
pub(super) fn states<'a>(words: impl Iterator<Item = &'a str>) -> Option<Vec<String>> {
    let given: Vec<String> = words.map(str::to_ascii_lowercase).collect();
    let known = given.iter().all(|state| STATES.contains(&state.as_str()));
    known
        .then(|| STATES.into_iter().filter(|state| given.iter().any(|word| word == state)).map(str::to_owned).collect())
}

/// Where a packet goes that a rule matches.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Then {
    /// Where the rule's verdict says; without one, to the next rule.
    #[default]
    Verdict,
    /// Through another chain, and on behind this rule.
    Jump(String),
    /// Through another chain, and not back to this one.
    Goto(String),
    /// Back to where the chain was jumped to from.
    Return,
}
