//! The machine.

use super::netlink::socket::Socket;
use super::netns::pinned::Held;
use super::netns::places::Places;
use super::netns::{Netns, Place, namespace};
use super::object::file::Files;
use super::object::link::features as link_features;
use super::object::nft::counters;
use super::object::{insert, nft};
use super::overlap::{Around, Overlap};
use super::ownership::identity;
use super::perform::batch::{Batch, perform};
use super::perform::settle;
use super::resolve::key_files::{check_keys, resolve_keys};
use super::resolve::{containers, features, ipv6, settable, unnamed};
use super::store::record;
use super::store::record::Records;
use super::{Found, inventory, netns, observe, overlap, resolve};
use crate::kernel::{Error, ErrorKind, Kernel};
use crate::resource::{
    Asked, Counts, LinkId, LiveNode, Name, NetnsRef, Node, NodeTenure, Operation, Options, Record, Resource,
    ResourceId, State, TableRule,
};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::File;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex};

/// The Linux kernel that this process runs on, seen from the network namespace that it was started in.
#[derive(Debug)]
pub struct Linux {
    places: Places,
    records: Records,
    files: Files,
    claimed: BTreeSet<Node>,
    adopted: Option<(Name, BTreeSet<ResourceId>)>,
    generations: Vec<(Node, u32)>,
    warnings: Vec<String>,
    /// Descriptors that are free again when something has to be undone.
    spare: Vec<OwnedFd>,
    /// The cookie of the namespace that topo was started in.
    home: u64,
    /// The foreign interfaces that were moved, where they are now.
    arrived: BTreeSet<LinkId>,
    /// What the last observation saw in namespaces of others.
    around: Vec<Around>,
}

/// So many descriptors are had before the first change: an undo never lacks those that the apply failed for. A run of
/// `nft` takes eight (pipes for three streams and for the error of `exec`), and two namespaces may be worked in at
/// once.
const SPARE: usize = 20;

fn spare() -> Result<Vec<OwnedFd>, Error> {
    let tried = "keep descriptors for an undo";
    (0..SPARE).map(|_| File::open("/dev/null").map(OwnedFd::from).map_err(|e| Error::io(tried, &e))).collect()
}

impl Linux {
    /// The machine, with the calling thread's namespace as `host`.
    ///
    /// # Errors
    ///
    /// If the namespace of the calling thread cannot be opened.
    pub fn new() -> Result<Self, Error> {
        Ok(Self {
            places: Places { host: Netns::current()?, keys: Arc::default(), held: None, existing: BTreeMap::new() },
            records: Records::default(),
            files: Files::default(),
            claimed: BTreeSet::new(),
            adopted: None,
            generations: Vec::new(),
            warnings: netns::hidden().into_iter().collect(),
            spare: Vec::new(),
            home: netns::cookie()?,
            arrived: BTreeSet::new(),
            around: Vec::new(),
        })
    }

    /// What a user should know although nothing failed; each once.
    pub fn warnings(&mut self) -> Vec<String> {
        std::mem::take(&mut self.warnings)
    }

    /// The topology of which the namespace is a node that topo was started in.
    ///
    /// # Errors
    ///
    /// If the mark of the namespace cannot be read.
    pub fn started_inside(&self) -> Result<Option<Name>, Error> {
        let alias =
            || namespace::alias(&Socket::open()?).map_err(|refused| refused.error("read the mark of this namespace"));
        let alias = netns::run_one(netns::Place::Inside(self.places.host.clone()), alias)??;
        Ok(alias.as_deref().and_then(namespace::topology_of).map(Name::from))
    }

    /// The topologies on this machine, found by their marks and records, in name order; and what carries topo's mark
    /// and is no topology's.
    ///
    /// # Errors
    ///
    /// If the records or the marks cannot be read.
    pub fn list(&mut self) -> Result<(Vec<Found>, Vec<ResourceId>), Error> {
        let mut records = Vec::new();
        for name in self.records.names()? {
            let loaded = self.load_other(&name);
            // A run was cut off before its first step or after its last.
            let running = loaded.record.is_none() && self.records.is_bare(&name)?;
            self.warnings.extend(loaded.warning);
            records.push((name, loaded.record.unwrap_or(Record { running, ..Record::default() })));
        }
        inventory::list(&records, &self.places)
    }

    /// The topology whose namespace topo was started in, and the node, where its record knows it; `None` where that is
    /// no topology's or foreign.
    ///
    /// # Errors
    ///
    /// If the mark of the namespace or a record cannot be read.
    pub fn inside(&self) -> Result<Option<(Name, Option<Node>)>, Error> {
        let alias = netns::run_one(Place::Inside(self.places.host.clone()), || {
            namespace::alias(&Socket::open()?).map_err(|refused| refused.error("read the mark of this namespace"))
        })??;
        let Some(topology) = alias.as_deref().and_then(namespace::topology_of).map(Name::from) else { return Ok(None) };
        let here = netns::cookie()?;
        let record = self.records.load(&topology)?.record.unwrap_or_default();
        let node =
            record.namespaces.iter().find(|(_, cookie)| **cookie == here && here != 0).map(|(node, _)| node.clone());
        Ok(Some((topology, node)))
    }

    /// What others have in the namespaces that `state` has made and no plan takes away, a line for each.
    ///
    /// # Errors
    ///
    /// If a namespace cannot be entered or its ruleset cannot be read.
    pub fn foreign(&self, state: &State) -> Result<Vec<(Node, String)>, Error> {
        super::foreign::notes(state, &self.places)
    }

    /// The name of something that `wanted` needs and that is not there, and the names of its sort that are.
    pub fn alike(&self, wanted: &State, id: &ResourceId) -> Option<(String, Vec<String>)> {
        super::alike::names(wanted, id, &self.places).ok().flatten()
    }

    /// What a plan from `observed`, the last observation, to `wanted` brings onto the host, or into namespaces of
    /// others, that overlaps what is there, and the interfaces that its rules name and nothing has.
    pub fn overlaps(&self, wanted: &State, observed: &State) -> Vec<Overlap> {
        overlap::warnings(wanted, observed, &self.around)
    }

    /// What the rules of NAT and firewall of an observed `state` counted.
    ///
    /// # Errors
    ///
    /// If a namespace cannot be entered or its ruleset cannot be read.
    pub fn counts(&self, state: &State) -> Result<Counts, Error> {
        counters::read(state, &self.places)
    }

    /// What the nodes of an observed `state`, or one of them, have learned and counted.
    ///
    /// # Errors
    ///
    /// If a namespace cannot be entered or read.
    pub fn live(&self, state: &State, only: Option<&Node>, asked: Asked) -> Result<Vec<LiveNode>, Error> {
        super::live::read(state, only, asked, &self.places)
    }

    /// Takes what carries topo's mark and is no topology's for `topology`'s from now on, so that it goes with it.
    pub fn adopt(&mut self, topology: Name, nobodys: impl IntoIterator<Item = ResourceId>) {
        self.adopted = Some((topology, nobodys.into_iter().collect()));
    }

    /// From now on a namespace that is taken away is held until all is done, and has its name back where that is
    /// undone: for a destroy, after which nothing new needs what it holds (addresses, ports). `spares` says that
    /// nothing is shown what is in one that goes as a whole, so that it need not be read.
    ///
    /// # Errors
    ///
    /// If the names of the namespaces cannot be read.
    pub fn hold_what_goes(&mut self, spares: bool) -> Result<(), Error> {
        self.places.held = Some(Arc::new(Held::new(spares)?));
        Ok(())
    }

    /// Whether the private keys that a plan needs are to be had, before anything of it is done.
    ///
    /// # Errors
    ///
    /// If a private key is neither in the kernel nor in a file.
    pub fn check_keys(&self, plan: impl IntoIterator<Item = Operation>) -> Result<(), Error> {
        check_keys(&plan.into_iter().collect::<Vec<_>>(), &self.places.keys)
    }

    /// The record of a topology that nothing is done with: one that cannot be read is reported, and no reason to stop.
    fn load_other(&self, topology: &Name) -> record::Loaded {
        self.records
            .load(topology)
            .unwrap_or_else(|error| record::Loaded { record: None, warning: Some(error.to_string()) })
    }

    /// Names the ends of pairs that have none.
    fn name_ends(&self, wanted: &mut State) -> Result<(), Error> {
        if wanted.links().all(|link| link.candidates.is_empty()) {
            return Ok(());
        }
        let record = self.records.load(&wanted.topology)?.record.unwrap_or_default();
        let places = Places { existing: existing(wanted).collect(), ..self.places.clone() };
        unnamed::name(wanted, &record, &places)
    }

    /// The record of `topology`, and those of all others.
    fn read_records(&mut self, topology: &Name) -> Result<(Record, Vec<(Name, Record)>), Error> {
        let own = self.records.load(topology)?;
        self.warnings.extend(own.warning);
        let mut others = Vec::new();
        for name in self.records.names()?.into_iter().filter(|name| name != topology) {
            let loaded = self.load_other(&name);
            self.warnings.extend(loaded.warning);
            others.extend(loaded.record.map(|record| (name, record)));
        }
        let mut record = own.record.unwrap_or_default();
        if let Some((_, nobodys)) = self.adopted.as_ref().filter(|(name, _)| name == topology) {
            record.owned.extend(nobodys.iter().cloned());
        }
        Ok((record, others))
    }
}

/// A node is one namespace. One that topo made cannot become a foreign one of the same name in the file, nor the other
/// way round: what is in the old one would be no topology's.
fn one_place_each(wanted: &State, record: &Record) -> Result<(), Error> {
    for namespace in wanted.namespaces() {
        let node = &namespace.node;
        let was = match &namespace.tenure {
            NodeTenure::Existing(place) if record.namespaces.contains_key(node) => {
                format!("created by topo, and is now to be {place}")
            }
            NodeTenure::Created => match record.existing.get(node) {
                Some(place) => format!("{place}, which topo did not create, and is now to be created by topo"),
                None => continue,
            },
            _ => continue,
        };
        let error = Error::new(ErrorKind::Taken, format!("find namespace {node}"), format!("{node} was {was}"));
        return Err(error
            .help("give it another name in the file, or destroy the topology first")
            .about(ResourceId::Namespace(node.clone())));
    }
    Ok(())
}

/// The namespaces of `wanted` that another program made, and how they are found.
fn existing(wanted: &State) -> impl Iterator<Item = (Node, NetnsRef)> {
    wanted.namespaces().filter_map(|namespace| match &namespace.tenure {
        NodeTenure::Existing(place) => Some((namespace.node.clone(), place.clone())),
        _ => None,
    })
}

impl Kernel for Linux {
    fn resolve(&mut self, wanted: &mut State) -> Result<(), Error> {
        resolve::numbers(wanted)?;
        ipv6::check(wanted)?;
        features::check(wanted)?;
        settable::check(wanted)?;
        resolve_keys(wanted, &self.places.keys, &mut self.warnings)?;
        wanted.resources().try_for_each(check_raw)?;
        containers::resolve(wanted)?;
        self.name_ends(wanted)?;
        let mut seen: HashMap<(u64, u64), Node> = HashMap::from([(self.places.host.inode()?, Node::host())]);
        for (node, place) in existing(wanted) {
            // One that is not there is the plan's to speak of.
            let Ok(netns) = Netns::open(&place) else { continue };
            if let Some(other) = seen.insert(netns.inode()?, node.clone()) {
                let reason = format!("{node} and {other} are one and the same network namespace");
                let error = Error::new(ErrorKind::Taken, format!("find {place}"), reason)
                    .help("name it once, and put all of it there");
                return Err(error.about(ResourceId::Namespace(node)));
            }
        }
        Ok(())
    }

    fn observe(&mut self, wanted: &State) -> Result<State, Error> {
        let (mut record, others) = self.read_records(&wanted.topology)?;
        self.warnings.extend(identity::settle(&mut record, wanted, self.home)?);
        one_place_each(wanted, &record)?;
        self.places.existing = record.existing.clone().into_iter().chain(existing(wanted)).collect();
        // What the file makes is not existing any more, whatever it was before.
        self.places
            .existing
            .retain(|node, _| wanted.namespace(node).is_none_or(|namespace| namespace.tenure != NodeTenure::Created));
        self.claimed = record.namespaces.keys().cloned().collect();
        let made = wanted
            .namespaces()
            .filter(|namespace| namespace.tenure == NodeTenure::Created)
            .map(|namespace| &namespace.node);
        for node in made.filter(|node| !self.claimed.contains(*node) && netns::is_leftover(node.as_str())) {
            let warning = format!(
                "{} is an empty file, as a namespace leaves it that was cut off: it gives way to namespace {node}",
                netns::path(node.as_str()).display()
            );
            self.warnings.push(warning);
        }
        let (places, files) = (self.places.clone(), &self.files.of(&self.places.existing));
        let mut told = Vec::new();
        let records = observe::Records { record, others, arrived: &self.arrived };
        let state = netns::run_one(netns::Place::Inside(places.host.clone()), || {
            observe::observe(wanted, &places, files, records, &mut told)
        })?;
        self.warnings.append(&mut told);
        let (mut observed, around) = state?;
        self.around = around;
        ipv6::stand_in(wanted, &mut observed);
        Ok(observed)
    }

    fn remember(&mut self, topology: &Name, record: &Record) -> Result<(), Error> {
        if record.running && self.spare.is_empty() {
            self.spare = spare()?;
        }
        if !record.running {
            self.spare.clear();
            // While the old record still says where to look.
            let nodes = self
                .claimed
                .iter()
                .chain(record.namespaces.keys())
                .chain(self.places.existing.keys())
                .cloned()
                .collect();
            self.files.tidy(&nodes);
        }
        self.claimed = record.namespaces.keys().cloned().collect();
        self.places.existing.extend(record.existing.clone());
        if record.is_empty() {
            self.records.remove(topology)?
        } else {
            self.records.save(topology, record)?
        }
        // It has come to its end, one way or the other.
        if let (Some(held), false) = (&self.places.held, record.running) {
            held.let_go();
        }
        Ok(())
    }

    fn perform(&mut self, topology: &Name, batch: &[Operation]) -> Vec<Result<(), Error>> {
        let moved =
            |operation: &Operation| if let Operation::Move { to, .. } = operation { Some(to.clone()) } else { None };
        self.arrived.extend(batch.iter().filter_map(moved));
        let generations = Mutex::new(Vec::new());
        let (places, files, claimed) = (&self.places, &self.files.of(&self.places.existing), &self.claimed);
        let answers =
            perform(&Batch { topology, operations: batch, places, files, claimed, generations: &generations });
        self.generations.extend(generations.into_inner().unwrap_or_default());
        answers
    }

    fn give_back(&mut self) {
        self.spare.clear();
        self.places.held.iter().for_each(|held| held.give_all_back());
    }

    fn settings(&mut self, which: &[(Node, String)]) -> Result<Vec<Option<String>>, Error> {
        observe::settings(which, &self.places)
    }

    fn offloads(&mut self, which: &[LinkId]) -> Result<Vec<Options>, Error> {
        link_features::values(which, &self.places)
    }

    fn settle(&mut self, wanted: &State) -> Result<(), Error> {
        settle::settle(wanted, &self.places)
    }

    fn table_generations(&mut self) -> Vec<(Node, u32)> {
        std::mem::take(&mut self.generations)
    }
}

/// Has nft check what is written in its own words. (What topo writes itself needs no check, and each costs some
/// processes.)
fn check_raw(resource: &Resource) -> Result<(), Error> {
    let raw = |rule: &TableRule| matches!(rule, TableRule::Raw(_));
    match resource {
        Resource::Table(table) if table.chains.iter().flat_map(|chain| &chain.rules).any(raw) => nft::check(table),
        Resource::Insert(rules) if rules.rules.iter().any(raw) => insert::check(rules),
        _ => Ok(()),
    }
    .map_err(|error| error.about(resource.id()))
}
