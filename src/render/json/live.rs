//! What nodes have learned and counted, as JSON.

use crate::resource::{Asked, Connection, Flow, LinkCounters, LiveEntry, LiveNeighbor, LiveNode, Node, Traffic};
use schemars::JsonSchema;
use serde::Serialize;
use std::net::IpAddr;

/// What the nodes of a topology have learned and counted: what was asked for.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct LiveView {
    /// With `--neighbors`: the neighbors, learned and permanent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub neighbors: Option<Vec<LiveNeighborView>>,
    /// With `--fdb`: the forwarding entries, learned and configured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fdb: Option<Vec<LiveEntryView>>,
    /// With `--counters`: what the interfaces have counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub counters: Option<Vec<CountersView>>,
    /// With `--connections`: the tracked connections; left out where the kernel does not show them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connections: Option<Vec<ConnectionView>>,
}

/// A neighbor.
#[derive(Debug, Serialize, JsonSchema)]
pub struct LiveNeighborView {
    /// The node.
    pub node: String,
    /// The interface.
    pub interface: String,
    /// Its address.
    pub address: IpAddr,
    /// Its hardware address; null where it is not known.
    pub mac: Option<String>,
    /// `reachable`, `stale`, `delay`, `probe`, `incomplete`, `failed`, `permanent` or `none`.
    pub state: &'static str,
    /// Whether it is a router (IPv6).
    pub router: bool,
}

/// A forwarding entry.
#[derive(Debug, Serialize, JsonSchema)]
pub struct LiveEntryView {
    /// The node.
    pub node: String,
    /// The port of a bridge, the bridge itself or the tunnel.
    pub interface: String,
    /// The hardware address.
    pub mac: String,
    /// The VLAN; null for none.
    pub vlan: Option<u16>,
    /// The bridge that it is an entry of; null for an entry of the interface itself.
    pub master: Option<String>,
    /// The end of the tunnel; null for none.
    pub dst: Option<IpAddr>,
    /// `learned`, `static` or `permanent`.
    pub state: &'static str,
}

/// The counters of an interface.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CountersView {
    /// The node.
    pub node: String,
    /// The interface.
    pub interface: String,
    /// What was received.
    pub rx: TrafficView,
    /// What was sent.
    pub tx: TrafficView,
}

/// What was counted in one direction.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TrafficView {
    /// Packets.
    pub packets: u64,
    /// Bytes.
    pub bytes: u64,
    /// Broken packets.
    pub errors: u64,
    /// Packets that were dropped.
    pub dropped: u64,
}

/// A tracked connection.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ConnectionView {
    /// The node.
    pub node: String,
    /// `tcp`, `udp`, `icmp` and so on, or a number.
    pub protocol: String,
    /// The state of a TCP connection, such as `ESTABLISHED`; null for others.
    pub state: Option<&'static str>,
    /// From where to where it was opened.
    pub original: FlowView,
    /// From where to where its answers go.
    pub reply: FlowView,
    /// Whether addresses or ports are translated (NAT).
    pub translated: bool,
    /// Whether there were packets in both directions.
    pub answered: bool,
    /// It is forgotten after so many seconds without a packet; null where the kernel does not say.
    pub expires: Option<u32>,
    /// Its mark; 0 for none.
    pub mark: u32,
}

/// One direction of a connection.
#[derive(Debug, Serialize, JsonSchema)]
pub struct FlowView {
    /// The address that it comes from.
    pub source: IpAddr,
    /// The address that it goes to.
    pub destination: IpAddr,
    /// The port that it comes from; null for a protocol without ports.
    pub source_port: Option<u16>,
    /// The port that it goes to.
    pub destination_port: Option<u16>,
}

/// What was asked for of all nodes.
pub fn live(nodes: &[LiveNode], asked: Asked) -> LiveView {
    let shown = nodes.iter().any(|(_, live)| live.connections.is_some());
    let connections = || {
        let of = |(node, live): &LiveNode| -> Vec<ConnectionView> {
            live.connections.iter().flatten().map(|it| connection(node, it)).collect()
        };
        nodes.iter().flat_map(of).collect()
    };
    LiveView {
        neighbors: asked.neighbors.then(|| each(nodes, |live| &live.neighbors, neighbor)),
        fdb: asked.fdb.then(|| each(nodes, |live| &live.fdb, entry)),
        counters: asked.counters.then(|| each(nodes, |live| &live.counters, counters)),
        connections: (asked.connections && shown).then(connections),
    }
}

/// All of one sort, of all nodes.
fn each<T, V>(
    nodes: &[LiveNode],
    of: impl Fn(&crate::resource::Live) -> &Vec<T>,
    view: impl Fn(&Node, &T) -> V,
) -> Vec<V> {
    nodes.iter().flat_map(|(node, live)| of(live).iter().map(|it| view(node, it)).collect::<Vec<_>>()).collect()
}

fn neighbor(node: &Node, it: &LiveNeighbor) -> LiveNeighborView {
    LiveNeighborView {
        node: node.to_string(),
        interface: it.interface.to_string(),
        address: it.address,
        mac: it.mac.map(|mac| mac.to_string()),
        state: it.state,
        router: it.router,
    }
}

fn entry(node: &Node, it: &LiveEntry) -> LiveEntryView {
    LiveEntryView {
        node: node.to_string(),
        interface: it.interface.to_string(),
        mac: it.mac.to_string(),
        vlan: it.vlan,
        master: it.master.as_ref().map(ToString::to_string),
        dst: it.dst,
        state: it.state,
    }
}

fn counters(node: &Node, it: &LinkCounters) -> CountersView {
    CountersView { node: node.to_string(), interface: it.interface.to_string(), rx: it.rx.into(), tx: it.tx.into() }
}

fn connection(node: &Node, it: &Connection) -> ConnectionView {
    ConnectionView {
        node: node.to_string(),
        protocol: it.protocol.clone(),
        state: it.state,
        original: it.original.into(),
        reply: it.reply.into(),
        translated: it.is_translated(),
        answered: it.answered,
        expires: it.expires,
        mark: it.mark,
    }
}

impl From<Traffic> for TrafficView {
    fn from(Traffic { packets, bytes, errors, dropped }: Traffic) -> Self {
        Self { packets, bytes, errors, dropped }
    }
}

impl From<Flow> for FlowView {
    fn from(Flow { source, destination, source_port, destination_port }: Flow) -> Self {
        Self { source, destination, source_port, destination_port }
    }
}
