//! WireGuard interfaces as the language has them.

use super::tree::Yaml;
use crate::resource::{Link, Peer, PeerKey, Resource, State, Value};

/// Stands where nothing knows which file a key came from.
const UNKNOWN: &str = "unknown.key";

/// What a file says of an interface and its peers.
pub(super) fn interface(state: &State, link: &Link) -> Yaml {
    let mut map = Yaml::map().with("private-key-file", file(link.options.get("private-key-file")));
    let number = |key: &str| {
        if let Some(Value::Number(number)) = link.options.get(key) {
            Some(*number).filter(|number| *number != 0)
        } else {
            None
        }
    };
    map.put_some("listen-port", number("listen-port").as_ref());
    map.put_some("fwmark", number("fwmark").map(|mark| format!("{mark:#x}")).as_ref());
    map.put_some("transport", Some(link.transport()).filter(|node| *node != link.id.node).as_ref());
    map.put_list("peers", state.peers_of(&link.id).map(peer).collect());
    map
}

fn file(value: Option<&Value>) -> Yaml {
    match value {
        Some(Value::Word(path)) => Yaml::of(path),
        _ => Yaml::of(&UNKNOWN),
    }
}

fn peer(peer: &Peer) -> Yaml {
    let mut map = Yaml::map()
        .with(if matches!(peer.key, PeerKey::Public(_)) { "public-key" } else { "interface" }, Yaml::of(&peer.key));
    map.put_list("allowed-ips", peer.allowed_ips.iter().map(Yaml::of).collect());
    map.put_some("endpoint", peer.endpoint.get());
    if peer.preshared.is_some() || peer.preshared_file.is_some() {
        map.put("preshared-key-file", peer.preshared_file.as_ref().map_or_else(|| Yaml::of(&UNKNOWN), Yaml::of));
    }
    if peer.keepalive != 0 {
        map.put("keepalive", Yaml::Text(format!("{}s", peer.keepalive)));
    }
    map
}

/// What to say above a file with keys of which nothing knows the files.
pub(super) fn remarks(state: &State) -> String {
    let unknown = |resource: &Resource| match resource {
        Resource::Link(link)
            if crate::resource::kinds::traits(&link.kind).has_keys
                && !link.options.contains_key("private-key-file") =>
        {
            Some(link.id.to_string())
        }
        Resource::Peer(peer) if peer.preshared.is_some() && peer.preshared_file.is_none() => {
            Some(format!("the peer {} of {}", peer.key, peer.link))
        }
        _ => None,
    };
    let ours = state.items.values().filter(|item| !matches!(item.owner, crate::resource::Owner::Theirs(_)));
    ours.filter_map(|item| unknown(&item.resource))
        .map(|what| {
            format!("# which file has the key of {what} is not known: write its path in the place of {UNKNOWN}\n")
        })
        .collect()
}
