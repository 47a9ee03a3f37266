//! Lowering as a whole: a document to a wanted state, node by node.

use super::answer::Answers;
use super::index::Index;
use super::node::{At, nodes, target};
use super::topology::Topology;
use crate::document::schema::firewall::VerdictKey;
use crate::document::schema::section::{ContainerRuntime, Existing, ExistingPlace};
use crate::document::value::{InterfaceRef, NftLine, namespace_fault};
use crate::document::yaml::finding::{Gathered, in_order};
use crate::document::yaml::source::Source;
use crate::document::yaml::tree::{MAX_FINDINGS, MAX_RESOURCES, quoted};
use crate::document::{Document, Finding, Lines, Loc, Place};
use crate::resource::{
    IfName, LinkId, Namespace, NetnsRef, Node, NodeTenure, Origins, Owner, RawRules, Resource, ResourceId, Runtime,
    State,
};
use ipnet::IpNet;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::IpAddr;

/// The work under way.
pub(crate) struct Lowering<'d> {
    pub(crate) document: &'d Document,
    pub(crate) source: &'d Source,
    pub(crate) lines: Lines,
    pub(crate) state: State,
    pub(crate) origins: Origins,
    raw: RawRules,
    pub(crate) gathered: Gathered,
    pub(crate) index: Index<'d>,
    /// The first address of each family, of nodes and interfaces that checks name.
    pub(crate) firsts: HashMap<(Node, Option<IfName>), Vec<IpAddr>>,
    /// The addresses of all nodes, where `hosts` asks for them.
    pub(crate) neighborhood: Option<BTreeMap<Node, Vec<IpNet>>>,
    /// How many rules the lists of `insert` became so far.
    pub(crate) inserted: usize,
    /// Whether there are too many resources.
    full: bool,
}

/// Lowers a file.
pub(crate) fn run(document: &Document, source: &Source) -> (Topology, Vec<Finding>) {
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
        gathered: Gathered::of(findings),
        index,
        firsts: HashMap::new(),
        neighborhood: None,
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
    let literal = work.literal();
    let Lowering { state, origins, raw, gathered, .. } = work;
    let answers = Answers::of(document);
    let findings = answers.unanswered(in_order(gathered.findings));
    let findings = document.expansion.named(findings);
    (Topology { state, origins, raw, source: source.clone(), checks, answers, literal }, findings)
}

impl Lowering<'_> {
    /// Puts a resource in, and who asked for it.
    pub fn put(&mut self, resource: Resource, owner: Owner, place: Place, path: String) {
        if self.state.items.len() >= MAX_RESOURCES {
            if !std::mem::replace(&mut self.full, true) {
                self.note(Finding::error(
                    "too-many-values",
                    place,
                    format!("the topology becomes more than {MAX_RESOURCES} resources"),
                ));
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
        self.gathered.push(finding, MAX_FINDINGS);
    }

    /// The nodes that names with ranges would be if they were plain names, and where they stand.
    fn literal(&mut self) -> Vec<Node> {
        let named = |(name, place): &(String, Place)| (Node::new(&self.prefix(), name), *place);
        let literal: Vec<(Node, Place)> = self.document.expansion.nodes.iter().map(named).collect();
        for (node, place) in &literal {
            let origin = self.lines.origin(self.source, *place, format!("namespaces.{}", node.short()));
            self.origins.entry(ResourceId::Namespace(node.clone())).or_insert(origin);
        }
        literal.into_iter().map(|(node, _)| node).collect()
    }

    fn prefix(&self) -> String {
        self.document.prefix.as_ref().map_or_else(String::new, |prefix| prefix.0.clone())
    }

    /// The namespaces: those that are described, and the host where something of the file stands there.
    fn namespaces(&mut self) {
        let made: HashSet<Node> = nodes(self.document).filter(|at| at.created).map(|at| at.node).collect();
        for at in nodes(self.document) {
            let tenure = match at.section.existing.as_deref() {
                _ if at.node.is_host() => NodeTenure::Host,
                None => NodeTenure::Created,
                Some(existing) => match self.existing(existing) {
                    Some(place) => {
                        self.foreign(&place, &made, existing.place);
                        NodeTenure::Existing(place)
                    }
                    None => continue,
                },
            };
            if let Some(existing) = at.section.existing.as_deref().filter(|_| at.node.is_host()) {
                self.note(Finding::error(
                    "misplaced-key",
                    existing.place,
                    "the host is always there: `existing` means nothing here",
                ));
            }
            if let Some(fault) = namespace_fault(at.node.as_str()).filter(|_| !at.node.prefix().is_empty()) {
                let message = format!("{} cannot be the name of a namespace: {fault}", quoted(at.node.as_str()));
                self.note(Finding::error("bad-name", at.place, message).help("the prefix of the file is part of it"));
            }
            let owner = if at.created { Owner::Ours } else { Owner::Named };
            let namespace = Namespace { node: at.node.clone(), tenure, marked: at.created, whole: false, alias: None };
            self.put(Resource::Namespace(namespace), owner, at.place, at.path);
        }
        if let (None, Some(place)) = (&self.document.host, self.index.host_named) {
            let namespace =
                Namespace { node: Node::host(), tenure: NodeTenure::Host, marked: false, whole: false, alias: None };
            self.put(Resource::Namespace(namespace), Owner::Named, place, "host".to_owned());
        }
    }

    /// Where a foreign namespace is.
    fn existing(&mut self, existing: &Existing) -> Option<NetnsRef> {
        let Some(at) = &existing.at else {
            let message = format!("`existing` needs one of {}", ExistingPlace::KEYS.join(", "));
            self.note(Finding::error("missing-key", existing.place, message));
            return None;
        };
        if let (Some(runtime), false) = (&existing.runtime, matches!(at.value, ExistingPlace::Container(_))) {
            let finding = Finding::error("misplaced-key", runtime.place, "`runtime` means nothing here");
            self.note(finding.help("it goes with `container`"));
        }
        Some(match &at.value {
            ExistingPlace::Netns(name) => NetnsRef::Name(name.0.clone()),
            ExistingPlace::Path(path) => NetnsRef::Path(path.0.clone()),
            ExistingPlace::Pid(pid) => NetnsRef::Pid(pid.u32()),
            ExistingPlace::Container(name) => NetnsRef::Container {
                runtime: existing.runtime.as_ref().map(|runtime| match runtime.value {
                    ContainerRuntime::Docker => Runtime::Docker,
                    ContainerRuntime::Podman => Runtime::Podman,
                }),
                name: name.0.clone(),
            },
        })
    }

    /// Notes where `existing` finds a namespace that the file makes itself.
    fn foreign(&mut self, existing: &NetnsRef, made: &HashSet<Node>, place: Place) {
        let folders = ["/run/netns/", "/var/run/netns/"];
        let name = match existing {
            NetnsRef::Name(name) => name.as_str(),
            NetnsRef::Path(path) => match folders.iter().find_map(|folder| path.strip_prefix(folder)) {
                Some(name) => name,
                None => return,
            },
            NetnsRef::Pid(_) | NetnsRef::Container { .. } => return,
        };
        if let Some(node) = made.get(&Node::from(name)) {
            let message = format!("{existing} is the namespace {}, which this file makes", quoted(node.short()));
            let finding = Finding::error("existing-is-made", place, message);
            self.note(finding.help(format!("put all of it under {}: a namespace is named once", quoted(node.short()))));
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
