//! From the key files that a file names to public keys: what the rest of topo knows of them.

use crate::kernel::{Error, ErrorKind};
use crate::linux::object::link::wireguard;
use crate::linux::secret;
use crate::linux::secret::{FileKey, Keys};
use crate::resource::{Item, Key, LinkId, Operation, Owner, Peer, PeerKey, Resource, ResourceId, State, Value, kinds};
use std::collections::{HashMap, HashSet};

/// Reads the key files that `wanted` names, and puts public keys into it. Paths become absolute: a plan may be carried
/// out from another folder.
///
/// # Errors
///
/// If a file cannot be read or holds no key.
pub fn resolve_keys(wanted: &mut State, keys: &Keys, warnings: &mut Vec<String>) -> Result<(), Error> {
    let mut files = Files { keys, warnings };
    let mut public: HashMap<LinkId, Key> = HashMap::new();
    let links = wanted.items.values_mut().filter(|item| item.owner == Owner::Ours);
    for item in links {
        let Resource::Link(link) = &mut item.resource else { continue };
        let Some(path) =
            wireguard::key_file(&link.options).map(str::to_owned).filter(|_| kinds::traits(&link.kind).has_keys)
        else {
            continue;
        };
        let about = |error: Error| error.about(link.id());
        let (path, key) = files.read(&path, wireguard::public_key(&link.options)).map_err(about)?;
        public.insert(link.id.clone(), key);
        link.options.insert("private-key-file".into(), Value::word(&path));
        link.options.insert("public-key".into(), Value::word(&key.to_string()));
    }
    let peers: Vec<ResourceId> = wanted.items.keys().filter(|id| matches!(id, ResourceId::Peer(..))).cloned().collect();
    for id in peers {
        let Some(Item { resource: Resource::Peer(peer), owner }) = wanted.items.remove(&id) else { continue };
        let peer = files
            .peer(*peer, &public)
            .map_err(|error| if error.id.is_some() { error } else { error.about(id.clone()) })?;
        if wanted.get(&peer.id()).is_some() {
            return Err(Error::new(
                ErrorKind::Taken,
                format!("add the peer {id}"),
                format!("{} has another peer with the same key, {}", peer.link, peer.key),
            )
            .help("a peer is listed once, with all that it may send")
            .about(id));
        }
        wanted.insert(Resource::Peer(Box::new(peer)), owner);
    }
    Ok(())
}

struct Files<'a> {
    keys: &'a Keys,
    warnings: &'a mut Vec<String>,
}

impl Files<'_> {
    /// Reads a key file: where it is, and its public key, which has to be `before` where that is known.
    fn read(&mut self, path: &str, before: Option<Key>) -> Result<(String, Key), Error> {
        let tried = || format!("read the key in {path:?}");
        let absolute = std::path::absolute(path).map_err(|e| Error::io(tried(), &e))?.to_string_lossy().into_owned();
        let FileKey { secret, exposed } = secret::read(&absolute)?;
        let key = self.keys.keep(secret);
        if let Some(before) = before.filter(|before| *before != key) {
            let reason = format!("it was that of {before} when the plan was made, and is that of {key}");
            return Err(Error::new(ErrorKind::File, tried(), reason).help("make the plan again"));
        }
        let warning = format!(
            "others can read the key in {absolute:?}; keep it to yourself: chmod 600 {}",
            crate::resource::quote(&absolute)
        );
        if exposed && !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
        Ok((absolute, key))
    }

    fn peer(&mut self, mut peer: Peer, public: &HashMap<LinkId, Key>) -> Result<Peer, Error> {
        let key = match &peer.key {
            PeerKey::Public(key) => *key,
            PeerKey::Of(link) => *public.get(link).ok_or_else(|| {
                Error::new(ErrorKind::File, format!("find the key of {link}"), "its key file was not read")
            })?,
        };
        if public.get(&peer.link) == Some(&key) {
            let error = Error::new(
                ErrorKind::Refused,
                format!("add the peer {}", peer.key),
                format!("that is the key of {} itself", peer.link),
            );
            return Err(
                error.help("each interface has a private key of its own, and lists the public keys of the others")
            );
        }
        peer.key = PeerKey::Public(key);
        if let Some(path) = &peer.preshared_file {
            let (path, fingerprint) = self.read(path, peer.preshared)?;
            (peer.preshared_file, peer.preshared) = (Some(path), Some(fingerprint));
        }
        Ok(peer)
    }
}

/// Whether another program has the keys that `operations` need: what is found out before anything is changed need not
/// be undone.
///
/// # Errors
///
/// If a key is neither in the kernel nor in a file.
pub fn check_keys<'a>(operations: impl IntoIterator<Item = &'a Operation>, keys: &Keys) -> Result<(), Error> {
    for operation in operations {
        let (before, after) = match operation {
            Operation::Create(after) => (None, after),
            Operation::Update { before, after } => (Some(before), after),
            _ => continue,
        };
        let needed = match (before, after) {
            (Some(Resource::Link(before)), Resource::Link(after))
                if before.options.get("public-key") == after.options.get("public-key") =>
            {
                None
            }
            (_, Resource::Link(link)) => {
                wireguard::public_key(&link.options).map(|key| (key, wireguard::key_file(&link.options)))
            }
            (Some(Resource::Peer(before)), Resource::Peer(after)) if before.preshared == after.preshared => None,
            (_, Resource::Peer(peer)) => peer.preshared.map(|key| (key, peer.preshared_file.as_deref())),
            _ => None,
        };
        if let Some((key, file)) = needed {
            keys.secret(key, file).map_err(|error| error.about(operation.id()))?;
        }
    }
    Ok(())
}

/// Whether another process than this could go from `after` back to `before`: it finds the keys that the kernel still
/// has by then, and those in files.
///
/// # Errors
///
/// If a key that the way back needs is in no file.
pub fn check_way_back(before: &State, after: &State) -> Result<(), Error> {
    let kept: HashSet<Key> =
        after.items.values().filter_map(|item| key_of(&item.resource)).map(|(key, _)| key).collect();
    let ours = before.items.values().filter(|item| item.owner == Owner::Ours);
    for resource in ours.map(|item| &item.resource) {
        let Some((key, file)) = key_of(resource).filter(|(key, _)| !kept.contains(key)) else { continue };
        Keys::default().secret(key, file).map_err(|error| {
            let help = "an unconfirmed change is undone with the old key, which has to be in its file: write the new key to another file, and name that";
            error.help(help).about(resource.id())
        })?;
    }
    Ok(())
}

/// The key that a resource has, and the file that it came from.
fn key_of(resource: &Resource) -> Option<(Key, Option<&str>)> {
    match resource {
        Resource::Link(link) if kinds::traits(&link.kind).has_keys => {
            wireguard::public_key(&link.options).map(|key| (key, wireguard::key_file(&link.options)))
        }
        Resource::Peer(peer) => peer.preshared.map(|key| (key, peer.preshared_file.as_deref())),
        _ => None,
    }
}
