//! A kernel made of a state: it refuses and takes away what the real one does.

use super::effect::effect;
use crate::kernel::{Error, ErrorKind, Kernel};
use crate::resource::{
    Claim, Foreign, Item, Kind, Link, LinkId, Name, Node, NodeTenure, Operation, Options, Owner, Record, Resource,
    ResourceId, Setting, State, Sysctl, Tenure, Value, offload,
};
use std::collections::BTreeSet;

/// The value of every setting that nothing has written.
const UNWRITTEN: &str = "0";

/// The offload features of every link for which nothing else was set.
const FRESH: Value = Value::Bool(true);

/// The model.
#[derive(Clone, Debug)]
pub struct Model {
    /// What is there.
    pub state: State,
    /// How many operations are still carried out before one fails; `None` for all. What comes after the failure works
    /// again.
    pub fail_after: Option<usize>,
    /// How many operations were carried out.
    pub performed: usize,
}

impl Model {
    /// A machine with what `state` says.
    pub fn new(state: State) -> Self {
        Self { state, fail_after: None, performed: 0 }
    }

    /// A machine with nothing but the host's namespace.
    pub fn bare(topology: Name) -> Self {
        let mut state = State::empty(topology);
        let host = crate::resource::Namespace {
            node: Node::host(),
            tenure: crate::resource::NodeTenure::Host,
            marked: false,
            whole: false,
            alias: None,
        };
        state.insert(Resource::Namespace(host), Owner::Theirs(Foreign::Machine));
        Self::new(state)
    }

    /// The value of a setting: as written, else that of the switch or default that reaches it, else 0.
    pub fn value(&self, node: &Node, key: &str) -> String {
        let written = |id: &ResourceId| match self.state.get(id) {
            Some(Resource::Sysctl(sysctl)) => Some(sysctl.value.clone()),
            _ => None,
        };
        let own = Sysctl::new(node.clone(), key, "");
        let default = || {
            let mut parts: Vec<&str> = key.split('/').collect();
            *parts.get_mut(3)? = "default";
            own.link().and_then(|_| written(&ResourceId::Sysctl(node.clone(), parts.join("/"))))
        };
        let main = || match self.state.get(&own.written_with()?) {
            Some(Resource::Sysctl(main)) => Some(main.gives(&own.key)),
            _ => None,
        };
        written(&own.id()).or_else(main).or_else(default).unwrap_or_else(|| UNWRITTEN.to_owned())
    }

    /// The settings that stay as they are when `default` is written. A default of IPv6 is for links that come later,
    /// one of IPv4 for those besides that never had an address (`ipv4_devconf_setall`).
    fn kept(&self, default: &Sysctl) -> Vec<Sysctl> {
        let mut parts = default.key.split('/').skip(1);
        let six = match (parts.next(), parts.next(), parts.next()) {
            (Some("ipv6"), Some("conf"), Some("default")) => true,
            (Some("ipv4"), Some("conf"), Some("default")) => false,
            _ => return Vec::new(),
        };
        let keeps = |link: &&Link| if six { !link.too_small_for_ipv6() } else { self.has_ipv4(link) };
        let names: Vec<&str> =
            self.state.links_of(&default.node).filter(keeps).map(|link| link.id.name.as_str()).collect();
        let now = |key: String| Sysctl::new(default.node.clone(), key.clone(), &self.value(&default.node, &key));
        Sysctl::inherited(&default.key, names.into_iter()).into_iter().map(now).collect()
    }

    /// Whether a link has an IPv4 address, as far as is known; `lo` has one when it is up.
    fn has_ipv4(&self, link: &Link) -> bool {
        let own = link.kind == Kind::Loopback && link.up == Setting::Is(true);
        own || self.state.addresses_of(&link.id).any(|address| address.address.addr().is_ipv4())
    }

    /// Sets a setting, and what the kernel sets with it.
    pub fn set(&mut self, sysctl: Sysctl) {
        let kept = self.kept(&sysctl);
        self.write(sysctl, kept);
    }

    /// [`Self::set`], where `kept` stay.
    fn write(&mut self, sysctl: Sysctl, kept: Vec<Sysctl>) {
        let start = ResourceId::Sysctl(sysctl.node.clone(), String::new());
        let items = self
            .state
            .items
            .range_mut(start..)
            .take_while(|(id, _)| matches!(id, ResourceId::Sysctl(node, _) if *node == sysctl.node));
        for (_, item) in items {
            if let Resource::Sysctl(other) = &mut item.resource
                && other.written_with() == Some(sysctl.id())
            {
                other.value = sysctl.gives(&other.key);
            }
        }
        let owner = self.owner(&sysctl.node);
        for sysctl in kept.into_iter().chain([sysctl]) {
            self.state.insert(Resource::Sysctl(sysctl), owner.clone());
        }
    }

    /// Whose the settings of a node are.
    fn owner(&self, node: &Node) -> Owner {
        match self.state.namespace(node) {
            Some(namespace) if namespace.tenure != NodeTenure::Created => Owner::Theirs(Foreign::Machine),
            _ => Owner::Ours,
        }
    }

    /// What a setting is set to comes into being when it is first written.
    fn touch(&mut self, operation: &Operation) {
        if let Operation::Update { before: before @ Resource::Sysctl(sysctl), .. } = operation
            && self.state.get(&before.id()).is_none()
        {
            let owner = self.owner(&sysctl.node);
            self.state.insert(before.clone(), owner);
        }
    }

    /// The offload features of links is seen where it is wanted or the record has it.
    fn offloads_asked(&self, wanted: &State, state: &mut State) {
        let record = self.state.record.offload.iter().map(|(home, offload)| (home, offload));
        let asked: Vec<(&LinkId, &Options)> = wanted
            .links()
            .map(|link| (link.home(), &link.offload))
            .chain(record)
            .filter(|(_, offload)| !offload.is_empty())
            .collect();
        for item in state.items.values_mut().filter(|_| !asked.is_empty()) {
            let Resource::Link(link) = &mut item.resource else { continue };
            let names =
                asked.iter().filter(|(home, _)| *home == link.home()).flat_map(|(_, offload)| offload.keys().cloned());
            let names: Vec<_> = names.collect();
            names.into_iter().for_each(|name| _ = link.offload.entry(name).or_insert(FRESH));
        }
    }

    /// What an operation gives to a link and another one has.
    fn taken(&self, operation: &Operation) -> Option<Claim> {
        let links: Vec<&Link> = match operation {
            Operation::Create(Resource::Link(link)) | Operation::Update { after: Resource::Link(link), .. } => {
                vec![link]
            }
            Operation::CreatePair(one, other) => vec![one, other],
            _ => return None,
        };
        let of = |wanted: &&Link| {
            let there = self.state.link(&wanted.id);
            let has = there.map(Claim::of).unwrap_or_default();
            let mut takes = Claim::after(wanted, there);
            takes.retain(|claim| !has.contains(claim));
            takes.extend(there.is_none().then(|| Claim::name_of(&wanted.id)));
            let held =
                |claim: &Claim| self.state.links().any(|link| link.id != wanted.id && Claim::of(link).contains(claim));
            takes.into_iter().find(held)
        };
        links.iter().find_map(of)
    }

    fn one(&mut self, operation: &Operation) -> Result<(), Error> {
        let tried = crate::dialect::ip::commands::commands(operation).into_iter().next().unwrap_or_default();
        match self.fail_after {
            Some(0) => {
                self.fail_after = None;
                return Err(Error::new(ErrorKind::Refused, tried, "made to fail").about(operation.id()));
            }
            Some(left) => self.fail_after = Some(left - 1),
            None => {}
        }
        self.touch(operation);
        let written = match operation {
            Operation::Create(Resource::Sysctl(sysctl)) | Operation::Update { after: Resource::Sysctl(sysctl), .. } => {
                Some((sysctl.clone(), self.kept(sysctl)))
            }
            _ => None,
        };
        // A setting is there with its link, looked at before or not: nothing is refused for writing it.
        if let Operation::Create(resource @ Resource::Sysctl(_)) = operation {
            self.state.items.remove(&resource.id());
        }
        if let Some(claim) = self.taken(operation) {
            return Err(
                Error::new(ErrorKind::Refused, tried, format!("another link has {claim:?}")).about(operation.id())
            );
        }
        effect(&mut self.state, operation)
            .map_err(|refusal| Error::new(ErrorKind::Refused, tried, refusal.reason).about(operation.id()))?;
        if let Some((sysctl, kept)) = written {
            self.write(sysctl, kept);
        }
        self.performed += 1;
        Ok(())
    }
}

impl Kernel for Model {
    fn resolve(&mut self, _wanted: &mut State) -> Result<(), Error> {
        Ok(())
    }

    fn observe(&mut self, wanted: &State) -> Result<State, Error> {
        let mut state = self.state.clone();
        let asked = wanted.resources().chain(&self.state.record.prior);
        let mut keys: BTreeSet<(Node, String)> = BTreeSet::new();
        for sysctl in
            asked.filter_map(|resource| if let Resource::Sysctl(sysctl) = resource { Some(sysctl) } else { None })
        {
            keys.insert((sysctl.node.clone(), sysctl.key.clone()));
            // As the real door looks: what a setting writes besides goes back with it.
            if self.owner(&sysctl.node) != Owner::Ours || sysctl.key.contains("/conf/default/") {
                let links: Vec<&str> = state.links_of(&sysctl.node).map(|link| link.id.name.as_str()).collect();
                let links = links.iter().copied();
                let besides =
                    [Sysctl::writes_too(&sysctl.key, links.clone()), Sysctl::inherited(&sysctl.key, links)].concat();
                keys.extend(besides.into_iter().map(|key| (sysctl.node.clone(), key)));
            }
        }
        for link in wanted.links() {
            let Tenure::From(source) = &link.tenure else { continue };
            let own = state
                .on_link(source)
                .into_iter()
                .filter_map(|id| if let ResourceId::Sysctl(node, key) = id { Some((node, key)) } else { None });
            keys.extend(own);
        }
        for namespace in state.namespaces().filter(|namespace| namespace.tenure == NodeTenure::Created) {
            keys.extend(Sysctl::FORWARDING.map(|key| (namespace.node.clone(), key.to_owned())));
        }
        // The real kernel shows it of interfaces with routes that a router advertised; here it is there for those
        // alone.
        let hears = |id: &ResourceId, item: &Item| match (id, &item.resource) {
            (ResourceId::Sysctl(node, key), Resource::Sysctl(sysctl)) => {
                (key.ends_with("/accept_ra") && sysctl.value != "0").then(|| (node.clone(), key.clone()))
            }
            _ => None,
        };
        keys.extend(state.items.iter().filter_map(|(id, item)| hears(id, item)));
        // Settings that nothing asks for are not looked at.
        state.items.retain(
            |id, _| !matches!(id, ResourceId::Sysctl(node, key) if !keys.contains(&(node.clone(), key.clone()))),
        );
        for (node, key) in keys {
            let sysctl = Sysctl::new(node.clone(), key.clone(), &self.value(&node, &key));
            let there = state.namespace(&node).is_some()
                && sysctl.link().is_none_or(|link| {
                    state.link(&link).is_some_and(|link| !key.starts_with("net/ipv6") || !link.too_small_for_ipv6())
                });
            if there && state.get(&sysctl.id()).is_none() {
                state.insert(Resource::Sysctl(sysctl), self.owner(&node));
            }
        }
        self.offloads_asked(wanted, &mut state);
        Ok(state)
    }

    fn remember(&mut self, _topology: &Name, record: &Record) -> Result<(), Error> {
        self.state.record = record.clone();
        Ok(())
    }

    fn perform(&mut self, _topology: &Name, batch: &[Operation]) -> Vec<Result<(), Error>> {
        let mut failed = false;
        let mut results = Vec::with_capacity(batch.len());
        for operation in batch {
            results.push(if failed {
                Err(Error::new(ErrorKind::Skipped, "", "something before it failed"))
            } else {
                self.one(operation)
            });
            failed |= results.last().is_some_and(Result::is_err);
        }
        results
    }

    fn settings(&mut self, which: &[(Node, String)]) -> Result<Vec<Option<String>>, Error> {
        let there = |(node, key): &&(Node, String)| {
            let link = Sysctl::new(node.clone(), key.clone(), "").link();
            link.is_none_or(|link| {
                self.state.link(&link).is_some_and(|link| !(key.starts_with("net/ipv6/") && link.too_small_for_ipv6()))
            })
        };
        Ok(which.iter().map(|asked| Some(asked).filter(there).map(|(node, key)| self.value(node, key))).collect())
    }

    fn offloads(&mut self, which: &[LinkId]) -> Result<Vec<Options>, Error> {
        let fresh = || offload::ALL.iter().map(|offload| (offload.name.into(), FRESH));
        let has = |link: &LinkId| self.state.link(link).map(|link| link.offload.clone()).unwrap_or_default();
        Ok(which.iter().map(|link| fresh().chain(has(link)).collect()).collect())
    }

    fn settle(&mut self, _wanted: &State) -> Result<(), Error> {
        Ok(())
    }

    fn table_generations(&mut self) -> Vec<(Node, u32)> {
        Vec::new()
    }
}
