//! From what a person wrote to what there shall be: defaults filled in, names resolved, far ends of pairs named.

mod address;
mod check;
mod file;
mod impair;
mod index;
mod kinds;
mod link;
mod packet;
mod route;
mod rule;
mod setting;
mod stacked;
mod table;
mod tunnel;
mod vlan;
mod wireguard;

use super::schema::firewall::VerdictKey;
use super::schema::section::{Existing, NodeSection};
use super::value::{InterfaceRef, NftLine};
use super::yaml::tree::{MAX_RESOURCES, quoted};
use super::{Document, Finding, Lines, Loc, Place, Source, Topology};
use crate::resource::{IfName, LinkId, Namespace, NetnsRef, Node, NodeTenure, Origins, Owner, RawRules, Resource, ResourceId, State};
use index::Index;
use std::collections::HashMap;
use std::net::IpAddr;

/// Everything about a node that lowering its parts needs.
pub(super) struct At<'d> {
    /// Which.
    pub node: Node,
    /// Where it is named.
    pub place: Place,
    /// What the file says of it.
    pub section: &'d NodeSection,
    /// Whether topo makes it: then everything in it is the topology's.
    pub created: bool,
    /// The keys that lead to it.
    pub path: String,
}

impl At<'_> {
    /// The interface `name` of it.
    pub fn link(&self, name: &crate::resource::IfName) -> LinkId {
        LinkId { node: self.node.clone(), name: name.clone() }
    }

    /// Whose settings of it are: elsewhere they were there before, and go back to what they were.
    pub fn setting_owner(&self) -> Owner {
        if self.created { Owner::Ours } else { Owner::Named }
    }
}

/// The work under way.
pub(super) struct Lowering<'d> {
    document: &'d Document,
    source: &'d Source,
    lines: Lines,
    state: State,
    origins: Origins,
    raw: RawRules,
    findings: Vec<Finding>,
    index: Index<'d>,
    /// The first address of each family, of nodes and interfaces that checks name.
    firsts: HashMap<(Node, Option<IfName>), Vec<IpAddr>>,
    /// How many rules the lists of `insert` became so far.
    inserted: usize,
    /// Whether there are too many resources.
    full: bool,
}

/// Lowers a file.
pub(super) fn run(document: &Document, source: &Source) -> (Topology, Vec<Finding>) {
    let (index, findings) = Index::of(document);
    let state = State::empty(document.name.value.clone());
    let lines = Lines::of(&source.text);
    let mut work = Lowering {
        document,
        source,
        lines,
        state,
        origins: Origins::new(),
        raw: RawRules::new(),
        findings,
        index,
        firsts: HashMap::new(),
        inserted: 0,
        full: false,
    };
    work.namespaces();
    for at in nodes(document) {
        work.settings(&at);
        work.interfaces(&at);
        work.neighbors(&at);
        work.routes(&at);
        work.rules(&at);
        work.tables(&at);
        work.files(&at);
    }
    work.far_ends();
    let checks = work.checks();
    let Lowering { state, origins, raw, findings, .. } = work;
    (Topology { state, origins, raw, source: source.clone(), checks }, super::in_order(findings))
}

/// All nodes that the file describes.
pub(super) fn nodes(document: &Document) -> impl Iterator<Item = At<'_>> {
    let host = document.host.iter().map(|section| At { node: Node::host(), place: section.place, section, created: false, path: "host".to_owned() });
    let others = document.namespaces.iter().map(|(name, section)| {
        let path = format!("namespaces.{}", name.0);
        At { node: name.0.clone(), place: name.place, section, created: section.existing.is_none(), path }
    });
    host.chain(others)
}

impl Lowering<'_> {
    /// Puts a resource in, and who asked for it.
    pub fn put(&mut self, resource: Resource, owner: Owner, place: Place, path: String) {
        if self.state.items.len() >= MAX_RESOURCES {
            if !std::mem::replace(&mut self.full, true) {
                self.note(Finding::error("too-many-values", place, format!("the topology becomes more than {MAX_RESOURCES} resources")));
            }
            return;
        }
        let origin = self.lines.origin(self.source, place, path);
        self.origins.entry(resource.id()).or_insert(origin);
        self.state.insert(resource, owner);
    }

    /// Remembers where a rule in nft's words stands, of which only nft can say whether it is right.
    pub fn raw_rule(&mut self, id: &ResourceId, verdict: Option<&Loc<VerdictKey>>, path: &str) {
        if let Some(VerdictKey::Nft(line)) = verdict.map(|verdict| &verdict.value) {
            self.raw_line(id, line, path);
        }
    }

    /// The same for one of NAT.
    pub fn raw_line(&mut self, id: &ResourceId, line: &Loc<NftLine>, path: &str) {
        let origin = self.lines.origin(self.source, line.place, path.to_owned());
        self.raw.entry((id.clone(), line.value.0.clone())).or_insert(origin);
    }

    /// Notes something that is wrong.
    pub fn note(&mut self, finding: Finding) {
        if self.findings.len() < super::yaml::tree::MAX_FINDINGS {
            self.findings.push(finding);
        }
    }

    /// The namespaces: those that are described, and the host where something of the file stands there.
    fn namespaces(&mut self) {
        for at in nodes(self.document) {
            let tenure = match at.section.existing.as_deref() {
                _ if at.node.is_host() => NodeTenure::Host,
                None => NodeTenure::Created,
                Some(existing) => NodeTenure::Existing(match &existing.value {
                    Existing::Netns(name) => NetnsRef::Name(name.0.to_string()),
                    Existing::Path(path) => NetnsRef::Path(path.0.clone()),
                    Existing::Pid(pid) => NetnsRef::Pid(pid.u32()),
                }),
            };
            if let Some(existing) = at.section.existing.as_deref().filter(|_| at.node.is_host()) {
                self.note(Finding::error("misplaced-key", existing.place, "the host is always there: `existing` means nothing here"));
            }
            let owner = if at.created { Owner::Ours } else { Owner::Named };
            let namespace = Namespace { node: at.node.clone(), tenure, marked: at.created, whole: false };
            self.put(Resource::Namespace(namespace), owner, at.place, at.path);
        }
        if let (None, Some(place)) = (&self.document.host, self.index.host_named) {
            let namespace = Namespace { node: Node::host(), tenure: NodeTenure::Host, marked: false, whole: false };
            self.put(Resource::Namespace(namespace), Owner::Named, place, "host".to_owned());
        }
    }

    /// The interface that `reference` means in `at`, if there is one of that name; a finding else.
    pub fn resolve(&mut self, at: &At<'_>, reference: &Loc<InterfaceRef>) -> Option<LinkId> {
        let id = target(&at.node, reference);
        if self.index.known(&id) {
            return Some(id);
        }
        let finding = self.index.unknown(&id, reference.place);
        self.note(finding);
        None
    }

    /// The interface `name` of `at`, if there is one of that name; a finding else.
    pub fn known(&mut self, at: &At<'_>, name: &Loc<crate::resource::IfName>) -> Option<LinkId> {
        let id = at.link(name);
        if self.index.known(&id) {
            return Some(id);
        }
        let finding = self.index.unknown(&id, name.place);
        self.note(finding);
        None
    }
}

/// What `reference` means when it is written in `node`.
pub(super) fn target(node: &Node, reference: &InterfaceRef) -> LinkId {
    LinkId { node: reference.node.clone().unwrap_or_else(|| node.clone()), name: reference.name.clone() }
}

/// A node that is not there.
pub(super) fn unknown_node(node: &Node, place: Place, names: &[&str]) -> Finding {
    let finding = Finding::error("unknown-node", place, format!("there is no node {}", quoted(node.as_str())));
    match super::yaml::read::nearest(node.as_str(), names) {
        Some(right) => finding.help(format!("did you mean {right:?}?")),
        None => finding.help(format!("add it under `namespaces`: {node}:")),
    }
}
