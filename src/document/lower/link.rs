//! Links.

use super::context::Lowering;
use super::index::End;
use super::node::{At, target};
use crate::document::schema::interface::{Interface, KindKey, Offload, Port};
use crate::document::{Finding, Loc};
use crate::resource::kinds::spec::Mtu;
use crate::resource::{
    IfName, Kind, Link, LinkId, Options, Owner, Queues, Resource, ResourceId, Setting, Tenure, Value,
};
use std::collections::BTreeSet;

impl<'d> Lowering<'d> {
    /// The interfaces of a node and what depends on them.
    pub fn interfaces(&mut self, at: &At<'d>) {
        for (name, interface) in &at.section.interfaces {
            let path = format!("{}.interfaces.{name}", at.path);
            let made = self.link(at, name, interface, &path);
            if made {
                self.addresses(at, name, interface, &path);
            }
            self.interface_settings(at, name, interface, &path);
            self.impair(at, name, interface, &path, made);
        }
        let lo = IfName::from("lo");
        if at.created && !at.section.interfaces.contains_key("lo") {
            let mut link = Link::bare(at.link(&lo), Kind::Loopback);
            loopback(&mut link);
            self.put(Resource::Link(Box::new(link)), Owner::Ours, at.place, at.path.clone());
        }
    }

    /// The link of an entry; whether there is one now.
    fn link(&mut self, at: &At<'d>, name: &Loc<IfName>, interface: &Interface, path: &str) -> bool {
        let id = at.link(name);
        let (mut link, owner) = if name.as_str() == "lo" {
            let mut link = Link::bare(id, Kind::Loopback);
            link.tenure = Tenure::Existing;
            link.marked = at.created;
            if at.created {
                loopback(&mut link);
            }
            (link, if at.created { Owner::Ours } else { Owner::Named })
        } else if let Some(KindKey::Existing(existing)) = interface.kind.as_ref().map(|kind| &kind.value) {
            let mut link = Link::bare(id, Kind::Any);
            link.marked = false;
            link.tenure = Tenure::Existing;
            if let Some(from) = &existing.from {
                link.tenure = Tenure::From(target(&at.node, from));
                // A move leaves it down, and everything is up unless the file says otherwise.
                link.up = Setting::Is(true);
            }
            (link, Owner::Named)
        } else {
            let Some(mut link) = self.created(at, id, interface, path) else { return false };
            fresh(&mut link);
            (link, Owner::Ours)
        };
        self.common(&mut link, interface);
        self.as_the_bond(&mut link, interface.mtu.is_some());
        if interface.kind.as_ref().is_some_and(|kind| matches!(&kind.value, KindKey::Veth(_)))
            || interface.kind.is_none()
        {
            self.take_over(&mut link);
        }
        self.enslave(&mut link, interface.port.as_deref());
        self.vlans(&mut link, interface.port_vlan.as_deref());
        self.stations(&link, interface.fdb.as_deref(), path);
        self.put(Resource::Link(Box::new(link)), owner, name.place, path.to_owned());
        true
    }

    /// A link that topo makes, with what its kind says; `None` for a kind that cannot be made yet, or is not
    /// understood.
    fn created(&mut self, at: &At<'d>, id: LinkId, interface: &Interface, path: &str) -> Option<Link> {
        let Some(kind) = &interface.kind else {
            let peer = self.index.ends.get(&id)?.peer.clone();
            return Some(veth(id, peer));
        };
        match &kind.value {
            KindKey::Veth(_) => {
                let peer = self.index.ends.get(&id)?.peer.clone();
                Some(veth(id, peer))
            }
            KindKey::Bridge(bridge) => Some(self.bridge(id, bridge)),
            KindKey::Vxlan(vxlan) => self.vxlan(at, id, vxlan, path),
            KindKey::Vlan(vlan) => self.vlan(at, id, vlan),
            KindKey::Macvlan(macvlan) => self.macvlan(at, id, Kind::Macvlan, macvlan),
            KindKey::Macvtap(macvtap) => self.macvlan(at, id, Kind::Macvtap, macvtap),
            KindKey::Ipvlan(ipvlan) => self.ipvlan(at, id, ipvlan),
            KindKey::Dummy(_) => Some(Link::bare(id, Kind::Dummy)),
            KindKey::Ifb(_) => Some(Link::bare(id, Kind::Ifb)),
            KindKey::Nlmon(_) => Some(Link::bare(id, Kind::Nlmon)),
            KindKey::Bond(bond) => Some(self.bond(id, bond)),
            KindKey::Vrf(vrf) => Some(self.vrf(id, vrf)),
            KindKey::Gre(gre) => self.gre(at, id, false, gre),
            KindKey::Gretap(gre) => self.gre(at, id, true, gre),
            KindKey::Ipip(tunnel) => self.tunnel(at, id, Kind::Ipip, tunnel),
            KindKey::Sit(tunnel) => self.tunnel(at, id, Kind::Sit, tunnel),
            KindKey::Ip6tnl(tunnel) => self.ip6tnl(at, id, tunnel),
            KindKey::Geneve(geneve) => self.geneve(id, geneve),
            KindKey::Tun(tun) => Some(self.tun(id, Kind::Tun, tun)),
            KindKey::Tap(tun) => Some(self.tun(id, Kind::Tap, tun)),
            KindKey::Wireguard(wireguard) => Some(self.wireguard(at, id, wireguard, path)),
            // An interface of another program is made by nothing.
            KindKey::Existing(_) => None,
        }
    }

    /// What all kinds have in common. Only what is written: the rest is filled in before.
    fn common(&mut self, link: &mut Link, interface: &Interface) {
        if let Some(up) = &interface.up {
            link.up = Setting::Is(up.value);
        }
        let on = |key: &Option<Loc<bool>>| key.as_ref().is_some_and(|on| on.value);
        (link.dhcp4, link.dhcp6) = (on(&interface.dhcp4), on(&interface.dhcp6));
        if let Some(mtu) = &interface.mtu {
            link.mtu = Setting::Is(mtu.u32());
        }
        if let Some(mac) = &interface.mac {
            link.mac = Setting::Is(mac.value);
        }
        if let Some(txqueuelen) = &interface.txqueuelen {
            link.txqueuelen = Setting::Is(txqueuelen.u32());
        }
        if let Some(queues) = &interface.queues {
            link.queues = Setting::Is(Queues { tx: queues.tx, rx: queues.rx });
        }
        if let Some(names) = &interface.alternative_names {
            let set: BTreeSet<String> = names.iter().map(|name| name.0.clone()).collect();
            link.alternative_names = Setting::Is(set);
        }
        if let Some(offload) = &interface.offload {
            self.offload(link, offload);
        }
    }

    /// The offload features of it; only what is written.
    fn offload(&mut self, link: &mut Link, offload: &Offload) {
        let switches = [&offload.tx_checksum, &offload.rx_checksum, &offload.tso, &offload.gso, &offload.gro];
        let switches = crate::resource::offload::ALL.iter().zip(switches);
        link.offload = switches
            .filter_map(|(known, switch)| Some((known.name.into(), Value::Bool(switch.as_ref()?.value))))
            .collect();
        if let (Some(tx), Some(tso)) = (&offload.tx_checksum, &offload.tso)
            && tso.value
            && !tx.value
        {
            let finding = Finding::error(
                "offload",
                tso.place,
                format!("{} cannot cut up TCP segments without checksums of what it sends", link.id),
            );
            self.note(finding.also(tx.place, "turned off here").help("leave out one of the two"));
        }
    }

    /// The nameless end of a pair takes over the MTU of the end that has an entry.
    fn take_over(&mut self, link: &mut Link) {
        let Some(peer) = link.peer.clone() else { return };
        let plugged = self.index.ends.get(&peer).is_some_and(|end| end.plugged);
        if plugged {
            // `port` of this entry means the other end, see `far_ends`.
            link.port = Options::new();
        }
    }

    /// A port of a bond has the bond's MTU unless the file says another one.
    fn as_the_bond(&self, link: &mut Link, written: bool) {
        let master = self
            .index
            .masters
            .get(&link.id)
            .map(|master| LinkId { node: link.id.node.clone(), name: master.name.clone() });
        if !written && master.is_some_and(|master| matches!(self.index.kind(&master), Some(KindKey::Bond(_)))) {
            link.mtu = Setting::Left;
        }
    }

    /// Makes `link` a port of its master, or of none.
    fn enslave(&mut self, link: &mut Link, port: Option<&Port>) {
        let peer_plugged = link.peer.as_ref().and_then(|peer| self.index.ends.get(peer)).is_some_and(|end| end.plugged);
        let port = port.filter(|_| !peer_plugged);
        let Some(master) = self.index.masters.get(&link.id) else {
            if let Some(port) = port.filter(|_| !matches!(link.kind, Kind::Any)) {
                self.note(
                    Finding::error("not-a-port", port.place, format!("{} is not a port of a bridge", link.id))
                        .help("list it in the bridge's ports"),
                );
            } else if let Some(port) = port {
                link.port = options(port);
            }
            return;
        };
        link.master = Setting::Is(Some(master.name.clone()));
        let id = LinkId { node: link.id.node.clone(), name: master.name.clone() };
        let bridge = matches!(self.index.kind(&id), Some(KindKey::Bridge(_) | KindKey::Existing(_)));
        if let Some(port) = port {
            if bridge {
                link.port = options(port);
            } else {
                self.note(Finding::error(
                    "not-a-port",
                    port.place,
                    format!("{id} is not a bridge: its ports have no such attributes"),
                ));
            }
        }
        // A fresh port has the defaults; on a foreign link only what is written counts.
        if bridge && link.marked {
            let said = link.port.contains_key("cost") || link.kind == Kind::Veth;
            crate::resource::kinds::table::fill(crate::resource::kinds::PORT, &mut link.port);
            if !said {
                link.port.remove("cost");
            }
        }
    }

    /// Other ends of veth pairs that have no entry of their own.
    pub fn far_ends(&mut self) {
        let implied: Vec<(LinkId, End)> =
            self.index.ends.iter().filter(|(_, end)| end.implied).map(|(id, end)| (id.clone(), end.clone())).collect();
        for (id, end) in implied {
            let near = self.index.entries.get(&end.peer).map(|(interface, _)| *interface);
            let mut link = veth(id, end.peer.clone());
            link.candidates.clone_from(&end.candidates);
            fresh(&mut link);
            let (mut port, mut vlans, mut stations) = (None, None, None);
            // An end without an entry has the other's mtu: frames that one sends fit through the other.
            if let Some(mtu) = near.and_then(|near| near.mtu.as_ref()) {
                link.mtu = Setting::Is(mtu.u32());
            }
            if let Some(near) = near.filter(|_| end.plugged) {
                port = near.port.as_deref();
                vlans = near.port_vlan.as_deref();
                stations = near.fdb.as_deref();
            }
            self.as_the_bond(&mut link, false);
            self.enslave(&mut link, port);
            self.vlans(&mut link, vlans);
            self.stations(&link, stations, &end.path);
            let (id, resource_id) = (link.id.clone(), link.id());
            self.put(Resource::Link(Box::new(link)), Owner::Ours, end.place, end.path);
            if let Some(origin) = self.origins.get(&resource_id).cloned() {
                // Whatever it will be called.
                let others = end.candidates.into_iter().map(|name| LinkId { node: id.node.clone(), name });
                others.for_each(|other| _ = self.origins.entry(ResourceId::Link(other)).or_insert(origin.clone()));
            }
        }
    }
}

fn veth(id: LinkId, peer: LinkId) -> Link {
    let mut link = Link::bare(id, Kind::Veth);
    link.peer = Some(peer);
    link
}

/// The attributes that a fresh link has everywhere, so that dropping one from the file puts it back. An MTU that
/// follows another link's is left alone.
fn fresh(link: &mut Link) {
    crate::resource::kinds::table::fill(crate::resource::kinds::table::of(&link.kind), &mut link.options);
    link.up = Setting::Is(true);
    if link.kind.asks() {
        (link.arp, link.multicast) = (Setting::Is(true), Setting::Is(true));
    }
    link.master = Setting::Is(None);
    link.alternative_names = Setting::Is(BTreeSet::new());
    let spec = crate::resource::kinds::table::spec(&link.kind);
    link.txqueuelen = Setting::Is(spec.map_or(1000, |spec| spec.txqueuelen));
    match spec.map(|spec| spec.mtu) {
        Some(Mtu::Is(mtu)) => link.mtu = Setting::Is(mtu),
        _ if link.kind == Kind::Vxlan && link.link.is_none() => link.mtu = Setting::Is(1500),
        _ => {}
    }
}

/// `lo` of a namespace that topo makes: up, and otherwise as the kernel makes it (`loopback_setup`).
fn loopback(link: &mut Link) {
    link.tenure = Tenure::Existing;
    link.up = Setting::Is(true);
    link.mtu = Setting::Is(65536);
    link.alternative_names = Setting::Is(BTreeSet::new());
    link.txqueuelen = Setting::Is(1000);
}

/// The written attributes of a port.
fn options(port: &Port) -> Options {
    let mut options = Options::new();
    let numbers = [
        ("cost", port.cost.as_ref().map(|number| number.0)),
        ("priority", port.priority.as_ref().map(|number| number.0)),
        ("multicast-router", port.multicast_router.as_ref().map(|number| number.0)),
    ];
    let switches = [
        ("hairpin", &port.hairpin),
        ("guard", &port.guard),
        ("root-block", &port.root_block),
        ("fast-leave", &port.fast_leave),
        ("learning", &port.learning),
        ("flood", &port.flood),
        ("multicast-flood", &port.multicast_flood),
        ("broadcast-flood", &port.broadcast_flood),
        ("multicast-to-unicast", &port.multicast_to_unicast),
        ("proxy-arp", &port.proxy_arp),
        ("proxy-arp-wifi", &port.proxy_arp_wifi),
        ("neighbor-suppress", &port.neighbor_suppress),
        ("isolated", &port.isolated),
        ("locked", &port.locked),
    ];
    options.extend(numbers.into_iter().filter_map(|(name, number)| Some((name.into(), Value::Number(number?)))));
    options.extend(
        switches.into_iter().filter_map(|(name, switch)| Some((name.into(), Value::Bool(switch.as_ref()?.value)))),
    );
    options
}
