//! What a node asks of a packet before it takes it or sends it on: its source, the switch for forwarding, the way back,
//! the MTU.

use super::fib::{self, Found, From, Hop};
use super::outcome::{By, End};
use super::packet::{Packet, Part, Protocol, is_loopback};
use super::walk::Walk;
use crate::resource::{Family, IfName, Link, Node, ResourceId, RouteKind};

impl Walk<'_, '_> {
    /// Whether a node takes packets for others.
    pub(super) fn may_forward(&self, link: &Link, packet: &Packet) -> Result<(), End> {
        let (node, name) = (&link.id.node, &link.id.name);
        let (on, key) = self.world.forwards(node, name, packet.family());
        let by = By::resource(ResourceId::Sysctl(node.clone(), key.clone()), format!("{} = 0", key.replace('/', ".")));
        match on {
            Some(true) => Ok(()),
            Some(false) => {
                let what = format!("{} is for another node, and this one does not forward", packet.destination);
                Err(self.stop("forwarding", node, Some(name), what, Some(by), packet))
            }
            None => {
                let by = By::text(key.replace('/', "."));
                Err(self.unknown(
                    "forwarding",
                    node,
                    Some(name),
                    "it is not known whether it forwards",
                    Some(by),
                    packet,
                ))
            }
        }
    }

    /// Whether the kernel takes a packet with this source at all (`ip_route_input_slow`).
    pub(super) fn source_fits(&self, link: &Link, packet: &Packet) -> Result<(), End> {
        let (node, name) = (&link.id.node, &link.id.name);
        if is_loopback(packet.source) {
            let what = format!("{} cannot come from outside", packet.source);
            return Err(self.stop("source", node, Some(name), what, None, packet));
        }
        if is_loopback(packet.destination) {
            let key = format!("net/ipv4/conf/{name}/route_localnet");
            if packet.family() == Family::V6 || self.world.number(node, &key) != Some(1) {
                let what = format!("{} cannot be asked for from outside", packet.destination);
                let by = By::resource(ResourceId::Sysctl(node.clone(), key), "route_localnet = 0");
                return Err(self.stop("route-localnet", node, Some(name), what, Some(by), packet));
            }
        }
        let accepted = self.world.number(node, &format!("net/ipv4/conf/{name}/accept_local")) == Some(1);
        if packet.family() == Family::V4 && !accepted && self.world.owner(node, packet.source).is_some() {
            let what = format!("its source {} is an address of this node", packet.source);
            return Err(self.stop("source", node, Some(name), what, None, packet));
        }
        Ok(())
    }

    /// `rp_filter`: whether there is a way back to the source, by this interface where it is strict
    /// (`fib_validate_source`).
    pub(super) fn reverse_path(&self, link: &Link, packet: &Packet) -> Result<(), End> {
        let (node, name) = (&link.id.node, &link.id.name);
        let (strict, key) = self.world.reverse_path(node, name);
        if strict == 0 || packet.family() == Family::V6 {
            return Ok(());
        }
        let marked = self.world.number(node, &format!("net/ipv4/conf/{name}/src_valid_mark")) == Some(1);
        let back = Packet { mark: if marked { packet.mark } else { Some(0) }, ..packet.answer() };
        let from = From { input: Some(link), source: Some(packet.destination) };
        let by = By::resource(
            ResourceId::Sysctl(node.clone(), key.clone()),
            format!("{} = {strict}", key.replace('/', ".")),
        );
        match fib::lookup(self.world, node, &back, from) {
            Found::Out { hops, .. } if strict == 2 || hops.iter().any(|hop| hop.dev == *name) => Ok(()),
            Found::Unknown(by) => {
                Err(self.unknown("rp-filter", node, Some(name), "its way back is not known", Some(by), packet))
            }
            _ => {
                let what = format!("there is no way back to {} by this interface", packet.source);
                Err(self.stop("rp-filter", node, Some(name), what, Some(by), packet))
            }
        }
    }

    /// Whether a server takes a request, where that was read.
    pub(super) fn heard(&self, link: &Link, packet: &Packet) -> Result<(), End> {
        let (node, name) = (&link.id.node, &link.id.name);
        if packet.part != Part::Request || !packet.protocol.has_ports() {
            return Ok(());
        }
        match self.world.servers(node, packet) {
            Some(servers) if servers.is_empty() => {
                let sees = if packet.protocol == Protocol::Tcp { "connection refused" } else { "port unreachable" };
                let what =
                    format!("no server listens on {} port {}; its sender sees: {sees}", packet.protocol, packet.port);
                Err(self.stop("no-listener", node, Some(name), what, None, packet))
            }
            _ => Ok(()),
        }
    }

    /// Whether a packet fits the interface that it leaves by, and the route.
    pub(super) fn fits(&self, node: &Node, hop: &Hop, mtu: Option<u32>, packet: &Packet, own: bool) -> Result<(), End> {
        let link = self.world.link(node, &hop.dev);
        let least = link.map(|link| self.world.mtu(link)).into_iter().chain(mtu).min();
        let Some(least) = least.filter(|least| packet.size > *least) else { return Ok(()) };
        let sees = if own { "its sender sees: message too long" } else { "the node answers: fragmentation needed" };
        let what = format!("{} bytes do not fit an MTU of {least}; {sees}", packet.size);
        let by = link.map(|link| By::resource(link.id(), format!("mtu {least} of {}", hop.dev)));
        Err(self.stop("mtu", node, Some(&hop.dev), what, by, packet))
    }

    /// A look-up that found no way.
    pub(super) fn no_way(&self, node: &Node, interface: Option<&IfName>, found: Found, packet: &Packet) -> End {
        let to = packet.destination;
        match found {
            Found::Refused(RouteKind::Blackhole, by) => {
                self.stop("blackhole", node, interface, format!("{to} is thrown away"), Some(by), packet)
            }
            Found::Refused(kind, by) => {
                let what =
                    format!("{to} is {}", if kind == RouteKind::Prohibit { "prohibited" } else { "unreachable" });
                self.stop("route-type", node, interface, what, Some(by), packet)
            }
            Found::Broadcast(by) => {
                self.stop("broadcast", node, interface, format!("{to} is a broadcast address"), Some(by), packet)
            }
            Found::Unknown(by) => {
                self.unknown("route", node, interface, format!("the route to {to} is not known"), Some(by), packet)
            }
            _ => self.stop("no-route", node, interface, format!("it has no route to {to}"), None, packet),
        }
    }
}
