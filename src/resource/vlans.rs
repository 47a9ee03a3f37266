//! The VLANs of a bridge's port, or of the bridge itself.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The highest VLAN id.
pub const LAST_VLAN: u16 = 4094;

/// VLANs from one id to another that leave alike.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct VlanSpan {
    /// The first id.
    pub first: u16,
    /// The last id.
    pub last: u16,
    /// Whether their frames leave without a tag.
    pub untagged: bool,
}

/// The VLANs that a bridge's port, or the bridge itself, is a member of (`bridge vlan`). Of one set there is one form
/// only, so that equal sets are equal values.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Vlans {
    /// The VLAN of frames that come in without a tag; always a member.
    pvid: Option<u16>,
    /// The members, in order, none twice; neighbours that are alike are one.
    spans: Vec<VlanSpan>,
}

/// VLANs in a row that are set or removed alike, as one entry of a request or one line of `bridge vlan`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct VlanRun {
    /// The first id.
    pub first: u16,
    /// The last id.
    pub last: u16,
    /// Whether their frames leave without a tag.
    pub untagged: bool,
    /// Whether it is the VLAN of frames that come in without a tag; it stands alone then.
    pub pvid: bool,
}

/// What the language says of a set.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum VlanWords {
    /// One VLAN, untagged.
    Access(u16),
    /// Several, or one with a tag, or none.
    Trunk {
        /// With a tag.
        trunk: Vec<(u16, u16)>,
        /// Without one, but for the native one.
        untagged: Vec<(u16, u16)>,
        /// Of frames without a tag, both ways.
        native: Option<u16>,
        /// Of frames that come in without a tag; they leave with one.
        pvid: Option<u16>,
    },
}

/// Not a member, a member with a tag, one without.
type Table = Vec<u8>;
const TAGGED: u8 = 1;
const UNTAGGED: u8 = 2;
/// Beside one of the others.
const PVID: u8 = 4;

impl Vlans {
    /// No VLAN.
    pub fn none() -> Self {
        Self::default()
    }

    /// One VLAN, untagged both ways.
    pub fn access(id: u16) -> Self {
        Self::new(Some(id), [VlanSpan { first: id, last: id, untagged: true }])
    }

    /// What a port has that joins a bridge with this default: 0 is none.
    pub fn by_default(pvid: u16) -> Self {
        if pvid == 0 { Self::none() } else { Self::access(pvid) }
    }

    /// The members in `spans`, in any order; one that is in several is untagged if it is so in any. A `pvid` that is no
    /// member counts as none.
    pub fn new(pvid: Option<u16>, spans: impl IntoIterator<Item = VlanSpan>) -> Self {
        let mut spans: Vec<VlanSpan> = spans
            .into_iter()
            .filter(|span| span.first <= span.last && span.first >= 1 && span.last <= LAST_VLAN)
            .collect();
        spans.sort();
        if spans.is_sorted_by(|a, b| a.last < b.first) {
            let spans = merged(&spans);
            let vlans = Self { pvid: None, spans };
            return Self { pvid: pvid.filter(|id| vlans.contains(*id)), ..vlans };
        }
        let mut table: Table = vec![0; usize::from(LAST_VLAN) + 1];
        for span in &spans {
            let members = table.get_mut(usize::from(span.first)..=usize::from(span.last)).unwrap_or_default();
            members
                .iter_mut()
                .for_each(|member| *member = (*member).max(if span.untagged { UNTAGGED } else { TAGGED }));
        }
        Self::of_table(&table, pvid)
    }

    fn of_table(table: &[u8], pvid: Option<u16>) -> Self {
        let single = |(id, member): (u16, &u8)| VlanSpan { first: id, last: id, untagged: member & UNTAGGED != 0 };
        let spans: Vec<VlanSpan> = (0..).zip(table).filter(|(_, member)| **member != 0).map(single).collect();
        let vlans = Self { pvid: None, spans: merged(&spans) };
        Self { pvid: pvid.filter(|id| vlans.contains(*id)), ..vlans }
    }

    fn table(&self) -> Table {
        let mut table = vec![0; usize::from(LAST_VLAN) + 1];
        for span in &self.spans {
            let members = table.get_mut(usize::from(span.first)..=usize::from(span.last)).unwrap_or_default();
            members.fill(if span.untagged { UNTAGGED } else { TAGGED });
        }
        if let Some(member) = self.pvid.and_then(|id| table.get_mut(usize::from(id))) {
            *member |= PVID;
        }
        table
    }

    /// The VLAN of frames that come in without a tag.
    pub fn pvid(&self) -> Option<u16> {
        self.pvid
    }

    /// The members, in order.
    pub fn spans(&self) -> &[VlanSpan] {
        &self.spans
    }

    /// Whether it has no member.
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// How many members it has.
    pub fn count(&self) -> usize {
        self.spans.iter().map(|span| usize::from(span.last - span.first) + 1).sum()
    }

    /// The ids of the members.
    pub fn ids(&self) -> impl Iterator<Item = u16> {
        self.spans.iter().flat_map(|span| span.first..=span.last)
    }

    fn member(&self, id: u16) -> Option<&VlanSpan> {
        let at = self.spans.partition_point(|span| span.last < id);
        self.spans.get(at).filter(|span| span.first <= id)
    }

    /// Whether `id` is a member.
    pub fn contains(&self, id: u16) -> bool {
        self.member(id).is_some()
    }

    /// Whether frames of `id` leave without a tag.
    pub fn is_untagged(&self, id: u16) -> bool {
        self.member(id).is_some_and(|span| span.untagged)
    }

    /// The members in rows that are set alike.
    pub fn runs(&self) -> Vec<VlanRun> {
        self.changes(&Self::none()).1
    }

    /// What makes `before` this set: the rows to remove, and the rows to set.
    pub fn changes(&self, before: &Self) -> (Vec<VlanRun>, Vec<VlanRun>) {
        if self == before {
            return (Vec::new(), Vec::new());
        }
        let (old, new) = (before.table(), self.table());
        let pairs = || (0_u16..).zip(old.iter().zip(&new));
        let gone = pairs().filter(|(_, (old, new))| **old != 0 && **new == 0).map(|(id, _)| (id, TAGGED));
        let set = pairs().filter(|(_, (old, new))| **new != 0 && old != new).map(|(id, (_, new))| (id, *new));
        (rows(gone), rows(set))
    }

    /// What becomes of it when the bridge's default changes (`__br_vlan_set_default_pvid` in `net/bridge/br_vlan.c`):
    /// who has the old one has the new one.
    #[must_use]
    pub fn follow_default(&self, old: u16, new: u16) -> Self {
        let follows = old != 0 && self.pvid == Some(old) && self.is_untagged(old);
        let stays = if new == 0 { !follows } else { (old != 0 && !follows) || self.contains(new) };
        if stays || old == new {
            return self.clone();
        }
        let mut table = self.table();
        for (id, member) in [(old, 0), (new, UNTAGGED)] {
            if let Some(place) = table.get_mut(usize::from(id)).filter(|_| id != 0) {
                *place = member;
            }
        }
        let pvid = if new == 0 { None } else { Some(new) };
        for member in &mut table {
            *member &= TAGGED | UNTAGGED;
        }
        Self::of_table(&table, pvid)
    }

    /// The set as the language has it.
    pub fn words(&self) -> VlanWords {
        let native = self.pvid.filter(|id| self.is_untagged(*id));
        if let (Some(id), [VlanSpan { first, last, .. }]) = (native, self.spans.as_slice())
            && first == last
        {
            return VlanWords::Access(id);
        }
        let mut table = self.table();
        if let Some(member) = native.and_then(|id| table.get_mut(usize::from(id))) {
            *member = 0;
        }
        let those = |kind: u8| {
            let ids = (0_u16..).zip(&table).filter(|(_, member)| **member & kind != 0).map(|(id, _)| (id, kind));
            rows(ids).into_iter().map(|run| (run.first, run.last)).collect()
        };
        VlanWords::Trunk {
            trunk: those(TAGGED),
            untagged: those(UNTAGGED),
            native,
            pvid: self.pvid.filter(|_| native.is_none()),
        }
    }
}

/// Neighbours that are alike as one.
fn merged(spans: &[VlanSpan]) -> Vec<VlanSpan> {
    let mut merged: Vec<VlanSpan> = Vec::with_capacity(spans.len());
    for span in spans {
        match merged.last_mut() {
            Some(before) if before.last + 1 == span.first && before.untagged == span.untagged => {
                before.last = span.last
            }
            _ => merged.push(*span),
        }
    }
    merged
}

/// Rows of ids that follow each other and are alike.
fn rows(members: impl Iterator<Item = (u16, u8)>) -> Vec<VlanRun> {
    let mut rows: Vec<VlanRun> = Vec::new();
    for (id, member) in members {
        let (untagged, pvid) = (member & UNTAGGED != 0, member & PVID != 0);
        match rows.last_mut() {
            Some(row) if row.last + 1 == id && row.untagged == untagged && !row.pvid && !pvid => row.last = id,
            _ => rows.push(VlanRun { first: id, last: id, untagged, pvid }),
        }
    }
    rows
}

/// `10`, or `20-30`.
pub fn vlan_range(first: u16, last: u16) -> String {
    if first == last { first.to_string() } else { format!("{first}-{last}") }
}

impl fmt::Display for Vlans {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (trunk, untagged, native, pvid) = match self.words() {
            VlanWords::Access(id) => return write!(f, "access {id}"),
            VlanWords::Trunk { trunk, untagged, native, pvid } => (trunk, untagged, native, pvid),
        };
        let list = |word: &str, ids: &[(u16, u16)]| {
            let ids: Vec<String> = ids.iter().map(|(first, last)| vlan_range(*first, *last)).collect();
            (!ids.is_empty()).then(|| format!("{word} {}", ids.join(" ")))
        };
        let one = |word: &str, id: Option<u16>| id.map(|id| format!("{word} {id}"));
        let parts = [list("trunk", &trunk), list("untagged", &untagged), one("native", native), one("pvid", pvid)];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        f.write_str(if parts.is_empty() { "none" } else { "" })?;
        f.write_str(&parts.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(first: u16, last: u16, untagged: bool) -> VlanSpan {
        VlanSpan { first, last, untagged }
    }

    #[test]
    fn of_one_set_there_is_one_form() {
        let one = Vlans::new(Some(5), [span(1, 4, false), span(5, 5, true), span(6, 9, false), span(10, 12, false)]);
        let other = Vlans::new(Some(5), [span(7, 12, false), span(1, 8, false), span(5, 5, true)]);
        assert_eq!(one, other);
        assert_eq!(one.spans(), [span(1, 4, false), span(5, 5, true), span(6, 12, false)]);
        assert_eq!((one.count(), one.contains(13), one.is_untagged(5), one.pvid()), (12, false, true, Some(5)));
        assert_eq!(Vlans::new(Some(7), [span(1, 2, false)]).pvid(), None);
        assert_eq!(Vlans::new(None, [span(0, 3, false), span(4090, 4095, true), span(9, 8, true)]), Vlans::none());
    }

    #[test]
    fn words_are_those_of_the_language() {
        let shown = |pvid, spans: &[VlanSpan]| Vlans::new(pvid, spans.iter().copied()).to_string();
        assert_eq!(Vlans::access(10).to_string(), "access 10");
        assert_eq!(Vlans::none().to_string(), "none");
        assert_eq!(
            shown(Some(1), &[span(1, 1, true), span(10, 10, false), span(20, 30, false)]),
            "trunk 10 20-30 native 1"
        );
        assert_eq!(shown(Some(11), &[span(10, 12, true), span(20, 20, false)]), "trunk 20 untagged 10 12 native 11");
        assert_eq!(shown(Some(10), &[span(10, 12, false)]), "trunk 10-12 pvid 10");
        assert_eq!(shown(None, &[span(10, 10, true)]), "untagged 10");
    }

    #[test]
    fn changes_are_few() {
        let before = Vlans::access(1);
        let after = Vlans::new(Some(25), [span(20, 30, false)]);
        let run = |first, last, untagged, pvid| VlanRun { first, last, untagged, pvid };
        let (gone, set) = after.changes(&before);
        assert_eq!(gone, [run(1, 1, false, false)]);
        assert_eq!(set, [run(20, 24, false, false), run(25, 25, false, true), run(26, 30, false, false)]);
        assert_eq!(after.changes(&after), (Vec::new(), Vec::new()));
    }

    /// As seen on a kernel, see `tests/lane/vlans.rs`.
    #[test]
    fn a_default_is_followed_as_the_kernel_does() {
        assert_eq!(Vlans::access(10).follow_default(10, 5), Vlans::access(5));
        assert_eq!(Vlans::access(7).follow_default(5, 0), Vlans::access(7));
        assert_eq!(Vlans::access(5).follow_default(5, 0), Vlans::none());
        let both = Vlans::new(Some(3), [span(3, 3, true), span(7, 7, true)]);
        assert_eq!(Vlans::access(7).follow_default(0, 3), both);
        let other = Vlans::new(None, [span(3, 3, false)]);
        assert_eq!(other.follow_default(3, 4), other);
    }
}
