//! Links as JSON.

use super::scalar::Scalar;
use crate::resource::{IfName, Link, Options, Tenure, Vlans};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

/// Of a `link`. Beside what is listed here it has the attributes of its kind, as in a topology file: in an object that
/// is called like the kind there (`"bridge": { "stp": true }`), numbers, booleans, text, or null for what is not set.
#[derive(Debug, Serialize, JsonSchema)]
pub struct LinkValues {
    /// `created`, `existing` (made by another program) or `moved` (and taken from another namespace).
    pub origin: &'static str,
    /// Where it was moved from, `NODE/INTERFACE`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The kernel's name for its kind, such as `veth`; left out where it has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The other end of a veth pair, `NODE/INTERFACE`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peer: Option<String>,
    /// The lower device, `NODE/INTERFACE`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// Whether it is administratively up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub up: Option<bool>,
    /// Whether it asks for hardware addresses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arp: Option<bool>,
    /// Whether it takes part in multicast.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub multicast: Option<bool>,
    /// Its MTU in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mtu: Option<u32>,
    /// Its hardware address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mac: Option<String>,
    /// The bridge, bond or VRF that it is a port of; null for none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub master: Option<Option<String>>,
    /// Length of the transmit queue in packets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub txqueuelen: Option<u32>,
    /// Its queues.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queues: Option<QueuesView>,
    /// Further names.
    #[serde(rename = "alternative-names", skip_serializing_if = "Option::is_none")]
    pub alternative_names: Option<Vec<String>>,
    /// Its attributes as a port of a bridge, by their names in a topology file.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub port: BTreeMap<String, Scalar>,
    /// Its VLANs, as a port of a bridge or as the bridge itself.
    #[serde(rename = "port-vlan", skip_serializing_if = "Option::is_none")]
    pub port_vlan: Option<VlansView>,
    /// Its offload features: `true`, `false`, or the names of those that are on.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub offload: BTreeMap<String, Scalar>,
    /// The attributes of its kind, under its name in a topology file.
    #[serde(flatten)]
    pub attributes: BTreeMap<String, BTreeMap<String, Scalar>>,
}

/// Numbers of queues.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(extend("additionalProperties" = false))]
pub struct QueuesView {
    /// Transmit queues.
    pub tx: u32,
    /// Receive queues.
    pub rx: u32,
}

/// The VLANs of a port.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(extend("additionalProperties" = false))]
pub struct VlansView {
    /// The VLAN of frames that come in without a tag; null for none.
    pub pvid: Option<u16>,
    /// The VLANs that it is a member of.
    pub members: Vec<VlanSpanView>,
}

/// VLANs from the first to the last.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(extend("additionalProperties" = false))]
pub struct VlanSpanView {
    /// The first id.
    pub first: u16,
    /// The last id.
    pub last: u16,
    /// Whether their frames leave without a tag.
    pub untagged: bool,
}

impl From<&Link> for LinkValues {
    fn from(link: &Link) -> Self {
        Self {
            origin: match link.tenure {
                Tenure::Created => "created",
                Tenure::Existing => "existing",
                Tenure::From(_) => "moved",
            },
            from: if let Tenure::From(from) = &link.tenure { Some(from.to_string()) } else { None },
            kind: Some(link.kind.name().to_owned()).filter(|kind| !kind.is_empty()),
            peer: link.peer.as_ref().map(ToString::to_string),
            link: link.link.as_ref().map(ToString::to_string),
            up: link.up.get().copied(),
            arp: link.arp.get().copied(),
            multicast: link.multicast.get().copied(),
            mtu: link.mtu.get().copied(),
            mac: link.mac.get().map(ToString::to_string),
            master: link.master.get().map(|master| master.as_ref().map(IfName::to_string)),
            txqueuelen: link.txqueuelen.get().copied(),
            queues: link.queues.get().map(|queues| QueuesView { tx: queues.tx, rx: queues.rx }),
            alternative_names: link.alternative_names.get().map(|names| names.iter().cloned().collect()),
            port: scalars(&link.port),
            port_vlan: link.vlans.get().map(VlansView::from),
            offload: scalars(&link.offload),
            attributes: Some((link.kind.word().to_owned(), scalars(&link.options)))
                .filter(|(_, attributes)| !attributes.is_empty())
                .into_iter()
                .collect(),
        }
    }
}

fn scalars(options: &Options) -> BTreeMap<String, Scalar> {
    options.iter().map(|(name, value)| (name.to_string(), value.into())).collect()
}

impl From<&Vlans> for VlansView {
    fn from(vlans: &Vlans) -> Self {
        let span = |span: &crate::resource::VlanSpan| VlanSpanView {
            first: span.first,
            last: span.last,
            untagged: span.untagged,
        };
        Self { pvid: vlans.pvid(), members: vlans.spans().iter().map(span).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::{Kind, LinkId, Queues, Setting, Value, kinds};

    #[test]
    fn no_kind_is_called_like_a_field_of_all_links() {
        let id = LinkId::new("A", "eth0");
        let full = Link {
            tenure: Tenure::From(id.clone()),
            peer: Some(id.clone()),
            link: Some(id.clone()),
            port: [("cost".into(), Value::Number(2))].into(),
            vlans: Setting::Is(Vlans::access(1)),
            up: Setting::Is(true),
            arp: Setting::Is(true),
            multicast: Setting::Is(true),
            mtu: Setting::Is(1500),
            mac: Setting::Is(crate::resource::Mac([2; 6])),
            master: Setting::Is(None),
            alternative_names: Setting::Is([].into()),
            txqueuelen: Setting::Is(1000),
            queues: Setting::Is(Queues { tx: 1, rx: 1 }),
            offload: [("tso".into(), Value::Bool(true))].into(),
            ..Link::bare(id, Kind::Bridge)
        };
        let common = serde_json::to_value(LinkValues::from(&full)).unwrap();
        assert_eq!(common.as_object().unwrap().len(), 17, "a field is left out: {common:#}");
        for spec in kinds::ALL {
            assert_eq!(common.get(spec.word), None, "{}", spec.word);
        }
    }
}
