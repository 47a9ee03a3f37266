//! What checks go by: nodes, hosts, ports, URLs and texts.

use super::name::{InterfaceRef, NamespaceName};
use super::quantity::Duration;
use crate::document::yaml::names::Names;
use crate::document::yaml::tree::quoted;
use crate::document::yaml::word::{Word, Wrong, pattern, whole};
use crate::resource::{LinkId, Node};
use schemars::{Schema, json_schema};
use std::net::IpAddr;

/// A node by name.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct NodeName(pub Node);

impl Word for NodeName {
    const EXPECTED: &'static str = "the name of a node";

    fn parse(text: &str) -> Result<Self, Wrong> {
        if text == "host" { Ok(Self(Node::host())) } else { NamespaceName::parse(text).map(|name| Self(name.0)) }
    }

    fn within(self, names: &Names) -> Self {
        Self(names.node(self.0))
    }

    fn schema() -> Schema {
        pattern("^[^/\\u0000-\\u001f\\u007f]+$", &["RED", "host"])
    }
}

/// A host: who is meant by a check.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum HostTarget {
    /// An address.
    Address(IpAddr),
    /// An interface.
    Interface(LinkId),
    /// A node, or a name that the asking node knows.
    Name(Node),
}

const HOST_HELP: &str = "an address, NODE/INTERFACE, NODE, or a name of the node's `hosts`: 10.0.0.2, BLUE/eth0, BLUE";

/// Whether a text that is no address was meant as one.
fn looks_like_address(text: &str) -> bool {
    text.contains('.') && text.bytes().all(|b| b.is_ascii_digit() || b == b'.') || text.contains("::")
}

impl HostTarget {
    fn read(text: &str) -> Result<Self, Wrong> {
        if let Ok(address) = text.parse::<IpAddr>() {
            return sound(address, text).map(Self::Address);
        }
        if looks_like_address(text.split('/').next().unwrap_or(text)) {
            return Err(IpAddr::parse(text).err().unwrap_or_else(|| Wrong::not("bad-address", text, "an address")));
        }
        if !text.contains('/') {
            return NodeName::parse(text)
                .map(|node| Self::Name(node.0))
                .map_err(|_| Wrong::not("bad-target", text, Self::EXPECTED).help(HOST_HELP));
        }
        match InterfaceRef::parse(text)? {
            InterfaceRef { node: Some(node), name } => Ok(Self::Interface(LinkId { node, name })),
            InterfaceRef { node: None, .. } => Err(Wrong::not("bad-target", text, Self::EXPECTED).help(HOST_HELP)),
        }
    }
}

/// An address that says by itself which way it is.
fn sound(address: IpAddr, text: &str) -> Result<IpAddr, Wrong> {
    let link_local = matches!(address, IpAddr::V6(six) if six.is_unicast_link_local());
    if link_local {
        return Err(Wrong::new(
            "bad-address",
            format!("{} is a link-local address, which does not say by which interface it is reached", quoted(text)),
        )
        .help("give the interface an address of its own and check that one"));
    }
    let nobody = match address {
        IpAddr::V4(four) => four.is_unspecified() || four.is_multicast() || four.is_broadcast(),
        IpAddr::V6(six) => six.is_unspecified() || six.is_multicast(),
    };
    if nobody { Err(Wrong::not("bad-address", text, "the address of one host")) } else { Ok(address) }
}

impl Word for HostTarget {
    const EXPECTED: &'static str = "a host";

    fn parse(text: &str) -> Result<Self, Wrong> {
        Self::read(text)
    }

    fn within(self, names: &Names) -> Self {
        match self {
            Self::Address(_) => self,
            Self::Interface(id) => Self::Interface(LinkId { node: names.node(id.node), ..id }),
            Self::Name(node) => Self::Name(names.node(node)),
        }
    }

    fn schema() -> Schema {
        pattern("^[^\\u0000-\\u001f\\u007f]+$", &["10.0.0.3", "fd00::3", "BLUE/eth0", "BLUE"])
    }
}

/// A host and a port.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct PortTarget {
    /// The host.
    pub host: HostTarget,
    /// The port.
    pub port: u16,
}

/// The host in front of a port, and the port: `10.0.0.2:80`, `[fd00::2]:80`, `BLUE/eth0:80`.
fn split(text: &str) -> Option<(&str, &str)> {
    let (host, port) = text.rsplit_once(':')?;
    match host.strip_prefix('[') {
        Some(host) => Some((host.strip_suffix(']')?, port)),
        None => Some((host, port)),
    }
}

fn port(text: &str) -> Option<u16> {
    whole(text).and_then(|port| u16::try_from(port).ok()).filter(|port| *port > 0)
}

impl Word for PortTarget {
    const EXPECTED: &'static str = "a host and a port";

    fn parse(text: &str) -> Result<Self, Wrong> {
        let wrong = |help: &str| Wrong::not("bad-target", text, Self::EXPECTED).help(help);
        let help = "such as 10.0.0.2:80, [fd00::2]:80, BLUE/eth0:80 or BLUE:80";
        if text.parse::<std::net::Ipv6Addr>().is_ok() {
            return Err(wrong("an address of IPv6 stands in brackets before its port: [fd00::2]:80"));
        }
        let (host, number) = split(text).ok_or_else(|| wrong(help))?;
        let port = port(number).ok_or_else(|| wrong("the port is a number from 1 to 65535"))?;
        if text.starts_with('[') != host.parse::<std::net::Ipv6Addr>().is_ok() {
            return Err(wrong("an address of IPv6, and nothing else, stands in brackets: [fd00::2]:80"));
        }
        HostTarget::read(host).map(|host| Self { host, port })
    }

    fn within(self, names: &Names) -> Self {
        Self { host: self.host.within(names), ..self }
    }

    fn schema() -> Schema {
        json_schema!({ "type": "string", "pattern": "^[^\\u0000-\\u001f\\u007f]+:[0-9a-fx]+$", "examples": ["10.0.0.2:80", "[fd00::2]:80", "BLUE/eth0:80"] })
    }
}

/// A name server, and its port.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct ServerTarget {
    /// The host.
    pub host: HostTarget,
    /// The port, 53 where none is written.
    pub port: u16,
}

impl Word for ServerTarget {
    const EXPECTED: &'static str = "a name server";

    fn parse(text: &str) -> Result<Self, Wrong> {
        let bare = text.parse::<IpAddr>().is_ok() || !text.contains(':');
        if bare {
            return HostTarget::read(text).map(|host| Self { host, port: 53 });
        }
        PortTarget::parse(text).map(|PortTarget { host, port }| Self { host, port })
    }

    fn within(self, names: &Names) -> Self {
        Self { host: self.host.within(names), ..self }
    }

    fn schema() -> Schema {
        pattern("^[^\\u0000-\\u001f\\u007f]+$", &["10.0.0.53", "10.0.0.53:5353", "DNS/eth0"])
    }
}

/// A URL.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Url {
    /// All of it, as written.
    pub text: String,
    /// The host.
    pub host: HostTarget,
    /// The port.
    pub port: u16,
    /// Host and port as written: what the request says of the host.
    pub authority: String,
    /// Path and query, `/` at least.
    pub path: String,
}

impl Word for Url {
    const EXPECTED: &'static str = "a URL";

    fn parse(text: &str) -> Result<Self, Wrong> {
        let wrong = |help: &str| Wrong::not("bad-url", text, Self::EXPECTED).help(help);
        let help = "such as http://10.0.0.2:8080/health, http://[fd00::2]/ or http://BLUE/";
        if text.starts_with("https://") {
            return Err(wrong(
                "TLS is not spoken here: use a `command` with a program that speaks it, such as [curl, -fsS, URL]",
            ));
        }
        let rest = text.strip_prefix("http://").ok_or_else(|| wrong(help))?;
        if text.len() > 2048 || !text.bytes().all(|b| b.is_ascii_graphic()) || text.contains('#') {
            return Err(wrong("at most 2048 visible characters of ASCII, others as %XX, without a fragment (#)"));
        }
        let (authority, path) = rest.find(['/', '?']).and_then(|at| rest.split_at_checked(at)).unwrap_or((rest, ""));
        if authority.contains('@') {
            return Err(wrong("a user and a password cannot be given"));
        }
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        let (host, number) = match authority.strip_prefix('[') {
            Some(_) if authority.ends_with(']') => (authority.trim_matches(['[', ']']), None),
            Some(_) => split(authority).map(|(host, port)| (host, Some(port))).ok_or_else(|| wrong(help))?,
            None => authority.rsplit_once(':').map_or((authority, None), |(host, port)| (host, Some(port))),
        };
        let named = !host.is_empty()
            && host.len() <= 253
            && host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'));
        if authority.starts_with('[') != host.parse::<std::net::Ipv6Addr>().is_ok()
            || !(named || authority.starts_with('['))
        {
            return Err(wrong(help));
        }
        let port = match number {
            None => 80,
            Some(number) => port(number).ok_or_else(|| wrong("the port is a number from 1 to 65535"))?,
        };
        Ok(Self { text: text.to_owned(), host: HostTarget::read(host)?, port, authority: authority.to_owned(), path })
    }

    fn within(self, names: &Names) -> Self {
        Self { host: self.host.within(names), ..self }
    }

    fn schema() -> Schema {
        json_schema!({ "type": "string", "pattern": "^http://[^\\s#]+$", "maxLength": 2048, "examples": ["http://10.0.0.2:8080/health", "http://BLUE/"] })
    }
}

/// How long one try may take: 1 ms to 600 s.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Timeout(pub std::time::Duration);

impl Word for Timeout {
    const EXPECTED: &'static str = "a duration";

    fn parse(text: &str) -> Result<Self, Wrong> {
        let nanoseconds = Duration::parse(text)?.nanoseconds;
        if !(1_000_000..=600_000_000_000).contains(&nanoseconds) {
            return Err(Wrong::new(
                "out-of-range",
                format!("expected a duration from 1ms to 600s, found {}", quoted(text)),
            ));
        }
        Ok(Self(std::time::Duration::from_nanos(nanoseconds)))
    }

    fn schema() -> Schema {
        Duration::schema()
    }
}

/// A name that a name server is asked for.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct DnsName(pub String);

impl Word for DnsName {
    const EXPECTED: &'static str = "a name of the DNS";

    fn parse(text: &str) -> Result<Self, Wrong> {
        let name = text.strip_suffix('.').unwrap_or(text);
        let label = |label: &str| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
        };
        if name.len() <= 253 && name.split('.').all(label) && text.parse::<IpAddr>().is_err() {
            return Ok(Self(name.to_owned()));
        }
        Err(Wrong::not("bad-host", text, Self::EXPECTED)
            .help("letters, digits, hyphens and dots, at most 63 between dots and 253 in all: web.lab.test"))
    }

    fn schema() -> Schema {
        pattern("^[A-Za-z0-9._-]+$", &["web.lab.test"])
    }
}

macro_rules! text {
    ($(#[doc = $doc:literal])* $name:ident, $expected:literal, $most:literal, $sound:expr, $help:literal) => {
        $(#[doc = $doc])*
        #[derive(Clone, PartialEq, Eq, Hash, Debug)]
        pub struct $name(pub String);

        impl Word for $name {
            const EXPECTED: &'static str = $expected;

            fn parse(text: &str) -> Result<Self, Wrong> {
                let sound: fn(&str) -> bool = $sound;
                if text.len() <= $most && sound(text) { Ok(Self(text.to_owned())) } else { Err(Wrong::not("bad-check", text, $expected).help($help)) }
            }

            fn schema() -> Schema {
                json_schema!({ "type": ["string", "number"], "maxLength": $most })
            }
        }
    };
}

text!(
    /// The name of a check.
    CheckName,
    "the name of a check",
    100,
    |text| !text.trim().is_empty() && !text.chars().any(char::is_control),
    "1 to 100 bytes on one line"
);
text!(
    /// What a datagram carries.
    Payload,
    "the text of a datagram",
    1400,
    |_| true,
    "at most 1400 bytes"
);
text!(
    /// A text that is looked for.
    Wanted,
    "a text to look for",
    4096,
    |text| !text.is_empty(),
    "1 to 4096 bytes"
);
/// A program or an argument of it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Argument(pub String);

impl Word for Argument {
    const EXPECTED: &'static str = "an argument of a program";

    fn parse(text: &str) -> Result<Self, Wrong> {
        let sound = text.len() <= 4096 && !text.contains('\0');
        if sound {
            Ok(Self(text.to_owned()))
        } else {
            Err(Wrong::not("bad-check", text, Self::EXPECTED).help("at most 4096 bytes, none of them zero"))
        }
    }

    /// A command line is as many arguments as it has words; one that needs a shell is given to a shell.
    fn items(text: &str) -> String {
        let shell = text.contains(['"', '\'', '`', '$', '|', '&', ';', '<', '>', '*', '?', '(', ')', '\\', '\n']);
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '/' | '-' | '+' | '=' | '%');
        let word = |word: &str| match word {
            "true" | "false" | "null" | "-" => format!("{word:?}"),
            _ if word.chars().all(plain) && !word.starts_with('%') => word.to_owned(),
            _ => format!("{word:?}"),
        };
        if shell {
            format!("sh, -c, {text:?}")
        } else {
            text.split_whitespace().map(word).collect::<Vec<_>>().join(", ")
        }
    }

    fn schema() -> Schema {
        json_schema!({ "type": ["string", "number"], "maxLength": 4096 })
    }
}
