//! Which interfaces of the host a daemon made: they come again with it.

use crate::resource::{Kind, Link, LinkId, Node, NodeTenure, State};

/// The daemon that made an interface of the host, by its name and by what it is a port of.
pub(super) fn maker(state: &State, link: &Link) -> Option<&'static str> {
    if !link.id.node.is_host() {
        return None;
    }
    by_name(link).or_else(|| {
        let bridge = state.link(&link.master_id()?)?;
        let of_container = link.peer.as_ref().is_none_or(|peer| is_container(state, &peer.node));
        by_name(bridge).filter(|_| link.kind != Kind::Veth || of_container || is_hex(link.id.name.as_str(), "veth", 7))
    })
}

fn by_name(link: &Link) -> Option<&'static str> {
    let name = link.id.name.as_str();
    match link.kind {
        Kind::Bridge if name == "docker0" || name == "docker_gwbridge" || is_hex(name, "br-", 12) => Some("Docker"),
        Kind::Bridge if is_number(name, "virbr") => Some("libvirt"),
        Kind::Bridge if is_number(name, "podman") || is_number(name, "cni-podman") => Some("podman"),
        Kind::Bridge if is_number(name, "lxdbr") || is_number(name, "incusbr") || is_number(name, "lxcbr") => {
            Some("LXC")
        }
        Kind::Bridge if is_number(name, "cni") => Some("CNI"),
        Kind::Tun | Kind::Tap if is_number(name, "vnet") || name.starts_with("virbr") => Some("libvirt"),
        Kind::Vxlan if name.starts_with("flannel") => Some("flannel"),
        Kind::Tun if is_number(name, "tailscale") => Some("Tailscale"),
        Kind::Tap if name.starts_with("zt") => Some("ZeroTier"),
        Kind::Veth if is_hex(name, "cali", 11) => Some("Calico"),
        _ => None,
    }
}

pub(super) fn is_container(state: &State, node: &Node) -> bool {
    matches!(
        state.namespace(node).map(|namespace| &namespace.tenure),
        Some(NodeTenure::Existing(crate::resource::NetnsRef::Container { .. }))
    )
}

/// What the rules of daemons are known by: their interfaces, and the subnets of these.
pub(super) fn words(state: &State) -> Vec<(String, &'static str)> {
    let host = Node::host();
    let made: Vec<(&LinkId, &'static str)> =
        state.links_of(&host).filter_map(|link| Some((&link.id, maker(state, link)?))).collect();
    let subnets = made.iter().flat_map(|(id, who)| {
        state.addresses_of(id).flat_map(move |address| {
            [(address.address.trunc().to_string(), *who), (address.address.addr().to_string(), *who)]
        })
    });
    made.iter().map(|(id, who)| (id.name.to_string(), *who)).chain(subnets).collect()
}

fn is_number(name: &str, stem: &str) -> bool {
    name.strip_prefix(stem).is_some_and(|rest| !rest.is_empty() && rest.chars().all(|c| c.is_ascii_digit()))
}

fn is_hex(name: &str, stem: &str, length: usize) -> bool {
    let digit = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    name.strip_prefix(stem).is_some_and(|rest| rest.len() == length && rest.chars().all(digit))
}
