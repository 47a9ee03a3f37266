//! Whose a neighbour or a forwarding entry (FDB) is.

use super::classify::{Sorter, theirs};
use crate::resource::{Fdb, FdbTarget, Foreign, Kind, Neighbor, Owner, Resource, ResourceId};

impl Sorter<'_> {
    /// Neighbours and forwarding entries (FDB).
    pub(super) fn neighbors(&mut self) {
        for seen in &self.inside.neighbors {
            let Some(neighbor) = self.name(seen.index).and_then(|name| seen.neighbor(self.node(), name)) else {
                continue;
            };
            let id = neighbor.id();
            if let Some(owner) = self.owner_of_neighbor(&id, &neighbor, seen.index) {
                self.state.insert(Resource::Neighbor(neighbor), owner);
            }
        }
        for seen in &self.inside.fdb {
            let Some(fdb) = self.name(seen.index).and_then(|name| seen.fdb(self.node(), name)) else { continue };
            if matches!(fdb.to, FdbTarget::Port(_)) {
                self.station(fdb);
                continue;
            }
            let id = fdb.id();
            let vxlan = self.look.links.iter().find(|link| link.index == seen.index && link.kind == Kind::Vxlan);
            let own = vxlan.is_some_and(|link| fdb.mac.0 == [0; 6] && Some(fdb.to) == link.remote());
            let owner = match vxlan {
                None => None,
                Some(_) if own && !self.wanted(&id) => None,
                Some(link) if self.ours.contains(&link.index) => Some(Owner::Ours),
                Some(_) if self.judge.record.owned.contains(&id) => Some(Owner::Ours),
                Some(_) => self.wanted(&id).then(|| theirs(Foreign::Unknown)),
            };
            if let Some(owner) = owner {
                self.state.insert(Resource::Fdb(fdb), owner);
            }
        }
    }

    /// A static entry of a port: it matters on ports of which the file lists some, or did, and is ours there.
    fn station(&mut self, fdb: Fdb) {
        let named = |id: &ResourceId| matches!(id, ResourceId::Fdb(link, _, FdbTarget::Port(_)) if *link == fdb.link);
        let listed =
            self.judge.record.owned.iter().any(named) || self.judge.wanted.on_link(&fdb.link).iter().any(named);
        // One without a VLAN was put by the kernel into all that the port had, and goes with it.
        let whole = Fdb { to: FdbTarget::Port(0), ..fdb.clone() };
        let part =
            listed
                && fdb != whole
                && self.inside.fdb.iter().any(|seen| {
                    self.name(seen.index).and_then(|name| seen.fdb(self.node(), name)) == Some(whole.clone())
                });
        if !listed || part {
            return;
        }
        let id = fdb.id();
        let ours = self.look.links.iter().any(|link| link.name == fdb.link.name && self.ours.contains(&link.index));
        if ours || self.judge.record.owned.contains(&id) {
            self.state.insert(Resource::Fdb(fdb), Owner::Ours);
        } else if self.wanted(&id) {
            self.state.insert(Resource::Fdb(fdb), theirs(Foreign::Unknown));
        }
    }

    /// Neighbours that nothing listed stay, unless topo made them.
    fn owner_of_neighbor(&self, id: &ResourceId, neighbor: &Neighbor, index: u32) -> Option<Owner> {
        let (made, marked) = (self.made, neighbor.marked);
        // A permanent one of others goes with what topo does to the link, and comes back.
        let shown = !made && neighbor.permanent && self.shown.contains(&neighbor.link.name);
        if shown && !marked && !self.wanted(id) {
            return Some(theirs(Foreign::Unknown));
        }
        match (marked || self.wanted(id), neighbor.permanent || marked) {
            (false, _) => None,
            (true, _) if made => Some(self.inside(id, Some(index))),
            (true, false) => Some(Owner::Ours),
            (true, true) => self.owner_elsewhere(id, marked, self.ours.contains(&index), false),
        }
    }
}
