//! What else there is where something that a plan needs is not: a user may have meant one of those.

use super::netlink::link;
use super::netlink::socket::{Refused, Socket};
use super::netns;
use super::netns::places::Places;
use super::object::nft::generation;
use crate::kernel::Error;
use crate::resource::{LinkId, NetnsRef, NodeTenure, ResourceId, State, Tenure};

/// The name that `wanted` has for `id`, and those of the same sort that are there: of interfaces, of chains, and of
/// namespaces. No names where it is none of these, or a namespace by path or process.
///
/// # Errors
///
/// If a namespace cannot be entered or read.
pub fn names(wanted: &State, id: &ResourceId, places: &Places) -> Result<Option<(String, Vec<String>)>, Error> {
    match id {
        ResourceId::Link(link) => {
            let LinkId { node, name } = match wanted.link(link).map(|link| &link.tenure) {
                Some(Tenure::From(home)) => home,
                _ => link,
            };
            Ok(Some((name.to_string(), netns::run_one(places.of(node), || links(id))??)))
        }
        ResourceId::Insert(node, chain) => {
            let there = netns::run_one(places.of(node), generation::chains)??;
            let there = there.iter().map(|there| there.place.to_string()).collect();
            Ok(Some((chain.to_string(), there)))
        }
        ResourceId::Namespace(node) => match wanted.namespace(node).map(|namespace| &namespace.tenure) {
            Some(NodeTenure::Existing(NetnsRef::Name(name))) => Ok(Some((name.clone(), netns::names()?))),
            _ => Ok(None),
        },
        _ => Ok(None),
    }
}

/// The interfaces of the calling thread's namespace, by all their names.
fn links(id: &ResourceId) -> Result<Vec<String>, Error> {
    let failed = |refused: Refused| refused.error(format!("read the interfaces of {}", id.node()));
    let there = link::dump(&Socket::open()?).map_err(failed)?;
    Ok(there.into_iter().flat_map(|link| [link.name.to_string()].into_iter().chain(link.alternative_names)).collect())
}
