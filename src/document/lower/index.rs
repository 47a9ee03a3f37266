//! Which interfaces there are, who is whose other end, and who is whose port. Made first, because everything refers to
//! it.

use super::node::{At, nodes, target, unknown_node};
use crate::document::schema::interface::{Interface, KindKey};
use crate::document::schema::kind::Veth;
use crate::document::value::InterfaceRef;
use crate::document::{Document, Finding, Loc, Place};
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
    /// The names that the nameless end may have, the preferred one first.
    pub candidates: Vec<IfName>,
}

/// A master, and where the port is given to it.
#[derive(Clone, Debug)]
pub(crate) struct Master {
    /// The bridge, bond or vrf.
    pub name: IfName,
    /// Where that is written.
    pub place: Place,
}

/// A veth whose other end is plugged into a bridge and has no name.
pub(crate) struct Plug<'d> {
    /// The end that is named.
    pub id: LinkId,
    /// Where that is.
    pub key: Place,
    /// The bridge.
    pub master: LinkId,
    /// The same as it is written.
    pub bridge: &'d Loc<InterfaceRef>,
    /// The keys that lead there.
    pub path: String,
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
    pub(super) nodes: BTreeSet<Node>,
    /// How often a nearest name was looked for: that takes a look at all of them, so it is done for the first findings
    /// only.
    guesses: Cell<usize>,
    pub(super) topology: String,
    pub(super) findings: Vec<Finding>,
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
        let mut plugs = Vec::new();
        for at in nodes(document) {
            index.pairs(&at, &mut plugs);
        }
        // What the file names has its name first.
        index.plugs(plugs);
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
        let names: Vec<&str> = if self.guess() { self.nodes.iter().map(Node::short).collect() } else { Vec::new() };
        unknown_node(node, place, &names)
    }

    /// Notes that something elsewhere names the host.
    pub(super) fn host(&mut self, node: &Node, place: Place) {
        if node.is_host() {
            self.host_named.get_or_insert(place);
        }
    }

    /// The veth pairs that entries of `at` ask for; those of which the other end has no name are put into `plugs`.
    fn pairs(&mut self, at: &At<'d>, plugs: &mut Vec<Plug<'d>>) {
        for (name, interface) in &at.section.interfaces {
            let id = at.link(name);
            let Some(kind) = &interface.kind else { continue };
            let path = format!("{}.interfaces.{name}", at.path);
            match &kind.value {
                KindKey::Veth(veth) => match &**veth {
                    Veth::Named(reference) => self.named(at, id, name.place, reference, path),
                    Veth::Plugged(plug) => {
                        let master = target(&at.node, &plug.bridge);
                        plugs.push(Plug { id, key: name.place, master, bridge: &plug.bridge, path });
                    }
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
