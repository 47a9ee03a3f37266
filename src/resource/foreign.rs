//! Whose a resource is that is not this topology's.

use super::Name;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Whose a resource is that is not this topology's, as far as that is known. Plan files and records have it in words
/// that do not change ([`Foreign::recorded`]).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum Foreign {
    /// Another topology's: it carries that one's mark, or that one's record has it.
    Topology(Name),
    /// The kernel made it by itself.
    Kernel,
    /// It belongs to the namespace topo is started in, as its settings and `lo` do.
    Machine,
    /// A routing daemon's: its routing protocol is neither the kernel's nor one of static configuration.
    RoutingDaemon,
    /// The DHCP client's that the file leaves an interface to.
    DhcpClient,
    /// A file that is not read, because its folder is not a plain folder.
    OddFolder,
    /// A file that is not read, because it is a symbolic link.
    SymbolicLink,
    /// A file that is not read, because it is a device, a pipe or the like.
    OddFile,
    /// It carries no mark that topo knows.
    Unknown,
}

impl Foreign {
    /// Those that have no name.
    const UNNAMED: [Self; 8] = [
        Self::Kernel,
        Self::Machine,
        Self::RoutingDaemon,
        Self::DhcpClient,
        Self::OddFolder,
        Self::SymbolicLink,
        Self::OddFile,
        Self::Unknown,
    ];

    /// As records and plan files have it, since topo 0.1.
    fn recorded(&self) -> String {
        match self {
            Self::OddFolder => "somebody else (its folder is not a plain folder)".to_owned(),
            Self::SymbolicLink => "somebody else (a symbolic link)".to_owned(),
            Self::OddFile => "somebody else (not a plain file)".to_owned(),
            Self::Unknown => "somebody else".to_owned(),
            other => other.to_string(),
        }
    }
}

impl fmt::Display for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Topology(name) => return write!(f, "topology {name:?}"),
            Self::Kernel => "the kernel",
            Self::Machine => "the machine",
            Self::RoutingDaemon => "a routing daemon",
            Self::DhcpClient => "the DHCP client",
            Self::OddFolder => "another program or user (its folder is not a plain folder)",
            Self::SymbolicLink => "another program or user (a symbolic link)",
            Self::OddFile => "another program or user (not a plain file)",
            Self::Unknown => "another program or user",
        })
    }
}

impl From<Foreign> for String {
    fn from(whose: Foreign) -> Self {
        whose.recorded()
    }
}

impl From<String> for Foreign {
    /// From a record or a plan file; what is not known there is nobody's that is known.
    fn from(text: String) -> Self {
        let name = text.strip_prefix("topology \"").and_then(|rest| rest.strip_suffix('"'));
        name.map(|name| Self::Topology(name.into()))
            .or_else(|| Self::UNNAMED.into_iter().find(|whose| whose.recorded() == text))
            .unwrap_or(Self::Unknown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As records and plan files of topo 0.1 have them.
    #[test]
    fn the_words_are_those_of_records() {
        for (whose, words) in [
            (Foreign::Topology("lab".into()), r#"topology "lab""#),
            (Foreign::Kernel, "the kernel"),
            (Foreign::Machine, "the machine"),
            (Foreign::RoutingDaemon, "a routing daemon"),
            (Foreign::DhcpClient, "the DHCP client"),
            (Foreign::OddFolder, "somebody else (its folder is not a plain folder)"),
            (Foreign::SymbolicLink, "somebody else (a symbolic link)"),
            (Foreign::OddFile, "somebody else (not a plain file)"),
            (Foreign::Unknown, "somebody else"),
        ] {
            let json = serde_json::to_string(&whose).unwrap();
            assert_eq!(json, serde_json::to_string(words).unwrap());
            assert_eq!(serde_json::from_str::<Foreign>(&json).unwrap(), whose);
        }
        assert_eq!(Foreign::from("a neighbour".to_owned()), Foreign::Unknown);
    }
}
