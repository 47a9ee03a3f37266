//! The tables that an adoption can take the place of: those that the file says all of.

use super::around::Around;
use super::merge::table;
use crate::dialect::nft_script::is_identifier;
use crate::resource::{Name, Node, Table, TableName};
use crate::survey::{Program, Ruleset};

/// The table of `node` with the meaning of those of its tables that can be said as a whole, and their names. The others
/// stay as they are, which is added to `unsaid`, with the reasons.
pub fn whole_tables(
    topology: &Name,
    node: &Node,
    rulesets: &[Ruleset],
    around: &Around,
    unsaid: &mut Vec<String>,
) -> (Option<Table>, Vec<TableName>) {
    let mut whole: Vec<Ruleset> = Vec::new();
    for ruleset in rulesets {
        if let Some(name) = ruleset.table.strip_prefix("topo-").filter(|_| ruleset.family == "inet") {
            unsaid.push(format!("the table inet {}: it is that of topology {name:?}", ruleset.table));
            continue;
        }
        let mut alone = Vec::new();
        let made = table(topology, node, std::slice::from_ref(ruleset), around, &mut alone);
        let says = made.is_some() && is_identifier(&ruleset.table);
        // Beside the others it may be decided of again.
        let mut beside = whole.clone();
        beside.push(ruleset.clone());
        if says && alone.is_empty() {
            table(topology, node, &beside, around, &mut alone);
        }
        if says && alone.is_empty() {
            whole = beside;
        } else if !alone.is_empty() {
            unsaid.extend(alone);
            unsaid.push(format!("the table {} {} stays as it is", ruleset.family, ruleset.table));
        }
    }
    let names = whole.iter().map(|ruleset| TableName {
        family: ruleset.family.clone(),
        name: ruleset.table.clone(),
        iptables: ruleset.program == Program::Iptables,
    });
    (table(topology, node, &whole, around, unsaid), names.collect())
}
