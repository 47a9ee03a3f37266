//! Carrying out operations: by node, nodes side by side, each node's in order until one fails.

use crate::dialect::ip;
use crate::kernel::{Error, ErrorKind};
use crate::linux::netlink::socket::Refused;
use crate::linux::netns;
use crate::linux::netns::context::Site;
use crate::linux::netns::namespace::Inherited;
use crate::linux::netns::places::Places;
use crate::linux::netns::{Place, namespace, sysctl};
use crate::linux::object::file::Files;
use crate::linux::object::link::failure::Failure;
use crate::linux::object::link::{change, create, delete, wireguard};
use crate::linux::object::{address, insert, neighbor, nft, qdisc, route, rule};
use crate::resource::{Link, LinkId, Name, Namespace, Node, Operation, Resource, Sysctl};
use nix::libc;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Mutex;

/// What a batch needs to know besides its operations.
pub struct Batch<'a> {
    /// The topology.
    pub topology: &'a Name,
    /// The operations.
    pub operations: &'a [Operation],
    /// Where the nodes are.
    pub places: &'a Places,
    /// Files of namespaces.
    pub files: &'a Files,
    /// The namespaces that the record says are ours or about to be.
    pub claimed: &'a BTreeSet<Node>,
    /// The generations of tables that were installed.
    pub generations: &'a Mutex<Vec<(Node, u32)>>,
}

type Answer = Result<(), Error>;
type Answers = Vec<(usize, Answer)>;
/// The far end of a pair, with the operation that makes it and its place in the batch.
type End<'a> = (usize, &'a Operation, &'a Link);

/// Carries out a batch; answers in the order of its operations.
pub fn perform(batch: &Batch<'_>) -> Vec<Answer> {
    let mut answers: HashMap<usize, Answer> = HashMap::new();
    answers.extend(make_namespaces(batch));
    let twins = twins(batch);
    answers.extend(in_nodes(batch, &twins));
    answers.extend(far_ends(batch, &answers));
    for (one, other) in &twins {
        answers.insert(*one, answers.get(other).cloned().unwrap_or_else(|| Err(lost())));
    }
    answers.extend(remove_namespaces(batch, &answers));
    (0..batch.operations.len()).map(|at| answers.remove(&at).unwrap_or_else(|| Err(lost()))).collect()
}

fn lost() -> Error {
    Error::new(ErrorKind::Refused, "carry out an operation", "it was not reached")
}

fn numbered<'a>(batch: &Batch<'a>) -> impl Iterator<Item = (usize, &'a Operation)> {
    batch.operations.iter().enumerate()
}

/// The namespace that an operation makes or marks again.
fn made_by(operation: &Operation) -> Option<(&Namespace, bool)> {
    match operation {
        Operation::Create(Resource::Namespace(namespace)) => Some((namespace, true)),
        Operation::Update { after: Resource::Namespace(namespace), .. } => Some((namespace, false)),
        _ => None,
    }
}

fn make_namespaces(batch: &Batch<'_>) -> Answers {
    let inherited = Inherited::default();
    let inherited = &inherited;
    let made: Vec<_> = numbered(batch)
        .filter_map(|(at, operation)| made_by(operation).map(|(made, fresh)| (at, operation, made, fresh)))
        .collect();
    let jobs = made.iter().map(|(_, operation, Namespace { node, whole, marked, alias, .. }, fresh)| {
        let fresh = *fresh || netns::is_leftover(node.as_str());
        let place = if fresh { Place::Anywhere } else { batch.places.of(node) };
        netns::job(place, move || {
            // The undo has tried before it looked, so this says why it cannot be.
            if let (true, true, Some(held)) = (fresh, whole, &batch.places.held) {
                return held.give_back(node).map_err(|error| error.about(operation.id()));
            }
            if fresh {
                return namespace::create(batch.topology, node, inherited, batch.claimed.contains(node))
                    .map_err(|error| error.about(operation.id()));
            }
            let socket = crate::linux::netlink::socket::Socket::open()?;
            let done = match alias {
                Some(alias) if !marked => namespace::set_alias(&socket, alias),
                _ => namespace::set_mark(&socket, batch.topology),
            };
            done.map_err(|refused| explain(operation, refused.into()))
        })
    });
    let answers = netns::run(netns::WRITERS, jobs.collect());
    made.iter().map(|(at, ..)| *at).zip(answers.into_iter().map(|answer| answer.and_then(|answer| answer))).collect()
}

/// The two ends of a pair that are both to be deleted: the one that goes by itself, and the other, in whose node more
/// links go at once.
fn twins(batch: &Batch<'_>) -> Vec<(usize, usize)> {
    let deleted = |operation: &'_ Operation| {
        if let Operation::Delete(Resource::Link(link)) = operation { Some(link.id.clone()) } else { None }
    };
    let places: HashMap<LinkId, usize> =
        numbered(batch).filter_map(|(at, operation)| Some((deleted(operation)?, at))).collect();
    let mut counts: HashMap<&Node, usize> = HashMap::new();
    for id in places.keys() {
        *counts.entry(&id.node).or_default() += 1;
    }
    let mut twins = Vec::new();
    for (at, operation) in numbered(batch) {
        let Operation::Delete(Resource::Link(link)) = operation else { continue };
        let Some(peer) = link.peer.as_ref().filter(|peer| peer.node != link.id.node) else { continue };
        let Some(other) = places.get(peer) else { continue };
        let rank = |id: &LinkId, at: usize| (counts.get(&id.node).copied().unwrap_or(0), at);
        if rank(&link.id, at) < rank(peer, *other) {
            twins.push((at, *other));
        }
    }
    twins
}

fn in_nodes(batch: &Batch<'_>, twins: &[(usize, usize)]) -> Answers {
    let elsewhere: BTreeSet<usize> = twins.iter().map(|(at, _)| *at).collect();
    let mut by_node: BTreeMap<Node, Vec<(usize, &Operation)>> = BTreeMap::new();
    for (at, operation) in numbered(batch) {
        let namespace = made_by(operation).is_some() || matches!(operation, Operation::Delete(Resource::Namespace(_)));
        if !namespace && !elsewhere.contains(&at) {
            by_node.entry(operation.node()).or_default().push((at, operation));
        }
    }
    let jobs = by_node.iter().map(|(node, operations)| {
        // Files need no namespace, and must go even where it is gone.
        let place = if operations.iter().all(|(_, operation)| is_file(operation)) {
            Place::Anywhere
        } else {
            batch.places.of(node)
        };
        netns::job(place, move || in_node(batch, node.clone(), operations))
    });
    let answers = netns::run(netns::WRITERS, jobs.collect());
    let whole = |(operations, answer): (&Vec<(usize, &Operation)>, Result<Answers, Error>)| match answer {
        Ok(answers) => answers,
        Err(error) => not_entered(operations, &error),
    };
    by_node.values().zip(answers).flat_map(whole).collect()
}

fn is_file(operation: &Operation) -> bool {
    matches!(
        operation,
        Operation::Create(Resource::File(_))
            | Operation::Update { after: Resource::File(_), .. }
            | Operation::Delete(Resource::File(_))
    )
}

/// All operations of a node fail with what kept us out of it.
fn not_entered(operations: &[(usize, &Operation)], error: &Error) -> Answers {
    operations.iter().map(|(at, operation)| (*at, Err(error.clone().about(operation.id())))).collect()
}

/// The operations of one node, one after the other; the calling thread is inside.
fn in_node(batch: &Batch<'_>, node: Node, operations: &[(usize, &Operation)]) -> Answers {
    let site = match Site::here(batch.topology, node, batch.places) {
        Ok(site) => site,
        Err(error) => return not_entered(operations, &error),
    };
    let mut answers = Answers::new();
    let mut failed = false;
    for run in operations.chunk_by(|(_, a), (_, b)| deleted_link(a).is_some() && deleted_link(b).is_some()) {
        let doomed: Vec<&Link> = run.iter().filter_map(|(_, operation)| deleted_link(operation)).collect();
        let done: Vec<Answer> = match run {
            _ if failed => run.iter().map(|(_, operation)| Err(skipped(operation))).collect(),
            _ if !doomed.is_empty() => {
                let done = delete::delete(&site, &doomed);
                done.into_iter()
                    .zip(run)
                    .map(|(done, (_, operation))| done.map_err(|refused| explain(operation, refused.into())))
                    .collect()
            }
            _ => run
                .iter()
                .map(|(_, operation)| act(batch, &site, operation).map_err(|failure| explain(operation, failure)))
                .collect(),
        };
        // The program that had an interface took it away: what is left to do has nothing to do with it.
        failed |= done.iter().any(|done| done.as_ref().is_err_and(|error| error.kind != ErrorKind::Gone));
        answers.extend(run.iter().map(|(at, _)| *at).zip(done));
    }
    answers
}

fn deleted_link(operation: &Operation) -> Option<&Link> {
    if let Operation::Delete(Resource::Link(link)) = operation { Some(link) } else { None }
}

fn skipped(operation: &Operation) -> Error {
    Error::new(ErrorKind::Skipped, tried(operation), "something before it in the same namespace failed")
        .about(operation.id())
}

fn act(batch: &Batch<'_>, site: &Site<'_>, operation: &Operation) -> Result<(), Failure> {
    match operation {
        Operation::Create(resource) => create(batch, site, resource),
        Operation::CreatePair(near, far) => create::create_pair(site, near, far),
        Operation::Update { before, after } => update(batch, site, before, after),
        Operation::Delete(resource) => delete(batch, site, resource),
        Operation::Move { link, to } => change::relocate(site, link, to),
    }
}

fn create(batch: &Batch<'_>, site: &Site<'_>, resource: &Resource) -> Result<(), Failure> {
    match resource {
        Resource::Link(link) => create::create(site, link)?,
        Resource::Address(address) => address::create(site, address)?,
        Resource::Route(route) => route::create(site, route)?,
        Resource::Rule(rule) => rule::create(site, rule)?,
        Resource::Neighbor(neighbor) => neighbor::create(site, neighbor)?,
        Resource::Fdb(fdb) => neighbor::create_fdb(site, fdb)?,
        Resource::Qdisc(qdisc) => qdisc::create(site, qdisc)?,
        Resource::Peer(peer) => wireguard::create_peer(site, peer)?,
        Resource::Sysctl(setting) => {
            sysctl::write(&setting.key, &setting.value).map_err(|error| went(setting, error))?
        }
        Resource::Table(table) => install(batch, table)?,
        Resource::File(file) => batch.files.write(file, batch.topology)?,
        Resource::Insert(rules) => insert::install(rules)?,
        Resource::Namespace(_) => return Err(cannot("make")),
    }
    Ok(())
}

/// A setting that could not be written, because its interface is not there any more if that is so.
fn went(setting: &Sysctl, error: Error) -> Error {
    let gone = error.errno == Some(libc::ENOENT)
        && setting.link().is_some_and(|link| nix::net::if_::if_nametoindex(link.name.as_str()).is_err());
    if gone { Error { kind: ErrorKind::Gone, ..error } } else { error }
}

fn install(batch: &Batch<'_>, table: &crate::resource::Table) -> Result<(), Error> {
    note(batch, table, nft::install(table)?);
    Ok(())
}

/// Notes the generation that a ruleset has with the table that was just installed, if it was.
fn note(batch: &Batch<'_>, table: &crate::resource::Table, generation: u32) {
    if let (Ok(mut generations), false) = (batch.generations.lock(), table.chains.is_empty()) {
        generations.push((table.node.clone(), generation));
    }
}

fn update(batch: &Batch<'_>, site: &Site<'_>, before: &Resource, after: &Resource) -> Result<(), Failure> {
    match (before, after) {
        (Resource::Link(before), Resource::Link(after)) => change::update(site, before, after)?,
        (Resource::Address(before), Resource::Address(after)) => address::update(site, before, after)?,
        (Resource::Peer(before), Resource::Peer(after)) => wireguard::update_peer(site, before, after)?,
        (_, Resource::Route(after)) => route::update(site, after)?,
        (_, Resource::Qdisc(after)) => qdisc::update(site, after)?,
        (Resource::Neighbor(before), Resource::Neighbor(after)) => neighbor::update(site, before, after)?,
        (Resource::Rule(before), Resource::Rule(after)) => rule::update(site, before, after)?,
        (Resource::Table(before), Resource::Table(after)) if before.instead_of != after.instead_of => {
            note(batch, after, nft::exchange(before, after)?)
        }
        (Resource::File(before), Resource::File(after)) if !before.is_marked() => {
            batch.files.write_over(before, after, batch.topology)?
        }
        (_, after @ (Resource::Sysctl(_) | Resource::Table(_) | Resource::Insert(_) | Resource::File(_))) => {
            create(batch, site, after)?
        }
        _ => return Err(cannot("change")),
    }
    Ok(())
}

fn delete(batch: &Batch<'_>, site: &Site<'_>, resource: &Resource) -> Result<(), Failure> {
    match resource {
        Resource::Address(address) => address::delete(site, address)?,
        Resource::Route(route) => route::delete(site, route)?,
        Resource::Rule(rule) => rule::delete(site, rule)?,
        Resource::Neighbor(neighbor) => neighbor::delete(site, neighbor)?,
        Resource::Fdb(fdb) => neighbor::delete_fdb(site, fdb)?,
        Resource::Qdisc(qdisc) => qdisc::delete(site, qdisc)?,
        Resource::Peer(peer) => wireguard::delete_peer(site, peer)?,
        Resource::Table(_) => nft::remove(batch.topology)?,
        Resource::File(file) => batch.files.remove(file, batch.topology)?,
        Resource::Insert(rules) => insert::remove(rules)?,
        Resource::Link(_) | Resource::Namespace(_) | Resource::Sysctl(_) => return Err(cannot("remove")),
    }
    Ok(())
}

fn cannot(what: &str) -> Failure {
    Refused { errno: libc::EINVAL, text: Some(format!("topo cannot {what} this by itself")) }.into()
}

/// Gives the far ends of the pairs that were just made what they could not be created with.
fn far_ends(batch: &Batch<'_>, done: &HashMap<usize, Answer>) -> Answers {
    let mut by_node: BTreeMap<&Node, Vec<End<'_>>> = BTreeMap::new();
    for (at, operation) in numbered(batch) {
        if let (Operation::CreatePair(_, far), Some(Ok(()))) = (operation, done.get(&at)) {
            by_node.entry(&far.id.node).or_default().push((at, operation, far));
        }
    }
    let finish = |node: &Node, ends: &[End<'_>]| -> Result<Answers, Error> {
        let site = Site::here(batch.topology, node.clone(), batch.places)?;
        let finish = |far| create::finish_far(&site, far);
        Ok(ends
            .iter()
            .map(|(at, operation, far)| (*at, finish(far).map_err(|failure| explain(operation, failure))))
            .collect())
    };
    let jobs = by_node.iter().map(|(node, ends)| netns::job(batch.places.of(node), move || finish(node, ends)));
    let answers = netns::run(netns::WRITERS, jobs.collect());
    let whole = |(ends, answer): (&Vec<End<'_>>, Result<Answers, Error>)| match answer {
        Ok(answers) => answers,
        Err(error) => ends.iter().map(|(at, operation, _)| (*at, Err(error.clone().about(operation.id())))).collect(),
    };
    by_node.values().zip(answers.into_iter().map(|answer| answer.and_then(|answer| answer))).flat_map(whole).collect()
}

/// Takes namespaces away; one in which something failed stays.
fn remove_namespaces(batch: &Batch<'_>, done: &HashMap<usize, Answer>) -> Answers {
    let failed: BTreeSet<Node> = numbered(batch)
        .filter(|(at, _)| matches!(done.get(at), Some(Err(_))))
        .map(|(_, operation)| operation.node())
        .collect();
    let going: Vec<(usize, &Operation, &Node)> = numbered(batch)
        .filter_map(|(at, operation)| match operation {
            Operation::Delete(Resource::Namespace(namespace)) => Some((at, operation, &namespace.node)),
            _ => None,
        })
        .collect();
    let jobs = going.iter().map(|(_, operation, node)| {
        let stays = failed.contains(*node);
        netns::job(Place::Anywhere, move || {
            if stays {
                return Err(skipped(operation));
            }
            batch.places.held.iter().for_each(|held| held.hold_named(node));
            netns::remove(node.as_str()).map_err(|error| error.about(operation.id()))
        })
    });
    let answers = netns::run(netns::REMOVERS, jobs.collect());
    going.iter().map(|(at, ..)| *at).zip(answers.into_iter().map(|answer| answer.and_then(|answer| answer))).collect()
}

/// What was tried, in the words of `ip`.
fn tried(operation: &Operation) -> String {
    ip::commands(operation).into_iter().next().unwrap_or_else(|| operation.id().to_string())
}

/// The error of an operation that failed.
fn explain(operation: &Operation, failure: Failure) -> Error {
    let refused = match failure {
        Failure::Error(error) => return error.about(operation.id()),
        Failure::Refused(refused) => refused,
    };
    let mut error = refused.error(tried(operation)).about(operation.id());
    let link = match operation {
        Operation::Create(Resource::Link(link)) => Some(&**link),
        Operation::CreatePair(link, _) => Some(&**link),
        _ => None,
    };
    if let (Some(link), ErrorKind::Missing) = (link, error.kind) {
        error.reason = format!("this kernel has no {} support", link.kind.name());
        error.help = Some(format!("load the module ({}), or use a kernel that has it", link.kind.name()));
    }
    if let (Operation::Create(Resource::Qdisc(qdisc)), ErrorKind::Missing) = (operation, error.kind) {
        error.reason = format!("this kernel has no {} support (CONFIG_NET_SCH_NETEM)", qdisc.work.kind());
        error.help = Some("load the module sch_netem, or use a kernel that has it".to_owned());
    }
    if let (Operation::Create(Resource::Address(address)), libc::EACCES) = (operation, refused.errno) {
        error.kind = ErrorKind::Refused;
        let key = Sysctl::disable_ipv6(address.link.name.as_str());
        error.help = Some(format!(
            "the setting {key} is 1: write `ipv6: {{ disable: false }}` for the interface, or set it to 0"
        ));
    }
    let hint = match refused.errno {
        libc::EEXIST if refused.text.is_none() => Some("it is already there"),
        libc::ENODEV | libc::ESRCH | libc::ENOENT if refused.text.is_none() => Some("it is not there"),
        libc::EXFULL => Some("the bridge is full: it takes at most 1023 ports"),
        libc::EADDRNOTAVAIL if refused.text.is_none() => Some("there is no such address on that interface"),
        libc::ENETUNREACH | libc::EHOSTUNREACH if refused.text.is_none() => {
            Some("its gateway cannot be reached directly over any interface that is up")
        }
        _ => None,
    };
    if let Some(hint) = hint {
        hint.clone_into(&mut error.reason);
    }
    error
}
