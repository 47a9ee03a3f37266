//! Peers of WireGuard interfaces: an address is one peer's only.

use super::link;
use super::refusal::Refusal;
use crate::resource::{Owner, Peer, Resource, State};

pub(super) fn create(state: &mut State, peer: &Peer) -> Result<(), Refusal> {
    link::needs(state, &peer.link)?;
    if state.get(&peer.id()).is_some() {
        return Err(Refusal::new(format!("peer {} exists", peer.id())));
    }
    take(state, peer);
    state.insert(Resource::Peer(Box::new(peer.clone())), Owner::Ours);
    Ok(())
}

pub(super) fn update(state: &mut State, wanted: &Peer) {
    take(state, wanted);
    if let Some(Resource::Peer(there)) = state.items.get_mut(&wanted.id()).map(|item| &mut item.resource) {
        let endpoint =
            if wanted.roaming && there.heard { there.endpoint } else { wanted.endpoint.over(&there.endpoint) };
        **there = Peer { endpoint, heard: there.heard, ..wanted.clone() };
    }
}

/// What a peer is allowed, the others of its interface are no longer (`wg_allowedips_insert_v4` moves it).
fn take(state: &mut State, peer: &Peer) {
    let losing = |other: &&Peer| other.key != peer.key && !other.allowed_ips.is_disjoint(&peer.allowed_ips);
    let others: Vec<_> = state.peers_of(&peer.link).filter(losing).map(Peer::id).collect();
    for id in others {
        if let Some(Resource::Peer(other)) = state.items.get_mut(&id).map(|item| &mut item.resource) {
            other.allowed_ips.retain(|prefix| !peer.allowed_ips.contains(prefix));
        }
    }
}
