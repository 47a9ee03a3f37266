//! Both ends of veth pairs: the end that a file names, and the one that is plugged into a bridge and has no name.

use super::index::{End, Index, Master, Plug};
use super::node::{At, target};
use crate::document::schema::interface::{Interface, KindKey};
use crate::document::schema::kind::Veth;
use crate::document::value::InterfaceRef;
use crate::document::yaml::word::Word;
use crate::document::{Finding, Loc, Place};
use crate::resource::mark::hash;
use crate::resource::{IfName, LinkId};
use std::collections::HashMap;

impl Plug<'_> {
    /// The name of the other end that says what it is the other end of, where a name can be that long.
    fn readable(&self) -> Option<LinkId> {
        let text = format!("v{}-{}", self.id.node.short(), self.id.name);
        let name = IfName::parse(&text).ok()?;
        Some(LinkId { node: self.master.node.clone(), name })
    }
}

impl<'d> Index<'d> {
    /// A veth whose other end has a name.
    pub(super) fn named(&mut self, at: &At<'d>, id: LinkId, key: Place, reference: &Loc<InterfaceRef>, path: String) {
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
            End {
                peer: id.clone(),
                place: reference.place,
                path: path.clone(),
                implied,
                plugged: false,
                candidates: Vec::new(),
            },
        );
        let candidates = Vec::new();
        self.ends.insert(id, End { peer, place: key, path, implied: false, plugged: false, candidates });
    }

    /// Veths whose other ends are plugged into bridges and have no name.
    pub(super) fn plugs(&mut self, plugs: Vec<Plug<'d>>) {
        let mut taken: HashMap<LinkId, usize> = HashMap::new();
        for far in plugs.iter().filter_map(Plug::readable) {
            *taken.entry(far).or_default() += 1;
        }
        if !taken.is_empty() {
            for (id, (entry, _)) in &self.entries {
                let others = entry.alternative_names.iter().flatten().map(|name| name.0.as_str());
                others.for_each(|name| *taken.entry(LinkId::new(id.node.clone(), name)).or_default() += 2);
            }
        }
        for plug in plugs {
            // One that two ends would have is neither's: which is which must not depend on their order in the file.
            let readable = plug.readable().filter(|far| taken.get(far) == Some(&1));
            self.plugged(plug, readable);
        }
    }

    /// One of them; `readable` is what its other end is called if nothing else is.
    fn plugged(&mut self, plug: Plug<'d>, readable: Option<LinkId>) {
        let Plug { id, key, master, bridge, path } = plug;
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
        let derived = LinkId { node: master.node.clone(), name: derived_name(&self.topology, &id) };
        let free: Vec<LinkId> = readable.into_iter().chain([derived.clone()]).filter(|far| !self.known(far)).collect();
        let Some(far) = free.first().cloned() else {
            let finding = Finding::error(
                "end-taken",
                bridge.place,
                format!("the other end would be called {derived}, which is taken"),
            );
            return self
                .findings
                .push(finding.help("name the other end: veth: NODE/INTERFACE, and plug it in by the bridge's ports"));
        };
        self.masters.insert(far.clone(), Master { name: master.name, place: bridge.place });
        let candidates = free.into_iter().map(|far| far.name).collect();
        self.ends.insert(
            far.clone(),
            End { peer: id.clone(), place: bridge.place, path: path.clone(), implied: true, plugged: true, candidates },
        );
        let candidates = Vec::new();
        self.ends.insert(id, End { peer: far, place: key, path, implied: false, plugged: false, candidates });
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

/// The name of an other end that has no readable one: stable, and 57 bits of two hashes in 15 characters.
pub(crate) fn derived_name(topology: &str, near: &LinkId) -> IfName {
    let text = format!("{topology}/{near}");
    let back: Vec<u8> = text.bytes().rev().collect();
    IfName::from(format!("v{:08x}{:06x}", hash(text.as_bytes()), hash(&back) & 0x00ff_ffff))
}
