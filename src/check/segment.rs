//! Which links are on one segment: what one of them broadcasts, the others hear.

use crate::resource::{Kind, Link, LinkId, Tenure, Value};
use std::collections::HashMap;

/// Links put into sets that can be joined (union by size).
pub(super) struct Sets<'a> {
    place: HashMap<&'a LinkId, usize>,
    parent: Vec<usize>,
    size: Vec<usize>,
}

impl<'a> Sets<'a> {
    /// Each link alone.
    pub fn of(links: impl Iterator<Item = &'a LinkId>) -> Self {
        let place: HashMap<&LinkId, usize> = links.enumerate().map(|(at, id)| (id, at)).collect();
        Self { parent: (0..place.len()).collect(), size: vec![1; place.len()], place }
    }

    /// What tells the set of `link` from others.
    pub fn set(&self, link: &LinkId) -> Option<usize> {
        self.place.get(link).map(|at| self.root(*at))
    }

    fn root(&self, mut at: usize) -> usize {
        while let Some(&up) = self.parent.get(at)
            && up != at
        {
            at = up;
        }
        at
    }

    /// Makes one set of two; `false` where they were one already. The smaller tree hangs on the larger, so that no path is longer than the logarithm of
    /// the number of links.
    pub fn join(&mut self, one: &LinkId, other: &LinkId) -> bool {
        let (Some(one), Some(other)) = (self.set(one), self.set(other)) else { return false };
        let size = |at: usize| self.size.get(at).copied().unwrap_or_default();
        let total = size(one) + size(other);
        let (low, high) = if size(one) >= size(other) { (one, other) } else { (other, one) };
        if low != high
            && let (Some(parent), Some(size)) = (self.parent.get_mut(high), self.size.get_mut(low))
        {
            *parent = low;
            *size = total;
        }
        low != high
    }
}

/// The links of a topology, put together by segment.
///
/// The two ends of a veth pair are together, a bridge with its ports, a bond with its ports, a macvlan or ipvlan with what it stands on, and VLANs of one id on one
/// segment with each other. What a vxlan reaches is not followed.
pub(super) struct Segments<'a> {
    sets: Sets<'a>,
    open: Vec<bool>,
    partial: bool,
}

impl<'a> Segments<'a> {
    /// Puts `links` together; `partial` where there are more, which are not known.
    pub fn new(links: &HashMap<&'a LinkId, &'a Link>, partial: bool) -> Self {
        let mut sets = Sets::of(links.keys().copied());
        for link in links.values() {
            let master = link.master_id().filter(|master| links.get(master).is_some_and(|master| matches!(master.kind, Kind::Bridge | Kind::Bond)));
            let lower = link.link.as_ref().filter(|_| matches!(link.kind, Kind::Macvlan | Kind::Macvtap | Kind::Ipvlan));
            for other in [link.peer.as_ref(), master.as_ref(), lower].into_iter().flatten() {
                sets.join(&link.id, other);
            }
        }
        let vlans: Vec<(&Link, &LinkId)> =
            links.values().filter(|link| link.kind == Kind::Vlan).filter_map(|link| Some((*link, link.link.as_ref()?))).collect();
        join_vlans(&mut sets, &vlans);
        let mut open = vec![false; links.len()];
        for link in links.values().filter(|link| reaches_out(link)) {
            if let Some(open) = sets.set(&link.id).and_then(|set| open.get_mut(set)) {
                *open = true;
            }
        }
        let mut segments = Self { sets, open, partial };
        segments.open_vlans(&vlans);
        segments
    }

    /// Where something unknown may be on a segment, it may also be in each VLAN of it.
    fn open_vlans(&mut self, vlans: &[(&Link, &LinkId)]) {
        loop {
            let mut changed = false;
            for (vlan, lower) in vlans {
                if self.is_open(lower)
                    && let Some(open) = self.sets.set(&vlan.id).and_then(|set| self.open.get_mut(set))
                {
                    changed |= !*open;
                    *open = true;
                }
            }
            if !changed {
                return;
            }
        }
    }

    /// What tells the segment of `link` from others; the same for all links that it holds.
    pub fn of(&self, link: &LinkId) -> Option<usize> {
        self.sets.set(link)
    }

    /// Whether `link`'s segment may hold interfaces that the file does not know.
    pub fn is_open(&self, link: &LinkId) -> bool {
        self.partial || self.of(link).and_then(|set| self.open.get(set)).copied().unwrap_or(true)
    }
}

/// Puts VLANs of one id together whose lower links hear each other. One VLAN may stand on another, so a join may make a further one possible.
fn join_vlans<'a>(sets: &mut Sets<'a>, vlans: &[(&'a Link, &'a LinkId)]) {
    loop {
        let mut changed = false;
        let mut first: HashMap<(Option<usize>, Vec<String>), &LinkId> = HashMap::new();
        for (vlan, lower) in vlans {
            let tag = ["id", "protocol"].iter().filter_map(|key| vlan.options.get(*key)).map(Value::to_string).collect();
            let other = *first.entry((sets.set(lower), tag)).or_insert(&vlan.id);
            changed |= sets.join(&vlan.id, other);
        }
        if !changed {
            return;
        }
    }
}

/// Whether something may be behind `link` that the file does not say.
fn reaches_out(link: &Link) -> bool {
    let known = matches!(
        link.kind,
        Kind::Veth | Kind::Bridge | Kind::Macvlan | Kind::Ipvlan | Kind::Bond | Kind::Vlan | Kind::Vrf | Kind::Dummy | Kind::Ifb | Kind::Loopback
    );
    !known || (link.tenure != Tenure::Created && link.kind != Kind::Loopback)
}
