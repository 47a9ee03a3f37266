//! Everything in the namespaces that topo did not make: what a plan leaves alone, and packets meet.

use super::read::{everything, question};
use crate::kernel::Error;
use crate::linux::Linux;
use crate::linux::netns;
use crate::linux::snapshot::contents::Look;
use crate::linux::snapshot::ends::Ends;
use crate::linux::snapshot::peers;
use crate::linux::snapshot::read::look;
use crate::resource::{Name, Node, NodeTenure, State};
use crate::survey::{Around, Heard};
use nix::libc;

impl Linux {
    /// Everything in the namespaces of `nodes`, which the last observation has found, of topo and of others.
    ///
    /// # Errors
    ///
    /// If something cannot be read; a namespace that is not there is left out.
    pub fn around(&self, topology: &Name, nodes: &[&Node]) -> Result<Around, Error> {
        let places = &self.places;
        let read = || {
            let ends = Ends::default();
            let ends = &ends;
            let jobs = nodes
                .iter()
                .map(|node| netns::job(places.of(node), move || look(topology, node, &question(), places, ends)));
            let mut looks: Vec<Look> = Vec::new();
            for (node, answer) in nodes.iter().zip(netns::run(netns::READERS, jobs.collect())) {
                match answer.and_then(|look| look) {
                    Ok(look) => looks.extend(look),
                    Err(error) if error.errno == Some(libc::ENOENT) && !node.is_host() => {}
                    Err(error) => return Err(error),
                }
            }
            let far = peers::others(&looks, places)?;
            let mut state = State::empty(topology.clone());
            let tenure = |node: &Node| match places.existing.get(node) {
                _ if node.is_host() => NodeTenure::Host,
                Some(place) => NodeTenure::Existing(place.clone()),
                None => NodeTenure::Created,
            };
            everything(&mut state, &looks, &far, places, tenure);
            Ok(Around { state, neighbors: looks.iter().flat_map(heard).collect() })
        };
        netns::run_one(netns::Place::Inside(places.host.clone()), read)?
    }
}

/// The neighbours of a namespace that answered, or were put there.
fn heard(look: &Look) -> Vec<Heard> {
    let Some(inside) = &look.inside else { return Vec::new() };
    let of = |seen: &crate::linux::object::neighbor::Seen| {
        let live = seen.live(inside.names.get(&seen.index)?.clone())?;
        let answered = matches!(live.state, "reachable" | "stale" | "delay" | "probe");
        let heard = Heard { node: look.node.clone(), interface: live.interface, address: live.address, mac: live.mac? };
        answered.then_some(heard)
    };
    inside.neighbors.iter().filter_map(of).collect()
}
