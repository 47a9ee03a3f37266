//! The files that keys of WireGuard go into.

use super::wish::KeyFile;
use crate::resource::{Key, Link, Options, Peer, Value};

/// Names the file with the private key of an interface.
pub(super) fn private_key(link: &mut Link, folder: &str, keys: &mut Vec<KeyFile>) {
    let Some(Value::Word(public)) = link.options.get("public-key") else { return };
    let Some(key) = Key::parse(public) else { return };
    let name = format!("{}-{}.key", link.id.node, link.id.name);
    let path = Value::word(&format!("{folder}/{name}"));
    keys.push(KeyFile { name, key });
    let options: &mut Options = &mut link.options;
    options.insert("private-key-file".into(), path);
}

/// Names the file with the key that an interface shares with a peer, the `nth` of its peers.
pub(super) fn preshared_key(peer: &mut Peer, nth: usize, folder: &str, keys: &mut Vec<KeyFile>) {
    let Some(key) = peer.preshared else { return };
    let name = format!("{}-{}-{nth}.psk", peer.link.node, peer.link.name);
    peer.preshared_file = Some(format!("{folder}/{name}"));
    keys.push(KeyFile { name, key });
}
