//! Circles of what stands on what by way of ports.

use super::link::sorted;
use super::rule::{Found, Rule};
use super::view::View;
use crate::document::Finding;
use crate::resource::{Link, LinkId, kinds};
use std::collections::BTreeMap;

/// All of them.
pub(super) const RULES: &[Rule] = &[port_circles];

/// A port of what it stands on, by way of others or at once (`__netdev_upper_dev_link`).
fn port_circles(view: &View<'_>, findings: &mut Found) {
    let mut below: BTreeMap<&LinkId, Vec<&LinkId>> = BTreeMap::new();
    let masters: Vec<(&Link, &LinkId)> = sorted(view).into_iter().filter_map(|link| Some((link, &view.master(link)?.id))).collect();
    for (port, master) in &masters {
        below.entry(master).or_default().push(&port.id);
    }
    for link in sorted(view).into_iter().filter(|link| kinds::dies_with_link(&link.kind)) {
        if let Some(lower) = &link.link {
            below.entry(&link.id).or_default().push(lower);
        }
    }
    // What stands on nothing that is left is in no circle, nor is that on which nothing stands that is left.
    loop {
        let before: usize = below.values().map(Vec::len).sum();
        let open: Vec<&LinkId> = below.keys().copied().collect();
        below.values_mut().for_each(|lowers| lowers.retain(|lower| open.binary_search(lower).is_ok()));
        below.retain(|_, lowers| !lowers.is_empty());
        if before == below.values().map(Vec::len).sum::<usize>() {
            break;
        }
    }
    for (port, master) in masters.iter().filter(|(port, master)| below.get(master).is_some_and(|ports| ports.contains(&&port.id))) {
        if reaches(&below, &port.id, master) {
            let message = format!("\"{}\" cannot be a port of \"{}\", on which it stands itself", port.id, master.name);
            let finding = Finding::error("link-loop", view.link_place(&port.id), message).also(view.link_place(master), "its master");
            findings.push(finding.help("take it from the list of ports, or put it on another interface"));
        }
    }
}

/// Whether `from` stands on `to`.
fn reaches<'a>(below: &BTreeMap<&'a LinkId, Vec<&'a LinkId>>, from: &'a LinkId, to: &LinkId) -> bool {
    let mut seen: Vec<&LinkId> = vec![from];
    let mut at = 0;
    while let Some(id) = seen.get(at).copied() {
        if id == to {
            return true;
        }
        at += 1;
        for lower in below.get(id).into_iter().flatten() {
            if !seen.contains(lower) {
                seen.push(lower);
            }
        }
    }
    false
}
