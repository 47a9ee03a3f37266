//! What an observation makes of answers, the program that gave them: the decoders of everything that comes from the
//! kernel, from nft and from iptables, without any of the three. For tests, which hand them bytes that no kernel sends.

use super::netlink::{attributes, link, socket};
use super::object::link::vlan;
use super::object::nft::generation;
use super::object::{address, insert, neighbor, nft, qdisc, route, rule};
use super::ownership::classify;
use super::ownership::classify::Judge;
use super::secret::Keys;
use super::snapshot::contents::{Inside, Look};
use crate::resource::{IfName, Node, NodeTenure, Record, Resource, State};
use nix::libc;
use std::collections::{BTreeSet, HashMap, HashSet};

/// Answers about one namespace, as they came.
#[derive(Clone, Debug, Default)]
pub struct Replies {
    /// Packets of a route socket: links, addresses, routes, rules, neighbours, forwarding entries.
    pub route: Vec<Vec<u8>>,
    /// Packets of a netfilter socket: tables, chains, rules.
    pub netfilter: Vec<Vec<u8>>,
    /// What nft lists as the topology's table.
    pub table: Option<String>,
    /// What nft and iptables list as the chains of others that the topology has rules in.
    pub chains: Vec<String>,
}

/// What they were read as.
#[derive(Clone, Debug)]
pub struct Read {
    /// How many messages and listed lines came to a decoder.
    pub tried: usize,
    /// How many of them were understood as a link, a chain, a rule, …
    pub understood: usize,
    /// What an observation of that namespace would be.
    pub state: State,
}

/// Reads answers about `node`; `made` says that it is one of the topology's own namespaces.
pub fn read(wanted: &State, node: &Node, made: bool, replies: &Replies) -> Read {
    let mut look = Look {
        node: node.clone(),
        alias: None,
        cookie: 1,
        links: Vec::new(),
        nsids: HashMap::new(),
        inside: None,
        netns: None,
    };
    let mut inside = Inside::default();
    let (mut tried, mut understood) = (0, 0);
    // Routes name links, which may come later.
    let mut messages: Vec<(u16, Vec<u8>)> = Vec::new();
    for packet in &replies.route {
        tried += socket::read_packet(packet, |kind, body| messages.push((kind, body.to_vec())));
    }
    messages.sort_by_key(|(kind, _)| *kind != link::NEW);
    understood += messages.iter().filter(|(kind, body)| decode(&mut look, &mut inside, *kind, body).is_some()).count();
    for packet in &replies.netfilter {
        let (messages, known) = generation::read_packet(packet);
        (tried, understood) = (tried + messages, understood + known);
    }
    for resource in wanted.resources() {
        match (resource, &replies.table) {
            (Resource::Table(table), Some(text)) => {
                inside.table = Some(nft::parse(node, &wanted.topology, Some(table), text))
            }
            (Resource::Insert(wanted), _) => {
                inside.inserts.extend(replies.chains.iter().map(|text| insert::parse(wanted, text)))
            }
            _ => {}
        }
    }
    let chains = inside.table.iter().map(|(table, _)| table.chains.len()).sum::<usize>();
    let rules = inside.inserts.iter().map(|insert| insert.rules.len()).sum::<usize>();
    tried += replies.table.iter().chain(&replies.chains).map(|text| text.lines().count()).sum::<usize>();
    Read { tried, understood: understood + chains + rules, state: judged(wanted, &look, &inside, made) }
}

/// Puts a message into `look` and `inside`; `None` where it is not understood.
fn decode(look: &mut Look, inside: &mut Inside, kind: u16, body: &[u8]) -> Option<()> {
    let bridge = Some(libc::AF_BRIDGE) == attributes::u8_at(body, 0).map(i32::from);
    match kind {
        link::NEW if bridge => {
            let (index, vlans) = vlan::parse(body)?;
            inside.vlans.get_or_insert_default().insert(index, vlans);
        }
        link::NEW => {
            let seen = link::parse(body)?;
            inside.names.insert(seen.index, seen.name.clone());
            look.links.push(seen);
        }
        address::NEW => inside.addresses.push(address::parse(body)?),
        route::NEW => {
            let names = &inside.names;
            let name_of = |index: u32| -> Option<IfName> { names.get(&index).cloned() };
            inside.routes.push(route::parse(body, &look.node, name_of)?);
        }
        rule::NEW => inside.rules.push(rule::parse(body, &look.node)?),
        neighbor::NEW if bridge => inside.fdb.push(neighbor::parse(body)?),
        neighbor::NEW => inside.neighbors.push(neighbor::parse(body)?),
        qdisc::NEW => inside.qdiscs.push(qdisc::parse(body)?),
        _ => return None,
    }
    Some(())
}

/// The state that the look is taken for.
fn judged(wanted: &State, look: &Look, inside: &Inside, made: bool) -> State {
    let mut state = State::empty(wanted.topology.clone());
    let record = Record::default();
    let sources = BTreeSet::new();
    let (far, prior, kernel_rules) = (HashMap::new(), BTreeSet::new(), BTreeSet::from([look.node.clone()]));
    let keys = Keys::default();
    let (guests, outside) = (HashMap::new(), HashSet::new());
    let judge = Judge {
        adopts: false,
        keys: &keys,
        wanted,
        record: &record,
        others: &[],
        guests: &guests,
        outside: &outside,
        far: &far,
        prior: &prior,
        sources: &sources,
        kernel_rules: &kernel_rules,
        says: true,
    };
    let tenure = if made { NodeTenure::Created } else { NodeTenure::Host };
    let (namespace, owner) = classify::namespace(&judge, look, tenure);
    state.insert(Resource::Namespace(namespace), owner);
    classify::judge(&judge, look, inside, made, &mut state);
    state
}
