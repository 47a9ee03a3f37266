//! Packet rules in the words of nft and iptables.

mod iptables;
mod nft;

use super::{Name, PacketRule, Table, TableRule, mark};

pub use iptables::{IPTABLES_TABLES, args as iptables_args, is_iptables};
pub use nft::{fault, is_identifier, raw_fault, rule as nft_rule};

impl TableRule {
    /// The rule in nft's words, without its comment, as it stands in an `inet` table.
    pub fn text(&self, _topology: &Name) -> String {
        self.in_family("inet")
    }

    /// The rule in nft's words, without its comment, as it stands in a table of `family` (`inet`, `ip`, `ip6`, `bridge`, `netdev`).
    pub fn in_family(&self, family: &str) -> String {
        match self {
            Self::Typed(rule) => nft::rule(rule, family),
            Self::Raw(text) | Self::Listed(text) => text.clone(),
        }
    }

    /// Why nft cannot be told this rule, or must not be: `None` where all is well. The text of a rule without a fault is one rule, whatever is in it.
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

/// One nft transaction that replaces the whole table, whatever stands there. One command is one line; line numbers in nft's errors are found again by
/// [`rule_of_line`]. A rule with a fault (see [`TableRule::fault`]) is left out: the kernel door refuses it before.
pub fn script(table: &Table) -> String {
    commands(table).into_iter().map(|(_, line)| line + "\n").collect()
}

/// The rule that stands on `line` (from 1) of [`script`].
pub fn rule_of_line(table: &Table, line: usize) -> Option<&TableRule> {
    commands(table).get(line.checked_sub(1)?)?.0
}

/// The lines of the script, with the rule that each is about.
fn commands(table: &Table) -> Vec<(Option<&TableRule>, String)> {
    let name = table_name(&table.topology);
    // `add` before `delete`: deleting what is not there is an error, and an older nft has no `destroy`.
    let mut lines = vec![(None, format!("add table inet {name}")), (None, format!("delete table inet {name}"))];
    // The comment of the table tells whose it is even where all of its rules are raw; a kernel before 5.10 drops it without a word.
    lines.push((None, format!("add table inet {name} {{{}; }}", comment(&table.topology))));
    for chain in &table.chains {
        let policy = if chain.drop { "drop" } else { "accept" };
        let head = format!("type {} hook {} priority {}; policy {policy};", chain.kind, chain.hook, chain.priority);
        lines.push((None, format!("add chain inet {name} {} {{ {head} }}", chain.name)));
    }
    for chain in &table.chains {
        for rule in chain.rules.iter().filter(|rule| rule.fault().is_none()) {
            let comment = if matches!(rule, TableRule::Raw(_)) { String::new() } else { comment(&table.topology) };
            lines.push((Some(rule), format!("add rule inet {name} {} {}{comment}", chain.name, rule.in_family("inet"))));
        }
    }
    lines
}

#[cfg(test)]
mod tests;
