//! Whatever else stops a flow that the file means.

use crate::doctor::code::{Code, Severity};
use crate::doctor::examined::Examined;
use crate::doctor::finding::Finding;
use crate::doctor::stopped::{Stopped, groups};

pub(super) fn find(examined: &Examined<'_>) -> Vec<Finding> {
    let others = ["forwarding", "rp-filter", "no-listener"];
    let stopped = Stopped::all(examined).into_iter();
    let rest = stopped.filter(|one| !one.is_filtered() && !others.contains(&one.stop.code));
    groups(rest.collect()).iter().map(|group| of(group)).collect()
}

fn of(group: &[Stopped<'_>]) -> Finding {
    let stop = group.first().map(|one| one.stop);
    let what = stop.map(|stop| format!("in {}, {}", stop.node, stop.what)).unwrap_or_default();
    let checks = group.iter().any(|one| one.walked.meant.origin.is_some());
    let why = if checks {
        "A check of the file expects it to work."
    } else {
        "The file has the addresses and routes for it, so it is meant to work."
    };
    let mut finding = Finding::new(Code::FlowStops, Severity::Error, what, why);
    finding.remedies = Stopped::advice(group);
    Stopped::finding(group, finding)
}
