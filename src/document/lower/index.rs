//! Which interfaces there are, who is whose other end, and who is whose port. Made first, because everything refers to
//! it.

use super::node::{At, nodes, target, unknown_node};
use crate::document::schema::interface::{Interface, KindKey};
use crate::document::schema::kind::Veth;
use crate::document::value::InterfaceRef;
use crate::document::{Document, Finding, Loc, Place};
use crate::resource::mark::hash;
use crate::resource::{IfName, LinkId, Node};
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The other end of a veth pair, and where it is named.
#[derive(Clone, Debug)]
pub(crate) struct End {
    /// The other end.
    pub peer: LinkId,
    /// Where the pair is asked for.
    pub place: Place,
    /// The keys that lead there.
    pub path: String,
    /// Whether this end is only implied by the other, and has no entry of its own.
    pub implied: bool,
    /// Whether it is the nameless end that is plugged into a bridge.
    pub plugged: bool,
}

/// A master, and where the port is given to it.
#[derive(Clone, Debug)]
pub(crate) struct Master {
    /// The bridge, bond or vrf.
    pub name: IfName,
    /// Where that is written.
    pub place: Place,
}

/// What refers to what.
pub(crate) struct Index<'d> {
    /// The entries of interfaces, and where they are named.
    pub entries: HashMap<LinkId, (&'d Interface, Place)>,
    /// Both ends of all veth pairs.
    pub ends: BTreeMap<LinkId, End>,
    /// The ports.
    pub masters: HashMap<LinkId, Master>,
    /// Where the host is first named by something that stands elsewhere.
    pub host_named: Option<Place>,
    /// All nodes and where they are named.
    nodes: BTreeSet<Node>,
    /// How often a nearest name was looked for: that takes a look at all of them, so it is done for the first findings
    /// only.
    guesses: Cell<usize>,
    topology: String,
    findings: Vec<Finding>,
}

impl<'d> Index<'d> {
    /// Makes the index of a file.
    pub fn of(document: &'d Document) -> (Self, Vec<Finding>) {
        let mut index = Self {
            entries: HashMap::new(),
            ends: BTreeMap::new(),
            masters: HashMap::new(),
            host_named: None,
            nodes: std::iter::once(Node::host()).chain(document.namespaces.keys().map(|name| name.0.clone())).collect(),
            guesses: Cell::new(0),
            topology: document.name.to_string(),
            findings: Vec::new(),
        };
        for at in nodes(document) {
            for (name, interface) in &at.section.interfaces {
                index.entries.insert(at.link(name), (interface, name.place));
            }
        }
        for at in nodes(document) {
            index.pairs(&at);
        }
        for at in nodes(document) {
            index.ports(&at);
        }
        for at in nodes(document) {
            index.kinds(&at);
        }
        let findings = std::mem::take(&mut index.findings);
        (index, findings)
    }

    /// Whether the file makes or declares `id`; every node has a `lo`.
    pub fn known(&self, id: &LinkId) -> bool {
        self.entries.contains_key(id)
            || self.ends.contains_key(id)
            || (id.name.as_str() == "lo" && self.nodes.contains(&id.node))
    }

    /// The entry's kind.
    pub fn kind(&self, id: &LinkId) -> Option<&'d KindKey> {
        self.entries.get(id).and_then(|(interface, _)| interface.kind.as_ref()).map(|kind| &kind.value)
    }

    /// What is said of an interface that is not there.
    pub fn unknown(&self, id: &LinkId, place: Place) -> Finding {
        if !self.nodes.contains(&id.node) {
            return self.no_node(&id.node, place);
        }
        let all = self
            .entries
            .keys()
            .chain(self.ends.keys())
            .filter(|other| other.node == id.node)
            .map(|other| other.name.as_str());
        let mut here: Vec<&str> = if self.guess() { all.collect() } else { Vec::new() };
        here.sort_unstable();
        let finding = Finding::error(
            "unknown-interface",
            place,
            format!("there is no interface {:?} in {}", id.name.as_str(), id.node),
        );
        match crate::document::yaml::read::nearest(id.name.as_str(), &here) {
            Some(right) => finding.help(format!("did you mean {right:?}?")),
            None => finding
                .help(format!("one that the file does not make is declared first: {}: {{ existing: {{}} }}", id.name)),
        }
    }

    fn guess(&self) -> bool {
        self.guesses.set(self.guesses.get() + 1);
        self.guesses.get() <= 50
    }

    /// Whether the file has the node.
    pub fn has_node(&self, node: &Node) -> bool {
        self.nodes.contains(node)
    }

    /// What is said of a node that is not there.
    pub fn no_node(&self, node: &Node, place: Place) -> Finding {
        let names: Vec<&str> = if self.guess() { self.nodes.iter().map(Node::as_str).collect() } else { Vec::new() };
        unknown_node(node, place, &names)
    }

    /// Notes that something elsewhere names the host.
    fn host(&mut self, node: &Node, place: Place) {
        if node.is_host() {
            self.host_named.get_or_insert(place);
        }
    }

    /// The veth pairs that entries of `at` ask for.
    fn pairs(&mut self, at: &At<'d>) {
        for (name, interface) in &at.section.interfaces {
            let id = at.link(name);
            let Some(kind) = &interface.kind else { continue };
            let path = format!("{}.interfaces.{name}", at.path);
            match &kind.value {
                KindKey::Veth(veth) => match &**veth {
                    Veth::Named(reference) => self.named(at, id, name.place, reference, path),
                    Veth::Plugged(plug) => self.plugged(at, id, name.place, &plug.bridge, path),
                },
                KindKey::Existing(existing) => {
                    if let Some(from) = &existing.from {
                        let source = target(&at.node, from);
                        self.host(&source.node, from.place);
                        if !self.nodes.contains(&source.node) {
                            let finding = self.no_node(&source.node, from.place);
                            self.findings.push(finding);
                        } else if source == id {
                            self.findings.push(
                                Finding::error("bad-reference", from.place, "the interface is here already")
                                    .help("write existing: {}"),
                            );
                        }
                    }
                }
                KindKey::Vlan(vlan) => self.host(&target(&at.node, &vlan.link).node, vlan.link.place),
                KindKey::Macvlan(macvlan) | KindKey::Macvtap(macvlan) => {
                    self.host(&target(&at.node, &macvlan.link).node, macvlan.link.place)
                }
                KindKey::Ipvlan(ipvlan) => self.host(&target(&at.node, &ipvlan.link).node, ipvlan.link.place),
                KindKey::Gre(gre) | KindKey::Gretap(gre) => self.below(at, gre.link.as_ref()),
                KindKey::Ipip(tunnel) | KindKey::Sit(tunnel) => self.below(at, tunnel.link.as_ref()),
                KindKey::Ip6tnl(tunnel) => self.below(at, tunnel.link.as_ref()),
                KindKey::Vxlan(vxlan) => self.below(at, vxlan.link.as_ref()),
                _ => {}
            }
        }
    }

    /// The link that a tunnel sends by, where it has one.
    fn below(&mut self, at: &At<'d>, link: Option<&Loc<InterfaceRef>>) {
        if let Some(link) = link {
            self.host(&target(&at.node, link).node, link.place);
        }
    }

    /// A veth whose other end has a name.
    fn named(&mut self, at: &At<'d>, id: LinkId, key: Place, reference: &Loc<InterfaceRef>, path: String) {
        let peer = target(&at.node, reference);
        if !self.nodes.contains(&peer.node) {
            let finding = self.no_node(&peer.node, reference.place);
            return self.findings.push(finding);
        }
        if peer == id {
            let finding = Finding::error("bad-reference", reference.place, "a veth cannot be its own other end");
            return self.findings.push(finding.help("write the name of the other end, as NODE/INTERFACE"));
        }
        if peer.name == *"lo" {
            let finding = Finding::error(
                "bad-reference",
                reference.place,
                "the loopback interface is no end of a veth pair: each namespace has its own",
            );
            return self.findings.push(finding.help("give the other end another name, `eth0` for example"));
        }
        self.host(&peer.node, reference.place);
        if let Some((other, place)) = self.entries.get(&peer).copied()
            && let Some(finding) = disagreement(&id, &peer, reference.place, other, place)
        {
            return self.findings.push(finding);
        }
        let first = self.ends.get(&id).or_else(|| self.ends.get(&peer));
        if let Some(first) = first {
            // The same pair, said from the other end.
            if first.peer != id && first.peer != peer {
                let finding = Finding::error(
                    "end-taken",
                    reference.place,
                    format!("{peer} is already the other end of another pair"),
                );
                let finding = finding.also(first.place, "asked for here");
                self.findings.push(finding);
            }
            return;
        }
        let implied = !self.entries.contains_key(&peer);
        self.ends.insert(
            peer.clone(),
            End { peer: id.clone(), place: reference.place, path: path.clone(), implied, plugged: false },
        );
        self.ends.insert(id, End { peer, place: key, path, implied: false, plugged: false });
    }

    /// A veth whose other end is plugged into a bridge and has no name.
    fn plugged(&mut self, at: &At<'d>, id: LinkId, key: Place, bridge: &Loc<InterfaceRef>, path: String) {
        let master = target(&at.node, bridge);
        let is_bridge = match self.kind(&master) {
            Some(KindKey::Bridge(_) | KindKey::Existing(_)) => true,
            Some(other) => {
                let finding = Finding::error(
                    "not-a-bridge",
                    bridge.place,
                    format!("{master} is a {}, not a bridge", other.key()),
                );
                return self.findings.push(finding);
            }
            None => false,
        };
        if !is_bridge {
            let finding = self.unknown(&master, bridge.place);
            return self.findings.push(finding);
        }
        self.host(&master.node, bridge.place);
        let far = LinkId { node: master.node.clone(), name: far_name(&self.topology, &id) };
        if self.known(&far) {
            let finding = Finding::error(
                "end-taken",
                bridge.place,
                format!("the other end would be called {far}, which is taken"),
            );
            return self
                .findings
                .push(finding.help("name the other end: veth: NODE/INTERFACE, and plug it in by the bridge's ports"));
        }
        self.masters.insert(far.clone(), Master { name: master.name, place: bridge.place });
        self.ends.insert(
            far.clone(),
            End { peer: id.clone(), place: bridge.place, path: path.clone(), implied: true, plugged: true },
        );
        self.ends.insert(id, End { peer: far, place: key, path, implied: false, plugged: false });
    }

    /// The ports that entries of `at` list, or are by their own word.
    fn ports(&mut self, at: &At<'d>) {
        for (name, interface) in &at.section.interfaces {
            let ports = match interface.kind.as_ref().map(|kind| &kind.value) {
                Some(KindKey::Bridge(bridge)) => &bridge.ports,
                Some(KindKey::Bond(bond)) => &bond.ports,
                Some(KindKey::Vrf(vrf)) => &vrf.ports,
                _ => continue,
            };
            for port in ports {
                self.port(at, name, port);
            }
        }
        for (name, interface) in &at.section.interfaces {
            let Some(master) = &interface.master else { continue };
            let (port, id) = (at.link(name), at.link(master));
            let fits = matches!(
                self.kind(&id),
                Some(KindKey::Bridge(_) | KindKey::Bond(_) | KindKey::Vrf(_) | KindKey::Existing(_))
            );
            if !self.known(&id) {
                let finding = self.unknown(&id, master.place);
                self.findings.push(finding);
            } else if !fits {
                let finding = Finding::error("not-a-master", master.place, format!("{id} is no bridge, bond or vrf"));
                self.findings.push(finding);
            } else if let Some(other) = self.masters.get(&port).filter(|other| other.name != master.value) {
                let finding = Finding::error(
                    "master-disagrees",
                    master.place,
                    format!("{port} cannot be a port of both {:?} and {:?}", master.as_str(), other.name.as_str()),
                );
                let finding = finding.also(other.place, "listed as a port here");
                self.findings.push(finding);
            } else {
                self.masters.insert(port, Master { name: master.value.clone(), place: master.place });
            }
        }
    }

    /// One port in a list.
    fn port(&mut self, at: &At<'d>, master: &Loc<IfName>, port: &Loc<InterfaceRef>) {
        let id = target(&at.node, port);
        if id.node != at.node {
            let finding = Finding::error(
                "bad-reference",
                port.place,
                format!("{id} is in another node than {:?}", master.as_str()),
            );
            return self.findings.push(
                finding.help("a port is an interface of the same node: plug in the end of a veth pair that is there"),
            );
        }
        if !self.known(&id) || id.name.as_str() == "lo" || id.name == master.value {
            let finding = if self.known(&id) {
                let what = if id.name == master.value {
                    "cannot be a port of itself".to_owned()
                } else {
                    format!("cannot be a port of {:?}", master.as_str())
                };
                Finding::error("bad-reference", port.place, format!("{id} {what}"))
                    .help("take it from the list of ports")
            } else {
                self.unknown(&id, port.place)
            };
            return self.findings.push(finding);
        }
        if let Some(other) = self.masters.get(&id) {
            let message = if other.name == master.value {
                format!("{id} is listed twice")
            } else {
                format!("{id} is already a port of {:?}", other.name.as_str())
            };
            let finding = Finding::error("two-masters", port.place, message).also(other.place, "first here");
            return self.findings.push(finding);
        }
        self.masters.insert(id, Master { name: master.value.clone(), place: port.place });
    }

    /// Every entry has a kind, or is the other end of a pair, or `lo`.
    fn kinds(&mut self, at: &At<'d>) {
        for (name, interface) in &at.section.interfaces {
            let id = at.link(name);
            let lo = name.as_str() == "lo";
            match &interface.kind {
                Some(kind) if lo && !matches!(&kind.value, KindKey::Existing(existing) if existing.from.is_none()) => {
                    self.findings.push(Finding::error(
                        "bad-kind",
                        kind.place,
                        "every namespace has its own `lo`: it needs no kind",
                    ));
                }
                None if !lo && !self.ends.contains_key(&id) => {
                    let finding =
                        Finding::error("no-kind", name.place, format!("the interface {:?} has no kind", name.as_str()));
                    let help = "say what it is (veth: NODE/INTERFACE, bridge: {}, …), or name it as the other end of a veth; one that is there already is existing: {}";
                    self.findings.push(finding.help(help));
                }
                _ => {}
            }
        }
    }
}

/// Why the entry `other` of the far end does not fit a pair that is asked for from `id`.
fn disagreement(id: &LinkId, peer: &LinkId, place: Place, other: &Interface, named: Place) -> Option<Finding> {
    match other.kind.as_ref() {
        None if peer.name.as_str() != "lo" => None,
        Some(kind) => match &kind.value {
            KindKey::Veth(veth) => match &**veth {
                Veth::Named(back) if target(&peer.node, back) == *id => None,
                Veth::Named(back) => {
                    let message = format!(
                        "the two ends disagree: {id} says its other end is {peer}, which says {}",
                        target(&peer.node, back)
                    );
                    Some(Finding::error("ends-disagree", place, message).also(back.place, "the other end says this"))
                }
                Veth::Plugged(plug) => {
                    let message = format!("the other end of {peer} is plugged into a bridge, and cannot be {id}");
                    Some(Finding::error("ends-disagree", place, message).also(plug.bridge.place, "said here"))
                }
            },
            other => Some(
                Finding::error(
                    "ends-disagree",
                    place,
                    format!("{peer} is a {}, not the end of a veth pair", other.key()),
                )
                .also(named, "declared here"),
            ),
        },
        None => Some(Finding::error("ends-disagree", place, "`lo` cannot be the end of a veth pair")),
    }
}

/// The name of an other end that nobody named: stable, and 57 bits of two hashes in 15 characters.
fn far_name(topology: &str, near: &LinkId) -> IfName {
    let text = format!("{topology}/{near}");
    let back: Vec<u8> = text.bytes().rev().collect();
    IfName::from(format!("v{:08x}{:06x}", hash(text.as_bytes()), hash(&back) & 0x00ff_ffff))
}
