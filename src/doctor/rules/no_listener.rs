//! Checks that ask a port on which no server listens.

use crate::doctor::code::{Code, Severity};
use crate::doctor::examined::Examined;
use crate::doctor::finding::Finding;
use crate::doctor::stopped::{Stopped, groups};

pub(super) fn find(examined: &Examined<'_>) -> Vec<Finding> {
    let stopped = Stopped::all(examined).into_iter().filter(|one| one.stop.code == "no-listener");
    groups(stopped.collect()).iter().map(|group| of(group)).collect()
}

fn of(group: &[Stopped<'_>]) -> Finding {
    let stop = group.first().map(|one| one.stop);
    let what = stop.map(|stop| format!("in {}, {}", stop.node, stop.what)).unwrap_or_default();
    let why = "The packet arrives: it is the server that is missing. Start it before the checks are run.";
    Stopped::finding(group, Finding::new(Code::NoListener, Severity::Warning, what, why))
}
