//! NAT and firewall as the language has them.

use super::tree::Yaml;
use crate::resource::{
    AddressMatch, AddressRange, Chain, IfMatch, Insert, PacketRule, Table, TableRule, Target, Verdict,
};

/// The chains of a table, as `nat` and as `firewall`.
pub fn table(table: &Table, node: &mut Yaml, inserts: &[&Insert]) {
    let find = |name: &str| table.chains.iter().find(|chain| chain.name == name);
    let rules = |name: &str| find(name).map(|chain| chain.rules.as_slice()).unwrap_or_default();
    let (arriving, local) = (rules("nat-prerouting"), rules("nat-output"));
    let mut nat = destination_nat(arriving, local, rules("nat-postrouting"));
    nat.extend(rules("nat-postrouting").iter().map(|rule| nat_rule(rule, true, None)));
    node.put_list("nat", nat);
    let mut firewall = Yaml::map();
    for chain in table.chains.iter().filter(|chain| chain.kind != "nat") {
        // What stands before connection tracking has a chain of its own, and is written with the other rules of its
        // hook.
        let hook = chain.name.strip_prefix("raw-").unwrap_or(&chain.name);
        if hook == chain.name || find(hook).is_none() {
            let early = find(&format!("raw-{hook}"))
                .filter(|_| hook == chain.name)
                .map(|early| early.rules.as_slice())
                .unwrap_or_default();
            firewall.put(hook, filter(chain, early));
        }
    }
    put_firewall(firewall, node, inserts);
}

/// The rules of the chains of what arrives and of what the node itself opens as one list: one entry for a rule of both,
/// where the order of both allows it, and where the rule that a `dnat` with `local: true` has in the chain of what
/// `leaves` is there.
fn destination_nat(arriving: &[TableRule], mut local: &[TableRule], leaves: &[TableRule]) -> Vec<Yaml> {
    let opened = |rule: &TableRule| leaves_by_itself(rule, leaves).then(|| in_output(rule));
    // Each rule for what arrives, with the one that `local: true` adds to it, where that is all it adds.
    let all: Vec<(&TableRule, Option<TableRule>)> = arriving.iter().map(|rule| (rule, opened(rule))).collect();
    let mut arriving = all.as_slice();
    let mut list = Vec::new();
    loop {
        match (arriving, local) {
            ([(first, Some(both)), arrives @ ..], [other, opened @ ..]) if both == other => {
                list.push(nat_rule(first, true, Some(Yaml::Switch(true))));
                (arriving, local) = (arrives, opened);
            }
            (_, [other, opened @ ..]) if !arriving.iter().any(|(_, both)| both.as_ref() == Some(other)) => {
                list.push(nat_rule(other, false, Some(Yaml::of(&"only"))));
                local = opened;
            }
            ([(first, _), arrives @ ..], _) => {
                list.push(nat_rule(first, true, None));
                arriving = arrives;
            }
            ([], _) => return list,
        }
    }
}

/// Whether a rule needs no masquerade for what comes back, or has it.
fn leaves_by_itself(rule: &TableRule, leaves: &[TableRule]) -> bool {
    let TableRule::Typed(rule) = rule else { return true };
    let Some(Verdict::Dnat(to)) = &rule.verdict else { return true };
    let target = |there: &AddressRange| match there {
        AddressRange::Prefix(net) => net.addr() == to.address,
        AddressRange::Range(first, _) => *first == to.address,
    };
    leaves.iter().any(|there| {
        matches!(there, TableRule::Typed(there) if there.verdict == Some(Verdict::Masquerade) && there.destination.iter().any(|those| those.items.iter().any(target)))
    })
}

/// What `local: true` makes of a rule for what arrives: it comes in nowhere, and is for the node's own addresses where
/// it says no destination.
fn in_output(rule: &TableRule) -> TableRule {
    match rule {
        TableRule::Typed(rule) => {
            TableRule::Typed(PacketRule { input: None, local: rule.destination.is_none(), ..(**rule).clone() }.into())
        }
        rule => rule.clone(),
    }
}

/// `firewall`, with what stands in foreign chains.
pub fn put_firewall(mut firewall: Yaml, node: &mut Yaml, inserts: &[&Insert]) {
    firewall.put_list(
        "insert",
        inserts.iter().flat_map(|insert| insert.rules.iter().map(|rule| inserted(insert, rule))).collect(),
    );
    if !firewall.is_empty() {
        node.put("firewall", firewall);
    }
}

/// A chain, with the rules of its hook that come before it.
fn filter(chain: &Chain, early: &[TableRule]) -> Yaml {
    let mut section = Yaml::map();
    if chain.drop {
        section.put("policy", Yaml::of(&"drop"));
    }
    section.put_list("rules", early.iter().chain(&chain.rules).map(firewall_rule).collect());
    section
}

fn inserted(insert: &Insert, rule: &TableRule) -> Yaml {
    let mut map = Yaml::map().with("chain", Yaml::of(&insert.chain));
    if insert.if_present {
        map.put("if-present", Yaml::Switch(true));
    }
    if let Yaml::Map(entries) = firewall_rule(rule) {
        entries.into_iter().for_each(|(key, value)| map.put(&key, value));
    }
    map
}

fn raw(text: &str) -> Yaml {
    Yaml::map().with("nft", Yaml::of(&text))
}

/// A rule of `nat`. In what the node itself opens, a rule without a destination is for the node's addresses anyway
/// (`arrives` is false).
fn nat_rule(rule: &TableRule, arrives: bool, local: Option<Yaml>) -> Yaml {
    let rule = match rule {
        TableRule::Typed(rule) => rule,
        TableRule::Raw(text) | TableRule::Listed(text) => return raw(text),
    };
    let mut map = matches(&PacketRule { local: rule.local && arrives, ..(**rule).clone() });
    let word = match &rule.verdict {
        Some(Verdict::Masquerade) => "masquerade",
        Some(Verdict::Snat(to)) => {
            map.put("to", Yaml::of(&target(to)));
            "snat"
        }
        Some(Verdict::Dnat(to)) => {
            map.put("to", Yaml::of(&target(to)));
            "dnat"
        }
        Some(Verdict::Redirect(to)) => {
            map.put_some("to", to.map(range).as_ref());
            "redirect"
        }
        _ => return raw(&crate::dialect::nft_script::nft_rule(rule, "inet")),
    };
    if let Some(local) = local {
        map.put("local", local);
    }
    if rule.counter {
        map.put("counter", Yaml::Switch(true));
    }
    Yaml::map().with(word, map)
}

fn firewall_rule(rule: &TableRule) -> Yaml {
    let rule = match rule {
        TableRule::Typed(rule) => rule,
        TableRule::Raw(text) | TableRule::Listed(text) => return raw(text),
    };
    let mut map = matches(rule);
    if let Some((bits, mask)) = rule.set_mark {
        map.put("set-mark", Yaml::of(&mark(bits, mask)));
    }
    let mut with = Yaml::map();
    let word = match &rule.verdict {
        Some(Verdict::Accept) => "accept",
        Some(Verdict::Drop) => "drop",
        Some(Verdict::Reject(answer)) => {
            with.put_some("with", answer.as_ref());
            "reject"
        }
        _ => {
            if rule.counter {
                map.put("counter", Yaml::Switch(true));
            }
            return map;
        }
    };
    with.put_some("log", rule.log.as_ref());
    if rule.counter {
        with.put("counter", Yaml::Switch(true));
    }
    map.with(word, with)
}

fn matches(rule: &PacketRule) -> Yaml {
    let mut map = Yaml::map();
    map.put_many("in", interfaces(rule.input.as_ref()));
    map.put_many("out", interfaces(rule.output.as_ref()));
    map.put_many("source", addresses(rule.source.as_ref()));
    map.put_many("destination", addresses(rule.destination.as_ref()));
    if rule.local {
        map.put("destination", Yaml::of(&"local"));
    }
    map.put_some("protocol", rule.protocol.as_ref());
    map.put_some("icmp-type", rule.icmp_type.as_ref());
    map.put_many("port", rule.port.iter().map(|ports| Yaml::of(&range(*ports))).collect());
    map.put_many("source-port", rule.source_port.iter().map(|ports| Yaml::of(&range(*ports))).collect());
    map.put_many("state", rule.state.iter().map(Yaml::of).collect());
    map.put_some("mark", rule.mark.map(|(bits, mask)| mark(bits, mask)).as_ref());
    map.put_some("limit", rule.limit.as_ref().map(|(packets, unit)| format!("{packets}/{unit}")).as_ref());
    map
}

fn not(not: bool, text: &impl ToString) -> Yaml {
    Yaml::Text(format!("{}{}", if not { "!" } else { "" }, text.to_string()))
}

fn interfaces(those: Option<&IfMatch>) -> Vec<Yaml> {
    those.map(|those| those.names.iter().map(|name| not(those.not, name)).collect()).unwrap_or_default()
}

fn addresses(those: Option<&AddressMatch>) -> Vec<Yaml> {
    let item = |item: &AddressRange| match item {
        AddressRange::Prefix(net) if net.prefix_len() == net.max_prefix_len() => net.addr().to_string(),
        AddressRange::Prefix(net) => net.to_string(),
        AddressRange::Range(from, to) => format!("{from}-{to}"),
    };
    those.map(|those| those.items.iter().map(|one| not(those.not, &item(one))).collect()).unwrap_or_default()
}

fn range((from, to): (u16, u16)) -> String {
    if from == to { from.to_string() } else { format!("{from}-{to}") }
}

/// A mark, and its mask where not all bits count.
pub fn mark(bits: u32, mask: u32) -> String {
    if mask == u32::MAX { format!("{bits:#x}") } else { format!("{bits:#x}/{mask:#x}") }
}

fn target(target: &Target) -> String {
    let addresses = target.last.map_or_else(|| target.address.to_string(), |last| format!("{}-{last}", target.address));
    match target.port {
        Some(ports) if target.address.is_ipv6() => format!("[{addresses}]:{}", range(ports)),
        Some(ports) => format!("{addresses}:{}", range(ports)),
        None => addresses,
    }
}
