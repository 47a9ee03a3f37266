//! VLANs in `bridge vlan` words.

use super::words::Words;
use crate::resource::{Kind, Link, LinkId, Setting, State, Value, Vlans, quote, vlan_range};
use std::collections::BTreeMap;

/// The VLANs that bridges give to their ports, and have themselves.
pub(super) fn defaults<'a>(states: impl Iterator<Item = &'a State>) -> BTreeMap<LinkId, u16> {
    states.flat_map(State::links).filter_map(|link| Some((link.id.clone(), default_pvid(link)?))).collect()
}

fn default_pvid(link: &Link) -> Option<u16> {
    match link.options.get("vlan-default-pvid") {
        Some(Value::Number(pvid)) => u16::try_from(*pvid).ok(),
        _ => None,
    }
}

impl Words {
    /// What a link has as a new port of its master, or as a new bridge.
    fn given(&self, link: &Link) -> Vlans {
        let own = if link.kind == Kind::Bridge { default_pvid(link) } else { None };
        let master = || link.master_id().and_then(|master| self.pvids.get(&master).copied());
        Vlans::by_default(own.or_else(master).unwrap_or(1))
    }

    /// The VLANs of a link that was just made.
    pub(super) fn first_vlans(&self, link: &Link) -> Vec<String> {
        match &link.vlans {
            Setting::Is(vlans) => self.vlans(link, &self.given(link), vlans),
            Setting::Left => Vec::new(),
        }
    }

    /// Changes of the VLANs of a link.
    pub(super) fn update_vlans(&self, before: &Link, after: &Link) -> Vec<String> {
        let Setting::Is(vlans) = &after.vlans else { return Vec::new() };
        let moved = after.master.get().is_some_and(|master| before.master.get() != Some(master));
        let there = match (moved, &before.vlans, default_pvid(before), default_pvid(after)) {
            (false, Setting::Is(there), Some(old), Some(new)) if after.kind == Kind::Bridge => {
                there.follow_default(old, new)
            }
            (false, Setting::Is(there), ..) => there.clone(),
            _ => self.given(after),
        };
        self.vlans(after, &there, vlans)
    }

    fn vlans(&self, link: &Link, before: &Vlans, after: &Vlans) -> Vec<String> {
        let (gone, set) = after.changes(before);
        let bridge = self.program("bridge", &link.id.node);
        let itself = if link.kind == Kind::Bridge { " self" } else { "" };
        let dev = quote(link.id.name.as_str());
        let add = set.iter().map(|run| {
            let flags = [(run.pvid, " pvid"), (run.untagged, " untagged")]
                .map(|(on, word)| if on { word } else { "" })
                .concat();
            format!("{bridge} vlan add dev {dev} vid {}{flags}{itself}", vlan_range(run.first, run.last))
        });
        let delete = gone
            .iter()
            .map(|run| format!("{bridge} vlan delete dev {dev} vid {}{itself}", vlan_range(run.first, run.last)));
        add.chain(delete).collect()
    }
}
