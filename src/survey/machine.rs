//! What a machine has outside of its namespaces that matters to a topology: versions, daemons, limits.

use crate::resource::{IfName, Mac, Node, ResourceId, State};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// What is known of a machine.
#[derive(Clone, Debug, Default)]
pub struct Machine {
    /// The release of its kernel (`uname -r`); empty where it was not read.
    pub kernel: String,
    /// The version of nft, such as `1.0.6`; `None` where the program is not there.
    pub nft: Option<String>,
    /// The programs that change networks and run in the namespace that topo was started in.
    pub daemons: Vec<Daemon>,
    /// Settings that belong to no network namespace, by key with `/` between its parts.
    pub settings: BTreeMap<String, String>,
    /// The configuration of such daemons: path and text, in the order in which they are read.
    pub files: Vec<(String, String)>,
    /// What a topology needs that the kernel does not have.
    pub missing: Vec<Missing>,
}

/// A program that changes networks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Daemon {
    /// Its name as the kernel has it, at most 15 letters: `NetworkManager`, `systemd-network`, `firewalld`, `dockerd`.
    pub program: String,
    /// Its number.
    pub pid: u32,
    /// Its arguments.
    pub arguments: Vec<String>,
}

/// Something that the kernel does not have.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Missing {
    /// What needs it.
    pub id: ResourceId,
    /// What it is: `wireguard`.
    pub what: String,
    /// The option of the kernel (`CONFIG_WIREGUARD`).
    pub config: String,
}

/// Everything in some namespaces, of topo and of others.
#[derive(Debug)]
pub struct Around {
    /// What the nouns have words for, all of it as if it were one topology's.
    pub state: State,
    /// The neighbours that were learned there.
    pub neighbors: Vec<Heard>,
}

/// A neighbour that answered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Heard {
    /// The namespace.
    pub node: Node,
    /// The interface.
    pub interface: IfName,
    /// Its address.
    pub address: IpAddr,
    /// Its hardware address.
    pub mac: Mac,
}

impl Machine {
    /// A daemon by its name, where it runs.
    pub fn daemon(&self, program: &str) -> Option<&Daemon> {
        self.daemons.iter().find(|daemon| daemon.program == program)
    }

    /// The texts of the configuration below a folder, in order.
    pub fn texts<'a>(&'a self, part: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.files
            .iter()
            .filter(move |(path, _)| path.contains(part))
            .map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// The version of the kernel: 6.12 is `(6, 12)`.
    pub fn version(&self) -> Option<(u32, u32)> {
        let mut numbers = numbers(&self.kernel);
        Some((numbers.next()?, numbers.next()?))
    }
}

/// The numbers that a version begins with.
pub fn numbers(version: &str) -> impl Iterator<Item = u32> {
    version.split(|letter: char| !letter.is_ascii_digit()).map_while(|part| part.parse().ok())
}
