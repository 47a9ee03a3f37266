//! Reads it, in all nodes of a topology.

use super::{conntrack, counters};
use crate::kernel::Error;
use crate::linux::netlink::link;
use crate::linux::netlink::socket::{Refused, Socket};
use crate::linux::netns;
use crate::linux::netns::places::Places;
use crate::linux::object::neighbor;
use crate::resource::{Asked, Connection, IfName, LinkCounters, Live, LiveNode, Node, Owner, Resource, State};
use ipnet::IpNet;
use std::collections::{BTreeSet, HashMap};

/// What of a node belongs to the topology.
struct Scope<'a> {
    /// Its interfaces; `None` for all that there are.
    links: Option<BTreeSet<&'a IfName>>,
    /// The networks that it is in.
    networks: Vec<IpNet>,
}

/// What the nodes of an observed `state`, or one of them, have learned and counted. In namespaces that topo did not
/// create only what belongs to the topology's interfaces and networks.
///
/// # Errors
///
/// If a namespace cannot be entered or read.
pub fn read(state: &State, only: Option<&Node>, asked: Asked, places: &Places) -> Result<Vec<LiveNode>, Error> {
    let nodes: Vec<(&Node, Scope<'_>)> = state
        .namespaces()
        .map(|namespace| &namespace.node)
        .filter(|node| only.is_none_or(|only| only == *node))
        .map(|node| (node, scope(state, node)))
        .collect();
    let jobs = nodes.iter().map(|(node, scope)| netns::job(places.of(node), move || look(node, scope, asked)));
    let answers = netns::run(netns::READERS, jobs.collect());
    nodes.iter().zip(answers).map(|((node, _), live)| Ok(((*node).clone(), live??))).collect()
}

fn scope<'a>(state: &'a State, node: &Node) -> Scope<'a> {
    let items = state.items.values().filter(|item| item.resource.node() == node);
    let ours = items.filter(|item| !matches!(item.owner, Owner::Theirs(_))).map(|item| &item.resource);
    let (mut links, mut networks) = (BTreeSet::new(), Vec::new());
    for resource in ours {
        match resource {
            Resource::Link(link) => _ = links.insert(&link.id.name),
            Resource::Address(address) => networks.push(address.subnet()),
            _ => {}
        }
    }
    Scope { links: (!state.is_made(node)).then_some(links), networks }
}

impl Scope<'_> {
    fn has(&self, link: &IfName) -> bool {
        self.links.as_ref().is_none_or(|links| links.contains(link))
    }

    /// Whether a connection begins or ends in one of its networks.
    fn concerns(&self, connection: &Connection) -> bool {
        let ends = [connection.original, connection.reply].into_iter().flat_map(|flow| [flow.source, flow.destination]);
        self.links.is_none() || ends.into_iter().any(|end| self.networks.iter().any(|net| net.contains(&end)))
    }
}

/// Looks, in the calling thread's namespace.
fn look(node: &Node, scope: &Scope<'_>, asked: Asked) -> Result<Live, Error> {
    let failed = |what: &'static str| move |refused: Refused| refused.error(format!("read the {what} of {node}"));
    let socket = Socket::open()?;
    let links = link::dump(&socket).map_err(failed("links"))?;
    let names: HashMap<u32, IfName> = links.iter().map(|link| (link.index, link.name.clone())).collect();
    let name_of = |index: u32| names.get(&index).filter(|name| scope.has(name)).cloned();
    let mut live = Live::default();
    if asked.neighbors {
        let seen = neighbor::dump(&socket, false).map_err(failed("neighbours"))?;
        live.neighbors = seen.iter().filter_map(|seen| seen.live(name_of(seen.index)?)).collect();
        live.neighbors.sort_by(|a, b| (&a.interface, a.address).cmp(&(&b.interface, b.address)));
    }
    if asked.fdb {
        let seen = neighbor::dump_fdb(&socket).map_err(failed("forwarding entries"))?;
        let entry = |seen: &neighbor::Seen| seen.live_entry(name_of(seen.index)?, |index| names.get(&index).cloned());
        live.fdb = seen.iter().filter_map(entry).collect();
        live.fdb.sort_by(|a, b| (&a.interface, a.mac, a.vlan, a.dst).cmp(&(&b.interface, b.mac, b.vlan, b.dst)));
    }
    if asked.counters {
        let counted = counters::dump(&socket).map_err(failed("counters"))?;
        let of = |link: &link::Seen| {
            let (rx, tx) = *counted.get(&link.index)?;
            Some(LinkCounters { interface: name_of(link.index)?, rx, tx })
        };
        live.counters = links.iter().filter_map(of).collect();
    }
    if asked.connections {
        live.connections = conntrack::dump()?;
        live.connections.iter_mut().for_each(|all| all.retain(|connection| scope.concerns(connection)));
    }
    Ok(live)
}
