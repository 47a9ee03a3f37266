//! The reverse path filter, where routes are asymmetric.

use crate::doctor::code::{Code, Severity};
use crate::doctor::examined::Examined;
use crate::doctor::finding::Finding;
use crate::doctor::stopped::{Stopped, groups};

pub(super) fn find(examined: &Examined<'_>) -> Vec<Finding> {
    let stopped = Stopped::all(examined).into_iter().filter(|one| one.stop.code == "rp-filter");
    groups(stopped.collect()).iter().map(|group| of(group)).collect()
}

fn of(group: &[Stopped<'_>]) -> Finding {
    let stop = group.first().map(|one| one.stop);
    let node = stop.map(|stop| stop.node.to_string()).unwrap_or_default();
    let interface = stop.and_then(|stop| stop.interface.clone()).unwrap_or_default();
    let what = format!("rp_filter of {node} drops what comes in by {interface}");
    let why = "A packet is dropped there whose source the node would not answer by the same interface (1), or by any (2). \
               The larger of the values of \"all\" and of the interface counts.";
    let mut finding = Finding::new(Code::RpFilter, Severity::Error, what, why);
    finding.remedies = Stopped::advice(group);
    Stopped::finding(group, finding)
}
