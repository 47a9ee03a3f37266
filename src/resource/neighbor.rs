//! Neighbours and forwarding entries that the file lists.

use super::id::FdbTarget;
use super::{Drift, LinkId, Mac, Need, ResourceId};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// A static neighbour entry (`ip neigh`), or a proxy one.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Neighbor {
    /// The interface.
    pub link: LinkId,
    /// The neighbour's address.
    pub address: IpAddr,
    /// Whether it is a proxy entry (`NTF_PROXY`), which has no hardware address.
    pub proxy: bool,
    /// Its hardware address; `None` for a proxy entry.
    pub mac: Option<Mac>,
    /// Whether it is permanent (`NUD_PERMANENT`), as topo makes it; always `true` for a proxy entry.
    pub permanent: bool,
    /// Whether it carries protocol 0x74 (`NDA_PROTOCOL`).
    pub marked: bool,
    /// Who put it there, where it is not marked (`NDA_PROTOCOL`); 0 if it is not known.
    #[serde(default)]
    pub protocol: u8,
}

impl Neighbor {
    /// Its identity.
    pub fn id(&self) -> ResourceId {
        ResourceId::Neighbor(self.link.clone(), self.address, self.proxy)
    }

    /// Its link.
    pub fn requires(&self) -> Vec<Need> {
        vec![Need::inside(ResourceId::Link(self.link.clone()))]
    }

    /// The fields in which `self` (wanted) differs from `observed`.
    pub fn drift(&self, observed: &Self) -> Vec<Drift> {
        let Self { link: _, address: _, proxy: _, mac, permanent, marked, protocol: _ } = self;
        let mut drift = Vec::new();
        if *mac != observed.mac {
            drift.push(Drift::optional("mac", observed.mac.as_ref(), mac.as_ref(), super::Impact::InPlace));
        }
        if *permanent && !observed.permanent {
            drift.push(Drift::in_place("state", "learned", "permanent"));
        }
        if *marked && !observed.marked {
            drift.push(Drift::in_place("mark", "none", "topo"));
        }
        drift
    }
}

/// A static forwarding entry (`bridge fdb`): where frames to `mac` go.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Fdb {
    /// The vxlan, or the port of a bridge.
    pub link: LinkId,
    /// The hardware address; all zero for frames to unknown addresses.
    pub mac: Mac,
    /// Where they go.
    pub to: FdbTarget,
}

impl Fdb {
    /// Its identity; an entry is nothing else.
    pub fn id(&self) -> ResourceId {
        ResourceId::Fdb(self.link.clone(), self.mac, self.to)
    }

    /// Its link.
    pub fn requires(&self) -> Vec<Need> {
        vec![Need::inside(ResourceId::Link(self.link.clone()))]
    }

    /// Never differs: what it is, is its identity.
    pub fn drift(&self, observed: &Self) -> Vec<Drift> {
        let Self { link: _, mac: _, to: _ } = observed;
        Vec::new()
    }
}
