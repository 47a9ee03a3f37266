//! What the kernel does with policy rules.

use super::refusal::Refusal;
use crate::resource::{Resource, ResourceId, Rule, RuleAction, RuleKey, State, TableId};

/// The rules of `state` beside `rule`: of its family and priority.
fn beside<'a>(state: &'a State, rule: &Rule) -> impl Iterator<Item = &'a Rule> {
    let RuleKey { family, priority, .. } = rule.key;
    let first = RuleKey::all(family, priority, RuleAction::Table(TableId::Number(0)));
    let start = ResourceId::Rule(rule.node.clone(), Box::new(first));
    let (node, id) = (rule.node.clone(), rule.id());
    let rules = state.items.range(start..).map_while(|(_, item)| match &item.resource {
        Resource::Rule(rule) => Some(rule),
        _ => None,
    });
    rules
        .take_while(move |other| other.node == node && other.key.family == family && other.key.priority == priority)
        .filter(move |other| other.id() != id)
}

/// Whether the kernel takes a rule that `wanted` has for `rule`, which is there.
pub(crate) fn in_the_way(wanted: &State, rule: &Rule) -> bool {
    beside(wanted, rule).any(|new| new.key.is_taken_for(&rule.key))
}

/// A rule that the kernel takes for one that is there is refused. (What another program made carries another protocol,
/// which it compares.)
pub(crate) fn taken_for_another(state: &State, rule: &Rule) -> Result<(), Refusal> {
    let same = |other: &&Rule| match (rule.marked, other.marked) {
        (false, false) => other.protocol == rule.protocol && other.kernel == rule.kernel,
        (one, two) => one == two,
    };
    match beside(state, rule).filter(same).find(|other| rule.key.is_taken_for(&other.key)) {
        Some(other) => Err(Refusal {
            reason: format!("the kernel takes it for the rule `{}`, which is there", other.key),
            help: Some("give it another priority, or the prefixes of that one".to_owned()),
        }),
        None => Ok(()),
    }
}
