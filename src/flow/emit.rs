//! A packet leaves by an interface: who takes it there.

use super::fib::{self, Hop};
use super::hooks::{self, Passing, Visit};
use super::outcome::{By, End};
use super::packet::Packet;
use super::segment::{self, Arrival, Bridged};
use super::walk::{Next, Walk, swallows};
use crate::resource::{Family, Kind, Link, Mac, Node, Resource, ResourceId, Setting};
use std::net::IpAddr;

impl<'a> Walk<'_, 'a> {
    /// Sends a packet out by an interface, through the rules of postrouting, to who answers for its next hop.
    pub(super) fn emit(&mut self, node: &Node, hop: &Hop, mut packet: Packet, passing: Passing) -> Next<'a> {
        let out = Some((hop.dev.as_str(), hop.via));
        self.hook(&Visit { node, hook: "postrouting", input: None, output: out }, &mut packet, &passing)?;
        let Some(link) = self.world.link(node, &hop.dev) else {
            let what = format!("it leaves by {}, of which nothing is known", hop.dev);
            return Err(self.unknown("outside", node, Some(&hop.dev), what, None, &packet));
        };
        if !self.world.is_up(link) {
            let what = format!("{} is down", hop.dev);
            return Err(self.stop("link-down", node, Some(&hop.dev), what, Some(of(link)), &packet));
        }
        if swallows(&link.kind) {
            let what = format!("{} takes all packets, and nothing is behind it", hop.dev);
            return Err(self.stop("swallowed", node, Some(&hop.dev), what, Some(of(link)), &packet));
        }
        if fib::is_tunnel(&link.kind) {
            return self.tunnel(link, packet);
        }
        if segment::routes_itself(link) {
            let what = format!("{} sends by the routes of the interface below, which is not followed", hop.dev);
            return Err(self.unknown("ipvlan", node, Some(&hop.dev), what, Some(of(link)), &packet));
        }
        let target = hop.via.unwrap_or(packet.destination);
        let arrival = self.neighbor(link, target, &packet)?;
        if target.is_ipv6() && !self.is_static(link, target) {
            self.discover(link, &arrival, target, &packet)?;
        }
        self.carry(link, &arrival, &packet)?;
        let Some(taker) = self.world.state.link(&arrival.link) else {
            return Err(self.unknown("outside", node, Some(&hop.dev), "it is not known who takes it", None, &packet));
        };
        Ok((taker, packet))
    }

    /// Who answers for the address `target` on the segment of `link`.
    fn neighbor(&self, link: &Link, target: IpAddr, packet: &Packet) -> Result<Arrival, End> {
        let (node, name) = (&link.id.node, &link.id.name);
        let family = if target.is_ipv4() { Family::V4 } else { Family::V6 };
        let segment = segment::hear(self.world, link, family);
        let entry = self.world.state.get(&ResourceId::Neighbor(link.id.clone(), target, false));
        if let Some(Resource::Neighbor(entry)) = entry
            && let Some(mac) = entry.mac
        {
            return self.by_mac(
                link,
                &segment,
                mac,
                packet,
                By::resource(entry.id(), format!("neighbor {target} lladdr {mac}")),
            );
        }
        let answers: Vec<&Arrival> = segment
            .arrivals
            .iter()
            .filter(|arrival| arrival.link.node != *node || arrival.link.name != *name)
            .filter(|arrival| self.answers(arrival, target))
            .collect();
        let open: Vec<&Arrival> = answers.iter().copied().filter(|arrival| arrival.block.is_none()).collect();
        if let Some(first) = open.first() {
            if open.iter().any(|other| other.link.node != first.link.node) {
                let what = format!("more than one node answers for {target}");
                return Err(self.unknown("neighbor", node, Some(name), what, None, packet));
            }
            return Ok((*first).clone());
        }
        if let Some(block) = answers.first().and_then(|arrival| arrival.block.as_ref()) {
            let what = format!("{target} is not heard: {}", block.what);
            return Err(self.stop(
                block.code,
                &block.link.node,
                Some(&block.link.name),
                what,
                Some(block.by.clone()),
                packet,
            ));
        }
        if let Some(outside) = segment.open.first() {
            let what =
                format!("no node of the topology answers for {target}, and what is behind {outside} is not known");
            return Err(self.unknown("outside", node, Some(name), what, None, packet));
        }
        Err(self.stop("neighbor", node, Some(name), format!("no node answers for {target} on {name}"), None, packet))
    }

    fn is_static(&self, link: &Link, target: IpAddr) -> bool {
        self.world.state.get(&ResourceId::Neighbor(link.id.clone(), target, false)).is_some()
    }

    /// The question for a neighbour and its answer are packets of IPv6: rules that drop them keep everything from
    /// coming through. (What is known of the neighbour from before is used until it is asked for again.)
    fn discover(&mut self, link: &Link, arrival: &Arrival, target: IpAddr, packet: &Packet) -> Result<(), End> {
        let source = fib::source(self.world, &link.id.node, target, &link.id.name, None, 0).unwrap_or(target);
        let (here, there) = (&link.id, &arrival.link);
        let steps = self.steps.len();
        for (question, [from, to]) in Packet::discovery(source, target).into_iter().zip([[here, there], [there, here]])
        {
            let mut asked = question;
            let passing = hooks::begin(self.world, &from.node, &asked, &mut self.connections);
            let out = Visit { node: &from.node, hook: "output", input: None, output: Some((from.name.as_str(), None)) };
            let lost = |end: End, packet: &Packet| match end {
                End::Stopped(mut stop) => {
                    stop.what = format!("the neighbour {target} is not found: what asks for it is {}", stop.what);
                    stop.code = "neighbor";
                    stop.packet = Box::new(packet.clone());
                    End::Stopped(stop)
                }
                end => end,
            };
            self.hook(&out, &mut asked, &passing).map_err(|end| lost(end, packet))?;
            for bridged in &arrival.bridged {
                self.bridge(bridged, &asked).map_err(|end| lost(end, packet))?;
            }
            let input = Visit { node: &to.node, hook: "input", input: Some(to.name.as_str()), output: None };
            self.hook(&input, &mut asked, &passing).map_err(|end| lost(end, packet))?;
        }
        self.steps.truncate(steps);
        Ok(())
    }

    /// Who has the hardware address of a static entry.
    fn by_mac(
        &self,
        link: &Link,
        segment: &segment::Segment,
        mac: Mac,
        packet: &Packet,
        by: By,
    ) -> Result<Arrival, End> {
        let (node, name) = (&link.id.node, &link.id.name);
        let has =
            |arrival: &&Arrival| self.world.state.link(&arrival.link).is_some_and(|link| link.mac == Setting::Is(mac));
        if let Some(arrival) = segment.arrivals.iter().find(has) {
            return match &arrival.block {
                None => Ok(arrival.clone()),
                Some(block) => Err(self.stop(
                    block.code,
                    &block.link.node,
                    Some(&block.link.name),
                    &block.what,
                    Some(block.by.clone()),
                    packet,
                )),
            };
        }
        let guess =
            |arrival: &Arrival| self.world.state.link(&arrival.link).is_none_or(|link| link.mac == Setting::Left);
        if !segment.open.is_empty() || segment.arrivals.iter().any(guess) {
            let what = format!("it is not known who has the hardware address {mac}");
            return Err(self.unknown("neighbor", node, Some(name), what, Some(by), packet));
        }
        Err(self.stop(
            "neighbor",
            node,
            Some(name),
            format!("no interface has the hardware address {mac}"),
            Some(by),
            packet,
        ))
    }

    /// Whether who hears at an interface answers for an address: IPv4 for any that the node has (`arp_ignore`), IPv6
    /// for those of the interface; and for what is proxied there.
    fn answers(&self, arrival: &Arrival, target: IpAddr) -> bool {
        let (node, name) = (&arrival.link.node, &arrival.link.name);
        let world = self.world;
        if world.state.get(&ResourceId::Neighbor(arrival.link.clone(), target, true)).is_some() {
            return true;
        }
        let here = |address: &crate::resource::Address| address.link == arrival.link;
        let Some(own) = world
            .addresses(node)
            .filter(|own| own.address.addr() == target && world.is_usable(own))
            .max_by_key(|own| here(own))
        else {
            return target.is_ipv4() && self.proxies(arrival, target);
        };
        if target.is_ipv6() {
            return here(own);
        }
        let ignore = ["all", name.as_str()]
            .iter()
            .filter_map(|of| world.number(node, &format!("net/ipv4/conf/{of}/arp_ignore")))
            .max();
        match ignore.unwrap_or(0) {
            0 => true,
            1 | 2 => here(own),
            8 => false,
            _ => true,
        }
    }

    /// `proxy_arp`: a router answers for what it has a route to by another interface (`arp_fwd_proxy`).
    fn proxies(&self, arrival: &Arrival, target: IpAddr) -> bool {
        let (node, name) = (&arrival.link.node, &arrival.link.name);
        let on = ["all", name.as_str()]
            .iter()
            .any(|of| self.world.number(node, &format!("net/ipv4/conf/{of}/proxy_arp")) == Some(1));
        if !on || self.world.forwards(node, name, Family::V4).0 != Some(true) {
            return false;
        }
        let probe = Packet {
            source: target,
            destination: target,
            protocol: super::packet::Protocol::Udp,
            source_port: 0,
            port: 0,
            mark: Some(0),
            size: 0,
            part: super::packet::Part::Request,
        };
        let from = fib::From { input: self.world.state.link(&arrival.link), source: None };
        matches!(fib::lookup(self.world, node, &probe, from), fib::Found::Out { hops, .. } if hops.iter().all(|hop| hop.dev != *name))
    }

    /// Over the segment: bridges with their rules, and what is too large for a link on the way.
    fn carry(&mut self, link: &Link, arrival: &Arrival, packet: &Packet) -> Result<(), End> {
        for bridged in &arrival.bridged {
            self.bridge(bridged, packet)?;
        }
        let Some(small) =
            arrival.way.iter().filter_map(|id| self.world.state.link(id)).find(|link| self.too_small(link, packet))
        else {
            return Ok(());
        };
        if small.id == link.id {
            return Ok(());
        }
        let mtu = self.world.mtu(small);
        let what = format!("{} bytes do not fit an MTU of {mtu}: lost without a word", packet.size);
        let by = By::resource(small.id(), format!("mtu {mtu} of {}", small.id.name));
        Err(self.stop("mtu", &small.id.node, Some(&small.id.name), what, Some(by), packet))
    }

    /// A veth takes what is up to four bytes larger than its MTU (`__dev_forward_skb2`); a bridge's port sends no more
    /// than its own.
    fn too_small(&self, link: &Link, packet: &Packet) -> bool {
        let port = self.world.master(link).is_some_and(|master| master.kind == Kind::Bridge);
        let room = if port || link.kind != Kind::Veth { 0 } else { 4 };
        packet.size > self.world.mtu(link).saturating_add(room)
    }

    /// A frame crosses a bridge: through the rules for IP, where `br_netfilter` hands it to them.
    fn bridge(&mut self, bridged: &Bridged, packet: &Packet) -> Result<(), End> {
        let node = &bridged.bridge.node;
        let Some(bridge) = self.world.state.link(&bridged.bridge) else { return Ok(()) };
        let name = |id: &Option<crate::resource::LinkId>| {
            id.as_ref().map_or("itself".to_owned(), |id| id.name.as_str().to_owned())
        };
        // The bridge itself is where the packet comes from, or goes: the rules are those of its node then.
        let (Some(_), Some(_)) = (&bridged.input, &bridged.output) else { return Ok(()) };
        let Some(rules) = self.world.rules(node) else {
            self.step(
                node,
                Some(&bridged.bridge.name),
                format!("crosses, {} to {}", name(&bridged.input), name(&bridged.output)),
                None,
            );
            return Ok(());
        };
        if rules.chains.iter().any(|chain| chain.family == "bridge" && (chain.drop || !chain.rules.is_empty())) {
            let what = "rules of the bridge family are not judged";
            return Err(self.unknown("rule", node, Some(&bridged.bridge.name), what, None, packet));
        }
        let calls = self.world.calls(bridge, packet.family());
        if calls != Some(false) {
            self.bridged_rules(bridge, packet, calls.is_none())?;
        }
        self.step(
            node,
            Some(&bridged.bridge.name),
            format!("crosses, {} to {}", name(&bridged.input), name(&bridged.output)),
            None,
        );
        Ok(())
    }

    fn bridged_rules(&mut self, bridge: &Link, packet: &Packet, perhaps: bool) -> Result<(), End> {
        let (node, name) = (&bridge.id.node, bridge.id.name.as_str());
        let mut crossing = packet.clone();
        let passing = hooks::begin(self.world, node, packet, &mut self.connections);
        let out = Some((name, None));
        let hooks = [("prerouting", Some(name), None), ("forward", Some(name), out), ("postrouting", None, out)];
        for (hook, input, output) in hooks {
            let visit = Visit { node, hook, input, output };
            match self.hook(&visit, &mut crossing, &passing) {
                Err(End::Stopped(stop)) if perhaps => {
                    let what = format!("{}, if br_netfilter is loaded", stop.what);
                    return Err(self.unknown("br-netfilter", node, Some(&bridge.id.name), what, stop.by, packet));
                }
                result => result?,
            }
        }
        if crossing.tuple() != packet.tuple() {
            let what = "its addresses are translated while it crosses the bridge";
            return Err(self.unknown("bridged-nat", node, Some(&bridge.id.name), what, None, packet));
        }
        Ok(())
    }

    /// Into a tunnel: the walk does not follow what is carried inside of another packet.
    fn tunnel(&mut self, link: &Link, packet: Packet) -> Next<'a> {
        let what = format!("it goes into the tunnel {}, which is not followed", link.id.name);
        Err(self.unknown("tunnel", &link.id.node, Some(&link.id.name), what, Some(of(link)), &packet))
    }
}

fn of(link: &Link) -> By {
    By::resource(link.id(), format!("{} {}", link.kind.name(), link.id.name))
}
