//! What a resource is like, field by field, as JSON: a type per kind.

use super::link::LinkValues;
use super::scalar::Scalar;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

/// The fields of a resource, which depend on its `kind`. They have the names that they have in a topology file, where
/// they have one there; durations, rates and shares are written as there (`15s`, `10mbit`, `0.5%`). A field that is not
/// managed, or that could not be read, is left out.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
#[expect(missing_docs, reason = "each variant is the type of its name")]
pub enum Values {
    Namespace(NamespaceValues),
    Sysctl(SysctlValues),
    Link(Box<LinkValues>),
    Qdisc(QdiscValues),
    Address(AddressValues),
    Neighbor(NeighborValues),
    Fdb(FdbValues),
    Peer(PeerValues),
    Route(RouteValues),
    Rule(RuleValues),
    Table(TableValues),
    Insert(InsertValues),
    File(FileValues),
}

/// Of a `namespace`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(extend("additionalProperties" = false))]
pub struct NamespaceValues {
    /// `created`, `host` (the namespace that topo is started in) or `existing`.
    pub origin: &'static str,
    /// Where an existing one is found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub existing: Option<ExistingView>,
}

/// Where an existing namespace is found: one of `netns`, `path`, `pid` and `container`.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[schemars(extend("additionalProperties" = false))]
pub struct ExistingView {
    /// Its name in `/run/netns`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub netns: Option<String>,
    /// Its file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// A process in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
    /// The name of a container.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container: Option<String>,
    /// What runs the container, `docker` or `podman`, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runtime: Option<&'static str>,
}

/// Of a `sysctl`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(extend("additionalProperties" = false))]
pub struct SysctlValues {
    /// Its key, such as `net.ipv4.ip_forward`.
    pub key: String,
    /// Its value: a number where it is one, else text.
    pub value: Scalar,
}

/// Of a `qdisc`: those of netem are left out for another kind.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[schemars(extend("additionalProperties" = false))]
pub struct QdiscValues {
    /// The interface.
    pub interface: String,
    /// `netem`, or what another program put there.
    pub kind: String,
    /// How much later a packet leaves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delay: Option<String>,
    /// How much the delay varies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jitter: Option<String>,
    /// How the delays spread: `uniform`, `normal`, `pareto` or `paretonormal`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub distribution: Option<&'static str>,
    /// How many packets are lost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loss: Option<String>,
    /// How many packets leave twice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duplicate: Option<String>,
    /// How many packets get a wrong bit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub corrupt: Option<String>,
    /// How many packets leave before the delayed ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reorder: Option<String>,
    /// How much leaves at most; null for no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<Scalar>,
    /// How many packets can wait.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// Of an `address`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(extend("additionalProperties" = false))]
pub struct AddressValues {
    /// The interface.
    pub interface: String,
    /// The address with its prefix length.
    pub address: String,
    /// The other end of a point-to-point address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peer: Option<IpAddr>,
    /// Its label (IPv4).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Its scope: `global`, `site`, `link`, `host` or a number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// Whether duplicate address detection is off for it (IPv6).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nodad: Option<bool>,
    /// `primary`, or `secondary` after another one of its subnet (IPv4).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<&'static str>,
}

/// Of a `neighbor`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(extend("additionalProperties" = false))]
pub struct NeighborValues {
    /// The interface.
    pub interface: String,
    /// The neighbor's address.
    pub address: IpAddr,
    /// Its hardware address; null for a proxy entry.
    pub mac: Option<String>,
    /// Whether it is a proxy entry.
    pub proxy: bool,
    /// `permanent` or `learned`.
    pub state: &'static str,
}

/// Of an `fdb`: a static forwarding entry.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(extend("additionalProperties" = false))]
pub struct FdbValues {
    /// The interface.
    pub interface: String,
    /// The hardware address.
    pub mac: String,
    /// The end of the tunnel that frames to it are sent to (VXLAN).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dst: Option<IpAddr>,
    /// The VLAN that it is in (bridges).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vlan: Option<u16>,
}

/// Of a `peer` of a WireGuard interface.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(extend("additionalProperties" = false))]
pub struct PeerValues {
    /// The interface.
    pub interface: String,
    /// Its public key.
    #[serde(rename = "public-key")]
    pub public_key: String,
    /// What it may send, and what is sent to it.
    #[serde(rename = "allowed-ips")]
    pub allowed_ips: Vec<String>,
    /// Where it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<SocketAddr>,
    /// Something is sent every so many seconds; 0 for never.
    pub keepalive: u16,
    /// Null where there is none, else the beginning of its fingerprint.
    #[serde(rename = "preshared-key")]
    pub preshared_key: Option<String>,
    /// The file with the preshared key, where it is known.
    #[serde(rename = "preshared-key-file", skip_serializing_if = "Option::is_none")]
    pub preshared_key_file: Option<String>,
}

/// Of a `route`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(extend("additionalProperties" = false))]
pub struct RouteValues {
    /// The destination.
    pub to: String,
    /// The table: its number, or its name (`main`).
    pub table: Scalar,
    /// The metric.
    pub metric: u32,
    /// The type of service that it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tos: Option<u8>,
    /// The source prefix that it is for (IPv6).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// `unicast`, `blackhole` and so on.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The next hops; empty for types that have none.
    pub nexthops: Vec<NextHopView>,
    /// The preferred source address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<IpAddr>,
    /// Its scope (IPv4): `global`, `link`, `host` and so on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// The MTU of its path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mtu: Option<u32>,
    /// Further metrics that another program gave it, by the names that `ip route` has for them.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub metrics: BTreeMap<&'static str, u32>,
    /// Further attributes that another program gave it, in the words of `ip route`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub attributes: String,
}

/// A next hop.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(extend("additionalProperties" = false))]
pub struct NextHopView {
    /// The gateway; null where the destination is on the link.
    pub via: Option<IpAddr>,
    /// The interface; null in what is wanted, where the kernel finds it from the gateway.
    pub dev: Option<String>,
    /// Its share among several.
    pub weight: u16,
    /// Whether the gateway is taken to be on the link although no subnet says so.
    pub onlink: bool,
    /// Further attributes that another program gave it, in the words of `ip route`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub attributes: String,
}

/// Of a `rule`: a policy rule.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[schemars(extend("additionalProperties" = false))]
pub struct RuleValues {
    /// All of it, in the words of `ip rule`.
    pub rule: String,
    /// `ipv4` or `ipv6`.
    pub family: &'static str,
    /// Its place; lower comes first.
    pub priority: u32,
    /// Whether it is for all packets but those that it selects.
    pub not: bool,
    /// Source prefix.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Destination prefix.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// Incoming interface.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iif: Option<String>,
    /// Outgoing interface of local sockets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oif: Option<String>,
    /// Packet mark.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fwmark: Option<u32>,
    /// The bits of the mark that are compared.
    #[serde(rename = "fwmark-mask", skip_serializing_if = "Option::is_none")]
    pub fwmark_mask: Option<u32>,
    /// The number of the protocol.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol: Option<u8>,
    /// Destination ports.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<PortsView>,
    /// Source ports.
    #[serde(rename = "source-port", skip_serializing_if = "Option::is_none")]
    pub source_port: Option<PortsView>,
    /// The table that it looks packets up in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table: Option<Scalar>,
    /// What it does instead: `blackhole`, `unreachable`, `prohibit`, `l3mdev` and so on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
}

/// Ports from the first to the last.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(extend("additionalProperties" = false))]
pub struct PortsView {
    /// The first.
    pub first: u16,
    /// The last.
    pub last: u16,
}

/// Of an `nft table`: all NAT and firewall of a node.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(extend("additionalProperties" = false))]
pub struct TableValues {
    /// Its family and name.
    pub table: String,
    /// Its chains.
    pub chains: Vec<ChainView>,
}

/// A chain.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(extend("additionalProperties" = false))]
pub struct ChainView {
    /// Its name.
    pub name: String,
    /// `filter`, `nat` or `route`.
    #[serde(rename = "type")]
    pub kind: String,
    /// `prerouting`, `input`, `forward`, `output` or `postrouting`.
    pub hook: String,
    /// Its place among the chains of the hook.
    pub priority: i32,
    /// `accept` or `drop`.
    pub policy: &'static str,
    /// Its rules, in order.
    pub rules: Vec<String>,
}

/// Of an `nft insert`: rules in a chain of another program.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(extend("additionalProperties" = false))]
pub struct InsertValues {
    /// `FAMILY TABLE CHAIN`.
    pub chain: String,
    /// Whether there is such a chain.
    pub present: bool,
    /// `first`, or `behind others` where the owner has a rule before them.
    pub place: &'static str,
    /// The rules, in order.
    pub rules: Vec<String>,
}

/// Of a `file`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(extend("additionalProperties" = false))]
pub struct FileValues {
    /// `hosts` or `resolv.conf`.
    pub name: String,
    /// Its lines.
    pub lines: Vec<String>,
}
