//! Rules that no walk can judge.

use crate::doctor::code::{Code, Severity};
use crate::doctor::examined::Examined;
use crate::doctor::finding::Finding;
use crate::resource::Node;

pub(super) fn find(examined: &Examined<'_>) -> Vec<Finding> {
    let nodes = examined.wanted.namespaces().map(|namespace| &namespace.node);
    nodes.filter_map(|node| Some(of(node, examined.world.rules(node)?.unread.as_deref()?))).collect()
}

fn of(node: &Node, why: &str) -> Finding {
    let what = format!("what the rules of {node} do to packets cannot be said");
    let finding = Finding::new(Code::RulesUnread, Severity::Warning, what, format!("{why}.")).at(node);
    if why.contains("legacy") {
        return finding.run(
            "see the old rules, and load them into iptables-nft",
            "iptables-legacy-save | iptables-nft-restore --test",
        );
    }
    finding
}
