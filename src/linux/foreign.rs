//! What is in namespaces of topo's and not topo's, and no plan takes away: rules of others, neighbours that were put
//! manually there for good, and settings that was changed manually.

use super::netlink::link;
use super::netlink::socket::Socket;
use super::netns;
use super::netns::places::Places;
use super::netns::sysctl;
use super::object::neighbor;
use super::object::nft::generation;
use crate::kernel::Error;
use crate::resource::mark::PROTOCOL;
use crate::resource::{IfName, Node, ResourceId, State};
use std::collections::{BTreeMap, HashMap};

/// What others have in one namespace.
struct Seen {
    /// The tables of nftables that are not topo's, `ip filter`, with their chains. What iptables has is among them.
    tables: BTreeMap<String, usize>,
    neighbors: Vec<ResourceId>,
    /// Settings that are not as in a fresh namespace, and their values.
    settings: Vec<(String, String)>,
}

/// So many settings are named, and the rest counted.
const SHOWN: usize = 3;
/// In a namespace with more interfaces than these nothing looks for settings.
const MOST_LINKS: usize = 64;
/// The settings that say why something does not work: what those of an interface are compared with is the namespace's
/// default.
const WATCHED: [(&str, &str, &str); 6] = [
    ("net/ipv4/conf", "rp_filter", "0"),
    ("net/ipv4/conf", "proxy_arp", "0"),
    ("net/ipv4/conf", "forwarding", ""),
    ("net/ipv6/conf", "accept_ra", "1"),
    ("net/ipv6/conf", "disable_ipv6", "0"),
    ("net/ipv6/conf", "forwarding", ""),
];

/// A line for each namespace that `state` has made in which others have something.
///
/// # Errors
///
/// If a namespace cannot be entered or its ruleset cannot be read.
pub fn notes(state: &State, places: &Places) -> Result<Vec<(Node, String)>, Error> {
    let nodes: Vec<&Node> =
        state.namespaces().map(|namespace| &namespace.node).filter(|node| state.is_made(node)).collect();
    let jobs = nodes.iter().map(|node| netns::job(places.of(node), move || look(node))).collect();
    let mut notes = Vec::new();
    for (node, seen) in nodes.iter().zip(netns::run(netns::READERS, jobs)) {
        let seen = seen??;
        let tables = seen
            .tables
            .iter()
            .map(|(table, chains)| format!("{table} ({chains} {})", if *chains == 1 { "chain" } else { "chains" }));
        let tables = tables.collect::<Vec<_>>().join(", ");
        let neighbors = seen.neighbors.iter().filter(|id| !state.items.contains_key(id)).count();
        let mut parts = Vec::new();
        if !tables.is_empty() {
            parts.push(format!("nft tables {tables}"));
        }
        if neighbors > 0 {
            parts.push(format!("{neighbors} permanent {}", if neighbors == 1 { "neighbour" } else { "neighbours" }));
        }
        parts.extend(settings(state, node, &seen.settings));
        if !parts.is_empty() {
            notes.push(((*node).clone(), parts.join(", ")));
        }
    }
    Ok(notes)
}

/// The settings that the topology does not have, as a part of a line.
fn settings(state: &State, node: &Node, seen: &[(String, String)]) -> Option<String> {
    let theirs: Vec<String> = seen
        .iter()
        .filter(|(key, _)| !state.items.contains_key(&ResourceId::Sysctl(node.clone(), key.clone())))
        .map(|(key, value)| format!("{} = {value}", key.replace('/', ".")))
        .collect();
    let more = theirs.len().saturating_sub(SHOWN);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let some: Vec<&str> = theirs.iter().map(String::as_str).take(SHOWN).collect();
    (!theirs.is_empty()).then(|| format!("sysctl {}{more}", some.join(", ")))
}

/// The watched settings that are not as in a fresh namespace, in that of the calling thread.
fn changed(links: &[IfName]) -> Result<Vec<(String, String)>, Error> {
    let mut changed = Vec::new();
    for (section, file, fresh) in WATCHED {
        let read = |name: &str| sysctl::read_if_there(&format!("{section}/{name}/{file}"));
        let Some(default) = read("default")? else { continue };
        for name in ["all", "default"].iter().filter(|_| !fresh.is_empty()) {
            let value = read(name)?;
            changed
                .extend(value.filter(|value| value != fresh).map(|value| (format!("{section}/{name}/{file}"), value)));
        }
        for name in links.iter().map(IfName::as_str).filter(|name| !name.contains('/')) {
            let value = read(name)?;
            changed.extend(
                value
                    .filter(|value| *value != default && value != fresh)
                    .map(|value| (format!("{section}/{name}/{file}"), value)),
            );
        }
    }
    Ok(changed)
}

/// Looks, in the calling thread's namespace.
fn look(node: &Node) -> Result<Seen, Error> {
    let mut tables = BTreeMap::new();
    for chain in generation::chains()?.into_iter().filter(|chain| !chain.place.table.starts_with("topo-")) {
        *tables.entry(format!("{} {}", chain.place.family, chain.place.table)).or_default() += 1;
    }
    let socket = Socket::open()?;
    let failed = |refused: super::netlink::socket::Refused| refused.error(format!("read the neighbours of {node}"));
    let links = link::dump(&socket).map_err(failed)?;
    let names: Vec<IfName> = links.iter().map(|link| link.name.clone()).collect();
    let settings = if names.len() > MOST_LINKS { Vec::new() } else { changed(&names)? };
    let foreign: Vec<neighbor::Seen> =
        neighbor::dump(&socket, false).map_err(failed)?.into_iter().filter(|seen| seen.protocol != PROTOCOL).collect();
    if foreign.is_empty() {
        return Ok(Seen { tables, neighbors: Vec::new(), settings });
    }
    let names: HashMap<u32, IfName> = links.into_iter().map(|link| (link.index, link.name)).collect();
    let neighbors = foreign
        .iter()
        .filter_map(|seen| seen.neighbor(node, names.get(&seen.index)?.clone()))
        .filter(|neighbor| neighbor.permanent);
    Ok(Seen { tables, neighbors: neighbors.map(|neighbor| neighbor.id()).collect(), settings })
}
