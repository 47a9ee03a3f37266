//! What comes and goes with a namespace by itself: no plan shows it, and nothing counts it.

use super::any::Resource;
use super::{Kind, Link, Node, Owner, Setting, State};
use std::collections::BTreeMap;

impl Resource {
    /// Whether it is in every new namespace: its `lo`, the kernel's own policy rules, and forwarding that is off.
    pub fn is_implied(&self) -> bool {
        match self {
            // The one for `local` is there by itself, but not elsewhere than in its place.
            Self::Rule(rule) => rule.kernel && !rule.is_moved_local(),
            Self::Link(link) => is_plain_loopback(link),
            Self::Sysctl(sysctl) => {
                sysctl.value == "0" && (sysctl.forwards() || sysctl.key == "net/ipv4/conf/all/forwarding")
            }
            _ => false,
        }
    }
}

/// Whether it is `lo` as topo has it in every namespace: up, and else as the kernel makes it.
fn is_plain_loopback(link: &Link) -> bool {
    let usual = super::kinds::usual_mtu(&Kind::Loopback);
    let off = [link.arp, link.multicast].contains(&Setting::Is(false));
    link.kind == Kind::Loopback
        && link.up == Setting::Is(true)
        && link.mtu.get().is_none_or(|mtu| *mtu == usual)
        && link.alternative_names.get().is_none_or(|names| names.is_empty())
        && link.offload.is_empty()
        && !off
}

impl State {
    /// How many resources of the topology there are in each node, as plans count them.
    pub fn sizes(&self) -> BTreeMap<Node, usize> {
        let mut sizes = BTreeMap::new();
        let ours = self.items.values().filter(|item| item.owner == Owner::Ours).map(|item| &item.resource);
        for resource in ours {
            let node = resource.node();
            if !(self.is_made(node) && resource.is_implied()) {
                *sizes.entry(node.clone()).or_default() += 1;
            }
        }
        sizes
    }
}
