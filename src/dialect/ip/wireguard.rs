//! WireGuard in `wg` words. Keys are named by their files.

use super::words::Words;
use crate::resource::{Link, Options, Peer, PeerKey, Value, quote};

/// What stands where nothing knows the file of a key.
const NO_FILE: &str = "/path/to/key";

impl Words {
    /// `wg set` of an interface, for those of its attributes that are in `options`; nothing where none is.
    pub(super) fn wireguard(&self, link: &Link, options: &Options) -> Option<String> {
        let mut words = Vec::new();
        if let Some(Value::Number(port)) = options.get("listen-port") {
            words.push(format!("listen-port {port}"));
        }
        match options.get("fwmark") {
            Some(Value::Number(0)) => words.push("fwmark off".to_owned()),
            Some(Value::Number(mark)) => words.push(format!("fwmark {mark:#x}")),
            _ => {}
        }
        match (options.get("public-key"), link.options.get("private-key-file")) {
            (None, _) => {}
            (Some(Value::Unset), _) => words.push("private-key /dev/null".to_owned()),
            (Some(_), Some(Value::Word(path))) => words.push(format!("private-key {}", quote(path))),
            (Some(_), _) => words.push(format!("private-key {NO_FILE}")),
        }
        (!words.is_empty()).then(|| {
            format!("{}wg set {} {}", self.inside(&link.id.node), quote(link.id.name.as_str()), words.join(" "))
        })
    }

    /// `wg set` of a peer.
    pub(super) fn peer(&self, before: Option<&Peer>, peer: &Peer) -> String {
        let mut words = vec![self.set_peer(peer)];
        if peer.preshared != before.and_then(|before| before.preshared) {
            let file = peer.preshared_file.as_deref().unwrap_or(NO_FILE);
            words.push(format!(
                "preshared-key {}",
                if peer.preshared.is_some() { quote(file) } else { "/dev/null".to_owned() }
            ));
        }
        if let Some(endpoint) =
            peer.endpoint.get().filter(|_| before.is_none_or(|before| before.endpoint != peer.endpoint))
        {
            words.push(format!("endpoint {endpoint}"));
        }
        if before.map_or(0, |before| before.keepalive) != peer.keepalive {
            words.push(format!("persistent-keepalive {}", peer.keepalive));
        }
        if before.is_none_or(|before| before.allowed_ips != peer.allowed_ips) {
            let prefixes: Vec<String> = peer.allowed_ips.iter().map(ToString::to_string).collect();
            words.push(format!("allowed-ips {}", quote(&prefixes.join(","))));
        }
        words.join(" ")
    }

    pub(super) fn remove_peer(&self, peer: &Peer) -> String {
        format!("{} remove", self.set_peer(peer))
    }

    fn set_peer(&self, peer: &Peer) -> String {
        let key = match &peer.key {
            PeerKey::Public(key) => key.to_string(),
            PeerKey::Of(link) => link.to_string(),
        };
        format!("{}wg set {} peer {}", self.inside(&peer.link.node), quote(peer.link.name.as_str()), quote(&key))
    }
}
