//! Addresses that something on the same segment has already.

use crate::doctor::code::{Code, Severity};
use crate::doctor::examined::Examined;
use crate::doctor::finding::Finding;
use crate::flow::World;
use crate::flow::segment;
use crate::resource::{Address, Family, Link, LinkId, Owner, Resource, State};
use std::collections::{BTreeMap, HashSet};
use std::net::IpAddr;

pub(super) fn find(examined: &Examined<'_>) -> Vec<Finding> {
    let own: Vec<&Address> = addresses(examined.wanted).collect();
    let others = namesakes(examined, &own);
    let heard: Vec<&crate::survey::Heard> =
        examined.neighbors.iter().filter(|heard| own.iter().any(|own| own.address.addr() == heard.address)).collect();
    if others.is_empty() && heard.is_empty() {
        return Vec::new();
    }
    let whole = whole(examined);
    let world = World::new(&whole);
    let mut found = Vec::new();
    for own in own {
        let Some(link) = world.state.link(&own.link) else { continue };
        let to = own.address.addr();
        let same = others.get(&to).into_iter().flatten();
        let known = heard.iter().filter(|heard| heard.address == to);
        if same.clone().next().is_none() && known.clone().next().is_none() {
            continue;
        }
        let family = if to.is_ipv4() { Family::V4 } else { Family::V6 };
        let arrivals = segment::hear(&world, link, family).arrivals;
        let near: HashSet<&LinkId> =
            arrivals.iter().filter(|arrival| arrival.block.is_none()).map(|arrival| &arrival.link).collect();
        let clash = same
            .filter(|other| near.contains(&other.link))
            .map(|other| of(own, &format!("{} has it", other.link), true));
        let answered = known
            .filter(|heard| near.contains(&LinkId::new(heard.node.clone(), heard.interface.clone())))
            .filter(|heard| mac_of(examined, link).is_some_and(|mac| mac != heard.mac) || !examined.applied)
            .map(|heard| {
                of(own, &format!("{} has answered for it on {} of {}", heard.mac, heard.interface, heard.node), false)
            });
        found.extend(clash.chain(answered).take(1));
    }
    found
}

fn addresses(state: &State) -> impl Iterator<Item = &Address> {
    state
        .resources()
        .filter_map(|resource| if let Resource::Address(address) = resource { Some(address) } else { None })
}

/// The hardware address that a link of the file has, where it is there.
fn mac_of(examined: &Examined<'_>, link: &Link) -> Option<crate::resource::Mac> {
    examined.observed.link(&link.id)?.mac.get().copied()
}

/// The addresses of others that the file has, too.
fn namesakes<'a>(examined: &Examined<'a>, own: &[&Address]) -> BTreeMap<IpAddr, Vec<&'a Address>> {
    let wanted: HashSet<IpAddr> = own.iter().map(|own| own.address.addr()).collect();
    let surveyed = examined.survey.into_iter().flat_map(|survey| survey.state.resources());
    let known = |resource: &Resource| {
        examined.wanted.namespace(resource.node()).is_some() || examined.around.namespace(resource.node()).is_some()
    };
    let beside = surveyed.filter(|resource| !known(resource) && !is_second(examined, resource));
    let mut found: BTreeMap<IpAddr, Vec<&Address>> = BTreeMap::new();
    for resource in examined.around.resources().chain(beside) {
        let Resource::Address(address) = resource else { continue };
        let to = address.address.addr();
        if wanted.contains(&to) && examined.is_foreign(&address.id()) && address.link.name.as_str() != "lo" {
            found.entry(to).or_default().push(address);
        }
    }
    found
}

/// Whether a resource is in a namespace that the file has under another name: a link of it is there, too.
fn is_second(examined: &Examined<'_>, resource: &Resource) -> bool {
    let Some(survey) = examined.survey else { return false };
    let alike = |link: &Link| {
        let twin = |(node, _): (&crate::resource::Node, _)| {
            let there = examined.around.link(&LinkId::new(node.clone(), link.id.name.clone()));
            there.is_some_and(|there| there.mac == link.mac && there.mac.get().is_some())
        };
        link.id.name.as_str() != "lo" && examined.existing().any(twin)
    };
    survey.state.links_of(resource.node()).any(alike)
}

/// The network with all namespaces of the machine in it.
fn whole(examined: &Examined<'_>) -> State {
    let mut whole = examined.world.state.clone();
    for item in examined.survey.into_iter().flat_map(|survey| survey.state.items.values()) {
        if !whole.items.contains_key(&item.resource.id()) && whole.namespace(item.resource.node()).is_none() {
            whole.insert(item.resource.clone(), Owner::Ours);
        }
    }
    whole
}

fn of(own: &Address, who: &str, sure: bool) -> Finding {
    let what = format!("{} of {} is taken on its segment: {who}", own.address.addr(), own.link);
    let severity = if sure { Severity::Error } else { Severity::Warning };
    let why = "Of two that answer for one address now the one is reached, now the other. Take another address, or put them \
               on different segments.";
    Finding::new(Code::AddressTaken, severity, what, why).about(own.id())
}
