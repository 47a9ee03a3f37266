//! The walk of one packet from node to node.

use super::advice;
use super::fib::{self, Found, From, Hop};
use super::hooks::{self, Connection, Hooked, Passing, Visit};
use super::outcome::{By, End, Path, Step, Stop};
use super::packet::{Packet, Part, Protocol};
use super::segment;
use super::world::World;
use crate::resource::{Family, IfName, Kind, Link, Node, ResourceId};
use std::net::IpAddr;

/// How many nodes a packet passes at most (`IPDEFTTL`).
const MOST_HOPS: usize = 64;

/// A packet under way.
pub struct Walk<'w, 'a> {
    pub(super) world: &'w World<'a>,
    pub(super) steps: Vec<Step>,
    pub(super) connections: Vec<Connection>,
    hops: usize,
    /// How many ways are left to be tried where the kernel chooses among several next hops.
    branches: usize,
}

/// What comes next: the end, or an interface that the packet comes in by.
pub(super) type Next<'a> = Result<(&'a Link, Packet), End>;

impl<'w, 'a> Walk<'w, 'a> {
    /// A walk through `world` where these connections are known.
    pub fn new(world: &'w World<'a>, connections: Vec<Connection>) -> Self {
        Self { world, steps: Vec::new(), connections, hops: 0, branches: 64 }
    }

    /// Sends a packet from a node, with `source` where that is chosen already; gives its way, the packet as it was
    /// sent, and the connections that are known then.
    pub fn send(mut self, node: &Node, packet: Packet, source: Option<IpAddr>) -> (Path, Packet, Vec<Connection>) {
        let mut sent = packet.clone();
        let next = self.output(node, packet, source, &mut sent);
        let end = self.follow(next);
        (Path { steps: self.steps, end }, sent, self.connections)
    }

    /// Lets a packet come in by an interface from outside.
    pub fn arrive(mut self, link: &'a Link, packet: Packet) -> (Path, Vec<Connection>) {
        let end = self.follow(Ok((link, packet)));
        (Path { steps: self.steps, end }, self.connections)
    }

    fn follow(&mut self, mut next: Next<'a>) -> End {
        loop {
            match next {
                Err(end) => return end,
                Ok((link, packet)) => {
                    self.hops += 1;
                    if self.hops > MOST_HOPS {
                        let what =
                            format!("it goes round in circles: after {MOST_HOPS} nodes its time to live is over");
                        return self.stop("loop", &link.id.node, Some(&link.id.name), what, None, &packet);
                    }
                    next = self.input(link, packet);
                }
            }
        }
    }

    pub(super) fn step(&mut self, node: &Node, interface: Option<&IfName>, what: impl Into<String>, by: Option<By>) {
        self.steps.push(Step {
            node: node.clone(),
            interface: interface.map(|name| name.as_str().to_owned()),
            what: what.into(),
            by,
        });
    }

    pub(super) fn stop(
        &self,
        code: &'static str,
        node: &Node,
        interface: Option<&IfName>,
        what: impl Into<String>,
        by: Option<By>,
        packet: &Packet,
    ) -> End {
        let mut stop = halt(code, node, interface, what.into(), by, packet);
        stop.fix = advice::for_stop(self.world, &stop);
        End::Stopped(Box::new(stop))
    }

    pub(super) fn unknown(
        &self,
        code: &'static str,
        node: &Node,
        interface: Option<&IfName>,
        what: impl Into<String>,
        by: Option<By>,
        packet: &Packet,
    ) -> End {
        End::Unknown(Box::new(halt(code, node, interface, what.into(), by, packet)))
    }

    /// A packet of the node's own.
    fn output(&mut self, node: &Node, mut packet: Packet, source: Option<IpAddr>, sent: &mut Packet) -> Next<'a> {
        let from = From { input: None, source };
        let mut found = fib::lookup(self.world, node, &packet, from);
        if source.is_none() {
            if let Some(chosen) = self.choose(node, &packet, &found) {
                packet.source = chosen;
            } else if !matches!(found, Found::None | Found::Refused(..) | Found::Unknown(_)) {
                let what = "it has no address to send from";
                return Err(self.stop("no-source", node, None, what, None, &packet));
            }
            // `connect` looks up once more, with the source (`ip_route_connect`); ping connects to find its source.
            // (Who sends without connecting asks once.)
            found = fib::lookup(self.world, node, &packet, From { input: None, source: Some(packet.source) });
        }
        *sent = packet.clone();
        let found = match found {
            Found::None | Found::Refused(..) | Found::Unknown(_) | Found::Broadcast(_) if source.is_none() => {
                return Err(self.no_way(node, None, found, &packet));
            }
            found => found,
        };
        let words = format!("sent from {}", hooks::end(packet.source, packet.source_port, packet.protocol));
        self.step(node, None, words, None);
        let passing = hooks::begin(self.world, node, &packet, &mut self.connections);
        let (hops, mtu, by) = match found {
            Found::Out { hops, mtu, by, .. } => (hops, mtu, by),
            Found::Local(by) => return self.own_address(node, packet, passing, by),
            other => return Err(self.no_way(node, None, other, &packet)),
        };
        self.branch(node, hops, packet, |walk, hop, mut packet| {
            let before = packet.clone();
            let visit = Visit { node, hook: "output", input: None, output: Some((hop.dev.as_str(), hop.via)) };
            walk.hook(&visit, &mut packet, &passing)?;
            let (hop, mtu) = if packet.destination == before.destination && packet.mark == before.mark {
                walk.step(node, Some(&hop.dev), routed(&hop, &packet), Some(by.clone()));
                (hop, mtu)
            } else {
                walk.again(node, &packet, hop, mtu)?
            };
            walk.fits(node, &hop, mtu, &packet, true)?;
            walk.emit(node, &hop, packet, passing)
        })
    }

    /// Which source the kernel chooses for what a look-up found.
    fn choose(&self, node: &Node, packet: &Packet, found: &Found) -> Option<IpAddr> {
        match found {
            Found::Local(_) => Some(packet.destination),
            Found::Out { hops, source, scope, .. } => source.or_else(|| {
                let hop = hops.first()?;
                fib::source(self.world, node, packet.destination, &hop.dev, hop.via, *scope)
            }),
            _ => None,
        }
    }

    /// A new look-up after the rules of output changed what it goes by (`ip_route_me_harder`).
    fn again(&mut self, node: &Node, packet: &Packet, old: Hop, mtu: Option<u32>) -> Result<(Hop, Option<u32>), End> {
        match fib::lookup(self.world, node, packet, From { input: None, source: Some(packet.source) }) {
            Found::Out { hops, mtu, by, .. } => match hops.into_iter().next() {
                Some(hop) => {
                    self.step(node, Some(&hop.dev), routed(&hop, packet), Some(by));
                    Ok((hop, mtu))
                }
                None => Ok((old, mtu)),
            },
            Found::Local(_) => {
                let what = "it goes back to the node itself";
                Err(self.unknown("to-itself", node, None, what, None, packet))
            }
            Found::Unknown(by) => Err(self.no_way(node, None, Found::Unknown(by), packet)),
            other if mtu.is_none() => Err(self.no_way(node, None, other, packet)),
            _ => Ok((old, mtu)),
        }
    }

    /// To an address of the node itself: output, postrouting, prerouting and input, over `lo`.
    fn own_address(&mut self, node: &Node, mut packet: Packet, passing: Passing, by: By) -> Next<'a> {
        let lo = IfName::from("lo");
        let down = self.world.link(node, &lo).is_some_and(|link| !self.world.is_up(link));
        if down {
            return Err(self.stop("link-down", node, Some(&lo), "lo is down", None, &packet));
        }
        let out = Some(("lo", None));
        for hook in ["output", "postrouting", "prerouting", "input"] {
            let outward = matches!(hook, "output" | "postrouting");
            let visit = Visit { node, hook, input: (!outward).then_some("lo"), output: out.filter(|_| outward) };
            self.hook(&visit, &mut packet, &passing)?;
        }
        self.step(node, Some(&lo), "delivered to the node itself", Some(by));
        let link = self
            .world
            .link(node, &lo)
            .map_or_else(|| crate::resource::LinkId::new(node.clone(), "lo"), |link| link.id.clone());
        Err(End::Delivered { node: node.clone(), interface: link, packet: Box::new(packet) })
    }

    /// Tries each of several next hops: the kernel takes one by a hash of what the packet has.
    fn branch(
        &mut self,
        node: &Node,
        hops: Vec<Hop>,
        packet: Packet,
        mut go: impl FnMut(&mut Self, Hop, Packet) -> Next<'a>,
    ) -> Next<'a> {
        let mut hops = hops.into_iter();
        let Some(first) = hops.next() else {
            return Err(self.stop("no-route", node, None, "no next hop is up", None, &packet));
        };
        let others: Vec<Hop> = hops.collect();
        if others.is_empty() {
            return go(self, first, packet);
        }
        let (steps, connections, count) = (self.steps.clone(), self.connections.clone(), self.hops);
        let mut chosen = None;
        let mut ends: Vec<End> = Vec::new();
        for hop in std::iter::once(first).chain(others) {
            if self.branches == 0 {
                return Err(self.unknown("next-hops", node, None, "there are too many ways to follow", None, &packet));
            }
            self.branches -= 1;
            (self.steps, self.connections, self.hops) = (steps.clone(), connections.clone(), count);
            let next = go(self, hop, packet.clone());
            ends.push(self.follow(next));
            chosen.get_or_insert_with(|| (self.steps.clone(), self.connections.clone()));
        }
        let alike = ends.windows(2).all(|pair| matches!(pair, [one, other] if same(one, other)));
        if let Some((steps, connections)) = chosen {
            (self.steps, self.connections) = (steps, connections);
        }
        match ends.into_iter().next() {
            Some(end) if alike => Err(end),
            _ => {
                self.steps = steps;
                let what = "it depends on which of the next hops the kernel takes";
                Err(self.unknown("next-hops", node, None, what, None, &packet))
            }
        }
    }

    /// Leads a packet through a hook; what changes its addresses is a step.
    pub(super) fn hook(&mut self, visit: &Visit<'_>, packet: &mut Packet, passing: &Passing) -> Result<(), End> {
        let before = packet.clone();
        let interface = visit.input.or(visit.output.map(|(dev, _)| dev)).map(IfName::from);
        match hooks::pass(self.world, visit, packet, passing, &mut self.connections) {
            Hooked::Passed(changes) => {
                for (what, by) in changes {
                    self.step(visit.node, interface.as_ref(), what, Some(by));
                }
                Ok(())
            }
            Hooked::Stopped(by, answered) => {
                let how = if answered { "rejected" } else { "dropped" };
                let what = format!("{how} by the rules of {}", visit.hook);
                Err(self.stop("filter", visit.node, interface.as_ref(), what, Some(by), &before))
            }
            Hooked::Unknown(by) => {
                let what = format!("a rule of {} cannot be judged", visit.hook);
                Err(self.unknown("rule", visit.node, interface.as_ref(), what, Some(by), &before))
            }
        }
    }

    /// A packet comes in by an interface.
    fn input(&mut self, link: &'a Link, mut packet: Packet) -> Next<'a> {
        let node = &link.id.node;
        let name = &link.id.name;
        if let Some(child) = self.world.uppers(&link.id).find(|upper| segment::routes_itself(upper)) {
            let what = format!("{} takes packets from {name} by their address, which is not followed", child.id);
            return Err(self.unknown("ipvlan", node, Some(name), what, None, &packet));
        }
        let passing = hooks::begin(self.world, node, &packet, &mut self.connections);
        let visit = Visit { node, hook: "prerouting", input: Some(name.as_str()), output: None };
        self.hook(&visit, &mut packet, &passing)?;
        self.source_fits(link, &packet)?;
        let from = From { input: Some(link), source: Some(packet.source) };
        match fib::lookup(self.world, node, &packet, from) {
            Found::Local(by) | Found::Broadcast(by) => {
                self.reverse_path(link, &packet)?;
                let visit = Visit { node, hook: "input", input: Some(name.as_str()), output: None };
                self.hook(&visit, &mut packet, &passing)?;
                let ignore = match packet.family() {
                    Family::V4 => "net/ipv4/icmp_echo_ignore_all",
                    Family::V6 => "net/ipv6/icmp/echo_ignore_all",
                };
                if packet.protocol == Protocol::Icmp
                    && packet.part == Part::Request
                    && self.world.number(node, ignore) == Some(1)
                {
                    let id = ResourceId::Sysctl(node.clone(), ignore.to_owned());
                    let by = By::resource(id, format!("{} = 1", ignore.replace('/', ".")));
                    return Err(self.stop(
                        "echo-ignored",
                        node,
                        Some(name),
                        "the node answers no ping",
                        Some(by),
                        &packet,
                    ));
                }
                self.heard(link, &packet)?;
                self.step(node, Some(name), "delivered", Some(by));
                Err(End::Delivered { node: node.clone(), interface: link.id.clone(), packet: Box::new(packet) })
            }
            Found::Out { hops, mtu, by, .. } => {
                self.may_forward(link, &packet)?;
                self.reverse_path(link, &packet)?;
                self.branch(node, hops, packet, |walk, hop, mut packet| {
                    let out = (hop.dev.as_str(), hop.via);
                    let visit = Visit { node, hook: "forward", input: Some(name.as_str()), output: Some(out) };
                    walk.hook(&visit, &mut packet, &passing)?;
                    walk.step(node, Some(&hop.dev), routed(&hop, &packet), Some(by.clone()));
                    walk.fits(node, &hop, mtu, &packet, false)?;
                    walk.emit(node, &hop, packet, passing)
                })
            }
            other => {
                // The switch is asked first (`ip_error`).
                self.may_forward(link, &packet)?;
                Err(self.no_way(node, Some(name), other, &packet))
            }
        }
    }
}

/// Where and why a walk ends, without what would help.
fn halt(
    code: &'static str,
    node: &Node,
    interface: Option<&IfName>,
    what: String,
    by: Option<By>,
    packet: &Packet,
) -> Stop {
    Stop {
        code,
        node: node.clone(),
        interface: interface.map(|name| name.as_str().to_owned()),
        what,
        by,
        fix: Vec::new(),
        packet: Box::new(packet.clone()),
    }
}

/// Where a packet is sent to, in words.
fn routed(hop: &Hop, packet: &Packet) -> String {
    match hop.via {
        Some(via) => format!("goes to {via}"),
        None => format!("goes to {} itself", packet.destination),
    }
}

/// Whether two ends are the same for who asks whether a packet gets through.
fn same(one: &End, other: &End) -> bool {
    match (one, other) {
        (End::Delivered { node: one, packet: a, .. }, End::Delivered { node: other, packet: b, .. }) => {
            one == other && a.tuple() == b.tuple()
        }
        (End::Stopped(_), End::Stopped(_)) => true,
        _ => false,
    }
}

/// Whether what is sent to a link goes nowhere.
pub(super) fn swallows(kind: &Kind) -> bool {
    matches!(kind, Kind::Dummy | Kind::Ifb | Kind::Nlmon)
}
