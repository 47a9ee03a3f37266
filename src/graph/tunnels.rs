//! Which tunnel ends belong together: addresses and keys say so.

use crate::resource::{FdbTarget, Kind, Link, LinkId, PeerKey, Resource, State, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// Ends of tunnels that reach each other.
#[derive(Debug)]
pub struct Group {
    /// What they have in common, such as `vxlan 100`.
    pub name: String,
    /// The ends in order.
    pub ends: BTreeSet<LinkId>,
    /// Which reach each other.
    pub pairs: BTreeSet<(LinkId, LinkId)>,
}

/// All groups of a state.
pub fn groups(state: &State, links: &[&Link]) -> Vec<Group> {
    let pairs = pairs(state, links);
    let mut groups: Vec<Group> = Vec::new();
    for (a, b) in pairs {
        let touches = |group: &Group| group.ends.contains(&a) || group.ends.contains(&b);
        let (mut joined, apart): (Vec<Group>, Vec<Group>) = groups.into_iter().partition(touches);
        groups = apart;
        let mut all = joined.pop().unwrap_or_else(|| Group {
            name: state.link(&a).map(title).unwrap_or_default(),
            ends: BTreeSet::new(),
            pairs: BTreeSet::new(),
        });
        for other in joined {
            all.ends.extend(other.ends);
            all.pairs.extend(other.pairs);
        }
        all.ends.extend([a.clone(), b.clone()]);
        all.pairs.insert((a, b));
        groups.push(all);
    }
    groups.sort_by(|one, other| one.ends.first().cmp(&other.ends.first()));
    groups
}

fn title(link: &Link) -> String {
    let word = link.kind.word();
    match link.options.get("id") {
        Some(Value::Number(id)) => format!("{word} {id}"),
        _ => word.to_owned(),
    }
}

/// Ends that reach each other, the lesser first.
fn pairs(state: &State, links: &[&Link]) -> BTreeSet<(LinkId, LinkId)> {
    let mut owners: BTreeMap<IpAddr, BTreeSet<&crate::resource::Node>> = BTreeMap::new();
    for resource in state.resources() {
        if let Resource::Address(address) = resource {
            owners.entry(address.address.addr()).or_default().insert(&address.link.node);
        }
    }
    let mut remotes: Vec<(&Link, IpAddr)> = Vec::new();
    for link in links {
        remotes.extend(remote(link).map(|ip| (*link, ip)));
    }
    let mut pairs = BTreeSet::new();
    let mut add = |a: &LinkId, b: &LinkId| {
        if a != b {
            pairs.insert((a.min(b).clone(), a.max(b).clone()));
        }
    };
    for resource in state.resources() {
        match resource {
            Resource::Fdb(entry) => {
                if let (FdbTarget::End(ip), Some(link)) = (&entry.to, state.link(&entry.link)) {
                    remotes.push((link, *ip));
                }
            }
            Resource::Peer(peer) => match &peer.key {
                PeerKey::Of(other) => add(&peer.link, other),
                PeerKey::Public(key) => {
                    let known = Value::word(&key.to_string());
                    let other = links.iter().find(|link| link.options.get("public-key") == Some(&known));
                    other.iter().for_each(|other| add(&peer.link, &other.id));
                }
            },
            _ => {}
        }
    }
    for (link, ip) in remotes {
        let there = owners.get(&ip);
        let fits = |other: &&&Link| {
            other.kind == link.kind
                && other.id.node != link.id.node
                && there.is_some_and(|nodes| nodes.contains(&other.id.node))
                && other.options.get("id") == link.options.get("id")
                && other.options.get("key") == link.options.get("key")
        };
        links.iter().filter(fits).for_each(|other| add(&link.id, &other.id));
    }
    pairs
}

fn remote(link: &Link) -> Option<IpAddr> {
    match link.options.get("remote") {
        Some(Value::Ip(ip)) if link.kind != Kind::Wireguard => Some(*ip),
        _ => None,
    }
}
