//! The topologies on this machine, from their marks.

use super::netlink::{link, socket};
use super::netns;
use super::netns::namespace::topology_of;
use super::netns::places::Places;
use super::netns::{Place, namespace};
use super::object::{address, insert, neighbor, nft, qdisc, route, rule};
use crate::kernel::{Error, ErrorKind};
use crate::resource::mark::{PROTOCOL, group};
use crate::resource::{IfName, LinkId, Name, NetnsRef, Node, Record, ResourceId};
use nix::libc;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// A topology that is on this machine.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Found {
    /// Its name.
    pub name: Name,
    /// The namespaces that carry its mark.
    pub namespaces: BTreeSet<Node>,
    /// The namespaces of others that it configures, and how they are found; `None` for the one topo was started in.
    pub existing: BTreeMap<Node, Option<NetnsRef>>,
    /// Its links on the host.
    pub links: BTreeSet<LinkId>,
    /// Whether there is an nft table of it, or a rule in a foreign chain, on the host.
    pub nft: bool,
    /// Whether it has a record.
    pub recorded: bool,
    /// Whether an apply or destroy of it is under way, or was cut off.
    pub half_made: bool,
}

impl Found {
    fn new(name: &Name) -> Self {
        Self {
            name: name.clone(),
            namespaces: BTreeSet::new(),
            existing: BTreeMap::new(),
            links: BTreeSet::new(),
            nft: false,
            recorded: false,
            half_made: false,
        }
    }
}

/// What the host says.
struct Host {
    links: Vec<link::Seen>,
    tables: Vec<Name>,
    inserts: Vec<Name>,
    marked: Vec<(ResourceId, Vec<IfName>)>,
}

/// The topologies, in name order; and what carries topo's mark on the host and is no topology's that is known.
///
/// # Errors
///
/// If the records or the links of the host cannot be read.
pub fn list(records: &[(Name, Record)], places: &Places) -> Result<(Vec<Found>, Vec<ResourceId>), Error> {
    let mut found: BTreeMap<Name, Found> = BTreeMap::new();
    for (name, record) in records {
        let topology = found.entry(name.clone()).or_insert_with(|| Found::new(name));
        topology.recorded = true;
        topology.half_made = record.running;
        topology.existing = record.existing.iter().map(|(node, place)| (node.clone(), Some(place.clone()))).collect();
    }
    for (node, name) in marked_namespaces(records)? {
        found.entry(name.clone()).or_insert_with(|| Found::new(&name)).namespaces.insert(node);
    }
    let host = netns::run_one(Place::Inside(places.host.clone()), look_at_host)??;
    for name in host.tables.iter().chain(&host.inserts) {
        found.entry(name.clone()).or_insert_with(|| Found::new(name)).nft = true;
    }
    for link in &host.links {
        if let Some(name) = link.alias.as_deref().and_then(topology_of).map(Name::from) {
            found
                .entry(name.clone())
                .or_insert_with(|| Found::new(&name))
                .links
                .insert(LinkId::new("host", link.name.clone()));
        }
    }
    // Killed between a link's creation and its alias: the group says whose it is, if the name is known from anything
    // else.
    let groups: HashMap<u32, Name> = found.keys().map(|name| (group(name), name.clone())).collect();
    let mut unowned = Vec::new();
    for link in host
        .links
        .iter()
        .filter(|link| link.group >> 24 == 0x74 && link.alias.as_deref().and_then(topology_of).is_none())
    {
        let id = LinkId::new("host", link.name.clone());
        match groups.get(&link.group).and_then(|name| found.get_mut(name)) {
            Some(topology) => _ = topology.links.insert(id),
            None => unowned.push(ResourceId::Link(id)),
        }
    }
    let ours: BTreeSet<&IfName> = found.values().flat_map(|topology| &topology.links).map(|link| &link.name).collect();
    let owned = |id: &ResourceId| records.iter().any(|(_, record)| record.owned.contains(id));
    let nobodys =
        host.marked.into_iter().filter(|(id, links)| !links.iter().any(|link| ours.contains(link)) && !owned(id));
    unowned.extend(nobodys.map(|(id, _)| id));
    for topology in found.values_mut().filter(|topology| !topology.links.is_empty() || topology.nft) {
        topology.existing.insert(Node::host(), None);
    }
    Ok((found.into_values().collect(), unowned))
}

/// The namespaces in `/run/netns` that carry a mark, and the topology that it names.
fn marked_namespaces(records: &[(Name, Record)]) -> Result<Vec<(Node, Name)>, Error> {
    let mut names = netns::names()?;
    names.retain(|name| !netns::is_link(name));
    let alias = || {
        let socket = socket::Socket::open()?;
        let alias = namespace::alias(&socket).map_err(|refused| refused.error("read the mark of a namespace"))?;
        Ok::<_, Error>((alias, netns::cookie_of(&socket)?))
    };
    let jobs = names.iter().map(|name| netns::job(Place::At(NetnsRef::Name(name.clone())), alias));
    let answers = netns::run(netns::READERS, jobs.collect());
    let (mut marked, mut seen) = (Vec::new(), HashMap::new());
    // With its prefix, where a record says which.
    let called = |name: &str| {
        let node = Node::from(name);
        let recorded = records.iter().find_map(|(_, record)| record.namespaces.get_key_value(&node));
        recorded.map(|(recorded, _)| recorded.clone()).unwrap_or(node)
    };
    let known = |node: &Node, cookie| records.iter().any(|(_, record)| record.namespaces.get(node) == Some(&cookie));
    for (name, answer) in names.iter().zip(answers) {
        match answer.and_then(|alias| alias) {
            Ok((alias, cookie)) => {
                let Some(topology) = alias.as_deref().and_then(topology_of) else { continue };
                let one = (called(name), Name::from(topology));
                // A second name of one is foreign.
                match seen.entry(cookie).or_insert(marked.len()) {
                    at if cookie == 0 || *at == marked.len() => marked.push(one),
                    at if known(&one.0, cookie) => {
                        marked.get_mut(*at).into_iter().for_each(|first| *first = one.clone())
                    }
                    _ => {}
                }
            }
            // It went while we looked, or is a file and no namespace.
            Err(error) if error.kind == ErrorKind::Taken || error.errno == Some(libc::ENOENT) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(marked)
}

fn look_at_host() -> Result<Host, Error> {
    let socket = socket::Socket::open()?;
    let failed = |refused: socket::Refused| refused.error("read the host");
    let node = Node::host();
    let links = link::dump(&socket).map_err(failed)?;
    let names: HashMap<u32, IfName> = links.iter().map(|link| (link.index, link.name.clone())).collect();
    let name_of = |index: u32| names.get(&index).cloned();
    let mut marked = Vec::new();
    for seen in address::dump(&socket).map_err(failed)?.iter().filter(|seen| seen.protocol == PROTOCOL) {
        marked.extend(name_of(seen.index).map(|name| (seen.address(&node, name.clone()).id(), vec![name])));
    }
    for family in [libc::AF_INET, libc::AF_INET6] {
        for seen in route::dump(&socket, family, &node, name_of)
            .map_err(failed)?
            .into_iter()
            .filter(|seen| seen.protocol == PROTOCOL)
        {
            let devs = seen.route.nexthops.iter().filter_map(|hop| hop.dev.clone()).collect();
            marked.push((seen.route.id(), devs));
        }
    }
    marked.extend(
        rule::dump(&socket, &node)
            .map_err(failed)?
            .iter()
            .filter(|seen| seen.protocol == PROTOCOL)
            .map(|seen| (seen.rule.id(), Vec::new())),
    );
    for seen in neighbor::dump(&socket, false).map_err(failed)?.iter().filter(|seen| seen.protocol == PROTOCOL) {
        let neighbor = name_of(seen.index).and_then(|name| seen.neighbor(&node, name));
        marked.extend(neighbor.map(|neighbor| (neighbor.id(), vec![neighbor.link.name])));
    }
    if links.iter().any(|link| link.root == link::Root::Netem) {
        for seen in qdisc::dump(&socket).map_err(failed)? {
            let qdisc = name_of(seen.index).map(|name| seen.qdisc(&node, name)).filter(|qdisc| qdisc.marked);
            marked.extend(qdisc.map(|qdisc| (qdisc.id(), vec![qdisc.link.name])));
        }
    }
    let inserts = insert::found()?.into_iter().map(|(_, name)| name).collect();
    Ok(Host { links, tables: nft::topologies()?, inserts, marked })
}
