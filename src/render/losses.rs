//! What a change costs besides.

use super::page::{CHANGE, DIM, Page, count};
use super::words::full_name;
use crate::plan::change::Change;
use crate::resource::{Resource, ResourceId, Tenure};
use std::collections::BTreeMap;

/// Says what goes with a change, and whether it comes back.
pub(super) fn losses(page: &mut Page, change: &Change) {
    let back: Vec<&ResourceId> = change.loses.iter().filter(|id| !change.gone.contains(id)).collect();
    let gone: Vec<&ResourceId> = change.gone.iter().collect();
    lost(page, &back, "put back by this plan");
    let away =
        change.after.as_ref().and_then(Resource::as_link).is_some_and(|link| matches!(link.tenure, Tenure::From(_)));
    lost(page, &gone, if away { "put back when it is given back" } else { "which this plan does not put back" });
}

fn lost(page: &mut Page, lost: &[&ResourceId], and: &str) {
    if lost.is_empty() {
        return;
    }
    let mut kinds: BTreeMap<&'static str, usize> = BTreeMap::new();
    for id in lost {
        *kinds.entry(id.kind()).or_default() += 1;
    }
    let counted: Vec<String> = kinds.iter().map(|(kind, number)| count(*number, kind)).collect();
    page.put("        ").paint(CHANGE, format!("drops {}, {and}:", counted.join(", "))).end();
    const SHOWN: usize = 5;
    for id in lost.iter().take(SHOWN) {
        page.put("          ").paint(DIM, full_name(id)).end();
    }
    if lost.len() > SHOWN {
        page.put("          ").paint(DIM, format!("and {} more", lost.len() - SHOWN)).end();
    }
}
