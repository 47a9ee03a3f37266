//! What was found, namespace by namespace.

use super::ruleset::Ruleset;
use crate::resource::{IfName, Name, Node, Runtime, State};
use std::collections::{BTreeMap, BTreeSet};

/// Everything that was found. One look, from which pictures and files are made.
#[derive(Debug)]
pub struct Survey {
    /// What the nouns have words for, all of it as if it were one topology's: links with their peers, addresses,
    /// routes that were configured, rules, neighbours, forwarding entries, VLANs, qdiscs, WireGuard, settings, files.
    pub state: State,
    /// What else is known of each namespace.
    pub nodes: BTreeMap<Node, NodeSurvey>,
}

/// What is known of a namespace besides its resources.
#[derive(Debug)]
pub struct NodeSurvey {
    /// How it is found.
    pub home: Home,
    /// The topology that made it, by the mark of its `lo`.
    pub topology: Option<Name>,
    /// Its further names in `/run/netns`.
    pub second_names: Vec<String>,
    /// The links that carry the mark of a topology of their own, as those on the host do.
    pub marked: BTreeMap<IfName, Name>,
    /// The links whose hardware address the kernel made up.
    pub random_macs: BTreeSet<IfName>,
    /// Its rules of packets: tables of nft and of iptables.
    pub rulesets: Vec<Ruleset>,
    /// What is there that no noun has a word for, a line each.
    pub unsaid: Vec<String>,
}

/// How a namespace is found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Home {
    /// It is the one that topo was started in.
    Host,
    /// By its name in `/run/netns`.
    Named,
    /// By a process that lives in it: it has no name.
    Process {
        /// The first of its processes.
        pid: u32,
        /// What that is called.
        name: String,
    },
    /// By the container that it belongs to.
    Container {
        /// What runs it.
        runtime: Runtime,
        /// Its name.
        name: String,
    },
}
