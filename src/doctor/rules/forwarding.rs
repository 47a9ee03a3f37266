//! Routers that do not forward.

use crate::doctor::code::{Code, Severity};
use crate::doctor::examined::Examined;
use crate::doctor::finding::Finding;
use crate::doctor::stopped::{Stopped, groups};
use crate::resource::Sysctl;

pub(super) fn find(examined: &Examined<'_>) -> Vec<Finding> {
    let stopped = Stopped::all(examined).into_iter().filter(|one| one.stop.code == "forwarding");
    groups(stopped.collect()).iter().map(|group| of(examined, group)).collect()
}

fn of(examined: &Examined<'_>, group: &[Stopped<'_>]) -> Finding {
    let stop = group.first().map(|one| one.stop);
    let node = stop.map(|stop| stop.node.to_string()).unwrap_or_default();
    let what = format!("{node} does not forward, and packets of others come to it");
    let switch = stop.and_then(|stop| {
        let key = if stop.packet.destination.is_ipv4() { Sysctl::FORWARDING_V4 } else { Sysctl::FORWARDING_V6 };
        let id = crate::resource::ResourceId::Sysctl(stop.node.clone(), key.to_owned());
        match examined.wanted.get(&id) {
            Some(crate::resource::Resource::Sysctl(sysctl)) => Some(sysctl.value.clone()),
            _ => None,
        }
    });
    let why = if switch.is_some_and(|value| value != "0") {
        "The file switches it on; another program or user has switched it off since, for all interfaces or for this one."
    } else {
        "A namespace forwards nothing unless it is switched on; it drops such packets without a word."
    };
    let mut finding = Finding::new(Code::Forwarding, Severity::Error, what, why);
    finding.remedies = Stopped::advice(group);
    Stopped::finding(group, finding)
}
