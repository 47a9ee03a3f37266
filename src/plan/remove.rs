//! Everything that goes, goes first: dependents before what they depend on, and what dies with something else without a
//! step of its own.

use super::change::{Action, Change, Conflict};
use super::rehearsal::Paper;
use crate::resource::{Class, Kind, LinkId, Needed, Node, Operation, Resource, ResourceId, Tenure, Value, kinds};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// Takes away what is not wanted, or not as it is.
pub(super) fn run(paper: &mut Paper) -> Result<(), Conflict> {
    let doomed: BTreeSet<ResourceId> = paper.doomed().into_iter().collect();
    let mut groups: BTreeMap<(u8, u8), Vec<Resource>> = BTreeMap::new();
    let links = count(&doomed);
    for id in &doomed {
        let Some(resource) = paper.base.get(id) else { continue };
        // The kernel's rule for `local` goes when the one in its place is there: without any a node hears nothing.
        if matches!(resource, Resource::Rule(rule) if rule.kernel) {
            continue;
        }
        // One that was borrowed goes home.
        if resource.as_link().is_some_and(|link| matches!(link.tenure, Tenure::From(_))) {
            continue;
        }
        if leaves_first(paper, resource)
            || frees_parent(paper, &doomed, resource)
            || !implied(paper, &doomed, resource, 0)
        {
            let turn = if leaves_first(paper, resource) { (MOVE, 0) } else { turn(resource, &links) };
            groups.entry(turn).or_default().push(resource.clone());
        }
    }
    let mut moved = false;
    for ((stage, _), mut group) in groups {
        if stage > MOVE && !moved {
            move_back(paper)?;
            moved = true;
        }
        // One request per node removes all its links: the node with most of them comes first, and takes the peers in
        // the others along. Of rules the one with more parts comes first, which a request to delete the other would
        // find, too.
        let parts = |resource: &Resource| if let Resource::Rule(rule) = resource { rule.key.parts() } else { 0 };
        group.sort_by_cached_key(|resource| {
            (Reverse(links.get(resource.id().node()).copied().unwrap_or(0)), Reverse(parts(resource)), resource.id())
        });
        for resource in group {
            if paper.state.get(&resource.id()).is_some() {
                paper.act(Operation::Delete(resource))?;
            }
        }
        paper.wait();
    }
    if !moved {
        move_back(paper)?;
    }
    Ok(())
}

/// The stage after which borrowed links go home: all that depends on them is gone.
const MOVE: u8 = 7;

/// The turn of a removal.
fn turn(resource: &Resource, links: &BTreeMap<Node, usize>) -> (u8, u8) {
    let stage = match resource.class() {
        Class::File => 0,
        Class::Table => 1,
        Class::Rule => 2,
        Class::Route => 3,
        Class::Neighbor => 4,
        Class::Address => 5,
        Class::LinkSysctl | Class::Qdisc => 6,
        Class::Link => MOVE,
        Class::Sysctl => 8,
        Class::Namespace => 9,
    };
    let late = match resource {
        // What depends on a link of another node would go with that, which may be first: nodes are worked on side by
        // side.
        Resource::Link(link) if link.link.as_ref().is_some_and(|lower| lower.node != link.id.node) => 0,
        Resource::Link(link)
            if link.kind == Kind::Bridge && links.get(&link.id.node).is_some_and(|count| *count > kinds::GOES_LAST) =>
        {
            2
        }
        Resource::Link(_) => 1,
        // Secondary addresses go before their primary, which would take them along.
        Resource::Address(address) => u8::from(!address.secondary),
        _ => 0,
    };
    (stage, late)
}

fn count(doomed: &BTreeSet<ResourceId>) -> BTreeMap<Node, usize> {
    let mut counts = BTreeMap::new();
    for id in doomed {
        if let ResourceId::Link(LinkId { node, .. }) = id {
            *counts.entry(node.clone()).or_insert(0) += 1;
        }
    }
    counts
}

/// Whether it dies with something that goes. Not with the namespace of another node, in which what it depends on is:
/// that one dies a little later than its removal is answered.
fn implied(paper: &Paper, doomed: &BTreeSet<ResourceId>, resource: &Resource, depth: u32) -> bool {
    depth < 32
        && resource.requires().into_iter().filter(|need| need.inside).any(|need| match need.what {
            Needed::One(id)
                if id.node() != resource.id().node() && doomed.contains(&ResourceId::Namespace(id.node().clone())) =>
            {
                false
            }
            Needed::One(id) => {
                doomed.contains(&id)
                    || paper.base.get(&id).is_some_and(|container| implied(paper, doomed, container, depth + 1))
            }
            Needed::All(..) => false,
        })
}

/// Whether it is a VLAN that announces itself to switches (`gvrp`, `mvrp`) and is a port of a VRF. A VRF that goes sets
/// its ports up once more (`cycle_netdev`), also those that go in the same request or with the same namespace: such a
/// VLAN then asks a lower link that no longer takes part, and the kernel dereferences a null pointer
/// (`mrp_request_join`, seen with 6.12). So it goes alone, before both.
fn leaves_first(paper: &Paper, resource: &Resource) -> bool {
    let Some(link) = resource.as_link().filter(|link| link.kind == Kind::Vlan) else { return false };
    let tells = ["gvrp", "mvrp"].iter().any(|name| link.options.get(*name) == Some(&Value::Bool(true)));
    tells
        && link
            .master_id()
            .is_some_and(|master| paper.base.link(&master).is_some_and(|master| master.kind == Kind::Vrf))
}

/// Whether it depends on a link of another node that stays and is changed, a port of a bridge from now on say: the
/// kernel ends a namespace later than it answers, and until then that link is busy (`netdev_is_rx_handler_busy`).
fn frees_parent(paper: &Paper, doomed: &BTreeSet<ResourceId>, resource: &Resource) -> bool {
    let below = resource
        .as_link()
        .and_then(|link| link.link.clone())
        .filter(|below| below.node != *resource.id().node())
        .map(ResourceId::Link);
    below.is_some_and(|below| !doomed.contains(&below) && paper.changes.iter().any(|change| change.id == below))
}

/// Links that were borrowed and are no longer wanted, or not in that place, go back to where they came from.
fn move_back(paper: &mut Paper) -> Result<(), Conflict> {
    let goes = |change: &&Change| match change.action {
        Action::Move => change.after.is_none(),
        Action::Replace => change
            .before
            .as_ref()
            .and_then(Resource::as_link)
            .is_some_and(|link| matches!(link.tenure, Tenure::From(_))),
        _ => false,
    };
    let back: Vec<ResourceId> = paper.changes.iter().filter(goes).map(|change| change.id.clone()).collect();
    for id in back {
        let Some(Resource::Link(link)) = paper.state.get(&id) else { continue };
        let Tenure::From(source) = link.tenure.clone() else { continue };
        if paper.state.namespace(&source.node).is_some() {
            paper.act(Operation::Move { link: link.clone(), to: source })?;
        }
    }
    paper.wait();
    Ok(())
}
