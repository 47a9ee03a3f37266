//! Which links are on one segment: what one of them broadcasts, the others hear.

use crate::resource::{Kind, Link, LinkId, Setting, Tenure, Value, kinds};
use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;

/// Things put into sets that can be joined (union by size).
pub(crate) struct Sets<K> {
    place: HashMap<K, usize>,
    parent: Vec<usize>,
    size: Vec<usize>,
}

impl<K: Hash + Eq + Copy> Sets<K> {
    /// Each alone.
    pub fn of(things: impl Iterator<Item = K>) -> Self {
        let mut sets = Self { place: HashMap::new(), parent: Vec::new(), size: Vec::new() };
        things.for_each(|thing| _ = sets.add(thing));
        sets
    }

    /// The place of a thing, which is alone if it is new.
    fn add(&mut self, thing: K) -> usize {
        let next = self.parent.len();
        let at = *self.place.entry(thing).or_insert(next);
        if at == next {
            self.parent.push(next);
            self.size.push(1);
        }
        at
    }

    /// What distinguishes the set of `thing` from others.
    pub fn set(&self, thing: K) -> Option<usize> {
        self.place.get(&thing).map(|at| self.root(*at))
    }

    fn root(&self, mut at: usize) -> usize {
        while let Some(&up) = self.parent.get(at)
            && up != at
        {
            at = up;
        }
        at
    }

    /// Makes one set of two; `false` where they were one already. The smaller tree hangs on the larger, so that no path
    /// is longer than the logarithm of their number.
    pub fn join(&mut self, one: K, other: K) -> bool {
        let (one, other) = (self.add(one), self.add(other));
        let (one, other) = (self.root(one), self.root(other));
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

/// A file with more ports times VLANs is not looked into: what its segments are is not known.
const MOST_STEPS: usize = 2_000_000;

/// Where frames are.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Spot<'a> {
    /// At a link, without a tag.
    Link(&'a LinkId),
    /// At a link with this tag, or in this VLAN of a bridge that filters them. Tags of 802.1ad have numbers of their
    /// own.
    Tag(&'a LinkId, u16),
}

/// The links of a topology, put together by segment.
///
/// The two ends of a veth pair are together, a bridge with its ports, a bond with its ports, a macvlan or ipvlan with
/// what it depends on. A bridge that filters VLANs is as many bridges as it has VLANs; tags are followed from where a
/// VLAN begins to where it ends. What a vxlan reaches is not followed.
pub(crate) struct Segments<'a> {
    sets: Sets<Spot<'a>>,
    open: Vec<bool>,
    partial: bool,
}

impl<'a> Segments<'a> {
    /// Puts `links` together; `partial` where there are more, which are not known.
    pub fn new(links: &HashMap<&'a LinkId, &'a Link>, partial: bool) -> Self {
        let mut sets = Sets::of(links.keys().copied().map(Spot::Link));
        let known = |id: &LinkId| links.get_key_value(id).map(|(id, _)| *id);
        let mut outside: Vec<Spot<'_>> = Vec::new();
        for link in links.values().copied() {
            let here = Spot::Link(&link.id);
            let lower = link.link.as_ref().filter(|_| kinds::traits(&link.kind).takes_over);
            for other in [link.peer.as_ref(), lower].into_iter().flatten().filter_map(known) {
                sets.join(here, Spot::Link(other));
            }
            outside.extend(Some(here).filter(|_| reaches_out(links, link)));
            outside.extend(vlan(&mut sets, links, link));
            match master(links, link) {
                Some(bridge) if filters(bridge) => outside.extend(untagged(&mut sets, link, bridge)),
                Some(master) => _ = sets.join(here, Spot::Link(&master.id)),
                None if filters(link) => outside.extend(untagged(&mut sets, link, link)),
                None => {}
            }
        }
        outside.extend(tagged(&mut sets, links));
        let mut open = vec![false; sets.parent.len()];
        for spot in outside {
            if let Some(open) = sets.set(spot).and_then(|set| open.get_mut(set)) {
                *open = true;
            }
        }
        Self { sets, open, partial }
    }

    /// What distinguishes the segment of `link` from others; the same for all links that it holds.
    pub fn of(&self, link: &LinkId) -> Option<usize> {
        let (known, _) = self.sets.place.get_key_value(&Spot::Link(link))?;
        self.sets.set(*known)
    }

    /// Whether `link`'s segment may hold interfaces that the file does not know.
    pub fn is_open(&self, link: &LinkId) -> bool {
        self.partial || self.of(link).and_then(|set| self.open.get(set)).copied().unwrap_or(true)
    }
}

/// Whether `link` is a bridge that filters VLANs.
pub(crate) fn filters(link: &Link) -> bool {
    link.options.get("vlan-filtering") == Some(&Value::Bool(true))
}

/// The number of a tag.
fn tag(protocol: Option<&Value>, id: u16) -> u16 {
    if protocol == Some(&Value::word("802.1ad")) { id | 0x1000 } else { id }
}

/// The number of the tag of a VLAN of a bridge.
fn of_bridge(bridge: &Link, id: u16) -> u16 {
    tag(bridge.options.get("vlan-protocol"), id)
}

/// The bridge or bond that `link` is a port of.
fn master<'a>(links: &HashMap<&'a LinkId, &'a Link>, link: &Link) -> Option<&'a Link> {
    links.get(&link.master_id()?).copied().filter(|master| matches!(master.kind, Kind::Bridge | Kind::Bond))
}

/// Puts a VLAN on an interface to the frames with its tag there; gives it where it cannot be known who has those.
fn vlan<'a>(sets: &mut Sets<Spot<'a>>, links: &HashMap<&'a LinkId, &'a Link>, link: &'a Link) -> Option<Spot<'a>> {
    let here = Spot::Link(&link.id);
    let lower = link.link.as_ref().filter(|_| link.kind == Kind::Vlan)?;
    let (Some(lower), Some(Value::Number(id))) = (links.get(lower).copied(), link.options.get("id")) else {
        return Some(here);
    };
    let id = u16::try_from(*id).unwrap_or(0);
    let carries =
        !filters(lower) || lower.vlans.get().is_some_and(|vlans| vlans.contains(id) && !vlans.is_untagged(id));
    if carries {
        sets.join(here, Spot::Tag(&lower.id, tag(link.options.get("protocol"), id)));
    }
    // Frames with two tags are not followed.
    (lower.kind == Kind::Vlan).then_some(here)
}

/// Puts a port of a bridge that filters, or the bridge itself, into its VLAN of frames without a tag; gives the link
/// where the file does not say which.
fn untagged<'a>(sets: &mut Sets<Spot<'a>>, link: &'a Link, bridge: &'a Link) -> Option<Spot<'a>> {
    let here = Spot::Link(&link.id);
    let Setting::Is(vlans) = &link.vlans else { return Some(here) };
    if let Some(pvid) = vlans.pvid() {
        sets.join(here, Spot::Tag(&bridge.id, of_bridge(bridge, pvid)));
    }
    None
}

/// Follows those tags from link to link of which another program is the end; others lead nowhere. Gives where there may
/// be others.
fn tagged<'a>(sets: &mut Sets<Spot<'a>>, links: &HashMap<&'a LinkId, &'a Link>) -> Vec<Spot<'a>> {
    let used: BTreeSet<u16> =
        sets.place.keys().filter_map(|spot| if let Spot::Tag(_, tag) = spot { Some(*tag) } else { None }).collect();
    if links.len().saturating_mul(used.len()) > MOST_STEPS {
        return links.keys().copied().map(Spot::Link).collect();
    }
    let mut outside = Vec::new();
    for link in links.values().copied().filter(|_| !used.is_empty()) {
        let lower = link.link.as_ref().filter(|_| kinds::traits(&link.kind).takes_over);
        let beside = link.peer.as_ref().or(lower).and_then(|other| links.get_key_value(other)).map(|(id, _)| *id);
        let (master, open) = (master(links, link), reaches_out(links, link));
        for tag in &used {
            let here = Spot::Tag(&link.id, *tag);
            outside.extend(Some(here).filter(|_| open));
            if let Some(beside) = beside {
                sets.join(here, Spot::Tag(beside, *tag));
            }
            let Some(master) = master else { continue };
            let there = Spot::Tag(&master.id, *tag);
            match link.vlans.get() {
                _ if !filters(master) => _ = sets.join(here, there),
                None => outside.push(there),
                Some(vlans) => {
                    let id = *tag & 0xfff;
                    if of_bridge(master, id) == *tag && vlans.contains(id) && !vlans.is_untagged(id) {
                        sets.join(here, there);
                    }
                }
            }
        }
    }
    outside
}

/// Whether something may be behind `link` that the file does not say: it is no link of ours, or a port of one that the
/// file only names, of which nothing says what else is plugged in.
fn reaches_out(links: &HashMap<&LinkId, &Link>, link: &Link) -> bool {
    let known = kinds::traits(&link.kind).closed;
    let port = link.master_id().is_some_and(|master| links.get(&master).is_none_or(|master| master.kind == Kind::Any));
    !known || port || (link.tenure != Tenure::Created && link.kind != Kind::Loopback)
}
