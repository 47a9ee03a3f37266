//! Which rules a daemon made: they come again with it, and are not the file's.

use crate::survey::{RuleChain, Ruleset};

/// How the chains of daemons begin, and whose they are.
const CHAINS: [(&str, &str); 12] = [
    ("DOCKER", "Docker"),
    ("LIBVIRT_", "libvirt"),
    ("NETAVARK", "podman"),
    ("CNI-", "CNI"),
    ("KUBE-", "Kubernetes"),
    ("cali-", "Calico"),
    ("CILIUM_", "Cilium"),
    ("ufw-", "ufw"),
    ("ufw6-", "ufw"),
    ("f2b-", "fail2ban"),
    ("nixos-fw", "NixOS"),
    ("sshguard", "sshguard"),
];
/// Tables that are a daemon's as a whole.
const TABLES: [(&str, &str); 5] = [
    ("firewalld", "firewalld"),
    ("netavark", "podman"),
    ("libvirt_network", "libvirt"),
    ("f2b-table", "fail2ban"),
    ("crowdsec", "CrowdSec"),
];

/// The daemon that made a chain.
pub(super) fn maker_of_chain(name: &str) -> Option<&'static str> {
    CHAINS.iter().find(|(start, _)| name.starts_with(start)).map(|(_, who)| *who)
}

/// The daemon that made a table.
pub(super) fn maker_of_table(ruleset: &Ruleset) -> Option<&'static str> {
    TABLES.iter().find(|(name, _)| ruleset.table == *name).map(|(_, who)| *who)
}

/// Leaves out of a table what daemons made: their chains, the rules that lead there, and those about their interfaces
/// and subnets (`words`). Says whose that was, each once, with how many rules they are.
pub(super) fn without_daemons(
    ruleset: &Ruleset,
    words: &[(String, &'static str)],
) -> (Ruleset, Vec<(&'static str, usize)>) {
    let mut left = ruleset.clone();
    let mut counts: Vec<(&'static str, usize)> = Vec::new();
    let mut count = |who: &'static str| match counts.iter_mut().find(|(known, _)| *known == who) {
        Some((_, count)) => *count += 1,
        None => counts.push((who, 1)),
    };
    left.chains.retain(|chain| maker_of_chain(&chain.name).is_none());
    for chain in ruleset.chains.iter().filter_map(|chain| Some((chain, maker_of_chain(&chain.name)?))) {
        chain.0.rules.iter().for_each(|_| count(chain.1));
    }
    for chain in &mut left.chains {
        let makers: Vec<Option<&'static str>> = chain.rules.iter().map(|rule| maker_of_rule(rule, words)).collect();
        makers.iter().flatten().for_each(|who| count(who));
        keep(&mut chain.rules, &makers);
        keep(&mut chain.in_nft, &makers);
        // Docker forwards nothing that it does not allow, and says so by the policy.
        let is_dockers =
            |chain: &RuleChain| chain.name == "FORWARD" && chain.rules.is_empty() && makers.contains(&Some("Docker"));
        if is_dockers(chain)
            && let Some(base) = &mut chain.base
        {
            base.drop = false;
        }
    }
    (left, counts)
}

fn keep(rules: &mut Vec<String>, makers: &[Option<&'static str>]) {
    let mut nth = 0;
    rules.retain(|_| {
        nth += 1;
        makers.get(nth - 1).is_none_or(Option::is_none)
    });
}

fn maker_of_rule(rule: &str, words: &[(String, &'static str)]) -> Option<&'static str> {
    let mut last = "";
    for word in rule.split_whitespace() {
        let word = word.trim_matches('"');
        if matches!(last, "-j" | "-g" | "jump" | "goto")
            && let Some(who) = maker_of_chain(word)
        {
            return Some(who);
        }
        if let Some((_, who)) = words.iter().find(|(known, _)| known == word) {
            return Some(who);
        }
        last = word;
    }
    None
}
