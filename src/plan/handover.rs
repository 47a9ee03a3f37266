//! Values that are one of a kind change hands: who has one gives it up before another takes it.

use super::change::Conflict;
use crate::resource::{Claim, Foreign, Item, Link, LinkId, Owner, ResourceId, State};
use std::collections::HashMap;

/// Who has what, as of the steps so far. An entry may be out of date: who asks looks at the link.
pub(super) struct Holders(HashMap<Claim, LinkId>);

impl Holders {
    /// Of all links of a state.
    pub fn of(state: &State) -> Self {
        let mut holders = Self(HashMap::new());
        state.links().for_each(|link| holders.note(link));
        holders
    }

    /// Notes what a link has now.
    pub fn note(&mut self, link: &Link) {
        self.0.extend(Claim::of(link).into_iter().map(|claim| (claim, link.id.clone())));
    }

    /// The link of `state` other than `except` that has it.
    pub fn holder<'s>(&self, state: &'s State, claim: &Claim, except: &LinkId) -> Option<&'s Link> {
        let link = self.0.get(claim).filter(|holder| *holder != except).and_then(|holder| state.link(holder));
        link.filter(|link| Claim::of(link).contains(claim))
    }
}

/// What links of ours take and another program has, and keeps.
pub(super) fn conflicts(goal: &State, observed: &State) -> Vec<Conflict> {
    let theirs = observed
        .items
        .values()
        .filter(|item| matches!(item.owner, Owner::Theirs(_)))
        .filter_map(|item| item.resource.as_link());
    let mut holders: HashMap<Claim, &Link> = HashMap::new();
    for link in theirs {
        holders.extend(Claim::of(link).into_iter().map(|claim| (claim, link)));
    }
    let links = goal
        .items
        .values()
        .filter(|item| matches!(item.owner, Owner::Ours | Owner::Named))
        .filter_map(|item| item.resource.as_link());
    links.filter_map(|link| conflict(goal, observed, &holders, link)).collect()
}

fn conflict(goal: &State, observed: &State, holders: &HashMap<Claim, &Link>, link: &Link) -> Option<Conflict> {
    let there = observed.link(&link.id);
    let has = there.map(Claim::of).unwrap_or_default();
    let keeps = |holder: &Link, claim: &Claim| {
        goal.link(&holder.id).is_none_or(|goal| Claim::after(goal, Some(holder)).contains(claim))
    };
    let own = there.is_none().then(|| Claim::name_of(&link.id));
    for claim in own.into_iter().chain(Claim::after(link, there)).filter(|claim| !has.contains(claim)) {
        // A link of that very name is the business of the program that looks at links by their names.
        let named = claim
            .named()
            .filter(|named| *named != link.id)
            .and_then(|named| Some((named.clone(), observed.items.get(&ResourceId::Link(named))?)));
        if let Some((named, Item { owner: Owner::Theirs(who), .. })) = named {
            let reason =
                format!("{named} already exists and belongs to {who}, so that {} cannot have its name too", link.id);
            return Some(Conflict::new(
                link.id(),
                reason,
                "names and alternative names of a namespace are one set: choose another one",
            ));
        }
        let Some(holder) = holders.get(&claim).filter(|holder| holder.id != link.id && keeps(holder, &claim)) else {
            continue;
        };
        let who = match observed.items.get(&holder.id()).map(|item| &item.owner) {
            Some(Owner::Theirs(who)) => who,
            _ => &Foreign::Unknown,
        };
        let (what, help) = match &claim {
            Claim::Name(_, name) => (
                format!("{name:?} is an alternative name of {}", holder.id),
                format!("choose another name, or: ip link property del dev {} altname {name}", holder.id.name),
            ),
            Claim::Mac(lower, mac) => {
                (format!("the mac {mac} is that of {} on {lower}", holder.id), "give it another `mac`".to_owned())
            }
            Claim::Ends(..) => (
                format!("{} is a tunnel between the same ends", holder.id),
                "give it other ends, or a key of its own".to_owned(),
            ),
            Claim::Port(_, port) => {
                (format!("{} listens on port {port}", holder.id), "give it another `listen-port`".to_owned())
            }
        };
        return Some(Conflict::new(link.id(), format!("{what}, which belongs to {who}"), help));
    }
    None
}
