//! Rules about WireGuard tunnels. What follows from the keys themselves is found when their files are read.

use super::rule::{Found, Rule};
use super::view::View;
use crate::document::Finding;
use crate::resource::{Link, Node, Peer, PeerKey, ResourceId, Value, kinds};
use ipnet::IpNet;
use std::collections::BTreeMap;

/// All of them.
pub(super) const RULES: &[Rule] = &[peer_twice, allowed_twice, port_twice, one_key_twice, nobody_calls];

fn tunnels<'a>(view: &View<'a>) -> Vec<&'a Link> {
    view.in_file_order().filter(|link| kinds::traits(&link.kind).has_keys).collect()
}

fn peers<'a>(view: &View<'a>, link: &'a Link) -> impl Iterator<Item = &'a Peer> {
    view.peers.get(&link.id).into_iter().flatten().copied()
}

fn port(link: &Link) -> Option<u64> {
    match link.options.get("listen-port") {
        Some(Value::Number(port)) => Some(*port),
        _ => None,
    }
}

fn key_file(link: &Link) -> Option<&str> {
    match link.options.get("private-key-file") {
        Some(Value::Word(path)) => Some(path),
        _ => None,
    }
}

/// A peer that is listed twice: the second would be the first, with other settings.
fn peer_twice(view: &View<'_>, findings: &mut Found) {
    for link in tunnels(view) {
        let Some(written) = view.wireguard(&link.id) else { continue };
        let mut seen = BTreeMap::new();
        for peer in &written.peers {
            let (what, place) = match (&peer.public_key, &peer.interface) {
                (Some(key), None) => (key.0.clone(), key.place),
                (None, Some(interface)) => {
                    let node = interface.node.as_ref().unwrap_or(&link.id.node);
                    (format!("{node}/{}", interface.name), interface.place)
                }
                _ => continue,
            };
            let Some(first) = seen.insert(what.clone(), place) else { continue };
            let name = if peer.interface.is_some() { format!("\"{what}\"") } else { "this public key".to_owned() };
            let finding = Finding::error("peer-twice", place, format!("{name} is a peer of \"{}\" already", link.id))
                .also(first, "listed here");
            findings.push(finding.help("list it once, with everything that it may send in `allowed-ips`"));
        }
    }
}

/// A prefix that two peers of one interface are allowed: the kernel gives it to the last one alone
/// (`wg_allowedips_insert_v4`).
fn allowed_twice(view: &View<'_>, findings: &mut Found) {
    for link in tunnels(view) {
        let mut seen: BTreeMap<IpNet, &Peer> = BTreeMap::new();
        let mut all: Vec<&Peer> = peers(view, link).collect();
        all.sort_by_key(|peer| view.place(&peer.id()));
        for peer in all {
            for prefix in &peer.allowed_ips {
                let Some(first) = seen.insert(*prefix, peer) else { continue };
                let message = format!("{prefix} is allowed to two peers of \"{}\", and only one can have it", link.id);
                let finding = Finding::error("allowed-ips-twice", view.place(&peer.id()), message)
                    .also(view.place(&first.id()), "the other peer");
                findings.push(finding.help("give each peer what is behind it; the longest prefix that fits an address decides who gets a packet"));
            }
        }
    }
}

/// Two interfaces that listen on one port of the namespace that their packets leave from.
fn port_twice(view: &View<'_>, findings: &mut Found) {
    let mut seen: BTreeMap<(Node, u64), &Link> = BTreeMap::new();
    for link in tunnels(view) {
        let Some(port) = port(link) else { continue };
        let transport = link.transport();
        let first = *seen.entry((transport.clone(), port)).or_insert(link);
        if first.id == link.id {
            continue;
        }
        let place = view
            .wireguard(&link.id)
            .and_then(|written| written.listen_port.as_ref())
            .map_or_else(|| view.link_place(&link.id), |port| port.place);
        let message = format!("\"{}\" listens on port {port} in \"{transport}\", as \"{}\" does", link.id, first.id);
        let finding =
            Finding::error("listen-port-twice", place, message).also(view.link_place(&first.id), "first used here");
        findings.push(finding.help("give one of them another `listen-port`, or another `transport`"));
    }
}

/// Two interfaces with one private key: to everybody else they are one.
fn one_key_twice(view: &View<'_>, findings: &mut Found) {
    let mut seen: BTreeMap<&str, &Link> = BTreeMap::new();
    for link in tunnels(view) {
        let Some(file) = key_file(link) else { continue };
        let first = *seen.entry(file).or_insert(link);
        if first.id == link.id {
            continue;
        }
        let place = view
            .wireguard(&link.id)
            .map_or_else(|| view.link_place(&link.id), |written| written.private_key_file.place);
        let message =
            format!("\"{}\" has the same key file as \"{}\": peers cannot distinguish the two", link.id, first.id);
        let finding =
            Finding::warning("one-key-twice", place, message).also(view.link_place(&first.id), "first used here");
        findings.push(finding.help("make a key for each interface: wg genkey"));
    }
}

/// Two interfaces of the file that are each other's peers, of which neither says where the other is: no packet ever
/// leaves.
fn nobody_calls(view: &View<'_>, findings: &mut Found) {
    for link in tunnels(view) {
        for peer in peers(view, link).filter(|peer| peer.endpoint.get().is_none()) {
            let PeerKey::Of(other) = &peer.key else { continue };
            let back = ResourceId::Peer(other.clone(), PeerKey::Of(link.id.clone()));
            let Some(crate::resource::Resource::Peer(back)) = view.topology.state.get(&back) else { continue };
            if back.endpoint.get().is_some() || link.id > *other {
                continue;
            }
            let message =
                format!("neither \"{}\" nor \"{other}\" says where the other is: no packet will ever leave", link.id);
            let finding = Finding::warning("no-endpoint", view.place(&peer.id()), message)
                .also(view.place(&back.id()), "the other peer");
            findings.push(finding.help("write an `endpoint` for at least one of them"));
        }
    }
}
