//! Links: veth pairs, bridges and the rest, with their attributes.

use super::kind::Kind;
use super::kinds::spec::Mtu;
use super::kinds::table::spec;
use super::kinds::tunnel;
use super::mtu::IPV6_LEAST_MTU;
use super::{
    Automatic, Class, Drift, IfName, Impact, Mac, Need, Node, Options, ResourceId, Setting, Unmarked, Vlans, kinds,
    offload,
};
use super::{LinkId, Value};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;

/// How many links the kernel stacks on top of each other at most (`MAX_NEST_DEV` of `include/linux/netdevice.h`).
pub const HIGHEST_STACK: usize = 8;

/// A network interface.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Link {
    /// Where it lives and what it is called.
    pub id: LinkId,
    /// Whether topo makes it.
    pub tenure: Tenure,
    /// The names that it may have where the file gives it none, the preferred one first: the machine decides, see
    /// [`crate::kernel::Kernel::resolve`]. Empty where the file names it, and of what was observed. Not compared.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub candidates: Vec<IfName>,
    /// What it is.
    pub kind: Kind,
    /// The other end of a veth pair. `None` in an observed state when the other end is in a namespace that was not
    /// looked at.
    pub peer: Option<LinkId>,
    /// The interface it depends on (`link`): the lower device of a macvlan or vxlan.
    pub link: Option<LinkId>,
    /// The attributes of its kind, see [`kinds`].
    pub options: Options,
    /// Its attributes as a port of a bridge, see [`kinds::PORT`]; empty where it is none.
    pub port: Options,
    /// Its VLANs as a port of a bridge that filters them, or as such a bridge. In an observed state it is only known of
    /// ports and bridges, and where it was asked for.
    pub vlans: Setting<Vlans>,
    /// Whether it is administratively up.
    pub up: Setting<bool>,
    /// Whether it asks for hardware addresses (`IFF_NOARP` is not set), of kinds that do by themselves.
    #[serde(default)]
    pub arp: Setting<bool>,
    /// Whether it takes part in multicast (`IFF_MULTICAST`), of the same kinds: without it no IPv6 neighbour is found.
    #[serde(default)]
    pub multicast: Setting<bool>,
    /// Whether a DHCP client looks after its IPv4: what it puts there is its own. Not compared.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dhcp4: bool,
    /// The same for IPv6.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dhcp6: bool,
    /// Its MTU in bytes.
    pub mtu: Setting<u32>,
    /// Its hardware address. On a link of ours it is left to the kernel unless the file says it.
    pub mac: Setting<Mac>,
    /// The bridge (or bond, vrf) that it is a port of, in the same node.
    pub master: Setting<Option<IfName>>,
    /// Further names (`ip link property add altname`), up to 127 bytes each.
    pub alternative_names: Setting<BTreeSet<String>>,
    /// Length of the transmit queue in packets.
    pub txqueuelen: Setting<u32>,
    /// Number of queues, fixed at creation.
    pub queues: Setting<Queues>,
    /// The offload features of it, see [`offload`]. In an observed state what is managed, or was.
    #[serde(default)]
    pub offload: Options,
    /// What the kernel made of it and another program took away; never wanted.
    #[serde(default)]
    pub missing: BTreeSet<Automatic>,
    /// Whether it carries the topology's marks. Always `true` for links inside a namespace of ours.
    pub marked: bool,
    /// What it has in the place of the marks; of a link without any that can be adopted. Not compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unmarked: Option<Unmarked>,
}

/// Number of transmit and receive queues of a link.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Queues {
    /// Transmit queues, 1 to 4096.
    pub tx: u32,
    /// Receive queues, 1 to 4096.
    pub rx: u32,
}

impl fmt::Display for Queues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tx {} rx {}", self.tx, self.rx)
    }
}

/// How a link comes to be there.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Tenure {
    /// Made and removed by topo.
    Created,
    /// Made by another program (or by the kernel, as `lo` is), configured where it is.
    Existing,
    /// Made by another program, moved in from this place, and moved back at the end.
    From(LinkId),
}

impl Link {
    /// A link with nothing managed.
    pub fn bare(id: LinkId, kind: Kind) -> Self {
        Self {
            id,
            tenure: Tenure::Created,
            candidates: Vec::new(),
            kind,
            peer: None,
            link: None,
            options: Options::new(),
            port: Options::new(),
            vlans: Setting::Left,
            up: Setting::Left,
            arp: Setting::Left,
            multicast: Setting::Left,
            dhcp4: false,
            dhcp6: false,
            mtu: Setting::Left,
            mac: Setting::Left,
            master: Setting::Left,
            alternative_names: Setting::Left,
            txqueuelen: Setting::Left,
            queues: Setting::Left,
            offload: Options::new(),
            missing: BTreeSet::new(),
            marked: true,
            unmarked: None,
        }
    }

    /// The bridge that it is a port of.
    pub fn master_id(&self) -> Option<LinkId> {
        let master = self.master.get()?.as_ref()?;
        Some(LinkId { node: self.id.node.clone(), name: master.clone() })
    }

    /// The node that a WireGuard interface is created in, where its packets leave; the one that it lives in where
    /// nothing else is said.
    pub fn transport(&self) -> Node {
        match self.options.get("transport") {
            Some(Value::Word(node)) => Node::of_code(node),
            _ => self.id.node.clone(),
        }
    }

    /// Takes from `below` the settings about which `self` says nothing.
    pub fn fall_back_to(&mut self, below: &Self) {
        self.up = self.up.over(&below.up);
        self.arp = self.arp.over(&below.arp);
        self.multicast = self.multicast.over(&below.multicast);
        self.mtu = self.mtu.over(&below.mtu);
        self.mac = self.mac.over(&below.mac);
        self.master = self.master.over(&below.master);
        self.vlans = self.vlans.over(&below.vlans);
        self.alternative_names = self.alternative_names.over(&below.alternative_names);
        self.txqueuelen = self.txqueuelen.over(&below.txqueuelen);
    }

    /// As a foreign link, with the settings that `named` has too.
    #[must_use]
    pub fn only(&self, named: &Self) -> Self {
        self.attributes(named, true)
    }

    /// As a foreign link, with the settings that `named` does not have.
    #[must_use]
    pub fn without(&self, named: &Self) -> Self {
        Self { tenure: self.tenure.clone(), kind: self.kind.clone(), ..self.attributes(named, false) }
    }

    /// Without the settings that `now` has otherwise than they were set in `set`: another program changed them since.
    #[must_use]
    pub fn without_changed(&self, set: &Self, now: &Self) -> Self {
        fn differ<T: Clone + PartialEq>(set: &Setting<T>, now: &Setting<T>) -> Setting<T> {
            if matches!((set, now), (Setting::Is(set), Setting::Is(now)) if set != now) {
                set.clone()
            } else {
                Setting::Left
            }
        }
        let port = set.port.iter().filter(|(name, value)| now.port.get(*name).is_some_and(|now| now != *value));
        let changed = Self {
            up: differ(&set.up, &now.up),
            arp: differ(&set.arp, &now.arp),
            multicast: differ(&set.multicast, &now.multicast),
            mtu: differ(&set.mtu, &now.mtu),
            mac: differ(&set.mac, &now.mac),
            master: differ(&set.master, &now.master),
            alternative_names: differ(&set.alternative_names, &now.alternative_names),
            vlans: differ(&set.vlans, &now.vlans),
            txqueuelen: differ(&set.txqueuelen, &now.txqueuelen),
            port: port.map(|(name, value)| (name.clone(), value.clone())).collect(),
            ..Self::bare(self.id.clone(), Kind::Any)
        };
        self.without(&changed)
    }

    fn attributes(&self, named: &Self, there: bool) -> Self {
        fn mask<T: Clone>(value: &Setting<T>, by: &Setting<T>, there: bool) -> Setting<T> {
            if by.get().is_some() == there { value.clone() } else { Setting::Left }
        }
        let port = self.port.iter().filter(|(name, _)| named.port.contains_key(*name) == there);
        Self {
            tenure: Tenure::Existing,
            marked: false,
            up: mask(&self.up, &named.up, there),
            arp: mask(&self.arp, &named.arp, there),
            multicast: mask(&self.multicast, &named.multicast, there),
            mtu: mask(&self.mtu, &named.mtu, there),
            mac: mask(&self.mac, &named.mac, there),
            master: mask(&self.master, &named.master, there),
            alternative_names: mask(&self.alternative_names, &named.alternative_names, there),
            vlans: mask(&self.vlans, &named.vlans, there),
            txqueuelen: mask(&self.txqueuelen, &named.txqueuelen, there),
            port: port.map(|(name, value)| (name.clone(), value.clone())).collect(),
            ..Self::bare(self.id.clone(), Kind::Any)
        }
    }

    /// Its identity.
    pub fn id(&self) -> ResourceId {
        ResourceId::Link(self.id.clone())
    }

    /// Whether it is known to have an MTU with which the kernel keeps no IPv6 on it: no addresses, routes or settings.
    /// (0 is the MTU of a bridge that nothing can know before it is read.)
    pub fn too_small_for_ipv6(&self) -> bool {
        self.mtu.get().is_some_and(|mtu| (1..IPV6_LEAST_MTU).contains(mtu))
    }

    /// The namespace, the link it depends on, its master.
    pub fn requires(&self) -> Vec<Need> {
        let mut needs = vec![Need::inside(ResourceId::Namespace(self.id.node.clone()))];
        needs.push(Need::class(self.id.node.clone(), Class::Sysctl));
        if let Some(peer) = &self.peer {
            needs.push(Need::uses(ResourceId::Namespace(peer.node.clone())));
        }
        if kinds::traits(&self.kind).has_keys && self.transport() != self.id.node {
            needs.push(Need::uses(ResourceId::Namespace(self.transport())));
        }
        if let Some(link) = &self.link {
            let link = ResourceId::Link(link.clone());
            needs.push(if kinds::dies_with_link(&self.kind) { Need::inside(link) } else { Need::uses(link) });
        }
        if let Some(master) = self.master_id() {
            needs.push(Need::uses(ResourceId::Link(master)));
        }
        if let Some(source) = self.source() {
            needs.push(Need::uses(ResourceId::Namespace(source.node.clone())));
        }
        needs
    }

    /// How its parent link differs. Only a tunnel can do without one, and only beside it can it get another one.
    fn parent_drift(&self, observed: &Self) -> Option<Drift> {
        let in_place = kinds::link_impact(&self.kind);
        if self.link == observed.link || (self.link.is_none() && in_place != Impact::InPlace) {
            return None;
        }
        let beside = |link: &Option<LinkId>| link.as_ref().is_some_and(|link| link.node == self.id.node);
        let stays = beside(&self.link) && (observed.link.is_none() || beside(&observed.link));
        Some(Drift::optional(
            "link",
            observed.link.as_ref(),
            self.link.as_ref(),
            if stays { in_place } else { Impact::Replace },
        ))
    }

    /// How its kind, its other end and its parent link differ: what a link is given when it is created.
    fn identity_drift(&self, observed: &Self) -> Vec<Drift> {
        let mut drift = Vec::new();
        if self.kind != Kind::Any && self.kind != observed.kind {
            drift.push(Drift::new("kind", observed.kind.name(), self.kind.name(), Impact::Replace));
        }
        if self.peer.is_some() && self.peer != observed.peer {
            // Under another prefix the ends read the same in the file.
            let (old, new) = (observed.peer.as_ref(), self.peer.as_ref());
            let same = old.map(LinkId::to_string) == new.map(LinkId::to_string);
            let word = |end: &LinkId| if same { end.full() } else { end.to_string() };
            drift.push(Drift::optional("peer", old.map(word).as_ref(), new.map(word).as_ref(), Impact::Replace));
        }
        drift.extend(self.parent_drift(observed));
        drift
    }

    /// The fields in which `self` (wanted) differs from `observed`.
    pub fn drift(&self, observed: &Self) -> Vec<Drift> {
        let Self {
            id: _,
            tenure,
            candidates: _,
            kind,
            peer: _,
            link: _,
            options,
            port,
            vlans,
            up,
            arp,
            multicast,
            mtu,
            mac,
            master,
            alternative_names,
            txqueuelen,
            queues,
            offload: does,
            missing,
            marked,
            dhcp4: _,
            dhcp6: _,
            unmarked: _,
        } = self;
        let mut drift = self.identity_drift(observed);
        kinds::drift(kinds::of(kind), options, &observed.options, &mut drift);
        Drift::setting(&mut drift, "queues", queues, &observed.queues, Impact::Replace);
        Drift::setting(&mut drift, "mtu", mtu, &observed.mtu, Impact::InPlace);
        Drift::setting(&mut drift, "mac", mac, &observed.mac, kinds::mac_impact(kind).unwrap_or(Impact::Replace));
        Drift::setting(&mut drift, "arp", arp, &observed.arp, Impact::InPlace);
        Drift::setting(&mut drift, "multicast", multicast, &observed.multicast, Impact::InPlace);
        Drift::setting(&mut drift, "txqueuelen", txqueuelen, &observed.txqueuelen, Impact::InPlace);
        differs(&mut drift, "master", master, &observed.master, |m| {
            m.as_ref().map_or("none".to_owned(), IfName::to_string)
        });
        if matches!(master, Setting::Left | Setting::Is(Some(_))) {
            kinds::drift(kinds::PORT, port, &observed.port, &mut drift);
        }
        Drift::setting(&mut drift, "port-vlan", vlans, &observed.vlans, Impact::InPlace);
        differs(&mut drift, "alternative-names", alternative_names, &observed.alternative_names, |n| {
            n.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
        });
        offload::drift(does, &observed.offload, &mut drift);
        Drift::setting(&mut drift, "up", up, &observed.up, Impact::Flap);
        drift.extend(
            Automatic::drift(missing, &observed.missing)
                .into_iter()
                .map(|word| Drift::in_place(word, "missing", "present")),
        );
        if *marked && !observed.marked {
            drift.push(Drift::in_place("mark", "none", "topo"));
        }
        // What topo did not make it does not make anew: the other end of another program's pair that moved is still the
        // same pair.
        if *tenure != Tenure::Created {
            drift.retain(|drift| drift.impact != Impact::Replace);
        }
        drift
    }
}

/// [`Drift::setting`] for what is written in words of its own.
fn differs<T: PartialEq>(
    drift: &mut Vec<Drift>,
    field: &str,
    new: &Setting<T>,
    old: &Setting<T>,
    shown: impl Fn(&T) -> String,
) {
    if let (Setting::Is(new), Setting::Is(old)) = (new, old)
        && new != old
    {
        drift.push(Drift::in_place(field, shown(old), shown(new)));
    }
}

impl Link {
    /// Where it is when topo has not moved it.
    pub fn home(&self) -> &LinkId {
        self.source().unwrap_or(&self.id)
    }

    /// Where topo moves it from; `None` where it stays.
    pub fn source(&self) -> Option<&LinkId> {
        if let Tenure::From(source) = &self.tenure { Some(source) } else { None }
    }
}

/// What is put around each packet that `link` sends, in bytes.
pub fn around(link: &Link) -> u32 {
    let six =
        ["local", "remote"].iter().any(|key| matches!(link.options.get(*key), Some(Value::Ip(ip)) if ip.is_ipv6()));
    let key = if matches!(link.options.get("key"), Some(Value::Number(_))) { tunnel::KEY } else { 0 };
    match spec(&link.kind).map(|spec| spec.mtu) {
        Some(Mtu::Below { v6, .. }) if six => v6 + key,
        Some(Mtu::Below { v4, .. }) => v4 + key,
        _ => 0,
    }
}
