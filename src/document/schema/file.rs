//! The whole file.

use super::checks::CheckEntry;
use super::defaults::{Defaults, IncludePath};
use super::dns::CommonDns;
use super::section::NodeSection;
use crate::document::Loc;
use crate::document::expand::expansion::Expansion;
use crate::document::value::{NamePrefix, NamespaceName};
use crate::document::yaml::define::record;
use crate::document::yaml::map::Map;
use crate::resource::Name;
use std::sync::Arc;

record! {
    /// A topology: network namespaces, their contents and their connections. `topo apply` creates everything listed
    /// here, `topo destroy` removes it. A key such as `client[1-20]` stands for twenty, and `"{n}"` below it for the
    /// number of each; `topo expand` writes them out.
    Document as "a topology" {
        /// The name of the topology. Every object that topo creates is marked with it, and `topo destroy NAME` takes
        /// it. Example: `red-blue-nat`
        "name" name: Loc<Name>,
        /// A prefix for the names of the namespaces in `/run/netns` (and `/etc/netns`), so that two topologies can have
        /// nodes of the same name. Nodes keep their names without it here, for `topo exec` and in all output;
        /// namespaces with `existing` get no prefix. Changing it re-creates the namespaces. Example: `lab1-`
        "prefix" prefix: Option<Loc<NamePrefix>>,
        /// The namespace in which topo is started. topo changes only what is listed here.
        "host" host: Option<NodeSection>,
        /// The network namespaces, by name. topo creates and deletes each, except those with `existing`; an empty one
        /// has only `lo`.
        "namespaces" namespaces: Map<NamespaceName, NodeSection>,
        /// Names for all namespaces that the file makes: with `hosts: nodes` each knows the nodes of this file by their
        /// names. Example: `{ hosts: nodes }`
        "dns" dns: Option<CommonDns>,
        /// Checks of the finished network: `topo test` runs them, and `topo apply --test` before and after a change;
        /// nothing else does. A `command` check runs a program with topo's privileges, so read an untrusted file before
        /// you test it. Example: `[{ ping: { from: RED, to: BLUE/eth0 } }, { tcp: { from: RED, to: "10.0.0.2:80",
        /// expect: fail } }]`
        "checks" checks: Vec<Loc<CheckEntry>>,
        /// What nodes and interfaces have that say nothing else: of all nodes that topo creates, of the host, of all
        /// interfaces that the file makes, of those of one kind. What an entry says comes before its kind, its kind
        /// before `interfaces`. Example: `{ interfaces: { ipv6: { dad: false } }, bridge: { stp: true } }`
        "defaults" defaults: Box<Defaults>,
        /// Files whose sections belong to this one: relative paths beneath the folder of this file. They have no
        /// `name`; a key that two of them have is an error; paths in them are relative to them. Example:
        /// `[base/uplink.yaml]`
        "include" include: Vec<Loc<IncludePath>>,
    }
    parts {
        /// What ranges made.
        expansion: Arc<Expansion>,
    }
}
