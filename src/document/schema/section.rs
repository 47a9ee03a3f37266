//! A node.

use super::allow::Allow;
use super::dns::Dns;
use super::firewall::Firewall;
use super::interface::Interface;
use super::nat::NatRule;
use super::route::{NeighborEntry, RouteEntry, RuleEntry};
use crate::document::Loc;
use crate::document::value::forwarding::{Forwarding, Switch};
use crate::document::value::{AbsolutePath, ContainerName, NetnsName, SysctlKey, SysctlValue};
use crate::document::yaml::define::{choice, record};
use crate::document::yaml::map::Map;
use crate::document::yaml::read;
use crate::document::yaml::read::Shape;
use crate::document::yaml::tree::Yaml;
use crate::document::yaml::word::{Number, words};
use crate::resource::IfName;
use schemars::{Schema, SchemaGenerator, json_schema};

record! {
    /// A node: a network namespace and its contents.
    NodeSection as "a node" {
        /// Its interfaces, by name. Example: `{ eth0: { veth: host/veth0, addresses: [10.0.0.2/24] } }`
        "interfaces" interfaces: Map<IfName, Interface>,
        /// Its routes. They are created after all addresses of the node. Example: `[{ to: default, via: 11.11.11.1 }]`
        "routes" routes: Vec<RouteEntry>,
        /// Its policy rules (`ip rule`). Example: `[{ priority: 100, from: 10.0.0.0/24, table: 100 }]`
        "rules" rules: Vec<RuleEntry>,
        /// The priority of the kernel's rule for the table `local`, instead of 0. Example: `50`
        "local-rule" local_rule: Option<Loc<Number<1, 32765>>>,
        /// Static neighbours (`ip neighbor`). Example: `[{ address: 10.0.0.9, mac: "02:00:00:00:00:09", dev: eth0 }]`
        "neighbors" neighbors: Vec<NeighborEntry>,
        /// Network address translation (NAT). Example: `[{ masquerade: { source: 10.0.0.0/24, out: "!br0" } }]`
        "nat" nat: Vec<Loc<NatRule>>,
        /// Packet filtering: chains of this topology, and rules that are inserted into chains of other programs.
        "firewall" firewall: Option<Box<Firewall>>,
        /// IP forwarding: `true` both families, `false` neither, `ipv4` or `ipv6` that one only (on the host the other
        /// keeps its value). Default in namespaces that topo creates: `false`. Example: `true`
        "forwarding" forwarding: Option<Loc<Forwarding>>,
        /// Sysctls of this namespace, `net.*` only; with `/` instead of dots where a name contains a dot. Example:
        /// `{ net.ipv4.conf.all.rp_filter: 1 }`
        "sysctls" sysctls: Map<SysctlKey, Loc<SysctlValue>>,
        /// The namespace's own `resolv.conf` and `hosts`, as `ip netns exec` and `topo exec` bind them. Example:
        /// `{ nameservers: [10.0.0.1], hosts: { web: 10.0.0.2 } }`
        "dns" dns: Option<Box<Dns>>,
        /// (Namespaces only.) An existing namespace that topo did not create: it is configured, never created or
        /// deleted. Example: `{ netns: blue }`
        "existing" existing: Option<Box<Existing>>,
    }
    parts {
        /// Warnings that are accepted here.
        allow: Allow,
    }
}

record! {
    /// How an existing namespace is found: one of `netns`, `path`, `pid` and `container`.
    Existing as "`existing`" {
        /// What runs the container; needed only where Docker and podman both have one of that name. Example: `podman`
        "runtime" runtime: Option<Loc<ContainerRuntime>>,
    }
    parts {
        /// The way.
        at: Option<Loc<ExistingPlace>>,
    }
}

choice! {
    /// How an existing namespace is found.
    ExistingPlace as "`existing`" {
        /// By its name in `/run/netns`. Example: `blue`
        "netns" Netns(Loc<NetnsName>),
        /// By a path, such as that of a container. Example: `/run/docker/netns/0123456789ab`
        "path" Path(Loc<AbsolutePath>),
        /// By a process that lives in it. Example: `4711`
        "pid" Pid(Loc<Number<1, 4_194_304>>),
        /// By the name of a container of Docker or podman, as it runs now: after a restart, which gives it another
        /// namespace, `topo apply` configures that one. Example: `web`
        "container" Container(Loc<ContainerName>),
    }
}

words! {
    /// What runs containers.
    ContainerRuntime as "a program that runs containers" {
        /// Docker.
        "docker" Docker,
        /// podman, as root.
        "podman" Podman,
    }
}

impl Shape for Loc<Forwarding> {
    fn read(yaml: &Yaml<'_>, reader: &mut read::Reader) -> Option<Self> {
        let value = match yaml.text() {
            "ipv4" => Forwarding::Ipv4,
            "ipv6" => Forwarding::Ipv6,
            _ => match Loc::<Switch>::read(yaml, reader)?.value.0 {
                true => Forwarding::Both,
                false => Forwarding::Neither,
            },
        };
        Some(Loc::new(value, yaml.place))
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "enum": [true, false, "ipv4", "ipv6"] })
    }
}
