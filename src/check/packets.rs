//! The rules of NAT and firewall as the file has them, gathered for the rules that look at them.

use super::view::{NodeView, View};
use crate::document::schema::firewall::{ChainSection, Firewall, VerdictKey};
use crate::document::schema::matching::Matches;
use crate::document::schema::nat::{Local, NatRule};
use crate::document::value::{ChainName, Ports, TargetItem};
use crate::document::{Loc, Place};
use crate::resource::Node;

/// A rule of NAT or firewall and where it is.
pub(super) struct Packet<'v, 'a> {
    /// The node.
    pub node: &'v NodeView<'a>,
    /// Its name.
    pub at: &'a Node,
    /// The chain in the words of a message: `masquerade`, `the chain `forward``.
    pub chain: String,
    /// The hook that it hangs on; not known for foreign chains.
    pub hook: Option<&'static str>,
    /// What it goes by.
    pub matches: &'a Matches,
    /// What it does.
    pub act: Act<'a>,
    /// Where it stands.
    pub place: Place,
}

/// What a rule does.
#[derive(Clone, Copy)]
pub(super) enum Act<'a> {
    /// `masquerade`
    Masquerade,
    /// `snat`
    Snat(&'a Loc<TargetItem>),
    /// `dnat`
    Dnat(&'a Loc<TargetItem>),
    /// `redirect`
    Redirect(Option<&'a Loc<Ports>>),
    /// A verdict of the firewall; none for a rule that only marks.
    Verdict(Option<&'a Loc<VerdictKey>>),
}

impl<'a> Act<'a> {
    /// The target of `snat` and `dnat`.
    pub fn target(&self) -> Option<&'a Loc<TargetItem>> {
        match self {
            Self::Snat(target) | Self::Dnat(target) => Some(target),
            _ => None,
        }
    }

    /// Whether it is of `nat`.
    pub fn is_nat(&self) -> bool {
        !matches!(self, Self::Verdict(_))
    }

    /// Whether packets leave with another source.
    pub fn changes_source(&self) -> bool {
        matches!(self, Self::Masquerade | Self::Snat(_))
    }

    /// Whether it decides about a packet that fits.
    pub fn decides(&self) -> bool {
        !matches!(self, Self::Verdict(None))
    }
}

/// All rules of all nodes, in the order of the file, without raw `nft` lines.
pub(super) fn gather<'v, 'a>(view: &'v View<'a>) -> Vec<Packet<'v, 'a>> {
    let mut packets = Vec::new();
    for (at, node) in &view.nodes {
        let Some(section) = node.section else { continue };
        packets.extend(section.nat.iter().filter_map(|rule| nat(node, at, rule)));
        if let Some(firewall) = &section.firewall {
            for (hook, chain) in chains(firewall) {
                let of = |rule: &'a crate::document::schema::firewall::FirewallRule| {
                    let act = Act::Verdict(rule.verdict.as_ref());
                    Packet {
                        node,
                        at,
                        chain: format!("the chain `{hook}`"),
                        hook: Some(hook),
                        matches: &rule.matches,
                        act,
                        place: rule.place,
                    }
                };
                packets.extend(chain.rules.iter().map(of));
            }
            for rule in &firewall.insert {
                let ChainName(chain) = &rule.chain.value;
                let act = Act::Verdict(rule.verdict.as_ref());
                packets.push(Packet {
                    node,
                    at,
                    chain: format!("the chain \"{chain}\""),
                    hook: None,
                    matches: &rule.matches,
                    act,
                    place: rule.place,
                });
            }
        }
    }
    packets
}

/// The chains of a firewall that are there, by hook.
pub(super) fn chains(firewall: &Firewall) -> impl Iterator<Item = (&'static str, &ChainSection)> {
    let all = [
        ("prerouting", &firewall.prerouting),
        ("input", &firewall.input),
        ("forward", &firewall.forward),
        ("output", &firewall.output),
        ("postrouting", &firewall.postrouting),
    ];
    all.into_iter().filter_map(|(hook, chain)| Some((hook, chain.as_ref()?)))
}

fn nat<'v, 'a>(node: &'v NodeView<'a>, at: &'a Node, rule: &'a Loc<NatRule>) -> Option<Packet<'v, 'a>> {
    let enters = |local: &Option<Loc<Local>>| {
        if local.as_ref().is_some_and(|local| local.value == Local::Only) { "output" } else { "prerouting" }
    };
    let (hook, matches, act) = match &rule.value {
        NatRule::Masquerade(rule) => ("postrouting", &rule.matches, Act::Masquerade),
        NatRule::Snat(rule) => ("postrouting", &rule.matches, Act::Snat(&rule.to)),
        NatRule::Dnat(rule) => (enters(&rule.local), &rule.matches, Act::Dnat(&rule.to)),
        NatRule::Redirect(rule) => (enters(&rule.local), &rule.matches, Act::Redirect(rule.to.as_ref())),
        NatRule::Nft(_) => return None,
    };
    Some(Packet {
        node,
        at,
        chain: format!("`{}`", rule.value.key()),
        hook: Some(hook),
        matches,
        act,
        place: rule.place,
    })
}
