//! WireGuard interfaces and peers, over generic netlink (`include/uapi/linux/wireguard.h`).

use super::failure::Failure;
use crate::kernel::{Error, ErrorKind};
use crate::linux::netlink::attributes::{Attributes, Writer, ip, u16_at, u32_at};
use crate::linux::netlink::generic::{Answer, Family};
use crate::linux::netlink::socket::Refused;
use crate::linux::netns::context::Site;
use crate::linux::secret::{Keys, Secret};
use crate::resource::{Key, Link, LinkId, Options, Peer, PeerKey, Setting, Value};
use ipnet::IpNet;
use nix::libc;
use std::collections::{BTreeSet, HashMap};
use std::net::{IpAddr, SocketAddr, SocketAddrV4, SocketAddrV6};

const NAME: &str = "wireguard";
const VERSION: u8 = 1;
const GET_DEVICE: u8 = 0;
const SET_DEVICE: u8 = 1;

// `WGDEVICE_A_*`.
const IFINDEX: u16 = 1;
const PRIVATE_KEY: u16 = 3;
const PUBLIC_KEY: u16 = 4;
const LISTEN_PORT: u16 = 6;
const FWMARK: u16 = 7;
const PEERS: u16 = 8;

// `WGPEER_A_*`.
const PEER_PUBLIC_KEY: u16 = 1;
const PEER_PRESHARED_KEY: u16 = 2;
const PEER_FLAGS: u16 = 3;
const PEER_ENDPOINT: u16 = 4;
const PEER_KEEPALIVE: u16 = 5;
const PEER_LAST_HANDSHAKE: u16 = 6;
const PEER_ALLOWED_IPS: u16 = 9;

// `WGPEER_F_*`.
const REMOVE_ME: u32 = 1;
const REPLACE_ALLOWED_IPS: u32 = 2;

// `WGALLOWEDIP_A_*`.
const FAMILY: u16 = 1;
const ADDRESS: u16 = 2;
const LENGTH: u16 = 3;

/// So many allowed prefixes go into one request: an attribute is at most 64 KiB long, and a prefix takes up to 40
/// bytes.
const TOGETHER: usize = 1000;

/// An interface as the kernel reports it, with its secrets.
#[derive(Default)]
pub struct Seen {
    private: Option<Secret>,
    public: Option<Key>,
    listen_port: u16,
    fwmark: u32,
    peers: Vec<SeenPeer>,
}

/// A peer as the kernel reports it.
struct SeenPeer {
    key: Key,
    preshared: Option<Secret>,
    endpoint: Option<SocketAddr>,
    heard: bool,
    keepalive: u16,
    allowed_ips: BTreeSet<IpNet>,
}

/// The WireGuard interfaces with these numbers in the calling thread's namespace. One that went meanwhile is left out.
///
/// # Errors
///
/// If the kernel has no WireGuard, or refuses.
pub fn dump(indexes: impl IntoIterator<Item = u32>) -> Result<HashMap<u32, Seen>, Error> {
    let family = Family::open(NAME, VERSION)?;
    let mut seen = HashMap::new();
    for index in indexes {
        let mut body = family.message(GET_DEVICE);
        body.u32(IFINDEX, index);
        match family.dump(&body) {
            Ok(answers) => _ = seen.insert(index, parse(&answers)),
            Err(refused) if refused.errno == libc::ENODEV => {}
            Err(refused) => return Err(refused.error("read a wireguard interface")),
        }
    }
    Ok(seen)
}

/// Reads the messages about one interface. Its peers, and the prefixes of one peer, may be spread over several.
fn parse(answers: &[Answer]) -> Seen {
    let mut seen = Seen::default();
    for answer in answers {
        let attributes = answer.attributes();
        seen.private = attributes.get(PRIVATE_KEY).and_then(Secret::of).or(seen.private.take());
        seen.public = attributes.get(PUBLIC_KEY).and_then(key).or(seen.public);
        seen.listen_port = attributes.u16(LISTEN_PORT).unwrap_or(seen.listen_port);
        seen.fwmark = attributes.u32(FWMARK).unwrap_or(seen.fwmark);
        for (_, peer) in attributes.inner(PEERS) {
            let Some(peer) = parse_peer(Attributes(peer)) else { continue };
            match seen.peers.last_mut().filter(|last| last.key == peer.key) {
                Some(last) => last.allowed_ips.extend(peer.allowed_ips),
                None => seen.peers.push(peer),
            }
        }
    }
    seen
}

fn key(bytes: &[u8]) -> Option<Key> {
    <[u8; 32]>::try_from(bytes).ok().map(Key)
}

fn parse_peer(attributes: Attributes<'_>) -> Option<SeenPeer> {
    Some(SeenPeer {
        key: attributes.get(PEER_PUBLIC_KEY).and_then(key)?,
        preshared: attributes.get(PEER_PRESHARED_KEY).and_then(Secret::of),
        endpoint: attributes.get(PEER_ENDPOINT).and_then(endpoint),
        // The time of the last one, zero where there was none.
        heard: attributes.get(PEER_LAST_HANDSHAKE).is_some_and(|time| time.iter().any(|byte| *byte != 0)),
        keepalive: attributes.u16(PEER_KEEPALIVE).unwrap_or(0),
        allowed_ips: attributes
            .inner(PEER_ALLOWED_IPS)
            .filter_map(|(_, prefix)| allowed_ip(Attributes(prefix)))
            .collect(),
    })
}

fn allowed_ip(attributes: Attributes<'_>) -> Option<IpNet> {
    IpNet::new(attributes.ip(ADDRESS)?, attributes.u8(LENGTH)?).ok()
}

/// Reads a `struct sockaddr_in` or `sockaddr_in6`.
fn endpoint(bytes: &[u8]) -> Option<SocketAddr> {
    let port = u16::from_be(u16_at(bytes, 2)?);
    match i32::from(u16_at(bytes, 0)?) {
        libc::AF_INET => Some(SocketAddr::new(ip(bytes.get(4..8)?)?, port)),
        libc::AF_INET6 => {
            let IpAddr::V6(address) = ip(bytes.get(8..24)?)? else { return None };
            // What a packet was labelled with is no part of where it came from.
            Some(SocketAddrV6::new(address, port, 0, u32_at(bytes, 24)?).into())
        }
        _ => None,
    }
}

fn endpoint_bytes(address: &SocketAddr) -> Vec<u8> {
    let family = |family: i32| u16::try_from(family).unwrap_or(0).to_ne_bytes();
    let port = address.port().to_be_bytes();
    match address {
        SocketAddr::V4(v4) => [&family(libc::AF_INET)[..], &port, &SocketAddrV4::ip(v4).octets(), &[0; 8]].concat(),
        SocketAddr::V6(v6) => {
            [&family(libc::AF_INET6)[..], &port, &[0; 4], &v6.ip().octets(), &v6.scope_id().to_ne_bytes()].concat()
        }
    }
}

impl Seen {
    /// The attributes of the interface.
    pub fn options(&self) -> Options {
        let key = self.public.map_or(Value::Unset, |key| Value::word(&key.to_string()));
        let options = [
            ("public-key", key),
            ("listen-port", Value::Number(self.listen_port.into())),
            ("fwmark", Value::Number(self.fwmark.into())),
        ];
        options.into_iter().map(|(name, value)| (name.into(), value)).collect()
    }

    /// Its peers.
    pub fn peers(&self, link: &LinkId) -> Vec<Peer> {
        let peer = |seen: &SeenPeer| Peer {
            link: link.clone(),
            key: PeerKey::Public(seen.key),
            allowed_ips: seen.allowed_ips.clone(),
            endpoint: seen.endpoint.into(),
            roaming: false,
            heard: seen.heard,
            keepalive: seen.keepalive,
            preshared: seen.preshared.as_ref().map(Secret::public),
            preshared_file: None,
        };
        self.peers.iter().map(peer).collect()
    }

    /// Has `keys` keep its secrets, so that they can come back.
    pub fn keep(&self, keys: &Keys) {
        for secret in self.private.iter().chain(self.peers.iter().filter_map(|peer| peer.preshared.as_ref())) {
            keys.keep(secret.clone());
        }
    }
}

/// A request that is wiped when it was sent: there may be a key in it.
fn send(family: &Family, mut body: Writer) -> Result<(), Refused> {
    let done = family.request(&body);
    body.wipe();
    done
}

/// The public key that `options` say.
pub fn public_key(options: &Options) -> Option<Key> {
    match options.get("public-key") {
        Some(Value::Word(key)) => Key::parse(key),
        _ => None,
    }
}

/// The path of a key file that `options` say.
pub fn key_file(options: &Options) -> Option<&str> {
    match options.get("private-key-file") {
        Some(Value::Word(path)) => Some(path),
        _ => None,
    }
}

/// Gives an interface those of its attributes that are in `options`.
///
/// # Errors
///
/// If there is no such interface, a key is not to be had, or the kernel refuses.
pub fn configure(site: &Site<'_>, link: &Link, options: &Options) -> Result<(), Failure> {
    let number = |name: &str| if let Some(Value::Number(number)) = options.get(name) { Some(*number) } else { None };
    let port = number("listen-port").and_then(|port| u16::try_from(port).ok());
    let fwmark = number("fwmark").and_then(|mark| u32::try_from(mark).ok());
    if !options.contains_key("public-key") && port.is_none() && fwmark.is_none() {
        return Ok(());
    }
    let family = Family::open(NAME, VERSION)?;
    let mut body = family.message(SET_DEVICE);
    body.u32(IFINDEX, site.index(&link.id.name)?);
    if let Some(key) = public_key(options) {
        body.put(PRIVATE_KEY, site.places.keys.secret(key, key_file(&link.options))?.bytes());
    } else if options.contains_key("public-key") {
        // None, as a new interface has.
        body.put(PRIVATE_KEY, &[0; 32]);
    }
    port.map(|port| body.u16(LISTEN_PORT, port).bytes().len());
    fwmark.map(|mark| body.u32(FWMARK, mark).bytes().len());
    send(&family, body).map_err(|refused| taken(refused, port).into())
}

/// A port that another program has, in words.
fn taken(refused: Refused, port: Option<u16>) -> Refused {
    match (refused.errno, port) {
        (libc::EADDRINUSE, Some(port)) => {
            Refused { text: Some(format!("another socket has UDP port {port} there")), ..refused }
        }
        _ => refused,
    }
}

/// Makes a peer.
///
/// # Errors
///
/// If there is no such interface, its preshared key is not to be had, or the kernel refuses.
pub fn create_peer(site: &Site<'_>, peer: &Peer) -> Result<(), Failure> {
    write_peer(site, None, peer)
}

/// Changes a peer where it stands; only what differs is sent.
///
/// # Errors
///
/// If there is no such peer, its preshared key is not to be had, or the kernel refuses.
pub fn update_peer(site: &Site<'_>, before: &Peer, after: &Peer) -> Result<(), Failure> {
    write_peer(site, Some(before), after)
}

fn write_peer(site: &Site<'_>, before: Option<&Peer>, peer: &Peer) -> Result<(), Failure> {
    let PeerKey::Public(key) = &peer.key else { return Err(unread(peer).into()) };
    let index = site.index(&peer.link.name)?;
    let preshared = match peer.preshared {
        // A new peer has none, and one that loses it gets the kernel's "none".
        None => before.and_then(|before| before.preshared).map(|_| [0; 32]),
        Some(wanted) if before.is_some_and(|before| before.preshared == Some(wanted)) => None,
        Some(wanted) => Some(*site.places.keys.secret(wanted, peer.preshared_file.as_deref())?.bytes()),
    };
    let mut preshared = preshared.map(zeroize::Zeroizing::new);
    let family = Family::open(NAME, VERSION)?;
    let prefixes: Vec<&IpNet> = peer.allowed_ips.iter().collect();
    let mut chunks = prefixes.chunks(TOGETHER);
    let mut flags = REPLACE_ALLOWED_IPS;
    loop {
        let prefixes = chunks.next().unwrap_or_default();
        let mut body = family.message(SET_DEVICE);
        body.u32(IFINDEX, index).nest(PEERS, |peers| {
            peers.nest(0, |body| {
                body.put(PEER_PUBLIC_KEY, &key.0).u32(PEER_FLAGS, flags);
                if let Some(preshared) = preshared.take() {
                    body.put(PEER_PRESHARED_KEY, preshared.as_slice());
                }
                if flags != 0 {
                    settings(before, peer, body);
                }
                allowed_ips(prefixes, body);
            });
        });
        send(&family, body)?;
        flags = 0;
        if chunks.len() == 0 {
            return Ok(());
        }
    }
}

/// Endpoint and keepalive, where they differ.
fn settings(before: Option<&Peer>, peer: &Peer, body: &mut Writer) {
    let follows = peer.roaming && before.is_some_and(|before| before.heard);
    if let (Setting::Is(address), false) = (&peer.endpoint, follows)
        && before.is_none_or(|before| before.endpoint != peer.endpoint)
    {
        body.put(PEER_ENDPOINT, &endpoint_bytes(address));
    }
    if before.map_or(0, |before| before.keepalive) != peer.keepalive {
        body.u16(PEER_KEEPALIVE, peer.keepalive);
    }
}

fn allowed_ips(prefixes: &[&IpNet], body: &mut Writer) {
    body.nest(PEER_ALLOWED_IPS, |list| {
        for prefix in prefixes {
            let family = if prefix.addr().is_ipv4() { libc::AF_INET } else { libc::AF_INET6 };
            list.nest(0, |entry| {
                entry
                    .u16(FAMILY, u16::try_from(family).unwrap_or(0))
                    .ip(ADDRESS, prefix.addr())
                    .u8(LENGTH, prefix.prefix_len());
            });
        }
    });
}

/// Removes a peer.
///
/// # Errors
///
/// If there is no such interface, or the kernel refuses.
pub fn delete_peer(site: &Site<'_>, peer: &Peer) -> Result<(), Failure> {
    let PeerKey::Public(key) = &peer.key else { return Err(unread(peer).into()) };
    let family = Family::open(NAME, VERSION)?;
    let mut body = family.message(SET_DEVICE);
    body.u32(IFINDEX, site.index(&peer.link.name)?).nest(PEERS, |peers| {
        peers.nest(0, |body| _ = body.put(PEER_PUBLIC_KEY, &key.0).u32(PEER_FLAGS, REMOVE_ME));
    });
    Ok(send(&family, body)?)
}

fn unread(peer: &Peer) -> Error {
    Error::new(ErrorKind::Refused, "set a peer", format!("the key file of {} was not read", peer.key)).about(peer.id())
}

#[cfg(test)]
#[path = "wireguard/tests.rs"]
mod tests;
