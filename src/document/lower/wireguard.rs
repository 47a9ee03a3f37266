//! WireGuard interfaces and their peers. Key files are named here and read by the kernel door.

use super::context::Lowering;
use super::node::At;
use crate::document::schema::interface::KindKey;
use crate::document::schema::kind::{Endpoint, KeyFile, Peer as Written, Wireguard};
use crate::document::value::Seconds;
use crate::document::yaml::tree::quoted;
use crate::document::{Finding, Loc};
use crate::resource::{Key, Kind, Link, LinkId, Node, Owner, Peer, PeerKey, Resource, Value};
use std::net::{IpAddr, SocketAddr};
use std::path::Path;

impl<'d> Lowering<'d> {
    /// A WireGuard interface with what is written; its peers are resources of their own.
    pub fn wireguard(&mut self, at: &At<'d>, id: LinkId, wireguard: &Wireguard, path: &str) -> Link {
        let mut link = Link::bare(id, Kind::Wireguard);
        let options = &mut link.options;
        options.insert("private-key-file".into(), Value::word(&self.key_file(&wireguard.private_key_file)));
        if let Some(port) = &wireguard.listen_port {
            options.insert("listen-port".into(), Value::Number(port.0));
        }
        if let Some(mark) = &wireguard.fwmark {
            options.insert("fwmark".into(), Value::Number(mark.value.value.into()));
            if mark.mask != u32::MAX {
                let finding = Finding::error(
                    "bad-mark",
                    mark.place,
                    "what a wireguard interface sends is marked whole, without a mask",
                );
                self.note(finding.help(format!("write {:#x}", mark.value.value)));
            }
        }
        let transport =
            wireguard.transport.as_ref().map_or_else(|| at.node.clone(), |node| self.transport(&node.0, node));
        options.insert("transport".into(), Value::word(&transport.code()));
        for (nth, peer) in wireguard.peers.iter().enumerate() {
            if let Some(resource) = self.peer(at, &link.id, peer) {
                self.put(
                    Resource::Peer(Box::new(resource)),
                    Owner::Ours,
                    peer.place,
                    format!("{path}.wireguard.peers[{nth}]"),
                );
            }
        }
        link
    }

    /// The node of that name, if there is one; a finding else.
    fn transport<T>(&mut self, node: &Node, written: &Loc<T>) -> Node {
        if !node.is_host() && !self.document.namespaces.contains_key(node.as_str()) {
            let names: Vec<&str> = self.document.namespaces.keys().map(|name| name.0.short()).collect();
            let finding = super::node::unknown_node(node, written.place, &names);
            self.note(finding);
        }
        node.clone()
    }

    /// The path of a key file: a relative one is relative to the YAML file.
    fn key_file(&self, file: &KeyFile) -> String {
        let folder = Path::new(&self.source.name).parent().filter(|_| self.source.name != "-").unwrap_or(Path::new(""));
        folder.join(&file.0).to_string_lossy().into_owned()
    }

    fn peer(&mut self, at: &At<'d>, link: &LinkId, peer: &Written) -> Option<Peer> {
        let key = self.peer_key(at, link, peer)?;
        let mut allowed_ips = std::collections::BTreeSet::new();
        for prefix in peer.allowed_ips.iter() {
            if !allowed_ips.insert(prefix.0) {
                self.note(Finding::error(
                    "duplicate-entry",
                    prefix.place,
                    format!("{} is in the list already", prefix.0),
                ));
            }
        }
        let endpoint = peer.endpoint.as_ref().and_then(|endpoint| self.endpoint(endpoint));
        let keepalive = peer.keepalive.as_ref().and_then(|keepalive| self.keepalive(keepalive)).unwrap_or(0);
        let preshared_file = peer.preshared_key_file.as_ref().map(|file| self.key_file(file));
        let roaming = peer.roaming.as_ref().is_none_or(|roaming| roaming.value);
        let endpoint = endpoint.into();
        Some(Peer {
            link: link.clone(),
            key,
            allowed_ips,
            endpoint,
            roaming,
            heard: false,
            keepalive,
            preshared: None,
            preshared_file,
        })
    }

    /// By what a peer is known.
    fn peer_key(&mut self, at: &At<'d>, link: &LinkId, peer: &Written) -> Option<PeerKey> {
        match (&peer.public_key, &peer.interface) {
            (Some(key), Some(_)) => self.note(Finding::error(
                "several-kinds",
                key.place,
                "a peer has either a `public-key` or an `interface`",
            )),
            (None, None) => {
                self.note(Finding::error("missing-key", peer.place, "a peer needs a `public-key` or an `interface`"))
            }
            (Some(key), None) => return Key::parse(&key.0).map(PeerKey::Public),
            (None, Some(interface)) => {
                let id = self.resolve(at, interface)?;
                if id == *link {
                    let finding = Finding::error(
                        "own-peer",
                        interface.place,
                        format!("{} cannot be a peer of its own", quoted(&id.to_string())),
                    );
                    self.note(finding.help("name the interface at the other end"));
                    return None;
                }
                if matches!(self.index.kind(&id), Some(KindKey::Wireguard(_))) {
                    return Some(PeerKey::Of(id));
                }
                self.note(Finding::error(
                    "bad-reference",
                    interface.place,
                    format!("{} is not a wireguard interface", quoted(&id.to_string())),
                ));
            }
        }
        None
    }

    /// An address and a port. A name could mean another machine at every apply, which no plan could show.
    fn endpoint(&mut self, endpoint: &Loc<Endpoint>) -> Option<SocketAddr> {
        if let Ok(address) = endpoint.host.parse::<IpAddr>() {
            return Some(SocketAddr::new(address, endpoint.port));
        }
        let message = format!("{} is a name, and the endpoint of a peer is an address", quoted(&endpoint.host));
        let help = format!(
            "look it up and write the address (`getent ahosts {}`): a name may mean another machine at every apply, and no plan could show it",
            endpoint.host
        );
        self.note(Finding::error("endpoint-name", endpoint.place, message).help(help));
        None
    }

    fn keepalive(&mut self, keepalive: &Loc<Seconds>) -> Option<u16> {
        let seconds = keepalive.seconds().and_then(|seconds| u16::try_from(seconds).ok());
        if seconds.is_none() {
            self.note(Finding::error(
                "bad-duration",
                keepalive.place,
                "`keepalive` is counted in whole seconds, at most 65535s",
            ));
        }
        seconds
    }
}
