//! Texts that end up in files, in nft, or in the kernel as they are.

use crate::document::yaml::tree::quoted;
use crate::document::yaml::word::{Word, Wrong, pattern};
use crate::resource::ChainRef;
use schemars::{Schema, json_schema};

macro_rules! text {
    ($(#[doc = $doc:literal])* $name:ident, $expected:literal, $code:literal, $fault:expr, $schema:expr) => {
        $(#[doc = $doc])*
        #[derive(Clone, PartialEq, Eq, Hash, Debug)]
        pub struct $name(pub String);

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl Word for $name {
            const EXPECTED: &'static str = $expected;

            fn parse(text: &str) -> Result<Self, Wrong> {
                let fault: fn(&str) -> Option<String> = $fault;
                match fault(text) {
                    None => Ok(Self(text.to_owned())),
                    Some(fault) => Err(Wrong::not($code, text, $expected).help(fault)),
                }
            }

            fn schema() -> Schema {
                $schema
            }
        }
    };
}

/// Refuses with a reason where a condition holds.
fn unless(sound: bool, reason: &str) -> Option<String> {
    (!sound).then(|| reason.to_owned())
}

fn one_word(text: &str) -> bool {
    !text.is_empty() && !text.chars().any(|c| c.is_whitespace() || c.is_control())
}

text!(
    /// The name of a host in a hosts file.
    HostName,
    "the name of a host",
    "bad-host",
    |text| {
        let sound = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_');
        unless(!text.is_empty() && text.len() <= 253 && text.chars().all(sound) && !text.starts_with(['.', '-']), "letters, digits, dots and hyphens, at most 253")
    },
    pattern("^[^\\s#]+$", &["web", "db.lab"])
);

text!(
    /// A word of resolv.conf: a search domain or an option.
    ResolverWord,
    "a word of resolv.conf",
    "bad-resolver",
    |text| unless(one_word(text) && text.len() <= 255 && !text.starts_with(['#', ';']), "one word without blanks, at most 255 bytes"),
    pattern("^[^\\s#;][^\\s]*$", &["lab", "ndots:2"])
);

text!(
    /// The value of a kernel setting.
    SysctlValue,
    "the value of a kernel setting",
    "bad-sysctl",
    |text| match text {
        // The kernel reads numbers there, and no word of YAML's.
        "true" | "True" | "TRUE" => Some("write 1".to_owned()),
        "false" | "False" | "FALSE" => Some("write 0".to_owned()),
        _ => unless(text.len() <= 4096 && !text.contains('\n'), "one line of at most 4096 bytes"),
    },
    json_schema!({ "type": ["string", "number"] })
);

text!(
    /// The label of an IPv4 address.
    Label,
    "the label of an address",
    "bad-label",
    |text| unless(one_word(text) && text.len() <= 15 && !text.contains('/'), "at most 15 bytes without blanks, beginning with the interface's name: eth0:1"),
    pattern("^[^\\s/]{1,15}$", &["eth0:1"])
);

text!(
    /// A further name of an interface.
    AlternativeName,
    "a further name of an interface",
    "bad-name",
    |text| unless(one_word(text) && text.len() <= 127 && !text.contains(['/', ':']) && text != "." && text != "..", "1 to 127 bytes without `/`, `:` or blanks"),
    pattern("^[^\\s/:]{1,127}$", &["uplink-to-the-provider"])
);

text!(
    /// What a logged packet's line begins with.
    LogPrefix,
    "the prefix of a log line",
    "bad-log",
    // NF_LOG_PREFIXLEN of include/uapi/linux/netfilter/nf_log.h, with its NUL; a quote cannot be escaped in nft's
    // strings, and `$` begins a variable there
    |text| unless(
        !text.is_empty() && text.len() <= 127 && !text.contains(['"', '\\', '\n', '\t', '$']),
        "1 to 127 bytes on one line, without quotes, backslashes or dollar signs"
    ),
    json_schema!({ "type": ["string", "number"], "pattern": "^[^\"\\\\\\n\\t$]{1,127}$", "examples": ["web "] })
);

text!(
    /// The path of a file.
    AbsolutePath,
    "a path",
    "bad-path",
    |text| unless(text.starts_with('/') && text.len() < 4096 && !text.contains('\n'), "a path that begins with `/`"),
    json_schema!({ "type": "string", "pattern": "^/", "examples": ["/proc/1234/ns/net"] })
);

text!(
    /// The name or number of a user or group.
    UserName,
    "a user or a group",
    "bad-name",
    // The highest number stands for nothing (`uid_valid` of include/linux/uidgid.h).
    |text| unless(
        one_word(text) && text.len() <= 64 && !text.contains([':', '/']) && text.parse::<u128>().is_ok_and(|number| number < u32::MAX.into()) == text.bytes().all(|b| b.is_ascii_digit()),
        "a name, or a number from 0 to 4294967294"
    ),
    pattern("^[^\\s:/]{1,64}$", &["alice", "1000"])
);

/// A chain of another program.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct ChainName(pub ChainRef);

impl Word for ChainName {
    const EXPECTED: &'static str = "a chain, as FAMILY TABLE CHAIN";

    fn parse(text: &str) -> Result<Self, Wrong> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let sound = |word: &str| {
            word.len() <= 127
                && word.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                && word.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b'/' | b'\\'))
        };
        match words.as_slice() {
            [family @ ("ip" | "ip6" | "inet"), table, chain] if sound(table) && sound(chain) => Ok(Self(ChainRef {
                family: (*family).to_owned(),
                table: (*table).to_owned(),
                chain: (*chain).to_owned(),
            })),
            _ => Err(Wrong::not("bad-chain", text, "a chain, as FAMILY TABLE CHAIN")
                .help("the family is ip, ip6 or inet: \"ip filter DOCKER-USER\"")),
        }
    }

    fn schema() -> Schema {
        json_schema!({ "type": "string", "pattern": "^\\s*(ip|ip6|inet)\\s+[A-Za-z_]\\S*\\s+[A-Za-z_]\\S*\\s*$", "examples": ["ip filter DOCKER-USER"] })
    }
}

/// One rule in nft's words.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct NftLine(pub String);

impl Word for NftLine {
    const EXPECTED: &'static str = "a rule in nft's words";

    fn parse(text: &str) -> Result<Self, Wrong> {
        let comment = text.split('"').step_by(2).any(|part| part.split_whitespace().any(|word| word == "comment"));
        match crate::dialect::nft_script::raw_fault(text) {
            Some(fault) => {
                let several = text.contains([';', '\n', '\r']);
                let help = if several {
                    "write each rule as an item of its own"
                } else {
                    "write the matches and the verdict of one rule: meta mark 0x10 accept"
                };
                Err(Wrong::new("bad-nft", format!("{} is not one rule of nft: it has {fault}", quoted(text)))
                    .help(help))
            }
            None if comment => Err(Wrong::new("bad-nft", format!("{} carries a comment of its own", quoted(text)))
                .help("the comment of a rule is topo's mark: leave it out")),
            None => Ok(Self(text.split_whitespace().collect::<Vec<_>>().join(" ")).unfolded(text)),
        }
    }

    fn schema() -> Schema {
        json_schema!({ "type": ["string", "number"], "pattern": "\\S", "examples": ["meta mark 0x10 counter accept"] })
    }
}

impl NftLine {
    /// Blanks inside of quotes count: a line with quotes keeps its own.
    fn unfolded(self, text: &str) -> Self {
        if text.contains('"') { Self(text.trim().to_owned()) } else { self }
    }
}
