//! The goal: what the file wants, and what has to be there besides.

use super::prior::restore;
use crate::plan::facts::{gone, local_rules};
use crate::plan::shared;
use crate::resource::kinds::spec::Mtu;
use crate::resource::{
    ETHERNET_MTU, Impact, Insert, Item, Kind, Link, LinkId, Mac, Node, NodeTenure, Owner, Resource, ResourceId, Rule,
    Setting, State, Sysctl, Tenure, Value, Vlans, kinds,
};
use std::collections::{BTreeMap, BTreeSet};

/// The largest packet of IPv4 (`IP_MAX_MTU`): a vrf and `lo` say that they take larger ones, and what is put around a
/// packet has to fit in.
pub(crate) const LARGEST_PACKET: u32 = 65_535;

/// `wanted`, completed by what `observed` and its record say.
pub(crate) fn complete(wanted: &State, observed: &State) -> State {
    let mut goal = wanted.clone();
    absent_chains(&mut goal, observed);
    kernel_rules(&mut goal);
    default_vlans(&mut goal, observed);
    high_addresses(&mut goal, observed);
    behind_others(&mut goal, observed);
    given_back(&mut goal, observed);
    // A bridge has that of its ports, what depends on a bridge that of the bridge.
    linked_mtus(&mut goal, observed);
    bridge_mtus(&mut goal, observed);
    linked_mtus(&mut goal, observed);
    restore(&mut goal, observed);
    astray(&mut goal, observed);
    offloads(&mut goal, observed);
    where_they_are(&mut goal, observed);
    goal
}

/// A peer whose endpoint the file has anew is where that says, wherever it was heard before.
pub(crate) fn where_they_are(goal: &mut State, observed: &State) {
    let written: BTreeMap<_, _> = observed.record.endpoints.iter().map(|(id, endpoint)| (id, endpoint)).collect();
    for (id, item) in &mut goal.items {
        if let Resource::Peer(peer) = &mut item.resource {
            peer.roaming &= peer.endpoint.get().is_none_or(|endpoint| written.get(id) == Some(&endpoint));
        }
    }
}

/// An IPv4 address comes second where a foreign address of its subnet stands first: the kernel says so, and the file
/// cannot.
pub(crate) fn behind_others(goal: &mut State, observed: &State) {
    let first = |item: &Item| match (&item.owner, &item.resource) {
        // One that is adopted is the file's.
        (owner, there) if observed.may_adopt(owner) && goal.items.contains_key(&there.id()) => None,
        (Owner::Theirs(_), Resource::Address(there)) if there.address.addr().is_ipv4() && !there.secondary => {
            Some((there.link.clone(), there.subnet()))
        }
        _ => None,
    };
    let taken: BTreeSet<_> = observed.items.values().filter_map(first).collect();
    if taken.is_empty() {
        return;
    }
    for item in goal.items.values_mut().filter(|item| item.owner == Owner::Ours) {
        if let Resource::Address(address) = &mut item.resource {
            address.secondary |= taken.contains(&(address.link.clone(), address.subnet()));
        }
    }
}

/// Attributes of an `existing` interface that the file no longer names go back to what they were.
pub(crate) fn given_back(goal: &mut State, observed: &State) {
    for prior in &observed.record.prior {
        let Resource::Link(prior) = prior else { continue };
        let now = goal
            .links()
            .find(|link| link.tenure == Tenure::From(prior.id.clone()))
            .map_or(prior.id(), |link| link.id());
        let Some(item) = goal.items.get_mut(&now) else { continue };
        let (Owner::Named, Resource::Link(link)) = (&item.owner, &mut item.resource) else { continue };
        let mut prior = shared::given_back(observed, prior);
        if link.id != prior.id {
            // While it is away it has no place to be up in, no bridge and no port.
            (prior.up, prior.master, prior.vlans) = (Setting::Left, Setting::Left, Setting::Left);
            prior.port.clear();
        }
        link.fall_back_to(&prior);
        for (name, value) in &prior.port {
            link.port.entry(name.clone()).or_insert_with(|| value.clone());
        }
    }
}

/// Rules for a chain that may be absent, and is, are not wanted now.
pub(crate) fn absent_chains(goal: &mut State, observed: &State) {
    let absent = |id: &ResourceId| matches!(observed.get(id), Some(Resource::Insert(Insert { present: false, .. })));
    goal.items
        .retain(|id, item| !matches!(&item.resource, Resource::Insert(insert) if insert.if_present && absent(id)));
}

/// The kernel's own rules belong to every namespace of ours; the one for `local` stands where `local-rule` says.
pub(crate) fn kernel_rules(goal: &mut State) {
    let moved = local_rules(goal);
    let created = goal.namespaces().filter(|namespace| namespace.tenure == NodeTenure::Created);
    let vrfs = |node: &Node| if goal.has_vrf(node) { Rule::of_vrfs(node) } else { Vec::new() };
    let rules: Vec<Rule> = created
        .flat_map(|namespace| Rule::of_the_kernel(&namespace.node).into_iter().chain(vrfs(&namespace.node)))
        .collect();
    for rule in rules {
        if rule.key.priority != 0 || !moved.contains(&(rule.node.clone(), rule.key.family)) {
            goal.insert(Resource::Rule(rule), Owner::Ours);
        }
    }
}

/// A bridge without a written MTU has the lowest of its ports (`br_mtu_auto_adjust`), also where another program set it
/// by hand, after which the kernel stops adjusting.
pub(crate) fn bridge_mtus(goal: &mut State, observed: &State) {
    let auto: Vec<LinkId> = goal
        .items
        .values()
        .filter(|item| item.owner == Owner::Ours)
        .filter_map(|item| item.resource.as_link())
        .filter(|link| kinds::mtu_of_ports(&link.kind) && link.mtu == Setting::Left)
        .map(|link| link.id.clone())
        .collect();
    let mut lowest: BTreeMap<LinkId, Option<u32>> = auto.into_iter().map(|id| (id, Some(u32::MAX))).collect();
    // A foreign port has what it has, here or where it comes from.
    let there = |link: &Link| {
        let seen = observed.link(&link.id).or_else(|| observed.link(link.home()));
        seen.filter(|_| link.tenure != Tenure::Created)?.mtu.get().copied()
    };
    for link in goal.links() {
        if let Some(mtu) = link.master_id().and_then(|master| lowest.get_mut(&master)) {
            *mtu = mtu.zip(link.mtu.get().copied().or_else(|| there(link))).map(|(a, b)| a.min(b));
        }
    }
    for (id, mtu) in lowest {
        // Where a port's MTU is left to the kernel so is the bridge's.
        let mtu = mtu.map(|mtu| if mtu == u32::MAX { ETHERNET_MTU } else { mtu });
        if let Some(Resource::Link(link)) = goal.items.get_mut(&ResourceId::Link(id)).map(|item| &mut item.resource) {
            link.mtu = mtu.into();
        }
    }
}

/// A port of ours without VLANs of its own, of a foreign bridge that filters them, has what that bridge gives to who
/// joins it.
pub(crate) fn default_vlans(goal: &mut State, observed: &State) {
    let given = |link: &Link| {
        let master = link
            .master_id()
            .filter(|master| goal.link(master).is_some_and(|master| master.tenure == Tenure::Existing))?;
        let bridge =
            observed.link(&master).filter(|bridge| bridge.options.get("vlan-filtering") == Some(&Value::Bool(true)))?;
        match bridge.options.get("vlan-default-pvid") {
            Some(Value::Number(pvid)) => u16::try_from(*pvid).ok().map(Vlans::by_default),
            _ => None,
        }
    };
    let ours = goal.items.values().filter(|item| item.owner == Owner::Ours).filter_map(|item| item.resource.as_link());
    let defaults: Vec<(ResourceId, Vlans)> =
        ours.filter(|link| link.vlans == Setting::Left).filter_map(|link| Some((link.id(), given(link)?))).collect();
    for (id, vlans) in defaults {
        if let Some(Resource::Link(link)) = goal.items.get_mut(&id).map(|item| &mut item.resource) {
            link.vlans = Setting::Is(vlans);
        }
    }
}

/// A port of ours is created with a high hardware address on a foreign bridge: one whose own was never set has the
/// lowest of its ports (`br_stp_recalculate_bridge_id`), and everybody there would look for it at another address than
/// they know. libvirt does so, too.
pub(crate) fn high_addresses(goal: &mut State, observed: &State) {
    let theirs = |bridge: &LinkId| {
        let named = goal.link(bridge).is_some_and(|bridge| bridge.tenure == Tenure::Existing);
        named && observed.link(bridge).is_some_and(|bridge| bridge.kind == Kind::Bridge)
    };
    let born = |link: &Link| {
        observed
            .link(&link.id)
            .is_none_or(|there| link.drift(there).iter().any(|drift| drift.impact == Impact::Replace))
    };
    let free = |link: &&Link| {
        link.mac == Setting::Left && link.tenure == Tenure::Created && matches!(link.kind, Kind::Veth | Kind::Tap)
    };
    let ports: Vec<LinkId> = goal
        .links()
        .filter(free)
        .filter(|link| link.master_id().as_ref().is_some_and(theirs) && born(link))
        .map(|link| link.id.clone())
        .collect();
    for id in ports {
        let mac = Mac::high(id.to_string().as_bytes());
        if let Some(Resource::Link(link)) = goal.items.get_mut(&ResourceId::Link(id)).map(|item| &mut item.resource) {
            link.mac = Setting::Is(mac);
        }
    }
}

/// A link that depends on another has its MTU (`macvlan_newlink`), a tunnel less what it puts around a packet; the
/// ports of a bond have that of the bond (`bond_enslave`). The kernel sees to that at creation only, and when the lower
/// link's gets smaller.
pub(crate) fn linked_mtus(goal: &mut State, observed: &State) {
    // One on another on another: as deep as that.
    for _ in 0..4 {
        // What topo makes has what is wanted, which may not be known yet.
        let of = |link: &LinkId| match (goal.link(link), observed.link(link)) {
            (Some(Link { tenure: Tenure::Created, mtu, .. }), _) => mtu.get().copied(),
            (wanted, there) => {
                wanted.and_then(|link| link.mtu.get()).or_else(|| there.and_then(|link| link.mtu.get())).copied()
            }
        };
        let follows = |link: &&Link| link.mtu == Setting::Left && link.tenure == Tenure::Created;
        let mtus: Vec<(LinkId, u32)> = goal
            .links()
            .filter(follows)
            .filter_map(|link| {
                let bond =
                    link.master_id().filter(|master| goal.link(master).is_some_and(|master| master.kind == Kind::Bond));
                let mtu = match (bond, kinds::spec(&link.kind)?.mtu, &link.link) {
                    (Some(bond), ..) => of(&bond)?,
                    (None, Mtu::Is(mtu), _) => mtu,
                    (None, Mtu::Below { .. }, below) => below
                        .as_ref()
                        .map_or(Some(ETHERNET_MTU), of)?
                        .min(LARGEST_PACKET)
                        .checked_sub(kinds::around(link))?,
                    (None, Mtu::Left, _) => return None,
                };
                Some((link.id.clone(), mtu))
            })
            .collect();
        for (id, mtu) in mtus {
            if let Some(Resource::Link(link)) = goal.items.get_mut(&ResourceId::Link(id)).map(|item| &mut item.resource)
            {
                link.mtu = Setting::Is(mtu);
            }
        }
    }
}

/// What another program set by hand in a namespace of ours, of which nothing in the file speaks: forwarding of a link
/// follows the switch, IPv6 is on. (It is looked at only where it is otherwise.)
pub(crate) fn astray(goal: &mut State, observed: &State) {
    let stays = |now: &Sysctl| match now.link() {
        Some(link) => goal.link(&link).is_some() && !gone(goal, observed, now),
        None => goal.namespace(&now.node).is_some(),
    };
    let mut back = Vec::new();
    for item in observed.items.values().filter(|item| item.owner == Owner::Ours) {
        let Resource::Sysctl(now) = &item.resource else { continue };
        let kept_in_order = ["/forwarding", "/disable_ipv6"].iter().any(|name| now.key.ends_with(name));
        let another = observed.other_with_setting(&now.id()).is_some();
        if kept_in_order && !another && observed.is_made(&now.node) && !goal.items.contains_key(&now.id()) && stays(now)
        {
            let value = match now.written_with().and_then(|switch| goal.get(&switch)) {
                Some(Resource::Sysctl(switch)) => &switch.value,
                _ => "0",
            };
            back.push(Sysctl::new(now.node.clone(), now.key.clone(), value));
        }
    }
    back.into_iter().for_each(|sysctl| goal.insert(Resource::Sysctl(sysctl), Owner::Restored));
}

/// The offload features of links comes back where the file no longer says it. One that is made anew has what the kernel
/// gives it.
pub(crate) fn offloads(goal: &mut State, observed: &State) {
    for (home, prior) in &observed.record.offload {
        let at = goal.link(home).or_else(|| goal.links().find(|link| link.home() == home));
        let stays = |link: &&Link| {
            let replaced = |there: &Link| link.drift(there).iter().any(|drift| drift.impact == Impact::Replace);
            link.tenure != Tenure::Created || observed.link(&link.id).is_some_and(|there| !replaced(there))
        };
        let Some(id) = at.filter(stays).map(Link::id) else { continue };
        if let Some(Resource::Link(link)) = goal.items.get_mut(&id).map(|item| &mut item.resource) {
            prior
                .iter()
                .for_each(|(name, value)| _ = link.offload.entry(name.clone()).or_insert_with(|| value.clone()));
        }
    }
}
