//! What the ends of veth pairs are called that the file gives no name: decided when they are first made, and kept.

use crate::kernel::Error;
use crate::linux::netlink::link;
use crate::linux::netlink::socket::{Refused, Socket};
use crate::linux::netns;
use crate::linux::netns::places::Places;
use crate::resource::{IfName, Link, LinkId, Name, Node, Record, State};
use nix::libc;
use std::collections::{BTreeMap, HashMap};

/// The ends of a node that have no name yet.
type Ends = Vec<(LinkId, Vec<IfName>)>;

/// Gives each its name: that of the record; else that of a link of the topology which is there; else the first that
/// nothing has.
///
/// # Errors
///
/// If a namespace or a link that is there cannot be read.
pub fn name(wanted: &mut State, record: &Record, places: &Places) -> Result<(), Error> {
    let known: HashMap<&LinkId, &LinkId> = record.unnamed.iter().map(|(near, far)| (near, far)).collect();
    let (mut names, mut asked) = (BTreeMap::new(), BTreeMap::<Node, Ends>::new());
    for link in wanted.links().filter(|link| !link.candidates.is_empty()) {
        let recorded = link.peer.as_ref().and_then(|near| known.get(near)).filter(|far| is_candidate(far, link));
        match recorded {
            Some(far) => _ = names.insert(link.id.clone(), far.name.clone()),
            None => asked.entry(link.id.node.clone()).or_default().push((link.id.clone(), link.candidates.clone())),
        }
    }
    let topology = &wanted.topology;
    let jobs = asked.iter().map(|(node, ends)| {
        let made = places.is_made(node);
        netns::job(places.of(node), move || ends.iter().map(|end| free(topology, made, end)).collect())
    });
    for ((_, ends), answer) in asked.iter().zip(netns::run(netns::READERS, jobs.collect())) {
        let found: Vec<Result<IfName, Error>> = match answer {
            Ok(found) => found,
            // In a namespace that is yet to be made every name is free; of an existing one the plan says that it is not
            // there.
            Err(_) => continue,
        };
        for ((id, _), name) in ends.iter().zip(found) {
            names.insert(id.clone(), name?);
        }
    }
    names.retain(|id, name| id.name != *name);
    wanted.rename(&names);
    Ok(())
}

fn is_candidate(far: &LinkId, link: &Link) -> bool {
    far.node == link.id.node && link.candidates.contains(&far.name)
}

/// The name of an end in the calling thread's namespace; `made` says that everything there is the topology's.
fn free(topology: &Name, made: bool, (id, candidates): &(LinkId, Vec<IfName>)) -> Result<IfName, Error> {
    let failed = |refused: Refused| refused.error(format!("look for interface {id}"));
    let socket = Socket::open()?;
    let is_marked = link::marked_by(topology);
    let mut free = None;
    // From the last on: an older topo had no other.
    for name in candidates.iter().rev() {
        match link::find(&socket, name) {
            Ok(there) if there.name == *name && (made || is_marked(&there)) => return Ok(name.clone()),
            Ok(_) => {}
            Err(refused) if refused.errno == libc::ENODEV => free = Some(name),
            Err(refused) => return Err(failed(refused)),
        }
    }
    Ok(free.unwrap_or(&id.name).clone())
}
