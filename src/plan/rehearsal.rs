//! A plan is made by acting in the rehearsal: each step is carried out on a copy of what was observed, and what the
//! kernel takes away on the way is put back.

use super::change::{Action, Change, Conflict, Step};
use super::handover::Holders;
use super::{adoption, diff};
use crate::model::effect::effect;
use crate::resource::{
    Drift, Item, Kind, Link, LinkId, Node, NodeTenure, Operation, Owner, Resource, ResourceId, Rule, RuleAction,
    Setting, State, TableId, Tenure,
};
use std::collections::{BTreeMap, BTreeSet};

/// The rehearsal.
pub(super) struct Paper<'a> {
    /// What is to be reached; grows by what others lose on the way.
    pub goal: State,
    /// What is there after the steps so far.
    pub state: State,
    /// What was there at the beginning.
    pub base: &'a State,
    /// The changes as a user sees them.
    pub changes: Vec<Change>,
    /// Who has what is one of a kind.
    pub holders: Holders,
    places: BTreeMap<ResourceId, usize>,
    /// The interfaces of others that this plan, or one before it, moves away from where they are.
    away: BTreeSet<LinkId>,
    pub(crate) steps: Vec<Step>,
    level: usize,
    /// What of others was to come back and cannot, and why.
    let_go: BTreeMap<ResourceId, String>,
}

impl<'a> Paper<'a> {
    pub(crate) fn new(goal: State, base: &'a State, changes: Vec<Change>) -> Self {
        let places = changes.iter().enumerate().map(|(at, change)| (change.id.clone(), at)).collect();
        let away = goal.links().filter_map(Link::source).cloned().collect();
        Self {
            goal,
            away,
            state: base.clone(),
            base,
            changes,
            holders: Holders::of(base),
            places,
            steps: Vec::new(),
            level: 0,
            let_go: BTreeMap::new(),
        }
    }

    /// The fields in which something of the goal differs from what is there.
    pub fn drift(&self, wanted: &Resource, there: &Resource) -> Vec<Drift> {
        let owner = self.goal.items.get(&wanted.id()).map_or(Owner::Ours, |item| item.owner.clone());
        adoption::drift(wanted, &owner, there, self.state.adopts.is_some())
    }

    /// What follows waits for all so far.
    pub fn wait(&mut self) {
        if self.steps.last().is_some_and(|step| step.level == self.level) {
            self.level += 1;
        }
    }

    /// Does a step in the rehearsal.
    ///
    /// # Errors
    ///
    /// If the model refuses the step, as the kernel would.
    pub fn act(&mut self, operation: Operation) -> Result<(), Conflict> {
        let id = operation.id();
        let lost = effect(&mut self.state, &operation).map_err(|refusal| match &refusal.help {
            Some(help) => Conflict::new(id.clone(), refusal.to_string(), help),
            None => {
                let reason = format!("the kernel would refuse a step of the plan: {refusal}");
                Conflict::new(id.clone(), reason, "this is a fault of topo: please report it with the file; destroying and applying again is a workaround")
            }
        })?;
        let links: &[&ResourceId] = match &operation {
            Operation::CreatePair(one, other) => &[&one.id(), &other.id()],
            _ => &[&id],
        };
        for link in links.iter().filter_map(|id| self.state.get(id)).filter_map(Resource::as_link) {
            self.holders.note(link);
        }
        let at = self.places.get(&id).copied();
        for lost in lost {
            self.lose(at, lost);
        }
        self.steps.push(Step { operation, level: self.level, change: at });
        Ok(())
    }

    /// Whether a step so far makes it.
    pub fn makes(&self, id: &ResourceId) -> bool {
        self.steps.iter().any(|step| matches!(&step.operation, Operation::Create(resource) if resource.id() == *id))
    }

    /// Gives up what was to come back and cannot.
    pub fn let_go(&mut self, id: &ResourceId, why: String) {
        self.goal.items.remove(id);
        self.let_go.insert(id.clone(), why);
    }

    /// Takes the changes out that would have brought back what cannot come, and warns of what no other change reports
    /// as lost.
    pub fn forget_let_go(&mut self, warnings: &mut Vec<String>) {
        let told: BTreeSet<&ResourceId> = self.changes.iter().flat_map(|change| &change.gone).collect();
        let untold = self.let_go.iter().filter(|(id, _)| !told.contains(id));
        warnings.extend(
            untold.map(|(id, why)| format!("{} {id}, which topo did not create, is not restored: {why}", id.kind())),
        );
        if !self.let_go.keys().any(|id| self.places.contains_key(id)) {
            return;
        }
        self.changes.retain(|change| !self.let_go.contains_key(&change.id));
        let places: BTreeMap<&ResourceId, usize> =
            self.changes.iter().enumerate().map(|(at, change)| (&change.id, at)).collect();
        for step in &mut self.steps {
            step.change = step.change.and_then(|_| places.get(&step.operation.id()).copied());
        }
    }

    /// Whether something that a step took away is not as it was at the end.
    pub fn is_lost(&self, id: &ResourceId) -> bool {
        let (Some(now), Some(before)) = (self.state.get(id), self.base.items.get(id)) else {
            return self.state.get(id).is_none();
        };
        let kept = !matches!(now, Resource::Route(_)) || before.owner == Owner::Ours;
        !kept && !before.resource.drift(now).is_empty()
    }

    /// Notes what a step took away, and has it put back where it is foreign and its place stays.
    fn lose(&mut self, at: Option<usize>, id: ResourceId) {
        let Some(item) = self.base.items.get(&id) else { return };
        let moves = at.and_then(|at| self.changes.get(at)).is_some_and(|change| change.action == Action::Move);
        // What a DHCP client put on a link that goes away it puts there again when that is home.
        if moves && matches!(&item.resource, Resource::Address(address) if address.expires) {
            return;
        }
        // Settings of a link that goes for good go with it, and are no topology's loss.
        let setting = if let Resource::Sysctl(sysctl) = &item.resource { sysctl.link() } else { None };
        if setting.is_some_and(|link| self.goal.link(&link).is_none()) {
            return;
        }
        let theirs = matches!(item.owner, Owner::Theirs(_));
        if theirs {
            self.put_back(item);
        }
        let matters = theirs || self.goal.items.contains_key(&id);
        if let Some(change) = at.and_then(|at| self.changes.get_mut(at)).filter(|change| matters && change.id != id) {
            change.loses.push(id);
        }
    }

    fn put_back(&mut self, item: &Item) {
        let place = match &item.resource {
            Resource::Address(address) => {
                self.goal.link(&address.link).is_some() && !self.goal.bars(&address.link, &address.address)
            }
            Resource::Neighbor(neighbor) => self.goal.link(&neighbor.link).is_some(),
            // Not over a link that moves away: it comes back with the link.
            Resource::Route(route) => route.nexthops.iter().filter_map(|hop| hop.dev.as_ref()).all(|dev| {
                let link = LinkId { node: route.node.clone(), name: dev.clone() };
                let off = self.goal.is_off(&link) || self.goal.bars(&link, &route.key.to);
                let stays = self.state.link(&link).is_some() && !self.away.contains(&link);
                !off && (stays || self.goal.link(&link).is_some())
            }),
            Resource::Link(link) if self.state.link(&link.id).is_none() => false,
            Resource::Link(link) => {
                self.up_again(link);
                // Not into what is no bridge any more.
                let bridge = |master: &LinkId| {
                    self.goal.link(master).is_some_and(|above| matches!(above.kind, Kind::Bridge | Kind::Any))
                };
                if let Some(master) = link.master_id().filter(bridge) {
                    let master = Setting::Is(Some(master.name));
                    let (port, vlans) = (link.port.clone(), link.vlans.clone());
                    let port = Link {
                        tenure: Tenure::Existing,
                        master,
                        port,
                        vlans,
                        marked: false,
                        ..Link::bare(link.id.clone(), Kind::Any)
                    };
                    self.goal.insert(Resource::Link(Box::new(port)), Owner::Restored);
                }
                false
            }
            _ => false,
        };
        if place && !self.goal.items.contains_key(&item.resource.id()) {
            let mut resource = item.resource.clone();
            if let Resource::Address(address) = &mut resource {
                // The one that it came second to may be gone for good.
                address.secondary &= self
                    .goal
                    .addresses_of(&address.link)
                    .any(|first| !first.secondary && first.subnet() == address.subnet());
            }
            self.goal.insert(resource, Owner::Restored);
        }
    }

    /// A bond gives its ports back down: a foreign one that was up comes up again.
    fn up_again(&mut self, link: &Link) {
        let down = self.state.link(&link.id).is_some_and(|link| link.up == Setting::Is(false));
        if !down || link.up != Setting::Is(true) {
            return;
        }
        let id = ResourceId::Link(link.id.clone());
        if let Some(Resource::Link(wanted)) = self.goal.items.get_mut(&id).map(|item| &mut item.resource) {
            wanted.up = wanted.up.over(&Setting::Is(true));
        } else {
            let up = Link {
                tenure: Tenure::Existing,
                up: Setting::Is(true),
                marked: false,
                ..Link::bare(link.id.clone(), Kind::Any)
            };
            self.goal.insert(Resource::Link(Box::new(up)), Owner::Restored);
        }
    }

    /// Brings the kernel's own rules that were deleted manually before anything else is done: without the one for
    /// `main` no route over a gateway could be made again, not even to undo what failed. Where it is not wanted, it
    /// goes when all is done. Those for VRFs come with the first one that a namespace ever had, and not with a later
    /// one (`add_fib_rules` in `drivers/net/vrf.c`, which takes one that is there already for its own): nothing can see
    /// which it will be.
    pub(crate) fn rules_first(&mut self) -> Result<(), Conflict> {
        let wanted = self
            .goal
            .resources()
            .filter_map(|resource| if let Resource::Rule(rule) = resource { Some(rule.clone()) } else { None });
        let mut rules: Vec<Rule> = wanted.filter(|rule| rule.kernel).collect();
        let made = self.goal.namespaces().filter(|namespace| namespace.tenure == NodeTenure::Created);
        let over_gateways = made.filter(|namespace| {
            self.goal.routes_of(&namespace.node).any(|route| route.nexthops.iter().any(|hop| hop.via.is_some()))
        });
        let to_main = |rule: &Rule| rule.key.action == RuleAction::Table(TableId::MAIN);
        rules.extend(over_gateways.flat_map(|namespace| Rule::of_the_kernel(&namespace.node)).filter(to_main));
        rules.retain(|rule| self.state.namespace(&rule.node).is_some() && self.state.get(&rule.id()).is_none());
        self.namespaces_of(&rules)?;
        for rule in rules {
            if self.state.get(&rule.id()).is_none() {
                self.act(Operation::Create(Resource::Rule(rule)))?;
            }
        }
        self.wait();
        Ok(())
    }

    /// Gives the namespaces that `rules` are missing in their mark. One without a mark may be no more than a file that
    /// a killed run left.
    fn namespaces_of(&mut self, rules: &[Rule]) -> Result<(), Conflict> {
        let nodes: BTreeSet<&Node> = rules.iter().map(|rule| &rule.node).collect();
        for node in nodes {
            let id = ResourceId::Namespace(node.clone());
            if let (Some(before), Some(after)) = (self.state.get(&id).cloned(), self.goal.get(&id).cloned())
                && !after.drift(&before).is_empty()
            {
                self.act(Operation::Update { before, after })?;
            }
        }
        self.wait();
        Ok(())
    }

    /// Takes away what came with something that was made and is not wanted, such as a rule of the kernel's that another
    /// program had deleted before, and the kernel's rule for `local` that now stands elsewhere. Says what is left to
    /// change.
    pub(crate) fn remove_born(&mut self) -> Result<Vec<Change>, Conflict> {
        let (gone, rest): (Vec<_>, Vec<_>) =
            diff::changes(&self.goal, &self.state).into_iter().partition(|change| change.action == Action::Delete);
        if gone.is_empty() {
            return Ok(rest);
        }
        for resource in gone.into_iter().filter_map(|change| change.before) {
            self.act(Operation::Delete(resource))?;
        }
        self.wait();
        Ok(diff::changes(&self.goal, &self.state))
    }

    /// The changes that take their resource away, as they are or to be made anew.
    pub fn doomed(&self) -> Vec<ResourceId> {
        let gone = |change: &&Change| matches!(change.action, Action::Delete | Action::Replace);
        self.changes.iter().filter(gone).map(|change| change.id.clone()).collect()
    }
}
