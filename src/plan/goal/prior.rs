//! What was there before topo changed it: what of it comes back, and what keeps the rest away.

use crate::plan::facts::{gone, is_unread, kept, local_rules, lost_for_good, prior_equals};
use crate::plan::{facts, shared};
use crate::resource::{Family, Kind, Link, LinkId, Node, NodeTenure, Owner, Resource, Setting, State, Sysctl, Tenure};
use std::collections::BTreeSet;

/// What the record says was there before comes back where the file no longer speaks of it.
pub(crate) fn restore(goal: &mut State, observed: &State) {
    let waiting = Waiting::of(goal, observed);
    for prior in &observed.record.prior {
        let id = prior.id();
        // The last topology that names a setting gives it back; it finds the value from before in the record of the
        // program that had it first.
        let changed = matches!(prior, Resource::Sysctl(sysctl) if kept(observed, sysctl))
            || observed.other_with_setting(&id).is_some();
        // A secret that was not set before cannot be unset.
        let secret = matches!(prior, Resource::Sysctl(sysctl) if Sysctl::is_stable_secret(&sysctl.key) && sysctl.value.is_empty());
        if !(secret || waiting.has(goal, observed, prior) || changed || goal.items.contains_key(&id)) {
            let back = prior.as_link().map(|link| Resource::Link(Box::new(shared::given_back(observed, link))));
            goal.insert(back.unwrap_or_else(|| prior.clone()), Owner::Restored);
        }
    }
    shared::spare(goal, observed);
    follow(goal, observed);
    inherit(goal, observed);
}

/// The foreign links (moved, set down, without routes) and the rules that keep what was there before from coming back.
pub(crate) struct Waiting {
    taken: Vec<LinkId>,
    down: Vec<LinkId>,
    off: Vec<LinkId>,
    local: BTreeSet<(Node, Family)>,
}

impl Waiting {
    /// Those of a goal. (To be down costs nothing where it was down before.)
    pub fn of(goal: &State, observed: &State) -> Self {
        let theirs = |link: &&Link| link.tenure == Tenure::Existing;
        let was_down = |link: &Link| {
            observed
                .record
                .prior(&link.id())
                .and_then(Resource::as_link)
                .is_some_and(|prior| prior.up == Setting::Is(false))
        };
        let is_down = |link: &&Link| theirs(link) && link.up == Setting::Is(false) && !was_down(link);
        Self {
            taken: goal
                .links()
                .filter(|link| matches!(link.tenure, Tenure::From(_)))
                .map(|link| link.home().clone())
                .collect(),
            down: goal.links().filter(is_down).map(|link| link.id.clone()).chain(shared::down(observed)).collect(),
            off: goal.links().filter(theirs).filter(|link| goal.is_off(&link.id)).map(|link| link.id.clone()).collect(),
            local: local_rules(goal),
        }
    }

    /// Whether `prior` does not come back yet, or never.
    pub fn has(&self, goal: &State, observed: &State, prior: &Resource) -> bool {
        let lost = |link: &LinkId| self.taken.contains(link) || self.down.contains(link);
        let still_away = match prior {
            Resource::Link(link) => self.taken.contains(&link.id),
            Resource::Neighbor(neighbor) => lost(&neighbor.link),
            Resource::Address(address) => lost(&address.link) || goal.bars(&address.link, &address.address),
            Resource::Route(route) => route.nexthops.iter().any(|hop| {
                hop.dev.as_ref().is_some_and(|dev| {
                    let link = LinkId { node: route.node.clone(), name: dev.clone() };
                    lost(&link) || self.off.contains(&link) || goal.bars(&link, &route.key.to)
                })
            }),
            Resource::Sysctl(sysctl) => {
                // A link that moves gets the settings of a new one, in either namespace.
                gone(goal, observed, sysctl)
                    || is_unread(observed, sysctl)
                    || sysctl.link().is_some_and(|link| self.taken.contains(&link))
                    || sysctl.written_with().is_some_and(|main| {
                        goal.items.get(&main).is_some_and(|item| item.owner != Owner::Restored)
                            || observed.other_with_setting(&main).is_some()
                    })
            }
            Resource::Rule(rule) => self.local.contains(&(rule.node.clone(), rule.key.family)),
            _ => false,
        };
        let node_gone = match observed.namespace(prior.id().node()).map(|namespace| &namespace.tenure) {
            None => true,
            Some(NodeTenure::Created) => goal.namespace(prior.id().node()).is_none(),
            Some(_) => false,
        };
        still_away || node_gone || lost_for_good(observed, prior) || facts::goes_along(goal, observed, prior)
    }
}

/// Settings of interfaces that left the file, where a switch or default of the node reaches them: those of a link of
/// ours have what that gives a fresh one, whatever they had when topo first wrote them; a foreign one goes where the
/// switch took it, and back where the switch took it nowhere.
pub(crate) fn follow(goal: &mut State, observed: &State) {
    for prior in &observed.record.prior {
        let Resource::Sysctl(own) = prior else { continue };
        let Some(link) = own.link().filter(|_| !gone(goal, observed, own)) else { continue };
        if goal.links().any(|taken| taken.tenure == Tenure::From(link.clone())) {
            continue;
        }
        let said = goal.items.get(&own.id()).is_some_and(|item| item.owner != Owner::Restored);
        let Some(switch) =
            own.written_with().filter(|_| !said).and_then(|switch| shared::reaches(goal, observed, &switch))
        else {
            continue;
        };
        let made = observed.is_made(&own.node) && goal.namespace(&own.node).is_some();
        let ours = goal.link(&link).is_some_and(|link| made || link.tenure == Tenure::Created);
        let wrote = observed.record.wrote.iter().any(|wrote| wrote.id() == own.id());
        let before = observed
            .record
            .prior(&switch.id())
            .or_else(|| observed.prior_of_others(&switch.id()))
            .or_else(|| observed.get(&switch.id()));
        let moved = before.is_none_or(|before| !prior_equals(before, switch));
        let value = match (ours, wrote) {
            (true, _) => &switch.value,
            (false, false) => continue,
            (false, true) if moved => &switch.value,
            (false, true) => &own.value,
        };
        let own = Sysctl::new(own.node.clone(), own.key.clone(), value);
        goal.insert(Resource::Sysctl(own), Owner::Restored);
    }
}

/// Links of ours that stay have what a fresh one would inherit from a default that the file sets, or that goes back.
pub(crate) fn inherit(goal: &mut State, observed: &State) {
    let defaults: Vec<Sysctl> = goal
        .resources()
        .filter_map(|resource| if let Resource::Sysctl(sysctl) = resource { Some(sysctl.clone()) } else { None })
        .collect();
    for default in defaults.iter().filter(|sysctl| sysctl.key.contains("/conf/default/")) {
        if !observed.is_made(&default.node) {
            continue;
        }
        // `lo` is there before any default is set.
        let six = default.key.starts_with("net/ipv6/");
        let has = |link: &Link| link.kind != Kind::Loopback && !(six && link.too_small_for_ipv6());
        let stays = |link: &&Link| goal.link(&link.id).is_some_and(has);
        let names: Vec<&str> =
            observed.links_of(&default.node).filter(stays).map(|link| link.id.name.as_str()).collect();
        for key in Sysctl::inherited(&default.key, names.into_iter()) {
            let own = Sysctl::new(default.node.clone(), key, &default.value);
            let said = goal.items.get(&own.id()).is_some_and(|item| item.owner != Owner::Restored);
            // One that was too small for it gets it when its MTU rises, which may be before the default is written.
            let comes = six && own.link().and_then(|link| observed.link(&link)).is_some_and(Link::too_small_for_ipv6);
            if (comes || observed.get(&own.id()).is_some()) && !said {
                goal.insert(Resource::Sysctl(own), Owner::Restored);
            }
        }
    }
}
