//! One look at a namespace: everything in it, as the kernel says it.

use super::contents;
use super::contents::{Extent, Inside, Look, Question};
use super::ends::{Ends, nsid_of};
use crate::kernel::Error;
use crate::linux::netlink::attributes::{Attributes, Writer};
use crate::linux::netlink::{link, socket};
use crate::linux::netns;
use crate::linux::netns::places::Places;
use crate::linux::netns::{namespace, sysctl};
use crate::linux::object::link::{features, vlan, wireguard};
use crate::linux::object::{address, insert, neighbor, nft, qdisc, route, rule};
use crate::resource::{ChainRef, IfName, Insert, Kind, Name, Node, Sysctl, Value, kinds};
use nix::libc;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Looks at the calling thread's namespace. One that is neither marked with `topology` nor asked for by name is only
/// looked at as far as its mark (`None`).
///
/// # Errors
///
/// The refusal of a dump: what could not be read is never taken for absent.
pub fn look(
    topology: &Name,
    node: &Node,
    question: &Question<'_>,
    places: &Places,
    ends: &Ends,
) -> Result<Option<Look>, Error> {
    let socket = socket::Socket::open()?;
    if !question.named {
        let alias = namespace::alias(&socket).map_err(failed("mark", node))?;
        if alias.as_deref().and_then(namespace::topology_of) != Some(topology.as_str()) {
            return Ok(None);
        }
    }
    let links = link::dump(&socket).map_err(failed("links", node))?;
    let alias = links.iter().find(|link| link.kind == Kind::Loopback).and_then(|link| link.alias.clone());
    let nsids = nsids(&socket, node, &links, question, places, ends)?;
    let mut look =
        Look { node: node.clone(), alias, cookie: netns::cookie_of(&socket)?, links, nsids, inside: None, netns: None };
    let spared = match question.extent {
        Extent::All => false,
        Extent::Spared => contents::may_go_whole(&look),
        Extent::Links => true,
    };
    if spared {
        look.netns = Some(netns::Netns::current()?);
    } else {
        read_inside(&socket, topology, question, &mut look)?;
    }
    Ok(Some(look))
}

/// Reads what was spared in `look`; the calling thread is inside.
///
/// # Errors
///
/// The refusal of a dump.
pub fn read_spared(topology: &Name, question: &Question<'_>, look: &mut Look) -> Result<(), Error> {
    read_inside(&socket::Socket::open()?, topology, question, look)
}

fn failed(what: &'static str, node: &Node) -> impl FnOnce(socket::Refused) -> Error {
    move |refused| refused.error(format!("read the {what} of {node}"))
}

fn read_inside(
    socket: &socket::Socket,
    topology: &Name,
    question: &Question<'_>,
    look: &mut Look,
) -> Result<(), Error> {
    let Look { node, links, .. } = look;
    let wireguard = wireguards(links)?;
    offloads(links, question)?;
    let names: HashMap<u32, IfName> = links.iter().map(|link| (link.index, link.name.clone())).collect();
    let name_of = |index: u32| names.get(&index).cloned();
    // Before the routes: what the kernel makes of an address is there when it says that the address can be used.
    let addresses = address::dump(socket).map_err(failed("addresses", node))?;
    let mut routes = route::dump(socket, libc::AF_INET, node, name_of).map_err(failed("routes", node))?;
    routes.extend(route::dump(socket, libc::AF_INET6, node, name_of).map_err(failed("routes", node))?);
    let mut neighbors = neighbor::dump(socket, false).map_err(failed("neighbours", node))?;
    neighbors.extend(neighbor::dump(socket, true).map_err(failed("proxy neighbours", node))?);
    let entries = question.stations || links.iter().any(|link| link.kind == Kind::Vxlan);
    let filters = links.iter().any(|link| link.options.get("vlan-filtering") == Some(&Value::Bool(true)));
    // The links tell whether it is worth asking: most have none.
    let qdiscs = links.iter().any(|link| {
        link.root == link::Root::Netem || link.root == link::Root::Another && (question.qdiscs || !question.search)
    });
    look.inside = Some(Inside {
        addresses,
        rules: rule::dump(socket, node).map_err(failed("policy rules", node))?,
        neighbors,
        vlans: (question.vlans || filters).then(|| vlan::dump(socket)).transpose().map_err(failed("VLANs", node))?,
        fdb: if entries { neighbor::dump_fdb(socket).map_err(failed("forwarding entries", node))? } else { Vec::new() },
        qdiscs: if qdiscs { qdisc::dump(socket).map_err(failed("qdiscs", node))? } else { Vec::new() },
        wireguard,
        settings: settings(socket, node, links, &routes, question)?,
        table: nft::observe(node, topology, question.table, question.recorded)?,
        instead_of: nft::foreign::read(question.instead_of)?,
        inserts: inserts(topology, node, question)?,
        routes,
        names,
    });
    Ok(())
}

/// What the WireGuard interfaces among `links` have; nothing is asked where there are none. One that goes meanwhile is
/// taken from the list.
fn wireguards(links: &mut Vec<link::Seen>) -> Result<HashMap<u32, wireguard::Seen>, Error> {
    let indexes: Vec<u32> =
        links.iter().filter(|link| kinds::traits(&link.kind).has_keys).map(|link| link.index).collect();
    if indexes.is_empty() {
        return Ok(HashMap::new());
    }
    let seen = wireguard::dump(indexes)?;
    links.retain(|link| !kinds::traits(&link.kind).has_keys || seen.contains_key(&link.index));
    for link in links {
        if let Some(seen) = seen.get(&link.index) {
            link.options = seen.options();
        }
    }
    Ok(seen)
}

/// The offload features of links; nothing is asked where none matters.
fn offloads(links: &mut [link::Seen], question: &Question<'_>) -> Result<(), Error> {
    if question.offload.is_empty() {
        return Ok(());
    }
    let asked = links.iter().filter_map(|link| Some((link.index, question.offload.get(&link.name)?)));
    let mut seen = features::read(asked)?;
    for link in links {
        link.offload = seen.remove(&link.index).unwrap_or_default();
    }
    Ok(())
}

fn settings(
    socket: &socket::Socket,
    node: &Node,
    links: &[link::Seen],
    routes: &[route::Seen],
    question: &Question<'_>,
) -> Result<Vec<Sysctl>, Error> {
    let mut settings = Vec::new();
    // What a setting writes besides goes back with it; in a namespace of ours all interfaces follow the one switch for
    // forwarding.
    let besides = question.settings.iter().filter(|key| question.search || key.contains("/conf/default/"));
    let names = || links.iter().map(|link| link.name.as_str());
    let mut besides: BTreeSet<String> =
        besides.flat_map(|key| [Sysctl::writes_too(key, names()), Sysctl::inherited(key, names())].concat()).collect();
    besides.extend(advertised(routes, question));
    let asked = question
        .settings
        .iter()
        .copied()
        .chain(besides.iter().map(String::as_str).filter(|key| !question.settings.contains(key)));
    // The links say it themselves: there may be thousands of them, and a file is opened for each setting.
    let forwards: HashMap<String, u32> =
        if besides.is_empty() { HashMap::new() } else { links.iter().flat_map(own_forwarding).collect() };
    for key in asked {
        if let Some(on) = forwarding(socket, key) {
            settings.push(Sysctl::new(node.clone(), key, if on { "1" } else { "0" }));
            continue;
        }
        if let Some(value) = forwards.get(key) {
            settings.push(Sysctl::new(node.clone(), key, &value.to_string()));
            continue;
        }
        settings.extend(sysctl::read_if_there(key)?.map(|value| Sysctl::new(node.clone(), key, &value)));
    }
    if !question.search {
        let astray = astray(node, links, &settings, question)?;
        settings.extend(astray);
    }
    let there = links.iter().filter(|link| question.moving.contains(&link.name));
    for (key, value) in there.flat_map(|link| sysctl::own(link.name.as_str())) {
        if !settings.iter().any(|setting| setting.key == key) {
            settings.push(Sysctl::new(node.clone(), key, &value));
        }
    }
    Ok(settings)
}

/// The setting by which an interface hears routers, for each that has routes of theirs, where it is about forwarding
/// IPv6: that costs those routes.
fn advertised(routes: &[route::Seen], question: &Question<'_>) -> BTreeSet<String> {
    /// `RTPROT_RA` of `include/uapi/linux/rtnetlink.h`.
    const ADVERTISED: u8 = 9;
    let asked = question.search
        && question.settings.iter().any(|key| key.starts_with("net/ipv6/conf/") && key.ends_with("/forwarding"));
    let theirs = routes.iter().filter(|seen| asked && seen.protocol == ADVERTISED);
    theirs
        .flat_map(|seen| &seen.route.nexthops)
        .filter_map(|hop| hop.dev.as_ref())
        .map(|dev| format!("net/ipv6/conf/{dev}/accept_ra"))
        .collect()
}

/// The settings for forwarding of a link, as far as it says them.
fn own_forwarding(link: &link::Seen) -> impl Iterator<Item = (String, u32)> {
    let families = ["ipv4", "ipv6"].into_iter().zip(link.forwards);
    families.filter_map(|(family, value)| Some((format!("net/{family}/conf/{}/forwarding", link.name), value?)))
}

/// What another program set otherwise by hand in a namespace of ours: forwarding of a link, which follows the switch of
/// the node in `settings`, and IPv6, which is on. The links say it themselves; what a new one begins with is read where
/// one will come.
fn astray(
    node: &Node,
    links: &[link::Seen],
    settings: &[Sysctl],
    question: &Question<'_>,
) -> Result<Vec<Sysctl>, Error> {
    let setting = |key: String, value: bool| Sysctl::new(node.clone(), key, if value { "1" } else { "0" });
    let switch = |key: &str| settings.iter().find(|setting| setting.key == key).map(|setting| setting.value != "0");
    let switches = Sysctl::FORWARDING.map(switch);
    let is_on = |key: &str| sysctl::read_if_there(key).map(|value| value.map(|value| value != "0"));
    let mut found = Vec::new();
    // On `lo` nothing is forwarded, and what it has is what the machine had for new links.
    for link in links.iter().filter(|link| link.kind != Kind::Loopback) {
        for (family, (now, switch)) in ["ipv4", "ipv6"].into_iter().zip(link.forwards.into_iter().zip(switches)) {
            if let (Some(now), Some(switch)) = (now.map(|now| now != 0), switch)
                && now != switch
            {
                found.push(setting(format!("net/{family}/conf/{}/forwarding", link.name), now));
            }
        }
    }
    let there = |name: &IfName, kind: &Kind| {
        links.iter().any(|seen| seen.name == *name && (seen.kind == *kind || *kind == Kind::Any))
    };
    let comes = question.links.iter().any(|(name, kind)| !there(name, kind));
    if comes {
        for (family, switch) in ["ipv4", "ipv6"].into_iter().zip(switches) {
            let key = format!("net/{family}/conf/default/forwarding");
            if let (Some(now), Some(switch)) = (is_on(&key)?, switch)
                && now != switch
            {
                found.push(setting(key, now));
            }
        }
    }
    if comes || links.iter().any(|link| link.without_ipv6) {
        let off = links.iter().filter(|link| link.without_ipv6).map(|link| link.name.as_str());
        for name in ["all", "default"] {
            let key = Sysctl::disable_ipv6(name);
            if is_on(&key)? == Some(true) {
                found.push(setting(key, true));
            }
        }
        found.extend(off.map(|name| setting(Sysctl::disable_ipv6(name), true)));
    }
    found.retain(|found| !settings.iter().any(|setting| setting.key == found.key));
    Ok(found)
}

/// Whether forwarding is on, asked over netlink: 5 µs, where the file in `/proc/sys` takes more the more namespaces
/// there are. `None` for another setting, and where there is no answer, such as without IPv6.
fn forwarding(socket: &socket::Socket, key: &str) -> Option<bool> {
    const GET_NETCONF: u16 = 82;
    // `NETCONFA_*` of `include/uapi/linux/netconf.h`.
    const IFINDEX: u16 = 1;
    const FORWARDING: u16 = 2;
    const ALL: i32 = -1;
    let family = match key {
        Sysctl::FORWARDING_V4 => libc::AF_INET,
        Sysctl::FORWARDING_V6 => libc::AF_INET6,
        _ => return None,
    };
    let mut body = Writer::new(&[u8::try_from(family).ok()?]);
    body.put(IFINDEX, &ALL.to_ne_bytes());
    let answer = socket.get(GET_NETCONF, body.bytes()).ok()?;
    // Other numbers than 0 and 1 can be written; the file says which.
    match Attributes::after(&answer.body, 1).i32(FORWARDING)? {
        0 => Some(false),
        1 => Some(true),
        _ => None,
    }
}

fn inserts(topology: &Name, node: &Node, question: &Question<'_>) -> Result<Vec<Insert>, Error> {
    let mut chains: BTreeMap<ChainRef, Option<&Insert>> =
        question.inserts.iter().map(|(chain, wanted)| ((*chain).clone(), *wanted)).collect();
    if question.by_comment {
        for (chain, _) in insert::found()?.into_iter().filter(|(_, name)| name == topology) {
            chains.entry(chain).or_insert(None);
        }
    }
    chains.iter().map(|(chain, wanted)| insert::observe(node, topology, chain, *wanted)).collect()
}

/// Which nodes the numbers in `links` stand for: asked for the host and for the nodes that are likely, until all are
/// known; then for those where an end was seen that fits.
fn nsids(
    socket: &socket::Socket,
    node: &Node,
    links: &[link::Seen],
    question: &Question<'_>,
    places: &Places,
    ends: &Ends,
) -> Result<HashMap<i32, Node>, Error> {
    let mut open: BTreeSet<i32> = links.iter().filter_map(|link| link.other_nsid).collect();
    let mut known = HashMap::new();
    let host = Node::host();
    for node in std::iter::once(&host).chain(question.near.iter().copied()) {
        if open.is_empty() {
            break;
        }
        if let Some(nsid) = nsid_of(socket, node, places)? {
            open.remove(&nsid);
            known.insert(nsid, node.clone());
        }
    }
    ends.meet(socket, node, links, &mut known, places)?;
    Ok(known)
}
