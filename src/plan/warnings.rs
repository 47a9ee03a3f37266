//! What a user should know about what does not come back.

use super::facts::{kept, lost_for_good};
use super::shared;
use crate::resource::{Link, Owner, Resource, ResourceId, State, Sysctl};

/// All warnings of a plan.
pub(super) fn warnings(goal: &State, observed: &State) -> Vec<String> {
    let left = observed.record.prior.iter().filter_map(|prior| match prior {
        Resource::Sysctl(sysctl)
            if kept(observed, sysctl) && !goal.items.contains_key(&sysctl.id()) && !goes(goal, observed, sysctl) =>
        {
            Some(sysctl)
        }
        _ => None,
    });
    let kept = left.map(|sysctl| {
        format!(
            "{} on {} was changed outside topo since the last apply: it is left as it is, not restored to {:?}",
            sysctl.key.replace('/', "."),
            sysctl.node,
            sysctl.value
        )
    });
    let changed =
        observed.record.prior.iter().filter_map(Resource::as_link).filter(|prior| changed_since(goal, observed, prior));
    let changed = changed.map(|prior| {
        format!(
            "{} was changed outside topo since the last apply: the changed attributes are left as they are, not restored",
            prior.id
        )
    });
    let gone =
        observed.record.prior.iter().filter(|prior| lost_for_good(observed, prior)).filter_map(Resource::as_link);
    let switched_off = goal
        .items
        .values()
        .filter(|item| item.owner != Owner::Restored)
        .filter_map(|item| without_ipv6(observed, &item.resource));
    let secrets = observed.record.prior.iter().filter_map(|prior| match prior {
        Resource::Sysctl(sysctl) if Sysctl::is_stable_secret(&sysctl.key) && sysctl.value.is_empty() => Some(sysctl),
        _ => None,
    });
    // In a namespace of ours it goes with that.
    let stays = |sysctl: &&Sysctl| {
        !goal.items.contains_key(&sysctl.id())
            && observed.namespace(&sysctl.node).is_some()
            && !observed.is_made(&sysctl.node)
    };
    let secrets = secrets.filter(stays).map(|sysctl| {
        format!("{} on {} stays set: the kernel cannot unset it", sysctl.key.replace('/', "."), sysctl.node)
    });
    renamed(goal, observed)
        .into_iter()
        .chain(kept)
        .chain(changed)
        .chain(secrets)
        .chain(gone.map(|link| format!("{} was deleted outside topo: its previous state is not restored", link.id)))
        .chain(switched_off)
        .chain(shared::lodgers(goal, observed))
        .collect()
}

/// What another prefix of names takes.
fn renamed(goal: &State, observed: &State) -> Option<String> {
    observed.is_renamed(goal).then(|| {
        let named = |state: &State| {
            state.prefixes().iter().map(|prefix| format!("{prefix:?}")).collect::<Vec<_>>().join(" and ")
        };
        format!(
            "the prefix of names changes from {} to {}: the namespaces are re-created",
            named(observed),
            named(goal)
        )
    })
}

/// Whether a setting goes with its own link, which is the topology's: nothing misses what it was.
fn goes(goal: &State, observed: &State, sysctl: &Sysctl) -> bool {
    let Some(link) = sysctl.link().map(ResourceId::Link) else { return false };
    observed.items.get(&link).is_some_and(|item| item.owner == Owner::Ours) && !goal.items.contains_key(&link)
}

/// Whether another program gave an interface that goes back other settings than topo had, and than it goes back to.
fn changed_since(goal: &State, observed: &State, prior: &Link) -> bool {
    let goes_back = goal.items.get(&prior.id()).is_some_and(|item| item.owner == Owner::Restored);
    let (back, kept) = (shared::released(observed, prior), shared::given_back(observed, prior));
    goes_back && observed.link(&prior.id).is_some_and(|now| back.drift(now).len() > kept.drift(now).len())
}

/// What it costs others that IPv6 is switched off on all interfaces: the kernel drops all addresses and routes there
/// (`addrconf_disable_change`), of which nothing keeps note. (For a single interface they are noted, and come back.)
fn without_ipv6(observed: &State, wanted: &Resource) -> Option<String> {
    let Resource::Sysctl(sysctl) = wanted else { return None };
    let changes = !matches!(observed.get(&wanted.id()), Some(Resource::Sysctl(there)) if there.value != "0");
    let theirs = observed.namespace(&sysctl.node).is_some() && !observed.is_made(&sysctl.node);
    let all = sysctl.key == "net/ipv6/conf/all/disable_ipv6" && sysctl.value != "0";
    let what = || {
        format!(
            "IPv6 is switched off on all interfaces of {}: their IPv6 addresses and routes go, and do not come back with destroy",
            sysctl.node
        )
    };
    (all && changes && theirs).then(what)
}
