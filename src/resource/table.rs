//! The nft table of a node, and rules put into foreign chains.

use super::id::ChainRef;
use super::{Class, Drift, ForeignTable, Impact, Name, Need, Node, PacketRule, ResourceId, TableName};
use serde::{Deserialize, Serialize};

/// The table `inet topo-NAME` of a node: all of its NAT and firewall, replaced in one transaction.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Table {
    /// The node.
    pub node: Node,
    /// The topology, from which the table has its name and its rules their comment.
    pub topology: Name,
    /// The chains, in the order in which they are made. Never empty in a wanted state.
    pub chains: Vec<Chain>,
    /// The tables of other programs whose place it takes, where they are still there. Never wanted but by an undo.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub instead_of: Vec<ForeignTable>,
}

/// A base chain.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Chain {
    /// Its name, such as `nat-postrouting`, `forward`.
    pub name: String,
    /// `filter`, `nat` or `route`.
    pub kind: String,
    /// The hook: `prerouting`, `input`, `forward`, `output`, `postrouting`.
    pub hook: String,
    /// Its place among the chains of the hook.
    pub priority: i32,
    /// Whether what no rule decides is dropped.
    pub drop: bool,
    /// Its rules in order.
    pub rules: Vec<TableRule>,
}

/// A rule of the table.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum TableRule {
    /// In the words of the language.
    Typed(Box<PacketRule>),
    /// `nft:`, one rule in nft's words.
    Raw(String),
    /// Seen in the kernel and not what the file wants: nft's own listing of it, its comment included; in an iptables
    /// chain, the line of `iptables -S` behind the chain's name.
    Listed(String),
}

impl TableRule {
    /// Whether it is asked to count.
    pub fn counts(&self) -> bool {
        match self {
            Self::Typed(rule) => rule.counter,
            Self::Raw(text) | Self::Listed(text) => text.split_whitespace().any(|word| word == "counter"),
        }
    }
}

impl Table {
    /// Its identity.
    pub fn id(&self) -> ResourceId {
        ResourceId::Table(self.node.clone())
    }

    /// The links of the node.
    pub fn requires(&self) -> Vec<Need> {
        vec![Need::inside(ResourceId::Namespace(self.node.clone())), Need::class(self.node.clone(), Class::Link)]
    }

    /// Each line in which `self` (wanted) differs from `observed`: a rule that is missing, extra, or in another place.
    pub fn drift(&self, observed: &Self) -> Vec<Drift> {
        let Self { node: _, topology: _, chains: _, instead_of: _ } = self;
        lines_drift("rule", &self.lines(), &observed.lines())
    }

    /// Whether a rule of it counts: what was counted is lost when the table is replaced.
    pub fn counts(&self) -> bool {
        self.chains.iter().flat_map(|chain| &chain.rules).any(TableRule::counts)
    }

    /// Whether connections are tracked where it stands: it translates addresses, or goes by what is known of a
    /// connection.
    pub fn tracks(&self) -> bool {
        let knows = |rule: &TableRule| match rule {
            TableRule::Typed(rule) => !rule.state.is_empty(),
            TableRule::Raw(text) | TableRule::Listed(text) => {
                text.split_whitespace().any(|word| matches!(word, "ct" | "synproxy"))
            }
        };
        self.chains.iter().any(|chain| chain.kind == "nat" || chain.rules.iter().any(knows))
    }

    /// What stands in it, a line each: `chain NAME { … }` heads, and rules as `CHAIN: TEXT`; then what stands in the
    /// tables whose place it takes, as `FAMILY TABLE: TEXT`.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for chain in &self.chains {
            let policy = if chain.drop { "drop" } else { "accept" };
            lines.push(format!(
                "chain {} {{ type {} hook {} priority {}; policy {policy}; }}",
                chain.name, chain.kind, chain.hook, chain.priority
            ));
            lines.extend(chain.rules.iter().map(|rule| format!("{}: {}", chain.name, rule.text(&self.topology))));
        }
        for ForeignTable { name, text } in &self.instead_of {
            let said = text.lines().map(str::trim).filter(|line| says_something(name, line));
            lines.extend(said.map(|line| format!("{} {}: {line}", name.family, name.name)));
        }
        lines
    }
}

/// Whether a line of a table's listing is more than its frame.
fn says_something(name: &TableName, line: &str) -> bool {
    match name.iptables {
        true => line.starts_with("-A ") || line.starts_with(':') && line.contains(" DROP "),
        false => !matches!(line, "" | "}") && !line.starts_with("table "),
    }
}

/// Rules of ours at the head of a foreign chain.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Insert {
    /// The node.
    pub node: Node,
    /// The topology, named in the comment of each rule.
    pub topology: Name,
    /// The chain.
    pub chain: ChainRef,
    /// Whether it is fine that there is no such chain (every item of the file for this chain says `if-present`).
    pub if_present: bool,
    /// Whether the chain is there. `true` in a wanted state.
    pub present: bool,
    /// The rules in the file's order, lists already split up where the chain is one of iptables' tables.
    pub rules: Vec<TableRule>,
    /// Whether they stand before the owner's first rule. `true` in a wanted state.
    pub first: bool,
}

impl Insert {
    /// Its identity.
    pub fn id(&self) -> ResourceId {
        ResourceId::Insert(self.node.clone(), self.chain.clone())
    }

    /// The links of the node.
    pub fn requires(&self) -> Vec<Need> {
        vec![Need::inside(ResourceId::Namespace(self.node.clone())), Need::class(self.node.clone(), Class::Link)]
    }

    /// Each rule in which `self` (wanted) differs from `observed`.
    pub fn drift(&self, observed: &Self) -> Vec<Drift> {
        let Self { node: _, topology: _, chain: _, if_present: _, present: _, rules: _, first } = self;
        let lines = |insert: &Self| insert.rules.iter().map(|rule| rule.text(&insert.topology)).collect::<Vec<_>>();
        let mut drift = lines_drift("rule", &lines(self), &lines(observed));
        if *first && !observed.first {
            drift.push(Drift::in_place("place", "behind others", "first"));
        }
        drift
    }
}

/// The lines that differ, as old and new texts; a line that is only on one side has an empty other.
fn lines_drift(field: &'static str, wanted: &[String], observed: &[String]) -> Vec<Drift> {
    let (old, new): (Vec<&str>, Vec<&str>) =
        (observed.iter().map(String::as_str).collect(), wanted.iter().map(String::as_str).collect());
    let diff = similar::TextDiff::from_slices(&old, &new);
    let line = |change: similar::Change<&str>| match change.tag() {
        similar::ChangeTag::Equal => None,
        similar::ChangeTag::Delete => Some(Drift::new(field, change.value(), "", Impact::InPlace)),
        similar::ChangeTag::Insert => Some(Drift::new(field, "", change.value(), Impact::InPlace)),
    };
    diff.iter_all_changes().filter_map(line).collect()
}
