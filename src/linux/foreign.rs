//! What is in namespaces of topo's and not topo's, and no plan takes away: rules of others, and neighbours that a hand
//! put there for good.

use super::netlink::link;
use super::netlink::socket::Socket;
use super::netns;
use super::netns::places::Places;
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
}

/// A line for each namespace that `state` has made in which others have something.
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
        if !parts.is_empty() {
            notes.push(((*node).clone(), parts.join(", ")));
        }
    }
    Ok(notes)
}

/// Looks, in the calling thread's namespace.
fn look(node: &Node) -> Result<Seen, Error> {
    let mut tables = BTreeMap::new();
    for chain in generation::chains()?.into_iter().filter(|chain| !chain.place.table.starts_with("topo-")) {
        *tables.entry(format!("{} {}", chain.place.family, chain.place.table)).or_default() += 1;
    }
    let socket = Socket::open()?;
    let failed = |refused: super::netlink::socket::Refused| refused.error(format!("read the neighbours of {node}"));
    let foreign: Vec<neighbor::Seen> =
        neighbor::dump(&socket, false).map_err(failed)?.into_iter().filter(|seen| seen.protocol != PROTOCOL).collect();
    if foreign.is_empty() {
        return Ok(Seen { tables, neighbors: Vec::new() });
    }
    let names: HashMap<u32, IfName> =
        link::dump(&socket).map_err(failed)?.into_iter().map(|link| (link.index, link.name)).collect();
    let neighbors = foreign
        .iter()
        .filter_map(|seen| seen.neighbor(node, names.get(&seen.index)?.clone()))
        .filter(|neighbor| neighbor.permanent);
    Ok(Seen { tables, neighbors: neighbors.map(|neighbor| neighbor.id()).collect() })
}
