//! What a person should know about what does not come back.

use super::facts::{kept, lost_for_good};
use super::shared;
use crate::resource::{Owner, Resource, State, Sysctl};

/// All warnings of a plan.
pub(super) fn warnings(goal: &State, observed: &State) -> Vec<String> {
    let left = observed.record.prior.iter().filter_map(|prior| match prior {
        Resource::Sysctl(sysctl) if kept(observed, sysctl) && !goal.items.contains_key(&sysctl.id()) => Some(sysctl),
        _ => None,
    });
    let kept = left.map(|sysctl| {
        format!(
            "somebody changed {} on {} since topo set it: it stays as it is, instead of going back to {:?}",
            sysctl.key.replace('/', "."),
            sysctl.node,
            sysctl.value
        )
    });
    let gone = observed.record.prior.iter().filter(|prior| lost_for_good(observed, prior)).filter_map(Resource::as_link);
    let switched_off = goal.items.values().filter(|item| item.owner != Owner::Restored).filter_map(|item| without_ipv6(observed, &item.resource));
    let secrets = observed.record.prior.iter().filter_map(|prior| match prior {
        Resource::Sysctl(sysctl) if Sysctl::is_stable_secret(&sysctl.key) && sysctl.value.is_empty() => Some(sysctl),
        _ => None,
    });
    // In a namespace of ours it goes with that.
    let stays = |sysctl: &&Sysctl| !goal.items.contains_key(&sysctl.id()) && observed.namespace(&sysctl.node).is_some() && !observed.is_made(&sysctl.node);
    let secrets = secrets.filter(stays).map(|sysctl| format!("{} on {} stays set: the kernel cannot unset it", sysctl.key.replace('/', "."), sysctl.node));
    kept.chain(secrets)
        .chain(gone.map(|link| format!("somebody deleted {}: what it was like before does not come back", link.id)))
        .chain(switched_off)
        .chain(shared::lodgers(goal, observed))
        .collect()
}

/// What it costs others that IPv6 is switched off on all interfaces: the kernel drops all addresses and routes there (`addrconf_disable_change`), of which
/// nobody keeps note. (For a single interface they are noted, and come back.)
fn without_ipv6(observed: &State, wanted: &Resource) -> Option<String> {
    let Resource::Sysctl(sysctl) = wanted else { return None };
    let changes = !matches!(observed.get(&wanted.id()), Some(Resource::Sysctl(there)) if there.value != "0");
    let theirs = observed.namespace(&sysctl.node).is_some() && !observed.is_made(&sysctl.node);
    let all = sysctl.key == "net/ipv6/conf/all/disable_ipv6" && sysctl.value != "0";
    let what = || format!("IPv6 is switched off on all interfaces of {}: their IPv6 addresses and routes go, and do not come back with destroy", sysctl.node);
    (all && changes && theirs).then(what)
}
