//! Everything that is missing or different is made or changed, in its turn. What an earlier step took away is missing
//! by then, and so is made again.

use super::change::Conflict;
use super::rehearsal::Paper;
use super::stage::{Stage, Turn, Turns, late};
use crate::model::cannot_come_back;
use crate::resource::{
    Claim, IfName, Impact, Item, Kind, Link, LinkId, NodeTenure, Operation, Owner, Resource, ResourceId, Setting,
    Tenure, Value, kinds,
};

/// Goes over the goal once.
pub(super) fn run(paper: &mut Paper, turns: &Turns) -> Result<(), Conflict> {
    let mut order: Vec<(Turn, ResourceId)> = Vec::with_capacity(paper.goal.items.len());
    for (id, item) in &paper.goal.items {
        order.push((turns.turn(&item.resource), id.clone()));
        if let Resource::Link(link) = &item.resource {
            let depth = turns.link(&link.id);
            if late(&paper.goal, link) || has_primary(link) || !link.offload.is_empty() {
                order.push((Turn { stage: Stage::LinkLate, depth }, id.clone()));
            }
            if matches!(link.tenure, Tenure::From(_)) {
                order.push((Turn { stage: Stage::Move, depth: 0 }, id.clone()));
            }
        }
    }
    // They are in the order of their identities already; addresses of others come back in their own.
    let nth = |turn: &Turn, id: &ResourceId| match paper.goal.items.get(id) {
        Some(Item { resource: Resource::Address(address), owner: Owner::Restored }) if turn.stage == Stage::Address => {
            address.nth
        }
        _ => 0,
    };
    order.sort_by_cached_key(|(turn, id)| (*turn, nth(turn, id)));
    for group in order.chunk_by(|a, b| a.0 == b.0) {
        for (turn, id) in group {
            replace(paper, turn.stage, id)?;
        }
        paper.wait();
        for (turn, id) in group {
            bring(paper, turn.stage, id)?;
        }
        paper.wait();
    }
    Ok(())
}

/// Takes away what cannot be changed where it stands.
fn replace(paper: &mut Paper, stage: Stage, id: &ResourceId) -> Result<(), Conflict> {
    let (Some(wanted), Some(there)) = (paper.goal.get(id), paper.state.get(id)) else { return Ok(()) };
    let replaces = matches!(stage, Stage::Address | Stage::Route | Stage::Rule | Stage::Link | Stage::Qdisc)
        && paper.drift(wanted, there).iter().any(|drift| drift.impact == Impact::Replace);
    let ours = paper.state.items.get(id).is_some_and(|item| item.owner == Owner::Ours);
    if replaces && ours {
        let there = there.clone();
        paper.act(Operation::Delete(there))?;
    }
    Ok(())
}

fn bring(paper: &mut Paper, stage: Stage, id: &ResourceId) -> Result<(), Conflict> {
    let Some(item) = paper.goal.items.get(id) else { return Ok(()) };
    match (&item.resource, stage) {
        (Resource::Link(link), Stage::Move) => {
            let link = link.clone();
            come_in(paper, &link)
        }
        (Resource::Link(link), Stage::LinkLate) => {
            let wanted = link.clone();
            adjust(paper, Resource::Link(wanted))
        }
        (Resource::Link(link), _) => {
            let there = paper.state.link(&link.id).is_some();
            let made = link.tenure == Tenure::Created && matches!(item.owner, Owner::Ours | Owner::Restored);
            let early = early(paper, link, there);
            if there {
                adjust(paper, Resource::Link(Box::new(early)))
            } else if made {
                make_link(paper, early)
            } else {
                Ok(())
            }
        }
        (Resource::Route(route), _) if item.owner == Owner::Restored => {
            let there = paper.state.get(id).is_some_and(|there| paper.drift(&item.resource, there).is_empty());
            let why =
                if there { None } else { cannot_come_back(&paper.state, route, |address| paper.makes(&address.id())) };
            match why {
                Some(why) => paper.let_go(id, why),
                None => {
                    let wanted = item.resource.clone();
                    return make(paper, wanted);
                }
            }
            Ok(())
        }
        (Resource::Namespace(namespace), _) if namespace.tenure != NodeTenure::Created => Ok(()),
        (resource, _) => {
            let wanted = resource.clone();
            make(paper, wanted)
        }
    }
}

/// Makes what is missing, and changes what differs.
fn make(paper: &mut Paper, wanted: Resource) -> Result<(), Conflict> {
    if paper.state.get(&wanted.id()).is_some() { adjust(paper, wanted) } else { paper.act(Operation::Create(wanted)) }
}

/// Changes what is there and differs.
fn adjust(paper: &mut Paper, wanted: Resource) -> Result<(), Conflict> {
    if paper.state.get(&wanted.id()).is_none_or(|there| paper.drift(&wanted, there).is_empty()) {
        return Ok(());
    }
    if let Some(link) = wanted.as_link() {
        make_way(paper, link)?;
    }
    match paper.state.get(&wanted.id()).cloned() {
        Some(before) => paper.act(Operation::Update { before, after: wanted }),
        None => Ok(()),
    }
}

/// Has what `wanted` takes given up first by the program that has it: for what that is to have in the end where it is
/// free, else, as where two exchange theirs, for a passing value.
fn make_way(paper: &mut Paper<'_>, wanted: &Link) -> Result<(), Conflict> {
    let there = paper.state.link(&wanted.id);
    let has = there.map(Claim::of).unwrap_or_default();
    let mut takes = Claim::after(wanted, there);
    takes.retain(|claim| !has.contains(claim));
    takes.extend(there.is_none().then(|| Claim::name_of(&wanted.id)));
    for claim in takes {
        let Some(before) = paper.holders.holder(&paper.state, &claim, &wanted.id).cloned() else { continue };
        let free = |link: &Link| {
            Claim::of(link).iter().all(|claim| paper.holders.holder(&paper.state, claim, &link.id).is_none())
        };
        let goal = paper.goal.link(&before.id).map(|goal| claim.handed_on(&before, goal));
        let after = goal
            .filter(|after| !Claim::of(after).contains(&claim) && free(after))
            .unwrap_or_else(|| claim.passed(&before));
        paper.wait();
        paper.act(Operation::Update {
            before: Resource::Link(Box::new(before)),
            after: Resource::Link(Box::new(after)),
        })?;
        paper.wait();
    }
    Ok(())
}

/// A link of another program comes from where it is.
fn come_in(paper: &mut Paper, link: &Link) -> Result<(), Conflict> {
    let Tenure::From(source) = &link.tenure else { return Ok(()) };
    if paper.state.link(&link.id).is_some() {
        return Ok(());
    }
    match paper.state.link(source).cloned() {
        Some(there) => paper.act(Operation::Move { link: Box::new(there), to: link.id.clone() }),
        None => Ok(()),
    }
}

fn make_link(paper: &mut Paper, link: Link) -> Result<(), Conflict> {
    make_way(paper, &link)?;
    match link.peer.clone().filter(|_| link.kind == Kind::Veth) {
        Some(peer) => pair(paper, link, &peer),
        None => paper.act(Operation::Create(Resource::Link(Box::new(link)))),
    }
}

/// Makes both ends of a veth pair by one request. It is sent where the end lives that is not on the host, where it can
/// be created up.
fn pair(paper: &mut Paper, link: Link, peer: &LinkId) -> Result<(), Conflict> {
    let Some(other) = paper.goal.link(peer).cloned() else {
        return Err(Conflict::new(
            link.id(),
            format!("its other end {peer} is not wanted"),
            "this is a fault of topo: please report it with the file",
        ));
    };
    let other = early(paper, &other, false);
    make_way(paper, &other)?;
    let (first, second) = if link.id.node.is_host() { (other, link) } else { (link, other) };
    paper.act(Operation::CreatePair(Box::new(first), Box::new(second)))
}

/// Whether it is a bond that names one of its ports.
fn has_primary(link: &Link) -> bool {
    link.kind == Kind::Bond && matches!(link.options.get("primary"), Some(Value::Word(_)))
}

/// Whether the port that a bond names is one by now: before that the kernel only takes note of it, and does not tell.
fn is_port(paper: &Paper, bond: &Link) -> bool {
    let Some(Value::Word(name)) = bond.options.get("primary") else { return false };
    let port = LinkId { node: bond.id.node.clone(), name: IfName::from(&**name) };
    paper.state.link(&port).is_some_and(|port| port.master_id().as_ref() == Some(&bond.id))
}

/// The link as it is before its ports are there: a bridge, and what depends on one, comes up late. The offload features
/// of it is asked to a link that is there, so that what it had before can be noted.
fn early(paper: &Paper, link: &Link, there: bool) -> Link {
    let mut early = link.clone();
    early.offload.clear();
    if has_primary(link) && !is_port(paper, link) {
        early.options.remove("primary");
    }
    if late(&paper.goal, link) {
        early.up = if there { Setting::Left } else { Setting::Is(false) };
        // What is on a bridge has no larger one than that, which has its own late.
        if kinds::mtu_of_ports(&link.kind) || kinds::no_larger_than_below(&link.kind) {
            early.mtu = Setting::Left;
        }
        // A bond would set it up at once, and what it depends on is not up yet.
        let bonded = |master: &LinkId| paper.goal.link(master).is_some_and(|master| master.kind == Kind::Bond);
        if link.link.is_some() && link.master_id().as_ref().is_some_and(bonded) {
            early.master = if there { Setting::Left } else { Setting::Is(None) };
        }
    }
    early
}
