//! How many links are on top of each other.

use super::refusal::Refusal;
use crate::resource::{HIGHEST_STACK, Kind, Link, LinkId, State, kinds};

/// Whether the kernel takes a stack of this height (`__netdev_upper_dev_link`).
fn fits(height: usize) -> Result<(), Refusal> {
    if height > HIGHEST_STACK {
        return Err(Refusal::new(format!("too many links: at most {HIGHEST_STACK} can be stacked")));
    }
    Ok(())
}

/// A link that is made on another one.
pub(super) fn made(state: &State, link: &Link) -> Result<(), Refusal> {
    match stands_on(state, link).filter(|_| is_upper(&link.kind)) {
        Some(lower) => fits(below(state, &lower, 0) + 1),
        None => Ok(()),
    }
}

/// A link that becomes a port of `master`. One that depends on nothing fits wherever its master does: what is on that
/// was counted when it came.
pub(super) fn joins(state: &State, link: &Link, master: &LinkId) -> Result<(), Refusal> {
    let plain = link.link.is_none()
        && state.link(&link.id).is_none_or(|there| there.link.is_none())
        && !holds_ports(&link.kind);
    if plain {
        return Ok(());
    }
    let own = match state.link(&link.id) {
        Some(_) => below(state, &link.id, 0),
        None => 1 + stands_on(state, link).filter(|_| is_upper(&link.kind)).map_or(0, |lower| below(state, &lower, 1)),
    };
    fits(own + above(state, master, 0))
}

/// Whether links of this kind are above what they name as `link`: a vxlan, too, although it outlives that; other
/// tunnels only send by it.
fn is_upper(kind: &Kind) -> bool {
    kinds::dies_with_link(kind) || *kind == Kind::Vxlan
}

fn holds_ports(kind: &Kind) -> bool {
    kinds::traits(kind).holds_ports
}

/// What a link depends on: a macvlan on another one is on what that is on (`macvlan_common_newlink`).
pub(super) fn stands_on(state: &State, link: &Link) -> Option<LinkId> {
    let macvlan = |kind: &Kind| matches!(kind, Kind::Macvlan | Kind::Macvtap);
    let lower = link.link.as_ref()?;
    let same = state.link(lower).filter(|lower| macvlan(&link.kind) && macvlan(&lower.kind));
    Some(same.and_then(|lower| lower.link.as_ref()).unwrap_or(lower).clone())
}

/// How high the stack is whose top is `id`.
fn below(state: &State, id: &LinkId, depth: usize) -> usize {
    let Some(link) = state.link(id).filter(|_| depth <= HIGHEST_STACK) else { return 1 };
    let lower = link.link.as_ref().filter(|_| is_upper(&link.kind)).map_or(0, |lower| below(state, lower, depth + 1));
    let ports =
        state.links_of(&id.node).filter(|port| holds_ports(&link.kind) && port.master_id().as_ref() == Some(id));
    1 + ports.map(|port| below(state, &port.id, depth + 1)).max().unwrap_or(0).max(lower)
}

/// How high the stack is that depends on `id`, with it.
fn above(state: &State, id: &LinkId, depth: usize) -> usize {
    let Some(link) = state.link(id).filter(|_| depth <= HIGHEST_STACK) else { return 1 };
    let master = link.master_id().map_or(0, |master| above(state, &master, depth + 1));
    let uppers = state.links().filter(|upper| upper.link.as_ref() == Some(id) && is_upper(&upper.kind));
    1 + uppers.map(|upper| above(state, &upper.id, depth + 1)).max().unwrap_or(0).max(master)
}
