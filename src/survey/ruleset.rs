//! Tables of packet rules, as the programs list them: cut into chains and rules, not understood any further.

/// The program whose words a table is listed in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Program {
    /// `nft list table`.
    Nft,
    /// `iptables-save`, `ip6tables-save`.
    Iptables,
}

/// A table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ruleset {
    /// Whose words these are.
    pub program: Program,
    /// `inet`, `ip`, `ip6`, `arp`, `bridge` or `netdev`.
    pub family: String,
    /// Its name.
    pub table: String,
    /// Its chains in order.
    pub chains: Vec<RuleChain>,
    /// What in it is no chain, by what stands before its brace (`set blocked`): its lines.
    pub objects: Vec<(String, Vec<String>)>,
}

/// A chain.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RuleChain {
    /// Its name.
    pub name: String,
    /// Where it hangs; `None` for one that others jump to.
    pub base: Option<Base>,
    /// Its rules, a line each.
    pub rules: Vec<String>,
    /// The same rules in nft's words, where `rules` are in those of iptables.
    pub in_nft: Vec<String>,
}

/// The head of a base chain.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Base {
    /// `filter`, `nat` or `route`.
    pub kind: String,
    /// The hook.
    pub hook: String,
    /// Its place among the chains of the hook.
    pub priority: i32,
    /// Whether what no rule decides is dropped.
    pub drop: bool,
}
