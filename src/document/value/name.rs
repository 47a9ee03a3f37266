//! Names: of topologies, namespaces, interfaces, tables and settings.

use crate::document::yaml::names::{LONGEST_PREFIX, Names};
use crate::document::yaml::tree::quoted;
use crate::document::yaml::word::{Word, Wrong, pattern};
use crate::resource::{IfName, Name, Node, TableId};
use schemars::{Schema, json_schema};

impl Word for Name {
    const EXPECTED: &'static str = "the name of a topology";

    fn parse(text: &str) -> Result<Self, Wrong> {
        let start = text.starts_with(|c: char| c.is_ascii_alphanumeric());
        let rest = text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'));
        if start && rest && text.len() <= 32 {
            return Ok(Self::from(text));
        }
        let wrong = Wrong::not("bad-name", text, "the name of a topology");
        Err(wrong.help("1 to 32 letters, digits, dots, underscores and hyphens, a letter or digit first"))
    }

    fn schema() -> Schema {
        pattern("^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$", &["red-blue-nat"])
    }
}

/// The name of a namespace: a file name in `/run/netns`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct NamespaceName(pub Node);

impl std::borrow::Borrow<str> for NamespaceName {
    fn borrow(&self) -> &str {
        self.0.as_str()
    }
}

/// Why `text` cannot be the name of a namespace.
pub fn namespace_fault(text: &str) -> Option<&'static str> {
    match text {
        "" => Some("a name has at least one character"),
        "." | ".." => Some("the name is that of a folder"),
        "host" => Some("`host` is the namespace topo is started in: write it as the key `host` beside `namespaces`"),
        _ if text.len() > 255 => Some("a file name has at most 255 bytes"),
        _ if text.contains('/') => Some("a file name has no `/`"),
        _ if text.chars().any(char::is_control) => Some("control characters cannot be in a name"),
        _ => None,
    }
}

impl Word for NamespaceName {
    const EXPECTED: &'static str = "the name of a namespace";

    fn parse(text: &str) -> Result<Self, Wrong> {
        match namespace_fault(text) {
            None => Ok(Self(Node::from(text))),
            Some(fault) => Err(Wrong::not("bad-name", text, "a name for a namespace").help(fault)),
        }
    }

    fn within(self, names: &Names) -> Self {
        Self(names.node(self.0))
    }

    fn schema() -> Schema {
        json_schema!({ "type": ["string", "number"], "pattern": "^[^/\\u0000-\\u001f\\u007f]+$", "maxLength": 255, "not": { "enum": [".", "..", "host"] } })
    }
}

/// The name of a namespace that the file does not make, as it is in `/run/netns`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct NetnsName(pub String);

impl Word for NetnsName {
    const EXPECTED: &'static str = NamespaceName::EXPECTED;

    fn parse(text: &str) -> Result<Self, Wrong> {
        NamespaceName::parse(text).map(|_| Self(text.to_owned()))
    }

    fn schema() -> Schema {
        NamespaceName::schema()
    }
}

/// The name of a container, as `docker ps` and `podman ps` show it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct ContainerName(pub String);

impl Word for ContainerName {
    const EXPECTED: &'static str = "the name of a container";

    fn parse(text: &str) -> Result<Self, Wrong> {
        let start = text.starts_with(|c: char| c.is_ascii_alphanumeric());
        let rest = text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'));
        if start && rest && text.len() <= 255 {
            return Ok(Self(text.to_owned()));
        }
        let wrong = Wrong::not("bad-name", text, Self::EXPECTED);
        Err(wrong
            .help("letters, digits, dots, underscores and hyphens, a letter or digit first, as `docker ps` shows it"))
    }

    fn schema() -> Schema {
        pattern("^[A-Za-z0-9][A-Za-z0-9._-]{0,254}$", &["web"])
    }
}

/// What stands before the names of a file's namespaces in `/run/netns`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct NamePrefix(pub String);

impl Word for NamePrefix {
    const EXPECTED: &'static str = "a prefix of names";

    fn parse(text: &str) -> Result<Self, Wrong> {
        let start = text.starts_with(|c: char| c.is_ascii_alphanumeric());
        let rest = text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'));
        if start && rest && text.len() <= LONGEST_PREFIX {
            return Ok(Self(text.to_owned()));
        }
        let wrong = Wrong::not("bad-name", text, Self::EXPECTED);
        Err(wrong.help("1 to 32 letters, digits, dots, underscores and hyphens, a letter or digit first"))
    }

    fn schema() -> Schema {
        pattern("^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$", &["lab1-"])
    }
}

/// Why `text` cannot be the name of an interface (`dev_valid_name` of `net/core/dev.c`, and what the language needs for
/// itself).
pub fn interface_fault(text: &str) -> Option<String> {
    let bad = |c: &char| matches!(c, '/' | ':' | '%') || c.is_whitespace() || c.is_control();
    match text {
        "" => Some("a name has at least one character".to_owned()),
        "." | ".." | "all" | "default" => Some("the kernel uses this name for something else".to_owned()),
        _ if text.len() > 15 => Some(format!("it has {} bytes, the kernel takes at most 15", text.len())),
        _ if text.starts_with('!') => Some("a leading `!` means \"not\" in firewall rules".to_owned()),
        _ if text.ends_with('*') => Some("a trailing `*` is a wildcard in firewall rules".to_owned()),
        _ => text
            .chars()
            .find(|c| bad(c))
            .map(|c| format!("{c:?} cannot be in the name of an interface"))
            .or_else(|| blank_to_the_kernel(text)),
    }
}

/// The kernel goes by bytes, and takes 0xa0, a no-break space of Latin 1, for a blank (`isspace` of
/// `include/linux/ctype.h`, the table of `lib/ctype.c`).
fn blank_to_the_kernel(text: &str) -> Option<String> {
    let c = text.chars().find(|c| c.encode_utf8(&mut [0; 4]).bytes().any(|byte| byte == 0xa0))?;
    Some(format!("{c:?} has the byte 0xa0 in it, which the kernel takes for a blank"))
}

const INTERFACE: &str = "[^/:%!\\s\\u0000-\\u001f\\u007f][^/:%\\s\\u0000-\\u001f\\u007f]{0,14}";

impl Word for IfName {
    const EXPECTED: &'static str = "the name of an interface";

    fn parse(text: &str) -> Result<Self, Wrong> {
        match interface_fault(text) {
            None => Ok(Self::from(text)),
            Some(fault) => Err(Wrong::not("bad-name", text, "a name for an interface").help(fault)),
        }
    }

    fn schema() -> Schema {
        json_schema!({ "type": ["string", "number"], "pattern": format!("^{INTERFACE}$"), "not": { "enum": [".", "..", "all", "default"] } })
    }
}

impl std::borrow::Borrow<str> for IfName {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

/// An interface of some node: `NODE/INTERFACE`, or `INTERFACE` for one of the same node.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct InterfaceRef {
    /// The node, where it is written.
    pub node: Option<Node>,
    /// The interface.
    pub name: IfName,
}

impl Word for InterfaceRef {
    const EXPECTED: &'static str = "an interface, as NODE/INTERFACE";

    fn parse(text: &str) -> Result<Self, Wrong> {
        let (node, name) = match text.rsplit_once('/') {
            Some((node, name)) => (Some(node), name),
            None => (None, text),
        };
        let node = match node {
            Some("host") => Some(Node::host()),
            Some(node) => Some(NamespaceName::parse(node)?.0),
            None => None,
        };
        Ok(Self { node, name: IfName::parse(name)? })
    }

    fn within(self, names: &Names) -> Self {
        Self { node: self.node.map(|node| names.node(node)), ..self }
    }

    fn schema() -> Schema {
        pattern(&format!("^([^/\\u0000-\\u001f\\u007f]+/)?{INTERFACE}$"), &["host/reth1", "BLUE/eth0"])
    }
}

impl Word for TableId {
    const EXPECTED: &'static str = "a routing table";

    fn parse(text: &str) -> Result<Self, Wrong> {
        if text.starts_with(|c: char| c.is_ascii_digit()) {
            let number = crate::document::yaml::word::whole(text)
                .and_then(|number| u32::try_from(number).ok())
                .filter(|number| *number > 0);
            return number
                .map(Self::Number)
                .ok_or_else(|| Wrong::not("out-of-range", text, "a routing table: 1 to 4294967295, or a name"));
        }
        match text {
            "default" => Ok(Self::Number(253)),
            "main" => Ok(Self::MAIN),
            "local" => Ok(Self::LOCAL),
            "unspec" => Err(Wrong::not("bad-table", text, "a routing table")
                .help("it is the number 0, which stands for no table: write `main`, or leave `table` out")),
            _ if text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                && text.len() <= 64
                && text.bytes().all(|b| b.is_ascii_graphic() && b != b'#') =>
            {
                Ok(Self::Name(text.into()))
            }
            _ => Err(Wrong::not("bad-table", text, "a routing table")
                .help("a number, `main`, `local`, `default`, or a name of the machine's rt_tables")),
        }
    }

    fn schema() -> Schema {
        json_schema!({ "type": ["string", "integer"], "minimum": 1, "maximum": u32::MAX, "examples": [100, "main", "local"] })
    }
}

/// A kernel setting below `net`, kept with `/` between its parts.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct SysctlKey(pub String);

impl std::borrow::Borrow<str> for SysctlKey {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// Settings that can be written and not read: nothing could be compared.
const WRITE_ONLY: &[&str] = &["net/ipv4/route/flush", "net/ipv6/route/flush"];

impl Word for SysctlKey {
    const EXPECTED: &'static str = "a kernel setting";

    fn parse(text: &str) -> Result<Self, Wrong> {
        // As sysctl(8) has it: whichever of `.` and `/` comes first separates, and the other is part of a name.
        let slashes = text.find(['.', '/']).and_then(|at| text.get(at..=at)) == Some("/");
        let path = if slashes {
            text.to_owned()
        } else {
            text.chars()
                .map(|c| {
                    if c == '.' {
                        '/'
                    } else if c == '/' {
                        '.'
                    } else {
                        c
                    }
                })
                .collect()
        };
        let wrong = |help: &str| {
            Err(Wrong::new("bad-sysctl", format!("{} is not a kernel setting of a namespace", quoted(text))).help(help))
        };
        if !path.starts_with("net/") {
            return wrong("only settings below `net` belong to a namespace: net.ipv4.ip_forward");
        }
        let sound = |part: &str| {
            !part.is_empty()
                && part != "."
                && part != ".."
                && !part.chars().any(|c| c.is_whitespace() || c.is_control())
        };
        if path.len() > 255 || !path.split('/').all(sound) || path.split('/').count() < 3 {
            return wrong(
                "write it as `sysctl` does, such as net.ipv4.ip_forward, or with slashes where a name has a dot: net/ipv4/conf/eth0.100/rp_filter",
            );
        }
        if WRITE_ONLY.contains(&path.as_str()) {
            return wrong("it can only be written, never read, so it has no state to keep");
        }
        Ok(Self(path))
    }

    fn schema() -> Schema {
        pattern("^net[./][^\\s]+$", &["net.ipv4.conf.all.rp_filter", "net/ipv4/conf/eth0.100/rp_filter"])
    }
}
