//! Which link is at the other end: the kernel gives a number of a link and a number of a namespace, and the second means something only in the first's.

use super::look::{Look, far_end};
use super::netlink::Socket;
use super::netns::{self, Work};
use super::site::Places;
use super::{Error, link, namespace};
use crate::resource::{Kind, LinkId, Node};
use std::collections::HashMap;

/// A link by its node and its number there.
type Place = (Node, u32);

/// More candidates than this, and the kernel is asked what the other end is called before namespaces are compared.
const FEW: usize = 4;

/// The other ends of all links that stand on, or are paired with, one in another namespace; those in namespaces that were not looked at are left out.
pub fn others(looks: &[Look], places: &Places) -> Result<HashMap<Place, LinkId>, Error> {
    let names: HashMap<(&Node, u32), &link::Seen> = looks.iter().flat_map(|look| look.links.iter().map(|link| ((&look.node, link.index), link))).collect();
    let mut found = HashMap::new();
    let mut open = Vec::new();
    // Of a pair, one end that knows where the other is is enough: from the other end it is (its node, its number, our number).
    let mut mirrored: HashMap<(&Node, u32, u32), &Node> = HashMap::new();
    for look in looks {
        for (link, other) in abroad(look) {
            if let Some(node) = link.other_nsid.and_then(|nsid| look.nsids.get(&nsid)) {
                mirrored.insert((node, other, link.index), &look.node);
            }
        }
    }
    for look in looks {
        for (link, other) in abroad(look) {
            let known = link.other_nsid.and_then(|nsid| look.nsids.get(&nsid));
            let mirrored = || mirrored.get(&(&look.node, link.index, other)).copied().filter(|_| link.kind == Kind::Veth);
            match known.or_else(mirrored) {
                Some(node) => {
                    _ = names
                        .get(&(node, other))
                        .map(|seen| found.insert((look.node.clone(), link.index), LinkId { node: node.clone(), name: seen.name.clone() }))
                }
                None => open.push((look, link, other)),
            }
        }
    }
    compare(looks, &open, places, &mut found)?;
    Ok(found)
}

/// The links of a look whose other is in another namespace, with its number there.
fn abroad(look: &Look) -> impl Iterator<Item = (&link::Seen, u32)> {
    look.links.iter().filter(|link| link.other_nsid.is_some()).filter_map(|link| link.other.map(|other| (link, other)))
}

/// Finds the rest by trying those links whose numbers fit.
fn compare(looks: &[Look], open: &[(&Look, &link::Seen, u32)], places: &Places, found: &mut HashMap<Place, LinkId>) -> Result<(), Error> {
    let mut fitting: HashMap<(u32, u32), Vec<(&Look, &link::Seen)>> = HashMap::new();
    // What another link stands on does not know of it: any link of that number will do.
    let mut below: HashMap<u32, Vec<(&Look, &link::Seen)>> =
        open.iter().filter(|(_, link, _)| link.kind != Kind::Veth).map(|(.., other)| (*other, Vec::new())).collect();
    for look in looks {
        for (link, other) in abroad(look).filter(|(link, _)| link.kind == Kind::Veth) {
            fitting.entry((link.index, other)).or_default().push((look, link));
        }
        if !below.is_empty() {
            look.links.iter().for_each(|link| _ = below.get_mut(&link.index).map(|candidates| candidates.push((look, link))));
        }
    }
    let mut jobs = Vec::new();
    for of_node in open.chunk_by(|a, b| a.0.node == b.0.node) {
        let Some((look, ..)) = of_node.first() else { continue };
        let (fitting, below) = (&fitting, &below);
        let work: Work<'_, Result<Vec<(Place, LinkId)>, Error>> = Box::new(move || {
            let socket = Socket::open()?;
            let mut found = Vec::new();
            for (look, link, other) in of_node {
                let candidates = if link.kind == Kind::Veth { fitting.get(&(*other, link.index)) } else { below.get(other) };
                let candidates = candidates.map(Vec::as_slice).unwrap_or_default();
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
fn find(socket: &Socket, look: &Look, link: &link::Seen, other: u32, candidates: &[(&Look, &link::Seen)], places: &Places) -> Result<Option<LinkId>, Error> {
    let Some(nsid) = link.other_nsid else { return Ok(None) };
    let looks_like = if candidates.len() > FEW { far_end(socket, nsid, other) } else { None };
    for (there, candidate) in candidates {
        let alike = looks_like.as_ref().is_none_or(|(name, mac)| candidate.name == *name && candidate.mac == *mac);
        if !alike || there.node == look.node {
            continue;
        }
        let there_nsid = namespace::nsid(socket, &places.open(&there.node)?).map_err(|refused| refused.error("compare two namespaces"))?;
        if there_nsid == Some(nsid) {
            return Ok(Some(LinkId { node: there.node.clone(), name: candidate.name.clone() }));
        }
    }
    Ok(None)
}
