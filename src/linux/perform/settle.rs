//! Waiting until what was made is usable.

use crate::kernel::Error;
use crate::linux::netlink::attributes::Writer;
use crate::linux::netlink::{link, socket};
use crate::linux::netns;
use crate::linux::netns::places::Places;
use crate::linux::object::address;
use crate::resource::{IfName, Kind, Link, LinkId, Node, NodeTenure, Owner, Resource, Setting, State, Value};
use ipnet::IpNet;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// How long it may take. The end of a pair that came up first is operationally up after at most a second
/// (`linkwatch_event`), and duplicate address detection takes one to two.
const PATIENCE: Duration = Duration::from_millis(2500);
/// How long between two looks.
const PAUSE: Duration = Duration::from_millis(10);

/// What is waited for in a node.
#[derive(Default)]
struct Awaited {
    links: BTreeSet<IfName>,
    addresses: BTreeSet<IpNet>,
}

/// Waits until every wanted link of ours that has carrier is operationally up and no wanted address is tentative, but
/// not for ever. What stands behind a bridge that speaks STP takes as long as STP takes, and is not waited for.
///
/// # Errors
///
/// If a namespace cannot be entered or read; what is slow is no error.
pub fn settle(wanted: &State, places: &Places) -> Result<(), Error> {
    let mut awaited = awaited(wanted);
    let end = Instant::now() + PATIENCE;
    loop {
        let jobs = awaited.iter().map(|(node, awaited)| netns::job(places.of(node), move || is_settled(node, awaited)));
        let answers = netns::run(netns::READERS, jobs.collect());
        let mut rest = BTreeMap::new();
        for ((node, awaited), answer) in awaited.into_iter().zip(answers) {
            if !answer.and_then(|settled| settled)? {
                rest.insert(node, awaited);
            }
        }
        if rest.is_empty() || Instant::now() >= end {
            return Ok(());
        }
        awaited = rest;
        std::thread::sleep(PAUSE);
    }
}

fn awaited(wanted: &State) -> BTreeMap<Node, Awaited> {
    let mut nodes: BTreeMap<Node, Awaited> = BTreeMap::new();
    for item in wanted.items.values().filter(|item| item.owner == Owner::Ours) {
        match &item.resource {
            Resource::Link(link)
                if link.up == Setting::Is(true) && link.kind != Kind::Loopback && !behind_stp(wanted, link) =>
            {
                nodes.entry(link.id.node.clone()).or_default().links.insert(link.id.name.clone());
            }
            // Detection is off for most; only where it is on there is something to wait for.
            Resource::Address(address)
                if address.address.addr().is_ipv6()
                    && address.nodad != Setting::Is(true)
                    && !on_stp(wanted, &address.link) =>
            {
                nodes.entry(address.link.node.clone()).or_default().addresses.insert(address.address);
            }
            _ => {}
        }
    }
    let there = |node: &Node| {
        wanted.namespace(node).is_none_or(|namespace| namespace.tenure != NodeTenure::Host) || node.is_host()
    };
    nodes.retain(|node, _| there(node));
    nodes
}

fn speaks_stp(link: &Link) -> bool {
    link.kind == Kind::Bridge && link.options.get("stp") == Some(&Value::Bool(true))
}

fn behind_stp(wanted: &State, link: &Link) -> bool {
    let of = |link: &Link| {
        speaks_stp(link) || link.master_id().and_then(|master| wanted.link(&master)).is_some_and(speaks_stp)
    };
    of(link) || link.peer.as_ref().and_then(|peer| wanted.link(peer)).is_some_and(of)
}

fn on_stp(wanted: &State, link: &LinkId) -> bool {
    wanted.link(link).is_some_and(|link| behind_stp(wanted, link))
}

/// Whether nothing in the calling thread's namespace is still coming up.
fn is_settled(node: &Node, awaited: &Awaited) -> Result<bool, Error> {
    let socket = socket::Socket::open()?;
    let failed = |refused: socket::Refused| refused.error(format!("wait for {node}"));
    let links = link::dump(&socket).map_err(failed)?;
    for link in
        links.iter().filter(|link| link.up && link.carrier && !link.operational && awaited.links.contains(&link.name))
    {
        // Since 6.8 the question about a single link makes the kernel finish what it has put off for up to a second
        // (`linkwatch_sync_dev`); a dump does not.
        let again = socket.get(link::GET, Writer::new(&link::head(link.index, None)).bytes()).map_err(failed)?;
        if link::parse(&again.body).is_some_and(|link| link.carrier && !link.operational) {
            return Ok(false);
        }
    }
    if awaited.addresses.is_empty() {
        return Ok(true);
    }
    // An address on a link without carrier stays tentative until there is some.
    let live: BTreeSet<u32> = links.iter().filter(|link| link.up && link.carrier).map(|link| link.index).collect();
    let addresses = address::dump(&socket).map_err(failed)?;
    Ok(!addresses.iter().any(|address| {
        address.tentative && live.contains(&address.index) && awaited.addresses.contains(&address.address)
    }))
}
