//! Whose a rule is.

use super::classify::{Sorter, theirs};
use super::route::is_configured;
use crate::linux::object::rule;
use crate::model::in_the_way;
use crate::resource::mark::PROTOCOL;
use crate::resource::{Foreign, Owner, Resource, ResourceId, RuleAction};

impl Sorter<'_> {
    /// Rules: those that are configured, and the kernel's own where they matter.
    pub(super) fn rules(&mut self) {
        let kernels = self.judge.kernel_rules.contains(self.node());
        let mut seen: Vec<&rule::Seen> = self.inside.rules.iter().collect();
        // Of two that are the same but for the mark the marked one counts.
        seen.sort_by_key(|seen| seen.protocol == PROTOCOL);
        for seen in seen {
            let id = seen.rule.id();
            let configured = is_configured(seen.protocol, self.made);
            let owner = match (configured, self.made) {
                _ if seen.rule.key.action == RuleAction::L3mdev && seen.rule.kernel => {
                    self.wants_vrfs(&id).then_some(Owner::Ours)
                }
                _ if seen.rule.kernel && !rule::is_plain(&seen.rule) => None,
                // It has no mark but the kernel's own number, so the record says whose the one is that stands
                // elsewhere.
                _ if seen.rule.kernel && (self.made || self.judge.record.owned.contains(&id)) => Some(Owner::Ours),
                _ if seen.rule.kernel => kernels.then(|| theirs(Foreign::Kernel)),
                (false, _) => self.wanted(&id).then(|| theirs(Foreign::RoutingDaemon)),
                (true, true) => Some(self.inside(&id, None)),
                (true, false) => {
                    let shown = seen.rule.marked && in_the_way(self.judge.wanted, &seen.rule);
                    self.owner_elsewhere(&id, seen.rule.marked, false, shown)
                }
            };
            if let Some(owner) = owner {
                self.state.insert(Resource::Rule(seen.rule.clone()), owner);
            }
        }
    }

    /// Whether a rule of the kernel's for VRFs is to be there: without a VRF it stays, and is no topology's business,
    /// unless an undo goes back to it.
    fn wants_vrfs(&self, rule: &ResourceId) -> bool {
        self.made && (self.wanted(rule) || self.judge.wanted.has_vrf(self.node()))
    }
}
