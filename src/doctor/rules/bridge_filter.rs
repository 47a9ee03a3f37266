//! Foreign rules that stop frames which cross a bridge, because `br_netfilter` hands them to the rules for IP.

use super::let_through::remedies;
use crate::doctor::code::{Code, Severity};
use crate::doctor::examined::Examined;
use crate::doctor::finding::Finding;
use crate::doctor::stopped::{Stopped, groups};

pub(super) fn find(examined: &Examined<'_>) -> Vec<Finding> {
    let stopped = Stopped::all(examined).into_iter();
    let crossing = stopped.filter(|one| one.is_filtered() && one.is_bridged(examined.world));
    groups(crossing.collect()).iter().map(|group| of(examined, group)).collect()
}

fn of(examined: &Examined<'_>, group: &[Stopped<'_>]) -> Finding {
    let stop = group.first().map(|one| one.stop);
    let bridge = stop.and_then(|stop| stop.interface.clone()).unwrap_or_default();
    let node = stop.map(|stop| stop.node.to_string()).unwrap_or_default();
    let what = format!("rules that are not the file's stop frames that cross the bridge {bridge} of {node}");
    let why = "br_netfilter hands the frames of bridges to the rules for IP, as if they were forwarded; these rules were \
               made for other interfaces, and drop what they do not know.";
    let mut finding = Finding::new(Code::BridgeFilter, Severity::Error, what, why);
    finding.remedies = remedies(examined, group);
    Stopped::finding(group, finding)
}
