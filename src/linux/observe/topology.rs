//! Reading a topology: which namespaces, one look at each, and whose what is.

use super::questions::questions;
use crate::kernel::{Error, ErrorKind};
use crate::linux::netlink::link;
use crate::linux::netns;
use crate::linux::netns::places::Places;
use crate::linux::netns::sysctl;
use crate::linux::object::file::Files;
use crate::linux::object::link::vlan;
use crate::linux::overlap::Around;
use crate::linux::ownership::classify::{Judge, judge, namespace};
use crate::linux::ownership::{guests, identity, moved, whole};
use crate::linux::snapshot::contents::{Look, Question};
use crate::linux::snapshot::ends::OtherEnds;
use crate::linux::snapshot::read::{look, read_spared};
use crate::linux::snapshot::{ends, peers};
use crate::model::creation::born;
use crate::resource::{
    FileName, IfName, Kind, Link, LinkId, Name, Node, NodeTenure, Owner, Record, Resource, ResourceId, State, Value,
    kinds,
};
use nix::libc;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::{Duration, Instant};

/// What is remembered.
pub struct Records<'a> {
    /// The record of the topology.
    pub record: Record,
    /// Those of all others.
    pub others: Vec<(Name, Record)>,
    /// The foreign interfaces that this run has moved, where they are now.
    pub arrived: &'a BTreeSet<LinkId>,
}

/// Everything of the topology `wanted.topology`, and what `wanted` names of others; and what there is besides in
/// namespaces of others. `records` are as they were read; what a user should know is added.
///
/// # Errors
///
/// If something cannot be read: what could not be read is never taken for absent.
pub fn observe(
    wanted: &State,
    places: &Places,
    files: &Files,
    records: Records,
    told: &mut Vec<String>,
) -> Result<(State, Vec<Around>), Error> {
    let Records { mut record, mut others, arrived } = records;
    let adopts = wanted.adopts.clone().or_else(|| record.adopts.clone());
    let mut state = State { adopts, ..State::empty(wanted.topology.clone()) };
    let questions = questions(wanted, &record, places)?;
    let (mut looks, far) = look_at_rest(wanted, &record, &questions, places, told)?;
    check_borrowed(&looks, &record)?;
    let says = says_protocol();
    let guests = guests::guests(&mut others, &looks, places);
    let whole = |node: &Node| wanted.namespace(node).is_some_and(|namespace| namespace.whole);
    let not_whole = whole::not_whole(&looks, &far, &record, whole);
    read_spared_after_all(&wanted.topology, &questions, &mut looks, &not_whole)?;
    told.extend(identity::number(&mut record, wanted, &looks, arrived));
    told.extend(moved::lost(wanted, &record, &looks));
    let outside = guests::outside(wanted, &record, &looks, &far, places);
    let prior: BTreeSet<ResourceId> = record.prior.iter().map(Resource::id).collect();
    let sources: BTreeSet<LinkId> = wanted.links().filter_map(Link::source).cloned().collect();
    let kernel_rules = kernel_rules(wanted, &record);
    for seen in &looks {
        let tenure = tenure(&seen.node, places);
        let made = tenure == NodeTenure::Created;
        let sees = Judge {
            wanted,
            record: &record,
            others: &others,
            guests: &guests,
            outside: &outside,
            far: &far,
            prior: &prior,
            sources: &sources,
            kernel_rules: &kernel_rules,
            keys: &places.keys,
            says,
            adopts: state.adopts.is_some(),
        };
        let (mut resource, owner) = namespace(&sees, seen, tenure);
        let ours = owner == Owner::Ours;
        resource.whole = ours && seen.inside.is_none();
        if let (true, Some(held), Some(netns)) = (resource.whole, &places.held, &seen.netns) {
            held.hold(&seen.node, netns.clone());
        }
        let whose = owner.clone();
        state.insert(Resource::Namespace(resource), owner);
        let read = ours || !made || sees.may_adopt(&seen.node, &whose);
        if let (true, Some(inside)) = (read, &seen.inside) {
            judge(&sees, seen, inside, made, &mut state);
        }
        if let (true, Some(cookie)) = (ours, record.namespaces.get_mut(&seen.node)) {
            *cookie = seen.cookie;
        }
        if places.existing.contains_key(&seen.node) && seen.cookie != 0 {
            record.cookies.insert(seen.node.clone(), seen.cookie);
        }
    }
    leftovers(&mut state, &record, whole);
    remembered(&mut state, &record);
    read_files(&mut state, wanted, &record, files)?;
    (state.record, state.others) = (record, others);
    vlan::check(wanted, &state)?;
    let others = looks.into_iter().filter(|look| !places.is_made(&look.node));
    Ok((state, others.filter_map(Around::of).collect()))
}

/// How a node comes to be there.
fn tenure(node: &Node, places: &Places) -> NodeTenure {
    match places.existing.get(node) {
        _ if node.is_host() => NodeTenure::Host,
        Some(place) => NodeTenure::Existing(place.clone()),
        None => NodeTenure::Created,
    }
}

/// The nodes in which something is wanted of the kernel's own rules.
fn kernel_rules(wanted: &State, record: &Record) -> BTreeSet<Node> {
    let kernels = |resource: &Resource| {
        if let Resource::Rule(rule) = resource { Some(rule.node.clone()).filter(|_| rule.kernel) } else { None }
    };
    wanted.resources().chain(&record.prior).filter_map(kernels).collect()
}

/// An interface of another program that was renamed where it was moved to would be taken for one that is lost, and go
/// with the namespace. It is known by its hardware address.
fn check_borrowed(looks: &[Look], record: &Record) -> Result<(), Error> {
    for (now, home) in &record.moved {
        let (Some(look), Some(Resource::Link(prior))) =
            (looks.iter().find(|look| look.node == now.node), record.prior(&ResourceId::Link(home.clone())))
        else {
            continue;
        };
        let known = |name: &IfName| record.moved.iter().any(|(now, _)| now.node == look.node && now.name == *name);
        // What depends on it, and what it is a port of, may have its address, too.
        let itself = |seen: &link::Seen| {
            seen.kind == Kind::Veth || seen.other.is_none() && !matches!(seen.kind, Kind::Bridge | Kind::Bond)
        };
        let same = |seen: &&link::Seen| itself(seen) && seen.mac == prior.mac.get().copied() && !known(&seen.name);
        let missing = look.links.iter().all(|seen| seen.name != now.name);
        if let Some(seen) = look.links.iter().find(same).filter(|seen| missing && seen.mac.is_some()) {
            let (id, reason) = (
                ResourceId::Link(now.clone()),
                format!("{home} was moved there, and then renamed to {:?} outside topo", seen.name.as_str()),
            );
            let rename = format!("ip -n {} link set dev {} name {}", now.node.as_str(), seen.name, now.name);
            return Err(Error::new(ErrorKind::Taken, format!("find {now}"), reason)
                .help(format!("give it its name again: {rename}"))
                .about(id));
        }
    }
    Ok(())
}

/// How long a namespace is waited for that the kernel is taking down: some milliseconds for one, but all at once for
/// many.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a namespace that has lost its name is waited for: a closed netlink socket holds its namespace until no
/// processor can be in it any more (`deferred_put_nlk_sk`), a process that runs inside for as long as it likes.
const HELD: Duration = Duration::from_millis(500);
/// How long between two looks.
const PAUSE: Duration = Duration::from_millis(5);

/// Looks until nothing of the topology is about to go with a namespace that was deleted outside topo, and finds the
/// other ends.
fn look_at_rest(
    wanted: &State,
    record: &Record,
    questions: &BTreeMap<Node, Question<'_>>,
    places: &Places,
    told: &mut Vec<String>,
) -> Result<(Vec<Look>, OtherEnds), Error> {
    let is_marked = link::marked_by(&wanted.topology);
    let matters = |node: &Node, seen: &link::Seen| {
        let id = || ResourceId::Link(LinkId { node: node.clone(), name: seen.name.clone() });
        places.is_made(node) || is_marked(seen) || wanted.items.contains_key(&id())
    };
    let start = Instant::now();
    loop {
        let mut looks = look_everywhere(wanted, questions, places)?;
        let second = identity::second_names(&looks, record, wanted, places);
        looks.retain(|look| !second.contains_key(&look.node));
        let far = peers::others(&looks, places)?;
        let passed = start.elapsed();
        let moves = passed < HELD && is_any_left_behind(wanted, &looks, &far, places)
            || passed < PATIENCE && peers::any_goes(&looks, &far, places, matters)?;
        if !moves {
            identity::check_foreign(&looks, wanted, places)?;
            told.extend(
                second
                    .iter()
                    .filter(|(_, node)| wanted.namespace(node).is_none())
                    .map(|(other, node)| format!("the namespace {node} has a second name, {other}, that topo did not give it: it continues to exist under that name after {node} is deleted")),
            );
            return Ok((looks, far));
        }
        std::thread::sleep(PAUSE);
    }
}

/// Whether a wanted end of a pair is there whose other end is in a namespace without a name, where the file has it in
/// one that was deleted outside topo.
fn is_any_left_behind(wanted: &State, looks: &[Look], far: &OtherEnds, places: &Places) -> bool {
    let looks: HashMap<&Node, &Look> = looks.iter().map(|look| (&look.node, look)).collect();
    wanted.links().any(|link| {
        let gone = link.peer.as_ref().is_some_and(|peer| places.is_made(&peer.node) && !looks.contains_key(&peer.node));
        let seen = || looks.get(&link.id.node)?.links.iter().find(|seen| seen.name == link.id.name);
        gone && seen()
            .is_some_and(|seen| seen.other_nsid.is_some() && !far.contains_key(&(link.id.node.clone(), seen.index)))
    })
}

fn look_everywhere(
    wanted: &State,
    questions: &BTreeMap<Node, Question<'_>>,
    places: &Places,
) -> Result<Vec<Look>, Error> {
    let ends = &ends::Ends::default();
    let jobs = questions.iter().map(|(node, question)| {
        netns::job(places.of(node), move || look(&wanted.topology, node, question, places, ends))
    });
    let answers = netns::run(netns::READERS, jobs.collect());
    let mut looks = Vec::new();
    for ((node, question), answer) in questions.iter().zip(answers) {
        match answer.and_then(|look| look) {
            Ok(look) => looks.extend(look),
            // It went while we looked, or an existing one is not there: the plan says so where it matters. A file that
            // is no namespace is no topology's node.
            Err(error)
                if error.errno == Some(libc::ENOENT) && error.tried.starts_with("open the network namespace") => {}
            Err(error) if !question.named && error.kind == ErrorKind::Taken && !node.is_host() => {}
            Err(error) => return Err(error),
        }
    }
    Ok(looks)
}

/// Reads what was spared in the namespaces `which`.
fn read_spared_after_all(
    topology: &Name,
    questions: &BTreeMap<Node, Question<'_>>,
    looks: &mut [Look],
    which: &BTreeSet<Node>,
) -> Result<(), Error> {
    let spared = looks.iter_mut().filter(|look| which.contains(&look.node));
    let jobs = spared.filter_map(|look| {
        let (question, netns) = (questions.get(&look.node)?, look.netns.take()?);
        Some(netns::job(netns::Place::Inside(netns), move || read_spared(topology, question, look)))
    });
    netns::run(netns::READERS, jobs.collect()).into_iter().try_for_each(|answer| answer?)
}

/// Namespaces that a killed run left as an empty file: ours, without anything in them yet.
fn leftovers(state: &mut State, record: &Record, whole: impl Fn(&Node) -> bool) {
    let left = |node: &&Node| state.namespace(node).is_none() && netns::is_leftover(node.as_str());
    for node in record.namespaces.keys().filter(left).collect::<Vec<_>>() {
        let namespace = crate::resource::Namespace {
            node: node.clone(),
            tenure: NodeTenure::Created,
            marked: false,
            whole: whole(node),
            alias: None,
        };
        let namespace = Resource::Namespace(namespace);
        for resource in born(&namespace) {
            state.insert(resource, Owner::Ours);
        }
        state.insert(namespace, Owner::Ours);
    }
}

/// What the kernel does not say of WireGuard interfaces: where they were created, and the files that their keys came
/// from.
fn remembered(state: &mut State, record: &Record) {
    for (id, born) in &record.born {
        let there = born.as_ref().filter(|node| node.is_host() || state.namespace(node).is_some());
        let transport = there.map_or(Value::Unset, |node| Value::word(&node.code()));
        if let Some(Resource::Link(link)) =
            state.items.get_mut(&ResourceId::Link(id.clone())).map(|item| &mut item.resource)
        {
            link.options.insert("transport".into(), transport);
        }
    }
    for (id, path) in &record.key_files {
        match state.items.get_mut(id).map(|item| &mut item.resource) {
            Some(Resource::Link(link)) if kinds::traits(&link.kind).has_keys => {
                _ = link.options.insert("private-key-file".into(), Value::word(path))
            }
            Some(Resource::Peer(peer)) if peer.preshared.is_some() => peer.preshared_file = Some(path.clone()),
            _ => {}
        }
    }
}

fn read_files(state: &mut State, wanted: &State, record: &Record, files: &Files) -> Result<(), Error> {
    let wanted_in = wanted
        .resources()
        .filter_map(|resource| if let Resource::File(file) = resource { Some(&file.node) } else { None });
    let seen: Vec<Node> = state
        .namespaces()
        .filter(|namespace| !namespace.node.is_host())
        .map(|namespace| namespace.node.clone())
        .collect();
    let nodes: BTreeSet<Node> =
        wanted_in.cloned().chain(seen).chain(record.namespaces.keys().chain(record.existing.keys()).cloned()).collect();
    let folders = files.folders()?;
    for node in
        nodes.into_iter().filter(|node| folders.as_ref().is_none_or(|folders| folders.contains(files.name(node))))
    {
        for name in [FileName::Hosts, FileName::ResolvConf] {
            if let Some((file, owner)) = files.observe(&node, name, &wanted.topology)? {
                let wanted = wanted.items.contains_key(&file.id());
                if wanted || owner == Owner::Ours {
                    state.insert(Resource::File(file), owner);
                }
            }
        }
    }
    Ok(())
}

/// Whether this kernel keeps who put an address where it is (`IFA_PROTO`, since 5.18).
pub(crate) fn says_protocol() -> bool {
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map_while(|part| part.parse::<u32>().ok());
    (numbers.next(), numbers.next()) >= (Some(5), Some(18))
}

/// The values of settings, right now.
///
/// # Errors
///
/// If a namespace cannot be entered, or a setting that is there cannot be read.
pub fn settings(which: &[(Node, String)], places: &Places) -> Result<Vec<Option<String>>, Error> {
    let mut by_node: BTreeMap<&Node, Vec<&str>> = BTreeMap::new();
    for (node, key) in which {
        by_node.entry(node).or_default().push(key);
    }
    let jobs = by_node.iter().map(|(node, keys)| {
        netns::job(places.of(node), move || {
            keys.iter().map(|key| sysctl::read_if_there(key)).collect::<Result<Vec<_>, Error>>()
        })
    });
    let answers = netns::run(netns::READERS, jobs.collect());
    let mut values: HashMap<(&Node, &str), Option<String>> = HashMap::new();
    for ((node, keys), answer) in by_node.iter().zip(answers) {
        values.extend(keys.iter().map(|key| (*node, *key)).zip(answer??));
    }
    Ok(which.iter().map(|(node, key)| values.remove(&(node, key.as_str())).flatten()).collect())
}
