//! Foreign rules and policies that stop what is routed, published, or sent to a node.

use super::let_through::remedies;
use crate::doctor::code::{Code, Severity};
use crate::doctor::examined::Examined;
use crate::doctor::finding::Finding;
use crate::doctor::stopped::{Stopped, groups};

pub(super) fn find(examined: &Examined<'_>) -> Vec<Finding> {
    let stopped = Stopped::all(examined).into_iter();
    let routed = stopped.filter(|one| one.is_filtered() && !one.is_bridged(examined.world));
    groups(routed.collect()).iter().map(|group| of(examined, group)).collect()
}

fn of(examined: &Examined<'_>, group: &[Stopped<'_>]) -> Finding {
    let stop = group.first().map(|one| one.stop);
    let node = stop.map(|stop| stop.node.to_string()).unwrap_or_default();
    let what = format!("rules that are not the file's stop packets in {node}");
    let why = stop.map(|stop| format!("They are {}. {}", stop.what, whose(&stop.by.clone().unwrap_or_default().text)));
    let mut finding = Finding::new(Code::ForeignFilter, Severity::Error, what, why.unwrap_or_default().trim_end());
    finding.remedies = remedies(examined, group);
    Stopped::finding(group, finding)
}

/// Whose a rule is, as far as its table and chain say.
fn whose(rule: &str) -> &'static str {
    let known = [
        ("inet firewalld", "The table is that of firewalld."),
        ("LIBVIRT_", "The chain is one of libvirt's: it refuses what comes in to its networks from elsewhere."),
        ("DOCKER", "The chain is one of Docker's."),
        ("NETAVARK", "The chain is one of podman's."),
        ("CNI-", "The chain is one of CNI's."),
        ("KUBE-", "The chain is one of Kubernetes'."),
        ("ufw", "The chain is one of ufw's."),
        (
            "FORWARD: policy drop",
            "Docker sets that policy where it was the one to switch forwarding on; other firewalls do, too.",
        ),
    ];
    known.iter().find(|(word, _)| rule.contains(word)).map_or("", |(_, whose)| whose)
}
