//! What a person should know about what does not come back.

use super::complete::{kept, lost_for_good};
use super::shared;
use crate::resource::{Owner, Resource, State};

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
    kept.chain(gone.map(|link| format!("somebody deleted {}: what it was like before does not come back", link.id)))
        .chain(switched_off)
        .chain(shared::lodgers(goal, observed))
        .collect()
}

/// What it costs others that IPv6 is switched off: the kernel drops all addresses and routes there (`addrconf_disable_change`), of which nobody keeps note.
fn without_ipv6(observed: &State, wanted: &Resource) -> Option<String> {
    let Resource::Sysctl(sysctl) = wanted else { return None };
    let changes = !matches!(observed.get(&wanted.id()), Some(Resource::Sysctl(there)) if there.value != "0");
    let theirs = observed.namespace(&sysctl.node).is_some() && !observed.is_made(&sysctl.node);
    let switch = sysctl.key.starts_with("net/ipv6/conf/") && sysctl.key.ends_with("/disable_ipv6");
    if !switch || sysctl.value == "0" || !changes || !theirs {
        return None;
    }
    let Some(link) = sysctl.link() else {
        let all = sysctl.key == "net/ipv6/conf/all/disable_ipv6";
        let what =
            || format!("IPv6 is switched off on all interfaces of {}: their IPv6 addresses and routes go, and do not come back with destroy", sysctl.node);
        return all.then(what);
    };
    let addresses = observed.addresses_of(&link).filter(|address| address.address.addr().is_ipv6() && !address.marked);
    let addresses: Vec<String> = addresses.map(|address| address.address.to_string()).collect();
    let what = || format!("IPv6 is switched off on {link}: {} and the routes over it go, and do not come back with destroy", addresses.join(", "));
    (!addresses.is_empty()).then(what)
}
