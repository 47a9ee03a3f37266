//! Peers of WireGuard interfaces.

use super::id::PeerKey;
use super::{Drift, Key, LinkId, Need, ResourceId, Setting};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::net::SocketAddr;

/// A peer of a WireGuard interface (`wg set … peer`).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Peer {
    /// The interface.
    pub link: LinkId,
    /// Who it is.
    pub key: PeerKey,
    /// What it may send, and what is sent to it. An address is one peer's only: giving it to another takes it away.
    pub allowed_ips: BTreeSet<IpNet>,
    /// Where it is. Left to the kernel, which follows it when it moves, unless the file says it.
    pub endpoint: Setting<SocketAddr>,
    /// Whether it may be somewhere else once it was heard from there: the kernel follows it, and so does the plan. (Of
    /// one whose endpoint in the file is a new one, it may not.)
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub roaming: bool,
    /// Whether it was heard from: there was a handshake since it was made.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub heard: bool,
    /// Every so many seconds something is sent; 0 for never.
    pub keepalive: u16,
    /// The key that both know, by a fingerprint: the public key that it would have if it were a private one. `None`
    /// where there is none.
    pub preshared: Option<Key>,
    /// The file with that key, where it is known. Not compared.
    pub preshared_file: Option<String>,
}

impl Peer {
    /// Its identity.
    pub fn id(&self) -> ResourceId {
        ResourceId::Peer(self.link.clone(), self.key.clone())
    }

    /// Its link.
    pub fn requires(&self) -> Vec<Need> {
        vec![Need::inside(ResourceId::Link(self.link.clone()))]
    }

    /// The fields in which `self` (wanted) differs from `observed`.
    pub fn drift(&self, observed: &Self) -> Vec<Drift> {
        let Self { link: _, key: _, allowed_ips, endpoint, roaming, heard: _, keepalive, preshared, preshared_file: _ } =
            self;
        let mut drift = Vec::new();
        if *allowed_ips != observed.allowed_ips {
            drift.push(Drift::in_place("allowed-ips", list(&observed.allowed_ips), list(allowed_ips)));
        }
        if !(*roaming && observed.heard) {
            Drift::setting(&mut drift, "endpoint", endpoint, &observed.endpoint, super::Impact::InPlace);
            if endpoint.get().is_some() && observed.endpoint == Setting::Left {
                drift.push(Drift::in_place("endpoint", "none", self.endpoint_text()));
            }
        }
        if *keepalive != observed.keepalive {
            drift.push(Drift::in_place("keepalive", often(observed.keepalive), often(*keepalive)));
        }
        if *preshared != observed.preshared {
            drift.push(Drift::in_place("preshared-key", fingerprint(observed.preshared), fingerprint(*preshared)));
        }
        drift
    }

    fn endpoint_text(&self) -> String {
        self.endpoint.get().map(SocketAddr::to_string).unwrap_or_default()
    }

    /// What there is to say about it, field by field; what is usual is left out.
    pub fn fields(&self) -> Vec<(&'static str, String)> {
        let mut fields = vec![("allowed-ips", list(&self.allowed_ips))];
        if self.endpoint.get().is_some() {
            fields.push(("endpoint", self.endpoint_text()));
        }
        if self.keepalive != 0 {
            fields.push(("keepalive", often(self.keepalive)));
        }
        if self.preshared.is_some() {
            fields.push(("preshared-key", fingerprint(self.preshared)));
        }
        fields
    }
}

fn list(prefixes: &BTreeSet<IpNet>) -> String {
    if prefixes.is_empty() {
        "none".to_owned()
    } else {
        prefixes.iter().map(IpNet::to_string).collect::<Vec<_>>().join(", ")
    }
}

fn often(seconds: u16) -> String {
    if seconds == 0 { "off".to_owned() } else { format!("{seconds}s") }
}

/// Enough of a fingerprint to tell one from another.
fn fingerprint(key: Option<Key>) -> String {
    key.map_or("none".to_owned(), |key| {
        format!("set, fingerprint {}", key.to_string().chars().take(8).collect::<String>())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer() -> Peer {
        Peer {
            link: LinkId::new("A", "wg0"),
            key: PeerKey::Public(Key([1; 32])),
            allowed_ips: ["10.9.0.2/32".parse().unwrap()].into(),
            endpoint: Setting::Is("192.0.2.1:51820".parse().unwrap()),
            roaming: false,
            heard: false,
            keepalive: 25,
            preshared: Some(Key([2; 32])),
            preshared_file: Some("ab.psk".to_owned()),
        }
    }

    #[test]
    fn every_field_that_differs_is_named() {
        let other = Peer {
            allowed_ips: BTreeSet::new(),
            endpoint: Setting::Left,
            keepalive: 0,
            preshared: None,
            preshared_file: None,
            ..peer()
        };
        let fields = |drift: Vec<Drift>| drift.into_iter().map(|drift| drift.field).collect::<Vec<_>>();
        assert_eq!(fields(peer().drift(&other)), ["allowed-ips", "endpoint", "keepalive", "preshared-key"]);
        // An endpoint that is not written is the kernel's.
        assert_eq!(fields(other.drift(&peer())), ["allowed-ips", "keepalive", "preshared-key"]);
        assert!(peer().drift(&Peer { preshared_file: None, ..peer() }).is_empty());
        // One that roams is where it was last heard from, but not before it was heard.
        let elsewhere = |heard| Peer { endpoint: Setting::Is("192.0.2.1:40001".parse().unwrap()), heard, ..peer() };
        let roaming = Peer { roaming: true, ..peer() };
        assert!(roaming.drift(&elsewhere(true)).is_empty());
        assert_eq!(fields(roaming.drift(&elsewhere(false))), ["endpoint"]);
        assert_eq!(fields(peer().drift(&elsewhere(true))), ["endpoint"]);
    }
}
