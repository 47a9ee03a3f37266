//! Packet rules in the words of nft and iptables.

pub use super::iptables::{IPTABLES_TABLES, args as iptables_args, icmp_type, is_iptables};
pub use super::nft::{fault, is_identifier, raw_fault, rule as nft_rule, unsaid_family};

use super::nft;
use crate::resource::mark::mark;
use crate::resource::{Chain, Name, PacketRule, Table, TableRule};

impl TableRule {
    /// The rule in nft's words, without its comment, as it stands in an `inet` table.
    pub fn text(&self, topology: &Name) -> String {
        match self {
            // What another program put in without our comment differs from our own rule, even where the rest is the
            // same.
            Self::Listed(line) => line
                .strip_suffix(&comment(topology))
                .map_or_else(|| format!("{line} # without the comment of {topology}"), str::to_owned),
            Self::Typed(_) | Self::Raw(_) => self.in_family("inet"),
        }
    }

    /// The rule as nft is given it: with our comment where it takes one. A listed rule is reported as it was listed.
    pub fn command(&self, topology: &Name, family: &str) -> String {
        match self {
            Self::Typed(rule) => nft::rule(rule, family) + &comment(topology),
            Self::Raw(text) | Self::Listed(text) => text.clone(),
        }
    }

    /// The rule in nft's words, as it stands in a table of `family` (`inet`, `ip`, `ip6`, `bridge`, `netdev`), without
    /// our comment unless it was listed.
    pub fn in_family(&self, family: &str) -> String {
        match self {
            Self::Typed(rule) => nft::rule(rule, family),
            Self::Raw(text) | Self::Listed(text) => text.clone(),
        }
    }

    /// Why nft cannot be known this rule, or must not be: `None` where all is well. The text of a rule without a fault
    /// is one rule, whatever is in it.
    pub fn fault(&self) -> Option<String> {
        match self {
            Self::Typed(rule) => nft::fault(rule),
            Self::Raw(text) | Self::Listed(text) => nft::raw_fault(text).map(str::to_owned),
        }
    }

    /// The rule in the words of the language, where it is.
    pub fn typed(&self) -> Option<&PacketRule> {
        match self {
            Self::Typed(rule) => Some(rule),
            Self::Raw(_) | Self::Listed(_) => None,
        }
    }
}

/// The name of the table of `topology`.
pub fn table_name(topology: &Name) -> String {
    format!("topo-{topology}")
}

/// Our comment as nft takes and prints it at the end of a rule: ` comment "topo:NAME"`.
pub fn comment(topology: &Name) -> String {
    format!(" comment \"{}\"", mark(topology))
}

/// How a [`script`] begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Start {
    /// With a table of that name, or none: it goes first.
    Over,
    /// With no such table; one that is there is an error, and stays.
    Fresh,
}

/// One nft transaction that makes the whole table. One command is one line; line numbers in nft's errors are found
/// again by [`rule_of_line`]. A rule with a fault (see [`TableRule::fault`]) is left out: the kernel door refuses it
/// before.
pub fn script(table: &Table, start: Start) -> String {
    commands(table, start).into_iter().map(|(_, line)| line + "\n").collect()
}

/// The rule that depends on `line` (from 1) of [`script`].
pub fn rule_of_line(table: &Table, start: Start, line: usize) -> Option<&TableRule> {
    commands(table, start).get(line.checked_sub(1)?)?.0
}

/// The lines of the script, with the rule that each is about.
fn commands(table: &Table, start: Start) -> Vec<(Option<&TableRule>, String)> {
    let name = table_name(&table.topology);
    // The comment of the table shows whose it is even where all of its rules are raw; a kernel before 5.10 drops it
    // without a word, and so does any kernel for a table that is there already.
    let table_line = |verb| (None, format!("{verb} table inet {name} {{{}; }}", comment(&table.topology)));
    let mut lines = match start {
        // `add` before `delete`: deleting what is not there is an error, and an older nft has no `destroy`.
        Start::Over => vec![
            (None, format!("add table inet {name}")),
            (None, format!("delete table inet {name}")),
            table_line("add"),
        ],
        Start::Fresh => vec![table_line("create")],
    };
    // What was observed may hold objects of others that are no chains (`set blocked`): those cannot be put back from
    // their listing.
    let chains = || table.chains.iter().filter(|chain| is_identifier(&chain.name));
    for chain in chains() {
        lines.push((None, format!("add chain inet {name} {}{}", chain.name, head(chain))));
    }
    for chain in chains() {
        for rule in chain.rules.iter().filter(|rule| rule.fault().is_none()) {
            lines.push((
                Some(rule),
                format!("add rule inet {name} {} {}", chain.name, rule.command(&table.topology, "inet")),
            ));
        }
    }
    lines
}

/// The head of a chain, in braces; nothing for one that hangs on no hook.
fn head(chain: &Chain) -> String {
    let policy = if chain.drop { "drop" } else { "accept" };
    match (chain.kind.as_str(), chain.hook.as_str()) {
        ("", "") => String::new(),
        // An observed head that is not ours, whole.
        ("", head) => format!(" {{ {head} }}"),
        (kind, hook) => format!(" {{ type {kind} hook {hook} priority {}; policy {policy}; }}", chain.priority),
    }
}

#[cfg(test)]
mod tests;
