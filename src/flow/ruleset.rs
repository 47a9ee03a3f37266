//! The rules of a node, of all tables, as the walk judges them.

use super::outcome::By;
use crate::dialect::protocol::protocol_number;
use crate::resource::{
    AddressRange, ChainRef, Family, Insert, PacketRule, ResourceId, Table, TableRule, Target, Verdict,
};
use std::collections::BTreeMap;

/// The rules of a node.
#[derive(Clone, Debug, Default)]
pub struct Ruleset {
    /// The chains that packets come to by a hook.
    pub chains: Vec<BaseChain>,
    /// All chains by family, table and name: what jumps lead to.
    pub named: BTreeMap<(String, String, String), Vec<Rule>>,
    /// What of the node's rules could not be read, and why; everything depends on it.
    pub unread: Option<String>,
}

/// A chain that packets come to by a hook.
#[derive(Clone, Debug)]
pub struct BaseChain {
    /// nft's family: `ip`, `ip6`, `inet`, `bridge`.
    pub family: String,
    /// Its table.
    pub table: String,
    /// Its name.
    pub name: String,
    /// `filter`, `nat` or `route`.
    pub kind: String,
    /// The hook: `prerouting`, `input`, `forward`, `output`, `postrouting`.
    pub hook: String,
    /// Its place among those of the hook; lower comes first.
    pub priority: i32,
    /// When it was registered, as far as that is known: of equal priority the last comes first
    /// (`nf_hook_entries_grow`).
    pub registered: u64,
    /// Whether what no rule decides is dropped.
    pub drop: bool,
    /// Its rules.
    pub rules: Vec<Rule>,
    /// What decides where it is the policy that does.
    pub policy: By,
}

/// A rule.
#[derive(Clone, Debug)]
pub struct Rule {
    /// What a packet has to be like, all of it.
    pub matches: Vec<Match>,
    /// What is done then, in order.
    pub actions: Vec<Action>,
    /// The rule in words, and whose it is.
    pub by: By,
}

/// What a packet has to be like.
#[derive(Clone, Debug, PartialEq)]
pub enum Match {
    /// Incoming interface: one of these, or none of them.
    Input(bool, Vec<String>),
    /// Outgoing interface.
    Output(bool, Vec<String>),
    /// Source address.
    Source(bool, Vec<AddressRange>),
    /// Destination address.
    Destination(bool, Vec<AddressRange>),
    /// Whether the destination is an address of the node itself.
    Local(bool),
    /// Protocol, by number.
    Protocol(bool, Vec<u8>),
    /// Destination port.
    Port(bool, Vec<(u16, u16)>),
    /// Source port.
    SourcePort(bool, Vec<(u16, u16)>),
    /// ICMP type, by nft's name or number.
    Icmp(bool, Vec<String>),
    /// Connection state.
    State(bool, Vec<String>),
    /// Whether the addresses of the connection are translated: `dnat`, `snat`.
    Translated(bool, Vec<String>),
    /// The mark, after this mask.
    Mark(bool, u32, u32),
    /// Family.
    Family(Family),
    /// What the walk does not know: it may be or not.
    Unknown,
}

/// What is done.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Goes on behind this chain.
    Accept,
    /// Ends, in silence.
    Drop,
    /// Ends, with an answer.
    Reject,
    /// Goes on in a chain, and comes back.
    Jump(String),
    /// Goes on in a chain, and does not come back.
    Goto(String),
    /// Goes back to where it came from.
    Return,
    /// Gets a destination; `None` where it is not known which.
    Dnat(Option<Target>),
    /// Gets a source.
    Snat(Option<Target>),
    /// Gets the address of the interface that it leaves by as its source.
    Masquerade,
    /// Gets an address of the node as its destination, and this port.
    Redirect(Option<u16>),
    /// Gets a mark: these bits of it.
    Mark(u32, u32),
    /// Is not tracked.
    Untrack,
    /// Something the walk does not know, which may end it or not.
    Unknown,
}

impl Action {
    /// Whether no rule after this one is looked at.
    pub fn is_final(&self) -> bool {
        !matches!(self, Self::Jump(_) | Self::Mark(..) | Self::Untrack | Self::Unknown)
    }
}

impl Ruleset {
    /// Adds the table of a topology.
    pub fn add_table(&mut self, table: &Table) {
        let name = crate::dialect::nft_script::table_name(&table.topology);
        for chain in &table.chains {
            let id = table.id();
            let rules = chain.rules.iter().map(|rule| of_table(rule, &id, &format!("{name} {}", chain.name)));
            let rules: Vec<Rule> = rules.collect();
            self.named.insert(("inet".to_owned(), name.clone(), chain.name.clone()), rules.clone());
            self.chains.push(BaseChain {
                family: "inet".to_owned(),
                table: name.clone(),
                name: chain.name.clone(),
                kind: chain.kind.clone(),
                hook: chain.hook.clone(),
                priority: chain.priority,
                registered: 0,
                drop: chain.drop,
                rules,
                policy: By::resource(id, format!("firewall.{}: policy drop", chain.name)),
            });
        }
    }

    /// Puts the rules of a topology to the head of the chain that they are for, where it is there.
    pub fn add_insert(&mut self, insert: &Insert) {
        let (id, place) = (insert.id(), &insert.chain);
        let rules: Vec<Rule> = insert.rules.iter().map(|rule| of_table(rule, &id, &place.to_string())).collect();
        let base = self
            .chains
            .iter_mut()
            .filter(|chain| (&chain.family, &chain.table, &chain.name) == (&place.family, &place.table, &place.chain));
        let named = self.named.get_mut(&(place.family.clone(), place.table.clone(), place.chain.clone()));
        for chain in base.map(|chain| &mut chain.rules).chain(named) {
            chain.splice(0..0, rules.iter().cloned());
        }
    }

    /// The chains of a hook for a family, in the order in which packets come to them. Those of NAT stand at -100 where
    /// the destination is changed and at 100 where the source is, whatever they say (`nf_nat_register_fn`).
    pub fn at(&self, hook: &str, family: Family) -> Vec<&BaseChain> {
        let family = if family == Family::V4 { "ip" } else { "ip6" };
        let mut chains: Vec<&BaseChain> = self
            .chains
            .iter()
            .filter(|chain| chain.hook == hook && (chain.family == "inet" || chain.family == family))
            .collect();
        chains.sort_by_key(|chain| (chain.place(), std::cmp::Reverse(chain.registered)));
        chains
    }

    /// Whether connections are tracked in the node: something translates addresses or goes by what is known of a
    /// connection (`nf_ct_netns_get`).
    pub fn tracks(&self) -> bool {
        let asks = |rule: &Rule| {
            let by_state = rule.matches.iter().any(|part| matches!(part, Match::State(..) | Match::Translated(..)));
            let translates = |action: &Action| {
                matches!(action, Action::Dnat(_) | Action::Snat(_) | Action::Masquerade | Action::Redirect(_))
            };
            by_state || rule.actions.iter().any(translates) || rule.by.text.contains("ct ")
        };
        self.chains.iter().any(|chain| chain.kind == "nat") || self.named.values().flatten().any(asks)
    }

    /// The chain that a decision was made in, as `insert` names it.
    pub fn chain_of(&self, by: &By) -> Option<ChainRef> {
        let is = |rules: &[Rule]| rules.iter().any(|rule| rule.by == *by);
        let base = self.chains.iter().find(|chain| chain.policy == *by || is(&chain.rules));
        if let Some(chain) = base {
            return Some(ChainRef {
                family: chain.family.clone(),
                table: chain.table.clone(),
                chain: chain.name.clone(),
            });
        }
        let ((family, table, chain), _) = self.named.iter().find(|(_, rules)| is(rules))?;
        Some(ChainRef { family: family.clone(), table: table.clone(), chain: chain.clone() })
    }

    /// Whether there is anything to judge a forwarded packet by.
    pub fn is_empty(&self) -> bool {
        self.chains.is_empty() && self.unread.is_none()
    }
}

impl BaseChain {
    /// Its place among those of its hook.
    pub fn place(&self) -> i32 {
        match (self.kind.as_str(), self.hook.as_str()) {
            ("nat", "prerouting" | "output") => -100,
            ("nat", _) => 100,
            _ => self.priority,
        }
    }
}

/// A rule of a topology's table.
fn of_table(rule: &TableRule, id: &ResourceId, place: &str) -> Rule {
    let text = rule.in_family("inet");
    let by = By { text: format!("{place}: {text}"), id: Some(id.clone()), rule: Some(text) };
    match rule {
        TableRule::Typed(typed) => Rule { matches: matches(typed), actions: actions(typed), by },
        TableRule::Raw(_) | TableRule::Listed(_) => {
            Rule { matches: vec![Match::Unknown], actions: vec![Action::Unknown], by }
        }
    }
}

fn matches(rule: &PacketRule) -> Vec<Match> {
    let mut matches = Vec::new();
    matches.extend(rule.family.map(Match::Family));
    matches.extend(rule.input.as_ref().map(|input| Match::Input(input.not, input.names.clone())));
    matches.extend(rule.output.as_ref().map(|output| Match::Output(output.not, output.names.clone())));
    matches.extend(rule.source.as_ref().map(|source| Match::Source(source.not, source.items.clone())));
    matches.extend(rule.destination.as_ref().map(|to| Match::Destination(to.not, to.items.clone())));
    matches.extend(rule.local.then_some(Match::Local(true)));
    if let Some(protocol) = &rule.protocol {
        matches.push(protocol_number(protocol).map_or(Match::Unknown, |number| Match::Protocol(false, vec![number])));
    }
    matches.extend(rule.icmp_type.iter().map(|kind| Match::Icmp(false, vec![kind.clone()])));
    matches.extend(Some(&rule.port).filter(|ports| !ports.is_empty()).map(|ports| Match::Port(false, ports.clone())));
    matches.extend(
        Some(&rule.source_port).filter(|ports| !ports.is_empty()).map(|ports| Match::SourcePort(false, ports.clone())),
    );
    matches.extend(Some(&rule.state).filter(|all| !all.is_empty()).map(|all| Match::State(false, all.clone())));
    matches.extend(rule.mark.map(|(value, mask)| Match::Mark(false, value, mask)));
    // A rate lets the first packets by, and later ones perhaps not.
    matches.extend(rule.limit.as_ref().map(|_| Match::Unknown));
    matches
}

fn actions(rule: &PacketRule) -> Vec<Action> {
    let mut actions: Vec<Action> = rule.set_mark.iter().map(|(value, mask)| Action::Mark(*value, *mask)).collect();
    actions.extend(rule.verdict.as_ref().map(|verdict| match verdict {
        Verdict::Accept => Action::Accept,
        Verdict::Drop => Action::Drop,
        Verdict::Reject(_) => Action::Reject,
        Verdict::Masquerade => Action::Masquerade,
        Verdict::Snat(target) => Action::Snat(Some(target.clone())),
        Verdict::Dnat(target) => Action::Dnat(Some(target.clone())),
        Verdict::Redirect(port) => Action::Redirect(port.map(|(first, _)| first)),
    }));
    actions
}
