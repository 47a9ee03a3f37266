//! The segment: who hears what leaves by an interface.

use super::outcome::By;
use super::world::World;
use crate::resource::{Family, Kind, Link, LinkId, Value, Vlans};
use std::collections::{HashSet, VecDeque};

/// A bridge that a frame crosses.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Bridged {
    /// The bridge.
    pub bridge: LinkId,
    /// The port that it comes in by; `None` where the bridge itself sends it.
    pub input: Option<LinkId>,
    /// The port that it leaves by; `None` where the bridge itself takes it.
    pub output: Option<LinkId>,
}

/// What keeps a frame from going on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Block {
    /// A word for programs.
    pub code: &'static str,
    /// Where.
    pub link: LinkId,
    /// What happens.
    pub what: String,
    /// What decided it.
    pub by: By,
}

/// An interface that a frame comes to.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// The interface.
    pub link: LinkId,
    /// The bridges on the way.
    pub bridged: Vec<Bridged>,
    /// The links on the way, in order, with the one that it leaves by.
    pub way: Vec<LinkId>,
    /// What keeps it from coming there, if anything does.
    pub block: Option<Block>,
}

/// Who hears what leaves by an interface.
#[derive(Clone, Debug, Default)]
pub struct Segment {
    /// The interfaces that it comes to.
    pub arrivals: Vec<Arrival>,
    /// The interfaces by which it may come to others, which are not known.
    pub open: Vec<LinkId>,
}

/// How many interfaces are looked at: a bridge has at most 1,023 ports.
const MOST: usize = 20_000;

/// A frame at a link, going out of it or having come in by it.
struct At<'a> {
    link: &'a Link,
    out: bool,
    /// The VLAN tag it carries.
    tag: Option<u16>,
    so_far: Arrival,
}

/// Who hears a question for an address of `family` that leaves by `from`: a broadcast, or a multicast of IPv6.
pub fn hear(world: &World<'_>, from: &Link, family: Family) -> Segment {
    let mut search = Search { world, family, segment: Segment::default(), queue: VecDeque::new(), met: HashSet::new() };
    let start = Arrival { link: from.id.clone(), bridged: Vec::new(), way: Vec::new(), block: None };
    search.send(from, None, &start);
    while let Some(at) = search.queue.pop_front() {
        if search.met.len() > MOST {
            search.segment.open.push(at.link.id.clone());
            break;
        }
        if at.out { search.leave(&at) } else { search.enter(&at) }
    }
    search.segment
}

struct Search<'w, 'a> {
    world: &'w World<'a>,
    family: Family,
    segment: Segment,
    queue: VecDeque<At<'a>>,
    met: HashSet<(LinkId, bool, Option<u16>, bool)>,
}

impl<'a> Search<'_, 'a> {
    /// A frame leaves by a link.
    fn send(&mut self, link: &Link, tag: Option<u16>, so_far: &Arrival) {
        self.push(link, true, tag, so_far);
    }

    /// A frame comes in by a link.
    fn receive(&mut self, link: &Link, tag: Option<u16>, so_far: &Arrival) {
        self.push(link, false, tag, so_far);
    }

    fn push(&mut self, link: &Link, out: bool, tag: Option<u16>, so_far: &Arrival) {
        let Some(link) = self.world.state.link(&link.id) else { return };
        // What is not blocked is looked at first and again where it was blocked before.
        if !self.met.insert((link.id.clone(), out, tag, so_far.block.is_some())) {
            return;
        }
        let mut so_far = so_far.clone();
        so_far.link = link.id.clone();
        so_far.way.push(link.id.clone());
        if !self.world.is_up(link) && so_far.block.is_none() {
            so_far.block = Some(down(link));
        }
        let at = At { link, out, tag, so_far };
        // Blocked ones last, so that an open way to an interface is found before a blocked one.
        if at.so_far.block.is_some() { self.queue.push_back(at) } else { self.queue.push_front(at) }
    }

    fn leave(&mut self, at: &At<'a>) {
        let link = at.link;
        match &link.kind {
            Kind::Veth => match link.peer.as_ref().and_then(|peer| self.world.state.link(peer)) {
                Some(peer) => self.receive(peer, at.tag, &at.so_far),
                None => self.segment.open.push(link.id.clone()),
            },
            Kind::Bridge => self.flood(link, None, at),
            Kind::Bond => {
                let ports: Vec<&Link> =
                    self.world.ports(&link.id).filter(|port| self.world.has_carrier(port)).collect();
                if let Some(port) = ports.first() {
                    self.send(port, at.tag, &at.so_far);
                }
            }
            Kind::Vlan => {
                let Some(lower) = link.link.as_ref().and_then(|lower| self.world.state.link(lower)) else {
                    self.segment.open.push(link.id.clone());
                    return;
                };
                self.send(lower, vlan_id(link), &at.so_far);
            }
            Kind::Macvlan | Kind::Macvtap | Kind::Ipvlan => self.child_sends(at),
            Kind::Dummy | Kind::Ifb | Kind::Nlmon | Kind::Loopback => {}
            _ => self.segment.open.push(link.id.clone()),
        }
    }

    /// A macvlan or ipvlan sends to its siblings and to the wire, and never to its parent.
    fn child_sends(&mut self, at: &At<'a>) {
        let Some(lower) = at.link.link.as_ref().and_then(|lower| self.world.state.link(lower)) else {
            self.segment.open.push(at.link.id.clone());
            return;
        };
        let bridged = match at.link.options.get("mode") {
            Some(Value::Word(mode)) => matches!(&**mode, "bridge" | "l2" | "l3" | "l3s"),
            _ => true,
        };
        if bridged {
            let siblings: Vec<&Link> = self
                .world
                .uppers(&lower.id)
                .filter(|other| other.id != at.link.id && other.kind == at.link.kind)
                .collect();
            for sibling in siblings {
                self.receive(sibling, at.tag, &at.so_far);
            }
        }
        self.send(lower, at.tag, &at.so_far);
    }

    fn enter(&mut self, at: &At<'a>) {
        let link = at.link;
        let uppers: Vec<&Link> = self.world.uppers(&link.id).collect();
        let mut taken = false;
        for upper in uppers {
            match &upper.kind {
                Kind::Vlan if vlan_id(upper) == at.tag && at.tag.is_some() => {
                    taken = true;
                    self.receive(upper, None, &at.so_far);
                }
                Kind::Macvlan | Kind::Macvtap | Kind::Ipvlan => self.receive(upper, at.tag, &at.so_far),
                _ => {}
            }
        }
        // The VLAN device of a port takes its frames before the bridge does.
        if taken {
            return;
        }
        match self.world.master(link) {
            Some(master) if master.kind == Kind::Bridge => self.flood(master, Some(link), at),
            Some(master) if master.kind == Kind::Bond => self.receive(master, at.tag, &at.so_far),
            _ if at.tag.is_none() => self.segment.arrivals.push(at.so_far.clone()),
            _ => {}
        }
    }

    /// A frame that a bridge sends to all its ports but the one that it came in by, and takes itself.
    fn flood(&mut self, bridge: &'a Link, input: Option<&Link>, at: &At<'a>) {
        let filters = bridge.options.get("vlan-filtering") == Some(&Value::Bool(true));
        let mut vlan = at.tag;
        let mut so_far = at.so_far.clone();
        if !self.world.is_up(bridge) {
            so_far.block.get_or_insert_with(|| down(bridge));
        }
        if filters {
            let from = input.unwrap_or(bridge);
            let vlans = self.vlans(from, bridge);
            vlan = at.tag.or(vlans.pvid());
            let known = vlan.is_some_and(|vlan| vlans.contains(vlan));
            if !known {
                so_far.block.get_or_insert_with(|| vlan_block(from, bridge, vlan));
            }
        }
        let isolated = |link: &Link| link.port.get("isolated") == Some(&Value::Bool(true));
        let ports: Vec<&Link> = self.world.ports(&bridge.id).collect();
        for port in ports {
            let hairpin = port.port.get("hairpin") == Some(&Value::Bool(true));
            if input.is_some_and(|input| input.id == port.id) && !hairpin {
                continue;
            }
            let mut onward = so_far.clone();
            onward.bridged.push(Bridged {
                bridge: bridge.id.clone(),
                input: input.map(|link| link.id.clone()),
                output: Some(port.id.clone()),
            });
            if input.is_some_and(isolated) && isolated(port) {
                onward.block.get_or_insert_with(|| isolation(port, bridge));
            }
            let floods = if self.family == Family::V4 { "broadcast-flood" } else { "multicast-flood" };
            if port.port.get(floods) == Some(&Value::Bool(false)) {
                onward.block.get_or_insert_with(|| unflooded(port, floods));
            }
            let (tag, block) = self.leaving(port, bridge, filters, vlan);
            if let Some(block) = block {
                onward.block.get_or_insert(block);
            }
            self.send(port, tag, &onward);
        }
        if input.is_some() {
            let mut own = so_far;
            own.bridged.push(Bridged {
                bridge: bridge.id.clone(),
                input: input.map(|link| link.id.clone()),
                output: None,
            });
            let (tag, block) = self.leaving(bridge, bridge, filters, vlan);
            if let Some(block) = block {
                own.block.get_or_insert(block);
            }
            self.receive(bridge, tag, &own);
        }
    }

    /// With which tag a frame of a VLAN leaves by a port, and whether it may.
    fn leaving(&self, port: &Link, bridge: &Link, filters: bool, vlan: Option<u16>) -> (Option<u16>, Option<Block>) {
        if !filters {
            return (vlan, None);
        }
        let Some(vlan) = vlan else { return (None, None) };
        let vlans = self.vlans(port, bridge);
        if !vlans.contains(vlan) {
            return (None, Some(vlan_block(port, bridge, Some(vlan))));
        }
        (Some(vlan).filter(|vlan| !vlans.is_untagged(*vlan)), None)
    }

    /// The VLANs of a port, or of the bridge itself.
    fn vlans(&self, port: &Link, bridge: &Link) -> Vlans {
        let default = match bridge.options.get("vlan-default-pvid") {
            Some(Value::Number(pvid)) => u16::try_from(*pvid).unwrap_or(1),
            _ => 1,
        };
        port.vlans.get().cloned().unwrap_or_else(|| Vlans::by_default(default))
    }
}

/// Whether a link is an ipvlan that routes: it asks for no neighbours, and goes by the routes of the link below
/// (`ipvlan_process_outbound`); modes `l3`, which is the kernel's default, and `l3s`.
pub fn routes_itself(link: &Link) -> bool {
    let mode = match link.options.get("mode") {
        Some(Value::Word(mode)) => &**mode,
        _ => "l3",
    };
    link.kind == Kind::Ipvlan && mode != "l2"
}

fn vlan_id(link: &Link) -> Option<u16> {
    match link.options.get("id") {
        Some(Value::Number(id)) => u16::try_from(*id).ok(),
        _ => None,
    }
}

fn down(link: &Link) -> Block {
    Block {
        code: "link-down",
        link: link.id.clone(),
        what: format!("{} is down", link.id),
        by: By::resource(link.id(), format!("link {} is down", link.id.name)),
    }
}

fn isolation(port: &Link, bridge: &Link) -> Block {
    Block {
        code: "isolated",
        link: port.id.clone(),
        what: format!("both ports of {} are isolated", bridge.id),
        by: By::resource(port.id(), format!("port {} isolated on", port.id.name)),
    }
}

fn unflooded(port: &Link, floods: &str) -> Block {
    Block {
        code: "flood",
        link: port.id.clone(),
        what: format!("{floods} is off on {}", port.id),
        by: By::resource(port.id(), format!("port {} {floods} off", port.id.name)),
    }
}

fn vlan_block(port: &Link, bridge: &Link, vlan: Option<u16>) -> Block {
    let what = match vlan {
        Some(vlan) => format!("{} is no member of VLAN {vlan} on {}", port.id, bridge.id.name),
        None => format!("{} has no VLAN for frames without a tag on {}", port.id, bridge.id.name),
    };
    Block {
        code: "vlan",
        link: port.id.clone(),
        what,
        by: By::resource(port.id(), format!("VLANs of {}", port.id.name)),
    }
}
