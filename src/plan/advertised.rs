//! Routes that a router advertises. Who begins to forward IPv6, on one interface or on all, loses them, and hears no
//! router any more (`rt6_purge_dflt_routers`, `ipv6_accept_ra`): but on interfaces whose `accept_ra` is 2.

use crate::resource::{LinkId, Node, Owner, Resource, State, Sysctl};
use std::collections::BTreeSet;

/// The value with which a router is heard by who forwards, too.
const ALWAYS: &str = "2";

/// `wanted` with `accept_ra` 2 on interfaces of others that have such routes, where it makes the node forward IPv6. The
/// kernel door shows the setting of just those.
pub(super) fn kept(wanted: &State, observed: &State) -> State {
    let begins = |sysctl: &&Sysctl| is_switch(sysctl) && sysctl.value != "0";
    let nodes: BTreeSet<&Node> =
        settings(wanted).filter(begins).map(|sysctl| &sysctl.node).filter(|node| !observed.is_made(node)).collect();
    let mut wanted = wanted.clone();
    if nodes.is_empty() {
        return wanted;
    }
    let at_stake = |sysctl: &&Sysctl| {
        let link = sysctl.link().filter(|_| sysctl.key.ends_with("/accept_ra"));
        link.is_some_and(|link| is_of_others(observed, &link)) && (sysctl.value == "1" || is_written(observed, sysctl))
    };
    for there in settings(observed).filter(|sysctl| nodes.contains(&sysctl.node)).filter(at_stake) {
        let id = there.id();
        if wanted.get(&id).is_none() {
            wanted.insert(Resource::Sysctl(Sysctl::new(there.node.clone(), there.key.clone(), ALWAYS)), Owner::Ours);
        }
    }
    wanted
}

fn settings(state: &State) -> impl Iterator<Item = &Sysctl> {
    state.resources().filter_map(|resource| if let Resource::Sysctl(sysctl) = resource { Some(sysctl) } else { None })
}

/// Whether it makes a node forward IPv6, from all interfaces or from one; a default is for those that come.
fn is_switch(sysctl: &Sysctl) -> bool {
    sysctl.key.starts_with("net/ipv6/conf/") && sysctl.key.ends_with("/forwarding") && !sysctl.key.contains("/default/")
}

fn is_of_others(observed: &State, link: &LinkId) -> bool {
    observed.items.get(&crate::resource::ResourceId::Link(link.clone())).is_some_and(|item| item.owner != Owner::Ours)
}

/// Whether this topology or another one has written it.
fn is_written(observed: &State, sysctl: &Sysctl) -> bool {
    let id = sysctl.id();
    observed.record.wrote.iter().any(|wrote| wrote.id() == id) || observed.other_with_setting(&id).is_some()
}
