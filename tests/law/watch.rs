//! A kernel that watches what it is asked to do.

use super::{HEARS, Lawful, Machine};
use std::collections::BTreeSet;
use topo::kernel::{Error, Kernel};
use topo::plan::Plan;
use topo::resource::*;

/// Holds that nothing is named that is neither topo's nor the file's, and that everything is born marked.
pub struct Watched<'m> {
    machine: &'m mut dyn Machine,
    /// What of others may be touched: what the file names or the record gives back, and what the plan says it loses.
    named: BTreeSet<ResourceId>,
    /// What was there, and comes back as it was when the plan is undone.
    there: BTreeSet<ResourceId>,
    wrong: Vec<String>,
}

impl<'m> Watched<'m> {
    /// Watches while `plan` is carried out or undone.
    pub fn new(machine: &'m mut dyn Machine, plan: &Plan) -> Self {
        let mut named: BTreeSet<ResourceId> = plan.wanted.items.keys().cloned().collect();
        named.extend(plan.base.record.prior.iter().map(Resource::id));
        named.extend(plan.changes.iter().flat_map(|change| change.loses.iter().cloned()));
        // A link that is moved takes along what stands on it; where the file puts the rule for `local` elsewhere the
        // kernel's own goes.
        let sources = |link: &Link| {
            if let Tenure::From(source) = &link.tenure { vec![source.clone(), link.id.clone()] } else { Vec::new() }
        };
        let moved: BTreeSet<LinkId> = plan.wanted.links().chain(plan.base.links()).flat_map(sources).collect();
        named.extend(moved.iter().cloned().map(ResourceId::Link));
        named.extend(plan.base.resources().filter(|resource| on_one_of(&moved, resource)).map(Resource::id));
        named.extend(
            plan.base
                .resources()
                .filter(|resource| matches!(resource, Resource::Rule(rule) if rule.kernel))
                .map(Resource::id),
        );
        Self { machine, named, there: plan.base.items.keys().cloned().collect(), wrong: Vec::new() }
    }

    /// What was wrong.
    pub fn verdict(self) -> Lawful {
        if self.wrong.is_empty() { Ok(()) } else { Err(self.wrong.join("\n")) }
    }

    fn look(&mut self, operation: &Operation) {
        let id = operation.id();
        let state = &self.machine.model().state;
        let theirs = matches!(state.items.get(&id), Some(Item { owner: Owner::Theirs(_), .. }));
        let besides = matches!(state.get(&id), Some(Resource::Sysctl(sysctl)) if sysctl.written_with().is_some());
        if theirs && !besides && !self.named.contains(&id) {
            self.wrong.push(format!("somebody else's is touched: {operation:?}"));
        }
        if begins_to_forward(operation) && self.machine.model().value(&Node::host(), HEARS) == "1" {
            self.wrong.push(format!("the routes that a router advertised are lost: {operation:?}"));
        }
        let made = match operation {
            Operation::Create(resource) => vec![resource.clone()],
            Operation::CreatePair(one, other) => vec![Resource::Link(one.clone()), Resource::Link(other.clone())],
            _ => Vec::new(),
        };
        let record = &self.machine.model().state.record;
        let given_back = |resource: &Resource| record.prior(&resource.id()).is_some();
        for resource in made
            .iter()
            .filter(|resource| !is_marked(resource) && !self.there.contains(&resource.id()) && !given_back(resource))
        {
            self.wrong.push(format!("born without its mark: {resource:?}"));
        }
    }
}

/// Whether the host forwards IPv6 from then on, and forgets what routers said where `accept_ra` is 1.
fn begins_to_forward(operation: &Operation) -> bool {
    let (Operation::Create(Resource::Sysctl(sysctl)) | Operation::Update { after: Resource::Sysctl(sysctl), .. }) =
        operation
    else {
        return false;
    };
    sysctl.node.is_host() && sysctl.key == "net/ipv6/conf/all/forwarding" && sysctl.value != "0"
}

fn on_one_of(links: &BTreeSet<LinkId>, resource: &Resource) -> bool {
    match resource {
        Resource::Address(address) => links.contains(&address.link),
        Resource::Neighbor(neighbor) => links.contains(&neighbor.link),
        Resource::Route(route) => route
            .nexthops
            .iter()
            .filter_map(|hop| hop.dev.as_ref())
            .any(|dev| links.contains(&LinkId { node: route.node.clone(), name: dev.clone() })),
        _ => false,
    }
}

fn is_marked(resource: &Resource) -> bool {
    match resource {
        Resource::Namespace(namespace) => namespace.marked,
        Resource::Link(link) => link.marked,
        Resource::Address(address) => address.marked,
        Resource::Route(route) => route.marked,
        Resource::Neighbor(neighbor) => neighbor.marked,
        Resource::Rule(rule) => rule.marked || rule.kernel,
        _ => true,
    }
}

impl Kernel for Watched<'_> {
    fn resolve(&mut self, wanted: &mut State) -> Result<(), Error> {
        self.machine.resolve(wanted)
    }

    fn observe(&mut self, wanted: &State) -> Result<State, Error> {
        self.machine.observe(wanted)
    }

    fn remember(&mut self, topology: &Name, record: &Record) -> Result<(), Error> {
        self.machine.remember(topology, record)
    }

    fn perform(&mut self, topology: &Name, batch: &[Operation]) -> Vec<Result<(), Error>> {
        batch.iter().for_each(|operation| self.look(operation));
        self.machine.perform(topology, batch)
    }

    fn settings(&mut self, which: &[(Node, String)]) -> Result<Vec<Option<String>>, Error> {
        self.machine.settings(which)
    }

    fn offloads(&mut self, which: &[LinkId]) -> Result<Vec<topo::resource::Options>, Error> {
        self.machine.offloads(which)
    }

    fn settle(&mut self, wanted: &State) -> Result<(), Error> {
        self.machine.settle(wanted)
    }

    fn table_generations(&mut self) -> Vec<(Node, u32)> {
        self.machine.table_generations()
    }
}
