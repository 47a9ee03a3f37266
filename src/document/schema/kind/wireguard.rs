//! WireGuard. Keys are in files, never here.

use crate::document::Loc;
use crate::document::value::{InterfaceRef, Mark, NamespaceName, Prefix};
use crate::document::yaml::define::record;
use crate::document::yaml::names::Names;
use crate::document::yaml::read::Many;
use crate::document::yaml::word::{Number, Word, Wrong, whole};
use schemars::{Schema, json_schema};

record! {
    /// A WireGuard tunnel.
    Wireguard as "a wireguard interface" {
        /// The file with its private key, as `wg genkey` writes it; a relative path is relative to the YAML file.
        /// Example: `keys/a.key`
        "private-key-file" private_key_file: Loc<KeyFile>,
        /// The UDP port it listens on; by default the kernel chooses one. Example: `51820`
        "listen-port" listen_port: Option<Loc<Number<1, 65535>>>,
        /// The firewall mark of outgoing packets. Example: `0x20`
        "fwmark" fwmark: Option<Loc<Mark>>,
        /// The node in which it is created, whose network carries its encrypted packets, if that is not the node it is
        /// in. Changing it re-creates the interface. Example: `host`
        "transport" transport: Option<Loc<TransportNode>>,
        /// Its peers. A peer that is not listed is removed. Example:
        /// `[{ interface: B/wg0, allowed-ips: [10.9.0.2/32] }]`
        "peers" peers: Vec<Peer>,
    }
}

record! {
    /// A peer.
    Peer as "a peer" {
        /// Its public key. Example: `xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=`
        "public-key" public_key: Option<Loc<PublicKey>>,
        /// Its interface in this file, instead of the key, which is derived from the key file of that interface.
        /// Example: `B/wg0`
        "interface" interface: Option<Loc<InterfaceRef>>,
        /// Prefixes that are accepted from it and sent to it. They do not create routes. Example: `[10.9.0.2/32]`
        "allowed-ips" allowed_ips: Many<Loc<Prefix>>,
        /// Its initial endpoint: address and port; an address, not a name. Without it the peer has to connect first.
        /// The kernel follows a peer that roams, and so does the plan: a learned endpoint is not drift, another
        /// endpoint in the file is a change. Example: `"192.0.2.1:51820"`
        "endpoint" endpoint: Option<Loc<Endpoint>>,
        /// Whether it may roam, as a peer behind NAT does; default `true`. With `false` it is reset to its `endpoint`.
        /// Example: `false`
        "roaming" roaming: Option<Loc<bool>>,
        /// The file with the preshared key, as `wg genpsk` writes it; a relative path is relative to the YAML file.
        /// Example: `keys/ab.psk`
        "preshared-key-file" preshared_key_file: Option<Loc<KeyFile>>,
        /// The keepalive interval, in whole seconds; a plain number is in seconds, as for `wg`. Example: `25s` Example:
        /// `25`
        "keepalive" keepalive: Option<Loc<crate::document::value::Seconds>>,
    }
}

/// The path of a file with a key, absolute or relative to the YAML file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeyFile(pub String);

impl Word for KeyFile {
    const EXPECTED: &'static str = "the path of a file with a key";

    fn parse(text: &str) -> Result<Self, Wrong> {
        // A key itself is 44 characters of base64: it must not be shown, so the message does not repeat it.
        if key(text) {
            return Err(Wrong::new("key-in-file", "this is a key, not the path of a file")
                .help("put the key into a file of its own and write that file's path here"));
        }
        if text.is_empty() || text.len() >= 4096 || text.contains('\n') {
            return Err(Wrong::not("bad-path", text, "a path"));
        }
        Ok(Self(text.to_owned()))
    }

    fn schema() -> Schema {
        json_schema!({ "type": ["string", "number"], "minLength": 1, "examples": ["keys/a.key"] })
    }
}

/// 32 bytes in base64.
fn key(text: &str) -> bool {
    text.len() == 44
        && text.ends_with('=')
        && text.bytes().take(43).all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/'))
}

/// A public key.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct PublicKey(pub String);

impl Word for PublicKey {
    const EXPECTED: &'static str = "a public key";

    fn parse(text: &str) -> Result<Self, Wrong> {
        if crate::resource::Key::parse(text).is_some() {
            Ok(Self(text.to_owned()))
        } else {
            Err(Wrong::new("bad-key", "this is not a public key")
                .help("44 characters of base64, as `wg pubkey` prints them"))
        }
    }

    fn schema() -> Schema {
        json_schema!({ "type": "string", "pattern": "^[A-Za-z0-9+/]{43}=$" })
    }
}

/// The endpoint of a peer.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Endpoint {
    /// An address or a name.
    pub host: String,
    /// The UDP port.
    pub port: u16,
}

impl Word for Endpoint {
    const EXPECTED: &'static str = "an address and a port";

    fn parse(text: &str) -> Result<Self, Wrong> {
        let wrong = || {
            Wrong::not("bad-target", text, "an address and a port")
                .help("such as \"192.0.2.1:51820\" or \"[2001:db8::1]:51820\"")
        };
        let (host, port) = text.rsplit_once(':').ok_or_else(wrong)?;
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let port = whole(port).and_then(|port| u16::try_from(port).ok()).filter(|port| *port > 0).ok_or_else(wrong)?;
        let named = !host.is_empty()
            && host.len() <= 253
            && host.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-'));
        let sound = named || host.parse::<std::net::IpAddr>().is_ok();
        if sound { Ok(Self { host: host.to_owned(), port }) } else { Err(wrong()) }
    }

    fn schema() -> Schema {
        json_schema!({ "type": "string", "pattern": ":[0-9]+$", "examples": ["192.0.2.1:51820"] })
    }
}

/// A node by name.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct TransportNode(pub crate::resource::Node);

impl Word for TransportNode {
    const EXPECTED: &'static str = "the name of a node";

    fn parse(text: &str) -> Result<Self, Wrong> {
        if text == "host" {
            Ok(Self(crate::resource::Node::host()))
        } else {
            NamespaceName::parse(text).map(|name| Self(name.0))
        }
    }

    fn within(self, names: &Names) -> Self {
        Self(names.node(self.0))
    }

    fn schema() -> Schema {
        json_schema!({ "type": ["string", "number"], "examples": ["host"] })
    }
}
