//! Which namespace, and which interface, a record speaks of: the same ones as then, whatever has their names, paths and
//! process numbers now.

use crate::kernel::{Error, ErrorKind};
use crate::linux::netns;
use crate::linux::netns::places::Places;
use crate::linux::netns::{Netns, Place};
use crate::linux::snapshot::contents::Look;
use crate::resource::{LinkId, NetnsRef, Node, NodeTenure, Record, Resource, ResourceId, State, Tenure};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};

/// Puts the namespaces of a record where the file has them now: one that the file calls otherwise has that name, one
/// whose name the file gives to another namespace has a name of its own, and what was in one that is gone is forgotten.
/// Answers with what a user should know.
///
/// `here` is the cookie of the namespace that topo was started in.
///
/// # Errors
///
/// The topology was applied from another network namespace, which is still there.
pub fn settle(record: &mut Record, wanted: &State, here: u64) -> Result<Vec<String>, Error> {
    let mut told = Vec::new();
    let mut names: BTreeMap<Node, Option<Node>> = BTreeMap::new();
    if let Some(warning) = home(record, wanted, here)? {
        names.insert(Node::host(), None);
        told.push(warning);
    }
    let asked: BTreeMap<&Node, &NetnsRef> = wanted
        .namespaces()
        .filter_map(|namespace| existing(&namespace.tenure).map(|place| (&namespace.node, place)))
        .collect();
    let mut places: Vec<&NetnsRef> = asked.values().copied().collect();
    places.extend(record.existing.values().filter(|place| !asked.values().any(|asked| asked == place)));
    let cookies: HashMap<NetnsRef, u64> = places
        .iter()
        .map(|place| (*place).clone())
        .zip(cookies(places.iter().copied()))
        .filter_map(|(place, cookie)| Some((place, cookie?)))
        .collect();
    let at = |place: &NetnsRef| cookies.get(place).copied().unwrap_or(0);
    let called: HashMap<u64, &Node> =
        asked.iter().map(|(node, place)| (at(place), *node)).filter(|(cookie, _)| *cookie != 0).collect();
    let mut existing = record.existing.clone();
    let mut left = BTreeMap::new();
    for (node, place) in &mut existing {
        // A record of an older topo, or of an older kernel, knows no cookie.
        let was = record.cookies.get(node).copied().filter(|cookie| *cookie != 0).unwrap_or_else(|| at(place));
        if was == 0 && (!asked.contains_key(node) || asked.get(node) == Some(&&*place)) {
            continue;
        }
        if let Some(now) = called.get(&was) {
            names.insert(node.clone(), Some((*now).clone()));
            continue;
        }
        let lives = if at(place) == was && was != 0 { Some(place.clone()) } else { find(was)? };
        match lives {
            Some(found) => {
                *place = found;
                if asked.contains_key(node) {
                    names.insert(node.clone(), Some(Node::from(aside(wanted, record, place).as_str())));
                }
            }
            None => {
                told.push(gone(node, place, cookies.contains_key(place)));
                names.insert(node.clone(), None);
                if matches!(place, NetnsRef::Container { .. }) {
                    continue;
                }
                // What is for its name, in `/etc/netns`, is there yet.
                let called = if asked.contains_key(node) {
                    Node::from(aside(wanted, record, place).as_str())
                } else {
                    node.clone()
                };
                left.insert(called, place.clone());
            }
        }
    }
    record.existing = existing;
    record.rename(&names);
    record.existing.extend(left);
    Ok(told)
}

fn existing(tenure: &NodeTenure) -> Option<&NetnsRef> {
    if let NodeTenure::Existing(place) = tenure { Some(place) } else { None }
}

/// What a namespace is called that the file speaks of no more, while another one has its name there.
fn aside(wanted: &State, record: &Record, place: &NetnsRef) -> String {
    // No name of a node has a slash: it is a folder's in other places.
    let name = match place {
        NetnsRef::Name(name) => name.clone(),
        NetnsRef::Path(path) => path.rsplit('/').find(|part| !part.is_empty()).unwrap_or("namespace").to_owned(),
        NetnsRef::Pid(pid) => format!("process {pid}"),
        NetnsRef::Container { name, .. } => format!("container {name}"),
    };
    let node = Node::from(name.as_str());
    let taken = node.is_host()
        || wanted.namespace(&node).is_some()
        || record.existing.contains_key(&node)
        || record.namespaces.contains_key(&node);
    if taken { format!("{name} (before)") } else { name }
}

fn gone(node: &Node, place: &NetnsRef, replaced: bool) -> String {
    if let (NetnsRef::Container { name, .. }, true) = (place, replaced) {
        return format!(
            "container {name} ({node}) was started anew: what it had was in its old network namespace, which is gone"
        );
    }
    let now = if replaced { ", and another one is found there now, which is left alone" } else { "" };
    format!(
        "the namespace {node} ({place}) that was configured is gone{now}: what it was like before does not come back"
    )
}

/// Looks whether the record was made here. Where the namespace that it was made from is gone it goes on from here, and
/// the warning says so.
fn home(record: &mut Record, wanted: &State, here: u64) -> Result<Option<String>, Error> {
    let then = std::mem::replace(&mut record.host_cookie, here);
    let processes = std::mem::replace(&mut record.processes, process_namespace());
    if then == 0 || then == here || here == 0 {
        return Ok(None);
    }
    let topology = wanted.topology.as_str();
    let refused = |why: String, help: String| Error::new(ErrorKind::Taken, "read the topology", why).help(help);
    if let Some(place) = find(then)? {
        let path = match &place {
            NetnsRef::Name(name) => netns::path(name),
            NetnsRef::Path(path) => PathBuf::from(path),
            NetnsRef::Pid(pid) => PathBuf::from(format!("/proc/{pid}/ns/net")),
            // Nothing is found by a container here.
            NetnsRef::Container { name, .. } => PathBuf::from(name),
        };
        let why = format!("topology {topology:?} was made from another network namespace than this one: {place}");
        return Err(refused(
            why,
            format!("run topo in the network namespace where it was applied: nsenter --net={} topo …", path.display()),
        ));
    }
    if processes != record.processes && record.processes != FIRST_PROCESSES {
        let why = format!(
            "topology {topology:?} was made from another network namespace than this one, which cannot be seen from here"
        );
        return Err(refused(
            why,
            "run topo in the network namespace where it was applied, or where all processes are seen if that is gone"
                .to_owned(),
        ));
    }
    Ok(Some(format!(
        "the network namespace that topology {topology:?} was applied from is gone, with all that it had there: it goes on from here"
    )))
}

/// `PROC_PID_INIT_INO` of `include/linux/proc_ns.h`: the program that is in it sees all processes.
const FIRST_PROCESSES: u64 = 0xEFFF_FFFC;

/// The number of the process namespace that topo runs in.
fn process_namespace() -> u64 {
    inode(Path::new("/proc/self/ns/pid")).unwrap_or(0)
}

/// The number in a link such as `net:[4026531840]`.
fn inode(path: &Path) -> Option<u64> {
    let target = std::fs::read_link(path).ok()?;
    target.to_str()?.split_once(":[")?.1.strip_suffix(']')?.parse().ok()
}

/// The cookies of what is found at these places; `None` where nothing is.
fn cookies<'a>(places: impl Iterator<Item = &'a NetnsRef>) -> Vec<Option<u64>> {
    let jobs = places.map(|place| netns::job(Place::At(place.clone()), netns::cookie)).collect();
    netns::run(netns::READERS, jobs).into_iter().map(|answer| answer.and_then(|cookie| cookie).ok()).collect()
}

/// A namespace of others is none that the topology made: what the file has there would go with it, or be in two nodes.
///
/// # Errors
///
/// [`ErrorKind::Taken`] with the first that is.
pub fn check_foreign(looks: &[Look], wanted: &State, places: &Places) -> Result<(), Error> {
    let (made, others): (Vec<_>, Vec<_>) =
        looks.iter().filter(|look| look.cookie != 0).partition(|look| places.is_made(&look.node));
    let made: HashMap<u64, &Node> = made.into_iter().map(|look| (look.cookie, &look.node)).collect();
    for look in others {
        let Some((own, place)) = made.get(&look.cookie).zip(places.existing.get(&look.node)) else { continue };
        let (why, help) = if wanted.namespace(own).is_some() {
            ("this file makes", format!("put all of it under {own}: a namespace is named once"))
        } else {
            (
                "this topology made, and deletes because the file does not name it any more",
                format!("name {own} in the file again, and put all of it there"),
            )
        };
        let error =
            Error::new(ErrorKind::Taken, format!("find {place}"), format!("it is namespace {own}, which {why}"));
        return Err(error.help(help).about(ResourceId::Namespace(look.node.clone())));
    }
    Ok(())
}

/// The cookie of the namespace at a place.
///
/// # Errors
///
/// If there is no such namespace.
pub fn cookie_at(place: &NetnsRef) -> Result<u64, Error> {
    netns::run_one(Place::At(place.clone()), netns::cookie)?
}

/// Where the namespace with this cookie is: under a name, with a process, or held by a mount or a descriptor. Asked
/// only where it is not where it was.
fn find(cookie: u64) -> Result<Option<NetnsRef>, Error> {
    if cookie == 0 {
        return Ok(None);
    }
    let mut seen = HashSet::new();
    let mut places: Vec<NetnsRef> = Vec::new();
    for name in netns::names()? {
        if Netns::named(&name).and_then(|netns| netns.inode()).is_ok_and(|(_, inode)| seen.insert(inode)) {
            places.push(NetnsRef::Name(name));
        }
    }
    let processes = numbers(Path::new("/proc"));
    for pid in &processes {
        if inode(&PathBuf::from(format!("/proc/{pid}/ns/net"))).is_some_and(|inode| seen.insert(inode)) {
            places.push(NetnsRef::Pid(*pid));
        }
    }
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    // ID PARENT MAJOR:MINOR ROOT PATH …, with a root such as `net:[4026532177]`.
    let mounted = mounts.lines().filter_map(|line| {
        let mut words = line.split(' ').skip(3);
        let inode: u64 = words.next()?.strip_prefix("net:[")?.strip_suffix(']')?.parse().ok()?;
        Some((inode, words.next()?.to_owned()))
    });
    places.extend(mounted.filter(|(inode, _)| seen.insert(*inode)).map(|(_, path)| NetnsRef::Path(path)));
    for pid in &processes {
        let folder = PathBuf::from(format!("/proc/{pid}/fd"));
        let open = numbers(&folder).into_iter().map(|fd| folder.join(fd.to_string()));
        let held = open
            .filter(|path| std::fs::read_link(path).is_ok_and(|target| target.to_string_lossy().starts_with("net:[")));
        places.extend(
            held.filter(|path| inode(path).is_some_and(|inode| seen.insert(inode)))
                .map(|path| NetnsRef::Path(path.display().to_string())),
        );
    }
    let found = cookies(places.iter()).into_iter().position(|found| found == Some(cookie));
    Ok(found.and_then(|at| places.into_iter().nth(at)))
}

/// The names in a folder that are numbers.
fn numbers(folder: &Path) -> Vec<u32> {
    std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect()
}

/// Notes the numbers of the foreign interfaces that matter, and forgets what was before on one that was made anew
/// since. Those that topo itself moved there (`arrived`) may have other numbers (`__dev_change_net_namespace` gives a
/// new one where the old is taken). Answers with what a user should know.
pub fn number(record: &mut Record, wanted: &State, looks: &[Look], arrived: &BTreeSet<LinkId>) -> Vec<String> {
    one_in_a_place(record, wanted, looks);
    let mut matter: BTreeSet<LinkId> =
        wanted.links().filter(|link| link.tenure != Tenure::Created).map(|link| link.id.clone()).collect();
    let settings = wanted
        .resources()
        .filter(|resource| matches!(resource, Resource::Sysctl(sysctl) if !wanted.is_made(&sysctl.node)));
    matter.extend(settings.chain(&record.prior).flat_map(Resource::links));
    matter.extend(record.numbers.iter().map(|(link, _)| link.clone()));
    matter.extend(
        record.configured.iter().map(|link| link.id.clone()).chain(record.moved.iter().map(|(now, _)| now.clone())),
    );
    let mut told = Vec::new();
    for look in looks {
        for seen in &look.links {
            let link = LinkId { node: look.node.clone(), name: seen.name.clone() };
            if !matter.contains(&link) {
                continue;
            }
            let was = record.numbers.iter().position(|(known, _)| *known == link);
            match was.and_then(|at| record.numbers.get_mut(at)) {
                None => record.numbers.push((link, seen.index)),
                Some((_, number)) if *number == seen.index => {}
                Some((_, number)) => {
                    *number = seen.index;
                    if !arrived.contains(&link) && record.forget(&link) {
                        told.push(format!("{link} was re-created outside topo since the last apply: it is left as it is, and the previous state of the old one is not restored"));
                    }
                }
            }
        }
    }
    record.numbers.sort();
    told
}

/// Of foreign links that were moved to one place, one after the other, the one that is not at home is there; none where
/// the file makes another link there and it is at home.
fn one_in_a_place(record: &mut Record, wanted: &State, looks: &[Look]) {
    let is_there = |link: &LinkId| {
        looks.iter().any(|look| look.node == link.node && look.links.iter().any(|seen| seen.name == link.name))
    };
    let made = |now: &LinkId| wanted.link(now).is_some_and(|link| link.tenure == Tenure::Created);
    let moved = record.moved.clone();
    let several = |now: &LinkId| moved.iter().filter(|(other, _)| other == now).count() > 1;
    let away = |now: &LinkId| moved.iter().any(|(other, home)| other == now && !is_there(home));
    let elsewhere = |now: &LinkId, from: &LinkId| {
        moved.iter().any(|(other, home)| other != now && home == from && !made(other) && is_there(other))
    };
    let gone = |(now, home): &(LinkId, LinkId)| {
        made(now) && elsewhere(now, home) || is_there(home) && (made(now) || several(now) && away(now))
    };
    record.numbers.retain(|(link, _)| !moved.iter().any(|one| one.0 == *link && gone(one)));
    record.moved.retain(|one| !gone(one));
}

/// The names in `/run/netns` that are second ones of a namespace of ours, and the node that it is: the one that the
/// record knows, or that is wanted, or the first. (`ip netns attach` and mounts make such names; they are foreign.)
pub fn second_names(looks: &[Look], record: &Record, wanted: &State, places: &Places) -> BTreeMap<Node, Node> {
    let mut first: HashMap<u64, &Node> = HashMap::new();
    let made = || looks.iter().filter(|look| look.cookie != 0 && places.is_made(&look.node));
    for look in made() {
        let known = |node: &Node| (record.namespaces.get(node) == Some(&look.cookie), wanted.namespace(node).is_some());
        let node = first.entry(look.cookie).or_insert(&look.node);
        if known(&look.node) > known(node) {
            *node = &look.node;
        }
    }
    let second = |look: &&Look| first.get(&look.cookie).is_some_and(|node| **node != look.node);
    made().filter(second).filter_map(|look| Some((look.node.clone(), (*first.get(&look.cookie)?).clone()))).collect()
}
