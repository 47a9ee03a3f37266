//! Which link is at the other end: the kernel gives a number of a link and a number of a namespace, and the second
//! means something only in the first's.

use super::contents::Look;
use super::ends::{FEW, OtherEnds, Place, far_end, nsid_of};
use crate::kernel::Error;
use crate::linux::netlink::link;
use crate::linux::netlink::socket::Socket;
use crate::linux::netns;
use crate::linux::netns::places::Places;
use crate::linux::netns::{Work, namespace};
use crate::resource::{Kind, LinkId, Node};
use std::collections::{BTreeSet, HashMap};

/// The other ends of all links that depend on, or are paired with, one in another namespace; those in namespaces that
/// were not looked at are left out.
///
/// # Errors
///
/// If a namespace cannot be entered or read.
pub fn others(looks: &[Look], places: &Places) -> Result<OtherEnds, Error> {
    let names: HashMap<(&Node, u32), &link::Seen> =
        looks.iter().flat_map(|look| look.links.iter().map(|link| ((&look.node, link.index), link))).collect();
    let mut found = HashMap::new();
    let mut open = Vec::new();
    // Of a pair, one end that knows where the other is is enough: from the other end it is (its node, its number, our
    // number).
    let mut mirrored: HashMap<(&Node, u32, u32), &Node> = HashMap::new();
    for look in looks {
        // What depends on a link of the host has a number there, too, and is not its other end.
        for (link, other) in abroad(look).filter(|(link, _)| link.kind == Kind::Veth) {
            if let Some(node) = link.other_nsid.and_then(|nsid| look.nsids.get(&nsid)) {
                mirrored.insert((node, other, link.index), &look.node);
            }
        }
    }
    for look in looks {
        for (link, other) in abroad(look) {
            let known = link.other_nsid.and_then(|nsid| look.nsids.get(&nsid));
            let mirrored =
                || mirrored.get(&(&look.node, link.index, other)).copied().filter(|_| link.kind == Kind::Veth);
            match known.or_else(mirrored) {
                Some(node) => {
                    _ = names.get(&(node, other)).map(|seen| {
                        found.insert(
                            (look.node.clone(), link.index),
                            LinkId { node: node.clone(), name: seen.name.clone() },
                        )
                    })
                }
                None if link.kind == Kind::Veth => {}
                None => open.push((look, link, other)),
            }
        }
    }
    compare(looks, &open, places, &mut found)?;
    Ok(found)
}

/// Whether one of the links that `matter` goes a little later, with a namespace that the kernel is taking down:
/// `ip netns delete` returns before that is done. `found` are the other ends that are known.
///
/// # Errors
///
/// If a namespace cannot be entered or read.
pub fn any_goes(
    looks: &[Look],
    found: &OtherEnds,
    places: &Places,
    matter: impl Fn(&Node, &link::Seen) -> bool,
) -> Result<bool, Error> {
    if looks.iter().any(|look| look.links.iter().any(|seen| seen.goes && matter(&look.node, seen))) {
        return Ok(true);
    }
    let mut jobs = Vec::new();
    for look in looks {
        let open = abroad(look)
            .map(|(seen, _)| seen)
            .filter(|seen| !found.contains_key(&(look.node.clone(), seen.index)) && matter(&look.node, seen));
        let nsids: BTreeSet<i32> = open.filter_map(|seen| seen.other_nsid).collect();
        if nsids.is_empty() {
            continue;
        }
        jobs.push(netns::job(places.of(&look.node), move || -> Result<bool, Error> {
            let socket = Socket::open()?;
            for nsid in nsids {
                if !namespace::is_there(&socket, nsid)
                    .map_err(|refused| refused.error(format!("ask for namespace number {nsid} of {}", look.node)))?
                {
                    return Ok(true);
                }
            }
            Ok(false)
        }));
    }
    for answer in netns::run(netns::READERS, jobs) {
        if answer?? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The links of a look whose other is in another namespace, with its number there.
fn abroad(look: &Look) -> impl Iterator<Item = (&link::Seen, u32)> {
    look.links.iter().filter(|link| link.other_nsid.is_some()).filter_map(|link| link.other.map(|other| (link, other)))
}

/// Finds what links of other kinds depend on, which does not know of them: any link of that number will do.
fn compare(
    looks: &[Look],
    open: &[(&Look, &link::Seen, u32)],
    places: &Places,
    found: &mut OtherEnds,
) -> Result<(), Error> {
    let mut below: HashMap<u32, Vec<(&Look, &link::Seen)>> =
        open.iter().map(|(.., other)| (*other, Vec::new())).collect();
    if below.is_empty() {
        return Ok(());
    }
    for look in looks {
        look.links
            .iter()
            .for_each(|link| _ = below.get_mut(&link.index).map(|candidates| candidates.push((look, link))));
    }
    let mut jobs = Vec::new();
    for of_node in open.chunk_by(|a, b| a.0.node == b.0.node) {
        let Some((look, ..)) = of_node.first() else { continue };
        let below = &below;
        let work: Work<'_, Result<Vec<(Place, LinkId)>, Error>> = Box::new(move || {
            let socket = Socket::open()?;
            let mut found = Vec::new();
            for (look, link, other) in of_node {
                let candidates = below.get(other).map(Vec::as_slice).unwrap_or_default();
                if let Some(id) = find(&socket, look, link, *other, candidates, places)? {
                    found.push(((look.node.clone(), link.index), id));
                }
            }
            Ok(found)
        });
        jobs.push((places.of(&look.node), work));
    }
    for answer in netns::run(netns::READERS, jobs) {
        found.extend(answer??);
    }
    Ok(())
}

/// The one of `candidates` that is the other end of `link`.
fn find(
    socket: &Socket,
    look: &Look,
    link: &link::Seen,
    other: u32,
    candidates: &[(&Look, &link::Seen)],
    places: &Places,
) -> Result<Option<LinkId>, Error> {
    let Some(nsid) = link.other_nsid else { return Ok(None) };
    let looks_like = if candidates.len() > FEW { far_end(socket, nsid, other) } else { None };
    for (there, candidate) in candidates {
        let alike = looks_like.as_ref().is_none_or(|(name, mac)| candidate.name == *name && candidate.mac == *mac);
        if !alike || there.node == look.node {
            continue;
        }
        if nsid_of(socket, &there.node, places)? == Some(nsid) {
            return Ok(Some(LinkId { node: there.node.clone(), name: candidate.name.clone() }));
        }
    }
    Ok(None)
}
