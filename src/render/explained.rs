//! The way of a packet as JSON.

use super::explain::{Written, stop_of, whole};
use crate::flow::outcome::{Explanation, Path, Step, Verdict};
use schemars::JsonSchema;
use serde::Serialize;
use std::net::IpAddr;

/// What `explain --json` prints.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Explained {
    /// The version of this format.
    pub format_version: u32,
    /// The topology.
    pub topology: String,
    /// The flows that were asked about.
    pub flows: Vec<Flow>,
}

/// A flow and what becomes of it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Flow {
    /// The node that sends.
    pub from: String,
    /// What was asked for: a node, an interface, an address.
    pub to: String,
    /// The source address.
    pub source: IpAddr,
    /// The destination address.
    pub destination: IpAddr,
    /// `icmp`, `tcp` or `udp`.
    pub protocol: String,
    /// The destination port, where the protocol has ports.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// `reaches`, `stops` or `cannot-say`.
    pub verdict: &'static str,
    /// Why it does not reach.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// The steps of the packet.
    pub forth: Vec<Hop>,
    /// The steps of its answer; none where the packet does not arrive.
    pub back: Vec<Hop>,
}

/// Why a packet does not arrive.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Reason {
    /// A word for programs: `no-route`, `filter`, `forwarding`, `rp-filter`, `neighbor`, `mtu`, ….
    pub code: &'static str,
    /// The node where that is.
    pub node: String,
    /// The interface, where it concerns one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interface: Option<String>,
    /// What happens.
    pub what: String,
    /// What decided it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Where that stands in the file, `FILE:LINE:COLUMN`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// What would let it through, as YAML.
    pub fix: Vec<String>,
}

/// A step.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Hop {
    /// The node.
    pub node: String,
    /// The interface, where it concerns one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interface: Option<String>,
    /// What happens.
    pub what: String,
    /// What decided it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

/// The word of a verdict in JSON.
pub fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Reaches => "reaches",
        Verdict::Stops => "stops",
        Verdict::CannotSay => "cannot-say",
    }
}

impl Flow {
    /// A flow as JSON has it.
    pub fn of(from: &str, to: &str, explanation: &Explanation, written: Option<Written<'_>>) -> Self {
        let packet = &explanation.packet;
        let reason = explanation.reason().and_then(stop_of).map(|stop| Reason {
            code: stop.code,
            node: stop.node.to_string(),
            interface: stop.interface.clone(),
            what: stop.what.clone(),
            by: stop.by.as_ref().map(|by| by.text.clone()),
            place: written
                .and_then(|written| written.place(stop.by.as_ref()?))
                .map(|origin| format!("{}:{}:{}", origin.file, origin.line, origin.column)),
            fix: stop.fix.iter().map(|fix| whole(fix, &stop.node)).collect(),
        });
        Self {
            from: from.to_owned(),
            to: to.to_owned(),
            source: packet.source,
            destination: packet.destination,
            protocol: packet.protocol.to_string(),
            port: Some(packet.port).filter(|_| packet.protocol.has_ports()),
            verdict: word(explanation.verdict()),
            reason,
            forth: hops(&explanation.forth),
            back: explanation.back.as_ref().map(hops).unwrap_or_default(),
        }
    }
}

fn hops(path: &Path) -> Vec<Hop> {
    let hop = |step: &Step| Hop {
        node: step.node.to_string(),
        interface: step.interface.clone(),
        what: step.what.clone(),
        by: step.by.as_ref().map(|by| by.text.clone()),
    };
    path.steps.iter().map(hop).collect()
}

/// What `trace --json` prints.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TracedFlow {
    /// The version of this format.
    pub format_version: u32,
    /// The topology.
    pub topology: String,
    /// What was seen of the packet.
    pub flow: Flow,
    /// What `explain` says of the same packet.
    pub explain: Flow,
    /// Whether both say the same, as far as either can say something.
    pub agree: bool,
}
